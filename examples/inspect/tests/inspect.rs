//! `inspect` as it is run.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod run;

use run::{inspect, run, values};
use serde_json::json;

#[test]
fn an_smtp_command_shows_all_its_parts() {
    let input =
        b"EHLO mx.example.org\r\nMAIL FROM:<@a.example:\"j d\"@[192.0.2.1]> SIZE=12 BODY=8BITMIME X-A=b\r\n\
        RCPT TO:<postmaster>\r\nMAIL FROM:<>\r\nBDAT 5 LAST\r\nAUTH PLAIN AGEAYg==\r\nVRFY joe\r\nDATA\r\n";
    assert_eq!(
        values("smtp-command", input),
        [
            json!({ "verb": "EHLO", "name": "mx.example.org", "domain": { "name": "mx.example.org" } }),
            json!({
                "verb": "MAIL",
                "path": {
                    "kind": "mailbox",
                    "text": "\"j d\"@[192.0.2.1]",
                    "mailbox": { "local_part": "j d", "domain": { "ipv4": "192.0.2.1" } },
                },
                "route": ["a.example"],
                "parameters": [
                    { "keyword": "SIZE", "value": "12" },
                    { "keyword": "BODY", "value": "8BITMIME" },
                    { "keyword": "X-A", "value": "b" },
                ],
                "size": 12, "body": "8BITMIME", "auth": null,
            }),
            json!({
                "verb": "RCPT", "path": { "kind": "postmaster" }, "route": null, "parameters": [],
                "size": null, "body": null, "auth": null,
            }),
            json!({
                "verb": "MAIL", "path": { "kind": "null" }, "route": null, "parameters": [],
                "size": null, "body": null, "auth": null,
            }),
            json!({ "verb": "BDAT", "size": 5, "last": true }),
            json!({ "verb": "AUTH", "mechanism": "PLAIN", "initial_response": { "octets": 8 } }),
            json!({ "verb": "VRFY", "argument": "joe", "smtputf8": false }),
            json!({ "verb": "DATA" }),
        ]
    );
}

#[test]
fn a_bad_item_stands_in_its_place_and_the_rest_is_read() {
    let (code, objects) = inspect(&["smtp-command"], b"NOOP\r\nRCPT TO:<a..b@c.example>\r\nFROB\r\nQUIT\r\n");
    assert_eq!(code, Some(1));
    assert_eq!(objects.len(), 4);
    assert_eq!(objects[1]["error"]["offset"], 17);
    assert_eq!(objects[1]["error"]["bytes"], ".b@c.example>");
    assert_eq!(
        objects[2],
        json!({
            "consumed": 6, "kind": "smtp-command",
            "error": { "offset": 32, "message": "unknown command", "bytes": "FROB" },
        })
    );
    assert_eq!(objects[3]["value"]["verb"], "QUIT");
}

#[test]
fn a_departure_is_reported_and_under_strict_an_error() {
    let input = b"MAIL FROM: <a@b.example> \r\n";
    let (code, objects) = inspect(&["smtp-command"], input);
    assert_eq!(code, Some(0), "{objects:?}");
    assert_eq!(objects[0]["deviations"].as_array().unwrap().len(), 2);
    let (code, objects) = inspect(&["smtp-command", "--strict"], input);
    assert_eq!(code, Some(1));
    assert_eq!(objects[0]["error"]["offset"], 10);
}

#[test]
fn a_bare_lf_ends_a_line_only_by_tolerance() {
    let (code, objects) = inspect(&["pop3-command"], b"NOOP\nQUIT");
    assert_eq!(code, Some(0));
    assert_eq!(objects[0]["deviations"], json!([{ "kind": "bare LF", "offset": 4, "bytes": "" }]));
    assert_eq!(objects[1]["deviations"], json!([{ "kind": "missing line end", "offset": 9, "bytes": "" }]));
    let (code, objects) = inspect(&["pop3-command", "--strict"], b"NOOP\nQUIT\r\nSTAT\r\n");
    assert_eq!((code, objects.len()), (Some(1), 2));
    assert_eq!(objects[0]["error"]["bytes"], "\\nQUIT");
}

#[test]
fn an_smtp_reply_shows_codes_and_lines() {
    let input = b"220 mx\r\n250-2.1.0 one\r\n250-2.1.0 \xff\r\n250 2.1.0 three\r\n354\r\n";
    assert_eq!(
        values("smtp-reply", input),
        [
            json!({ "code": 220, "severity": "positive", "enhanced": null, "lines": ["mx"] }),
            json!({
                "code": 250, "severity": "positive", "enhanced": "2.1.0",
                "lines": ["one", { "bytes": "\\xff" }, "three"],
            }),
            json!({ "code": 354, "severity": "intermediate", "enhanced": null, "lines": [""] }),
        ]
    );
}

#[test]
fn behind_a_bad_reply_the_next_is_read() {
    let (code, objects) = inspect(&["smtp-reply"], b"250-a\r\n220 b\r\n600 x\r\n221 bye\r\n250-half\r\n25");
    assert_eq!(code, Some(1));
    let consumed: Vec<_> = objects.iter().map(|object| object["consumed"].as_u64().unwrap()).collect();
    assert_eq!(consumed, [14, 7, 9, 12]);
    assert_eq!(objects[0]["error"]["message"], "reply code 220 behind 250");
    assert_eq!(objects[1]["error"]["offset"], 14);
    assert_eq!(objects[2]["value"]["code"], 221);
    assert_eq!(
        objects[3]["error"],
        json!({
            "offset": 42, "message": "the input ends inside a reply", "bytes": "25",
        })
    );
}

#[test]
fn a_pop3_command_shows_all_its_parts() {
    let input = b"USER a b\r\nPASS  x \r\nTOP 2 10\r\nLIST\r\nUIDL 3\r\nAUTH PLAIN =\r\nSTAT\r\nAUTH\r\n\
        APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\nUTF8\r\nLANG\r\nLANG de-CH\r\n";
    assert_eq!(
        values("pop3-command", input),
        [
            json!({ "verb": "USER", "name": "a b" }),
            json!({ "verb": "PASS", "password": { "octets": 3 } }),
            json!({ "verb": "TOP", "number": 2, "lines": 10 }),
            json!({ "verb": "LIST", "number": null }),
            json!({ "verb": "UIDL", "number": 3 }),
            json!({ "verb": "AUTH", "mechanism": "PLAIN", "initial_response": { "octets": 1 } }),
            json!({ "verb": "STAT" }),
            json!({ "verb": "AUTH" }),
            json!({ "verb": "APOP", "name": "mrose", "digest": { "octets": 32 } }),
            json!({ "verb": "UTF8" }),
            json!({ "verb": "LANG", "range": null }),
            json!({ "verb": "LANG", "range": "de-CH" }),
        ]
    );
}

#[test]
fn pop3_responses_are_lines_of_which_each_says_what_it_is() {
    let input = b"+OK 2 320\r\n-ERR [IN-USE] busy\r\n+ Y2hhbGxlbmdl\r\n+OK\r\n1 id-a\r\n..dot\r\n.\r\n+OK\r\n.\r\n+OK bye\r\n";
    let values = values("pop3-response", input);
    let types: Vec<_> = values.iter().map(|value| value["type"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        ["status", "status", "challenge", "status", "line", "line", "end", "status", "end", "status"]
    );
    assert_eq!(values[0]["as"]["STAT"], json!({ "messages": 2, "octets": 320, "deviations": [] }));
    assert_eq!(values[1]["code"], "IN-USE");
    assert_eq!(values[1]["text"], "busy");
    assert_eq!(values[2]["base64"], "Y2hhbGxlbmdl");
    assert_eq!(values[4]["as"], json!({ "UIDL": { "number": 1, "id": "id-a", "deviations": [] } }));
    assert_eq!(values[5]["text"], ".dot");
}

#[test]
fn pop3_responses_that_are_none_are_bad() {
    let (code, objects) = inspect(&["pop3-response"], b"hello\r\n-ERR\r\nmore\r\n+ok\r\nhalf\r\n");
    assert_eq!(code, Some(1));
    let bad: Vec<_> = objects.iter().map(|object| object.get("error").is_some()).collect();
    assert_eq!(bad, [true, false, true, false, false, true]);
    assert_eq!(objects[3]["deviations"][0]["kind"], "keyword in the wrong case");
    let (_, objects) = inspect(&["pop3-response", "--strict"], b"+ok\r\n");
    assert!(objects[0].get("error").is_some());
}

#[test]
fn the_output_does_not_depend_on_the_pieces() {
    let mut long = b"NOOP ".to_vec();
    long.resize(70_000, b'x');
    long.extend_from_slice(b"\r\nQUIT\r\n");
    let mut endless = b"250 ".to_vec();
    endless.resize(80_000, b'y');
    let mixed: &[&[u8]] = &[
        b"NOOP\r\nMAIL FROM: <a@b.example>\nx\0y\r\nQUIT\r",
        b"250-a\r\n250 b\r\n250-a\r\n220 x\r\n\r\n\n25\x30 x\r\n250-",
        b"+OK\r\n1 2\r\n.\r\n-ERR\n.\r\n+OK\r\n..\r\nx\n",
        &long,
        &endless,
        b"",
    ];
    for kind in ["smtp-command", "smtp-reply", "pop3-command", "pop3-response"] {
        for input in mixed {
            for strict in [&[][..], &["--strict"]] {
                let whole = run(&[&[kind][..], strict].concat(), input);
                let sizes: &[&str] =
                    if input.len() > 1000 { &["4095", "40000"] } else { &["1", "2", "3", "7"] };
                for size in sizes {
                    let parts = run(&[&[kind, "--chunk", size][..], strict].concat(), input);
                    assert_eq!(
                        whole,
                        parts,
                        "{kind} {size} {strict:?} {:?}",
                        input.escape_ascii().to_string()
                    );
                }
            }
        }
    }
}

#[test]
fn no_control_character_is_printed() {
    let (_, text) = run(&["smtp-reply"], "250 \u{1b}[2J\u{9b}\u{7f}\r\n".as_bytes());
    assert!(text.contains("\\u001b[2J\\u009b\\u007f"), "{text}");
}

#[test]
fn a_file_is_read_and_a_missing_one_is_a_failure() {
    let path =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("inspect-{}", std::process::id()));
    std::fs::write(&path, b"QUIT\r\n").unwrap();
    let (code, objects) = inspect(&["smtp-command", path.to_str().unwrap()], b"");
    assert_eq!((code, objects.len()), (Some(0), 1));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(inspect(&["smtp-command", path.to_str().unwrap()], b""), (Some(1), vec![]));
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    let wrong: [&[&str]; 4] =
        [&[], &["xmpp-stanza"], &["smtp-command", "--frob"], &["smtp-command", "--chunk", "0"]];
    for arguments in wrong {
        assert_eq!(run(arguments, b"").0, Some(2), "{arguments:?}");
    }
    for option in ["--help", "--version"] {
        assert_eq!(run(&[option], b"").0, Some(0));
    }
}
