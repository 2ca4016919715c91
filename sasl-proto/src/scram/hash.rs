//! [`ScramHash`]: the hash functions of SCRAM, and what RFC 5802 §2.2 builds from them.

use core::fmt;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::name::MechanismName;

/// The hash function of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ScramHash {
    /// SHA-1: RFC 5802. Still sound in HMAC, and what old clients have.
    Sha1,
    /// SHA-256: RFC 7677.
    #[default]
    Sha256,
    /// SHA-512.
    #[cfg(feature = "scram-sha-512")]
    Sha512,
}

impl ScramHash {
    /// All of them, weakest first.
    #[cfg(not(feature = "scram-sha-512"))]
    pub const ALL: &[Self] = &[Self::Sha1, Self::Sha256];
    /// All of them, weakest first.
    #[cfg(feature = "scram-sha-512")]
    pub const ALL: &[Self] = &[Self::Sha1, Self::Sha256, Self::Sha512];

    /// Its mechanism, without channel binding.
    #[must_use]
    pub const fn mechanism(self) -> MechanismName {
        match self {
            Self::Sha1 => MechanismName::SCRAM_SHA_1,
            Self::Sha256 => MechanismName::SCRAM_SHA_256,
            #[cfg(feature = "scram-sha-512")]
            Self::Sha512 => MechanismName::SCRAM_SHA_512,
        }
    }

    /// Its mechanism with channel binding.
    #[must_use]
    pub const fn mechanism_plus(self) -> MechanismName {
        match self {
            Self::Sha1 => MechanismName::SCRAM_SHA_1_PLUS,
            Self::Sha256 => MechanismName::SCRAM_SHA_256_PLUS,
            #[cfg(feature = "scram-sha-512")]
            Self::Sha512 => MechanismName::SCRAM_SHA_512_PLUS,
        }
    }

    /// The hash of a mechanism, and whether it binds.
    pub(crate) fn of(name: MechanismName) -> Option<(Self, bool)> {
        Self::ALL.iter().find_map(|&hash| match name {
            name if name == hash.mechanism() => Some((hash, false)),
            name if name == hash.mechanism_plus() => Some((hash, true)),
            _ => None,
        })
    }

    /// Octets of its output.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            #[cfg(feature = "scram-sha-512")]
            Self::Sha512 => 64,
        }
    }

    /// H() of RFC 5802 §2.2.
    pub(crate) fn hash(self, octets: &[u8]) -> Output {
        match self {
            Self::Sha1 => Output::of(Sha1::digest(octets)),
            Self::Sha256 => Output::of(Sha256::digest(octets)),
            #[cfg(feature = "scram-sha-512")]
            Self::Sha512 => Output::of(sha2::Sha512::digest(octets)),
        }
    }

    /// HMAC() of RFC 5802 §2.2, over `parts` one behind the other.
    pub(crate) fn code(self, key: &[u8], parts: &[&[u8]]) -> Output {
        match self {
            Self::Sha1 => code::<Hmac<Sha1>>(key, parts),
            Self::Sha256 => code::<Hmac<Sha256>>(key, parts),
            #[cfg(feature = "scram-sha-512")]
            Self::Sha512 => code::<Hmac<sha2::Sha512>>(key, parts),
        }
    }

    /// Hi() of RFC 5802 §2.2.
    pub(crate) fn salted(self, password: &[u8], salt: &[u8], iterations: u32) -> Output {
        match self {
            Self::Sha1 => salted::<Hmac<Sha1>>(password, salt, iterations),
            Self::Sha256 => salted::<Hmac<Sha256>>(password, salt, iterations),
            #[cfg(feature = "scram-sha-512")]
            Self::Sha512 => salted::<Hmac<sha2::Sha512>>(password, salt, iterations),
        }
    }
}

impl fmt::Display for ScramHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mechanism().fmt(f)
    }
}

fn code<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Output {
    // HMAC takes a key of any length.
    let Ok(mut mac) = <M as Mac>::new_from_slice(key) else { return Output::default() };
    for part in parts {
        mac.update(part);
    }
    Output::of(mac.finalize().into_bytes())
}

fn salted<M: Mac + KeyInit + Clone>(password: &[u8], salt: &[u8], iterations: u32) -> Output {
    let Ok(keyed) = <M as Mac>::new_from_slice(password) else { return Output::default() };
    // RFC 5802 §2.2: U1 is over the salt and INT(1); the result is the exclusive or of all U. This is
    // PBKDF2 with one block of output.
    let mut round = keyed.clone().chain_update(salt).chain_update([0, 0, 0, 1]).finalize().into_bytes();
    let mut sum = round.clone();
    for _ in 1..iterations {
        round = keyed.clone().chain_update(&round).finalize().into_bytes();
        for (sum, round) in sum.iter_mut().zip(&round) {
            *sum ^= round;
        }
    }
    round.as_mut_slice().zeroize();
    Output::of(sum)
}

/// The output of a hash function: a key, a proof or a signature. Overwritten on drop.
#[derive(Clone)]
pub(crate) struct Output {
    octets: Zeroizing<[u8; Self::MAX]>,
    length: usize,
}

impl Default for Output {
    fn default() -> Self {
        Self { octets: Zeroizing::new([0; Self::MAX]), length: 0 }
    }
}

impl Output {
    const MAX: usize = 64;

    /// The output of `octets`, which are overwritten.
    fn of(mut octets: impl AsMut<[u8]>) -> Self {
        let octets = octets.as_mut();
        let output = Self::copy(octets).unwrap_or_default();
        octets.zeroize();
        output
    }

    /// A copy of `octets`; `None` if no hash function has so many.
    pub(crate) fn copy(octets: &[u8]) -> Option<Self> {
        let mut output = Self::default();
        output.octets.get_mut(..octets.len())?.copy_from_slice(octets);
        output.length = octets.len();
        Some(output)
    }

    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    /// The exclusive or of both.
    pub(crate) fn xor(mut self, other: &Self) -> Self {
        for (octet, other) in self.octets.iter_mut().zip(other.octets.iter()) {
            *octet ^= other;
        }
        self
    }

    /// Compares in constant time.
    pub(crate) fn equals(&self, other: &[u8]) -> bool {
        self.octets().ct_eq(other).into()
    }
}
