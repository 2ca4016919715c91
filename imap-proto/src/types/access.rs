//! Access rights and quotas: [`Rights`], [`QuotaResource`] and the responses about them. RFC 4314, RFC 9208.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::atom::Atom;
use super::mailbox::Mailbox;
use super::string::OctetString;

/// Rights of somebody on a mailbox: a letter or digit each (RFC 4314 §2.1), in the order in which they were
/// written. There may be none.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Rights(Bytes);

/// Not rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rights are lower-case letters and digits")]
#[non_exhaustive]
pub struct RightsError;

impl Rights {
    /// Rights.
    ///
    /// # Errors
    /// If there is anything but lower-case letters and digits.
    pub fn new(letters: impl Into<Bytes>) -> Result<Self, RightsError> {
        let letters = letters.into();
        // RFC 4314 §7 (rights): only lowercase ASCII letters and digits are allowed.
        let fits = |octet: &u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
        if letters.iter().all(fits) { Ok(Self(letters)) } else { Err(RightsError) }
    }

    /// The letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so the default is never used.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether the right `letter` is among them.
    #[must_use]
    pub fn has(&self, letter: u8) -> bool {
        self.0.contains(&letter)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({})", self.as_str())
    }
}

/// What SETACL does with the rights it names (RFC 4314 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4314 §3.1 has these three")]
pub enum RightsAction {
    /// Exactly these are given.
    Replace,
    /// `+`: these are given too.
    Add,
    /// `-`: these are taken away.
    Remove,
}

/// ACL: who has which rights on a mailbox (RFC 4314 §3.6).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AclResponse {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// Identifiers and their rights.
    pub entries: Vec<(OctetString, Rights)>,
    /// Entries that cannot be read, as they came.
    pub invalid: Vec<Bytes>,
}

impl AclResponse {
    /// The rights on `mailbox`.
    #[must_use]
    pub const fn new(mailbox: Mailbox, entries: Vec<(OctetString, Rights)>) -> Self {
        Self { mailbox, entries, invalid: Vec::new() }
    }
}

/// LISTRIGHTS: which rights can be given to somebody (RFC 4314 §3.7).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListRightsResponse {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// To whom.
    pub identifier: OctetString,
    /// Rights that are always there.
    pub required: Rights,
    /// Rights that can be given; those that stand together are given together.
    pub optional: Vec<Rights>,
}

impl ListRightsResponse {
    /// What can be given to `identifier`.
    #[must_use]
    pub const fn new(
        mailbox: Mailbox,
        identifier: OctetString,
        required: Rights,
        optional: Vec<Rights>,
    ) -> Self {
        Self { mailbox, identifier, required, optional }
    }
}

/// What a quota counts (RFC 9208 §5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QuotaResource {
    /// STORAGE: octets of messages, in units of 1024.
    Storage,
    /// MESSAGE: messages.
    Message,
    /// MAILBOX: mailboxes.
    Mailbox,
    /// ANNOTATION-STORAGE: octets of annotations, in units of 1024.
    AnnotationStorage,
    /// Any other.
    Other(Atom),
}

impl QuotaResource {
    /// The resource with this name, in any case.
    #[must_use]
    pub fn read(name: Atom) -> Self {
        match () {
            () if name.is("STORAGE") => Self::Storage,
            () if name.is("MESSAGE") => Self::Message,
            () if name.is("MAILBOX") => Self::Mailbox,
            () if name.is("ANNOTATION-STORAGE") => Self::AnnotationStorage,
            () => Self::Other(name),
        }
    }

    /// Its name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Storage => "STORAGE",
            Self::Message => "MESSAGE",
            Self::Mailbox => "MAILBOX",
            Self::AnnotationStorage => "ANNOTATION-STORAGE",
            Self::Other(name) => name.as_str(),
        }
    }
}

/// How much of a resource is used, and how much there is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9208 §7 has no more")]
pub struct QuotaUsage {
    /// What is counted.
    pub resource: QuotaResource,
    /// How much is used.
    pub usage: u64,
    /// How much may be used.
    pub limit: u64,
}

/// QUOTA: the resources of a quota root (RFC 9208 §4.2.1).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QuotaResponse {
    /// The quota root.
    pub root: OctetString,
    /// Its resources.
    pub resources: Vec<QuotaUsage>,
    /// Resources that cannot be read, as they came.
    pub invalid: Vec<Bytes>,
}

impl QuotaResponse {
    /// The resources of `root`.
    #[must_use]
    pub const fn new(root: OctetString, resources: Vec<QuotaUsage>) -> Self {
        Self { root, resources, invalid: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_lower_case_letters_and_digits() {
        let rights = Rights::new("lrs3").unwrap();
        assert!(rights.has(b'r') && !rights.has(b'x'));
        assert_eq!(Rights::new("").unwrap(), Rights::default());
        for wrong in ["L", "l r", "+l", "l\r", "é"] {
            assert!(Rights::new(Bytes::copy_from_slice(wrong.as_bytes())).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_resource_has_a_name_in_any_case() {
        let read = |name: &'static str| QuotaResource::read(Atom::new(name).unwrap());
        assert_eq!(read("storage"), QuotaResource::Storage);
        assert_eq!(read("annotation-STORAGE"), QuotaResource::AnnotationStorage);
        assert_eq!(read("X-Thing").as_str(), "X-Thing");
    }
}
