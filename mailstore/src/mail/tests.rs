//! Tests of the mail logic, over the memory engine and over one that fails on purpose.

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use bytes::Bytes;
use mailwright_core::value::{Flag, MailboxName, ModSeq, Uid, UidSet, UnixTime};

use crate::account::{
    Account as _, Append, Applied, Body, Change, FlagChange, Intent, Limit, Opened, Refusal, Since,
    Upload as _, Uploaded, Work, WriteError,
};
use crate::directory::NewAccount;
use crate::engine::{Blobs, Engine, Memory, ReadError, Snapshot as _, block_on};
use crate::testing::{Fault, Faulty};
use crate::{AccountId, Delivery, MailboxId, Store, StoreAccount, StoreConfig};

mod append;
mod cancel;
mod deliver;
mod faults;
mod flags;
mod free;
mod order;
mod quota;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const INBOX: MailboxId = MailboxId::new(1);

type FaultyStore = Store<Faulty<Memory>>;

fn store_with(change: impl FnOnce(&mut StoreConfig)) -> FaultyStore {
    let mut config = StoreConfig::default();
    change(&mut config);
    let store = block_on(Store::open(Faulty::new(Memory::new()), config, [1; 32])).unwrap();
    block_on(store.directory().add_domain(&"example.org".parse().unwrap())).unwrap();
    store
}

fn store() -> FaultyStore {
    store_with(|_| {})
}

fn new_account<E: Engine + Blobs>(store: &Store<E>, name: &str) -> AccountId {
    let address = alloc::format!("{name}@example.org").parse().unwrap();
    block_on(store.create_account(NewAccount::new(address), NOW)).unwrap()
}

/// A store with one account.
fn alice() -> (FaultyStore, StoreAccount<Faulty<Memory>>) {
    alice_with(|_| {})
}

fn alice_with(change: impl FnOnce(&mut StoreConfig)) -> (FaultyStore, StoreAccount<Faulty<Memory>>) {
    let store = store_with(change);
    let id = new_account(&store, "alice");
    let account = store.account(id);
    (store, account)
}

fn upload<E: Engine + Blobs>(store: &Store<E>, octets: &'static [u8]) -> Uploaded {
    block_on(async {
        let mut upload = store.upload(None).await.unwrap();
        upload.write(Bytes::from_static(octets)).await.unwrap();
        upload.finish().await.unwrap()
    })
}

fn message<E: Engine + Blobs>(store: &Store<E>) -> Append {
    Append::new(upload(store, b"Subject: x\r\n\r\nx\r\n"), NOW)
}

fn apply<E: Engine + Blobs>(account: &StoreAccount<E>, intents: Vec<Intent>) -> Vec<Applied> {
    block_on(account.apply(INBOX, Work::new(intents, NOW))).unwrap()
}

fn fill(store: &FaultyStore, account: &StoreAccount<Faulty<Memory>>, count: usize) -> Vec<Uid> {
    let applied = apply(account, (0..count).map(|_| Intent::Append(message(store))).collect());
    applied
        .iter()
        .map(|applied| match applied {
            Applied::Appended { uid, .. } => *uid,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn inbox<E: Engine + Blobs>(account: &StoreAccount<E>) -> Opened {
    block_on(account.open(&MailboxName::inbox())).unwrap()
}

fn uids(opened: &Opened) -> Vec<u32> {
    opened.columns.rows().map(|row| row.uid.get()).collect()
}

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

fn set(numbers: impl IntoIterator<Item = u32>) -> UidSet {
    numbers.into_iter().map(uid).collect()
}

fn flags_of(opened: &Opened, number: u32) -> Vec<String> {
    opened.columns.find(uid(number)).unwrap().flags().map(|flag| flag.to_string()).collect()
}

fn flag(numbers: impl IntoIterator<Item = u32>, change: FlagChange) -> Intent {
    Intent::Flags { uids: set(numbers), change, unchanged_since: None }
}

fn bodies<E: Engine + Blobs>(account: &StoreAccount<E>, opened: &Opened) -> Vec<Body> {
    let mut bodies = Vec::new();
    block_on(account.meta(&opened.columns, &UidSet::all(), &mut |meta| {
        bodies.push(meta.body.clone());
        ControlFlow::Continue(())
    }))
    .unwrap();
    bodies
}

fn read<E: Engine + Blobs>(account: &StoreAccount<E>, body: &Body) -> Result<Vec<u8>, ReadError> {
    let mut octets = Vec::new();
    loop {
        let some = block_on(account.body(body, octets.len() as u64..body.size()))?;
        if some.is_empty() {
            return Ok(octets);
        }
        octets.extend_from_slice(&some);
    }
}

fn changes<E: Engine + Blobs>(account: &StoreAccount<E>, since: ModSeq) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    let since = block_on(account.changes(since, &mut |change| {
        changes.push(change.clone());
        ControlFlow::Continue(())
    }));
    match since.unwrap() {
        Since::Reached(_) => Some(changes),
        Since::TooOld => None,
    }
}

/// Keys that begin with `kind`.
fn keys(store: &FaultyStore, kind: u8) -> usize {
    let mut count = 0;
    block_on(async {
        let snapshot = store.engine().snapshot().await.unwrap();
        snapshot
            .scan(&[kind]..&[kind + 1], false, &mut |_, _| {
                count += 1;
                ControlFlow::Continue(())
            })
            .await
            .unwrap();
    });
    count
}

/// Everything that a broken promise would leave behind: the counters of the mailbox are those of its rows,
/// each row has its octets, and no octets are there that nothing shows once everything due was freed.
fn assert_sound(store: &FaultyStore, accounts: &[AccountId]) {
    let mut shown = std::collections::BTreeSet::new();
    while block_on(store.maintain(NOW, 1000)).unwrap() > 0 {}
    for id in accounts {
        let account = store.account(*id);
        let opened = inbox(&account);
        let rows: Vec<_> = opened.columns.rows().collect();
        let count = |flag: Flag| rows.iter().filter(|row| row.has(&flag)).count();
        let info = &opened.info;
        assert_eq!(info.exists as usize, rows.len());
        assert_eq!(info.unseen as usize, rows.len() - count(Flag::Seen));
        assert_eq!(info.deleted as usize, count(Flag::Deleted));
        assert_eq!(info.octets, rows.iter().map(|row| row.size).sum::<u64>());
        let deleted = rows.iter().filter(|row| row.has(&Flag::Deleted));
        assert_eq!(info.deleted_octets, deleted.map(|row| row.size).sum::<u64>());
        assert!(rows.iter().all(|row| row.mod_seq <= info.highest_mod_seq));
        for body in bodies(&account, &opened) {
            assert_eq!(read(&account, &body).unwrap().len() as u64, body.size());
            shown.insert(body.blob);
        }
        let usage = block_on(store.quota(*id)).unwrap().unwrap();
        assert_eq!((usage.octets, usage.messages), (info.octets, rows.len() as u64), "INBOX is all there is");
    }
    let mut stored = std::collections::BTreeSet::new();
    block_on(store.engine().list(&mut |blob, _| {
        stored.insert(blob.clone());
    }))
    .unwrap();
    assert_eq!(stored, shown, "octets that are stored and octets that are shown");
    assert_eq!(keys(store, b'G'), 0);
    assert_eq!(keys(store, b'Y'), shown.len());
}
