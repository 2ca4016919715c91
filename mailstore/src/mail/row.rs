//! The values of an account's rows: headers, column blocks, messages, logs.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes};
use mailwright_core::value::{Keyword, MailboxName, ModSeq, Uid, UidBlock, UidSet, UidValidity, UnixTime};

use super::record::{Reader, Record, Write as _};
use crate::account::SpecialUse;
use crate::identifier::{BlobId, MailboxId, MessageId, ThreadId};

/// `0`: what the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreRow {
    /// 128 random bits.
    pub(crate) id: [u8; 16],
    /// Times that the store ended without being closed.
    pub(crate) unclean_ends: u64,
}

impl Record for StoreRow {
    const WHAT: &'static str = "store header";

    fn write(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.id);
        into.put_u64(self.unclean_ends);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { id: from.array()?, unclean_ends: from.u64()? })
    }
}

/// `A`: what is counted per account. Every write of the account expects and rewrites it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountRow {
    /// The last modification sequence that was given.
    pub(crate) mod_seq: ModSeq,
    pub(crate) next_mailbox: u64,
    pub(crate) next_message: u64,
    pub(crate) next_thread: u64,
    /// The highest UIDVALIDITY that was given; 0 = none.
    pub(crate) uid_validity: u32,
    /// Changes up to this one are no longer in the log.
    pub(crate) log_floor: ModSeq,
    /// Records in the log.
    pub(crate) log_records: u64,
    /// Raised to make a late commit fail.
    pub(crate) epoch: u64,
    /// Unclean ends of the store that this account has seen.
    pub(crate) unclean_ends: u64,
    /// The most octets and messages that the account may hold.
    pub(crate) storage_limit: Option<u64>,
    pub(crate) message_limit: Option<u64>,
    pub(crate) mailboxes: u32,
}

/// How far modification sequences jump after an unclean end.
const JUMP: u64 = 1 << 20;

impl AccountRow {
    /// Must be called on a row that is about to be written on.
    pub(crate) fn catch_up(&mut self, store: &StoreRow) {
        // RFC 7162 §3.1: a number that a client was told is never that of another change, not even if the
        // end of the store took the change with it.
        if self.unclean_ends != store.unclean_ends {
            self.unclean_ends = store.unclean_ends;
            self.mod_seq = self.mod_seq.checked_add(JUMP).unwrap_or(self.mod_seq);
        }
    }
}

impl Record for AccountRow {
    const WHAT: &'static str = "account header";

    fn write(&self, into: &mut Vec<u8>) {
        into.put_u64(self.mod_seq.get());
        into.put_u64(self.next_mailbox);
        into.put_u64(self.next_message);
        into.put_u64(self.next_thread);
        into.put_u32(self.uid_validity);
        into.put_u64(self.log_floor.get());
        into.put_u64(self.log_records);
        into.put_u64(self.epoch);
        into.put_u64(self.unclean_ends);
        into.option(self.storage_limit, |into, limit| into.put_u64(limit));
        into.option(self.message_limit, |into, limit| into.put_u64(limit));
        into.put_u32(self.mailboxes);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            mod_seq: from.mod_seq()?,
            next_mailbox: from.u64()?,
            next_message: from.u64()?,
            next_thread: from.u64()?,
            uid_validity: from.u32()?,
            log_floor: from.mod_seq()?,
            log_records: from.u64()?,
            epoch: from.u64()?,
            unclean_ends: from.u64()?,
            storage_limit: from.option(Reader::u64)?,
            message_limit: from.option(Reader::u64)?,
            mailboxes: from.u32()?,
        })
    }
}

/// `N`: which mailbox a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameRow(pub(crate) MailboxId);

impl Record for NameRow {
    const WHAT: &'static str = "mailbox name";

    fn write(&self, into: &mut Vec<u8>) {
        into.put_u64(self.0.get());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.u64().map(MailboxId::new).map(Self)
    }
}

/// `B`: mailbox header, from which SELECT and STATUS answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailboxRow {
    pub(crate) name: MailboxName,
    pub(crate) uid_validity: UidValidity,
    /// The next UID, 2^32 when the UIDs are used up.
    pub(crate) uid_next: u64,
    pub(crate) highest_mod_seq: ModSeq,
    pub(crate) exists: u32,
    pub(crate) unseen: u32,
    pub(crate) deleted: u32,
    pub(crate) octets: u64,
    pub(crate) deleted_octets: u64,
    /// UIDs below this one are no longer recent.
    pub(crate) recent_floor: u64,
    /// In order of first use; the first 27 have a bit in the hot columns.
    pub(crate) keywords: Vec<Keyword>,
    pub(crate) special_use: Option<SpecialUse>,
    /// Expunges up to this one are no longer listed.
    pub(crate) vanished_floor: ModSeq,
    /// `V` rows.
    pub(crate) vanished_rows: u64,
}

impl Record for MailboxRow {
    const WHAT: &'static str = "mailbox header";

    fn write(&self, into: &mut Vec<u8>) {
        into.octets(self.name.as_str().as_bytes());
        into.put_u32(self.uid_validity.get());
        into.put_u64(self.uid_next);
        into.put_u64(self.highest_mod_seq.get());
        into.put_u32(self.exists);
        into.put_u32(self.unseen);
        into.put_u32(self.deleted);
        into.put_u64(self.octets);
        into.put_u64(self.deleted_octets);
        into.put_u64(self.recent_floor);
        into.list(self.keywords.iter(), |into, keyword| into.octets(keyword.as_str().as_bytes()));
        into.option(self.special_use, |into, special_use| into.push(special_use.number()));
        into.put_u64(self.vanished_floor.get());
        into.put_u64(self.vanished_rows);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            name: MailboxName::new(&from.text()?).ok()?,
            uid_validity: UidValidity::new(from.u32()?)?,
            uid_next: from.u64()?,
            highest_mod_seq: from.mod_seq()?,
            exists: from.u32()?,
            unseen: from.u32()?,
            deleted: from.u32()?,
            octets: from.u64()?,
            deleted_octets: from.u64()?,
            recent_floor: from.u64()?,
            keywords: from.list(|from| Keyword::new(&from.text()?).ok())?,
            special_use: from.option(|from| SpecialUse::from_number(from.u8()?))?,
            vanished_floor: from.mod_seq()?,
            vanished_rows: from.u64()?,
        })
    }
}

/// `C`: the columns that STORE changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HotRows {
    pub(crate) uids: UidBlock,
    /// System flags in bits 0–4, the first 27 keywords in bits 5–31.
    pub(crate) flags: Vec<u32>,
    pub(crate) mod_seqs: Vec<ModSeq>,
}

impl Record for HotRows {
    const WHAT: &'static str = "hot columns";

    fn write(&self, into: &mut Vec<u8>) {
        into.reserve(4 + 16 * self.flags.len());
        into.list(self.uids.as_slice().iter(), |into, uid| into.put_u32(uid.get()));
        self.flags.iter().for_each(|flags| into.put_u32(*flags));
        self.mod_seqs.iter().for_each(|mod_seq| into.put_u64(mod_seq.get()));
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let uids = UidBlock::new(from.list(Reader::uid)?)?;
        let flags = (0..uids.len()).map(|_| from.u32()).collect::<Option<_>>()?;
        let mod_seqs = (0..uids.len()).map(|_| from.mod_seq()).collect::<Option<_>>()?;
        Some(Self { uids, flags, mod_seqs })
    }
}

/// What never changes of a message in a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ColdRow {
    /// Octets.
    pub(crate) size: u64,
    /// Octets that CR LF line ends would add.
    pub(crate) line_ends: u32,
    /// Whether its header has UTF-8 beyond ASCII.
    pub(crate) utf8_header: bool,
    pub(crate) internal_date: UnixTime,
    /// Zone of the date in minutes east of UTC.
    pub(crate) zone: i16,
    pub(crate) saved: UnixTime,
    pub(crate) message: MessageId,
    pub(crate) thread: ThreadId,
}

/// `D`: the columns that never change, in the order of the hot ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColdRows(pub(crate) Vec<ColdRow>);

impl Record for ColdRows {
    const WHAT: &'static str = "cold columns";

    fn write(&self, into: &mut Vec<u8>) {
        into.reserve(4 + 47 * self.0.len());
        into.list(self.0.iter(), |into, row| {
            into.put_u64(row.size);
            into.put_u32(row.line_ends);
            into.put_u8(row.utf8_header.into());
            into.put_i64(row.internal_date.as_seconds());
            into.put_i16(row.zone);
            into.put_i64(row.saved.as_seconds());
            into.put_u64(row.message.get());
            into.put_u64(row.thread.get());
        });
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let rows = from.list(|from| {
            Some(ColdRow {
                size: from.u64()?,
                line_ends: from.u32()?,
                utf8_header: match from.u8()? {
                    0 => false,
                    1 => true,
                    _ => return None,
                },
                internal_date: UnixTime::from_seconds(from.i64()?),
                zone: from.i16()?,
                saved: UnixTime::from_seconds(from.i64()?),
                message: MessageId::new(from.u64()?),
                thread: ThreadId::new(from.u64()?),
            })
        })?;
        Some(Self(rows))
    }
}

/// `E`: rare extras of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtraRow {
    /// Indexes of keywords beyond those with a bit, ascending.
    pub(crate) keywords: Vec<u16>,
}

impl Record for ExtraRow {
    const WHAT: &'static str = "message extras";

    fn write(&self, into: &mut Vec<u8>) {
        into.list(self.keywords.iter(), |into, index| into.put_u16(*index));
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { keywords: from.list(Reader::u16)? })
    }
}

/// `M`: where the octets of a message are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageRow {
    /// Octets that come before those of the blob: what delivery prepended for this account.
    pub(crate) prefix: Bytes,
    pub(crate) blob: BlobId,
    /// Octets of the blob.
    pub(crate) blob_size: u64,
    /// SHA-256 of the blob.
    pub(crate) digest: [u8; 32],
    /// The MIME structure of the blob in its stored form.
    pub(crate) structure: Bytes,
    /// Mailbox entries of this account that show the message.
    pub(crate) references: u32,
}

impl Record for MessageRow {
    const WHAT: &'static str = "message";

    fn write(&self, into: &mut Vec<u8>) {
        into.octets(&self.prefix);
        into.octets(self.blob.as_bytes());
        into.put_u64(self.blob_size);
        into.extend_from_slice(&self.digest);
        into.octets(&self.structure);
        into.put_u32(self.references);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            prefix: from.octets()?,
            blob: BlobId::new(from.octets()?)?,
            blob_size: from.u64()?,
            digest: from.array()?,
            structure: from.octets()?,
            references: from.u32()?,
        })
    }
}

/// `S`: a name that the account is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SubscriptionRow;

impl Record for SubscriptionRow {
    const WHAT: &'static str = "subscription";

    fn write(&self, _into: &mut Vec<u8>) {}

    fn read(_from: &mut Reader<'_>) -> Option<Self> {
        Some(Self)
    }
}

/// `V`: UIDs that an expunge removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VanishedRow(pub(crate) UidSet);

impl Record for VanishedRow {
    const WHAT: &'static str = "vanished UIDs";

    fn write(&self, into: &mut Vec<u8>) {
        into.uid_set(&self.0);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.uid_set().map(Self)
    }
}

/// One change in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEntry {
    pub(crate) mailbox: MailboxId,
    pub(crate) mod_seq: ModSeq,
    pub(crate) kind: LogKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogKind {
    Added(UidSet),
    Flags(UidSet),
    Expunged(UidSet),
    Created(String),
    Removed(String),
}

/// `L`: what one commit changed, under its lowest modification sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogRow {
    /// Names the commit, to recognise it after a lost connection.
    pub(crate) token: [u8; 16],
    /// The highest modification sequence of the commit.
    pub(crate) last: ModSeq,
    pub(crate) entries: Vec<LogEntry>,
}

impl Record for LogRow {
    const WHAT: &'static str = "change log";

    fn write(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.token);
        into.put_u64(self.last.get());
        into.list(self.entries.iter(), |into, entry| {
            into.put_u64(entry.mailbox.get());
            into.put_u64(entry.mod_seq.get());
            let (kind, uids) = match &entry.kind {
                LogKind::Added(uids) => (1, uids),
                LogKind::Flags(uids) => (2, uids),
                LogKind::Expunged(uids) => (3, uids),
                LogKind::Created(name) | LogKind::Removed(name) => {
                    into.push(if matches!(entry.kind, LogKind::Created(_)) { 4 } else { 5 });
                    into.octets(name.as_bytes());
                    return;
                }
            };
            into.push(kind);
            into.uid_set(uids);
        });
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            token: from.array()?,
            last: from.mod_seq()?,
            entries: from.list(|from| {
                Some(LogEntry {
                    mailbox: MailboxId::new(from.u64()?),
                    mod_seq: from.mod_seq()?,
                    kind: match from.u8()? {
                        1 => LogKind::Added(from.uid_set()?),
                        2 => LogKind::Flags(from.uid_set()?),
                        3 => LogKind::Expunged(from.uid_set()?),
                        4 => LogKind::Created(from.text()?),
                        5 => LogKind::Removed(from.text()?),
                        _ => return None,
                    },
                })
            })?,
        })
    }
}

/// The next UID of a mailbox as a value, if there is one left.
impl MailboxRow {
    pub(crate) fn next_uid(&self) -> Option<Uid> {
        u32::try_from(self.uid_next).ok().and_then(Uid::new)
    }
}

#[cfg(test)]
mod tests;
