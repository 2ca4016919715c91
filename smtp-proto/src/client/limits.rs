//! Bounds and deadlines of a client as plain data: RFC 5321 §4.5.3.1 and §4.5.3.2.

use core::time::Duration;

use crate::parse::ReplyLimits;

/// Bounds of a client. With the defaults one session never holds more than about 500 KiB, whatever the
/// peer sends; idle it holds no buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bounds of one reply: 4096 octets a line, 1000 lines, 100 000 octets.
    pub reply: ReplyLimits,
    /// Challenges of one AUTH exchange. Default 16: no mechanism needs more than 4.
    pub challenges: u32,
    /// Recipients of one transaction. Default 100, which every server takes (RFC 5321 §4.5.3.1.8); a
    /// smaller RCPTMAX that the server announces goes before (RFC 9422).
    pub recipients: usize,
    /// Octets of one command line without its CR LF. Default 998. Lines of an AUTH exchange are bounded
    /// by the mechanism instead.
    pub output_line: usize,
    /// Octets of the first chunk that [`Deliver`](super::Deliver) sends. Each accepted one doubles what the next may
    /// have; of a streamed message, which is collected for its chunk, only at a server without PIPELINING, where each
    /// chunk waits for the one before. Default 65 536.
    pub first_chunk: usize,
    /// Octets of the largest chunk. Default 1 048 576.
    pub largest_chunk: usize,
    /// Commands whose replies are still to come. Default 1000.
    pub in_flight: usize,
    /// Octets in `transmit` above which no command and no content is taken. Default 65 536.
    pub output: usize,
    /// Events that wait for the host above which no input is taken. Default 64; a host that takes events
    /// as they come never sees it.
    pub events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reply: ReplyLimits::default(),
            challenges: 16,
            recipients: 100,
            output_line: 998,
            first_chunk: 65_536,
            largest_chunk: 1 << 20,
            in_flight: 1000,
            output: 65_536,
            events: 64,
        }
    }
}

/// Deadlines of a client. The defaults are the least values of RFC 5321 §4.5.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the start to the greeting, with the handshake of implicit TLS. Default 300 s.
    pub greeting: Duration,
    /// Reply to EHLO, MAIL, RCPT and every command without a deadline of its own. Default 300 s.
    pub command: Duration,
    /// Reply to STARTTLS, then the handshake. Default 300 s.
    pub start_tls: Duration,
    /// Each step of AUTH. Default 300 s.
    pub authentication: Duration,
    /// From DATA to 354. Default 120 s.
    pub data: Duration,
    /// Content that waits in `transmit` without any progress, and the reply to a chunk. Default 180 s. It stands still
    /// while the host has written nothing.
    pub block: Duration,
    /// Reply to the end of the content, in LMTP each reply. Default 600 s: the server does its work then,
    /// and a client that gives up early sends the message twice (RFC 5321 §4.5.3.2.6).
    pub final_reply: Duration,
    /// Reply to QUIT. Default 300 s.
    pub quit: Duration,
    /// From the reply to QUIT until the server closes; then the session is over anyhow. Default 5 s.
    pub close: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(300),
            command: Duration::from_secs(300),
            start_tls: Duration::from_secs(300),
            authentication: Duration::from_secs(300),
            data: Duration::from_secs(120),
            block: Duration::from_secs(180),
            final_reply: Duration::from_secs(600),
            quit: Duration::from_secs(300),
            close: Duration::from_secs(5),
        }
    }
}
