//! Tests of reading commands.

use alloc::format;
use alloc::string::{String, ToString as _};

use super::*;
use mailwright_core::value::Flag;

use crate::wire::Announcement;

use crate::types::{
    FetchAttribute, ListCommand, Partial, Search, SearchKey, SectionText, StatusItem, StoreAction,
};

/// Commands have no equality, since passwords have none; what they show is enough here.
macro_rules! same {
    ($left:expr, $right:expr $(, $($message:tt)+)?) => {
        let right: Result<Command, CommandErrorKind> = $right;
        assert_eq!(format!("{:?}", $left), format!("{right:?}") $(, $($message)+)?)
    };
}

/// Reads a command of one line, or of parts with literals between: `{…}` in the text is a literal.
fn read(text: &str) -> Result<Command, CommandErrorKind> {
    let mut input = CommandInput::new();
    let mut rest = text;
    while let Some((part, behind)) = rest.split_once('{') {
        let (literal, behind) = behind.split_once('}').unwrap();
        input.push_part(Bytes::copy_from_slice(part.as_bytes()));
        input.push_literal(Bytes::copy_from_slice(literal.as_bytes()));
        rest = behind;
    }
    input.push_part(Bytes::copy_from_slice(rest.as_bytes()));
    let parsed = input.parse(&CommandLimits::default()).map_err(|error| error.kind)?;
    assert_eq!(parsed.tag.as_str(), "a");
    Ok(parsed.command)
}

fn octets(text: &str) -> OctetString {
    OctetString::new(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn search(text: &str) -> Search {
    match read(&format!("a SEARCH {text}")) {
        Ok(Command::Search(search)) => search.search,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn commands_without_arguments_take_none() {
    for (name, command) in [
        ("CAPABILITY", Command::Capability),
        ("noop", Command::Noop),
        ("Logout", Command::Logout),
        ("STARTTLS", Command::StartTls),
        ("NAMESPACE", Command::Namespace),
        ("IDLE", Command::Idle),
        ("CHECK", Command::Check),
        ("CLOSE", Command::Close),
        ("UNSELECT", Command::Unselect),
        ("EXPUNGE", Command::Expunge(None)),
    ] {
        same!(read(&format!("a {name}")), Ok(command.clone()));
        same!(read(&format!("a {name}  ")), Ok(command), "spaces at the end");
        same!(read(&format!("a {name} x")), Err(CommandErrorKind::Expected("the end of the command")));
        assert!(read(&format!("a {name}{{x}}")).is_err());
    }
}

#[test]
fn strings_come_in_every_form() {
    let login = |user: &str| Command::Login { user: octets(user), password: Secret::from("se cret") };
    same!(read("a LOGIN fred \"se cret\""), Ok(login("fred")));
    same!(read("a LOGIN {fred} {se cret}"), Ok(login("fred")));
    same!(read("a login \"f\\\"r\\\\ed\" \"se cret\""), Ok(login("f\"r\\ed")));
    same!(read("a LOGIN \"\" \"se cret\""), Ok(login("")));
    assert!(read("a LOGIN fred").is_err());
    assert!(read("a LOGIN fred se cret").is_err());
}

#[test]
fn mailboxes_are_names_or_kept_as_they_are() {
    let select = |text: &str| match read(&format!("a SELECT {text}")).unwrap() {
        Command::Select(select) => select.mailbox,
        other => panic!("{other:?}"),
    };
    assert_eq!(select("inbox").name().unwrap().as_str(), "INBOX");
    assert_eq!(select("\"a b/c\"").name().unwrap().as_str(), "a b/c");
    assert_eq!(select("Entw&APw-rfe").name().unwrap().as_str(), "Entwürfe");
    assert_eq!(select("../x").name(), None);
    let create = |text: &str| match read(&format!("a CREATE {text}")).unwrap() {
        Command::Create(create) => create.mailbox,
        other => panic!("{other:?}"),
    };
    assert_eq!(create("a/").name().unwrap().as_str(), "a");
    assert_eq!(create("a//").name(), None);
    assert_eq!(create("/").name(), None);
}

#[test]
fn list_patterns_may_have_wildcards() {
    let list = |reference, pattern| ListCommand::new(octets(reference), octets(pattern));
    same!(read("a LIST \"\" *"), Ok(Command::List(list("", "*"))));
    same!(read("a LIST ~/Mail/ %"), Ok(Command::List(list("~/Mail/", "%"))));
    same!(read("a LSUB \"\" \"a b%\""), Ok(Command::Lsub(list("", "a b%"))));
    assert!(read("a LIST * *").is_err(), "a reference has none");
}

#[test]
fn status_wants_at_least_one_known_item() {
    let Ok(Command::Status { items, .. }) = read("a STATUS blurdybloop (UIDNEXT messages)") else { panic!() };
    assert_eq!(items, [StatusItem::UidNext, StatusItem::Messages]);
    assert!(read("a STATUS x ()").is_err() && read("a STATUS x (FOO)").is_err());
}

#[test]
fn fetch_reads_macros_sections_and_partials() {
    let fetch = |text: &str| match read(&format!("a FETCH 2:4 {text}")).unwrap() {
        Command::Fetch(fetch) => fetch.attributes,
        other => panic!("{other:?}"),
    };
    assert_eq!(fetch("ALL"), FetchAttribute::ALL);
    assert_eq!(fetch("full"), FetchAttribute::FULL);
    assert_eq!(fetch("(FLAGS BODY)"), [FetchAttribute::Flags, FetchAttribute::Body]);
    assert_eq!(fetch("BODYSTRUCTURE"), [FetchAttribute::BodyStructure]);
    let section = |text: &str| match fetch(text).remove(0) {
        FetchAttribute::BodySection { peek, section, partial } => (peek, section, partial),
        other => panic!("{other:?}"),
    };
    assert_eq!(section("BODY[]"), (false, crate::types::Section::whole(), None));
    let (peek, parts, partial) = section("BODY.PEEK[1.2.MIME]<0.100>");
    assert!(peek);
    assert_eq!(parts.part.iter().map(|part| part.get()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(parts.text, Some(SectionText::Mime));
    assert_eq!(partial, Some(Partial { first: 0, count: 100 }));
    let names = |text: &str| match section(text).1.text {
        Some(SectionText::HeaderFields { not, names }) => {
            (not, names.iter().map(|name| name.as_str().unwrap().to_string()).collect::<Vec<String>>())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        names("BODY[HEADER.FIELDS (Date \"From\" {To})]"),
        (false, ["Date", "From", "To"].map(String::from).to_vec())
    );
    assert!(names("body[3.header.fields.not (x)]").0);
    for wrong in [
        "BODY[0]",
        "BODY[1.]",
        "BODY[MIME]",
        "BODY[X]",
        "BODY[]<0.0>",
        "BODY[]<1>",
        "BODY[",
        "()",
        "FOO",
        "(ALL)",
        "BODY[HEADER.FIELDS ()]",
    ] {
        assert!(read(&format!("a FETCH 1 {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn store_reads_its_action_and_flags_with_or_without_parentheses() {
    let store = |text: &str| match read(&format!("a UID STORE 1 {text}")).unwrap() {
        Command::Store(store) => {
            assert!(store.messages.is_uid());
            (store.action, store.silent, store.flags)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(store("+FLAGS (\\Deleted)"), (StoreAction::Add, false, [Flag::Deleted].to_vec()));
    assert_eq!(store("-flags.silent \\Seen $Junk").2.len(), 2);
    assert_eq!(store("FLAGS ()"), (StoreAction::Replace, false, Vec::new()));
    assert_eq!(store("FLAGS (\\Recent \\Seen)").2, [Flag::Seen]);
    for wrong in ["+FLAGS", "FLAGS", "+-FLAGSX (\\Seen)", "FLAGS (\\Foo)", "FLAGS (a", "FLAGS (\\*)"] {
        assert!(read(&format!("a STORE 1 {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn searches_are_trees() {
    use SearchKey::{And, Deleted, From, Larger, Not, Or, Seen, Unseen};
    assert_eq!(search("UNSEEN").keys(), [And(1), Unseen]);
    assert_eq!(
        search("OR (SEEN NOT DELETED) FROM \"a b\" LARGER 5").keys(),
        [And(3 - 1), Or, And(2), Seen, Not, Deleted, From(octets("a b")), Larger(5)]
    );
    assert_eq!(search("NOT (NOT (SEEN))").keys(), [And(1), Not, And(1), Not, And(1), Seen]);
    assert!(matches!(search("1:3,7 UID 5:*").keys(), [And(2), SearchKey::Numbers(_), SearchKey::Uid(_)]));
    assert!(matches!(
        search("HEADER X-Y {} KEYWORD $a").keys(),
        [And(2), SearchKey::Header(..), SearchKey::Keyword(_)]
    ));
    for wrong in [
        "",
        "(",
        "()",
        "(SEEN",
        "SEEN)",
        "NOT",
        "OR SEEN",
        "SEENX",
        "SEEN  )",
        "BEFORE 31-Feb-2000",
        "LARGER x",
        "(SEEN)(SEEN)",
    ] {
        assert!(read(&format!("a SEARCH {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn a_search_over_fifty_addresses_is_read_and_a_deeper_one_than_the_limit_is_refused() {
    let ors = |count: usize| format!("{}FROM x", "OR FROM y ".repeat(count));
    assert_eq!(search(&ors(60)).keys().len(), 1 + 60 * 2 + 1);
    same!(read(&format!("a SEARCH {}", ors(100_000))), Err(CommandErrorKind::TooDeep));
    same!(read(&format!("a SEARCH {}SEEN", "(".repeat(100_000))), Err(CommandErrorKind::TooDeep));
    let many = |octets| read(&format!("a SEARCH {}{}", "ALL ".repeat(20_000), " ".repeat(octets)));
    same!(many(0), Err(CommandErrorKind::TooLarge), "more memory than the octets are worth");
    same!(many(400_000), Err(CommandErrorKind::TooMany("search keys")));
}

#[test]
fn charset_is_kept_for_the_server_to_judge() {
    let Ok(Command::Search(search)) = read("a UID SEARCH CHARSET UTF-8 TEXT {\u{e4}}") else { panic!() };
    assert_eq!((search.charset, search.uid), (Some(octets("UTF-8")), true));
}

#[test]
fn id_has_pairs_or_nil() {
    same!(read("a ID NIL"), Ok(Command::Id(Vec::new())));
    same!(read("a ID ()"), Ok(Command::Id(Vec::new())));
    let Ok(Command::Id(pairs)) = read("a ID (\"name\" \"x\" \"os\" NIL)") else { panic!() };
    assert_eq!(pairs, [(octets("name"), Some(octets("x"))), (octets("os"), None)]);
    assert!(read("a ID (\"name\")").is_err());
}

#[test]
fn an_append_is_read_up_to_its_message() {
    let append = |parts: &[&str]| {
        let mut input = CommandInput::new();
        for (index, part) in parts.iter().enumerate() {
            if index % 2 == 0 {
                input.push_part(Bytes::copy_from_slice(part.as_bytes()));
            } else {
                input.push_literal(Bytes::copy_from_slice(part.as_bytes()));
            }
        }
        let append = input.append(&CommandLimits::default()).map_err(|error| error.kind)?;
        Ok::<_, CommandErrorKind>(append.map(|(append, _)| append))
    };
    assert_eq!(append(&["a APPEND "]), Ok(None), "the name is the literal");
    let bare = append(&["a APPEND ", "saved", " "]).unwrap().unwrap();
    assert_eq!(bare, append(&["a APPEND saved "]).unwrap().unwrap());
    let full = append(&["a APPEND saved (\\Seen $x) \" 7-Feb-1994 21:52:25 -0800\" "]).unwrap().unwrap();
    assert_eq!(full.flags.len(), 2);
    assert_eq!(full.date.unwrap().zone, -480);
    for wrong in ["a APPEND saved (\\Seen", "a APPEND saved \"x\" ", "a APPEND saved x ", "a APPEND saved"] {
        assert!(append(&[wrong]).is_err(), "{wrong}");
    }
    assert!(read("a APPEND saved").is_err(), "no message at all");
}

#[test]
fn errors_keep_tag_and_name_and_place() {
    let fail = |text: &str| {
        let mut input = CommandInput::new();
        input.push_part(Bytes::copy_from_slice(text.as_bytes()));
        input.parse(&CommandLimits::default()).unwrap_err()
    };
    assert_eq!(fail("").kind, CommandErrorKind::Tag);
    assert_eq!(fail("+ NOOP").tag, None);
    let unknown = fail("a XFOO");
    assert_eq!((unknown.kind, unknown.tag.unwrap().as_str()), (CommandErrorKind::Unknown, "a"));
    assert_eq!(fail("a UID NOOP").kind, CommandErrorKind::Unknown);
    assert_eq!(fail("a").kind, CommandErrorKind::Unknown);
    let wrong = fail("a FETCH 1 FOO");
    assert_eq!((wrong.verb, wrong.offset), (Some(Verb::Fetch), 13));
}

#[test]
fn what_is_quoted_is_utf8_where_that_was_agreed_on() {
    let parse = |octets: &'static [u8], utf8| {
        let mut input = CommandInput::new();
        input.push_part(Bytes::from_static(octets));
        let mut limits = CommandLimits::default();
        limits.utf8 = utf8;
        input.parse(&limits).map_err(|error| error.kind)
    };
    assert!(parse(b"a SELECT \"\xc3\xa4\"", true).is_ok());
    same_error(parse(b"a SELECT \"\xe4\"", true), CommandErrorKind::Expected("UTF-8"));
    assert!(parse(b"a SELECT \"\xe4\"", false).is_ok(), "then it is the name of no mailbox");
}

fn same_error(found: Result<ParsedCommand, CommandErrorKind>, kind: CommandErrorKind) {
    assert_eq!(found.map(|parsed| parsed.tag), Err(kind));
}

/// What is wrong with the arguments of the extensions.
#[test]
fn wrong_arguments_of_extensions_are_refused() {
    for wrong in [
        "ENABLE",
        "ENABLE (CONDSTORE)",
        "SELECT x ()",
        "SELECT x (FOO)",
        "SELECT x (QRESYNC)",
        "SELECT x (QRESYNC (0 1))",
        "SELECT x (QRESYNC (1 0))",
        "SELECT x (QRESYNC (1 1 1:*))",
        "SELECT x (QRESYNC (1 1 $))",
        "SELECT x (QRESYNC (1 1 1 (1 *)))",
        "SELECT x (QRESYNC (1 1 1 (1)))",
        "SELECT x (QRESYNC (1 1) QRESYNC (1 1))",
        "CREATE x (USE (Sent))",
        "CREATE x (FOO)",
        "CREATE x (USE (\\Sent) USE (\\Junk))",
        "LIST (FOO) \"\" *",
        "LIST (RECURSIVEMATCH) \"\" *",
        "LIST (REMOTE RECURSIVEMATCH) \"\" *",
        "LIST \"\" ()",
        "LIST \"\" * RETURN (FOO)",
        "LIST \"\" * RETURN (STATUS ())",
        "LIST \"\" * RETURN",
        "LSUB () \"\" *",
        "STATUS x (MESSAGES FOO)",
        "FETCH 1 (FLAGS) (VANISHED)",
        "FETCH 1 (FLAGS) (CHANGEDSINCE 1 VANISHED)",
        "UID FETCH 1 (FLAGS) (VANISHED)",
        "FETCH 1 (FLAGS) ()",
        "FETCH 1 (FLAGS) (CHANGEDSINCE x)",
        "FETCH 1 (FLAGS) (CHANGEDSINCE 9223372036854775808)",
        "FETCH 1 (FLAGS) (CHANGEDSINCE 1 CHANGEDSINCE 2)",
        "FETCH 1 (FLAGS) (PARTIAL 1:*)",
        "FETCH 1 (BINARY[TEXT])",
        "FETCH 1 (BINARY.SIZE[1]<0.1>)",
        "FETCH 1 (PREVIEW (FOO))",
        "FETCH $,1 (FLAGS)",
        "STORE 1 (FOO 1) FLAGS ()",
        "STORE 1 () FLAGS ()",
        "STORE 1 (UNCHANGEDSINCE 1) X-GM-LABELS (x)",
        "SEARCH RETURN ALL",
        "SEARCH RETURN (FOO) ALL",
        "SEARCH RETURN (PARTIAL 1:2 ALL) ALL",
        "SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL",
        "SEARCH RETURN (PARTIAL 0:1) ALL",
        "SEARCH RETURN (MIN)",
        "SEARCH OLDER 0",
        "SEARCH YOUNGER x",
        "SEARCH FUZZY",
        "SEARCH EMAILID a.b",
        "SEARCH MODSEQ \"/flags/x\" 5",
        "SEARCH MODSEQ \"/flags/x\" mine 5",
        "SEARCH UIDAFTER 0",
        "SORT (DATE) ALL",
        "SORT () UTF-8 ALL",
        "SORT (REVERSE) UTF-8 ALL",
        "SORT (FOO) UTF-8 ALL",
        "SORT DATE UTF-8 ALL",
        "THREAD REFERENCES ALL",
        "ESEARCH IN () ALL",
        "ESEARCH IN (selected-delayed) ALL",
        "ESEARCH IN (mailboxes) ALL",
        "ESEARCH IN (personal (FOO 1)) ALL",
        "UID ESEARCH ALL",
        "CANCELUPDATE",
        "CANCELUPDATE \"a b\"",
        "NOTIFY",
        "NOTIFY SET",
        "NOTIFY SET ()",
        "NOTIFY SET (selected)",
        "NOTIFY SET (selected ())",
        "NOTIFY SET (subtree-one x NONE)",
        "NOTIFY SET (selected NONE) (selected-delayed NONE)",
        "GETMETADATA x",
        "GETMETADATA x ()",
        "GETMETADATA x comment",
        "GETMETADATA x (/a//b)",
        "GETMETADATA (DEPTH 2) x /a",
        "GETMETADATA (MAXSIZE 1 MAXSIZE 2) x /a",
        "SETMETADATA x ()",
        "SETMETADATA x (/a)",
        "SETMETADATA x (/a* NIL)",
        "SETMETADATA x (/a atom)",
        "SETQUOTA x",
        "SETQUOTA x (STORAGE)",
        "SETQUOTA x (STORAGE -1)",
        "SETACL x fred",
        "SETACL x fred LR",
        "SETACL x fred +-lr",
        "COMPRESS",
        "COMPRESS \"DEFLATE\"",
        "UNAUTHENTICATE x",
        "UID NOTIFY NONE",
    ] {
        assert!(read(&format!("a {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn what_servers_must_take_from_clients_is_read() {
    for (text, exact) in [
        ("FETCH 1 (FLAGS) (CHANGEDSINCE 0)", "FETCH 1 (FLAGS) (CHANGEDSINCE 0)"),
        ("list \"\" (x) return ( )", "LIST () \"\" x RETURN ()"),
        ("GETMETADATA x (MAXSIZE 5) (/a /b)", "GETMETADATA (MAXSIZE 5) x (/a /b)"),
        ("GETMETADATA x /a /b", "GETMETADATA x (/a /b)"),
        (
            "NOTIFY SET (selected MessageNew MessageExpunge)",
            "NOTIFY SET (selected (MessageNew MessageExpunge))",
        ),
        ("select x ( condstore )", "SELECT x (CONDSTORE)"),
        ("SELECT x (QRESYNC ( 1 2  3 (4 5) ))", "SELECT x (QRESYNC (1 2 3 (4 5)))"),
        ("uid search return (update(flags)) $", "UID SEARCH RETURN (UPDATE (FLAGS)) $"),
    ] {
        same!(read(&format!("a {text}")), read(&format!("a {exact}")), "{text}");
    }
}

#[test]
fn binary_literals_stand_only_where_the_grammar_has_them() {
    let parse = |before: &'static str, behind: &'static str| {
        let mut input = CommandInput::new();
        input.push_part(before.into());
        input.push_binary_literal("a\0".into());
        input.push_part(behind.into());
        input.parse(&CommandLimits::default()).map_err(|error| error.kind)
    };
    assert!(parse("a SETMETADATA x (/a ", ")").is_ok());
    assert!(parse("a SELECT ", "").is_err());
    assert!(parse("a SETMETADATA ", " (/a NIL)").is_err());
}

/// The deviations of a command, with the octets that each shows.
fn deviations(text: &str, utf8: bool) -> Vec<(DeviationKind, u64)> {
    let mut limits = CommandLimits { utf8, ..CommandLimits::default() };
    let mut input = CommandInput::new();
    input.push_part(Bytes::copy_from_slice(text.as_bytes()));
    let parsed = input.parse(&limits).unwrap();
    for deviation in &parsed.deviations {
        let at = usize::try_from(deviation.offset).unwrap();
        assert!(text.as_bytes()[at..].starts_with(deviation.bytes.as_bytes()), "{text}: {deviation}");
    }
    limits.tolerance = Tolerance::Strict;
    let strict = input.parse(&limits);
    let refused = parsed.deviations.first().map(|first| CommandErrorKind::NotTolerated(first.kind));
    assert_eq!(strict.map(drop).map_err(|error| error.kind), refused.map_or(Ok(()), Err), "{text}");
    parsed.deviations.iter().map(|deviation| (deviation.kind, deviation.offset)).collect()
}

#[test]
fn what_is_tolerated_is_reported_and_strict_mode_refuses_it() {
    use DeviationKind::{EightBit, ExtraSpace, TrailingSpace};
    for (text, found) in [
        ("a NOOP", &[][..]),
        ("a NOOP ", &[(TrailingSpace, 6)]),
        ("a  NOOP", &[(ExtraSpace, 1)]),
        (
            "a UID  FETCH 1:*  (  FLAGS  UID )  ",
            &[
                (ExtraSpace, 5),
                (ExtraSpace, 16),
                (ExtraSpace, 19),
                (ExtraSpace, 26),
                (TrailingSpace, 31),
                (TrailingSpace, 33),
            ],
        ),
        ("a SEARCH ( SEEN ) OR  NEW OLD", &[(ExtraSpace, 10), (TrailingSpace, 15), (ExtraSpace, 20)]),
        ("a STORE 1 FLAGS \\Seen  $x ", &[(ExtraSpace, 21), (TrailingSpace, 25)]),
        ("a ENABLE CONDSTORE ", &[(TrailingSpace, 18)]),
        ("a LOGIN fr\u{e9}d \"p\u{e9}\"", &[(EightBit, 8), (EightBit, 14)]),
        ("a SELECT \"Entw\u{fc}rfe\"", &[(EightBit, 9)]),
        ("a ID (\"name\" NIL)", &[]),
        ("a FETCH 1 BODY[HEADER.FIELDS (a  b)]", &[(ExtraSpace, 31)]),
    ] {
        assert_eq!(deviations(text, false), found, "{text}");
    }
    assert_eq!(deviations("a SELECT \"Entw\u{fc}rfe\"", true), []);
    // A space before a literal separates it.
    let mut input = CommandInput::new();
    input.push_part("a LOGIN ".into());
    input.push_literal("fred".into());
    input.push_part("  ".into());
    input.push_literal("x".into());
    input.push_deviation(DeviationKind::LeadingZero, b"{01");
    input.push_part("".into());
    let parsed = input.parse(&CommandLimits::default()).unwrap();
    let found: Vec<_> = parsed.deviations.iter().map(|found| (found.kind, found.offset)).collect();
    assert_eq!(found, [(ExtraSpace, 12), (DeviationKind::LeadingZero, 15)]);
}

#[test]
fn deviations_of_append_are_those_of_the_whole_command() {
    let announced =
        Announcement { length: Some(3), synchronising: false, binary: false, leading_zeros: false };
    let parts = ["a APPEND  Sent (\\Seen ) ", "  (\\Seen)  ", " "];
    let feed = |tolerance| {
        let mut reader = AppendReader::new(CommandLimits { tolerance, ..CommandLimits::default() });
        let mut found = Vec::new();
        for (index, part) in parts.into_iter().enumerate() {
            reader.part(part.into(), Some(announced).filter(|_| index < 2))?;
            while let Some(event) = reader.next_event() {
                if let AppendEvent::Deviation(deviation) = event {
                    found.push((deviation.kind, deviation.offset));
                }
            }
        }
        Ok::<_, CommandError>(found)
    };
    use DeviationKind::{ExtraSpace, TrailingSpace};
    assert_eq!(
        feed(Tolerance::Lenient).unwrap(),
        [(ExtraSpace, 8), (TrailingSpace, 21), (ExtraSpace, 27), (ExtraSpace, 36), (TrailingSpace, 41)]
    );
    let error = feed(Tolerance::Strict).unwrap_err();
    assert_eq!((error.kind, error.offset), (CommandErrorKind::NotTolerated(ExtraSpace), 8));
}

#[test]
fn nothing_is_shown_of_a_command_with_secrets() {
    let parse = |line: &str| {
        let mut input = CommandInput::new();
        input.push_part(Bytes::copy_from_slice(line.as_bytes()));
        input.parse(&CommandLimits::default())
    };
    for line in ["a LOGIN joe se cret", "a LOGIN joe \"se\"cret", "a AUTHENTICATE PLAIN cret x"] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.near.as_bytes(), b"", "{line}: {error}");
    }
    let parsed = parse("a  LOGIN  joe secret ").unwrap();
    assert_eq!(parsed.deviations.len(), 3);
    assert!(parsed.deviations.iter().all(|deviation| deviation.bytes.as_bytes().is_empty()));
}
