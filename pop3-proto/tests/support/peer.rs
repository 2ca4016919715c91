//! A client and what its server says, in words.

use core::time::Duration;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::Session as _;
use mailwright_core::value::Instant;
use mailwright_pop3::client::{Client, Config, Event, Summary, Value};
use mailwright_pop3::parse::Entry;
use mailwright_pop3::types::{Capabilities, Capability, MessageNumber};

/// A message number.
pub(crate) fn number(number: u32) -> MessageNumber {
    MessageNumber::new(number).unwrap()
}

pub(crate) fn clear_text() -> Config {
    let mut config = Config::default();
    config.sasl.clear_text_without_tls = true;
    config
}

/// A client and what its server has sent.
pub(crate) struct Peer {
    pub(crate) client: Client,
    pub(crate) input: BytesMut,
    pub(crate) now: Instant,
}

impl Peer {
    pub(crate) fn new(config: Config) -> Self {
        Self { client: Client::new(config, [3; 32]), input: BytesMut::new(), now: Instant::ORIGIN }
    }

    pub(crate) fn greeted(config: Config) -> Self {
        let mut peer = Self::new(config);
        peer.reply(b"+OK ready\r\n");
        peer
    }

    pub(crate) fn pipelining() -> Self {
        let mut peer = Self::greeted(clear_text());
        peer.client
            .set_capabilities(Capabilities::from_iter([Capability::Pipelining, Capability::RespCodes]));
        peer
    }

    /// The server sends octets; what are the events?
    pub(crate) fn reply(&mut self, octets: &[u8]) -> Vec<String> {
        self.input.extend_from_slice(octets);
        let mut words = Vec::new();
        loop {
            let before = self.input.len();
            self.client.handle_input(&mut self.input, self.now);
            let mut quiet = true;
            while let Some(event) = self.client.poll_event() {
                quiet = false;
                words.push(shown(event));
            }
            if quiet && before == self.input.len() {
                return words;
            }
        }
    }

    pub(crate) fn events(&mut self) -> Vec<String> {
        core::iter::from_fn(|| self.client.poll_event()).map(shown).collect()
    }

    pub(crate) fn wait(&mut self, seconds: u64) -> Vec<String> {
        self.now = self.now + Duration::from_secs(seconds);
        self.client.handle_timeout(self.now);
        self.events()
    }

    pub(crate) fn eof(&mut self) -> Vec<String> {
        self.client.handle_eof(self.now);
        self.events()
    }

    /// What the client has written.
    pub(crate) fn sent(&mut self) -> String {
        let octets = self.client.transmit().chunk().to_vec();
        self.client.transmit().advance(octets.len());
        String::from_utf8(octets).unwrap()
    }
}

fn shown(event: Event) -> String {
    match event {
        Event::Greeting(reply) => format!("greeting {}", reply.text),
        Event::Reply { reply, value, .. } => {
            let code = reply.code.map_or(String::new(), |code| format!(" <{code}>"));
            let value = match value {
                Value::None => String::new(),
                Value::Entry(entry) => format!(" = {}", entry_shown(&entry)),
                value => format!(" = {value:?}"),
            };
            format!("{:?}{code} {}{value}", reply.status, reply.text)
        }
        Event::Listed { entry: Ok(entry), .. } => entry_shown(&entry),
        Event::Listed { entry: Err(error), .. } => error.problem.to_string(),
        Event::Content { chunk, .. } => format!("content {}", chunk.escape_ascii()),
        Event::End { summary: Summary::Content(report), .. } => format!("end {}", report.octets),
        Event::End { summary, .. } => format!("end {summary:?}"),
        Event::Secured(_) => "secured".to_string(),
        Event::Deviation(deviation) => format!("deviation {}@{}", deviation.kind, deviation.offset),
        Event::Closed(reason) => format!("closed {reason:?}"),
        event => format!("{event:?}"),
    }
}

fn entry_shown(entry: &Entry) -> String {
    match entry {
        Entry::Size { number, octets } => format!("{number} {octets}"),
        Entry::Id { number, id } => format!("{number} {id}"),
        Entry::RawId { number, id } => format!("{number} raw {id}"),
        Entry::Language { tag, text } => format!("{tag} {text}"),
        entry => format!("{entry:?}"),
    }
}
