//! [`Connection`] over blocking streams: TCP and Unix sockets, or anything with timeouts.
//!
//! ```no_run
//! # use mailwright_core::{io::blocking::Connection, session::Session};
//! # fn serve<P: Session>(session: P) -> std::io::Result<()> {
//! let stream = std::net::TcpStream::connect("mail.example:25")?;
//! let mut connection = Connection::new(stream, session);
//! while let Some(event) = connection.next_event()? {
//!     // Answer here: the connection dereferences to the session.
//! #   drop(event);
//! }
//! # Ok(())
//! # }
//! ```

use alloc::boxed::Box;
use core::ops::{Deref, DerefMut};
use core::time::Duration;
use std::io;
use std::net::{Shutdown, TcpStream};

use bytes::{Buf as _, BytesMut};

use super::driver::{Driver, Phase};
use super::run::{TaskRun, Turn};
use super::{Outcome, READ_SIZE, RunError, Step};
use crate::session::{Session, Task, Transport};
use crate::value::Instant;

/// While output waits that the peer does not take, the connection looks so often for input: of two peers
/// that both write a lot, neither waits for the other.
const TURN: Duration = Duration::from_millis(5);

/// A blocking stream whose reads and writes can be given up after a time.
///
/// A call that ran out of time returns [`io::ErrorKind::WouldBlock`] or [`io::ErrorKind::TimedOut`]; with
/// a timeout of zero it does not wait at all, with `None` for ever. Times are whole milliseconds. Sockets
/// are made blocking by their first call, and so are their clones.
pub trait Stream {
    /// Reads into `buffer` what is there, after waiting for `timeout` at the most; 0 at the end.
    ///
    /// # Errors
    /// If the stream failed, or the time ran out.
    fn read(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize>;

    /// Writes a part of `octets`, after waiting for `timeout` at the most.
    ///
    /// # Errors
    /// If the stream failed, or the time ran out.
    fn write(&mut self, octets: &[u8], timeout: Option<Duration>) -> io::Result<usize>;

    /// Sends what a stream with a buffer of its own holds. Called before the connection waits for the
    /// peer. The default has nothing to send.
    ///
    /// # Errors
    /// If the stream failed, or the time ran out; it is called again then.
    fn flush(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let _ = timeout;
        Ok(())
    }

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
                if timeout == Some(Duration::ZERO) {
                    self.set_nonblocking(true)?;
                    let read = io::Read::read(self, buffer);
                    self.set_nonblocking(false)?;
                    return read;
                }
                self.set_read_timeout(timeout)?;
                io::Read::read(self, buffer)
            }

            fn write(&mut self, octets: &[u8], timeout: Option<Duration>) -> io::Result<usize> {
                if timeout == Some(Duration::ZERO) {
                    self.set_nonblocking(true)?;
                    let written = io::Write::write(self, octets);
                    self.set_nonblocking(false)?;
                    return written;
                }
                self.set_write_timeout(timeout)?;
                io::Write::write(self, octets)
            }

            fn shutdown_write(&mut self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
            }
        }
    };
}

socket!(TcpStream);
#[cfg(unix)]
socket!(std::os::unix::net::UnixStream);

/// Boxes and borrows of streams as streams.
macro_rules! pointer {
    ($type:ty) => {
        impl<T: Stream + ?Sized> Stream for $type {
            fn read(&mut self, buffer: &mut [u8], timeout: Option<Duration>) -> io::Result<usize> {
                (**self).read(buffer, timeout)
            }

            fn write(&mut self, octets: &[u8], timeout: Option<Duration>) -> io::Result<usize> {
                (**self).write(octets, timeout)
            }

            fn flush(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                (**self).flush(timeout)
            }

            fn shutdown_write(&mut self) -> io::Result<()> {
                (**self).shutdown_write()
            }
        }
    };
}

pointer!(&mut T);
pointer!(Box<T>);

/// A session on a blocking stream.
///
/// The host answers in its loop. Dereferences to the protocol session; the next call of
/// [`Self::next_event`] sends what a command or an answer wrote. Reads and writes take turns, so two such
/// connections that both write a lot never wait for each other. [The module above](crate::io) says how a
/// connection ends.
#[derive(Debug)]
pub struct Connection<S, P: Session> {
    stream: S,
    driver: Driver<P>,
    origin: std::time::Instant,
    needs_flush: bool,
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
        let origin = std::time::Instant::now();
        Self { stream, driver: Driver::new(transport), origin, needs_flush: false }
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

    /// The next event, room for output if `want_room`, or the end.
    fn turn(&mut self, want_room: bool) -> io::Result<Turn<P::Event>> {
        // Whether the last read brought something: then more of it is better than waiting to write.
        let mut came = false;
        loop {
            let now = self.now();
            match self.driver.phase {
                Phase::Finished => return self.driver.outcome().map(|()| Turn::Finished),
                Phase::ShuttingDown => {
                    // A stream that cannot be shut down is as good as shut down.
                    let _ = self.stream.shutdown_write();
                    self.driver.start_drain(now);
                    continue;
                }
                Phase::Draining { until } => {
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
            let reads = self.driver.wants_input();
            let patience = self.driver.deadline().map(|deadline| deadline - now);
            let wrote = self.write(match (reads, came) {
                (true, true) => Some(Duration::ZERO),
                (true, false) => Some(patience.map_or(TURN, |patience| patience.min(TURN))),
                (false, _) => patience,
            });
            if self.driver.is_over() && !self.needs_flush {
                self.driver.phase = Phase::ShuttingDown;
                continue;
            }
            let waits = self.driver.has_output() || self.needs_flush;
            came = match (waits, wrote) {
                _ if !reads => false,
                (true, _) => self.read(Some(Duration::ZERO)),
                // The session may have more to say now that its output is gone.
                (false, true) => false,
                (false, false) => self.read(patience),
            };
            if want_room && wrote && self.driver.has_room() {
                return Ok(Turn::Room);
            }
            if !reads && !wrote && !waits {
                match patience {
                    // Only time can change anything.
                    Some(patience) if self.driver.transport.wants().answers == 0 => pause(patience),
                    _ => return Err(io::ErrorKind::WouldBlock.into()),
                }
            }
        }
    }

    /// Writes once, and flushes if that was all. `true` if anything was written or given up.
    fn write(&mut self, timeout: Option<Duration>) -> bool {
        let mut progress = false;
        if self.driver.has_output() {
            let written = self.stream.write(self.driver.transport.transmit().chunk(), timeout);
            match written {
                Ok(count) => {
                    self.driver.written(count);
                    self.needs_flush = true;
                }
                Err(error) if passes(&error) => return false,
                Err(error) => self.driver.fail_write(error),
            }
            progress = true;
        }
        if self.needs_flush && !self.driver.has_output() {
            match self.stream.flush(timeout) {
                Err(error) if passes(&error) => return progress,
                Err(error) => self.driver.fail_write(error),
                Ok(()) => {}
            }
            self.needs_flush = false;
        }
        progress
    }

    /// Reads once. `true` if anything came, the end included.
    fn read(&mut self, timeout: Option<Duration>) -> bool {
        self.driver.release();
        let mut buffer = [0; READ_SIZE];
        match self.stream.read(&mut buffer, timeout) {
            Ok(0) => self.driver.at_end = true,
            Ok(count) => self.driver.input.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if passes(&error) => return false,
            Err(error) => self.driver.fail_read(error),
        }
        true
    }
}

/// Whether an error only means that nothing happened.
fn passes(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
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

/// A task in progress on a connection. Dropping it drops the task; what the session still has under way
/// comes as events of [`Connection::next_event`].
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
            let turn = self.connection.turn(true).map_err(RunError::Io)?;
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
