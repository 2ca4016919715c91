//! Command lines: octets to [`Command`]. RFC 5321 §4.1.1 and §4.1.2.
//!
//! In two steps, because a server judges in between: [`CommandLine::read`] finds the verb and refuses
//! what no line may hold; [`CommandLine::parse`] reads the arguments. Views of the line, no allocation
//! (but for the name in EHLO and for deviations).

use alloc::vec::Vec;

use bytes::Bytes;
use mailwright_core::value::{
    AddressError, AddressErrorKind, AddressOptions, Deviation, DeviationKind, Excerpt, ForwardPath, Mailbox,
    ParsedPath, Path, ReversePath, SourceRoute,
};

use crate::types::{ClientName, Command, InitialResponse, Reply, Verb};

/// What is read, and what is forgiven.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CommandOptions {
    /// How addresses are read.
    pub address: AddressOptions,
    /// Whether spaces may stand behind `FROM:` and `TO:`. Default `true`: many clients write one.
    pub space_after_colon: bool,
    /// Whether a path may lack its angle brackets. Default `false`.
    pub missing_brackets: bool,
    /// Whether the parameter SIZE is in force. Default `true`.
    pub size: bool,
    /// Whether the parameter BODY is in force. Default `true`.
    pub eight_bit_mime: bool,
    /// Whether BODY may be BINARYMIME. Default `false`.
    pub binary_mime: bool,
    /// Whether the parameter SMTPUTF8 of MAIL, VRFY and EXPN is in force. Default `false`.
    pub smtp_utf8: bool,
    /// Whether SMTPUTF8 stood on the MAIL of this transaction, so that RCPT may go beyond ASCII. Default `false`.
    pub utf8_recipients: bool,
    /// Whether the parameter REQUIRETLS is in force. Default `false`.
    pub require_tls: bool,
    /// Whether the parameter AUTH is in force. Default `false`.
    pub auth: bool,
    /// Whether the parameters RET, ENVID, NOTIFY and ORCPT are in force. Default `false`.
    pub dsn: bool,
    /// Whether the parameter BY is in force. Default `false`.
    pub deliver_by: bool,
    /// Whether the parameters HOLDFOR and HOLDUNTIL are in force. Default `false`.
    pub future_release: bool,
    /// Whether the parameter MT-PRIORITY is in force. Default `false`.
    pub mt_priority: bool,
    /// Whether the parameter RRVS is in force. Default `false`.
    pub rrvs: bool,
    /// Whether the parameter MTRK is in force, and ENVID and ORCPT with it. Default `false`.
    pub message_tracking: bool,
    /// Whether parameters that are not in force are passed over. Default `false`.
    pub ignore_unknown_parameters: bool,
}

impl Default for CommandOptions {
    fn default() -> Self {
        Self {
            address: AddressOptions::default(),
            space_after_colon: true,
            missing_brackets: false,
            size: true,
            eight_bit_mime: true,
            binary_mime: false,
            smtp_utf8: false,
            utf8_recipients: false,
            require_tls: false,
            auth: false,
            dsn: false,
            deliver_by: false,
            future_release: false,
            mt_priority: false,
            rrvs: false,
            message_tracking: false,
            ignore_unknown_parameters: false,
        }
    }
}

/// Why a line is no command, so exactly that the right reply can be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at offset {offset}: {excerpt}")]
#[non_exhaustive]
pub struct CommandError {
    /// The verb, as far as there is one.
    pub verb: Option<Verb>,
    /// What is wrong.
    pub kind: CommandErrorKind,
    /// Octets from the start of the line to the fault.
    pub offset: usize,
    /// The line from the fault on, bounded; less or nothing of it where it could hold a secret.
    pub excerpt: Excerpt,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CommandErrorKind {
    /// The line is above the limit.
    #[error("line too long")]
    Overlong,
    /// A control character: CR, LF, NUL or any other but HT.
    #[error("control character")]
    Control,
    /// No command has this name.
    #[error("unknown command")]
    Unknown,
    /// The command needs an argument.
    #[error("missing argument")]
    MissingArgument,
    /// The command takes no argument.
    #[error("unexpected argument")]
    UnexpectedArgument,
    /// The argument has not the form that it must have.
    #[error("malformed argument")]
    BadArgument,
    /// The size of a BDAT chunk cannot be read, so the end of the chunk is unknown.
    #[error("unreadable chunk size")]
    ChunkSize,
    /// The address.
    #[error("{0}")]
    Address(AddressErrorKind),
    /// The address needs SMTPUTF8.
    #[error("address beyond ASCII without SMTPUTF8")]
    NotAscii,
    /// A parameter has not the form `keyword[=value]`, or its value is bad, missing, or not allowed.
    #[error("bad parameter")]
    BadParameter,
    /// A parameter is given twice.
    #[error("repeated parameter")]
    RepeatedParameter,
    /// A parameter is unknown or not in force.
    #[error("parameter not in force")]
    UnknownParameter,
    /// A SIZE that does not fit 64 bits.
    #[error("size beyond 64 bits")]
    HugeSize,
}

impl CommandError {
    /// The reply that says it.
    #[must_use]
    pub fn reply(&self) -> Reply {
        use CommandErrorKind as Kind;
        let recipient = self.verb == Some(Verb::Rcpt);
        match self.kind {
            Kind::Overlong => Reply::LINE_TOO_LONG,
            Kind::Control | Kind::Unknown => Reply::COMMAND_NOT_RECOGNISED,
            // RFC 5321 §4.1.4: a mailbox that is not valid is 501 to MAIL, 553 to RCPT.
            Kind::Address(AddressErrorKind::Mailbox) if recipient => Reply::BAD_RECIPIENT_MAILBOX,
            Kind::Address(_) if recipient => Reply::BAD_RECIPIENT_SYNTAX,
            Kind::Address(_) => Reply::BAD_SENDER_SYNTAX,
            // RFC 6531 §3.5
            Kind::NotAscii if recipient => Reply::RECIPIENT_NOT_ASCII,
            Kind::NotAscii => Reply::SENDER_NOT_ASCII,
            // RFC 5321 §4.1.1.11
            Kind::UnknownParameter => Reply::PARAMETER_NOT_RECOGNISED,
            // RFC 1870 §6.1
            Kind::HugeSize => Reply::MESSAGE_TOO_LARGE,
            Kind::MissingArgument
            | Kind::UnexpectedArgument
            | Kind::BadArgument
            | Kind::ChunkSize
            | Kind::BadParameter
            | Kind::RepeatedParameter => Reply::BAD_ARGUMENT,
        }
    }
}

/// A command, and what was forgiven in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParsedCommand {
    /// The command.
    pub command: Command,
    /// What was forgiven.
    pub deviations: Vec<Deviation>,
}

impl Command {
    /// Reads a line without its line end.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use mailwright_smtp::parse::CommandOptions;
    /// use mailwright_smtp::types::Command;
    ///
    /// let line = Bytes::from_static(b"MAIL FROM:<alice@example.org> SIZE=1024");
    /// let Command::Mail { path, parameters, .. } = Command::parse(&line, &CommandOptions::default())?.command
    /// else { panic!() };
    /// assert_eq!(path.to_string(), "<alice@example.org>");
    /// assert_eq!(parameters.size(), Some(1024));
    /// # Ok::<(), mailwright_smtp::parse::CommandError>(())
    /// ```
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn parse(line: &Bytes, options: &CommandOptions) -> Result<ParsedCommand, CommandError> {
        CommandLine::read(line)?.parse(options)
    }
}

/// A line whose verb is known.
#[derive(Clone, Copy)]
pub struct CommandLine<'a> {
    pub(super) verb: Verb,
    line: &'a Bytes,
    /// Its length without the white space that stands behind it.
    length: usize,
    /// Where the argument begins; the length of the line if there is none.
    argument: usize,
    /// Whether all of it is ASCII, so that nobody has to look again.
    ascii: bool,
}

/// What octets of a line have, as bits: an octet ≥ 0x80.
const BEYOND_ASCII: u8 = 0x80;
/// A control character but HT.
const CONTROL: u8 = 1;

/// All at once and without a branch: most lines have nothing of it.
fn looked_at(octets: &[u8]) -> u8 {
    octets.iter().fold(0, |seen, octet| seen | (octet & BEYOND_ASCII) | u8::from(is_control(octet)))
}

const fn is_control(octet: &u8) -> bool {
    octet.is_ascii_control() && *octet != b'\t'
}

impl<'a> CommandLine<'a> {
    /// Finds the verb of a line without its line end.
    ///
    /// # Errors
    /// If the line holds a control character, or its first word is no command.
    pub fn read(line: &'a Bytes) -> Result<Self, CommandError> {
        // RFC 5321 §4.1.1: receivers tolerate white space before the line end.
        let text = line.trim_ascii_end();
        // No verb is longer.
        let end = text.iter().take(Verb::LONGEST + 1).position(|octet| *octet == b' ').unwrap_or(text.len());
        let verb = Verb::find(text.get(..end).unwrap_or_default());
        let seen = looked_at(line);
        // RFC 5321 §2.3.8, §4.1.2: no control character is part of a command; a bare CR or LF never ends one.
        if seen & CONTROL != 0 {
            let offset = line.iter().position(is_control).unwrap_or(0);
            return Err(error(verb, CommandErrorKind::Control, offset, line));
        }
        let Some(verb) = verb else { return Err(error(None, CommandErrorKind::Unknown, 0, line)) };
        let length = text.len();
        let argument = (end + 1).min(length);
        Ok(Self { verb, line, length, argument, ascii: seen & BEYOND_ASCII == 0 })
    }

    /// The line without white space behind it.
    pub(super) fn text(&self) -> &'a [u8] {
        self.line.get(..self.length).unwrap_or_default()
    }

    /// A view of the line from `start` on.
    pub(super) fn view(&self, start: usize) -> Bytes {
        self.line.slice(start.min(self.length)..self.length)
    }

    /// A view of a part of the line.
    pub(super) fn view_of(&self, part: &str) -> Bytes {
        self.line.slice_ref(part.as_bytes())
    }

    /// Where the first octet beyond ASCII stands at or behind `start`.
    pub(super) fn beyond_ascii(&self, start: usize) -> Option<usize> {
        if self.ascii {
            return None;
        }
        let behind = self.text().get(start..).unwrap_or_default();
        behind.iter().position(|octet| !octet.is_ascii()).map(|at| start + at)
    }

    /// The verb.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        self.verb
    }

    /// RFC 2920 §3.1: whether no command may stand behind this one before its reply. RFC 4954 §4: AUTH with
    /// an initial response needs no more from the client.
    pub(crate) fn ends_group(&self) -> bool {
        let complete = self.verb == Verb::Auth && memchr::memchr(b' ', self.argument()).is_some();
        self.verb.entry().last_in_group && !complete
    }

    /// What stands behind the verb and its space.
    fn argument(&self) -> &'a [u8] {
        self.text().get(self.argument..).unwrap_or_default()
    }

    pub(super) fn error(&self, kind: CommandErrorKind, offset: usize) -> CommandError {
        error(Some(self.verb), kind, offset, self.text())
    }

    /// Reads the arguments.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn parse(&self, options: &CommandOptions) -> Result<ParsedCommand, CommandError> {
        let mut deviations = Vec::new();
        if let Some(rest @ [_, ..]) = self.line.get(self.length..) {
            deviations.push(Deviation::new(DeviationKind::TrailingSpace, self.length as u64, rest));
        }
        // Octets ≥ 0x80 have a place only in paths, their parameters and queries, where they are judged apart.
        let apart = matches!(self.verb, Verb::Mail | Verb::Rcpt | Verb::Vrfy | Verb::Expn);
        if let (Some(at), false) = (self.beyond_ascii(self.argument), apart) {
            return Err(self.error(CommandErrorKind::BadArgument, at));
        }
        let command = match self.verb {
            Verb::Ehlo => Command::Ehlo(self.client_name(options)?),
            Verb::Helo => Command::Helo(self.client_name(options)?),
            Verb::Lhlo => Command::Lhlo(self.client_name(options)?),
            Verb::Mail => {
                let read = self.path(b"FROM:", options, &mut deviations)?;
                let path = match read.path {
                    Path::Null => ReversePath::Null,
                    Path::Mailbox(mailbox) => ReversePath::Mailbox(mailbox),
                    // RFC 5321 §4.1.1.2: only a recipient may lack its domain.
                    Path::Postmaster => {
                        return Err(self
                            .error(CommandErrorKind::Address(AddressErrorKind::Mailbox), self.argument + 5));
                    }
                };
                let parameters = self.parameters(read.behind, options)?;
                self.check_ascii(path.mailbox(), parameters.smtp_utf8())?;
                Command::Mail { path, route: read.route, parameters }
            }
            Verb::Rcpt => {
                let read = self.path(b"TO:", options, &mut deviations)?;
                let path = match read.path {
                    Path::Postmaster => ForwardPath::Postmaster,
                    Path::Mailbox(mailbox) => ForwardPath::Mailbox(mailbox),
                    Path::Null => {
                        return Err(self
                            .error(CommandErrorKind::Address(AddressErrorKind::Syntax), self.argument + 3));
                    }
                };
                let parameters = self.parameters(read.behind, options)?;
                self.check_ascii(path.mailbox(), options.utf8_recipients)?;
                Command::Rcpt { path, route: read.route, parameters }
            }
            // RFC 5321 §4.1.1.4, §4.1.1.5, §4.1.1.10, RFC 3207 §4: no argument.
            Verb::Data => self.without_argument(Command::Data)?,
            Verb::Rset => self.without_argument(Command::Rset)?,
            Verb::Quit => self.without_argument(Command::Quit)?,
            Verb::StartTls => self.without_argument(Command::StartTls)?,
            Verb::Bdat => self.chunk()?,
            Verb::Noop => Command::Noop,
            Verb::Vrfy => {
                let (query, smtp_utf8) = self.query(options)?;
                Command::Vrfy { query, smtp_utf8 }
            }
            Verb::Expn => {
                let (query, smtp_utf8) = self.query(options)?;
                Command::Expn { query, smtp_utf8 }
            }
            Verb::Help => Command::Help(self.view(self.argument)),
            Verb::Auth => self.auth()?,
            // RFC 1985 §5: ETRN names a node.
            Verb::Etrn if self.argument().is_empty() => {
                return Err(self.error(CommandErrorKind::MissingArgument, self.length));
            }
            other => Command::Other(other, self.view(self.argument)),
        };
        Ok(ParsedCommand { command, deviations })
    }

    fn without_argument(&self, command: Command) -> Result<Command, CommandError> {
        if self.argument < self.length {
            return Err(self.error(CommandErrorKind::UnexpectedArgument, self.argument));
        }
        Ok(command)
    }

    /// What VRFY or EXPN asks for, and whether SMTPUTF8 stands behind it.
    fn query(&self, options: &CommandOptions) -> Result<(Bytes, bool), CommandError> {
        let argument = self.argument();
        // RFC 6531 §3.7.4.2: vrfy = "VRFY" SP String [ SP "SMTPUTF8" ] CRLF, where String may be beyond ASCII
        const PARAMETER: &[u8] = b" SMTPUTF8";
        let before = argument.len().saturating_sub(PARAMETER.len());
        let smtp_utf8 = options.smtp_utf8
            && argument.get(before..).is_some_and(|end| end.eq_ignore_ascii_case(PARAMETER));
        let query = if smtp_utf8 { argument.get(..before).unwrap_or_default() } else { argument };
        if query.is_empty() {
            return Err(self.error(CommandErrorKind::MissingArgument, self.length));
        }
        let wrong =
            if smtp_utf8 { not_text(query) } else { query.iter().position(|octet| !octet.is_ascii()) };
        match wrong {
            Some(at) => Err(self.error(CommandErrorKind::BadArgument, self.argument + at)),
            None => Ok((self.line.slice(self.argument..self.argument + query.len()), smtp_utf8)),
        }
    }

    fn client_name(&self, options: &CommandOptions) -> Result<ClientName, CommandError> {
        let argument = self.argument();
        if argument.is_empty() {
            return Err(self.error(CommandErrorKind::MissingArgument, self.length));
        }
        ClientName::parse(argument, &options.address).map_err(|AddressError { offset, .. }| {
            self.error(CommandErrorKind::BadArgument, self.argument + offset)
        })
    }

    /// `FROM:` or `TO:` and the path.
    fn path(
        &self,
        keyword: &[u8],
        options: &CommandOptions,
        deviations: &mut Vec<Deviation>,
    ) -> Result<ReadPath, CommandError> {
        let (start, rest) = match self.argument().split_at_checked(keyword.len()) {
            Some((word, rest)) if word.eq_ignore_ascii_case(keyword) => (self.argument + keyword.len(), rest),
            _ => return Err(self.error(CommandErrorKind::BadArgument, self.argument)),
        };
        let spaces = rest.iter().take_while(|&&octet| octet == b' ').count();
        if spaces > 0 {
            if !options.space_after_colon {
                return Err(self.error(CommandErrorKind::BadArgument, start));
            }
            let text = rest.get(..spaces).unwrap_or_default();
            deviations.push(Deviation::new(DeviationKind::ExtraSpace, start as u64, text));
        }
        let start = start + spaces;
        let text = rest.get(spaces..).unwrap_or_default();
        let address_error =
            |error: AddressError| self.error(CommandErrorKind::Address(error.kind), start + error.offset);
        if options.missing_brackets && !text.is_empty() && text.first() != Some(&b'<') {
            let end = memchr::memchr(b' ', text).unwrap_or(text.len());
            let address = text.get(..end).unwrap_or_default();
            let path = if address.eq_ignore_ascii_case(b"postmaster") {
                Path::Postmaster
            } else {
                Path::Mailbox(Mailbox::parse(address, &options.address).map_err(address_error)?)
            };
            deviations.push(Deviation::new(DeviationKind::MissingAngleBrackets, start as u64, address));
            return Ok(ReadPath { path, route: None, behind: start + end });
        }
        let parsed = ParsedPath::read_within(self.line, start..self.length, &options.address)
            .map_err(address_error)?;
        if let Some(mut deviation) = parsed.deviation {
            deviation.offset += start as u64;
            deviations.push(deviation);
        }
        Ok(ReadPath { path: parsed.path, route: parsed.source_route, behind: start + parsed.length })
    }

    /// RFC 6531 §3.5: an address beyond ASCII needs SMTPUTF8.
    fn check_ascii(&self, mailbox: Option<&Mailbox>, smtp_utf8: bool) -> Result<(), CommandError> {
        if smtp_utf8 || self.ascii || mailbox.is_none_or(Mailbox::is_ascii) {
            return Ok(());
        }
        let at = self.beyond_ascii(0).unwrap_or(0);
        // RFC 5321 §4.1.2: behind a backslash only %d32-126 may stand; a pair of two is a backslash itself.
        let before = self.line.get(..at).unwrap_or_default();
        if before.iter().rev().take_while(|&&octet| octet == b'\\').count() % 2 == 1 {
            return Err(self.error(CommandErrorKind::Address(AddressErrorKind::Syntax), at));
        }
        Err(self.error(CommandErrorKind::NotAscii, at))
    }

    /// RFC 3030 §2: `BDAT chunk-size [SP "LAST"]`. Lengths that cannot be read leave no way to go on.
    fn chunk(&self) -> Result<Command, CommandError> {
        let argument = self.argument();
        let (digits, last) = match memchr::memchr(b' ', argument) {
            None => (argument, false),
            Some(at) => {
                let word = argument.get(at + 1..).unwrap_or_default();
                if !word.eq_ignore_ascii_case(b"LAST") {
                    return Err(self.error(CommandErrorKind::ChunkSize, self.argument + at + 1));
                }
                (argument.get(..at).unwrap_or_default(), true)
            }
        };
        let size = digits.iter().try_fold(0_u64, |value, digit| {
            let digit = digit.is_ascii_digit().then_some(u64::from(digit & 0x0F))?;
            value.checked_mul(10)?.checked_add(digit)
        });
        match size.filter(|&size| (1..=20).contains(&digits.len()) && size <= u64::MAX >> 1) {
            Some(size) => Ok(Command::Bdat { size, last }),
            None => Err(self.error(CommandErrorKind::ChunkSize, self.argument)),
        }
    }

    /// RFC 4954 §4: `AUTH mechanism [SP initial-response]`.
    fn auth(&self) -> Result<Command, CommandError> {
        let argument = self.view(self.argument);
        if argument.is_empty() {
            return Err(self.error(CommandErrorKind::MissingArgument, self.length));
        }
        let Some(at) = memchr::memchr(b' ', &argument) else {
            return Ok(Command::Auth { mechanism: argument, initial: None });
        };
        let initial = argument.slice(at + 1..);
        if at == 0 || initial.is_empty() || memchr::memchr(b' ', &initial).is_some() {
            return Err(self.error(CommandErrorKind::BadArgument, self.argument));
        }
        Ok(Command::Auth { mechanism: argument.slice(..at), initial: Some(InitialResponse(initial)) })
    }
}

impl core::fmt::Debug for CommandLine<'_> {
    /// The verb alone: an argument may hold a secret.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CommandLine").field("verb", &self.verb).finish_non_exhaustive()
    }
}

/// The path of MAIL or RCPT.
struct ReadPath {
    path: Path,
    route: Option<SourceRoute>,
    /// Where the parameters begin.
    behind: usize,
}

/// Where text that may go beyond ASCII is no UTF-8, or holds a control character.
fn not_text(octets: &[u8]) -> Option<usize> {
    match core::str::from_utf8(octets) {
        Ok(text) => text.char_indices().find(|&(_, it)| it.is_control() && it != '\t').map(|(at, _)| at),
        Err(error) => Some(error.valid_up_to()),
    }
}

/// The first word, if it looks like the name of a command. What does not may be a secret that came at the
/// wrong time: the response of an exchange that was refused, for example.
fn keyword(line: &[u8]) -> &[u8] {
    let word = line.split(|&octet| octet == b' ').next().unwrap_or_default();
    if word.len() <= 8 && word.iter().all(u8::is_ascii_alphabetic) { word } else { &[] }
}

fn error(verb: Option<Verb>, kind: CommandErrorKind, offset: usize, line: &[u8]) -> CommandError {
    let rest = line.get(offset..).unwrap_or_default();
    let excerpt = match kind {
        // What stands in AUTH may be a password, whatever is wrong with it.
        _ if verb == Some(Verb::Auth) => &[],
        // Another command may stand behind it.
        CommandErrorKind::Control => rest.get(..1).unwrap_or_default(),
        CommandErrorKind::Unknown => keyword(rest),
        _ => rest,
    };
    CommandError { verb, kind, offset, excerpt: Excerpt::new(excerpt) }
}

impl CommandError {
    /// A line above the limit.
    pub(crate) fn overlong() -> Self {
        error(None, CommandErrorKind::Overlong, 0, &[])
    }
}

#[cfg(test)]
mod tests;
