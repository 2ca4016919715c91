//! The keys of SEARCH, with an explicit stack. RFC 9051 §9 (`search-key`).

use alloc::vec::Vec;

use mailwright_core::value::{Keyword, Uid};

use super::command::CommandLimits;
use super::cursor::{Cursor, Failure};
use crate::types::{ModSeqEntry, NumberSet, ObjectId, OctetString, Search, SearchDate, SearchKey};

/// What is open while keys are read.
enum Open {
    /// A list: the place of its `And`, how many keys it has so far, and whether a parenthesis ends it.
    List { at: usize, count: usize, parenthesis: bool },
    /// An operator that wants so many more keys.
    Operands(usize),
}

/// Keys up to the end of the command.
pub(super) fn search(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Search, Failure> {
    let mut keys = Vec::from([SearchKey::And(0)]);
    let mut open = Vec::from([Open::List { at: 0, count: 0, parenthesis: false }]);
    loop {
        if open.len() > limits.nesting {
            return Err(Failure::TooDeep);
        }
        if keys.len() >= limits.search_keys {
            return Err(Failure::TooMany("search keys"));
        }
        cursor.charge(size_of::<SearchKey>())?;
        if cursor.skip(b'(') {
            cursor.skip_spaces();
            open.push(Open::List { at: keys.len(), count: 0, parenthesis: true });
            keys.push(SearchKey::And(0));
            continue;
        }
        let key = key(cursor, limits)?;
        let operands = key.operands();
        keys.push(key);
        if operands > 0 {
            open.push(Open::Operands(operands));
            cursor.space()?;
            continue;
        }
        // A key is complete, and perhaps what is open around it.
        loop {
            match open.last_mut() {
                Some(Open::Operands(left)) => {
                    *left -= 1;
                    if *left > 0 {
                        cursor.space()?;
                        break;
                    }
                    open.pop();
                }
                Some(Open::List { at, count, parenthesis }) => {
                    *count += 1;
                    let (at, count, parenthesis) = (*at, *count, *parenthesis);
                    let spaces = cursor.peek() == Some(b' ');
                    cursor.skip_spaces();
                    let ends = if parenthesis { cursor.skip(b')') } else { cursor.is_at_end() };
                    if !ends {
                        if !spaces {
                            return Err(Failure::Expected("a space"));
                        }
                        break;
                    }
                    if let Some(key) = keys.get_mut(at) {
                        *key = SearchKey::And(count);
                    }
                    open.pop();
                }
                None => return Err(Failure::Expected("a search")),
            }
            if open.is_empty() {
                return Search::new(keys).map_err(|_| Failure::Expected("a search"));
            }
        }
    }
}

fn key(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<SearchKey, Failure> {
    if cursor.peek().is_some_and(|octet| octet.is_ascii_digit() || matches!(octet, b'*' | b'$')) {
        return set(cursor, limits).map(SearchKey::Numbers);
    }
    let name = cursor.atom()?;
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    let flags: [(&[u8], SearchKey); 18] = [
        (b"ALL", SearchKey::All),
        (b"ANSWERED", SearchKey::Answered),
        (b"DELETED", SearchKey::Deleted),
        (b"DRAFT", SearchKey::Draft),
        (b"FLAGGED", SearchKey::Flagged),
        (b"FUZZY", SearchKey::Fuzzy),
        (b"NEW", SearchKey::New),
        (b"NOT", SearchKey::Not),
        (b"OLD", SearchKey::Old),
        (b"OR", SearchKey::Or),
        (b"RECENT", SearchKey::Recent),
        (b"SAVEDATESUPPORTED", SearchKey::SaveDateSupported),
        (b"SEEN", SearchKey::Seen),
        (b"UNANSWERED", SearchKey::Unanswered),
        (b"UNDELETED", SearchKey::Undeleted),
        (b"UNDRAFT", SearchKey::Undraft),
        (b"UNFLAGGED", SearchKey::Unflagged),
        (b"UNSEEN", SearchKey::Unseen),
    ];
    if let Some((_, key)) = flags.into_iter().find(|(name, _)| is(name)) {
        return Ok(key);
    }
    cursor.space()?;
    Ok(match () {
        () if is(b"BCC") => SearchKey::Bcc(string(cursor)?),
        () if is(b"BEFORE") => SearchKey::Before(date(cursor)?),
        () if is(b"BODY") => SearchKey::Body(string(cursor)?),
        () if is(b"CC") => SearchKey::Cc(string(cursor)?),
        () if is(b"EMAILID") => SearchKey::EmailId(object_id(cursor)?),
        () if is(b"FILTER") => SearchKey::Filter(string(cursor)?),
        () if is(b"FROM") => SearchKey::From(string(cursor)?),
        () if is(b"HEADER") => {
            let field = string(cursor)?;
            cursor.space()?;
            SearchKey::Header(field, string(cursor)?)
        }
        () if is(b"KEYWORD") => SearchKey::Keyword(keyword(cursor)?),
        () if is(b"LARGER") => SearchKey::Larger(cursor.number()?),
        () if is(b"MODSEQ") => mod_seq(cursor)?,
        () if is(b"OLDER") => SearchKey::Older(seconds(cursor)?),
        () if is(b"ON") => SearchKey::On(date(cursor)?),
        () if is(b"SAVEDBEFORE") => SearchKey::SavedBefore(date(cursor)?),
        () if is(b"SAVEDON") => SearchKey::SavedOn(date(cursor)?),
        () if is(b"SAVEDSINCE") => SearchKey::SavedSince(date(cursor)?),
        () if is(b"SENTBEFORE") => SearchKey::SentBefore(date(cursor)?),
        () if is(b"SENTON") => SearchKey::SentOn(date(cursor)?),
        () if is(b"SENTSINCE") => SearchKey::SentSince(date(cursor)?),
        () if is(b"SINCE") => SearchKey::Since(date(cursor)?),
        () if is(b"SMALLER") => SearchKey::Smaller(cursor.number()?),
        () if is(b"SUBJECT") => SearchKey::Subject(string(cursor)?),
        () if is(b"TEXT") => SearchKey::Text(string(cursor)?),
        () if is(b"THREADID") => SearchKey::ThreadId(object_id(cursor)?),
        () if is(b"TO") => SearchKey::To(string(cursor)?),
        () if is(b"UID") => SearchKey::Uid(set(cursor, limits)?),
        () if is(b"UIDAFTER") => SearchKey::UidAfter(uid(cursor)?),
        () if is(b"UIDBEFORE") => SearchKey::UidBefore(uid(cursor)?),
        () if is(b"UNKEYWORD") => SearchKey::Unkeyword(keyword(cursor)?),
        () if is(b"YOUNGER") => SearchKey::Younger(seconds(cursor)?),
        () if is(b"X-GM-LABELS") => SearchKey::GmailLabels(string(cursor)?),
        () if is(b"X-GM-MSGID") => SearchKey::GmailMessageId(cursor.number()?),
        () if is(b"X-GM-RAW") => SearchKey::GmailRaw(string(cursor)?),
        () if is(b"X-GM-THRID") => SearchKey::GmailThreadId(cursor.number()?),
        () => return Err(Failure::Expected("a search key")),
    })
}

/// A set of message numbers or UIDs.
pub(super) fn set(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<NumberSet, Failure> {
    let text = cursor.run(|octet| octet.is_ascii_digit() || matches!(octet, b':' | b',' | b'*' | b'$'));
    NumberSet::parse(text, limits.set_ranges).map_err(|error| match error {
        crate::types::NumberSetError::TooMany { .. } => Failure::TooMany("ranges in a set"),
        _ => Failure::Expected("a set of numbers"),
    })
}

fn string(cursor: &mut Cursor<'_>) -> Result<OctetString, Failure> {
    cursor.octets()
}

fn object_id(cursor: &mut Cursor<'_>) -> Result<ObjectId, Failure> {
    ObjectId::new(cursor.astring()?).map_err(|_| Failure::Expected("an object identifier"))
}

fn uid(cursor: &mut Cursor<'_>) -> Result<Uid, Failure> {
    Uid::new(cursor.number32()?).ok_or(Failure::Expected("a UID"))
}

/// RFC 5032 §4: nz-number.
fn seconds(cursor: &mut Cursor<'_>) -> Result<u32, Failure> {
    match cursor.number32()? {
        0 => Err(Failure::Expected("seconds above zero")),
        seconds => Ok(seconds),
    }
}

/// RFC 7162 §7: `search-modsequence`.
fn mod_seq(cursor: &mut Cursor<'_>) -> Result<SearchKey, Failure> {
    let entry = match cursor.string_if_any()? {
        None => None,
        Some(name) => {
            let name = OctetString::new(name).map_err(|_| Failure::Expected("the name of an entry"))?;
            cursor.space()?;
            let kind = cursor.atom()?;
            let is = |wanted: &[u8]| kind.eq_ignore_ascii_case(wanted);
            let kind = match () {
                () if is(b"priv") => ModSeqEntry::Private,
                () if is(b"shared") => ModSeqEntry::Shared,
                () if is(b"all") => ModSeqEntry::All,
                () => return Err(Failure::Expected("priv, shared or all")),
            };
            cursor.space()?;
            Some((name, kind))
        }
    };
    Ok(SearchKey::ModSeq { entry, value: cursor.mod_seq()? })
}

fn date(cursor: &mut Cursor<'_>) -> Result<SearchDate, Failure> {
    SearchDate::parse(&cursor.astring()?).map_err(|_| Failure::Expected("a date"))
}

fn keyword(cursor: &mut Cursor<'_>) -> Result<Keyword, Failure> {
    let atom = cursor.atom()?;
    let text = core::str::from_utf8(atom).map_err(|_| Failure::Expected("a keyword"))?;
    Keyword::new(text).map_err(|_| Failure::Expected("a keyword"))
}
