//! Status lines: RFC 1939 §3, RFC 2449 §8. What a reply is, the command at the front decides.

use alloc::boxed::Box;

use bytes::Bytes;
use mailwright_core::value::Deviation;

use super::event::Value;
use super::listing::Listing;
use super::{Client, Closed, Event, InFlight, Kind, Phase, QuitOutcome};
use crate::parse::{
    Accept, Entry, EntryError, ReplyError, challenge, listing_id, listing_size, status_line, two_numbers,
};
use crate::types::{Capability, Reply};

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
        if matches!(self.phase, Phase::Greeting) {
            return self.greeted(reply);
        }
        let Some(&InFlight { id, kind }) = self.in_flight.front() else { return };
        if kind == Kind::Auth && reply.is_ok() && self.ok_as_challenge() {
            return;
        }
        let multiline = reply.is_ok() && matches!(kind, Kind::Sizes | Kind::Ids | Kind::Capa | Kind::Content);
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
            (_, Value::Quit(outcome)) => self.close(Closed::Quit(outcome)),
            _ => {}
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
        self.events.push(Event::Greeting(reply.clone()));
        if !reply.is_ok() {
            self.close(Closed::Refused(reply));
        }
    }
}

/// A line of a listing as the text of `+OK`.
fn entry(entry: Result<Entry, EntryError>) -> Value {
    entry.map_or_else(Value::Unreadable, Value::Entry)
}
