//! `mailserver user …` and `mailserver queue …`: what an administrator may ask of a store, and how it is done.

use core::ops::ControlFlow;

use mailwright_core::value::{Mailbox, Secret};
use mailwright_store::engine::{Blobs, Engine};
use mailwright_store::queue::{Deletion, QueueId, QueuedMessage};
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
    /// About mail that waits.
    Queue(QueueRequest),
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

/// `mailserver queue …`
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum QueueRequest {
    /// Lists the messages.
    List,
    /// Tells all about one.
    Show { message: String },
    /// Tries one now, or all.
    Retry { message: Option<String>, recipient: Option<u32> },
    /// Removes one.
    Delete { message: String, recipient: Option<u32>, why: String, report: bool },
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
        Request::Queue(request) => queue(store, request, tell).await,
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

async fn queue<E: Engine + Blobs>(
    store: &Store<E>,
    request: QueueRequest,
    tell: &mut (dyn FnMut(String) + Send),
) -> Result<(), Failure> {
    let queue = store.queue();
    match request {
        QueueRequest::List => {
            let mut each = |message: QueuedMessage| {
                tell(row(&message));
                ControlFlow::Continue(())
            };
            queue.list(&mut each).await?;
        }
        QueueRequest::Show { message } => {
            let id = id(&message)?;
            let message = queue.show(id).await?.ok_or_else(|| not_there(id))?;
            describe(&message).into_iter().for_each(tell);
        }
        QueueRequest::Retry { message: Some(message), recipient } => {
            let id = id(&message)?;
            if queue.retry(id, recipient, now()).await? == 0 {
                return Err(not_there(id));
            }
        }
        QueueRequest::Retry { message: None, .. } => {
            let mut all = Vec::new();
            let mut each = |message: QueuedMessage| {
                all.push(message.id);
                ControlFlow::Continue(())
            };
            queue.list(&mut each).await?;
            for id in all {
                queue.retry(id, None, now()).await?;
            }
        }
        QueueRequest::Delete { message, recipient, why, report } => {
            let id = id(&message)?;
            let mut deletion = Deletion::new(&why);
            deletion.report = report;
            if queue.delete(id, recipient, &deletion, now()).await? == 0 {
                return Err(not_there(id));
            }
        }
    }
    Ok(())
}

fn id(text: &str) -> Result<QueueId, Failure> {
    text.parse().map_err(|error| format!("{text:?}: {error}").into())
}

fn not_there(id: QueueId) -> Failure {
    format!("{id} is not in the queue, or has no such recipient").into()
}

/// A message in one line, with tabs between the columns.
fn row(message: &QueuedMessage) -> String {
    let due = message.recipients.iter().map(|recipient| recipient.due).min().unwrap_or(message.created);
    let recipients: Vec<String> =
        message.recipients.iter().map(|recipient| recipient.recipient.address.to_string()).collect();
    format!(
        "{}\t{}\t{}\t{}\t{}\t{}",
        message.id,
        message.envelope.sender,
        message.size,
        message.created.as_seconds(),
        due.as_seconds(),
        recipients.join(" ")
    )
}

fn describe(message: &QueuedMessage) -> Vec<String> {
    let envelope = &message.envelope;
    let mut lines = vec![
        format!("message\t{}", message.id),
        format!("sender\t{}", envelope.sender),
        format!("octets\t{}", message.size),
        format!("accepted\t{}", message.created.as_seconds()),
    ];
    for recipient in &message.recipients {
        lines.push(format!("recipient\t{}\t{}", recipient.number, recipient.recipient.address));
        lines.push(format!("due\t{}", recipient.due.as_seconds()));
        lines.push(format!("attempts\t{}", recipient.attempts));
        if let Some(failure) = &recipient.failure {
            let remote = failure.remote.as_ref().map_or_else(String::new, ToString::to_string);
            let said = match &failure.diagnostic {
                Some(diagnostic) => diagnostic.to_string(),
                None => failure.reason.as_str().to_owned(),
            };
            lines.push(format!("failure\t{}\t{remote}\t{said}", failure.status));
        }
    }
    lines
}
