//! A host for tests: recipients, passwords and messages in memory, around one server session.

#![allow(dead_code, reason = "each test file uses a part of it")]

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Session as _, TlsInfo, Upgraded};
use mailwright_core::value::Instant;
use mailwright_sasl::{Answer, Ask, MechanismName, Offers};
use mailwright_smtp::server::{Config, Event, Protocol, Server};
use mailwright_smtp::types::{Reply, ReplyCode};

pub(crate) fn smtp() -> Config {
    Config::new("mx.example.org").unwrap()
}

pub(crate) fn lmtp() -> Config {
    let mut config = smtp();
    config.protocol = Protocol::Lmtp;
    config
}

/// Authentication in plaintext, as tests of AUTH want it.
pub(crate) fn with_auth() -> Config {
    let mut config = smtp();
    config.offers = Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]);
    config.allow_plaintext_authentication = true;
    config
}

/// Accepts every recipient but those whose local part begins with `no` (550) or `later` (450), every message,
/// and the password `tanstaaf`.
pub(crate) struct Host {
    pub(crate) server: Server,
    pub(crate) input: BytesMut,
    pub(crate) now: Instant,
    /// What the events were, in words; neighbouring content is one.
    pub(crate) events: Vec<String>,
    /// The same as `Debug` shows them, the session with them.
    pub(crate) shown: String,
    pub(crate) output: Vec<u8>,
    /// Content of the message that is coming.
    pub(crate) content: Vec<u8>,
    pub(crate) messages: Vec<Vec<u8>>,
    /// Questions are kept in `open` instead of being answered.
    pub(crate) undecided: bool,
    pub(crate) open: Vec<Event>,
    /// What the end of a message is answered with.
    pub(crate) verdict: Reply,
    /// Whether output stays in the session.
    pub(crate) unread: bool,
}

impl Host {
    /// Behind the greeting, if it is not held back.
    pub(crate) fn new(config: Config) -> Self {
        let mut host = Self {
            server: Server::new(config, [7; 32]),
            input: BytesMut::new(),
            now: Instant::ORIGIN,
            events: Vec::new(),
            shown: String::new(),
            output: Vec::new(),
            content: Vec::new(),
            messages: Vec::new(),
            undecided: false,
            open: Vec::new(),
            verdict: Reply::MESSAGE_ACCEPTED,
            unread: false,
        };
        host.run();
        host.output.clear();
        host
    }

    /// Behind greeting and EHLO, or LHLO.
    pub(crate) fn ready(config: Config) -> Self {
        let hello = if config.protocol == Protocol::Lmtp { "LHLO" } else { "EHLO" };
        let mut host = Self::new(config);
        let reply = host.send(format!("{hello} client.example.com\r\n"));
        assert!(reply.contains("\r\n250 "), "{reply}");
        host.events.clear();
        host
    }

    /// In a transaction with these recipients.
    pub(crate) fn open(config: Config, recipients: &[&str]) -> Self {
        let mut host = Self::ready(config);
        assert_eq!(host.send("MAIL FROM:<alice@example.com>\r\n"), "250 2.1.0 Sender OK\r\n");
        for recipient in recipients {
            assert_eq!(host.send(format!("RCPT TO:<{recipient}>\r\n")), "250 2.1.5 Recipient OK\r\n");
        }
        host.events.clear();
        host
    }

    /// Behind the 354.
    pub(crate) fn in_content(config: Config) -> Self {
        let mut host = Self::open(config, &["bob@example.org"]);
        assert!(host.send("DATA\r\n").starts_with("354 "));
        host.events.clear();
        host
    }

    /// Sends octets and returns what the server says.
    pub(crate) fn send(&mut self, octets: impl AsRef<[u8]>) -> String {
        self.input.extend_from_slice(octets.as_ref());
        self.run();
        self.take_output()
    }

    /// Sends octets in pieces that end at `cuts`, and returns what the server says.
    pub(crate) fn send_cut(&mut self, octets: &[u8], cuts: &[usize]) -> String {
        let mut start = 0;
        let mut said = String::new();
        for &end in cuts.iter().chain([&octets.len()]) {
            said += &self.send(&octets[start..end]);
            start = end;
        }
        said
    }

    /// Sends a line and returns the codes of the reply: `550 5.1.1`.
    pub(crate) fn codes(&mut self, line: impl AsRef<[u8]>) -> String {
        let reply = self.send([line.as_ref(), b"\r\n"].concat());
        assert_eq!(reply.matches("\r\n").count(), 1, "{reply:?}");
        let mut words = reply.split(' ');
        match (words.next(), words.next()) {
            (Some(code), Some(enhanced)) if is_enhanced(enhanced) => format!("{code} {enhanced}"),
            (Some(code), _) => code.to_string(),
            _ => String::new(),
        }
    }

    pub(crate) fn take_output(&mut self) -> String {
        String::from_utf8(core::mem::take(&mut self.output)).unwrap()
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

    pub(crate) fn saw(&self, words: &str) -> bool {
        self.events.iter().any(|event| event.contains(words))
    }

    pub(crate) fn run(&mut self) {
        loop {
            let before = (self.events.len(), self.content.len(), self.input.len(), self.output.len());
            self.poll();
            self.server.handle_input(&mut self.input, self.now);
            self.poll();
            while !self.unread && self.server.transmit().has_remaining() {
                let chunk = self.server.transmit().chunk().to_vec();
                self.server.transmit().advance(chunk.len());
                self.output.extend_from_slice(&chunk);
            }
            if before == (self.events.len(), self.content.len(), self.input.len(), self.output.len()) {
                return;
            }
        }
    }

    pub(crate) fn poll(&mut self) {
        while let Some(event) = self.server.poll_event() {
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
        if !matches!(event, Event::Content(_)) {
            self.shown += &format!("{event:?} {:?}\n", self.server);
        }
        let words = match &event {
            Event::Secured(_) => "secured".to_string(),
            Event::Hello(hello) => format!("hello {} {}", hello.name, hello.extended),
            Event::Authenticate(it) => format!("authenticate {} {}", it.mechanism, it.ask.authcid()),
            Event::Authenticated(identity) => format!("authenticated {}", identity.authorization),
            Event::Sender(sender) => {
                format!("sender {} size {:?}", sender.path, sender.parameters.size())
            }
            Event::Recipient(recipient) => format!("recipient {} {}", recipient.index, recipient.path),
            Event::Data(data) => {
                format!("data {}{}", data.recipients, if data.chunked { " chunked" } else { "" })
            }
            Event::Content(_) => "content".to_string(),
            Event::Message(message) => {
                format!("message from {} to {}: {:?}", message.sender, message.recipients, message.report)
            }
            Event::Aborted(aborted) => format!("aborted {:?}", aborted.reason),
            Event::Reset => "reset".to_string(),
            Event::Verify(verify) => format!("verify {} {}", text(&verify.query), verify.smtp_utf8),
            Event::Expand(expand) => format!("expand {} {}", text(&expand.query), expand.smtp_utf8),
            Event::Help(help) => format!("help {}", text(&help.topic)),
            Event::QueueRun(run) => format!("{} {}", run.verb, text(&run.argument)),
            Event::Rejected(rejected) => format!("rejected {} {:?}", rejected.reply, rejected.error),
            Event::Deviation(deviation) => format!("deviation {}", deviation.kind),
            Event::Closed(reason) => format!("closed {reason:?}"),
            event => format!("{event:?}"),
        };
        if !(matches!(event, Event::Content(_)) && self.events.last() == Some(&words)) {
            self.events.push(words);
        }
        match event {
            Event::Content(octets) => self.content.extend_from_slice(&octets),
            Event::Aborted(_) => self.content.clear(),
            Event::Message(_) if !self.undecided => {
                self.messages.push(core::mem::take(&mut self.content));
                self.answer(event);
            }
            event if self.undecided => {
                if is_question(&event) {
                    self.open.push(event);
                }
            }
            event => self.answer(event),
        }
    }

    /// Answers a question as the host does. One that was not asked cannot be answered.
    pub(crate) fn answer(&mut self, event: Event) {
        let ask = self.server.config().ask;
        match event {
            Event::Hello(it) => {
                assert_eq!(self.server.answer(it.token, Reply::OK).is_ok(), ask.hello);
            }
            Event::Authenticate(it) => {
                let answer = match &it.ask {
                    Ask::Password { authcid, password, .. } if password.expose() == b"tanstaaf" => {
                        assert!(authcid != "nobody");
                        it.ask.accept()
                    }
                    Ask::Authorize { authzid, .. } if authzid == "shared" => it.ask.accept(),
                    Ask::Password { authcid, .. } if authcid == "later" => Answer::TempFail,
                    _ => Answer::No,
                };
                self.server.answer(it.token, answer).unwrap();
            }
            Event::Sender(it) => {
                assert_eq!(self.server.answer(it.token, Reply::SENDER_OK).is_ok(), ask.sender);
            }
            Event::Recipient(it) => {
                let reply = match it.path.mailbox().map(|mailbox| mailbox.local_part().as_str()) {
                    Some(name) if name.starts_with("no") => Reply::NO_SUCH_USER,
                    Some(name) if name.starts_with("later") => Reply::MAILBOX_BUSY,
                    _ => Reply::RECIPIENT_OK,
                };
                assert_eq!(self.server.answer(it.token, reply).is_ok(), ask.recipient);
            }
            Event::Data(it) => {
                assert_eq!(self.server.answer(it.token, Reply::START_CONTENT).is_ok(), ask.data);
            }
            Event::Message(it) => {
                let verdict = self.verdict.clone();
                assert_eq!(self.server.answer(it.token, verdict).is_ok(), ask.message);
            }
            Event::Verify(it) => {
                let reply = Reply::new(ReplyCode::OK, None, "<alice@example.org>").unwrap();
                assert_eq!(self.server.answer(it.token, reply).is_ok(), ask.verify);
            }
            Event::Expand(it) => {
                let members = ["<alice@example.org>", "<bob@example.org>"];
                let reply = Reply::multi_line(ReplyCode::OK, None, members).unwrap();
                assert_eq!(self.server.answer(it.token, reply).is_ok(), ask.expand);
            }
            Event::Help(it) => {
                let reply = Reply::new(ReplyCode::HELP, None, "Ask the postmaster").unwrap();
                assert_eq!(self.server.answer(it.token, reply).is_ok(), ask.help);
            }
            Event::QueueRun(it) => {
                let reply = Reply::new(ReplyCode::new(459).unwrap(), None, "Not for you").unwrap();
                self.server.answer(it.token, reply).unwrap();
            }
            _ => {}
        }
    }
}

fn text(octets: &[u8]) -> &str {
    core::str::from_utf8(octets).unwrap()
}

/// Whether a word is an enhanced code, not a domain name.
fn is_enhanced(word: &str) -> bool {
    word.split('.').count() == 3 && word.bytes().all(|octet| octet == b'.' || octet.is_ascii_digit())
}

/// The codes of each reply, separated by commas: `250 2.0.0, 354`.
pub(crate) fn codes(replies: &str) -> String {
    let code = |line: &str| {
        let (code, text) = line.split_at(3);
        match text.trim_start().split(' ').next() {
            Some(word) if is_enhanced(word) => format!("{code} {word}"),
            _ => code.to_string(),
        }
    };
    let lines = replies.split_terminator("\r\n").filter(|line| line.as_bytes()[3] != b'-');
    lines.map(code).collect::<Vec<_>>().join(", ")
}

fn is_question(event: &Event) -> bool {
    matches!(
        event,
        Event::Hello(_)
            | Event::Authenticate(_)
            | Event::Sender(_)
            | Event::Recipient(_)
            | Event::Data(_)
            | Event::Message(_)
            | Event::Verify(_)
            | Event::Expand(_)
            | Event::Help(_)
            | Event::QueueRun(_)
    )
}
