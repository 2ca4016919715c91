//! Loss of power under a store on the durable engine: promises P1 to P5 and P7 after every cut.
//!
//! Random work runs over a simulated storage, which takes pictures of what a cut would leave at many of its
//! steps. Each picture must open to the state before the work that ran, or to the one behind it; a cut after
//! an acknowledgement to the latter only. Some are used on, cut again while they recover, or rebuilt.
//! `LOCAL_CUTS` sets the number of cuts, `LOCAL_SEED` where to begin.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![cfg(all(feature = "local", feature = "testing"))]

use core::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use mailwright_core::value::{Flag, MailboxName, Uid, UidSet, UnixTime};
use mailwright_store::account::{
    Account as _, Append, Applied, FlagChange, Intent, TreeChange, Upload as _, Uploaded, Work, WriteError,
};
use mailwright_store::directory::NewAccount;
use mailwright_store::engine::block_on;
use mailwright_store::engine::local::{CheckDepth, Fault, Local, LocalConfig, Simulated};
use mailwright_store::{AccountId, Delivery, Store, StoreConfig};

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const ACCOUNTS: [&str; 3] = ["a@example.org", "b@example.org", "c@example.org"];
const MAILBOXES: [&str; 2] = ["INBOX", "Archive"];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

#[allow(clippy::disallowed_methods, reason = "how long a test runs is set from outside")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// What a client can see of one message.
#[derive(Clone, Debug, PartialEq)]
struct Message {
    uid: u32,
    mod_seq: u64,
    flags: Vec<String>,
    octets: Bytes,
}

/// What a client can see of one mailbox.
#[derive(Clone, Debug, PartialEq)]
struct Mailbox {
    object_id: String,
    uid_validity: u32,
    uid_next: u32,
    highest: u64,
    messages: Vec<Message>,
    /// Octets and messages that count for the quota of its account.
    quota: (u64, u64),
}

type State = Vec<Mailbox>;

fn config() -> LocalConfig {
    let mut config = LocalConfig::default();
    config.segment_octets = 48 * 1024;
    config.large_from = 64 * 1024;
    config.index_cache = 1024 * 1024;
    config
}

fn open(storage: &Simulated) -> Store<Local> {
    let engine = Local::open_in(Arc::new(storage.clone()), config(), [7; 16]).unwrap();
    assert_eq!(engine.damage(), None, "a cut is no damage");
    store(engine)
}

fn store(engine: Local) -> Store<Local> {
    let mut config = StoreConfig::default();
    config.mail.rows_per_block = 8;
    block_on(Store::open(engine, config, [1; 32])).unwrap()
}

fn create(store: &Store<Local>) -> Vec<AccountId> {
    block_on(async {
        store.directory().add_domain(&"example.org".parse().unwrap()).await.unwrap();
        let mut accounts = Vec::new();
        for address in ACCOUNTS {
            let new = NewAccount::new(address.parse().unwrap());
            let id = store.create_account(new, NOW).await.unwrap();
            let name = MailboxName::new("Archive").unwrap();
            // It may be there already, as one of those that every account has.
            let change = TreeChange::Create { name, special_use: None, now: NOW };
            let _ = store.account(id).tree(change).await.unwrap();
            accounts.push(id);
        }
        accounts
    })
}

/// All that can be seen.
fn state(store: &Store<Local>, accounts: &[AccountId]) -> State {
    let mut state = Vec::new();
    for account in accounts {
        let quota = block_on(store.quota(*account)).unwrap().unwrap();
        let account = store.account(*account);
        for name in MAILBOXES {
            let opened = block_on(account.open(&MailboxName::new(name).unwrap())).unwrap();
            let uids: UidSet = opened.columns.rows().map(|row| row.uid).collect();
            let mut bodies = Vec::new();
            block_on(account.meta(&opened.columns, &uids, &mut |meta| {
                bodies.push((meta.uid, meta.body.clone()));
                ControlFlow::Continue(())
            }))
            .unwrap();
            let messages: Vec<Message> = opened
                .columns
                .rows()
                .zip(bodies)
                .map(|(row, (uid, body))| {
                    assert_eq!(row.uid, uid);
                    let mut octets = Vec::new();
                    while (octets.len() as u64) < row.size {
                        let at = octets.len() as u64;
                        let more = block_on(account.body(&body, at..row.size)).unwrap();
                        assert!(!more.is_empty());
                        octets.extend_from_slice(&more);
                    }
                    let mut flags: Vec<String> = row.flags().map(|flag| flag.to_string()).collect();
                    flags.sort();
                    let (mod_seq, octets) = (row.mod_seq.get(), octets.into());
                    Message { uid: uid.get(), mod_seq, flags, octets }
                })
                .collect();
            assert_eq!(opened.info.exists as usize, messages.len());
            state.push(Mailbox {
                object_id: opened.info.object_id.clone(),
                uid_validity: opened.info.uid_validity.get(),
                uid_next: opened.info.uid_next.map_or(0, Uid::get),
                highest: opened.info.highest_mod_seq.get(),
                messages,
                quota: (quota.octets, quota.messages),
            });
        }
    }
    for (at, mailboxes) in state.chunks(MAILBOXES.len()).enumerate() {
        let all = || mailboxes.iter().flat_map(|mailbox| &mailbox.messages);
        let octets = all().map(|message| message.octets.len() as u64).sum::<u64>();
        assert_eq!(mailboxes[0].quota, (octets, all().count() as u64), "quota of account {at}");
    }
    state
}

fn upload(store: &Store<Local>, random: &mut Random) -> Result<Uploaded, WriteError> {
    let octets = match random.below(24) {
        0 => 64 * 1024 + random.below(20_000),
        1 => 0,
        _ => random.below(4000),
    };
    // Different in every message, also where they are equally long.
    let salt = random.next();
    let content: Bytes = (0..octets).map(|at| ((at as u64 ^ salt) % 251).try_into().unwrap()).collect();
    block_on(async {
        let mut upload = store.upload(None).await?;
        upload.write(content).await?;
        upload.finish().await
    })
}

/// Does one thing at random.
fn work(store: &Store<Local>, accounts: &[AccountId], random: &mut Random) -> Result<(), WriteError> {
    let id = accounts[random.below(accounts.len())];
    let account = store.account(id);
    let at = random.below(2);
    let open = |at: usize| block_on(account.open(&MailboxName::new(MAILBOXES[at]).unwrap())).unwrap();
    let opened = open(at);
    let mailbox = opened.info.id;
    let kind = random.below(10);
    let some: UidSet = opened.columns.rows().map(|row| row.uid).filter(|_| random.below(3) == 0).collect();
    let intent = match kind {
        0..4 => {
            let uploaded = upload(store, random)?;
            let mut delivery = Delivery::new();
            let mut plan = Vec::new();
            for account in accounts.iter().filter(|_| random.below(2) == 0) {
                plan.push(delivery.copy(*account, Append::new(uploaded.clone(), NOW)));
            }
            delivery.plans.push(plan);
            let results = block_on(store.deliver(&delivery, NOW))?;
            assert!(results.iter().all(Result::is_ok));
            return Ok(());
        }
        4 => Intent::Append(Append::new(upload(store, random)?, NOW)),
        5 => Intent::Flags {
            uids: some,
            change: FlagChange::Add(vec![Flag::Seen, "$Keyword".parse().unwrap()]),
            unchanged_since: None,
        },
        6 => Intent::Flags { uids: some, change: FlagChange::Replace(vec![]), unchanged_since: None },
        7 => Intent::Expunge(some),
        kind => Intent::Copy { uids: some, to: open(1 - at).info.id, remove: kind == 8 },
    };
    drop(opened);
    let applied = block_on(account.apply(mailbox, Work::new(vec![intent], NOW)))?;
    assert!(!applied.iter().any(|applied| matches!(applied, Applied::Refused(_))), "{applied:?}");
    Ok(())
}

/// Works on in a store that survived a cut: no UID and no number comes a second time.
fn use_on(store: &Store<Local>, accounts: &[AccountId], before: &State, random: &mut Random) {
    for (at, id) in accounts.iter().enumerate() {
        let account = store.account(*id);
        let inbox = block_on(account.open(&MailboxName::inbox())).unwrap().info.id;
        let append = Append::new(upload(store, random).unwrap(), NOW);
        let work = Work::new(vec![Intent::Append(append)], NOW);
        let applied = block_on(account.apply(inbox, work)).unwrap();
        let Applied::Appended { uid, mod_seq, .. } = &applied[0] else { panic!("{applied:?}") };
        let told = before[2 * at].highest.max(before[2 * at + 1].highest);
        assert!(uid.get() >= before[2 * at].uid_next && mod_seq.get() > told);
    }
    assert_eq!(store.engine().check(CheckDepth::Full).unwrap(), []);
}

/// Opens what a cut left. Gives the state.
fn survive(cut: &Simulated, accounts: &[AccountId], may_be: &[&State], random: &mut Random) -> u64 {
    let kind = random.below(8);
    if kind == 0 {
        cut.cut_every(1 + random.below(12) as u64);
    }
    let mut cuts = 1;
    if kind == 3 {
        // An opening that fails, anywhere, changes nothing that is seen.
        let after = random.below(6) as u64;
        let fault = [Fault::Sync(after), Fault::Write(after), Fault::Space(512 * after)];
        cut.set_fault(Some(fault[random.below(3)]));
        drop(Local::open_in(Arc::new(cut.clone()), config(), [7; 16]));
        cut.set_fault(None);
        let store = open(&cut.cut());
        assert!(may_be.contains(&&state(&store, accounts)), "a failed opening shows after a cut");
    }
    let store = open(cut);
    let found = state(&store, accounts);
    assert!(may_be.contains(&&found), "neither before nor behind the work");
    for again in cut.take_cuts() {
        // A cut in the recovery changes nothing.
        let store = open(&again);
        assert!(found == state(&store, accounts), "a cut in the recovery shows");
        cuts += 1;
    }
    cut.cut_every(0);
    match kind {
        1 => {
            use_on(&store, accounts, &found, random);
            let later = state(&store, accounts);
            let again = open(&cut.cut());
            assert!(later == state(&again, accounts), "lost after a second cut");
            cuts += 1;
        }
        2 => {
            drop(store);
            Local::rebuild(Arc::new(cut.clone()), &config()).unwrap();
            let store = open(cut);
            assert!(found == state(&store, accounts), "a rebuild changes what is seen");
            use_on(&store, accounts, &found, random);
        }
        _ => {}
    }
    cuts
}

/// Runs work until there were `cuts`.
fn run(seed: u64, cuts: u64) -> u64 {
    let mut random = Random(seed);
    let storage = Simulated::new(seed);
    let mut store = open(&storage);
    let accounts = create(&store);
    let mut before = state(&store, &accounts);
    let mut done = 0;
    for _ in 0..60 {
        if done >= cuts {
            break;
        }
        storage.cut_every(2 + random.below(9) as u64);
        work(&store, &accounts, &mut random).unwrap();
        storage.cut_every(0);
        let behind = state(&store, &accounts);
        for cut in storage.take_cuts() {
            done += survive(&cut, &accounts, &[&before, &behind], &mut random);
        }
        done += survive(&storage.cut(), &accounts, &[&behind], &mut random);
        before = behind;
        if random.below(8) == 0 {
            block_on(store.maintain(NOW, 100)).unwrap();
            drop(store);
            store = open(&storage);
            assert!(before == state(&store, &accounts), "a close changes what is seen");
        }
    }
    done
}

#[test]
fn every_cut_leaves_what_was_acknowledged_and_nothing_half() {
    let (cuts, mut seed) = (setting("LOCAL_CUTS", 2000), setting("LOCAL_SEED", 1));
    let mut done = 0;
    while done < cuts {
        // The seed of a failure is the last one shown.
        println!("LOCAL_SEED={seed} after {done} cuts");
        done += run(seed, cuts - done);
        seed += 1;
    }
}

#[test]
fn failures_leave_what_was_acknowledged_and_nothing_half() {
    let rounds = setting("LOCAL_CUTS", 2000) / 10;
    for seed in 0..rounds {
        println!("seed {seed}");
        let mut random = Random(seed);
        let storage = Simulated::new(seed);
        let store = open(&storage);
        let accounts = create(&store);
        for _ in 0..4 {
            work(&store, &accounts, &mut random).unwrap();
        }
        let before = state(&store, &accounts);
        let after = random.below(8) as u64;
        let fault = match random.below(3) {
            0 => Fault::Sync(after),
            1 => Fault::Write(after),
            _ => Fault::Space(random.next() % 20_000),
        };
        storage.set_fault(Some(fault));
        let mut last = before;
        let mut failed = false;
        for _ in 0..6 {
            if work(&store, &accounts, &mut random).is_err() {
                failed = true;
                break;
            }
            last = state(&store, &accounts);
        }
        storage.set_fault(None);
        // Reads go on, whatever failed.
        assert_whole(&last, &state(&store, &accounts), failed);
        let cut = storage.cut();
        let again = open(&cut);
        let found = state(&again, &accounts);
        // The one thing that failed may be there, whole.
        assert_whole(&last, &found, failed);
        use_on(&again, &accounts, &found, &mut random);
        drop(again);
        drop(store);
        let again = open(&storage);
        assert_whole(&last, &state(&again, &accounts), failed);
    }
}

/// `found` is `last`, or what one more change makes of it.
fn assert_whole(last: &State, found: &State, may_have_more: bool) {
    if last == found {
        return;
    }
    assert!(may_have_more, "acknowledged work is lost, or other work done");
    for (last, found) in last.iter().zip(found) {
        assert!(found.uid_next >= last.uid_next && found.highest >= last.highest);
        assert_eq!(found.uid_validity, last.uid_validity);
        let new = found.messages.iter().filter(|message| message.uid >= last.uid_next);
        assert!(new.into_iter().all(|message| message.mod_seq > last.highest));
    }
}
