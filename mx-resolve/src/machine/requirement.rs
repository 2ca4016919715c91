//! What TLS has to be like in a session with a host: policy of the domain, TLSA records of the host, and what the message
//! wants, brought together.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Resolution;
use super::dane::DaneOutcome;
use super::exchanges::Candidate;
use crate::config::DaneMode;
use crate::dns::{Failure, Security};
use crate::message_tls::MessageTls;
use crate::name::DomainName;
use crate::plan::{
    Diagnostic, Kind, OpportunisticReason, Pkix, PkixReason, RequiredReason, SkipReason, Tls, Unreachable,
};
use crate::sts::{CachedPolicy, Mode};
use crate::tlsrpt::{Finding, PolicyType, ResultType};

/// What TLS has to be like, and why the host is never dialled, if so.
pub(super) type Requirement = (Tls, Option<Unreachable>);

impl Resolution {
    /// The requirement for a host; or why it is left out.
    pub(super) fn requirement(
        &mut self,
        candidate: &Candidate,
        outcome: DaneOutcome,
    ) -> Result<Requirement, SkipReason> {
        // RFC 8689 §4.2.2: everything is tried, and nothing has to work.
        if self.message == MessageTls::NotRequired {
            return Ok((Tls::Opportunistic(OpportunisticReason::NotRequired), None));
        }
        let host = &candidate.name;
        if let DaneOutcome::Failed(record_type, failure) = outcome {
            let result = match failure {
                Failure::Bogus | Failure::ServFail => ResultType::DnssecInvalid,
                _ => ResultType::ValidationFailure,
            };
            let detail = format!("{record_type}: {failure}");
            self.find(PolicyType::Tlsa, result, host, detail);
            return Err(SkipReason::Lookup(record_type, failure));
        }
        if let DaneOutcome::Records { found, .. } = &outcome {
            if found.unusable > 0 {
                let (unusable, usable) = (found.unusable, found.records.len());
                self.report.note(Diagnostic::UnusableTlsa { host: host.clone(), unusable, usable });
            }
            if found.records.is_empty() {
                self.find(PolicyType::Tlsa, ResultType::TlsaInvalid, host, "no usable TLSA record".into());
            }
        }
        let usable = matches!(&outcome, DaneOutcome::Records { found, .. } if !found.records.is_empty());
        // RFC 7672 §6: where DANE is mandatory, hosts without it get no mail.
        if self.config.dane == DaneMode::Mandatory && !usable {
            self.find(PolicyType::Tlsa, ResultType::DaneRequired, host, String::new());
            return Err(SkipReason::DaneRequired);
        }
        let policy = self.policy_in_use();
        // A domain that is its own host is matched by its own name.
        let named = match (self.kind, self.destination.name()) {
            (Kind::ImplicitMx, Some(domain)) => domain.clone(),
            _ => host.clone(),
        };
        let matched = policy.as_ref().is_some_and(|cached| cached.policy.matches(&named));
        let mode = policy.as_ref().map(|cached| cached.policy.mode);
        let mut unreachable = None;
        if policy.is_some() && !matched {
            self.report.note(Diagnostic::NotInPolicy(named.clone()));
            self.find(PolicyType::Sts, ResultType::ValidationFailure, host, "not in the policy".into());
            // RFC 8461 §5: mail does not go to hosts that the policy does not name, if it is in force.
            unreachable = (mode == Some(Mode::Enforce)).then_some(Unreachable::NotInPolicy);
        }
        let message_requires = self.message == MessageTls::Required;
        // RFC 8689 §4.2.1: that this is a mail host of the domain is vouched for by DNSSEC or by the policy.
        let authentic = matched || !self.by_exchanges() || self.route_security == Security::Secure;
        if message_requires && !authentic {
            unreachable = unreachable.or(Some(Unreachable::NotAuthentic));
        }
        let pkix = pkix(&named, policy.as_deref().filter(|_| matched), message_requires);
        let tls = match (outcome, pkix) {
            // RFC 8461 §2: where there is DANE, a certificate that fails it does not pass for a policy.
            (DaneOutcome::Records { base, found }, sts) if !found.records.is_empty() => {
                let sts = sts.filter(|pkix| pkix.reason == PkixReason::Sts);
                Tls::Dane(Box::new(self.dane(candidate, base, found, sts)))
            }
            (_, Some(pkix)) if !pkix.testing => Tls::Pkix(Box::new(pkix)),
            // RFC 7672 §2.2: records of which none can be used still say that there is TLS.
            (DaneOutcome::Records { .. }, _) => Tls::Required(RequiredReason::UnusableTlsa),
            (_, Some(pkix)) => Tls::Pkix(Box::new(pkix)),
            (outcome, None) => Tls::Opportunistic(match mode {
                Some(Mode::Testing) => OpportunisticReason::NotInTestingPolicy,
                _ => self.why_opportunistic(&outcome),
            }),
        };
        Ok((tls, unreachable))
    }

    /// The policy that counts, if it has anything to say.
    fn policy_in_use(&self) -> Option<Arc<CachedPolicy>> {
        let applied = self.policy.as_ref()?.applied()?;
        // RFC 8461 §5: a policy with mode `none` is none.
        applied.report.policy.clone().filter(|cached| cached.policy.mode != Mode::None)
    }

    fn why_opportunistic(&self, outcome: &DaneOutcome) -> OpportunisticReason {
        match outcome {
            DaneOutcome::InsecureHost => OpportunisticReason::InsecureHost,
            DaneOutcome::NotSought if self.config.dane != DaneMode::Off => OpportunisticReason::InsecureMx,
            DaneOutcome::NotSought if !self.config.sts => OpportunisticReason::NotSought,
            _ => OpportunisticReason::NoPolicy,
        }
    }

    pub(super) fn find(&mut self, policy: PolicyType, result: ResultType, host: &DomainName, detail: String) {
        // RFC 8689 §3: who does not ask for TLS does not want to know. Nothing is reported then.
        if self.message != MessageTls::NotRequired {
            self.report.find(Finding::new(policy, result, Some(host.clone()), detail));
        }
    }
}

/// What a certificate of a host has to have, for the policy or for the message.
fn pkix(host: &DomainName, policy: Option<&CachedPolicy>, message_requires: bool) -> Option<Pkix> {
    let reason = match policy {
        Some(_) => PkixReason::Sts,
        None if message_requires => PkixReason::RequireTls,
        None => return None,
    };
    Some(Pkix {
        names: Vec::from([host.clone()]),
        sni: host.clone(),
        testing: !message_requires && policy.is_some_and(|cached| cached.policy.mode == Mode::Testing),
        policy_id: policy.map(|cached| Arc::clone(&cached.id)),
        reason,
    })
}

impl Resolution {
    /// Tells what was found out about the policy; whether the destination has to wait for it.
    pub(super) fn report_policy(&mut self) -> Option<Failure> {
        let applied = self.policy.as_ref()?.applied()?.clone();
        self.expires = self.expires.min(applied.expires);
        self.policy_partial = applied.partial;
        self.report.sts = Some(applied.report);
        applied.notes.into_iter().for_each(|note| self.report.note(note));
        if self.message == MessageTls::NotRequired {
            return None;
        }
        applied.findings.into_iter().for_each(|finding| self.report.find(finding));
        applied.unknown.filter(|_| self.config.sts_defer)
    }

    /// The MX records are no use: what a report would tell of it.
    pub(super) fn report_exchanges(&mut self, failure: Failure) {
        if failure == Failure::Bogus && self.config.dane != DaneMode::Off {
            let host = self.destination.name().cloned();
            let finding =
                Finding::new(PolicyType::Tlsa, ResultType::DnssecInvalid, host, failure.to_string());
            if self.message != MessageTls::NotRequired {
                self.report.find(finding);
            }
        }
    }
}
