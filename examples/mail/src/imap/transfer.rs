//! `mail move`, `mail copy`: messages into another folder.

use mailwright_core::value::Uid;
use mailwright_imap::client::tasks::{Copied, Copy, Move};
use serde_json::json;

use super::{Access, Account, mailbox, messages, remove};
use crate::arguments::Transfer;
use crate::failure::Failure;
use crate::output;

pub(crate) fn copy(arguments: &Transfer) -> Result<(), Failure> {
    let (mut account, _) = Account::open_folder(&arguments.server, Access::Read)?;
    let uids = account.existing(&arguments.uids)?;
    if let Some(set) = messages(&uids) {
        let copied = account.run(Copy::new(set, mailbox(&arguments.destination)))?;
        print(arguments, &uids, &copied)?;
    }
    account.close();
    Ok(())
}

pub(crate) fn r#move(arguments: &Transfer) -> Result<(), Failure> {
    let (mut account, _) = Account::open_folder(&arguments.server, Access::Write)?;
    let uids = account.existing(&arguments.uids)?;
    let mut complete = true;
    if let Some(set) = messages(&uids) {
        let to = mailbox(&arguments.destination);
        let session = account.connection.session();
        if session.has("MOVE") || session.has("IMAP4rev2") {
            let copied = account.run(Move::new(set, to))?;
            print(arguments, &uids, &copied)?;
        } else {
            // RFC 6851 §3.3: what MOVE does, in steps.
            let copied = account.run(Copy::new(set, to))?;
            print(arguments, &uids, &copied)?;
            complete = remove::remove(&mut account, &uids)?.len() == uids.len();
        }
    }
    account.close();
    if complete { Ok(()) } else { Err(Failure::failed("not every message that was copied could be removed")) }
}

/// A line for each message of which the server says where it is now.
fn print(arguments: &Transfer, uids: &[Uid], copied: &Copied) -> Result<(), Failure> {
    // No more than there can be, whatever the server says.
    for (from, to) in copied.uids().take(uids.len()) {
        if arguments.server.json {
            let folder = &arguments.destination;
            output::json(&json!({ "uid": from.get(), "folder": folder, "new_uid": to.get() }))?;
        } else {
            output::line(&format!("{from}\t{to}"))?;
        }
    }
    Ok(())
}
