//! What the server can do: RFC 9051 §6.1.1, §7.2.2. What it says in the greeting, in the completion of a
//! log-in, and when it is asked; each says all, so the last one counts.

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_sasl::MechanismName;

use super::Client;
use crate::encode::LiteralPolicy;
use crate::types::{Capability, Verb};

/// Names of ENABLED that are kept; nobody asks for as many.
const MOST_ENABLED: usize = 64;

impl Client {
    /// What the server announced last; `None` if it said nothing since the connection, TLS or the log-in
    /// came about: ask with [`Command::Capability`](crate::types::Command::Capability).
    #[must_use]
    pub fn capabilities(&self) -> Option<&[Capability]> {
        self.capabilities.as_deref()
    }

    /// Says what the server can do, for a host that knows better.
    pub fn set_capabilities(&mut self, capabilities: Vec<Capability>) {
        self.capabilities = Some(capabilities);
    }

    /// Whether the server announces `name`. What is not known to be is not.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.capabilities.as_deref().is_some_and(|known| known.iter().any(|capability| capability.is(name)))
    }

    /// What ENABLE has brought, by what the server has said since the log-in.
    #[must_use]
    pub fn enabled(&self) -> &[Capability] {
        &self.enabled
    }

    /// Whether `name` is enabled. QRESYNC includes CONDSTORE (RFC 7162 §3.2.3).
    #[must_use]
    pub fn is_enabled(&self, name: &str) -> bool {
        let is = |name: &str| self.enabled.iter().any(|capability| capability.is(name));
        is(name) || name.eq_ignore_ascii_case("CONDSTORE") && is("QRESYNC")
    }

    /// The server has enabled these.
    pub(super) fn learn_enabled(&mut self, capabilities: &[Capability]) {
        // RFC 5161 §3.2: ENABLED answers ENABLE, and nothing else enables.
        if self.in_flight.iter().all(|command| command.verb != Verb::Enable) {
            return;
        }
        for capability in capabilities {
            if self.enabled.len() < MOST_ENABLED && !self.enabled.contains(capability) {
                self.enabled.extend(detached(capability));
            }
        }
        // RFC 6855 §3, RFC 9051 App. A: from here on in both directions.
        if self.is_enabled("UTF8=ACCEPT") || self.is_enabled("IMAP4rev2") {
            self.reader.limits_mut().utf8 = true;
        }
    }

    /// Whether the server announces `name`, or IMAP4rev2, which includes it.
    pub(super) fn has_or_rev2(&self, name: &str) -> bool {
        self.has(name) || self.has("IMAP4rev2")
    }

    /// The SASL mechanisms that the server announces.
    #[must_use]
    pub fn mechanisms(&self) -> Vec<MechanismName> {
        let known = self.capabilities.as_deref().unwrap_or_default();
        let name = |capability: &Capability| {
            let (prefix, name) = capability.as_str().split_at_checked("AUTH=".len())?;
            prefix.eq_ignore_ascii_case("AUTH=").then(|| MechanismName::parse(name.as_bytes()).ok())?
        };
        known.iter().filter_map(name).collect()
    }

    /// The octets of a message that the server takes at most, if it says so (RFC 7889 §4).
    #[must_use]
    pub fn append_limit(&self) -> Option<u64> {
        let known = self.capabilities.as_deref().unwrap_or_default();
        known.iter().find_map(|capability| {
            let (prefix, limit) = capability.as_str().split_at_checked("APPENDLIMIT=".len())?;
            prefix.eq_ignore_ascii_case("APPENDLIMIT=").then(|| limit.parse().ok())?
        })
    }

    /// Which literals go without the server's consent.
    pub(super) fn literal_policy(&self) -> LiteralPolicy {
        // RFC 7888 §5; RFC 9051 App. E: LITERAL- is part of IMAP4rev2.
        if self.has("LITERAL+") {
            LiteralPolicy::All
        } else if self.has_or_rev2("LITERAL-") {
            LiteralPolicy::Small
        } else {
            LiteralPolicy::Synchronising
        }
    }

    pub(super) fn learn(&mut self, capabilities: &[Capability]) {
        let most = self.config.limits.capabilities;
        self.capabilities = Some(capabilities.iter().take(most).filter_map(detached).collect());
        self.outdated = false;
    }
}

/// A copy: a few words must not keep the input alive.
fn detached(capability: &Capability) -> Option<Capability> {
    Capability::new(Bytes::copy_from_slice(capability.as_str().as_bytes()))
}
