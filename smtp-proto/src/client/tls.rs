//! STARTTLS: RFC 3207. Whether TLS is asked for, and the barrier that no plaintext passes.

use mailwright_core::session::{TlsInfo, Upgraded};
use mailwright_sasl::Channel;

use super::event::{Awaited, Closed, Event};
use super::greeting::Hello;
use super::{Client, Phase, Sent, TlsMode};
use crate::types::{Capabilities, Reply, ReplyCode};

impl Client {
    /// After EHLO: asks for TLS, or is ready.
    pub(super) fn negotiate_tls(&mut self) {
        // RFC 3207 §4.2: STARTTLS is not offered in TLS; a server that does all the same is not obeyed.
        let wanted = match self.config.tls {
            TlsMode::Opportunistic | TlsMode::Required => self.tls.is_none(),
            TlsMode::None | TlsMode::Implicit => false,
        };
        if !wanted {
            self.ready();
        } else if self.capabilities.start_tls() {
            self.transmit.put(b"STARTTLS\r\n");
            self.sent(Sent::StartTls);
        } else if self.config.tls == TlsMode::Required {
            self.transmit.put(b"QUIT\r\n");
            self.close(Closed::TlsNotOffered);
        } else {
            self.ready();
        }
    }

    /// The reply to STARTTLS.
    pub(super) fn start_tls_answered(&mut self, reply: Reply) {
        if reply.code() == ReplyCode::READY {
            // RFC 3207 §4.2: whatever was learned before the handshake is forgotten. The caller sees to it that
            // nothing stands behind this reply.
            self.capabilities = Capabilities::new();
            self.phase = Phase::Handshake { implicit: false };
        } else if reply.is_positive() || reply.is_intermediate() {
            self.close(Closed::Unexpected(Awaited::StartTls, reply));
        } else if self.config.tls == TlsMode::Required {
            // RFC 3207 §4: a client that needs TLS gives up here, whoever made the server say no.
            self.farewell(&reply);
            self.close(Closed::TlsRefused(reply));
        } else {
            self.events.push_back(Event::TlsDeclined(reply));
            self.ready();
        }
    }

    /// News of the layer below.
    pub(super) fn upgraded(&mut self, upgraded: Upgraded) {
        match (upgraded, &self.phase) {
            (_, Phase::Closed) => {}
            (Upgraded::Failed(error), _) => self.close(Closed::Layer(error)),
            (Upgraded::Tls(info), Phase::Handshake { implicit }) => {
                let implicit = *implicit;
                self.secured(info);
                if implicit {
                    self.phase = Phase::Greeting;
                } else {
                    self.phase = Phase::Opening;
                    self.hello(Hello::Extended);
                }
            }
            // A layer that was not asked for.
            _ => {}
        }
    }

    fn secured(&mut self, info: TlsInfo) {
        self.channel = Channel::client(&info);
        self.tls = Some(info.into());
        self.reader.reset();
    }

    fn ready(&mut self) {
        self.phase = Phase::Ready;
        self.events.push_back(Event::Ready);
    }
}
