//! ENVELOPE. RFC 9051 §7.5.2, §9 (`envelope`).

use alloc::vec::Vec;

use mailwright_core::value::DeviationKind;

use super::tokens::{Failure, Tokens};
use crate::types::{Address, Envelope};

/// An envelope; fields that are missing at the end are NIL.
pub(super) fn envelope(tokens: &mut Tokens<'_>) -> Result<Envelope, Failure> {
    tokens.expect(b'(', "an envelope")?;
    let mut extra = 0;
    tokens.no_spaces()?;
    while tokens.peek() == Some(b'(') {
        tokens.deviate(DeviationKind::ExtraParentheses)?;
        tokens.skip(b'(');
        tokens.no_spaces()?;
        extra += 1;
    }
    let mut envelope = Envelope::default();
    fields(tokens, &mut envelope)?;
    for _ in 0..=extra {
        tokens.no_spaces()?;
        tokens.expect(b')', "the end of an envelope")?;
    }
    Ok(envelope)
}

fn fields(tokens: &mut Tokens<'_>, envelope: &mut Envelope) -> Result<(), Failure> {
    if tokens.peek() == Some(b')') {
        return tokens.deviate(DeviationKind::MissingFields);
    }
    envelope.date = tokens.nstring()?;
    let Envelope { from, sender, reply_to, to, cc, bcc, .. } = envelope;
    if !another(tokens)? {
        return Ok(());
    }
    envelope.subject = tokens.nstring()?;
    for list in [from, sender, reply_to, to, cc, bcc] {
        if !another(tokens)? {
            return Ok(());
        }
        *list = addresses(tokens)?;
    }
    for field in [&mut envelope.in_reply_to, &mut envelope.message_id] {
        if !another(tokens)? {
            return Ok(());
        }
        *field = tokens.nstring()?;
    }
    while more(tokens)? {
        tokens.deviate(DeviationKind::TrailingFields)?;
        tokens.skip_value()?;
    }
    Ok(())
}

/// Whether another field follows, with the space before it; it should.
fn another(tokens: &mut Tokens<'_>) -> Result<bool, Failure> {
    if tokens.plain_space() {
        return Ok(true);
    }
    let another = more(tokens)?;
    if !another {
        tokens.deviate(DeviationKind::MissingFields)?;
    }
    Ok(another)
}

/// Whether another value of a list follows, with the space before it.
pub(super) fn more(tokens: &mut Tokens<'_>) -> Result<bool, Failure> {
    if tokens.plain_space() {
        return Ok(true);
    }
    if tokens.peek() == Some(b')') {
        return Ok(false);
    }
    tokens.space()?;
    Ok(tokens.peek() != Some(b')'))
}

/// NIL, or addresses without anything between them.
fn addresses(tokens: &mut Tokens<'_>) -> Result<Vec<Address>, Failure> {
    if tokens.keyword(b"NIL") {
        return Ok(Vec::new());
    }
    let start = tokens.at();
    if tokens.rest().starts_with(b"\"\"") {
        tokens.deviate(DeviationKind::MissingParentheses)?;
        tokens.take(2);
        return Ok(Vec::new());
    }
    tokens.expect(b'(', "a list of addresses")?;
    let mut addresses = Vec::new();
    loop {
        if tokens.peek() == Some(b'(') {
            let address = address(tokens)?;
            tokens.push(&mut addresses, address)?;
            continue;
        }
        tokens.no_spaces()?;
        let at = tokens.at();
        if tokens.skip(b')') {
            // RFC 9051 §9: an empty list is NIL.
            if at == start + 1 {
                tokens.deviate_at(DeviationKind::MissingFields, start)?;
            }
            addresses.shrink_to_fit();
            return Ok(addresses);
        }
        if tokens.keyword(b"NIL") {
            tokens.deviate_at(DeviationKind::UnexpectedNil, at)?;
            continue;
        }
        let address = address(tokens)?;
        tokens.push(&mut addresses, address)?;
    }
}

fn address(tokens: &mut Tokens<'_>) -> Result<Address, Failure> {
    tokens.expect(b'(', "an address")?;
    tokens.no_spaces()?;
    let mut address = Address::default();
    let Address { name, route, mailbox, host } = &mut address;
    for (index, field) in [name, route, mailbox, host].into_iter().enumerate() {
        if index > 0 && !another(tokens)? {
            break;
        }
        *field = tokens.nstring()?;
    }
    tokens.no_spaces()?;
    tokens.expect(b')', "the end of an address")?;
    Ok(address)
}
