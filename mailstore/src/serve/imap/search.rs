//! SEARCH: flags, dates and sizes from the columns, text from the messages. RFC 3501 §6.4.4.
//!
//! A message is read only if what the columns say does not decide.

use alloc::vec::Vec;
use core::ops::Range;

use mailwright_core::value::{Flag, UidSet};
use mailwright_imap::server::Refusal;
use mailwright_imap::types::{Code, NumberEnd, NumberSet, OctetString, Search, SearchKey};

use super::text::{Date, FieldReader, Needle, PartText};
use super::{Handler, refusal};
use crate::account::{Account as _, Body, Row};
use crate::engine::{Blobs, Engine, ReadError};
use crate::mime::{PartKind, Structure};
use crate::serve::Compute;

/// Octets of a message that are read at a time.
const READ: u64 = 64 * 1024;

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    pub(super) async fn search(
        &self,
        charset: Option<&OctetString>,
        search: &Search,
    ) -> Result<UidSet, Refusal> {
        if let Some(charset) = charset.and_then(OctetString::as_str) {
            let known = ["US-ASCII", "UTF-8"];
            if !known.iter().any(|name| charset.eq_ignore_ascii_case(name)) {
                let known = known.iter().filter_map(|name| OctetString::new(*name).ok()).collect();
                return Err(Refusal::new(Code::BadCharset(known), "unknown charset"));
            }
        }
        let (_, columns) = self.messages()?;
        let mut found = UidSet::new();
        for row in columns.rows() {
            let matches = match decide(search, |key| by_row(&row, key)) {
                Some(matches) => matches,
                None => match self.by_text(&row, search).await {
                    Ok(matches) => matches,
                    // It is gone, and so is no match.
                    Err(ReadError::Gone) => false,
                    Err(error) => return Err(refusal::of_read(&error)),
                },
            };
            if matches {
                found.insert(row.uid);
            }
        }
        Ok(found)
    }

    /// Reads the message to decide.
    async fn by_text(&self, row: &Row<'_>, search: &Search) -> Result<bool, ReadError> {
        let (body, structure) = self.message(row.uid).await?;
        let mut texts: Vec<bool> = Vec::new();
        // Each key that needs the message, in the order in which `decide` asks.
        for key in search.keys().iter().rev() {
            if key.operands() == 0 && by_row(row, key).is_none() {
                texts.push(self.holds(&body, &structure, key).await?);
            }
        }
        let mut texts = texts.into_iter();
        let decided = decide(search, |key| by_row(row, key).or_else(|| texts.next()));
        Ok(decided.unwrap_or(false))
    }

    /// Whether a message fulfils a key that is about its text.
    async fn holds(&self, body: &Body, structure: &Structure, key: &SearchKey) -> Result<bool, ReadError> {
        let header = structure.parts().first().map_or(0..0, |root| root.header());
        match key {
            SearchKey::Bcc(text) => self.field_holds(body, header, b"Bcc", text.as_bytes()).await,
            SearchKey::Cc(text) => self.field_holds(body, header, b"Cc", text.as_bytes()).await,
            SearchKey::From(text) => self.field_holds(body, header, b"From", text.as_bytes()).await,
            SearchKey::To(text) => self.field_holds(body, header, b"To", text.as_bytes()).await,
            SearchKey::Subject(text) => self.field_holds(body, header, b"Subject", text.as_bytes()).await,
            SearchKey::Header(name, text) => {
                self.field_holds(body, header, name.as_bytes(), text.as_bytes()).await
            }
            SearchKey::SentBefore(day) => {
                Ok(self.sent(body, header).await?.is_some_and(|sent| sent < day.days()))
            }
            SearchKey::SentOn(day) => Ok(self.sent(body, header).await? == Some(day.days())),
            SearchKey::SentSince(day) => {
                Ok(self.sent(body, header).await?.is_some_and(|sent| sent >= day.days()))
            }
            SearchKey::Body(text) => self.body_holds(body, structure, text.as_bytes()).await,
            SearchKey::Text(text) => Ok(self.header_holds(body, header, text.as_bytes()).await?
                || self.body_holds(body, structure, text.as_bytes()).await?),
            _ => Ok(false),
        }
    }

    /// Whether a field of this name holds the text.
    async fn field_holds(
        &self,
        body: &Body,
        header: Range<u64>,
        name: &[u8],
        text: &[u8],
    ) -> Result<bool, ReadError> {
        let needle = Needle::new(text);
        let mut fields = FieldReader::named(name);
        self.read(body, header, |octets| fields.feed(octets)).await?;
        Ok(fields.finish().iter().any(|value| needle.is_in(value)))
    }

    /// Whether any field holds the text, decoded or as it stands.
    async fn header_holds(&self, body: &Body, header: Range<u64>, text: &[u8]) -> Result<bool, ReadError> {
        let needle = Needle::new(text);
        let mut fields = FieldReader::all();
        self.read(body, header, |octets| fields.feed(octets)).await?;
        Ok(fields.finish().iter().any(|field| needle.is_in(field)))
    }

    /// The day in the Date field.
    async fn sent(&self, body: &Body, header: Range<u64>) -> Result<Option<i64>, ReadError> {
        let mut fields = FieldReader::named(b"Date");
        self.read(body, header, |octets| fields.feed(octets)).await?;
        Ok(fields.finish().first().and_then(|value| Date::parse(value)).map(Date::days))
    }

    /// Whether the text of a part holds the text.
    async fn body_holds(&self, body: &Body, structure: &Structure, text: &[u8]) -> Result<bool, ReadError> {
        let needle = Needle::new(text);
        for part in structure.parts() {
            // Headers of enclosed messages are text of the body, as are its parts.
            let header = part.parent.is_some_and(|parent| {
                structure.parts().get(parent).is_some_and(|parent| parent.kind == PartKind::Message)
            });
            if header && self.header_holds(body, part.header(), text).await? {
                return Ok(true);
            }
            if part.kind != PartKind::Leaf || !(part.media_type.eq_ignore_ascii_case(b"text")) {
                continue;
            }
            let mut decoded = PartText::new(part.encoding, part.charset.as_deref(), &needle);
            self.read(body, part.body(), |octets| decoded.feed(octets)).await?;
            if decoded.finish() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a range of a message.
    async fn read(
        &self,
        body: &Body,
        range: Range<u64>,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), ReadError> {
        let (account, _) = self.here().map_err(|_| ReadError::Gone)?;
        let mut at = range.start;
        while at < range.end {
            let octets = account.body(body, at..range.end.min(at.saturating_add(READ))).await?;
            if octets.is_empty() {
                break;
            }
            at += octets.len() as u64;
            each(&octets);
        }
        Ok(())
    }
}

/// Whether a search holds, if that can be said although some conditions are not known. Conditions are asked
/// from the last to the first.
fn decide(search: &Search, mut holds: impl FnMut(&SearchKey) -> Option<bool>) -> Option<bool> {
    let mut values: Vec<Option<bool>> = Vec::new();
    for key in search.keys().iter().rev() {
        let start = values.len().saturating_sub(key.operands());
        let value = match key {
            SearchKey::And(_) => {
                let values: Vec<_> = values.drain(start..).collect();
                if values.contains(&Some(false)) {
                    Some(false)
                } else {
                    (!values.contains(&None)).then_some(true)
                }
            }
            SearchKey::Or => {
                let values: Vec<_> = values.drain(start..).collect();
                if values.contains(&Some(true)) {
                    Some(true)
                } else {
                    (!values.contains(&None)).then_some(false)
                }
            }
            SearchKey::Not => values.pop().flatten().map(|value| !value),
            key => holds(key),
        };
        values.push(value);
    }
    values.pop().flatten()
}

/// What the columns say of a condition; `None` if the message has to be read.
fn by_row(row: &Row<'_>, key: &SearchKey) -> Option<bool> {
    let day = || (row.internal_date.as_seconds() + i64::from(row.zone) * 60).div_euclid(86_400);
    Some(match key {
        SearchKey::All => true,
        SearchKey::Answered => row.has(&Flag::Answered),
        SearchKey::Unanswered => !row.has(&Flag::Answered),
        SearchKey::Deleted => row.has(&Flag::Deleted),
        SearchKey::Undeleted => !row.has(&Flag::Deleted),
        SearchKey::Draft => row.has(&Flag::Draft),
        SearchKey::Undraft => !row.has(&Flag::Draft),
        SearchKey::Flagged => row.has(&Flag::Flagged),
        SearchKey::Unflagged => !row.has(&Flag::Flagged),
        SearchKey::Seen => row.has(&Flag::Seen),
        SearchKey::Unseen => !row.has(&Flag::Seen),
        SearchKey::Keyword(keyword) => row.has(&Flag::Keyword(keyword.clone())),
        SearchKey::Unkeyword(keyword) => !row.has(&Flag::Keyword(keyword.clone())),
        SearchKey::Larger(octets) => row.size > *octets,
        SearchKey::Smaller(octets) => row.size < *octets,
        SearchKey::Before(date) => day() < date.days(),
        SearchKey::On(date) => day() == date.days(),
        SearchKey::Since(date) => day() >= date.days(),
        SearchKey::Uid(set) => is_in(set, row.uid.get()),
        _ => return None,
    })
}

/// Whether a set names a UID; `*` was resolved by the session.
fn is_in(set: &NumberSet, uid: u32) -> bool {
    let value = |end| match end {
        NumberEnd::Number(number) => u32::from(number),
        NumberEnd::Largest => u32::MAX,
    };
    set.ranges().iter().any(|range| {
        let (from, to) = (value(range.from), value(range.to));
        (from.min(to)..=from.max(to)).contains(&uid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use SearchKey::{All, And, Body, Not, Or, Seen};

    #[test]
    fn what_is_not_known_decides_only_where_it_matters() {
        let text = || Body(OctetString::new("x").unwrap());
        for (keys, decided) in [
            (alloc::vec![And(2), All, text()], None),
            (alloc::vec![And(2), Not, All, text()], Some(false)),
            (alloc::vec![Or, All, text()], Some(true)),
            (alloc::vec![Or, Seen, text()], None),
            (alloc::vec![Not, text()], None),
            (alloc::vec![And(2), Or, text(), All, Not, Seen], Some(true)),
        ] {
            let search = Search::new(keys.clone()).unwrap();
            let holds = |key: &SearchKey| match key {
                All => Some(true),
                Seen => Some(false),
                _ => None,
            };
            assert_eq!(decide(&search, holds), decided, "{keys:?}");
        }
    }
}
