//! Input that breaks the rules: each gets the reply that it must get, in every fragmentation, and the session
//! stays usable or closes as required. Rules 2.1.1 to 2.1.4, rows A1 to A14, rules S-4 to S-9, S-12 to S-17,
//! R-1 to R-3, R-12.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use mailwright_smtp::server::{Config, TlsMode};
use support::{Host, codes, lmtp, smtp, with_auth};

/// Sends `wire` behind the start in every two pieces and octet by octet; NOOP behind it must be in sync.
fn check(row: &str, start: &dyn Fn() -> Host, wire: impl AsRef<[u8]>, expected: &str) {
    let wire = wire.as_ref();
    let mut ways: Vec<Vec<usize>> = (0..=wire.len()).map(|cut| vec![cut]).collect();
    ways.push((1..wire.len()).collect());
    for cuts in ways {
        let mut host = start();
        let said = codes(&host.send_cut(wire, &cuts));
        let context = format!("{row} {} cut at {cuts:?}", wire.escape_ascii());
        assert_eq!(said, expected, "{context}");
        assert_eq!(codes(&host.send("NOOP\r\n")), "250 2.0.0", "{context}");
    }
}

/// The same where the session must close.
fn check_closes(row: &str, start: &dyn Fn() -> Host, wire: &str, expected: &str) {
    for cut in 0..=wire.len() {
        let mut host = start();
        assert_eq!(codes(&host.send_cut(wire.as_bytes(), &[cut])), expected, "{row} {wire:?} {cut}");
        assert!(host.closed(), "{row} {wire:?} {cut}");
        assert_eq!(host.send("NOOP\r\n"), "", "{row}");
    }
}

fn ready() -> Host {
    Host::ready(smtp())
}

fn open() -> Host {
    Host::open(smtp(), &["bob@example.org"])
}

#[test]
fn rule_2_1_1_a_line_ends_at_cr_lf_only() {
    for wire in [
        "NOOP\nNOOP\r\n",
        "NOOP\rNOOP\r\n",
        "NOOP\n\r\n",
        "NOOP\r\r\n",
        "NOOP\n\nRSET\n\r\r\n",
        "RSET\nDATA\n.\nQUIT\r\n",
        "\nNOOP\r\n",
        "\rNOOP\r\n",
        "MAIL FROM:<a@b>\nRCPT TO:<a@b>\r\n",
    ] {
        check("2.1.1", &open, wire, "500 5.5.2");
    }
    // Octets behind a bare LF belong to the line that the next CR LF ends.
    let mut host = open();
    assert_eq!(host.send("RSET\n"), "");
    assert_eq!(host.server.recipients(), 1);
    assert_eq!(codes(&host.send("\r\nRSET\r\n")), "500 5.5.2, 250 2.0.0");
}

#[test]
fn rule_2_1_1_the_tolerance_reports_each_use() {
    let mut config = smtp();
    config.tolerance.bare_lf_command_end = true;
    let mut host = Host::ready(config);
    assert_eq!(codes(&host.send("NOOP\nRSET\n\r\nNOOP\r\n")), "250 2.0.0, 250 2.0.0, 500 5.5.2, 250 2.0.0");
    assert_eq!(host.events.iter().filter(|event| *event == "deviation bare LF").count(), 2);
    assert_eq!(codes(&host.send("NOOP\rRSET\n")), "500 5.5.2", "a bare CR is none of it");
}

#[test]
fn rule_2_1_2_no_control_character_is_part_of_a_command() {
    for control in (0..0x20_u8).chain([0x7F]).filter(|octet| !matches!(octet, b'\t' | b'\r' | b'\n')) {
        for line in [
            "NOOP x?y",
            "NO?OP",
            "?NOOP",
            "RSET?",
            "MAIL FROM:<a?@b>",
            "RCPT TO:<a@b?>",
            "DATA?",
            "VRFY ?",
            "HELP ?",
        ] {
            let mut wire = line.replace('?', "\0").into_bytes();
            wire.iter_mut().filter(|octet| **octet == 0).for_each(|octet| *octet = control);
            wire.extend_from_slice(b"\r\n");
            let mut host = open();
            assert_eq!(codes(&host.send(&wire)), "500 5.5.2", "{}", wire.escape_ascii());
            assert_eq!(host.server.recipients(), 1, "nothing is executed");
            assert_eq!(host.codes("NOOP"), "250 2.0.0");
        }
    }
}

#[test]
fn s5_octets_beyond_ascii_are_legal_in_no_command_without_smtputf8() {
    for octets in [&b"\xc3\xbc"[..], b"\xff", b"\x80", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf"] {
        let line = |front: &[u8], behind: &[u8]| [front, octets, behind, b"\r\n"].concat();
        check("S-5", &open, line(b"NOOP ", b""), "501 5.5.4");
        check("S-5", &open, line(b"HELP ", b""), "501 5.5.4");
        check("S-5", &open, line(b"VRFY ", b"@b"), "501 5.5.4");
        check("S-5", &open, line(b"RSET ", b""), "501 5.5.4");
        check("S-5", &open, line(b"EHLO ", b".example"), "501");
        check("S-5", &open, line(b"", b"NOOP"), "500 5.5.2");
        check("S-5", &ready, line(b"MAIL FROM:<a@b> SIZE=", b""), "501 5.5.4");
        check("S-5", &open, line(b"RCPT TO:<a@b> ", b""), "501 5.5.4");
        // S-12: UTF-8 in a mailbox asks for SMTPUTF8; anything else is no mailbox.
        let utf8 = core::str::from_utf8(octets).is_ok();
        check("S-12", &ready, line(b"MAIL FROM:<", b"@b>"), if utf8 { "550 5.6.7" } else { "501 5.1.7" });
        check("S-12", &open, line(b"RCPT TO:<", b"@b>"), if utf8 { "553 5.6.7" } else { "501 5.1.3" });
        check(
            "S-12",
            &open,
            line(b"RCPT TO:<a@", b".example>"),
            if utf8 { "553 5.6.7" } else { "501 5.1.3" },
        );
        check("A7", &open, line(b"RCPT TO:<\"\\", b"\"@b>"), "501 5.1.3");
    }
    check("SMTPUTF8 was not announced", &ready, "MAIL FROM:<a@b> SMTPUTF8\r\n", "555 5.5.4");
}

#[test]
fn rule_2_1_3_case_trailing_and_leading_spaces() {
    check("2.1.3", &open, "nOoP\r\n", "250 2.0.0");
    check("2.1.3", &open, "rset   \r\n", "250 2.0.0");
    check("2.1.3", &open, "rset \t\r\n", "250 2.0.0");
    check("2.1.3", &open, " rset\r\n", "500 5.5.2");
    check("2.1.3", &open, "\trset\r\n", "500 5.5.2");
    check("2.1.3", &open, "   \r\n", "500 5.5.2");
    check("2.1.3", &open, "\r\n", "500 5.5.2");
    check("2.1.3", &open, "RSET\tx\r\n", "500 5.5.2");
}

/// Long values, which no source line should have.
fn long(octets: usize) -> String {
    "a".repeat(octets)
}

#[test]
fn a1_to_a14_of_mail_and_rcpt() {
    let label = long(63);
    let domain = format!("{label}.{label}.{label}.{}", long(62));
    let domain_256 = format!("{label}.{label}.{label}.{}", long(64));
    let short_domain = format!("{label}.{label}.{label}.{}", long(57));
    #[rustfmt::skip]
    let rows: Vec<(&str, String, &str, &str)> = [
        ("A1 A2", "<>", "250 2.1.0", "501 5.1.3"),
        ("A3", "<Postmaster>", "501 5.1.7", "250 2.1.5"),
        ("A3", "<POSTMASTER>", "501 5.1.7", "250 2.1.5"),
        ("A3", "<\"Postmaster\">", "501 5.1.7", "553 5.1.3"),
        ("A4", "<@a,@b:u@c>", "250 2.1.0", "250 2.1.5"),
        ("A4", "<@a:u@c>", "250 2.1.0", "250 2.1.5"),
        ("A4", "<@a,b:u@c>", "501 5.1.7", "501 5.1.3"),
        ("A4", "<@a u@c>", "501 5.1.7", "501 5.1.3"),
        ("A5", r#"<"a>b"@c>"#, "250 2.1.0", "250 2.1.5"),
        ("A5", r#"<"a b"@c>"#, "250 2.1.0", "250 2.1.5"),
        ("A5", r#"<"a@b"@c>"#, "250 2.1.0", "250 2.1.5"),
        ("A6", r#"<"ab"@c>"#, "250 2.1.0", "250 2.1.5"),
        ("A7", r#"<"a\"b\\"@c>"#, "250 2.1.0", "250 2.1.5"),
        ("A7", "<\"a\\\tb\"@c>", "501 5.1.7", "501 5.1.3"),
        ("A7", r#"<"a"b"@c>"#, "501 5.1.7", "501 5.1.3"),
        ("A7", r#"<"a@c>"#, "501 5.1.7", "501 5.1.3"),
        ("A8", "<u@[127.0.0.1]>", "250 2.1.0", "250 2.1.5"),
        ("A8", "<u@[IPv6:2001:db8::1]>", "250 2.1.0", "250 2.1.5"),
        ("A8", "<u@[x-tag:content]>", "250 2.1.0", "250 2.1.5"),
        ("A8", "<u@[127.0.0.256]>", "501 5.1.7", "553 5.1.3"),
        ("A8", "<u@[127.0.0]>", "501 5.1.7", "553 5.1.3"),
        ("A8", "<u@[IPv6:::1::]>", "501 5.1.7", "553 5.1.3"),
        ("A8", "<u@[2001:db8::1]>", "250 2.1.0", "250 2.1.5"),
        ("A8", "<u@[:1]>", "501 5.1.7", "553 5.1.3"),
        ("A8", "<u@[]>", "501 5.1.7", "553 5.1.3"),
        ("A9", "<u@a..b>", "501 5.1.7", "553 5.1.3"),
        ("A9", "<u@.a>", "501 5.1.7", "553 5.1.3"),
        ("A9", "<u@a.>", "501 5.1.7", "553 5.1.3"),
        ("A9", "<u@-a.b>", "501 5.1.7", "553 5.1.3"),
        ("A9", "<u@a-.b>", "501 5.1.7", "553 5.1.3"),
        ("A9", "<.u@c>", "501 5.1.7", "553 5.1.3"),
        ("A9", "<u.@c>", "501 5.1.7", "553 5.1.3"),
        ("A9", "<u..v@c>", "501 5.1.7", "553 5.1.3"),
        ("A11", "<u@c", "501 5.1.7", "501 5.1.3"),
        ("A11", "<u@c<", "501 5.1.7", "501 5.1.3"),
        ("A11", "<<u@c>", "501 5.1.7", "501 5.1.3"),
        ("A11", "<u(x)@c>", "501 5.1.7", "501 5.1.3"),
        ("A11", "<u v@c>", "501 5.1.7", "501 5.1.3"),
        ("A11", "<u@c_d>", "501 5.1.7", "501 5.1.3"),
        ("A11", "<u@c d>", "501 5.1.7", "501 5.1.3"),
        ("A11", "<u@@c>", "501 5.1.7", "501 5.1.3"),
        ("A13", " <u@c>", "250 2.1.0", "250 2.1.5"),
        ("A13", "   <u@c>", "250 2.1.0", "250 2.1.5"),
        ("A13", "\t<u@c>", "501 5.1.7", "501 5.1.3"),
        ("A14", "u@c", "501 5.1.7", "501 5.1.3"),
        ("A14", "u", "501 5.1.7", "501 5.1.3"),
        ("A14", "u@c>", "501 5.1.7", "501 5.1.3"),
    ]
    .map(|(row, path, mail, rcpt)| (row, path.to_string(), mail, rcpt))
    .into_iter()
    .chain([
        ("A9", format!("<u@{}.b>", long(64)), "501 5.1.7", "553 5.1.3"),
        ("A9", format!("<u@{}.b>", long(63)), "250 2.1.0", "250 2.1.5"),
        ("A10", format!("<{}@b>", long(64)), "250 2.1.0", "250 2.1.5"),
        ("A10", format!("<{}@b>", long(65)), "501 5.1.7", "501 5.1.3"),
        ("A10", format!("<\"{}\"@b>", long(63)), "501 5.1.7", "501 5.1.3"),
        ("A10", format!("<u@{domain_256}>"), "501 5.1.7", "501 5.1.3"),
        ("A10", format!("<u@{domain}>"), "501 5.1.7", "501 5.1.3"),
        ("A10", format!("<u@{short_domain}>"), "250 2.1.0", "250 2.1.5"),
        ("A10", format!("<{}@c..d>", long(65)), "501 5.1.7", "501 5.1.3"),
    ])
    .collect();
    for (row, path, mail, rcpt) in rows {
        let said = |mut host: Host, verb: &str| host.codes(format!("{verb}:{path}"));
        assert_eq!(said(ready(), "MAIL FROM"), mail, "{row} {path:?}");
        assert_eq!(said(open(), "RCPT TO"), rcpt, "{row} {path:?}");
        if path.len() < 24 {
            check(row, &open, format!("RCPT TO:{path}\r\n"), rcpt);
        }
    }
}

#[test]
fn a4_a6_a12_what_the_host_sees() {
    let mut host = open();
    host.send("RCPT TO:<@a,@b:\"bob\"@EXAMPLE.org>\r\n");
    assert!(host.saw("recipient 1 <bob@EXAMPLE.org>"), "{:?}", host.events);
    host.send("RCPT TO: <\"b\\ob x\"@example.org>\r\n");
    assert!(host.saw("recipient 2 <\"bob x\"@example.org>"), "{:?}", host.events);
    assert!(host.saw("deviation extra white space"), "A13");
}

#[test]
fn s4_two_commands_joined_are_one_error_and_an_address_is_never_cleaned() {
    for wire in [
        "MAIL FROM:<a@b\r>\r\n",
        "MAIL FROM:<a@b>\nRCPT TO:<x@y>\r\n",
        "RCPT TO:<a\n@b>\r\n",
        "RCPT TO:<\"a\rb\"@c>\r\n",
        "RCPT TO:<a@b>\rDATA\r\n",
        "NOOP\rQUIT\r\n",
    ] {
        check("S-4", &open, wire, "500 5.5.2");
    }
    let mut host = open();
    host.send("RCPT TO:<a@b\n>\r\n");
    assert!(!host.saw("recipient"));
}

#[test]
fn s8_chunks_stay_in_sync() {
    let without = || {
        let mut config = smtp();
        config.chunking = false;
        Host::open(config, &["bob@example.org"])
    };
    check("S-8", &without, "BDAT 5\r\nQUIT\n", "502 5.5.1");
    check("S-8", &without, "BDAT 0\r\n", "502 5.5.1");
    check("S-8", &open, "BDAT 5\r\nQUIT\n", "250 2.0.0");
    check("S-8", &open, "BDAT 0\r\n", "250 2.0.0");
    check("S-8", &open, "BDAT 9 LAST\r\n\r\n.\r\nRS\r\nBDAT 2\r\nab", "250 2.0.0, 503 5.5.1");
    check("S-8", &open, "bdat 00000000000000000003 last\r\nabc", "250 2.0.0");
    check("T5", &|| Host::new(smtp()), "BDAT 6\r\nRSET\r\n", "503 5.5.1");
    check("T5", &ready, "BDAT 6\r\nRSET\r\n", "503 5.5.1");
    for bad in [
        "BDAT",
        "BDAT ",
        "BDAT -1",
        "BDAT +1",
        "BDAT 1x",
        "BDAT 0x1",
        "BDAT 1  LAST",
        "BDAT 1 LAST x",
        "BDAT 1LAST",
    ] {
        check_closes("S-8", &open, &format!("{bad}\r\n"), "501 5.5.4");
    }
    for bad in
        ["9223372036854775808", "18446744073709551616", "000000000000000000001", "99999999999999999999999"]
    {
        check_closes("S-8", &open, &format!("BDAT {bad}\r\n"), "501 5.5.4");
    }
    // The largest size there is: the chunk is read over, and nothing in it is a command.
    let mut host = ready();
    assert_eq!(host.send("BDAT 9223372036854775807\r\nQUIT\r\nNOOP\r\n"), "");
    assert_eq!(host.eof(), "");
    assert_eq!(host.events.last().unwrap(), "closed Disconnected");
}

#[test]
fn s9_sizes_that_lie() {
    for (value, expected) in [
        ("=36700160", "250 2.1.0"),
        ("=36700161", "552 5.3.4"),
        ("=9223372036854775807", "552 5.3.4"),
        ("=18446744073709551615", "552 5.3.4"),
        ("=18446744073709551616", "552 5.3.4"),
        ("=340282366920938463463374607431768211456", "552 5.3.4"),
        ("", "501 5.5.4"),
        ("=", "501 5.5.4"),
        ("=-1", "501 5.5.4"),
        ("=1.0", "501 5.5.4"),
        ("=1k", "501 5.5.4"),
        ("=1 SIZE=1", "501 5.5.4"),
        ("=99999999999999999999 SIZE=1", "501 5.5.4"),
    ] {
        check("S-9", &ready, format!("MAIL FROM:<a@b> SIZE{value}\r\n"), expected);
    }
}

#[test]
fn s12_parameters_of_extensions_that_are_not_announced() {
    for parameter in
        ["RET=HDRS", "ENVID=x", "REQUIRETLS", "BODY=BINARYMIME", "SMTPUTF8", "XYZZY=1", "MT-PRIORITY=3"]
    {
        let expected = if parameter.starts_with("BODY") { "501 5.5.4" } else { "555 5.5.4" };
        check("S-12", &ready, format!("MAIL FROM:<a@b> {parameter}\r\n"), expected);
    }
    for parameter in ["NOTIFY=NEVER", "ORCPT=rfc822;a@b", "RRVS=2014-04-03T23:01:00Z", "SIZE=1", "BODY=7BIT"]
    {
        check("S-12", &open, format!("RCPT TO:<a@b> {parameter}\r\n"), "555 5.5.4");
    }
}

#[test]
fn s13_who_does_not_speak_smtp_is_sent_away() {
    let new = || Host::new(smtp());
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"] {
        check_closes("S-13", &new, &format!("{method} / HTTP/1.1\r\nHost: a\r\n"), "554 5.5.1");
    }
    for first in ["\x16\x03\x01\x02", "1\r\n", "\r\n", " EHLO a\r\n", "{\"a\":1}\r\n", "\0", "."] {
        check_closes("S-13", &new, first, "554 5.5.1");
    }
    for octet in 0..=0xFF_u8 {
        let mut host = new();
        host.send([octet]);
        assert_eq!(host.closed(), !octet.is_ascii_alphabetic(), "{octet}");
    }
}

#[test]
fn s6_s13_an_overlong_first_line_is_one_error_wherever_it_is_cut() {
    let wire = format!("{}..\r\n", long(2100));
    let check_cuts = |cuts: &[usize]| {
        let mut host = Host::new(smtp());
        assert_eq!(codes(&host.send_cut(wire.as_bytes(), cuts)), "500 5.5.2", "{cuts:?}");
        assert_eq!(codes(&host.send("NOOP\r\n")), "250 2.0.0", "{cuts:?}");
    };
    check_cuts(&(1..wire.len()).collect::<Vec<_>>());
    (2040..wire.len()).for_each(|cut| check_cuts(&[cut]));
}

#[test]
fn s14_commands_at_the_wrong_time() {
    for (wire, expected) in [
        ("MAIL FROM:<x@y>\r\n", "503 5.5.1"),
        ("EHLO a\r\nRCPT TO:<a@b>\r\n", "250, 503 5.5.1"),
        ("RSET\r\nRCPT TO:<a@b>\r\n", "250 2.0.0, 503 5.5.1"),
        ("STARTTLS\r\n", "503 5.5.1"),
        ("AUTH PLAIN\r\n", "503 5.5.1"),
        ("DATA x\r\n", "501 5.5.4"),
        ("QUIT x\r\n", "501 5.5.4"),
        ("RSET x\r\n", "501 5.5.4"),
        ("MAIL\r\n", "503 5.5.1"),
        ("RCPT\r\n", "501 5.5.4"),
        ("RCPT TO\r\n", "501 5.5.4"),
        ("RCPT TO:\r\n", "501 5.1.3"),
        ("RCPT FROM:<a@b>\r\n", "501 5.5.4"),
        ("VRFY\r\n", "501 5.5.4"),
        ("EHLO\r\n", "501"),
        ("HELO a b\r\n", "501"),
        ("LHLO a\r\n", "500"),
        ("XYZZY\r\n", "500 5.5.2"),
    ] {
        check("S-14", &open, wire, expected);
    }
}

#[test]
fn s16_s17_what_is_not_offered() {
    for (wire, expected) in [
        ("XCLIENT NAME=a\r\n", "502 5.5.1"),
        ("XFORWARD NAME=a\r\n", "502 5.5.1"),
        ("ETRN a\r\n", "502 5.5.1"),
        ("EXPN a\r\n", "502 5.5.1"),
        ("VRFY a\r\n", "252 2.0.0"),
        ("TURN\r\n", "502 5.5.1"),
        ("BURL a\r\n", "502 5.5.1"),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "500 5.5.2"),
    ] {
        check("S-16 S-17", &ready, wire, expected);
    }
    check_closes("S-16", &|| Host::new(smtp()), "\r\n\r\n\0\r\nQUIT\n!", "554 5.5.1");
}

#[test]
fn t4_data_without_recipients_closes_on_content_that_did_not_wait() {
    let start = || Host::open(smtp(), &[]);
    check("T4", &start, "DATA\r\n", "554 5.5.1");
    check("T4", &|| Host::open(lmtp(), &[]), "DATA\r\n", "503 5.5.1");
    // S-10: it would run as commands.
    let mut host = start();
    assert_eq!(codes(&host.send("DATA\r\nSubject: x\r\n")), "554 5.5.1");
    assert!(host.closed());
}

#[test]
fn r1_enhanced_codes_stand_where_they_must_and_have_the_class_of_their_reply() {
    let wires = "HELP\r\nVRFY a\r\nEXPN a\r\nFOO\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\nRCPT TO:<no@b>\r\nRCPT TO:<later@b>\r\n\
        RCPT TO:<a@b>\r\nRSET\r\nSTARTTLS\r\nAUTH\r\nAUTH X\r\nDATA\r\nQUIT\r\n";
    let mut host = Host::ready(with_auth());
    let mut count = 0;
    for line in wires.split_inclusive("\r\n") {
        let said = host.send(line) + &host.wait(1);
        for reply in said.split_terminator("\r\n") {
            count += 1;
            let (code, text) = reply.split_at(4);
            assert_eq!(text.as_bytes()[0], code.as_bytes()[0], "{reply}");
            assert_eq!(text.split(' ').next().unwrap().split('.').count(), 3, "{reply}");
        }
    }
    assert_eq!(count, 15);
    for hello in ["EHLO a", "HELO a", "EHLO", "LHLO a", "EHLO \0"] {
        let said = Host::new(smtp()).send(format!("{hello}\r\n"));
        assert!(!said.contains(" 5.") && !said.contains(" 2."), "{said}");
    }
    let said = Host::in_content(smtp()).take_output();
    assert_eq!(said, "");
}

#[test]
fn r12_how_a_message_came_in() {
    let with = |config: Config, wires: &[&str], secure: bool| {
        let mut host = Host::new(config);
        for wire in wires {
            host.send(format!("{wire}\r\n"));
            if secure && *wire == "STARTTLS" {
                host.secure();
            }
        }
        host.server.with().to_string()
    };
    let plain = "AUTH PLAIN AGFsaWNlAHRhbnN0YWFm";
    let mut tls = with_auth();
    tls.tls = TlsMode::StartTls;
    let mut lmtp_auth = with_auth();
    lmtp_auth.protocol = mailwright_smtp::server::Protocol::Lmtp;
    assert_eq!(with(smtp(), &["HELO a"], false), "SMTP");
    assert_eq!(with(smtp(), &["EHLO a"], false), "ESMTP");
    assert_eq!(with(with_auth(), &["EHLO a", plain], false), "ESMTPA");
    assert_eq!(with(tls.clone(), &["EHLO a", "STARTTLS", "EHLO a"], true), "ESMTPS");
    assert_eq!(with(tls, &["EHLO a", "STARTTLS", "EHLO a", plain], true), "ESMTPSA");
    assert_eq!(with(lmtp(), &["LHLO a"], false), "LMTP");
    assert_eq!(with(lmtp_auth, &["LHLO a", plain], false), "LMTPA");
}
