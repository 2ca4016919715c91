//! Delivery status notifications: any octets read, and written again.

use bytes::BytesMut;
use mailwright_core::value::UnixTime;
use mailwright_smtp::dsn::{Letter, Original, Report, Writer};

use crate::choice;
use crate::wire::pieces;

/// What is read can be written, reads as what is written the same then, and holds no bare line end and no NUL; the pieces of the
/// message that is returned do not matter.
pub fn smtp_dsn(data: &[u8]) {
    let (seed, data) = choice(data);
    let parsed = match Report::parse(data) {
        Ok(parsed) => parsed,
        Err(error) => return drop(format!("{error} {error:?}")),
    };
    let (Ok(sender), Ok(host)) = ("<alice@example.org>".parse(), "mx.example.org".parse()) else { return };
    let Some(letter) = Letter::new(&sender, &host, UnixTime::from_seconds(0), [0x5A; 32]) else { return };
    let mut original = Original::default();
    original.smtp_utf8 = true;
    let content = parsed.returned.as_ref().map_or(&[][..], |(_, octets)| octets);
    let write = |report: &Report, seed: u8| {
        let mut out = BytesMut::new();
        let mut writer = Writer::start(report, &letter, &original, &mut out);
        for piece in pieces(content, seed) {
            writer.original(piece, &mut out);
        }
        writer.finish(&mut out);
        out
    };
    let written = write(&parsed.report, 0);
    assert_eq!(written, write(&parsed.report, seed));
    for (at, octet) in written.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| written.get(before));
        match octet {
            0 => panic!("NUL"),
            b'\r' => assert_eq!(written.get(at + 1), Some(&b'\n')),
            b'\n' => assert_eq!(before, Some(&b'\r')),
            _ => {}
        }
    }
    // Fields that could not be read are kept, and not written.
    let mut again = Report::parse(&written).expect("what was written").report;
    // It is that of the part that is returned, wherever that could be read whole.
    again.original_message_id.clone_from(&parsed.report.original_message_id);
    assert_eq!(write(&again, 0), written);
}
