//! [`Transcript`]s: dialogues in text files, which hold for the server and, with the sides changed, for the
//! client.
//!
//! ```text
//! # A comment.
//! ! option …       what the session is made with; at the top
//! C: EHLO client   a line of the client, without its line end
//! S: 250 server    a line of the server
//! ! tls            the layer that both want is in place; also `deflate`, `plain`
//! ! eof            the peer sends nothing more
//! ! wait 300       seconds pass, over every deadline on the way
//! ! event WORDS    the host was told this, in the words of its notes; others may stand before it
//! ! closed         the session is over
//! ! …              anything else is for the actor
//! ```
//! In lines, `\r`, `\n`, `\t`, `\0`, `\\` and `\xNN` stand for octets, and a `\` at the end for no line end.
//! Lines of the peer that follow each other come together.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

use super::{End, Host, Note};
use crate::session::Session;

/// A host that can play a part.
pub trait Actor<S: Session>: Host<S> {
    /// Makes the session say `line` (with its line end), which it did not say of its own accord; `next` is
    /// what the transcript says then.
    ///
    /// # Errors
    /// Says why it cannot.
    fn say(&mut self, session: &mut S, line: &[u8], next: &[Line]) -> Result<(), String> {
        let _ = (session, line, next);
        Err("the session did not say it".to_string())
    }

    /// Follows a direction (`! …`) that this module does not know.
    ///
    /// # Errors
    /// Says why it cannot.
    fn direct(&mut self, session: &mut S, direction: &str) -> Result<(), String> {
        let _ = session;
        Err(alloc::format!("unknown direction {direction:?}"))
    }
}

/// Which side of a dialogue the session under test is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
pub enum Side {
    /// It is the client.
    Client,
    /// It is the server.
    Server,
}

/// A line of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are three kinds")]
pub enum Line {
    /// Octets of one side.
    Octets(Side, Vec<u8>),
    /// A direction: what stands behind the `!`.
    Direction(String),
}

/// A dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    options: Vec<String>,
    /// Each with its number in the file.
    lines: Vec<(usize, Line)>,
}

/// Where a transcript does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
#[non_exhaustive]
pub struct Mismatch {
    /// The line of the file, from 1; 0 if it is the file as a whole.
    pub line: usize,
    /// What does not hold.
    pub what: String,
}

impl Mismatch {
    const fn new(line: usize, what: String) -> Self {
        Self { line, what }
    }
}

impl Transcript {
    /// Reads a transcript.
    ///
    /// # Errors
    /// If a line is of no kind that there is.
    pub fn parse(text: &str) -> Result<Self, Mismatch> {
        let mut transcript = Self { options: Vec::new(), lines: Vec::new() };
        for (index, text) in text.lines().enumerate() {
            let number = index + 1;
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let line = match text.split_at_checked(2) {
                Some(("C:", rest)) => Line::Octets(Side::Client, octets(rest, number)?),
                Some(("S:", rest)) => Line::Octets(Side::Server, octets(rest, number)?),
                Some(("! ", option)) if option.starts_with("option ") => {
                    if !transcript.lines.is_empty() {
                        return Err(Mismatch::new(number, "an option stands below the first line".into()));
                    }
                    transcript.options.push(option.trim_start_matches("option ").to_string());
                    continue;
                }
                Some(("! ", direction)) => Line::Direction(direction.to_string()),
                _ => return Err(Mismatch::new(number, alloc::format!("neither C:, S:, ! nor #: {text:?}"))),
            };
            transcript.lines.push((number, line));
        }
        Ok(transcript)
    }

    /// What stands behind `! option`, in order.
    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.options.iter().map(String::as_str)
    }

    /// Everything that one side says, as a seed for fuzzers.
    #[must_use]
    pub fn octets(&self, side: Side) -> Vec<u8> {
        let lines = self.lines.iter().filter_map(|(_, line)| match line {
            Line::Octets(who, octets) if *who == side => Some(octets.as_slice()),
            _ => None,
        });
        lines.collect::<Vec<_>>().concat()
    }

    /// Plays the dialogue with a session that is `side` of it.
    ///
    /// # Errors
    /// At the first line that does not hold.
    pub fn run<S: Session, A: Actor<S>>(&self, side: Side, session: S, actor: A) -> Result<(), Mismatch> {
        let mut end = End::new(session, actor);
        end.waits = false;
        end.turn().map_err(|broken| Mismatch::new(0, broken.to_string()))?;
        let mut stage = Stage { end, told: 0, expecting: true };
        let script: Vec<Line> = self.lines.iter().map(|(_, line)| line.clone()).collect();
        for (index, (number, line)) in self.lines.iter().enumerate() {
            let next = script.get(index + 1..).unwrap_or_default();
            stage.line(side, line, next).map_err(|what| Mismatch::new(*number, what))?;
        }
        stage.rest().map_err(|what| Mismatch::new(0, what))
    }
}

/// A transcript that is played.
struct Stage<S, A> {
    end: End<S, A>,
    /// How many notes were claimed.
    told: usize,
    /// Whether the last line was not the peer's.
    expecting: bool,
}

impl<S: Session, A: Actor<S>> Stage<S, A> {
    fn line(&mut self, side: Side, line: &Line, next: &[Line]) -> Result<(), String> {
        match line {
            Line::Octets(who, octets) if *who != side => {
                if core::mem::take(&mut self.expecting) {
                    self.rest()?;
                }
                self.end.input.extend_from_slice(octets);
                // What comes together is shown together.
                if !matches!(next.first(), Some(Line::Octets(next, _)) if next == who) {
                    self.turn()?;
                }
                Ok(())
            }
            Line::Octets(_, octets) => {
                self.expecting = true;
                if self.end.output.is_empty() {
                    let end = &mut self.end;
                    end.host.say(&mut end.session, octets, next)?;
                    self.turn()?;
                }
                if !self.end.output.starts_with(octets) {
                    let said = self.end.output.escape_ascii();
                    return Err(alloc::format!("expected \"{}\", found \"{said}\"", octets.escape_ascii()));
                }
                self.end.output.drain(..octets.len());
                Ok(())
            }
            Line::Direction(direction) => {
                self.expecting = true;
                self.direct(direction)
            }
        }
    }

    fn direct(&mut self, direction: &str) -> Result<(), String> {
        let (name, argument) = direction.split_once(' ').unwrap_or((direction, ""));
        let end = &mut self.end;
        match name {
            "tls" | "deflate" | "plain" => {
                let wanted = end.session.wants().upgrade;
                if !end.upgrade().map_err(|broken| broken.to_string())? {
                    return Err(alloc::format!("a layer comes and {wanted:?} is wanted"));
                }
            }
            "eof" => end.session.handle_eof(end.now),
            "wait" => {
                let seconds = argument.parse().map_err(|_| alloc::format!("no number: {argument:?}"))?;
                let until = end.now + Duration::from_secs(seconds);
                while end.session.poll_timeout().is_some_and(|deadline| deadline <= until) && end.wait() {
                    end.turn().map_err(|broken| broken.to_string())?;
                }
                end.now = end.now.max(until);
                end.session.handle_timeout(end.now);
            }
            "closed" => {
                self.turn()?;
                if !self.end.session.wants().close || !self.end.is_closed() {
                    return Err(alloc::format!("not closed: {:?}", self.end.session.wants()));
                }
            }
            "event" => {
                let notes = self.end.notes.get(self.told..).unwrap_or_default();
                let found = notes.iter().position(|note| words(note) == argument);
                let Some(found) = found else {
                    return Err(alloc::format!("not told; since the last event that is named: {notes:?}"));
                };
                self.told += found + 1;
            }
            _ => end.host.direct(&mut end.session, direction)?,
        }
        self.turn()
    }

    fn turn(&mut self) -> Result<(), String> {
        self.end.turn().map_err(|broken| broken.to_string())
    }

    /// Nothing may be said that the transcript does not say.
    fn rest(&self) -> Result<(), String> {
        if self.end.output.is_empty() {
            return Ok(());
        }
        Err(alloc::format!("before this line came \"{}\"", self.end.output.escape_ascii()))
    }
}

fn words(note: &Note) -> String {
    match note {
        Note::Event(words) | Note::Closed(words) => words.clone(),
        Note::Content(octets) => alloc::format!("content {}", octets.escape_ascii()),
        Note::Exempt => String::new(),
    }
}

/// The octets of a line: one space behind the colon is no part of it, and CR LF is added.
fn octets(text: &str, number: usize) -> Result<Vec<u8>, Mismatch> {
    let mut octets = Vec::new();
    let mut rest = text.strip_prefix(' ').unwrap_or(text).as_bytes();
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        let Some((&escape, behind)) = rest.split_first() else { return Ok(octets) };
        rest = behind;
        octets.push(match escape {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let digits = rest.split_at_checked(2);
                let value = digits
                    .and_then(|(digits, _)| core::str::from_utf8(digits).ok())
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let Some((value, (_, behind))) = value.zip(digits) else {
                    return Err(Mismatch::new(number, "\\x wants two hexadecimal digits".into()));
                };
                rest = behind;
                value
            }
            _ => return Err(Mismatch::new(number, alloc::format!("no escape: \\{}", char::from(escape)))),
        });
    }
    octets.extend_from_slice(b"\r\n");
    Ok(octets)
}
