//! [`Message`]: the message to send, in pieces from a file, standard input or memory.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;

use bytes::Bytes;
use mailwright_core::wire::LineEndCounter;

use crate::failure::Failure;

/// Octets of one piece.
const PIECE: usize = 64 * 1024;
/// Octets that are read to see the header; a longer one is seen in part.
const MOST_HEADER: usize = 1 << 20;

/// A message that is read as it is sent.
#[derive(Debug)]
pub(crate) struct Message {
    source: Source,
    /// What was read already, to see what kind of message it is.
    head: Bytes,
    /// Whether its line ends are LF.
    pub(crate) bare_lf: bool,
    /// Whether its header has octets beyond ASCII (RFC 6532).
    pub(crate) utf8_header: bool,
    /// What only something that can be read twice tells before it is sent.
    pub(crate) whole: Option<Whole>,
}

/// What is known of a message that can be read twice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    /// Octets as they will be sent.
    pub(crate) size: u64,
    /// Whether there are octets beyond ASCII.
    pub(crate) eight_bit: bool,
}

#[derive(Debug)]
enum Source {
    File(File),
    /// Something that can be read once.
    Stream(Box<dyn Reader>),
    Memory {
        whole: Bytes,
        rest: Bytes,
    },
}

trait Reader: Read + core::fmt::Debug {}

impl<T: Read + core::fmt::Debug> Reader for T {}

impl Message {
    /// Opens `path`, or standard input for `-`, and looks at the beginning.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let wrong = |error: io::Error| Failure::failed(format_args!("{}: {error}", path.display()));
        let source = if path == Path::new("-") {
            Source::Stream(Box::new(io::stdin()))
        } else {
            let file = File::open(path).map_err(wrong)?;
            let is_file = file.metadata().map_err(wrong)?.is_file();
            if is_file { Source::File(file) } else { Source::Stream(Box::new(file)) }
        };
        Self::look(source).map_err(wrong)
    }

    /// A message that was made here.
    pub(crate) fn composed(octets: Bytes) -> io::Result<Self> {
        Self::look(Source::Memory { whole: octets.clone(), rest: octets })
    }

    fn look(source: Source) -> io::Result<Self> {
        let mut message =
            Self { source, head: Bytes::new(), bare_lf: false, utf8_header: false, whole: None };
        let mut head = Vec::new();
        let mut end = None;
        while end.is_none() && head.len() < MOST_HEADER {
            let piece = message.read()?;
            if piece.is_empty() {
                break;
            }
            // The empty line may lie across two pieces.
            let from = head.len().saturating_sub(3);
            head.extend_from_slice(&piece);
            end = header_end(head.get(from..).unwrap_or_default()).map(|at| from + at);
        }
        let line_end = head.iter().position(|&octet| octet == b'\n');
        message.bare_lf = line_end.is_some_and(|at| at == 0 || head.get(at - 1) != Some(&b'\r'));
        message.utf8_header = !head.get(..end.unwrap_or(head.len())).unwrap_or_default().is_ascii();
        if let Source::Stream(_) = message.source {
            message.head = head.into();
        } else {
            message.whole = Some(message.measure(&head)?);
            message.restart()?;
        }
        Ok(message)
    }

    /// Reads the rest behind `head` to know the whole.
    fn measure(&mut self, head: &[u8]) -> io::Result<Whole> {
        let mut counter = LineEndCounter::default();
        counter.feed(head);
        let mut eight_bit = !head.is_ascii();
        loop {
            let piece = self.read()?;
            if piece.is_empty() {
                // RFC 1870 §5: a size counts each line end as CR LF.
                return Ok(Whole { size: counter.octets().saturating_add(counter.added()), eight_bit });
            }
            counter.feed(&piece);
            eight_bit |= !piece.is_ascii();
        }
    }

    /// The next piece; empty at the end.
    pub(crate) fn next_piece(&mut self) -> io::Result<Bytes> {
        if self.head.is_empty() { self.read() } else { Ok(self.head.split_to(self.head.len().min(PIECE))) }
    }

    /// Back to the first octet. Only a [`Self::whole`] one can.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        match &mut self.source {
            Source::File(file) => file.rewind(),
            Source::Stream(_) => Err(io::Error::other("standard input cannot be read twice")),
            Source::Memory { whole, rest } => {
                rest.clone_from(whole);
                Ok(())
            }
        }
    }

    fn read(&mut self) -> io::Result<Bytes> {
        let mut piece = Vec::new();
        let most = PIECE as u64;
        match &mut self.source {
            Source::File(file) => file.take(most).read_to_end(&mut piece)?,
            Source::Stream(stream) => stream.take(most).read_to_end(&mut piece)?,
            Source::Memory { rest, .. } => return Ok(rest.split_to(rest.len().min(PIECE))),
        };
        Ok(piece.into())
    }
}

/// Where the first empty line begins.
fn header_end(octets: &[u8]) -> Option<usize> {
    let mut ends = octets.iter().enumerate().filter(|&(_, &octet)| octet == b'\n').map(|(at, _)| at + 1);
    ends.find(|&at| {
        let rest = octets.get(at..).unwrap_or_default();
        rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(octets: &'static [u8]) -> Message {
        Message::look(Source::Stream(Box::new(octets))).unwrap()
    }

    #[test]
    fn the_first_line_end_tells_what_line_ends_there_are() {
        assert!(message(b"Subject: x\n\nbody\r\n").bare_lf);
        assert!(!message(b"Subject: x\r\n\r\nbody\n").bare_lf);
        assert!(!message(b"Subject: x").bare_lf);
        assert!(message(b"\n").bare_lf);
    }

    #[test]
    fn only_the_header_decides_about_smtputf8() {
        assert!(message("Subject: grün\r\n\r\n".as_bytes()).utf8_header);
        assert!(!message("Subject: x\r\n\r\ngrün\r\n".as_bytes()).utf8_header);
        assert!(!message("Subject: x\n\ngrün\n".as_bytes()).utf8_header);
    }

    #[test]
    fn the_pieces_are_the_message() {
        let octets: &'static [u8] = Box::leak(vec![b'x'; 3 * MOST_HEADER].into_boxed_slice());
        let mut message = message(octets);
        let mut read = Vec::new();
        loop {
            let piece = message.next_piece().unwrap();
            if piece.is_empty() {
                break;
            }
            read.extend_from_slice(&piece);
        }
        assert!(read == octets);
    }
}
