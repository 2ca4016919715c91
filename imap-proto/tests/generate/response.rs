//! Responses.

use core::num::NonZeroU32;

use bytes::Bytes;
use mailwright_imap::types::{
    AclResponse, Code, ExtendedSearch, FetchItem, ListData, ListResponse, ListRightsResponse, Mailbox,
    MetadataData, MetadataResponse, Namespace, Namespaces, NumberSet, OtherFlag, QuotaResponse, QuotaUsage,
    Response, SearchData, StatusItem, StatusKind, StatusResponse, StatusValue, Tag, ThreadNode, Threads,
};
use mailwright_imap::value::{Uid, UidRange};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::structure::{envelope, structure};
use super::*;

/// Words among flags that are none.
fn other_flags() -> impl Strategy<Value = Vec<OtherFlag>> {
    vec("\\\\X[a-z]{0,5}".prop_map(|word| OtherFlag::new(word).unwrap()), 0..3)
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
        Code::CompressionActive,
        Code::ContactAdmin,
        Code::Corruption,
        Code::Expired,
        Code::ExpungeIssued,
        Code::HasChildren,
        Code::InProgress { tag: None, done: None, goal: None },
        Code::InUse,
        Code::Limit,
        Code::MetadataNoPrivate,
        Code::MetadataTooMany,
        Code::NoModSeq,
        Code::NonExistent,
        Code::NotSaved,
        Code::NotificationOverflow,
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
        Code::UidRequired,
        Code::Unavailable,
        Code::UnknownCte,
        Code::UseAttr,
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
        (flags(), any::<bool>(), other_flags())
            .prop_map(|(flags, new_keywords, other)| Code::PermanentFlags { flags, new_keywords, other }),
        vec(event(), 0..4).prop_map(Code::BadEvent),
        text("[!-\\\\^-~]{1,20}").prop_map(Code::BadUrl),
        mod_seq().prop_map(Code::HighestModSeq),
        (option::of(tag()), option::of(any::<u32>()), option::of(any::<u32>()))
            .prop_map(|(tag, done, goal)| Code::InProgress { tag, done, goal }),
        object_id().prop_map(Code::MailboxId),
        (any::<u32>(), option::of(uid())).prop_map(|(limit, uid)| Code::MessageLimit { limit, uid }),
        any::<u64>().prop_map(Code::MetadataLongEntries),
        any::<u64>().prop_map(Code::MetadataMaxSize),
        numbers().prop_map(Code::Modified),
        tag().prop_map(Code::NoUpdate),
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
    let unknown = (text("X[A-Z]{1,9}"), text("\\(\"[a-z()]{0,5}\"\\)|[0-9]{1,3}"))
        .prop_map(|(tag, value)| ListData::Unknown { tag, value });
    let extended = vec(
        prop_oneof![
            unknown,
            vec(octets(), 0..3).prop_map(ListData::ChildInfo),
            mailbox(utf8).prop_map(ListData::OldName)
        ],
        0..3,
    );
    let fields = (vec(attribute(), 0..4), separator(), mailbox(utf8), extended);
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
            (mailbox(utf8), separator(), vec((octets(), vec(octets(), 0..3)), 0..2)).prop_map(
                |(prefix, separator, extensions)| {
                    let mut namespace = Namespace::new(prefix, separator);
                    namespace.extensions = extensions;
                    namespace
                },
            ),
            0..3,
        )
    };
    (list(), list(), list()).prop_map(|(personal, other_users, shared)| {
        let mut namespaces = Namespaces::default();
        (namespaces.personal, namespaces.other_users, namespaces.shared) = (personal, other_users, shared);
        Response::Namespace(namespaces)
    })
}

fn fetch_item() -> impl Strategy<Value = FetchItem> {
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
        envelope().prop_map(|envelope| FetchItem::Envelope(envelope.into())),
        (flags(), any::<bool>(), other_flags()).prop_map(|(flags, recent, other)| FetchItem::Flags {
            flags,
            recent,
            other
        }),
        date_time().prop_map(FetchItem::InternalDate),
        nstring().prop_map(FetchItem::Rfc822),
        nstring().prop_map(FetchItem::Rfc822Header),
        any::<u64>().prop_map(|size| FetchItem::Rfc822Size(Some(size))),
        nstring().prop_map(FetchItem::Rfc822Text),
        uid().prop_map(FetchItem::Uid),
        (section_part(), option::of(any::<u64>()), option::of(binary()))
            .prop_map(|(part, origin, octets)| FetchItem::Binary { part, origin, octets }),
        (section_part(), any::<u64>())
            .prop_map(|(part, size)| FetchItem::BinarySize { part, size: Some(size) }),
        object_id().prop_map(FetchItem::EmailId),
        mod_seq().prop_map(FetchItem::ModSeq),
        nstring().prop_map(FetchItem::Preview),
        option::of(date_time()).prop_map(FetchItem::SaveDate),
        option::of(object_id()).prop_map(FetchItem::ThreadId),
        vec(label(), 0..4).prop_map(FetchItem::GmailLabels),
        any::<u64>().prop_map(FetchItem::GmailMessageId),
        any::<u64>().prop_map(FetchItem::GmailThreadId),
        (text("X-[A-Z]{1,5}"), value).prop_map(|(name, value)| FetchItem::Unknown { name, value }),
    ]
}

fn label() -> impl Strategy<Value = Bytes> {
    prop_oneof![text("\\\\[A-Z][a-z]{1,8}"), text("[ -~]{1,10}"), text("[ä-ü]{1,5}")]
}

fn mailbox_status(utf8: bool) -> impl Strategy<Value = Response> {
    let item = proptest::sample::select(StatusItem::ALL.to_vec());
    let value = prop_oneof![
        (item, 1_u64..)
            .prop_filter("a number", |(item, _)| *item != StatusItem::MailboxId)
            .prop_map(StatusValue::from),
        object_id().prop_map(StatusValue::MailboxId),
        Just(StatusValue::NoAppendLimit),
        (text("X[A-Z]{1,5}"), text("[0-9]{1,5}|\\(\"[a-z()]{0,5}\"\\)"))
            .prop_map(|(name, value)| StatusValue::Unknown { name, value }),
    ];
    (mailbox(utf8), vec(value, 0..5))
        .prop_map(|(mailbox, values)| Response::MailboxStatus { mailbox, values })
}

fn threads() -> impl Strategy<Value = Threads> {
    // Trees with their answers in front: by chance, how many each message has.
    let node = (option::weighted(0.9, number()), 0_u32..4);
    vec(node, 0..20).prop_map(|nodes| {
        let mut threads = Vec::new();
        let mut missing = 0_u32;
        for (number, answers) in nodes {
            let only = threads.last().is_some_and(|before: &ThreadNode| before.answers == 1);
            let number = if only { number.or(NonZeroU32::new(3)) } else { number };
            let answers = if number.is_none() { answers.max(2) } else { answers };
            missing = missing.saturating_sub(1) + answers;
            threads.push(ThreadNode { number, answers });
        }
        threads.extend((0..missing).map(|_| ThreadNode { number: NonZeroU32::new(7), answers: 0 }));
        Threads::new(threads).unwrap()
    })
}

fn changes() -> impl Strategy<Value = Vec<(u32, NumberSet)>> {
    vec((any::<u32>(), numbers()), 0..3)
}

fn search_data() -> impl Strategy<Value = SearchData> {
    prop_oneof![
        number().prop_map(SearchData::Min),
        number().prop_map(SearchData::Max),
        numbers().prop_map(SearchData::All),
        any::<u64>().prop_map(SearchData::Count),
        mod_seq().prop_map(SearchData::ModSeq),
        (partial_range(), option::of(numbers())).prop_map(|(range, found)| SearchData::Partial(range, found)),
        vec(1_u8..=100, 0..5).prop_map(SearchData::Relevancy),
        changes().prop_map(SearchData::AddTo),
        changes().prop_map(SearchData::RemoveFrom),
        (text("X[A-Z]{1,5}"), text("[0-9]{1,5}|\\(\"[a-z()]{0,5}\"\\)"))
            .prop_map(|(name, value)| SearchData::Unknown { name, value }),
    ]
}

fn extended_search(utf8: bool) -> impl Strategy<Value = ExtendedSearch> {
    let about = (option::of(tag()), option::of(mailbox(utf8)), option::of(validity()));
    (about, any::<bool>(), vec(search_data(), 0..5)).prop_map(|((tag, mailbox, uid_validity), uid, data)| {
        let mut search = ExtendedSearch::default();
        (search.tag, search.mailbox, search.uid_validity) = (tag, mailbox, uid_validity);
        (search.uid, search.data) = (uid, data);
        search
    })
}

fn metadata(utf8: bool) -> impl Strategy<Value = MetadataResponse> {
    let data = prop_oneof![
        vec((entry(), option::of(binary())), 0..4).prop_map(MetadataData::Values),
        vec(entry(), 1..4).prop_map(MetadataData::Changed),
    ];
    let mailbox = prop_oneof![mailbox(utf8), Just(Mailbox::Other("".into()))];
    (mailbox, data).prop_map(|(mailbox, data)| MetadataResponse::new(mailbox, data))
}

fn access(utf8: bool) -> impl Strategy<Value = Response> {
    let usage = (resource(), any::<u64>(), any::<u64>()).prop_map(|(resource, usage, limit)| QuotaUsage {
        resource,
        usage,
        limit,
    });
    prop_oneof![
        (string(), vec(usage, 0..4))
            .prop_map(|(root, resources)| Response::Quota(QuotaResponse::new(root, resources))),
        (mailbox(utf8), vec(string(), 0..4))
            .prop_map(|(mailbox, roots)| Response::QuotaRoot { mailbox, roots }),
        (mailbox(utf8), vec((string(), rights()), 0..4))
            .prop_map(|(mailbox, entries)| Response::Acl(AclResponse::new(mailbox, entries))),
        (mailbox(utf8), string(), rights(), vec(rights(), 0..4)).prop_map(
            |(mailbox, identifier, required, optional)| {
                Response::ListRights(ListRightsResponse::new(mailbox, identifier, required, optional))
            }
        ),
        (mailbox(utf8), rights()).prop_map(|(mailbox, rights)| Response::MyRights { mailbox, rights }),
    ]
}

/// Any response.
pub(crate) fn response(utf8: bool) -> impl Strategy<Value = Response> {
    prop_oneof![
        status(),
        text("([ -Z\\\\-~][ -~]{0,20})?").prop_map(Response::Continue),
        capabilities().prop_map(Response::Capability),
        list(utf8).prop_map(Response::List),
        list(utf8).prop_map(Response::Lsub),
        namespaces(utf8),
        mailbox_status(utf8),
        (vec(1_u32.., 0..20), option::of(mod_seq()))
            .prop_map(|(numbers, mod_seq)| Response::Search { numbers, mod_seq }),
        (vec(1_u32.., 0..20), option::of(mod_seq()))
            .prop_map(|(numbers, mod_seq)| Response::Sort { numbers, mod_seq }),
        threads().prop_map(Response::Thread),
        extended_search(utf8).prop_map(Response::ExtendedSearch),
        capabilities().prop_map(Response::Enabled),
        list(utf8).prop_map(Response::Xlist),
        (uid(), vec(fetch_item(), 0..4)).prop_map(|(uid, items)| Response::UidFetch { uid, items }),
        (any::<bool>(), ranges()).prop_map(|(earlier, uids)| Response::Vanished { earlier, uids }),
        metadata(utf8).prop_map(Response::Metadata),
        access(utf8),
        (flags(), other_flags()).prop_map(|(flags, other)| Response::Flags { flags, other }),
        any::<u32>().prop_map(Response::Exists),
        any::<u32>().prop_map(Response::Recent),
        (1_u32..).prop_map(Response::Expunge),
        (1_u32.., vec(fetch_item(), 0..4)).prop_map(|(number, items)| Response::Fetch { number, items }),
        vec((string(), option::of(string())), 0..4).prop_map(Response::Id),
        text("\\* X[A-Z]{0,5}( [a-z0-9()]{1,10})?").prop_map(Response::Unknown),
    ]
}
