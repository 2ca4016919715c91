//! What is around the keys of SEARCH, SORT, THREAD and ESEARCH. RFC 9051 §9 (`search`), RFC 5256 §5, RFC 5267 §5,
//! RFC 6203 §7, RFC 7377 §4, RFC 9394 §4.

use alloc::vec::Vec;

use super::mailboxes::begins;
use super::messages::partial_range;
use super::{CommandLimits, notify};
use crate::parse::cursor::{Cursor, Failure};
use crate::parse::{fetch, search as keys};
use crate::types::{
    MultiSearchCommand, OctetString, SearchCommand, SearchReturn, SortCommand, SortCriterion, SortKey, Tag,
    ThreadAlgorithm, ThreadCommand,
};

/// Options of one RETURN at most, and criteria of one SORT.
const MOST: usize = 32;

pub(super) fn search(
    cursor: &mut Cursor<'_>,
    uid: bool,
    limits: &CommandLimits,
) -> Result<SearchCommand, Failure> {
    let returns = returns(cursor)?;
    let charset = charset(cursor)?;
    let mut search = SearchCommand::new(uid, keys::search(cursor, limits)?);
    (search.returns, search.charset) = (returns, charset);
    Ok(search)
}

pub(super) fn sort(
    cursor: &mut Cursor<'_>,
    uid: bool,
    limits: &CommandLimits,
) -> Result<SortCommand, Failure> {
    let returns = returns(cursor)?;
    cursor.space()?;
    let criteria = cursor.list(1, (MOST, "sort criteria"), criterion)?;
    let charset = super::argument(cursor)?;
    cursor.space()?;
    let mut sort = SortCommand::new(uid, criteria, charset, keys::search(cursor, limits)?);
    sort.returns = returns;
    Ok(sort)
}

fn criterion(cursor: &mut Cursor<'_>) -> Result<SortCriterion, Failure> {
    let reverse = cursor.keyword(b"REVERSE");
    if reverse {
        cursor.space()?;
    }
    let key = SortKey::parse(cursor.atom()?).ok_or(Failure::Expected("a sort key"))?;
    Ok(SortCriterion { reverse, key })
}

pub(super) fn thread(
    cursor: &mut Cursor<'_>,
    uid: bool,
    limits: &CommandLimits,
) -> Result<ThreadCommand, Failure> {
    cursor.space()?;
    let algorithm = ThreadAlgorithm::read(cursor.word()?);
    let charset = super::argument(cursor)?;
    cursor.space()?;
    Ok(ThreadCommand::new(uid, algorithm, charset, keys::search(cursor, limits)?))
}

pub(super) fn multi_search(
    cursor: &mut Cursor<'_>,
    limits: &CommandLimits,
) -> Result<MultiSearchCommand, Failure> {
    let mut sources = Vec::new();
    if begins(cursor, b"IN ") {
        cursor.space()?;
        cursor.keyword(b"IN");
        cursor.space()?;
        // No scope options are defined, so none is known.
        sources = cursor.list(1, (MOST, "sources"), |cursor| notify::filter(cursor, limits, true))?;
    }
    let returns = returns(cursor)?;
    let charset = charset(cursor)?;
    let mut search = MultiSearchCommand::new(sources, keys::search(cursor, limits)?);
    (search.returns, search.charset) = (returns, charset);
    Ok(search)
}

/// RETURN and its options, if they come.
fn returns(cursor: &mut Cursor<'_>) -> Result<Option<Vec<SearchReturn>>, Failure> {
    if !begins(cursor, b"RETURN ") {
        return Ok(None);
    }
    cursor.space()?;
    cursor.keyword(b"RETURN");
    cursor.space()?;
    let returns = cursor.list(0, (MOST, "return options"), option)?;
    match contradiction(&returns) {
        Some(problem) => Err(Failure::Contradiction(problem)),
        None => Ok(Some(returns)),
    }
}

/// What in these options does not go together.
pub(crate) fn contradiction(returns: &[SearchReturn]) -> Option<&'static str> {
    let partial = returns.iter().filter(|option| matches!(option, SearchReturn::Partial(_))).count();
    // RFC 9394 §3.1: at most one PARTIAL, and never with ALL.
    match partial {
        0 => None,
        1 if returns.contains(&SearchReturn::All) => Some("PARTIAL with ALL"),
        1 => None,
        _ => Some("PARTIAL twice"),
    }
}

fn option(cursor: &mut Cursor<'_>) -> Result<SearchReturn, Failure> {
    let name = cursor.atom()?;
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    Ok(match () {
        () if is(b"MIN") => SearchReturn::Min,
        () if is(b"MAX") => SearchReturn::Max,
        () if is(b"ALL") => SearchReturn::All,
        () if is(b"COUNT") => SearchReturn::Count,
        () if is(b"SAVE") => SearchReturn::Save,
        () if is(b"CONTEXT") => SearchReturn::Context,
        () if is(b"RELEVANCY") => SearchReturn::Relevancy,
        () if is(b"UPDATE") => {
            // The grammar of RFC 5465 §8 has no space before the list, which all examples have.
            let list = begins(cursor, b"(") || cursor.peek() == Some(b'(');
            cursor.skip_spaces_before(b'(');
            SearchReturn::Update(if list { fetch::list(cursor)? } else { Vec::new() })
        }
        () if is(b"PARTIAL") => {
            cursor.space()?;
            SearchReturn::Partial(partial_range(cursor)?)
        }
        () => return Err(Failure::Expected("a return option")),
    })
}

/// The space before the keys, and CHARSET if it comes.
fn charset(cursor: &mut Cursor<'_>) -> Result<Option<OctetString>, Failure> {
    cursor.space()?;
    if !cursor.keyword(b"CHARSET") {
        return Ok(None);
    }
    let charset = super::argument(cursor)?;
    cursor.space()?;
    Ok(Some(charset))
}

/// RFC 5267 §5: tags as quoted strings.
pub(super) fn cancel_update(cursor: &mut Cursor<'_>) -> Result<Vec<Tag>, Failure> {
    const MOST_TAGS: usize = 1000;
    let mut tags = Vec::new();
    loop {
        let tag = super::argument(cursor)?.into_bytes();
        let tag = Tag::new(tag).map_err(|_| Failure::Expected("a tag"))?;
        if tags.len() == MOST_TAGS {
            return Err(Failure::TooMany("tags"));
        }
        cursor.push(&mut tags, tag)?;
        let mark = cursor.mark();
        cursor.skip_spaces();
        if cursor.is_at_end() {
            return Ok(tags);
        }
        cursor.rewind(mark);
    }
}
