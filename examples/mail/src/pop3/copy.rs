//! [`FileCopy`]: one message on its way into a file, durable or not there at all.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use mailwright_pop3::types::MessageNumber;

/// A copy that is being written, beside its final name. Dropped before [`Self::finish`], it leaves nothing.
#[derive(Debug)]
pub(super) struct FileCopy {
    directory: PathBuf,
    part: PathBuf,
    target: PathBuf,
    file: Option<BufWriter<File>>,
}

impl FileCopy {
    /// Begins `NUMBER.eml` in `directory`. The name is ours, whatever the server calls the message.
    pub(super) fn create(directory: &Path, number: MessageNumber) -> io::Result<Self> {
        let part = directory.join(format!("{number}.eml.part"));
        Ok(Self {
            directory: directory.to_owned(),
            target: directory.join(format!("{number}.eml")),
            file: Some(BufWriter::new(File::create(&part)?)),
            part,
        })
    }

    /// The final name.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    pub(super) fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(octets))
    }

    /// Makes the copy durable under its final name. A file that is there already stays; if it holds the same,
    /// it is the copy.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        if fs::symlink_metadata(&self.target).is_ok() {
            if !same(&self.part, &self.target)? {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, "holds something else already"));
            }
            // Whoever wrote it may not have waited for the disk.
            File::open(&self.target)?.sync_all()?;
        } else {
            fs::rename(&self.part, &self.target)?;
        }
        // The name is as durable as the octets. Only Unix opens a directory for that.
        if cfg!(unix) { File::open(&self.directory)?.sync_all() } else { Ok(()) }
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
