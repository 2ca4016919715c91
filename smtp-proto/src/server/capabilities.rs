//! What a server announces, as a function of data: RFC 5321 §4.1.1.1, and the RFC of each extension.

use mailwright_sasl::Channel;

use super::config::{Config, TlsMode};
use crate::types::{Arguments, Capabilities, Extension};

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
    if config.eight_bit_mime() {
        capabilities.push(Extension::EightBitMime);
    }
    if config.smtp_utf8 {
        capabilities.push(Extension::SmtpUtf8);
    }
    if config.chunking {
        capabilities.push(Extension::Chunking);
    }
    if config.binary_mime() {
        capabilities.push(Extension::BinaryMime);
    }
    capabilities.push(Extension::EnhancedStatusCodes);
    // RFC 3461 §5: who announces it obeys all of it.
    if config.dsn {
        capabilities.push(Extension::Dsn);
    }
    // RFC 5321 §3.5.2: who expands lists says so.
    let asked = [
        (config.ask.expand, Extension::Expn),
        (config.ask.etrn, Extension::Etrn),
        (config.ask.atrn, Extension::Atrn(Arguments::default())),
    ];
    asked.into_iter().filter(|(asked, _)| *asked).for_each(|(_, extension)| capabilities.push(extension));
    promises(config, &mut capabilities);
    // RFC 8689 §2: only in TLS.
    if config.requiretls && facts.tls {
        capabilities.push(Extension::RequireTls);
    }
    config.announced_limits().to_extension().into_iter().for_each(|limits| capabilities.push(limits));
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

/// What only a queue that obeys may announce: RFC 2852 §4.1, RFC 4865 §4.2.
fn promises(config: &Config, capabilities: &mut Capabilities) {
    let promises = &config.promises;
    if let Some(least) = promises.deliver_by {
        let least = Some(least).filter(|&least| least > 0);
        // A number is a word of printable ASCII.
        let arguments = Arguments::new(least.map(|least| alloc::format!("{least}"))).unwrap_or_default();
        capabilities.push(Extension::DeliverBy(arguments));
    }
    if let Some(release) = config.future_release() {
        capabilities.push(release.to_extension());
    }
    if let Some(policy) = &promises.mt_priority {
        capabilities.push(Extension::MtPriority(policy.clone()));
    }
    if promises.rrvs {
        capabilities.push(Extension::Rrvs);
    }
    if promises.message_tracking {
        capabilities.push(Extension::Mtrk);
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use mailwright_sasl::{MechanismName, Offers};

    use super::*;
    use crate::types::{FutureRelease, HoldInterval};

    fn lines(config: &Config, tls: bool, authenticated: bool) -> Vec<String> {
        capabilities(config, Facts { tls, authenticated, channel: None })
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_is_announced_follows_from_configuration_and_situation() {
        let mut config = Config::new("mx.example.org").unwrap();
        config.announce_limits = false;
        let base = ["PIPELINING", "SIZE 36700160", "8BITMIME", "CHUNKING", "ENHANCEDSTATUSCODES"];
        assert_eq!(lines(&config, false, false), base);
        config.tls = TlsMode::StartTls;
        config.offers = Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]);
        assert_eq!(lines(&config, false, false)[5..], ["STARTTLS"]);
        assert_eq!(lines(&config, true, false)[5..], ["AUTH PLAIN LOGIN"]);
        assert_eq!(lines(&config, true, true), base);
        config.allow_plaintext_authentication = true;
        assert_eq!(lines(&config, false, false)[5..], ["STARTTLS", "AUTH PLAIN LOGIN"]);
        config.dsn = true;
        assert_eq!(lines(&config, true, true)[5..], ["DSN"]);
        config.dsn = false;
        config.pipelining = false;
        config.eight_bit_mime = false;
        config.chunking = false;
        config.limits.message = 0;
        assert_eq!(lines(&config, true, true), ["SIZE", "ENHANCEDSTATUSCODES"]);
    }

    #[test]
    fn the_limits_that_are_announced_are_those_that_are_kept() {
        let mut config = Config::new("mx.example.org").unwrap();
        let limits = |config: &Config| lines(config, false, false).pop().unwrap();
        assert_eq!(limits(&config), "LIMITS MAILMAX=1000 RCPTMAX=1000");
        config.limits.transactions = 5;
        config.limits.recipients = 10;
        config.limits.recipient_domains = 3;
        assert_eq!(limits(&config), "LIMITS MAILMAX=5 RCPTMAX=100 RCPTDOMAINMAX=3");
    }

    #[test]
    fn extensions_that_need_another_bring_it_or_wait_for_it() {
        let mut config = Config::new("mx.example.org").unwrap();
        config.eight_bit_mime = false;
        config.smtp_utf8 = true;
        config.binary_mime = true;
        config.requiretls = true;
        let has =
            |config: &Config, tls, line: &str| lines(config, tls, true).iter().any(|found| found == line);
        assert!(has(&config, false, "8BITMIME") && has(&config, false, "SMTPUTF8"));
        assert!(has(&config, false, "CHUNKING") && has(&config, false, "BINARYMIME"));
        assert!(!has(&config, false, "REQUIRETLS") && has(&config, true, "REQUIRETLS"));
        config.chunking = false;
        assert!(!has(&config, false, "BINARYMIME"));
    }

    #[test]
    fn what_a_queue_must_obey_is_announced_where_the_host_promises_it() {
        let mut config = Config::new("mx.example.org").unwrap();
        let found = lines(&config, true, true);
        for keyword in ["DELIVERBY", "FUTURERELEASE", "MT-PRIORITY", "RRVS", "MTRK", "EXPN", "ETRN", "ATRN"] {
            assert!(!found.iter().any(|line| line.starts_with(keyword)), "{keyword}");
        }
        config.promises.deliver_by = Some(0);
        config.promises.future_release = Some(FutureRelease {
            interval: HoldInterval::MAX,
            until: "2030-01-01T00:00:00Z".parse().unwrap(),
        });
        config.promises.mt_priority = Some(Arguments::new(["MIXER"]).unwrap());
        config.promises.rrvs = true;
        config.promises.message_tracking = true;
        config.ask.expand = true;
        config.ask.etrn = true;
        config.ask.atrn = true;
        let expected = ["EXPN", "ETRN", "ATRN", "DELIVERBY", "MT-PRIORITY MIXER", "RRVS", "MTRK"];
        assert_eq!(lines(&config, true, true)[5..12], expected);
        config.promises.deliver_by = Some(60);
        config.protocol = crate::server::Protocol::Submission;
        let expected = ["DELIVERBY 60", "FUTURERELEASE 999999999 2030-01-01T00:00:00Z"];
        assert_eq!(lines(&config, true, true)[8..10], expected);
    }
}
