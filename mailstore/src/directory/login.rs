//! Log-in by name and password.

use core::fmt;

use alloc::string::String;
use mailwright_core::value::Secret;
use zeroize::Zeroizing;

use super::admin::Directory;
use super::config::PasswordCost;
use super::gate::Permit;
use super::password::compare;
use super::row::{CredentialsRow, kind};
use crate::engine::{Blobs, Engine, ReadError, Snapshot as _};
use crate::identifier::AccountId;
use crate::mail::key;
use crate::mail::record::Record as _;

/// A password to be checked: CPU work that a host runs where it likes. It holds one of the
/// [`hash_jobs`](super::DirectoryConfig::hash_jobs) until it is run or dropped, and the [`Login`] goes on to
/// hold it if the password is to be hashed again.
pub struct LoginCheck {
    password: Secret,
    /// `None` for a name that nobody has, and for a disabled account: the same work, and the answer no.
    stored: Option<(AccountId, Zeroizing<String>)>,
    cost: PasswordCost,
    permit: Permit,
}

impl LoginCheck {
    /// Compares.
    #[must_use]
    pub fn run(self) -> Login {
        let phc = self.stored.as_ref().map(|(_, phc)| phc.as_str());
        let comparison = compare(&self.password, phc, self.cost);
        let account = self.stored.filter(|_| comparison.equal).map(|(account, _)| account);
        let rehash = account.is_some() && comparison.weak;
        Login { account, rehash: rehash.then_some(self.password), _permit: rehash.then_some(self.permit) }
    }
}

impl fmt::Debug for LoginCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginCheck").finish_non_exhaustive()
    }
}

/// The outcome of a log-in.
#[derive(Debug)]
#[non_exhaustive]
pub struct Login {
    /// Whose password it is; `None` if name or password are wrong.
    pub account: Option<AccountId>,
    /// The password, if its stored hash is weaker than the configured cost: hash it again.
    pub rehash: Option<Secret>,
    /// The new hash is one of those that may be computed at a time.
    _permit: Option<Permit>,
}

/// Too many log-ins wait for a hash.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TooManyLogins {
    /// Try again later.
    #[error("too many log-ins at a time: try again later")]
    Busy,
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl<E: Engine + Blobs> Directory<E> {
    /// Prepares to check `password` for the account that `name` means. Waits until a hash may be computed.
    ///
    /// # Errors
    /// If too many wait already, or reading fails.
    pub async fn check_password(&self, name: &str, password: Secret) -> Result<LoginCheck, TooManyLogins> {
        let permit = self.core().directory_hashes.permit().await.ok_or(TooManyLogins::Busy)?;
        // No account has the number 0: a name that nobody has makes the same look-ups.
        let account = self.find_account(name).await?.unwrap_or(AccountId::new(0));
        let stored = self.stored(account).await?;
        Ok(LoginCheck {
            password,
            stored: stored.map(|(account, row)| (account, row.phc)),
            cost: self.config().password,
            permit,
        })
    }

    /// What is stored for an account that may log in.
    async fn stored(&self, account: AccountId) -> Result<Option<(AccountId, CredentialsRow)>, ReadError> {
        let enabled = self.account(account).await?.is_some_and(|info| !info.disabled);
        let key = key::directory(kind::CREDENTIALS, &account.get().to_be_bytes());
        match self.core().engine.snapshot().await?.get(&key).await? {
            Some(value) if enabled => Ok(Some((account, CredentialsRow::open(&key, &value)?))),
            _ => Ok(None),
        }
    }
}
