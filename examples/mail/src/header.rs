//! [`Header`]: the few header fields that a listing shows, as they stand in the message (RFC 5322 §2.2).

/// Octets of a header that are kept; what is behind them is not looked at.
const MOST: usize = 256 * 1024;

/// The header of a message, as far as it was received.
#[derive(Debug, Default)]
pub(crate) struct Header(Vec<u8>);

impl Header {
    /// Adds what came next.
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        let room = MOST.saturating_sub(self.0.len());
        self.0.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
    }

    /// The body of the first field of this name, on one line; nothing if there is none.
    pub(crate) fn field(&self, name: &str) -> Vec<u8> {
        let mut lines = self
            .0
            .split(|&octet| octet == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .take_while(|line| !line.is_empty());
        let mut body = loop {
            let Some(line) = lines.next() else { return Vec::new() };
            if let Some(body) = body_of(line, name) {
                break body.trim_ascii().to_vec();
            }
        };
        // RFC 5322 §2.2.3: a line that begins with white space belongs to the one before.
        for line in lines.take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t")) {
            body.push(b' ');
            body.extend_from_slice(line.trim_ascii());
        }
        body
    }
}

fn body_of<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    // RFC 5322 §4.5: old messages have white space before the colon.
    let behind = rest.trim_ascii_start().strip_prefix(b":")?;
    start.eq_ignore_ascii_case(name.as_bytes()).then_some(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(header: &str, name: &str) -> String {
        let mut parsed = Header::default();
        parsed.push(header.as_bytes());
        String::from_utf8(parsed.field(name)).unwrap()
    }

    #[test]
    fn a_field_is_found_in_any_case_and_unfolded() {
        let header =
            "X-Subject: no\r\nSUBJECT : one\r\n\ttwo\r\n three\r\nFrom: a@example.org\r\n\r\nDate: body";
        assert_eq!(field(header, "Subject"), "one two three");
        assert_eq!(field(header, "From"), "a@example.org");
        assert_eq!(field(header, "Date"), "");
    }

    #[test]
    fn of_two_fields_the_first_counts_and_no_prefix_does() {
        assert_eq!(field("Fromage: x\nFrom: one\nFrom: two\n", "From"), "one");
    }

    #[test]
    fn an_endless_header_is_bounded() {
        let mut header = Header::default();
        for _ in 0..100 {
            header.push(&[b'x'; 10_000]);
        }
        assert_eq!(header.0.len(), MOST);
    }
}
