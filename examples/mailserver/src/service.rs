//! The services of the server: name, default port, and how it speaks.

use core::fmt;
use core::str::FromStr;

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    Smtp,
    Submission,
    Submissions,
    Lmtp,
    Imap,
    Imaps,
    Pop3,
    Pop3s,
}

impl Service {
    pub(crate) const ALL: [Self; 8] = [
        Self::Smtp,
        Self::Submission,
        Self::Submissions,
        Self::Lmtp,
        Self::Imap,
        Self::Imaps,
        Self::Pop3,
        Self::Pop3s,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Submission => "submission",
            Self::Submissions => "submissions",
            Self::Lmtp => "lmtp",
            Self::Imap => "imap",
            Self::Imaps => "imaps",
            Self::Pop3 => "pop3",
            Self::Pop3s => "pop3s",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Smtp => 2525,
            Self::Submission => 2587,
            Self::Submissions => 2465,
            Self::Lmtp => 2424,
            Self::Imap => 2143,
            Self::Imaps => 2993,
            Self::Pop3 => 2110,
            Self::Pop3s => 2995,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a service is opened: `SERVICE=ADDR:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) service: Service,
    /// Address and port, resolved when it is opened.
    pub(crate) at: String,
}

impl Listen {
    /// Every service at its own port on loopback.
    pub(crate) fn defaults() -> Vec<Self> {
        Service::ALL
            .into_iter()
            .map(|service| Self { service, at: format!("127.0.0.1:{}", service.default_port()) })
            .collect()
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, at) = text.split_once('=').ok_or("expected SERVICE=ADDR:PORT")?;
        let known = || Service::ALL.map(Service::name).join(", ");
        let service = Service::ALL.into_iter().find(|service| service.name() == name);
        let service = service.ok_or_else(|| format!("no service {name:?}: there are {}", known()))?;
        let (host, port) = at.rsplit_once(':').ok_or("expected SERVICE=ADDR:PORT")?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(format!("{at:?} is not ADDR:PORT"));
        }
        Ok(Self { service, at: at.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_service_an_address_and_a_port() {
        let listen: Listen = "pop3s=[::1]:0".parse().unwrap();
        assert_eq!(listen, Listen { service: Service::Pop3s, at: "[::1]:0".into() });
        for wrong in
            ["smtp", "smtp=", "smtp=127.0.0.1", "smtp=:25", "smtp=127.0.0.1:99999", "gopher=127.0.0.1:70"]
        {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }
}
