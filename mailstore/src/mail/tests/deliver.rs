//! Deliveries: every plan whole or not at all, everything in one commit.

use super::*;

fn three() -> (FaultyStore, [AccountId; 3]) {
    let store = store();
    let accounts = ["alice", "bob", "carol"].map(|name| new_account(&store, name));
    (store, accounts)
}

/// One upload, a copy and a plan for each.
fn delivery(store: &FaultyStore, accounts: &[AccountId]) -> Delivery {
    let message = message(store);
    let mut delivery = Delivery::new();
    for account in accounts {
        let copy = delivery.copy(*account, message.clone());
        delivery.plans.push(vec![copy]);
    }
    delivery
}

fn counts(store: &FaultyStore, accounts: &[AccountId]) -> Vec<usize> {
    accounts.iter().map(|id| inbox(&store.account(*id)).columns.len()).collect()
}

fn over(root: AccountId) -> Refusal {
    Refusal::OverQuota { root }
}

#[test]
fn several_accounts_get_one_upload_in_one_commit() {
    let (store, accounts) = three();
    let delivery = delivery(&store, &accounts);
    let before = store.engine().committed();
    assert_eq!(block_on(store.deliver(&delivery, NOW)).unwrap(), [Ok(()), Ok(()), Ok(())]);
    assert_eq!(store.engine().committed(), before + 1);
    drop(delivery);
    assert_eq!(store.engine().inner().blob_count(), 1);
    assert_eq!(counts(&store, &accounts), [1, 1, 1]);
    assert_sound(&store, &accounts);
    for (left, id) in accounts.iter().enumerate() {
        assert_eq!(store.engine().inner().blob_count(), 1, "{left} are gone");
        apply(&store.account(*id), vec![Intent::Expunge(UidSet::all())]);
        assert_sound(&store, &accounts);
    }
    assert_eq!(store.engine().inner().blob_count(), 0);
}

#[test]
fn a_recipient_over_quota_drops_out_and_the_others_are_stored() {
    let (store, accounts) = three();
    block_on(store.set_quota(accounts[1], Some(3), None)).unwrap();
    let results = block_on(store.deliver(&delivery(&store, &accounts), NOW)).unwrap();
    assert_eq!(results, [Ok(()), Err(over(accounts[1])), Ok(())]);
    assert_eq!(counts(&store, &accounts), [1, 0, 1]);
    assert_sound(&store, &accounts);
}

#[test]
fn a_plan_with_one_refused_copy_stores_none_of_its_copies() {
    let (store, accounts) = three();
    block_on(store.set_quota(accounts[1], None, Some(0))).unwrap();
    let mut delivery = delivery(&store, &accounts);
    delivery.plans = vec![vec![0, 1], vec![2]];
    let results = block_on(store.deliver(&delivery, NOW)).unwrap();
    assert_eq!(results, [Err(over(accounts[1])), Ok(())]);
    assert_eq!(counts(&store, &accounts), [0, 0, 1]);
    // A copy that another plan wants too is stored for that one.
    delivery.plans = vec![vec![0, 1], vec![0]];
    let results = block_on(store.deliver(&delivery, NOW)).unwrap();
    assert_eq!(results, [Err(over(accounts[1])), Ok(())]);
    assert_eq!(counts(&store, &accounts), [1, 0, 1]);
    drop(delivery);
    assert_sound(&store, &accounts);
}

#[test]
fn a_copy_that_two_plans_want_is_stored_once() {
    let (store, accounts) = three();
    let mut delivery = delivery(&store, &accounts[..1]);
    delivery.plans.push(vec![0]);
    assert_eq!(block_on(store.deliver(&delivery, NOW)).unwrap(), [Ok(()), Ok(())]);
    assert_eq!(counts(&store, &accounts), [1, 0, 0]);
}

#[test]
fn a_copy_that_no_plan_wants_is_not_stored() {
    let (store, accounts) = three();
    let mut delivery = delivery(&store, &accounts[..1]);
    delivery.plans.clear();
    assert_eq!(block_on(store.deliver(&delivery, NOW)).unwrap(), []);
    delivery.plans = vec![Vec::new()];
    assert_eq!(block_on(store.deliver(&delivery, NOW)).unwrap(), [Ok(())], "a plan to do nothing is done");
    delivery.plans = vec![vec![0, 1]];
    assert_eq!(block_on(store.deliver(&delivery, NOW)).unwrap(), [Err(Refusal::NoSuchMailbox)]);
    assert_eq!(counts(&store, &accounts), [0, 0, 0]);
    drop(delivery);
    assert_sound(&store, &accounts);
}

#[test]
fn an_account_that_does_not_exist_is_refused_alone() {
    let (store, accounts) = three();
    let ids = [accounts[0], AccountId::new(99)];
    let results = block_on(store.deliver(&delivery(&store, &ids), NOW)).unwrap();
    assert_eq!(results, [Ok(()), Err(Refusal::NoSuchMailbox)]);
    let results = block_on(store.deliver(&delivery(&store, &ids[1..]), NOW)).unwrap();
    assert_eq!(results, [Err(Refusal::NoSuchMailbox)]);
    assert_sound(&store, &accounts);
}

#[test]
fn what_is_prepended_differs_by_account_and_the_octets_behind_it_are_shared() {
    let (store, accounts) = three();
    let mut delivery = delivery(&store, &accounts[..2]);
    delivery.copies[0].1.prefix = Bytes::from_static(b"Delivered-To: alice@example.org\r\n");
    delivery.copies[1].1.prefix = Bytes::from_static(b"Delivered-To: bob@example.org\r\n");
    block_on(store.deliver(&delivery, NOW)).unwrap();
    let texts: Vec<_> = accounts[..2]
        .iter()
        .map(|id| {
            let account = store.account(*id);
            let body = bodies(&account, &inbox(&account)).remove(0);
            String::from_utf8(read(&account, &body).unwrap()).unwrap()
        })
        .collect();
    assert_eq!(texts[0], "Delivered-To: alice@example.org\r\nSubject: x\r\n\r\nx\r\n");
    assert_eq!(texts[1], "Delivered-To: bob@example.org\r\nSubject: x\r\n\r\nx\r\n");
    assert_eq!(store.engine().inner().blob_count(), 1);
}

#[test]
fn more_accounts_than_one_commit_takes_are_refused_for_the_moment() {
    let store = store_with(|config| config.mail.accounts_per_delivery = 2);
    let accounts = ["alice", "bob", "carol"].map(|name| new_account(&store, name));
    assert!(matches!(block_on(store.deliver(&delivery(&store, &accounts), NOW)), Err(WriteError::Busy)));
    assert_eq!(counts(&store, &accounts), [0, 0, 0]);
    assert_sound(&store, &accounts);
}

#[test]
fn a_delivery_that_others_come_before_is_tried_again() {
    let (store, accounts) = three();
    store.engine().commits_do([Some(Fault::Conflict); 3]);
    let results = block_on(store.deliver(&delivery(&store, &accounts), NOW)).unwrap();
    assert_eq!(results, [Ok(()), Ok(()), Ok(())]);
    assert_eq!(counts(&store, &accounts), [1, 1, 1]);
    store.engine().commits_do([Some(Fault::Conflict); 10]);
    let busy = block_on(store.deliver(&delivery(&store, &accounts), NOW));
    assert!(matches!(busy, Err(WriteError::Busy)), "not for ever");
    assert_eq!(counts(&store, &accounts), [1, 1, 1]);
    assert_sound(&store, &accounts);
}

#[test]
fn a_delivery_whose_answer_is_lost_is_done_exactly_once() {
    for fault in [Fault::UnknownDone, Fault::UnknownNotDone, Fault::UnknownLate] {
        let (store, accounts) = three();
        store.engine().commits_do([Some(fault)]);
        let results = block_on(store.deliver(&delivery(&store, &accounts), NOW)).unwrap();
        assert_eq!(results, [Ok(()), Ok(()), Ok(())], "{fault:?}");
        let late = block_on(store.engine().let_late_commits_in());
        assert!(late.iter().all(Result::is_err), "{fault:?}");
        assert_eq!(counts(&store, &accounts), [1, 1, 1], "{fault:?}");
        assert_sound(&store, &accounts);
    }
}

#[test]
fn deliveries_to_the_same_accounts_in_any_order_all_end() {
    let (store, [alice, bob, carol]) = three();
    std::thread::scope(|scope| {
        for ids in [[alice, bob, carol], [carol, bob, alice], [bob, carol, alice]] {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..30 {
                    let results = block_on(store.deliver(&delivery(store, &ids), NOW)).unwrap();
                    assert!(results.iter().all(Result::is_ok));
                    apply(&store.account(ids[0]), vec![Intent::Append(message(store))]);
                }
            });
        }
    });
    assert_eq!(counts(&store, &[alice, bob, carol]), [120, 120, 120]);
    assert_sound(&store, &[alice, bob, carol]);
}

#[test]
fn nobody_writes_to_an_account_while_a_delivery_to_it_commits() {
    let (store, accounts) = three();
    let delivery = delivery(&store, &accounts);
    let (attempted, committed) = (store.engine().attempted(), store.engine().committed());
    store.engine().pause(3);
    let mut context = core::task::Context::from_waker(core::task::Waker::noop());
    let mut deliver = core::pin::pin!(store.deliver(&delivery, NOW));
    assert!(deliver.as_mut().poll(&mut context).is_pending());
    let account = store.account(accounts[2]);
    let mut append =
        core::pin::pin!(account.apply(INBOX, Work::new(vec![Intent::Append(message(&store))], NOW)));
    let (mut delivered, mut appended) = (false, false);
    while !(delivered && appended) {
        delivered = delivered || deliver.as_mut().poll(&mut context).is_ready();
        appended = appended || append.as_mut().poll(&mut context).is_ready();
        assert!(delivered || !appended, "the delivery came first");
    }
    store.engine().pause(0);
    assert_eq!(store.engine().attempted() - attempted, store.engine().committed() - committed, "no conflict");
    assert_eq!(counts(&store, &accounts), [1, 1, 2]);
}
