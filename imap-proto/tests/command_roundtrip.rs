//! What the encoder writes, the parser reads, whatever literals the peer takes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod commands;
mod generate;

use bytes::{Bytes, BytesMut};
use commands::{parse, read_append};
use generate::command::{append, append_message, command};
use mailwright_imap::LiteralPolicy;
use mailwright_imap::parse::{AppendEvent, CommandLimits};
use mailwright_imap::types::{
    AppendCommand, AppendMessage, CatenatePart, Command, MessageForm, OctetString, Tag,
};
use mailwright_imap::value::Tolerance;
use proptest::collection::vec;
use proptest::prelude::*;

const POLICIES: [LiteralPolicy; 3] = [LiteralPolicy::Synchronising, LiteralPolicy::Small, LiteralPolicy::All];

fn tag() -> Tag {
    Tag::new("a1").unwrap()
}

/// The content of a message, written and told.
fn put_message(
    form: MessageForm,
    parts: &[Option<OctetString>],
    policy: LiteralPolicy,
    wire: &mut BytesMut,
    events: &mut Vec<AppendEvent>,
    contents: &mut Vec<Bytes>,
) {
    let mut content = |text: Bytes, wire: &mut BytesMut| {
        wire.extend_from_slice(&form.announce(text.len() as u64, policy).octets);
        wire.extend_from_slice(&text);
        contents.push(text);
        AppendEvent::Text
    };
    if form == MessageForm::Catenate {
        for (index, part) in parts.iter().enumerate() {
            let written = match part {
                Some(url) => CatenatePart::Url(url.clone()),
                None => CatenatePart::Text,
            };
            wire.extend_from_slice(&written.encode(index == 0, policy).concat());
            match part {
                Some(url) => events.push(AppendEvent::Url(url.clone())),
                None => events.push(content("text\r\n a b".into(), wire)),
            }
        }
    } else {
        let text = if form == MessageForm::Literal { "a {3+}\r\n" } else { "a\0{3+}\r\n" };
        events.push(content(text.into(), wire));
    }
    wire.extend_from_slice(form.end());
    events.push(AppendEvent::MessageEnd);
}

fn form_of(command: &Command) -> MessageForm {
    match command {
        Command::Append(AppendCommand { form, .. }) => *form,
        Command::Replace(replace) => replace.append.form,
        other => panic!("{other:?}"),
    }
}

fn appended(
    command: &Command,
    others: &[AppendMessage],
    parts: &[Option<OctetString>],
    policy: LiteralPolicy,
) -> Result<(), TestCaseError> {
    let mut wire = BytesMut::from(&*command.encode(&tag(), policy, false).unwrap().concat());
    let mut events = vec![AppendEvent::Command(command.clone())];
    let mut contents = Vec::new();
    put_message(form_of(command), parts, policy, &mut wire, &mut events, &mut contents);
    for message in others {
        wire.extend_from_slice(&message.encode());
        events.push(AppendEvent::Message(message.clone()));
        put_message(message.form, parts, policy, &mut wire, &mut events, &mut contents);
    }
    wire.extend_from_slice(b"\r\n");
    events.push(AppendEvent::End);
    let (found, octets) =
        read_append(&wire).unwrap_or_else(|error| panic!("{error}: {}", wire.escape_ascii()));
    prop_assert_eq!(format!("{found:?}"), format!("{events:?}"), "{}", wire.escape_ascii());
    prop_assert_eq!(octets, contents);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_command_is_read_as_it_was_written(command in command(), size in 1_usize..50) {
        for policy in POLICIES {
            let wire = command.encode(&tag(), policy, false).unwrap().concat();
            // The encoder writes nothing that had to be tolerated.
            let mut limits = CommandLimits::default();
            limits.tolerance = Tolerance::Strict;
            let parsed = parse(&wire, size, &limits);
            let parsed = parsed.map_err(|error| TestCaseError::fail(format!("{error}: {}", wire.escape_ascii())))?;
            prop_assert_eq!(format!("{:?}", parsed.command), format!("{command:?}"), "{}", wire.escape_ascii());
            prop_assert_eq!(parsed.tag, tag());
            // Secrets show nothing: what is written again tells.
            prop_assert_eq!(parsed.command.encode(&tag(), policy, false).unwrap().concat(), wire);
        }
    }

    #[test]
    fn messages_are_read_as_they_were_written(
        command in append(),
        others in vec(append_message(), 0..3),
        parts in vec(proptest::option::of(generate::string()), 1..4),
    ) {
        let others = if matches!(command, Command::Replace(_)) { &[][..] } else { &others };
        for policy in POLICIES {
            appended(&command, others, &parts, policy)?;
        }
    }

    #[test]
    fn a_literal_waits_only_where_the_peer_wants_to_be_asked(command in command()) {
        let pieces = |policy| command.encode(&tag(), policy, false).unwrap();
        prop_assert_eq!(pieces(LiteralPolicy::All).len(), 1);
        for piece in pieces(LiteralPolicy::Synchronising).split_last().unwrap().1 {
            let waits = piece.ends_with(b"}\r\n") && !piece.ends_with(b"+}\r\n");
            prop_assert!(waits);
        }
    }
}
