//! One bad element of a response never costs its siblings: it is kept as it came, and reported.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod reading;

use bytes::{Bytes, BytesMut};
use mailwright_imap::parse::{ResponseEvent, ResponseLimits, ResponseReader};
use mailwright_imap::types::{
    ListAttribute, ListData, MetadataData, NumberSet, PartialRange, QuotaResource, Response, SearchData,
    StatusItem, StatusValue, ThreadMember,
};
use mailwright_imap::value::DeviationKind as Kind;
use reading::{is_refused, lenient, response, strict};

/// The response, in which something is bad; written, it is what came.
fn read(line: &str) -> Response {
    let input = format!("{line}\r\n");
    let (found, kinds) = response(input.as_bytes());
    assert!(kinds.contains(&Kind::Ignored), "{line}: {kinds:?}");
    let mut wire = BytesMut::new();
    found.encode(&mut wire, false);
    let (again, _) = response(&wire);
    assert_eq!(again, found, "{line}");
    found
}

fn raw(values: &[&'static str]) -> Vec<Bytes> {
    values.iter().map(|value| Bytes::from_static(value.as_bytes())).collect()
}

#[test]
fn of_quota() {
    for (bad, width) in [
        ("MESSAGE x 5", "MESSAGE x 5"),
        ("MESSAGE -1 5", "MESSAGE -1 5"),
        ("(MESSAGE) 1 5", "(MESSAGE) 1 5"),
        ("MESSAGE 18446744073709551616 5", "MESSAGE 18446744073709551616 5"),
    ] {
        let found = read(&format!("* QUOTA \"\" (STORAGE 10 512 {bad} MAILBOX 1 2)"));
        let Response::Quota(quota) = found else { panic!("{found:?}") };
        let resources: Vec<_> = quota.resources.iter().map(|usage| usage.resource.clone()).collect();
        assert_eq!(resources, [QuotaResource::Storage, QuotaResource::Mailbox]);
        assert_eq!(quota.invalid, raw(&[width]));
    }
    let Response::Quota(quota) = read("* QUOTA x (STORAGE 1)") else { panic!() };
    assert_eq!((quota.resources.len(), quota.invalid), (0, raw(&["STORAGE 1"])));
}

#[test]
fn of_rights() {
    let Response::Acl(acl) = read("* ACL INBOX fred lrs joe LRS (a b) l anne \"\"") else { panic!() };
    let names: Vec<_> =
        acl.entries.iter().map(|(name, rights)| (name.as_str().unwrap(), rights.as_str())).collect();
    assert_eq!(names, [("fred", "lrs"), ("anne", "")]);
    assert_eq!(acl.invalid, raw(&["joe LRS", "(a b) l"]));
}

#[test]
fn of_metadata() {
    let found = read("* METADATA \"\" (/shared/comment \"x\" shared/x \"y\" /a (b c) /private/x NIL)");
    let Response::Metadata(metadata) = found else { panic!("{found:?}") };
    let MetadataData::Values(values) = metadata.data else { panic!() };
    let names: Vec<_> = values.iter().map(|(entry, _)| entry.as_str()).collect();
    assert_eq!(names, ["/shared/comment", "/private/x"]);
    assert_eq!(metadata.invalid, raw(&["shared/x \"y\"", "/a (b c)"]));
    let Response::Metadata(metadata) = read("* METADATA x /a //b /c") else { panic!() };
    assert!(matches!(metadata.data, MetadataData::Changed(entries) if entries.len() == 2));
    assert_eq!(metadata.invalid, raw(&["//b"]));
}

#[test]
fn of_namespaces() {
    let (found, kinds) = response(b"* NAMESPACE ((\"\" \"/\")(x)(\"a\" \"/\")) what NIL\r\n");
    let Response::Namespace(namespaces) = found else { panic!("{found:?}") };
    assert_eq!((namespaces.personal.len(), namespaces.other_users.len()), (2, 0));
    assert_eq!(namespaces.invalid, raw(&["(x)", "what"]));
    assert_eq!(kinds, [Kind::Ignored, Kind::Ignored]);
}

#[test]
fn of_lists() {
    let found =
        read("* LIST (\\HasNoChildren (\\Sent (x)) \\Trash) \"/\" x (CHILDINFO x OLDNAME (y) X-FOO (1 (2)))");
    let Response::List(list) = found else { panic!("{found:?}") };
    assert_eq!(
        list.attributes,
        [ListAttribute::HasNoChildren, ListAttribute::Invalid("(\\Sent (x))".into()), ListAttribute::Trash]
    );
    assert!(
        matches!(&list.extended[0], ListData::Invalid { tag, value } if tag == "CHILDINFO" && value == "x")
    );
    assert!(matches!(&list.extended[1], ListData::OldName(name) if name.wire(false) == "y"));
    assert!(
        matches!(&list.extended[2], ListData::Unknown { tag, value } if tag == "X-FOO" && value == "(1 (2))")
    );
}

#[test]
fn of_a_status() {
    let found = read("* STATUS x (MESSAGES (1) MAILBOXID F1 APPENDLIMIT NIL UNSEEN 5 X-FOO \"a\")");
    let Response::MailboxStatus { values, .. } = found else { panic!("{found:?}") };
    let invalid = |name: &'static str, value: &'static str| StatusValue::Invalid {
        name: name.into(),
        value: value.into(),
    };
    assert_eq!(
        values,
        [
            invalid("MESSAGES", "(1)"),
            invalid("MAILBOXID", "F1"),
            StatusValue::NoAppendLimit,
            (StatusItem::Unseen, 5).into(),
            StatusValue::Unknown { name: "X-FOO".into(), value: "\"a\"".into() },
        ]
    );
}

#[test]
fn of_a_search_result() {
    for bad in [
        "MIN 0",
        "MAX x",
        "ALL 1:*",
        "ALL $",
        "ALL (1)",
        "COUNT NIL",
        "MODSEQ (5)",
        "ADDTO x",
        "REMOVEFROM 1",
    ] {
        let found = read(&format!("* ESEARCH (TAG \"a\") UID MIN 2 {bad} COUNT 3 X-FOO (a b)"));
        let Response::ExtendedSearch(search) = found else { panic!("{found:?}") };
        assert_eq!(search.data.len(), 4, "{bad}");
        let (name, value) = bad.split_once(' ').unwrap();
        let invalid = SearchData::Invalid { name: name.into(), value: value.into() };
        assert_eq!(search.data[1], invalid);
        assert_eq!(search.data[2], SearchData::Count(3));
        assert_eq!(search.data[3], SearchData::Unknown { name: "X-FOO".into(), value: "(a b)".into() });
    }
    let (found, kinds) = response(b"* ESEARCH (X-FOO (1) TAG \"a b\" UIDVALIDITY 0) ALL 5\r\n");
    let Response::ExtendedSearch(search) = found else { panic!() };
    assert_eq!((search.tag, search.uid_validity, search.data.len()), (None, None, 1));
    assert_eq!(kinds, [Kind::Ignored, Kind::Ignored, Kind::UnexpectedZero]);
}

/// The data of an ESEARCH with this in it, which must have what stands round it too.
fn search_data(part: &str) -> Vec<SearchData> {
    let (found, kinds) = response(format!("* ESEARCH MIN 2 {part} COUNT 3\r\n").as_bytes());
    assert!(kinds.iter().all(|kind| *kind == Kind::Ignored), "{part}: {kinds:?}");
    let Response::ExtendedSearch(mut search) = found else { panic!("{found:?}") };
    assert!(matches!(search.data.remove(0), SearchData::Min(_)), "{part}");
    assert_eq!(search.data.pop(), Some(SearchData::Count(3)), "{part}");
    search.data
}

#[test]
fn of_the_elements_of_a_search_result() {
    let set = |text: &str| NumberSet::parse(text.as_bytes(), 10).unwrap();
    let invalid = |name: &'static str, value: &'static str| SearchData::Invalid {
        name: name.into(),
        value: value.into(),
    };
    assert_eq!(
        search_data("ALL 1,x,0,4294967296,3:2,7"),
        [
            SearchData::All(set("1,3:2,7")),
            invalid("ALL", "x"),
            invalid("ALL", "0"),
            invalid("ALL", "4294967296")
        ]
    );
    assert_eq!(search_data("ALL 1,,2"), [SearchData::All(set("1,2")), invalid("ALL", ",")]);
    assert_eq!(search_data("ALL 0"), [invalid("ALL", "0")]);
    let part = PartialRange::parse(b"-1:-5").unwrap();
    assert_eq!(search_data("PARTIAL (-1:-5 NIL)"), [SearchData::Partial(part, None)]);
    assert_eq!(
        search_data("PARTIAL (-1:-5 9,x,8)"),
        [SearchData::Partial(part, Some(set("9,8"))), invalid("PARTIAL", "x")]
    );
    assert_eq!(search_data("PARTIAL (1:-5 NIL)"), [invalid("PARTIAL", "1:-5")]);
    assert_eq!(
        search_data("PARTIAL (-1:-5)"),
        [SearchData::Partial(part, None), invalid("PARTIAL", "-1:-5")]
    );
    assert_eq!(
        search_data("RELEVANCY (1 0 101 x 100)"),
        [
            SearchData::Relevancy(vec![1, 100]),
            invalid("RELEVANCY", "0"),
            invalid("RELEVANCY", "101"),
            invalid("RELEVANCY", "x")
        ]
    );
    assert_eq!(
        search_data("ADDTO (1 2:3,5 1 7 0 x 4 9)"),
        [SearchData::AddTo(vec![(1, set("2:3,5")), (1, set("7")), (4, set("9"))]), invalid("ADDTO", "x")]
    );
    assert_eq!(search_data("REMOVEFROM (1)"), [SearchData::RemoveFrom(vec![]), invalid("REMOVEFROM", "1")]);
    // What is no element at all ends the list and nothing else.
    assert_eq!(
        search_data("PARTIAL (-1:-5 1, \"x y\" 2)"),
        [SearchData::Partial(part, Some(set("1"))), invalid("PARTIAL", "\"x y\" 2)")]
    );
}

#[test]
fn of_words_that_stand_where_names_do() {
    for line in [
        "* ESEARCH MIN 2 UID COUNT 3",
        "* ESEARCH UID UID MIN 2 COUNT 3",
        "* ESEARCH UID (x) 1 MIN 2 COUNT 3",
    ] {
        let (events, _) = lenient(format!("{line}\r\n").as_bytes());
        let data: Vec<_> =
            events.iter().filter(|event| matches!(event, ResponseEvent::SearchData(_))).collect();
        assert!(
            matches!(
                data[..],
                [
                    ResponseEvent::SearchData(SearchData::Min(_)),
                    ResponseEvent::SearchData(SearchData::Count(3))
                ]
            ),
            "{line}: {events:?}"
        );
        assert!(events.iter().any(|event| matches!(event, ResponseEvent::Invalid(_))), "{line}");
    }
}

#[test]
fn of_numbers() {
    for (input, expected) in [
        ("* SEARCH 1 x 3 0 (MODSEQ 5)", "SearchBegin 1 ! 3 ! MODSEQ5 SearchEnd"),
        ("* SEARCH 1 (MODSEQ x) 2", "SearchBegin 1 ! 2 SearchEnd"),
        ("* SEARCH 1 (X 5)", "SearchBegin 1 ! SearchEnd"),
        ("* SEARCH 1,2)3", "SearchBegin 1 ! 2 ! 3 SearchEnd"),
        ("* SEARCH 1 \"x\" 2", "SearchBegin 1 ! SearchEnd"),
        ("* SEARCH 1 (MODSEQ 5", "SearchBegin 1 MODSEQ5 ! SearchEnd"),
        ("* VANISHED 1:3,x,0,7", "VanishedBegin(false) 1:3 ! ! 7 VanishedEnd"),
        ("* VANISHED (EARLIER) 9:8,,*", "VanishedBegin(true) 8:9 ! ! VanishedEnd"),
        ("* VANISHED 1 2", "VanishedBegin(false) 1 ! VanishedEnd"),
        ("* VANISHED 1,", "VanishedBegin(false) 1 ! VanishedEnd"),
        // Whether numbers change by it is not known.
        ("* VANISHED (LATER) 1", "!"),
        ("* VANISHED", "!"),
        ("* VANISHED {3}\r\n\r\n)", "!"),
    ] {
        let (events, _) = lenient(format!("{input}\r\n* 2 EXISTS\r\n").as_bytes());
        let shown: Vec<String> = events
            .iter()
            .map(|event| match event {
                ResponseEvent::SearchBegin => "SearchBegin".into(),
                ResponseEvent::SearchNumber(number) => number.to_string(),
                ResponseEvent::SearchModSeq(mod_seq) => format!("MODSEQ{}", mod_seq.get()),
                ResponseEvent::SearchEnd => "SearchEnd".into(),
                ResponseEvent::VanishedBegin { earlier } => format!("VanishedBegin({earlier})"),
                ResponseEvent::Vanished(uids) if uids.first() == uids.last() => uids.first().to_string(),
                ResponseEvent::Vanished(uids) => format!("{}:{}", uids.first(), uids.last()),
                ResponseEvent::VanishedEnd => "VanishedEnd".into(),
                ResponseEvent::Invalid(_) => "!".into(),
                ResponseEvent::Response(Response::Exists(2)) => ".".into(),
                event => panic!("{event:?}"),
            })
            .collect();
        assert_eq!(shown.join(" "), format!("{expected} ."), "{input}");
    }
}

#[test]
fn spaces_in_new_responses_do_not_matter() {
    for (input, exact) in [
        ("* ESEARCH  UID  ALL 1:3 ", "* ESEARCH UID ALL 1:3"),
        ("* ESEARCH (TAG \"a\" ) COUNT 1", "* ESEARCH (TAG \"a\") COUNT 1"),
        ("* THREAD (1)(2) ", "* THREAD (1)(2)"),
        ("* THREAD (1 2 )( 3 (4) (5))", "* THREAD (1 2)(3 (4)(5))"),
        ("* VANISHED ( EARLIER ) 1 ", "* VANISHED (EARLIER) 1"),
        ("* METADATA x ( /a  NIL ) ", "* METADATA x (/a NIL)"),
        ("* QUOTA x (STORAGE 1  2 )", "* QUOTA x (STORAGE 1 2)"),
        ("* QUOTAROOT x  y ", "* QUOTAROOT x y"),
        ("* ACL x  fred lr ", "* ACL x fred lr"),
        ("* LISTRIGHTS x fred l  r ", "* LISTRIGHTS x fred l r"),
        ("* MYRIGHTS x lr ", "* MYRIGHTS x lr"),
        ("* ENABLED CONDSTORE ", "* ENABLED CONDSTORE"),
    ] {
        let (expected, none) = response(format!("{exact}\r\n").as_bytes());
        assert!(none.is_empty(), "{exact}: {none:?}");
        let (found, kinds) = response(format!("{input}\r\n").as_bytes());
        assert_eq!(found, expected, "{input}");
        let spaces = |kind: &Kind| matches!(kind, Kind::ExtraSpace | Kind::TrailingSpace);
        assert!(!kinds.is_empty() && kinds.iter().all(spaces), "{input}: {kinds:?}");
        assert!(is_refused(format!("{input}\r\n").as_bytes(), &strict()), "{input}");
        assert!(!is_refused(format!("{exact}\r\n").as_bytes(), &strict()), "{exact}");
    }
}

#[test]
fn of_threads() {
    for (bad, rest) in [
        ("(1)(x)(2)", "0:1 ! 0:2"),
        ("(1 x 2)(3)", "0:1 ! 1:2 0:3"),
        ("(1)()(2)", "0:1 ! 0:2"),
        ("(1 (2)(3) 4)(5)", "0:1 1:2 1:3 ! 0:5"),
        ("(0)(1)", "! 0:1"),
        ("1 (2)", "! 0:2"),
        ("(1))(2)", "0:1 ! 0:2"),
        ("(1)(2 ", "0:1 0:2 !"),
        ("(1,2)", "0:1 ! 1:2"),
        ("(1)(2 \"x\")", "0:1 0:2 !"),
        ("x", "!"),
    ] {
        assert_eq!(thread(&format!("* THREAD {bad}\r\n")), rest, "{bad}");
    }
    for (input, members, kind) in [
        ("(1 (2))", "0:1 1:2", Kind::ExtraParentheses),
        ("((1))", "0:- 1:1", Kind::ExtraParentheses),
        ("(1 ((2)(3)))", "0:1 1:- 2:2 2:3", Kind::ExtraParentheses),
        ("(1(2)(3))", "0:1 1:2 1:3", Kind::MissingSpace),
    ] {
        let input = format!("* THREAD {input}\r\n");
        assert_eq!(thread(&input), members, "{input}");
        assert_eq!(lenient(input.as_bytes()).1, [kind], "{input}");
        assert!(is_refused(input.as_bytes(), &strict()), "{input}");
    }
    assert_eq!(thread("* THREAD ((3)(5 6))\r\n"), "0:- 1:3 1:5 2:6");
    let Response::Thread(threads) = response(b"* THREAD ((3)(5 6))\r\n").0 else { panic!() };
    let shape: Vec<_> =
        threads.nodes().iter().map(|node| (node.number.map_or(0, u32::from), node.answers)).collect();
    assert_eq!(shape, [(0, 2), (3, 0), (5, 1), (6, 0)]);
}

/// The members of a THREAD with their depths, and what cannot be read.
fn thread(input: &str) -> String {
    let (events, _) = lenient(input.as_bytes());
    assert!(matches!(events[..], [ResponseEvent::ThreadBegin, .., ResponseEvent::ThreadEnd]), "{events:?}");
    let shown = events[1..events.len() - 1].iter().map(|event| match event {
        ResponseEvent::ThreadMember(ThreadMember { number: Some(number), depth }) => {
            format!("{depth}:{number}")
        }
        ResponseEvent::ThreadMember(ThreadMember { number: None, depth }) => format!("{depth}:-"),
        ResponseEvent::Invalid(_) => "!".into(),
        event => panic!("{event:?}"),
    });
    shown.collect::<Vec<String>>().join(" ")
}

#[test]
fn of_threads_that_are_nested_too_deeply() {
    let deep = format!("* THREAD (1){}2{}(3)\r\n", "(".repeat(101), ")".repeat(101));
    let members = thread(&deep);
    assert!(members.starts_with("0:1 0:- ") && members.ends_with(" ! 0:3"), "{members}");
}

#[test]
fn a_refused_vanished_is_reported_when_it_has_ended() {
    let mut reader = ResponseReader::new(ResponseLimits::default());
    let mut input = BytesMut::from("* VANISHED (LATER) 1:3,");
    assert!(reader.next_event(&mut input).unwrap().is_none());
    input.extend_from_slice(b"7\r\n");
    let event = reader.next_event(&mut input).unwrap();
    assert!(matches!(event, Some(ResponseEvent::Invalid(_))), "{event:?}");
    assert!(input.is_empty() && reader.is_between_responses());
}
