//! A host with mailboxes in memory, and a session that talks to it without a socket.

#![allow(dead_code, unused_imports, reason = "each test uses its part")]

pub(crate) mod answers;
pub(crate) mod store;

use core::ops::{Deref, DerefMut};
use core::time::Duration;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Session as _, TlsInfo, Upgraded};
use mailwright_core::testing::{Host as _, laws::Bounds};
use mailwright_imap::server::{Config, Server};
use mailwright_imap::value::{Flag, Instant, Keyword};

pub(crate) use self::answers::Answers;
pub(crate) use self::store::{Folder, Folders};

/// A server where passwords may go in clear text.
pub(crate) fn clear_text() -> Config {
    let mut config = Config::default();
    config.clear_text_without_tls = true;
    config
}

/// What the default limits come to.
pub(crate) fn bounds() -> Bounds {
    let mut bounds = Bounds::default();
    // Half of it, and what one step adds.
    bounds.output = 256 * 1024;
    bounds.answers = 1;
    bounds.unread = 256 * 1024;
    bounds
}

/// A session, its host, and the client's end.
pub(crate) struct Host {
    pub(crate) server: Server,
    pub(crate) answers: Answers,
    pub(crate) input: BytesMut,
    pub(crate) now: Instant,
}

impl Deref for Host {
    type Target = Answers;

    fn deref(&self) -> &Answers {
        &self.answers
    }
}

impl DerefMut for Host {
    fn deref_mut(&mut self) -> &mut Answers {
        &mut self.answers
    }
}

impl Host {
    pub(crate) fn new(config: Config, answers: Answers) -> Self {
        let server = Server::new(config, [5; 32]);
        Self { server, answers, input: BytesMut::new(), now: Instant::ORIGIN }
    }

    /// A host that was greeted.
    pub(crate) fn with(config: Config) -> Self {
        let mut host = Self::new(config, Answers::default());
        host.run();
        host
    }

    /// A server where passwords may go in clear text.
    pub(crate) fn plain() -> Self {
        Self::with(clear_text())
    }

    /// The same with someone logged in.
    pub(crate) fn logged_in() -> Self {
        Self::sharing(&store::folders())
    }

    /// The same with mailboxes that others use too.
    pub(crate) fn sharing(folders: &Folders) -> Self {
        let mut host = Self::new(clear_text(), Answers::with(Folders::clone(folders)));
        host.run();
        assert!(host.say("x LOGIN fred secret\r\n").starts_with("x OK [CAPABILITY "));
        host
    }

    /// The same with INBOX selected, which holds so many messages.
    pub(crate) fn selected(messages: u32) -> Self {
        let mut host = Self::logged_in();
        for number in 1..=messages {
            let content = format!("Subject: {number}\r\n\r\nbody {number}\r\n");
            host.inbox().add(content.as_bytes(), &[]);
        }
        host.select();
        host
    }

    /// Selects INBOX.
    pub(crate) fn select(&mut self) {
        assert!(self.say("x SELECT INBOX\r\n").ends_with("x OK [READ-WRITE] selected\r\n"));
    }

    /// Hands over the latest state.
    pub(crate) fn update(&mut self) {
        self.answers.update(&mut self.server);
    }

    /// Feeds octets and gives everything that is said to them.
    pub(crate) fn say(&mut self, octets: impl AsRef<[u8]>) -> String {
        self.input.extend_from_slice(octets.as_ref());
        String::from_utf8_lossy(&self.run()).into_owned()
    }

    /// Feeds octets in pieces that end at `cuts`.
    pub(crate) fn say_cut(&mut self, octets: &[u8], cuts: &[usize]) -> String {
        let mut said = String::new();
        let mut from = 0;
        for &cut in cuts.iter().chain([&octets.len()]) {
            said += &self.say(&octets[from..cut]);
            from = cut;
        }
        said
    }

    /// So many seconds pass, over every deadline on the way.
    pub(crate) fn wait(&mut self, seconds: u64) -> String {
        let until = self.now + Duration::from_secs(seconds);
        let mut said = Vec::new();
        while let Some(deadline) = self.server.poll_timeout().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.server.handle_timeout(self.now);
            said.extend(self.run());
        }
        self.now = until;
        self.server.handle_timeout(self.now);
        said.extend(self.run());
        String::from_utf8_lossy(&said).into_owned()
    }

    /// TLS is in place.
    pub(crate) fn secure(&mut self) -> String {
        self.server.handle_upgrade(Upgraded::Tls(TlsInfo::default()), self.now);
        self.say("")
    }

    /// The client sends nothing more.
    pub(crate) fn eof(&mut self) -> String {
        self.server.handle_eof(self.now);
        self.say("")
    }

    /// Goes on until nothing moves, with the client reading.
    pub(crate) fn run(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        loop {
            let mut moved = self.turn();
            let transmit = self.server.transmit();
            while transmit.has_remaining() {
                let count = transmit.chunk().len();
                said.extend_from_slice(transmit.chunk());
                transmit.advance(count);
                moved = true;
            }
            if !moved {
                return said;
            }
        }
    }

    /// Shows input and hands over events, once. `false` if there was nothing of either.
    pub(crate) fn turn(&mut self) -> bool {
        let before = self.input.len();
        self.server.handle_input(&mut self.input, self.now);
        let mut moved = before != self.input.len();
        while let Some(event) = self.server.poll_event() {
            self.answers.handle(&mut self.server, event);
            moved = true;
        }
        moved
    }
}

pub(crate) fn keyword(name: &str) -> Flag {
    Flag::Keyword(Keyword::new(name).unwrap())
}
