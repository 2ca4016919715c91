//! What a server tells its host: [`Event`], and as the last one why it is over, [`Closed`].

use bytes::Bytes;
use mailwright_core::session::{LayerError, TlsInfo};
use mailwright_core::value::{Deviation, ForwardPath, ReversePath, SourceRoute};
use mailwright_core::wire::ContentReport;
use mailwright_sasl::{Ask, Identity, MechanismName};

use super::question::{
    AuthenticateToken, DataToken, ExpandToken, HelloToken, HelpToken, MessageToken, QueueRunToken,
    RecipientToken, SenderToken, VerifyToken,
};
use crate::parse::CommandError;
use crate::types::{ClientName, Parameters, Reply, Verb};

/// What happened. Events with a token are questions, if the configuration asks them: the client waits
/// until [`Server::answer`](super::Server::answer). All others may be ignored.
///
/// Paths, parameters and content are views of the input: `detach` what is kept for long.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// TLS is in force, after STARTTLS or from the start. What was said before is forgotten.
    Secured(TlsInfo),
    /// EHLO, HELO or LHLO.
    Hello(Hello),
    /// Are these credentials good?
    Authenticate(Authenticate),
    /// AUTH succeeded.
    Authenticated(Identity),
    /// MAIL: may this sender send?
    Sender(Sender),
    /// RCPT: is this recipient welcome?
    Recipient(Recipient),
    /// DATA, or the first BDAT: shall the content come?
    Data(Data),
    /// The next octets of the content, decoded.
    Content(Bytes),
    /// The content is complete: is the message accepted?
    Message(Message),
    /// The content so far is void; drop it. The session gives the reply, if one is due.
    Aborted(Aborted),
    /// RSET, EHLO, HELO or LHLO ended an open transaction, or the last chunk of content that failed.
    Reset,
    /// VRFY: is there such a user?
    Verify(Verify),
    /// EXPN: who is on this list?
    Expand(Expand),
    /// HELP: what is to be said?
    Help(Help),
    /// ETRN or ATRN: shall what waits for somebody be sent?
    QueueRun(QueueRun),
    /// A command was refused by the session itself.
    Rejected(Rejected),
    /// A departure from the RFC was tolerated. Reports of kind `EarlyInput` and `ImproperPipelining` depend on
    /// timing; nothing else does.
    Deviation(Deviation),
    /// The conversation is over. The last event.
    Closed(Closed),
}

/// EHLO, HELO or LHLO.
#[derive(Debug)]
#[non_exhaustive]
pub struct Hello {
    /// To answer with a [`Reply`]: any positive one accepts, and the session says the rest; 4yz or 5yz refuses
    /// and leaves everything as it was.
    pub token: HelloToken,
    /// What the client calls itself.
    pub name: ClientName,
    /// EHLO or LHLO, not HELO.
    pub extended: bool,
}

/// Credentials to judge.
#[derive(Debug)]
#[non_exhaustive]
pub struct Authenticate {
    /// To answer with a [`mailwright_sasl::Answer`].
    pub token: AuthenticateToken,
    /// The question.
    pub ask: Ask,
    /// The mechanism in use.
    pub mechanism: MechanismName,
}

/// MAIL.
#[derive(Debug)]
#[non_exhaustive]
pub struct Sender {
    /// To answer with a [`Reply`]: 2yz opens the transaction, 4yz or 5yz does not.
    pub token: SenderToken,
    /// Where reports about the message go.
    pub path: ReversePath,
    /// A source route before it, which means nothing.
    pub route: Option<SourceRoute>,
    /// The parameters. AUTH is already `<>` where the client is not authenticated, and MT-PRIORITY not above 0.
    /// Whether an authenticated client is trusted to say AUTH is for the host to know (RFC 4954 §5).
    pub parameters: Parameters,
}

/// RCPT.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recipient {
    /// To answer with a [`Reply`]: 2yz accepts the recipient, 4yz or 5yz refuses it. Several of these questions
    /// may be open; answer them in any order.
    pub token: RecipientToken,
    /// Its place among the valid RCPT commands of this transaction, from 0: accepted recipients in this
    /// order are those that the replies of LMTP belong to.
    pub index: usize,
    /// The recipient.
    pub path: ForwardPath,
    /// A source route before it, which means nothing.
    pub route: Option<SourceRoute>,
    /// The parameters.
    pub parameters: Parameters,
}

/// DATA, or the first BDAT of a transaction.
#[derive(Debug)]
#[non_exhaustive]
pub struct Data {
    /// To answer with [`Reply::START_CONTENT`], which is said to DATA only, or with 4yz or 5yz.
    pub token: DataToken,
    /// Accepted recipients.
    pub recipients: usize,
    /// Whether the content comes by BDAT.
    pub chunked: bool,
}

/// A complete message.
#[derive(Debug)]
#[non_exhaustive]
pub struct Message {
    /// To answer with a [`Reply`], in LMTP with one for all or with one for each accepted recipient in the
    /// order of RCPT. 2yz makes the server responsible for the message.
    pub token: MessageToken,
    /// The sender.
    pub sender: ReversePath,
    /// Accepted recipients; in LMTP so many replies leave.
    pub recipients: usize,
    /// Whether BODY=8BITMIME, BODY=BINARYMIME or SMTPUTF8 stood on MAIL.
    pub declared_eight_bit: bool,
    /// Whether BODY=BINARYMIME stood on MAIL: the content need not be lines.
    pub binary: bool,
    /// Whether SMTPUTF8 stood on MAIL.
    pub smtp_utf8: bool,
    /// Octets of the header section with its line ends, up to the empty line; above
    /// [`Limits::header_section`](super::Limits::header_section) they are not counted to the end.
    pub header: u64,
    /// What was seen in the content.
    pub report: ContentReport,
}

/// Content that did not become a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Aborted {
    /// Why.
    pub reason: AbortReason,
    /// What was seen of it.
    pub report: ContentReport,
}

/// Why content did not become a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AbortReason {
    /// The session ended before the content did.
    Incomplete,
    /// It is above the limit.
    TooLarge,
    /// It has a CR or LF that is no part of a CR LF.
    BareLineEnd,
    /// It has a NUL.
    Nul,
    /// It has octets ≥ 0x80, and neither BODY nor SMTPUTF8 said so.
    EightBit,
    /// It has a line above the limit.
    LongLine,
    /// Its header section is above the limit.
    LongHeader,
    /// It came before the 354.
    Early,
    /// RSET, EHLO, HELO or LHLO came between its chunks.
    Reset,
}

/// VRFY.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verify {
    /// To answer with a [`Reply`]: 2yz, 4yz or 5yz.
    pub token: VerifyToken,
    /// The argument as it stood: printable text, beyond ASCII only with [`Self::smtp_utf8`].
    pub query: Bytes,
    /// Whether SMTPUTF8 stood behind it (RFC 6531 §3.7.4.2). A reply beyond ASCII is said only then; else 252 or 550
    /// takes its place.
    pub smtp_utf8: bool,
}

/// EXPN.
#[derive(Debug)]
#[non_exhaustive]
pub struct Expand {
    /// To answer with a [`Reply`]: 2yz with a line for each member, 4yz or 5yz.
    pub token: ExpandToken,
    /// The argument as it stood: printable text, beyond ASCII only with [`Self::smtp_utf8`].
    pub query: Bytes,
    /// As [`Verify::smtp_utf8`].
    pub smtp_utf8: bool,
}

/// HELP.
#[derive(Debug)]
#[non_exhaustive]
pub struct Help {
    /// To answer with a [`Reply`]: 2yz, 4yz or 5yz.
    pub token: HelpToken,
    /// The argument as it stood: printable ASCII.
    pub topic: Bytes,
}

/// ETRN (RFC 1985) or ATRN (RFC 2645).
#[derive(Debug)]
#[non_exhaustive]
pub struct QueueRun {
    /// To answer with a [`Reply`]. To ETRN: 250 to 253, 458 or 459 (RFC 1985 §5.1). To ATRN: 4yz or 5yz, since a
    /// session cannot be turned round.
    pub token: QueueRunToken,
    /// [`Verb::Etrn`] or [`Verb::Atrn`].
    pub verb: Verb,
    /// The argument as it stood: printable ASCII.
    pub argument: Bytes,
}

/// A command that the session refused by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// The command, if it has a name.
    pub verb: Option<Verb>,
    /// What was said.
    pub reply: Reply,
    /// What was wrong with the line, if that was it.
    pub error: Option<CommandError>,
}

/// Why a server session is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// The client said QUIT.
    #[error("the client quit")]
    Quit,
    /// The client closed the connection.
    #[error("the client closed the connection")]
    Disconnected,
    /// A deadline passed while the session waited for the client.
    #[error("timeout")]
    TimedOut,
    /// The content came below the minimum rate.
    #[error("content too slow")]
    TooSlow,
    /// The client does not read the replies.
    #[error("the client does not read")]
    StalledOutput,
    /// The hard limit of errors.
    #[error("too many errors")]
    TooManyErrors,
    /// The limit of commands that bring no message closer.
    #[error("too many idle commands")]
    TooManyIdleCommands,
    /// The limit of transactions.
    #[error("too many transactions")]
    TooManyTransactions,
    /// The limit of lines above their limit.
    #[error("too many overlong lines")]
    TooManyOverlongLines,
    /// The first octets are HTTP or no text at all.
    #[error("the client does not speak SMTP")]
    NotSmtp,
    /// Octets came before their time, and the policy refuses them.
    #[error("octets before their time")]
    Early,
    /// The size of a BDAT chunk could not be read.
    #[error("unreadable chunk size")]
    ChunkSize,
    /// TLS failed.
    #[error("{0}")]
    Layer(LayerError),
    /// The host answered with 421.
    #[error("the host answered with 421")]
    Refused,
    /// The host shut the session down.
    #[error("shut down by the host")]
    ShutDown,
    /// The host ended the session without a reply.
    #[error("ended by the host")]
    Aborted,
}
