//! Writing commands. RFC 9051 §6, §9.

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::value::{Flag, ModSeq};

use super::{
    LiteralPolicy, Literals, put_astring, put_nstring, put_octets, put_quoted, put_string, split_at_pauses,
};
use crate::types::{
    Command, CreateCommand, FetchCommand, GetMetadataCommand, KnownMailbox, ListAttribute, MailboxFilter,
    Messages, MetadataDepth, MetadataEntry, NotifyCommand, NotifyEvent, NumberSet, OctetString, OtherFlag,
    RightsAction, SelectCommand, SetMetadataCommand, StoreAction, StoreCommand, StoreLabelsCommand, Tag,
    Verb,
};

/// Why a command cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A password holds a NUL, which no string can hold.
    #[error("a NUL in the password")]
    Nul,
    /// A response in base64 has something else in it.
    #[error("the initial response is not base64")]
    Base64,
    /// A mechanism is no atom.
    #[error("the name of the mechanism is not an atom")]
    Mechanism,
    /// A list is empty that must not be.
    #[error("nothing is asked for")]
    Empty,
    /// A set has `*` or is `$` where only numbers are possible.
    #[error("a set with * or $ where only numbers can stand")]
    Set,
    /// A modification sequence is zero that must not be.
    #[error("a modification sequence of zero")]
    ModSeq,
    /// An attribute or label that cannot be written: a backslash and a word is all that it can be.
    #[error("not an attribute of a mailbox")]
    Attribute,
    /// Arguments that do not go together.
    #[error("{0}")]
    Contradiction(&'static str),
}

impl Command {
    /// Its name.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Capability => Verb::Capability,
            Self::Noop => Verb::Noop,
            Self::Logout => Verb::Logout,
            Self::StartTls => Verb::StartTls,
            Self::Authenticate { .. } => Verb::Authenticate,
            Self::Login { .. } => Verb::Login,
            Self::Select(_) => Verb::Select,
            Self::Examine(_) => Verb::Examine,
            Self::Create(_) => Verb::Create,
            Self::Delete(_) => Verb::Delete,
            Self::Rename { .. } => Verb::Rename,
            Self::Subscribe(_) => Verb::Subscribe,
            Self::Unsubscribe(_) => Verb::Unsubscribe,
            Self::List(_) => Verb::List,
            Self::Lsub(_) => Verb::Lsub,
            Self::Namespace => Verb::Namespace,
            Self::Status { .. } => Verb::Status,
            Self::Append(_) => Verb::Append,
            Self::Idle => Verb::Idle,
            Self::Check => Verb::Check,
            Self::Close => Verb::Close,
            Self::Unselect => Verb::Unselect,
            Self::Expunge(_) => Verb::Expunge,
            Self::Search(_) => Verb::Search,
            Self::Fetch(_) => Verb::Fetch,
            Self::Store(_) | Self::StoreLabels(_) => Verb::Store,
            Self::Copy { .. } => Verb::Copy,
            Self::Move { .. } => Verb::Move,
            Self::Id(_) => Verb::Id,
            Self::Enable(_) => Verb::Enable,
            Self::Sort(_) => Verb::Sort,
            Self::Thread(_) => Verb::Thread,
            Self::MultiSearch(_) => Verb::MultiSearch,
            Self::CancelUpdate(_) => Verb::CancelUpdate,
            Self::Replace(_) => Verb::Replace,
            Self::Notify(_) => Verb::Notify,
            Self::GetMetadata(_) => Verb::GetMetadata,
            Self::SetMetadata(_) => Verb::SetMetadata,
            Self::GetQuota(_) => Verb::GetQuota,
            Self::GetQuotaRoot(_) => Verb::GetQuotaRoot,
            Self::SetQuota { .. } => Verb::SetQuota,
            Self::SetAcl { .. } => Verb::SetAcl,
            Self::DeleteAcl { .. } => Verb::DeleteAcl,
            Self::GetAcl(_) => Verb::GetAcl,
            Self::ListRights { .. } => Verb::ListRights,
            Self::MyRights(_) => Verb::MyRights,
            Self::Compress(_) => Verb::Compress,
            Self::Unauthenticate => Verb::Unauthenticate,
            Self::Xlist(_) => Verb::Xlist,
        }
    }

    /// The messages that it names, if it is of those that act on messages.
    #[must_use]
    pub const fn messages(&self) -> Option<&Messages> {
        match self {
            Self::Fetch(FetchCommand { messages, .. })
            | Self::Store(StoreCommand { messages, .. })
            | Self::StoreLabels(StoreLabelsCommand { messages, .. })
            | Self::Copy { messages, .. }
            | Self::Move { messages, .. } => Some(messages),
            _ => None,
        }
    }

    /// Whether it is the UID form.
    #[must_use]
    pub const fn is_uid(&self) -> bool {
        match self {
            Self::Search(search) => search.uid,
            Self::Sort(sort) => sort.uid,
            Self::Thread(thread) => thread.uid,
            Self::Replace(replace) => replace.uid,
            Self::Expunge(uids) => uids.is_some(),
            _ => match self.messages() {
                Some(messages) => messages.is_uid(),
                None => false,
            },
        }
    }

    /// Writes the command: one piece, or several between which the server must consent to a literal (`+`).
    /// APPEND and REPLACE end where their message is announced, without line end: see
    /// [`AppendMessage`](crate::types::AppendMessage) for what follows.
    ///
    /// # Errors
    /// If a value cannot be written; see [`EncodeError`].
    ///
    /// ```
    /// use mailwright_imap::types::{Command, Mailbox, Tag};
    /// use mailwright_imap::LiteralPolicy;
    ///
    /// let select = Command::Select(Mailbox::read("Entw&APw-rfe".into(), false).into());
    /// let pieces = select.encode(&Tag::new("a1")?, LiteralPolicy::Synchronising, false)?;
    /// assert_eq!(pieces, ["a1 SELECT Entw&APw-rfe\r\n"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode(&self, tag: &Tag, policy: LiteralPolicy, utf8: bool) -> Result<Vec<Bytes>, EncodeError> {
        let mut wire = BytesMut::new();
        let mut literals = Literals::command(&mut wire, policy, utf8);
        literals.wire().put_slice(tag.as_bytes());
        literals.wire().put_slice(if self.is_uid() { b" UID " } else { b" " });
        literals.wire().put_slice(self.verb().entry().name.as_bytes());
        self.put_arguments(&mut literals)?;
        if !matches!(self, Self::Append(_) | Self::Replace(_)) {
            literals.wire().put_slice(b"\r\n");
        }
        let pauses = literals.pauses();
        Ok(split_at_pauses(wire, &pauses))
    }

    fn put_arguments(&self, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Authenticate { mechanism, initial } => {
                return put_authenticate(
                    mechanism,
                    initial.as_ref().map(|initial| initial.expose()),
                    literals,
                );
            }
            Self::Login { user, password } => {
                if password.expose().contains(&0) {
                    return Err(EncodeError::Nul);
                }
                put_argument(user, literals);
                literals.put(" ");
                put_astring(password.expose(), literals);
            }
            Self::Enable(names) => {
                some(names)?;
                for name in names {
                    literals.put(" ");
                    literals.put(name.as_str());
                }
            }
            Self::Select(select) | Self::Examine(select) => return put_select(select, literals),
            Self::Create(create) => return put_create(create, literals),
            Self::Delete(mailbox)
            | Self::Subscribe(mailbox)
            | Self::Unsubscribe(mailbox)
            | Self::GetQuotaRoot(mailbox)
            | Self::GetAcl(mailbox)
            | Self::MyRights(mailbox) => literals.put_mailbox(mailbox),
            Self::Rename { from, to } => {
                literals.put_mailbox(from);
                literals.put_mailbox(to);
            }
            Self::List(list) => return super::list::put_command(list, true, literals),
            Self::Lsub(list) | Self::Xlist(list) => return super::list::put_command(list, false, literals),
            Self::Status { mailbox, items } => {
                literals.put_mailbox(mailbox);
                literals.put(" ");
                return super::list::put_status_items(items, literals);
            }
            Self::Append(append) => super::append::put_append(append, literals),
            Self::Replace(replace) => super::append::put_replace(replace, literals),
            Self::Expunge(Some(uids)) => {
                literals.put(" ");
                uids.encode(literals.wire());
            }
            Self::Search(search) => return super::search::put_search(search, literals),
            Self::Sort(sort) => return super::search::put_sort(sort, literals),
            Self::Thread(thread) => super::search::put_thread(thread, literals),
            Self::MultiSearch(search) => return super::search::put_multi_search(search, literals),
            Self::CancelUpdate(tags) => {
                some(tags)?;
                for tag in tags {
                    literals.put(" ");
                    put_quoted(tag.as_str(), literals.wire());
                }
            }
            Self::Fetch(fetch) => return put_fetch(fetch, literals),
            Self::Store(store) => put_store(store, literals),
            Self::StoreLabels(store) => return put_store_labels(store, literals),
            Self::Copy { messages, mailbox } | Self::Move { messages, mailbox } => {
                put_messages(messages, literals);
                literals.put_mailbox(mailbox);
            }
            Self::Id(pairs) => put_id(pairs, literals),
            Self::Notify(notify) => return put_notify(notify, literals),
            Self::GetMetadata(get) => return put_get_metadata(get, literals),
            Self::SetMetadata(set) => return put_set_metadata(set, literals),
            Self::GetQuota(root) => put_argument(root, literals),
            Self::SetQuota { root, limits } => {
                put_argument(root, literals);
                literals.put(" ");
                literals.put_list(limits, |(resource, limit), literals| {
                    literals.put(resource.as_str());
                    literals.put(" ");
                    literals.put_number(*limit);
                });
            }
            Self::SetAcl { mailbox, identifier, action, rights } => {
                literals.put_mailbox(mailbox);
                put_argument(identifier, literals);
                let sign = match action {
                    RightsAction::Replace => "",
                    RightsAction::Add => "+",
                    RightsAction::Remove => "-",
                };
                literals.put(" ");
                put_astring(alloc::format!("{sign}{rights}").as_bytes(), literals);
            }
            Self::DeleteAcl { mailbox, identifier } | Self::ListRights { mailbox, identifier } => {
                literals.put_mailbox(mailbox);
                put_argument(identifier, literals);
            }
            Self::Compress(mechanism) => {
                literals.put(" ");
                literals.put(mechanism.as_str());
            }
            Self::Capability
            | Self::Noop
            | Self::Logout
            | Self::StartTls
            | Self::Namespace
            | Self::Idle
            | Self::Check
            | Self::Close
            | Self::Unselect
            | Self::Unauthenticate
            | Self::Expunge(None) => {}
        }
        Ok(())
    }
}

/// Refuses an empty list.
pub(super) const fn some<T>(elements: &[T]) -> Result<(), EncodeError> {
    if elements.is_empty() { Err(EncodeError::Empty) } else { Ok(()) }
}

/// A space and a string.
pub(super) fn put_argument(value: &OctetString, literals: &mut Literals<'_>) {
    literals.put(" ");
    put_astring(value.as_bytes(), literals);
}

fn put_authenticate(
    mechanism: &OctetString,
    initial: Option<&[u8]>,
    literals: &mut Literals<'_>,
) -> Result<(), EncodeError> {
    let mechanism = mechanism.as_bytes();
    if mechanism.is_empty() || !mechanism.iter().all(|octet| super::is_atom_octet(*octet)) {
        return Err(EncodeError::Mechanism);
    }
    literals.put(" ");
    literals.wire().put_slice(mechanism);
    if let Some(initial) = initial {
        if initial.is_empty() || !initial.iter().all(u8::is_ascii_graphic) {
            return Err(EncodeError::Base64);
        }
        literals.put(" ");
        literals.wire().put_slice(initial);
    }
    Ok(())
}

/// RFC 7162 §7: `select-param`.
fn put_select(select: &SelectCommand, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    literals.put_mailbox(&select.mailbox);
    match (&select.known, select.condstore) {
        (None, false) => {}
        (None, true) => literals.put(" (CONDSTORE)"),
        (Some(known), condstore) => {
            literals.put(if condstore { " (CONDSTORE QRESYNC (" } else { " (QRESYNC (" });
            put_known(known, literals)?;
            literals.put("))");
        }
    }
    Ok(())
}

fn put_known(known: &KnownMailbox, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    if known.mod_seq == ModSeq::ZERO {
        return Err(EncodeError::ModSeq);
    }
    literals.put_number(known.uid_validity.get());
    literals.put(" ");
    literals.put_number(known.mod_seq.get());
    let put = |before: &str, set: &NumberSet, literals: &mut Literals<'_>| {
        if set.has_largest() || set.is_saved() {
            return Err(EncodeError::Set);
        }
        literals.put(before);
        set.encode(literals.wire());
        Ok(())
    };
    if let Some(uids) = &known.uids {
        put(" ", uids, literals)?;
    }
    if let Some((numbers, uids)) = &known.numbers {
        put(" (", numbers, literals)?;
        put(" ", uids, literals)?;
        literals.put(")");
    }
    Ok(())
}

/// RFC 6154 §6: `create-param`.
fn put_create(create: &CreateCommand, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    literals.put_mailbox(&create.mailbox);
    let Some(uses) = &create.special_use else { return Ok(()) };
    if !uses.iter().map(ListAttribute::as_bytes).all(is_backslash_word) {
        return Err(EncodeError::Attribute);
    }
    literals.put(" (USE ");
    literals.put_list(uses, |attribute, literals| literals.wire().put_slice(attribute.as_bytes()));
    literals.put(")");
    Ok(())
}

/// A backslash and an atom.
pub(super) fn is_backslash_word(word: &[u8]) -> bool {
    word.strip_prefix(b"\\")
        .is_some_and(|word| !word.is_empty() && word.iter().all(|octet| super::is_atom_octet(*octet)))
}

fn put_messages(messages: &Messages, literals: &mut Literals<'_>) {
    literals.put(" ");
    messages.set().encode(literals.wire());
}

/// RFC 7162 §7, RFC 9394 §4: `fetch-modifier`.
fn put_fetch(fetch: &FetchCommand, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    some(&fetch.attributes)?;
    // RFC 7162 §3.2.6: VANISHED only in UID FETCH, and only with CHANGEDSINCE.
    if fetch.vanished && (!fetch.messages.is_uid() || fetch.changed_since.is_none()) {
        return Err(EncodeError::Contradiction("VANISHED without UID or CHANGEDSINCE"));
    }
    put_messages(&fetch.messages, literals);
    literals.put(" ");
    literals.put_list(&fetch.attributes, |attribute, literals| attribute.encode(literals));
    let mut before = " (";
    if let Some(mod_seq) = fetch.changed_since {
        literals.put(&alloc::format!("{before}CHANGEDSINCE {mod_seq}"));
        before = " ";
    }
    if fetch.vanished {
        literals.put(" VANISHED");
    }
    if let Some(partial) = fetch.partial {
        literals.put(&alloc::format!("{before}PARTIAL {partial}"));
        before = " ";
    }
    if before == " " {
        literals.put(")");
    }
    Ok(())
}

fn put_store(store: &StoreCommand, literals: &mut Literals<'_>) {
    put_messages(&store.messages, literals);
    if let Some(mod_seq) = store.unchanged_since {
        literals.put(&alloc::format!(" (UNCHANGEDSINCE {mod_seq})"));
    }
    put_store_action(store.action, "FLAGS", store.silent, literals);
    put_flags(&store.flags, None, &[], literals);
}

fn put_store_labels(store: &StoreLabelsCommand, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    put_messages(&store.messages, literals);
    put_store_action(store.action, "X-GM-LABELS", store.silent, literals);
    literals.put_list(&store.labels, |label, literals| super::message::put_label(label.as_bytes(), literals));
    Ok(())
}

fn put_store_action(action: StoreAction, what: &str, silent: bool, literals: &mut Literals<'_>) {
    literals.put(match action {
        StoreAction::Replace => " ",
        StoreAction::Add => " +",
        StoreAction::Remove => " -",
    });
    literals.put(what);
    literals.put(if silent { ".SILENT " } else { " " });
}

/// Fields and values of ID, or NIL.
pub(super) fn put_id(pairs: &[(OctetString, Option<OctetString>)], literals: &mut Literals<'_>) {
    if pairs.is_empty() {
        return literals.put(" NIL");
    }
    literals.put(" ");
    literals.put_list(pairs, |(field, value), literals| {
        put_string(field.as_bytes(), literals);
        literals.put(" ");
        put_nstring(value.as_ref().map(OctetString::as_bytes), literals);
    });
}

/// RFC 5465 §8.
fn put_notify(notify: &NotifyCommand, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    let NotifyCommand::Set { status, groups } = notify else {
        literals.put(" NONE");
        return Ok(());
    };
    some(groups)?;
    let mut selected = 0;
    literals.put(if *status { " SET STATUS" } else { " SET" });
    for group in groups {
        literals.put(" (");
        match &group.mailboxes {
            MailboxFilter::Selected | MailboxFilter::SelectedDelayed => selected += 1,
            MailboxFilter::SubtreeOne(_) => {
                return Err(EncodeError::Contradiction("subtree-one in NOTIFY"));
            }
            _ => {}
        }
        put_filter(&group.mailboxes, literals)?;
        literals.put(" ");
        if group.events.is_empty() {
            literals.put("NONE");
        } else {
            literals.put_list(&group.events, put_event);
        }
        literals.put(")");
    }
    if selected > 1 { Err(EncodeError::Contradiction("the selected mailbox twice")) } else { Ok(()) }
}

/// An event with what is to be told of new messages.
fn put_event(event: &NotifyEvent, literals: &mut Literals<'_>) {
    literals.put(event.as_str());
    if let NotifyEvent::MessageNew(attributes) = event
        && !attributes.is_empty()
    {
        literals.put(" ");
        literals.put_list(attributes, |attribute, literals| attribute.encode(literals));
    }
}

/// RFC 5465 §8: `filter-mailboxes`.
pub(super) fn put_filter(filter: &MailboxFilter, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    literals.put(filter.as_str());
    match filter {
        MailboxFilter::Subtree(names)
        | MailboxFilter::SubtreeOne(names)
        | MailboxFilter::Mailboxes(names) => {
            some(names)?;
            match names.as_slice() {
                [name] => literals.put_mailbox(name),
                names => {
                    literals.put(" ");
                    literals.put_list(names, |name, literals| literals.put_name(name));
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// RFC 5464 §5: `entries`.
pub(super) fn put_entries(entries: &[MetadataEntry], literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    some(entries)?;
    match entries {
        [entry] => put_astring(entry.as_str().as_bytes(), literals),
        _ => literals.put_list(entries, |entry, literals| put_astring(entry.as_str().as_bytes(), literals)),
    }
    Ok(())
}

fn put_get_metadata(get: &GetMetadataCommand, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    let depth = match get.depth {
        MetadataDepth::Zero => None,
        MetadataDepth::One => Some("DEPTH 1"),
        MetadataDepth::Infinity => Some("DEPTH infinity"),
    };
    match (get.max_size, depth) {
        (None, None) => {}
        (Some(size), None) => literals.put(&alloc::format!(" (MAXSIZE {size})")),
        (None, Some(depth)) => literals.put(&alloc::format!(" ({depth})")),
        (Some(size), Some(depth)) => literals.put(&alloc::format!(" (MAXSIZE {size} {depth})")),
    }
    literals.put_mailbox(&get.mailbox);
    literals.put(" ");
    put_entries(&get.entries, literals)
}

fn put_set_metadata(set: &SetMetadataCommand, literals: &mut Literals<'_>) -> Result<(), EncodeError> {
    some(&set.values)?;
    literals.put_mailbox(&set.mailbox);
    literals.put(" ");
    literals.put_list(&set.values, put_metadata_value);
    Ok(())
}

/// An entry and its value.
pub(super) fn put_metadata_value(
    (entry, value): &(MetadataEntry, Option<Bytes>),
    literals: &mut Literals<'_>,
) {
    put_astring(entry.as_str().as_bytes(), literals);
    literals.put(" ");
    match value {
        Some(value) => put_octets(value, literals),
        None => literals.put("NIL"),
    }
}

/// Flags, and what else a server tells among them.
pub(super) fn put_flags<'a>(
    flags: &'a [Flag],
    special: Option<&'a str>,
    other: impl IntoIterator<Item = &'a OtherFlag>,
    literals: &mut Literals<'_>,
) {
    let wire = literals.wire();
    let mut separator = b'(';
    let mut put = |flag: &[u8]| {
        wire.put_u8(separator);
        wire.put_slice(flag);
        separator = b' ';
    };
    for flag in flags {
        put(flag.as_bytes());
    }
    if let Some(flag) = special {
        put(flag.as_bytes());
    }
    for flag in other {
        put(flag.as_bytes());
    }
    wire.put_slice(if separator == b'(' { b"()" } else { b")" });
}

#[cfg(test)]
mod tests;
