//! What a server does wrong, and connections that end.

use super::*;
use crate::parse::ReplyParseErrorKind;

#[test]
fn c3_a_reply_to_nothing_ends_the_session() {
    let mut peer = Peer::ready(config(), &[]);
    let Closed::Unsolicited(reply) = peer.server_closes("250 surprise\r\n") else { panic!() };
    assert_eq!(reply.to_string(), "250 surprise");
}

#[test]
fn c3_a_reply_inside_content_ends_the_session() {
    let mut peer = Peer::ready(config(), &[]);
    peer.open_content();
    assert!(matches!(peer.server_closes("250 already\r\n"), Closed::Unsolicited(_)));
}

#[test]
fn c3_one_reply_too_many_in_a_group_ends_the_session() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    assert!(matches!(peer.server_closes("250 ok\r\n250 ok\r\n"), Closed::Unsolicited(_)));
}

#[test]
fn c3_a_3yz_reply_where_none_belongs_is_a_protocol_error() {
    type Give = fn(&mut Peer);
    let commands: [(Give, Awaited); 5] = [
        (|peer| _ = peer.client.mail(&sender(), MailOptions::default()), Awaited::Mail),
        (
            |peer| {
                peer.mail(MailOptions::default());
                peer.client.rcpt(&recipient("bob")).unwrap();
            },
            Awaited::Rcpt,
        ),
        (|peer| _ = peer.client.reset(), Awaited::Rset),
        (|peer| _ = peer.client.noop(), Awaited::Noop),
        (|peer| _ = peer.client.quit(), Awaited::Quit),
    ];
    for (give, awaited) in commands {
        let mut peer = Peer::ready(config(), &[]);
        give(&mut peer);
        let Closed::Unexpected(at, _) = peer.server_closes("354 go\r\n") else { panic!("{awaited}") };
        assert_eq!(at, awaited);
    }
    let mut peer = Peer::ready(config(), &[]);
    peer.open_content();
    peer.client.end_content().unwrap();
    assert!(matches!(peer.server_closes("354 go\r\n"), Closed::Unexpected(Awaited::Message, _)));
}

#[test]
fn c3_malformed_replies_end_the_session_with_their_octets() {
    for (text, kind) in [
        (&b"HTTP/1.1 400\r\n"[..], ReplyParseErrorKind::Code),
        (b"150 ok\r\n", ReplyParseErrorKind::Code),
        (b"250\tok\r\n", ReplyParseErrorKind::Separator),
        (b"250 ok\n", ReplyParseErrorKind::BareLineFeed),
        (b"250 o\0k\r\n", ReplyParseErrorKind::Nul),
    ] {
        let mut peer = Peer::ready(config(), &[]);
        peer.client.noop().unwrap();
        let Closed::Malformed(error) = peer.server_closes(text) else { panic!() };
        assert_eq!(error.kind, kind);
        assert!(!error.excerpt.as_bytes().is_empty());
    }
}

#[test]
fn c3_malformed_replies_are_the_same_error_in_every_segmentation() {
    for text in [
        "250-a\r\n251 b\r\n",
        "250-a\r\n250-b\r\n999 c\r\n",
        "250-a\r\n250x\r\n",
        "250-a\r\n\r\n",
        "250 a\rb\r\n",
        "600 ok\r\n",
        "560 ok\r\n",
        "199 ok\r\n",
        "2500 ok\r\n",
    ] {
        let mut whole = Peer::ready(config(), &[]);
        whole.client.noop().unwrap();
        let expected = whole.server_closes(text);
        assert!(matches!(expected, Closed::Malformed(_)), "{text:?} {expected:?}");
        for cut in 0..text.len() {
            let mut peer = Peer::ready(config(), &[]);
            peer.client.noop().unwrap();
            peer.input.extend_from_slice(&text.as_bytes()[..cut]);
            peer.client.handle_input(&mut peer.input, peer.now);
            assert_eq!(peer.server_closes(&text[cut..]), expected, "{text:?} {cut}");
        }
    }
}

#[test]
fn c3_a_reply_without_end_is_an_error_at_the_limits() {
    for (line, kind) in [
        ("250-\r\n", ReplyParseErrorKind::TooManyLines),
        (&*alloc::format!("250-{}\r\n", "x".repeat(1000)), ReplyParseErrorKind::TooLong),
        ("250-xxxxxxxxxxxxxx", ReplyParseErrorKind::LineTooLong),
    ] {
        let mut peer = Peer::ready(config(), &[]);
        peer.client.noop().unwrap();
        let mut sent = 0;
        while !peer.client.is_closed() {
            assert!(sent <= 102_000, "{kind}");
            peer.input.extend_from_slice(line.as_bytes());
            sent += line.len();
            peer.client.handle_input(&mut peer.input, peer.now);
        }
        let Closed::Malformed(error) = peer.closed() else { panic!() };
        assert_eq!(error.kind, kind);
    }
}

#[test]
fn c3_a_421_at_any_time_ends_the_session_with_its_text() {
    type Give = fn(&mut Peer);
    let states: [Give; 5] = [
        |_| {},
        |peer| _ = peer.client.noop(),
        |peer| _ = peer.client.mail(&sender(), MailOptions::default()),
        Peer::open_content,
        |peer| {
            peer.open_content();
            peer.client.end_content().unwrap();
        },
    ];
    for give in states {
        let mut peer = Peer::ready(config(), &[]);
        give(&mut peer);
        let _ = peer.said();
        let Closed::Service(reply) = peer.server_closes("421 4.3.2 going down\r\n") else { panic!() };
        assert_eq!(reply.to_string(), "421 4.3.2 going down");
        assert_eq!(peer.said(), "");
    }
}

/// Has delivered one message.
fn reused() -> Peer {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.open_content();
    peer.client.end_content().unwrap();
    peer.server("250 queued\r\n");
    let _ = peer.said();
    peer
}

#[test]
fn c3_a_reused_connection_that_ends_before_the_reply_to_mail_is_stale() {
    type Give = fn(&mut Peer);
    let states: [Give; 4] = [
        |_| {},
        |peer| _ = peer.client.mail(&sender(), MailOptions::default()),
        |peer| {
            peer.client.mail(&sender(), MailOptions::default()).unwrap();
            peer.client.rcpt(&recipient("bob")).unwrap();
        },
        |peer| _ = peer.client.reset(),
    ];
    for give in states {
        let mut peer = reused();
        give(&mut peer);
        peer.client.handle_eof(peer.now);
        assert_eq!(peer.closed(), Closed::Stale(None));

        let mut peer = reused();
        give(&mut peer);
        assert!(matches!(peer.server_closes("421 idle too long\r\n"), Closed::Stale(Some(_))));
    }
}

#[test]
fn c3_after_the_reply_to_mail_it_is_not_stale() {
    let mut peer = reused();
    peer.mail(MailOptions::default());
    peer.client.rcpt(&recipient("bob")).unwrap();
    peer.client.handle_eof(peer.now);
    assert_eq!(peer.closed(), Closed::Disconnected(Awaited::Rcpt));
}

#[test]
fn c3_while_a_message_awaits_its_reply_it_is_not_stale() {
    let mut peer = reused();
    peer.open_content();
    peer.client.end_content().unwrap();
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    peer.client.handle_eof(peer.now);
    assert_eq!(peer.closed(), Closed::Disconnected(Awaited::Message));
}

#[test]
fn c3_a_first_transaction_is_never_stale() {
    let mut peer = Peer::ready(config(), &[]);
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    peer.client.handle_eof(peer.now);
    assert_eq!(peer.closed(), Closed::Disconnected(Awaited::Mail));
}

#[test]
fn c4_a_server_that_refuses_mail_and_closes_leaves_its_refusal() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    peer.client.rcpt(&recipient("bob")).unwrap();
    peer.server("550 5.7.1 not you\r\n");
    peer.client.handle_eof(peer.now);
    let Closed::Sender(reply) = peer.closed() else { panic!() };
    assert_eq!(reply.to_string(), "550 5.7.1 not you");
}

#[test]
fn a_connection_that_ends_in_the_opening_says_what_was_awaited() {
    let mut peer = Peer::new(config());
    peer.client.handle_eof(peer.now);
    assert_eq!(peer.closed(), Closed::Disconnected(Awaited::Greeting));
    let mut peer = Peer::new(config());
    peer.server("220 x\r\n");
    peer.client.handle_eof(peer.now);
    assert_eq!(peer.closed(), Closed::Disconnected(Awaited::Hello));
}

#[test]
fn after_the_end_there_is_silence() {
    let mut peer = Peer::ready(config(), &[]);
    peer.client.abort();
    assert_eq!(peer.closed(), Closed::Aborted);
    assert!(peer.server("250 ok\r\n").is_empty());
    peer.client.handle_eof(peer.now);
    peer.client.handle_timeout(Instant::from_millis(u64::MAX));
    peer.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), peer.now);
    peer.client.abort();
    assert!(peer.events().is_empty());
    assert_eq!((peer.said().as_str(), peer.client.poll_timeout()), ("", None));
    assert_eq!(peer.client.wants(), Wants::CLOSE);
}

#[test]
fn limits_events_that_nobody_takes_hold_the_server_back() {
    let mut many = config();
    many.limits.recipients = 1000;
    let mut peer = Peer::ready(many, &["PIPELINING"]);
    peer.mail(MailOptions::default());
    for _ in 0..500 {
        peer.client.rcpt(&recipient("bob")).unwrap();
    }
    peer.input.extend_from_slice("250 ok\r\n".repeat(500).as_bytes());
    peer.client.handle_input(&mut peer.input, peer.now);
    assert_eq!(peer.client.wants(), Wants::default());
    assert_eq!(peer.client.events.len(), 64);
    let left = peer.input.len();
    peer.client.handle_input(&mut peer.input, peer.now);
    assert_eq!(peer.input.len(), left);
    // The server's clock stands still meanwhile.
    peer.at(100_000);
    assert!(!peer.client.is_closed());
    assert_eq!(peer.events().len(), 500);
}

#[test]
fn limits_an_idle_session_holds_no_large_buffers() {
    let mut many = config();
    many.limits.recipients = 1000;
    let mut peer = Peer::ready(many, &["PIPELINING"]);
    peer.mail(MailOptions::default());
    for _ in 0..900 {
        peer.client.rcpt(&recipient("bob")).unwrap();
        let _ = peer.said();
    }
    peer.server("250 ok\r\n".repeat(900));
    assert!(peer.client.in_flight.capacity() <= 64, "{}", peer.client.in_flight.capacity());
    assert!(peer.client.events.capacity() <= 16);
}
