//! METADATA. RFC 5464 §4.4, §5.

use alloc::vec::Vec;

use super::access::another;
use super::tokens::{Failure, Tokens};
use super::values::mailbox;
use crate::types::{Mailbox, MetadataData, MetadataEntry, MetadataResponse};

pub(super) fn metadata(tokens: &mut Tokens<'_>) -> Result<MetadataResponse, Failure> {
    tokens.space()?;
    // The empty name is the server.
    let mailbox: Mailbox = mailbox(tokens)?;
    tokens.space()?;
    if tokens.peek() == Some(b'(') {
        let (values, invalid) = tokens.elements("a list of entries", 2, |tokens| {
            let entry = entry(tokens)?;
            tokens.space()?;
            Ok((entry, tokens.nstring()?))
        })?;
        let mut metadata = MetadataResponse::new(mailbox, MetadataData::Values(values));
        metadata.invalid = invalid;
        return Ok(metadata);
    }
    let (mut entries, mut invalid) = (Vec::new(), Vec::new());
    loop {
        tokens.element(1, &mut entries, &mut invalid, entry)?;
        if !another(tokens)? {
            break;
        }
    }
    let mut metadata = MetadataResponse::new(mailbox, MetadataData::Changed(entries));
    metadata.invalid = invalid;
    Ok(metadata)
}

fn entry(tokens: &mut Tokens<'_>) -> Result<MetadataEntry, Failure> {
    MetadataEntry::new(tokens.astring()?).map_err(|_| Failure::Expected("the name of an entry"))
}
