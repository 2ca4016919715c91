//! `mail folders`, `create`, `remove`, `rename`: the folders themselves.

use mailwright_imap::client::tasks::{List, Manage};
use mailwright_imap::types::OctetString;
use serde_json::{Value, json};

use super::{Account, folder_name, mailbox};
use crate::arguments::{Folder, Folders, Rename, ServerArguments};
use crate::failure::Failure;
use crate::output;

pub(crate) fn list(arguments: &Folders) -> Result<(), Failure> {
    let mut account = Account::open(&arguments.server)?;
    let pattern = |text: &'static str| OctetString::new(text).map_err(Failure::failed);
    account.drive(List::new(pattern("")?, pattern("*")?), |listed| {
        let name = folder_name(&listed.mailbox);
        if arguments.server.json {
            let attributes: Vec<_> =
                listed.attributes.iter().map(|one| String::from_utf8_lossy(one.as_bytes())).collect();
            let separator = listed.separator.map(|octet| char::from(octet).to_string());
            output::json(&json!({ "folder": name, "attributes": attributes, "separator": separator }))?;
        } else {
            output::line(&output::escaped(name.as_bytes()))?;
        }
        Ok(())
    })?;
    account.close();
    Ok(())
}

pub(crate) fn create(arguments: &Folder) -> Result<(), Failure> {
    let done = json!({ "folder": arguments.name, "created": true });
    manage(&arguments.server, Manage::create(mailbox(&arguments.name)), &done)
}

pub(crate) fn remove(arguments: &Folder) -> Result<(), Failure> {
    let done = json!({ "folder": arguments.name, "removed": true });
    manage(&arguments.server, Manage::delete(mailbox(&arguments.name)), &done)
}

pub(crate) fn rename(arguments: &Rename) -> Result<(), Failure> {
    let done = json!({ "folder": arguments.from, "renamed": arguments.to });
    manage(&arguments.server, Manage::rename(mailbox(&arguments.from), mailbox(&arguments.to)), &done)
}

/// A change, which prints nothing but what `--json` wants.
fn manage(server: &ServerArguments, change: Manage, done: &Value) -> Result<(), Failure> {
    let mut account = Account::open(server)?;
    account.run(change)?;
    if server.json {
        output::json(done)?;
    }
    account.close();
    Ok(())
}
