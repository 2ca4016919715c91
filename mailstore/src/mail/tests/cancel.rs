//! Futures that are dropped at every point (promise P5).

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use super::*;

/// Polls at most `polls` times; `None` if the future was dropped before it was ready.
fn poll_some<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(value);
        }
    }
    None
}

/// Runs `attempt` with 0, 1, 2, … polls until it ends; it says whether it did.
fn at_every_await(mut attempt: impl FnMut(usize) -> bool) {
    for polls in 0..1000 {
        if attempt(polls) {
            assert!(polls > 3, "there was something to drop");
            return;
        }
    }
    panic!("it never ends");
}

#[test]
fn an_append_that_is_dropped_is_there_whole_or_not_at_all() {
    at_every_await(|polls| {
        let (store, account) = alice();
        let work = Work::new(vec![Intent::Append(message(&store)), Intent::Append(message(&store))], NOW);
        store.engine().pause(1);
        let done = poll_some(account.apply(INBOX, work.all_or_nothing()), polls).is_some();
        store.engine().pause(0);
        // A later call goes on with whatever the lane still does.
        let next = fill(&store, &account, 1)[0];
        let there = uids(&inbox(&account));
        assert!(there == [1] || there == [1, 2, 3], "{there:?} after {polls} polls");
        assert_eq!(there.last().copied(), Some(next.get()));
        assert_sound(&store, &[account.id()]);
        done
    });
}

#[test]
fn a_delivery_that_is_dropped_is_there_for_all_or_for_none() {
    at_every_await(|polls| {
        let store = store();
        let accounts = ["alice", "bob"].map(|name| new_account(&store, name));
        let mut delivery = Delivery::new();
        let message = message(&store);
        for id in accounts {
            let copy = delivery.copy(id, message.clone());
            delivery.plans.push(vec![copy]);
        }
        drop(message);
        store.engine().pause(1);
        let done = poll_some(store.deliver(&delivery, NOW), polls).is_some();
        drop(delivery);
        store.engine().pause(0);
        let there = accounts.map(|id| inbox(&store.account(id)).columns.len());
        assert!(there == [0, 0] || there == [1, 1], "{there:?} after {polls} polls");
        for id in accounts {
            let account = store.account(id);
            for body in bodies(&account, &inbox(&account)) {
                assert_eq!(read(&account, &body).unwrap(), b"Subject: x\r\n\r\nx\r\n", "after {polls} polls");
            }
            fill(&store, &account, 1);
        }
        // Octets that may have been shown are kept until it is certain that they were not.
        block_on(store.maintain(NOW, 10)).unwrap();
        block_on(store.maintain(UnixTime::from_seconds(NOW.as_seconds() + 86_400), 10)).unwrap();
        assert_sound(&store, &accounts);
        done
    });
}

#[test]
fn an_expunge_that_is_dropped_leaves_nothing_behind() {
    at_every_await(|polls| {
        let (store, account) = alice();
        fill(&store, &account, 3);
        store.engine().pause(1);
        let expunge = Work::new(vec![Intent::Expunge(set([1, 3]))], NOW);
        let done = poll_some(account.apply(INBOX, expunge), polls).is_some();
        store.engine().pause(0);
        apply(&account, vec![flag([2], FlagChange::Add(vec![Flag::Seen]))]);
        let there = uids(&inbox(&account));
        assert!(there == [2] || there == [1, 2, 3], "{there:?} after {polls} polls");
        assert_sound(&store, &[account.id()]);
        done
    });
}

#[test]
fn freeing_that_is_dropped_is_done_by_the_next_call() {
    at_every_await(|polls| {
        let (store, account) = alice();
        fill(&store, &account, 2);
        let opened = inbox(&account);
        apply(&account, vec![Intent::Expunge(UidSet::all())]);
        assert_eq!(store.engine().inner().blob_count(), 2, "they are pinned");
        drop(opened);
        store.engine().pause(1);
        let done = poll_some(store.maintain(NOW, 10), polls).is_some();
        store.engine().pause(0);
        assert_sound(&store, &[account.id()]);
        assert_eq!(store.engine().inner().blob_count(), 0);
        done
    });
}

#[test]
fn an_upload_that_is_dropped_frees_its_octets() {
    at_every_await(|polls| {
        let (store, account) = alice();
        store.engine().pause(1);
        let whole = async {
            let mut upload = store.upload(None).await.unwrap();
            upload.write("Subject: x\r\n".into()).await.unwrap();
            upload.write("\r\nx\r\n".into()).await.unwrap();
            upload.finish().await.unwrap()
        };
        let done = poll_some(whole, polls).is_some();
        store.engine().pause(0);
        assert_sound(&store, &[account.id()]);
        assert_eq!(store.engine().inner().blob_count(), 0);
        done
    });
}

#[test]
fn whoever_leads_may_leave_and_the_others_get_their_results() {
    at_every_await(|polls| {
        let (store, account) = alice();
        store.engine().pause(1);
        let append = || Work::new(vec![Intent::Append(message(&store))], NOW);
        let mut follower = pin!(account.apply(INBOX, append()));
        let mut context = Context::from_waker(Waker::noop());
        let done = {
            let mut leader = pin!(account.apply(INBOX, append()));
            let mut ready = false;
            for poll in 0..polls {
                ready = ready || leader.as_mut().poll(&mut context).is_ready();
                if poll == 0 {
                    // Waits behind the group that the leader began.
                    assert!(follower.as_mut().poll(&mut context).is_pending());
                }
            }
            ready
        };
        let applied = block_on(follower).unwrap();
        assert!(matches!(applied[..], [Applied::Appended { .. }]));
        store.engine().pause(0);
        let there = uids(&inbox(&account)).len();
        assert_eq!(there, if polls == 0 { 1 } else { 2 }, "a group that was begun is ended by whoever waits");
        assert_sound(&store, &[account.id()]);
        done
    });
}
