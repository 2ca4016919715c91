//! Drivers: what asks the DNS for a resolution. Only here are sockets, clocks and runtimes.
//!
//! A driver answers one question at a time, as often at once as it is asked to. It judges nothing: it fills a
//! [`dns::Message`](crate::dns::Message) and has [`Answer::read`] say what it means.

use core::future::Future;
use core::time::Duration;

use crate::dns::{Answer, Question};

#[cfg(feature = "hickory")]
pub mod hickory;
#[cfg(feature = "stub")]
pub mod stub;
pub mod system;
#[cfg(feature = "testing")]
pub mod testing;

/// Something that asks the DNS.
pub trait Driver: Send + Sync {
    /// Asks `question`, with retries as the driver sees fit. After `time` the answer is
    /// [`Failure::Timeout`](crate::dns::Failure::Timeout).
    fn ask(&self, question: &Question, time: Duration) -> impl Future<Output = Answer> + Send;

    /// Time since some moment that stays the same while the driver lives.
    fn elapsed(&self) -> Duration;
}
