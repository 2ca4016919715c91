//! `mail fetch`: messages into files, and away from the server once they are safe.

use indicatif::ProgressBar;
use mailwright_core::io::{RunError, Step};
use mailwright_pop3::client::tasks::{Listed, Listings, TaskError};
use mailwright_pop3::types::UniqueId;
use serde_json::json;

use super::Maildrop;
use crate::arguments::Fetch;
use crate::failure::Failure;
use crate::file_copy::{self, FileCopy};
use crate::state::State;
use crate::{output, progress};

pub(crate) fn run(arguments: &Fetch) -> Result<(), Failure> {
    let directory = &arguments.to;
    file_copy::make_directory(directory)
        .map_err(|error| Failure::failed(format_args!("{}: {error}", directory.display())))?;
    let mut state = arguments.state.as_deref().map(State::open).transpose()?;
    let mut maildrop = Maildrop::open(&arguments.server)?;
    let mut listings = maildrop.list()?;
    if state.is_some() {
        trust_ids(&mut listings)?;
    }
    let mut complete = listings.errors.is_empty();
    let mut messages = listings.messages;
    if let Some(numbers) = &arguments.uids {
        messages = numbers.of(messages, |message| message.number.get());
    }
    let known =
        |message: &Listed| state.as_ref().zip(message.id).is_some_and(|(state, id)| state.has(id.as_str()));
    messages.retain(|message| !known(message));

    let octets = messages.iter().map(|message| message.octets).fold(0, u64::saturating_add);
    let bar = progress::bar(Some(octets));
    let mut fetched = Vec::new();
    for message in &messages {
        match fetch(arguments, &mut maildrop, message, &bar) {
            Ok(()) => fetched.push(message),
            Err(Trouble::Message(reason)) => {
                complete = false;
                bar.suspend(|| output::complaint(&format!("message {}: {reason}", message.number)));
                continue;
            }
            Err(Trouble::All(failure)) => return Err(failure),
        }
        if let (Some(state), Some(id), false) = (&mut state, message.id, arguments.delete) {
            state.add([id.as_str()])?;
        }
    }
    bar.finish_and_clear();

    let to_delete: Vec<_> =
        fetched.iter().filter(|_| arguments.delete).map(|message| message.number).collect();
    let gone = maildrop.quit(&to_delete)?;
    complete &= gone.len() == to_delete.len();
    if let Some(state) = &mut state {
        let is_gone = |message: &&&Listed| gone.contains(&message.number);
        let ids = fetched.iter().filter(is_gone).filter_map(|message| message.id.as_ref());
        state.add(ids.map(UniqueId::as_str))?;
    }
    if complete { Ok(()) } else { Err(Failure::Partial) }
}

/// Why a message was not fetched.
enum Trouble {
    /// The others may be.
    Message(String),
    /// Nothing more can be.
    All(Failure),
}

/// Copies one message and says where it is.
fn fetch(
    arguments: &Fetch,
    maildrop: &mut Maildrop,
    message: &Listed,
    bar: &ProgressBar,
) -> Result<(), Trouble> {
    let unwritable = |error| Failure::failed(format_args!("{}: {error}", arguments.to.display()));
    let mut copy = FileCopy::create(&arguments.to).map_err(|error| Trouble::All(unwritable(error)))?;
    let mut task = maildrop.connection.begin(mailwright_pop3::client::Fetch::new(message.number));
    let size = loop {
        match task.step() {
            Ok(Step::Item(chunk)) => {
                copy.write(&chunk).map_err(|error| Trouble::All(unwritable(error)))?;
                bar.inc(chunk.len() as u64);
            }
            // Only now the message is complete.
            Ok(Step::Done(report)) => break report.octets,
            Err(RunError::Task(TaskError::Refused(reply))) => {
                return Err(Trouble::Message(format!("refused: {}", reply.text)));
            }
            Err(error) => return Err(Trouble::All(maildrop.explain(&error))),
        }
    };
    let path = copy.finish(message.number.get()).map_err(Trouble::Message)?.display().to_string();
    let printed = bar.suspend(|| {
        if arguments.server.json {
            output::json(&json!({
                "uid": message.number.get(), "id": message.id.map(|id| id.to_string()), "size": size, "file": path,
            }))
        } else {
            output::line(&path)
        }
    });
    printed.map_err(|error| Trouble::All(error.into()))
}

/// Makes sure that there are ids to remember messages by. One that two messages have is none.
fn trust_ids(listings: &mut Listings) -> Result<(), Failure> {
    if let Some(reply) = &listings.no_ids {
        return Err(Failure::failed(format_args!(
            "--state needs UIDL, which the server refuses: {}",
            reply.text
        )));
    }
    listings.forget_shared_ids();
    for message in listings.messages.iter().filter(|message| message.id.is_none()) {
        output::complaint(&format!(
            "message {} has no id of its own and is fetched each time",
            message.number
        ));
    }
    Ok(())
}
