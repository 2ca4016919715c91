//! [`View`]: which message has which number in a session. RFC 9051 §2.3.1.2, §7.5.1.
//!
//! Message numbers exist here alone: a store speaks UIDs. A view is what the client was told: the blocks of
//! UIDs that the host supplied, shared with every other session, until a newer state is told. What was
//! expunged meanwhile keeps its number until then.

use alloc::vec::Vec;

use mailwright_core::value::{Uid, UidBlock};

/// What a client knows of the messages of the selected mailbox.
#[derive(Clone, Debug, Default)]
pub struct View {
    blocks: Vec<UidBlock>,
    /// How many messages stand before each block.
    starts: Vec<u32>,
    len: u32,
}

/// Message numbers from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a range has two ends")]
pub struct NumberSpan {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// What has to be told to bring a client to a newer state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Messages that are gone, by their number before the change, the highest span first: told one by one
    /// from the last number to the first, each number is right at its time.
    pub expunged: Vec<NumberSpan>,
    /// Whether messages were added, so that EXISTS is due.
    pub added: bool,
}

impl View {
    /// A view of a mailbox in the state that `blocks` show.
    #[must_use]
    pub fn new(blocks: &[UidBlock]) -> Self {
        let mut view = Self::default();
        blocks.iter().for_each(|block| view.push(block.clone()));
        view
    }

    fn push(&mut self, block: UidBlock) {
        self.starts.push(self.len);
        self.len = self.len.saturating_add(u32::try_from(block.len()).unwrap_or(u32::MAX));
        self.blocks.push(block);
    }

    /// Messages.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The UID of the message with this number; logarithmic.
    #[must_use]
    pub fn uid(&self, number: u32) -> Option<Uid> {
        let index = number.checked_sub(1).filter(|index| *index < self.len)?;
        let block = self.starts.partition_point(|start| *start <= index).checked_sub(1)?;
        let offset = index - self.starts.get(block)?;
        self.blocks.get(block)?.get(usize::try_from(offset).ok()?)
    }

    /// The number of the message with this UID; logarithmic.
    #[must_use]
    pub fn number(&self, uid: Uid) -> Option<u32> {
        let number = self.first_at_least(uid);
        (self.uid(number) == Some(uid)).then_some(number)
    }

    /// The UID of the last message.
    #[must_use]
    pub fn last(&self) -> Option<Uid> {
        self.blocks.last().map(UidBlock::last)
    }

    /// The number of the first message whose UID is `uid` or higher; one more than there are if there is none.
    fn first_at_least(&self, uid: Uid) -> u32 {
        let block = self.blocks.partition_point(|block| block.last() < uid);
        match (self.blocks.get(block), self.starts.get(block)) {
            (Some(found), Some(start)) => {
                let offset = match found.search(uid) {
                    Ok(offset) | Err(offset) => offset,
                };
                start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)).saturating_add(1)
            }
            _ => self.len.saturating_add(1),
        }
    }

    /// The messages with UIDs from `first` to `last`, by number; `None` if there are none.
    #[must_use]
    pub fn span(&self, first: Uid, last: Uid) -> Option<NumberSpan> {
        let from = self.first_at_least(first);
        let to = match last.get().checked_add(1).and_then(Uid::new) {
            Some(behind) => self.first_at_least(behind) - 1,
            None => self.len,
        };
        (from <= to).then_some(NumberSpan { first: from, last: to })
    }

    /// Brings the view to the state that `blocks` show: all of it if expunged messages may be told, else only
    /// what was added. Costs what changed: blocks that both states share are passed over.
    pub fn update(&mut self, blocks: &[UidBlock], may_expunge: bool) -> Change {
        if !may_expunge {
            let last = self.last();
            let before = self.len;
            for block in blocks.iter().filter(|block| last.is_none_or(|last| block.last() > last)) {
                let uids = block.as_slice();
                let known = last.map_or(0, |last| uids.partition_point(|uid| *uid <= last));
                if known == 0 {
                    self.push(block.clone());
                } else if let Some(added) = uids.get(known..).and_then(|added| UidBlock::new(added.to_vec()))
                {
                    self.push(added);
                }
            }
            return Change { expunged: Vec::new(), added: self.len > before };
        }
        let new = Self::new(blocks);
        let last = self.last();
        let mut expunged: Vec<NumberSpan> = Vec::new();
        let mut shared = blocks.iter().peekable();
        for (block, start) in self.blocks.iter().zip(&self.starts) {
            while shared.next_if(|other| other.last() < block.first()).is_some() {}
            if shared.peek().is_some_and(|other| other.is_same(block)) {
                continue;
            }
            for (number, uid) in (start + 1..).zip(block.as_slice()) {
                if new.number(*uid).is_some() {
                    continue;
                }
                match expunged.last_mut() {
                    Some(span) if span.last + 1 == number => span.last = number,
                    _ => expunged.push(NumberSpan { first: number, last: number }),
                }
            }
        }
        expunged.reverse();
        let added = new.last().is_some_and(|newest| last.is_none_or(|last| newest > last));
        *self = new;
        Change { expunged, added }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    fn blocks(uids: &BTreeSet<u32>, size: usize) -> Vec<UidBlock> {
        let uids: Vec<Uid> = uids.iter().map(|number| uid(*number)).collect();
        uids.chunks(size).map(|chunk| UidBlock::new(chunk.to_vec()).unwrap()).collect()
    }

    fn uids(view: &View) -> Vec<u32> {
        (1..=view.len()).map(|number| view.uid(number).unwrap().get()).collect()
    }

    #[test]
    fn numbers_and_uids_are_found_from_each_other() {
        let view = View::new(&blocks(&[3, 7, 8, 20, 21].into(), 2));
        assert_eq!(uids(&view), [3, 7, 8, 20, 21]);
        assert_eq!(view.number(uid(20)), Some(4));
        assert_eq!(
            (view.number(uid(9)), view.number(uid(22)), view.uid(0), view.uid(6)),
            (None, None, None, None)
        );
        assert_eq!(view.span(uid(4), uid(20)), Some(NumberSpan { first: 2, last: 4 }));
        assert_eq!(view.span(uid(9), uid(19)), None);
        assert_eq!(view.span(uid(1), Uid::MAX), Some(NumberSpan { first: 1, last: 5 }));
        assert_eq!(View::default().span(uid(1), Uid::MAX), None);
    }

    #[test]
    fn what_is_expunged_keeps_its_number_until_it_may_be_told() {
        let mut view = View::new(&blocks(&[1, 2, 3, 4].into(), 4));
        let newer = blocks(&[1, 4, 5].into(), 4);
        assert_eq!(view.update(&newer, false), Change { expunged: vec![], added: true });
        assert_eq!(uids(&view), [1, 2, 3, 4, 5]);
        let change = view.update(&newer, true);
        assert_eq!(change, Change { expunged: vec![NumberSpan { first: 2, last: 3 }], added: false });
        assert_eq!(uids(&view), [1, 4, 5]);
    }

    proptest! {
        #[test]
        fn a_client_that_follows_knows_what_the_mailbox_holds(
            steps in proptest::collection::vec((0_u32..4, proptest::collection::vec(1_u32..60, 0..6), any::<bool>()), 1..20),
            size in 1_usize..5,
        ) {
            let mut mailbox: BTreeSet<u32> = (1..=10).collect();
            let mut next = 11;
            let mut view = View::new(&blocks(&mailbox, size));
            let mut client = uids(&view);
            for (added, removed, may_expunge) in steps {
                removed.iter().for_each(|number| { mailbox.remove(number); });
                mailbox.extend(next..next + added);
                next += added;
                let change = view.update(&blocks(&mailbox, size), may_expunge);
                for span in change.expunged {
                    for number in (span.first..=span.last).rev() {
                        client.remove(usize::try_from(number).unwrap() - 1);
                    }
                }
                if change.added {
                    prop_assert!(uids(&view).len() > client.len());
                    client = uids(&view);
                }
                prop_assert_eq!(&client, &uids(&view));
                if may_expunge {
                    prop_assert!(client.iter().copied().eq(mailbox.iter().copied()));
                }
                for (number, uid) in (1..).zip(&client) {
                    prop_assert_eq!(view.number(Uid::new(*uid).unwrap()), Some(number));
                }
            }
        }
    }

    #[test]
    fn shared_blocks_are_not_looked_into() {
        let shared = blocks(&(1..=100).collect(), 10);
        let mut view = View::new(&shared);
        let mut newer = shared.clone();
        newer[5] = UidBlock::new(vec![uid(51), uid(60)]).unwrap();
        let change = view.update(&newer, true);
        assert_eq!(change.expunged, [NumberSpan { first: 52, last: 59 }]);
        assert_eq!(view.len(), 92);
    }
}
