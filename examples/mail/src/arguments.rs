//! The command line, which is a contract: it changes only by adding.

use core::time::Duration;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mailwright_core::value::{AddressError, ForwardPath, ReversePath};
use mailwright_pop3::types::MessageNumber;

use crate::pop3::numbers::Numbers;
use crate::server_url::ServerUrl;

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
    /// Lists the messages of a maildrop.
    ///
    /// A line for each message, with tabs between the fields: NUMBER, flags (POP3 has none), size, and as the
    /// header has them date, from and subject.
    List(List),
    /// Shows a message.
    ///
    /// Line ends are those of the terminal, other controls are escaped; `fetch` gives the octets.
    Show(Show),
    /// Copies messages to files, byte for byte.
    ///
    /// Each message becomes DIR/NUMBER.eml, complete and durable or not at all, and its path is printed. A
    /// number is valid for one session only: a file that holds something else already is never overwritten,
    /// the message stays at the server, and the exit code is 1.
    Fetch(Fetch),
    /// Deletes messages.
    ///
    /// Prints the numbers that are gone, once the server has confirmed it.
    Delete(Delete),
}

/// Which server, and as whom.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// The server: `SCHEME://[USER@]HOST[:PORT]`.
    ///
    /// Schemes: smtp and pop3 (the TLS of STARTTLS or STLS is required), smtps and pop3s (TLS from the start),
    /// smtp+plain, lmtp+plain and pop3+plain (no TLS, passwords in clear text). Special characters in USER
    /// are percent-encoded: alice%40example.org. Ports: 587, 465, 587, 24, 110, 995, 110.
    #[arg(long, value_name = "URL")]
    pub(crate) server: ServerUrl,
    /// The password is in this environment variable.
    #[arg(long, value_name = "VAR", conflicts_with = "password_file")]
    pub(crate) password_env: Option<String>,
    /// The password is in this file; a line end behind it does not count.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
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
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mechanism {
    /// SASL PLAIN.
    Plain,
    /// SASL LOGIN.
    Login,
    /// The commands USER and PASS of POP3.
    User,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// The sender in the envelope; <> for none.
    #[arg(long, value_name = "ADDRESS", value_parser = sender)]
    pub(crate) from: ReversePath,
    /// A recipient in the envelope (repeat).
    #[arg(long, value_name = "ADDRESS", required = true, value_parser = recipient)]
    pub(crate) to: Vec<ForwardPath>,
    /// The message, sent as it is; - for standard input.
    ///
    /// If its first line ends in LF alone, its line ends are sent as CR LF, the only ones that mail has. A
    /// message with CR LF is refused if a CR or LF stands alone in it.
    #[arg(value_name = "FILE")]
    pub(crate) message: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// The number of the message.
    #[arg(value_name = "NUMBER", value_parser = number)]
    pub(crate) number: MessageNumber,
}

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Only these message numbers: 1,3:5,7:* (default: all).
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
    pub(crate) server: ServerArguments,
    /// These message numbers: 1,3:5,7:*. Numbers without a message are passed over.
    #[arg(long, value_name = "SET")]
    pub(crate) uids: Numbers,
}

/// An address with or without its angle brackets.
fn bracketed(address: &str) -> String {
    if address.starts_with('<') { address.to_owned() } else { format!("<{address}>") }
}

fn sender(address: &str) -> Result<ReversePath, AddressError> {
    bracketed(address).parse()
}

fn recipient(address: &str) -> Result<ForwardPath, AddressError> {
    bracketed(address).parse()
}

fn number(text: &str) -> Result<MessageNumber, &'static str> {
    let number = text.parse().ok().and_then(MessageNumber::new);
    number.ok_or("a message number is 1 to 4294967295")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_address_needs_no_brackets() {
        assert_eq!(sender("").unwrap(), ReversePath::Null);
        assert_eq!(sender("<>").unwrap(), ReversePath::Null);
        assert_eq!(recipient("postmaster").unwrap(), ForwardPath::Postmaster);
        assert_eq!(recipient("a@example.org").unwrap(), recipient("<a@example.org>").unwrap());
        assert!(recipient("a@example.org>\r\nDATA").is_err());
    }
}
