//! Rows of the directory.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::BufMut as _;
use mailwright_sasl::{ScramHash, ScramKeys};
use zeroize::Zeroizing;

use crate::identifier::AccountId;
use crate::mail::record::{Reader, Record, Write as _};

/// Kinds of directory keys.
pub(crate) mod kind {
    /// The directory itself, the conflict key of all its rows.
    pub(crate) const HEADER: u8 = b'0';
    /// Account by number.
    pub(crate) const ACCOUNT: u8 = b'a';
    /// Credentials by account number.
    pub(crate) const CREDENTIALS: u8 = b'c';
    /// Local domain.
    pub(crate) const DOMAIN: u8 = b'd';
    /// Account by log-in name.
    pub(crate) const LOGIN: u8 = b'l';
    /// Address.
    pub(crate) const ADDRESS: u8 = b'r';
}

/// What is counted, and secrets of the directory itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderRow {
    /// Raised by every change.
    pub(crate) revision: u64,
    pub(crate) next_account: u64,
    /// From which salts for unknown users are made, so that they never change.
    pub(crate) decoy: [u8; 32],
    /// Where `postmaster` goes that has no entry of its own.
    pub(crate) postmaster: Option<String>,
}

impl Record for HeaderRow {
    const WHAT: &'static str = "directory header";

    fn write(&self, into: &mut Vec<u8>) {
        into.put_u64(self.revision);
        into.put_u64(self.next_account);
        into.extend_from_slice(&self.decoy);
        into.option(self.postmaster.as_ref(), |into, address| into.octets(address.as_bytes()));
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            revision: from.u64()?,
            next_account: from.u64()?,
            decoy: from.array()?,
            postmaster: from.option(Reader::text)?,
        })
    }
}

/// A local domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DomainRow {
    /// As it was given.
    pub(crate) name: String,
}

impl Record for DomainRow {
    const WHAT: &'static str = "domain";

    fn write(&self, into: &mut Vec<u8>) {
        into.octets(self.name.as_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { name: from.text()? })
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountEntry {
    /// Its main address.
    pub(crate) address: String,
    pub(crate) disabled: bool,
}

impl Record for AccountEntry {
    const WHAT: &'static str = "account";

    fn write(&self, into: &mut Vec<u8>) {
        into.octets(self.address.as_bytes());
        into.push(u8::from(self.disabled));
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let address = from.text()?;
        let disabled = match from.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(Self { address, disabled })
    }
}

/// Which account a log-in name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoginRow(pub(crate) AccountId);

impl Record for LoginRow {
    const WHAT: &'static str = "log-in name";

    fn write(&self, into: &mut Vec<u8>) {
        into.put_u64(self.0.get());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.u64().map(AccountId::new).map(Self)
    }
}

/// What an address means. With targets it stands for them; the account then gets a copy only if the
/// address is among its own targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AddressRow {
    pub(crate) account: Option<AccountId>,
    pub(crate) targets: Vec<String>,
}

impl Record for AddressRow {
    const WHAT: &'static str = "address";

    fn write(&self, into: &mut Vec<u8>) {
        into.option(self.account, |into, account| into.put_u64(account.get()));
        into.list(self.targets.iter(), |into, target| into.octets(target.as_bytes()));
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            account: from.option(|from| from.u64().map(AccountId::new))?,
            targets: from.list(Reader::text)?,
        })
    }
}

/// Password hash and SCRAM keys of an account: made together, never the password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CredentialsRow {
    /// Argon2 in PHC text form.
    pub(crate) phc: Zeroizing<String>,
    /// Of SCRAM-SHA-256.
    pub(crate) scram: Option<ScramKeys>,
    /// Of SCRAM-SHA-1, for old clients.
    pub(crate) scram_sha_1: Option<ScramKeys>,
}

impl CredentialsRow {
    /// The keys of a hash function.
    pub(crate) fn scram(self, hash: ScramHash) -> Option<ScramKeys> {
        [self.scram, self.scram_sha_1].into_iter().flatten().find(|keys| keys.hash() == hash)
    }
}

impl fmt::Debug for CredentialsRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsRow").finish_non_exhaustive()
    }
}

impl Record for CredentialsRow {
    const WHAT: &'static str = "credentials";

    fn write(&self, into: &mut Vec<u8>) {
        into.octets(self.phc.as_bytes());
        for keys in [&self.scram, &self.scram_sha_1] {
            into.option(keys.as_ref(), |into, keys| {
                into.octets(keys.salt());
                into.put_u32(keys.iterations());
                into.extend_from_slice(keys.stored_key());
                into.extend_from_slice(keys.server_key());
            });
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            phc: Zeroizing::new(from.text()?),
            scram: from.option(keys::<32>(ScramHash::Sha256))?,
            scram_sha_1: from.option(keys::<20>(ScramHash::Sha1))?,
        })
    }
}

/// Reads keys of a hash function with `LENGTH` octets of output.
fn keys<const LENGTH: usize>(hash: ScramHash) -> impl FnOnce(&mut Reader<'_>) -> Option<ScramKeys> {
    move |from| {
        let (salt, iterations) = (from.octets()?.to_vec(), from.u32()?);
        let (stored_key, server_key): ([u8; LENGTH], [u8; LENGTH]) = (from.array()?, from.array()?);
        ScramKeys::new(hash, salt, iterations, &stored_key, &server_key).ok()
    }
}
