//! Rows: an input, what must come of it, and what came. Written down as a page.

use core::fmt::Write as _;
use core::time::Duration;
use std::sync::Arc;

use mailwright_core::testing::Cases;
use mailwright_mx::drive::testing::Zone;
use mailwright_mx::fetch::{FetchFailure, Page, Response};
use mailwright_mx::plan::Tls;
use mailwright_mx::sts::{CachedPolicy, FailedFetch, StsKnown, StsNews, StsPolicy};
use mailwright_mx::{
    Config, DaneMode, Destination, Host, MessageTls, Plan, Resolution, RouteError, UnixMillis,
};

pub(crate) const NOW: UnixMillis = UnixMillis::from_seconds(1_800_000_000);

/// The number of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row(pub(crate) u32);

impl core::fmt::Display for Row {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.", self.0)
    }
}

/// All cases of a part of the table.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) cases: Cases<Row>,
}

impl Table {
    /// The cases that follow are of this row.
    pub(crate) fn row(&mut self, row: u32, required: &'static str) {
        self.cases.row(Row(row), required);
    }

    /// A case of anything.
    pub(crate) fn case(&mut self, input: impl Into<String>, expected: &str, got: impl Into<String>) {
        self.cases.case(input, expected, got);
    }

    /// A case of a resolution.
    pub(crate) fn resolve(&mut self, input: Input, expected: &str) {
        let got = input.outcome();
        self.case(input.shown(), expected, got);
    }
}

/// A zone, a destination, and a configuration.
pub(crate) struct Input {
    zone: String,
    destination: String,
    pub(crate) config: Config,
    pages: Vec<(Page, Result<Response, FetchFailure>)>,
    known: StsKnown,
    message: MessageTls,
    first_alias_only: bool,
    options: Vec<String>,
    later: u64,
}

pub(crate) fn zone(zone: &str) -> Input {
    let mut config = Config::default();
    // Not to be seen in every row.
    config.self_names = vec!["self.example.com".parse().unwrap()];
    config.self_addresses = vec!["192.0.2.9".parse().unwrap()];
    Input {
        zone: zone.into(),
        destination: "example.org".into(),
        config,
        pages: Vec::new(),
        known: StsKnown::default(),
        message: MessageTls::default(),
        first_alias_only: false,
        options: Vec::new(),
        later: 0,
    }
}

impl Input {
    pub(crate) fn to(mut self, destination: &str) -> Self {
        self.destination = destination.into();
        self
    }

    /// An option, and what it does.
    pub(crate) fn with(mut self, name: &str, set: impl FnOnce(&mut Config)) -> Self {
        set(&mut self.config);
        self.options.push(name.into());
        self
    }

    pub(crate) fn sts(self) -> Self {
        self.with("MTA-STS", |config| config.sts = true)
    }

    pub(crate) fn dane(self) -> Self {
        self.with("DANE", |config| config.dane = DaneMode::Opportunistic)
    }

    /// Answers end at the first alias.
    pub(crate) fn stepwise(mut self) -> Self {
        self.first_alias_only = true;
        self.options.push("answers end at the first alias".into());
        self
    }

    pub(crate) fn message(mut self, message: MessageTls) -> Self {
        self.message = message;
        self.options.push(format!("message: {message:?}"));
        self
    }

    /// The policy of example.org, over HTTPS.
    pub(crate) fn policy(self, text: &str) -> Self {
        let response = Response::new(200, Some("text/plain".into()), text.as_bytes().to_vec());
        self.fetched(Ok(response), &text.replace('\n', "⏎"))
    }

    /// What comes of fetching it.
    pub(crate) fn fetched(mut self, result: Result<Response, FetchFailure>, shown: &str) -> Self {
        let host = "mta-sts.example.org".parse().unwrap();
        self.pages.push((Page::new(host, "/.well-known/mta-sts.txt"), result));
        self.options.push(format!("https: {shown}"));
        self
    }

    /// A policy that was fetched a minute ago.
    pub(crate) fn cached(mut self, id: &str, text: &str) -> Self {
        let policy = StsPolicy::parse(text.as_bytes()).unwrap();
        let fetched = UnixMillis::from_millis(NOW.as_millis() - 60_000);
        let cached = CachedPolicy::new(policy, id.into(), fetched);
        self.known.policy = Some(Arc::new(cached)).filter(|cached| NOW < cached.expires());
        self.options.push(format!("cached a minute ago: id {id}, {}", text.replace('\n', "⏎")));
        self
    }

    /// A fetch that failed a short while ago.
    pub(crate) fn failed(mut self, id: &str) -> Self {
        self.known.failed = Some(FailedFetch::new(id.into(), NOW + Duration::from_secs(200)));
        self.options.push(format!("fetch of id {id} failed 100 s ago"));
        self
    }

    fn result(&self) -> (Result<Arc<Plan>, RouteError>, Option<StsNews>) {
        let destination = match Destination::parse(&self.destination) {
            _ if self.destination.contains(':') && !self.destination.starts_with('[') => {
                Destination::relay(&self.destination, 25).map_err(RouteError::from)
            }
            result => result.map_err(RouteError::from),
        };
        let destination = match destination {
            Ok(destination) => destination,
            Err(error) => return (Err(error), None),
        };
        let mut zone = Zone::parse(&self.zone).unwrap();
        if self.first_alias_only {
            zone = zone.with_first_alias_only();
        }
        for (page, result) in &self.pages {
            zone = zone.with_page(page.clone(), result.clone());
        }
        let config = Arc::new(self.config.clone());
        let now = NOW + Duration::from_secs(self.later);
        let resolution =
            Resolution::for_message(destination, self.message, self.known.clone(), config, 7, now);
        zone.run(resolution, now, 0)
    }

    pub(crate) fn plan(&self) -> Arc<Plan> {
        self.result().0.unwrap()
    }

    pub(crate) fn news(&self) -> Option<StsNews> {
        self.result().1
    }

    pub(crate) fn error(&self) -> RouteError {
        self.result().0.unwrap_err()
    }

    pub(crate) fn outcome(&self) -> String {
        describe(&self.result().0)
    }

    pub(crate) fn shown(&self) -> String {
        let mut shown = format!("{}", self.destination.escape_debug());
        for line in self.zone.lines() {
            write!(shown, "; {}", line.trim()).unwrap();
        }
        for option in &self.options {
            write!(shown, "; {option}").unwrap();
        }
        shown
    }
}

/// `KIND: HOST, HOST` or `STATUS [REPLY] REASON`, then policy, skipped hosts, findings, diagnostics.
fn describe(result: &Result<Arc<Plan>, RouteError>) -> String {
    let (mut text, report) = match result {
        Ok(plan) => {
            let hosts: Vec<String> = plan.hosts().iter().map(|one| host(one)).collect();
            (format!("{}: {}", plan.kind().as_str(), hosts.join(", ")), plan.report())
        }
        Err(error @ RouteError::Permanent(permanent)) => {
            (format!("{} {} {}", error.status(), permanent.reply, permanent.reason.as_str()), error.report())
        }
        Err(error @ RouteError::Temporary(temporary)) => {
            (format!("{} {}", error.status(), temporary.reason.as_str()), error.report())
        }
    };
    if let Some(sts) = &report.sts {
        write!(text, "; sts {}", sts.state.as_str()).unwrap();
        if let Some(cached) = &sts.policy {
            write!(text, " {} {}", cached.policy.mode.as_str(), cached.id).unwrap();
        }
    }
    for skipped in &report.skipped {
        write!(text, "; -{} {}", skipped.name, skipped.reason).unwrap();
    }
    for finding in &report.findings {
        write!(text, "; !{finding}").unwrap();
    }
    for diagnostic in &report.diagnostics {
        write!(text, "; {diagnostic}").unwrap();
    }
    text
}

fn host(host: &Host) -> String {
    let mut words = vec![host.preference.to_string()];
    words.extend(host.name.as_ref().map(ToString::to_string));
    words.extend(host.addresses.iter().map(ToString::to_string));
    let names = |names: &[mailwright_mx::DomainName]| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join("+")
    };
    words.extend(match &host.tls {
        Tls::Opportunistic(reason) if reason.as_str() == "not-sought" => None,
        Tls::Opportunistic(reason) => Some(format!("[opportunistic: {}]", reason.as_str())),
        Tls::Required(reason) => Some(format!("[required: {}]", reason.as_str())),
        Tls::Pkix(pkix) => {
            let testing = if pkix.testing { ", testing" } else { "" };
            Some(format!("[pkix: {}, {}{testing}]", pkix.reason.as_str(), names(&pkix.names)))
        }
        Tls::Dane(dane) => {
            assert_eq!(dane.sni, dane.base);
            let records: Vec<String> = dane.tlsa.iter().map(|one| one.to_string()[..5].into()).collect();
            let insecure = if dane.secure_route { "" } else { ", insecure route" };
            let sts = if dane.sts.is_some() { ", sts beside it" } else { "" };
            Some(format!("[dane: {}, {}{insecure}{sts}]", records.join("+"), names(&dane.names)))
        }
        other => panic!("{other:?}"),
    });
    words.extend(host.unreachable.map(|reason| format!("({})", reason.as_str())));
    words.join(" ")
}
