//! [`Connection`] over tokio's streams.

use alloc::boxed::Box;
use core::future::{Future, poll_fn};
use core::ops::{Deref, DerefMut};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use ::tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use ::tokio::time::{self, Sleep};
use bytes::{Buf as _, BytesMut};

use super::driver::{Driver, Phase};
use super::run::{TaskRun, Turn};
use super::{Outcome, READ_SIZE, RunError, Step};
use crate::session::{Session, Task, Transport};
use crate::value::Instant;

/// A session on a stream.
///
/// Full duplex: it reads while it waits for room to write. Cancel-safe: the future of
/// [`Self::next_event`] can be dropped at any point and nothing is lost. Idle it holds no buffer.
/// Dereferences to the protocol session; the next call of [`Self::next_event`] sends what a command or
/// an answer wrote. [The module above](crate::io) says how a connection ends.
#[derive(Debug)]
pub struct Connection<S, P: Session> {
    stream: S,
    driver: Driver<P>,
    origin: time::Instant,
    timer: Option<Pin<Box<Sleep>>>,
    needs_flush: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Session> Connection<S, P> {
    /// A session without TLS on `stream`. [`Instant::ORIGIN`] is now.
    #[must_use]
    pub fn new(stream: S, session: P) -> Self {
        Self::over(stream, Transport::plain(session))
    }

    /// A session with its layers on `stream`. [`Instant::ORIGIN`] is now.
    #[must_use]
    pub fn over(stream: S, transport: Transport<P>) -> Self {
        Self { stream, driver: Driver::new(transport), origin: now(), timer: None, needs_flush: false }
    }

    /// The session. The connection dereferences to it as well.
    #[must_use]
    pub const fn session(&self) -> &P {
        self.driver.session()
    }

    /// The session, for commands and answers.
    pub const fn session_mut(&mut self) -> &mut P {
        self.driver.session_mut()
    }

    /// The stream.
    #[must_use]
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// Gives the stream back and drops the session with all that waits in it: an end without farewell.
    #[must_use]
    pub fn abort(self) -> S {
        self.stream
    }

    /// The stream, the session with its layers, and what was read and not taken by them.
    #[must_use]
    pub fn into_parts(self) -> (S, Transport<P>, BytesMut) {
        (self.stream, self.driver.transport, self.driver.input)
    }

    /// The next event, after writing what waits and reading what comes. `None` after the last event,
    /// once the stream has ended in order.
    ///
    /// Cancel-safe. Waits for ever if nothing but an answer of the host can help: select over this and the
    /// answers if they come from another task.
    ///
    /// # Errors
    /// If the stream failed. The session's own last event, which tells how far it was, has come before.
    pub async fn next_event(&mut self) -> io::Result<Option<P::Event>> {
        if let Some(event) = self.driver.queued() {
            return Ok(Some(event));
        }
        match poll_fn(|context| self.poll_turn(context, false)).await? {
            Turn::Event(event) => Ok(Some(event)),
            Turn::Room | Turn::Finished => Ok(None),
        }
    }

    /// Runs `task` to its end and drops its items.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn run<T: Task<P>>(&mut self, task: T) -> Result<T::Output, RunError<T::Error>> {
        let mut running = self.begin(task);
        loop {
            if let Step::Done(output) = running.step().await? {
                return Ok(output);
            }
        }
    }

    /// Begins `task`, to be driven with [`Running::step`].
    pub const fn begin<T: Task<P>>(&mut self, task: T) -> Running<'_, S, P, T> {
        Running { connection: self, run: TaskRun::new(task) }
    }

    fn now(&self) -> Instant {
        let elapsed = now().saturating_duration_since(self.origin);
        Instant::from_millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }

    /// The next event, room for output if `want_room`, or the end.
    fn poll_turn(&mut self, context: &mut Context<'_>, want_room: bool) -> Poll<io::Result<Turn<P::Event>>> {
        loop {
            let now = self.now();
            match self.driver.phase {
                Phase::Finished => return Poll::Ready(self.driver.outcome().map(|()| Turn::Finished)),
                Phase::ShuttingDown => {
                    let shut = Pin::new(&mut self.stream).poll_shutdown(context);
                    if shut.is_pending() && self.poll_deadline(context).is_pending() {
                        return Poll::Pending;
                    }
                    // A stream that cannot be shut down is as good as shut down.
                    self.driver.start_drain(now);
                    continue;
                }
                Phase::Draining { .. } => {
                    let mut dropped = [0; 1024];
                    let mut buffer = ReadBuf::new(&mut dropped);
                    match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                        Poll::Ready(Ok(())) => self.driver.drained(buffer.filled().len()),
                        Poll::Pending if self.poll_deadline(context).is_pending() => return Poll::Pending,
                        Poll::Ready(Err(_)) | Poll::Pending => self.driver.phase = Phase::Finished,
                    }
                    continue;
                }
                Phase::Open => {}
            }
            if let Some(event) = self.driver.turn(now) {
                return Poll::Ready(Ok(Turn::Event(event)));
            }
            let wrote = self.poll_write(context);
            if self.driver.is_over() && !self.needs_flush {
                self.driver.phase = Phase::ShuttingDown;
                continue;
            }
            let read = self.driver.wants_input() && self.poll_read(context);
            if want_room && wrote && self.driver.has_room() {
                return Poll::Ready(Ok(Turn::Room));
            }
            if wrote || read || self.poll_deadline(context).is_ready() {
                continue;
            }
            self.driver.release();
            return Poll::Pending;
        }
    }

    /// Writes once, and flushes if that was all. `true` if anything was written or given up.
    fn poll_write(&mut self, context: &mut Context<'_>) -> bool {
        let mut progress = false;
        if self.driver.has_output() {
            let stream = Pin::new(&mut self.stream);
            match stream.poll_write(context, self.driver.transport.transmit().chunk()) {
                Poll::Ready(Ok(count)) => {
                    self.driver.written(count);
                    self.needs_flush = true;
                }
                Poll::Ready(Err(error)) => self.driver.fail_write(error),
                Poll::Pending => return false,
            }
            progress = true;
        }
        if self.needs_flush && !self.driver.has_output() {
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    self.driver.fail_write(error);
                    progress = true;
                }
                Poll::Pending => return progress,
            }
            self.needs_flush = false;
        }
        progress
    }

    /// Reads once; `true` if anything came, the end included.
    fn poll_read(&mut self, context: &mut Context<'_>) -> bool {
        self.driver.input.reserve(READ_SIZE);
        let read = pin!(self.stream.read_buf(&mut self.driver.input)).poll(context);
        match read {
            Poll::Ready(Ok(0)) => self.driver.at_end = true,
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => self.driver.fail_read(error),
            Poll::Pending => return false,
        }
        true
    }

    /// Ready when the deadline has come.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let after = |deadline: Instant| Duration::from_millis(deadline.as_millis());
        let Some(at) = self.driver.deadline().and_then(|at| self.origin.checked_add(after(at))) else {
            self.timer = None;
            return Poll::Pending;
        };
        let sleep = self.timer.get_or_insert_with(|| Box::pin(time::sleep_until(at)));
        // A deadline that moves away, as most do with every command, costs nothing until the timer fires.
        if at < sleep.deadline() {
            sleep.as_mut().reset(at);
        }
        while sleep.as_mut().poll(context).is_ready() {
            if at <= now() {
                self.timer = None;
                return Poll::Ready(());
            }
            sleep.as_mut().reset(at);
        }
        Poll::Pending
    }
}

/// The clock of tokio, which tests can pause.
fn now() -> time::Instant {
    time::Instant::now()
}

impl<S, P: Session> Deref for Connection<S, P> {
    type Target = P;

    fn deref(&self) -> &P {
        self.driver.session()
    }
}

impl<S, P: Session> DerefMut for Connection<S, P> {
    fn deref_mut(&mut self) -> &mut P {
        self.driver.session_mut()
    }
}

/// A task in progress on a connection. Dropping it drops the task; what the session still has under way
/// comes as events of [`Connection::next_event`].
#[derive(Debug)]
pub struct Running<'a, S, P: Session, T> {
    connection: &'a mut Connection<S, P>,
    run: TaskRun<T>,
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Session, T: Task<P>> Running<'_, S, P, T> {
    /// Goes on to the next item or to the end. A cancelled step is resumed by calling it again.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn step(&mut self) -> Outcome<T, P> {
        loop {
            if let Some(outcome) = self.run.prepare(&mut self.connection.driver) {
                return outcome;
            }
            let connection = &mut *self.connection;
            let turn = poll_fn(|context| connection.poll_turn(context, true)).await.map_err(RunError::Io)?;
            if let Some(outcome) = self.run.turn(turn, &mut self.connection.driver) {
                return outcome;
            }
        }
    }

    /// The task, to hand it more content. `None` once it is over.
    pub const fn task(&mut self) -> Option<&mut T> {
        self.run.ready_due = true;
        self.run.task.as_mut()
    }

    /// An event that was not the task's, if one waits: the oldest first.
    pub fn queued_event(&mut self) -> Option<P::Event> {
        self.connection.driver.queued()
    }

    /// The session.
    pub const fn session_mut(&mut self) -> &mut P {
        self.connection.session_mut()
    }
}
