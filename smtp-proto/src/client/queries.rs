//! What is asked beside mail: NOOP, VRFY, EXPN, HELP. RFC 5321 §4.1.1.6 to §4.1.1.9, RFC 6531 §3.7.4.2.

use alloc::string::String;
use core::fmt::{self, Write as _};

use mailwright_core::value::{Mailbox, Misuse};

use super::event::CommandId;
use super::{Client, Sent};

impl Client {
    /// Does nothing, for a sign of life: NOOP. Leads to [`Event::Reply`](super::Event::Reply).
    ///
    /// # Errors
    /// [`Misuse::Busy`] while it may not be written, [`Misuse::WrongState`] inside content.
    pub fn noop(&mut self) -> Result<CommandId, Misuse> {
        self.may_write()?;
        self.transmit.put(b"NOOP\r\n");
        Ok(self.sent_by_host(Sent::Noop))
    }

    /// Asks whether a user or mailbox exists: VRFY. Many servers answer 252 to everything. Leads to
    /// [`Event::Reply`](super::Event::Reply).
    ///
    /// # Errors
    /// [`Misuse::NotAnnounced`] for a mailbox beyond ASCII where there is no SMTPUTF8; [`Misuse::TooLarge`] if
    /// the line is too long; [`Misuse::Busy`] while it may not be written, [`Misuse::WrongState`] inside content.
    pub fn vrfy(&mut self, query: &Query) -> Result<CommandId, Misuse> {
        self.ask("VRFY", query, Sent::Vrfy)
    }

    /// Asks who is on a list: EXPN. Few servers tell. Leads to [`Event::Reply`](super::Event::Reply).
    ///
    /// # Errors
    /// As [`Self::vrfy`].
    pub fn expn(&mut self, query: &Query) -> Result<CommandId, Misuse> {
        self.ask("EXPN", query, Sent::Expn)
    }

    /// Asks for help, on a topic if there is one: HELP. Leads to [`Event::Reply`](super::Event::Reply).
    ///
    /// # Errors
    /// As [`Self::vrfy`].
    pub fn help(&mut self, topic: Option<&UserName>) -> Result<CommandId, Misuse> {
        self.may_write()?;
        match topic {
            Some(topic) => self.put_line(format_args!("HELP {}", Text(topic)))?,
            None => self.put_line(format_args!("HELP"))?,
        }
        Ok(self.sent_by_host(Sent::Help))
    }

    fn ask(&mut self, verb: &str, query: &Query, sent: Sent) -> Result<CommandId, Misuse> {
        self.may_write()?;
        let utf8 = matches!(query, Query::Mailbox(mailbox) if !mailbox.is_ascii());
        if utf8 && !self.capabilities.smtp_utf8() {
            return Err(Misuse::NotAnnounced);
        }
        // RFC 6531 §3.7.4.2: the parameter says that the address, and the reply, may go beyond ASCII.
        self.put_line(format_args!("{verb} {query}{}", if utf8 { " SMTPUTF8" } else { "" }))?;
        Ok(self.sent_by_host(sent))
    }
}

/// What VRFY or EXPN asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Query {
    /// The name of a user or a list.
    Name(UserName),
    /// A mailbox.
    Mailbox(Mailbox),
}

/// A name for VRFY, EXPN or HELP: printable ASCII, written as a quoted string where it is no atom (RFC 5321 §4.1.1.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserName(String);

/// A text that may not stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name for VRFY, EXPN or HELP is printable ASCII and not empty")]
#[non_exhaustive]
pub struct InvalidUserName;

impl UserName {
    /// A name of one or more octets %d32–126.
    ///
    /// # Errors
    /// If it is empty or has other octets.
    pub fn new(name: &str) -> Result<Self, InvalidUserName> {
        if name.is_empty() || !name.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
            return Err(InvalidUserName);
        }
        Ok(Self(name.into()))
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailbox(mailbox) => mailbox.fmt(f),
            Self::Name(name) => Text(name).fmt(f),
        }
    }
}

/// A name as it is written.
struct Text<'a>(&'a UserName);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 5321 §4.1.2: String = Atom / Quoted-string; RFC 5322 §3.2.3: atext
        let is_atext = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet);
        let Self(UserName(name)) = self;
        if name.bytes().all(is_atext) {
            return f.write_str(name);
        }
        f.write_char('"')?;
        for character in name.chars() {
            if matches!(character, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(character)?;
        }
        f.write_char('"')
    }
}
