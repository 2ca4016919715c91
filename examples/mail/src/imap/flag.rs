//! `mail flag`: flags of messages.

use core::str::FromStr;

use mailwright_core::value::Flag;
use mailwright_imap::client::tasks::Store;
use mailwright_imap::types::StoreAction;
use serde_json::json;

use super::{Access, Account, messages};
use crate::arguments::ChangeFlags;
use crate::failure::Failure;
use crate::output;

/// `+FLAG` or `-FLAG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    action: StoreAction,
    flag: Flag,
}

impl FromStr for Change {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (action, flag) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(flag), _) => (StoreAction::Add, flag),
            // Nobody means the keyword `-json`.
            (_, Some(flag)) if !flag.starts_with('-') => (StoreAction::Remove, flag),
            (_, Some(_)) => return Err("options stand before the first flag".to_owned()),
            _ => return Err("a flag has + or - before it".to_owned()),
        };
        Ok(Self { action, flag: Flag::new(flag).map_err(|error| error.to_string())? })
    }
}

pub(crate) fn run(arguments: &ChangeFlags) -> Result<(), Failure> {
    let (mut account, _) = Account::open_folder(&arguments.server, Access::Write)?;
    let uids = account.existing(&arguments.uids)?;
    if let Some(set) = messages(&uids) {
        // Changes of one kind in a row go in one command; of two that contradict each other, the later counts.
        for changes in arguments.changes.chunk_by(|one, next| one.action == next.action) {
            let Some(first) = changes.first() else { continue };
            let flags = changes.iter().map(|change| change.flag.clone());
            account.run(Store::new(set.clone(), first.action, flags).silent())?;
        }
    }
    if arguments.server.json {
        for uid in &uids {
            output::json(&json!({ "uid": uid.get(), "changed": true }))?;
        }
    }
    account.close();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_a_sign_and_a_flag() {
        let change = |text: &str| text.parse::<Change>();
        assert_eq!(change("+\\flagged").unwrap(), Change { action: StoreAction::Add, flag: Flag::Flagged });
        assert_eq!(change("-$Junk").unwrap().action, StoreAction::Remove);
        for text in ["\\Seen", "--json", "+", "+\\Recent", "-a b"] {
            assert!(change(text).is_err(), "{text}");
        }
    }
}
