//! The arguments of FETCH and STORE, and flags. RFC 9051 §9 (`fetch`, `store`), RFC 7162 §7, RFC 9394 §4.

use alloc::vec::Vec;

use mailwright_core::value::{Flag, FlagError, ModSeq};

use super::CommandLimits;
use super::mailboxes::begins;
use crate::parse::cursor::{Cursor, Failure};
use crate::parse::{fetch, search};
use crate::types::{
    Command, FetchCommand, Messages, OctetString, PartialRange, StoreAction, StoreCommand, StoreLabelsCommand,
};

/// A space and a set.
pub(super) fn messages(
    cursor: &mut Cursor<'_>,
    uid: bool,
    limits: &CommandLimits,
) -> Result<Messages, Failure> {
    cursor.space()?;
    let set = search::set(cursor, limits)?;
    Ok(if uid { Messages::Uids(set) } else { Messages::Numbers(set) })
}

pub(super) fn fetch(
    cursor: &mut Cursor<'_>,
    uid: bool,
    limits: &CommandLimits,
) -> Result<FetchCommand, Failure> {
    let messages = messages(cursor, uid, limits)?;
    cursor.space()?;
    let mut fetch = FetchCommand::new(messages, fetch::attributes(cursor)?);
    if !begins(cursor, b"(") {
        return Ok(fetch);
    }
    cursor.space()?;
    cursor.list(1, (8, "modifiers of FETCH"), |cursor| {
        if fetch.changed_since.is_none() && cursor.keyword(b"CHANGEDSINCE") {
            cursor.space()?;
            // Some clients write 0 here, which means everything.
            fetch.changed_since = Some(cursor.mod_seq()?);
        } else if !fetch.vanished && cursor.keyword(b"VANISHED") {
            fetch.vanished = true;
        } else if fetch.partial.is_none() && cursor.keyword(b"PARTIAL") {
            cursor.space()?;
            fetch.partial = Some(partial_range(cursor)?);
        } else {
            return Err(Failure::Expected("a modifier of FETCH"));
        }
        Ok(())
    })?;
    // RFC 7162 §3.2.6: VANISHED only in UID FETCH, and only with CHANGEDSINCE.
    if fetch.vanished && (!uid || fetch.changed_since.is_none()) {
        return Err(Failure::Contradiction("VANISHED without UID or CHANGEDSINCE"));
    }
    Ok(fetch)
}

pub(super) fn partial_range(cursor: &mut Cursor<'_>) -> Result<PartialRange, Failure> {
    let text = cursor.run(|octet| octet.is_ascii_digit() || matches!(octet, b':' | b'-'));
    PartialRange::parse(text).ok_or(Failure::Expected("a range of places"))
}

pub(super) fn store(cursor: &mut Cursor<'_>, uid: bool, limits: &CommandLimits) -> Result<Command, Failure> {
    let messages = messages(cursor, uid, limits)?;
    cursor.space()?;
    let unchanged_since = unchanged_since(cursor)?;
    let action = match cursor.peek() {
        Some(b'+') => StoreAction::Add,
        Some(b'-') => StoreAction::Remove,
        _ => StoreAction::Replace,
    };
    if action != StoreAction::Replace {
        cursor.skip(if action == StoreAction::Add { b'+' } else { b'-' });
    }
    let labels = cursor.keyword(b"X-GM-LABELS.SILENT").then_some(true);
    if let Some(silent) = labels.or_else(|| cursor.keyword(b"X-GM-LABELS").then_some(false)) {
        if unchanged_since.is_some() {
            return Err(Failure::Contradiction("UNCHANGEDSINCE with labels"));
        }
        cursor.space()?;
        let labels = cursor.list(0, (limits.flags, "labels"), label)?;
        let mut store = StoreLabelsCommand::new(messages, action, labels);
        store.silent = silent;
        return Ok(Command::StoreLabels(store));
    }
    let silent = cursor.keyword(b"FLAGS.SILENT");
    if !silent && !cursor.keyword(b"FLAGS") {
        return Err(Failure::Expected("FLAGS"));
    }
    cursor.space()?;
    let mut store = StoreCommand::new(messages, action, store_flags(cursor, limits)?);
    (store.silent, store.unchanged_since) = (silent, unchanged_since);
    Ok(Command::Store(store))
}

/// `(UNCHANGEDSINCE n)` and a space, if they come.
fn unchanged_since(cursor: &mut Cursor<'_>) -> Result<Option<ModSeq>, Failure> {
    if cursor.peek() != Some(b'(') {
        return Ok(None);
    }
    let modifiers = cursor.list(1, (1, "modifiers of STORE"), |cursor| {
        if !cursor.keyword(b"UNCHANGEDSINCE") {
            return Err(Failure::Expected("a modifier of STORE"));
        }
        cursor.space()?;
        cursor.mod_seq()
    })?;
    cursor.space()?;
    Ok(modifiers.first().copied())
}

fn store_flags(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Vec<Flag>, Failure> {
    if cursor.peek() == Some(b'(') {
        return flags(cursor, limits);
    }
    // RFC 9051 §9 (store-att-flags): the parentheses may be left out.
    let mut flags = Vec::new();
    loop {
        if flags.len() >= limits.flags {
            return Err(Failure::TooMany("flags"));
        }
        if let Some(flag) = flag(cursor)? {
            cursor.push(&mut flags, flag)?;
        }
        let separated = cursor.peek() == Some(b' ');
        cursor.skip_spaces();
        if cursor.is_at_end() {
            return Ok(flags);
        }
        if !separated {
            return Err(Failure::Expected("a space"));
        }
    }
}

/// Flags in parentheses.
pub(super) fn flags(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Vec<Flag>, Failure> {
    let flags = cursor.list(0, (limits.flags, "flags"), flag)?;
    Ok(flags.into_iter().flatten().collect())
}

/// A flag; `None` for `\Recent`, which nobody can set and some clients write.
fn flag(cursor: &mut Cursor<'_>) -> Result<Option<Flag>, Failure> {
    let start = cursor.at();
    cursor.skip(b'\\');
    cursor.atom()?;
    let name = cursor.since(start);
    let text = core::str::from_utf8(&name).map_err(|_| Failure::Expected("a flag"))?;
    match Flag::new(text) {
        Ok(flag) => Ok(Some(flag)),
        Err(FlagError::Recent) => Ok(None),
        Err(_) => Err(Failure::Expected("a flag")),
    }
}

/// A label of Gmail: a string, or a backslash and a word.
fn label(cursor: &mut Cursor<'_>) -> Result<OctetString, Failure> {
    let start = cursor.at();
    if !cursor.skip(b'\\') {
        return cursor.octets();
    }
    cursor.atom()?;
    OctetString::new(cursor.since(start)).map_err(|_| Failure::Expected("a label"))
}
