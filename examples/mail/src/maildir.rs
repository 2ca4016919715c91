//! [`Maildir`]: the copy of a folder as a directory of Maildir++, with what is known of the server's.
//!
//! A message is written to `tmp`, made durable, and moved to `cur`; its name says its UID and its flags. The file
//! `sync-state` says how far the copy is true; it is replaced only when everything that it tells of is durable.

mod name;

use core::time::Duration;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mailwright_core::value::{Flag, ModSeq, Uid, UidSet, UidValidity};
use mailwright_imap::client::tasks::{Checkpoint, Picture};

pub(crate) use self::name::{directory, octets, printable};
use crate::file_copy::{make_directory, sync_directory};

const STATE: &str = "sync-state";
const LOCK: &str = "sync-lock";
const FIRST_LINE: &str = "mailwright-sync 1";

/// Keeps others away from a tree of folders, as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "locked as long as it is open")] File);

impl Lock {
    pub(crate) fn take(root: &Path) -> io::Result<Self> {
        make_directory(root)?;
        let file = File::options().write(true).create(true).truncate(false).open(root.join(LOCK))?;
        file.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => io::Error::other("another run is at work there"),
            fs::TryLockError::Error(error) => error,
        })?;
        Ok(Self(file))
    }
}

/// The copy of a folder.
#[derive(Debug)]
pub(crate) struct Maildir {
    path: PathBuf,
    /// The name of the folder, in printable ASCII.
    folder: String,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The files of `cur` and `new`, by UID.
    files: HashMap<Uid, PathBuf>,
    /// Files of ours that no message here has: from before UIDVALIDITY changed, or twice.
    stale: Vec<PathBuf>,
    temporary: u64,
    /// Whether names have changed that are not durable.
    changed: bool,
}

/// A message on its way. Dropped, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Incoming {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    size: u64,
}

impl Maildir {
    /// Opens the copy at `path` of the folder of that name, or begins one.
    pub(crate) fn open(path: PathBuf, folder: &str) -> io::Result<Self> {
        for inner in ["cur", "new", "tmp"] {
            make_directory(&path.join(inner))?;
        }
        let mut maildir = Self {
            path,
            folder: folder.to_owned(),
            checkpoint: None,
            files: HashMap::new(),
            stale: Vec::new(),
            temporary: 0,
            changed: false,
        };
        maildir.read_state()?;
        maildir.read_names()?;
        for entry in fs::read_dir(maildir.path.join("tmp"))? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(name::is_temporary) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(maildir)
    }

    /// What is known of the folder.
    pub(crate) fn picture(&self) -> Picture {
        match self.checkpoint {
            Some(checkpoint) => Picture::new(checkpoint, self.files.keys().copied().collect::<UidSet>()),
            None => Picture::default(),
        }
    }

    fn read_state(&mut self) -> io::Result<()> {
        let Some((folder, checkpoint)) = state(&self.path)? else { return Ok(()) };
        if folder != self.folder {
            return Err(io::Error::other(format!("the directory is that of another folder, {folder}")));
        }
        self.checkpoint = checkpoint;
        Ok(())
    }

    fn read_names(&mut self) -> io::Result<()> {
        for inner in ["cur", "new"] {
            for entry in fs::read_dir(self.path.join(inner))? {
                let entry = entry?;
                let Some((uid_validity, uid)) = entry.file_name().to_str().and_then(name::read) else {
                    continue;
                };
                let known = self.checkpoint.is_some_and(|checkpoint| checkpoint.uid_validity == uid_validity);
                if known && !self.files.contains_key(&uid) {
                    self.files.insert(uid, entry.path());
                } else {
                    self.stale.push(entry.path());
                }
            }
        }
        Ok(())
    }

    /// All that is known is worth nothing any more.
    pub(crate) fn reset(&mut self) {
        self.checkpoint = None;
        self.stale.extend(self.files.drain().map(|(_, path)| path));
    }

    /// Begins a message.
    pub(crate) fn begin(&mut self) -> io::Result<Incoming> {
        self.temporary += 1;
        let path = self.path.join("tmp").join(name::temporary(self.temporary));
        let file = Some(BufWriter::new(File::create_new(&path)?));
        Ok(Incoming { path, file, size: 0 })
    }

    /// Keeps a message.
    pub(crate) fn keep(
        &mut self,
        incoming: Incoming,
        uid_validity: UidValidity,
        uid: Uid,
        arrived: Option<i64>,
        flags: &[Flag],
    ) -> io::Result<()> {
        let target =
            self.path.join("cur").join(name::message(arrived.unwrap_or(0), uid_validity, uid, flags));
        incoming.store(&target, arrived)?;
        self.changed = true;
        if let Some(before) = self.files.insert(uid, target.clone()).filter(|before| *before != target) {
            fs::remove_file(before)?;
        }
        self.stale.retain(|stale| *stale != target);
        Ok(())
    }

    /// Gives a message these flags; `false` if it has them already, or is not here.
    pub(crate) fn flag(&mut self, uid: Uid, flags: &[Flag]) -> io::Result<bool> {
        let Some(path) = self.files.get_mut(&uid) else { return Ok(false) };
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(false) };
        let target = self.path.join("cur").join(name::with_flags(name, flags));
        if *path == target {
            return Ok(false);
        }
        fs::rename(&*path, &target)?;
        *path = target;
        self.changed = true;
        Ok(true)
    }

    /// Removes a message; `false` if it is not here.
    pub(crate) fn remove(&mut self, uid: Uid) -> io::Result<bool> {
        let Some(path) = self.files.remove(&uid) else { return Ok(false) };
        remove(&path)?;
        self.changed = true;
        Ok(true)
    }

    /// Remembers how far the copy is true, once it is durable.
    pub(crate) fn remember(&mut self, checkpoint: Checkpoint) -> io::Result<()> {
        if core::mem::take(&mut self.changed) {
            sync_directory(&self.path.join("cur"))?;
            sync_directory(&self.path.join("new"))?;
        }
        if self.checkpoint != Some(checkpoint) {
            self.write_state(checkpoint)?;
            self.checkpoint = Some(checkpoint);
        }
        Ok(())
    }

    fn write_state(&self, checkpoint: Checkpoint) -> io::Result<()> {
        let Checkpoint { uid_validity, uid_next, mod_seq, has_gaps, .. } = checkpoint;
        let mut text =
            format!("{FIRST_LINE}\nfolder {}\nuidvalidity {uid_validity}\nuidnext {uid_next}\n", self.folder);
        if let Some(mod_seq) = mod_seq {
            text += &format!("modseq {mod_seq}\n");
        }
        if has_gaps {
            text += "gaps\n";
        }
        let part = self.path.join("tmp").join(name::temporary(0));
        let mut file = File::create(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(part, self.path.join(STATE))?;
        sync_directory(&self.path)
    }

    /// Removes what is left of messages that the folder has no more. Whatever is not ours stays.
    pub(crate) fn sweep(&mut self) -> io::Result<()> {
        self.stale.drain(..).try_for_each(|stale| remove(&stale))
    }

    /// Removes a copy whose folder is gone, with whatever is ours in it.
    pub(crate) fn discard(mut self) -> io::Result<()> {
        self.reset();
        self.sweep()?;
        remove(&self.path.join(STATE))?;
        remove(&self.path.join("maildirfolder"))?;
        // What holds something else stays.
        for inner in ["cur", "new", "tmp", ""] {
            let _ = fs::remove_dir(self.path.join(inner));
        }
        Ok(())
    }
}

/// The name of the folder that a directory is a copy of, and how far; `None` if it is none of ours.
pub(crate) fn state(path: &Path) -> io::Result<Option<(String, Option<Checkpoint>)>> {
    let text = match fs::read_to_string(path.join(STATE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let wrong = || io::Error::other(format!("{STATE} is no state of ours"));
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err(wrong());
    }
    let mut folder = None;
    let (mut uid_validity, mut uid_next, mut mod_seq, mut has_gaps) = (None, None, None, false);
    for line in lines {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("folder", name) => folder = Some(name.to_owned()),
            ("uidvalidity", value) => uid_validity = value.parse::<UidValidity>().ok(),
            ("uidnext", value) => uid_next = value.parse::<Uid>().ok(),
            ("modseq", value) => mod_seq = Some(value.parse::<ModSeq>().map_err(|_| wrong())?),
            ("gaps", "") => has_gaps = true,
            _ => return Err(wrong()),
        }
    }
    let checkpoint = uid_validity.zip(uid_next);
    let checkpoint = checkpoint.map(|(validity, next)| Checkpoint::new(validity, next, mod_seq, has_gaps));
    Ok(Some((folder.ok_or_else(wrong)?, checkpoint)))
}

/// Removes a file, which may be gone already.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

impl Incoming {
    pub(crate) fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.size += octets.len() as u64;
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(octets))
    }

    fn store(mut self, target: &Path, arrived: Option<i64>) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        if let Some(seconds) = arrived.and_then(|seconds| u64::try_from(seconds).ok()) {
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))?;
        }
        file.sync_all()?;
        fs::rename(&self.path, target)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // After a rename there is none.
        let _ = fs::remove_file(&self.path);
    }
}
