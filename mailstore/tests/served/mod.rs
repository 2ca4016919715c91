//! A store with accounts, and sessions driven over it without sockets.

#![allow(dead_code, reason = "each test uses its part")]

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::Session;
use mailwright_core::value::{Domain, Instant, Mailbox, MailboxName, Secret, UidSet, UnixTime};
use mailwright_store::account::Account as _;
use mailwright_store::directory::{DirectoryConfig, NewAccount, PasswordCost};
use mailwright_store::engine::{Blobs, Engine, Memory, block_on};
use mailwright_store::serve::Inline;
use mailwright_store::{AccountId, Store, StoreConfig};

pub(crate) const NOW: UnixTime = UnixTime::from_seconds(1_600_000_000);

/// Domain `example.org` with alice, bob and carol, whose passwords are their names.
pub(crate) struct World {
    pub(crate) store: Store<Memory>,
    pub(crate) alice: AccountId,
    pub(crate) bob: AccountId,
    pub(crate) carol: AccountId,
}

impl World {
    pub(crate) fn new() -> Self {
        let (store, bob, [alice, carol]) = Self::populate(Memory::new());
        Self { store, alice, bob, carol }
    }

    /// The same over another engine: the store, bob, and the others.
    pub(crate) fn populate<E: Engine + Blobs>(engine: E) -> (Store<E>, AccountId, [AccountId; 2]) {
        let mut config = StoreConfig::default();
        config.mail.message_octets = 100_000;
        config.directory = DirectoryConfig::default();
        config.directory.password = PasswordCost::for_tests();
        let store = block_on(Store::open(engine, config, [7; 32])).unwrap();
        let domain: Domain = "example.org".parse().unwrap();
        block_on(store.directory().add_domain(&domain)).unwrap();
        let account = |name: &str| {
            let address: Mailbox = format!("{name}@example.org").parse().unwrap();
            let id = block_on(store.create_account(NewAccount::new(address), NOW)).unwrap();
            let job = store.directory().password_job(&Secret::from(name)).unwrap();
            block_on(store.directory().set_credentials(id, job.run().unwrap())).unwrap();
            id
        };
        let (alice, bob, carol) = (account("alice"), account("bob"), account("carol"));
        (store, bob, [alice, carol])
    }

    pub(crate) fn alias(&self, from: &str, to: &[&str]) {
        let targets: Vec<Mailbox> = to.iter().map(|to| to.parse().unwrap()).collect();
        block_on(self.store.directory().set_alias(&from.parse().unwrap(), &targets)).unwrap();
    }

    /// The messages in an INBOX, each with all its octets.
    pub(crate) fn inbox(&self, account: AccountId) -> Vec<String> {
        let account = self.store.account(account);
        let opened = block_on(account.open(&MailboxName::inbox())).unwrap();
        let uids: UidSet = opened.columns.rows().map(|row| row.uid).collect();
        let mut bodies = Vec::new();
        let mut visit = |meta: &mailwright_store::account::MessageMeta| {
            bodies.push(meta.body.clone());
            core::ops::ControlFlow::Continue(())
        };
        block_on(account.meta(&opened.columns, &uids, &mut visit)).unwrap();
        let read = |body: &mailwright_store::account::Body| {
            let mut octets = Vec::new();
            while (octets.len() as u64) < body.size() {
                octets.extend_from_slice(
                    &block_on(account.body(body, octets.len() as u64..body.size())).unwrap(),
                );
            }
            String::from_utf8(octets).unwrap()
        };
        bodies.iter().map(read).collect()
    }

    /// Blobs that the engine holds.
    pub(crate) fn blobs(&self) -> usize {
        block_on(self.store.maintain(UnixTime::from_seconds(NOW.as_seconds() + 1_000_000), 1000)).unwrap();
        self.store.engine().blob_count()
    }
}

/// A session and what answers it.
pub(crate) struct Conversation<S, H> {
    pub(crate) session: S,
    pub(crate) handler: H,
    pub(crate) input: BytesMut,
}

/// Hands an event to a handler.
pub(crate) trait Handles<S: Session> {
    fn handle_event(&mut self, session: &mut S, event: S::Event);
}

impl<S: Session, H: Handles<S>> Conversation<S, H> {
    pub(crate) fn new(session: S, handler: H) -> Self {
        let mut conversation = Self { session, handler, input: BytesMut::new() };
        conversation.said();
        conversation
    }

    /// Feeds `lines` and gives everything that is said to them.
    pub(crate) fn say(&mut self, lines: impl AsRef<[u8]>) -> String {
        self.input.extend_from_slice(lines.as_ref());
        String::from_utf8(self.said()).unwrap()
    }

    pub(crate) fn end(&mut self) -> Vec<u8> {
        self.session.handle_eof(Instant::ORIGIN);
        self.said()
    }

    /// Everything that is said to what came.
    pub(crate) fn said(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        loop {
            let before = self.input.len();
            self.session.handle_input(&mut self.input, Instant::ORIGIN);
            let mut moved = before != self.input.len();
            while let Some(event) = self.session.poll_event() {
                self.handler.handle_event(&mut self.session, event);
                moved = true;
            }
            let transmit = self.session.transmit();
            while transmit.has_remaining() {
                let chunk = transmit.chunk();
                said.extend_from_slice(chunk);
                let count = chunk.len();
                transmit.advance(count);
                moved = true;
            }
            if !moved {
                return said;
            }
        }
    }
}

#[cfg(any(feature = "smtp", feature = "lmtp"))]
pub(crate) mod receiving {
    use super::{Conversation, Handles, Inline, Memory, NOW, World, block_on};
    use mailwright_sasl::{MechanismName, Offers};
    use mailwright_smtp::server::{Config, Event, Protocol, Server};
    use mailwright_store::engine::{Blobs, Engine};
    use mailwright_store::serve::smtp::{Handler, Service};

    pub(crate) type Receiving = Conversation<Server, Handler<Memory, Inline>>;

    impl<E: Engine + Blobs> Handles<Server> for Handler<E, Inline> {
        fn handle_event(&mut self, session: &mut Server, event: Event) {
            block_on(self.handle(session, event, NOW));
        }
    }

    pub(crate) fn config(protocol: Protocol) -> Config {
        let mut config = Config::new("mx.example.org").unwrap();
        config.protocol = protocol;
        if protocol == Protocol::Submission {
            config.offers = Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]);
            config.allow_plaintext_authentication = true;
        }
        config
    }

    pub(crate) fn receive(world: &World, protocol: Protocol) -> Receiving {
        receive_with(&Service::new(world.store.clone(), Inline), config(protocol))
    }

    pub(crate) fn receive_with<E: Engine + Blobs>(
        service: &Service<E, Inline>,
        mut config: Config,
    ) -> Conversation<Server, Handler<E, Inline>> {
        service.configure(&mut config);
        let handler = service.handler(Some([192, 0, 2, 1].into()));
        Conversation::new(Server::new(config, [3; 32]), handler)
    }
}
