//! What changed in the selected mailbox, told where it may be. RFC 9051 §7.3, §7.4.1, §7.5.

use alloc::sync::Arc;
use alloc::vec::Vec;

use mailwright_core::value::{Uid, UidSet};

use super::selected::{blocks, flags};
use super::{MailboxState, Server};
use crate::types::{Code, FetchItem, Response, StatusKind, StatusResponse};
use crate::view::NumberSpan;

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

    /// Tells what changed; messages that are gone only if that is permitted now.
    pub(super) fn tell_updates(&mut self, may_expunge: bool) {
        let Some(selected) = &mut self.selected else { return };
        let due = selected.dirty || (may_expunge && selected.held);
        if !due {
            selected.skip = UidSet::new();
            return;
        }
        let known = selected.view.last();
        let change = selected.view.update(&blocks(&*selected.state), may_expunge);
        selected.held = !may_expunge;
        selected.dirty = false;
        let (exists, recent) = (selected.view.len(), selected.count_recent());
        let tell_recent = core::mem::replace(&mut selected.recent, recent) != recent;
        for NumberSpan { first, last } in change.expunged {
            // From the last to the first, so that each number is right when it is told.
            (first..=last).rev().for_each(|number| self.respond(&Response::Expunge(number)));
        }
        if change.added {
            self.respond(&Response::Exists(exists));
        }
        if change.added || tell_recent {
            self.respond(&Response::Recent(recent));
        }
        self.tell_flags();
        let Some(selected) = &mut self.selected else { return };
        let mut changed: Vec<Uid> = Vec::new();
        // The flags of new messages are not known to the client, which will ask.
        selected.state.changed(selected.told, &mut |uid| {
            if known.is_some_and(|known| uid <= known) && !selected.skip.contains(uid) {
                changed.push(uid);
            }
        });
        selected.told = selected.state.latest();
        selected.skip = UidSet::new();
        for uid in changed {
            if let Some(number) = self.selected.as_ref().and_then(|selected| selected.view.number(uid)) {
                self.tell_flags_of(number, uid, true);
            }
        }
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
        self.respond(&Response::Flags(now.clone()));
        if !read_only {
            let status = StatusResponse::new(StatusKind::Ok, "flags that can be changed");
            self.untagged(status.with_code(Code::PermanentFlags { flags: now, new_keywords }));
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
        Some(FetchItem::Flags { flags, recent: selected.is_recent(uid) })
    }
}
