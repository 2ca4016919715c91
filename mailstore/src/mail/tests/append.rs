//! Append: what is stored, in which order, and what is refused.

use super::*;

#[test]
fn uids_of_one_list_ascend_and_each_has_a_number_of_its_own() {
    let (store, account) = alice();
    let added = fill(&store, &account, 3);
    assert_eq!(added, [uid(1), uid(2), uid(3)]);
    let opened = inbox(&account);
    let mod_seqs: Vec<ModSeq> = opened.columns.rows().map(|row| row.mod_seq).collect();
    assert!(mod_seqs.is_sorted_by(|one, other| one < other));
    assert_eq!(opened.info.highest_mod_seq, mod_seqs[2]);
    assert_eq!(opened.info.uid_next, Some(uid(4)));
    assert_sound(&store, &[account.id()]);
}

#[test]
fn blocks_are_filled_and_new_ones_begun() {
    let (store, account) = alice_with(|config| config.mail.rows_per_block = 4);
    for _ in 0..3 {
        fill(&store, &account, 3);
    }
    let opened = inbox(&account);
    let lengths: Vec<usize> = opened.columns.blocks().iter().map(|block| block.uids().len()).collect();
    assert_eq!(lengths, [4, 4, 1]);
    assert_eq!(opened.columns.row(8).unwrap().uid, uid(9));
    assert!(opened.columns.row(9).is_none() && opened.columns.find(uid(10)).is_none());
}

#[test]
fn blocks_that_become_small_are_joined() {
    let (store, account) = alice_with(|config| config.mail.rows_per_block = 8);
    fill(&store, &account, 20);
    apply(&account, vec![Intent::Expunge(set(2..=15))]);
    let opened = inbox(&account);
    assert_eq!(uids(&opened), [1, 16, 17, 18, 19, 20]);
    drop(opened);
    apply(&account, vec![Intent::Expunge(set([1])), Intent::Expunge(set(16..=20))]);
    assert!(inbox(&account).columns.is_empty());
    assert_eq!((keys(&store, b'C'), keys(&store, b'D')), (0, 0));
    assert_eq!(fill(&store, &account, 1), [uid(21)], "UIDs go on");
    assert_sound(&store, &[account.id()]);
}

#[test]
fn sessions_share_what_did_not_change() {
    let (store, account) = alice_with(|config| config.mail.rows_per_block = 4);
    fill(&store, &account, 10);
    let (one, other) = (inbox(&account), inbox(&account));
    assert!(alloc::sync::Arc::ptr_eq(&one.columns, &other.columns));
    fill(&store, &account, 1);
    let after = inbox(&account);
    let shared = one.columns.blocks().iter().zip(after.columns.blocks());
    let shared: Vec<bool> = shared.map(|(one, other)| alloc::sync::Arc::ptr_eq(one, other)).collect();
    assert_eq!(shared, [true, true, false]);
}

#[test]
fn messages_above_the_limits_are_refused() {
    let (store, account) = alice_with(|config| {
        config.mail.message_octets = 20;
        config.mail.prefix_octets = 5;
        config.mail.messages_per_mailbox = 2;
    });
    assert!(matches!(block_on(store.upload(Some(21))), Err(WriteError::TooLarge)));
    let mut open = block_on(store.upload(None)).unwrap();
    block_on(open.write(Bytes::from_static(&[b'x'; 20]))).unwrap();
    assert!(matches!(block_on(open.write(Bytes::from_static(b"x"))), Err(WriteError::TooLarge)));
    let mut long = message(&store);
    long.prefix = Bytes::from_static(b"X: y\r\n");
    let intents = vec![
        Intent::Append(long),
        Intent::Append(message(&store)),
        Intent::Append(message(&store)),
        Intent::Append(message(&store)),
    ];
    let applied = apply(&account, intents);
    assert_eq!(applied[0], Applied::Refused(Refusal::Limit(Limit::MessageSize)));
    assert_eq!(applied[3], Applied::Refused(Refusal::Limit(Limit::Messages)));
    drop(open);
    assert_eq!(uids(&inbox(&account)), [1, 2]);
    assert_sound(&store, &[account.id()]);
}

#[test]
fn uids_that_are_used_up_refuse_and_never_begin_again() {
    use crate::mail::key;
    use crate::mail::record::Record as _;
    use crate::mail::row::MailboxRow;
    let (store, account) = alice();
    let key = key::mailbox(account.id(), INBOX);
    let value =
        block_on(async { store.engine().snapshot().await.unwrap().get(&key).await }).unwrap().unwrap();
    let row = MailboxRow { uid_next: u64::from(u32::MAX), ..MailboxRow::open(&key, &value).unwrap() };
    let ops = vec![crate::engine::Op::Put(key, row.seal())];
    block_on(store.engine().commit(crate::engine::Batch { ops, ..Default::default() })).unwrap();
    let applied = apply(&account, vec![Intent::Append(message(&store)), Intent::Append(message(&store))]);
    assert!(matches!(applied[0], Applied::Appended { uid, .. } if uid == Uid::MAX));
    assert_eq!(applied[1], Applied::Refused(Refusal::Limit(Limit::Uids)));
    assert_eq!(inbox(&account).info.uid_next, None);
}

#[test]
fn an_account_that_does_not_exist_has_no_mailbox() {
    let store = store();
    let nobody = store.account(AccountId::new(77));
    let applied = apply(&nobody, vec![Intent::Append(message(&store))]);
    assert_eq!(applied, [Applied::Refused(Refusal::NoSuchMailbox)]);
    assert!(block_on(nobody.open(&MailboxName::inbox())).is_err());
    assert_eq!(store.engine().inner().blob_count(), 0);
}

#[test]
fn a_joined_block_keeps_what_is_known_of_each_message() {
    let (store, account) = alice_with(|config| config.mail.rows_per_block = 16);
    for _ in 0..4 {
        fill(&store, &account, 10);
    }
    apply(&account, vec![flag([3, 18, 32], FlagChange::Add(vec![Flag::Flagged]))]);
    let known = |opened: &Opened| -> Vec<_> {
        let rows = opened.columns.rows();
        rows.map(|row| (row.uid, row.mod_seq, row.message, row.flags().collect::<Vec<_>>())).collect()
    };
    let before = known(&inbox(&account));
    apply(&account, vec![Intent::Expunge(set((5..=10).chain(19..=31)))]);
    let opened = inbox(&account);
    assert_eq!(opened.columns.blocks().len(), 2, "the second block went into the first");
    let mut left = before;
    left.retain(|(uid, ..)| opened.columns.find(*uid).is_some());
    assert_eq!(known(&opened), left);
}
