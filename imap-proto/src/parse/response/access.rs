//! QUOTA, QUOTAROOT, ACL, LISTRIGHTS, MYRIGHTS. RFC 9208 §4.2, §7, RFC 4314 §3.6 to §3.8, §7.

use alloc::vec::Vec;

use super::tokens::{Failure, Tokens};
use super::values::mailbox;
use crate::types::{
    AclResponse, Atom, ListRightsResponse, QuotaResource, QuotaResponse, QuotaUsage, Response, Rights,
};

pub(super) fn quota(tokens: &mut Tokens<'_>) -> Result<QuotaResponse, Failure> {
    tokens.space()?;
    let root = tokens.octets()?;
    tokens.space()?;
    let (resources, invalid) = tokens.elements("a list of resources", 3, |tokens| {
        let name = tokens.atom()?;
        let name = Atom::new(tokens.keep(name)).ok_or(Failure::Expected("a resource"))?;
        tokens.space()?;
        let usage = tokens.number()?;
        tokens.space()?;
        Ok(QuotaUsage { resource: QuotaResource::read(name), usage, limit: tokens.number()? })
    })?;
    let mut quota = QuotaResponse::new(root, resources);
    quota.invalid = invalid;
    Ok(quota)
}

pub(super) fn quota_root(tokens: &mut Tokens<'_>) -> Result<Response, Failure> {
    tokens.space()?;
    let mailbox = mailbox(tokens)?;
    let mut roots = Vec::new();
    while another(tokens)? {
        let root = tokens.octets()?;
        tokens.push(&mut roots, root)?;
    }
    Ok(Response::QuotaRoot { mailbox, roots })
}

pub(super) fn acl(tokens: &mut Tokens<'_>) -> Result<AclResponse, Failure> {
    tokens.space()?;
    let mailbox = mailbox(tokens)?;
    let (mut entries, mut invalid) = (Vec::new(), Vec::new());
    while another(tokens)? {
        tokens.element(2, &mut entries, &mut invalid, |tokens| {
            let identifier = tokens.octets()?;
            tokens.space()?;
            Ok((identifier, rights(tokens)?))
        })?;
    }
    let mut acl = AclResponse::new(mailbox, entries);
    acl.invalid = invalid;
    Ok(acl)
}

pub(super) fn list_rights(tokens: &mut Tokens<'_>) -> Result<ListRightsResponse, Failure> {
    tokens.space()?;
    let mailbox = mailbox(tokens)?;
    tokens.space()?;
    let identifier = tokens.octets()?;
    tokens.space()?;
    let required = rights(tokens)?;
    let mut optional = Vec::new();
    while another(tokens)? {
        let rights = rights(tokens)?;
        tokens.push(&mut optional, rights)?;
    }
    Ok(ListRightsResponse::new(mailbox, identifier, required, optional))
}

pub(super) fn my_rights(tokens: &mut Tokens<'_>) -> Result<Response, Failure> {
    tokens.space()?;
    let mailbox = mailbox(tokens)?;
    tokens.space()?;
    Ok(Response::MyRights { mailbox, rights: rights(tokens)? })
}

fn rights(tokens: &mut Tokens<'_>) -> Result<Rights, Failure> {
    Rights::new(tokens.astring()?).map_err(|_| Failure::Expected("rights"))
}

/// Whether another value follows, with the space before it.
pub(super) fn another(tokens: &mut Tokens<'_>) -> Result<bool, Failure> {
    if tokens.peek().is_none() {
        return Ok(false);
    }
    tokens.space()?;
    Ok(tokens.peek().is_some())
}
