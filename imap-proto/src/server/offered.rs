//! What of the grammar the server offers: the rest is refused as if it were not known.

use crate::types::{
    Command, FetchAttribute, ListCommand, MessageForm, NumberSet, SearchKey, SelectCommand, StatusItem, Verb,
};

/// Whether the command is offered at all.
pub(super) const fn is_offered(verb: Verb) -> bool {
    !matches!(
        verb,
        Verb::Enable
            | Verb::Sort
            | Verb::Thread
            | Verb::MultiSearch
            | Verb::CancelUpdate
            | Verb::Replace
            | Verb::Notify
            | Verb::GetMetadata
            | Verb::SetMetadata
            | Verb::GetQuota
            | Verb::GetQuotaRoot
            | Verb::SetQuota
            | Verb::SetAcl
            | Verb::DeleteAcl
            | Verb::GetAcl
            | Verb::ListRights
            | Verb::MyRights
            | Verb::Compress
            | Verb::Unauthenticate
            | Verb::Xlist
    )
}

/// What in a command is not offered, if anything.
pub(super) fn not_offered(command: &Command) -> Option<&'static str> {
    if command.messages().is_some_and(|messages| messages.set().is_saved()) {
        return Some("no saved results here");
    }
    match command {
        Command::Select(select) | Command::Examine(select) => in_select(select),
        Command::Create(create) => create.special_use.is_some().then_some("no special uses here"),
        Command::List(list) | Command::Lsub(list) => in_list(list),
        Command::Status { items, .. } => in_status(items),
        Command::Append(append) => (append.form != MessageForm::Literal).then_some("one literal, please"),
        Command::Expunge(Some(uids)) => in_set(uids),
        Command::Search(search) if search.returns.is_some() => Some("no return options here"),
        Command::Search(search) => search.search.keys().iter().find_map(in_search),
        Command::Fetch(fetch) if fetch.changed_since.is_some() || fetch.partial.is_some() => {
            Some("no modifiers here")
        }
        Command::Fetch(fetch) => fetch.attributes.iter().find_map(in_fetch),
        Command::Store(store) => store.unchanged_since.map(|_| "no modifiers here"),
        Command::StoreLabels(_) => Some("no labels here"),
        _ => None,
    }
}

fn in_set(set: &NumberSet) -> Option<&'static str> {
    set.is_saved().then_some("no saved results here")
}

fn in_select(select: &SelectCommand) -> Option<&'static str> {
    (select.condstore || select.known.is_some()).then_some("no parameters here")
}

fn in_list(list: &ListCommand) -> Option<&'static str> {
    list.is_extended().then_some("no options here")
}

fn in_status(items: &[StatusItem]) -> Option<&'static str> {
    let known = |item: &StatusItem| {
        matches!(
            item,
            StatusItem::Messages
                | StatusItem::Recent
                | StatusItem::UidNext
                | StatusItem::UidValidity
                | StatusItem::Unseen
                | StatusItem::Size
                | StatusItem::Deleted
        )
    };
    (!items.iter().all(known)).then_some("no such status item here")
}

fn in_search(key: &SearchKey) -> Option<&'static str> {
    match key {
        SearchKey::Numbers(set) | SearchKey::Uid(set) => in_set(set),
        SearchKey::Fuzzy
        | SearchKey::EmailId(_)
        | SearchKey::Filter(_)
        | SearchKey::ModSeq { .. }
        | SearchKey::Older(_)
        | SearchKey::SavedBefore(_)
        | SearchKey::SaveDateSupported
        | SearchKey::SavedOn(_)
        | SearchKey::SavedSince(_)
        | SearchKey::ThreadId(_)
        | SearchKey::UidAfter(_)
        | SearchKey::UidBefore(_)
        | SearchKey::Younger(_)
        | SearchKey::GmailLabels(_)
        | SearchKey::GmailMessageId(_)
        | SearchKey::GmailRaw(_)
        | SearchKey::GmailThreadId(_) => Some("no such search key here"),
        _ => None,
    }
}

fn in_fetch(attribute: &FetchAttribute) -> Option<&'static str> {
    match attribute {
        FetchAttribute::Binary { .. }
        | FetchAttribute::BinarySize(_)
        | FetchAttribute::EmailId
        | FetchAttribute::ModSeq
        | FetchAttribute::Preview { .. }
        | FetchAttribute::SaveDate
        | FetchAttribute::ThreadId
        | FetchAttribute::GmailLabels
        | FetchAttribute::GmailMessageId
        | FetchAttribute::GmailThreadId => Some("no such fetch attribute here"),
        _ => None,
    }
}
