//! What FETCH can ask for: [`FetchAttribute`], [`Section`], [`Partial`]. RFC 9051 §6.4.5, RFC 3501 §6.4.5.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use bytes::{BufMut as _, BytesMut};

use super::string::OctetString;
use crate::encode::{Literals, put_astring, put_number};

/// Something about a message that FETCH tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchAttribute {
    /// `BODY`: the structure without extension data.
    Body,
    /// `BODY[…]` or `BODY.PEEK[…]`.
    BodySection {
        /// Whether `\Seen` stays as it is.
        peek: bool,
        /// Which part.
        section: Section,
        /// Which octets of it.
        partial: Option<Partial>,
    },
    /// `BINARY[…]` or `BINARY.PEEK[…]`: a part without its transfer encoding (RFC 3516 §4.2).
    Binary {
        /// Whether `\Seen` stays as it is.
        peek: bool,
        /// Which part.
        part: SectionPart,
        /// Which octets of it.
        partial: Option<Partial>,
    },
    /// `BINARY.SIZE[…]`: how many octets that has.
    BinarySize(SectionPart),
    /// `BODYSTRUCTURE`.
    BodyStructure,
    /// `EMAILID` (RFC 8474 §5.1).
    EmailId,
    /// `ENVELOPE`.
    Envelope,
    /// `FLAGS`.
    Flags,
    /// `INTERNALDATE`.
    InternalDate,
    /// `MODSEQ` (RFC 7162 §3.1.4.2).
    ModSeq,
    /// `PREVIEW` (RFC 8970 §3.1).
    Preview {
        /// LAZY: only if it is at hand.
        lazy: bool,
    },
    /// `RFC822`: `BODY[]` by another name.
    Rfc822,
    /// `RFC822.HEADER`: `BODY.PEEK[HEADER]` by another name.
    Rfc822Header,
    /// `RFC822.SIZE`.
    Rfc822Size,
    /// `RFC822.TEXT`: `BODY[TEXT]` by another name.
    Rfc822Text,
    /// `SAVEDATE` (RFC 8514 §4.1).
    SaveDate,
    /// `THREADID` (RFC 8474 §5.2).
    ThreadId,
    /// `UID`.
    Uid,
    /// `X-GM-LABELS`.
    GmailLabels,
    /// `X-GM-MSGID`.
    GmailMessageId,
    /// `X-GM-THRID`.
    GmailThreadId,
}

impl FetchAttribute {
    /// `ALL`.
    pub const ALL: [Self; 4] = [Self::Flags, Self::InternalDate, Self::Rfc822Size, Self::Envelope];
    /// `FAST`.
    pub const FAST: [Self; 3] = [Self::Flags, Self::InternalDate, Self::Rfc822Size];
    /// `FULL`.
    pub const FULL: [Self; 5] =
        [Self::Flags, Self::InternalDate, Self::Rfc822Size, Self::Envelope, Self::Body];

    /// Whether telling it sets `\Seen` (RFC 3501 §6.4.5, RFC 3516 §4.2).
    #[must_use]
    pub const fn sets_seen(&self) -> bool {
        matches!(
            self,
            Self::BodySection { peek: false, .. }
                | Self::Binary { peek: false, .. }
                | Self::Rfc822
                | Self::Rfc822Text
        )
    }

    /// Writes it as a command does.
    pub(crate) fn encode(&self, literals: &mut Literals<'_>) {
        let name: &[u8] = match self {
            Self::Body => b"BODY",
            Self::BodySection { peek, section, partial } => {
                literals.wire().put_slice(if *peek { b"BODY.PEEK" } else { b"BODY" });
                section.encode(literals);
                if let Some(partial) = partial {
                    partial.encode(literals.wire());
                }
                return;
            }
            Self::Binary { peek, part, partial } => {
                literals.wire().put_slice(if *peek { b"BINARY.PEEK" } else { b"BINARY" });
                put_part(part, literals.wire());
                if let Some(partial) = partial {
                    partial.encode(literals.wire());
                }
                return;
            }
            Self::BinarySize(part) => {
                literals.wire().put_slice(b"BINARY.SIZE");
                return put_part(part, literals.wire());
            }
            Self::BodyStructure => b"BODYSTRUCTURE",
            Self::EmailId => b"EMAILID",
            Self::Envelope => b"ENVELOPE",
            Self::Flags => b"FLAGS",
            Self::InternalDate => b"INTERNALDATE",
            Self::ModSeq => b"MODSEQ",
            Self::Preview { lazy: false } => b"PREVIEW",
            Self::Preview { lazy: true } => b"PREVIEW (LAZY)",
            Self::Rfc822 => b"RFC822",
            Self::Rfc822Header => b"RFC822.HEADER",
            Self::Rfc822Size => b"RFC822.SIZE",
            Self::Rfc822Text => b"RFC822.TEXT",
            Self::SaveDate => b"SAVEDATE",
            Self::ThreadId => b"THREADID",
            Self::Uid => b"UID",
            Self::GmailLabels => b"X-GM-LABELS",
            Self::GmailMessageId => b"X-GM-MSGID",
            Self::GmailThreadId => b"X-GM-THRID",
        };
        literals.wire().put_slice(name);
    }
}

/// A part of a message: what stands between the brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Section {
    /// Part numbers from the outside in; none is the message itself.
    pub part: SectionPart,
    /// What of the part; `None` is all of it.
    pub text: Option<SectionText>,
}

/// Part numbers from the outside in.
pub type SectionPart = Vec<NonZeroU32>;

/// What of a part.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SectionText {
    /// `HEADER`.
    Header,
    /// `HEADER.FIELDS` or `HEADER.FIELDS.NOT`.
    HeaderFields {
        /// Whether the fields of these names are left out instead.
        not: bool,
        /// The names.
        names: Vec<OctetString>,
    },
    /// `MIME`: the header of a part that is no message.
    Mime,
    /// `TEXT`.
    Text,
}

impl Section {
    /// The whole message.
    #[must_use]
    pub fn whole() -> Self {
        Self::default()
    }

    /// `part` and what of it.
    #[must_use]
    pub const fn new(part: SectionPart, text: Option<SectionText>) -> Self {
        Self { part, text }
    }

    /// Writes it with its brackets.
    pub(crate) fn encode(&self, literals: &mut Literals<'_>) {
        let wire = literals.wire();
        wire.put_u8(b'[');
        put_numbers(&self.part, wire);
        if let Some(text) = &self.text {
            if !self.part.is_empty() {
                wire.put_u8(b'.');
            }
            wire.put_slice(match text {
                SectionText::Header => b"HEADER",
                SectionText::HeaderFields { not: false, .. } => b"HEADER.FIELDS",
                SectionText::HeaderFields { not: true, .. } => b"HEADER.FIELDS.NOT",
                SectionText::Mime => b"MIME",
                SectionText::Text => b"TEXT",
            });
            if let SectionText::HeaderFields { names, .. } = text {
                for (index, name) in names.iter().enumerate() {
                    literals.wire().put_slice(if index == 0 { b" (" } else { b" " });
                    put_astring(name.as_bytes(), literals);
                }
                literals.wire().put_u8(b')');
            }
        }
        literals.wire().put_u8(b']');
    }
}

/// `[1.2]`
pub(crate) fn put_part(part: &[NonZeroU32], wire: &mut BytesMut) {
    wire.put_u8(b'[');
    put_numbers(part, wire);
    wire.put_u8(b']');
}

/// Numbers with dots between.
fn put_numbers(part: &[NonZeroU32], wire: &mut BytesMut) {
    for (index, number) in part.iter().enumerate() {
        if index > 0 {
            wire.put_u8(b'.');
        }
        put_number(u64::from(number.get()), wire);
    }
}

/// Octets of a section: `<first.count>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9051 §9 has no more")]
pub struct Partial {
    /// The first octet, from 0.
    pub first: u64,
    /// How many octets; at least 1.
    pub count: u64,
}

impl Partial {
    fn encode(self, wire: &mut BytesMut) {
        wire.put_u8(b'<');
        put_number(self.first, wire);
        wire.put_u8(b'.');
        put_number(self.count, wire);
        wire.put_u8(b'>');
    }
}
