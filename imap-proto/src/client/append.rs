//! APPEND and its message: RFC 9051 §6.3.12, literals by RFC 7888. The message is streamed: the session takes as
//! much as there is room for.

use alloc::boxed::Box;

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::value::Misuse;

use super::{Client, CommandId, ContentError, Event, SendError};
use crate::encode::Literals;
use crate::types::{AppendCommand, Command, StatusResponse};

/// A message on its way.
pub(super) struct Append {
    id: CommandId,
    /// Octets still to be written.
    left: u64,
    /// Whether the server consents, or needs not to be asked.
    begun: bool,
    /// How the server has completed the command already; it is told when the message is written, since the
    /// server reads all of it anyway.
    refused: Option<StatusResponse>,
}

impl Client {
    /// APPEND: adds a message of `octets` to a mailbox. [`Event::ContentWanted`] says when the server waits for
    /// it; until it is written by [`Self::content`] no other command can be sent.
    ///
    /// # Errors
    /// As [`Self::command`]; [`Misuse::TooLarge`] if the server announces a limit below it.
    pub fn append(&mut self, append: AppendCommand, octets: u64) -> Result<CommandId, SendError> {
        let command = Command::Append(append);
        self.check(&command)?;
        if self.append_limit().is_some_and(|limit| octets > limit) {
            return Err(Misuse::TooLarge.into());
        }
        let policy = self.literal_policy();
        let mut ready = self.prepare(&command)?;
        let mut last = BytesMut::from(ready.pieces.pop().unwrap_or_default());
        let mut literals = Literals::command(&mut last, policy, false);
        literals.announce(octets, false);
        let waits = !literals.pauses().is_empty();
        ready.pieces.push(last.freeze());
        if waits {
            // RFC 7888 §5: what follows the consent is the message.
            ready.pieces.push(Bytes::new());
        }
        self.last_id += 1;
        let id = CommandId(self.last_id);
        self.append = Some(Box::new(Append { id, left: octets, begun: false, refused: None }));
        self.send_as(id, ready, &command);
        Ok(id)
    }

    /// Octets of a message that may be written now, all in all; what [`Self::content`] takes at once depends
    /// on the room there is.
    #[must_use]
    pub fn content_wanted(&self) -> u64 {
        self.append.as_ref().filter(|append| append.begun).map_or(0, |append| append.left)
    }

    /// Writes octets of the message, and says how many were taken: none while there is no room.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if no message is wanted now, [`Misuse::TooLarge`] if there are more octets than
    /// were announced, [`ContentError::Nul`]. Nothing is written then.
    pub fn content(&mut self, octets: &[u8]) -> Result<usize, ContentError> {
        let wanted = self.content_wanted();
        if wanted == 0 {
            return Err(Misuse::WrongState.into());
        }
        if octets.len() as u64 > wanted {
            return Err(Misuse::TooLarge.into());
        }
        let room = self.config.limits.output.saturating_sub(self.transmit.len());
        let taken = octets.get(..room).unwrap_or(octets);
        if let Some(offset) = memchr::memchr(0, taken) {
            return Err(ContentError::Nul { offset });
        }
        if !taken.is_empty() {
            self.write(taken);
            if let Some(append) = &mut self.append {
                append.left -= taken.len() as u64;
            }
            // What is written is progress.
            self.timers.stop(super::timers::ANSWER);
            self.end_content();
            self.watch();
        }
        Ok(taken.len())
    }

    /// Everything before the message is written, and the server consents.
    pub(super) fn begin_content(&mut self) {
        let Some(append) = &mut self.append else { return };
        append.begun = true;
        let (id, octets) = (append.id, append.left);
        if octets > 0 {
            self.push(Event::ContentWanted { id, octets });
        }
        self.end_content();
    }

    /// Ends the command if the message is written.
    fn end_content(&mut self) {
        let Some(append) = self.append.take_if(|append| append.begun && append.left == 0) else { return };
        self.transmit.buffer().put_slice(b"\r\n");
        self.queued += 2;
        if let Some(status) = append.refused {
            self.in_flight.retain(|command| command.id != append.id);
            self.push(Event::Completed { id: append.id, status });
        }
    }

    /// The server refuses the command `id`, some of which is not written. `true` if it must be written all the
    /// same, before that is told.
    pub(super) fn refused_early(&mut self, id: CommandId, status: &StatusResponse) -> bool {
        match &mut self.append {
            Some(append) if append.id == id && append.begun => {
                append.refused = Some(status.clone());
                true
            }
            // RFC 9051 §4.3: without consent nothing of the literal is sent, and the command is over.
            _ => {
                self.pieces.clear();
                self.append = None;
                false
            }
        }
    }
}
