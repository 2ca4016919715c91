//! The data directory, which one process has at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::Failure;

/// The directory, locked until this is dropped.
pub(crate) struct Data {
    directory: PathBuf,
    _lock: File,
}

/// Who has the directory.
pub(crate) enum Held {
    Here(Data),
    ByAnother,
}

impl Data {
    /// Opens the directory, and makes it if it is missing.
    pub(crate) fn open(directory: &Path) -> Result<Self, Failure> {
        match Self::try_open(directory)? {
            Held::Here(data) => Ok(data),
            Held::ByAnother => Err(format!("{} is in use by another process", directory.display()).into()),
        }
    }

    /// The same, unless another process has it.
    pub(crate) fn try_open(directory: &Path) -> Result<Held, Failure> {
        let named = |error: std::io::Error| format!("{}: {error}", directory.display());
        fs::create_dir_all(directory).map_err(named)?;
        let path = directory.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(named)?;
        match lock.try_lock() {
            Ok(()) => Ok(Held::Here(Self { directory: directory.to_owned(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(Held::ByAnother),
            Err(TryLockError::Error(error)) => Err(named(error).into()),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Writes a file whole or not at all; a private one is readable by its owner only.
    pub(crate) fn write(&self, name: &str, content: &str, private: bool) -> Result<(), Failure> {
        write(&self.path(name), content, private)
    }
}

/// The same for a file anywhere.
pub(crate) fn write(path: &Path, content: &str, private: bool) -> Result<(), Failure> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let mode = if private { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(mode).open(&temporary)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    Ok(())
}
