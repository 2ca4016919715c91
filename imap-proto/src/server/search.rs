//! SEARCH: the host finds, the session numbers. RFC 3501 §6.4.4.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use bytes::BufMut as _;
use mailwright_core::value::{Uid, UidSet};

use super::question::SearchToken;
use super::updates::Then;
use super::{AskedWhat, Event, Phase, Refusal, Server};
use crate::encode::put_number;
use crate::types::{
    NumberEnd, NumberRange, NumberSet, OctetString, Search, SearchKey, StatusKind, StatusResponse, Tag, Verb,
};

/// What was found, on its way.
pub(super) struct Found {
    tag: Tag,
    /// UIDs are told, not message numbers.
    uid: bool,
    /// Whether expunged messages may be told at the end.
    may_expunge: bool,
    uids: UidSet,
    next: u32,
}

/// Messages that are looked at before the output is looked at again.
const SLICE: u32 = 1024;

impl Server {
    pub(super) fn search(&mut self, tag: Tag, uid: bool, charset: Option<OctetString>, search: &Search) {
        let numbers = search.keys().iter().any(|key| matches!(key, SearchKey::Numbers(_)));
        let Ok(search) = Search::new(self.without_numbers(search)) else { return };
        self.ask_for(tag, Verb::Search, uid, AskedWhat::Search { numbers }, |ticket| Event::Search {
            token: SearchToken(ticket),
            charset,
            search,
        });
    }

    /// The same keys by UID, and with what is recent spelled out: numbers are known here only.
    fn without_numbers(&self, search: &Search) -> Vec<SearchKey> {
        let mut keys = Vec::with_capacity(search.keys().len());
        for key in search.keys() {
            match key {
                SearchKey::Numbers(set) => self.push_numbers(set, &mut keys),
                SearchKey::Uid(set) => self.push_uids(set, &mut keys),
                SearchKey::Recent => self.push_recent(&mut keys),
                SearchKey::Old => {
                    keys.push(SearchKey::Not);
                    self.push_recent(&mut keys);
                }
                SearchKey::New => {
                    keys.push(SearchKey::And(2));
                    self.push_recent(&mut keys);
                    keys.push(SearchKey::Unseen);
                }
                key => keys.push(key.clone()),
            }
        }
        keys
    }

    fn push_numbers(&self, set: &NumberSet, keys: &mut Vec<SearchKey>) {
        let view = self.selected.as_ref().map(|selected| &selected.view);
        let spans = self.resolve_numbers(set, false).unwrap_or_default();
        let range = |first, last| {
            let view = view?;
            range(view.uid(first)?, view.uid(last)?)
        };
        push_set(NumberSet::new(spans.iter().filter_map(|span| range(span.first, span.last))), keys);
    }

    /// `*` is the highest UID in use, which is known here.
    fn push_uids(&self, set: &NumberSet, keys: &mut Vec<SearchKey>) {
        let last = self.selected.as_ref().and_then(|selected| selected.view.last());
        let Some(last) = last.and_then(|last| NonZeroU32::new(last.get())) else {
            return push_set(None, keys);
        };
        let ranges = set
            .resolve(last)
            .map(|(from, to)| NumberRange { from: NumberEnd::Number(from), to: NumberEnd::Number(to) });
        push_set(NumberSet::new(ranges), keys);
    }

    fn push_recent(&self, keys: &mut Vec<SearchKey>) {
        let first = self.selected.as_ref().and_then(|selected| selected.recent_from);
        push_set(first.and_then(|first| NumberSet::new(range(first, Uid::MAX))), keys);
    }

    pub(super) fn found(&mut self, outcome: Result<UidSet, Refusal>) {
        let Some(asked) = self.take_asked() else { return };
        // RFC 7162 §3.2.10.2: not even the UID form may tell while numbers were meant.
        let may_expunge = asked.uid && !matches!(asked.what, AskedWhat::Search { numbers: true });
        let uids = match outcome {
            Ok(uids) => uids,
            Err(refusal) => return self.refuse(&asked.tag, asked.verb, may_expunge, refusal),
        };
        self.write(|wire| wire.put_slice(b"* SEARCH"));
        self.phase =
            Phase::Found(Box::new(Found { tag: asked.tag, uid: asked.uid, may_expunge, uids, next: 1 }));
    }

    /// Tells what comes next.
    pub(super) fn found_more(&mut self) {
        let Phase::Found(mut found) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        let Some(selected) = self.selected.take() else { return };
        let end = selected.view.len().min(found.next.saturating_add(SLICE - 1));
        let before = self.transmit.len();
        let wire = self.transmit.buffer();
        for number in found.next..=end {
            let Some(uid) = selected.view.uid(number).filter(|uid| found.uids.contains(*uid)) else {
                continue;
            };
            wire.put_u8(b' ');
            put_number(u64::from(if found.uid { uid.get() } else { number }), wire);
        }
        self.queued += (self.transmit.len() - before) as u64;
        let done = end == selected.view.len();
        self.selected = Some(selected);
        if !done {
            found.next = end + 1;
            self.phase = Phase::Found(found);
            return;
        }
        self.write(|wire| wire.put_slice(b"\r\n"));
        let status = StatusResponse::new(StatusKind::Ok, "done");
        self.tell_updates(found.may_expunge, Then::Complete(found.tag, status));
    }
}

fn range(first: Uid, last: Uid) -> Option<NumberRange> {
    let end = |uid: Uid| NonZeroU32::new(uid.get()).map(NumberEnd::Number);
    Some(NumberRange { from: end(first)?, to: end(last)? })
}

/// A set of UIDs, or what nothing fulfils if there is none.
fn push_set(set: Option<NumberSet>, keys: &mut Vec<SearchKey>) {
    match set {
        Some(set) => keys.push(SearchKey::Uid(set)),
        None => keys.extend([SearchKey::Not, SearchKey::All]),
    }
}
