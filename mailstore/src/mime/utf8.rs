//! [`HeaderCharset`]: whether a header has UTF-8 beyond ASCII in it (RFC 6532 §3.1).

/// Looks at a header in pieces of any size.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeaderCharset {
    beyond_ascii: bool,
    invalid: bool,
    /// The beginning of a character whose rest is to come: so many octets.
    held: [u8; 4],
    count: usize,
}

impl HeaderCharset {
    /// Takes the next octets.
    pub(super) fn feed(&mut self, octets: &[u8]) {
        if self.invalid || self.count == 0 && octets.is_ascii() {
            return;
        }
        self.beyond_ascii = true;
        let mut rest = octets;
        while self.count > 0 {
            let Some((first, behind)) = rest.split_first() else { return };
            rest = behind;
            let Some(place) = self.held.get_mut(self.count) else { break };
            *place = *first;
            self.count += 1;
            match self.held.get(..self.count).map(core::str::from_utf8) {
                Some(Ok(_)) => self.count = 0,
                Some(Err(error)) if error.error_len().is_none() && self.count < self.held.len() => {}
                _ => {
                    self.invalid = true;
                    return;
                }
            }
        }
        let Err(error) = core::str::from_utf8(rest) else { return };
        let begun = rest.get(error.valid_up_to()..).unwrap_or_default();
        match (error.error_len(), self.held.get_mut(..begun.len())) {
            (None, Some(held)) => {
                held.copy_from_slice(begun);
                self.count = begun.len();
            }
            _ => self.invalid = true,
        }
    }

    /// Whether there is UTF-8 beyond ASCII, and nothing else beyond it.
    pub(super) const fn is_utf8(&self) -> bool {
        self.beyond_ascii && !self.invalid && self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_utf8(octets: &[u8], size: usize) -> bool {
        let mut charset = HeaderCharset::default();
        octets.chunks(size).for_each(|piece| charset.feed(piece));
        charset.is_utf8()
    }

    #[test]
    fn utf8_is_told_from_ascii_and_from_anything_else_wherever_it_is_cut() {
        for size in 1..8 {
            for text in
                ["gr\u{fc}n", "\u{20ac}", "a\u{1f600}b\u{e9}", "\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}"]
            {
                assert!(is_utf8(text.as_bytes(), size), "{text} {size}");
            }
            for octets in [
                &b""[..],
                b"ascii",
                b"gr\xfcn",
                b"\xc3",
                b"\xc3(",
                b"\xe2\x82",
                b"\xed\xa0\x80",
                b"\xc0\xaf",
                b"\xf4\x90\x80\x80",
                b"\xc3\xbc\xff",
                b"\xff\xc3\xbc",
                b"\x80",
            ] {
                assert!(!is_utf8(octets, size), "{} {size}", octets.escape_ascii());
            }
        }
    }
}
