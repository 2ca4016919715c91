//! Drivers: they answer the questions of protocol sessions from a [`Store`](crate::Store).
//!
//! A driver has no store logic and no copy of a protocol's rules. It is handed the session and one event at a
//! time, calls the store, and answers. It does no I/O and reads no clock, so whatever moves the octets
//! (tokio, threads, a test without sockets) is the host's choice:
//!
//! ```text
//! while let Some(event) = connection.next_event().await? {
//!     handler.handle(&mut connection, event, now).await;
//! }
//! ```
//!
//! | module | feature | answers |
//! |---|---|---|
//! | `smtp` | `smtp` | mail exchangers and submission servers |
//! | `lmtp` | `lmtp` | LMTP servers |
//! | `pop3` | `pop3` | POP3 servers |
//! | `imap` | `imap` | IMAP servers |
//!
//! With the feature `queue`, what an SMTP client ends with is turned into what the queue wants to know.

#[cfg(feature = "imap")]
pub mod imap;
#[cfg(feature = "lmtp")]
pub mod lmtp;
#[cfg(any(feature = "smtp", feature = "lmtp", feature = "pop3", feature = "imap"))]
mod login;
#[cfg(feature = "pop3")]
pub mod pop3;
#[cfg(any(feature = "smtp", feature = "lmtp"))]
mod receive;
#[cfg(feature = "queue")]
mod relay;
#[cfg(feature = "smtp")]
pub mod smtp;

use core::future::Future;

#[cfg(any(feature = "smtp", feature = "lmtp", feature = "pop3", feature = "imap"))]
pub use self::login::Logins;

/// Where work runs that takes tens of milliseconds of a processor, such as a password hash: a pool of threads,
/// so that sessions beside it go on.
pub trait Compute: Clone + Send + Sync + 'static {
    /// Runs `work`; `None` if it cannot be run, which fails the log-in for the moment.
    fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Option<T>> + Send;
}

/// Runs the work at once where it is called: for a thread per connection, and for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to say")]
pub struct Inline;

impl Compute for Inline {
    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        Some(work())
    }
}
