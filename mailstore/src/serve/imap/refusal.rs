//! What the store refuses, in the words of IMAP. RFC 5530.

use mailwright_imap::server::Refusal;
use mailwright_imap::types::Code;

use crate::account::{self, Limit, WriteError};
use crate::engine::ReadError;

pub(super) fn no_account() -> Refusal {
    Refusal::new(Code::AuthorizationFailed, "the account is not available")
}

pub(super) fn no_such_mailbox() -> Refusal {
    Refusal::new(Code::NonExistent, "no such mailbox")
}

/// RFC 3501 §6.3.11: the client may create it and try again.
pub(super) fn create_it_first() -> Refusal {
    Refusal::new(Code::TryCreate, "no such mailbox: create it first")
}

pub(super) fn of_read(error: &ReadError) -> Refusal {
    match error {
        ReadError::Gone => Refusal::new(Code::ExpungeIssued, "some messages are gone"),
        ReadError::Corrupt { .. } => Refusal::new(Code::Corruption, "the store is damaged here"),
        _ => Refusal::new(Code::Unavailable, "the store cannot be read now"),
    }
}

pub(super) fn of_write(error: &WriteError) -> Refusal {
    match error {
        WriteError::Busy => Refusal::new(Code::InUse, "too busy, try again"),
        WriteError::TooLarge => Refusal::new(Code::TooBig, "the message is too large"),
        WriteError::Full => Refusal::new(Code::Unavailable, "no space left"),
        WriteError::Read(error) => of_read(error),
        _ => Refusal::new(Code::Unavailable, "the store cannot be written now"),
    }
}

pub(super) fn of_refusal(refusal: &account::Refusal) -> Refusal {
    match refusal {
        account::Refusal::OverQuota { .. } => Refusal::new(Code::OverQuota, "over quota"),
        account::Refusal::NoSuchMailbox => create_it_first(),
        account::Refusal::NotPermitted => Refusal::new(Code::NoPerm, "not permitted"),
        account::Refusal::Limit(Limit::MessageSize) => Refusal::new(Code::TooBig, "the message is too large"),
        account::Refusal::Limit(_) => Refusal::new(Code::Limit, "a limit is reached"),
        _ => Refusal::new(None, "not done"),
    }
}
