//! APPEND and REPLACE with their messages: RFC 9051 §6.3.12, RFC 3502, RFC 4469, RFC 6855 §4, RFC 8508; literals by
//! RFC 7888. Messages are streamed: the session takes as much as there is room for.

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::Misuse;

use super::{Client, CommandId, ContentError, Event, SendError};
use crate::encode::{EncodeError, LiteralPolicy};
use crate::types::{
    AppendCommand, AppendMessage, CatenatePart, Command, MessageForm, OctetString, ReplaceCommand,
    StatusResponse,
};

/// What a message is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whole or in parts")]
pub enum Content {
    /// So many octets, which the host gives to [`Client::content`].
    Octets(u64),
    /// Parts, one behind the other, for [`MessageForm::Catenate`]; at least one.
    Parts(Vec<ContentPart>),
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4469 §5 has these two")]
pub enum ContentPart {
    /// So many octets, which the host gives to [`Client::content`].
    Octets(u64),
    /// Octets that the server has under this URL.
    Url(OctetString),
}

impl From<u64> for Content {
    fn from(octets: u64) -> Self {
        Self::Octets(octets)
    }
}

impl Content {
    /// Octets that the host gives.
    fn octets(&self) -> u64 {
        match self {
            Self::Octets(octets) => *octets,
            Self::Parts(parts) => {
                let octets = |part: &ContentPart| match part {
                    ContentPart::Octets(octets) => *octets,
                    ContentPart::Url(_) => 0,
                };
                parts.iter().map(octets).fold(0, u64::saturating_add)
            }
        }
    }
}

/// A piece of a command that is not written.
#[derive(Debug)]
pub(super) enum Piece {
    Octets(Bytes),
    /// The server must consent before the rest is written.
    Consent,
    /// Octets of a message, which the host gives.
    Content {
        left: u64,
        /// Whether they may have NUL.
        binary: bool,
        /// What ends the command behind them, if it has to end there.
        end: &'static [u8],
    },
}

impl Client {
    /// APPEND: adds a message of `octets` to a mailbox. [`Event::ContentWanted`] says when the server waits for
    /// it; until it is written by [`Self::content`] no other command can be sent.
    ///
    /// # Errors
    /// As [`Self::command`]; [`Misuse::TooLarge`] if the server announces a limit below it.
    pub fn append(&mut self, append: AppendCommand, octets: u64) -> Result<CommandId, SendError> {
        self.append_messages(append, octets, Vec::new())
    }

    /// APPEND of one message or, where the server announces MULTIAPPEND, of several, all of which are added or
    /// none. [`Event::ContentWanted`] asks for each literal in its turn.
    ///
    /// # Errors
    /// As [`Self::append`]; [`EncodeError::Contradiction`] if a message in parts is not
    /// [`MessageForm::Catenate`], or the other way round.
    pub fn append_messages(
        &mut self,
        append: AppendCommand,
        content: impl Into<Content>,
        more: Vec<(AppendMessage, Content)>,
    ) -> Result<CommandId, SendError> {
        let form = append.form;
        self.upload(&Command::Append(append), form, &content.into(), &more)
    }

    /// REPLACE: adds a message, and removes the one that it takes the place of.
    ///
    /// # Errors
    /// As [`Self::append_messages`].
    pub fn replace(
        &mut self,
        replace: ReplaceCommand,
        content: impl Into<Content>,
    ) -> Result<CommandId, SendError> {
        let form = replace.append.form;
        self.upload(&Command::Replace(replace), form, &content.into(), &[])
    }

    fn upload(
        &mut self,
        command: &Command,
        form: MessageForm,
        content: &Content,
        more: &[(AppendMessage, Content)],
    ) -> Result<CommandId, SendError> {
        self.check(command)?;
        self.check_message_forms(more.iter().map(|(message, _)| message.form).chain([form]))?;
        if !more.is_empty() {
            self.need(&["MULTIAPPEND"])?;
        }
        let mut contents = more.iter().map(|(_, content)| content).chain([content]);
        if self.append_limit().is_some_and(|limit| contents.any(|content| content.octets() > limit)) {
            return Err(Misuse::TooLarge.into());
        }
        let policy = self.literal_policy();
        let mut ready = self.prepare(command)?;
        put_content(&mut ready.pieces, form, content, policy)?;
        for (message, content) in more {
            ready.pieces.push(Piece::Octets(message.encode()));
            put_content(&mut ready.pieces, message.form, content, policy)?;
        }
        ready.pieces.push(Piece::Octets(Bytes::from_static(b"\r\n")));
        Ok(self.send(ready, command))
    }

    /// Octets of the present literal of a message that may be written now, all in all; what [`Self::content`]
    /// takes at once depends on the room there is.
    #[must_use]
    pub fn content_wanted(&self) -> u64 {
        match self.pieces.front() {
            Some(Piece::Content { left, .. }) => *left,
            _ => 0,
        }
    }

    /// Writes octets of the message, and says how many were taken: none while there is no room.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if no message is wanted now, [`Misuse::TooLarge`] if there are more octets than
    /// were announced, [`ContentError::Nul`]. Nothing is written then.
    pub fn content(&mut self, octets: &[u8]) -> Result<usize, ContentError> {
        let room = self.config.limits.output.saturating_sub(self.transmit.len());
        let Some(Piece::Content { left, binary, .. }) = self.pieces.front_mut() else {
            return Err(Misuse::WrongState.into());
        };
        if octets.len() as u64 > *left {
            return Err(Misuse::TooLarge.into());
        }
        let taken = octets.get(..room).unwrap_or(octets);
        if let Some(offset) = memchr::memchr(0, taken).filter(|_| !*binary) {
            return Err(ContentError::Nul { offset });
        }
        if !taken.is_empty() {
            *left -= taken.len() as u64;
            let complete = *left == 0;
            self.write(taken);
            // What is written is progress.
            self.timers.stop(super::timers::ANSWER);
            if complete {
                self.write_pieces();
            }
            self.watch();
        }
        Ok(taken.len())
    }

    /// Writes what can be written of the last command: up to a literal that the server must consent to, or that
    /// the host has.
    pub(super) fn write_pieces(&mut self) {
        while let Some(piece) = self.pieces.front() {
            match piece {
                Piece::Octets(octets) => {
                    let octets = octets.clone();
                    self.write(&octets);
                }
                Piece::Content { left: 0, .. } => {}
                Piece::Content { left, .. } => {
                    let octets = *left;
                    if let Some(command) = self.in_flight.back() {
                        let id = command.id;
                        self.push(Event::ContentWanted { id, octets });
                    }
                    return;
                }
                Piece::Consent => return,
            }
            self.pieces.pop_front();
        }
        self.pieces = alloc::collections::VecDeque::new();
        if let Some(status) = self.refused.take()
            && let Some(command) = self.in_flight.pop_back()
        {
            self.push(Event::Completed { id: command.id, status: *status });
        }
    }

    /// The server consents to a literal. `false` if it was not asked to.
    pub(super) fn literal_accepted(&mut self) -> bool {
        let asked = matches!(self.pieces.front(), Some(Piece::Consent));
        if asked {
            self.timers.stop(super::timers::ANSWER);
            self.pieces.pop_front();
            self.write_pieces();
        }
        asked
    }

    /// The server refuses the last command, some of which is not written. `true` if some must be written all the
    /// same, before that is told.
    pub(super) fn refused_early(&mut self, status: &StatusResponse) -> bool {
        match self.pieces.front_mut() {
            // What was announced is written, since the server reads it anyway; then the command ends.
            Some(Piece::Content { end, .. }) => {
                let end = Bytes::from_static(end);
                self.pieces.truncate(1);
                self.pieces.push_back(Piece::Octets(end));
                self.refused = Some(alloc::boxed::Box::new(status.clone()));
                true
            }
            // RFC 9051 §4.3: without consent nothing of the literal is sent, and the command is over.
            _ => {
                self.pieces.clear();
                false
            }
        }
    }
}

/// Announces a message and asks the host for it.
fn put_content(
    pieces: &mut Vec<Piece>,
    form: MessageForm,
    content: &Content,
    policy: LiteralPolicy,
) -> Result<(), EncodeError> {
    let parts = match (form, content) {
        (MessageForm::Catenate, Content::Parts(parts)) if parts.is_empty() => return Err(EncodeError::Empty),
        (MessageForm::Catenate, Content::Parts(parts)) => parts,
        (MessageForm::Literal | MessageForm::Binary | MessageForm::Utf8, Content::Octets(octets)) => {
            put_literal(pieces, form, *octets, policy);
            pieces.push(Piece::Octets(Bytes::from_static(form.end())));
            return Ok(());
        }
        _ => {
            return Err(EncodeError::Contradiction(
                "a message in parts where it is to be whole, or the reverse",
            ));
        }
    };
    for (index, part) in parts.iter().enumerate() {
        let (part, octets) = match part {
            ContentPart::Octets(octets) => (CatenatePart::Text, Some(*octets)),
            ContentPart::Url(url) => (CatenatePart::Url(url.clone()), None),
        };
        super::commands::put_pieces(pieces, part.encode(index == 0, policy));
        if let Some(octets) = octets {
            put_literal(pieces, MessageForm::Literal, octets, policy);
            if let Some(Piece::Content { end, .. }) = pieces.last_mut() {
                *end = b")\r\n";
            }
        }
    }
    pieces.push(Piece::Octets(Bytes::from_static(form.end())));
    Ok(())
}

fn put_literal(pieces: &mut Vec<Piece>, form: MessageForm, octets: u64, policy: LiteralPolicy) {
    let announcing = form.announce(octets, policy);
    pieces.push(Piece::Octets(announcing.octets));
    if announcing.waits {
        pieces.push(Piece::Consent);
    }
    let binary = matches!(form, MessageForm::Binary | MessageForm::Utf8);
    let end: &[u8] = if form == MessageForm::Utf8 { b")\r\n" } else { b"\r\n" };
    pieces.push(Piece::Content { left: octets, binary, end });
}
