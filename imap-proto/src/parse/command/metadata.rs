//! GETMETADATA and SETMETADATA. RFC 5464 §5.

use alloc::vec::Vec;

use super::{CommandLimits, mailbox};
use crate::parse::cursor::{Cursor, Failure};
use crate::types::{GetMetadataCommand, MetadataDepth, MetadataEntry, SetMetadataCommand};

/// Entries of one command at most.
const MOST: usize = 1000;

pub(super) fn get(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<GetMetadataCommand, Failure> {
    cursor.space()?;
    let (mut max_size, mut depth) = (None, None);
    if cursor.peek() == Some(b'(') {
        cursor.list(1, (8, "options of GETMETADATA"), |cursor| {
            if max_size.is_none() && cursor.keyword(b"MAXSIZE") {
                cursor.space()?;
                max_size = Some(cursor.number()?);
            } else if depth.is_none() && cursor.keyword(b"DEPTH") {
                cursor.space()?;
                depth = Some(self::depth(cursor)?);
            } else {
                return Err(Failure::Expected("an option of GETMETADATA"));
            }
            Ok(())
        })?;
        cursor.space()?;
    }
    let mailbox = crate::types::Mailbox::read(cursor.astring()?, limits.utf8);
    cursor.space()?;
    let mut get = GetMetadataCommand::new(mailbox, entries(cursor)?);
    (get.max_size, get.depth) = (max_size, depth.unwrap_or_default());
    Ok(get)
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
