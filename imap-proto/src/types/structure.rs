//! [`Envelope`] and [`BodyStructure`]: header fields and MIME structure as IMAP tells them. RFC 9051 §7.5.2.
//!
//! A structure is a tree, kept flat: each multipart stands before its parts. So nothing recurses, however
//! deep a message is nested, not even dropping it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

/// The header of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// Date, as it stands.
    pub date: Option<Bytes>,
    /// Subject, as it stands.
    pub subject: Option<Bytes>,
    /// From.
    pub from: Vec<Address>,
    /// Sender.
    pub sender: Vec<Address>,
    /// Reply-To.
    pub reply_to: Vec<Address>,
    /// To.
    pub to: Vec<Address>,
    /// Cc.
    pub cc: Vec<Address>,
    /// Bcc.
    pub bcc: Vec<Address>,
    /// In-Reply-To.
    pub in_reply_to: Option<Bytes>,
    /// Message-ID.
    pub message_id: Option<Bytes>,
}

/// An address, or a mark: without host, a mailbox is the start of the group of that name, and nothing is the
/// end of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// The display name.
    pub name: Option<Bytes>,
    /// The source route.
    pub route: Option<Bytes>,
    /// The local part.
    pub mailbox: Option<Bytes>,
    /// The domain.
    pub host: Option<Bytes>,
}

/// The structure of a message: a tree of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BodyStructure {
    /// The parts, each multipart and each enclosed message before what is in it.
    pub parts: Vec<Part>,
}

/// A part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The parts in it, which follow: of a multipart all of its own, of an enclosed message one.
    pub children: usize,
    /// Whether it is a multipart.
    pub multipart: bool,
    /// The media type; `multipart` for one.
    pub media_type: Bytes,
    /// The subtype.
    pub subtype: Bytes,
    /// Parameters.
    pub parameters: Vec<(Bytes, Bytes)>,
    /// Content-ID.
    pub id: Option<Bytes>,
    /// Content-Description.
    pub description: Option<Bytes>,
    /// Content-Transfer-Encoding.
    pub encoding: Bytes,
    /// Octets as they are encoded; `None` if the number made no sense.
    pub octets: Option<u64>,
    /// Lines, of text and of an enclosed message; `None` if the number made no sense.
    pub lines: Option<u64>,
    /// The header of an enclosed message.
    pub envelope: Option<Box<Envelope>>,
    /// Extension data, if they were told.
    pub extension: Option<Box<Extension>>,
}

/// Extension data of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extension {
    /// Content-MD5, of a part that is no multipart.
    pub md5: Option<Bytes>,
    /// Content-Disposition with its parameters.
    pub disposition: Option<(Bytes, Vec<(Bytes, Bytes)>)>,
    /// Content-Language.
    pub language: Vec<Bytes>,
    /// Content-Location.
    pub location: Option<Bytes>,
}
