//! The tasks, against a server that the tests play by hand.

use mailwright_core::session::{Progress, Task};
use mailwright_sasl::{Credentials, Seed};

use super::*;
use crate::content::ContentError;
use crate::types::{EnvelopeId, Notify, Return};

/// Runs a task as a connection does; the server answers each piece of output by `serve`.
fn run<T: Task<Client>>(
    peer: &mut Peer,
    task: &mut T,
    mut serve: impl FnMut(&str) -> Option<String>,
    mut on_item: impl FnMut(&mut T, T::Item),
) -> Result<T::Output, T::Error> {
    task.start(&mut peer.client)?;
    let mut said = Vec::new();
    let mut at_end = false;
    for _ in 0..10_000 {
        let mut idle = true;
        let mut progress = task.ready(&mut peer.client);
        loop {
            match progress {
                Progress::Done(result) => return result,
                Progress::Item(item) => {
                    idle = false;
                    on_item(task, item);
                    progress = task.ready(&mut peer.client);
                    continue;
                }
                Progress::NotMine(event) => panic!("foreign: {}", show(&event)),
                Progress::Continue => {}
            }
            let Some(event) = peer.client.poll_event() else { break };
            idle = false;
            progress = task.handle(&mut peer.client, event);
        }
        said.extend_from_slice(&peer.client.transmit().take());
        // Whole lines, one call for each.
        while let Some(end) = said.windows(2).position(|octets| octets == b"\r\n") {
            idle = false;
            let line = String::from_utf8(said.drain(..end + 2).collect()).unwrap();
            match serve(line.trim_end_matches("\r\n")) {
                _ if at_end => {}
                Some(reply) => peer.input.extend_from_slice(reply.as_bytes()),
                None => at_end = true,
            }
        }
        peer.client.handle_input(&mut peer.input, peer.now);
        if at_end && peer.input.is_empty() {
            peer.client.handle_eof(peer.now);
        }
        assert!(!(idle && peer.client.events.is_empty()), "the task waits for nothing");
    }
    panic!("no end")
}

/// A server that answers by the local part of each recipient, and keeps the content.
#[derive(Default)]
struct Server {
    lmtp: bool,
    content: Option<String>,
    accepted: Vec<String>,
    log: Vec<String>,
}

impl Server {
    fn serve(&mut self, line: &str) -> Option<String> {
        if let Some(content) = &mut self.content {
            if line != "." {
                content.push_str(line.strip_prefix('.').unwrap_or(line));
                content.push_str("\r\n");
                return Some(String::new());
            }
            let content = self.content.take().unwrap();
            self.log.push(alloc::format!("content {}", content.escape_debug()));
            let reply = |name: &str| match name {
                "full" => "452 4.2.2 full\r\n".to_string(),
                name => alloc::format!("250 2.0.0 for {name}\r\n"),
            };
            let accepted = core::mem::take(&mut self.accepted);
            return Some(if self.lmtp {
                accepted.iter().map(|name| reply(name)).collect()
            } else {
                reply("all")
            });
        }
        self.log.push(line.into());
        Some(match line.split_once(':').map_or(line, |(verb, _)| verb) {
            "MAIL FROM" => "250 2.1.0 ok\r\n".into(),
            "RCPT TO" => {
                let name = line.split(['<', '@']).nth(1).unwrap();
                match name {
                    "nobody" => "550 5.1.1 no such user\r\n".into(),
                    "busy" => "450 4.2.1 busy\r\n".into(),
                    "gone" => return None,
                    name => {
                        self.accepted.push(name.into());
                        "250 2.1.5 ok\r\n".into()
                    }
                }
            }
            "DATA" if self.accepted.is_empty() => "554 5.5.1 no valid recipients\r\n".into(),
            "DATA" => {
                self.content = Some(String::new());
                "354 go\r\n".into()
            }
            "RSET" => {
                self.accepted.clear();
                "250 2.0.0 reset\r\n".into()
            }
            "QUIT" => "221 2.0.0 bye\r\n".into(),
            other => panic!("{other}"),
        })
    }
}

fn recipients(names: &[&str]) -> Vec<ForwardPath> {
    names.iter().map(|name| recipient(name)).collect()
}

fn deliver(
    peer: &mut Peer,
    server: &mut Server,
    names: &[&str],
    content: &'static str,
) -> Result<Delivery, DeliverError> {
    let mut task = Deliver::new(sender(), recipients(names), content);
    run(peer, &mut task, |line| server.serve(line), |_, _| panic!("asked for content"))
}

fn outcomes(delivery: &Delivery) -> Vec<String> {
    let shown = |row: &Row| match &row.outcome {
        Outcome::Accepted(reply) => alloc::format!("accepted {reply}"),
        Outcome::Transient { at, reply } => alloc::format!("transient {at}: {reply}"),
        Outcome::Permanent { at, reply } => alloc::format!("permanent {at}: {reply}"),
        Outcome::NotTried(misuse) => alloc::format!("not tried: {misuse}"),
        Outcome::Postponed => "postponed".into(),
        Outcome::Unanswered => "unanswered".into(),
    };
    delivery.rows.iter().map(shown).collect()
}

#[test]
fn c6_each_recipient_has_its_row_with_and_without_pipelining() {
    for extensions in [&[][..], &["PIPELINING"]] {
        let mut peer = Peer::ready(config(), extensions);
        let mut server = Server::default();
        let delivery =
            deliver(&mut peer, &mut server, &["bob", "nobody", "busy", "carol"], "Hi\r\n.\r\n").unwrap();
        assert_eq!(
            outcomes(&delivery),
            [
                "accepted 250 2.0.0 for all",
                "permanent reply to RCPT: 550 5.1.1 no such user",
                "transient reply to RCPT: 450 4.2.1 busy",
                "accepted 250 2.0.0 for all",
            ]
        );
        assert_eq!(delivery.rows[1].recipient, recipient("nobody"));
        assert_eq!((delivery.transient().count(), delivery.permanent().count()), (1, 1));
        assert!(!delivery.is_complete() && delivery.closed.is_none());
        assert_eq!(server.log.last().unwrap(), r"content Hi\r\n.\r\n");
    }
}

#[test]
fn c9_with_pipelining_the_envelope_is_one_group() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    let mut task = Deliver::new(sender(), recipients(&["a", "b"]), "x\r\n");
    task.start(&mut peer.client).unwrap();
    assert_eq!(peer.said().lines().count(), 4);
}

#[test]
fn requests_go_with_each_recipient_and_the_delivery_tells_whether_they_were_sent() {
    for (extensions, sent) in [(&["PIPELINING", "DSN"][..], true), (&["PIPELINING"], false)] {
        let mut peer = Peer::ready(config(), extensions);
        let mut server = Server::default();
        let mut success = RecipientOptions::default();
        success.notify = Some(Notify::SUCCESS);
        let requests = [RecipientOptions::default(), success];
        let id = EnvelopeId::new("id").ok();
        let mut task = Deliver::new(sender(), recipients(&["a", "b", "c"]), "x\r\n");
        task = task.requests(Some(Return::Full), id, requests);
        let delivery = run(&mut peer, &mut task, |line| server.serve(line), |_, _| panic!()).unwrap();
        assert_eq!(delivery.dsn, sent);
        let (mail, rcpt) = if sent { (" RET=FULL ENVID=id", " NOTIFY=SUCCESS") } else { ("", "") };
        assert_eq!(
            server.log[..4],
            [
                alloc::format!("MAIL FROM:<alice@client.example>{mail}"),
                "RCPT TO:<a@server.example>".into(),
                alloc::format!("RCPT TO:<b@server.example>{rcpt}"),
                "RCPT TO:<c@server.example>".into(),
            ]
        );
    }
}

#[test]
fn c7_lmtp_has_an_outcome_for_each_recipient() {
    let mut peer = Peer::ready(lmtp(), &["PIPELINING"]);
    let mut server = Server { lmtp: true, ..Server::default() };
    let delivery = deliver(&mut peer, &mut server, &["bob", "nobody", "full", "bob"], "Hi\r\n").unwrap();
    assert_eq!(
        outcomes(&delivery),
        [
            "accepted 250 2.0.0 for bob",
            "permanent reply to RCPT: 550 5.1.1 no such user",
            "transient reply to the content: 452 4.2.2 full",
            "accepted 250 2.0.0 for bob",
        ]
    );
}

#[test]
fn c10_when_all_are_refused_the_next_delivery_begins_with_rset_and_the_first_never_does() {
    for extensions in [&[][..], &["PIPELINING"]] {
        let mut peer = Peer::ready(config(), extensions);
        let mut server = Server::default();
        let delivery = deliver(&mut peer, &mut server, &["nobody"], "Hi\r\n").unwrap();
        assert_eq!(outcomes(&delivery), ["permanent reply to RCPT: 550 5.1.1 no such user"]);
        assert_eq!(server.log[0], "MAIL FROM:<alice@client.example> ".trim_end());
        assert!(!server.log.iter().any(|line| line == "RSET"));
        let delivery = deliver(&mut peer, &mut server, &["bob"], "Hi\r\n").unwrap();
        assert!(delivery.is_complete());
        assert_eq!(server.log.iter().filter(|line| *line == "RSET").count(), 1);
        // After a delivered message none is needed.
        assert!(deliver(&mut peer, &mut server, &["bob"], "Hi\r\n").unwrap().is_complete());
        assert_eq!(server.log.iter().filter(|line| *line == "RSET").count(), 1);
    }
}

#[test]
fn c4_a_refused_sender_is_the_outcome_of_every_recipient() {
    for extensions in [&[][..], &["PIPELINING"]] {
        let mut peer = Peer::ready(config(), extensions);
        let mut task = Deliver::new(sender(), recipients(&["a", "b"]), "x\r\n");
        let serve = |line: &str| {
            Some(if line.starts_with("MAIL") { "550 5.7.1 not you\r\n" } else { "503 5.5.1 no\r\n" }.into())
        };
        let delivery = run(&mut peer, &mut task, serve, |_, _| ()).unwrap();
        assert_eq!(outcomes(&delivery), ["permanent reply to MAIL: 550 5.7.1 not you"; 2]);
    }
}

#[test]
fn c4_a_server_that_closes_after_refusing_the_sender_leaves_its_refusal() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    let mut task = Deliver::new(sender(), recipients(&["a", "b"]), "x\r\n");
    let serve = |line: &str| line.starts_with("MAIL").then(|| "550 5.7.1 not you\r\n".into());
    let delivery = run(&mut peer, &mut task, serve, |_, _| ()).unwrap();
    assert_eq!(outcomes(&delivery), ["permanent reply to MAIL: 550 5.7.1 not you"; 2]);
}

#[test]
fn a_connection_that_ends_on_the_way_leaves_the_rows_it_has() {
    let mut peer = Peer::ready(config(), &[]);
    let delivery =
        deliver(&mut peer, &mut Server::default(), &["nobody", "bob", "gone", "carol"], "x\r\n").unwrap();
    assert_eq!(
        outcomes(&delivery),
        ["permanent reply to RCPT: 550 5.1.1 no such user", "unanswered", "unanswered", "unanswered"]
    );
    assert_eq!(delivery.closed, Some(Closed::Disconnected(Awaited::Rcpt)));
    assert!(delivery.transient().count() == 3);
}

#[test]
fn c6_a_refused_content_is_the_outcome_of_who_was_accepted() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    let mut task = Deliver::new(sender(), recipients(&["bob", "nobody"]), "x\r\n");
    let mut server = Server::default();
    let serve =
        |line: &str| if line == "DATA" { Some("451 4.3.0 later\r\n".into()) } else { server.serve(line) };
    let delivery = run(&mut peer, &mut task, serve, |_, _| ()).unwrap();
    assert_eq!(
        outcomes(&delivery),
        ["transient reply to DATA: 451 4.3.0 later", "permanent reply to RCPT: 550 5.1.1 no such user"]
    );
}

#[test]
fn c8_many_recipients_go_in_several_transactions() {
    for extensions in [&["LIMITS RCPTMAX=3"][..], &["LIMITS RCPTMAX=3", "PIPELINING"]] {
        let mut peer = Peer::ready(config(), extensions);
        let mut server = Server::default();
        let names = ["a", "nobody", "b", "nobody", "nobody", "nobody", "c"];
        let delivery = deliver(&mut peer, &mut server, &names, "x\r\n").unwrap();
        let accepted = delivery.rows.iter().map(|row| row.outcome.is_accepted());
        assert!(accepted.eq([true, false, true, false, false, false, true]));
        assert_eq!(server.log.iter().filter(|line| line.starts_with("MAIL")).count(), 3);
        assert_eq!(server.log.iter().filter(|line| line.starts_with("content")).count(), 2);
        assert_eq!(server.log.iter().filter(|line| *line == "RSET").count(), 1);
    }
}

#[test]
fn c8_where_the_session_takes_no_further_transaction_the_rows_of_the_first_are_told() {
    let mut peer = Peer::ready(config(), &["PIPELINING", "LIMITS MAILMAX=1 RCPTMAX=2"]);
    let mut server = Server::default();
    let delivery = deliver(&mut peer, &mut server, &["a", "nobody", "b"], "x\r\n").unwrap();
    assert_eq!(
        outcomes(&delivery),
        ["accepted 250 2.0.0 for all", "permanent reply to RCPT: 550 5.1.1 no such user", "postponed"]
    );
    // Before anything was sent it is an error of the call.
    let error = deliver(&mut peer, &mut server, &["b"], "x\r\n").unwrap_err();
    assert_eq!(error, DeliverError::SessionLimit);
}

#[test]
fn b5_streamed_content_that_breaks_off_in_a_later_transaction_leaves_the_rows_of_the_first() {
    let mut peer = Peer::ready(config(), &["PIPELINING", "LIMITS RCPTMAX=1"]);
    let mut server = Server::default();
    let mut task = Deliver::streamed(sender(), recipients(&["a", "b"]));
    let mut turn = 0;
    let delivery = run(
        &mut peer,
        &mut task,
        |line| server.serve(line),
        |task, _| {
            turn += 1;
            task.push(if turn == 1 { "good\r\n" } else { "bad\n" }.into());
            task.finish();
        },
    );
    let delivery = delivery.unwrap();
    assert_eq!(outcomes(&delivery), ["accepted 250 2.0.0 for all", "unanswered"]);
    assert!(matches!(delivery.closed, Some(Closed::Content(ContentError::BareLineFeed { offset: 3 }))));
}

#[test]
fn r11_521_and_556_to_a_recipient_are_permanent_for_that_recipient_alone() {
    for code in ["521 5.3.2", "556 5.1.10"] {
        let mut peer = Peer::ready(config(), &["PIPELINING"]);
        let mut server = Server::default();
        let mut task = Deliver::new(sender(), recipients(&["a", "null"]), "x\r\n");
        let serve = |line: &str| match line {
            "RCPT TO:<null@server.example>" => Some(alloc::format!("{code} no mail here\r\n")),
            line => server.serve(line),
        };
        let delivery = run(&mut peer, &mut task, serve, |_, _| ()).unwrap();
        assert_eq!(
            outcomes(&delivery),
            [
                "accepted 250 2.0.0 for all".to_string(),
                alloc::format!("permanent reply to RCPT: {code} no mail here")
            ]
        );
    }
}

#[test]
fn c8_what_can_be_known_before_is_a_local_error_and_writes_nothing() {
    let mut peer = Peer::ready(config(), &["SIZE 10"]);
    let mut server = Server::default();
    let mut fails = |names: &[&str], content| deliver(&mut peer, &mut server, names, content).unwrap_err();
    assert_eq!(fails(&[], "x\r\n"), DeliverError::NoRecipients);
    assert_eq!(fails(&["a"], "x\r\ny\nz"), ContentError::BareLineFeed { offset: 4 }.into());
    assert_eq!(fails(&["a"], "x\r"), ContentError::BareCarriageReturn { offset: 1 }.into());
    assert_eq!(fails(&["a"], "x\r\n\r\ngrün\r\n"), DeliverError::EightBit);
    assert_eq!(fails(&["a"], "123456789"), DeliverError::TooLarge { size: 11, limit: 10 });
    assert!(deliver(&mut peer, &mut server, &["a"], "12345678").is_ok());

    let mut peer = Peer::ready(config(), &["8BITMIME"]);
    let failed = deliver(&mut peer, &mut server, &["a"], "Subject: grün\r\n\r\nx\r\n");
    assert_eq!(failed, Err(DeliverError::SmtpUtf8));
    assert_eq!(peer.said(), "");
}

#[test]
fn c8_mail_says_what_the_message_needs_and_no_more() {
    let all = &["SIZE", "8BITMIME", "SMTPUTF8", "PIPELINING"];
    for (content, name, expected) in [
        ("Subject: x\r\n\r\nx\r\n", "bob", " SIZE=17"),
        ("Subject: x\r\n\r\ngrün\r\n", "bob", " SIZE=21 BODY=8BITMIME"),
        ("Subject: grün\r\n\r\nx\r\n", "bob", " SIZE=21 BODY=8BITMIME SMTPUTF8"),
        ("Subject: x\r\n\r\nx", "jürgen", " SIZE=17 SMTPUTF8"),
    ] {
        let mut peer = Peer::ready(config(), all);
        Deliver::new(sender(), [recipient(name)], content).start(&mut peer.client).unwrap();
        let said = peer.said();
        assert_eq!(
            said.lines().next().unwrap(),
            alloc::format!("MAIL FROM:<alice@client.example>{expected}")
        );
    }
}

#[test]
fn c8_a_recipient_beyond_ascii_alone_fails_where_there_is_no_smtputf8() {
    for extensions in [&[][..], &["PIPELINING"]] {
        let mut peer = Peer::ready(config(), extensions);
        let delivery = deliver(&mut peer, &mut Server::default(), &["jürgen", "bob"], "x\r\n").unwrap();
        assert_eq!(delivery.rows[0].outcome, Outcome::NotTried(Misuse::NotAnnounced));
        assert!(delivery.rows[1].outcome.is_accepted());
        let delivery = deliver(&mut peer, &mut Server::default(), &["jürgen"], "x\r\n").unwrap();
        assert_eq!(delivery.rows[0].outcome, Outcome::NotTried(Misuse::NotAnnounced));
    }
}

#[test]
fn c3_a_stale_connection_says_that_it_may_be_repeated() {
    let mut peer = Peer::ready(config(), &["PIPELINING"]);
    let mut server = Server::default();
    deliver(&mut peer, &mut server, &["bob"], "x\r\n").unwrap();
    let mut task = Deliver::new(sender(), recipients(&["bob"]), "x\r\n");
    let failed = run(&mut peer, &mut task, |_| None, |_, _| ()).unwrap_err();
    assert_eq!(failed, DeliverError::Stale(Closed::Stale(None)));
}

#[test]
fn streamed_content_is_asked_for_as_there_is_room() {
    let mut small = config();
    small.limits.output = 256;
    let mut peer = Peer::ready(small, &["LIMITS RCPTMAX=1", "8BITMIME"]);
    let mut server = Server::default();
    let body = "Subject: x\r\n\r\n".to_string() + &".line ü\r\n".repeat(200);
    let mut offsets = Vec::new();
    let mut task = Deliver::streamed(sender(), recipients(&["a", "b"])).size(body.len() as u64);
    let delivery = run(
        &mut peer,
        &mut task,
        |line| server.serve(line),
        |task, want: WantContent| {
            let offset = usize::try_from(want.offset).unwrap();
            offsets.push(offset);
            assert!(want.room <= 256);
            match body.as_bytes().get(offset..) {
                Some([]) | None => task.finish(),
                Some(rest) => task.push(bytes::Bytes::copy_from_slice(&rest[..rest.len().min(100)])),
            }
        },
    )
    .unwrap();
    assert!(delivery.is_complete());
    let contents: Vec<_> = server.log.iter().filter(|line| line.starts_with("content")).collect();
    assert_eq!(contents, [&alloc::format!("content {}", body.escape_debug()); 2]);
    assert_eq!(offsets.iter().filter(|&&offset| offset == 0).count(), 2);
    assert!(server.log[0].ends_with(" BODY=8BITMIME"));
}

#[test]
fn streamed_content_that_may_not_be_sent_is_broken_off() {
    let mut peer = Peer::ready(config(), &[]);
    let mut server = Server::default();
    let mut task = Deliver::streamed(sender(), recipients(&["a"]));
    let failed = run(
        &mut peer,
        &mut task,
        |line| server.serve(line),
        |task, want| task.push(if want.offset == 0 { "ok\r\n" } else { "grün\r\n" }.into()),
    )
    .unwrap_err();
    assert_eq!(failed, ContentError::EightBit { offset: 6 }.into());
    assert!(peer.client.is_closed());
    assert!(!server.log.iter().any(|line| line.starts_with("content")));
}

#[test]
fn an_empty_streamed_message_is_one_terminator() {
    let mut peer = Peer::ready(config(), &[]);
    let mut server = Server::default();
    let mut task = Deliver::streamed(sender(), recipients(&["a"]));
    let delivery = run(&mut peer, &mut task, |line| server.serve(line), |task, _| task.finish()).unwrap();
    assert!(delivery.is_complete());
    assert_eq!(server.log.last().unwrap(), "content ");
}

#[test]
fn a_login_waits_for_the_opening_and_authenticates() {
    let mut config = config();
    config.sasl.clear_text_without_tls = true;
    let mut peer = Peer::new(config);
    peer.input.extend_from_slice(b"220 server.example\r\n");
    let mut task = Login::with(Credentials::password("tim", "secret").unwrap(), Seed::new([3; 32]));
    let serve = |line: &str| {
        Some(match line.split(' ').next().unwrap() {
            "EHLO" => "250-server.example\r\n250 AUTH PLAIN\r\n".into(),
            "AUTH" => "235 2.7.0 welcome\r\n".into(),
            other => panic!("{other}"),
        })
    };
    let welcome = run(&mut peer, &mut task, serve, |_, item| match item {}).unwrap();
    assert_eq!(welcome.greeting.unwrap().to_string(), "220 server.example");
    assert_eq!(welcome.authenticated.unwrap().to_string(), "235 2.7.0 welcome");
    assert!(peer.client.is_authenticated());
}

#[test]
fn a_login_without_credentials_ends_when_the_session_is_ready_or_was() {
    let mut peer = Peer::new(config());
    peer.input.extend_from_slice(b"220 x\r\n");
    run(&mut peer, &mut Login::new(), |_| Some("250 x\r\n".into()), |_, item| match item {}).unwrap();
    run(&mut peer, &mut Login::new(), |_| None, |_, item| match item {}).unwrap();
}

#[test]
fn a_login_that_fails_says_why() {
    let login = || Login::with(Credentials::password("tim", "secret").unwrap(), Seed::new([3; 32]));
    let mut clear = config();
    clear.sasl.clear_text_without_tls = true;
    let mut peer = Peer::ready(clear, &["AUTH PLAIN"]);
    let failed = run(&mut peer, &mut login(), |_| Some("535 5.7.8 no\r\n".into()), |_, item| match item {});
    assert!(matches!(failed, Err(LoginError::Refused(AuthenticationFailure::Refused { .. }))));

    let mut peer = Peer::ready(config(), &["AUTH PLAIN"]);
    let failed = run(&mut peer, &mut login(), |_| None, |_, item| match item {});
    assert!(matches!(failed, Err(LoginError::Authenticate(AuthenticateError::Choose(_)))));

    let mut peer = Peer::new(config());
    peer.input.extend_from_slice(b"554 go away\r\n");
    let failed = run(&mut peer, &mut Login::new(), |_| Some(String::new()), |_, item| match item {});
    assert!(matches!(failed, Err(LoginError::Closed(Closed::Greeting(_)))));
}

#[test]
fn quit_ends_with_the_reply_or_with_the_connection() {
    let mut peer = Peer::ready(config(), &[]);
    let mut server = Server::default();
    let reply = run(&mut peer, &mut Quit::new(), |line| server.serve(line), |_, item| match item {}).unwrap();
    assert_eq!(reply.unwrap().to_string(), "221 2.0.0 bye");

    let mut peer = Peer::ready(config(), &[]);
    assert_eq!(run(&mut peer, &mut Quit::new(), |_| None, |_, item| match item {}), Ok(None));
    assert_eq!(run(&mut peer, &mut Quit::new(), |_| None, |_, item| match item {}), Err(Misuse::Closed));
}
