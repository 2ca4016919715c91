//! [`Commands`]: commands with their literals. Of messages only the number of octets is kept.

use bytes::{Bytes, BytesMut};
use mailwright_core::value::{Deviation, DeviationKind, Excerpt};
use mailwright_imap::parse::{
    AppendEvent, AppendReader, CommandError, CommandInput, CommandLimits, LiteralUse,
};
use mailwright_imap::types::Verb;
use mailwright_imap::wire::{Announcement, Frame, Framer, Part, PartEnd};
use serde_json::{Value, json};

use super::arguments;
use crate::item::{Fault, Item, Reader};

/// Octets of a line part, and of a literal that is an argument.
const LIMIT: usize = 1 << 20;

/// Reads commands.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    framer: Framer,
    input: CommandInput,
    /// For a command with messages, and what it has of them.
    append: Option<Box<AppendReader>>,
    messages: Vec<Value>,
    /// What is known of the command before its end.
    shown: Option<Value>,
    literal: BytesMut,
    /// The literal that is read, unless it is thrown away.
    used: Option<Used>,
    /// Octets that the item takes.
    taken: u64,
    /// Where line parts and literals begin: in what the parser counts, and in the item.
    starts: Vec<(u64, u64)>,
    /// Octets that the parser counts.
    counted: u64,
    deviations: Vec<Deviation>,
    fault: Option<Fault>,
}

/// What a literal is for.
#[derive(Clone, Copy, Debug)]
enum Used {
    Argument { binary: bool },
    Message { octets: u64 },
}

impl Commands {
    fn part(&mut self, part: Part) -> Option<Item> {
        let before = self.taken - part.length;
        self.starts.push((self.counted, before));
        self.counted += part.octets.len() as u64;
        if part.bare_line_feed {
            self.deviations.push(Deviation::new(DeviationKind::BareLineFeed, self.taken - 1, b"\n"));
        }
        if let Some(fault) = part.fault {
            self.fail(Fault {
                offset: before,
                message: fault.to_string(),
                bytes: Excerpt::new(if has_secrets(&part.octets) { b"" } else { &part.octets }),
            });
        }
        let literal = match part.end {
            PartEnd::Literal(literal) => Some(literal),
            PartEnd::Message | PartEnd::Unknown => None,
        };
        if self.fault.is_none() {
            self.read(part.octets, literal);
        }
        match literal {
            Some(literal) => self.announced(literal, before),
            None => return Some(self.end()),
        }
        None
    }

    /// Reads a line part as far as it can be read now.
    fn read(&mut self, octets: Bytes, literal: Option<Announcement>) {
        let first = self.input.is_empty() && self.append.is_none();
        if self.append.is_none() {
            self.input.push_part(octets.clone());
        }
        if first && matches!(self.input.head(), Ok((_, Verb::Append | Verb::Replace, _))) {
            self.append = Some(Box::new(AppendReader::new(CommandLimits::default())));
        }
        let Some(mut reader) = self.append.take() else {
            self.used = literal.map(|literal| Used::Argument { binary: literal.binary });
            return;
        };
        match reader.part(octets, literal) {
            Ok(used) => {
                while let Some(event) = reader.next_event() {
                    self.event(&event);
                }
                self.used = used.map(|used| match used {
                    LiteralUse::Argument => Used::Argument { binary: false },
                    LiteralUse::Content => Used::Message { octets: 0 },
                });
            }
            Err(error) => self.error(&error),
        }
        self.append = Some(reader);
    }

    fn event(&mut self, event: &AppendEvent) {
        match event {
            AppendEvent::Command(command) => self.shown = Some(arguments::command(command)),
            AppendEvent::Message(message) => self.messages.push(arguments::message(message)),
            AppendEvent::Deviation(deviation) => {
                self.deviations.push(placed(deviation.clone(), &self.starts));
            }
            AppendEvent::Url(url) => self.messages.push(json!({ "url": crate::json::text(url.as_bytes()) })),
            _ => {}
        }
    }

    fn announced(&mut self, literal: Announcement, before: u64) {
        if literal.leading_zeros {
            self.deviations.push(Deviation::new(DeviationKind::LeadingZero, before, b""));
        }
        let Some(length) = literal.length else {
            return self.fail(Fault {
                offset: before,
                message: "a literal of impossible length".to_owned(),
                bytes: Excerpt::new(b""),
            });
        };
        if matches!(self.used, Some(Used::Argument { .. })) && length > LIMIT as u64 {
            self.fail(Fault {
                offset: before,
                message: "literal too long".to_owned(),
                bytes: Excerpt::new(b""),
            });
        }
        self.starts.push((self.counted, self.taken));
        self.counted += length;
        self.framer.read_literal(length);
    }

    fn literal_end(&mut self) {
        match self.used.take() {
            Some(Used::Message { octets }) => self.messages.push(json!({ "octets": octets })),
            Some(Used::Argument { binary }) => {
                let literal = self.literal.split().freeze();
                match &mut self.append {
                    Some(reader) => reader.argument(literal),
                    None if binary => self.input.push_binary_literal(literal),
                    None => self.input.push_literal(literal),
                }
            }
            None => {}
        }
    }

    fn error(&mut self, error: &CommandError) {
        let fault = fault(error, &self.starts);
        self.fail(fault);
    }

    /// Keeps what is wrong first; the rest of the command is passed over.
    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
        self.used = None;
        self.literal.clear();
    }

    /// The command is at its end.
    fn end(&mut self) -> Item {
        let done = core::mem::take(self);
        self.framer = done.framer;
        let mut deviations = done.deviations;
        let result = match (done.fault, done.shown) {
            (Some(fault), _) => Err(fault),
            (None, Some(Value::Object(mut shown))) => {
                if let Ok((tag, ..)) = done.input.head() {
                    shown.insert("tag".to_owned(), json!(tag.as_str()));
                }
                shown.insert("content".to_owned(), Value::Array(done.messages));
                Ok(Value::Object(shown))
            }
            (None, _) => match done.input.parse(&CommandLimits::default()) {
                Ok(parsed) => {
                    deviations.extend(parsed.deviations.into_iter().map(|found| placed(found, &done.starts)));
                    let mut shown = arguments::command(&parsed.command);
                    if let Some(object) = shown.as_object_mut() {
                        object.insert("tag".to_owned(), json!(parsed.tag.as_str()));
                    }
                    Ok(shown)
                }
                Err(error) => Err(fault(&error, &done.starts)),
            },
        };
        deviations.sort_by_key(|deviation| deviation.offset);
        Item { consumed: done.taken, result, deviations }
    }
}

/// Whether what stands behind the name of a command that cannot be read is never shown.
fn has_secrets(line: &[u8]) -> bool {
    let mut words = line.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
    let name = words.nth(1).unwrap_or_default();
    name.eq_ignore_ascii_case(b"LOGIN") || name.eq_ignore_ascii_case(b"AUTHENTICATE")
}

/// Where in the item: the parser does not count what announces a literal.
fn place(offset: u64, starts: &[(u64, u64)]) -> u64 {
    let start = starts.iter().rev().find(|(counted, _)| *counted <= offset);
    start.map_or(offset, |(counted, start)| start + (offset - counted))
}

fn placed(mut deviation: Deviation, starts: &[(u64, u64)]) -> Deviation {
    deviation.offset = place(deviation.offset, starts);
    deviation
}

fn fault(error: &CommandError, starts: &[(u64, u64)]) -> Fault {
    let offset = place(error.offset, starts);
    Fault { offset, message: error.kind.to_string(), bytes: error.near.clone() }
}

impl Reader for Commands {
    fn next(&mut self, input: &mut BytesMut) -> Option<Item> {
        loop {
            let before = input.len();
            let frame = self.framer.next_frame(input, LIMIT);
            self.taken += (before - input.len()) as u64;
            match (frame?, &mut self.used) {
                (Frame::Part(part), _) => {
                    // What was dropped of a part was counted as it went.
                    if let Some(item) = self.part(part) {
                        return Some(item);
                    }
                }
                (Frame::Chunk(chunk), Some(Used::Argument { .. })) => self.literal.extend_from_slice(&chunk),
                (Frame::Chunk(chunk), Some(Used::Message { octets })) => *octets += chunk.len() as u64,
                (Frame::Chunk(_), None) => {}
                (Frame::LiteralEnd, _) => self.literal_end(),
            }
        }
    }

    fn end(&mut self, input: &[u8], rest: u64) -> Option<Item> {
        if rest == 0 {
            return None;
        }
        let fault = Fault::new("the input ends inside a command", input, input.len());
        Some(Item { consumed: rest, result: Err(fault), deviations: Vec::new() })
    }
}
