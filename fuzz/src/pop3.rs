//! POP3: parsers and both sessions.

use bytes::{Bytes, BytesMut};
use mailwright_core::testing::laws;
use mailwright_pop3::TlsMode;
use mailwright_pop3::parse::{
    Accept, Entry, challenge, listing_id, listing_language, listing_raw_id, listing_size, status_line,
    two_numbers,
};
use mailwright_pop3::server::Server;
use mailwright_pop3::types::{Command, LanguageRange};

use self::support::Answers;
use self::support::commander::{COMMANDS, client_with};
use crate::choice;
use crate::smtp::holds;

#[path = "../../pop3-proto/tests/support/mod.rs"]
mod support;

/// Commands, status lines and lines of listings: what is read is written so that it is read as the same.
pub fn pop3_lines(data: &[u8]) {
    if let Ok(parsed) = Command::parse(data) {
        let _ = format!("{:?}", parsed.command);
        let mut wire = BytesMut::new();
        parsed.command.encode(&mut wire);
        let Some(line) = wire.strip_suffix(b"\r\n") else { panic!("no line: {wire:?}") };
        match Command::parse(line) {
            Ok(again) => {
                let mut second = BytesMut::new();
                again.command.encode(&mut second);
                assert_eq!(second, wire);
            }
            Err(error) => panic!("{wire:?} cannot be read: {error:?}"),
        }
    }
    let line = Bytes::copy_from_slice(data);
    for codes in [false, true] {
        for any_case in [false, true] {
            if let Ok(reply) = status_line(&line, Accept { codes, any_case }) {
                let _ = format!("{reply:?}");
                let mut wire = BytesMut::new();
                if reply.encode(&mut wire).is_ok() {
                    let Some(line) = wire.strip_suffix(b"\r\n") else { panic!("no line: {wire:?}") };
                    assert!(!line.contains(&b'\n'));
                    let codes = codes || reply.code.is_some();
                    let again = status_line(&Bytes::copy_from_slice(line), Accept { codes, any_case });
                    assert_eq!(again.as_ref(), Ok(&reply));
                }
            }
        }
    }
    let mut deviations = 0;
    let mut report = |_| deviations += 1;
    if let Ok(Entry::Size { number, .. }) = listing_size(data, &mut report) {
        assert!(number.get() > 0);
    }
    let _ = listing_id(data, &mut report);
    let _ = listing_raw_id(data, &mut report);
    if let Ok(Entry::Language { tag, .. }) = listing_language(data) {
        assert!(LanguageRange::new(tag.as_str()).is_ok());
    }
    let _ = two_numbers(data, &mut report);
    if let Some(challenge) = challenge(data) {
        assert!(data.ends_with(challenge));
    }
}

fn server(choice: u8) -> (Server, Answers) {
    let extended = choice / 12 % 2 == 1;
    let mut config = if extended { support::everything() } else { support::clear_text() };
    config.tls = [TlsMode::Off, TlsMode::StartTls, TlsMode::Implicit][usize::from(choice % 3)];
    config.overlong_close = choice & 64 != 0;
    if choice & 128 != 0 {
        config.limits.errors_before_login = 1000;
    }
    let mut answers = Answers::default();
    if extended {
        answers.needs_utf8 = vec![2];
        config.limits.authentication_failures = 1000;
    }
    answers.careless = true;
    answers.slow = choice / 3 % 2 == 1;
    answers.chunk = if choice / 6 % 2 == 1 { 7 } else { 1 << 20 };
    (Server::new(config, [5; 32]), answers)
}

const WORDS: &[&[u8]] = &[
    b"USER mrose\r\n",
    b"PASS tanstaaf\r\n",
    b"USER mrose\r\nPASS tanstaaf\r\n",
    b"AUTH PLAIN\r\n",
    b"AUTH LOGIN bXJvc2U=\r\n",
    b"AG1yb3NlAHRhbnN0YWFm\r\n",
    b"*\r\n",
    b"STAT\r\n",
    b"LIST\r\n",
    b"UIDL 2\r\n",
    b"RETR 1\r\n",
    b"TOP 2 1\r\n",
    b"DELE 1\r\n",
    b"RSET\r\n",
    b"CAPA\r\n",
    b"STLS\r\n",
    b"NOOP \n",
    b"QUIT\r\n",
    b"RETR 0\r\n",
    b"\r",
    b"\n",
    b"\0",
    b"AUTH\r\n",
    b"AUTH SCRAM-SHA-256\r\n",
    b"APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n",
    b"UTF8\r\n",
    b"LANG\r\n",
    b"LANG *\r\n",
    b"LANG de-AT\r\n",
    b"USER ros\xc3\xa9\r\n",
    b"PASS \xe2\x82\xac\r\n",
    b"LIST 2\r\n",
];

/// A server under any calls: law 7, with the bounds of its limits.
pub fn pop3_server(data: &[u8]) {
    let (first, script) = choice(data);
    holds(laws::calls(server(first), WORDS, script, &support::bounds()));
}

/// A server with any input, cut and not: law 1.
pub fn pop3_server_cut(data: &[u8]) {
    let (first, input) = choice(data);
    let input = input.get(..600).unwrap_or(input);
    let stages: &[&[u8]] = if first % 3 == 2 { &[b"", input] } else { &[input] };
    let stls = input.windows(4).any(|window| window.eq_ignore_ascii_case(b"STLS"));
    if first % 3 == 1 && stls {
        // What stands behind STLS depends on whether it had come.
        return;
    }
    holds(laws::fragmentation(|| server(first), stages, u64::from(first)));
}

const REPLIES: &[&[u8]] = &[
    b"+OK hello\r\n",
    b"+OK\r\n",
    b"-ERR\r\n",
    b"-ERR [AUTH] no\r\n",
    b"+ \r\n",
    b"+ VXNlcm5hbWU6\r\n",
    b"+OK 2 320\r\n",
    b"1 120\r\n",
    b"2 abc\r\n",
    b".\r\n",
    b"..\r\n",
    b"text\r\n",
    b"USER\r\nPIPELINING\r\nSTLS\r\n.\r\n",
    b"UTF8 USER\r\nLANG\r\nSASL XOAUTH2\r\n.\r\n",
    b"+OK <1@a> hi\r\n",
    b"+OK hi\n",
    b"+Ok de x\r\n",
    b"en English\r\n",
    b".x\n.\n",
    b"\r",
    b"\n",
    b"\0",
];

/// A client under any calls, with any octets from its server: law 7.
pub fn pop3_client(data: &[u8]) {
    let (first, script) = choice(data);
    let mut bounds = laws::Bounds::default();
    bounds.output = 64 * 1024;
    bounds.unread = 12_288;
    holds(laws::calls(client_with(&[], first % 2 == 1)(), REPLIES, script, &bounds));
}

/// A client whose commands are all in flight, with any replies, cut and not: law 1.
pub fn pop3_client_cut(data: &[u8]) {
    let (first, input) = choice(data);
    let (commands, input) = input.split_at(usize::from(first % 12).min(input.len()));
    // Not STLS: what stands behind its reply depends on whether it had come.
    let commands: Vec<u8> =
        commands.iter().map(|command| command % COMMANDS).filter(|&command| command != 15).collect();
    let input = input.get(..600).unwrap_or(input);
    let make = || {
        let (client, mut commander) = client_with(&commands, first / 12 % 2 == 1)();
        commander.at_once = true;
        (client, commander)
    };
    holds(laws::fragmentation(make, &[b"+OK\r\n", input], u64::from(first)));
}
