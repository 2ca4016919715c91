//! Writing response codes. RFC 9051 §7.1, RFC 5530 and the extensions.

use bytes::{BufMut as _, BytesMut};
use mailwright_core::value::UidRange;

use super::command::put_flags;
use super::{Literals, put_astring, put_number, put_quoted, put_string};
use crate::types::{Code, Tag};

pub(super) fn put_code(code: &Code, literals: &mut Literals<'_>) {
    let name: &[u8] = match code {
        Code::Alert => b"ALERT",
        Code::AlreadyExists => b"ALREADYEXISTS",
        Code::AppendUid { uid_validity, uids } => {
            literals.wire().put_slice(b"APPENDUID ");
            put_number(u64::from(uid_validity.get()), literals.wire());
            literals.wire().put_u8(b' ');
            return put_ranges(uids, literals.wire());
        }
        Code::AuthenticationFailed => b"AUTHENTICATIONFAILED",
        Code::AuthorizationFailed => b"AUTHORIZATIONFAILED",
        Code::BadEvent(events) => {
            literals.put("BADEVENT ");
            return literals.put_list(events, |event, literals| literals.put(event.as_str()));
        }
        Code::BadUrl(url) => {
            literals.put("BADURL ");
            return put_harmless(url, literals.wire());
        }
        Code::BadCharset(charsets) => {
            literals.wire().put_slice(b"BADCHARSET");
            if !charsets.is_empty() {
                literals.wire().put_u8(b' ');
                literals.put_list(charsets, |charset, literals| {
                    let charset = charset.as_bytes();
                    // RFC 9051 §9: an atom there, unlike an astring, has no bracket, which would end the code.
                    if charset.contains(&b']') {
                        put_string(charset, literals);
                    } else {
                        put_astring(charset, literals);
                    }
                });
            }
            return;
        }
        Code::Cannot => b"CANNOT",
        Code::Capability(names) => {
            literals.wire().put_slice(b"CAPABILITY");
            for name in names {
                literals.wire().put_u8(b' ');
                literals.wire().put_slice(name.as_str().as_bytes());
            }
            return;
        }
        Code::ClientBug => b"CLIENTBUG",
        Code::Closed => b"CLOSED",
        Code::CompressionActive => b"COMPRESSIONACTIVE",
        Code::ContactAdmin => b"CONTACTADMIN",
        Code::CopyUid { uid_validity, source, destination } => {
            literals.wire().put_slice(b"COPYUID ");
            put_number(u64::from(uid_validity.get()), literals.wire());
            literals.wire().put_u8(b' ');
            put_ranges(source, literals.wire());
            literals.wire().put_u8(b' ');
            return put_ranges(destination, literals.wire());
        }
        Code::Corruption => b"CORRUPTION",
        Code::Expired => b"EXPIRED",
        Code::ExpungeIssued => b"EXPUNGEISSUED",
        Code::HasChildren => b"HASCHILDREN",
        Code::HighestModSeq(mod_seq) => return literals.put(&alloc::format!("HIGHESTMODSEQ {mod_seq}")),
        Code::InProgress { tag, done, goal } => {
            return put_progress(tag.as_ref(), *done, *goal, literals);
        }
        Code::InUse => b"INUSE",
        Code::Limit => b"LIMIT",
        Code::MailboxId(id) => return literals.put(&alloc::format!("MAILBOXID ({id})")),
        Code::MessageLimit { limit, uid } => {
            literals.put(&alloc::format!("MESSAGELIMIT {limit}"));
            if let Some(uid) = uid {
                literals.put(&alloc::format!(" {uid}"));
            }
            return;
        }
        Code::MetadataLongEntries(size) => {
            return literals.put(&alloc::format!("METADATA LONGENTRIES {size}"));
        }
        Code::MetadataMaxSize(size) => return literals.put(&alloc::format!("METADATA MAXSIZE {size}")),
        Code::MetadataNoPrivate => b"METADATA NOPRIVATE",
        Code::MetadataTooMany => b"METADATA TOOMANY",
        Code::Modified(set) => {
            literals.put("MODIFIED ");
            return set.encode(literals.wire());
        }
        Code::NoModSeq => b"NOMODSEQ",
        Code::NotificationOverflow => b"NOTIFICATIONOVERFLOW",
        Code::NotSaved => b"NOTSAVED",
        Code::NoUpdate(tag) => {
            literals.put("NOUPDATE ");
            return put_quoted(tag.as_str(), literals.wire());
        }
        Code::NonExistent => b"NONEXISTENT",
        Code::NoPerm => b"NOPERM",
        Code::OverQuota => b"OVERQUOTA",
        Code::Parse => b"PARSE",
        Code::PermanentFlags { flags, new_keywords, other } => {
            literals.put("PERMANENTFLAGS ");
            // A bracket would end the code.
            let other = other.iter().filter(|flag| !flag.as_bytes().contains(&b']'));
            return put_flags(flags, new_keywords.then_some("\\*"), other, literals);
        }
        Code::PrivacyRequired => b"PRIVACYREQUIRED",
        Code::ReadOnly => b"READ-ONLY",
        Code::ReadWrite => b"READ-WRITE",
        Code::ServerBug => b"SERVERBUG",
        Code::TooBig => b"TOOBIG",
        Code::TryCreate => b"TRYCREATE",
        Code::UidNext(uid) => {
            literals.wire().put_slice(b"UIDNEXT ");
            return put_number(u64::from(uid.get()), literals.wire());
        }
        Code::UidNotSticky => b"UIDNOTSTICKY",
        Code::UidRequired => b"UIDREQUIRED",
        Code::UidValidity(validity) => {
            literals.wire().put_slice(b"UIDVALIDITY ");
            return put_number(u64::from(validity.get()), literals.wire());
        }
        Code::Unavailable => b"UNAVAILABLE",
        Code::UnknownCte => b"UNKNOWN-CTE",
        Code::UseAttr => b"USEATTR",
        Code::Unseen(number) => {
            literals.wire().put_slice(b"UNSEEN ");
            return put_number(u64::from(*number), literals.wire());
        }
        Code::Unknown(raw) | Code::Invalid(raw) => raw,
    };
    literals.wire().put_slice(name);
}

/// RFC 4315 §3: `uid-set`; one UID is never written as a range.
pub(super) fn put_ranges(ranges: &[UidRange], wire: &mut BytesMut) {
    for (index, range) in ranges.iter().enumerate() {
        if index > 0 {
            wire.put_u8(b',');
        }
        put_number(u64::from(range.first().get()), wire);
        if range.first() != range.last() {
            wire.put_u8(b':');
            put_number(u64::from(range.last().get()), wire);
        }
    }
}

/// Text inside the brackets: what could end them or the line goes out as `?`.
fn put_harmless(text: &[u8], wire: &mut BytesMut) {
    for octet in text {
        let harmful = octet.is_ascii_control() || *octet == b']';
        wire.put_u8(if harmful { b'?' } else { *octet });
    }
}

/// INPROGRESS with what is known; without anything, alone.
fn put_progress(tag: Option<&Tag>, done: Option<u32>, goal: Option<u32>, literals: &mut Literals<'_>) {
    literals.put("INPROGRESS");
    if tag.is_none() && done.is_none() && goal.is_none() {
        return;
    }
    literals.put(" (");
    match tag {
        Some(tag) => put_quoted(tag.as_str(), literals.wire()),
        None => literals.put("NIL"),
    }
    for number in [done, goal] {
        match number {
            Some(number) => literals.put(&alloc::format!(" {number}")),
            None => literals.put(" NIL"),
        }
    }
    literals.put(")");
}
