//! Tasks for extensions, each with a server that agrees, that refuses, that speaks of other things meanwhile, and that
//! leaves.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peer;

use mailwright_core::session::Task;
use mailwright_core::value::{Flag, ModSeq, Uid, UidRange, UidValidity};
use mailwright_imap::client::tasks::{
    Acl, Append, AppendError, AppendPart, Compress, Enable, Expunge, Fetch, Gone, Id, Idle, List, ListRights,
    Manage, MessageData, Metadata, Move, MyRights, Namespace, News, Quota, Returning, Select, SinceKnown,
    Sort, Store, TaskError, Thread, Unauthenticate,
};
use mailwright_imap::client::{Client, Closed, ContentError};
use mailwright_imap::types::{
    AppendMessage, Capability, Code, EventGroup, ExtendedSearch, FetchAttribute, FetchItem,
    GetMetadataCommand, KnownMailbox, ListAttribute, ListReturn, MailboxFilter, MessageForm, MetadataEntry,
    MultiSearchCommand, NotifyCommand, NumberEnd, PartialRange, QuotaResource, ReplaceCommand, Rights,
    RightsAction, Search, SearchCommand, SearchData, SearchKey, SearchReturn, SetMetadataCommand,
    SortCommand, SortCriterion, SortKey, StatusItem, StoreAction, ThreadAlgorithm, ThreadCommand,
};
use peer::{Peer, append, mailbox, set, string, uids};

fn all() -> Search {
    Search::new([SearchKey::All]).unwrap()
}

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

/// What a task says, and what it ends with when the server answers it so.
fn ends<T>(capabilities: &str, mut task: T, sent: &str, answer: &str) -> Result<T::Output, TaskError>
where
    T: Task<Client, Error = TaskError>,
{
    let mut peer = Peer::selected(capabilities);
    assert_eq!(peer.start(&mut task).unwrap(), format!("$2 {sent}\r\n"));
    peer.drive(&mut task, answer).1.unwrap()
}

/// That a task is refused by NO and by BAD, that it can go on after news of the mailbox, and that it ends with the session.
fn fails<T>(capabilities: &str, task: impl Fn() -> T)
where
    T: Task<Client, Error = TaskError>,
    T::Output: core::fmt::Debug,
{
    for word in ["NO", "BAD"] {
        let mut peer = Peer::selected(capabilities);
        let mut task = task();
        peer.start(&mut task).unwrap();
        let (_, end) =
            peer.drive(&mut task, "* 5 EXISTS\r\n* OK still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n");
        assert!(end.is_none());
        let (_, end) = peer.drive(&mut task, &format!("$2 {word} [CANNOT] no\r\n"));
        assert!(matches!(end, Some(Err(TaskError::Refused(status))) if status.code == Some(Code::Cannot)));
    }
    let mut peer = Peer::selected(capabilities);
    let mut task = task();
    peer.start(&mut task).unwrap();
    let (_, end) = peer.drive(&mut task, "* BYE shutting down\r\n");
    assert!(matches!(end, Some(Err(TaskError::Closed(Closed::Bye(_))))));
}

// ---- Searches

#[test]
fn messages_are_sorted() {
    let criteria = || vec![SortCriterion { reverse: true, key: SortKey::Date }];
    let sort = || Sort::new(SortCommand::new(true, criteria(), string("UTF-8"), all()));
    let sent = "UID SORT (REVERSE DATE) UTF-8 ALL";
    let found = ends("SORT", sort(), sent, "* 9 EXISTS\r\n* SORT 5 3 4\r\n$2 OK sorted\r\n");
    assert_eq!(found.unwrap(), [5, 3, 4]);
    assert_eq!(ends("SORT", sort(), sent, "* SORT\r\n$2 OK sorted\r\n").unwrap(), [0; 0]);
    let found = ends("SORT", sort().limit(2), sent, "* SORT 5 3 4\r\n$2 OK sorted\r\n");
    assert_eq!(found, Err(TaskError::TooMany { limit: 2 }));
    fails("SORT", sort);
}

#[test]
fn messages_are_put_together_with_their_answers() {
    let thread =
        || Thread::new(ThreadCommand::new(false, ThreadAlgorithm::References, string("UTF-8"), all()));
    let sent = "THREAD REFERENCES UTF-8 ALL";
    let answer = "* THREAD (2)(3 6 (4 23)(44 7 96))\r\n$2 OK done\r\n";
    let threads = ends("THREAD=REFERENCES", thread(), sent, answer).unwrap();
    let members: Vec<(u32, u32)> =
        threads.members().map(|member| (member.number.unwrap().get(), member.depth)).collect();
    assert_eq!(members, [(2, 0), (3, 0), (6, 1), (4, 2), (23, 3), (44, 2), (7, 3), (96, 4)]);
    assert_eq!(
        ends("THREAD=REFERENCES", thread().limit(3), sent, answer),
        Err(TaskError::TooMany { limit: 3 })
    );
    fails("THREAD=REFERENCES", thread);
}

#[test]
fn a_search_returns_what_it_was_asked_for() {
    let search = |returns: Vec<SearchReturn>| {
        let mut command = SearchCommand::new(true, all());
        command.returns = Some(returns);
        Returning::search(command)
    };
    let found = ends(
        "ESEARCH",
        search(vec![SearchReturn::Min, SearchReturn::Count]),
        "UID SEARCH RETURN (MIN COUNT) ALL",
        "* ESEARCH (TAG \"$2\") UID MIN 2 COUNT 8\r\n$2 OK found\r\n",
    );
    let [ExtendedSearch { data, uid: true, .. }] = &found.unwrap()[..] else { panic!() };
    assert_eq!(data[1], SearchData::Count(8));

    // RFC 9394 §3.1: a part, from the end.
    let part = PartialRange::parse(b"-1:-100").unwrap();
    let found = ends(
        "ESEARCH PARTIAL",
        search(vec![SearchReturn::Partial(part)]),
        "UID SEARCH RETURN (PARTIAL -1:-100) ALL",
        "* ESEARCH (TAG \"$2\") UID PARTIAL (-1:-100 7,9:12)\r\n$2 OK found\r\n",
    );
    assert_eq!(found.unwrap()[0].data, [SearchData::Partial(part, Some(set("7,9:12")))]);

    // RFC 5182 §2.1: nothing is told of what is saved.
    let save = || search(vec![SearchReturn::Save]);
    let capabilities = "ESEARCH SEARCHRES";
    assert_eq!(ends(capabilities, save(), "UID SEARCH RETURN (SAVE) ALL", "$2 OK saved\r\n").unwrap(), []);
    fails(capabilities, save);

    // A server that answers in the basic form.
    let numbers = || search(vec![SearchReturn::All]);
    let sent = "UID SEARCH RETURN (ALL) ALL";
    let found = ends("ESEARCH", numbers(), sent, "* SEARCH 4 2\r\n$2 OK found\r\n").unwrap();
    assert_eq!(found[0].data, [SearchData::All(set("4,2"))]);
    let answer = "* ESEARCH (TAG \"$2\") UID ALL 1,3,5\r\n$2 OK found\r\n";
    assert_eq!(ends("ESEARCH", numbers().limit(2), sent, answer), Err(TaskError::TooMany { limit: 2 }));
}

#[test]
fn several_mailboxes_are_searched_at_once() {
    let command = MultiSearchCommand::new(vec![MailboxFilter::Personal], all());
    let found = ends(
        "MULTISEARCH",
        Returning::of_several(command),
        "ESEARCH IN (personal) ALL",
        "* ESEARCH (TAG \"$2\" MAILBOX \"a\" UIDVALIDITY 1) UID ALL 4\r\n\
         * ESEARCH (TAG \"$2\" MAILBOX \"b\" UIDVALIDITY 2) UID ALL 7:9\r\n$2 OK found\r\n",
    );
    let found = found.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[1].mailbox.clone(), found[1].uid_validity), (Some(mailbox("b")), UidValidity::new(2)));
}

#[test]
fn a_sort_can_be_extended_too() {
    let criteria = vec![SortCriterion { reverse: false, key: SortKey::Size }];
    let command = SortCommand::new(false, criteria, string("UTF-8"), all());
    let found = ends(
        "SORT ESORT",
        Returning::sort(command),
        "SORT RETURN (ALL) (SIZE) UTF-8 ALL",
        "* ESEARCH (TAG \"$2\") ALL 5,3:4\r\n$2 OK sorted\r\n",
    );
    assert_eq!(found.unwrap()[0].data, [SearchData::All(set("5,3:4"))]);
}

// ---- Messages

/// All that a task for messages says and ends with while the server consents to everything.
fn uploads(capabilities: &str, mut task: Append, answer: &str) -> (String, Result<Option<u32>, AppendError>) {
    let mut peer = Peer::selected(capabilities);
    let mut said = peer.start(&mut task).unwrap();
    loop {
        let consent = if said.ends_with("}\r\n") { "+ go on\r\n" } else { answer };
        let (_, end) = peer.drive(&mut task, consent);
        said += &peer.sent();
        if let Some(end) = end {
            return (said, end.map(|appended| appended.uids.last().map(|range| range.last().get())));
        }
    }
}

#[test]
fn several_messages_are_added_together() {
    let task = || {
        let mut second = AppendMessage::default();
        second.flags = vec![Flag::Seen];
        Append::new(append("INBOX"), &b"one\r\n"[..]).and(second, &b"twenty\r\n"[..])
    };
    let (said, end) = uploads("MULTIAPPEND", task(), "$2 OK [APPENDUID 7 4:5] both\r\n");
    assert_eq!(said, "$2 APPEND INBOX {5}\r\none\r\n (\\Seen) {8}\r\ntwenty\r\n\r\n");
    assert_eq!(end, Ok(Some(5)));
    let (said, end) = uploads("MULTIAPPEND LITERAL+", task(), "$2 NO [OVERQUOTA] none of them\r\n");
    assert_eq!(said, "$2 APPEND INBOX {5+}\r\none\r\n (\\Seen) {8+}\r\ntwenty\r\n\r\n");
    assert!(matches!(end, Err(AppendError::Refused(_))));
    let mut peer = Peer::selected("");
    assert!(matches!(peer.start(&mut task()), Err(AppendError::Send(_))), "it is not announced");
    let mut task = task().and(AppendMessage::default(), &b"a\0b"[..]);
    let refused = Peer::selected("MULTIAPPEND").start(&mut task);
    assert_eq!(refused, Err(AppendError::Content(ContentError::Nul { offset: 1 })));
}

#[test]
fn a_message_is_put_together_by_the_server() {
    let parts = [
        AppendPart::Octets("Subject: x\r\n\r\n"[..].as_bytes().to_vec().into()),
        AppendPart::Url(string("/INBOX;UIDVALIDITY=7/;UID=1/;SECTION=2")),
        AppendPart::Octets("end\r\n".into()),
    ];
    let (said, end) =
        uploads("CATENATE LITERAL+", Append::parts(append("INBOX"), parts), "$2 OK [APPENDUID 7 9] done\r\n");
    assert_eq!(
        said,
        "$2 APPEND INBOX CATENATE (TEXT {14+}\r\nSubject: x\r\n\r\n URL \"/INBOX;UIDVALIDITY=7/;UID=1/;SECTION=2\" \
         TEXT {5+}\r\nend\r\n)\r\n"
    );
    assert_eq!(end, Ok(Some(9)));
}

#[test]
fn a_message_takes_the_place_of_another() {
    let number = NumberEnd::Number(core::num::NonZeroU32::new(4).unwrap());
    let task = || Append::in_place_of(ReplaceCommand::new(true, number, append("Drafts")), &b"new\r\n"[..]);
    let answer = "* OK [APPENDUID 7 12] there\r\n* 5 EXISTS\r\n* 4 EXPUNGE\r\n$2 OK replaced\r\n";
    let (said, end) = uploads("REPLACE LITERAL+", task(), answer);
    assert_eq!(said, "$2 UID REPLACE 4 Drafts {5+}\r\nnew\r\n\r\n");
    assert_eq!(end, Ok(Some(12)));
    let (_, end) = uploads("REPLACE", task(), "$2 NO [TRYCREATE] no such mailbox\r\n");
    assert!(matches!(end, Err(AppendError::Refused(_))));
}

#[test]
fn binary_messages_may_have_nul() {
    let mut command = append("INBOX");
    command.form = MessageForm::Binary;
    let (said, _) = uploads("BINARY LITERAL+", Append::new(command, &b"a\0b"[..]), "$2 OK done\r\n");
    assert_eq!(said, "$2 APPEND INBOX ~{3+}\r\na\0b\r\n");
}

#[test]
fn flags_are_changed_unless_others_have_changed_them() {
    let store = || {
        let since = ModSeq::new(12).unwrap();
        Store::new(uids("7,5,9"), StoreAction::Add, [Flag::Deleted]).silent().unchanged_since(since)
    };
    let sent = "UID STORE 5,7,9 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Deleted)";
    let stored =
        ends("CONDSTORE", store(), sent, "* 5 FETCH (UID 5 MODSEQ (320))\r\n$2 OK [MODIFIED 7,9] some\r\n");
    assert_eq!(stored.unwrap().modified, [set("7,9")]);
    assert_eq!(ends("CONDSTORE", store(), sent, "$2 OK all\r\n").unwrap().modified, []);
    fails("CONDSTORE", store);
}

#[test]
fn what_is_gone_is_told_by_number_or_by_uid() {
    let mut peer = Peer::selected("");
    let mut expunge = Expunge::all();
    peer.start(&mut expunge).unwrap();
    let (items, end) =
        peer.drive(&mut expunge, "* 3 EXPUNGE\r\n* VANISHED 7:9,12\r\n$2 OK [HIGHESTMODSEQ 5] done\r\n");
    let range = |one, other| Gone::Uids(UidRange::new(uid(one), uid(other)));
    assert_eq!(items, [Gone::Number(3), range(7, 9), range(12, 12)]);
    end.unwrap().unwrap();

    let mut peer = Peer::selected("MOVE");
    let mut moves = Move::new(uids("7"), mailbox("a"));
    peer.start(&mut moves).unwrap();
    let (items, end) = peer.drive(&mut moves, "* OK [COPYUID 3 7 1] x\r\n* VANISHED 7\r\n$2 OK moved\r\n");
    assert_eq!(items, [range(7, 7)]);
    assert_eq!(end.unwrap().unwrap().uids().collect::<Vec<_>>(), [(uid(7), uid(1))]);
}

#[test]
fn a_server_without_move_does_it_in_steps() {
    let mut peer = Peer::selected("UIDPLUS");
    let mut moves = Move::new(uids("7:8"), mailbox("a"));
    assert_eq!(peer.start(&mut moves).unwrap(), "$2 UID COPY 7:8 a\r\n");
    peer.drive(&mut moves, "$2 OK [COPYUID 3 7:8 1:2] x\r\n");
    assert_eq!(peer.sent(), "$3 UID STORE 7:8 +FLAGS.SILENT (\\Deleted)\r\n");
    peer.drive(&mut moves, "* 4 EXISTS\r\n$3 OK x\r\n");
    assert_eq!(peer.sent(), "$4 UID EXPUNGE 7:8\r\n");
    let (items, end) = peer.drive(&mut moves, "* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n$4 OK x\r\n");
    assert_eq!(items, [Gone::Number(2), Gone::Number(2)]);
    assert_eq!(end.unwrap().unwrap().uids().count(), 2);

    // What was copied is told, whatever happens then.
    let mut peer = Peer::selected("UIDPLUS");
    let mut moves = Move::new(uids("7"), mailbox("a"));
    peer.start(&mut moves).unwrap();
    peer.drive(&mut moves, "$2 OK [COPYUID 3 7 1] x\r\n");
    peer.sent();
    let (_, end) = peer.drive(&mut moves, "$3 NO read-only\r\n");
    assert!(matches!(end, Some(Err(TaskError::Partly { copied, .. })) if copied.uids().count() == 1));

    // Nothing that could remove others.
    assert!(matches!(
        Peer::selected("").start(&mut Move::new(uids("7"), mailbox("a"))),
        Err(TaskError::Send(_))
    ));
    let mut numbers = Move::new(peer::numbers("7"), mailbox("a"));
    assert!(matches!(Peer::selected("UIDPLUS").start(&mut numbers), Err(TaskError::Send(_))));
}

#[test]
fn messages_may_be_named_by_uid_alone() {
    let mut peer = Peer::selected("CONDSTORE");
    let mut fetch = Fetch::new(uids("1:9"), [FetchAttribute::Flags]).changed_since(ModSeq::new(5).unwrap());
    assert_eq!(peer.start(&mut fetch).unwrap(), "$2 UID FETCH 1:9 (FLAGS) (CHANGEDSINCE 5)\r\n");
    let (items, _) = peer.drive(&mut fetch, "* 4 UIDFETCH (FLAGS ())\r\n");
    let flags = MessageData::Item(FetchItem::Flags { flags: vec![], recent: false, other: vec![] });
    assert_eq!(items, [MessageData::BeginUid { uid: uid(4) }, flags, MessageData::End]);
}

// ---- Mailboxes

#[test]
fn select_tells_what_has_changed_since() {
    let mut peer = Peer::logged_in("ENABLE QRESYNC");
    let mut enable = Enable::new([Capability::new("QRESYNC").unwrap()]);
    peer.start(&mut enable).unwrap();
    let (_, end) = peer.drive(&mut enable, "* ENABLED QRESYNC\r\n$1 OK x\r\n");
    assert_eq!(end.unwrap().unwrap().len(), 1);
    let known = KnownMailbox::new(UidValidity::new(7).unwrap(), ModSeq::new(5).unwrap());
    let mut select = Select::new(mailbox("INBOX")).known(known);
    assert_eq!(peer.start(&mut select).unwrap(), "$2 SELECT INBOX (QRESYNC (7 5))\r\n");
    let (items, end) = peer.drive(
        &mut select,
        "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [HIGHESTMODSEQ 20] x\r\n* OK [MAILBOXID (F1)] x\r\n\
         * VANISHED (EARLIER) 4:5\r\n* 2 FETCH (UID 6 FLAGS () MODSEQ (19))\r\n$2 OK x\r\n",
    );
    assert_eq!(items[0], SinceKnown::Vanished(UidRange::new(uid(4), uid(5))));
    assert_eq!(items.len(), 6);
    let facts = end.unwrap().unwrap();
    assert_eq!(facts.highest_mod_seq, ModSeq::new(20));
    assert_eq!(facts.mailbox_id.unwrap().as_str(), "F1");
    let condstore = ends(
        "CONDSTORE",
        Select::examine(mailbox("a")).condstore(),
        "EXAMINE a (CONDSTORE)",
        "* OK [NOMODSEQ] none\r\n$2 OK x\r\n",
    );
    assert_eq!(condstore.unwrap().highest_mod_seq, None);
}

#[test]
fn mailboxes_are_made_for_a_use_and_listed_with_it() {
    let created = ends(
        "CREATE-SPECIAL-USE",
        Manage::create_for(mailbox("Papierkorb"), [ListAttribute::Trash]),
        "CREATE Papierkorb (USE (\\Trash))",
        "$2 OK [MAILBOXID (M1)] made\r\n",
    );
    assert!(matches!(created.unwrap().code, Some(Code::MailboxId(_))));
    let returns = [ListReturn::SpecialUse, ListReturn::Status(vec![StatusItem::Messages])];
    let mut peer = Peer::selected("LIST-EXTENDED LIST-STATUS SPECIAL-USE");
    let mut list = List::new(string(""), string("*")).extended([], returns);
    assert_eq!(
        peer.start(&mut list).unwrap(),
        "$2 LIST \"\" \"*\" RETURN (SPECIAL-USE STATUS (MESSAGES))\r\n"
    );
    let (items, end) = peer.drive(
        &mut list,
        "* LIST (\\Trash) \"/\" Papierkorb\r\n* STATUS Papierkorb (MESSAGES 3)\r\n$2 OK done\r\n",
    );
    assert_eq!(items[0].attributes, [ListAttribute::Trash]);
    end.unwrap().unwrap();
    fails("", Manage::close);
    fails("UNSELECT", Manage::unselect);
}

#[test]
fn namespaces_and_names_are_told() {
    let answer = "* NAMESPACE ((\"\" \"/\")) NIL ((\"Public/\" \"/\"))\r\n$2 OK done\r\n";
    let namespaces = ends("NAMESPACE", Namespace::new(), "NAMESPACE", answer).unwrap().unwrap();
    assert_eq!(format!("{namespaces:?}").matches("Namespace {").count(), 2);
    assert!(ends("NAMESPACE", Namespace::new(), "NAMESPACE", "$2 OK nothing\r\n").unwrap().is_none());
    fails("NAMESPACE", Namespace::new);

    let fields = || vec![(string("name"), Some(string("x"))), (string("version"), None)];
    let sent = "ID (\"name\" \"x\" \"version\" NIL)";
    let answer = "* ID (\"name\" \"Cyrus\")\r\n$2 OK done\r\n";
    let told = ends("ID", Id::new(fields()), sent, answer).unwrap().unwrap();
    assert_eq!(told, [(string("name"), Some(string("Cyrus")))]);
    fails("ID", || Id::new(fields()));
}

#[test]
fn quotas_are_told_and_set() {
    let answer = "* QUOTAROOT INBOX \"\" x\r\n* QUOTA \"\" (STORAGE 10 512)\r\n* QUOTA x (MESSAGE 2 9)\r\n$2 OK done\r\n";
    let quotas = ends("QUOTA", Quota::of_mailbox(mailbox("INBOX")), "GETQUOTAROOT INBOX", answer).unwrap();
    assert_eq!((quotas.len(), quotas[1].resources[0].limit), (2, 9));
    let quotas = ends("QUOTA", Quota::of_root(string("x")), "GETQUOTA x", "* QUOTA x ()\r\n$2 OK done\r\n");
    assert_eq!(quotas.unwrap()[0].resources, []);
    let quotas = ends(
        "QUOTASET",
        Quota::set(string("x"), [(QuotaResource::Storage, 1024)]),
        "SETQUOTA x (STORAGE 1024)",
        "* QUOTA x (STORAGE 10 1024)\r\n$2 OK done\r\n",
    );
    assert_eq!(quotas.unwrap()[0].resources[0].limit, 1024);
    fails("QUOTA", || Quota::of_mailbox(mailbox("INBOX")));
}

#[test]
fn annotations_are_told_and_set() {
    let entry = || MetadataEntry::new("/private/comment").unwrap();
    let get = || {
        let mut command = GetMetadataCommand::new(mailbox("INBOX"), vec![entry()]);
        command.max_size = Some(100);
        Metadata::new(command)
    };
    let sent = "GETMETADATA (MAXSIZE 100) INBOX /private/comment";
    let answer = "* METADATA INBOX (/private/comment \"mine\")\r\n$2 OK [METADATA LONGENTRIES 2199] done\r\n";
    let found = ends("METADATA", get(), sent, answer).unwrap();
    assert_eq!((found.responses.len(), found.left_out), (1, Some(2199)));
    fails("METADATA", get);
    let set = SetMetadataCommand::new(mailbox("INBOX"), vec![(entry(), None)]);
    let sent = "SETMETADATA INBOX (/private/comment NIL)";
    ends("METADATA", Manage::set_metadata(set), sent, "$2 OK done\r\n").unwrap();
}

#[test]
fn rights_are_told_and_given() {
    let rights = |letters: &'static str| Rights::new(letters).unwrap();
    let acl = ends("ACL", Acl::new(mailbox("a")), "GETACL a", "* ACL a fred lrs bob lr\r\n$2 OK done\r\n");
    assert_eq!(acl.unwrap().unwrap().entries[1], (string("bob"), rights("lr")));
    let mine = ends("ACL", MyRights::new(mailbox("a")), "MYRIGHTS a", "* MYRIGHTS a lrs\r\n$2 OK done\r\n");
    assert_eq!(mine.unwrap(), Some(rights("lrs")));
    let answer = "* LISTRIGHTS a bob la r s\r\n$2 OK done\r\n";
    let listed = ends("ACL", ListRights::new(mailbox("a"), string("bob")), "LISTRIGHTS a bob", answer);
    assert_eq!(listed.unwrap().unwrap().optional.len(), 2);
    let give = Manage::set_acl(mailbox("a"), string("bob"), RightsAction::Add, rights("lr"));
    ends("ACL", give, "SETACL a bob +lr", "$2 OK done\r\n").unwrap();
    ends("ACL", Manage::delete_acl(mailbox("a"), string("bob")), "DELETEACL a bob", "$2 OK done\r\n")
        .unwrap();
    fails("ACL", || Acl::new(mailbox("a")));
    fails("ACL", || MyRights::new(mailbox("a")));
    fails("ACL", || ListRights::new(mailbox("a"), string("bob")));
}

// ---- The connection

#[test]
fn a_watch_tells_of_other_mailboxes_too() {
    let group = EventGroup { mailboxes: MailboxFilter::Personal, events: vec![] };
    let notify = NotifyCommand::Set { status: false, groups: vec![group] };
    let mut peer = Peer::selected("NOTIFY IDLE");
    let mut task = Manage::notify(notify);
    assert_eq!(peer.start(&mut task).unwrap(), "$2 NOTIFY SET (personal NONE)\r\n");
    peer.drive(&mut task, "$2 OK done\r\n").1.unwrap().unwrap();
    let mut idle = Idle::new();
    peer.start(&mut idle).unwrap();
    let (news, _) = peer.drive(&mut idle, "+ idling\r\n* STATUS other (MESSAGES 4)\r\n* VANISHED 5\r\n");
    assert!(
        matches!(&news[..], [News::Watching, News::Other(_), News::Vanished(range)] if range.first() == uid(5))
    );
}

#[test]
fn compression_that_is_refused_changes_nothing() {
    let mut peer = Peer::selected("COMPRESS=DEFLATE");
    let mut task = Compress::new();
    assert_eq!(peer.start(&mut task).unwrap(), "$2 COMPRESS DEFLATE\r\n");
    let (_, end) = peer.drive(&mut task, "$2 NO [COMPRESSIONACTIVE] again\r\n");
    let Some(Err(TaskError::Refused(status))) = end else { panic!() };
    assert_eq!(status.code, Some(Code::CompressionActive));
    assert!(!peer.client.is_compressed());
    assert!(matches!(Peer::selected("").start(&mut Compress::new()), Err(TaskError::Send(_))));
}

#[test]
fn a_user_can_be_changed() {
    let mut peer = Peer::selected("UNAUTHENTICATE");
    let mut task = Unauthenticate::new();
    assert_eq!(peer.start(&mut task).unwrap(), "$2 UNAUTHENTICATE\r\n");
    peer.drive(&mut task, "$2 OK bye\r\n").1.unwrap().unwrap();
    assert_eq!(*peer.client.state(), mailwright_imap::client::State::NotAuthenticated);
    fails("UNAUTHENTICATE", Unauthenticate::new);
}
