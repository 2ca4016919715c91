//! What is announced, as a function of configuration and state. RFC 9051 §6.1.1, §7.2.2.

use alloc::format;
use alloc::vec::Vec;

use super::{Server, TlsMode};
use crate::types::Capability;

impl Server {
    /// What the server can do in the present state.
    #[must_use]
    pub fn capabilities(&self) -> Vec<Capability> {
        let mut names: Vec<Capability> = Vec::new();
        let mut add = |name: &str| names.extend(Capability::new(alloc::string::String::from(name)));
        // RFC 7888 §4: LITERAL+ holds in every state. RFC 4959: SASL-IR.
        for name in ["IMAP4rev1", "LITERAL+", "SASL-IR", "ID"] {
            add(name);
        }
        if self.identity.is_some() {
            for name in
                ["CHILDREN", "IDLE", "MOVE", "NAMESPACE", "SPECIAL-USE", "STATUS=SIZE", "UIDPLUS", "UNSELECT"]
            {
                add(name);
            }
            // RFC 7889 §2
            add(&format!("APPENDLIMIT={}", self.config.limits.append));
            return names;
        }
        if self.offers_start_tls() {
            add("STARTTLS");
        }
        // RFC 9051 §6.2.3: a client must not send its password where this stands.
        if !self.may_login() {
            add("LOGINDISABLED");
        }
        for mechanism in self.config.offers.permitted(&self.channel) {
            add(&format!("AUTH={mechanism}"));
        }
        names
    }

    pub(super) fn offers_start_tls(&self) -> bool {
        self.config.tls == TlsMode::StartTls && self.tls.is_none() && self.identity.is_none()
    }

    /// Whether a password may travel in clear text now.
    pub(super) fn clear_text_allowed(&self) -> bool {
        self.tls.is_some() || self.config.clear_text_without_tls
    }
}
