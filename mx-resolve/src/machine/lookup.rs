//! [`Lookups`]: questions in flight. A lookup is a question with the follow-ups that unfinished alias chains need; each
//! has an allowance of questions of its own, so the budget is spent the same way in whatever order answers come.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use super::{AnswerError, DnsRequest, QueryId};
use crate::config::Limits;
use crate::dns::{Alias, Answer, Failure, Outcome, Question};
use crate::name::DomainName;
use crate::time::UnixMillis;

/// A lookup, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LookupId(usize);

#[derive(Clone, Debug)]
struct Lookup {
    question: Question,
    /// The chain so far, over all answers.
    aliases: Vec<Alias>,
    /// The end of the shortest life of the answers so far.
    expires: UnixMillis,
    /// How many questions it may still ask, and how many it has asked.
    allowance: usize,
    used: usize,
    answer: Option<Answer>,
}

#[derive(Clone, Debug)]
struct Flight {
    lookup: LookupId,
    question: Question,
    deadline: UnixMillis,
}

#[derive(Clone, Debug)]
pub(super) struct Lookups {
    all: Vec<Lookup>,
    flights: BTreeMap<QueryId, Flight>,
    requests: VecDeque<DnsRequest>,
    next_id: u32,
    asked: usize,
    /// When the resolution has to be over.
    end: UnixMillis,
}

impl Lookups {
    pub(super) const fn new(end: UnixMillis) -> Self {
        Self {
            all: Vec::new(),
            flights: BTreeMap::new(),
            requests: VecDeque::new(),
            next_id: 0,
            asked: 0,
            end,
        }
    }

    /// How many questions were asked.
    pub(super) const fn asked(&self) -> usize {
        self.asked
    }

    pub(super) fn start(
        &mut self,
        question: Question,
        allowance: usize,
        now: UnixMillis,
        limits: &Limits,
    ) -> LookupId {
        let id = LookupId(self.all.len());
        let expires = UnixMillis::from_millis(u64::MAX);
        let lookup = Lookup {
            question: question.clone(),
            aliases: Vec::new(),
            expires,
            allowance,
            used: 0,
            answer: None,
        };
        self.all.push(lookup);
        self.ask(id, question, now, limits);
        id
    }

    /// A number for a request.
    pub(super) const fn next_id(&mut self) -> QueryId {
        let id = QueryId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        id
    }

    /// When the resolution has to be over.
    pub(super) const fn end(&self) -> UnixMillis {
        self.end
    }

    /// How many questions a lookup has asked.
    pub(super) fn used(&self, id: LookupId) -> usize {
        self.all.get(id.0).map_or(0, |lookup| lookup.used)
    }

    fn ask(&mut self, id: LookupId, question: Question, now: UnixMillis, limits: &Limits) {
        let Some(lookup) = self.all.get_mut(id.0) else { return };
        if lookup.allowance == 0 {
            lookup.answer = Some(Failure::Budget.into());
            return;
        }
        let deadline = self.end.min(now + limits.query);
        if deadline <= now {
            lookup.answer = Some(Failure::Timeout.into());
            return;
        }
        lookup.allowance -= 1;
        lookup.used += 1;
        self.asked += 1;
        let query = self.next_id();
        self.requests.push_back(DnsRequest { id: query, question: question.clone(), deadline });
        self.flights.insert(query, Flight { lookup: id, question, deadline });
    }

    pub(super) fn poll_request(&mut self) -> Option<DnsRequest> {
        // A question whose time is over, or that nobody waits for any more, is not asked.
        while let Some(request) = self.requests.pop_front() {
            if self.flights.contains_key(&request.id) {
                return Some(request);
            }
        }
        None
    }

    pub(super) fn next_deadline(&self) -> Option<UnixMillis> {
        self.flights.values().map(|flight| flight.deadline).min()
    }

    /// Ends what is overdue.
    pub(super) fn expire(&mut self, now: UnixMillis) {
        let overdue = self.flights.iter().filter(|(_, flight)| flight.deadline <= now);
        let overdue: Vec<QueryId> = overdue.map(|(id, _)| *id).collect();
        for id in overdue {
            let Some(flight) = self.flights.remove(&id) else { continue };
            if let Some(lookup) = self.all.get_mut(flight.lookup.0) {
                lookup.answer = Some(Failure::Timeout.into());
            }
        }
    }

    /// Forgets every question that nobody has answered.
    pub(super) fn cancel(&mut self) {
        self.flights.clear();
        self.requests.clear();
    }

    /// The answer to a lookup, if it is there, with the whole alias chain, and until when it holds.
    pub(super) fn answer(&self, id: LookupId) -> Option<(&Answer, UnixMillis)> {
        let lookup = self.all.get(id.0)?;
        Some((lookup.answer.as_ref()?, lookup.expires))
    }

    pub(super) fn handle_answer(
        &mut self,
        id: QueryId,
        answer: Answer,
        now: UnixMillis,
        limits: &Limits,
    ) -> Result<(), AnswerError> {
        let flight = self.flights.get(&id).ok_or(AnswerError::NotAsked)?;
        match &answer.outcome {
            Outcome::Records(records) if records.record_type() != flight.question.record_type => {
                return Err(AnswerError::WrongType);
            }
            _ => {}
        }
        let Some(flight) = self.flights.remove(&id) else { return Err(AnswerError::NotAsked) };
        let Some(lookup) = self.all.get_mut(flight.lookup.0) else { return Err(AnswerError::NotAsked) };
        match lookup.take(flight.question, answer, now, limits.aliases) {
            Ok(next) => self.ask(flight.lookup, next, now, limits),
            Err(answer) => lookup.answer = Some(answer),
        }
        Ok(())
    }
}

impl Lookup {
    /// Takes an answer to `asked`: the next question, or the whole answer.
    fn take(
        &mut self,
        asked: Question,
        mut answer: Answer,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Question, Answer> {
        // RFC 1034 §3.6.2: a chain is followed over several answers; loops and long chains end it.
        let mut name: &DomainName = &asked.name;
        for alias in &answer.aliases {
            let known = |earlier: &Alias| earlier.owner == alias.target;
            if alias.owner != *name {
                return Err(Failure::Malformed.into());
            }
            if alias.target == asked.name
                || self.question.name == alias.target
                || self.aliases.iter().any(known)
            {
                return Err(Failure::AliasLoop.into());
            }
            name = &alias.target;
        }
        if self.aliases.len() + answer.aliases.len() > limit {
            return Err(Failure::AliasLimit.into());
        }
        let name = name.clone();
        let empty = matches!(&answer.outcome, Outcome::Records(records) if records.is_empty());
        if empty || (answer.outcome == Outcome::Alias && name == asked.name) {
            return Err(Failure::Malformed.into());
        }
        if let Outcome::Failure(failure) = answer.outcome {
            return Err(failure.into());
        }
        self.expires = self.expires.min(now + Duration::from_secs(answer.ttl.into()));
        // RFC 7672 §2.1.3: behind an insecure alias everything is insecure.
        answer.security =
            self.aliases.iter().fold(answer.security, |so_far, alias| so_far.min(alias.security));
        self.aliases.append(&mut answer.aliases);
        if answer.outcome == Outcome::Alias {
            return Ok(Question::new(name, asked.record_type));
        }
        answer.aliases = core::mem::take(&mut self.aliases);
        answer.canonical = Some(name);
        Err(answer)
    }
}
