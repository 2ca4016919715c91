//! Tasks of the client against servers that do not do what they should, or what most do.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peer;

use core::time::Duration;

use mailwright_core::value::Misuse;
use mailwright_imap::client::tasks::{
    Append, AppendError, Copy, Fetch, Gone, Idle, List, Login, LoginError, Logout, MessageData, Move, News,
    Search, Select, Status, TaskError, WantContent,
};
use mailwright_imap::client::{Closed, Config, ContentError, SendError, State, TlsMode};
use mailwright_imap::types::{FetchAttribute, FetchItem, SearchKey, StatusItem};
use mailwright_sasl::{ChooseError, Credentials, MechanismName};
use peer::{Peer, append, clear_text, credentials, mailbox, string, tls, uids};

fn all() -> mailwright_imap::types::Search {
    mailwright_imap::types::Search::new([SearchKey::All]).unwrap()
}

// ---- Login

#[test]
fn a_login_asks_what_it_was_not_told() {
    let mut peer = Peer::new(clear_text());
    let mut login = Login::new(credentials());
    assert_eq!(peer.start(&mut login).unwrap(), "");
    assert!(peer.drive(&mut login, "* OK ready\r\n").1.is_none());
    assert_eq!(peer.sent(), "$1 CAPABILITY\r\n");
    peer.drive(&mut login, "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n$1 OK done\r\n");
    assert_eq!(peer.sent(), "$2 AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0\r\n");
    assert!(peer.drive(&mut login, "$2 OK welcome\r\n").1.is_none());
    assert_eq!(peer.sent(), "$3 CAPABILITY\r\n");
    let (_, end) = peer.drive(&mut login, "* CAPABILITY IMAP4rev1 IDLE\r\n$3 OK done\r\n");
    let logged_in = end.unwrap().unwrap();
    assert_eq!(logged_in.mechanism, Some(MechanismName::PLAIN));
    assert_eq!(logged_in.status.unwrap().text, "welcome");
    assert!(peer.client.has("IDLE"));
}

#[test]
fn a_login_takes_login_where_there_is_nothing_else() {
    let mut peer = Peer::greeted(clear_text(), "AUTH=GSSAPI");
    let mut login = Login::new(credentials());
    assert_eq!(peer.start(&mut login).unwrap(), "$1 LOGIN fred secret\r\n");
    let (_, end) = peer.drive(&mut login, "$1 OK [CAPABILITY IMAP4rev1] welcome\r\n");
    assert_eq!(end.unwrap().unwrap().mechanism, None);

    let mut peer = Peer::greeted(clear_text(), "LOGINDISABLED");
    let result = peer.start(&mut Login::new(credentials()));
    assert_eq!(result, Err(LoginError::Send(SendError::LoginDisabled)));

    let mut peer = Peer::greeted(clear_text(), "");
    let acting = Credentials::password("fred", "secret").unwrap().acting_as("george").unwrap();
    let result = peer.start(&mut Login::new(acting));
    assert_eq!(result, Err(LoginError::NoMechanism(ChooseError::NoneFits)));
    assert_eq!(peer.sent(), "");
}

#[test]
fn a_login_sends_no_password_in_clear_text_unless_it_may() {
    let mut peer = Peer::greeted(Config::default(), "AUTH=PLAIN");
    let result = peer.start(&mut Login::new(credentials()));
    assert_eq!(result, Err(LoginError::NoMechanism(ChooseError::ClearText)));
}

#[test]
fn a_login_that_was_made_before_is_no_error() {
    let mut peer = Peer::new(clear_text());
    let mut login = Login::new(credentials());
    peer.start(&mut login).unwrap();
    let (_, end) = peer.drive(&mut login, "* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n");
    assert_eq!(end.unwrap().unwrap().status, None);
    assert_eq!(peer.start(&mut Login::new(credentials())), Err(LoginError::Send(Misuse::WrongState.into())));
}

#[test]
fn a_server_that_takes_no_initial_response_gets_it_later() {
    let mut peer = Peer::greeted(clear_text(), "AUTH=PLAIN SASL-IR");
    let mut login = Login::new(credentials());
    assert_eq!(peer.start(&mut login).unwrap(), "$1 AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0\r\n");
    assert!(peer.drive(&mut login, "$1 BAD too many arguments\r\n").1.is_none());
    assert_eq!(peer.sent(), "$2 AUTHENTICATE PLAIN\r\n");
    assert!(peer.client.initial_response_refused());
    peer.drive(&mut login, "+ \r\n");
    assert_eq!(peer.sent(), "AGZyZWQAc2VjcmV0\r\n");
    let (_, end) = peer.drive(&mut login, "$2 BAD and now?\r\n");
    assert!(matches!(end, Some(Err(LoginError::Refused(_)))), "once is enough");
}

#[test]
fn credentials_that_are_refused_are_not_tried_in_another_way() {
    let mut peer = Peer::greeted(clear_text(), "AUTH=PLAIN AUTH=LOGIN SASL-IR");
    let mut login = Login::new(credentials());
    peer.start(&mut login).unwrap();
    let (_, end) = peer.drive(&mut login, "$1 NO [AUTHENTICATIONFAILED] no\r\n");
    assert!(matches!(end, Some(Err(LoginError::Refused(_)))));
    assert_eq!(peer.sent(), "");
}

#[test]
fn an_exchange_that_makes_no_sense_is_told_as_such() {
    let mut peer = Peer::greeted(clear_text(), "AUTH=PLAIN");
    let mut login = Login::new(credentials());
    peer.start(&mut login).unwrap();
    peer.drive(&mut login, "+ ???\r\n");
    let (_, end) = peer.drive(&mut login, "$1 BAD cancelled\r\n");
    assert!(matches!(end, Some(Err(LoginError::Exchange(_)))));
}

#[test]
fn a_login_insists_on_tls() {
    let mut peer = Peer::greeted(tls(TlsMode::StartTls), "AUTH=PLAIN");
    assert_eq!(peer.start(&mut Login::new(credentials())), Err(LoginError::NoTls));

    let mut peer = Peer::greeted(tls(TlsMode::StartTls), "STARTTLS AUTH=PLAIN");
    let mut login = Login::new(credentials());
    assert_eq!(peer.start(&mut login).unwrap(), "$1 STARTTLS\r\n");
    let (_, end) = peer.drive(&mut login, "$1 NO not now\r\n");
    assert!(matches!(end, Some(Err(LoginError::TlsRefused(_)))));
    assert_eq!(peer.sent(), "");
}

#[test]
fn a_server_that_says_nothing_of_itself_gets_what_all_have() {
    let mut peer = Peer::new(clear_text());
    let mut login = Login::new(credentials());
    peer.start(&mut login).unwrap();
    peer.drive(&mut login, "* OK ready\r\n");
    peer.sent();
    peer.drive(&mut login, "$1 BAD what?\r\n");
    assert_eq!(peer.sent(), "$2 LOGIN fred secret\r\n");
    peer.drive(&mut login, "$2 OK welcome\r\n");
    assert_eq!(peer.sent(), "$3 CAPABILITY\r\n");
    let (_, end) = peer.drive(&mut login, "$3 BAD what?\r\n");
    assert!(matches!(end, Some(Ok(_))));
}

// ---- Others

#[test]
fn a_mailbox_is_known_by_what_came_behind_closed() {
    let mut peer = Peer::selected("");
    let mut select = Select::new(mailbox("other"));
    assert_eq!(peer.start(&mut select).unwrap(), "$2 SELECT other\r\n");
    let (_, end) = peer.drive(
        &mut select,
        "* 9 EXISTS\r\n* OK [CLOSED] x\r\n* 2 EXISTS\r\n* OK [UIDNEXT 5] x\r\n* OK [UNSEEN 1] x\r\n\
         * OK [PERMANENTFLAGS (\\Seen)] x\r\n* NO [UIDNOTSTICKY] x\r\n$2 OK [READ-ONLY] done\r\n",
    );
    let facts = end.unwrap().unwrap();
    assert_eq!((facts.exists, facts.recent, facts.uid_validity), (Some(2), None, None));
    assert!(facts.read_only && !facts.new_keywords);
    assert_eq!(facts.permanent_flags.unwrap().len(), 1);
    assert_eq!(*peer.client.state(), State::Selected(mailbox("other")));
}

#[test]
fn items_are_attributed_by_what_they_are() {
    let mut peer = Peer::selected("");
    let mut fetch = Fetch::new(uids("7"), [FetchAttribute::Flags]);
    peer.start(&mut fetch).unwrap();
    let (items, end) = peer.drive(
        &mut fetch,
        "* 2 FETCH (FLAGS ())\r\n* 1 FETCH (BODY[1] \"x\" ENVELOPE 5 UID 7)\r\n* 1 EXPUNGE\r\n$2 OK done\r\n",
    );
    assert_eq!(items.iter().filter(|item| matches!(item, MessageData::Begin { .. })).count(), 2);
    let uid = mailwright_core::value::Uid::new(7).unwrap();
    assert!(items.contains(&MessageData::Item(FetchItem::Uid(uid))), "{items:?}");
    assert_eq!(end, Some(Ok(())));
}

#[test]
fn a_search_holds_so_much_and_no_more() {
    let mut peer = Peer::selected("");
    let mut search = Search::uids(all()).limit(3);
    assert_eq!(peer.start(&mut search).unwrap(), "$2 UID SEARCH ALL\r\n");
    let (_, end) = peer.drive(&mut search, "* SEARCH 1 2\r\n* SEARCH 3\r\n$2 OK done\r\n");
    assert_eq!(end, Some(Ok(vec![1, 2, 3])));
    let mut search = Search::numbers(all()).limit(3).charset(string("UTF-8"));
    assert_eq!(peer.start(&mut search).unwrap(), "$3 SEARCH CHARSET UTF-8 ALL\r\n");
    let (_, end) = peer.drive(&mut search, "* SEARCH 1 2 3 4\r\n$3 OK done\r\n");
    assert_eq!(end, Some(Err(TaskError::TooMany { limit: 3 })));
}

#[test]
fn a_task_that_cannot_begin_says_why() {
    let mut peer = Peer::logged_in("");
    let result = peer.start(&mut Search::uids(all()));
    assert_eq!(result, Err(TaskError::Send(Misuse::WrongState.into())));
    let result = peer.start(&mut Idle::new());
    assert_eq!(result, Err(TaskError::Send(Misuse::NotAnnounced.into())));
    assert!(peer.start(&mut Status::new(mailbox("a"), [])).is_err(), "nothing is asked for");
}

#[test]
fn an_end_on_the_way_ends_the_task() {
    let mut peer = Peer::selected("MOVE");
    let mut moving = Move::new(uids("1"), mailbox("a"));
    assert_eq!(peer.start(&mut moving).unwrap(), "$2 UID MOVE 1 a\r\n");
    let (gone, end) = peer.drive(&mut moving, "* OK [COPYUID 1 1 9] x\r\n* 1 EXPUNGE\r\n* BYE x\r\n");
    assert_eq!(gone, [Gone::Number(1)]);
    assert!(matches!(end, Some(Err(TaskError::Closed(Closed::Bye(_))))));
}

#[test]
fn a_copy_that_stops_on_the_way_tells_what_it_did() {
    let mut peer = Peer::selected("");
    let many: Vec<String> = (1..400).map(|number| (number * 2).to_string()).collect();
    let mut copy = Copy::new(uids(&many.join(",")), mailbox("a"));
    assert!(peer.start(&mut copy).unwrap().starts_with("$2 UID COPY 2,4,"));
    assert!(peer.drive(&mut copy, "$2 OK [COPYUID 1 2 9] done\r\n").1.is_none());
    assert!(peer.sent().starts_with("$3 UID COPY "));
    let (_, end) = peer.drive(&mut copy, "$3 NO [OVERQUOTA] full\r\n");
    let Some(Err(TaskError::Partly { copied, .. })) = end else { panic!("{end:?}") };
    assert_eq!(copied.uids().count(), 1);
    let mut copy = Copy::new(uids("1"), mailbox("a"));
    peer.start(&mut copy).unwrap();
    let (_, end) = peer.drive(&mut copy, "$4 NO [TRYCREATE] x\r\n");
    assert!(matches!(end, Some(Err(TaskError::Refused(_)))));
}

#[test]
fn lists_are_read_in_either_form() {
    let mut peer = Peer::logged_in("");
    let mut list = List::new(string(""), string("%")).subscribed();
    assert_eq!(peer.start(&mut list).unwrap(), "$1 LSUB \"\" \"%\"\r\n");
    let (items, end) = peer.drive(&mut list, "* LIST () NIL x\r\n* LSUB () \"/\" &AOQ-\r\n$1 OK done\r\n");
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].mailbox, mailbox("ä"));
    assert_eq!(end, Some(Ok(())));
}

#[test]
fn a_status_is_of_the_mailbox_that_was_asked_for() {
    let mut peer = Peer::logged_in("");
    let mut status = Status::new(mailbox("inbox"), [StatusItem::Messages]);
    assert_eq!(peer.start(&mut status).unwrap(), "$1 STATUS INBOX (MESSAGES)\r\n");
    let (_, end) = peer.drive(&mut status, "* STATUS INBOX (MESSAGES 7 )\r\n$1 OK done\r\n");
    assert_eq!(end, Some(Ok(vec![(StatusItem::Messages, 7)])));
}

#[test]
fn a_message_in_memory_is_checked_before_anything_is_sent() {
    let mut peer = Peer::logged_in("");
    let result = peer.start(&mut Append::new(append("INBOX"), &b"a\0b"[..]));
    assert_eq!(result, Err(AppendError::Content(ContentError::Nul { offset: 1 })));
    assert_eq!(peer.sent(), "");
}

#[test]
fn a_stream_asks_for_what_is_left() {
    let mut peer = Peer::logged_in("");
    let mut task = Append::streamed(append("INBOX"), 5);
    peer.start(&mut task).unwrap();
    let wishes =
        |items: &[WantContent]| items.iter().map(|want| (want.offset, want.left)).collect::<Vec<_>>();
    assert_eq!(wishes(&peer.drive(&mut task, "").0), []);
    assert_eq!(wishes(&peer.drive(&mut task, "+ go\r\n").0), [(0, 5)]);
    assert_eq!(task.push(&b"123456"[..]), Err(Misuse::TooLarge));
    task.push(&b"123"[..]).unwrap();
    assert_eq!(wishes(&peer.drive(&mut task, "").0), [(3, 2)]);
    task.push(&b"45"[..]).unwrap();
    assert_eq!(wishes(&peer.drive(&mut task, "").0), []);
    assert_eq!(peer.sent(), "12345\r\n");
    let (_, end) = peer.drive(&mut task, "$1 OK [APPENDUID 3 9] done\r\n");
    let uid = end.unwrap().unwrap().uid.map(|(validity, uid)| (validity.get(), uid.get()));
    assert_eq!(uid, Some((3, 9)));
}

#[test]
fn a_stream_that_cannot_be_sent_ends_the_session() {
    let mut peer = Peer::logged_in("LITERAL+");
    let mut task = Append::streamed(append("INBOX"), 5);
    peer.start(&mut task).unwrap();
    assert_eq!(peer.drive(&mut task, "").0.len(), 1);
    task.push(&b"1\0"[..]).unwrap();
    let (_, end) = peer.drive(&mut task, "");
    assert!(matches!(end, Some(Err(AppendError::Content(_)))));
    assert!(peer.client.command(mailwright_imap::types::Command::Noop).is_err());
}

#[test]
fn a_watch_goes_on_over_the_refresh() {
    let mut peer = Peer::selected("IDLE");
    let mut idle = Idle::new();
    peer.start(&mut idle).unwrap();
    assert_eq!(peer.drive(&mut idle, "+ idling\r\n").0, [News::Watching]);
    assert!(peer.wait(Duration::from_secs(28 * 60)).is_empty());
    assert_eq!(peer.sent(), "DONE\r\n");
    assert_eq!(peer.drive(&mut idle, "* 5 EXISTS\r\n$2 OK done\r\n+ idling\r\n").0, [News::Exists(5)]);
    assert_eq!(peer.sent(), "$3 IDLE\r\n");
    assert_eq!(peer.drive(&mut idle, "").0, []);
    peer.client.done().unwrap();
    let (_, end) = peer.drive(&mut idle, "$3 OK done\r\n");
    assert_eq!(end, Some(Ok(())));
}

#[test]
fn logging_out_is_over_when_the_session_is() {
    let mut peer = Peer::logged_in("");
    let mut logout = Logout::new();
    assert_eq!(peer.start(&mut logout).unwrap(), "$1 LOGOUT\r\n");
    assert!(peer.drive(&mut logout, "* BYE bye\r\n").1.is_none());
    assert_eq!(peer.drive(&mut logout, "$1 OK done\r\n").1, Some(Ok(())));
}
