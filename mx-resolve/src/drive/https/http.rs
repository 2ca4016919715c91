//! As much of HTTP/1.1 as one file takes: the octets of a request, and a response from octets, however they are cut
//! (RFC 9112). Nothing is followed, cached or decoded; what is not understood is a failure.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::fetch::{FetchFailure, Page, Response};

/// Octets of a status line and its fields, of all interim responses together, and of the framing of chunks.
const OVERHEAD: usize = 32 * 1024;

/// The octets of a request.
pub(super) fn request(page: &Page) -> Vec<u8> {
    let path: String =
        page.path
            .bytes()
            .map(|octet| {
                if octet.is_ascii_graphic() { char::from(octet).to_string() } else { format!("%{octet:02X}") }
            })
            .collect();
    let slash = if path.starts_with('/') { "" } else { "/" };
    let method = if page.body.is_some() { "POST" } else { "GET" };
    let mut text = format!(
        "{method} {slash}{path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: mailwright-mx\r\nAccept: */*\r\nConnection: close\r\n",
        page.host
    );
    match &page.body {
        Some(body) => {
            text += &format!(
                "Content-Type: text/xml; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
        }
        None => text += "\r\n",
    }
    text.into_bytes()
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunks,
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Head,
    Body(Framing),
    /// The line before a chunk.
    Size,
    /// Octets of a chunk that are to come.
    Chunk(usize),
    /// The line end behind a chunk.
    ChunkEnd,
    /// The lines behind the last chunk.
    Trailer,
    Done,
}

/// Reads a response as its octets come.
#[derive(Debug)]
pub(super) struct Reader {
    buffer: Vec<u8>,
    place: Place,
    status: u16,
    media_type: Option<String>,
    body: Vec<u8>,
    limit: usize,
    overhead: usize,
}

impl Reader {
    /// For a body of at most `limit` octets.
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            place: Place::Head,
            status: 0,
            media_type: None,
            body: Vec::new(),
            limit,
            overhead: 0,
        }
    }

    /// Takes octets; whether the response is complete. What comes behind it is ignored.
    pub(super) fn take(&mut self, octets: &[u8]) -> Result<bool, FetchFailure> {
        self.buffer.extend_from_slice(octets);
        while self.step()? {}
        Ok(self.place == Place::Done)
    }

    /// The other side has closed, in order if `clean`.
    pub(super) fn finish(mut self, clean: bool) -> Result<Response, FetchFailure> {
        // RFC 9112 §8: a body whose end is not told is complete if TLS was closed in order.
        let complete = self.place == Place::Done || self.place == Place::Body(Framing::Close) && clean;
        if !complete {
            return Err(FetchFailure::Http);
        }
        Ok(Response::new(self.status, self.media_type.take(), core::mem::take(&mut self.body)))
    }

    /// Goes on by one part; whether that was possible.
    fn step(&mut self) -> Result<bool, FetchFailure> {
        match self.place {
            Place::Head => self.head(),
            Place::Body(Framing::Length(length)) => {
                let missing = length.saturating_sub(self.body.len());
                self.body_octets(missing)?;
                let done = self.body.len() >= length;
                if done {
                    self.place = Place::Done;
                }
                Ok(done)
            }
            Place::Body(Framing::Close) => {
                self.body_octets(usize::MAX)?;
                Ok(false)
            }
            Place::Body(Framing::Chunks) => {
                self.place = Place::Size;
                Ok(true)
            }
            Place::Size => {
                let Some(line) = self.line()? else { return Ok(false) };
                let digits = line.split(|octet| *octet == b';').next().unwrap_or_default();
                let size = core::str::from_utf8(digits.trim_ascii_end())
                    .ok()
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                    .and_then(|digits| usize::from_str_radix(digits, 16).ok())
                    .ok_or(FetchFailure::Http)?;
                self.place = if size == 0 { Place::Trailer } else { Place::Chunk(size) };
                Ok(true)
            }
            Place::Chunk(left) => {
                let taken = self.body_octets(left)?;
                self.place = if taken == left { Place::ChunkEnd } else { Place::Chunk(left - taken) };
                Ok(taken > 0)
            }
            Place::ChunkEnd => match self.line()? {
                Some(line) if line.is_empty() => {
                    self.place = Place::Size;
                    Ok(true)
                }
                Some(_) => Err(FetchFailure::Http),
                None => Ok(false),
            },
            Place::Trailer => {
                let Some(line) = self.line()? else { return Ok(false) };
                if line.is_empty() {
                    self.place = Place::Done;
                }
                Ok(!line.is_empty())
            }
            Place::Done => Ok(false),
        }
    }

    /// Moves at most `count` octets into the body.
    fn body_octets(&mut self, count: usize) -> Result<usize, FetchFailure> {
        let count = count.min(self.buffer.len());
        if count > self.limit.saturating_sub(self.body.len()) {
            return Err(FetchFailure::TooLarge);
        }
        self.body.extend(self.buffer.drain(..count));
        Ok(count)
    }

    /// A line, without its end.
    fn line(&mut self) -> Result<Option<Vec<u8>>, FetchFailure> {
        let Some(end) = self.buffer.iter().position(|octet| *octet == b'\n') else {
            let too_long = self.overhead + self.buffer.len() > OVERHEAD;
            return if too_long { Err(FetchFailure::Http) } else { Ok(None) };
        };
        self.overhead += end + 1;
        if self.overhead > OVERHEAD {
            return Err(FetchFailure::Http);
        }
        let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
        line.truncate(end);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.contains(&b'\r') || line.contains(&0) {
            return Err(FetchFailure::Http);
        }
        Ok(Some(line))
    }

    /// The status line and the fields, once all of them are there.
    fn head(&mut self) -> Result<bool, FetchFailure> {
        let ends = |at: usize| {
            let rest = self.buffer.get(at + 1..).unwrap_or_default();
            rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
        };
        if !self.buffer.iter().enumerate().any(|(at, octet)| *octet == b'\n' && ends(at)) {
            let too_long = self.overhead + self.buffer.len() > OVERHEAD;
            return if too_long { Err(FetchFailure::Http) } else { Ok(false) };
        }
        let first = self.line()?.unwrap_or_default();
        self.status = status(&first).ok_or(FetchFailure::Http)?;
        let (mut length, mut chunked) = (None, false);
        while let Some(line) = self.line()?.filter(|line| !line.is_empty()) {
            let text = String::from_utf8_lossy(&line).into_owned();
            let (name, value) = text.split_once(':').ok_or(FetchFailure::Http)?;
            let value = value.trim_matches([' ', '\t']);
            match name.to_ascii_lowercase().as_str() {
                "content-type" => self.media_type = Some(value.to_string()),
                "content-length" => {
                    let digits = value.bytes().all(|digit| digit.is_ascii_digit());
                    let found = value.parse().ok().filter(|_| digits).ok_or(FetchFailure::TooLarge)?;
                    if length.is_some_and(|length| length != found) {
                        return Err(FetchFailure::Http);
                    }
                    length = Some(found);
                }
                "transfer-encoding" if value.eq_ignore_ascii_case("chunked") && !chunked => chunked = true,
                "transfer-encoding" => return Err(FetchFailure::Http),
                "content-encoding" if !value.eq_ignore_ascii_case("identity") => {
                    return Err(FetchFailure::Http);
                }
                _ => {}
            }
        }
        // RFC 9110 §15.2: an interim response is followed by another one.
        if (100..200).contains(&self.status) {
            self.media_type = None;
            return Ok(true);
        }
        self.place = match (chunked, length) {
            _ if matches!(self.status, 204 | 304) => Place::Done,
            // RFC 9112 §6.3: both at once may be an attack.
            (true, Some(_)) => return Err(FetchFailure::Http),
            (true, None) => Place::Body(Framing::Chunks),
            (false, Some(length)) if length > self.limit => return Err(FetchFailure::TooLarge),
            (false, Some(length)) => Place::Body(Framing::Length(length)),
            (false, None) => Place::Body(Framing::Close),
        };
        Ok(true)
    }
}

/// The code in a status line of HTTP/1.
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let [b'0' | b'1', b' ', digits @ ..] = rest else { return None };
    let (digits, behind) = digits.split_at_checked(3)?;
    if !behind.is_empty() && !behind.starts_with(b" ") {
        return None;
    }
    let code = core::str::from_utf8(digits).ok()?.parse().ok()?;
    (100..600).contains(&code).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8], clean: bool) -> Result<(u16, Option<String>, Vec<u8>), FetchFailure> {
        let whole = cut(octets, clean, octets.len().max(1));
        for size in [1, 2, 3, 7] {
            assert_eq!(cut(octets, clean, size), whole, "pieces of {size}");
        }
        whole
    }

    fn cut(octets: &[u8], clean: bool, size: usize) -> Result<(u16, Option<String>, Vec<u8>), FetchFailure> {
        let mut reader = Reader::new(10);
        for piece in octets.chunks(size) {
            if reader.take(piece)? {
                break;
            }
        }
        let response = reader.finish(clean)?;
        Ok((response.status, response.media_type, response.body.to_vec()))
    }

    fn good(status: u16, body: &str) -> Result<(u16, Option<String>, Vec<u8>), FetchFailure> {
        Ok((status, None, body.as_bytes().to_vec()))
    }

    #[test]
    fn a_body_ends_by_its_length_by_chunks_or_with_the_connection() {
        assert_eq!(read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabxxx", false), good(200, "ab"));
        assert_eq!(read(b"HTTP/1.0 404\n\nab", true), good(404, "ab"));
        assert_eq!(read(b"HTTP/1.1 204 x\r\n\r\n", false), good(204, ""));
        let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nab\r\n01\r\nc\r\n0\r\nx: y\r\n\r\n";
        assert_eq!(read(chunks, false), good(200, "abc"));
        assert_eq!(
            read(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false),
            good(200, "")
        );
        let typed =
            read(b"HTTP/1.1 200 OK\r\nCONTENT-type:\t text/plain; x \r\nContent-Length: 0\r\n\r\n", false);
        assert_eq!(typed.unwrap().1.as_deref(), Some("text/plain; x"));
    }

    #[test]
    fn what_is_cut_short_is_no_response() {
        for octets in [
            &b""[..],
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
        ] {
            assert_eq!(read(octets, true), Err(FetchFailure::Http));
        }
        assert_eq!(read(b"HTTP/1.1 200 OK\r\n\r\nab", false), Err(FetchFailure::Http));
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        for octets in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n01234567890",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n01234567890",
        ] {
            assert_eq!(read(octets, true), Err(FetchFailure::TooLarge));
        }
        let mut long = b"HTTP/1.1 200 OK\r\n".to_vec();
        long.extend(core::iter::repeat_n(*b"x: y\r\n", 8000).flatten());
        assert_eq!(cut(&long, true, 100), Err(FetchFailure::Http));
        let endless = [b'x'; 40_000];
        assert_eq!(cut(&endless, true, 100), Err(FetchFailure::Http));
    }

    #[test]
    fn what_is_no_http_is_refused() {
        for octets in [
            &b"SSH-2.0-x\r\n\r\n"[..],
            b"HTTP/2 200 OK\r\n\r\n",
            b"HTTP/1.1 99 OK\r\n\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1 +20 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\rx: y\r\n\r\n",
        ] {
            assert_eq!(read(octets, true), Err(FetchFailure::Http), "{}", String::from_utf8_lossy(octets));
        }
    }

    #[test]
    fn a_request_is_one_line_of_visible_characters_and_its_fields() {
        let page = Page::new("mta-sts.example.org".parse().unwrap(), "/a b?x=\r\ny");
        let text = String::from_utf8(request(&page)).unwrap();
        assert!(text.starts_with("GET /a%20b?x=%0D%0Ay HTTP/1.1\r\nHost: mta-sts.example.org\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\n"));
    }
}
