//! The wire form of an ENVELOPE.
//!
//! RFC 3501 §7.4.2, RFC 9051 §7.5.2. Encoded words stay as they are.

use super::address;
use super::header::{Field, Fields};
use super::lexer::trim;
use super::limits::{Findings, Limits};
use super::wire::{Audience, Writer};

/// Most ENVELOPEs are shorter.
const LIKELY: usize = 512;

/// Writes the ENVELOPE of a message.
pub(super) fn write(fields: &Fields, limits: &Limits, findings: &mut Findings) -> Writer {
    let mut out = Writer::with_capacity(LIKELY);
    let text = |out: &mut Writer, field| out.nstring(Audience::ALL, fields.get(field).map(trim));
    out.wire(Audience::ALL, b"(");
    text(&mut out, Field::Date);
    out.wire(Audience::ALL, b" ");
    text(&mut out, Field::Subject);
    let from = addresses(fields, Field::From, limits, findings);
    for field in [Field::From, Field::Sender, Field::ReplyTo, Field::To, Field::Cc, Field::Bcc] {
        out.wire(Audience::ALL, b" ");
        let own = match field {
            Field::From => Writer::new(),
            _ => addresses(fields, field, limits, findings),
        };
        // RFC 9051 §7.5.2: "If the Sender or Reply-To header lines are absent in the [RFC5322] header, or are
        // present but empty, the server sets the corresponding member of the envelope to be the same value as
        // the from member".
        let default = matches!(field, Field::From | Field::Sender | Field::ReplyTo);
        let shown = if own.len() == 0 && default { &from } else { &own };
        match shown.len() {
            0 => out.wire(Audience::ALL, b"NIL"),
            _ => out.append(Audience::ALL, shown),
        }
    }
    out.wire(Audience::ALL, b" ");
    text(&mut out, Field::InReplyTo);
    out.wire(Audience::ALL, b" ");
    text(&mut out, Field::MessageId);
    out.wire(Audience::ALL, b")");
    out
}

fn addresses(fields: &Fields, field: Field, limits: &Limits, findings: &mut Findings) -> Writer {
    let mut list = Writer::new();
    if address::write(fields.all(field), limits.addresses, &mut list) {
        *findings |= Findings::ADDRESSES;
    }
    list
}
