//! STARTTLS and the barrier behind it (RFC 3207), TLS from the start (RFC 8314 §3.3).

use mailwright_core::session::Upgraded;
use mailwright_core::value::DeviationKind;
use mailwright_sasl::Channel;

use super::config::Early;
use super::replies::EARLY;
use super::{Closed, Event, Phase, Server, Timer, TlsMode};
use crate::types::{Reply, Verb};

impl Server {
    /// STARTTLS in a state where it is possible; `behind` stands behind its line.
    pub(super) fn start_tls(&mut self, behind: &[u8]) {
        if !behind.is_empty() && self.config.early.start_tls == Early::Refuse {
            return self.last_reply(EARLY, Closed::Early);
        }
        if self.tls_unavailable {
            // There is no layer to give them to: they are commands.
            if !behind.is_empty() {
                self.report_early(DeviationKind::ImproperPipelining, behind);
            }
            return self.decline(Reply::TLS_UNAVAILABLE, Some(Verb::StartTls), None);
        }
        // RFC 3207 §4: the handshake begins directly behind the line ends. What stands behind STARTTLS stays
        // in the driver's buffer, for the handshake; it is never read as commands.
        self.write(&Reply::READY_FOR_TLS);
        self.phase = Phase::Handshake;
    }

    pub(super) fn upgraded(&mut self, upgraded: Upgraded) {
        match upgraded {
            Upgraded::Tls(info) if matches!(self.phase, Phase::Handshake) => {
                // RFC 3207 §4.2: the server forgets everything it learned before TLS.
                self.client = None;
                self.extended = false;
                self.identity = None;
                self.domains.clear();
                self.reset_transaction();
                self.spoken = false;
                self.unread = false;
                self.early_reported = false;
                self.framer.reset();
                self.timers.stop(Timer::Command as usize);
                self.channel = Channel::server(&info, &self.config.sasl);
                self.tls = Some(info.clone().into());
                self.phase = Phase::Command;
                self.events.push_back(Event::Secured(info));
                if self.config.tls == TlsMode::Implicit {
                    self.begin();
                }
            }
            Upgraded::Failed(error) => self.close(Closed::Layer(error)),
            // Layers that SMTP does not have, or that nobody asked for.
            _ => {}
        }
    }
}
