//! A host of client sessions that makes the calls of a list, each as soon as it is possible.

use mailwright_core::session::Session as _;
use mailwright_core::testing::{self, Note};
use mailwright_core::value::Instant;
use mailwright_imap::client::{Client, Closed, Config, Content, Event, TlsMode};
use mailwright_imap::types::{
    AppendMessage, Atom, Capability, Command, FetchAttribute, FetchCommand, ListCommand, ListReturn, Mailbox,
    NumberEnd, ReplaceCommand, SearchKey, Section, StoreAction, StoreCommand,
};
use mailwright_sasl::MechanismName;

use super::{append, credentials, login, mailbox, search, string, uids};

/// A call of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Capability,
    StartTls,
    Authenticate,
    Login,
    Select,
    /// A name that goes as a literal.
    Create,
    Fetch,
    Numbers,
    Search,
    Store,
    Append(u64),
    Content(&'static [u8]),
    Idle,
    Done,
    Noop,
    Logout,
    /// UTF8=ACCEPT.
    Enable,
    /// The extended form.
    List,
    Id,
    /// A message with so many octets, and another with as many.
    AppendTwo(u64),
    Replace(u64),
    Compress,
    Unauthenticate,
}

/// All of them.
const CALLS: [Call; 25] = [
    Call::Capability,
    Call::StartTls,
    Call::Authenticate,
    Call::Login,
    Call::Select,
    Call::Create,
    Call::Fetch,
    Call::Numbers,
    Call::Search,
    Call::Store,
    Call::Append(0),
    Call::Append(6),
    Call::Content(b"abc"),
    Call::Content(b"\0"),
    Call::Idle,
    Call::Done,
    Call::Noop,
    Call::Logout,
    Call::Enable,
    Call::List,
    Call::Id,
    Call::AppendTwo(3),
    Call::Replace(3),
    Call::Compress,
    Call::Unauthenticate,
];

pub(crate) struct Commander {
    pub(crate) calls: Vec<Call>,
}

impl Commander {
    pub(crate) fn new(calls: &[Call]) -> Self {
        Self { calls: calls.to_vec() }
    }

    fn go_on(&mut self, client: &mut Client) -> bool {
        let mut moved = false;
        while let Some(&first) = self.calls.first() {
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

pub(crate) fn call(client: &mut Client, call: Call) -> Result<(), ()> {
    let command = match call {
        Call::Capability => Command::Capability,
        Call::StartTls => Command::StartTls,
        Call::Authenticate => {
            let exchange = client.exchange(MechanismName::PLAIN, &credentials()).map_err(drop)?;
            return client.authenticate(exchange).map(drop).map_err(drop);
        }
        Call::Login => login(),
        Call::Select => Command::Select(mailbox("INBOX").into()),
        Call::Create => Command::Create(Mailbox::Other("\u{1}\u{2}".into()).into()),
        Call::Fetch => {
            let body = FetchAttribute::BodySection { peek: true, section: Section::whole(), partial: None };
            Command::Fetch(FetchCommand::new(uids("1:*"), vec![FetchAttribute::Flags, body]))
        }
        Call::Numbers => search(false, SearchKey::All),
        Call::Search => search(true, SearchKey::All),
        Call::Store => {
            let flags = vec![mailwright_core::value::Flag::Seen];
            Command::Store(StoreCommand::new(uids("1"), StoreAction::Add, flags))
        }
        Call::Append(octets) => return client.append(append("INBOX"), octets).map(drop).map_err(drop),
        Call::Content(octets) => return client.content(octets).map(drop).map_err(drop),
        Call::AppendTwo(octets) => {
            let more = vec![(AppendMessage::default(), Content::Octets(octets))];
            return client.append_messages(append("INBOX"), octets, more).map(drop).map_err(drop);
        }
        Call::Replace(octets) => {
            let replace = ReplaceCommand::new(true, NumberEnd::Largest, append("INBOX"));
            return client.replace(replace, octets).map(drop).map_err(drop);
        }
        Call::Enable => Command::Enable(Capability::new("UTF8=ACCEPT").into_iter().collect()),
        Call::List => {
            let mut list = ListCommand::new(string(""), string("*"));
            list.returns = Some(vec![ListReturn::SpecialUse, ListReturn::Children]);
            Command::List(list)
        }
        Call::Id => Command::Id(vec![(string("name"), None)]),
        Call::Compress => Command::Compress(Atom::new("DEFLATE").ok_or(())?),
        Call::Unauthenticate => Command::Unauthenticate,
        Call::Idle => Command::Idle,
        Call::Done => return client.done().map_err(drop),
        Call::Noop => Command::Noop,
        Call::Logout => Command::Logout,
    };
    client.command(command).map(drop).map_err(drop)
}

impl testing::Host<Client> for Commander {
    fn handle(&mut self, client: &mut Client, event: Event) -> Note {
        let note = match event {
            Event::BodyChunk(octets) => Note::Content(octets),
            // What came before the command that it answers is cut by chance.
            Event::Closed(Closed::UnknownTag(_) | Closed::Premature) => Note::Closed("too early".into()),
            Event::Closed(reason) => Note::Closed(format!("{reason:?}")),
            event => Note::debug(&event),
        };
        self.go_on(client);
        note
    }

    fn work(&mut self, client: &mut Client, _: usize) -> bool {
        self.go_on(client)
    }

    fn meddle(&mut self, client: &mut Client, choice: u8) {
        if choice == 255 {
            client.abort();
        } else {
            let _ = call(client, CALLS[usize::from(choice) % CALLS.len()]);
        }
    }
}

/// The seed of all sessions here.
pub(crate) const SEED: [u8; 32] = [9; 32];

/// What tags begin with, before and behind TLS.
pub(crate) fn prefixes() -> [String; 2] {
    [TlsMode::Off, TlsMode::Implicit].map(|mode| {
        let mut config = Config::default();
        config.tls = mode;
        let mut client = Client::new(config, SEED);
        let now = Instant::ORIGIN;
        if mode == TlsMode::Implicit {
            let info = mailwright_core::session::TlsInfo::default();
            client.handle_upgrade(mailwright_core::session::Upgraded::Tls(info), now);
        }
        client.handle_input(&mut "* OK ready\r\n".into(), now);
        client.command(Command::Noop).unwrap();
        let sent = client.transmit().take();
        String::from_utf8(sent[..6].to_vec()).unwrap()
    })
}

/// Octets with the tags in place: `$1` before TLS, `#1` behind it.
pub(crate) fn tagged(text: &str) -> Vec<u8> {
    let [plain, secure] = prefixes();
    text.replace('$', &plain).replace('#', &secure).into_bytes()
}
