//! Literals that the server takes, and commands that it refuses: what is thrown away is never executed, in any
//! segmentation. Rules 2.2, 2.3; RFC 7888.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use host::{Host, clear_text};

/// What is said to `octets` in every segmentation of three pieces, which must be the same.
fn in_every_cut(make: impl Fn() -> Host, octets: &[u8]) -> String {
    let whole = make().say(octets);
    for first in 0..=octets.len() {
        for second in first..=octets.len() {
            let said = make().say_cut(octets, &[first, second]);
            assert_eq!(said, whole, "{} cut at {first}, {second}", octets.escape_ascii());
        }
    }
    whole
}

const PLAIN: fn() -> Host = Host::plain;
const LOGGED_IN: fn() -> Host = Host::logged_in;

#[test]
fn an_unknown_command_is_consumed_with_its_literals() {
    assert_eq!(
        in_every_cut(PLAIN, b"A1 XFOO {17+}\r\nA9 LOGOUT\r\nA8 X\r\n\r\nA2 NOOP\r\n"),
        "A1 BAD unknown command\r\nA2 OK done\r\n"
    );
    assert_eq!(
        in_every_cut(PLAIN, b"A1 XFOO {3+}\r\nabc {4+}\r\nA\r\nB (x {2+}\r\n\r\n)\r\nA2 NOOP\r\n"),
        "A1 BAD unknown command\r\nA2 OK done\r\n"
    );
    // Its tag is bad as well.
    assert_eq!(
        in_every_cut(PLAIN, b"+ NOOP {9+}\r\nx LOGOUT\n\r\nA2 NOOP\r\n"),
        "* BAD no tag\r\nA2 OK done\r\n"
    );
    assert_eq!(
        in_every_cut(PLAIN, b"{9+}\r\nx LOGOUT\n NOOP\r\nA2 NOOP\r\n"),
        "* BAD no tag\r\nA2 OK done\r\n"
    );
}

#[test]
fn a_command_in_the_wrong_state_is_consumed_with_its_literals() {
    for command in
        ["SELECT", "APPEND INBOX", "LIST \"\"", "STATUS", "UID SEARCH TEXT", "FETCH 1 BODY[HEADER.FIELDS ("]
    {
        let octets = format!("A1 {command} {{9+}}\r\nx LOGOUT\n\r\nA2 NOOP\r\n");
        let said = in_every_cut(PLAIN, octets.as_bytes());
        assert!(said.starts_with("A1 BAD ") && said.ends_with("\r\nA2 OK done\r\n"), "{said}");
    }
    let said = in_every_cut(LOGGED_IN, b"A1 LOGIN {3+}\r\nx Y\r\nA2 NOOP\r\n");
    assert_eq!(said, "A1 BAD already logged in\r\nA2 OK done\r\n");
}

#[test]
fn a_command_that_fails_at_any_argument_is_consumed_to_its_end() {
    for command in [
        // First, middle, last.
        &b"A1 LOGIN ( {3+}\r\nx Y {2+}\r\n\r\n\r\n"[..],
        b"A1 LOGIN {3+}\r\nx Y ( {2+}\r\n\r\n\r\n",
        b"A1 LOGIN {3+}\r\nx Y {2+}\r\n\r\n {4+}\r\nA X\n\r\n",
        b"A1 LOGIN {3+}\r\na\0b x\r\n",
        b"A1 NOOP {9+}\r\nx LOGOUT\n\r\n",
        b"A1 AUTHENTICATE {9+}\r\nx LOGOUT\n\r\n",
        b"A1 LOGIN ~{3+}\r\nx Y x\r\n",
        b"A1 UID NOOP {9+}\r\nx LOGOUT\n\r\n",
    ] {
        let said = in_every_cut(PLAIN, &[command, b"A2 NOOP\r\n"].concat());
        assert!(said.starts_with("A1 BAD "), "{said}");
        assert_eq!(said.lines().skip(1).collect::<Vec<_>>(), ["A2 OK done"], "{}", command.escape_ascii());
    }
}

#[test]
fn an_append_that_is_refused_is_consumed_with_its_message() {
    for (command, status) in [
        (&b"A1 APPEND nowhere {9+}\r\nx LOGOUT\n\r\n"[..], "A1 NO [TRYCREATE] "),
        (b"A1 APPEND {7+}\r\nnowhere (\\Seen) {9+}\r\nx LOGOUT\n\r\n", "A1 NO [TRYCREATE] "),
        (b"A1 APPEND INBOX (\\Seen {9+}\r\nx LOGOUT\n\r\n", "A1 BAD "),
        (b"A1 APPEND INBOX \"yesterday\" {9+}\r\nx LOGOUT\n\r\n", "A1 BAD "),
        (b"A1 APPEND INBOX {0+}\r\n\r\n", "A1 NO "),
        (b"A1 APPEND INBOX {3+}\r\nabc {9+}\r\nx LOGOUT\n\r\n", "A1 BAD "),
        (b"A1 APPEND INBOX {9+}\r\nx LOGOUT\nnonsense\r\n", "A1 BAD "),
        (b"A1 APPEND INBOX {9+}\r\nx LOG\0UT\n\r\n", "A1 BAD "),
        (b"A1 APPEND INBOX ~{9+}\r\nx LOGOUT\n\r\n", "A1 BAD "),
    ] {
        let said = in_every_cut(LOGGED_IN, &[command, b"A2 NOOP\r\n"].concat());
        assert!(said.starts_with(status), "{said}");
        assert_eq!(said.lines().skip(1).collect::<Vec<_>>(), ["A2 OK done"], "{}", command.escape_ascii());
    }
    let mut host = LOGGED_IN();
    host.say(b"A1 APPEND INBOX {9+}\r\nx LOG\0UT\n\r\nA2 APPEND INBOX {1+}\r\nx {1+}\r\ny\r\n");
    assert!(host.inbox().messages.is_empty(), "nothing of them is stored");
    assert_eq!(host.events.iter().filter(|event| *event == "Aborted").count(), 2);
}

#[test]
fn a_literal_that_is_waited_with_is_answered_instead_of_asked_for() {
    for (command, status) in [
        ("A1 LOGIN {999999999}\r\n", "A1 BAD [TOOBIG] literal not accepted\r\n"),
        ("A1 LOGIN {4097}\r\n", "A1 BAD [TOOBIG] literal not accepted\r\n"),
        ("A1 LOGIN {99999999999999999999999}\r\n", "A1 BAD [TOOBIG] literal not accepted\r\n"),
        ("A1 XFOO {5}\r\n", "A1 BAD unknown command\r\n"),
        ("A1 NOOP {5}\r\n", "A1 BAD no literal belongs here\r\n"),
        ("A1 SELECT {5}\r\n", "A1 BAD log in first\r\n"),
        ("A1 APPEND INBOX {5}\r\n", "A1 BAD log in first\r\n"),
        ("A1 LOGIN ~{5}\r\n", "A1 BAD no binary literals here\r\n"),
        ("NOOP {5}\r\n", "NOOP BAD unknown command\r\n"),
    ] {
        let mut host = Host::plain();
        assert_eq!(host.say(command), status);
        assert_eq!(host.say("A2 NOOP\r\n"), "A2 OK done\r\n", "the command ended there: {command}");
    }
    let mut host = Host::logged_in();
    assert_eq!(host.say("a APPEND INBOX {36700161}\r\n"), "a NO [TOOBIG] the message is too large\r\n");
    assert_eq!(host.say("b APPEND INBOX {36700160}\r\n"), "+ go ahead\r\n");
}

#[test]
fn octets_ahead_of_a_refused_literal_are_ambiguous_in_every_state() {
    for (make, octets) in [
        (PLAIN, &b"A1 XFOO {9}\r\nA LOGOUT\n"[..]),
        (PLAIN, b"A1 LOGIN {999999999}\r\nx"),
        (LOGGED_IN, b"A1 APPEND nowhere {9}\r\nA LOGOUT\n"),
        (LOGGED_IN, b"A1 APPEND INBOX {99999999}\r\nA LOGOUT\n"),
        (LOGGED_IN, b"A1 SELECT {9999999}\r\nA2 NOOP\r\n"),
    ] {
        let mut host = make();
        assert_eq!(host.say(octets), "* BYE octets of a refused literal\r\n", "{}", octets.escape_ascii());
        assert_eq!(host.closed.as_deref(), Some("Closed(Ambiguous)"));
        assert_eq!(host.say("A3 NOOP\r\n"), "", "after BYE nothing is read");
        assert!(host.input.is_empty());
    }
}

#[test]
fn octets_ahead_of_a_literal_that_is_taken_belong_to_it() {
    assert_eq!(
        PLAIN().say(b"A1 LOGIN {4}\r\nfred {6}\r\nsecret\r\n").lines().take(2).collect::<Vec<_>>(),
        ["+ go ahead", "+ go ahead"]
    );
    let mut host = LOGGED_IN();
    let said = host.say("A1 APPEND INBOX {9}\r\nx LOGOUT\n\r\nA2 NOOP\r\n");
    assert_eq!(said, "+ go ahead\r\nA1 OK [APPENDUID 7 1] done\r\nA2 OK done\r\n");
    assert_eq!(host.inbox().messages[&1].content, b"x LOGOUT\n");
}

#[test]
fn a_literal_that_nobody_waits_with_is_thrown_away_up_to_a_limit() {
    // Above the limit of a string, within that of throwing away.
    let fill = |count: usize| "A9 LOGOUT\r\n".repeat(count / 11 + 1)[..count].to_owned();
    for length in [4097, 65_536] {
        let mut host = PLAIN();
        let octets = format!("A1 LOGIN {{{length}+}}\r\n{} x\r\nA2 NOOP\r\n", fill(length));
        assert_eq!(host.say(octets), "A1 BAD [TOOBIG] literal not accepted\r\nA2 OK done\r\n");
    }
    for announced in
        ["65537+", "18446744073709551615+", "18446744073709551616+", "9999999999999999999999999+"]
    {
        let said = in_every_cut(PLAIN, format!("A1 LOGIN {{{announced}}}\r\nA2 NOOP\r\n").as_bytes());
        assert_eq!(said, "* BYE [TOOBIG] literal too large\r\n", "{announced}");
    }
    let mut host = LOGGED_IN();
    let octets = format!("A1 SELECT {{200000+}}\r\n{}\r\nA2 NOOP\r\n", fill(200_000));
    assert_eq!(host.say(octets), "A1 BAD [TOOBIG] literal not accepted\r\nA2 OK done\r\n");
    assert_eq!(host.say("A3 APPEND INBOX {67108865+}\r\n"), "* BYE [TOOBIG] literal too large\r\n");
}

#[test]
fn literals_of_a_command_are_counted_even_when_they_are_empty() {
    let mut host = PLAIN();
    let many = "{0+}\r\n ".repeat(17);
    assert_eq!(
        host.say(format!("A1 LOGIN {many}x\r\nA2 NOOP\r\n")),
        "A1 BAD [TOOBIG] literal not accepted\r\nA2 OK done\r\n"
    );
    let endless = "{0+}\r\n ".repeat(20_000);
    assert_eq!(host.say(format!("A3 LOGIN {endless}")), "* BYE [TOOBIG] command too large\r\n");
    let mut host = Host::logged_in();
    let many = "{1+}\r\nx ".repeat(1001);
    assert!(host.say(format!("A1 SEARCH {many}\r\nA2 NOOP\r\n")).ends_with("A2 OK done\r\n"));
}

#[test]
fn all_parts_and_literals_of_a_command_have_one_limit() {
    let mut host = PLAIN();
    let part = format!("{{4096+}}\r\n{} ", "x".repeat(4096));
    assert_eq!(
        host.say(format!("A1 LOGIN {}x\r\nA2 NOOP\r\n", part.repeat(8))),
        "A1 BAD [TOOBIG] literal not accepted\r\nA2 OK done\r\n"
    );
    let part = format!("{{1+}}\r\nx {} ", "x".repeat(8000));
    assert_eq!(
        host.say(format!("A3 LOGIN {}x\r\nA4 NOOP\r\n", part.repeat(5))),
        "A3 BAD line too long\r\nA4 OK done\r\n"
    );
}

#[test]
fn what_is_no_token_and_ends_like_a_literal_ends_the_connection() {
    for line in [
        &b"A XFOO \"open {3+}"[..],
        b"A NOOP x{3+}",
        b"A NOOP \"x\"{3+}",
        b"A NOOP ){3+}",
        b"A NOOP \t{3+}",
        b"A NOOP \x01 {3+}",
        b"A LOGIN a\rb {3+}",
        b"A LOGIN \"a\\b\" {3+}",
        b"A XFOO {1+}\r\nx{3+}",
        b"A LOGIN \"a\0b\" {3+}",
    ] {
        let said = in_every_cut(PLAIN, &[line, b"\r\nB NOOP\r\nC NOOP\r\n"].concat());
        assert_eq!(said, "* BYE cannot tell a literal from a command\r\n", "{}", line.escape_ascii());
    }
    // Without such an end it is a line.
    for line in
        [&b"A XFOO \"open"[..], b"A NOOP x{3}", b"A NOOP {3", b"A NOOP \x01", b"A NOOP {+}", b"A NOOP {x}"]
    {
        let said = in_every_cut(PLAIN, &[line, b"\r\nB NOOP\r\n"].concat());
        assert!(said.starts_with("A BAD ") && said.ends_with("\r\nB OK done\r\n"), "{said}");
    }
}

#[test]
fn braces_in_quotes_announce_nothing() {
    assert_eq!(in_every_cut(PLAIN, b"a LOGIN \"{3+}\" \"x {3+}\"\r\nb NOOP\r\n").lines().count(), 2);
    let said = Host::logged_in().say("a SELECT \"{5}\"\r\n");
    assert!(said.starts_with("a NO [NONEXISTENT]"), "{said}");
}

#[test]
fn controls_may_stand_between_quotes_but_nul_cr_and_lf() {
    let mut host = Host::plain();
    assert!(host.say(b"a LOGIN fred \"a\x01\t\x7fb\"\r\n").starts_with("a NO [AUTHENTICATIONFAILED]"));
    assert!(host.say(b"b LOGIN fred \"a\0b\"\r\n").starts_with("b BAD"));
    assert!(host.say(b"c LOGIN fred \"a\rb\"\r\n").starts_with("c BAD"));
    assert!(host.say(b"d LOGIN fred \"a\nb\"\r\n").starts_with("d BAD"));
}

#[test]
fn lines_in_an_exchange_and_done_announce_nothing() {
    let said = in_every_cut(PLAIN, b"a AUTHENTICATE PLAIN\r\nx {9+}\r\nb NOOP\r\n");
    assert_eq!(said, "+ \r\na BAD authentication cancelled or malformed\r\nb OK done\r\n");
    // What comes instead of DONE is a refused command.
    let said = in_every_cut(LOGGED_IN, b"a IDLE\r\nb APPEND x {9+}\r\nx LOGOUT\n\r\nc NOOP\r\n");
    assert_eq!(said, "+ idling\r\na BAD expected DONE\r\nc OK done\r\n");
}

#[test]
fn leading_zeros_and_bare_line_ends_are_tolerated_and_told() {
    let mut host = PLAIN();
    assert!(host.say("a LOGIN {004+}\r\nfred {6+}\nsecret\n").starts_with("a OK "));
    assert_eq!(host.events.iter().filter(|event| *event == "Deviation").count(), 3);
    assert_eq!(host.say("\r\n\n\r\nb NOOP\r\n"), "b OK done\r\n", "blank lines between commands are nothing");
}

#[test]
fn a_line_above_its_limit_is_refused_and_read_to_its_end() {
    let long = |count: usize| "x".repeat(count);
    let mut host = PLAIN();
    assert!(host.say(format!("a LOGIN fred {}\r\n", long(8192 - 15))).starts_with("a NO"), "just within");
    assert_eq!(
        host.say(format!("b LOGIN fred {}\r\nc NOOP\r\n", long(8192))),
        "b BAD line too long\r\nc OK done\r\n"
    );
    assert_eq!(
        host.say(format!("d LOGIN fred {}\r\ne NOOP\r\n", long(40_000))),
        "* BAD line too long\r\ne OK done\r\n"
    );
    // Also the literal that it announces.
    assert_eq!(
        host.say(format!("f LOGIN {} {{9+}}\r\nx LOGOUT\n\r\ng NOOP\r\n", long(40_000))),
        "* BAD line too long\r\ng OK done\r\n"
    );
    assert_eq!(
        host.say(format!("h LOGIN {}", long(100_000))),
        "* BYE line too long\r\n",
        "no end is worth waiting for"
    );
}

#[test]
fn authenticate_may_have_a_longer_line_than_others() {
    let mut host = PLAIN();
    let text = "A".repeat(12_000);
    assert!(host.say(format!("a AUTHENTICATE PLAIN {text}\r\n")).starts_with("a BAD authentication"));
    host.say("b AUTHENTICATE PLAIN\r\n");
    assert!(host.say(format!("{text}\r\n")).starts_with("b BAD authentication"));
    let text = "A".repeat(17_000);
    assert!(host.say(format!("c AUTHENTICATE PLAIN {text}\r\n")).ends_with("BAD line too long\r\n"));
    host.say("d AUTHENTICATE PLAIN\r\n");
    assert!(host.say(format!("{text}\r\n")).starts_with("d BAD"));
}

#[test]
fn fifteen_thousand_uids_pass_in_one_line() {
    let mut host = Host::selected(3);
    let uids: Vec<String> = (0..15_000).map(|number| (100_000_000 + 2 * number).to_string()).collect();
    assert_eq!(
        host.say(format!("a UID FETCH 2,{} UID\r\n", uids.join(","))),
        "* 2 FETCH (UID 2)\r\na OK done\r\n"
    );
    let uids: Vec<String> = (0..100_001).map(|number| (2 * number + 1).to_string()).collect();
    let set = uids.join(",");
    let mut config = clear_text();
    config.limits.authenticated.line = 1 << 20;
    let mut host = Host::new(config, host.answers);
    host.say("a LOGIN fred secret\r\nb SELECT INBOX\r\n");
    assert_eq!(host.say(format!("a UID FETCH {set} UID\r\n")), "a BAD too many ranges in a set\r\n");
}

#[test]
fn what_the_framer_lets_through_is_checked_again_when_it_is_read() {
    use mailwright_imap::parse::{CommandInput, CommandLimits};
    for text in [
        &b"a STATUS \"x\0y\" (SIZE)"[..],
        b"a STATUS \"x\ry\" (SIZE)",
        b"a STATUS \"\\x\" (SIZE)",
        b"a STATUS \"x",
    ] {
        let mut input = CommandInput::new();
        input.push_part(bytes::Bytes::from_static(text));
        assert!(input.parse(&CommandLimits::default()).is_err(), "{}", text.escape_ascii());
    }
}
