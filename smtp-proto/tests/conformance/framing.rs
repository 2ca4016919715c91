//! Lines of commands and replies: rules 2.1.1 to 2.1.6.

use mailwright_smtp::parse::{ReplyLimits, ReplyReader};

use crate::table::{Table, announced, fresh, shown, with};

pub(crate) fn rows(table: &mut Table) {
    table.row("2.1.1", "A line ends at CR LF only; a bare CR or LF spoils its line, and separates nothing");
    let ready = || fresh().ready();
    table.server(&ready, "RSET\nNOOP\r\nNOOP\r\n", "500 5.5.2, 250 2.0.0");
    table.server(&ready, "NOOP\n\r\n", "500 5.5.2");
    table.server(&ready, "MAIL FROM:<a@b>\rNOOP\r\nMAIL FROM:<a@b>\r\n", "500 5.5.2, 250 2.1.0");
    table.server(&ready, "\r\nNOOP\r\n", "500 5.5.2, 250 2.0.0");
    table.server(&ready, "NOOP\r\r\n", "500 5.5.2");
    let lenient =
        || with("bare LF ends a line", |config| config.tolerance.bare_lf_command_end = true).ready();
    table.server(&lenient, "NOOP\nNOOP\r\n", "250 2.0.0, 250 2.0.0");
    table.told(lenient(), "NOOP\n", "deviation bare LF");

    table.row(
        "2.1.2",
        "Controls but HT execute nothing; octets beyond ASCII have their places, and are valid UTF-8",
    );
    for line in
        ["NO\0OP", "NOOP \0", "MAIL FROM:<a\0@b>", "VRFY a\x07", "VRFY a\x7f", "\x1bNOOP", "NOOP a\x0bb"]
    {
        table.server(&ready, format!("{line}\r\n"), "500 5.5.2");
    }
    table.server(&ready, "NOOP a\tb\r\n", "250 2.0.0");
    table.server(&ready, "NOOP\u{fc}\r\n", "500 5.5.2");
    for line in ["HELP \u{fc}", "VRFY \u{fc}", "RSET \u{fc}", "MAIL FROM:<> X=\u{fc}"] {
        table.server(&ready, format!("{line}\r\n"), "501 5.5.4");
    }
    table.server(&ready, "EHLO \u{fc}.example\r\n", "501");
    table.server(&ready, b"MAIL FROM:<a\xff@b>\r\n", "501 5.1.7");
    table.server(&ready, "MAIL FROM:<\u{fc}@b>\r\n", "550 5.6.7");
    let utf8 = || with("SMTPUTF8", |config| config.smtp_utf8 = true).ready();
    table.server(&utf8, "MAIL FROM:<\u{fc}@b> SMTPUTF8\r\nRCPT TO:<\u{fc}@b>\r\n", "250 2.1.0, 250 2.1.5");
    table.server(&utf8, b"MAIL FROM:<\xff@b> SMTPUTF8\r\n", "501 5.1.7");
    table.server(&utf8, b"MAIL FROM:<a@b> SMTPUTF8\r\nRCPT TO:<\xc0\xaf@b>\r\n", "250 2.1.0, 501 5.1.3");
    table.server(&utf8, "VRFY \u{fc} SMTPUTF8\r\n", "252 2.0.0");

    table.row("2.1.3", "Verbs in any case; trailing spaces are forgiven; leading ones are an error");
    table.server(&ready, "nOoP\r\nmail from:<a@b>\r\nrCPT tO:<a@b>\r\n", "250 2.0.0, 250 2.1.0, 250 2.1.5");
    table.server(&ready, "NOOP  \r\nMAIL FROM:<a@b> \t\r\n", "250 2.0.0, 250 2.1.0");
    table.told(ready(), "RSET \r\n", "deviation trailing white space");
    table.server(&ready, " NOOP\r\n\tNOOP\r\nNOOPS\r\n", "500 5.5.2, 500 5.5.2, 500 5.5.2");

    table.row("2.1.4", "An overlong line is skipped and answered once; at the limit it is none");
    let line = |octets: usize| format!("NOOP {}\r\n", "x".repeat(octets - 7));
    table.server(&ready, line(2048) + "NOOP\r\n", "250 2.0.0, 250 2.0.0");
    table.server(&ready, line(2049) + "NOOP\r\n", "500 5.5.2, 250 2.0.0");
    table.server(&ready, line(70_000) + "NOOP\r\n", "500 5.5.2, 250 2.0.0");
    table.server(&ready, format!("{}\nNOOP\r\nNOOP\r\n", "x".repeat(3000)), "500 5.5.2, 250 2.0.0");

    table.row(
        "2.1.6",
        "A reply line is a code, and SP, - or its end; all lines of a reply carry the same code",
    );
    for reply in ["250 OK\r\n", "250\r\n", "250 \r\n", "250-a\r\n250 b\r\n", "250-\r\n250\r\n", "559 x\r\n"] {
        let asking = announced(&[]).says(|client| client.noop());
        table.client(asking, reply, &format!("reply {}", &reply[..3]));
    }
    for reply in
        ["25 OK\r\n", "2500 OK\r\n", "250+OK\r\n", "150 OK\r\n", "260 OK\r\n", "600 OK\r\n", "OK\r\n", "\r\n"]
    {
        let mut reader = ReplyReader::new(ReplyLimits::default());
        let read = reader.next_reply(&mut reply.into());
        let got = read.map_or_else(|error| error.kind.to_string(), |reply| format!("{reply:?}"));
        let expected = if reply.starts_with("2500") || reply.contains('+') {
            "malformed separator behind the reply code"
        } else {
            "no valid reply code"
        };
        table.case(shown(reply.as_bytes()), expected, got);
    }
}
