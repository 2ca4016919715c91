//! `smtp-reply`: replies as a client reads them, of one line or several. RFC 5321 §4.2.

use bytes::{Buf as _, BytesMut};
use mailwright_core::value::Excerpt;
use mailwright_smtp::parse::{ReplyLimits, ReplyReader};
use mailwright_smtp::types::{Reply, Severity};
use serde_json::{Value, json};

use crate::item::{Fault, Item, Reader};
use crate::json;

/// Reads replies. A bad one ends with the line that is wrong, and the next begins behind it.
#[derive(Debug)]
pub(crate) struct Replies {
    reader: ReplyReader,
    /// Octets of the item that were taken.
    taken: u64,
    /// What is wrong with the item, while the end of its line is still to come.
    fault: Option<Fault>,
}

impl Default for Replies {
    fn default() -> Self {
        Self { reader: ReplyReader::new(ReplyLimits::default()), taken: 0, fault: None }
    }
}

impl Replies {
    fn item(&mut self, result: Result<Value, Fault>) -> Item {
        let consumed = core::mem::take(&mut self.taken);
        Item { consumed, result, deviations: Vec::new() }
    }

    /// Passes what is left of a bad line.
    fn skip(&mut self, input: &mut BytesMut) -> Option<Item> {
        let end = input.iter().position(|&octet| octet == b'\n');
        let count = end.map_or(input.len(), |at| at + 1);
        input.advance(count);
        self.taken += count as u64;
        end?;
        let fault = self.fault.take()?;
        Some(self.item(Err(fault)))
    }
}

impl Reader for Replies {
    fn next(&mut self, input: &mut BytesMut) -> Option<Item> {
        if self.fault.is_none() {
            let before = input.len();
            let read = self.reader.next_reply(input);
            self.taken += (before - input.len()) as u64;
            match read {
                Ok(reply) => return reply.map(|reply| self.item(Ok(value(&reply)))),
                Err(error) => {
                    let offset = self.taken + error.offset as u64;
                    self.fault =
                        Some(Fault { offset, message: error.kind.to_string(), bytes: error.excerpt });
                    // After an error a reader is of no further use.
                    self.reader = ReplyReader::new(ReplyLimits::default());
                }
            }
        }
        self.skip(input)
    }

    fn end(&mut self, input: &[u8], rest: u64) -> Option<Item> {
        if rest == 0 {
            return None;
        }
        let unfinished = || Fault {
            offset: rest,
            message: "the input ends inside a reply".to_owned(),
            bytes: Excerpt::new(input),
        };
        let fault = self.fault.take().unwrap_or_else(unfinished);
        self.taken = rest;
        Some(self.item(Err(fault)))
    }
}

fn value(reply: &Reply) -> Value {
    let severity = match reply.severity() {
        Severity::Positive => "positive",
        Severity::Intermediate => "intermediate",
        Severity::Transient => "transient",
        Severity::Permanent => "permanent",
    };
    json!({
        "code": reply.code().get(),
        "severity": severity,
        "enhanced": reply.enhanced().map(|enhanced| enhanced.to_string()),
        "lines": reply.lines().map(json::text).collect::<Vec<_>>(),
    })
}
