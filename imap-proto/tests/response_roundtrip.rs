//! What the encoder writes, the reader reads, in pieces of any size; strict mode has nothing to complain about.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod reading;

use bytes::{Bytes, BytesMut};
use core::num::NonZeroU32;
use mailwright_imap::parse::{ParseResponseError, ResponseLimits};
use mailwright_imap::types::{
    Address, BodyStructure, Capability, Code, DateTime, Envelope, Extension, FetchItem, ListAttribute,
    ListResponse, Mailbox, Namespace, Namespaces, OctetString, Part, Response, Section, SectionText,
    StatusItem, StatusKind, StatusResponse, Tag,
};
use mailwright_imap::value::{DeviationKind, Flag, Uid, UidRange, UidValidity, UnixTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use reading::{read, strict};

fn text(pattern: &'static str) -> impl Strategy<Value = Bytes> + Clone {
    proptest::string::string_regex(pattern).unwrap().prop_map(Bytes::from).boxed()
}

/// Octets of a string: anything but NUL.
fn octets() -> BoxedStrategy<Bytes> {
    prop_oneof![text("[ -~]{0,12}"), vec(1_u8..=255, 0..12).prop_map(Bytes::from), text("[a-z]{1020,1030}")]
        .boxed()
}

fn string() -> impl Strategy<Value = OctetString> {
    octets().prop_map(|octets| OctetString::new(octets).unwrap())
}

fn nstring() -> impl Strategy<Value = Option<Bytes>> {
    option::of(octets())
}

fn capabilities() -> impl Strategy<Value = Vec<Capability>> {
    vec(text("[A-Z][A-Z0-9=+-]{0,12}").prop_map(|name| Capability::new(name).unwrap()), 1..5)
}

fn mailbox(utf8: bool) -> impl Strategy<Value = Mailbox> {
    let names = prop_oneof![
        text("[a-zA-Z ./&]{0,10}"),
        octets(),
        Just("Entw&APw-rfe".into()),
        Just("Entwürfe".into())
    ];
    names.prop_map(move |name| Mailbox::read(name, utf8))
}

fn flags() -> impl Strategy<Value = Vec<Flag>> {
    let keyword = text("[$A-Za-z0-9+\\[_-]{1,10}")
        .prop_map(|name| Flag::new(core::str::from_utf8(&name).unwrap()).unwrap());
    vec(prop_oneof![proptest::sample::select(Flag::SYSTEM.to_vec()), keyword], 0..5)
}

fn uid() -> impl Strategy<Value = Uid> {
    (1_u32..).prop_map(|uid| Uid::new(uid).unwrap())
}

fn ranges() -> impl Strategy<Value = Vec<UidRange>> {
    vec((uid(), uid()).prop_map(|(one, other)| UidRange::new(one, other)), 1..5)
}

fn validity() -> impl Strategy<Value = UidValidity> {
    (1_u32..).prop_map(|value| UidValidity::new(value).unwrap())
}

fn code() -> impl Strategy<Value = Code> {
    let plain = vec![
        Code::Alert,
        Code::AlreadyExists,
        Code::AuthenticationFailed,
        Code::AuthorizationFailed,
        Code::Cannot,
        Code::ClientBug,
        Code::Closed,
        Code::ContactAdmin,
        Code::Corruption,
        Code::Expired,
        Code::ExpungeIssued,
        Code::InUse,
        Code::Limit,
        Code::NonExistent,
        Code::NoPerm,
        Code::OverQuota,
        Code::Parse,
        Code::PrivacyRequired,
        Code::ReadOnly,
        Code::ReadWrite,
        Code::ServerBug,
        Code::TooBig,
        Code::TryCreate,
        Code::UidNotSticky,
        Code::Unavailable,
    ];
    let copied =
        (validity(), 1_u32..1000, 1_u32..1000, 0_u32..50).prop_map(|(uid_validity, from, to, count)| {
            let uid = |value| Uid::new(value).unwrap();
            // The same UIDs, cut differently.
            let source = vec![
                UidRange::new(uid(from), uid(from)),
                UidRange::new(uid(from + 1), uid(from + 1 + count)),
            ];
            let destination = vec![UidRange::new(uid(to), uid(to + 1 + count))];
            Code::CopyUid { uid_validity, source, destination }
        });
    prop_oneof![
        proptest::sample::select(plain),
        (validity(), ranges()).prop_map(|(uid_validity, uids)| Code::AppendUid { uid_validity, uids }),
        copied,
        vec(string(), 0..4).prop_map(Code::BadCharset),
        capabilities().prop_map(Code::Capability),
        (flags(), any::<bool>())
            .prop_map(|(flags, new_keywords)| Code::PermanentFlags { flags, new_keywords }),
        uid().prop_map(Code::UidNext),
        validity().prop_map(Code::UidValidity),
        (1_u32..).prop_map(Code::Unseen),
        text("X[A-Z-]{0,5}( [!-\\\\^-~]{1,10})?").prop_map(Code::Unknown),
    ]
}

fn status() -> impl Strategy<Value = Response> {
    let kind = proptest::sample::select(vec![
        StatusKind::Ok,
        StatusKind::No,
        StatusKind::Bad,
        StatusKind::Bye,
        StatusKind::PreAuth,
    ]);
    let tag = option::of(text("[a-z\\]][a-z0-9]{0,5}"));
    let words =
        prop_oneof![text("[!-Z\\\\-~][ -~]{0,20}"), text("[a-z]{1,3} \\{[0-9]{1,3}\\}"), text("[ä-ü]{1,5}")];
    (kind, tag, option::of(code()), words).prop_map(|(kind, tag, code, text)| {
        let tag = tag.filter(|_| !matches!(kind, StatusKind::Bye | StatusKind::PreAuth));
        let mut status = StatusResponse::new(kind, "");
        status.code = code;
        status.text = text;
        Response::Status { tag: tag.map(|tag| Tag::new(tag).unwrap()), status }
    })
}

fn list(utf8: bool) -> impl Strategy<Value = ListResponse> {
    let attribute = prop_oneof![
        proptest::sample::select(vec![
            ListAttribute::NoSelect,
            ListAttribute::Sent,
            ListAttribute::HasChildren
        ]),
        text("\\\\X[a-z]{0,5}").prop_map(ListAttribute::read),
    ];
    let extended = vec((text("[A-Z]{1,9}"), text("\\(\"[a-z()]{0,5}\"\\)|[0-9]{1,3}")), 0..3);
    let fields = (vec(attribute, 0..4), separator(), mailbox(utf8), extended);
    fields.prop_map(|(attributes, separator, mailbox, extended)| {
        let mut list = ListResponse::new(mailbox, attributes);
        list.separator = separator;
        list.extended = extended;
        list
    })
}

fn separator() -> impl Strategy<Value = Option<u8>> {
    option::of(b' '..=b'~')
}

fn namespaces(utf8: bool) -> impl Strategy<Value = Response> {
    let list = move || {
        vec(
            (mailbox(utf8), separator()).prop_map(|(prefix, separator)| Namespace::new(prefix, separator)),
            0..3,
        )
    };
    (list(), list(), list()).prop_map(|(personal, other_users, shared)| {
        let mut namespaces = Namespaces::default();
        (namespaces.personal, namespaces.other_users, namespaces.shared) = (personal, other_users, shared);
        Response::Namespace(namespaces)
    })
}

fn section() -> impl Strategy<Value = Section> {
    let part = vec((1_u32..).prop_map(|number| NonZeroU32::new(number).unwrap()), 0..4);
    let kind = prop_oneof![
        Just(None),
        Just(Some(SectionText::Header)),
        Just(Some(SectionText::Text)),
        Just(Some(SectionText::Mime)),
        (any::<bool>(), vec(string(), 1..4))
            .prop_map(|(not, names)| Some(SectionText::HeaderFields { not, names })),
    ];
    (part, kind).prop_map(|(part, text)| {
        let text = text.filter(|text| *text != SectionText::Mime || !part.is_empty());
        Section::new(part, text)
    })
}

fn addresses() -> impl Strategy<Value = Vec<Address>> {
    let address = (nstring(), nstring(), nstring(), nstring()).prop_map(|(name, route, mailbox, host)| {
        let mut address = Address::default();
        (address.name, address.route, address.mailbox, address.host) = (name, route, mailbox, host);
        address
    });
    vec(address, 0..3)
}

fn envelope() -> impl Strategy<Value = Envelope> {
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

fn structure(extended: bool) -> impl Strategy<Value = BodyStructure> {
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

fn fetch_item() -> impl Strategy<Value = FetchItem> {
    let date = (-60_000_000_000_i64..250_000_000_000, -1439_i16..1440)
        .prop_map(|(seconds, zone)| DateTime { time: UnixTime::from_seconds(seconds), zone });
    let value = prop_oneof![
        text("[0-9]{1,5}"),
        text("\\([a-z]{1,3} \\(\"[(){}]{0,3}\"\\)\\)"),
        text("\"[a-z)]{0,3}\"")
    ];
    prop_oneof![
        structure(false).prop_map(FetchItem::Body),
        (section(), option::of(any::<u64>()), nstring())
            .prop_map(|(section, origin, octets)| FetchItem::BodySection { section, origin, octets }),
        structure(true).prop_map(FetchItem::BodyStructure),
        envelope().prop_map(FetchItem::Envelope),
        (flags(), any::<bool>()).prop_map(|(flags, recent)| FetchItem::Flags { flags, recent }),
        date.prop_map(FetchItem::InternalDate),
        nstring().prop_map(FetchItem::Rfc822),
        nstring().prop_map(FetchItem::Rfc822Header),
        any::<u64>().prop_map(|size| FetchItem::Rfc822Size(Some(size))),
        nstring().prop_map(FetchItem::Rfc822Text),
        uid().prop_map(FetchItem::Uid),
        (text("X-[A-Z]{1,5}"), value).prop_map(|(name, value)| FetchItem::Unknown { name, value }),
    ]
}

fn mailbox_status(utf8: bool) -> impl Strategy<Value = Response> {
    let value = (proptest::sample::select(StatusItem::ALL.to_vec()), 1_u64..);
    (mailbox(utf8), vec(value, 0..5))
        .prop_map(|(mailbox, values)| Response::MailboxStatus { mailbox, values })
}

fn response(utf8: bool) -> impl Strategy<Value = Response> {
    prop_oneof![
        status(),
        text("([ -Z\\\\-~][ -~]{0,20})?").prop_map(Response::Continue),
        capabilities().prop_map(Response::Capability),
        list(utf8).prop_map(Response::List),
        list(utf8).prop_map(Response::Lsub),
        namespaces(utf8),
        mailbox_status(utf8),
        vec(1_u32.., 0..20).prop_map(Response::Search),
        flags().prop_map(Response::Flags),
        any::<u32>().prop_map(Response::Exists),
        any::<u32>().prop_map(Response::Recent),
        (1_u32..).prop_map(Response::Expunge),
        (1_u32.., vec(fetch_item(), 0..4)).prop_map(|(number, items)| Response::Fetch { number, items }),
        vec((string(), option::of(string())), 0..4).prop_map(Response::Id),
        text("\\* X[A-Z]{0,5}( [a-z0-9()]{1,10})?").prop_map(Response::Unknown),
    ]
}

fn check(response: &Response, utf8: bool) -> Result<(), TestCaseError> {
    let mut limits = strict();
    limits.utf8 = utf8;
    let mut wire = BytesMut::new();
    response.encode(&mut wire, utf8);
    let parsed = Response::parse(&wire, &limits);
    let parsed = parsed.map_err(|error| TestCaseError::fail(format!("{error}: {}", wire.escape_ascii())))?;
    prop_assert_eq!(&parsed.response, response, "{}", wire.escape_ascii());
    // Any octets can be a name.
    let names = parsed.deviations.iter().all(|deviation| deviation.kind == DeviationKind::MailboxName);
    prop_assert!(names, "{:?}", parsed.deviations);
    let whole = read(&wire, usize::MAX, &limits);
    prop_assert_eq!(read(&wire, 1, &limits), whole, "{}", wire.escape_ascii());
    let mut again = BytesMut::new();
    parsed.response.encode(&mut again, utf8);
    prop_assert_eq!(again, wire);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_response_is_read_as_it_was_written(response in response(false)) {
        check(&response, false)?;
    }

    #[test]
    fn a_response_with_names_in_utf8_is_read_as_it_was_written(response in response(true)) {
        check(&response, true)?;
    }

    #[test]
    fn what_is_cut_off_is_incomplete(response in response(false), at in any::<proptest::sample::Index>()) {
        let mut wire = BytesMut::new();
        response.encode(&mut wire, false);
        let cut = at.index(wire.len());
        prop_assert_eq!(
            Response::parse(&wire[..cut], &ResponseLimits::default()),
            Err(ParseResponseError::Incomplete)
        );
        wire.extend_from_slice(b"* 1 EXISTS\r\n");
        prop_assert_eq!(Response::parse(&wire, &ResponseLimits::default()), Err(ParseResponseError::Trailing));
    }
}

#[test]
fn a_bracket_in_a_charset_does_not_end_the_code() {
    let charsets = ["]", "a]b", "utf-8"].map(|name| OctetString::new(name).unwrap());
    let status = StatusResponse::new(StatusKind::No, "x").with_code(Code::BadCharset(charsets.to_vec()));
    check(&Response::Status { tag: None, status }, false).unwrap();
}
