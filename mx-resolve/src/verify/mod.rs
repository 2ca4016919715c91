//! Certificates against what a plan asks of them: TLSA records (RFC 7672 §3), or trusted roots and names (RFC 8461 §4.2). Pure:
//! signature algorithms, roots and time come in. With the feature `rustls`, [`PeerVerifier`] does it inside a handshake.

mod certificate;
mod chain;
mod names;
#[cfg(feature = "rustls")]
mod peer;

pub use rustls_pki_types as pki_types;

pub use self::certificate::Certificate;
pub use self::chain::{VerifyError, verify_dane, verify_pkix};
#[cfg(feature = "rustls")]
pub use self::peer::{Authenticated, PeerVerifier};
