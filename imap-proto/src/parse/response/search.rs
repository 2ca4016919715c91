//! Results of searches, and messages that are gone: ESEARCH, THREAD, VANISHED, and what stands behind the numbers
//! of SEARCH and SORT. RFC 9051 §7.3.5, RFC 4731 §3.2, RFC 5256 §4, RFC 5267 §4, RFC 6203 §4, RFC 7162 §3.2.10,
//! RFC 7377 §2.1, RFC 9394 §3.1.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use bytes::Bytes;
use mailwright_core::value::{DeviationKind, ModSeq, Uid, UidRange, UidValidity};

use super::tokens::{Failure, Tokens};
use super::values::mailbox;
use crate::types::{ExtendedSearch, NumberSet, PartialRange, Response, SearchData, Tag, ThreadNode, Threads};

/// ` (MODSEQ n)`, behind the numbers of SEARCH or SORT.
pub(super) fn mod_seq(tokens: &mut Tokens<'_>) -> Result<ModSeq, Failure> {
    tokens.no_spaces()?;
    tokens.expect(b'(', "a modification sequence in parentheses")?;
    tokens.no_spaces()?;
    if !tokens.keyword(b"MODSEQ") {
        return Err(Failure::Expected("MODSEQ"));
    }
    tokens.space()?;
    let mod_seq = tokens.mod_seq()?;
    tokens.no_spaces()?;
    tokens.expect(b')', "the end of a modification sequence")?;
    tokens.end()?;
    Ok(mod_seq)
}

/// RFC 9051 §9: `esearch-response`.
pub(super) fn extended(tokens: &mut Tokens<'_>) -> Result<ExtendedSearch, Failure> {
    let mut search = ExtendedSearch::default();
    let mut first = true;
    while tokens.peek().is_some() {
        tokens.space()?;
        if tokens.peek().is_none() {
            break;
        }
        if first && tokens.peek() == Some(b'(') {
            correlators(tokens, &mut search)?;
        } else if !search.uid && search.data.is_empty() && tokens.keyword(b"UID") {
            search.uid = true;
        } else {
            let data = data(tokens)?;
            tokens.push(&mut search.data, data)?;
        }
        first = false;
    }
    Ok(search)
}

/// What it is about: RFC 7377 §4, `search-correlator`.
fn correlators(tokens: &mut Tokens<'_>, search: &mut ExtendedSearch) -> Result<(), Failure> {
    tokens.list("what the search is", |tokens| {
        let name = tokens.atom()?;
        tokens.space()?;
        match () {
            () if name.eq_ignore_ascii_case(b"TAG") => {
                let at = tokens.at();
                search.tag = Tag::new(tokens.astring()?).ok();
                if search.tag.is_none() {
                    tokens.deviate_at(DeviationKind::Ignored, at)?;
                }
            }
            () if name.eq_ignore_ascii_case(b"MAILBOX") => search.mailbox = Some(mailbox(tokens)?),
            () if name.eq_ignore_ascii_case(b"UIDVALIDITY") => {
                let at = tokens.at();
                search.uid_validity = UidValidity::new(tokens.number32()?);
                if search.uid_validity.is_none() {
                    tokens.deviate_at(DeviationKind::UnexpectedZero, at)?;
                }
            }
            () => {
                tokens.note(DeviationKind::Ignored, tokens.at());
                tokens.skip_value()?;
            }
        }
        Ok(None::<()>)
    })?;
    Ok(())
}

/// A name and its value. What cannot be read costs nothing but itself.
fn data(tokens: &mut Tokens<'_>) -> Result<SearchData, Failure> {
    let name = tokens.atom()?;
    tokens.space()?;
    let (mark, at) = (tokens.mark(), tokens.at());
    match value(tokens, &name) {
        Ok(Some(data)) if tokens.is_behind_value() => Ok(data),
        Err(failure @ Failure::NotTolerated(_)) => Err(failure),
        Ok(None) => Ok(SearchData::Unknown { name, value: tokens.raw_value()? }),
        _ => {
            tokens.rewind(mark);
            tokens.note(DeviationKind::Ignored, at);
            Ok(SearchData::Invalid { name, value: tokens.raw_value()? })
        }
    }
}

/// The value of a known name.
fn value(tokens: &mut Tokens<'_>, name: &Bytes) -> Result<Option<SearchData>, Failure> {
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    Ok(Some(match () {
        () if is(b"MIN") => SearchData::Min(above_zero(tokens)?),
        () if is(b"MAX") => SearchData::Max(above_zero(tokens)?),
        () if is(b"COUNT") => SearchData::Count(tokens.number()?),
        () if is(b"MODSEQ") => SearchData::ModSeq(tokens.mod_seq()?),
        // However many ranges there are: they are what was asked for.
        () if is(b"ALL") => SearchData::All(tokens.number_set(usize::MAX)?),
        () if is(b"PARTIAL") => partial(tokens)?,
        () if is(b"RELEVANCY") => SearchData::Relevancy(tokens.list("a list of scores", |tokens| {
            // RFC 6203 §7: score, 1 to 100.
            let score = u8::try_from(tokens.number()?).ok().filter(|score| (1..=100).contains(score));
            score.map(Some).ok_or(Failure::Expected("a score from 1 to 100"))
        })?),
        () if is(b"ADDTO") => SearchData::AddTo(changes(tokens)?),
        () if is(b"REMOVEFROM") => SearchData::RemoveFrom(changes(tokens)?),
        () => return Ok(None),
    }))
}

fn above_zero(tokens: &mut Tokens<'_>) -> Result<NonZeroU32, Failure> {
    NonZeroU32::new(tokens.number32()?).ok_or(Failure::Expected("a number above zero"))
}

/// RFC 9394 §4: `ret-data-partial`.
fn partial(tokens: &mut Tokens<'_>) -> Result<SearchData, Failure> {
    tokens.expect(b'(', "a part of the result")?;
    tokens.no_spaces()?;
    let range = PartialRange::parse(&tokens.word()).ok_or(Failure::Expected("a range of places"))?;
    tokens.space()?;
    let found = if tokens.keyword(b"NIL") { None } else { Some(tokens.number_set(usize::MAX)?) };
    tokens.no_spaces()?;
    tokens.expect(b')', "the end of a part")?;
    Ok(SearchData::Partial(range, found))
}

/// RFC 5267 §5: places and what came or went there.
fn changes(tokens: &mut Tokens<'_>) -> Result<Vec<(u32, NumberSet)>, Failure> {
    tokens.list("a list of places and numbers", |tokens| {
        let place = tokens.number32()?;
        tokens.space()?;
        Ok(Some((place, tokens.number_set(usize::MAX)?)))
    })
}

/// RFC 7162 §7: `expunged-resp`.
pub(super) fn vanished(tokens: &mut Tokens<'_>) -> Result<Response, Failure> {
    tokens.space()?;
    let earlier = tokens.skip(b'(');
    if earlier {
        tokens.no_spaces()?;
        if !tokens.keyword(b"EARLIER") {
            return Err(Failure::Expected("EARLIER"));
        }
        tokens.no_spaces()?;
        tokens.expect(b')', "the end of EARLIER")?;
        tokens.space()?;
    }
    Ok(Response::Vanished { earlier, uids: uid_set(tokens, usize::MAX)? })
}

/// RFC 4315 §4: uid-set, of so many ranges at most.
pub(super) fn uid_set(tokens: &mut Tokens<'_>, limit: usize) -> Result<Vec<UidRange>, Failure> {
    let uid = |tokens: &mut Tokens<'_>| Uid::new(tokens.number32()?).ok_or(Failure::Expected("a UID"));
    let digits = |octet: &&u8| octet.is_ascii_digit() || matches!(octet, b':' | b',');
    let count = tokens.rest().iter().take_while(digits).filter(|octet| **octet == b',').count() + 1;
    // Exactly as many as there are, so that what is kept is in proportion to the text.
    let mut ranges = Vec::with_capacity(count.min(limit));
    loop {
        let first = uid(tokens)?;
        let last = if tokens.skip(b':') { uid(tokens)? } else { first };
        if ranges.len() == limit {
            return Err(Failure::TooMany("ranges"));
        }
        ranges.push(UidRange::new(first, last));
        if !tokens.skip(b',') {
            return Ok(ranges);
        }
    }
}

/// A parenthesis that is open in THREAD.
#[derive(Clone, Copy)]
struct Open {
    /// The last message in it, which what follows answers.
    last: Option<usize>,
    /// How many answers in parentheses have come, behind which nothing else can.
    nested: u32,
}

/// RFC 5256 §5: `thread-data`, with an explicit stack.
pub(super) fn threads(tokens: &mut Tokens<'_>) -> Result<Threads, Failure> {
    let mut nodes: Vec<ThreadNode> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    if tokens.peek().is_some() {
        tokens.space()?;
    }
    while let Some(octet) = tokens.peek() {
        match octet {
            b'(' => {
                if open.len() >= tokens.limits.nesting {
                    return Err(Failure::TooDeep);
                }
                if open.last().is_some_and(|open| open.last.is_none()) {
                    // Answers to a message that is not there.
                    member(tokens, &mut nodes, &mut open, None)?;
                }
                if let Some(open) = open.last_mut() {
                    open.nested = open.nested.saturating_add(1);
                }
                tokens.skip(b'(');
                tokens.no_spaces()?;
                open.push(Open { last: None, nested: 0 });
            }
            b')' => {
                let closed = open.pop().filter(|open| open.last.is_some());
                if closed.ok_or(Failure::Expected("a message"))?.nested == 1 {
                    // RFC 5256 §5: thread-nested = 2*thread-list
                    tokens.deviate(DeviationKind::ExtraParentheses)?;
                }
                tokens.skip(b')');
                if tokens.peek() == Some(b' ') {
                    // Between threads, and between answers, there is no space.
                    tokens.no_spaces()?;
                }
            }
            b'0'..=b'9' if open.last().is_some_and(|open| open.nested == 0) => {
                let number = above_zero(tokens)?;
                member(tokens, &mut nodes, &mut open, Some(number))?;
                match tokens.peek() {
                    Some(b' ') => tokens.space()?,
                    Some(b')') => {}
                    _ => return Err(Failure::Expected("a space")),
                }
            }
            _ => return Err(Failure::Expected("a thread")),
        }
    }
    if !open.is_empty() {
        return Err(Failure::Expected("the end of a thread"));
    }
    Threads::new(nodes).map_err(|_| Failure::Expected("two answers"))
}

/// A message in the innermost parenthesis: the answer to the one before it, or to that before the parenthesis.
fn member(
    tokens: &mut Tokens<'_>,
    nodes: &mut Vec<ThreadNode>,
    open: &mut [Open],
    number: Option<NonZeroU32>,
) -> Result<(), Failure> {
    let index = nodes.len();
    let mut around = open.iter_mut().rev();
    let inner = around.next().ok_or(Failure::Expected("a thread"))?;
    let answered = inner.last.or_else(|| around.next().and_then(|outer| outer.last));
    inner.last = Some(index);
    if let Some(node) = answered.and_then(|answered| nodes.get_mut(answered)) {
        node.answers += 1;
    }
    tokens.push(nodes, ThreadNode { number, answers: 0 })
}
