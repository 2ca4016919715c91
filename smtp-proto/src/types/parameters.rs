//! [`Parameters`]: what stands behind the path of MAIL or RCPT. RFC 5321 §4.1.2; RFC 1870 (SIZE), RFC 6152 and
//! RFC 3030 (BODY), RFC 6531 (SMTPUTF8), RFC 8689 (REQUIRETLS), RFC 4954 §5 (AUTH), RFC 3461 §4 (RET, ENVID,
//! NOTIFY, ORCPT), and those of `request`.
//!
//! Known parameters are typed by the parser; all are kept as they came, and can be iterated.

use alloc::boxed::Box;

use bytes::Bytes;
use mailwright_core::value::ReversePath;

use super::notification::{EnvelopeId, Notify, OriginalRecipient, Return};
use super::request::{DeliverBy, Hold, Priority, ValidSince};
use super::tracking::Tracking;

/// The parameters of MAIL or RCPT, as they came, each with a valid form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `keyword[=value]`, separated by single spaces.
    text: Bytes,
    pub(crate) size: Option<u64>,
    pub(crate) body: Option<Body>,
    pub(crate) smtp_utf8: bool,
    pub(crate) require_tls: bool,
    pub(crate) rare: Option<Box<Rare>>,
}

/// Rare parameters, larger than all the rest: AUTH, those of DSN (RFC 3461 §4), and requests to the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rare {
    pub(crate) auth: Option<ReversePath>,
    pub(crate) ret: Option<Return>,
    pub(crate) envelope_id: Option<EnvelopeId>,
    pub(crate) notify: Option<Notify>,
    pub(crate) original_recipient: Option<OriginalRecipient>,
    pub(crate) deliver_by: Option<DeliverBy>,
    pub(crate) hold: Option<Hold>,
    pub(crate) priority: Option<Priority>,
    pub(crate) valid_since: Option<ValidSince>,
    pub(crate) tracking: Option<Tracking>,
}

/// What the content is, by the client's own word: the parameter BODY (RFC 6152 §3, RFC 3030 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Body {
    /// `7BIT`: ASCII only.
    SevenBit,
    /// `8BITMIME`: octets ≥ 0x80 may occur.
    EightBitMime,
    /// `BINARYMIME`: any octets, in no lines. It comes by BDAT only.
    BinaryMime,
}

/// One parameter as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter<'a> {
    /// The keyword: letters, digits and hyphens; its case does not matter.
    pub keyword: &'a str,
    /// What stands behind `=`, if there is one: octets %d33–126 without `=` (but in MTRK), under SMTPUTF8 other characters beyond
    /// ASCII too; never none.
    pub value: Option<&'a str>,
}

impl<'a> Parameter<'a> {
    /// Reads one parameter; the offset of the octet that does not fit if it is none.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, usize> {
        // RFC 5321 §4.1.2: esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
        let in_keyword = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'-';
        let end = text.iter().position(|octet| !in_keyword(octet)).unwrap_or(text.len());
        if !text.first().is_some_and(u8::is_ascii_alphanumeric) {
            return Err(0);
        }
        let value = match text.get(end) {
            None => None,
            Some(b'=') => text.get(end + 1..),
            Some(_) => return Err(end),
        };
        if let Some(value) = value {
            // RFC 5321 §4.1.2: esmtp-value = 1*(%d33-60 / %d62-126); RFC 6531 §3.3: or UTF-8 beyond ASCII
            let fits = |octet: u8| matches!(octet, b'!'..=b'<' | b'>'..=b'~' | 0x80..);
            // RFC 3885 §3.1: the value is base64, which may be padded.
            let padded = keyword_is(text.get(..end), "MTRK");
            let fits = |octet: u8| fits(octet) || padded && octet == b'=';
            match value.iter().position(|&octet| !fits(octet)) {
                Some(at) => return Err(end + 1 + at),
                None if value.is_empty() => return Err(end),
                None => {}
            }
        }
        let text = core::str::from_utf8(text).map_err(|error| error.valid_up_to())?;
        let value = value.and_then(|_| text.get(end + 1..));
        // Those of ASCII were refused above.
        let control = |value: &str| value.char_indices().find(|(_, it)| !it.is_ascii() && it.is_control());
        match value.filter(|value| !value.is_ascii()).and_then(control) {
            Some((at, _)) => Err(end + 1 + at),
            None => Ok(Self { keyword: text.get(..end).unwrap_or_default(), value }),
        }
    }
}

fn keyword_is(keyword: Option<&[u8]>, name: &str) -> bool {
    keyword.is_some_and(|keyword| keyword.eq_ignore_ascii_case(name.as_bytes()))
}

impl Parameters {
    /// From text whose parameters were parsed one by one.
    pub(crate) fn checked(text: Bytes) -> Self {
        Self { text, ..Self::default() }
    }

    /// Every parameter in order, the unknown ones among them.
    pub fn iter(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.text.split(|&octet| octet == b' ').filter_map(|text| Parameter::parse(text).ok())
    }

    /// The value of `keyword`, in any ASCII case: `None` if it is not there, `Some(None)` without value.
    #[must_use]
    pub fn get(&self, keyword: &str) -> Option<Option<&str>> {
        self.iter().find(|parameter| parameter.keyword.eq_ignore_ascii_case(keyword)).map(|it| it.value)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// SIZE: the client's estimate of the content in octets (RFC 1870 §5). Never a promise.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// BODY.
    #[must_use]
    pub const fn body(&self) -> Option<Body> {
        self.body
    }

    /// Whether octets ≥ 0x80 were announced: BODY=8BITMIME or BODY=BINARYMIME.
    #[must_use]
    pub const fn is_eight_bit(&self) -> bool {
        matches!(self.body, Some(Body::EightBitMime | Body::BinaryMime))
    }

    /// SMTPUTF8 of MAIL: addresses and header may go beyond ASCII (RFC 6531 §3.4).
    #[must_use]
    pub const fn smtp_utf8(&self) -> bool {
        self.smtp_utf8
    }

    /// REQUIRETLS of MAIL: the message may travel only by TLS whose servers are known to be the right ones
    /// (RFC 8689 §2).
    #[must_use]
    pub const fn require_tls(&self) -> bool {
        self.require_tls
    }

    /// AUTH: who submitted the message first, by the client's word (RFC 4954 §5). A server session makes it
    /// [`ReversePath::Null`] where the client is not authenticated.
    #[must_use]
    pub fn auth(&self) -> Option<&ReversePath> {
        self.rare.as_ref()?.auth.as_ref()
    }

    /// RET of MAIL: what of the message a report of failure returns.
    #[must_use]
    pub fn ret(&self) -> Option<Return> {
        self.rare.as_ref()?.ret
    }

    /// ENVID of MAIL: what the sender calls its transaction.
    #[must_use]
    pub fn envelope_id(&self) -> Option<&EnvelopeId> {
        self.rare.as_ref()?.envelope_id.as_ref()
    }

    /// NOTIFY of RCPT: what the sender wants to hear of.
    #[must_use]
    pub fn notify(&self) -> Option<Notify> {
        self.rare.as_ref()?.notify
    }

    /// ORCPT of RCPT: the address that the sender gave.
    #[must_use]
    pub fn original_recipient(&self) -> Option<&OriginalRecipient> {
        self.rare.as_ref()?.original_recipient.as_ref()
    }

    /// BY of MAIL: until when the message is to be delivered.
    #[must_use]
    pub fn deliver_by(&self) -> Option<DeliverBy> {
        self.rare.as_ref()?.deliver_by
    }

    /// HOLDFOR or HOLDUNTIL of MAIL: when the message is to be released.
    #[must_use]
    pub fn hold(&self) -> Option<Hold> {
        self.rare.as_ref()?.hold
    }

    /// MT-PRIORITY of MAIL. A server session makes one above 0 to [`Priority::NORMAL`] where the client is not
    /// authenticated.
    #[must_use]
    pub fn priority(&self) -> Option<Priority> {
        self.rare.as_ref()?.priority
    }

    /// MTRK of MAIL: what is to be kept so that the message can be tracked (RFC 3885 §3.1).
    #[must_use]
    pub fn tracking(&self) -> Option<&Tracking> {
        self.rare.as_ref()?.tracking.as_ref()
    }

    /// RRVS of RCPT: since when the mailbox must have had its owner.
    #[must_use]
    pub fn valid_since(&self) -> Option<ValidSince> {
        self.rare.as_ref()?.valid_since
    }

    /// A copy that keeps no larger buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        let rare = self.rare.as_ref().map(|rare| {
            Box::new(Rare {
                auth: rare.auth.as_ref().map(ReversePath::detach),
                envelope_id: rare.envelope_id.as_ref().map(EnvelopeId::detach),
                original_recipient: rare.original_recipient.as_ref().map(OriginalRecipient::detach),
                tracking: rare.tracking.as_ref().map(Tracking::detach),
                ..**rare
            })
        });
        Self { text: Bytes::copy_from_slice(&self.text), rare, ..*self }
    }
}
