//! [`Pair`]: a client and a server joined in memory. Octets move in random pieces, events are taken and
//! questions answered in random order, time passes only when nothing else moves; all of it by a seed.

use alloc::string::String;

use bytes::Buf as _;

use super::laws::Broken;
use super::{End, Host, Numbers};
use crate::session::{Progress, Session, Task};

/// Steps after which a task that does not end is given up.
const STEPS: usize = 10_000_000;

/// A client and a server.
///
/// A layer that both want is put in place when nothing is on the way between them; it is one in name only. To
/// test real layers, join two [`Transport`](crate::session::Transport)s.
#[derive(Debug)]
#[non_exhaustive]
pub struct Pair<C, A, S, B> {
    /// The client.
    pub client: End<C, A>,
    /// The server.
    pub server: End<S, B>,
    numbers: Numbers,
    client_left: bool,
    server_left: bool,
}

/// Why a task did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairError<E> {
    /// The task failed.
    #[error("the task failed")]
    Task(E),
    /// A session broke a law on the way.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Nothing moves any more, and the task is not over.
    #[error("nothing moves any more: {0}")]
    Stuck(String),
}

impl<C, A, S, B> Pair<C, A, S, B>
where
    C: Session,
    A: Host<C>,
    S: Session,
    B: Host<S>,
{
    /// Joins two sessions and their hosts.
    #[must_use]
    pub fn new(client: (C, A), server: (S, B), seed: u64) -> Self {
        Self {
            client: End::new(client.0, client.1),
            server: End::new(server.0, server.1),
            numbers: Numbers::new(seed),
            client_left: false,
            server_left: false,
        }
    }

    /// Moves some of what can move, but for the client's events. `false` if nothing can.
    ///
    /// # Errors
    /// If a session speaks behind its last event.
    pub fn step(&mut self) -> Result<bool, Broken> {
        // First some of the ways, then, if nothing moved, all of them.
        let some = self.numbers.next();
        for ways in [some, u64::MAX] {
            let mut moved = false;
            let mut may = (0..8).map(|way| ways >> way & 1 == 1);
            let mut may = || may.next().unwrap_or(true);
            if may() {
                moved |= carry(&mut self.client, &mut self.server, &mut self.numbers);
            }
            if may() {
                moved |= carry(&mut self.server, &mut self.client, &mut self.numbers);
            }
            if may() {
                moved |= self.server.take_input();
            }
            if may() {
                moved |= self.client.take_input();
            }
            if may() {
                moved |= self.server.poll_one()?;
            }
            if may() {
                let pick = self.numbers.below(1 << 16);
                moved |= self.server.host.work(&mut self.server.session, pick);
            }
            if may() {
                let pick = self.numbers.below(1 << 16);
                moved |= self.client.host.work(&mut self.client.session, pick);
            }
            moved |= self.client.expire();
            moved |= self.server.expire();
            if moved {
                return Ok(true);
            }
        }
        Ok(self.upgrade() || self.part())
    }

    /// Puts a layer in place that both want.
    fn upgrade(&mut self) -> bool {
        let layer = self.client.session.wants().upgrade;
        let both = layer.is_some() && layer == self.server.session.wants().upgrade;
        let quiet = self.client.session.transmit().is_empty()
            && self.server.session.transmit().is_empty()
            && self.client.input.is_empty()
            && self.server.input.is_empty();
        if !both || !quiet {
            return false;
        }
        let now = self.client.now;
        let Some(upgraded) = self.client.layer() else { return false };
        self.client.session.handle_upgrade(upgraded.clone(), now);
        self.server.session.handle_upgrade(upgraded, now);
        true
    }

    /// Tells one side that the other has left.
    fn part(&mut self) -> bool {
        let now = self.client.now;
        let mut moved = false;
        if !self.client_left && has_left(&mut self.client) {
            self.client_left = true;
            self.server.session.handle_eof(now);
            moved = true;
        }
        if !self.server_left && has_left(&mut self.server) {
            self.server_left = true;
            self.client.session.handle_eof(now);
            moved = true;
        }
        moved
    }

    /// Moves what can move until nothing can; no time passes.
    ///
    /// # Errors
    /// If a session speaks behind its last event.
    pub fn settle(&mut self) -> Result<(), Broken> {
        while self.client.poll_one()? | self.step()? {}
        Ok(())
    }

    /// Lets time pass to the next deadline of the two. `false` if there is none.
    pub fn wait(&mut self) -> bool {
        let deadlines = [self.client.session.poll_timeout(), self.server.session.poll_timeout()];
        let Some(deadline) = deadlines.into_iter().flatten().min() else { return false };
        self.pass_until(deadline);
        true
    }

    /// Lets time pass, over every deadline on the way.
    pub fn pass_until(&mut self, until: crate::value::Instant) {
        let now = until.max(self.client.now);
        self.client.now = now;
        self.server.now = now;
        self.client.session.handle_timeout(now);
        self.server.session.handle_timeout(now);
    }

    /// Runs a task of the client to its end. Its items go to `item`, with the task; foreign events to the
    /// client's host.
    ///
    /// # Errors
    /// If the task fails, or nothing moves any more.
    pub fn run<T: Task<C>>(
        &mut self,
        mut task: T,
        mut item: impl FnMut(&mut T, T::Item),
    ) -> Result<T::Output, PairError<T::Error>> {
        task.start(&mut self.client.session).map_err(PairError::Task)?;
        for _ in 0..STEPS {
            let before = self.client.session.transmit().len();
            let mut moved = true;
            let event = if self.numbers.below(4) > 0 { self.client.session.poll_event() } else { None };
            let progress = match event {
                Some(event) => task.handle(&mut self.client.session, event),
                None => {
                    moved = self.step()?;
                    task.ready(&mut self.client.session)
                }
            };
            match progress {
                Progress::Done(result) => return result.map_err(PairError::Task),
                Progress::NotMine(event) => self.client.handle(event)?,
                Progress::Item(yielded) => item(&mut task, yielded),
                Progress::Continue if !moved && self.client.session.transmit().len() == before => {
                    match self.client.session.poll_event() {
                        Some(event) => match task.handle(&mut self.client.session, event) {
                            Progress::Done(result) => return result.map_err(PairError::Task),
                            Progress::NotMine(event) => self.client.handle(event)?,
                            Progress::Item(yielded) => item(&mut task, yielded),
                            Progress::Continue => {}
                        },
                        None if self.wait() => {}
                        None => return Err(self.stuck()),
                    }
                }
                Progress::Continue => {}
            }
        }
        Err(self.stuck())
    }

    fn stuck<E>(&self) -> PairError<E> {
        let (client, server) = (self.client.session.wants(), self.server.session.wants());
        PairError::Stuck(alloc::format!("client {client:?}, server {server:?}"))
    }
}

/// Carries a piece of what one side wrote to the other, if that reads.
fn carry<S, A, T, B>(from: &mut End<S, A>, to: &mut End<T, B>, numbers: &mut Numbers) -> bool
where
    S: Session,
    T: Session,
{
    let wants = to.session.wants();
    if !wants.input && !wants.close {
        return false;
    }
    let transmit = from.session.transmit();
    let count = numbers.piece(transmit.len());
    let piece = transmit.chunk().get(..count).unwrap_or_default();
    if !wants.close {
        to.input.extend_from_slice(piece);
    }
    if from.records {
        from.output.extend_from_slice(piece);
    }
    transmit.advance(count);
    count > 0
}

fn has_left<S: Session, H>(end: &mut End<S, H>) -> bool {
    end.session.wants().close && end.session.transmit().is_empty()
}
