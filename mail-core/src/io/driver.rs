//! [`Driver`]: what both kinds of connection share, without I/O: the transport, the input buffer, the queue
//! of events that a task did not want, and the phases of the end.

use alloc::collections::VecDeque;
use core::fmt;
use core::time::Duration;
use std::io;

use bytes::{Buf as _, BytesMut};

use crate::session::{Session, Transport};
use crate::value::Instant;

/// Events that a task did not want wait here, so many at the most.
const QUEUE_LIMIT: usize = 64;
/// With less output than this waiting, there is room for more.
const ROOM: usize = 16 * 1024;
/// How long the peer has, after the session's last event, to take the output that waits.
const FAREWELL_TIME: Duration = Duration::from_secs(60);
/// How long the rest of a peer's input is read and dropped at the end.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// How many octets of it at the most.
const DRAIN_OCTETS: usize = 256 * 1024;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The conversation goes on, or its last output is still to be written.
    Open,
    /// All is said: the write half is to be shut down.
    ShuttingDown,
    /// The rest of the peer's input is read and dropped.
    Draining { until: Instant },
    /// Nothing more happens.
    Finished,
}

pub(super) struct Driver<P: Session> {
    pub(super) transport: Transport<P>,
    /// Received octets that the transport has not taken.
    pub(super) input: BytesMut,
    pub(super) phase: Phase,
    /// Whether the peer has ended its half of the stream.
    pub(super) at_end: bool,
    /// Whether writing failed: output is dropped, and input read to its end, for there may be a reply in it.
    pub(super) write_failed: bool,
    /// When the output that waits after the session's end is given up.
    farewell: Option<Instant>,
    /// Octets of the peer that are read and dropped after the session's end, at the most.
    drain_left: usize,
    queue: VecDeque<P::Event>,
    error: Option<io::Error>,
}

impl<P: Session> Driver<P> {
    pub(super) fn new(transport: Transport<P>) -> Self {
        Self {
            transport,
            input: BytesMut::new(),
            phase: Phase::Open,
            at_end: false,
            write_failed: false,
            farewell: None,
            drain_left: DRAIN_OCTETS,
            queue: VecDeque::new(),
            error: None,
        }
    }

    pub(super) const fn session(&self) -> &P {
        self.transport.session()
    }

    pub(super) const fn session_mut(&mut self) -> &mut P {
        self.transport.session_mut()
    }

    /// An event that an earlier task did not want.
    pub(super) fn queued(&mut self) -> Option<P::Event> {
        let event = self.queue.pop_front();
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        event
    }

    pub(super) fn put_back(&mut self, event: P::Event) {
        self.queue.push_back(event);
    }

    pub(super) fn queue_is_full(&self) -> bool {
        self.queue.len() >= QUEUE_LIMIT
    }

    pub(super) fn has_room(&mut self) -> bool {
        self.transport.transmit().len() < ROOM && self.transport.session_mut().transmit().len() < ROOM
    }

    /// Tells the session the time and what is left of the input, and takes its next event. Every turn begins
    /// with it: an answer of the host may have opened the way for input that was left.
    pub(super) fn turn(&mut self, now: Instant) -> Option<P::Event> {
        self.transport.handle_timeout(now);
        self.transport.handle_input(&mut self.input, now);
        // Input that the session has not come to is older than the end.
        if self.at_end && (self.input.is_empty() || self.transport.wants().input) {
            self.transport.handle_eof(now);
        }
        let event = self.transport.poll_event();
        if event.is_none() && self.transport.wants().close {
            let until = *self.farewell.get_or_insert(now + FAREWELL_TIME);
            if now >= until && !self.write_failed {
                self.fail_write(io::ErrorKind::TimedOut.into());
            }
            // Nobody reads it any more; but a peer that writes may not read the farewell before.
            let unread = core::mem::take(&mut self.input).len();
            self.drain_left = self.drain_left.saturating_sub(unread);
        }
        event
    }

    /// Whether to read now.
    pub(super) fn wants_input(&self) -> bool {
        let drains = self.farewell.is_some() && self.drain_left > 0;
        !self.at_end && (self.transport.wants().input || drains)
    }

    /// Whether output waits that can be written.
    pub(super) fn has_output(&mut self) -> bool {
        if self.write_failed {
            self.drop_output();
        }
        self.transport.transmit().has_remaining()
    }

    /// `count` octets of the output were written.
    pub(super) fn written(&mut self, count: usize) {
        if count == 0 {
            return self.fail_write(io::ErrorKind::WriteZero.into());
        }
        self.transport.transmit().advance(count);
    }

    /// Writing failed. The peer may have said something before it went, so its input counts still.
    pub(super) fn fail_write(&mut self, error: io::Error) {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
        self.write_failed = true;
        self.drop_output();
        // Who leaves after the last word does no harm.
        let is_gone = matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected);
        if !(is_gone && self.transport.wants().close) {
            self.error.get_or_insert(error);
        }
    }

    fn drop_output(&mut self) {
        while self.transport.transmit().has_remaining() {
            let count = self.transport.transmit().len();
            self.transport.transmit().advance(count);
        }
    }

    /// Reading failed: to the session that is the end of the input.
    pub(super) fn fail_read(&mut self, error: io::Error) {
        self.at_end = true;
        if self.farewell.is_none() {
            self.error.get_or_insert(error);
        }
    }

    /// The error that stands behind the end, once.
    pub(super) fn outcome(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// Whether all is said and written.
    pub(super) fn is_over(&mut self) -> bool {
        self.transport.wants().close && !self.has_output()
    }

    /// The write half is shut down: drop what the peer still sends, unless it has ended as well.
    pub(super) fn start_drain(&mut self, now: Instant) {
        self.input = BytesMut::new();
        self.phase = if self.at_end || self.write_failed {
            Phase::Finished
        } else {
            Phase::Draining { until: now + DRAIN_TIME }
        };
    }

    /// `count` octets were dropped; 0 is the end.
    pub(super) fn drained(&mut self, count: usize) {
        self.drain_left = self.drain_left.saturating_sub(count);
        if count == 0 || self.drain_left == 0 {
            self.phase = Phase::Finished;
        }
    }

    /// When the connection must act without having been asked.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open => self.transport.poll_timeout().into_iter().chain(self.farewell).min(),
            Phase::ShuttingDown => self.farewell,
            Phase::Draining { until } => Some(until),
            Phase::Finished => None,
        }
    }

    /// Gives back the memory that an idle connection does not need.
    pub(super) fn release(&mut self) {
        if self.input.is_empty() && self.input.capacity() > 0 {
            self.input = BytesMut::new();
        }
    }
}

impl<P: Session + fmt::Debug> fmt::Debug for Driver<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("transport", &self.transport)
            .field("phase", &self.phase)
            .field("at_end", &self.at_end)
            .finish_non_exhaustive()
    }
}
