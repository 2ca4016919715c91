//! [`Refresh`]: fetches the policy of a domain again, before an attacker can wait for it to expire (RFC 8461 §10.2).

use alloc::sync::Arc;

use super::lookup::Lookups;
use super::policy::{self, PolicyLookup};
use super::{AnswerError, QueryId, Request};
use crate::config::Config;
use crate::dns::Answer;
use crate::fetch::{FetchFailure, FetchRequest, Response};
use crate::name::DomainName;
use crate::sts::{StsKnown, StsNews};
use crate::time::UnixMillis;

/// What came of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refreshed {
    /// For [`StsCache::learn`](crate::sts::StsCache::learn).
    pub news: Option<StsNews>,
    /// What was odd.
    pub diagnostics: alloc::vec::Vec<crate::plan::Diagnostic>,
}

/// A refresh under way: the verbs are those of a [`Resolution`](crate::Resolution).
#[derive(Clone, Debug)]
pub struct Refresh {
    config: Arc<Config>,
    now: UnixMillis,
    lookups: Lookups,
    policy: Option<PolicyLookup>,
    fetch: Option<FetchRequest>,
    news: Option<StsNews>,
    finished: bool,
}

impl Refresh {
    /// Begins to refresh what is `known` about `domain`.
    #[must_use]
    pub fn new(domain: DomainName, known: StsKnown, config: Arc<Config>, now: UnixMillis) -> Self {
        let mut lookups = Lookups::new(now + policy::patience(&config.limits));
        let limits = &config.limits;
        let allowance = limits.queries.min(limits.aliases + 1);
        let policy = PolicyLookup::start(domain, known, true, &mut lookups, allowance, (now, limits));
        let mut refresh = Self { config, now, lookups, policy, fetch: None, news: None, finished: false };
        refresh.advance();
        refresh
    }

    fn advance(&mut self) {
        if let Some(policy) = &mut self.policy {
            let fetch = policy.advance(&mut self.lookups, self.now, &self.config.limits);
            self.fetch = self.fetch.take().or(fetch);
        }
    }

    /// A question or a file to fetch, if there is one.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<Request> {
        if let Some(request) = self.lookups.poll_request() {
            return Some(Request::Dns(request));
        }
        self.fetch.take().map(Request::Fetch)
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixMillis> {
        let fetch = self.policy.as_ref().and_then(PolicyLookup::deadline);
        [self.lookups.next_deadline(), fetch].into_iter().flatten().min()
    }

    /// The end, once.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Refreshed> {
        let diagnostics = match &self.policy {
            Some(policy) => policy.applied()?.notes.clone(),
            None => alloc::vec::Vec::new(),
        };
        if core::mem::replace(&mut self.finished, true) {
            return None;
        }
        Some(Refreshed { news: self.news.take(), diagnostics })
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
    /// If it was not asked for; nothing has changed then.
    pub fn handle_response(
        &mut self,
        id: QueryId,
        result: Result<Response, FetchFailure>,
        now: UnixMillis,
    ) -> Result<(), AnswerError> {
        self.now = self.now.max(now);
        let policy = self.policy.as_mut().ok_or(AnswerError::NotAsked)?;
        self.news = Some(policy.take(id, result, self.now, &self.config.limits)?);
        Ok(())
    }

    /// The time. Too early a call changes nothing.
    pub fn handle_timeout(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
        self.lookups.expire(self.now);
        if let Some(policy) = &mut self.policy {
            self.news = self.news.take().or(policy.expire(self.now, &self.config.limits));
        }
        self.advance();
    }
}
