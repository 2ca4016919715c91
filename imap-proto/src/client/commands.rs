//! What a host can say. Each call returns the id that the events of the command carry, or says why it cannot be
//! sent now; then nothing was written.
//!
//! RFC 9051 §5.5, RFC 3501 §5.5: which commands may be in flight together is data, in the table of
//! [`Verb::entry`].

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::Misuse;

use super::{Client, CommandId, InFlight, Phase, SendError, State};
use crate::types::{Command, FetchCommand, Messages, States, StoreCommand, StoreLabelsCommand, Tag, Verb};

/// A command that is ready to be sent.
pub(super) struct Ready {
    tag: u64,
    tag_octets: usize,
    pub(super) pieces: Vec<Bytes>,
}

impl Client {
    /// Sends a command. Sets go in ascending order, strings in whatever form can hold them.
    ///
    /// [`Command::StartTls`] leads to [`Event::Secured`](super::Event::Secured);
    /// [`Command::Logout`] to the end of the session. AUTHENTICATE is sent by [`Self::authenticate`], APPEND
    /// by [`Self::append`]. ENABLE, COMPRESS, REPLACE and UNAUTHENTICATE are not sent yet.
    ///
    /// # Errors
    /// [`Misuse::Busy`] if other commands must be complete first, or a literal of one must be consented to;
    /// [`Misuse::WrongState`] in the wrong state, before the greeting, and for those that are not sent by this;
    /// [`Misuse::NotAnnounced`] if the server must announce the command and does not;
    /// [`Misuse::Plaintext`] where it would show what only TLS may; [`Misuse::Closed`] at the end;
    /// [`SendError::LoginDisabled`]; [`SendError::Encode`] if a value cannot be written.
    pub fn command(&mut self, command: Command) -> Result<CommandId, SendError> {
        let command = in_order(command);
        self.check(&command)?;
        match &command {
            Command::Authenticate { .. }
            | Command::Append(_)
            | Command::Replace(_)
            | Command::Enable(_)
            | Command::Compress(_)
            | Command::Unauthenticate => return Err(Misuse::WrongState.into()),
            Command::Login { .. } => self.check_login()?,
            _ => {}
        }
        let ready = self.prepare(&command)?;
        let id = self.send(ready, &command);
        match &command {
            Command::Login { .. } => self.outdated = true,
            Command::Idle => self.begin_idle(id),
            _ => {}
        }
        Ok(id)
    }

    /// Whether a command may be sent now.
    pub(super) fn check(&self, command: &Command) -> Result<(), Misuse> {
        match self.phase {
            Phase::Closed => return Err(Misuse::Closed),
            Phase::Handshake | Phase::Greeting => return Err(Misuse::WrongState),
            Phase::Open => {}
        }
        let verb = command.verb();
        let fits = match verb.entry().states {
            States::Any => true,
            States::NotAuthenticated => self.state == State::NotAuthenticated,
            States::Authenticated => self.state != State::NotAuthenticated,
            States::Selected => matches!(self.state, State::Selected(_)),
        };
        if !fits || verb == Verb::StartTls && self.secure {
            return Err(Misuse::WrongState);
        }
        if !self.is_announced(command) {
            return Err(Misuse::NotAnnounced);
        }
        // Whatever is not needed for TLS waits for it.
        let harmless = matches!(verb, Verb::Capability | Verb::Noop | Verb::Logout | Verb::StartTls);
        if self.awaits_tls() && !harmless {
            return Err(Misuse::Plaintext);
        }
        self.check_window(command)
    }

    /// Whether the server announces what the command needs.
    fn is_announced(&self, command: &Command) -> bool {
        match command {
            Command::StartTls => self.has("STARTTLS"),
            Command::Idle => self.has_or_rev2("IDLE"),
            Command::Namespace => self.has_or_rev2("NAMESPACE"),
            Command::Unselect => self.has_or_rev2("UNSELECT"),
            Command::Move { .. } => self.has_or_rev2("MOVE"),
            Command::Expunge(Some(_)) => self.has_or_rev2("UIDPLUS"),
            Command::Id(_) => self.has("ID"),
            Command::Sort(_) => self.has("SORT"),
            Command::Thread(thread) => self.has(&alloc::format!("THREAD={}", thread.algorithm.as_str())),
            Command::MultiSearch(_) => self.has("MULTISEARCH"),
            Command::CancelUpdate(_) => self.has("CONTEXT=SEARCH") || self.has("CONTEXT=SORT"),
            Command::Notify(_) => self.has("NOTIFY"),
            Command::GetMetadata(_) | Command::SetMetadata(_) => {
                self.has("METADATA") || self.has("METADATA-SERVER")
            }
            Command::GetQuota(_) | Command::GetQuotaRoot(_) | Command::SetQuota { .. } => self.has("QUOTA"),
            Command::SetAcl { .. }
            | Command::DeleteAcl { .. }
            | Command::GetAcl(_)
            | Command::ListRights { .. }
            | Command::MyRights(_) => self.has("ACL"),
            Command::Xlist(_) => self.has("XLIST"),
            Command::StoreLabels(_) => self.has("X-GM-EXT-1"),
            _ => true,
        }
    }

    /// Whether the commands in flight permit another one.
    fn check_window(&self, command: &Command) -> Result<(), Misuse> {
        let limits = &self.config.limits;
        let is_exclusive = |verb: Verb| verb.entry().exclusive;
        // RFC 9051 §5.5: the numbers of messages may change under a command that permits EXPUNGE.
        let numbers_move = || self.in_flight.iter().any(|command| command.expunges);
        let busy = !self.pieces.is_empty()
            || self.append.is_some()
            || self.in_flight.iter().any(|command| is_exclusive(command.verb))
            || is_exclusive(command.verb()) && !self.in_flight.is_empty()
            || uses_numbers(command) && numbers_move()
            || self.in_flight.len() >= limits.in_flight.max(1)
            || self.transmit.len() > limits.output;
        if busy { Err(Misuse::Busy) } else { Ok(()) }
    }

    /// Writes a command, without sending it.
    pub(super) fn prepare(&mut self, command: &Command) -> Result<Ready, SendError> {
        let (number, tag) = self.tags.next();
        let tag: Tag = tag.ok_or(Misuse::WrongState)?;
        let utf8 = self.reader.limits().utf8;
        let pieces = command.encode(&tag, self.literal_policy(), utf8)?;
        Ok(Ready { tag: number, tag_octets: tag.as_bytes().len(), pieces })
    }

    /// Sends what [`Self::prepare`] wrote, up to the first literal that needs consent.
    pub(super) fn send(&mut self, ready: Ready, command: &Command) -> CommandId {
        self.last_id += 1;
        let id = CommandId(self.last_id);
        self.send_as(id, ready, command);
        id
    }

    /// The same for a command that is a part of another.
    pub(super) fn send_as(&mut self, id: CommandId, ready: Ready, command: &Command) {
        let verb = command.verb();
        let mailbox = match command {
            Command::Select(select) | Command::Examine(select) => Some(select.mailbox.clone()),
            _ => None,
        };
        self.in_flight.push_back(InFlight {
            id,
            tag: ready.tag,
            verb,
            expunges: verb.entry().permits_expunge || command.is_uid(),
            queued: self.queued + ready.tag_octets as u64,
            mailbox,
        });
        self.pieces = VecDeque::from(ready.pieces);
        self.next_piece();
        self.timers.stop(super::timers::ANSWER);
        self.watch();
    }

    /// Sends the next piece of the last command.
    pub(super) fn next_piece(&mut self) {
        if let Some(piece) = self.pieces.pop_front() {
            self.write(&piece);
        }
        if self.pieces.is_empty() {
            self.pieces = VecDeque::new();
            self.begin_content();
        }
    }
}

/// Whether a command names messages by their numbers, or is answered by numbers.
fn uses_numbers(command: &Command) -> bool {
    let named = |search: &crate::types::Search| {
        let names = |key: &crate::types::SearchKey| matches!(key, crate::types::SearchKey::Numbers(_));
        search.keys().iter().any(names)
    };
    match command {
        // A search without numbers among its keys answers with them, unless it is the UID form.
        Command::Search(search) => !search.uid || named(&search.search),
        Command::Sort(sort) => !sort.uid || named(&sort.search),
        Command::Thread(thread) => !thread.uid || named(&thread.search),
        Command::Replace(replace) => !replace.uid,
        Command::MultiSearch(search) => named(&search.search),
        _ => command.messages().is_some_and(|messages| !messages.is_uid()),
    }
}

/// The command with its set in ascending order: servers are known that want it so.
fn in_order(mut command: Command) -> Command {
    match &mut command {
        Command::Fetch(FetchCommand { messages, .. })
        | Command::Store(StoreCommand { messages, .. })
        | Command::StoreLabels(StoreLabelsCommand { messages, .. })
        | Command::Copy { messages, .. }
        | Command::Move { messages, .. } => match messages {
            Messages::Numbers(set) | Messages::Uids(set) => set.sort(),
        },
        Command::Expunge(Some(set)) => set.sort(),
        _ => {}
    }
    command
}
