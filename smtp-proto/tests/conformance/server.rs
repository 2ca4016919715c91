//! The numbered rules of the server: S-1 to S-18.

use mailwright_core::wire::BareLineEnd;
use mailwright_sasl::{MechanismName, Offers};
use mailwright_smtp::server::{Config, Early, Event, Protocol, TlsMode, Unusual};
use mailwright_smtp::types::Reply;

use crate::support::codes;
use crate::table::{Served, Table, fresh, lmtp, with};

const BOB: &[&str] = &["bob@example.org"];

fn ready() -> Served {
    fresh().ready()
}

fn open() -> Served {
    fresh().open(BOB)
}

fn starttls(set: impl FnOnce(&mut Config)) -> Served {
    with("STARTTLS", |config| {
        config.tls = TlsMode::StartTls;
        set(config);
    })
    .ready()
}

fn auth() -> Served {
    with("AUTH", |config| {
        config.offers = Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]);
        config.allow_plaintext_authentication = true;
    })
    .ready()
}

pub(crate) fn rows(table: &mut Table) {
    tls(table);
    authentication(table);
    lines(table);
    chunks(table);
    pipelining(table);
    values(table);
    limits(table);
    rest(table);
}

fn tls(table: &mut Table) {
    table.row("S-1", "Octets behind STARTTLS are the handshake's, or refused; they are never commands");
    let given = || starttls(|_| {});
    table.server(&given, "STARTTLS\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nQUIT\r\n", "220 2.0.0");
    table.told(given(), "STARTTLS\r\nMAIL FROM:<a@b>\r\n", "");
    let refusing = starttls(|config| config.early.start_tls = Early::Refuse);
    table.at_once(refusing, "STARTTLS\r\nMAIL FROM:<a@b>\r\n", "554 5.5.1 closed Early");
    let mut later = given();
    later.host.server.set_tls_unavailable(true);
    table.at_once(later, "STARTTLS\r\nNOOP\r\n", "454 4.7.0, 250 2.0.0");

    table.row(
        "S-2",
        "STARTTLS has no argument; behind the handshake everything is forgotten, and EHLO comes first",
    );
    table.server(&given, "STARTTLS now\r\n", "501 5.5.4");
    let secured = || starttls(|_| {}).after("STARTTLS\r\n").in_tls();
    table.server(
        &secured,
        "MAIL FROM:<a@b>\r\nEHLO c.example\r\nMAIL FROM:<a@b>\r\n",
        "503 5.5.1, 250, 250 2.1.0",
    );
    let mut served = starttls(|_| {}).after("STARTTLS\r\n");
    table.case("[STARTTLS] the handshake ends", "", served.host.secure());
    table.case(
        "the client's name then",
        "None",
        format!("{:?}", served.host.server.client_name().map(|name| name.as_str())),
    );
}

fn authentication(table: &mut Table) {
    table.row(
        "S-3",
        "AUTH: strict base64, cancelling, unknown mechanisms, malformed messages; no secret shows",
    );
    for (lines, expected) in [
        ("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm\r\n", "235 2.7.0"),
        ("AUTH PLAIN\r\nAGFsaWNlAHRhbnN0YWFm\r\n", "334, 235 2.7.0"),
        ("AUTH LOGIN\r\nYWxpY2U=\r\ndGFuc3RhYWY=\r\n", "334, 334, 235 2.7.0"),
        ("AUTH PLAIN AGFsaWNlAHdyb25n\r\n", "535 5.7.8"),
        ("AUTH PLAIN AGxhdGVyAHdyb25n\r\n", "454 4.7.0"),
        ("AUTH FOO\r\n", "504 5.5.4"),
        ("AUTH CRAM-MD5\r\n", "504 5.5.4"),
        ("AUTH\r\n", "501 5.5.4"),
        ("AUTH PLAIN\r\n*\r\n", "334, 501 5.7.0"),
        ("AUTH PLAIN =\r\n", "501 5.5.2"),
        ("AUTH LOGIN YWxpY2U=\r\n", "501 5.7.0"),
        ("AUTH PLAIN AGFsaWNlAHRhbnN0YWF\r\n", "501 5.5.2"),
        ("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm=\r\n", "501 5.5.2"),
        ("AUTH PLAIN AGFsaWNl-HRhbnN0YWFm\r\n", "501 5.5.2"),
        ("AUTH PLAIN AGFsaWNlAHRhbnN0YWFt AAAA\r\n", "501 5.5.4"),
        ("AUTH LOGIN\r\nYWxpY2V=\r\n", "334, 501 5.5.2"),
        ("AUTH PLAIN AGFsaWNl\r\n", "501 5.5.2"),
        ("AUTH PLAIN AGEAYgBj\r\n", "501 5.5.2"),
        ("AUTH PLAIN AABi\r\n", "501 5.5.2"),
        ("AUTH PLAIN AGEA\r\n", "501 5.5.2"),
        ("AUTH PLAIN AP8AYg==\r\n", "501 5.5.2"),
        ("AUTH PLAIN AGEKAGI=\r\n", "501 5.5.2"),
    ] {
        table.server(&auth, lines, expected);
    }
    table.server(&auth, format!("AUTH PLAIN {}\r\n", "A".repeat(12_288)), "500 5.5.6");
    table.server(
        &auth,
        format!("AUTH PLAIN\r\n{}\r\nNOOP\r\n", "A".repeat(12_288)),
        "334, 500 5.5.6, 250 2.0.0",
    );
    let plain =
        || with("AUTH in TLS only", |config| config.offers = Offers::new([MechanismName::PLAIN])).ready();
    table.server(&plain, "AUTH PLAIN AGFsaWNlAHRhbnN0YWFm\r\n", "504 5.5.4");
    let mut shown = auth();
    shown.host.send("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm\r\nAUTH PLAIN dGFuc3RhYWY\r\n");
    let secret =
        ["tanstaaf", "dGFuc3RhYWY", "RhbnN0YWFm"].iter().any(|secret| shown.host.shown.contains(secret));
    table.case("the password in Debug of events and session", "false", secret.to_string());
}

fn lines(table: &mut Table) {
    table.row("S-4", "Two commands joined by a bare CR or LF are one error; an address with one is an error, never cleaned");
    for line in [
        "RCPT TO:<a@b>\nRCPT TO:<c@d>",
        "RCPT TO:<a@b>\rDATA",
        "RCPT TO:<a\r@b>",
        "RCPT TO:<a\n@b>",
        "RCPT TO:<\"a\n\"@b>",
    ] {
        table.server(&open, format!("{line}\r\nNOOP\r\n"), "500 5.5.2, 250 2.0.0");
    }
    table.told(open(), "NOOP\rRSET\r\n", "rejected 500 5.5.2 Command not recognized Some(CommandError { verb: None, kind: Control, offset: 4, excerpt: \"\\r\" })");

    table.row("S-5", "Bad octets execute nothing");
    for line in [&b"MAIL FROM:<a\0@b>"[..], b"\0", b"RCPT TO:<a@b>\x7f"] {
        table.server(&open, [line, b"\r\n"].concat(), "500 5.5.2");
    }
    table.server(&open, b"RCPT TO:<\xff@b>\r\n", "501 5.1.3");

    table.row("S-6", "Overlong lines: one reply, then in sync; too many of them: 421. Long text lines pass, or are refused at the end");
    let long = |octets: usize| format!("NOOP {}\r\n", "x".repeat(octets - 7));
    table.server(&ready, long(2048), "250 2.0.0");
    table.server(&ready, long(2049) + "NOOP\r\n", "500 5.5.2, 250 2.0.0");
    table.at_once(ready(), "x".repeat(10 << 20) + "\r\nNOOP\r\n", "500 5.5.2, 250 2.0.0");
    table.server(
        &ready,
        long(2049).repeat(4),
        "500 5.5.2, 500 5.5.2, 500 5.5.2, 421 4.7.0 closed TooManyOverlongLines",
    );
    let text = |octets: usize| format!("{}\r\n.\r\n", "x".repeat(octets - 2));
    table.content(&|| open().data(), text(60), "“x…x (58 times)⏎”; 250 2.0.0");
    table.at_once(open().data(), text(1001), "250 2.0.0");
    let strict =
        || with("no long lines", |config| config.content.long_lines = Unusual::Reject).open(BOB).data();
    table.at_once(strict(), text(1000), "250 2.0.0");
    table.at_once(strict(), text(1001), "554 5.6.0");

    let header = |octets: usize| format!("{}\r\n\r\nbody\r\n.\r\n", "x".repeat(octets - 2));
    let short = |unusual| {
        move || {
            with("header of 10 octets", move |config| {
                (config.limits.header_section, config.content.long_header) = (10, unusual);
            })
            .open(BOB)
            .data()
        }
    };
    for (octets, expected) in [(10, ""), (11, "deviation long header section")] {
        let mut served = short(Unusual::Accept)();
        served.host.send(header(octets));
        let told = served.host.events.iter().find(|event| event.contains("header")).cloned();
        let input = format!(
            "host: [header of 10 octets] (354) {octets} octets with their line end, an empty line, a body"
        );
        table.case(input, expected, told.unwrap_or_default());
    }
    table.server(&short(Unusual::Reject), header(10), "250 2.0.0");
    table.server(&short(Unusual::Reject), header(11), "554 5.6.0");
    table.server(&short(Unusual::Reject), "a: b\r\n\r\nThe body may be longer.\r\n.\r\n", "250 2.0.0");

    table.row("S-7", "Deadlines count the whole command; content has a minimum rate; then 421 4.4.2");
    table.case("(ready) and 299 s", "", ready().waits(299));
    table.case("(ready) and 301 s", "421 4.4.2 closed TimedOut", ready().waits(301));
    let mut slow = ready();
    for _ in 0..29 {
        slow.host.send("N");
        slow.host.wait(10);
    }
    slow.host.send("O");
    table.case("(ready) 30 octets in 290 s, and 10 s more", "421 4.4.2 closed TimedOut", slow.waits(10));
    table.case("(354) and 61 s", "421 4.4.2 closed TooSlow", open().data().waits(61));
    let mut rate = open().data();
    rate.host.send(vec![b'x'; 30_000]);
    table.case("(354) 30000 octets and 61 s", "", rate.waits(61));
    let mut chunk = open();
    chunk.host.send("BDAT 100\r\nx");
    table.case("(MAIL, RCPT) BDAT 100⏎x and 61 s", "421 4.4.2 closed TooSlow", chunk.waits(61));
    let mut between = open();
    between.host.send("BDAT 1\r\nx");
    table.case("(MAIL, RCPT) BDAT 1⏎x and 61 s", "421 4.4.2 closed TooSlow", between.waits(61));
}

fn chunks(table: &mut Table) {
    table.row(
        "S-8",
        "BDAT stays in sync whatever is refused; an unreadable size closes; totals never overflow",
    );
    for (octets, expected) in [
        ("BDAT 3\r\nabcBDAT 0\r\nBDAT 2 last\r\n\r\n", "250 2.0.0, 250 2.0.0, 250 2.0.0"),
        ("BDAT 0 LAST\r\n", "250 2.0.0"),
        ("BDAT 00000000000000000003 LAST\r\n.\r\n", "250 2.0.0"),
        ("BDAT 7 LAST\r\n\r\n.\r\nQ\nNOOP\r\n", "554 5.6.0, 250 2.0.0"),
        ("BDAT 5\r\n12345DATA\r\n", "250 2.0.0, 503 5.5.1"),
        (
            "BDAT 3 LAST\r\nabcBDAT 4\r\nRSETBDAT 2 LAST\r\nxxMAIL FROM:<>\r\n",
            "250 2.0.0, 503 5.5.1, 503 5.5.1, 250 2.1.0",
        ),
        ("BDAT\r\n", "501 5.5.4 closed ChunkSize"),
        ("BDAT -1\r\n", "501 5.5.4 closed ChunkSize"),
        ("BDAT +1\r\n", "501 5.5.4 closed ChunkSize"),
        ("BDAT 1x\r\n", "501 5.5.4 closed ChunkSize"),
        ("BDAT 1LAST\r\n", "501 5.5.4 closed ChunkSize"),
        ("BDAT 1  LAST\r\n", "501 5.5.4 closed ChunkSize"),
        ("BDAT 1 LAST x\r\n", "501 5.5.4 closed ChunkSize"),
        ("BDAT 1 FIRST\r\n", "501 5.5.4 closed ChunkSize"),
        ("BDAT 9223372036854775808\r\n", "501 5.5.4 closed ChunkSize"),
        ("BDAT 000000000000000000001\r\n", "501 5.5.4 closed ChunkSize"),
        ("BDAT 9223372036854775807\r\nQUIT\r\n", ""),
    ] {
        table.server(&open, octets, expected);
    }
    let small = || with("10 octets", |config| config.limits.message = 10).open(BOB);
    table.server(&small, "BDAT 4\r\n1234BDAT 6 LAST\r\n5678\r\n", "250 2.0.0, 250 2.0.0");
    table.server(
        &small,
        "BDAT 4\r\n1234BDAT 7\r\n1234567BDAT 1\r\nxBDAT 1 LAST\r\nyMAIL FROM:<>\r\n",
        "250 2.0.0, 552 5.3.4, 503 5.5.1, 503 5.5.1, 250 2.1.0",
    );
    table.server(
        &small,
        "BDAT 11\r\n12345678901BDAT 1\r\nxRSET\r\nMAIL FROM:<>\r\n",
        "552 5.3.4, 503 5.5.1, 250 2.0.0, 250 2.1.0",
    );
    table.server(&small, "BDAT 4\r\n1234BDAT 9223372036854775807\r\nx", "250 2.0.0");
    table.content(&open, "BDAT 2\r\na\rBDAT 3 LAST\r\n\n..", "“a⏎..”; 250 2.0.0, 250 2.0.0");
    table.content(&open, "BDAT 2\r\na\rBDAT 3 LAST\r\nb\r\n", "aborted BareLineEnd; 250 2.0.0, 554 5.6.0");
    let normalise =
        || with("normalise", |config| config.content.bare_line_ends = BareLineEnd::Normalise).open(BOB);
    table.content(&normalise, "BDAT 2\r\na\rBDAT 2 LAST\r\nb\n", "“a⏎b⏎”; 250 2.0.0, 250 2.0.0");
    let binary = || {
        with("BINARYMIME", |config| config.binary_mime = true)
            .ready()
            .after("MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<bob@b>\r\n")
    };
    table.server(&binary, "DATA\r\n", "503 5.5.1");
    table.content(&binary, "BDAT 4 LAST\r\n\0\n\r.", "“\\0\\n\\r.”; 250 2.0.0");

    table.row(
        "S-9",
        "SIZE above the limit or 64 bits: 552; content above the limit is read to its end, then 552",
    );
    for (value, expected) in [
        ("36700160", "250 2.1.0"),
        ("36700161", "552 5.3.4"),
        ("18446744073709551615", "552 5.3.4"),
        ("18446744073709551616", "552 5.3.4"),
        ("", "501 5.5.4"),
        ("-1", "501 5.5.4"),
        ("1 SIZE=1", "501 5.5.4"),
    ] {
        table.server(&ready, format!("MAIL FROM:<a@b> SIZE={value}\r\n"), expected);
    }
    let data = || with("10 octets", |config| config.limits.message = 10).open(BOB).data();
    table.content(&data, "12345678\r\n.\r\n", "“12345678⏎”; 250 2.0.0");
    table.content(&data, "123456789\r\n..\r\n.\r\nNOOP\r\n", "aborted TooLarge; 552 5.3.4, 250 2.0.0");
    let sized = || {
        with("10 octets", |config| config.limits.message = 10)
            .ready()
            .after("MAIL FROM:<> SIZE=1\r\nRCPT TO:<bob@b>\r\nDATA\r\n")
    };
    table.content(&sized, "1234\r\n.\r\n", "“1234⏎”; 250 2.0.0");
}

fn pipelining(table: &mut Table) {
    table.row("S-10", "Replies leave in the order of commands; what comes too early is reported, and never executed out of turn");
    let group: String =
        "MAIL FROM:<a@b>\r\n".to_string() + &"RCPT TO:<bob@b>\r\nRCPT TO:<no@b>\r\n".repeat(2) + "DATA\r\n";
    table.server(&ready, group, "250 2.1.0, 250 2.1.5, 550 5.1.1, 250 2.1.5, 550 5.1.1, 354");
    table.case(
        "(MAIL) 1000 RCPT, answered from the last to the first",
        "1000 replies, in order",
        backwards(),
    );
    table.server(&ready, "QUIT\r\nNOOP\r\nRSET\r\n", "221 2.0.0 closed Quit");
    table.at_once(ready(), "EHLO a\r\nNOOP\r\nRSET\r\n", "250, 250 2.0.0, 250 2.0.0");
    table.told(ready(), "NOOP\r\nRSET\r\n", "deviation command behind the last of its group");
    table.told(open(), "DATA\r\nSubject: x\r\n", "deviation octets that came too early; data 1; content");
    let strict = with("no early content", |config| config.early.content = Early::Refuse).open(BOB);
    table.at_once(strict, "DATA\r\nSubject: x\r\n.\r\n", "354, 554 5.5.1");
    table.at_once(fresh().open(&["no@b"]), "DATA\r\nRSET\r\n.\r\n", "554 5.5.1 closed Early");
    let counting =
        with("count refused DATA", |config| config.early.refused_data = Early::Report).open(&["no@b"]);
    table.at_once(counting, "DATA\r\nRSET\r\n.\r\n", "554 5.5.1, 250 2.0.0, 500 5.5.2");
    let alone = || with("no PIPELINING", |config| config.pipelining = false).ready();
    table.told(
        alone(),
        "MAIL FROM:<>\r\nRSET\r\n",
        "deviation command behind the last of its group; sender <> size None; reset",
    );
    table.told(ready(), "MAIL FROM:<>\r\nRSET\r\n", "sender <> size None; reset");

    table.row("S-11", "Addresses are those of rows A1 to A14");
    table.server(
        &open,
        "RCPT TO:<a..b@c>\r\nRCPT TO:<a b@c>\r\nRCPT TO:<a@c>\r\n",
        "553 5.1.3, 501 5.1.3, 250 2.1.5",
    );
}

/// A thousand recipients, whose answers come from the last to the first.
fn backwards() -> String {
    let mut served = fresh().open(&[]).undecided();
    let recipients: String = (0..1000).map(|index| format!("RCPT TO:<r{index}@b>\r\n")).collect();
    let mut said = served.host.send(recipients);
    let mut open = core::mem::take(&mut served.host.open);
    while let Some(Event::Recipient(it)) = open.pop() {
        let text = format!("for {}", it.path);
        served.host.server.answer(it.token, Reply::RECIPIENT_OK.with_text(text).unwrap()).unwrap();
        // Answers make room, and more commands may be read.
        served.host.run();
        open.append(&mut served.host.open);
        said += &served.host.take_output();
    }
    let expected: String = (0..1000).map(|index| format!("250 2.1.5 for <r{index}@b>\r\n")).collect();
    let order = if said == expected { "in order" } else { "out of order" };
    format!("{} replies, {order}", said.matches("\r\n").count())
}

fn values(table: &mut Table) {
    table.row("S-12", "DSN, xtext and their like; REQUIRETLS needs TLS, an address beyond ASCII SMTPUTF8");
    let dsn = || with("DSN, SMTPUTF8", |config| (config.dsn, config.smtp_utf8) = (true, true)).ready();
    for (parameter, expected) in [
        ("RET=FULL ENVID=a+2Bb", "250 2.1.0"),
        ("RET=BODY", "501 5.5.4"),
        ("ENVID=a+2bb", "501 5.5.4"),
        ("ENVID=a+2", "501 5.5.4"),
        ("ENVID=a+0Ab", "501 5.5.4"),
        ("ENVID=a+00", "501 5.5.4"),
        ("ENVID=", "501 5.5.4"),
        ("RET=FULL RET=FULL", "501 5.5.4"),
        ("NOTIFY=NEVER", "555 5.5.4"),
    ] {
        table.server(&dsn, format!("MAIL FROM:<a@b> {parameter}\r\n"), expected);
    }
    let tracking = || with("MTRK", |config| config.promises.message_tracking = true).ready();
    for (parameter, expected) in [
        ("ENVID=a@b MTRK=qUqP5cyxm6YcTAhz05Hph5gvu9M", "250 2.1.0"),
        ("MTRK=qUqP5cyxm6YcTAhz05Hph5gvu9M=:86400 ENVID=a@b", "250 2.1.0"),
        ("MTRK=AAAA", "501 5.5.4"),
        ("ENVID=a@b MTRK", "501 5.5.4"),
        ("ENVID=a@b MTRK=", "501 5.5.4"),
        ("ENVID=a@b MTRK=A", "501 5.5.4"),
        ("ENVID=a@b MTRK=A-A_", "501 5.5.4"),
        ("ENVID=a@b MTRK=AAAA:", "501 5.5.4"),
        ("ENVID=a@b MTRK=AAAA:-1", "501 5.5.4"),
        ("ENVID=a@b MTRK=AAAA MTRK=AAAA", "501 5.5.4"),
        ("ENVID=a@b RET=FULL", "555 5.5.4"),
    ] {
        table.server(&tracking, format!("MAIL FROM:<a@b> {parameter}\r\n"), expected);
    }
    table.server(&dsn, "MAIL FROM:<a@b> ENVID=a@b MTRK=AAAA\r\n", "555 5.5.4");
    let id = |octets: usize| format!("MAIL FROM:<a@b> ENVID={}\r\n", "x".repeat(octets));
    table.server(&dsn, id(100), "250 2.1.0");
    table.server(&dsn, id(101), "501 5.5.4");
    let mail = || dsn().after("MAIL FROM:<a@b>\r\n");
    for (parameter, expected) in [
        ("NOTIFY=SUCCESS,FAILURE,DELAY", "250 2.1.5"),
        ("NOTIFY=NEVER", "250 2.1.5"),
        ("NOTIFY=NEVER,DELAY", "501 5.5.4"),
        ("NOTIFY=DELAY,NEVER", "501 5.5.4"),
        ("NOTIFY=", "501 5.5.4"),
        ("NOTIFY=X", "501 5.5.4"),
        ("ORCPT=rfc822;a+40b", "250 2.1.5"),
        ("ORCPT=rfc822;a+4", "501 5.5.4"),
        ("ORCPT=a@b", "501 5.5.4"),
        ("ORCPT=rfc822;a+0D", "501 5.5.4"),
        ("ORCPT=utf-8;a\\x{FC}b", "250 2.1.5"),
        ("ORCPT=utf-8;a\\x{fc}b", "501 5.5.4"),
        ("ORCPT=utf-8;a+2Bb", "501 5.5.4"),
        ("ORCPT=utf-8;a\\x{2B}b", "250 2.1.5"),
        ("ORCPT=utf-8;a\\x{A}b", "501 5.5.4"),
        ("ORCPT=utf-8;a\\x{0A}b", "501 5.5.4"),
        ("ORCPT=utf-8;a\\x{110000}", "501 5.5.4"),
        ("ORCPT=utf-8;\u{fc}@b", "501 5.5.4"),
    ] {
        table.server(&mail, format!("RCPT TO:<a@b> {parameter}\r\n"), expected);
    }
    let original = |octets: usize| format!("RCPT TO:<a@b> ORCPT=rfc822;{}\r\n", "x".repeat(octets - 7));
    table.server(&mail, original(500), "250 2.1.5");
    table.server(&mail, original(501), "501 5.5.4");
    table.server(
        &|| dsn().after("MAIL FROM:<a@b> SMTPUTF8\r\n"),
        "RCPT TO:<a@b> ORCPT=utf-8;\u{fc}@b\r\n",
        "250 2.1.5",
    );
    table.server(
        &dsn,
        "MAIL FROM:<\u{fc}@b>\r\nMAIL FROM:<a@b>\r\nRCPT TO:<\u{fc}@b>\r\n",
        "550 5.6.7, 250 2.1.0, 553 5.6.7",
    );
    let requiretls = || with("REQUIRETLS", |config| config.requiretls = true).ready();
    table.server(
        &requiretls,
        "MAIL FROM:<a@b> REQUIRETLS\r\nMAIL FROM:<a@b> REQUIRETLS=1\r\n",
        "530 5.7.10, 501 5.5.4",
    );
    table.server(&ready, "MAIL FROM:<a@b> REQUIRETLS\r\n", "555 5.5.4");
}

fn limits(table: &mut Table) {
    table.row("S-13", "Limits: recipients and their domains 452, transactions, errors and idle commands 421; no SMTP at all: 554");
    let hundred = || with("100 recipients", |config| config.limits.recipients = 1).open(&[]);
    let rcpt = "RCPT TO:<bob@b>\r\n";
    let mut many = hundred().after(&rcpt.repeat(100));
    table.case(
        "(MAIL, 100 RCPT) RCPT TO:<bob@b>⏎DATA⏎",
        "452 4.5.3, 354",
        codes(&many.host.send(format!("{rcpt}DATA\r\n"))),
    );
    let domains =
        || with("1 domain", |config| config.limits.recipient_domains = 1).open(&["bob@one.example"]);
    table.server(
        &domains,
        "RCPT TO:<bob@two.example>\r\nRCPT TO:<carol@ONE.example>\r\n",
        "452 4.5.3, 250 2.1.5",
    );
    table.server(
        &domains,
        "RSET\r\nMAIL FROM:<>\r\nRCPT TO:<bob@two.example>\r\n",
        "250 2.0.0, 250 2.1.0, 452 4.5.3",
    );
    let twice = || with("2 transactions", |config| config.limits.transactions = 2).ready();
    table.server(
        &twice,
        "MAIL FROM:<>\r\nRSET\r\n".repeat(2) + "MAIL FROM:<>\r\n",
        "250 2.1.0, 250 2.0.0, 250 2.1.0, 250 2.0.0, 421 4.7.0 closed TooManyTransactions",
    );
    let errors = || with("2 errors", |config| config.limits.hard_errors = 2).ready();
    table.server(&errors, "XYZZY\r\nXYZZY\r\nNOOP\r\n", "500 5.5.2, 421 4.7.0 closed TooManyErrors");
    let mut delayed = with("1 error at once", |config| config.limits.soft_errors = 1).ready();
    table.case(
        "[1 error at once] XYZZY⏎XYZZY⏎",
        "500 5.5.2",
        codes(&delayed.host.send("XYZZY\r\nXYZZY\r\n")),
    );
    table.case("and 1 s", "500 5.5.2", delayed.waits(1));
    let idle = || with("2 idle commands", |config| config.limits.idle_commands = 2);
    table.server(
        &idle,
        "NOOP\r\nRSET\r\nVRFY a\r\n",
        "250 2.0.0, 250 2.0.0, 421 4.7.0 closed TooManyIdleCommands",
    );
    for line in [
        "GET / HTTP/1.1",
        "GET",
        "POST / HTTP/1.1",
        "CONNECT a:25 HTTP/1.1",
        "put / HTTP/1.1",
        "PROPFIND /",
        "M-SEARCH * HTTP/1.1",
        "\x16\x03\x01",
        "{}",
    ] {
        table.server(&fresh, format!("{line}\r\nMAIL FROM:<>\r\n"), "554 5.5.1 closed NotSmtp");
    }
    table.server(&fresh, format!("GET /{}\r\n", "x".repeat(5000)), "554 5.5.1 closed NotSmtp");
    table.server(&fresh, "GETS\r\nHELP HTTP/1.1\r\n", "500 5.5.2, 214 2.0.0");
    table.server(&ready, "GET / HTTP/1.1\r\n", "500 5.5.2");
}

fn rest(table: &mut Table) {
    table.row("S-14", "MAIL in a transaction changes nothing; EHLO and RSET clear it, chunks too; QUIT in content is content");
    table.server(&open, "MAIL FROM:<x@y>\r\nDATA\r\n", "503 5.5.1, 354");
    table.server(&open, "EHLO a\r\nDATA\r\n", "250, 503 5.5.1");
    table.server(&open, "BDAT 3\r\nabcRSET\r\nBDAT 3 LAST\r\ndef", "250 2.0.0, 250 2.0.0, 503 5.5.1");
    table.told(open().after("BDAT 3\r\nabc"), "RSET\r\n", "aborted Reset; reset");
    table.content(&|| open().data(), "QUIT\r\n.\r\nNOOP\r\n", "“QUIT⏎”; 250 2.0.0, 250 2.0.0");

    table
        .row("S-15", "8-bit octets that were not announced pass and are reported, or are refused at the end");
    let data = || open().data();
    table.content(&data, "gr\u{fc}n\r\n.\r\n", "“grün⏎”; 250 2.0.0");
    let strict = || with("announced only", |config| config.content.undeclared_eight_bit = Unusual::Reject);
    table.content(&|| strict().open(BOB).data(), "gr\u{fc}n\r\n.\r\n", "aborted EightBit; 554 5.6.1");
    let announced = || strict().ready().after("MAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<bob@b>\r\nDATA\r\n");
    table.content(&announced, "gr\u{fc}n\r\n.\r\n", "“grün⏎”; 250 2.0.0");

    table.row("S-16", "XCLIENT, XFORWARD and PROXY are taken from nobody");
    table.server(&ready, "XCLIENT NAME=a\r\nXFORWARD NAME=a\r\n", "502 5.5.1, 502 5.5.1");
    table.server(&fresh, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nEHLO a\r\n", "500 5.5.2, 250");
    table.server(&fresh, b"\r\n\r\n\0\r\nQUIT\n", "554 5.5.1 closed NotSmtp");

    table.row("S-17", "VRFY and EXPN tell nobody who exists");
    table.server(
        &ready,
        "VRFY bob@example.org\r\nVRFY nobody@example.org\r\nEXPN staff\r\n",
        "252 2.0.0, 252 2.0.0, 502 5.5.1",
    );

    table.row("S-18", "LMTP: behind the end a reply for each accepted recipient, in order, duplicates too, whatever is said");
    let three = || lmtp().open(&["bob@b", "no@b", "carol@b", "bob@b"]);
    table.content(&|| three().data(), "x\r\n.\r\n", "“x⏎”; 250 2.0.0, 250 2.0.0, 250 2.0.0");
    table.content(
        &|| three().data(),
        "x\n.\r\n.\r\n",
        "aborted BareLineEnd; 554 5.6.0, 554 5.6.0, 554 5.6.0",
    );
    table.server(&three, "BDAT 1\r\nxBDAT 2 LAST\r\n\r\n", "250 2.0.0, 250 2.0.0, 250 2.0.0, 250 2.0.0");
    table.server(&|| lmtp().open(&["no@b"]), "BDAT 1 LAST\r\nxDATA\r\n", "503 5.5.1");
    let small = || {
        with("LMTP, 3 octets", |config| {
            config.protocol = Protocol::Lmtp;
            config.limits.message = 3;
        })
        .open(&["bob@b", "carol@b"])
    };
    table.server(&small, "BDAT 4\r\nabcdBDAT 1 LAST\r\nx", "552 5.3.4, 503 5.5.1, 503 5.5.1");
    let each = || {
        let mut served = lmtp().open(&["bob@b", "carol@b"]);
        served.host.verdict = Reply::MAILBOX_FULL;
        served.data()
    };
    table.content(&each, ".\r\n", "“”; 552 5.2.2, 552 5.2.2");
}
