//! Answers what a server asks, from mailboxes in memory. The user is `fred` with the password `secret`.

use core::cell::RefMut;

use mailwright_core::testing::Note;
use mailwright_imap::ListPattern;
use mailwright_imap::sasl::{Answer, Ask, ScramKeys};
use mailwright_imap::server::{
    Copied, Event, FetchToken, Loaded, MailboxChange, Opened, Question, Refusal, Server,
};
use mailwright_imap::types::{
    BodyStructure, Code, Envelope, FetchAttribute, FetchItem, ListAttribute, ListResponse, Mailbox,
    NumberEnd, Search, SearchKey, StatusItem,
};
use mailwright_imap::value::{Flag, MailboxName, ModSeq, Uid, UidBlock, UidSet, UidValidity};

use super::store::{Folder, Folders, Message, folders};

/// A message on its way: the attributes still to come, its octets, and what there was no room for.
struct Sending {
    token: FetchToken,
    attributes: Vec<FetchAttribute>,
    content: Vec<u8>,
    rest: Vec<u8>,
}

/// A host of server sessions.
pub(crate) struct Answers {
    pub(crate) folders: Folders,
    /// Which is selected.
    pub(crate) selected: Option<String>,
    pub(crate) closed: Option<String>,
    /// The names of the events.
    pub(crate) events: Vec<String>,
    /// Whether changes are handed over before each answer.
    pub(crate) eager: bool,
    /// Whether everything waits until nothing else goes on.
    pub(crate) slow: bool,
    /// Whether answers may be refused, since other calls were made in between.
    pub(crate) careless: bool,
    /// What is left open.
    pub(crate) waiting: Vec<Event>,
    /// The answer to the next question that can be refused.
    pub(crate) refusal: Option<Refusal>,
    /// Envelope and structure of every message.
    pub(crate) described: Option<(Envelope, BodyStructure)>,
    /// Whether mailboxes are opened by their summary.
    pub(crate) by_summary: bool,
    /// How often one was loaded then.
    pub(crate) loads: u32,
    /// The messages that were there when it was opened.
    pub(crate) opened: Vec<UidBlock>,
    append: Option<(String, Vec<Flag>, Vec<u8>)>,
    sending: Option<Sending>,
}

impl Default for Answers {
    fn default() -> Self {
        Self::with(folders())
    }
}

impl Answers {
    pub(crate) fn with(folders: Folders) -> Self {
        Self {
            folders,
            selected: None,
            closed: None,
            events: Vec::new(),
            eager: true,
            slow: false,
            careless: false,
            waiting: Vec::new(),
            refusal: None,
            described: None,
            by_summary: false,
            loads: 0,
            opened: Vec::new(),
            append: None,
            sending: None,
        }
    }

    pub(crate) fn folder(&self, name: &str) -> RefMut<'_, Folder> {
        RefMut::map(self.folders.borrow_mut(), |folders| folders.entry(name.to_owned()).or_default())
    }

    pub(crate) fn inbox(&self) -> RefMut<'_, Folder> {
        self.folder("INBOX")
    }

    fn open(&self) -> RefMut<'_, Folder> {
        self.folder(self.selected.as_deref().unwrap_or("INBOX"))
    }

    /// Hands over the latest state.
    pub(crate) fn update(&self, server: &mut Server) {
        if self.selected.is_some() {
            let state = self.open().state();
            server.update(state);
        }
    }

    fn name(&self, mailbox: &Mailbox) -> Result<String, Refusal> {
        let name = mailbox.name().map(MailboxName::as_str).unwrap_or_default().to_owned();
        match self.folders.borrow().contains_key(&name) {
            true => Ok(name),
            false => Err(Refusal::new(Code::NonExistent, "no such mailbox")),
        }
    }

    fn target(&self, mailbox: &Mailbox) -> Result<String, Refusal> {
        self.name(mailbox).map_err(|_| Refusal::new(Code::TryCreate, "create it first"))
    }

    fn answer<Q: Question>(&self, server: &mut Server, token: Q, answer: Q::Answer) {
        if server.answer(token, answer).is_err() {
            assert!(self.careless, "an answer is refused");
        }
    }

    /// Drops what was noted and what came of a message.
    pub(crate) fn forget(&mut self) {
        self.events = Vec::new();
        if let Some((_, _, content)) = &mut self.append {
            *content = Vec::new();
        }
    }

    pub(crate) fn decide(&mut self, server: &mut Server, event: Event) {
        let refusal = self.refusal.take();
        match (event, refusal) {
            (Event::Load { token }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (Event::Select { token, .. }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (Event::Change { token, .. }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (Event::List { token, .. }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (Event::Status { token, .. }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (Event::Append { token, .. }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (Event::Appended { token, .. }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (Event::Expunge { token, .. }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (Event::Search { token, .. }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (Event::Store { token, .. }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (Event::Copy { token, .. }, Some(refusal)) => self.answer(server, token, Err(refusal)),
            (event, refusal) => {
                self.refusal = refusal;
                self.serve(server, event);
            }
        }
    }

    fn serve(&mut self, server: &mut Server, event: Event) {
        match event {
            Event::Authenticate { token, ask } => {
                let answer = match &ask {
                    Ask::Password { authcid, password, .. }
                        if authcid == "fred" && password.expose() == b"secret" =>
                    {
                        ask.accept()
                    }
                    Ask::ScramKeys { authcid, hash } if authcid == "fred" => {
                        Answer::Keys(ScramKeys::derive(*hash, "secret", *b"0123456789abcdef", 4096).ok())
                    }
                    _ => Answer::No,
                };
                self.answer(server, token, answer);
            }
            Event::Select { token, mailbox, .. } => {
                let answer = self.name(&mailbox).map(|name| {
                    let folder = self.folder(&name).clone();
                    self.selected = Some(name);
                    let next = Uid::new(folder.next + 1);
                    let validity = UidValidity::new(7).unwrap();
                    let state = folder.state();
                    if self.by_summary {
                        self.opened = Vec::new();
                        state.blocks(&mut |block| self.opened.push(block.clone()));
                        let exists = u32::try_from(folder.messages.len()).unwrap();
                        let latest = ModSeq::new(folder.mod_seq).unwrap();
                        return Opened::by_summary(exists, folder.keywords(), latest, validity, next);
                    }
                    let mut opened = Opened::new(state, validity, next);
                    let unseen = |(_, message): &(&u32, &Message)| !message.flags.contains(&Flag::Seen);
                    let first = folder.messages.iter().find(unseen);
                    opened.first_unseen = first.and_then(|(uid, _)| Uid::new(*uid));
                    opened
                });
                self.answer(server, token, answer);
            }
            Event::Load { token } => {
                self.loads += 1;
                let loaded = Loaded::new(self.open().state(), self.opened.clone());
                self.answer(server, token, Ok(loaded));
            }
            Event::Refresh { token } => self.answer(server, token, ()),
            Event::Change { token, change } => {
                let answer = self.change(change);
                self.answer(server, token, answer);
            }
            Event::List { token, list, .. } => {
                let pattern = ListPattern::of(&list);
                let names: Vec<String> = self.folders.borrow().keys().cloned().collect();
                let matching =
                    names.iter().filter(|name| pattern.as_ref().is_some_and(|pattern| pattern.matches(name)));
                let list = |name: &String| {
                    let attribute = ListAttribute::HasNoChildren;
                    ListResponse::new(MailboxName::new(name).unwrap(), vec![attribute])
                };
                self.answer(server, token, Ok(matching.map(list).collect()));
            }
            Event::Status { token, mailbox, items } => {
                let answer = self.name(&mailbox).map(|name| {
                    let folder = self.folder(&name);
                    let value = |item: &StatusItem| match item {
                        StatusItem::Messages => folder.messages.len() as u64,
                        StatusItem::UidNext => u64::from(folder.next) + 1,
                        StatusItem::UidValidity => 7,
                        StatusItem::Size => {
                            folder.messages.values().map(|message| message.content.len() as u64).sum()
                        }
                        _ => 0,
                    };
                    items.iter().map(value).collect()
                });
                self.answer(server, token, answer);
            }
            Event::Append { token, append, .. } => {
                let answer = self.target(&append.mailbox);
                let answer = answer.map(|name| self.append = Some((name, append.flags, Vec::new())));
                self.answer(server, token, answer);
            }
            Event::Appended { token } => {
                let Some((name, flags, content)) = self.append.take() else {
                    assert!(self.careless, "no message was begun");
                    return self.answer(server, token, Err(Refusal::new(None, "lost")));
                };
                let uid = self.folder(&name).add(&content, &flags);
                self.update(server);
                let stored = Some((UidValidity::new(7).unwrap(), Uid::new(uid).unwrap()));
                self.answer(server, token, Ok(stored));
            }
            Event::Expunge { token, uids } => {
                self.expunge(uids.as_ref());
                self.update(server);
                self.answer(server, token, Ok(()));
            }
            Event::Search { token, charset, search } => {
                let answer = match charset {
                    Some(charset) if !matches!(charset.as_str(), Some("UTF-8" | "US-ASCII")) => {
                        Err(Refusal::new(Code::BadCharset(Vec::new()), "unknown charset"))
                    }
                    _ => Ok(self.search(&search)),
                };
                self.answer(server, token, answer);
            }
            Event::Store { token, uids, action, flags } => {
                let mut folder = self.open();
                let there: Vec<u32> =
                    folder.messages.keys().copied().filter(|uid| contains(&uids, *uid)).collect();
                for uid in there {
                    let mut now = folder.messages[&uid].flags.clone();
                    action.apply(&flags, &mut now);
                    folder.set(uid, &now);
                }
                drop(folder);
                self.update(server);
                self.answer(server, token, Ok(()));
            }
            Event::Copy { token, uids, mailbox, remove } => {
                let answer = self.target(&mailbox).map(|to| self.copy(&uids, &to, remove));
                self.update(server);
                self.answer(server, token, answer);
            }
            Event::Fetch { token, uid, attributes, set_seen } => {
                self.fetch(server, token, uid.get(), attributes, set_seen);
            }
            _ => {}
        }
    }

    fn change(&mut self, change: MailboxChange) -> Result<(), Refusal> {
        let (mailbox, exists) = match &change {
            MailboxChange::Create(mailbox) => (mailbox, false),
            MailboxChange::Delete(mailbox) | MailboxChange::Rename { from: mailbox, .. } => (mailbox, true),
            _ => return Ok(()),
        };
        let known = self.name(mailbox);
        if exists {
            let name = known?;
            let folder = self.folders.borrow_mut().remove(&name);
            if let (MailboxChange::Rename { to, .. }, Some(folder)) = (&change, folder) {
                let to = to.name().ok_or(Refusal::new(Code::Cannot, "not a name"))?;
                self.folders.borrow_mut().insert(to.as_str().to_owned(), folder);
            }
            return Ok(());
        }
        match (mailbox.name(), known) {
            (Some(name), Err(_)) => {
                self.folders.borrow_mut().insert(name.as_str().to_owned(), Folder::default());
                Ok(())
            }
            (Some(_), Ok(_)) => Err(Refusal::new(Code::AlreadyExists, "it exists")),
            (None, _) => Err(Refusal::new(Code::Cannot, "not a name")),
        }
    }

    fn expunge(&self, uids: Option<&UidSet>) {
        let mut folder = self.open();
        let gone = folder.messages.iter().filter(|(uid, message)| {
            message.flags.contains(&Flag::Deleted) && uids.is_none_or(|uids| contains(uids, **uid))
        });
        let gone: Vec<u32> = gone.map(|(uid, _)| *uid).collect();
        gone.iter().for_each(|uid| folder.remove(*uid));
    }

    fn copy(&self, uids: &UidSet, to: &str, remove: bool) -> Copied {
        let from = self.open().clone();
        let source = from.messages.iter().filter(|(uid, _)| contains(uids, **uid));
        let pairs = source.map(|(&uid, message)| {
            let copy = self.folder(to).add(&message.content, &message.flags);
            if remove {
                self.open().remove(uid);
            }
            (Uid::new(uid).unwrap(), Uid::new(copy).unwrap())
        });
        Copied::new(UidValidity::new(7).unwrap(), pairs)
    }

    fn search(&self, search: &Search) -> UidSet {
        let folder = self.open();
        let found = folder.messages.iter().filter(|(uid, message)| {
            search.matches(|key| match key {
                SearchKey::All => true,
                SearchKey::Seen => message.flags.contains(&Flag::Seen),
                SearchKey::Unseen => !message.flags.contains(&Flag::Seen),
                SearchKey::Flagged => message.flags.contains(&Flag::Flagged),
                SearchKey::Deleted => message.flags.contains(&Flag::Deleted),
                SearchKey::Uid(set) => set.ranges().iter().any(|range| {
                    let end = |end| match end {
                        NumberEnd::Number(number) => u32::from(number),
                        NumberEnd::Largest => panic!("resolved before"),
                    };
                    (end(range.from)..=end(range.to)).contains(*uid)
                }),
                SearchKey::Text(text)
                | SearchKey::Body(text)
                | SearchKey::From(text)
                | SearchKey::Subject(text) => {
                    memchr::memmem::find(&message.content, text.as_bytes()).is_some()
                }
                SearchKey::Since(_) => true,
                // No test may depend on others; random input asks for any.
                other if cfg!(test) => panic!("{other:?}"),
                _ => true,
            })
        });
        found.map(|(uid, _)| Uid::new(*uid).unwrap()).collect()
    }

    fn fetch(
        &mut self,
        server: &mut Server,
        token: FetchToken,
        uid: u32,
        attributes: Vec<FetchAttribute>,
        set_seen: bool,
    ) {
        let message = self.open().messages.get(&uid).cloned();
        let Some(mut message) = message else {
            assert!(server.unavailable(token).is_ok() || self.careless);
            return;
        };
        if set_seen {
            message.flags.push(Flag::Seen);
            self.open().set(uid, &message.flags);
            self.update(server);
        }
        self.sending = Some(Sending { token, attributes, content: message.content, rest: Vec::new() });
        self.send(server);
    }

    /// Sends sections until there is no room, or the message is complete. `false` if nothing moved.
    fn send(&mut self, server: &mut Server) -> bool {
        let Some(mut sending) = self.sending.take() else { return false };
        let mut moved = false;
        loop {
            let token = &sending.token;
            while !sending.rest.is_empty() {
                let Ok(taken) = server.content(token, &sending.rest) else {
                    assert!(self.careless);
                    return moved;
                };
                moved |= taken.0 > 0;
                sending.rest.drain(..taken.0);
                if taken.0 == 0 {
                    self.sending = Some(sending);
                    return moved;
                }
            }
            if sending.attributes.is_empty() {
                assert!(server.finish(sending.token).is_ok() || self.careless);
                return true;
            }
            moved = true;
            let attribute = sending.attributes.remove(0);
            let told = match &attribute {
                FetchAttribute::Envelope => {
                    let envelope = self.described.clone().unwrap_or_default().0;
                    server.fetch_item(token, &FetchItem::Envelope(envelope.into()))
                }
                FetchAttribute::Body | FetchAttribute::BodyStructure => {
                    let Some((_, structure)) = self.described.clone() else { continue };
                    server.fetch_item(token, &FetchItem::Body(structure))
                }
                _ => {
                    let octets = section(&attribute, &sending.content);
                    sending.rest = octets.to_vec();
                    server.begin_section(token, &attribute, octets.len() as u64)
                }
            };
            if told.is_err() {
                assert!(self.careless);
                return moved;
            }
        }
    }
}

/// What a section is here: headers end at the first blank line, everything else is the message.
fn section<'a>(attribute: &FetchAttribute, content: &'a [u8]) -> &'a [u8] {
    use mailwright_imap::types::SectionText;

    let end_of_header = memchr::memmem::find(content, b"\r\n\r\n").map_or(content.len(), |at| at + 4);
    let (header, text) = content.split_at(end_of_header);
    let FetchAttribute::BodySection { section, partial, .. } = attribute else {
        return match attribute {
            FetchAttribute::Rfc822Header => header,
            FetchAttribute::Rfc822Text => text,
            _ => content,
        };
    };
    let octets = match &section.text {
        Some(SectionText::Header | SectionText::HeaderFields { .. }) => header,
        Some(SectionText::Text) => text,
        _ => content,
    };
    let Some(partial) = partial else { return octets };
    let first = usize::try_from(partial.first).unwrap_or(usize::MAX);
    let octets = octets.get(first..).unwrap_or_default();
    octets.get(..usize::try_from(partial.count).unwrap_or(usize::MAX)).unwrap_or(octets)
}

fn contains(uids: &UidSet, uid: u32) -> bool {
    Uid::new(uid).is_some_and(|uid| uids.contains(uid))
}

/// Whether an event is a question.
fn asks(event: &Event) -> bool {
    matches!(
        event,
        Event::Authenticate { .. }
            | Event::Select { .. }
            | Event::Refresh { .. }
            | Event::Change { .. }
            | Event::List { .. }
            | Event::Status { .. }
            | Event::Append { .. }
            | Event::Appended { .. }
            | Event::Expunge { .. }
            | Event::Search { .. }
            | Event::Store { .. }
            | Event::Copy { .. }
            | Event::Fetch { .. }
    )
}

/// What a note says of an event: all of it, but not which token it has.
fn words(event: &Event) -> String {
    let shown = format!("{event:?}");
    match (shown.find("token: "), shown.find(" })")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &shown[..from], &shown[to + 3..]),
        _ => shown,
    }
}

impl mailwright_core::testing::Host<Server> for Answers {
    fn handle(&mut self, server: &mut Server, event: Event) -> Note {
        let words = words(&event);
        self.events.push(words.split([' ', '(', '{']).next().unwrap_or_default().to_owned());
        if self.eager && !self.slow && asks(&event) {
            self.update(server);
        }
        match event {
            Event::Content(octets) => {
                if let Some((_, _, content)) = &mut self.append {
                    content.extend_from_slice(&octets);
                }
                return Note::Content(octets);
            }
            Event::Aborted => self.append = None,
            Event::Deselected => self.selected = None,
            Event::Room => {
                self.send(server);
                // When there is room depends on the reader.
                return Note::Exempt;
            }
            Event::Closed(_) => {
                self.closed = Some(words.clone());
                return Note::Closed(words);
            }
            event if self.slow && asks(&event) => self.waiting.push(event),
            event => self.decide(server, event),
        }
        Note::Event(words)
    }

    fn work(&mut self, server: &mut Server, pick: usize) -> bool {
        if self.send(server) {
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
            1 if choice == 1 => server.shutdown(),
            0..3 => self.slow = choice % 2 == 0,
            3..5 => {
                let uid = u32::from(choice / 16) + 1;
                self.inbox().remove(uid);
            }
            5 | 6 => {
                let uid = self.inbox().add(b"Subject: new\r\n\r\nnew\r\n", &[]);
                self.inbox().set(uid.saturating_sub(1), &[Flag::Flagged]);
            }
            7..9 => self.update(server),
            9 => {
                if let Some(sending) = &self.sending {
                    let _ = server.content(&sending.token, &vec![b'x'; usize::from(choice) * 150]);
                }
            }
            10 => {
                if let Some(sending) = self.sending.take() {
                    let _ = server.finish(sending.token);
                }
            }
            11 => {
                if let Some(sending) = self.sending.take() {
                    let _ = server.unavailable(sending.token);
                }
            }
            12 => self.refusal = Some(Refusal::new(Code::NoPerm, "not now")),
            13 => self.append = None,
            _ => {
                if let Some(event) = self.waiting.pop() {
                    self.decide(server, event);
                }
            }
        }
    }
}
