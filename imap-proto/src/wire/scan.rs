//! [`Scanner`]: reads a line part as tokens, octet by octet in constant memory, to know whether its end
//! announces a literal.
//!
//! RFC 9051 §9 (`literal`, `quoted`), RFC 7888 §3 (`{n+}`), RFC 3516 §7 (`~{n}`). A literal is announced only
//! at an argument position, outside a quoted string, as the last octets of a line part.

/// A literal that was announced: `{n}`, `{n+}`, `~{n}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Announcement {
    /// How many octets it has; `None` for a number that does not fit 64 bits.
    pub length: Option<u64>,
    /// Whether the sender waits for the reader's consent.
    pub synchronising: bool,
    /// Whether it may hold NUL.
    pub binary: bool,
    /// Whether the number has leading zeros, which no sender should write.
    pub leading_zeros: bool,
}

/// What a line part turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Tokens, and the end of the message.
    Complete,
    /// Tokens, and a literal.
    Announces(Announcement),
    /// No tokens. `ambiguous`: it ends like a literal that nobody waits with, so what follows may be content
    /// or a command.
    Malformed { ambiguous: bool },
}

/// Where in the tokens the scanner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// An argument may begin.
    Argument,
    /// Inside an atom.
    Atom,
    /// Behind a closing quote or parenthesis.
    Behind,
    Quoted,
    Escaped,
    /// Behind a `~` at an argument position.
    Tilde,
    /// Inside `{…`.
    Number,
    /// Behind `{n+`.
    Plus,
    /// Behind `}`: nothing may follow.
    Announced,
    /// These are no tokens.
    Malformed,
}

/// Whether the last octets look like `{n+}`, wherever they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    Nothing,
    Open,
    Digits,
    Plus,
    Closed,
}

/// Reads one line part.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    place: Place,
    tail: Tail,
    announcement: Announcement,
    digits: u32,
    /// A CR was read whose LF is not there yet.
    carriage_return: bool,
}

/// Whether an octet goes on with an atom.
const fn is_plain(octet: u8) -> bool {
    !matches!(octet, 0..=b' ' | 127 | b'"' | b'{' | b'(' | b')')
}

impl Scanner {
    /// At the start of a part; behind a literal only a separator may come.
    pub(super) const fn new(behind_literal: bool) -> Self {
        Self {
            place: if behind_literal { Place::Behind } else { Place::Argument },
            tail: Tail::Nothing,
            announcement: Announcement {
                length: Some(0),
                synchronising: true,
                binary: false,
                leading_zeros: false,
            },
            digits: 0,
            carriage_return: false,
        }
    }

    /// Reads octets that hold no LF.
    pub(super) fn feed(&mut self, octets: &[u8]) {
        if let Some(place) = self.behind_plain(octets) {
            self.place = place;
            self.carriage_return = octets.ends_with(b"\r");
            return;
        }
        let mut rest = octets;
        while let Some((&octet, behind)) = rest.split_first() {
            let run = self.run(rest);
            if run > 0 {
                rest = rest.get(run..).unwrap_or_default();
                continue;
            }
            self.octet(octet);
            rest = behind;
        }
    }

    /// Where `octets` lead that have neither quotes nor braces nor controls, but perhaps the CR of the line end: to tokens,
    /// whatever they are. `None` if they have, or if the place is not between or in such tokens.
    fn behind_plain(&self, octets: &[u8]) -> Option<Place> {
        let between = matches!(self.place, Place::Argument | Place::Atom | Place::Behind | Place::Tilde);
        if !between || self.carriage_return {
            return None;
        }
        let text = octets.strip_suffix(b"\r").unwrap_or(octets);
        // Without a branch for each octet.
        let special = |octet: &u8| matches!(octet, 0..=31 | 127 | b'"' | b'{');
        if text.iter().fold(false, |found, octet| found | special(octet)) {
            return None;
        }
        Some(match text {
            [] => self.place,
            [.., b' ' | b'('] => Place::Argument,
            [.., b')'] => Place::Behind,
            [.., b' ' | b'(', b'~'] => Place::Tilde,
            [b'~'] if self.place == Place::Argument => Place::Tilde,
            [..] => Place::Atom,
        })
    }

    /// How many octets at the front change nothing, but that an atom may have begun with them.
    fn run(&mut self, octets: &[u8]) -> usize {
        if self.carriage_return || self.tail != Tail::Nothing {
            return 0;
        }
        match self.place {
            Place::Atom | Place::Behind => {
                let run = octets.iter().take_while(|octet| is_plain(**octet)).count();
                if run > 0 {
                    self.place = Place::Atom;
                }
                run
            }
            Place::Quoted => {
                let ends = |octet: &u8| matches!(octet, b'"' | b'\\' | b'{' | b'\r' | 0);
                octets.iter().position(ends).unwrap_or(octets.len())
            }
            _ => 0,
        }
    }

    /// What the part is, at the LF that ends it.
    pub(super) fn end(&self) -> Verdict {
        match self.place {
            Place::Announced => Verdict::Announces(self.announcement),
            Place::Argument | Place::Atom | Place::Behind | Place::Tilde => Verdict::Complete,
            Place::Quoted | Place::Escaped | Place::Number | Place::Plus | Place::Malformed => {
                Verdict::Malformed { ambiguous: self.tail == Tail::Closed }
            }
        }
    }

    fn octet(&mut self, octet: u8) {
        if self.carriage_return {
            // A CR that no LF follows separates nothing.
            self.carriage_return = false;
            self.place = Place::Malformed;
        }
        if octet == b'\r' {
            self.carriage_return = true;
            return;
        }
        self.tail = match (self.tail, octet) {
            (_, b'{') => Tail::Open,
            (Tail::Open | Tail::Digits, b'0'..=b'9') => Tail::Digits,
            (Tail::Digits, b'+') => Tail::Plus,
            (Tail::Plus, b'}') => Tail::Closed,
            _ => Tail::Nothing,
        };
        self.place = match (self.place, octet) {
            // RFC 9051 §9 (quoted): any octet but CR, LF and NUL may stand between quotes.
            (Place::Malformed | Place::Announced, _) | (_, 0) => Place::Malformed,
            (Place::Quoted, b'"') => Place::Behind,
            (Place::Quoted, b'\\') => Place::Escaped,
            (Place::Quoted, _) | (Place::Escaped, b'"' | b'\\') => Place::Quoted,
            (Place::Escaped, _) | (_, 1..=31 | 127) => Place::Malformed,
            (Place::Number, b'0'..=b'9') => self.digit(octet),
            (Place::Number, b'+') if self.digits > 0 => {
                self.announcement.synchronising = false;
                Place::Plus
            }
            (Place::Number, b'}') if self.digits > 0 => Place::Announced,
            (Place::Plus, b'}') => Place::Announced,
            (Place::Number | Place::Plus, _) => Place::Malformed,
            (Place::Argument, b'"') => Place::Quoted,
            (Place::Argument, b'~') => Place::Tilde,
            (Place::Argument | Place::Tilde, b'{') => {
                self.announcement.binary = self.place == Place::Tilde;
                Place::Number
            }
            (Place::Argument | Place::Atom | Place::Behind | Place::Tilde, b' ' | b'(') => Place::Argument,
            (Place::Argument | Place::Atom | Place::Behind | Place::Tilde, b')') => Place::Behind,
            (Place::Atom | Place::Behind | Place::Tilde, b'"' | b'{') => Place::Malformed,
            (Place::Argument | Place::Atom | Place::Behind | Place::Tilde, _) => Place::Atom,
        };
    }

    fn digit(&mut self, octet: u8) -> Place {
        let digit = u64::from(octet - b'0');
        if self.digits == 1 && self.announcement.length == Some(0) {
            self.announcement.leading_zeros = true;
        }
        let length = self.announcement.length;
        self.announcement.length = length.and_then(|length| length.checked_mul(10)?.checked_add(digit));
        self.digits = self.digits.saturating_add(1);
        Place::Number
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample;

    use super::*;

    fn scan(part: &[u8]) -> Verdict {
        let mut scanner = Scanner::new(false);
        scanner.feed(part);
        scanner.end()
    }

    fn announced(part: &[u8]) -> Option<(Option<u64>, bool, bool)> {
        match scan(part) {
            Verdict::Announces(literal) => Some((literal.length, literal.synchronising, literal.binary)),
            _ => None,
        }
    }

    proptest! {
        #[test]
        fn runs_are_read_as_their_octets_are(
            part in vec(prop_oneof![8 => sample::select(&b"ab ({5+}\")~\\x"[..]), 1 => any::<u8>()], 0..30),
            cut in 0_usize..30,
            behind_literal: bool,
        ) {
            let (start, end) = part.split_at(cut.min(part.len()));
            let mut scanner = Scanner::new(behind_literal);
            scanner.feed(start);
            scanner.feed(end);
            let mut slow = Scanner::new(behind_literal);
            part.iter().for_each(|octet| slow.octet(*octet));
            prop_assert_eq!((scanner.end(), scanner.place, scanner.tail), (slow.end(), slow.place, slow.tail));
        }
    }

    #[test]
    fn a_literal_is_announced_at_the_end_of_a_part_at_an_argument_position() {
        assert_eq!(announced(b"a LOGIN {5}\r"), Some((Some(5), true, false)));
        assert_eq!(announced(b"a LOGIN {5+}\r"), Some((Some(5), false, false)));
        assert_eq!(announced(b"a APPEND x ~{70}"), Some((Some(70), true, true)));
        assert_eq!(announced(b"a APPEND x (~{7+}"), Some((Some(7), false, true)));
        assert_eq!(announced(b"a \"quoted {1}\" ({0+}"), Some((Some(0), false, false)));
        assert_eq!(announced(b"a {18446744073709551615}"), Some((Some(u64::MAX), true, false)));
        assert_eq!(announced(b"a {18446744073709551616+}"), Some((None, false, false)));
        assert_eq!(announced(b"a {99999999999999999999999999999999999}"), Some((None, true, false)));
    }

    #[test]
    fn leading_zeros_are_seen() {
        let zeros = |part: &[u8]| matches!(scan(part), Verdict::Announces(literal) if literal.leading_zeros);
        assert!(zeros(b"a {012}") && zeros(b"a {00}"));
        assert!(!zeros(b"a {0}") && !zeros(b"a {10}") && !zeros(b"a {100}"));
    }

    #[test]
    fn braces_elsewhere_announce_nothing() {
        assert_eq!(scan(b"a NOOP \"{5}\""), Verdict::Complete);
        assert_eq!(scan(b"a FETCH 1 BODY[HEADER.FIELDS (X)]<0.10>"), Verdict::Complete);
        for part in [
            &b"a x{5}"[..],
            b"a {5} ",
            b"a {5}x",
            b"a {}",
            b"a {+}",
            b"a {-1}",
            b"a {5",
            b"a \"x\"{5}",
            b"a {5 }",
        ] {
            assert_eq!(scan(part), Verdict::Malformed { ambiguous: false }, "{}", part.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_token_but_ends_like_a_literal_is_ambiguous() {
        for part in [
            &b"a x{5+}"[..],
            b"a \"open {5+}",
            b"a \"x\"{05+}",
            b"a \x01 {5+}",
            b"a \r {5+}",
            b"a \"\\x {5+}",
        ] {
            assert_eq!(scan(part), Verdict::Malformed { ambiguous: true }, "{}", part.escape_ascii());
        }
    }

    #[test]
    fn controls_and_a_cr_inside_are_no_tokens() {
        for part in [&b"a \0"[..], b"a \x7f", b"a \tb", b"a\rb", b"a \r\r", b"a \"\0\"", b"a \"\rb\""] {
            assert_eq!(scan(part), Verdict::Malformed { ambiguous: false }, "{}", part.escape_ascii());
        }
        assert_eq!(scan(b"a \"\x01\t\x7f\"\r"), Verdict::Complete, "between quotes they are");
    }

    #[test]
    fn behind_a_literal_comes_a_separator_or_the_end() {
        let behind = |part: &[u8]| {
            let mut scanner = Scanner::new(true);
            scanner.feed(part);
            scanner.end()
        };
        assert_eq!(behind(b"\r"), Verdict::Complete);
        assert!(matches!(behind(b" {5}\r"), Verdict::Announces(_)));
        assert_eq!(behind(b"{5+}\r"), Verdict::Malformed { ambiguous: true });
    }
}
