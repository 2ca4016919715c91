//! [`Capability`]: what a server can do, by name. RFC 9051 §7.2.2.

use bytes::Bytes;

/// A name in CAPABILITY. Compared without regard to ASCII case.
#[derive(Clone, Debug, Eq)]
pub struct Capability(Bytes);

impl Capability {
    /// A name; `None` if it is not an atom.
    #[must_use]
    pub fn new(name: impl Into<Bytes>) -> Option<Self> {
        let name = name.into();
        let fits = |octet: &u8| crate::encode::is_atom_octet(*octet);
        (!name.is_empty() && name.iter().all(fits)).then_some(Self(name))
    }

    /// The name as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether it is `name`, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name.as_bytes())
    }
}

impl PartialEq for Capability {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
