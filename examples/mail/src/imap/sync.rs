//! `mail sync`: a mirror of an account in a Maildir, by the task `Sync`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use bytes::BytesMut;
use indicatif::ProgressBar;
use mailwright_core::io::{RunError, Step};
use mailwright_core::value::{Flag, Uid, UidValidity};
use mailwright_imap::client::tasks::{
    Change, List, Select, Sync as SyncTask, SyncError, Synced, TaskError, Way,
};
use mailwright_imap::mailbox_name;
use mailwright_imap::types::{Code, ListAttribute, ListResponse, Mailbox, OctetString};
use serde_json::json;

use super::{Account, folder_name, note};
use crate::arguments::Sync;
use crate::failure::Failure;
use crate::maildir::{self, Incoming, Lock, Maildir};
use crate::{output, progress};

pub(crate) fn run(arguments: &Sync) -> Result<(), Failure> {
    let root = &arguments.to;
    let wrong = |error: io::Error| Failure::failed(format_args!("{}: {error}", root.display()));
    let _lock = Lock::take(root).map_err(wrong)?;
    let mut account = Account::open(&arguments.server)?;
    let folders = folders(&mut account)?;
    let bar = progress::bar(None);
    let mut complete = true;
    let mut directories = HashSet::new();
    for folder in &folders {
        let path = directory(root, folder);
        if !directories.insert(path.clone()) {
            complete = false;
            complain(&bar, &folder.mailbox, "its directory is that of another folder");
            continue;
        }
        match mirror(&mut account, arguments, &folder.mailbox, path, &bar) {
            Ok(all) => complete &= all,
            Err(Problem::Folder(reason)) => {
                complete = false;
                complain(&bar, &folder.mailbox, &reason);
            }
            Err(Problem::All(failure)) => return Err(failure),
        }
    }
    complete &= remove_others(&mut account, arguments, root, &directories, &bar)?;
    bar.finish_and_clear();
    account.close();
    if complete { Ok(()) } else { Err(Failure::Partial) }
}

/// Why a folder could not be mirrored: for a reason of its own, or one that is that of all.
enum Problem {
    Folder(String),
    All(Failure),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::All(error.into())
    }
}

/// The folders that can be opened.
fn folders(account: &mut Account) -> Result<Vec<ListResponse>, Failure> {
    let pattern = |text: &'static str| OctetString::new(text).map_err(Failure::failed);
    let mut folders = Vec::new();
    account.drive(List::new(pattern("")?, pattern("*")?), |listed| {
        let closed = [ListAttribute::NoSelect, ListAttribute::NonExistent];
        if !listed.attributes.iter().any(|attribute| closed.contains(attribute)) {
            folders.push(listed);
        }
        Ok(())
    })?;
    Ok(folders)
}

/// Where the copy of a folder is: INBOX in the root, the others in directories of Maildir++.
fn directory(root: &Path, folder: &ListResponse) -> PathBuf {
    let name = match &folder.mailbox {
        Mailbox::Name(name) if name.is_inbox() => return root.to_owned(),
        Mailbox::Name(name) => {
            let separator = folder.separator.map(char::from);
            maildir::directory(name.as_str().split(|character| Some(character) == separator).map(
                |component| {
                    let mut wire = BytesMut::new();
                    mailbox_name::encode(component, &mut wire);
                    wire
                },
            ))
        }
        Mailbox::Other(wire) => maildir::directory(wire.split(|octet| Some(*octet) == folder.separator)),
    };
    root.join(name)
}

/// The name of a folder as the state keeps it.
fn remembered(mailbox: &Mailbox) -> String {
    maildir::printable(&mailbox.wire(false))
}

/// The folder of such a name.
fn forgotten(name: &str) -> Option<Mailbox> {
    Some(Mailbox::read(maildir::octets(name)?.into(), false))
}

/// Brings the copy of a folder up to date; whether it is complete.
fn mirror(
    account: &mut Account,
    arguments: &Sync,
    mailbox: &Mailbox,
    path: PathBuf,
    bar: &ProgressBar,
) -> Result<bool, Problem> {
    let maildir = Maildir::open(path.clone(), &remembered(mailbox));
    let maildir = maildir.map_err(|error| Problem::Folder(error.to_string()))?;
    if path != arguments.to {
        fs::write(path.join("maildirfolder"), b"")?;
    }
    let task = SyncTask::examine(mailbox.clone(), maildir.picture());
    let mut mirror = Mirror::new(maildir, bar, mailbox);
    let mut running = account.connection.begin(task);
    let result = loop {
        let step = running.step();
        while let Some(event) = running.queued_event() {
            note(event);
        }
        match step {
            Ok(Step::Item(change)) => {
                if let (Change::New(message), Some(task)) = (&change, running.task()) {
                    task.want(message.uid);
                }
                mirror.apply(change)?;
            }
            Ok(Step::Done(synced)) => break Ok(synced),
            Err(RunError::QueueFull) => {}
            Err(error) => break Err(error),
        }
    };
    match result {
        Ok(synced) => {
            mirror.maildir.remember(synced.checkpoint)?;
            mirror.maildir.sweep()?;
            mirror.report(arguments, &synced)?;
            Ok(!synced.checkpoint.has_gaps)
        }
        Err(RunError::Task(error @ (SyncError::Refused(_) | SyncError::NoUidValidity))) => {
            Err(Problem::Folder(error.to_string()))
        }
        Err(error) => Err(Problem::All(account.connection.stream().explain(error))),
    }
}

/// The copy of a folder while it is brought up to date.
struct Mirror<'a> {
    maildir: Maildir,
    bar: &'a ProgressBar,
    mailbox: &'a Mailbox,
    uid_validity: Option<UidValidity>,
    /// Messages whose octets are to come: when they arrived, and their flags.
    coming: HashMap<Uid, (Option<i64>, Vec<Flag>)>,
    incoming: Option<Incoming>,
    new: u64,
    flagged: u64,
    removed: u64,
}

impl<'a> Mirror<'a> {
    fn new(maildir: Maildir, bar: &'a ProgressBar, mailbox: &'a Mailbox) -> Self {
        let uid_validity = maildir.checkpoint.map(|checkpoint| checkpoint.uid_validity);
        let (coming, incoming) = (HashMap::new(), None);
        Self { maildir, bar, mailbox, uid_validity, coming, incoming, new: 0, flagged: 0, removed: 0 }
    }

    fn apply(&mut self, change: Change) -> io::Result<()> {
        match change {
            Change::Reset { .. } => self.maildir.reset(),
            Change::Expunged(range) => {
                for uid in range.iter() {
                    self.removed += u64::from(self.maildir.remove(uid)?);
                    self.coming.remove(&uid);
                }
            }
            Change::Flags { uid, flags, .. } => match self.coming.get_mut(&uid) {
                Some((_, known)) => *known = flags,
                None => self.flagged += u64::from(self.maildir.flag(uid, &flags)?),
            },
            Change::New(message) => {
                let arrived = message.internal_date.map(|date| date.time.as_seconds());
                self.coming.insert(message.uid, (arrived, message.flags.unwrap_or_default()));
            }
            Change::BodyBegin { .. } => self.incoming = Some(self.maildir.begin()?),
            Change::BodyChunk(octets) => {
                self.bar.inc(octets.len() as u64);
                if let Some(incoming) = &mut self.incoming {
                    incoming.write(&octets)?;
                }
            }
            Change::BodyEnd { uid } => {
                let incoming = self.incoming.take();
                let coming = uid.and_then(|uid| Some((uid, self.coming.remove(&uid)?)));
                if let (Some(incoming), Some((uid, (arrived, flags))), Some(uid_validity)) =
                    (incoming, coming, self.uid_validity)
                {
                    self.maildir.keep(incoming, uid_validity, uid, arrived, &flags)?;
                    self.new += 1;
                }
            }
            Change::Missing(uid) => {
                self.coming.remove(&uid);
                complain(self.bar, self.mailbox, &format!("the server has not sent message {uid}"));
            }
            Change::Checkpoint(checkpoint) => {
                self.uid_validity = Some(checkpoint.uid_validity);
                self.maildir.remember(checkpoint)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn report(&self, arguments: &Sync, synced: &Synced) -> io::Result<()> {
        let Self { new, flagged, removed, .. } = self;
        if synced.unlisted > 0 {
            let reason = format!("the server does not show {} messages", synced.unlisted);
            complain(self.bar, self.mailbox, &reason);
        }
        let folder = folder_name(self.mailbox);
        self.bar.suspend(|| {
            if arguments.server.json {
                let way = match synced.way {
                    Way::Uids => "uids",
                    Way::Condstore => "condstore",
                    Way::Qresync => "qresync",
                };
                output::json(&json!({
                    "folder": folder, "way": way, "messages": synced.exists,
                    "new": new, "flags": flagged, "removed": removed,
                }))
            } else {
                let folder = output::escaped(folder.as_bytes());
                output::line(&format!("{folder}\tnew {new}\tflags {flagged}\tremoved {removed}"))
            }
        })
    }
}

/// Removes the copies of folders that are gone; whether all of them could be.
fn remove_others(
    account: &mut Account,
    arguments: &Sync,
    root: &Path,
    directories: &HashSet<PathBuf>,
    bar: &ProgressBar,
) -> Result<bool, Failure> {
    let mut complete = true;
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if directories.contains(&path) || !path.is_dir() {
            continue;
        }
        // Whatever else is there is not ours.
        let Some((folder, _)) = maildir::state(&path)? else { continue };
        let Some(mailbox) = forgotten(&folder) else { continue };
        // A list may leave something out. What the server can open is there.
        match account.attempt(Select::examine(mailbox.clone()), |_| Ok(()))? {
            Err(TaskError::Refused(status)) if matches!(status.code, None | Some(Code::NonExistent)) => {
                Maildir::open(path, &folder)?.discard()?;
                if arguments.server.json {
                    output::json(&json!({ "folder": folder_name(&mailbox), "removed": true }))?;
                }
            }
            Ok(_) | Err(TaskError::Refused(_)) => {
                complete = false;
                complain(bar, &mailbox, "it is not listed, and not gone");
            }
            Err(error) => return Err(account.connection.stream().explain(error)),
        }
    }
    Ok(complete)
}

fn complain(bar: &ProgressBar, mailbox: &Mailbox, reason: &str) {
    bar.suspend(|| output::complaint(&format!("{}: {reason}", folder_name(mailbox))));
}
