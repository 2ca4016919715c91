//! Annotations of mailboxes and the server: [`MetadataEntry`], the commands and the response. RFC 5464.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::mailbox::Mailbox;

/// The name of an entry, such as `/private/comment`. Compared without regard to ASCII case.
#[derive(Clone, Eq)]
pub struct MetadataEntry(Bytes);

/// Not the name of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entry is a path of ASCII that begins with / and has no empty component, no * and no %")]
#[non_exhaustive]
pub struct MetadataEntryError;

impl MetadataEntry {
    /// A name.
    ///
    /// # Errors
    /// If it breaks the rules of RFC 5464 §3.2.
    pub fn new(name: impl Into<Bytes>) -> Result<Self, MetadataEntryError> {
        let name = name.into();
        // RFC 5464 §3.2: no consecutive or trailing slashes, no "*" and "%", no control characters, ASCII only.
        let path = name.strip_prefix(b"/").ok_or(MetadataEntryError)?;
        let whole = path.split(|octet| *octet == b'/').all(|component| !component.is_empty());
        let fits = |octet: &u8| matches!(octet, b' '..=b'~') && !matches!(octet, b'*' | b'%');
        if whole && name.iter().all(fits) { Ok(Self(name)) } else { Err(MetadataEntryError) }
    }

    /// The name as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so the default is never used.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl PartialEq for MetadataEntry {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl core::hash::Hash for MetadataEntry {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        for octet in &self.0 {
            state.write_u8(octet.to_ascii_lowercase());
        }
        state.write_u8(0xff);
    }
}

impl fmt::Display for MetadataEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MetadataEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MetadataEntry({})", self.as_str())
    }
}

/// How far below an entry GETMETADATA looks (RFC 5464 §4.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5464 §4.2.2 has these three")]
pub enum MetadataDepth {
    /// `0`: the entry alone.
    #[default]
    Zero,
    /// `1`: and those directly below it.
    One,
    /// `infinity`: and all below it.
    Infinity,
}

/// GETMETADATA (RFC 5464 §4.2).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GetMetadataCommand {
    /// The mailbox; the empty name is the server.
    pub mailbox: Mailbox,
    /// MAXSIZE: octets of a value that is to be told at most.
    pub max_size: Option<u64>,
    /// DEPTH.
    pub depth: MetadataDepth,
    /// Which entries.
    pub entries: Vec<MetadataEntry>,
}

impl GetMetadataCommand {
    /// Asks for `entries` of `mailbox` and none below them.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>, entries: Vec<MetadataEntry>) -> Self {
        Self { mailbox: mailbox.into(), max_size: None, depth: MetadataDepth::Zero, entries }
    }
}

/// An entry and its value; without a value there is none, and SETMETADATA removes it.
pub type MetadataValue = (MetadataEntry, Option<Bytes>);

/// SETMETADATA (RFC 5464 §4.3).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetMetadataCommand {
    /// The mailbox; the empty name is the server.
    pub mailbox: Mailbox,
    /// Entries and their new values, which may hold any octets.
    pub values: Vec<MetadataValue>,
}

impl SetMetadataCommand {
    /// Sets `values` of `mailbox`.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>, values: Vec<MetadataValue>) -> Self {
        Self { mailbox: mailbox.into(), values }
    }
}

/// METADATA (RFC 5464 §4.4).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetadataResponse {
    /// The mailbox; the empty name is the server.
    pub mailbox: Mailbox,
    /// What is told.
    pub data: MetadataData,
    /// Entries that cannot be read, as they came.
    pub invalid: Vec<Bytes>,
}

impl MetadataResponse {
    /// What there is to tell of `mailbox`.
    #[must_use]
    pub fn new(mailbox: impl Into<Mailbox>, data: MetadataData) -> Self {
        Self { mailbox: mailbox.into(), data, invalid: Vec::new() }
    }
}

/// What METADATA tells.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5464 §4.4 has these two")]
pub enum MetadataData {
    /// Entries with their values.
    Values(Vec<MetadataValue>),
    /// Entries that have changed.
    Changed(Vec<MetadataEntry>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_path() {
        assert_eq!(MetadataEntry::new("/shared/Comment"), MetadataEntry::new("/SHARED/comment"));
        assert!(MetadataEntry::new("/private/vendor/vendor.coi/a b").is_ok());
        for wrong in ["", "/", "shared", "/a//b", "/a/", "/a*", "/a%", "/ä", "/a\t", "/a\r\nb", "/a\0"] {
            assert!(MetadataEntry::new(Bytes::copy_from_slice(wrong.as_bytes())).is_err(), "{wrong:?}");
        }
    }
}
