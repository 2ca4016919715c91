//! Values by chance, for tests that write and read them.

#![allow(dead_code, reason = "each test program uses some of it")]

pub(crate) mod command;
pub(crate) mod response;
pub(crate) mod structure;

use core::num::NonZeroU32;

use bytes::Bytes;
use mailwright_imap::types::{
    Atom, Capability, DateTime, ListAttribute, Mailbox, MetadataEntry, NotifyEvent, NumberEnd, NumberRange,
    NumberSet, ObjectId, OctetString, PartialRange, QuotaResource, Rights, Section, SectionPart, SectionText,
    Tag,
};
use mailwright_imap::value::{Flag, ModSeq, Uid, UidRange, UidValidity, UnixTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub(crate) fn text(pattern: &'static str) -> impl Strategy<Value = Bytes> + Clone {
    proptest::string::string_regex(pattern).unwrap().prop_map(Bytes::from).boxed()
}

/// Octets of a string: anything but NUL.
pub(crate) fn octets() -> BoxedStrategy<Bytes> {
    prop_oneof![text("[ -~]{0,12}"), vec(1_u8..=255, 0..12).prop_map(Bytes::from), text("[a-z]{1020,1030}")]
        .boxed()
}

pub(crate) fn string() -> impl Strategy<Value = OctetString> {
    octets().prop_map(|octets| OctetString::new(octets).unwrap())
}

pub(crate) fn nstring() -> impl Strategy<Value = Option<Bytes>> {
    option::of(octets())
}

pub(crate) fn capabilities() -> impl Strategy<Value = Vec<Capability>> {
    vec(text("[A-Z][A-Z0-9=+-]{0,12}").prop_map(|name| Capability::new(name).unwrap()), 1..5)
}

pub(crate) fn mailbox(utf8: bool) -> impl Strategy<Value = Mailbox> {
    let names = prop_oneof![
        text("[a-zA-Z ./&]{0,10}"),
        octets(),
        Just("Entw&APw-rfe".into()),
        Just("Entwürfe".into())
    ];
    names.prop_map(move |name| Mailbox::read(name, utf8))
}

pub(crate) fn flags() -> impl Strategy<Value = Vec<Flag>> {
    let keyword = text("[$A-Za-z0-9+\\[_-]{1,10}")
        .prop_map(|name| Flag::new(core::str::from_utf8(&name).unwrap()).unwrap());
    vec(prop_oneof![proptest::sample::select(Flag::SYSTEM.to_vec()), keyword], 0..5)
}

pub(crate) fn uid() -> impl Strategy<Value = Uid> {
    (1_u32..).prop_map(|uid| Uid::new(uid).unwrap())
}

pub(crate) fn ranges() -> impl Strategy<Value = Vec<UidRange>> {
    vec((uid(), uid()).prop_map(|(one, other)| UidRange::new(one, other)), 1..5)
}

pub(crate) fn validity() -> impl Strategy<Value = UidValidity> {
    (1_u32..).prop_map(|value| UidValidity::new(value).unwrap())
}

pub(crate) fn section() -> impl Strategy<Value = Section> {
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

pub(crate) fn mod_seq() -> impl Strategy<Value = ModSeq> + Clone {
    (1_u64..1 << 63).prop_map(|value| ModSeq::new(value).unwrap())
}

pub(crate) fn number() -> impl Strategy<Value = NonZeroU32> + Clone {
    (1_u32..).prop_map(|number| NonZeroU32::new(number).unwrap())
}

pub(crate) fn section_part() -> impl Strategy<Value = SectionPart> {
    vec(number(), 0..4)
}

/// A set without `*`.
pub(crate) fn numbers() -> impl Strategy<Value = NumberSet> + Clone {
    let end = || number().prop_map(NumberEnd::Number);
    vec((end(), end()).prop_map(|(from, to)| NumberRange { from, to }), 1..5)
        .prop_map(|ranges| NumberSet::new(ranges).unwrap())
}

/// Any set.
pub(crate) fn number_set() -> impl Strategy<Value = NumberSet> + Clone {
    let end = || prop_oneof![number().prop_map(NumberEnd::Number), Just(NumberEnd::Largest)];
    let ranges = vec((end(), end()).prop_map(|(from, to)| NumberRange { from, to }), 1..5)
        .prop_map(|ranges| NumberSet::new(ranges).unwrap());
    prop_oneof![4 => ranges, 1 => Just(NumberSet::saved())]
}

pub(crate) fn partial_range() -> impl Strategy<Value = PartialRange> + Clone {
    (any::<bool>(), number(), number()).prop_map(|(from_end, from, to)| PartialRange { from_end, from, to })
}

pub(crate) fn atom() -> impl Strategy<Value = Atom> {
    text("X[A-Z0-9.=+-]{1,8}").prop_map(|word| Atom::new(word).unwrap())
}

pub(crate) fn tag() -> impl Strategy<Value = Tag> {
    text("[a-z\\]][a-z0-9.]{0,5}").prop_map(|tag| Tag::new(tag).unwrap())
}

pub(crate) fn object_id() -> impl Strategy<Value = ObjectId> {
    text("[A-Za-z0-9_-]{1,20}").prop_map(|id| ObjectId::new(id).unwrap())
}

pub(crate) fn rights() -> impl Strategy<Value = Rights> {
    text("[a-z0-9]{0,8}").prop_map(|letters| Rights::new(letters).unwrap())
}

pub(crate) fn resource() -> impl Strategy<Value = QuotaResource> {
    prop_oneof![
        Just(QuotaResource::Storage),
        Just(QuotaResource::Message),
        Just(QuotaResource::Mailbox),
        Just(QuotaResource::AnnotationStorage),
        atom().prop_map(QuotaResource::Other),
    ]
}

pub(crate) fn entry() -> impl Strategy<Value = MetadataEntry> + Clone {
    text("(/[a-z .(\"\\\\]{1,5}){1,3}").prop_map(|name| MetadataEntry::new(name).unwrap())
}

/// Octets that may have NUL.
pub(crate) fn binary() -> impl Strategy<Value = Bytes> {
    prop_oneof![octets(), vec(any::<u8>(), 0..12).prop_map(Bytes::from)]
}

pub(crate) fn date_time() -> impl Strategy<Value = DateTime> {
    (-60_000_000_000_i64..250_000_000_000, -1439_i16..1440)
        .prop_map(|(seconds, zone)| DateTime { time: UnixTime::from_seconds(seconds), zone })
}

pub(crate) fn attribute() -> impl Strategy<Value = ListAttribute> {
    prop_oneof![
        proptest::sample::select(vec![
            ListAttribute::NoSelect,
            ListAttribute::Sent,
            ListAttribute::HasChildren,
            ListAttribute::NoAccess,
            ListAttribute::Important,
        ]),
        text("\\\\X[a-z]{0,5}").prop_map(ListAttribute::read),
    ]
}

/// Events without anything to be told of new messages.
pub(crate) fn event() -> impl Strategy<Value = NotifyEvent> {
    prop_oneof![
        Just(NotifyEvent::MessageNew(Vec::new())),
        Just(NotifyEvent::MessageExpunge),
        Just(NotifyEvent::FlagChange),
        Just(NotifyEvent::AnnotationChange),
        Just(NotifyEvent::MailboxName),
        Just(NotifyEvent::SubscriptionChange),
        Just(NotifyEvent::MailboxMetadataChange),
        Just(NotifyEvent::ServerMetadataChange),
        atom().prop_map(NotifyEvent::Other),
    ]
}
