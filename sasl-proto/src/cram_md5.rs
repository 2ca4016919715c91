//! The digest of CRAM-MD5: RFC 2195 §2, HMAC with MD5. Nothing new should use it.

use alloc::string::String;
use core::fmt::Write as _;

use hmac::{Hmac, Mac as _};
use md5::Md5;

/// The digest of `challenge` under `secret`, in lower-case hexadecimal.
pub(crate) fn digest(secret: &[u8], challenge: &[u8]) -> String {
    let mut text = String::with_capacity(32);
    // HMAC takes a key of any length.
    if let Ok(mac) = Hmac::<Md5>::new_from_slice(secret) {
        for octet in mac.chain_update(challenge).finalize().into_bytes() {
            let _ = write!(text, "{octet:02x}");
        }
    }
    text
}
