//! [`ScramKeys`]: what a server keeps of a password, as text, and for users who do not exist
//! ([`DecoyKey`]). RFC 5802 §3.

use alloc::vec::Vec;
use core::fmt;

use bytes::BytesMut;
use mailwright_core::value::Secret;
use zeroize::Zeroizing;

use super::derive::{DeriveJob, DerivedKeys, prepare_password};
use super::hash::{Output, ScramHash};
use super::{SALT, message};
use crate::base64;
use crate::prepare::{PrepareError, Strings};

/// What a server needs to check a SCRAM proof: no password, and nothing to log in with.
///
/// Comes from [`Self::derive`] when a password is set, or from the text of another program, which
/// [`FromStr`](core::str::FromStr) reads in both usual forms:
///
/// ```
/// use mailwright_sasl::{ScramHash, ScramKeys};
///
/// let keys = ScramKeys::derive(ScramHash::Sha256, "pencil", b"0123456789abcdef", 4096)?;
/// let text = keys.postgresql().to_string();
/// assert!(text.starts_with("SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$"));
/// let again: ScramKeys = text.parse()?;
/// assert!(again.dovecot().to_string().starts_with("{SCRAM-SHA-256}4096,MDEyMzQ1Njc4OWFiY2RlZg==,"));
/// # Ok::<(), mailwright_sasl::ScramKeysError>(())
/// ```
#[derive(Clone)]
pub struct ScramKeys {
    hash: ScramHash,
    iterations: u32,
    salt: Vec<u8>,
    stored_key: Output,
    server_key: Output,
}

impl ScramKeys {
    /// Keys that are there already.
    ///
    /// # Errors
    /// If a key has another length than the hash function has, the salt not 8 to 1024 octets, or the
    /// iteration count is zero.
    pub fn new(
        hash: ScramHash,
        salt: impl Into<Vec<u8>>,
        iterations: u32,
        stored_key: &[u8],
        server_key: &[u8],
    ) -> Result<Self, ScramKeysError> {
        let salt = salt.into();
        check(&salt, iterations)?;
        let key = |octets: &[u8]| {
            Output::copy(octets).filter(|_| octets.len() == hash.length()).ok_or(ScramKeysError::Key)
        };
        Ok(Self { hash, iterations, stored_key: key(stored_key)?, server_key: key(server_key)?, salt })
    }

    /// The keys of a password. Takes long by design: run it where it hurts nobody.
    ///
    /// Give each password a fresh, unpredictable `salt`; 16 octets are usual. The password is prepared as
    /// [`prepare_password`] with `raw` does it.
    ///
    /// # Errors
    /// If the password cannot be prepared, or as [`Self::new`].
    pub fn derive(
        hash: ScramHash,
        password: &str,
        salt: impl Into<Vec<u8>>,
        iterations: u32,
    ) -> Result<Self, ScramKeysError> {
        let salt = salt.into();
        check(&salt, iterations)?;
        let password = Secret::from(&*prepare_password(password, Strings::Stored, true)?);
        Ok(DeriveJob::new(hash, password, salt, iterations).run().into())
    }

    /// The hash function.
    #[must_use]
    pub const fn hash(&self) -> ScramHash {
        self.hash
    }

    /// Iterations of the key derivation, which the client spends.
    #[must_use]
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The hash of the client's key.
    #[must_use]
    pub fn stored_key(&self) -> &[u8] {
        self.stored_key.octets()
    }

    /// The key that the server proves itself with.
    #[must_use]
    pub fn server_key(&self) -> &[u8] {
        self.server_key.octets()
    }

    /// As PostgreSQL keeps them: `SCRAM-SHA-256$i:salt$StoredKey:ServerKey`.
    pub fn postgresql(&self) -> impl fmt::Display + '_ {
        Text { keys: self, separators: ["", "$", ":", "$", ":"] }
    }

    /// As Dovecot keeps them: `{SCRAM-SHA-256}i,salt,StoredKey,ServerKey`.
    pub fn dovecot(&self) -> impl fmt::Display + '_ {
        Text { keys: self, separators: ["{", "}", ",", ",", ","] }
    }
}

impl From<DerivedKeys> for ScramKeys {
    /// What the server keeps of what the client derives: RFC 5802 §3, StoredKey is H(ClientKey).
    fn from(keys: DerivedKeys) -> Self {
        Self {
            stored_key: keys.hash.hash(keys.client_key.octets()),
            server_key: keys.server_key,
            hash: keys.hash,
            iterations: keys.iterations,
            salt: keys.salt,
        }
    }
}

fn check(salt: &[u8], iterations: u32) -> Result<(), ScramKeysError> {
    if !SALT.contains(&salt.len()) {
        return Err(ScramKeysError::Salt);
    }
    if iterations == 0 { Err(ScramKeysError::Iterations) } else { Ok(()) }
}

impl PartialEq for ScramKeys {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
            && self.iterations == other.iterations
            && self.salt == other.salt
            // Both compared in any case.
            && self.stored_key.equals(other.stored_key()) & self.server_key.equals(other.server_key())
    }
}

impl Eq for ScramKeys {}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeys")
            .field("hash", &self.hash)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

impl core::str::FromStr for ScramKeys {
    type Err = ScramKeysError;

    fn from_str(text: &str) -> Result<Self, ScramKeysError> {
        let fields = postgresql_fields(text).or_else(|| dovecot_fields(text)).ok_or(ScramKeysError::Form)?;
        let [hash, iterations, salt, stored_key, server_key] = fields;
        let hash = ScramHash::ALL
            .iter()
            .copied()
            .find(|known| known.mechanism().as_str() == hash)
            .ok_or(ScramKeysError::Hash)?;
        let iterations = message::iterations(iterations).ok_or(ScramKeysError::Iterations)?;
        let decode = |text: &str| base64::decode(text.as_bytes()).map_err(|_| ScramKeysError::Form);
        let (salt, stored_key, server_key) = (decode(salt)?, decode(stored_key)?, decode(server_key)?);
        Self::new(hash, salt.expose(), iterations, stored_key.expose(), server_key.expose())
    }
}

/// Hash, iterations, salt, stored key, server key.
type Fields<'a> = [&'a str; 5];

fn postgresql_fields(text: &str) -> Option<Fields<'_>> {
    let (hash, rest) = text.split_once('$')?;
    let (parameters, keys) = rest.split_once('$')?;
    let (iterations, salt) = parameters.split_once(':')?;
    let (stored_key, server_key) = keys.split_once(':')?;
    Some([hash, iterations, salt, stored_key, server_key])
}

fn dovecot_fields(text: &str) -> Option<Fields<'_>> {
    let (hash, rest) = text.strip_prefix('{')?.split_once('}')?;
    let mut fields = rest.split(',');
    let fields = [hash, fields.next()?, fields.next()?, fields.next()?, fields.next()?];
    // Nothing behind: the last field would not decode, since it has a comma.
    (rest.matches(',').count() == 3).then_some(fields)
}

/// Keys as text, with what stands before and between the fields.
struct Text<'a> {
    keys: &'a ScramKeys,
    separators: [&'static str; 5],
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys, separators: [before, hash, iterations, salt, stored_key] } = self;
        write!(f, "{before}{}{hash}{}{iterations}", keys.hash, keys.iterations)?;
        write_base64(f, &keys.salt)?;
        f.write_str(salt)?;
        write_base64(f, keys.stored_key())?;
        f.write_str(stored_key)?;
        write_base64(f, keys.server_key())
    }
}

fn write_base64(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    let mut text = BytesMut::new();
    base64::encode(octets, &mut text);
    f.write_str(core::str::from_utf8(&text).unwrap_or_default())
}

/// From which the salts of users who do not exist are made, so that they look like anybody's and never
/// change. 32 unpredictable octets that a server makes once and keeps.
#[derive(Clone)]
pub struct DecoyKey(Zeroizing<[u8; 32]>);

impl DecoyKey {
    /// A key of `octets`.
    #[must_use]
    pub fn new(octets: [u8; 32]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// Keys for `name`, whom nobody knows: always the same salt, and keys that no password is known for.
    #[must_use]
    pub fn keys(&self, hash: ScramHash, name: &str, iterations: u32, salt_length: usize) -> ScramKeys {
        let derive = |purpose: &str| {
            hash.code(&*self.0, &[purpose.as_bytes(), hash.mechanism().as_str().as_bytes(), name.as_bytes()])
        };
        // As long as a salt may be, and never longer than what is derived.
        let length = salt_length.clamp(*SALT.start(), hash.length());
        ScramKeys {
            hash,
            iterations: iterations.max(1),
            salt: derive("").octets().iter().copied().take(length).collect(),
            stored_key: derive("stored key of "),
            server_key: derive("server key of "),
        }
    }
}

impl fmt::Debug for DecoyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecoyKey(…)")
    }
}

/// Why there are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScramKeysError {
    /// The text is in neither form.
    #[error("SCRAM keys are neither in the form of PostgreSQL nor in that of Dovecot")]
    Form,
    /// A hash function that this crate does not have.
    #[error("SCRAM keys of an unknown hash function")]
    Hash,
    /// The iteration count is no number from 1 to 4 294 967 295.
    #[error("an iteration count is a number above zero")]
    Iterations,
    /// The salt is too short or too long.
    #[error("a salt has 8 to 1024 octets")]
    Salt,
    /// A key has not the length of the hash function's output.
    #[error("a SCRAM key of the wrong length")]
    Key,
    /// The password cannot be prepared.
    #[error("{0}")]
    Password(#[from] PrepareError),
}
