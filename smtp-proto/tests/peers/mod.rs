//! Hosts for the laws and for pairs: one that answers a server, one that commands a client.

#![allow(dead_code, reason = "each test file uses a part of it")]

use mailwright_core::testing::{Host, Note, laws::Bounds};
use mailwright_core::value::{DeviationKind, Misuse};
use mailwright_sasl::{Answer, Ask, Credentials, MechanismName, Offers, Seed};
use mailwright_smtp::client::{self, Client, MailOptions};
use mailwright_smtp::server::{Config, Early, Event, Protocol, Questions, Server, TlsMode};
use mailwright_smtp::types::Reply;

/// A server where nothing depends on what came early, and everything is asked.
pub(crate) fn config(protocol: Protocol) -> Config {
    let mut config = Config::new("mx.example.org").unwrap();
    config.protocol = protocol;
    config.offers = Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]);
    config.allow_plaintext_authentication = true;
    config.early.refused_data = Early::Report;
    config.ask.hello = true;
    config.ask.sender = true;
    config.ask.data = true;
    config.ask.verify = true;
    config.ask.expand = true;
    config.ask.help = true;
    config.ask.etrn = true;
    config.smtp_utf8 = true;
    config.binary_mime = true;
    config
}

pub(crate) fn with_tls(protocol: Protocol, tls: TlsMode) -> Config {
    let mut config = config(protocol);
    config.tls = tls;
    config
}

/// What the default limits come to.
pub(crate) fn bounds() -> Bounds {
    let mut bounds = Bounds::default();
    // One command may be answered above the mark, in LMTP for each of 1000 recipients.
    bounds.output = 2 * 65_536 + 1024;
    bounds.answers = 1001;
    bounds.unread = 12_288;
    bounds
}

/// Answers what a server asks. Local parts that begin with `no` are refused (550), with `later` deferred (450);
/// the password is `tanstaaf`.
#[derive(Default)]
pub(crate) struct Answers {
    /// Questions wait until nothing else goes on, and the last one is answered first.
    pub(crate) slow: bool,
    /// Calls may be refused, since others were made in between.
    pub(crate) careless: bool,
    /// Questions in words, and the rest too long to keep.
    pub(crate) forgetful: bool,
    /// The verdict on a message: one for each recipient, over and over. Default: accepted.
    pub(crate) verdicts: Vec<Reply>,
    pub(crate) accepted: Vec<String>,
    pub(crate) content: Vec<u8>,
    /// Recipients and content of each complete message.
    pub(crate) messages: Vec<(Vec<String>, Vec<u8>)>,
    pub(crate) waiting: Vec<Event>,
}

impl Answers {
    pub(crate) fn slow() -> Self {
        Self { slow: true, ..Self::default() }
    }

    fn expect<E: core::fmt::Debug>(&self, answered: Result<(), E>, asked: bool) {
        assert!(self.careless || answered.is_ok() == asked, "{answered:?}");
    }

    fn decide(&mut self, server: &mut Server, event: Event) {
        let ask: Questions = server.config().ask;
        match event {
            Event::Hello(it) => self.expect(server.answer(it.token, Reply::OK), ask.hello),
            Event::Authenticate(it) => {
                let answer = match &it.ask {
                    Ask::Password { password, .. } if password.expose() == b"tanstaaf" => it.ask.accept(),
                    _ => Answer::No,
                };
                self.expect(server.answer(it.token, answer), true);
            }
            Event::Sender(it) => self.expect(server.answer(it.token, Reply::SENDER_OK), ask.sender),
            Event::Recipient(it) => {
                let path = it.path.to_string();
                let reply = match path.trim_start_matches('<') {
                    name if name.starts_with("no") => Reply::NO_SUCH_USER,
                    name if name.starts_with("later") => Reply::MAILBOX_BUSY,
                    _ => Reply::RECIPIENT_OK,
                };
                self.expect(server.answer(it.token, reply), ask.recipient);
            }
            Event::Data(it) => self.expect(server.answer(it.token, Reply::START_CONTENT), ask.data),
            Event::Message(it) => {
                let replies = self.verdicts.iter().cycle().take(it.recipients).cloned();
                let verdict: Vec<Reply> = replies.collect();
                let lmtp = server.config().protocol == Protocol::Lmtp;
                let answered = if verdict.is_empty() || !lmtp {
                    server.answer(it.token, Reply::MESSAGE_ACCEPTED)
                } else {
                    server.answer(it.token, verdict)
                };
                self.expect(answered, ask.message);
            }
            Event::Verify(it) => self.expect(server.answer(it.token, Reply::NO_SUCH_USER), ask.verify),
            Event::Expand(it) => self.expect(server.answer(it.token, Reply::NO_SUCH_USER), ask.expand),
            Event::Help(it) => self.expect(server.answer(it.token, Reply::NOT_IMPLEMENTED), ask.help),
            Event::QueueRun(it) => self.expect(server.answer(it.token, Reply::TRY_LATER), true),
            _ => {}
        }
    }

    /// Keeps what a message is made of, in the order of events.
    fn collect(&mut self, event: &Event) {
        match event {
            Event::Sender(_) | Event::Reset => self.accepted.clear(),
            Event::Recipient(it) => {
                let path = it.path.to_string();
                if !path.starts_with("<no") && !path.starts_with("<later") {
                    self.accepted.push(path);
                }
            }
            Event::Content(octets) => self.content.extend_from_slice(octets),
            Event::Aborted(_) => self.content.clear(),
            // Content behind a chunk that failed is dropped by the session.
            Event::Message(_) => {
                let message = (core::mem::take(&mut self.accepted), core::mem::take(&mut self.content));
                self.messages.push(message);
            }
            _ => {}
        }
    }
}

impl Host<Server> for Answers {
    fn handle(&mut self, server: &mut Server, event: Event) -> Note {
        if !self.forgetful {
            self.collect(&event);
        }
        let note = match &event {
            Event::Content(octets) => Note::Content(octets.clone()),
            Event::Closed(reason) => Note::Closed(format!("{reason:?}")),
            Event::Deviation(deviation)
                if matches!(
                    deviation.kind,
                    DeviationKind::EarlyInput | DeviationKind::ImproperPipelining
                ) =>
            {
                Note::Exempt
            }
            event => Note::debug(event),
        };
        let question = matches!(
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
        );
        if question && self.slow {
            self.waiting.push(event);
        } else {
            self.decide(server, event);
        }
        note
    }

    fn work(&mut self, server: &mut Server, pick: usize) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let last = self.waiting.len() - 1;
        let event = self.waiting.swap_remove(last - pick % self.waiting.len());
        self.decide(server, event);
        true
    }

    fn meddle(&mut self, server: &mut Server, choice: u8) {
        match choice {
            0 => server.abort(),
            1 => server.shutdown(),
            2..20 => self.slow = choice % 2 == 0,
            20..40 => server.hold(choice % 2 == 0),
            40..50 => server.set_tls_unavailable(choice % 2 == 0),
            _ => {
                const REPLIES: [Reply; 6] = [
                    Reply::START_CONTENT,
                    Reply::OK,
                    Reply::NO_SUCH_USER,
                    Reply::MAILBOX_BUSY,
                    Reply::SERVICE_UNAVAILABLE,
                    Reply::CLOSING,
                ];
                let reply = REPLIES[usize::from(choice) % 6].clone();
                match self.waiting.pop() {
                    Some(Event::Hello(it)) => drop(server.answer(it.token, reply)),
                    Some(Event::Authenticate(it)) => drop(server.answer(it.token, Answer::TempFail)),
                    Some(Event::Sender(it)) => drop(server.answer(it.token, reply)),
                    Some(Event::Recipient(it)) => drop(server.answer(it.token, reply)),
                    Some(Event::Data(it)) => drop(server.answer(it.token, reply)),
                    Some(Event::Message(it)) => {
                        drop(server.answer(it.token, vec![reply; usize::from(choice % 4)]));
                    }
                    Some(Event::Verify(it)) => drop(server.answer(it.token, reply)),
                    Some(Event::Expand(it)) => drop(server.answer(it.token, reply)),
                    Some(Event::Help(it)) => drop(server.answer(it.token, reply)),
                    Some(Event::QueueRun(it)) => drop(server.answer(it.token, reply)),
                    _ => {}
                }
            }
        }
    }
}

/// A call on a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Mail,
    Rcpt(&'static str),
    Data,
    Content(&'static [u8]),
    /// The octets of a chunk, and whether it is the last.
    Bdat(u64, bool),
    End,
    Reset,
    Noop,
    Auth,
    Quit,
}

/// Makes calls in their order, each as soon as the client lets it, after an event.
#[derive(Default)]
pub(crate) struct Commander {
    pub(crate) calls: Vec<Call>,
    /// Calls that are left over, and never made.
    pub(crate) left: usize,
}

impl Commander {
    pub(crate) fn new(calls: &[Call]) -> Self {
        Self { calls: calls.to_vec(), left: 0 }
    }

    fn go_on(&mut self, client: &mut Client) -> bool {
        let mut moved = false;
        while let Some(&first) = self.calls.first().filter(|_| self.calls.len() > self.left) {
            if let Call::Content(octets) = first {
                let Ok(taken) = client.content(octets) else { break };
                moved |= taken > 0;
                if taken < octets.len() {
                    self.calls[0] = Call::Content(&octets[taken..]);
                    break;
                }
            } else if call(client, first).is_err() {
                break;
            }
            self.calls.remove(0);
            moved = true;
        }
        moved
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::password("alice", "tanstaaf").unwrap()
}

pub(crate) fn call(client: &mut Client, call: Call) -> Result<(), Misuse> {
    match call {
        Call::Mail => {
            let mut options = MailOptions::default();
            options.size = client.capabilities().size().map(|_| 100);
            client.mail(&"<alice@client.example>".parse().unwrap(), options).map(drop)
        }
        Call::Rcpt(name) => client.rcpt(&format!("<{name}@server.example>").parse().unwrap()).map(drop),
        Call::Data => client.data().map(drop),
        Call::Content(octets) => client.content(octets).map(drop).map_err(|_| Misuse::WrongState),
        Call::Bdat(size, last) => client.bdat(size, last).map(drop).map_err(|_| Misuse::WrongState),
        Call::End => client.end_content().map(drop).map_err(|_| Misuse::WrongState),
        Call::Reset => client.reset().map(drop),
        Call::Noop => client.noop().map(drop),
        Call::Auth => {
            client.may_write()?;
            client
                .authenticate(&credentials(), Seed::new([1; 32]).nonce())
                .map(drop)
                .map_err(|_| Misuse::WrongState)
        }
        Call::Quit => client.quit().map(drop),
    }
}

impl Host<Client> for Commander {
    fn handle(&mut self, client: &mut Client, event: client::Event) -> Note {
        let note = match &event {
            // Replies that came before their command are cut by chance.
            client::Event::Closed(client::Closed::Unsolicited(_)) => Note::Closed("unsolicited".into()),
            client::Event::Closed(reason) => Note::Closed(format!("{reason:?}")),
            event => Note::debug(event),
        };
        self.go_on(client);
        note
    }

    fn work(&mut self, client: &mut Client, _: usize) -> bool {
        self.go_on(client)
    }

    fn meddle(&mut self, client: &mut Client, choice: u8) {
        const CALLS: [Call; 15] = [
            Call::Bdat(7, false),
            Call::Bdat(0, false),
            Call::Bdat(3, true),
            Call::Mail,
            Call::Rcpt("bob"),
            Call::Rcpt("carol"),
            Call::Data,
            Call::Content(b".\r\n.dot\r\ntext"),
            Call::Content(b"bare\rcr"),
            Call::Content(b"line\r\n"),
            Call::End,
            Call::Reset,
            Call::Noop,
            Call::Auth,
            Call::Quit,
        ];
        if choice == 255 {
            client.abort();
        } else {
            let _ = call(client, CALLS[usize::from(choice) % CALLS.len()]);
        }
    }
}
