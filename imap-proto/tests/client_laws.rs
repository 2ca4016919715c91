//! The laws of sessions (`mailwright_core::testing::laws`) on the client.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peer;

use mailwright_core::session::Transport;
use mailwright_core::testing::{End, Numbers, laws};
use mailwright_imap::client::{Client, TlsMode};
use peer::clear_text;
use peer::commander::{Call, Commander, SEED, tagged};
use proptest::prelude::*;

fn client(tls: TlsMode, calls: &[Call]) -> impl Fn() -> (Client, Commander) {
    move || {
        let mut config = clear_text();
        config.tls = tls;
        // Small, so that they are come to.
        let limits = &mut config.limits.response;
        (limits.line, limits.literal, limits.buffered) = (4096, 4096, 4096);
        (Client::new(config, SEED), Commander::new(calls))
    }
}

/// The longest item that is read at once.
const UNREAD: usize = 8192;

const SESSION: &[Call] = &[
    Call::Capability,
    Call::Authenticate,
    Call::Select,
    Call::Create,
    Call::Noop,
    Call::Fetch,
    Call::Search,
    Call::Store,
    Call::Append(6),
    Call::Content(b"abc"),
    Call::Content(b"def"),
    Call::Idle,
    Call::Done,
    Call::Logout,
];

/// What a server says to that: a stage for each group of commands, since a completion that comes before its
/// command ends the session.
const REPLIES: &[&str] = &[
    "* OK ready\r\n",
    "* CAPABILITY IMAP4rev1 AUTH=PLAIN IDLE\r\n$1 OK done\r\n",
    "+ \r\n",
    "$2 OK [CAPABILITY IMAP4rev1 IDLE] welcome\r\n",
    "* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n$3 OK [READ-WRITE] done\r\n",
    "+ go\r\n",
    "$4 OK done\r\n",
    "* 4 EXISTS\r\n$5 OK done\r\n\
     * 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {12}\r\nSubject: x\r\n)\r\n* 2 FETCH (BODY[] \"quoted\" UID 2)\r\n\
     * 3 FETCH (UID 3 FLAGS (  ) BODY[] {0}\r\n ENVELOPE ((((())\r\n* 9 EXPUNGE\r\n$6 OK done\r\n\
     * SEARCH 1 2 3 \r\nServer Unavailable. 15\r\n* LIST () \"/\" {5}\r\nINBOX\r\n$7 OK done {20}\r\n\
     * 1 FETCH (UID 1 FLAGS (\\Seen))\r\n$8 OK [EXPUNGEISSUED] done\r\n",
    "+ go\r\n",
    "* 5 EXISTS\r\n$9 OK [APPENDUID 7 4] done\r\n",
    "+ idling\r\n",
    "* 6 EXISTS\r\n$10 OK done\r\n",
    "* BYE bye\r\n$11 OK done\r\n",
];
const SECURE: &[&str] = &[
    "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n",
    "* 3 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n$1 OK go on\r\n",
    "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n#1 OK done\r\n",
    "#2 OK welcome\r\n",
    "#3 OK done\r\n",
];
const SECURE_CALLS: &[Call] = &[Call::StartTls, Call::Capability, Call::Authenticate, Call::Noop];

/// What extensions bring.
const EXTENDED: &[Call] = &[
    Call::Enable,
    Call::List,
    Call::Id,
    Call::AppendTwo(3),
    Call::Content(b"abc"),
    Call::Content(b"def"),
    Call::Select,
    Call::Replace(3),
    Call::Content(b"ghi"),
    Call::Unauthenticate,
    Call::Login,
    Call::Compress,
    Call::Noop,
];
const EXTENSIONS: &[&str] = &[
    "* PREAUTH [CAPABILITY IMAP4rev1 ENABLE ID LIST-EXTENDED SPECIAL-USE MULTIAPPEND REPLACE UTF8=ACCEPT UNAUTHENTICATE] x\r\n",
    "* ENABLED UTF8=ACCEPT\r\n$1 OK done\r\n",
    "* LIST (\\Junk) \"/\" \"Entw\u{fc}rfe\"\r\n* 3 EXISTS\r\n$3 NO x\r\n$2 OK done\r\n",
    "+ go\r\n",
    "+ go\r\n",
    "$4 OK [APPENDUID 7 4:5] done\r\n",
    "* ESEARCH (TAG \"x\") UID ALL 1,3:5\r\n$5 OK [READ-WRITE] done\r\n",
    "+ go\r\n",
    "* OK [APPENDUID 7 6] x\r\n* VANISHED 3\r\n$6 OK done\r\n",
    "* 9 EXISTS\r\n$7 OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] bye\r\n",
    "$8 OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] welcome\r\n",
    "* 3 EXISTS\r\n$9 OK go\r\n",
];

fn stages(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| tagged(text)).collect()
}

fn slices(stages: &[Vec<u8>]) -> Vec<&[u8]> {
    stages.iter().map(Vec::as_slice).collect()
}

#[test]
fn the_session_comes_to_its_end() {
    let (client, commander) = client(TlsMode::Off, SESSION)();
    let mut end = End::new(client, commander);
    for stage in stages(REPLIES) {
        assert!(!end.is_closed(), "{:?}", end.notes);
        end.receive(&stage).unwrap();
    }
    end.end().unwrap();
    assert_eq!(end.host.calls, [], "{:?}", end.notes);
    assert!(format!("{:?}", end.notes.last()).contains("Logout"), "{:?}", end.notes);
}

#[test]
fn the_cut_of_the_input_changes_nothing() {
    let replies = stages(REPLIES);
    for count in 1..=replies.len() {
        laws::fragmentation(client(TlsMode::Off, SESSION), &slices(&replies[..count]), 1).unwrap();
    }
    let secure = stages(SECURE);
    laws::fragmentation(client(TlsMode::StartTls, SECURE_CALLS), &slices(&secure), 2).unwrap();
    let implicit = stages(&["", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x\r\n", "+ \r\n", "#1 OK done\r\n"]);
    let calls = &[Call::Authenticate];
    laws::fragmentation(client(TlsMode::Implicit, calls), &slices(&implicit), 3).unwrap();
    let transport = || {
        let (client, commander) = client(TlsMode::Off, SESSION)();
        (Transport::plain(client), commander)
    };
    laws::fragmentation(transport, &slices(&replies), 4).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 60 } else { 600 }))]

    #[test]
    fn the_cut_of_any_input_changes_nothing(
        responses in proptest::collection::vec(
            prop_oneof![
                6 => "(\\* [0-9]{1,2} (EXISTS|EXPUNGE|RECENT)|\\* (OK|NO|BAD) [a-z ]{0,9}|\\* SEARCH( [0-9]{1,3}){0,4} ?|\\* VANISHED (\\(EARLIER\\) )?[0-9]{1,3}(,[0-9:x]{0,5}){0,3}|\\* ESEARCH( ALL [0-9,:]{1,9}| COUNT 5| UID){0,3}|\\* THREAD (\\([0-9 ()]{0,9}\\))?|\\+ [a-z=]{0,4}|\\* [0-9] FETCH \\((UID 7|FLAGS \\(\\)|BODY\\[\\] NIL| |X)\\)|\\* FLAGS \\([a-z ]{0,6}\\)|\\* LIST \\(\\) NIL [a-z]{1,4})(\r\n|\n)".prop_map(String::into_bytes),
                2 => "\\* [0-9] FETCH \\((UID 7 |BODY\\[1\\] |X ){0,2}BODY\\[\\] ~?\\{4\\}\r\n[a-z{}\r\n]{3,5}\\)\r\n".prop_map(String::into_bytes),
                1 => "(\\*|\\$[1-9]|A1) ?(OK|NO|BYE|[A-Z]{1,3})( \\[[A-Z 1]{0,4}\\])?( [a-z{}0-9]{0,4})?\r\n".prop_map(|text| tagged(&text)),
                1 => proptest::collection::vec(
                    prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'*'), Just(b'{'), Just(b'}'), Just(b'"'), Just(0), any::<u8>()], 0..10),
            ],
            0..14,
        ),
        begun in 1usize..13,
        seed: u64,
    ) {
        let replies = stages(REPLIES);
        // So far as the script goes, then what comes; no more calls are made then, for whether a completion came
        // before its command depends on timing.
        let made = [0, 0, 1, 1, 2, 3, 3, 4, 8, 11, 11, 11, 13][begun];
        let mut stages = slices(&replies[..begun]);
        let wild = responses.concat();
        stages.push(&wild);
        laws::fragmentation(client(TlsMode::Off, &SESSION[..made]), &stages, seed).unwrap();
    }
}

#[test]
fn the_cut_of_what_extensions_bring_changes_nothing() {
    let replies = stages(EXTENSIONS);
    for count in 1..=replies.len() {
        laws::fragmentation(client(TlsMode::Off, EXTENDED), &slices(&replies[..count]), 5).unwrap();
        laws::progress(client(TlsMode::Off, EXTENDED), &slices(&replies[..count]), UNREAD).unwrap();
    }
    for seed in 0..10 {
        laws::determinism(client(TlsMode::Off, EXTENDED), &slices(&replies), seed).unwrap();
    }
    laws::silence(client(TlsMode::Off, EXTENDED), &slices(&replies)).unwrap();
    let (client, commander) = client(TlsMode::Off, EXTENDED)();
    let mut end = End::new(client, commander);
    for stage in &replies {
        end.receive(stage).unwrap();
    }
    assert_eq!(end.host.calls, [Call::Noop], "{:?}", end.notes);
    assert!(end.upgrade().unwrap());
    assert_eq!(end.host.calls, [], "{:?}", end.notes);
}

#[test]
fn nothing_crosses_the_agreement_on_compression() {
    let before = stages(EXTENSIONS);
    for injected in ["* OK x\r\n", "$10 OK x\r\n", "* 3 EXI", "\r\n"] {
        let client = client(TlsMode::Off, EXTENDED);
        laws::barrier(client, &slices(&before), &tagged(injected), &tagged("$10 OK done\r\n")).unwrap();
    }
}

#[test]
fn a_client_goes_on_or_closes() {
    let replies = stages(REPLIES);
    for count in 0..=replies.len() {
        laws::progress(client(TlsMode::Off, SESSION), &slices(&replies[..count]), UNREAD).unwrap();
    }
    let secure = stages(SECURE);
    for count in 0..=secure.len() {
        let stages = slices(&secure[..count]);
        laws::progress(client(TlsMode::StartTls, SECURE_CALLS), &stages, UNREAD).unwrap();
    }
    laws::progress(client(TlsMode::Implicit, &[]), &[b"", b""], UNREAD).unwrap();
}

#[test]
fn nothing_crosses_the_agreement() {
    let before = stages(&SECURE[..2]);
    let after = tagged(SECURE[2]);
    for injected in [
        "* OK x\r\n",
        "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
        "* 3 EXI",
        "\r\n",
        "+",
        "\u{16}\u{3}\u{1}",
        "#1 OK done\r\n",
    ] {
        let client = client(TlsMode::StartTls, SECURE_CALLS);
        laws::barrier(client, &slices(&before), &tagged(injected), &after).unwrap();
    }
}

#[test]
fn a_client_is_the_same_each_time_and_silent_at_the_end() {
    let (replies, secure) = (stages(REPLIES), stages(SECURE));
    for seed in 0..10 {
        laws::determinism(client(TlsMode::Off, SESSION), &slices(&replies), seed).unwrap();
        laws::determinism(client(TlsMode::StartTls, SECURE_CALLS), &slices(&secure), seed).unwrap();
    }
    laws::silence(client(TlsMode::Off, SESSION), &slices(&replies)).unwrap();
    laws::silence(client(TlsMode::StartTls, SECURE_CALLS), &slices(&secure)).unwrap();
    laws::silence(client(TlsMode::Implicit, &[]), &[b"", b"* OK x\r\n"]).unwrap();
}

#[test]
fn no_order_of_calls_breaks_a_client() {
    let mut words = stages(REPLIES);
    words.extend(stages(SECURE));
    words.extend(stages(EXTENSIONS));
    words.extend(
        [
            "* BYE x\r\n",
            "$1 NO x\r\n",
            "$2 BAD x\r\n",
            "+ x\r\n",
            "* 1 FETCH (BODY[] {9}\r\n",
            "\r",
            "\n",
            "\0",
        ]
        .map(tagged),
    );
    let words = slices(&words);
    let mut bounds = laws::Bounds::default();
    bounds.output = 256 * 1024;
    let mut numbers = Numbers::new(26);
    for round in 0..2000 {
        let tls = [TlsMode::Off, TlsMode::StartTls, TlsMode::Implicit][round % 3];
        let calls = [SESSION, SECURE_CALLS, EXTENDED][round / 3 % 3];
        let script = numbers.octets(500);
        laws::calls(client(tls, calls)(), &words, &script, &bounds).unwrap();
    }
}
