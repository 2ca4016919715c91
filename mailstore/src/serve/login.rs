//! Log-in for every driver: passwords against the directory, and which account an identity means.

use core::fmt;

use mailwright_sasl::{Answer, Ask};

use super::Compute;
use crate::directory::{Directory, TooManyLogins};
use crate::engine::{Blobs, Engine, ReadError};
use crate::identifier::AccountId;
use crate::mail::store::Store;

/// Judges credentials by the directory of a store.
///
/// A name that nobody has and a disabled account take the same work as a wrong password, and get the
/// same answer. Nobody may act for another account.
pub struct Logins<E, C> {
    directory: Directory<E>,
    compute: C,
}

impl<E, C: Clone> Clone for Logins<E, C> {
    fn clone(&self) -> Self {
        Self { directory: self.directory.clone(), compute: self.compute.clone() }
    }
}

impl<E, C> fmt::Debug for Logins<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

impl<E: Engine + Blobs, C: Compute> Logins<E, C> {
    /// Log-ins to the accounts of `store`; password hashes run on `compute`.
    #[must_use]
    pub fn new(store: &Store<E>, compute: C) -> Self {
        Self { directory: store.directory(), compute }
    }

    /// Answers a question of a SASL exchange, or of USER and PASS.
    pub async fn verify(&self, ask: &Ask) -> Answer {
        match ask {
            Ask::Password { authcid, password, .. } => {
                let check = match self.directory.check_password(authcid, password.clone()).await {
                    Ok(check) => check,
                    Err(TooManyLogins::Busy | TooManyLogins::Read(_)) => return Answer::TempFail,
                };
                let Some(login) = self.compute.compute(move || check.run()).await else {
                    return Answer::TempFail;
                };
                let Some(account) = login.account else { return Answer::No };
                if let Some(password) = login.rehash {
                    self.rehash(account, &password).await;
                }
                ask.accept()
            }
            Ask::Authorize { authcid, authzid } => {
                let (one, other) = (self.account(authcid).await, self.account(authzid).await);
                match (one, other) {
                    (Ok(Some(one)), Ok(Some(other))) if one == other => ask.accept(),
                    (Err(_), _) | (_, Err(_)) => Answer::TempFail,
                    _ => Answer::No,
                }
            }
            // For a name that nobody has, keys that fit nothing.
            Ask::ScramKeys { authcid, hash } => match self.directory.scram_keys(authcid, *hash).await {
                Ok(keys) => Answer::Keys(Some(keys)),
                Err(_) => Answer::TempFail,
            },
            _ => Answer::No,
        }
    }

    /// The account that the name of an identity means; `None` if there is none, or it is disabled.
    ///
    /// # Errors
    /// If reading fails.
    pub async fn account(&self, name: &str) -> Result<Option<AccountId>, ReadError> {
        let Some(id) = self.directory.find_account(name).await? else { return Ok(None) };
        let info = self.directory.account(id).await?;
        Ok(info.filter(|info| !info.disabled).map(|info| info.id))
    }

    /// Replaces a hash that costs less than new ones do. If that fails, the old one is as good as before.
    async fn rehash(&self, account: AccountId, password: &mailwright_core::value::Secret) {
        let Ok(job) = self.directory.password_job(password) else { return };
        if let Some(Ok(credentials)) = self.compute.compute(move || job.run()).await {
            let _ = self.directory.set_credentials(account, credentials).await;
        }
    }
}
