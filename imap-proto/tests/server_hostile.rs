//! What hostile clients send. Rules 2.2, 2.7, 2.8: floods, nesting, ranges, HTTP, names, tags.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use bytes::Buf as _;
use host::{Host, clear_text};
use mailwright_core::session::Session as _;

#[test]
fn http_is_sent_away_at_once() {
    for request in
        ["GET / HTTP/1.1", "POST /x HTTP/1.0", "CONNECT mail:143 HTTP/1.1", "OPTIONS * HTTP/1.1", "PUT /"]
    {
        let mut host = Host::plain();
        let said = host.say(format!("{request}\r\nHost: x\r\n\r\na1 LOGIN fred secret\r\n"));
        assert_eq!(said, "* BYE this is no HTTP server\r\n", "{request}");
        assert_eq!(host.closed.as_deref(), Some("Closed(Http)"));
    }
    // A tag may look like that.
    assert_eq!(Host::plain().say("GET NOOP\r\n"), "GET OK done\r\n");
    assert_eq!(Host::plain().say("get / HTTP/1.1\r\n"), "get BAD unknown command\r\n");
}

#[test]
fn other_protocols_end_at_the_limit_of_errors() {
    for hello in [
        "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\n",
        "\x16\x03\x01\n\x00\n\x01\n",
        "USER fred\r\nPASS secret\r\nSTAT\r\n",
    ] {
        let mut host = Host::plain();
        assert!(host.say(hello).ends_with("* BYE too many wrong commands\r\n"), "{hello}");
        assert_eq!(host.closed.as_deref(), Some("Closed(TooManyErrors)"));
    }
}

#[test]
fn wrong_commands_end_a_session_that_is_logged_in_later() {
    let mut host = Host::logged_in();
    let mut said = String::new();
    for _ in 0..19 {
        said = host.say("a XFOO\r\n");
        assert_eq!(said, "a BAD unknown command\r\n");
    }
    assert!(host.say("a FETCH 1 FLAGS\r\n").ends_with("* BYE too many wrong commands\r\n"), "{said}");
}

#[test]
fn after_bye_nothing_is_read_or_said() {
    let mut host = Host::plain();
    let said = host.say("a X\r\na X\r\na X\r\nb LOGIN fred secret\r\nc LOGOUT\r\n");
    assert_eq!(said.matches("BYE").count(), 1);
    assert!(said.ends_with("* BYE too many wrong commands\r\n"));
    assert_eq!(host.say("d NOOP\r\n"), "");
    assert!(!host.events.contains(&"Authenticate".to_owned()));
    assert!(host.server.wants().close);
}

#[test]
fn tags_are_checked() {
    for tag in
        ["*", "+", "a+b", "(a", "a(", "{1", "a%", "a*", "a\"b", "a\\b", "\u{e4}", "a\x01", &"a".repeat(256)]
    {
        let mut host = Host::plain();
        assert!(host.say(format!("{tag} NOOP\r\n")).starts_with("* BAD "), "{tag}");
        assert_eq!(host.say("a NOOP\r\n"), "a OK done\r\n");
    }
    for tag in ["a]", "[", "}", "A-1.2", "&", "~", &"a".repeat(255)] {
        assert_eq!(Host::plain().say(format!("{tag} NOOP\r\n")), format!("{tag} OK done\r\n"));
    }
    assert_eq!(Host::plain().say("a\r\n"), "a BAD unknown command\r\n");
    assert_eq!(Host::plain().say("a \r\n"), "a BAD unknown command\r\n");
    assert_eq!(Host::plain().say(" NOOP\r\n"), "* BAD no tag\r\n");
}

#[test]
fn nesting_is_refused_at_its_limit() {
    let mut host = Host::selected(1);
    for (open, close) in [("(", ")"), ("NOT ", ""), ("OR ALL ", ""), ("NOT (OR SEEN ", ")")] {
        let search = |depth: usize| format!("a SEARCH {}ALL{}\r\n", open.repeat(depth), close.repeat(depth));
        assert!(host.say(search(30)).ends_with("a OK done\r\n"), "{open}");
        assert_eq!(host.say(search(100)), "a BAD nested too deeply\r\n", "{open}");
        assert_eq!(host.say(search(10_000)), "a BAD nested too deeply\r\n", "{open}");
    }
    assert!(host.say(format!("b SEARCH {}\r\n", "(".repeat(100_000))).starts_with("b BAD "));
    assert!(host.say(format!("c FETCH 1 {}\r\n", "(".repeat(100_000))).starts_with("c BAD "));
    assert!(host.say(format!("d FETCH 1 BODY[{}1]\r\n", "1.".repeat(1000))).starts_with("d BAD "));
    assert!(Host::plain().say(format!("e NOOP {}\r\n", "(".repeat(8000))).starts_with("e BAD "));
}

#[test]
fn an_or_over_fifty_addresses_is_read() {
    let mut host = Host::selected(1);
    let mut search = "FROM a0".to_owned();
    for number in 1..60 {
        search = format!("OR FROM a{number}@example.org {search}");
    }
    assert_eq!(host.say(format!("a SEARCH {search}\r\n")), "* SEARCH\r\na OK done\r\n");
}

/// Everything that could recurse does so on a small stack.
#[test]
fn nothing_recurses() {
    let small = std::thread::Builder::new().stack_size(64 * 1024);
    let thread = small.spawn(|| {
        let mut limits = mailwright_imap::parse::CommandLimits::default();
        limits.nesting = 1_000_000;
        limits.search_keys = 1_000_000;
        for (open, close) in [("(", ")"), ("NOT ", ""), ("OR ALL ", ""), ("FUZZY ", "")] {
            let depth = 100_000;
            // Memory is in proportion to octets: spaces at the end give room for the depth.
            let (open, close, room) = (open.repeat(depth), close.repeat(depth), " ".repeat(40 * depth));
            let text = format!("a SEARCH {open}ALL{close}{room}");
            let mut input = mailwright_imap::parse::CommandInput::new();
            input.push_part(text.into());
            let parsed = input.parse(&limits).unwrap();
            let mailwright_imap::types::Command::Search(search) = &parsed.command else { panic!() };
            assert!(search.search.matches(|_| true), "an even number of NOT");
            let again = parsed.command.clone();
            let mailwright_imap::types::Command::Search(other) = &again else { panic!() };
            assert_eq!(search, other);
            drop(format!("{again:?}"));
            let wire = again.encode(&parsed.tag, mailwright_imap::LiteralPolicy::All, false).unwrap();
            assert!(wire[0].len() > depth);
            drop((parsed, again));
        }
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn ranges_are_never_walked() {
    let mut host = Host::selected(3);
    let all = "1:4294967295";
    assert!(host.say(format!("a UID FETCH {all} UID\r\n")).ends_with("* 3 FETCH (UID 3)\r\na OK done\r\n"));
    let many = vec![all; 10_000].join(",");
    assert_eq!(host.say(format!("b UID FETCH {many} UID\r\n")).lines().count(), 4, "each message once");
    assert_eq!(host.say(format!("c UID STORE {many} +FLAGS.SILENT (\\Seen)\r\n")), "c OK done\r\n");
    assert_eq!(host.say(format!("d SEARCH UID {many}\r\n")), "* SEARCH 1 2 3\r\nd OK done\r\n");
    assert_eq!(host.say(format!("e SEARCH {all}\r\n")), "* SEARCH 1 2 3\r\ne OK done\r\n");
    assert_eq!(host.say(format!("f FETCH {all} UID\r\n")), "f BAD no message has that number\r\n");
    assert!(host.say(format!("g UID COPY {many} INBOX\r\n")).starts_with("* 6 EXISTS\r\n"));
    for set in ["0", "1:0", "4294967296", "1,,2", ",1", "1:", ":1", "1:2:3", "*:*:1", "-1", "1-2", ""] {
        assert!(host.say(format!("h UID FETCH {set} UID\r\n")).starts_with("h BAD "), "{set}");
        host.say("i NOOP\r\n");
    }
}

#[test]
fn mailbox_names_that_are_none_are_those_of_no_mailbox() {
    let mut host = Host::logged_in();
    for name in
        ["../../x", "a//b", "/a", "&AC8-x", "&AGE-", "&", "\"a\x01b\"", "\"\"", "a/../b", "{4+}\r\na\r\nb"]
    {
        let said = host.say(format!("a SELECT {name}\r\n"));
        assert!(said.starts_with("a NO [NONEXISTENT] "), "{name} {said}");
        let said = host.say(format!("b CREATE {name}\r\n"));
        assert!(said.starts_with("b NO [CANNOT] "), "{name} {said}");
    }
    assert_eq!(host.folders.borrow().len(), 1);
    for inbox in ["inbox", "InBoX", "{5+}\r\ninbox", "\"INBOX\""] {
        assert!(
            host.say(format!("a STATUS {inbox} (MESSAGES)\r\n")).starts_with("* STATUS INBOX "),
            "{inbox}"
        );
    }
    // A separator at the end only says that there will be more below.
    assert_eq!(host.say("c CREATE a/b/\r\n"), "c OK done\r\n");
    assert!(host.folders.borrow().contains_key("a/b"));
}

#[test]
fn no_octet_of_a_client_becomes_a_line_of_its_own() {
    let mut host = Host::logged_in();
    host.say("a CREATE \"x y\"\r\nb CREATE {5+}\r\nq\"w\\e\r\n");
    let said = host.say("c STATUS {5+}\r\nq\"w\\e (MESSAGES)\r\n");
    assert_eq!(said, "* STATUS \"q\\\"w\\\\e\" (MESSAGES 0)\r\nc OK done\r\n");
    let said = host.say("d LIST \"\" *\r\n");
    assert!(said.contains(" \"x y\"\r\n") && said.contains(" \"q\\\"w\\\\e\"\r\n"), "{said}");
}

#[test]
fn ten_thousand_noops_at_once_are_answered_as_they_are_read() {
    let mut host = Host::logged_in();
    host.input.extend_from_slice("a NOOP\r\n".repeat(100_000).as_bytes());
    let mut answered = 0;
    loop {
        while host.turn() {}
        let transmit = host.server.transmit();
        assert!(transmit.len() <= 256 * 1024, "{}", transmit.len());
        if transmit.is_empty() {
            break;
        }
        answered += transmit.chunk().iter().filter(|octet| **octet == b'\n').count();
        let count = transmit.len();
        transmit.advance(count);
    }
    assert_eq!(answered, 100_000);
}

#[test]
fn attributes_and_names_of_a_fetch_are_bounded() {
    let mut host = Host::selected(1);
    let many = |word: &str, count: usize| vec![word; count].join(" ");
    assert!(host.say(format!("a FETCH 1 ({})\r\n", many("UID", 256))).ends_with("a OK done\r\n"));
    assert!(host.say(format!("b FETCH 1 ({})\r\n", many("UID", 257))).starts_with("b BAD too many "));
    let names = many("x", 600);
    let field = format!("BODY.PEEK[HEADER.FIELDS ({names})]");
    assert!(host.say(format!("c FETCH 1 {field}\r\n")).ends_with("c OK done\r\n"));
    assert!(host.say(format!("d FETCH 1 ({field} {field})\r\n")).starts_with("d BAD too many "));
    assert!(host.say(format!("e STORE 1 FLAGS ({})\r\n", many("x", 1001))).starts_with("e BAD too many "));
    assert!(host.say(format!("f SEARCH {}\r\n", many("ALL", 20_000))).starts_with("f BAD too "));
    assert!(host.say(format!("g ID ({})\r\n", many("\"a\" \"b\"", 31))).starts_with("g BAD too many "));
}

#[test]
fn a_literal_is_counted_while_it_comes_and_not_when_it_is_announced() {
    let mut config = clear_text();
    config.limits.not_authenticated.literal = u64::MAX;
    config.limits.not_authenticated.command = usize::MAX;
    let mut host = Host::with(config);
    assert_eq!(host.say("a LOGIN {9223372036854775807}\r\n"), "+ go ahead\r\n");
    assert_eq!(host.say("fred"), "");
}
