//! Schedules: their text, published sequences, and what holds for all of them.

use alloc::vec;

use proptest::prelude::*;

use super::*;

const START: UnixTime = UnixTime::from_seconds(1_800_000_000);

fn schedule(text: &str) -> Schedule {
    text.parse().unwrap()
}

/// Seconds from the start at which attempts are made, until it is given up or `most` were made.
fn attempts(schedule: &Schedule, most: usize) -> (Vec<i64>, bool) {
    let mut now = START;
    let mut made = vec![0];
    for count in 1.. {
        let at = match schedule.next(START, count, now, 0) {
            Next::At(at) | Next::Delayed { at, .. } => at,
            Next::GiveUp => return (made, true),
        };
        if made.len() == most {
            break;
        }
        now = at;
        made.push(now.as_seconds() - START.as_seconds());
    }
    (made, false)
}

#[test]
fn the_default_doubles_up_to_four_hours_and_ends_after_five_days() {
    let (made, given_up) = attempts(&Schedule::default(), 1000);
    assert!(given_up);
    assert_eq!(made[..7], [0, 450, 1350, 3150, 6750, 13_950, 28_350]);
    assert!(made[7..].windows(2).all(|pair| pair[1] - pair[0] == 14_400));
    let last = *made.last().unwrap();
    assert!((432_000..432_000 + 14_400).contains(&last), "the first attempt after five days is the last");
    assert_eq!(Schedule::default(), schedule("7m30s,15m,30m,1h,2h,4h*"));
}

#[test]
fn published_schedules_can_be_written() {
    // 7.5 minutes × 2^n, eight attempts.
    let doubling = schedule("7m30s,15m,30m,1h,2h,4h,8h").with_lifetime(DAY * 30);
    assert_eq!(attempts(&doubling, 100), (vec![0, 450, 1350, 3150, 6750, 13_950, 28_350, 57_150], true));
    // 20 minutes × 2^n.
    let long = schedule("20m,40m,1h20m,2h40m,5h20m*");
    assert_eq!(attempts(&long, 6).0, [0, 1200, 3600, 8400, 18_000, 37_200]);
    // t0 + 400 n² seconds.
    let squares: Vec<String> = (1..=10_u64).map(|n| alloc::format!("{}s", 400 * (2 * n - 1))).collect();
    let expected: Vec<i64> = (0..=10).map(|n| 400 * n * n).collect();
    assert_eq!(attempts(&schedule(&squares.join(",")), 100).0, expected);
    // 15 minutes × 1.25^n, in seconds.
    let growing = schedule("15m,1125s,1406s,1758s,2197s,2747s");
    assert_eq!(attempts(&growing, 100).0, [0, 900, 2025, 3431, 5189, 7386, 10_133]);
}

#[test]
fn text_is_read_and_written() {
    for (text, written) in [
        ("7m30s,15m,30m,1h,2h,4h*", "7m30s,15m,30m,1h,2h,4h*"),
        ("90s", "1m30s"),
        ("24h*", "1d*"),
        ("1d2h3m4s", "1d2h3m4s"),
        ("5m,5m", "5m,5m"),
        ("365d", "365d"),
    ] {
        assert_eq!(schedule(text).to_string(), written, "{text}");
        assert_eq!(schedule(written), schedule(text));
    }
    let bad = |text: &str| text.parse::<Schedule>().unwrap_err();
    for text in [
        "",
        "*",
        ",",
        "5",
        "m",
        "5m,",
        ",5m",
        "5m 10m",
        "-5m",
        "+5m",
        "5m5m",
        "30s7m",
        "0s",
        "366d",
        "5w",
        "5m,,6m",
        "18446744073709551616s",
        "18446744073709551615d",
        "é",
    ] {
        assert!(matches!(bad(text), ScheduleError::Delay(_)), "{text:?}");
    }
    assert_eq!(bad("5m,90s"), ScheduleError::Descending("90s".into()));
    assert_eq!(bad("5m*,10m"), ScheduleError::Repeat);
    assert_eq!(bad("5m**"), ScheduleError::Repeat);
    assert_eq!(bad(&["5m"; 101].join(",")), ScheduleError::TooMany);
    assert_eq!(schedule(&["5m"; 100].join(",")).delays.len(), 100);
}

#[test]
fn the_sender_is_told_between_the_attempts_round_two_hours() {
    let schedule = Schedule::default();
    let at = |attempts, seconds| schedule.next(START, attempts, later(START, seconds), 0);
    assert_eq!(at(4, 3150), Next::At(later(START, 6750)));
    assert_eq!(
        at(5, 6750),
        Next::Delayed { at: later(START, 13_950), notify: later(START, 7200) },
        "between two attempts"
    );
    assert_eq!(
        at(6, 13_950),
        Next::Delayed { at: later(START, 28_350), notify: later(START, 13_950) },
        "at once, if it was not done"
    );
    assert_eq!(
        schedule.clone().with_notice(None).next(START, 6, later(START, 13_950), 0),
        Next::At(later(START, 28_350))
    );
}

#[test]
fn age_alone_ends_nothing() {
    let schedule = Schedule::default();
    let year_later = later(START, 365 * DAY);
    for attempts in 0..3 {
        assert_ne!(schedule.next(START, attempts, year_later, 0), Next::GiveUp, "{attempts}");
    }
    assert_eq!(schedule.next(START, 3, year_later, 0), Next::GiveUp);
    // A clock that was set back: tried on, by the same delays.
    assert_eq!(schedule.next(year_later, 100, START, 0), Next::At(later(START, 4 * HOUR)));
}

#[test]
fn jitter_is_a_tenth_at_most_and_makes_it_earlier() {
    let schedule = Schedule::default();
    let earliest = schedule.next(START, 1, START, u16::MAX);
    assert_eq!(earliest, Next::At(later(START, 450 - 44)));
}

fn time() -> impl Strategy<Value = UnixTime> {
    prop_oneof![any::<i64>(), 0..10_000_000_000_i64].prop_map(UnixTime::from_seconds)
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    (
        prop::collection::vec(1..100_000_u64, 1..10),
        any::<bool>(),
        0..2_000_000_u64,
        prop::option::of(0..100_000_u64),
    )
        .prop_map(|(mut delays, repeats, lifetime, notice)| {
            delays.sort_unstable();
            Schedule { delays, repeats, lifetime, notice }
        })
}

/// When, with giving up as the end of time.
fn when(next: Next) -> i128 {
    match next {
        Next::At(at) | Next::Delayed { at, .. } => i128::from(at.as_seconds()),
        Next::GiveUp => i128::MAX,
    }
}

proptest! {
    #[test]
    fn the_text_of_a_schedule_is_the_schedule(schedule in any_schedule()) {
        let read: Schedule = schedule.to_string().parse().unwrap();
        prop_assert_eq!((read.delays, read.repeats), (schedule.delays, schedule.repeats));
    }

    #[test]
    fn more_attempts_and_a_later_clock_never_come_earlier(
        schedule in any_schedule(), created in time(), attempts in 0..20_u32, more in 0..20_u32,
        now in time(), seconds in 0..10_000_000_u64, jitter in any::<u16>(),
    ) {
        let one = when(schedule.next(created, attempts, now, jitter));
        prop_assert!(one <= when(schedule.next(created, attempts + more, now, jitter)));
        prop_assert!(one <= when(schedule.next(created, attempts, later(now, seconds), jitter)));
        prop_assert!(one <= when(schedule.next(created, attempts + more, later(now, seconds), jitter)));
    }

    #[test]
    fn the_next_attempt_is_neither_past_nor_further_than_the_longest_delay(
        schedule in any_schedule(), created in time(), attempts in any::<u32>(), now in time(), jitter in any::<u16>(),
    ) {
        let next = schedule.next(created, attempts, now, jitter);
        if let Next::At(at) | Next::Delayed { at, .. } = next {
            prop_assert!(now <= at && at <= later(now, schedule.longest()));
            if let Next::Delayed { notify, .. } = next {
                prop_assert!(now <= notify && notify <= at);
            }
        }
    }
}
