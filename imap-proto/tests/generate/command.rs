//! Commands.

use mailwright_imap::types::{
    AppendCommand, AppendMessage, Atom, Command, CreateCommand, EventGroup, FetchAttribute, FetchCommand,
    GetMetadataCommand, KnownMailbox, ListCommand, ListReturn, ListSelection, MailboxFilter, MessageForm,
    Messages, MetadataDepth, ModSeqEntry, MultiSearchCommand, NotifyCommand, NotifyEvent, NumberEnd, Partial,
    ReplaceCommand, RightsAction, Search, SearchCommand, SearchDate, SearchKey, SearchReturn, SelectCommand,
    SetMetadataCommand, SortCommand, SortCriterion, SortKey, StatusItem, StoreAction, StoreCommand,
    StoreLabelsCommand, ThreadAlgorithm, ThreadCommand,
};
use mailwright_imap::value::Secret;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

fn date() -> impl Strategy<Value = SearchDate> + Clone {
    (0_u16..10_000, 1_u8..=12, 1_u8..=28).prop_map(|(year, month, day)| SearchDate { year, month, day })
}

fn keyword() -> impl Strategy<Value = mailwright_imap::value::Keyword> {
    text("[$A-Za-z][A-Za-z0-9+_-]{0,9}")
        .prop_map(|name| mailwright_imap::value::Keyword::new(core::str::from_utf8(&name).unwrap()).unwrap())
}

fn condition() -> BoxedStrategy<SearchKey> {
    let plain = proptest::sample::select(vec![
        SearchKey::All,
        SearchKey::Answered,
        SearchKey::Deleted,
        SearchKey::Draft,
        SearchKey::Flagged,
        SearchKey::New,
        SearchKey::Old,
        SearchKey::Recent,
        SearchKey::SaveDateSupported,
        SearchKey::Seen,
        SearchKey::Unanswered,
        SearchKey::Undeleted,
        SearchKey::Undraft,
        SearchKey::Unflagged,
        SearchKey::Unseen,
    ]);
    let strings = prop_oneof![
        string().prop_map(SearchKey::Bcc),
        string().prop_map(SearchKey::Body),
        string().prop_map(SearchKey::Cc),
        string().prop_map(SearchKey::Filter),
        string().prop_map(SearchKey::From),
        (string(), string()).prop_map(|(field, value)| SearchKey::Header(field, value)),
        string().prop_map(SearchKey::Subject),
        string().prop_map(SearchKey::Text),
        string().prop_map(SearchKey::To),
        string().prop_map(SearchKey::GmailLabels),
        string().prop_map(SearchKey::GmailRaw),
        keyword().prop_map(SearchKey::Keyword),
        keyword().prop_map(SearchKey::Unkeyword),
        object_id().prop_map(SearchKey::EmailId),
        object_id().prop_map(SearchKey::ThreadId),
    ];
    let dates = prop_oneof![
        date().prop_map(SearchKey::Before),
        date().prop_map(SearchKey::On),
        date().prop_map(SearchKey::SavedBefore),
        date().prop_map(SearchKey::SavedOn),
        date().prop_map(SearchKey::SavedSince),
        date().prop_map(SearchKey::SentBefore),
        date().prop_map(SearchKey::SentOn),
        date().prop_map(SearchKey::SentSince),
        date().prop_map(SearchKey::Since),
    ];
    let kind = proptest::sample::select(vec![ModSeqEntry::Private, ModSeqEntry::Shared, ModSeqEntry::All]);
    let numbers = prop_oneof![
        number_set().prop_map(SearchKey::Numbers),
        number_set().prop_map(SearchKey::Uid),
        any::<u64>().prop_map(SearchKey::Larger),
        any::<u64>().prop_map(SearchKey::Smaller),
        (1_u32..).prop_map(SearchKey::Older),
        (1_u32..).prop_map(SearchKey::Younger),
        uid().prop_map(SearchKey::UidAfter),
        uid().prop_map(SearchKey::UidBefore),
        any::<u64>().prop_map(SearchKey::GmailMessageId),
        any::<u64>().prop_map(SearchKey::GmailThreadId),
        (option::of((string(), kind)), mod_seq())
            .prop_map(|(entry, value)| SearchKey::ModSeq { entry, value }),
    ];
    prop_oneof![plain, strings, dates, numbers].boxed()
}

fn tree() -> impl Strategy<Value = Vec<SearchKey>> {
    condition().prop_map(|key| vec![key]).prop_recursive(5, 30, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|keys| [vec![SearchKey::Not], keys].concat()),
            inner.clone().prop_map(|keys| [vec![SearchKey::Fuzzy], keys].concat()),
            (inner.clone(), inner.clone())
                .prop_map(|(one, other)| [vec![SearchKey::Or], one, other].concat()),
            vec(inner, 1..4).prop_map(|keys| [vec![SearchKey::And(keys.len())], keys.concat()].concat()),
        ]
    })
}

pub(crate) fn search() -> impl Strategy<Value = Search> {
    vec(tree(), 1..4)
        .prop_map(|keys| Search::new([vec![SearchKey::And(keys.len())], keys.concat()].concat()).unwrap())
}

fn fetch_attribute() -> impl Strategy<Value = FetchAttribute> {
    let partial = || option::of((any::<u64>(), 1_u64..).prop_map(|(first, count)| Partial { first, count }));
    let plain = proptest::sample::select(vec![
        FetchAttribute::Body,
        FetchAttribute::BodyStructure,
        FetchAttribute::EmailId,
        FetchAttribute::Envelope,
        FetchAttribute::Flags,
        FetchAttribute::InternalDate,
        FetchAttribute::ModSeq,
        FetchAttribute::Preview { lazy: false },
        FetchAttribute::Preview { lazy: true },
        FetchAttribute::Rfc822,
        FetchAttribute::Rfc822Header,
        FetchAttribute::Rfc822Size,
        FetchAttribute::Rfc822Text,
        FetchAttribute::SaveDate,
        FetchAttribute::ThreadId,
        FetchAttribute::Uid,
        FetchAttribute::GmailLabels,
        FetchAttribute::GmailMessageId,
        FetchAttribute::GmailThreadId,
    ]);
    prop_oneof![
        2 => plain,
        1 => (any::<bool>(), section(), partial())
            .prop_map(|(peek, section, partial)| FetchAttribute::BodySection { peek, section, partial }),
        1 => (any::<bool>(), section_part(), partial())
            .prop_map(|(peek, part, partial)| FetchAttribute::Binary { peek, part, partial }),
        1 => section_part().prop_map(FetchAttribute::BinarySize),
    ]
}

fn returns() -> impl Strategy<Value = Option<Vec<SearchReturn>>> {
    let option = prop_oneof![
        Just(SearchReturn::Min),
        Just(SearchReturn::Max),
        Just(SearchReturn::All),
        Just(SearchReturn::Count),
        Just(SearchReturn::Save),
        Just(SearchReturn::Context),
        Just(SearchReturn::Relevancy),
        vec(fetch_attribute(), 0..3).prop_map(SearchReturn::Update),
    ];
    let partial = partial_range().prop_map(|range| vec![SearchReturn::Count, SearchReturn::Partial(range)]);
    option::of(prop_oneof![3 => vec(option, 0..4).boxed(), 1 => partial.boxed()])
}

fn messages() -> impl Strategy<Value = Messages> {
    prop_oneof![number_set().prop_map(Messages::Numbers), number_set().prop_map(Messages::Uids)]
}

fn filter(search: bool) -> impl Strategy<Value = MailboxFilter> {
    let names = || vec(mailbox(false), 1..3);
    prop_oneof![
        Just(if search { MailboxFilter::Selected } else { MailboxFilter::Inboxes }),
        Just(MailboxFilter::Inboxes),
        Just(MailboxFilter::Personal),
        Just(MailboxFilter::Subscribed),
        names().prop_map(MailboxFilter::Subtree),
        names().prop_map(move |names| if search {
            MailboxFilter::SubtreeOne(names)
        } else {
            MailboxFilter::Mailboxes(names)
        }),
        names().prop_map(MailboxFilter::Mailboxes),
    ]
}

fn notify() -> impl Strategy<Value = NotifyCommand> {
    let event = prop_oneof![event(), vec(fetch_attribute(), 0..3).prop_map(NotifyEvent::MessageNew)];
    let group = |filter: BoxedStrategy<MailboxFilter>| {
        (filter, vec(event.clone(), 0..4)).prop_map(|(mailboxes, events)| EventGroup { mailboxes, events })
    };
    let selected = proptest::sample::select(vec![MailboxFilter::Selected, MailboxFilter::SelectedDelayed]);
    let groups = (option::of(group(selected.boxed())), vec(group(filter(false).boxed()), 1..3))
        .prop_map(|(selected, others)| selected.into_iter().chain(others).collect());
    prop_oneof![
        Just(NotifyCommand::None),
        (any::<bool>(), groups).prop_map(|(status, groups)| NotifyCommand::Set { status, groups }),
    ]
}

fn list() -> impl Strategy<Value = ListCommand> {
    let selection =
        vec(proptest::sample::select(ListSelection::ALL.to_vec()), 0..4).prop_map(|mut options| {
            if options.contains(&ListSelection::RecursiveMatch) {
                options.push(ListSelection::Subscribed);
            }
            options
        });
    let option = prop_oneof![
        Just(ListReturn::Subscribed),
        Just(ListReturn::Children),
        Just(ListReturn::SpecialUse),
        Just(ListReturn::MyRights),
        status_items().prop_map(ListReturn::Status),
        vec(entry(), 1..3).prop_map(ListReturn::Metadata),
    ];
    (option::of(selection), string(), vec(string(), 1..3), option::of(vec(option, 0..4))).prop_map(
        |(selection, reference, patterns, returns)| {
            let mut list = ListCommand::new(reference, patterns[0].clone());
            (list.selection, list.patterns, list.returns) = (selection, patterns, returns);
            list
        },
    )
}

fn basic_list() -> impl Strategy<Value = ListCommand> {
    (string(), string()).prop_map(|(reference, pattern)| ListCommand::new(reference, pattern))
}

fn status_items() -> impl Strategy<Value = Vec<StatusItem>> {
    vec(proptest::sample::select(StatusItem::ALL.to_vec()), 1..4)
}

fn select() -> impl Strategy<Value = SelectCommand> {
    let known = (validity(), mod_seq(), option::of(numbers()), option::of((numbers(), numbers()))).prop_map(
        |(uid_validity, mod_seq, uids, numbers)| {
            let mut known = KnownMailbox::new(uid_validity, mod_seq);
            (known.uids, known.numbers) = (uids, numbers);
            known
        },
    );
    (mailbox(false), any::<bool>(), option::of(known)).prop_map(|(mailbox, condstore, known)| {
        let mut select = SelectCommand::new(mailbox);
        (select.condstore, select.known) = (condstore, known);
        select
    })
}

fn searches() -> impl Strategy<Value = Command> {
    let criterion = (any::<bool>(), proptest::sample::select(SortKey::ALL.to_vec()))
        .prop_map(|(reverse, key)| SortCriterion { reverse, key });
    let algorithm = prop_oneof![
        Just(ThreadAlgorithm::OrderedSubject),
        Just(ThreadAlgorithm::References),
        atom().prop_map(ThreadAlgorithm::Other),
    ];
    prop_oneof![
        (any::<bool>(), returns(), option::of(string()), search()).prop_map(
            |(uid, returns, charset, keys)| {
                let mut search = SearchCommand::new(uid, keys);
                (search.returns, search.charset) = (returns, charset);
                Command::Search(search)
            }
        ),
        (any::<bool>(), returns(), vec(criterion, 1..4), string(), search()).prop_map(
            |(uid, returns, criteria, charset, keys)| {
                let mut sort = SortCommand::new(uid, criteria, charset, keys);
                sort.returns = returns;
                Command::Sort(sort)
            }
        ),
        (any::<bool>(), algorithm, string(), search()).prop_map(|(uid, algorithm, charset, keys)| {
            Command::Thread(ThreadCommand::new(uid, algorithm, charset, keys))
        }),
        (vec(filter(true), 0..3), returns(), option::of(string()), search()).prop_map(
            |(sources, returns, charset, keys)| {
                let mut search = MultiSearchCommand::new(sources, keys);
                (search.returns, search.charset) = (returns, charset);
                Command::MultiSearch(search)
            }
        ),
        vec(tag(), 1..4).prop_map(Command::CancelUpdate),
    ]
}

fn action() -> impl Strategy<Value = StoreAction> {
    proptest::sample::select(vec![StoreAction::Replace, StoreAction::Add, StoreAction::Remove])
}

fn about_messages() -> impl Strategy<Value = Command> {
    let label = prop_oneof![
        text("\\\\[A-Z][a-z]{1,8}").prop_map(|label| OctetString::new(label).unwrap()),
        string(),
    ];
    prop_oneof![
        (
            messages(),
            vec(fetch_attribute(), 1..4),
            option::of(mod_seq()),
            any::<bool>(),
            option::of(partial_range())
        )
            .prop_map(|(messages, attributes, changed_since, vanished, partial)| {
                let mut fetch = FetchCommand::new(messages, attributes);
                fetch.vanished = vanished && fetch.messages.is_uid() && changed_since.is_some();
                (fetch.changed_since, fetch.partial) = (changed_since, partial);
                Command::Fetch(fetch)
            }),
        (messages(), option::of(mod_seq()), action(), any::<bool>(), flags()).prop_map(
            |(messages, unchanged_since, action, silent, flags)| {
                let mut store = StoreCommand::new(messages, action, flags);
                (store.unchanged_since, store.silent) = (unchanged_since, silent);
                Command::Store(store)
            }
        ),
        (messages(), action(), any::<bool>(), vec(label, 0..4)).prop_map(
            |(messages, action, silent, labels)| {
                let mut store = StoreLabelsCommand::new(messages, action, labels);
                store.silent = silent;
                Command::StoreLabels(store)
            }
        ),
        (messages(), mailbox(false)).prop_map(|(messages, mailbox)| Command::Copy { messages, mailbox }),
        (messages(), mailbox(false)).prop_map(|(messages, mailbox)| Command::Move { messages, mailbox }),
        option::of(number_set()).prop_map(Command::Expunge),
    ]
}

fn about_mailboxes() -> impl Strategy<Value = Command> {
    let name = || mailbox(false);
    let create = (name(), option::of(vec(attribute(), 0..3)))
        .prop_filter("a separator at the end is not part of the name", |(name, _)| {
            !name.wire(false).ends_with(b"/")
        })
        .prop_map(|(mailbox, special_use)| {
            let mut create = CreateCommand::new(mailbox);
            create.special_use = special_use;
            Command::Create(create)
        });
    prop_oneof![
        select().prop_map(Command::Select),
        select().prop_map(Command::Examine),
        create,
        name().prop_map(Command::Delete),
        (name(), name()).prop_map(|(from, to)| Command::Rename { from, to }),
        name().prop_map(Command::Subscribe),
        name().prop_map(Command::Unsubscribe),
        list().prop_map(Command::List),
        basic_list().prop_map(Command::Lsub),
        basic_list().prop_map(Command::Xlist),
        (name(), status_items()).prop_map(|(mailbox, items)| Command::Status { mailbox, items }),
        notify().prop_map(Command::Notify),
    ]
}

fn about_access() -> impl Strategy<Value = Command> {
    let name = || mailbox(false);
    let action =
        proptest::sample::select(vec![RightsAction::Replace, RightsAction::Add, RightsAction::Remove]);
    let depth =
        proptest::sample::select(vec![MetadataDepth::Zero, MetadataDepth::One, MetadataDepth::Infinity]);
    prop_oneof![
        (name(), option::of(any::<u64>()), depth, vec(entry(), 1..4)).prop_map(
            |(mailbox, max_size, depth, entries)| {
                let mut get = GetMetadataCommand::new(mailbox, entries);
                (get.max_size, get.depth) = (max_size, depth);
                Command::GetMetadata(get)
            }
        ),
        (name(), vec((entry(), option::of(binary())), 1..4))
            .prop_map(|(mailbox, values)| Command::SetMetadata(SetMetadataCommand::new(mailbox, values))),
        string().prop_map(Command::GetQuota),
        name().prop_map(Command::GetQuotaRoot),
        (string(), vec((resource(), any::<u64>()), 0..4))
            .prop_map(|(root, limits)| Command::SetQuota { root, limits }),
        (name(), string(), action, rights()).prop_map(|(mailbox, identifier, action, rights)| {
            Command::SetAcl { mailbox, identifier, action, rights }
        }),
        (name(), string()).prop_map(|(mailbox, identifier)| Command::DeleteAcl { mailbox, identifier }),
        name().prop_map(Command::GetAcl),
        (name(), string()).prop_map(|(mailbox, identifier)| Command::ListRights { mailbox, identifier }),
        name().prop_map(Command::MyRights),
    ]
}

fn about_sessions() -> impl Strategy<Value = Command> {
    let plain = proptest::sample::select(vec![
        Command::Capability,
        Command::Noop,
        Command::Logout,
        Command::StartTls,
        Command::Namespace,
        Command::Idle,
        Command::Check,
        Command::Close,
        Command::Unselect,
        Command::Unauthenticate,
        Command::Compress(Atom::new("DEFLATE").unwrap()),
    ]);
    prop_oneof![
        plain,
        (string(), string()).prop_map(|(user, password)| Command::Login {
            user,
            password: Secret::from(password.as_bytes()),
        }),
        (text("[A-Z0-9-]{1,12}"), option::of(text("[A-Za-z0-9+/]{1,12}={0,2}"))).prop_map(
            |(mechanism, initial)| Command::Authenticate {
                mechanism: OctetString::new(mechanism).unwrap(),
                initial: initial.map(|initial| Secret::from(&*initial)),
            }
        ),
        capabilities().prop_map(Command::Enable),
        vec((string(), option::of(string())), 0..4).prop_map(Command::Id),
    ]
}

/// Any command without a message.
pub(crate) fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        about_sessions().boxed(),
        about_mailboxes().boxed(),
        about_messages().boxed(),
        searches().boxed(),
        about_access().boxed(),
    ]
}

pub(crate) fn message_form() -> impl Strategy<Value = MessageForm> {
    proptest::sample::select(vec![
        MessageForm::Literal,
        MessageForm::Binary,
        MessageForm::Utf8,
        MessageForm::Catenate,
    ])
}

/// APPEND or REPLACE up to its message.
pub(crate) fn append() -> impl Strategy<Value = Command> {
    let append = (mailbox(false), flags(), option::of(date_time()), message_form()).prop_map(
        |(mailbox, flags, date, form)| {
            let mut append = AppendCommand::new(mailbox);
            (append.flags, append.date, append.form) = (flags, date, form);
            append
        },
    );
    let end = prop_oneof![number().prop_map(NumberEnd::Number), Just(NumberEnd::Largest)];
    (append, option::of((any::<bool>(), end))).prop_map(|(append, replaces)| match replaces {
        Some((uid, message)) => Command::Replace(ReplaceCommand::new(uid, message, append)),
        None => Command::Append(append),
    })
}

/// Another message of APPEND.
pub(crate) fn append_message() -> impl Strategy<Value = AppendMessage> {
    (flags(), option::of(date_time()), message_form()).prop_map(|(flags, date, form)| {
        let mut message = AppendMessage::default();
        (message.flags, message.date, message.form) = (flags, date, form);
        message
    })
}
