//! Message content of several shapes, and how it is cut.

use bytes::{Buf as _, BytesMut};

/// The shape of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Lines of 76 octets, as base64 has.
    Base64,
    /// Lines of 20 to 80 octets.
    Text,
    /// Lines of 76 octets, of which each begins with two dots.
    Dots,
    /// Lines of one octet.
    Short,
    /// One line.
    Long,
    /// Lines of none.
    Empty,
}

impl Body {
    /// All shapes.
    pub const ALL: [Self; 6] = [Self::Base64, Self::Text, Self::Dots, Self::Short, Self::Long, Self::Empty];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base64 => "76 columns",
            Self::Text => "text",
            Self::Dots => "all dots",
            Self::Short => "one octet a line",
            Self::Long => "one long line",
            Self::Empty => "empty lines",
        }
    }

    /// So many octets of content at least, in whole lines that end in CR LF.
    #[must_use]
    pub fn content(self, octets: usize) -> Vec<u8> {
        let mut content = Vec::with_capacity(octets + 128);
        let mut number = 0_usize;
        while content.len() < octets {
            number += 1;
            let length = match self {
                Self::Base64 | Self::Dots => 76,
                Self::Text => 20 + number * 37 % 61,
                Self::Short => 1,
                Self::Long => octets,
                Self::Empty => 0,
            };
            let start = content.len();
            content
                .extend((0..length).map(|column| b'a' + u8::try_from((number + column) % 26).unwrap_or(0)));
            if self == Self::Dots {
                content[start..start + 2].copy_from_slice(b"..");
            }
            content.extend_from_slice(b"\r\n");
        }
        content
    }

    /// The same as it goes over the wire: dots doubled, terminated.
    #[must_use]
    pub fn wire(self, octets: usize) -> Vec<u8> {
        let content = self.content(octets);
        let mut wire = Vec::with_capacity(content.len() * 2 + 3);
        for line in content.split_inclusive(|octet| *octet == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            wire.extend_from_slice(line);
        }
        wire.extend_from_slice(b".\r\n");
        wire
    }
}

/// A buffer of its own with these octets, at an address that is so many octets behind one that is divisible by eight.
/// It is already one that views can share.
#[must_use]
pub fn buffer(octets: &[u8], offset: usize) -> BytesMut {
    let mut buffer = BytesMut::with_capacity(octets.len() + 16);
    buffer.extend_from_slice(&[0; 16][..offset]);
    buffer.extend_from_slice(octets);
    buffer.advance(offset);
    let _ = buffer.split_to(0);
    buffer
}

/// Hands on `source` as reads of so many octets would, without copying: each follows what was left of the one before.
pub fn in_reads(source: &mut BytesMut, octets: usize, mut each: impl FnMut(&mut BytesMut)) {
    let mut input = BytesMut::new();
    while !source.is_empty() {
        let read = source.split_to(octets.min(source.len()));
        if input.is_empty() {
            input = read;
        } else {
            input.unsplit(read);
        }
        each(&mut input);
    }
}
