//! A zone, a destination and a configuration, and what comes of them in one line.

#![allow(dead_code, reason = "each test uses some of it")]

use std::sync::Arc;

use mailwright_mx::drive::testing::Zone;
use mailwright_mx::{
    Config, Destination, Event, Plan, Request, Resolution, RouteError, SplitMix64, UnixMillis,
};

pub(crate) const NOW: UnixMillis = UnixMillis::from_seconds(1_800_000_000);

pub(crate) fn config() -> Config {
    Config::default()
}

pub(crate) struct Case {
    zone: Zone,
    destination: String,
    config: Config,
}

impl Case {
    pub(crate) fn new(zone: &str) -> Self {
        Self { zone: Zone::parse(zone).unwrap(), destination: "example.org".into(), config: config() }
    }

    pub(crate) fn destination(mut self, destination: &str) -> Self {
        self.destination = destination.into();
        self
    }

    pub(crate) fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    pub(crate) fn first_alias_only(mut self, only: bool) -> Self {
        if only {
            self.zone = self.zone.with_first_alias_only();
        }
        self
    }

    pub(crate) fn result(self) -> Result<Arc<Plan>, RouteError> {
        let destination = Destination::parse(&self.destination)?;
        self.zone.resolve(&destination, &Arc::new(self.config), 7, NOW)
    }

    pub(crate) fn plan(self) -> Arc<Plan> {
        self.result().unwrap()
    }

    pub(crate) fn error(self) -> RouteError {
        self.result().unwrap_err()
    }

    pub(crate) fn outcome(self) -> String {
        describe(&self.result())
    }
}

pub(crate) fn plan(zone: &str, destination: &str) -> Arc<Plan> {
    Case::new(zone).destination(destination).plan()
}

/// How many questions a resolution asks until it ends, with answers in an order that `order` decides; by count, not by what it
/// says.
pub(crate) fn questions(zone: &Zone, mut resolution: Resolution, order: u64) -> usize {
    let (mut random, mut open, mut count) = (SplitMix64::new(order), Vec::new(), 0);
    loop {
        while let Some(request) = resolution.poll_request() {
            count += usize::from(matches!(request, Request::Dns(_)));
            open.push(request);
        }
        while let Some(event) = resolution.poll_event() {
            if let Event::Finished(result) = event {
                let report = match &result {
                    Ok(plan) => plan.report(),
                    Err(error) => error.report(),
                };
                assert_eq!(report.queries, count, "what the report says");
                return count;
            }
        }
        let request = open.swap_remove(random.below(open.len()));
        let _ = match request {
            Request::Dns(request) => {
                resolution.handle_answer(request.id, zone.answer(&request.question), NOW)
            }
            Request::Fetch(request) => resolution.handle_response(request.id, zone.page(&request.page), NOW),
            other => panic!("{other:?}"),
        };
    }
}

/// `KIND: HOST, HOST` or `STATUS [REPLY] REASON`, then skipped hosts with a dash and diagnostics.
pub(crate) fn describe(result: &Result<Arc<Plan>, RouteError>) -> String {
    let (mut text, report) = match result {
        Ok(plan) => {
            let hosts: Vec<String> = plan
                .hosts()
                .iter()
                .map(|host| {
                    let mut words = vec![host.preference.to_string()];
                    words.extend(host.name.as_ref().map(ToString::to_string));
                    words.extend(host.addresses.iter().map(ToString::to_string));
                    words.join(" ")
                })
                .collect();
            (format!("{}: {}", plan.kind().as_str(), hosts.join(", ")), plan.report())
        }
        Err(error @ RouteError::Permanent(permanent)) => {
            (format!("{} {} {}", error.status(), permanent.reply, permanent.reason.as_str()), error.report())
        }
        Err(error @ RouteError::Temporary(temporary)) => {
            (format!("{} {}", error.status(), temporary.reason.as_str()), error.report())
        }
    };
    for skipped in &report.skipped {
        text.push_str(&format!("; -{} {}", skipped.name, skipped.reason));
    }
    for diagnostic in &report.diagnostics {
        text.push_str(&format!("; {diagnostic}"));
    }
    text
}
