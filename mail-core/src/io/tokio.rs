//! [`Connection`] over tokio's streams.

use alloc::boxed::Box;
use core::future::{Future, poll_fn};
use core::ops::{Deref, DerefMut};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::io;

use ::tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use ::tokio::time::{self, Sleep};
use bytes::Buf as _;

use super::driver::{Driver, Phase};
use super::{Outcome, READ_SIZE, RunError, Step, TaskRun, Turn};
use crate::session::{Session, Task, Transport};
use crate::value::Instant;

/// A session on a stream.
///
/// Full duplex: it reads while it waits for room to write. Cancel-safe: the future of
/// [`Self::next_event`] can be dropped at any point and nothing is lost. Idle it holds no buffer.
/// Dereferences to the protocol session; the next call of [`Self::next_event`] sends what a command or
/// an answer wrote.
#[derive(Debug)]
pub struct Connection<S, P: Session> {
    stream: S,
    driver: Driver<P>,
    origin: time::Instant,
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
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

    /// The next event, after writing what waits and reading what comes. `None` after the last event,
    /// once the stream is closed in order.
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

    /// One turn: an event, room for output if `want_room`, or the end.
    fn poll_turn(&mut self, context: &mut Context<'_>, want_room: bool) -> Poll<io::Result<Turn<P::Event>>> {
        loop {
            let now = self.now();
            match self.driver.phase {
                Phase::Finished => {
                    return Poll::Ready(self.driver.take_error().map_or(Ok(Turn::Finished), Err));
                }
                Phase::ShuttingDown => match Pin::new(&mut self.stream).poll_shutdown(context) {
                    // A stream that cannot be shut down is as good as shut down.
                    Poll::Ready(_) => {
                        self.driver.start_drain(now);
                        continue;
                    }
                    Poll::Pending => return Poll::Pending,
                },
                Phase::Draining { until, .. } => {
                    let mut dropped = [0; 1024];
                    let mut buffer = ReadBuf::new(&mut dropped);
                    match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                        Poll::Ready(Ok(())) => self.driver.drained(buffer.filled().len()),
                        Poll::Ready(Err(_)) => self.driver.phase = Phase::Finished,
                        Poll::Pending if now >= until => self.driver.phase = Phase::Finished,
                        Poll::Pending if self.poll_deadline(context).is_pending() => return Poll::Pending,
                        Poll::Pending => {}
                    }
                    continue;
                }
                Phase::Open => {}
            }
            if let Some(event) = self.driver.turn(now) {
                return Poll::Ready(Ok(Turn::Event(event)));
            }
            let had_room = self.driver.has_room();
            let wrote = self.poll_write(context);
            if self.driver.is_over() && !self.needs_flush {
                self.driver.phase = Phase::ShuttingDown;
                continue;
            }
            if want_room && !had_room && self.driver.has_room() {
                return Poll::Ready(Ok(Turn::Room));
            }
            let read = self.driver.wants_input() && self.poll_read(context);
            if wrote || read || self.poll_deadline(context).is_ready() {
                continue;
            }
            self.driver.release();
            return Poll::Pending;
        }
    }

    /// Writes what waits; `true` if anything was written or given up.
    fn poll_write(&mut self, context: &mut Context<'_>) -> bool {
        let mut progress = false;
        while !self.driver.write_failed && self.driver.transport.transmit().has_remaining() {
            let stream = Pin::new(&mut self.stream);
            match stream.poll_write(context, self.driver.transport.transmit().chunk()) {
                Poll::Ready(Ok(0)) => self.driver.fail_write(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.driver.written(count);
                    self.needs_flush = true;
                }
                Poll::Ready(Err(error)) => self.driver.fail_write(error),
                Poll::Pending => return progress,
            }
            progress = true;
        }
        if self.driver.write_failed {
            self.driver.drop_output();
            self.needs_flush = false;
        } else if self.needs_flush {
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(Ok(())) => self.needs_flush = false,
                Poll::Ready(Err(error)) => {
                    self.driver.fail_write(error);
                    self.needs_flush = false;
                    progress = true;
                }
                Poll::Pending => {}
            }
        }
        progress
    }

    /// Reads once; `true` if anything came, the end included.
    fn poll_read(&mut self, context: &mut Context<'_>) -> bool {
        self.driver.input.reserve(READ_SIZE);
        let read = pin!(self.stream.read_buf(&mut self.driver.input)).poll(context);
        match read {
            Poll::Ready(Ok(0)) => self.driver.eof = true,
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => self.driver.fail_read(error),
            Poll::Pending => return false,
        }
        true
    }

    /// Ready when the deadline has come.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.driver.deadline() else {
            self.timer = None;
            return Poll::Pending;
        };
        let at = self.origin + core::time::Duration::from_millis(deadline.as_millis());
        let (_, sleep) = match &mut self.timer {
            Some(timer) => {
                if timer.0 != deadline {
                    timer.0 = deadline;
                    timer.1.as_mut().reset(at);
                }
                timer
            }
            none => none.insert((deadline, Box::pin(time::sleep_until(at)))),
        };
        sleep.as_mut().poll(context)
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

/// A task in progress on a connection.
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
            match poll_fn(|context| connection.poll_turn(context, true)).await.map_err(RunError::Io)? {
                Turn::Event(event) => {
                    if let Some(outcome) = self.run.event(event, &mut self.connection.driver) {
                        return outcome;
                    }
                }
                Turn::Room => self.run.ready_due = true,
                Turn::Finished => return Err(RunError::Closed),
            }
        }
    }

    /// The task, to hand it more content. `None` once it is over.
    pub const fn task(&mut self) -> Option<&mut T> {
        self.run.ready_due = true;
        self.run.task.as_mut()
    }

    /// The session.
    pub const fn session_mut(&mut self) -> &mut P {
        self.connection.session_mut()
    }
}
