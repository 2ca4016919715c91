//! IMAP: commands, framed and read, and the server session.

use bytes::BytesMut;
use mailwright_core::testing::laws;
use mailwright_imap::LiteralPolicy;
use mailwright_imap::parse::{AppendReader, CommandInput, CommandLimits, LiteralUse, ParsedCommand};
use mailwright_imap::server::{Server, TlsMode};
use mailwright_imap::types::Command;
use mailwright_imap::value::Flag;
use mailwright_imap::wire::{Frame, Framer, PartEnd};

use self::host::{Answers, bounds, clear_text};
use crate::choice;
use crate::smtp::holds;
use crate::wire::pieces;

#[path = "../../imap-proto/tests/host/mod.rs"]
mod host;

/// The longest line and literal.
const LIMIT: usize = 4096;

/// The commands of an input, in words: literals are taken up to a limit, and behind a larger one the next line
/// part is a new command.
fn read(data: &[u8], seed: u8) -> (Vec<String>, Vec<ParsedCommand>) {
    let mut framer = Framer::new();
    let (mut input, mut words, mut commands) = (BytesMut::new(), Vec::new(), Vec::new());
    let (mut command, mut literal, mut binary) = (CommandInput::new(), BytesMut::new(), false);
    for piece in pieces(data, seed) {
        input.extend_from_slice(piece);
        while let Some(frame) = framer.next_frame(&mut input, LIMIT) {
            let part = match frame {
                Frame::Chunk(octets) => {
                    literal.extend_from_slice(&octets);
                    continue;
                }
                Frame::LiteralEnd if binary => {
                    command.push_binary_literal(literal.split().freeze());
                    continue;
                }
                Frame::LiteralEnd => {
                    command.push_literal(literal.split().freeze());
                    continue;
                }
                Frame::Part(part) => part,
            };
            words.push(format!("{part:?}"));
            command.push_part(part.octets);
            if let PartEnd::Literal(announced) = part.end
                && let Some(length) = announced.length.filter(|length| *length <= LIMIT as u64)
            {
                framer.read_literal(length);
                binary = announced.binary;
                continue;
            }
            let parsed = command.parse(&CommandLimits::default());
            words.push(format!("{parsed:?} {:?}", command.append(&CommandLimits::default())));
            commands.extend(parsed);
            command = CommandInput::new();
        }
        assert!(input.len() <= LIMIT, "no more than the limit stays");
    }
    (words, commands)
}

/// The first command of an input as APPEND or REPLACE, in words: content in one piece, however it comes.
fn append(data: &[u8], seed: u8) -> Vec<String> {
    let mut framer = Framer::new();
    let (mut input, mut words, mut literal) = (BytesMut::new(), Vec::new(), BytesMut::new());
    let mut reader = AppendReader::new(CommandLimits::default());
    let mut used = None;
    for piece in pieces(data, seed) {
        input.extend_from_slice(piece);
        while let Some(frame) = framer.next_frame(&mut input, LIMIT) {
            match frame {
                Frame::Chunk(octets) => literal.extend_from_slice(&octets),
                Frame::LiteralEnd if used == Some(LiteralUse::Argument) => {
                    reader.argument(literal.split().freeze());
                }
                Frame::LiteralEnd => words.push(format!("{:?}", literal.split())),
                Frame::Part(part) => {
                    let announced = match part.end {
                        PartEnd::Literal(announced) => Some(announced),
                        PartEnd::Message | PartEnd::Unknown => None,
                    };
                    match reader.part(part.octets, announced) {
                        Ok(Some(found)) => {
                            let length = announced.and_then(|announced| announced.length);
                            let Some(length) = length.filter(|length| *length <= LIMIT as u64) else {
                                return words;
                            };
                            framer.read_literal(length);
                            used = Some(found);
                        }
                        end => {
                            words.push(format!("{end:?}"));
                            return words;
                        }
                    }
                    while let Some(event) = reader.next_event() {
                        words.push(format!("{event:?}"));
                    }
                }
            }
        }
    }
    words
}

/// Commands in pieces are those of the whole; what is read is written so that it is read as the same.
pub fn imap_commands(data: &[u8]) {
    let (seed, data) = choice(data);
    let (whole, commands) = read(data, 0);
    let (cut, _) = read(data, seed.max(1));
    assert_eq!(whole, cut, "the cut of the input matters");
    assert_eq!(append(data, 0), append(data, seed.max(1)), "the cut of a message matters");
    for ParsedCommand { tag, command, .. } in commands {
        if let Command::Search(search) = &command {
            let _ = search.search.matches(|_| true);
        }
        // What cannot be sent (a string that is too long for a line, say) is refused before any octet.
        let Ok(wire) = command.encode(&tag, LiteralPolicy::All, false) else { continue };
        let wire = wire.concat();
        let (words, again) = read(&wire, 0);
        let [again] = &again[..] else { panic!("not one command: {} {words:?}", wire.escape_ascii()) };
        assert!(again.deviations.is_empty(), "{:?}: {}", again.deviations, wire.escape_ascii());
        assert_eq!(format!("{command:?}"), format!("{:?}", again.command), "{}", wire.escape_ascii());
        assert_eq!(tag, again.tag);
    }
}

fn server(choice: u8) -> (Server, Answers) {
    let mut config = clear_text();
    config.tls = [TlsMode::Off, TlsMode::Off, TlsMode::StartTls, TlsMode::Implicit][usize::from(choice % 4)];
    if choice & 128 != 0 {
        config.limits.not_authenticated.errors = 1000;
    }
    let mut answers = Answers::default();
    answers.careless = true;
    answers.slow = choice / 4 % 2 == 1;
    for number in 0..choice / 8 % 8 {
        let flags = if number % 2 == 0 { &[Flag::Seen][..] } else { &[] };
        answers.inbox().add(b"Subject: x\r\n\r\nbody\r\n", flags);
    }
    (Server::new(config, [5; 32]), answers)
}

const WORDS: &[&[u8]] = &[
    b"a LOGIN fred secret\r\n",
    b"a LOGIN fred secret\r\nb SELECT INBOX\r\n",
    b"a SELECT INBOX\r\n",
    b"a EXAMINE INBOX\r\n",
    b"a AUTHENTICATE PLAIN\r\n",
    b"AGZyZWQAc2VjcmV0\r\n",
    b"a FETCH 1:* (FLAGS BODY[])\r\n",
    b"a UID FETCH 1:* (UID RFC822.SIZE BODY.PEEK[TEXT]<0.3>)\r\n",
    b"a STORE 1:* +FLAGS.SILENT (\\Deleted $x)\r\n",
    b"a UID STORE 1:* FLAGS (\\Seen)\r\n",
    b"a EXPUNGE\r\n",
    b"a UID EXPUNGE 1:3\r\n",
    b"a SEARCH 1:* NOT SEEN\r\n",
    b"a UID SEARCH UID *\r\n",
    b"a COPY 1 INBOX\r\n",
    b"a MOVE 1:* INBOX\r\n",
    b"a APPEND INBOX {3}\r\n",
    b"a APPEND INBOX (\\Seen) {3+}\r\nabc\r\n",
    b"abc\r\n",
    b"a IDLE\r\n",
    b"DONE\r\n",
    b"a CLOSE\r\n",
    b"a NOOP\r\n",
    b"a LIST \"\" *\r\n",
    b"a STATUS INBOX (MESSAGES)\r\n",
    b"a STARTTLS\r\n",
    b"a LOGOUT\r\n",
    b"a XFOO {3+}\r\nabc",
    b"\r",
    b"\n",
    b"\0",
];

/// A server under any calls: law 7, with the bounds of its limits.
pub fn imap_server(data: &[u8]) {
    let (first, script) = choice(data);
    holds(laws::calls(server(first), WORDS, script, &bounds()));
}

/// A server with any input, cut and not: law 1.
pub fn imap_server_cut(data: &[u8]) {
    let (first, input) = choice(data);
    let input = input.get(..600).unwrap_or(input);
    // What becomes of octets that do not wait for consent, and of those behind STARTTLS, depends on what had come.
    let waits = input.windows(2).any(|window| window[0].is_ascii_digit() && window[1] == b'}');
    let layer = first % 4 == 2 && input.windows(8).any(|window| window.eq_ignore_ascii_case(b"STARTTLS"));
    if waits || layer {
        return;
    }
    let stages: &[&[u8]] = if first % 4 == 3 { &[b"", input] } else { &[input] };
    holds(laws::fragmentation(|| server(first), stages, u64::from(first)));
}
