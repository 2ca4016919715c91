//! Bounds and deadlines of a server as plain data: RFC 5321 §4.5.3.1 and §4.5.3.2.

use core::time::Duration;

/// Bounds of a server session. With the defaults one session holds less than 512 KiB, whatever the peer
/// sends (not counting what the host keeps); idle it holds less than 1 KiB, and 3 KiB once it has taken mail, so
/// that the next message needs no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of a command line with its CR LF. Default 2048: 512 (RFC 5321 §4.5.3.1.4) and what extensions add;
    /// never less than 512.
    pub command_line: usize,
    /// Octets of a line of an AUTH exchange with its CR LF. Default 12 288 (RFC 4954 §4).
    pub authentication_line: usize,
    /// Octets of a text line of content with its CR LF. Default 1000 (RFC 5321 §4.5.3.1.6). What happens to
    /// longer ones says [`ContentPolicy::long_lines`](super::ContentPolicy::long_lines).
    pub text_line: u64,
    /// Octets of the header section of a message. Default 102 400. What happens to longer ones says
    /// [`ContentPolicy::long_header`](super::ContentPolicy::long_header).
    pub header_section: u64,
    /// Octets of content. Default 35 MiB. Announced as SIZE. 0: no limit.
    pub message: u64,
    /// Recipients of one transaction. Default 1000; never less than 100 (RFC 5321 §4.5.3.1.8).
    pub recipients: usize,
    /// Different domains of recipients in one session. Default 0: no limit, and none is kept in mind.
    pub recipient_domains: usize,
    /// Transactions of one session. Default 1000.
    pub transactions: u32,
    /// Errors above which a reply is delayed by [`Timeouts::error_delay`]. Default 10.
    pub soft_errors: u32,
    /// Errors at which the session is closed with 421. Default 20. An accepted message sets the count back.
    pub hard_errors: u32,
    /// Commands that bring no message closer (NOOP, RSET, VRFY, …). Default 100; then 421. An accepted message
    /// sets the count back.
    pub idle_commands: u32,
    /// Lines above their limit. Default 3; with one more, 421.
    pub overlong_lines: u32,
    /// RCPT commands whose answers are open. Default 1000; more wait in the input.
    pub undecided: usize,
    /// Octets of the lines of such commands. Default 65 536.
    pub undecided_octets: usize,
    /// Octets of output above which no input is taken. Default 65 536.
    pub output: usize,
    /// Events that wait for the host above which no input is taken. Default 1024.
    pub events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command_line: 2048,
            authentication_line: 12_288,
            text_line: 1000,
            header_section: 102_400,
            message: 35 << 20,
            recipients: 1000,
            recipient_domains: 0,
            transactions: 1000,
            soft_errors: 10,
            hard_errors: 20,
            idle_commands: 100,
            overlong_lines: 3,
            undecided: 1000,
            undecided_octets: 65_536,
            output: 65_536,
            events: 1024,
        }
    }
}

impl Limits {
    /// RFC 5321 §4.5.3.1.8: 100 recipients at least.
    pub(super) fn most_recipients(&self) -> usize {
        self.recipients.max(100)
    }
}

/// Deadlines of a server session. They stand still while the session itself holds the client back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the reply to a command to the end of the next command's line. Default 300 s (RFC 5321 §4.5.3.2.7);
    /// a host under stress may say 10 s.
    pub command: Duration,
    /// From the reply to STARTTLS, or the start with implicit TLS, to the end of the handshake. Default 300 s.
    pub handshake: Duration,
    /// Each step of an AUTH exchange. Default 300 s.
    pub authentication: Duration,
    /// Content without any octet. Default 180 s (RFC 5321 §4.5.3.2.5).
    pub block: Duration,
    /// The window over which content must keep the minimum rate. Default 60 s.
    pub rate_window: Duration,
    /// The minimum rate of content in octets a second. Default 500; 0 switches it off.
    pub minimum_rate: u64,
    /// How long the reply to an error above [`Limits::soft_errors`] is held back. Default 1 s.
    pub error_delay: Duration,
    /// How long the greeting is held back, to catch who talks first. Default 0.
    pub greeting_delay: Duration,
    /// Output that the client does not read at all. Default 300 s.
    pub stalled_output: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            command: Duration::from_secs(300),
            handshake: Duration::from_secs(300),
            authentication: Duration::from_secs(300),
            block: Duration::from_secs(180),
            rate_window: Duration::from_secs(60),
            minimum_rate: 500,
            error_delay: Duration::from_secs(1),
            greeting_delay: Duration::ZERO,
            stalled_output: Duration::from_secs(300),
        }
    }
}
