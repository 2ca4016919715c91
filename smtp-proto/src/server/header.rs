//! How long the header section of a message is: RFC 5322 §2.1. Nothing else of it is looked at.

use memchr::memchr;

/// Counts the octets before the first empty line, as far as they matter.
#[derive(Debug, Default)]
pub(super) struct Header {
    octets: u64,
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    /// Behind a CR at the start of a line.
    EmptyLine,
    Line,
    /// Behind a CR in a line.
    LineEnd,
    Over,
}

impl Header {
    /// The next octets of the content. Above `limit` nothing more is counted.
    pub(super) fn feed(&mut self, octets: &[u8], limit: u64) {
        let mut rest = octets;
        while let (Some(&first), true) = (rest.first(), self.place != Place::Over) {
            let taken = match (self.place, first) {
                (Place::LineStart, b'\r') => {
                    // It counts once it is known to end no empty line.
                    self.place = Place::EmptyLine;
                    rest = rest.get(1..).unwrap_or_default();
                    continue;
                }
                (Place::EmptyLine, b'\n') => {
                    self.place = Place::Over;
                    return;
                }
                (Place::EmptyLine, _) => {
                    self.place = Place::LineEnd;
                    self.octets = self.octets.saturating_add(1);
                    continue;
                }
                (Place::LineEnd, b'\n') => {
                    self.place = Place::LineStart;
                    1
                }
                // RFC 5321 §2.3.8: only CR LF ends a line.
                _ => match memchr(b'\r', rest) {
                    Some(at) => {
                        self.place = Place::LineEnd;
                        at + 1
                    }
                    None => {
                        self.place = Place::Line;
                        rest.len()
                    }
                },
            };
            self.octets = self.octets.saturating_add(taken as u64);
            rest = rest.get(taken..).unwrap_or_default();
            if self.octets > limit {
                self.place = Place::Over;
            }
        }
    }

    /// Octets of the header section, with the line ends of its lines; somewhere above the limit if it is longer.
    pub(super) const fn octets(&self) -> u64 {
        self.octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(content: &[u8], size: usize) -> u64 {
        let mut header = Header::default();
        content.chunks(size).for_each(|chunk| header.feed(chunk, 1000));
        header.octets()
    }

    #[test]
    fn the_first_empty_line_ends_it_however_it_is_cut() {
        for (content, expected) in [
            (&b"a: b\r\nc: d\r\n\r\nbody\r\n\r\n"[..], 12),
            (b"\r\nbody", 0),
            (b"a: b\r\n", 6),
            (b"a: b\r\n\rc\r\n\r\nbody", 10),
            (b"a\n\r\n\r\nbody", 4),
            (b"a\r\r\n\r\nbody", 4),
            (b"a\n\n\nb\r\n\r\n", 7),
            (b"", 0),
            (b"\r", 0),
            (b"\rx\r\n\r\n", 4),
            (b"\r\r\n\r\n", 3),
        ] {
            for size in 1..=content.len().max(1) {
                assert_eq!(octets(content, size), expected, "{} by {size}", content.escape_ascii());
            }
        }
    }

    #[test]
    fn at_the_limit_it_is_not_above() {
        for (length, above) in [(1000, false), (1001, true)] {
            let content = [&[b'x'; 2000][..length - 2], b"\r\n\r\nbody"].concat();
            for size in [1, 7, 5000] {
                assert_eq!(octets(&content, size) > 1000, above, "{length} by {size}");
            }
        }
    }

    #[test]
    fn above_the_limit_nothing_is_counted() {
        let content = b"line\r\n".repeat(1000);
        for size in [1, 100, 6000] {
            let counted = octets(&content, size);
            assert!(counted > 1000 && counted <= 1006, "{counted} by {size}");
        }
    }
}
