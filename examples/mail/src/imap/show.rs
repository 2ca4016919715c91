//! `mail show`: a message on the terminal.

use std::io::{self, Write as _};

use mailwright_core::value::Uid;
use mailwright_imap::client::tasks::{Fetch, MessageData};
use mailwright_imap::types::FetchAttribute;
use serde_json::json;

use super::{Access, Account, messages, whole};
use crate::arguments::Show;
use crate::failure::Failure;
use crate::output::{self, Viewer};

pub(crate) fn run(arguments: &Show) -> Result<(), Failure> {
    let number = arguments.number.get();
    let missing = || Failure::failed(format_args!("there is no message with the UID {number}"));
    let only = Uid::new(number).and_then(|uid| messages(&[uid])).ok_or_else(missing)?;
    let (mut account, _) = Account::open_folder(&arguments.server, Access::Read)?;
    let mut viewer = Viewer::default();
    let mut content = Vec::new();
    let mut found = false;
    account.drive(Fetch::new(only, [FetchAttribute::Uid, whole()]), |data| {
        match data {
            MessageData::Body { .. } => found = true,
            // One JSON object has the whole message in it.
            MessageData::Chunk(chunk) if arguments.server.json => content.extend_from_slice(&chunk),
            MessageData::Chunk(chunk) => write!(io::stdout().lock(), "{}", viewer.show(&chunk))?,
            _ => {}
        }
        Ok(())
    })?;
    if !found {
        return Err(missing());
    }
    if arguments.server.json {
        output::json(&json!({
            "uid": number, "size": content.len(), "content": String::from_utf8_lossy(&content),
        }))?;
    } else {
        write!(io::stdout().lock(), "{}", viewer.finish())?;
    }
    io::stdout().flush()?;
    account.close();
    Ok(())
}
