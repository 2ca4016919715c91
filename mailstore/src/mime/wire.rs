//! [`WireForm`]: a response item as it goes over the wire, but for the strings that each session may want
//! in another form.
//!
//! RFC 3501 §9 and RFC 9051 §9 (`string`, `nstring`, `quoted`, `literal`). A form is a list of pieces. Most
//! of it is one piece of finished text; a string that holds octets above 127, or is long, is a piece of its
//! own, to be sent as a literal, or as a quoted string where the session allows it. Every piece says which
//! sessions see it, so that BODY and BODYSTRUCTURE, with and without `message/global`, are one form.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::stored::{Cursor, put_number};

/// Longer strings are pieces of their own: nobody wants to receive them within a line.
const MOST_QUOTED: usize = 1000;

/// Which of the forms that are stored together is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct View {
    /// BODYSTRUCTURE: with extension data. Otherwise BODY.
    pub extensible: bool,
    /// The session has enabled IMAP4rev2 or UTF8=ACCEPT: parts of type `message/global` are entered.
    pub global: bool,
}

impl View {
    /// BODY for IMAP4rev1.
    pub const BODY: Self = Self { extensible: false, global: false };
    /// BODYSTRUCTURE for IMAP4rev1.
    pub const BODYSTRUCTURE: Self = Self { extensible: true, global: false };

    /// The same for a session that has enabled IMAP4rev2 or UTF8=ACCEPT.
    #[must_use]
    pub const fn with_global(self) -> Self {
        Self { global: true, ..self }
    }
}

/// Who sees a piece: the conditions that a [`View`] must meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Audience(u8);

impl Audience {
    pub(super) const ALL: Self = Self(0);
    /// BODYSTRUCTURE only.
    pub(super) const EXTENSIBLE: Self = Self(2);
    /// Sessions that enter `message/global`.
    pub(super) const ENTERED: Self = Self(4);
    /// The others.
    pub(super) const CLOSED: Self = Self(8);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn is_empty(self) -> bool {
        self.has(Self::ENTERED) && self.has(Self::CLOSED)
    }

    const fn sees(self, view: View) -> bool {
        (view.extensible || !self.has(Self::EXTENSIBLE))
            && (view.global || !self.has(Self::ENTERED))
            && !(view.global && self.has(Self::CLOSED))
    }
}

/// The bit of a stored piece that makes it a string.
const STRING: u8 = 1;
const KNOWN: u8 = 15;

/// A piece of a [`WireForm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a session that ignored a kind of piece would send rubbish")]
pub enum Piece<'a> {
    /// To be sent as it is. US-ASCII without NUL, CR and LF.
    Wire(&'a [u8]),
    /// The octets of a string, without NUL, CR and LF: to be sent as a literal, or as a quoted string if
    /// they are US-ASCII, or UTF-8 and the session has enabled it.
    String(&'a [u8]),
}

/// A response item in wire form.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct WireForm(Bytes);

impl WireForm {
    /// Its pieces for a session.
    pub fn pieces(&self, view: View) -> impl Iterator<Item = Piece<'_>> {
        Stored(Cursor::new(&self.0))
            .filter(move |(audience, _, _)| audience.sees(view))
            .map(|(_, string, octets)| if string { Piece::String(octets) } else { Piece::Wire(octets) })
    }

    /// Appends it for a session; strings that [need it](Piece::String) as literals.
    pub fn write_to(&self, view: View, into: &mut Vec<u8>) {
        for piece in self.pieces(view) {
            match piece {
                Piece::Wire(octets) => into.extend_from_slice(octets),
                Piece::String(octets) => {
                    into.push(b'{');
                    put_decimal(octets.len() as u64, into);
                    into.extend_from_slice(b"}\r\n");
                    into.extend_from_slice(octets);
                }
            }
        }
    }

    /// The stored form.
    pub(super) const fn stored(&self) -> &Bytes {
        &self.0
    }

    /// Reads a stored form; `None` if it is damaged.
    pub(super) fn from_stored(stored: Bytes) -> Option<Self> {
        let mut cursor = Cursor::new(&stored);
        while !cursor.is_empty() {
            let kind = cursor.octet()?;
            let octets = cursor.octets()?;
            let broken = memchr::memchr3(0, b'\r', b'\n', octets).is_some();
            if kind > KNOWN || broken || (kind & STRING == 0 && !octets.is_ascii()) {
                return None;
            }
        }
        Some(Self(stored))
    }
}

impl fmt::Debug for WireForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireForm").field("octets", &self.0.len()).finish_non_exhaustive()
    }
}

/// The pieces of a stored form: audience, whether it is a string, octets.
struct Stored<'a>(Cursor<'a>);

impl<'a> Iterator for Stored<'a> {
    type Item = (Audience, bool, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let kind = self.0.octet()?;
        Some((Audience(kind & !STRING), kind & STRING != 0, self.0.octets()?))
    }
}

/// Writes a [`WireForm`]. Neighbouring text for the same audience becomes one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Writer {
    octets: Vec<u8>,
    /// Kind and end of each piece.
    pieces: Vec<(u8, usize)>,
}

impl Writer {
    pub(super) const fn new() -> Self {
        Self { octets: Vec::new(), pieces: Vec::new() }
    }

    /// One that is likely to hold this many octets.
    pub(super) fn with_capacity(octets: usize) -> Self {
        Self { octets: Vec::with_capacity(octets), pieces: Vec::new() }
    }

    /// How many octets it holds.
    pub(super) fn len(&self) -> usize {
        self.octets.len()
    }

    /// Appends finished text.
    pub(super) fn wire(&mut self, audience: Audience, text: &[u8]) {
        self.octets.extend_from_slice(text);
        self.end_piece(audience.0);
    }

    fn end_piece(&mut self, kind: u8) {
        let end = self.octets.len();
        match self.pieces.last_mut() {
            Some((last, last_end)) if *last == kind && kind & STRING == 0 => *last_end = end,
            _ => self.pieces.push((kind, end)),
        }
    }

    /// Appends a number.
    pub(super) fn number(&mut self, audience: Audience, number: u64) {
        put_decimal(number, &mut self.octets);
        self.end_piece(audience.0);
    }

    /// Appends a string. NUL and line breaks are left out: no string but a literal may hold them, and a NUL
    /// not even that (RFC 3501 §9, `CHAR8`).
    pub(super) fn string(&mut self, audience: Audience, octets: &[u8]) {
        let kept = octets.iter().copied().filter(|octet| !matches!(octet, 0 | b'\r' | b'\n'));
        if octets.len() > MOST_QUOTED || !octets.is_ascii() {
            self.octets.extend(kept);
            self.end_piece(audience.0 | STRING);
            return;
        }
        self.octets.push(b'"');
        for octet in kept {
            if matches!(octet, b'"' | b'\\') {
                self.octets.push(b'\\');
            }
            self.octets.push(octet);
        }
        self.octets.push(b'"');
        self.end_piece(audience.0);
    }

    /// Appends a string or NIL.
    pub(super) fn nstring(&mut self, audience: Audience, octets: Option<&[u8]>) {
        match octets {
            Some(octets) => self.string(audience, octets),
            None => self.wire(audience, b"NIL"),
        }
    }

    /// Appends another form for those of its audience that are also in `audience`.
    pub(super) fn append(&mut self, audience: Audience, other: &Self) {
        let mut start = 0;
        for (kind, end) in &other.pieces {
            let piece = other.octets.get(start..*end).unwrap_or_default();
            start = *end;
            let both = Audience(*kind & !STRING).and(audience);
            if !both.is_empty() {
                self.octets.extend_from_slice(piece);
                self.end_piece(both.0 | (*kind & STRING));
            }
        }
    }

    /// The finished form.
    pub(super) fn finish(self) -> WireForm {
        let mut stored = Vec::with_capacity(self.octets.len() + 4 * self.pieces.len());
        let mut start = 0;
        for (kind, end) in self.pieces {
            stored.push(kind);
            put_number((end - start) as u64, &mut stored);
            stored.extend_from_slice(self.octets.get(start..end).unwrap_or_default());
            start = end;
        }
        WireForm(stored.into())
    }
}

/// Appends a number in decimal digits.
fn put_decimal(mut number: u64, into: &mut Vec<u8>) {
    let start = into.len();
    loop {
        into.push(b'0' + u8::try_from(number % 10).unwrap_or(0));
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if let Some(digits) = into.get_mut(start..) {
        digits.reverse();
    }
}
