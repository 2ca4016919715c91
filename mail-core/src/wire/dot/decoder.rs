//! [`DotDecoder`] and what it tells of a message: [`ContentReport`].

use core::cell::Cell;

use bytes::{Bytes, BytesMut};
use memchr::memchr;

use super::block::{BLOCK, clean_front};
use super::{BareLineEnd, find_control};
use crate::wire::LineEnd;

/// What a decoder saw in one message. Offsets count received octets from the first of the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentReport {
    /// Octets of content given out, or that would have been: terminator and removed dots never count.
    pub octets: u64,
    /// Number of bare CRs.
    pub bare_cr: u64,
    /// Number of bare LFs.
    pub bare_lf: u64,
    /// Number of NULs.
    pub nul: u64,
    /// Number of lines whose single leading dot was not followed by another: no conforming sender does that.
    pub lone_dots: u64,
    /// Whether there was an octet ≥ 0x80.
    pub eight_bit: bool,
    /// Octets in the longest line as received, with its line end, without a dot that transparency added; 0 if no line is
    /// longer than those that are not measured: [`DotDecoder::measure_lines_above`].
    pub longest_line: u64,
    /// Where the first bare CR or bare LF stood, if there was one; else 0.
    pub first_bare: u64,
    /// Where the first NUL stood, if there was one; else 0.
    pub first_nul: u64,
    /// Where the first dot stood that was alone at the start of its line, if there was one; else 0.
    pub first_lone_dot: u64,
}

impl ContentReport {
    /// Takes note of a line of so many octets, if they are more than `limit`.
    pub const fn note_line(&mut self, octets: u64, limit: u64) {
        if octets > limit && octets > self.longest_line {
            self.longest_line = octets;
        }
    }

    /// Whether there was any bare CR or bare LF.
    #[must_use]
    pub const fn has_bare_line_end(&self) -> bool {
        self.bare_cr > 0 || self.bare_lf > 0
    }
}

/// A piece of decoded content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the whole result of a decode step")]
pub struct DotChunk {
    /// Decoded octets; empty if all that came was the terminator or is dropped by policy.
    pub content: Bytes,
    /// Whether the terminator was read: the next octet in the buffer is a command or a reply.
    pub end: bool,
}

/// Decodes dot-stuffed content up to its terminator, CR LF `.` CR LF.
///
/// In place: a chunk is a view of the input. At most two octets, the beginning of a possible
/// terminator or line end, are left in the buffer until more comes.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_core::wire::{BareLineEnd, DotDecoder};
///
/// let mut input = BytesMut::from("..hidden\r\n.\r\nQUIT\r\n");
/// let chunk = DotDecoder::new(BareLineEnd::Reject).decode(&mut input).unwrap();
/// assert_eq!(chunk.content, ".hidden\r\n");
/// assert!(chunk.end);
/// assert_eq!(input, "QUIT\r\n");
/// ```
#[derive(Clone, Debug)]
pub struct DotDecoder {
    policy: BareLineEnd,
    keep_lone_dots: bool,
    line_end: LineEnd,
    /// Octets of a line that need not be measured.
    line_limit: u64,
    at_line_start: bool,
    /// Octets received before the front of the buffer.
    received: u64,
    /// Where the current line began.
    line_start: u64,
    report: ContentReport,
}

/// Where decoded octets go: moved to the front of the buffer, or, once something must be inserted, into a new one.
struct Sink {
    /// First octet of the run that is not yet moved.
    run: usize,
    /// Octets already moved to the front.
    written: usize,
    /// Used from the first insertion on.
    copy: Option<BytesMut>,
    /// Whether octets are dropped: the content was refused.
    refused: bool,
}

/// Octets of a run that is better moved one by one.
const SHORT_RUN: usize = 32;

/// Moves a run to `target`, at or before it, and says how long it is. `None` if there is more to be said about it:
/// it holds an octet ≥ 0x80, or a NUL.
fn move_short_run(buffer: &mut [u8], start: usize, end: usize, target: usize) -> Option<usize> {
    let run = buffer.get(start..end)?;
    if !run.iter().fold(true, |plain, octet| plain & matches!(octet, 1..=0x7f)) {
        return None;
    }
    let octets = run.len();
    let cells = Cell::from_mut(buffer).as_slice_of_cells();
    for (target, source) in cells.get(target..)?.iter().zip(cells.get(start..end)?) {
        target.set(source.get());
    }
    Some(octets)
}

impl DotDecoder {
    /// RFC 5321 §4.5.3.1.6: octets of a line with its end that every server takes.
    pub const LINE_LIMIT: u64 = 1000;

    /// A decoder at the start of content.
    #[must_use]
    pub const fn new(policy: BareLineEnd) -> Self {
        Self {
            policy,
            keep_lone_dots: false,
            line_end: LineEnd::CrLf,
            line_limit: Self::LINE_LIMIT,
            at_line_start: true,
            received: 0,
            line_start: 0,
            report: ContentReport {
                octets: 0,
                bare_cr: 0,
                bare_lf: 0,
                nul: 0,
                lone_dots: 0,
                eight_bit: false,
                longest_line: 0,
                first_bare: 0,
                first_nul: 0,
                first_lone_dot: 0,
            },
        }
    }

    /// Keeps a leading dot that is followed by another octet than a dot, for peers that do not stuff.
    /// By default it is removed, as RFC 5321 §4.5.2 and RFC 1939 §3 say.
    #[must_use]
    pub const fn keep_lone_dots(mut self, keep: bool) -> Self {
        self.keep_lone_dots = keep;
        self
    }

    /// What ends a line, and so the content: CR LF by default. With [`LineEnd::CrLfOrLf`] an LF alone does as well,
    /// for a peer that is known to write no CR; it is given out as it is, whatever the policy, and is not bare then.
    #[must_use]
    pub const fn lines_end_in(mut self, line_end: LineEnd) -> Self {
        self.line_end = line_end;
        self
    }

    /// Measures lines of more than so many octets only; by default of [`Self::LINE_LIMIT`]. To measure each line costs
    /// more than all the rest.
    #[must_use]
    pub const fn measure_lines_above(mut self, octets: u64) -> Self {
        self.line_limit = octets;
        self
    }

    /// What was seen so far.
    #[must_use]
    pub const fn report(&self) -> &ContentReport {
        &self.report
    }

    /// Decodes what it can from the front of `input`; `None` if more must come first.
    pub fn decode(&mut self, input: &mut BytesMut) -> Option<DotChunk> {
        let mut sink = Sink {
            run: 0,
            written: 0,
            copy: None,
            refused: self.policy == BareLineEnd::Reject && self.report.has_bare_line_end(),
        };
        let buffer: &mut [u8] = input;
        let mut position = 0;
        // Where the next block is looked at, and how far the one behind that is if this one is not clean: where there is
        // much to do, less and less is looked at in vain.
        let (mut next_block, mut step) = (0, BLOCK);
        let mut end = None;
        while let Some(&first) = buffer.get(position) {
            if self.at_line_start && first == b'.' {
                let Some(&second) = buffer.get(position + 1) else { break };
                if second == b'\r' {
                    let Some(&third) = buffer.get(position + 2) else { break };
                    if third == b'\n' {
                        end = Some(position + 3);
                        break;
                    }
                }
                if second == b'\n' && self.line_end == LineEnd::CrLfOrLf {
                    end = Some(position + 2);
                    break;
                }
                self.at_line_start = false;
                if second != b'.' {
                    if self.report.lone_dots == 0 {
                        self.report.first_lone_dot = self.received + position as u64;
                    }
                    self.report.lone_dots += 1;
                }
                if second == b'.' || !self.keep_lone_dots {
                    // RFC 5321 §4.5.3.1.6: the dot that was added does not count.
                    self.line_start += 1;
                    self.take_run(&mut sink, buffer, position, position + 1);
                }
                // The octet behind the dot is judged as one inside a line, even if it is a dot.
                position += 1;
                if second == b'.' {
                    position += 1;
                }
                continue;
            }
            if position >= next_block {
                let rest = buffer.get(position..).unwrap_or_default();
                let front = clean_front(rest, false);
                step = if front > 0 { BLOCK } else { (2 * step).min(16 * BLOCK) };
                next_block = position + front + step;
                if let Some(clean @ [.., last]) = rest.get(..front) {
                    self.at_line_start = *last == b'\n';
                    self.measure_lines(clean, position);
                    position += front;
                    continue;
                }
            }
            let mut control = first;
            if !matches!(first, b'\r' | b'\n') {
                self.at_line_start = false;
                let rest = buffer.get(position..).unwrap_or_default();
                let Some(found) = find_control(rest) else {
                    position = buffer.len();
                    break;
                };
                control = rest.get(found).copied().unwrap_or(first);
                position += found;
            }
            if control == b'\r' {
                match buffer.get(position + 1) {
                    None => break,
                    Some(b'\n') => {
                        position += 2;
                        self.end_line(position);
                        continue;
                    }
                    Some(_) => {}
                }
            } else if self.line_end == LineEnd::CrLfOrLf {
                position += 1;
                self.end_line(position);
                continue;
            }
            if !self.report.has_bare_line_end() {
                self.report.first_bare = self.received + position as u64;
            }
            self.report.bare_cr += u64::from(control == b'\r');
            self.report.bare_lf += u64::from(control == b'\n');
            self.at_line_start = false;
            match self.policy {
                BareLineEnd::Pass => {}
                BareLineEnd::Normalise => {
                    self.insert_line_end(&mut sink, buffer, position);
                }
                BareLineEnd::Reject => {
                    self.take_run(&mut sink, buffer, position, position);
                    sink.refused = true;
                }
            }
            position += 1;
        }
        let content_end = position;
        let consumed = end.unwrap_or(position);
        if consumed == 0 {
            return None;
        }
        self.take_run(&mut sink, buffer, content_end, consumed);
        self.received += consumed as u64;
        if end.is_none() {
            self.report.note_line(self.received - self.line_start, self.line_limit);
        }
        let mut front = input.split_to(consumed);
        let content = if let Some(copy) = sink.copy {
            copy.freeze()
        } else {
            front.truncate(sink.written);
            front.freeze()
        };
        Some(DotChunk { content, end: end.is_some() })
    }

    /// A line ended before `position`.
    fn end_line(&mut self, position: usize) {
        let line_end = self.received + position as u64;
        self.report.note_line(line_end - self.line_start, self.line_limit);
        self.line_start = line_end;
        self.at_line_start = true;
    }

    /// Takes note of the lines of octets at `position` that hold nothing but text and CR LFs.
    fn measure_lines(&mut self, octets: &[u8], position: usize) {
        let base = self.received + position as u64;
        let end = base + octets.len() as u64;
        let within = |place: u64| usize::try_from(place.saturating_sub(base)).unwrap_or(usize::MAX);
        loop {
            // A line that is longer than all before it has no end among so many octets; where there is one, all lines up
            // to the last of them are none.
            let longest = self.report.longest_line.max(self.line_limit);
            let reach = self.line_start.saturating_add(longest).clamp(base, end);
            let window = within(self.line_start)..within(reach);
            let ended = octets.get(window).and_then(|octets| memchr::memrchr(b'\n', octets));
            if let Some(at) = ended {
                self.line_start = self.line_start.max(base) + at as u64 + 1;
            } else if reach == end {
                return;
            } else {
                let rest = octets.get(within(reach)..).unwrap_or_default();
                let Some(at) = memchr(b'\n', rest) else { return };
                let line_end = reach + at as u64 + 1;
                self.report.note_line(line_end - self.line_start, self.line_limit);
                self.line_start = line_end;
            }
        }
    }

    /// Counts the run up to `end`, moves it to its place, and starts a new one at `next`.
    fn take_run(&mut self, sink: &mut Sink, buffer: &mut [u8], end: usize, next: usize) {
        let start = core::mem::replace(&mut sink.run, next);
        if end <= start {
            return;
        }
        if end - start <= SHORT_RUN && sink.copy.is_none() && !sink.refused {
            if let Some(octets) = move_short_run(buffer, start, end, sink.written) {
                self.report.octets += octets as u64;
                sink.written += octets;
                return;
            }
        }
        let Some(run) = buffer.get(start..end) else { return };
        self.report.octets += run.len() as u64;
        self.report.eight_bit |= !run.is_ascii();
        if let Some(first) = memchr(0, run) {
            if self.report.nul == 0 {
                self.report.first_nul = self.received + (start + first) as u64;
            }
            self.report.nul += memchr::memchr_iter(0, run).count() as u64;
        }
        if sink.refused {
            return;
        }
        if let Some(copy) = &mut sink.copy {
            copy.extend_from_slice(run);
        } else {
            if sink.written != start {
                buffer.copy_within(start..end, sink.written);
            }
            sink.written += end - start;
        }
    }

    /// Puts CR LF in the place of the octet at `at`.
    fn insert_line_end(&mut self, sink: &mut Sink, buffer: &mut [u8], at: usize) {
        self.take_run(sink, buffer, at, at + 1);
        let copy = sink.copy.get_or_insert_with(|| {
            let mut copy = BytesMut::with_capacity(buffer.len() + 64);
            copy.extend_from_slice(buffer.get(..sink.written).unwrap_or_default());
            copy
        });
        copy.extend_from_slice(b"\r\n");
        self.report.octets += 2;
    }
}
