//! STLS and the barrier behind it (RFC 2595 §4), TLS from the start (RFC 8314 §3), and what TLS lets a
//! session forget.

use alloc::boxed::Box;

use mailwright_core::session::Upgraded;
use mailwright_core::wire::LineEnd;
use mailwright_sasl::Channel;

use super::{Client, Closed, Event, Phase};
use crate::config::TlsMode;

impl Client {
    /// The server has said `+OK` to STLS; `more` octets stand behind that.
    pub(super) fn agreed_on_tls(&mut self, more: bool) {
        // RFC 2595 §4: the client speaks first in the handshake, so whatever stands here is no answer to
        // anything, and may be an attacker's.
        if more {
            return self.close(Closed::EarlyOctets);
        }
        self.phase = Phase::Handshake;
    }

    pub(super) fn upgraded(&mut self, upgraded: Upgraded) {
        match upgraded {
            Upgraded::Tls(info) if matches!(self.phase, Phase::Handshake) => {
                self.secure = true;
                self.channel = Channel::client(&info);
                // RFC 2595 §4: what was known before TLS is discarded.
                self.capabilities = None;
                self.unread = false;
                self.framer.reset();
                if self.config.tls != TlsMode::Implicit {
                    // Nor is TLS read by what the greeting before it was like.
                    self.read_lines_to(LineEnd::CrLf);
                }
                self.timers.stop(super::timers::ANSWER);
                self.phase =
                    if self.config.tls == TlsMode::Implicit { Phase::Greeting } else { Phase::Replies };
                self.events.push(Event::Secured(Box::new(info)));
            }
            Upgraded::Failed(error) => self.close(Closed::Layer(error)),
            // Layers that POP3 does not have, or that nobody asked for.
            _ => {}
        }
    }
}
