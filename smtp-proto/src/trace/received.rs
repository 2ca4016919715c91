//! The `Received` field: RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3.

use core::fmt;
use core::net::IpAddr;

use mailwright_core::value::{Mailbox, UnixTime};

/// A `Received` field. Its `Display` is the whole field, folded, with its line end.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received<'a> {
    /// The name that the client gave in EHLO, HELO or LHLO. One that is neither a domain name nor an
    /// address literal is written as `unknown`.
    pub helo: Option<&'a str>,
    /// The client's address as the server saw it.
    pub peer: Option<IpAddr>,
    /// How the message came.
    pub with: With,
    /// What the server calls the transaction.
    pub id: Option<TransactionId<'a>>,
    /// The recipient, only if the transaction had exactly one: more would betray blind copies (RFC 5321 §7.2).
    pub recipient: Option<&'a Mailbox>,
    by: &'a str,
    time: UnixTime,
}

impl<'a> Received<'a> {
    /// A field of the host `by` for a message that came at `time`.
    ///
    /// # Errors
    /// If `by` is neither a domain name nor an address literal.
    pub fn new(by: &'a str, with: With, time: UnixTime) -> Result<Self, TraceError> {
        if !is_host(by) {
            return Err(TraceError::HostName);
        }
        Ok(Self { helo: None, peer: None, with, id: None, recipient: None, by, time })
    }
}

impl fmt::Display for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Received: from ")?;
        f.write_str(self.helo.filter(|name| is_host(name)).unwrap_or("unknown"))?;
        // RFC 5321 §4.1.3: an IPv6 literal carries its tag.
        match self.peer {
            Some(IpAddr::V4(address)) => write!(f, " ([{address}])")?,
            Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
                Some(mapped) => write!(f, " ([{mapped}])")?,
                None => write!(f, " ([IPv6:{address}])")?,
            },
            None => {}
        }
        write!(f, "\r\n\tby {} with {}", self.by, self.with)?;
        if let Some(id) = self.id {
            write!(f, " id {}", id.0)?;
        }
        // RFC 5321 §4.4: "for" names one address.
        if let Some(recipient) = self.recipient {
            write!(f, "\r\n\tfor <{recipient}>")?;
        }
        write!(f, ";\r\n\t{}\r\n", self.time)
    }
}

/// Whether `name` may stand for a host in a trace field: letters, digits, hyphens, underscores and dots of
/// a name (8-bit octets of an internationalised one), or an address literal; 255 octets at most.
fn is_host(name: &str) -> bool {
    let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (1..=255).contains(&name.len())
        && match literal {
            Some(content) => !content.is_empty() && content.chars().all(|c| fits(c) || c == ':'),
            None => name.chars().all(|c| fits(c) || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())),
        }
}

/// What stands behind `with`: the protocol and what protected it.
///
/// ```
/// use mailwright_smtp::trace::With;
///
/// let mut with = With::default();
/// assert_eq!(with.to_string(), "ESMTP");
/// with.tls = true;
/// with.authenticated = true;
/// assert_eq!(with.to_string(), "ESMTPSA");
/// with.utf8 = true;
/// assert_eq!(with.to_string(), "UTF8SMTPSA");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct With {
    /// LMTP instead of SMTP.
    pub lmtp: bool,
    /// The client said EHLO, not HELO. On by default; LMTP has no other form.
    pub extended: bool,
    /// TLS was in force.
    pub tls: bool,
    /// The client was authenticated.
    pub authenticated: bool,
    /// SMTPUTF8 stood on MAIL.
    pub utf8: bool,
}

impl Default for With {
    fn default() -> Self {
        Self { lmtp: false, extended: true, tls: false, authenticated: false, utf8: false }
    }
}

impl fmt::Display for With {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 3848: TLS and AUTH need EHLO; RFC 6531 §4.3: so does SMTPUTF8.
        let extended = self.extended || self.tls || self.authenticated;
        f.write_str(match (self.utf8, self.lmtp, extended) {
            (true, true, _) => "UTF8LMTP",
            (true, false, _) => "UTF8SMTP",
            (false, true, _) => "LMTP",
            (false, false, true) => "ESMTP",
            (false, false, false) => "SMTP",
        })?;
        f.write_str(if self.tls { "S" } else { "" })?;
        f.write_str(if self.authenticated { "A" } else { "" })
    }
}

/// What a server calls a transaction, in `Received` and in its final reply: 1 to 64 letters, digits, `-`, `.`, `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransactionId<'a>(&'a str);

impl<'a> TransactionId<'a> {
    /// Checks `text`.
    ///
    /// # Errors
    /// If it is empty, longer than 64 octets, or holds anything else than letters, digits, `-`, `.`, `_`.
    pub fn new(text: &'a str) -> Result<Self, TraceError> {
        let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
        if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text))
        } else {
            Err(TraceError::TransactionId)
        }
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

/// A value that cannot stand in a trace field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The name of the receiving host is neither a domain name nor an address literal.
    #[error("not a host name")]
    HostName,
    /// The transaction id has other octets than letters, digits, `-`, `.`, `_`, or not 1 to 64 of them.
    #[error("not a transaction id")]
    TransactionId,
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString as _};
    use core::net::Ipv6Addr;

    use super::*;

    fn with(lmtp: bool, extended: bool, tls: bool, authenticated: bool, utf8: bool) -> String {
        With { lmtp, extended, tls, authenticated, utf8 }.to_string()
    }

    #[test]
    fn the_keyword_follows_rfc_3848_and_rfc_6531() {
        assert_eq!(with(false, false, false, false, false), "SMTP");
        assert_eq!(with(false, true, true, false, false), "ESMTPS");
        assert_eq!(with(false, true, false, true, false), "ESMTPA");
        assert_eq!(with(true, true, false, false, false), "LMTP");
        assert_eq!(with(true, true, true, true, false), "LMTPSA");
        assert_eq!(with(true, true, true, true, true), "UTF8LMTPSA");
        assert_eq!(with(false, true, false, true, true), "UTF8SMTPA");
    }

    #[test]
    fn a_hostile_name_is_written_as_unknown() {
        for name in
            ["a\r\nX-Evil: 1", "a b", "", "a(b", "[1.2.3.4", "[]", "a\u{85}b", "a;b", &"a".repeat(256)]
        {
            let mut field = Received::new("mx.example.org", With::default(), UnixTime::default()).unwrap();
            field.helo = Some(name);
            let text = field.to_string();
            assert!(text.starts_with("Received: from unknown\r\n\tby"), "{name:?}: {text:?}");
        }
    }

    #[test]
    fn addresses_are_literals_with_their_tag() {
        let mut field = Received::new("[192.0.2.7]", With::default(), UnixTime::default()).unwrap();
        field.helo = Some("[IPv6:2001:db8::1]");
        field.peer = Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)));
        assert!(field.to_string().starts_with("Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n"));
        field.peer = Some("::ffff:192.0.2.9".parse().unwrap());
        assert!(field.to_string().contains("([192.0.2.9])"));
    }

    #[test]
    fn every_line_is_short_and_folded() {
        let mut field = Received::new("mx.example.org", With::default(), UnixTime::default()).unwrap();
        let long = "a".repeat(255);
        field.helo = Some(&long);
        for line in field.to_string().split_inclusive("\r\n") {
            assert!(line.len() <= 998, "{line}");
            assert!(line.ends_with("\r\n"));
            assert!(line.starts_with("Received:") || line.starts_with('\t'));
        }
    }

    #[test]
    fn a_transaction_id_cannot_smuggle_syntax() {
        assert!(TransactionId::new("a;b").is_err());
        assert!(TransactionId::new("a\r\n").is_err());
        assert!(TransactionId::new("").is_err());
        assert_eq!(TransactionId::new("7.a-b_c").unwrap().as_str(), "7.a-b_c");
        assert_eq!(
            Received::new("a b", With::default(), UnixTime::default()).unwrap_err(),
            TraceError::HostName
        );
    }
}
