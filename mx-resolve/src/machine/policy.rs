//! [`PolicyLookup`]: whether the domain has a policy of MTA-STS, and which one counts (RFC 8461 §3, §5.1). The record and the
//! hosts are looked up at once.
//!
//! Nothing that is missing, broken or out of reach takes away a policy that is known and still holds.

use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::lookup::{LookupId, Lookups};
use super::{AnswerError, QueryId};
use crate::config::Limits;
use crate::dns::{Failure, Outcome, Question, RecordType, Records};
use crate::fetch::{FetchFailure, FetchRequest, Page, Response};
use crate::name::DomainName;
use crate::plan::{Diagnostic, StsReport, StsState};
use crate::sts::{CachedPolicy, FailedFetch, Mode, StsKnown, StsNews, StsPolicy, StsRecord};
use crate::time::UnixMillis;
use crate::tlsrpt::{Finding, PolicyType, ResultType};

/// What counts, and what is to be told about it.
#[derive(Clone, Debug)]
pub(super) struct Applied {
    pub(super) report: StsReport,
    pub(super) notes: Vec<Diagnostic>,
    pub(super) findings: Vec<Finding>,
    /// Until when the record and the policy hold.
    pub(super) expires: UnixMillis,
    /// Something failed that may work soon.
    pub(super) partial: bool,
    /// It is not known whether there is a policy.
    pub(super) unknown: Option<Failure>,
}

#[derive(Clone, Debug)]
enum Stage {
    Record(LookupId),
    Fetch { request: QueryId, id: Arc<str>, deadline: UnixMillis },
    Done,
}

#[derive(Clone, Debug)]
pub(super) struct PolicyLookup {
    domain: DomainName,
    known: StsKnown,
    /// A policy is fetched though its id is the same.
    again: bool,
    stage: Stage,
    applied: Applied,
}

/// The name of the record of a domain, and the host of its policy.
fn below(label: &str, domain: &DomainName) -> Option<DomainName> {
    DomainName::from_ascii(&alloc::format!("{label}.{domain}")).ok()
}

impl PolicyLookup {
    /// Begins. There is none for a domain whose name leaves no room for that of a record.
    pub(super) fn start(
        domain: DomainName,
        known: StsKnown,
        again: bool,
        lookups: &mut Lookups,
        allowance: usize,
        (now, limits): (UnixMillis, &Limits),
    ) -> Option<Self> {
        // RFC 8461 §3.4: the domain itself and never one above it has the policy.
        let question = Question::new(below("_mta-sts", &domain)?, RecordType::Txt);
        let lookup = lookups.start(question, allowance, now, limits);
        let applied = Applied {
            report: StsReport::new(StsState::None, None),
            notes: Vec::new(),
            findings: Vec::new(),
            expires: UnixMillis::from_millis(u64::MAX),
            partial: false,
            unknown: None,
        };
        Some(Self { domain, known, again, stage: Stage::Record(lookup), applied })
    }

    pub(super) const fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// What counts, once it is known.
    pub(super) const fn applied(&self) -> Option<&Applied> {
        match self.stage {
            Stage::Done => Some(&self.applied),
            _ => None,
        }
    }

    /// When to give up waiting for the file.
    pub(super) const fn deadline(&self) -> Option<UnixMillis> {
        match self.stage {
            Stage::Fetch { deadline, .. } => Some(deadline),
            _ => None,
        }
    }

    /// Reads the record once it is there; a file to fetch, if that is what it asks for.
    pub(super) fn advance(
        &mut self,
        lookups: &mut Lookups,
        now: UnixMillis,
        limits: &Limits,
    ) -> Option<FetchRequest> {
        let Stage::Record(lookup) = self.stage else { return None };
        let (answer, expires) = lookups.answer(lookup)?;
        let record = match &answer.outcome {
            Outcome::Failure(failure) => {
                self.record_failed(*failure);
                None
            }
            Outcome::Records(Records::Txt(records)) => {
                self.applied.expires = expires;
                StsRecord::select(records)
            }
            _ => {
                self.applied.expires = expires;
                None
            }
        };
        let cached = self.known.policy.as_deref();
        let id = match &record {
            // RFC 8461 §3.1: while the id stays the same, so does the policy.
            Some(record) if !self.again && cached.is_some_and(|cached| &*cached.id == record.id()) => None,
            Some(record) => Some(record.shared_id()),
            None => cached.filter(|_| self.again).map(|cached| Arc::clone(&cached.id)),
        };
        let Some(id) = id else {
            self.settle();
            return None;
        };
        // RFC 8461 §3.3: after a failure it is not fetched again for a while, as long as the id is the same.
        if let Some(failed) = self.known.failed.as_ref().filter(|failed| failed.id == id) {
            self.applied.notes.push(Diagnostic::StsRetryLater);
            self.applied.partial = true;
            self.applied.expires = self.applied.expires.min(failed.retry);
            self.settle();
            return None;
        }
        let Some(host) = below("mta-sts", &self.domain) else {
            self.settle();
            return None;
        };
        let (request, deadline) = (lookups.next_id(), lookups.end().min(now + limits.fetch));
        self.stage = Stage::Fetch { request, id, deadline };
        let page = Page::new(host, "/.well-known/mta-sts.txt");
        Some(FetchRequest { id: request, page, limit: limits.policy, deadline })
    }

    fn record_failed(&mut self, failure: Failure) {
        self.applied.notes.push(Diagnostic::StsLookup(failure));
        self.applied.partial = true;
        if self.known.policy.is_none() {
            self.applied.unknown = Some(failure);
            self.find(ResultType::StsPolicyFetchError, &failure);
        }
    }

    fn find(&mut self, result: ResultType, detail: &dyn core::fmt::Display) {
        self.applied.findings.push(Finding::new(PolicyType::Sts, result, None, detail.to_string()));
    }

    /// Takes the file.
    pub(super) fn take(
        &mut self,
        id: QueryId,
        result: Result<Response, FetchFailure>,
        now: UnixMillis,
        limits: &Limits,
    ) -> Result<StsNews, AnswerError> {
        let record_id = match &self.stage {
            Stage::Fetch { request, id: record_id, .. } if *request == id => Arc::clone(record_id),
            _ => return Err(AnswerError::NotAsked),
        };
        let judged =
            result.map_err(Diagnostic::StsFetch).and_then(|response| judge(&response, limits.policy));
        let news = match judged {
            Ok(policy) => {
                let cached = Arc::new(CachedPolicy::new(policy, record_id, now));
                self.applied.report = StsReport::new(StsState::Fetched, Some(Arc::clone(&cached)));
                self.applied.expires = self.applied.expires.min(cached.expires());
                self.stage = Stage::Done;
                StsNews::Fetched(cached)
            }
            Err(why) => {
                let cached = self.known.policy.as_ref();
                // RFC 8461 §3.3: nobody is alerted about a policy that says that there is none.
                if cached.is_none_or(|cached| cached.policy.mode != Mode::None) {
                    // RFC 8460 §4.3.2.2: a certificate that is not valid has a type of its own.
                    match &why {
                        Diagnostic::StsFetch(FetchFailure::Certificate) => {
                            self.find(ResultType::StsWebPkiInvalid, &FetchFailure::Certificate);
                        }
                        Diagnostic::StsPolicy(error) => self.find(ResultType::StsPolicyInvalid, error),
                        Diagnostic::StsFetch(failure) => self.find(ResultType::StsPolicyFetchError, failure),
                        _ => {}
                    }
                }
                self.applied.notes.push(why);
                self.applied.partial = true;
                self.settle();
                StsNews::Failed(FailedFetch::new(record_id, now + limits.policy_retry))
            }
        };
        Ok(news)
    }

    /// Ends waiting for the file when its time is over.
    pub(super) fn expire(&mut self, now: UnixMillis, limits: &Limits) -> Option<StsNews> {
        match self.stage {
            Stage::Fetch { request, deadline, .. } if deadline <= now => {
                self.take(request, Err(FetchFailure::Timeout), now, limits).ok()
            }
            _ => None,
        }
    }

    /// RFC 8461 §3.3, §5.1: without a new policy, the one that is known counts as long as it lives.
    fn settle(&mut self) {
        if let Some(cached) = &self.known.policy {
            self.applied.expires = self.applied.expires.min(cached.expires());
            self.applied.report = StsReport::new(StsState::Cached, Some(Arc::clone(cached)));
        }
        self.stage = Stage::Done;
    }
}

/// Whether a response is a policy.
fn judge(response: &Response, limit: usize) -> Result<StsPolicy, Diagnostic> {
    // RFC 8461 §3.3: only status 200 counts. §3.2: the media type is text/plain.
    if response.status != 200 {
        return Err(Diagnostic::StsFetch(FetchFailure::Status(response.status)));
    }
    if !response.is_of("text/plain") {
        return Err(Diagnostic::StsFetch(FetchFailure::MediaType));
    }
    if response.body.len() > limit {
        return Err(Diagnostic::StsFetch(FetchFailure::TooLarge));
    }
    StsPolicy::parse(&response.body).map_err(Diagnostic::StsPolicy)
}

/// The longest that a lookup may take, for a resolution of nothing but a policy.
pub(super) fn patience(limits: &Limits) -> Duration {
    limits.query.saturating_mul(2).saturating_add(limits.fetch)
}
