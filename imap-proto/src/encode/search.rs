//! Writing searches. RFC 9051 §6.4.4, RFC 5256 §5, RFC 5267 §5, RFC 7377 §4.

use alloc::vec::Vec;
use core::fmt;

use mailwright_core::value::ModSeq;

use super::command::{EncodeError, put_argument, put_filter, some};
use super::{Literals, put_astring, put_string};
use crate::parse::contradiction;
use crate::types::{
    MailboxFilter, ModSeqEntry, MultiSearchCommand, OctetString, Search, SearchCommand, SearchKey,
    SearchReturn, SortCommand, ThreadCommand,
};

pub(super) fn put_search(search: &SearchCommand, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    put_returns(search.returns.as_deref(), literals)?;
    if let Some(charset) = &search.charset {
        literals.put(" CHARSET");
        put_argument(charset, literals);
    }
    put_keys(&search.search, literals);
    Ok(())
}

pub(super) fn put_sort(sort: &SortCommand, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    some(&sort.criteria)?;
    put_returns(sort.returns.as_deref(), literals)?;
    literals.put(" ");
    literals.put_list(&sort.criteria, |criterion, literals| {
        literals.put(if criterion.reverse { "REVERSE " } else { "" });
        literals.put(criterion.key.as_str());
    });
    put_argument(&sort.charset, literals);
    put_keys(&sort.search, literals);
    Ok(())
}

pub(super) fn put_thread(thread: &ThreadCommand, literals: &mut Literals<'_>) {
    literals.put(" ");
    literals.put(thread.algorithm.as_str());
    put_argument(&thread.charset, literals);
    put_keys(&thread.search, literals);
}

pub(super) fn put_multi_search(
    search: &MultiSearchCommand,
    literals: &mut Literals<'_>,
) -> Result<(), EncodeError> {
    for (index, source) in search.sources.iter().enumerate() {
        if *source == MailboxFilter::SelectedDelayed {
            return Err(EncodeError::Contradiction("selected-delayed in ESEARCH"));
        }
        literals.put(if index == 0 { " IN (" } else { " " });
        put_filter(source, literals)?;
    }
    if !search.sources.is_empty() {
        literals.put(")");
    }
    put_returns(search.returns.as_deref(), literals)?;
    if let Some(charset) = &search.charset {
        literals.put(" CHARSET");
        put_argument(charset, literals);
    }
    put_keys(&search.search, literals);
    Ok(())
}

fn put_returns(returns: Option<&[SearchReturn]>, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    let Some(returns) = returns else { return Ok(()) };
    if let Some(problem) = contradiction(returns) {
        return Err(EncodeError::Contradiction(problem));
    }
    literals.put(" RETURN ");
    literals.put_list(returns, |option, literals| match option {
        SearchReturn::Min => literals.put("MIN"),
        SearchReturn::Max => literals.put("MAX"),
        SearchReturn::All => literals.put("ALL"),
        SearchReturn::Count => literals.put("COUNT"),
        SearchReturn::Save => literals.put("SAVE"),
        SearchReturn::Context => literals.put("CONTEXT"),
        SearchReturn::Relevancy => literals.put("RELEVANCY"),
        SearchReturn::Partial(range) => literals.put(&alloc::format!("PARTIAL {range}")),
        SearchReturn::Update(attributes) => {
            literals.put("UPDATE");
            if !attributes.is_empty() {
                literals.put(" ");
                literals.put_list(attributes, |attribute, literals| attribute.encode(literals));
            }
        }
    });
    Ok(())
}

/// The keys in order; parentheses only where a list must be told from its surroundings.
fn put_keys(search: &Search, literals: &mut Literals<'_>) {
    // How many keys each open list still has.
    let mut open: Vec<usize> = Vec::new();
    let mut keys = search.keys().iter();
    // How many keys are to come at the top, where a list needs no parentheses.
    let mut top = 1;
    if let Some(SearchKey::And(count)) = search.keys().first() {
        top = *count;
        keys.next();
    }
    // Operands that are missing before the present key of a list is complete.
    let mut missing: Vec<usize> = Vec::from([top]);
    let mut opened = false;
    for key in keys {
        if !opened {
            literals.put(" ");
        }
        put_search_key(key, literals);
        opened = matches!(key, SearchKey::And(_));
        if let Some(left) = missing.last_mut() {
            *left -= 1;
        }
        match key {
            SearchKey::And(count) => {
                open.push(missing.len());
                missing.push(*count);
            }
            key if key.operands() > 0 => missing.push(key.operands()),
            _ => {}
        }
        while missing.len() > 1 && missing.last() == Some(&0) {
            missing.pop();
            if open.last() == Some(&missing.len()) {
                open.pop();
                literals.put(")");
            }
        }
    }
}

fn put_search_key(key: &SearchKey, literals: &mut Literals<'_>) {
    let name = match key {
        SearchKey::And(_) => "(",
        SearchKey::Or => "OR",
        SearchKey::Not => "NOT",
        SearchKey::Fuzzy => "FUZZY",
        SearchKey::Numbers(set) => return set.encode(literals.wire()),
        SearchKey::Uid(set) => {
            literals.put("UID ");
            return set.encode(literals.wire());
        }
        SearchKey::All => "ALL",
        SearchKey::Answered => "ANSWERED",
        SearchKey::Bcc(value) => return put_string_key("BCC", value, literals),
        SearchKey::Before(date) => return put_plain_key("BEFORE", date, literals),
        SearchKey::Body(value) => return put_string_key("BODY", value, literals),
        SearchKey::Cc(value) => return put_string_key("CC", value, literals),
        SearchKey::Deleted => "DELETED",
        SearchKey::Draft => "DRAFT",
        SearchKey::EmailId(id) => return put_astring_key("EMAILID", id.as_str(), literals),
        SearchKey::Filter(name) => return put_string_key("FILTER", name, literals),
        SearchKey::Flagged => "FLAGGED",
        SearchKey::From(value) => return put_string_key("FROM", value, literals),
        SearchKey::Header(field, value) => {
            put_string_key("HEADER", field, literals);
            return put_argument(value, literals);
        }
        SearchKey::Keyword(keyword) => return put_plain_key("KEYWORD", keyword, literals),
        SearchKey::Larger(octets) => return put_plain_key("LARGER", octets, literals),
        SearchKey::ModSeq { entry, value } => return put_mod_seq(entry.as_ref(), *value, literals),
        SearchKey::New => "NEW",
        SearchKey::Old => "OLD",
        SearchKey::Older(seconds) => return put_plain_key("OLDER", seconds, literals),
        SearchKey::On(date) => return put_plain_key("ON", date, literals),
        SearchKey::Recent => "RECENT",
        SearchKey::SavedBefore(date) => return put_plain_key("SAVEDBEFORE", date, literals),
        SearchKey::SaveDateSupported => "SAVEDATESUPPORTED",
        SearchKey::SavedOn(date) => return put_plain_key("SAVEDON", date, literals),
        SearchKey::SavedSince(date) => return put_plain_key("SAVEDSINCE", date, literals),
        SearchKey::Seen => "SEEN",
        SearchKey::SentBefore(date) => return put_plain_key("SENTBEFORE", date, literals),
        SearchKey::SentOn(date) => return put_plain_key("SENTON", date, literals),
        SearchKey::SentSince(date) => return put_plain_key("SENTSINCE", date, literals),
        SearchKey::Since(date) => return put_plain_key("SINCE", date, literals),
        SearchKey::Smaller(octets) => return put_plain_key("SMALLER", octets, literals),
        SearchKey::Subject(value) => return put_string_key("SUBJECT", value, literals),
        SearchKey::Text(value) => return put_string_key("TEXT", value, literals),
        SearchKey::ThreadId(id) => return put_astring_key("THREADID", id.as_str(), literals),
        SearchKey::To(value) => return put_string_key("TO", value, literals),
        SearchKey::UidAfter(uid) => return put_plain_key("UIDAFTER", uid, literals),
        SearchKey::UidBefore(uid) => return put_plain_key("UIDBEFORE", uid, literals),
        SearchKey::Unanswered => "UNANSWERED",
        SearchKey::Undeleted => "UNDELETED",
        SearchKey::Undraft => "UNDRAFT",
        SearchKey::Unflagged => "UNFLAGGED",
        SearchKey::Unkeyword(keyword) => return put_plain_key("UNKEYWORD", keyword, literals),
        SearchKey::Unseen => "UNSEEN",
        SearchKey::Younger(seconds) => return put_plain_key("YOUNGER", seconds, literals),
        SearchKey::GmailLabels(label) => return put_string_key("X-GM-LABELS", label, literals),
        SearchKey::GmailMessageId(id) => return put_plain_key("X-GM-MSGID", id, literals),
        SearchKey::GmailRaw(words) => return put_string_key("X-GM-RAW", words, literals),
        SearchKey::GmailThreadId(id) => return put_plain_key("X-GM-THRID", id, literals),
    };
    literals.put(name);
}

/// A key with a string.
fn put_string_key(name: &str, value: &OctetString, literals: &mut Literals<'_>) {
    literals.put(name);
    put_argument(value, literals);
}

/// A key with an astring.
fn put_astring_key(name: &str, value: &str, literals: &mut Literals<'_>) {
    literals.put(name);
    literals.put(" ");
    put_astring(value.as_bytes(), literals);
}

/// A key with a number, a date or a word.
fn put_plain_key(name: &str, value: &dyn fmt::Display, literals: &mut Literals<'_>) {
    literals.put(&alloc::format!("{name} {value}"));
}

/// RFC 7162 §7: `search-modsequence`; the name of an entry is a quoted string.
fn put_mod_seq(entry: Option<&(OctetString, ModSeqEntry)>, value: ModSeq, literals: &mut Literals<'_>) {
    literals.put("MODSEQ ");
    if let Some((name, kind)) = entry {
        put_string(name.as_bytes(), literals);
        literals.put(match kind {
            ModSeqEntry::Private => " priv ",
            ModSeqEntry::Shared => " shared ",
            ModSeqEntry::All => " all ",
        });
    }
    literals.put_number(value.get());
}
