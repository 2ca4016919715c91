//! [`Structure`]: what the scanner learned of a message, and its stored form.
//!
//! The part tree is one list in the order of the message, each part before its children. The stored form is
//! a version octet and a payload; whoever stores it adds a checksum. Reading it never trusts it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;

use super::envelope_value::Envelope;
use super::limits::Findings;
use super::message_id::MessageIdHash;
use super::stored::{Cursor, put_number, put_octets};
use super::wire::WireForm;

/// The version that this code writes, and the highest that it reads.
const VERSION: u8 = 1;

/// What was learned of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Structure {
    /// Limits passed and lines not understood.
    pub findings: Findings,
    /// ENVELOPE in wire form.
    pub envelope: WireForm,
    /// BODY and BODYSTRUCTURE in wire form.
    pub body: WireForm,
    /// The message-id of the message.
    pub message_id: Option<MessageIdHash>,
    /// Message-ids of In-Reply-To.
    pub in_reply_to: Vec<MessageIdHash>,
    /// Message-ids of References, the nearest last.
    pub references: Vec<MessageIdHash>,
    /// The parts; the message itself is the first. Never empty.
    pub(super) parts: Vec<Part>,
}

/// What a part is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartKind {
    /// Octets that are not looked into.
    Leaf,
    /// Parts.
    Multipart,
    /// A message, `message/rfc822`; its only child is that message.
    Message,
    /// A message, `message/global`, which not every session enters.
    Global,
}

/// What undoes the Content-Transfer-Encoding of a part (RFC 2045 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Nothing: 7bit, 8bit, binary.
    Identity,
    /// Base64.
    Base64,
    /// Quoted-printable.
    QuotedPrintable,
    /// Nobody knows.
    Unknown,
}

impl Encoding {
    pub(super) fn of(name: &[u8]) -> Self {
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        match () {
            () if is(&["7bit", "8bit", "binary"]) => Self::Identity,
            () if is(&["base64"]) => Self::Base64,
            () if is(&["quoted-printable"]) => Self::QuotedPrintable,
            () => Self::Unknown,
        }
    }
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Where its header begins.
    pub header_start: u64,
    /// Where its body begins.
    pub body_start: u64,
    /// Where it ends.
    pub end: u64,
    /// Octets of the empty line that ends its header: 2, 1, or 0 if there is none.
    pub empty_line: u8,
    /// Lines of its body.
    pub lines: u64,
    /// The part that it is in.
    pub parent: Option<usize>,
    /// What it is made of.
    pub kind: PartKind,
    /// What undoes its encoding.
    pub encoding: Encoding,
    /// Its type, as written or implied.
    pub media_type: Box<[u8]>,
    /// Its subtype, as written or implied.
    pub subtype: Box<[u8]>,
    /// The charset that it names.
    pub charset: Option<Box<[u8]>>,
    /// Behind the last part in it.
    pub(super) subtree_end: usize,
}

impl Part {
    /// The octets of its header, with the empty line.
    #[must_use]
    pub const fn header(&self) -> Range<u64> {
        self.header_start..self.body_start
    }

    /// The octets of its body.
    #[must_use]
    pub const fn body(&self) -> Range<u64> {
        self.body_start..self.end
    }

    /// Whether it is of this type, in any case.
    #[must_use]
    pub fn is_type(&self, media_type: &str, subtype: &str) -> bool {
        self.media_type.eq_ignore_ascii_case(media_type.as_bytes())
            && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }
}

/// Why a stored structure cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StructureError {
    /// It is not what was written.
    #[error("the stored structure of a message is damaged")]
    Damaged,
    /// A later version wrote it.
    #[error("the stored structure of a message has version {found}; the highest known is {VERSION}")]
    Newer {
        /// Its version.
        found: u8,
    },
}

impl Structure {
    /// The parts; the message itself is the first, and each comes before its children.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Octets of the message.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.parts.first().map_or(0, |part| part.end)
    }

    /// The structure of the message with `octets` more in front: whole lines, which become part of its header.
    #[must_use]
    pub fn behind(mut self, octets: u64) -> Self {
        for (index, part) in self.parts.iter_mut().enumerate() {
            if index > 0 {
                part.header_start = part.header_start.saturating_add(octets);
            }
            part.body_start = part.body_start.saturating_add(octets);
            part.end = part.end.saturating_add(octets);
        }
        self
    }

    /// The fields of the ENVELOPE.
    ///
    /// # Errors
    /// The wire form was read from a store and is no ENVELOPE.
    pub fn envelope_fields(&self) -> Result<Envelope, StructureError> {
        Envelope::read(&self.envelope).ok_or(StructureError::Damaged)
    }

    /// The stored form.
    #[must_use]
    pub fn to_stored(&self) -> Bytes {
        let mut stored = Vec::with_capacity(64 + self.envelope.stored().len() + self.body.stored().len());
        stored.push(VERSION);
        put_octets(self.envelope.stored(), &mut stored);
        put_octets(self.body.stored(), &mut stored);
        put_number(self.findings.bits().into(), &mut stored);
        let own: &[MessageIdHash] = self.message_id.as_slice();
        for hashes in [own, &self.in_reply_to, &self.references] {
            put_number(hashes.len() as u64, &mut stored);
            hashes.iter().for_each(|hash| stored.extend_from_slice(hash.as_bytes()));
        }
        for part in &self.parts {
            part.write(&mut stored);
        }
        stored.into()
    }

    /// Reads a stored form.
    ///
    /// # Errors
    /// See [`StructureError`].
    pub fn from_stored(stored: &Bytes) -> Result<Self, StructureError> {
        let mut cursor = payload(stored)?;
        Self::read(stored, &mut cursor).ok_or(StructureError::Damaged)
    }

    /// Reads only the ENVELOPE of a stored form.
    ///
    /// # Errors
    /// See [`StructureError`].
    pub fn envelope_from_stored(stored: &Bytes) -> Result<WireForm, StructureError> {
        let mut cursor = payload(stored)?;
        wire_form(stored, &mut cursor).ok_or(StructureError::Damaged)
    }

    /// Reads only BODY and BODYSTRUCTURE of a stored form.
    ///
    /// # Errors
    /// See [`StructureError`].
    pub fn body_from_stored(stored: &Bytes) -> Result<WireForm, StructureError> {
        let mut cursor = payload(stored)?;
        cursor.octets().and_then(|_| wire_form(stored, &mut cursor)).ok_or(StructureError::Damaged)
    }

    /// Reads only the findings of a stored form.
    ///
    /// # Errors
    /// See [`StructureError`].
    pub fn findings_from_stored(stored: &Bytes) -> Result<Findings, StructureError> {
        let mut cursor = payload(stored)?;
        let mut findings = || {
            cursor.octets()?;
            cursor.octets()?;
            Findings::from_bits(u16::try_from(cursor.number()?).ok()?)
        };
        findings().ok_or(StructureError::Damaged)
    }

    fn read(stored: &Bytes, cursor: &mut Cursor<'_>) -> Option<Self> {
        let envelope = wire_form(stored, cursor)?;
        let body = wire_form(stored, cursor)?;
        let findings = Findings::from_bits(cursor.number()?.try_into().ok()?)?;
        let message_id = hashes(cursor)?;
        if message_id.len() > 1 {
            return None;
        }
        let in_reply_to = hashes(cursor)?;
        let references = hashes(cursor)?;
        let mut parts = Vec::new();
        while !cursor.is_empty() {
            parts.push(Part::read(cursor)?);
        }
        let message_id = message_id.first().copied();
        check(&mut parts)?;
        Some(Self { findings, envelope, body, message_id, in_reply_to, references, parts })
    }
}

/// Reads the version octet.
fn payload(stored: &Bytes) -> Result<Cursor<'_>, StructureError> {
    let mut cursor = Cursor::new(stored);
    match cursor.octet() {
        Some(VERSION) => Ok(cursor),
        Some(0) | None => Err(StructureError::Damaged),
        Some(found) => Err(StructureError::Newer { found }),
    }
}

fn wire_form(stored: &Bytes, cursor: &mut Cursor<'_>) -> Option<WireForm> {
    WireForm::from_stored(stored.slice_ref(cursor.octets()?))
}

fn hashes(cursor: &mut Cursor<'_>) -> Option<Vec<MessageIdHash>> {
    let count = cursor.number()?;
    // Memory grows only as they are read.
    let mut hashes = Vec::new();
    for _ in 0..count {
        hashes.push(MessageIdHash(cursor.array()?));
    }
    Some(hashes)
}

impl Part {
    fn write(&self, into: &mut Vec<u8>) {
        let kind = match self.kind {
            PartKind::Leaf => 0,
            PartKind::Multipart => 1,
            PartKind::Message => 2,
            PartKind::Global => 3,
        };
        let encoding = match self.encoding {
            Encoding::Identity => 0,
            Encoding::Base64 => 1,
            Encoding::QuotedPrintable => 2,
            Encoding::Unknown => 3,
        };
        into.push(kind | encoding << 2 | self.empty_line << 4 | u8::from(self.charset.is_some()) << 6);
        // The root has no parent; any other has one before it.
        put_number(self.parent.map_or(0, |parent| parent as u64 + 1), into);
        for number in
            [self.header_start, self.body_start - self.header_start, self.end - self.body_start, self.lines]
        {
            put_number(number, into);
        }
        put_octets(&self.media_type, into);
        put_octets(&self.subtype, into);
        if let Some(charset) = &self.charset {
            put_octets(charset, into);
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let octet = cursor.octet()?;
        let kind = match octet & 3 {
            0 => PartKind::Leaf,
            1 => PartKind::Multipart,
            2 => PartKind::Message,
            _ => PartKind::Global,
        };
        let encoding = match octet >> 2 & 3 {
            0 => Encoding::Identity,
            1 => Encoding::Base64,
            2 => Encoding::QuotedPrintable,
            _ => Encoding::Unknown,
        };
        let parent = cursor.number()?.checked_sub(1);
        let header_start = cursor.number()?;
        let body_start = header_start.checked_add(cursor.number()?)?;
        let end = body_start.checked_add(cursor.number()?)?;
        let part = Self {
            header_start,
            body_start,
            end,
            empty_line: octet >> 4 & 3,
            lines: cursor.number()?,
            parent: parent.map(usize::try_from).transpose().ok()?,
            kind,
            encoding,
            media_type: cursor.octets()?.into(),
            subtype: cursor.octets()?.into(),
            charset: if octet & 0x40 == 0 { None } else { Some(cursor.octets()?.into()) },
            subtree_end: 0,
        };
        let valid =
            octet < 0x80 && u64::from(part.empty_line) <= body_start - header_start && part.empty_line < 3;
        valid.then_some(part)
    }
}

/// Checks that parts form a tree whose ranges lie within each other and in order, and notes where each
/// subtree ends; `None` if they do not.
fn check(parts: &mut [Part]) -> Option<()> {
    let count = parts.len();
    // The parts that are open, with the place behind what is known of them.
    let mut open: Vec<(usize, u64)> = Vec::new();
    for index in 0..count {
        let part = parts.get(index)?;
        let (parent, start, end, body) = (part.parent, part.header_start, part.end, part.body_start);
        while let Some((ended, _)) = open.last().filter(|(outer, _)| Some(*outer) != parent) {
            parts.get_mut(*ended)?.subtree_end = index;
            open.pop();
        }
        match open.last_mut() {
            None if index == 0 && parent.is_none() && start == 0 => {}
            Some((outer, known)) if start >= *known => {
                let outer_part = parts.get(*outer)?;
                let only_child =
                    !matches!(outer_part.kind, PartKind::Message | PartKind::Global) || index == *outer + 1;
                if outer_part.kind == PartKind::Leaf || end > outer_part.end || !only_child {
                    return None;
                }
                *known = end;
            }
            _ => return None,
        }
        open.push((index, body));
    }
    for (outer, _) in open {
        parts.get_mut(outer)?.subtree_end = count;
    }
    // Whatever is entered has something in it.
    let empty = |(index, part): (usize, &Part)| part.kind != PartKind::Leaf && part.subtree_end == index + 1;
    (count > 0 && !parts.iter().enumerate().any(empty)).then_some(())
}
