//! Paths and parameters: rows A1 to A14, and the rules of parameters.

use mailwright_core::value::{AddressOptions, Mailbox, ParsedPath, Path};
use mailwright_smtp::parse::CommandOptions;
use mailwright_smtp::types::Command;

use crate::support::with_auth;
use crate::table::{Served, Table, fresh, with};

fn ready() -> Served {
    fresh().ready()
}

fn mail() -> Served {
    fresh().open(&[])
}

/// What a path is read as.
fn read(path: &str) -> String {
    match ParsedPath::read(path.as_bytes(), &AddressOptions::default()) {
        Ok(parsed) => {
            let what = match parsed.path {
                Path::Null => "null".to_string(),
                Path::Postmaster => "postmaster".to_string(),
                Path::Mailbox(mailbox) => {
                    format!("{mailbox} with the local part {}", mailbox.local_part().as_str())
                }
            };
            match parsed.source_route {
                Some(route) => format!("{what} behind {}", route.as_str()),
                None => what,
            }
        }
        Err(error) => format!("{:?}", error.kind),
    }
}

pub(crate) fn rows(table: &mut Table) {
    paths(table);
    mailboxes(table);
    tolerance(table);
    parameters(table);
}

fn paths(table: &mut Table) {
    table.row("A1", "MAIL FROM:<> is the null sender, accepted always");
    table.server(&ready, "MAIL FROM:<>\r\n", "250 2.1.0");
    table.told(ready(), "MAIL FROM:<>\r\n", "sender <> size None");
    table.row("A2", "RCPT TO:<> is nobody");
    table.server(&mail, "RCPT TO:<>\r\n", "501 5.1.3");
    table.row("A3", "<Postmaster> without domain, in any case, is a recipient");
    for path in ["<Postmaster>", "<POSTMASTER>", "<postmaster>"] {
        table.server(&mail, format!("RCPT TO:{path}\r\n"), "250 2.1.5");
        table.case(path, "postmaster", read(path));
    }
    table.server(&ready, "MAIL FROM:<Postmaster>\r\n", "501 5.1.7");
    table.row("A4", "A source route is kept for inspection, and means nothing");
    table.case("<@a,@b:u@c>", "u@c with the local part u behind @a,@b", read("<@a,@b:u@c>"));
    table.told(mail(), "RCPT TO:<@a,@b:u@c>\r\n", "recipient 0 <u@c>");
    for (path, expected) in [
        ("<@a,:u@c>", "501 5.1.3"),
        ("<@a,@b>", "501 5.1.3"),
        ("<@a@b:u@c>", "501 5.1.3"),
        ("<@:u@c>", "553 5.1.3"),
        ("<@a:>", "553 5.1.3"),
    ] {
        table.server(&mail, format!("RCPT TO:{path}\r\n"), expected);
    }
    table.row("A5", "A > inside quotes never ends the path");
    table.case(r#"<"a>b"@c>"#, r#""a>b"@c with the local part a>b"#, read(r#"<"a>b"@c>"#));
    table.told(mail(), "RCPT TO:<\"a> b\"@c>\r\n", "recipient 0 <\"a> b\"@c>");
    table.row("A6", "Quotes that are not needed make no difference, and are not written");
    for path in [r#"<"alice"@c>"#, r#"<"al\ice"@c>"#, "<alice@c>"] {
        table.case(path, "alice@c with the local part alice", read(path));
    }
    let equal = r#""alice"@C.example"#.parse::<Mailbox>() == "alice@c.example".parse();
    table.case(r#""alice"@C.example = alice@c.example"#, "true", equal.to_string());
    table.row("A7", "A quoted pair takes the next printable octet literally, and nothing else");
    table.case(r#"<"a\"\\b"@c>"#, r#""a\"\\b"@c with the local part a"\b"#, read(r#"<"a\"\\b"@c>"#));
    table.server(
        &mail,
        "RCPT TO:<\"a\\\tb\"@c>\r\nRCPT TO:<\"a\\\u{fc}\"@c>\r\nRCPT TO:<\"a\\\"@c>\r\n",
        "501 5.1.3, 501 5.1.3, 501 5.1.3",
    );
    // Two backslashes are a pair, and what stands behind it is none.
    table.server(&mail, "RCPT TO:<\"a\\\\\u{fc}\"@c>\r\n", "553 5.6.7");
}

fn mailboxes(table: &mut Table) {
    table.row("A8", "Address literals are typed; malformed ones are no mailbox");
    for literal in
        ["[127.0.0.1]", "[IPv6:2001:db8::1]", "[ipv6:::ffff:192.0.2.1]", "[127.00.0.1]", "[x-tag:content]"]
    {
        table.server(&mail, format!("RCPT TO:<u@{literal}>\r\n"), "250 2.1.5");
    }
    for literal in
        ["[127.0.0.256]", "[127.0.0]", "[IPv6:1:2]", "[IPv6:::1::]", "[]", "[:x]", "[x:]", "[tag-:x]"]
    {
        table.server(&mail, format!("RCPT TO:<u@{literal}>\r\n"), "553 5.1.3");
        table.server(&ready, format!("MAIL FROM:<u@{literal}>\r\n"), "501 5.1.7");
    }
    table.row("A9", "A delimited path whose mailbox is not valid: 501 5.1.7 to MAIL, 553 5.1.3 to RCPT");
    let label = "x".repeat(64);
    for mailbox in [
        "u@-a",
        "u@a-",
        "u@a..b",
        "u@.a",
        "u@a.",
        &format!("u@{label}"),
        ".u@a",
        "u.@a",
        "u..v@a",
        "u@",
        "@a",
        "u",
        "\"\"@",
    ] {
        table.server(&mail, format!("RCPT TO:<{mailbox}>\r\n"), "553 5.1.3");
        table.server(&ready, format!("MAIL FROM:<{mailbox}>\r\n"), "501 5.1.7");
    }
    table.row("A10", "Lengths as received: 64, 255, 256; they win over errors of form");
    let local = |length: usize| "x".repeat(length);
    let domain = |length: usize| format!("{}{}", "x.".repeat((length - 1) / 2), "y".repeat(2 - length % 2));
    for (path, expected) in [
        (format!("<{}@a>", local(64)), "250 2.1.5"),
        (format!("<{}@a>", local(65)), "501 5.1.3"),
        (format!("<..{}@-a>", local(64)), "501 5.1.3"),
        (format!("<u@{}>", domain(252)), "250 2.1.5"),
        (format!("<u@{}>", domain(253)), "501 5.1.3"),
        (format!("<u@{}>", domain(256)), "501 5.1.3"),
    ] {
        table.server(&mail, format!("RCPT TO:{path}\r\n"), expected);
    }
    table.server(&ready, format!("MAIL FROM:<{}@a>\r\n", local(65)), "501 5.1.7");
    let longer = || with("64 → 80", |config| config.address.local_part_limit = 80).open(&[]);
    table.server(&longer, format!("RCPT TO:<{}@a>\r\n", local(65)), "250 2.1.5");
    table.row("A11", "A path that cannot be delimited, or with octets that it may not have");
    for path in [
        "<u@a",
        "<u@a>x",
        "<u v@a>",
        "<u@a b>",
        "<\"u@a>",
        "<u<v@a>",
        "<u@a_b>",
        "<u@[127.0.0.1>",
        "<(x)u@a>",
        "<u@a>>",
    ] {
        let code = if path.ends_with("x") || path.ends_with(">>") { "501 5.5.4" } else { "501 5.1.3" };
        table.server(&mail, format!("RCPT TO:{path}\r\n"), code);
    }
    let underscore = || with("_ in domains", |config| config.address.underscore_in_domain = true).open(&[]);
    table.server(&underscore, "RCPT TO:<u@a_b>\r\n", "250 2.1.5");
    table.told(underscore(), "RCPT TO:<u@a_b>\r\n", "deviation underscore in domain; recipient 0 <u@a_b>");
    table.row(
        "A12",
        "The ASCII case of a domain makes no difference; U-labels and A-labels do, until both are normalised",
    );
    let equal = |one: &str, other: &str| (one.parse::<Mailbox>() == other.parse()).to_string();
    table.case("u@EXAMPLE.org = u@example.ORG", "true", equal("u@EXAMPLE.org", "u@example.ORG"));
    table.case("U@example.org = u@example.org", "false", equal("U@example.org", "u@example.org"));
    table.case(
        "u@b\u{fc}cher.example = u@xn--bcher-kva.example",
        "false",
        equal("u@b\u{fc}cher.example", "u@xn--bcher-kva.example"),
    );
}

fn tolerance(table: &mut Table) {
    table.row("A13", "A space behind FROM: or TO: is forgiven and reported, unless it is not");
    table.server(&ready, "MAIL FROM: <a@b>\r\nRCPT TO:  <a@b>\r\n", "250 2.1.0, 250 2.1.5");
    table.told(ready(), "MAIL FROM: <a@b>\r\n", "deviation extra white space; sender <a@b> size None");
    let strict = || with("no space", |config| config.tolerance.space_after_colon = false).ready();
    table.server(&strict, "MAIL FROM: <a@b>\r\n", "501 5.5.4");
    table.server(&ready, "MAIL FROM :<a@b>\r\nMAIL  FROM:<a@b>\r\n", "501 5.5.4, 501 5.5.4");
    table.row("A14", "Without angle brackets: 501, unless that is forgiven");
    table.server(&ready, "MAIL FROM:a@b\r\nMAIL FROM:\r\n", "501 5.1.7, 501 5.1.7");
    let lenient = || with("no brackets", |config| config.tolerance.missing_brackets = true).ready();
    table.server(&lenient, "MAIL FROM:a@b SIZE=1\r\nRCPT TO:postmaster\r\n", "250 2.1.0, 250 2.1.5");
    table.server(&lenient, "MAIL FROM:\r\nMAIL FROM:a b@c\r\n", "501 5.1.7, 501 5.1.7");
}

fn parameters(table: &mut Table) {
    table.row(
        "2.2",
        "Parameters: unknown ones 555, malformed or repeated ones 501; what is read is written as the same",
    );
    for (parameters, expected) in [
        ("FOO", "555 5.5.4"),
        ("FOO=bar", "555 5.5.4"),
        ("RET=FULL", "555 5.5.4"),
        ("size=10 Body=8bitMIME", "250 2.1.0"),
        ("SIZE", "501 5.5.4"),
        ("SIZE=", "501 5.5.4"),
        ("SIZE=-1", "501 5.5.4"),
        ("SIZE=+1", "501 5.5.4"),
        ("SIZE=0x10", "501 5.5.4"),
        ("SIZE=1 SIZE=1", "501 5.5.4"),
        ("SIZE=18446744073709551616", "552 5.3.4"),
        ("SIZE=99999999999999999999999999", "552 5.3.4"),
        ("BODY=9BIT", "501 5.5.4"),
        ("BODY", "501 5.5.4"),
        (" SIZE=1", "501 5.5.4"),
        ("-FOO", "501 5.5.4"),
        ("FOO=a=b", "501 5.5.4"),
        ("FOO SIZE=x", "501 5.5.4"),
    ] {
        table.server(&ready, format!("MAIL FROM:<a@b> {parameters}\r\n"), expected);
    }
    table.server(&ready, "MAIL FROM:<a@b>SIZE=1\r\n", "501 5.5.4");
    let lenient =
        || with("unknown parameters pass", |config| config.tolerance.unknown_parameters = true).ready();
    table.server(&lenient, "MAIL FROM:<a@b> FOO=bar\r\nRCPT TO:<a@b> BAR\r\n", "250 2.1.0, 250 2.1.5");
    table.server(&lenient, "MAIL FROM:<a@b> FOO=\r\n", "501 5.5.4");
    let auth = || {
        with("AUTH", |config| {
            config.offers = with_auth().offers;
            config.allow_plaintext_authentication = true;
        })
        .ready()
    };
    table.server(&auth, "MAIL FROM:<a@b> AUTH=<>\r\n", "250 2.1.0");
    for value in ["AUTH", "AUTH=", "AUTH=a+", "AUTH=a+3d@b", "AUTH=a", "AUTH=<a@b>", "AUTH=a@b+0D"] {
        table.server(&auth, format!("MAIL FROM:<a@b> {value}\r\n"), "501 5.5.4");
    }
    for line in [
        "MAIL FROM:<a@b> SIZE=10 X=y",
        "RCPT TO:<\"a b\"@[IPv6:2001:db8::1]>",
        "MAIL FROM:<@x:\"a\"@b>",
        "RCPT TO:<postmaster>",
    ] {
        let mut options = CommandOptions::default();
        options.ignore_unknown_parameters = true;
        let command = Command::parse(&line.as_bytes().to_vec().into(), &options).unwrap().command;
        let mut wire = bytes::BytesMut::new();
        command.encode(&mut wire).unwrap();
        let written = String::from_utf8(wire.to_vec()).unwrap();
        let expected = match line {
            "MAIL FROM:<@x:\"a\"@b>" => "MAIL FROM:<a@b>",
            "RCPT TO:<postmaster>" => "RCPT TO:<Postmaster>",
            line => line,
        };
        table.case(format!("{line}, written again"), expected, written.trim_end());
    }
}
