//! What a server announces, as a function of data: RFC 5321 §4.1.1.1, and the RFC of each extension.

use mailwright_sasl::Channel;

use super::config::{Config, TlsMode};
use crate::types::{Capabilities, Extension};

/// What a session knows that decides what it announces.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Facts<'a> {
    /// TLS is in force.
    pub tls: bool,
    /// The client is authenticated.
    pub authenticated: bool,
    /// What SASL may know of the connection. Without it nothing binds to the channel, and the layer below has not
    /// proved who the client is.
    pub channel: Option<&'a Channel>,
}

/// The extensions that a server with this configuration announces in this situation.
#[must_use]
pub fn capabilities(config: &Config, facts: Facts<'_>) -> Capabilities {
    let mut capabilities = Capabilities::new();
    // RFC 2033 §5: LMTP servers must have PIPELINING, ENHANCEDSTATUSCODES and should have 8BITMIME.
    if config.pipelining || config.is_lmtp() {
        capabilities.push(Extension::Pipelining);
    }
    capabilities.push(Extension::Size(Some(config.limits.message).filter(|&limit| limit > 0)));
    if config.eight_bit_mime {
        capabilities.push(Extension::EightBitMime);
    }
    capabilities.push(Extension::EnhancedStatusCodes);
    // RFC 3461 §5: who announces it obeys all of it.
    if config.dsn {
        capabilities.push(Extension::Dsn);
    }
    // RFC 3207 §4.2: never once TLS is active.
    if config.tls == TlsMode::StartTls && !facts.tls {
        capabilities.push(Extension::StartTls);
    }
    // RFC 4954 §4: no second AUTH after success; no plaintext mechanism without TLS.
    if !facts.authenticated {
        let clear_text = facts.tls || config.allow_plaintext_authentication;
        let channel = Channel::new(clear_text);
        let names = config.offers.permitted(facts.channel.unwrap_or(&channel));
        let names: alloc::vec::Vec<_> = names.map(|name| alloc::string::ToString::to_string(&name)).collect();
        if !names.is_empty() {
            // Mechanism names are printable ASCII words.
            Extension::auth(names).into_iter().for_each(|auth| capabilities.push(auth));
        }
    }
    capabilities
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use mailwright_sasl::{MechanismName, Offers};

    use super::*;

    fn lines(config: &Config, tls: bool, authenticated: bool) -> Vec<String> {
        capabilities(config, Facts { tls, authenticated, channel: None })
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_is_announced_follows_from_configuration_and_situation() {
        let mut config = Config::new("mx.example.org").unwrap();
        let base = ["PIPELINING", "SIZE 36700160", "8BITMIME", "ENHANCEDSTATUSCODES"];
        assert_eq!(lines(&config, false, false), base);
        config.tls = TlsMode::StartTls;
        config.offers = Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]);
        assert_eq!(lines(&config, false, false)[4..], ["STARTTLS"]);
        assert_eq!(lines(&config, true, false)[4..], ["AUTH PLAIN LOGIN"]);
        assert_eq!(lines(&config, true, true), base);
        config.allow_plaintext_authentication = true;
        assert_eq!(lines(&config, false, false)[4..], ["STARTTLS", "AUTH PLAIN LOGIN"]);
        config.dsn = true;
        assert_eq!(lines(&config, true, true)[4..], ["DSN"]);
        config.dsn = false;
        config.pipelining = false;
        config.eight_bit_mime = false;
        config.limits.message = 0;
        assert_eq!(lines(&config, true, true), ["SIZE", "ENHANCEDSTATUSCODES"]);
    }
}
