//! Files over HTTPS: what a machine asks for, and what came of it. A driver fetches; what it means is judged here and by the
//! machine that asked.

use alloc::string::String;

use bytes::Bytes;

use crate::address::RefusedAddress;
use crate::dns::Failure;
use crate::machine::QueryId;
use crate::name::DomainName;
use crate::time::UnixMillis;

/// A file to fetch over HTTPS, port 443.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Page {
    /// The host, which the certificate has to name.
    pub host: DomainName,
    /// The path with the query behind it, from the first slash on: visible ASCII.
    pub path: String,
    /// What to send with POST; GET if there is nothing.
    pub body: Option<String>,
}

impl Page {
    /// A file to get.
    #[must_use]
    pub fn new(host: DomainName, path: impl Into<String>) -> Self {
        Self { host, path: path.into(), body: None }
    }
}

/// A file that a machine asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchRequest {
    /// What the response is handed in with.
    pub id: QueryId,
    /// The file. No redirect is followed, and no cache asked.
    pub page: Page,
    /// Octets of its body at most; more is [`FetchFailure::TooLarge`].
    pub limit: usize,
    /// After this, no response is waited for.
    pub deadline: UnixMillis,
}

/// A response, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The field `Content-Type`, if there is one.
    pub media_type: Option<String>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// A response.
    #[must_use]
    pub fn new(status: u16, media_type: Option<String>, body: impl Into<Bytes>) -> Self {
        Self { status, media_type, body: body.into() }
    }

    /// Whether its media type, parameters aside, is this one.
    #[must_use]
    pub fn is_of(&self, media_type: &str) -> bool {
        let found = self.media_type.as_deref().unwrap_or_default();
        let found = found.split(';').next().unwrap_or_default();
        found.trim_matches([' ', '\t']).eq_ignore_ascii_case(media_type)
    }
}

/// Why a file could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FetchFailure {
    /// The driver does not fetch files.
    #[error("not fetched by this driver")]
    Unsupported,
    /// The addresses of the host could not be found out.
    #[error("address: {0}")]
    Lookup(Failure),
    /// The host has no address.
    #[error("no address")]
    NoAddress,
    /// All addresses of the host are refused; this is why the first is.
    #[error("refused address: {}", .0.as_str())]
    Refused(RefusedAddress),
    /// No connection, or it broke.
    #[error("no connection")]
    Connection,
    /// The certificate is not valid for the host.
    #[error("certificate")]
    Certificate,
    /// TLS failed for another reason.
    #[error("tls")]
    Tls,
    /// What came is no HTTP.
    #[error("http")]
    Http,
    /// The body is longer than the limit.
    #[error("too large")]
    TooLarge,
    /// The status is not 200.
    #[error("status {0}")]
    Status(u16),
    /// The media type is another one.
    #[error("media type")]
    MediaType,
    /// It took too long.
    #[error("timeout")]
    Timeout,
}
