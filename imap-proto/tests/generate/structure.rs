//! Envelopes and body structures.

use bytes::Bytes;
use mailwright_imap::types::{Address, BodyStructure, Envelope, Extension, Part};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{nstring, octets, text};

fn addresses() -> impl Strategy<Value = Vec<Address>> {
    let address = (nstring(), nstring(), nstring(), nstring()).prop_map(|(name, route, mailbox, host)| {
        let mut address = Address::default();
        (address.name, address.route, address.mailbox, address.host) = (name, route, mailbox, host);
        address
    });
    vec(address, 0..3)
}

pub(crate) fn envelope() -> impl Strategy<Value = Envelope> {
    (nstring(), nstring(), proptest::array::uniform6(addresses()), nstring(), nstring()).prop_map(
        |(date, subject, [from, sender, reply_to, to, cc, bcc], in_reply_to, message_id)| {
            let mut envelope = Envelope::default();
            (envelope.date, envelope.subject) = (date, subject);
            (envelope.from, envelope.sender, envelope.reply_to) = (from, sender, reply_to);
            (envelope.to, envelope.cc, envelope.bcc) = (to, cc, bcc);
            (envelope.in_reply_to, envelope.message_id) = (in_reply_to, message_id);
            envelope
        },
    )
}

fn parameters() -> impl Strategy<Value = Vec<(Bytes, Bytes)>> {
    vec((octets(), octets()), 0..3)
}

fn extension() -> impl Strategy<Value = Extension> {
    (nstring(), option::of((octets(), parameters())), vec(octets(), 0..3), nstring()).prop_map(
        |(md5, disposition, language, location)| {
            let mut extension = Extension::default();
            (extension.md5, extension.disposition) = (md5, disposition);
            (extension.language, extension.location) = (language, location);
            extension
        },
    )
}

/// A part without what depends on its kind.
fn plain_part(extended: bool) -> impl Strategy<Value = Part> {
    let extension = if extended { option::of(extension()).boxed() } else { Just(None).boxed() };
    let words = (text("[a-z]{0,8}x"), octets(), parameters());
    (words, nstring(), nstring(), octets(), any::<u64>(), extension).prop_map(
        |((media_type, subtype, parameters), id, description, encoding, octets, extension)| {
            let mut part = Part::default();
            (part.media_type, part.subtype, part.parameters) = (media_type, subtype, parameters);
            (part.id, part.description, part.encoding) = (id, description, encoding);
            part.octets = Some(octets);
            part.extension = extension.map(Box::new);
            part
        },
    )
}

pub(crate) fn structure(extended: bool) -> impl Strategy<Value = BodyStructure> {
    let text = (plain_part(extended), any::<u64>()).prop_map(|(mut part, lines)| {
        part.media_type = "Text".into();
        part.lines = Some(lines);
        part
    });
    let leaf = prop_oneof![plain_part(extended), text].prop_map(|part| vec![part]);
    let tree = leaf.prop_recursive(4, 12, 3, move |inner| {
        let multipart = (plain_part(extended), vec(inner.clone(), 1..4)).prop_map(move |(from, children)| {
            let mut part = Part::default();
            (part.multipart, part.children) = (true, children.len());
            (part.media_type, part.subtype) = ("multipart".into(), from.subtype);
            if let Some(mut extension) = from.extension {
                extension.md5 = None;
                part.parameters = from.parameters;
                part.extension = Some(extension);
            }
            [vec![part], children.concat()].concat()
        });
        let enclosed = (plain_part(extended), envelope(), any::<u64>(), inner).prop_map(
            |(mut part, envelope, lines, child)| {
                (part.media_type, part.subtype) = ("MESSAGE".into(), "rfc822".into());
                (part.children, part.lines) = (1, Some(lines));
                part.envelope = Some(Box::new(envelope));
                [vec![part], child].concat()
            },
        );
        prop_oneof![multipart, enclosed]
    });
    tree.prop_map(|parts| {
        let mut structure = BodyStructure::default();
        structure.parts = parts;
        structure
    })
}
