//! Reading commands with their literals; refused ones are read to their real end. RFC 9051 §2.2.1, §4.3; RFC
//! 7888.
//!
//! A literal that will not be taken is answered instead of asked for if its sender waits, and else read and
//! thrown away; none of its octets is ever a command. Where it cannot be known whether content or a
//! command follows, the connection ends.

use core::mem;

use bytes::{Bytes, BytesMut};
use mailwright_core::value::{Deviation, DeviationKind, Tolerance};

use super::authentication::not_without_tls;
use super::load::Waiting;
use super::{Closed, Event, Phase, Server, offered};
use crate::parse::{CommandError, CommandErrorKind, CommandInput, CommandLimits};
use crate::types::{Code, Response, StatusKind, StatusResponse, Tag, Verb};
use crate::wire::{Announcement, Fault, Frame, Part, PartEnd};

/// A command that is being read.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    input: CommandInput,
    place: Place,
    /// The literal so far.
    literal: BytesMut,
    /// Literals so far.
    literals: usize,
    /// Octets of parts and literals.
    octets: usize,
}

/// Where in the command it is.
#[derive(Debug, Default)]
enum Place {
    /// In a line part, or before the first.
    #[default]
    Part,
    /// In a literal that is an argument.
    Literal,
    /// In a command that was refused: what is said at its end, and how much more may be thrown away.
    Discard(Refused, u64),
}

/// A command that was refused.
#[derive(Debug)]
pub(super) struct Refused {
    tag: Option<Tag>,
    status: StatusResponse,
}

impl Server {
    /// Whether octets would be taken now.
    pub(super) fn takes_input(&self) -> bool {
        // One event, and one piece of content, at a time: the client waits while the host does.
        self.reads() && self.transmit.len() <= self.low_water() && self.events.is_empty()
    }

    /// Whether it is the client's turn.
    fn reads(&self) -> bool {
        match &self.phase {
            Phase::Command | Phase::Exchange(..) | Phase::Idle(_) => true,
            Phase::Append(append) => append.reads(),
            _ => false,
        }
    }

    /// Whether a command or literal is being received, so that its sender must go on.
    pub(super) fn is_receiving(&self) -> bool {
        let begun = !self.receiving.input.is_empty() || !matches!(self.receiving.place, Place::Part);
        (begun || self.framer.is_in_literal() || self.framer.is_in_part()) && self.reads()
    }

    pub(super) fn read(&mut self, input: &mut BytesMut) {
        while self.takes_input() {
            let limit = self.line_limit();
            let before = input.len();
            let frame = self.framer.next_frame(input, limit);
            self.window_octets = self.window_octets.saturating_add((before - input.len()) as u64);
            if self.framer.dropped() > self.bounds().discard {
                // As with a literal: what is too long even to be thrown away has no end worth waiting for.
                self.bye(None, "line too long", Closed::LineTooLong);
                break;
            }
            let Some(frame) = frame else { break };
            self.behind = !input.is_empty();
            self.frame(frame);
        }
        if matches!(self.phase, Phase::Closed) {
            // What comes behind BYE is nobody's.
            input.clear();
        }
        self.behind = !input.is_empty();
        self.unread = self.behind && !self.takes_input();
    }

    fn line_limit(&self) -> usize {
        self.bounds().line.max(self.config.limits.authenticate_line)
    }

    fn frame(&mut self, frame: Frame) {
        match (frame, &mut self.phase) {
            (Frame::Part(part), Phase::Exchange(..)) => self.exchange_line(&part),
            (Frame::Part(part), Phase::Idle(_)) => self.idle_line(&part),
            (Frame::Part(part), Phase::Append(_)) => self.append_end(&part),
            (Frame::Part(part), _) => self.part(part),
            (Frame::Chunk(octets), Phase::Append(_)) => self.append_content(octets),
            (Frame::Chunk(octets), _) => {
                if matches!(self.receiving.place, Place::Literal) {
                    self.receiving.literal.extend_from_slice(&octets);
                }
            }
            (Frame::LiteralEnd, Phase::Append(_)) => {}
            (Frame::LiteralEnd, _) => {
                if matches!(self.receiving.place, Place::Literal) {
                    let literal = mem::take(&mut self.receiving.literal).freeze();
                    self.receiving.input.push_literal(literal);
                    self.receiving.place = Place::Part;
                }
            }
        }
    }

    /// A line part of a command.
    fn part(&mut self, part: Part) {
        if let Place::Discard(..) = self.receiving.place {
            return self.discard_part(&part);
        }
        let first = self.receiving.input.is_empty();
        if first && part.octets.is_empty() && part.end == PartEnd::Message && part.fault.is_none() {
            // Clients end a literal with one CR LF too many.
            return;
        }
        let bare_line_feed = part.bare_line_feed;
        if bare_line_feed {
            self.deviation(DeviationKind::BareLineFeed, part.length, b"\n");
        }
        if first && !mem::replace(&mut self.spoken, true) && speaks_http(&part.octets) {
            return self.bye(None, "this is no HTTP server", Closed::Http);
        }
        if part.end == PartEnd::Unknown {
            return self.bye(None, "cannot tell a literal from a command", Closed::Ambiguous);
        }
        let (end, fault, length) = (part.end, part.fault, part.length);
        self.receiving.octets = self.receiving.octets.saturating_add(part.octets.len());
        self.receiving.input.push_part(match end {
            // A view would hold the driver's whole buffer while the rest comes.
            PartEnd::Literal(_) => Bytes::copy_from_slice(&part.octets),
            PartEnd::Message | PartEnd::Unknown => part.octets,
        });
        if bare_line_feed {
            self.do_not_tolerate(DeviationKind::BareLineFeed, b"\n");
        }
        if let Some(fault) = self.fault(fault, length) {
            let text = match fault {
                Fault::Overlong => "line too long",
                _ => "not a command",
            };
            let tag = self.receiving.input.head().map_or_else(|error| error.tag, |(tag, ..)| Some(tag));
            return self.refuse_command(tag, StatusResponse::new(StatusKind::Bad, text), end);
        }
        match end {
            PartEnd::Literal(literal) => self.announced(literal, end),
            PartEnd::Message | PartEnd::Unknown => self.command(),
        }
    }

    /// What is wrong with a part; before log-in only AUTHENTICATE may be as long as it is.
    fn fault(&self, fault: Option<Fault>, length: u64) -> Option<Fault> {
        let long = length > self.bounds().line as u64
            && !matches!(self.receiving.input.head(), Ok((_, Verb::Authenticate, _)));
        let whole = self.receiving.octets > self.bounds().command;
        fault.or((long || whole).then_some(Fault::Overlong))
    }

    fn command_limits(&self) -> CommandLimits {
        let bounds = self.bounds();
        let mut limits = CommandLimits::default();
        limits.nesting = bounds.nesting;
        limits.set_ranges = bounds.set_ranges;
        limits.tolerance = self.config.tolerance;
        limits
    }

    /// In strict mode, refuses the command for what its framing has.
    fn do_not_tolerate(&mut self, kind: DeviationKind, octets: &[u8]) {
        if self.config.tolerance == Tolerance::Strict {
            self.receiving.input.push_deviation(kind, octets);
        }
    }

    /// A complete command.
    fn command(&mut self) {
        let limits = self.command_limits();
        let input = mem::take(&mut self.receiving).input;
        // A command in a state that does not permit it is wrong whatever its arguments.
        match self.head(&input) {
            Ok((tag, verb)) if !self.permits(verb) => return self.wrong_state(&tag, verb),
            Ok(_) => {}
            Err(error) => return self.reject(error),
        }
        match input.parse(&limits) {
            Ok(parsed) => match offered::not_offered(&parsed.command) {
                Some(what) => self.reject(input.refusal(CommandErrorKind::Contradiction(what))),
                None => {
                    self.events.extend(parsed.deviations.into_iter().map(Event::Deviation));
                    self.execute(parsed.tag, parsed.command);
                }
            },
            Err(error) => self.reject(error),
        }
    }

    /// Tag and name of a command that is offered.
    fn head(&self, input: &CommandInput) -> Result<(Tag, Verb), CommandError> {
        let (tag, verb, _) = input.head()?;
        if offered::is_offered(verb) {
            Ok((tag, verb))
        } else {
            Err(input.refusal(CommandErrorKind::Unknown))
        }
    }

    fn wrong_state(&mut self, tag: &Tag, verb: Verb) {
        let status = StatusResponse::new(StatusKind::Bad, state_text(verb));
        self.tagged(tag, status);
        self.count_error();
    }

    /// BAD to a command that cannot be read.
    fn reject(&mut self, error: CommandError) {
        let status = bad(&error);
        let tag = error.tag.clone();
        self.events.push_back(Event::Rejected(error));
        self.respond(&Response::Status { tag, status });
        self.await_command();
        self.count_error();
    }

    fn count_error(&mut self) {
        self.errors = self.errors.saturating_add(1);
        if self.errors >= self.bounds().errors.max(1) && !matches!(self.phase, Phase::Closed) {
            self.bye(None, "too many wrong commands", Closed::TooManyErrors);
        }
    }

    /// The part announces a literal.
    fn announced(&mut self, literal: Announcement, end: PartEnd) {
        if literal.leading_zeros {
            self.deviation(DeviationKind::LeadingZero, 0, b"{0");
            self.do_not_tolerate(DeviationKind::LeadingZero, b"{0");
        }
        let (tag, verb) = match self.head(&self.receiving.input) {
            Ok(found) => found,
            Err(error) => return self.refuse_with(error, end),
        };
        if !self.permits(verb) {
            let status = StatusResponse::new(StatusKind::Bad, state_text(verb));
            return self.refuse_command(Some(tag), status, end);
        }
        if verb == Verb::Login && !self.may_login() {
            // A password is not even asked for.
            return self.refuse_command(Some(tag), not_without_tls(), end);
        }
        if !takes_literals(verb) {
            let status = StatusResponse::new(StatusKind::Bad, "no literal belongs here");
            return self.refuse_command(Some(tag), status, end);
        }
        if literal.binary {
            // RFC 3516 is not offered.
            let status = StatusResponse::new(StatusKind::Bad, "no binary literals here");
            return self.refuse_command(Some(tag), status, end);
        }
        if verb == Verb::Append {
            match self.receiving.input.append(&self.command_limits()) {
                Ok(Some((append, deviations))) => {
                    self.events.extend(deviations.into_iter().map(Event::Deviation));
                    if self.lacks_messages(verb) {
                        return self.load(Waiting::Append(tag, append, literal));
                    }
                    return self.append(tag, append, literal);
                }
                Ok(None) => {}
                Err(error) => return self.refuse_with(error, end),
            }
        }
        let bounds = self.bounds();
        let length = literal.length.filter(|length| *length <= bounds.literal);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let fits = length.filter(|length| {
            self.receiving.literals < bounds.literals
                && self.receiving.octets.saturating_add(*length) <= bounds.command
        });
        match fits {
            Some(length) => {
                self.receiving.literals += 1;
                self.receiving.octets += length;
                self.receiving.place = Place::Literal;
                self.take_literal(literal);
            }
            None => {
                let status = StatusResponse::new(StatusKind::Bad, "literal not accepted");
                self.refuse_command(Some(tag), status.with_code(Code::TooBig), end);
            }
        }
    }

    /// Says that a literal is welcome, where its sender waits for that, and reads it.
    pub(super) fn take_literal(&mut self, literal: Announcement) {
        if literal.synchronising {
            self.respond(&Response::Continue(Bytes::from_static(b"go ahead")));
        }
        self.framer.read_literal(literal.length.unwrap_or(0));
    }

    fn refuse_with(&mut self, error: CommandError, end: PartEnd) {
        let status = bad(&error);
        let tag = error.tag.clone();
        self.events.push_back(Event::Rejected(error));
        self.refuse_command(tag, status, end);
    }

    /// Refuses the command that is being read, whose last part ended so.
    pub(super) fn refuse_command(&mut self, tag: Option<Tag>, status: StatusResponse, end: PartEnd) {
        self.receiving = Receiving::default();
        self.receiving.place = Place::Discard(Refused { tag, status }, self.bounds().discard);
        self.discard(end);
    }

    /// A further part of a command that was refused. One that announces yet another literal counts like one.
    fn discard_part(&mut self, part: &Part) {
        let Place::Discard(_, left) = &mut self.receiving.place else { return };
        if matches!(part.end, PartEnd::Literal(_)) {
            match left.checked_sub(part.length) {
                Some(rest) => *left = rest,
                None => return self.bye(Some(Code::TooBig), "command too large", Closed::LiteralTooLarge),
            }
        }
        self.discard(part.end);
    }

    /// A part of a command that was refused has ended.
    fn discard(&mut self, end: PartEnd) {
        let Place::Discard(_, left) = &mut self.receiving.place else { return };
        match end {
            PartEnd::Message => self.discarded(),
            PartEnd::Literal(literal) if literal.synchronising => {
                // Its sender waits for `+` or for this. Octets that came all the same may be the literal, or
                // the next command.
                if self.behind {
                    return self.bye(None, "octets of a refused literal", Closed::Ambiguous);
                }
                self.discarded();
            }
            PartEnd::Literal(literal) => match literal.length.filter(|length| length <= left) {
                Some(length) => {
                    *left -= length;
                    self.framer.read_literal(length);
                }
                None => self.bye(Some(Code::TooBig), "literal too large", Closed::LiteralTooLarge),
            },
            PartEnd::Unknown => self.bye(None, "cannot tell a literal from a command", Closed::Ambiguous),
        }
    }

    /// The refused command is at its end.
    fn discarded(&mut self) {
        let Place::Discard(refused, _) = mem::take(&mut self.receiving).place else { return };
        let bad = refused.status.kind == StatusKind::Bad;
        self.respond(&Response::Status { tag: refused.tag, status: refused.status });
        self.await_command();
        if bad {
            self.count_error();
        } else {
            self.errors = 0;
        }
    }

    pub(super) fn deviation(&mut self, kind: DeviationKind, offset: u64, octets: &[u8]) {
        self.events.push_back(Event::Deviation(Deviation::new(kind, offset, octets)));
    }
}

/// BAD with what is wrong.
fn bad(error: &CommandError) -> StatusResponse {
    let mut status = StatusResponse::new(StatusKind::Bad, "");
    status.text = match error.kind {
        CommandErrorKind::Tag => Bytes::from_static(b"no tag"),
        CommandErrorKind::Unknown => Bytes::from_static(b"unknown command"),
        kind => Bytes::from(alloc::format!("{kind}")),
    };
    status
}

/// Whether a string may stand anywhere in a command.
const fn takes_literals(verb: Verb) -> bool {
    !matches!(
        verb,
        Verb::Capability
            | Verb::Noop
            | Verb::Logout
            | Verb::StartTls
            | Verb::Authenticate
            | Verb::Namespace
            | Verb::Idle
            | Verb::Check
            | Verb::Close
            | Verb::Unselect
            | Verb::Expunge
            | Verb::Store
    )
}

const fn state_text(verb: Verb) -> &'static str {
    match verb.entry().states {
        crate::types::States::NotAuthenticated => "already logged in",
        crate::types::States::Selected => "no mailbox is selected",
        _ => "log in first",
    }
}

/// Whether a first line is that of an HTTP request, which would smuggle commands in its body.
fn speaks_http(line: &[u8]) -> bool {
    let word = line.split(|octet| *octet == b' ').next().unwrap_or_default();
    let verbs: [&[u8]; 9] =
        [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"];
    // A tag may look like that too; but no command looks like a path.
    verbs.contains(&word)
        && line
            .get(word.len() + 1..)
            .is_some_and(|rest| rest.starts_with(b"/") || memchr::memmem::find(rest, b"HTTP/").is_some())
}
