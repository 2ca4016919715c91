//! What a client asks of the queue behind a server: BY (RFC 2852), HOLDFOR and HOLDUNTIL (RFC 4865), MT-PRIORITY
//! (RFC 6710), RRVS (RFC 7293).
//!
//! Here are the values and their forms. Keeping what they ask for is the business of the queue, and a server
//! announces them only if its host says that the queue does.

use core::fmt;
use core::str::FromStr;

use super::date_time::{DateTime, InvalidRequest};

/// BY: until when the message is to be delivered, and what happens then (RFC 2852 §4).
///
/// ```
/// use mailwright_smtp::types::{DeliverBy, DeliverByMode};
///
/// let by: DeliverBy = "120;rt".parse()?;
/// assert_eq!((by.seconds(), by.mode(), by.trace()), (120, DeliverByMode::Return, true));
/// assert_eq!(by.to_string(), "120;RT");
/// assert!("0;R".parse::<DeliverBy>().is_err());
/// # Ok::<(), mailwright_smtp::types::InvalidRequest>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliverBy {
    seconds: i32,
    mode: DeliverByMode,
    trace: bool,
}

/// What happens to a message that was not delivered in time (RFC 2852 §4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 2852 §4 has these and no others")]
pub enum DeliverByMode {
    /// `N`: the sender is told, and delivery goes on.
    Notify,
    /// `R`: it is returned. Such a message goes only to servers that announce DELIVERBY.
    Return,
}

impl DeliverBy {
    /// The most seconds, in both directions.
    pub const MAX_SECONDS: i32 = 999_999_999;

    /// Delivery within `seconds`; they may be zero or negative only with [`DeliverByMode::Notify`]. `trace`: whether
    /// each relay tells the sender.
    ///
    /// # Errors
    /// If they are more than [`Self::MAX_SECONDS`], or not positive with [`DeliverByMode::Return`].
    pub const fn new(seconds: i32, mode: DeliverByMode, trace: bool) -> Result<Self, InvalidRequest> {
        // RFC 2852 §4: "a negative or zero value is not allowed with a by-mode of R".
        let least = match mode {
            DeliverByMode::Notify => -Self::MAX_SECONDS,
            DeliverByMode::Return => 1,
        };
        if seconds < least || seconds > Self::MAX_SECONDS {
            return Err(InvalidRequest);
        }
        Ok(Self { seconds, mode, trace })
    }

    /// Seconds from MAIL to the deadline.
    #[must_use]
    pub const fn seconds(self) -> i32 {
        self.seconds
    }

    /// What happens at the deadline.
    #[must_use]
    pub const fn mode(self) -> DeliverByMode {
        self.mode
    }

    /// Whether each relay tells the sender.
    #[must_use]
    pub const fn trace(self) -> bool {
        self.trace
    }
}

impl FromStr for DeliverBy {
    type Err = InvalidRequest;

    /// `[+-]digits;N|R[T]`, letters in any case.
    fn from_str(text: &str) -> Result<Self, InvalidRequest> {
        let (time, mode) = text.split_once(';').ok_or(InvalidRequest)?;
        let digits = time.strip_prefix(['+', '-']).unwrap_or(time);
        let size = i32::try_from(decimal(digits)?).map_err(|_| InvalidRequest)?;
        let seconds = if time.starts_with('-') { -size } else { size };
        let (mode, trace) = match mode.as_bytes() {
            [mode] => (mode, false),
            [mode, b'T' | b't'] => (mode, true),
            _ => return Err(InvalidRequest),
        };
        let mode = match mode {
            b'N' | b'n' => DeliverByMode::Notify,
            b'R' | b'r' => DeliverByMode::Return,
            _ => return Err(InvalidRequest),
        };
        Self::new(seconds, mode, trace)
    }
}

impl fmt::Display for DeliverBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            DeliverByMode::Notify => 'N',
            DeliverByMode::Return => 'R',
        };
        write!(f, "{};{mode}{}", self.seconds, if self.trace { "T" } else { "" })
    }
}

/// HOLDFOR or HOLDUNTIL: how long a submitted message is kept before it goes (RFC 4865 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4865 §3 has these and no others")]
pub enum Hold {
    /// HOLDFOR.
    For(HoldInterval),
    /// HOLDUNTIL, a moment in UTC.
    Until(DateTime),
}

/// Seconds that a message is held, 1 to 999 999 999 (RFC 4865 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldInterval(u32);

impl HoldInterval {
    /// The most seconds.
    pub const MAX: Self = Self(999_999_999);

    /// So many seconds.
    ///
    /// # Errors
    /// If they are none, or more than [`Self::MAX`].
    pub const fn new(seconds: u32) -> Result<Self, InvalidRequest> {
        if seconds == 0 || seconds > Self::MAX.0 { Err(InvalidRequest) } else { Ok(Self(seconds)) }
    }

    /// The seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl FromStr for HoldInterval {
    type Err = InvalidRequest;

    /// Digits, the first of which is not 0.
    fn from_str(text: &str) -> Result<Self, InvalidRequest> {
        // RFC 4865 §3: future-release-integer = %x31-39 *8DIGIT
        if text.starts_with('0') {
            return Err(InvalidRequest);
        }
        Self::new(decimal(text)?)
    }
}

impl fmt::Display for HoldInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Hold {
    /// The parameter with its keyword.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(interval) => write!(f, "HOLDFOR={interval}"),
            Self::Until(moment) => write!(f, "HOLDUNTIL={moment}"),
        }
    }
}

impl Hold {
    /// The moment of HOLDUNTIL, which must be written in UTC.
    pub(crate) fn until(text: &str) -> Result<Self, InvalidRequest> {
        // RFC 4865 §3: normalised to UTC.
        if !text.ends_with(['Z', 'z']) {
            return Err(InvalidRequest);
        }
        text.parse().map(Self::Until)
    }
}

/// MT-PRIORITY: how urgent a message is, from -9 to 9; 0 without the parameter (RFC 6710 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(i8);

impl Priority {
    /// The priority of messages without the parameter.
    pub const NORMAL: Self = Self(0);

    /// The priority of this number.
    ///
    /// # Errors
    /// If it is outside -9 to 9.
    pub const fn new(number: i8) -> Result<Self, InvalidRequest> {
        if number >= -9 && number <= 9 { Ok(Self(number)) } else { Err(InvalidRequest) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i8 {
        self.0
    }
}

impl FromStr for Priority {
    type Err = InvalidRequest;

    /// A digit, with a hyphen before it if it is negative.
    fn from_str(text: &str) -> Result<Self, InvalidRequest> {
        // RFC 6710 §7: priority-value = (["-"] NZDIGIT) / "0"
        match text.as_bytes() {
            [b'0'..=b'9'] | [b'-', b'1'..=b'9'] => {
                text.parse().map_err(|_| InvalidRequest).and_then(Self::new)
            }
            _ => Err(InvalidRequest),
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// RRVS: deliver only if the mailbox has had the same owner since then (RFC 7293 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ValidSince {
    /// When the sender last knew the owner.
    pub moment: DateTime,
    /// Whether the message goes on to servers that do not know RRVS; else it is rejected there.
    pub continues: bool,
}

impl ValidSince {
    /// Only to an owner since `moment`, and only through servers that see to it.
    #[must_use]
    pub const fn new(moment: DateTime) -> Self {
        Self { moment, continues: false }
    }
}

impl FromStr for ValidSince {
    type Err = InvalidRequest;

    /// A date-time, and `;C` or `;R` behind it, letters in any case.
    fn from_str(text: &str) -> Result<Self, InvalidRequest> {
        let (moment, action) = text.split_once(';').unwrap_or((text, "R"));
        let continues = match action {
            "C" | "c" => true,
            "R" | "r" => false,
            _ => return Err(InvalidRequest),
        };
        Ok(Self { moment: moment.parse()?, continues })
    }
}

impl fmt::Display for ValidSince {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.moment, if self.continues { ";C" } else { "" })
    }
}

/// One to nine decimal digits.
pub(crate) fn decimal(text: &str) -> Result<u32, InvalidRequest> {
    if !(1..=9).contains(&text.len()) || !text.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(InvalidRequest);
    }
    text.parse().map_err(|_| InvalidRequest)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn a_deadline_has_a_sign_seconds_and_a_mode() {
        for (text, written) in
            [("+120;R", "120;R"), ("-1;N", "-1;N"), ("0;nT", "0;NT"), ("-0;N", "0;N"), ("000000001;R", "1;R")]
        {
            let by: DeliverBy = text.parse().unwrap();
            assert_eq!(by.to_string(), written);
            assert_eq!(written.parse(), Ok(by));
        }
        for text in [
            "",
            ";R",
            "1",
            "1;",
            "1;X",
            "1;RTT",
            "1;T",
            "1;TR",
            "0;R",
            "-1;R",
            "1000000000;R",
            "1.5;R",
            "++1;R",
            "0x1;R",
            "1;R ",
            " 1;R",
            "-;N",
        ] {
            assert_eq!(text.parse::<DeliverBy>(), Err(InvalidRequest), "{text:?}");
        }
        assert!(DeliverBy::new(i32::MIN, DeliverByMode::Notify, false).is_err());
    }

    #[test]
    fn a_message_is_held_for_some_time_or_until_a_moment_in_utc() {
        assert_eq!("86400".parse::<HoldInterval>().map(HoldInterval::seconds), Ok(86_400));
        for text in ["", "0", "01", "-1", "+1", "1000000000", "1s"] {
            assert_eq!(text.parse::<HoldInterval>(), Err(InvalidRequest), "{text:?}");
        }
        let until = Hold::until("2026-11-27T19:30:00Z").unwrap();
        assert_eq!(until.to_string(), "HOLDUNTIL=2026-11-27T19:30:00Z");
        assert!(Hold::until("2026-11-27T19:30:00+01:00").is_err());
        assert_eq!(HoldInterval::new(0), Err(InvalidRequest));
    }

    #[test]
    fn a_priority_is_one_digit() {
        for number in -9..=9 {
            let priority = Priority::new(number).unwrap();
            assert_eq!(priority.to_string().parse(), Ok(priority));
        }
        for text in ["", "-", "-0", "+1", "10", "-10", "00", "a", "1 "] {
            assert_eq!(text.parse::<Priority>(), Err(InvalidRequest), "{text:?}");
        }
        assert!(Priority::new(10).is_err() && Priority::new(-10).is_err());
    }

    #[test]
    fn an_owner_since_a_moment_is_asked_for_with_a_fallback() {
        for (text, written) in [
            ("2014-04-03T23:01:00Z", "2014-04-03T23:01:00Z"),
            ("2014-04-03T23:01:00+01:00;r", "2014-04-03T22:01:00Z"),
            ("2014-04-03T23:01:00Z;c", "2014-04-03T23:01:00Z;C"),
        ] {
            let since: ValidSince = text.parse().unwrap();
            assert_eq!(since.to_string(), written);
            assert_eq!(written.parse(), Ok(since));
        }
        for text in ["", "2014-04-03T23:01:00Z;", "2014-04-03T23:01:00Z;X", "2014-04-03T23:01:00Z;C;C", ";C"]
        {
            assert_eq!(text.parse::<ValidSince>(), Err(InvalidRequest), "{text:?}");
        }
    }
}
