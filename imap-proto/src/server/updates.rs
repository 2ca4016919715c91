//! What changed in the selected mailbox, told where it may be. RFC 9051 §7.3, §7.4.1, §7.5.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::{Uid, UidSet};

use super::selected::{blocks, flags};
use super::{MailboxState, Phase, Server};
use crate::types::{Code, FetchItem, Response, StatusKind, StatusResponse, Tag};
use crate::view::NumberSpan;

/// What changed, on its way to the client.
pub(super) struct Telling {
    /// Numbers of messages that are gone, the highest last.
    expunged: Vec<NumberSpan>,
    /// EXISTS and RECENT, where they changed.
    counts: Option<(Option<u32>, Option<u32>)>,
    /// Messages whose flags changed, the lowest last.
    changed: Vec<Uid>,
    then: Then,
}

/// What comes when all that changed is told.
pub(super) enum Then {
    /// The end of a command.
    Complete(Tag, StatusResponse),
    /// IDLE goes on.
    Idle(Tag),
}

impl Server {
    /// Hands over a newer state of the selected mailbox. In IDLE it is told at once, else between commands.
    /// Nothing happens without a selected mailbox, or before its messages are [loaded](super::Loaded).
    pub fn update(&mut self, state: Arc<dyn MailboxState>) {
        let Some(selected) = self.selected.as_mut().filter(|selected| selected.loaded) else { return };
        // What changed again since its flags were told is to be told again.
        let skip = &mut selected.skip;
        if !skip.is_empty() {
            state.changed(selected.state.latest(), &mut |uid| skip.remove(uid));
        }
        selected.state = state;
        selected.dirty = true;
        self.settle();
    }

    /// Tells what changed, messages that are gone only if that is permitted now; then does what comes then.
    pub(super) fn tell_updates(&mut self, may_expunge: bool, then: Then) {
        let mut telling = Telling { expunged: Vec::new(), counts: None, changed: Vec::new(), then };
        if let Some(selected) = &mut self.selected {
            if selected.dirty || (may_expunge && selected.held) {
                let known = selected.view.last();
                let mut change = selected.view.update(&blocks(&*selected.state), may_expunge);
                selected.held = !may_expunge;
                selected.dirty = false;
                let (exists, recent) = (selected.view.len(), selected.count_recent());
                let tell_recent = core::mem::replace(&mut selected.recent, recent) != recent;
                telling.counts =
                    Some((change.added.then_some(exists), (change.added || tell_recent).then_some(recent)));
                // Taken from the end.
                change.expunged.reverse();
                telling.expunged = change.expunged;
                // The flags of new messages are not known to the client, which will ask.
                selected.state.changed(selected.told, &mut |uid| {
                    if known.is_some_and(|known| uid <= known) && !selected.skip.contains(uid) {
                        telling.changed.push(uid);
                    }
                });
                telling.changed.reverse();
                selected.told = selected.state.latest();
            }
            selected.skip = UidSet::new();
        }
        self.phase = Phase::Telling(Box::new(telling));
        self.tell_more();
    }

    /// Tells as much of what changed as there is room for: a client that reads slowly does not make the session
    /// hold it all.
    pub(super) fn tell_more(&mut self) {
        let Phase::Telling(mut telling) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        while self.may_write_ahead() {
            if let Some(span) = telling.expunged.last_mut() {
                // From the last to the first, so that each number is right when it is told.
                let number = span.last;
                if span.first == span.last {
                    telling.expunged.pop();
                } else {
                    span.last -= 1;
                }
                self.respond(&Response::Expunge(number));
            } else if let Some((exists, recent)) = telling.counts.take() {
                exists.into_iter().for_each(|exists| self.respond(&Response::Exists(exists)));
                recent.into_iter().for_each(|recent| self.respond(&Response::Recent(recent)));
                self.tell_flags();
            } else if let Some(uid) = telling.changed.pop() {
                let number = self.selected.as_ref().and_then(|selected| selected.view.number(uid));
                if let Some(number) = number {
                    self.tell_flags_of(number, uid, true);
                }
            } else {
                match telling.then {
                    Then::Complete(tag, status) => self.tagged(&tag, status),
                    Then::Idle(tag) => self.phase = Phase::Idle(tag),
                }
                return;
            }
        }
        self.phase = Phase::Telling(telling);
    }

    /// FLAGS and PERMANENTFLAGS, if there are new keywords.
    pub(super) fn tell_flags(&mut self) {
        let Some(selected) = &mut self.selected else { return };
        let now = flags(&*selected.state);
        if now.iter().all(|flag| selected.flags.contains(flag)) {
            return;
        }
        selected.flags.clone_from(&now);
        let (read_only, new_keywords) = (selected.read_only, selected.new_keywords);
        self.respond(&Response::Flags { flags: now.clone(), other: Vec::new() });
        if !read_only {
            let status = StatusResponse::new(StatusKind::Ok, "flags that can be changed");
            self.untagged(status.with_code(Code::PermanentFlags {
                flags: now,
                new_keywords,
                other: Vec::new(),
            }));
        }
    }

    /// FETCH with the flags of a message, and its UID where that is wanted.
    pub(super) fn tell_flags_of(&mut self, number: u32, uid: Uid, with_uid: bool) {
        let Some(item) = self.flags_of(uid) else { return };
        let mut items = Vec::with_capacity(2);
        if with_uid {
            items.push(FetchItem::Uid(uid));
        }
        items.push(item);
        self.respond(&Response::Fetch { number, items });
    }

    /// The flags of a message; `None` if it is gone.
    pub(super) fn flags_of(&self, uid: Uid) -> Option<FetchItem> {
        let selected = self.selected.as_ref()?;
        let mut flags = Vec::new();
        selected.state.message(uid, &mut |flag| flags.push(flag.clone()))?;
        Some(FetchItem::Flags { flags, recent: selected.is_recent(uid), other: Vec::new() })
    }
}
