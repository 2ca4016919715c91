//! [`Envelope`]: the fields of an ENVELOPE one by one, for searching and sorting.
//!
//! Read back from the stored wire form, which is far shorter than a header. RFC 3501 §7.4.2.

use alloc::vec::Vec;

use super::wire::{Piece, View, WireForm};

/// The fields of an ENVELOPE. Encoded words are as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// `Date`
    pub date: Option<Vec<u8>>,
    /// `Subject`
    pub subject: Option<Vec<u8>>,
    /// `From`
    pub from: Vec<EnvelopeAddress>,
    /// `Sender`, or From.
    pub sender: Vec<EnvelopeAddress>,
    /// `Reply-To`, or From.
    pub reply_to: Vec<EnvelopeAddress>,
    /// `To`
    pub to: Vec<EnvelopeAddress>,
    /// `Cc`
    pub cc: Vec<EnvelopeAddress>,
    /// `Bcc`
    pub bcc: Vec<EnvelopeAddress>,
    /// `In-Reply-To`
    pub in_reply_to: Option<Vec<u8>>,
    /// `Message-ID`
    pub message_id: Option<Vec<u8>>,
}

/// An address of an ENVELOPE, or the marker of a group: that has no host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopeAddress {
    /// The name of its owner.
    pub name: Option<Vec<u8>>,
    /// The source route.
    pub route: Option<Vec<u8>>,
    /// The local part; of the marker that begins a group its name.
    pub mailbox: Option<Vec<u8>>,
    /// The domain.
    pub host: Option<Vec<u8>>,
}

impl Envelope {
    /// Reads the wire form; `None` if it is no ENVELOPE.
    pub(super) fn read(form: &WireForm) -> Option<Self> {
        let mut reader = Reader { pieces: form.pieces(View::BODY), wire: b"" };
        reader.expect(b'(')?;
        let envelope = Self {
            date: reader.text()?,
            subject: reader.next_text()?,
            from: reader.next_addresses()?,
            sender: reader.next_addresses()?,
            reply_to: reader.next_addresses()?,
            to: reader.next_addresses()?,
            cc: reader.next_addresses()?,
            bcc: reader.next_addresses()?,
            in_reply_to: reader.next_text()?,
            message_id: reader.next_text()?,
        };
        reader.expect(b')')?;
        Some(envelope)
    }
}

/// What is left of a form.
struct Reader<'a, I> {
    pieces: I,
    wire: &'a [u8],
}

impl<'a, I: Iterator<Item = Piece<'a>>> Reader<'a, I> {
    fn expect(&mut self, octet: u8) -> Option<()> {
        if self.wire.is_empty()
            && let Piece::Wire(wire) = self.pieces.next()?
        {
            self.wire = wire;
        }
        self.wire = self.wire.strip_prefix(&[octet])?;
        Some(())
    }

    fn accept(&mut self, octets: &[u8]) -> bool {
        let rest = self.wire.strip_prefix(octets);
        self.wire = rest.unwrap_or(self.wire);
        rest.is_some()
    }

    /// A string or NIL.
    fn text(&mut self) -> Option<Option<Vec<u8>>> {
        if self.wire.is_empty() {
            match self.pieces.next()? {
                Piece::String(octets) => return Some(Some(octets.to_vec())),
                Piece::Wire(wire) => self.wire = wire,
            }
        }
        if self.accept(b"NIL") {
            return Some(None);
        }
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            let (first, rest) = self.wire.split_first()?;
            self.wire = rest;
            match first {
                b'"' => return Some(Some(text)),
                b'\\' => {
                    let (escaped, rest) = self.wire.split_first()?;
                    self.wire = rest;
                    text.push(*escaped);
                }
                octet => text.push(*octet),
            }
        }
    }

    fn next_text(&mut self) -> Option<Option<Vec<u8>>> {
        self.expect(b' ')?;
        self.text()
    }

    fn next_addresses(&mut self) -> Option<Vec<EnvelopeAddress>> {
        self.expect(b' ')?;
        let mut addresses = Vec::new();
        if self.accept(b"NIL") {
            return Some(addresses);
        }
        self.expect(b'(')?;
        while self.accept(b"(") {
            addresses.push(EnvelopeAddress {
                name: self.text()?,
                route: self.next_text()?,
                mailbox: self.next_text()?,
                host: self.next_text()?,
            });
            self.expect(b')')?;
        }
        self.expect(b')')?;
        Some(addresses)
    }
}
