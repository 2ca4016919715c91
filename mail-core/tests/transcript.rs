//! Transcripts of the toy protocol: what holds passes, and each kind of error is found at its line.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod toy;

use core::time::Duration;

use mailwright_core::session::Session as _;
use mailwright_core::testing::{Actor, Host, Line, Mismatch, Note, Side, Transcript};
use toy::{Event, Toy};

struct Player(Side);

impl Host<Toy> for Player {
    fn handle(&mut self, _: &mut Toy, event: Event) -> Note {
        match event {
            Event::Octets(octets) => Note::Content(octets),
            Event::Closed(reason) => Note::Closed(format!("{reason:?}")),
            Event::Line(line) => Note::Event(format!("line {line}")),
            event => Note::debug(&event),
        }
    }
}

impl Actor<Toy> for Player {
    fn say(&mut self, toy: &mut Toy, line: &[u8], _: &[Line]) -> Result<(), String> {
        if self.0 == Side::Server {
            return Err("a server only answers".into());
        }
        let line = core::str::from_utf8(line).map_err(|error| error.to_string())?;
        toy.say(line.trim_end());
        Ok(())
    }

    fn direct(&mut self, toy: &mut Toy, direction: &str) -> Result<(), String> {
        let Some(answer) = direction.strip_prefix("answer ") else { return Err("what?".into()) };
        if toy.wants().answers == 0 {
            return Err("nothing was asked".into());
        }
        toy.answer(answer);
        Ok(())
    }
}

fn run(side: Side, text: &str) -> Result<(), Mismatch> {
    let session = match side {
        Side::Client => Toy::client(),
        Side::Server => Toy::server().idle_after(Duration::from_secs(60)),
    };
    Transcript::parse(text)?.run(side, session, Player(side))
}

const TALK: &str = "\
# Both sides.
S: + hello
C: one
S: + one
C: STARTTLS
S: + STARTTLS
! tls
C: QUIT
S: + QUIT
! closed
";

#[test]
fn a_dialogue_holds_for_both_sides() {
    run(Side::Server, TALK).unwrap();
    run(Side::Client, TALK).unwrap();
}

#[test]
fn answers_events_time_and_groups_have_their_place() {
    let talk = "\
S: + hello
C: one
C: two\\x20
S: + one
S: + two\\x20
! event line one
! event line two\\x20
C: ASK
! event Asked
! answer of course
S: + of course
C: ECHO 4
S: + ECHO 4
C: a\\r\\n\\0\\
S: a\\r\\n\\0\\
! wait 59
! wait 1
S: * timeout
! event TimedOut
! event None
! closed
";
    // Notes are compared as they are: escapes are for lines.
    run(Side::Server, &talk.replace("two\\x20\nC: ASK", "two \nC: ASK")).unwrap();
}

#[test]
fn what_does_not_hold_is_found_at_its_line() {
    let server = |text: &str| run(Side::Server, text).unwrap_err().line;
    assert_eq!(server("S: + hello\nC: one\nS: + two\n"), 3, "another line");
    assert_eq!(server("S: + hello\nC: one\n! eof\nC: two\n"), 4, "a line that is not expected");
    assert_eq!(server("S: + hello\nC: one\n"), 0, "a line at the end");
    assert_eq!(server("S: + hello\nS: + more\n"), 2, "a line that does not come");
    assert_eq!(server("S: + hello\n! closed\n"), 2, "an end that does not come");
    assert_eq!(server("S: + hello\n! tls\n"), 2, "a layer that is not wanted");
    assert_eq!(server("S: + hello\n! event line one\n"), 2, "an event that does not come");
    assert_eq!(server("S: + hello\n! answer x\n"), 2, "an answer to nothing");
    assert_eq!(server("S: + hello\n! dance\n"), 2, "a direction that nobody knows");
    assert_eq!(server("S: + hello\n! wait long\n"), 2, "no time");
    for line in ["X: y", "S: \\q", "S: \\x0", "! tls\n! option late"] {
        assert!(Transcript::parse(line).is_err(), "{line}");
    }
}

#[test]
fn options_and_the_octets_of_a_side_can_be_had() {
    let transcript = Transcript::parse("! option a b\n! option c\nS: 1\nC: 2\nC: 3\\\nC:\n").unwrap();
    assert_eq!(transcript.options().collect::<Vec<_>>(), ["a b", "c"]);
    assert_eq!(transcript.octets(Side::Client), b"2\r\n3\r\n");
    assert_eq!(transcript.octets(Side::Server), b"1\r\n");
}
