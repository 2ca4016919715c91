//! Who exists: domains, accounts and aliases of the command line.

use mailwright_core::value::{Domain, Mailbox, Secret};
use mailwright_store::directory::NewAccount;
use mailwright_store::engine::{Blobs, Engine};
use mailwright_store::serve::Compute as _;
use mailwright_store::{AccountId, Store};

use crate::options::{AliasFrom, Options, Relay};
use crate::{Failure, Threads, now, welcome};

/// The accounts of the demonstration, and their password.
pub(crate) const DEMO: ([&str; 2], &str) = (["alice@example.org", "bob@example.org"], "demo");

/// Makes what the options name.
pub(crate) async fn fill<E: Engine + Blobs>(store: &Store<E>, options: &Options) -> Result<(), Failure> {
    let directory = store.directory();
    for domain in &options.domains {
        directory.add_domain(domain).await?;
    }
    // Reports come from the postmaster of this host, who answers.
    make_local(store, &welcome::host_name(options).parse()?).await?;
    for user in &options.users {
        set_user(store, &user.address, &user.password).await?;
    }
    if options.demo {
        let (addresses, password) = DEMO;
        for address in addresses {
            if directory.find_account(address).await?.is_none() {
                set_user(store, &address.parse()?, &Secret::from(password)).await?;
            }
        }
    }
    for alias in &options.aliases {
        for target in &alias.targets {
            if options.relay == Relay::Off && !directory.is_local(target.domain()).await? {
                return Err(format!("an alias to {target}: to forward to other domains needs --relay").into());
            }
        }
        match &alias.from {
            AliasFrom::Address(from) => directory.set_alias(from, &alias.targets).await?,
            AliasFrom::CatchAll(domain) => directory.set_catch_all(domain, &alias.targets).await?,
        }
    }
    Ok(())
}

/// Makes mail for a domain stay here.
pub(crate) async fn make_local<E: Engine + Blobs>(store: &Store<E>, domain: &Domain) -> Result<(), Failure> {
    if !matches!(domain, Domain::Name(_)) {
        return Err("an address literal is no domain".into());
    }
    if !store.directory().is_local(domain).await? {
        store.directory().add_domain(domain).await?;
    }
    Ok(())
}

/// Creates the account or sets its password; only hashes and SCRAM keys are stored.
pub(crate) async fn set_user<E: Engine + Blobs>(
    store: &Store<E>,
    address: &Mailbox,
    password: &Secret,
) -> Result<AccountId, Failure> {
    let directory = store.directory();
    let account = match directory.find_account(&address.to_string()).await? {
        Some(account) => account,
        None => store.create_account(NewAccount::new(address.clone()), now()).await?,
    };
    let job = directory.password_job(password).map_err(|error| format!("{address}: {error}"))?;
    let credentials =
        Threads.compute(move || job.run()).await.ok_or("the password could not be hashed")??;
    directory.set_credentials(account, credentials).await?;
    Ok(account)
}
