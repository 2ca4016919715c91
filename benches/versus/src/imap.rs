//! IMAP: commands and responses, read and written, and a large literal in reads.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::hint::black_box;
use std::io;

use futures_util::FutureExt as _;
use imap_codec::decode::Decoder as _;
use imap_codec::encode::Encoder as _;
use imap_codec::fragmentizer::Fragmentizer;
use imap_codec::{CommandCodec, ResponseCodec};
use mailwright_bench_cases::imap as cases;
use mailwright_bench_cases::imap::BATCH;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Contest;

/// A stream that gives so many octets a read.
#[derive(Debug)]
struct Reads {
    text: Vec<u8>,
    at: usize,
    most: usize,
}

impl AsyncRead for Reads {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = &self.text[self.at..];
        let read = &rest[..self.most.min(buffer.remaining()).min(rest.len())];
        buffer.put_slice(read);
        self.at += read.len();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Reads {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

type AsyncImap = async_imap::Client<Reads>;

fn async_imap(text: &[u8], most: usize) -> AsyncImap {
    async_imap::Client::new(Reads { text: text.to_vec(), at: 0, most })
}

fn read_all(client: &mut AsyncImap, count: usize) {
    for _ in 0..count {
        let Some(Ok(Some(response))) = client.read_response().now_or_never() else {
            unreachable!("a good response")
        };
        black_box(response);
    }
}

fn response(input: &cases::Input) -> Contest {
    let text = input.text;
    let all = move || text.repeat(BATCH).into_bytes();
    Contest::of(cases::response(input))
        .against_reader("imap-codec", all, |text| {
            let codec = ResponseCodec::default();
            let mut rest = &text[..];
            while !rest.is_empty() {
                let Ok((behind, response)) = codec.decode(rest) else { unreachable!("a good response") };
                black_box(response);
                rest = behind;
            }
        })
        .against_reader("imap-proto", all, |text| {
            let mut rest = &text[..];
            while !rest.is_empty() {
                let Ok((behind, response)) = their_imap_proto::Response::parse(rest) else {
                    unreachable!("a good response")
                };
                black_box(response);
                rest = behind;
            }
        })
        .against("async-imap", all, |text| async_imap(text, 16_384), |client| read_all(client, BATCH))
}

fn search() -> Contest {
    let text = || cases::search_text().into_bytes();
    Contest::of(cases::search())
        .against_reader("imap-codec", text, |text| {
            let Ok((_, response)) = ResponseCodec::default().decode(text) else {
                unreachable!("a good response")
            };
            black_box(response);
        })
        .against_reader("imap-proto", text, |text| {
            let Ok((_, response)) = their_imap_proto::Response::parse(text) else {
                unreachable!("a good response")
            };
            black_box(response);
        })
}

fn literal() -> Contest {
    Contest::of(cases::literal())
        .against_reader("imap-codec", cases::literal_text, |text| {
            let mut fragmentizer = Fragmentizer::without_max_message_size();
            for read in text.chunks(8192) {
                fragmentizer.enqueue_bytes(read);
                while let Some(fragment) = fragmentizer.progress() {
                    black_box(fragment);
                    if fragmentizer.is_message_complete() {
                        assert!(black_box(fragmentizer.decode_message(&ResponseCodec::default())).is_ok());
                    }
                }
            }
        })
        .against_reader("imap-proto", cases::literal_text, |text| {
            let mut input = Vec::new();
            for read in text.chunks(8192) {
                input.extend_from_slice(read);
                black_box(their_imap_proto::Response::parse(&input).is_ok());
            }
        })
        .against(
            "async-imap",
            cases::literal_text,
            |text| async_imap(text, 8192),
            |client| read_all(client, 1),
        )
}

fn command(input: &cases::Input) -> Contest {
    let text = input.text;
    Contest::of(cases::command(input)).against_reader(
        "imap-codec",
        move || text.repeat(BATCH).into_bytes(),
        |text| {
            let codec = CommandCodec::default();
            let mut rest = &text[..];
            while !rest.is_empty() {
                let Ok((behind, command)) = codec.decode(rest) else { unreachable!("a good command") };
                black_box(command);
                rest = behind;
            }
        },
    )
}

fn encode(input: &cases::Input) -> Contest {
    let text = input.text;
    Contest::of(cases::encode(input)).against_reader(
        "imap-codec",
        move || {
            let Ok((_, response)) = ResponseCodec::default().decode(text.as_bytes()) else {
                unreachable!("a good response")
            };
            response
        },
        |response| {
            for _ in 0..BATCH {
                black_box(ResponseCodec::default().encode(response).dump());
            }
        },
    )
}

pub(crate) fn contests() -> Vec<Contest> {
    let mut contests: Vec<Contest> = cases::RESPONSES.iter().map(response).collect();
    contests.push(search());
    contests.push(literal());
    contests.extend(cases::COMMANDS.iter().map(command));
    contests.extend(cases::RESPONSES.iter().filter(|input| input.encoded > 0.0).map(encode));
    contests
}
