//! The laws of sessions (`mailwright_core::testing::laws`) on server and client.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use mailwright_core::testing::{End, Numbers, laws};
use mailwright_pop3::TlsMode;
use mailwright_pop3::server::Server;
use proptest::prelude::*;
use support::commander::{client, client_with};
use support::{Answers, EXTENDED, bounds, clear_text, everything};

fn server() -> (Server, Answers) {
    (Server::new(clear_text(), [5; 32]), Answers::default())
}

/// A host that answers and writes only when nothing else goes on, and little at a time.
fn slow_server() -> (Server, Answers) {
    let (server, mut answers) = server();
    answers.slow = true;
    answers.chunk = 7;
    (server, answers)
}

/// A server with every extension, and a message that needs one.
fn extended_server() -> (Server, Answers) {
    let mut answers = Answers::default();
    answers.needs_utf8 = vec![2];
    let mut config = everything();
    config.limits.errors_before_login = 1000;
    config.limits.authentication_failures = 1000;
    (Server::new(config, [5; 32]), answers)
}

/// Everything that the extensions have, before the login and behind it.
fn extended_talk() -> Vec<u8> {
    [&b"CAPA\r\n"[..], &EXTENDED.concat(), LOGIN, b"CAPA\r\nLANG\r\nLIST 2\r\nRETR 2\r\nRETR 1\r\nQUIT\r\n"]
        .concat()
}

fn with_tls(mode: TlsMode) -> impl Fn() -> (Server, Answers) {
    move || {
        let mut config = clear_text();
        config.tls = mode;
        (Server::new(config, [5; 32]), Answers::default())
    }
}

const LOGIN: &[u8] = b"USER mrose\r\nPASS tanstaaf\r\n";
const TALK: &[u8] =
    b"CAPA\r\nAUTH PLAIN\r\nAG1yb3NlAHRhbnN0YWFm\r\nSTAT\r\nLIST\r\nUIDL 1\nRETR 1\r\nRETR 2\r\n\
    TOP 1 1\r\nDELE 2\r\nRETR 2\r\nXYZZY\r\nLIST 0\r\nUIDL\r\nRSET\r\nDELE 1\r\nQUIT\r\nNOOP\r\n";
const SHORT: &[u8] = b"USER mrose\r\nPASS tanstaaf\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n";

#[test]
fn the_cut_of_the_input_changes_nothing_at_the_server() {
    for make in [server, slow_server] {
        laws::fragmentation(make, &[TALK], 1).unwrap();
        laws::fragmentation(make, &[SHORT], 2).unwrap();
    }
    laws::fragmentation(extended_server, &[&extended_talk()], 8).unwrap();
    laws::fragmentation(with_tls(TlsMode::StartTls), &[b"CAPA\r\nSTLS\r\n", TALK], 3).unwrap();
    laws::fragmentation(with_tls(TlsMode::Implicit), &[b"", SHORT], 4).unwrap();
}

#[test]
fn a_server_goes_on_or_closes() {
    for make in [server, slow_server] {
        for talk in [b"", LOGIN, TALK, b"USER x\r\nAUTH PLAIN\r\n", b"AUTH LOGIN\r\n"] {
            laws::progress(make, &[talk], 12_288).unwrap();
        }
    }
    laws::progress(with_tls(TlsMode::StartTls), &[b"STLS\r\n"], 12_288).unwrap();
    laws::progress(with_tls(TlsMode::Implicit), &[b"", b"NOOP\r\n"], 12_288).unwrap();
}

#[test]
fn nothing_crosses_stls() {
    for injected in [&b"USER mrose\r\nPASS tanstaaf\r\n"[..], b"QUIT\r\n", b"\x16\x03\x01"] {
        for before in [&b"STLS\r\n"[..], b"USER mrose\r\nSTLS\r\n"] {
            let after = b"PASS tanstaaf\r\nSTAT\r\nQUIT\r\n";
            laws::barrier(with_tls(TlsMode::StartTls), &[before], injected, after).unwrap();
        }
    }
}

#[test]
fn a_server_is_the_same_each_time() {
    for seed in 0..40 {
        laws::determinism(server, &[TALK], seed).unwrap();
        laws::determinism(slow_server, &[SHORT], seed).unwrap();
        laws::determinism(extended_server, &[&extended_talk()], seed).unwrap();
        laws::determinism(with_tls(TlsMode::StartTls), &[b"STLS\r\n", TALK], seed).unwrap();
    }
}

#[test]
fn a_server_that_is_closed_is_silent() {
    laws::silence(server, &[TALK]).unwrap();
    laws::silence(slow_server, &[SHORT]).unwrap();
    laws::silence(extended_server, &[&extended_talk()]).unwrap();
    laws::silence(with_tls(TlsMode::StartTls), &[b"STLS\r\n", SHORT]).unwrap();
    laws::silence(with_tls(TlsMode::Implicit), &[b"", SHORT]).unwrap();
}

/// Commands, responses and replies, whole and broken.
const WORDS: &[&[u8]] = &[
    b"USER mrose\r\n",
    b"PASS tanstaaf\r\n",
    LOGIN,
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
];

#[test]
fn no_order_of_calls_breaks_a_server() {
    let mut numbers = Numbers::new(17);
    for round in 0..3000 {
        let mode = [TlsMode::Off, TlsMode::StartTls, TlsMode::Implicit][round % 3];
        let (server, mut answers) = with_tls(mode)();
        answers.careless = true;
        answers.slow = round % 2 == 0;
        let script = numbers.octets(400);
        laws::calls((server, answers), WORDS, &script, &bounds()).unwrap();
    }
    let words = [WORDS, EXTENDED].concat();
    for round in 0..3000 {
        let (server, mut answers) = extended_server();
        answers.careless = true;
        answers.slow = round % 2 == 0;
        let script = numbers.octets(400);
        laws::calls((server, answers), &words, &script, &bounds()).unwrap();
    }
}

/// Lines that a client might send, good and bad.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "(STAT|LIST|UIDL|RSET|NOOP|CAPA|DELE 1|RETR 1|RETR 2|TOP 1 1|TOP 2 0|LIST 2|UIDL 1|RETR 007)(\r\n|\n)"
            .prop_map(String::into_bytes),
        1 => "(USER mrose|PASS tanstaaf|PASS x|AUTH PLAIN|AUTH LOGIN|\\*|=|AG1yb3NlAHRhbnN0YWFm|bXJvc2U=)\r\n"
            .prop_map(String::into_bytes),
        1 => "(RETR 0|DELE 99999999999999999999|TOP 1|LIST  1 |USER  a b |STLS|XYZZY|QUIT now|GET / HTTP/1.1)\r\n"
            .prop_map(String::into_bytes),
        1 => proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(0), Just(b' '), any::<u8>()], 0..12),
        1 => (1000usize..1100).prop_map(|length| [vec![b'x'; length], b"\r\n".to_vec()].concat()),
    ]
}

fn dialogue() -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), proptest::collection::vec(line(), 0..30), any::<bool>()).prop_map(
        |(login, lines, quit)| {
            let mut dialogue = if login { b"USER mrose\r\nPASS tanstaaf\r\n".to_vec() } else { Vec::new() };
            dialogue.extend(lines.concat());
            if quit {
                dialogue.extend_from_slice(b"QUIT\r\n");
            }
            dialogue
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_cut_of_any_input_changes_nothing_at_the_server(dialogue in dialogue(), lenient: bool, seed: u64) {
        let make = || {
            let mut config = clear_text();
            config.overlong_close = !lenient;
            config.limits.errors_before_login = if lenient { 1000 } else { 3 };
            (Server::new(config, [5; 32]), Answers::default())
        };
        // A long dialogue has too many places to try each.
        laws::fragmentation(make, &[&dialogue], seed).unwrap();
    }

    #[test]
    fn the_cut_of_any_input_changes_nothing_at_the_client(
        replies in proptest::collection::vec(
            prop_oneof![
                3 => "(\\+OK( [0-9]{1,22} [0-9]{1,22})?|-ERR( \\[[A-Z/]{0,6}\\])? x|\\+ [A-Za-z=]{0,8}|1 2|\\.|\\.\\.|[0-9]{1,11}[ \t]+[!-~]{0,4})\r\n"
                    .prop_map(String::into_bytes),
                1 => proptest::collection::vec(
                    prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(0), any::<u8>()], 0..10),
            ],
            0..40,
        ),
        commands in proptest::collection::vec(0u8..15, 0..40),
        seed: u64,
    ) {
        // All commands are in flight before the first reply: what answers which is the same then.
        let make = || {
            let (client, mut commander) = client(&commands)();
            commander.at_once = true;
            (client, commander)
        };
        laws::fragmentation(make, &[b"+OK\r\n", &replies.concat()], seed).unwrap();
    }
}

/// All commands, in the groups that PIPELINING makes of them.
const ALL: &[u8] = &[0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 1, 2, 13];
/// Their replies: a stage for each group, since a reply that comes before its command ends the session.
const REPLIES: &[&[u8]] = &[
    b"+OK hello\r\n",
    b"+OK capabilities\r\nUSER\r\nPIPELINING\r\n.\r\n+OK 2 320\r\n+OK\r\n1 120\r\n2 200\r\n.\r\n+OK 1 120\r\n+OK\r\n1 a\r\nx\r\n.\r\n\
      +OK 1 a\r\n+OK\r\nSubject: x\r\n\r\n..dot\r\n.\r\n+OK\r\n\r\n.\r\n+OK\r\n+OK\r\n-ERR [IN-USE] no\r\n",
    b"+ VXNlcm5hbWU6\r\n-ERR [AUTH] no\r\n",
    b"+OK\r\n",
    b"+OK\r\n",
    b"+OK bye\r\n",
];

#[test]
fn the_cut_of_the_input_changes_nothing_at_the_client() {
    laws::fragmentation(client(ALL), REPLIES, 5).unwrap();
    let message: &[&[u8]] = &[b"+OK\r\n", b"+OK\r\na\r\n..\r\n.\r\n", b"+OK\r\n"];
    laws::fragmentation(client(&[8, 13]), message, 6).unwrap();
    // A client that tolerates everything, with a server without CR; UTF8 and LANG.
    let odd = &[
        &b"+Ok hi\n"[..],
        b"+ok\n.x\n.\n",
        b"+OK\n1 \xff\n.\n",
        b"-err [X] no\n",
        b"+OK\nde x\n.\n",
        b"+OK de\n",
    ];
    laws::fragmentation(client_with(&[8, 6, 16, 17, 18], true), odd, 9).unwrap();
    let message = b"+OK\r\n.x\r\n..\r\n.\r\n";
    laws::fragmentation(client_with(&[8], true), &[b"+OK\r\n", message], 10).unwrap();
    laws::fragmentation(client(&[0, 15]), &[b"+OK\r\n", b"+OK\r\nSTLS\r\n.\r\n", b"+OK\r\n", b""], 7)
        .unwrap();
}

#[test]
fn a_script_of_all_commands_comes_to_its_end() {
    let (client, commander) = client(ALL)();
    let mut end = End::new(client, commander);
    for stage in REPLIES {
        end.receive(stage).unwrap();
    }
    assert!(end.host.commands.is_empty());
    assert!(String::from_utf8(end.output).unwrap().ends_with("USER tim\r\nPASS x\r\nQUIT\r\n"));
}

#[test]
fn a_client_goes_on_or_closes() {
    laws::progress(client(ALL), REPLIES, 12_288).unwrap();
    for replies in [&b""[..], b"+OK\r\n", b"+OK\r\n+OK\r\nUSER"] {
        laws::progress(client(ALL), &[replies], 12_288).unwrap();
        laws::progress(client(&[8, 4]), &[replies], 12_288).unwrap();
    }
}

#[test]
fn nothing_crosses_the_agreement_at_the_client() {
    for injected in [&b"+OK\r\n"[..], b"-ERR\r\n", b"\x16\x03"] {
        laws::barrier(client(&[15, 0]), &[b"+OK\r\n", b"+OK begin\r\n"], injected, b"+OK\r\nUSER\r\n.\r\n")
            .unwrap();
    }
}

#[test]
fn a_client_is_the_same_each_time_and_silent_at_the_end() {
    for seed in 0..40 {
        laws::determinism(client(ALL), REPLIES, seed).unwrap();
    }
    laws::silence(client(ALL), REPLIES).unwrap();
}

#[test]
fn no_order_of_calls_breaks_a_client() {
    let lines = REPLIES.iter().flat_map(|stage| stage.split_inclusive(|&octet| octet == b'\n'));
    let words: Vec<&[u8]> = lines.chain(WORDS.iter().copied()).collect();
    let mut numbers = Numbers::new(18);
    for round in 0..3000 {
        let script = numbers.octets(400);
        laws::calls(client_with(&[], round % 2 == 0)(), &words, &script, &Default::default()).unwrap();
    }
}
