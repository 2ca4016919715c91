//! What the server says: RFC 9051 §2.2.2, §7. Completions end their command and change the state; data is handed
//! on as it comes.

use bytes::{Bytes, BytesMut};
use mailwright_core::value::Excerpt;

use super::{Client, Closed, CommandId, Event, InFlight, Phase, State};
use crate::parse::ResponseEvent;
use crate::types::{Code, Response, StatusKind, StatusResponse, Tag, Verb};

impl Client {
    /// Something was read; `input` is what stands behind it.
    pub(super) fn received(&mut self, event: ResponseEvent, input: &BytesMut) {
        if matches!(self.phase, Phase::Greeting) {
            return self.greeted(event);
        }
        let event = match event {
            ResponseEvent::Response(Response::Status { tag: Some(tag), status }) => {
                return self.completed(&tag, status, input);
            }
            ResponseEvent::Response(Response::Status { tag: None, status }) => return self.untagged(status),
            ResponseEvent::Response(Response::Continue(text)) => return self.consented(text),
            ResponseEvent::Response(response) => return self.data(response),
            // RFC 9051 §6.2.1: whoever says it before TLS, it is not to be believed.
            _ if self.awaits_tls() => return,
            ResponseEvent::FetchBegin { number } => {
                Event::FetchBegin { number, during: self.during_change() }
            }
            ResponseEvent::UidFetchBegin { uid } => {
                Event::UidFetchBegin { uid, during: self.during_change() }
            }
            ResponseEvent::FetchItem(item) => Event::FetchItem(item),
            ResponseEvent::BodyBegin { item, length } => Event::BodyBegin { item, length },
            ResponseEvent::BodyChunk(octets) => Event::BodyChunk(octets),
            ResponseEvent::BodyEnd => Event::BodyEnd,
            ResponseEvent::FetchEnd => Event::FetchEnd,
            ResponseEvent::SearchBegin => Event::SearchBegin { during: self.during(&[Verb::Search]) },
            ResponseEvent::SortBegin => Event::SortBegin { during: self.during(&[Verb::Sort]) },
            ResponseEvent::SearchModSeq(mod_seq) => Event::SearchModSeq(mod_seq),
            ResponseEvent::SearchNumber(number) => Event::SearchNumber(number),
            ResponseEvent::SearchEnd => Event::SearchEnd,
            ResponseEvent::ThreadBegin => Event::ThreadBegin { during: self.during(&[Verb::Thread]) },
            ResponseEvent::ThreadMember(member) => Event::ThreadMember(member),
            ResponseEvent::ThreadEnd => Event::ThreadEnd,
            ResponseEvent::VanishedBegin { earlier } => {
                let during = self.during(&[Verb::Fetch, Verb::Select, Verb::Examine]);
                Event::VanishedBegin { earlier, during }
            }
            ResponseEvent::Vanished(uids) => Event::Vanished(uids),
            ResponseEvent::VanishedEnd => Event::VanishedEnd,
            ResponseEvent::ExtendedSearchBegin(search) => {
                let during = self.during(&[Verb::Search, Verb::Sort, Verb::MultiSearch]);
                Event::ExtendedSearchBegin { search, during }
            }
            ResponseEvent::SearchData(data) => Event::SearchData(data),
            ResponseEvent::SearchList(list) => Event::SearchList(list),
            ResponseEvent::SearchElement(element) => Event::SearchElement(element),
            ResponseEvent::ExtendedSearchEnd => Event::ExtendedSearchEnd,
            ResponseEvent::Invalid(invalid) => Event::Invalid(invalid),
            ResponseEvent::Deviation(deviation) => Event::Deviation(deviation),
        };
        self.push(event);
    }

    /// The oldest command in flight that one of the `verbs` names, or else the oldest.
    fn during(&self, verbs: &[Verb]) -> Option<CommandId> {
        self.during_any(|verb| verbs.contains(&verb))
    }

    /// The same of those that are answered by FETCH.
    fn during_change(&self) -> Option<CommandId> {
        self.during_any(|verb| verb.entry().changes_flags)
    }

    fn during_any(&self, fits: impl Fn(Verb) -> bool) -> Option<CommandId> {
        let found = self.in_flight.iter().find(|command| fits(command.verb));
        found.or_else(|| self.in_flight.front()).map(|command| command.id)
    }

    /// Data has come that such a command is answered with.
    fn answered(&mut self, during: Option<CommandId>) {
        let fits = |command: &&mut InFlight| Some(command.id) == during;
        if let Some(command) = self.in_flight.iter_mut().find(fits) {
            command.answered = true;
        }
    }

    // ---- The greeting

    fn greeted(&mut self, event: ResponseEvent) {
        let status = match event {
            ResponseEvent::Response(Response::Status { tag: None, status }) => status,
            ResponseEvent::Deviation(deviation) => return self.push(Event::Deviation(deviation)),
            ResponseEvent::Invalid(invalid) => {
                return self.close(Closed::BadGreeting(Excerpt::new(&invalid.raw)));
            }
            _ => return self.close(Closed::BadGreeting(Excerpt::new(b""))),
        };
        match status.kind {
            // RFC 9051 §7.1.5: BYE as a greeting refuses the connection.
            StatusKind::Bye => return self.close(Closed::Refused(status)),
            // RFC 9051 §7.1.4: who wants TLS must close, since STARTTLS is not possible any more.
            StatusKind::PreAuth if self.awaits_tls() => return self.close(Closed::PreAuth),
            StatusKind::PreAuth => self.state = State::Authenticated,
            StatusKind::Ok => {}
            StatusKind::No | StatusKind::Bad => {
                return self.close(Closed::BadGreeting(Excerpt::new(&status.text)));
            }
        }
        self.timers.stop(super::timers::ANSWER);
        self.phase = Phase::Open;
        self.learn_from(&status);
        self.push(Event::Greeting(status));
    }

    // ---- Data

    fn learn_from(&mut self, status: &StatusResponse) {
        if let Some(Code::Capability(capabilities)) = &status.code {
            self.learn(capabilities);
        }
    }

    fn untagged(&mut self, status: StatusResponse) {
        match status.kind {
            // RFC 9051 §7.1.5: BYE announces the end, unless LOGOUT asked for it.
            StatusKind::Bye if self.in_flight.iter().all(|command| command.verb != Verb::Logout) => {
                return self.close(Closed::Bye(status));
            }
            StatusKind::Ok => self.learn_from(&status),
            _ => {}
        }
        // RFC 7162 §3.2.11: what follows is about the mailbox that is being selected.
        if matches!(status.code, Some(Code::Closed)) && matches!(self.state, State::Selected(_)) {
            self.state = State::Authenticated;
        }
        if !self.awaits_tls() {
            let during = self.during(&[]);
            self.push(Event::Response { response: Response::Status { tag: None, status }, during });
        }
    }

    /// Data that is complete in itself.
    fn data(&mut self, response: Response) {
        let verbs: &[Verb] = match &response {
            Response::Capability(capabilities) => {
                self.learn(capabilities);
                &[Verb::Capability]
            }
            Response::List(_) => &[Verb::List],
            Response::Lsub(_) => &[Verb::Lsub],
            Response::Namespace(_) => &[Verb::Namespace],
            Response::MailboxStatus { .. } => &[Verb::Status],
            Response::Id(_) => &[Verb::Id],
            Response::Enabled(capabilities) => {
                self.learn_enabled(capabilities);
                &[Verb::Enable]
            }
            Response::Metadata(_) => &[Verb::GetMetadata, Verb::SetMetadata],
            Response::Quota(_) => &[Verb::GetQuota, Verb::GetQuotaRoot, Verb::SetQuota],
            Response::QuotaRoot { .. } => &[Verb::GetQuotaRoot],
            Response::Acl(_) => &[Verb::GetAcl],
            Response::ListRights(_) => &[Verb::ListRights],
            Response::MyRights { .. } => &[Verb::MyRights],
            Response::Xlist(_) => &[Verb::Xlist],
            Response::Flags { .. } => &[Verb::Select, Verb::Examine],
            _ => &[],
        };
        if !self.awaits_tls() {
            let during = self.during(verbs);
            if matches!(response, Response::List(_)) {
                self.answered(during);
            }
            self.push(Event::Response { response, during });
        }
    }

    /// A `+`.
    fn consented(&mut self, text: Bytes) {
        if self.challenged(&text) {
            return;
        }
        if !self.literal_accepted() && !self.idle_accepted() {
            // Nothing waits for it: some servers say it by mistake.
            self.data(Response::Continue(text));
        }
    }

    // ---- Completions

    fn completed(&mut self, tag: &Tag, status: StatusResponse, input: &BytesMut) {
        let taken = self.taken();
        let number = self.tags.number(tag);
        // What is not written yet cannot have been answered.
        let refused = self.refused.as_ref().and(self.in_flight.back()).map(|command| command.tag);
        let sent = |command: &InFlight| {
            Some(command.tag) == number && taken >= command.queued && refused != Some(command.tag)
        };
        let Some(index) = self.in_flight.iter().position(sent) else {
            return self.close(Closed::UnknownTag(Excerpt::new(tag.as_bytes())));
        };
        let ok = status.kind == StatusKind::Ok;
        let is_last = index + 1 == self.in_flight.len();
        if is_last && !self.pieces.is_empty() {
            if ok {
                return self.close(Closed::Premature);
            }
            if self.refused_early(&status) {
                return;
            }
        }
        let Some(command) = self.in_flight.remove(index) else { return };
        let InFlight { id, verb, mailbox, trial, answered, .. } = command;
        if self.in_flight.is_empty() {
            self.in_flight = alloc::collections::VecDeque::new();
        }
        match verb {
            Verb::Authenticate => {
                if let Err(error) = self.exchange_over(ok, status.kind == StatusKind::Bad) {
                    return self.close(Closed::NotProven(error));
                }
                self.logged_in(ok);
            }
            Verb::Login => self.logged_in(ok),
            // RFC 9051 §6.3.2: a SELECT that fails leaves nothing selected.
            Verb::Select | Verb::Examine => match (status.kind, mailbox) {
                (StatusKind::Ok, Some(mailbox)) => self.state = State::Selected(mailbox),
                (StatusKind::No, _) => self.state = State::Authenticated,
                _ => {}
            },
            // RFC 4978 §3: it is said of a layer that this session knows nothing of.
            Verb::Compress if matches!(status.code, Some(Code::CompressionActive)) => {
                self.compressed_elsewhere = true;
            }
            Verb::Unauthenticate if ok => self.unauthenticated(),
            Verb::Close | Verb::Unselect if ok => self.state = State::Authenticated,
            Verb::Idle if self.idle_over(ok) => return,
            _ => {}
        }
        if ok {
            self.learn_from(&status);
        }
        if let Some(trial) = trial {
            self.judge(id, trial, answered, &status);
        }
        self.push(Event::Completed { id, status });
        match verb {
            Verb::StartTls if ok => {
                let more = !input.is_empty() || !self.reader.is_between_responses();
                self.agreed_on_tls(more);
            }
            Verb::Compress if ok => self.agreed_on_deflate(),
            Verb::Logout => self.close(Closed::Logout),
            _ => {}
        }
    }

    /// A log-in is complete.
    fn logged_in(&mut self, ok: bool) {
        if ok {
            self.state = State::Authenticated;
            // RFC 9051 §6.2.2: they may be others now. What came since the command was sent counts.
            if self.outdated {
                self.capabilities = None;
            }
        }
        self.outdated = false;
    }
}
