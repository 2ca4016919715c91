//! One bad element of a response never costs its siblings: it is kept as it came, and reported.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod reading;

use bytes::{Bytes, BytesMut};
use mailwright_imap::types::{
    ListAttribute, ListData, MetadataData, QuotaResource, Response, SearchData, StatusItem, StatusValue,
};
use mailwright_imap::value::DeviationKind as Kind;
use reading::{is_refused, response, strict};

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
        "PARTIAL (1:5)",
        "PARTIAL (1:-5 NIL)",
        "PARTIAL (1:5 1,0)",
        "RELEVANCY (0)",
        "RELEVANCY (101)",
        "ADDTO (1)",
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
fn threads_that_are_none_are_refused_alone() {
    for bad in [
        "(",
        "()",
        "(1",
        "1)",
        "(1))",
        "(1(2)(3))",
        "(1 (2)(3) 4)",
        "(0)",
        "(a)",
        "((1))",
        "(1 ((2)(3)))",
        "x",
    ] {
        let input = format!("* THREAD {bad}\r\n* 2 EXISTS\r\n");
        let (events, end) =
            reading::read(input.as_bytes(), 1, &mailwright_imap::parse::ResponseLimits::default());
        assert_eq!((events.len(), end), (2, Ok(())), "{bad}: {events:?}");
    }
    let (found, kinds) = response(b"* THREAD (1 (2))\r\n");
    let Response::Thread(threads) = found else { panic!() };
    assert_eq!((threads.nodes().len(), kinds), (2, vec![Kind::ExtraParentheses]));
    let dummy = response(b"* THREAD ((3)(5 6))\r\n").0;
    let Response::Thread(threads) = dummy else { panic!() };
    let shape: Vec<_> =
        threads.nodes().iter().map(|node| (node.number.map_or(0, u32::from), node.answers)).collect();
    assert_eq!(shape, [(0, 2), (3, 0), (5, 1), (6, 0)]);
}
