//! What writing and reading reports allocates, in octets: the message that is returned passes through in constant
//! memory, and a hostile report is read in memory proportional to its limits.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use bytes::BytesMut;
use mailwright_smtp::dsn::{
    Action, Address, Letter, MtaName, Original, ParseError, ParserLimits, Recipient, Report, Writer,
};
use mailwright_smtp::types::{EnhancedCode, Return};
use mailwright_smtp::value::{Mailbox, UnixTime};

/// Octets that `work` allocates in all, freed or not, in this thread.
fn allocated<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let mut result = None;
    let counted = allocation_counter::measure(|| result = Some(work()));
    (result.unwrap(), counted.bytes_total)
}

fn report() -> Report {
    let bob: Mailbox = "bob@example.com".parse().unwrap();
    let recipient = Recipient::new(Address::from(&bob), Action::Failed, EnhancedCode::new(5, 1, 1).unwrap());
    Report::new(MtaName::dns(&"mx.example.org".parse().unwrap()).unwrap(), recipient)
}

#[test]
fn the_message_passes_through_without_allocation() {
    let host = "mx.example.org".parse().unwrap();
    let sender = "<alice@example.org>".parse().unwrap();
    let letter = Letter::new(&sender, &host, UnixTime::default(), [1; 32]).unwrap();
    let mut original = Original::default();
    (original.ret, original.size) = (Some(Return::Full), Some(1_000_000));
    let report = report();
    let mut out = BytesMut::with_capacity(65_536);
    let mut writer = Writer::start(&report, &letter, &original, &mut out);
    let mut passed = 0;
    let chunk = [b"line\r\n.\r\nbare\rbare\n\0--=_".as_slice(); 40].concat();
    let ((), octets) = allocated(|| {
        for _ in 0..1000 {
            out.clear();
            writer.original(&chunk, &mut out);
            passed += out.len();
        }
    });
    assert_eq!(octets, 0);
    assert!((900_000..=1_048_600).contains(&passed), "{passed}");
}

#[test]
fn hostile_reports_are_read_in_bounded_memory() {
    let status = |fields: &str| {
        format!(
            "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n{fields}"
        )
    };
    let recipient = "Final-Recipient: rfc822;a@b\r\nStatus: 5.1.1\r\n";
    let megabyte = "x".repeat(1 << 20);
    let nested: String = (0..100_000)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"))
        .collect();
    let cases = [
        ("one header field", format!("A: {megabyte}\r\n\r\n"), Err(ParseError::TooLarge)),
        ("a header of folds", format!("A: x\r\n{}\r\n", " x\r\n".repeat(300_000)), Err(ParseError::TooLarge)),
        ("a header of fields", format!("{}\r\n", "A: x\r\n".repeat(300_000)), Err(ParseError::TooLarge)),
        ("nested multiparts", nested, Err(ParseError::NotAReport)),
        ("a field of the report", status(&format!("{recipient}X-A: {megabyte}\r\n")), Ok(1)),
        (
            "an address",
            status(&format!("Final-Recipient: rfc822;{megabyte}\r\nStatus: 5.1.1\r\n")),
            Err(ParseError::NoRecipients),
        ),
        ("fields", status(&format!("{recipient}{}", "X-A: b\r\n".repeat(100_000))), Err(ParseError::TooMany)),
        ("recipients", status(&format!("{recipient}\r\n").repeat(20_000)), Err(ParseError::TooMany)),
        (
            "the report",
            status(&format!("{recipient}X: {megabyte}{megabyte}{megabyte}{megabyte}\r\n")),
            Err(ParseError::TooLarge),
        ),
        (
            "parts",
            format!("Content-Type: multipart/report; boundary=b\r\n\r\n{}", "--b\r\n\r\n".repeat(200_000)),
            Err(ParseError::NotAReport),
        ),
        (
            "lines like delimiters",
            status(&format!("{recipient}\r\n--b--\r\n{}", "--b\r\n--bb\r\n".repeat(3))),
            Ok(1),
        ),
    ];
    for (name, message, expected) in cases {
        let (read, octets) = allocated(|| Report::parse(message.as_bytes()));
        assert_eq!(read.map(|parsed| parsed.report.recipients().len()), expected, "{name}");
        assert!(octets < 3 << 20, "{name}: {octets} octets for {}", message.len());
    }
}

#[test]
fn the_bounds_are_those_of_the_limits() {
    let mut limits = ParserLimits::default();
    (limits.recipients, limits.extensions, limits.header) = (10, 10, 1000);
    let message = format!(
        "Content-Type: message/delivery-status\r\n\r\n{}",
        "Final-Recipient: rfc822;a@b\r\nStatus: 5.1.1\r\n\r\n".repeat(100_000)
    );
    let (read, octets) = allocated(|| Report::parse_with(message.as_bytes(), &limits).err());
    assert_eq!(read, Some(ParseError::TooLarge));
    assert!(octets < 10_000, "{octets}");
    limits.status = usize::MAX;
    let (read, octets) = allocated(|| Report::parse_with(message.as_bytes(), &limits).err());
    assert_eq!(read, Some(ParseError::TooMany));
    assert!(octets < 20_000, "{octets}");
}
