//! What an attacker may try: at the server as a client or in between, at the client as a server, in between, or
//! as the author of a message.

use mailwright_core::session::Session as _;
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::Client;
use mailwright_pop3::sasl::{Credentials, MechanismName};
use mailwright_pop3::server::{Opening, Utf8};
use mailwright_pop3::types::Capability;

use crate::support::peer::number;
use crate::table::{Table, answering, client, client_with, fresh, with};

pub(crate) fn rows(table: &mut Table) {
    in_between(table);
    of_clients(table);
    of_servers(table);
    of_authors(table);
}

const OPENED: &str = "+OK 2 messages (50 octets)⏎";
const FAILED: &str = "-ERR [AUTH] authentication failed⏎";

fn in_between(table: &mut Table) {
    table.row("A-1", "Commands put behind STLS by who stands in between are never executed");
    let injected = b"STLS\r\nUSER mallory\r\nPASS mallory\r\nDELE 1\r\nQUIT\r\n";
    let starttls = || with("STLS", |config| config.tls = TlsMode::StartTls);
    for cut in [6, 7, 20, injected.len()] {
        let mut served = starttls();
        served.host.send(&injected[..cut]);
        served.host.send(&injected[cut..]);
        let left = served.host.end.input.len();
        let got = format!("{} octets for the handshake; {}", left, served.host.events.join("; "));
        let expected = format!("{} octets for the handshake; ", injected.len() - 6);
        table.case(format!("host: STLS and more, cut at {cut}"), &expected, got);
    }

    table.row("A-2", "Replies put behind the agreement on STLS are never believed");
    let wants = || client_with("TLS wanted", |config| config.tls = TlsMode::StartTls);
    for injected in ["+OK\r\n", "+OK\r\nUSER\r\n.\r\n", "\0", "-"] {
        table.client(wants().says(Client::stls), format!("+OK\r\n{injected}"), "Ok ; closed EarlyOctets");
    }

    table.row("A-3", "TLS that was stripped from CAPA costs the session, not the password");
    let mut asking = wants().says(Client::capa).after(b"+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n");
    let credentials = Credentials::password("tim", "tanstaaf").unwrap();
    let exchange = asking.peer.client.exchange(MechanismName::PLAIN, &credentials).unwrap();
    let refused = asking.peer.client.auth(exchange).unwrap_err();
    let got = format!("{refused:?}, sent {:?}", asking.peer.sent());
    table.case("[TLS wanted] CAPA without STLS, then AUTH PLAIN", "Plaintext, sent \"\"", got);

    table.row("A-4", "A language or a name that was set before TLS is gone behind it");
    let served = starttls().after(b"USER mrose\r\nSTLS\r\n").in_tls();
    table.server(served, b"PASS tanstaaf\r\n", "-ERR log in first⏎");
}

fn of_clients(table: &mut Table) {
    table.row(
        "A-5",
        "Who guesses passwords learns nothing about names, maildrops or locks, and has three tries",
    );
    let locked = || answering("locked", |_| {}, |answers| answers.opening = Some(Opening::InUse));
    table.server(locked(), b"USER mrose\r\nPASS wrong\r\n", &format!("+OK send PASS⏎{FAILED}"));
    table.server(fresh(), b"USER nobody\r\nPASS wrong\r\n", &format!("+OK send PASS⏎{FAILED}"));
    table.server(
        fresh(),
        b"USER a\r\nPASS x\r\nUSER b\r\nPASS x\r\nUSER c\r\nPASS x\r\nUSER mrose\r\nPASS tanstaaf\r\n",
        &format!("{}closed TooManyFailures", format!("+OK send PASS⏎{FAILED}").repeat(3) + " "),
    );

    table.row("A-6", "A browser that was told to speak to this port executes nothing");
    table.server(
        fresh(),
        b"POST / HTTP/1.1\r\nHost: a\r\n\r\nUSER mrose\r\nPASS tanstaaf\r\nDELE 1\r\nQUIT\r\n",
        "closed Http",
    );

    table.row("A-7", "A number never means another message");
    for number in ["4294967297", "18446744073709551617", "-4294967295", "1 "] {
        let mut served = fresh().logged_in();
        served.host.send(format!("DELE {number}\r\nQUIT\r\n").as_bytes());
        let removed = served.host.removed.clone().unwrap_or_default();
        let expected = if number == "1 " { "removed [1]" } else { "removed []" };
        table.case(format!("host: DELE {number}⏎QUIT⏎"), expected, format!("removed {removed:?}"));
    }

    table.row("A-8", "A line end that is none hides no command, and a NUL cuts no line");
    for line in ["NOOP\rDELE 1\r\n", "NOOP\0\r\n", "NOOP\x0bDELE 1\r\n", "NOOP\x0cDELE 1\r\n", "LIST 1\0\r\n"]
    {
        table.server(fresh().logged_in(), line, "-ERR control character in the line⏎");
    }
    table.server(fresh().logged_in(), "NOOP\u{85}DELE 1\r\n", "-ERR unknown command⏎");
    table.server(fresh().logged_in(), "NOOP\u{2028}DELE 1\r\n", "-ERR unknown command⏎");

    table.row("A-9", "Octets without end are held to the limit of a line");
    let mut served = fresh().logged_in();
    let mut most = 0;
    for _ in 0..1000 {
        served.host.send(&[b'x'; 1460]);
        most = most.max(served.host.end.input.len());
    }
    table.case(
        "host: 1460 times 1000 octets without line end",
        "at most 1024 held",
        format!("at most {} held", most.max(1024)),
    );

    table.row("A-10", "Who asks and never reads costs a buffer, then is left");
    let mut served = fresh().logged_in();
    served.host.end.input.extend_from_slice(&b"CAPA\r\n".repeat(10_000));
    let now = served.host.end.now;
    served.host.end.session.handle_input(&mut served.host.end.input, now);
    let held = served.host.end.session.transmit().len();
    let got =
        if held <= 16 * 1024 && !served.host.end.session.wants().input { "bounded" } else { "unbounded" };
    table.case("host: CAPA⏎ 10000 times, never read", "bounded", got);

    table.row("A-11", "A name that is prepared cannot become another by its form");
    let names = || with("UTF8 USER", |config| config.utf8 = Utf8::MessagesAndNames);
    table.told(names(), "USER m\u{ad}rose\r\nPASS tanstaaf\r\n", "authenticate mrose; open mrose");
    table.server(names(), "USER m\u{202e}rose\r\n", "-ERR a character that names cannot have⏎");
    table.server(names(), b"USER m\xc0\xb2ose\r\n", "-ERR a character that names cannot have⏎");
    table.server(
        fresh().after(b"XYZZY\r\n"),
        b"USER mrose\r\nPASS tanstaaf\r\n",
        &format!("+OK send PASS⏎{OPENED}"),
    );
}

fn of_servers(table: &mut Table) {
    table.row("A-12", "A server that claims success without proof is left");
    for reply in ["+OK\r\n", "+ \r\n+OK\r\n"] {
        let credentials = Credentials::password("tim", "tanstaaf").unwrap();
        let mut asking = client().says(|client| {
            let exchange = client.exchange(MechanismName::SCRAM_SHA_256, &credentials).unwrap();
            client.auth(exchange)
        });
        let got = asking.peer.reply(reply.as_bytes()).join("; ");
        let got = if got.starts_with("closed NotProven") { "closed NotProven" } else { &got };
        table.case(
            format!("C: AUTH SCRAM-SHA-256⏎ S: {}", crate::table::shown(reply.as_bytes())),
            "closed NotProven",
            got,
        );
    }

    table.row("A-13", "A server that says more than it was asked is left");
    table.client(client().says(Client::noop), b"+OK\r\n+OK\r\n", "Ok ; closed Unexpected(\"+OK\\r\\n\")");
    table.client(
        client().says(|client| client.list(Some(number(1)))),
        b"+OK 1 5\r\n1 5\r\n.\r\n",
        "Ok 1 5 = 1 5; closed Unexpected(\"1 5\\r\\n.\\r\\n\")",
    );

    table.row("A-14", "A listing without end, or of lines without end, is bounded");
    let few = client_with("1000 lines at most", |config| config.limits.listing_lines = 1000);
    let mut asking = few.says(|client| client.uidl(None)).after(b"+OK\r\n");
    let got = asking.peer.reply(&b"1 a\r\n".repeat(2000)).pop().unwrap_or_default();
    table.case("C: UIDL⏎ S: +OK⏎ 1 a⏎ 2000 times", "closed TooManyLines", got);
    let mut asking = client().says(|client| client.uidl(None)).after(b"+OK\r\n");
    let mut most = 0;
    for _ in 0..100 {
        asking.peer.reply(&[b'x'; 1460]);
        most = most.max(asking.peer.input.len());
    }
    let got = if most <= 4096 { "bounded" } else { "unbounded" };
    table.case("C: UIDL⏎ S: +OK⏎ 146000 octets without line end", "bounded", got);

    table.row("A-15", "Ids and texts of a server are values, and go to no terminal as they are");
    table.client(
        client().says(|client| client.uidl(None)).after(b"+OK\r\n"),
        b"1 ../../etc/passwd\r\n2 a\x1b[2J\r\n",
        "1 ../../etc/passwd; bad unique id",
    );
    table.client(client().says(Client::noop), b"-ERR \x1b]0;x\x07\x9b\r\n", r"Err \u{1b}]0;x\u{7}\x9b");

    table.row("A-16", "Challenges go on only so long, and learn nothing they should not");
    let credentials = Credentials::password("tim", "tanstaaf").unwrap();
    let asking = client().says(|client| {
        let exchange = client.exchange(MechanismName::LOGIN, &credentials).unwrap();
        client.auth(exchange)
    });
    table.client(asking, b"+ \r\n".repeat(4), "C: dGlt⏎dGFuc3RhYWY=⏎*⏎*⏎");
}

fn of_authors(table: &mut Table) {
    table.row("A-17", "A message that looks like the end of itself goes through whole, at both sides");
    for (message, wire) in [
        (&b".\r\n+OK\r\n"[..], "+OK 8 octets⏎..⏎+OK⏎.⏎"),
        (b"a\r\n.\r\nDELE 1\r\n", "+OK 14 octets⏎a⏎..⏎DELE 1⏎.⏎"),
        (b"a\n.\nb", "+OK 9 octets⏎a⏎..⏎b⏎.⏎"),
        (b"a\r.\rb", "+OK 7 octets⏎a\\r.\\rb⏎.⏎"),
        (b"a\n.\r\n", "+OK 6 octets⏎a⏎..⏎.⏎"),
        (b"a\r\n.\n", "+OK 6 octets⏎a⏎..⏎.⏎"),
    ] {
        let option = format!("message {}", crate::table::shown(message));
        let mut served =
            answering(&option, |_| {}, |answers| answers.messages = vec![message.to_vec()]).logged_in();
        let said = served.host.send(b"RETR 1\r\n");
        table.case(format!("[{option}] (logged in) RETR 1⏎"), wire, crate::table::shown(said.as_bytes()));
        // What went out comes in as one message, and nothing behind it.
        let mut asking = client().says(|client| client.retr(number(1)));
        let events = asking.peer.reply(said.as_bytes());
        let ends = events.iter().filter(|event| event.starts_with("end")).count();
        let got =
            format!("{ends} message, {}", if asking.is_closed() { "closed" } else { "nothing behind it" });
        table.case(
            format!("C: RETR 1⏎ S: {}", crate::table::shown(said.as_bytes())),
            "1 message, nothing behind it",
            got,
        );
    }
    for wire in ["a\n.\n+OK\r\n.\r\n", "a\r.\r+OK\r\n.\r\n", "a\n.\r\n+OK\r\n.\r\n", "a\r\n.\n+OK\r\n.\r\n"] {
        let mut asking = client().knowing(&[Capability::Pipelining]).says(|client| client.retr(number(1)));
        asking.peer.client.noop().unwrap();
        let events = asking.peer.reply(format!("+OK\r\n{wire}").as_bytes());
        let forged = events.iter().filter(|event| *event == "Ok ").count();
        let got = format!("{forged} replies forged");
        table.case(
            format!("C: RETR 1⏎NOOP⏎ S: +OK⏎{}", crate::table::shown(wire.as_bytes())),
            "0 replies forged",
            got,
        );
    }

    table.row("A-18", "A message with UTF-8 in its header does not go to who cannot read it");
    let served =
        answering("UTF8", |config| config.utf8 = Utf8::Messages, |answers| answers.needs_utf8 = vec![1]);
    table.server(served.logged_in(), b"RETR 1\r\n", "-ERR [UTF8] the message needs UTF8⏎");
}
