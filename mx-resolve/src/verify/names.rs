//! Whether a certificate has a name.

use super::certificate::Certificate;
use crate::name::DomainName;

/// Which names of a certificate count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identifiers {
    /// DNS-IDs only: MTA-STS.
    Dns,
    /// The common name, too, if there are no DNS-IDs: DANE.
    DnsOrCommon,
}

/// Whether the certificate has one of the names.
pub(super) fn has_name(certificate: &Certificate<'_>, names: &[DomainName], which: Identifiers) -> bool {
    let matches = |presented: &[u8]| names.iter().any(|name| matches(presented, name));
    // RFC 7672 §3.2.3: the common name counts only if there are no DNS-IDs.
    if certificate.dns_names.is_empty() && which == Identifiers::DnsOrCommon {
        return certificate.common_name.is_some_and(matches);
    }
    // RFC 8461 §4.2: the name stands in a DNS-ID.
    certificate.dns_names.iter().any(|presented| matches(presented))
}

/// Whether a name in a certificate is, or stands for, a name.
fn matches(presented: &[u8], name: &DomainName) -> bool {
    match presented.strip_prefix(b"*.") {
        // RFC 7672 §3.2.3: a wildcard is the whole first label, and stands for one.
        Some(parent) => {
            let (_, behind) = name.as_str().split_once('.').unwrap_or_default();
            !parent.is_empty() && parent.eq_ignore_ascii_case(behind.as_bytes())
        }
        None => presented.eq_ignore_ascii_case(name.as_str().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn has(dns: &[&'static str], common: Option<&'static str>, name: &str, which: Identifiers) -> bool {
        let certificate = Certificate {
            dns_names: dns.iter().map(|name| name.as_bytes()).collect(),
            common_name: common.map(str::as_bytes),
            ..Certificate::default()
        };
        has_name(&certificate, &Vec::from([name.parse().unwrap()]), which)
    }

    #[test]
    fn a_wildcard_is_the_whole_first_label() {
        let has = |presented, name| has(&[presented], None, name, Identifiers::Dns);
        assert!(has("MX.Example.com", "mx.example.com") && has("*.example.com", "mx.example.com"));
        for (presented, name) in [
            ("*.example.com", "example.com"),
            ("*.example.com", "a.b.example.com"),
            ("m*.example.com", "mx.example.com"),
            ("*x.example.com", "mx.example.com"),
            ("mx.*.com", "mx.example.com"),
            ("*", "com"),
            ("*.", "com"),
            ("mx.example.com\0.evil.example", "mx.example.com"),
            ("mx.example.com.", "mx.example.com"),
            ("", "mx.example.com"),
        ] {
            assert!(!has(presented, name), "{presented} {name}");
        }
    }

    #[test]
    fn the_common_name_counts_for_dane_and_without_other_names() {
        let name = "mx.example.com";
        assert!(has(&[], Some(name), name, Identifiers::DnsOrCommon));
        assert!(!has(&[], Some(name), name, Identifiers::Dns));
        assert!(!has(&["other.example"], Some(name), name, Identifiers::DnsOrCommon));
    }
}
