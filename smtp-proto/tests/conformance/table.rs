//! Rows: an input, what must come of it, and what came. Written down as a page.

use bytes::BytesMut;
use mailwright_core::session::{Session as _, TlsInfo, Upgraded};
use mailwright_core::testing::Cases;
use mailwright_core::value::Instant;
use mailwright_smtp::client::{self, Client, Event};
use mailwright_smtp::server::{Config, Protocol};

use crate::support::{Host, codes};

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

    /// The codes of what a server says to octets, and why it closes; the same by octets and at once.
    pub(crate) fn server(&mut self, start: &dyn Fn() -> Served, octets: impl AsRef<[u8]>, expected: &str) {
        let octets = octets.as_ref();
        let served = start();
        let before = served.before.clone();
        let at_once = served.say(&[octets]);
        let by_octets = start().say(&octets.chunks(1).collect::<Vec<_>>());
        let got =
            if at_once == by_octets { at_once } else { format!("{at_once}, but by octets {by_octets}") };
        self.case(before + &shown(octets), expected, got);
    }

    /// The same where it depends on what came at once, as what came too early does.
    pub(crate) fn at_once(&mut self, served: Served, octets: impl AsRef<[u8]>, expected: &str) {
        let octets = octets.as_ref();
        let before = served.before.clone();
        let got = served.say(&[octets]);
        self.case(before + &shown(octets), expected, got);
    }

    /// What the host of a server is told, and asked.
    pub(crate) fn told(&mut self, mut served: Served, octets: impl AsRef<[u8]>, expected: &str) {
        let octets = octets.as_ref();
        served.host.events.clear();
        served.host.send(octets);
        let got = served.host.events.join("; ");
        self.case(format!("host: {}{}", served.before, shown(octets)), expected, got);
    }

    /// The content that a server gives to its host, if it becomes a message, and the codes of what it says; the same
    /// for each cut in two, and by octets.
    pub(crate) fn content(&mut self, start: &dyn Fn() -> Served, octets: impl AsRef<[u8]>, expected: &str) {
        let octets = octets.as_ref();
        let served = start();
        let before = served.before.clone();
        let at_once = served.receive(&[octets]);
        let mut cuts: Vec<Vec<&[u8]>> = (1..octets.len())
            .map(|cut| {
                let (front, rest) = octets.split_at(cut);
                vec![front, rest]
            })
            .collect();
        cuts.push(octets.chunks(1).collect());
        let other = cuts.iter().map(|pieces| start().receive(pieces)).find(|got| *got != at_once);
        let got = match other {
            Some(other) => format!("{at_once}, but cut {other}"),
            None => at_once,
        };
        self.case(before + &shown(octets), expected, got);
    }

    /// What a client makes of octets: its events, and what it writes then.
    pub(crate) fn client(&mut self, mut asking: Asking, octets: impl AsRef<[u8]>, expected: &str) {
        let octets = octets.as_ref();
        let got = asking.hear(octets);
        self.case(asking.before.clone() + &shown(octets), expected, got);
    }

    /// What a client writes at a call, or why it does not.
    pub(crate) fn call<T, E: core::fmt::Debug>(
        &mut self,
        mut asking: Asking,
        name: &str,
        call: impl FnOnce(&mut Client) -> Result<T, E>,
        expected: &str,
    ) {
        let got = match call(&mut asking.client) {
            Ok(_) => asking.wrote(),
            Err(error) => format!("{error:?}"),
        };
        self.case(format!("{}{name}", asking.before), expected, got);
    }
}

/// A server before an input.
pub(crate) struct Served {
    pub(crate) host: Host,
    /// What was done to it, for the page.
    before: String,
}

/// A server that has greeted.
pub(crate) fn fresh() -> Served {
    with("", |_| {})
}

/// The same with an option.
pub(crate) fn with(option: &str, set: impl FnOnce(&mut Config)) -> Served {
    let mut config = Config::new("mx.example.org").unwrap();
    // Some rows have more errors than a peer may make.
    (config.limits.soft_errors, config.limits.hard_errors) = (1000, 1001);
    set(&mut config);
    let before = if option.is_empty() { String::new() } else { format!("[{option}] ") };
    Served { host: Host::new(config), before }
}

/// A server of LMTP that has greeted.
pub(crate) fn lmtp() -> Served {
    with("LMTP", |config| config.protocol = Protocol::Lmtp)
}

impl Served {
    /// Behind EHLO or LHLO.
    pub(crate) fn ready(mut self) -> Self {
        let lmtp = self.host.server.config().protocol == Protocol::Lmtp;
        self.host.send(if lmtp { "LHLO c.example\r\n" } else { "EHLO c.example\r\n" });
        self.host.events.clear();
        self.before += "(ready) ";
        self
    }

    /// In a transaction with these recipients.
    pub(crate) fn open(self, recipients: &[&str]) -> Self {
        let mut served = self.ready();
        served.before = served.before.replace("(ready) ", "");
        served.host.send("MAIL FROM:<a@b.example>\r\n");
        for recipient in recipients {
            served.host.send(format!("RCPT TO:<{recipient}>\r\n"));
        }
        served.host.events.clear();
        served.before += &match recipients {
            [] => "(MAIL) ".to_string(),
            [_] => "(MAIL, RCPT) ".to_string(),
            several => format!("(MAIL, {} RCPT) ", several.len()),
        };
        served
    }

    /// Behind 354.
    pub(crate) fn data(mut self) -> Self {
        self.host.send("DATA\r\n");
        self.host.events.clear();
        self.before += "(354) ";
        self
    }

    /// Behind other octets.
    pub(crate) fn after(mut self, octets: &str) -> Self {
        self.host.send(octets);
        self.host.events.clear();
        self.before += &format!("({}) ", shown(octets.as_bytes()));
        self
    }

    /// Behind a handshake.
    pub(crate) fn in_tls(mut self) -> Self {
        self.host.secure();
        self.host.events.clear();
        self.before += "(TLS) ";
        self
    }

    /// Questions stay open.
    pub(crate) fn undecided(mut self) -> Self {
        self.host.undecided = true;
        self.before += "(the host waits) ";
        self
    }

    fn say(mut self, pieces: &[&[u8]]) -> String {
        let said: String = pieces.iter().map(|piece| self.host.send(piece)).collect();
        self.with_end(codes(&said))
    }

    /// After some seconds.
    pub(crate) fn waits(mut self, seconds: u64) -> String {
        let said = self.host.wait(seconds);
        self.with_end(codes(&said))
    }

    fn with_end(&self, mut said: String) -> String {
        if self.host.closed() {
            let reason = self.host.events.last().cloned().unwrap_or_default();
            said = [said.as_str(), &reason].join(if said.is_empty() { "" } else { " " });
        }
        said
    }

    fn receive(mut self, pieces: &[&[u8]]) -> String {
        let said: String = pieces.iter().map(|piece| self.host.send(piece)).collect();
        let messages: Vec<String> =
            self.host.messages.iter().map(|message| format!("“{}”", shown(message))).collect();
        let aborted = self.host.events.iter().find(|event| event.starts_with("aborted")).cloned();
        let mut got = messages.join(", ");
        for part in [aborted.unwrap_or_default(), self.with_end(codes(&said))] {
            if !part.is_empty() {
                got = [got.as_str(), &part].join(if got.is_empty() { "" } else { "; " });
            }
        }
        if got.is_empty() { "no end".to_string() } else { got }
    }
}

/// A client before an input.
pub(crate) struct Asking {
    pub(crate) client: Client,
    input: BytesMut,
    now: Instant,
    /// What it has said and heard, for the page.
    before: String,
}

/// A client that waits for the greeting.
pub(crate) fn client(option: &str, set: impl FnOnce(&mut client::Config)) -> Asking {
    let mut config = client::Config::new("c.example").unwrap();
    config.tls = client::TlsMode::None;
    config.sasl.clear_text_without_tls = true;
    set(&mut config);
    let before = if option.is_empty() { String::new() } else { format!("[{option}] ") };
    Asking { client: Client::new(config), input: BytesMut::new(), now: Instant::ORIGIN, before }
}

/// A client that is ready, of a server that announces this.
pub(crate) fn announced(extensions: &[&str]) -> Asking {
    announced_to(client("", |_| {}), extensions)
}

/// The same with a client of another kind.
pub(crate) fn announced_to(mut asking: Asking, extensions: &[&str]) -> Asking {
    asking.hear(b"220 s.example\r\n");
    let lines: String = extensions.iter().map(|extension| format!("250-{extension}\r\n")).collect();
    asking.hear(format!("250-s.example\r\n{lines}250 HELP\r\n").as_bytes());
    if !extensions.is_empty() {
        asking.before += &format!("({}) ", extensions.join(", "));
    }
    asking
}

impl Asking {
    /// A command.
    pub(crate) fn says<T, E: core::fmt::Debug>(
        mut self,
        say: impl FnOnce(&mut Client) -> Result<T, E>,
    ) -> Self {
        say(&mut self.client).unwrap();
        let wrote = self.wrote();
        self.before += &format!("C: {wrote} ");
        self
    }

    /// Replies that came before.
    pub(crate) fn hears(mut self, octets: &str) -> Self {
        self.hear(octets.as_bytes());
        self.before += &format!("S: {} ", shown(octets.as_bytes()));
        self
    }

    /// TLS is in place.
    pub(crate) fn in_tls(mut self) -> Self {
        self.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), self.now);
        self.wrote();
        self.before += "(TLS) ";
        self
    }

    /// The server is gone.
    pub(crate) fn at_end(mut self) -> String {
        self.client.handle_eof(self.now);
        self.events().join("; ")
    }

    pub(crate) fn wrote(&mut self) -> String {
        shown(&self.client.transmit().take())
    }

    pub(crate) fn events(&mut self) -> Vec<String> {
        core::iter::from_fn(|| self.client.poll_event()).map(|event| show(&event)).collect()
    }

    fn hear(&mut self, octets: &[u8]) -> String {
        self.input.extend_from_slice(octets);
        let mut events = Vec::new();
        loop {
            let before = self.input.len();
            self.client.handle_input(&mut self.input, self.now);
            let more = self.events();
            if self.input.len() == before && more.is_empty() {
                break;
            }
            events.extend(more);
        }
        let wrote = self.wrote();
        if !wrote.is_empty() {
            events.push(format!("C: {wrote}"));
        }
        events.join("; ")
    }
}

/// An event in words.
fn show(event: &Event) -> String {
    match event {
        Event::Greeting(reply) => format!("greeting {}", reply.code()),
        Event::TlsDeclined(reply) => format!("TLS declined {}", reply.code()),
        Event::Ready => "ready".into(),
        Event::Authenticated { reply, .. } => format!("authenticated {}", reply.code()),
        Event::NotAuthenticated { reason, .. } => format!("not authenticated: {reason}"),
        Event::Sender { reply, .. } => format!("sender {}", reply.code()),
        Event::Recipient { reply, verdict, .. } => format!("recipient {} {verdict:?}", reply.code()),
        Event::StartContent { .. } => "content".into(),
        Event::ContentRefused { reply: Some(reply), .. } => format!("no content {}", reply.code()),
        Event::ContentRefused { .. } => "no content".into(),
        Event::Chunk { reply, .. } => format!("chunk {}", reply.code()),
        Event::Message { recipient: None, reply, .. } => format!("message {}", reply.code()),
        Event::Message { reply, .. } => format!("message of one {}", reply.code()),
        Event::Reply { reply, .. } => format!("reply {}", reply.code()),
        Event::Closed(closed) => format!("closed: {closed}"),
        event => format!("{event:?}"),
    }
}

/// Octets for the page: CR LF as a sign, controls escaped.
pub(crate) fn shown(octets: &[u8]) -> String {
    let text = match core::str::from_utf8(octets) {
        Ok(text) => text.escape_default().to_string(),
        Err(_) => octets.escape_ascii().to_string(),
    };
    let text = text.replace("\\r\\n", "⏎").replace("\\\"", "\"").replace("\\'", "'").replace("\\\\", "\\");
    let text = text.replace("\\u{fc}", "ü").replace("\\u{0}", "\\0");
    // A long run says nothing more than its length.
    let lines: Vec<&str> = text.split_inclusive('⏎').collect();
    let text: String = lines
        .chunk_by(|one, other| one == other)
        .map(|run| match run {
            [line, ..] if run.len() > 5 => format!("{line}… ({} times) ", run.len()),
            run => run.concat(),
        })
        .collect();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let run = rest.chars().take_while(|character| *character == first).count();
        if run > 20 && first.is_ascii_alphanumeric() {
            out += &format!("{first}…{first} ({run} times)");
            rest = &rest[run..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}
