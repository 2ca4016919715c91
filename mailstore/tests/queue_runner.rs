//! The queue at work, from the acceptance of a message to the last report about it.

#![cfg(feature = "queue")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod queued;

use mailwright_core::value::UnixTime;
use mailwright_smtp::dsn::Action;
use mailwright_smtp::types::{EnhancedCode, Notify, Return};
use mailwright_store::engine::{Memory, block_on};
use mailwright_store::queue::{
    Attempted, Deletion, QueueEvent, Recipient, Routing, Runner, Said, Target, Work,
};
use mailwright_store::{AccountId, Store};
use queued::{
    DAY, MESSAGE, START, accept, accepted, address, after, content, envelope, inbox, later, open, queued,
    refused, remote, reports, rows, run, said, start, to, unreachable,
};

const ALICE: &str = "alice@example.org";

fn world() -> (Store<Memory>, AccountId) {
    open(Memory::new())
}

fn asking(text: &str, notify: Notify) -> Recipient {
    let mut recipient = to(text);
    recipient.notify = Some(notify);
    recipient
}

fn blobs(store: &Store<Memory>) -> usize {
    while block_on(store.maintain(after(START, 100 * DAY), 1000)).unwrap() > 0 {}
    store.engine().blob_count()
}

fn lost(events: &[QueueEvent]) -> usize {
    events.iter().filter(|event| matches!(event, QueueEvent::Lost { .. })).count()
}

#[test]
fn a_message_is_delivered_once_with_its_trace_and_leaves_nothing() {
    let (store, alice) = world();
    let mut runner = start(&store, START);
    accept(
        &store,
        envelope(ALICE),
        [to("bob@else.test"), to("carol@else.test"), to("dave@Other.TEST")],
        START,
    )
    .unwrap();
    assert_eq!(block_on(store.maintain(START, 100)).unwrap(), 0);
    let mut seen = Vec::new();
    let log = run(&mut runner, START, START, |job| {
        seen.push((content(job), job.envelope.sender.to_string()));
        said(job.recipients.iter().map(|_| accepted()).collect())
    });
    let mut attempts = log.attempts;
    attempts.sort();
    assert_eq!(
        attempts,
        [
            (0, "else.test".into(), vec!["bob@else.test".into(), "carol@else.test".into()]),
            (0, "other.test".into(), vec!["dave@Other.TEST".into()]),
        ]
    );
    assert!(seen.iter().all(|(text, sender)| {
        *text == format!("Received: by mx.example.org\r\n{MESSAGE}") && sender == "<alice@example.org>"
    }));
    assert!(runner.is_empty() && queued(&store).is_empty() && inbox(&store, alice).is_empty());
    assert_eq!(blobs(&store), 0);
}

#[test]
fn five_days_of_a_destination_that_does_not_answer_give_two_reports() {
    let (store, alice) = world();
    let mut runner = start(&store, START);
    accept(&store, envelope(ALICE), [to("bob@dead.test")], START).unwrap();
    let log = run(&mut runner, START, after(START, 30 * DAY), |_| unreachable());
    let times: Vec<i64> = log.attempts.iter().map(|attempt| attempt.0).collect();
    let delays: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (made, delay) in delays.iter().enumerate() {
        let nominal = [450, 900, 1800, 3600, 7200, 14_400][made.min(5)];
        assert!((nominal * 9 / 10..=nominal).contains(delay), "delay {made} is {delay}");
    }
    assert!(times[times.len() - 1] >= 432_000 && times[times.len() - 2] < 432_000);
    let reports = reports(&store, alice);
    let bob = |action, status: &str| [("bob@dead.test".to_owned(), (action, status.to_owned()))].into();
    assert_eq!(reports.len(), 2);
    assert_eq!(rows(&reports[0]), bob(Action::Delayed, "4.4.1"));
    let until = reports[0].recipients()[0].will_retry_until().unwrap();
    assert_eq!(until, after(START, 5 * DAY));
    assert_eq!(rows(&reports[1]), bob(Action::Failed, "4.4.7"));
    assert_eq!(reports[1].arrival, Some(START));
    assert!(runner.is_empty() && queued(&store).is_empty());
    assert_eq!(blobs(&store), 2, "the reports");
    assert_eq!(lost(&log.events), 0);
}

#[test]
fn a_thousand_failures_are_one_report() {
    for (count, answer) in [(1000, said(vec![refused(); 100])), (300, unreachable())] {
        let (store, alice) = world();
        let mut runner = start(&store, START);
        let recipients = (0..count).map(|number| to(&format!("u{number}@else.test")));
        accept(&store, envelope(ALICE), recipients, START).unwrap();
        run(&mut runner, START, after(START, 10 * DAY), |_| answer.clone());
        let told: Vec<_> = reports(&store, alice)
            .iter()
            .map(|report| (report.action(), report.recipients().len()))
            .collect();
        match answer {
            Attempted::Answered { .. } => assert_eq!(told, [(Action::Failed, count)]),
            _ => assert_eq!(told, [(Action::Delayed, count), (Action::Failed, count)]),
        }
        assert!(runner.is_empty() && queued(&store).is_empty());
        assert_eq!(blobs(&store), told.len());
    }
}

#[test]
fn a_report_does_not_wait_for_long_for_others() {
    let (store, alice) = world();
    let mut runner = start(&store, START);
    accept(&store, envelope(ALICE), [to("a@else.test"), to("b@slow.test")], START).unwrap();
    let (mut now, mut slow) = (START, None);
    loop {
        match block_on(runner.poll(now)) {
            Work::Route(question) => runner.routed(question.attempt, Routing::Found(()), now),
            Work::Deliver(job) if &*job.destination == "slow.test" => slow = Some(job.attempt),
            Work::Deliver(job) => runner.finished(job.attempt, said(vec![refused()]), now),
            Work::Wait(Some(at)) if at < after(START, 3600) => now = at,
            Work::Wait(_) => break,
            _ => {}
        }
        assert!(reports(&store, alice).is_empty() || now >= after(START, 300));
    }
    assert_eq!(reports(&store, alice).len(), 1);
    runner.finished(slow.unwrap(), said(vec![refused()]), now);
    run(&mut runner, now, now, |_| unreachable());
    assert_eq!(reports(&store, alice).len(), 2);
}

#[test]
fn a_report_says_what_the_server_said() {
    let (store, alice) = world();
    let mut runner = start(&store, START);
    let recipients = (0..100).map(|number| to(&format!("u{number}@else.test")));
    accept(&store, envelope(ALICE), recipients, START).unwrap();
    run(&mut runner, START, START, |job| {
        let half = |index| if index % 2 == 0 { refused() } else { accepted() };
        said((0..job.recipients.len()).map(half).collect())
    });
    let reports = reports(&store, alice);
    assert_eq!(reports.len(), 1);
    let row = &reports[0].recipients()[0];
    assert_eq!(reports[0].recipients().len(), 50);
    assert_eq!(row.remote_mta(), remote().as_ref());
    assert_eq!(row.diagnostic().unwrap().text(), "550 5.1.1 No such user");
    assert_eq!(row.status, EnhancedCode::new(5, 1, 1).unwrap());
}

#[test]
fn mail_with_the_null_sender_is_never_reported_and_its_loss_is_told_to_the_host() {
    let (store, alice) = world();
    let mut runner = start(&store, START);
    let all = Notify::SUCCESS.and(Notify::FAILURE).and(Notify::DELAY);
    accept(&store, envelope(""), [asking("a@else.test", all), asking("b@dead.test", all)], START).unwrap();
    let log = run(&mut runner, START, after(START, 30 * DAY), |job| {
        if &*job.destination == "dead.test" { unreachable() } else { said(vec![refused()]) }
    });
    assert_eq!(lost(&log.events), 2);
    assert!(log.attempts.iter().all(|attempt| attempt.0 < 3 * 86_400), "two days, not five");
    assert!(inbox(&store, alice).is_empty() && runner.is_empty());
    assert_eq!(blobs(&store), 0);
}

#[test]
fn what_the_sender_asked_for_is_what_it_is_told() {
    type Answer = fn(usize) -> Attempted;
    let taken: Answer = |_| said(vec![accepted()]);
    let taken_dsn: Answer = |_| Attempted::Answered { remote: remote(), dsn: true, said: vec![accepted()] };
    let late: Answer = |attempt| said(vec![if attempt < 8 { later() } else { accepted() }]);
    let never: Answer = |_| said(vec![refused()]);
    let cases: [(Option<Notify>, [&[Action]; 4]); 6] = [
        (None, [&[], &[], &[Action::Delayed], &[Action::Failed]]),
        (Some(Notify::NEVER), [&[], &[], &[], &[]]),
        (Some(Notify::SUCCESS), [&[Action::Relayed], &[], &[Action::Relayed], &[]]),
        (Some(Notify::FAILURE), [&[], &[], &[], &[Action::Failed]]),
        (Some(Notify::DELAY), [&[], &[], &[Action::Delayed], &[]]),
        (
            Some(Notify::SUCCESS.and(Notify::DELAY)),
            [&[Action::Relayed], &[], &[Action::Delayed, Action::Relayed], &[]],
        ),
    ];
    for (notify, expected) in cases {
        for (answer, expected) in [taken, taken_dsn, late, never].into_iter().zip(expected) {
            let (store, alice) = world();
            let mut runner = start(&store, START);
            let mut recipient = to("bob@else.test");
            recipient.notify = notify;
            recipient.original = Some("rfc822;Bobby@else.test".parse().unwrap());
            let mut envelope = envelope(ALICE);
            envelope.envelope_id = Some("abc+3D1".parse().unwrap());
            accept(&store, envelope, [recipient], START).unwrap();
            let mut attempt = 0;
            let log = run(&mut runner, START, after(START, 10 * DAY), |_| {
                attempt += 1;
                answer(attempt)
            });
            let reports = reports(&store, alice);
            let actions: Vec<Action> = reports.iter().map(mailwright_smtp::dsn::Report::action).collect();
            assert_eq!(actions, expected, "{notify:?}");
            for report in &reports {
                assert_eq!(report.envelope_id.as_ref().unwrap().as_str(), "abc+3D1");
                let original = report.recipients()[0].original.as_ref().unwrap();
                assert_eq!(original.as_str(), "Bobby@else.test");
            }
            let failed = log.events.iter().any(|event| matches!(event, QueueEvent::Failed { .. }));
            assert_eq!(lost(&log.events) == 1, failed && expected.is_empty(), "{notify:?}");
        }
    }
}

#[test]
fn the_whole_message_comes_back_only_if_that_was_asked_for() {
    for (ret, whole) in [(None, false), (Some(Return::Headers), false), (Some(Return::Full), true)] {
        let (store, alice) = world();
        let mut runner = start(&store, START);
        let mut envelope = envelope(ALICE);
        envelope.ret = ret;
        accept(&store, envelope, [to("bob@else.test")], START).unwrap();
        run(&mut runner, START, START, |_| said(vec![refused()]));
        let text = inbox(&store, alice).remove(0);
        assert!(text.starts_with("Return-Path: <>\r\nDelivered-To: alice@example.org\r\n"));
        assert!(
            text.contains("Received: by mx.example.org\r\nFrom: alice@example.org\r\nSubject: hello\r\n")
        );
        assert_eq!(text.contains("\r\nHello.\r\n"), whole, "{ret:?}");
    }
}

#[test]
fn a_report_to_a_sender_elsewhere_is_queued_with_the_null_sender_and_its_loss_ends_there() {
    let (store, _) = world();
    let mut runner = start(&store, START);
    let mut envelope = envelope("sender@else.test");
    envelope.require_tls = true;
    accept(&store, envelope, [to("gone@other.test")], START).unwrap();
    let mut report = None;
    let log = run(&mut runner, START, after(START, DAY), |job| {
        if &*job.destination == "else.test" {
            report = Some((job.envelope.clone(), content(job), job.recipients.clone()));
        }
        said(vec![refused()])
    });
    let (envelope, text, recipients) = report.unwrap();
    assert!(envelope.sender.mailbox().is_none());
    assert!(envelope.require_tls, "what comes of a message is as secret as it");
    assert_eq!(recipients[0].address, address("sender@else.test"));
    assert_eq!(recipients[0].notify, Some(Notify::NEVER));
    assert!(text.contains("report-type=delivery-status"));
    assert_eq!(log.attempts.len(), 2);
    assert_eq!(lost(&log.events), 1, "the report");
    assert!(runner.is_empty());
    assert_eq!(blobs(&store), 0);
}

#[test]
fn routes_that_fail_are_told_apart() {
    let (store, alice) = world();
    let mut runner = start(&store, START);
    accept(&store, envelope(ALICE), [to("a@nowhere.test"), to("b@null.test"), to("c@slow.test")], START)
        .unwrap();
    let hour = after(START, 3600);
    let (mut asked, mut now) = (Vec::new(), START);
    loop {
        match block_on(runner.poll(now)) {
            Work::Route(question) => {
                asked.push((question.destination.to_string(), now.as_seconds() - START.as_seconds()));
                let permanent = |detail| Routing::Permanent {
                    status: EnhancedCode::new(5, 1, detail).unwrap(),
                    reason: "no".into(),
                };
                let routing = match &*question.destination {
                    "nowhere.test" => permanent(2),
                    "null.test" => permanent(10),
                    _ if now < hour => Routing::Temporary {
                        not_before: Some(hour),
                        status: EnhancedCode::new(4, 4, 3).unwrap(),
                        reason: "no answer".into(),
                    },
                    _ => Routing::Found(()),
                };
                runner.routed(question.attempt, routing, now);
            }
            Work::Deliver(job) => runner.finished(job.attempt, said(vec![accepted()]), now),
            Work::Wait(Some(at)) => now = now.max(at),
            Work::Wait(None) => break,
            _ => {}
        }
    }
    asked.sort();
    let asked: Vec<_> = asked.iter().map(|(name, at)| (name.as_str(), *at)).collect();
    assert_eq!(asked, [("nowhere.test", 0), ("null.test", 0), ("slow.test", 0), ("slow.test", 3600)]);
    let mut statuses: Vec<_> =
        reports(&store, alice).iter().flat_map(|report| rows(report).into_values()).collect();
    statuses.sort();
    assert_eq!(statuses, [(Action::Failed, "5.1.10".into()), (Action::Failed, "5.1.2".into())]);
}

#[test]
fn ends_of_an_attempt_have_the_status_of_their_kind() {
    let status = |subject, detail| EnhancedCode::new(5, subject, detail).unwrap();
    for (attempted, code) in [
        (Attempted::Impossible { status: status(7, 30), reason: "no REQUIRETLS".into() }, Some("5.7.30")),
        (said(vec![Said::Impossible { status: status(6, 7), reason: "no SMTPUTF8".into() }]), Some("5.6.7")),
        (said(vec![Said::Permanent(reply_without_status())]), Some("5.0.0")),
        (Attempted::TlsFailed { remote: remote(), reason: "expired".into() }, None),
        (said(vec![Said::Unanswered]), None),
        (said(vec![]), None),
        (Attempted::Untried, None),
    ] {
        let (store, alice) = world();
        let mut runner = start(&store, START);
        accept(&store, envelope(ALICE), [to("a@else.test")], START).unwrap();
        run(&mut runner, START, START, |_| attempted.clone());
        let reports = reports(&store, alice);
        assert_eq!(
            reports.first().map(|report| report.recipients()[0].status.to_string()),
            code.map(String::from),
            "{attempted:?}"
        );
        assert_eq!(queued(&store).len(), usize::from(code.is_none()));
        if code.is_none() {
            let waits = &queued(&store)[0].recipients[0];
            assert_eq!(waits.attempts, u32::from(attempted != Attempted::Untried));
            assert!(waits.due > START);
        }
    }
}

fn reply_without_status() -> mailwright_smtp::types::Reply {
    queued::reply(550, (5, 1, 1), "No").without_enhanced()
}

#[test]
fn the_next_attempt_is_stored_before_one_starts() {
    let (store, _) = world();
    let mut runner = start(&store, START);
    accept(&store, envelope(ALICE), [to("a@else.test")], START).unwrap();
    run(&mut runner, START, START, |_| {
        let waits = &queued(&store)[0].recipients[0];
        assert_eq!((waits.attempts, waits.due > START), (1, true));
        said(vec![accepted()])
    });
    assert!(queued(&store).is_empty());
}

#[test]
fn a_report_that_finds_no_room_waits_for_it() {
    let (store, alice) = world();
    block_on(store.set_quota(alice, Some(10), None)).unwrap();
    let mut runner = start(&store, START);
    accept(&store, envelope(ALICE), [to("a@else.test")], START).unwrap();
    run(&mut runner, START, after(START, 100), |_| said(vec![refused()]));
    assert!(inbox(&store, alice).is_empty());
    let waits = queued(&store);
    assert_eq!(waits[0].recipients[0].recipient.target, Target::Account(alice));
    assert_eq!(waits[0].recipients[0].failure.as_ref().unwrap().status.to_string(), "4.2.2");
    block_on(store.set_quota(alice, None, None)).unwrap();
    run(&mut runner, after(START, 100), after(START, DAY), |_| unreachable());
    assert_eq!(reports(&store, alice).len(), 1);
    assert!(queued(&store).is_empty());
}

#[test]
fn the_word_of_an_operator_outlives_an_attempt_that_fails_meanwhile() {
    let engine = Memory::new();
    let (store, alice) = open(engine.clone());
    let mut runner = start(&store, START);
    accept(&store, envelope(ALICE), [to("a@dead.test")], START).unwrap();
    // What another store does to the content, the runner does not hear of.
    let (other, _) = open(engine);
    let mut told = Deletion::new("Not wanted here");
    told.report = true;
    run(&mut runner, START, START, |job| {
        assert_eq!(block_on(other.queue().delete(job.message, None, &told, START)).unwrap(), 1);
        unreachable()
    });
    let failure = queued(&store)[0].recipients[0].failure.clone().unwrap();
    assert_eq!(failure.reason.as_str(), "Not wanted here");
    drop(runner);
    let mut runner = start(&store, START);
    run(&mut runner, START, after(START, DAY), |_| unreachable());
    let reports = reports(&store, alice);
    assert_eq!(rows(&reports[0])["a@dead.test"].0, Action::Failed);
    assert!(queued(&store).is_empty());
}

#[test]
fn an_operator_sees_retries_and_deletes() {
    let (store, alice) = world();
    let mut runner = start(&store, START);
    accept(&store, envelope(ALICE), [to("a@dead.test"), to("b@dead.test")], START).unwrap();
    accept(&store, envelope(ALICE), [to("c@dead.test")], after(START, 1)).unwrap();
    run(&mut runner, after(START, 2), after(START, 2), |_| unreachable());
    let list = queued(&store);
    assert_eq!(list.len(), 2);
    assert_eq!(list[0].recipients.len(), 2);
    assert_eq!(list[0].size, 29 + MESSAGE.len() as u64);
    let failure = list[0].recipients[1].failure.as_ref().unwrap();
    assert_eq!(
        (failure.status.to_string().as_str(), failure.reason.as_str()),
        ("4.4.1", "No connection: connection refused")
    );
    let queue = store.queue();
    assert_eq!(block_on(queue.show(list[1].id)).unwrap().as_ref(), Some(&list[1]));
    let message = block_on(queue.message(list[0].id)).unwrap().unwrap();
    assert_eq!(block_on(message.read(29..36)).unwrap(), "From: a");

    // Due now.
    assert_eq!(block_on(queue.retry(list[0].id, Some(1), after(START, 3))).unwrap(), 1);
    let log = run(&mut runner, after(START, 3), after(START, 3), |_| unreachable());
    assert_eq!(log.attempts, [(3, "dead.test".into(), vec!["b@dead.test".into()])]);

    // Gone, without a word and with one.
    let silent = Deletion::new("spam");
    assert_eq!(block_on(queue.delete(list[1].id, None, &silent, START)).unwrap(), 1);
    let mut told = Deletion::new("Not wanted here");
    told.report = true;
    assert_eq!(block_on(queue.delete(list[0].id, Some(0), &told, START)).unwrap(), 1);
    let log = run(&mut runner, after(START, 4), after(START, 4), |_| unreachable());
    let why: Vec<&str> = log
        .events
        .iter()
        .filter_map(|event| match event {
            QueueEvent::Deleted { why, .. } => Some(why.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(why, ["spam", "Not wanted here"]);
    let reports = reports(&store, alice);
    assert_eq!(reports.len(), 1);
    assert_eq!(rows(&reports[0]).keys().collect::<Vec<_>>(), ["a@dead.test"]);
    let left = queued(&store);
    assert_eq!((left.len(), left[0].recipients.len(), left[0].recipients[0].number), (1, 1, 1));
    assert_eq!(block_on(queue.delete(list[1].id, None, &silent, START)).unwrap(), 0);
    assert_eq!(block_on(queue.delete(list[0].id, None, &silent, START)).unwrap(), 1);
    assert_eq!(blobs(&store), 1, "the report");
    assert!(matches!(block_on(runner.poll(START)), Work::Event(QueueEvent::Deleted { .. })));
    assert!(runner.is_empty());
}

#[test]
fn what_is_deleted_while_it_is_tried_ends_with_the_attempt() {
    let (store, alice) = world();
    let mut runner = start(&store, START);
    accept(&store, envelope(ALICE), [to("a@else.test"), to("b@else.test")], START).unwrap();
    let log = run(&mut runner, START, after(START, DAY), |job| {
        block_on(store.queue().delete(job.message, Some(0), &Deletion::new("x"), START)).unwrap();
        said(vec![refused(), later()])
    });
    assert_eq!(log.attempts.len(), 2 + log.attempts.iter().skip(2).count());
    assert!(log.attempts[1..].iter().all(|attempt| attempt.2 == ["b@else.test"]));
    assert!(reports(&store, alice).iter().all(|report| !rows(report).contains_key("a@else.test")));
}

#[test]
fn a_store_has_one_runner_at_a_time() {
    let (store, _) = world();
    let runner = start(&store, START);
    let second: Result<Runner<Memory, ()>, _> = block_on(Runner::start(&store, queued::config(), START));
    assert!(second.is_err());
    drop(runner);
    start(&store, START);
}

#[test]
fn a_new_message_wakes_the_runner() {
    let (store, _) = world();
    let mut runner = start(&store, START);
    assert!(matches!(block_on(runner.poll(START)), Work::Wait(None)));
    let mut context = core::task::Context::from_waker(core::task::Waker::noop());
    {
        let mut woken = core::pin::pin!(runner.woken());
        assert!(woken.as_mut().poll(&mut context).is_pending());
        accept(&store, envelope(ALICE), [to("a@else.test")], START).unwrap();
        assert!(woken.as_mut().poll(&mut context).is_ready());
    }
    assert!(matches!(block_on(runner.poll(START)), Work::Route(_)));
}

#[test]
fn a_thousand_messages_to_a_dead_destination_do_not_delay_one_to_another() {
    let (store, _) = world();
    let mut runner = start(&store, START);
    for _ in 0..200 {
        accept(&store, envelope(ALICE), [to("a@dead.test")], START).unwrap();
    }
    accept(&store, envelope("bob@example.org"), [to("b@live.test")], START).unwrap();
    // The dead destination takes the time of a connection; the other message leaves before it ends.
    let (mut dead, mut live) = (0, 0);
    let now: UnixTime = START;
    loop {
        match block_on(runner.poll(now)) {
            Work::Route(question) => runner.routed(question.attempt, Routing::Found(()), now),
            Work::Deliver(job) if &*job.destination == "live.test" => {
                live += 1;
                runner.finished(job.attempt, said(vec![accepted()]), now);
            }
            Work::Deliver(_) => dead += 1,
            Work::Wait(_) => break,
            _ => {}
        }
    }
    assert_eq!((dead, live), (5, 1));
}
