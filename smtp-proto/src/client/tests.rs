//! The client against a server that the tests play by hand.

mod auth;
mod chunks;
mod content;
mod envelope;
mod hostile;
mod opening;
mod tasks;
mod timers;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use mailwright_core::value::{ForwardPath, ReversePath};

use super::*;

/// A client, the buffer of its input, and its clock.
struct Peer {
    client: Client,
    input: BytesMut,
    now: Instant,
}

fn config() -> Config {
    let mut config = Config::new("client.example").unwrap();
    config.tls = TlsMode::None;
    config
}

fn lmtp() -> Config {
    let mut config = config();
    config.protocol = Protocol::Lmtp;
    config
}

fn with_tls(tls: TlsMode) -> Config {
    let mut config = config();
    config.tls = tls;
    config
}

fn sender() -> ReversePath {
    "<alice@client.example>".parse().unwrap()
}

fn recipient(name: &str) -> ForwardPath {
    alloc::format!("<{name}@server.example>").parse().unwrap()
}

impl Peer {
    fn new(config: Config) -> Self {
        Self { client: Client::new(config), input: BytesMut::new(), now: Instant::ORIGIN }
    }

    /// A client behind the opening, to a server that announces `extensions`.
    fn ready(config: Config, extensions: &[&str]) -> Self {
        let mut peer = Self::new(config);
        peer.server("220 server.example ESMTP\r\n");
        let mut lines = alloc::vec!["server.example"];
        lines.extend(extensions);
        let count = lines.len();
        for (at, line) in lines.into_iter().enumerate() {
            let separator = if at + 1 == count { ' ' } else { '-' };
            peer.input.extend_from_slice(alloc::format!("250{separator}{line}\r\n").as_bytes());
        }
        let events = peer.server("");
        assert_eq!(events.last(), Some(&"Ready".to_string()), "{events:?}");
        let _ = peer.said();
        peer
    }

    /// The server writes; what the client makes of it, shown.
    fn server(&mut self, text: impl AsRef<[u8]>) -> Vec<String> {
        self.input.extend_from_slice(text.as_ref());
        self.client.handle_input(&mut self.input, self.now);
        self.events()
    }

    fn events(&mut self) -> Vec<String> {
        let mut shown = Vec::new();
        loop {
            while let Some(event) = self.client.poll_event() {
                shown.push(show(&event));
            }
            let before = self.input.len();
            self.client.handle_input(&mut self.input, self.now);
            if self.input.len() == before && self.client.events.is_empty() {
                return shown;
            }
        }
    }

    /// What the client has written since the last look.
    fn said(&mut self) -> String {
        String::from_utf8(self.client.transmit().take().to_vec()).unwrap()
    }

    /// Why the session is over.
    fn closed(&mut self) -> Closed {
        loop {
            match self.client.poll_event() {
                Some(Event::Closed(closed)) => return closed,
                Some(_) => {}
                None => panic!("not closed"),
            }
        }
    }

    /// The server writes what ends the session.
    fn server_closes(&mut self, text: impl AsRef<[u8]>) -> Closed {
        self.input.extend_from_slice(text.as_ref());
        self.client.handle_input(&mut self.input, self.now);
        self.closed()
    }

    fn at(&mut self, seconds: u64) {
        self.now = Instant::from_millis(seconds * 1000);
        self.client.handle_timeout(self.now);
    }

    /// MAIL and its reply.
    fn mail(&mut self, options: MailOptions) {
        self.client.mail(&sender(), options).unwrap();
        self.server("250 2.1.0 OK\r\n");
        let _ = self.said();
    }

    /// MAIL and RCPT, up to 354.
    fn open_content(&mut self) {
        self.mail(MailOptions::default());
        self.client.rcpt(&recipient("bob")).unwrap();
        self.server("250 2.1.5 OK\r\n");
        self.client.data().unwrap();
        assert!(self.server("354 go\r\n")[0].starts_with("StartContent"));
        let _ = self.said();
    }
}

/// One word and the reply: enough to see what happened.
fn show(event: &Event) -> String {
    match event {
        Event::Greeting(reply) => alloc::format!("Greeting {reply}"),
        Event::TlsDeclined(reply) => alloc::format!("TlsDeclined {reply}"),
        Event::Ready => "Ready".into(),
        Event::Authenticated { reply, .. } => alloc::format!("Authenticated {reply}"),
        Event::NotAuthenticated { reason, .. } => alloc::format!("NotAuthenticated {reason}"),
        Event::Sender { id, reply } => alloc::format!("Sender#{id} {reply}"),
        Event::Recipient { id, reply, verdict } => alloc::format!("Recipient#{id} {verdict:?} {reply}"),
        Event::StartContent { id } => alloc::format!("StartContent#{id}"),
        Event::ContentRefused { id, reply: Some(reply) } => alloc::format!("ContentRefused#{id} {reply}"),
        Event::ContentRefused { id, reply: None } => alloc::format!("ContentRefused#{id}"),
        Event::Chunk { id, reply } => alloc::format!("Chunk#{id} {reply}"),
        Event::Message { id, recipient: None, reply } => alloc::format!("Message#{id} {reply}"),
        Event::Message { id, recipient: Some(to), reply } => alloc::format!("Message#{id} for #{to} {reply}"),
        Event::Reply { id, reply } => alloc::format!("Reply#{id} {reply}"),
        Event::Closed(closed) => alloc::format!("Closed {closed}"),
    }
}
