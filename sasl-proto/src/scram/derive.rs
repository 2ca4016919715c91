//! From a password to keys: [`prepare_password`], [`DeriveJob`], [`DerivedKeys`]. RFC 5802 §3.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use mailwright_core::value::Secret;
use subtle::ConstantTimeEq as _;

use super::hash::{Output, ScramHash};
use crate::prepare::{PrepareError, Strings, prepare};

/// Prepares a password for SCRAM, where it is set as where it is used.
///
/// SASLprep; with `raw`, a password that SASLprep prohibits is taken as it is, as deployed servers do.
/// One that Unicode 3.2 does not have stays refused among [`Strings::Stored`], since a later version may
/// normalise it differently.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_password(password: &str, strings: Strings, raw: bool) -> Result<Cow<'_, str>, PrepareError> {
    // RFC 5802 §5.1: SASLprep.
    match prepare(password, strings) {
        Err(PrepareError::Prohibited | PrepareError::Directions) if raw => Ok(Cow::Borrowed(password)),
        result => result,
    }
}

/// A key derivation that takes long enough to be run where it hurts nobody. From
/// [`ClientStep::Derive`](crate::ClientStep::Derive); goes back by [`Client::derived`](crate::Client::derived).
pub struct DeriveJob {
    hash: ScramHash,
    password: Secret,
    salt: Vec<u8>,
    iterations: u32,
}

impl DeriveJob {
    /// `password` is prepared.
    pub(crate) const fn new(hash: ScramHash, password: Secret, salt: Vec<u8>, iterations: u32) -> Self {
        Self { hash, password, salt, iterations }
    }

    /// Of PBKDF2: what it will cost.
    #[must_use]
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Derives the keys.
    #[must_use]
    pub fn run(self) -> DerivedKeys {
        // RFC 5802 §3: SaltedPassword, ClientKey, ServerKey.
        let salted = self.hash.salted(self.password.expose(), &self.salt, self.iterations);
        DerivedKeys {
            client_key: self.hash.code(salted.octets(), &[b"Client Key"]),
            server_key: self.hash.code(salted.octets(), &[b"Server Key"]),
            hash: self.hash,
            salt: self.salt,
            iterations: self.iterations,
        }
    }
}

impl fmt::Debug for DeriveJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeriveJob").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

/// What a client proves itself with: worth as much as the password at this one server. A client may keep
/// them, and spare itself the derivation while salt and iteration count stay the same (RFC 5802 §5.1).
#[derive(Clone)]
pub struct DerivedKeys {
    pub(crate) hash: ScramHash,
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
    pub(crate) client_key: Output,
    pub(crate) server_key: Output,
}

impl DerivedKeys {
    /// Whether `job`, of the same password, would make these keys again.
    #[must_use]
    pub fn fit(&self, job: &DeriveJob) -> bool {
        self.are_for(job.hash, &job.salt, job.iterations)
    }

    pub(crate) fn are_for(&self, hash: ScramHash, salt: &[u8], iterations: u32) -> bool {
        self.hash == hash && self.iterations == iterations && bool::from(self.salt.as_slice().ct_eq(salt))
    }
}

impl fmt::Debug for DerivedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivedKeys").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}
