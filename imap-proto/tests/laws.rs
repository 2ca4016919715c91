//! The laws of sessions (`mailwright_core::testing::laws`) on the server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod host;

use host::{Answers, bounds, clear_text, store};
use mailwright_core::session::Transport;
use mailwright_core::testing::{Numbers, laws};
use mailwright_imap::server::{Server, TlsMode};
use proptest::prelude::*;

fn server_with(tls: TlsMode, slow: bool) -> (Server, Answers) {
    let mut config = clear_text();
    config.tls = tls;
    let mut answers = Answers::with(store::folders());
    for number in 1..=4 {
        let content = format!("Subject: {number}\r\n\r\nbody {number}\r\n");
        answers.inbox().add(content.as_bytes(), &[]);
    }
    answers.slow = slow;
    (Server::new(config, [7; 32]), answers)
}

fn server() -> (Server, Answers) {
    server_with(TlsMode::Off, false)
}

/// Everything is answered when nothing else goes on.
fn slow() -> (Server, Answers) {
    server_with(TlsMode::Off, true)
}

fn start_tls() -> (Server, Answers) {
    server_with(TlsMode::StartTls, false)
}

fn implicit_tls() -> (Server, Answers) {
    server_with(TlsMode::Implicit, true)
}

const LOGIN: &str = "a LOGIN fred secret\r\n";
/// A bit of everything; no literal that is waited for, since what becomes of octets that come too early depends
/// on what had come.
const SESSION: &str = "a LOGIN {4+}\r\nfred {6+}\r\nsecret\r\nb SELECT INBOX\r\nc FETCH 1:* (FLAGS UID BODY[])\r\n\
    d STORE 1 +FLAGS (\\Deleted)\r\ne SEARCH 1:2 UNSEEN\r\nf COPY 1:2 INBOX\r\ng UID MOVE 2 INBOX\r\nh EXPUNGE\r\ni XFOO {9+}\r\n\
    x LOGOUT\r\n\r\nj IDLE\r\nDONE\r\nk APPEND INBOX (\\Seen) {5+}\r\nhello\r\nl APPEND nowhere {3+}\r\nabc\r\nm UID FETCH 2:* BODY[TEXT]<0.3>\r\n\
    n LIST \"\" *\r\no STATUS INBOX (MESSAGES)\r\n* bad\r\np CREATE a/\r\nq ID NIL\r\nr NAMESPACE\r\nbare NOOP\ns CLOSE\r\nt LOGOUT\r\nu NOOP\r\n";
const SHORT: &str = "a LOGIN fred {6+}\r\nsecret\r\nb SELECT INBOX\r\nc LOGOUT\r\n";
const EXCHANGE: &str = "a AUTHENTICATE PLAIN\r\n*\r\nb AUTHENTICATE PLAIN\r\nAGZyZWQAc2VjcmV0\r\nc EXAMINE INBOX\r\nd LOGOUT\r\n";
const DIALOGUES: [&str; 4] = [LOGIN, SHORT, EXCHANGE, SESSION];

#[test]
fn the_dialogue_does_what_it_is_to_do() {
    let mut host = host::Host::new(clear_text(), server().1);
    let said = host.say(SESSION);
    for line in [
        "* 3 FETCH (FLAGS (\\Seen) UID 3 BODY[] {",
        "f OK [COPYUID ",
        "* OK [COPYUID ",
        "i BAD unknown command",
        "k OK [APPENDUID ",
        "t OK done",
    ] {
        assert!(said.contains(line), "{line} {said}");
    }
    assert_eq!(host.closed.as_deref(), Some("Closed(Logout)"));
}

#[test]
fn the_cut_of_the_input_changes_nothing() {
    for (seed, text) in (0..).zip(DIALOGUES) {
        laws::fragmentation(server, &[text.as_bytes()], seed).unwrap();
        laws::fragmentation(slow, &[text.as_bytes()], seed).unwrap();
        laws::fragmentation(start_tls, &[b"a NOOP\r\nb STARTTLS\r\n", text.as_bytes()], seed).unwrap();
        laws::fragmentation(implicit_tls, &[b"", text.as_bytes()], seed).unwrap();
    }
}

/// Lines that a client might send, good and bad.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => "[ab] (NOOP|SELECT INBOX|EXAMINE INBOX|FETCH 1:\\* (FLAGS|BODY\\[\\]|\\(UID ENVELOPE\\))|STORE [1-5] [+-]?FLAGS(.SILENT)? \\(\\\\(Seen|Deleted)\\)|EXPUNGE|CLOSE|UID SEARCH [1-5]|SEARCH NOT (SEEN|1)|COPY 1 INBOX|UID MOVE [1-9] INBOX|LOGOUT)(\r\n|\n)"
            .prop_map(String::into_bytes),
        3 => "([ab] )?(XFOO|LOGIN|APPEND INBOX|APPEND no|SELECT|SEARCH TEXT|STATUS x) (\\{3\\+\\}\r\n[a-z]{3}|\\(a \"b|\"x\" )(\r\n)?"
            .prop_map(String::into_bytes),
        1 => "(a AUTHENTICATE PLAIN|a IDLE|DONE|\\*|=|AGZyZWQAc2VjcmV0|c LOGIN fred secret)\r\n".prop_map(String::into_bytes),
        1 => proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b'('), Just(0), any::<u8>()], 0..12),
    ]
}

/// Whether a literal is announced whose sender waits: what becomes of octets that do not wait is a matter of time.
fn waits(input: &[u8]) -> bool {
    input.windows(2).any(|window| window[0].is_ascii_digit() && window[1] == b'}')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_cut_of_any_input_changes_nothing(
        lines in proptest::collection::vec(line(), 0..25),
        late: bool,
        known: bool,
        seed: u64,
    ) {
        let input = [if known { LOGIN.as_bytes() } else { b"" }, &lines.concat()].concat();
        prop_assume!(!waits(&input));
        laws::fragmentation(|| server_with(TlsMode::Off, late), &[&input], seed).unwrap();
    }
}

#[test]
fn a_server_goes_on_or_closes() {
    for text in DIALOGUES.into_iter().chain([
        "",
        "a LOGIN {4}\r\n",
        "a XFOO {4+}\r\n",
        "a AUTHENTICATE PLAIN\r\n",
        "a LOGIN fred secret\r\nb APPEND INBOX {10}\r\n123",
        "a LOGIN fred secret\r\nb IDLE\r\n",
    ]) {
        laws::progress(server, &[text.as_bytes()], 256 * 1024).unwrap();
        laws::progress(slow, &[text.as_bytes()], 256 * 1024).unwrap();
        laws::progress(implicit_tls, &[b"", text.as_bytes()], 256 * 1024).unwrap();
    }
    laws::progress(start_tls, &[b"a STARTTLS\r\n"], 16 * 1024).unwrap();
}

#[test]
fn no_flood_passes_the_limits() {
    let selected = &[LOGIN.as_bytes(), b"b SELECT INBOX\r\n"][..];
    let idle = &[LOGIN.as_bytes(), b"b SELECT INBOX\r\n", b"c IDLE\r\n"][..];
    for (before, again) in [
        (&[][..], &b"a NOOP\r\n"[..]),
        (&[], b"\r\n"),
        (&[], b"x"),
        (&[], b"a LOGIN fred wrong\r\n"),
        (&[], b"a CAPABILITY\r\n"),
        (&[], b"a ID (\"name\" \"value\")\n"),
        (&[], b"a LOGIN {0+}\r\n {0+}\r\n"),
        (&[], b"a XFOO {5+}\r\nabcde\r\nb NOOP\r\n"),
        (selected, b"a FETCH 1:* (FLAGS BODY.PEEK[])\r\n"),
        (selected, b"a SEARCH ALL\r\n"),
        (selected, b"a STORE 1:* +FLAGS $x\r\nb STORE 1:* -FLAGS $x\r\n"),
        (selected, b"a XFOO\r\nb NOOP\r\n"),
        (selected, b"a LIST \"\" *\r\n"),
        (idle, b"DONE\r\nc IDLE\r\n"),
    ] {
        let flood = laws::Flood { before, again, octets: 300_000 };
        laws::bounded(server, flood, bounds(), || 0)
            .unwrap_or_else(|broken| panic!("{} {broken}", again.escape_ascii()));
    }
}

#[test]
fn nothing_crosses_starttls() {
    let after = [LOGIN, "c SELECT INBOX\r\nd LOGOUT\r\n"].concat();
    for injected in [
        &b"c LOGIN evil {4+}\r\nevil\r\n"[..],
        b"c NOOP\r\n",
        b"c LOGOUT\r\n",
        b"\x16\x03\x01",
        b"{5+}\r\n",
        b"\"",
    ] {
        laws::barrier(start_tls, &[b"a NOOP\r\nb STARTTLS\r\n"], injected, after.as_bytes()).unwrap();
    }
}

#[test]
fn a_server_is_the_same_each_time_and_silent_at_the_end() {
    for text in DIALOGUES {
        for seed in 0..10 {
            laws::determinism(server, &[text.as_bytes()], seed).unwrap();
            laws::determinism(slow, &[text.as_bytes()], seed).unwrap();
            laws::determinism(implicit_tls, &[b"", text.as_bytes()], seed).unwrap();
        }
        laws::silence(server, &[text.as_bytes()]).unwrap();
        laws::silence(slow, &[text.as_bytes()]).unwrap();
        laws::silence(implicit_tls, &[b"", text.as_bytes()]).unwrap();
    }
}

#[test]
fn a_transport_without_layers_keeps_the_laws() {
    let make = || {
        let (server, answers) = slow();
        (Transport::plain(server), answers)
    };
    laws::fragmentation(make, &[SESSION.as_bytes()], 5).unwrap();
    laws::determinism(make, &[SESSION.as_bytes()], 5).unwrap();
    laws::silence(make, &[SESSION.as_bytes()]).unwrap();
}

const WORDS: &[&[u8]] = &[
    b"a LOGIN fred secret\r\n",
    b"a SELECT INBOX\r\n",
    b"a EXAMINE INBOX\r\n",
    b"a AUTHENTICATE PLAIN\r\n",
    b"AGZyZWQAc2VjcmV0\r\n",
    b"*\r\n",
    b"a FETCH 1:* (FLAGS BODY[])\r\n",
    b"a UID FETCH 1:* (UID ENVELOPE)\r\n",
    b"a STORE 1:* +FLAGS.SILENT (\\Deleted)\r\n",
    b"a UID STORE 1:* FLAGS (x)\r\n",
    b"a EXPUNGE\r\n",
    b"a UID EXPUNGE 1:3\r\n",
    b"a SEARCH 1:* UNSEEN\r\n",
    b"a COPY 1 INBOX\r\n",
    b"a MOVE 1:* INBOX\r\n",
    b"a APPEND INBOX {3}\r\n",
    b"a APPEND INBOX {3+}\r\nabc\r\n",
    b"abc\r\n",
    b"a IDLE\r\n",
    b"DONE\r\n",
    b"a CLOSE\r\n",
    b"a UNSELECT\r\n",
    b"a NOOP\r\n",
    b"a LIST \"\" *\r\n",
    b"a CREATE x\r\n",
    b"a STATUS INBOX (MESSAGES)\r\n",
    b"a STARTTLS\r\n",
    b"a LOGOUT\r\n",
    b"a XFOO {3+}\r\nabc",
    b"\r",
    b"\n",
    b"\0",
];

#[test]
fn no_order_of_calls_breaks_a_server() {
    let mut numbers = Numbers::new(25);
    for round in 0..1000 {
        let tls = [TlsMode::Off, TlsMode::Off, TlsMode::StartTls, TlsMode::Implicit][round / 2 % 4];
        let (server, mut answers) = server_with(tls, round % 2 == 0);
        answers.careless = true;
        let script = numbers.octets(600);
        laws::calls((server, answers), WORDS, &script, &bounds()).unwrap();
    }
}
