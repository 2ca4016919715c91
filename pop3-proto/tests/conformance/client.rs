//! The numbered rules of the client.

use mailwright_core::session::{Session as _, TlsInfo, Upgraded};
use mailwright_core::value::Misuse;
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::Client;
use mailwright_pop3::sasl::{Credentials, MechanismName};
use mailwright_pop3::types::{Argument, Capability, LanguageRange, MessageNumber, Password, UserName};

use crate::support::peer::number;
use crate::table::{Asking, Table, client, client_with, shown, ungreeted};

pub(crate) fn rows(table: &mut Table) {
    tls(table);
    replies(table);
    listings(table);
    content(table);
    commands(table);
    login(table);
    quit(table);
    tolerated(table);
}

fn name() -> UserName {
    UserName::new("tim").unwrap()
}

fn password() -> Password {
    Password::new("tanstaaf").unwrap()
}

const ONE: Option<MessageNumber> = Some(MessageNumber::FIRST);

fn tls(table: &mut Table) {
    table.row(
        "C-1",
        "Nothing behind the agreement on STLS is believed; without TLS that is wanted no credentials go out",
    );
    let wants = || client_with("TLS wanted", |config| config.tls = TlsMode::StartTls);
    table.client(wants().says(Client::stls), b"+OK go\r\n", "Ok go");
    table.client(wants().says(Client::stls), b"+OK go\r\n+", "Ok go; closed EarlyOctets");
    table.client(
        wants().says(Client::stls),
        b"+OK go\r\n+OK CAPA\r\nSASL PLAIN\r\n.\r\n",
        "Ok go; closed EarlyOctets",
    );
    for reply in [&b""[..], b"-ERR no\r\n"] {
        let mut asking = wants();
        if !reply.is_empty() {
            asking = asking.says(Client::stls).after(reply);
        }
        let refused = asking.peer.client.user(&name()).unwrap_err();
        table.case(format!("[TLS wanted] {} then USER", shown(reply)), "Plaintext", format!("{refused:?}"));
    }
    let mut asking =
        wants().knowing(&[Capability::Pipelining, Capability::Stls]).says(Client::stls).after(b"+OK\r\n");
    asking.peer.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), asking.peer.now);
    let known = asking.peer.client.capabilities().is_some();
    table.case("[TLS wanted] capabilities behind TLS", "none", if known { "some" } else { "none" });
}

fn replies(table: &mut Table) {
    table.row("C-2", "A status is `+OK` or `-ERR`, then a space or the end; anything else ends the session");
    for (line, got) in [
        (&b"+OK\r\n"[..], "Ok "),
        (b"+OK \r\n", "Ok "),
        (b"-ERR no\r\n", "Err no"),
        (b"+OK  two\r\n", "Ok  two"),
        (b"+OKAY\r\n", r#"closed BadReply(Status { line: "+OKAY" })"#),
        (b"+ok\r\n", r#"closed BadReply(Status { line: "+ok" })"#),
        (b"-ERRx\r\n", r#"closed BadReply(Status { line: "-ERRx" })"#),
        (b"OK\r\n", r#"closed BadReply(Status { line: "OK" })"#),
        (b"\r\n", r#"closed BadReply(Status { line: "" })"#),
        (b"+\r\n", r#"closed BadReply(Status { line: "+" })"#),
        (b"+ \r\n", r#"closed BadReply(Status { line: "+ " })"#),
        (b"* OK\r\n", r#"closed BadReply(Status { line: "* OK" })"#),
        (b"+OK\tx\r\n", r#"closed BadReply(Status { line: "+OK\tx" })"#),
        (b"+OK a\0b\r\n", "closed BadReply(Nul { offset: 5 })"),
    ] {
        table.client(client().says(Client::noop), line, got);
    }
    let long = [&b"+OK "[..], &[b'x'; 5000], b"\r\n"].concat();
    table.client(client().says(Client::noop), long, "closed BadReply(Overlong { octets: 5006 })");
    table.client(client().says(Client::noop), b"+OK a\n+OK b\r\n", r"Ok a\n+OK b");
    let any_case = || client_with("status in any case", |config| config.tolerance.any_case_status = true);
    table.client(any_case().says(Client::noop), b"+Ok x\r\n", "deviation keyword in the wrong case@0; Ok x");
    table.client(any_case().says(Client::noop), b"+OKAY\r\n", r#"closed BadReply(Status { line: "+OKAY" })"#);

    table.row("C-3", "What a reply is, its command decides");
    table.client(
        client().says(|client| client.list(None)),
        b"+OK 2 320\r\n1 120\r\n.\r\n",
        "Ok 2 320 = Multiline; 1 120; end Listing { lines: 1 }",
    );
    table.client(client().says(|client| client.list(ONE)), b"+OK 1 120\r\n", "Ok 1 120 = 1 120");
    table.client(client().says(|client| client.uidl(ONE)), b"+OK 1 a.b\r\n", "Ok 1 a.b = 1 a.b");
    table.client(
        client().says(Client::stat),
        b"+OK 2 320 more 5\r\n",
        "Ok 2 320 more 5 = Stat { messages: 2, octets: 320 }",
    );
    table.client(
        client().says(Client::stat),
        b"+OK 2\r\n",
        r#"Ok 2 = Unreadable(EntryError { problem: Number, line: "2" })"#,
    );
    table.client(client().says(|client| client.dele(number(1))), b"+OK 1 120\r\n", "Ok 1 120");
    table.client(client().says(|client| client.list(None)), b"-ERR no\r\n", "Err no");
    table.client(client().says(|client| client.retr(number(1))), b"-ERR no\r\n", "Err no");

    table.row(
        "C-4",
        "A code is one where codes are announced, and well formed; text is shown without controls",
    );
    let announced = || client().knowing(&[Capability::RespCodes]).says(Client::noop);
    for (line, got) in [
        ("-ERR [IN-USE] x", "Err <IN-USE> x"),
        ("-ERR [in-use/a/b]x", "Err <IN-USE> x"),
        ("-ERR [SYS/TEMP] x", "Err <SYS/TEMP> x"),
        ("-ERR [sys/perm/disk] x", "Err <SYS/PERM> x"),
        ("-ERR [SYS/NEW] x", "Err <SYS> x"),
        ("-ERR [LOGIN-DELAY] x", "Err <LOGIN-DELAY> x"),
        ("-ERR [AUTH] x", "Err <AUTH> x"),
        ("-ERR [UTF8] x", "Err <UTF8> x"),
        ("-ERR [x-own/1] x", "Err <x-own/1> x"),
        ("-ERR [] x", "Err [] x"),
        ("-ERR [A B] x", "Err [A B] x"),
        ("-ERR [A//B] x", "Err [A//B] x"),
        ("-ERR [A", "Err [A"),
        ("-ERR  [A] x", "Err  [A] x"),
        ("-ERR [\u{e4}] x", "Err [\u{e4}] x"),
        ("-ERR a\x1b[2J", r"Err a\u{1b}[2J"),
    ] {
        table.client(announced(), format!("{line}\r\n"), got);
    }
    table.client(client().says(Client::noop), b"-ERR [IN-USE] x\r\n", "Err [IN-USE] x");
    let lenient = client_with("codes always", |config| config.tolerance.lenient_codes = true);
    table.client(
        lenient.says(Client::noop),
        b"-ERR [IN-USE] x\r\n",
        "deviation response code that was not announced@5; Err <IN-USE> x",
    );
}

fn listings(table: &mut Table) {
    table.row("C-5", "Each line of a listing stands for itself; a bad one costs nothing but itself");
    let size = |line: &str, got: &str, table: &mut Table| {
        let asking = client().says(|client| client.list(None)).after(b"+OK\r\n");
        table.client(asking, format!("{line}\r\n"), got);
    };
    for (line, got) in [
        ("1 120", "1 120"),
        ("4294967295 18446744073709551615", "4294967295 18446744073709551615"),
        ("4294967296 1", "bad message number"),
        ("0 1", "bad message number"),
        ("-1 1", "bad message number"),
        ("x", "bad message number"),
        ("1", "bad message number"),
        (" 1 2", "bad message number"),
        ("1 18446744073709551616", "bad size"),
        ("1 -1", "bad size"),
        ("1 1k", "bad size"),
        ("1 ", "bad size"),
        ("1   120", "deviation extra white space@1; 1 120"),
        ("1\t120", "deviation extra white space@1; 1 120"),
        ("01 0120", "deviation leading zero@0; deviation leading zero@3; 1 120"),
        ("1 120 x y", "deviation trailing fields@5; 1 120"),
        ("1 120 ", "deviation trailing white space@5; 1 120"),
        ("..1 1", "bad message number"),
    ] {
        size(line, got, table);
    }
    let ids = || client().says(|client| client.uidl(None)).after(b"+OK\r\n");
    for (line, got) in [
        (&b"1 a"[..], "1 a"),
        (b"1 .a/../b", "1 .a/../b"),
        (b"2 a", "2 a"),
        (b"1 ", "bad unique id"),
        (b"1 \xff", "bad unique id"),
        (b"1 a\x7f", "bad unique id"),
        (b"1 a b", "deviation trailing fields@3; 1 a"),
    ] {
        table.client(ids(), [line, b"\r\n"].concat(), got);
    }
    table.client(ids(), [&b"1 "[..], &[b'x'; 71], b"\r\n"].concat(), "bad unique id");
    table.client(ids(), [&b"1 "[..], &[b'x'; 5000], b"\r\n2 b\r\n"].concat(), "too many octets; 2 b");
    table.client(
        ids(),
        b"9 same\r\n4 same\r\n4 other\r\n.\r\n",
        "9 same; 4 same; 4 other; end Listing { lines: 3 }",
    );
    let few = client_with("3 lines at most", |config| config.limits.listing_lines = 3);
    table.client(
        few.says(|client| client.list(None)).after(b"+OK\r\n"),
        b"1 1\r\n2 1\r\n3 1\r\n4 1\r\n.\r\n",
        "1 1; 2 1; 3 1; closed TooManyLines",
    );
    let lenient = client_with("any id", |config| config.tolerance.lenient_ids = true);
    table.client(
        lenient.says(|client| client.uidl(None)).after(b"+OK\r\n"),
        b"1 a b\xff\r\n2 \xff\r\n",
        r"deviation trailing fields@3; 1 a; deviation not a valid unique id@2; 2 raw \xff",
    );
    table.client(
        client().says(|client| client.list(None)).after(b"+OK\r\n1 1\r\n"),
        b".\r\n",
        "end Listing { lines: 1 }",
    );
}

fn content(table: &mut Table) {
    table.row("C-6", "Content ends at CR LF `.` CR LF, and at its start at `.` CR LF; at nothing else");
    let retr = || client().says(|client| client.retr(number(1))).after(b"+OK\r\n");
    for (wire, got) in [
        (&b".\r\n"[..], "end 0"),
        (b"a\r\n.\r\n", r"content a\r\n; end 3"),
        (b"..\r\n.\r\n", r"content .\r\n; end 3"),
        (b"..x\r\n...\r\n.\r\n", r"content .x\r\n..\r\n; end 8"),
        (b"a\n.\n.\r\nb\r\n.\r\n", r"content a\n.\n.\r\nb\r\n; end 10"),
        (b"a\r.\r\n\r\n.\r\n", r"content a\r.\r\n\r\n; end 7"),
        (b"a\r\n.\n\r\n.\r\n", r"content a\r\n\n\r\n; deviation dot that was not doubled@3; end 6"),
        (b"a\r\n.\rb\r\n.\r\n", r"content a\r\n\rb\r\n; deviation dot that was not doubled@3; end 7"),
        (b"x\r\n.a\r\n.\r\n", r"content x\r\na\r\n; deviation dot that was not doubled@3; end 6"),
        (b"\r\r\n.\r\n", r"content \r\r\n; end 3"),
        (b"\0\xff\r\n.\r\n", r"content \x00\xff\r\n; end 4"),
    ] {
        table.client(retr(), wire, got);
    }
    let keeps = client_with("lone dots kept", |config| config.tolerance.keep_lone_dots = true);
    table.client(
        keeps.says(|client| client.retr(number(1))).after(b"+OK\r\n"),
        b".a\r\n.\r\n",
        r"content .a\r\n; deviation dot that was not doubled@0; end 4",
    );
    for cut in [&b"a\r\n"[..], b"a\r\n.", b"a\r\n.\r", b""] {
        let mut asking = retr();
        asking.peer.reply(cut);
        let got = asking.peer.eof().join("; ");
        table.case(format!("C: RETR 1⏎ S: +OK⏎{} (end)", shown(cut)), "closed Truncated", got);
    }
    let lf = || ungreeted("LF of a greeting", |config| config.tolerance.bare_line_feeds = true);
    table.client(lf(), b"+OK hi\n", "deviation bare LF@6; greeting hi");
    table.client(
        lf().after(b"+OK hi\n").says(|client| client.retr(number(1))),
        b"+OK\n..a\n.\n",
        r"Ok  = Multiline; content .a\n; end 3",
    );
    table.client(
        lf().after(b"+OK hi\r\n").says(|client| client.retr(number(1))),
        b"+OK\r\na\n.\n\r\n.\r\n",
        r"Ok  = Multiline; content a\n.\n\r\n; end 6",
    );
}

fn commands(table: &mut Table) {
    table.row("C-7", "Nothing that ends a line becomes part of a command");
    for octets in ["a\rb", "a\nb", "a\0b", "a\r\nDELE 1"] {
        let refused = [
            UserName::with_spaces(octets).is_err(),
            Password::new(octets).is_err(),
            Argument::new(octets.as_bytes()).is_err(),
            LanguageRange::new(octets).is_err(),
            MechanismName::parse(octets.as_bytes()).is_err(),
            Credentials::password(octets, "x").is_err(),
            Credentials::password("x", octets).is_err(),
        ];
        let got = if refused.iter().all(|refused| *refused) { "refused" } else { "taken" };
        table.case(format!("host: {}", shown(octets.as_bytes())), "refused", got);
    }
    let got = if UserName::new("a b").is_err() { "refused" } else { "taken" };
    table.case("host: the name `a b`".replace('`', "'"), "refused", got);
    let asking = client().says(|client| client.user(&name())).after(b"+OK\r\n");
    let mut peer = asking.peer;
    peer.client.pass(&Password::new(" a b ").unwrap()).unwrap();
    table.case("host: the password ' a b '", "PASS  a b ⏎", shown(peer.sent().as_bytes()));

    table.row("C-11", "One command at a time until PIPELINING was announced, then a window; nothing behind STLS, AUTH, QUIT, PASS");
    let busy =
        |mut asking: Asking, then: fn(&mut Client) -> Result<(), Misuse>| match then(&mut asking.peer.client)
        {
            Ok(()) => "sent".to_string(),
            Err(misuse) => format!("{misuse:?}"),
        };
    let pipelining = || client().knowing(&[Capability::Pipelining]);
    table.case("NOOP, STAT", "Busy", busy(client().says(Client::noop), |client| client.stat().map(drop)));
    table.case(
        "[PIPELINING] NOOP, STAT",
        "sent",
        busy(pipelining().says(Client::noop), |client| client.stat().map(drop)),
    );
    for (input, asking) in [
        ("[PIPELINING] USER, PASS", pipelining().says(|client| client.user(&name()))),
        ("[PIPELINING] STLS, NOOP", pipelining().says(Client::stls)),
        ("[PIPELINING] QUIT, NOOP", pipelining().says(Client::quit)),
    ] {
        let then: fn(&mut Client) -> Result<(), Misuse> = if input.ends_with("PASS") {
            |client| client.pass(&password()).map(drop)
        } else {
            |client| client.noop().map(drop)
        };
        table.case(input, "Busy", busy(asking, then));
    }
    table.client(
        pipelining()
            .says(|client| client.dele(number(1)))
            .says(Client::noop)
            .says(|client| client.list(None)),
        b"-ERR gone\r\n+OK\r\n+OK\r\n2 5\r\n.\r\n",
        "Err gone; Ok ; Ok  = Multiline; 2 5; end Listing { lines: 1 }",
    );
    let mut asking = ungreeted("", |_| {});
    let early = asking.peer.client.capa().unwrap_err();
    table.case("CAPA before the greeting", "WrongState", format!("{early:?}"));
}

fn auth(asking: Asking, mechanism: MechanismName) -> Asking {
    let credentials = Credentials::password("tim", "tanstaaf").unwrap();
    asking.says(|client| {
        let exchange = client.exchange(mechanism, &credentials).unwrap();
        client.auth(exchange)
    })
}

fn login(table: &mut Table) {
    apop(table);

    table.row("C-9", "AUTH: the first message goes with the command where SASL is announced and it fits; what makes no sense is cancelled");
    let announced = || client().knowing(&[Capability::Sasl(vec![MechanismName::PLAIN])]);
    table.client(auth(announced(), MechanismName::PLAIN), b"+OK\r\n", "Ok ");
    table.client(auth(client(), MechanismName::PLAIN), b"+ \r\n", "C: AHRpbQB0YW5zdGFhZg==⏎");
    for challenge in ["+ !", "+ =", "+ eA==", "+ AAA", "+ A A="] {
        table.client(auth(client(), MechanismName::PLAIN), format!("{challenge}\r\n"), "C: *⏎");
    }
    table.client(auth(client(), MechanismName::LOGIN), b"+ \r\n+ \r\n+ \r\n", "C: dGlt⏎dGFuc3RhYWY=⏎*⏎");
    table.client(
        auth(client(), MechanismName::PLAIN).after(b"+ !\r\n"),
        b"-ERR\r\n",
        "Err  = Cancelled(UnexpectedChallenge)",
    );
    for mechanism in [MechanismName::LOGIN, MechanismName::SCRAM_SHA_256] {
        let mut asking = auth(client(), mechanism);
        let got = asking.peer.reply(b"+OK welcome\r\n").join("; ");
        let got = if got.starts_with("closed NotProven") { "closed NotProven" } else { &got };
        table.case(format!("C: AUTH {mechanism}⏎ S: +OK welcome⏎"), "closed NotProven", got);
    }
    let ok = client_with("+OK for a challenge", |config| config.tolerance.ok_as_challenge = true);
    table.client(
        auth(ok, MechanismName::PLAIN),
        b"+OK\r\n",
        "deviation status where a challenge was due@0 C: AHRpbQB0YW5zdGFhZg==⏎",
    );
}

fn quit(table: &mut Table) {
    table.row("C-10", "Only `+OK` to QUIT says that messages are gone");
    let quit = || client().says(Client::quit);
    table.client(quit(), b"+OK\r\n", "Ok  = Quit(Committed); closed Quit(Committed)");
    table.client(quit(), b"-ERR some\r\n", "Err some = Quit(Failed); closed Quit(Failed)");
    for (input, octets) in [("C: QUIT⏎ (end)", &b""[..]), ("C: QUIT⏎ S: +OK (end)", b"+OK")] {
        let mut asking = quit();
        asking.peer.reply(octets);
        table.case(input, "closed Quit(Unknown)", asking.peer.eof().join("; "));
    }
    let mut asking = quit();
    asking.peer.wait(0);
    table.case("C: QUIT⏎ (300 s)", "closed Quit(Unknown)", asking.peer.wait(300).join("; "));
    let mut asking = client();
    asking.peer.client.abort();
    table.case("abort", "closed Aborted", asking.peer.events().join("; "));
    table.client(client(), b"+OK again\r\n", "closed Unexpected(\"+OK again\\r\\n\")");
}

fn tolerated(table: &mut Table) {
    table.row("C-12", "CAPA in any case, refused, or asked again");
    table.client(
        client().says(Client::capa),
        b"+OK\r\ntop\r\nSasl plain\r\nutf8 user\r\nX-OWN a\r\n.\r\n",
        "Ok  = Multiline; end Capabilities(Capabilities([Top, Sasl([PLAIN]), Utf8 { user: true }, Unknown(b\"X-OWN a\")]))",
    );
    table.client(client().says(Client::capa), b"-ERR what\r\n", "Err what");
    table.client(
        client().says(Client::capa),
        b"+OK\r\nEXPIRE 5 USER\r\nLOGIN-DELAY 900\r\nEXPIRE never\r\n.\r\n",
        "Ok  = Multiline; end Capabilities(Capabilities([Expire { days: Some(5), per_user: true }, LoginDelay { seconds: 900, per_user: false }, Expire { days: None, per_user: false }]))",
    );

    table.row("C-13", "A refusal costs its command only");
    let mut asking = client();
    for _ in 0..3 {
        asking = asking.says(|client| client.retr(number(1))).after(b"-ERR no\r\n");
    }
    let got = if asking.is_closed() { "closed" } else { "goes on" };
    table.case("RETR 1 refused three times", "goes on", got);
}

fn apop(table: &mut Table) {
    use mailwright_pop3::client::Apop;

    table.row("C-8", "APOP where it is allowed and the greeting has a msg-id; nothing falls back to it");
    let said = |apop: Apop, tls: TlsMode, greeting: &str| {
        let mut asking = ungreeted("", |config| {
            config.apop = apop;
            config.tls = tls;
        });
        if tls == TlsMode::Implicit {
            asking.peer.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), asking.peer.now);
        }
        asking.peer.reply(format!("{greeting}\r\n").as_bytes());
        match asking.peer.client.apop(&UserName::new("mrose").unwrap(), &password()) {
            Ok(_) => shown(asking.peer.sent().as_bytes()),
            Err(error) => format!("{error:?}"),
        }
    };
    let timestamp = "<1896.697170952@dbc.mtview.ca.us>";
    let greeting = format!("+OK ready {timestamp}");
    let right = "APOP mrose c4c9334bac560ecc979e58001b3e22fb⏎";
    table.case(greeting.as_str(), right, said(Apop::Always, TlsMode::Off, &greeting));
    table.case(
        format!("+OK {timestamp} ready"),
        right,
        said(Apop::Always, TlsMode::Off, &format!("+OK {timestamp} ready")),
    );
    table.case(format!("[TLS] {greeting}"), right, said(Apop::WithTls, TlsMode::Implicit, &greeting));
    table.case(format!("[never] {greeting}"), "NotAllowed", said(Apop::Never, TlsMode::Implicit, &greeting));
    table.case(
        format!("[in TLS only] {greeting}"),
        "NotAllowed",
        said(Apop::WithTls, TlsMode::Off, &greeting),
    );
    table.case(
        format!("[TLS wanted] {greeting}"),
        "NotAllowed",
        said(Apop::Always, TlsMode::StartTls, &greeting),
    );
    for text in [
        "ready",
        "<1.2>",
        "<@a>",
        "<1@>",
        "<1..2@a>",
        "<1 2@a>",
        "<1@a@b>",
        "<\u{1}@a>",
        "<\u{e4}@a>",
        "1@a>",
    ] {
        let greeting = format!("+OK {text}");
        table.case(shown(greeting.as_bytes()), "NoTimestamp", said(Apop::Always, TlsMode::Off, &greeting));
    }
}
