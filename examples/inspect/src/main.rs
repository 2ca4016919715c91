//! `inspect`: what do the parsers of the library make of these bytes?
//!
//! Reads a file or standard input in pieces of any size and prints a JSON object a line for each item.
//! `item` says what an item is, one file for each kind cuts and reads it, `json` writes the values they share.

mod imap;
mod item;
mod json;
mod line;
mod pop3_command;
mod pop3_response;
mod smtp_command;
mod smtp_reply;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::BytesMut;
use clap::{Parser, ValueEnum};

use self::item::{Item, Reader};
use self::line::Lines;

/// Shows what the parsers make of bytes.
///
/// Prints one JSON object a line for each item, in order: {"consumed": N, "kind": KIND, "value": …,
/// "deviations": […]}, where `consumed` counts the octets of input that the item takes, and deviations are
/// the departures from the RFC that were tolerated. A bad item gives {"consumed": N, "kind": KIND, "error":
/// {"offset": N, "message": …, "bytes": …}} in its place, with the first octets of what is wrong, and the rest
/// is read. Offsets count octets from the start of the input. Text that is no UTF-8 shows as {"bytes": …},
/// with escapes. Of passwords and SASL responses only the number of octets is shown.
///
/// Exit codes: 0 all items were good, 1 one was not or the input could not be read, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "inspect", version)]
struct Arguments {
    /// What the input is.
    ///
    /// Which replies of POP3 have several lines depends on their commands, which are not there: lines behind
    /// +OK that are no status line, up to a dot, are taken for them. What a line means as a reply to STAT, LIST
    /// and UIDL stands in `as`.
    #[arg(value_enum)]
    kind: Kind,
    /// The input; standard input by default.
    file: Option<PathBuf>,
    /// Tolerates nothing: an item with a departure from the RFC is a bad one.
    #[arg(long)]
    strict: bool,
    /// Feeds the parser so many octets at a time. The output does not change.
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    chunk: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Command lines of SMTP or LMTP. Content behind DATA or BDAT, and responses behind AUTH, are no commands.
    SmtpCommand,
    /// Replies of SMTP or LMTP, of one line or several.
    SmtpReply,
    /// Command lines of POP3. Responses behind AUTH are no commands.
    Pop3Command,
    /// Commands of IMAP with their literals. Responses behind AUTHENTICATE, and DONE, are no commands. Of messages
    /// only the number of octets is shown.
    ImapCommand,
    /// Responses of IMAP with their literals.
    ImapResponse,
    /// Lines of a POP3 server, each an item: a status line, a challenge, a line of a listing or a message, or
    /// the dot that ends it.
    Pop3Response,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::SmtpCommand => "smtp-command",
            Self::SmtpReply => "smtp-reply",
            Self::ImapCommand => "imap-command",
            Self::ImapResponse => "imap-response",
            Self::Pop3Command => "pop3-command",
            Self::Pop3Response => "pop3-response",
        }
    }

    fn reader(self, strict: bool) -> Box<dyn Reader> {
        match self {
            Self::SmtpCommand => Box::new(Lines::new(smtp_command::Commands::new(strict), strict)),
            Self::SmtpReply => Box::new(smtp_reply::Replies::default()),
            Self::ImapCommand => Box::new(imap::Commands::default()),
            Self::ImapResponse => Box::new(imap::Responses::new(strict)),
            Self::Pop3Command => Box::new(Lines::new(pop3_command::Commands, strict)),
            Self::Pop3Response => Box::new(Lines::new(pop3_response::Responses::new(strict), strict)),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match inspect(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Without standard error there is nobody to tell.
            let _ = writeln!(io::stderr(), "inspect: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the whole input. Whether every item was good.
fn inspect(arguments: &Arguments) -> io::Result<bool> {
    let mut input = open(arguments.file.as_deref())?;
    let mut reader = arguments.kind.reader(arguments.strict);
    let mut printer = Printer {
        output: io::BufWriter::new(io::stdout().lock()),
        kind: arguments.kind.name(),
        strict: arguments.strict,
        position: 0,
        all_good: true,
    };
    let mut buffer = BytesMut::new();
    let mut total = 0;
    loop {
        let mut piece = Vec::new();
        input.by_ref().take(arguments.chunk.into()).read_to_end(&mut piece)?;
        if piece.is_empty() {
            break;
        }
        buffer.extend_from_slice(&piece);
        total += piece.len() as u64;
        while let Some(item) = reader.next(&mut buffer) {
            printer.print(item)?;
        }
    }
    let rest = total - printer.position;
    if let Some(item) = reader.end(&buffer, rest) {
        printer.print(item)?;
    }
    printer.output.flush()?;
    Ok(printer.all_good)
}

fn open(path: Option<&Path>) -> io::Result<Box<dyn Read>> {
    let Some(path) = path else { return Ok(Box::new(io::stdin())) };
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}

/// Prints items, and counts where the next one begins.
struct Printer<W> {
    output: W,
    kind: &'static str,
    strict: bool,
    /// Octets of input before the item.
    position: u64,
    all_good: bool,
}

impl<W: Write> Printer<W> {
    fn print(&mut self, item: Item) -> io::Result<()> {
        let item = if self.strict { item.without_tolerance() } else { item };
        self.all_good &= item.result.is_ok();
        let line = json::line(&item.into_json(self.kind, &mut self.position));
        writeln!(self.output, "{line}")
    }
}
