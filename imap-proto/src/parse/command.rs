//! [`CommandInput`]: reads a command from its line parts and literals. RFC 9051 §9 (`command`).

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{Flag, FlagError, Secret};

use super::cursor::{Cursor, Failure, Fragment};
use super::error::{CommandError, CommandErrorKind};
use super::{fetch, search};
use crate::types::{
    AppendCommand, Command, DateTime, ListCommand, Mailbox, Messages, OctetString, SearchKey, StatusItem,
    StoreAction, Tag, Verb,
};

/// Bounds of what one command may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandLimits {
    /// Open parentheses and operators. Default 100.
    pub nesting: usize,
    /// Ranges of a set. Default 100 000.
    pub set_ranges: usize,
    /// Keys of a search. Default 10 000.
    pub search_keys: usize,
    /// Flags of one command. Default 1000.
    pub flags: usize,
    /// Whether mailbox names are UTF-8 instead of modified UTF-7. Default `false`.
    pub utf8: bool,
}

impl Default for CommandLimits {
    fn default() -> Self {
        Self { nesting: 100, set_ranges: 100_000, search_keys: 10_000, flags: 1000, utf8: false }
    }
}

/// A command with its tag.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ParsedCommand {
    /// Its tag.
    pub tag: Tag,
    /// The command.
    pub command: Command,
}

/// The line parts and literals of a command, as far as they have come.
///
/// ```
/// use mailwright_imap::parse::{CommandInput, CommandLimits};
/// use mailwright_imap::types::Command;
///
/// let mut input = CommandInput::new();
/// input.push_part("a1 SELECT ".into());
/// input.push_literal("INBOX".into());
/// input.push_part("".into());
/// let parsed = input.parse(&CommandLimits::default())?;
/// assert!(matches!(parsed.command, Command::Select(mailbox) if mailbox.name().unwrap().is_inbox()));
/// # Ok::<(), mailwright_imap::parse::CommandError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CommandInput {
    fragments: Vec<Fragment>,
}

impl CommandInput {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { fragments: Vec::new() }
    }

    /// Whether nothing has come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fragments.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.fragments = Vec::new();
    }

    /// Adds a line part, without line end and announcement.
    pub fn push_part(&mut self, text: Bytes) {
        self.fragments.push(Fragment { text, literal: None });
    }

    /// Adds the literal that the last line part announced.
    pub fn push_literal(&mut self, octets: Bytes) {
        if let Some(fragment) = self.fragments.last_mut() {
            fragment.literal = Some(octets);
        }
    }

    /// Reads tag and name, which always stand in the first line part.
    ///
    /// # Errors
    /// If there is no tag, or no such command; a command that failed otherwise has both.
    pub fn head(&self) -> Result<(Tag, Verb, bool), CommandError> {
        let mut cursor = Cursor::new(&self.fragments);
        let (tag, verb, uid) = head(&mut cursor).map_err(|(tag, kind)| error(&cursor, tag, None, kind))?;
        Ok((tag, verb, uid))
    }

    /// Octets of all parts and literals.
    fn octets(&self) -> usize {
        let octets =
            |fragment: &Fragment| fragment.text.len() + fragment.literal.as_ref().map_or(0, Bytes::len);
        self.fragments.iter().map(octets).sum()
    }

    /// Reads the complete command. What is made of it takes at most 64 KiB and eight times its octets.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn parse(&self, limits: &CommandLimits) -> Result<ParsedCommand, CommandError> {
        let mut limits = *limits;
        // Half of it, since a vector that grows is there twice.
        let budget = 32 * 1024 + self.octets().saturating_mul(4);
        limits.search_keys = limits.search_keys.min(budget / size_of::<SearchKey>());
        let mut cursor = Cursor::new(&self.fragments);
        let (tag, verb, uid) = head(&mut cursor).map_err(|(tag, kind)| error(&cursor, tag, None, kind))?;
        let read = arguments(&mut cursor, verb, uid, &limits).and_then(|command| {
            cursor.end()?;
            Ok(command)
        });
        match read {
            Ok(command) => Ok(ParsedCommand { tag, command }),
            Err(kind) => Err(error(&cursor, Some(tag), Some(verb), kind)),
        }
    }

    /// Reads an APPEND whose last line part announces a literal: its arguments if that literal is the
    /// message, `None` if it is one of the arguments.
    ///
    /// # Errors
    /// If the arguments so far cannot be those of APPEND.
    pub fn append(&self, limits: &CommandLimits) -> Result<Option<AppendCommand>, CommandError> {
        let mut cursor = Cursor::new(&self.fragments);
        let (tag, verb, _) = head(&mut cursor).map_err(|(tag, kind)| error(&cursor, tag, None, kind))?;
        match append(&mut cursor, limits) {
            Ok(append) => Ok(append),
            Err(kind) => Err(error(&cursor, Some(tag), Some(verb), kind)),
        }
    }
}

fn error(cursor: &Cursor<'_>, tag: Option<Tag>, verb: Option<Verb>, kind: CommandErrorKind) -> CommandError {
    let (offset, near) = cursor.place();
    CommandError { tag, verb, kind, offset, near }
}

/// Tag, name, and whether UID stood before it.
fn head(cursor: &mut Cursor<'_>) -> Result<(Tag, Verb, bool), (Option<Tag>, CommandErrorKind)> {
    let tag = cursor.run(|octet| octet != b' ');
    let tag = Tag::new(tag).map_err(|_| (None, CommandErrorKind::Tag))?;
    let name = |cursor: &mut Cursor<'_>| {
        cursor.space().ok()?;
        cursor.atom().ok()
    };
    let Some(first) = name(cursor) else { return Err((Some(tag), CommandErrorKind::Unknown)) };
    let uid = first.eq_ignore_ascii_case(b"UID");
    let named = if uid { name(cursor) } else { Some(first) };
    match named.and_then(|name| Verb::parse(&name)) {
        Some(verb) if !uid || verb.entry().has_uid_form => Ok((tag, verb, uid)),
        _ => Err((Some(tag), CommandErrorKind::Unknown)),
    }
}

fn arguments(
    cursor: &mut Cursor<'_>,
    verb: Verb,
    uid: bool,
    limits: &CommandLimits,
) -> Result<Command, Failure> {
    let mailbox = |cursor: &mut Cursor<'_>| mailbox(cursor, limits);
    Ok(match verb {
        Verb::Capability => Command::Capability,
        Verb::Noop => Command::Noop,
        Verb::Logout => Command::Logout,
        Verb::StartTls => Command::StartTls,
        Verb::Authenticate => {
            cursor.space()?;
            let mechanism = OctetString::new(cursor.atom()?).map_err(|_| Failure::Expected("a mechanism"))?;
            let initial = if cursor.peek() == Some(b' ') {
                cursor.space()?;
                let base64 = cursor.run(|octet| octet.is_ascii_graphic());
                (!base64.is_empty()).then(|| Secret::from(&*base64))
            } else {
                None
            };
            Command::Authenticate { mechanism, initial }
        }
        Verb::Login => {
            cursor.space()?;
            let user = string(cursor)?;
            cursor.space()?;
            Command::Login { user, password: Secret::from(&*cursor.astring()?) }
        }
        Verb::Select => Command::Select(mailbox(cursor)?),
        Verb::Examine => Command::Examine(mailbox(cursor)?),
        Verb::Create => Command::Create(new_mailbox(cursor, limits)?),
        Verb::Delete => Command::Delete(mailbox(cursor)?),
        Verb::Rename => Command::Rename { from: mailbox(cursor)?, to: mailbox(cursor)? },
        Verb::Subscribe => Command::Subscribe(mailbox(cursor)?),
        Verb::Unsubscribe => Command::Unsubscribe(mailbox(cursor)?),
        Verb::List => Command::List(list(cursor)?),
        Verb::Lsub => Command::Lsub(list(cursor)?),
        Verb::Namespace => Command::Namespace,
        Verb::Status => {
            let mailbox = mailbox(cursor)?;
            cursor.space()?;
            let items = cursor.list(1, (100, "status items"), |cursor| {
                StatusItem::parse(&cursor.atom()?).ok_or(Failure::Expected("a status item"))
            })?;
            Command::Status { mailbox, items }
        }
        // Complete only with its message, which is read elsewhere.
        Verb::Append => return Err(Failure::Expected("a literal with the message")),
        Verb::Idle => Command::Idle,
        Verb::Check => Command::Check,
        Verb::Close => Command::Close,
        Verb::Unselect => Command::Unselect,
        Verb::Expunge if uid => {
            cursor.space()?;
            Command::Expunge(Some(search::set(cursor, limits)?))
        }
        Verb::Expunge => Command::Expunge(None),
        Verb::Search => {
            cursor.space()?;
            let charset = if cursor.keyword(b"CHARSET") {
                cursor.space()?;
                let charset = string(cursor)?;
                cursor.space()?;
                Some(charset)
            } else {
                None
            };
            Command::Search { uid, charset, search: search::search(cursor, limits)? }
        }
        Verb::Fetch => {
            let messages = messages(cursor, uid, limits)?;
            cursor.space()?;
            Command::Fetch { messages, attributes: fetch::attributes(cursor)? }
        }
        Verb::Store => {
            let messages = messages(cursor, uid, limits)?;
            cursor.space()?;
            store(cursor, messages, limits)?
        }
        Verb::Copy => Command::Copy { messages: messages(cursor, uid, limits)?, mailbox: mailbox(cursor)? },
        Verb::Move => Command::Move { messages: messages(cursor, uid, limits)?, mailbox: mailbox(cursor)? },
        Verb::Id => Command::Id(id(cursor)?),
    })
}

/// A space and a mailbox name.
fn mailbox(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Mailbox, Failure> {
    cursor.space()?;
    Ok(Mailbox::read(cursor.astring()?, limits.utf8))
}

/// The name of a mailbox to be made: a separator at its end only says that there will be more below it (RFC
/// 9051 §6.3.4).
fn new_mailbox(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Mailbox, Failure> {
    cursor.space()?;
    let mut name = cursor.astring()?;
    if name.len() > 1 && name.ends_with(b"/") {
        name.truncate(name.len() - 1);
    }
    Ok(Mailbox::read(name, limits.utf8))
}

/// A space and a set.
fn messages(cursor: &mut Cursor<'_>, uid: bool, limits: &CommandLimits) -> Result<Messages, Failure> {
    cursor.space()?;
    let set = search::set(cursor, limits)?;
    Ok(if uid { Messages::Uids(set) } else { Messages::Numbers(set) })
}

fn string(cursor: &mut Cursor<'_>) -> Result<OctetString, Failure> {
    OctetString::new(cursor.astring()?).map_err(|_| Failure::Expected("a string without NUL"))
}

fn list(cursor: &mut Cursor<'_>) -> Result<ListCommand, Failure> {
    const WHAT: Failure = Failure::Expected("a string without NUL");
    cursor.space()?;
    let reference = string(cursor)?;
    cursor.space()?;
    let pattern = OctetString::new(cursor.list_mailbox()?).map_err(|_| WHAT)?;
    Ok(ListCommand::new(reference, pattern))
}

fn store(cursor: &mut Cursor<'_>, messages: Messages, limits: &CommandLimits) -> Result<Command, Failure> {
    let action = match cursor.peek() {
        Some(b'+') => StoreAction::Add,
        Some(b'-') => StoreAction::Remove,
        _ => StoreAction::Replace,
    };
    if action != StoreAction::Replace {
        cursor.skip(if action == StoreAction::Add { b'+' } else { b'-' });
    }
    let silent = cursor.keyword(b"FLAGS.SILENT");
    if !silent && !cursor.keyword(b"FLAGS") {
        return Err(Failure::Expected("FLAGS"));
    }
    cursor.space()?;
    let flags = if cursor.peek() == Some(b'(') {
        flags(cursor, limits)?
    } else {
        // RFC 9051 §9 (store-att-flags): the parentheses may be left out.
        let mut flags = Vec::new();
        loop {
            if flags.len() >= limits.flags {
                return Err(Failure::TooMany("flags"));
            }
            flags.extend(flag(cursor)?);
            let separated = cursor.peek() == Some(b' ');
            cursor.skip_spaces();
            if cursor.is_at_end() {
                break flags;
            }
            if !separated {
                return Err(Failure::Expected("a space"));
            }
        }
    };
    Ok(Command::Store { messages, action, silent, flags })
}

/// Flags in parentheses.
fn flags(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Vec<Flag>, Failure> {
    let flags = cursor.list(0, (limits.flags, "flags"), flag)?;
    Ok(flags.into_iter().flatten().collect())
}

/// A flag; `None` for `\Recent`, which nobody can set and some clients write.
fn flag(cursor: &mut Cursor<'_>) -> Result<Option<Flag>, Failure> {
    let system = cursor.skip(b'\\');
    let name = cursor.atom()?;
    let text = core::str::from_utf8(&name).map_err(|_| Failure::Expected("a flag"))?;
    let flag = if system { Flag::new(&alloc::format!("\\{text}")) } else { Flag::new(text) };
    match flag {
        Ok(flag) => Ok(Some(flag)),
        Err(FlagError::Recent) => Ok(None),
        Err(_) => Err(Failure::Expected("a flag")),
    }
}

/// The arguments of APPEND as far as they are there.
fn append(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Option<AppendCommand>, Failure> {
    cursor.space()?;
    if cursor.is_at_end() {
        // The name itself is the literal.
        return Ok(None);
    }
    let mut append = AppendCommand::new(Mailbox::read(cursor.astring()?, limits.utf8));
    cursor.space()?;
    if cursor.peek() == Some(b'(') {
        append.flags = flags(cursor, limits)?;
        cursor.space()?;
    }
    if cursor.peek() == Some(b'"') {
        let date = DateTime::parse(&cursor.string()?).map_err(|_| Failure::Expected("a date"))?;
        append.date = Some(date);
        cursor.space()?;
    }
    if cursor.is_at_end() { Ok(Some(append)) } else { Err(Failure::Expected("a literal with the message")) }
}

/// RFC 2971 §3.1: 30 pairs at most, fields of 30 octets, values of 1024.
fn id(cursor: &mut Cursor<'_>) -> Result<Vec<(OctetString, Option<OctetString>)>, Failure> {
    const MOST_PAIRS: usize = 30;
    cursor.space()?;
    if cursor.keyword(b"NIL") {
        return Ok(Vec::new());
    }
    let wrong = |_| Failure::Expected("a string without NUL");
    cursor.list(0, (MOST_PAIRS, "fields of ID"), |cursor| {
        let field = OctetString::new(cursor.string()?).map_err(wrong)?;
        cursor.space()?;
        let value = cursor.nstring()?.map(OctetString::new).transpose().map_err(wrong)?;
        Ok((field, value))
    })
}

#[cfg(test)]
mod tests;
