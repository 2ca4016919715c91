//! [`ServerUrl`]: which server, how to speak to it, and as whom.

use core::str::FromStr;

/// A server and how to speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    pub(crate) protocol: Protocol,
    pub(crate) security: Security,
    /// As whom to log in.
    pub(crate) user: Option<String>,
    /// A name or an address, an IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl ServerUrl {
    /// Stands where the server is still to be found.
    pub(crate) const UNKNOWN: &'static str = "imaps://unknown.invalid";
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Smtp,
    Lmtp,
    Imap,
    Pop3,
}

/// How TLS comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// Asked for by a command, and nothing without it.
    StartTls,
    /// From the first octet.
    Implicit,
    /// Not at all.
    Plain,
}

/// Schemes with their usual ports (RFC 6409 §3.1, RFC 8314 §7, RFC 9051 §2.1, RFC 1939 §3; LMTP has none of its own and
/// shares that of most servers).
const SCHEMES: [(&str, Protocol, Security, u16); 10] = [
    ("smtp", Protocol::Smtp, Security::StartTls, 587),
    ("smtps", Protocol::Smtp, Security::Implicit, 465),
    ("smtp+plain", Protocol::Smtp, Security::Plain, 587),
    ("lmtp+plain", Protocol::Lmtp, Security::Plain, 24),
    ("imap", Protocol::Imap, Security::StartTls, 143),
    ("imaps", Protocol::Imap, Security::Implicit, 993),
    ("imap+plain", Protocol::Imap, Security::Plain, 143),
    ("pop3", Protocol::Pop3, Security::StartTls, 110),
    ("pop3s", Protocol::Pop3, Security::Implicit, 995),
    ("pop3+plain", Protocol::Pop3, Security::Plain, 110),
];

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("a server is SCHEME://[USER@]HOST[:PORT]")?;
        let scheme = scheme.to_ascii_lowercase();
        let &(_, protocol, security, usual_port) =
            SCHEMES.iter().find(|(name, ..)| *name == scheme).ok_or_else(|| {
                let names: Vec<_> = SCHEMES.iter().map(|(name, ..)| *name).collect();
                format!("unknown scheme; known are {}", names.join(", "))
            })?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err("nothing may follow the host and the port".to_owned());
        }
        let (user, host) = match authority.rsplit_once('@') {
            None => (None, authority),
            // RFC 3986 §3.2.1: a password in a URL is seen by everybody who sees the command line.
            Some((user, _)) if user.contains(':') => {
                return Err("no password in the URL: use --password-file, --password-env or the prompt; \
                            a colon in a name is %3A"
                    .to_owned());
            }
            Some((user, host)) => (Some(decoded(user)?), host),
        };
        let (host, port) = split_port(host)?;
        Ok(Self { protocol, security, user, host, port: port.unwrap_or(usual_port) })
    }
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
fn split_port(host: &str) -> Result<(String, Option<u16>), String> {
    let (name, port) = match host.strip_prefix('[') {
        Some(literal) => {
            let (address, behind) =
                literal.split_once(']').ok_or("the bracket of the address is not closed")?;
            let _: core::net::Ipv6Addr =
                address.parse().map_err(|_| "only an IPv6 address stands in brackets".to_owned())?;
            match behind.strip_prefix(':') {
                None if behind.is_empty() => (address, None),
                None => return Err("only a port may stand behind the brackets".to_owned()),
                Some(port) => (address, Some(port)),
            }
        }
        None => match host.split_once(':') {
            None => (host, None),
            Some((name, port)) => (name, Some(port)),
        },
    };
    if name.is_empty() {
        return Err("the host is missing".to_owned());
    }
    let number = |port: &str| match port.parse::<u16>() {
        Ok(number) if number > 0 && port.bytes().all(|digit| digit.is_ascii_digit()) => Ok(number),
        _ => Err("a port is a number from 1 to 65535".to_owned()),
    };
    Ok((name.to_owned(), port.map(number).transpose()?))
}

/// RFC 3986 §2.1: `%` and two hexadecimal digits stand for an octet.
fn decoded(text: &str) -> Result<String, String> {
    let wrong = || "the user is not percent-encoded UTF-8".to_owned();
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(wrong()) };
        octets.push(high << 4 | low);
    }
    match String::from_utf8(octets) {
        Ok(user) if user.is_empty() => Err("the user is missing before the @".to_owned()),
        Ok(user) => Ok(user),
        Err(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ServerUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_says_protocol_security_user_host_and_port() {
        let full = url("pop3s://alice%40example.org@mail.example.org:1995/");
        assert_eq!(full.user.as_deref(), Some("alice@example.org"));
        assert_eq!((full.protocol, full.security), (Protocol::Pop3, Security::Implicit));
        assert_eq!((full.host.as_str(), full.port), ("mail.example.org", 1995));
        assert_eq!(url("SMTP+plain://h").security, Security::Plain);
    }

    #[test]
    fn each_scheme_has_its_usual_port() {
        for (scheme, port) in
            [("smtp", 587), ("smtps", 465), ("imap", 143), ("imaps", 993), ("pop3", 110), ("pop3s", 995)]
        {
            assert_eq!(url(&format!("{scheme}://h")).port, port);
        }
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        let server = url("smtps://[::1]:8465");
        assert_eq!((server.host.as_str(), server.port), ("::1", 8465));
        assert_eq!(url("smtps://[::1]").port, 465);
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in [
            "mail.example.org",
            "http://h",
            "imap://",
            "smtp://",
            "smtp://h:0",
            "smtp://h:65536",
            "smtp://h:+1",
            "smtp://h:",
            "smtp://u:p@h",
            "smtp://@h",
            "smtp://u%4@h",
            "smtp://u%ff@h",
            "smtp://h/path",
            "smtp://h?x",
            "smtp://[::1",
            "smtp://[::1]x",
            "smtp://[h]",
        ] {
            assert!(text.parse::<ServerUrl>().is_err(), "{text}");
        }
    }
}
