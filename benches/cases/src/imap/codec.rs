//! Commands and responses, read and written without a session.

use std::hint::black_box;

use bytes::{Buf as _, BytesMut};
use mailwright_imap::parse::{CommandInput, CommandLimits, ResponseEvent, ResponseLimits, ResponseReader};
use mailwright_imap::types::Response;
use mailwright_imap::wire::{Frame, Framer};

use super::BATCH;
use crate::content::{buffer, in_reads};
use crate::{Case, Work};

/// A command or a response.
#[derive(Debug)]
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// How it goes over the wire.
    pub text: &'static str,
    /// Instructions that reading it should take at most.
    pub read: f64,
    /// Instructions that writing it should take at most; zero if nothing is said about that.
    pub encoded: f64,
}

/// Responses.
pub const RESPONSES: [Input; 5] = [
    Input { name: "EXISTS", text: "* 18 EXISTS\r\n", read: 150.0, encoded: 0.0 },
    Input {
        name: "FETCH of flags",
        text: "* 12345 FETCH (UID 4827313 FLAGS (\\Seen \\Answered $Label1))\r\n",
        read: 1000.0,
        encoded: 800.0,
    },
    Input {
        name: "LIST",
        text: "* LIST (\\HasNoChildren \\Sent) \"/\" Archive/2026\r\n",
        read: 1000.0,
        encoded: 0.0,
    },
    Input {
        name: "FETCH of an envelope",
        text: "* 12 FETCH (ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \
               \"IMAP4rev2 WG mtg summary and minutes\" \
               ((\"Terry Gray\" NIL \"gray\" \"cac.washington.example\")) \
               ((\"Terry Gray\" NIL \"gray\" \"cac.washington.example\")) \
               ((\"Terry Gray\" NIL \"gray\" \"cac.washington.example\")) \
               ((NIL NIL \"imap\" \"cac.washington.example\")) \
               ((NIL NIL \"minutes\" \"CNRI.Reston.VA.example\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.example\")) \
               NIL NIL \"<B27397-0100000@cac.washington.example>\"))\r\n",
        read: 8000.0,
        encoded: 4000.0,
    },
    Input {
        name: "FETCH of a structure of 3 levels",
        text: "* 7 FETCH (BODYSTRUCTURE (((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"QUOTED-PRINTABLE\" 1834 41 \
               NIL NIL NIL NIL)((\"TEXT\" \"HTML\" (\"CHARSET\" \"utf-8\") NIL NIL \"QUOTED-PRINTABLE\" 6201 97 \
               NIL NIL NIL NIL)(\"IMAGE\" \"PNG\" (\"NAME\" \"logo.png\") \"<logo@example.org>\" NIL \"BASE64\" 20482 \
               NIL (\"INLINE\" (\"FILENAME\" \"logo.png\")) NIL NIL) \"RELATED\" (\"BOUNDARY\" \"b3\") NIL NIL NIL) \
               \"ALTERNATIVE\" (\"BOUNDARY\" \"b2\") NIL NIL NIL)(\"APPLICATION\" \"PDF\" (\"NAME\" \"report.pdf\") NIL NIL \
               \"BASE64\" 483920 NIL (\"ATTACHMENT\" (\"FILENAME\" \"report.pdf\")) NIL NIL) \"MIXED\" \
               (\"BOUNDARY\" \"b1\") NIL NIL NIL))\r\n",
        read: 12_000.0,
        encoded: 0.0,
    },
];

/// Commands.
pub const COMMANDS: [Input; 3] = [
    Input { name: "NOOP", text: "a001 NOOP\r\n", read: 200.0, encoded: 0.0 },
    Input {
        name: "UID FETCH of headers",
        text: "a002 UID FETCH 4827313:4828442 (FLAGS INTERNALDATE RFC822.SIZE \
               BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT TO CC MESSAGE-ID REFERENCES)])\r\n",
        read: 3000.0,
        encoded: 0.0,
    },
    Input {
        name: "UID STORE",
        text: "a003 UID STORE 4827313,4827320:4827330 +FLAGS.SILENT (\\Seen $Junk)\r\n",
        read: 2000.0,
        encoded: 0.0,
    },
];

/// Takes all events from the front of a buffer, and counts them.
fn events(reader: &mut ResponseReader, input: &mut BytesMut) -> usize {
    let mut count = 0;
    while let Ok(Some(event)) = reader.next_event(input) {
        assert!(!matches!(event, ResponseEvent::Invalid(_)));
        black_box(event);
        count += 1;
    }
    count
}

/// Reads responses one after the other.
#[must_use]
pub fn response(input: &Input) -> Case {
    let (text, read) = (input.text, input.read);
    Case::fresh(
        format!("imap response: {}, {} octets", input.name, text.len()),
        Work::Items(BATCH as u64),
        || (),
        move |()| {
            let mut reader = ResponseReader::new(ResponseLimits::default());
            // What a session allocates once.
            events(&mut reader, &mut buffer(text.as_bytes(), 0));
            (reader, buffer(text.repeat(BATCH).as_bytes(), 0))
        },
        |(reader, input)| {
            assert!(events(reader, input) >= BATCH);
            assert!(input.is_empty());
        },
    )
    .target(|target| {
        target.instructions = Some(read);
        if text.contains("FLAGS") {
            target.allocations = Some(0.0);
        }
    })
    .known("flags are a vector of values")
}

/// A SEARCH that found 100 000 messages.
#[must_use]
pub fn search_text() -> String {
    let mut text = "* SEARCH".to_owned();
    for number in 0..100_000 {
        text.push_str(&format!(" {}", 4_800_000 + number * 3));
    }
    text + "\r\n"
}

/// Reads it, in reads of 16 KiB.
#[must_use]
pub fn search() -> Case {
    Case::fresh(
        "imap response: SEARCH of 100 000",
        Work::Items(100_000),
        search_text,
        |text| (ResponseReader::new(ResponseLimits::default()), buffer(text.as_bytes(), 0)),
        |(reader, source)| {
            let mut count = 0;
            in_reads(source, 16_384, |input| count += events(reader, input));
            assert_eq!(count, 100_002);
        },
    )
    .target(|target| target.instructions = Some(110.0))
}

/// A FETCH with a body of 1 MiB.
#[must_use]
pub fn literal_text() -> Vec<u8> {
    let mut text = b"* 1 FETCH (UID 7 BODY[] {1048576}\r\n".to_vec();
    text.extend((0..1 << 20).map(|at| if at % 78 == 77 { b'\n' } else { b'a' }));
    text.extend_from_slice(b")\r\n");
    text
}

/// Reads it, in reads of 8 KiB.
#[must_use]
pub fn literal() -> Case {
    Case::fresh(
        "imap response: FETCH of 1 MiB by 8 KiB",
        Work::Octets(1 << 20),
        literal_text,
        |text| (ResponseReader::new(ResponseLimits::default()), buffer(text, 0)),
        |(reader, source)| {
            let mut count = 0;
            in_reads(source, 8192, |input| count += events(reader, input));
            assert!(count > 128);
        },
    )
    .target(|target| {
        target.peak = Some(64 * 1024);
        // 0.1 ms.
        target.rate = Some(10.5);
    })
}

/// Frames commands and reads them.
#[must_use]
pub fn command(input: &Input) -> Case {
    let (text, read) = (input.text, input.read);
    Case::fresh(
        format!("imap command: {}, {} octets", input.name, text.len()),
        Work::Items(BATCH as u64),
        || (),
        move |()| buffer(text.repeat(BATCH).as_bytes(), 0),
        |input| {
            let mut framer = Framer::new();
            let limits = CommandLimits::default();
            let mut count = 0;
            while let Some(Frame::Part(part)) = framer.next_frame(input, 8192) {
                let mut command = CommandInput::new();
                command.push_part(part.octets);
                let Ok(parsed) = command.parse(&limits) else { unreachable!("a good command") };
                black_box(parsed);
                count += 1;
            }
            assert_eq!(count, BATCH);
        },
    )
    .target(|target| target.instructions = Some(read))
}

/// Writes responses into a buffer that has room.
#[must_use]
pub fn encode(input: &Input) -> Case {
    let (text, most) = (input.text, input.encoded);
    Case::steady(
        format!("imap encode: {}", input.name),
        Work::Items(BATCH as u64),
        move || {
            let Ok(parsed) = Response::parse(text.as_bytes(), &ResponseLimits::default()) else {
                unreachable!("a good response")
            };
            (parsed.response, BytesMut::with_capacity(text.len() * BATCH * 2))
        },
        |(response, wire)| {
            wire.clear();
            for _ in 0..BATCH {
                response.encode(wire, false);
            }
            assert!(wire.has_remaining());
            black_box(wire);
        },
    )
    .target(|target| {
        target.instructions = Some(most);
        target.allocations = Some(0.0);
    })
}
