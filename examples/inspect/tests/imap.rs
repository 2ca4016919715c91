//! `inspect imap-command` and `inspect imap-response` as they are run.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod run;

use run::{inspect, run, values};
use serde_json::{Value, json};

#[test]
fn a_command_shows_its_arguments() {
    let input = b"a1 UID FETCH 1:*,$9 (FLAGS)\r\n\
        a2 LOGIN fred {6+}\r\nsecret\r\n\
        a3 UID SEARCH RETURN (MIN PARTIAL -1:-10) OR SEEN (NOT FROM \"a b\" LARGER 5)\r\n\
        a4 LIST (SUBSCRIBED) \"\" (INBOX %) RETURN (STATUS (UIDNEXT))\r\n\
        a5 SETMETADATA \"\" (/private/comment ~{2+}\r\na\0)\r\n\
        a6 NOTIFY SET (selected (MessageNew (UID) MessageExpunge))\r\n";
    let (code, objects) = inspect(&["imap-command"], input);
    assert_eq!(code, Some(1), "the first is none: $ stands alone");
    assert!(objects[0]["error"]["message"].as_str().unwrap().contains("set"));
    assert_eq!(
        objects[1..].iter().map(|object| object["value"].clone()).collect::<Vec<_>>(),
        [
            json!({ "tag": "a2", "command": "LOGIN", "user": "fred", "password": { "octets": 6 } }),
            json!({
                "tag": "a3", "command": "SEARCH", "uid": true, "charset": null,
                "return": ["MIN", { "PARTIAL": "-1:-10" }],
                "search": { "and": [
                    { "or": ["SEEN", { "and": [{ "not": ["FROM \"a b\""] }, "LARGER 5"] }] },
                ] },
            }),
            json!({
                "tag": "a4", "command": "LIST", "selection": ["SUBSCRIBED"], "reference": "",
                "patterns": ["INBOX", "%"], "return": [{ "STATUS": ["UIDNEXT"] }],
            }),
            json!({
                "tag": "a5", "command": "SETMETADATA", "mailbox": { "invalid": "" },
                "values": [{ "entry": "/private/comment", "value": "a\u{0}" }],
            }),
            json!({
                "tag": "a6", "command": "NOTIFY", "status": false,
                "groups": [{
                    "mailboxes": { "kind": "selected", "mailboxes": [] },
                    "events": [{ "MessageNew": ["UID"] }, "MessageExpunge"],
                }],
            }),
        ]
    );
}

#[test]
fn a_message_shows_its_octets_only() {
    let input =
        b"a APPEND Sent (\\Seen) {5+}\r\nhello CATENATE (URL \"imap://x/\" TEXT {2+}\r\nhi)\r\nb NOOP\r\n";
    assert_eq!(
        values("imap-command", input),
        [
            json!({
                "tag": "a", "command": "APPEND", "mailbox": "Sent", "flags": ["\\Seen"], "date": null,
                "form": "literal",
                "content": [
                    { "octets": 5 },
                    { "flags": [], "date": null, "form": "catenate" },
                    { "url": "imap://x/" },
                    { "octets": 2 },
                ],
            }),
            json!({ "tag": "b", "command": "NOOP" }),
        ]
    );
}

#[test]
fn a_response_shows_its_values() {
    let input = b"* OK [COPYUID 7 1:3 4:6] done\r\n\
        * 12 FETCH (UID 7 MODSEQ (5) BODY[1.MIME]<0> {5}\r\nhello BINARY.SIZE[2] 9 X-FOO (1))\r\n\
        * ESEARCH (TAG \"a1\") UID ALL 1:3,7 COUNT 4\r\n\
        * STATUS x (MAILBOXID (F1) MESSAGES 2 FOO (x))\r\n\
        * VANISHED (EARLIER) 1:3\r\n\
        * SORT 3 1 (MODSEQ 9)\r\n\
        * XFOO bar\r\n";
    assert_eq!(
        values("imap-response", input),
        [
            json!({
                "response": "STATUS RESPONSE", "tag": null, "status": "OK", "text": "done",
                "code": { "kind": "known", "name": "COPYUID", "value": "7 1:3 4:6" },
            }),
            json!({
                "response": "FETCH", "number": 12,
                "items": [
                    { "UID": 7 },
                    { "MODSEQ": 5 },
                    { "name": "BODY[1.MIME]<0>", "octets": "hello" },
                    { "name": "BINARY.SIZE[2]", "size": 9 },
                    { "name": "X-FOO", "unknown": "(1)" },
                ],
            }),
            json!({
                "response": "ESEARCH", "tag": "a1", "mailbox": null, "uid_validity": null, "uid": true,
                "data": [{ "ALL": "1:3,7" }, { "COUNT": 4 }],
            }),
            json!({
                "response": "STATUS", "mailbox": "x",
                "values": { "MAILBOXID": "F1", "MESSAGES": 2, "FOO": { "unknown": "(x)" } },
            }),
            json!({ "response": "VANISHED", "earlier": true, "uids": "1:3" }),
            json!({ "response": "SORT", "numbers": [3, 1], "mod_seq": 9 }),
            json!({ "response": "UNKNOWN", "octets": "* XFOO bar" }),
        ]
    );
}

#[test]
fn a_departure_is_told_with_its_offset_and_refused_in_strict_mode() {
    let input = b"* 3 EXISTS\r\n* STATUS INBOX (MESSAGES 0) \r\n* BYE\n";
    let (code, objects) = inspect(&["imap-response"], input);
    assert_eq!(code, Some(0));
    assert_eq!(
        objects[1]["deviations"],
        json!([{ "kind": "trailing white space", "offset": 39, "bytes": " " }])
    );
    let kinds: Vec<_> =
        objects[2]["deviations"].as_array().unwrap().iter().map(|shown| &shown["kind"]).collect();
    assert_eq!(kinds, ["bare LF", "missing text"]);
    let (code, objects) = inspect(&["--strict", "imap-response"], input);
    assert_eq!(code, Some(1));
    assert_eq!(objects[1]["error"]["offset"], json!(39));
}

#[test]
fn what_is_bad_costs_nothing_but_itself_in_pieces_of_any_size() {
    let commands: &[u8] =
        b"a XFOO {3+}\r\nabc\r\n(\r\nb APPEND x {3+}\r\nabc\r\nc UID NOOP\r\nd SELECT {1}\r\nx\r\ne NOOP";
    let responses: &[u8] =
        b"* 1 FETCH (BODY[] {3}\r\nabc ENVELOPE (NIL {2}\r\nab))\r\nServer Unavailable. 15\r\n\
        * LIST () NIL {1}\r\nx\r\n* OK [BADCHARSET ({3}\r\na]b)] x\r\n* 2 EXISTS";
    for (kind, input, bad) in [("imap-command", commands, 4), ("imap-response", responses, 2)] {
        let (code, whole) = run(&[kind], input);
        assert_eq!(code, Some(1));
        assert_eq!(whole.matches("\"error\"").count(), bad, "{whole}");
        let consumed: u64 = whole.lines().map(consumed).sum();
        assert_eq!(consumed, input.len() as u64);
        for size in ["1", "2", "7"] {
            assert_eq!(run(&["--chunk", size, kind], input), (code, whole.clone()), "{kind} {size}");
        }
    }
}

#[test]
fn an_error_behind_a_literal_is_where_it_stands_in_the_input() {
    for (input, place) in [
        (&b"x NOOP\r\na FETCH 1 FOO\r\n"[..], 21),
        (b"a STATUS {1+}\r\nx FOO\r\n", 17),
        (b"a APPEND x {3+}\r\nabcFOO\r\n", 20),
        (b"a APPEND {1+}\r\nx {3+}\r\nabc FOO\r\n", 27),
    ] {
        let (code, objects) = inspect(&["imap-command"], input);
        assert_eq!(code, Some(1));
        let error = &objects.last().unwrap()["error"];
        assert_eq!(error["offset"], json!(place), "{} {error}", input.escape_ascii());
    }
}

#[test]
fn what_is_tolerated_in_commands_is_told_where_it_stands() {
    let input = b"a  NOOP\r\nb STATUS  {1+}\r\nx  (MESSAGES) \r\n";
    let (code, objects) = inspect(&["imap-command"], input);
    assert_eq!(code, Some(0));
    let offsets = |object: &Value| -> Vec<Value> {
        object["deviations"].as_array().unwrap().iter().map(|found| found["offset"].clone()).collect()
    };
    assert_eq!(offsets(&objects[0]), [1]);
    assert_eq!(offsets(&objects[1]), [17, 26, 38]);
    let (code, objects) = inspect(&["imap-command", "--strict"], input);
    assert_eq!(code, Some(1));
    assert_eq!(objects[1]["error"]["offset"], 17);
}

#[test]
fn nothing_is_shown_of_what_may_be_a_password() {
    for (kind, line) in [
        ("imap-command", "a LOGIN joe se cret"),
        ("imap-command", "a LOGIN joe \"se\\cret"),
        ("imap-command", "a LOGIN joe  cret"),
        ("imap-command", "a AUTHENTICATE PLAIN cret x"),
        ("smtp-command", "AUTH PLAIN cret x"),
        ("pop3-command", "AUTH PLAIN cret x"),
        ("pop3-command", "APOP joe cret x"),
    ] {
        let (_, output) = run(&[kind], format!("{line}\r\n").as_bytes());
        assert!(!output.contains("cret"), "{line}: {output}");
    }
}

fn consumed(line: &str) -> u64 {
    serde_json::from_str::<Value>(line).unwrap()["consumed"].as_u64().unwrap()
}
