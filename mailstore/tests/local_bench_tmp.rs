#![allow(warnings, clippy::all)]
#![cfg(feature = "local")]
use mailwright_core::value::{MailboxName, UnixTime};
use mailwright_store::account::{Account as _, Append, Applied, Intent, Upload as _, Work};
use mailwright_store::directory::NewAccount;
use mailwright_store::engine::{block_on, local::*};
use mailwright_store::*;
#[test]
fn bench() {
    let now = UnixTime::from_seconds(1_800_000_000);
    for dir in ["/tmp/target-local/bench"] {
        // bare: file + fdatasync
        std::fs::create_dir_all(dir).unwrap();
        for threads in [1usize, 8, 64, 1, 8, 64] {
            let bare = {
                use std::io::Write;
                let mut f = std::fs::File::create(format!("{dir}/bare")).unwrap();
                let t = std::time::Instant::now();
                let mut n = 0;
                while t.elapsed().as_secs_f64() < 1.0 {
                    f.write_all(&[1u8; 4608]).unwrap();
                    f.sync_data().unwrap();
                    n += 1;
                }
                n as f64 / t.elapsed().as_secs_f64()
            };
            let path = format!("{dir}/s{threads}");
            let _ = std::fs::remove_dir_all(&path);
            let store = block_on(Store::open(
                Local::open(&path, LocalConfig::default(), [1; 16]).unwrap(),
                StoreConfig::default(),
                [2; 32],
            ))
            .unwrap();
            block_on(store.directory().add_domain(&"example.org".parse().unwrap())).unwrap();
            let ids: Vec<_> =
                (0..threads)
                    .map(|i| {
                        block_on(store.create_account(
                            NewAccount::new(format!("u{i}@example.org").parse().unwrap()),
                            now,
                        ))
                        .unwrap()
                    })
                    .collect();
            let per = 4000 / threads.max(2);
            let t = std::time::Instant::now();
            std::thread::scope(|s| {
                for id in ids {
                    let store = &store;
                    s.spawn(move || {
                        let account = store.account(id);
                        let inbox = block_on(account.open(&MailboxName::inbox())).unwrap().info.id;
                        for _ in 0..per {
                            block_on(async {
                                let mut u = store.upload(Some(4096)).await.unwrap();
                                u.write(vec![b'x'; 4096].into()).await.unwrap();
                                let a = Append::new(u.finish().await.unwrap(), now);
                                account.apply(inbox, Work::new(vec![Intent::Append(a)], now)).await.unwrap();
                            });
                        }
                    });
                }
            });
            let rate = (per * threads) as f64 / t.elapsed().as_secs_f64();
            println!("threads {threads}: {rate:.0}/s; bare fdatasync {bare:.0}/s");
        }
    }
}
