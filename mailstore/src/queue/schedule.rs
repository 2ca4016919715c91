//! [`Schedule`]: when a message that could not be delivered is tried again, when its sender is told, and when
//! it is given up. RFC 5321 §4.5.4.1.
//!
//! A pure function of the past; nothing here knows a clock or a queue.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use mailwright_core::value::UnixTime;

/// The most delays of a schedule.
const MOST_DELAYS: usize = 100;
/// The longest delay, and the longest lifetime that makes sense: a year.
const LONGEST: u64 = 365 * DAY;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Delays between attempts, and the ages at which the sender is told and the message is given up.
///
/// The text form has the delays, ascending, the last with an asterisk if it repeats:
///
/// ```
/// use mailwright_store::queue::Schedule;
///
/// let schedule: Schedule = "10m,90m,4h*".parse()?;
/// assert_eq!(schedule.to_string(), "10m,1h30m,4h*");
/// assert_eq!(Schedule::default().to_string(), "7m30s,15m,30m,1h,2h,4h*");
/// # Ok::<(), mailwright_store::queue::ScheduleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// In seconds, never empty, ascending.
    delays: Vec<u64>,
    repeats: bool,
    lifetime: u64,
    notice: Option<u64>,
}

/// What comes next for a message that was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// It is tried again then.
    At(UnixTime),
    /// It is tried again, and its sender is told before that it is late.
    Delayed {
        /// The next attempt.
        at: UnixTime,
        /// When the sender is told, unless that was done: not before now, not after `at`.
        notify: UnixTime,
    },
    /// It is returned.
    GiveUp,
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// Not a delay such as `7m30s`.
    #[error("not a delay: {0:?} (write it as 30s, 7m30s, 4h or 1d)")]
    Delay(String),
    /// Shorter than the one before.
    #[error("the delay {0} is shorter than the one before it")]
    Descending(String),
    /// An asterisk that does not stand behind the last delay.
    #[error("only the last delay repeats")]
    Repeat,
    /// More delays than anybody needs.
    #[error("more than {MOST_DELAYS} delays")]
    TooMany,
}

impl Schedule {
    /// Attempts below which age alone never ends a message, so that a clock that jumps loses nothing.
    pub const FEWEST_ATTEMPTS: u32 = 3;

    /// The same with another age, in seconds, at which messages are given up. Default: 5 days.
    #[must_use]
    pub fn with_lifetime(mut self, seconds: u64) -> Self {
        self.lifetime = seconds.min(LONGEST);
        self
    }

    /// The same with another age, in seconds, at which the sender is told of a delay; `None` = never.
    /// Default: 2 hours.
    #[must_use]
    pub fn with_notice(mut self, seconds: Option<u64>) -> Self {
        self.notice = seconds.map(|seconds| seconds.min(LONGEST));
        self
    }

    /// The longest delay in seconds: no attempt is ever further away.
    #[must_use]
    pub fn longest(&self) -> u64 {
        self.delays.last().copied().unwrap_or(HOUR)
    }

    /// The first delay in seconds.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.delays.first().copied().unwrap_or(HOUR)
    }

    /// The age in seconds at which messages are given up.
    #[must_use]
    pub const fn lifetime(&self) -> u64 {
        self.lifetime
    }

    /// When the sender of a message made at `created` is told that it is late.
    #[must_use]
    pub const fn notice(&self, created: UnixTime) -> Option<UnixTime> {
        match self.notice {
            Some(notice) => Some(later(created, notice)),
            None => None,
        }
    }

    /// What comes after `attempts` attempts, the last of which failed `now`. `jitter` makes the delay up to a
    /// tenth shorter, so that what failed together does not return together.
    ///
    /// Later for more attempts and for a later `now`, never more than [`Self::longest`] away, and given up
    /// once it was given up. A message is given up by its age only after [`Self::FEWEST_ATTEMPTS`].
    #[must_use]
    pub fn next(&self, created: UnixTime, attempts: u32, now: UnixTime, jitter: u16) -> Next {
        let Some(made) = attempts.checked_sub(1) else { return Next::At(now) };
        // A clock that was set back makes the age 0.
        let age = u64::try_from(now.as_seconds().saturating_sub(created.as_seconds())).unwrap_or(0);
        if attempts >= Self::FEWEST_ATTEMPTS && age >= self.lifetime {
            return Next::GiveUp;
        }
        let delay = match self.delays.get(usize::try_from(made).unwrap_or(usize::MAX)) {
            Some(delay) => *delay,
            None if self.repeats => self.longest(),
            None => return Next::GiveUp,
        };
        // At most a year times 2^16: far below 2^64.
        let at = later(now, delay - delay * u64::from(jitter) / (10 << 16));
        match self.notice(created) {
            Some(notify) if notify <= at => Next::Delayed { at, notify: notify.max(now) },
            _ => Next::At(at),
        }
    }
}

/// `time` and so many seconds more.
pub(super) const fn later(time: UnixTime, seconds: u64) -> UnixTime {
    UnixTime::from_seconds(time.as_seconds().saturating_add_unsigned(seconds))
}

impl Default for Schedule {
    // RFC 5321 §4.5.4.1 asks for 30 minutes at least, and for fewer the first times if the cause may be
    // short; it gives up after 4 or 5 days.
    fn default() -> Self {
        let delays = [450, 900, 1800, HOUR, 2 * HOUR, 4 * HOUR];
        Self { delays: delays.into(), repeats: true, lifetime: 5 * DAY, notice: Some(2 * HOUR) }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, delay) in self.delays.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            let mut rest = *delay;
            for (unit, length) in UNITS {
                if rest >= length {
                    write!(f, "{}{unit}", rest / length)?;
                    rest %= length;
                }
            }
        }
        f.write_str(if self.repeats { "*" } else { "" })
    }
}

const UNITS: [(char, u64); 4] = [('d', DAY), ('h', HOUR), ('m', MINUTE), ('s', 1)];

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let (text, repeats) = match text.strip_suffix('*') {
            Some(text) => (text, true),
            None => (text, false),
        };
        if text.contains('*') {
            return Err(ScheduleError::Repeat);
        }
        let mut delays: Vec<u64> = Vec::new();
        for word in text.split(',') {
            let delay = delay(word).ok_or_else(|| ScheduleError::Delay(word.to_string()))?;
            if delays.last().is_some_and(|before| delay < *before) {
                return Err(ScheduleError::Descending(word.to_string()));
            }
            if delays.len() == MOST_DELAYS {
                return Err(ScheduleError::TooMany);
            }
            delays.push(delay);
        }
        Ok(Self { delays, repeats, ..Self::default() })
    }
}

/// A delay in seconds: numbers with units, the largest unit first, none twice, between a second and a year.
fn delay(word: &str) -> Option<u64> {
    let mut rest = word;
    let mut sum = 0_u64;
    for (unit, length) in UNITS {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at_checked(digits)?;
        if let Some(behind) = behind.strip_prefix(unit) {
            sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(length)?)?;
            rest = behind;
        }
    }
    (rest.is_empty() && (1..=LONGEST).contains(&sum)).then_some(sum)
}

#[cfg(test)]
mod tests;
