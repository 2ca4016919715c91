//! What is read and written again is the same: commands, replies, capabilities, trace fields.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use bytes::{Bytes, BytesMut};
use mailwright_core::value::{Mailbox, UnixTime};
use mailwright_smtp::parse::{CommandOptions, ReplyLimits, ReplyReader};
use mailwright_smtp::trace::{Received, TransactionId, With, delivered_to, return_path};
use mailwright_smtp::types::{Capabilities, Command, EnhancedCode, Extension, Reply, ReplyCode};
use proptest::prelude::*;

fn options() -> CommandOptions {
    let mut options = CommandOptions::default();
    options.auth = true;
    options.binary_mime = true;
    options.smtp_utf8 = true;
    options.require_tls = true;
    options.dsn = true;
    options.deliver_by = true;
    options.future_release = true;
    options.mt_priority = true;
    options.rrvs = true;
    options.message_tracking = true;
    options.ignore_unknown_parameters = true;
    options
}

fn read(line: &[u8]) -> Command {
    Command::parse(&Bytes::copy_from_slice(line), &options()).unwrap().command
}

/// Reads a line, writes the command, and reads that; what was written.
fn again(line: &str) -> String {
    let command = read(line.as_bytes());
    let mut wire = BytesMut::new();
    command.encode(&mut wire).unwrap();
    let written = wire.strip_suffix(b"\r\n").unwrap();
    assert_eq!(read(written), command, "{line:?}");
    String::from_utf8(written.to_vec()).unwrap()
}

/// A line of each command, written as this crate writes it.
fn line() -> impl Strategy<Value = String> {
    let domain = prop_oneof![
        "[a-z0-9]{1,9}(\\.[a-z0-9]{1,9}){0,3}",
        Just("[192.0.2.1]".to_string()),
        Just("[IPv6:2001:db8::1]".to_string()),
    ];
    let local = prop_oneof![
        "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,9}(\\.[a-z]{1,5}){0,2}",
        "\"[a-z ()<>@,;:]{0,9} \"",
        Just("\"a\\\\\\\"b\"".to_string()),
    ];
    let mailbox = (local, domain.clone()).prop_map(|(local, domain)| format!("{local}@{domain}"));
    let word = "[A-Z][A-Z0-9-]{0,8}(=[!-<>-~]{1,12})?";
    let unknown = proptest::collection::vec(word, 0..3).prop_map(|words| {
        words.iter().filter(|word| !is_known(word)).map(|word| format!(" {word}")).collect::<String>()
    });
    let known = prop_oneof![
        Just(String::new()),
        any::<u64>().prop_map(|size| format!(" SIZE={size}")),
        prop_oneof![Just("7BIT"), Just("8BITMIME"), Just("BINARYMIME")]
            .prop_map(|body| format!(" BODY={body}")),
        Just(" SMTPUTF8 ENVID=x REQUIRETLS RET=HDRS X=ü".to_string()),
        prop_oneof![
            (-999_999_999..=999_999_999_i32).prop_map(|seconds| format!(" BY={seconds};NT")),
            (1..=999_999_999_u32).prop_map(|seconds| format!(" HOLDFOR={seconds}")),
            (-9..=9_i8).prop_map(|priority| format!(" MT-PRIORITY={priority}")),
            Just(" HOLDUNTIL=2026-11-27T19:30:00Z".to_string()),
        ],
        Just(" AUTH=<>".to_string()),
        Just(" ENVID=x@y MTRK=qUqP5cyxm6YcTAhz05Hph5gvu9M=:86400".to_string()),
        Just(" AUTH=e+3Dmc2@example.org SIZE=1 BODY=8BITMIME".to_string()),
    ];
    let asked = prop_oneof![
        Just(""),
        Just(" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c"),
        Just(" RRVS=2014-04-03T23:01:00Z;C"),
    ];
    let reverse = prop_oneof![Just("<>".to_string()), mailbox.clone().prop_map(|it| format!("<{it}>"))];
    let forward =
        prop_oneof![Just("<Postmaster>".to_string()), mailbox.clone().prop_map(|it| format!("<{it}>"))];
    prop_oneof![
        ("(EHLO|HELO|LHLO)", domain).prop_map(|(verb, name)| format!("{verb} {name}")),
        (reverse, known, unknown.clone())
            .prop_map(|(path, known, more)| format!("MAIL FROM:{path}{known}{more}")),
        (forward, asked, unknown).prop_map(|(path, asked, more)| format!("RCPT TO:{path}{asked}{more}")),
        "DATA|RSET|NOOP|QUIT|STARTTLS",
        "(VRFY|EXPN|ETRN) [ -~]{0,20}[!-~]",
        "(VRFY|EXPN) [a-zü€]{1,9} SMTPUTF8",
        "(HELP|ATRN|XCLIENT)( [ -~]{0,20}[!-~])?",
        "AUTH [A-Z][A-Z0-9_-]{0,19}( (=|[A-Za-z0-9+/]{4,40}))?",
        (0..u64::MAX / 2, any::<bool>())
            .prop_map(|(size, last)| format!("BDAT {size}{}", if last { " LAST" } else { "" })),
    ]
}

fn is_known(parameter: &str) -> bool {
    let keyword = parameter.split('=').next().unwrap_or_default();
    let known = [
        "SIZE",
        "BODY",
        "AUTH",
        "SMTPUTF8",
        "MTRK",
        "REQUIRETLS",
        "RET",
        "ENVID",
        "BY",
        "HOLDFOR",
        "HOLDUNTIL",
        "MT-PRIORITY",
        "NOTIFY",
        "ORCPT",
        "RRVS",
    ];
    known.contains(&keyword)
}

fn reply() -> impl Strategy<Value = Reply> {
    let code = (2_u16..=5, 0_u16..=5, 0_u16..=9)
        .prop_map(|(class, second, third)| ReplyCode::new(class * 100 + second * 10 + third).unwrap());
    let enhanced = proptest::option::of((0_u16..=999, 0_u16..=999));
    // Not so long that lines are cut, and not like an enhanced code.
    let lines = proptest::collection::vec("([a-zA-Zü€][ -~ü€]{0,60})?", 1..6);
    (code, enhanced, lines).prop_map(|(code, enhanced, lines)| {
        let class = u8::try_from(code.get() / 100).unwrap();
        let enhanced = enhanced
            .filter(|_| class != 3)
            .map(|(subject, detail)| EnhancedCode::new(class, subject, detail).unwrap());
        Reply::multi_line(code, enhanced, lines).unwrap()
    })
}

proptest! {
    #[test]
    fn every_command_that_is_read_is_written_as_it_stood(line in line()) {
        let written = again(&line);
        // Quoted strings may lose quotes that they do not need, the path of Postmaster its case.
        if !line.contains('"') {
            prop_assert_eq!(written, line);
        }
    }

    #[test]
    fn whatever_is_read_as_a_command_is_the_same_after_it_was_written(
        verb in "(MAIL FROM:|RCPT TO:|VRFY |AUTH |BDAT |EHLO |NOOP|HELP |ETRN )",
        rest in "[ -~]{0,40}",
    ) {
        let line = Bytes::from(format!("{verb}{rest}"));
        if let Ok(parsed) = Command::parse(&line, &options()) {
            let mut wire = BytesMut::new();
            parsed.command.encode(&mut wire).unwrap();
            let written = wire.strip_suffix(b"\r\n").unwrap();
            let mut expected = parsed.command;
            // A source route is read, and never written.
            if let Command::Mail { route, .. } | Command::Rcpt { route, .. } = &mut expected {
                *route = None;
            }
            prop_assert_eq!(read(written), expected);
        }
    }

    #[test]
    fn every_reply_that_is_written_is_read_again(reply in reply()) {
        let mut wire = BytesMut::new();
        reply.encode(&mut wire);
        let octets = wire.clone();
        let read = ReplyReader::new(ReplyLimits::default()).next_reply(&mut wire).unwrap().unwrap();
        prop_assert!(wire.is_empty());
        prop_assert_eq!(&read, &reply);
        let mut rewritten = BytesMut::new();
        read.encode(&mut rewritten);
        prop_assert_eq!(rewritten, octets);
    }

    #[test]
    fn every_extension_that_is_announced_is_read_again(size in proptest::option::of(any::<u64>()), many in any::<bool>()) {
        let mut capabilities = Capabilities::new();
        capabilities.push(Extension::Size(size.filter(|&size| size > 0)));
        if many {
            for extension in [Extension::Pipelining, Extension::EightBitMime, Extension::StartTls] {
                capabilities.push(extension);
            }
            capabilities.push(Extension::auth(["PLAIN", "LOGIN"]).unwrap());
        }
        let mut wire = BytesMut::new();
        capabilities.to_reply("mx.example.org").unwrap().encode(&mut wire);
        let reply = ReplyReader::new(ReplyLimits::default()).next_reply(&mut wire).unwrap().unwrap();
        prop_assert_eq!(Capabilities::from_reply(&reply), capabilities);
    }

    #[test]
    fn a_received_field_is_lines_of_one_field_whatever_the_client_calls_itself(
        name in "[ -~\r\nüé\u{0}\u{85}]{0,300}",
        local in "[ -~]{1,20}",
        seconds in 0_i64..4_000_000_000,
        flags in any::<[bool; 5]>(),
    ) {
        let mut with = With::default();
        [with.lmtp, with.extended, with.tls, with.authenticated, with.utf8] = flags;
        let mut received = Received::new("mx.example.org", with, UnixTime::from_seconds(seconds)).unwrap();
        received.helo = Some(&name);
        received.peer = Some([192, 0, 2, 1].into());
        received.id = Some(TransactionId::new("a7").unwrap());
        let quoted = format!("\"{}\"@example.org", local.replace(['"', '\\'], "x"));
        let mailbox: Mailbox = quoted.parse().unwrap();
        received.recipient = Some(&mailbox);
        for field in [received.to_string(), return_path(&mailbox.clone().into()), delivered_to(&mailbox)] {
            let body = field.strip_suffix("\r\n").unwrap();
            let lines: Vec<&str> = body.split("\r\n").collect();
            prop_assert!(lines[1..].iter().all(|line| line.starts_with('\t')), "{:?}", field);
            prop_assert!(lines.iter().all(|line| line.chars().all(|c| c == '\t' || !c.is_control())), "{:?}", field);
            prop_assert!(lines.iter().all(|line| line.len() <= 998));
        }
        let by = format!("\r\n\tby mx.example.org with {with} id a7\r\n\tfor <");
        prop_assert_eq!(received.to_string().matches(&by).count(), 1);
    }
}

#[test]
fn what_was_forgiven_is_written_as_it_should_have_stood() {
    for (line, written) in [
        ("mail from: <a@b> size=7  ".trim_end(), "MAIL FROM:<a@b> size=7"),
        ("NOOP whatever", "NOOP"),
        ("RCPT TO:<postMASTER>", "RCPT TO:<Postmaster>"),
        ("RCPT TO:<\"alice\"@b>", "RCPT TO:<alice@b>"),
        ("BDAT 007 last", "BDAT 7 LAST"),
        ("data  ", "DATA"),
    ] {
        assert_eq!(again(line), written);
    }
    let routed = read(b"RCPT TO:<@a,@b:u@c>");
    let mut wire = BytesMut::new();
    routed.encode(&mut wire).unwrap();
    assert_eq!(wire, "RCPT TO:<u@c>\r\n", "RFC 5321 appendix C: no route is generated");
}
