//! Commands with replies of one line, and CAPA: RFC 1939 §5 and §7, RFC 2449 §5.

use bytes::{BufMut as _, BytesMut};

use super::Server;
use crate::encode::put_decimal;
use crate::types::MessageNumber;

impl Server {
    /// What the server can do, by configuration, state and TLS: RFC 2449 §5 and §6.
    pub(super) fn capa(&mut self) {
        let config = alloc::sync::Arc::clone(&self.config);
        let clear_text = self.clear_text_allowed();
        let stls = self.offers_stls();
        let mechanisms: alloc::vec::Vec<_> = config.offers.permitted(&self.channel).collect();
        self.ok("capability list follows");
        self.write(|wire| {
            wire.put_slice(b"TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n");
            // RFC 2449 §6.2: USER only while it would be accepted. RFC 5034 §3: SASL stays after login.
            if config.user_pass && clear_text {
                wire.put_slice(b"USER\r\n");
            }
            if !mechanisms.is_empty() {
                wire.put_slice(b"SASL");
                for name in &mechanisms {
                    wire.put_slice(b" ");
                    wire.put_slice(name.as_str().as_bytes());
                }
                wire.put_slice(b"\r\n");
            }
            // RFC 2595 §4: STLS only while it would be accepted.
            if stls {
                wire.put_slice(b"STLS\r\n");
            }
            if let Some(implementation) = &config.implementation {
                wire.put_slice(b"IMPLEMENTATION ");
                wire.put_slice(implementation.as_str().as_bytes());
                wire.put_slice(b"\r\n");
            }
            wire.put_slice(b".\r\n");
        });
    }

    /// RFC 1939 §5: `+OK`, the number of messages, their octets; messages marked as deleted do not count.
    pub(super) fn stat(&mut self) {
        let (messages, octets) = self.totals();
        self.write(|wire| {
            wire.put_slice(b"+OK ");
            put_pair(messages.into(), octets, wire);
        });
    }

    /// `+OK 2 messages (320 octets)`, for a login and above a listing.
    pub(super) fn ok_totals(&mut self, messages: u32, octets: u64) {
        self.write(|wire| {
            wire.put_slice(b"+OK ");
            put_decimal(messages.into(), wire);
            wire.put_slice(if messages == 1 { b" message (" } else { b" messages (" });
            put_decimal(octets, wire);
            wire.put_slice(b" octets)\r\n");
        });
    }

    pub(super) fn totals(&self) -> (u32, u64) {
        self.snapshot.as_ref().map_or((0, 0), |snapshot| (snapshot.left(), snapshot.octets_left()))
    }

    /// Whether there is a message of this number that is not marked as deleted.
    pub(super) fn has(&self, number: MessageNumber) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| snapshot.has(number))
    }

    pub(super) fn no_such_message(&mut self) {
        self.err(None, "no such message");
    }

    /// RFC 1939 §5: any future reference to a message that is marked generates an error.
    pub(super) fn dele(&mut self, number: MessageNumber) {
        if !self.has(number) {
            return self.no_such_message();
        }
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.delete(number);
        }
        self.write(|wire| {
            wire.put_slice(b"+OK message ");
            put_decimal(number.get().into(), wire);
            wire.put_slice(b" deleted\r\n");
        });
    }

    /// RFC 1939 §5: messages that are marked are unmarked.
    pub(super) fn rset(&mut self) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.restore();
        }
        let (messages, octets) = self.totals();
        self.ok_totals(messages, octets);
    }
}

/// Two numbers and a line end, as in STAT and LIST.
pub(super) fn put_pair(first: u64, second: u64, wire: &mut BytesMut) {
    put_decimal(first, wire);
    wire.put_slice(b" ");
    put_decimal(second, wire);
    wire.put_slice(b"\r\n");
}
