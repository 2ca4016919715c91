//! STLS and the barrier behind it (RFC 2595 §4), TLS from the start (RFC 8314 §3), and what TLS lets a
//! session forget.

use alloc::boxed::Box;

use mailwright_core::session::Upgraded;
use mailwright_sasl::Channel;

use super::{Closed, EarlyOctets, Event, Phase, Server};
use crate::config::TlsMode;

impl Server {
    /// Whether STLS would be accepted, and so is announced.
    pub(super) fn offers_stls(&self) -> bool {
        self.config.tls == TlsMode::StartTls && !self.secure && self.snapshot.is_none()
    }

    /// STLS; `more` octets stand behind its line already.
    pub(super) fn stls(&mut self, more: bool) {
        if !self.offers_stls() {
            return self.err(None, if self.secure { "TLS is active already" } else { "no TLS here" });
        }
        if more && self.config.early_octets == EarlyOctets::Refuse {
            self.err(None, "octets behind STLS");
            return self.close(Closed::EarlyOctets);
        }
        // RFC 2595 §4: the negotiation begins directly behind the line end of the reply. What stands
        // behind STLS in the buffer stays there, for the handshake; it is never read as commands.
        self.ok("begin TLS");
        self.phase = Phase::Handshake;
    }

    pub(super) fn upgraded(&mut self, upgraded: Upgraded) {
        match upgraded {
            Upgraded::Tls(info) if matches!(self.phase, Phase::Handshake) => {
                // RFC 2595 §4: the server discards what it learned before TLS.
                self.secure = true;
                self.channel = Channel::server(&info, &self.config.sasl);
                self.user = None;
                self.errors = 0;
                self.failures = 0;
                self.spoken = false;
                self.unread = false;
                self.framer.reset();
                self.phase = Phase::Command;
                self.await_command();
                self.events.push(Event::Secured(Box::new(info)));
                if self.config.tls == TlsMode::Implicit {
                    self.greet();
                }
            }
            Upgraded::Failed(error) => self.close(Closed::Layer(error)),
            // Layers that POP3 does not have, or that nobody asked for.
            _ => {}
        }
    }
}
