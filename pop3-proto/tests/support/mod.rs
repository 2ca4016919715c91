//! A host for tests: users, messages and answers in memory, around one server session.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Session as _, TlsInfo, Upgraded};
use mailwright_core::value::Instant;
use mailwright_core::wire::LineEndCounter;
use mailwright_pop3::sasl::{Answer, Ask};
use mailwright_pop3::server::{
    Commit, Config, Event, Intake, Maildrop, Opening, RetrieveToken, Server, Severity, Unavailable,
};
use mailwright_pop3::types::{MessageNumber, UniqueId};

/// A server that needs no TLS, as most tests want it.
pub(crate) fn clear_text() -> Config {
    let mut config = Config::default();
    config.clear_text_without_tls = true;
    config
}

/// Size and id of each message.
pub(crate) fn maildrop(messages: &[Vec<u8>]) -> Arc<dyn Maildrop> {
    let list: Vec<(u64, UniqueId)> = messages
        .iter()
        .enumerate()
        .map(|(index, message)| {
            let mut counter = LineEndCounter::default();
            counter.feed(message);
            let id = UniqueId::new(format!("uid-{}", index + 1).as_bytes()).unwrap();
            (counter.octets() + counter.added(), id)
        })
        .collect();
    Arc::new(list)
}

pub(crate) struct Host {
    pub(crate) server: Server,
    pub(crate) input: BytesMut,
    pub(crate) now: Instant,
    /// What the events were, in words.
    pub(crate) events: Vec<String>,
    pub(crate) messages: Vec<Vec<u8>>,
    /// Octets of a message pushed at a time.
    pub(crate) chunk: usize,
    pub(crate) opening: Option<Opening>,
    pub(crate) commit: Commit,
    pub(crate) unavailable: Option<Unavailable>,
    /// Whether the password question is left open.
    pub(crate) undecided: bool,
    pub(crate) open_questions: Vec<Event>,
    pub(crate) removed: Option<Vec<u32>>,
    body: Option<(RetrieveToken, usize, usize)>,
    pub(crate) output: Vec<u8>,
}

impl Host {
    pub(crate) fn new(config: Config) -> Self {
        Self::with(
            config,
            vec![b"Subject: one\r\n\r\nline\r\n.dot\r\n".to_vec(), b"Subject: two\n\nbare\n".to_vec()],
        )
    }

    pub(crate) fn with(config: Config, messages: Vec<Vec<u8>>) -> Self {
        let mut host = Self {
            server: Server::new(config, [7; 32]),
            input: BytesMut::new(),
            now: Instant::ORIGIN,
            events: Vec::new(),
            messages,
            chunk: 1 << 20,
            opening: None,
            commit: Commit::All,
            unavailable: None,
            undecided: false,
            open_questions: Vec::new(),
            removed: None,
            body: None,
            output: Vec::new(),
        };
        host.run();
        host
    }

    /// A host with an open maildrop, and its output so far taken.
    pub(crate) fn logged_in(config: Config) -> Self {
        let mut host = Self::new(config);
        host.send(b"USER mrose\r\nPASS tanstaaf\r\n");
        host.events.clear();
        host
    }

    /// Sends octets and returns what the server says.
    pub(crate) fn send(&mut self, octets: &[u8]) -> String {
        self.input.extend_from_slice(octets);
        self.run();
        self.take_output()
    }

    pub(crate) fn take_output(&mut self) -> String {
        String::from_utf8_lossy(&core::mem::take(&mut self.output)).into_owned()
    }

    pub(crate) fn eof(&mut self) -> String {
        self.server.handle_eof(self.now);
        self.run();
        self.take_output()
    }

    pub(crate) fn wait(&mut self, seconds: u64) -> String {
        self.now = self.now + core::time::Duration::from_secs(seconds);
        self.server.handle_timeout(self.now);
        self.run();
        self.take_output()
    }

    /// TLS is in place.
    pub(crate) fn secure(&mut self) -> String {
        self.server.handle_upgrade(Upgraded::Tls(TlsInfo::default()), self.now);
        self.run();
        self.take_output()
    }

    pub(crate) fn closed(&self) -> bool {
        self.server.wants().close
    }

    pub(crate) fn run(&mut self) {
        loop {
            let before = (self.events.len(), self.input.len(), self.output.len());
            while let Some(event) = self.server.poll_event() {
                self.handle(event);
            }
            self.server.handle_input(&mut self.input, self.now);
            while let Some(event) = self.server.poll_event() {
                self.handle(event);
            }
            while self.server.transmit().has_remaining() {
                let chunk = self.server.transmit().chunk().to_vec();
                self.server.transmit().advance(chunk.len());
                self.output.extend_from_slice(&chunk);
            }
            if before == (self.events.len(), self.input.len(), self.output.len()) {
                return;
            }
        }
    }

    fn push(&mut self) {
        while let Some((token, index, offset)) = self.body.take() {
            let message = self.messages[index].clone();
            if offset == message.len() {
                self.server.finish(token).unwrap();
                return;
            }
            let end = (offset + self.chunk).min(message.len());
            match self.server.content(&token, &message[offset..end]).unwrap() {
                Intake::Enough => return,
                Intake::Taken(taken) => {
                    self.body = Some((token, index, offset + taken));
                    if taken < end - offset {
                        return;
                    }
                }
            }
        }
    }

    pub(crate) fn handle(&mut self, event: Event) {
        let words = match &event {
            Event::Authenticate { ask, .. } => format!("authenticate {}", ask.authcid()),
            Event::Open { identity, .. } => format!("open {}", identity.authorization),
            Event::Retrieve { number, part, .. } => format!("retrieve {number} {part:?}"),
            Event::Room => "room".to_string(),
            Event::Commit { deleted, .. } => format!("commit {deleted:?}"),
            Event::Release => "release".to_string(),
            Event::Secured(_) => "secured".to_string(),
            Event::LoginFailed { failures } => format!("login failed {failures}"),
            Event::Rejected(error) => format!("rejected {error}"),
            Event::Deviation(deviation) => format!("deviation {}", deviation.kind),
            Event::Closed(reason) => format!("closed {reason:?}"),
            event => format!("{event:?}"),
        };
        self.events.push(words);
        match event {
            Event::Authenticate { .. } if self.undecided => self.open_questions.push(event),
            Event::Authenticate { token, ask } => {
                let answer = match &ask {
                    Ask::Password { authcid, password, .. } => {
                        if authcid == "mrose" && password.expose() == b"tanstaaf" {
                            ask.accept()
                        } else {
                            Answer::No
                        }
                    }
                    Ask::Authorize { authzid, .. } if authzid == "public" => ask.accept(),
                    _ => Answer::No,
                };
                self.server.answer(token, answer).unwrap();
            }
            Event::Open { token, .. } => {
                let opening =
                    self.opening.clone().unwrap_or_else(|| Opening::Opened(maildrop(&self.messages)));
                self.server.answer(token, opening).unwrap();
            }
            Event::Retrieve { token, number, .. } => match self.unavailable {
                Some(why) => self.server.unavailable(token, why).unwrap(),
                None => {
                    self.body = Some((token, MessageNumber::index(number), 0));
                    self.push();
                }
            },
            Event::Room => self.push(),
            Event::Commit { token, deleted } => {
                self.removed = Some(deleted.iter().map(MessageNumber::get).collect());
                self.server.answer(token, self.commit).unwrap();
            }
            _ => {}
        }
    }
}

/// For tests that only want a severity.
pub(crate) const TEMPORARY: Severity = Severity::Temporary;
