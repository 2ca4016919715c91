//! `mail delete`: messages away.

use mailwright_pop3::types::MessageNumber;
use serde_json::json;

use super::Maildrop;
use crate::arguments::Delete;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(arguments: &Delete) -> Result<(), Failure> {
    let mut maildrop = Maildrop::open(&arguments.server)?;
    let messages = maildrop.list()?.messages;
    let numbers: Vec<MessageNumber> = arguments
        .uids
        .of(messages, |message| message.number.get())
        .iter()
        .map(|message| message.number)
        .collect();
    let gone = maildrop.quit(&numbers)?;
    for number in &gone {
        if arguments.server.json {
            output::json(&json!({ "uid": number.get(), "deleted": true }))?;
        } else {
            output::line(&number.to_string())?;
        }
    }
    if gone.len() == numbers.len() { Ok(()) } else { Err(Failure::Partial) }
}
