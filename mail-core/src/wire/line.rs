//! [`LineFramer`]: cuts lines off an input buffer in linear time and bounded memory.
//!
//! RFC 5321 §2.3.8, RFC 1939 §3. What a line may contain is the parser's business: bare CR, bare LF
//! and NUL stay in the line, where the parser sees and refuses them; they are never separators.

use bytes::{Bytes, BytesMut};

/// What ends a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LineEnd {
    /// CR LF only. A bare LF is an octet of the line.
    #[default]
    CrLf,
    /// CR LF, and by tolerance a bare LF, which [`Framed::Line`] reports.
    CrLfOrLf,
}

/// What a [`LineFramer`] cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a parser must handle each case")]
pub enum Framed {
    /// A line within the limit.
    Line {
        /// The octets before the line end.
        line: Bytes,
        /// Whether it ended in a bare LF (only under [`LineEnd::CrLfOrLf`]).
        bare_lf: bool,
    },
    /// A line above the limit was skipped to its end; its octets are gone.
    Overlong {
        /// Its length with the line end.
        length: u64,
    },
}

/// What a [`LineFramer`] found at the front of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a parser must handle each case")]
pub enum Found {
    /// A line within the limit: so many octets, then so many of its line end, 1 or 2. It is still in the buffer.
    Line {
        /// Octets before the line end.
        length: usize,
        /// Octets of the line end: 2, or 1 if it is a bare LF.
        end: usize,
    },
    /// A line above the limit was skipped to its end; its octets are gone.
    Overlong {
        /// Its length with the line end.
        length: u64,
    },
}

/// Cuts lines off the front of a buffer.
///
/// Resumable: it remembers how far it has looked, so that the work is linear however the input is cut.
/// It leaves at most `limit` octets of an unfinished line in the buffer; a longer line is dropped as
/// it comes and reported once, at its end.
///
/// ```
/// use bytes::BytesMut;
/// use mailwright_core::wire::{Framed, LineEnd, LineFramer};
///
/// let mut framer = LineFramer::new(LineEnd::CrLf);
/// let mut input = BytesMut::from("NOOP\r\nQU");
/// let line = |framed| match framed { Some(Framed::Line { line, .. }) => line, other => panic!("{other:?}") };
/// assert_eq!(line(framer.next_line(&mut input, 512)), "NOOP");
/// assert_eq!(framer.next_line(&mut input, 512), None);
/// input.extend_from_slice(b"IT\r\n");
/// assert_eq!(line(framer.next_line(&mut input, 512)), "QUIT");
/// ```
#[derive(Clone, Debug)]
pub struct LineFramer {
    line_end: LineEnd,
    /// Octets at the front of the buffer that were seen to hold no line end.
    scanned: usize,
    /// Octets of an overlong line that were dropped so far; 0 while the line is within the limit.
    dropped: u64,
    /// Whether the last dropped octet was a CR.
    dropped_cr: bool,
}

impl LineFramer {
    /// A framer at the start of a line.
    #[must_use]
    pub const fn new(line_end: LineEnd) -> Self {
        Self { line_end, scanned: 0, dropped: 0, dropped_cr: false }
    }

    /// Whether it is inside an overlong line, whose end is still to come.
    #[must_use]
    pub const fn is_skipping(&self) -> bool {
        self.dropped > 0
    }

    /// Forgets the unfinished line: for use when the buffer goes to another reader.
    pub fn reset(&mut self) {
        *self = Self::new(self.line_end);
    }

    /// Cuts the next line, `limit` octets at most with its line end, or returns `None` until more comes.
    ///
    /// The buffer must be the one of the last call with more behind it.
    pub fn next_line(&mut self, input: &mut BytesMut, limit: usize) -> Option<Framed> {
        match self.find_line(input, limit)? {
            Found::Line { length, end } => {
                let mut line = input.split_to((length + end).min(input.len()));
                line.truncate(length);
                Some(Framed::Line { line: line.freeze(), bare_lf: end == 1 })
            }
            Found::Overlong { length } => Some(Framed::Overlong { length }),
        }
    }

    /// The same for who only looks at the line: it stays at the front of the buffer, and must be taken away,
    /// with its end, before the next call.
    pub fn find_line(&mut self, input: &mut BytesMut, limit: usize) -> Option<Found> {
        loop {
            let start = self.scanned.min(input.len());
            let found = memchr::memchr(b'\n', input.get(start..)?);
            let Some(position) = found.map(|at| start + at) else {
                if self.is_skipping() || input.len() >= limit {
                    self.drop_front(input, input.len());
                } else {
                    self.scanned = input.len();
                }
                return None;
            };
            let length = position + 1;
            let after_cr = if position == 0 {
                self.is_skipping() && self.dropped_cr
            } else {
                input.get(position - 1) == Some(&b'\r')
            };
            if !after_cr && self.line_end == LineEnd::CrLf {
                // A bare LF is an octet like any other.
                if self.is_skipping() || length >= limit {
                    self.drop_front(input, length);
                } else {
                    self.scanned = length;
                }
                continue;
            }
            if self.is_skipping() || length > limit {
                self.drop_front(input, length);
                let length = self.dropped;
                self.dropped = 0;
                self.dropped_cr = false;
                return Some(Found::Overlong { length });
            }
            self.scanned = 0;
            let end = if after_cr { 2 } else { 1 };
            return Some(Found::Line { length: length - end, end });
        }
    }

    fn drop_front(&mut self, input: &mut BytesMut, count: usize) {
        let gone = input.split_to(count.min(input.len()));
        if let Some(&last) = gone.last() {
            self.dropped_cr = last == b'\r';
        }
        self.dropped = self.dropped.saturating_add(gone.len() as u64);
        self.scanned = 0;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn cut(input: &[u8], sizes: &[usize], line_end: LineEnd, limit: usize) -> (Vec<Framed>, usize) {
        let mut framer = LineFramer::new(line_end);
        let mut buffer = BytesMut::new();
        let mut out = Vec::new();
        let mut rest = input;
        let mut most = 0;
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() {
            let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
            let (now, later) = rest.split_at(size);
            buffer.extend_from_slice(now);
            rest = later;
            while let Some(framed) = framer.next_line(&mut buffer, limit) {
                out.push(framed);
            }
            most = most.max(buffer.len());
        }
        (out, most)
    }

    fn line(text: &'static str) -> Framed {
        Framed::Line { line: Bytes::from_static(text.as_bytes()), bare_lf: false }
    }

    #[test]
    fn a_bare_lf_or_cr_is_no_line_end() {
        let (out, _) = cut(b"a\nb\rc\r\r\nd\r\n", &[100], LineEnd::CrLf, 100);
        assert_eq!(out, [line("a\nb\rc\r"), line("d")]);
    }

    #[test]
    fn by_tolerance_a_bare_lf_ends_a_line_and_is_reported() {
        let (out, _) = cut(b"a\nb\r\n\n", &[100], LineEnd::CrLfOrLf, 100);
        let bare =
            |text: &'static str| Framed::Line { line: Bytes::from_static(text.as_bytes()), bare_lf: true };
        assert_eq!(out, [bare("a"), line("b"), bare("")]);
    }

    #[test]
    fn a_line_at_the_limit_passes_and_one_octet_more_does_not_wherever_it_is_cut() {
        for size in 1..12 {
            let (out, _) = cut(b"12345678\r\nx\r\n123456789\r\ny\r\n", &[size], LineEnd::CrLf, 10);
            assert_eq!(
                out,
                [line("12345678"), line("x"), Framed::Overlong { length: 11 }, line("y")],
                "{size}"
            );
        }
    }

    #[test]
    fn ten_mebibytes_without_line_end_leave_nothing_in_memory() {
        let mut input = vec![b'a'; 10 << 20];
        input.extend_from_slice(b"\r\nNOOP\r\n");
        let (out, most) = cut(&input, &[1460], LineEnd::CrLf, 2048);
        assert_eq!(out, [Framed::Overlong { length: (10 << 20) + 2 }, line("NOOP")]);
        assert!(most < 2048, "{most}");
    }

    proptest! {
        #[test]
        fn cutting_never_matters(
            input in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'a'), Just(0)], 0..200),
            sizes in proptest::collection::vec(1usize..20, 1..10),
            lenient: bool,
        ) {
            let line_end = if lenient { LineEnd::CrLfOrLf } else { LineEnd::CrLf };
            let (whole, _) = cut(&input, &[usize::MAX], line_end, 7);
            let (parts, most) = cut(&input, &sizes, line_end, 7);
            prop_assert_eq!(whole, parts);
            prop_assert!(most < 7);
        }
    }
}
