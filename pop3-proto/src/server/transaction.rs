//! Commands with replies of one line: RFC 1939 §5 and §7.

use bytes::{BufMut as _, BytesMut};

use super::{Phrase, Server};
use crate::encode::put_decimal;
use crate::types::MessageNumber;

impl Server {
    /// RFC 1939 §5: `+OK`, the number of messages, their octets; messages marked as deleted do not count.
    pub(super) fn stat(&mut self) {
        let (messages, octets) = self.totals();
        self.write(|wire| {
            wire.put_slice(b"+OK ");
            put_pair(messages.into(), octets, wire);
        });
    }

    /// `+OK 2 messages (320 octets)`, for a login and above a listing.
    pub(super) fn ok_totals(&mut self) {
        let (messages, octets) = self.totals();
        self.ok(Phrase::Totals { messages, octets });
    }

    pub(super) fn totals(&self) -> (u32, u64) {
        self.snapshot.as_ref().map_or((0, 0), |snapshot| (snapshot.left(), snapshot.octets_left()))
    }

    /// Whether there is a message of this number that is not marked as deleted.
    pub(super) fn has(&self, number: MessageNumber) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| snapshot.has(number))
    }

    /// Whether it is there, and not for this client: RFC 6856 §5.
    pub(super) fn is_withheld(&self, number: MessageNumber) -> bool {
        let snapshot = self.snapshot.as_ref();
        !self.utf8 && snapshot.is_some_and(|snapshot| snapshot.has(number) && snapshot.needs_utf8(number))
    }

    pub(super) fn no_such_message(&mut self) {
        self.err(None, Phrase::NoSuchMessage);
    }

    /// RFC 1939 §5: any future reference to a message that is marked generates an error.
    pub(super) fn dele(&mut self, number: MessageNumber) {
        if !self.has(number) {
            return self.no_such_message();
        }
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.delete(number);
        }
        self.ok(Phrase::Deleted { number });
    }

    /// RFC 1939 §5: messages that are marked are unmarked.
    pub(super) fn rset(&mut self) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.restore();
        }
        self.ok_totals();
    }
}

/// Two numbers and a line end, as in STAT and LIST.
pub(super) fn put_pair(first: u64, second: u64, wire: &mut BytesMut) {
    put_decimal(first, wire);
    wire.put_slice(b" ");
    put_decimal(second, wire);
    wire.put_slice(b"\r\n");
}
