//! The laws of sessions (`mailwright_core::testing::laws`) on server and client.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peers;

use mailwright_core::session::Transport;
use mailwright_core::testing::{End, Numbers, laws};
use mailwright_smtp::client::{self, Client};
use mailwright_smtp::server::{Protocol, Server, TlsMode};
use peers::{Answers, Call, Commander, bounds, config, with_tls};
use proptest::prelude::*;

const PROTOCOLS: [Protocol; 3] = [Protocol::Smtp, Protocol::Lmtp, Protocol::Submission];

fn server(protocol: Protocol) -> impl Fn() -> (Server, Answers) {
    move || (Server::new(config(protocol), [7; 32]), Answers::default())
}

/// Everything is answered when nothing else goes on, last questions first.
fn slow_server(protocol: Protocol) -> impl Fn() -> (Server, Answers) {
    move || (Server::new(config(protocol), [7; 32]), Answers::slow())
}

fn tls_server(protocol: Protocol, tls: TlsMode) -> impl Fn() -> (Server, Answers) {
    move || (Server::new(with_tls(protocol, tls), [7; 32]), Answers::default())
}

/// A dialogue of the protocol, with HELO as it says it.
fn talk(protocol: Protocol, text: &str) -> Vec<u8> {
    let hello = match protocol {
        Protocol::Lmtp => "LHLO client.example",
        _ => "EHLO client.example",
    };
    format!("{hello}\r\n{text}").into_bytes()
}

const AUTH: &str = "AUTH PLAIN AGFsaWNlAHRhbnN0YWFm\r\n";
const TRANSACTIONS: &str = "AUTH LOGIN\r\nYWxpY2U=\r\ndGFuc3RhYWY=\r\nMAIL FROM:<a@client.example> SIZE=30\r\n\
    RCPT TO:<bob@example.org>\r\nRCPT TO:<nobody@example.org>\r\nRCPT TO:<later@example.org>\r\nRCPT TO:<carol@example.org>\r\n\
    DATA\r\nSubject: x\r\n\r\n..dot\r\n...\r\n.\r\nNOOP\r\nVRFY bob\r\nXYZZY\r\nMAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\n\
    RCPT TO:<no@example.org>\r\nDATA\r\nHELP\r\nBDAT 4\r\n\r\n\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nbare\nlf\r\n.\r\nMAIL\r\nQUIT\r\nNOOP\r\n";
/// Chunks with everything that may happen to them; some hold what looks like commands, or like the end of content.
const CHUNKS: &str = "BDAT 3\r\nabcMAIL FROM:<a@client.example> BODY=8BITMIME SMTPUTF8\r\nBDAT 6\r\nQUIT\r\nRCPT TO:<no@example.org>\r\n\
    BDAT 5 LAST\r\n.\r\n.\rMAIL FROM:<a@client.example>\r\nRCPT TO:<bob@example.org>\r\nRCPT TO:<nobody@example.org>\r\nRCPT TO:<carol@example.org>\r\n\
    BDAT 22\r\nRCPT TO:<x@y>\r\n.\r\nab\rNOOP\r\nBDAT 0\r\nbdat 5\r\n\ncd\r\nBDAT 0 last\r\nBDAT 2 LAST\r\nxy\
    MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nBDAT 4\r\nab\r\nBDAT 100000000\r\n";
const MORE_CHUNKS: &str = "MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nBDAT 4\r\n\0\n\r\rBDAT 3\r\nabcRSET\r\n\
    MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nBDAT 4\r\nb\nreRCPT TO:<carol@example.org>\r\nDATA\r\nBDAT 2 LAST\r\nxxBDAT -1\r\nNOOP\r\n";
const SHORT: &str = "MAIL FROM:<>\r\nRCPT TO:<b>\r\nQUIT\r\n";

/// Submission takes nothing without AUTH.
fn with_auth(protocol: Protocol, text: &str) -> String {
    let auth = if protocol == Protocol::Submission && text != TRANSACTIONS { AUTH } else { "" };
    [auth, text].concat()
}

#[test]
fn the_cut_of_the_input_changes_nothing_at_the_server() {
    for protocol in PROTOCOLS {
        for text in [TRANSACTIONS, CHUNKS, MORE_CHUNKS, SHORT] {
            let talk = talk(protocol, &with_auth(protocol, text));
            laws::fragmentation(server(protocol), &[&talk], 1).unwrap();
            laws::fragmentation(slow_server(protocol), &[&talk], 2).unwrap();
            let before: &[u8] = if protocol == Protocol::Lmtp {
                b"LHLO a\r\nSTARTTLS\r\n"
            } else {
                b"EHLO a\r\nSTARTTLS\r\n"
            };
            laws::fragmentation(tls_server(protocol, TlsMode::StartTls), &[before, &talk], 3).unwrap();
            laws::fragmentation(tls_server(protocol, TlsMode::Implicit), &[b"", &talk], 4).unwrap();
        }
    }
}

#[test]
fn a_transport_without_layers_keeps_the_laws() {
    let talk = talk(Protocol::Smtp, TRANSACTIONS);
    let make = || {
        let (server, answers) = slow_server(Protocol::Smtp)();
        (Transport::plain(server), answers)
    };
    laws::fragmentation(make, &[&talk], 5).unwrap();
    laws::progress(make, &[&talk], 12_288).unwrap();
    laws::determinism(make, &[&talk], 5).unwrap();
    laws::silence(make, &[&talk]).unwrap();
}

/// Lines that a client might send, good and bad.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => "(EHLO a|HELO a|LHLO a|NOOP|RSET|MAIL FROM:<>|MAIL FROM:<a@b.example> SIZE=9|RCPT TO:<bob@b>|RCPT TO:<no@b>|RCPT TO:<later@b>|DATA|VRFY x)(\r\n|\n)?"
            .prop_map(String::into_bytes),
        3 => "(\\.|\\.\\.|text|)\r\n".prop_map(String::into_bytes),
        1 => "(AUTH PLAIN|AUTH PLAIN AGFsaWNlAHRhbnN0YWFm|AUTH LOGIN|\\*|=|YWxpY2U=|dGFuc3RhYWY=)\r\n".prop_map(String::into_bytes),
        2 => "(BDAT 3( LAST)?\r\n(abc|\r\n\\.|a\r\n)|BDAT 0( LAST)?\r\n|BDAT 12\r\n|BDAT 99999999\r\n)".prop_map(String::into_bytes),
        1 => "(STARTTLS|HELP|EXPN x|VRFY ü SMTPUTF8|ETRN x|MAIL FROM:<ü@b> SMTPUTF8|MAIL FROM:<> BODY=BINARYMIME|BDAT x|MAIL FROM:|RCPT TO: <a@b>|GET / HTTP/1.1|QUIT now|XYZZY)\r\n".prop_map(String::into_bytes),
        1 => proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(0), any::<u8>()], 0..12),
        1 => (2000usize..2100).prop_map(|length| [vec![b'x'; length], b"\r\n".to_vec()].concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_cut_of_any_input_changes_nothing_at_the_server(
        lines in proptest::collection::vec(line(), 0..30),
        protocol in 0usize..3,
        slow: bool,
        envelope: bool,
        seed: u64,
    ) {
        let protocol = PROTOCOLS[protocol];
        let text = if envelope { "MAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\n" } else { "" };
        let before = if protocol == Protocol::Submission { [AUTH, text].concat() } else { text.to_string() };
        let input = [talk(protocol, &before), lines.concat()].concat();
        let make = || (Server::new(config(protocol), [7; 32]), Answers { slow, ..Answers::default() });
        laws::fragmentation(make, &[&input], seed).unwrap();
    }
}

#[test]
fn a_server_goes_on_or_closes() {
    for protocol in PROTOCOLS {
        for text in [
            "",
            "AUTH PLAIN\r\n",
            "AUTH LOGIN\r\nYWxpY2U=\r\n",
            TRANSACTIONS,
            CHUNKS,
            "MAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\n",
            "MAIL FROM:<>\r\nRCPT TO:<b@c>\r\nBDAT 100\r\nab",
            "MAIL FROM:<>\r\nRCPT TO:<b@c>\r\nBDAT 2\r\nab",
        ] {
            let talk = talk(protocol, text);
            laws::progress(server(protocol), &[&talk], 12_288).unwrap();
            laws::progress(slow_server(protocol), &[&talk], 12_288).unwrap();
        }
        laws::progress(server(protocol), &[b""], 12_288).unwrap();
        laws::progress(tls_server(protocol, TlsMode::Implicit), &[b"", b"NOOP\r\n"], 12_288).unwrap();
        laws::progress(tls_server(protocol, TlsMode::StartTls), &[&talk(protocol, "STARTTLS\r\n")], 12_288)
            .unwrap();
    }
}

#[test]
fn no_flood_passes_the_limits_of_a_server() {
    for protocol in PROTOCOLS {
        let open = [AUTH, "MAIL FROM:<>\r\n"].concat();
        let before = talk(protocol, &open);
        let content = talk(protocol, &[&open, "RCPT TO:<b@c>\r\nDATA\r\n"].concat());
        let chunk = talk(protocol, &[&open, "RCPT TO:<b@c>\r\nBDAT 30000000\r\n"].concat());
        let chunks = talk(protocol, &[&open, "RCPT TO:<b@c>\r\n"].concat());
        for (before, again) in [
            (&b""[..], &b"NOOP\r\n"[..]),
            (b"", b"x"),
            (b"", b"EHLO a\r\n"),
            (b"", b"\0\n"),
            (&before, b"RCPT TO:<b@c>\r\n"),
            (&before, b"RCPT TO:<no@c>\r\n"),
            (&content, b"text\r\n"),
            (&content, b"x"),
            (&content, b".\n"),
            (&chunk, b"text\r\n"),
            (&chunk, b"\n"),
            (&chunks, b"BDAT 5\r\ntext\n"),
            (&chunks, b"BDAT 0\r\n"),
            (&before, b"BDAT 5\r\ntext\n"),
            (&before, b"BDAT 9999999999\r\n"),
        ] {
            let flood = laws::Flood { before: &[before], again, octets: 400_000 };
            let make = || {
                let answers = Answers { forgetful: true, ..Answers::default() };
                (Server::new(config(protocol), [7; 32]), answers)
            };
            laws::bounded(make, flood, bounds(), || 0).unwrap();
        }
    }
}

#[test]
fn nothing_crosses_starttls() {
    for protocol in PROTOCOLS {
        let agreement = talk(protocol, "STARTTLS\r\n");
        let after = talk(protocol, &[AUTH, SHORT].concat());
        for injected in
            [&b"MAIL FROM:<mallory@evil.example>\r\nRCPT TO:<b@c>\r\n"[..], b"QUIT\r\n", b"\x16\x03\x01"]
        {
            laws::barrier(tls_server(protocol, TlsMode::StartTls), &[&agreement], injected, &after).unwrap();
            let refusing = || {
                let mut config = with_tls(protocol, TlsMode::StartTls);
                config.early.start_tls = mailwright_smtp::server::Early::Refuse;
                (Server::new(config, [7; 32]), Answers::default())
            };
            laws::barrier(refusing, &[&agreement], injected, &after).unwrap();
        }
    }
}

#[test]
fn a_server_is_the_same_each_time() {
    for protocol in PROTOCOLS {
        for seed in 0..10 {
            let text = match seed % 3 {
                0 => TRANSACTIONS,
                1 => CHUNKS,
                _ => MORE_CHUNKS,
            };
            let talk = talk(protocol, &with_auth(protocol, text));
            laws::determinism(server(protocol), &[&talk], seed).unwrap();
            laws::determinism(slow_server(protocol), &[&talk], seed).unwrap();
            laws::determinism(tls_server(protocol, TlsMode::Implicit), &[b"", &talk], seed).unwrap();
        }
    }
}

#[test]
fn a_server_that_is_closed_is_silent() {
    for protocol in PROTOCOLS {
        for text in [TRANSACTIONS, CHUNKS, MORE_CHUNKS, SHORT] {
            let talk = talk(protocol, &with_auth(protocol, text));
            laws::silence(server(protocol), &[&talk]).unwrap();
            laws::silence(slow_server(protocol), &[&talk]).unwrap();
            laws::silence(tls_server(protocol, TlsMode::Implicit), &[b"", &talk]).unwrap();
        }
    }
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
    b"MAIL FROM:<> BODY=BINARYMIME\r\n",
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

#[test]
fn no_order_of_calls_breaks_a_server() {
    let mut numbers = Numbers::new(25);
    for round in 0..2000 {
        let tls = [TlsMode::Off, TlsMode::StartTls, TlsMode::Implicit][round / 3 % 3];
        let (server, mut answers) = tls_server(PROTOCOLS[round % 3], tls)();
        answers.careless = true;
        answers.slow = round % 2 == 0;
        let script = numbers.octets(500);
        laws::calls((server, answers), WORDS, &script, &bounds()).unwrap();
    }
}

// ---- The client

fn client_config(protocol: client::Protocol) -> client::Config {
    let mut config = client::Config::new("client.example").unwrap();
    config.protocol = protocol;
    config.tls = client::TlsMode::None;
    config.sasl.clear_text_without_tls = true;
    config
}

fn client(protocol: client::Protocol, calls: &[Call]) -> impl Fn() -> (Client, Commander) {
    move || (Client::new(client_config(protocol)), Commander::new(calls))
}

fn tls_client(tls: client::TlsMode, calls: &[Call]) -> impl Fn() -> (Client, Commander) {
    move || {
        let mut config = client_config(client::Protocol::Smtp);
        config.tls = tls;
        (Client::new(config), Commander::new(calls))
    }
}

const DELIVERY: &[Call] = &[
    Call::Auth,
    Call::Mail,
    Call::Rcpt("bob"),
    Call::Rcpt("carol"),
    Call::Rcpt("dave"),
    Call::Data,
    Call::Content(b"Subject: x\r\n\r\n.dot\r\n"),
    Call::Content(b"..\r\ntext"),
    Call::End,
    Call::Reset,
    Call::Noop,
    Call::Quit,
];

const CHUNKED: &[Call] = &[
    Call::Mail,
    Call::Rcpt("bob"),
    Call::Rcpt("carol"),
    Call::Bdat(4, false),
    Call::Content(b".\r\n."),
    Call::Bdat(0, false),
    Call::Bdat(2, true),
    Call::Content(b"\r\n"),
    Call::Quit,
];

/// What a server says to a delivery in chunks.
fn chunk_replies(protocol: client::Protocol) -> Vec<&'static [u8]> {
    let verdicts: &[u8] = match protocol {
        client::Protocol::Lmtp => b"250 2.0.0 4\r\n250 2.0.0 0\r\n250 2.0.0 taken\r\n452 4.2.2 full\r\n",
        _ => b"250 2.0.0 4\r\n250-2.0.0 0\r\n250 2.0.0 none\r\n250 2.0.0 taken\r\n",
    };
    vec![
        b"220 server.example\r\n",
        b"250-server.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 CHUNKING\r\n",
        b"250 2.1.0 OK\r\n250 2.1.5 OK\r\n250 2.1.5 OK\r\n",
        verdicts,
        b"221 2.0.0 bye\r\n",
    ]
}

/// What a server says to a delivery: a stage for each group of commands, since a reply that comes before its
/// command ends the session.
fn replies(protocol: client::Protocol) -> Vec<&'static [u8]> {
    let verdicts: &[u8] = match protocol {
        client::Protocol::Lmtp => b"250 2.0.0 taken\r\n452 4.2.2 full\r\n",
        _ => b"250-2.0.0 taken\r\n250 2.0.0 really\r\n",
    };
    vec![
        b"220-server.example\r\n220 ESMTP\r\n",
        b"250-server.example\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
        b"235 2.7.0 welcome\r\n",
        b"250 2.1.0 OK\r\n250 2.1.5 OK\r\n550 5.1.1 no\r\n250 2.1.5 OK\r\n354 go on\r\n",
        verdicts,
        b"250 2.0.0 reset\r\n250 2.0.0 nothing\r\n",
        b"221 2.0.0 bye\r\n",
    ]
}

const CLIENTS: [client::Protocol; 2] = [client::Protocol::Smtp, client::Protocol::Lmtp];
const SECURE: &[&[u8]] = &[
    b"220 server.example\r\n",
    b"250-server.example\r\n250 STARTTLS\r\n",
    b"220 2.0.0 go on\r\n",
    b"250-server.example\r\n250 PIPELINING\r\n",
    b"250 OK\r\n",
];

#[test]
fn the_delivery_comes_to_its_end() {
    for protocol in CLIENTS {
        let (client, commander) = client(protocol, DELIVERY)();
        let mut end = End::new(client, commander);
        for stage in replies(protocol) {
            assert!(!end.is_closed());
            end.receive(stage).unwrap();
        }
        end.end().unwrap();
        assert_eq!(end.host.calls, [], "{:?}", end.notes);
        assert!(format!("{:?}", end.notes.last()).contains("Quit"), "{:?}", end.notes);
    }
}

#[test]
fn a_delivery_in_chunks_comes_to_its_end() {
    for protocol in CLIENTS {
        let (client, commander) = client(protocol, CHUNKED)();
        let mut end = End::new(client, commander);
        for stage in chunk_replies(protocol) {
            assert!(!end.is_closed(), "{:?}", end.notes);
            end.receive(stage).unwrap();
        }
        end.end().unwrap();
        assert_eq!(end.host.calls, [], "{:?}", end.notes);
        assert!(format!("{:?}", end.notes.last()).contains("Quit"), "{:?}", end.notes);
    }
}

#[test]
fn the_cut_of_the_input_changes_nothing_at_the_client() {
    for protocol in CLIENTS {
        laws::fragmentation(client(protocol, CHUNKED), &chunk_replies(protocol), 5).unwrap();
        laws::fragmentation(client(protocol, DELIVERY), &replies(protocol), 1).unwrap();
    }
    laws::fragmentation(tls_client(client::TlsMode::Required, &[Call::Noop]), SECURE, 2).unwrap();
    let implicit: &[&[u8]] = &[b"", b"220 a\r\n", b"250 a\r\n", b"250 OK\r\n"];
    laws::fragmentation(tls_client(client::TlsMode::Implicit, &[Call::Noop]), implicit, 3).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_cut_of_any_reply_changes_nothing_at_the_client(
        replies in proptest::collection::vec(
            prop_oneof![
                6 => "[2-5][0-5][0-9][ -]([245]\\.[0-9]\\.[0-9] )?[a-z .]{0,8}\r\n".prop_map(String::into_bytes),
                1 => proptest::collection::vec(
                    prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'2'), Just(b'-'), Just(0), any::<u8>()], 0..10),
            ],
            0..12,
        ),
        lmtp: bool,
        greeting in 0usize..5,
        seed: u64,
    ) {
        let protocol = CLIENTS[usize::from(lmtp)];
        let all = self::replies(protocol);
        // So far as the script goes, then what comes. Whether a reply came before its command depends on timing,
        // so no more commands are given then.
        let made = [0, 0, 1, 6, 9][greeting];
        let make = || {
            let (client, mut commander) = client(protocol, DELIVERY)();
            commander.left = DELIVERY.len() - made;
            (client, commander)
        };
        let mut stages: Vec<&[u8]> = all[..greeting].to_vec();
        let wild = replies.concat();
        stages.push(&wild);
        laws::fragmentation(make, &stages, seed).unwrap();
    }
}

#[test]
fn a_client_goes_on_or_closes() {
    for protocol in CLIENTS {
        let all = replies(protocol);
        for count in 0..=all.len() {
            laws::progress(client(protocol, DELIVERY), &all[..count], 8192).unwrap();
        }
        let all = chunk_replies(protocol);
        for count in 0..=all.len() {
            laws::progress(client(protocol, CHUNKED), &all[..count], 8192).unwrap();
        }
    }
    laws::progress(tls_client(client::TlsMode::Required, &[]), &SECURE[..3], 8192).unwrap();
    laws::progress(tls_client(client::TlsMode::Implicit, &[]), &[b"", b""], 8192).unwrap();
}

#[test]
fn no_flood_passes_the_limits_of_a_client() {
    let mut bounds = laws::Bounds::default();
    bounds.output = 2 * 65_536;
    bounds.unread = 8192;
    for protocol in CLIENTS {
        let all = replies(protocol);
        for count in 0..all.len() {
            for again in [&b"250-x\r\n"[..], b"250 x\r\n", b"x", b"\r\n", b"334 \r\n", b"2"] {
                let flood = laws::Flood { before: &all[..count], again, octets: 300_000 };
                laws::bounded(client(protocol, DELIVERY), flood, bounds, || 0).unwrap();
            }
        }
    }
}

#[test]
fn nothing_crosses_the_agreement_at_the_client() {
    for injected in [&b"250 OK\r\n"[..], b"250-a\r\n250 AUTH PLAIN\r\n", b"\x16\x03"] {
        let client = tls_client(client::TlsMode::Required, &[Call::Noop]);
        laws::barrier(client, &SECURE[..3], injected, b"250-server.example\r\n250 PIPELINING\r\n").unwrap();
    }
}

#[test]
fn a_client_is_the_same_each_time_and_silent_at_the_end() {
    for protocol in CLIENTS {
        for seed in 0..10 {
            laws::determinism(client(protocol, DELIVERY), &replies(protocol), seed).unwrap();
        }
        laws::silence(client(protocol, DELIVERY), &replies(protocol)).unwrap();
    }
    laws::determinism(tls_client(client::TlsMode::Required, &[Call::Noop]), SECURE, 1).unwrap();
    laws::silence(tls_client(client::TlsMode::Required, &[Call::Noop]), SECURE).unwrap();
}

#[test]
fn no_order_of_calls_breaks_a_client() {
    let mut numbers = Numbers::new(26);
    for round in 0..2000 {
        let protocol = CLIENTS[round % 2];
        let tls =
            [client::TlsMode::None, client::TlsMode::Required, client::TlsMode::Implicit][round / 2 % 3];
        let mut config = client_config(protocol);
        config.tls = tls;
        let all = replies(protocol);
        let lines = all.iter().flat_map(|stage| stage.split_inclusive(|&octet| octet == b'\n'));
        let words: Vec<&[u8]> =
            lines.chain([&b"421 4.3.2 down\r\n"[..], b"334 \r\n", b"250 STARTTLS\r\n"]).collect();
        let script = numbers.octets(500);
        laws::calls((Client::new(config), Commander::default()), &words, &script, &Default::default())
            .unwrap();
    }
}
