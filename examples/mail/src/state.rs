//! [`State`]: the ids of messages that were fetched, kept in a file from one run to the next.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The ids, and the file that keeps them: one a line, in printable ASCII. Locked while it is open.
#[derive(Debug)]
pub(crate) struct State {
    path: PathBuf,
    file: File,
    ids: HashSet<Box<str>>,
}

impl State {
    /// Reads the file, or begins one.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let wrong =
            |error: &dyn core::fmt::Display| Failure::failed(format_args!("{}: {error}", path.display()));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| wrong(&error))?;
        file.try_lock().map_err(|error| wrong(&error))?;
        let mut octets = Vec::new();
        file.read_to_end(&mut octets).map_err(|error| wrong(&error))?;
        // A run that was cut off may have left a part of a line, which is no id.
        let complete = octets.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
        let mut ids = HashSet::new();
        for line in octets.get(..complete).unwrap_or_default().split(|&octet| octet == b'\n') {
            if !line.is_empty() {
                ids.insert(id(line).ok_or_else(|| wrong(&"not a state file"))?.into());
            }
        }
        let end = |file: &mut File| {
            file.set_len(complete as u64)?;
            file.seek(SeekFrom::End(0))
        };
        end(&mut file).map_err(|error| wrong(&error))?;
        Ok(Self { path: path.to_owned(), file, ids })
    }

    /// Whether the message was fetched before.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Remembers messages, durably.
    pub(crate) fn add<I: AsRef<str>>(&mut self, ids: impl IntoIterator<Item = I>) -> Result<(), Failure> {
        let mut lines = String::new();
        for id in ids {
            let id = id.as_ref();
            if !self.ids.contains(id) {
                self.ids.insert(id.into());
                lines.push_str(id);
                lines.push('\n');
            }
        }
        let written = |file: &mut File| -> io::Result<()> {
            file.write_all(lines.as_bytes())?;
            file.sync_data()
        };
        written(&mut self.file)
            .map_err(|error| Failure::failed(format_args!("{}: {error}", self.path.display())))
    }
}

/// A line, if it can be an id.
fn id(line: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(line).ok()?;
    text.bytes().all(|octet| matches!(octet, b' '..=b'~')).then_some(text)
}
