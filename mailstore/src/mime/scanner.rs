//! [`Scanner`]: finds the parts of a message while it streams by.
//!
//! RFC 2045, RFC 2046 §5.1 (multipart), §5.2.1 (message/rfc822), RFC 6532 §3.7 (message/global). Lines end
//! at LF. The scanner holds the front of a line that may be a delimiter, the fields that matter of one
//! header, one frame per level, and what it learned; never a body.

use alloc::vec::Vec;
use core::ops::Range;

use super::body::{self, Draft};
use super::boundary::{Boundaries, Candidate, Delimiter};
use super::content::{Content, Kind, OCTETS};
use super::envelope;
use super::header::{Field, Fields, HeaderReader};
use super::limits::{Findings, Limits};
use super::message_id::{MessageIdHash, last_of};
use super::structure::{Encoding, Part, PartKind, Structure};
use super::utf8::HeaderCharset;

/// Takes a message in chunks of any size and gives its [`Structure`]; the sizes make no difference to it.
/// Nothing in a message is an error.
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    findings: Findings,
    count: Count,
    state: State,
    line: Line,
    candidate: Candidate,
    header: HeaderReader,
    /// Of the message itself, not of its parts.
    charset: HeaderCharset,
    open: Boundaries,
    stack: Vec<Frame>,
    parts: Vec<Part>,
    drafts: Vec<Draft>,
    /// Parts that there are, and those that are bound to come.
    promised: usize,
    /// Octets of the drafts.
    drafted: usize,
    message_id: Option<MessageIdHash>,
    in_reply_to: Vec<MessageIdHash>,
    references: Vec<MessageIdHash>,
}

/// An entity that is being read; its level is its place on the stack.
#[derive(Debug)]
struct Frame {
    part: usize,
    /// Line ends before its body.
    line_ends: u64,
    /// Of a multipart that has not seen its close delimiter.
    boundary: Option<Vec<u8>>,
    digest: bool,
    /// It has children.
    parent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the header of the innermost entity.
    Header,
    /// In its body: only delimiters matter.
    Body,
    /// In the part that holds the rest: nothing matters.
    Rest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Start,
    /// In a line that may be a delimiter.
    Candidate,
    /// In any other.
    Middle,
}

/// Where the scanner is.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Octets so far.
    octets: u64,
    /// Line ends so far.
    line_ends: u64,
    /// Where this line begins.
    line_start: u64,
    /// Where the one before began.
    last_line_start: u64,
    /// Octets of the line end between them.
    last_line_end: u64,
    /// The last octet was a CR.
    carriage_return: bool,
}

impl Count {
    fn add(&mut self, octets: &[u8]) {
        if let Some(last) = memchr::memrchr(b'\n', octets) {
            let before = octets.get(..last).unwrap_or_default();
            self.last_line_start = match memchr::memrchr(b'\n', before) {
                Some(at) => self.octets + at as u64 + 1,
                None => self.line_start,
            };
            let carriage_return = before.last().map_or(self.carriage_return, |octet| *octet == b'\r');
            self.last_line_end = if carriage_return { 2 } else { 1 };
            self.line_start = self.octets + last as u64 + 1;
            self.line_ends += memchr::memchr_iter(b'\n', octets).count() as u64;
        }
        if let Some(last) = octets.last() {
            self.carriage_return = *last == b'\r';
        }
        self.octets += octets.len() as u64;
    }
}

/// Where entities end.
#[derive(Clone, Copy, Debug)]
struct End {
    at: u64,
    /// Line ends before it.
    line_ends: u64,
    /// The last line has octets, but no line end before this.
    open_line: bool,
}

impl Scanner {
    /// A scanner at the start of a message.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let mut scanner = Self {
            limits,
            findings: Findings::default(),
            count: Count::default(),
            state: State::Header,
            line: Line::Start,
            candidate: Candidate::default(),
            header: HeaderReader::default(),
            charset: HeaderCharset::default(),
            open: Boundaries::default(),
            stack: Vec::new(),
            parts: Vec::new(),
            drafts: Vec::new(),
            promised: 1,
            drafted: 0,
            message_id: None,
            in_reply_to: Vec::new(),
            references: Vec::new(),
        };
        scanner.begin(None, 0);
        scanner.header.start(true);
        scanner
    }

    /// Takes the next octets of the message.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some(first) = rest.first() {
            let taken = match self.line {
                Line::Start => {
                    let may_delimit = *first == b'-' && self.state != State::Rest && !self.open.is_empty();
                    self.line = if may_delimit { Line::Candidate } else { Line::Middle };
                    self.candidate.clear();
                    continue;
                }
                Line::Candidate => self.read_candidate(rest),
                Line::Middle if self.state == State::Header => self.read_header(rest),
                Line::Middle => self.read_body(rest),
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    /// Ends the message.
    #[must_use]
    pub fn finish(mut self) -> Structure {
        if self.line == Line::Candidate {
            match self.candidate.line(false).and_then(|line| self.open.find(line)) {
                Some(delimiter) => {
                    self.end_parts(delimiter);
                    self.begin_part(delimiter);
                }
                None => self.replay(),
            }
        }
        if self.charset.is_utf8() {
            self.findings |= Findings::UTF8_HEADER;
        }
        let Count { octets, line_ends, line_start, .. } = self.count;
        self.end_above(0, End { at: octets, line_ends, open_line: line_start < octets });
        Structure {
            findings: self.findings,
            envelope: self
                .drafts
                .first_mut()
                .map(|draft| core::mem::take(&mut draft.envelope))
                .unwrap_or_default()
                .finish(),
            body: body::assemble(&self.parts, &self.drafts).finish(),
            message_id: self.message_id,
            in_reply_to: self.in_reply_to,
            references: self.references,
            parts: self.parts,
        }
    }

    /// Reads on in a line that may be a delimiter.
    fn read_candidate(&mut self, rest: &[u8]) -> usize {
        for (at, octet) in rest.iter().enumerate() {
            if *octet == b'\n' {
                let line = rest.get(..=at).unwrap_or_default();
                let delimiter = self.candidate.line(true).and_then(|line| self.open.find(line));
                if let Some(delimiter) = delimiter {
                    self.end_parts(delimiter);
                    self.count.add(line);
                    self.begin_part(delimiter);
                } else {
                    self.replay();
                    if self.state == State::Header {
                        self.header.feed(b"\n", &self.limits, &mut self.findings);
                    }
                    self.count.add(line);
                }
                self.line = Line::Start;
                return at + 1;
            }
            if !self.candidate.push(*octet) {
                self.count.add(rest.get(..at).unwrap_or_default());
                self.replay();
                return at;
            }
        }
        self.count.add(rest);
        rest.len()
    }

    /// The line is no delimiter: the header gets what was held back of it.
    fn replay(&mut self) {
        self.line = Line::Middle;
        if self.state == State::Header {
            for octets in self.candidate.octets() {
                self.header.feed(octets, &self.limits, &mut self.findings);
            }
        }
    }

    /// Reads on in a line of a header.
    fn read_header(&mut self, rest: &[u8]) -> usize {
        let line_end = memchr::memchr(b'\n', rest);
        let taken = line_end.map_or(rest.len(), |at| at + 1);
        let line = rest.get(..taken).unwrap_or_default();
        let line_start = self.count.line_start;
        let ended = self.header.feed(line, &self.limits, &mut self.findings);
        if self.stack.len() == 1 {
            self.charset.feed(line);
        }
        self.count.add(line);
        if line_end.is_some() {
            self.line = Line::Start;
        }
        if ended {
            let empty_line = self.count.octets - line_start;
            self.end_header(self.count.octets, u8::try_from(empty_line).unwrap_or(0), self.count.line_ends);
        }
        taken
    }

    /// Reads on in a body, up to the next line that may be a delimiter.
    fn read_body(&mut self, rest: &[u8]) -> usize {
        let next = if self.state == State::Rest || self.open.is_empty() {
            None
        } else {
            memchr::memmem::find(rest, b"\n-")
        };
        let taken = next.map_or(rest.len(), |at| at + 1);
        let octets = rest.get(..taken).unwrap_or_default();
        self.count.add(octets);
        if octets.last() == Some(&b'\n') {
            self.line = Line::Start;
        }
        taken
    }

    /// The header of the innermost entity is read: decides what its body is.
    fn end_header(&mut self, body_start: u64, empty_line: u8, line_ends: u64) {
        self.header.end(&mut self.findings);
        let fields = self.header.take();
        let level = self.stack.len().saturating_sub(1);
        let in_digest = self.stack.iter().nth_back(1).is_some_and(|parent| parent.digest);
        let content = Content::read(&fields, in_digest, &self.limits, &mut self.findings);
        let kind = self.kind(&content);
        let (media_type, subtype) = content.shown_type(kind);
        let mut draft = Draft::of(&content, kind);
        self.state = State::Body;
        let Some(frame) = self.stack.last_mut() else { return };
        let Some(part) = self.parts.get_mut(frame.part) else { return };
        part.body_start = body_start;
        part.empty_line = empty_line;
        part.kind = kind;
        part.encoding = content.encoding;
        part.media_type = media_type.into();
        part.subtype = subtype.into();
        part.charset = content.charset().map(Into::into);
        frame.line_ends = line_ends;
        let index = frame.part;
        if let (PartKind::Multipart, Kind::Multipart(boundary, digest)) = (kind, content.kind) {
            self.open.open(&boundary, level);
            frame.boundary = Some(boundary);
            frame.digest = digest;
        } else if kind != PartKind::Leaf {
            frame.parent = true;
        }
        if self.header.is_message() {
            draft.envelope = envelope::write(&fields, &self.limits, &mut self.findings);
        }
        if index == 0 {
            self.read_message_ids(&fields);
        }
        self.drafted += draft.len();
        if let Some(place) = self.drafts.get_mut(index) {
            *place = draft;
        }
        match kind {
            PartKind::Leaf => {}
            PartKind::Multipart => self.promised += 1,
            PartKind::Message | PartKind::Global => {
                self.promised += 1;
                self.begin(Some(index), body_start);
                self.header.start(true);
                self.state = State::Header;
            }
        }
    }

    /// What becomes of an entity. RFC 2045 §6.4: what is encoded is not "multipart" or "message" in any way
    /// that could be read without decoding it.
    fn kind(&mut self, content: &Content<'_>) -> PartKind {
        let kind = match content.kind {
            Kind::Leaf => return PartKind::Leaf,
            Kind::Multipart(..) => PartKind::Multipart,
            Kind::Message => PartKind::Message,
            Kind::Global => PartKind::Global,
        };
        if content.encoding != Encoding::Identity {
            return PartKind::Leaf;
        }
        let reached = [
            (self.stack.len() >= self.limits.depth, Findings::DEPTH),
            // One more is needed for the rest.
            (self.promised + 1 >= self.limits.parts, Findings::PARTS),
            (self.drafted > self.limits.structure_octets, Findings::STRUCTURE_OCTETS),
        ];
        match reached.iter().find(|(reached, _)| *reached) {
            None => kind,
            Some((_, finding)) => {
                self.findings |= *finding;
                PartKind::Leaf
            }
        }
    }

    fn read_message_ids(&mut self, fields: &Fields) {
        self.message_id = fields.get(Field::MessageId).and_then(MessageIdHash::first_in);
        for (field, into) in
            [(Field::InReplyTo, &mut self.in_reply_to), (Field::References, &mut self.references)]
        {
            let (hashes, cut) = fields
                .get(field)
                .map_or_else(Default::default, |value| last_of(value, self.limits.references));
            *into = hashes;
            if cut {
                self.findings |= Findings::REFERENCES;
            }
        }
    }

    /// A delimiter begins here: ends what is in its multipart.
    fn end_parts(&mut self, delimiter: Delimiter) {
        let Count { line_start, last_line_start, last_line_end, line_ends, .. } = self.count;
        // RFC 2046 §5.1.1: "The CRLF preceding the boundary delimiter line is conceptually attached to the
        // boundary" – unless it ends the delimiter or the header before.
        let floor = match self.stack.last().and_then(|frame| self.parts.get(frame.part)) {
            Some(part) if self.state == State::Header => part.header_start,
            Some(part) => part.body_start,
            None => 0,
        };
        let at = line_start.saturating_sub(last_line_end);
        let end = if at < floor {
            End { at: line_start, line_ends, open_line: false }
        } else {
            End { at, line_ends: line_ends.saturating_sub(1), open_line: at != last_line_start }
        };
        self.end_above(delimiter.level + 1, end);
    }

    /// Goes on behind a delimiter.
    fn begin_part(&mut self, delimiter: Delimiter) {
        self.state = State::Body;
        let start = self.count.octets;
        let Some(frame) = self.stack.get_mut(delimiter.level) else { return };
        let parent = frame.part;
        if delimiter.closes {
            if let Some(boundary) = frame.boundary.take() {
                self.open.close(&boundary);
            }
            return;
        }
        let first = !core::mem::replace(&mut frame.parent, true);
        if !first {
            self.promised += 1;
        }
        let last = !first && self.promised >= self.limits.parts;
        let large = self.drafted > self.limits.structure_octets;
        self.begin(Some(parent), start);
        if last || large {
            self.findings |= if last { Findings::PARTS } else { Findings::STRUCTURE_OCTETS };
            self.state = State::Rest;
            self.make_plain(OCTETS);
        } else {
            self.header.start(false);
            self.state = State::Header;
        }
    }

    /// Puts a part on the stack whose header begins at `start`.
    fn begin(&mut self, parent: Option<usize>, start: u64) {
        let index = self.parts.len();
        self.parts.push(Part {
            header_start: start,
            body_start: start,
            end: start,
            empty_line: 0,
            lines: 0,
            parent,
            kind: PartKind::Leaf,
            encoding: Encoding::Identity,
            media_type: [].into(),
            subtype: [].into(),
            charset: None,
            subtree_end: index + 1,
        });
        self.drafts.push(Draft::default());
        let line_ends = self.count.line_ends;
        self.stack.push(Frame { part: index, line_ends, boundary: None, digest: false, parent: false });
    }

    /// Makes the innermost part a leaf without a header.
    fn make_plain(&mut self, (media_type, subtype): (&[u8], &[u8])) {
        if let (Some(part), Some(place)) = (self.parts.last_mut(), self.drafts.last_mut()) {
            part.media_type = media_type.into();
            part.subtype = subtype.into();
            *place = Draft::plain((media_type, subtype));
            self.drafted += place.len();
        }
    }

    /// Ends all entities from `level` on.
    fn end_above(&mut self, level: usize, end: End) {
        // A header that is not over ends with its entity; what it says may begin another one.
        while self.state == State::Header {
            self.end_header(end.at, 0, end.line_ends);
        }
        while self.stack.len() > level {
            let Some(frame) = self.stack.pop() else { break };
            if let Some(boundary) = &frame.boundary {
                self.open.close(boundary);
            }
            let kind = self.parts.get(frame.part).map(|part| part.kind);
            if kind == Some(PartKind::Multipart) && !frame.parent {
                // A body-type-mpart has at least one part.
                self.begin(Some(frame.part), end.at);
                self.make_plain((b"TEXT", b"PLAIN"));
                self.stack.pop();
            }
            let subtree_end = self.parts.len();
            if let Some(part) = self.parts.get_mut(frame.part) {
                part.end = end.at;
                part.subtree_end = subtree_end;
                part.lines = lines(part.body(), frame.line_ends, end);
            }
        }
    }
}

/// Lines of a body with `line_ends` before it: its line ends, and a last line without one.
const fn lines(body: Range<u64>, line_ends: u64, end: End) -> u64 {
    if body.start >= body.end {
        return 0;
    }
    end.line_ends.saturating_sub(line_ends) + end.open_line as u64
}
