//! [`Connection`] over blocking streams.

use core::ops::{Deref, DerefMut};
use core::time::Duration;
use std::io::{self, Write as _};
use std::net::{Shutdown, TcpStream};

use bytes::Buf as _;

use super::driver::{Driver, Phase};
use super::{Outcome, READ_SIZE, RunError, Step, TaskRun, Turn};
use crate::session::{Session, Task, Transport};
use crate::value::Instant;

/// While output waits, reads and writes take turns, each for so long at the most: two peers that both
/// write a lot never wait for each other.
const TURN: Duration = Duration::from_millis(5);

/// A blocking stream whose reads and writes can be given up after a time.
///
/// A call that ran out of time returns [`io::ErrorKind::WouldBlock`] or [`io::ErrorKind::TimedOut`].
pub trait Stream {
    /// Reads into `buffer`; 0 at the end. Waits for `timeout` at the most, for ever without.
    ///
    /// # Errors
    /// If the stream failed, or the time ran out.
    fn read(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize>;

    /// Writes a part of `octets`. Waits for `timeout` at the most, for ever without.
    ///
    /// # Errors
    /// If the stream failed, or the time ran out.
    fn write(&mut self, octets: &[u8], timeout: Option<Duration>) -> io::Result<usize>;

    /// Ends the writing half; the peer reads the end of the stream.
    ///
    /// # Errors
    /// If the stream failed.
    fn shutdown_write(&mut self) -> io::Result<()>;
}

/// The sockets of `std` as streams.
macro_rules! socket {
    ($type:ty) => {
        impl Stream for $type {
            fn read(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize> {
                self.set_read_timeout(timeout.map(|timeout| timeout.max(Duration::from_millis(1))))?;
                io::Read::read(self, buffer)
            }

            fn write(&mut self, octets: &[u8], timeout: Option<Duration>) -> io::Result<usize> {
                self.set_write_timeout(timeout.map(|timeout| timeout.max(Duration::from_millis(1))))?;
                io::Write::write(self, octets)
            }

            fn shutdown_write(&mut self) -> io::Result<()> {
                self.flush()?;
                self.shutdown(Shutdown::Write)
            }
        }
    };
}

socket!(TcpStream);
#[cfg(unix)]
socket!(std::os::unix::net::UnixStream);

/// A session on a blocking stream.
///
/// The host answers in its loop. Dereferences to the protocol session; the next call of
/// [`Self::next_event`] sends what a command or an answer wrote.
#[derive(Debug)]
pub struct Connection<S, P: Session> {
    stream: S,
    driver: Driver<P>,
    origin: std::time::Instant,
}

impl<S: Stream, P: Session> Connection<S, P> {
    /// A session without TLS on `stream`. [`Instant::ORIGIN`] is now.
    #[must_use]
    pub fn new(stream: S, session: P) -> Self {
        Self::over(stream, Transport::plain(session))
    }

    /// A session with its layers on `stream`. [`Instant::ORIGIN`] is now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "connections are where clocks are read")]
    pub fn over(stream: S, transport: Transport<P>) -> Self {
        Self { stream, driver: Driver::new(transport), origin: std::time::Instant::now() }
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
    /// If the stream failed; the session's own last event has come before. Also, as
    /// [`io::ErrorKind::WouldBlock`], if the session waits for an answer of the host and nothing else
    /// can happen: answer, then call again.
    pub fn next_event(&mut self) -> io::Result<Option<P::Event>> {
        if let Some(event) = self.driver.queued() {
            return Ok(Some(event));
        }
        match self.turn(false)? {
            Turn::Event(event) => Ok(Some(event)),
            Turn::Room | Turn::Finished => Ok(None),
        }
    }

    /// Runs `task` to its end and drops its items.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn run<T: Task<P>>(&mut self, task: T) -> Result<T::Output, RunError<T::Error>> {
        let mut running = self.begin(task);
        loop {
            if let Step::Done(output) = running.step()? {
                return Ok(output);
            }
        }
    }

    /// Begins `task`, to be driven with [`Running::step`].
    pub const fn begin<T: Task<P>>(&mut self, task: T) -> Running<'_, S, P, T> {
        Running { connection: self, run: TaskRun::new(task) }
    }

    fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn turn(&mut self, want_room: bool) -> io::Result<Turn<P::Event>> {
        loop {
            let now = self.now();
            match self.driver.phase {
                Phase::Finished => return self.driver.take_error().map_or(Ok(Turn::Finished), Err),
                Phase::ShuttingDown => {
                    // A stream that cannot be shut down is as good as shut down.
                    let _ = self.stream.shutdown_write();
                    self.driver.start_drain(now);
                    continue;
                }
                Phase::Draining { until, .. } => {
                    match self.stream.read(&mut [0; 1024], Some(until - now)) {
                        Ok(count) => self.driver.drained(count),
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => self.driver.phase = Phase::Finished,
                    }
                    continue;
                }
                Phase::Open => {}
            }
            if let Some(event) = self.driver.turn(now) {
                return Ok(Turn::Event(event));
            }
            let had_room = self.driver.has_room();
            self.write();
            if self.driver.is_over() {
                self.driver.phase = Phase::ShuttingDown;
                continue;
            }
            if want_room && !had_room && self.driver.has_room() {
                return Ok(Turn::Room);
            }
            let waits_to_write = !self.driver.transport.transmit().is_empty();
            if self.driver.wants_input() {
                self.read(waits_to_write);
            } else if !waits_to_write && !self.driver.eof {
                match self.driver.deadline() {
                    // Only time can change anything.
                    Some(deadline) if self.driver.transport.wants().answers == 0 => pause(deadline - now),
                    _ => return Err(io::ErrorKind::WouldBlock.into()),
                }
            } else if !waits_to_write {
                // The input has ended and the session has nothing to say: it waits for the host.
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
    }

    /// Writes what goes out within a turn.
    fn write(&mut self) {
        while !self.driver.write_failed && self.driver.transport.transmit().has_remaining() {
            match self.stream.write(self.driver.transport.transmit().chunk(), Some(TURN)) {
                Ok(0) => self.driver.fail_write(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.driver.written(count),
                Err(error) if ran_out(&error) => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.driver.fail_write(error),
            }
        }
        if self.driver.write_failed {
            self.driver.drop_output();
        }
    }

    /// Reads once: for a turn if output waits, else until the deadline.
    fn read(&mut self, short: bool) {
        let timeout =
            if short { Some(TURN) } else { self.driver.deadline().map(|deadline| deadline - self.now()) };
        if timeout == Some(Duration::ZERO) {
            return;
        }
        let mut buffer = [0; READ_SIZE];
        match self.stream.read(&mut buffer, timeout) {
            Ok(0) => self.driver.eof = true,
            Ok(count) => self.driver.input.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if ran_out(&error) || error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.driver.fail_read(error),
        }
    }
}

fn ran_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

#[expect(clippy::disallowed_methods, reason = "a blocking connection is where one waits")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
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

impl<S: Stream, P: Session, T: Task<P>> Running<'_, S, P, T> {
    /// Goes on to the next item or to the end.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn step(&mut self) -> Outcome<T, P> {
        loop {
            if let Some(outcome) = self.run.prepare(&mut self.connection.driver) {
                return outcome;
            }
            match self.connection.turn(true).map_err(RunError::Io)? {
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
