//! [`DateTime`] and [`SearchDate`]. RFC 9051 §9 (`date-time`, `date`).

use core::fmt;

use mailwright_core::value::UnixTime;

/// INTERNALDATE: a time and the zone it is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9051 §9 has no more")]
pub struct DateTime {
    /// When.
    pub time: UnixTime,
    /// Minutes east of UTC.
    pub zone: i16,
}

/// A day, in no zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9051 §9 has no more")]
pub struct SearchDate {
    /// 0 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// Not a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date of the form 17-Jul-1996, with time and zone 17-Jul-1996 02:44:25 -0700")]
#[non_exhaustive]
pub struct DateError;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl SearchDate {
    /// Reads `1-Feb-1994`; a leading zero or space before the day is accepted.
    ///
    /// # Errors
    /// If it is no day of the calendar.
    pub fn parse(text: &[u8]) -> Result<Self, DateError> {
        let mut parts = text.splitn(3, |octet| *octet == b'-');
        let mut next = || parts.next().ok_or(DateError);
        let (day, month, year) = (next()?, next()?, next()?);
        let day = day.strip_prefix(b" ").unwrap_or(day);
        let month = MONTHS.iter().position(|name| name.as_bytes().eq_ignore_ascii_case(month));
        let month = month.and_then(|index| u8::try_from(index + 1).ok()).ok_or(DateError)?;
        if !(1..=2).contains(&day.len()) || year.len() != 4 {
            return Err(DateError);
        }
        let day = u8::try_from(digits(day)?).map_err(|_| DateError)?;
        let year = u16::try_from(digits(year)?).map_err(|_| DateError)?;
        if day == 0 || day > days_in(year, month) {
            return Err(DateError);
        }
        Ok(Self { year, month, day })
    }

    /// Days since 1 January 1970.
    #[must_use]
    pub fn days(self) -> i64 {
        days_from_civil(i64::from(self.year), i64::from(self.month), i64::from(self.day))
    }
}

impl DateTime {
    /// Reads ` 1-Feb-1994 21:52:25 -0800`, without quotes.
    ///
    /// # Errors
    /// If it is no time of the calendar, or its zone is none.
    pub fn parse(text: &[u8]) -> Result<Self, DateError> {
        // RFC 9051 §9: date-day-fixed "-" date-month "-" date-year SP time SP zone
        let (date, rest) = text.split_at_checked(11).ok_or(DateError)?;
        let date = SearchDate::parse(date)?;
        let [b' ', time @ .., b' ', sign, z1, z2, z3, z4] = rest else { return Err(DateError) };
        let [h1, h2, b':', m1, m2, b':', s1, s2] = time else { return Err(DateError) };
        let (hours, minutes, seconds) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?, digits(&[*s1, *s2])?);
        let (zone_hours, zone_minutes) = (digits(&[*z1, *z2])?, digits(&[*z3, *z4])?);
        // 60: a leap second.
        if hours > 23 || minutes > 59 || seconds > 60 || zone_minutes > 59 {
            return Err(DateError);
        }
        let zone = i16::try_from(zone_hours * 60 + zone_minutes).map_err(|_| DateError)?;
        let zone = match sign {
            b'+' => zone,
            b'-' => -zone,
            _ => return Err(DateError),
        };
        let local = date.days() * 86_400 + i64::from(hours * 3600 + minutes * 60 + seconds.min(59));
        Ok(Self { time: UnixTime::from_seconds(local - i64::from(zone) * 60), zone })
    }
}

impl fmt::Display for SearchDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let month = MONTHS.get(usize::from(self.month).wrapping_sub(1)).copied().unwrap_or("Jan");
        write!(f, "{}-{month}-{:04}", self.day, self.year)
    }
}

impl fmt::Display for DateTime {
    /// As INTERNALDATE writes it, without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.time.as_seconds().saturating_add(i64::from(self.zone) * 60);
        let (year, month, day, hours, minutes, seconds, _) = UnixTime::from_seconds(local).civil();
        let month = MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or("Jan");
        let (sign, zone) =
            if self.zone < 0 { ('-', -i32::from(self.zone)) } else { ('+', i32::from(self.zone)) };
        // Four digits are all that the grammar has.
        let year = year.clamp(0, 9999);
        write!(
            f,
            "{day:2}-{month}-{year:04} {hours:02}:{minutes:02}:{seconds:02} {sign}{:02}{:02}",
            zone / 60,
            zone % 60
        )
    }
}

fn digits(text: &[u8]) -> Result<u32, DateError> {
    text.iter().try_fold(0_u32, |value, octet| match octet {
        b'0'..=b'9' => Ok(value * 10 + u32::from(octet - b'0')),
        _ => Err(DateError),
    })
}

const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_of_the_rfc_are_read() {
        let date = DateTime::parse(b"17-Jul-1996 02:44:25 -0700").unwrap();
        assert_eq!((date.time.as_seconds(), date.zone), (837_596_665, -420));
        assert_eq!(date.to_string(), "17-Jul-1996 02:44:25 -0700");
        assert_eq!(
            DateTime::parse(b" 7-Feb-1994 21:52:25 -0800").unwrap().to_string(),
            " 7-Feb-1994 21:52:25 -0800"
        );
        assert_eq!(SearchDate::parse(b"1-Feb-1994").unwrap(), SearchDate { year: 1994, month: 2, day: 1 });
        assert_eq!(SearchDate::parse(b"29-fEB-2000").unwrap().to_string(), "29-Feb-2000");
        assert_eq!(SearchDate::parse(b"1-Jan-1970").unwrap().days(), 0);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "1-Feb",
            "0-Feb-1994",
            "30-Feb-1994",
            "29-Feb-1900",
            "1-Foo-1994",
            "1-Feb-94",
            "1-Feb-19945",
            "a-Feb-1994",
        ] {
            assert!(SearchDate::parse(text.as_bytes()).is_err(), "{text}");
        }
        for text in [
            "17-Jul-1996 02:44:25",
            "17-Jul-1996 24:00:00 +0000",
            "17-Jul-1996 02:60:00 +0000",
            "17-Jul-1996 02:44:25 0000",
            "17-Jul-1996 02:44:25 +0060",
            "17-Jul-1996  02:44:25 +0000",
            "1-Jul-1996 02:44:25 +0000",
        ] {
            assert!(DateTime::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -62_000_000_000_i64..250_000_000_000, zone in -1439_i16..1440) {
            let date = DateTime { time: UnixTime::from_seconds(seconds), zone };
            prop_assert_eq!(DateTime::parse(date.to_string().as_bytes()).unwrap(), date);
        }
    }
}
