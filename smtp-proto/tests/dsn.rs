//! Reports, written and read back: every field, any pieces of the message, hostile values.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use bytes::BytesMut;
use mailwright_smtp::dsn::{
    Action, Address, Diagnostic, Field, Letter, MessageId, MtaName, Original, ParseError, ParserLimits,
    Recipient, Report, Returned, Text, Writer,
};
use mailwright_smtp::types::{EnhancedCode, EnvelopeId, Notify, OriginalRecipient, Reply, Return};
use mailwright_smtp::value::{ForwardPath, Mailbox, ReversePath, UnixTime};
use proptest::prelude::*;

const ENTROPY: [u8; 32] = [0xA5; 32];

fn letter(to: &str) -> Letter {
    let host = "mx.example.org".parse().unwrap();
    Letter::new(&to.parse().unwrap(), &host, UnixTime::from_seconds(1_000_000_000), ENTROPY).unwrap()
}

fn code(class: u8, subject: u16, detail: u16) -> EnhancedCode {
    EnhancedCode::new(class, subject, detail).unwrap()
}

fn mta(name: &str) -> MtaName {
    MtaName::dns(&name.parse().unwrap()).unwrap()
}

fn address(text: &str) -> Address {
    Address::from(&text.parse::<Mailbox>().unwrap())
}

/// RET=FULL on a small message.
fn full() -> Original {
    let mut original = Original::default();
    (original.ret, original.size) = (Some(Return::Full), Some(1000));
    original
}

fn write(report: &Report, to: &str, original: &Original, content: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mut writer = Writer::start(report, &letter(to), original, &mut out);
    writer.original(content, &mut out);
    writer.finish(&mut out);
    out.to_vec()
}

fn failed(recipient: &str) -> Report {
    Report::new(mta("mx.example.org"), Recipient::new(address(recipient), Action::Failed, code(5, 1, 1)))
}

#[test]
fn a_report_of_failure_is_exactly_this() {
    let reply: Reply = Reply::new(
        mailwright_smtp::types::ReplyCode::MAILBOX_UNAVAILABLE,
        code(5, 1, 1),
        "No such user; see https://example.com/a/rather/long/address/for/help",
    )
    .unwrap();
    let mut recipient = Recipient::new(address("Bob@example.com"), Action::Failed, code(5, 1, 1))
        .with_remote(mta("mail.example.com"), Diagnostic::smtp(&reply))
        .with_retry_until(UnixTime::from_seconds(0));
    let original: OriginalRecipient = "rfc822;Robert+2B1@example.com".parse().unwrap();
    recipient.original = Address::try_from(&original).ok();
    recipient.last_attempt = Some(UnixTime::from_seconds(999_999_999));
    recipient.final_log_id = Some(Text::new("4Qx7"));
    recipient.remote_recipient = Some(address("bob@mail.example.com"));
    let mut report = Report::new(mta("mx.example.org"), recipient);
    report.envelope_id = Some("QQ+2B314159".parse().unwrap());
    report.arrival = Some(UnixTime::from_seconds(999_990_000));
    report.original_message_id = MessageId::new("<1@example.org>").ok();
    let written = write(&report, "<alice@example.org>", &Original::default(), b"Subject: hi\r\n\r\nbody\r\n");
    let expected = "\
From: Mail Delivery System <postmaster@mx.example.org>\r
To: <alice@example.org>\r
Subject: Delivery failed: your message could not be delivered\r
Date: Sun, 9 Sep 2001 01:46:40 +0000\r
Message-ID: <a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5.dsn@mx.example.org>\r
In-Reply-To: <1@example.org>\r
References: <1@example.org>\r
Auto-Submitted: auto-replied\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status;\r
\tboundary=\"=_a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\"\r
Content-Transfer-Encoding: 7bit\r
\r
--=_a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\r
Content-Description: Notification\r
Content-Type: text/plain; charset=us-ascii\r
Content-Transfer-Encoding: 7bit\r
\r
This is the mail system at mx.example.org.\r
\r
Your message could not be delivered to the following addresses. It will not\r
be tried again.\r
\r
  Robert+1@example.com\r
    mail.example.com said:\r
    550 5.1.1 No such user; see\r
 https://example.com/a/rather/long/address/for/help\r
\r
Check the addresses, and what the other server said, if it is named. If you\r
cannot tell what is wrong, ask the postmaster by answering this message.\r
\r
The message came here on Sat, 8 Sep 2001 23:00:00 +0000.\r
The header of the message is attached.\r
\r
--=_a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\r
Content-Description: Delivery report\r
Content-Type: message/delivery-status\r
Content-Transfer-Encoding: 7bit\r
\r
Original-Envelope-Id: QQ+314159\r
Reporting-MTA: dns; mx.example.org\r
Arrival-Date: Sat, 8 Sep 2001 23:00:00 +0000\r
\r
Original-Recipient: rfc822; Robert+1@example.com\r
Final-Recipient: rfc822; Bob@example.com\r
Action: failed\r
Status: 5.1.1\r
Remote-MTA: dns; mail.example.com\r
Diagnostic-Code: smtp; 550 5.1.1 No such user; see\r
 https://example.com/a/rather/long/address/for/help\r
Last-Attempt-Date: Sun, 9 Sep 2001 01:46:39 +0000\r
Final-Log-ID: 4Qx7\r
SMTP-Remote-Recipient: bob@mail.example.com\r
\r
--=_a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\r
Content-Description: Message header\r
Content-Type: text/rfc822-headers\r
Content-Transfer-Encoding: 7bit\r
\r
Subject: hi\r
\r
--=_a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5--\r
";
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}

#[test]
fn a_null_reverse_path_gets_no_letter_and_every_other_the_envelope_of_a_report() {
    let host = "mx.example.org".parse().unwrap();
    assert!(Letter::new(&ReversePath::Null, &host, UnixTime::default(), ENTROPY).is_none());
    let report = failed("bob@example.com");
    let envelope = letter("<alice@example.org>").envelope(&report, &Original::default());
    assert_eq!(envelope.sender, ReversePath::Null);
    assert_eq!(envelope.recipient.to_string(), "alice@example.org");
    assert_eq!(envelope.notify, Notify::NEVER);
    assert!(!envelope.eight_bit && !envelope.smtp_utf8 && !envelope.require_tls && !envelope.whole);
    let mut original = full();
    original.require_tls = true;
    let envelope = letter("<alice@example.org>").envelope(&report, &original);
    assert!(envelope.require_tls && !envelope.whole);
    assert!(letter("<alice@example.org>").envelope(&report, &full()).whole);
}

#[test]
fn beyond_ascii_a_report_takes_the_forms_of_rfc_6533_if_its_message_did() {
    let report = failed("b\u{FC}hler@example.com");
    let mut original = full();
    let seven_bit = String::from_utf8(write(&report, "<alice@example.org>", &original, b"a: b\r\n")).unwrap();
    assert!(seven_bit.is_ascii());
    assert!(seven_bit.contains("Final-Recipient: utf-8; b\\x{FC}hler@example.com\r\n"));
    assert!(seven_bit.contains("Content-Type: message/delivery-status\r\n"));
    original.smtp_utf8 = true;
    let utf8 = String::from_utf8(write(&report, "<alice@example.org>", &original, b"a: b\r\n")).unwrap();
    assert!(utf8.contains("Final-Recipient: utf-8; b\u{FC}hler@example.com\r\n"));
    for kind in ["message/global-delivery-status", "message/global", "text/plain; charset=utf-8"] {
        let part = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n");
        assert!(utf8.contains(&part), "{kind}");
    }
    original.ret = None;
    let headers = String::from_utf8(write(&report, "<alice@example.org>", &original, b"a: b\r\n")).unwrap();
    assert!(headers.contains("Content-Type: message/global-headers\r\n"));
    assert!(letter("<alice@example.org>").envelope(&report, &original).smtp_utf8);
    // The letter itself goes to such an address.
    let to = write(&report, "<\u{FC}@example.org>", &Original::default(), b"");
    assert!(String::from_utf8(to).unwrap().contains("To: <\u{FC}@example.org>\r\n"));
}

#[test]
fn what_a_server_says_starts_no_field() {
    for (said, shown) in [
        (
            &b"550 no\r\nStatus: 2.0.0\r\n\r\n.\r\n"[..],
            r"550 no\x0D\x0AStatus: 2.0.0\x0D\x0A\x0D\x0A.\x0D\x0A",
        ),
        (b"550 \0\x7F\xC3\xBC\xFF", r"550 \x00\x7F\xC3\xBC\xFF"),
        (b"  550\t two   spaces ", "550 two spaces"),
    ] {
        let diagnostic = Diagnostic::new("smtp", said).unwrap();
        assert_eq!(diagnostic.text(), shown);
        let recipient = Recipient::new(address("bob@example.com"), Action::Failed, code(5, 0, 0))
            .with_remote(mta("mail.example.com"), diagnostic);
        let report = Report::new(mta("mx.example.org"), recipient);
        let written = write(&report, "<alice@example.org>", &Original::default(), b"");
        assert_eq!(Report::parse(&written).unwrap().report, report);
    }
    let long = Diagnostic::new("smtp", &[b'x'; 100_000]).unwrap();
    assert!(long.text().len() <= Diagnostic::MAX_OCTETS && long.text().len() > 2000);
    for kind in ["", "a b", "a;b", "a\r\nb"] {
        assert!(Diagnostic::new(kind, b"x").is_err() && MtaName::new(kind, "x").is_err());
        assert!(Address::new(kind, "x").is_err());
    }
    assert!(MtaName::new("dns", "a\r\nb").is_err() && Address::new("rfc822", "a\u{85}b").is_err());
    assert!(MessageId::new("<a\r\nb>").is_err() && Field::new("a:b", "").is_err());
    for named in ["Status", "final-recipient", "Reporting-MTA"] {
        assert!(Field::new(named, "2.0.0").is_err(), "{named}");
    }
    assert_eq!(Field::new("X-A", "a\r\nb\0c").unwrap().value(), "a b c");
}

#[test]
fn every_line_is_short_enough_for_smtp() {
    let quoted = format!("\"{}\"@{}", " ".repeat(60), ["\u{FC}\u{FC}"; 37].join("."));
    let mut recipient = Recipient::new(address("b@example.com"), Action::Delayed, code(4, 4, 1))
        .with_remote(mta("mail.example.com"), Diagnostic::new("smtp", &[b'.'; 5000]).unwrap())
        .with_retry_until(UnixTime::from_seconds(5));
    recipient.original =
        Mailbox::parse(quoted.as_bytes(), &mailwright_smtp::value::AddressOptions::default())
            .ok()
            .map(|mailbox| Address::from(&mailbox));
    assert!(recipient.original.is_some());
    recipient.extensions.extend(Field::new("X-Long", &"w".repeat(9000)));
    let report = Report::new(mta("mx.example.org"), recipient);
    for utf8 in [false, true] {
        let mut original = Original::default();
        original.smtp_utf8 = utf8;
        let written = write(&report, "<alice@example.org>", &original, b"");
        for line in written.split(|&octet| octet == b'\n') {
            assert!(line.len() <= 999, "{}: {}", line.len(), line.escape_ascii());
        }
        assert_eq!(Report::parse(&written).unwrap().report, report);
    }
}

#[test]
fn of_headers_only_the_header_is_taken_and_cut_at_its_limit() {
    let report = failed("bob@example.com");
    for (content, kept) in [
        (&b"A: b\r\n\r\nbody"[..], &b"A: b\r\n"[..]),
        (b"A: b\n\nbody", b"A: b\r\n"),
        (b"A: b\r\rbody", b"A: b\r\n"),
        (b"A: \0b", b"A:  b"),
        (b"\r\nbody", b""),
        (b"", b""),
        (b"A: b\r\n.\r\n--=_a5\r\n\r\n", b"A: b\r\n.\r\n--=_a5\r\n"),
    ] {
        let written = write(&report, "<alice@example.org>", &Original::default(), content);
        let parsed = Report::parse(&written).unwrap();
        assert_eq!(parsed.returned.unwrap().1.escape_ascii().to_string(), kept.escape_ascii().to_string());
    }
    let mut out = BytesMut::new();
    let mut writer = Writer::start(&report, &letter("<a@b>"), &Original::default(), &mut out);
    let head = out.len();
    let mut taken = 0;
    while writer.wants_original() {
        writer.original(&[b'h'; 10_000], &mut out);
        taken += 1;
    }
    assert!(taken <= 11 && out.len() - head < 103_000);
    writer.original(b"more", &mut out);
    writer.finish(&mut out);
    assert!(out.ends_with(b"h\r\n\r\n--=_a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5--\r\n"));
}

#[test]
fn a_whole_message_may_hold_terminators_and_lines_like_boundaries() {
    let report = failed("bob@example.com");
    let content =
        b"Subject: x\r\nMessage-ID: <m@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
                    Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822;evil@example.com\r\n\
                    Action: failed\r\n--b--\r\n.\r\n--=_a5\r\n--=_a5--\r\n--\r\n\xFF";
    let written = write(&report, "<alice@example.org>", &full(), content);
    let parsed = Report::parse(&written).unwrap();
    assert_eq!(parsed.returned.unwrap(), (Returned::Message, content[..].into()));
    assert_eq!(parsed.report.recipients(), report.recipients());
    assert_eq!(parsed.report.original_message_id.unwrap().as_str(), "<m@x>");
}

#[test]
fn a_thousand_recipients_are_one_report() {
    let mut report = failed("r0@example.com");
    for number in 1..1000 {
        let address = address(&format!("r{number}@example.com"));
        let diagnostic = Diagnostic::new("smtp", &[b'd'; 3000]).unwrap();
        report.push(
            Recipient::new(address, Action::Failed, code(5, 1, 1)).with_remote(mta("m.example"), diagnostic),
        );
    }
    let written = write(&report, "<alice@example.org>", &Original::default(), b"A: b\r\n\r\n");
    assert_eq!(Report::parse(&written).unwrap().report, report);
    let mut limits = ParserLimits::default();
    limits.recipients = 999;
    assert_eq!(Report::parse_with(&written, &limits).unwrap_err(), ParseError::TooMany);
    limits.recipients = 1000;
    limits.status = 1000;
    assert_eq!(Report::parse_with(&written, &limits).unwrap_err(), ParseError::TooLarge);
}

#[test]
fn the_postmaster_without_domain_and_empty_original_recipients_are_addresses_or_none() {
    assert_eq!(Address::from(&ForwardPath::Postmaster).as_str(), "Postmaster");
    let empty: OriginalRecipient = "rfc822;".parse().unwrap();
    assert!(Address::try_from(&empty).is_err());
}

fn any_time() -> impl Strategy<Value = UnixTime> {
    (0_i64..253_402_300_800).prop_map(UnixTime::from_seconds)
}

fn any_mta() -> impl Strategy<Value = MtaName> {
    ("[a-z-]{1,8}", "[!-~]([ -~]{0,30}[!-~])?").prop_map(|(kind, name)| MtaName::new(&kind, &name).unwrap())
}

fn any_address() -> impl Strategy<Value = Address> {
    prop_oneof![
        "[!-~]([ -~]{0,30}[!-~])?".prop_map(|text| Address::new("rfc822", &text).unwrap()),
        "(\\PC|\\\\x\\{FC\\}|\\\\|\\+){1,20}"
            .prop_filter_map("spaces", |text| Address::new("utf-8", &text).ok()),
        ("[a-z]{1,5}", "[!-~]{1,10}").prop_map(|(kind, text)| {
            // The type utf-8 has an encoding of its own.
            Address::new(&format!("x-{kind}"), &text).unwrap()
        }),
    ]
}

fn any_fields() -> impl Strategy<Value = Vec<Field>> {
    let field = ("X-[!-9;-~]{0,10}", ".{0,200}").prop_map(|(name, value)| Field::new(&name, &value).unwrap());
    proptest::collection::vec(field, 0..3)
}

fn any_recipient() -> impl Strategy<Value = Recipient> {
    let action = proptest::sample::select(
        &[Action::Failed, Action::Delayed, Action::Relayed, Action::Delivered, Action::Expanded][..],
    );
    let status = (proptest::sample::select(&[2_u8, 4, 5][..]), 0_u16..1000, 0_u16..1000)
        .prop_map(|(class, subject, detail)| code(class, subject, detail));
    let diagnostic = proptest::collection::vec(any::<u8>(), 1..300)
        .prop_filter_map("spaces", |text| Diagnostic::new("smtp", &text).ok());
    let optional = (
        proptest::option::of(any_address()),
        proptest::option::of(any_address()),
        proptest::option::of((any_mta(), diagnostic)),
        proptest::option::of(any_time()),
        proptest::option::of(any_time()),
        proptest::option::of(".{0,50}"),
    );
    (any_address(), action, status, optional, any_fields()).prop_map(
        |(address, action, status, (original, remote, said, attempt, until, log), extensions)| {
            let mut recipient = Recipient::new(address, action, status);
            recipient.original = original;
            recipient.remote_recipient = remote;
            recipient.last_attempt = attempt;
            recipient.final_log_id = log.map(|text| Text::new(&text));
            recipient.extensions = extensions;
            if let Some((mta, diagnostic)) = said {
                recipient = recipient.with_remote(mta, diagnostic);
            }
            match until {
                Some(time) => recipient.with_retry_until(time),
                None => recipient,
            }
        },
    )
}

fn any_report() -> impl Strategy<Value = Report> {
    let optional = (
        proptest::option::of("[!-~]([ -~]{0,20}[!-~])?".prop_map(|text| EnvelopeId::new(&text).unwrap())),
        proptest::option::of(any_mta()),
        proptest::option::of(any_mta()),
        proptest::option::of(any_time()),
        proptest::option::of("[!-;=?-~]{1,30}".prop_map(|text| MessageId::new(&text).unwrap())),
    );
    (any_mta(), proptest::collection::vec(any_recipient(), 1..5), optional, any_fields()).prop_map(
        |(mta, mut recipients, (envelope_id, gateway, from, arrival, id), extensions)| {
            let mut report = Report::new(mta, recipients.remove(0));
            recipients.into_iter().for_each(|recipient| report.push(recipient));
            report.envelope_id = envelope_id;
            report.gateway = gateway;
            report.received_from = from;
            report.arrival = arrival;
            report.original_message_id = id;
            report.extensions = extensions;
            report
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(report in any_report(), full_wanted: bool) {
        let mut original = full();
        original.smtp_utf8 = true;
        if !full_wanted {
            original.ret = None;
        }
        let content = b"Subject: x\r\n\r\nbody\r\n";
        let written = write(&report, "<alice@example.org>", &original, content);
        let parsed = Report::parse(&written).unwrap();
        prop_assert_eq!(&parsed.report, &report);
        let (returned, octets) = parsed.returned.unwrap();
        prop_assert_eq!(returned, original.returned(report.action()));
        let kept = if returned == Returned::Message { &content[..] } else { b"Subject: x\r\n" };
        prop_assert_eq!(&*octets, kept);
        // In ASCII the same, but for fields whose text is beyond it.
        original.smtp_utf8 = false;
        let written = write(&report, "<alice@example.org>", &original, content);
        prop_assert!(written.is_ascii());
        let ascii = Report::parse(&written).unwrap().report;
        prop_assert_eq!(ascii.recipients().len(), report.recipients().len());
        for (one, other) in ascii.recipients().iter().zip(report.recipients()) {
            prop_assert_eq!(&one.address, &other.address);
            prop_assert_eq!(&one.original, &other.original);
            prop_assert_eq!(one.diagnostic(), other.diagnostic());
        }
    }

    #[test]
    fn pieces_of_the_message_do_not_matter(
        content in proptest::collection::vec(
            prop_oneof![proptest::sample::select(&b"\r\n\0.-a"[..]), any::<u8>()], 0..80),
        cuts in proptest::collection::vec(0_usize..80, 0..10),
        whole: bool,
    ) {
        let report = failed("bob@example.com");
        let original = if whole { full() } else { Original::default() };
        let at_once = write(&report, "<alice@example.org>", &original, &content);
        let mut out = BytesMut::new();
        let mut writer = Writer::start(&report, &letter("<alice@example.org>"), &original, &mut out);
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut rest = &content[..];
        for cut in cuts {
            let (piece, behind) = rest.split_at(cut.min(rest.len()));
            writer.original(piece, &mut out);
            rest = behind;
        }
        writer.original(rest, &mut out);
        writer.finish(&mut out);
        prop_assert_eq!(&out[..], &at_once[..]);
        let bare = at_once.iter().enumerate().any(|(at, &octet)| match octet {
            b'\r' => at_once.get(at + 1) != Some(&b'\n'),
            b'\n' => at == 0 || at_once[at - 1] != b'\r',
            octet => octet == 0,
        });
        prop_assert!(!bare, "a bare CR, a bare LF, or a NUL");
        if !content.iter().any(|octet| b"\r\n\0".contains(octet)) && whole {
            prop_assert_eq!(&*Report::parse(&at_once).unwrap().returned.unwrap().1, &content[..]);
        }
    }

    #[test]
    fn any_octets_are_a_report_or_an_error(
        parts in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(&[
                    "Content-Type: multipart/report; boundary=b\r\n", "Content-Type: multipart/mixed; boundary=\"c\\\r\n",
                    "\r\n", "--b\r\n", "--b--\r\n", "--c\n", "Content-Type: message/delivery-status\r\n",
                    "Final-Recipient: rfc822;a@b\r\n", "Action: failed\r\n", "Status: 5.1.1 (\r\n", " folded\r\n",
                    "Diagnostic-Code: smtp; 550 \u{FC}\r\n", "Arrival-Date: Thu, 31 Feb 0000 23:59:60 -9959\r\n",
                    "Content-Transfer-Encoding: base64\r\n", "Content-Transfer-Encoding: quoted-printable\r\n", "=\r\n",
                ][..]).prop_map(|text| text.as_bytes().to_vec()),
                proptest::collection::vec(any::<u8>(), 0..8),
            ], 0..30),
    ) {
        let message = parts.concat();
        if let Ok(parsed) = Report::parse(&message) {
            // What was read can be written, and is then the same, but for fields that could not be read.
            let mut original = full();
            original.smtp_utf8 = true;
            let written = write(&parsed.report, "<alice@example.org>", &original, b"");
            let again = Report::parse(&written).unwrap().report;
            prop_assert_eq!(write(&again, "<alice@example.org>", &original, b""), written);
        }
    }
}

#[test]
fn why_it_failed_here_is_told_in_words() {
    let recipient = |reason: Option<&str>| {
        let address = Address::from(&"bob@b.test".parse::<Mailbox>().unwrap());
        let mut recipient = Recipient::new(address, Action::Failed, EnhancedCode::new(5, 0, 0).unwrap());
        recipient.reason = reason.map(Text::new);
        recipient
    };
    let written = |recipient| {
        let report = Report::new(MtaName::dns(&"a.test".parse().unwrap()).unwrap(), recipient);
        String::from_utf8(write(&report, "<s@a.test>", &Original::default(), b"")).unwrap()
    };
    assert!(written(recipient(None)).contains("  bob@b.test\r\n    status 5.0.0\r\n"));
    let text = written(recipient(Some("no longer\r\nwanted")));
    assert!(text.contains("  bob@b.test\r\n    no longer wanted\r\n"), "{text}");
}
