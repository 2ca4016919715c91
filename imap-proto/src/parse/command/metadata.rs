//! GETMETADATA and SETMETADATA. RFC 5464 §5.

use alloc::vec::Vec;

use super::mailboxes::begins;
use super::{CommandLimits, mailbox};
use crate::parse::cursor::{Cursor, Failure};
use crate::types::{GetMetadataCommand, MetadataDepth, MetadataEntry, SetMetadataCommand};

/// Entries of one command at most.
const MOST: usize = 1000;

pub(super) fn get(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<GetMetadataCommand, Failure> {
    let mut options = Options::default();
    if begins(cursor, b"(") {
        cursor.space()?;
        options.read(cursor)?;
    }
    let mailbox = mailbox(cursor, limits)?;
    cursor.space()?;
    // The examples of RFC 5464 §4.2 have the options here, and clients follow them.
    if cursor.peek() == Some(b'(') && options == Options::default() {
        let mark = cursor.mark();
        match options.read(cursor).and_then(|()| cursor.space()) {
            Ok(()) => {}
            Err(_) => {
                options = Options::default();
                cursor.rewind(mark);
            }
        }
    }
    let mut entries = entries(cursor)?;
    // They also have entries without parentheses.
    while begins(cursor, b"/") {
        cursor.space()?;
        if entries.len() == MOST {
            return Err(Failure::TooMany("entries"));
        }
        let entry = entry(cursor)?;
        cursor.push(&mut entries, entry)?;
    }
    let mut get = GetMetadataCommand::new(mailbox, entries);
    (get.max_size, get.depth) = (options.max_size, options.depth.unwrap_or_default());
    Ok(get)
}

/// The options of GETMETADATA.
#[derive(Default, PartialEq)]
struct Options {
    max_size: Option<u64>,
    depth: Option<MetadataDepth>,
}

impl Options {
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Failure> {
        cursor.list(1, (8, "options of GETMETADATA"), |cursor| {
            if self.max_size.is_none() && cursor.keyword(b"MAXSIZE") {
                cursor.space()?;
                self.max_size = Some(cursor.number()?);
            } else if self.depth.is_none() && cursor.keyword(b"DEPTH") {
                cursor.space()?;
                self.depth = Some(depth(cursor)?);
            } else {
                return Err(Failure::Expected("an option of GETMETADATA"));
            }
            Ok(())
        })?;
        Ok(())
    }
}

fn depth(cursor: &mut Cursor<'_>) -> Result<MetadataDepth, Failure> {
    match () {
        () if cursor.keyword(b"0") => Ok(MetadataDepth::Zero),
        () if cursor.keyword(b"1") => Ok(MetadataDepth::One),
        () if cursor.keyword(b"infinity") => Ok(MetadataDepth::Infinity),
        () => Err(Failure::Expected("0, 1 or infinity")),
    }
}

/// An entry, or several in parentheses.
pub(super) fn entries(cursor: &mut Cursor<'_>) -> Result<Vec<MetadataEntry>, Failure> {
    if cursor.peek() == Some(b'(') {
        return cursor.list(1, (MOST, "entries"), entry);
    }
    Ok(Vec::from([entry(cursor)?]))
}

fn entry(cursor: &mut Cursor<'_>) -> Result<MetadataEntry, Failure> {
    MetadataEntry::new(cursor.astring()?).map_err(|_| Failure::Expected("the name of an entry"))
}

pub(super) fn set(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<SetMetadataCommand, Failure> {
    let mailbox = mailbox(cursor, limits)?;
    cursor.space()?;
    let values = cursor.list(1, (MOST, "entries"), |cursor| {
        let entry = entry(cursor)?;
        cursor.space()?;
        Ok((entry, cursor.nstring_or_binary()?))
    })?;
    Ok(SetMetadataCommand::new(mailbox, values))
}
