//! The message that is returned, or its header, on its way through. RFC 6522 §3 and §4.

use bytes::{BufMut as _, BytesMut};

use crate::dsn::decide::{Original, Returned};

/// Octets of a header that are returned; the rest is cut.
const HEADER_LIMIT: u64 = 102_400;

/// The state between two pieces.
#[derive(Debug)]
pub(super) struct Passage {
    returned: Returned,
    /// Whether more is taken.
    open: bool,
    /// The piece before ended in a CR, which is not written yet.
    held: bool,
    /// Nothing of this line is written yet.
    line_start: bool,
    /// Octets written.
    written: u64,
}

impl Passage {
    pub(super) const fn new(returned: Returned) -> Self {
        Self { returned, open: true, held: false, line_start: true, written: 0 }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn write(&mut self, chunk: &[u8], out: &mut BytesMut) {
        let mut rest = chunk;
        while let (true, Some(&first)) = (self.open, rest.first()) {
            if self.held {
                // A CR LF, or a CR that becomes one.
                self.held = false;
                if first == b'\n' {
                    rest = rest.get(1..).unwrap_or_default();
                }
                self.end_line(out);
                continue;
            }
            let length =
                rest.iter().position(|octet| matches!(octet, b'\r' | b'\n' | 0)).unwrap_or(rest.len());
            let (text, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.text(text, out);
            rest = behind;
            if let (true, Some((&octet, behind))) = (self.open, rest.split_first()) {
                rest = behind;
                match octet {
                    b'\r' => self.held = true,
                    b'\n' => self.end_line(out),
                    _ => self.text(b" ", out),
                }
            }
        }
    }

    pub(super) fn finish(&mut self, out: &mut BytesMut) {
        if self.open && self.held {
            self.held = false;
            self.end_line(out);
        }
    }

    fn limit(&self) -> u64 {
        match self.returned {
            Returned::Message => Original::FULL_LIMIT,
            Returned::Headers => HEADER_LIMIT,
        }
    }

    /// Writes octets of a line, as many as the limit allows.
    fn text(&mut self, text: &[u8], out: &mut BytesMut) {
        let room = usize::try_from(self.limit().saturating_sub(self.written)).unwrap_or(usize::MAX);
        let taken = text.get(..room).unwrap_or(text);
        out.put_slice(taken);
        self.written += taken.len() as u64;
        if !taken.is_empty() {
            self.line_start = false;
        }
        if text.len() > room {
            self.open = false;
            out.put_slice(b"\r\n");
        }
    }

    fn end_line(&mut self, out: &mut BytesMut) {
        // RFC 5322 §2.1: an empty line ends the header.
        if self.returned == Returned::Headers && (self.line_start || self.written >= HEADER_LIMIT) {
            self.open = false;
            if self.line_start {
                return;
            }
        }
        out.put_slice(b"\r\n");
        self.written += 2;
        self.line_start = true;
    }
}
