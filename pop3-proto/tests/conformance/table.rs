//! Rows: an input, what must come of it, and what came. Written down as a page.

use mailwright_core::session::Session as _;
use mailwright_core::testing::Cases;
use mailwright_pop3::client;
use mailwright_pop3::server::Config;

use crate::support::peer::{self, Peer};
use crate::support::{Answers, Host, clear_text};

/// All cases of a part of the table.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) cases: Cases,
}

impl Table {
    /// The cases that follow are of this row.
    pub(crate) fn row(&mut self, row: &'static str, required: &'static str) {
        self.cases.row(row, required);
    }

    /// A case of anything.
    pub(crate) fn case(&mut self, input: impl Into<String>, expected: &str, got: impl Into<String>) {
        self.cases.case(input, expected, got);
    }

    /// What a server says to octets, and why it closes.
    pub(crate) fn server(&mut self, mut input: Served, octets: impl AsRef<[u8]>, expected: &str) {
        let octets = octets.as_ref();
        let mut got = shown(input.host.send(octets).as_bytes());
        if input.host.closed() {
            let reason = input.host.events.last().cloned().unwrap_or_default();
            got = [got.as_str(), &reason].join(if got.is_empty() { "" } else { " " });
        }
        self.case(input.before.clone() + &shown(octets), expected, got);
    }

    /// What the host of a server is told, and asked.
    pub(crate) fn told(&mut self, mut input: Served, octets: impl AsRef<[u8]>, expected: &str) {
        let octets = octets.as_ref();
        input.host.events.clear();
        input.host.send(octets);
        let got = input.host.events.join("; ");
        self.case(format!("host: {}{}", input.before, shown(octets)), expected, got);
    }

    /// What a client makes of octets: its events, and what it writes then.
    pub(crate) fn client(&mut self, mut input: Asking, octets: impl AsRef<[u8]>, expected: &str) {
        let octets = octets.as_ref();
        let mut got = input.peer.reply(octets).join("; ");
        let sent = input.peer.sent();
        if !sent.is_empty() {
            got = [got.as_str(), &format!("C: {}", shown(sent.as_bytes()))].join(if got.is_empty() {
                ""
            } else {
                " "
            });
        }
        self.case(input.before.clone() + &shown(octets), expected, got);
    }
}

/// A server before an input.
pub(crate) struct Served {
    pub(crate) host: Host,
    /// What was done to it, for the page.
    before: String,
}

/// A server that has greeted, and takes passwords in clear text.
pub(crate) fn fresh() -> Served {
    with("", |_| {})
}

/// The same with an option.
pub(crate) fn with(option: &str, set: impl FnOnce(&mut Config)) -> Served {
    answering(option, set, |_| {})
}

/// The same with a host that answers otherwise.
pub(crate) fn answering(
    option: &str,
    set: impl FnOnce(&mut Config),
    answers: impl FnOnce(&mut Answers),
) -> Served {
    let mut config = clear_text();
    set(&mut config);
    let mut host = Host::new(config);
    host.take_output();
    answers(&mut host);
    let before = if option.is_empty() { String::new() } else { format!("[{option}] ") };
    Served { host, before }
}

impl Served {
    /// Behind the login.
    pub(crate) fn logged_in(mut self) -> Self {
        self.host.send(b"USER mrose\r\nPASS tanstaaf\r\n");
        self.host.events.clear();
        self.before += "(logged in) ";
        self
    }

    /// Behind other octets.
    pub(crate) fn after(mut self, octets: &[u8]) -> Self {
        self.host.send(octets);
        self.host.events.clear();
        self.before += &format!("({}) ", shown(octets));
        self
    }

    /// Behind a handshake.
    pub(crate) fn in_tls(mut self) -> Self {
        self.host.secure();
        self.host.events.clear();
        self.before += "(TLS) ";
        self
    }

    /// After some seconds, at the end of which the session is told the time.
    pub(crate) fn waits(mut self, seconds: u64) -> Self {
        self.host.wait(seconds);
        self.before += &format!("({seconds} s) ");
        self
    }

    /// The client closes its half.
    pub(crate) fn at_end(mut self) -> Self {
        self.host.eof();
        self.before += "(end) ";
        self
    }
}

/// A client before an input.
pub(crate) struct Asking {
    pub(crate) peer: Peer,
    /// What it has said, for the page.
    before: String,
}

/// A client that was greeted, and may send passwords in clear text.
pub(crate) fn client() -> Asking {
    client_with("", |_| {})
}

/// The same with an option.
pub(crate) fn client_with(option: &str, set: impl FnOnce(&mut client::Config)) -> Asking {
    let mut asking = ungreeted(option, set);
    asking.peer.reply(b"+OK ready\r\n");
    asking
}

/// A client that was not greeted.
pub(crate) fn ungreeted(option: &str, set: impl FnOnce(&mut client::Config)) -> Asking {
    let mut config = peer::clear_text();
    set(&mut config);
    let before = if option.is_empty() { String::new() } else { format!("[{option}] ") };
    Asking { peer: Peer::new(config), before }
}

impl Asking {
    /// A command.
    pub(crate) fn says<T: core::fmt::Debug, E: core::fmt::Debug>(
        mut self,
        say: impl FnOnce(&mut client::Client) -> Result<T, E>,
    ) -> Self {
        say(&mut self.peer.client).unwrap();
        self.before += &format!("C: {} S: ", shown(self.peer.sent().as_bytes()));
        self
    }

    /// Replies that came before.
    pub(crate) fn after(mut self, octets: &[u8]) -> Self {
        self.peer.reply(octets);
        let sent = self.peer.sent();
        let sent = if sent.is_empty() { String::new() } else { format!("C: {} S: ", shown(sent.as_bytes())) };
        self.before += &format!("{} {sent}", shown(octets));
        self
    }

    /// What the client knows of the server.
    pub(crate) fn knowing(mut self, capability: &[mailwright_pop3::types::Capability]) -> Self {
        let capabilities = capability.iter().cloned().collect();
        self.before += &format!("({capability:?}) ");
        self.peer.client.set_capabilities(capabilities);
        self
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.peer.client.wants().close
    }
}

/// Octets for the page: CR LF as a sign, controls escaped.
pub(crate) fn shown(octets: &[u8]) -> String {
    let text =
        octets.escape_ascii().to_string().replace("\\r\\n", "⏎").replace("\\\"", "\"").replace("\\'", "'");
    // A long run says nothing more than its length.
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let run = rest.chars().take_while(|character| *character == first).count();
        if run > 20 && (first.is_ascii_alphanumeric() || first == ' ') {
            out += &format!("{first}…{first} ({run} times)");
            rest = &rest[run..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}
