//! The JSON of commands: their name and a field for each argument.

use mailwright_imap::types::{
    AppendCommand, AppendMessage, Command, FetchCommand, KnownMailbox, ListCommand, ListReturn,
    MailboxFilter, MessageForm, Messages, MetadataDepth, NotifyCommand, NotifyEvent, NumberSet, OctetString,
    RightsAction, SearchReturn, SelectCommand, StatusItem, StoreAction,
};
use mailwright_imap::value::{Flag, ModSeq};
use serde_json::{Map, Value, json};

use super::values::{attributes, flags, list, mailbox, metadata, search, set, string};
use crate::json;

/// The name and the arguments.
pub(super) fn command(command: &Command) -> Value {
    let name = command.verb().entry().name;
    let mut shown = Map::new();
    shown.insert("command".to_owned(), json!(name));
    if command.verb().entry().has_uid_form {
        shown.insert("uid".to_owned(), json!(command.is_uid()));
    }
    if let Value::Object(arguments) = arguments(command) {
        shown.extend(arguments);
    }
    shown.into()
}

fn arguments(command: &Command) -> Value {
    match command {
        Command::Authenticate { mechanism, initial } => json!({
            "mechanism": string(mechanism),
            "initial_response": initial.as_ref().map(|initial| json::hidden(initial.expose())),
        }),
        Command::Login { user, password } => {
            json!({ "user": string(user), "password": json::hidden(password.expose()) })
        }
        Command::Enable(names) => json!({ "capabilities": list(names, |name| json!(name.as_str())) }),
        Command::Select(select) | Command::Examine(select) => self::select(select),
        Command::Create(create) => json!({
            "mailbox": mailbox(&create.mailbox),
            "special_use": create.special_use.as_ref().map(|uses| list(uses, |attribute| json::text(attribute.as_bytes()))),
        }),
        Command::Delete(name)
        | Command::Subscribe(name)
        | Command::Unsubscribe(name)
        | Command::GetQuotaRoot(name)
        | Command::GetAcl(name)
        | Command::MyRights(name) => json!({ "mailbox": mailbox(name) }),
        Command::Rename { from, to } => json!({ "from": mailbox(from), "to": mailbox(to) }),
        Command::List(command) | Command::Lsub(command) | Command::Xlist(command) => list_command(command),
        Command::Status { mailbox: name, items } => {
            json!({ "mailbox": mailbox(name), "items": status_items(items) })
        }
        Command::Append(append) => self::append(append),
        Command::Replace(replace) => {
            let mut shown = append(&replace.append);
            if let Some(object) = shown.as_object_mut() {
                object.insert("message".to_owned(), json!(replace.message.to_string()));
            }
            shown
        }
        Command::Expunge(uids) => json!({ "uids": uids.as_ref().map(set) }),
        Command::Fetch(fetch) => self::fetch(fetch),
        Command::Store(store) => json!({
            "messages": messages(&store.messages),
            "unchanged_since": mod_seq(store.unchanged_since),
            "action": action(store.action),
            "silent": store.silent,
            "flags": flags(&store.flags),
        }),
        Command::StoreLabels(store) => json!({
            "messages": messages(&store.messages),
            "action": action(store.action),
            "silent": store.silent,
            "labels": list(&store.labels, string),
        }),
        Command::Copy { messages: set, mailbox: name } | Command::Move { messages: set, mailbox: name } => {
            json!({ "messages": messages(set), "mailbox": mailbox(name) })
        }
        Command::Id(pairs) => id(pairs),
        Command::CancelUpdate(tags) => json!({ "tags": list(tags, |tag| json!(tag.as_str())) }),
        Command::Notify(notify) => self::notify(notify),
        Command::Compress(mechanism) => json!({ "mechanism": mechanism.as_str() }),
        command => searches(command).unwrap_or_else(|| access(command)),
    }
}

fn searches(command: &Command) -> Option<Value> {
    Some(match command {
        Command::Search(command) => json!({
            "return": returns(command.returns.as_deref()),
            "charset": command.charset.as_ref().map(string),
            "search": search(&command.search),
        }),
        Command::Sort(sort) => json!({
            "return": returns(sort.returns.as_deref()),
            "criteria": list(&sort.criteria, |criterion| {
                json!({ "reverse": criterion.reverse, "key": criterion.key.as_str() })
            }),
            "charset": string(&sort.charset),
            "search": search(&sort.search),
        }),
        Command::Thread(thread) => json!({
            "algorithm": thread.algorithm.as_str(),
            "charset": string(&thread.charset),
            "search": search(&thread.search),
        }),
        Command::MultiSearch(command) => json!({
            "in": list(&command.sources, filter),
            "return": returns(command.returns.as_deref()),
            "charset": command.charset.as_ref().map(string),
            "search": search(&command.search),
        }),
        _ => return None,
    })
}

/// Annotations, quotas, rights; nothing for a command without arguments.
fn access(command: &Command) -> Value {
    match command {
        Command::GetMetadata(get) => json!({
            "mailbox": mailbox(&get.mailbox),
            "max_size": get.max_size,
            "depth": match get.depth {
                MetadataDepth::Zero => "0",
                MetadataDepth::One => "1",
                MetadataDepth::Infinity => "infinity",
            },
            "entries": list(&get.entries, |entry| json!(entry.as_str())),
        }),
        Command::SetMetadata(set) => {
            json!({ "mailbox": mailbox(&set.mailbox), "values": metadata(&set.values) })
        }
        Command::GetQuota(root) => json!({ "root": string(root) }),
        Command::SetQuota { root, limits } => json!({
            "root": string(root),
            "limits": list(limits, |(resource, limit)| json!({ "resource": resource.as_str(), "limit": limit })),
        }),
        Command::SetAcl { mailbox: name, identifier, action, rights } => json!({
            "mailbox": mailbox(name),
            "identifier": string(identifier),
            "action": match action {
                RightsAction::Replace => "replace",
                RightsAction::Add => "add",
                RightsAction::Remove => "remove",
            },
            "rights": rights.as_str(),
        }),
        Command::DeleteAcl { mailbox: name, identifier }
        | Command::ListRights { mailbox: name, identifier } => {
            json!({ "mailbox": mailbox(name), "identifier": string(identifier) })
        }
        _ => json!({}),
    }
}

fn select(select: &SelectCommand) -> Value {
    json!({
        "mailbox": mailbox(&select.mailbox),
        "condstore": select.condstore,
        "qresync": select.known.as_ref().map(known),
    })
}

fn known(known: &KnownMailbox) -> Value {
    json!({
        "uid_validity": known.uid_validity.get(),
        "mod_seq": known.mod_seq.get(),
        "uids": known.uids.as_ref().map(set),
        "numbers": known.numbers.as_ref().map(|(numbers, uids)| json!({ "numbers": set(numbers), "uids": set(uids) })),
    })
}

fn list_command(command: &ListCommand) -> Value {
    json!({
        "selection": command.selection.as_ref().map(|options| list(options, |option| json!(option.as_str()))),
        "reference": string(&command.reference),
        "patterns": list(&command.patterns, string),
        "return": command.returns.as_ref().map(|returns| list(returns, |option| match option {
            ListReturn::Subscribed => json!("SUBSCRIBED"),
            ListReturn::Children => json!("CHILDREN"),
            ListReturn::SpecialUse => json!("SPECIAL-USE"),
            ListReturn::MyRights => json!("MYRIGHTS"),
            ListReturn::Status(items) => json!({ "STATUS": status_items(items) }),
            ListReturn::Metadata(entries) => json!({ "METADATA": list(entries, |entry| json!(entry.as_str())) }),
            // An option that this program is older than.
            option => json!(format!("{option:?}")),
        })),
    })
}

fn status_items(items: &[StatusItem]) -> Value {
    list(items, |item| json!(item.as_str()))
}

fn append(append: &AppendCommand) -> Value {
    json!({
        "mailbox": mailbox(&append.mailbox),
        "flags": flags(&append.flags),
        "date": append.date.map(|date| date.to_string()),
        "form": form(append.form),
    })
}

/// Another message of APPEND.
pub(super) fn message(message: &AppendMessage) -> Value {
    let shown: &[Flag] = &message.flags;
    json!({
        "flags": flags(shown),
        "date": message.date.map(|date| date.to_string()),
        "form": form(message.form),
    })
}

fn form(form: MessageForm) -> &'static str {
    match form {
        MessageForm::Binary => "binary",
        MessageForm::Utf8 => "utf8",
        MessageForm::Catenate => "catenate",
        _ => "literal",
    }
}

fn messages(messages: &Messages) -> Value {
    let shown: &NumberSet = messages.set();
    set(shown)
}

fn mod_seq(mod_seq: Option<ModSeq>) -> Value {
    json!(mod_seq.map(ModSeq::get))
}

fn action(action: StoreAction) -> &'static str {
    match action {
        StoreAction::Replace => "replace",
        StoreAction::Add => "add",
        StoreAction::Remove => "remove",
    }
}

fn fetch(fetch: &FetchCommand) -> Value {
    json!({
        "messages": messages(&fetch.messages),
        "attributes": attributes(&fetch.attributes),
        "changed_since": mod_seq(fetch.changed_since),
        "vanished": fetch.vanished,
        "partial": fetch.partial.map(|range| range.to_string()),
    })
}

fn returns(returns: Option<&[SearchReturn]>) -> Value {
    returns.map_or(Value::Null, |returns| {
        list(returns, |option| match option {
            SearchReturn::Update(fetched) => json!({ "UPDATE": attributes(fetched) }),
            SearchReturn::Partial(range) => json!({ "PARTIAL": range.to_string() }),
            option => json!(format!("{option:?}").to_ascii_uppercase()),
        })
    })
}

fn filter(filter: &MailboxFilter) -> Value {
    json!({ "kind": filter.as_str(), "mailboxes": list(filter.mailboxes(), mailbox) })
}

fn notify(notify: &NotifyCommand) -> Value {
    match notify {
        NotifyCommand::None => json!({ "none": true }),
        NotifyCommand::Set { status, groups } => json!({
            "status": status,
            "groups": list(groups, |group| json!({
                "mailboxes": filter(&group.mailboxes),
                "events": list(&group.events, |event| match event {
                    NotifyEvent::MessageNew(fetched) if !fetched.is_empty() => {
                        json!({ "MessageNew": attributes(fetched) })
                    }
                    event => json!(event.as_str()),
                }),
            })),
        }),
    }
}

/// Fields and values of ID.
pub(super) fn id(pairs: &[(OctetString, Option<OctetString>)]) -> Value {
    let pairs =
        list(pairs, |(field, value)| json!({ "field": string(field), "value": value.as_ref().map(string) }));
    json!({ "fields": pairs })
}
