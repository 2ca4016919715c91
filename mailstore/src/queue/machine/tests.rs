//! The machine in virtual time: who is tried when, who is told, and who is never held up.

use alloc::format;
use alloc::string::ToString as _;

use super::*;

mod model;

const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
const DAY: u64 = 24 * 60 * 60;

fn id(message: u64, recipient: u32) -> EntryId {
    EntryId { message: QueueId::new(message), recipient }
}

fn entry(message: u64, destination: &str) -> Entry {
    Entry::new(id(message, 0), destination.to_string(), 1, false, START)
}

fn from(mut entry: Entry, sender: u64) -> Entry {
    entry.sender = sender;
    entry
}

fn machine() -> Machine {
    Machine::new(MachineConfig::default(), 7)
}

fn effects(machine: &mut Machine) -> Vec<Effect> {
    core::iter::from_fn(|| machine.poll_effect()).collect()
}

/// Everything that can start now.
fn start_all(machine: &mut Machine, now: UnixTime) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    loop {
        match machine.poll(now) {
            Some(attempt) => attempts.push(attempt),
            None => {
                effects(machine);
                if machine.deadline(now) != Some(now) {
                    return attempts;
                }
            }
        }
    }
}

fn all(attempt: &Attempt, outcome: Outcome) -> Vec<(u32, Outcome)> {
    attempt.recipients.iter().map(|recipient| (*recipient, outcome)).collect()
}

#[test]
fn five_days_of_a_dead_destination_make_the_attempts_of_the_schedule_and_two_reports() {
    let mut machine = machine();
    machine.load(entry(1, "dead.test"), START);
    let (mut now, mut attempts, mut reports) = (START, Vec::new(), Vec::new());
    while let Some(at) = machine.deadline(now) {
        assert!(at >= now || machine.running() == 0);
        now = now.max(at);
        if let Some(attempt) = machine.poll(now) {
            attempts.push(now.as_seconds() - START.as_seconds());
            machine.finished(attempt.id, Connection::Failed, &[], now);
        }
        for effect in effects(&mut machine) {
            if let Effect::Report { report, .. } = effect {
                reports.push((report, now.as_seconds() - START.as_seconds()));
            }
        }
    }
    let schedule = Schedule::default();
    for (made, pair) in attempts.windows(2).enumerate() {
        let nominal = [450, 900, 1800, 3600, 7200, 14_400][made.min(5)];
        let delay = pair[1] - pair[0];
        assert!((nominal * 9 / 10..=nominal).contains(&delay), "delay {made} is {delay}");
    }
    let last = *attempts.last().unwrap();
    assert!(last >= 5 * 86_400 && attempts[attempts.len() - 2] < 5 * 86_400);
    assert_eq!(reports, [(Report::Delayed, 7200), (Report::Expired, last)]);
    assert_eq!(schedule.lifetime(), 5 * DAY);
    assert!(machine.is_empty() && machine.names.is_empty() && machine.senders.is_empty());
}

#[test]
fn mail_with_the_null_sender_ends_after_two_days_without_a_delay_report() {
    let mut machine = machine();
    let null = Entry { null_sender: true, ..entry(1, "dead.test") };
    machine.load(null, START);
    let (mut now, mut reports) = (START, Vec::new());
    while let Some(at) = machine.deadline(now) {
        now = now.max(at);
        if let Some(attempt) = machine.poll(now) {
            machine.finished(attempt.id, Connection::Worked, &all(&attempt, Outcome::Deferred(None)), now);
        }
        reports.extend(
            effects(&mut machine).into_iter().filter(|effect| matches!(effect, Effect::Report { .. })),
        );
    }
    assert_eq!(reports, [Effect::Report { id: id(1, 0), report: Report::Expired }]);
    let age = now.as_seconds() - START.as_seconds();
    assert!((2 * 86_400..2 * 86_400 + 14_400).contains(&age));
}

#[test]
fn a_thousand_messages_to_a_dead_destination_delay_no_other() {
    let mut machine = machine();
    for message in 0..1000 {
        machine.load(entry(message, "dead.test"), START);
    }
    machine.load(from(entry(2000, "live.test"), 2), START);
    let attempts = start_all(&mut machine, START);
    assert_eq!(attempts.iter().filter(|attempt| &*attempt.destination == "dead.test").count(), 5);
    assert_eq!(attempts.iter().filter(|attempt| &*attempt.destination == "live.test").count(), 1);
    // The dead one holds its connections for five minutes; mail for the live one leaves at once.
    let later = later(START, 300);
    for attempt in attempts {
        let connection =
            if &*attempt.destination == "dead.test" { Connection::Failed } else { Connection::Worked };
        machine.finished(attempt.id, connection, &[], later);
    }
    machine.load(from(entry(2001, "live.test"), 2), later);
    let attempts = start_all(&mut machine, later);
    assert_eq!(attempts.len(), 1, "the dead one is left alone: {attempts:?}");
    assert_eq!(attempts[0].message, QueueId::new(2001));
    // All the others count as tried.
    assert!(machine.slots_in(State::Due).is_empty());
}

#[test]
fn a_dead_destination_is_probed_by_one_attempt_and_then_opens_again() {
    let mut machine = machine();
    for message in 0..30 {
        machine.load(entry(message, "dead.test"), START);
    }
    for attempt in start_all(&mut machine, START) {
        machine.finished(attempt.id, Connection::Failed, &[], START);
    }
    let mut now = START;
    for _ in 0..3 {
        assert!(start_all(&mut machine, now).is_empty());
        // Everything is due long before: one is tried.
        now = later(now, 40_000);
        let probe = start_all(&mut machine, now);
        assert_eq!(probe.len(), 1);
        machine.finished(probe[0].id, Connection::Failed, &[], now);
    }
    assert!(start_all(&mut machine, now).is_empty());
    now = later(now, 40_000);
    let probe = start_all(&mut machine, now);
    assert_eq!(probe.len(), 1);
    machine.finished(probe[0].id, Connection::Worked, &all(&probe[0], Outcome::Delivered), now);
    assert_eq!(start_all(&mut machine, now).len(), 5);
}

#[test]
fn a_window_grows_with_success_to_its_maximum() {
    let mut machine = machine();
    for message in 0..2000 {
        machine.load(from(entry(message, "live.test"), message), START);
    }
    let mut widest = 0;
    for _ in 0..40 {
        let attempts = start_all(&mut machine, START);
        widest = widest.max(attempts.len());
        for attempt in attempts {
            machine.finished(attempt.id, Connection::Worked, &all(&attempt, Outcome::Delivered), START);
        }
    }
    assert_eq!(widest, 20);
}

#[test]
fn one_sender_has_a_quarter_of_the_connections_and_others_the_rest() {
    let mut machine = machine();
    for message in 0..1000 {
        machine.load(entry(message, &format!("d{message}.test")), START);
    }
    for message in 1000..1200 {
        machine.load(from(entry(message, &format!("e{message}.test")), message), START);
    }
    let attempts = start_all(&mut machine, START);
    assert_eq!(attempts.len(), 100);
    assert_eq!(attempts.iter().filter(|attempt| attempt.message < QueueId::new(1000)).count(), 25);
    // The quarter is used again and again until all is sent.
    let mut running = attempts;
    let mut sent = 0;
    while let Some(attempt) = running.pop() {
        sent += 1;
        machine.finished(attempt.id, Connection::Worked, &all(&attempt, Outcome::Delivered), START);
        running.extend(start_all(&mut machine, START));
        assert!(running.iter().filter(|attempt| attempt.message < QueueId::new(1000)).count() <= 25);
    }
    assert_eq!(sent, 1200);
    assert!(machine.is_empty() && machine.names.is_empty() && machine.senders.is_empty());
}

#[test]
fn a_sender_whose_parked_mail_is_for_dead_destinations_is_never_stuck() {
    let mut config = MachineConfig::default();
    config.connections = 4;
    let mut machine = Machine::new(config, 7);
    for message in 0..400 {
        machine.load(entry(message, &format!("d{}.test", message % 40)), START);
    }
    let (mut now, mut left) = (START, 400);
    while let Some(at) = machine.deadline(now) {
        now = now.max(at);
        let Some(attempt) = machine.poll(now) else {
            effects(&mut machine);
            continue;
        };
        // Even destinations never answer.
        if attempt.message.get() % 2 == 0 {
            machine.finished(attempt.id, Connection::Failed, &[], now);
        } else {
            left -= 1;
            machine.finished(attempt.id, Connection::Worked, &all(&attempt, Outcome::Delivered), now);
        }
    }
    assert_eq!(left, 200);
    assert!(machine.is_empty() && machine.names.is_empty() && machine.lane_of.is_empty());
}

#[test]
fn recipients_of_a_message_and_a_destination_go_together_up_to_a_hundred() {
    let mut machine = machine();
    for recipient in 0..250 {
        let there = Entry { id: id(1, recipient), ..entry(1, "live.test") };
        machine.load(there, START);
    }
    machine.load(Entry { id: id(1, 250), ..entry(1, "other.test") }, START);
    machine.load(entry(2, "live.test"), START);
    let mut sizes: Vec<(u64, usize)> = start_all(&mut machine, START)
        .iter()
        .map(|attempt| (attempt.message.get(), attempt.recipients.len()))
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [(1, 1), (1, 50), (1, 100), (1, 100), (2, 1)]);
}

#[test]
fn only_those_who_were_put_off_are_tried_again_and_together() {
    let mut machine = machine();
    for recipient in 0..4 {
        machine.load(Entry { id: id(1, recipient), ..entry(1, "live.test") }, START);
    }
    let attempt = machine.poll(START).unwrap();
    let persisted = effects(&mut machine);
    assert_eq!(persisted.len(), 4, "the next attempt of each is stored before it starts");
    assert!(persisted.iter().all(|effect| matches!(
        effect,
        Effect::Persist { due, attempts: 1, notified: false, .. } if *due > START
    )));
    assert!(machine.started(attempt.id));
    let hour = later(START, 3600);
    machine.decided(attempt.id, &[(0, Outcome::Delivered)], START);
    assert_eq!(effects(&mut machine), [Effect::Remove { id: id(1, 0) }]);
    let outcomes = [(1, Outcome::Failed), (2, Outcome::Deferred(Some(hour))), (9, Outcome::Failed)];
    machine.finished(attempt.id, Connection::Worked, &outcomes, START);
    let ended = effects(&mut machine);
    assert_eq!(
        ended[..2],
        [Effect::Report { id: id(1, 1), report: Report::Failed }, Effect::Remove { id: id(1, 1) },]
    );
    assert_eq!(
        ended[2],
        Effect::Persist { id: id(1, 2), due: hour, attempts: 1, notified: false },
        "not before the time that the route named"
    );
    assert_eq!(ended[3].id(), id(1, 3), "whoever was not named is tried again");
    assert_eq!(ended.len(), 4);
    assert_eq!(machine.poll(later(START, 450)).unwrap().recipients, [3]);
    assert_eq!(machine.poll(hour).unwrap().recipients, [2]);
}

#[test]
fn a_time_far_away_is_brought_near() {
    let mut machine = machine();
    let year = later(START, 365 * DAY);
    // The null sender is not told of delays, which would come before.
    machine.load(Entry { due: year, null_sender: true, ..entry(1, "live.test") }, START);
    assert_eq!(machine.deadline(START), Some(later(START, 14_400)), "the clock was set back");
    let attempt = machine.poll(later(START, 14_400)).unwrap();
    machine.finished(attempt.id, Connection::Worked, &[(0, Outcome::Deferred(Some(year)))], START);
    effects(&mut machine);
    assert_eq!(machine.deadline(START), Some(later(START, 14_400)), "the route named it");
}

#[test]
fn a_clock_that_jumps_a_year_forth_loses_nothing_and_floods_nobody() {
    let mut machine = machine();
    for message in 0..100 {
        machine.load(entry(message, "live.test"), START);
    }
    let year = later(START, 365 * DAY);
    let attempts = start_all(&mut machine, year);
    assert_eq!(attempts.len(), 5, "the window holds");
    for attempt in attempts {
        machine.finished(attempt.id, Connection::Worked, &[], year);
    }
    assert_eq!(machine.len(), 100, "one attempt is not enough to give up");
}

#[test]
fn retry_makes_due_now_and_wakes_the_dead() {
    let mut machine = machine();
    for message in 0..10 {
        machine.load(entry(message, "dead.test"), START);
    }
    let running = start_all(&mut machine, START);
    assert!(!machine.retry(EntryId { message: running[0].message, recipient: 0 }, START), "it runs");
    for attempt in running {
        machine.finished(attempt.id, Connection::Failed, &[], START);
    }
    assert!(start_all(&mut machine, START).is_empty());
    assert!(machine.retry(id(3, 0), START) && machine.retry(id(4, 0), START));
    let attempts = start_all(&mut machine, START);
    assert_eq!(attempts.len(), 1, "a probe");
    assert!(!machine.retry(id(99, 0), START));
}

#[test]
fn what_was_removed_has_no_effect_any_more() {
    let mut machine = machine();
    machine.load(entry(1, "a.test"), START);
    machine.load(entry(2, "b.test"), START);
    machine.load(Entry { due: later(START, 60), ..entry(3, "c.test") }, START);
    let first = machine.poll(START).unwrap();
    effects(&mut machine);
    for message in 1..=3 {
        machine.remove(id(message, 0));
    }
    assert!(machine.is_empty());
    machine.finished(first.id, Connection::Worked, &[(0, Outcome::Failed)], START);
    assert_eq!(effects(&mut machine), []);
    assert!(start_all(&mut machine, later(START, 3600)).is_empty());
    assert!(machine.names.is_empty() && machine.lane_of.is_empty() && machine.senders.is_empty());
    assert_eq!(machine.deadline(START), None);
}

#[test]
fn an_entry_that_is_loaded_twice_is_one() {
    let mut machine = machine();
    machine.load(entry(1, "a.test"), START);
    machine.load(entry(1, "b.test"), START);
    assert_eq!(start_all(&mut machine, START).len(), 1);
    machine.load(entry(1, "a.test"), START);
    assert_eq!((machine.len(), start_all(&mut machine, later(START, DAY)).len()), (1, 0));
}

#[test]
fn an_attempt_that_was_not_made_says_nothing_of_its_destination() {
    let mut machine = machine();
    machine.load(entry(1, "a.test"), START);
    let (mut now, mut made) = (START, 0);
    while made < 20 {
        now = now.max(machine.deadline(now).unwrap());
        if let Some(attempt) = machine.poll(now) {
            made += 1;
            machine.finished(attempt.id, Connection::Untried, &[], now);
        }
        effects(&mut machine);
    }
    assert!(machine.quiet.is_empty());
    machine.finished(AttemptId(999), Connection::Failed, &[], now);
}

impl Machine {
    fn slots_in(&self, state: State) -> Vec<EntryId> {
        let found = |slot: &u32| self.slots.get(*slot).is_some_and(|slot| slot.state == state);
        self.ids.iter().filter(|(_, slot)| found(slot)).map(|(id, _)| *id).collect()
    }
}

#[test]
fn names_are_as_expected() {
    assert_eq!(id(255, 3).to_string(), "00000000000000ff.3");
    assert_eq!("00000000000000ff".parse(), Ok(QueueId::new(255)));
    for text in ["", "ff", "00000000000000fg", "+0000000000000ff", "00000000000000ff0"] {
        assert!(text.parse::<QueueId>().is_err(), "{text}");
    }
}
