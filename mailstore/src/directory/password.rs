//! Password hashes: argon2id in PHC text form for a presented password, SCRAM-SHA-256 keys for a proof.
//!
//! RFC 9106 (argon2), RFC 5802 §3 and RFC 7677 §3 (SCRAM-SHA-256), RFC 4013 (SASLprep). Everything here
//! takes tens of milliseconds by design: run it where it hurts nobody.

use alloc::borrow::Cow;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use argon2::password_hash::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, Mac as _};
use mailwright_core::value::Secret;
use mailwright_sasl::{Strings, prepare};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::config::PasswordCost;
use super::row::{CredentialsRow, ScramKeys};

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
        let (salt, scram_salt) = self.entropy.split_at(SALT);
        let argon2 = hasher(self.cost).ok_or(PasswordError::Cost)?;
        let mut output = Zeroizing::new([0; 32]);
        argon2
            .hash_password_into(self.password.expose(), salt, &mut *output)
            .map_err(|_| PasswordError::Cost)?;
        let phc = phc(&argon2, salt, &*output).ok_or(PasswordError::Cost)?;
        let scram = scram_keys(self.password.expose(), scram_salt, self.cost.scram_iterations.max(1));
        Ok(Credentials(CredentialsRow { phc, scram: Some(scram) }))
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
    /// Hashes that were made elsewhere: any argon2 in PHC text form, and SCRAM-SHA-256 keys if there are
    /// any. A weak hash is replaced at the next good log-in.
    ///
    /// # Errors
    /// If `phc` is not valid, or asks for more than this program would ever spend.
    pub fn import(phc: &str, scram: Option<ScramKeys>) -> Result<Self, PasswordError> {
        Stored::parse(phc).ok_or(PasswordError::Phc)?;
        Ok(Self(CredentialsRow { phc: Zeroizing::new(phc.to_string()), scram }))
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

/// RFC 5802 §3: the keys of a prepared password.
fn scram_keys(password: &[u8], salt: &[u8], iterations: u32) -> ScramKeys {
    let mut salted = Zeroizing::new([0; 32]);
    // HMAC takes a key of any length, so this cannot fail.
    let _ = pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, iterations, &mut *salted);
    let client_key = Zeroizing::new(hmac(&*salted, b"Client Key"));
    let stored_key = Sha256::digest(*client_key).into();
    let server_key = hmac(&*salted, b"Server Key");
    ScramKeys::new(salt.to_vec(), iterations, stored_key, server_key)
}

/// Keys for a user who does not exist: a salt that never changes, and keys that no password fits.
pub(super) fn decoy_keys(secret: &[u8; 32], name: &str, iterations: u32) -> ScramKeys {
    let derive = |purpose: u8| {
        let mut message = Vec::from([purpose]);
        message.extend_from_slice(name.as_bytes());
        hmac(secret, &message)
    };
    let salt = derive(1).iter().take(SALT).copied().collect();
    ScramKeys::new(salt, iterations, derive(2), derive(3))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    match <Hmac<Sha256> as hmac::digest::KeyInit>::new_from_slice(key) {
        Ok(mac) => mac.chain_update(message).finalize().into_bytes().into(),
        // HMAC takes a key of any length.
        Err(_) => [0; 32],
    }
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
    fn scram_keys_are_those_of_rfc_7677() {
        // The example of RFC 7677 §3: user, pencil.
        let salt =
            [0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81];
        let keys = scram_keys(b"pencil", &salt, 4096);
        let auth_message = b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        // v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=
        let signature = [
            0xea, 0xba, 0xe2, 0x4d, 0x10, 0x62, 0xdb, 0x75, 0xa9, 0x45, 0x1f, 0xf0, 0xb6, 0xea, 0x7e, 0x98,
            0xc8, 0x54, 0x65, 0x49, 0xff, 0x74, 0x1e, 0x67, 0x2d, 0x32, 0x51, 0xb2, 0x39, 0x7d, 0xe4, 0x6e,
        ];
        assert_eq!(hmac(&keys.server_key, auth_message), signature);
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
