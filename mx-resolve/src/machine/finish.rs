//! The end of a resolution: hosts become part of the plan, and what is left becomes a plan or a failure.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::addresses::{self, Found};
use super::dane::{DaneOutcome, DaneStage};
use super::{Event, Pending, Resolution, Stage};
use crate::address;
use crate::config::DaneMode;
use crate::destination::Destination;
use crate::dns::{Question, RecordType};
use crate::error::{PermanentReason, RouteError, TemporaryReason};
use crate::message_tls::MessageTls;
use crate::name::Target;
use crate::plan::{Host, Kind, OpportunisticReason, Plan, SkipReason, Tls, Unreachable};
use crate::time::UnixMillis;

impl Resolution {
    /// Takes in a group whose answers are all there. Whether this host is in it, so that nothing of it counts.
    pub(super) fn take_group(&mut self, group: &[Pending]) -> bool {
        let mut found: Vec<(&Pending, Found)> = Vec::new();
        for host in group {
            let (Some(aaaa), Some(a)) = (self.lookups.answer(host.aaaa), self.lookups.answer(host.a)) else {
                continue;
            };
            let answers = [(RecordType::Aaaa, aaaa), (RecordType::A, a)];
            let one = addresses::found(&host.candidate, answers, &self.config, self.seed, &mut self.report);
            found.push((host, one));
        }
        self.expires = found
            .iter()
            .fold(self.expires, |expires, (host, found)| expires.min(found.expires).min(host.dane_expires));
        // A smart host on this very machine is what the operator says it is.
        let may_be_own = self.kind != Kind::Relay || self.relay_has_exchanges();
        // RFC 5321 §5.1: where this host is in the list, only better ones are left.
        if may_be_own && found.iter().any(|(_, found)| found.own) {
            for (host, _) in found {
                let candidate = &host.candidate;
                self.report.skip(candidate.name.clone(), candidate.preference, SkipReason::NotBetterThanSelf);
            }
            return true;
        }
        for (host, found) in found {
            let candidate = host.candidate.clone();
            if let Some(reason) = found.reason {
                self.report.skip(candidate.name, candidate.preference, reason);
                continue;
            }
            let outcome = match &host.dane {
                DaneStage::Done(outcome) => outcome.clone(),
                _ => DaneOutcome::NotSought,
            };
            let (tls, unreachable) = match self.requirement(&candidate, outcome) {
                Ok(requirement) => requirement,
                Err(reason) => {
                    self.report.skip(candidate.name, candidate.preference, reason);
                    continue;
                }
            };
            self.add(Host {
                name: Some(candidate.name),
                canonical: found.canonical,
                preference: candidate.preference,
                port: self.port,
                addresses: found.addresses,
                unreachable,
                partial: found.partial,
                tls,
            });
        }
        false
    }

    fn add(&mut self, host: Host) {
        let host = Arc::new(host);
        if host.is_reachable() {
            self.events.push_back(Event::HostReady(Arc::clone(&host)));
        }
        self.hosts.push(host);
    }

    pub(super) fn relay_has_exchanges(&self) -> bool {
        matches!(&self.destination, Destination::Relay(relay) if relay.mx)
    }

    /// This host is in the last group: the rest is not looked up any further.
    pub(super) fn end_at_self(&mut self) {
        if let Stage::Hosts { pending, own } = &mut self.stage {
            *own = true;
            for host in pending.drain(..) {
                let candidate = host.candidate;
                self.report.skip(candidate.name, candidate.preference, SkipReason::NotBetterThanSelf);
            }
        }
        self.lookups.cancel();
    }

    pub(super) fn literal(&mut self, address: IpAddr) {
        self.kind = Kind::Literal;
        let plain = address::canonical(address);
        if self.config.self_addresses.iter().any(|own| address::canonical(*own) == plain) {
            return self.fail(PermanentReason::SelfIsBest);
        }
        if self.config.addresses.refuses(address).is_some() {
            return self.fail(PermanentReason::NoUsableHost);
        }
        self.addresses_given(Vec::from([address]));
    }

    /// A destination whose addresses need no lookup.
    pub(super) fn addresses_given(&mut self, addresses: Vec<IpAddr>) {
        if self.config.dane == DaneMode::Mandatory && self.message != MessageTls::NotRequired {
            return self.defer(TemporaryReason::DaneRequired);
        }
        // RFC 8689 §4.2.1: a certificate has to have the name of the host, and there is none.
        let unreachable = (self.message == MessageTls::Required).then_some(Unreachable::NotAuthentic);
        self.add(Host {
            name: self.destination.name().cloned(),
            canonical: None,
            preference: 0,
            port: self.port,
            addresses,
            unreachable,
            partial: false,
            tls: Tls::Opportunistic(OpportunisticReason::Address),
        });
        self.finish(false);
    }

    /// All hosts are taken in. `own`: this host is one of the MX hosts.
    pub(super) fn finish(&mut self, own: bool) {
        let skipped = || self.report.skipped.iter();
        if self.hosts.iter().any(|host| host.is_reachable()) {
            let partial = self.policy_partial
                || self.hosts.iter().any(|host| host.partial)
                || skipped().any(|host| host.reason.is_temporary());
            let limits = &self.config.limits;
            let cap = if partial { limits.partial.min(limits.plan) } else { limits.plan };
            let mut addresses: Vec<IpAddr> =
                self.hosts.iter().flat_map(|host| host.addresses.iter().copied()).collect();
            addresses.sort_unstable();
            let shared = addresses.windows(2).any(|pair| pair.first() == pair.last());
            let plan = Plan {
                destination: self.destination.clone(),
                kind: self.kind,
                expanded: self.expanded.clone(),
                hosts: core::mem::take(&mut self.hosts),
                dials: limits.dials,
                shared,
                expires: self.expires(cap),
                report: self.take_report(),
            };
            return self.end(Ok(Arc::new(plan)));
        }
        // RFC 8461 §5: mail that a policy stops waits; whether the policy is still the same was looked up just now.
        if self.hosts.iter().any(|host| host.unreachable == Some(Unreachable::NotInPolicy)) {
            return self.defer(TemporaryReason::StsPolicy);
        }
        // RFC 7672 §2.1.2: a host that may come back outweighs those that are known to be of no use.
        let later = skipped().find_map(|host| match (&host.name, host.reason) {
            (Target::Name(name), SkipReason::Lookup(record_type, failure)) => {
                Some((name.clone(), record_type, failure))
            }
            _ => None,
        });
        if let Some((host, record_type, failure)) = later {
            return self.defer(if self.kind == Kind::ImplicitMx {
                let question = Question::new(host, record_type);
                TemporaryReason::Lookup { question, failure }
            } else {
                TemporaryReason::NoHostNow { host, failure }
            });
        }
        if skipped().any(|host| host.reason == SkipReason::DaneRequired) {
            return self.defer(TemporaryReason::DaneRequired);
        }
        // RFC 8689 §4.2.1: without a host that meets it, the message goes back.
        if !self.hosts.is_empty() {
            return self.fail(PermanentReason::NoSecureHost);
        }
        let reason = match skipped().next().map(|host| host.reason) {
            _ if own => PermanentReason::SelfIsBest,
            // RFC 5321 §5.1: without MX records and addresses there is nowhere to send to.
            Some(SkipReason::NoAddress) if self.kind == Kind::ImplicitMx => PermanentReason::NoAddress,
            // RFC 5321 §5.1: MX records that lead nowhere are an error, and the implicit MX is for domains without any.
            _ => PermanentReason::NoUsableHost,
        };
        if reason == PermanentReason::NoUsableHost && self.config.defer_without_host {
            return self.defer(TemporaryReason::NoUsableHost);
        }
        self.fail(reason);
    }

    pub(super) fn fail(&mut self, reason: PermanentReason) {
        if self.kind == Kind::Relay {
            return self.defer(TemporaryReason::Relay(reason));
        }
        let expires = self.expires(self.config.limits.negative);
        let report = self.take_report();
        self.end(Err(RouteError::permanent(reason, expires, report)));
    }

    pub(super) fn defer(&mut self, reason: TemporaryReason) {
        let not_before = self.now + self.config.limits.failure_first;
        let report = self.take_report();
        self.end(Err(RouteError::temporary(reason, not_before, report)));
    }

    fn end(&mut self, result: Result<Arc<Plan>, RouteError>) {
        self.lookups.cancel();
        self.policy = None;
        self.fetches.clear();
        self.stage = Stage::Finished;
        self.events.push_back(Event::Finished(result));
    }

    /// The end of the shortest life of everything that was used, and of `cap`.
    fn expires(&self, cap: Duration) -> UnixMillis {
        self.expires.min(self.now + cap)
    }

    fn take_report(&mut self) -> crate::plan::Report {
        self.report.queries = self.lookups.asked();
        core::mem::take(&mut self.report)
    }
}
