//! What MAIL and RCPT say beside their paths: [`MailOptions`], [`RecipientOptions`]. RFC 1870 (SIZE), RFC 6152 and RFC 3030
//! (BODY), RFC 6531 (SMTPUTF8), RFC 8689 (REQUIRETLS), RFC 4954 §5 (AUTH), RFC 3461 (DSN), RFC 2852 (BY), RFC 4865
//! (HOLDFOR, HOLDUNTIL), RFC 6710 (MT-PRIORITY), RFC 7293 (RRVS).

use core::fmt;

use mailwright_core::value::{Misuse, ReversePath};

use crate::types::xtext::Xtext;
use crate::types::{
    Capabilities, DeliverBy, DeliverByMode, EnvelopeId, Hold, Notify, OriginalRecipient, Priority, Return,
    Tracking, ValidSince,
};

/// What MAIL says beside the sender. Each is sent only if the server announced its extension. A call that needs one
/// that is missing is refused, never weakened; what may end at a server that does not have it is left out there, and
/// says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailOptions {
    /// The size of the content in octets, if known. Sent as SIZE where announced, and checked against the
    /// announced limit before anything is written (RFC 1870 §6.1).
    pub size: Option<u64>,
    /// The content may have 8-bit octets: BODY=8BITMIME, which must be announced (RFC 6152 §3).
    pub eight_bit: bool,
    /// The content may have any octets: BODY=BINARYMIME, which must be announced, and CHUNKING with it; it goes by BDAT
    /// (RFC 3030 §3).
    pub binary: bool,
    /// The message has an address or a header beyond ASCII: SMTPUTF8, which must be announced (RFC 6531 §3.4).
    pub smtp_utf8: bool,
    /// The message may travel by TLS only: REQUIRETLS, which must be announced, in TLS (RFC 8689 §2). From the null
    /// sender it is left out where it is not (RFC 8689 §5). That the server is the right one, the host sees to.
    pub require_tls: bool,
    /// Who submitted the message first, as far as that is known and to be told: AUTH (RFC 4954 §5). A relay that has
    /// authenticated says `<>` if it is not. Left out where AUTH is not announced.
    pub auth: Option<ReversePath>,
    /// What a report of failure returns: RET, where DSN is announced; elsewhere it is left out.
    pub ret: Option<Return>,
    /// What the sender calls the transaction: ENVID, where DSN is announced; elsewhere it is left out.
    pub envelope_id: Option<EnvelopeId>,
    /// Until when the message is to be delivered: BY, where DELIVERBY is announced. Elsewhere it is left out, unless the
    /// message is to be returned then, which needs it (RFC 2852 §4.1.4).
    pub deliver_by: Option<DeliverBy>,
    /// When the message is to be released: HOLDFOR or HOLDUNTIL, within what FUTURERELEASE announces (RFC 4865 §4.1).
    pub hold: Option<Hold>,
    /// What is to be kept so that the message can be tracked: MTRK, where that is announced; elsewhere it is left out (RFC
    /// 3885 §3.3). It goes only with an [`Self::envelope_id`].
    pub tracking: Option<Tracking>,
    /// How urgent the message is: MT-PRIORITY, where that is announced; elsewhere it is left out (RFC 6710 §4.3).
    pub priority: Option<Priority>,
}

/// What RCPT says beside the recipient. The requests of DSN are sent where it is announced. Elsewhere they are left out
/// (RFC 3461 §5.2.2), and reports are for the sending side to make: see
/// [`Event::action`](crate::dsn::Event::action).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecipientOptions {
    /// What the sender wants to hear of: NOTIFY.
    pub notify: Option<Notify>,
    /// The address that the sender gave: ORCPT, where DSN or MTRK is announced. It is written in ASCII where SMTPUTF8 was
    /// not said, and left out if that makes it too long.
    pub original_recipient: Option<OriginalRecipient>,
    /// Since when the mailbox must have had its owner: RRVS, which must be announced unless
    /// [`ValidSince::continues`] lets it end (RFC 7293 §5.1).
    pub valid_since: Option<ValidSince>,
}

impl MailOptions {
    /// What of it is written to a server with these extensions. `null`: from the null sender; `tls`: in TLS.
    ///
    /// # Errors
    /// [`Misuse::NotAnnounced`] if an extension is missing that it needs, [`Misuse::TooLarge`] if it is beyond what the
    /// server takes.
    pub(super) fn for_server(mut self, server: &Capabilities, null: bool, tls: bool) -> Result<Self, Misuse> {
        // RFC 6152 §3, RFC 3030 §3, RFC 6531 §3.5: never without the extension.
        if self.eight_bit && !server.eight_bit_mime()
            || self.binary && !(server.binary_mime() && server.chunking())
            || self.smtp_utf8 && !server.smtp_utf8()
        {
            return Err(Misuse::NotAnnounced);
        }
        if self.require_tls && !(tls && server.require_tls()) {
            // RFC 8689 §5: a report is not lost for it.
            if !null {
                return Err(Misuse::NotAnnounced);
            }
            self.require_tls = false;
        }
        self.check_size(server)?;
        self.check_requests(server)?;
        if !server.auth() {
            self.auth = None;
        }
        // RFC 3885 §3.3: not to a server that does not know it, nor without ENVID.
        if !server.message_tracking() || self.envelope_id.is_none() {
            self.tracking = None;
        }
        // RFC 3461 §5.2.2 (a): nothing of it to a server that does not know it.
        if !server.dsn() {
            self.ret = None;
            // RFC 3885 §3: MTRK brings ENVID.
            self.envelope_id = self.envelope_id.filter(|_| self.tracking.is_some());
        }
        // RFC 6710 §4.3
        if !server.mt_priority() {
            self.priority = None;
        }
        Ok(self)
    }

    fn check_size(&mut self, server: &Capabilities) -> Result<(), Misuse> {
        match (self.size, server.size()) {
            (_, None) => self.size = None,
            // RFC 1870 §6.1: a client does not try what is above the announced limit.
            (Some(size), Some(Some(limit))) if size > limit => return Err(Misuse::TooLarge),
            _ => {}
        }
        Ok(())
    }

    fn check_requests(&mut self, server: &Capabilities) -> Result<(), Misuse> {
        if let Some(by) = self.deliver_by {
            let returned = by.mode() == DeliverByMode::Return;
            match server.deliver_by() {
                // RFC 2852 §4.1.4.1: only to servers that know it, and have so short a time.
                None if returned => return Err(Misuse::NotAnnounced),
                Some(least) if returned && i64::from(by.seconds()) < i64::from(least) => {
                    return Err(Misuse::TooLarge);
                }
                None => self.deliver_by = None,
                Some(_) => {}
            }
        }
        if let Some(hold) = self.hold {
            // RFC 4865 §4.1: within the bounds that the server names.
            let release = server.future_release().ok_or(Misuse::NotAnnounced)?;
            if !release.allows(hold) {
                return Err(Misuse::TooLarge);
            }
        }
        Ok(())
    }
}

impl fmt::Display for MailOptions {
    /// The parameters as they are written, each behind a space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(size) = self.size {
            write!(f, " SIZE={size}")?;
        }
        if self.binary {
            f.write_str(" BODY=BINARYMIME")?;
        } else if self.eight_bit {
            f.write_str(" BODY=8BITMIME")?;
        }
        if self.smtp_utf8 {
            f.write_str(" SMTPUTF8")?;
        }
        if self.require_tls {
            f.write_str(" REQUIRETLS")?;
        }
        match &self.auth {
            None => {}
            Some(ReversePath::Mailbox(mailbox)) if mailbox.is_ascii() => {
                let text = alloc::format!("{mailbox}");
                write!(f, " AUTH={}", Xtext(&text))?;
            }
            // RFC 4954 §5: not known, or not to be said.
            Some(_) => f.write_str(" AUTH=<>")?,
        }
        if let Some(ret) = self.ret {
            write!(f, " RET={ret}")?;
        }
        if let Some(id) = &self.envelope_id {
            write!(f, " ENVID={id}")?;
        }
        if let Some(tracking) = &self.tracking {
            write!(f, " MTRK={tracking}")?;
        }
        if let Some(by) = self.deliver_by {
            write!(f, " BY={by}")?;
        }
        if let Some(hold) = self.hold {
            write!(f, " {hold}")?;
        }
        if let Some(priority) = self.priority {
            write!(f, " MT-PRIORITY={priority}")?;
        }
        Ok(())
    }
}

/// The parameters of RCPT as they are written.
#[derive(Default)]
pub(super) struct Requests {
    notify: Option<Notify>,
    original_recipient: Option<OriginalRecipient>,
    valid_since: Option<ValidSince>,
}

impl Requests {
    /// What is written to a server with these extensions.
    pub(super) fn new(
        options: &RecipientOptions,
        server: &Capabilities,
        smtp_utf8: bool,
    ) -> Result<Self, Misuse> {
        let mut requests = Self::default();
        if server.dsn() {
            requests.notify = options.notify;
        }
        if server.dsn() || server.message_tracking() {
            let given = options.original_recipient.as_ref();
            // RFC 6533 §3: octets beyond ASCII only under SMTPUTF8.
            let written = given.map(|given| if smtp_utf8 { given.clone() } else { given.to_ascii() });
            let fits = |written: &OriginalRecipient| written.as_str().len() <= OriginalRecipient::MAX_OCTETS;
            requests.original_recipient = written.filter(fits);
        }
        if let Some(since) = options.valid_since {
            // RFC 7293 §5.1: a server that does not see to it gets the message only if the sender allows that.
            if !server.rrvs() && !since.continues {
                return Err(Misuse::NotAnnounced);
            }
            requests.valid_since = Some(since).filter(|_| server.rrvs());
        }
        Ok(requests)
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(notify) = self.notify {
            write!(f, " NOTIFY={notify}")?;
        }
        if let Some(original) = &self.original_recipient {
            write!(f, " ORCPT={original}")?;
        }
        if let Some(since) = self.valid_since {
            write!(f, " RRVS={since}")?;
        }
        Ok(())
    }
}
