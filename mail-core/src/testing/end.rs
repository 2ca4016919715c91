//! [`End`]: a session with its host and its driver in one value, as laws and pairs run it.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Buf as _, Bytes, BytesMut};

use super::laws::{Broken, Law};
use super::{Host, Note, Numbers};
use crate::session::{Layer, LayerError, Session, TlsInfo, Upgraded};
use crate::value::Instant;

/// Turns after which a session that never comes to rest is taken for one that never will.
const TURNS: usize = 1_000_000;

/// A session, its host, and what a driver knows of the two.
#[derive(Debug)]
#[non_exhaustive]
pub struct End<S, H> {
    /// The session.
    pub session: S,
    /// Its host.
    pub host: H,
    /// Octets that came and were not taken.
    pub input: BytesMut,
    /// Octets that the session wrote.
    pub output: Vec<u8>,
    /// What the host was told.
    pub notes: Vec<Note>,
    /// The time.
    pub now: Instant,
    /// Whether output and notes are kept; without, an end of any length needs no memory.
    pub records: bool,
    /// Whether time passes by itself, to the next deadline, when a session takes no input and its host has
    /// nothing to answer.
    pub waits: bool,
    /// If there, output is taken in pieces of such sizes, as by a peer that reads slowly.
    pub reader: Option<Numbers>,
    closed: bool,
}

impl<S: Session, H: Host<S>> End<S, H> {
    /// A session that nothing was said to.
    #[must_use]
    pub fn new(session: S, host: H) -> Self {
        Self {
            session,
            host,
            input: BytesMut::new(),
            output: Vec::new(),
            notes: Vec::new(),
            now: Instant::ORIGIN,
            records: true,
            waits: true,
            reader: None,
            closed: false,
        }
    }

    /// Whether the host was told that the session is over.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Hands the next event to the host. `false` if there is none.
    ///
    /// # Errors
    /// If it comes behind the last one.
    pub fn poll_one(&mut self) -> Result<bool, Broken> {
        let Some(event) = self.session.poll_event() else { return Ok(false) };
        self.handle(event)?;
        Ok(true)
    }

    /// Hands an event to the host.
    pub(super) fn handle(&mut self, event: S::Event) -> Result<(), Broken> {
        let note = self.host.handle(&mut self.session, event);
        if self.closed {
            return Err(Broken::new(Law::Silence, alloc::format!("behind the last event came {note:?}")));
        }
        self.closed = matches!(note, Note::Closed(_));
        self.note(note);
        Ok(())
    }

    /// Hands the events to the host. `true` if there were any.
    ///
    /// # Errors
    /// If one comes behind the last one.
    pub fn poll(&mut self) -> Result<bool, Broken> {
        let mut any = false;
        while self.poll_one()? {
            any = true;
        }
        Ok(any)
    }

    fn note(&mut self, note: Note) {
        if !self.records {
            return;
        }
        match (self.notes.last_mut(), note) {
            (_, Note::Exempt) => {}
            (Some(Note::Content(before)), Note::Content(octets)) => {
                // Whole messages come in many pieces: joined without copying all of them each time.
                let taken = core::mem::take(before);
                let mut joined = taken.try_into_mut().unwrap_or_else(|taken| BytesMut::from(&taken[..]));
                joined.extend_from_slice(&octets);
                *before = joined.freeze();
            }
            // A view of the input would be cut into by the next octets that come.
            (_, Note::Content(octets)) => self.notes.push(Note::Content(Bytes::copy_from_slice(&octets))),
            (_, note) => self.notes.push(note),
        }
    }

    /// Takes output, all of it or a piece. `true` if there was any.
    pub fn read(&mut self) -> bool {
        let transmit = self.session.transmit();
        let count = match &mut self.reader {
            Some(numbers) => numbers.piece(transmit.len()),
            None => transmit.len(),
        };
        if self.records {
            self.output.extend_from_slice(transmit.chunk().get(..count).unwrap_or_default());
        }
        transmit.advance(count);
        count > 0
    }

    /// Shows the session its input. `true` if it took some.
    pub fn take_input(&mut self) -> bool {
        let before = self.input.len();
        self.session.handle_input(&mut self.input, self.now);
        self.input.len() != before
    }

    /// Tells the time to a session whose deadline has come.
    pub fn expire(&mut self) -> bool {
        let due = self.session.poll_timeout().is_some_and(|deadline| deadline <= self.now);
        if due {
            self.session.handle_timeout(self.now);
        }
        due
    }

    /// Whether the session waits for something else than input.
    fn is_held(&self) -> bool {
        let wants = self.session.wants();
        !wants.input && !wants.close && wants.upgrade.is_none()
    }

    /// What a driver does while anything moves. A session that takes no input gets the answers that the host
    /// has kept, then time.
    ///
    /// # Errors
    /// If the session never comes to rest, or speaks behind its last event.
    pub fn turn(&mut self) -> Result<(), Broken> {
        for _ in 0..TURNS {
            let mut moved = self.poll()?;
            moved |= self.take_input();
            moved |= self.poll()?;
            moved |= self.read();
            moved = moved || self.is_held() && self.host.work(&mut self.session, 0);
            moved = moved || self.waits && self.is_held() && self.wait();
            if !moved {
                return Ok(());
            }
        }
        Err(Broken::new(Law::Progress, "the session never comes to rest".into()))
    }

    /// Lets time pass to the next deadline. `false` if there is none.
    pub fn wait(&mut self) -> bool {
        let Some(deadline) = self.session.poll_timeout() else { return false };
        self.now = self.now.max(deadline);
        self.session.handle_timeout(self.now);
        true
    }

    /// Octets come from the peer.
    ///
    /// # Errors
    /// Those of [`Self::turn`].
    pub fn receive(&mut self, octets: &[u8]) -> Result<(), Broken> {
        self.input.extend_from_slice(octets);
        self.turn()
    }

    /// The host does all that waits.
    ///
    /// # Errors
    /// Those of [`Self::turn`].
    pub fn settle(&mut self) -> Result<(), Broken> {
        self.turn()?;
        for _ in 0..TURNS {
            if !self.host.work(&mut self.session, 0) {
                return Ok(());
            }
            self.turn()?;
        }
        Err(Broken::new(Law::Progress, "the host never comes to rest".into()))
    }

    /// The news that the layer is in place which the session wants.
    pub(super) fn layer(&self) -> Option<Upgraded> {
        self.session.wants().upgrade.map(|layer| match layer {
            Layer::Tls => Upgraded::Tls(TlsInfo::default()),
            Layer::Deflate => Upgraded::Deflate,
            Layer::DeflateEnd => Upgraded::DeflateEnd,
        })
    }

    /// Puts the layer in place that the session wants, if it does; what was not taken belongs to it. It is a
    /// layer in name only: octets go on unchanged.
    ///
    /// # Errors
    /// Those of [`Self::turn`].
    pub fn upgrade(&mut self) -> Result<bool, Broken> {
        let Some(upgraded) = self.layer() else { return Ok(false) };
        self.input.clear();
        self.session.handle_upgrade(upgraded, self.now);
        self.turn()?;
        Ok(true)
    }

    /// The peer ends; in a handshake, that is its failure. The host does all that waits, before and after.
    ///
    /// # Errors
    /// Those of [`Self::turn`].
    pub fn end(&mut self) -> Result<(), Broken> {
        self.settle()?;
        if self.session.wants().upgrade.is_some() {
            let failed = Upgraded::Failed(LayerError::Tls(String::from("the peer closed")));
            self.session.handle_upgrade(failed, self.now);
        } else {
            self.session.handle_eof(self.now);
        }
        self.settle()
    }
}
