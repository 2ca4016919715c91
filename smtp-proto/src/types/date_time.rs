//! [`DateTime`]: the date and time of parameters, RFC 3339 §5.6 without fractions of seconds.

use core::fmt;
use core::str::FromStr;

use mailwright_core::value::UnixTime;

/// A moment to the second as parameters write it: `2026-11-27T19:30:00Z`. `Display` is always in UTC.
///
/// ```
/// use mailwright_smtp::types::DateTime;
///
/// let moment: DateTime = "1996-12-19T16:39:57-08:00".parse()?;
/// assert_eq!(moment.to_string(), "1996-12-20T00:39:57Z");
/// assert!("1996-12-19".parse::<DateTime>().is_err());
/// # Ok::<(), mailwright_smtp::types::InvalidRequest>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(i64);

/// A text that is no value of its parameter, or a number outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value has not the form or the range that its parameter has")]
#[non_exhaustive]
pub struct InvalidRequest;

impl DateTime {
    /// The moment, which must lie in the years 0 to 9999.
    ///
    /// # Errors
    /// If it does not.
    pub const fn new(moment: UnixTime) -> Result<Self, InvalidRequest> {
        const FIRST: i64 = -62_167_219_200;
        const LAST: i64 = 253_402_300_799;
        let seconds = moment.as_seconds();
        if seconds >= FIRST && seconds <= LAST { Ok(Self(seconds)) } else { Err(InvalidRequest) }
    }

    /// The moment.
    #[must_use]
    pub const fn unix_time(self) -> UnixTime {
        UnixTime::from_seconds(self.0)
    }
}

impl FromStr for DateTime {
    type Err = InvalidRequest;

    /// `YYYY-MM-DDThh:mm:ss` with `Z` or an offset `+hh:mm`; letters in any case.
    fn from_str(text: &str) -> Result<Self, InvalidRequest> {
        let (fields, zone) = text.split_at_checked(19).ok_or(InvalidRequest)?;
        let parts = ["", "-", "-", "T", ":", ":"];
        let widths = [4, 2, 2, 2, 2, 2];
        let mut numbers = [0_i64; 6];
        let mut rest = fields;
        for ((number, separator), width) in numbers.iter_mut().zip(parts).zip(widths) {
            let (found, behind) = rest.split_at_checked(separator.len()).ok_or(InvalidRequest)?;
            if !found.eq_ignore_ascii_case(separator) {
                return Err(InvalidRequest);
            }
            let (digits, behind) = behind.split_at_checked(width).ok_or(InvalidRequest)?;
            *number = decimal(digits)?;
            rest = behind;
        }
        let [year, month, day, hour, minute, second] = numbers;
        let length = month_length(year, month).ok_or(InvalidRequest)?;
        // A leap second is read as the second behind it.
        if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return Err(InvalidRequest);
        }
        let local = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Self::new(UnixTime::from_seconds(local - offset(zone)?))
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second, _) = self.unix_time().civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Decimal digits, and nothing else.
fn decimal(text: &str) -> Result<i64, InvalidRequest> {
    if text.is_empty() || !text.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(InvalidRequest);
    }
    text.parse().map_err(|_| InvalidRequest)
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Result<i64, InvalidRequest> {
    if zone.eq_ignore_ascii_case("Z") {
        return Ok(0);
    }
    let (sign, rest) = match zone.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(InvalidRequest),
    };
    let (hours, minutes) = rest.split_once(':').ok_or(InvalidRequest)?;
    if hours.len() != 2 || minutes.len() != 2 {
        return Err(InvalidRequest);
    }
    let (hours, minutes) = (decimal(hours)?, decimal(minutes)?);
    if hours > 23 || minutes > 59 { Err(InvalidRequest) } else { Ok(sign * (hours * 60 + minutes) * 60) }
}

const fn month_length(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => Some(29),
        2 => Some(28),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        text.parse::<DateTime>().ok().map(|moment| moment.unix_time().as_seconds())
    }

    #[test]
    fn the_examples_of_rfc_3339_are_read() {
        assert_eq!(seconds("1996-12-19T16:39:57-08:00"), Some(851_042_397));
        assert_eq!(seconds("1990-12-31T23:59:60Z"), Some(662_688_000));
        assert_eq!(seconds("1990-12-31T15:59:60-08:00"), Some(662_688_000));
        assert_eq!(seconds("1970-01-01t00:00:00z"), Some(0));
        assert_eq!(seconds("2000-02-29T00:00:00+00:00"), Some(951_782_400));
    }

    #[test]
    fn what_is_no_date_time_is_refused() {
        for text in [
            "",
            "1996-12-19",
            "1996-12-19T16:39:57",
            "1996-12-19T16:39:57.5Z",
            "1996-12-19T16:39Z",
            "1996-13-01T00:00:00Z",
            "1996-00-01T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "1996-04-31T00:00:00Z",
            "1996-12-19T24:00:00Z",
            "1996-12-19T00:60:00Z",
            "1996-12-19T00:00:61Z",
            "1996-12-19 16:39:57Z",
            "1996-12-19T16:39:57+24:00",
            "1996-12-19T16:39:57+1:00",
            "1996-12-19T16:39:57+0100",
            "+996-12-19T16:39:57Z",
            "1996-12-19T16:39:57Z ",
            "1996-12-19T16:39:5\u{e9}Z",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01",
        ] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_reads_as_the_same() {
        for text in
            ["0000-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2000-03-01T00:00:00Z", "9999-12-31T23:59:59Z"]
        {
            assert_eq!(text.parse::<DateTime>().unwrap().to_string(), text);
        }
        assert!(DateTime::new(UnixTime::from_seconds(i64::MAX)).is_err());
    }
}
