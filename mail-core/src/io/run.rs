//! [`TaskRun`]: a task and how far it is, the part of running it that needs no I/O.

use std::io;

use super::driver::Driver;
use crate::session::{Progress, Session, Task};

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
    /// Events that do not belong to the task filled the queue: take them with `queued_event`, then go on.
    #[error("events for others fill the queue: take them with queued_event")]
    QueueFull,
}

/// What a step of the task `T` on the session `P` comes to.
pub type Outcome<T, P> =
    Result<Step<<T as Task<P>>::Item, <T as Task<P>>::Output>, RunError<<T as Task<P>>::Error>>;

/// What a turn of a connection's loop brought.
pub(super) enum Turn<E> {
    Event(E),
    /// Output was written, and there is room for more.
    Room,
    /// The conversation and the stream are over.
    Finished,
}

/// A task and how far it is.
#[derive(Debug)]
pub(super) struct TaskRun<T> {
    /// `None` once it is over.
    pub(super) task: Option<T>,
    started: bool,
    /// Whether the task was not yet told that there is room.
    pub(super) ready_due: bool,
}

impl<T> TaskRun<T> {
    pub(super) const fn new(task: T) -> Self {
        Self { task: Some(task), started: false, ready_due: true }
    }

    /// Starts the task, and lets it write if there is room. `None`: wait for a turn.
    pub(super) fn prepare<P: Session>(&mut self, driver: &mut Driver<P>) -> Option<Outcome<T, P>>
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

    /// Hands the result of a turn to the task. `None`: go on.
    pub(super) fn turn<P: Session>(
        &mut self,
        turn: Turn<P::Event>,
        driver: &mut Driver<P>,
    ) -> Option<Outcome<T, P>>
    where
        T: Task<P>,
    {
        self.ready_due = true;
        match (turn, &mut self.task) {
            (Turn::Event(event), Some(task)) => {
                let progress = task.handle(driver.session_mut(), event);
                self.progress(progress, driver)
            }
            (Turn::Event(event), None) => {
                driver.put_back(event);
                Some(Err(RunError::Closed))
            }
            (Turn::Room, _) => None,
            (Turn::Finished, task) => {
                let finished = task.as_mut().and_then(|task| task.finished(driver.session_mut()));
                Some(match finished {
                    Some(result) => {
                        self.task = None;
                        result.map(Step::Done).map_err(RunError::Task)
                    }
                    None => Err(RunError::Closed),
                })
            }
        }
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
