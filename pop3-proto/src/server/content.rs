//! RETR and TOP (RFC 1939 §5, §7): the host pushes a message, the session normalises its line ends,
//! doubles its dots, counts the lines of TOP, and never holds more than the output limit.

use mailwright_core::value::{Misuse, Refused};
use mailwright_core::wire::{BareLineEnd, DotEncoder};

use super::event::{Part, Unavailable};
use super::question::RetrieveToken;
use super::{Closed, Event, Intake, Phase, Phrase, Server};
use crate::types::{MessageNumber, ResponseCode};

/// A message that is being sent.
pub(super) struct Content {
    number: MessageNumber,
    part: Part,
    encoder: DotEncoder,
    /// What of the lines of TOP was seen; also for RETR, which wants all of them.
    lines: TopLines,
    /// Whether `+OK` was written.
    begun: bool,
    /// Whether the host waits for room.
    waits: bool,
}

/// Room that is not worth waking the host for, and more than a first line needs.
const LEAST_ROOM: usize = 256;

impl Server {
    pub(super) fn retrieve(&mut self, number: MessageNumber, part: Part) {
        if !self.has(number) {
            return self.no_such_message();
        }
        if self.is_withheld(number) {
            return self.err(Some(&ResponseCode::Utf8), Phrase::NeedsUtf8);
        }
        let content = Content {
            number,
            part,
            // RFC 1939 §3: lines end in CR LF, so a bare LF becomes one. A bare CR is content.
            encoder: DotEncoder::new(BareLineEnd::Pass, BareLineEnd::Normalise),
            lines: TopLines::new(part),
            begun: false,
            waits: false,
        };
        self.ask(Phase::Content(content), |ticket| Event::Retrieve {
            token: RetrieveToken(ticket),
            number,
            part,
        });
    }

    /// Sends `chunk` as the next octets of the message, as they are stored. The session takes what it
    /// has room for.
    ///
    /// # Errors
    /// [`Misuse::NotOpen`] if the message is no longer asked for: the session closed, the message was
    /// finished, or the token is another session's.
    pub fn content(&mut self, token: &RetrieveToken, chunk: &[u8]) -> Result<Intake, Misuse> {
        if !self.is_sending(token) {
            return Err(Misuse::NotOpen);
        }
        self.begin_content();
        let room = if self.may_write_ahead() { self.high_water() - self.transmit.len() } else { 0 };
        if room < LEAST_ROOM {
            if let Phase::Content(content) = &mut self.phase {
                content.waits = !chunk.is_empty();
            }
            self.settle();
            return Ok(Intake::Taken(0));
        }
        let Phase::Content(content) = &mut self.phase else { return Err(Misuse::NotOpen) };
        // An octet becomes two at most; the terminator and a CR that was held have room as well.
        let most = (room - 8) / 2;
        let fitting = chunk.get(..most).unwrap_or(chunk);
        let (taken, enough) = match content.lines.end_in(fitting) {
            Some(end) => (end, true),
            None => (fitting.len(), false),
        };
        content.waits = !enough && taken < chunk.len();
        let wire = self.transmit.buffer();
        let before = wire.len();
        wire.reserve(room);
        // With these policies the encoder refuses nothing.
        let _ = content.encoder.encode(chunk.get(..taken).unwrap_or_default(), wire);
        self.queued += (wire.len() - before) as u64;
        if enough {
            self.end_content();
        }
        self.settle();
        Ok(if enough { Intake::Enough } else { Intake::Taken(taken) })
    }

    /// Ends the message: all of it was sent.
    ///
    /// # Errors
    /// The token comes back if the message is no longer asked for.
    pub fn finish(&mut self, token: RetrieveToken) -> Result<(), Refused<RetrieveToken>> {
        if !self.is_sending(&token) {
            return Err(Refused::new(token, Misuse::NotOpen));
        }
        self.begin_content();
        self.end_content();
        self.settle();
        Ok(())
    }

    /// Says that the message cannot be sent. Before the first [`Self::content`] the client gets `-ERR`
    /// and the session goes on; later nothing is left but to close without the terminator, so that the
    /// client sees that the message is not complete.
    ///
    /// # Errors
    /// The token comes back if the message is no longer asked for.
    pub fn unavailable(
        &mut self,
        token: RetrieveToken,
        why: Unavailable,
    ) -> Result<(), Refused<RetrieveToken>> {
        if !self.is_sending(&token) {
            return Err(Refused::new(token, Misuse::NotOpen));
        }
        if matches!(&self.phase, Phase::Content(content) if content.begun) {
            self.close(Closed::ContentFailed);
            return Ok(());
        }
        self.phase = Phase::Command;
        self.await_command();
        match why {
            Unavailable::Temporary => self.err(Some(&ResponseCode::SysTemp), Phrase::CannotReadNow),
            Unavailable::Vanished => {
                self.err(Some(&ResponseCode::SysPerm), Phrase::Gone);
                self.missing += 1;
                if self.missing >= self.config.limits.missing {
                    self.close(Closed::TooManyMissing);
                }
            }
        }
        self.settle();
        Ok(())
    }

    fn is_sending(&self, token: &RetrieveToken) -> bool {
        self.is_latest(&token.0) && matches!(self.phase, Phase::Content(_))
    }

    /// Writes the first line, once.
    fn begin_content(&mut self) {
        let Phase::Content(content) = &mut self.phase else { return };
        if core::mem::replace(&mut content.begun, true) {
            return;
        }
        let (number, part) = (content.number, content.part);
        match (part, &self.snapshot) {
            (Part::Whole, Some(snapshot)) => {
                let octets = snapshot.size(number);
                self.ok(Phrase::Message { octets });
            }
            _ => self.ok(Phrase::Top),
        }
    }

    /// Writes the terminator.
    fn end_content(&mut self) {
        let Phase::Content(mut content) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        // RFC 1939 §3: CR LF, a dot, CR LF; the first CR LF is added if the message has none at its end.
        self.write(|wire| {
            let _ = content.encoder.finish(wire);
        });
        self.await_command();
    }

    /// Wakes the host once there is room again.
    pub(super) fn ask_for_content(&mut self) {
        let roomy = self.may_write_ahead();
        let Phase::Content(content) = &mut self.phase else { return };
        if roomy && core::mem::take(&mut content.waits) {
            self.events.push(Event::Room);
        }
    }
}

/// Finds the end of what TOP sends: RFC 1939 §7, the header, the empty line, and a number of lines.
struct TopLines {
    /// Lines of the body still wanted; `None` for all of them.
    wanted: Option<u64>,
    in_body: bool,
    line: Line,
}

/// What the current line holds so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Nothing,
    /// A CR, which belongs to the line end if an LF is next.
    Cr,
    Octets,
}

impl TopLines {
    const fn new(part: Part) -> Self {
        let wanted = match part {
            Part::Whole => None,
            Part::Top(lines) => Some(lines),
        };
        Self { wanted, in_body: false, line: Line::Nothing }
    }

    /// How many octets of `chunk` belong to it, if the end is in there. Lines end as they do on the wire:
    /// at CR LF, and at a bare LF, which is made one.
    fn end_in(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut wanted = self.wanted?;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', chunk) {
            self.line = self.line.with(chunk.get(start..end).unwrap_or_default());
            start = end + 1;
            let empty = core::mem::replace(&mut self.line, Line::Nothing) != Line::Octets;
            if self.in_body {
                wanted = wanted.saturating_sub(1);
            } else if empty {
                self.in_body = true;
            }
            self.wanted = Some(wanted);
            if self.in_body && wanted == 0 {
                return Some(start);
            }
        }
        self.line = self.line.with(chunk.get(start..).unwrap_or_default());
        None
    }
}

impl Line {
    const fn with(self, octets: &[u8]) -> Self {
        match (self, octets) {
            (line, []) => line,
            (Self::Nothing, [b'\r']) => Self::Cr,
            _ => Self::Octets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What TOP with `lines` sends of `message`, cut into pieces of `size`.
    fn top(message: &[u8], lines: u64, size: usize) -> usize {
        let mut counter = TopLines::new(Part::Top(lines));
        let mut taken = 0;
        for chunk in message.chunks(size) {
            if let Some(end) = counter.end_in(chunk) {
                return taken + end;
            }
            taken += chunk.len();
        }
        taken
    }

    #[test]
    fn top_ends_behind_the_header_the_empty_line_and_the_lines_wherever_it_is_cut() {
        let message = b"A: b\r\nC: d\r\n\r\none\r\n\r\nthree\r\n";
        for size in 1..=message.len() {
            assert_eq!(top(message, 0, size), 14);
            assert_eq!(top(message, 1, size), 19);
            assert_eq!(top(message, 2, size), 21);
            assert_eq!(top(message, 3, size), message.len());
            assert_eq!(top(message, u64::MAX, size), message.len());
        }
    }

    #[test]
    fn a_bare_lf_ends_a_line_and_a_bare_cr_is_part_of_one() {
        for size in 1..12 {
            assert_eq!(top(b"A: b\n\none\ntwo\n", 1, size), 10);
            assert_eq!(top(b"A: b\n\r\r\n\r\none\n", 0, size), 10);
            assert_eq!(top(b"\n\nbody", 0, size), 1);
        }
    }

    #[test]
    fn a_message_without_empty_line_is_header_only() {
        assert_eq!(top(b"A: b\r\nC: d\r\n", 0, 100), 12);
        assert_eq!(top(b"", 0, 100), 0);
    }
}
