//! Octets: kept while a session looks at them, freed when nobody does (promise P8).

use super::*;

#[test]
fn an_expunge_frees_the_octets_at_once_if_nobody_looks() {
    let (store, account) = alice();
    fill(&store, &account, 3);
    apply(&account, vec![Intent::Expunge(set([2]))]);
    assert_eq!(store.engine().inner().blob_count(), 2);
    assert_eq!(keys(&store, b'G'), 0);
    assert_sound(&store, &[account.id()]);
}

#[test]
fn a_session_reads_what_it_sees_to_the_end_and_later_it_is_gone() {
    let (store, account) = alice();
    fill(&store, &account, 1);
    let opened = inbox(&account);
    let body = bodies(&account, &opened).remove(0);
    let first = block_on(account.body(&body, 0..5)).unwrap();
    apply(&account, vec![Intent::Expunge(UidSet::all())]);
    block_on(store.maintain(NOW, 10)).unwrap();
    let rest = block_on(account.body(&body, 5..body.size())).unwrap();
    assert_eq!([&first[..], &rest[..]].concat(), b"Subject: x\r\n\r\nx\r\n");
    assert_eq!(bodies(&account, &opened), core::slice::from_ref(&body));
    drop(opened);
    assert_eq!(block_on(store.maintain(NOW, 10)).unwrap(), 1);
    assert!(matches!(read(&account, &body), Err(ReadError::Gone)));
    fill(&store, &account, 5);
    assert!(matches!(read(&account, &body), Err(ReadError::Gone)), "never the octets of another message");
}

#[test]
fn a_session_that_came_later_keeps_nothing() {
    let (store, account) = alice();
    fill(&store, &account, 1);
    let early = inbox(&account);
    apply(&account, vec![Intent::Expunge(UidSet::all())]);
    let late = inbox(&account);
    drop(early);
    assert_eq!(block_on(store.maintain(NOW, 10)).unwrap(), 1);
    assert!(late.columns.is_empty());
    assert_eq!(store.engine().inner().blob_count(), 0);
}

#[test]
fn a_pin_of_one_account_keeps_nothing_of_another() {
    let (store, account) = alice();
    let bob = store.account(new_account(&store, "bob"));
    fill(&store, &account, 1);
    let _pin = inbox(&bob);
    apply(&account, vec![Intent::Expunge(UidSet::all())]);
    assert_eq!(store.engine().inner().blob_count(), 0);
}

#[test]
fn a_copy_keeps_the_octets_until_the_last_one_goes() {
    let (store, account) = alice();
    fill(&store, &account, 1);
    apply(&account, vec![Intent::Copy { uids: set([1]), to: INBOX, remove: false }]);
    assert_eq!(store.engine().inner().blob_count(), 1);
    apply(&account, vec![Intent::Expunge(set([1]))]);
    let opened = inbox(&account);
    assert_eq!(read(&account, &bodies(&account, &opened)[0]).unwrap().len(), 17);
    drop(opened);
    apply(&account, vec![Intent::Expunge(set([2]))]);
    assert_eq!(store.engine().inner().blob_count(), 0);
    assert_sound(&store, &[account.id()]);
}

#[test]
fn octets_that_cannot_be_deleted_are_deleted_later() {
    let (store, account) = alice();
    fill(&store, &account, 1);
    store.engine().fail_deletes(2);
    apply(&account, vec![Intent::Expunge(UidSet::all())]);
    drop(upload(&store, b"never shown"));
    assert_eq!(store.engine().inner().blob_count(), 2);
    assert_sound(&store, &[account.id()]);
    assert_eq!(store.engine().inner().blob_count(), 0);
}

#[test]
fn an_upload_can_be_shown_as_long_as_it_is_held() {
    let (store, account) = alice();
    let append = message(&store);
    apply(&account, vec![Intent::Append(append.clone())]);
    apply(&account, vec![Intent::Expunge(UidSet::all())]);
    assert_eq!(store.engine().inner().blob_count(), 1, "another append may show it");
    let applied = apply(&account, vec![Intent::Append(append)]);
    assert!(matches!(applied[0], Applied::Appended { .. }));
    let opened = inbox(&account);
    assert_eq!(read(&account, &bodies(&account, &opened)[0]).unwrap().len(), 17);
    drop(opened);
    assert_sound(&store, &[account.id()]);
    apply(&account, vec![Intent::Expunge(UidSet::all())]);
    assert_sound(&store, &[account.id()]);
}

#[test]
fn maintenance_frees_no_more_than_it_is_told_and_goes_on_where_it_stopped() {
    let (store, account) = alice();
    fill(&store, &account, 5);
    let opened = inbox(&account);
    apply(&account, vec![Intent::Expunge(UidSet::all())]);
    assert_eq!(block_on(store.maintain(NOW, 10)).unwrap(), 0, "all are pinned");
    drop(opened);
    let freed: Vec<usize> = (0..4).map(|_| block_on(store.maintain(NOW, 2)).unwrap()).collect();
    assert_eq!(freed, [2, 2, 1, 0]);
    assert_sound(&store, &[account.id()]);
}
