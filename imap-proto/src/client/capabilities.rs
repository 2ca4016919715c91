//! What the server can do: RFC 9051 §6.1.1, §7.2.2. What it says in the greeting, in the completion of a
//! log-in, and when it is asked; each says all, so the last one counts.

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_sasl::MechanismName;

use super::Client;
use crate::encode::LiteralPolicy;
use crate::types::Capability;

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
        // Copies: a few words must not keep the input alive.
        let copy =
            |capability: &Capability| Capability::new(Bytes::copy_from_slice(capability.as_str().as_bytes()));
        let most = self.config.limits.capabilities;
        self.capabilities = Some(capabilities.iter().take(most).filter_map(copy).collect());
        self.outdated = false;
    }
}
