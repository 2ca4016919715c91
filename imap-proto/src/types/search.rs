//! [`Search`]: what SEARCH looks for. RFC 9051 §6.4.4, RFC 3501 §6.4.4.
//!
//! A search is a tree, kept flat in the order in which it is written: an operator stands before its
//! operands. So nothing recurses, however deep a client nests, not even dropping it.

use alloc::vec::Vec;

use mailwright_core::value::{Keyword, ModSeq, Uid};

use super::date::SearchDate;
use super::number_set::NumberSet;
use super::object_id::ObjectId;
use super::string::OctetString;

/// A search key: a condition, or an operator whose operands follow it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SearchKey {
    /// The so many keys that follow must all hold: the list of a command, or parentheses.
    And(usize),
    /// One of the two keys that follow must hold.
    Or,
    /// The key that follows must not hold.
    Not,
    /// The key that follows need only hold more or less (RFC 6203 §3).
    Fuzzy,
    /// By message number.
    Numbers(NumberSet),
    /// By UID.
    Uid(NumberSet),
    /// Every message.
    All,
    /// `\Answered` is set.
    Answered,
    /// A Bcc field holds the string.
    Bcc(OctetString),
    /// INTERNALDATE is before the day, as it is shown in its zone.
    Before(SearchDate),
    /// The body holds the string.
    Body(OctetString),
    /// A Cc field holds the string.
    Cc(OctetString),
    /// `\Deleted` is set.
    Deleted,
    /// `\Draft` is set.
    Draft,
    /// EMAILID is this (RFC 8474 §5.3).
    EmailId(ObjectId),
    /// The search that was kept under this name holds (RFC 5466 §3.1).
    Filter(OctetString),
    /// `\Flagged` is set.
    Flagged,
    /// A From field holds the string.
    From(OctetString),
    /// A field of this name holds the string; with an empty one: there is such a field.
    Header(OctetString, OctetString),
    /// The keyword is set.
    Keyword(Keyword),
    /// More octets than this.
    Larger(u64),
    /// The modification sequence is at least this (RFC 7162 §3.1.5).
    ModSeq {
        /// The modification sequence of one flag alone; servers may look at that of the message instead.
        entry: Option<(OctetString, ModSeqEntry)>,
        /// The least value.
        value: ModSeq,
    },
    /// `\Recent` is set and `\Seen` is not.
    New,
    /// `\Recent` is not set.
    Old,
    /// INTERNALDATE is at least so many seconds ago (RFC 5032 §3).
    Older(u32),
    /// INTERNALDATE is on the day.
    On(SearchDate),
    /// `\Recent` is set.
    Recent,
    /// The message came into the mailbox before the day (RFC 8514 §4.3).
    SavedBefore(SearchDate),
    /// The mailbox keeps when messages came into it.
    SaveDateSupported,
    /// The message came into the mailbox on the day.
    SavedOn(SearchDate),
    /// The message came into the mailbox on the day or later.
    SavedSince(SearchDate),
    /// `\Seen` is set.
    Seen,
    /// The Date field is before the day.
    SentBefore(SearchDate),
    /// The Date field is on the day.
    SentOn(SearchDate),
    /// The Date field is on the day or later.
    SentSince(SearchDate),
    /// INTERNALDATE is on the day or later.
    Since(SearchDate),
    /// Fewer octets than this.
    Smaller(u64),
    /// The Subject field holds the string.
    Subject(OctetString),
    /// Header or body hold the string.
    Text(OctetString),
    /// THREADID is this (RFC 8474 §5.3).
    ThreadId(ObjectId),
    /// A To field holds the string.
    To(OctetString),
    /// The UID is above this (RFC 9738 §3.2).
    UidAfter(Uid),
    /// The UID is below this.
    UidBefore(Uid),
    /// `\Answered` is not set.
    Unanswered,
    /// `\Deleted` is not set.
    Undeleted,
    /// `\Draft` is not set.
    Undraft,
    /// `\Flagged` is not set.
    Unflagged,
    /// The keyword is not set.
    Unkeyword(Keyword),
    /// `\Seen` is not set.
    Unseen,
    /// INTERNALDATE is at most so many seconds ago (RFC 5032 §3).
    Younger(u32),
    /// X-GM-LABELS: the message has the label of Gmail.
    GmailLabels(OctetString),
    /// X-GM-MSGID is this.
    GmailMessageId(u64),
    /// X-GM-RAW: what Gmail finds by the words.
    GmailRaw(OctetString),
    /// X-GM-THRID is this.
    GmailThreadId(u64),
}

/// Whose modification sequence of a flag MODSEQ looks at (RFC 7162 §3.1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7162 §7 has these three")]
pub enum ModSeqEntry {
    /// `priv`: the user's own.
    Private,
    /// `shared`: that of all.
    Shared,
    /// `all`: either.
    All,
}

impl SearchKey {
    /// How many operands follow.
    #[must_use]
    pub const fn operands(&self) -> usize {
        match self {
            Self::And(count) => *count,
            Self::Or => 2,
            Self::Not | Self::Fuzzy => 1,
            _ => 0,
        }
    }
}

/// A search: exactly one tree of keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Search(Vec<SearchKey>);

/// The keys are no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keys are not one complete search: an operand is missing, or there is one too many")]
#[non_exhaustive]
pub struct SearchError;

impl Search {
    /// A search of these keys, each operator before its operands.
    ///
    /// # Errors
    /// If an operand is missing or left over, or an `And` is empty; or if a message is to be 0 seconds old.
    ///
    /// ```
    /// use mailwright_imap::types::{Search, SearchKey};
    ///
    /// let search = Search::new([SearchKey::And(2), SearchKey::Unseen, SearchKey::Not, SearchKey::Deleted])?;
    /// assert!(search.matches(|key| matches!(key, SearchKey::Unseen)));
    /// assert!(Search::new([SearchKey::Or, SearchKey::All]).is_err());
    /// # Ok::<(), mailwright_imap::types::SearchError>(())
    /// ```
    pub fn new(keys: impl IntoIterator<Item = SearchKey>) -> Result<Self, SearchError> {
        let keys: Vec<SearchKey> = keys.into_iter().collect();
        // How many keys are still to come.
        let mut missing = 1_usize;
        for key in &keys {
            if matches!(key, SearchKey::And(0) | SearchKey::Older(0) | SearchKey::Younger(0)) {
                return Err(SearchError);
            }
            let open = missing.checked_sub(1).and_then(|open| open.checked_add(key.operands()));
            missing = open.ok_or(SearchError)?;
        }
        if missing == 0 { Ok(Self(keys)) } else { Err(SearchError) }
    }

    /// The keys, each operator before its operands.
    #[must_use]
    pub fn keys(&self) -> &[SearchKey] {
        &self.0
    }

    /// Whether the search holds, if `holds` says so of each condition. Every condition is asked, the last
    /// first.
    pub fn matches(&self, mut holds: impl FnMut(&SearchKey) -> bool) -> bool {
        // From behind, operands come before their operator.
        let mut values: Vec<bool> = Vec::new();
        for key in self.0.iter().rev() {
            let value = match key {
                SearchKey::And(count) => {
                    let start = values.len().saturating_sub(*count);
                    values.drain(start..).fold(true, |all, value| all & value)
                }
                SearchKey::Or => {
                    let start = values.len().saturating_sub(2);
                    values.drain(start..).fold(false, |any, value| any | value)
                }
                SearchKey::Not => !values.pop().unwrap_or(true),
                // Whoever answers for the condition knows how well it has to hold.
                SearchKey::Fuzzy => values.pop().unwrap_or(false),
                key => holds(key),
            };
            values.push(value);
        }
        values.pop().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use SearchKey::{All, And, Answered, Deleted, Not, Or, Seen};

    #[test]
    fn only_complete_trees_are_searches() {
        for keys in [vec![All], vec![Not, All], vec![Or, All, Not, All], vec![And(2), All, Or, All, All]] {
            assert!(Search::new(keys.clone()).is_ok(), "{keys:?}");
        }
        for keys in [
            vec![],
            vec![Not],
            vec![Or, All],
            vec![All, All],
            vec![And(0)],
            vec![And(2), All],
            vec![And(usize::MAX), All],
        ] {
            assert!(Search::new(keys.clone()).is_err(), "{keys:?}");
        }
    }

    #[test]
    fn operators_judge_their_own_operands() {
        // (NOT SEEN) and (ANSWERED or DELETED)
        let search = Search::new([And(2), Not, Seen, Or, Answered, Deleted]).unwrap();
        let matches = |set: &[SearchKey]| search.matches(|key| set.contains(key));
        assert!(matches(&[Answered]) && matches(&[Deleted]));
        assert!(!matches(&[]) && !matches(&[Seen, Answered]));
    }

    #[test]
    fn a_deep_search_needs_no_stack() {
        let deep = core::iter::repeat_n(Not, 100_001).chain([All]);
        let search = Search::new(deep).unwrap();
        assert!(!search.clone().matches(|_| true));
    }
}
