//! [`Zone`]: a table of records in place of the DNS, with security and failures for each name.
//!
//! `text` reads the table, `respond` answers packets from it, and here are the answers it gives. It is for tests of hosts too: it needs no network, and says
//! the same every time.

mod respond;
mod text;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::{Future, ready};
use core::time::Duration;

pub use self::text::ZoneError;
use super::Driver;
use crate::config::Config;
use crate::destination::Destination;
use crate::discovery::{Account, Discovery, DiscoveryError};
use crate::dns::{
    Answer, Failure, Message, Question, Record, RecordData, RecordType, ResponseCode, Security,
    StartOfAuthority,
};
use crate::error::RouteError;
use crate::fetch::{FetchFailure, Page, Response};
use crate::machine::{Event, Request, Resolution};
use crate::name::{DomainName, Target};
use crate::plan::Plan;
use crate::random::SplitMix64;
use crate::sts::StsNews;
use crate::time::UnixMillis;

/// More aliases in a row than any limit that is tried.
const LONGEST_CHAIN: usize = 64;

/// A table of records.
///
/// A line is a name, perhaps a lifetime in seconds (300 if not), and a record as in a zone file; or a name and a
/// directive:
///
/// | line | meaning |
/// |---|---|
/// | `mx1.example.org 60 A 192.0.2.1` | a record: `A`, `AAAA`, `CNAME`, `MX`, `SRV`, `TXT`, `TLSA` |
/// | `example.org MX malformed` | a record that cannot be read |
/// | `example.org fail servfail` | each question about the name fails: the words of [`Failure`] |
/// | `example.org fail timeout AAAA` | questions of one type do |
/// | `example.org secure` | the name and those below are signed; or `insecure` |
/// | `example.org soa 300 60` | lifetime and last field of the SOA record for the name and those below; or `soa none` |
///
/// Names have no trailing dot; `.` is the root, `\DDD` any octet, `*` a wildcard, and what stands behind `;` a comment.
///
/// ```
/// use mailwright_mx::{Config, UnixMillis, drive::testing::Zone};
///
/// let zone = Zone::parse("example.org MX 10 mx1.example.org\nmx1.example.org A 192.0.2.1")?;
/// let plan = zone.resolve(&"example.org".parse()?, &Config::default().into(), 1, UnixMillis::default())?;
/// assert_eq!(plan.hosts()[0].addresses, ["192.0.2.1".parse::<std::net::IpAddr>()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Zone {
    names: BTreeMap<String, Node>,
    /// Answers end at the first alias.
    first_alias_only: bool,
    pages: BTreeMap<(DomainName, String), Result<Response, FetchFailure>>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    records: Vec<(u32, RecordData)>,
    fail: Vec<(Failure, Option<RecordType>)>,
    security: Option<Security>,
    soa: Option<Option<StartOfAuthority>>,
}

impl Zone {
    /// Reads a table.
    ///
    /// # Errors
    /// If a line is neither a record nor a directive.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        text::read(text)
    }

    /// The same table, behind a server that leaves following aliases to the one who asks.
    #[must_use]
    pub fn with_first_alias_only(mut self) -> Self {
        self.first_alias_only = true;
        self
    }

    /// The same table, and what comes of fetching a file. Other files are [`FetchFailure::Connection`].
    #[must_use]
    pub fn with_page(mut self, page: Page, result: Result<Response, FetchFailure>) -> Self {
        self.pages.insert((page.host, page.path), result);
        self
    }

    /// The same table, and the policy of MTA-STS that `domain` has, as text.
    ///
    /// # Panics
    /// If the name of the domain leaves no room for that of the policy host.
    #[must_use]
    #[expect(clippy::panic, reason = "for tests")]
    pub fn with_policy(self, domain: &str, policy: &str) -> Self {
        let Ok(host) = DomainName::from_ascii(&alloc::format!("mta-sts.{domain}")) else {
            panic!("{domain} cannot have a policy")
        };
        let response = Response::new(200, Some("text/plain".into()), policy.as_bytes().to_vec());
        self.with_page(Page::new(host, "/.well-known/mta-sts.txt"), Ok(response))
    }

    /// What comes of fetching a file.
    ///
    /// # Errors
    /// As the table says.
    pub fn page(&self, page: &Page) -> Result<Response, FetchFailure> {
        let found = self.pages.get(&(page.host.clone(), page.path.clone()));
        found.cloned().unwrap_or(Err(FetchFailure::Connection))
    }

    /// The answer to a question.
    #[must_use]
    pub fn answer(&self, question: &Question) -> Answer {
        match self.message(question) {
            Ok(message) => Answer::read(question, &message, LONGEST_CHAIN),
            Err(failure) => failure.into(),
        }
    }

    /// Resolves `destination` without a runtime, with answers in the order of the questions.
    ///
    /// # Errors
    /// If there is no plan.
    pub fn resolve(
        &self,
        destination: &Destination,
        config: &Arc<Config>,
        seed: u64,
        now: UnixMillis,
    ) -> Result<Arc<Plan>, RouteError> {
        self.run(Resolution::new(destination.clone(), Arc::clone(config), seed, now), now, 0).0
    }

    /// The same with answers in an order that `order` decides.
    ///
    /// # Errors
    /// If there is no plan.
    pub fn resolve_in_order(
        &self,
        destination: &Destination,
        config: &Arc<Config>,
        seed: u64,
        now: UnixMillis,
        order: u64,
    ) -> Result<Arc<Plan>, RouteError> {
        let resolution = Resolution::new(destination.clone(), Arc::clone(config), seed, now);
        self.run(resolution, now, order).0
    }

    /// Runs a resolution to its end, with answers in an order that `order` decides: that of the questions if it is 0. What
    /// was found out about the policy of the domain comes along.
    ///
    /// # Errors
    /// If there is no plan.
    pub fn run(
        &self,
        mut resolution: Resolution,
        now: UnixMillis,
        order: u64,
    ) -> (Result<Arc<Plan>, RouteError>, Option<StsNews>) {
        let mut random = SplitMix64::new(order);
        let mut next = |open| if order == 0 { 0 } else { random.below(open) };
        let (mut open, mut found) = (Vec::new(), None);
        loop {
            open.extend(core::iter::from_fn(|| resolution.poll_request()));
            while let Some(event) = resolution.poll_event() {
                match event {
                    Event::Finished(result) => return (result, found),
                    Event::Policy { news, .. } => found = Some(news),
                    Event::HostReady(_) => {}
                }
            }
            if open.is_empty() {
                // A resolution without questions has ended; this is for one that forgot to say so.
                resolution.handle_timeout(UnixMillis::from_millis(u64::MAX));
                continue;
            }
            // Questions about hosts that turned out not to matter are closed by now.
            let _ = match open.remove(next(open.len()).min(open.len() - 1)) {
                Request::Dns(request) => {
                    resolution.handle_answer(request.id, self.answer(&request.question), now)
                }
                Request::Fetch(request) => {
                    resolution.handle_response(request.id, self.page(&request.page), now)
                }
            };
        }
    }

    /// Runs a discovery to its end, with answers in the order of the questions.
    ///
    /// # Errors
    /// If no servers were found.
    pub fn discover(&self, mut discovery: Discovery, now: UnixMillis) -> Result<Account, DiscoveryError> {
        loop {
            let requests: Vec<Request> = core::iter::from_fn(|| discovery.poll_request()).collect();
            if let Some(result) = discovery.poll_event() {
                return result;
            }
            if requests.is_empty() {
                discovery.handle_timeout(UnixMillis::from_millis(u64::MAX));
            }
            for request in requests {
                let _ = match request {
                    Request::Dns(request) => {
                        discovery.handle_answer(request.id, self.answer(&request.question), now)
                    }
                    Request::Fetch(request) => {
                        discovery.handle_response(request.id, self.page(&request.page), now)
                    }
                };
            }
        }
    }

    /// The node for a name: its own, or that of a wildcard.
    fn node(&self, name: &str) -> Option<&Node> {
        let below = |name: &str| {
            let end = alloc::format!(".{name}");
            self.names.iter().any(|(other, node)| other.ends_with(&end) && !node.records.is_empty())
        };
        if let Some(node) = self.names.get(name) {
            if !node.records.is_empty() || below(name) {
                return Some(node);
            }
        }
        if below(name) {
            return Some(EMPTY);
        }
        // RFC 1034 §4.3.3: a wildcard at the closest name that exists.
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(node) = self.names.get(&alloc::format!("*.{parent}")) {
                return Some(node);
            }
            if self.names.contains_key(parent) || below(parent) {
                return None;
            }
            rest = parent;
        }
        None
    }

    /// What the nearest name says, from `name` upwards.
    fn nearest<T>(&self, name: &str, find: impl Fn(&Node) -> Option<T>) -> Option<T> {
        let mut rest = Some(name);
        while let Some(name) = rest {
            if let Some(found) = self.names.get(name).and_then(&find) {
                return Some(found);
            }
            rest = name.split_once('.').map(|(_, parent)| parent);
        }
        None
    }

    fn message(&self, question: &Question) -> Result<Message, Failure> {
        let mut name: DomainName = question.name.clone();
        let mut message = Message::new(ResponseCode::NoError);
        for _ in 0..LONGEST_CHAIN {
            let fails =
                |node: &&(Failure, Option<RecordType>)| node.1.is_none_or(|one| one == question.record_type);
            if let Some((failure, _)) =
                self.names.get(name.as_str()).and_then(|node| node.fail.iter().find(fails))
            {
                return Err(*failure);
            }
            let security = self.nearest(name.as_str(), |node| node.security).unwrap_or_default();
            let soa = self.nearest(name.as_str(), |node| node.soa);
            let Some(node) = self.node(name.as_str()) else {
                message.code = ResponseCode::NxDomain;
                message.authority = soa.unwrap_or(Some(StartOfAuthority::new(300, 300)));
                message.denial = security;
                return Ok(message);
            };
            let mut found = false;
            let mut next = None;
            for (ttl, data) in &node.records {
                let mut record = Record::new(name.clone(), *ttl, data.clone());
                record.security = security;
                match data {
                    RecordData::Cname(target) if question.record_type != RecordType::Cname => {
                        next = target.name().cloned();
                    }
                    data => found |= text::is_of(data, question.record_type),
                }
                message.answers.push(record);
            }
            if found || (next.is_some() && self.first_alias_only) {
                return Ok(message);
            }
            let Some(target) = next else {
                message.authority = soa.unwrap_or(Some(StartOfAuthority::new(300, 300)));
                message.denial = security;
                return Ok(message);
            };
            name = target;
        }
        Ok(message)
    }
}

static EMPTY: &Node = &Node { records: Vec::new(), fail: Vec::new(), security: None, soa: None };

impl Driver for Zone {
    fn ask(&self, question: &Question, _time: Duration) -> impl Future<Output = Answer> + Send {
        ready(self.answer(question))
    }

    fn fetch(
        &self,
        page: &Page,
        _limit: usize,
        _time: Duration,
    ) -> impl Future<Output = Result<Response, FetchFailure>> + Send {
        ready(self.page(page))
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Zone {
    fn node_mut(&mut self, name: &Target) -> &mut Node {
        self.names.entry(name.to_string()).or_default()
    }
}
