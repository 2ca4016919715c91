//! A host with mailboxes in memory, and a session that talks to it without a socket.

#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::Session as _;
use mailwright_core::value::{
    Flag, Instant, Keyword, MailboxName, ModSeq, Uid, UidBlock, UidSet, UidValidity, UnixTime,
};
use mailwright_imap::server::{
    Config, Copied, Event, FetchToken, MailboxChange, MailboxState, MessageFacts, Opened, Refusal, Server,
};
use mailwright_imap::types::{
    Code, DateTime, FetchAttribute, FetchItem, ListResponse, Mailbox, SearchKey, StatusItem, StoreAction,
};
use mailwright_sasl::{Answer, Ask};

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) flags: Vec<Flag>,
    pub(crate) mod_seq: u64,
    pub(crate) content: Vec<u8>,
}

/// A mailbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folder {
    pub(crate) messages: BTreeMap<u32, Message>,
    pub(crate) next: u32,
    pub(crate) mod_seq: u64,
}

impl Folder {
    pub(crate) fn add(&mut self, content: &[u8], flags: &[Flag]) -> u32 {
        self.mod_seq += 1;
        self.next += 1;
        let message = Message { flags: flags.to_vec(), mod_seq: self.mod_seq, content: content.to_vec() };
        self.messages.insert(self.next, message);
        self.next
    }

    pub(crate) fn remove(&mut self, uid: u32) {
        self.mod_seq += 1;
        self.messages.remove(&uid);
    }

    pub(crate) fn set(&mut self, uid: u32, flags: &[Flag]) {
        self.mod_seq += 1;
        if let Some(message) = self.messages.get_mut(&uid) {
            message.flags = flags.to_vec();
            message.mod_seq = self.mod_seq;
        }
    }
}

struct State(Folder);

impl MailboxState for State {
    fn blocks(&self, each: &mut dyn FnMut(&UidBlock)) {
        let uids: Vec<Uid> = self.0.messages.keys().map(|uid| Uid::new(*uid).unwrap()).collect();
        for chunk in uids.chunks(3) {
            each(&UidBlock::new(chunk.to_vec()).unwrap());
        }
    }

    fn message(&self, uid: Uid, flag: &mut dyn FnMut(&Flag)) -> Option<MessageFacts> {
        let message = self.0.messages.get(&uid.get())?;
        message.flags.iter().for_each(flag);
        let date = DateTime { time: UnixTime::from_seconds(837_596_665), zone: -420 };
        Some(MessageFacts::new(message.content.len() as u64, date))
    }

    fn latest(&self) -> ModSeq {
        ModSeq::new(self.0.mod_seq).unwrap()
    }

    fn changed(&self, since: ModSeq, each: &mut dyn FnMut(Uid)) {
        for (uid, message) in &self.0.messages {
            if message.mod_seq > since.get() {
                each(Uid::new(*uid).unwrap());
            }
        }
    }

    fn keywords(&self) -> Vec<Flag> {
        let mut keywords: Vec<Flag> = Vec::new();
        for flag in self.0.messages.values().flat_map(|message| &message.flags) {
            if matches!(flag, Flag::Keyword(_)) && !keywords.contains(flag) {
                keywords.push(flag.clone());
            }
        }
        keywords
    }
}

/// A message on its way: the attributes still to come, its octets, and what there was no room for.
type Sending = (FetchToken, Vec<FetchAttribute>, Vec<u8>, Vec<u8>);

/// A host, its session, and the client's end.
pub(crate) struct Host {
    pub(crate) server: Server,
    pub(crate) folders: BTreeMap<String, Folder>,
    pub(crate) selected: Option<String>,
    pub(crate) closed: Option<String>,
    pub(crate) events: Vec<String>,
    /// Whether changes are handed over before each answer.
    pub(crate) eager: bool,
    input: BytesMut,
    append: Option<(String, Vec<Flag>, Vec<u8>)>,
    sending: Option<Sending>,
}

impl Host {
    pub(crate) fn with(config: Config) -> Self {
        let mut folders = BTreeMap::new();
        folders.insert("INBOX".to_owned(), Folder::default());
        let mut host = Self {
            server: Server::new(config, [5; 32]),
            folders,
            selected: None,
            closed: None,
            events: Vec::new(),
            eager: true,
            input: BytesMut::new(),
            append: None,
            sending: None,
        };
        host.run();
        host
    }

    /// A server where passwords may go in clear text.
    pub(crate) fn plain() -> Self {
        let mut config = Config::default();
        config.clear_text_without_tls = true;
        Self::with(config)
    }

    /// The same with someone logged in.
    pub(crate) fn logged_in() -> Self {
        let mut host = Self::plain();
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
        assert!(host.say("x SELECT INBOX\r\n").ends_with("x OK [READ-WRITE] selected\r\n"));
        host
    }

    pub(crate) fn inbox(&mut self) -> &mut Folder {
        self.folders.get_mut("INBOX").unwrap()
    }

    /// Feeds octets and gives everything that is said to them.
    pub(crate) fn say(&mut self, octets: impl AsRef<[u8]>) -> String {
        self.input.extend_from_slice(octets.as_ref());
        String::from_utf8_lossy(&self.run()).into_owned()
    }

    /// Hands over the latest state.
    pub(crate) fn update(&mut self) {
        if let Some(folder) = self.selected.as_ref().and_then(|name| self.folders.get(name)) {
            self.server.update(Arc::new(State(folder.clone())));
        }
    }

    pub(crate) fn run(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        loop {
            let before = self.input.len();
            self.server.handle_input(&mut self.input, Instant::ORIGIN);
            let mut moved = before != self.input.len();
            while let Some(event) = self.server.poll_event() {
                self.handle(event);
                moved = true;
            }
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

    fn folder(&self, mailbox: &Mailbox) -> Result<String, Refusal> {
        let name = mailbox.name().map(MailboxName::as_str).unwrap_or_default().to_owned();
        match self.folders.contains_key(&name) {
            true => Ok(name),
            false => Err(Refusal::new(Code::NonExistent, "no such mailbox")),
        }
    }

    fn handle(&mut self, event: Event) {
        let shown = format!("{event:?}");
        self.events.push(shown.split([' ', '(', '{']).next().unwrap().to_owned());
        if self.eager && shown.contains("token") {
            self.update();
        }
        match event {
            Event::Authenticate { token, ask } => {
                let good = matches!(&ask, Ask::Password { authcid, password, .. } if authcid == "fred" && password.expose() == b"secret");
                self.server.answer(token, if good { ask.accept() } else { Answer::No }).unwrap();
            }
            Event::Select { token, mailbox, .. } => {
                let answer = self.folder(&mailbox).map(|name| {
                    let folder = self.folders[&name].clone();
                    let next = Uid::new(folder.next + 1);
                    self.selected = Some(name);
                    Opened::new(Arc::new(State(folder)), UidValidity::new(7).unwrap(), next)
                });
                self.server.answer(token, answer).unwrap();
            }
            Event::Deselected => self.selected = None,
            Event::Refresh { token } => self.server.answer(token, ()).unwrap(),
            Event::Change { token, change } => {
                let answer = self.change(change);
                self.server.answer(token, answer).unwrap();
            }
            Event::List { token, .. } => {
                let list = |name: &String| ListResponse::new(MailboxName::new(name).unwrap(), Vec::new());
                let listed = self.folders.keys().map(list).collect();
                self.server.answer(token, Ok(listed)).unwrap();
            }
            Event::Status { token, mailbox, items } => {
                let answer = self.folder(&mailbox).map(|name| {
                    let folder = &self.folders[&name];
                    let value = |item: &StatusItem| match item {
                        StatusItem::Messages => folder.messages.len() as u64,
                        StatusItem::UidNext => u64::from(folder.next) + 1,
                        StatusItem::UidValidity => 7,
                        _ => 0,
                    };
                    items.iter().map(value).collect()
                });
                self.server.answer(token, answer).unwrap();
            }
            Event::Append { token, append, .. } => {
                let answer = self
                    .folder(&append.mailbox)
                    .map_err(|_| Refusal::new(Code::TryCreate, "create it first"));
                let answer = answer.map(|name| self.append = Some((name, append.flags, Vec::new())));
                self.server.answer(token, answer).unwrap();
            }
            Event::Content(octets) => self.append.as_mut().unwrap().2.extend_from_slice(&octets),
            Event::Appended { token } => {
                let (name, flags, content) = self.append.take().unwrap();
                let uid = self.folders.get_mut(&name).unwrap().add(&content, &flags);
                self.update();
                let stored = Some((UidValidity::new(7).unwrap(), Uid::new(uid).unwrap()));
                self.server.answer(token, Ok(stored)).unwrap();
            }
            Event::Aborted => self.append = None,
            Event::Expunge { token, uids } => {
                let name = self.selected.clone().unwrap();
                let folder = self.folders.get_mut(&name).unwrap();
                let gone: Vec<u32> = folder
                    .messages
                    .iter()
                    .filter(|(uid, message)| {
                        message.flags.contains(&Flag::Deleted)
                            && uids.as_ref().is_none_or(|uids| uids.contains(Uid::new(**uid).unwrap()))
                    })
                    .map(|(uid, _)| *uid)
                    .collect();
                gone.iter().for_each(|uid| folder.remove(*uid));
                self.update();
                self.server.answer(token, Ok(())).unwrap();
            }
            Event::Search { token, charset, search } => {
                let answer = match charset {
                    Some(charset) if charset.as_str() != Some("UTF-8") => {
                        Err(Refusal::new(Code::BadCharset(Vec::new()), "unknown charset"))
                    }
                    _ => Ok(self.search(&search)),
                };
                self.server.answer(token, answer).unwrap();
            }
            Event::Store { token, uids, action, flags } => {
                let name = self.selected.clone().unwrap();
                let folder = self.folders.get_mut(&name).unwrap();
                for uid in
                    uids.iter().filter(|uid| folder.messages.contains_key(&uid.get())).collect::<Vec<_>>()
                {
                    let mut now = folder.messages[&uid.get()].flags.clone();
                    match action {
                        StoreAction::Replace => now.clone_from(&flags),
                        StoreAction::Add => flags.iter().for_each(|flag| {
                            if !now.contains(flag) {
                                now.push(flag.clone())
                            }
                        }),
                        StoreAction::Remove => now.retain(|flag| !flags.contains(flag)),
                    }
                    folder.set(uid.get(), &now);
                }
                self.update();
                self.server.answer(token, Ok(())).unwrap();
            }
            Event::Copy { token, uids, mailbox, remove } => {
                let answer = self.folder(&mailbox).map(|to| self.copy(&uids, &to, remove));
                let answer = answer.map_err(|_| Refusal::new(Code::TryCreate, "create it first"));
                self.update();
                self.server.answer(token, answer).unwrap();
            }
            Event::Fetch { token, uid, attributes, set_seen } => {
                self.fetch(token, uid.get(), attributes, set_seen)
            }
            Event::Room => self.send(),
            Event::Closed(reason) => self.closed = Some(format!("{reason:?}")),
            _ => {}
        }
    }

    fn change(&mut self, change: MailboxChange) -> Result<(), Refusal> {
        let exists = |host: &Self, mailbox: &Mailbox| host.folder(mailbox).ok();
        match change {
            MailboxChange::Create(mailbox) => match (mailbox.name(), exists(self, &mailbox)) {
                (Some(name), None) => {
                    self.folders.insert(name.as_str().to_owned(), Folder::default());
                    Ok(())
                }
                (Some(_), Some(_)) => Err(Refusal::new(Code::AlreadyExists, "it exists")),
                (None, _) => Err(Refusal::new(Code::Cannot, "not a name")),
            },
            MailboxChange::Delete(mailbox) => self.folder(&mailbox).map(|name| {
                self.folders.remove(&name);
            }),
            _ => Ok(()),
        }
    }

    fn copy(&mut self, uids: &UidSet, to: &str, remove: bool) -> Copied {
        let name = self.selected.clone().unwrap();
        let mut pairs = Vec::new();
        let source: Vec<(u32, Message)> = self.folders[&name]
            .messages
            .iter()
            .filter(|(uid, _)| uids.contains(Uid::new(**uid).unwrap()))
            .map(|(uid, message)| (*uid, message.clone()))
            .collect();
        for (uid, message) in source {
            let copy = self.folders.get_mut(to).unwrap().add(&message.content, &message.flags);
            if remove {
                self.folders.get_mut(&name).unwrap().remove(uid);
            }
            pairs.push((Uid::new(uid).unwrap(), Uid::new(copy).unwrap()));
        }
        Copied::new(UidValidity::new(7).unwrap(), pairs)
    }

    fn search(&self, search: &mailwright_imap::types::Search) -> UidSet {
        let folder = &self.folders[self.selected.as_ref().unwrap()];
        let found = folder.messages.iter().filter(|(uid, message)| {
            search.matches(|key| match key {
                SearchKey::All => true,
                SearchKey::Seen => message.flags.contains(&Flag::Seen),
                SearchKey::Unseen => !message.flags.contains(&Flag::Seen),
                SearchKey::Uid(set) => set.ranges().iter().any(|range| {
                    let end = |end| match end {
                        mailwright_imap::types::NumberEnd::Number(number) => u32::from(number),
                        mailwright_imap::types::NumberEnd::Largest => panic!("resolved before"),
                    };
                    (end(range.from)..=end(range.to)).contains(*uid)
                }),
                SearchKey::Text(text) => memchr::memmem::find(&message.content, text.as_bytes()).is_some(),
                other => panic!("{other:?}"),
            })
        });
        found.map(|(uid, _)| Uid::new(*uid).unwrap()).collect()
    }

    fn fetch(&mut self, token: FetchToken, uid: u32, attributes: Vec<FetchAttribute>, set_seen: bool) {
        let name = self.selected.clone().unwrap();
        let folder = self.folders.get_mut(&name).unwrap();
        let Some(message) = folder.messages.get(&uid) else {
            return self.server.unavailable(token).unwrap();
        };
        let content = message.content.clone();
        if set_seen {
            let mut flags = message.flags.clone();
            flags.push(Flag::Seen);
            folder.set(uid, &flags);
            self.update();
        }
        self.sending = Some((token, attributes, content, Vec::new()));
        self.send();
    }

    /// Sends sections until there is no room, or the message is complete.
    fn send(&mut self) {
        let Some((token, mut attributes, content, mut rest)) = self.sending.take() else { return };
        loop {
            while !rest.is_empty() {
                let taken = self.server.content(&token, &rest).unwrap().0;
                rest.drain(..taken);
                if taken == 0 {
                    self.sending = Some((token, attributes, content, rest));
                    return;
                }
            }
            if attributes.is_empty() {
                return self.server.finish(token).unwrap();
            }
            let attribute = attributes.remove(0);
            match &attribute {
                FetchAttribute::Envelope => {
                    let envelope = mailwright_imap::types::Envelope::default();
                    self.server.fetch_item(&token, &FetchItem::Envelope(envelope)).unwrap();
                }
                FetchAttribute::BodySection { partial, .. } => {
                    let first = partial.map_or(0, |partial| usize::try_from(partial.first).unwrap());
                    let octets = content.get(first..).unwrap_or_default();
                    let count =
                        partial.map_or(octets.len(), |partial| usize::try_from(partial.count).unwrap());
                    rest = octets.get(..count).unwrap_or(octets).to_vec();
                    self.server.begin_section(&token, &attribute, rest.len() as u64).unwrap();
                }
                _ => {
                    rest.clone_from(&content);
                    self.server.begin_section(&token, &attribute, rest.len() as u64).unwrap();
                }
            }
        }
    }
}

pub(crate) fn keyword(name: &str) -> Flag {
    Flag::Keyword(Keyword::new(name).unwrap())
}
