//! [`Command::parse`]: a command line at the server (RFC 1939 §3, RFC 2449 §3, RFC 5034 §4, RFC 6856 §2 and §3).

use alloc::vec::Vec;

use mailwright_core::value::{Deviation, DeviationKind, Excerpt};
use nom::Parser as _;
use nom::bytes::complete::{take_till1, take_while1};
use nom::combinator::all_consuming;

use super::{Numeral, Step, numeral};
use crate::types::{Argument, Command, LanguageRange, MessageNumber, SecretArgument};

/// A command, and how its line departed from the RFC.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the whole result of a parse")]
pub struct Parsed<'a> {
    /// The command.
    pub command: Command<'a>,
    /// What was tolerated; without departures it holds no memory.
    pub deviations: Vec<Deviation>,
}

/// Why a line is no command. Offsets count octets from the start of the line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// A line without a keyword.
    #[error("empty command line")]
    Empty,
    /// A control character: a CR without LF, NUL, a tab, …
    #[error("control character {octet:#04x} at offset {offset}")]
    Control {
        /// The octet.
        octet: u8,
        /// Where it stands.
        offset: usize,
    },
    /// A keyword that is not known.
    #[error("unknown command {keyword}")]
    Unknown {
        /// The keyword; empty if it is longer than 8 letters or no letters, for it may be a secret.
        keyword: Excerpt,
    },
    /// An argument that is not there.
    #[error("missing argument")]
    MissingArgument,
    /// An argument for which the command has no place.
    #[error("unexpected argument at offset {offset}")]
    UnexpectedArgument {
        /// Where it stands.
        offset: usize,
    },
    /// An argument that is not 1 to 20 digits.
    #[error("no number at offset {offset}")]
    Number {
        /// Where it stands.
        offset: usize,
    },
    /// An argument that is no language range (RFC 6856 §3.2).
    #[error("no language range at offset {offset}")]
    Language {
        /// Where it stands.
        offset: usize,
    },
    /// A number that no message can have: 0, or more than 32 bits.
    #[error("no such message")]
    NoSuchMessage,
    /// A line above the limit. Made by the session, not by the parser.
    #[error("command line of {octets} octets")]
    Overlong {
        /// Its length with the line end.
        octets: u64,
    },
    /// A command that the present state does not have. Made by the session, not by the parser.
    #[error("not possible in the present state")]
    State,
    /// A response in a SASL exchange that is no base64. Made by the session, not by the parser.
    #[error("{0}")]
    Base64(mailwright_sasl::base64::Base64Error),
}

impl<'a> Command<'a> {
    /// Reads a line without its end.
    ///
    /// ```
    /// use mailwright_pop3::types::Command;
    ///
    /// let parsed = Command::parse(b"pass correct horse ").unwrap();
    /// let Command::Pass(password) = parsed.command else { panic!() };
    /// assert_eq!(password.expose(), b"correct horse "); // every octet behind the first space
    /// ```
    ///
    /// # Errors
    /// If the line is none of the commands that this crate knows, or has wrong arguments.
    pub fn parse(line: &'a [u8]) -> Result<Parsed<'a>, CommandError> {
        if line.iter().fold(false, |found, octet| found | octet.is_ascii_control()) {
            return Err(control(line));
        }
        // Where the keyword ends, if it is one: beyond four letters nothing is known.
        let length = match line {
            [_, _, _, _, b' ', ..] | [_, _, _, _] if !line.get(..4).unwrap_or_default().contains(&b' ') => 4,
            _ => memchr::memchr(b' ', line).unwrap_or(line.len()),
        };
        let (keyword, rest) = line.split_at_checked(length).unwrap_or_default();
        if keyword.is_empty() {
            return Err(CommandError::Empty);
        }
        let mut arguments = Arguments { line, rest, deviations: Vec::new() };
        // RFC 1939 §3: keywords are case-insensitive, and have three or four characters.
        let mut upper = [0; 4];
        let Some(target) = upper.get_mut(..length) else { return Err(unknown(keyword)) };
        target.copy_from_slice(keyword);
        target.make_ascii_uppercase();
        let command = match &upper {
            b"STAT" => Self::Stat,
            b"LIST" => Self::List(arguments.optional_message()?),
            b"RETR" => Self::Retr(arguments.message()?),
            b"DELE" => Self::Dele(arguments.message()?),
            b"NOOP" => Self::Noop,
            b"RSET" => Self::Rset,
            b"QUIT" => Self::Quit,
            b"TOP\0" => Self::Top {
                number: arguments.message()?,
                // RFC 1939 §7: more lines than the body has mean the whole message.
                lines: arguments.numeral()?.value.unwrap_or(u64::MAX),
            },
            b"UIDL" => Self::Uidl(arguments.optional_message()?),
            b"USER" => Self::User(arguments.everything()?),
            b"PASS" => Self::Pass(SecretArgument::new(arguments.everything()?)),
            b"APOP" => Self::Apop {
                name: Argument::of_line(arguments.required()?),
                digest: Argument::of_line(arguments.required()?),
            },
            b"CAPA" => Self::Capa,
            b"STLS" => Self::Stls,
            b"AUTH" if arguments.rest.is_empty() => Self::ListMechanisms,
            b"AUTH" => Self::Auth {
                mechanism: Argument::of_line(arguments.required()?),
                initial: arguments.next()?.map(|initial| SecretArgument::new(Argument::of_line(initial))),
            },
            b"UTF8" => Self::Utf8,
            b"LANG" => Self::Lang(arguments.optional_language()?),
            _ => return Err(unknown(keyword)),
        };
        arguments.end()?;
        Ok(Parsed { command, deviations: arguments.deviations })
    }
}

fn control(line: &[u8]) -> CommandError {
    let offset = line.iter().position(u8::is_ascii_control).unwrap_or_default();
    CommandError::Control { octet: line.get(offset).copied().unwrap_or_default(), offset }
}

fn unknown(keyword: &[u8]) -> CommandError {
    // What does not look like a keyword may be a secret that came at the wrong time, such as the
    // response of an exchange that was refused.
    let looks_like_one = keyword.len() <= 8 && keyword.iter().all(u8::is_ascii_alphabetic);
    CommandError::Unknown { keyword: Excerpt::new(if looks_like_one { keyword } else { b"" }) }
}

/// What stands behind the keyword.
struct Arguments<'a> {
    line: &'a [u8],
    /// Empty, or begins with a space.
    rest: &'a [u8],
    deviations: Vec<Deviation>,
}

impl<'a> Arguments<'a> {
    const fn offset(&self) -> usize {
        self.line.len() - self.rest.len()
    }

    fn deviation(&mut self, kind: DeviationKind, offset: usize, bytes: &[u8]) {
        self.deviations.push(Deviation::new(kind, offset as u64, bytes));
    }

    /// The next argument, if there is one.
    fn next(&mut self) -> Result<Option<&'a [u8]>, CommandError> {
        let Ok((rest, (spaces, argument))) = separated(self.rest) else { return Ok(None) };
        if spaces.len() > 1 {
            self.deviation(DeviationKind::ExtraSpace, self.offset(), spaces);
        }
        self.rest = rest;
        Ok(Some(argument))
    }

    fn required(&mut self) -> Result<&'a [u8], CommandError> {
        self.next()?.ok_or(CommandError::MissingArgument)
    }

    fn numeral(&mut self) -> Result<Numeral, CommandError> {
        let argument = self.required()?;
        let offset = self.offset() - argument.len();
        let (_, numeral) =
            all_consuming(numeral).parse(argument).map_err(|_| CommandError::Number { offset })?;
        if numeral.leading_zero {
            self.deviation(DeviationKind::LeadingZero, offset, argument);
        }
        Ok(numeral)
    }

    fn message(&mut self) -> Result<MessageNumber, CommandError> {
        self.numeral()?.message().ok_or(CommandError::NoSuchMessage)
    }

    /// A message number, or nothing at all: a space with nothing behind it is an empty argument.
    fn optional_message(&mut self) -> Result<Option<MessageNumber>, CommandError> {
        if self.rest.is_empty() { Ok(None) } else { self.message().map(Some) }
    }

    /// A language range, or nothing at all.
    fn optional_language(&mut self) -> Result<Option<LanguageRange<'a>>, CommandError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let argument = self.required()?;
        let offset = self.offset() - argument.len();
        let range = core::str::from_utf8(argument).ok().and_then(|text| LanguageRange::new(text).ok());
        range.map(Some).ok_or(CommandError::Language { offset })
    }

    /// Every octet behind the first space, for names and passwords: RFC 1939 §7.
    fn everything(&mut self) -> Result<Argument<'a>, CommandError> {
        let octets = core::mem::take(&mut self.rest).get(1..).unwrap_or_default();
        if octets.is_empty() { Err(CommandError::MissingArgument) } else { Ok(Argument::of_line(octets)) }
    }

    /// Nothing may be left but spaces.
    fn end(&mut self) -> Result<(), CommandError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        if let Some(argument) = self.next()? {
            return Err(CommandError::UnexpectedArgument { offset: self.offset() - argument.len() });
        }
        if !self.rest.is_empty() {
            let spaces = core::mem::take(&mut self.rest);
            self.deviation(DeviationKind::TrailingSpace, self.line.len() - spaces.len(), spaces);
        }
        Ok(())
    }
}

/// Spaces, then anything but spaces.
fn separated(input: &[u8]) -> Step<'_, (&[u8], &[u8])> {
    let space = |octet: u8| octet == b' ';
    (take_while1(space), take_till1(space)).parse(input)
}

#[cfg(test)]
mod tests;
