//! The arguments of the commands that send: `send` and `compose`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mailwright_core::value::{AddressError, ForwardPath, ReversePath};
use mailwright_smtp::types::{EnvelopeId, InvalidNotification, Notify, Return};

use super::ServerArguments;
use crate::compose::Correspondent;

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
    #[command(flatten)]
    pub(crate) requests: Requests,
    /// The message, sent as it is; - for standard input.
    ///
    /// If its first line ends in LF alone, its line ends are sent as CR LF, the only ones that mail has. A
    /// message with CR LF is refused if a CR or LF stands alone in it.
    #[arg(value_name = "FILE")]
    pub(crate) message: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Compose {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// The author, who is the sender in the envelope as well.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Correspondent,
    /// A recipient (repeat).
    #[arg(long, value_name = "ADDRESS", required_unless_present_any = ["cc", "bcc"])]
    pub(crate) to: Vec<Correspondent>,
    /// A recipient of a copy (repeat).
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) cc: Vec<Correspondent>,
    /// A recipient of a copy of whom the others are not told: it is in the envelope only (repeat).
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bcc: Vec<Correspondent>,
    #[command(flatten)]
    pub(crate) requests: Requests,
    /// What it is about.
    #[arg(long, value_name = "TEXT", value_parser = subject)]
    pub(crate) subject: String,
    /// The text, in UTF-8; - for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) text: Option<PathBuf>,
    /// The text in HTML, in UTF-8; with --text the reader shows the one it likes better.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// A file to attach, byte for byte, under its own name (repeat).
    ///
    /// The end of its name decides what it is taken for.
    #[arg(long, value_name = "FILE")]
    pub(crate) attach: Vec<PathBuf>,
    /// Writes the message to standard output, and sends nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What the sender asks for: reports (RFC 3461), and TLS on the whole way (RFC 8689). A server without the extension DSN
/// is not told of the former; standard error says so then.
#[derive(Debug, Args)]
pub(crate) struct Requests {
    /// Asks for reports on these events at each recipient: success,failure,delay, or never.
    #[arg(long = "dsn", value_name = "EVENTS")]
    pub(crate) notify: Option<Notify>,
    /// How much of the message a report of failure returns.
    #[arg(long = "dsn-return", value_name = "PART")]
    pub(crate) returned: Option<Returned>,
    /// What reports call the message: printable ASCII, up to 100 octets.
    #[arg(long, value_name = "TEXT", value_parser = envelope_id)]
    pub(crate) envelope_id: Option<EnvelopeId>,
    /// Lets the message travel by TLS only, on the whole way: it fails at a server that does not promise this.
    #[arg(long)]
    pub(crate) require_tls: bool,
}

impl Requests {
    /// Whether any report is asked for.
    pub(crate) fn any(&self) -> bool {
        self.notify.is_some() || self.returned.is_some() || self.envelope_id.is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Returned {
    /// All of it.
    Full,
    /// Its header.
    Headers,
}

impl From<Returned> for Return {
    fn from(returned: Returned) -> Self {
        match returned {
            Returned::Full => Self::Full,
            Returned::Headers => Self::Headers,
        }
    }
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

fn envelope_id(text: &str) -> Result<EnvelopeId, InvalidNotification> {
    EnvelopeId::new(text)
}

/// One line: a line end or another control character could begin a field of its own.
fn subject(text: &str) -> Result<String, &'static str> {
    if text.chars().any(char::is_control) {
        return Err("a subject has no control characters");
    }
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_no_brackets() {
        assert_eq!(sender("").unwrap(), ReversePath::Null);
        assert_eq!(sender("<>").unwrap(), ReversePath::Null);
        assert_eq!(recipient("postmaster").unwrap(), ForwardPath::Postmaster);
        assert_eq!(recipient("a@example.org").unwrap(), recipient("<a@example.org>").unwrap());
        assert!(recipient("a@example.org>\r\nDATA").is_err());
    }
}
