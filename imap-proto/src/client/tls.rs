//! STARTTLS and the barrier behind it (RFC 9051 §6.2.1), TLS from the start (RFC 8314 §3.2), and what TLS lets
//! a session forget.

use alloc::boxed::Box;

use mailwright_core::session::Upgraded;
use mailwright_sasl::Channel;

use super::{Client, Closed, Event, Phase, State, TlsMode};
use crate::parse::ResponseReader;

impl Client {
    /// Whether TLS is wanted and not in force, so that nothing the server says is worth anything.
    pub(super) fn awaits_tls(&self) -> bool {
        self.config.tls == TlsMode::StartTls && !self.secure
    }

    /// The server has said OK to STARTTLS; `more` octets stand behind that.
    pub(super) fn agreed_on_tls(&mut self, more: bool) {
        // RFC 9051 §6.2.1: the handshake begins behind the line end of the OK, and the client speaks first in it.
        // An OK before the command was written answers nothing.
        if more || !self.transmit.is_empty() {
            return self.close(Closed::EarlyOctets);
        }
        self.phase = Phase::Handshake;
    }

    pub(super) fn upgraded(&mut self, upgraded: Upgraded) {
        match upgraded {
            Upgraded::Tls(info) if matches!(self.phase, Phase::Handshake) => {
                self.secure = true;
                self.channel = Channel::client(&info);
                // RFC 9051 §6.2.1: what was known before TLS is discarded.
                self.capabilities = None;
                self.state = State::NotAuthenticated;
                self.reader = ResponseReader::new(self.config.limits.response.clone());
                self.tags = super::Tags::new(&mut self.seed);
                self.unread = false;
                self.timers.stop(super::timers::ANSWER);
                self.phase = if self.config.tls == TlsMode::Implicit { Phase::Greeting } else { Phase::Open };
                self.push(Event::Secured(Box::new(info)));
            }
            Upgraded::Failed(error) => self.close(Closed::Layer(error)),
            // Layers that nobody asked for.
            _ => {}
        }
    }
}
