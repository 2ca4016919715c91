//! States, capabilities, log-in, layers. RFC 9051 §3, §6.1, §6.2.

use mailwright_imap::client::{Client, InitialResponse, SendError, TlsMode};
use mailwright_imap::types::{Atom, Capability, Command};
use mailwright_sasl::{MechanismName, base64};

use crate::peer::{credentials, fetch, login, mailbox, numbers};
use crate::table::{Asking, Table, fresh, greeted, logged_in, selected, selected_with, tls, with};

pub(crate) fn rows(t: &mut Table) {
    greetings(t);
    capabilities(t);
    logins(t);
    scram_rows(t);
    starttls(t);
    compress(t);
}

fn greetings(t: &mut Table) {
    t.row("3", "A greeting is OK, PREAUTH or BYE, and anything else is none");
    t.hears(fresh, "* OK ready\r\n", "greeting OK ready");
    t.hears(fresh, "* PREAUTH ready\r\n", "greeting PREAUTH ready");
    t.hears(fresh, "* BYE too many\r\n", "closed: the server refused the connection: too many");
    t.hears(fresh, "* NO x\r\n", "closed: not a greeting: \"x\"");
    t.hears(fresh, "* 7 EXISTS\r\n", "closed: not a greeting: \"\"");
    t.hears(fresh, "+OK POP3 ready\r\n", "closed: not a greeting: \"+OK POP3 ready\"");
    t.hears(fresh, "220 ready\r\n", "closed: not a greeting: \"220 ready\"");
    t.hears(fresh, "HTTP/1.1 400 Bad Request\r\n", "closed: not a greeting: \"HTTP/1.1 400 Bad Request\"");
    t.hears(
        || with("TLS by STARTTLS", tls(TlsMode::StartTls)),
        "* PREAUTH ready\r\n",
        "closed: the server takes the log-in as made before TLS",
    );
    t.hears(
        || with("TLS from the start", tls(TlsMode::Implicit)).in_tls(),
        "* PREAUTH ready\r\n",
        "greeting PREAUTH ready",
    );
}

/// What the client knows the server can do.
fn known(mut asking: Asking, octets: &str) -> (String, String) {
    asking.hears(octets.as_bytes(), usize::MAX);
    let known = asking.client.capabilities().map(|known| {
        let names: Vec<&str> = known.iter().map(Capability::as_str).collect();
        names.join(" ")
    });
    (
        format!("{}{}", asking.before, crate::table::shown(octets.as_bytes())),
        known.unwrap_or("not known".into()),
    )
}

fn capabilities(t: &mut Table) {
    t.row("4.8", "Capabilities are those that were said last, in the greeting, at a log-in, or when asked for; TLS, a log-in and its end make them void");
    let mut knows =
        |(input, got): (String, String), expected: &str| t.case(format!("known: {input}"), expected, got);
    knows(known(fresh(), "* OK ready\r\n"), "not known");
    knows(known(fresh(), "* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n"), "IMAP4rev1 IDLE");
    knows(
        known(greeted("IDLE").says(Command::Capability), "* CAPABILITY IMAP4rev1 MOVE\r\n$1 OK done\r\n"),
        "IMAP4rev1 MOVE",
    );
    knows(known(greeted("AUTH=PLAIN").says(login()), "$1 OK welcome\r\n"), "not known");
    knows(
        known(greeted("AUTH=PLAIN").says(login()), "$1 OK [CAPABILITY IMAP4rev1 IDLE] welcome\r\n"),
        "IMAP4rev1 IDLE",
    );
    knows(
        known(greeted("AUTH=PLAIN").says(login()), "* CAPABILITY IMAP4rev1 IDLE\r\n$1 OK welcome\r\n"),
        "IMAP4rev1 IDLE",
    );
    knows(known(greeted("AUTH=PLAIN").says(login()), "$1 NO wrong\r\n"), "IMAP4rev1 AUTH=PLAIN");
    knows(
        known(
            with("TLS by STARTTLS", tls(TlsMode::StartTls))
                .greeted("STARTTLS AUTH=PLAIN")
                .says(Command::StartTls)
                .after("$1 OK go\r\n")
                .in_tls(),
            "",
        ),
        "not known",
    );
    knows(
        known(logged_in("UNAUTHENTICATE IDLE").says(Command::Unauthenticate), "$1 OK bye\r\n"),
        "not known",
    );
    knows(
        known(logged_in("UNAUTHENTICATE IDLE").says(Command::Unauthenticate), "$1 BAD what\r\n"),
        "IMAP4rev1 UNAUTHENTICATE IDLE",
    );
    knows(known(logged_in("IDLE"), "* OK [CAPABILITY IMAP4rev1 MOVE] x\r\n"), "IMAP4rev1 MOVE");

    t.row("3 states", "A command is sent in its states only; a SELECT that fails leaves nothing selected");
    t.command(greeted(""), "SELECT INBOX", Command::Select(mailbox("INBOX").into()), "WrongState");
    t.command(logged_in(""), "LOGIN", login(), "WrongState");
    t.command(logged_in(""), "FETCH 1", fetch(numbers("1")), "WrongState");
    t.command(selected(), "FETCH 1", fetch(numbers("1")), "C: $2 FETCH 1 (FLAGS)⏎");
    let other = || selected().says(Command::Select(mailbox("other").into()));
    t.command(
        other().after("* OK [CLOSED] x\r\n$2 NO no such mailbox\r\n"),
        "FETCH 1",
        fetch(numbers("1")),
        "WrongState",
    );
    t.command(other().after("$2 BAD what?\r\n"), "FETCH 1", fetch(numbers("1")), "C: $3 FETCH 1 (FLAGS)⏎");
    t.command(
        selected().says(Command::Close).after("$2 OK done\r\n"),
        "FETCH 1",
        fetch(numbers("1")),
        "WrongState",
    );
    t.command(
        selected_with("UNSELECT").says(Command::Unselect).after("$2 OK done\r\n"),
        "CLOSE",
        Command::Close,
        "WrongState",
    );
    t.command(fresh(), "NOOP", Command::Noop, "WrongState");
    t.command(selected().after("* BYE x\r\n"), "NOOP", Command::Noop, "Closed");
}

fn plain(client: &mut Client) -> Result<(), SendError> {
    let exchange = client.exchange(MechanismName::PLAIN, &credentials()).unwrap();
    client.authenticate(exchange).map(drop)
}

fn never(config: &mut mailwright_imap::client::Config) {
    config.initial_response = InitialResponse::Never;
}

fn logins(t: &mut Table) {
    t.row("4959", "An initial response goes with AUTHENTICATE where SASL-IR or IMAP4rev2 is announced, the host does not forbid it, and it was not refused; an empty one is `=`");
    t.call(greeted("AUTH=PLAIN SASL-IR"), "PLAIN", plain, "C: $1 AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0⏎");
    t.call(greeted("AUTH=PLAIN IMAP4rev2"), "PLAIN", plain, "C: $1 AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0⏎");
    t.call(greeted("AUTH=PLAIN"), "PLAIN", plain, "C: $1 AUTHENTICATE PLAIN⏎");
    t.call(
        with("no initial response", never).greeted("AUTH=PLAIN SASL-IR"),
        "PLAIN",
        plain,
        "C: $1 AUTHENTICATE PLAIN⏎",
    );
    let external = |client: &mut Client| {
        let exchange =
            client.exchange(MechanismName::EXTERNAL, &mailwright_sasl::Credentials::external()).unwrap();
        client.authenticate(exchange).map(drop)
    };
    t.call(greeted("AUTH=EXTERNAL SASL-IR"), "EXTERNAL", external, "C: $1 AUTHENTICATE EXTERNAL =⏎");
    t.hears(|| greeted("AUTH=PLAIN").does(plain), "+ \r\n", "C: AGZyZWQAc2VjcmV0⏎");
    t.hears(|| greeted("AUTH=PLAIN").does(plain), "+\r\n", "~missing text at 1; C: AGZyZWQAc2VjcmV0⏎");
    t.hears(
        || greeted("AUTH=PLAIN SASL-IR").does(plain),
        "$1 BAD what?\r\n",
        "broken InitialResponse, retry None; #1 BAD what?",
    );
    t.call(
        greeted("AUTH=PLAIN SASL-IR").does(plain).after("$1 BAD what?\r\n"),
        "PLAIN",
        plain,
        "C: $2 AUTHENTICATE PLAIN⏎",
    );
    t.call(
        greeted("AUTH=PLAIN SASL-IR").does(plain).after("$1 NO wrong\r\n"),
        "PLAIN",
        plain,
        "C: $2 AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0⏎",
    );

    t.row("2.7 authentication", "A challenge that makes no sense cancels; success of an exchange that is not over is not believed; LOGINDISABLED is kept to, and must be known; secrets need TLS or leave");
    t.hears(
        || greeted("AUTH=PLAIN").does(plain),
        "+ ????\r\n",
        "cancelled: a challenge that the mechanism does not have; C: *⏎",
    );
    t.hears(
        || greeted("AUTH=PLAIN").does(plain).after("+ ????\r\n"),
        "$1 BAD cancelled\r\n",
        "#1 BAD cancelled",
    );
    t.hears(
        || greeted("AUTH=PLAIN").does(plain).after("+ ????\r\n"),
        "+ \r\n",
        "closed: a challenge in an exchange that was cancelled",
    );
    t.hears(|| greeted("AUTH=PLAIN").does(plain).after("+ ????\r\n"), "$1 OK welcome\r\n", "closed: the server reports a login that it cannot have made: a challenge that the mechanism does not have");
    t.hears(|| greeted("AUTH=PLAIN").does(plain), "$1 OK welcome\r\n", "closed: the server reports a login that it cannot have made: the exchange is over or waits for something else");
    t.command(greeted("LOGINDISABLED"), "LOGIN", login(), "LoginDisabled");
    t.command(fresh().after("* OK ready\r\n"), "LOGIN", login(), "NotAnnounced");
    t.call(greeted("AUTH=LOGIN"), "PLAIN", plain, "NotAnnounced");
    let no_clear_text =
        |config: &mut mailwright_imap::client::Config| config.sasl.clear_text_without_tls = false;
    t.command(
        with("nothing in clear text", no_clear_text).greeted("AUTH=PLAIN"),
        "LOGIN",
        login(),
        "Plaintext",
    );
    t.call(with("nothing in clear text", no_clear_text).greeted("AUTH=PLAIN"), "PLAIN", plain, "Plaintext");
    t.command(
        with("TLS by STARTTLS", tls(TlsMode::StartTls)).greeted("AUTH=PLAIN STARTTLS"),
        "LOGIN",
        login(),
        "Plaintext",
    );
}

/// A client that has begun SCRAM-SHA-256, and what the server says first, with another iteration count or nonce.
fn scram(t: &mut Table, what: &str, iterations: u64, own_nonce: bool, expected: &str) {
    let mut asking = greeted("AUTH=SCRAM-SHA-256 SASL-IR");
    let exchange = asking.client.exchange(MechanismName::SCRAM_SHA_256, &credentials()).unwrap();
    asking.client.authenticate(exchange).unwrap();
    let sent = String::from_utf8(asking.wrote()).unwrap();
    let first = base64::decode(sent.trim_end().rsplit(' ').next().unwrap().as_bytes()).unwrap();
    let first = String::from_utf8(first.expose().to_vec()).unwrap();
    let nonce = first.rsplit("r=").next().unwrap();
    let nonce = if own_nonce { nonce } else { "another" };
    let mut challenge = bytes::BytesMut::new();
    base64::encode(
        format!("r={nonce}0123456789abcdef,s=MDEyMzQ1Njc4OWFiY2RlZg==,i={iterations}").as_bytes(),
        &mut challenge,
    );
    let got = asking.hears(&[b"+ ", &challenge[..], b"\r\n"].concat(), usize::MAX);
    // What is answered has the nonce in it.
    let got = if got.starts_with("C: ") && got.len() > 20 { "C: the proof" } else { &got };
    t.case(format!("(SCRAM-SHA-256 begun) {what}"), expected, got);
}

fn scram_rows(t: &mut Table) {
    t.row("2.7 SCRAM", "Iterations below 4096 or above a million, and a nonce that is not the client's with more behind it, end the exchange before anything is hashed; success without the server's signature is not believed");
    scram(t, "4096 iterations", 4096, true, "C: the proof");
    scram(
        t,
        "4095 iterations",
        4095,
        true,
        "cancelled: the server asks for 4095 iterations of the key derivation; C: *⏎",
    );
    scram(
        t,
        "1000001 iterations",
        1_000_001,
        true,
        "cancelled: the server asks for 1000001 iterations of the key derivation; C: *⏎",
    );
    scram(
        t,
        "18446744073709551615 iterations",
        u64::MAX,
        true,
        "cancelled: malformed message of the server; C: *⏎",
    );
    scram(t, "another nonce", 4096, false, "cancelled: malformed message of the server; C: *⏎");
    let begun = || {
        greeted("AUTH=SCRAM-SHA-256 SASL-IR").does(|client| {
            let exchange = client.exchange(MechanismName::SCRAM_SHA_256, &credentials()).unwrap();
            client.authenticate(exchange).map(drop)
        })
    };
    t.hears(
        begun,
        "$1 OK welcome\r\n",
        "closed: the server reports a login that it cannot have made: the server has not proved itself",
    );
}

fn starttls(t: &mut Table) {
    t.row("2.4.5", "OK to STARTTLS counts if the command was written, and if nothing stands behind it; nothing from before TLS is kept or told");
    let asked =
        || with("TLS by STARTTLS", tls(TlsMode::StartTls)).greeted("STARTTLS").says(Command::StartTls);
    t.hears(asked, "$1 OK go\r\n", "#1 OK go; wants TLS");
    t.hears(asked, "$1 NO not now\r\n", "#1 NO not now");
    t.hears(
        asked,
        "* 3 EXISTS\r\n* OK [ALERT] x\r\n* 1 FETCH (FLAGS ())\r\n$1 OK go\r\n",
        "#1 OK go; wants TLS",
    );
    t.hears(
        asked,
        "$1 OK go\r\n* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] forged\r\n",
        "#1 OK go; closed: plaintext behind the reply to STARTTLS",
    );
    t.hears(asked, "$1 OK go\r\n\r\n", "#1 OK go; closed: plaintext behind the reply to STARTTLS");
    t.hears(|| asked().after("$1 OK go\r\n").in_tls(), "* OK x\r\n", "OK x");
    let refused_before = || {
        let asking = greeted("AUTH=PLAIN SASL-IR STARTTLS").does(plain).after("$1 BAD what?\r\n");
        let asking = asking.says(Command::StartTls).after("$2 OK go\r\n").in_tls();
        asking.says(Command::Capability).after("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n$1 OK done\r\n")
    };
    t.call(refused_before(), "PLAIN", plain, "C: $2 AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0⏎");
    t.case(
        "[TLS by STARTTLS] (C: $1 STARTTLS⏎) (S: $1 OK go⏎) TLS fails",
        "closed: TLS: no",
        asked().after("$1 OK go\r\n").fails(),
    );
    let mut early = with("TLS by STARTTLS", tls(TlsMode::StartTls)).greeted("STARTTLS");
    early.client.command(Command::StartTls).unwrap();
    let prefix = String::from_utf8(
        mailwright_core::session::Session::transmit(&mut early.client).take()[..6].to_vec(),
    )
    .unwrap();
    mailwright_core::session::Session::transmit(&mut early.client).put(b"x");
    let got = early.hears(format!("{prefix}1 OK go\r\n").as_bytes(), usize::MAX).replace(&prefix, "$");
    t.case(
        "[TLS by STARTTLS] (C: $1 STARTTLS⏎, not all of it written) $1 OK go⏎",
        "#1 OK go; closed: plaintext behind the reply to STARTTLS; C: x",
        got,
    );
    t.command(
        with("TLS by STARTTLS", tls(TlsMode::StartTls)).greeted(""),
        "STARTTLS",
        Command::StartTls,
        "NotAnnounced",
    );
    t.command(logged_in("STARTTLS"), "STARTTLS", Command::StartTls, "WrongState");
    t.command(
        with("TLS by STARTTLS", tls(TlsMode::StartTls)).greeted("ID"),
        "ID",
        Command::Id(Vec::new()),
        "Plaintext",
    );
}

fn compress(t: &mut Table) {
    let command = || Command::Compress(Atom::new("DEFLATE").unwrap());
    let asked = || logged_in("COMPRESS=DEFLATE").says(command());
    t.row("4978", "COMPRESS runs alone, and once; DEFLATE begins behind its OK; no TLS comes over it");
    t.hears(asked, "$1 OK go\r\n", "#1 OK go; wants Deflate");
    t.hears(asked, "$1 NO [COMPRESSIONACTIVE] by TLS\r\n", "#1 NO [CompressionActive] by TLS");
    t.hears(asked, "$1 BAD what?\r\n", "#1 BAD what?");
    let active = asked().after("$1 NO [COMPRESSIONACTIVE] by TLS\r\n");
    t.command(active, "COMPRESS DEFLATE", command(), "WrongState");
    t.command(asked(), "NOOP", Command::Noop, "Busy");
    t.command(logged_in("COMPRESS=DEFLATE").says(Command::Noop), "COMPRESS DEFLATE", command(), "Busy");
    t.command(logged_in(""), "COMPRESS DEFLATE", command(), "NotAnnounced");
    t.command(asked().after("$1 OK go\r\n").deflated(), "COMPRESS DEFLATE", command(), "WrongState");
    let before = || greeted("COMPRESS=DEFLATE STARTTLS").says(command()).after("$1 OK go\r\n").deflated();
    t.command(before(), "STARTTLS", Command::StartTls, "WrongState");

    t.row("2.10.6", "Nothing but TLS outlives UNAUTHENTICATE, and DEFLATE ends behind its OK");
    let all =
        || logged_in("COMPRESS=DEFLATE UNAUTHENTICATE").says(command()).after("$1 OK go\r\n").deflated();
    t.hears(
        || all().says(Command::Unauthenticate),
        "$2 OK [CAPABILITY IMAP4rev1] bye\r\n",
        "#2 OK [Capability([Capability(b\"IMAP4rev1\")])] bye; wants DeflateEnd",
    );
    t.hears(|| all().says(Command::Unauthenticate), "$2 BAD what?\r\n", "#2 BAD what?");
    t.hears(|| selected_with("UNAUTHENTICATE").says(Command::Unauthenticate), "$2 OK bye\r\n", "#2 OK bye");
    t.command(
        selected_with("UNAUTHENTICATE").says(Command::Unauthenticate).after("$2 OK bye\r\n"),
        "FETCH 1",
        fetch(numbers("1")),
        "WrongState",
    );
    t.command(all().says(Command::Unauthenticate), "NOOP", Command::Noop, "Busy");
}
