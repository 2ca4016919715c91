//! Lines, replies, content and numbers, at the server.

use mailwright_pop3::types::ReplyText;

use crate::table::{Table, answering, fresh, shown, with};

pub(crate) fn rows(table: &mut Table) {
    lines(table);
    replies(table);
    numbers(table);
}

fn lines(table: &mut Table) {
    table.row("2.1.1", "Commands end at CR LF; a bare LF ends one too, and is reported, unless refused");
    table.server(fresh().logged_in(), b"NOOP\r\nNOOP\n", "+OK⏎+OK⏎");
    table.told(fresh().logged_in(), b"NOOP\nSTAT\n", "deviation bare LF; deviation bare LF");
    let strict = || with("strict CR LF", |config| config.strict_crlf = true).logged_in();
    table.server(strict(), b"NOOP\nDELE 1\r\n", "-ERR control character in the line⏎");
    for line in
        [&b"DELE 1\rDELE 2\r\n"[..], b"DELE 1\r\r\n", b"DE\0LE 1\r\n", b"DELE 1\x1b\r\n", b"DELE 1\x7f\r\n"]
    {
        table.server(fresh().logged_in(), line, "-ERR control character in the line⏎");
        // Nothing of it was executed.
        table.server(fresh().logged_in().after(line), b"STAT\r\n", "+OK 2 50⏎");
    }
    table.server(fresh(), b"USER a\x01b\r\n", "-ERR control character in the line⏎");
    table.server(
        fresh().after(b"USER mrose\r\n"),
        b"PASS tan\0staaf\r\n",
        "-ERR control character in the line⏎",
    );

    table.row("2.1.2", "Keywords in any case; extra spaces are read and reported; a tab is no separator");
    table.server(fresh().logged_in(), b"nOoP\r\nlIsT 1\r\n", "+OK⏎+OK 1 28⏎");
    table.server(fresh().logged_in(), b"TOP   1  0 \r\n", "+OK top of message follows⏎Subject: one⏎⏎.⏎");
    table.told(
        fresh().logged_in(),
        b"LIST  1 \r\n",
        "deviation extra white space; deviation trailing white space",
    );
    table.server(fresh().logged_in(), b"LIST\t1\r\n", "-ERR control character in the line⏎");
    table.server(fresh().logged_in(), b"\r\n", "-ERR unknown command⏎");
    table.server(fresh().logged_in(), b" NOOP\r\n", "-ERR unknown command⏎");
    table.server(fresh().logged_in(), b"NOOPS\r\nSTATE\r\n", "-ERR unknown command⏎-ERR unknown command⏎");
    table.told(fresh(), b"USER  mrose \r\nPASS  x \r\n", "authenticate  mrose ; login failed 1");

    table.row("2.1.3", "A line above the limit is skipped, answered once, and closes");
    let long = |length: usize| [&vec![b'x'; length][..], b"\r\n"].concat();
    table.server(fresh().logged_in(), long(1022), "-ERR unknown command⏎");
    table.server(fresh().logged_in(), long(1023), "-ERR line too long⏎ closed Overlong");
    table.server(
        fresh().logged_in(),
        [&long(70_000)[..], b"NOOP\r\n"].concat(),
        "-ERR line too long⏎ closed Overlong",
    );
    let stays = || with("overlong lines do not close", |config| config.overlong_close = false).logged_in();
    table.server(stays(), [&long(70_000)[..], b"NOOP\r\n"].concat(), "-ERR line too long⏎+OK⏎");
    table.server(stays(), [&[b'x'; 70_000][..], b"\nNOOP\r\n"].concat(), "-ERR line too long⏎+OK⏎");
    table.told(
        with("a command above 255 octets", |_| {}).logged_in(),
        [&b"NOOP"[..], &[b' '; 250], b"\r\n"].concat(),
        "deviation trailing white space; deviation long line",
    );
}

fn replies(table: &mut Table) {
    table.row("2.1.4", "What a host lets a server say is one line of printable ASCII, and no code");
    for text in ["a\rb", "a\nb", "a\0b", "\u{e4}", "[AUTH] no", &"x".repeat(401), "\x1b[1m"] {
        let got = if ReplyText::new(text.to_string()).is_err() { "refused" } else { "taken" };
        table.case(format!("host: {}", shown(text.as_bytes())), "refused", got);
    }

    table.row(
        "2.1.5",
        "Content is stuffed from its first line on, and ended once; no content is the end alone",
    );
    for (message, said) in [
        (&b""[..], "+OK 0 octets⏎.⏎"),
        (b".", "+OK 3 octets⏎..⏎.⏎"),
        (b".\r\n", "+OK 3 octets⏎..⏎.⏎"),
        (b"..\r\n.x\r\n", "+OK 8 octets⏎...⏎..x⏎.⏎"),
        (b"\r\n.\r\n\r\n", "+OK 7 octets⏎⏎..⏎⏎.⏎"),
    ] {
        let served = answering(
            &format!("message {}", message.escape_ascii()),
            |_| {},
            |answers| {
                answers.messages = vec![message.to_vec()];
            },
        );
        table.server(served.logged_in(), b"RETR 1\r\n", said);
    }
}

fn numbers(table: &mut Table) {
    table.row("2.2", "A number is 1 to 20 digits; none wraps, saturates or means another message");
    let none = "-ERR no such message⏎";
    for number in [
        "0",
        "00",
        "3",
        "4294967295",
        "4294967296",
        "4294967297",
        "4294967298",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551617",
        "36893488147419103233",
        "99999999999999999999",
    ] {
        for keyword in ["RETR", "DELE", "LIST", "UIDL"] {
            table.server(fresh().logged_in(), format!("{keyword} {number}\r\n"), none);
        }
        table.server(fresh().logged_in(), format!("TOP {number} 0\r\n"), none);
    }
    for number in ["+1", "-1", "1.", "1a", "0x1", "1,2", "\u{661}", "000000000000000000001", "1e0", "*", "$"]
    {
        table.server(fresh().logged_in(), format!("RETR {number}\r\n"), "-ERR not a number⏎");
    }
    table.server(fresh().logged_in(), b"RETR\r\nRETR \r\n", "-ERR missing argument⏎-ERR missing argument⏎");
    table.server(fresh().logged_in(), b"LIST \r\nUIDL  \r\n", "-ERR missing argument⏎-ERR missing argument⏎");
    table.server(fresh().logged_in(), b"RETR 1 2\r\n", "-ERR unexpected argument⏎");
    table.server(fresh().logged_in(), b"TOP 1\r\nTOP 1 \r\n", "-ERR missing argument⏎-ERR missing argument⏎");
    table.server(fresh().logged_in(), b"TOP 1 -1\r\n", "-ERR not a number⏎");
    table.server(fresh().logged_in(), b"LIST 01\r\n", "+OK 1 28⏎");
    table.told(fresh().logged_in(), b"LIST 0001\r\n", "deviation leading zero");
    let whole = "+OK top of message follows⏎Subject: one⏎⏎line⏎..dot⏎.⏎";
    for count in ["2", "4294967296", "18446744073709551616", "99999999999999999999"] {
        table.server(fresh().logged_in(), format!("TOP 1 {count}\r\n"), whole);
    }
}
