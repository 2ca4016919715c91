//! Opening a store: lock, format, index, recovery; and making one where there is none.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::fmt::Write as _;
use std::io;

use super::format::VERSION;
use super::index::{Index, IndexError};
use super::recover::{self, Damage};
use super::segments::Segments;
use super::storage::{File, Storage, read_exactly};
use super::{LocalConfig, Shared};
use crate::engine::IoError;

pub(super) const LOCK: &str = "store.lock";
const FORMAT: &str = "FORMAT";
pub(super) const INDEX: &str = "index-00.redb";

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store is in use")]
    InUse,
    /// The directory holds files of a store, but its `FORMAT` is missing or not readable.
    #[error("not a store of this kind: {0}")]
    NotAStore(&'static str),
    /// A later version wrote it.
    #[error("the store has format {found}, this version knows up to {known}")]
    Newer {
        /// The version found.
        found: u32,
        /// The highest known.
        known: u32,
    },
    /// The index is missing or damaged; [`Local::rebuild`](super::Local::rebuild) makes another.
    #[error("the index is not usable ({0}): rebuild it")]
    Index(IoError),
    /// The log is damaged.
    #[error("{0}")]
    Damaged(Damage),
    /// The storage failed.
    #[error("storage: {0}")]
    Io(#[from] io::Error),
}

impl From<IndexError> for OpenError {
    fn from(error: IndexError) -> Self {
        Self::Index(IoError::new(error))
    }
}

/// The text of `FORMAT`.
fn format_text(store: &[u8; 16]) -> String {
    let mut text = format!("mailwright store\nversion {VERSION}\nshards 1\nstore ");
    store.iter().for_each(|octet| {
        let _ = write!(text, "{octet:02x}");
    });
    text.push('\n');
    text
}

fn parse_format(text: &str) -> Result<[u8; 16], OpenError> {
    let broken = || OpenError::NotAStore("FORMAT is damaged");
    let rest = text.strip_prefix("mailwright store\nversion ").ok_or_else(broken)?;
    let (version, rest) = rest.split_once('\n').ok_or_else(broken)?;
    let found = version.parse().map_err(|_| broken())?;
    let known = u32::from(VERSION);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    let id =
        rest.strip_prefix("shards 1\nstore ").and_then(|rest| rest.strip_suffix('\n')).ok_or_else(broken)?;
    let id = Some(id).filter(|id| id.len() == 32).and_then(|id| u128::from_str_radix(id, 16).ok());
    let store = id.ok_or_else(broken)?.to_be_bytes();
    if format_text(&store) == text { Ok(store) } else { Err(broken()) }
}

fn read_all(file: &dyn File) -> io::Result<Option<String>> {
    let length = usize::try_from(file.length()?).unwrap_or(usize::MAX).min(4096);
    Ok(read_exactly(file, 0, length)?.and_then(|octets| String::from_utf8(octets).ok()))
}

/// The id of the store, or `None` if there is none.
pub(super) fn read_format(storage: &dyn Storage) -> Result<Option<[u8; 16]>, OpenError> {
    match storage.open(FORMAT) {
        Ok(file) => {
            let text = read_all(&*file)?.ok_or(OpenError::NotAStore("FORMAT is damaged"))?;
            parse_format(&text).map(Some)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // `FORMAT` is the first that is made.
            let is_ours = |name: &String| name.starts_with("index-") || name.starts_with("segment-");
            if storage.list("")?.iter().any(is_ours) {
                return Err(OpenError::NotAStore("FORMAT is missing"));
            }
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes the directory a store without content.
fn make_format(storage: &dyn Storage, store: [u8; 16]) -> Result<[u8; 16], OpenError> {
    let temporary = format!("tmp/{FORMAT}");
    let file = storage.create(&temporary)?;
    file.write_at(format_text(&store).as_bytes(), 0)?;
    file.sync()?;
    storage.rename(&temporary, FORMAT)?;
    storage.sync_directory("")?;
    Ok(store)
}

/// Makes an empty index. It gets its name only when it is whole.
pub(super) fn make_index(storage: &dyn Storage, temporary: &str) -> Result<(), OpenError> {
    let file = storage.create(temporary)?;
    let index = Index::open(Arc::clone(&file), 1024 * 1024, false)?;
    if index.has_failed() {
        return Err(OpenError::Io(io::Error::other("the new index could not be written")));
    }
    drop(index);
    file.sync()?;
    Ok(())
}

/// Gives an index its name.
pub(super) fn name_index(storage: &dyn Storage, temporary: &str) -> Result<(), OpenError> {
    storage.rename(temporary, INDEX)?;
    Ok(storage.sync_directory("")?)
}

fn clear_temporary(storage: &dyn Storage) -> Result<(), OpenError> {
    storage.create_directory("tmp")?;
    for name in storage.list("tmp")? {
        storage.remove(&format!("tmp/{name}"))?;
    }
    Ok(())
}

/// Opens the store in `storage`, or makes one.
pub(super) fn open(
    storage: Arc<dyn Storage>,
    config: LocalConfig,
    entropy: [u8; 16],
) -> Result<Shared, OpenError> {
    let lock = storage.lock(LOCK)?.ok_or(OpenError::InUse)?;
    let found = read_format(&*storage)?;
    clear_temporary(&*storage)?;
    let store = match found {
        Some(store) => store,
        None => make_format(&*storage, entropy)?,
    };
    let segments = Segments::new(Arc::clone(&storage), store);
    let file = match storage.open(INDEX) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if recover::has_groups(&segments)? {
                return Err(OpenError::Index(IoError::new("it is missing".to_string())));
            }
            make_index(&*storage, "tmp/index")?;
            name_index(&*storage, "tmp/index")?;
            storage.open(INDEX)?
        }
        Err(error) => return Err(error.into()),
    };
    let index = Index::open(file, config.index_cache, config.verify_index)?;
    let state =
        index.state()?.ok_or_else(|| OpenError::Index(IoError::new("it has no state".to_string())))?;
    let end = recover::find_end(&segments, state)?;
    if let Some(damage) = end.damage {
        let writer = super::commit::Writer { state, segment: None, end: end.next };
        return Ok(Shared::new(storage, config, store, index, segments, writer, lock, Some(damage)));
    }
    let is_unclean = !state.is_closed && state.opening > 0;
    recover::cut_tail(&*storage, &segments, &end)?;
    let writer = recover::recover(&segments, &index, &end, state)?;
    recover::remove_leftovers(&*storage, &index)?;
    if index.has_failed() {
        return Err(OpenError::Io(io::Error::other("the index could not be written")));
    }
    let shared = Shared::new(storage, config, store, index, segments, writer, lock, None);
    if is_unclean {
        shared.count_unclean_end()?;
    }
    Ok(shared)
}
