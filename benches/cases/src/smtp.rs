//! SMTP: command lines, replies, content in both directions, a whole transcript, and what an idle session holds.

use std::hint::black_box;
use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::Session as _;
use mailwright_core::value::Instant;
use mailwright_core::wire::{BareLineEnd, DotDecoder, Framed, LineEnd, LineFramer};
use mailwright_smtp::client::Limits;
use mailwright_smtp::content::{BarePolicy, DataEncoder};
use mailwright_smtp::parse::{CommandOptions, ReplyReader};
use mailwright_smtp::server::{Config, Event, Server};
use mailwright_smtp::types::{Command, Reply};

use crate::content::{Body, buffer, in_reads};
use crate::{Case, Work};

/// Command lines, by name.
pub const COMMANDS: [(&str, &str); 9] = [
    ("EHLO", "EHLO client.example.com\r\n"),
    ("MAIL", "MAIL FROM:<alice@example.com>\r\n"),
    ("MAIL with SIZE", "MAIL FROM:<alice@example.com> SIZE=104857\r\n"),
    (
        "MAIL with 4 parameters",
        "MAIL FROM:<alice@example.com> SIZE=104857 BODY=8BITMIME RET=HDRS ENVID=QQ314159\r\n",
    ),
    ("MAIL with <>", "MAIL FROM:<>\r\n"),
    ("RCPT", "RCPT TO:<bob@example.org>\r\n"),
    ("RCPT with DSN", "RCPT TO:<bob@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@example.org\r\n"),
    ("DATA", "DATA\r\n"),
    ("QUIT", "QUIT\r\n"),
];

/// Replies, by name.
pub const REPLIES: [(&str, &str); 2] = [
    ("1 line", "250 2.1.5 Recipient bob@example.org OK\r\n"),
    (
        "EHLO of 12 lines",
        "250-mx.example.org at your service\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-ETRN\r\n250-STARTTLS\r\n\
         250-AUTH PLAIN LOGIN SCRAM-SHA-256\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n\
         250-SMTPUTF8\r\n250-CHUNKING\r\n250 VRFY\r\n",
    ),
];

/// So many of a command or reply come in one buffer, so that what is done once for each buffer does not count.
pub const BATCH: usize = 100;

/// The size of a body.
pub const BODY: usize = 1 << 20;

/// How a body is cut; whole at last.
pub const CHUNKS: [usize; 8] = [1, 64, 512, 1460, 4096, 16_384, 65_536, usize::MAX];

const NOW: Instant = Instant::ORIGIN;

/// Cuts lines off and reads them as commands.
#[must_use]
pub fn command(name: &str, line: &'static str) -> Case {
    let mut options = CommandOptions::default();
    options.dsn = true;
    Case::fresh(
        format!("smtp command: {name}"),
        Work::Items(BATCH as u64),
        || (),
        move |()| buffer(line.repeat(BATCH).as_bytes(), 0),
        move |input| {
            let mut framer = LineFramer::new(LineEnd::CrLf);
            while let Some(Framed::Line { line, .. }) = framer.next_line(input, 2048) {
                let Ok(parsed) = Command::parse(&line, &options) else { unreachable!("a good command") };
                black_box(parsed);
            }
            assert!(input.is_empty());
        },
    )
    .target(|target| target.nanoseconds = Some(100.0))
}

/// Reads replies, with their enhanced codes.
#[must_use]
pub fn reply(name: &str, text: &'static str) -> Case {
    let most = if text.len() < 100 { 60.0 } else { 300.0 };
    Case::fresh(
        format!("smtp reply: {name}"),
        Work::Items(BATCH as u64),
        || (),
        move |()| (buffer(text.repeat(BATCH).as_bytes(), 0), ReplyReader::new(Limits::default().reply)),
        |(input, reader)| {
            let mut count = 0;
            while let Ok(Some(reply)) = reader.next_reply(input) {
                black_box(reply);
                count += 1;
            }
            assert_eq!(count, BATCH);
        },
    )
    .target(|target| target.nanoseconds = Some(most))
}

/// Undoes the transparency of content that comes in reads of so many octets; a bare line end would be refused.
#[must_use]
pub fn decode(body: Body, octets: usize, chunk: usize, offset: usize) -> Case {
    let cut = if chunk == usize::MAX { "whole".to_owned() } else { format!("by {chunk}") };
    let size = if octets == BODY { String::new() } else { format!(", {} MiB", octets >> 20) };
    let align = if offset == 0 { String::new() } else { format!(", offset {offset}") };
    let content = body.content(octets).len();
    let case = Case::fresh(
        format!("smtp decode: {}, {cut}{size}{align}", body.name()),
        Work::Octets(content as u64),
        move || body.wire(octets),
        move |wire| (buffer(wire, offset), content),
        move |(source, content)| {
            let mut decoder = DotDecoder::new(BareLineEnd::Reject);
            let mut came = 0;
            in_reads(source, chunk, |input| {
                while let Some(chunk) = decoder.decode(input) {
                    came += chunk.content.len();
                    black_box(chunk.content);
                }
            });
            assert_eq!(came, *content);
        },
    );
    let least = match body {
        _ if chunk < 512 => return case,
        Body::Base64 | Body::Text | Body::Long => 10.0,
        Body::Dots => 0.5,
        Body::Short | Body::Empty => return case,
    };
    case.target(|target| target.rate = Some(least))
}

/// Makes content transparent, in pieces of 16 KiB, into a buffer that has room.
#[must_use]
pub fn encode(body: Body) -> Case {
    let content = body.content(BODY).len() as u64;
    let least = if body == Body::Dots { 0.5 } else { 5.0 };
    let case = Case::steady(
        format!("smtp encode: {}", body.name()),
        Work::Octets(content),
        move || (body.content(BODY), BytesMut::with_capacity(3 * BODY)),
        |(content, wire)| {
            wire.clear();
            let mut encoder = DataEncoder::new(BarePolicy::Reject, true);
            for chunk in content.chunks(16_384) {
                let Ok(()) = encoder.encode(chunk, wire) else { unreachable!("good content") };
            }
            assert!(encoder.finish(wire).is_ok());
            black_box(wire);
        },
    )
    .target(|target| target.allocations = Some(0.0));
    match body {
        Body::Short | Body::Empty => case,
        _ => case.target(|target| target.rate = Some(least)),
    }
}

/// What a client says for one message.
#[must_use]
pub fn message() -> Vec<u8> {
    let mut message = b"MAIL FROM:<alice@example.com>\r\nRCPT TO:<bob@example.org>\r\n\
        RCPT TO:<carol@example.org>\r\nRCPT TO:<dave@example.org>\r\nDATA\r\n"
        .to_vec();
    message.extend(Body::Text.wire(4096));
    message
}

struct Talk {
    server: Server,
    input: BytesMut,
    message: Vec<u8>,
}

impl Talk {
    fn new(config: &Arc<Config>) -> Self {
        let input = BytesMut::with_capacity(16_384);
        let mut talk = Self { server: Server::new(Arc::clone(config), [1; 32]), input, message: message() };
        talk.say(b"EHLO client.example.com\r\n");
        talk
    }

    fn say(&mut self, octets: &[u8]) -> usize {
        self.input.extend_from_slice(octets);
        let mut messages = 0;
        loop {
            let before = self.input.len();
            self.server.handle_input(&mut self.input, NOW);
            let mut events = 0;
            while let Some(event) = self.server.poll_event() {
                events += 1;
                match event {
                    Event::Recipient(it) => {
                        assert!(self.server.answer(it.token, Reply::RECIPIENT_OK).is_ok());
                    }
                    Event::Message(it) => {
                        messages += 1;
                        assert!(self.server.answer(it.token, Reply::MESSAGE_ACCEPTED).is_ok());
                    }
                    event => drop(black_box(event)),
                }
            }
            let count = self.server.transmit().remaining();
            self.server.transmit().advance(count);
            if events == 0 && self.input.len() == before {
                assert!(self.input.is_empty());
                return messages;
            }
        }
    }
}

/// One session takes messages of 4 KiB for three recipients each.
#[must_use]
pub fn transcript() -> Case {
    Case::steady(
        "smtp session: 100 messages of 4 KiB for 3",
        Work::Items(100),
        || {
            let Ok(mut config) = Config::new("mx.example.org") else { unreachable!("a good name") };
            config.limits.transactions = u32::MAX;
            Talk::new(&Arc::new(config))
        },
        |talk| {
            for _ in 0..100 {
                let message = core::mem::take(&mut talk.message);
                assert_eq!(talk.say(&message), 1);
                talk.message = message;
            }
        },
    )
    .target(|target| target.allocations = Some(0.0))
}

/// Sessions behind EHLO that wait for a command.
fn idle() -> Case {
    const SESSIONS: usize = 10_000;
    Case::fresh(
        "smtp session: idle",
        Work::Items(SESSIONS as u64),
        || {
            let Ok(config) = Config::new("mx.example.org") else { unreachable!("a good name") };
            Arc::new(config)
        },
        |config| (Arc::clone(config), Vec::with_capacity(SESSIONS)),
        |(config, sessions)| {
            for _ in 0..SESSIONS {
                sessions.push(Box::new(Talk::new(config).server));
            }
        },
    )
    .target(|target| target.held = Some(1024.0))
    .long()
}

/// All of them.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = COMMANDS.iter().map(|(name, line)| command(name, line)).collect();
    cases.extend(REPLIES.iter().map(|(name, text)| reply(name, text)));
    for body in Body::ALL {
        cases.extend([1460, 16_384, usize::MAX].map(|chunk| decode(body, BODY, chunk, 0)));
    }
    for chunk in CHUNKS {
        if ![1460, 16_384, usize::MAX].contains(&chunk) {
            cases.push(decode(Body::Text, BODY, chunk, 0));
        }
    }
    cases.extend((1..8).map(|offset| decode(Body::Base64, BODY, 16_384, offset)));
    cases.push(decode(Body::Text, 64 * BODY, 65_536, 0).long());
    cases.extend(Body::ALL.map(encode));
    cases.push(transcript());
    cases.push(idle());
    cases
}
