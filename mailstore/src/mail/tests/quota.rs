//! Quota: checked exactly where the message becomes visible.

use super::*;

fn over(account: &StoreAccount<Faulty<Memory>>) -> Applied {
    Applied::Refused(Refusal::OverQuota { root: account.id() })
}

#[test]
fn the_last_message_that_fits_is_stored_and_the_next_is_not() {
    let (store, account) = alice();
    block_on(store.set_quota(account.id(), Some(34), None)).unwrap();
    let applied = apply(&account, (0..3).map(|_| Intent::Append(message(&store))).collect());
    assert!(matches!(applied[1], Applied::Appended { .. }), "34 octets fit");
    assert_eq!(applied[2], over(&account));
    let usage = block_on(store.quota(account.id())).unwrap().unwrap();
    assert_eq!((usage.octets, usage.messages), (34, 2));
    assert!(!usage.fits(1) && usage.fits(0));
    apply(&account, vec![Intent::Expunge(set([1]))]);
    assert_eq!(fill(&store, &account, 1), [uid(3)], "an expunge gives the room back");
    assert_sound(&store, &[account.id()]);
}

#[test]
fn a_copy_counts_and_a_move_never_fails() {
    let (store, account) = alice();
    fill(&store, &account, 2);
    block_on(store.set_quota(account.id(), None, Some(2))).unwrap();
    let junk = block_on(account.open(&MailboxName::new("Junk").unwrap())).unwrap().info.id;
    let copy = |remove| Intent::Copy { uids: UidSet::all(), to: junk, remove };
    let applied = apply(&account, vec![copy(false), copy(true)]);
    assert_eq!(applied[0], over(&account));
    assert!(matches!(&applied[1], Applied::Copied(copied) if copied.pairs.len() == 2));
    assert_eq!(block_on(store.quota(account.id())).unwrap().unwrap().messages, 2);
}

#[test]
fn a_limit_below_what_is_held_only_stops_growth() {
    let (store, account) = alice();
    fill(&store, &account, 3);
    block_on(store.set_quota(account.id(), Some(1), None)).unwrap();
    let intents = vec![
        flag([1], FlagChange::Add(vec![Flag::Seen])),
        Intent::Append(message(&store)),
        Intent::Append(Append::new(upload(&store, b""), NOW)),
        Intent::Expunge(set([2])),
    ];
    let applied = apply(&account, intents);
    assert!(matches!(applied[0], Applied::Flagged(_)) && matches!(applied[3], Applied::Expunged { .. }));
    assert_eq!(applied[1], over(&account));
    assert!(matches!(applied[2], Applied::Appended { .. }), "nothing grew");
    assert_sound(&store, &[account.id()]);
}

#[test]
fn an_all_or_nothing_list_over_quota_stores_nothing() {
    let (store, account) = alice();
    block_on(store.set_quota(account.id(), None, Some(1))).unwrap();
    let work = Work::new((0..2).map(|_| Intent::Append(message(&store))).collect(), NOW).all_or_nothing();
    let applied = block_on(account.apply(INBOX, work)).unwrap();
    assert_eq!(applied, [Applied::Refused(Refusal::Aborted), over(&account)]);
    assert!(inbox(&account).columns.is_empty());
    assert_eq!(fill(&store, &account, 1), [uid(1)], "no UID was used up");
    assert_sound(&store, &[account.id()]);
}

#[test]
fn writers_at_the_same_time_never_overshoot() {
    let (store, account) = alice();
    block_on(store.set_quota(account.id(), None, Some(50))).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    apply(&account, vec![Intent::Append(message(&store))]);
                }
            });
        }
    });
    assert_eq!(inbox(&account).columns.len(), 50);
    assert_sound(&store, &[account.id()]);
}
