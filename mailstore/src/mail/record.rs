//! The form of every stored value: version octet, CRC-32C, payload; numbers are big-endian.
//!
//! Reading checks all of it and never guesses: a damaged value is [`ReadError::Corrupt`], one of a later
//! version [`ReadError::Newer`].

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use bytes::{BufMut as _, Bytes};
use mailwright_core::value::{ModSeq, Uid, UidRange, UidSet};

use crate::engine::ReadError;

/// The version that this code writes, and the highest that it reads.
const VERSION: u8 = 1;

/// A kind of value.
pub(crate) trait Record: Sized {
    /// What it is, for errors.
    const WHAT: &'static str;

    /// Writes the payload.
    fn write(&self, into: &mut Vec<u8>);

    /// Reads the payload; `None` if it is damaged.
    fn read(from: &mut Reader<'_>) -> Option<Self>;

    /// The stored form.
    fn seal(&self) -> Bytes {
        let mut octets = Vec::from([VERSION, 0, 0, 0, 0]);
        self.write(&mut octets);
        let sum = checksum(&octets);
        if let Some(field) = octets.get_mut(1..5) {
            field.copy_from_slice(&sum.to_be_bytes());
        }
        octets.into()
    }

    /// Reads a stored value. `key` is named in errors.
    fn open(key: &[u8], value: &Bytes) -> Result<Self, ReadError> {
        let corrupt = || corrupt(Self::WHAT, key);
        let (version, rest) = value.split_first().ok_or_else(corrupt)?;
        if *version != VERSION {
            return Err(ReadError::Newer { what: Self::WHAT, found: *version, known: VERSION });
        }
        let (sum, _) = rest.split_first_chunk::<4>().ok_or_else(corrupt)?;
        if u32::from_be_bytes(*sum) != checksum(value) {
            return Err(corrupt());
        }
        let mut reader = Reader { value, at: 5 };
        let record = Self::read(&mut reader).ok_or_else(corrupt)?;
        if reader.at == value.len() { Ok(record) } else { Err(corrupt()) }
    }
}

/// CRC-32C of version and payload.
fn checksum(value: &[u8]) -> u32 {
    let version = value.get(..1).unwrap_or_default();
    let payload = value.get(5..).unwrap_or_default();
    !crc32c(crc32c(!0, version), payload)
}

/// The error for a damaged value.
pub(crate) fn corrupt(what: &'static str, key: &[u8]) -> ReadError {
    ReadError::Corrupt { what, key: hexadecimal(key) }
}

fn hexadecimal(key: &[u8]) -> String {
    let mut text = String::with_capacity(2 * key.len().min(64));
    for octet in key.iter().take(64) {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// A value being read. Every method gives `None` where the value ends too early.
pub(crate) struct Reader<'a> {
    value: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, _) = self.value.get(self.at..)?.split_first_chunk::<N>()?;
        self.at += N;
        Some(*chunk)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.chunk().map(|[octet]| octet)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_be_bytes)
    }

    pub(crate) fn i16(&mut self) -> Option<i16> {
        self.chunk().map(i16::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.chunk().map(i64::from_be_bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.chunk()
    }

    pub(crate) fn uid(&mut self) -> Option<Uid> {
        Uid::new(self.u32()?)
    }

    pub(crate) fn mod_seq(&mut self) -> Option<ModSeq> {
        ModSeq::new(self.u64()?)
    }

    pub(crate) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.u8()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    /// Octets behind their length.
    pub(crate) fn octets(&mut self) -> Option<Bytes> {
        let length = usize::try_from(self.u32()?).ok()?;
        let end = self.at.checked_add(length).filter(|end| *end <= self.value.len())?;
        let octets = self.value.slice(self.at..end);
        self.at = end;
        Some(octets)
    }

    /// Text behind its length.
    pub(crate) fn text(&mut self) -> Option<String> {
        String::from_utf8(self.octets()?.to_vec()).ok()
    }

    /// Items behind their number. Memory grows only as they are read.
    pub(crate) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.u32()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(read(self)?);
        }
        Some(items)
    }

    pub(crate) fn uid_set(&mut self) -> Option<UidSet> {
        let ranges = self.list(|reader| {
            let (first, last) = (reader.uid()?, reader.uid()?);
            (first <= last).then(|| UidRange::new(first, last))
        })?;
        Some(ranges.into_iter().collect())
    }
}

/// What [`Reader`] reads, written.
pub(crate) trait Write {
    fn octets(&mut self, octets: &[u8]);
    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T));
    fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, write: impl FnMut(&mut Self, T));
    fn uid_set(&mut self, set: &UidSet);
}

impl Write for Vec<u8> {
    fn octets(&mut self, octets: &[u8]) {
        // A value is far below 4 GiB: engines limit it.
        self.put_u32(u32::try_from(octets.len()).unwrap_or(u32::MAX));
        self.extend_from_slice(octets);
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.push(0),
            Some(value) => {
                self.push(1);
                write(self, value);
            }
        }
    }

    fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.put_u32(u32::try_from(items.len()).unwrap_or(u32::MAX));
        items.for_each(|item| write(self, item));
    }

    fn uid_set(&mut self, set: &UidSet) {
        self.list(set.ranges().iter(), |into, range| {
            into.put_u32(range.first().get());
            into.put_u32(range.last().get());
        });
    }
}

/// A counter that [`Op::Add`](crate::engine::Op::Add) keeps; absent = 0.
pub(crate) fn counter(key: &[u8], value: Option<Bytes>) -> Result<i64, ReadError> {
    match value {
        None => Ok(0),
        Some(value) => value.as_ref().try_into().map(i64::from_be_bytes).map_err(|_| corrupt("counter", key)),
    }
}

/// Tables for eight octets at a time: table `n` is the effect of an octet followed by `n` zeros.
const TABLES: [[u32; 256]; 8] = tables();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "const evaluation: an index out of bounds would not compile"
)]
const fn tables() -> [[u32; 256]; 8] {
    /// The Castagnoli polynomial, reflected.
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let mut tables = [[0; 256]; 8];
    let mut octet = 0;
    while octet < 256 {
        let mut sum = octet as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        tables[0][octet] = sum;
        octet += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut octet = 0;
        while octet < 256 {
            let sum = tables[table - 1][octet];
            tables[table][octet] = (sum >> 8) ^ tables[0][(sum & 0xff) as usize];
            octet += 1;
        }
        table += 1;
    }
    tables
}

/// CRC-32C without the inversions: start with `!0`, invert the result.
#[expect(clippy::indexing_slicing, reason = "an octet is below 256, the length of each table")]
fn crc32c(mut sum: u32, octets: &[u8]) -> u32 {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = &TABLES;
    let mut chunks = octets.chunks_exact(8);
    for chunk in &mut chunks {
        let Ok([a, b, c, d, e, f, g, h]) = <[u8; 8]>::try_from(chunk) else { continue };
        let [w, x, y, z] = (sum ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
        sum = t7[usize::from(w)]
            ^ t6[usize::from(x)]
            ^ t5[usize::from(y)]
            ^ t4[usize::from(z)]
            ^ t3[usize::from(e)]
            ^ t2[usize::from(f)]
            ^ t1[usize::from(g)]
            ^ t0[usize::from(h)];
    }
    for octet in chunks.remainder() {
        let [low, ..] = sum.to_le_bytes();
        sum = (sum >> 8) ^ t0[usize::from(low ^ octet)];
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_checksum_is_crc_32c() {
        // The check value of the polynomial, and the example of 32 zeros in RFC 3720 §B.4.
        assert_eq!(!crc32c(!0, b"123456789"), 0xe306_9283);
        assert_eq!(!crc32c(!0, &[0; 32]), 0x8a91_36aa);
        assert_eq!(!crc32c(!0, &[0xff; 32]), 0x62a8_ab43);
    }

    #[derive(Debug, PartialEq)]
    struct Text(String);

    impl Record for Text {
        const WHAT: &'static str = "text";

        fn write(&self, into: &mut Vec<u8>) {
            into.octets(self.0.as_bytes());
        }

        fn read(from: &mut Reader<'_>) -> Option<Self> {
            from.text().map(Self)
        }
    }

    #[test]
    fn a_later_version_is_never_guessed() {
        let mut sealed = Text("a".into()).seal().to_vec();
        if let Some(version) = sealed.first_mut() {
            *version = 2;
        }
        assert!(matches!(Text::open(b"k", &sealed.into()), Err(ReadError::Newer { found: 2, known: 1, .. })));
    }

    proptest! {
        #[test]
        fn any_changed_octet_is_detected(text in ".{0,40}", at in any::<prop::sample::Index>(), mask in 1_u8..) {
            let sealed = Text(text.clone()).seal();
            prop_assert_eq!(Text::open(b"k", &sealed).unwrap(), Text(text));
            let mut damaged = sealed.to_vec();
            let at = at.index(damaged.len());
            damaged[at] ^= mask;
            prop_assert!(Text::open(b"k", &damaged.into()).is_err());
        }

        #[test]
        fn any_cut_or_addition_is_detected(text in ".{0,40}", keep in any::<prop::sample::Index>()) {
            let sealed = Text(text).seal();
            prop_assert!(Text::open(b"k", &sealed.slice(..keep.index(sealed.len()))).is_err());
            let mut longer = sealed.to_vec();
            longer.push(0);
            prop_assert!(Text::open(b"k", &longer.into()).is_err());
        }

        #[test]
        fn chunked_and_bytewise_checksums_agree(octets in prop::collection::vec(any::<u8>(), 0..100), at in any::<prop::sample::Index>()) {
            let (head, tail) = octets.split_at(at.index(octets.len() + 1));
            prop_assert_eq!(crc32c(crc32c(!0, head), tail), crc32c(!0, &octets));
            let bytewise = octets.iter().fold(!0, |sum, octet| crc32c(sum, &[*octet]));
            prop_assert_eq!(bytewise, crc32c(!0, &octets));
        }
    }
}
