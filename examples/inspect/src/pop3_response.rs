//! `pop3-response`: the lines of a server as a client reads them. RFC 1939 §3, RFC 2449 §3, RFC 5034 §4.
//!
//! What a line behind `+OK` is, only the command tells. Without it, lines that are no status line belong to
//! the reply, up to a dot.

use bytes::Bytes;
use mailwright_core::value::{Deviation, DeviationKind};
use mailwright_pop3::parse::{self, Accept, Entry, EntryError};
use mailwright_pop3::types::{Reply, Status};
use serde_json::{Map, Value, json};

use crate::item::Fault;
use crate::json;
use crate::line::LineParser;

/// Reads the lines of a server.
#[derive(Debug)]
pub(crate) struct Responses {
    accept: Accept,
    place: Place,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A status line or a challenge.
    Status,
    /// The same, or the lines of the reply that has begun.
    BehindOk,
    /// Lines up to a dot.
    Lines,
}

impl Responses {
    pub(crate) fn new(strict: bool) -> Self {
        Self { accept: Accept { codes: true, any_case: !strict }, place: Place::Status }
    }

    /// A line of a reply that has several.
    fn line(&mut self, line: &Bytes) -> Value {
        self.place = Place::Lines;
        // RFC 1939 §3: a dot alone ends the lines; any other dot in front was added.
        if line.as_ref() == b"." {
            self.place = Place::Status;
            return json!({ "type": "end" });
        }
        let line = line.strip_prefix(b".").unwrap_or(line);
        json!({ "type": "line", "text": json::text(line), "as": meanings(line, false) })
    }
}

impl LineParser for Responses {
    fn parse(&mut self, line: &Bytes, deviations: &mut Vec<Deviation>) -> Result<Value, Fault> {
        // Only where an LF does not end the line can it stand in it.
        if let Some(at) = line.iter().position(|&octet| octet == b'\n') {
            return Err(Fault::new("bare LF", line, at));
        }
        if self.place == Place::Lines {
            return Ok(self.line(line));
        }
        if let Some(challenge) = parse::challenge(line) {
            self.place = Place::Status;
            return Ok(json!({ "type": "challenge", "base64": json::text(challenge) }));
        }
        match parse::status_line(line, self.accept) {
            Ok(reply) => {
                let word = line.get(..if reply.is_ok() { 3 } else { 4 }).unwrap_or_default();
                if word.iter().any(u8::is_ascii_lowercase) {
                    deviations.push(Deviation::new(DeviationKind::KeywordCase, 0, word));
                }
                self.place = if reply.is_ok() { Place::BehindOk } else { Place::Status };
                Ok(status(&reply))
            }
            Err(_) if self.place == Place::BehindOk => Ok(self.line(line)),
            Err(error) => Err(Fault::new(error, line, 0)),
        }
    }

    fn unfinished(&self) -> Option<&'static str> {
        (self.place == Place::Lines).then_some("the input ends inside a reply of several lines")
    }
}

fn status(reply: &Reply) -> Value {
    let status = match reply.status {
        Status::Ok => "ok",
        Status::Err => "err",
    };
    let meanings = if reply.is_ok() { meanings(reply.text.as_bytes(), true) } else { json!({}) };
    json!({
        "type": "status",
        "status": status,
        "code": reply.code.as_ref().map(|code| json::text(code.as_bytes())),
        "text": json::text(reply.text.as_bytes()),
        "as": meanings,
    })
}

/// What `text` says as a reply to STAT, LIST and UIDL, as far as it can be one.
fn meanings(text: &[u8], in_status: bool) -> Value {
    let mut meanings = Map::new();
    let mut notes = Vec::new();
    if in_status {
        let numbers = parse::two_numbers(text, &mut |deviation| notes.push(deviation));
        let value = numbers.map(|(messages, octets)| json!({ "messages": messages, "octets": octets }));
        add(&mut meanings, "STAT", value, &mut notes);
    }
    let size = parse::listing_size(text, &mut |deviation| notes.push(deviation));
    add(&mut meanings, "LIST", size.map(entry), &mut notes);
    let id = parse::listing_id(text, &mut |deviation| notes.push(deviation));
    add(&mut meanings, "UIDL", id.map(entry), &mut notes);
    meanings.into()
}

/// Adds a meaning, if it is one, with what was tolerated to see it.
fn add(
    meanings: &mut Map<String, Value>,
    command: &str,
    meaning: Result<Value, EntryError>,
    notes: &mut Vec<Deviation>,
) {
    let deviations: Vec<_> = notes.drain(..).map(|deviation| deviation.kind.to_string()).collect();
    if let Ok(mut value) = meaning {
        if let Some(object) = value.as_object_mut() {
            object.insert("deviations".to_owned(), json!(deviations));
        }
        meanings.insert(command.to_owned(), value);
    }
}

fn entry(entry: Entry) -> Value {
    match entry {
        Entry::Size { number, octets } => json!({ "number": number.get(), "octets": octets }),
        Entry::Id { number, id } => json!({ "number": number.get(), "id": id.as_str() }),
        Entry::RawId { number, id } => json!({ "number": number.get(), "id": json::text(id.as_bytes()) }),
        _ => json!({}),
    }
}
