//! What is said beyond the replies that the protocol crate has.

use mailwright_smtp::types::{EnhancedCode, Reply, ReplyCode};

use crate::account::{Limit, Refusal, WriteError};

/// 550 5.7.1: mail for other domains.
pub(super) fn relaying_denied() -> Reply {
    policy("Relaying denied")
}

/// 550 5.7.1: a sender that is not the account's.
pub(super) fn sender_not_owned() -> Reply {
    policy("Sender address is not one of this account")
}

/// 550 5.7.1: a From field that is not the account's.
pub(super) fn originator_not_owned() -> Reply {
    policy("From address is not one of this account")
}

/// 554 5.4.6: RFC 5321 §6.3.
pub(super) fn looping() -> Reply {
    made(ReplyCode::TRANSACTION_FAILED, (5, 4, 6), "Mail loop detected")
}

/// 452 4.2.2: over quota, which may pass.
pub(super) fn over_quota() -> Reply {
    made(ReplyCode::INSUFFICIENT_STORAGE, (4, 2, 2), "Mailbox full")
}

fn policy(text: &'static str) -> Reply {
    Reply::REFUSED_BY_POLICY.with_text(text).unwrap_or(Reply::REFUSED_BY_POLICY)
}

fn made(code: ReplyCode, (class, subject, detail): (u8, u16, u16), text: &'static str) -> Reply {
    let enhanced = EnhancedCode::new(class, subject, detail).ok();
    // The texts are valid, as a test shows.
    Reply::new(code, enhanced, text).unwrap_or(Reply::TRY_LATER)
}

/// What a recipient is told whose copy was refused.
pub(super) fn of_refusal(refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::OverQuota { .. } => over_quota(),
        // The account went away since RCPT.
        Refusal::NoSuchMailbox => Reply::NO_SUCH_USER,
        Refusal::NotPermitted => Reply::REFUSED_BY_POLICY,
        Refusal::Limit(Limit::MessageSize) => Reply::MESSAGE_TOO_LARGE,
        Refusal::Limit(_) => over_quota(),
        _ => Reply::TRY_LATER,
    }
}

/// What is told when nothing was stored.
pub(super) fn of_error(error: &WriteError) -> Reply {
    match error {
        WriteError::TooLarge => Reply::MESSAGE_TOO_LARGE,
        WriteError::Full => Reply::INSUFFICIENT_STORAGE,
        _ => Reply::TRY_LATER,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn replies_have_the_codes_of_their_rules() {
        for (reply, text) in [
            (relaying_denied(), "550 5.7.1 Relaying denied"),
            (sender_not_owned(), "550 5.7.1 Sender address is not one of this account"),
            (originator_not_owned(), "550 5.7.1 From address is not one of this account"),
            (looping(), "554 5.4.6 Mail loop detected"),
            (over_quota(), "452 4.2.2 Mailbox full"),
        ] {
            assert_eq!(reply.to_string(), text);
        }
    }
}
