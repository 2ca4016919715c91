//! Content: the end-of-data matrix E1 to E9, and what a client writes, B1 to B6.

use bytes::BytesMut;
use mailwright_core::wire::BareLineEnd;
use mailwright_smtp::client::{Config, Query, UserName};
use mailwright_smtp::content::{BarePolicy, DataEncoder};
use mailwright_smtp::parse::CommandOptions;
use mailwright_smtp::server;
use mailwright_smtp::types::{Command, EnvelopeId, OriginalRecipient, Reply};
use mailwright_smtp::value::{ForwardPath, LocalPart, ReversePath};

use crate::table::{Served, Table, fresh, shown, with};

const BOB: &[&str] = &["bob@example.org"];

fn reject() -> Served {
    fresh().open(BOB).data()
}

fn normalise() -> Served {
    with("normalise", |config| config.content.bare_line_ends = BareLineEnd::Normalise).open(BOB).data()
}

fn pass() -> Served {
    with("pass", |config| config.content.bare_line_ends = BareLineEnd::Pass).open(BOB).data()
}

/// What follows the doubtful octets.
const M: &str = "MAIL\r\n.\r\nNOOP\r\n";

pub(crate) fn decoding(table: &mut Table) {
    table.row("E1", "`.` CR LF at once: the end, no content");
    table.content(&reject, ".\r\n", "“”; 250 2.0.0");
    table.row("E2", "A leading dot goes on the first line too");
    table.content(&reject, "..x\r\n.\r\n", "“.x⏎”; 250 2.0.0");
    table.row("E3", "Any single leading dot goes, on every line");
    table.content(&reject, "a\r\n.x\r\n.\r\n", "“a⏎x⏎”; 250 2.0.0");
    table.content(&reject, "..\r\n...\r\n.a.\r\n.\r\n", "“.⏎..⏎a.⏎”; 250 2.0.0");
    table.row("E4", "LF `.` CR LF is no end");
    table.content(&reject, format!("a\n.\r\n{M}"), "aborted BareLineEnd; 554 5.6.0, 250 2.0.0");
    table.content(&normalise, format!("a\n.\r\n{M}"), "“a⏎.⏎MAIL⏎”; 250 2.0.0, 250 2.0.0");
    table.content(&pass, format!("a\n.\r\n{M}"), "“a\\n.⏎MAIL⏎”; 250 2.0.0, 250 2.0.0");
    table.row("E5", "CR LF `.` LF is no end");
    table.content(&reject, format!("a\r\n.\n{M}"), "aborted BareLineEnd; 554 5.6.0, 250 2.0.0");
    table.content(&normalise, format!("a\r\n.\n{M}"), "“a⏎⏎MAIL⏎”; 250 2.0.0, 250 2.0.0");
    table.content(&pass, format!("a\r\n.\n{M}"), "“a⏎\\nMAIL⏎”; 250 2.0.0, 250 2.0.0");
    table.row("E6", "CR `.` CR LF is no end");
    table.content(&reject, format!("a\r.\r\n{M}"), "aborted BareLineEnd; 554 5.6.0, 250 2.0.0");
    table.content(&normalise, format!("a\r.\r\n{M}"), "“a⏎.⏎MAIL⏎”; 250 2.0.0, 250 2.0.0");
    table.content(&pass, format!("a\r.\r\n{M}"), "“a\\r.⏎MAIL⏎”; 250 2.0.0, 250 2.0.0");
    table.row("E7", "CR LF `.` CR CR LF is no end: the dot goes, the first CR is bare");
    table.content(&reject, format!("a\r\n.\r\r\n{M}"), "aborted BareLineEnd; 554 5.6.0, 250 2.0.0");
    table.content(&normalise, format!("a\r\n.\r\r\n{M}"), "“a⏎⏎⏎MAIL⏎”; 250 2.0.0, 250 2.0.0");
    table.content(&pass, format!("a\r\n.\r\r\n{M}"), "“a⏎\\r⏎MAIL⏎”; 250 2.0.0, 250 2.0.0");
    table.row("E8", "Behind the first end another dot is a command, an unknown one");
    table.content(&reject, "a\r\n.\r\n.\r\nNOOP\r\n", "“a⏎”; 250 2.0.0, 500 5.5.2, 250 2.0.0");
    table.row("E9", "No other arrangement ends content, or leaves an octet over");
    for (octets, content) in [
        ("\n.\r\n.\r\n", "\\n.⏎"),
        ("\r.\r\n.\r\n", "\\r.⏎"),
        (".\n.\r\n\r\n.\r\n", "\\n.⏎⏎"),
        (".\r.\r\n\r\n.\r\n", "\\r.⏎⏎"),
        (".\r\r\n.\r\n", "\\r⏎"),
        ("\r\n\r.\r\n.\r\n", "⏎\\r.⏎"),
        ("\r\r\n.\r\n", "\\r⏎"),
        ("a\0\r\n.\0\r\n.\r\n", "a\\0⏎\\0⏎"),
        ("\r\n.\r\n", "⏎"),
        ("\n\r\n.\r\n", "\\n⏎"),
        (".\r\0\n.\r\n\r\n.\r\n", "\\r\\0\\n.⏎⏎"),
    ] {
        table.content(&pass, format!("{octets}NOOP\r\n"), &format!("“{content}”; 250 2.0.0, 250 2.0.0"));
        let bare = content.replace('⏎', "").contains(['\\']) && content != "a\\0⏎\\0⏎";
        let expected = if bare {
            "aborted BareLineEnd; 554 5.6.0, 250 2.0.0".to_string()
        } else {
            format!("“{content}”; 250 2.0.0, 250 2.0.0")
        };
        table.content(&reject, format!("{octets}NOOP\r\n"), &expected);
    }
    table.row("2.3", "Policies at the end; content that breaks off is no message");
    let nul = || with("no NUL", |config| config.content.nul = server::Unusual::Reject).open(BOB).data();
    table.content(&nul, "a\0\r\n.\r\n", "aborted Nul; 554 5.6.0");
    table.told(reject(), "a\0\r\n", "content");
    let lmtp = || crate::table::lmtp().open(&["bob@example.org", "carol@example.org"]).data();
    table.content(&lmtp, "a\n.\r\n.\r\n", "aborted BareLineEnd; 554 5.6.0, 554 5.6.0");
    let mut served = reject();
    served.host.send("half");
    served.host.eof();
    table.case(
        "(354) half, and the connection ends",
        "aborted Incomplete; closed Disconnected",
        served.host.events[1..].join("; "),
    );
}

/// What a body is on the wire, the same for each cut in two.
fn written(policy: BarePolicy, body: &[u8]) -> String {
    let write = |pieces: &[&[u8]]| {
        let mut wire = BytesMut::new();
        let mut encoder = DataEncoder::new(policy, false);
        for piece in pieces {
            if let Err(error) = encoder.encode(piece, &mut wire) {
                return error.to_string();
            }
        }
        match encoder.finish(&mut wire) {
            Ok(end) => shown(&wire) + if end.line_end_added { " and a line end added" } else { "" },
            Err(error) => error.to_string(),
        }
    };
    let whole = write(&[body]);
    let other = (0..=body.len())
        .map(|cut| {
            let (front, rest) = body.split_at(cut);
            write(&[front, rest])
        })
        .find(|cut| *cut != whole);
    match other {
        Some(other) => format!("{whole}, but cut {other}"),
        None => whole,
    }
}

pub(crate) fn encoding(table: &mut Table) {
    let mut body = |row: &'static str, required: &'static str, rows: &[(&str, &str)]| {
        table.row(row, required);
        for (body, expected) in rows {
            table.case(shown(body.as_bytes()), expected, written(BarePolicy::Reject, body.as_bytes()));
        }
    };
    body("B1", "An empty body is one end, and no further command", &[("", ".⏎")]);
    body("B2", "A body that looks like an end and a command is neither", &[(".\r\nRSET\r\n", "..⏎RSET⏎.⏎")]);
    body(
        "B3",
        "Dots are stuffed, and the end stands once",
        &[("a\r\n\r\n.\r\n", "a⏎⏎..⏎.⏎"), ("..\r\n", "...⏎.⏎")],
    );
    body(
        "B4",
        "A body that ends in CR LF gets no blank line; another gets its line end",
        &[("a\r\n", "a⏎.⏎"), ("a", "a⏎.⏎ and a line end added")],
    );
    table.row(
        "B5",
        "A bare CR or LF is an error before anything of it is written, or normalised and then stuffed",
    );
    let fix = "normalise line ends to CR LF first";
    for (body, fault, normal) in [
        ("a\nb", "LF in the content at offset 1", "a⏎b⏎.⏎ and a line end added"),
        ("a\rb", "CR in the content at offset 1", "a⏎b⏎.⏎ and a line end added"),
        ("\n.\r\n", "LF in the content at offset 0", "⏎..⏎.⏎"),
        ("a\r.\r\n", "CR in the content at offset 1", "a⏎..⏎.⏎"),
        ("a\r\n.\n", "LF in the content at offset 4", "a⏎..⏎.⏎"),
        ("a\r\r\n", "CR in the content at offset 1", "a⏎⏎.⏎"),
        ("a\r\n\n", "LF in the content at offset 3", "a⏎⏎.⏎"),
        ("a\r", "CR in the content at offset 1", "a⏎.⏎"),
        ("a\n", "LF in the content at offset 1", "a⏎.⏎"),
    ] {
        let shown = shown(body.as_bytes());
        table.case(&shown, &format!("bare {fault}: {fix}"), written(BarePolicy::Reject, body.as_bytes()));
        table.case(format!("[normalise] {shown}"), normal, written(BarePolicy::Normalise, body.as_bytes()));
    }
    table.row("B6", "Wherever a body is cut, the wire is the same (each row above is cut at every octet)");
    let all = ".\r\n..a\r\n\r\n.\r\nb";
    table.case(
        shown(all.as_bytes()),
        "..⏎...a⏎⏎..⏎b⏎.⏎ and a line end added",
        written(BarePolicy::Reject, all.as_bytes()),
    );
    injection(table);
}

fn injection(table: &mut Table) {
    table.row(
        "2.4",
        "What could end a line, or a path, is no value: its constructor refuses it, and nothing is written",
    );
    let taken = |taken: bool| if taken { "taken" } else { "refused" }.to_string();
    for text in ["a\r\nDATA", "a\nb", "a\rb", "a\0b", "a\x1bb"] {
        let shown = shown(text.as_bytes());
        table.case(format!("EHLO {shown}"), "refused", taken(Config::new(text).is_ok()));
        table.case(format!("greeting {shown}"), "refused", taken(server::Config::new(text).is_ok()));
        table.case(
            format!("MAIL FROM:<{shown}@b>"),
            "refused",
            taken(format!("<{text}@b>").parse::<ReversePath>().is_ok()),
        );
        table.case(
            format!("RCPT TO:<a@{shown}>"),
            "refused",
            taken(format!("<a@{text}>").parse::<ForwardPath>().is_ok()),
        );
        table.case(format!("local part {shown}"), "refused", taken(LocalPart::new(text).is_ok()));
        table.case(format!("ENVID {shown}"), "refused", taken(EnvelopeId::new(text).is_ok()));
        table.case(format!("ORCPT {shown}"), "refused", taken(OriginalRecipient::new(text).is_ok()));
        table.case(format!("VRFY {shown}"), "refused", taken(UserName::new(text).is_ok()));
        table.case(
            format!("a reply {shown}"),
            "refused",
            taken(Reply::OK.with_text(text.to_string()).is_ok()),
        );
        let mut wire = BytesMut::new();
        let help = Command::Help(text.as_bytes().to_vec().into()).encode(&mut wire);
        table.case(format!("HELP {shown}"), "refused", taken(help.is_ok() || !wire.is_empty()));
    }
    for path in ["<a b@c>", "<a>b@c>", "<a<b@c>", "<\"a@b>", "<a@b> SIZE=1", "a@b"] {
        table.case(format!("MAIL FROM:{path}"), "refused", taken(path.parse::<ReversePath>().is_ok()));
    }
    let long = format!("<{}@b>", "x".repeat(65));
    table.case(shown(long.as_bytes()), "refused", taken(long.parse::<ForwardPath>().is_ok()));
    let spaced = LocalPart::new("a> b\"").map(|part| part.to_string()).unwrap_or_default();
    table.case("local part a> b\"", "\"a> b\\\"\"", spaced);
    let query = Query::Name(UserName::new("a b").unwrap()).to_string();
    table.case("VRFY a b", "\"a b\"", query);
    let read = Command::parse(&b"NOOP"[..].into(), &CommandOptions::default());
    table.case("NOOP", "taken", taken(read.is_ok()));
}
