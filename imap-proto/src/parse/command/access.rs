//! SETQUOTA and SETACL. RFC 9208 §7, RFC 4314 §7.

use super::CommandLimits;
use crate::parse::cursor::{Cursor, Failure};
use crate::types::{Command, QuotaResource, Rights, RightsAction};

/// Resources of one SETQUOTA at most.
const MOST: usize = 100;

pub(super) fn set_quota(cursor: &mut Cursor<'_>) -> Result<Command, Failure> {
    let root = super::argument(cursor)?;
    cursor.space()?;
    let limits = cursor.list(0, (MOST, "resources"), |cursor| {
        let resource = QuotaResource::read(cursor.word()?);
        cursor.space()?;
        Ok((resource, cursor.number()?))
    })?;
    Ok(Command::SetQuota { root, limits })
}

pub(super) fn set_acl(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Command, Failure> {
    let mailbox = super::mailbox(cursor, limits)?;
    let identifier = super::argument(cursor)?;
    let rights = super::argument(cursor)?.into_bytes();
    let (action, letters) = match rights.first() {
        Some(b'+') => (RightsAction::Add, rights.slice(1..)),
        Some(b'-') => (RightsAction::Remove, rights.slice(1..)),
        _ => (RightsAction::Replace, rights),
    };
    let rights = Rights::new(letters).map_err(|_| Failure::Expected("rights"))?;
    Ok(Command::SetAcl { mailbox, identifier, action, rights })
}
