//! MAIL and RCPT: who may send, and who is here.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use mailwright_core::value::{ForwardPath, ReversePath};
use mailwright_smtp::server::Server;
use mailwright_smtp::types::Reply;

use super::{Handler, is_submission, replies};
use crate::directory::{Resolved, Unresolved};
use crate::engine::{Blobs, Engine};
use crate::identifier::AccountId;
use crate::serve::Compute;

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    /// The account that the client authenticated as.
    pub(super) async fn account(&self, session: &Server) -> Result<Option<AccountId>, Reply> {
        let Some(identity) = session.identity() else { return Ok(None) };
        self.service.logins.account(&identity.authorization).await.map_err(|_| Reply::TRY_LATER)
    }

    /// RFC 6409 §6.1: an account sends from its own addresses. §3.2: the null sender is everybody's.
    pub(super) async fn judge_sender(&self, session: &Server, path: &ReversePath) -> Reply {
        if !is_submission(session) && session.identity().is_none() {
            return Reply::SENDER_OK;
        }
        let account = match self.account(session).await {
            Ok(Some(account)) => account,
            // Deleted or disabled since it logged in.
            Ok(None) => return Reply::AUTHENTICATION_REQUIRED,
            Err(reply) => return reply,
        };
        let ReversePath::Mailbox(mailbox) = path else { return Reply::SENDER_OK };
        match self.service.directory.owns(account, mailbox).await {
            Ok(true) => Reply::SENDER_OK,
            Ok(false) => replies::sender_not_owned(),
            Err(_) => Reply::TRY_LATER,
        }
    }

    /// The accounts and the addresses elsewhere that `path` means, or why it is refused.
    pub(super) async fn judge_recipient(
        &self,
        session: &Server,
        path: &ForwardPath,
    ) -> Result<Resolved, Reply> {
        let Some(transaction) = &self.transaction else { return Err(Reply::TRY_LATER) };
        let resolved = match (self.service.directory.resolve(path).await, path) {
            (Ok(resolved), _) => resolved,
            // The sender was judged by MAIL: it is the account's.
            (Err(Unresolved::NotLocal), ForwardPath::Mailbox(mailbox)) if self.may_relay(session) => {
                Resolved { external: Vec::from([mailbox.detach()]), ..Resolved::default() }
            }
            (Err(error), _) => {
                return Err(match error {
                    Unresolved::NotLocal => replies::relaying_denied(),
                    Unresolved::Unknown | Unresolved::DeadTarget(_) => Reply::NO_SUCH_USER,
                    Unresolved::Loop | Unresolved::TooMany => replies::looping(),
                    _ => Reply::TRY_LATER,
                });
            }
        };
        if !resolved.external.is_empty() && !self.service.relays {
            return Err(replies::relaying_denied());
        }
        let external = transaction.recipients.iter().map(|recipient| recipient.external.len()).sum::<usize>();
        if external + resolved.external.len() > self.service.store.config().mail.accounts_per_delivery {
            return Err(Reply::TOO_MANY_RECIPIENTS);
        }
        let known = |account: &AccountId| {
            let mut targets = transaction.recipients.iter().flat_map(|recipient| &recipient.targets);
            targets.any(|target| target.account == *account)
        };
        let mut fresh: Vec<AccountId> = resolved.local.iter().map(|target| target.account).collect();
        fresh.sort_unstable();
        fresh.dedup();
        fresh.retain(|account| !known(account));
        // What one commit can hold.
        let mut all: Vec<AccountId> = transaction.accounts().collect();
        all.sort_unstable();
        all.dedup();
        if all.len() + fresh.len() > self.service.store.config().mail.accounts_per_delivery {
            return Err(Reply::TOO_MANY_RECIPIENTS);
        }
        for account in fresh {
            let usage = self.service.store.quota(account).await.map_err(|_| Reply::TRY_LATER)?;
            if usage.is_some_and(|usage| !usage.fits(transaction.size.unwrap_or(1))) {
                return Err(replies::over_quota());
            }
        }
        Ok(resolved)
    }

    /// RFC 6409 §6.1: only an account that sends under its own addresses may send elsewhere.
    fn may_relay(&self, session: &Server) -> bool {
        self.service.relays && is_submission(session) && session.identity().is_some()
    }
}

impl<E: Engine + Blobs> super::Transaction<E> {
    /// Whether anybody gets the message but these accounts.
    pub(super) fn has_others(&self, accounts: &BTreeSet<AccountId>) -> bool {
        self.accounts().any(|account| !accounts.contains(&account))
            || self.recipients.iter().any(|recipient| !recipient.external.is_empty())
    }

    /// The accounts of the accepted recipients, some more than once.
    fn accounts(&self) -> impl Iterator<Item = AccountId> + '_ {
        self.recipients.iter().flat_map(|recipient| &recipient.targets).map(|target| target.account)
    }
}
