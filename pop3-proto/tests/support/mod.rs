//! A host for tests: users, messages and answers in memory, for any number of server sessions one after the
//! other.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod commander;
pub(crate) mod peer;

use core::ops::{Deref, DerefMut};
use std::sync::Arc;

use mailwright_core::session::{Session as _, TlsInfo, Upgraded};
use mailwright_core::testing::{End, Note, laws::Bounds};
use mailwright_core::wire::LineEndCounter;
use mailwright_pop3::sasl::{Answer, Ask, MechanismName, Offers};
use mailwright_pop3::server::{
    Commit, Config, Event, Expire, Intake, Language, Maildrop, Opening, PerUser, Phrase, RetrieveToken,
    Server, Severity, Unavailable, Utf8,
};
use mailwright_pop3::types::{MessageNumber, UniqueId};

/// A server that needs no TLS, as most tests want it.
pub(crate) fn clear_text() -> Config {
    let mut config = Config::default();
    config.clear_text_without_tls = true;
    config
}

/// The same with everything switched on that can be.
pub(crate) fn everything() -> Config {
    let mut config = clear_text();
    config.bare_auth = true;
    #[cfg(feature = "legacy-md5")]
    {
        config.apop = true;
    }
    config.offers = Offers::new([MechanismName::SCRAM_SHA_256, MechanismName::PLAIN, MechanismName::LOGIN]);
    config.utf8 = Utf8::MessagesAndNames;
    let language = |tag: &str| Language::new(tag.parse().unwrap(), tag).unwrap();
    let words = |phrase| (phrase != Phrase::Goodbye).then(|| "gr\u{fc}\u{df}e".into());
    config.languages = vec![language("en"), language("de").translated(words)];
    config.expire = Some(PerUser::differing(Expire::Days(5)));
    config.login_delay = Some(PerUser::differing(900));
    config
}

/// What a client may say there.
pub(crate) const EXTENDED: &[&[u8]] = &[
    b"AUTH\r\n",
    b"AUTH SCRAM-SHA-256\r\n",
    b"biwsbj1tcm9zZSxyPXJPcHJOR2Z3RWJlUldnYk5Fa3FP\r\n",
    b"APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n",
    b"APOP mrose 00\r\n",
    b"UTF8\r\n",
    b"LANG\r\n",
    b"LANG *\r\n",
    b"LANG de-AT\r\n",
    b"LANG xx\r\n",
    b"USER ros\xc3\xa9\r\n",
    b"USER \xc2\xad\r\n",
    b"PASS \xe2\x82\xac\xff\r\n",
    b"LIST 2\r\n",
];

/// What the default limits come to.
pub(crate) fn bounds() -> Bounds {
    let mut bounds = Bounds::default();
    bounds.output = 16 * 1024;
    bounds.answers = 1;
    bounds.unread = 12_288;
    bounds
}

/// Size and id of each message.
pub(crate) fn maildrop(messages: &[Vec<u8>]) -> Arc<dyn Maildrop> {
    Arc::new(listed(messages))
}

fn listed(messages: &[Vec<u8>]) -> Vec<(u64, UniqueId)> {
    let list = messages.iter().enumerate().map(|(index, message)| {
        let mut counter = LineEndCounter::default();
        counter.feed(message);
        let id = UniqueId::new(format!("uid-{}", index + 1).as_bytes()).unwrap();
        (counter.octets() + counter.added(), id)
    });
    list.collect()
}

/// A maildrop with messages that need UTF8, of a user with values of its own.
struct Special {
    list: Vec<(u64, UniqueId)>,
    needs_utf8: Vec<u32>,
    own: Option<(Expire, u32)>,
}

impl Maildrop for Special {
    fn len(&self) -> u32 {
        Maildrop::len(&self.list)
    }

    fn size(&self, number: MessageNumber) -> u64 {
        self.list.size(number)
    }

    fn id(&self, number: MessageNumber) -> UniqueId {
        self.list.id(number)
    }

    fn needs_utf8(&self, number: MessageNumber) -> bool {
        self.needs_utf8.contains(&number.get())
    }

    fn expire(&self) -> Option<Expire> {
        self.own.map(|(expire, _)| expire)
    }

    fn login_delay(&self) -> Option<u32> {
        self.own.map(|(_, seconds)| seconds)
    }
}

/// Answers what a server asks. The user is `mrose` with the password `tanstaaf`.
pub(crate) struct Answers {
    /// What the events were, in words.
    pub(crate) events: Vec<String>,
    pub(crate) messages: Vec<Vec<u8>>,
    /// Octets of a message pushed at a time.
    pub(crate) chunk: usize,
    pub(crate) opening: Option<Opening>,
    /// Messages with UTF-8 in their header.
    pub(crate) needs_utf8: Vec<u32>,
    /// Ids of the messages, if not `uid-1` and so on.
    pub(crate) ids: Option<Vec<String>>,
    /// EXPIRE and LOGIN-DELAY of the user.
    pub(crate) own: Option<(Expire, u32)>,
    pub(crate) commit: Commit,
    pub(crate) unavailable: Option<Unavailable>,
    /// Whether the password question is left open.
    pub(crate) undecided: bool,
    pub(crate) open_questions: Vec<Event>,
    /// Whether everything waits until nothing else goes on.
    pub(crate) slow: bool,
    /// Whether calls may be refused, since others were made in between.
    pub(crate) careless: bool,
    pub(crate) removed: Option<Vec<u32>>,
    waiting: Vec<Event>,
    body: Option<(RetrieveToken, usize, usize)>,
    opened: u32,
    released: u32,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            messages: vec![
                b"Subject: one\r\n\r\nline\r\n.dot\r\n".to_vec(),
                b"Subject: two\n\nbare\n".to_vec(),
            ],
            chunk: 1 << 20,
            opening: None,
            needs_utf8: Vec::new(),
            ids: None,
            own: None,
            commit: Commit::All,
            unavailable: None,
            undecided: false,
            open_questions: Vec::new(),
            slow: false,
            careless: false,
            removed: None,
            waiting: Vec::new(),
            body: None,
            opened: 0,
            released: 0,
        }
    }
}

impl Answers {
    pub(crate) fn with(messages: Vec<Vec<u8>>) -> Self {
        Self { messages, ..Self::default() }
    }

    fn expect<E: core::fmt::Debug>(&self, result: Result<(), E>) -> bool {
        assert!(self.careless || result.is_ok(), "{result:?}");
        result.is_ok()
    }

    /// Pushes what there is room for. `false` if nothing could be.
    fn push(&mut self, server: &mut Server) -> bool {
        let mut moved = false;
        while let Some((token, index, offset)) = self.body.take() {
            let message = &self.messages[index];
            if offset == message.len() {
                let finished = server.finish(token).map_err(|refused| refused.misuse);
                self.expect(finished);
                return true;
            }
            let end = (offset + self.chunk).min(message.len());
            match server.content(&token, &message[offset..end]) {
                Ok(Intake::Taken(taken)) => {
                    moved |= taken > 0;
                    self.body = Some((token, index, offset + taken));
                    if taken < end - offset {
                        return moved;
                    }
                }
                Ok(Intake::Enough) => return true,
                Err(misuse) => {
                    self.expect(Err(misuse));
                    return false;
                }
            }
        }
        moved
    }

    fn words(event: &Event) -> String {
        match event {
            Event::Authenticate { ask, .. } => format!("authenticate {}", ask.authcid()),
            Event::Open { identity, utf8, .. } => {
                format!("open {}{}", identity.authorization, if *utf8 { " utf8" } else { "" })
            }
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
        }
    }

    fn decide(&mut self, server: &mut Server, event: Event) {
        match event {
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
                    #[cfg(feature = "legacy-md5")]
                    Ask::CramSecret { authcid } => {
                        Answer::Secret((authcid == "mrose").then(|| "tanstaaf".into()))
                    }
                    _ => Answer::No,
                };
                let answered = server.answer(token, answer);
                self.expect(answered);
            }
            Event::Open { token, .. } => {
                let mut list = listed(&self.messages);
                for ((_, id), own) in list.iter_mut().zip(self.ids.iter().flatten()) {
                    *id = own.parse().unwrap();
                }
                let special = Special { list, needs_utf8: self.needs_utf8.clone(), own: self.own };
                let opening = self.opening.clone().unwrap_or_else(|| Opening::Opened(Arc::new(special)));
                let opened = matches!(opening, Opening::Opened(_));
                let answered = server.answer(token, opening);
                self.opened += u32::from(self.expect(answered) && opened);
            }
            Event::Retrieve { token, number, .. } => match self.unavailable {
                Some(why) => {
                    let answered = server.unavailable(token, why);
                    self.expect(answered.map_err(|refused| refused.misuse));
                }
                None => {
                    self.body = Some((token, MessageNumber::index(number), 0));
                    self.push(server);
                }
            },
            Event::Commit { token, deleted } => {
                self.removed = Some(deleted.iter().map(MessageNumber::get).collect());
                let answered = server.answer(token, self.commit);
                self.expect(answered);
            }
            _ => {}
        }
    }
}

impl mailwright_core::testing::Host<Server> for Answers {
    fn handle(&mut self, server: &mut Server, event: Event) -> Note {
        let words = Self::words(&event);
        self.events.push(words.clone());
        match event {
            Event::Release => {
                self.released += 1;
                assert!(self.released <= self.opened, "what was never opened is released");
            }
            Event::Closed(_) => {
                assert_eq!(self.released, self.opened, "what was opened is not released");
                return Note::Closed(words);
            }
            Event::Room if !self.slow => {
                self.push(server);
            }
            Event::Room => {
                // When there is room depends on the reader.
                return Note::Exempt;
            }
            Event::Authenticate { .. } if self.undecided => self.open_questions.push(event),
            Event::Authenticate { .. }
            | Event::Open { .. }
            | Event::Retrieve { .. }
            | Event::Commit { .. }
                if self.slow =>
            {
                self.waiting.push(event);
            }
            event => self.decide(server, event),
        }
        Note::Event(words)
    }

    fn work(&mut self, server: &mut Server, pick: usize) -> bool {
        if self.push(server) {
            return true;
        }
        if self.waiting.is_empty() {
            return false;
        }
        let event = self.waiting.swap_remove(pick % self.waiting.len());
        self.decide(server, event);
        true
    }

    fn meddle(&mut self, server: &mut Server, choice: u8) {
        match choice % 16 {
            0 if choice == 0 => server.abort(),
            0..4 => self.slow = choice % 2 == 0,
            4..9 => {
                if let Some((token, ..)) = &self.body {
                    let _ = server.content(token, &vec![b'\n'; usize::from(choice) * 150]);
                }
            }
            9 => {
                if let Some((token, ..)) = self.body.take() {
                    let _ = server.finish(token);
                }
            }
            10 => {
                if let Some((token, ..)) = self.body.take() {
                    let _ = server.unavailable(token, Unavailable::Vanished);
                }
            }
            11 => self.opening = [None, Some(Opening::InUse)][usize::from(choice / 16 % 2)].clone(),
            12 => self.commit = [Commit::All, Commit::None(TEMPORARY)][usize::from(choice / 16 % 2)],
            13 => self.chunk = usize::from(choice),
            _ => match self.waiting.pop() {
                Some(Event::Authenticate { token, .. }) => drop(server.answer(token, Answer::TempFail)),
                Some(Event::Open { token, .. }) => drop(server.answer(token, Opening::InUse)),
                Some(Event::Commit { token, .. }) => drop(server.answer(token, Commit::None(TEMPORARY))),
                Some(Event::Retrieve { token, .. }) => {
                    drop(server.unavailable(token, Unavailable::Temporary));
                }
                _ => {}
            },
        }
    }
}

/// The same answers by a host that remembers no events.
#[derive(Default)]
pub(crate) struct Memoryless(Answers);

impl mailwright_core::testing::Host<Server> for Memoryless {
    fn handle(&mut self, server: &mut Server, event: Event) -> Note {
        let note = self.0.handle(server, event);
        self.0.events.clear();
        note
    }

    fn work(&mut self, server: &mut Server, pick: usize) -> bool {
        self.0.work(server, pick)
    }
}

/// A server session with its host, and words for what tests do to it.
pub(crate) struct Host {
    pub(crate) end: End<Server, Answers>,
}

impl Deref for Host {
    type Target = Answers;

    fn deref(&self) -> &Answers {
        &self.end.host
    }
}

impl DerefMut for Host {
    fn deref_mut(&mut self) -> &mut Answers {
        &mut self.end.host
    }
}

impl Host {
    pub(crate) fn new(config: Config) -> Self {
        Self::with(config, Answers::default())
    }

    pub(crate) fn with(config: Config, answers: Answers) -> Self {
        let mut end = End::new(Server::new(config, [7; 32]), answers);
        end.waits = false;
        let mut host = Self { end };
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

    pub(crate) fn run(&mut self) {
        self.end.turn().unwrap();
    }

    /// Sends octets and returns what the server says.
    pub(crate) fn send(&mut self, octets: &[u8]) -> String {
        self.end.receive(octets).unwrap();
        self.take_output()
    }

    pub(crate) fn take_output(&mut self) -> String {
        String::from_utf8_lossy(&core::mem::take(&mut self.end.output)).into_owned()
    }

    pub(crate) fn eof(&mut self) -> String {
        self.end.session.handle_eof(self.end.now);
        self.run();
        self.take_output()
    }

    pub(crate) fn wait(&mut self, seconds: u64) -> String {
        self.end.now = self.end.now + core::time::Duration::from_secs(seconds);
        self.end.session.handle_timeout(self.end.now);
        self.run();
        self.take_output()
    }

    /// TLS is in place.
    pub(crate) fn secure(&mut self) -> String {
        self.end.session.handle_upgrade(Upgraded::Tls(TlsInfo::default()), self.end.now);
        self.run();
        self.take_output()
    }

    pub(crate) fn closed(&self) -> bool {
        self.end.session.wants().close
    }
}

/// For tests that only want a severity.
pub(crate) const TEMPORARY: Severity = Severity::Temporary;
