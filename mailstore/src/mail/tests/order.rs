//! What readers see while others write (promises P2 and P3), and the lane.

use core::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[test]
fn readers_see_uids_and_numbers_grow_only_and_every_message_whole() {
    let (store, account) = alice_with(|config| config.mail.rows_per_block = 8);
    let writing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for round in 0..60 {
                        let added = fill(&store, &account, 1 + round % 3);
                        if round % 4 == 0 {
                            apply(&account, vec![Intent::Expunge(added[0].into())]);
                        }
                    }
                })
            })
            .collect();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut known: Vec<u32> = Vec::new();
                    let (mut next, mut highest) = (1, ModSeq::ZERO);
                    while writing.load(Ordering::SeqCst) {
                        let opened = inbox(&account);
                        let now = uids(&opened);
                        let new = now.iter().filter(|uid| known.binary_search(uid).is_err());
                        for number in new {
                            assert!(*number >= next, "{number} appeared below UIDNEXT {next}");
                            let row = opened.columns.find(uid(*number)).unwrap();
                            assert!(row.mod_seq > highest, "a change below a number that was told");
                        }
                        assert!(now.iter().all(|uid| *uid < opened.info.uid_next.unwrap().get()));
                        assert_eq!(opened.info.exists as usize, now.len());
                        assert!(opened.info.highest_mod_seq >= highest);
                        for body in bodies(&account, &opened) {
                            assert_eq!(read(&account, &body).unwrap(), b"Subject: x\r\n\r\nx\r\n");
                        }
                        (next, highest) = (opened.info.uid_next.unwrap().get(), opened.info.highest_mod_seq);
                        known = now;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        writing.store(false, Ordering::SeqCst);
        for reader in readers {
            reader.join().unwrap();
        }
    });
    assert_sound(&store, &[account.id()]);
}

#[test]
fn what_waits_is_committed_together() {
    let (store, account) = alice();
    store.engine().pause(50);
    let before = store.engine().committed();
    let mut context = core::task::Context::from_waker(core::task::Waker::noop());
    let write = || {
        alloc::boxed::Box::pin(account.apply(INBOX, Work::new(vec![Intent::Append(message(&store))], NOW)))
    };
    let mut writers: Vec<_> = (0..20).map(|_| write()).collect();
    for writer in &mut writers {
        assert!(writer.as_mut().poll(&mut context).is_pending());
    }
    let mut seen: Vec<u32> = Vec::new();
    for writer in writers {
        match block_on(writer).unwrap()[..] {
            [Applied::Appended { uid, .. }] => seen.push(uid.get()),
            ref other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, (1..=20).collect::<Vec<u32>>(), "in the order in which they came");
    assert_eq!(store.engine().committed(), before + 2, "the first, and all that came meanwhile");
}

#[test]
fn another_process_on_the_same_engine_takes_no_uid_twice() {
    let engine = Memory::new();
    let open =
        |entropy| block_on(Store::open(engine.clone(), StoreConfig::default(), [entropy; 32])).unwrap();
    let (one, other) = (open(1), open(2));
    block_on(one.directory().add_domain(&"example.org".parse().unwrap())).unwrap();
    let id = new_account(&one, "alice");
    std::thread::scope(|scope| {
        for store in [&one, &other] {
            scope.spawn(move || {
                let mut done = 0;
                while done < 50 {
                    let work = Work::new(vec![Intent::Append(message(store))], NOW);
                    match block_on(store.account(id).apply(INBOX, work)) {
                        Ok(applied) => {
                            assert!(matches!(applied[..], [Applied::Appended { .. }]));
                            done += 1;
                        }
                        Err(WriteError::Busy) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(uids(&inbox(&one.account(id))), (1..=100).collect::<Vec<u32>>());
    assert_eq!(uids(&inbox(&other.account(id))), (1..=100).collect::<Vec<u32>>());
}

#[test]
fn an_engine_that_is_opened_again_shows_what_was_there() {
    let engine = Memory::new();
    let open =
        |entropy| block_on(Store::open(engine.clone(), StoreConfig::default(), [entropy; 32])).unwrap();
    let store = open(1);
    block_on(store.directory().add_domain(&"example.org".parse().unwrap())).unwrap();
    let id = new_account(&store, "alice");
    apply(&store.account(id), vec![Intent::Append(message(&store))]);
    let before = inbox(&store.account(id));
    drop(store);
    let store = open(2);
    let after = inbox(&store.account(id));
    assert_eq!((before.info, uids(&after)), (after.info, vec![1]));
}

#[test]
fn a_new_mailbox_has_a_uidvalidity_above_all_before_also_if_the_clock_goes_back() {
    use crate::account::{TreeChange, TreeOutcome};
    let (_, account) = alice();
    let mut last = inbox(&account).info.uid_validity;
    for (name, seconds) in [("One", 1_900_000_000), ("Two", 5), ("Three", -7), ("Four", i64::MAX)] {
        let name = MailboxName::new(name).unwrap();
        let now = UnixTime::from_seconds(seconds);
        let change = TreeChange::Create { name: name.clone(), special_use: None, now };
        assert!(matches!(block_on(account.tree(change)).unwrap(), TreeOutcome::Created(_)));
        let opened = block_on(account.open(&name)).unwrap();
        assert!(opened.info.uid_validity > last, "{name}");
        last = opened.info.uid_validity;
    }
}
