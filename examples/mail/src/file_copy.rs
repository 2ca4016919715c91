//! [`FileCopy`]: one message on its way into a file, durable or not there at all.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Names that are tried for a file.
const MOST_ATTEMPTS: u32 = 1000;

/// Makes a directory that outlives a crash, with those above it that are missing.
pub(crate) fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let above = directory.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_directory(above)?;
    match fs::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => {}
        result => result?,
    }
    sync_directory(above)
}

/// Makes the names in a directory as durable as the octets behind them. Only Unix opens a directory for that.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// A copy that is being written, beside its final name. Dropped before [`Self::finish`], it leaves nothing.
#[derive(Debug)]
pub(crate) struct FileCopy {
    directory: PathBuf,
    part: PathBuf,
    file: Option<BufWriter<File>>,
}

impl FileCopy {
    /// Begins a copy in `directory`.
    pub(crate) fn create(directory: &Path) -> io::Result<Self> {
        // Another process may be at work in the same directory, and one that was killed has left its file.
        let mut attempts = 0;
        loop {
            let part = directory.join(format!("message-{}-{attempts}.part", std::process::id()));
            match File::create_new(&part) {
                Ok(file) => {
                    let file = Some(BufWriter::new(file));
                    return Ok(Self { directory: directory.to_owned(), part, file });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempts < MOST_ATTEMPTS => {
                    attempts += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The final name: `NUMBER.eml` in `directory`, of a UID or a message number. It is ours, whatever the
    /// server calls the message.
    fn target(directory: &Path, number: u32) -> PathBuf {
        directory.join(format!("{number}.eml"))
    }

    pub(crate) fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(octets))
    }

    /// Makes the copy durable under its final name, which it returns. A file that is there already stays; if
    /// it holds the same, it is the copy.
    pub(crate) fn finish(mut self, number: u32) -> Result<PathBuf, String> {
        let target = Self::target(&self.directory, number);
        self.store(&target).map_err(|error| format!("{}: {error}", target.display()))?;
        Ok(target)
    }

    fn store(&mut self, target: &Path) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        if fs::symlink_metadata(target).is_ok() {
            if !same(&self.part, target)? {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, "holds something else already"));
            }
            // Whoever wrote it may not have waited for the disk.
            File::open(target)?.sync_all()?;
        } else {
            fs::rename(&self.part, target)?;
        }
        sync_directory(&self.directory)
    }
}

impl Drop for FileCopy {
    fn drop(&mut self) {
        // After a rename there is none.
        let _ = fs::remove_file(&self.part);
    }
}

/// Whether two files hold the same octets.
fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut octets = BufReader::new(one).bytes().zip(BufReader::new(other).bytes());
    octets.try_fold(true, |same, (one, other)| Ok(same && one? == other?))
}
