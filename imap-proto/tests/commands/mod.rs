//! What the tests of reading commands have in common.

#![allow(dead_code, reason = "each test program uses some of it")]

use bytes::{Bytes, BytesMut};
use mailwright_imap::parse::{
    AppendEvent, AppendReader, CommandInput, CommandLimits, LiteralUse, ParsedCommand,
};
use mailwright_imap::wire::{Frame, Framer, Part, PartEnd};

/// Line parts, each with the literal behind it.
pub(crate) fn parts(wire: &[u8], size: usize) -> Result<Vec<(Part, Option<Bytes>)>, String> {
    let (mut framer, mut buffer, mut literal) = (Framer::new(), BytesMut::new(), BytesMut::new());
    let mut parts: Vec<(Part, Option<Bytes>)> = Vec::new();
    for piece in wire.chunks(size) {
        buffer.extend_from_slice(piece);
        while let Some(frame) = framer.next_frame(&mut buffer, 1 << 20) {
            match frame {
                Frame::Part(part) => {
                    if let Some(fault) = part.fault {
                        return Err(fault.to_string());
                    }
                    if let PartEnd::Literal(announcement) = part.end {
                        framer.read_literal(announcement.length.unwrap());
                    }
                    parts.push((part, None));
                }
                Frame::Chunk(chunk) => literal.extend_from_slice(&chunk),
                Frame::LiteralEnd => parts.last_mut().unwrap().1 = Some(literal.split().freeze()),
            }
        }
    }
    Ok(parts)
}

pub(crate) fn parse(wire: &[u8], size: usize, limits: &CommandLimits) -> Result<ParsedCommand, String> {
    let mut input = CommandInput::new();
    for (part, literal) in parts(wire, size)? {
        let binary = matches!(part.end, PartEnd::Literal(literal) if literal.binary);
        input.push_part(part.octets);
        match literal {
            Some(literal) if binary => input.push_binary_literal(literal),
            Some(literal) => input.push_literal(literal),
            None => {}
        }
    }
    input.parse(limits).map_err(|error| error.to_string())
}

/// What a reader of APPEND finds, and the octets of each literal that is content.
pub(crate) fn read_append(wire: &[u8]) -> Result<(Vec<AppendEvent>, Vec<Bytes>), String> {
    let mut reader = AppendReader::new(CommandLimits::default());
    let (mut events, mut contents) = (Vec::new(), Vec::new());
    for (part, literal) in parts(wire, 7)? {
        let announcement = match part.end {
            PartEnd::Literal(announcement) => Some(announcement),
            _ => None,
        };
        let used = reader.part(part.octets, announcement).map_err(|error| error.to_string())?;
        match (used, literal) {
            (Some(LiteralUse::Argument), Some(literal)) => reader.argument(literal),
            (Some(LiteralUse::Content), Some(literal)) => contents.push(literal),
            (None, None) => {}
            other => panic!("{other:?}"),
        }
        while let Some(event) = reader.next_event() {
            events.push(event);
        }
    }
    Ok((events, contents))
}
