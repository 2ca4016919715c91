//! The client from its host's and its server's side: states, commands, literals, what is told when.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peer;

use core::time::Duration;

use mailwright_core::session::Session as _;
use mailwright_core::value::Misuse;
use mailwright_imap::client::{Client, Closed, Config, ContentError, Event, SendError, State, Timeouts};
use mailwright_imap::types::{
    Command, FetchCommand, SearchData, SearchElement, SearchKey, SearchList, Section, StatusKind,
    StoreAction, StoreCommand,
};
use mailwright_sasl::MechanismName;
use peer::{
    Peer, append, clear_text, credentials, fetch, login, mailbox, numbers, search, set, string, uids,
};

fn misuse<T: core::fmt::Debug>(result: Result<T, SendError>) -> Misuse {
    match result.unwrap_err() {
        SendError::Misuse(misuse) => misuse,
        error => panic!("{error:?}"),
    }
}

fn closed(events: &[Event]) -> &Closed {
    match events.last() {
        Some(Event::Closed(reason)) => reason,
        last => panic!("{last:?}"),
    }
}

// ---- The greeting

#[test]
fn the_greeting_opens_the_session() {
    let mut peer = Peer::new(clear_text());
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::WrongState);
    let events = peer.says("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n");
    assert!(matches!(&events[..], [Event::Greeting(status)] if status.kind == StatusKind::Ok));
    assert_eq!(peer.client.mechanisms(), [MechanismName::PLAIN]);
    assert_eq!(*peer.client.state(), State::NotAuthenticated);
    assert_eq!(peer.command(Command::Noop).unwrap(), "$1 NOOP\r\n");
}

#[test]
fn a_login_that_was_made_before_is_taken_as_made() {
    let mut peer = Peer::new(clear_text());
    peer.says("* PREAUTH welcome\r\n");
    assert_eq!(*peer.client.state(), State::Authenticated);
    assert_eq!(misuse(peer.client.command(login())), Misuse::WrongState);
}

#[test]
fn who_is_refused_is_told_so() {
    let mut peer = Peer::new(clear_text());
    assert!(matches!(closed(&peer.says("* BYE too many\r\n* BYE x\r\n")), Closed::Refused(_)));
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::Closed);
}

#[test]
fn what_is_no_greeting_closes() {
    for text in ["* NO x\r\n", "* BAD x\r\n", "a OK x\r\n", "* 1 EXISTS\r\n", "+ x\r\n", "HTTP/1.1 400\r\n"] {
        let mut peer = Peer::new(clear_text());
        assert!(matches!(closed(&peer.says(text)), Closed::BadGreeting(_)), "{text}");
    }
}

// ---- States and capabilities

#[test]
fn commands_have_their_states() {
    let mut peer = Peer::greeted(clear_text(), "");
    assert_eq!(misuse(peer.client.command(Command::Select(mailbox("a").into()))), Misuse::WrongState);
    let mut peer = Peer::logged_in("");
    assert_eq!(misuse(peer.client.command(fetch(numbers("1")))), Misuse::WrongState);
    assert_eq!(
        misuse(peer.client.append(append("INBOX"), 1).and_then(|_| peer.client.append(append("a"), 1))),
        Misuse::Busy
    );
    let mut peer = Peer::selected("UNSELECT");
    assert_eq!(*peer.client.state(), State::Selected(mailbox("INBOX")));
    assert_eq!(peer.command(Command::Unselect).unwrap(), "$2 UNSELECT\r\n");
    peer.says("$2 OK done\r\n");
    assert_eq!(*peer.client.state(), State::Authenticated);
}

#[test]
fn a_select_that_fails_leaves_nothing_selected() {
    let mut peer = Peer::selected("");
    peer.command(Command::Select(mailbox("other").into())).unwrap();
    peer.says("* OK [CLOSED] x\r\n");
    assert_eq!(*peer.client.state(), State::Authenticated);
    peer.says("$2 NO no such mailbox\r\n");
    assert_eq!(misuse(peer.client.command(fetch(numbers("1")))), Misuse::WrongState);
}

#[test]
fn what_is_not_announced_is_not_sent() {
    let mut peer = Peer::selected("");
    for command in [
        Command::Idle,
        Command::Namespace,
        Command::Unselect,
        Command::Id(Vec::new()),
        Command::Move { messages: uids("1"), mailbox: mailbox("a") },
        Command::Expunge(Some(set("1"))),
    ] {
        assert_eq!(misuse(peer.client.command(command)), Misuse::NotAnnounced);
    }
    assert_eq!(peer.sent(), "");
    peer.client.set_capabilities(vec![mailwright_imap::types::Capability::new("imap4REV2").unwrap()]);
    assert_eq!(peer.command(Command::Idle).unwrap(), "$2 IDLE\r\n");
}

#[test]
fn capabilities_are_those_that_were_said_last() {
    let mut peer = Peer::greeted(clear_text(), "IDLE");
    assert!(peer.client.has("idle"));
    peer.command(Command::Capability).unwrap();
    peer.says("* CAPABILITY IMAP4rev1 MOVE\r\n$1 OK done\r\n");
    assert!(peer.client.has("MOVE") && !peer.client.has("IDLE"));
}

#[test]
fn a_login_makes_capabilities_void_unless_it_brings_new_ones() {
    for (reply, known) in [
        ("$1 OK done\r\n", None),
        ("$1 OK [CAPABILITY IMAP4rev1 IDLE] done\r\n", Some(true)),
        ("* CAPABILITY IMAP4rev1 IDLE\r\n$1 OK done\r\n", Some(true)),
        ("$1 NO [AUTHENTICATIONFAILED] x\r\n", Some(false)),
    ] {
        let mut peer = Peer::greeted(clear_text(), "AUTH=PLAIN");
        assert_eq!(peer.command(login()).unwrap(), "$1 LOGIN fred secret\r\n");
        peer.says(reply);
        assert_eq!(peer.client.capabilities().map(|_| peer.client.has("IDLE")), known, "{reply}");
    }
}

// ---- Log-in

#[test]
fn passwords_need_tls_or_permission() {
    let mut peer = Peer::greeted(Config::default(), "AUTH=PLAIN");
    assert_eq!(misuse(peer.client.command(login())), Misuse::Plaintext);
    let exchange = peer.client.exchange(MechanismName::PLAIN, &credentials()).unwrap();
    assert_eq!(misuse(peer.client.authenticate(exchange)), Misuse::Plaintext);
    assert_eq!(peer.sent(), "");
}

#[test]
fn login_is_not_sent_where_it_is_disabled_or_might_be() {
    let mut peer = Peer::greeted(clear_text(), "LOGINDISABLED");
    assert_eq!(peer.client.command(login()), Err(SendError::LoginDisabled));
    let mut peer = Peer::new(clear_text());
    peer.says("* OK ready\r\n");
    assert_eq!(misuse(peer.client.command(login())), Misuse::NotAnnounced);
    assert_eq!(peer.sent(), "");
}

fn authenticate(peer: &mut Peer) -> String {
    let exchange = peer.client.exchange(MechanismName::PLAIN, &credentials()).unwrap();
    peer.client.authenticate(exchange).unwrap();
    peer.sent()
}

#[test]
fn an_exchange_begins_in_the_command_where_that_is_announced() {
    let mut peer = Peer::greeted(clear_text(), "AUTH=PLAIN SASL-IR");
    assert_eq!(authenticate(&mut peer), "$1 AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0\r\n");
    peer.says("$1 OK done\r\n");
    assert_eq!(*peer.client.state(), State::Authenticated);

    let mut peer = Peer::greeted(clear_text(), "AUTH=PLAIN");
    assert_eq!(authenticate(&mut peer), "$1 AUTHENTICATE PLAIN\r\n");
    assert_eq!(peer.told("+ \r\n"), [""; 0]);
    assert_eq!(peer.sent(), "AGZyZWQAc2VjcmV0\r\n");

    let mut config = clear_text();
    config.initial_response = mailwright_imap::client::InitialResponse::Never;
    let mut peer = Peer::greeted(config, "AUTH=PLAIN SASL-IR");
    assert_eq!(authenticate(&mut peer), "$1 AUTHENTICATE PLAIN\r\n");
}

#[test]
fn a_challenge_that_makes_no_sense_cancels() {
    for challenge in ["+ ????\r\n", "+ eHl6\r\n"] {
        let mut peer = Peer::greeted(clear_text(), "AUTH=PLAIN");
        authenticate(&mut peer);
        assert!(matches!(&peer.says(challenge)[..], [Event::Cancelled { .. }]));
        assert_eq!(peer.sent(), "*\r\n");
        assert!(matches!(&peer.says("$1 BAD cancelled\r\n")[..], [Event::Completed { .. }]));
        assert!(!peer.client.initial_response_refused());
        peer.command(Command::Noop).unwrap();
    }
}

#[test]
fn a_cancelled_exchange_has_neither_challenges_nor_success() {
    for (text, reason) in [("+ \r\n", "UnexpectedChallenge"), ("$1 OK welcome\r\n", "NotProven")] {
        let mut peer = Peer::greeted(clear_text(), "AUTH=PLAIN");
        authenticate(&mut peer);
        peer.says("+ ?\r\n");
        peer.sent();
        assert!(format!("{:?}", closed(&peer.says(text))).starts_with(reason));
    }
}

#[test]
fn a_mechanism_that_is_not_announced_is_not_used() {
    let mut peer = Peer::greeted(clear_text(), "AUTH=LOGIN");
    let exchange = peer.client.exchange(MechanismName::PLAIN, &credentials()).unwrap();
    assert_eq!(misuse(peer.client.authenticate(exchange)), Misuse::NotAnnounced);
}

// ---- Literals

#[test]
fn a_literal_waits_for_consent_and_holds_other_commands_back() {
    let mut peer = Peer::logged_in("");
    let create = Command::Create(mailwright_imap::types::Mailbox::Other("a\u{1}b\u{2}".into()).into());
    assert_eq!(peer.command(create).unwrap(), "$1 CREATE {4}\r\n");
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::Busy);
    peer.says("+ go\r\n");
    assert_eq!(peer.sent(), "a\u{1}b\u{2}\r\n");
    assert_eq!(peer.command(Command::Noop).unwrap(), "$2 NOOP\r\n");
}

#[test]
fn a_literal_that_is_refused_is_never_sent() {
    let mut peer = Peer::logged_in("");
    peer.command(Command::Create(mailwright_imap::types::Mailbox::Other("a\u{1}".into()).into())).unwrap();
    assert!(matches!(&peer.says("$1 NO [TOOBIG] x\r\n")[..], [Event::Completed { .. }]));
    assert_eq!(peer.sent(), "");
    assert!(peer.told("+ late\r\n")[0].contains("Continue"), "what nothing waits for is handed on");
    assert_eq!(peer.command(Command::Noop).unwrap(), "$2 NOOP\r\n");
}

#[test]
fn literals_go_at_once_where_the_server_takes_them() {
    for (capabilities, short, long) in [
        ("LITERAL+", "{1+}", "{5000+}"),
        ("LITERAL-", "{1+}", "{5000}"),
        ("IMAP4rev2", "{1+}", "{5000}"),
        ("", "{1}", "{5000}"),
    ] {
        let mut peer = Peer::logged_in(capabilities);
        peer.client.append(append("INBOX"), 1).unwrap();
        assert_eq!(peer.sent(), format!("$1 APPEND INBOX {short}\r\n"));
        let mut peer = Peer::logged_in(capabilities);
        peer.client.append(append("INBOX"), 5000).unwrap();
        assert_eq!(peer.sent(), format!("$1 APPEND INBOX {long}\r\n"));
    }
}

#[test]
fn no_name_breaks_out_of_its_command() {
    let mut peer = Peer::logged_in("LITERAL+");
    let name = "INBOX\r\n$9 DELETE x";
    let sent =
        peer.command(Command::Select(mailwright_imap::types::Mailbox::Other(name.into()).into())).unwrap();
    assert_eq!(sent, format!("$1 SELECT {{{}+}}\r\n{name}\r\n", name.len()));
    let sent = peer.client.command(Command::Authenticate { mechanism: string("PLAIN"), initial: None });
    assert_eq!(misuse(sent), Misuse::WrongState);
}

// ---- APPEND

#[test]
fn a_message_is_streamed_when_the_server_wants_it() {
    let mut peer = Peer::logged_in("");
    let id = peer.client.append(append("INBOX"), 5).unwrap();
    assert_eq!(peer.sent(), "$1 APPEND INBOX {5}\r\n");
    assert_eq!(peer.client.content(b"x"), Err(ContentError::Misuse(Misuse::WrongState)));
    let events = peer.says("+ go\r\n");
    assert!(matches!(&events[..], [Event::ContentWanted { id: wanted, octets: 5 }] if *wanted == id));
    assert_eq!(peer.client.content(b"he"), Ok(2));
    assert_eq!(peer.client.content(b"lloo"), Err(ContentError::Misuse(Misuse::TooLarge)));
    assert_eq!(peer.client.content(b"l\0o"), Err(ContentError::Nul { offset: 1 }));
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::Busy);
    assert_eq!(peer.client.content(b"llo"), Ok(3));
    assert_eq!(peer.sent(), "hello\r\n");
    assert_eq!(peer.command(Command::Noop).unwrap(), "$2 NOOP\r\n");
    assert!(matches!(&peer.says("$1 OK [APPENDUID 1 2] x\r\n")[..], [Event::Completed { .. }]));
}

#[test]
fn a_message_above_the_announced_limit_is_not_begun() {
    let mut peer = Peer::logged_in("APPENDLIMIT=10");
    assert_eq!(misuse(peer.client.append(append("INBOX"), 11)), Misuse::TooLarge);
    assert!(peer.client.append(append("INBOX"), 10).is_ok());
}

#[test]
fn an_empty_message_is_complete_at_once() {
    let mut peer = Peer::logged_in("LITERAL+");
    peer.client.append(append("INBOX"), 0).unwrap();
    assert_eq!(peer.sent(), "$1 APPEND INBOX {0+}\r\n\r\n");
    assert!(matches!(&peer.says("$1 NO empty\r\n")[..], [Event::Completed { .. }]));
}

#[test]
fn what_was_announced_is_written_even_if_the_server_refuses_early() {
    let mut peer = Peer::logged_in("LITERAL+");
    peer.client.append(append("INBOX"), 4).unwrap();
    peer.client.content(b"ab").unwrap();
    peer.sent();
    let events = peer.says("$1 NO [OVERQUOTA] full\r\n");
    assert!(matches!(&events[..], [Event::ContentWanted { .. }]), "{events:?}");
    peer.client.content(b"cd").unwrap();
    assert_eq!(peer.sent(), "cd\r\n");
    assert!(matches!(&peer.events()[..], [Event::Completed { status, .. }] if status.kind == StatusKind::No));
    assert_eq!(peer.command(Command::Noop).unwrap(), "$2 NOOP\r\n");
}

#[test]
fn a_message_cannot_be_stored_before_it_was_written() {
    let mut peer = Peer::logged_in("LITERAL+");
    peer.client.append(append("INBOX"), 4).unwrap();
    peer.sent();
    assert_eq!(*closed(&peer.says("$1 OK done\r\n")), Closed::Premature);
}

#[test]
fn content_is_taken_as_there_is_room() {
    let mut peer = Peer::logged_in("LITERAL+");
    peer.client.append(append("INBOX"), 1_000_000).unwrap();
    let piece = vec![b'x'; 200_000];
    let taken = peer.client.content(&piece).unwrap();
    assert!(taken > 0 && taken <= 65_536);
    assert_eq!(peer.client.content(&piece), Ok(0));
    peer.sent();
    assert_eq!(peer.client.content(&piece), Ok(65_536));
}

// ---- Pipelining

#[test]
fn message_numbers_wait_for_what_may_change_them() {
    let mut peer = Peer::selected("MOVE");
    peer.command(Command::Noop).unwrap();
    for command in [
        fetch(numbers("1")),
        search(false, SearchKey::All),
        search(true, SearchKey::Numbers(set("1"))),
        Command::Store(StoreCommand::new(numbers("1"), StoreAction::Add, Vec::new())),
        Command::Copy { messages: numbers("1"), mailbox: mailbox("a") },
    ] {
        assert_eq!(misuse(peer.client.command(command)), Misuse::Busy);
    }
    assert_eq!(peer.command(fetch(uids("1"))).unwrap(), "$3 UID FETCH 1 (FLAGS)\r\n");
    peer.says("$2 OK done\r\n");
    assert_eq!(
        misuse(peer.client.command(fetch(numbers("1")))),
        Misuse::Busy,
        "the UID form may change them"
    );
    peer.says("$3 OK done\r\n");
    assert_eq!(peer.command(fetch(numbers("1"))).unwrap(), "$4 FETCH 1 (FLAGS)\r\n");
    assert_eq!(peer.command(fetch(numbers("2"))).unwrap(), "$5 FETCH 2 (FLAGS)\r\n");
    assert_eq!(peer.command(search(false, SearchKey::All)).unwrap(), "$6 SEARCH ALL\r\n");
}

#[test]
fn some_commands_run_alone() {
    let mut peer = Peer::selected("IDLE");
    peer.command(Command::Noop).unwrap();
    for command in [Command::Idle, Command::Logout, Command::Close, Command::Select(mailbox("a").into())] {
        assert_eq!(misuse(peer.client.command(command)), Misuse::Busy);
    }
    peer.says("$2 OK done\r\n");
    peer.command(Command::Close).unwrap();
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::Busy);
}

#[test]
fn completions_may_come_in_any_order() {
    let mut peer = Peer::logged_in("");
    let first = peer.client.command(Command::Noop).unwrap();
    let second = peer.client.command(Command::Capability).unwrap();
    peer.sent();
    let events = peer.says("$2 OK done\r\n$1 OK done\r\n");
    let order: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Completed { id, .. } => *id,
            event => panic!("{event:?}"),
        })
        .collect();
    assert_eq!(order, [second, first]);
    assert_eq!(peer.client.in_flight(), 0);
}

#[test]
fn so_many_commands_are_in_flight_and_no_more() {
    let mut peer = Peer::logged_in("");
    for _ in 0..64 {
        peer.client.command(Command::Noop).unwrap();
    }
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::Busy);
}

#[test]
fn sets_go_in_ascending_order() {
    let mut peer = Peer::selected("");
    assert_eq!(peer.command(fetch(uids("9,*,4:2,7"))).unwrap(), "$2 UID FETCH 2:4,7,9,* (FLAGS)\r\n");
}

// ---- Tags

#[test]
fn tags_differ_from_connection_to_connection() {
    let tag = |seed: u8| {
        let mut client = Client::new(clear_text(), [seed; 32]);
        client.handle_input(&mut "* OK x\r\n".into(), mailwright_core::value::Instant::ORIGIN);
        client.command(Command::Noop).unwrap();
        client.transmit().take()
    };
    assert_eq!(tag(1), tag(1));
    assert_ne!(tag(1), tag(2));
}

#[test]
fn a_completion_of_nothing_that_was_sent_closes() {
    for text in ["$1 OK x\r\n", "$3 OK x\r\n", "A1 OK x\r\n", "$02 OK x\r\n", "$ NO x\r\n", "$2x BAD x\r\n"] {
        let mut peer = Peer::selected("");
        peer.command(Command::Noop).unwrap();
        assert!(matches!(closed(&peer.says(text)), Closed::UnknownTag(_)), "{text}");
    }
    let mut peer = Peer::selected("");
    peer.client.command(Command::Noop).unwrap();
    assert!(matches!(closed(&peer.says("$2 OK done\r\n")), Closed::UnknownTag(_)), "not written yet");
}

// ---- Data

#[test]
fn data_comes_when_the_server_likes() {
    let mut peer = Peer::selected("");
    let told = peer.told("* 3 EXISTS\r\n* 1 EXPUNGE\r\n* OK Still here\r\n");
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|event| event.ends_with("during: None }")), "{told:?}");
}

#[test]
fn the_hint_is_the_oldest_command_that_fits() {
    let mut peer = Peer::selected("");
    let noop = peer.client.command(Command::Noop).unwrap();
    let fetched = peer.client.command(fetch(uids("1"))).unwrap();
    peer.sent();
    let events = peer.says("* 3 EXISTS\r\n* 1 FETCH (UID 7)\r\n");
    assert!(matches!(&events[0], Event::Response { during, .. } if *during == Some(noop)));
    assert!(matches!(&events[1], Event::FetchBegin { number: 1, during } if *during == Some(fetched)));
}

#[test]
fn bodies_are_streamed() {
    let mut peer = Peer::selected("");
    let section = mailwright_imap::types::FetchAttribute::BodySection {
        peek: true,
        section: Section::whole(),
        partial: None,
    };
    let command = Command::Fetch(FetchCommand::new(uids("7"), vec![section]));
    assert_eq!(peer.command(command).unwrap(), "$2 UID FETCH 7 (BODY.PEEK[])\r\n");
    let told = peer.told("* 1 FETCH (BODY[] {10}\r\nhel");
    assert!(told[0].starts_with("FetchBegin") && told[1].starts_with("BodyBegin") && told[1].contains("10"));
    assert!(told[2].starts_with("BodyChunk"));
    let told = peer.told("lo {5}\r UID 7)\r\n$2 OK done\r\n");
    let names: Vec<&str> = told.iter().map(|event| event.split([' ', '(']).next().unwrap()).collect();
    assert_eq!(names, ["BodyChunk", "BodyEnd", "FetchItem", "FetchEnd", "Completed"], "{told:?}");
}

#[test]
fn a_length_above_every_limit_is_only_a_number() {
    let mut peer = Peer::selected("");
    let told = peer.told("* 1 FETCH (BODY[] {9000000000000000000}\r\nabc");
    assert!(told[1].contains("length: 9000000000000000000") && told[2] == "BodyChunk(b\"abc\")", "{told:?}");
}

#[test]
fn events_that_wait_hold_the_server_back_by_their_octets() {
    let mut peer = Peer::selected("");
    let list = format!("* LIST ({}) NIL x\r\n", "\\a ".repeat(9000).trim_end());
    peer.input.extend_from_slice(list.repeat(10).as_bytes());
    peer.client.handle_input(&mut peer.input, peer.now);
    assert!(!peer.client.wants().input);
    assert_eq!(peer.input.len() % list.len(), 0);
    assert_eq!(peer.input.len() / list.len(), 7);
    assert_eq!(peer.events().len(), 10);
}

#[test]
fn what_cannot_be_read_is_reported_and_skipped() {
    let mut peer = Peer::selected("");
    peer.command(Command::Noop).unwrap();
    let events = peer.says("Server Unavailable. 15\r\n* LIST (\r\n* 3 EXISTS\r\n$2 OK x {20}\r\n");
    assert!(matches!(
        &events[..],
        [Event::Invalid(_), Event::Invalid(_), Event::Response { .. }, Event::Completed { .. }]
    ));
}

// ---- IDLE

fn idle() -> Peer {
    let mut peer = Peer::selected("IDLE");
    assert_eq!(peer.command(Command::Idle).unwrap(), "$2 IDLE\r\n");
    assert!(matches!(
        &peer.says("* FLAGS ()\r\n+ idling\r\n")[..],
        [Event::Response { .. }, Event::Idling { .. }]
    ));
    peer
}

#[test]
fn idle_tells_until_it_is_done() {
    let mut peer = idle();
    assert_eq!(peer.says("* 4 EXISTS\r\n").len(), 1);
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::Busy);
    peer.client.done().unwrap();
    peer.client.done().unwrap();
    assert_eq!(peer.sent(), "DONE\r\n");
    assert!(matches!(&peer.says("$2 OK done\r\n")[..], [Event::Completed { .. }]));
    assert_eq!(peer.client.done(), Err(Misuse::WrongState));
}

#[test]
fn done_waits_until_the_server_idles() {
    let mut peer = Peer::selected("IDLE");
    peer.command(Command::Idle).unwrap();
    peer.client.done().unwrap();
    assert_eq!(peer.sent(), "");
    peer.says("+ idling\r\n");
    assert_eq!(peer.sent(), "DONE\r\n");
    let mut peer = Peer::selected("IDLE");
    peer.command(Command::Idle).unwrap();
    peer.client.done().unwrap();
    peer.says("$2 NO not now\r\n");
    assert_eq!(peer.sent(), "", "refused, so there is nothing to end");
}

#[test]
fn idle_is_begun_again_and_nobody_notices() {
    let mut peer = idle();
    assert!(peer.wait(Duration::from_secs(28 * 60 - 1)).is_empty());
    assert_eq!(peer.sent(), "");
    assert!(peer.wait(Duration::from_secs(1)).is_empty());
    assert_eq!(peer.sent(), "DONE\r\n");
    assert!(peer.says("$2 OK done\r\n").is_empty());
    assert_eq!(peer.sent(), "$3 IDLE\r\n");
    assert!(peer.says("+ idling\r\n").is_empty());
    peer.client.done().unwrap();
    assert_eq!(peer.sent(), "DONE\r\n");
    assert!(matches!(&peer.says("$3 OK done\r\n")[..], [Event::Completed { .. }]));
}

#[test]
fn idle_that_the_server_ends_is_over() {
    let mut peer = idle();
    assert!(matches!(&peer.says("$2 OK enough\r\n")[..], [Event::Completed { .. }]));
    peer.command(Command::Noop).unwrap();
}

#[test]
fn idle_is_shorter_where_connections_were_lost() {
    let mut timeouts = Timeouts::default();
    let mut minutes = Vec::new();
    for _ in 0..4 {
        minutes.push(timeouts.idle_refresh.as_secs() / 60);
        timeouts = timeouts.after_lost_idle();
    }
    assert_eq!(minutes, [28, 14, 9, 9]);
}

// ---- The end

#[test]
fn logout_ends_in_order() {
    let mut peer = Peer::logged_in("");
    assert_eq!(peer.command(Command::Logout).unwrap(), "$1 LOGOUT\r\n");
    let events = peer.says("* BYE bye\r\n* BYE again\r\n$1 OK done\r\n");
    assert!(matches!(&events[2], Event::Completed { .. }));
    assert_eq!(*closed(&events), Closed::Logout);
    assert!(peer.client.wants().close);
    let mut peer = Peer::logged_in("");
    peer.command(Command::Logout).unwrap();
    peer.says("* BYE bye\r\n");
    assert_eq!(*closed(&peer.leaves()), Closed::Logout);
}

#[test]
fn bye_is_the_end() {
    let mut peer = Peer::selected("");
    peer.command(Command::Noop).unwrap();
    let events = peer.says("* BYE shutting down\r\n* BYE shutting down\r\n");
    assert!(matches!(&events[..], [Event::Closed(Closed::Bye(_))]));
}

#[test]
fn an_end_inside_a_response_is_truncation() {
    for (text, reason) in [
        ("", Closed::EndOfInput),
        ("* 1 FETCH (BODY[] {9}\r\nx", Closed::Truncated),
        ("* 1 FETCH (", Closed::Truncated),
    ] {
        let mut peer = Peer::selected("");
        peer.says(text);
        assert_eq!(*closed(&peer.leaves()), reason, "{text}");
    }
}

#[test]
fn an_aborted_session_writes_nothing_more() {
    let mut peer = Peer::selected("");
    peer.client.command(Command::Noop).unwrap();
    peer.client.abort();
    assert_eq!(peer.sent(), "");
    assert_eq!(*closed(&peer.events()), Closed::Aborted);
}

// ---- Time

#[test]
fn a_greeting_has_a_minute() {
    let mut peer = Peer::new(clear_text());
    assert!(peer.wait(Duration::from_secs(59)).is_empty());
    assert_eq!(*closed(&peer.wait(Duration::from_secs(1))), Closed::Timeout);
}

#[test]
fn a_command_has_its_time_which_any_response_starts_again() {
    let mut peer = Peer::selected("");
    assert_eq!(peer.client.poll_timeout(), None);
    peer.command(Command::Noop).unwrap();
    assert!(peer.wait(Duration::from_secs(299)).is_empty());
    peer.says("* OK working\r\n");
    assert!(peer.wait(Duration::from_secs(299)).is_empty());
    assert_eq!(*closed(&peer.wait(Duration::from_secs(1))), Closed::Timeout);
}

#[test]
fn long_commands_have_half_an_hour() {
    let mut peer = Peer::selected("");
    peer.command(search(true, SearchKey::All)).unwrap();
    assert!(peer.wait(Duration::from_secs(1799)).is_empty());
    assert_eq!(*closed(&peer.wait(Duration::from_secs(1))), Closed::Timeout);
}

#[test]
fn consent_to_a_literal_has_a_minute() {
    let mut peer = Peer::logged_in("");
    peer.client.append(append("INBOX"), 5).unwrap();
    peer.sent();
    assert_eq!(*closed(&peer.wait(Duration::from_secs(60))), Closed::Timeout);
}

#[test]
fn a_message_that_leaves_slowly_is_progress_and_one_that_stands_is_not() {
    let mut peer = Peer::logged_in("LITERAL+");
    peer.client.append(append("INBOX"), 1_000_000).unwrap();
    peer.sent();
    assert!(matches!(&peer.events()[..], [Event::ContentWanted { .. }]));
    assert!(peer.wait(Duration::from_secs(3600)).is_empty(), "the host takes its time");
    peer.client.content(&[b'x'; 60_000]).unwrap();
    peer.client.handle_input(&mut peer.input, peer.now);
    bytes::Buf::advance(peer.client.transmit(), 10);
    assert!(peer.wait(Duration::from_secs(1800)).is_empty());
    assert_eq!(*closed(&peer.wait(Duration::from_secs(1800))), Closed::Timeout);
}

#[test]
fn no_deadline_runs_while_the_host_leaves_events_lying() {
    let mut peer = Peer::selected("");
    peer.command(Command::Noop).unwrap();
    peer.input.extend_from_slice("* 1 EXISTS\r\n".repeat(100).as_bytes());
    peer.client.handle_input(&mut peer.input, peer.now);
    assert!(!peer.client.wants().input);
    assert_eq!(peer.client.poll_timeout(), None);
    assert_eq!(peer.events().len(), 100);
    assert!(peer.client.poll_timeout().is_some());
}

#[test]
fn what_came_before_the_end_is_told_before_it() {
    let mut peer = Peer::selected("");
    peer.input.extend_from_slice("* 1 EXISTS\r\n".repeat(100).as_bytes());
    peer.client.handle_input(&mut peer.input, peer.now);
    let events = peer.leaves();
    assert_eq!(events.len(), 101);
    assert_eq!(*closed(&events), Closed::EndOfInput);
}

#[test]
fn what_comes_in_pieces_is_handed_on_as_it_comes() {
    let mut peer = Peer::selected("");
    let id = peer.client.command(search(true, SearchKey::All)).unwrap();
    let _ = peer.sent();
    let events = peer.says("* VANISHED (EARLIER) 41,43:");
    let [Event::VanishedBegin { earlier: true, during: Some(hint) }, Event::Vanished(uids)] = &events[..]
    else {
        panic!("{events:?}")
    };
    // A hint, no more: nothing in flight answers with it.
    assert_eq!((*hint, uids.first().get(), uids.last().get()), (id, 41, 41));
    assert!(matches!(&peer.says("116\r\n")[..], [Event::Vanished(_), Event::VanishedEnd]));
    let events = peer.says("* ESEARCH (TAG \"x\") UID ALL 4294967295,1:4294967295 COUNT 2\r\n");
    let [
        Event::ExtendedSearchBegin { search, during },
        Event::SearchList(list),
        Event::SearchElement(one),
        Event::SearchElement(_),
        Event::SearchData(SearchData::Count(2)),
        Event::ExtendedSearchEnd,
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert!(search.uid && search.data.is_empty() && *during == Some(id) && *list == SearchList::All);
    assert!(matches!(one, SearchElement::Range(range) if range.to_string() == "4294967295"));
    let events = peer.says("* THREAD (2)(3 6 (4 23)(44 7 96))\r\n");
    assert!(matches!(&events[..], [Event::ThreadBegin { .. }, .., Event::ThreadEnd]) && events.len() == 10);
}
