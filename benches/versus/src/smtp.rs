//! SMTP: command lines, replies, content in both directions, a transcript.

use core::time::Duration;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use bytes::BytesMut;
use futures_util::AsyncWriteExt as _;
use futures_util::FutureExt as _;
use io_smtp::coroutine::SmtpCoroutine as _;
use mailin::{Action, Handler, Session, SessionBuilder};
use mailrs_smtp_codec::{SmtpCodec, SmtpInput};
use mailwright_bench_cases::content::Body;
use mailwright_bench_cases::smtp as cases;
use mailwright_bench_cases::smtp::{BATCH, BODY};
use their_smtp_proto::request::receiver::DataReceiver;
use their_smtp_proto::response::parser::ResponseReceiver;
use tokio_util::codec::Decoder as _;

use crate::Contest;

fn command(name: &str, line: &'static str) -> Contest {
    let text = move || line.repeat(BATCH).into_bytes();
    let mut contest = Contest::of(cases::command(name, line)).against_reader("smtp-proto", text, |text| {
        let mut rest = text.iter();
        for _ in 0..BATCH {
            let Ok(request) = their_smtp_proto::Request::parse(&mut rest) else {
                unreachable!("a good command")
            };
            black_box(request);
        }
    });
    if smtp_codec::parse::command::command(line.as_bytes()).is_ok() {
        contest = contest.against_reader("smtp-codec", text, |text| {
            let mut rest = &text[..];
            for _ in 0..BATCH {
                let Ok((behind, command)) = smtp_codec::parse::command::command(rest) else {
                    unreachable!("a good command")
                };
                black_box(command);
                rest = behind;
            }
        });
    }
    if smtp_message::Command::<&str>::parse(line.as_bytes()).is_ok() {
        contest = contest.against_reader("smtp-message", text, |text| {
            let mut rest = &text[..];
            for _ in 0..BATCH {
                let Ok((behind, command)) = smtp_message::Command::<&str>::parse(rest) else {
                    unreachable!("a good command")
                };
                black_box(command);
                rest = behind;
            }
        });
    }
    contest
}

fn reply(name: &str, text: &'static str) -> Contest {
    let all = move || text.repeat(BATCH);
    Contest::of(cases::reply(name, text))
        .against_reader("smtp-proto", all, |text| {
            let mut rest = text.as_bytes().iter();
            let mut receiver = ResponseReceiver::default();
            for _ in 0..BATCH {
                let Ok(response) = receiver.parse(&mut rest) else { unreachable!("a good reply") };
                black_box(response);
                receiver.reset();
            }
        })
        // These four are given one reply, whose end they do not look for.
        .against_reader(
            "mailrs-smtp-client",
            move || text,
            |text| {
                for _ in 0..BATCH {
                    black_box(mailrs_smtp_client::parse_response(black_box(text)).is_some());
                }
            },
        )
        .against_reader(
            "lettre",
            move || text,
            |text| {
                for _ in 0..BATCH {
                    let response = black_box(&**text).parse::<lettre::transport::smtp::response::Response>();
                    assert!(black_box(response).is_ok());
                }
            },
        )
        .against_reader(
            "smtp-message",
            move || text,
            |text| {
                for _ in 0..BATCH {
                    let reply = smtp_message::Reply::<&str>::parse(black_box(text.as_bytes()));
                    assert!(black_box(reply).is_ok());
                }
            },
        )
        .against_reader(
            "io-smtp",
            move || text,
            |text| {
                for _ in 0..BATCH {
                    let Ok(response) = io_smtp::rfc5321::SmtpResponse::parse(black_box(text.as_bytes()))
                    else {
                        unreachable!("a good reply")
                    };
                    black_box(response);
                }
            },
        )
}

/// A handler that takes everything and keeps nothing.
struct Takes(usize);

impl Handler for Takes {
    fn data(&mut self, octets: &[u8]) -> std::io::Result<()> {
        self.0 += black_box(octets).len();
        Ok(())
    }
}

fn mailin() -> Session<Takes> {
    let mut session = SessionBuilder::new("mx.example.org").build(IpAddr::V4(Ipv4Addr::LOCALHOST), Takes(0));
    say(&mut session, b"EHLO client.example.com\r\n");
    session
}

/// Hands lines over, and writes the replies.
fn say(session: &mut Session<Takes>, text: &[u8]) -> usize {
    let mut replies = Vec::new();
    let mut count = 0;
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        let response = session.process(line);
        if response.action != Action::NoReply {
            assert!(!response.is_error, "{response:?} to {}", line.escape_ascii());
            assert!(response.write_to(&mut replies).is_ok());
            count += 1;
        }
    }
    black_box(replies);
    count
}

fn decode(body: Body, chunk: usize) -> Contest {
    let content = body.content(BODY).len();
    let wire = move || body.wire(BODY);
    let mut contest = Contest::of(cases::decode(body, BODY, chunk, 0))
        .against(
            "smtp-proto",
            wire,
            move |wire| (wire.clone(), Vec::with_capacity(content + 3)),
            move |(wire, content)| {
                let mut receiver = DataReceiver::new();
                let done = wire.chunks(chunk).any(|read| receiver.ingest(&mut read.iter(), content));
                assert!(done);
                black_box(content);
            },
        )
        .against("smtp-message", wire, Clone::clone, move |wire| {
            let mut unescaper = smtp_message::DataUnescaper::new(true);
            let (mut from, mut count, mut came) = (0, 0, 0);
            while came < wire.len() {
                came = came.saturating_add(chunk).min(wire.len());
                let result = unescaper.unescape(&mut wire[from..came]);
                count += result.written;
                from += result.unhandled_idx;
            }
            black_box((count, wire));
        })
        .against(
            "mailin",
            wire,
            |wire| {
                let mut session = mailin();
                say(&mut session, b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
                (session, wire.clone())
            },
            |(session, wire)| assert_eq!(say(session, wire), 1),
        );
    if chunk >= 16_384 {
        // It begins anew at the first octet with each read.
        contest = contest.against("mailrs-smtp-codec", wire, Clone::clone, move |wire| {
            let mut codec = SmtpCodec::new();
            codec.enter_data_mode();
            let mut input = BytesMut::new();
            let mut data = None;
            for read in wire.chunks(chunk) {
                input.extend_from_slice(read);
                if let Ok(Some(SmtpInput::Data(content))) = codec.decode(&mut input) {
                    data = Some(content);
                }
            }
            assert!(black_box(data).is_some());
        });
    }
    contest
}

/// Whether smtp-message writes the content to its end; some it does not.
fn written(content: &[u8], wire: &mut Vec<u8>) -> bool {
    let mut writer = smtp_message::EscapingDataWriter::new(wire);
    let mut chunks = content.chunks(16_384);
    chunks.all(|chunk| matches!(writer.write_all(chunk).now_or_never(), Some(Ok(()))))
        && matches!(writer.finish().now_or_never(), Some(Ok(())))
}

fn encode(body: Body) -> Contest {
    let content = move || body.content(BODY);
    let with_room = |content: &Vec<u8>| (content.clone(), Vec::with_capacity(3 * BODY));
    let mut contest = Contest::of(cases::encode(body))
        .against_reader("mailrs-smtp-client", content, |content| {
            black_box(mailrs_smtp_client::connection::dot_stuff(content));
        })
        .against("mail-send", content, with_room, |(content, wire)| {
            let stream = tokio::io::join(tokio::io::empty(), wire);
            let mut client = mail_send::SmtpClient { stream, timeout: Duration::MAX };
            assert!(matches!(client.write_message(content).now_or_never(), Some(Ok(()))));
        })
        .against(
            "io-smtp",
            content,
            |content| {
                let mut data = io_smtp::rfc5321::data::SmtpData::new(content.clone());
                black_box(data.resume(None));
                black_box(data.resume(None));
                data
            },
            |data| {
                black_box(data.resume(Some(b"354 go on\r\n")));
            },
        );
    if written(&content(), &mut Vec::new()) {
        contest = contest
            .against("smtp-message", content, with_room, |(content, wire)| assert!(written(content, wire)));
    }
    contest
}

fn transcript() -> Contest {
    Contest::of(cases::transcript()).against_reader(
        "mailin",
        || (mailin(), cases::message()),
        |(session, message)| {
            for _ in 0..100 {
                assert_eq!(say(session, message), 6);
            }
        },
    )
}

pub(crate) fn contests() -> Vec<Contest> {
    let mut contests: Vec<Contest> = cases::COMMANDS.iter().map(|(name, line)| command(name, line)).collect();
    contests.extend(cases::REPLIES.iter().map(|(name, text)| reply(name, text)));
    contests.extend(Body::ALL.map(|body| decode(body, 16_384)));
    contests.extend([64, 512, 1460].map(|chunk| decode(Body::Text, chunk)));
    contests.extend(Body::ALL.map(encode));
    contests.push(transcript());
    contests
}
