//! What the configurations of both sides share: [`TlsMode`].

/// How TLS comes into a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsMode {
    /// Not at all.
    #[default]
    Off,
    /// By STARTTLS (RFC 9051 §6.2.1). A server offers it; a client insists on it.
    StartTls,
    /// From the first octet, on a port of its own (RFC 8314 §3.2).
    Implicit,
}
