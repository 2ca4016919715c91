//! Engines that conflict, fill up and lose answers.

use super::*;

fn try_append(
    store: &FaultyStore,
    account: &StoreAccount<Faulty<Memory>>,
) -> Result<Vec<Applied>, WriteError> {
    let work = Work::new(vec![Intent::Append(message(store))], NOW);
    block_on(account.apply(INBOX, work))
}

#[test]
fn a_conflict_is_tried_again_but_not_for_ever() {
    let (store, account) = alice();
    store.engine().commits_do([Some(Fault::Conflict); 9]);
    assert!(try_append(&store, &account).is_ok());
    store.engine().commits_do([Some(Fault::Conflict); 10]);
    assert!(matches!(try_append(&store, &account), Err(WriteError::Busy)));
    assert_eq!(uids(&inbox(&account)), [1]);
    assert_sound(&store, &[account.id()]);
}

#[test]
fn a_full_engine_stores_nothing_and_frees_the_octets() {
    let (store, account) = alice();
    store.engine().commits_do([Some(Fault::Full)]);
    assert!(matches!(try_append(&store, &account), Err(WriteError::Full)));
    store.engine().commits_do([Some(Fault::Io)]);
    assert!(matches!(try_append(&store, &account), Err(WriteError::Io(_))));
    store.engine().fail_writes(1);
    let mut open = block_on(store.upload(None)).unwrap();
    assert!(matches!(block_on(open.write("x".into())), Err(WriteError::Full)));
    drop(open);
    assert_eq!(store.engine().inner().blob_count(), 0);
    assert_sound(&store, &[account.id()]);
    assert_eq!(fill(&store, &account, 1), [uid(1)], "later calls are undisturbed");
}

#[test]
fn a_lost_answer_is_found_out_and_the_message_is_there_exactly_once() {
    for fault in [Fault::UnknownDone, Fault::UnknownNotDone, Fault::UnknownLate] {
        let (store, account) = alice();
        fill(&store, &account, 1);
        store.engine().commits_do([Some(fault)]);
        let applied = try_append(&store, &account).unwrap();
        let Applied::Appended { uid: told, mod_seq, .. } = &applied[0] else { panic!("{applied:?}") };
        let late = block_on(store.engine().let_late_commits_in());
        assert!(late.iter().all(Result::is_err), "what was given up never comes");
        let opened = inbox(&account);
        assert_eq!(uids(&opened), [1, told.get()], "{fault:?}");
        assert_eq!(opened.columns.find(*told).unwrap().mod_seq, *mod_seq);
        assert_sound(&store, &[account.id()]);
    }
}

#[test]
fn an_outcome_that_cannot_be_found_out_keeps_the_octets_until_it_is_settled() {
    for fault in [Fault::UnknownDone, Fault::UnknownNotDone] {
        let (store, account) = alice();
        // Neither the commit nor any attempt to find out gets an answer.
        let lost = core::iter::repeat_n(Some(Fault::Io), 10);
        store.engine().commits_do(core::iter::once(Some(fault)).chain(lost));
        let work = Work::new(vec![Intent::Append(message(&store))], NOW);
        let result = {
            let mut future = core::pin::pin!(account.apply(INBOX, work));
            // Reads fail once the commit is out.
            store.engine().pause(1);
            let mut context = core::task::Context::from_waker(core::task::Waker::noop());
            loop {
                let committed = store.engine().committed();
                match future.as_mut().poll(&mut context) {
                    core::task::Poll::Ready(result) => break result,
                    core::task::Poll::Pending if store.engine().committed() > committed => {
                        store.engine().fail_snapshots(10);
                    }
                    core::task::Poll::Pending => {}
                }
            }
        };
        store.engine().pause(0);
        store.engine().fail_snapshots(0);
        store.engine().commits_do([]);
        assert!(matches!(result, Err(WriteError::Unknown)), "{fault:?}: {result:?}");
        assert_eq!(store.engine().inner().blob_count(), 1, "it may be visible");
        block_on(store.maintain(NOW, 10)).unwrap();
        assert_eq!(store.engine().inner().blob_count(), 1);
        block_on(store.maintain(UnixTime::from_seconds(NOW.as_seconds() + 86_400), 10)).unwrap();
        let shown = usize::from(fault == Fault::UnknownDone);
        assert_eq!(inbox(&account).columns.len(), shown);
        assert_eq!(store.engine().inner().blob_count(), shown);
        assert_sound(&store, &[account.id()]);
    }
}

#[test]
fn a_store_that_cannot_be_read_says_so() {
    let (store, account) = alice();
    store.engine().fail_snapshots(1);
    assert!(matches!(try_append(&store, &account), Err(WriteError::Read(ReadError::Io(_)))));
    store.engine().fail_snapshots(1);
    assert!(block_on(account.open(&MailboxName::inbox())).is_err());
    assert_sound(&store, &[account.id()]);
}

#[test]
fn a_lane_takes_no_more_writers_than_may_wait_and_forgets_those_who_left() {
    let (store, account) = alice_with(|config| config.mail.waiting_writers = 3);
    store.engine().pause(1);
    let mut context = core::task::Context::from_waker(core::task::Waker::noop());
    let write = || {
        alloc::boxed::Box::pin(
            account.apply(INBOX, Work::new(vec![flag([1], FlagChange::Add(vec![Flag::Seen]))], NOW)),
        )
    };
    let mut writers: Vec<_> = (0..4).map(|_| write()).collect();
    for writer in &mut writers {
        assert!(writer.as_mut().poll(&mut context).is_pending(), "one leads, three wait");
    }
    let busy = write().as_mut().poll(&mut context);
    assert!(matches!(busy, core::task::Poll::Ready(Err(WriteError::Busy))));
    drop(writers.pop());
    assert!(block_on(write()).is_ok());
    drop(writers);
}

#[test]
fn a_commit_that_was_given_up_never_comes_also_if_nothing_came_after_it() {
    let (store, account) = alice();
    fill(&store, &account, 1);
    store.engine().commits_do([Some(Fault::UnknownLate), None, Some(Fault::Full)]);
    let seen = Work::new(vec![flag([1], FlagChange::Add(vec![Flag::Seen]))], NOW);
    assert!(matches!(block_on(account.apply(INBOX, seen)), Err(WriteError::Full)));
    let late = block_on(store.engine().let_late_commits_in());
    assert!(matches!(late[..], [Err(crate::engine::CommitError::Conflict)]), "{late:?}");
    assert!(flags_of(&inbox(&account), 1).is_empty());
    assert_sound(&store, &[account.id()]);
}
