//! [`Resolution`]: from a destination to a plan, as a value. Questions come out, answers and time go in.
//!
//! `lookup` keeps the questions in flight, `exchanges` reads MX records, `policy` looks for a policy of MTA-STS, `addresses`
//! joins the answers about a host, `dane` looks for its TLSA records, `requirement` says what all of it means for TLS, and
//! this file goes from one stage to the next: the MX records and the policy, then the addresses of all hosts at once and
//! their TLSA records, taken in group by group from the best, then the end. `refresh` is a machine of its own. Answers may come in any order, late, twice, or to questions that nobody asked; the
//! outcome depends on what they say and on the seed.

mod addresses;
mod dane;
mod discovery;
mod exchanges;
mod finish;
mod lookup;
mod policy;
mod refresh;
mod requirement;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use self::dane::{DaneStage, FOREVER};
pub use self::discovery::Discovery;
use self::exchanges::{Candidate, Exchanges};
use self::lookup::{LookupId, Lookups};
use self::policy::PolicyLookup;
pub use self::refresh::{Refresh, Refreshed};
use crate::config::Config;
use crate::destination::{Destination, Relay, RelayHost};
use crate::dns::{Answer, Outcome, Question, RecordType, Records, Security};
use crate::error::{PermanentReason, RouteError, TemporaryReason};
use crate::fetch::{FetchFailure, FetchRequest, Response};
use crate::message_tls::MessageTls;
use crate::name::{DomainName, SpecialUse};
use crate::plan::{Diagnostic, HOSTS, Host, Kind, Plan, Report, SkipReason};
use crate::random::SplitMix64;
use crate::sts::{StsKnown, StsNews};
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
    /// Fetch a file, and hand what came of it to [`Resolution::handle_response`].
    Fetch(FetchRequest),
}

/// What comes out of a resolution.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A host is known to be in the plan, and so are all better ones: it may be connected to already.
    HostReady(Arc<Host>),
    /// Something was found out about the policy of a domain, for [`StsCache::learn`](crate::sts::StsCache::learn).
    Policy {
        /// The domain.
        domain: DomainName,
        /// What.
        news: StsNews,
    },
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
    dane: DaneStage,
    /// Until when what was found out about DANE holds.
    dane_expires: UnixMillis,
}

impl Pending {
    /// All about it is known.
    const fn is_done(&self) -> bool {
        matches!(self.dane, DaneStage::Done(_))
    }
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
    message: MessageTls,
    seed: u64,
    now: UnixMillis,
    lookups: Lookups,
    stage: Stage,
    kind: Kind,
    port: u16,
    expanded: Option<DomainName>,
    /// How far DNSSEC vouches for the names of the hosts.
    route_security: Security,
    policy: Option<PolicyLookup>,
    /// Whether what was found out about the policy is in the report.
    policy_told: bool,
    policy_partial: bool,
    /// Questions set aside for the record of the policy.
    policy_allowance: usize,
    /// Questions for each lookup that DANE takes.
    dane_allowance: usize,
    fetches: VecDeque<FetchRequest>,
    hosts: Vec<Arc<Host>>,
    /// The smart host is a domain without MX records.
    relay_is_implicit: bool,
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
        Self::for_message(destination, MessageTls::default(), StsKnown::default(), config, seed, now)
    }

    /// The same for messages that want something of TLS, and with what is known about the policy of
    /// [`Destination::name`].
    #[must_use]
    pub fn for_message(
        destination: Destination,
        message: MessageTls,
        known: StsKnown,
        config: Arc<Config>,
        seed: u64,
        now: UnixMillis,
    ) -> Self {
        let port = match &destination {
            Destination::Relay(relay) => relay.port,
            _ => config.port,
        };
        let mut resolution = Self {
            lookups: Lookups::new(now + config.limits.deadline),
            expanded: destination.name().cloned(),
            route_security: Security::Unchecked,
            policy: None,
            policy_told: false,
            policy_partial: false,
            policy_allowance: 0,
            dane_allowance: 0,
            fetches: VecDeque::new(),
            config,
            message,
            seed,
            now,
            stage: Stage::Finished,
            kind: Kind::Mx,
            port,
            destination,
            hosts: Vec::new(),
            relay_is_implicit: false,
            expires: FOREVER,
            report: Report::default(),
            events: VecDeque::new(),
        };
        resolution.begin(known);
        resolution
    }

    fn begin(&mut self, known: StsKnown) {
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
                // RFC 7672 §2.2.2: the operator vouches for the name of a smart host.
                self.route_security = Security::Secure;
                self.look_up_policy(&name, known);
                self.look_up_hosts(Vec::from([Candidate { preference: 0, name }]), false, 0);
            }
            Destination::Relay(Relay { host: RelayHost::Name(name), mx: true, .. }) => {
                self.kind = Kind::Relay;
                self.look_up_exchanges(name, known);
            }
            Destination::Domain(domain) => self.look_up_exchanges(domain.name().clone(), known),
        }
    }

    /// Whether the hosts are those of MX records.
    fn by_exchanges(&self) -> bool {
        match self.kind {
            Kind::Mx => true,
            Kind::Relay => self.relay_has_exchanges() && !self.relay_is_implicit,
            Kind::ImplicitMx | Kind::Literal => false,
        }
    }

    /// RFC 8461 §3.4, §1.1: the policy is that of the destination itself, an alias or a smart host as it may be.
    fn look_up_policy(&mut self, name: &DomainName, known: StsKnown) {
        if !self.config.sts {
            return;
        }
        let limits = &self.config.limits;
        self.policy_allowance = (limits.queries / 4).min(limits.aliases + 1);
        let now = (self.now, limits);
        let lookups = &mut self.lookups;
        self.policy = PolicyLookup::start(name.clone(), known, false, lookups, self.policy_allowance, now);
    }

    fn look_up_exchanges(&mut self, name: DomainName, known: StsKnown) {
        if name.is_address() {
            return self.fail(PermanentReason::AddressWithoutBrackets);
        }
        if name.special().is_some() {
            return self.fail(PermanentReason::SpecialUse);
        }
        self.look_up_policy(&name, known);
        let question = Question::new(name, RecordType::Mx);
        let limits = &self.config.limits;
        // Most of the budget is for hosts; a chain is followed as long as it may be.
        let allowance = (limits.queries - self.policy_allowance).min(limits.aliases + 1);
        let lookup = self.lookups.start(question, allowance, self.now, limits);
        self.stage = Stage::Exchanges(lookup);
        self.advance();
    }

    /// A question or another request, if there is one. Call it until there is none; all of them may be in flight at once.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<Request> {
        let dns = self.lookups.poll_request().map(Request::Dns);
        dns.or_else(|| self.fetches.pop_front().map(Request::Fetch))
    }

    /// An event, if there is one.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixMillis> {
        let fetch = self.policy.as_ref().and_then(PolicyLookup::deadline);
        [self.lookups.next_deadline(), fetch].into_iter().flatten().min()
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

    /// What came of fetching a file.
    ///
    /// # Errors
    /// If it was not asked for, or is not waited for any more; nothing has changed then.
    pub fn handle_response(
        &mut self,
        id: QueryId,
        result: Result<Response, FetchFailure>,
        now: UnixMillis,
    ) -> Result<(), AnswerError> {
        self.now = self.now.max(now);
        let policy = self.policy.as_mut().ok_or(AnswerError::NotAsked)?;
        let news = policy.take(id, result, self.now, &self.config.limits)?;
        self.tell_news(news);
        self.advance();
        Ok(())
    }

    fn tell_news(&mut self, news: StsNews) {
        if let Some(policy) = &self.policy {
            self.events.push_back(Event::Policy { domain: policy.domain().clone(), news });
        }
    }

    /// The time. Too early a call changes nothing.
    pub fn handle_timeout(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
        self.lookups.expire(self.now);
        if let Some(news) =
            self.policy.as_mut().and_then(|policy| policy.expire(self.now, &self.config.limits))
        {
            self.tell_news(news);
        }
        self.advance();
    }

    /// How many questions were asked so far.
    #[must_use]
    pub const fn queries(&self) -> usize {
        self.lookups.asked()
    }

    /// Goes on as far as the answers reach.
    fn advance(&mut self) {
        if let Some(policy) = &mut self.policy {
            // A file whose time is over is not fetched.
            self.fetches.retain(|fetch| policy.deadline().is_some() && self.now < fetch.deadline);
            self.fetches.extend(policy.advance(&mut self.lookups, self.now, &self.config.limits));
        }
        if let Stage::Exchanges(lookup) = self.stage {
            let Some((answer, expires)) = self.lookups.answer(lookup) else { return };
            let (answer, used) = (answer.clone(), self.lookups.used(lookup));
            self.take_exchanges(&answer, expires, used);
        }
        self.take_groups();
    }

    /// The MX records are there, or are known to be missing.
    fn take_exchanges(&mut self, answer: &Answer, expires: UnixMillis, used: usize) {
        let Some(name) = self.destination.name().cloned() else { return };
        let question = Question::new(name, RecordType::Mx);
        if let Outcome::Failure(failure) = answer.outcome {
            // RFC 5321 §5.1: a lookup that failed for now says nothing about MX records; the message waits.
            self.report_exchanges(failure);
            return self.defer(TemporaryReason::Lookup { question, failure });
        }
        self.route_security = answer.security;
        // RFC 5321 §5.1: an alias is followed as if its target were the name of the destination.
        self.expanded.clone_from(&answer.canonical);
        self.expires = self.expires.min(expires);
        if answer.malformed > 0 {
            self.report.note(Diagnostic::MalformedRecords { question, count: answer.malformed });
        }
        match &answer.outcome {
            Outcome::Records(Records::Mx(records)) => {
                let limits = &self.config.limits;
                // All questions about each host have to fit into what is left of the budget.
                let budget = self.left(used) / self.questions_per_host();
                let limit = limits.hosts.min(HOSTS).min(budget).max(1);
                let mut random = SplitMix64::new(self.seed);
                match exchanges::exchanges(records, &self.config, limit, &mut random, &mut self.report) {
                    Exchanges::Null => self.fail(PermanentReason::NullMx),
                    Exchanges::Hosts { candidates, own } => {
                        self.look_up_hosts(candidates, own.is_some(), used)
                    }
                }
            }
            Outcome::NoData => self.take_no_exchanges(used),
            // RFC 5321 §5.1: a domain that does not exist has no implicit MX either.
            _ => self.fail(PermanentReason::NoSuchDomain),
        }
    }

    /// RFC 5321 §5.1: a domain without MX records is its own host, with preference 0.
    fn take_no_exchanges(&mut self, used: usize) {
        if self.kind == Kind::Mx {
            self.kind = Kind::ImplicitMx;
        }
        self.relay_is_implicit = true;
        let Some(name) = self.expanded.clone() else { return };
        match exchanges::implicit(&name, &self.config) {
            Ok(candidate) => self.look_up_hosts(Vec::from([candidate]), false, used),
            Err(reason) => {
                self.report.skip(name, 0, reason);
                self.look_up_hosts(Vec::new(), reason == SkipReason::NotBetterThanSelf, used);
            }
        }
    }

    /// What is left of the budget, whatever the policy takes of its share.
    fn left(&self, used: usize) -> usize {
        self.config.limits.queries.saturating_sub(self.policy_allowance).saturating_sub(used)
    }

    /// Two families of addresses, and where DANE may be in use the alias and TLSA records at two names.
    fn questions_per_host(&self) -> usize {
        if self.dane_applies() { 5 } else { 2 }
    }

    fn look_up_hosts(&mut self, candidates: Vec<Candidate>, own: bool, used: usize) {
        let limits = &self.config.limits;
        let lookups = self.questions_per_host() * candidates.len();
        let allowance = self.left(used).checked_div(lookups).unwrap_or_default().min(limits.aliases + 1);
        self.dane_allowance = allowance;
        let mut pending = VecDeque::with_capacity(candidates.len());
        for candidate in candidates {
            let mut start = |record_type| {
                let question = Question::new(candidate.name.clone(), record_type);
                self.lookups.start(question, allowance, self.now, limits)
            };
            let (aaaa, a) = (start(RecordType::Aaaa), start(RecordType::A));
            let dane = DaneStage::Addresses;
            pending.push_back(Pending { candidate, a, aaaa, dane, dane_expires: FOREVER });
        }
        self.stage = Stage::Hosts { pending, own };
        self.take_groups();
    }

    /// Takes in groups of equal preference, best first, each when all of its answers are there: then it is known whether
    /// this host is one of them.
    fn take_groups(&mut self) {
        if let Stage::Hosts { pending, .. } = &mut self.stage {
            let mut hosts = core::mem::take(pending);
            self.advance_dane(hosts.make_contiguous());
            if let Stage::Hosts { pending, .. } = &mut self.stage {
                *pending = hosts;
            }
            // What is asked of a host depends on the policy.
            if self.policy.as_ref().is_some_and(|policy| policy.applied().is_none()) {
                return;
            }
            if !core::mem::replace(&mut self.policy_told, true) {
                if let Some(failure) = self.report_policy() {
                    return self.defer(TemporaryReason::StsUnknown(failure));
                }
            }
        }
        while let Stage::Hosts { pending, own } = &mut self.stage {
            let Some(first) = pending.front() else {
                let own = *own;
                return self.finish(own);
            };
            let preference = first.candidate.preference;
            let size = pending.iter().take_while(|host| host.candidate.preference == preference).count();
            if !pending.iter().take(size).all(Pending::is_done) {
                return;
            }
            let group: Vec<Pending> = pending.drain(..size).collect();
            if self.take_group(&group) {
                self.end_at_self();
            }
        }
    }
}
