//! A process with a store on real files is killed: what it said is stored is there.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![cfg(feature = "local")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytes::Bytes;
use mailwright_core::value::{MailboxName, UnixTime};
use mailwright_store::account::{Account as _, Append, Applied, Intent, Upload as _, Work};
use mailwright_store::directory::NewAccount;
use mailwright_store::engine::block_on;
use mailwright_store::engine::local::{CheckDepth, Local, LocalConfig};
use mailwright_store::{AccountId, Store, StoreConfig};

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const DIRECTORY: &str = "LOCAL_KILL_DIRECTORY";
const WRITERS: u64 = 4;
const MARK: &str = "stored ";

fn open(directory: &Path) -> Store<Local> {
    let mut config = LocalConfig::default();
    config.segment_octets = 256 * 1024;
    let engine = Local::open(directory, config, [7; 16]).unwrap();
    assert_eq!(engine.damage(), None);
    block_on(Store::open(engine, StoreConfig::default(), [1; 32])).unwrap()
}

/// The octets of the message that `writer` stores as its `number`th.
fn message(writer: u64, number: u64) -> Bytes {
    let line = format!("Subject: {writer} {number}\r\n");
    line.repeat(1 + usize::try_from(number % 200).unwrap()).into()
}

/// Stores messages until it is killed, and says so after each.
#[test]
#[ignore = "the other process of the test below"]
#[allow(clippy::disallowed_methods, reason = "the directory is told by the other process")]
fn store_for_ever() {
    let directory = PathBuf::from(std::env::var(DIRECTORY).unwrap());
    let store = open(&directory);
    let accounts: Vec<AccountId> = block_on(async {
        store.directory().add_domain(&"example.org".parse().unwrap()).await.unwrap();
        let mut accounts = Vec::new();
        for writer in 0..WRITERS {
            let address = format!("{writer}@example.org");
            let new = NewAccount::new(address.parse().unwrap());
            accounts.push(store.create_account(new, NOW).await.unwrap());
        }
        accounts
    });
    std::thread::scope(|scope| {
        for (writer, id) in (0..WRITERS).zip(accounts) {
            let store = &store;
            scope.spawn(move || {
                let account = store.account(id);
                block_on(async {
                    let inbox = account.open(&MailboxName::inbox()).await.unwrap().info.id;
                    for number in 0.. {
                        let mut upload = store.upload(None).await.unwrap();
                        upload.write(message(writer, number)).await.unwrap();
                        let append = Append::new(upload.finish().await.unwrap(), NOW);
                        let work = Work::new(vec![Intent::Append(append)], NOW);
                        let applied = account.apply(inbox, work).await.unwrap();
                        let Applied::Appended { uid, .. } = &applied[0] else { panic!("{applied:?}") };
                        println!("{MARK}{writer} {} {number} {}", id.get(), uid.get());
                    }
                });
            });
        }
    });
}

#[test]
fn what_a_killed_process_acknowledged_is_there() {
    for kill_after in [1, 30, 90] {
        let name = format!("local-kill-{}-{kill_after}", std::process::id());
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&directory);
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store_for_ever", "--ignored", "--nocapture"])
            .env(DIRECTORY, &directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut acknowledged = Vec::new();
        // What was said before the end counts, also if it is read behind it.
        for line in lines {
            let Ok(line) = line else { break };
            let Some((_, said)) = line.split_once(MARK) else { continue };
            let numbers: Vec<u64> = said.split(' ').filter_map(|number| number.parse().ok()).collect();
            let [writer, account, number, uid] = numbers[..] else { continue };
            acknowledged.push((writer, account, number, uid));
            if acknowledged.len() == kill_after {
                process.kill().unwrap();
            }
        }
        assert!(!process.wait().unwrap().success());
        assert!(acknowledged.len() >= kill_after);

        let store = open(&directory);
        for (writer, account, number, uid) in acknowledged {
            let account = store.account(AccountId::new(account));
            let opened = block_on(account.open(&MailboxName::inbox())).unwrap();
            let uid = u32::try_from(uid).ok().and_then(mailwright_core::value::Uid::new).unwrap();
            let row = opened.columns.find(uid).unwrap();
            assert_eq!(row.size, message(writer, number).len() as u64);
            let mut bodies = Vec::new();
            block_on(account.meta(&opened.columns, &[uid].into_iter().collect(), &mut |meta| {
                bodies.push(meta.body.clone());
                core::ops::ControlFlow::Continue(())
            }))
            .unwrap();
            assert_eq!(block_on(account.body(&bodies[0], 0..row.size)).unwrap(), message(writer, number));
        }
        assert_eq!(store.engine().check(CheckDepth::Full).unwrap(), []);
        drop(store);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
