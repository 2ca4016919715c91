//! The command line, which is a contract: it changes only by adding.

mod sending;

use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;

use clap::builder::ArgPredicate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use mailwright_core::value::{Flag, FlagError, Mailbox};
use mailwright_pop3::types::MessageNumber;
use mailwright_sasl::MechanismName;

pub(crate) use self::sending::{Compose, Requests, Send};
use crate::imap::flag::Change;
use crate::numbers::Numbers;
use crate::server_url::{Protocol, ServerUrl};

/// A mail client for the command line.
///
/// Exit codes: 0 success, 1 failure, 2 wrong usage. Results go to standard output; logs, by RUST_LOG, to
/// standard error. Control characters in anything that a server sends are shown escaped.
#[derive(Debug, Parser)]
#[command(name = "mail", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sends a message by SMTP or LMTP.
    ///
    /// Prints a row for each recipient: ADDRESS CODE ENHANCED TEXT, the reply of the server; a hyphen stands
    /// for a code that there is not. Exit code 1 if any recipient failed.
    Send(Send),
    /// Writes a message and sends it by SMTP or LMTP.
    ///
    /// Recipients, rows and exit codes are those of `send`. An address may have a name before it:
    /// "Alice Miller <alice@example.org>"; a name with one of ()<>[]:;@\," in it stands in double quotes.
    Compose(Compose),
    /// Lists the folders (IMAP).
    ///
    /// A name a line; with --json its attributes as well.
    Folders(Folders),
    /// Lists the messages of a folder, or of a maildrop (IMAP, POP3).
    ///
    /// A line for each message, with tabs between the fields: UID (over POP3 the message number), flags (POP3
    /// has none), size, and as the header has them date, from and subject.
    List(List),
    /// Shows a message (IMAP, POP3).
    ///
    /// Line ends are those of the terminal, other controls are escaped; `fetch` gives the octets. The message
    /// does not count as seen by that.
    Show(Show),
    /// Copies messages to files, byte for byte (IMAP, POP3).
    ///
    /// Each message becomes DIR/UID.eml (over POP3 DIR/NUMBER.eml), complete and durable or not at all, and
    /// its path is printed. A UID is valid in one folder only, a number in one session only: a file that holds
    /// something else already is never overwritten, the message stays at the server, and the exit code is 1.
    Fetch(Fetch),
    /// Moves messages to another folder (IMAP).
    ///
    /// Prints a line for each message, if the server says where it is now: its UID here and its UID there.
    Move(Transfer),
    /// Copies messages to another folder (IMAP).
    ///
    /// Prints a line for each message, if the server says where it is: its UID here and that of the copy.
    Copy(Transfer),
    /// Changes flags of messages (IMAP).
    Flag(ChangeFlags),
    /// Deletes messages for good (IMAP, POP3).
    ///
    /// Prints the UIDs, or over POP3 the numbers, that are gone, once the server has confirmed it.
    Delete(Delete),
    /// Makes a folder (IMAP).
    Create(Folder),
    /// Removes a folder with its messages (IMAP).
    Remove(Folder),
    /// Gives a folder another name (IMAP).
    Rename(Rename),
    /// Searches a folder (IMAP).
    ///
    /// Prints the UIDs that are found, one a line.
    Search(Search),
    /// Adds messages to a folder (IMAP).
    ///
    /// Prints the UID that each message has there, if the server says it.
    Append(Append),
    /// Tells what changes in a folder, as it happens (IMAP with IDLE).
    ///
    /// A line for each change: `exists N` (so many messages there are now), `expunge UID` (this one is gone),
    /// `flags UID (FLAG…)` (these are its flags now). A UID that the server never told is a hyphen.
    /// While it waits, --timeout does not apply.
    Watch(Watch),
    /// Mirrors all folders in a Maildir, one way (IMAP).
    ///
    /// Each folder is a directory of Maildir++, INBOX the root. A run fetches only what changed since the last one, by
    /// QRESYNC, CONDSTORE or UIDs, whichever the server has; one that was cut off goes on where it was. Flags become
    /// the letters of their files; messages and folders that are gone are removed, and nothing that is not from here.
    /// Prints a line for each folder: its name, new messages, changed flags, removed messages.
    Sync(Sync),
}

impl Command {
    /// Which server is asked for, and what for.
    pub(crate) const fn server(&mut self) -> (&mut ServerArguments, Purpose) {
        match self {
            Self::Send(one) => (&mut one.server, Purpose::Send),
            Self::Compose(one) => (&mut one.server, Purpose::Send),
            Self::List(one) => (&mut one.server.server, Purpose::Read),
            Self::Show(one) => (&mut one.server.server, Purpose::Read),
            Self::Fetch(one) => (&mut one.server.server, Purpose::Read),
            Self::Delete(one) => (&mut one.server.server, Purpose::Read),
            Self::Folders(one) => (&mut one.server, Purpose::Imap),
            Self::Move(one) | Self::Copy(one) => (&mut one.server.server, Purpose::Imap),
            Self::Flag(one) => (&mut one.server.server, Purpose::Imap),
            Self::Create(one) | Self::Remove(one) => (&mut one.server, Purpose::Imap),
            Self::Rename(one) => (&mut one.server, Purpose::Imap),
            Self::Search(one) => (&mut one.server.server, Purpose::Imap),
            Self::Append(one) => (&mut one.server.server, Purpose::Imap),
            Self::Watch(one) => (&mut one.server.server, Purpose::Imap),
            Self::Sync(one) => (&mut one.server, Purpose::Imap),
        }
    }
}

/// What a server is to be found for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Sending.
    Send,
    /// Reading, by IMAP or POP3.
    Read,
    /// Reading, by IMAP alone.
    Imap,
}

/// Which server, and as whom.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// The server: `SCHEME://[USER@]HOST[:PORT]`.
    ///
    /// Schemes: smtp, imap and pop3 (the TLS of STARTTLS or STLS is required), smtps, imaps and pop3s (TLS
    /// from the start), smtp+plain, lmtp+plain, imap+plain and pop3+plain (no TLS, passwords in clear text).
    /// Special characters in USER are percent-encoded: alice%40example.org. Ports: 587, 143, 110, 465, 993,
    /// 995, 587, 24, 143, 110.
    #[arg(
        long,
        value_name = "URL",
        required = false,
        required_unless_present = "discover",
        default_value_if("discover", ArgPredicate::IsPresent, ServerUrl::UNKNOWN)
    )]
    pub(crate) server: ServerUrl,
    /// Finds the server of this address instead: by SRV records, then by the files that its domain has for that.
    ///
    /// Servers without TLS are passed over. The name to log in with is what is found, mostly the address; if that is
    /// refused, what stands before its @.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "server")]
    pub(crate) discover: Option<Mailbox>,
    /// The DNS server that --discover asks; the system's by default.
    #[arg(long, value_name = "ADDR:PORT", requires = "discover")]
    pub(crate) resolver: Option<SocketAddr>,
    /// Where the server is, if that was found out.
    #[arg(skip)]
    pub(crate) addresses: Vec<SocketAddr>,
    /// Other names to log in with, if the first one is refused.
    #[arg(skip)]
    pub(crate) logins: Vec<String>,
    /// The password is in this environment variable.
    #[arg(long, value_name = "VAR", conflicts_with = "password_file")]
    pub(crate) password_env: Option<String>,
    /// The password is in this file; a line end behind it does not count.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// An OAuth bearer token is in this environment variable; it takes the place of a password.
    #[arg(long, value_name = "VAR", conflicts_with_all = ["password_env", "password_file"])]
    pub(crate) token_env: Option<String>,
    /// How to log in; automatic by default. No other way is tried then.
    #[arg(long, value_name = "MECHANISM", ignore_case = true)]
    pub(crate) auth: Option<Mechanism>,
    /// Certificates in PEM to trust beside the public ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// How long the connection may make no progress in either direction.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,
    /// Prints one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

impl ServerArguments {
    /// Whether the URL says so.
    pub(crate) fn speaks(&self, protocol: Protocol) -> bool {
        self.server.protocol == protocol
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mechanism {
    /// SASL SCRAM-SHA-256-PLUS: bound to the TLS connection.
    #[value(name = "scram-sha-256-plus")]
    ScramSha256Plus,
    /// SASL SCRAM-SHA-256.
    #[value(name = "scram-sha-256")]
    ScramSha256,
    /// SASL SCRAM-SHA-1-PLUS: bound to the TLS connection.
    #[value(name = "scram-sha-1-plus")]
    ScramSha1Plus,
    /// SASL SCRAM-SHA-1.
    #[value(name = "scram-sha-1")]
    ScramSha1,
    /// SASL PLAIN.
    Plain,
    /// SASL LOGIN.
    Login,
    /// SASL OAUTHBEARER, with a token.
    #[value(name = "oauthbearer")]
    OAuthBearer,
    /// SASL XOAUTH2, with a token.
    #[value(name = "xoauth2")]
    XOAuth2,
    /// The commands USER and PASS of POP3, LOGIN of IMAP.
    User,
}

impl Mechanism {
    /// Its name in SASL; `None` for the commands of the protocol itself.
    pub(crate) const fn name(self) -> Option<MechanismName> {
        Some(match self {
            Self::ScramSha256Plus => MechanismName::SCRAM_SHA_256_PLUS,
            Self::ScramSha256 => MechanismName::SCRAM_SHA_256,
            Self::ScramSha1Plus => MechanismName::SCRAM_SHA_1_PLUS,
            Self::ScramSha1 => MechanismName::SCRAM_SHA_1,
            Self::Plain => MechanismName::PLAIN,
            Self::Login => MechanismName::LOGIN,
            Self::OAuthBearer => MechanismName::OAUTHBEARER,
            Self::XOAuth2 => MechanismName::XOAUTH2,
            Self::User => return None,
        })
    }
}

/// Which server, and which folder there.
#[derive(Debug, Args)]
pub(crate) struct FolderArguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// The folder. Over POP3 there is only INBOX.
    #[arg(long, value_name = "FOLDER", default_value = "INBOX")]
    pub(crate) folder: String,
}

impl core::ops::Deref for FolderArguments {
    type Target = ServerArguments;

    fn deref(&self) -> &ServerArguments {
        &self.server
    }
}

#[derive(Debug, Args)]
pub(crate) struct Folders {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) server: FolderArguments,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) server: FolderArguments,
    /// The UID of the message, over POP3 its number.
    #[arg(value_name = "UID", value_parser = number)]
    pub(crate) number: MessageNumber,
}

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    pub(crate) server: FolderArguments,
    /// Only these UIDs, over POP3 message numbers: 1,3:5,7:* (default: all).
    #[arg(long, value_name = "SET")]
    pub(crate) uids: Option<Numbers>,
    /// Where to; created if it is missing.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Deletes each message that was fetched, after its copy is durable.
    #[arg(long)]
    pub(crate) delete: bool,
    /// Keeps the ids of messages that were fetched in FILE, and passes over those that are there already.
    ///
    /// With --delete an id is kept only when its deletion is confirmed. What is passed over is not deleted.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) server: FolderArguments,
    /// These UIDs, over POP3 message numbers: 1,3:5,7:*. Those without a message are passed over.
    #[arg(long, value_name = "SET")]
    pub(crate) uids: Numbers,
}

#[derive(Debug, Args)]
pub(crate) struct Transfer {
    #[command(flatten)]
    pub(crate) server: FolderArguments,
    /// These UIDs: 1,3:5,7:*. Those without a message are passed over.
    #[arg(long, value_name = "SET")]
    pub(crate) uids: Numbers,
    /// The folder where they go.
    #[arg(value_name = "DEST")]
    pub(crate) destination: String,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeFlags {
    #[command(flatten)]
    pub(crate) server: FolderArguments,
    /// These UIDs: 1,3:5,7:*. Those without a message are passed over.
    #[arg(long, value_name = "SET")]
    pub(crate) uids: Numbers,
    /// What to set (+) and what to take away (-), behind all options: +\Flagged -$Junk.
    #[arg(value_name = "+FLAG|-FLAG", required = true, allow_hyphen_values = true)]
    pub(crate) changes: Vec<Change>,
}

#[derive(Debug, Args)]
pub(crate) struct Folder {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// The folder.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Rename {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// The present name.
    #[arg(value_name = "OLD")]
    pub(crate) from: String,
    /// The new name.
    #[arg(value_name = "NEW")]
    pub(crate) to: String,
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    #[command(flatten)]
    pub(crate) server: FolderArguments,
    /// What to look for, in the words of IMAP (RFC 9051 §6.4.4): UNSEEN FROM alice SUBJECT "two words".
    ///
    /// An argument is one word, whatever characters are in it. What is no search in this way is read as IMAP
    /// writes it, with quotes and parentheses: 'OR (UNSEEN FLAGGED) SUBJECT "two words"'.
    #[arg(value_name = "KEY", required = true)]
    pub(crate) keys: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Append {
    #[command(flatten)]
    pub(crate) server: FolderArguments,
    /// A flag that the message gets (repeat).
    #[arg(long, value_name = "FLAG", value_parser = flag)]
    pub(crate) flag: Vec<Flag>,
    /// The message, added as it is; - for standard input. Several are added in order.
    ///
    /// If its first line ends in LF alone, its line ends are sent as CR LF, the only ones that mail has.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) messages: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) server: FolderArguments,
    /// Ends after so many changes (default: never).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Where to; created if it is missing. Only one run at a time.
    #[arg(long, value_name = "MAILDIR")]
    pub(crate) to: PathBuf,
}

fn flag(text: &str) -> Result<Flag, FlagError> {
    Flag::new(text)
}

fn number(text: &str) -> Result<MessageNumber, &'static str> {
    let number = text.parse().ok().and_then(MessageNumber::new);
    number.ok_or("a UID or message number is 1 to 4294967295")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
