//! The file of Thunderbird's autoconfiguration, `clientConfig`.

use alloc::string::String;
use alloc::vec::Vec;

use super::xml::{Part, parts};
use super::{Account, Protocol, Security, Service, Source, is_within, logins, sorted};
use crate::name::DomainName;

/// What is known of a server so far.
#[derive(Default)]
struct Server {
    protocol: Option<Protocol>,
    host: Option<String>,
    port: Option<u16>,
    security: Option<Security>,
    logins: Vec<String>,
}

/// Reads the file for an address: the servers in it, in order. `None` if it is none, or tells of no server that can be used.
#[must_use]
pub fn autoconfig(
    document: &[u8],
    local: &str,
    domain: &DomainName,
    source: Source,
    allow_plain: bool,
) -> Option<Account> {
    let (mut services, mut server, mut text) = (Vec::new(), None, String::new());
    let mut in_provider = false;
    for part in parts(document)? {
        match part {
            Part::Open { name: "emailProvider", .. } => in_provider = true,
            Part::Close { name: "emailProvider" } => in_provider = false,
            Part::Open { name: "incomingServer" | "outgoingServer", attributes } if in_provider => {
                let kind = attributes.iter().find(|(key, _)| *key == "type").map(|(_, value)| value.as_str());
                let protocol = match kind {
                    Some("imap") => Some(Protocol::Imap),
                    Some("pop3") => Some(Protocol::Pop3),
                    Some("smtp") => Some(Protocol::Submission),
                    _ => None,
                };
                server = Some(Server { protocol, ..Server::default() });
            }
            Part::Open { .. } => text.clear(),
            Part::Text(more) => text.push_str(&more),
            Part::Close { name: "incomingServer" | "outgoingServer" } => {
                services.extend(server.take().and_then(|server| service(server, local, domain, source)));
            }
            Part::Close { name } => {
                if let Some(server) = &mut server {
                    take(server, name, text.trim(), local, domain);
                }
                text.clear();
            }
        }
    }
    account(services, source, allow_plain)
}

fn take(server: &mut Server, name: &str, text: &str, local: &str, domain: &DomainName) {
    let filled = || {
        text.replace("%EMAILADDRESS%", &alloc::format!("{local}@{domain}"))
            .replace("%EMAILLOCALPART%", local)
            .replace("%EMAILDOMAIN%", domain.as_str())
    };
    match name {
        "hostname" => server.host = Some(filled()),
        "port" => server.port = text.parse().ok(),
        "socketType" => {
            server.security = match text {
                "SSL" => Some(Security::Implicit),
                "STARTTLS" => Some(Security::StartTls),
                "plain" => Some(Security::Plain),
                _ => None,
            }
        }
        "username" => server.logins.push(filled()),
        _ => {}
    }
}

fn service(server: Server, local: &str, domain: &DomainName, source: Source) -> Option<Service> {
    let host = DomainName::from_ascii(&server.host?).ok().filter(is_usable)?;
    let named = server.logins.iter().any(|login| !login.is_empty() && !login.contains(char::is_control));
    Some(Service {
        protocol: server.protocol?,
        security: server.security?,
        // What the domain says over HTTPS it says itself; what others say about it is another thing.
        needs_confirmation: source == Source::Ispdb && !is_within(&host, domain),
        host,
        port: server.port.filter(|port| *port > 0)?,
        logins: if named { server.logins } else { logins(local, domain) },
        secure: false,
    })
}

/// Whether a name may be that of a server.
pub(super) fn is_usable(host: &DomainName) -> bool {
    !host.is_address() && host.special().is_none()
}

/// The account of these services, if there are any.
pub(super) fn account(services: Vec<Service>, source: Source, allow_plain: bool) -> Option<Account> {
    let (outgoing, incoming): (Vec<_>, Vec<_>) = sorted(services, allow_plain)
        .into_iter()
        .partition(|service| service.protocol == Protocol::Submission);
    (!incoming.is_empty() || !outgoing.is_empty()).then_some(Account { source, incoming, outgoing })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="example.org">
        <domain>example.org</domain>
        <incomingServer type="imap"><hostname>imap.example.net</hostname><port>143</port><socketType>STARTTLS</socketType>
          <username>%EMAILLOCALPART%</username></incomingServer>
        <incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
          <username>%EMAILADDRESS%</username></incomingServer>
        <incomingServer type="pop3"><hostname>pop.example.org</hostname><port>110</port><socketType>plain</socketType></incomingServer>
        <incomingServer type="exchange"><hostname>x.example.org</hostname><port>1</port><socketType>SSL</socketType></incomingServer>
        <outgoingServer type="smtp"><hostname>smtp.example.org</hostname><port>587</port><socketType>STARTTLS</socketType></outgoingServer>
        </emailProvider><clientConfigUpdate url="https://x"/></clientConfig>"#;

    fn read(document: &str, source: Source, allow_plain: bool) -> Option<Vec<String>> {
        let account =
            autoconfig(document.as_bytes(), "a+b", &"example.org".parse().unwrap(), source, allow_plain)?;
        let one = |service: &Service| {
            let logins = service.logins.join("|");
            let ask = if service.needs_confirmation { " ask" } else { "" };
            alloc::format!(
                "{:?} {:?} {}:{} {logins}{ask}",
                service.protocol,
                service.security,
                service.host,
                service.port
            )
        };
        Some(account.incoming.iter().chain(&account.outgoing).map(one).collect())
    }

    #[test]
    fn servers_are_read_with_their_logins_tls_from_the_start_first() {
        let expected = [
            "Imap Implicit imap.example.org:993 a+b@example.org",
            "Imap StartTls imap.example.net:143 a+b",
            "Submission StartTls smtp.example.org:587 a+b@example.org|a+b",
        ];
        assert_eq!(read(FILE, Source::Autoconfig, false).unwrap(), expected);
        assert_eq!(read(FILE, Source::Autoconfig, true).unwrap().len(), 4);
        assert!(read(FILE, Source::Ispdb, false).unwrap()[1].ends_with(" ask"));
    }

    #[test]
    fn what_tells_of_no_server_is_nothing() {
        for document in ["", "<html></html>", "<clientConfig><emailProvider/></clientConfig>", "x"] {
            assert_eq!(read(document, Source::Autoconfig, true), None);
        }
        for host in ["localhost", "127.0.0.1", "a b", "", "x\ny"] {
            let document = FILE.replace("imap.%EMAILDOMAIN%", host);
            assert_eq!(read(&document, Source::Autoconfig, false).unwrap().len(), 2, "{host}");
        }
    }
}
