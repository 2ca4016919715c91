//! The examples of the RFCs: each command and response is read in strict mode, and written again so that it means
//! the same.
//!
//! `examples/` has a file for each RFC. `C:` is a command, `S:` a response, complete on one line, with `⏎` for the
//! line ends in it; `=` behind one is what is written for it, where the words are not the same. `S~` is a response
//! that the grammar does not allow: strict mode refuses it or reads less, and it is read otherwise.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads the examples")]

mod commands;
mod reading;

use core::fmt::Write as _;
use std::path::Path;

use bytes::BytesMut;
use commands::{parse, read_append};
use mailwright_imap::LiteralPolicy;
use mailwright_imap::parse::{AppendEvent, CommandLimits, ResponseLimits};
use mailwright_imap::types::{AppendCommand, CatenatePart, Command, MessageForm, Response, Tag};
use mailwright_imap::value::DeviationKind;
use reading::strict;

/// Octets as a line of an example.
fn shown(wire: &[u8]) -> String {
    let text = String::from_utf8(wire.to_vec()).unwrap();
    text.strip_suffix("\r\n").unwrap_or(&text).replace("\r\n", "⏎")
}

fn wire(line: &str) -> Vec<u8> {
    format!("{line}\r\n").replace('⏎', "\r\n").into_bytes()
}

/// The words of a line, whatever their form: strings are words, and case does not matter.
fn words(line: &str) -> Vec<String> {
    let wire = wire(line);
    let mut words = Vec::new();
    let mut rest = &wire[..];
    while let Some((&octet, behind)) = rest.split_first() {
        match octet {
            b' ' | b'\r' | b'\n' => rest = behind,
            b'(' | b')' | b'[' | b']' | b'<' | b'>' => {
                words.push(char::from(octet).to_string());
                rest = behind;
            }
            b'"' => {
                let (mut word, mut at) = (Vec::new(), 0);
                while behind[at] != b'"' {
                    at += usize::from(behind[at] == b'\\');
                    word.push(behind[at]);
                    at += 1;
                }
                words.push(String::from_utf8(word).unwrap().to_uppercase());
                rest = &behind[at + 1..];
            }
            b'{' if memchr::memmem::find(behind, b"}\r\n").is_some() => {
                let end = memchr::memmem::find(behind, b"}\r\n").unwrap();
                let digits = String::from_utf8(behind[..end].to_vec()).unwrap();
                let length: usize = digits.trim_end_matches('+').parse().unwrap();
                let content = &behind[end + 3..end + 3 + length];
                words.push(String::from_utf8_lossy(content).to_uppercase());
                rest = &behind[end + 3 + length..];
            }
            _ => {
                let fits = |octet: &u8| !b" \r\n()[]<>".contains(octet);
                let length = rest.iter().take_while(|octet| fits(octet)).count();
                words.push(String::from_utf8_lossy(&rest[..length]).to_uppercase());
                rest = &rest[length..];
            }
        }
    }
    words
}

/// The command, written again.
fn command(line: &str) -> Result<String, String> {
    let wire = wire(line);
    let mut written = BytesMut::new();
    match parse(&wire, usize::MAX, &CommandLimits::default()) {
        Ok(parsed) => {
            let pieces = parsed.command.encode(&parsed.tag, LiteralPolicy::All, false).unwrap();
            written.extend_from_slice(&pieces.concat());
        }
        Err(error) => {
            let (events, contents) = read_append(&wire).map_err(|_| error)?;
            let tag = Tag::new(line.split(' ').next().unwrap_or_default().to_owned()).unwrap();
            put_append(&tag, &events, &contents, &mut written);
        }
    }
    Ok(shown(&written))
}

fn put_append(tag: &Tag, events: &[AppendEvent], contents: &[bytes::Bytes], written: &mut BytesMut) {
    let mut contents = contents.iter();
    let mut form = MessageForm::Literal;
    let mut first = true;
    for event in events {
        match event {
            AppendEvent::Command(command) => {
                written.extend_from_slice(&command.encode(tag, LiteralPolicy::All, false).unwrap().concat());
                form = match command {
                    Command::Append(AppendCommand { form, .. }) => *form,
                    Command::Replace(replace) => replace.append.form,
                    other => panic!("{other:?}"),
                };
            }
            AppendEvent::Message(message) => {
                written.extend_from_slice(&message.encode());
                form = message.form;
                first = true;
            }
            AppendEvent::Url(url) => {
                let part = CatenatePart::Url(url.clone());
                written.extend_from_slice(&part.encode(first, LiteralPolicy::All).concat());
                first = false;
            }
            AppendEvent::Text => {
                if form == MessageForm::Catenate {
                    written.extend_from_slice(&CatenatePart::Text.encode(first, LiteralPolicy::All).concat());
                    first = false;
                }
                let content = contents.next().unwrap();
                written.extend_from_slice(&form.announce(content.len() as u64, LiteralPolicy::All).octets);
                written.extend_from_slice(content);
            }
            AppendEvent::MessageEnd => written.extend_from_slice(form.end()),
            AppendEvent::End => written.extend_from_slice(b"\r\n"),
            other => panic!("{other:?}"),
        }
    }
}

/// The response, written again. It departs from the grammar.
fn tolerated(line: &str) -> Result<String, String> {
    if response(line).is_ok() {
        return Err("nothing to tolerate".to_owned());
    }
    let parsed =
        Response::parse(&wire(line), &ResponseLimits::default()).map_err(|error| error.to_string())?;
    assert!(!parsed.deviations.is_empty(), "{line}");
    let mut written = BytesMut::new();
    parsed.response.encode(&mut written, false);
    Ok(shown(&written))
}

/// The response, written again.
fn response(line: &str) -> Result<String, String> {
    let parsed = Response::parse(&wire(line), &strict()).map_err(|error| error.to_string())?;
    let names = parsed.deviations.iter().all(|deviation| deviation.kind == DeviationKind::MailboxName);
    if !names {
        return Err(format!("{:?}", parsed.deviations));
    }
    if let Response::Unknown(_) = parsed.response {
        return Err("not known".to_owned());
    }
    let mut written = BytesMut::new();
    parsed.response.encode(&mut written, false);
    Ok(shown(&written))
}

#[test]
fn examples_are_read_and_mean_the_same_when_they_are_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples");
    let (mut problems, mut count) = (String::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let result = match line.split_at_checked(3) {
                Some(("C: ", line)) => command(line),
                Some(("S: ", line)) => response(line),
                Some(("S~ ", line)) => tolerated(line),
                _ => continue,
            };
            let expected = match lines.peek().and_then(|next| next.strip_prefix("= ")) {
                Some(expected) => expected,
                None => &line[3..],
            };
            count += 1;
            match result {
                Ok(written) if words(&written) == words(expected) => {}
                Ok(written) => writeln!(problems, "{name}\t{line}\t=\t{written}").unwrap(),
                Err(error) => writeln!(problems, "{name}\t{line}\t!\t{error}").unwrap(),
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
    assert!(count > 1000, "{count}");
}
