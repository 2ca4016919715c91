//! Work of several commands, written once for every runtime: log in, list, fetch, fetch what is new, quit. A
//! connection runs them (`connection.run(Login::new(credentials))`), or steps through them for their items.

mod fetch;
mod fetch_new;
mod list;
mod login;
mod quit;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::Misuse;

pub use self::fetch::Fetch;
pub use self::fetch_new::{FetchNew, NewMessage};
pub use self::list::{List, Listed, Listings};
pub use self::login::{LoggedIn, Login, LoginError};
pub use self::quit::{Quit, QuitReport};
use super::{Client, Closed};
use crate::types::Reply;

/// Why a task failed. After [`TaskError::Refused`] the session can be used further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The session is in no state for this, for example because something else is in flight.
    #[error("{0}")]
    Misuse(#[from] Misuse),
    /// The server said `-ERR`.
    #[error("the server refused: {}", .0.text)]
    Refused(Reply),
    /// The session is over.
    #[error("{0}")]
    Closed(Closed),
}

/// A step of a task that may go on or end.
type Step<T> = Progress<T, Client>;

/// Ends a task with its error, or goes on.
fn proceed<T>(result: Result<(), <T as Task<Client>>::Error>) -> Step<T>
where
    T: Task<Client>,
{
    match result {
        Ok(()) => Progress::Continue,
        Err(error) => Progress::Done(Err(error)),
    }
}

#[cfg(test)]
mod tests;
