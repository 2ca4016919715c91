//! [`MessageTls`]: what the sender of a message wants of TLS, beyond what its destination does (RFC 8689).

/// What the sender of a message wants of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8689 has these and no others")]
pub enum MessageTls {
    /// Nothing: the policies of the destination count.
    #[default]
    AsPublished,
    /// REQUIRETLS on MAIL: only hosts that are known for sure and have good certificates.
    ///
    /// A report, whose reverse-path is empty, is not to be lost for that: give it [`Self::AsPublished`].
    Required,
    /// `TLS-Required: No` in its header, and no REQUIRETLS: the policies of the destination are followed as far as they can
    /// be, and mail goes out if they cannot.
    NotRequired,
}
