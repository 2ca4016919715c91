//! [`Discovery`]: the machine of account discovery. SRV records of all services are asked at once; without any, one file after
//! the other is fetched until one tells of servers.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::lookup::{LookupId, Lookups};
use super::{AnswerError, QueryId, Request};
use crate::discovery::{
    Account, DiscoveryConfig, DiscoveryError, Protocol, Security, Service, Source, autoconfig, autodiscover,
    autodiscover_request, chosen, is_within, logins, sorted,
};
use crate::dns::{Answer, Failure, Outcome, Question, RecordType, Records, Security as DnsSecurity};
use crate::fetch::{FetchFailure, FetchRequest, Page, Response};
use crate::name::DomainName;
use crate::time::UnixMillis;

/// The services with their labels, those with TLS from the start first.
const SERVICES: [(&str, Protocol, Security); 6] = [
    ("_imaps", Protocol::Imap, Security::Implicit),
    ("_imap", Protocol::Imap, Security::StartTls),
    ("_pop3s", Protocol::Pop3, Security::Implicit),
    ("_pop3", Protocol::Pop3, Security::StartTls),
    ("_submissions", Protocol::Submission, Security::Implicit),
    ("_submission", Protocol::Submission, Security::StartTls),
];
/// Octets of a file.
const FILE: usize = 64 * 1024;

/// A discovery under way: the verbs are those of a [`Resolution`](crate::Resolution).
///
/// ```
/// use mailwright_mx::discovery::{Discovery, DiscoveryConfig};
/// use mailwright_mx::{Request, UnixMillis};
///
/// let now = UnixMillis::from_seconds(1_800_000_000);
/// let mut discovery = Discovery::new("alice", "example.org".parse()?, DiscoveryConfig::default(), 7, now);
/// let Some(Request::Dns(request)) = discovery.poll_request() else { panic!() };
/// assert_eq!(request.question.to_string(), "_imaps._tcp.example.org SRV");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Discovery {
    local: String,
    domain: DomainName,
    config: DiscoveryConfig,
    seed: u64,
    now: UnixMillis,
    lookups: Lookups,
    stage: Stage,
    /// Files that are still to be fetched.
    files: VecDeque<(Source, Page)>,
    fetch: Option<FetchRequest>,
    /// What the domain says that it does not offer.
    refused: Vec<Protocol>,
    /// The first lookup that failed.
    failure: Option<Failure>,
    result: Option<Result<Account, DiscoveryError>>,
}

#[derive(Clone, Debug)]
enum Stage {
    Records(Vec<(LookupId, Protocol, Security)>),
    File { id: QueryId, source: Source, deadline: UnixMillis },
    Finished,
}

impl Discovery {
    /// Begins to look for the servers of `local@domain`.
    #[must_use]
    pub fn new(local: &str, domain: DomainName, config: DiscoveryConfig, seed: u64, now: UnixMillis) -> Self {
        let limits = &config.limits;
        let mut lookups = Lookups::new(now + limits.deadline);
        let mut stage = Vec::new();
        if domain.special().is_none() && !domain.is_address() {
            for (label, protocol, security) in SERVICES {
                let name = alloc::format!("{label}._tcp.{domain}");
                let Ok(name) = DomainName::from_ascii(&name) else { continue };
                let allowance = (limits.queries / SERVICES.len()).min(limits.aliases + 1);
                let question = Question::new(name, RecordType::Srv);
                stage.push((lookups.start(question, allowance, now, limits), protocol, security));
            }
        }
        let files = if stage.is_empty() { VecDeque::new() } else { files(local, &domain, config.ispdb) };
        let mut discovery = Self {
            local: local.into(),
            domain,
            config,
            seed,
            now,
            lookups,
            stage: Stage::Records(stage),
            files,
            fetch: None,
            refused: Vec::new(),
            failure: None,
            result: None,
        };
        discovery.advance();
        discovery
    }

    /// A question or a file to fetch, if there is one.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<Request> {
        let dns = self.lookups.poll_request().map(Request::Dns);
        dns.or_else(|| self.fetch.take().map(Request::Fetch))
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixMillis> {
        match self.stage {
            Stage::Records(_) => self.lookups.next_deadline(),
            Stage::File { deadline, .. } => Some(deadline),
            Stage::Finished => None,
        }
    }

    /// The end, once.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Result<Account, DiscoveryError>> {
        self.result.take()
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
        match self.stage {
            Stage::File { id: open, source, .. } if open == id => {
                match result.ok().and_then(|response| self.read(&response, source)) {
                    Some(account) => self.finish(Ok(account)),
                    None => self.next_file(),
                }
                Ok(())
            }
            _ => Err(AnswerError::NotAsked),
        }
    }

    /// The time. Too early a call changes nothing.
    pub fn handle_timeout(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
        self.lookups.expire(self.now);
        self.advance();
        match self.stage {
            Stage::File { deadline, .. } if deadline <= self.now => self.next_file(),
            _ => {}
        }
    }

    fn read(&self, response: &Response, source: Source) -> Option<Account> {
        if response.status != 200 || response.body.len() > FILE {
            return None;
        }
        let read = match source {
            Source::Autodiscover | Source::AutodiscoverRoot => autodiscover,
            _ => autoconfig,
        };
        let mut account = read(&response.body, &self.local, &self.domain, source, self.config.allow_plain)?;
        // RFC 6186 §3.4: what the domain says that it does not offer is not there, whoever else says so.
        account.incoming.retain(|service| !self.refused.contains(&service.protocol));
        account.outgoing.retain(|service| !self.refused.contains(&service.protocol));
        (!account.incoming.is_empty() || !account.outgoing.is_empty()).then_some(account)
    }

    /// Takes the records once all answers are there.
    fn advance(&mut self) {
        let Stage::Records(lookups) = &self.stage else { return };
        let mut found: Vec<(u16, Service)> = Vec::new();
        let mut refused = Vec::new();
        for (lookup, protocol, security) in lookups {
            let Some((answer, _)) = self.lookups.answer(*lookup) else { return };
            match &answer.outcome {
                Outcome::Failure(failure) => self.failure = self.failure.or(Some(*failure)),
                Outcome::Records(Records::Srv(records)) => match chosen(records, self.seed) {
                    Some(hosts) => {
                        let secure = answer.security == DnsSecurity::Secure;
                        found.extend(hosts.into_iter().map(|(host, port, priority)| {
                            (priority, self.service((*protocol, *security), host, port, secure))
                        }));
                    }
                    None => refused.push(*protocol),
                },
                _ => {}
            }
        }
        if !found.is_empty() {
            let account = account(found);
            return self.finish(Ok(account));
        }
        if SERVICES.iter().all(|(_, protocol, _)| refused.contains(protocol)) {
            return self.finish(Err(DiscoveryError::NotOffered));
        }
        self.refused = refused;
        self.next_file();
    }

    fn service(
        &self,
        (protocol, security): (Protocol, Security),
        host: DomainName,
        port: u16,
        secure: bool,
    ) -> Service {
        Service {
            protocol,
            security,
            // RFC 6186 §6, RFC 8314 §5.1: a host elsewhere may be anybody's, unless DNSSEC vouches for the record.
            needs_confirmation: !secure && !is_within(&host, &self.domain),
            host,
            port,
            logins: logins(&self.local, &self.domain),
            secure,
        }
    }

    fn next_file(&mut self) {
        self.fetch = None;
        let deadline = self.lookups.end().min(self.now + self.config.step);
        match self.files.pop_front() {
            Some((source, page)) if deadline > self.now => {
                let id = self.lookups.next_id();
                self.stage = Stage::File { id, source, deadline };
                self.fetch = Some(FetchRequest { id, page, limit: FILE, deadline });
            }
            _ => {
                let error = self.failure.map_or(DiscoveryError::NotFound, DiscoveryError::Temporary);
                self.finish(Err(error));
            }
        }
    }

    fn finish(&mut self, result: Result<Account, DiscoveryError>) {
        self.lookups.cancel();
        self.fetch = None;
        self.stage = Stage::Finished;
        self.result = Some(result);
    }
}

/// The account of SRV records, with their priorities.
fn account(found: Vec<(u16, Service)>) -> Account {
    // RFC 6186 §3.4: of IMAP and POP3 the one with the lower priority value; RFC 8314 §5.1: by the records that count, which
    // are those with TLS from the start if there are any.
    let best = |protocol: Protocol| {
        let of = |security: Security| {
            let mut all =
                found.iter().filter(|(_, one)| one.protocol == protocol && one.security == security);
            all.next().map(|first| all.fold(first.0, |best, (priority, _)| best.min(*priority)))
        };
        of(Security::Implicit).or(of(Security::StartTls))
    };
    let pop3_first = match (best(Protocol::Imap), best(Protocol::Pop3)) {
        (Some(imap), Some(pop3)) => pop3 < imap,
        (imap, _) => imap.is_none(),
    };
    let (outgoing, mut incoming): (Vec<_>, Vec<_>) =
        found.into_iter().map(|(_, service)| service).partition(|one| one.protocol == Protocol::Submission);
    if pop3_first {
        incoming.sort_by_key(|service| service.protocol == Protocol::Imap);
    }
    Account { source: Source::Srv, incoming: sorted(incoming, false), outgoing: sorted(outgoing, false) }
}

/// The files that may tell of servers, in order.
fn files(local: &str, domain: &DomainName, ispdb: bool) -> VecDeque<(Source, Page)> {
    let mut address = String::new();
    for octet in local.bytes() {
        // Writing to a string does not fail.
        let _ = match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                write!(address, "{}", char::from(octet))
            }
            _ => write!(address, "%{octet:02X}"),
        };
    }
    let below = |label: &str| DomainName::from_ascii(&alloc::format!("{label}.{domain}")).ok();
    let mut files = VecDeque::new();
    if let Some(host) = below("autoconfig") {
        let path = alloc::format!("/mail/config-v1.1.xml?emailaddress={address}%40{domain}");
        files.push_back((Source::Autoconfig, Page::new(host, path)));
    }
    let path = "/.well-known/autoconfig/mail/config-v1.1.xml";
    files.push_back((Source::WellKnown, Page::new(domain.clone(), path)));
    let post = |host| {
        let mut page = Page::new(host, "/autodiscover/autodiscover.xml");
        page.body = Some(autodiscover_request(local, domain));
        page
    };
    files.extend(below("autodiscover").map(|host| (Source::Autodiscover, post(host))));
    files.push_back((Source::AutodiscoverRoot, post(domain.clone())));
    if ispdb {
        if let Ok(host) = DomainName::from_ascii("autoconfig.thunderbird.net") {
            files.push_back((Source::Ispdb, Page::new(host, alloc::format!("/v1.1/{domain}"))));
        }
    }
    files
}
