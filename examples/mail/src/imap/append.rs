//! `mail append`: messages into a folder.

use core::fmt::Display;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use mailwright_core::io::{RunError, Step};
use mailwright_imap::client::tasks::{Append as AppendTask, Appended};
use mailwright_imap::types::AppendCommand;
use serde_json::json;

use super::{Account, mailbox, note};
use crate::arguments::Append;
use crate::failure::Failure;
use crate::message::Message;
use crate::{output, progress};

pub(crate) fn run(arguments: &Append) -> Result<(), Failure> {
    // What cannot be read or carried is told before anything is sent.
    let mut first = Some(open(arguments.messages.first())?);
    let mut account = Account::open(&arguments.server)?;
    for path in &arguments.messages {
        let content = match first.take() {
            Some(content) => content,
            None => open(Some(path))?,
        };
        append(&mut account, arguments, path, content)?;
    }
    account.close();
    Ok(())
}

fn wrong(path: &Path, error: impl Display) -> Failure {
    Failure::failed(format_args!("{}: {error}", path.display()))
}

fn open(path: Option<&PathBuf>) -> Result<(Content, u64), Failure> {
    let path = path.ok_or_else(|| Failure::usage("no message"))?;
    Content::open(Message::open(path)?).map_err(|error| wrong(path, error))
}

fn append(
    account: &mut Account,
    arguments: &Append,
    path: &Path,
    (mut content, octets): (Content, u64),
) -> Result<(), Failure> {
    if let Some(limit) = account.connection.session().append_limit().filter(|&limit| octets > limit) {
        return Err(Failure::failed(format_args!(
            "the server takes {limit} octets, and the message has {octets}"
        )));
    }
    let mut command = AppendCommand::new(mailbox(&arguments.server.folder));
    command.flags.clone_from(&arguments.flag);
    let bar = progress::bar(Some(octets));
    let mut running = account.connection.begin(AppendTask::streamed(command, octets));
    let result = loop {
        let step = running.step();
        while let Some(event) = running.queued_event() {
            note(event);
        }
        match step {
            Ok(Step::Item(want)) => {
                bar.set_position(want.offset);
                let piece = content.next().map_err(|error| wrong(path, error))?;
                if piece.is_empty() {
                    // The connection is dropped inside the message, which is none then.
                    return Err(wrong(path, "became shorter while it was read"));
                }
                if let Some(task) = running.task() {
                    task.push(piece).map_err(|_| wrong(path, "became longer while it was read"))?;
                }
            }
            Ok(Step::Done(appended)) => break Ok(appended),
            Err(RunError::QueueFull) => {}
            Err(error) => break Err(error),
        }
    };
    bar.finish_and_clear();
    let Appended { uid, .. } = result.map_err(|error| account.connection.stream().explain(error))?;
    if arguments.server.json {
        let (validity, uid) = (uid.map(|(validity, _)| validity.get()), uid.map(|(_, uid)| uid.get()));
        let folder = &arguments.server.folder;
        output::json(&json!({ "folder": folder, "uid": uid, "uid_validity": validity }))?;
    } else if let Some((_, uid)) = uid {
        output::line(&uid.to_string())?;
    }
    Ok(())
}

/// The octets that are sent. IMAP wants to know beforehand how many, so what can be read only once is held.
#[derive(Debug)]
struct Content {
    message: Message,
    held: VecDeque<Bytes>,
    /// Whether the octet before was a CR.
    behind_cr: bool,
}

impl Content {
    /// The content and how many octets it has.
    fn open(message: Message) -> io::Result<(Self, u64)> {
        let is_file = message.whole.is_some();
        let mut content = Self { message, held: VecDeque::new(), behind_cr: false };
        let mut pieces = VecDeque::new();
        let mut octets = 0;
        loop {
            let piece = content.next()?;
            if piece.is_empty() {
                break;
            }
            // RFC 9051 §6.3.12, §9: CHAR8 is no NUL.
            if piece.contains(&0) {
                return Err(io::Error::other("holds a NUL, which IMAP cannot carry"));
            }
            octets += piece.len() as u64;
            if !is_file {
                pieces.push_back(piece);
            }
        }
        if octets == 0 {
            return Err(io::Error::other("is empty"));
        }
        if is_file {
            content.message.restart()?;
        }
        content.behind_cr = false;
        content.held = pieces;
        Ok((content, octets))
    }

    /// The next piece; empty at the end.
    fn next(&mut self) -> io::Result<Bytes> {
        if let Some(piece) = self.held.pop_front() {
            return Ok(piece);
        }
        let piece = self.message.next_piece()?;
        if !self.message.bare_lf {
            return Ok(piece);
        }
        let mut lines = Vec::with_capacity(piece.len() + piece.len() / 16);
        for &octet in &piece {
            if octet == b'\n' && !self.behind_cr {
                lines.push(b'\r');
            }
            lines.push(octet);
            self.behind_cr = octet == b'\r';
        }
        Ok(lines.into())
    }
}
