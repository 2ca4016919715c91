//! Commands and states: rows T1 to T15, the gates, the order of checks.

use mailwright_sasl::{MechanismName, Offers};
use mailwright_smtp::server::{Config, Protocol, TlsMode};

use crate::table::{Served, Table, fresh, lmtp, with};

const BOB: &[&str] = &["bob@example.org"];

/// Everything that a command of an extension needs.
fn all() -> Served {
    with("STARTTLS, AUTH, ETRN", |config| {
        config.tls = TlsMode::StartTls;
        config.ask.etrn = true;
        plain(config);
    })
}

fn plain(config: &mut Config) {
    config.offers = Offers::new([MechanismName::PLAIN]);
    config.allow_plaintext_authentication = true;
}

impl Table {
    /// A command before EHLO, behind it, and in a transaction with a recipient.
    fn states(&mut self, command: &str, codes: [&str; 3]) {
        let starts: [&dyn Fn() -> Served; 3] = [&fresh, &|| fresh().ready(), &|| fresh().open(BOB)];
        for (start, expected) in starts.into_iter().zip(codes) {
            self.server(start, format!("{command}\r\n"), expected);
        }
    }
}

pub(crate) fn rows(table: &mut Table) {
    transactions(table);
    chunks(table);
    others(table);
    gates(table);
}

fn transactions(table: &mut Table) {
    table.row(
        "T1",
        "EHLO and HELO (LHLO in LMTP) in every state; as RSET in a transaction; refused, they change nothing",
    );
    for command in ["EHLO c.example", "HELO c.example"] {
        table.states(command, ["250"; 3]);
        table.server(&lmtp, format!("{command}\r\n"), "500");
    }
    table.states("LHLO c.example", ["500"; 3]);
    table.server(&lmtp, "LHLO c.example\r\n", "250");
    table.server(&|| fresh().open(BOB), "EHLO c.example\r\nDATA\r\n", "250, 503 5.5.1");
    table.told(fresh().open(BOB), "EHLO c.example\r\n", "hello c.example true; reset");
    for line in ["EHLO", "EHLO a b", "EHLO -a", "EHLO [1.2.3]", "HELO"] {
        table.server(&|| fresh().open(BOB), format!("{line}\r\nDATA\r\n.\r\n"), "501, 354, 250 2.0.0");
    }
    table.row("T2", "MAIL is asked when ready; 503 elsewhere, the state kept");
    table.states("MAIL FROM:<a@b>", ["503 5.5.1", "250 2.1.0", "503 5.5.1"]);
    table.server(&|| fresh().open(BOB), "MAIL FROM:<x@y>\r\nDATA\r\n.\r\n", "503 5.5.1, 354, 250 2.0.0");
    table.row("T3", "RCPT is asked in a transaction; 503 elsewhere");
    table.states("RCPT TO:<a@b>", ["503 5.5.1", "503 5.5.1", "250 2.1.5"]);
    table.row("T4", "DATA with a recipient: 354; with none 554 (LMTP: 503); 503 elsewhere");
    table.states("DATA", ["503 5.5.1", "503 5.5.1", "354"]);
    table.server(&|| fresh().open(&["no@example.org"]), "DATA\r\n", "554 5.5.1");
    table.server(&|| lmtp().open(&["no@example.org"]), "DATA\r\n", "503 5.5.1");
}

fn chunks(table: &mut Table) {
    table.row("T5", "BDAT: data with a recipient; 503 elsewhere, and its chunk dropped");
    table.states("BDAT 6\r\nRSET", ["503 5.5.1", "503 5.5.1", "250 2.0.0"]);
    table.server(&|| fresh().open(&["no@example.org"]), "BDAT 6\r\nRSET\r\nNOOP\r\n", "503 5.5.1, 250 2.0.0");
    let without = || with("no CHUNKING", |config| config.chunking = false).open(BOB);
    table.server(&without, "BDAT 6\r\nRSET\r\nNOOP\r\n", "502 5.5.1, 250 2.0.0");
    table.row("T6", "BDAT LAST in LMTP: a reply for each accepted recipient, none if there is none");
    let two = || lmtp().open(&["bob@example.org", "no@example.org", "carol@example.org"]);
    table.server(&two, "BDAT 2 LAST\r\n\r\nNOOP\r\n", "250 2.0.0, 250 2.0.0, 250 2.0.0");
    table.server(&|| lmtp().open(&["no@example.org"]), "BDAT 2 LAST\r\n\r\nNOOP\r\n", "250 2.0.0");
    table.server(&|| lmtp().ready(), "BDAT 2 LAST\r\n\r\nNOOP\r\n", "503 5.5.1, 250 2.0.0");
    table.server(&lmtp, "BDAT 2 LAST\r\n\r\n", "503 5.5.1");
}

fn others(table: &mut Table) {
    table.row("T7", "RSET everywhere, between chunks too");
    table.states("RSET", ["250 2.0.0"; 3]);
    table.server(&|| fresh().open(BOB), "BDAT 1\r\nxRSET\r\nDATA\r\n", "250 2.0.0, 250 2.0.0, 503 5.5.1");
    table.row("T8", "NOOP everywhere, between chunks too");
    table.states("NOOP", ["250 2.0.0"; 3]);
    table.server(
        &|| fresh().open(BOB),
        "BDAT 1\r\nxNOOP\r\nBDAT 0 LAST\r\n",
        "250 2.0.0, 250 2.0.0, 250 2.0.0",
    );
    table.row("T9", "VRFY, EXPN and HELP everywhere; VRFY and EXPN betray nobody unless the host does");
    table.states("VRFY bob", ["252 2.0.0"; 3]);
    table.states("EXPN staff", ["502 5.5.1"; 3]);
    table.states("HELP", ["214 2.0.0"; 3]);
    let asked = || {
        with("VRFY, EXPN and HELP are asked", |config| {
            (config.ask.verify, config.ask.expand, config.ask.help) = (true, true, true);
        })
    };
    table.server(&asked, "VRFY bob\r\nEXPN staff\r\nHELP\r\n", "250 2.0.0, 250 2.0.0, 214 2.0.0");
    table.row(
        "T10",
        "STARTTLS: 503 before EHLO, in a transaction and in TLS; 502 where it is not configured; 454 for now",
    );
    table.states("STARTTLS", ["503 5.5.1", "502 5.5.1", "503 5.5.1"]);
    table.server(&all, "STARTTLS\r\n", "503 5.5.1");
    table.server(&|| all().ready(), "STARTTLS\r\n", "220 2.0.0");
    table.server(&|| all().open(BOB), "STARTTLS\r\n", "503 5.5.1");
    let secured = || all().ready().after("STARTTLS\r\n").in_tls().ready();
    table.server(&secured, "STARTTLS\r\n", "503 5.5.1");
    let mut later = all().ready();
    later.host.server.set_tls_unavailable(true);
    table.at_once(later, "STARTTLS\r\n", "454 4.7.0");
    table.row(
        "T11",
        "AUTH: 503 before EHLO, in a transaction, and twice; 502 where no mechanism is configured",
    );
    table.states("AUTH PLAIN", ["503 5.5.1", "502 5.5.1", "503 5.5.1"]);
    const GOOD: &str = "AUTH PLAIN AGFsaWNlAHRhbnN0YWFm\r\n";
    table.server(&|| all().ready(), GOOD, "235 2.7.0");
    table.server(&|| all().ready().after(GOOD), GOOD, "503 5.5.1");
    table.server(&|| all().open(BOB), GOOD, "503 5.5.1");
    table.row(
        "T12",
        "ETRN, XCLIENT, XFORWARD: an event where enabled, else 502; 503 before EHLO and in a transaction",
    );
    for command in ["ETRN example.org", "XCLIENT ADDR=192.0.2.1", "XFORWARD ADDR=192.0.2.1"] {
        table.states(command, ["503 5.5.1", "502 5.5.1", "503 5.5.1"]);
    }
    table.server(&|| all().ready(), "ETRN example.org\r\n", "459 4.0.0");
    table.told(all().ready(), "ETRN example.org\r\n", "ETRN example.org");
    table.row("T13", "BURL, TURN, SEND, SOML and SAML are recognised, and never carried out");
    for command in ["BURL imap://a LAST", "TURN", "SEND FROM:<a@b>", "SOML FROM:<a@b>", "SAML FROM:<a@b>"] {
        table.states(command, ["502 5.5.1"; 3]);
    }
    table.row("T14", "QUIT everywhere, and the end");
    table.states("QUIT", ["221 2.0.0 closed Quit"; 3]);
    table.server(&|| fresh().ready(), "QUIT\r\nNOOP\r\n", "221 2.0.0 closed Quit");
    table.row("T15", "An unknown command is an error");
    table.states("XYZZY", ["500 5.5.2"; 3]);
    table.told(fresh().ready(), "XYZZY\r\n", "rejected 500 5.5.2 Command not recognized Some(CommandError { verb: None, kind: Unknown, offset: 0, excerpt: \"XYZZY\" })");
}

fn gates(table: &mut Table) {
    table.row("2.5", "The gates of TLS and authentication; the order of checks: the line, gate, state, syntax, limits, host");
    let tls = || {
        with("TLS required", |config| {
            config.tls = TlsMode::StartTls;
            config.require_tls = true;
            plain(config);
        })
        .ready()
    };
    for command in [
        "MAIL FROM:<a@b>",
        "RCPT TO:<a@b>",
        "DATA",
        "RSET",
        "VRFY a",
        "EXPN a",
        "HELP",
        "AUTH PLAIN",
        "HELO a",
        "XYZZY",
        "ETRN a",
    ] {
        let expected = if command == "HELO a" { "530" } else { "530 5.7.0" };
        table.server(&tls, format!("{command}\r\n"), expected);
    }
    for (command, expected) in [
        ("NOOP", "250 2.0.0"),
        ("EHLO a", "250"),
        ("STARTTLS", "220 2.0.0"),
        ("QUIT", "221 2.0.0 closed Quit"),
    ] {
        table.server(&tls, format!("{command}\r\n"), expected);
    }
    table.server(&tls, "BDAT 6\r\nNOOP\r\nNOOP\r\n", "530 5.7.0, 250 2.0.0");
    let submission = || {
        with("submission", |config| {
            config.protocol = Protocol::Submission;
            plain(config);
        })
        .ready()
    };
    for command in ["MAIL FROM:<a@b>", "RCPT TO:<a@b>", "DATA", "VRFY a", "EXPN a", "HELP", "XYZZY"] {
        table.server(&submission, format!("{command}\r\n"), "530 5.7.0");
    }
    for (command, expected) in [
        ("NOOP", "250 2.0.0"),
        ("EHLO a", "250"),
        ("HELO a", "250"),
        ("RSET", "250 2.0.0"),
        ("STARTTLS", "502 5.5.1"),
        ("AUTH PLAIN AGFsaWNlAHRhbnN0YWFm", "235 2.7.0"),
        ("QUIT", "221 2.0.0 closed Quit"),
    ] {
        table.server(&submission, format!("{command}\r\n"), expected);
    }
    // The line before the gate, the gate before the state, the state before the syntax, the syntax before the limits.
    table.server(&tls, "MAIL \0\r\nBDAT x\r\n", "500 5.5.2, 501 5.5.4 closed ChunkSize");
    table.server(&tls, "RCPT TO:<\r\n", "530 5.7.0");
    table.server(&fresh, "MAIL FROM:<\r\n", "503 5.5.1");
    table.server(&|| fresh().open(BOB), "MAIL FROM:<\r\n", "503 5.5.1");
    table.server(&|| fresh().ready(), "MAIL FROM:<a@b> SIZE=99999999999999999999 FOO\r\n", "555 5.5.4");
    table.server(&|| fresh().ready(), "MAIL FROM:<a@b> SIZE=99999999999999999999 BODY=X\r\n", "501 5.5.4");
    table.told(
        fresh().ready(),
        "MAIL FROM:<a@b> SIZE=99999999\r\n",
        "rejected 552 5.3.4 Message size exceeds limit None",
    );
}
