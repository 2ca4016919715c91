//! The keys of the store. Integers are big-endian, so that their order is the order of the keys; the first
//! octet tells the kind of row.

use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;
#[cfg(feature = "queue")]
use mailwright_core::value::UnixTime;
use mailwright_core::value::{MailboxName, ModSeq, Uid};

use crate::identifier::{AccountId, BlobId, MailboxId, MessageId};

fn build(kind: u8, numbers: &[u64], rest: &[u8]) -> Bytes {
    let mut key = Vec::with_capacity(1 + 8 * numbers.len() + rest.len());
    key.push(kind);
    numbers.iter().for_each(|number| key.extend_from_slice(&number.to_be_bytes()));
    key.extend_from_slice(rest);
    key.into()
}

/// The keys that begin with `prefix`.
pub(crate) fn below(prefix: Bytes) -> Range<Bytes> {
    let mut end = prefix.to_vec();
    // The prefixes used here begin with an ASCII letter, so there is always an octet to raise.
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    prefix..end.into()
}

/// `0`: the store itself.
pub(crate) fn store() -> Bytes {
    build(b'0', &[], &[])
}

/// `A a`: account header, the conflict key of the account.
pub(crate) fn account(a: AccountId) -> Bytes {
    build(b'A', &[a.get()], &[])
}

/// `N a name`: the mailbox with this name.
pub(crate) fn name(a: AccountId, name: &MailboxName) -> Bytes {
    build(b'N', &[a.get()], name.as_str().as_bytes())
}

/// All `N` of an account.
pub(crate) fn names(a: AccountId) -> Range<Bytes> {
    below(build(b'N', &[a.get()], &[]))
}

/// The name in an `N` or `S` key.
pub(crate) fn mailbox_name(key: &[u8]) -> Option<MailboxName> {
    let (_, name) = key.split_at_checked(9)?;
    MailboxName::new(core::str::from_utf8(name).ok()?).ok()
}

/// `S a name`: a subscription.
pub(crate) fn subscription(a: AccountId, name: &MailboxName) -> Bytes {
    build(b'S', &[a.get()], name.as_str().as_bytes())
}

/// All `S` of an account.
pub(crate) fn subscriptions(a: AccountId) -> Range<Bytes> {
    below(build(b'S', &[a.get()], &[]))
}

/// All rows about the messages of a mailbox: `C`, `D`, `E`, `V`.
pub(crate) fn rows_of_mailbox(a: AccountId, m: MailboxId) -> [Range<Bytes>; 4] {
    [b'C', b'D', b'E', b'V'].map(|kind| below(build(kind, &[a.get(), m.get()], &[])))
}

/// All rows of an account but its header and those of its messages: `N`, `B`, `S`, `L`.
pub(crate) fn rows_of_account(a: AccountId) -> [Range<Bytes>; 4] {
    [b'N', b'B', b'S', b'L'].map(|kind| below(build(kind, &[a.get()], &[])))
}

/// `B a m`: mailbox header.
pub(crate) fn mailbox(a: AccountId, m: MailboxId) -> Bytes {
    build(b'B', &[a.get(), m.get()], &[])
}

/// `C a m k`: hot columns of the block that begins at `k`.
pub(crate) fn hot(a: AccountId, m: MailboxId, k: Uid) -> Bytes {
    build(b'C', &[a.get(), m.get()], &k.get().to_be_bytes())
}

/// `D a m k`: cold columns of the same block.
pub(crate) fn cold(a: AccountId, m: MailboxId, k: Uid) -> Bytes {
    build(b'D', &[a.get(), m.get()], &k.get().to_be_bytes())
}

/// Hot blocks that begin at `first` or later, up to `last`.
pub(crate) fn hot_blocks(a: AccountId, m: MailboxId, first: Uid, last: Uid) -> Range<Bytes> {
    let end = match last.next() {
        Some(next) => hot(a, m, next),
        None => build(b'C', &[a.get(), m.get()], &[0xff; 5]),
    };
    hot(a, m, first)..end
}

/// The first UID of the block that a `C` or `D` key names.
pub(crate) fn block_start(key: &[u8]) -> Option<Uid> {
    let (_, uid) = key.split_last_chunk::<4>()?;
    Uid::new(u32::from_be_bytes(*uid))
}

/// `E a m uid`: rare extras of a message.
pub(crate) fn extra(a: AccountId, m: MailboxId, uid: Uid) -> Bytes {
    build(b'E', &[a.get(), m.get()], &uid.get().to_be_bytes())
}

/// All `E` of a mailbox.
pub(crate) fn extras(a: AccountId, m: MailboxId) -> Range<Bytes> {
    below(build(b'E', &[a.get(), m.get()], &[]))
}

/// `M a g`: a message.
pub(crate) fn message(a: AccountId, g: MessageId) -> Bytes {
    build(b'M', &[a.get(), g.get()], &[])
}

/// `V a m modseq`: what an expunge removed.
pub(crate) fn vanished(a: AccountId, m: MailboxId, at: ModSeq) -> Bytes {
    build(b'V', &[a.get(), m.get(), at.get()], &[])
}

/// All `V` of a mailbox.
pub(crate) fn all_vanished(a: AccountId, m: MailboxId) -> Range<Bytes> {
    below(build(b'V', &[a.get(), m.get()], &[]))
}

/// `L a modseq`: change log.
pub(crate) fn log(a: AccountId, at: ModSeq) -> Bytes {
    build(b'L', &[a.get(), at.get()], &[])
}

/// The log of an account from `at` on.
pub(crate) fn log_from(a: AccountId, at: ModSeq) -> Range<Bytes> {
    log(a, at)..below(build(b'L', &[a.get()], &[])).end
}

/// The last eight octets of a `V` or `L` key.
pub(crate) fn last_mod_seq(key: &[u8]) -> Option<ModSeq> {
    let (_, value) = key.split_last_chunk::<8>()?;
    ModSeq::new(u64::from_be_bytes(*value))
}

/// `Q root octets`: octets of visible messages.
pub(crate) fn quota_storage(root: AccountId) -> Bytes {
    build(b'Q', &[root.get()], b"s")
}

/// `Q root messages`: number of visible messages.
pub(crate) fn quota_messages(root: AccountId) -> Bytes {
    build(b'Q', &[root.get()], b"m")
}

/// `Y blob`: messages that refer to a blob.
pub(crate) fn references(blob: &BlobId) -> Bytes {
    build(b'Y', &[], blob.as_bytes())
}

/// `G due account modseq message`: a message that no mailbox has since `at`, to be freed.
pub(crate) fn garbage(due: u64, a: AccountId, at: ModSeq, g: MessageId) -> Bytes {
    build(b'G', &[due, a.get(), at.get(), g.get()], &[])
}

/// All `G` that are due at `now`.
pub(crate) fn garbage_until(now: u64) -> Range<Bytes> {
    build(b'G', &[], &[])..build(b'G', &[now.saturating_add(1)], &[])
}

/// All `G` of an account that are due at once.
pub(crate) fn garbage_of(a: AccountId) -> Range<Bytes> {
    below(build(b'G', &[0, a.get()], &[]))
}

/// Account, modification sequence and message of a `G` key.
pub(crate) fn parse_garbage(key: &[u8]) -> Option<(AccountId, ModSeq, MessageId)> {
    let numbers: &[u8; 33] = key.try_into().ok()?;
    let (_, rest) = numbers.split_first_chunk::<9>()?;
    let (account, rest) = rest.split_first_chunk::<8>()?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (message, _) = rest.split_first_chunk::<8>()?;
    Some((
        AccountId::new(u64::from_be_bytes(*account)),
        ModSeq::new(u64::from_be_bytes(*at))?,
        MessageId::new(u64::from_be_bytes(*message)),
    ))
}

/// `O q`: the envelope of a message in the queue.
#[cfg(feature = "queue")]
pub(crate) fn envelope(q: crate::queue::QueueId) -> Bytes {
    build(b'O', &[q.get()], &[])
}

/// `O q n`: a recipient of a message in the queue.
#[cfg(feature = "queue")]
pub(crate) fn recipient(id: crate::queue::EntryId) -> Bytes {
    build(b'O', &[id.message.get()], &id.recipient.to_be_bytes())
}

/// `O q` and all `O q n` of a message in the queue, in this order; without a message, of all of them.
#[cfg(feature = "queue")]
pub(crate) fn queued(q: Option<crate::queue::QueueId>) -> Range<Bytes> {
    below(match q {
        Some(q) => envelope(q),
        None => build(b'O', &[], &[]),
    })
}

/// The message, and the number of the recipient if there is one, of an `O` key.
#[cfg(feature = "queue")]
pub(crate) fn parse_queued(key: &[u8]) -> Option<(crate::queue::QueueId, Option<u32>)> {
    let (message, rest) = key.get(1..)?.split_first_chunk::<8>()?;
    let message = crate::queue::QueueId::new(u64::from_be_bytes(*message));
    match rest {
        [] => Some((message, None)),
        rest => Some((message, Some(u32::from_be_bytes(rest.try_into().ok()?)))),
    }
}

/// `W due destination q n`: when a recipient is tried next, and where.
#[cfg(feature = "queue")]
pub(crate) fn schedule(due: UnixTime, destination: &str, id: crate::queue::EntryId) -> Bytes {
    let due = u64::try_from(due.as_seconds()).unwrap_or(0);
    let mut rest = destination.as_bytes().to_vec();
    rest.push(0);
    rest.extend_from_slice(&id.message.get().to_be_bytes());
    rest.extend_from_slice(&id.recipient.to_be_bytes());
    build(b'W', &[due], &rest)
}

/// All `W`.
#[cfg(feature = "queue")]
pub(crate) fn schedules() -> Range<Bytes> {
    below(build(b'W', &[], &[]))
}

/// Time, destination and recipient of a `W` key.
#[cfg(feature = "queue")]
pub(crate) fn parse_schedule(key: &[u8]) -> Option<(UnixTime, &str, crate::queue::EntryId)> {
    let (due, rest) = key.get(1..)?.split_first_chunk::<8>()?;
    let (rest, recipient) = rest.split_last_chunk::<4>()?;
    let (rest, message) = rest.split_last_chunk::<8>()?;
    let (_, destination) = rest.split_last()?;
    let due = UnixTime::from_seconds(i64::try_from(u64::from_be_bytes(*due)).unwrap_or(i64::MAX));
    let message = crate::queue::QueueId::new(u64::from_be_bytes(*message));
    let id = crate::queue::EntryId { message, recipient: u32::from_be_bytes(*recipient) };
    Some((due, core::str::from_utf8(destination).ok()?, id))
}

/// `I kind name`: a row of the directory.
pub(crate) fn directory(kind: u8, name: &[u8]) -> Bytes {
    let mut key = Vec::with_capacity(2 + name.len());
    key.push(b'I');
    key.push(kind);
    key.extend_from_slice(name);
    key.into()
}
