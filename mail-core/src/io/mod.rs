//! Connections: the only part that does I/O. They move bytes and time between a stream and a session.
//!
//! [`blocking`] works on any stream with timeouts, [`tokio`] on `AsyncRead + AsyncWrite`. Both always
//! hold a [`Transport`](crate::session::Transport), hand out events with `next_event`, dereference to
//! the protocol session for commands and answers, and run [`Task`]s.
//!
//! A connection ends in order: after the session's last event the farewell is written, TLS is closed
//! with close_notify, the stream is half-closed, and what the peer still sends is read and dropped for
//! a bounded time: a reset could otherwise take the farewell away from the peer.

pub mod blocking;
mod driver;
#[cfg(feature = "tokio")]
pub mod tokio;

use core::time::Duration;
use std::io;

use self::driver::Driver;
use crate::session::{Progress, Session, Task};

/// How long the rest of a peer's input is read and dropped at the end.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// How many octets of it at the most.
const DRAIN_OCTETS: usize = 256 * 1024;
/// Octets per read.
const READ_SIZE: usize = 16 * 1024;

/// How far a task that is run step by step has come.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a host must handle each case")]
pub enum Step<I, O> {
    /// An item on the way.
    Item(I),
    /// The task is over.
    Done(O),
}

/// Why a task did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError<E> {
    /// The task failed. What that means for the connection, its error says.
    #[error(transparent)]
    Task(E),
    /// The stream failed.
    #[error("the stream failed: {0}")]
    Io(#[source] io::Error),
    /// The conversation ended and the task did not take notice, or it is over already.
    #[error("the connection is closed, or the task is over")]
    Closed,
    /// Events that do not belong to the task filled the queue: take them with `next_event`, then go on.
    #[error("events for others fill the queue: take them with next_event")]
    QueueFull,
}

/// What a turn of a connection's loop brought.
enum Turn<E> {
    Event(E),
    /// There is room for output again.
    Room,
    /// The conversation and the stream are over.
    Finished,
}

/// A task and how far it is: what both kinds of connection share.
#[derive(Debug)]
struct TaskRun<T> {
    task: Option<T>,
    started: bool,
    /// Whether the task was not yet told that there is room.
    ready_due: bool,
}

/// What a step of the task `T` on the session `P` comes to.
pub type Outcome<T, P> =
    Result<Step<<T as Task<P>>::Item, <T as Task<P>>::Output>, RunError<<T as Task<P>>::Error>>;

impl<T> TaskRun<T> {
    const fn new(task: T) -> Self {
        Self { task: Some(task), started: false, ready_due: true }
    }

    /// Starts the task, and lets it write if there is room. `None`: wait for a turn.
    fn prepare<P: Session>(&mut self, driver: &mut Driver<P>) -> Option<Outcome<T, P>>
    where
        T: Task<P>,
    {
        if driver.queue_is_full() {
            return Some(Err(RunError::QueueFull));
        }
        let Some(task) = &mut self.task else { return Some(Err(RunError::Closed)) };
        if !self.started {
            self.started = true;
            if let Err(error) = task.start(driver.session_mut()) {
                self.task = None;
                return Some(Err(RunError::Task(error)));
            }
        }
        if self.ready_due && driver.has_room() {
            self.ready_due = false;
            let progress = task.ready(driver.session_mut());
            return self.progress(progress, driver);
        }
        None
    }

    fn event<P: Session>(&mut self, event: P::Event, driver: &mut Driver<P>) -> Option<Outcome<T, P>>
    where
        T: Task<P>,
    {
        let Some(task) = &mut self.task else {
            driver.put_back(event);
            return Some(Err(RunError::Closed));
        };
        let progress = task.handle(driver.session_mut(), event);
        self.ready_due = true;
        self.progress(progress, driver)
    }

    fn progress<P: Session>(
        &mut self,
        progress: Progress<T, P>,
        driver: &mut Driver<P>,
    ) -> Option<Outcome<T, P>>
    where
        T: Task<P>,
    {
        match progress {
            Progress::Continue => None,
            Progress::Item(item) => {
                self.ready_due = true;
                Some(Ok(Step::Item(item)))
            }
            Progress::Done(result) => {
                self.task = None;
                Some(result.map(Step::Done).map_err(RunError::Task))
            }
            Progress::NotMine(event) => {
                driver.put_back(event);
                None
            }
        }
    }
}
