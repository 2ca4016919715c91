//! Layers below the session, and the barrier where each comes or goes: STARTTLS (RFC 9051 §6.2.1), TLS from the
//! start (RFC 8314 §3.2), COMPRESS (RFC 4978 §3), and its end at UNAUTHENTICATE (RFC 8437 §4.1). What TLS lets a
//! session forget, and what UNAUTHENTICATE does.

use alloc::boxed::Box;
use alloc::vec::Vec;

use mailwright_core::session::{Layer, Upgraded};
use mailwright_sasl::Channel;

use super::{Client, Closed, Event, Phase, State, TlsMode};
use crate::parse::ResponseReader;

impl Client {
    /// Whether TLS is wanted and not in force, so that nothing the server says is worth anything.
    pub(super) fn awaits_tls(&self) -> bool {
        self.config.tls == TlsMode::StartTls && !self.secure
    }

    /// Whether DEFLATE is in force (RFC 4978).
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The server has said OK to STARTTLS; `more` octets stand behind that.
    pub(super) fn agreed_on_tls(&mut self, more: bool) {
        // RFC 9051 §6.2.1: the handshake begins behind the line end of the OK, and the client speaks first in it.
        // An OK before the command was written answers nothing.
        if more || !self.transmit.is_empty() {
            return self.close(Closed::EarlyOctets);
        }
        self.phase = Phase::Upgrade(Layer::Tls);
    }

    /// The server has said OK to COMPRESS. What stands behind that is compressed.
    pub(super) fn agreed_on_deflate(&mut self) {
        // What is not written cannot have been agreed on.
        if !self.transmit.is_empty() {
            return self.close(Closed::Premature);
        }
        // RFC 4978 §3: the server compresses at once behind the line end of its OK, and so does the client.
        self.phase = Phase::Upgrade(Layer::Deflate);
    }

    /// The server has said OK to UNAUTHENTICATE: RFC 8437 §3, §4.1. TLS stays, all else ends.
    pub(super) fn unauthenticated(&mut self) {
        self.state = State::NotAuthenticated;
        self.capabilities = None;
        self.forget_enabled();
        if self.compressed {
            // Nothing was sent behind the command, so it is all the same when the client's own layer ends.
            self.phase = Phase::Upgrade(Layer::DeflateEnd);
        }
    }

    /// What ENABLE has brought is over.
    pub(super) fn forget_enabled(&mut self) {
        self.enabled = Vec::new();
        self.reader.limits_mut().utf8 = self.config.limits.response.utf8;
    }

    pub(super) fn upgraded(&mut self, upgraded: Upgraded) {
        match (upgraded, &self.phase) {
            (Upgraded::Tls(info), Phase::Upgrade(Layer::Tls)) => {
                self.secure = true;
                self.channel = Channel::client(&info);
                // RFC 9051 §6.2.1: what was known before TLS is discarded.
                self.capabilities = None;
                self.broken = Vec::new();
                self.compressed_elsewhere = false;
                self.state = State::NotAuthenticated;
                self.reader = ResponseReader::new(self.config.limits.response.clone());
                self.tags = super::Tags::new(&mut self.seed);
                self.unread = false;
                let implicit = self.config.tls == TlsMode::Implicit;
                self.goes_on(if implicit { Phase::Greeting } else { Phase::Open });
                self.push(Event::Secured(Box::new(info)));
            }
            (Upgraded::Deflate, Phase::Upgrade(Layer::Deflate)) => {
                self.compressed = true;
                self.goes_on(Phase::Open);
                self.push(Event::Compressed);
            }
            (Upgraded::DeflateEnd, Phase::Upgrade(Layer::DeflateEnd)) => {
                self.compressed = false;
                self.goes_on(Phase::Open);
                self.push(Event::Uncompressed);
            }
            (Upgraded::Failed(error), _) => self.close(Closed::Layer(error)),
            // Layers that nobody asked for.
            _ => {}
        }
    }

    fn goes_on(&mut self, phase: Phase) {
        self.timers.stop(super::timers::ANSWER);
        self.phase = phase;
    }
}
