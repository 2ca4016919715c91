//! The arguments of SELECT, CREATE, LIST and STATUS. RFC 9051 §9, RFC 4466 §2.1, RFC 5258 §6, RFC 5819 §4,
//! RFC 6154 §6, RFC 7162 §7, RFC 8440 §5.

use alloc::vec::Vec;

use mailwright_core::value::{ModSeq, UidValidity};

use super::{CommandLimits, mailbox, metadata};
use crate::parse::cursor::{Cursor, Failure};
use crate::parse::search;
use crate::types::{
    CreateCommand, KnownMailbox, ListAttribute, ListCommand, ListReturn, ListSelection, Mailbox, NumberSet,
    OctetString, SelectCommand, StatusItem,
};

/// Options and attributes of one list at most.
const MOST: usize = 100;
/// Patterns of one LIST at most.
const MOST_PATTERNS: usize = 1000;

/// Mailbox and parameters.
pub(super) fn select(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<SelectCommand, Failure> {
    let mut select = SelectCommand::new(mailbox(cursor, limits)?);
    if !begins(cursor, b"(") {
        return Ok(select);
    }
    cursor.space()?;
    cursor.list(1, (MOST, "parameters of SELECT"), |cursor| {
        if cursor.keyword(b"CONDSTORE") {
            select.condstore = true;
        } else if select.known.is_none() && cursor.keyword(b"QRESYNC") {
            cursor.space()?;
            select.known = Some(known(cursor, limits)?);
        } else {
            return Err(Failure::Expected("a parameter of SELECT"));
        }
        Ok(())
    })?;
    Ok(select)
}

/// `(uidvalidity modseq uids (numbers uids))`; the last two may be missing.
fn known(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<KnownMailbox, Failure> {
    cursor.expect(b'(', "what is known")?;
    cursor.skip_spaces();
    let uid_validity = UidValidity::new(cursor.number32()?).ok_or(Failure::Expected("UIDVALIDITY"))?;
    cursor.space()?;
    let mod_seq = cursor.mod_seq()?;
    // RFC 7162 §7: mod-sequence-value, which is above zero.
    if mod_seq == ModSeq::ZERO {
        return Err(Failure::Expected("a modification sequence above zero"));
    }
    let mut known = KnownMailbox::new(uid_validity, mod_seq);
    let another = |cursor: &mut Cursor<'_>| {
        let spaces = cursor.peek() == Some(b' ');
        cursor.skip_spaces();
        spaces && cursor.peek() != Some(b')')
    };
    let mut more = another(cursor);
    if more && cursor.peek() != Some(b'(') {
        known.uids = Some(fixed(cursor, limits)?);
        more = another(cursor);
    }
    if more {
        cursor.expect(b'(', "message numbers and their UIDs")?;
        let numbers = fixed(cursor, limits)?;
        cursor.space()?;
        let uids = fixed(cursor, limits)?;
        cursor.expect(b')', "the end of the UIDs")?;
        known.numbers = Some((numbers, uids));
        another(cursor);
    }
    cursor.expect(b')', "the end of what is known")?;
    Ok(known)
}

/// A set in which `*` is not allowed.
fn fixed(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<NumberSet, Failure> {
    let set = search::set(cursor, limits)?;
    if set.has_largest() || set.is_saved() { Err(Failure::Expected("a set without *")) } else { Ok(set) }
}

/// Name and parameters.
pub(super) fn create(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<CreateCommand, Failure> {
    let mut create = CreateCommand::new(new_mailbox(cursor, limits)?);
    if !begins(cursor, b"(") {
        return Ok(create);
    }
    cursor.space()?;
    cursor.list(1, (1, "parameters of CREATE"), |cursor| {
        if !cursor.keyword(b"USE") {
            return Err(Failure::Expected("a parameter of CREATE"));
        }
        cursor.space()?;
        let uses = cursor.list(0, (MOST, "special uses"), |cursor| {
            // RFC 6154 §6: use-attr = "\" atom
            let mark = cursor.at();
            cursor.expect(b'\\', "a special use")?;
            cursor.atom()?;
            Ok(ListAttribute::read(cursor.since(mark)))
        })?;
        create.special_use = Some(uses);
        Ok(())
    })?;
    Ok(create)
}

/// The name of a mailbox to be made: a separator at its end only says that there will be more below it (RFC
/// 9051 §6.3.4).
fn new_mailbox(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Mailbox, Failure> {
    cursor.space()?;
    let mut name = cursor.astring()?;
    // One alone: a name with several is none, whatever is left out of it.
    if name.len() > 1 && name.ends_with(b"/") && !name.ends_with(b"//") {
        name.truncate(name.len() - 1);
    }
    Ok(Mailbox::read(name, limits.utf8))
}

/// LIST in any form, or what is like the basic one.
pub(super) fn list(cursor: &mut Cursor<'_>, extended: bool) -> Result<ListCommand, Failure> {
    cursor.space()?;
    let mut selection = None;
    if extended && cursor.peek() == Some(b'(') {
        selection = Some(self::selection(cursor)?);
        cursor.space()?;
    }
    let reference = cursor.octets()?;
    cursor.space()?;
    let patterns = if extended && cursor.peek() == Some(b'(') {
        let patterns = cursor.list(1, (MOST_PATTERNS, "patterns"), pattern)?;
        if patterns.len() == 1 {
            // RFC 5258 §3: patterns in parentheses make it extended, even one alone.
            selection.get_or_insert_default();
        }
        patterns
    } else {
        Vec::from([pattern(cursor)?])
    };
    let mut returns = None;
    if extended && begins(cursor, b"RETURN") {
        cursor.space()?;
        cursor.keyword(b"RETURN");
        cursor.space()?;
        returns = Some(cursor.list(0, (MOST, "return options"), list_return)?);
    }
    let mut list = ListCommand::new(reference, OctetString::default());
    (list.selection, list.patterns, list.returns) = (selection, patterns, returns);
    Ok(list)
}

fn pattern(cursor: &mut Cursor<'_>) -> Result<OctetString, Failure> {
    OctetString::new(cursor.list_mailbox()?).map_err(|_| Failure::Expected("a string without NUL"))
}

fn selection(cursor: &mut Cursor<'_>) -> Result<Vec<ListSelection>, Failure> {
    let options = cursor.list(0, (MOST, "selection options"), |cursor| {
        ListSelection::parse(cursor.atom()?).ok_or(Failure::Expected("a selection option"))
    })?;
    // RFC 5258 §6: list-select-mod-opt never stands without a list-select-base-opt.
    if options.contains(&ListSelection::RecursiveMatch) && !options.contains(&ListSelection::Subscribed) {
        return Err(Failure::Contradiction("RECURSIVEMATCH without anything that it modifies"));
    }
    Ok(options)
}

fn list_return(cursor: &mut Cursor<'_>) -> Result<ListReturn, Failure> {
    let name = cursor.atom()?;
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    Ok(match () {
        () if is(b"SUBSCRIBED") => ListReturn::Subscribed,
        () if is(b"CHILDREN") => ListReturn::Children,
        () if is(b"SPECIAL-USE") => ListReturn::SpecialUse,
        () if is(b"MYRIGHTS") => ListReturn::MyRights,
        () if is(b"STATUS") => {
            cursor.space()?;
            ListReturn::Status(status_items(cursor)?)
        }
        () if is(b"METADATA") => {
            cursor.space()?;
            ListReturn::Metadata(metadata::entries(cursor)?)
        }
        () => return Err(Failure::Expected("a return option")),
    })
}

/// What STATUS asks for.
pub(super) fn status_items(cursor: &mut Cursor<'_>) -> Result<Vec<StatusItem>, Failure> {
    cursor.list(1, (MOST, "status items"), |cursor| {
        StatusItem::parse(cursor.atom()?).ok_or(Failure::Expected("a status item"))
    })
}

/// Whether `what` follows behind spaces.
pub(super) fn begins(cursor: &Cursor<'_>, what: &[u8]) -> bool {
    let rest = cursor.rest();
    let word = rest.iter().position(|octet| *octet != b' ').and_then(|at| rest.get(at..)).unwrap_or_default();
    rest.starts_with(b" ") && word.get(..what.len()).is_some_and(|start| start.eq_ignore_ascii_case(what))
}
