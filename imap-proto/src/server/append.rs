//! APPEND: the host is asked before the message comes; then it streams. RFC 9051 §6.3.12.

use alloc::boxed::Box;

use super::question::{AppendToken, AppendedToken};
use super::updates::Then;
use super::{Event, Phase, Refusal, Server, Stored};
use crate::types::{AppendCommand, Code, Response, StatusKind, StatusResponse, Tag, Verb};
use crate::wire::{Announcement, Part, PartEnd};

/// A message on its way.
pub(super) struct Appending {
    tag: Tag,
    literal: Announcement,
    step: Step,
    /// Why nothing becomes of it, although its content still comes.
    void: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The host says whether the message shall come.
    Asked,
    /// It comes.
    Content,
    /// The host stores it.
    Complete,
}

impl Appending {
    pub(super) fn waits(&self) -> bool {
        self.step != Step::Content
    }

    pub(super) fn reads(&self) -> bool {
        self.step == Step::Content
    }

    /// Whether the host may hold content.
    pub(super) fn is_begun(&self) -> bool {
        self.step != Step::Asked && self.void.is_none()
    }
}

impl Server {
    /// APPEND up to its message, whose literal is announced.
    pub(super) fn append(&mut self, tag: Tag, append: AppendCommand, literal: Announcement) {
        let end = PartEnd::Literal(literal);
        let limit = self.config.limits.append;
        match literal.length {
            // RFC 3502 §6.3.11: an empty literal cancels.
            Some(0) => {
                self.refuse_command(Some(tag), StatusResponse::new(StatusKind::No, "an empty message"), end)
            }
            Some(octets) if octets <= limit => {
                self.receiving = super::Receiving::default();
                let appending = Appending { tag, literal, step: Step::Asked, void: None };
                self.ask(Phase::Append(Box::new(appending)), |ticket| Event::Append {
                    token: AppendToken(ticket),
                    append,
                    octets,
                });
            }
            // RFC 7889 §4
            _ => {
                let status = StatusResponse::new(StatusKind::No, "the message is too large");
                self.refuse_command(Some(tag), status.with_code(Code::TooBig), end);
            }
        }
    }

    pub(super) fn append_answered(&mut self, outcome: Result<(), Refusal>) {
        let Phase::Append(mut appending) = core::mem::replace(&mut self.phase, Phase::Command) else {
            return;
        };
        match outcome {
            Ok(()) => {
                appending.step = Step::Content;
                let literal = appending.literal;
                self.phase = Phase::Append(appending);
                self.take_literal(literal);
            }
            Err(refusal) => {
                let mut status = StatusResponse::new(StatusKind::No, "");
                status.code = refusal.code;
                status.text = bytes::Bytes::from(refusal.text.into_owned());
                self.refuse_command(Some(appending.tag), status, PartEnd::Literal(appending.literal));
            }
        }
    }

    /// Octets of the message.
    pub(super) fn append_content(&mut self, octets: bytes::Bytes) {
        let Phase::Append(appending) = &mut self.phase else { return };
        if appending.void.is_some() {
            return;
        }
        // RFC 9051 §9: CHAR8, so no NUL outside a binary literal.
        let nul = memchr::memchr(0, &octets);
        let before = octets.slice(..nul.unwrap_or(octets.len()));
        if nul.is_some() {
            appending.void = Some("no NUL in a message");
        }
        // What is told does not depend on how the octets came.
        if !before.is_empty() {
            self.events.push_back(Event::Content(before));
        }
        if nul.is_some() {
            self.events.push_back(Event::Aborted);
        }
    }

    /// The line part behind the message.
    pub(super) fn append_end(&mut self, part: &Part) {
        let Phase::Append(mut appending) = core::mem::replace(&mut self.phase, Phase::Command) else {
            return;
        };
        if let Some(text) = appending.void {
            let status = StatusResponse::new(StatusKind::Bad, text);
            return self.refuse_command(Some(appending.tag), status, part.end);
        }
        let blank = part.octets.iter().all(|octet| *octet == b' ');
        if part.end == PartEnd::Message && part.fault.is_none() && blank {
            appending.step = Step::Complete;
            return self
                .ask(Phase::Append(appending), |ticket| Event::Appended { token: AppendedToken(ticket) });
        }
        // Another message, or something else that is not offered: nothing of the command is done.
        self.events.push_back(Event::Aborted);
        let status = StatusResponse::new(StatusKind::Bad, "only one message at a time");
        self.refuse_command(Some(appending.tag), status, part.end);
    }

    pub(super) fn appended(&mut self, outcome: Result<Stored, Refusal>) {
        let Phase::Append(appending) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        match outcome {
            Ok(stored) => {
                // RFC 4315 §3
                let code = stored.map(|(uid_validity, uid)| Code::AppendUid {
                    uid_validity,
                    uids: alloc::vec::Vec::from([uid.into()]),
                });
                self.complete(&appending.tag, Verb::Append, false, code);
            }
            Err(refusal) => self.refuse(&appending.tag, Verb::Append, false, refusal),
        }
    }

    /// IDLE begins: what changed so far, then whatever comes.
    pub(super) fn idle(&mut self, tag: Tag) {
        self.respond(&Response::Continue(bytes::Bytes::from_static(b"idling")));
        self.events.push_back(Event::Idle(true));
        self.await_command();
        self.tell_updates(true, Then::Idle(tag));
    }

    /// A line in IDLE: DONE ends it, anything else too.
    pub(super) fn idle_line(&mut self, part: &Part) {
        let Phase::Idle(tag) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        self.events.push_back(Event::Idle(false));
        // RFC 2177 §3; in any case, since clients write it so.
        if part.octets.eq_ignore_ascii_case(b"DONE") && part.end == PartEnd::Message {
            return self.complete(&tag, Verb::Idle, false, None);
        }
        let status = StatusResponse::new(StatusKind::Bad, "expected DONE");
        self.refuse_command(Some(tag), status, part.end);
    }
}
