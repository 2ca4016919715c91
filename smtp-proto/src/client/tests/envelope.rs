//! MAIL, RCPT, RSET, NOOP, VRFY, QUIT; pipelining; which reply means what.

use super::*;
use crate::types::{EnvelopeId, Return};

fn options() -> MailOptions {
    MailOptions::default()
}

#[test]
fn a_command_is_written_and_its_reply_carries_its_id() {
    let mut peer = Peer::ready(config(), &[]);
    let mail = peer.client.mail(&sender(), options()).unwrap();
    assert_eq!(peer.said(), "MAIL FROM:<alice@client.example>\r\n");
    assert_eq!(peer.server("250 2.1.0 fine\r\n"), [alloc::format!("Sender#{mail} 250 2.1.0 fine")]);
    let rcpt = peer.client.rcpt(&recipient("bob")).unwrap();
    assert_eq!(peer.said(), "RCPT TO:<bob@server.example>\r\n");
    assert!(rcpt > mail);
    assert_eq!(peer.server("251 moved\r\n"), [alloc::format!("Recipient#{rcpt} Accepted 251 moved")]);
}

#[test]
fn the_null_sender_and_postmaster_are_written_as_the_rfc_has_them() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.client.mail(&ReversePath::Null, options()).unwrap();
    peer.client.rcpt(&ForwardPath::Postmaster).unwrap();
    assert_eq!(peer.said(), "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\n");
}

#[test]
fn c9_without_pipelining_one_command_waits_for_the_other() {
    let mut peer = Peer::ready(config(), &[]);
    peer.client.mail(&sender(), options()).unwrap();
    assert_eq!(peer.client.rcpt(&recipient("bob")), Err(Misuse::Busy));
    assert_eq!(peer.said(), "MAIL FROM:<alice@client.example>\r\n");
    peer.server("250 ok\r\n");
    assert!(peer.client.rcpt(&recipient("bob")).is_ok());
}

#[test]
fn c9_with_pipelining_a_group_is_written_at_once_and_ends_at_data() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.client.mail(&sender(), options()).unwrap();
    peer.client.rcpt(&recipient("bob")).unwrap();
    peer.client.rcpt(&recipient("carol")).unwrap();
    peer.client.data().unwrap();
    assert_eq!(peer.client.reset(), Err(Misuse::Busy));
    assert_eq!(peer.said().lines().count(), 4);
    let events = peer.server("250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n");
    assert_eq!(
        events,
        [
            "Sender#2 250 ok",
            "Recipient#3 Accepted 250 ok",
            "Recipient#4 Permanent 550 5.1.1 no",
            "StartContent#5"
        ]
    );
}

#[test]
fn c9_every_command_that_ends_its_group_ends_it() {
    type Give = fn(&mut Client) -> Result<CommandId, Misuse>;
    let query = |client: &mut Client| client.vrfy(&Query::Name(UserName::new("x").unwrap()));
    for give in [Client::noop as Give, query, Client::quit] {
        let mut peer = Peer::ready(config(), &["PIPELINING"]);
        give(&mut peer.client).unwrap();
        let _ = peer.said();
        assert!(peer.client.noop().is_err() && peer.client.reset().is_err() && peer.client.quit().is_err());
        assert!(peer.client.mail(&sender(), options()).is_err());
        assert_eq!(peer.said(), "");
    }
}

#[test]
fn c9_rset_may_stand_anywhere_in_a_group() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    peer.client.mail(&sender(), options()).unwrap();
    peer.client.rcpt(&recipient("bob")).unwrap();
    peer.client.reset().unwrap();
    let second = peer.client.mail(&sender(), options()).unwrap();
    peer.client.rcpt(&recipient("carol")).unwrap();
    // Replies that belong to the transaction that was given up count for nothing in the new one.
    let events = peer.server("250 a\r\n250 b\r\n250 c\r\n250 d\r\n550 no\r\n");
    assert_eq!(events[3], alloc::format!("Sender#{second} 250 d"));
    assert_eq!(peer.client.data(), Err(Misuse::WrongState));
}

#[test]
fn limits_a_thousand_commands_may_be_in_flight_and_no_more() {
    let mut many = config();
    many.limits.recipients = 2000;
    let mut peer = Peer::ready(many, &["PIPELINING"]);
    peer.client.mail(&sender(), options()).unwrap();
    let mut count = 1;
    let refused = loop {
        // The driver writes meanwhile.
        let _ = peer.said();
        match peer.client.rcpt(&recipient("bob")) {
            Ok(_) => count += 1,
            Err(misuse) => break misuse,
        }
    };
    assert_eq!((count, refused), (1000, Misuse::Busy));
    let mut replies = 0;
    for _ in 0..10 {
        replies += peer.server("250 ok\r\n".repeat(100)).len();
    }
    assert_eq!(replies, 1000);
    assert_eq!(peer.client.in_flight(), 0);
    // One of the thousand commands was MAIL, so one recipient more is the thousandth.
    assert!(peer.client.rcpt(&recipient("bob")).is_ok());
    assert_eq!(peer.client.rcpt(&recipient("bob")), Err(Misuse::TooLarge));
}

#[test]
fn c9_output_that_is_not_written_holds_commands_back() {
    let mut small = config();
    small.limits.output = 100;
    let mut peer = Peer::ready(small, &["PIPELINING"]);
    peer.client.mail(&sender(), options()).unwrap();
    while peer.client.rcpt(&recipient("bob")).is_ok() {}
    assert_eq!(peer.client.may_write(), Err(Misuse::Busy));
    assert!(peer.client.transmit().len() < 200);
    let _ = peer.said();
    assert_eq!(peer.client.may_write(), Ok(()));
}

#[test]
fn c8_parameters_are_sent_only_where_they_were_announced() {
    let mut full = options();
    full.size = Some(1234);
    let mut peer = Peer::ready(config(), &[]);
    peer.client.mail(&sender(), full.clone()).unwrap();
    assert_eq!(peer.said(), "MAIL FROM:<alice@client.example>\r\n");

    full.eight_bit = true;
    let mut peer = Peer::ready(config(), &["SIZE"]);
    assert_eq!(peer.client.mail(&sender(), full.clone()), Err(Misuse::NotAnnounced));
    assert_eq!(peer.said(), "");

    full.smtp_utf8 = true;
    let mut peer = Peer::ready(config(), &["SIZE 0", "8BITMIME", "SMTPUTF8"]);
    peer.client.mail(&sender(), full.clone()).unwrap();
    assert_eq!(peer.said(), "MAIL FROM:<alice@client.example> SIZE=1234 BODY=8BITMIME SMTPUTF8\r\n");
}

#[test]
fn c8_a_size_above_the_announced_limit_is_not_tried() {
    let mut large = options();
    large.size = Some(1001);
    let mut peer = Peer::ready(config(), &["SIZE 1000"]);
    assert_eq!(peer.client.mail(&sender(), large.clone()), Err(Misuse::TooLarge));
    large.size = Some(1000);
    assert!(peer.client.mail(&sender(), large.clone()).is_ok());
}

#[test]
fn c8_an_address_beyond_ascii_goes_only_where_smtputf8_was_said() {
    let sender: ReversePath = "<jörg@client.example>".parse().unwrap();
    let mut utf8 = options();
    utf8.smtp_utf8 = true;
    let mut peer = Peer::ready(config(), &["SMTPUTF8", "PIPELINING"]);
    assert_eq!(peer.client.mail(&sender, options()), Err(Misuse::NotAnnounced));
    peer.client.mail(&sender, utf8.clone()).unwrap();
    assert!(peer.client.rcpt(&recipient("jürgen")).is_ok());
    assert_eq!(
        peer.said(),
        "MAIL FROM:<jörg@client.example> SMTPUTF8\r\nRCPT TO:<jürgen@server.example>\r\n"
    );

    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    assert_eq!(peer.client.mail(&sender, utf8.clone()), Err(Misuse::NotAnnounced));
    peer.mail(options());
    assert_eq!(peer.client.rcpt(&recipient("jürgen")), Err(Misuse::NotAnnounced));
    assert_eq!(peer.said(), "");
}

#[test]
fn calls_out_of_turn_are_misuse_and_write_nothing() {
    let mut peer = Peer::new(config());
    assert_eq!(peer.client.mail(&sender(), options()), Err(Misuse::WrongState));
    assert_eq!(peer.client.quit(), Err(Misuse::WrongState));
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    assert_eq!(peer.client.rcpt(&recipient("bob")), Err(Misuse::WrongState));
    assert_eq!(peer.client.data(), Err(Misuse::WrongState));
    peer.mail(options());
    assert_eq!(peer.client.mail(&sender(), options()), Err(Misuse::WrongState));
    assert_eq!(peer.client.data(), Err(Misuse::WrongState));
    peer.client.abort();
    assert_eq!(peer.client.noop(), Err(Misuse::Closed));
    assert_eq!(peer.said(), "");
}

#[test]
fn c8_the_limit_of_recipients_is_the_announced_one_else_the_own() {
    let own = Peer::ready(config(), &[]);
    assert_eq!(own.client.max_recipients(), 100);
    let announced = Peer::ready(config(), &["LIMITS RCPTMAX=250"]);
    assert_eq!(announced.client.max_recipients(), 250);
    let silly = Peer::ready(config(), &["LIMITS RCPTMAX=18446744073709551615"]);
    assert_eq!(silly.client.max_recipients(), 1000);
}

#[test]
fn c8_mailmax_is_obeyed() {
    let mut peer = Peer::ready(config(), &["LIMITS MAILMAX=1"]);
    peer.mail(options());
    peer.client.reset().unwrap();
    peer.server("250 ok\r\n");
    assert_eq!(peer.client.mail(&sender(), options()), Err(Misuse::SessionLimit));
}

#[test]
fn c6_what_552_means_depends_on_size_and_the_enhanced_code() {
    // (SIZE announced, reply, verdict)
    for (sized, reply, expected) in [
        (false, "250 ok", Verdict::Accepted),
        (false, "251 will forward", Verdict::Accepted),
        (false, "252 cannot verify", Verdict::Accepted),
        (false, "450 4.2.1 busy", Verdict::Transient),
        (true, "452 4.5.3 too many", Verdict::Transient),
        (false, "552 too many", Verdict::Transient),
        (true, "552 too large", Verdict::Permanent),
        (true, "552 5.5.3 too many", Verdict::Transient),
        (false, "552 5.5.3 too many", Verdict::Transient),
        (false, "552 5.3.4 too large", Verdict::Permanent),
        (false, "552 5.2.2 full", Verdict::Permanent),
        (false, "552 5.2.3 too large for this one", Verdict::Permanent),
        (false, "552 5.7.1 policy", Verdict::Transient),
        (true, "552 5.7.1 policy", Verdict::Permanent),
        (false, "550 5.5.3 no", Verdict::Permanent),
        (false, "556 domain takes no mail", Verdict::Permanent),
    ] {
        let mut peer = Peer::ready(config(), &["SIZE", "PIPELINING"]);
        let mut options = options();
        options.size = Some(10).filter(|_| sized);
        peer.mail(options);
        peer.client.rcpt(&recipient("bob")).unwrap();
        let events = peer.server(alloc::format!("{reply}\r\n"));
        assert_eq!(events, [alloc::format!("Recipient#3 {expected:?} {reply}")], "{sized}");
    }
}

#[test]
fn injection_vrfy_writes_an_atom_a_quoted_string_or_a_mailbox() {
    let name = |name: &str| Query::Name(UserName::new(name).unwrap());
    for (query, line) in [
        (name("Smith"), "VRFY Smith"),
        (name("John \"x\" \\ Smith"), r#"VRFY "John \"x\" \\ Smith""#),
        (Query::Mailbox("a@b.example".parse().unwrap()), "VRFY a@b.example"),
    ] {
        let mut peer = Peer::ready(config(), &[]);
        let id = peer.client.vrfy(&query).unwrap();
        assert_eq!(peer.said().trim_end(), line);
        assert_eq!(peer.server("252 2.0.0 maybe\r\n"), [alloc::format!("Reply#{id} 252 2.0.0 maybe")]);
    }
    for bad in ["", "a\r\nQUIT", "a\0", "ü", "a\u{7f}"] {
        assert!(UserName::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn limits_a_line_above_the_limit_is_not_written() {
    let mut peer = Peer::ready(config(), &[]);
    let long = Query::Name(UserName::new(&"x".repeat(994)).unwrap());
    assert_eq!(peer.client.vrfy(&long), Err(Misuse::TooLarge));
    assert_eq!(peer.said(), "");
    let fits = Query::Name(UserName::new(&"x".repeat(993)).unwrap());
    assert!(peer.client.vrfy(&fits).is_ok());
}

#[test]
fn quit_ends_when_the_server_closes_or_after_a_while() {
    let mut peer = Peer::ready(config(), &[]);
    let id = peer.client.quit().unwrap();
    assert_eq!(peer.said(), "QUIT\r\n");
    assert_eq!(peer.server("221 2.0.0 bye\r\n"), [alloc::format!("Reply#{id} 221 2.0.0 bye")]);
    peer.client.handle_eof(peer.now);
    assert!(matches!(peer.closed(), Closed::Quit(_)));

    let mut peer = Peer::ready(config(), &[]);
    peer.client.quit().unwrap();
    peer.server("221 bye\r\n");
    peer.at(5);
    assert!(matches!(peer.closed(), Closed::Quit(_)));
}

#[test]
fn c3_a_second_reply_to_quit_is_an_error_except_421() {
    let mut peer = Peer::ready(config(), &[]);
    peer.client.quit().unwrap();
    peer.server("221 bye\r\n");
    assert!(matches!(peer.server_closes("250 more\r\n"), Closed::Unsolicited(_)));

    let mut peer = Peer::ready(config(), &[]);
    peer.client.quit().unwrap();
    peer.server("221 bye\r\n");
    assert!(matches!(peer.server_closes("421 bye\r\n"), Closed::Quit(_)));
}

fn requests(notify: &str, original: &str) -> RecipientOptions {
    let (notify, original) = (notify.parse().unwrap(), original.parse().unwrap());
    RecipientOptions { notify: Some(notify), original_recipient: Some(original), valid_since: None }
}

#[test]
fn dsn_is_written_where_it_is_announced() {
    let mut peer = Peer::ready(config(), &["PIPELINING", "DSN"]);
    let mut asked = options();
    asked.ret = Some(Return::Headers);
    asked.envelope_id = Some("QQ+2B1".parse().unwrap());
    peer.client.mail(&sender(), asked).unwrap();
    peer.client.rcpt_with(&recipient("bob"), &requests("success,failure", "rfc822;Bob+40Example")).unwrap();
    assert_eq!(
        peer.said(),
        "MAIL FROM:<alice@client.example> RET=HDRS ENVID=QQ+2B1\r\n\
         RCPT TO:<bob@server.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob+40Example\r\n"
    );
}

#[test]
fn dsn_is_left_out_where_it_is_not_announced() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    let mut asked = options();
    asked.ret = Some(Return::Full);
    asked.envelope_id = Some(EnvelopeId::new("x").unwrap());
    peer.client.mail(&sender(), asked).unwrap();
    peer.client.rcpt_with(&recipient("bob"), &requests("NEVER", "rfc822;b")).unwrap();
    assert_eq!(peer.said(), "MAIL FROM:<alice@client.example>\r\nRCPT TO:<bob@server.example>\r\n");
}

#[test]
fn an_original_recipient_is_ascii_without_smtputf8_and_left_out_if_that_is_too_long() {
    let mut peer = Peer::ready(config(), &["PIPELINING", "DSN", "SMTPUTF8"]);
    let long = alloc::format!("utf-8;{}", "\u{FC}".repeat(200));
    peer.client.mail(&sender(), options()).unwrap();
    peer.client.rcpt_with(&recipient("bob"), &requests("NEVER", "utf-8;b\u{FC}hler@x")).unwrap();
    peer.client.rcpt_with(&recipient("bob"), &requests("NEVER", &long)).unwrap();
    assert_eq!(
        peer.said().split_once("\r\n").unwrap().1,
        "RCPT TO:<bob@server.example> NOTIFY=NEVER ORCPT=utf-8;b\\x{FC}hler@x\r\n\
         RCPT TO:<bob@server.example> NOTIFY=NEVER\r\n"
    );
    let mut utf8 = options();
    utf8.smtp_utf8 = true;
    peer.client.reset().unwrap();
    peer.client.mail(&sender(), utf8).unwrap();
    let _ = peer.said();
    peer.client.rcpt_with(&recipient("bob"), &requests("NEVER", "utf-8;b\u{FC}hler@x")).unwrap();
    assert_eq!(peer.said(), "RCPT TO:<bob@server.example> NOTIFY=NEVER ORCPT=utf-8;b\u{FC}hler@x\r\n");
}
