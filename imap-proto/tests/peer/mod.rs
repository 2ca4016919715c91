//! A client session and the server's end of its connection, without a socket. What a test reads and writes has
//! `$1`, `$2` … for tags, since those of a session begin by chance.

#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod commander;

use core::time::Duration;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{LayerError, Progress, Session as _, Task, TlsInfo, Upgraded};
use mailwright_core::value::Instant;
use mailwright_imap::client::{Client, Config, Event, SendError, TlsMode};
use mailwright_imap::types::{
    AppendCommand, Command, FetchAttribute, FetchCommand, Mailbox, Messages, NumberSet, OctetString, Search,
    SearchCommand, SearchKey,
};
use mailwright_sasl::Credentials;

pub(crate) struct Peer {
    pub(crate) client: Client,
    pub(crate) input: BytesMut,
    pub(crate) now: Instant,
    /// What all tags begin with, once one was seen.
    prefix: Option<String>,
}

/// A configuration in which passwords may go in clear text.
pub(crate) fn clear_text() -> Config {
    let mut config = Config::default();
    config.sasl.clear_text_without_tls = true;
    config
}

pub(crate) fn tls(mode: TlsMode) -> Config {
    let mut config = Config::default();
    config.tls = mode;
    config
}

pub(crate) fn credentials() -> Credentials {
    Credentials::password("fred", "secret").unwrap()
}

pub(crate) fn mailbox(name: &str) -> Mailbox {
    Mailbox::read(name.as_bytes().to_vec().into(), true)
}

pub(crate) fn set(text: &str) -> NumberSet {
    NumberSet::parse(text.as_bytes(), 1000).unwrap()
}

pub(crate) fn string(text: &str) -> OctetString {
    OctetString::new(text.as_bytes().to_vec()).unwrap()
}

pub(crate) fn fetch(messages: Messages) -> Command {
    Command::Fetch(FetchCommand::new(messages, vec![FetchAttribute::Flags]))
}

pub(crate) fn numbers(text: &str) -> Messages {
    Messages::Numbers(set(text))
}

pub(crate) fn uids(text: &str) -> Messages {
    Messages::Uids(set(text))
}

pub(crate) fn search(uid: bool, key: SearchKey) -> Command {
    Command::Search(SearchCommand::new(uid, Search::new([key]).unwrap()))
}

pub(crate) fn login() -> Command {
    Command::Login { user: string("fred"), password: "secret".into() }
}

pub(crate) fn append(name: &str) -> AppendCommand {
    AppendCommand::new(mailbox(name))
}

/// The items of a task, and its end if it has come.
pub(crate) type Driven<T> =
    (Vec<<T as Task<Client>>::Item>, Option<Result<<T as Task<Client>>::Output, <T as Task<Client>>::Error>>);

fn names(capabilities: &str) -> String {
    format!("IMAP4rev1 {capabilities}").trim_end().to_owned()
}

impl Peer {
    pub(crate) fn new(config: Config) -> Self {
        let client = Client::new(config, commander::SEED);
        Self { client, input: BytesMut::new(), now: Instant::ORIGIN, prefix: None }
    }

    /// A client that was greeted by a server with these capabilities.
    pub(crate) fn greeted(config: Config, capabilities: &str) -> Self {
        let mut peer = Self::new(config);
        let events = peer.says(&format!("* OK [CAPABILITY {}] ready\r\n", names(capabilities)));
        assert_eq!(events.len(), 1, "{events:?}");
        peer
    }

    /// The same with someone logged in.
    pub(crate) fn logged_in(capabilities: &str) -> Self {
        let mut peer = Self::new(clear_text());
        peer.says(&format!("* PREAUTH [CAPABILITY {}] welcome\r\n", names(capabilities)));
        peer
    }

    /// The same with INBOX selected; the next tag is `$2`.
    pub(crate) fn selected(capabilities: &str) -> Self {
        let mut peer = Self::logged_in(capabilities);
        peer.client.command(Command::Select(mailbox("INBOX").into())).unwrap();
        assert_eq!(peer.sent(), "$1 SELECT INBOX\r\n");
        peer.says("$1 OK selected\r\n");
        peer
    }

    /// Sends a command and gives what goes over the wire.
    pub(crate) fn command(&mut self, command: Command) -> Result<String, SendError> {
        self.client.command(command)?;
        Ok(self.sent())
    }

    /// What the client wrote.
    pub(crate) fn sent(&mut self) -> String {
        let mut sent = Vec::new();
        let transmit = self.client.transmit();
        while transmit.has_remaining() {
            let count = transmit.chunk().len();
            sent.extend_from_slice(transmit.chunk());
            transmit.advance(count);
        }
        let sent = String::from_utf8(sent).unwrap();
        if self.prefix.is_none() && sent.len() > 6 {
            self.prefix = Some(sent[..6].to_owned());
        }
        match &self.prefix {
            Some(prefix) => sent.replace(prefix, "$"),
            None => sent,
        }
    }

    /// What the server says; gives what the host is told.
    pub(crate) fn says(&mut self, text: &str) -> Vec<Event> {
        let text = text.replace('$', self.prefix.as_deref().unwrap_or("$"));
        self.input.extend_from_slice(text.as_bytes());
        self.events()
    }

    /// The server says something, which is read as [`Self::next`] is called.
    pub(crate) fn feed(&mut self, text: &str) {
        let text = text.replace('$', self.prefix.as_deref().unwrap_or("$"));
        self.input.extend_from_slice(text.as_bytes());
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Option<Event> {
        self.client.handle_input(&mut self.input, self.now);
        self.client.poll_event()
    }

    /// The same in words.
    pub(crate) fn told(&mut self, text: &str) -> Vec<String> {
        self.says(text).iter().map(|event| format!("{event:?}")).collect()
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let before = self.input.len();
            self.client.handle_input(&mut self.input, self.now);
            let count = events.len();
            events.extend(core::iter::from_fn(|| self.client.poll_event()));
            if before == self.input.len() && count == events.len() {
                return events;
            }
        }
    }

    /// The server leaves.
    pub(crate) fn leaves(&mut self) -> Vec<Event> {
        self.client.handle_eof(self.now);
        self.events()
    }

    /// TLS is in force.
    pub(crate) fn secure(&mut self) -> Vec<Event> {
        self.prefix = None;
        self.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), self.now);
        self.events()
    }

    /// TLS fails.
    pub(crate) fn fail_tls(&mut self) -> Vec<Event> {
        let failed = Upgraded::Failed(LayerError::Tls("no".into()));
        self.client.handle_upgrade(failed, self.now);
        self.events()
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, duration: Duration) -> Vec<Event> {
        // What was started since is counted from now.
        self.client.handle_timeout(self.now);
        self.now = self.now + duration;
        self.client.handle_timeout(self.now);
        self.events()
    }

    /// Starts a task.
    pub(crate) fn start<T: Task<Client>>(&mut self, task: &mut T) -> Result<String, T::Error> {
        task.start(&mut self.client)?;
        Ok(self.sent())
    }

    /// What the server says goes to a task: its items, and its end if it has come.
    pub(crate) fn drive<T: Task<Client>>(&mut self, task: &mut T, text: &str) -> Driven<T> {
        let mut items = Vec::new();
        for event in self.says(text) {
            match task.handle(&mut self.client, event) {
                Progress::Item(item) => items.push(item),
                Progress::Done(result) => return (items, Some(result)),
                Progress::Continue | Progress::NotMine(_) => {}
            }
        }
        loop {
            match task.ready(&mut self.client) {
                Progress::Item(item) => items.push(item),
                Progress::Done(result) => return (items, Some(result)),
                Progress::Continue | Progress::NotMine(_) => return (items, None),
            }
        }
    }
}
