//! Sessions of both sides: messages of 100 MiB as streams, long answers, and what a view holds.

use std::hint::black_box;
use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::Session as _;
use mailwright_core::value::Instant;
use mailwright_imap::client::{self, Client};
use mailwright_imap::sasl::Ask;
use mailwright_imap::server::{Config, Event, MailboxState, MessageFacts, Opened, Server};
use mailwright_imap::types::{
    Command, DateTime, FetchAttribute, FetchCommand, ListAttribute, ListResponse, Mailbox, Messages,
    NumberSet, Section,
};
use mailwright_imap::value::{Flag, MailboxName, ModSeq, Uid, UidBlock, UidSet, UidValidity, UnixTime};
use mailwright_imap::view::View;

use crate::{Case, Work};

const NOW: Instant = Instant::ORIGIN;

/// Octets of a large message.
const MESSAGE: usize = 100 << 20;

/// Octets of a read.
const READ: usize = 16 * 1024;

/// Messages of a mailbox.
const MESSAGES: u32 = 10_000;

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap_or(Uid::MIN)
}

/// UIDs in blocks as a store has them, without every so many.
fn blocks(messages: u32, without: u32) -> Vec<UidBlock> {
    let uids: Vec<Uid> = (1..=messages).map(uid).collect();
    let left = |chunk: &[Uid]| {
        let left = chunk.iter().copied().filter(|uid| without == 0 || !uid.get().is_multiple_of(without));
        UidBlock::new(left.collect())
    };
    uids.chunks(4096).filter_map(left).collect()
}

/// A mailbox in which every third message was seen.
struct State(Vec<UidBlock>, u32);

impl MailboxState for State {
    fn blocks(&self, each: &mut dyn FnMut(&UidBlock)) {
        self.0.iter().for_each(each);
    }

    fn message(&self, uid: Uid, flag: &mut dyn FnMut(&Flag)) -> Option<MessageFacts> {
        if uid.get() > self.1 {
            return None;
        }
        if uid.get().is_multiple_of(3) {
            flag(&Flag::Seen);
        }
        let date = DateTime { time: UnixTime::from_seconds(837_596_665), zone: -420 };
        Some(MessageFacts::new(1000, date))
    }

    fn latest(&self) -> ModSeq {
        ModSeq::new(1).unwrap_or_else(|| unreachable!("one is no zero"))
    }

    fn changed(&self, _since: ModSeq, _each: &mut dyn FnMut(Uid)) {}

    fn keywords(&self) -> Vec<Flag> {
        Vec::new()
    }
}

/// A server session, its host, and the client's end.
struct Talk {
    server: Server,
    input: BytesMut,
    state: Arc<State>,
    lists: Vec<ListResponse>,
    found: UidSet,
    content: u64,
}

impl Talk {
    /// With so many messages selected.
    fn selected(messages: u32) -> Self {
        let mut config = Config::default();
        config.clear_text_without_tls = true;
        config.limits.append = 1 << 30;
        let mut talk = Self {
            server: Server::new(config, [5; 32]),
            input: BytesMut::with_capacity(2 * READ),
            state: Arc::new(State(blocks(messages, 0), messages)),
            lists: Vec::new(),
            found: UidSet::new(),
            content: 0,
        };
        talk.say(b"x LOGIN fred secret\r\ny SELECT INBOX\r\n");
        talk
    }

    fn serve(&mut self, event: Event) {
        let server = &mut self.server;
        let taken = match event {
            Event::Authenticate { token, ask } => {
                assert!(matches!(ask, Ask::Password { .. }));
                server.answer(token, ask.accept()).is_ok()
            }
            Event::Select { token, .. } => {
                let state = Arc::clone(&self.state);
                let opened = Opened::new(state, UidValidity::MIN, Uid::new(self.state.1 + 1));
                server.answer(token, Ok(opened)).is_ok()
            }
            Event::List { token, .. } => server.answer(token, Ok(self.lists.clone())).is_ok(),
            Event::Search { token, .. } => server.answer(token, Ok(self.found.clone())).is_ok(),
            Event::Append { token, .. } => server.answer(token, Ok(())).is_ok(),
            Event::Content(chunk) => {
                self.content += black_box(chunk).len() as u64;
                true
            }
            Event::Appended { token } => server.answer(token, Ok(Some((UidValidity::MIN, uid(1))))).is_ok(),
            _ => true,
        };
        assert!(taken, "an answer is refused");
    }

    /// Sends octets, and takes what is said to them: how much that was.
    fn say(&mut self, octets: &[u8]) -> usize {
        self.input.extend_from_slice(octets);
        let mut said = 0;
        loop {
            let before = self.input.len();
            self.server.handle_input(&mut self.input, NOW);
            let mut moved = before != self.input.len();
            while let Some(event) = self.server.poll_event() {
                self.serve(event);
                moved = true;
            }
            let transmit = self.server.transmit();
            let count = black_box(transmit.chunk()).len();
            transmit.advance(count);
            said += count;
            if !moved && count == 0 {
                return said;
            }
        }
    }
}

/// A session says one line for each message of a mailbox.
fn fetch_all() -> Case {
    Case::steady(
        "imap session: FETCH 1:* (UID FLAGS) of 10 000",
        Work::Items(MESSAGES.into()),
        || Talk::selected(MESSAGES),
        |talk| assert!(talk.say(b"a FETCH 1:* (UID FLAGS)\r\n") > 300_000),
    )
}

/// A session says what a search found.
fn search() -> Case {
    const FOUND: u32 = 1_000_000;
    Case::steady(
        "imap session: UID SEARCH with 1 000 000 results",
        Work::Items(FOUND.into()),
        || {
            let mut talk = Talk::selected(FOUND);
            talk.found = (1..=FOUND).map(uid).collect();
            talk
        },
        |talk| assert!(talk.say(b"a UID SEARCH ALL\r\n") > 6_000_000),
    )
}

/// A session lists mailboxes.
fn list() -> Case {
    const MAILBOXES: u32 = 5000;
    Case::steady(
        "imap session: LIST of 5000",
        Work::Items(MAILBOXES.into()),
        || {
            let mut talk = Talk::selected(1);
            talk.lists = (0..MAILBOXES)
                .filter_map(|number| MailboxName::new(&format!("Archive/2026/{number:04}")).ok())
                .map(|name| ListResponse::new(name, vec![ListAttribute::HasNoChildren]))
                .collect();
            talk
        },
        |talk| assert!(talk.say(b"a LIST \"\" *\r\n") > 200_000),
    )
}

/// A server takes a message, in reads of 16 KiB.
#[must_use]
pub fn append() -> Case {
    Case::steady(
        "imap session: APPEND of 100 MiB",
        Work::Octets(MESSAGE as u64),
        || (Talk::selected(1), vec![b'a'; READ]),
        |(talk, read)| {
            talk.content = 0;
            talk.say(format!("a APPEND INBOX {{{MESSAGE}+}}\r\n").as_bytes());
            for _ in 0..MESSAGE / READ {
                talk.say(read);
            }
            assert!(talk.say(b"\r\n") > 0);
            assert_eq!(talk.content, MESSAGE as u64);
        },
    )
    .target(|target| target.peak = Some(64 * 1024))
    .long()
}

/// A client session that has a mailbox selected.
fn client() -> Client {
    let mut config = client::Config::default();
    config.sasl.clear_text_without_tls = true;
    let mut client = Client::new(config, [1; 32]);
    client.handle_input(&mut BytesMut::from("* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n"), NOW);
    while client.poll_event().is_some() {}
    let inbox = Mailbox::from(MailboxName::inbox());
    assert!(client.command(Command::Select(inbox.into())).is_ok());
    complete(&mut client);
    client
}

/// Completes the command in flight, whose tag is the first word of what is to be sent.
fn complete(client: &mut Client) {
    let sent = client.transmit().chunk().to_vec();
    let count = sent.len();
    client.transmit().advance(count);
    let tag = sent.split(|octet| *octet == b' ').next().unwrap_or_default();
    let done = [tag, b" OK done\r\n"].concat();
    client.handle_input(&mut BytesMut::from(&done[..]), NOW);
    while client.poll_event().is_some() {}
    assert_eq!(client.in_flight(), 0);
}

/// A client takes a message, in reads of 16 KiB.
#[must_use]
pub fn stream() -> Case {
    Case::steady(
        "imap client: FETCH of 100 MiB",
        Work::Octets(MESSAGE as u64),
        || (client(), BytesMut::with_capacity(2 * READ), vec![b'a'; READ]),
        |(client, input, read)| {
            let Ok(one) = NumberSet::parse(b"1", 1) else { unreachable!("a good set") };
            let body = FetchAttribute::BodySection { peek: true, section: Section::whole(), partial: None };
            let fetch = Command::Fetch(FetchCommand::new(Messages::Uids(one), vec![body]));
            assert!(client.command(fetch).is_ok());
            let mut octets = 0;
            let mut take = |octets_read: &[u8]| {
                input.extend_from_slice(octets_read);
                client.handle_input(input, NOW);
                while let Some(event) = client.poll_event() {
                    if let client::Event::BodyChunk(chunk) = &event {
                        octets += chunk.len();
                    }
                    black_box(event);
                }
            };
            take(format!("* 1 FETCH (UID 1 BODY[] {{{MESSAGE}}}\r\n").as_bytes());
            for _ in 0..MESSAGE / READ {
                take(read);
            }
            take(b")\r\n");
            assert_eq!(octets, MESSAGE);
            complete(client);
        },
    )
    .target(|target| target.peak = Some(64 * 1024))
    .long()
}

/// Sessions that have the same mailbox selected.
fn views() -> Case {
    Case::fresh(
        "imap view: 100 000 messages, open",
        Work::Items(1000),
        || blocks(100_000, 0),
        |blocks| (blocks.clone(), Vec::with_capacity(1000)),
        |(blocks, views)| views.extend((0..1000).map(|_| View::new(blocks))),
    )
    // 4 octets a message is what a list of UIDs takes.
    .target(|target| target.held = Some(400_000.0))
}

/// Each of them is told of a tenth of the messages that are gone.
fn expunged() -> Case {
    Case::fresh(
        "imap view: 10 000 of 100 000 expunged",
        Work::Items(10_000),
        || (View::new(&blocks(100_000, 0)), blocks(100_000, 10)),
        |(view, newer)| (view.clone(), newer.clone()),
        |(view, newer)| {
            assert_eq!(view.update(newer, true).expunged.len(), 10_000);
            assert_eq!(view.len(), 90_000);
        },
    )
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    vec![fetch_all(), search(), list(), append(), stream(), views(), expunged()]
}
