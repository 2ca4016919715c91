//! [`CommandInput`]: reads a command from its line parts and literals. RFC 9051 §9 (`command`).

mod access;
mod append;
mod mailboxes;
mod messages;
mod metadata;
mod notify;
mod returns;

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{Deviation, DeviationKind, Excerpt, Secret, Tolerance};

pub use self::append::{AppendEvent, AppendReader, LiteralUse};
pub(crate) use self::returns::contradiction;
use super::cursor::{Cursor, Failure, Fragment};
use super::error::{CommandError, CommandErrorKind};
use super::search;
use crate::types::{AppendCommand, Capability, Command, Mailbox, OctetString, Tag, Verb};

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
    /// Whether mailbox names are UTF-8 instead of modified UTF-7, and quoted strings may hold UTF-8. Default `false`.
    pub utf8: bool,
    /// Whether departures that real clients show are read: spaces too many, octets that are no ASCII, what the framing
    /// reports. Default [`Tolerance::Lenient`].
    pub tolerance: Tolerance,
}

impl Default for CommandLimits {
    fn default() -> Self {
        Self {
            nesting: 100,
            set_ranges: 100_000,
            search_keys: 10_000,
            flags: 1000,
            utf8: false,
            tolerance: Tolerance::Lenient,
        }
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
    /// What was read although the RFC does not allow it. Offsets count octets of line parts and literals.
    pub deviations: Vec<Deviation>,
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
/// assert!(matches!(parsed.command, Command::Select(select) if select.mailbox.name().unwrap().is_inbox()));
/// # Ok::<(), mailwright_imap::parse::CommandError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CommandInput {
    fragments: Vec<Fragment>,
    /// Octets of all parts and literals.
    octets: usize,
    /// What the framing read although it should not be.
    deviations: Vec<Deviation>,
}

impl CommandInput {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { fragments: Vec::new(), octets: 0, deviations: Vec::new() }
    }

    /// Whether nothing has come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fragments.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Adds a line part, without line end and announcement.
    pub fn push_part(&mut self, text: Bytes) {
        self.octets = self.octets.saturating_add(text.len());
        self.fragments.push(Fragment::new(text));
    }

    /// Adds the literal that the last line part announced.
    pub fn push_literal(&mut self, octets: Bytes) {
        self.literal(octets, false);
    }

    /// The same for one that was announced by `~{`, and may hold NUL.
    pub fn push_binary_literal(&mut self, octets: Bytes) {
        self.literal(octets, true);
    }

    /// Adds what was read at the present place although it should not be, such as a bare LF behind the last line part.
    pub fn push_deviation(&mut self, kind: DeviationKind, octets: &[u8]) {
        const MOST: usize = 100;
        if self.deviations.len() < MOST {
            self.deviations.push(Deviation::new(kind, self.octets as u64, octets));
        }
    }

    fn literal(&mut self, octets: Bytes, binary: bool) {
        if let Some(fragment) = self.fragments.last_mut() {
            self.octets = self.octets.saturating_add(octets.len());
            (fragment.literal, fragment.binary) = (Some(octets), binary);
        }
    }

    fn cursor(&self) -> Cursor<'_> {
        Cursor::new(&self.fragments, self.octets)
    }

    /// Reads tag and name, which always stand in the first line part.
    ///
    /// # Errors
    /// If there is no tag, or no such command; a command that failed otherwise has both.
    pub fn head(&self) -> Result<(Tag, Verb, bool), CommandError> {
        let mut cursor = self.cursor();
        let (tag, verb, uid) = head(&mut cursor).map_err(|(tag, kind)| error(&cursor, tag, None, kind))?;
        Ok((tag, verb, uid))
    }

    /// Why a command is refused that can be read.
    pub(crate) fn refusal(&self, kind: CommandErrorKind) -> CommandError {
        let mut cursor = self.cursor();
        match head(&mut cursor) {
            Ok((tag, verb, _)) => error(&cursor, Some(tag), Some(verb), kind),
            Err((tag, kind)) => error(&cursor, tag, None, kind),
        }
    }

    /// Reads the complete command. What is made of it takes at most 64 KiB and eight times its octets.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn parse(&self, limits: &CommandLimits) -> Result<ParsedCommand, CommandError> {
        let mut cursor = self.cursor().of(limits.utf8, false);
        let (tag, verb, uid) = head(&mut cursor).map_err(|(tag, kind)| error(&cursor, tag, None, kind))?;
        // RFC 6855 §3: a quoted string that is no UTF-8 is an error; atoms are ASCII anyway.
        let is_utf8 = |fragment: &Fragment| core::str::from_utf8(&fragment.text).is_ok();
        if limits.utf8 && !self.fragments.iter().all(is_utf8) {
            return Err(error(&cursor, Some(tag), Some(verb), CommandErrorKind::Expected("UTF-8")));
        }
        let read = arguments(&mut cursor, verb, uid, limits).and_then(|command| {
            cursor.end()?;
            Ok(command)
        });
        let command = match read {
            Ok(command) => command,
            Err(kind) => return Err(error(&cursor, Some(tag), Some(verb), kind)),
        };
        let deviations = self.deviations(&mut cursor, verb);
        match deviations.first().filter(|_| limits.tolerance == Tolerance::Strict) {
            Some(deviation) => Err(not_tolerated(Some(tag), Some(verb), deviation)),
            None => Ok(ParsedCommand { tag, command, deviations }),
        }
    }

    /// What the framing and the cursor found.
    fn deviations(&self, cursor: &mut Cursor<'_>, verb: Verb) -> Vec<Deviation> {
        let mut deviations = cursor.take_deviations();
        if !self.deviations.is_empty() {
            deviations.extend_from_slice(&self.deviations);
            deviations.sort_by_key(|deviation| deviation.offset);
        }
        if has_secrets(verb) {
            for deviation in &mut deviations {
                deviation.bytes = Excerpt::new(b"");
            }
        }
        deviations
    }

    /// Reads an APPEND whose last line part announces a literal: its arguments, and what was tolerated in them, if that
    /// literal is the message; `None` if it is one of the arguments.
    ///
    /// # Errors
    /// If the arguments so far cannot be those of APPEND.
    pub fn append(
        &self,
        limits: &CommandLimits,
    ) -> Result<Option<(AppendCommand, Vec<Deviation>)>, CommandError> {
        let mut cursor = self.cursor().of(limits.utf8, true);
        let (tag, verb, _) = head(&mut cursor).map_err(|(tag, kind)| error(&cursor, tag, None, kind))?;
        match append::single(&mut cursor, limits) {
            Ok(None) => Ok(None),
            Ok(Some(append)) => {
                let deviations = self.deviations(&mut cursor, verb);
                match deviations.first().filter(|_| limits.tolerance == Tolerance::Strict) {
                    Some(deviation) => Err(not_tolerated(Some(tag), Some(verb), deviation)),
                    None => Ok(Some((append, deviations))),
                }
            }
            Err(kind) => Err(error(&cursor, Some(tag), Some(verb), kind)),
        }
    }
}

fn error(cursor: &Cursor<'_>, tag: Option<Tag>, verb: Option<Verb>, kind: CommandErrorKind) -> CommandError {
    let (offset, near) = cursor.place();
    let near = if verb.is_some_and(has_secrets) { Excerpt::new(b"") } else { near };
    CommandError { tag, verb, kind, offset, near }
}

/// Whether what stands behind the name is never shown, not even where it cannot be read.
const fn has_secrets(verb: Verb) -> bool {
    matches!(verb, Verb::Login | Verb::Authenticate)
}

/// Why a command is refused that has this in it, where nothing is tolerated.
fn not_tolerated(tag: Option<Tag>, verb: Option<Verb>, deviation: &Deviation) -> CommandError {
    let kind = CommandErrorKind::NotTolerated(deviation.kind);
    CommandError { tag, verb, kind, offset: deviation.offset, near: deviation.bytes.clone() }
}

/// A space and a word.
fn name<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    cursor.space().ok()?;
    cursor.atom().ok()
}

/// Tag, name, and whether UID stood before it.
fn head(cursor: &mut Cursor<'_>) -> Result<(Tag, Verb, bool), (Option<Tag>, CommandErrorKind)> {
    let tag = cursor.run(|octet| octet != b' ');
    let tag = Tag::new(cursor.keep(tag)).map_err(|_| (None, CommandErrorKind::Tag))?;
    let Some(first) = name(cursor) else { return Err((Some(tag), CommandErrorKind::Unknown)) };
    let uid = first.eq_ignore_ascii_case(b"UID");
    let named = if uid { name(cursor) } else { Some(first) };
    match named.and_then(Verb::parse) {
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
        Verb::Authenticate => authenticate(cursor)?,
        Verb::Login => {
            let user = argument(cursor)?;
            cursor.space()?;
            Command::Login { user, password: Secret::from(&*cursor.astring()?) }
        }
        Verb::Enable => Command::Enable(enable(cursor)?),
        Verb::Select => Command::Select(mailboxes::select(cursor, limits)?),
        Verb::Examine => Command::Examine(mailboxes::select(cursor, limits)?),
        Verb::Create => Command::Create(mailboxes::create(cursor, limits)?),
        Verb::Delete => Command::Delete(mailbox(cursor)?),
        Verb::Rename => Command::Rename { from: mailbox(cursor)?, to: mailbox(cursor)? },
        Verb::Subscribe => Command::Subscribe(mailbox(cursor)?),
        Verb::Unsubscribe => Command::Unsubscribe(mailbox(cursor)?),
        Verb::List => Command::List(mailboxes::list(cursor, true)?),
        Verb::Lsub => Command::Lsub(mailboxes::list(cursor, false)?),
        Verb::Xlist => Command::Xlist(mailboxes::list(cursor, false)?),
        Verb::Namespace => Command::Namespace,
        Verb::Status => {
            let mailbox = mailbox(cursor)?;
            cursor.space()?;
            Command::Status { mailbox, items: mailboxes::status_items(cursor)? }
        }
        // Complete only with their messages, which are read elsewhere.
        Verb::Append | Verb::Replace => return Err(Failure::Expected("a literal with the message")),
        Verb::Idle => Command::Idle,
        Verb::Check => Command::Check,
        Verb::Close => Command::Close,
        Verb::Unselect => Command::Unselect,
        Verb::Expunge if uid => {
            cursor.space()?;
            Command::Expunge(Some(search::set(cursor, limits)?))
        }
        Verb::Expunge => Command::Expunge(None),
        Verb::Search => Command::Search(returns::search(cursor, uid, limits)?),
        Verb::Sort => Command::Sort(returns::sort(cursor, uid, limits)?),
        Verb::Thread => Command::Thread(returns::thread(cursor, uid, limits)?),
        Verb::MultiSearch => Command::MultiSearch(returns::multi_search(cursor, limits)?),
        Verb::CancelUpdate => Command::CancelUpdate(returns::cancel_update(cursor)?),
        Verb::Fetch => Command::Fetch(messages::fetch(cursor, uid, limits)?),
        Verb::Store => messages::store(cursor, uid, limits)?,
        Verb::Copy => {
            Command::Copy { messages: messages::messages(cursor, uid, limits)?, mailbox: mailbox(cursor)? }
        }
        Verb::Move => {
            Command::Move { messages: messages::messages(cursor, uid, limits)?, mailbox: mailbox(cursor)? }
        }
        Verb::Id => Command::Id(id(cursor)?),
        Verb::Notify => Command::Notify(notify::notify(cursor, limits)?),
        Verb::GetMetadata => Command::GetMetadata(metadata::get(cursor, limits)?),
        Verb::SetMetadata => Command::SetMetadata(metadata::set(cursor, limits)?),
        Verb::GetQuota => Command::GetQuota(argument(cursor)?),
        Verb::GetQuotaRoot => Command::GetQuotaRoot(mailbox(cursor)?),
        Verb::SetQuota => access::set_quota(cursor)?,
        Verb::SetAcl => access::set_acl(cursor, limits)?,
        Verb::DeleteAcl => Command::DeleteAcl { mailbox: mailbox(cursor)?, identifier: argument(cursor)? },
        Verb::GetAcl => Command::GetAcl(mailbox(cursor)?),
        Verb::ListRights => Command::ListRights { mailbox: mailbox(cursor)?, identifier: argument(cursor)? },
        Verb::MyRights => Command::MyRights(mailbox(cursor)?),
        Verb::Compress => {
            cursor.space()?;
            Command::Compress(cursor.word()?)
        }
        Verb::Unauthenticate => Command::Unauthenticate,
    })
}

/// A space and a mailbox name.
fn mailbox(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Mailbox, Failure> {
    cursor.space()?;
    Ok(Mailbox::read(cursor.astring()?, limits.utf8))
}

/// A space and a string.
fn argument(cursor: &mut Cursor<'_>) -> Result<OctetString, Failure> {
    cursor.space()?;
    cursor.octets()
}

fn authenticate(cursor: &mut Cursor<'_>) -> Result<Command, Failure> {
    cursor.space()?;
    let mechanism = cursor.atom()?;
    let mechanism = OctetString::new(cursor.keep(mechanism)).map_err(|_| Failure::Expected("a mechanism"))?;
    let mut initial = None;
    if cursor.peek() == Some(b' ') {
        cursor.space_before_text()?;
        let base64 = cursor.run(|octet| octet.is_ascii_graphic());
        initial = (!base64.is_empty()).then(|| Secret::from(base64));
    }
    Ok(Command::Authenticate { mechanism, initial })
}

/// RFC 5161 §4: one name at least.
fn enable(cursor: &mut Cursor<'_>) -> Result<Vec<Capability>, Failure> {
    const MOST: usize = 100;
    let mut names = Vec::new();
    loop {
        cursor.space()?;
        if names.len() == MOST {
            return Err(Failure::TooMany("capabilities"));
        }
        let name = cursor.atom()?;
        let name = Capability::new(cursor.keep(name)).ok_or(Failure::Expected("a capability"))?;
        cursor.push(&mut names, name)?;
        let mark = cursor.mark();
        cursor.skip_spaces();
        if cursor.is_at_end() {
            return Ok(names);
        }
        cursor.rewind(mark);
    }
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
