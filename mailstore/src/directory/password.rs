//! Password hashes: argon2id in PHC text form for a presented password, keys of SCRAM for a proof.
//!
//! RFC 9106 (argon2), RFC 4013 (SASLprep); SCRAM is `mailwright_sasl`'s. Everything here
//! takes tens of milliseconds by design: run it where it hurts nobody.

use alloc::borrow::Cow;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use argon2::password_hash::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use mailwright_core::value::Secret;
use mailwright_sasl::{DecoyKey, Nonce, ScramHash, ScramKeys, Seed, Strings, prepare};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::config::PasswordCost;
use super::row::CredentialsRow;

/// Octets of a salt, of either kind.
const SALT: usize = 16;

/// The most that a stored hash may ask for; more is a mistake or an attack by whoever wrote the store.
const MOST_MEMORY_KIB: u32 = 1 << 20;
const MOST_PASSES: u32 = 100;
const MOST_LANES: u32 = 64;

/// A password to be hashed. Made by [`Directory::password_job`](super::Directory::password_job).
pub struct PasswordJob {
    password: Secret,
    cost: PasswordCost,
    entropy: [u8; 32],
}

impl PasswordJob {
    pub(super) fn new(
        password: &Secret,
        cost: PasswordCost,
        entropy: [u8; 32],
    ) -> Result<Self, PasswordError> {
        // RFC 4013 through the one function that log-ins use too.
        let text = core::str::from_utf8(password.expose()).map_err(|_| PasswordError::Characters)?;
        let prepared = prepare(text, Strings::Stored).map_err(|_| PasswordError::Characters)?;
        Ok(Self { password: Secret::from(&*prepared), cost, entropy })
    }

    /// Computes the hash and the keys; the password is gone afterwards.
    ///
    /// # Errors
    /// [`PasswordError::Cost`] if the configured cost is out of range.
    pub fn run(self) -> Result<Credentials, PasswordError> {
        // A salt for each, or who is told one by SCRAM would know another.
        let mut seed = Seed::new(self.entropy);
        let [salt, scram_salt, scram_sha_1_salt] = core::array::from_fn(|_| salt(&seed.nonce()));
        let argon2 = hasher(self.cost).ok_or(PasswordError::Cost)?;
        let mut output = Zeroizing::new([0; 32]);
        argon2
            .hash_password_into(self.password.expose(), &salt, &mut *output)
            .map_err(|_| PasswordError::Cost)?;
        let phc = phc(&argon2, &salt, &*output).ok_or(PasswordError::Cost)?;
        let password = core::str::from_utf8(self.password.expose()).map_err(|_| PasswordError::Characters)?;
        let keys = |hash, salt| {
            ScramKeys::derive(hash, password, salt, self.cost.scram_iterations.max(1))
                .map_err(|_| PasswordError::Characters)
        };
        let scram = Some(keys(ScramHash::Sha256, scram_salt)?);
        let scram_sha_1 = Some(keys(ScramHash::Sha1, scram_sha_1_salt)?);
        Ok(Credentials(CredentialsRow { phc, scram, scram_sha_1 }))
    }
}

impl Drop for PasswordJob {
    fn drop(&mut self) {
        self.entropy.zeroize();
    }
}

impl fmt::Debug for PasswordJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordJob").finish_non_exhaustive()
    }
}

/// What is kept of a password.
#[derive(Clone, Debug)]
pub struct Credentials(pub(super) CredentialsRow);

impl Credentials {
    /// Hashes that were made elsewhere: any argon2 in PHC text form, and SCRAM keys if there are any, of SHA-256 or
    /// SHA-1. A weak hash is replaced at the next good log-in.
    ///
    /// # Errors
    /// If `phc` is not valid, or asks for more than this program would ever spend.
    pub fn import(phc: &str, scram: Option<ScramKeys>) -> Result<Self, PasswordError> {
        Stored::parse(phc).ok_or(PasswordError::Phc)?;
        let (scram_sha_1, scram) = match scram {
            Some(keys) if keys.hash() == ScramHash::Sha1 => (Some(keys), None),
            keys => (None, keys.filter(|keys| keys.hash() == ScramHash::Sha256)),
        };
        Ok(Self(CredentialsRow { phc: Zeroizing::new(phc.to_string()), scram, scram_sha_1 }))
    }

    /// The SCRAM-SHA-256 keys.
    #[must_use]
    pub fn scram(&self) -> Option<&ScramKeys> {
        self.0.scram.as_ref()
    }
}

/// Why a password or its hash cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Empty, not UTF-8, or with characters that RFC 4013 prohibits.
    #[error("the password is empty or holds characters that log-ins cannot carry")]
    Characters,
    /// The configured cost is out of range for argon2.
    #[error("the configured cost of password hashes is out of range")]
    Cost,
    /// Not a valid argon2 hash in PHC text form.
    #[error("not an argon2 hash in PHC text form")]
    Phc,
}

/// A stored hash, ready to be compared.
struct Stored {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    output: Output,
}

impl Stored {
    fn parse(phc: &str) -> Option<Self> {
        let hash = PasswordHash::new(phc).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm).ok()?;
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let mut buffer = [0; Salt::MAX_LENGTH];
        let salt = hash.salt?.decode_b64(&mut buffer).ok()?.to_vec();
        let bounded = params.m_cost() <= MOST_MEMORY_KIB
            && params.t_cost() <= MOST_PASSES
            && params.p_cost() <= MOST_LANES;
        bounded.then_some(Self { algorithm, version, params, salt, output: hash.hash? })
    }

    /// Whether a new hash of `cost` would be stronger.
    fn is_weaker(&self, cost: PasswordCost) -> bool {
        self.algorithm != Algorithm::Argon2id
            || self.params.m_cost() < cost.memory_kib
            || self.params.t_cost() < cost.passes
    }
}

fn hasher(cost: PasswordCost) -> Option<Argon2<'static>> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn phc(argon2: &Argon2<'_>, salt: &[u8], output: &[u8]) -> Option<Zeroizing<String>> {
    use argon2::password_hash::{ParamsString, SaltString};
    let salt = SaltString::encode_b64(salt).ok()?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params()).ok()?,
        salt: Some(salt.as_salt()),
        hash: Some(Output::new(output).ok()?),
    };
    Some(Zeroizing::new(hash.to_string()))
}

/// How a presented password compares with a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) equal: bool,
    /// A new hash would be stronger.
    pub(super) weak: bool,
}

/// Compares. Without a stored hash the same work is done, and nothing is equal.
pub(super) fn compare(password: &Secret, phc: Option<&str>, cost: PasswordCost) -> Comparison {
    let no = Comparison { equal: false, weak: false };
    let text = core::str::from_utf8(password.expose());
    let prepared: Cow<'_, [u8]> = match text.map(|text| prepare(text, Strings::Query)) {
        Ok(Ok(Cow::Borrowed(text))) => Cow::Borrowed(text.as_bytes()),
        Ok(Ok(Cow::Owned(text))) => Cow::Owned(text.into_bytes()),
        Ok(Err(_)) | Err(_) => Cow::Borrowed(password.expose()),
    };
    let prepared = match prepared {
        Cow::Borrowed(octets) => Secret::from(octets),
        Cow::Owned(octets) => Secret::new(octets),
    };
    let Some(stored) = phc.and_then(Stored::parse) else {
        let mut output = Zeroizing::new([0; 32]);
        if let Some(argon2) = hasher(cost) {
            let _ = argon2.hash_password_into(prepared.expose(), &[0; SALT], &mut *output);
        }
        // Looked at, so that the work is not left out.
        core::hint::black_box(&*output);
        return no;
    };
    let weak = stored.is_weaker(cost);
    let argon2 = Argon2::new(stored.algorithm, stored.version, stored.params);
    let mut output = Zeroizing::new(alloc::vec![0; stored.output.len()]);
    match argon2.hash_password_into(prepared.expose(), &stored.salt, &mut output) {
        Ok(()) => Comparison { equal: output.ct_eq(stored.output.as_bytes()).into(), weak },
        Err(_) => no,
    }
}

/// The salt that a nonce is long enough for.
fn salt(nonce: &Nonce) -> [u8; SALT] {
    nonce.octets().first_chunk().copied().unwrap_or_default()
}

/// Keys for a user who does not exist: a salt that never changes, and keys that no password fits.
pub(super) fn decoy_keys(secret: [u8; 32], name: &str, hash: ScramHash, iterations: u32) -> ScramKeys {
    DecoyKey::new(secret).keys(hash, name, iterations, SALT)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn job(password: &str) -> PasswordJob {
        PasswordJob::new(&Secret::from(password), PasswordCost::for_tests(), [7; 32]).unwrap()
    }

    fn equal(password: &str, phc: &str) -> Comparison {
        compare(&Secret::from(password), Some(phc), PasswordCost::for_tests())
    }

    #[test]
    fn a_password_compares_with_its_own_hash_only() {
        let credentials = job("correct horse").run().unwrap();
        assert!(credentials.0.phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert!(equal("correct horse", &credentials.0.phc).equal);
        assert!(!equal("correct horsf", &credentials.0.phc).equal);
        assert!(!equal("", &credentials.0.phc).equal);
        assert!(!credentials.0.phc.contains("horse"));
    }

    #[test]
    fn the_default_cost_is_19_mib_2_passes_1_lane() {
        let job = PasswordJob::new(&Secret::from("demo"), PasswordCost::default(), [7; 32]).unwrap();
        let credentials = job.run().unwrap();
        assert!(credentials.0.phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{:?}", credentials.0.phc);
        assert!(compare(&Secret::from("demo"), Some(&credentials.0.phc), PasswordCost::default()).equal);
    }

    #[test]
    fn setting_and_logging_in_prepare_alike() {
        let credentials = job("I\u{ad}X\u{aa}").run().unwrap();
        assert!(equal("IXa", &credentials.0.phc).equal);
        assert!(equal("I\u{ad}X\u{aa}", &credentials.0.phc).equal);
    }

    #[test]
    fn passwords_that_no_log_in_can_carry_are_refused() {
        for password in [b"".as_slice(), b"\xff", "\u{7}".as_bytes()] {
            let job = PasswordJob::new(&Secret::from(password), PasswordCost::for_tests(), [7; 32]);
            assert_eq!(job.err(), Some(PasswordError::Characters), "{password:?}");
        }
    }

    #[test]
    fn any_argon2_is_verified_and_weaker_ones_are_told() {
        let weak = "$argon2i$v=19$m=16,t=2,p=1$bXlzYWx0MTIzNA$6RZFhTwE2f9EGCSyUdqSig";
        let import = Credentials::import(weak, None);
        assert!(import.is_ok(), "{import:?}");
        assert!(!equal("wrong", weak).equal);
        assert!(equal("wrong", weak).weak);
        let strong = job("x").run().unwrap();
        assert!(compare(&Secret::from("x"), Some(&strong.0.phc), PasswordCost::default()).weak);
        assert!(!equal("x", &strong.0.phc).weak);
    }

    #[test]
    fn a_stored_hash_cannot_ask_for_all_memory() {
        for phc in
            ["$argon2id$v=19$m=4194304,t=2,p=1$bXlzYWx0MTIzNA$6RZFhTwE2f9EGCSyUdqSig", "$1$x$y", "", "plain"]
        {
            assert_eq!(Credentials::import(phc, None).err(), Some(PasswordError::Phc), "{phc}");
        }
    }

    #[test]
    fn keys_of_both_hash_functions_are_made_with_salts_of_their_own() {
        let credentials = job("correct horse").run().unwrap();
        let keys = |hash| credentials.0.clone().scram(hash).unwrap();
        let (sha_256, sha_1) = (keys(ScramHash::Sha256), keys(ScramHash::Sha1));
        assert_ne!(sha_256.salt(), sha_1.salt());
        for keys in [sha_256, sha_1] {
            let again =
                ScramKeys::derive(keys.hash(), "correct horse", keys.salt(), keys.iterations()).unwrap();
            assert_eq!(keys, again);
        }
    }

    #[test]
    fn imported_keys_are_those_of_their_hash_function() {
        let phc = job("x").run().unwrap().0.phc;
        for hash in [ScramHash::Sha1, ScramHash::Sha256] {
            let keys = ScramKeys::derive(hash, "x", [1; SALT], 1).unwrap();
            let row = Credentials::import(&phc, Some(keys.clone())).unwrap().0;
            for other in [ScramHash::Sha1, ScramHash::Sha256] {
                assert_eq!(row.clone().scram(other), (other == hash).then(|| keys.clone()));
            }
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let credentials = job("secret").run().unwrap();
        let shown = format!("{credentials:?}{:?}{:?}", job("secret"), credentials.scram());
        assert!(
            !shown.contains("secret") && !shown.contains("argon2id") && !shown.contains("stored_key"),
            "{shown}"
        );
    }
}
