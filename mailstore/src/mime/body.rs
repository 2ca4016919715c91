//! The wire form of BODYSTRUCTURE, and with it of BODY.
//!
//! RFC 3501 §7.4.2 and §9 (`body`), RFC 9051 §7.5.2 and §9. While a message is scanned each part leaves what
//! of its form is known from its header ([`Draft`]); at the end sizes are known too, and [`assemble`] puts
//! all of it in order, without recursion.

use alloc::vec::Vec;

use super::content::{Content, Kind, OCTETS};
use super::parameter::Parameter;
use super::structure::{Part, PartKind};
use super::wire::{Audience, Writer};

/// What the header of a part says, in wire form.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Through the encoding; of a multipart: its subtype.
    head: Writer,
    /// The extension data.
    tail: Writer,
    /// The ENVELOPE of the message that begins here.
    pub(super) envelope: Writer,
    /// It is text, so it has lines.
    text: bool,
}

impl Draft {
    /// Takes what is needed of `content`, for a part that became `entered`, or was not entered.
    pub(super) fn of(content: &Content<'_>, entered: PartKind) -> Self {
        let mut draft = Self { text: content.is_text(), ..Self::default() };
        draft.write_head(content, entered);
        draft.write_tail(content, entered);
        draft
    }

    /// The empty part that a multipart without parts shows, and the rest of a message behind a limit.
    pub(super) fn plain((media_type, subtype): (&[u8], &[u8])) -> Self {
        let text = media_type == b"TEXT";
        let mut draft = Self { text, ..Self::default() };
        draft.head.wire(Audience::ALL, b"(");
        write_type(&mut draft.head, Audience::ALL, media_type, subtype);
        let parameters: &[u8] = if text { b" (\"CHARSET\" \"us-ascii\")" } else { b" NIL" };
        draft.head.wire(Audience::ALL, parameters);
        draft.head.wire(Audience::ALL, b" NIL NIL \"7BIT\"");
        draft.tail.wire(Audience::EXTENSIBLE, b" NIL NIL NIL NIL");
        draft
    }

    /// How many octets it holds.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.tail.len() + self.envelope.len()
    }

    fn write_head(&mut self, content: &Content<'_>, entered: PartKind) {
        let head = &mut self.head;
        if entered == PartKind::Multipart {
            head.wire(Audience::ALL, b" ");
            head.string(Audience::ALL, content.subtype);
            return;
        }
        head.wire(Audience::ALL, b"(");
        let (media_type, subtype) = content.shown_type(entered);
        if content.kind == Kind::Global && entered == PartKind::Leaf {
            write_type(head, Audience::ENTERED, OCTETS.0, OCTETS.1);
            write_type(head, Audience::CLOSED, media_type, subtype);
        } else {
            write_type(head, Audience::ALL, media_type, subtype);
        }
        head.wire(Audience::ALL, b" ");
        if content.implied && content.is_text() {
            head.wire(Audience::ALL, b"(\"CHARSET\" \"us-ascii\")");
        } else {
            write_parameters(head, Audience::ALL, &content.parameters);
        }
        for field in [content.id, content.description] {
            head.wire(Audience::ALL, b" ");
            head.nstring(Audience::ALL, field);
        }
        head.wire(Audience::ALL, b" ");
        head.string(Audience::ALL, content.encoding_name.unwrap_or(b"7BIT"));
    }

    fn write_tail(&mut self, content: &Content<'_>, entered: PartKind) {
        let audience = Audience::EXTENSIBLE;
        let tail = &mut self.tail;
        tail.wire(audience, b" ");
        if entered == PartKind::Multipart {
            write_parameters(tail, audience, &content.parameters);
        } else {
            tail.nstring(audience, content.md5);
        }
        tail.wire(audience, b" ");
        match &content.disposition {
            None => tail.wire(audience, b"NIL"),
            Some((kind, parameters)) => {
                tail.wire(audience, b"(");
                tail.string(audience, kind);
                tail.wire(audience, b" ");
                write_parameters(tail, audience, parameters);
                tail.wire(audience, b")");
            }
        }
        tail.wire(audience, b" ");
        write_list(tail, audience, content.languages.iter().copied());
        tail.wire(audience, b" ");
        tail.nstring(audience, content.location);
    }
}

fn write_type(out: &mut Writer, audience: Audience, media_type: &[u8], subtype: &[u8]) {
    out.string(audience, media_type);
    out.wire(audience, b" ");
    out.string(audience, subtype);
}

fn write_parameters(out: &mut Writer, audience: Audience, parameters: &[Parameter<'_>]) {
    write_list(out, audience, parameters.iter().flat_map(|parameter| [parameter.name, &parameter.value]));
}

/// A list of strings, NIL if it is empty.
fn write_list<'a>(out: &mut Writer, audience: Audience, strings: impl Iterator<Item = &'a [u8]>) {
    let mut separator: &[u8] = b"(";
    for string in strings {
        out.wire(audience, separator);
        out.string(audience, string);
        separator = b" ";
    }
    out.wire(audience, if separator == b"(" { b"NIL" } else { b")" });
}

/// Puts the form of a whole message together. `parts` and `drafts` are in the same order.
pub(super) fn assemble(parts: &[Part], drafts: &[Draft]) -> Writer {
    // Numbers, spaces and parentheses come on top.
    let mut out = Writer::with_capacity(drafts.iter().map(|draft| draft.len() + 16).sum());
    // Parts whose children are being written, each with the audience outside of it.
    let mut open: Vec<(usize, Audience)> = Vec::new();
    let mut audience = Audience::ALL;
    for (index, (part, draft)) in parts.iter().zip(drafts).enumerate() {
        while let Some(&(outer, outside)) = open.last()
            && parts.get(outer).is_none_or(|part| part.subtree_end <= index)
        {
            close(parts, drafts, outer, audience, outside, &mut out);
            audience = outside;
            open.pop();
        }
        if part.kind == PartKind::Multipart {
            out.wire(audience, b"(");
            open.push((index, audience));
            continue;
        }
        out.append(audience, &draft.head);
        out.wire(audience, b" ");
        out.number(audience, part.body().end - part.body().start);
        if part.kind == PartKind::Leaf {
            if draft.text {
                out.wire(audience, b" ");
                out.number(audience, part.lines);
            }
            out.append(audience, &draft.tail);
            out.wire(audience, b")");
            continue;
        }
        open.push((index, audience));
        if part.kind == PartKind::Global {
            audience = audience.and(Audience::ENTERED);
        }
        out.wire(audience, b" ");
        if let Some(message) = drafts.get(index + 1) {
            out.append(audience, &message.envelope);
        }
        out.wire(audience, b" ");
    }
    while let Some((outer, outside)) = open.pop() {
        close(parts, drafts, outer, audience, outside, &mut out);
        audience = outside;
    }
    out
}

/// Writes what comes behind the children of a part.
fn close(
    parts: &[Part],
    drafts: &[Draft],
    index: usize,
    inside: Audience,
    outside: Audience,
    out: &mut Writer,
) {
    let (Some(part), Some(draft)) = (parts.get(index), drafts.get(index)) else { return };
    if part.kind == PartKind::Multipart {
        out.append(outside, &draft.head);
    } else {
        out.wire(inside, b" ");
        out.number(inside, part.lines);
    }
    out.append(outside, &draft.tail);
    out.wire(outside, b")");
}
