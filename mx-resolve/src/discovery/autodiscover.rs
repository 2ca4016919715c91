//! The file of Microsoft's Autodiscover, as much as it tells of IMAP, POP3 and SMTP.

use alloc::string::String;
use alloc::vec::Vec;

use super::autoconfig::{account, is_usable};
use super::xml::{Part, parts};
use super::{Account, Protocol, Security, Service, Source, logins};
use crate::name::DomainName;

/// What is asked with POST for an address.
pub(crate) fn request(local: &str, domain: &DomainName) -> String {
    let escaped = local.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    alloc::format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request>\
         <EMailAddress>{escaped}@{domain}</EMailAddress>\
         <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\
         </AcceptableResponseSchema></Request></Autodiscover>"
    )
}

/// Reads the file for an address. `None` if it is none, sends elsewhere, or tells of no server that can be used.
#[must_use]
pub fn autodiscover(
    document: &[u8],
    local: &str,
    domain: &DomainName,
    source: Source,
    allow_plain: bool,
) -> Option<Account> {
    let (mut services, mut text) = (Vec::new(), String::new());
    let mut fields: Option<Vec<(&str, String)>> = None;
    for part in parts(document)? {
        match part {
            Part::Open { name: "Protocol", .. } => fields = Some(Vec::new()),
            Part::Open { .. } => text.clear(),
            Part::Text(more) => text.push_str(&more),
            Part::Close { name: "Protocol" } => {
                services.extend(fields.take().and_then(|fields| service(&fields, local, domain)));
            }
            Part::Close { name } => {
                if let Some(fields) = &mut fields {
                    fields.push((name, String::from(text.trim())));
                }
                text.clear();
            }
        }
    }
    account(services, source, allow_plain)
}

fn service(fields: &[(&str, String)], local: &str, domain: &DomainName) -> Option<Service> {
    let field = |name: &str| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    let (protocol, usual) = match field("Type")? {
        "IMAP" => (Protocol::Imap, 143),
        "POP3" => (Protocol::Pop3, 110),
        "SMTP" => (Protocol::Submission, 587),
        _ => return None,
    };
    let host = DomainName::from_ascii(field("Server")?).ok().filter(is_usable)?;
    let port = field("Port")?.parse().ok().filter(|port| *port > 0)?;
    let is_off = |value: &str| value.eq_ignore_ascii_case("off");
    let security = match field("Encryption") {
        Some("SSL") => Security::Implicit,
        Some("TLS") => Security::StartTls,
        Some("None") => Security::Plain,
        _ if field("SSL").is_some_and(is_off) => Security::Plain,
        // TLS there is; at the usual port of the protocol it comes in by a command.
        _ if port == usual => Security::StartTls,
        _ => Security::Implicit,
    };
    let login = field("LoginName").filter(|login| !login.is_empty() && !login.contains(char::is_control));
    let logins = login.map_or_else(|| logins(local, domain), |login| Vec::from([login.into()]));
    Some(Service { protocol, security, host, port, logins, needs_confirmation: false, secure: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_read_with_what_is_left_out() {
        let file = "<Autodiscover xmlns='x'><Response><Account><AccountType>email</AccountType><Action>settings</Action>
            <Protocol><Type>IMAP</Type><Server>imap.example.org</Server><Port>993</Port><SSL>on</SSL><LoginName>alice</LoginName></Protocol>
            <Protocol><Type>POP3</Type><Server>pop.example.org</Server><Port>110</Port></Protocol>
            <Protocol><Type>SMTP</Type><Server>smtp.example.org</Server><Port>25</Port><SSL>off</SSL></Protocol>
            <Protocol><Type>SMTP</Type><Server>smtp.example.org</Server><Port>587</Port><Encryption>TLS</Encryption></Protocol>
            <Protocol><Type>EXCH</Type><Server>x</Server></Protocol></Account></Response></Autodiscover>";
        let read = |file: &str| {
            autodiscover(
                file.as_bytes(),
                "alice",
                &"example.org".parse().unwrap(),
                Source::Autodiscover,
                false,
            )
        };
        let account = read(file).unwrap();
        let shown: Vec<String> = account
            .incoming
            .iter()
            .chain(&account.outgoing)
            .map(|one| alloc::format!("{:?} {:?} {} {}", one.protocol, one.security, one.port, one.logins[0]))
            .collect();
        let expected = [
            "Imap Implicit 993 alice",
            "Pop3 StartTls 110 alice@example.org",
            "Submission StartTls 587 alice@example.org",
        ];
        assert_eq!(shown, expected);
        let elsewhere = "<Autodiscover><Response><Account><Action>redirectUrl</Action><RedirectUrl>https://x</RedirectUrl></Account></Response></Autodiscover>";
        assert_eq!(read(elsewhere), None);
    }

    #[test]
    fn a_request_holds_the_address_and_no_markup_of_its_own() {
        let text = request("a<&b", &"example.org".parse().unwrap());
        assert!(text.contains("<EMailAddress>a&lt;&amp;b@example.org</EMailAddress>"));
        assert!(parts(text.as_bytes()).is_some());
    }
}
