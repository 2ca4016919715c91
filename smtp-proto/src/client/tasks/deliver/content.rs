//! The content of a delivery on its way: behind DATA, or in chunks of BDAT that grow as they are accepted. RFC 5321
//! §4.1.1.4, RFC 3030 §2.

use mailwright_core::session::Progress;
use mailwright_core::value::Misuse;

use super::{Deliver, Step};
use crate::client::{Awaited, Client, CommandId, SendError};
use crate::types::Reply;

/// How a transaction is with its chunks.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    first_size: usize,
    largest: usize,
    /// Octets that the next one may have.
    size: usize,
    /// The first BDAT.
    first: Option<CommandId>,
    /// Octets of the present one that are not written.
    left: usize,
    /// Whether the last one was begun.
    last: bool,
    /// Replies to others that are to come.
    outstanding: usize,
    /// One failed.
    failed: bool,
}

impl Chunks {
    pub(super) fn new(first: usize, largest: usize) -> Self {
        let first_size = first.max(1);
        Self { first_size, largest: largest.max(first_size), size: first_size, ..Self::default() }
    }

    /// Another transaction begins.
    pub(super) fn restart(&mut self) {
        *self = Self::new(self.first_size, self.largest);
    }

    /// Whether the command is one of them.
    pub(super) fn is_mine(&self, id: CommandId) -> bool {
        self.first.is_some_and(|first| first <= id)
    }
}

/// What the content waits for.
enum Wait {
    /// Room, or a reply.
    Session,
    /// The host.
    Host { room: usize },
    /// Nothing: all of it is written.
    Complete,
}

impl Deliver {
    /// Writes as much content as there is room for.
    pub(super) fn content(&mut self, session: &mut Client) -> Progress<Self, Client> {
        let written = if self.chunked { self.write_chunks(session) } else { self.write_content(session) };
        match written {
            Ok(Wait::Complete) => {
                self.step = Step::Final;
                Progress::Continue
            }
            Ok(Wait::Host { room }) => match self.source.want(room) {
                Some(want) => Progress::Item(want),
                None => Progress::Continue,
            },
            // Of a session that is over the event is still to come.
            Ok(Wait::Session) | Err(SendError::Misuse(Misuse::Closed)) => Progress::Continue,
            Err(SendError::Misuse(misuse)) => self.fail(misuse.into()),
            Err(SendError::Content(error)) => self.fail(error.into()),
        }
    }

    /// Behind DATA.
    fn write_content(&mut self, session: &mut Client) -> Result<Wait, SendError> {
        loop {
            match self.source.front() {
                Some(front) => {
                    let taken = session.content(front)?;
                    self.source.advance(taken);
                    if taken == 0 {
                        return Ok(Wait::Session);
                    }
                }
                None if self.source.is_complete() => {
                    session.end_content()?;
                    return Ok(Wait::Complete);
                }
                None => return Ok(Wait::Host { room: session.content_room() }),
            }
        }
    }

    /// In chunks.
    fn write_chunks(&mut self, session: &mut Client) -> Result<Wait, SendError> {
        loop {
            while self.chunks.left > 0 {
                let front = self.source.front().unwrap_or_default();
                let front = front.get(..self.chunks.left).unwrap_or(front);
                let taken = session.content(front)?;
                self.source.advance(taken);
                self.chunks.left -= taken.min(self.chunks.left);
                if taken == 0 {
                    return Ok(Wait::Session);
                }
            }
            if self.chunks.last {
                return Ok(Wait::Complete);
            }
            // RFC 3030 §2: behind a chunk that failed no other is begun; its event may still be to come.
            if self.chunks.failed || session.must_reset() {
                return Ok(Wait::Session);
            }
            // What the host pushes is collected here for its chunk. A larger one is worth the memory only where each waits
            // for the reply to the one before.
            let collected = self.source.is_streamed() && session.capabilities().pipelining();
            let most = if collected { self.chunks.first_size } else { self.chunks.size };
            let Some((size, last)) = self.source.next_chunk(most, self.options.binary) else {
                // One more than a chunk, for a CR at its end.
                return Ok(Wait::Host { room: (most + 1).saturating_sub(self.source.at_hand()) });
            };
            match session.bdat(size as u64, last) {
                Ok(id) => {
                    self.chunks.first.get_or_insert(id);
                    self.chunks.left = size;
                    self.chunks.last = last;
                    if last {
                        self.data = Some(id);
                    } else {
                        self.chunks.outstanding += 1;
                    }
                }
                Err(SendError::Misuse(Misuse::Busy)) => return Ok(Wait::Session),
                Err(error) => return Err(error),
            }
        }
    }

    /// The reply to a chunk that is not the last.
    pub(super) fn chunk_answered(&mut self, session: &mut Client, reply: &Reply) -> Progress<Self, Client> {
        let chunks = &mut self.chunks;
        chunks.outstanding = chunks.outstanding.saturating_sub(1);
        if reply.is_positive() {
            chunks.size = chunks.size.saturating_mul(2).min(chunks.largest);
        } else {
            chunks.failed = true;
            self.settle(Awaited::Chunk, reply);
        }
        if self.step != Step::Content {
            return Progress::Continue;
        }
        // Octets that were announced must follow, whatever became of the message.
        let progress = self.content(session);
        let chunks = &self.chunks;
        let over = chunks.failed && !chunks.last && chunks.left == 0 && chunks.outstanding == 0;
        if over && self.step == Step::Content { self.next_chunk(session) } else { progress }
    }
}
