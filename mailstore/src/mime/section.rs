//! Sections of a message as ranges of its octets.
//!
//! RFC 3501 §6.4.5, RFC 9051 §6.4.5 and §6.4.5.1 (`section-spec`, part numbers). [`Section::find`] needs only
//! the [`Structure`]; for a choice of header fields the octets of that header are fed to a
//! [`FieldSelector`]. [`partial`] cuts `<origin.count>` out of any result. The host sends the octets; that
//! literals hold no NUL is its concern.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ops::Range;

use super::lexer::is_space;
use super::structure::{Part, PartKind, Structure};
use super::wire::View;

/// A section of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// Numbers of parts, from the outside; none for the message itself.
    pub part: Vec<u32>,
    /// What of it.
    pub text: SectionText,
}

/// What of a message or part a section is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the sections are closed: RFC 9051 §9, section-text")]
pub enum SectionText {
    /// All of the message; the body of a part.
    #[default]
    All,
    /// `HEADER`: the header of the message.
    Header,
    /// `HEADER.FIELDS`: these fields of the header of the message.
    HeaderFields(Vec<Box<[u8]>>),
    /// `HEADER.FIELDS.NOT`: all fields but these.
    HeaderFieldsNot(Vec<Box<[u8]>>),
    /// `TEXT`: the body of the message.
    Text,
    /// `MIME`: the header of a part.
    Mime,
}

/// Where a section is.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a host that ignored a kind of result would send rubbish")]
pub enum Found {
    /// Here.
    Range(Range<u64>),
    /// Some fields of a header: to be found by feeding the octets of that [header](FieldSelector::header).
    Fields(FieldSelector),
}

impl Section {
    /// A section.
    #[must_use]
    pub const fn new(part: Vec<u32>, text: SectionText) -> Self {
        Self { part, text }
    }

    /// Finds it in a message, for a session that enters `message/global` as `view` says. `None`: it does not
    /// exist.
    #[must_use]
    pub fn find(&self, structure: &Structure, view: View) -> Option<Found> {
        let parts = structure.parts();
        if self.part.is_empty() {
            let root = parts.first()?;
            return match self.text {
                SectionText::All => Some(Found::Range(root.header_start..root.end)),
                SectionText::Mime => None,
                _ => self.of_message(root),
            };
        }
        let index = part(parts, &self.part, view)?;
        let found = parts.get(index)?;
        match self.text {
            SectionText::All => Some(Found::Range(found.body())),
            SectionText::Mime => Some(Found::Range(found.header())),
            // RFC 3501 §6.4.5: they "refer to the [RFC-2822] header of the message or of an encapsulated
            // [MIME-IMT] MESSAGE/RFC822 message".
            _ => self.of_message(parts.get(message(parts, index, view)?)?),
        }
    }

    fn of_message(&self, message: &Part) -> Option<Found> {
        match &self.text {
            SectionText::All | SectionText::Mime => None,
            SectionText::Header => Some(Found::Range(message.header())),
            SectionText::Text => Some(Found::Range(message.body())),
            SectionText::HeaderFields(names) => Some(Found::Fields(FieldSelector::new(message, names, true))),
            SectionText::HeaderFieldsNot(names) => {
                Some(Found::Fields(FieldSelector::new(message, names, false)))
            }
        }
    }
}

/// Finds the part with these numbers, counted from the message; `None` if there is none. No numbers: the
/// message itself. The result is its place in [`Structure::parts`].
#[must_use]
pub fn find_part(structure: &Structure, numbers: &[u32], view: View) -> Option<usize> {
    part(structure.parts(), numbers, view)
}

fn part(parts: &[Part], numbers: &[u32], view: View) -> Option<usize> {
    let mut found = 0;
    for (depth, number) in numbers.iter().enumerate() {
        // What the number counts in: the message, the message in a part, or a multipart.
        let within = match parts.get(found)?.kind {
            _ if depth == 0 => found,
            PartKind::Multipart => found,
            PartKind::Leaf => return None,
            PartKind::Message | PartKind::Global => message(parts, found, view)?,
        };
        found = match parts.get(within)?.kind {
            PartKind::Multipart => child(parts, within, *number)?,
            // RFC 9051 §6.4.5.1: "Every message has at least one part number."
            _ if *number == 1 => within,
            _ => return None,
        };
    }
    Some(found)
}

/// The message in a part.
fn message(parts: &[Part], index: usize, view: View) -> Option<usize> {
    match parts.get(index)?.kind {
        PartKind::Message => Some(index + 1),
        PartKind::Global if view.global => Some(index + 1),
        _ => None,
    }
}

/// The part with this number in a multipart.
fn child(parts: &[Part], multipart: usize, number: u32) -> Option<usize> {
    let end = parts.get(multipart)?.subtree_end;
    let mut child = multipart + 1;
    for _ in 1..number {
        child = parts.get(child)?.subtree_end;
        if child >= end {
            return None;
        }
    }
    (number > 0 && child < end).then_some(child)
}

/// Finds fields in a header by their names, order and folding kept.
///
/// RFC 3501 §6.4.5: "the field-matching is case-insensitive but otherwise exact"; "the delimiting blank line
/// between the header and the body is included", unless there is none.
///
/// A line that is no field goes with the line before it if it continues that, and otherwise has no name, so it
/// is among the fields that are not named.
#[derive(Clone, Debug)]
pub struct FieldSelector {
    header: Range<u64>,
    empty_line: u64,
    /// In lower case.
    names: BTreeSet<Vec<u8>>,
    longest: usize,
    /// Whether fields with these names are wanted, or the others.
    wanted: bool,
    at: u64,
    place: Place,
    name: Vec<u8>,
    /// The field that is being read begins here.
    field_start: u64,
    selected: bool,
    ranges: Vec<Range<u64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    Name,
    /// In the white space behind a name.
    NameEnd,
    Line,
}

impl FieldSelector {
    fn new(message: &Part, names: &[Box<[u8]>], wanted: bool) -> Self {
        let names: BTreeSet<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let longest = names.iter().map(Vec::len).max().unwrap_or(0);
        let header = message.header();
        Self {
            at: header.start,
            field_start: header.start,
            header,
            empty_line: message.empty_line.into(),
            names,
            longest,
            wanted,
            place: Place::LineStart,
            name: Vec::new(),
            selected: !wanted,
            ranges: Vec::new(),
        }
    }

    /// The octets to feed: the header of the message, with its empty line.
    #[must_use]
    pub fn header(&self) -> Range<u64> {
        self.header.clone()
    }

    /// Takes the next octets of the header.
    pub fn feed(&mut self, octets: &[u8]) {
        let room = usize::try_from((self.header.end - self.empty_line).saturating_sub(self.at));
        let mut rest = octets.get(..room.unwrap_or(usize::MAX)).unwrap_or(octets);
        while let Some(first) = rest.first() {
            let mut taken = 1;
            match self.place {
                Place::LineStart => {
                    taken = 0;
                    if is_space(*first) {
                        self.place = Place::Line;
                    } else {
                        self.start_field();
                    }
                }
                Place::Name | Place::NameEnd => self.name_octet(*first),
                Place::Line => {
                    let line_end = memchr::memchr(b'\n', rest);
                    taken = line_end.map_or(rest.len(), |at| at + 1);
                    if line_end.is_some() {
                        self.place = Place::LineStart;
                    }
                }
            }
            self.at += taken as u64;
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    /// Ends the header: what was chosen, in order.
    #[must_use]
    pub fn finish(mut self) -> Vec<Range<u64>> {
        self.end_field();
        let end = self.header.end;
        push(&mut self.ranges, end - self.empty_line..end);
        self.ranges
    }

    fn start_field(&mut self) {
        self.end_field();
        self.field_start = self.at;
        self.selected = !self.wanted;
        self.name.clear();
        self.place = Place::Name;
    }

    fn end_field(&mut self) {
        if self.selected {
            push(&mut self.ranges, self.field_start..self.at);
        }
    }

    fn name_octet(&mut self, octet: u8) {
        match octet {
            b'\n' => self.place = Place::LineStart,
            b':' => {
                self.place = Place::Line;
                self.selected = self.names.contains(&self.name) == self.wanted;
            }
            // RFC 5322 §4.5: white space before the colon is obsolete, and read.
            _ if is_space(octet) => self.place = Place::NameEnd,
            _ if self.place == Place::NameEnd || self.name.len() == self.longest => self.place = Place::Line,
            _ => self.name.push(octet.to_ascii_lowercase()),
        }
    }
}

/// Appends a range, as part of the last one if nothing is between them.
fn push(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    match ranges.last_mut() {
        _ if range.is_empty() => {}
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

/// `<origin.count>` of a result (RFC 3501 §6.4.5): the octets from `origin` on, `count` at most. Nothing if
/// `origin` is past the end.
#[must_use]
pub fn partial(ranges: &[Range<u64>], origin: u64, count: u64) -> Vec<Range<u64>> {
    let mut skip = origin;
    let mut left = count;
    let mut cut = Vec::new();
    for range in ranges {
        let length = range.end.saturating_sub(range.start);
        let skipped = skip.min(length);
        let taken = (length - skipped).min(left);
        skip -= skipped;
        left -= taken;
        push(&mut cut, range.start + skipped..range.start + skipped + taken);
    }
    cut
}
