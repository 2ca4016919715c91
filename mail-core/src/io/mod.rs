//! Connections: the only part that does I/O. They move bytes and time between a stream and a session.
//!
//! [`blocking`] works on any stream with timeouts, `tokio` on `AsyncRead + AsyncWrite`. Both always
//! hold a [`Transport`](crate::session::Transport), hand out events with `next_event`, dereference to
//! the protocol session for commands and answers, and run [`Task`](crate::session::Task)s.
//!
//! # The end
//! The session's last event says why it closed. A host then calls `next_event` until it returns `None`,
//! for a connection ends in order: the farewell is written, TLS is closed with close_notify, the stream is
//! half-closed, and what the peer still sends is read and dropped, for 2 seconds and 256 KiB at the most,
//! since a reset could otherwise take the farewell away from the peer. A peer that does not read has 60
//! seconds to take the farewell. The stream itself closes when the connection is dropped. `abort` ends
//! without any of this.
//!
//! # When the stream fails
//! A failed read is the end of the input to the session. After a failed write the output is dropped and the
//! input read to its end, for the reason may stand in it. In both cases the session's own last event comes
//! first, and then the error, once. That the peer has gone before our last word could be written is no error.
//!
//! # Two things at once
//! A host that must also listen elsewhere selects over `next_event` of the tokio connection, which is
//! cancel-safe, and a channel; answers may come from there in any order.

pub mod blocking;
mod driver;
mod run;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use self::run::{Outcome, RunError, Step};

/// Octets per read.
const READ_SIZE: usize = 16 * 1024;
