//! [`Seed`] and [`Nonce`]: entropy as a parameter. Nothing here calls a random generator.

use alloc::string::{String, ToString as _};
use core::fmt;

use bytes::BytesMut;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::base64;
use crate::scram::{DecoyKey, ScramHash};

/// 32 octets from the host's random generator, from which a session derives every nonce it needs.
///
/// Give each session its own, never reused seed. The nonces are HMAC-SHA-256 of a counter under the
/// seed, so one seed always gives the same nonces in the same order: tests and fuzzers fix it.
pub struct Seed {
    key: Zeroizing<[u8; 32]>,
    counter: u64,
}

impl Seed {
    /// A seed of `octets`, which must be unpredictable for the peer.
    #[must_use]
    pub fn new(octets: [u8; 32]) -> Self {
        Self { key: Zeroizing::new(octets), counter: 0 }
    }

    /// The next nonce.
    pub fn nonce(&mut self) -> Nonce {
        let counter = self.counter.to_be_bytes();
        self.counter = self.counter.wrapping_add(1);
        let mut octets = [0; Nonce::LEN];
        // HMAC takes a key of any length, so there is always a code to copy from.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_ref()) {
            mac.update(&counter);
            let code = mac.finalize().into_bytes();
            for (target, &source) in octets.iter_mut().zip(code.iter()) {
                *target = source;
            }
        }
        Nonce(Zeroizing::new(octets))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// 24 unpredictable octets for one exchange.
pub struct Nonce(Zeroizing<[u8; Nonce::LEN]>);

impl Nonce {
    /// Octets of a nonce.
    pub const LEN: usize = 24;

    /// The octets.
    #[must_use]
    pub fn octets(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The nonce in base64: printable, without a comma.
    pub(crate) fn text(&self) -> String {
        let mut text = BytesMut::new();
        base64::encode(&*self.0, &mut text);
        core::str::from_utf8(&text).unwrap_or_default().to_string()
    }

    /// The nonce in hexadecimal.
    #[cfg(feature = "legacy-md5")]
    pub(crate) fn hexadecimal(&self) -> String {
        use core::fmt::Write as _;
        let mut text = String::new();
        for octet in self.0.iter() {
            let _ = write!(text, "{octet:02x}");
        }
        text
    }

    /// A key that depends on the nonce and does not show it.
    pub(crate) fn decoy_key(&self) -> DecoyKey {
        let mut key = [0; 32];
        for (target, source) in key.iter_mut().zip(ScramHash::Sha256.code(&*self.0, &[b"decoy key"]).octets())
        {
            *target = *source;
        }
        DecoyKey::new(key)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_nonces_again_and_no_nonce_twice() {
        let (mut one, mut two) = (Seed::new([7; 32]), Seed::new([7; 32]));
        let first = one.nonce();
        assert_eq!(first.octets(), two.nonce().octets());
        assert_ne!(first.octets(), one.nonce().octets());
        assert_ne!(first.octets(), Seed::new([8; 32]).nonce().octets());
    }

    #[test]
    fn a_nonce_is_hmac_sha_256_of_the_counter() {
        // The first octets of HMAC-SHA-256 with a key of 32 zero octets over 8 zero octets.
        let expected = [0xf3, 0x75, 0x18, 0x0a];
        assert_eq!(Seed::new([0; 32]).nonce().octets().get(..4), Some(&expected[..]));
    }
}
