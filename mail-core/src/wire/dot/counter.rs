//! [`LineEndCounter`]: how long a message is once its line ends are CR LF.

/// Counts, as a message streams by, the octets that it has once each bare LF is CR LF and its last line
/// has a line end: the size that POP3 announces (RFC 1939 §11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineEndCounter {
    octets: u64,
    added: u64,
    last: Option<u8>,
}

impl LineEndCounter {
    /// Counts `content`.
    pub fn feed(&mut self, content: &[u8]) {
        self.octets += content.len() as u64;
        for at in memchr::memchr_iter(b'\n', content) {
            let before = if at == 0 { self.last } else { content.get(at - 1).copied() };
            if before != Some(b'\r') {
                self.added += 1;
            }
        }
        if let Some(&last) = content.last() {
            self.last = Some(last);
        }
    }

    /// Octets as they came.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Octets that normalisation adds: one a bare LF, two for a last line without line end.
    #[must_use]
    pub const fn added(&self) -> u64 {
        self.added + if matches!(self.last, None | Some(b'\n')) { 0 } else { 2 }
    }
}
