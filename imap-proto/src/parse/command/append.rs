//! [`AppendReader`]: reads APPEND and REPLACE, whose messages are streamed. RFC 9051 §9 (`append`), RFC 3502 §7,
//! RFC 4469 §5, RFC 6855 §4, RFC 8508 §5.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;
use mailwright_core::value::{Deviation, Tolerance};

use super::messages::{flags, messages};
use super::{CommandLimits, error, head, not_tolerated};
use crate::parse::cursor::{Cursor, Failure, Fragment, Mark};
use crate::parse::error::CommandError;
use crate::types::{
    AppendCommand, AppendMessage, Command, DateTime, Mailbox, MessageForm, OctetString, ReplaceCommand, Tag,
    Verb,
};
use crate::wire::Announcement;

/// What a reader of APPEND or REPLACE found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AppendEvent {
    /// [`Command::Append`] or [`Command::Replace`], up to its first message.
    Command(Command),
    /// Another message begins.
    Message(AppendMessage),
    /// Octets of the message: the literal that was announced.
    Text,
    /// Octets of the message, by URL.
    Url(OctetString),
    /// A departure from the RFC, which was read all the same.
    Deviation(Deviation),
    /// The message is complete.
    MessageEnd,
    /// The command is complete.
    End,
}

/// What an announced literal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "octets of a message, or not")]
pub enum LiteralUse {
    /// An argument: to be given to [`AppendReader::argument`], and then the next line part.
    Argument,
    /// Octets of the message: to be handed on as they come, and then the next line part.
    Content,
}

/// Reads APPEND and REPLACE piece by piece, whatever the size of their messages.
///
/// ```
/// use bytes::Bytes;
/// use mailwright_imap::parse::{AppendEvent, AppendReader, CommandLimits, LiteralUse};
/// use mailwright_imap::wire::{Frame, Framer, PartEnd};
///
/// let mut framer = Framer::new();
/// let mut input = bytes::BytesMut::from("a APPEND Sent (\\Seen) {3+}\r\none {3+}\r\ntwo\r\n");
/// let mut reader = AppendReader::new(CommandLimits::default());
/// let (mut messages, mut content) = (0, Vec::new());
/// while let Some(frame) = framer.next_frame(&mut input, 1024) {
///     match frame {
///         Frame::Part(part) => {
///             let PartEnd::Literal(literal) = part.end else {
///                 reader.part(part.octets, None)?;
///                 continue;
///             };
///             assert_eq!(reader.part(part.octets, Some(literal))?, Some(LiteralUse::Content));
///             framer.read_literal(literal.length.unwrap());
///         }
///         Frame::Chunk(octets) => content.extend_from_slice(&octets),
///         Frame::LiteralEnd => {}
///     }
/// }
/// while let Some(event) = reader.next_event() {
///     messages += usize::from(matches!(event, AppendEvent::MessageEnd));
/// }
/// assert_eq!((messages, content), (2, b"onetwo".to_vec()));
/// # Ok::<(), mailwright_imap::parse::CommandError>(())
/// ```
#[derive(Clone, Debug)]
pub struct AppendReader {
    limits: CommandLimits,
    /// Line parts and arguments since the last content.
    fragments: Vec<Fragment>,
    /// Their octets.
    octets: usize,
    /// Octets before them.
    passed: u64,
    /// Up to where they were read.
    read: Mark,
    place: Place,
    /// Tag and name, once they are known.
    head: Option<(Tag, Verb)>,
    events: VecDeque<AppendEvent>,
}

#[derive(Clone, Debug)]
enum Place {
    /// At the start of the command.
    Start,
    /// Before the flags of a message: the first, with what stands before it.
    First(Head),
    /// Before the flags of another message.
    Message,
    /// Behind the content of a message that is one literal.
    Literal(MessageForm),
    /// Inside the parentheses of CATENATE; whether a part was read.
    Parts(bool),
    /// Behind a message.
    Behind,
    /// Behind the command.
    End,
}

/// What stands before the first message.
#[derive(Clone, Debug)]
struct Head {
    mailbox: Mailbox,
    /// Of REPLACE: the message, and whether by UID.
    replaces: Option<(bool, crate::types::NumberEnd)>,
}

impl AppendReader {
    /// A reader at the start of a command.
    #[must_use]
    pub const fn new(limits: CommandLimits) -> Self {
        Self {
            limits,
            fragments: Vec::new(),
            octets: 0,
            passed: 0,
            read: Mark::START,
            place: Place::Start,
            head: None,
            events: VecDeque::new(),
        }
    }

    /// What was found next.
    #[must_use]
    pub fn next_event(&mut self) -> Option<AppendEvent> {
        self.events.pop_front()
    }

    /// Reads a line part, without line end and announcement, and says what the literal is that it announces.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn part(
        &mut self,
        octets: Bytes,
        literal: Option<Announcement>,
    ) -> Result<Option<LiteralUse>, CommandError> {
        self.octets = self.octets.saturating_add(octets.len());
        self.fragments.push(Fragment::new(octets));
        let binary = literal.map(|literal| literal.binary);
        let fragments = mem::take(&mut self.fragments);
        let mut cursor = Cursor::new(&fragments, self.octets).starting_at(self.read);
        cursor = cursor.of(self.limits.utf8, literal.is_some());
        let result = loop {
            self.read = cursor.mark();
            let step = self.step(&mut cursor, binary);
            let found = cursor.take_deviations();
            if let (Ok(_), Some(deviation), Tolerance::Strict) = (&step, found.first(), self.limits.tolerance)
            {
                let (tag, verb) = self.head.clone().unzip();
                break Err(not_tolerated(tag, verb, &self.behind_passed(deviation.clone())));
            }
            if step.is_ok() {
                // What fails now may be read again with the literal.
                let found: Vec<_> = found.into_iter().map(|found| self.behind_passed(found)).collect();
                self.events.extend(found.into_iter().map(AppendEvent::Deviation));
            }
            match step {
                Ok(Step::Again) => {}
                Ok(Step::Literal(used)) => break Ok(Some(used)),
                Ok(Step::End) => break Ok(None),
                // An argument that is a literal is missing: that may be the one that was announced.
                Err(_) if literal.is_some() && cursor.is_at_end() && self.wants_argument() => {
                    break Ok(Some(LiteralUse::Argument));
                }
                Err(kind) => {
                    break Err(self.error(&cursor, kind));
                }
            }
        };
        match result {
            Ok(Some(LiteralUse::Content)) => {
                self.events.push_back(AppendEvent::Text);
                // What is read is not needed any more.
                let length = literal.and_then(|literal| literal.length).unwrap_or(0);
                self.passed = self.passed.saturating_add(self.octets as u64).saturating_add(length);
                (self.read, self.octets) = (Mark::START, 0);
            }
            // Binary literals are messages.
            Ok(Some(LiteralUse::Argument)) if binary == Some(true) => {
                return Err(self.error(&cursor, Failure::Expected("a string")));
            }
            _ => self.fragments = fragments,
        }
        result
    }

    /// A deviation with its offset in the whole command.
    fn behind_passed(&self, mut deviation: Deviation) -> Deviation {
        deviation.offset = deviation.offset.saturating_add(self.passed);
        deviation
    }

    fn error(&self, cursor: &Cursor<'_>, kind: Failure) -> CommandError {
        let (tag, verb) = self.head.clone().unzip();
        let mut error = error(cursor, tag, verb, kind);
        error.offset = error.offset.saturating_add(self.passed);
        error
    }

    /// Takes the literal that is an argument.
    pub fn argument(&mut self, octets: Bytes) {
        if let Some(fragment) = self.fragments.last_mut() {
            self.octets = self.octets.saturating_add(octets.len());
            fragment.literal = Some(octets);
        }
    }

    /// Whether a string may come where reading stopped.
    const fn wants_argument(&self) -> bool {
        match self.place {
            Place::Start => self.head.is_some(),
            Place::Parts(_) => true,
            _ => false,
        }
    }

    /// Reads one thing. `binary`: whether the literal that was announced is, if one was.
    fn step(&mut self, cursor: &mut Cursor<'_>, binary: Option<bool>) -> Result<Step, Failure> {
        match mem::replace(&mut self.place, Place::End) {
            Place::Start => {
                self.place = Place::Start;
                let head = self.start(cursor)?;
                self.place = Place::First(head);
            }
            place @ (Place::First(_) | Place::Message) => {
                let before = if matches!(place, Place::First(_)) { cursor.space() } else { Ok(()) };
                before?;
                let message = message(cursor, &self.limits, binary)?;
                let form = message.form;
                self.begin(place, message);
                if form != MessageForm::Catenate {
                    self.place = Place::Literal(form);
                    return Ok(Step::Literal(LiteralUse::Content));
                }
                self.place = Place::Parts(false);
            }
            Place::Literal(form) => {
                if form == MessageForm::Utf8 {
                    cursor.expect(b')', "the end of UTF8")?;
                }
                self.events.push_back(AppendEvent::MessageEnd);
                self.place = Place::Behind;
            }
            Place::Parts(more) => {
                self.place = Place::Parts(more);
                return self.catenate(cursor, more, binary);
            }
            Place::Behind => {
                let mark = cursor.mark();
                cursor.skip_spaces();
                if binary.is_none() && cursor.is_at_end() {
                    self.events.push_back(AppendEvent::End);
                    return Ok(Step::End);
                }
                cursor.rewind(mark);
                // RFC 8508 §5: one message alone.
                if self.head.as_ref().is_some_and(|(_, verb)| *verb == Verb::Replace) {
                    return Err(Failure::Expected("the end of the command"));
                }
                cursor.space()?;
                self.place = Place::Message;
            }
            Place::End => return Err(Failure::Expected("nothing behind the command")),
        }
        Ok(Step::Again)
    }

    /// Tag, name, message of REPLACE, mailbox.
    fn start(&mut self, cursor: &mut Cursor<'_>) -> Result<Head, Failure> {
        let (tag, verb, uid) = head(cursor).map_err(|(tag, kind)| {
            self.head = tag.map(|tag| (tag, Verb::Append));
            kind
        })?;
        self.head = Some((tag, verb));
        let replaces = match verb {
            Verb::Append => None,
            Verb::Replace => {
                let set = messages(cursor, uid, &self.limits)?;
                // RFC 8508 §5: seq-number, so one message.
                match set.set().ranges() {
                    [range] if range.from == range.to => Some((uid, range.from)),
                    _ => return Err(Failure::Expected("one message")),
                }
            }
            _ => return Err(Failure::Expected("APPEND or REPLACE")),
        };
        cursor.space()?;
        Ok(Head { mailbox: Mailbox::read(cursor.astring()?, self.limits.utf8), replaces })
    }

    /// A message begins behind `place`.
    fn begin(&mut self, place: Place, message: AppendMessage) {
        let Place::First(Head { mailbox, replaces }) = place else {
            return self.events.push_back(AppendEvent::Message(message));
        };
        let mut append = AppendCommand::new(mailbox);
        (append.flags, append.date, append.form) = (message.flags, message.date, message.form);
        self.events.push_back(AppendEvent::Command(match replaces {
            Some((uid, message)) => Command::Replace(ReplaceCommand::new(uid, message, append)),
            None => Command::Append(append),
        }));
    }

    /// The next part of CATENATE, or its end.
    fn catenate(
        &mut self,
        cursor: &mut Cursor<'_>,
        more: bool,
        binary: Option<bool>,
    ) -> Result<Step, Failure> {
        let spaces = cursor.peek() == Some(b' ');
        cursor.skip_spaces();
        if more && cursor.skip(b')') {
            self.events.push_back(AppendEvent::MessageEnd);
            self.place = Place::Behind;
            return Ok(Step::Again);
        }
        if more && !spaces {
            return Err(Failure::Expected("a space"));
        }
        if cursor.keyword(b"URL") {
            cursor.space()?;
            let url = cursor.octets()?;
            self.events.push_back(AppendEvent::Url(url));
            self.place = Place::Parts(true);
            return Ok(Step::Again);
        }
        if !cursor.keyword(b"TEXT") {
            return Err(Failure::Expected("TEXT or URL"));
        }
        cursor.space()?;
        // RFC 4469 §5: text-literal is no binary one.
        if cursor.is_at_end() && binary == Some(false) {
            self.place = Place::Parts(true);
            return Ok(Step::Literal(LiteralUse::Content));
        }
        Err(Failure::Contradiction("a text that is no literal"))
    }
}

/// How a step ended.
enum Step {
    Again,
    Literal(LiteralUse),
    End,
}

/// Flags, date and form of a message, up to what announces it. `binary`: whether the literal that was announced
/// is, if one was.
fn message(
    cursor: &mut Cursor<'_>,
    limits: &CommandLimits,
    binary: Option<bool>,
) -> Result<AppendMessage, Failure> {
    const WHAT: Failure = Failure::Contradiction("no literal with the message");
    let mut message = AppendMessage::default();
    if cursor.peek() == Some(b'(') {
        message.flags = flags(cursor, limits)?;
        cursor.space()?;
    }
    if cursor.peek() == Some(b'"') {
        let date = DateTime::parse(&cursor.string()?).map_err(|_| Failure::Expected("a date"))?;
        message.date = Some(date);
        cursor.space()?;
    }
    if cursor.keyword(b"CATENATE") {
        cursor.space()?;
        cursor.expect(b'(', "what the message is made of")?;
        message.form = MessageForm::Catenate;
        return Ok(message);
    }
    message.form = match binary {
        Some(false) => MessageForm::Literal,
        Some(true) => MessageForm::Binary,
        None => return Err(WHAT),
    };
    if cursor.keyword(b"UTF8") {
        cursor.space()?;
        cursor.expect(b'(', "a message")?;
        // RFC 6855 §4: literal8.
        if binary != Some(true) {
            return Err(WHAT);
        }
        message.form = MessageForm::Utf8;
    }
    if cursor.is_at_end() { Ok(message) } else { Err(Failure::Expected("a literal with the message")) }
}

/// The arguments of an APPEND of one message in a literal, as far as they are there; `None` if the name itself is
/// the literal.
pub(super) fn single(
    cursor: &mut Cursor<'_>,
    limits: &CommandLimits,
) -> Result<Option<AppendCommand>, Failure> {
    cursor.space()?;
    if cursor.is_at_end() {
        return Ok(None);
    }
    let mut append = AppendCommand::new(Mailbox::read(cursor.astring()?, limits.utf8));
    cursor.space()?;
    let message = message(cursor, limits, Some(false))?;
    if message.form != MessageForm::Literal {
        return Err(Failure::Expected("a literal with the message"));
    }
    (append.flags, append.date) = (message.flags, message.date);
    Ok(Some(append))
}
