//! [`Parameters`]: what stands behind the path of MAIL or RCPT. RFC 5321 §4.1.2; RFC 1870 (SIZE), RFC 6152
//! (BODY), RFC 4954 §5 (AUTH), RFC 3461 §4 (RET, ENVID, NOTIFY, ORCPT).
//!
//! Known parameters are typed by the parser; all are kept as they came, and can be iterated.

use alloc::boxed::Box;

use bytes::Bytes;
use mailwright_core::value::ReversePath;

use super::notification::{EnvelopeId, Notify, OriginalRecipient, Return};

/// The parameters of MAIL or RCPT, as they came, each with a valid form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `keyword[=value]`, separated by single spaces.
    text: Bytes,
    pub(crate) size: Option<u64>,
    pub(crate) body: Option<Body>,
    pub(crate) rare: Option<Box<Rare>>,
}

/// Rare parameters, larger than all the rest: AUTH, and those of DSN (RFC 3461 §4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rare {
    pub(crate) auth: Option<ReversePath>,
    pub(crate) ret: Option<Return>,
    pub(crate) envelope_id: Option<EnvelopeId>,
    pub(crate) notify: Option<Notify>,
    pub(crate) original_recipient: Option<OriginalRecipient>,
}

/// What the content is, by the client's own word: the parameter BODY (RFC 6152 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Body {
    /// `7BIT`: ASCII only.
    SevenBit,
    /// `8BITMIME`: octets ≥ 0x80 may occur.
    EightBitMime,
}

/// One parameter as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter<'a> {
    /// The keyword: letters, digits and hyphens; its case does not matter.
    pub keyword: &'a str,
    /// What stands behind `=`, if there is one: octets %d33–126 without `=`, never none.
    pub value: Option<&'a str>,
}

impl<'a> Parameter<'a> {
    /// Reads one parameter; the offset of the octet that does not fit if it is none.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, usize> {
        let equals = memchr::memchr(b'=', text);
        let (keyword, value) = match equals {
            None => (text, None),
            Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        };
        // RFC 5321 §4.1.2: esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
        let fits = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'-';
        if let Some(at) = keyword.iter().position(|octet| !fits(octet)) {
            return Err(at);
        }
        if !keyword.first().is_some_and(u8::is_ascii_alphanumeric) {
            return Err(0);
        }
        if let Some(value) = value {
            // RFC 5321 §4.1.2: esmtp-value = 1*(%d33-60 / %d62-126)
            let wrong = value.iter().position(|&octet| !octet.is_ascii_graphic() || octet == b'=');
            match wrong {
                Some(at) => return Err(keyword.len() + 1 + at),
                None if value.is_empty() => return Err(keyword.len()),
                None => {}
            }
        }
        let text = |octets| core::str::from_utf8(octets).map_err(|_| 0_usize);
        Ok(Self { keyword: text(keyword)?, value: value.map(text).transpose()? })
    }
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

    /// Whether octets ≥ 0x80 were announced: BODY=8BITMIME.
    #[must_use]
    pub fn is_eight_bit(&self) -> bool {
        self.body == Some(Body::EightBitMime)
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

    /// A copy that keeps no larger buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        let rare = self.rare.as_ref().map(|rare| {
            Box::new(Rare {
                auth: rare.auth.as_ref().map(ReversePath::detach),
                envelope_id: rare.envelope_id.as_ref().map(EnvelopeId::detach),
                original_recipient: rare.original_recipient.as_ref().map(OriginalRecipient::detach),
                ..**rare
            })
        });
        Self { text: Bytes::copy_from_slice(&self.text), rare, ..*self }
    }
}
