//! `mailserver user …`: what an administrator may ask of a store, and how it is done.

use mailwright_core::value::{Mailbox, Secret};
use mailwright_store::engine::{Blobs, Engine};
use mailwright_store::{AccountId, Store};
use serde::{Deserialize, Serialize};

use crate::directory::{make_local, set_user};
use crate::{Failure, now};

/// A request, as it goes through the control socket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// About accounts.
    User(UserRequest),
}

/// `mailserver user …`
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UserRequest {
    /// Makes an account; its domain becomes local.
    Add { address: String, password: Password },
    /// Sets the password of an account.
    Passwd { address: String, password: Password },
    /// Removes an account with its mail.
    Del { address: String },
    /// Lists the accounts.
    List,
}

/// A password on its way through the control socket.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Password(String);

impl Password {
    pub(crate) const fn new(password: String) -> Self {
        Self(password)
    }

    fn secret(&self) -> Secret {
        Secret::from(&*self.0)
    }
}

impl core::fmt::Debug for Password {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("…")
    }
}

/// Does what is asked; each line of the answer goes to `tell`.
pub(crate) async fn run<E: Engine + Blobs>(
    store: &Store<E>,
    request: Request,
    tell: &mut (dyn FnMut(String) + Send),
) -> Result<(), Failure> {
    match request {
        Request::User(request) => user(store, request, tell).await,
    }
}

async fn user<E: Engine + Blobs>(
    store: &Store<E>,
    request: UserRequest,
    tell: &mut (dyn FnMut(String) + Send),
) -> Result<(), Failure> {
    match request {
        UserRequest::Add { address, password } => {
            let address = mailbox(&address)?;
            if store.directory().find_account(&address.to_string()).await?.is_some() {
                return Err(format!("{address} exists already").into());
            }
            make_local(store, address.domain()).await?;
            set_user(store, &address, &password.secret()).await?;
        }
        UserRequest::Passwd { address, password } => {
            let address = mailbox(&address)?;
            find(store, &address).await?;
            set_user(store, &address, &password.secret()).await?;
        }
        UserRequest::Del { address } => {
            let account = find(store, &mailbox(&address)?).await?;
            store.remove_account(account, now()).await?;
        }
        UserRequest::List => {
            for account in store.directory().accounts().await? {
                let state = if account.disabled { "\tdisabled" } else { "" };
                tell(format!("{}{state}", account.address));
            }
        }
    }
    Ok(())
}

fn mailbox(address: &str) -> Result<Mailbox, Failure> {
    address.parse().map_err(|error| format!("{address:?}: {error}").into())
}

async fn find<E: Engine + Blobs>(store: &Store<E>, address: &Mailbox) -> Result<AccountId, Failure> {
    let found = store.directory().find_account(&address.to_string()).await?;
    found.ok_or_else(|| format!("there is no account {address}").into())
}
