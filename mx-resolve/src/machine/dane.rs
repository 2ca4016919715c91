//! DANE for a host: from the security of its addresses to the TLSA records that count (RFC 7672 §2.2.2, §2.2.3).

use alloc::vec::Vec;

use super::exchanges::Candidate;
use super::lookup::LookupId;
use super::{Pending, Resolution};
use crate::config::DaneMode;
use crate::dane::{self, Usable};
use crate::dns::{Answer, Failure, Outcome, Question, RecordType, Records, Security};
use crate::name::DomainName;
use crate::plan::{Dane, Pkix};
use crate::time::UnixMillis;

/// How far DANE has come for a host.
#[derive(Clone, Debug)]
pub(super) enum DaneStage {
    /// Its addresses are being looked up.
    Addresses,
    /// Whether its alias itself is secure.
    Alias(LookupId),
    /// Its TLSA records at one name, and where to look next.
    Tlsa { lookup: LookupId, base: DomainName, next: Option<DomainName> },
    /// What came of it.
    Done(DaneOutcome),
}

/// What came of DANE for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DaneOutcome {
    /// Nobody looked.
    NotSought,
    /// Nobody vouches for its addresses.
    InsecureHost,
    /// It has no secure TLSA records.
    NoRecords,
    /// It has.
    Records { base: DomainName, found: Usable },
    /// What has to be known could not be found out.
    Failed(RecordType, Failure),
}

impl Resolution {
    /// Whether TLSA records count for the hosts of this destination.
    pub(super) fn dane_applies(&self) -> bool {
        // RFC 7672 §2.2.1: the way to the hosts has to be secure, or everything behind it may be somebody else's.
        self.config.dane != DaneMode::Off
            && (self.route_security == Security::Secure
                || self.config.dane_for_insecure_mx && self.by_exchanges())
    }

    /// Goes on with DANE as far as the answers reach.
    pub(super) fn advance_dane(&mut self, hosts: &mut [Pending]) {
        for host in hosts {
            while let Some(next) = self.next_dane(host) {
                host.dane = next;
            }
        }
    }

    fn next_dane(&mut self, host: &mut Pending) -> Option<DaneStage> {
        match &host.dane {
            DaneStage::Addresses => {
                let (aaaa, _) = self.lookups.answer(host.aaaa)?;
                let (a, _) = self.lookups.answer(host.a)?;
                if !self.dane_applies() {
                    return Some(DaneStage::Done(DaneOutcome::NotSought));
                }
                let (base, next) = match candidates(&host.candidate.name, [aaaa, a]) {
                    Candidates::These(base, next) => (base, next),
                    Candidates::AskAlias => {
                        let name = host.candidate.name.clone();
                        return Some(DaneStage::Alias(self.ask_dane(Question::new(name, RecordType::Cname))));
                    }
                    Candidates::None(outcome) => return Some(DaneStage::Done(outcome)),
                };
                // RFC 7672 §2.2.2: a domain that is its own host and an alias was followed to its last name already.
                let original = self.destination.name().filter(|name| !self.by_exchanges() && **name != base);
                let next = next.or(original.cloned());
                Some(self.ask_tlsa(base, next))
            }
            DaneStage::Alias(lookup) => {
                let (answer, expires) = self.lookups.answer(*lookup)?;
                if let Outcome::Failure(failure) = answer.outcome {
                    return Some(DaneStage::Done(DaneOutcome::Failed(RecordType::Cname, failure)));
                }
                host.dane_expires = host.dane_expires.min(expires);
                // RFC 7672 §2.1.3, §2.2.2: a secure alias of an insecure name may have TLSA records at its own name.
                match (&answer.outcome, answer.security) {
                    (Outcome::Records(Records::Cname(_)), Security::Secure) => {
                        Some(self.ask_tlsa(host.candidate.name.clone(), None))
                    }
                    _ => Some(DaneStage::Done(DaneOutcome::InsecureHost)),
                }
            }
            DaneStage::Tlsa { lookup, base, next } => {
                let (answer, expires) = self.lookups.answer(*lookup)?;
                // RFC 7672 §2.1.2: a lookup that failed says nothing, so the host is not used.
                if let Outcome::Failure(failure) = answer.outcome {
                    return Some(DaneStage::Done(DaneOutcome::Failed(RecordType::Tlsa, failure)));
                }
                host.dane_expires = host.dane_expires.min(expires);
                match &answer.outcome {
                    Outcome::Records(Records::Tlsa(records)) if answer.security == Security::Secure => {
                        let (digests, limit) = (&self.config.dane_digests, self.config.limits.tlsa);
                        let mut found = dane::usable(records, digests, limit);
                        found.unusable += answer.malformed;
                        Some(DaneStage::Done(DaneOutcome::Records { base: base.clone(), found }))
                    }
                    // RFC 7672 §2.2.3: no secure records here, so the next name is tried.
                    _ => match next.clone() {
                        Some(next) => Some(self.ask_tlsa(next, None)),
                        None => Some(DaneStage::Done(DaneOutcome::NoRecords)),
                    },
                }
            }
            DaneStage::Done(_) => None,
        }
    }

    fn ask_dane(&mut self, question: Question) -> LookupId {
        self.lookups.start(question, self.dane_allowance, self.now, &self.config.limits)
    }

    /// Asks for the records at one name; a name that leaves no room for theirs has none.
    fn ask_tlsa(&mut self, base: DomainName, next: Option<DomainName>) -> DaneStage {
        match (DomainName::from_ascii(&alloc::format!("_{}._tcp.{base}", self.port)), next) {
            (Ok(name), next) => {
                let lookup = self.ask_dane(Question::new(name, RecordType::Tlsa));
                DaneStage::Tlsa { lookup, base, next }
            }
            (Err(_), Some(next)) => self.ask_tlsa(next, None),
            (Err(_), None) => DaneStage::Done(DaneOutcome::NoRecords),
        }
    }

    /// What certificates have to match.
    pub(super) fn dane(
        &self,
        candidate: &Candidate,
        base: DomainName,
        found: Usable,
        sts: Option<Pkix>,
    ) -> Dane {
        let secure_route = self.route_security == Security::Secure;
        let mut names = Vec::from([base.clone()]);
        // RFC 7672 §3.2.2: the names that a certificate of a trust anchor may have.
        if secure_route {
            names.extend(self.destination.name().cloned());
            names.extend(self.expanded.clone().filter(|_| self.by_exchanges()));
        }
        if self.config.dane_unexpanded_name {
            names.push(candidate.name.clone());
        }
        let mut seen = Vec::new();
        names.retain(|name| {
            !seen.contains(name) && {
                seen.push(name.clone());
                true
            }
        });
        // RFC 7672 §8.1: SNI is the TLSA base domain.
        Dane { tlsa: found.records, sni: base.clone(), base, names, secure_route, sts }
    }
}

enum Candidates {
    /// The name to look at, and the one to look at then.
    These(DomainName, Option<DomainName>),
    /// The alias has to be asked for.
    AskAlias,
    None(DaneOutcome),
}

/// Where the TLSA records of a host may be, by the answers for both families.
fn candidates(name: &DomainName, answers: [&Answer; 2]) -> Candidates {
    // A family that has no addresses, or failed, says nothing about the addresses of the other.
    let there = || answers.into_iter().filter(|answer| matches!(answer.outcome, Outcome::Records(_)));
    let Some(first) = there().next() else { return Candidates::None(DaneOutcome::NotSought) };
    let canonical = first.canonical.as_ref().filter(|canonical| *canonical != name);
    if there().all(|answer| answer.security == Security::Secure) {
        // RFC 7672 §2.2.2: the fully expanded name, then the original, and none between them.
        return match canonical {
            Some(canonical) => Candidates::These(canonical.clone(), Some(name.clone())),
            None => Candidates::These(name.clone(), None),
        };
    }
    if there().any(|answer| !answer.aliases.is_empty()) {
        return Candidates::AskAlias;
    }
    Candidates::None(DaneOutcome::InsecureHost)
}

/// The end of time, for what was not looked up.
pub(super) const FOREVER: UnixMillis = UnixMillis::from_millis(u64::MAX);
