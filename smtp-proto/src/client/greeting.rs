//! The opening of a session: the greeting and EHLO, HELO or LHLO. RFC 5321 §3.1, §3.2, §4.1.1.1;
//! RFC 2033 §4.1 for LHLO. What TLS adds stands in `tls`.

use bytes::BufMut as _;

use super::event::{Awaited, Closed, Event};
use super::{Client, Phase, Protocol, Sent, TlsMode};
use crate::types::{Capabilities, Reply, ReplyCode};

impl Client {
    /// The greeting came.
    pub(super) fn greeted(&mut self, reply: Reply) {
        if reply.is_positive() {
            self.events.push_back(Event::Greeting(reply));
            self.phase = Phase::Opening;
            self.hello(Hello::Extended);
        } else if reply.is_intermediate() {
            self.close(Closed::Unexpected(Awaited::Greeting, reply));
        } else {
            // RFC 5321 §3.1: 554 in place of the greeting; the client is to say QUIT, then closes.
            self.farewell(&reply);
            self.close(Closed::Greeting(reply));
        }
    }

    /// Writes EHLO, HELO or LHLO.
    pub(super) fn hello(&mut self, form: Hello) {
        // RFC 2033 §4.1: in LMTP LHLO stands for both.
        let verb: &[u8] = match (self.config.protocol, form) {
            (Protocol::Lmtp, _) => b"LHLO ",
            (Protocol::Smtp, Hello::Extended) => b"EHLO ",
            (Protocol::Smtp, Hello::Plain) => b"HELO ",
        };
        let wire = self.transmit.buffer();
        wire.put_slice(verb);
        wire.put_slice(self.config.name().as_bytes());
        wire.put_slice(b"\r\n");
        self.sent(Sent::Hello(form));
    }

    /// The reply to EHLO, HELO or LHLO.
    pub(super) fn hello_answered(&mut self, form: Hello, reply: Reply) {
        if reply.is_positive() {
            self.capabilities = match form {
                Hello::Extended => Capabilities::from_reply(&reply),
                // RFC 5321 §4.1.1.1: after HELO no extension is in force.
                Hello::Plain => Capabilities::new(),
            };
            self.negotiate_tls();
        } else if reply.is_intermediate() {
            self.close(Closed::Unexpected(Awaited::Hello, reply));
        } else if form == Hello::Extended && self.may_fall_back(reply.code()) {
            self.hello(Hello::Plain);
        } else {
            self.farewell(&reply);
            self.close(Closed::Hello(reply));
        }
    }

    /// Whether HELO may be tried after EHLO was refused with `code`.
    fn may_fall_back(&self, code: ReplyCode) -> bool {
        // RFC 2033 §4.1: LMTP has no HELO. Where an extension is required, HELO cannot give it.
        let needs_extension = self.config.tls == TlsMode::Required && self.tls.is_none();
        if self.config.protocol == Protocol::Lmtp || needs_extension {
            return false;
        }
        match code {
            // RFC 5321 §3.2: a server that does not know EHLO says so.
            ReplyCode::SYNTAX_ERROR | ReplyCode::NOT_IMPLEMENTED => true,
            ReplyCode::ARGUMENT_NOT_IMPLEMENTED | ReplyCode::MAILBOX_UNAVAILABLE => {
                self.config.hello_after_504_and_550
            }
            _ => false,
        }
    }

    /// Says QUIT before closing, unless the server closes by itself.
    pub(super) fn farewell(&mut self, reply: &Reply) {
        if reply.code() != ReplyCode::UNAVAILABLE {
            self.transmit.put(b"QUIT\r\n");
        }
    }
}

/// Which greeting the client gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hello {
    /// EHLO, or LHLO.
    Extended,
    /// HELO.
    Plain,
}
