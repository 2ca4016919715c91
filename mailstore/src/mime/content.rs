//! [`Content`]: what the `Content-*` fields of an entity say.
//!
//! RFC 2045 §5 (Content-Type), §6.1 (Content-Transfer-Encoding), RFC 2046 §5.1.1 (boundary), §5.1.5
//! (digest), RFC 2183 (Content-Disposition), RFC 3282 §2 (Content-Language). Continuations and charsets of
//! parameters are `parameter`'s.

use alloc::vec::Vec;

use super::header::{Field, Fields};
use super::lexer::{Lexer, trim};
use super::limits::{Findings, Limits};
use super::parameter::{self, Parameter};
use super::structure::{Encoding, PartKind};

/// RFC 2046 §5.1.1: "boundary := 0*69<bchars> bcharsnospace".
pub(super) const MOST_BOUNDARY: usize = 70;

/// The type of what is not looked into.
pub(super) const OCTETS: (&[u8], &[u8]) = (b"APPLICATION", b"OCTET-STREAM");

/// What a body is, as far as the scanner cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Leaf,
    /// With its boundary, and whether it is a digest.
    Multipart(Vec<u8>, bool),
    /// `message/rfc822`
    Message,
    /// `message/global`
    Global,
}

/// What the fields say.
#[derive(Debug)]
pub(super) struct Content<'a> {
    pub(super) kind: Kind,
    pub(super) media_type: &'a [u8],
    pub(super) subtype: &'a [u8],
    pub(super) parameters: Vec<Parameter<'a>>,
    /// Content-Transfer-Encoding as written.
    pub(super) encoding_name: Option<&'a [u8]>,
    pub(super) encoding: Encoding,
    pub(super) disposition: Option<(&'a [u8], Vec<Parameter<'a>>)>,
    pub(super) languages: Vec<&'a [u8]>,
    pub(super) id: Option<&'a [u8]>,
    pub(super) description: Option<&'a [u8]>,
    pub(super) md5: Option<&'a [u8]>,
    pub(super) location: Option<&'a [u8]>,
    /// The type is not written anywhere.
    pub(super) implied: bool,
}

impl<'a> Content<'a> {
    /// Reads the fields of an entity, which is a child of a digest or not.
    pub(super) fn read(
        fields: &'a Fields,
        in_digest: bool,
        limits: &Limits,
        findings: &mut Findings,
    ) -> Self {
        let encoding_name = fields.get(Field::ContentTransferEncoding).and_then(encoding_name);
        let mut content = Self {
            kind: Kind::Leaf,
            media_type: b"TEXT",
            subtype: b"PLAIN",
            parameters: Vec::new(),
            encoding_name,
            encoding: encoding_name.map_or(Encoding::Identity, Encoding::of),
            disposition: fields
                .get(Field::ContentDisposition)
                .and_then(|value| disposition(value, limits, findings)),
            languages: fields
                .get(Field::ContentLanguage)
                .map_or_else(Vec::new, |value| languages(value, limits, findings)),
            id: fields.get(Field::ContentId).map(trim),
            description: fields.get(Field::ContentDescription).map(trim),
            md5: fields.get(Field::ContentMd5).map(trim),
            location: fields.get(Field::ContentLocation).map(trim),
            implied: true,
        };
        let Some(value) = fields.get(Field::ContentType) else {
            // RFC 2046 §5.1.5: in a digest "the default Content-Type value for a body part is changed from
            // "text/plain" to "message/rfc822"".
            if in_digest {
                content.kind = Kind::Message;
                (content.media_type, content.subtype) = (b"MESSAGE", b"RFC822");
            }
            return content;
        };
        if let Some((media_type, subtype, parameters)) = content_type(value, limits, findings)
            && let Some(kind) = kind(media_type, subtype, &parameters)
        {
            content.kind = kind;
            (content.media_type, content.subtype) = (media_type, subtype);
            content.parameters = parameters;
            content.implied = false;
        } else {
            // RFC 2045 §5.2: the default is also assumed if the field is "syntactically invalid".
            *findings |= Findings::CONTENT_TYPE;
        }
        content
    }

    /// The type of a part that became `entered`. A message or multipart that is not entered has no form of its
    /// own in a body structure (RFC 3501 §9, `media-basic`), so it is octets.
    pub(super) const fn shown_type(&self, entered: PartKind) -> (&'a [u8], &'a [u8]) {
        match (&self.kind, entered) {
            (Kind::Message | Kind::Multipart(..), PartKind::Leaf) => OCTETS,
            _ => (self.media_type, self.subtype),
        }
    }

    pub(super) fn is_text(&self) -> bool {
        self.media_type.eq_ignore_ascii_case(b"text")
    }

    pub(super) fn charset(&self) -> Option<&[u8]> {
        parameter::find(&self.parameters, b"charset")
    }
}

/// What a type is to the scanner; `None` for a multipart without a usable boundary.
fn kind(media_type: &[u8], subtype: &[u8], parameters: &[Parameter<'_>]) -> Option<Kind> {
    if media_type.eq_ignore_ascii_case(b"multipart") {
        let boundary = parameter::find(parameters, b"boundary")?;
        let usable = matches!(boundary.len(), 1..=MOST_BOUNDARY)
            && !boundary.iter().any(|octet| b"\r\n".contains(octet));
        return usable.then(|| Kind::Multipart(boundary.to_vec(), subtype.eq_ignore_ascii_case(b"digest")));
    }
    let message =
        |name: &[u8]| media_type.eq_ignore_ascii_case(b"message") && subtype.eq_ignore_ascii_case(name);
    Some(match () {
        () if message(b"rfc822") => Kind::Message,
        () if message(b"global") => Kind::Global,
        () => Kind::Leaf,
    })
}

type ContentType<'a> = (&'a [u8], &'a [u8], Vec<Parameter<'a>>);

fn content_type<'a>(value: &'a [u8], limits: &Limits, findings: &mut Findings) -> Option<ContentType<'a>> {
    let mut lexer = Lexer::new(value);
    lexer.skip_comments();
    let media_type = lexer.token();
    lexer.skip_comments();
    let slash = lexer.accept(b'/');
    lexer.skip_comments();
    let subtype = lexer.token();
    let ends = ends(&mut lexer);
    if media_type.is_empty() || !slash || subtype.is_empty() || !ends {
        return None;
    }
    Some((media_type, subtype, parameter::read(&mut lexer, limits, findings)))
}

/// Whether nothing but parameters follows.
fn ends(lexer: &mut Lexer<'_>) -> bool {
    lexer.skip_comments();
    matches!(lexer.peek(), None | Some(b';'))
}

/// RFC 2045 §6.1: a token. What follows it is ignored.
fn encoding_name(value: &[u8]) -> Option<&[u8]> {
    let mut lexer = Lexer::new(value);
    lexer.skip_comments();
    Some(lexer.token()).filter(|name| !name.is_empty())
}

/// RFC 2183 §2. A field without a valid type says nothing.
fn disposition<'a>(
    value: &'a [u8],
    limits: &Limits,
    findings: &mut Findings,
) -> Option<(&'a [u8], Vec<Parameter<'a>>)> {
    let mut lexer = Lexer::new(value);
    lexer.skip_comments();
    let kind = lexer.token();
    if kind.is_empty() || !ends(&mut lexer) {
        return None;
    }
    Some((kind, parameter::read(&mut lexer, limits, findings)))
}

/// RFC 3282 §2: a list of tags. What is no tag is left out.
fn languages<'a>(value: &'a [u8], limits: &Limits, findings: &mut Findings) -> Vec<&'a [u8]> {
    let mut lexer = Lexer::new(value);
    let mut tags = Vec::new();
    while !lexer.is_empty() {
        lexer.skip_comments();
        let tag = lexer.token();
        if tags.len() == limits.parameters {
            *findings |= Findings::PARAMETERS;
            break;
        }
        if !tag.is_empty() {
            tags.push(tag);
        }
        lexer.skip_to(b',');
        lexer.accept(b',');
    }
    tags
}
