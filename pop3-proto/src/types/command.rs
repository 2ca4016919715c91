//! [`Command`]: what a client asks of a server, as both sides see it.

use super::{Argument, LanguageRange, MessageNumber, SecretArgument};

/// A command with its arguments, borrowed from the line it was read from or the values it is made of.
///
/// In the order of RFC 1939, then RFC 2449, RFC 2595, RFC 5034, RFC 6856. Read with [`Self::parse`], written with
/// [`Self::encode`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Command<'a> {
    /// How many messages, how many octets.
    Stat,
    /// Sizes, of one message or of all.
    List(Option<MessageNumber>),
    /// A message.
    Retr(MessageNumber),
    /// Marks a message as deleted.
    Dele(MessageNumber),
    /// Nothing.
    Noop,
    /// Unmarks all messages.
    Rset,
    /// The end: removes what is marked.
    Quit,
    /// The header of a message and some lines of its body.
    Top {
        /// Which message.
        number: MessageNumber,
        /// How many lines; the largest number if the one that was read is larger.
        lines: u64,
    },
    /// Unique ids, of one message or of all.
    Uidl(Option<MessageNumber>),
    /// A name: every octet behind the first space.
    User(Argument<'a>),
    /// Its password: every octet behind the first space.
    Pass(SecretArgument<'a>),
    /// A name, and a digest of the greeting's timestamp and the password.
    Apop {
        /// The name.
        name: Argument<'a>,
        /// The digest, as it stands there.
        digest: Argument<'a>,
    },
    /// What the server can do.
    Capa,
    /// Starts TLS.
    Stls,
    /// Starts a SASL exchange.
    Auth {
        /// The name of the mechanism.
        mechanism: Argument<'a>,
        /// The initial response in base64, or `=` for an empty one.
        initial: Option<SecretArgument<'a>>,
    },
    /// AUTH without an argument, as some servers had it before there was CAPA: which mechanisms are there?
    ListMechanisms,
    /// Messages may come with UTF-8 in their header.
    Utf8,
    /// Speak this language; without a range: which ones are there?
    Lang(Option<LanguageRange<'a>>),
}
