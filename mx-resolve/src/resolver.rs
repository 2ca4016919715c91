//! [`Resolver`]: a driver, the cache, and one resolution at a time for each destination. It runs on any runtime that the
//! driver runs on, and never blocks: its locks are held for lookups in maps only.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cache::Cache;
use crate::config::Config;
use crate::destination::Destination;
use crate::dns::Answer;
use crate::drive::Driver;
use crate::error::RouteError;
use crate::machine::{Event, QueryId, Request, Resolution};
use crate::plan::Plan;
use crate::random::SplitMix64;
use crate::time::UnixMillis;

type Found = Result<Arc<Plan>, RouteError>;

/// From destinations to plans, for many tasks at once: put it into an `Arc`.
///
/// ```
/// use mailwright_mx::drive::Driver;
/// use mailwright_mx::{Destination, Resolver, RouteError, UnixMillis};
///
/// async fn route<D: Driver>(resolver: &Resolver<D>, domain: &str, now: UnixMillis) -> Result<(), RouteError> {
///     let plan = resolver.resolve(&Destination::parse(domain)?, now).await?;
///     for dial in plan.attempt(resolver.seed()).dials() {
///         println!("{}:{}, TLS {}", dial.address, dial.host.port, dial.host.tls.level());
///     }
///     Ok(())
/// }
/// ```
pub struct Resolver<D> {
    driver: D,
    config: Arc<Config>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    cache: Cache,
    flights: BTreeMap<Destination, Arc<Flight>>,
    random: SplitMix64,
}

/// A resolution under way, and who waits for it.
#[derive(Debug, Default)]
struct Flight(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    end: Option<End>,
    wakers: Vec<Waker>,
}

#[derive(Clone, Debug)]
enum End {
    Found(Found),
    /// Whoever resolved was dropped.
    Abandoned,
}

enum Role {
    Leader(u64),
    Follower(Arc<Flight>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while a lock is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<D: Driver> Resolver<D> {
    /// With a driver, and a seed from a random generator for what is left to chance.
    #[must_use]
    pub fn new(driver: D, config: Config, seed: u64) -> Self {
        let cache = Cache::new(&config.limits);
        let state = State { cache, flights: BTreeMap::new(), random: SplitMix64::new(seed) };
        Self { driver, config: Arc::new(config), state: Mutex::new(state) }
    }

    /// The driver.
    #[must_use]
    pub const fn driver(&self) -> &D {
        &self.driver
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A seed for [`Plan::attempt`]: another one each time.
    #[must_use]
    pub fn seed(&self) -> u64 {
        lock(&self.state).random.next_u64()
    }

    /// The plan for `destination`: a remembered one, or a new one. Tasks that ask for the same destination at once wait for
    /// one resolution.
    ///
    /// # Errors
    /// If there is no plan: [`RouteError`] says whether and when to try again.
    pub async fn resolve(&self, destination: &Destination, now: UnixMillis) -> Result<Arc<Plan>, RouteError> {
        loop {
            let role = {
                let mut state = lock(&self.state);
                if let Some(found) = state.cache.get(destination, now) {
                    return found.clone();
                }
                if let Some(flight) = state.flights.get(destination) {
                    Role::Follower(Arc::clone(flight))
                } else {
                    state.flights.insert(destination.clone(), Arc::default());
                    Role::Leader(state.random.next_u64())
                }
            };
            match role {
                Role::Leader(seed) => {
                    // From here to the end nobody else resolves it, unless this future is dropped.
                    let leader = Leader { resolver: self, destination };
                    let start = self.driver.elapsed();
                    let time = || now + self.driver.elapsed().saturating_sub(start);
                    let resolution =
                        Resolution::new(destination.clone(), Arc::clone(&self.config), seed, now);
                    let found = drive(&self.driver, resolution, time).await;
                    return leader.finish(found, time());
                }
                Role::Follower(flight) => {
                    if let End::Found(found) = poll_fn(|context| flight.poll(context)).await {
                        return found;
                    }
                }
            }
        }
    }
}

impl<D> Resolver<D> {
    fn land(&self, destination: &Destination, end: &End) {
        let Some(flight) = lock(&self.state).flights.remove(destination) else { return };
        let wakers = {
            let mut waiting = lock(&flight.0);
            waiting.end = Some(end.clone());
            core::mem::take(&mut waiting.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<D: fmt::Debug> fmt::Debug for Resolver<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("driver", &self.driver)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Flight {
    fn poll(&self, context: &Context<'_>) -> Poll<End> {
        let mut waiting = lock(&self.0);
        if let Some(end) = &waiting.end {
            return Poll::Ready(end.clone());
        }
        if !waiting.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

/// The one who resolves. Dropped before the end, it makes room for another.
struct Leader<'a, D> {
    resolver: &'a Resolver<D>,
    destination: &'a Destination,
}

impl<D> Leader<'_, D> {
    fn finish(self, found: Found, now: UnixMillis) -> Found {
        let found = lock(&self.resolver.state).cache.insert(self.destination, found, now);
        self.resolver.land(self.destination, &End::Found(found.clone()));
        found
    }
}

impl<D> Drop for Leader<'_, D> {
    fn drop(&mut self) {
        // After `finish` the flight has landed and this finds none.
        self.resolver.land(self.destination, &End::Abandoned);
    }
}

type Asking<'a> = (QueryId, Pin<Box<dyn Future<Output = Answer> + Send + 'a>>);

/// Runs a resolution to its end: all its questions at once.
async fn drive<D: Driver>(driver: &D, mut resolution: Resolution, time: impl Fn() -> UnixMillis) -> Found {
    let mut asking: Vec<Asking<'_>> = Vec::new();
    loop {
        while let Some(Request::Dns(request)) = resolution.poll_request() {
            let left = request.deadline.saturating_duration_since(time());
            let question = request.question;
            asking.push((request.id, Box::pin(async move { driver.ask(&question, left).await })));
        }
        while let Some(event) = resolution.poll_event() {
            if let Event::Finished(found) = event {
                return found;
            }
        }
        if asking.is_empty() {
            // No question is open, so only time can be missing.
            resolution.handle_timeout(resolution.poll_timeout().unwrap_or(time()));
            continue;
        }
        let (id, answer) = poll_fn(|context| first(&mut asking, context)).await;
        // Its time may have passed by now, or nobody needs it any more.
        let _ = resolution.handle_answer(id, answer, time());
        resolution.handle_timeout(time());
    }
}

/// The first answer that is there.
fn first(asking: &mut Vec<Asking<'_>>, context: &mut Context<'_>) -> Poll<(QueryId, Answer)> {
    for at in 0..asking.len() {
        let Some((id, future)) = asking.get_mut(at) else { break };
        if let Poll::Ready(answer) = future.as_mut().poll(context) {
            let id = *id;
            drop(asking.swap_remove(at));
            return Poll::Ready((id, answer));
        }
    }
    Poll::Pending
}
