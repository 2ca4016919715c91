//! [`Task`]: client work that spans several events, written once for every runtime.

use super::Session;

/// Client work on a session `P`: log in, fetch, deliver one message to many recipients.
///
/// Pure: a connection (or a test) calls [`Self::start`] once, [`Self::ready`] whenever the session's
/// `transmit` has room, and [`Self::handle`] with each event, until one of them says
/// [`Progress::Done`]. A task may yield items on the way.
pub trait Task<P: Session>: Sized {
    /// What the task yields on the way: a body chunk, a row, a wish for more content.
    type Item;
    /// What it ends with.
    type Output;
    /// How it fails. A failed task leaves the session usable unless the error says otherwise.
    type Error;

    /// Issues the first commands.
    ///
    /// # Errors
    /// If the session is in no state for this task; nothing was written then.
    fn start(&mut self, session: &mut P) -> Result<(), Self::Error>;

    /// There is room in `transmit`: write more. The default has nothing to write.
    fn ready(&mut self, session: &mut P) -> Progress<Self, P> {
        let _ = session;
        Progress::Continue
    }

    /// Takes an event, or gives it back as [`Progress::NotMine`].
    fn handle(&mut self, session: &mut P, event: P::Event) -> Progress<Self, P>;

    /// The conversation is over, and so is the stream: what the task ends with, if that is its end too. By default it is
    /// not, and whoever runs it is told that the connection is closed.
    fn finished(&mut self, session: &mut P) -> Option<Result<Self::Output, Self::Error>> {
        let _ = session;
        None
    }
}

/// How far a [`Task`] is.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver must handle each case")]
pub enum Progress<T: Task<P>, P: Session> {
    /// Wait for the next event.
    Continue,
    /// Here is an item; then go on.
    Item(T::Item),
    /// The task is over.
    Done(Result<T::Output, T::Error>),
    /// The event belongs to somebody else.
    NotMine(P::Event),
}
