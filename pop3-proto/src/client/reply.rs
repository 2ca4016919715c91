//! Status lines: RFC 1939 §3, RFC 2449 §8. What a reply is, the command at the front decides.

use alloc::boxed::Box;

use bytes::Bytes;
use mailwright_core::value::{Deviation, DeviationKind};

use super::event::Value;
use super::listing::Listing;
use super::{Client, Closed, Event, InFlight, Kind, Phase, QuitOutcome};
use crate::parse::{
    Accept, Entry, EntryError, ReplyError, challenge, listing_id, listing_language, listing_size,
    status_line, two_numbers,
};
use crate::types::{Capability, Reply};

/// RFC 2449 §4: a first line has 512 octets at most.
const LONGEST_LINE: usize = 512;

impl Client {
    /// A line where a status line is due; `more` octets stand behind it.
    pub(super) fn status(&mut self, line: &Bytes, more: bool) {
        if self.exchange.is_some() {
            if let Some(text) = challenge(line) {
                return self.challenged(text);
            }
        }
        let announced = self.capabilities.as_ref().is_some_and(|known| known.has(&Capability::RespCodes));
        let tolerance = &self.config.tolerance;
        let accept =
            Accept { codes: announced || tolerance.lenient_codes, any_case: tolerance.any_case_status };
        let reply = match status_line(line, accept) {
            Ok(reply) => reply,
            // Framing is lost: nobody knows which command the next line answers.
            Err(error) => return self.close(Closed::BadReply(error)),
        };
        self.report_status(line, &reply, announced);
        if matches!(self.phase, Phase::Greeting) {
            return self.greeted(reply);
        }
        let Some(&InFlight { id, kind }) = self.in_flight.front() else { return };
        if kind == Kind::Auth && reply.is_ok() && self.ok_as_challenge() {
            return self.report()(Deviation::new(DeviationKind::MissingChallenge, 0, line));
        }
        let several = matches!(kind, Kind::Sizes | Kind::Ids | Kind::Capa | Kind::Content | Kind::Languages);
        let multiline = reply.is_ok() && several;
        if !multiline {
            self.in_flight.pop_front();
        }
        let value = match kind {
            Kind::Auth => match self.exchange_over(reply.is_ok()) {
                Ok(value) => value,
                Err(error) => return self.close(Closed::NotProven(error)),
            },
            Kind::Quit => {
                Value::Quit(if reply.is_ok() { QuitOutcome::Committed } else { QuitOutcome::Failed })
            }
            _ if !reply.is_ok() => Value::None,
            _ if multiline => Value::Multiline,
            Kind::Stat => match two_numbers(reply.text.as_bytes(), &mut self.report()) {
                Ok((messages, octets)) => Value::Stat { messages, octets },
                Err(error) => Value::Unreadable(error),
            },
            Kind::OneSize => entry(listing_size(reply.text.as_bytes(), &mut self.report())),
            Kind::OneId => entry(listing_id(reply.text.as_bytes(), &mut self.report())),
            Kind::Language => entry(listing_language(reply.text.as_bytes())),
            _ => Value::None,
        };
        let ok = reply.is_ok();
        self.events.push(Event::Reply { id, reply, value: value.clone() });
        match (kind, value) {
            (Kind::Content, Value::Multiline) => {
                self.phase = Phase::Content(Box::new(self.content_decoder()))
            }
            (_, Value::Multiline) => self.phase = Phase::Listing(Listing::new(id, kind)),
            (Kind::Stls, _) if ok => self.agreed_on_tls(more),
            (Kind::Utf8, _) if ok => self.utf8 = true,
            (_, Value::Quit(outcome)) => self.close(Closed::Quit(outcome)),
            _ => {}
        }
    }

    /// Reports what was tolerated in a status line.
    fn report_status(&mut self, line: &Bytes, reply: &Reply, announced: bool) {
        let word = line.split(|&octet| octet == b' ').next().unwrap_or_default();
        if word.iter().any(u8::is_ascii_lowercase) {
            self.report()(Deviation::new(DeviationKind::KeywordCase, 0, word));
        }
        if let (Some(code), false) = (&reply.code, announced) {
            let deviation =
                Deviation::new(DeviationKind::UnannouncedCode, word.len() as u64 + 1, code.as_bytes());
            self.report()(deviation);
        }
        if line.len() + 2 > LONGEST_LINE {
            let end = line.get(LONGEST_LINE..).unwrap_or_default();
            self.report()(Deviation::new(DeviationKind::LongLine, LONGEST_LINE as u64, end));
        }
    }

    /// Reports deviations as events.
    pub(super) fn report(&mut self) -> impl FnMut(Deviation) + '_ {
        |deviation| self.events.push(Event::Deviation(deviation))
    }

    pub(super) fn overlong_status(&mut self, octets: u64) {
        self.close(Closed::BadReply(ReplyError::Overlong { octets }));
    }

    fn greeted(&mut self, reply: Reply) {
        self.phase = Phase::Replies;
        #[cfg(feature = "legacy-md5")]
        {
            self.timestamp = crate::apop::timestamp(reply.text.as_bytes()).map(Into::into);
        }
        self.events.push(Event::Greeting(reply.clone()));
        if !reply.is_ok() {
            self.close(Closed::Refused(reply));
        }
    }
}

/// A line of a listing as the text of `+OK`.
fn entry(entry: Result<Entry, EntryError>) -> Value {
    entry.map_or_else(Value::Unreadable, |entry| Value::Entry(Box::new(entry)))
}
