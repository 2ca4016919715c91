//! Drivers: what asks the DNS for a resolution. Only here are sockets, clocks and runtimes.
//!
//! A driver answers one question at a time, as often at once as it is asked to. It judges nothing: it fills a
//! [`dns::Message`](crate::dns::Message) and has [`Answer::read`] say what it means.

use core::future::{Future, ready};
use core::time::Duration;

use crate::dns::{Answer, Question};
use crate::fetch::{FetchFailure, Page, Response};

#[cfg(feature = "hickory")]
pub mod hickory;
#[cfg(feature = "https")]
pub mod https;
mod run;
#[cfg(feature = "stub")]
pub mod stub;
pub mod system;
#[cfg(feature = "testing")]
pub mod testing;

pub(crate) use self::run::run;
use crate::discovery::{Account, Discovery, DiscoveryError};
use crate::time::UnixMillis;

/// Runs a discovery that begins at `now` to its end.
///
/// # Errors
/// If no servers were found.
pub async fn discover<D: Driver>(
    driver: &D,
    mut discovery: Discovery,
    now: UnixMillis,
) -> Result<Account, DiscoveryError> {
    run(driver, &mut discovery, now, Discovery::poll_event).await
}

/// Something that asks the DNS, and perhaps fetches files.
pub trait Driver: Send + Sync {
    /// Asks `question`, with retries as the driver sees fit. After `time` the answer is
    /// [`Failure::Timeout`](crate::dns::Failure::Timeout).
    fn ask(&self, question: &Question, time: Duration) -> impl Future<Output = Answer> + Send;

    /// Fetches a file over HTTPS: no redirect, no cache, at most `limit` octets of body. After `time` that is
    /// [`FetchFailure::Timeout`]. Without an implementation of its own a driver fetches nothing.
    fn fetch(
        &self,
        page: &Page,
        limit: usize,
        time: Duration,
    ) -> impl Future<Output = Result<Response, FetchFailure>> + Send {
        let _ = (page, limit, time);
        ready(Err(FetchFailure::Unsupported))
    }

    /// Time since some moment that stays the same while the driver lives.
    fn elapsed(&self) -> Duration;
}
