//! What every [`Account`] promises to a driver.

use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::task::{Context, Waker};

use bytes::Bytes;
use mailwright_core::value::{Flag, MailboxName, ModSeq, Uid, UidSet, UnixTime};

use crate::account::{
    Account, Append, Applied, Body, Change, ChangeKind, FlagChange, Intent, LeaseError, ListQuery, OpenError,
    Opened, Refusal, Since, TreeChange, TreeOutcome, Upload as _, Uploaded, Work,
};
use crate::engine::{ReadError, block_on};
use crate::identifier::MailboxId;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// What [`Account`] promises, each on an account without messages that `make` gives.
///
/// # Panics
/// If a promise is broken.
pub fn account<A: Account>(mut make: impl FnMut() -> A) {
    for check in [
        a_message_is_there_with_all_its_octets,
        a_dropped_upload_leaves_nothing,
        uids_and_changes_only_grow,
        flags_are_set_and_changes_since_are_left_alone,
        an_expunge_removes_what_is_there,
        what_is_pinned_stays_readable,
        copies_and_moves_keep_flags_and_octets,
        a_refusal_costs_its_neighbours_nothing_unless_they_are_one,
        changes_are_told_in_order_and_end_where_the_reader_is,
        mailboxes_are_made_with_those_above_them,
        a_lease_is_exclusive_until_it_is_dropped,
        a_change_wakes,
    ] {
        check(&make());
    }
}

fn inbox<A: Account>(account: &A) -> Opened {
    block_on(account.open(&MailboxName::inbox())).unwrap()
}

fn upload<A: Account>(account: &A, octets: &'static [u8]) -> Uploaded {
    block_on(async {
        let mut upload = account.upload(Some(octets.len() as u64)).await.unwrap();
        for chunk in octets.chunks(7) {
            upload.write(Bytes::from_static(chunk)).await.unwrap();
        }
        upload.finish().await.unwrap()
    })
}

fn append<A: Account>(account: &A, octets: &'static [u8]) -> Intent {
    Intent::Append(Append::new(upload(account, octets), NOW))
}

fn apply<A: Account>(account: &A, mailbox: MailboxId, intents: Vec<Intent>) -> Vec<Applied> {
    block_on(account.apply(mailbox, Work::new(intents, NOW))).unwrap()
}

/// Appends messages to INBOX.
fn fill<A: Account>(account: &A, count: usize) -> Vec<Uid> {
    let mailbox = inbox(account).info.id;
    let intents = (0..count).map(|_| append(account, b"Subject: x\r\n\r\nx\r\n")).collect();
    let uid = |applied: &Applied| match applied {
        Applied::Appended { uid, .. } => *uid,
        other => panic!("{other:?}"),
    };
    apply(account, mailbox, intents).iter().map(uid).collect()
}

fn uids(opened: &Opened) -> Vec<Uid> {
    opened.columns.rows().map(|row| row.uid).collect()
}

fn bodies<A: Account>(account: &A, opened: &Opened) -> Vec<Body> {
    let mut bodies = Vec::new();
    let set: UidSet = uids(opened).into_iter().collect();
    block_on(account.meta(&opened.columns, &set, &mut |meta| {
        bodies.push(meta.body.clone());
        ControlFlow::Continue(())
    }))
    .unwrap();
    bodies
}

fn read<A: Account>(account: &A, body: &Body) -> Result<Vec<u8>, ReadError> {
    let mut octets = Vec::new();
    loop {
        let some = block_on(account.body(body, octets.len() as u64..body.size()))?;
        if some.is_empty() {
            return Ok(octets);
        }
        octets.extend_from_slice(&some);
    }
}

fn changes<A: Account>(account: &A, since: ModSeq, most: usize) -> (Vec<Change>, Since) {
    let mut changes = Vec::new();
    let reached = block_on(account.changes(since, &mut |change| {
        changes.push(change.clone());
        if changes.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }))
    .unwrap();
    (changes, reached)
}

fn a_message_is_there_with_all_its_octets<A: Account>(account: &A) {
    let before = inbox(account);
    assert!(before.columns.is_empty() && before.info.exists == 0, "an account begins without messages");
    let mut message = Append::new(upload(account, b"Subject: hi\n\nline\r\nlast"), NOW);
    message.prefix = Bytes::from_static(b"Return-Path: <>\r\n");
    message.flags = vec![Flag::Flagged, "$Junk".parse().unwrap()];
    message.zone = -90;
    let applied = apply(account, before.info.id, vec![Intent::Append(message)]);
    let Applied::Appended { uid, uid_validity, mod_seq } = &applied[0] else { panic!("{applied:?}") };
    let after = inbox(account);
    assert_eq!((after.info.uid_validity, after.info.highest_mod_seq), (*uid_validity, *mod_seq));
    assert_eq!((after.info.exists, after.info.unseen, after.info.octets), (1, 1, 40));
    assert!(before.info.uid_next.unwrap() <= *uid && *uid < after.info.uid_next.unwrap());
    let row = after.columns.find(*uid).unwrap();
    // Two bare line ends, and the last line has none.
    assert_eq!((row.size, row.normalised_size), (40, 40 + 2 + 2));
    assert_eq!((row.internal_date, row.zone, row.saved), (NOW, -90, NOW));
    let flags: Vec<_> = row.flags().map(|flag| flag.to_string()).collect();
    assert_eq!(flags, ["\\Flagged", "$Junk"]);
    let body = bodies(account, &after).remove(0);
    assert_eq!(read(account, &body).unwrap(), b"Return-Path: <>\r\nSubject: hi\n\nline\r\nlast");
    let some = block_on(account.body(&body, 10..20)).unwrap();
    assert!(!some.is_empty() && b"h: <>\r\nSub".starts_with(&some));
    assert!(block_on(account.body(&body, 40..50)).unwrap().is_empty());
}

fn a_dropped_upload_leaves_nothing<A: Account>(account: &A) {
    let mut open = block_on(account.upload(None)).unwrap();
    block_on(open.write("half".into())).unwrap();
    drop(open);
    drop(upload(account, b"whole, and not shown"));
    assert!(inbox(account).columns.is_empty());
}

fn uids_and_changes_only_grow<A: Account>(account: &A) {
    let mut last = (inbox(account).info.uid_next.unwrap(), ModSeq::ZERO);
    for round in 0..5 {
        let added = fill(account, 3);
        let opened = inbox(account);
        assert!(added.is_sorted() && added[0] >= last.0, "no UID below a UIDNEXT that was told");
        assert!(opened.columns.find(added[0]).unwrap().mod_seq > last.1);
        assert!(uids(&opened).is_sorted());
        last = (opened.info.uid_next.unwrap(), opened.info.highest_mod_seq);
        if round % 2 == 0 {
            // Also when the last message goes.
            apply(account, opened.info.id, vec![Intent::Expunge(added[2].into())]);
        }
    }
}

fn flag(uids: UidSet, change: FlagChange, unchanged_since: Option<ModSeq>) -> Intent {
    Intent::Flags { uids, change, unchanged_since }
}

fn flags_are_set_and_changes_since_are_left_alone<A: Account>(account: &A) {
    let all = fill(account, 3);
    let opened = inbox(account);
    let told = opened.info.highest_mod_seq;
    let set = |uids: &[Uid]| -> UidSet { uids.iter().copied().collect() };
    let apply_one = |intent| match apply(account, opened.info.id, vec![intent]).remove(0) {
        Applied::Flagged(flagged) => flagged,
        other => panic!("{other:?}"),
    };
    let first = apply_one(flag(set(&all[..1]), FlagChange::Add(vec![Flag::Seen, Flag::Deleted]), None));
    assert_eq!(first.changed, set(&all[..1]));
    assert!(first.mod_seq.unwrap() > told);
    let same = apply_one(flag(set(&all[..1]), FlagChange::Add(vec![Flag::Seen]), None));
    assert_eq!((same.changed, same.mod_seq), (UidSet::new(), None), "nothing changed");
    let some = apply_one(flag(set(&all), FlagChange::Replace(vec![Flag::Answered]), Some(told)));
    assert_eq!((some.changed, some.modified), (set(&all[1..]), set(&all[..1])));
    apply_one(flag(set(&all), FlagChange::Remove(vec![Flag::Seen]), None));
    let after = inbox(account);
    let row = after.columns.find(all[0]).unwrap();
    assert!(row.has(&Flag::Deleted) && !row.has(&Flag::Seen));
    assert_eq!((after.info.unseen, after.info.deleted), (3, 1));
}

fn an_expunge_removes_what_is_there<A: Account>(account: &A) {
    let all = fill(account, 4);
    let opened = inbox(account);
    let wanted: UidSet = [all[1], all[3]].into_iter().chain(Uid::new(1000)).collect();
    let applied =
        apply(account, opened.info.id, vec![Intent::Expunge(wanted.clone()), Intent::Expunge(wanted)]);
    let gone: UidSet = [all[1], all[3]].into_iter().collect();
    assert!(matches!(&applied[0], Applied::Expunged { uids, mod_seq: Some(_) } if *uids == gone));
    assert!(matches!(&applied[1], Applied::Expunged { uids, mod_seq: None } if uids.is_empty()));
    let after = inbox(account);
    assert_eq!(uids(&after), [all[0], all[2]]);
    assert_eq!((after.info.exists, after.info.uid_next), (2, opened.info.uid_next));
    assert_eq!(uids(&opened), all, "what is open does not change");
}

fn what_is_pinned_stays_readable<A: Account>(account: &A) {
    let all = fill(account, 2);
    let opened = inbox(account);
    let before = bodies(account, &opened);
    apply(account, opened.info.id, vec![Intent::Expunge(all.iter().copied().collect())]);
    for body in bodies(account, &opened).iter().chain(&before) {
        assert_eq!(read(account, body).unwrap(), b"Subject: x\r\n\r\nx\r\n");
    }
    drop(opened);
    fill(account, 2);
    for body in &before {
        match read(account, body) {
            Ok(octets) => assert_eq!(octets, b"Subject: x\r\n\r\nx\r\n"),
            Err(error) => assert!(matches!(error, ReadError::Gone), "{error}"),
        }
    }
}

fn create<A: Account>(account: &A, name: &str) -> TreeOutcome {
    let name = MailboxName::new(name).unwrap();
    block_on(account.tree(TreeChange::Create { name, special_use: None, now: NOW })).unwrap()
}

fn copies_and_moves_keep_flags_and_octets<A: Account>(account: &A) {
    let TreeOutcome::Created(to) = create(account, "Contract") else { panic!("a mailbox is made") };
    let all = fill(account, 2);
    let mailbox = inbox(account).info.id;
    let set: UidSet = all.iter().copied().collect();
    let intents = vec![
        flag(set.clone(), FlagChange::Add(vec![Flag::Flagged, "$Forwarded".parse().unwrap()]), None),
        Intent::Copy { uids: set, to, remove: false },
        Intent::Copy { uids: all[0].into(), to, remove: true },
        Intent::Copy { uids: all[0].into(), to, remove: false },
    ];
    let applied = apply(account, mailbox, intents);
    let there = block_on(account.open(&MailboxName::new("Contract").unwrap())).unwrap();
    let pairs: Vec<(Uid, Uid)> = applied[1..]
        .iter()
        .flat_map(|applied| match applied {
            Applied::Copied(copied) => {
                assert_eq!(copied.uid_validity, there.info.uid_validity);
                copied.pairs.clone()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(pairs.iter().map(|(from, _)| *from).collect::<Vec<_>>(), [all[0], all[1], all[0]]);
    assert_eq!(pairs.iter().map(|(_, to)| *to).collect::<Vec<_>>(), uids(&there));
    assert_eq!(uids(&inbox(account)), [all[1]]);
    for row in there.columns.rows() {
        assert!(row.has(&Flag::Flagged) && row.has(&"$forwarded".parse().unwrap()));
    }
    for body in bodies(account, &there) {
        assert_eq!(read(account, &body).unwrap(), b"Subject: x\r\n\r\nx\r\n");
    }
}

fn a_refusal_costs_its_neighbours_nothing_unless_they_are_one<A: Account>(account: &A) {
    let mailbox = inbox(account).info.id;
    let nowhere = MailboxId::new(u64::MAX);
    let intents = || {
        vec![
            append(account, b"one\r\n"),
            Intent::Copy { uids: Uid::MIN.into(), to: nowhere, remove: false },
            append(account, b"two\r\n"),
        ]
    };
    let work = Work::new(intents(), NOW).all_or_nothing();
    let applied = block_on(account.apply(mailbox, work)).unwrap();
    assert!(applied.iter().all(|applied| matches!(applied, Applied::Refused(_))), "{applied:?}");
    assert_eq!(applied[1], Applied::Refused(Refusal::NoSuchMailbox), "the cause is told");
    assert!(inbox(account).columns.is_empty());
    let applied = apply(account, mailbox, intents());
    assert_eq!(applied[1], Applied::Refused(Refusal::NoSuchMailbox));
    assert_eq!(inbox(account).columns.len(), 2);
    let applied = apply(account, nowhere, intents());
    assert!(applied.iter().all(|applied| *applied == Applied::Refused(Refusal::NoSuchMailbox)));
}

fn changes_are_told_in_order_and_end_where_the_reader_is<A: Account>(account: &A) {
    let start = inbox(account).info.highest_mod_seq;
    let Since::Reached(start) = changes(account, start, usize::MAX).1 else { panic!("just opened") };
    let all = fill(account, 2);
    let mailbox = inbox(account).info.id;
    let intents = vec![
        flag(all[1].into(), FlagChange::Add(vec![Flag::Seen]), None),
        Intent::Copy { uids: all[1].into(), to: mailbox, remove: true },
        Intent::Expunge(all[0].into()),
    ];
    apply(account, mailbox, intents);
    let (seen, reached) = changes(account, start, usize::MAX);
    assert!(seen.iter().all(|change| change.mailbox == mailbox && change.mod_seq > start));
    assert!(seen.is_sorted_by_key(|change| change.mod_seq));
    let kinds: Vec<&ChangeKind> = seen.iter().map(|change| &change.kind).collect();
    assert!(matches!(kinds[..2], [ChangeKind::Added(_), ChangeKind::Added(_)]), "{kinds:?}");
    assert!(kinds.contains(&&ChangeKind::Flags(all[1].into())), "{kinds:?}");
    assert!(kinds.contains(&&ChangeKind::Expunged(all[0].into())), "{kinds:?}");
    assert_eq!(reached, Since::Reached(inbox(account).info.highest_mod_seq));
    // In steps, a reader sees each of them, some perhaps twice.
    for most in 1..=seen.len() {
        let (mut at, mut met) = (start, Vec::new());
        loop {
            let (some, reached) = changes(account, at, most.max(2));
            let Since::Reached(next) = reached else { panic!("nothing was pruned") };
            met.extend(some);
            if next == at {
                break;
            }
            at = next;
        }
        assert!(seen.iter().all(|change| met.contains(change)), "in steps of {most}: {met:?}");
    }
}

fn mailboxes_are_made_with_those_above_them<A: Account>(account: &A) {
    let TreeOutcome::Created(id) = create(account, "One/Two/Three") else { panic!("it is new") };
    assert_eq!(create(account, "One/Two/Three"), TreeOutcome::AlreadyExists(id));
    assert!(matches!(create(account, "INBOX"), TreeOutcome::AlreadyExists(_)));
    let mut below = Vec::new();
    let query = ListQuery::Below(MailboxName::new("One").unwrap());
    block_on(account.list(&query, &mut |info| below.push((info.id, info.name.as_str().to_string()))))
        .unwrap();
    let names: Vec<&str> = below.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["One/Two", "One/Two/Three"]);
    assert_eq!(below[1].0, id);
    let missing = block_on(account.open(&MailboxName::new("Missing").unwrap()));
    assert!(matches!(missing, Err(OpenError::NoSuchMailbox)));
}

fn a_lease_is_exclusive_until_it_is_dropped<A: Account>(account: &A) {
    let mailbox = inbox(account).info.id;
    let lease = block_on(account.lease(mailbox)).unwrap();
    assert!(matches!(block_on(account.lease(mailbox)), Err(LeaseError::InUse(_))));
    fill(account, 1); // Others go on.
    drop(lease);
    assert!(block_on(account.lease(mailbox)).is_ok());
}

fn a_change_wakes<A: Account>(account: &A) {
    let mut context = Context::from_waker(Waker::noop());
    let mut seen = 0;
    let quiet = (0..1000).any(|_| account.poll_changed(&mut context, &mut seen).is_pending());
    assert!(quiet, "ready for no reason for ever");
    fill(account, 1);
    assert!(account.poll_changed(&mut context, &mut seen).is_ready());
}
