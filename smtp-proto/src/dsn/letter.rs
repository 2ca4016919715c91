//! [`Letter`]: a report as a message between hosts: to whom, from whom, when, and its envelope. RFC 3461 §6.1,
//! RFC 3464 §2, RFC 3834 §3.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use mailwright_core::value::{Domain, Mailbox, ReversePath, UnixTime};

use super::decide::{Original, Returned};
use super::report::Report;
use super::value::MessageId;
use crate::types::Notify;

/// To whom a report goes, who sends it, and when.
#[derive(Clone, Debug)]
pub struct Letter {
    pub(super) to: Mailbox,
    pub(super) host: Domain,
    pub(super) date: UnixTime,
    pub(super) boundary: String,
    message_id: MessageId,
}

impl Letter {
    /// A letter to the sender of a message, from the postmaster of `host`.
    ///
    /// `None` for a null reverse-path: such a message is never answered (RFC 3461 §5.2), and who should know of
    /// its loss is the postmaster. `entropy` makes the Message-ID, and the boundary of the parts, which no sender
    /// can foresee: give octets of a random generator, others for each letter.
    #[must_use]
    pub fn new(reverse_path: &ReversePath, host: &Domain, date: UnixTime, entropy: [u8; 32]) -> Option<Self> {
        let to = reverse_path.mailbox()?.detach();
        let (id, boundary) = entropy.split_at(16);
        let message_id = MessageId::new(&format!("<{}.dsn@{}>", hex(id), ascii(host))).ok()?;
        // RFC 2045 §6.7: "=_" occurs in no encoded text; the rest cannot be guessed.
        let boundary = format!("=_{}", hex(boundary));
        Some(Self { to, host: host.clone(), date, boundary, message_id })
    }

    /// The Message-ID of the report.
    #[must_use]
    pub const fn message_id(&self) -> &MessageId {
        &self.message_id
    }

    /// Whether the report takes the forms of RFC 6533: for a message that came with SMTPUTF8, and where an address
    /// of the letter itself is beyond ASCII.
    pub(super) fn is_utf8(&self, original: &Original) -> bool {
        original.smtp_utf8 || !self.to.is_ascii() || !self.host.is_ascii()
    }

    /// How the report travels.
    #[must_use]
    pub fn envelope(&self, report: &Report, original: &Original) -> Envelope {
        let smtp_utf8 = self.is_utf8(original);
        let whole = original.returned(report.action()) == Returned::Message;
        Envelope {
            sender: ReversePath::Null,
            recipient: self.to.clone(),
            notify: Notify::NEVER,
            // The header of a message may have 8-bit octets too, whatever RFC 5322 says.
            eight_bit: smtp_utf8 || original.eight_bit,
            smtp_utf8,
            // RFC 8689 §5: without the content a report may travel as others do, but its header tells enough.
            require_tls: original.require_tls,
            whole,
        }
    }
}

/// The envelope of a report (RFC 3461 §6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// Always null.
    pub sender: ReversePath,
    /// The sender of the message.
    pub recipient: Mailbox,
    /// Always NEVER. RET is never given.
    pub notify: Notify,
    /// Whether the report has octets ≥ 0x80.
    pub eight_bit: bool,
    /// Whether it needs SMTPUTF8.
    pub smtp_utf8: bool,
    /// Whether it is to be sent with REQUIRETLS (RFC 8689 §5).
    pub require_tls: bool,
    /// Whether it returns the whole message.
    pub whole: bool,
}

fn hex(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        // Writing into a string does not fail.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// The host in a Message-ID, which is ASCII: octets of a name beyond it in hexadecimal.
fn ascii(host: &Domain) -> String {
    let mut text = String::new();
    for octet in format!("{host}").bytes() {
        if octet.is_ascii() {
            text.push(char::from(octet));
        } else {
            text.push_str(&hex(&[octet]));
        }
    }
    text
}
