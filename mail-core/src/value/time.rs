//! Time as a parameter: [`Instant`] for deadlines, [`UnixTime`] for what is stored, [`TimerTable`] for
//! the timers of a session. Nothing here reads a clock.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A moment on a host's monotonic clock, in milliseconds since an origin that the host chooses.
///
/// Sessions only compare and add; two sessions with different origins never meet. A new session counts
/// from [`Instant::ORIGIN`] unless it is told otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The host's origin: zero milliseconds.
    pub const ORIGIN: Self = Self(0);

    /// The moment `milliseconds` after the origin.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the origin.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the end of time, which is a deadline that never comes.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

/// Seconds since 1970-01-01T00:00:00Z, for dates that are stored or written into messages.
///
/// May be negative (a message dated before 1970).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UnixTime(i64);

impl UnixTime {
    /// A time from seconds since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0
    }

    /// The date and time of day in UTC by the proleptic Gregorian calendar:
    /// `(year, month 1–12, day 1–31, hour, minute, second, weekday with 0 = Sunday)`.
    #[must_use]
    pub const fn civil(self) -> (i64, u8, u8, u8, u8, u8, u8) {
        const DAY: i64 = 86_400;
        let days = self.0.div_euclid(DAY);
        let second_of_day = self.0.rem_euclid(DAY);
        // Count days from 0000-03-01, so that the leap day is the last of its year; 400 years are 146 097 days.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "each is bounded by the calendar"
        )]
        (
            year,
            month as u8,
            day as u8,
            (second_of_day / 3600) as u8,
            (second_of_day / 60 % 60) as u8,
            (second_of_day % 60) as u8,
            (days + 4).rem_euclid(7) as u8,
        )
    }
}

impl fmt::Display for UnixTime {
    /// The date-time of RFC 5322 §3.3 in UTC: `Fri, 27 Nov 2026 19:30:00 +0000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (year, month, day, hour, minute, second, weekday) = self.civil();
        let weekday = DAYS.get(usize::from(weekday)).copied().unwrap_or_default();
        let month = MONTHS.get(usize::from(month).saturating_sub(1)).copied().unwrap_or_default();
        write!(f, "{weekday}, {day} {month} {year:04} {hour:02}:{minute:02}:{second:02} +0000")
    }
}

/// One optional deadline per named timer: the whole timer subsystem of a session.
///
/// `N` timers are addressed by index; a session gives its timers names with an enum and `as usize`.
///
/// A timer that is started where no clock value is at hand (a host's command or answer carries none)
/// is *pending*: it runs from the next moment that reaches the session. Until then it reports a
/// deadline that may be early, never late, so a driver that obeys [`TimerTable::next`] wakes the
/// session, which then arms the timer with the true time.
#[derive(Clone, Debug)]
pub struct TimerTable<const N: usize> {
    timers: [Timer; N],
    now: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Timer {
    Off,
    Pending(Duration),
    At(Instant),
}

impl<const N: usize> TimerTable<N> {
    /// All timers off; `now` is the session's first moment.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self { timers: [Timer::Off; N], now }
    }

    /// Tells the table the time and arms pending timers. Call it first in every `handle_*`.
    pub fn observe(&mut self, now: Instant) {
        self.now = self.now.max(now);
        for timer in &mut self.timers {
            if let Timer::Pending(duration) = *timer {
                *timer = Timer::At(self.now + duration);
            }
        }
    }

    /// The latest moment that was observed.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Starts `timer` to expire `duration` after the next observed moment.
    pub fn start(&mut self, timer: usize, duration: Duration) {
        if let Some(slot) = self.timers.get_mut(timer) {
            *slot = Timer::Pending(duration);
        }
    }

    /// Starts `timer` to expire `duration` after the current moment: for use inside `handle_*`, after [`Self::observe`].
    pub fn start_now(&mut self, timer: usize, duration: Duration) {
        let deadline = self.now + duration;
        if let Some(slot) = self.timers.get_mut(timer) {
            *slot = Timer::At(deadline);
        }
    }

    /// Moves the deadline of `timer`, if it is armed, by `duration`: for time that does not count.
    pub fn postpone(&mut self, timer: usize, duration: Duration) {
        if let Some(Timer::At(deadline)) = self.timers.get_mut(timer) {
            *deadline = *deadline + duration;
        }
    }

    /// Switches `timer` off.
    pub fn stop(&mut self, timer: usize) {
        if let Some(slot) = self.timers.get_mut(timer) {
            *slot = Timer::Off;
        }
    }

    /// Switches every timer off.
    pub fn stop_all(&mut self) {
        self.timers = [Timer::Off; N];
    }

    /// Whether `timer` runs.
    #[must_use]
    pub fn is_running(&self, timer: usize) -> bool {
        !matches!(self.timers.get(timer), None | Some(Timer::Off))
    }

    /// The earliest deadline: what a session's `poll_timeout` returns.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.timers
            .iter()
            .filter_map(|timer| match *timer {
                Timer::Off => None,
                Timer::Pending(duration) => Some(self.now + duration),
                Timer::At(deadline) => Some(deadline),
            })
            .min()
    }

    /// Takes one expired timer, lowest index first, and switches it off.
    pub fn expired(&mut self) -> Option<usize> {
        let now = self.now;
        let index =
            self.timers.iter().position(|timer| matches!(*timer, Timer::At(deadline) if deadline <= now))?;
        self.stop(index);
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn an_instant_never_wraps() {
        assert_eq!(Instant::from_millis(u64::MAX) + Duration::from_secs(1), Instant::from_millis(u64::MAX));
        assert_eq!(Instant::ORIGIN - Instant::from_millis(5), Duration::ZERO);
    }

    #[test]
    fn unix_time_prints_the_date_of_rfc_5322() {
        assert_eq!(UnixTime::from_seconds(0).to_string(), "Thu, 1 Jan 1970 00:00:00 +0000");
        assert_eq!(UnixTime::from_seconds(951_827_696).to_string(), "Tue, 29 Feb 2000 12:34:56 +0000");
        assert_eq!(UnixTime::from_seconds(-1).to_string(), "Wed, 31 Dec 1969 23:59:59 +0000");
        assert_eq!(UnixTime::from_seconds(4_107_542_400).to_string(), "Mon, 1 Mar 2100 00:00:00 +0000");
    }

    #[test]
    fn a_pending_timer_runs_from_the_next_observed_moment() {
        let mut timers = TimerTable::<2>::new(Instant::ORIGIN);
        timers.start(1, Duration::from_millis(100));
        assert_eq!(timers.next(), Some(Instant::from_millis(100)));
        timers.observe(Instant::from_millis(5_000));
        assert_eq!(timers.expired(), None);
        assert_eq!(timers.next(), Some(Instant::from_millis(5_100)));
        timers.observe(Instant::from_millis(5_100));
        assert_eq!(timers.expired(), Some(1));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_moment_in_the_past_changes_nothing() {
        let mut timers = TimerTable::<1>::new(Instant::from_millis(50));
        timers.start_now(0, Duration::from_millis(10));
        timers.observe(Instant::from_millis(20));
        assert_eq!(timers.now(), Instant::from_millis(50));
        assert_eq!(timers.next(), Some(Instant::from_millis(60)));
    }
}
