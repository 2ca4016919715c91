//! Statuses and their codes. RFC 9051 §7.1, RFC 3501 §7.1, RFC 5530, RFC 4315 §3.
//!
//! A code that cannot be read costs nothing but itself.

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{DeviationKind, ModSeq, Uid, UidRange, UidValidity};

use super::tokens::{Failure, Tokens};
use super::values;
use crate::types::{Atom, Code, NotifyEvent, OctetString, StatusKind, StatusResponse, Tag};

/// The status that `word` is.
pub(super) fn kind(word: &[u8]) -> Option<StatusKind> {
    Some(match () {
        () if word.eq_ignore_ascii_case(b"OK") => StatusKind::Ok,
        () if word.eq_ignore_ascii_case(b"NO") => StatusKind::No,
        () if word.eq_ignore_ascii_case(b"BAD") => StatusKind::Bad,
        () if word.eq_ignore_ascii_case(b"BYE") => StatusKind::Bye,
        () if word.eq_ignore_ascii_case(b"PREAUTH") => StatusKind::PreAuth,
        () => return None,
    })
}

/// What stands behind the word.
pub(super) fn status(tokens: &mut Tokens<'_>, kind: StatusKind) -> Result<StatusResponse, Failure> {
    let mut status = StatusResponse::new(kind, "");
    if tokens.peek().is_none() {
        tokens.deviate(DeviationKind::MissingText)?;
        return Ok(status);
    }
    tokens.expect(b' ', "a space")?;
    let spaces = tokens.rest().iter().take_while(|octet| **octet == b' ').count();
    if spaces > 0 && tokens.rest().get(spaces) == Some(&b'[') {
        tokens.no_spaces()?;
    }
    if tokens.peek() == Some(b'[') {
        status.code = bracketed(tokens)?;
    }
    status.text = text(tokens)?;
    Ok(status)
}

/// The rest as text.
pub(super) fn text(tokens: &mut Tokens<'_>) -> Result<Bytes, Failure> {
    // RFC 9051 §9: TEXT-CHAR has neither CR nor LF nor NUL.
    if memchr::memchr3(b'\r', b'\n', 0, tokens.rest()).is_some() {
        return Err(Failure::Expected("text"));
    }
    let rest = tokens.take_rest();
    Ok(tokens.keep(rest))
}

/// `[…]` and the space behind it.
fn bracketed(tokens: &mut Tokens<'_>) -> Result<Option<Code>, Failure> {
    let start = tokens.mark();
    tokens.expect(b'[', "a response code")?;
    let from = tokens.at();
    if !to_bracket(tokens) {
        // Without an end it is no code but text.
        tokens.rewind(start);
        tokens.deviate(DeviationKind::MissingParentheses)?;
        return Ok(None);
    }
    let to = tokens.at();
    tokens.expect(b']', "the end of a response code")?;
    let mut inside = tokens.within(from, to);
    let code = match code(&mut inside) {
        Ok(code) => code,
        Err(_) => {
            inside.note(DeviationKind::Ignored, from);
            Some(Code::Invalid(inside.whole(from)))
        }
    };
    match tokens.peek() {
        None => tokens.deviate(DeviationKind::MissingText)?,
        Some(b' ') => {
            tokens.take(1);
        }
        Some(_) => tokens.deviate(DeviationKind::MissingSpace)?,
    }
    Ok(code)
}

/// Goes to the closing bracket; `false` if there is none.
fn to_bracket(tokens: &mut Tokens<'_>) -> bool {
    let strings =
        [&b"BADCHARSET"[..], b"NOUPDATE", b"INPROGRESS"].into_iter().any(|name| tokens.keyword(name));
    loop {
        match tokens.peek() {
            None => return false,
            Some(b']') => return true,
            // Only these codes have strings, in which a bracket closes nothing.
            Some(b'"' | b'{') if strings => {
                if tokens.string_if_any().is_err() {
                    return false;
                }
            }
            Some(_) => {
                tokens.take(1);
            }
        }
    }
}

/// The code in the brackets; `None` for one that says nothing.
fn code(tokens: &mut Tokens<'_>) -> Result<Option<Code>, Failure> {
    let start = tokens.at();
    let name = tokens.run(|octet| octet != b' ');
    if let Some(code) = plain(name) {
        tokens.end()?;
        return Ok(Some(code));
    }
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    let code = match () {
        () if is(b"APPENDUID") => {
            tokens.space()?;
            let uid_validity = uid_validity(tokens)?;
            tokens.space()?;
            Some(Code::AppendUid { uid_validity, uids: uid_set(tokens)? })
        }
        () if is(b"COPYUID") => {
            tokens.space()?;
            let uid_validity = uid_validity(tokens)?;
            tokens.space()?;
            let source = uid_set(tokens)?;
            tokens.space()?;
            let destination = uid_set(tokens)?;
            // RFC 4315 §3: they correspond one by one.
            if count(&source) != count(&destination) {
                return Err(Failure::Expected("as many UIDs as before"));
            }
            Some(Code::CopyUid { uid_validity, source, destination })
        }
        () if is(b"BADEVENT") => {
            tokens.space()?;
            let events = tokens.list("a list of events", |tokens| {
                let name = tokens.atom()?;
                let name = Atom::new(tokens.keep(name)).ok_or(Failure::Expected("an event"))?;
                Ok(Some(NotifyEvent::read(name)))
            })?;
            Some(Code::BadEvent(events))
        }
        () if is(b"BADURL") => {
            tokens.expect(b' ', "a URL")?;
            let url = tokens.take_rest();
            Some(Code::BadUrl(tokens.keep(url)))
        }
        () if is(b"HIGHESTMODSEQ") => {
            tokens.space()?;
            let at = tokens.at();
            let mod_seq = tokens.mod_seq()?;
            if mod_seq == ModSeq::ZERO {
                tokens.deviate_at(DeviationKind::UnexpectedZero, at)?;
            }
            (mod_seq != ModSeq::ZERO).then_some(Code::HighestModSeq(mod_seq))
        }
        () if is(b"INPROGRESS") => Some(progress(tokens)?),
        () if is(b"MAILBOXID") => {
            tokens.space()?;
            Some(Code::MailboxId(values::object_id(tokens)?))
        }
        () if is(b"MESSAGELIMIT") => {
            tokens.space()?;
            let limit = tokens.number32()?;
            let mut uid = None;
            if tokens.peek().is_some() {
                tokens.space()?;
                uid = Some(Uid::new(tokens.number32()?).ok_or(Failure::Expected("a UID"))?);
            }
            Some(Code::MessageLimit { limit, uid })
        }
        () if is(b"METADATA") => match metadata(tokens)? {
            Some(code) => Some(code),
            None => return Ok(Some(Code::Unknown(tokens.whole(start)))),
        },
        () if is(b"MODIFIED") => {
            tokens.space()?;
            let limit = tokens.limits.set_ranges;
            Some(Code::Modified(tokens.number_set(limit)?))
        }
        () if is(b"NOUPDATE") => {
            tokens.space()?;
            Some(Code::NoUpdate(tag(tokens.astring()?)?))
        }
        () if is(b"BADCHARSET") => {
            let mut charsets = Vec::new();
            if tokens.peek().is_some() {
                tokens.space()?;
            }
            if tokens.peek().is_some_and(|octet| octet != b'(') {
                // One name may stand without parentheses, as RFC 9051 §6.4.4.4 shows it.
                tokens.deviate(DeviationKind::MissingParentheses)?;
                charsets.push(tokens.octets()?);
            } else if tokens.peek().is_some() {
                charsets = tokens.list("a list of charsets", |tokens| {
                    let name = OctetString::new(tokens.astring()?);
                    name.map(Some).map_err(|_| Failure::Expected("a charset"))
                })?;
            }
            Some(Code::BadCharset(charsets))
        }
        () if is(b"CAPABILITY") => {
            let names = values::capabilities(tokens)?;
            if names.is_empty() {
                return Err(Failure::Expected("a capability"));
            }
            Some(Code::Capability(names))
        }
        () if is(b"PERMANENTFLAGS") => {
            tokens.space()?;
            let mut new_keywords = false;
            let (flags, other) = values::flags(tokens, |flag| {
                let any = flag == b"\\*";
                new_keywords |= any;
                any
            })?;
            Some(Code::PermanentFlags { flags, new_keywords, other })
        }
        () if is(b"UIDNEXT") => above_zero(tokens)?.and_then(Uid::new).map(Code::UidNext),
        () if is(b"UIDVALIDITY") => above_zero(tokens)?.and_then(UidValidity::new).map(Code::UidValidity),
        () if is(b"UNSEEN") => above_zero(tokens)?.map(Code::Unseen),
        () => return Ok(Some(Code::Unknown(tokens.whole(start)))),
    };
    tokens.end()?;
    Ok(code)
}

/// RFC 5464 §5: the codes of METADATA; `None` for one that is not known.
fn metadata(tokens: &mut Tokens<'_>) -> Result<Option<Code>, Failure> {
    tokens.space()?;
    Ok(match () {
        () if tokens.keyword(b"TOOMANY") => Some(Code::MetadataTooMany),
        () if tokens.keyword(b"NOPRIVATE") => Some(Code::MetadataNoPrivate),
        () if tokens.keyword(b"MAXSIZE") => {
            tokens.space()?;
            Some(Code::MetadataMaxSize(tokens.number()?))
        }
        () if tokens.keyword(b"LONGENTRIES") => {
            tokens.space()?;
            Some(Code::MetadataLongEntries(tokens.number()?))
        }
        () => None,
    })
}

/// `("tag" done goal)`, any of which may be NIL, or nothing.
fn progress(tokens: &mut Tokens<'_>) -> Result<Code, Failure> {
    if tokens.peek().is_none() {
        return Ok(Code::InProgress { tag: None, done: None, goal: None });
    }
    tokens.space()?;
    tokens.expect(b'(', "how far it is")?;
    tokens.no_spaces()?;
    let tag = tokens.nstring()?.map(tag).transpose()?;
    let number = |tokens: &mut Tokens<'_>| {
        tokens.space()?;
        if tokens.keyword(b"NIL") { Ok(None) } else { tokens.number32().map(Some) }
    };
    let (done, goal) = (number(tokens)?, number(tokens)?);
    tokens.no_spaces()?;
    tokens.expect(b')', "the end of how far it is")?;
    Ok(Code::InProgress { tag, done, goal })
}

fn tag(octets: Bytes) -> Result<Tag, Failure> {
    Tag::new(octets).map_err(|_| Failure::Expected("a tag"))
}

/// A code without a value.
fn plain(name: &[u8]) -> Option<Code> {
    let codes = [
        (&b"ALERT"[..], Code::Alert),
        (b"ALREADYEXISTS", Code::AlreadyExists),
        (b"AUTHENTICATIONFAILED", Code::AuthenticationFailed),
        (b"AUTHORIZATIONFAILED", Code::AuthorizationFailed),
        (b"CANNOT", Code::Cannot),
        (b"CLIENTBUG", Code::ClientBug),
        (b"CLOSED", Code::Closed),
        (b"COMPRESSIONACTIVE", Code::CompressionActive),
        (b"CONTACTADMIN", Code::ContactAdmin),
        (b"CORRUPTION", Code::Corruption),
        (b"EXPIRED", Code::Expired),
        (b"EXPUNGEISSUED", Code::ExpungeIssued),
        (b"HASCHILDREN", Code::HasChildren),
        (b"INUSE", Code::InUse),
        (b"LIMIT", Code::Limit),
        (b"NOMODSEQ", Code::NoModSeq),
        (b"NONEXISTENT", Code::NonExistent),
        (b"NOPERM", Code::NoPerm),
        (b"NOTIFICATIONOVERFLOW", Code::NotificationOverflow),
        (b"NOTSAVED", Code::NotSaved),
        (b"OVERQUOTA", Code::OverQuota),
        (b"PARSE", Code::Parse),
        (b"PRIVACYREQUIRED", Code::PrivacyRequired),
        (b"READ-ONLY", Code::ReadOnly),
        (b"READ-WRITE", Code::ReadWrite),
        (b"SERVERBUG", Code::ServerBug),
        (b"TOOBIG", Code::TooBig),
        (b"TRYCREATE", Code::TryCreate),
        (b"UIDNOTSTICKY", Code::UidNotSticky),
        (b"UIDREQUIRED", Code::UidRequired),
        (b"UNAVAILABLE", Code::Unavailable),
        (b"UNKNOWN-CTE", Code::UnknownCte),
        (b"USEATTR", Code::UseAttr),
    ];
    codes.into_iter().find(|(text, _)| text.eq_ignore_ascii_case(name)).map(|(_, code)| code)
}

fn uid_validity(tokens: &mut Tokens<'_>) -> Result<UidValidity, Failure> {
    UidValidity::new(tokens.number32()?).ok_or(Failure::Expected("UIDVALIDITY"))
}

/// A number that should be above zero; zero says nothing.
fn above_zero(tokens: &mut Tokens<'_>) -> Result<Option<u32>, Failure> {
    tokens.space()?;
    let at = tokens.at();
    let number = tokens.number32()?;
    if number == 0 {
        tokens.deviate_at(DeviationKind::UnexpectedZero, at)?;
        return Ok(None);
    }
    Ok(Some(number))
}

/// RFC 4315 §4: uid-set, of as many ranges as the limits allow.
fn uid_set(tokens: &mut Tokens<'_>) -> Result<Vec<UidRange>, Failure> {
    let limit = tokens.limits.set_ranges;
    let uid = |tokens: &mut Tokens<'_>| Uid::new(tokens.number32()?).ok_or(Failure::Expected("a UID"));
    let digits = |octet: &&u8| octet.is_ascii_digit() || matches!(octet, b':' | b',');
    let count = tokens.rest().iter().take_while(digits).filter(|octet| **octet == b',').count() + 1;
    // Exactly as many as there are, so that what is kept is in proportion to the text.
    let mut ranges = Vec::with_capacity(count.min(limit));
    loop {
        let first = uid(tokens)?;
        let last = if tokens.skip(b':') { uid(tokens)? } else { first };
        if ranges.len() == limit {
            return Err(Failure::TooMany("ranges"));
        }
        ranges.push(UidRange::new(first, last));
        if !tokens.skip(b',') {
            return Ok(ranges);
        }
    }
}

/// UIDs in the ranges.
fn count(ranges: &[UidRange]) -> u64 {
    let of = |range: &UidRange| u64::from(range.last().get()) - u64::from(range.first().get()) + 1;
    ranges.iter().map(of).sum()
}
