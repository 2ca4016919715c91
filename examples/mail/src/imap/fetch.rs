//! `mail fetch`: messages into files, and away from the server once they are safe.

use std::collections::VecDeque;

use indicatif::ProgressBar;
use mailwright_core::value::Uid;
use mailwright_imap::client::tasks::{Fetch as FetchTask, MailboxFacts, MessageData, TaskError};
use mailwright_imap::parse::BodyItem;
use mailwright_imap::types::{FetchAttribute, FetchItem, Section};
use serde_json::json;

use super::{Access, Account, mailbox, messages, remove, whole};
use crate::arguments::Fetch;
use crate::failure::Failure;
use crate::file_copy::{self, FileCopy};
use crate::numbers::Numbers;
use crate::state::State;
use crate::{output, progress};

/// Messages that are asked for at once. Deletions wait for the end of that.
const BATCH: usize = 100;

pub(crate) fn run(arguments: &Fetch) -> Result<(), Failure> {
    let directory = &arguments.to;
    file_copy::make_directory(directory)
        .map_err(|error| Failure::failed(format_args!("{}: {error}", directory.display())))?;
    let mut state = arguments.state.as_deref().map(State::open).transpose()?;
    let access = if arguments.delete { Access::Write } else { Access::Read };
    let (mut account, facts) = Account::open_folder(&arguments.server, access)?;
    let ids = if state.is_some() { Some(Ids::new(arguments, &facts)?) } else { None };
    let mut uids = account.existing(arguments.uids.as_ref().unwrap_or(&Numbers::all()))?;
    if let Some((state, ids)) = state.as_ref().zip(ids.as_ref()) {
        uids.retain(|&uid| !state.has(&ids.of(uid)));
    }
    let bar = progress::bar(Some(octets(&mut account, &uids)?));

    let mut complete = true;
    let mut batches: VecDeque<Vec<Uid>> = uids.chunks(BATCH).map(<[Uid]>::to_vec).collect();
    while let Some(batch) = batches.pop_front() {
        let Some(set) = messages(&batch) else { continue };
        let mut intake = Intake::new(arguments, &batch, &bar);
        let attributes = [FetchAttribute::Uid, whole()];
        let outcome = account.attempt(FetchTask::new(set, attributes), |data| {
            let uid = intake.take(data)?;
            match (uid, &mut state, &ids) {
                (Some(uid), Some(state), Some(ids)) if !arguments.delete => state.add([ids.of(uid)]),
                _ => Ok(()),
            }
        })?;
        let Intake { fetched, missing, failed, .. } = intake;
        complete &= !failed;
        match outcome {
            // The server says that of all of them. Perhaps it is about one.
            Err(TaskError::Refused(_)) if missing.len() > 1 => {
                missing.into_iter().rev().for_each(|uid| batches.push_front(vec![uid]));
            }
            Err(error @ TaskError::Refused(_)) => {
                complete = false;
                missing.iter().for_each(|uid| complain(&bar, *uid, &error.to_string()));
            }
            Err(error) => return Err(account.connection.stream().explain(error)),
            Ok(()) => {
                complete &= missing.is_empty();
                missing.iter().for_each(|uid| complain(&bar, *uid, "the server has not sent it"));
            }
        }
        if arguments.delete {
            let gone = remove::remove(&mut account, &fetched)?;
            complete &= gone.len() == fetched.len();
            let kept = fetched.iter().filter(|uid| !gone.contains(uid));
            kept.for_each(|uid| complain(&bar, *uid, "it was not deleted"));
            if let Some((state, ids)) = state.as_mut().zip(ids.as_ref()) {
                state.add(gone.iter().map(|&uid| ids.of(uid)))?;
            }
        }
    }
    bar.finish_and_clear();
    account.close();
    if complete { Ok(()) } else { Err(Failure::Partial) }
}

/// The octets of all messages together, as the server counts them.
fn octets(account: &mut Account, uids: &[Uid]) -> Result<u64, Failure> {
    let Some(set) = messages(uids) else { return Ok(0) };
    let mut octets = 0_u64;
    account.drive(FetchTask::new(set, [FetchAttribute::Rfc822Size]), |data| {
        if let MessageData::Item(FetchItem::Rfc822Size(Some(size))) = data {
            octets = octets.saturating_add(size);
        }
        Ok(())
    })?;
    Ok(octets)
}

fn complain(bar: &ProgressBar, uid: Uid, reason: &str) {
    bar.suspend(|| output::complaint(&format!("message {uid}: {reason}")));
}

/// What messages are remembered by: RFC 9051 §2.3.1.1, a UID with the UIDVALIDITY and the name of its folder.
struct Ids {
    before: u32,
    behind: String,
}

impl Ids {
    fn new(arguments: &Fetch, facts: &MailboxFacts) -> Result<Self, Failure> {
        let validity = facts.uid_validity.filter(|_| !facts.uids_not_sticky);
        let validity = validity.ok_or_else(|| {
            Failure::failed("--state needs UIDs that stay, which the server does not have in this folder")
        })?;
        let folder = mailbox(&arguments.server.folder).wire(false);
        Ok(Self { before: validity.get(), behind: output::escaped(&folder) })
    }

    fn of(&self, uid: Uid) -> String {
        format!("{} {uid} {}", self.before, self.behind)
    }
}

/// Messages on their way from the server into files.
struct Intake<'a> {
    arguments: &'a Fetch,
    bar: &'a ProgressBar,
    /// Of the present message.
    uid: Option<Uid>,
    copy: Option<FileCopy>,
    size: u64,
    complete: bool,
    /// Those that are durable.
    fetched: Vec<Uid>,
    /// Those that have not come.
    missing: Vec<Uid>,
    /// Whether one that came could not be kept.
    failed: bool,
}

impl<'a> Intake<'a> {
    fn new(arguments: &'a Fetch, batch: &[Uid], bar: &'a ProgressBar) -> Self {
        Self {
            arguments,
            bar,
            uid: None,
            copy: None,
            size: 0,
            complete: false,
            fetched: Vec::new(),
            missing: batch.to_vec(),
            failed: false,
        }
    }

    /// Takes what comes next. The UID of a message that is safe now.
    fn take(&mut self, data: MessageData) -> Result<Option<Uid>, Failure> {
        let directory = &self.arguments.to;
        let unwritable = |error| Failure::failed(format_args!("{}: {error}", directory.display()));
        match data {
            MessageData::Begin { .. } => {
                (self.uid, self.copy, self.size, self.complete) = (None, None, 0, false);
            }
            // It may come before the content or behind it.
            MessageData::Item(FetchItem::Uid(uid)) => self.uid = Some(uid),
            MessageData::Body { item: BodyItem::Section { section, origin: None }, .. }
                if section == Section::whole() && self.copy.is_none() =>
            {
                self.copy = Some(FileCopy::create(directory).map_err(unwritable)?);
            }
            MessageData::Chunk(chunk) if !self.complete => {
                if let Some(copy) = &mut self.copy {
                    copy.write(&chunk).map_err(unwritable)?;
                    self.size += chunk.len() as u64;
                    self.bar.inc(chunk.len() as u64);
                }
            }
            MessageData::BodyEnd => self.complete = self.copy.is_some(),
            MessageData::Invalid(invalid) => {
                self.bar.suspend(|| output::complaint(&invalid.to_string()));
            }
            MessageData::End => return self.end(),
            _ => {}
        }
        Ok(None)
    }

    fn end(&mut self) -> Result<Option<Uid>, Failure> {
        let (Some(uid), Some(copy), true) = (self.uid, self.copy.take(), self.complete) else {
            return Ok(None);
        };
        // Only what was asked for becomes a file.
        let Some(at) = self.missing.iter().position(|&missing| missing == uid) else { return Ok(None) };
        self.missing.remove(at);
        let path = match copy.finish(uid.get()) {
            Ok(path) => path.display().to_string(),
            Err(reason) => {
                self.failed = true;
                complain(self.bar, uid, &reason);
                return Ok(None);
            }
        };
        self.fetched.push(uid);
        self.bar.suspend(|| {
            if self.arguments.server.json {
                output::json(&json!({ "uid": uid.get(), "size": self.size, "file": path }))
            } else {
                output::line(&path)
            }
        })?;
        Ok(Some(uid))
    }
}
