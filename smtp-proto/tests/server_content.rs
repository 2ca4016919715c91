//! Content: the automaton and the matrix E of the end of data, policies, sizes, one reply for each recipient
//! in LMTP, and content that comes too early or never ends. Rows E1 to E9; rules S-9, S-10, S-14, S-15, S-18.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use mailwright_core::value::Misuse;
use mailwright_core::wire::BareLineEnd;
use mailwright_smtp::server::{Config, Early, Event, Unusual};
use mailwright_smtp::types::{Reply, ReplyCode};
use proptest::prelude::*;
use support::{Host, codes, lmtp, smtp};

const POLICIES: [BareLineEnd; 3] = [BareLineEnd::Reject, BareLineEnd::Normalise, BareLineEnd::Pass];

fn with_policy(policy: BareLineEnd) -> Config {
    let mut config = smtp();
    config.content.bare_line_ends = policy;
    config
}

/// The automaton, octet by octet: the content, what stands behind its end, and whether a CR or LF was bare.
/// `None` if there is no end.
fn automaton(policy: BareLineEnd, input: &[u8]) -> Option<(Vec<u8>, &[u8], bool)> {
    enum State {
        Bol,
        Mid,
        Cr,
        Dot,
        DotCr,
    }
    let (mut state, mut content, mut bare) = (State::Bol, Vec::new(), false);
    let mut alone = |content: &mut Vec<u8>, octet: u8| {
        bare = true;
        match policy {
            BareLineEnd::Reject => {}
            BareLineEnd::Normalise => content.extend_from_slice(b"\r\n"),
            BareLineEnd::Pass => content.push(octet),
        }
    };
    for (at, &octet) in input.iter().enumerate() {
        state = match (state, octet) {
            (State::Bol, b'.') => State::Dot,
            (State::Bol | State::Mid, b'\r') => State::Cr,
            (State::Bol | State::Mid | State::Dot, b'\n') => {
                alone(&mut content, b'\n');
                State::Mid
            }
            (State::Cr, b'\n') => {
                content.extend_from_slice(b"\r\n");
                State::Bol
            }
            (State::Cr | State::DotCr, b'\r') => {
                alone(&mut content, b'\r');
                State::Cr
            }
            (State::Dot, b'\r') => State::DotCr,
            (State::DotCr, b'\n') => return Some((content, &input[at + 1..], bare)),
            (held, octet) => {
                if matches!(held, State::Cr | State::DotCr) {
                    alone(&mut content, b'\r');
                }
                content.push(octet);
                State::Mid
            }
        };
    }
    None
}

/// What must be said to `input` behind a 354, and the message that comes of it.
fn required(policy: BareLineEnd, input: &[u8]) -> (String, Option<Vec<u8>>) {
    let Some((content, rest, bare)) = automaton(policy, input) else { return (String::new(), None) };
    let refused = bare && policy == BareLineEnd::Reject;
    let mut said = vec![if refused { "554 5.6.0" } else { "250 2.0.0" }];
    let mut rest = rest;
    while let Some(at) = rest.windows(2).position(|window| window == b"\r\n") {
        said.push(if &rest[..at] == b"NOOP" { "250 2.0.0" } else { "500 5.5.2" });
        rest = &rest[at + 2..];
    }
    (said.join(", "), (!refused).then_some(content))
}

fn check(policy: BareLineEnd, input: &[u8], cuts: &[usize]) {
    let mut host = Host::in_content(with_policy(policy));
    let (said, message) = required(policy, input);
    let context = format!("{policy:?} {} cut at {cuts:?}", input.escape_ascii());
    assert_eq!(codes(&host.send_cut(input, cuts)), said, "{context}");
    assert_eq!(host.messages, Vec::from_iter(message), "{context}");
    assert!(!host.closed(), "{context}");
}

/// `M` of the matrix stands for MAIL, a dot and NOOP.
const MATRIX: [(&str, &str, &str, Option<&str>); 8] = [
    ("E1", ".\r\nNOOP\r\n", "250 2.0.0, 250 2.0.0", Some("")),
    ("E2", "..x\r\n.\r\nNOOP\r\n", "250 2.0.0, 250 2.0.0", Some(".x\r\n")),
    ("E3", "a\r\n.x\r\n.\r\nNOOP\r\n", "250 2.0.0, 250 2.0.0", Some("a\r\nx\r\n")),
    ("E4", "a\n.\r\nMAIL\r\n.\r\nNOOP\r\n", "554 5.6.0, 250 2.0.0", None),
    ("E5", "a\r\n.\nMAIL\r\n.\r\nNOOP\r\n", "554 5.6.0, 250 2.0.0", None),
    ("E6", "a\r.\r\nMAIL\r\n.\r\nNOOP\r\n", "554 5.6.0, 250 2.0.0", None),
    ("E7", "a\r\n.\r\r\nMAIL\r\n.\r\nNOOP\r\n", "554 5.6.0, 250 2.0.0", None),
    ("E8", "a\r\n.\r\n.\r\nNOOP\r\n", "250 2.0.0, 500 5.5.2, 250 2.0.0", Some("a\r\n")),
];

#[test]
fn e1_to_e8_hold_in_every_fragmentation_of_three() {
    for (row, input, said, message) in MATRIX {
        // The oracle says what the matrix says.
        let required = required(BareLineEnd::Reject, input.as_bytes());
        assert_eq!(required, (said.to_string(), message.map(Vec::from)), "{row}");
        for policy in POLICIES {
            for first in 0..=input.len() {
                for second in first..=input.len() {
                    check(policy, input.as_bytes(), &[first, second]);
                }
            }
        }
    }
}

#[test]
fn e4_to_e7_normalised_become_text_and_nothing_is_a_command() {
    for (row, wire, content) in [
        ("E4", "a\n.\r\nMAIL\r\n.\r\n", "a\r\n.\r\nMAIL\r\n"),
        ("E5", "a\r\n.\nMAIL\r\n.\r\n", "a\r\n\r\nMAIL\r\n"),
        ("E6", "a\r.\r\nMAIL\r\n.\r\n", "a\r\n.\r\nMAIL\r\n"),
        ("E7", "a\r\n.\r\r\nMAIL\r\n.\r\n", "a\r\n\r\n\r\nMAIL\r\n"),
    ] {
        let mut host = Host::in_content(with_policy(BareLineEnd::Normalise));
        assert_eq!(codes(&host.send(wire)), "250 2.0.0", "{row}");
        assert_eq!(host.messages, [content.as_bytes()], "{row}");
        assert!(host.saw("deviation bare"), "{row}");
    }
}

#[test]
fn e9_every_arrangement_round_the_terminator_is_the_automatons() {
    const OCTETS: [u8; 5] = [b'\r', b'\n', b'.', b'a', 0];
    for length in 0..=5_u32 {
        for number in 0..OCTETS.len().pow(length) {
            let mut input: Vec<u8> =
                (0..length).map(|place| OCTETS[number / OCTETS.len().pow(place) % OCTETS.len()]).collect();
            input.extend_from_slice(b"\r\n.\r\nNOOP\r\n");
            let each: Vec<usize> = (1..input.len()).collect();
            let policy = POLICIES[number % 3];
            check(policy, &input, &[]);
            check(policy, &input, &each);
        }
    }
}

proptest! {
    #[test]
    fn e9_any_content_in_any_fragmentation(
        content in proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a'), Just(0), any::<u8>()], 0..120),
        mut cuts in proptest::collection::vec(0usize..130, 0..8),
        policy in 0usize..3,
    ) {
        // Whatever came before, this ends it, and leaves nothing that is not NOOP.
        let mut input = content;
        let Some((_, [], _)) = automaton(POLICIES[policy], &[&input[..], b"\r\n.\r\n"].concat()) else {
            return Ok(());
        };
        input.extend_from_slice(b"\r\n.\r\nNOOP\r\n");
        cuts.iter_mut().for_each(|cut| *cut = (*cut).min(input.len()));
        cuts.sort_unstable();
        check(POLICIES[policy], &input, &cuts);
    }
}

#[test]
fn s9_content_above_the_limit_is_read_to_its_true_end_then_552() {
    let mut config = smtp();
    config.limits.message = 100;
    let body = |octets: usize| format!("{}\r\n.\r\nNOOP\r\n", "a".repeat(octets - 2));
    let mut host = Host::in_content(config.clone());
    assert_eq!(codes(&host.send(body(100))), "250 2.0.0, 250 2.0.0");
    assert_eq!(host.messages[0].len(), 100);
    for cut in 0..=110 {
        let mut host = Host::in_content(config.clone());
        assert_eq!(codes(&host.send_cut(body(101).as_bytes(), &[cut])), "552 5.3.4, 250 2.0.0", "{cut}");
        assert!(host.messages.is_empty());
        assert!(host.saw("aborted TooLarge"));
    }
    let mut host = Host::in_content(config.clone());
    host.undecided = true;
    for _ in 0..1000 {
        assert_eq!(host.send("MAIL FROM:<a@b>\r\n"), "");
    }
    assert_eq!(host.content.len(), 100, "the host gets no more than the limit");
    assert_eq!(codes(&host.send(".\r\nNOOP\r\n")), "552 5.3.4, 250 2.0.0");
    assert!(host.open.is_empty(), "there is nothing to decide");
}

#[test]
fn s9_size_counts_decoded_octets_without_dots_and_terminator() {
    let mut config = with_policy(BareLineEnd::Normalise);
    config.limits.message = 10;
    for (wire, said) in [
        ("..23456\r\n..\r\n.\r\n", "552 5.3.4"),
        ("..2345\r\n..\r\n", ""),
        ("..2345\r\n\r\n.\r\n", "250 2.0.0"),
        ("1234567\n9\r\n.\r\n", "552 5.3.4"),
        ("123456\n\r\n.\r\n", "250 2.0.0"),
    ] {
        assert_eq!(codes(&Host::in_content(config.clone()).send(wire)), said, "{wire:?}");
    }
}

#[test]
fn s9_a_declared_size_never_finds_the_end() {
    for size in [0, 1, 35] {
        let mut host = Host::ready(smtp());
        host.send(format!("MAIL FROM:<a@b> SIZE={size}\r\nRCPT TO:<a@b>\r\nDATA\r\n"));
        assert_eq!(codes(&host.send("0123456789\r\n\r\nNOOP\r\n.\r\n")), "250 2.0.0");
        assert_eq!(host.messages, [b"0123456789\r\n\r\nNOOP\r\n"]);
    }
    let mut config = smtp();
    config.limits.message = 0;
    let mut host = Host::ready(config);
    assert_eq!(host.codes("MAIL FROM:<a@b> SIZE=18446744073709551615"), "250 2.1.0", "R-7: no limit");
}

#[test]
fn nul_passes_and_is_reported_or_is_refused_at_the_end() {
    let mut host = Host::in_content(smtp());
    assert_eq!(codes(&host.send("a\0\r\n.\r\n")), "250 2.0.0");
    assert_eq!(host.messages, [b"a\0\r\n"]);
    assert!(host.saw("deviation NUL"));
    let mut config = smtp();
    config.content.nul = Unusual::Reject;
    let mut host = Host::in_content(config);
    assert_eq!(codes(&host.send("a\0\r\n.\r\nNOOP\r\n")), "554 5.6.0, 250 2.0.0");
    assert!(host.saw("aborted Nul"));
}

#[test]
fn s15_eight_bit_content_that_was_not_declared() {
    let mut config = smtp();
    let mut host = Host::in_content(config.clone());
    assert_eq!(codes(&host.send("\u{fc}\r\n.\r\n")), "250 2.0.0");
    assert!(host.saw("deviation 8-bit"));
    config.content.undeclared_eight_bit = Unusual::Reject;
    let mut host = Host::in_content(config.clone());
    assert_eq!(codes(&host.send("\u{fc}\r\n.\r\nNOOP\r\n")), "554 5.6.1, 250 2.0.0");
    assert!(host.saw("aborted EightBit"));
    let mut host = Host::ready(config.clone());
    host.send("MAIL FROM:<a@b> BODY=8BITMIME\r\nRCPT TO:<a@b>\r\nDATA\r\n");
    assert_eq!(codes(&host.send("\u{fc}\r\n.\r\n")), "250 2.0.0");
    assert!(!host.saw("deviation"));
    let mut host = Host::ready(config);
    host.send("MAIL FROM:<a@b> BODY=7BIT\r\nRCPT TO:<a@b>\r\nDATA\r\n");
    assert_eq!(codes(&host.send("\u{fc}\r\n.\r\n")), "554 5.6.1");
}

#[test]
fn s6_long_lines_pass_and_are_reported_or_are_refused_at_the_end() {
    let long = |octets: usize| format!("{}\r\n.\r\nNOOP\r\n", "a".repeat(octets - 2));
    let mut config = smtp();
    let mut host = Host::in_content(config.clone());
    assert_eq!(codes(&host.send(long(1001))), "250 2.0.0, 250 2.0.0");
    assert!(host.saw("deviation long line"));
    config.content.long_lines = Unusual::Reject;
    assert_eq!(codes(&Host::in_content(config.clone()).send(long(1000))), "250 2.0.0, 250 2.0.0");
    // RFC 5321 §4.5.3.1.6: the dot that transparency added does not count.
    assert_eq!(
        codes(&Host::in_content(config.clone()).send(format!("..{}", long(999)))),
        "250 2.0.0, 250 2.0.0"
    );
    let mut host = Host::in_content(config);
    assert_eq!(codes(&host.send(long(1001))), "554 5.6.0, 250 2.0.0");
    assert!(host.saw("aborted LongLine"));
}

#[test]
fn s18_lmtp_gives_one_reply_for_each_accepted_recipient_in_order() {
    let recipients = ["a@b", "no@b", "c@b", "a@b", "later@b", "Postmaster"];
    let mut host = Host::ready(lmtp());
    host.send("MAIL FROM:<>\r\n");
    for recipient in recipients {
        host.send(format!("RCPT TO:<{recipient}>\r\n"));
    }
    host.send("DATA\r\n");
    host.undecided = true;
    assert_eq!(host.send("Subject: x\r\n.\r\n"), "");
    let Some(Event::Message(message)) = host.open.pop() else { panic!() };
    assert_eq!(message.recipients, 4);
    let reply = |number: usize| Reply::new(ReplyCode::OK, None, format!("number {number}")).unwrap();
    // As many as there are recipients, and no fewer.
    let refused = host.server.answer(message.token, vec![reply(1), reply(2), reply(3)]).unwrap_err();
    assert_eq!(refused.misuse, Misuse::WrongAnswer);
    let mut replies: Vec<Reply> = (1..=4).map(reply).collect();
    replies[1] = Reply::MAILBOX_FULL;
    host.server.answer(refused.token, replies).unwrap();
    host.run();
    assert_eq!(
        host.take_output(),
        "250 2.0.0 number 1\r\n552 5.2.2 Mailbox full\r\n250 2.0.0 number 3\r\n250 2.0.0 number 4\r\n"
    );
    host.undecided = false;
    assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
}

#[test]
fn s18_what_fails_at_the_end_is_said_once_for_each_recipient() {
    let mut config = lmtp();
    config.limits.message = 10;
    let start = || {
        let mut host = Host::open(config.clone(), &["a@b", "a@b", "c@b"]);
        host.send("DATA\r\n");
        host
    };
    let each = |codes: &str| format!("{codes}, {codes}, {codes}, 250 2.0.0");
    assert_eq!(codes(&start().send("0123456789\r\n.\r\nNOOP\r\n")), each("552 5.3.4"));
    assert_eq!(codes(&start().send("a\n.\r\n\r\n.\r\nNOOP\r\n")), each("554 5.6.0"));
    let mut host = start();
    host.verdict = Reply::TRY_LATER;
    assert_eq!(codes(&host.send(".\r\nNOOP\r\n")), each("451 4.3.0"));
    assert_eq!(codes(&start().send(".\r\nNOOP\r\n")), each("250 2.0.0"));
}

#[test]
fn an_end_of_the_connection_inside_content_aborts_it_without_reply() {
    for content in ["", "a", "a\r\n", "a\r\n.", "a\r\n.\r", "a\r\n.\n", ".\r\r"] {
        let mut host = Host::in_content(smtp());
        assert_eq!(host.send(content), "");
        assert_eq!(host.eof(), "", "{content:?}");
        assert!(host.messages.is_empty());
        assert!(host.content.is_empty());
        let end = &host.events[host.events.len() - 2..];
        assert_eq!(end, ["aborted Incomplete", "closed Disconnected"], "{content:?}");
    }
}

#[test]
fn a_message_that_is_complete_gets_its_verdict_though_the_client_has_gone() {
    let mut host = Host::in_content(smtp());
    host.undecided = true;
    host.send("a\r\n.\r\n");
    assert_eq!(host.eof(), "");
    assert!(!host.closed());
    let Some(Event::Message(message)) = host.open.pop() else { panic!() };
    host.server.answer(message.token, Reply::MESSAGE_ACCEPTED).unwrap();
    host.run();
    assert_eq!(host.take_output(), "250 2.0.0 Message accepted\r\n");
    assert_eq!(host.events.last().unwrap(), "closed Disconnected");
}

#[test]
fn s10_content_before_the_354_is_content_and_is_reported_or_refused_at_its_end() {
    let wire = "DATA\r\nSubject: x\r\n.\r\nNOOP\r\n";
    let mut host = Host::open(smtp(), &["a@b"]);
    assert_eq!(codes(&host.send(wire)), "354, 250 2.0.0, 250 2.0.0");
    assert_eq!(host.messages, [b"Subject: x\r\n"]);
    assert!(host.saw("deviation octets that came too early"));
    let mut config = smtp();
    config.early.content = Early::Refuse;
    let mut host = Host::open(config.clone(), &["a@b"]);
    assert_eq!(codes(&host.send(wire)), "354, 554 5.5.1, 250 2.0.0");
    assert!(host.messages.is_empty());
    assert!(host.saw("aborted Early"));
    let mut host = Host::open(config, &["a@b"]);
    assert_eq!(codes(&host.send_cut(wire.as_bytes(), &[6])), "354, 250 2.0.0, 250 2.0.0", "it waited");
}

#[test]
fn s10_content_that_waits_for_the_decision_about_data() {
    let mut config = smtp();
    config.ask.data = true;
    let start = |config: &Config| {
        let mut host = Host::open(config.clone(), &["a@b"]);
        host.undecided = true;
        assert_eq!(host.send("DATA\r\nMAIL FROM:<>\r\n.\r\n"), "");
        host.undecided = false;
        let Some(Event::Data(data)) = host.open.pop() else { panic!() };
        (host, data.token)
    };
    let (mut host, token) = start(&config);
    host.server.answer(token, Reply::START_CONTENT).unwrap();
    host.run();
    assert_eq!(codes(&host.take_output()), "354, 250 2.0.0");
    assert_eq!(host.messages, [b"MAIL FROM:<>\r\n"]);
    // Refused, it would run as commands.
    let (mut host, token) = start(&config);
    host.server.answer(token, Reply::TRY_LATER).unwrap();
    host.run();
    assert_eq!(codes(&host.take_output()), "554 5.5.1");
    assert_eq!(host.events.last().unwrap(), "closed Early");
    config.early.refused_data = Early::Report;
    let (mut host, token) = start(&config);
    host.server.answer(token, Reply::TRY_LATER).unwrap();
    host.run();
    assert_eq!(codes(&host.take_output()), "451 4.3.0, 503 5.5.1, 500 5.5.2");
    // Without anything behind it a refusal is an answer like any other, and the transaction stays.
    let mut host = Host::open(config, &["a@b"]);
    host.undecided = true;
    host.send("DATA\r\n");
    let Some(Event::Data(data)) = host.open.pop() else { panic!() };
    let refused = host.server.answer(data.token, Reply::OK).unwrap_err();
    assert_eq!(refused.misuse, Misuse::WrongAnswer);
    host.server.answer(refused.token, Reply::TRY_LATER).unwrap();
    host.run();
    assert_eq!(codes(&host.take_output()), "451 4.3.0");
    assert_eq!(host.server.recipients(), 1);
}

#[test]
fn s14_commands_inside_content_are_content() {
    let mut host = Host::in_content(smtp());
    assert_eq!(host.send("QUIT\r\nRSET\r\nSTARTTLS\r\n"), "");
    assert_eq!(codes(&host.send(".\r\n")), "250 2.0.0");
    assert_eq!(host.messages, [b"QUIT\r\nRSET\r\nSTARTTLS\r\n"]);
    assert_eq!(host.codes("RCPT TO:<a@b>"), "503 5.5.1", "the transaction is over");
}

#[test]
fn what_follows_a_message_waits_for_its_verdict() {
    let mut host = Host::in_content(smtp());
    host.undecided = true;
    assert_eq!(host.send("a\r\n.\r\nMAIL FROM:<x@y>\r\nQUIT\r\n"), "");
    assert!(!host.saw("sender"));
    let Some(Event::Message(message)) = host.open.pop() else { panic!() };
    let refused = host.server.answer(message.token, Reply::START_CONTENT).unwrap_err();
    assert_eq!(refused.misuse, Misuse::WrongAnswer);
    host.server.answer(refused.token, Reply::NO_SUCH_USER).unwrap();
    host.run();
    assert_eq!(codes(&host.take_output()), "550 5.1.1, 250 2.1.0, 221 2.0.0");
}

#[test]
fn a_421_of_the_host_ends_the_session() {
    let mut host = Host::in_content(smtp());
    host.verdict = Reply::SERVICE_UNAVAILABLE;
    assert_eq!(codes(&host.send("a\r\n.\r\nNOOP\r\n")), "421 4.3.2");
    assert_eq!(host.events.last().unwrap(), "closed Refused");
}

#[test]
fn content_that_the_host_has_not_taken_holds_the_client_back() {
    let mut host = Host::in_content(smtp());
    host.server.hold(true);
    assert_eq!(host.send("a\r\n.\r\n"), "");
    assert_eq!(host.input.len(), 6, "nothing is taken");
    host.server.hold(false);
    host.run();
    assert_eq!(codes(&host.take_output()), "250 2.0.0");
}
