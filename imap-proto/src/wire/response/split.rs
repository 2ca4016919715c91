//! [`Splitter`]: finds where the items of a FETCH end. RFC 9051 §9 (`msg-att`).
//!
//! It knows quotes and parentheses, nothing else, so that an item that cannot be read does not take its
//! siblings along.

use super::head::{behind_quoted, opens};

/// Where in an item the framer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Splitter {
    place: Place,
    /// Open parentheses of the section or value.
    depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the name.
    Before,
    Name,
    /// In the brackets of a section.
    Section,
    /// Behind the name.
    Between,
    Value,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Split {
    /// An item, which ends here.
    Item(usize),
    /// The closing parenthesis of the FETCH.
    Close,
    /// The end of the line part; `value`: a value would begin there.
    End { value: bool },
    /// The end of the line part, inside a quoted string.
    Quoted,
}

impl Splitter {
    pub(crate) const fn new() -> Self {
        Self { place: Place::Before, depth: 0 }
    }

    /// Reads on from `at` up to `end`.
    pub(crate) fn split(&mut self, line: &[u8], at: &mut usize, end: usize) -> Split {
        let line = line.get(..end).unwrap_or_default();
        while let Some(octet) = line.get(*at) {
            if *octet == b'"' && self.place != Place::Before && opens(line, *at) {
                if self.place == Place::Between {
                    self.place = Place::Value;
                }
                match behind_quoted(line, *at) {
                    Some(behind) => *at = behind,
                    None => return Split::Quoted,
                }
                continue;
            }
            self.place = match (self.place, octet) {
                (Place::Before, b' ') => Place::Before,
                (Place::Before, b')') => return Split::Close,
                (Place::Name | Place::Section, b'[') => Place::Section,
                // RFC 9051 §9: in the list of names, it is a character of an astring.
                (Place::Section, b']') if self.depth == 0 => Place::Name,
                (Place::Section, b'(') => {
                    self.depth += 1;
                    Place::Section
                }
                // Only a list stands behind a space; else the bracket is missing.
                (Place::Section, b' ') if self.depth == 0 && line.get(*at + 1) != Some(&b'(') => {
                    Place::Between
                }
                (Place::Section, b')') if self.depth == 0 => return Split::Item(*at),
                (Place::Section, b')') => {
                    self.depth -= 1;
                    Place::Section
                }
                (Place::Section, _) => Place::Section,
                (Place::Name | Place::Between, b' ') => Place::Between,
                (Place::Name | Place::Between, b')') => return Split::Item(*at),
                (Place::Value, b' ' | b')') if self.depth == 0 => return Split::Item(*at),
                (Place::Name | Place::Between | Place::Value, b'(') => {
                    self.depth += 1;
                    Place::Value
                }
                (Place::Value, b')') => {
                    self.depth -= 1;
                    Place::Value
                }
                (Place::Before | Place::Name, _) => Place::Name,
                (Place::Between | Place::Value, _) => Place::Value,
            };
            *at += 1;
            *at += self.run(line.get(*at..).unwrap_or_default());
        }
        Split::End { value: self.place == Place::Between }
    }

    /// How many octets at the front only go on with a name or a value.
    fn run(&self, octets: &[u8]) -> usize {
        if !matches!(self.place, Place::Name | Place::Value) {
            return 0;
        }
        // A bracket opens a section only behind a name; in a value it is one octet more that is looked at.
        octets
            .iter()
            .position(|octet| matches!(octet, b' ' | b'(' | b')' | b'[' | b'"'))
            .unwrap_or(octets.len())
    }

    /// A literal was read where a value may begin or go on.
    pub(super) fn literal(&mut self) {
        if self.place == Place::Between {
            self.place = Place::Value;
        }
    }
}
