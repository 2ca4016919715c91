//! Dates of fields: RFC 5322 §3.3, with the obsolete zones of §4.3 and without the day of the week.

use mailwright_core::value::UnixTime;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads `[day-name ","] day month year hour ":" minute [":" second] zone`; a comment may follow.
pub(super) fn parse(text: &str) -> Option<UnixTime> {
    let text = text.split('(').next()?;
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let mut words = text.split_ascii_whitespace();
    let day = number(words.next()?, 1..=31)?;
    let name = words.next()?.get(..3)?;
    let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    let year = words.next()?;
    let year = match (year.len(), number(year, 0..=9999)?) {
        // RFC 5322 §4.3: years of two and three digits.
        (2, year @ 0..=49) => year + 2000,
        (2 | 3, year) => year + 1900,
        (_, year) => year,
    };
    let mut clock = words.next()?.split(':');
    let hour = number(clock.next()?, 0..=23)?;
    let minute = number(clock.next()?, 0..=59)?;
    let second = clock.next().map_or(Some(0), |second| number(second, 0..=60))?;
    let offset = zone(words.next().unwrap_or("UT"))?;
    let seconds =
        days(year, i64::try_from(month).ok()? + 1, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(UnixTime::from_seconds(seconds - offset))
}

fn number(text: &str, range: core::ops::RangeInclusive<i64>) -> Option<i64> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|value| digits && range.contains(value))
}

/// Seconds that a zone is ahead of UTC.
fn zone(text: &str) -> Option<i64> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        // RFC 5322 §4.3: the other names mean nothing that is known.
        _ => {
            let hours = [("EST", -5), ("EDT", -4), ("CST", -6), ("CDT", -5)]
                .into_iter()
                .chain([("MST", -7), ("MDT", -6), ("PST", -8), ("PDT", -7)])
                .find(|(name, _)| name.eq_ignore_ascii_case(text));
            return Some(hours.map_or(0, |(_, hours)| hours * 3600));
        }
    };
    let value = number(digits, 0..=9999).filter(|value| digits.len() == 4 && value % 100 < 60)?;
    Some(sign * (value / 100 * 3600 + value % 100 * 60))
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March, so that the leap day is their last.
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

    fn seconds(text: &str) -> Option<i64> {
        parse(text).map(UnixTime::as_seconds)
    }

    #[test]
    fn dates_of_all_ages_are_read() {
        for (text, expected) in [
            ("Thu, 1 Jan 1970 00:00:00 +0000", 0),
            ("1 January 70 0:0 GMT", 0),
            ("Thu,  1 Jan 1970 01:00:00 +0100 (CET)", 0),
            ("31 Dec 1969 19:00:00 EST", 0),
            ("31 Dec 69 23:59:60 Z", 0),
            ("Fri, 31 Dec 1999 23:59:59 -0000", 946_684_799),
            ("29 Feb 2000 00:00:00 +1345", 951_732_900),
            ("1 Mar 04 00:00 x", 1_078_099_200),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "Thu",
            "Thu, 1",
            "1 Foo 1970 00:00 GMT",
            "0 Jan 1970 00:00 GMT",
            "32 Jan 1970 00:00 GMT",
            "1 Jan 10000 00:00 GMT",
            "1 Jan 1970 24:00 GMT",
            "1 Jan 1970 00 GMT",
            "1 Jan 1970 00:60 GMT",
            "1 Jan 1970 00:00 +01",
            "1 Jan 1970 00:00 +0160",
            "1 Jan -1 00:00 GMT",
            "1 J\u{FC}n 1970 00:00 GMT",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(time in -62_167_219_200_i64 + 365 * 86_400 * 1000..253_402_300_800) {
            let time = UnixTime::from_seconds(time);
            prop_assert_eq!(parse(&time.to_string()), Some(time));
        }
    }
}
