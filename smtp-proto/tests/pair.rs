//! Client and server of this crate joined in memory: random pieces, random order of answers, messages compared
//! byte for byte.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peers;

use bytes::Bytes;
use mailwright_core::session::Session as _;
use mailwright_core::testing::{Numbers, Pair};
use mailwright_core::value::ForwardPath;
use mailwright_sasl::Seed;
use mailwright_smtp::client::{self, Client, Deliver, Delivery, Login, Outcome, Quit};
use mailwright_smtp::server::{Config, Protocol, Server, TlsMode};
use mailwright_smtp::types::Reply;
use peers::{Answers, Commander, config, credentials, with_tls};

type Joined = Pair<Client, Commander, Server, Answers>;

/// A client for the server's protocol, with TLS where the server has it.
fn joined(server: Config, answers: Answers, seed: u64) -> Joined {
    let mut config = client::Config::new("client.example").unwrap();
    if server.protocol == Protocol::Lmtp {
        config.protocol = client::Protocol::Lmtp;
    }
    config.tls = match server.tls {
        TlsMode::Off => client::TlsMode::None,
        TlsMode::StartTls => client::TlsMode::Required,
        _ => client::TlsMode::Implicit,
    };
    config.sasl.clear_text_without_tls = true;
    // Little room, so that content has to wait for it.
    config.limits.output = 3000;
    config.chunking = seed % 2 == 0;
    (config.limits.first_chunk, config.limits.largest_chunk) = (500, 4000);
    Pair::new((Client::new(config), Commander::default()), (Server::new(server, [7; 32]), answers), seed)
}

fn log_in(pair: &mut Joined) {
    let login = Login::with(credentials(), Seed::new([3; 32]));
    let welcome = pair.run(login, |_, never| match never {}).unwrap();
    assert_eq!(welcome.authenticated.unwrap().code().get(), 235);
}

fn quit(pair: &mut Joined) {
    pair.run(Quit::new(), |_, never| match never {}).unwrap();
    pair.settle().unwrap();
    assert!(pair.server.is_closed());
    assert!(pair.server.session.wants().close);
}

/// Content with everything that transparency is about: lines with dots, empty lines, long lines.
fn content(numbers: &mut Numbers, lines: usize) -> Vec<u8> {
    let mut content = b"Subject: x\r\n\r\n".to_vec();
    for _ in 0..lines {
        match numbers.below(6) {
            0 => content.extend_from_slice(b".\r\n"),
            1 => content.extend_from_slice(b"..\r\n"),
            2 => content.extend_from_slice(b"\r\n"),
            3 => content.extend_from_slice(b".dot\r\n"),
            _ => {
                let length = numbers.below(200);
                content.extend((0..length).map(|_| b'a' + u8::try_from(numbers.below(26)).unwrap()));
                content.extend_from_slice(b".\r\n");
            }
        }
    }
    content
}

/// Recipients, some of whom are refused.
fn recipients(numbers: &mut Numbers) -> Vec<ForwardPath> {
    (0..1 + numbers.below(12))
        .map(|index| {
            let kind = ["bob", "carol", "no", "later"][numbers.below(4)];
            format!("<{kind}{index}@example.org>").parse().unwrap()
        })
        .collect()
}

/// What each row must say, with `verdicts` for accepted recipients over and over.
fn check(delivery: &Delivery, recipients: &[ForwardPath], verdicts: &[Reply]) -> Vec<String> {
    assert_eq!(delivery.closed, None);
    assert_eq!(delivery.rows.len(), recipients.len());
    let mut accepted = Vec::new();
    for (row, recipient) in delivery.rows.iter().zip(recipients) {
        assert_eq!(row.recipient, *recipient);
        let name = recipient.to_string();
        if name.starts_with("<no") {
            assert!(matches!(&row.outcome, Outcome::Permanent { at: client::Awaited::Rcpt, .. }), "{row:?}");
        } else if name.starts_with("<later") {
            assert!(matches!(&row.outcome, Outcome::Transient { at: client::Awaited::Rcpt, .. }), "{row:?}");
        } else {
            let verdict = &verdicts[accepted.len() % verdicts.len()];
            assert_eq!(row.outcome.reply(), Some(verdict));
            assert_eq!(row.outcome.is_accepted(), verdict.is_positive());
            accepted.push(name);
        }
    }
    accepted
}

/// Several deliveries in one session; each as it was, at the right recipients.
fn deliveries(config: Config, verdicts: &[Reply], seed: u64) {
    let mut numbers = Numbers::new(seed);
    let answers = Answers { slow: seed % 3 > 0, verdicts: verdicts.to_vec(), ..Answers::default() };
    let mut pair = joined(config, answers, seed);
    log_in(&mut pair);
    let mut expected = Vec::new();
    for _ in 0..1 + numbers.below(3) {
        let recipients = recipients(&mut numbers);
        let lines = numbers.below(80);
        let content = content(&mut numbers, lines);
        let sender = "<alice@client.example>".parse().unwrap();
        let streamed = numbers.below(2) == 0;
        let delivery = if streamed {
            let mut rest = Bytes::from(content.clone());
            let task = Deliver::streamed(sender, recipients.clone()).size(content.len() as u64);
            pair.run(task, |task, want| {
                assert_eq!(want.offset, (content.len() - rest.len()) as u64);
                let piece = rest.split_to(want.room.min(rest.len()).min(700));
                task.push(piece);
                if rest.is_empty() {
                    task.finish();
                }
            })
        } else {
            pair.run(Deliver::new(sender, recipients.clone(), content.clone()), |_, _| panic!())
        };
        let accepted = check(&delivery.unwrap(), &recipients, verdicts);
        if !accepted.is_empty() {
            expected.push((accepted, content));
        }
    }
    quit(&mut pair);
    assert!(pair.server.host.messages == expected, "seed {seed}");
}

const ACCEPTED: [Reply; 1] = [Reply::MESSAGE_ACCEPTED];

#[test]
fn messages_come_whole_over_smtp() {
    for seed in 0..60 {
        deliveries(config(Protocol::Smtp), &ACCEPTED, seed);
    }
}

#[test]
fn messages_come_whole_without_pipelining() {
    for seed in 0..30 {
        let mut config = config(Protocol::Smtp);
        config.pipelining = false;
        deliveries(config, &ACCEPTED, seed);
    }
}

#[test]
fn messages_come_whole_over_lmtp_and_each_recipient_has_its_verdict() {
    let verdicts = [Reply::MESSAGE_ACCEPTED, Reply::MAILBOX_BUSY, Reply::NO_SUCH_USER];
    for seed in 0..60 {
        deliveries(config(Protocol::Lmtp), &verdicts, seed);
    }
}

#[test]
fn binary_messages_come_whole() {
    for seed in 0..30 {
        let mut numbers = Numbers::new(seed);
        let protocol = if seed % 2 == 0 { Protocol::Smtp } else { Protocol::Lmtp };
        let mut pair = joined(config(protocol), Answers { slow: seed % 3 > 0, ..Answers::default() }, seed);
        log_in(&mut pair);
        let length = numbers.below(20_000);
        let content = numbers.octets(length);
        let mut options = client::MailOptions::default();
        options.binary = true;
        let to: [ForwardPath; 2] =
            ["<bob@example.org>", "<j\u{fc}rgen@example.org>"].map(|path| path.parse().unwrap());
        let task = Deliver::new("<>".parse().unwrap(), to, content.clone()).options(options);
        assert!(pair.run(task, |_, _| panic!()).unwrap().is_complete());
        quit(&mut pair);
        assert!(pair.server.host.messages[0].1 == content, "seed {seed}");
    }
}

#[test]
fn a_message_above_the_limit_fails_at_a_chunk_and_the_next_one_comes_whole() {
    for seed in [0, 2, 4, 6] {
        let mut server = config(if seed % 4 == 0 { Protocol::Smtp } else { Protocol::Lmtp });
        server.limits.message = 5000;
        server.pipelining = seed < 4;
        let mut pair = joined(server, Answers::default(), seed);
        log_in(&mut pair);
        let to: [ForwardPath; 2] =
            ["<bob@example.org>", "<carol@example.org>"].map(|path| path.parse().unwrap());
        let content = "a line\r\n".repeat(10_000);
        let mut rest = Bytes::from(content);
        let task = Deliver::streamed("<>".parse().unwrap(), to.clone());
        let delivery = pair.run(task, |task, want| {
            task.push(rest.split_to(want.room.min(rest.len())));
            if rest.is_empty() {
                task.finish();
            }
        });
        for row in delivery.unwrap().rows {
            assert!(matches!(row.outcome, Outcome::Permanent { at: client::Awaited::Chunk, .. }), "{row:?}");
        }
        let task = Deliver::new("<>".parse().unwrap(), to, &b"short\r\n"[..]);
        assert!(pair.run(task, |_, _| panic!()).unwrap().is_complete());
        quit(&mut pair);
        assert_eq!(pair.server.host.messages.len(), 1);
        assert!(pair.server.host.messages[0].1 == b"short\r\n");
    }
}

#[test]
fn messages_come_whole_over_submission_and_tls() {
    for seed in 0..30 {
        deliveries(with_tls(Protocol::Submission, TlsMode::StartTls), &ACCEPTED, seed);
        deliveries(with_tls(Protocol::Submission, TlsMode::Implicit), &ACCEPTED, seed);
    }
}

#[test]
fn a_long_message_goes_through_little_room() {
    let mut pair = joined(config(Protocol::Smtp), Answers::slow(), 1);
    log_in(&mut pair);
    let content = content(&mut Numbers::new(1), 5000);
    let bob: ForwardPath = "<bob@example.org>".parse().unwrap();
    let task = Deliver::new("<>".parse().unwrap(), [bob], content.clone());
    assert!(pair.run(task, |_, _| panic!()).unwrap().is_complete());
    assert!(pair.server.host.messages[0].1 == content);
}

#[test]
fn c9_a_group_larger_than_the_room_for_output_goes_through_while_replies_come() {
    for seed in 0..4 {
        let mut config = config(Protocol::Smtp);
        config.announce_limits = seed < 2;
        let mut pair = joined(config, Answers { slow: seed % 2 > 0, ..Answers::default() }, seed);
        log_in(&mut pair);
        let recipients: Vec<ForwardPath> = (0..250)
            .map(|index| format!("<a-rather-long-local-part-number-{index}@example.org>").parse().unwrap())
            .collect();
        let task = Deliver::new("<>".parse().unwrap(), recipients.clone(), &b"x\r\n"[..]);
        assert!(pair.run(task, |_, _| panic!()).unwrap().is_complete());
        // As many recipients as the server names, else a hundred a transaction.
        let sizes: Vec<usize> = pair.server.host.messages.iter().map(|(to, _)| to.len()).collect();
        assert_eq!(sizes, if seed < 2 { vec![250] } else { vec![100, 100, 50] });
    }
}

#[test]
fn a_wrong_password_is_refused_after_any_pieces() {
    for seed in 0..20 {
        let mut pair = joined(config(Protocol::Submission), Answers::slow(), seed);
        let wrong = mailwright_sasl::Credentials::password("alice", "wrong").unwrap();
        let login = Login::with(wrong, Seed::new([3; 32]));
        assert!(pair.run(login, |_, never| match never {}).is_err());
        let bob: ForwardPath = "<bob@example.org>".parse().unwrap();
        let task = Deliver::new("<>".parse().unwrap(), [bob], &b"x\r\n"[..]);
        let delivery = pair.run(task, |_, _| panic!()).unwrap();
        assert!(delivery.rows[0].outcome.is_permanent(), "{delivery:?}");
        assert_eq!(pair.server.host.messages, []);
    }
}

#[test]
fn a_client_that_leaves_in_the_content_leaves_no_message() {
    for seed in 0..20 {
        let mut pair = joined(config(Protocol::Smtp), Answers::default(), seed);
        pair.client.host.calls = [
            peers::Call::Mail,
            peers::Call::Rcpt("bob"),
            peers::Call::Data,
            peers::Call::Content(b"Subject: half\r\n.\r\n"),
        ]
        .to_vec();
        pair.settle().unwrap();
        assert_eq!(pair.client.host.calls, []);
        pair.client.session.abort();
        pair.settle().unwrap();
        assert_eq!(pair.server.host.messages, []);
        let notes = format!("{:?}", pair.server.notes);
        assert!(notes.contains("Incomplete") && notes.contains("Disconnected"), "{notes}");
    }
}
