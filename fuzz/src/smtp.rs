//! SMTP, submission and LMTP: parsers, content, both sessions.

use bytes::{Bytes, BytesMut};
use mailwright_core::testing::laws;
use mailwright_core::wire::BareLineEnd;
use mailwright_smtp::client::{self, Client};
use mailwright_smtp::content::{BarePolicy, ChunkDecoder, ChunkEncoder, DataEncoder};
use mailwright_smtp::parse::{CommandLine, CommandOptions, ReplyReader, reply_line};
use mailwright_smtp::server::{Protocol, Server, TlsMode};
use mailwright_smtp::types::{Command, Reply};

use self::peers::{Answers, Call, Commander};
use crate::choice;
use crate::wire::{decoded, decoding, normalised, pieces};

#[path = "../../smtp-proto/tests/peers/mod.rs"]
mod peers;

/// A command line under every tolerance: what is read says the same again, and errors can be shown.
pub fn smtp_commands(data: &[u8]) {
    let (first, data) = choice(data);
    let line = Bytes::copy_from_slice(data);
    let mut options = CommandOptions::default();
    options.space_after_colon = first & 1 == 0;
    options.missing_brackets = first & 2 != 0;
    options.size = first & 4 == 0;
    options.eight_bit_mime = first & 8 == 0;
    options.auth = first & 16 != 0;
    options.ignore_unknown_parameters = first & 32 != 0;
    options.address.underscore_in_domain = first & 64 != 0;
    options.dsn = first & 128 != 0;
    options.binary_mime = first & 8 == 0;
    options.smtp_utf8 = first & 16 != 0;
    options.utf8_recipients = first & 16 != 0;
    options.require_tls = first & 4 == 0;
    options.deliver_by = first & 128 != 0;
    options.future_release = first & 128 != 0;
    options.mt_priority = first & 128 != 0;
    options.rrvs = first & 128 != 0;
    options.message_tracking = first & 32 == 0;
    let strict = Command::parse(&line, &CommandOptions::default());
    match Command::parse(&line, &options) {
        Ok(parsed) => {
            let _ = format!("{parsed:?}");
            assert!(CommandLine::read(&line).is_ok());
            // What is written is read as the same; a source route is not written.
            let mut wire = BytesMut::new();
            if parsed.command.encode(&mut wire).is_ok() {
                let written = wire.split_to(wire.len() - 2).freeze();
                assert!(!written.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)), "{written:?}");
                let Ok(again) = Command::parse(&written, &options) else {
                    panic!("{written:?} is no command")
                };
                let mut second = BytesMut::new();
                assert!(again.command.encode(&mut second).is_ok());
                assert_eq!(second.get(..written.len()), Some(&written[..]));
            }
        }
        Err(error) => {
            let _ = format!("{error} {error:?}");
            let reply = error.reply();
            assert!(!reply.is_positive(), "{reply}");
        }
    }
    if let Ok(parsed) = strict {
        // Nothing else than the line is looked at.
        let again = Command::parse(&Bytes::copy_from_slice(data), &CommandOptions::default());
        assert_eq!(again.map(|again| again.command), Ok(parsed.command));
    }
}

/// Replies in pieces are those of the whole; what is written is read as the same.
pub fn smtp_replies(data: &[u8]) {
    let (first, data) = choice(data);
    let read = |seed: u8| {
        let mut reader = ReplyReader::new(client::Limits::default().reply);
        let mut input = BytesMut::new();
        let mut replies: Vec<Result<Reply, String>> = Vec::new();
        for piece in pieces(data, seed) {
            input.extend_from_slice(piece);
            loop {
                match reader.next_reply(&mut input) {
                    Ok(Some(reply)) => replies.push(Ok(reply)),
                    Ok(None) => break,
                    Err(error) => {
                        replies.push(Err(error.to_string()));
                        return replies;
                    }
                }
            }
        }
        replies
    };
    let whole = read(0);
    assert_eq!(whole, read(first));
    for reply in whole.into_iter().flatten() {
        let mut wire = BytesMut::new();
        reply.encode(&mut wire);
        let mut again = BytesMut::new();
        if let Ok(Some(second)) =
            ReplyReader::new(client::Limits::default().reply).next_reply(&mut wire.clone())
        {
            second.encode(&mut again);
            assert_eq!(again, wire, "written, read and written again it is another");
            assert_eq!((reply.code(), reply.enhanced()), (second.code(), second.enhanced()));
        } else {
            panic!("{reply:?}, written as {wire:?}, is no reply");
        }
        assert_eq!(reply.detach(), reply);
    }
    let _ = reply_line(data);
}

/// Content of DATA: decoded as the oracle does; encoded so that it ends where it ends, with no bare line end.
pub fn smtp_data(data: &[u8]) {
    let (first, data) = choice(data);
    decoding(data, first);
    let encode = |policy: BarePolicy, eight_bit: bool, seed: u8| {
        let mut encoder = DataEncoder::new(policy, eight_bit);
        let mut wire = BytesMut::new();
        for piece in pieces(data, seed) {
            encoder.encode(piece, &mut wire).ok()?;
        }
        let end = encoder.finish(&mut wire).ok()?;
        assert_eq!(end.octets, data.len() as u64);
        Some(wire.to_vec())
    };
    for policy in [BarePolicy::Reject, BarePolicy::Normalise] {
        for eight_bit in [false, true] {
            let whole = encode(policy, eight_bit, 0);
            assert_eq!(whole, encode(policy, eight_bit, first), "{policy:?}");
            let Some(wire) = whole else { continue };
            assert!(eight_bit || wire.is_ascii());
            let (content, end, report) = decoded(&wire, BareLineEnd::Reject, 0);
            assert_eq!(end, Some(wire.len()), "the end is elsewhere");
            assert!(!report.has_bare_line_end(), "a bare line end is on the wire");
            let mut expected = if policy == BarePolicy::Normalise { normalised(data) } else { data.to_vec() };
            if !expected.is_empty() && !expected.ends_with(b"\r\n") {
                expected.extend_from_slice(b"\r\n");
            }
            assert_eq!(content.escape_ascii().to_string(), expected.escape_ascii().to_string());
        }
    }
}

/// Content in chunks: decoded as the rule says octet by octet, encoded unchanged or not at all.
pub fn smtp_chunks(data: &[u8]) {
    let (first, data) = choice(data);
    let decode = |decoder: ChunkDecoder, seed: u8| {
        let mut decoder = decoder;
        let mut content = Vec::new();
        for piece in pieces(data, seed) {
            content.extend_from_slice(&decoder.decode(BytesMut::from(piece)));
        }
        content.extend_from_slice(&decoder.finish());
        (content, *decoder.report())
    };
    let normal = normalised(data);
    for policy in [BareLineEnd::Reject, BareLineEnd::Normalise, BareLineEnd::Pass] {
        let whole = decode(ChunkDecoder::new(policy), 0);
        assert_eq!(whole, decode(ChunkDecoder::new(policy), first), "{policy:?}");
        match policy {
            BareLineEnd::Reject => assert!(data.starts_with(&whole.0)),
            BareLineEnd::Normalise => assert_eq!(whole.0, normal),
            BareLineEnd::Pass => assert_eq!(whole.0, data),
        }
        assert_eq!(whole.1.has_bare_line_end(), normal != data, "{policy:?}");
        assert_eq!(whole.1.eight_bit, !data.is_ascii());
    }
    let (binary, report) = decode(ChunkDecoder::binary(), first);
    assert_eq!((binary.as_slice(), report.octets), (data, data.len() as u64));
    let encode = |encoder: ChunkEncoder, seed: u8| {
        let mut encoder = encoder;
        let mut wire = BytesMut::new();
        for piece in pieces(data, seed) {
            let before = wire.len();
            if encoder.encode(piece, &mut wire).is_err() {
                assert_eq!(wire.len(), before);
                return None;
            }
            if seed & 1 != 0 {
                encoder.end_chunk(&mut wire);
            }
        }
        encoder.finish().ok()?;
        encoder.end_chunk(&mut wire);
        Some(wire.to_vec())
    };
    assert_eq!(encode(ChunkEncoder::binary(), first).as_deref(), Some(data));
    for eight_bit in [false, true] {
        let whole = encode(ChunkEncoder::new(eight_bit), 0);
        assert_eq!(whole, encode(ChunkEncoder::new(eight_bit), first));
        let may_go = normal == data && (eight_bit || data.is_ascii());
        assert_eq!(whole.as_deref(), may_go.then_some(data));
    }
}

fn server(choice: u8) -> (Server, Answers) {
    let protocol = [Protocol::Smtp, Protocol::Lmtp, Protocol::Submission][usize::from(choice % 3)];
    let tls = [TlsMode::Off, TlsMode::StartTls, TlsMode::Implicit][usize::from(choice / 3 % 3)];
    let mut config = peers::with_tls(protocol, tls);
    if choice & 128 != 0 {
        config.ask = Default::default();
        config.pipelining = false;
        config.dsn = true;
        config.limits.message = 50;
        config.limits.recipient_domains = 1;
    }
    let mut answers = Answers::default();
    answers.careless = true;
    answers.slow = choice / 9 % 2 == 1;
    (Server::new(config, [7; 32]), answers)
}

const WORDS: &[&[u8]] = &[
    b"EHLO a\r\n",
    b"LHLO a\r\n",
    b"HELO a\r\n",
    b"MAIL FROM:<>\r\n",
    b"MAIL FROM:<a@b> SIZE=1\r\n",
    b"RCPT TO:<b@c>\r\n",
    b"RCPT TO:<no@c>\r\nRCPT TO:<later@c>\r\nRCPT TO:<c@c>\r\n",
    b"DATA\r\n",
    b"text\r\n",
    b".\r\n",
    b"..\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"VRFY x\r\n",
    b"BDAT 3\r\nabc",
    b"BDAT 2\r\na\r",
    b"BDAT 4 LAST\r\n\nb\r\n",
    b"BDAT 0 LAST\r\n",
    b"BDAT 60\r\n",
    b"BDAT 9223372036854775807 LAST\r\n",
    b"MAIL FROM:<a@b> BODY=BINARYMIME SMTPUTF8\r\n",
    b"RCPT TO:<\xc3\xbc@c>\r\n",
    b"VRFY \xc3\xbc SMTPUTF8\r\n",
    b"EXPN x\r\n",
    b"HELP\r\n",
    b"ETRN x\r\n",
    b"AUTH PLAIN\r\n",
    b"AUTH LOGIN\r\n",
    b"YWxpY2U=\r\n",
    b"dGFuc3RhYWY=\r\n",
    b"AUTH PLAIN AGFsaWNlAHRhbnN0YWFm\r\n",
    b"*\r\n",
    b"STARTTLS\r\n",
    b"QUIT\r\n",
    b"\r",
    b"\n",
    b"\0",
];

/// A server under any calls: law 7, with the bounds of its limits.
pub fn smtp_server(data: &[u8]) {
    let (first, script) = choice(data);
    holds(laws::calls(server(first), WORDS, script, &peers::bounds()));
}

/// A server with any input, cut and not: law 1.
pub fn smtp_server_cut(data: &[u8]) {
    let (first, input) = choice(data);
    let input = input.get(..600).unwrap_or(input);
    let stages: &[&[u8]] = if first / 3 % 3 == 2 { &[b"", input] } else { &[input] };
    if first / 3 % 3 == 1 && contains(input, b"STARTTLS") {
        // What stands behind STARTTLS depends on whether it had come.
        return;
    }
    holds(laws::fragmentation(|| server(first), stages, u64::from(first)));
}

fn contains(input: &[u8], word: &[u8]) -> bool {
    input.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

fn client(choice: u8, calls: &[Call]) -> (Client, Commander) {
    let Ok(mut config) = client::Config::new("client.example") else { panic!("a good name") };
    config.protocol = if choice & 1 == 0 { client::Protocol::Smtp } else { client::Protocol::Lmtp };
    config.tls = match choice / 2 % 4 {
        0 => client::TlsMode::Required,
        1 => client::TlsMode::Implicit,
        2 => client::TlsMode::Opportunistic,
        _ => client::TlsMode::None,
    };
    config.sasl.clear_text_without_tls = true;
    (Client::new(config), Commander::new(calls))
}

const REPLIES: &[&[u8]] = &[
    b"220 a\r\n",
    b"250 a\r\n",
    b"250-a\r\n250-PIPELINING\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
    b"250-a\r\n250 STARTTLS\r\n",
    b"250-a\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250 LIMITS RCPTMAX=1 RCPTDOMAINMAX=1\r\n",
    b"354 go\r\n",
    b"334 \r\n",
    b"334 VXNlcm5hbWU6\r\n",
    b"235 2.7.0 yes\r\n",
    b"535 5.7.8 no\r\n",
    b"421 4.3.2 down\r\n",
    b"550 5.1.1 no\r\n",
    b"450 later\r\n",
    b"221 bye\r\n",
    b"250-",
    b"500 what\r\n",
    b"\r",
    b"\n",
    b"\0",
];

/// A client under any calls, with any octets from its server: law 7.
pub fn smtp_client(data: &[u8]) {
    let (first, script) = choice(data);
    let mut bounds = laws::Bounds::default();
    bounds.output = 3 * 65_536;
    bounds.unread = 8192;
    holds(laws::calls(client(first, &[]), REPLIES, script, &bounds));
}

/// A client in the middle of a delivery, with any replies, cut and not: law 1.
pub fn smtp_client_cut(data: &[u8]) {
    const CALLS: &[Call] = &[Call::Mail, Call::Rcpt("bob"), Call::Rcpt("carol"), Call::Data];
    let (first, input) = choice(data);
    let input = input.get(..600).unwrap_or(input);
    // Without TLS: what stands behind the reply to STARTTLS depends on whether it had come.
    let make = || client(first | 6, CALLS);
    let stages: &[&[u8]] = &[b"220 a\r\n", b"250-a\r\n250-SIZE 1000\r\n250 PIPELINING\r\n", input];
    holds(laws::fragmentation(make, stages, u64::from(first)));
    const CHUNKS: &[Call] = &[
        Call::Mail,
        Call::Rcpt("bob"),
        Call::Rcpt("carol"),
        Call::Bdat(4, false),
        Call::Content(b".\r\n\r"),
        Call::Bdat(1, true),
        Call::Content(b"\n"),
    ];
    let make = || client(first | 6, CHUNKS);
    let stages: &[&[u8]] = &[
        b"220 a\r\n",
        b"250-a\r\n250-SIZE 1000\r\n250-CHUNKING\r\n250 PIPELINING\r\n",
        b"250 ok\r\n250 ok\r\n250 ok\r\n",
        input,
    ];
    holds(laws::fragmentation(make, stages, u64::from(first)));
}

pub(crate) fn holds(law: Result<(), laws::Broken>) {
    if let Err(broken) = law {
        panic!("{broken}");
    }
}
