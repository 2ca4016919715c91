//! MX: policies, records of MTA-STS and TLSRPT, SRV records, certificates, autoconfiguration, and the machines with policies and
//! TLSA records, told what no resolver would tell.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mailwright_mx::dane::usable;
use mailwright_mx::discovery::{Discovery, DiscoveryConfig, Source, autoconfig, autodiscover, order};
use mailwright_mx::dns::{
    Answer, Failure, Message, Mx, Outcome, Question, Record, RecordData, RecordType, ResponseCode, Security,
    Srv, StartOfAuthority, Tlsa,
};
use mailwright_mx::fetch::{FetchFailure, Response};
use mailwright_mx::plan::Tls;
use mailwright_mx::sts::{StsCache, StsPolicy, StsRecord};
use mailwright_mx::tlsrpt::TlsrptRecord;
use mailwright_mx::verify::Certificate;
use mailwright_mx::{
    Config, DaneMode, DomainName, Event, Host, Limits, MessageTls, Request, Resolution, SplitMix64, Target,
    UnixMillis,
};

use crate::choice;

const NOW: UnixMillis = UnixMillis::from_seconds(1_800_000_000);

fn name(text: &str) -> DomainName {
    match text.parse() {
        Ok(name) => name,
        Err(error) => panic!("{text}: {error}"),
    }
}

/// Octets as a policy, as TXT records and as a snapshot: what is read is within its bounds, and written it is read again.
pub fn mx_sts(data: &[u8]) {
    if let Ok(policy) = StsPolicy::parse(data) {
        assert!(policy.max_age <= Duration::from_secs(31_557_600));
        let written = policy.to_string();
        assert_eq!(StsPolicy::parse(written.as_bytes()).as_ref(), Ok(&policy), "{written}");
    }
    if let Ok(record) = StsRecord::parse(data) {
        assert!(!record.id().is_empty() && record.id().len() <= 32);
        assert!(
            data.starts_with(b"v=STSv1") && record.id().bytes().all(|octet| octet.is_ascii_alphanumeric())
        );
    }
    if let Ok(record) = TlsrptRecord::parse(data) {
        assert!(data.starts_with(b"v=TLSRPTv1") && record.rua.iter().all(|uri| uri.contains(':')));
    }
    let records: Vec<Bytes> = data.split(|octet| *octet == b'\n').map(Bytes::copy_from_slice).collect();
    let versions = records.iter().filter(|record| record.starts_with(b"v=STSv1;")).count();
    if records.len() > 1 && versions != 1 {
        assert_eq!(StsRecord::select(&records), None);
    }
    let _ = TlsrptRecord::select(&records);
    if let Ok(text) = std::str::from_utf8(data) {
        let mut limits = Limits::default();
        limits.policies = 3;
        let mut cache = StsCache::new(&limits);
        if cache.restore(text).is_ok() {
            assert!(cache.len() <= 3);
            let written = cache.snapshot();
            let mut again = StsCache::new(&limits);
            assert!(again.restore(&written).is_ok(), "{written}");
            assert_eq!(again.snapshot(), written);
        } else {
            assert!(cache.is_empty());
        }
    }
}

/// Octets as SRV records: an order has each of them once, by priority, whatever the seed.
pub fn mx_srv(data: &[u8]) {
    let (seed, data) = choice(data);
    let records: Vec<Srv> = data
        .chunks_exact(4)
        .take(64)
        .map(|octets| Srv {
            priority: u16::from(octets[0] % 4),
            weight: u16::from_be_bytes([octets[1], octets[2]]),
            port: octets[3].into(),
            target: if octets[3] == 0 { Target::Root } else { Target::Name(name("a.example")) },
        })
        .collect();
    let ordered = order(&records, seed.into());
    assert!(ordered.is_sorted_by_key(|record| record.priority));
    let (mut left, mut right) = (records.clone(), ordered.clone());
    left.sort();
    right.sort();
    assert_eq!(left, right);
    let mut shuffled = records;
    SplitMix64::new(seed.into()).shuffle(&mut shuffled);
    assert_eq!(order(&shuffled, seed.into()), ordered);
}

/// Octets as a certificate, as TLSA records and as files of configuration.
pub fn mx_files(data: &[u8]) {
    if let Some(certificate) = Certificate::parse(data) {
        assert!(certificate.public_key.len() < data.len());
    }
    let records: Vec<Tlsa> = data
        .split(|octet| *octet == 0xff)
        .filter_map(|record| {
            let ([usage, selector, matching], data) = record.split_first_chunk()?;
            let data = Bytes::copy_from_slice(data);
            Some(Tlsa { usage: usage % 5, selector: selector % 3, matching: matching % 4, data })
        })
        .collect();
    let found = usable(&records, &[2, 1], 4);
    assert!(found.records.len() <= 4 && found.unusable <= records.len());
    assert!(found.records.iter().all(|record| matches!(record.usage, 2 | 3) && records.contains(record)));
    let domain = name("example.org");
    for read in [autoconfig, autodiscover] {
        if let Some(account) = read(data, "alice", &domain, Source::Autoconfig, false) {
            let services = account.incoming.iter().chain(&account.outgoing);
            assert!(services.clone().count() > 0);
            for service in services {
                assert!(service.port > 0 && !service.logins.is_empty() && !service.host.is_address());
            }
        }
    }
}

/// Octets as numbers, and when there are no more, so many that are drawn from them: it takes some hundred to come to a plan.
struct Script<'a> {
    octets: &'a [u8],
    drawn: SplitMix64,
    left: u16,
    /// What was said of a zone.
    zones: Vec<(String, Security)>,
}

impl<'a> Script<'a> {
    fn new(octets: &'a [u8]) -> Self {
        let seed =
            octets.iter().fold(0, |seed: u64, octet| seed.wrapping_mul(31).wrapping_add((*octet).into()));
        Self { octets, drawn: SplitMix64::new(seed), left: 600, zones: Vec::new() }
    }

    fn next(&mut self) -> u8 {
        if let Some((first, rest)) = self.octets.split_first() {
            self.octets = rest;
            return *first;
        }
        self.left = self.left.saturating_sub(1);
        self.drawn.next_u64().to_le_bytes()[0]
    }

    const fn is_over(&self) -> bool {
        self.octets.is_empty() && self.left == 0
    }

    fn name(&mut self) -> DomainName {
        let names = ["example.org", "a.example.net", "b.example.net", "c.example.com", "d.example.edu"];
        name(names[usize::from(self.next()) % names.len()])
    }

    fn data(&mut self, record_type: RecordType) -> RecordData {
        match (record_type, self.next() % 16) {
            (_, 14) => RecordData::Cname(Target::Name(self.name())),
            (record_type, 15) => RecordData::Malformed(record_type),
            (RecordType::A, _) => RecordData::A([192, 0, 2, self.next()].into()),
            (RecordType::Aaaa, _) => RecordData::Aaaa([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()),
            (RecordType::Mx, _) => RecordData::Mx(Mx {
                preference: u16::from(self.next() % 4),
                exchange: Target::Name(self.name()),
            }),
            (RecordType::Tlsa, kind) => RecordData::Tlsa(Tlsa {
                usage: kind % 4,
                selector: 1,
                matching: 1,
                data: vec![self.next(); if kind == 13 { 31 } else { 32 }].into(),
            }),
            (RecordType::Srv, _) => RecordData::Srv(Srv {
                priority: self.next().into(),
                weight: self.next().into(),
                port: self.next().into(),
                target: Target::Name(self.name()),
            }),
            (RecordType::Txt, kind) => RecordData::Txt(Bytes::from(format!("v=STSv1; id={}", kind % 3))),
            _ => RecordData::Cname(Target::Root),
        }
    }

    /// How far DNSSEC vouches for a name: the same for all of a zone. TLSA records may be in a zone of their own.
    fn security(&mut self, name: &DomainName) -> Security {
        let name = name.as_str();
        let dot = name.rmatch_indices('.').nth(1).map_or(0, |(dot, _)| dot + 1);
        let zone = if name.starts_with('_') { name } else { &name[dot..] };
        if let Some((_, security)) = self.zones.iter().find(|(known, _)| known == zone) {
            return *security;
        }
        let security = match self.next() % 16 {
            15 => Security::Unchecked,
            14 | 13 => Security::Insecure,
            _ => Security::Secure,
        };
        self.zones.push((zone.to_owned(), security));
        security
    }

    fn message(&mut self, question: &Question) -> Message {
        // Most answers are good, or hardly any resolution would come to hosts.
        let code = match self.next() % 16 {
            15 => 2,
            14 => 3,
            13 => 5,
            _ => 0,
        };
        let mut message = Message::new(ResponseCode::from(code));
        for _ in 0..self.next().wrapping_add(1) % 5 {
            let owner = if self.next() % 16 == 15 { self.name() } else { question.name.clone() };
            let ttl = u32::from(self.next());
            let security = self.security(&owner);
            let mut record = Record::new(owner, ttl, self.data(question.record_type));
            record.security = security;
            message.answers.push(record);
        }
        if self.next() % 16 != 15 {
            message.authority = Some(StartOfAuthority::new(u32::from(self.next()), 60));
        }
        message.denial = self.security(&question.name);
        message
    }

    fn page(&mut self) -> Result<Response, FetchFailure> {
        let policies = [
            "version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 100",
            "version: STSv1\nmode: testing\nmx: a.example.net\nmax_age: 9999999999",
            "version: STSv1\nmode: none\nmax_age: 0",
            "x",
        ];
        match self.next() % 8 {
            0 => Err(FetchFailure::Certificate),
            1 => Ok(Response::new(301, Some("text/plain".into()), policies[0])),
            2 => Ok(Response::new(200, None, policies[0])),
            other => Ok(Response::new(200, Some("text/plain".into()), policies[usize::from(other) % 4])),
        }
    }
}

/// The machine with policies and TLSA records: it ends within its budget and its time, once; a host whose TLSA lookup failed is
/// in no plan, what is required of hosts is there, and no cached policy is lost.
pub fn mx_policies(data: &[u8]) {
    let mut script = Script::new(data);
    let mut config = Config::default();
    config.limits.queries = if script.next() % 4 == 3 { script.next().into() } else { 64 };
    config.sts = true;
    config.dane = [DaneMode::Opportunistic, DaneMode::Mandatory][usize::from(script.next() % 4 / 3)];
    config.dane_for_insecure_mx = script.next() % 4 == 0;
    let message =
        [MessageTls::AsPublished, MessageTls::AsPublished, MessageTls::Required, MessageTls::NotRequired]
            [usize::from(script.next() % 4)];
    let mandatory = config.dane == DaneMode::Mandatory;
    let (limits, mut cache) = (config.limits.clone(), StsCache::new(&config.limits));
    let domain = name("example.org");
    let snapshot = "mailwright-mta-sts 1\nexample.org 1 1799999990000 enforce 600 *.example.net\n";
    if script.next() % 2 == 0 {
        assert_eq!(cache.restore(snapshot), Ok(1));
    }
    let known = cache.known(&domain, NOW);
    let had_policy = known.policy.is_some();
    let (mut now, end) = (NOW, NOW + limits.deadline);
    let seed = u64::from(script.next());
    let mut resolution = Resolution::for_message(domain.into(), message, known, Arc::new(config), seed, now);
    let (mut open, mut said, mut finished, mut failed) = (Vec::new(), Vec::new(), 0, Vec::new());
    loop {
        open.extend(std::iter::from_fn(|| resolution.poll_request()));
        while let Some(event) = resolution.poll_event() {
            assert_eq!(finished, 0, "after the end: {event:?}");
            match event {
                Event::Finished(result) => {
                    finished += 1;
                    let report = match &result {
                        Ok(plan) => plan.report(),
                        Err(error) => error.report(),
                    };
                    if let Some(sts) = report.sts.as_ref().filter(|_| had_policy) {
                        assert!(sts.policy.is_some(), "a policy is lost");
                    }
                    assert!(message != MessageTls::NotRequired || report.findings.is_empty());
                    if let Ok(plan) = &result {
                        assert!(plan.attempt(0).dials().count() > 0);
                        for host in plan.hosts().iter().filter(|host| host.is_reachable()) {
                            check(host, message, mandatory, &failed);
                        }
                    }
                }
                Event::Policy { domain, news } => cache.learn(&domain, &news),
                _ => {}
            }
        }
        assert!(resolution.queries() <= limits.queries.max(1));
        if script.is_over() {
            break;
        }
        if script.next() % 64 == 63 {
            now = now + Duration::from_millis(u64::from(script.next()) * 50);
            resolution.handle_timeout(now);
        } else if !open.is_empty() {
            match open.remove(usize::from(script.next()) % open.len()) {
                Request::Dns(request) => {
                    // What is asked again, for another host, has the same answer.
                    let known = said.iter().find(|(question, _)| *question == request.question);
                    let message = match known {
                        Some((_, message)) => Message::clone(message),
                        None => script.message(&request.question),
                    };
                    let answer = Answer::read(&request.question, &message, 10);
                    said.push((request.question.clone(), message));
                    let tlsa = request.question.record_type == RecordType::Tlsa;
                    let bad = matches!(answer.outcome, Outcome::Failure(_));
                    if resolution.handle_answer(request.id, answer, now).is_ok() && tlsa && bad {
                        failed.push(request.question.name);
                    }
                }
                Request::Fetch(request) => {
                    let _ = resolution.handle_response(request.id, script.page(), now);
                    let again = resolution.handle_response(request.id, Err(FetchFailure::Tls), now);
                    assert!(again.is_err(), "twice");
                }
                other => panic!("{other:?}"),
            }
        }
    }
    resolution.handle_timeout(end);
    finished += std::iter::from_fn(|| resolution.poll_event())
        .filter(|event| matches!(event, Event::Finished(_)))
        .count();
    assert_eq!(finished, 1, "it ends once");
    assert!(resolution.poll_request().is_none() && resolution.poll_timeout().is_none());
}

/// A host that may be dialled, against what must never be.
fn check(host: &Host, message: MessageTls, mandatory: bool, failed: &[DomainName]) {
    match (&host.tls, message) {
        (Tls::Opportunistic(_), MessageTls::Required) => panic!("REQUIRETLS, and {host:?}"),
        (Tls::Dane(dane), _) => assert!(!dane.tlsa.is_empty() && dane.names.contains(&dane.base)),
        (_, MessageTls::NotRequired) => {}
        (tls, _) => assert!(!mandatory, "DANE is mandatory, and {tls:?}"),
    }
    // Its own name alone: what it stands for may be that of another host, too, and be asked for there.
    let own = host.name.as_ref().filter(|_| host.canonical.is_none() && message != MessageTls::NotRequired);
    if let Some(at) = own.and_then(|name| format!("_25._tcp.{name}").parse().ok()) {
        assert!(!failed.contains(&at), "{at} failed, and {host:?}");
    }
}

/// A discovery: it ends once, within its time, whatever it is told.
pub fn mx_discovery(data: &[u8]) {
    let mut script = Script::new(data);
    let mut discovery = Discovery::new("a", name("example.org"), DiscoveryConfig::default(), 1, NOW);
    let (mut open, mut now, mut ends) = (Vec::new(), NOW, 0);
    for _ in 0..200 {
        open.extend(std::iter::from_fn(|| discovery.poll_request()));
        ends += usize::from(discovery.poll_event().is_some());
        if open.is_empty() {
            break;
        }
        let _ = match open.remove(usize::from(script.next()) % open.len()) {
            Request::Dns(request) if script.next() % 8 == 0 => {
                discovery.handle_answer(request.id, Failure::ServFail.into(), now)
            }
            Request::Dns(request) => {
                let message = script.message(&request.question);
                discovery.handle_answer(request.id, Answer::read(&request.question, &message, 10), now)
            }
            Request::Fetch(request) => {
                now = now + Duration::from_millis(u64::from(script.next()) * 100);
                discovery.handle_response(request.id, script.page(), now)
            }
            other => panic!("{other:?}"),
        };
        discovery.handle_timeout(now);
    }
    for _ in 0..20 {
        let Some(timeout) = discovery.poll_timeout() else { break };
        discovery.handle_timeout(timeout);
    }
    ends += usize::from(discovery.poll_event().is_some());
    assert_eq!((ends, discovery.poll_timeout()), (1, None));
}
