//! STLS and the barrier behind it (RFC 2595 §4), TLS from the start (RFC 8314 §3), and what TLS lets a
//! session forget.

use alloc::boxed::Box;

use mailwright_core::session::Upgraded;
use mailwright_sasl::Channel;

use super::{Closed, EarlyOctets, Event, Phase, Phrase, Server};
use crate::config::TlsMode;

impl Server {
    /// Whether STLS would be accepted, and so is announced.
    pub(super) fn offers_stls(&self) -> bool {
        // RFC 6856 §2.1: no STLS behind UTF8.
        self.config.tls == TlsMode::StartTls && !self.secure && self.snapshot.is_none() && !self.utf8
    }

    /// STLS; `more` octets stand behind its line already.
    pub(super) fn stls(&mut self, more: bool) {
        if !self.offers_stls() {
            let phrase = if self.secure {
                Phrase::TlsActive
            } else if self.config.tls == TlsMode::StartTls {
                Phrase::NoTlsBehindUtf8
            } else {
                Phrase::NoTls
            };
            return self.err(None, phrase);
        }
        if more && self.config.early_octets == EarlyOctets::Refuse {
            self.err(None, Phrase::EarlyOctets);
            return self.close(Closed::EarlyOctets);
        }
        // RFC 2595 §4: the negotiation begins directly behind the line end of the reply. What stands
        // behind STLS in the buffer stays there, for the handshake; it is never read as commands.
        self.ok(Phrase::BeginTls);
        self.phase = Phase::Handshake;
    }

    pub(super) fn upgraded(&mut self, upgraded: Upgraded) {
        match upgraded {
            Upgraded::Tls(info) if matches!(self.phase, Phase::Handshake) => {
                // RFC 2595 §4: the server discards what it learned before TLS.
                self.secure = true;
                self.channel = Channel::server(&info, &self.config.sasl);
                self.user = None;
                self.utf8 = false;
                self.language = None;
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
