//! What a host can say. Each call returns the id that the events of the command carry, or says why it cannot be
//! sent now; then nothing was written. Which commands go together is in `window`, what they need in `announced`.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::Misuse;

use super::append::Piece;
use super::window::{permits_expunge, saves, set_mut};
use super::{Client, CommandId, InFlight, Phase, SendError, State};
use crate::types::{Command, States, Tag, Verb};

/// A command that is ready to be sent.
pub(super) struct Ready {
    tag: u64,
    tag_octets: usize,
    pub(super) pieces: Vec<Piece>,
}

impl Client {
    /// Sends a command. Sets go in ascending order, strings in whatever form can hold them.
    ///
    /// [`Command::StartTls`] leads to [`Event::Secured`](super::Event::Secured), [`Command::Compress`] to
    /// [`Event::Compressed`](super::Event::Compressed), [`Command::Logout`] to the end of the session.
    /// AUTHENTICATE is sent by [`Self::authenticate`], APPEND by [`Self::append`], REPLACE by [`Self::replace`].
    ///
    /// # Errors
    /// [`Misuse::Busy`] if other commands must be complete first, or a literal of one must be consented to:
    /// [`Self::obstacle`] says which; [`Misuse::WrongState`] in the wrong state, before the greeting, for
    /// COMPRESS where something compresses already, and for those that are not sent by this;
    /// [`Misuse::NotAnnounced`] if the server must announce the command or an option in it and does not;
    /// [`Misuse::Plaintext`] where it would show what only TLS may; [`Misuse::Closed`] at the end;
    /// [`SendError::LoginDisabled`]; [`SendError::NotEnabled`]; [`SendError::NumbersDisabled`];
    /// [`SendError::Encode`] if a value cannot be written.
    pub fn command(&mut self, mut command: Command) -> Result<CommandId, SendError> {
        // Servers are known that want it so.
        if let Some(set) = set_mut(&mut command) {
            set.sort();
        }
        self.check(&command)?;
        self.fit_charset(&mut command)?;
        self.fit_patterns(&mut command);
        match &command {
            Command::Authenticate { .. } | Command::Append(_) | Command::Replace(_) => {
                return Err(Misuse::WrongState.into());
            }
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
    pub(super) fn check(&self, command: &Command) -> Result<(), SendError> {
        match self.phase {
            Phase::Closed => return Err(Misuse::Closed.into()),
            Phase::Upgrade(_) | Phase::Greeting => return Err(Misuse::WrongState.into()),
            Phase::Open => {}
        }
        let verb = command.verb();
        let in_state = match verb.entry().states {
            States::Any => true,
            States::NotAuthenticated => self.state == State::NotAuthenticated,
            States::Authenticated => self.state != State::NotAuthenticated,
            States::Selected => matches!(self.state, State::Selected(_)),
        };
        let fits = match verb {
            // RFC 4978 §3: TLS lies below DEFLATE, so it cannot come later.
            Verb::StartTls => !self.secure && !self.compressed,
            Verb::Compress => !self.compressed && !self.compressed_elsewhere,
            // RFC 5161 §3.1: not once a mailbox is selected.
            Verb::Enable => self.state == State::Authenticated,
            _ => true,
        };
        if !in_state || !fits {
            return Err(Misuse::WrongState.into());
        }
        self.check_announced(command)?;
        // Whatever is not needed for TLS waits for it.
        let harmless = matches!(verb, Verb::Capability | Verb::Noop | Verb::Logout | Verb::StartTls);
        if self.awaits_tls() && !harmless {
            return Err(Misuse::Plaintext.into());
        }
        if self.obstacle(command).is_some() { Err(Misuse::Busy.into()) } else { Ok(()) }
    }

    /// Writes a command, without sending it.
    pub(super) fn prepare(&mut self, command: &Command) -> Result<Ready, SendError> {
        let (number, tag) = self.tags.next();
        let tag: Tag = tag.ok_or(Misuse::WrongState)?;
        let utf8 = self.reader.limits().utf8;
        let mut pieces = Vec::new();
        put_pieces(&mut pieces, command.encode(&tag, self.literal_policy(), utf8)?);
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
        let mailbox = match command {
            Command::Select(select) | Command::Examine(select) => Some(select.mailbox.clone()),
            _ => None,
        };
        let trial = self.trial(command);
        self.in_flight.push_back(InFlight {
            id,
            tag: ready.tag,
            verb: command.verb(),
            expunges: permits_expunge(command),
            saves: saves(command),
            queued: self.queued + ready.tag_octets as u64,
            mailbox,
            trial,
            answered: false,
        });
        self.pieces = VecDeque::from(ready.pieces);
        self.write_pieces();
        self.timers.stop(super::timers::ANSWER);
        self.watch();
    }
}

/// Adds octets between which the server must consent to a literal.
pub(super) fn put_pieces(pieces: &mut Vec<Piece>, octets: Vec<Bytes>) {
    for (index, octets) in octets.into_iter().enumerate() {
        if index > 0 {
            pieces.push(Piece::Consent);
        }
        pieces.push(Piece::Octets(octets));
    }
}
