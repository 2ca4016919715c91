//! Every command of the grammar from the client: what is sent, what it needs, which go together, and what they
//! change.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod generate;
mod peer;

use mailwright_core::session::{Layer, Session as _, Upgraded};
use mailwright_core::value::Misuse;
use mailwright_imap::LiteralPolicy;
use mailwright_imap::client::{Closed, Content, ContentPart, Event, Obstacle, SendError, State};
use mailwright_imap::types::{
    AppendMessage, Atom, Capability, Command, ListCommand, ListReturn, ListSelection, Mailbox, MessageForm,
    Messages, NumberEnd, NumberSet, ReplaceCommand, Search, SearchCommand, SearchKey, SearchReturn,
    SelectCommand, States, StoreAction, StoreCommand, Tag, Verb,
};
use peer::{Peer, append, fetch, mailbox, numbers, search, set, string, uids};
use proptest::prelude::*;

/// What a server announces that has everything.
const EVERYTHING: &str = "IMAP4rev2 ACL BINARY CATENATE COMPRESS=DEFLATE CONDSTORE CONTEXT=SEARCH CONTEXT=SORT \
    CREATE-SPECIAL-USE ENABLE ESORT ID IDLE LIST-EXTENDED LIST-METADATA LIST-MYRIGHTS LIST-STATUS LITERAL+ METADATA \
    MOVE MULTIAPPEND MULTISEARCH NAMESPACE NOTIFY PARTIAL QRESYNC QUOTA REPLACE SEARCH=FUZZY SEARCHRES SORT \
    SPECIAL-USE STARTTLS THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS UIDPLUS UNAUTHENTICATE UNSELECT UTF8=ACCEPT \
    X-GM-EXT-1 XLIST";

fn misuse<T: core::fmt::Debug>(result: Result<T, SendError>) -> Misuse {
    match result.unwrap_err() {
        SendError::Misuse(misuse) => misuse,
        error => panic!("{error:?}"),
    }
}

fn capability(name: &str) -> Capability {
    Capability::new(name.to_owned()).unwrap()
}

fn enable(names: &[&str]) -> Command {
    Command::Enable(names.iter().map(|name| capability(name)).collect())
}

fn compress() -> Command {
    Command::Compress(Atom::new("DEFLATE").unwrap())
}

/// A client in the state that a command needs, of a server that has everything and has enabled QRESYNC.
fn ready(states: States) -> Peer {
    let mut peer = match states {
        States::NotAuthenticated => Peer::greeted(peer::clear_text(), EVERYTHING),
        _ => Peer::logged_in(EVERYTHING),
    };
    if states != States::NotAuthenticated {
        peer.command(enable(&["QRESYNC"])).unwrap();
        peer.says("* ENABLED QRESYNC\r\n$1 OK done\r\n");
    }
    if states == States::Selected {
        peer.client.command(Command::Select(mailbox("INBOX").into())).unwrap();
        peer.sent();
        peer.says("$2 OK done\r\n");
    }
    peer
}

// ---- What is sent

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 1000 } else { 20_000 }))]

    #[test]
    fn whatever_can_be_written_is_sent(command in generate::command::command()) {
        let tag = Tag::new("a1").unwrap();
        let written = command.encode(&tag, LiteralPolicy::All, false);
        let verb = command.verb();
        // A search may get a charset, and patterns beyond ASCII become UTF-7.
        let fitted = matches!(verb, Verb::Search | Verb::MultiSearch | Verb::List | Verb::Lsub | Verb::Xlist);
        let mut peer = ready(verb.entry().states);
        match peer.client.command(command) {
            Ok(_) => {
                let sent = peer.client.transmit().take();
                let written = written.unwrap().concat();
                let behind_tag = |octets: &[u8]| {
                    let at = octets.iter().position(|octet| *octet == b' ').unwrap();
                    octets[at..].to_vec()
                };
                // Sets are in order, which does not change how long they are.
                if !fitted {
                    prop_assert_eq!(behind_tag(&sent).len(), behind_tag(&written).len());
                }
            }
            Err(SendError::Encode(error)) => prop_assert_eq!(written.unwrap_err(), error),
            // These have calls of their own, and THREAD and COMPRESS of anything are not announced.
            Err(SendError::Misuse(Misuse::WrongState)) => {
                prop_assert!(matches!(verb, Verb::Authenticate | Verb::Append | Verb::Replace), "{verb:?}");
            }
            Err(SendError::Misuse(Misuse::NotAnnounced)) => {
                prop_assert!(matches!(verb, Verb::Thread | Verb::Compress), "{verb:?}");
            }
            Err(error) => panic!("{verb:?}: {error:?}"),
        }
    }
}

#[test]
fn no_command_goes_where_its_state_is_not() {
    let mut before = ready(States::NotAuthenticated);
    let mut after = ready(States::Authenticated);
    for (command, states) in [
        (enable(&["CONDSTORE"]), States::Authenticated),
        (Command::Unauthenticate, States::Authenticated),
        (Command::Notify(mailwright_imap::types::NotifyCommand::None), States::Authenticated),
        (Command::List(ListCommand::new(string(""), string("*"))), States::Authenticated),
        (search(true, SearchKey::All), States::Selected),
        (Command::Check, States::Selected),
    ] {
        assert_eq!(misuse(before.client.command(command.clone())), Misuse::WrongState, "{command:?}");
        if states == States::Selected {
            assert_eq!(misuse(after.client.command(command.clone())), Misuse::WrongState, "{command:?}");
        }
    }
    // RFC 5161 §3.1
    let mut selected = ready(States::Selected);
    assert_eq!(misuse(selected.client.command(enable(&["CONDSTORE"]))), Misuse::WrongState);
}

#[test]
fn options_need_what_announces_them() {
    let basic = ListCommand::new(string(""), string("*"));
    let mut subscribed = basic.clone();
    subscribed.selection = Some(vec![ListSelection::Subscribed]);
    let mut special = basic.clone();
    special.returns = Some(vec![ListReturn::SpecialUse]);
    let mut status = basic;
    status.returns = Some(vec![ListReturn::Status(vec![mailwright_imap::types::StatusItem::Messages])]);
    let found = |returns: SearchReturn| {
        let mut search = SearchCommand::new(true, Search::new([SearchKey::All]).unwrap());
        search.returns = Some(vec![returns]);
        Command::Search(search)
    };
    let mut store = StoreCommand::new(uids("1"), StoreAction::Add, Vec::new());
    store.unchanged_since = Some(mailwright_core::value::ModSeq::new(1).unwrap());
    let mut condstore = SelectCommand::new(mailbox("a"));
    condstore.condstore = true;
    for (command, enough) in [
        (Command::List(subscribed), &["LIST-EXTENDED", "IMAP4rev2"][..]),
        (Command::List(special), &["SPECIAL-USE", "LIST-EXTENDED"]),
        (Command::List(status), &["LIST-EXTENDED LIST-STATUS", "IMAP4rev2"]),
        (found(SearchReturn::Count), &["ESEARCH", "IMAP4rev2"]),
        (found(SearchReturn::Save), &["SEARCHRES", "IMAP4rev2"]),
        (found(SearchReturn::Context), &["CONTEXT=SEARCH"]),
        (fetch(Messages::Uids(NumberSet::saved())), &["SEARCHRES"]),
        (Command::Store(store), &["CONDSTORE", "QRESYNC"]),
        (Command::Select(condstore), &["CONDSTORE", "QRESYNC"]),
        (enable(&["UTF8=ACCEPT"]), &["ENABLE"]),
        (compress(), &["COMPRESS=DEFLATE"]),
        (Command::Unauthenticate, &["UNAUTHENTICATE"]),
    ] {
        let peer = |capabilities: &str| match command.verb() {
            Verb::Enable => Peer::logged_in(capabilities),
            _ => Peer::selected(capabilities),
        };
        assert_eq!(misuse(peer("").client.command(command.clone())), Misuse::NotAnnounced, "{command:?}");
        for capabilities in enough {
            peer(capabilities).client.command(command.clone()).unwrap();
        }
    }
    let known = mailwright_imap::types::KnownMailbox::new(
        mailwright_core::value::UidValidity::MIN,
        mailwright_core::value::ModSeq::new(1).unwrap(),
    );
    let mut resync = SelectCommand::new(mailbox("a"));
    resync.known = Some(known);
    let mut peer = Peer::logged_in("QRESYNC");
    let refused = peer.client.command(Command::Select(resync));
    assert_eq!(refused, Err(SendError::NotEnabled("QRESYNC")));
}

// ---- ENABLE

#[test]
fn what_is_enabled_is_what_the_server_says() {
    let mut peer = Peer::logged_in("ENABLE CONDSTORE QRESYNC");
    peer.says("* ENABLED QRESYNC\r\n");
    assert!(peer.client.enabled().is_empty(), "nobody has asked");
    assert_eq!(peer.command(enable(&["QRESYNC", "X-NEW"])).unwrap(), "$1 ENABLE QRESYNC X-NEW\r\n");
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::Busy);
    peer.says("* ENABLED QRESYNC\r\n$1 OK done\r\n");
    assert!(peer.client.is_enabled("qresync") && peer.client.is_enabled("CONDSTORE"));
    assert!(!peer.client.is_enabled("X-NEW"));
    assert_eq!(peer.client.enabled(), [capability("QRESYNC")]);
}

#[test]
fn utf8_goes_both_ways_once_it_is_enabled() {
    for name in ["UTF8=ACCEPT", "IMAP4rev2"] {
        let mut peer = Peer::logged_in(&format!("ENABLE LITERAL+ {name}"));
        let create = |peer: &mut Peer| {
            let name = mailwright_core::value::MailboxName::new("Entwürfe & mehr").unwrap();
            peer.command(Command::Create(Mailbox::from(name).into())).unwrap()
        };
        assert_eq!(create(&mut peer), "$1 CREATE \"Entw&APw-rfe &- mehr\"\r\n");
        peer.says("$1 OK done\r\n");
        peer.command(enable(&[name])).unwrap();
        peer.says(&format!("* ENABLED {name}\r\n$2 OK done\r\n"));
        assert_eq!(create(&mut peer), "$3 CREATE \"Entwürfe & mehr\"\r\n");
        let told = peer.told("* LIST () \"/\" \"Entwürfe & mehr\"\r\n");
        assert!(told[0].contains("mailbox: \"Entwürfe & mehr\""), "{told:?}");
    }
}

#[test]
fn uidonly_ends_message_numbers() {
    let mut peer = Peer::logged_in("ENABLE UIDONLY REPLACE MOVE");
    peer.command(enable(&["UIDONLY"])).unwrap();
    peer.says("* ENABLED UIDONLY\r\n$1 OK done\r\n");
    peer.client.command(Command::Select(mailbox("INBOX").into())).unwrap();
    peer.sent();
    peer.says("$2 OK done\r\n");
    for command in [
        fetch(numbers("1")),
        search(false, SearchKey::All),
        search(true, SearchKey::Numbers(set("1"))),
        Command::Copy { messages: numbers("1"), mailbox: mailbox("a") },
        Command::Move { messages: numbers("1"), mailbox: mailbox("a") },
        Command::Store(StoreCommand::new(numbers("1"), StoreAction::Add, Vec::new())),
    ] {
        assert_eq!(peer.client.command(command.clone()), Err(SendError::NumbersDisabled), "{command:?}");
    }
    let one = NumberEnd::Number(1.try_into().unwrap());
    let refused = peer.client.replace(ReplaceCommand::new(false, one, append("INBOX")), 1);
    assert_eq!(refused, Err(SendError::NumbersDisabled));
    assert_eq!(peer.command(fetch(uids("1"))).unwrap(), "$3 UID FETCH 1 (FLAGS)\r\n");
}

// ---- COMPRESS and UNAUTHENTICATE

#[test]
fn compression_begins_behind_the_agreement() {
    let mut peer = Peer::logged_in("COMPRESS=DEFLATE STARTTLS");
    assert_eq!(peer.command(compress()).unwrap(), "$1 COMPRESS DEFLATE\r\n");
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::Busy);
    assert!(matches!(&peer.says("$1 OK go\r\nxyz")[..], [Event::Completed { .. }]));
    assert_eq!(peer.client.wants().upgrade, Some(Layer::Deflate));
    assert_eq!(&peer.input[..], b"xyz", "belongs to the layer");
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::WrongState);
    peer.input.clear();
    peer.client.handle_upgrade(Upgraded::Deflate, peer.now);
    assert!(matches!(&peer.events()[..], [Event::Compressed]));
    assert!(peer.client.is_compressed());
    assert_eq!(misuse(peer.client.command(compress())), Misuse::WrongState);
    assert_eq!(peer.command(Command::Noop).unwrap(), "$2 NOOP\r\n");
}

#[test]
fn no_tls_comes_over_compression() {
    let mut peer = Peer::greeted(peer::clear_text(), "COMPRESS=DEFLATE STARTTLS");
    peer.command(compress()).unwrap();
    peer.says("$1 OK go\r\n");
    peer.client.handle_upgrade(Upgraded::Deflate, peer.now);
    assert_eq!(misuse(peer.client.command(Command::StartTls)), Misuse::WrongState);
}

#[test]
fn a_refusal_of_compression_changes_nothing() {
    let mut peer = Peer::logged_in("COMPRESS=DEFLATE");
    peer.command(compress()).unwrap();
    let told = peer.told("$1 NO [COMPRESSIONACTIVE] by TLS\r\n");
    assert!(told[0].contains("CompressionActive"), "{told:?}");
    assert_eq!(peer.client.wants().upgrade, None);
    assert!(!peer.client.is_compressed());
    peer.command(Command::Noop).unwrap();
}

#[test]
fn a_layer_that_cannot_come_ends_the_session() {
    let mut peer = Peer::logged_in("COMPRESS=DEFLATE");
    peer.command(compress()).unwrap();
    peer.says("$1 OK go\r\n");
    let events = peer.fail_tls();
    assert!(matches!(&events[..], [Event::Closed(Closed::Layer(_))]), "{events:?}");
}

#[test]
fn unauthenticate_leaves_nothing_but_tls() {
    let mut peer = Peer::logged_in("ENABLE UTF8=ACCEPT UNAUTHENTICATE COMPRESS=DEFLATE");
    peer.command(enable(&["UTF8=ACCEPT"])).unwrap();
    peer.says("* ENABLED UTF8=ACCEPT\r\n$1 OK done\r\n");
    peer.command(compress()).unwrap();
    peer.says("$2 OK done\r\n");
    peer.client.handle_upgrade(Upgraded::Deflate, peer.now);
    peer.client.command(Command::Select(mailbox("INBOX").into())).unwrap();
    peer.sent();
    peer.says("$3 OK done\r\n");
    assert_eq!(peer.command(Command::Unauthenticate).unwrap(), "$4 UNAUTHENTICATE\r\n");
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::Busy);
    peer.says("$4 OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] bye\r\n");
    assert_eq!(*peer.client.state(), State::NotAuthenticated);
    assert!(peer.client.enabled().is_empty());
    assert!(peer.client.has("AUTH=PLAIN") && !peer.client.has("ENABLE"));
    assert_eq!(peer.client.wants().upgrade, Some(Layer::DeflateEnd));
    assert!(peer.client.is_compressed());
    peer.client.handle_upgrade(Upgraded::DeflateEnd, peer.now);
    assert!(matches!(&peer.events()[..], [Event::Uncompressed]));
    assert!(!peer.client.is_compressed());
    assert!(peer.told("* LIST () \"/\" \"a&APw-b\"\r\n")[0].contains("aüb"), "names are in UTF-7 again");
    peer.command(peer::login()).unwrap();
}

#[test]
fn unauthenticate_that_is_not_understood_changes_nothing() {
    let mut peer = Peer::selected("UNAUTHENTICATE");
    peer.command(Command::Unauthenticate).unwrap();
    peer.says("$2 BAD what?\r\n");
    assert!(matches!(peer.client.state(), State::Selected(_)));
    assert!(peer.client.has("UNAUTHENTICATE"));
    assert_eq!(peer.client.wants().upgrade, None);
}

// ---- Messages

#[test]
fn a_message_has_the_form_that_it_says() {
    for (form, capability, sent) in [
        (MessageForm::Literal, "", "$1 APPEND INBOX {3+}\r\n|\r\n"),
        (MessageForm::Binary, "BINARY", "$1 APPEND INBOX ~{3+}\r\n|\r\n"),
        (MessageForm::Utf8, "UTF8=ACCEPT", "$1 APPEND INBOX UTF8 (~{3+}\r\n|)\r\n"),
    ] {
        let mut peer = Peer::logged_in(&format!("LITERAL+ {capability}"));
        let mut command = append("INBOX");
        command.form = form;
        peer.client.append(command, 3).unwrap();
        let content: &[u8] = if form == MessageForm::Literal { b"abc" } else { b"a\0c" };
        assert_eq!(peer.client.content(content), Ok(3));
        let content = core::str::from_utf8(content).unwrap();
        assert_eq!(peer.sent(), sent.replace('|', content));
        if !capability.is_empty() {
            let mut command = append("INBOX");
            command.form = form;
            let mut peer = Peer::logged_in("LITERAL+");
            assert_eq!(misuse(peer.client.append(command, 3)), Misuse::NotAnnounced);
        }
    }
}

#[test]
fn several_messages_are_one_command() {
    let mut peer = Peer::logged_in("MULTIAPPEND");
    let id = peer
        .client
        .append_messages(
            append("INBOX"),
            2,
            vec![
                (AppendMessage::default(), Content::Octets(0)),
                (AppendMessage::default(), Content::Octets(3)),
            ],
        )
        .unwrap();
    assert_eq!(peer.sent(), "$1 APPEND INBOX {2}\r\n");
    let wanted = |events: &[Event]| match events {
        [Event::ContentWanted { id: wanted, octets }] if *wanted == id => Some(*octets),
        _ => None,
    };
    assert_eq!(wanted(&peer.says("+ go\r\n")), Some(2));
    assert_eq!(peer.client.content(b"ab"), Ok(2));
    assert_eq!(peer.sent(), "ab {0}\r\n");
    assert!(peer.says("+ go\r\n").is_empty());
    assert_eq!(peer.sent(), " {3}\r\n");
    assert_eq!(wanted(&peer.says("+ go\r\n")), Some(3));
    assert_eq!(misuse(peer.client.command(Command::Noop)), Misuse::Busy);
    assert_eq!(peer.client.content(b"cde"), Ok(3));
    assert_eq!(peer.sent(), "cde\r\n");
    assert!(matches!(&peer.says("$1 OK [APPENDUID 1 2:4] done\r\n")[..], [Event::Completed { .. }]));

    let mut peer = Peer::logged_in("");
    let more = vec![(AppendMessage::default(), Content::Octets(3))];
    assert_eq!(misuse(peer.client.append_messages(append("INBOX"), 2, more)), Misuse::NotAnnounced);
    let mut peer = Peer::logged_in("MULTIAPPEND APPENDLIMIT=2");
    let more = vec![(AppendMessage::default(), Content::Octets(3))];
    assert_eq!(misuse(peer.client.append_messages(append("INBOX"), 2, more)), Misuse::TooLarge);
}

#[test]
fn a_message_is_put_together() {
    let mut peer = Peer::logged_in("CATENATE LITERAL+");
    let mut command = append("INBOX");
    command.form = MessageForm::Catenate;
    let parts = vec![
        ContentPart::Octets(2),
        ContentPart::Url(string("/INBOX;UIDVALIDITY=1/;UID=2")),
        ContentPart::Octets(1),
    ];
    peer.client.append_messages(command.clone(), Content::Parts(parts), Vec::new()).unwrap();
    assert_eq!(peer.sent(), "$1 APPEND INBOX CATENATE (TEXT {2+}\r\n");
    assert_eq!(peer.client.content(b"ab"), Ok(2));
    assert_eq!(peer.sent(), "ab URL \"/INBOX;UIDVALIDITY=1/;UID=2\" TEXT {1+}\r\n");
    assert_eq!(peer.client.content(b"c"), Ok(1));
    assert_eq!(peer.sent(), "c)\r\n");
    peer.says("$1 OK done\r\n");
    let whole = peer.client.append(command, 2);
    assert!(matches!(whole, Err(SendError::Encode(_))), "{whole:?}");
    let parts = Content::Parts(vec![ContentPart::Octets(2)]);
    let in_parts = peer.client.append_messages(append("INBOX"), parts, Vec::new());
    assert!(matches!(in_parts, Err(SendError::Encode(_))), "{in_parts:?}");
}

#[test]
fn a_refusal_ends_a_command_behind_the_literal_that_was_begun() {
    let mut peer = Peer::logged_in("MULTIAPPEND LITERAL+ UTF8=ACCEPT");
    let mut first = append("INBOX");
    first.form = MessageForm::Utf8;
    let more = vec![(AppendMessage::default(), Content::Octets(5))];
    peer.client.append_messages(first, 4, more).unwrap();
    assert_eq!(peer.client.content(b"ab"), Ok(2));
    peer.sent();
    assert!(matches!(&peer.says("$1 NO [OVERQUOTA] full\r\n")[..], [Event::ContentWanted { .. }]));
    assert_eq!(peer.client.content(b"cd"), Ok(2));
    assert_eq!(peer.sent(), "cd)\r\n", "nothing of the second message");
    assert!(matches!(&peer.events()[..], [Event::Completed { .. }]));
    assert_eq!(peer.command(Command::Noop).unwrap(), "$2 NOOP\r\n");

    let mut peer = Peer::logged_in("MULTIAPPEND");
    let more = vec![(AppendMessage::default(), Content::Octets(5))];
    peer.client.append_messages(append("INBOX"), 2, more).unwrap();
    peer.sent();
    peer.says("+ go\r\n");
    assert_eq!(peer.client.content(b"ab"), Ok(2));
    peer.sent();
    assert!(matches!(&peer.says("$1 NO [TOOBIG] full\r\n")[..], [Event::Completed { .. }]));
    assert_eq!(peer.command(Command::Noop).unwrap(), "$2 NOOP\r\n");
}

#[test]
fn a_command_is_refused_once() {
    let mut peer = Peer::logged_in("LITERAL+");
    peer.client.append(append("INBOX"), 4).unwrap();
    peer.sent();
    peer.says("$1 NO full\r\n");
    let events = peer.says("$1 NO full\r\n");
    assert!(matches!(events.last(), Some(Event::Closed(Closed::UnknownTag(_)))), "{events:?}");
}

#[test]
fn a_message_takes_the_place_of_another() {
    let mut peer = Peer::selected("REPLACE LITERAL+");
    let seven = NumberEnd::Number(7.try_into().unwrap());
    peer.client.replace(ReplaceCommand::new(true, seven, append("Drafts")), 3).unwrap();
    assert_eq!(peer.sent(), "$2 UID REPLACE 7 Drafts {3+}\r\n");
    assert_eq!(peer.client.content(b"abc"), Ok(3));
    assert_eq!(peer.sent(), "abc\r\n");
    let told = peer.told("* OK [APPENDUID 1 9] x\r\n* 7 EXPUNGE\r\n$2 OK done\r\n");
    assert_eq!(told.len(), 4, "{told:?}");
    let mut peer = Peer::logged_in("REPLACE LITERAL+");
    let refused = peer.client.replace(ReplaceCommand::new(true, seven, append("Drafts")), 3);
    assert_eq!(misuse(refused), Misuse::WrongState);
}

// ---- What goes together

fn save(uid: bool) -> Command {
    let mut search = SearchCommand::new(uid, Search::new([SearchKey::Flagged]).unwrap());
    search.returns = Some(vec![SearchReturn::Save]);
    Command::Search(search)
}

#[test]
fn a_command_that_waits_says_for_which() {
    let mut peer = Peer::selected("LITERAL+ IDLE SEARCHRES");
    let number = fetch(numbers("1"));
    assert_eq!(peer.client.obstacle(&number), None);
    let noop = peer.client.command(Command::Noop).unwrap();
    assert_eq!(peer.client.obstacle(&number), Some(Obstacle::Numbers(noop)));
    assert_eq!(peer.client.obstacle(&Command::Idle), Some(Obstacle::Alone(noop)));
    peer.sent();
    peer.says("$2 OK done\r\n");
    assert_eq!(peer.client.obstacle(&number), None);
    let append = peer.client.append(append("INBOX"), 1).unwrap();
    assert_eq!(peer.client.obstacle(&Command::Noop), Some(Obstacle::Literal(append)));
    peer.client.content(b"x").unwrap();
    assert_eq!(peer.client.obstacle(&Command::Noop), None);
    peer.sent();
    peer.says("$3 OK done\r\n");
    let idle = peer.client.command(Command::Idle).unwrap();
    assert_eq!(peer.client.obstacle(&Command::Noop), Some(Obstacle::Exclusive(idle)));
}

#[test]
fn what_a_search_saves_is_waited_for() {
    let mut peer = Peer::selected("SEARCHRES UIDPLUS");
    let saving = peer.client.command(save(true)).unwrap();
    peer.sent();
    let expunge = Command::Expunge(Some(NumberSet::saved()));
    for command in [
        fetch(Messages::Uids(NumberSet::saved())),
        expunge.clone(),
        search(true, SearchKey::Uid(NumberSet::saved())),
    ] {
        assert_eq!(peer.client.obstacle(&command), Some(Obstacle::Saved(saving)), "{command:?}");
        assert_eq!(misuse(peer.client.command(command)), Misuse::Busy);
    }
    peer.says("$2 OK done\r\n");
    // RFC 5182 §2.1, Example 7
    let copy = Command::Copy { messages: Messages::Numbers(NumberSet::saved()), mailbox: mailbox("Junk") };
    assert_eq!(peer.command(copy).unwrap(), "$3 COPY $ Junk\r\n");
    let store = StoreCommand::new(Messages::Numbers(NumberSet::saved()), StoreAction::Add, Vec::new());
    assert_eq!(peer.command(Command::Store(store)).unwrap(), "$4 STORE $ +FLAGS ()\r\n");
    assert_eq!(peer.command(expunge).unwrap(), "$5 UID EXPUNGE $\r\n");
}

/// RFC 9051 §5.5 has these as examples.
#[test]
fn sequences_of_the_rfc_are_sent_or_wait() {
    let store = || Command::Store(StoreCommand::new(numbers("1"), StoreAction::Add, Vec::new()));
    let copy = || Command::Copy { messages: numbers("1"), mailbox: mailbox("a") };
    let sends = |commands: Vec<Command>| {
        let mut peer = Peer::selected("");
        commands.into_iter().all(|command| peer.client.command(command).is_ok())
    };
    let number = || fetch(numbers("1"));
    assert!(sends(vec![number(), store(), search(false, SearchKey::All), Command::Noop]));
    assert!(sends(vec![store(), copy(), Command::Expunge(None)]));
    assert!(sends(vec![search(true, SearchKey::All), search(true, SearchKey::All)]));
    assert!(!sends(vec![number(), Command::Noop, store()]));
    assert!(!sends(vec![store(), copy(), number()]));
    assert!(!sends(vec![copy(), copy()]));
    assert!(!sends(vec![search(true, SearchKey::All), search(true, SearchKey::Numbers(set("1")))]));
}

#[test]
fn uid_commands_follow_freely() {
    let mut peer = Peer::selected("MOVE UIDPLUS SORT THREAD=REFERENCES");
    for command in [
        Command::Noop,
        fetch(uids("1")),
        Command::Expunge(None),
        Command::Expunge(Some(set("1"))),
        Command::Move { messages: uids("1"), mailbox: mailbox("a") },
        search(true, SearchKey::All),
        fetch(uids("2")),
    ] {
        peer.client.command(command).unwrap();
    }
}
