//! DATA, content, and the replies to it; LMTP.

use super::*;
use crate::content::ContentError;

#[test]
fn content_is_stuffed_terminated_once_and_answered() {
    let mut peer = Peer::ready(config(), &[]);
    peer.open_content();
    assert_eq!(peer.client.content(b"Subject: x\r\n\r\n.\r\nRSET\r\n").unwrap(), 23);
    let end = peer.client.end_content().unwrap();
    assert_eq!((end.octets, end.line_end_added), (23, false));
    assert_eq!(peer.said(), "Subject: x\r\n\r\n..\r\nRSET\r\n.\r\n");
    assert_eq!(peer.server("250 2.0.0 queued\r\n"), ["Message#4 250 2.0.0 queued"]);
    assert!(!peer.client.in_transaction());
}

#[test]
fn b1_empty_content_is_one_terminator_and_no_further_command() {
    let mut peer = Peer::ready(config(), &[]);
    peer.open_content();
    peer.client.end_content().unwrap();
    assert_eq!(peer.said(), ".\r\n");
}

#[test]
fn b4_a_missing_line_end_is_added_and_reported() {
    let mut peer = Peer::ready(config(), &[]);
    peer.open_content();
    peer.client.content(b"x").unwrap();
    assert!(peer.client.end_content().unwrap().line_end_added);
    assert_eq!(peer.said(), "x\r\n.\r\n");
}

#[test]
fn b5_a_bare_line_end_closes_without_a_terminator() {
    for (body, error) in [
        (&b"a\nb"[..], ContentError::BareLineFeed { offset: 1 }),
        (b"a\r\n.\rb", ContentError::BareCarriageReturn { offset: 4 }),
    ] {
        let mut peer = Peer::ready(config(), &[]);
        peer.open_content();
        peer.client.content(b"ok\r\n").unwrap();
        let failed = peer.client.content(body);
        let offset = |error| match error {
            ContentError::BareLineFeed { offset } => ContentError::BareLineFeed { offset: offset + 4 },
            ContentError::BareCarriageReturn { offset } => {
                ContentError::BareCarriageReturn { offset: offset + 4 }
            }
            other => other,
        };
        assert_eq!(failed, Err(SendError::Content(offset(error))));
        assert!(matches!(peer.closed(), Closed::Content(_)));
        assert_eq!(peer.said(), "");
        assert_eq!(peer.client.end_content(), Err(SendError::Misuse(Misuse::Closed)));
    }
}

#[test]
fn b5_a_bare_cr_as_last_octet_closes_at_the_end() {
    let mut peer = Peer::ready(config(), &[]);
    peer.open_content();
    peer.client.content(b"a\r").unwrap();
    assert!(peer.client.end_content().is_err());
    assert!(matches!(peer.closed(), Closed::Content(_)));
    assert_eq!(peer.said(), "");
}

#[test]
fn b5_bare_line_ends_are_normalised_where_that_is_configured() {
    let mut normalise = config();
    normalise.bare_line_ends = crate::content::BarePolicy::Normalise;
    let mut peer = Peer::ready(normalise, &[]);
    peer.open_content();
    peer.client.content(b"a\n.\nb\r.c").unwrap();
    peer.client.end_content().unwrap();
    assert_eq!(peer.said(), "a\r\n..\r\nb\r\n..c\r\n.\r\n");
}

#[test]
fn b6_pieces_of_any_size_give_the_same_octets() {
    let body = b".a\r\n..\r\n\r\n.b\r\nc.\r\n";
    let mut outputs = Vec::new();
    for size in 1..=body.len() {
        let mut peer = Peer::ready(config(), &[]);
        peer.open_content();
        for piece in body.chunks(size) {
            assert_eq!(peer.client.content(piece).unwrap(), piece.len());
        }
        peer.client.end_content().unwrap();
        outputs.push(peer.said());
    }
    outputs.dedup();
    assert_eq!(outputs, ["..a\r\n...\r\n\r\n..b\r\nc.\r\n.\r\n"]);
}

#[test]
fn r4_eight_bit_content_never_leaves_in_a_seven_bit_transaction() {
    let mut peer = Peer::ready(config(), &["8BITMIME"]);
    peer.open_content();
    let failed = peer.client.content("grün\r\n".as_bytes());
    assert_eq!(failed, Err(SendError::Content(ContentError::EightBit { offset: 2 })));
    assert_eq!(peer.said(), "");
    assert!(matches!(peer.closed(), Closed::Content(_)));

    let mut peer = Peer::ready(config(), &["8BITMIME", "PIPELINING"]);
    let mut options = MailOptions::default();
    options.eight_bit = true;
    peer.mail(options);
    peer.client.rcpt(&recipient("bob")).unwrap();
    peer.client.data().unwrap();
    peer.server("250 ok\r\n354 go\r\n");
    assert!(peer.client.content("grün\r\n".as_bytes()).is_ok());
}

#[test]
fn c9_content_is_taken_only_as_far_as_there_is_room() {
    let mut small = config();
    small.limits.output = 1000;
    let mut peer = Peer::ready(small, &[]);
    peer.open_content();
    let body = b"0123456789abcdef\r\n".repeat(1000);
    let mut rest = &body[..];
    let mut wire = String::new();
    while !rest.is_empty() {
        let taken = peer.client.content(rest).unwrap();
        assert!(taken <= 1000 && peer.client.transmit().len() <= 2000);
        if taken == 0 {
            wire.push_str(&peer.said());
        }
        rest = &rest[taken..];
    }
    peer.client.end_content().unwrap();
    wire.push_str(&peer.said());
    assert_eq!(wire.as_bytes(), [&body[..], b".\r\n"].concat());
}

#[test]
fn content_is_misuse_before_354_and_after_the_end() {
    let mut peer = Peer::ready(config(), &[]);
    assert_eq!(peer.client.content(b"x"), Err(SendError::Misuse(Misuse::WrongState)));
    peer.open_content();
    assert_eq!(peer.client.noop(), Err(Misuse::WrongState));
    peer.client.end_content().unwrap();
    assert_eq!(peer.client.content(b"x"), Err(SendError::Misuse(Misuse::WrongState)));
    assert_eq!(peer.client.end_content(), Err(SendError::Misuse(Misuse::WrongState)));
    assert_eq!(peer.said(), ".\r\n");
}

#[test]
fn c4_when_every_recipient_was_refused_a_354_gets_an_empty_content() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    peer.client.rcpt(&recipient("bob")).unwrap();
    let data = peer.client.data().unwrap();
    let _ = peer.said();
    let events = peer.server("250 ok\r\n550 no\r\n354 go\r\n");
    assert_eq!(events.len(), 2);
    assert_eq!(peer.said(), ".\r\n");
    assert_eq!(
        peer.server("554 5.5.1 no valid recipients\r\n"),
        [alloc::format!("ContentRefused#{data} 554 5.5.1 no valid recipients")]
    );
    // The transaction is over: the next one needs no RSET.
    assert!(peer.client.mail(&sender(), MailOptions::default()).is_ok());
}

#[test]
fn c4_when_mail_was_refused_a_354_gets_an_empty_content_too() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    peer.client.rcpt(&recipient("bob")).unwrap();
    peer.client.data().unwrap();
    let _ = peer.said();
    peer.server("550 no\r\n503 no\r\n354 go\r\n");
    assert_eq!(peer.said(), ".\r\n");
}

#[test]
fn c4_a_server_that_accepts_recipients_of_a_refused_sender_gets_nothing() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    peer.client.rcpt(&recipient("bob")).unwrap();
    peer.client.data().unwrap();
    let _ = peer.said();
    let closed = peer.server_closes("550 no\r\n250 ok\r\n354 go\r\n");
    assert!(matches!(closed, Closed::Unexpected(Awaited::Data, _)));
    assert_eq!(peer.said(), "");
}

#[test]
fn c4_a_refused_data_leaves_the_session_usable() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.mail(MailOptions::default());
    peer.client.rcpt(&recipient("bob")).unwrap();
    let data = peer.client.data().unwrap();
    assert_eq!(
        peer.server("550 no\r\n554 5.5.1 no valid recipients\r\n").last().unwrap(),
        &alloc::format!("ContentRefused#{data} 554 5.5.1 no valid recipients")
    );
    assert_eq!(peer.client.mail(&sender(), MailOptions::default()), Err(Misuse::WrongState));
    peer.client.reset().unwrap();
    assert!(peer.client.mail(&sender(), MailOptions::default()).is_ok());
}

#[test]
fn c4_a_2yz_or_another_3yz_to_data_is_a_protocol_error() {
    for reply in ["250 ok", "220 x", "334 x", "355 x"] {
        let mut peer = Peer::ready(config(), &[]);
        peer.mail(MailOptions::default());
        peer.client.rcpt(&recipient("bob")).unwrap();
        peer.server("250 ok\r\n");
        peer.client.data().unwrap();
        let closed = peer.server_closes(alloc::format!("{reply}\r\n"));
        assert!(matches!(closed, Closed::Unexpected(Awaited::Data, _)), "{reply}");
    }
}

#[test]
fn c7_lmtp_awaits_exactly_one_reply_for_each_accepted_recipient_in_order() {
    let mut peer = Peer::ready(lmtp(), &["PIPELINING"]);
    peer.mail(MailOptions::default());
    let ids: Vec<_> =
        ["a", "b", "c", "b"].iter().map(|name| peer.client.rcpt(&recipient(name)).unwrap()).collect();
    let data = peer.client.data().unwrap();
    peer.server("250 ok\r\n550 no\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    peer.client.end_content().unwrap();
    assert_eq!(
        peer.server("250 2.0.0 a\r\n452 4.2.2 c\r\n"),
        [
            alloc::format!("Message#{data} for #{} 250 2.0.0 a", ids[0]),
            alloc::format!("Message#{data} for #{} 452 4.2.2 c", ids[2])
        ]
    );
    assert_eq!(peer.client.in_flight(), 1);
    peer.server("250 2.0.0 b\r\n");
    assert!(matches!(peer.server_closes("250 one too many\r\n"), Closed::Unsolicited(_)));
}

#[test]
fn c7_lmtp_without_accepted_recipient_awaits_nothing_behind_an_empty_content() {
    let mut peer = Peer::ready(lmtp(), &["PIPELINING"]);
    peer.mail(MailOptions::default());
    peer.client.rcpt(&recipient("a")).unwrap();
    let data = peer.client.data().unwrap();
    let _ = peer.said();
    let events = peer.server("550 no\r\n354 go\r\n");
    assert_eq!(events.last().unwrap(), &alloc::format!("ContentRefused#{data}"));
    assert_eq!((peer.said().as_str(), peer.client.in_flight()), (".\r\n", 0));
}

#[test]
fn c9_the_next_transaction_may_be_pipelined_behind_the_content() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.open_content();
    peer.client.end_content().unwrap();
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    peer.client.rcpt(&recipient("carol")).unwrap();
    assert_eq!(peer.said().lines().count(), 3);
    let events = peer.server("250 queued\r\n250 ok\r\n250 ok\r\n");
    assert!(
        events[0].starts_with("Message") && events[1].starts_with("Sender") && events[2].contains("Accepted")
    );
}

#[test]
fn aborting_inside_content_writes_nothing_more() {
    let mut peer = Peer::ready(config(), &[]);
    peer.open_content();
    peer.client.content(b"half a mess").unwrap();
    peer.client.abort();
    assert_eq!(peer.closed(), Closed::Aborted);
    assert_eq!(peer.said(), "");
    assert!(peer.client.wants().close);
}
