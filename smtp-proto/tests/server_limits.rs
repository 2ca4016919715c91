//! Limits of recipients, transactions, errors, commands that do nothing, and overlong lines; the order of
//! replies to a thousand commands; what waits when something is full. Rules S-6, S-10, S-13.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use core::fmt::Write as _;

use mailwright_core::session::Session as _;
use mailwright_core::value::Misuse;
use mailwright_smtp::server::{Closed, Event, RecipientToken, Server};
use mailwright_smtp::types::{Reply, ReplyCode};
use proptest::prelude::*;
use support::{Host, codes, lmtp, smtp};

#[test]
fn s13_recipients_above_the_limit_are_452_and_those_accepted_stay() {
    let mut config = smtp();
    config.limits.recipients = 100;
    let mut host = Host::open(config, &[]);
    for number in 0..100 {
        // Who is refused takes no place.
        assert_eq!(host.codes(format!("RCPT TO:<no{number}@b>")), "550 5.1.1");
        assert_eq!(host.codes(format!("RCPT TO:<{number}@b>")), "250 2.1.5");
    }
    assert_eq!(host.codes("RCPT TO:<more@b>"), "452 4.5.3");
    assert_eq!(host.codes("RCPT TO:<more@b>"), "452 4.5.3");
    assert_eq!(host.codes("RCPT TO:<more@b..c>"), "553 5.1.3", "syntax goes before limits");
    assert_eq!(host.server.recipients(), 100);
    assert_eq!(codes(&host.send("DATA\r\n")), "354");
    assert_eq!(
        codes(&host.send(".\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n")),
        "250 2.0.0, 250 2.1.0, 250 2.1.5"
    );
    // RFC 5321 §4.5.3.1.8: no configuration goes below a hundred.
    let mut config = smtp();
    config.limits.recipients = 1;
    let mut host = Host::open(config, &["a@b"]);
    assert_eq!(host.codes("RCPT TO:<c@b>"), "250 2.1.5");
}

#[test]
fn s13_at_the_limit_a_recipient_waits_for_those_before_it() {
    let mut config = smtp();
    config.limits.recipients = 100;
    let mut host = Host::open(config, &[]);
    host.undecided = true;
    let mut wire = String::new();
    (0..102).for_each(|number| write!(wire, "RCPT TO:<{number}@b>\r\n").unwrap());
    host.send(&wire);
    assert_eq!(host.open.len(), 100);
    // One is refused, so there is room for one more, and only one.
    for (number, event) in core::mem::take(&mut host.open).into_iter().enumerate() {
        let Event::Recipient(it) = event else { panic!() };
        let reply = if number == 7 { Reply::NO_SUCH_USER } else { Reply::RECIPIENT_OK };
        host.server.answer(it.token, reply).unwrap();
    }
    host.undecided = false;
    host.run();
    let said = codes(&host.take_output());
    assert_eq!(said.matches("250 2.1.5").count(), 100);
    assert!(said.ends_with("250 2.1.5, 452 4.5.3"));
}

#[test]
fn s13_transactions_above_the_limit_end_the_session() {
    let mut config = smtp();
    config.limits.transactions = 3;
    let mut host = Host::ready(config);
    for _ in 0..3 {
        assert_eq!(host.codes("MAIL FROM:<a@b>"), "250 2.1.0");
        assert_eq!(host.codes("RSET"), "250 2.0.0");
    }
    assert_eq!(host.codes("MAIL FROM:<a@b>"), "421 4.7.0");
    assert_eq!(host.events.last().unwrap(), "closed TooManyTransactions");
}

#[test]
fn s13_errors_at_the_hard_limit_end_the_session() {
    let mut host = Host::ready(smtp());
    let mut replies = Vec::new();
    while !host.closed() {
        replies.push(codes(&(host.send("FOO\r\n") + &host.wait(1))));
    }
    assert_eq!(replies.len(), 20);
    assert!(replies[..19].iter().all(|reply| reply == "500 5.5.2"));
    assert_eq!(replies[19], "421 4.7.0");
    assert_eq!(host.events.last().unwrap(), "closed TooManyErrors");
    // R-1 holds for the last reply too.
    let mut config = smtp();
    config.limits.hard_errors = 1;
    assert_eq!(Host::new(config).codes("EHLO -"), "421");
}

#[test]
fn s13_an_accepted_message_sets_errors_and_idle_commands_back() {
    let mut host = Host::ready(smtp());
    for _ in 0..12 {
        for _ in 0..9 {
            assert_eq!(host.codes("FOO"), "500 5.5.2");
            assert_eq!(host.codes("NOOP"), "250 2.0.0");
        }
        host.send("MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n");
        assert_eq!(codes(&host.send(".\r\n")), "250 2.0.0");
    }
    // A message that is refused does not.
    host.verdict = Reply::NO_SUCH_USER;
    for _ in 0..10 {
        host.send("FOO\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n");
        assert_eq!(codes(&host.send(".\r\n")), "550 5.1.1");
    }
    assert_eq!(host.send("FOO\r\n"), "", "delayed");
}

#[test]
fn commands_that_do_nothing_are_bounded() {
    for command in ["NOOP", "RSET", "VRFY a", "HELP", "EHLO a", "HELO a", "EXPN a", "ETRN a", "XFORWARD a"] {
        let mut config = smtp();
        (config.limits.hard_errors, config.limits.soft_errors) = (1000, 1000);
        let mut host = Host::new(config);
        let count = (0..200).take_while(|_| !host.send(format!("{command}\r\n")).starts_with("421")).count();
        assert_eq!(count, 100, "{command}");
        assert_eq!(host.events.last().unwrap(), "closed TooManyIdleCommands");
    }
}

#[test]
fn s6_a_line_at_the_limit_is_read_and_one_octet_more_is_not_wherever_it_is_cut() {
    let line = |length: usize| format!("NOOP {}\r\nRSET\r\n", "a".repeat(length - 7));
    for cut in [0, 1, 5, 511, 512, 2045, 2046, 2047, 2048, 2049, 2050] {
        let start = || Host::ready(smtp());
        assert_eq!(codes(&start().send_cut(line(2048).as_bytes(), &[cut])), "250 2.0.0, 250 2.0.0", "{cut}");
        assert_eq!(codes(&start().send_cut(line(2049).as_bytes(), &[cut])), "500 5.5.2, 250 2.0.0", "{cut}");
    }
    let mut config = smtp();
    config.limits.command_line = 1;
    let mut host = Host::ready(config);
    assert_eq!(codes(&host.send(line(512))), "250 2.0.0, 250 2.0.0", "never below 512");
    assert_eq!(codes(&host.send(line(513))), "500 5.5.2, 250 2.0.0");
}

#[test]
fn s6_ten_mebibytes_without_line_end_are_one_error_in_bounded_memory() {
    let mut host = Host::ready(smtp());
    let piece = vec![b'a'; 1460];
    for _ in 0..(10 << 20) / 1460 {
        assert_eq!(host.send(&piece), "");
        assert!(host.input.len() < 2048);
    }
    assert_eq!(codes(&host.send("\nb\r\nNOOP\r\n")), "500 5.5.2, 250 2.0.0");
}

#[test]
fn s6_more_overlong_lines_than_the_limit_end_the_session() {
    let line = format!("{}\r\n", "a".repeat(3000));
    let mut host = Host::ready(smtp());
    for _ in 0..3 {
        assert_eq!(codes(&host.send(&line)), "500 5.5.2");
    }
    assert_eq!(codes(&host.send(&line)), "421 4.7.0");
    assert_eq!(host.events.last().unwrap(), &format!("closed {:?}", Closed::TooManyOverlongLines));
}

#[test]
fn s10_undecided_recipients_are_bounded_by_number_and_by_octets() {
    let wire = |count: usize| {
        let mut wire = String::new();
        (0..count).for_each(|number| write!(wire, "RCPT TO:<{number:010}@example.org>\r\n").unwrap());
        wire
    };
    let mut config = smtp();
    config.limits.undecided = 10;
    let mut host = Host::open(config, &[]);
    host.undecided = true;
    host.send(wire(20));
    assert_eq!(host.open.len(), 10);
    assert!(!host.server.wants().input);
    assert_eq!(host.server.wants().answers, 10);
    host.undecided = false;
    for event in core::mem::take(&mut host.open) {
        host.answer(event);
    }
    host.run();
    assert_eq!(codes(&host.take_output()).matches("250 2.1.5").count(), 20);
    let mut config = smtp();
    config.limits.undecided_octets = 200;
    let mut host = Host::open(config, &[]);
    host.undecided = true;
    host.send(wire(20));
    assert_eq!(host.open.len(), 200 / (wire(1).len() - 2) + 1);
    assert!(!host.server.wants().input);
}

#[test]
fn s10_only_recipients_are_judged_while_recipients_are_open() {
    let mut host = Host::open(smtp(), &[]);
    host.undecided = true;
    assert_eq!(host.send("RCPT TO:<a@b>\r\nRCPT TO:<>\r\nRCP"), "");
    assert!(host.server.wants().input, "the line may become RCPT");
    host.send("T TO:<c@b>\r\nDATA\r\n");
    assert_eq!(host.open.len(), 2);
    assert!(!host.server.wants().input);
    assert_eq!(host.input, "DATA\r\n");
    // The last answer first.
    let Some(Event::Recipient(second)) = host.open.pop() else { panic!() };
    let Some(Event::Recipient(first)) = host.open.pop() else { panic!() };
    host.server.answer(second.token, Reply::NO_SUCH_USER).unwrap();
    host.run();
    assert_eq!(host.take_output(), "");
    host.server.answer(first.token, Reply::RECIPIENT_OK).unwrap();
    host.run();
    assert_eq!(codes(&host.take_output()), "250 2.1.5, 501 5.1.3, 550 5.1.1, 354");
}

#[test]
fn events_that_nobody_takes_hold_the_client_back() {
    let mut config = smtp();
    config.limits.events = 5;
    config.ask.recipient = false;
    let mut server = Server::new(config, [1; 32]);
    let mut input = bytes::BytesMut::from("EHLO a\r\nMAIL FROM:<a@b>\r\n");
    (0..100).for_each(|_| input.extend_from_slice(b"RCPT TO:<a@b>\r\n"));
    let now = mailwright_core::value::Instant::ORIGIN;
    let mut seen = 0;
    while !input.is_empty() {
        let before = input.len();
        server.handle_input(&mut input, now);
        assert!(input.len() < before);
        assert!(input.is_empty() || !server.wants().input);
        let count = core::iter::from_fn(|| server.poll_event()).count();
        assert!(count <= 6, "{count}");
        seen += count;
    }
    assert_eq!(seen, 104, "EHLO, two reports about what did not wait, MAIL and each RCPT");
}

#[test]
fn replies_that_wait_for_answers_count_as_output() {
    let mut config = smtp();
    config.limits.output = 1000;
    let mut host = Host::open(config, &[]);
    (host.undecided, host.unread) = (true, true);
    while host.server.wants().input {
        host.send("RCPT TO:<a@b>\r\n");
    }
    host.undecided = false;
    for event in core::mem::take(&mut host.open) {
        host.answer(event);
    }
    let output = host.server.transmit().len();
    assert!((300..=1000).contains(&output), "{output}");
}

#[test]
fn a_token_is_good_for_one_question_of_one_session() {
    let open = |seed: u8| {
        let mut host = Host::new(smtp());
        host.server = Server::new(smtp(), [seed; 32]);
        host.undecided = true;
        host.send("EHLO a\r\nMAIL FROM:<a@b>\r\n");
        host.take_output();
        host.send("RCPT TO:<a@b>\r\n");
        let Some(Event::Recipient(it)) = host.open.pop() else { panic!() };
        (host, it.token)
    };
    let (mut one, token_of_one) = open(1);
    let (mut two, _) = open(2);
    let refused = two.server.answer(token_of_one, Reply::RECIPIENT_OK).unwrap_err();
    assert_eq!(refused.misuse, Misuse::NotOpen);
    assert_eq!(two.server.wants().answers, 1);
    let refused = one.server.answer(refused.token, Reply::START_CONTENT).unwrap_err();
    assert_eq!(refused.misuse, Misuse::WrongAnswer);
    one.server.answer(refused.token, Reply::RECIPIENT_OK).unwrap();
    one.run();
    assert_eq!(codes(&one.take_output()), "250 2.1.5");
}

#[test]
fn a_host_can_end_the_session_with_421_in_its_turn() {
    let mut host = Host::open(lmtp(), &[]);
    host.undecided = true;
    host.send("RCPT TO:<a@b>\r\nRCPT TO:<c@b>\r\nRCPT TO:<d@b>\r\n");
    let mut tokens: Vec<RecipientToken> = Vec::new();
    for event in host.open.drain(..) {
        let Event::Recipient(it) = event else { panic!() };
        tokens.push(it.token);
    }
    let (third, second, first) = (tokens.pop().unwrap(), tokens.pop().unwrap(), tokens.pop().unwrap());
    host.server.answer(second, Reply::SERVICE_UNAVAILABLE).unwrap();
    host.run();
    assert!(!host.closed(), "the first waits for its answer");
    host.send("RCPT TO:<e@b>\r\n");
    assert!(host.open.is_empty(), "nothing behind it is asked");
    host.server.answer(first, Reply::RECIPIENT_OK).unwrap();
    host.run();
    assert_eq!(codes(&host.take_output()), "250 2.1.5, 421 4.3.2");
    assert!(host.closed());
    assert_eq!(host.server.answer(third, Reply::RECIPIENT_OK).unwrap_err().misuse, Misuse::NotOpen);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn s10_a_thousand_pipelined_recipients_get_a_thousand_replies_in_order(
        sizes in proptest::collection::vec(1usize..4000, 1..20),
        picks in proptest::collection::vec(any::<usize>(), 1..50),
        bursts in proptest::collection::vec(0usize..40, 1..20),
    ) {
        let mut wire = String::new();
        let mut expected = String::new();
        for number in 0..1000 {
            // Every tenth is refused by the session itself, every tenth by the host.
            let (path, reply) = match number % 10 {
                3 => ("<>".to_string(), "501 5.1.3 Bad recipient address syntax".to_string()),
                7 => (format!("<{number}@b>"), format!("550 5.1.1 {number}")),
                _ => (format!("<{number}@b>"), format!("250 2.1.5 {number}")),
            };
            write!(wire, "RCPT TO:{path}\r\n").unwrap();
            write!(expected, "{reply}\r\n").unwrap();
        }
        wire.push_str("DATA\r\n");
        let mut config = smtp();
        (config.limits.soft_errors, config.limits.hard_errors) = (1000, 1000);
        let mut host = Host::open(config, &[]);
        host.undecided = true;
        let (mut rest, mut said) = (wire.as_bytes(), String::new());
        let (mut sizes, mut picks, mut bursts) = (sizes.iter().cycle(), picks.iter().cycle(), bursts.iter().cycle());
        while !rest.is_empty() || !host.open.is_empty() {
            let size = (*sizes.next().unwrap()).min(rest.len());
            said += &host.send(&rest[..size]);
            rest = &rest[size..];
            let burst = if rest.is_empty() { usize::MAX } else { *bursts.next().unwrap() };
            for _ in 0..burst.min(host.open.len()) {
                let event = host.open.swap_remove(picks.next().unwrap() % host.open.len());
                let Event::Recipient(it) = event else { break };
                let name = it.path.mailbox().unwrap().local_part().as_str().to_string();
                let refused = name.ends_with('7');
                let reply = if refused {
                    Reply::NO_SUCH_USER.with_text(name)
                } else {
                    Reply::RECIPIENT_OK.with_text(name)
                };
                host.server.answer(it.token, reply.unwrap()).unwrap();
            }
            host.run();
            said += &host.take_output();
        }
        expected.push_str("354 Start mail input; end with <CRLF>.<CRLF>\r\n");
        prop_assert_eq!(said, expected);
        prop_assert_eq!(host.server.recipients(), 800, "accepted recipients");
        prop_assert_eq!(host.events.iter().filter(|event| event.as_str() == "data 800").count(), 1);
    }
}

#[test]
fn s10_a_thousand_recipients_that_are_answered_last_first_get_their_replies_in_order() {
    for size in [1, 7, usize::MAX] {
        let wire: String = (0..1000).map(|number| format!("RCPT TO:<{number}@b>\r\n")).collect();
        let mut host = Host::open(smtp(), &[]);
        host.undecided = true;
        for piece in wire.as_bytes().chunks(size) {
            assert_eq!(host.send(piece), "", "a reply that nobody has decided");
        }
        assert_eq!(host.open.len(), 1000, "all of them are asked at once");
        while let Some(Event::Recipient(it)) = host.open.pop() {
            let number = it.index;
            host.server.answer(it.token, Reply::OK.with_text(number.to_string()).unwrap()).unwrap();
            host.run();
            if number > 0 {
                assert_eq!(host.take_output(), "", "the first is still open");
            }
        }
        let expected: String = (0..1000).map(|number| format!("250 2.0.0 {number}\r\n")).collect();
        assert_eq!(host.take_output(), expected);
    }
}

#[test]
fn a_reply_code_that_is_not_final_answers_no_recipient() {
    let mut host = Host::open(smtp(), &[]);
    host.undecided = true;
    host.send("RCPT TO:<a@b>\r\n");
    let Some(Event::Recipient(it)) = host.open.pop() else { panic!() };
    let forwarded = Reply::new(ReplyCode::WILL_FORWARD, None, "will forward").unwrap();
    host.server.answer(it.token, forwarded).unwrap();
    host.run();
    assert_eq!(host.take_output(), "251 2.0.0 will forward\r\n");
    assert_eq!(host.server.recipients(), 1, "any 2yz accepts");
}

#[test]
fn s10_answered_recipients_make_room_for_others() {
    let mut config = smtp();
    config.limits.undecided_octets = 100;
    let mut host = Host::open(config, &[]);
    for _ in 0..50 {
        host.undecided = true;
        host.send("RCPT TO:<somebody@example.org>\r\n");
        assert!(host.server.wants().input);
        host.undecided = false;
        let event = host.open.remove(0);
        host.answer(event);
        host.run();
        assert_eq!(codes(&host.take_output()), "250 2.1.5");
    }
}

#[test]
fn s10_a_recipient_behind_an_undecided_ehlo_waits_for_it() {
    let mut config = smtp();
    config.ask.hello = true;
    let mut host = Host::open(config, &["a@b"]);
    host.undecided = true;
    assert_eq!(host.send("EHLO a\r\nRCPT TO:<c@b>\r\n"), "");
    assert_eq!(host.open.len(), 1);
    host.undecided = false;
    let event = host.open.remove(0);
    host.answer(event);
    host.run();
    assert_eq!(codes(&host.take_output()), "250, 503 5.5.1", "EHLO ended the transaction");
}

#[test]
fn s13_nothing_is_read_behind_a_last_reply_that_waits_for_its_turn() {
    let mut config = smtp();
    config.limits.hard_errors = 1;
    let mut host = Host::open(config, &[]);
    host.undecided = true;
    host.send("RCPT TO:<a@b>\r\nRCPT TO:<>\r\nRCPT TO:<c@b>\r\n");
    host.send("RCPT TO:<d@b>\r\n");
    assert_eq!(host.open.len(), 1);
    assert!(!host.server.wants().input);
    host.undecided = false;
    let event = host.open.remove(0);
    host.answer(event);
    host.run();
    assert_eq!(codes(&host.take_output()), "250 2.1.5, 421 4.7.0");
}

#[test]
fn an_end_of_the_connection_is_told_behind_what_stands_before_it() {
    let mut host = Host::in_content(smtp());
    host.server.hold(true);
    host.send("a\r\n.\r\nNOOP\r\n");
    assert_eq!(host.eof(), "");
    assert!(!host.closed(), "a whole message waits");
    host.server.hold(false);
    host.run();
    assert_eq!(codes(&host.take_output()), "250 2.0.0, 250 2.0.0");
    assert_eq!(host.events.last().unwrap(), "closed Disconnected");
}
