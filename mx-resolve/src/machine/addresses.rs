//! What two address lookups make of a host.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::exchanges::Candidate;
use crate::address;
use crate::config::Config;
use crate::dns::{Answer, Failure, Outcome, Question, RecordType, Records};
use crate::name::DomainName;
use crate::plan::{Diagnostic, FAMILY, Report, SkipReason};
use crate::random::SplitMix64;
use crate::time::UnixMillis;

/// A host and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The name at the end of its aliases, if it is one.
    pub(super) canonical: Option<DomainName>,
    /// IPv6 before IPv4, each sorted; none if there is a reason.
    pub(super) addresses: Vec<IpAddr>,
    /// Why it cannot be used.
    pub(super) reason: Option<SkipReason>,
    /// It is this host.
    pub(super) own: bool,
    /// One of the two lookups failed.
    pub(super) partial: bool,
    /// Until when all of this holds.
    pub(super) expires: UnixMillis,
}

/// Joins the answers for both families.
pub(super) fn found(
    candidate: &Candidate,
    answers: [(RecordType, (&Answer, UnixMillis)); 2],
    config: &Config,
    seed: u64,
    report: &mut Report,
) -> Found {
    let mut found = Found {
        canonical: None,
        addresses: Vec::new(),
        reason: None,
        own: false,
        partial: false,
        expires: UnixMillis::from_millis(u64::MAX),
    };
    let mut failed: Option<(Question, Failure)> = None;
    let mut refused = None;
    for (record_type, (answer, expires)) in answers {
        let question = Question::new(candidate.name.clone(), record_type);
        if let Outcome::Failure(failure) = answer.outcome {
            failed = failed.or(Some((question, failure)));
            continue;
        }
        found.expires = found.expires.min(expires);
        if !answer.aliases.is_empty() && found.canonical.is_none() {
            found.canonical.clone_from(&answer.canonical);
        }
        if answer.malformed > 0 {
            report.note(Diagnostic::MalformedRecords { question, count: answer.malformed });
        }
        let mut usable = Vec::new();
        for address in addresses(&answer.outcome) {
            let plain = address::canonical(address);
            found.own |= config.self_addresses.iter().any(|own| address::canonical(*own) == plain);
            match config.addresses.refuses(address) {
                None => usable.push(address),
                Some(reason) => {
                    refused = refused.or(Some(reason));
                    let host = candidate.name.clone();
                    report.note(Diagnostic::RefusedAddress { host, address, reason });
                }
            }
        }
        keep(&mut usable, candidate, seed, report);
        found.addresses.append(&mut usable);
    }
    if let Some(target) = &found.canonical {
        found.own |= config.self_names.contains(target);
        // RFC 5321 §5.1 does not allow it; it is followed, since everybody does.
        report.note(Diagnostic::HostIsAlias { host: candidate.name.clone(), target: target.clone() });
    }
    match (found.addresses.is_empty(), failed, refused) {
        (false, Some((question, failure)), _) => {
            found.partial = true;
            report.note(Diagnostic::Partial { question, failure });
        }
        (false, None, _) => {}
        (true, Some((question, failure)), _) => {
            found.reason = Some(SkipReason::Lookup(question.record_type, failure));
        }
        (true, None, Some(reason)) => found.reason = Some(SkipReason::Refused(reason)),
        (true, None, None) => found.reason = Some(SkipReason::NoAddress),
    }
    found
}

/// Sorts the addresses of a family; of too many, chance keeps some.
fn keep(addresses: &mut Vec<IpAddr>, candidate: &Candidate, seed: u64, report: &mut Report) {
    addresses.sort_unstable();
    addresses.dedup();
    let dropped = addresses.len().saturating_sub(FAMILY);
    if dropped > 0 {
        SplitMix64::new(seed).shuffle(addresses);
        addresses.truncate(FAMILY);
        addresses.sort_unstable();
        report.note(Diagnostic::TooManyAddresses { host: candidate.name.clone(), dropped });
    }
}

fn addresses(outcome: &Outcome) -> Vec<IpAddr> {
    match outcome {
        Outcome::Records(Records::A(all)) => all.iter().copied().map(IpAddr::V4).collect(),
        Outcome::Records(Records::Aaaa(all)) => all.iter().copied().map(IpAddr::V6).collect(),
        _ => Vec::new(),
    }
}
