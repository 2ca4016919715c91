//! The responses that RFC 3501 and its extensions show, read in strict mode.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod reading;

use core::num::NonZeroU32;

use mailwright_imap::parse::{ResponseEvent, ResponseLimits};
use mailwright_imap::types::{
    Code, FetchItem, ListAttribute, ListData, Mailbox, ObjectId, Response, SectionText, StatusItem,
    StatusKind, StatusResponse, StatusValue,
};
use mailwright_imap::value::{Flag, UidValidity};
use reading::{items, read, strict};

fn parse(line: &str) -> Response {
    let parsed = Response::parse(format!("{line}\r\n").as_bytes(), &strict());
    let parsed = parsed.unwrap_or_else(|error| panic!("{line}: {error}"));
    assert!(parsed.deviations.is_empty());
    parsed.response
}

fn status(line: &str) -> (Option<String>, StatusResponse) {
    match parse(line) {
        Response::Status { tag, status } => (tag.map(|tag| tag.as_str().to_owned()), status),
        other => panic!("{other:?}"),
    }
}

fn name(name: &str) -> Mailbox {
    Mailbox::read(name.to_owned().into(), false)
}

/// RFC 3501 §8, what the server says.
const DIALOGUE: &[&str] = &[
    "* OK IMAP4rev1 Service Ready",
    "a001 OK LOGIN completed",
    "* 18 EXISTS",
    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
    "* 2 RECENT",
    "* OK [UNSEEN 17] Message 17 is the first unseen message",
    "* OK [UIDVALIDITY 3857529045] UIDs valid",
    "a002 OK [READ-WRITE] SELECT completed",
    concat!(
        "* 12 FETCH (FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4286 ",
        "ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" ",
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ",
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((NIL NIL \"imap\" \"cac.washington.edu\")) ",
        "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL ",
        "\"<B27397-0100000@cac.washington.edu>\") ",
        "BODY (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92))",
    ),
    "a003 OK FETCH completed",
    "* 12 FETCH (BODY[HEADER] {14}\r\nSubject: x\r\n\r\n)",
    "a004 OK FETCH completed",
    "* 12 FETCH (FLAGS (\\Seen \\Deleted))",
    "a005 OK +FLAGS completed",
    "* BYE IMAP4rev1 server terminating connection",
    "a006 OK LOGOUT completed",
];

#[test]
fn the_dialogue_of_rfc_3501_is_read() {
    let responses: Vec<Response> = DIALOGUE.iter().map(|line| parse(line)).collect();
    let input = DIALOGUE.iter().map(|line| format!("{line}\r\n")).collect::<String>();
    for size in [1, 100, usize::MAX] {
        let (events, end) = read(input.as_bytes(), size, &strict());
        assert_eq!(end, Ok(()));
        let count =
            |event: &ResponseEvent| matches!(event, ResponseEvent::Response(_) | ResponseEvent::FetchEnd);
        assert_eq!(events.iter().filter(|event| count(event)).count(), responses.len());
    }
    assert_eq!(responses[2], Response::Exists(18));
    let Response::Fetch { number: 12, items } = &responses[8] else { panic!("{:?}", responses[8]) };
    let [
        FetchItem::Flags { .. },
        FetchItem::InternalDate(date),
        FetchItem::Rfc822Size(Some(4286)),
        FetchItem::Envelope(envelope),
        FetchItem::Body(body),
    ] = &items[..]
    else {
        panic!("{items:?}")
    };
    assert_eq!(date.time.as_seconds(), 837_596_665);
    assert_eq!(envelope.subject.as_deref(), Some(&b"IMAP4rev1 WG mtg summary and minutes"[..]));
    assert_eq!((envelope.from.len(), envelope.cc.len(), envelope.bcc.len()), (1, 2, 0));
    assert_eq!(envelope.cc[1].name.as_deref(), Some(&b"John Klensin"[..]));
    assert_eq!(envelope.cc[0].host.as_deref(), Some(&b"CNRI.Reston.VA.US"[..]));
    let part = &body.parts[0];
    assert_eq!((&*part.media_type, part.octets, part.lines), (&b"TEXT"[..], Some(3028), Some(92)));
    assert_eq!(part.parameters, [("CHARSET".into(), "US-ASCII".into())]);
}

#[test]
fn statuses_of_rfc_3501_are_read() {
    for (line, tag, kind, code) in [
        ("* OK IMAP4rev1 server ready", None, StatusKind::Ok, None),
        ("* OK [ALERT] System shutdown in 10 minutes", None, StatusKind::Ok, Some(Code::Alert)),
        ("A001 OK LOGIN Completed", Some("A001"), StatusKind::Ok, None),
        ("* NO Disk is 98% full, please delete unnecessary data", None, StatusKind::No, None),
        ("A222 NO COPY failed: disk is full", Some("A222"), StatusKind::No, None),
        ("* BAD Empty command line", None, StatusKind::Bad, None),
        ("A443 BAD Command line too long", Some("A443"), StatusKind::Bad, None),
        ("* PREAUTH IMAP4rev1 server logged in as Smith", None, StatusKind::PreAuth, None),
        ("* BYE Autologout; idle for too long", None, StatusKind::Bye, None),
        ("a003 OK [READ-ONLY] EXAMINE completed", Some("a003"), StatusKind::Ok, Some(Code::ReadOnly)),
        ("A003 NO [TRYCREATE] No such mailbox", Some("A003"), StatusKind::No, Some(Code::TryCreate)),
        ("* OK [UNSEEN 8] Message 8 is first unseen", None, StatusKind::Ok, Some(Code::Unseen(8))),
        (
            "* OK [UIDVALIDITY 3857529045] UIDs valid",
            None,
            StatusKind::Ok,
            UidValidity::new(3_857_529_045).map(Code::UidValidity),
        ),
        (
            "* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited",
            None,
            StatusKind::Ok,
            Some(Code::PermanentFlags {
                flags: vec![Flag::Deleted, Flag::Seen],
                new_keywords: true,
                other: vec![],
            }),
        ),
        (
            "* OK [PERMANENTFLAGS ()] x",
            None,
            StatusKind::Ok,
            Some(Code::PermanentFlags { flags: vec![], new_keywords: false, other: vec![] }),
        ),
        (
            "a NO [AUTHENTICATIONFAILED] Authentication failed",
            Some("a"),
            StatusKind::No,
            Some(Code::AuthenticationFailed),
        ),
        ("* BYE [UNAVAILABLE] User's backend down", None, StatusKind::Bye, Some(Code::Unavailable)),
        ("b NO [BADCHARSET] x", Some("b"), StatusKind::No, Some(Code::BadCharset(vec![]))),
        ("b NO [UIDNOTSTICKY] Non-persistent UIDs", Some("b"), StatusKind::No, Some(Code::UidNotSticky)),
    ] {
        let (found_tag, found) = status(line);
        assert_eq!((found_tag.as_deref(), found.kind, found.code), (tag, kind, code), "{line}");
        assert!(line.as_bytes().ends_with(&found.text));
    }
}

#[test]
fn the_codes_of_uidplus_are_read() {
    let (_, appended) = status("A003 OK [APPENDUID 38505 3955] APPEND completed");
    let Some(Code::AppendUid { uid_validity, uids }) = appended.code else { panic!() };
    assert_eq!((uid_validity.get(), uids.len(), uids[0].first().get()), (38505, 1, 3955));
    let (_, copied) = status("A004 OK [COPYUID 38505 304,319:320 3956:3958] Done");
    let pairs: Vec<(u32, u32)> =
        copied.code.unwrap().copied().unwrap().map(|(from, to)| (from.get(), to.get())).collect();
    assert_eq!(pairs, [(304, 3956), (319, 3957), (320, 3958)]);
}

#[test]
fn data_about_mailboxes_are_read() {
    let Response::Capability(names) = parse("* CAPABILITY IMAP4rev1 STARTTLS AUTH=GSSAPI XPIG-LATIN") else {
        panic!()
    };
    assert!(names.len() == 4 && names[2].is("auth=gssapi"));
    let (_, greeting) = status("* OK [CAPABILITY IMAP4rev2 LITERAL-] hello");
    assert!(matches!(greeting.code, Some(Code::Capability(names)) if names[1].is("LITERAL-")));
    let Response::List(list) = parse("* LIST (\\Noselect) \"/\" ~/Mail/foo") else { panic!() };
    assert_eq!(
        (list.attributes, list.separator, list.mailbox),
        (vec![ListAttribute::NoSelect], Some(b'/'), name("~/Mail/foo"))
    );
    let Response::Lsub(list) = parse("* LSUB () \".\" #news.comp.mail.misc") else { panic!() };
    assert_eq!((list.separator, list.mailbox), (Some(b'.'), name("#news.comp.mail.misc")));
    let Response::List(list) =
        parse("* LIST (\\Marked \\Drafts) NIL \"Entw&APw-rfe\" (\"CHILDINFO\" (\"SUBSCRIBED\"))")
    else {
        panic!()
    };
    assert_eq!(
        (list.attributes[1].clone(), list.mailbox.name().unwrap().as_str()),
        (ListAttribute::Drafts, "Entwürfe")
    );
    assert_eq!(list.extended, [ListData::ChildInfo(vec!["SUBSCRIBED".into()])]);
    let Response::MailboxStatus { mailbox, values } =
        parse("* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)")
    else {
        panic!()
    };
    assert_eq!(mailbox, name("blurdybloop"));
    assert_eq!(values, [(StatusItem::Messages, 231).into(), (StatusItem::UidNext, 44292).into()]);
    let Response::MailboxStatus { values, .. } =
        parse("* STATUS x (HIGHESTMODSEQ 7 MAILBOXID (F22) SIZE 44421)")
    else {
        panic!()
    };
    assert_eq!(
        values,
        [
            (StatusItem::HighestModSeq, 7).into(),
            StatusValue::MailboxId(ObjectId::new("F22").unwrap()),
            (StatusItem::Size, 44421).into()
        ]
    );
    assert_eq!(parse("* SEARCH 2 3 6"), Response::Search { numbers: vec![2, 3, 6], mod_seq: None });
    assert_eq!(
        parse("* FLAGS (\\Answered \\Seen $Forwarded)"),
        Response::Flags {
            flags: vec![Flag::Answered, Flag::Seen, Flag::new("$forwarded").unwrap()],
            other: vec![]
        }
    );
    assert_eq!(parse("* 22 EXPUNGE"), Response::Expunge(22));
    assert_eq!(
        parse("+ Ready for additional command text"),
        Response::Continue("Ready for additional command text".into())
    );
}

#[test]
fn the_namespaces_of_rfc_2342_are_read() {
    let namespaces = |line: &str| match parse(line) {
        Response::Namespace(namespaces) => namespaces,
        other => panic!("{other:?}"),
    };
    let found =
        namespaces("* NAMESPACE ((\"\" \"/\")) ((\"~\" \"/\")) ((\"#shared/\" \"/\")(\"#public/\" \"/\"))");
    assert_eq!((found.personal.len(), found.other_users.len(), found.shared.len()), (1, 1, 2));
    assert_eq!((found.personal[0].prefix.clone(), found.personal[0].separator), (name(""), Some(b'/')));
    let found = namespaces("* NAMESPACE NIL NIL ((\"\" \".\"))");
    assert_eq!((found.personal.len(), found.shared[0].separator), (0, Some(b'.')));
    let found =
        namespaces("* NAMESPACE ((\"\" \"/\")(\"#mh/\" \"/\" \"X-PARAM\" (\"FLAG1\" \"FLAG2\"))) NIL NIL");
    assert_eq!(found.personal[1].prefix, name("#mh/"));
}

#[test]
fn the_id_of_rfc_2971_is_read() {
    assert_eq!(parse("* ID NIL"), Response::Id(vec![]));
    let Response::Id(pairs) = parse("* ID (\"name\" \"Cyrus\" \"version\" NIL \"os\" {5}\r\nsunos)") else {
        panic!()
    };
    let pair = |index: usize| {
        (pairs[index].0.as_str().unwrap(), pairs[index].1.as_ref().and_then(|value| value.as_str()))
    };
    assert_eq!(
        [pair(0), pair(1), pair(2)],
        [("name", Some("Cyrus")), ("version", None), ("os", Some("sunos"))]
    );
}

#[test]
fn a_structure_of_rfc_3501_is_a_flat_tree() {
    let line = concat!(
        "* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1152 23)",
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") ",
        "\"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" \"BASE64\" 4554 73)",
        "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 342 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) ",
        "((\"IMAGE\" \"GIF\" NIL NIL NIL \"BASE64\" 4)(\"TEXT\" \"HTML\" NIL NIL NIL \"8BIT\" 3 1) \"RELATED\") 8 ",
        "NIL (\"attachment\" (\"filename\" \"x\")) NIL NIL) \"MIXED\" (\"boundary\" \"b\") NIL (\"en\") NIL))",
    );
    let Response::Fetch { items, .. } = parse(line) else { panic!() };
    let FetchItem::BodyStructure(structure) = &items[0] else { panic!("{items:?}") };
    let tree: Vec<(&[u8], usize)> =
        structure.parts.iter().map(|part| (&*part.subtype, part.children)).collect();
    assert_eq!(
        tree,
        [
            (&b"MIXED"[..], 3),
            (b"PLAIN", 0),
            (b"PLAIN", 0),
            (b"RFC822", 1),
            (b"RELATED", 2),
            (b"GIF", 0),
            (b"HTML", 0),
        ]
    );
    let message = &structure.parts[3];
    assert_eq!(
        (message.lines, message.envelope.as_ref().unwrap().subject.as_deref()),
        (Some(8), Some(&b"s"[..]))
    );
    let disposition = message.extension.as_ref().unwrap().disposition.as_ref().unwrap();
    assert_eq!((&*disposition.0, &*disposition.1[0].1), (&b"attachment"[..], &b"x"[..]));
    assert_eq!(structure.parts[0].extension.as_ref().unwrap().language, ["en"]);
}

#[test]
fn a_body_is_named_by_its_section_in_any_place() {
    let input = concat!(
        "* 5 FETCH (BODY[1.2.HEADER.FIELDS.NOT (From \"To\")]<10> {2}\r\nab UID 7 ",
        "RFC822.TEXT \"quoted \\\"x\\\"\" BODY[2.MIME] NIL BINARY[3]<4> ~{1}\r\n\0 RFC822.HEADER {0}\r\n)\r\n",
    );
    let (found, kinds) = items(input.as_bytes(), &strict());
    assert_eq!(kinds, []);
    let FetchItem::BodySection { section, origin: Some(10), octets: Some(octets) } = &found[0] else {
        panic!("{found:?}")
    };
    assert_eq!((&**octets, section.part.len()), (&b"ab"[..], 2));
    assert!(
        matches!(&section.text, Some(SectionText::HeaderFields { not: true, names }) if names.len() == 2)
    );
    assert!(matches!(found[1], FetchItem::Uid(uid) if uid.get() == 7));
    assert_eq!(found[2], FetchItem::Rfc822Text(Some("quoted \"x\"".into())));
    assert!(
        matches!(&found[3], FetchItem::BodySection { section, octets: None, .. } if section.text == Some(SectionText::Mime))
    );
    let part = vec![NonZeroU32::new(3).unwrap()];
    assert_eq!(found[4], FetchItem::Binary { part, origin: Some(4), octets: Some("\0".into()) });
    assert_eq!(found[5], FetchItem::Rfc822Header(Some("".into())));
}

#[test]
fn names_are_utf8_where_that_was_agreed_on() {
    let mut limits = ResponseLimits::default();
    limits.utf8 = true;
    let parsed = Response::parse("* LIST () \"/\" \"Entwürfe & mehr\"\r\n".as_bytes(), &limits).unwrap();
    let Response::List(list) = parsed.response else { panic!() };
    assert_eq!(list.mailbox.name().unwrap().as_str(), "Entwürfe & mehr");
    assert!(parsed.deviations.is_empty());
}
