//! Reading: octets to lines, lines to commands, commands to those who carry them out. RFC 5321 §2.3.8, §4.1.1, §4.5.3.1;
//! RFC 2920 §3.1.

use bytes::{Bytes, BytesMut};
use mailwright_core::value::DeviationKind;
use mailwright_core::wire::Framed;

use super::{Closed, Event, Phase, Rejected, Server, Timer};
use crate::parse::{CommandError, CommandErrorKind, CommandLine, CommandOptions};
use crate::types::{Command, Reply, Verb};

impl Server {
    /// Whether input is taken, as far as that does not depend on what it is.
    pub(super) fn is_ready(&self) -> bool {
        // Replies that wait will be output too, all at once perhaps.
        let output = self.transmit.len() + self.pending.len() * REPLY;
        let room =
            output < self.config.limits.output.max(1) && self.events.len() < self.config.limits.events.max(1);
        let open = match &self.phase {
            Phase::Command => self.has_room_for_recipients(),
            Phase::Exchange(_) | Phase::Discard(_) => true,
            Phase::Content | Phase::Chunk(_) => !self.held && !self.content_waits,
            _ => false,
        };
        room && open && !self.delayed && !self.closing
    }

    pub(super) fn read(&mut self, input: &mut BytesMut) {
        self.blocked = false;
        if self.greeted_only && !input.is_empty() && !matches!(self.phase, Phase::Closed) {
            self.early_talker(input);
        }
        while self.is_ready() {
            let in_content = matches!(self.phase, Phase::Content | Phase::Chunk(_) | Phase::Discard(_));
            let goes_on = match &self.phase {
                Phase::Content => self.read_content(input),
                Phase::Chunk(_) => self.read_chunk(input),
                Phase::Discard(_) => self.discard(input),
                _ => self.read_line(input),
            };
            if in_content && matches!(self.phase, Phase::Command) {
                self.report_unanswered(input);
            }
            if !goes_on {
                break;
            }
        }
        if matches!(self.phase, Phase::Closed) || self.closing {
            // RFC 5321 §4.1.1.10: nothing behind QUIT is executed, nor behind any last reply.
            input.clear();
        }
        self.behind = !input.is_empty();
        self.unread = self.behind && (self.blocked || !self.is_ready());
        self.report_waiting(input);
    }

    /// Reads one line; `false` if there is none now.
    fn read_line(&mut self, input: &mut BytesMut) -> bool {
        if !self.framer.is_skipping() {
            let begins_wrong = |first: &u8| !first.is_ascii_alphabetic() || begins_with_method(input);
            if !self.spoken && input.first().is_some_and(begins_wrong) {
                self.not_smtp();
                return false;
            }
            // RFC 2920 §3.1: while questions are open, only RCPT can be judged.
            if !self.pending.is_empty() {
                match starts_with_rcpt(input) {
                    Some(true) => {}
                    Some(false) => {
                        self.blocked = true;
                        return false;
                    }
                    None => return false,
                }
            }
            // RFC 4954 §4: the lines of AUTH may be longer than others.
            self.authentication_line = matches!(self.phase, Phase::Exchange(_))
                || input.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"AUTH "));
        }
        let limits = &self.config.limits;
        // RFC 5321 §4.5.3.1.4: no command line below 512 octets is too long.
        let command_line = limits.command_line.max(512);
        let limit = if self.authentication_line {
            limits.authentication_line.max(command_line)
        } else {
            command_line
        };
        match self.framer.next_line(input, limit) {
            Some(Framed::Line { line, bare_lf }) => {
                if bare_lf {
                    self.deviation(DeviationKind::BareLineFeed, line.len(), b"\n");
                }
                self.timers.stop(Timer::Command as usize);
                if !self.pending.is_empty() {
                    self.report_unanswered(&line);
                }
                self.early_reported = false;
                self.line(&line, input);
                true
            }
            Some(Framed::Overlong { .. }) => {
                self.timers.stop(Timer::Command as usize);
                self.overlong();
                true
            }
            None => false,
        }
    }

    /// A line; `behind` is what stands behind it.
    fn line(&mut self, line: &Bytes, behind: &[u8]) {
        if matches!(self.phase, Phase::Exchange(_)) {
            return self.response(line, behind);
        }
        let first = !core::mem::replace(&mut self.spoken, true);
        if first && speaks_http(line) {
            return self.not_smtp();
        }
        let read = match CommandLine::read(line) {
            Ok(read) => read,
            Err(error) => {
                self.report_group(None, behind);
                let gate = if error.kind == CommandErrorKind::Unknown { self.gate(None) } else { None };
                let reply = gate.unwrap_or_else(|| error.reply());
                return self.reject(reply, error.verb, Some(error));
            }
        };
        let verb = read.verb();
        if verb == Verb::Bdat {
            self.bdat(&read);
            // An empty chunk is over already, unless the host is asked about it.
            if matches!(self.phase, Phase::Command) && self.open_questions() == 0 {
                self.report_unanswered(behind);
            }
            return;
        }
        self.report_group(Some(&read), behind);
        if verb.entry().idle && self.idle_command(verb) {
            return;
        }
        if let Some(reply) = self.gate(Some(verb)).or_else(|| self.state(verb)) {
            return self.refuse_state(verb, reply, behind);
        }
        let parsed = match read.parse(&self.command_options()) {
            Ok(parsed) => parsed,
            Err(error) => {
                let reply = error.reply();
                if verb == Verb::Data {
                    return self.refuse_data(reply, Some(error), behind);
                }
                return self.reject(reply, Some(verb), Some(error));
            }
        };
        for deviation in parsed.deviations {
            self.events.push_back(Event::Deviation(deviation));
        }
        self.command(parsed.command, line.len(), behind);
    }

    fn command(&mut self, command: Command, length: usize, behind: &[u8]) {
        match command {
            Command::Ehlo(name) | Command::Lhlo(name) => self.hello(name, true),
            Command::Helo(name) => self.hello(name, false),
            Command::Mail { path, route, parameters } => self.mail(path, route, parameters),
            Command::Rcpt { path, route, parameters } => self.rcpt(path, route, parameters, length),
            Command::Data => self.data(behind),
            Command::Rset => self.rset(),
            Command::Noop => self.reply(Reply::OK),
            Command::Vrfy { query, smtp_utf8 } => self.vrfy(query, smtp_utf8),
            Command::Expn { query, smtp_utf8 } => self.expn(query, smtp_utf8),
            Command::Help(topic) => self.help(topic),
            Command::StartTls => self.start_tls(behind),
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial.as_ref()),
            Command::Quit => self.last_reply(Reply::CLOSING, Closed::Quit),
            Command::Other(verb @ (Verb::Etrn | Verb::Atrn), argument) => self.queue_run(verb, argument),
            // Refused by their state before.
            Command::Bdat { .. } | Command::Other(..) => self.reply(Reply::NOT_IMPLEMENTED),
        }
    }

    /// What is read now, and what is forgiven.
    pub(super) fn command_options(&self) -> CommandOptions {
        let (config, tolerance) = (&self.config, &self.config.tolerance);
        let mut options = CommandOptions::default();
        options.address = config.address;
        options.space_after_colon = tolerance.space_after_colon;
        options.missing_brackets = tolerance.missing_brackets;
        // RFC 5321 §3.2: after HELO no extension is in force.
        options.size = self.extended;
        options.eight_bit_mime = false;
        if self.extended {
            options.eight_bit_mime = config.eight_bit_mime();
            options.binary_mime = config.binary_mime();
            options.smtp_utf8 = config.smtp_utf8;
            options.utf8_recipients =
                self.transaction.as_ref().is_some_and(|transaction| transaction.smtp_utf8);
            options.require_tls = config.requiretls;
            options.dsn = config.dsn;
            options.auth = self.takes_authentication();
            options.deliver_by = config.promises.deliver_by.is_some();
            options.future_release = config.future_release().is_some();
            options.mt_priority = config.promises.mt_priority.is_some();
            options.rrvs = config.promises.rrvs;
            options.message_tracking = config.promises.message_tracking;
            options.ignore_unknown_parameters = tolerance.unknown_parameters;
        }
        options
    }

    fn overlong(&mut self) {
        self.spoken = true;
        self.overlong_lines = self.overlong_lines.saturating_add(1);
        let error = CommandError::overlong();
        let authentication = core::mem::take(&mut self.authentication_line);
        if matches!(self.phase, Phase::Exchange(_)) {
            self.phase = Phase::Command;
        }
        if self.overlong_lines > self.config.limits.overlong_lines {
            self.events.push_back(Event::Rejected(Rejected {
                verb: None,
                reply: Reply::TOO_MANY_ERRORS,
                error: Some(error),
            }));
            return self.last_reply(Reply::TOO_MANY_ERRORS, Closed::TooManyOverlongLines);
        }
        // RFC 4954 §4: 500 5.5.6 to a line of AUTH above the limit.
        let reply = if authentication { Reply::AUTHENTICATION_LINE_TOO_LONG } else { Reply::LINE_TOO_LONG };
        self.reject(reply, None, Some(error));
    }
}

/// Octets that a reply has, as a rule.
const REPLY: usize = 64;

/// Whether a line is RCPT; `None` if that cannot be told yet.
fn starts_with_rcpt(input: &[u8]) -> Option<bool> {
    let front = input.get(..5).unwrap_or(input);
    let rcpt = b"RCPT ".get(..front.len()).unwrap_or_default();
    match front.eq_ignore_ascii_case(rcpt) {
        true if front.len() < 5 => None,
        fits => Some(fits),
    }
}

/// The methods of RFC 9110, of PATCH and WebDAV, and the preface of HTTP/2.
const METHODS: [&[u8]; 20] = [
    b"GET",
    b"HEAD",
    b"POST",
    b"PUT",
    b"DELETE",
    b"CONNECT",
    b"OPTIONS",
    b"TRACE",
    b"PATCH",
    b"PRI",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"SEARCH",
    b"REPORT",
    b"QUERY",
];

fn is_method(word: &[u8]) -> bool {
    METHODS.iter().any(|method| word.eq_ignore_ascii_case(method))
}

/// Whether the front of the first line is a method and a space: the rest of the line makes no difference, however long.
fn begins_with_method(input: &[u8]) -> bool {
    let front = input.get(..10).unwrap_or(input);
    front.iter().position(|&octet| octet == b' ').is_some_and(|at| front.get(..at).is_some_and(is_method))
}

/// Whether the first line is a request of HTTP: somebody makes a browser send mail.
fn speaks_http(line: &[u8]) -> bool {
    let mut words = line.trim_ascii_end().split(|&octet| octet == b' ');
    let first = words.next().unwrap_or_default();
    let versioned = |word: &[u8]| word.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"HTTP/"));
    // A method that is none of those has a version at the end of its line.
    is_method(first) || Verb::find(first).is_none() && words.next_back().is_some_and(versioned)
}
