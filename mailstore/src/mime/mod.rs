//! MIME: what a message is made of.
//!
//! [`Scanner`] reads a message as it streams by and gives a [`Structure`]: the tree of its parts with their
//! places, ENVELOPE, BODY and BODYSTRUCTURE in [wire form](WireForm), and what threading needs. A structure
//! is stored beside the message, so that nothing of it is ever parsed again; [`section`] turns sections of a
//! FETCH into ranges of the stored octets.
//!
//! RFC 2045, RFC 2046, RFC 2183, RFC 2231, RFC 5322, RFC 3501 §6.4.5 and §7.4.2, RFC 9051 §6.4.5 and §7.5.2.
//! Decoding bodies and encoded words is left to others.

mod address;
mod body;
mod boundary;
mod charset;
mod content;
mod envelope;
mod envelope_value;
mod header;
mod lexer;
mod limits;
mod message_id;
mod parameter;
mod scanner;
pub mod section;
mod stored;
mod structure;
mod utf8;
mod wire;

pub use self::envelope_value::{Envelope, EnvelopeAddress};
pub use self::limits::{Findings, Limits};
pub use self::message_id::MessageIdHash;
pub use self::scanner::Scanner;
pub use self::structure::{Encoding, Part, PartKind, Structure, StructureError};
pub use self::wire::{Piece, View, WireForm};
