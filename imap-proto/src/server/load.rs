//! Loading: the messages of a mailbox that was opened by its summary, when a command first needs them.
//!
//! SELECT needs only how many messages there are. A host that would have to read something for each of them
//! answers it with [`Opened::by_summary`](super::Opened::by_summary), and is asked for the rest here, in front
//! of the first command that names messages or may tell what changed. A client that selects a mailbox only to
//! look costs no more than its summary.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use mailwright_core::value::{Flag, ModSeq, Uid, UidBlock};

use super::question::LoadToken;
use super::{Closed, Event, MailboxState, MessageFacts, Phase, Refusal, Server};
use crate::types::{AppendCommand, Code, Command, StatusKind, StatusResponse, Tag, Verb};
use crate::view::View;
use crate::wire::{Announcement, PartEnd};

/// The messages of the selected mailbox: the answer to [`Event::Load`].
#[derive(Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// The latest state.
    pub state: Arc<dyn MailboxState>,
    /// The UIDs that were there when the mailbox was opened, in blocks: as many as the summary said. Those
    /// that the state does not have any more are told as expunged.
    pub opened: Vec<UidBlock>,
}

impl Loaded {
    /// The state of a mailbox, and what was in it when it was opened.
    #[must_use]
    pub fn new(state: Arc<dyn MailboxState>, opened: Vec<UidBlock>) -> Self {
        Self { state, opened }
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("opened", &self.opened.len()).finish_non_exhaustive()
    }
}

/// What waits for the messages.
pub(super) enum Waiting {
    Command(Tag, Command),
    Append(Tag, AppendCommand, Announcement),
}

/// Stands for the state of a mailbox until that is loaded.
pub(super) struct NotLoaded {
    pub(super) latest: ModSeq,
    pub(super) keywords: Vec<Flag>,
}

impl MailboxState for NotLoaded {
    fn blocks(&self, _each: &mut dyn FnMut(&UidBlock)) {}

    fn message(&self, _uid: Uid, _flag: &mut dyn FnMut(&Flag)) -> Option<MessageFacts> {
        None
    }

    fn latest(&self) -> ModSeq {
        self.latest
    }

    fn changed(&self, _since: ModSeq, _each: &mut dyn FnMut(Uid)) {}

    fn keywords(&self) -> Vec<Flag> {
        self.keywords.clone()
    }
}

impl Server {
    /// Whether the messages have to be loaded before a command is done.
    pub(super) fn lacks_messages(&self, verb: Verb) -> bool {
        let loaded = self.selected.as_ref().is_none_or(|selected| selected.loaded);
        // These end the selection, or say nothing of the mailbox.
        let without = matches!(
            verb,
            Verb::Capability
                | Verb::Logout
                | Verb::Id
                | Verb::Namespace
                | Verb::Select
                | Verb::Examine
                | Verb::Close
                | Verb::Unselect
        );
        !loaded && !without
    }

    pub(super) fn load(&mut self, waiting: Waiting) {
        self.ask(Phase::Load(Box::new(waiting)), |ticket| Event::Load { token: LoadToken(ticket) });
    }

    pub(super) fn loaded(&mut self, outcome: Result<Loaded, Refusal>) {
        let Phase::Load(waiting) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        let loaded = match outcome {
            Ok(loaded) => loaded,
            Err(refusal) => return self.not_loaded(*waiting, refusal),
        };
        let Some(selected) = &mut self.selected else { return };
        let view = View::new(&loaded.opened);
        if view.len() != selected.exists {
            // Every number that the client has would be wrong.
            return self.bye(Some(Code::Unavailable), "the mailbox changed", Closed::NumbersLost);
        }
        selected.view = view;
        selected.dirty = loaded.state.latest() > selected.told;
        selected.held = selected.dirty;
        selected.state = loaded.state;
        selected.loaded = true;
        match *waiting {
            Waiting::Command(tag, command) => self.execute(tag, command),
            Waiting::Append(tag, append, literal) => self.append(tag, append, literal),
        }
    }

    /// The command that waited is not done.
    fn not_loaded(&mut self, waiting: Waiting, refusal: Refusal) {
        match waiting {
            Waiting::Command(tag, command) => self.refuse(&tag, command.verb(), command.is_uid(), refusal),
            Waiting::Append(tag, _, literal) => {
                let mut status = StatusResponse::new(StatusKind::No, "");
                status.code = refusal.code;
                status.text = Bytes::from(refusal.text.into_owned());
                self.refuse_command(Some(tag), status, PartEnd::Literal(literal));
            }
        }
    }
}
