//! SELECT, EXAMINE, CLOSE, EXPUNGE, STORE, COPY, MOVE, NOOP and CHECK. RFC 9051 §6.3.2, §6.4; RFC 4315; RFC
//! 6851.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use mailwright_core::value::{Flag, ModSeq, Uid, UidBlock, UidRange, UidSet};

use super::load::NotLoaded;
use super::question::{CopyToken, ExpungeToken, RefreshToken, SelectToken, StoreToken};
use super::{AskedWhat, Contents, Copied, Event, MailboxState, Opened, Phase, Refusal, Server};
use crate::types::{
    Code, Mailbox, Messages, NumberSet, Response, StatusKind, StatusResponse, StoreAction, Tag, Verb,
};
use crate::view::{NumberSpan, View};

/// The mailbox that is selected.
pub(super) struct Selected {
    /// The latest state that the host handed over.
    pub(super) state: Arc<dyn MailboxState>,
    /// Whether that is more than the summary of the mailbox.
    pub(super) loaded: bool,
    /// How many messages were told when it was opened.
    pub(super) exists: u32,
    /// What the client knows.
    pub(super) view: View,
    /// The change up to which flags were told.
    pub(super) told: ModSeq,
    /// Flags of these were told by other means, or are not to be told.
    pub(super) skip: UidSet,
    /// Whether the state changed since it was told.
    pub(super) dirty: bool,
    /// Whether expunged messages may be held back.
    pub(super) held: bool,
    pub(super) read_only: bool,
    pub(super) new_keywords: bool,
    pub(super) recent_from: Option<Uid>,
    /// The last RECENT that was told.
    pub(super) recent: u32,
    /// The flags that were told in FLAGS.
    pub(super) flags: Vec<Flag>,
}

impl Selected {
    fn new(opened: Opened) -> Self {
        let (state, summary): (Arc<dyn MailboxState>, _) = match opened.contents {
            Contents::Loaded(state) => (state, None),
            Contents::Summary { exists, keywords, latest } => {
                let keywords = keywords.into_iter().map(Flag::Keyword).collect();
                (Arc::new(NotLoaded { latest, keywords }), Some(exists))
            }
        };
        let view = View::new(&blocks(&*state));
        let mut selected = Self {
            loaded: summary.is_none(),
            exists: summary.unwrap_or(view.len()),
            view,
            told: state.latest(),
            skip: UidSet::new(),
            dirty: false,
            held: false,
            read_only: opened.read_only,
            new_keywords: opened.new_keywords,
            recent_from: opened.recent_from,
            recent: 0,
            flags: flags(&*state),
            state,
        };
        selected.recent = selected.count_recent();
        selected
    }

    pub(super) fn is_recent(&self, uid: Uid) -> bool {
        self.recent_from.is_some_and(|first| uid >= first)
    }

    pub(super) fn count_recent(&self) -> u32 {
        let span = self.recent_from.and_then(|first| self.view.span(first, Uid::MAX));
        span.map_or(0, |span| span.last - span.first + 1)
    }

    /// The UIDs of messages by number.
    fn uids(&self, spans: &[NumberSpan]) -> UidSet {
        let range =
            |span: &NumberSpan| Some(UidRange::new(self.view.uid(span.first)?, self.view.uid(span.last)?));
        spans.iter().filter_map(range).collect()
    }

    /// Whether some of these messages are gone already.
    fn are_gone(&self, spans: &[NumberSpan]) -> bool {
        let mut numbers = spans.iter().flat_map(|span| span.first..=span.last);
        self.held_back() && numbers.any(|number| !self.is_there(number))
    }

    /// Whether the client may know of messages that are gone.
    const fn held_back(&self) -> bool {
        self.dirty || self.held
    }

    fn is_there(&self, number: u32) -> bool {
        self.view.uid(number).is_some_and(|uid| self.state.message(uid, &mut |_| {}).is_some())
    }

    /// Those of `uids` whose flags the client knows without being told: it knew them `before`, and nobody else
    /// changed them since. RFC 9051 §6.4.6: what others changed is told even so.
    fn as_expected(
        &self,
        before: &dyn MailboxState,
        mut uids: UidSet,
        (action, flags): &(StoreAction, Vec<Flag>),
    ) -> UidSet {
        before.changed(self.told, &mut |uid| uids.remove(uid));
        let mut unexpected = UidSet::new();
        // Of what the command named, only what changed can be told.
        self.state.changed(before.latest(), &mut |uid| {
            if !uids.contains(uid) {
                return;
            }
            let (mut had, mut has) = (Vec::new(), Vec::new());
            before.message(uid, &mut |flag| had.push(flag.clone()));
            self.state.message(uid, &mut |flag| has.push(flag.clone()));
            action.apply(flags, &mut had);
            if had.len() != has.len() || !had.iter().all(|flag| has.contains(flag)) {
                unexpected.insert(uid);
            }
        });
        uids.difference(&unexpected)
    }

    fn permanent_flags(&self) -> Code {
        if self.read_only {
            return Code::PermanentFlags { flags: Vec::new(), new_keywords: false, other: Vec::new() };
        }
        Code::PermanentFlags { flags: self.flags.clone(), new_keywords: self.new_keywords, other: Vec::new() }
    }
}

pub(super) fn blocks(state: &dyn MailboxState) -> Vec<UidBlock> {
    let mut blocks = Vec::new();
    state.blocks(&mut |block| blocks.push(block.clone()));
    blocks
}

pub(super) fn flags(state: &dyn MailboxState) -> Vec<Flag> {
    Flag::SYSTEM.into_iter().chain(state.keywords()).collect()
}

/// A message number that no message has.
pub(super) struct NoSuchNumber;

/// The flags that STORE set, on their way.
pub(super) struct StoreEcho {
    tag: Tag,
    uid: bool,
    gone: bool,
    spans: Vec<NumberSpan>,
    span: usize,
    next: u32,
}

impl Server {
    pub(super) fn select(&mut self, tag: Tag, mailbox: Mailbox, examine: bool) {
        // RFC 9051 §6.3.2: a mailbox that was selected is not any more, whatever comes of this.
        self.deselect();
        let verb = if examine { Verb::Examine } else { Verb::Select };
        let what = AskedWhat::Select { examine };
        self.ask_for(tag, verb, false, what, |ticket| Event::Select {
            token: SelectToken(ticket),
            mailbox,
            examine,
        });
    }

    pub(super) fn selected(&mut self, outcome: Result<Opened, Refusal>) {
        let Some(asked) = self.take_asked() else { return };
        let mut opened = match outcome {
            Ok(opened) => opened,
            Err(refusal) => return self.refuse(&asked.tag, asked.verb, false, refusal),
        };
        if let AskedWhat::Select { examine: true } = asked.what {
            opened.read_only = true;
        }
        let (uid_validity, uid_next, unseen) = (opened.uid_validity, opened.uid_next, opened.first_unseen);
        let selected = Box::new(Selected::new(opened));
        self.respond(&Response::Flags { flags: selected.flags.clone(), other: Vec::new() });
        self.respond(&Response::Exists(selected.exists));
        self.respond(&Response::Recent(selected.recent));
        let ok = |code, text| StatusResponse::new(StatusKind::Ok, text).with_code(code);
        if let Some(number) = unseen.and_then(|uid| selected.view.number(uid)) {
            self.untagged(ok(Code::Unseen(number), "the first unseen message"));
        }
        self.untagged(ok(selected.permanent_flags(), "flags that can be changed"));
        self.untagged(ok(Code::UidValidity(uid_validity), "UIDs are valid"));
        if let Some(uid) = uid_next {
            self.untagged(ok(Code::UidNext(uid), "the next UID"));
        }
        let access = if selected.read_only { Code::ReadOnly } else { Code::ReadWrite };
        self.selected = Some(selected);
        self.tagged(&asked.tag, ok(access, "selected"));
    }

    pub(super) fn deselect(&mut self) {
        if self.selected.take().is_some() {
            self.events.push_back(Event::Deselected);
        }
    }

    /// NOOP, CHECK, IDLE: the host may have news.
    pub(super) fn refresh(&mut self, tag: Tag, verb: Verb) {
        if self.selected.is_none() {
            return match verb {
                Verb::Idle => self.idle(tag),
                _ => self.complete(&tag, verb, false, None),
            };
        }
        self.ask_for(tag, verb, false, AskedWhat::Nothing, |ticket| Event::Refresh {
            token: RefreshToken(ticket),
        });
    }

    pub(super) fn refreshed(&mut self, (): ()) {
        let Some(asked) = self.take_asked() else { return };
        match asked.verb {
            Verb::Idle => self.idle(asked.tag),
            verb => self.complete(&asked.tag, verb, false, None),
        }
    }

    // ---- Naming messages

    /// The numbers of the messages that a command names, ascending, each once.
    pub(super) fn resolve(&self, messages: &Messages) -> Result<Vec<NumberSpan>, NoSuchNumber> {
        match messages {
            Messages::Numbers(set) => self.resolve_numbers(set, true),
            Messages::Uids(set) => Ok(self.resolve_uids(set)),
        }
    }

    /// `strict`: a number that no message has is an error (RFC 9051 §9, seq-number); in SEARCH it is not.
    pub(super) fn resolve_numbers(
        &self,
        set: &NumberSet,
        strict: bool,
    ) -> Result<Vec<NumberSpan>, NoSuchNumber> {
        let len = self.selected.as_ref().map_or(0, |selected| selected.view.len());
        let Some(last) = NonZeroU32::new(len) else {
            return if strict { Err(NoSuchNumber) } else { Ok(Vec::new()) };
        };
        let mut spans = Vec::new();
        for (from, to) in set.resolve(last) {
            if to > last && strict {
                return Err(NoSuchNumber);
            }
            if from <= last {
                spans.push(NumberSpan { first: from.get(), last: to.min(last).get() });
            }
        }
        Ok(merge(spans))
    }

    pub(super) fn resolve_uids(&self, set: &NumberSet) -> Vec<NumberSpan> {
        let Some(view) = self.selected.as_ref().map(|selected| &selected.view) else { return Vec::new() };
        // RFC 9051 §6.4.9: `*` is the highest UID in use. In an empty mailbox nothing is named.
        let Some(last) = view.last() else { return Vec::new() };
        let Some(last) = NonZeroU32::new(last.get()) else { return Vec::new() };
        let spans =
            set.resolve(last).filter_map(|(from, to)| view.span(Uid::new(from.get())?, Uid::new(to.get())?));
        merge(spans.collect())
    }

    pub(super) fn no_such_number(&mut self, tag: &Tag) {
        self.tagged(tag, StatusResponse::new(StatusKind::Bad, "no message has that number"));
    }

    fn read_only(&self) -> bool {
        self.selected.as_ref().is_none_or(|selected| selected.read_only)
    }

    fn refuse_read_only(&mut self, tag: &Tag, verb: Verb, uid: bool) {
        self.refuse(tag, verb, uid, Refusal::new(Code::NoPerm, "the mailbox is open for reading only"));
    }

    // ---- Changing messages

    pub(super) fn close_mailbox(&mut self, tag: Tag) {
        if self.read_only() {
            // RFC 9051 §6.4.1: nothing is removed.
            self.deselect();
            return self.complete(&tag, Verb::Close, false, None);
        }
        self.ask_for(tag, Verb::Close, false, AskedWhat::Close, |ticket| Event::Expunge {
            token: ExpungeToken(ticket),
            uids: None,
        });
    }

    pub(super) fn expunge(&mut self, tag: Tag, uids: Option<&NumberSet>) {
        let uid = uids.is_some();
        if self.read_only() {
            return self.refuse_read_only(&tag, Verb::Expunge, uid);
        }
        let spans = uids.map(|set| self.resolve_uids(set));
        let uids = spans.and_then(|spans| Some(self.selected.as_ref()?.uids(&spans)));
        if uids.as_ref().is_some_and(UidSet::is_empty) {
            return self.complete(&tag, Verb::Expunge, uid, None);
        }
        self.ask_for(tag, Verb::Expunge, uid, AskedWhat::Nothing, |ticket| Event::Expunge {
            token: ExpungeToken(ticket),
            uids,
        });
    }

    pub(super) fn expunged(&mut self, outcome: Result<(), Refusal>) {
        let Some(asked) = self.take_asked() else { return };
        match outcome {
            Ok(()) if matches!(asked.what, AskedWhat::Close) => {
                // RFC 9051 §6.4.1: no EXPUNGE is told.
                self.deselect();
                self.complete(&asked.tag, asked.verb, asked.uid, None);
            }
            Ok(()) => self.complete(&asked.tag, asked.verb, asked.uid, None),
            Err(refusal) => self.refuse(&asked.tag, asked.verb, asked.uid, refusal),
        }
    }

    pub(super) fn store(
        &mut self,
        tag: Tag,
        messages: &Messages,
        action: StoreAction,
        silent: bool,
        flags: Vec<Flag>,
    ) {
        let uid = messages.is_uid();
        if self.read_only() {
            return self.refuse_read_only(&tag, Verb::Store, uid);
        }
        let Ok(spans) = self.resolve(messages) else { return self.no_such_number(&tag) };
        let Some(selected) = &self.selected else { return };
        let uids = selected.uids(&spans);
        if uids.is_empty() {
            return self.complete(&tag, Verb::Store, uid, None);
        }
        let gone = !uid && selected.are_gone(&spans);
        let before = Arc::clone(&selected.state);
        let action_and_flags = (action, flags.clone());
        let what = AskedWhat::Store { uids: uids.clone(), silent, gone, before, change: action_and_flags };
        self.ask_for(tag, Verb::Store, uid, what, |ticket| Event::Store {
            token: StoreToken(ticket),
            uids,
            action,
            flags,
        });
    }

    pub(super) fn stored(&mut self, outcome: Result<(), Refusal>) {
        let Some(asked) = self.take_asked() else { return };
        if let Err(refusal) = outcome {
            return self.refuse(&asked.tag, asked.verb, asked.uid, refusal);
        }
        let AskedWhat::Store { uids, silent, gone, before, change } = asked.what else { return };
        let mut spans = Vec::new();
        if let Some(selected) = &mut self.selected {
            if !silent {
                let span = |range: &UidRange| selected.view.span(range.first(), range.last());
                spans = merge(uids.ranges().iter().filter_map(span).collect());
                selected.skip = uids;
            } else {
                selected.skip = selected.as_expected(&*before, uids, &change);
            }
        }
        // Keywords are announced before their first use.
        self.tell_flags();
        let next = spans.first().map_or(0, |span| span.first);
        self.phase =
            Phase::Stored(Box::new(StoreEcho { tag: asked.tag, uid: asked.uid, gone, spans, span: 0, next }));
    }

    /// Tells the flags of the next messages.
    pub(super) fn stored_more(&mut self) {
        let Phase::Stored(mut echo) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        while let Some(span) = echo.spans.get(echo.span).copied() {
            if !self.may_write_ahead() {
                self.phase = Phase::Stored(echo);
                return;
            }
            if let Some(uid) = self.selected.as_ref().and_then(|selected| selected.view.uid(echo.next)) {
                self.tell_flags_of(echo.next, uid, echo.uid);
            }
            if echo.next == span.last {
                echo.span += 1;
                echo.next = echo.spans.get(echo.span).map_or(0, |span| span.first);
            } else {
                echo.next += 1;
            }
        }
        // RFC 5530 §3: EXPUNGEISSUED.
        let code = echo.gone.then_some(Code::ExpungeIssued);
        self.complete(&echo.tag, Verb::Store, echo.uid, code);
    }

    pub(super) fn copy(&mut self, tag: Tag, messages: &Messages, mailbox: Mailbox, remove: bool) {
        let (uid, verb) = (messages.is_uid(), if remove { Verb::Move } else { Verb::Copy });
        if remove && self.read_only() {
            return self.refuse_read_only(&tag, verb, uid);
        }
        let Ok(spans) = self.resolve(messages) else { return self.no_such_number(&tag) };
        let Some(selected) = &self.selected else { return };
        if !uid && selected.are_gone(&spans) {
            // RFC 5530 §3: nothing is copied.
            return self.refuse(&tag, verb, uid, Refusal::new(Code::ExpungeIssued, "some messages are gone"));
        }
        let uids = selected.uids(&spans);
        if uids.is_empty() {
            return self.complete(&tag, verb, uid, None);
        }
        self.ask_for(tag, verb, uid, AskedWhat::Copy { remove }, |ticket| Event::Copy {
            token: CopyToken(ticket),
            uids,
            mailbox,
            remove,
        });
    }

    pub(super) fn copied(&mut self, outcome: Result<Copied, Refusal>) {
        let Some(asked) = self.take_asked() else { return };
        let copied = match outcome {
            Ok(copied) => copied,
            Err(refusal) => return self.refuse(&asked.tag, asked.verb, asked.uid, refusal),
        };
        // RFC 4315 §3: never an empty set.
        let code = (!copied.destination.is_empty()).then_some(Code::CopyUid {
            uid_validity: copied.uid_validity,
            source: copied.source,
            destination: copied.destination,
        });
        match (asked.what, code) {
            (AskedWhat::Copy { remove: true }, Some(code)) => {
                // RFC 6851 §4.3: before the messages disappear.
                self.untagged(StatusResponse::new(StatusKind::Ok, "moved").with_code(code));
                self.complete(&asked.tag, asked.verb, asked.uid, None);
            }
            (_, code) => self.complete(&asked.tag, asked.verb, asked.uid, code),
        }
    }
}

/// Spans ascending, each number once.
pub(super) fn merge(mut spans: Vec<NumberSpan>) -> Vec<NumberSpan> {
    spans.sort_unstable_by_key(|span| span.first);
    let mut merged: Vec<NumberSpan> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.first <= last.last.saturating_add(1) => last.last = last.last.max(span.last),
            _ => merged.push(span),
        }
    }
    merged
}
