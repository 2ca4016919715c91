//! The list of candidates that MX records make: best first, without what can be told from the records alone (RFC 5321
//! §5.1, RFC 7505).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::config::Config;
use crate::dns::Mx;
use crate::name::{DomainName, Target};
use crate::plan::{Diagnostic, Report, SkipReason};
use crate::random::SplitMix64;

/// A host whose addresses have to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) preference: u16,
    pub(super) name: DomainName,
}

/// What MX records say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exchanges {
    /// The domain takes no mail.
    Null,
    /// By preference, then by name.
    Hosts {
        candidates: Vec<Candidate>,
        /// This host is among them, at this preference.
        own: Option<u16>,
    },
}

/// Reads MX records, of which there is at least one. At most `limit` hosts are left.
pub(super) fn exchanges(
    records: &[Mx],
    config: &Config,
    limit: usize,
    random: &mut SplitMix64,
    report: &mut Report,
) -> Exchanges {
    // RFC 7505 §3: a single MX record with `.` means that the domain takes no mail.
    if records.iter().all(|record| record.exchange == Target::Root) {
        if let Some(record) = records.iter().find(|record| record.preference != 0) {
            report.note(Diagnostic::NullMxPreference(record.preference));
        }
        return Exchanges::Null;
    }
    if records.iter().any(|record| record.exchange == Target::Root) {
        report.note(Diagnostic::NullMxAmongHosts);
    }
    let mut best: BTreeMap<&Target, u16> = BTreeMap::new();
    for Mx { preference, exchange } in records.iter().filter(|record| record.exchange != Target::Root) {
        if let Some(earlier) = best.get_mut(exchange) {
            *earlier = (*earlier).min(*preference);
            if let Target::Name(name) = exchange {
                report.note(Diagnostic::DuplicateHost(name.clone()));
            }
        } else {
            best.insert(exchange, *preference);
        }
    }
    // RFC 5321 §5.1: lower numbers are better.
    let mut sorted: Vec<(u16, &Target)> =
        best.into_iter().map(|(name, preference)| (preference, name)).collect();
    sorted.sort_unstable();
    let own = |target: &Target| target.name().is_some_and(|name| config.self_names.contains(name));
    let own = sorted.iter().find(|(_, target)| own(target)).map(|(preference, _)| *preference);
    let mut candidates = Vec::new();
    for (preference, target) in sorted {
        // RFC 5321 §5.1: where this host is in the list, only better ones are left.
        let reason = if own.is_some_and(|own| preference >= own) {
            Some(SkipReason::NotBetterThanSelf)
        } else {
            unusable(target)
        };
        match (reason, target) {
            (None, Target::Name(name)) => candidates.push(Candidate { preference, name: name.clone() }),
            (reason, target) => {
                report.skip(target.clone(), preference, reason.unwrap_or(SkipReason::Malformed))
            }
        }
    }
    cut(&mut candidates, limit, random, report);
    Exchanges::Hosts { candidates, own }
}

/// Keeps the best hosts; which of the last group is left to chance, or some hosts would never get mail.
fn cut(candidates: &mut Vec<Candidate>, limit: usize, random: &mut SplitMix64, report: &mut Report) {
    let excess = candidates.len().saturating_sub(limit);
    if excess == 0 {
        return;
    }
    report.note(Diagnostic::TooManyHosts(excess));
    for group in candidates.chunk_by_mut(|one, next| one.preference == next.preference) {
        random.shuffle(group);
    }
    candidates.truncate(limit);
    candidates
        .sort_unstable_by(|one, other| (one.preference, &one.name).cmp(&(other.preference, &other.name)));
}

/// Why a name is not asked for, if so.
fn unusable(target: &Target) -> Option<SkipReason> {
    let Target::Name(name) = target else { return Some(SkipReason::Malformed) };
    if name.is_address() {
        // RFC 5321 §5.1: the data of an MX record is a domain name.
        Some(SkipReason::Address)
    } else if let Some(special) = name.special() {
        Some(SkipReason::SpecialUse(special))
    } else if name.is_single_label() {
        Some(SkipReason::SingleLabel)
    } else {
        None
    }
}

/// The same for a domain that is its own host.
pub(super) fn implicit(name: &DomainName, config: &Config) -> Result<Candidate, SkipReason> {
    if config.self_names.contains(name) {
        return Err(SkipReason::NotBetterThanSelf);
    }
    let candidate = Candidate { preference: 0, name: name.clone() };
    unusable(&Target::Name(name.clone())).map_or(Ok(candidate), Err)
}
