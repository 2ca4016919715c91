//! What a host can say: one method for each command. Each returns the id that the events of the reply
//! carry, or says why the command cannot be sent now; then nothing was written.

use mailwright_core::value::Misuse;

use super::{Client, CommandId, InFlight, Kind, Phase};
use crate::config::TlsMode;
use crate::types::{Capabilities, Capability, Command, LanguageRange, MessageNumber, Password, UserName};

/// Unwritten output above which no command is taken.
const MOST_OUTPUT: usize = 16 * 1024;

impl Client {
    /// CAPA: what can the server do (RFC 2449 §5)?
    ///
    /// # Errors
    /// [`Misuse::Busy`] if replies must come first, [`Misuse::WrongState`] before the greeting,
    /// [`Misuse::Closed`] at the end. So it is for every command.
    pub fn capa(&mut self) -> Result<CommandId, Misuse> {
        self.send(Command::Capa, Kind::Capa)
    }

    /// STLS: start TLS (RFC 2595 §4). Nothing may be in flight, and nothing can be sent until TLS is in
    /// force.
    ///
    /// # Errors
    /// As [`Self::capa`]; [`Misuse::WrongState`] if TLS is in force already, or behind UTF8.
    pub fn stls(&mut self) -> Result<CommandId, Misuse> {
        // RFC 6856 §2.1: no STLS behind UTF8.
        if self.secure || self.utf8 {
            return Err(Misuse::WrongState);
        }
        self.send(Command::Stls, Kind::Stls)
    }

    /// USER: the name of a maildrop (RFC 1939 §7).
    ///
    /// # Errors
    /// As [`Self::capa`]; [`Misuse::Plaintext`] without TLS, unless the policy allows it;
    /// [`Misuse::NotAnnounced`] for anything but ASCII, if the server does not say `UTF8 USER` (RFC 6856 §2.2).
    pub fn user(&mut self, name: &UserName) -> Result<CommandId, Misuse> {
        self.check_clear_text(true)?;
        self.check_utf8(name.as_str().as_bytes())?;
        self.send(Command::User(name.argument()), Kind::User)
    }

    /// PASS: its password (RFC 1939 §7). Not before the reply to USER is there, unless
    /// [`pipeline_user_pass`](super::Config::pipeline_user_pass) says so.
    ///
    /// # Errors
    /// As [`Self::user`].
    pub fn pass(&mut self, password: &Password) -> Result<CommandId, Misuse> {
        self.check_clear_text(true)?;
        self.check_utf8(password.argument().expose())?;
        self.send(Command::Pass(password.argument()), Kind::Pass)
    }

    /// UTF8: messages may come with UTF-8 in their header (RFC 6856 §2.1). Before the login, and behind STLS.
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn utf8(&mut self) -> Result<CommandId, Misuse> {
        self.send(Command::Utf8, Kind::Utf8)
    }

    /// LANG: speak this language (RFC 6856 §3.2), answered by [`Entry::Language`](crate::parse::Entry::Language)
    /// with the one that was chosen; without a range: which ones are there?
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn lang(&mut self, range: Option<LanguageRange<'_>>) -> Result<CommandId, Misuse> {
        let kind = if range.is_some() { Kind::Language } else { Kind::Languages };
        self.send(Command::Lang(range), kind)
    }

    /// STAT: how many messages, how many octets (RFC 1939 §5)?
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn stat(&mut self) -> Result<CommandId, Misuse> {
        self.send(Command::Stat, Kind::Stat)
    }

    /// LIST: sizes, of one message or of all (RFC 1939 §5).
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn list(&mut self, number: Option<MessageNumber>) -> Result<CommandId, Misuse> {
        let kind = if number.is_some() { Kind::OneSize } else { Kind::Sizes };
        self.send(Command::List(number), kind)
    }

    /// UIDL: unique ids, of one message or of all (RFC 1939 §7).
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn uidl(&mut self, number: Option<MessageNumber>) -> Result<CommandId, Misuse> {
        let kind = if number.is_some() { Kind::OneId } else { Kind::Ids };
        self.send(Command::Uidl(number), kind)
    }

    /// RETR: a message (RFC 1939 §5).
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn retr(&mut self, number: MessageNumber) -> Result<CommandId, Misuse> {
        self.send(Command::Retr(number), Kind::Content)
    }

    /// TOP: the header of a message and `lines` lines of its body (RFC 1939 §7).
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn top(&mut self, number: MessageNumber, lines: u64) -> Result<CommandId, Misuse> {
        self.send(Command::Top { number, lines }, Kind::Content)
    }

    /// DELE: marks a message as deleted, which QUIT makes true (RFC 1939 §5).
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn dele(&mut self, number: MessageNumber) -> Result<CommandId, Misuse> {
        self.send(Command::Dele(number), Kind::Plain)
    }

    /// RSET: unmarks all messages (RFC 1939 §5).
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn rset(&mut self) -> Result<CommandId, Misuse> {
        self.send(Command::Rset, Kind::Plain)
    }

    /// NOOP: nothing, which keeps the connection alive (RFC 1939 §5).
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn noop(&mut self) -> Result<CommandId, Misuse> {
        self.send(Command::Noop, Kind::Plain)
    }

    /// QUIT: removes marked messages and ends the session (RFC 1939 §6). Only
    /// [`QuitOutcome::Committed`](super::QuitOutcome::Committed) says that they are gone.
    ///
    /// # Errors
    /// As [`Self::capa`].
    pub fn quit(&mut self) -> Result<CommandId, Misuse> {
        self.send(Command::Quit, Kind::Quit)
    }

    /// Whether credentials may be sent on this connection.
    pub(super) fn check_clear_text(&self, clear_text: bool) -> Result<(), Misuse> {
        // RFC 2595 §4: who asked for TLS gets it before anything that matters.
        let wants_tls = self.config.tls != TlsMode::Off;
        let exposed = clear_text && !self.config.sasl.clear_text_without_tls;
        if !self.secure && (wants_tls || exposed) { Err(Misuse::Plaintext) } else { Ok(()) }
    }

    /// Whether a name or a password may be sent in these octets.
    pub(super) fn check_utf8(&self, octets: &[u8]) -> Result<(), Misuse> {
        // RFC 6856 §2.2: ASCII only, unless the server announces the argument USER.
        let announced = self.capabilities.as_ref().is_some_and(Capabilities::takes_utf8_names);
        if octets.is_ascii() || announced { Ok(()) } else { Err(Misuse::NotAnnounced) }
    }

    /// Whether a command may be sent now.
    pub(super) fn check_window(&self, kind: Kind) -> Result<(), Misuse> {
        match self.phase {
            Phase::Closed => return Err(Misuse::Closed),
            Phase::Handshake | Phase::Greeting => return Err(Misuse::WrongState),
            _ => {}
        }
        let Some(last) = self.in_flight.back() else { return Ok(()) };
        // RFC 2449 §6.6: one at a time unless PIPELINING was announced.
        let pipelining = self.capabilities.as_ref().is_some_and(|known| known.has(&Capability::Pipelining));
        let window = if pipelining { self.config.limits.pipelined } else { 1 };
        let last_of_its_kind = match last.kind {
            // What comes behind them would be read as something else.
            Kind::Stls | Kind::Auth | Kind::Quit => true,
            // PASS must not follow a USER that is refused, nor anything a PASS that is.
            Kind::User | Kind::Pass => !self.config.pipeline_user_pass,
            _ => matches!(kind, Kind::Stls | Kind::Auth),
        };
        if last_of_its_kind || self.in_flight.len() >= window || self.transmit.len() > MOST_OUTPUT {
            return Err(Misuse::Busy);
        }
        Ok(())
    }

    /// Writes a command and its line end at once, or nothing.
    pub(super) fn send(&mut self, command: Command<'_>, kind: Kind) -> Result<CommandId, Misuse> {
        self.check_window(kind)?;
        command.encode(self.transmit.buffer());
        let id = CommandId(self.next_id);
        self.next_id += 1;
        if self.in_flight.is_empty() {
            self.timers.stop(super::timers::ANSWER);
        }
        self.in_flight.push_back(InFlight { id, kind });
        self.watch();
        Ok(id)
    }
}
