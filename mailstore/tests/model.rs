//! Random work against a naive store: what a client can see must be the same.
//!
//! The naive store has vectors and nothing else: no blocks, no lanes, no log. Everything that a client can
//! see is compared after every step: results, UIDs, flags, numbers, counters, octets, and that the changes
//! told since any earlier state lead from there to here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![cfg(feature = "testing")]

use core::ops::ControlFlow;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use mailwright_core::value::{Flag, MailboxName, ModSeq, Uid, UidSet, UnixTime};
use mailwright_store::account::{
    Account as _, Append, Applied, ChangeKind, FlagChange, Intent, Limit, Opened, Refusal, Since,
    Upload as _, Work,
};
use mailwright_store::directory::NewAccount;
use mailwright_store::engine::{Blobs, Engine, Memory, block_on};
use mailwright_store::testing::{Fault, Faulty};
use mailwright_store::{MailboxId, Store, StoreAccount, StoreConfig};
use proptest::prelude::*;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const NAMES: [&str; 3] = ["INBOX", "Junk", "Archive"];
const KEYWORDS: usize = 30;

/// A step: intents on one mailbox.
#[derive(Clone, Debug)]
struct Step {
    mailbox: usize,
    all_or_nothing: bool,
    intents: Vec<Planned>,
    fault: Option<Fault>,
}

#[derive(Clone, Debug)]
enum Planned {
    Append { octets: usize, flags: Vec<Flag> },
    Expunge(Vec<u32>),
    Copy { uids: Vec<u32>, to: usize, remove: bool },
    Flags { uids: Vec<u32>, change: u8, flags: Vec<Flag>, since: Option<u64> },
    Quota { messages: Option<u64> },
}

#[derive(Clone, Debug, PartialEq)]
struct Message {
    uid: u32,
    flags: BTreeSet<String>,
    octets: usize,
    mod_seq: u64,
}

#[derive(Clone, Debug, Default)]
struct Mailbox {
    messages: Vec<Message>,
    next: u32,
    highest: u64,
    keywords: Vec<String>,
}

/// The naive store.
#[derive(Clone, Debug, Default)]
struct Model {
    mailboxes: Vec<Mailbox>,
    mod_seq: u64,
    limit: Option<u64>,
}

/// What a client is told of an intent.
#[derive(Clone, Debug, PartialEq)]
enum Told {
    Appended(u32, u64),
    Expunged(Vec<u32>, Option<u64>),
    Copied(Vec<(u32, u32)>, Option<u64>),
    Flagged(Vec<u32>, Vec<u32>, Option<u64>),
    Refused(Refusal),
}

impl Model {
    fn count(&self) -> u64 {
        self.mailboxes.iter().map(|mailbox| mailbox.messages.len() as u64).sum()
    }

    fn add(&mut self, to: usize, flags: BTreeSet<String>, octets: usize, mod_seq: u64) -> u32 {
        let mailbox = &mut self.mailboxes[to];
        let uid = mailbox.next;
        mailbox.next += 1;
        mailbox.highest = mod_seq;
        mailbox.messages.push(Message { uid, flags, octets, mod_seq });
        uid
    }

    fn has_room(&self, more: usize) -> bool {
        self.limit.is_none_or(|limit| self.count() + more as u64 <= limit)
    }

    /// Registers the keywords among `names`, if they are not too many.
    fn register(&mut self, at: usize, names: &[Flag]) -> bool {
        let known = &self.mailboxes[at].keywords;
        let keywords = names.iter().filter(|flag| matches!(flag, Flag::Keyword(_))).map(ToString::to_string);
        let new: BTreeSet<String> = keywords.filter(|keyword| !known.contains(keyword)).collect();
        if known.len() + new.len() > KEYWORDS {
            return false;
        }
        self.mailboxes[at].keywords.extend(new);
        true
    }

    fn play(&mut self, at: usize, planned: &Planned, over: &Refusal) -> Told {
        match planned {
            Planned::Append { octets, flags } => {
                // Keywords are refused first, and only a message that is stored brings new ones.
                let before = self.mailboxes[at].keywords.clone();
                if !self.register(at, flags) {
                    return Told::Refused(Refusal::Limit(Limit::Keywords));
                }
                if !self.has_room(1) {
                    self.mailboxes[at].keywords = before;
                    return Told::Refused(over.clone());
                }
                self.mod_seq += 1;
                let names = flags.iter().map(ToString::to_string).collect();
                Told::Appended(self.add(at, names, *octets, self.mod_seq), self.mod_seq)
            }
            Planned::Expunge(uids) => {
                let gone: Vec<u32> = self.present(at, uids);
                if gone.is_empty() {
                    return Told::Expunged(gone, None);
                }
                self.mod_seq += 1;
                self.remove(at, &gone);
                Told::Expunged(gone, Some(self.mod_seq))
            }
            Planned::Copy { uids, to, remove } => {
                let source = self.present(at, uids);
                if source.is_empty() {
                    return Told::Copied(Vec::new(), None);
                }
                let find = |uid: &u32| self.mailboxes[at].messages.iter().find(|message| message.uid == *uid);
                let copies: Vec<Message> = source.iter().filter_map(find).cloned().collect();
                let flags: Vec<Flag> =
                    copies.iter().flat_map(|copy| &copy.flags).map(|flag| flag.parse().unwrap()).collect();
                let before = self.mailboxes[*to].keywords.clone();
                if !self.register(*to, &flags) {
                    return Told::Refused(Refusal::Limit(Limit::Keywords));
                }
                if !remove && !self.has_room(copies.len()) {
                    self.mailboxes[*to].keywords = before;
                    return Told::Refused(over.clone());
                }
                self.mod_seq += 1;
                let new = copies.into_iter().map(|copy| self.add(*to, copy.flags, copy.octets, self.mod_seq));
                let pairs: Vec<(u32, u32)> = source.iter().copied().zip(new.collect::<Vec<_>>()).collect();
                if *remove {
                    self.remove(at, &source);
                }
                Told::Copied(pairs, Some(self.mod_seq))
            }
            Planned::Flags { uids, change, flags, since } => {
                if *change != 1 && !self.register(at, flags) {
                    return Told::Refused(Refusal::Limit(Limit::Keywords));
                }
                let names: BTreeSet<String> = flags.iter().map(ToString::to_string).collect();
                let (mut changed, mut modified) = (Vec::new(), Vec::new());
                let next = self.mod_seq + 1;
                for message in self.mailboxes[at].messages.iter_mut().filter(|one| uids.contains(&one.uid)) {
                    if since.is_some_and(|since| message.mod_seq > since) {
                        modified.push(message.uid);
                        continue;
                    }
                    let after: BTreeSet<String> = match change {
                        0 => message.flags.union(&names).cloned().collect(),
                        1 => message.flags.difference(&names).cloned().collect(),
                        _ => names.clone(),
                    };
                    if after != message.flags {
                        (message.flags, message.mod_seq) = (after, next);
                        changed.push(message.uid);
                    }
                }
                let mod_seq = (!changed.is_empty()).then_some(next);
                if mod_seq.is_some() {
                    self.mod_seq = next;
                    self.mailboxes[at].highest = next;
                }
                Told::Flagged(changed, modified, mod_seq)
            }
            Planned::Quota { .. } => panic!("not an intent"),
        }
    }

    fn present(&self, at: usize, uids: &[u32]) -> Vec<u32> {
        self.mailboxes[at].messages.iter().map(|one| one.uid).filter(|uid| uids.contains(uid)).collect()
    }

    fn remove(&mut self, at: usize, gone: &[u32]) {
        self.mailboxes[at].messages.retain(|message| !gone.contains(&message.uid));
        self.mailboxes[at].highest = self.mod_seq;
    }
}

/// The store under test, and what it is compared with.
struct Bench<E: Engine + Blobs> {
    store: Store<Faulty<E>>,
    account: StoreAccount<Faulty<E>>,
    ids: Vec<MailboxId>,
    model: Model,
    /// Earlier states of each mailbox, to be reached from by the changes since.
    earlier: Vec<(u64, Vec<BTreeMap<u32, u64>>)>,
}

fn octets(count: usize) -> Bytes {
    (0..count).map(|at| u8::try_from(at % 256).unwrap()).collect()
}

fn number(mod_seq: ModSeq) -> u64 {
    mod_seq.get()
}

fn list(uids: &UidSet) -> Vec<u32> {
    uids.iter().map(Uid::get).collect()
}

fn set(uids: &[u32]) -> UidSet {
    uids.iter().filter_map(|uid| Uid::new(*uid)).collect()
}

impl<E: Engine + Blobs> Bench<E> {
    fn new(engine: E, rows_per_block: usize) -> Self {
        let mut config = StoreConfig::default();
        config.mail.rows_per_block = rows_per_block;
        config.mail.keywords_per_mailbox = KEYWORDS;
        let (store, id) = block_on(async {
            let store = Store::open(Faulty::new(engine), config, [1; 32]).await.unwrap();
            store.directory().add_domain(&"example.org".parse().unwrap()).await.unwrap();
            let new = NewAccount::new("alice@example.org".parse().unwrap());
            let id = store.create_account(new, NOW).await.unwrap();
            (store, id)
        });
        let account = store.account(id);
        let mut bench =
            Self { store, account, ids: Vec::new(), model: Model::default(), earlier: Vec::new() };
        for at in 0..NAMES.len() {
            let info = bench.open(at).info;
            bench.ids.push(info.id);
            let highest = number(info.highest_mod_seq);
            bench.model.mailboxes.push(Mailbox { next: 1, highest, ..Mailbox::default() });
        }
        bench.model.mod_seq = bench.reached();
        bench.remember();
        bench
    }

    fn open(&self, at: usize) -> Opened {
        block_on(self.account.open(&MailboxName::new(NAMES[at]).unwrap())).unwrap()
    }

    /// The last number of the account.
    fn reached(&self) -> u64 {
        match block_on(self.account.changes(ModSeq::ZERO, &mut |_| ControlFlow::Continue(()))).unwrap() {
            Since::Reached(at) => number(at),
            Since::TooOld => panic!("nothing was pruned"),
        }
    }

    fn remember(&mut self) {
        let rows = |mailbox: &Mailbox| mailbox.messages.iter().map(|one| (one.uid, one.mod_seq)).collect();
        self.earlier.push((self.model.mod_seq, self.model.mailboxes.iter().map(rows).collect()));
    }

    fn intent(&self, planned: &Planned) -> Intent {
        match planned {
            Planned::Append { octets: count, flags } => {
                let uploaded = block_on(async {
                    let mut upload = self.store.upload(None).await.unwrap();
                    upload.write(octets(*count)).await.unwrap();
                    upload.finish().await.unwrap()
                });
                let mut append = Append::new(uploaded, NOW);
                append.flags = flags.clone();
                Intent::Append(append)
            }
            Planned::Expunge(uids) => Intent::Expunge(set(uids)),
            Planned::Copy { uids, to, remove } => {
                Intent::Copy { uids: set(uids), to: self.ids[*to], remove: *remove }
            }
            Planned::Flags { uids, change, flags, since } => Intent::Flags {
                uids: set(uids),
                change: match change {
                    0 => FlagChange::Add(flags.clone()),
                    1 => FlagChange::Remove(flags.clone()),
                    _ => FlagChange::Replace(flags.clone()),
                },
                unchanged_since: since.and_then(ModSeq::new),
            },
            Planned::Quota { .. } => panic!("not an intent"),
        }
    }

    fn step(&mut self, step: &Step) {
        let over = Refusal::OverQuota { root: self.account.id() };
        let before = self.model.clone();
        let mut told: Vec<Told> = Vec::new();
        let mut intents = Vec::new();
        for planned in &step.intents {
            if let Planned::Quota { messages } = planned {
                block_on(self.store.set_quota(self.account.id(), None, *messages)).unwrap();
                self.model.limit = *messages;
                self.model.mod_seq = self.reached();
                return;
            }
            intents.push(self.intent(planned));
            told.push(self.model.play(step.mailbox, planned, &over));
        }
        let mut work = Work::new(intents, NOW);
        if step.all_or_nothing {
            work = work.all_or_nothing();
            if let Some(cause) = told.iter().position(|told| matches!(told, Told::Refused(_))) {
                let cause_told = told[cause].clone();
                told.fill(Told::Refused(Refusal::Aborted));
                told[cause] = cause_told;
                self.model = before.clone();
            }
        }
        self.store.engine().commits_do([step.fault]);
        let result = block_on(self.account.apply(self.ids[step.mailbox], work));
        self.store.engine().commits_do([]);
        match (result, step.fault) {
            (Ok(applied), _) => {
                let seen: Vec<Told> = applied.iter().map(seen).collect();
                assert_eq!(seen, told);
                // A keyword may have been made that no message has; that takes a number.
                let reached = self.reached();
                assert!(reached == self.model.mod_seq || reached == before.mod_seq + 1);
                self.model.mod_seq = reached;
            }
            (Err(_), Some(Fault::Full | Fault::Io)) => self.model = before,
            (Err(error), fault) => panic!("{error} with {fault:?}"),
        }
        let late = block_on(self.store.engine().let_late_commits_in());
        assert!(late.iter().all(Result::is_err));
    }

    fn compare(&mut self) {
        while block_on(self.store.maintain(NOW, 1000)).unwrap() > 0 {}
        let mut total = 0;
        for (at, name) in NAMES.iter().enumerate() {
            let (opened, mailbox) = (self.open(at), &self.model.mailboxes[at]);
            let rows: Vec<Message> = opened
                .columns
                .rows()
                .map(|row| Message {
                    uid: row.uid.get(),
                    flags: row.flags().map(|flag| flag.to_string()).collect(),
                    octets: usize::try_from(row.size).unwrap(),
                    mod_seq: number(row.mod_seq),
                })
                .collect();
            assert_eq!(rows, mailbox.messages, "{name}");
            let info = &opened.info;
            assert_eq!(info.uid_next.map(Uid::get), Some(mailbox.next));
            assert_eq!(number(info.highest_mod_seq), mailbox.highest);
            assert_eq!(info.exists as usize, rows.len());
            let with = |name: &str| rows.iter().filter(|row| row.flags.contains(name)).count();
            assert_eq!(info.unseen as usize, rows.len() - with("\\Seen"));
            assert_eq!(info.deleted as usize, with("\\Deleted"));
            let sum =
                |rows: &mut dyn Iterator<Item = &Message>| rows.map(|row| row.octets as u64).sum::<u64>();
            assert_eq!(info.octets, sum(&mut rows.iter()));
            let deleted = sum(&mut rows.iter().filter(|row| row.flags.contains("\\Deleted")));
            assert_eq!(info.deleted_octets, deleted);
            total += info.octets;
            let mut bodies = Vec::new();
            block_on(self.account.meta(&opened.columns, &UidSet::all(), &mut |meta| {
                bodies.push(meta.body.clone());
                ControlFlow::Continue(())
            }))
            .unwrap();
            for (body, row) in bodies.iter().zip(&rows) {
                assert_eq!(block_on(self.account.body(body, 0..body.size())).unwrap(), octets(row.octets));
            }
        }
        let usage = block_on(self.store.quota(self.account.id())).unwrap().unwrap();
        assert_eq!((usage.octets, usage.messages), (total, self.model.count()));
        self.replay();
        self.remember();
    }

    /// From every earlier state, the changes since lead here.
    fn replay(&self) {
        let now: Vec<BTreeMap<u32, u64>> = (self.model.mailboxes.iter())
            .map(|mailbox| mailbox.messages.iter().map(|one| (one.uid, one.mod_seq)).collect())
            .collect();
        for (since, earlier) in &self.earlier {
            let mut state = earlier.clone();
            let mut last = *since;
            block_on(self.account.changes(ModSeq::new(*since).unwrap(), &mut |change| {
                let at = number(change.mod_seq);
                assert!(at >= last && at > *since, "in order, and nothing that was told");
                last = at;
                let mailbox = self.ids.iter().position(|id| *id == change.mailbox).unwrap();
                match &change.kind {
                    ChangeKind::Added(uids) | ChangeKind::Flags(uids) => {
                        state[mailbox].extend(list(uids).into_iter().map(|uid| (uid, at)));
                    }
                    ChangeKind::Expunged(uids) => {
                        list(uids).iter().for_each(|uid| assert!(state[mailbox].remove(uid).is_some()));
                    }
                    other => panic!("{other:?}"),
                }
                ControlFlow::Continue(())
            }))
            .unwrap();
            assert_eq!(state, now, "since {since}");
        }
    }
}

fn seen(applied: &Applied) -> Told {
    match applied {
        Applied::Appended { uid, mod_seq, .. } => Told::Appended(uid.get(), number(*mod_seq)),
        Applied::Expunged { uids, mod_seq } => Told::Expunged(list(uids), mod_seq.map(number)),
        Applied::Copied(copied) => {
            let pairs = copied.pairs.iter().map(|(from, to)| (from.get(), to.get())).collect();
            Told::Copied(pairs, copied.mod_seq.map(number))
        }
        Applied::Flagged(flagged) => {
            Told::Flagged(list(&flagged.changed), list(&flagged.modified), flagged.mod_seq.map(number))
        }
        Applied::Refused(refusal) => Told::Refused(refusal.clone()),
        other => panic!("{other:?}"),
    }
}

fn flag() -> impl Strategy<Value = Flag> {
    prop_oneof![
        Just(Flag::Seen),
        Just(Flag::Deleted),
        Just(Flag::Flagged),
        (0..40_u32).prop_map(|number| format!("k{number}").parse().unwrap()),
    ]
}

fn uids() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![
        prop::collection::vec(1..30_u32, 1..4),
        (1..30_u32, 1..12_u32).prop_map(|(first, count)| (first..first + count).collect()),
    ]
}

fn planned() -> impl Strategy<Value = Planned> {
    let flags =
        || prop_oneof![3 => prop::collection::vec(flag(), 0..3), 1 => prop::collection::vec(flag(), 8..12)];
    prop_oneof![
        4 => (0..200_usize, flags()).prop_map(|(octets, flags)| Planned::Append { octets, flags }),
        2 => uids().prop_map(Planned::Expunge),
        3 => (uids(), 0..NAMES.len(), any::<bool>())
            .prop_map(|(uids, to, remove)| Planned::Copy { uids, to, remove }),
        3 => (uids(), 0..3_u8, flags(), prop::option::weighted(0.3, 0..60_u64))
            .prop_map(|(uids, change, flags, since)| Planned::Flags { uids, change, flags, since }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        Just(Fault::Conflict),
        Just(Fault::Full),
        Just(Fault::Io),
        Just(Fault::UnknownDone),
        Just(Fault::UnknownNotDone),
        Just(Fault::UnknownLate),
    ];
    let work = (
        0..NAMES.len(),
        prop::bool::weighted(0.3),
        prop::collection::vec(planned(), 1..5),
        prop::option::weighted(0.2, fault),
    )
        .prop_map(|(mailbox, all_or_nothing, intents, fault)| Step {
            mailbox,
            all_or_nothing,
            intents,
            fault,
        });
    let quota = prop::option::of(0..30_u64).prop_map(|messages| Step {
        mailbox: 0,
        all_or_nothing: false,
        intents: vec![Planned::Quota { messages }],
        fault: None,
    });
    prop_oneof![12 => work, 1 => quota]
}

/// Does `steps` on a store over `engine` and on the naive one.
fn play(engine: impl Engine + Blobs, rows_per_block: usize, steps: &[Step]) {
    let mut bench = Bench::new(engine, rows_per_block);
    for step in steps {
        bench.step(step);
        bench.compare();
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..20)
}

fn rows_per_block() -> impl Strategy<Value = usize> {
    prop_oneof![Just(4_usize), Just(16)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_what_a_naive_one_is(steps in steps(), rows_per_block in rows_per_block()) {
        play(Memory::new(), rows_per_block, &steps);
    }
}

#[cfg(feature = "local")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_on_the_durable_engine_is_what_a_naive_one_is(
            steps in steps(),
            rows_per_block in rows_per_block(),
        ) {
        use mailwright_store::engine::local::{Local, LocalConfig, Simulated};
        let mut config = LocalConfig::default();
        // Small files, so that there are many.
        config.segment_octets = 4 * 1024;
        config.large_from = 150;
        config.index_cache = 1024 * 1024;
        let engine = Local::open_in(std::sync::Arc::new(Simulated::new(1)), config, [7; 16]).unwrap();
        play(engine, rows_per_block, &steps);
    }
}
