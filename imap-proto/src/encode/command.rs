//! Writing commands. RFC 9051 §6, §9.

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes, BytesMut};
use mailwright_core::value::Flag;

use super::{LiteralPolicy, Literals, put_astring, put_nstring, put_number, put_string, split_at_pauses};
use crate::types::{
    AppendCommand, Command, ListCommand, Mailbox, Messages, Search, SearchKey, StoreAction, Tag, Verb,
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
            Self::Search { .. } => Verb::Search,
            Self::Fetch { .. } => Verb::Fetch,
            Self::Store { .. } => Verb::Store,
            Self::Copy { .. } => Verb::Copy,
            Self::Move { .. } => Verb::Move,
            Self::Id(_) => Verb::Id,
        }
    }

    /// Whether it is the UID form.
    #[must_use]
    pub const fn is_uid(&self) -> bool {
        match self {
            Self::Fetch { messages, .. }
            | Self::Store { messages, .. }
            | Self::Copy { messages, .. }
            | Self::Move { messages, .. } => messages.is_uid(),
            Self::Search { uid, .. } => *uid,
            Self::Expunge(uids) => uids.is_some(),
            _ => false,
        }
    }

    /// Writes the command: one piece, or several between which the server must consent to a literal (`+`).
    /// An APPEND ends where its message is announced, without line end.
    ///
    /// # Errors
    /// If a value cannot be written; see [`EncodeError`].
    ///
    /// ```
    /// use mailwright_imap::types::{Command, Mailbox, Tag};
    /// use mailwright_imap::LiteralPolicy;
    ///
    /// let select = Command::Select(Mailbox::read("Entw&APw-rfe".into(), false));
    /// let pieces = select.encode(&Tag::new("a1")?, LiteralPolicy::Synchronising, false)?;
    /// assert_eq!(pieces, ["a1 SELECT Entw&APw-rfe\r\n"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode(&self, tag: &Tag, policy: LiteralPolicy, utf8: bool) -> Result<Vec<Bytes>, EncodeError> {
        let mut wire = BytesMut::new();
        let mut literals = Literals::command(&mut wire, policy);
        literals.wire().put_slice(tag.as_bytes());
        literals.wire().put_slice(if self.is_uid() { b" UID " } else { b" " });
        literals.wire().put_slice(self.verb().entry().name.as_bytes());
        self.put_arguments(&mut literals, utf8)?;
        if !matches!(self, Self::Append(_)) {
            literals.wire().put_slice(b"\r\n");
        }
        let pauses = literals.pauses();
        Ok(split_at_pauses(wire, &pauses))
    }

    fn put_arguments(&self, literals: &mut Literals<'_>, utf8: bool) -> Result<(), EncodeError> {
        let put_mailbox = |mailbox: &Mailbox, literals: &mut Literals<'_>| {
            literals.wire().put_u8(b' ');
            put_astring(&mailbox.wire(utf8), literals);
        };
        match self {
            Self::Authenticate { mechanism, initial } => {
                if mechanism.as_bytes().is_empty()
                    || !mechanism.as_bytes().iter().all(|octet| super::is_atom_octet(*octet))
                {
                    return Err(EncodeError::Mechanism);
                }
                literals.wire().put_u8(b' ');
                literals.wire().put_slice(mechanism.as_bytes());
                if let Some(initial) = initial {
                    if initial.is_empty() || !initial.expose().iter().all(u8::is_ascii_graphic) {
                        return Err(EncodeError::Base64);
                    }
                    literals.wire().put_u8(b' ');
                    literals.wire().put_slice(initial.expose());
                }
            }
            Self::Login { user, password } => {
                if password.expose().contains(&0) {
                    return Err(EncodeError::Nul);
                }
                literals.wire().put_u8(b' ');
                put_astring(user.as_bytes(), literals);
                literals.wire().put_u8(b' ');
                put_astring(password.expose(), literals);
            }
            Self::Select(mailbox)
            | Self::Examine(mailbox)
            | Self::Create(mailbox)
            | Self::Delete(mailbox)
            | Self::Subscribe(mailbox)
            | Self::Unsubscribe(mailbox) => put_mailbox(mailbox, literals),
            Self::Rename { from, to } => {
                put_mailbox(from, literals);
                put_mailbox(to, literals);
            }
            Self::List(list) | Self::Lsub(list) => put_list(list, literals),
            Self::Status { mailbox, items } => {
                if items.is_empty() {
                    return Err(EncodeError::Empty);
                }
                put_mailbox(mailbox, literals);
                literals.wire().put_u8(b' ');
                put_parenthesised(items, literals, |item, literals| {
                    literals.wire().put_slice(item.as_str().as_bytes());
                });
            }
            Self::Append(AppendCommand { mailbox, flags, date }) => {
                put_mailbox(mailbox, literals);
                if !flags.is_empty() {
                    literals.wire().put_u8(b' ');
                    put_flags(flags, literals);
                }
                if let Some(date) = date {
                    literals.wire().put_u8(b' ');
                    super::put_quoted(&alloc::format!("{date}"), literals.wire());
                }
                literals.wire().put_u8(b' ');
            }
            Self::Expunge(Some(uids)) => {
                literals.wire().put_u8(b' ');
                uids.encode(literals.wire());
            }
            Self::Search { charset, search, .. } => {
                if let Some(charset) = charset {
                    literals.wire().put_slice(b" CHARSET ");
                    put_astring(charset.as_bytes(), literals);
                }
                put_search(search, literals);
            }
            Self::Fetch { messages, attributes } => {
                if attributes.is_empty() {
                    return Err(EncodeError::Empty);
                }
                put_messages(messages, literals);
                literals.wire().put_u8(b' ');
                put_parenthesised(attributes, literals, |attribute, literals| attribute.encode(literals));
            }
            Self::Store { messages, action, silent, flags } => {
                put_messages(messages, literals);
                literals.wire().put_slice(match action {
                    StoreAction::Replace => b" FLAGS",
                    StoreAction::Add => b" +FLAGS",
                    StoreAction::Remove => b" -FLAGS",
                });
                literals.wire().put_slice(if *silent { b".SILENT " } else { b" " });
                put_flags(flags, literals);
            }
            Self::Copy { messages, mailbox } | Self::Move { messages, mailbox } => {
                put_messages(messages, literals);
                put_mailbox(mailbox, literals);
            }
            Self::Id(pairs) if pairs.is_empty() => literals.wire().put_slice(b" NIL"),
            Self::Id(pairs) => {
                literals.wire().put_u8(b' ');
                put_parenthesised(pairs, literals, |(field, value), literals| {
                    put_string(field.as_bytes(), literals);
                    literals.wire().put_u8(b' ');
                    put_nstring(value.as_ref().map(|value| value.as_bytes()), literals);
                });
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
            | Self::Expunge(None) => {}
        }
        Ok(())
    }
}

fn put_messages(messages: &Messages, literals: &mut Literals<'_>) {
    literals.wire().put_u8(b' ');
    messages.set().encode(literals.wire());
}

fn put_list(list: &ListCommand, literals: &mut Literals<'_>) {
    literals.wire().put_u8(b' ');
    put_astring(list.reference.as_bytes(), literals);
    literals.wire().put_u8(b' ');
    // Wildcards need no quotes, but they do no harm.
    put_astring(list.pattern.as_bytes(), literals);
}

/// Elements in parentheses, a space between them.
pub(super) fn put_parenthesised<T>(
    elements: &[T],
    literals: &mut Literals<'_>,
    mut put: impl FnMut(&T, &mut Literals<'_>),
) {
    literals.wire().put_u8(b'(');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            literals.wire().put_u8(b' ');
        }
        put(element, literals);
    }
    literals.wire().put_u8(b')');
}

pub(super) fn put_flags(flags: &[Flag], literals: &mut Literals<'_>) {
    put_parenthesised(flags, literals, |flag, literals| literals.wire().put_slice(flag.as_str().as_bytes()));
}

/// The keys in order; parentheses only where a list must be told from its surroundings.
fn put_search(search: &Search, literals: &mut Literals<'_>) {
    // How many keys each open list still has.
    let mut open: Vec<usize> = Vec::new();
    let mut keys = search.keys().iter();
    // How many keys are to come at the top, where a list needs no parentheses.
    let mut top = 1;
    if let Some(SearchKey::And(count)) = search.keys().first() {
        top = *count;
        keys.next();
    }
    // Operands that are missing before the present key of a list is complete.
    let mut missing: Vec<usize> = Vec::from([top]);
    let mut opened = false;
    for key in keys {
        if !opened {
            literals.wire().put_u8(b' ');
        }
        put_search_key(key, literals);
        opened = matches!(key, SearchKey::And(_));
        if let Some(left) = missing.last_mut() {
            *left -= 1;
        }
        match key {
            SearchKey::And(count) => {
                open.push(missing.len());
                missing.push(*count);
            }
            key if key.operands() > 0 => missing.push(key.operands()),
            _ => {}
        }
        while missing.len() > 1 && missing.last() == Some(&0) {
            missing.pop();
            if open.last() == Some(&missing.len()) {
                open.pop();
                literals.wire().put_u8(b')');
            }
        }
    }
}

fn put_search_key(key: &SearchKey, literals: &mut Literals<'_>) {
    let mut string = |name: &[u8], value: &[u8]| {
        literals.wire().put_slice(name);
        put_astring(value, literals);
    };
    let name: &[u8] = match key {
        SearchKey::And(_) => b"(",
        SearchKey::Or => b"OR",
        SearchKey::Not => b"NOT",
        SearchKey::Numbers(set) => return set.encode(literals.wire()),
        SearchKey::Uid(set) => {
            literals.wire().put_slice(b"UID ");
            return set.encode(literals.wire());
        }
        SearchKey::All => b"ALL",
        SearchKey::Answered => b"ANSWERED",
        SearchKey::Bcc(value) => return string(b"BCC ", value.as_bytes()),
        SearchKey::Before(date) => return string(b"BEFORE ", alloc::format!("{date}").as_bytes()),
        SearchKey::Body(value) => return string(b"BODY ", value.as_bytes()),
        SearchKey::Cc(value) => return string(b"CC ", value.as_bytes()),
        SearchKey::Deleted => b"DELETED",
        SearchKey::Draft => b"DRAFT",
        SearchKey::Flagged => b"FLAGGED",
        SearchKey::From(value) => return string(b"FROM ", value.as_bytes()),
        SearchKey::Header(field, value) => {
            string(b"HEADER ", field.as_bytes());
            return string(b" ", value.as_bytes());
        }
        SearchKey::Keyword(keyword) => return string(b"KEYWORD ", keyword.as_str().as_bytes()),
        SearchKey::Larger(octets) => {
            literals.wire().put_slice(b"LARGER ");
            return put_number(*octets, literals.wire());
        }
        SearchKey::New => b"NEW",
        SearchKey::Old => b"OLD",
        SearchKey::On(date) => return string(b"ON ", alloc::format!("{date}").as_bytes()),
        SearchKey::Recent => b"RECENT",
        SearchKey::Seen => b"SEEN",
        SearchKey::SentBefore(date) => return string(b"SENTBEFORE ", alloc::format!("{date}").as_bytes()),
        SearchKey::SentOn(date) => return string(b"SENTON ", alloc::format!("{date}").as_bytes()),
        SearchKey::SentSince(date) => return string(b"SENTSINCE ", alloc::format!("{date}").as_bytes()),
        SearchKey::Since(date) => return string(b"SINCE ", alloc::format!("{date}").as_bytes()),
        SearchKey::Smaller(octets) => {
            literals.wire().put_slice(b"SMALLER ");
            return put_number(*octets, literals.wire());
        }
        SearchKey::Subject(value) => return string(b"SUBJECT ", value.as_bytes()),
        SearchKey::Text(value) => return string(b"TEXT ", value.as_bytes()),
        SearchKey::To(value) => return string(b"TO ", value.as_bytes()),
        SearchKey::Unanswered => b"UNANSWERED",
        SearchKey::Undeleted => b"UNDELETED",
        SearchKey::Undraft => b"UNDRAFT",
        SearchKey::Unflagged => b"UNFLAGGED",
        SearchKey::Unkeyword(keyword) => return string(b"UNKEYWORD ", keyword.as_str().as_bytes()),
        SearchKey::Unseen => b"UNSEEN",
    };
    literals.wire().put_slice(name);
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString as _};
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::parse::{CommandInput, CommandLimits};
    use crate::wire::{Frame, Framer, PartEnd};

    /// Reads a command from its wire form, literals and all.
    fn read(wire: &[u8]) -> String {
        let mut framer = Framer::new();
        let mut buffer = BytesMut::from(wire);
        let mut input = CommandInput::new();
        let mut literal = BytesMut::new();
        while let Some(frame) = framer.next_frame(&mut buffer, 1 << 20) {
            match frame {
                Frame::Part(part) => {
                    assert_eq!(part.fault, None);
                    input.push_part(part.octets);
                    if let PartEnd::Literal(announcement) = part.end {
                        framer.read_literal(announcement.length.unwrap());
                    }
                }
                Frame::Chunk(chunk) => literal.extend_from_slice(&chunk),
                Frame::LiteralEnd => input.push_literal(literal.split().freeze()),
            }
        }
        let parsed = input.parse(&CommandLimits::default()).unwrap();
        alloc::format!("{:?}", parsed.command)
    }

    fn wire(command: &Command, policy: LiteralPolicy) -> Vec<Bytes> {
        command.encode(&Tag::new("a").unwrap(), policy, false).unwrap()
    }

    fn octets() -> impl Strategy<Value = crate::types::OctetString> {
        prop_oneof!["[a-z]{0,6}", "[ -~]{0,6}", "\\PC{0,4}", "[\r\n\"\\\\{}]{0,4}"]
            .prop_map(|text: String| crate::types::OctetString::new(text.replace('\0', "")).unwrap())
    }

    fn leaf() -> impl Strategy<Value = Vec<SearchKey>> {
        prop_oneof![
            Just(vec![SearchKey::All]),
            Just(vec![SearchKey::Unseen]),
            octets().prop_map(|text| vec![SearchKey::Subject(text)]),
            (octets(), octets()).prop_map(|(field, text)| vec![SearchKey::Header(field, text)]),
            Just(vec![SearchKey::Since(crate::types::SearchDate { year: 2024, month: 2, day: 29 })]),
            Just(vec![SearchKey::Larger(u64::MAX)]),
        ]
    }

    fn tree() -> impl Strategy<Value = Vec<SearchKey>> {
        leaf().prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|keys| [vec![SearchKey::Not], keys].concat()),
                (inner.clone(), inner.clone())
                    .prop_map(|(one, other)| [vec![SearchKey::Or], one, other].concat()),
                proptest::collection::vec(inner, 1..4).prop_map(|keys| [
                    vec![SearchKey::And(keys.len())],
                    keys.concat()
                ]
                .concat()),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_search_is_read_as_it_was_written(keys in proptest::collection::vec(tree(), 1..4)) {
            let keys = [vec![SearchKey::And(keys.len())], keys.concat()].concat();
            let search = Search::new(keys).unwrap();
            let command = Command::Search { uid: true, charset: None, search };
            for policy in [LiteralPolicy::All, LiteralPolicy::Synchronising] {
                prop_assert_eq!(read(&wire(&command, policy).concat()), alloc::format!("{command:?}"));
            }
        }

        #[test]
        fn strings_are_read_as_they_were_written(user in octets(), reference in octets(), pattern in octets()) {
            let login = Command::Login { user: user.clone(), password: mailwright_core::value::Secret::from("x y") };
            prop_assert_eq!(read(&wire(&login, LiteralPolicy::All).concat()), alloc::format!("{login:?}"));
            let list = Command::List(ListCommand::new(reference, pattern));
            prop_assert_eq!(read(&wire(&list, LiteralPolicy::Small).concat()), alloc::format!("{list:?}"));
            let id = Command::Id(vec![(user, None)]);
            prop_assert_eq!(read(&wire(&id, LiteralPolicy::Small).concat()), alloc::format!("{id:?}"));
        }
    }

    #[test]
    fn commands_are_read_as_they_were_written() {
        let mailbox = |name: &str| Mailbox::Name(mailwright_core::value::MailboxName::new(name).unwrap());
        let set = |text: &str| crate::types::NumberSet::parse(text.as_bytes(), 10).unwrap();
        let section = crate::types::Section::new(
            vec![core::num::NonZeroU32::MIN],
            Some(crate::types::SectionText::HeaderFields {
                not: true,
                names: vec![
                    crate::types::OctetString::new("X").unwrap(),
                    crate::types::OctetString::new("a b").unwrap(),
                ],
            }),
        );
        let partial = Some(crate::types::Partial { first: 5, count: 10 });
        for command in [
            Command::Noop,
            Command::Select(mailbox("INBOX")),
            Command::Examine(Mailbox::Other("a//b".into())),
            Command::Create(mailbox("Entwürfe/x y")),
            Command::Rename { from: mailbox("a"), to: mailbox("b") },
            Command::Status { mailbox: mailbox("a"), items: crate::types::StatusItem::ALL.to_vec() },
            Command::Expunge(None),
            Command::Expunge(Some(set("1:*"))),
            Command::Fetch {
                messages: Messages::Uids(set("4,2:1")),
                attributes: vec![
                    crate::types::FetchAttribute::Flags,
                    crate::types::FetchAttribute::BodySection { peek: true, section, partial },
                ],
            },
            Command::Store {
                messages: Messages::Numbers(set("*")),
                action: StoreAction::Remove,
                silent: true,
                flags: vec![Flag::Seen, Flag::new("$Junk").unwrap()],
            },
            Command::Copy { messages: Messages::Numbers(set("1")), mailbox: mailbox("nil") },
            Command::Move { messages: Messages::Uids(set("1")), mailbox: mailbox("ä") },
            Command::Id(Vec::new()),
        ] {
            assert_eq!(read(&wire(&command, LiteralPolicy::All).concat()), alloc::format!("{command:?}"));
        }
    }

    #[test]
    fn nothing_that_a_value_holds_becomes_a_command() {
        let mailbox = Mailbox::read("x\r\na2 DELETE y".into(), false);
        let pieces = wire(&Command::Select(mailbox), LiteralPolicy::Synchronising);
        assert_eq!(pieces, [&b"a SELECT {14}\r\n"[..], b"x\r\na2 DELETE y\r\n"]);
        let mailbox = Mailbox::read("x {5+}".into(), false);
        assert_eq!(wire(&Command::Select(mailbox), LiteralPolicy::All), ["a SELECT \"x {5+}\"\r\n"]);
    }

    #[test]
    fn what_cannot_be_written_is_an_error() {
        use mailwright_core::value::Secret;
        let tag = Tag::new("a").unwrap();
        let encode = |command: Command| command.encode(&tag, LiteralPolicy::All, false).unwrap_err();
        let user = crate::types::OctetString::new("u").unwrap();
        let authenticate = |mechanism: &'static str, initial: &str| Command::Authenticate {
            mechanism: crate::types::OctetString::new(mechanism).unwrap(),
            initial: Some(Secret::from(initial)),
        };
        assert_eq!(encode(Command::Login { user, password: Secret::from("a\0") }), EncodeError::Nul);
        assert_eq!(encode(authenticate("PLA IN", "x")), EncodeError::Mechanism);
        assert_eq!(encode(authenticate("PLAIN", "x\r\ny")), EncodeError::Base64);
        assert_eq!(encode(authenticate("PLAIN", "")), EncodeError::Base64);
        let set = crate::types::NumberSet::parse(b"1", 1).unwrap();
        let nothing = Command::Fetch { messages: Messages::Numbers(set), attributes: vec![] };
        assert_eq!(encode(nothing), EncodeError::Empty);
        assert_eq!(tag.to_string(), "a");
    }
}
