//! LIST and UIDL (RFC 1939 §5, §7), produced from the snapshot as the client reads: however many
//! messages there are, only a few kibioctets of the listing exist at any time.

use bytes::{BufMut as _, BytesMut};

use super::maildrop::Snapshot;
use super::transaction::put_pair;
use super::{Phase, Server};
use crate::encode::put_decimal;
use crate::types::{MessageNumber, UniqueId};

/// A listing that is being written.
pub(super) struct Listing {
    of: What,
    /// The message to look at next; `None` behind the last one.
    next: Option<MessageNumber>,
    /// Whether the terminator is written.
    ended: bool,
}

impl Listing {
    /// Whether all of it is written.
    pub(super) const fn is_complete(&self) -> bool {
        self.ended
    }
}

#[derive(Clone, Copy)]
enum What {
    Sizes,
    Ids,
}

/// Octets of the longest line: a number, a space, an id, the line end; and the terminator.
const LONGEST_LINE: usize = 10 + 1 + UniqueId::MAX + 2 + 3;

impl Server {
    pub(super) fn list(&mut self, number: Option<MessageNumber>) {
        self.listing(What::Sizes, number);
    }

    pub(super) fn uidl(&mut self, number: Option<MessageNumber>) {
        self.listing(What::Ids, number);
    }

    fn listing(&mut self, of: What, number: Option<MessageNumber>) {
        match number {
            // RFC 1939 §5: with an argument, one line for that message.
            Some(number) if self.has(number) => {
                let Some(snapshot) = self.snapshot.take() else { return };
                self.write(|wire| {
                    wire.put_slice(b"+OK ");
                    put_line(of, &snapshot, number, wire);
                });
                self.snapshot = Some(snapshot);
            }
            Some(_) => self.no_such_message(),
            None => {
                let (messages, octets) = self.totals();
                self.ok_totals(messages, octets);
                self.timers.stop(super::timers::IDLE);
                self.phase = Phase::Listing(Listing { of, next: Some(MessageNumber::FIRST), ended: false });
            }
        }
    }

    /// Writes as many lines as may be held.
    pub(super) fn list_more(&mut self) {
        if !self.may_write_ahead() {
            return;
        }
        let high_water = self.high_water();
        let Phase::Listing(listing) = &mut self.phase else { return };
        let Some(snapshot) = &self.snapshot else { return };
        if listing.is_complete() {
            return;
        }
        let wire = self.transmit.buffer();
        let before = wire.len();
        // Once at its full size, so that it is made once and never grows.
        wire.reserve(high_water.saturating_sub(before));
        while let Some(number) = listing.next {
            if number.get() > snapshot.messages {
                listing.next = None;
                break;
            }
            if wire.len() + LONGEST_LINE > high_water {
                break;
            }
            if !snapshot.deleted.contains(number) {
                put_line(listing.of, snapshot, number, wire);
            }
            listing.next = number.get().checked_add(1).and_then(MessageNumber::new);
        }
        if listing.next.is_none() && !core::mem::replace(&mut listing.ended, true) {
            wire.put_slice(b".\r\n");
        }
        self.queued += (wire.len() - before) as u64;
    }
}

fn put_line(of: What, snapshot: &Snapshot, number: MessageNumber, wire: &mut BytesMut) {
    match of {
        What::Sizes => put_pair(number.get().into(), snapshot.size(number), wire),
        What::Ids => {
            put_decimal(number.get().into(), wire);
            wire.put_slice(b" ");
            wire.put_slice(snapshot.id(number).as_bytes());
            wire.put_slice(b"\r\n");
        }
    }
}
