//! [`Resolver`]: a driver, the cache, and one resolution at a time for each destination. It runs on any runtime that the
//! driver runs on, and never blocks: its locks are held for lookups in maps only.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cache::Cache;
use crate::config::Config;
use crate::destination::Destination;
use crate::drive::{Driver, run};
use crate::error::RouteError;
use crate::machine::{Event, Refresh, Refreshed, Resolution};
use crate::message_tls::MessageTls;
use crate::name::DomainName;
use crate::plan::Plan;
use crate::random::SplitMix64;
use crate::sts::{SnapshotError, StsCache, StsKnown, StsNews};
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
    policies: StsCache,
    /// Something new is in `policies`.
    policies_changed: bool,
    flights: BTreeMap<(Destination, MessageTls), Arc<Flight>>,
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
        let state = State {
            cache,
            policies: StsCache::new(&config.limits),
            policies_changed: false,
            flights: BTreeMap::new(),
            random: SplitMix64::new(seed),
        };
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
        self.resolve_for(destination, MessageTls::default(), now).await
    }

    /// The same for a message that wants something of TLS.
    ///
    /// # Errors
    /// If there is no plan: [`RouteError`] says whether and when to try again.
    pub async fn resolve_for(
        &self,
        destination: &Destination,
        message: MessageTls,
        now: UnixMillis,
    ) -> Result<Arc<Plan>, RouteError> {
        loop {
            let role = {
                let mut state = lock(&self.state);
                if let Some(found) = state.cache.get(destination, message, now) {
                    return found.clone();
                }
                let key = (destination.clone(), message);
                if let Some(flight) = state.flights.get(&key) {
                    Role::Follower(Arc::clone(flight))
                } else {
                    state.flights.insert(key, Arc::default());
                    Role::Leader(state.random.next_u64())
                }
            };
            match role {
                Role::Leader(seed) => {
                    // From here to the end nobody else resolves it, unless this future is dropped.
                    let leader = Leader { resolver: self, destination, message };
                    let start = self.driver.elapsed();
                    let time = || now + self.driver.elapsed().saturating_sub(start);
                    let (to, config) = (destination.clone(), Arc::clone(&self.config));
                    let known = match to.name() {
                        Some(name) => lock(&self.state).policies.known(name, now),
                        None => StsKnown::default(),
                    };
                    let resolution = Resolution::for_message(to, message, known, config, seed, now);
                    let found = self.drive(resolution, now).await;
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
    /// The policies of MTA-STS that are known, as text, if there are new ones since this was asked last: keep it, and give it
    /// to [`Self::restore_policies`] after a restart.
    #[must_use]
    pub fn changed_policies(&self) -> Option<alloc::string::String> {
        let mut state = lock(&self.state);
        core::mem::take(&mut state.policies_changed).then(|| state.policies.snapshot())
    }

    /// Takes in policies that were kept. Gives their number.
    ///
    /// # Errors
    /// If it is not what [`Self::changed_policies`] gave; then nothing was taken in.
    pub fn restore_policies(&self, snapshot: &str) -> Result<usize, SnapshotError> {
        lock(&self.state).policies.restore(snapshot)
    }

    fn learn(&self, domain: &DomainName, news: &StsNews) {
        let mut state = lock(&self.state);
        state.policies.learn(domain, news);
        state.policies_changed |= matches!(news, StsNews::Fetched(_));
    }

    fn land(&self, destination: &Destination, message: MessageTls, end: &End) {
        let Some(flight) = lock(&self.state).flights.remove(&(destination.clone(), message)) else { return };
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
    message: MessageTls,
}

impl<D> Leader<'_, D> {
    fn finish(self, found: Found, now: UnixMillis) -> Found {
        let found = lock(&self.resolver.state).cache.insert(self.destination, self.message, found, now);
        self.resolver.land(self.destination, self.message, &End::Found(found.clone()));
        found
    }
}

impl<D> Drop for Leader<'_, D> {
    fn drop(&mut self) {
        // After `finish` the flight has landed and this finds none.
        self.resolver.land(self.destination, self.message, &End::Abandoned);
    }
}

impl<D: Driver> Resolver<D> {
    /// Runs a resolution to its end.
    async fn drive(&self, mut resolution: Resolution, now: UnixMillis) -> Found {
        let end = |resolution: &mut Resolution| {
            while let Some(event) = resolution.poll_event() {
                match event {
                    Event::Finished(found) => return Some(found),
                    Event::Policy { domain, news } => self.learn(&domain, &news),
                    Event::HostReady(_) => {}
                }
            }
            None
        };
        run(&self.driver, &mut resolution, now, end).await
    }

    /// Fetches the policy again that is due, if there is one: to be called every few minutes, until it gives nothing. What
    /// went wrong is worth telling the operator (RFC 8461 §3.3).
    pub async fn refresh_policy(&self, now: UnixMillis) -> Option<(DomainName, Refreshed)> {
        let (domain, known) = {
            let mut state = lock(&self.state);
            let domain = state.policies.due(now)?.clone();
            let known = state.policies.known(&domain, now);
            // Another task does not take it up as well, and without news it is not due at once again.
            state.policies.postpone(&domain, now + self.config.limits.policy_retry);
            (domain, known)
        };
        let mut refresh = Refresh::new(domain.clone(), known, Arc::clone(&self.config), now);
        let refreshed = run(&self.driver, &mut refresh, now, Refresh::poll_event).await;
        if let Some(news) = &refreshed.news {
            self.learn(&domain, news);
        }
        Some((domain, refreshed))
    }
}
