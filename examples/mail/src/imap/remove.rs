//! `mail delete`, and how messages are deleted for good: RFC 4315 §2.1, RFC 9051 §6.4.3.

use std::collections::HashSet;

use mailwright_core::value::{Flag, Uid};
use mailwright_imap::client::tasks::{Expunge, Store};
use mailwright_imap::types::{Messages, SearchKey, StoreAction};
use serde_json::json;

use super::{Access, Account, messages};
use crate::arguments::Delete;
use crate::failure::Failure;
use crate::output;

pub(crate) fn delete(arguments: &Delete) -> Result<(), Failure> {
    let (mut account, _) = Account::open_folder(&arguments.server, Access::Write)?;
    let uids = account.existing(&arguments.uids)?;
    let gone = remove(&mut account, &uids)?;
    for uid in &gone {
        if arguments.server.json {
            output::json(&json!({ "uid": uid.get(), "deleted": true }))?;
        } else {
            output::line(&uid.to_string())?;
        }
    }
    account.close();
    if gone.len() == uids.len() { Ok(()) } else { Err(Failure::failed("not every message could be deleted")) }
}

/// Deletes messages of the open folder for good, and no others. Those that are gone come back.
pub(super) fn remove(account: &mut Account, uids: &[Uid]) -> Result<Vec<Uid>, Failure> {
    let Some(set) = messages(uids) else { return Ok(Vec::new()) };
    account.run(Store::new(set.clone(), StoreAction::Add, [Flag::Deleted]).silent())?;
    let session = account.connection.session();
    if session.has("UIDPLUS") || session.has("IMAP4rev2") {
        // Servers bound the length of a command.
        let most = session.config().limits.set_octets;
        for part in set.set().split(most) {
            account.run(Expunge::uids(part))?;
        }
    } else {
        // A plain EXPUNGE takes whatever is marked, whoever has marked it.
        let ours: HashSet<Uid> = uids.iter().copied().collect();
        let marked = account.find(SearchKey::Deleted)?;
        if marked.iter().any(|uid| !ours.contains(uid)) {
            return Err(Failure::failed(
                "the messages are marked as deleted, but not removed: others are marked as well, and the server \
                 (without UIDPLUS) can only remove all of them",
            ));
        }
        account.run(Expunge::all())?;
    }
    let left = left(account, &set)?;
    Ok(uids.iter().copied().filter(|uid| !left.contains(uid)).collect())
}

/// Those that are still there.
fn left(account: &mut Account, set: &Messages) -> Result<HashSet<Uid>, Failure> {
    let most = account.connection.session().config().limits.set_octets;
    let mut left = HashSet::new();
    for part in set.set().split(most) {
        left.extend(account.find(SearchKey::Uid(part))?);
    }
    Ok(left)
}
