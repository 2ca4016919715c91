//! `pop3-command`: command lines as a server reads them. RFC 1939 §3, RFC 6856.

use bytes::Bytes;
use mailwright_core::value::Deviation;
use mailwright_pop3::parse::CommandError;
use mailwright_pop3::types::{Command, MessageNumber};
use serde_json::{Value, json};

use crate::item::Fault;
use crate::json;
use crate::line::LineParser;

/// Reads command lines.
#[derive(Debug)]
pub(crate) struct Commands;

impl LineParser for Commands {
    fn parse(&mut self, line: &Bytes, deviations: &mut Vec<Deviation>) -> Result<Value, Fault> {
        let parsed = Command::parse(line).map_err(|error| {
            Fault::new(&error, if has_secrets(line) { b"" } else { line }, offset(&error))
        })?;
        deviations.extend(parsed.deviations);
        Ok(value(&parsed.command))
    }
}

/// Whether what stands behind the keyword is never shown.
fn has_secrets(line: &[u8]) -> bool {
    let keyword = line.split(|octet| *octet == b' ').next().unwrap_or_default();
    [&b"PASS"[..], b"APOP", b"AUTH"].iter().any(|secret| keyword.eq_ignore_ascii_case(secret))
}

/// Where the error is, if it says so; else it is that of the whole line.
fn offset(error: &CommandError) -> usize {
    match error {
        CommandError::Control { offset, .. }
        | CommandError::UnexpectedArgument { offset }
        | CommandError::Number { offset }
        | CommandError::Language { offset } => *offset,
        _ => 0,
    }
}

fn value(command: &Command<'_>) -> Value {
    let plain = |verb: &str| json!({ "verb": verb });
    let about = |verb: &str, number: Option<MessageNumber>| json!({ "verb": verb, "number": number.map(MessageNumber::get) });
    match *command {
        Command::Stat => plain("STAT"),
        Command::List(number) => about("LIST", number),
        Command::Retr(number) => about("RETR", Some(number)),
        Command::Dele(number) => about("DELE", Some(number)),
        Command::Noop => plain("NOOP"),
        Command::Rset => plain("RSET"),
        Command::Quit => plain("QUIT"),
        Command::Top { number, lines } => json!({ "verb": "TOP", "number": number.get(), "lines": lines }),
        Command::Uidl(number) => about("UIDL", number),
        Command::User(name) => json!({ "verb": "USER", "name": json::text(name.as_bytes()) }),
        Command::Pass(password) => json!({ "verb": "PASS", "password": json::hidden(password.expose()) }),
        // A digest is as good as a password to who can try many.
        Command::Apop { name, digest } => json!({
            "verb": "APOP", "name": json::text(name.as_bytes()), "digest": json::hidden(digest.as_bytes()),
        }),
        Command::Capa => plain("CAPA"),
        Command::Stls => plain("STLS"),
        Command::Auth { mechanism, initial } => json!({
            "verb": "AUTH",
            "mechanism": json::text(mechanism.as_bytes()),
            "initial_response": initial.map(|initial| json::hidden(initial.expose())),
        }),
        Command::ListMechanisms => plain("AUTH"),
        Command::Utf8 => plain("UTF8"),
        Command::Lang(range) => {
            json!({ "verb": "LANG", "range": range.map(|range| range.as_str().to_owned()) })
        }
        // A command that this program is older than.
        _ => json!({ "verb": format!("{command:?}") }),
    }
}
