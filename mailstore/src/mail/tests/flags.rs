//! Flags and keywords, expunges and what is remembered of them.

use super::*;
use crate::account::ChangeKind;

fn keyword(number: usize) -> Flag {
    alloc::format!("k{number}").parse().unwrap()
}

#[test]
fn keywords_keep_their_first_spelling_and_case_does_not_matter() {
    let (store, account) = alice();
    fill(&store, &account, 2);
    apply(&account, vec![flag([1], FlagChange::Add(vec!["Foo".parse().unwrap()]))]);
    apply(&account, vec![flag([2], FlagChange::Replace(vec!["fOO".parse().unwrap()]))]);
    let opened = inbox(&account);
    assert_eq!((flags_of(&opened, 1), flags_of(&opened, 2)), (vec!["Foo".into()], vec!["Foo".into()]));
    assert_eq!(opened.info.keywords.len(), 1);
}

#[test]
fn keywords_beyond_those_with_a_bit_are_kept_moved_and_removed() {
    let (store, account) = alice();
    fill(&store, &account, 3);
    let all: Vec<Flag> = (0..40).map(keyword).collect();
    apply(&account, vec![flag([1, 3], FlagChange::Add(all.clone()))]);
    apply(&account, vec![flag([1], FlagChange::Remove(vec![keyword(3), keyword(30), keyword(39)]))]);
    let opened = inbox(&account);
    let names = |skip: &[usize]| -> Vec<String> {
        (0..40).filter(|number| !skip.contains(number)).map(|number| alloc::format!("k{number}")).collect()
    };
    assert_eq!(flags_of(&opened, 1), names(&[3, 30, 39]));
    assert_eq!(flags_of(&opened, 3), names(&[]));
    assert!(flags_of(&opened, 2).is_empty());
    drop(opened);
    let copied = apply(&account, vec![Intent::Copy { uids: set([1]), to: INBOX, remove: true }]);
    assert!(matches!(&copied[0], Applied::Copied(copied) if copied.pairs == [(uid(1), uid(4))]));
    assert_eq!(flags_of(&inbox(&account), 4), names(&[3, 30, 39]));
    assert_eq!(keys(&store, b'E'), 2, "those of a message that left went with it");
    apply(&account, vec![flag([3], FlagChange::Replace(vec![keyword(35)]))]);
    assert_eq!(flags_of(&inbox(&account), 3), ["k35"]);
    apply(&account, vec![Intent::Expunge(UidSet::all())]);
    assert_eq!(keys(&store, b'E'), 0);
    assert_sound(&store, &[account.id()]);
}

#[test]
fn keywords_above_the_limit_are_refused_and_known_ones_are_not() {
    let (store, account) = alice_with(|config| config.mail.keywords_per_mailbox = 2);
    fill(&store, &account, 1);
    let refused = Applied::Refused(Refusal::Limit(Limit::Keywords));
    let add = |numbers: &[usize]| flag([1], FlagChange::Add(numbers.iter().map(|at| keyword(*at)).collect()));
    let applied = apply(&account, vec![add(&[0, 1]), add(&[1, 2]), add(&[0])]);
    assert!(matches!(applied[0], Applied::Flagged(_)) && matches!(applied[2], Applied::Flagged(_)));
    assert_eq!(applied[1], refused);
    let remove = flag([1], FlagChange::Remove(vec![keyword(7)]));
    assert!(matches!(apply(&account, vec![remove])[0], Applied::Flagged(_)), "removing makes no keyword");
    let mut append = message(&store);
    append.flags = vec![keyword(9)];
    assert_eq!(apply(&account, vec![Intent::Append(append)])[0], refused);
    assert_eq!(inbox(&account).info.keywords.len(), 2);
}

#[test]
fn every_store_has_a_number_of_its_own_and_one_that_changes_nothing_has_none() {
    let (store, account) = alice();
    fill(&store, &account, 2);
    let before = inbox(&account).info.highest_mod_seq.get();
    let seen = || FlagChange::Add(vec![Flag::Seen]);
    let applied = apply(&account, vec![flag([1], seen()), flag([1], seen()), flag([1, 2], seen())]);
    let mod_seqs: Vec<_> = applied
        .iter()
        .map(|applied| match applied {
            Applied::Flagged(flagged) => flagged.mod_seq.map(ModSeq::get),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(mod_seqs, [Some(before + 1), None, Some(before + 2)]);
    let opened = inbox(&account);
    let rows: Vec<u64> = opened.columns.rows().map(|row| row.mod_seq.get()).collect();
    assert_eq!(rows, [before + 1, before + 2]);
}

#[test]
fn unchanged_since_is_tested_for_each_message_while_nobody_else_writes() {
    let (store, account) = alice();
    fill(&store, &account, 2);
    let told = inbox(&account).info.highest_mod_seq;
    let conditional = |change| Intent::Flags { uids: set([1, 2]), change, unchanged_since: Some(told) };
    let intents = vec![
        flag([2], FlagChange::Add(vec![Flag::Seen])),
        conditional(FlagChange::Add(vec![Flag::Flagged])),
        conditional(FlagChange::Add(vec![Flag::Answered])),
    ];
    let applied = apply(&account, intents);
    let modified = |at: usize| match &applied[at] {
        Applied::Flagged(flagged) => (flagged.changed.clone(), flagged.modified.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(modified(1), (set([1]), set([2])));
    assert_eq!(modified(2), (UidSet::new(), set([1, 2])), "also what the same list changed");
}

#[test]
fn only_changes_of_a_mailbox_move_its_highest_number() {
    let (store, account) = alice();
    fill(&store, &account, 1);
    let drafts =
        || block_on(account.open(&MailboxName::new("Drafts").unwrap())).unwrap().info.highest_mod_seq;
    let before = drafts();
    apply(&account, vec![flag([1], FlagChange::Add(vec![Flag::Seen]))]);
    assert_eq!(drafts(), before);
}

#[test]
fn vanished_uids_are_kept_by_number_and_the_oldest_are_dropped_first() {
    use crate::mail::record::Record as _;
    use crate::mail::row::{MailboxRow, VanishedRow};
    let (store, account) = alice_with(|config| config.mail.vanished_rows = 2);
    fill(&store, &account, 4);
    let gone: Vec<ModSeq> = (1..=4)
        .map(|number| match &apply(&account, vec![Intent::Expunge(set([number]))])[0] {
            Applied::Expunged { mod_seq, .. } => mod_seq.unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    let snapshot = block_on(store.engine().snapshot()).unwrap();
    let all = crate::mail::key::all_vanished(account.id(), INBOX);
    let rows = block_on(crate::mail::read::rows(&snapshot, all)).unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|(key, value)| {
            (crate::mail::key::last_mod_seq(key).unwrap(), VanishedRow::open(key, value).unwrap().0)
        })
        .collect();
    assert_eq!(rows, [(gone[2], set([3])), (gone[3], set([4]))]);
    let key = crate::mail::key::mailbox(account.id(), INBOX);
    let row = MailboxRow::open(&key, &block_on(snapshot.get(&key)).unwrap().unwrap()).unwrap();
    assert_eq!((row.vanished_floor, row.vanished_rows), (gone[1], 2));
}

#[test]
fn a_reader_below_the_floor_of_the_log_is_told_so() {
    let (store, account) = alice_with(|config| config.mail.log_records = 3);
    let start = inbox(&account).info.highest_mod_seq;
    for _ in 0..5 {
        fill(&store, &account, 2);
    }
    assert_eq!(keys(&store, b'L'), 3);
    assert_eq!(changes(&account, start), None);
    let opened = inbox(&account);
    let middle = opened.columns.find(uid(5)).unwrap().mod_seq;
    let seen: Vec<_> = changes(&account, middle).unwrap().into_iter().map(|change| change.kind).collect();
    let added: Vec<_> = (6..=10).map(|number| ChangeKind::Added(set([number]))).collect();
    assert_eq!(seen, added, "also from the middle of a commit");
    assert_eq!(changes(&account, opened.info.highest_mod_seq), Some(Vec::new()));
}

#[test]
fn a_move_is_told_in_both_mailboxes_under_one_number() {
    let (store, account) = alice();
    fill(&store, &account, 1);
    let before = inbox(&account).info.highest_mod_seq;
    let junk = block_on(account.open(&MailboxName::new("Junk").unwrap())).unwrap().info.id;
    apply(&account, vec![Intent::Copy { uids: set([1]), to: junk, remove: true }]);
    let seen = changes(&account, before).unwrap();
    let kinds: Vec<_> = seen.iter().map(|change| (change.mailbox, &change.kind)).collect();
    let (added, gone) = (ChangeKind::Added(set([1])), ChangeKind::Expunged(set([1])));
    assert_eq!(kinds, [(junk, &added), (INBOX, &gone)]);
    assert_eq!(seen[0].mod_seq, seen[1].mod_seq);
    let stopped = block_on(account.changes(before, &mut |_| ControlFlow::Break(()))).unwrap();
    assert_eq!(stopped, Since::Reached(before), "half of a move was not seen");
}
