//! The seam below the engine: files and directories, as few operations as it needs.
//!
//! Names are relative to the store's directory, with `/` between parts. [`Directory`](super::Directory) is
//! the one over the operating system; `Simulated` (feature `testing`) loses power on purpose.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::io;

/// A place with files in directories.
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// Makes a new, empty file. It is an error if the name is taken.
    ///
    /// # Errors
    /// As the storage fails.
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none; else as the storage fails.
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Gives a file another name, in place of what had it.
    ///
    /// # Errors
    /// As the storage fails.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes the name of a file. Who has it open goes on reading it.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none; else as the storage fails.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes a directory unless it exists.
    ///
    /// # Errors
    /// As the storage fails.
    fn create_directory(&self, name: &str) -> io::Result<()>;

    /// Makes the names in a directory durable; the empty name is the store's directory.
    ///
    /// # Errors
    /// As the storage fails. Nothing is known then about what is durable.
    fn sync_directory(&self, name: &str) -> io::Result<()>;

    /// The names in a directory, sorted, without the directory's own.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such directory; else as the storage fails.
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;

    /// Locks a file, which is made if need be, until the result is dropped. `None` if somebody else has it
    /// locked.
    ///
    /// # Errors
    /// As the storage fails.
    fn lock(&self, name: &str) -> io::Result<Option<Box<dyn Lock>>>;
}

/// A lock that is held.
pub trait Lock: fmt::Debug + Send + Sync + 'static {}

/// An open file.
pub trait File: fmt::Debug + Send + Sync + 'static {
    /// Its length.
    ///
    /// # Errors
    /// As the storage fails.
    fn length(&self) -> io::Result<u64>;

    /// Fills `into` from offset `at`; gives the octets read, fewer only where the file ends.
    ///
    /// # Errors
    /// As the storage fails.
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes all of `octets` at offset `at`.
    ///
    /// # Errors
    /// As the storage fails. A part may have been written.
    fn write_at(&self, octets: &[u8], at: u64) -> io::Result<()>;

    /// Cuts the file, or extends it with zeros.
    ///
    /// # Errors
    /// As the storage fails.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Makes content and length durable.
    ///
    /// # Errors
    /// As the storage fails. Nothing is known then about what is durable, and a later success says nothing.
    fn sync(&self) -> io::Result<()>;
}

/// Reads exactly `length` octets at `at`; `None` where the file ends before.
pub(super) fn read_exactly(file: &dyn File, at: u64, length: usize) -> io::Result<Option<Vec<u8>>> {
    let mut octets = alloc::vec![0; length];
    let read = file.read_at(&mut octets, at)?;
    Ok((read == length).then_some(octets))
}

/// Whether there is no space, or none for this user.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
