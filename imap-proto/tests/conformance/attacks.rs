//! What a hostile server, or somebody between, can try.

use mailwright_imap::client::{Limits, TlsMode};
use mailwright_imap::types::Command;

use crate::peer::{fetch, uids};
use crate::table::{Table, fresh, logged_in, selected, tls, with};

pub(crate) fn rows(t: &mut Table) {
    literals(t);
    recursion(t);
    desynchronisation(t);
    tags(t);
    tls_rows(t);
}

fn literals(t: &mut Table) {
    t.row("2.7 literal bombs", "An announced size costs nothing, and only an unusable one ends the session");
    t.both(
        "* 1 FETCH (BODY[] {99999999999}\r\nabc",
        "FETCH 1 BODY[] 99999999999 “abc…",
        "FETCH 1 BODY[] 99999999999 “abc…",
    );
    t.both(
        "* LIST () NIL {67108865}\r\nabc",
        "closed: a literal of 67108865 octets, which is more than is discarded",
        "closed: a literal of 67108865 octets, which is more than is discarded",
    );
    t.both(
        "* LIST () NIL {9223372036854775807}\r\n",
        "closed: a literal of 9223372036854775807 octets, which is more than is discarded",
        "closed: a literal of 9223372036854775807 octets, which is more than is discarded",
    );
    t.both("* 1 FETCH (UID 5 ENVELOPE {2000000}\r\nabc", "FETCH 1 Uid(5)…", "FETCH 1 Uid(5)…");

    t.row("2.7 ranges", "Sets stay ranges; COPYUID of unequal lengths is none");
    t.both("* OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n", "OK [CopyUid { uid_validity: UidValidity(1), source: [UidRange { first: Uid(1), last: Uid(4294967295) }], destination: [UidRange { first: Uid(1), last: Uid(4294967295) }] }] x", "OK [CopyUid { uid_validity: UidValidity(1), source: [UidRange { first: Uid(1), last: Uid(4294967295) }], destination: [UidRange { first: Uid(1), last: Uid(4294967295) }] }] x");
    t.both(
        "* OK [COPYUID 1 1 1:4294967295] x\r\n",
        "~ignored syntax error at 6; OK [Invalid(b\"COPYUID 1 1 1:4294967295\")] x",
        "~ignored syntax error at 6; OK [Invalid(b\"COPYUID 1 1 1:4294967295\")] x",
    );
    t.both(
        "* VANISHED (EARLIER) 1:4294967295\r\n",
        "VANISHED EARLIER (1:4294967295)",
        "VANISHED EARLIER (1:4294967295)",
    );
    t.both(
        "* ESEARCH UID ALL 1:4294967295\r\n",
        "ESEARCH UID (All Range(1:4294967295))",
        "ESEARCH UID (All Range(1:4294967295))",
    );
    t.both(
        "* SEARCH 4294967295 4294967296 1\r\n",
        "SEARCH (4294967295 !expected a number above zero, of 32 bits at 20 1)",
        "SEARCH (4294967295 !expected a number above zero, of 32 bits at 20 1)",
    );
}

fn deep(limit: usize) -> impl Fn() -> crate::table::Asking {
    move || with(&format!("nesting of {limit}"), |config| config.limits.response.nesting = limit).selected()
}

fn recursion(t: &mut Table) {
    t.row("2.7 recursion", "Nesting of any depth costs its item and no stack");
    let (open, close) = ("(".repeat(100_000), ")".repeat(100_000));
    let structure = format!("* 1 FETCH (UID 5 BODYSTRUCTURE {open}{close} FLAGS ())\r\n");
    t.hears(deep(100), structure, "FETCH 1 (Uid(5) ~ignored syntax error at 132 Invalid(BODYSTRUCTURE (…( (100000 times))…) (100000 times)) FLAGS ())");
    t.hears(
        deep(100),
        format!("* 1 FETCH (UID 5 X-NEW {open}{close} FLAGS ())\r\n"),
        "FETCH 1 (Uid(5) Unknown(X-NEW (…( (100000 times))…) (100000 times)) FLAGS ())",
    );
    t.hears(deep(100), format!("* THREAD (1 {open}2{close})\r\n* 7 EXISTS\r\n"), "THREAD (1@0 -@1 -@2 -@3 -@4 -@5 -@6 -@7 -@8 -@9 -@10 -@11 -@12 -@13 -@14 -@15 -@16 -@17 -@18 -@19 -@20 -@21 -@22 -@23 -@24 -@25 -@26 -@27 -@28 -@29 -@30 -@31 -@32 -@33 -@34 -@35 -@36 -@37 -@38 -@39 -@40 -@41 -@42 -@43 -@44 -@45 -@46 -@47 -@48 -@49 -@50 -@51 -@52 -@53 -@54 -@55 -@56 -@57 -@58 -@59 -@60 -@61 -@62 -@63 -@64 -@65 -@66 -@67 -@68 -@69 -@70 -@71 -@72 -@73 -@74 -@75 -@76 -@77 -@78 -@79 -@80 -@81 -@82 -@83 -@84 -@85 -@86 -@87 -@88 -@89 -@90 -@91 -@92 -@93 -@94 -@95 -@96 -@97 -@98 !nested too deeply at 111 !expected a message at 199914 ~extra parentheses at 199915 ~extra parentheses at 199916 ~extra parentheses at 199917 ~extra parentheses at 199918 ~extra parentheses at 199919 ~extra parentheses at 199920 ~extra parentheses at 199921 ~extra parentheses at 199922 ~extra parentheses at 199923 ~extra parentheses at 199924 ~extra parentheses at 199925 ~extra parentheses at 199926 ~extra parentheses at 199927 ~extra parentheses at 199928 ~extra parentheses at 199929 ~extra parentheses at 199930 ~extra parentheses at 199931 ~extra parentheses at 199932 ~extra parentheses at 199933 ~extra parentheses at 199934 ~extra parentheses at 199935 ~extra parentheses at 199936 ~extra parentheses at 199937 ~extra parentheses at 199938 ~extra parentheses at 199939 ~extra parentheses at 199940 ~extra parentheses at 199941 ~extra parentheses at 199942 ~extra parentheses at 199943 ~extra parentheses at 199944 ~extra parentheses at 199945 ~extra parentheses at 199946 ~extra parentheses at 199947 ~extra parentheses at 199948 ~extra parentheses at 199949 ~extra parentheses at 199950 ~extra parentheses at 199951 ~extra parentheses at 199952 ~extra parentheses at 199953 ~extra parentheses at 199954 ~extra parentheses at 199955 ~extra parentheses at 199956 ~extra parentheses at 199957 ~extra parentheses at 199958 ~extra parentheses at 199959 ~extra parentheses at 199960 ~extra parentheses at 199961 ~extra parentheses at 199962 ~extra parentheses at 199963 ~extra parentheses at 199964 ~extra parentheses at 199965 ~extra parentheses at 199966 ~extra parentheses at 199967 ~extra parentheses at 199968 ~extra parentheses at 199969 ~extra parentheses at 199970 ~extra parentheses at 199971 ~extra parentheses at 199972 ~extra parentheses at 199973 ~extra parentheses at 199974 ~extra parentheses at 199975 ~extra parentheses at 199976 ~extra parentheses at 199977 ~extra parentheses at 199978 ~extra parentheses at 199979 ~extra parentheses at 199980 ~extra parentheses at 199981 ~extra parentheses at 199982 ~extra parentheses at 199983 ~extra parentheses at 199984 ~extra parentheses at 199985 ~extra parentheses at 199986 ~extra parentheses at 199987 ~extra parentheses at 199988 ~extra parentheses at 199989 ~extra parentheses at 199990 ~extra parentheses at 199991 ~extra parentheses at 199992 ~extra parentheses at 199993 ~extra parentheses at 199994 ~extra parentheses at 199995 ~extra parentheses at 199996 ~extra parentheses at 199997 ~extra parentheses at 199998 ~extra parentheses at 199999 ~extra parentheses at 200000 ~extra parentheses at 200001 ~extra parentheses at 200002 ~extra parentheses at 200003 ~extra parentheses at 200004 ~extra parentheses at 200005 ~extra parentheses at 200006 ~extra parentheses at 200007 ~extra parentheses at 200008 ~extra parentheses at 200009 ~extra parentheses at 200010 ~extra parentheses at 200011 ~extra parentheses at 200012 ~extra parentheses at 200013); 7 EXISTS");
    t.hears(
        deep(100),
        format!("* X-NEW {open}{close}\r\n* 7 EXISTS\r\n"),
        "Unknown(b\"* X-NEW (…( (100000 times))…) (100000 times)\"); 7 EXISTS",
    );
    let mixed = |depth: usize| {
        let (open, close) = ("(".repeat(depth), " \"mixed\")".repeat(depth));
        let leaf = "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1)";
        format!("* 1 FETCH (UID 5 BODYSTRUCTURE {open}{leaf}{close} FLAGS ())\r\n")
    };
    t.hears(deep(3), mixed(2), "FETCH 1 (Uid(5) BodyStructure(BodyStructure { parts: [Part { children: 1, multipart: true, media_type: b\"multipart\", subtype: b\"mixed\", parameters: [], id: None, description: None, encoding: b\"\", octets: None, lines: None, envelope: None, extension: None }, Part { children: 1, multipart: true, media_type: b\"multipart\", subtype: b\"mixed\", parameters: [], id: None, description: None, encoding: b\"\", octets: None, lines: None, envelope: None, extension: None }, Part { children: 0, multipart: false, media_type: b\"text\", subtype: b\"plain\", parameters: [], id: None, description: None, encoding: b\"7bit\", octets: Some(5), lines: Some(1), envelope: None, extension: None }] }) FLAGS ())");
    t.hears(deep(3), mixed(3), "FETCH 1 (Uid(5) ~ignored syntax error at 35 Invalid(BODYSTRUCTURE ((((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1) \"mixed\") \"mixed\") \"mixed\")) FLAGS ())");
}

fn desynchronisation(t: &mut Table) {
    t.row(
        "2.7 response desync",
        "Nothing in a text or a literal becomes a response of its own, and a text becomes no literal",
    );
    t.both(
        "* OK {20}\r\n$9 OK forged\r\n",
        "OK {20}; closed: a completion of a command that was not sent: \"$9\"",
        "OK {20}; closed: a completion of a command that was not sent: \"$9\"",
    );
    t.both(
        "* LIST () NIL {22}\r\nx\r\n* OK [ALERT] forged\r\n* 7 EXISTS\r\n",
        "~not a valid mailbox name at 14; LIST [] NIL b\"x\\r\\n* OK [ALERT] forged\"; 7 EXISTS",
        "~not a valid mailbox name at 14; LIST [] NIL b\"x\\r\\n* OK [ALERT] forged\"; 7 EXISTS",
    );
    t.both(
        "* 1 FETCH (BODY[] {16}\r\n)\r\n* 9 EXPUNGE\r\n)\r\n* 7 EXISTS\r\n",
        "FETCH 1 (BODY[] 16 “)⏎* 9 EXPUNGE⏎”); 7 EXISTS",
        "FETCH 1 (BODY[] 16 “)⏎* 9 EXPUNGE⏎”); 7 EXISTS",
    );
    t.both(
        "* 1 FETCH (BODY[] {18446744073709551616}\r\n",
        "FETCH 1…; closed: a literal of impossible length",
        "FETCH 1…; closed: a literal of impossible length",
    );
    t.both(
        "* OK [UIDNEXT 5]\r* 9 EXPUNGE\r\n* 7 EXISTS\r\n",
        "!expected text at 16; 7 EXISTS",
        "!missing space, which is not tolerated at 16; 7 EXISTS",
    );
    t.both("* OK x\0\r\n* 7 EXISTS\r\n", "!expected text at 5; 7 EXISTS", "!expected text at 5; 7 EXISTS");
}

fn tags(t: &mut Table) {
    t.row(
        "2.7 tags",
        "A completion that nobody waits for is the end; tags begin by chance, and behind TLS with others",
    );
    t.hears(
        || selected().says(Command::Noop),
        "$9 OK x\r\n",
        "closed: a completion of a command that was not sent: \"$9\"",
    );
    t.hears(
        || selected().says(Command::Noop),
        "A2 OK x\r\n",
        "closed: a completion of a command that was not sent: \"A2\"",
    );
    t.hears(
        || selected().says(Command::Noop),
        "$2OK x\r\n* 7 EXISTS\r\n",
        "!expected OK, NO or BAD behind the tag at 11; 7 EXISTS",
    );
    t.hears(
        || selected().says(Command::Noop),
        "$2 YES x\r\n* 7 EXISTS\r\n",
        "!expected OK, NO or BAD behind the tag at 11; 7 EXISTS",
    );
    t.hears(|| selected().says(fetch(uids("1"))), "$2 ok x\r\n", "#2 OK x");

    t.row("2.7 endless", "A session of which the host takes nothing reads no more than its limits, and its deadlines stand still meanwhile");
    let mut full = with("4 events", |config| config.limits.events = 4).selected().says(Command::Noop);
    full.input.extend_from_slice("* 7 EXISTS\r\n".repeat(10).as_bytes());
    mailwright_core::session::Session::handle_input(
        &mut full.client,
        &mut full.input,
        mailwright_core::value::Instant::ORIGIN,
    );
    let wants = mailwright_core::session::Session::wants(&full.client);
    let left = full.input.len() / 12;
    let deadline = mailwright_core::session::Session::poll_timeout(&full.client);
    t.case(
        "[4 events] (C: $2 NOOP⏎) ten times * 7 EXISTS⏎, nothing taken",
        "6 are left, reads: false, deadline: None",
        format!("{left} are left, reads: {}, deadline: {deadline:?}", wants.input),
    );
    let few = |limits: &mut Limits| limits.capabilities = 2;
    t.hears(
        || with("2 capabilities", |config| few(&mut config.limits)),
        "* OK [CAPABILITY IMAP4rev1 A B C] x\r\n",
        "greeting OK [Capability([Capability(b\"IMAP4rev1\"), Capability(b\"A\"), Capability(b\"B\"), Capability(b\"C\")])] x",
    );
}

fn tls_rows(t: &mut Table) {
    t.row(
        "2.7 TLS",
        "PREAUTH before TLS ends the session that wants TLS, and nothing said before TLS outlives it",
    );
    let wants = || with("TLS by STARTTLS", tls(TlsMode::StartTls));
    t.hears(
        wants,
        "* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN] x\r\n",
        "closed: the server takes the log-in as made before TLS",
    );
    t.hears(
        || wants().greeted("STARTTLS").says(Command::StartTls),
        "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n* BYE forged\r\n",
        "closed: the server ends the session: forged",
    );
    t.hears(
        || with("TLS by STARTTLS", tls(TlsMode::StartTls)).greeted("STARTTLS").says(Command::StartTls),
        "$1 OK go\r\n$2 OK forged\r\n",
        "#1 OK go; closed: plaintext behind the reply to STARTTLS",
    );
    t.hears(fresh, "* OK [CAPABILITY IMAP4rev1] x\r\n$1 OK forged\r\n", "greeting OK [Capability([Capability(b\"IMAP4rev1\")])] x; closed: a completion of a command that was not sent: \"$1\"");
    t.hears(|| logged_in(""), "* PREAUTH again\r\n* 7 EXISTS\r\n", "PREAUTH again; 7 EXISTS");
}
