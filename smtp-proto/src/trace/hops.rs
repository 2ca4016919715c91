//! Counting `Received` fields, to stop loops: RFC 5321 §6.3.

/// Counts the `Received` fields in a message's own header as the message streams by.
///
/// Only the header counts, up to the first empty line; an enclosed message has its own history. State
/// is a few octets, whatever the message.
///
/// ```
/// use mailwright_smtp::trace::HopCounter;
///
/// let mut hops = HopCounter::new();
/// hops.feed(b"Received: from a\r\n\tby b\r\nRECEI");
/// hops.feed(b"VED: from c\r\nSubject: x\r\n\r\nReceived: in the body\r\n");
/// assert_eq!(hops.count(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopCounter {
    state: State,
    count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many octets of this line were the field name so far, and nothing else was.
    Name(u8),
    /// The name is complete, white space before the colon (RFC 5322 §4.5.3, obsolete) may follow.
    Colon,
    /// A line that is another field, or the rest of one.
    Rest,
    /// A CR was the first octet of the line.
    EmptyLine,
    /// The header is over.
    Body,
}

impl Default for HopCounter {
    fn default() -> Self {
        Self::new()
    }
}

impl HopCounter {
    /// A counter at the start of a message.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Name(0), count: 0 }
    }

    /// Looks at the next octets of the message.
    pub fn feed(&mut self, mut content: &[u8]) {
        const NAME: &[u8; 8] = b"received";
        loop {
            if self.state == State::Body {
                return;
            }
            if self.state == State::Rest {
                let Some(end) = memchr::memchr(b'\n', content) else { return };
                content = content.get(end + 1..).unwrap_or_default();
                self.state = State::Name(0);
            }
            let Some((&octet, rest)) = content.split_first() else { return };
            content = rest;
            self.state = match (self.state, octet) {
                (State::Name(0) | State::EmptyLine, b'\n') => State::Body,
                (State::Name(0), b'\r') => State::EmptyLine,
                (State::Name(_) | State::Colon, b'\n') => State::Name(0),
                (State::Name(seen), octet)
                    if NAME.get(usize::from(seen)) == Some(&octet.to_ascii_lowercase()) =>
                {
                    if usize::from(seen) + 1 == NAME.len() { State::Colon } else { State::Name(seen + 1) }
                }
                (State::Colon, b' ' | b'\t') => State::Colon,
                (State::Colon, b':') => {
                    self.count = self.count.saturating_add(1);
                    State::Rest
                }
                _ => State::Rest,
            };
        }
    }

    /// How many there were so far.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Whether the header is complete.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::Body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(message: &[u8], size: usize) -> u32 {
        let mut hops = HopCounter::new();
        for chunk in message.chunks(size) {
            hops.feed(chunk);
        }
        hops.count()
    }

    #[test]
    fn only_fields_of_the_own_header_count_however_it_is_cut() {
        let message = b"Received: a\r\nReceived-SPF: no\r\nX-Received: no\r\n received: folded, no\r\nReceived : obsolete form\r\n\
            reCEIVED:\r\nReceive: no\r\n\r\nContent-Type: message/rfc822\r\n\r\nReceived: no\r\n";
        for size in 1..40 {
            assert_eq!(count(message, size), 3, "{size}");
        }
    }

    #[test]
    fn a_message_without_header_has_no_hops() {
        assert_eq!(count(b"\r\nReceived: x\r\n", 3), 0);
        assert_eq!(count(b"\nReceived: x\n", 1), 0);
        assert_eq!(count(b"", 1), 0);
    }

    #[test]
    fn bare_lf_ends_a_line_of_stored_mail() {
        assert_eq!(count(b"Received: a\nReceived: b\n\nReceived: c\n", 5), 2);
    }

    #[test]
    fn a_cr_inside_the_header_is_data() {
        assert_eq!(count(b"\rReceived: a\r\nReceived: b\r\n\r\n", 2), 1);
    }
}
