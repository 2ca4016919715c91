//! What a client tells its host: [`Event`], and as the last one why it is over, [`Closed`].

use alloc::boxed::Box;
use core::fmt;

use mailwright_core::session::LayerError;
use mailwright_core::value::Excerpt;
use mailwright_sasl::MechanismName;

use crate::content::ContentError;
use crate::parse::ReplyParseError;
use crate::types::Reply;

/// Names a command of one session; the events that its reply leads to carry it. Commands of a session
/// have rising numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub(super) u64);

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a reply means for one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a host must handle each case")]
pub enum Verdict {
    /// Accepted.
    Accepted,
    /// Refused now: try again later.
    Transient,
    /// Refused for good: tell the sender.
    Permanent,
}

/// What happened. Every reply is a view of the input: [`Reply::detach`] it before storing it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The server greeted with 2yz. The session goes on by itself.
    Greeting(Reply),
    /// The server refused STARTTLS, under [`TlsMode::Opportunistic`](super::TlsMode::Opportunistic): the
    /// session goes on in plaintext.
    TlsDeclined(Reply),
    /// The opening is over: EHLO, and STARTTLS where it applies, are done. Commands may be given.
    Ready,
    /// AUTH succeeded.
    Authenticated {
        /// The command.
        id: CommandId,
        /// 235.
        reply: Reply,
    },
    /// AUTH failed; the session can be used.
    NotAuthenticated {
        /// The command.
        id: CommandId,
        /// Why.
        reason: AuthenticationFailure,
    },
    /// The reply to MAIL.
    Sender {
        /// The command.
        id: CommandId,
        /// 2yz: the transaction is open.
        reply: Reply,
    },
    /// The reply to RCPT.
    Recipient {
        /// The command.
        id: CommandId,
        /// The reply.
        reply: Reply,
        /// What it means for the recipient; not always what the first digit of 552 says.
        verdict: Verdict,
    },
    /// The server awaits the content: write it with [`Client::content`](super::Client::content).
    StartContent {
        /// The command DATA.
        id: CommandId,
    },
    /// DATA was refused, or asked for content when no recipient was accepted and got an empty one.
    ContentRefused {
        /// The command DATA.
        id: CommandId,
        /// The refusal; of the empty content, whatever the server said to it, if anything.
        reply: Option<Reply>,
    },
    /// The reply to a chunk that is not the last. 4yz, 5yz: the message has failed, and the session
    /// [must reset](super::Client::must_reset).
    Chunk {
        /// The command BDAT.
        id: CommandId,
        /// The reply.
        reply: Reply,
    },
    /// The verdict on the message. 2yz: the server is responsible for it now.
    Message {
        /// The command DATA, or the last BDAT.
        id: CommandId,
        /// In LMTP the RCPT that this reply is for; there is one event for each that was accepted, in order.
        /// In SMTP `None`: one reply for all.
        recipient: Option<CommandId>,
        /// The reply.
        reply: Reply,
    },
    /// The reply to RSET, NOOP, VRFY, EXPN, HELP or QUIT.
    Reply {
        /// The command.
        id: CommandId,
        /// The reply.
        reply: Reply,
    },
    /// The conversation is over. The last event.
    Closed(Closed),
}

/// Why AUTH failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthenticationFailure {
    /// The server refused. 535: the credentials; no weaker mechanism is tried with them then.
    Refused {
        /// Under which mechanism.
        mechanism: MechanismName,
        /// The reply: 4yz may succeed later.
        reply: Reply,
        /// What the mechanism told of the reason: the JSON of OAUTHBEARER and XOAUTH2, which may say how to get a
        /// better token. Any octets of the server.
        detail: Option<Box<[u8]>>,
    },
    /// The client cancelled: a challenge was no base64, too long, one too many, or not of the mechanism.
    Cancelled {
        /// Under which mechanism.
        mechanism: MechanismName,
        /// The challenge as it came.
        challenge: Excerpt,
        /// The reply to the cancellation.
        reply: Reply,
    },
}

impl fmt::Display for AuthenticationFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { mechanism, reply, .. } => {
                write!(f, "authentication by {mechanism} refused: {reply}")
            }
            Self::Cancelled { mechanism, challenge, .. } => {
                write!(f, "authentication by {mechanism} cancelled at the challenge {challenge}")
            }
        }
    }
}

/// Why a client session is over, and by whose doing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// As asked: the server answered QUIT.
    #[error("closed after QUIT: {0}")]
    Quit(Reply),
    /// As asked, with [`Client::abort`](super::Client::abort).
    #[error("given up by the host")]
    Aborted,
    /// The greeting was 4yz or 5yz: try the next host (RFC 5321 §3.1). 521: never this one (RFC 7504 §3).
    #[error("the server gives no service: {0}; try another host")]
    Greeting(Reply),
    /// EHLO, and HELO where it was tried, or LHLO, was refused: try the next host.
    #[error("the server refused EHLO: {0}; try another host")]
    Hello(Reply),
    /// 421, at any time (RFC 5321 §3.8).
    #[error("the server closes the session: {0}")]
    Service(Reply),
    /// The server closed a connection that had served before, without a reply to the next MAIL: nothing
    /// happened, and the same may be done again on a new connection.
    #[error("the reused connection had gone stale; repeat on a new one")]
    Stale(Option<Reply>),
    /// The server refused MAIL and closed the connection.
    #[error("the server refused the sender and closed: {0}")]
    Sender(Reply),
    /// The server closed the connection, or it broke.
    #[error("the connection ended while waiting for {0}")]
    Disconnected(Awaited),
    /// A deadline passed.
    #[error("timeout while waiting for {0}")]
    TimedOut(Awaited),
    /// TLS is required, and the server does not offer it.
    #[error("TLS is required, and the server does not announce STARTTLS")]
    TlsNotOffered,
    /// TLS is required, and the server refused STARTTLS.
    #[error("TLS is required, and the server refused STARTTLS: {0}")]
    TlsRefused(Reply),
    /// Octets stood behind the reply to STARTTLS: somebody injects plaintext (RFC 3207 §6).
    #[error("octets behind the reply to STARTTLS: {0}")]
    Injected(Excerpt),
    /// The TLS layer failed.
    #[error(transparent)]
    Layer(LayerError),
    /// What the server sent is no reply.
    #[error(transparent)]
    Malformed(ReplyParseError),
    /// A reply with no command outstanding.
    #[error("a reply to nothing: {0}")]
    Unsolicited(Reply),
    /// A reply that the command cannot have, such as 250 to DATA (RFC 5321 §4.3.2).
    #[error("a reply that fits no {0}: {1}")]
    Unexpected(Awaited, Reply),
    /// The server reported success of AUTH without having proved what the mechanism demands.
    #[error("the server reports success of AUTH without proof")]
    NoProof,
    /// The host's content may not be sent. The message was not delivered.
    #[error(transparent)]
    Content(ContentError),
}

impl Closed {
    /// The server's last words, if there were any.
    #[must_use]
    pub const fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Quit(reply)
            | Self::Greeting(reply)
            | Self::Hello(reply)
            | Self::Service(reply)
            | Self::Stale(Some(reply))
            | Self::Sender(reply)
            | Self::TlsRefused(reply)
            | Self::Unsolicited(reply)
            | Self::Unexpected(_, reply) => Some(reply),
            _ => None,
        }
    }
}

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Awaited {
    /// Nothing: the session was idle.
    Nothing,
    /// The greeting.
    Greeting,
    /// The reply to EHLO, HELO or LHLO.
    Hello,
    /// The reply to STARTTLS.
    StartTls,
    /// The end of the TLS handshake.
    Handshake,
    /// The reply to a step of AUTH.
    Authentication,
    /// The reply to MAIL.
    Mail,
    /// The reply to RCPT.
    Rcpt,
    /// The reply to DATA.
    Data,
    /// Room to send content.
    Content,
    /// The reply to a chunk that is not the last.
    Chunk,
    /// The reply to the end of the content: whether the message was taken is not known.
    Message,
    /// The reply to RSET.
    Rset,
    /// The reply to NOOP.
    Noop,
    /// The reply to VRFY.
    Vrfy,
    /// The reply to EXPN.
    Expn,
    /// The reply to HELP.
    Help,
    /// The reply to QUIT.
    Quit,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Greeting => "greeting",
            Self::Hello => "reply to EHLO",
            Self::StartTls => "reply to STARTTLS",
            Self::Handshake => "TLS handshake",
            Self::Authentication => "reply to AUTH",
            Self::Mail => "reply to MAIL",
            Self::Rcpt => "reply to RCPT",
            Self::Data => "reply to DATA",
            Self::Content => "room for content",
            Self::Chunk => "reply to BDAT",
            Self::Message => "reply to the content",
            Self::Rset => "reply to RSET",
            Self::Noop => "reply to NOOP",
            Self::Vrfy => "reply to VRFY",
            Self::Expn => "reply to EXPN",
            Self::Help => "reply to HELP",
            Self::Quit => "reply to QUIT",
        })
    }
}
