//! Every kind of value reads as it was written.

use alloc::vec;
use core::fmt::Debug;

use mailwright_core::value::UidRange;
use proptest::prelude::*;

use super::*;

fn round_trip<R: Record + Debug + PartialEq>(row: &R) {
    assert_eq!(&R::open(b"key", &row.seal()).unwrap(), row);
}

fn any_mod_seq() -> impl Strategy<Value = ModSeq> {
    (0..=ModSeq::MAX.get()).prop_map(|value| ModSeq::new(value).unwrap())
}

fn any_set() -> impl Strategy<Value = UidSet> {
    prop::collection::vec((1_u32.., 1_u32..), 0..5).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(one, other)| UidRange::new(Uid::new(one).unwrap(), Uid::new(other).unwrap()))
            .collect()
    })
}

proptest! {
    #[test]
    fn headers_read_as_written(numbers in any::<[u64; 8]>(), small in any::<[u32; 4]>(), mod_seq in any_mod_seq(), limit in any::<Option<u64>>()) {
        let [a, b, c, d, e, f, g, h] = numbers;
        let [i, j, k, l] = small;
        round_trip(&StoreRow { id: [7; 16], unclean_ends: a });
        round_trip(&AccountRow {
            mod_seq, next_mailbox: b, next_message: c, next_thread: d, uid_validity: i, log_floor: mod_seq,
            log_records: e, epoch: f, unclean_ends: g, storage_limit: limit, message_limit: None, mailboxes: j,
        });
        round_trip(&NameRow(MailboxId::new(h)));
        round_trip(&MailboxRow {
            name: MailboxName::new("INBOX/Entw\u{fc}rfe").unwrap(),
            uid_validity: UidValidity::new(i.max(1)).unwrap(),
            uid_next: a, highest_mod_seq: mod_seq, exists: j, unseen: k, deleted: l, octets: b,
            deleted_octets: c, recent_floor: d,
            keywords: vec![Keyword::new("$Junk").unwrap(), Keyword::new("x").unwrap()],
            special_use: Some(SpecialUse::Drafts), vanished_floor: mod_seq, vanished_rows: e,
        });
    }

    #[test]
    fn columns_read_as_written(rows in prop::collection::btree_map(1_u32.., (any::<u32>(), any_mod_seq(), any::<[i64; 2]>(), any::<[u64; 3]>(), any::<i16>()), 1..20)) {
        round_trip(&HotRows {
            uids: UidBlock::new(rows.keys().map(|uid| Uid::new(*uid).unwrap()).collect()).unwrap(),
            flags: rows.values().map(|row| row.0).collect(),
            mod_seqs: rows.values().map(|row| row.1).collect(),
        });
        round_trip(&ColdRows(rows.values().map(|(line_ends, _, [date, saved], [size, g, t], zone)| ColdRow {
            size: *size, line_ends: *line_ends, utf8_header: size % 2 == 1, internal_date: UnixTime::from_seconds(*date), zone: *zone,
            saved: UnixTime::from_seconds(*saved), message: MessageId::new(*g), thread: ThreadId::new(*t),
        }).collect()));
    }

    #[test]
    fn messages_and_logs_read_as_written(prefix in prop::collection::vec(any::<u8>(), 0..50), size in any::<u64>(), references in any::<u32>(), set in any_set(), mod_seq in any_mod_seq(), keywords in prop::collection::vec(any::<u16>(), 0..5)) {
        round_trip(&MessageRow {
            prefix: prefix.into(), blob: BlobId::new(Bytes::from_static(b"b")).unwrap(), blob_size: size,
            digest: [9; 32], structure: Bytes::from_static(b"structure"), references,
        });
        round_trip(&VanishedRow(set.clone()));
        round_trip(&ExtraRow { keywords });
        let entry = |kind| LogEntry { mailbox: MailboxId::new(size), mod_seq, kind };
        round_trip(&LogRow { token: [3; 16], last: mod_seq, entries: vec![
            entry(LogKind::Added(set.clone())), entry(LogKind::Flags(set.clone())),
            entry(LogKind::Expunged(set)), entry(LogKind::Created("INBOX".into())), entry(LogKind::Removed("a".into())),
        ] });
    }

    #[test]
    fn no_octets_panic_and_memory_follows_the_input(mut octets in prop::collection::vec(any::<u8>(), 5..200)) {
        // A payload that passes the checksum and lies about its lengths.
        octets[0] = 1;
        let mut reader_input = octets.clone();
        reader_input.truncate(200);
        let value = Bytes::from(reader_input);
        let _ = HotRows::open(b"k", &value);
        let _ = LogRow::open(b"k", &value);
        let _ = MailboxRow::open(b"k", &value);
        let _ = MessageRow::open(b"k", &value);
    }
}

#[test]
fn columns_of_unequal_length_are_damaged() {
    let hot = HotRows {
        uids: UidBlock::new(vec![Uid::MIN, Uid::MAX]).unwrap(),
        flags: vec![0],
        mod_seqs: vec![ModSeq::ZERO, ModSeq::ZERO],
    };
    assert!(HotRows::open(b"k", &hot.seal()).is_err());
}
