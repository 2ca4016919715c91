//! [`HeaderReader`]: the fields of one header that matter, unfolded, while the header streams by.
//!
//! RFC 5322 §2.2 (fields), §2.2.3 (folding), §4.5 (white space before the colon). Lines end at LF; a CR
//! before it belongs to the line end, any other CR is data. What the values mean is for others.

use alloc::vec::Vec;
use core::mem;

use super::lexer::is_space;
use super::limits::{Findings, Limits};

/// The fields that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    ContentType,
    ContentTransferEncoding,
    ContentId,
    ContentDescription,
    ContentMd5,
    ContentDisposition,
    ContentLanguage,
    ContentLocation,
    // Of messages only.
    Date,
    Subject,
    From,
    Sender,
    ReplyTo,
    To,
    Cc,
    Bcc,
    InReplyTo,
    MessageId,
    References,
}

/// Names in the order of [`Field`].
const NAMES: [(&[u8], Field); 19] = [
    (b"content-type", Field::ContentType),
    (b"content-transfer-encoding", Field::ContentTransferEncoding),
    (b"content-id", Field::ContentId),
    (b"content-description", Field::ContentDescription),
    (b"content-md5", Field::ContentMd5),
    (b"content-disposition", Field::ContentDisposition),
    (b"content-language", Field::ContentLanguage),
    (b"content-location", Field::ContentLocation),
    (b"date", Field::Date),
    (b"subject", Field::Subject),
    (b"from", Field::From),
    (b"sender", Field::Sender),
    (b"reply-to", Field::ReplyTo),
    (b"to", Field::To),
    (b"cc", Field::Cc),
    (b"bcc", Field::Bcc),
    (b"in-reply-to", Field::InReplyTo),
    (b"message-id", Field::MessageId),
    (b"references", Field::References),
];

/// No name that matters is longer.
const MOST_NAME: usize = 25;

impl Field {
    /// How many of them every entity may have.
    const OF_ALL: usize = 8;

    fn of(name: &[u8]) -> Option<Self> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, field)| *field)
    }

    /// Whether later occurrences count too.
    const fn is_joined(self) -> bool {
        matches!(self, Self::From | Self::Sender | Self::ReplyTo | Self::To | Self::Cc | Self::Bcc)
    }
}

/// The values of the fields that matter.
#[derive(Debug, Default)]
pub(super) struct Fields([Option<Vec<u8>>; NAMES.len()]);

impl Fields {
    /// The unfolded value of the first occurrence, with the white space at its ends.
    pub(super) fn get(&self, field: Field) -> Option<&[u8]> {
        self.0.get(field as usize)?.as_deref()
    }

    /// The unfolded values of all occurrences of a field of addresses.
    pub(super) fn all(&self, field: Field) -> impl Iterator<Item = &[u8]> {
        self.get(field)
            .into_iter()
            .flat_map(|values| values.split(|octet| *octet == b'\n'))
            .filter(|value| !value.is_empty())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    /// Behind a CR at the start of a line.
    CarriageReturn,
    Name,
    /// In the white space behind a name.
    NameEnd,
    /// In the value of the open field.
    Value,
    /// In a line that does not matter.
    Ignored,
}

/// Reads a header.
#[derive(Debug, Default)]
pub(super) struct HeaderReader {
    /// Fields that only messages have matter too.
    message: bool,
    place: Place,
    name: Vec<u8>,
    /// The field that is being read, and where it begins in its values.
    open: Option<(Field, usize)>,
    /// There was a line that the next may continue.
    continued: bool,
    fields: Fields,
    field_count: usize,
    octets: usize,
    /// A limit was passed: nothing more matters.
    full: bool,
}

impl HeaderReader {
    /// Starts with the header of a message or of another entity.
    pub(super) fn start(&mut self, message: bool) {
        let name = mem::take(&mut self.name);
        *self = Self { message, name, ..Self::default() };
        self.name.clear();
    }

    /// Takes octets of one line, with its LF if that is reached, and says whether it was the empty line.
    pub(super) fn feed(&mut self, line: &[u8], limits: &Limits, findings: &mut Findings) -> bool {
        let room = limits.header_octets.saturating_sub(self.octets);
        self.octets = self.octets.saturating_add(line.len());
        let (within, beyond) = line.split_at_checked(room).unwrap_or((line, &[]));
        if self.read(within, limits, findings) {
            return true;
        }
        if let Some(first) = beyond.first()
            && !self.full
        {
            *findings |= Findings::HEADER_OCTETS;
            self.full = true;
            if self.place == Place::Value || (self.place == Place::LineStart && is_space(*first)) {
                self.discard();
            }
        }
        self.read(beyond, limits, findings)
    }

    fn read(&mut self, line: &[u8], limits: &Limits, findings: &mut Findings) -> bool {
        let mut rest = line;
        while let Some((first, behind)) = rest.split_first() {
            match self.place {
                Place::LineStart => match first {
                    b'\n' => return true,
                    b'\r' => {
                        self.place = Place::CarriageReturn;
                        rest = behind;
                    }
                    b' ' | b'\t' => {
                        if !self.continued {
                            *findings |= Findings::HEADER_LINE;
                        }
                        self.place = if self.open.is_some() { Place::Value } else { Place::Ignored };
                    }
                    _ => self.start_line(),
                },
                Place::CarriageReturn => {
                    if *first == b'\n' {
                        self.place = Place::LineStart;
                        return true;
                    }
                    self.start_line();
                    self.ignore_line(findings);
                }
                Place::Name | Place::NameEnd => {
                    rest = behind;
                    self.name_octet(*first, limits, findings);
                }
                Place::Value => {
                    self.value(rest);
                    break;
                }
                Place::Ignored => break,
            }
        }
        if line.last() == Some(&b'\n') {
            self.place = Place::LineStart;
        }
        false
    }

    /// Ends the header where its entity ends.
    pub(super) fn end(&self, findings: &mut Findings) {
        if matches!(self.place, Place::CarriageReturn | Place::Name | Place::NameEnd) {
            *findings |= Findings::HEADER_LINE;
        }
    }

    /// Whether it is the header of a message.
    pub(super) const fn is_message(&self) -> bool {
        self.message
    }

    /// Gives away the values.
    pub(super) fn take(&mut self) -> Fields {
        mem::take(&mut self.fields)
    }

    fn start_line(&mut self) {
        self.open = None;
        self.continued = true;
        self.name.clear();
        self.place = Place::Name;
    }

    /// The line has no valid name.
    fn ignore_line(&mut self, findings: &mut Findings) {
        *findings |= Findings::HEADER_LINE;
        self.place = Place::Ignored;
    }

    /// RFC 5322 §2.2: names are printable US-ASCII but for the colon.
    fn name_octet(&mut self, octet: u8, limits: &Limits, findings: &mut Findings) {
        match octet {
            b':' if !self.name.is_empty() => self.open_field(limits, findings),
            b'!'..=b'9' | b';'..=b'~' if self.place == Place::Name => {
                if self.name.len() <= MOST_NAME {
                    self.name.push(octet);
                }
            }
            _ if is_space(octet) && !self.name.is_empty() => self.place = Place::NameEnd,
            _ => self.ignore_line(findings),
        }
    }

    fn open_field(&mut self, limits: &Limits, findings: &mut Findings) {
        self.place = Place::Ignored;
        self.field_count += 1;
        if self.field_count > limits.header_fields {
            *findings |= Findings::HEADER_FIELDS;
            self.full = true;
        }
        if self.full {
            return;
        }
        let Some(field) = Field::of(&self.name) else { return };
        let index = field as usize;
        if index >= Field::OF_ALL && !self.message {
            return;
        }
        let Some(slot) = self.fields.0.get_mut(index) else { return };
        match slot {
            None => {
                *slot = Some(Vec::new());
                self.open = Some((field, 0));
            }
            Some(values) if field.is_joined() => {
                values.push(b'\n');
                self.open = Some((field, values.len()));
            }
            Some(_) => return,
        }
        self.place = Place::Value;
    }

    /// RFC 5322 §2.2.3: unfolding removes the line end and nothing else.
    fn value(&mut self, rest: &[u8]) {
        let Some((field, start)) = self.open else { return };
        let Some(values) = self.fields.0.get_mut(field as usize).and_then(Option::as_mut) else { return };
        let Some(line) = rest.strip_suffix(b"\n") else {
            values.extend_from_slice(rest);
            return;
        };
        values.extend_from_slice(line);
        if values.len() > start && values.last() == Some(&b'\r') {
            values.pop();
        }
    }

    /// Forgets the field that is being read.
    fn discard(&mut self) {
        let Some((field, start)) = self.open.take() else { return };
        if self.place == Place::Value {
            self.place = Place::Ignored;
        }
        if let Some(slot) = self.fields.0.get_mut(field as usize) {
            if start == 0 {
                *slot = None;
            } else if let Some(values) = slot {
                values.truncate(start - 1);
            }
        }
    }
}
