//! [`Resolution`]: from a destination to a plan, as a value. Questions come out, answers and time go in.
//!
//! `lookup` keeps the questions in flight, `exchanges` reads MX records, `addresses` joins the answers about a host, and
//! this file goes from one stage to the next: the MX records, then the addresses of all hosts at once, taken in group by
//! group from the best, then the end. Answers may come in any order, late, twice, or to questions that nobody asked; the
//! outcome depends on what they say and on the seed.

mod addresses;
mod exchanges;
mod finish;
mod lookup;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use self::exchanges::{Candidate, Exchanges};
use self::lookup::{LookupId, Lookups};
use crate::config::Config;
use crate::destination::{Destination, Relay, RelayHost};
use crate::dns::{Answer, Outcome, Question, RecordType, Records};
use crate::error::{PermanentReason, RouteError, TemporaryReason};
use crate::name::{DomainName, SpecialUse};
use crate::plan::{Diagnostic, HOSTS, Host, Kind, Plan, Report, SkipReason};
use crate::random::SplitMix64;
use crate::time::UnixMillis;

/// The number of a question, unique within a resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(u32);

/// A question for the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsRequest {
    /// What the answer is handed in with.
    pub id: QueryId,
    /// The question.
    pub question: Question,
    /// After this, no answer is waited for.
    pub deadline: UnixMillis,
}

/// Something that the host of a resolution is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Ask the DNS, and hand the answer to [`Resolution::handle_answer`].
    Dns(DnsRequest),
}

/// What comes out of a resolution.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A host is known to be in the plan, and so are all better ones: it may be connected to already.
    HostReady(Arc<Host>),
    /// The end.
    Finished(Result<Arc<Plan>, RouteError>),
}

/// Why an answer was not taken. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The question was never asked, or is answered, or its time is over, or nobody needs its answer any more.
    #[error("no such question is open")]
    NotAsked,
    /// The records are of another type than the question.
    #[error("the records are not of the type that was asked for")]
    WrongType,
}

/// A host whose addresses are being looked up.
#[derive(Clone, Debug)]
struct Pending {
    candidate: Candidate,
    a: LookupId,
    aaaa: LookupId,
}

#[derive(Clone, Debug)]
enum Stage {
    Exchanges(LookupId),
    Hosts {
        pending: VecDeque<Pending>,
        /// This host, by its name, ends the list.
        own: bool,
    },
    Finished,
}

/// A resolution under way.
///
/// ```
/// use mailwright_mx::dns::Failure;
/// use mailwright_mx::{Config, Event, Request, Resolution, RouteError, UnixMillis};
///
/// let now = UnixMillis::from_seconds(1_800_000_000);
/// let mut resolution = Resolution::new("example.org".parse()?, Config::default().into(), 7, now);
/// while let Some(Request::Dns(request)) = resolution.poll_request() {
///     assert_eq!(request.question.to_string(), "example.org MX");
///     resolution.handle_answer(request.id, Failure::ServFail.into(), now)?;
/// }
/// let Some(Event::Finished(Err(RouteError::Temporary(error)))) = resolution.poll_event() else { panic!() };
/// assert_eq!(error.to_string(), "4.4.3 example.org MX: servfail");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Resolution {
    config: Arc<Config>,
    destination: Destination,
    seed: u64,
    now: UnixMillis,
    lookups: Lookups,
    stage: Stage,
    kind: Kind,
    port: u16,
    expanded: Option<DomainName>,
    hosts: Vec<Arc<Host>>,
    /// Until when everything so far holds.
    expires: UnixMillis,
    report: Report,
    events: VecDeque<Event>,
}

impl Resolution {
    /// Begins to resolve `destination`. `seed` decides what is left to chance: which hosts are kept of more than the
    /// limit.
    #[must_use]
    pub fn new(destination: Destination, config: Arc<Config>, seed: u64, now: UnixMillis) -> Self {
        let port = match &destination {
            Destination::Relay(relay) => relay.port,
            _ => config.port,
        };
        let mut resolution = Self {
            lookups: Lookups::new(now + config.limits.deadline),
            expanded: destination.name().cloned(),
            config,
            seed,
            now,
            stage: Stage::Finished,
            kind: Kind::Mx,
            port,
            destination,
            hosts: Vec::new(),
            expires: UnixMillis::from_millis(u64::MAX),
            report: Report::default(),
            events: VecDeque::new(),
        };
        resolution.begin();
        resolution
    }

    fn begin(&mut self) {
        match self.destination.clone() {
            // RFC 5321 §4.1.3: an address literal says which host it is; there is nothing to look up.
            Destination::Literal(address) => self.literal(address),
            Destination::Relay(Relay { host: RelayHost::Address(address), .. }) => {
                self.kind = Kind::Relay;
                self.addresses_given(Vec::from([address]));
            }
            Destination::Relay(Relay { host: RelayHost::Name(name), mx: false, .. }) => {
                self.kind = Kind::Relay;
                if name.special() == Some(SpecialUse::Localhost) {
                    // RFC 6761 §6.3: the name means the loopback addresses, and no DNS server is asked.
                    let both = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];
                    return self.addresses_given(Vec::from(both));
                }
                if name.special().is_some() {
                    return self.fail(PermanentReason::SpecialUse);
                }
                self.look_up_hosts(Vec::from([Candidate { preference: 0, name }]), false);
            }
            Destination::Relay(Relay { host: RelayHost::Name(name), mx: true, .. }) => {
                self.kind = Kind::Relay;
                self.look_up_exchanges(name);
            }
            Destination::Domain(domain) => self.look_up_exchanges(domain.name().clone()),
        }
    }

    fn look_up_exchanges(&mut self, name: DomainName) {
        if name.is_address() {
            return self.fail(PermanentReason::AddressWithoutBrackets);
        }
        if name.special().is_some() {
            return self.fail(PermanentReason::SpecialUse);
        }
        let question = Question::new(name, RecordType::Mx);
        let limits = &self.config.limits;
        // Most of the budget is for hosts; a chain is followed as long as it may be.
        let allowance = limits.queries.min(limits.aliases + 1);
        let lookup = self.lookups.start(question, allowance, self.now, limits);
        self.stage = Stage::Exchanges(lookup);
        self.advance();
    }

    /// A question or another request, if there is one. Call it until there is none; all of them may be in flight at once.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<Request> {
        self.lookups.poll_request().map(Request::Dns)
    }

    /// An event, if there is one.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixMillis> {
        self.lookups.next_deadline()
    }

    /// The answer to a question.
    ///
    /// # Errors
    /// If the question is not open, or the answer does not fit; nothing has changed then.
    pub fn handle_answer(&mut self, id: QueryId, answer: Answer, now: UnixMillis) -> Result<(), AnswerError> {
        self.now = self.now.max(now);
        self.lookups.handle_answer(id, answer, self.now, &self.config.limits)?;
        self.advance();
        Ok(())
    }

    /// The time. Too early a call changes nothing.
    pub fn handle_timeout(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
        self.lookups.expire(self.now);
        self.advance();
    }

    /// How many questions were asked so far.
    #[must_use]
    pub const fn queries(&self) -> usize {
        self.lookups.asked()
    }

    /// Goes on as far as the answers reach.
    fn advance(&mut self) {
        if let Stage::Exchanges(lookup) = self.stage {
            let Some((answer, expires)) = self.lookups.answer(lookup) else { return };
            self.take_exchanges(&answer.clone(), expires);
        }
        self.take_groups();
    }

    /// The MX records are there, or are known to be missing.
    fn take_exchanges(&mut self, answer: &Answer, expires: UnixMillis) {
        let Some(name) = self.destination.name().cloned() else { return };
        let question = Question::new(name, RecordType::Mx);
        if let Outcome::Failure(failure) = answer.outcome {
            // RFC 5321 §5.1: a lookup that failed for now says nothing about MX records; the message waits.
            return self.defer(TemporaryReason::Lookup { question, failure });
        }
        // RFC 5321 §5.1: an alias is followed as if its target were the name of the destination.
        self.expanded.clone_from(&answer.canonical);
        self.expires = self.expires.min(expires);
        if answer.malformed > 0 {
            self.report.note(Diagnostic::MalformedRecords { question, count: answer.malformed });
        }
        match &answer.outcome {
            Outcome::Records(Records::Mx(records)) => {
                let limits = &self.config.limits;
                // Both families of each host have to fit into what is left of the budget.
                let budget = limits.queries.saturating_sub(self.lookups.asked()) / 2;
                let limit = limits.hosts.min(HOSTS).min(budget).max(1);
                let mut random = SplitMix64::new(self.seed);
                match exchanges::exchanges(records, &self.config, limit, &mut random, &mut self.report) {
                    Exchanges::Null => self.fail(PermanentReason::NullMx),
                    Exchanges::Hosts { candidates, own } => self.look_up_hosts(candidates, own.is_some()),
                }
            }
            Outcome::NoData => self.take_no_exchanges(),
            // RFC 5321 §5.1: a domain that does not exist has no implicit MX either.
            _ => self.fail(PermanentReason::NoSuchDomain),
        }
    }

    /// RFC 5321 §5.1: a domain without MX records is its own host, with preference 0.
    fn take_no_exchanges(&mut self) {
        if self.kind == Kind::Mx {
            self.kind = Kind::ImplicitMx;
        }
        let Some(name) = self.expanded.clone() else { return };
        match exchanges::implicit(&name, &self.config) {
            Ok(candidate) => self.look_up_hosts(Vec::from([candidate]), false),
            Err(reason) => {
                self.report.skip(name, 0, reason);
                self.look_up_hosts(Vec::new(), reason == SkipReason::NotBetterThanSelf);
            }
        }
    }

    fn look_up_hosts(&mut self, candidates: Vec<Candidate>, own: bool) {
        let limits = &self.config.limits;
        let lookups = 2 * candidates.len();
        let left = limits.queries.saturating_sub(self.lookups.asked());
        let allowance = left.checked_div(lookups).unwrap_or_default().min(limits.aliases + 1);
        let mut pending = VecDeque::with_capacity(candidates.len());
        for candidate in candidates {
            let mut start = |record_type| {
                let question = Question::new(candidate.name.clone(), record_type);
                self.lookups.start(question, allowance, self.now, limits)
            };
            let (aaaa, a) = (start(RecordType::Aaaa), start(RecordType::A));
            pending.push_back(Pending { candidate, a, aaaa });
        }
        self.stage = Stage::Hosts { pending, own };
        self.take_groups();
    }

    /// Takes in groups of equal preference, best first, each when all of its answers are there: then it is known whether
    /// this host is one of them.
    fn take_groups(&mut self) {
        while let Stage::Hosts { pending, own } = &mut self.stage {
            let Some(first) = pending.front() else {
                let own = *own;
                return self.finish(own);
            };
            let preference = first.candidate.preference;
            let size = pending.iter().take_while(|host| host.candidate.preference == preference).count();
            let done = |host: &Pending| {
                self.lookups.answer(host.a).is_some() && self.lookups.answer(host.aaaa).is_some()
            };
            if !pending.iter().take(size).all(done) {
                return;
            }
            let group: Vec<Pending> = pending.drain(..size).collect();
            if self.take_group(&group) {
                self.end_at_self();
            }
        }
    }
}
