//! BDAT at the client, and the parameters of the newer extensions: R-5, R-6, C-7, C-8, C-10.

use mailwright_core::session::{Progress, Task};

use super::*;
use crate::content::ContentError;
use crate::types::{DeliverBy, EnhancedCode, Hold, HoldInterval, Priority, ValidSince};

const ALL: &[&str] = &["PIPELINING", "CHUNKING", "BINARYMIME", "8BITMIME", "SMTPUTF8"];

/// A client with these recipients accepted.
fn opened(config: Config, extensions: &[&str], options: MailOptions, names: &[&str]) -> Peer {
    let mut peer = Peer::ready(config, extensions);
    peer.mail(options);
    for name in names {
        peer.client.rcpt(&recipient(name)).unwrap();
        peer.server("250 2.1.5 OK\r\n");
    }
    let _ = peer.said();
    peer
}

fn open() -> Peer {
    opened(config(), ALL, MailOptions::default(), &["bob"])
}

fn eight_bit() -> MailOptions {
    MailOptions { eight_bit: true, ..MailOptions::default() }
}

fn binary() -> MailOptions {
    MailOptions { binary: true, ..MailOptions::default() }
}

#[test]
fn a_message_goes_in_chunks_that_are_counted_and_not_stuffed() {
    let mut peer = open();
    let first = peer.client.bdat(5, false).unwrap();
    assert_eq!(peer.client.content_room(), 5);
    assert_eq!(peer.client.content(b".\r\n.").unwrap(), 4);
    assert_eq!(peer.client.content(b"\r\nrest").unwrap(), 1, "no more than the chunk has");
    let last = peer.client.bdat(6, true).unwrap();
    assert_eq!(peer.client.content(b"\nQUIT").unwrap(), 5);
    assert_eq!(peer.said(), "BDAT 5\r\n.\r\n.\rBDAT 6 LAST\r\n\nQUIT");
    assert!(last > first);
    // A CR as the last octet of all.
    let error = ContentError::BareCarriageReturn { offset: 10 };
    assert_eq!(peer.client.content(b"\r"), Err(SendError::Content(error)));
    assert!(matches!(peer.closed(), Closed::Content(_)));
    assert_eq!(peer.said(), "");
}

#[test]
fn chunks_are_pipelined_and_answered_in_order() {
    let mut peer = open();
    peer.client.bdat(4, false).unwrap();
    peer.client.content(b"a\r\n.").unwrap();
    peer.client.bdat(0, false).unwrap();
    peer.client.bdat(2, true).unwrap();
    peer.client.content(b"\r\n").unwrap();
    assert_eq!(peer.said(), "BDAT 4\r\na\r\n.BDAT 0\r\nBDAT 2 LAST\r\n\r\n");
    assert_eq!(
        peer.client.mail(&sender(), MailOptions::default()),
        Err(Misuse::Busy),
        "RSET might have to come first"
    );
    let events = peer.server("250 2.0.0 4 octets\r\n250 2.0.0 none\r\n250 2.0.0 queued\r\n");
    assert_eq!(
        events,
        ["Chunk#4 250 2.0.0 4 octets", "Chunk#5 250 2.0.0 none", "Message#6 250 2.0.0 queued"]
    );
    assert!(!peer.client.in_transaction() && !peer.client.must_reset());
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
}

#[test]
fn c9_without_pipelining_a_chunk_waits_for_the_reply_to_the_one_before() {
    let mut peer = opened(config(), &["CHUNKING"], MailOptions::default(), &["bob"]);
    peer.client.bdat(1, false).unwrap();
    assert_eq!(peer.client.bdat(1, true), Err(SendError::Misuse(Misuse::WrongState)), "the chunk is open");
    peer.client.content(b"x").unwrap();
    assert_eq!(peer.client.bdat(1, true), Err(SendError::Misuse(Misuse::Busy)));
    peer.server("250 OK\r\n");
    peer.client.bdat(0, true).unwrap();
    assert_eq!(peer.said(), "BDAT 1\r\nxBDAT 0 LAST\r\n");
}

#[test]
fn chunks_wait_until_all_recipients_are_answered() {
    let mut peer = Peer::ready(config(), ALL);
    assert_eq!(peer.client.bdat(1, true), Err(SendError::Misuse(Misuse::WrongState)));
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    assert_eq!(peer.client.bdat(1, true), Err(SendError::Misuse(Misuse::Busy)));
    peer.client.rcpt(&recipient("bob")).unwrap();
    peer.server("250 OK\r\n");
    assert_eq!(peer.client.bdat(1, true), Err(SendError::Misuse(Misuse::Busy)));
    peer.server("550 no\r\n");
    assert_eq!(peer.client.bdat(1, true), Err(SendError::Misuse(Misuse::WrongState)), "nobody gets it");
    assert_eq!(Peer::ready(config(), &[]).client.bdat(1, true), Err(SendError::Misuse(Misuse::NotAnnounced)),);
}

#[test]
fn r6_c10_behind_a_chunk_that_failed_only_rset_is_written() {
    let mut peer = open();
    peer.client.bdat(2, false).unwrap();
    peer.client.content(b"ab").unwrap();
    peer.client.bdat(4, false).unwrap();
    peer.client.content(b"cd").unwrap();
    assert_eq!(peer.server("452 4.3.1 full\r\n"), ["Chunk#4 452 4.3.1 full"]);
    assert!(peer.client.must_reset() && peer.client.in_transaction());
    // What was announced must come.
    peer.client.content(b"ef").unwrap();
    assert_eq!(peer.said(), "BDAT 2\r\nabBDAT 4\r\ncdef");
    assert_eq!(peer.client.bdat(1, true), Err(SendError::Misuse(Misuse::WrongState)));
    assert_eq!(peer.client.reset(), Err(Misuse::Busy));
    assert_eq!(peer.server("503 5.5.1 no\r\n"), ["Chunk#5 503 5.5.1 no"]);
    for misuse in [
        peer.client.mail(&sender(), MailOptions::default()),
        peer.client.rcpt(&recipient("carol")),
        peer.client.data(),
        peer.client.noop(),
        peer.client.quit(),
    ] {
        assert_eq!(misuse, Err(Misuse::WrongState));
    }
    peer.client.reset().unwrap();
    assert!(!peer.client.must_reset());
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    assert_eq!(peer.said(), "RSET\r\nMAIL FROM:<alice@client.example>\r\n");
}

#[test]
fn r6_a_last_chunk_that_failed_needs_rset_too() {
    let mut peer = open();
    peer.client.bdat(0, true).unwrap();
    peer.server("554 5.6.0 no\r\n");
    assert!(peer.client.must_reset());
    // In LMTP each reply speaks for a recipient.
    let mut peer = opened(lmtp(), ALL, MailOptions::default(), &["bob", "carol"]);
    peer.client.bdat(0, true).unwrap();
    let events = peer.server("554 5.6.0 no\r\n250 2.0.0 yes\r\n");
    assert_eq!(events, ["Message#5 for #3 554 5.6.0 no", "Message#5 for #4 250 2.0.0 yes"]);
    assert!(!peer.client.must_reset());
}

#[test]
fn c7_in_lmtp_the_last_chunk_awaits_a_reply_for_each_recipient_and_others_one() {
    let mut peer = opened(lmtp(), ALL, MailOptions::default(), &["bob", "carol"]);
    peer.client.bdat(1, false).unwrap();
    peer.client.content(b"x").unwrap();
    peer.client.bdat(0, true).unwrap();
    assert_eq!(peer.client.in_flight(), 3);
    peer.server("250 chunk\r\n250 bob\r\n452 carol\r\n");
    assert_eq!(peer.client.in_flight(), 0);
    assert!(matches!(peer.server_closes("250 more\r\n"), Closed::Unsolicited(_)));
}

#[test]
fn b5_bare_line_ends_and_eight_bit_octets_are_no_text_in_chunks_either() {
    for (options, pieces, error) in [
        (eight_bit(), &["a\nb"][..], ContentError::BareLineFeed { offset: 1 }),
        (eight_bit(), &["a\r", "b"], ContentError::BareCarriageReturn { offset: 1 }),
        (MailOptions::default(), &["a\u{fc}"], ContentError::EightBit { offset: 1 }),
    ] {
        let mut peer = opened(config(), ALL, options, &["bob"]);
        peer.client.bdat(100, true).unwrap();
        let failed = pieces.iter().find_map(|piece| peer.client.content(piece.as_bytes()).err());
        assert_eq!(failed, Some(SendError::Content(error)));
        assert!(matches!(peer.closed(), Closed::Content(_)));
        assert_eq!(peer.said(), "", "nothing more is written");
    }
    // Wherever the chunk is cut.
    let mut peer = open();
    peer.client.bdat(2, false).unwrap();
    peer.client.content(b"a\r").unwrap();
    peer.client.bdat(2, false).unwrap();
    peer.client.content(b"\nb").unwrap();
    assert_eq!(peer.said(), "BDAT 2\r\na\rBDAT 2\r\n\nb");
}

#[test]
fn r5_binary_content_goes_by_bdat_as_it_is() {
    let mut peer = Peer::ready(config(), ALL);
    peer.client.mail(&sender(), binary()).unwrap();
    assert_eq!(peer.said(), "MAIL FROM:<alice@client.example> BODY=BINARYMIME\r\n");
    peer.client.rcpt(&recipient("bob")).unwrap();
    peer.server("250 OK\r\n250 OK\r\n");
    let _ = peer.said();
    assert_eq!(peer.client.data(), Err(Misuse::WrongState));
    peer.client.bdat(4, true).unwrap();
    peer.client.content(b"\0\n\r\xff").unwrap();
    assert_eq!(peer.client.transmit().take(), &b"BDAT 4 LAST\r\n\0\n\r\xff"[..]);
    for extensions in [&["CHUNKING"][..], &["BINARYMIME"], &["8BITMIME", "PIPELINING"]] {
        assert_eq!(
            Peer::ready(config(), extensions).client.mail(&sender(), binary()),
            Err(Misuse::NotAnnounced)
        );
    }
}

#[test]
fn data_and_recipients_do_not_mix_with_chunks() {
    let mut peer = open();
    peer.client.bdat(0, false).unwrap();
    peer.server("250 OK\r\n");
    assert_eq!(peer.client.data(), Err(Misuse::WrongState));
    assert_eq!(peer.client.rcpt(&recipient("carol")), Err(Misuse::WrongState));
    assert!(matches!(peer.client.end_content(), Err(SendError::Misuse(Misuse::WrongState))));
    peer.client.bdat(0, true).unwrap();
}

#[test]
fn c3_a_3yz_reply_to_a_chunk_is_a_protocol_error() {
    for last in [false, true] {
        let mut peer = open();
        peer.client.bdat(0, last).unwrap();
        assert!(matches!(peer.server_closes("354 go\r\n"), Closed::Unexpected(..)));
    }
}

#[test]
fn timeouts_chunks_have_their_deadlines() {
    // The octets.
    let mut peer = open();
    peer.client.bdat(10, false).unwrap();
    peer.client.content(b"x").unwrap();
    peer.at(1);
    peer.at(180);
    assert!(!peer.client.is_closed());
    peer.at(182);
    assert!(matches!(peer.closed(), Closed::TimedOut(Awaited::Content)));
    // The replies.
    for (last, seconds, awaited) in [(false, 180, Awaited::Chunk), (true, 600, Awaited::Message)] {
        let mut peer = open();
        peer.client.bdat(1, last).unwrap();
        peer.client.content(b"x").unwrap();
        let _ = peer.said();
        peer.at(1);
        peer.at(seconds);
        assert!(!peer.client.is_closed(), "{awaited}");
        peer.at(seconds + 2);
        assert!(matches!(peer.closed(), Closed::TimedOut(found) if found == awaited));
    }
}

// ---- Parameters

fn mail(extensions: &[&str], options: MailOptions) -> Result<String, Misuse> {
    let mut peer = Peer::ready(config(), extensions);
    peer.client.mail(&sender(), options)?;
    let said = peer.said();
    Ok(said.trim_end().strip_prefix("MAIL FROM:<alice@client.example>").unwrap().into())
}

#[test]
fn c8_requests_to_a_queue_are_sent_where_they_are_announced_and_never_weakened() {
    let with = |change: &dyn Fn(&mut MailOptions)| {
        let mut options = MailOptions::default();
        change(&mut options);
        options
    };
    let returned = with(&|it| it.deliver_by = Some("120;R".parse::<DeliverBy>().unwrap()));
    let noted = with(&|it| it.deliver_by = Some("-5;NT".parse::<DeliverBy>().unwrap()));
    let held = with(&|it| it.hold = Some(Hold::For(HoldInterval::new(60).unwrap())));
    let urgent = with(&|it| it.priority = Some(Priority::new(4).unwrap()));
    let submitted = with(&|it| it.auth = Some("<e=mc2@example.com>".parse().unwrap()));
    let unknown = with(&|it| it.auth = Some("<>".parse().unwrap()));
    let beyond = with(&|it| it.auth = Some("<\u{fc}@example.com>".parse().unwrap()));
    let release = "FUTURERELEASE 60 2030-01-01T00:00:00Z";
    for (extensions, options, expected) in [
        (&["DELIVERBY"][..], &returned, Ok(" BY=120;R")),
        (&["DELIVERBY 120"], &returned, Ok(" BY=120;R")),
        (&["DELIVERBY 121"], &returned, Err(Misuse::TooLarge)),
        (&[], &returned, Err(Misuse::NotAnnounced)),
        (&["DELIVERBY 121"], &noted, Ok(" BY=-5;NT")),
        (&[], &noted, Ok("")),
        (&[release], &held, Ok(" HOLDFOR=60")),
        (&["FUTURERELEASE 59 2030-01-01T00:00:00Z"], &held, Err(Misuse::TooLarge)),
        (&[], &held, Err(Misuse::NotAnnounced)),
        (&["MT-PRIORITY"], &urgent, Ok(" MT-PRIORITY=4")),
        (&[], &urgent, Ok("")),
        (&["AUTH PLAIN"], &submitted, Ok(" AUTH=e+3Dmc2@example.com")),
        (&["AUTH"], &unknown, Ok(" AUTH=<>")),
        (&["AUTH"], &beyond, Ok(" AUTH=<>")),
        (&[], &submitted, Ok("")),
    ] {
        assert_eq!(
            mail(extensions, options.clone()).as_deref(),
            expected.as_deref(),
            "{extensions:?} {options:?}"
        );
    }
}

#[test]
fn c8_an_owner_since_a_moment_is_asked_for_or_the_recipient_fails() {
    let since = |text: &str| RecipientOptions {
        valid_since: Some(text.parse::<ValidSince>().unwrap()),
        ..RecipientOptions::default()
    };
    for (extensions, text, expected) in [
        (
            &["RRVS"][..],
            "2014-04-03T23:01:00Z",
            Ok("RCPT TO:<bob@server.example> RRVS=2014-04-03T23:01:00Z\r\n"),
        ),
        (
            &["RRVS"],
            "2014-04-03T23:01:00Z;C",
            Ok("RCPT TO:<bob@server.example> RRVS=2014-04-03T23:01:00Z;C\r\n"),
        ),
        (&[], "2014-04-03T23:01:00Z", Err(Misuse::NotAnnounced)),
        (&[], "2014-04-03T23:01:00Z;C", Ok("RCPT TO:<bob@server.example>\r\n")),
    ] {
        let mut peer = opened(config(), extensions, MailOptions::default(), &[]);
        let given = peer.client.rcpt_with(&recipient("bob"), &since(text));
        assert_eq!(given.map(|_| peer.said()).as_deref(), expected.as_deref(), "{extensions:?} {text}");
    }
}

fn in_tls(extensions: &str) -> Peer {
    let mut peer = Peer::new(with_tls(TlsMode::Implicit));
    peer.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), peer.now);
    peer.server("220 a\r\n");
    peer.server(alloc::format!("250-a\r\n250 {extensions}\r\n"));
    let _ = peer.said();
    peer
}

#[test]
fn c8_requiretls_needs_tls_and_its_announcement() {
    let options = || MailOptions { require_tls: true, ..MailOptions::default() };
    assert_eq!(mail(&["REQUIRETLS"], options()), Err(Misuse::NotAnnounced), "no TLS");
    assert_eq!(in_tls("8BITMIME").client.mail(&sender(), options()), Err(Misuse::NotAnnounced));
    let mut peer = in_tls("REQUIRETLS");
    peer.client.mail(&sender(), options()).unwrap();
    assert_eq!(peer.said(), "MAIL FROM:<alice@client.example> REQUIRETLS\r\n");
    // RFC 8689 §5: a report is not lost for it.
    let mut peer = in_tls("8BITMIME");
    peer.client.mail(&ReversePath::Null, options()).unwrap();
    assert_eq!(peer.said(), "MAIL FROM:<>\r\n");
}

#[test]
fn c8_rcptdomainmax_is_obeyed_over_the_session() {
    let mut peer =
        opened(config(), &["LIMITS RCPTDOMAINMAX=1", "PIPELINING"], MailOptions::default(), &["bob"]);
    let other: ForwardPath = "<bob@other.example>".parse().unwrap();
    assert_eq!(peer.client.rcpt(&other), Err(Misuse::SessionLimit));
    peer.client.rcpt(&recipient("carol")).unwrap();
    peer.client.rcpt(&ForwardPath::Postmaster).unwrap();
    peer.server("250 OK\r\n250 OK\r\n");
    peer.client.reset().unwrap();
    peer.client.mail(&sender(), MailOptions::default()).unwrap();
    assert_eq!(peer.client.rcpt(&other), Err(Misuse::SessionLimit));
    peer.client.rcpt(&recipient("bob")).unwrap();
}

#[test]
fn questions_beside_mail_are_written_and_answered() {
    let mut peer = Peer::ready(config(), &[]);
    let list = Query::Name(UserName::new("all staff").unwrap());
    peer.client.expn(&list).unwrap();
    peer.server("250-a\r\n250 b\r\n");
    peer.client.help(None).unwrap();
    peer.server("214 no\r\n");
    peer.client.help(Some(&UserName::new("MAIL").unwrap())).unwrap();
    assert_eq!(peer.server("214 no\r\n"), ["Reply#4 214 no"]);
    assert_eq!(peer.said(), "EXPN \"all staff\"\r\nHELP\r\nHELP MAIL\r\n");
    let mut peer = Peer::ready(config(), &["SMTPUTF8"]);
    peer.client.expn(&Query::Mailbox("\u{fc}@b".parse().unwrap())).unwrap();
    assert_eq!(peer.said(), "EXPN \u{fc}@b SMTPUTF8\r\n");
}

// ---- Deliveries

/// What the task does until it waits for the server.
fn step(peer: &mut Peer, task: &mut Deliver) -> Option<Result<Delivery, DeliverError>> {
    let mut progress = task.ready(&mut peer.client);
    loop {
        match progress {
            Progress::Done(result) => return Some(result),
            Progress::Continue => {}
            Progress::Item(want) => panic!("{want:?}"),
            Progress::NotMine(event) => panic!("foreign: {}", show(&event)),
        }
        let event = peer.client.poll_event()?;
        progress = task.handle(&mut peer.client, event);
    }
}

/// The server says something to a delivery.
fn say(peer: &mut Peer, task: &mut Deliver, text: &str) -> Option<Result<Delivery, DeliverError>> {
    peer.input.extend_from_slice(text.as_bytes());
    peer.client.handle_input(&mut peer.input, peer.now);
    step(peer, task)
}

fn started(peer: &mut Peer, names: &[&str], content: &'static [u8]) -> Deliver {
    let mut task = Deliver::new(sender(), names.iter().map(|name| recipient(name)), content);
    task.start(&mut peer.client).unwrap();
    assert!(step(peer, &mut task).is_none());
    task
}

#[test]
fn c8_a_delivery_goes_by_bdat_where_it_is_announced() {
    let mut peer = Peer::ready(config(), ALL);
    let mut task = started(&mut peer, &["bob"], b"x\r\n.\r\n");
    assert_eq!(
        peer.said(),
        "MAIL FROM:<alice@client.example> BODY=7BIT\r\nRCPT TO:<bob@server.example>\r\n"
            .replace(" BODY=7BIT", "")
    );
    assert!(say(&mut peer, &mut task, "250 ok\r\n250 ok\r\n").is_none());
    assert_eq!(peer.said(), "BDAT 6 LAST\r\nx\r\n.\r\n");
    let delivery = say(&mut peer, &mut task, "250 queued\r\n").unwrap().unwrap();
    assert!(delivery.is_complete());
    let mut config = config();
    config.chunking = false;
    let mut peer = Peer::ready(config, ALL);
    started(&mut peer, &["bob"], b"x\r\n");
    assert!(peer.said().ends_with("DATA\r\n"));
}

#[test]
fn chunks_grow_as_they_are_accepted() {
    let mut config = config();
    (config.limits.first_chunk, config.limits.largest_chunk) = (4, 12);
    let mut peer = Peer::ready(config, &["CHUNKING"]);
    let mut task = started(&mut peer, &["bob"], b"abcdefghijklmnopqrstuvwxyz0123456789\r\n");
    say(&mut peer, &mut task, "250 ok\r\n");
    say(&mut peer, &mut task, "250 ok\r\n");
    let mut sizes: Vec<usize> = Vec::new();
    loop {
        let said = peer.said();
        let size = said[said.find("BDAT ").unwrap() + 5..].split([' ', '\r']).next().unwrap();
        sizes.push(size.parse().unwrap());
        if say(&mut peer, &mut task, "250 ok\r\n").is_some() {
            break;
        }
    }
    // An event may come behind the room for the next chunk.
    let (last, others) = sizes.split_last().unwrap();
    assert_eq!(others.iter().sum::<usize>() + last, 38);
    assert!(others.is_sorted() && others.first() == Some(&4) && others.last() == Some(&12), "{sizes:?}");
}

#[test]
fn c10_a_chunk_that_failed_is_the_outcome_and_no_other_is_begun() {
    let mut config = config();
    (config.limits.first_chunk, config.limits.output) = (4, 120);
    let mut peer = Peer::ready(config, ALL);
    let mut task = started(&mut peer, &["nobody", "carol"], &[b'x'; 400]);
    let _ = peer.said();
    say(&mut peer, &mut task, "250 ok\r\n550 5.1.1 no\r\n");
    assert!(peer.said().is_empty(), "carol is not answered");
    say(&mut peer, &mut task, "250 ok\r\n");
    let said = peer.said();
    let begun = said.matches("BDAT").count();
    assert!(begun > 5, "{said}");
    assert!(say(&mut peer, &mut task, "452 4.3.1 full\r\n").is_none());
    let rest = peer.said();
    assert!(!rest.contains("BDAT"), "{rest}");
    let delivery = say(&mut peer, &mut task, &"503 5.5.1 no\r\n".repeat(begun - 1)).unwrap().unwrap();
    assert!(matches!(&delivery.rows[0].outcome, Outcome::Permanent { at: Awaited::Rcpt, .. }));
    assert!(
        matches!(&delivery.rows[1].outcome, Outcome::Transient { at: Awaited::Chunk, reply } if reply.code().get() == 452)
    );
    // The next one begins with RSET, and so does the end.
    assert!(peer.client.must_reset());
    let mut quit = Quit::new();
    quit.start(&mut peer.client).unwrap();
    assert_eq!(peer.said(), "RSET\r\nQUIT\r\n");
}

#[test]
fn c10_a_later_chunk_that_failed_makes_the_last_reply_void() {
    let mut config = lmtp();
    config.limits.first_chunk = 3;
    let mut peer = Peer::ready(config, ALL);
    let mut task = started(&mut peer, &["bob", "carol"], b"abcd\r\n");
    say(&mut peer, &mut task, "250 ok\r\n250 ok\r\n250 ok\r\n");
    assert!(peer.said().contains("BDAT 3 LAST\r\n"));
    let delivery =
        say(&mut peer, &mut task, "552 5.3.4 large\r\n503 5.5.1 no\r\n503 5.5.1 no\r\n").unwrap().unwrap();
    for row in &delivery.rows {
        assert!(matches!(&row.outcome, Outcome::Permanent { at: Awaited::Chunk, .. }), "{row:?}");
        assert_eq!(row.status(), EnhancedCode::new(5, 3, 4).ok());
    }
}

#[test]
fn a_delivery_behind_one_that_failed_at_a_chunk_resets_first() {
    let mut peer = Peer::ready(config(), ALL);
    let mut task = started(&mut peer, &["bob"], b"x\r\n");
    say(&mut peer, &mut task, "250 ok\r\n250 ok\r\n");
    let _ = peer.said();
    assert!(say(&mut peer, &mut task, "554 5.6.0 no\r\n").unwrap().unwrap().permanent().count() == 1);
    started(&mut peer, &["bob"], b"x\r\n");
    assert!(peer.said().starts_with("RSET\r\nMAIL "));
}

#[test]
fn streamed_content_is_collected_for_a_chunk() {
    let mut config = config();
    config.limits.first_chunk = 8;
    let mut peer = Peer::ready(config, ALL);
    let mut task = Deliver::streamed(sender(), [recipient("bob")]);
    task.start(&mut peer.client).unwrap();
    assert!(step(&mut peer, &mut task).is_none());
    peer.input.extend_from_slice(b"250 ok\r\n250 ok\r\n");
    peer.client.handle_input(&mut peer.input, peer.now);
    let mut wants = Vec::new();
    for piece in ["abc\r", "\ndef", "g\r", "\nh\r\n", ""] {
        let mut progress = task.ready(&mut peer.client);
        while let Progress::Continue = progress {
            let event = peer.client.poll_event().unwrap();
            progress = task.handle(&mut peer.client, event);
        }
        let Progress::Item(want) = progress else { panic!("{progress:?}") };
        wants.push((want.offset, want.room));
        if piece.is_empty() { task.finish() } else { task.push(piece.into()) }
    }
    assert!(step(&mut peer, &mut task).is_none());
    // A CR is not sent before what follows it is known.
    assert_eq!(wants, [(0, 9), (4, 5), (8, 9), (10, 7), (14, 3)]);
    assert!(peer.said().ends_with("BDAT 8\r\nabc\r\ndefBDAT 6 LAST\r\ng\r\nh\r\n"));
}

#[test]
fn streamed_chunks_grow_only_where_each_waits_for_the_one_before() {
    for (extensions, largest) in [(&["CHUNKING"][..], 10), (&["CHUNKING", "PIPELINING"], 4)] {
        let mut config = config();
        (config.limits.first_chunk, config.limits.largest_chunk) = (4, 10);
        let mut peer = Peer::ready(config, extensions);
        let mut task = Deliver::streamed(sender(), [recipient("bob")]);
        task.start(&mut peer.client).unwrap();
        task.push([&[b'x'; 98][..], b"\r\n"].concat().into());
        task.finish();
        assert!(step(&mut peer, &mut task).is_none());
        let mut sizes: Vec<usize> = Vec::new();
        loop {
            let said = peer.said();
            let chunks = said.split("BDAT ").skip(1);
            sizes.extend(
                chunks.map(|chunk| chunk.split([' ', '\r']).next().unwrap().parse::<usize>().unwrap()),
            );
            let commands = said.matches("\r\n").count() - said.matches("x\r\n").count();
            if say(&mut peer, &mut task, &"250 ok\r\n".repeat(commands)).is_some() {
                break;
            }
        }
        assert_eq!(sizes.iter().sum::<usize>(), 100, "{sizes:?}");
        assert_eq!(sizes.iter().max(), Some(&largest), "{sizes:?} with {extensions:?}");
    }
}

#[test]
fn content_whose_line_ends_are_normalised_goes_by_data() {
    let mut config = config();
    config.bare_line_ends = crate::content::BarePolicy::Normalise;
    let mut peer = Peer::ready(config.clone(), ALL);
    started(&mut peer, &["bob"], b"x\n");
    assert!(peer.said().ends_with("DATA\r\n"));
    let mut peer = Peer::ready(config, ALL);
    started(&mut peer, &["bob"], b"x\r\n");
    assert!(!peer.said().ends_with("DATA\r\n"), "there is nothing to normalise");
}

#[test]
fn c8_what_a_message_needs_and_the_server_lacks_is_a_local_error_with_a_code() {
    let error = |mut peer: Peer, options: MailOptions, sender: &str| {
        let mut task =
            Deliver::new(sender.parse().unwrap(), [recipient("bob")], &b"x\r\n"[..]).options(options);
        let error = task.start(&mut peer.client).unwrap_err();
        assert_eq!(peer.said(), "", "something was written");
        error.status().map(|code| code.to_string()).unwrap_or_default()
    };
    let plain = || Peer::ready(config(), &["CHUNKING"]);
    let require_tls = MailOptions { require_tls: true, ..MailOptions::default() };
    let held = MailOptions { hold: Some(Hold::For(HoldInterval::MAX)), ..MailOptions::default() };
    assert_eq!(error(plain(), require_tls.clone(), "<a@b>"), "5.7.10");
    assert_eq!(error(in_tls("CHUNKING"), require_tls, "<a@b>"), "5.7.30");
    assert_eq!(error(plain(), binary(), "<a@b>"), "5.6.3");
    assert_eq!(error(plain(), MailOptions::default(), "<\u{fc}@b>"), "5.6.7");
    assert_eq!(error(plain(), held, "<a@b>"), "5.3.3");
}

#[test]
fn c8_recipients_of_a_domain_too_many_are_postponed() {
    let mut peer = Peer::ready(config(), &["PIPELINING", "LIMITS MAILMAX=2 RCPTDOMAINMAX=1"]);
    let to = ["<bob@a.example>", "<bob@b.example>", "<carol@a.example>"].map(|path| path.parse().unwrap());
    let mut task = Deliver::new(sender(), to, &b"x\r\n"[..]);
    task.start(&mut peer.client).unwrap();
    step(&mut peer, &mut task);
    let said = peer.said();
    assert!(said.ends_with("RCPT TO:<bob@a.example>\r\nRCPT TO:<carol@a.example>\r\nDATA\r\n"), "{said}");
    say(&mut peer, &mut task, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    let delivery = say(&mut peer, &mut task, "250 queued\r\n").unwrap().unwrap();
    let outcomes: Vec<bool> = delivery.rows.iter().map(|row| row.outcome.is_accepted()).collect();
    assert_eq!(outcomes, [true, false, true]);
    assert_eq!(delivery.rows[1].outcome, Outcome::Postponed);
    assert!(delivery.rows[1].outcome.is_transient() && delivery.rows[1].status().is_none());
    // Two transactions, and no more.
    let mut task = started(&mut peer, &["bob"], b"x\r\n");
    let delivery = say(&mut peer, &mut task, "250 ok\r\n").unwrap().unwrap();
    assert_eq!(delivery.rows[0].outcome, Outcome::Postponed);
    let mut task = Deliver::new(sender(), [recipient("bob")], &b"x\r\n"[..]);
    assert_eq!(task.start(&mut peer.client).unwrap_err(), DeliverError::SessionLimit);
}
