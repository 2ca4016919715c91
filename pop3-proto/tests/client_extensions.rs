//! What RFC 6856 adds at the client, tolerances that change how a whole connection is read, and what tokens need.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use mailwright_core::session::{Session as _, TlsInfo, Upgraded};
use mailwright_core::value::Misuse;
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::{Config, InitialResponse};
use mailwright_pop3::sasl::{Credentials, MechanismName};
use mailwright_pop3::types::{Capabilities, Capability, LanguageRange, Password, UserName};
use support::peer::{Peer, clear_text, number};

// ---- UTF8

#[test]
fn utf8_is_said_before_the_login_and_no_stls_behind_it() {
    let mut peer = Peer::greeted(clear_text());
    peer.client.utf8().unwrap();
    assert_eq!(peer.sent(), "UTF8\r\n");
    assert_eq!(peer.reply(b"-ERR no\r\n"), ["Err no"]);
    assert!(peer.client.stls().is_ok(), "it was refused");
    let mut peer = Peer::greeted(clear_text());
    peer.client.utf8().unwrap();
    peer.reply(b"+OK UTF8 enabled\r\n");
    peer.sent();
    assert_eq!(peer.client.stls(), Err(Misuse::WrongState));
    assert_eq!(peer.sent(), "");
}

#[test]
fn names_and_passwords_beyond_ascii_go_only_where_utf8_user_is_announced() {
    let name = UserName::new("ros\u{e9}").unwrap();
    let password = Password::new("\u{20ac}").unwrap();
    let mut peer = Peer::greeted(clear_text());
    for capabilities in [
        None,
        Some(Capabilities::new()),
        Some(Capabilities::from_iter([Capability::Utf8 { user: false }, Capability::User])),
    ] {
        if let Some(capabilities) = capabilities {
            peer.client.set_capabilities(capabilities);
        }
        assert_eq!(peer.client.user(&name), Err(Misuse::NotAnnounced));
        assert_eq!(peer.client.pass(&password), Err(Misuse::NotAnnounced));
    }
    assert_eq!(peer.sent(), "");
    peer.client.set_capabilities(Capabilities::from_iter([Capability::Utf8 { user: true }]));
    peer.client.user(&name).unwrap();
    peer.reply(b"+OK\r\n");
    peer.client.pass(&password).unwrap();
    assert_eq!(peer.sent(), "USER ros\u{e9}\r\nPASS \u{20ac}\r\n");
}

#[test]
fn the_code_utf8_is_typed() {
    let mut peer = Peer::pipelining();
    peer.client.retr(number(1)).unwrap();
    assert_eq!(peer.reply(b"-ERR [UTF8] not for you\r\n"), ["Err <UTF8> not for you"]);
}

// ---- LANG

#[test]
fn lang_gives_tags_and_texts() {
    let mut peer = Peer::pipelining();
    peer.client.lang(None).unwrap();
    peer.client.lang(Some(LanguageRange::new("es").unwrap())).unwrap();
    peer.client.lang(Some(LanguageRange::ANY)).unwrap();
    peer.client.lang(Some(LanguageRange::new("uga").unwrap())).unwrap();
    peer.client.lang(Some(LanguageRange::new("sv").unwrap())).unwrap();
    assert_eq!(peer.sent(), "LANG\r\nLANG es\r\nLANG *\r\nLANG uga\r\nLANG sv\r\n");
    let replies = "+OK Language listing follows:\r\nen English\r\nes Espa\u{f1}ol\r\n..x\r\n.\r\n\
        +OK es Idioma cambiado\r\n+OK i-default\r\n-ERR es Idioma <<UGA>> no es conocido\r\n+OK *\r\n";
    assert_eq!(
        peer.reply(replies.as_bytes()),
        [
            "Ok Language listing follows: = Multiline",
            "en English",
            "es Espa\u{f1}ol",
            "bad language tag",
            "end Listing { lines: 3 }",
            "Ok es Idioma cambiado = es Idioma cambiado",
            "Ok i-default = i-default ",
            "Err es Idioma <<UGA>> no es conocido",
            "Ok * = Unreadable(EntryError { problem: Language, line: \"*\" })",
        ]
    );
}

#[test]
fn nothing_that_ends_a_line_is_a_language() {
    for range in ["en\r\nDELE 1", "en\n", "\0", "", "en us", "**"] {
        assert!(LanguageRange::new(range).is_err(), "{range:?}");
    }
}

// ---- A server without CR

fn without_cr() -> Config {
    let mut config = clear_text();
    config.tolerance.bare_line_feeds = true;
    config
}

#[test]
fn a_server_that_greets_without_cr_is_read_so_by_tolerance() {
    let mut peer = Peer::new(without_cr());
    assert_eq!(peer.reply(b"+OK ready\n"), ["deviation bare LF@9", "greeting ready"]);
    peer.client.list(None).unwrap();
    assert_eq!(
        peer.reply(b"+OK\n1 120\n2 200\r\n.\n"),
        ["Ok  = Multiline", "1 120", "2 200", "end Listing { lines: 2 }"]
    );
    peer.client.retr(number(1)).unwrap();
    assert_eq!(peer.reply(b"+OK\n..a\nb\n.\n"), ["Ok  = Multiline", r"content .a\nb\n", "end 5"]);
    peer.client.noop().unwrap();
    assert_eq!(peer.reply(b"+OK\n"), ["Ok "]);
    // A client always writes CR LF.
    assert_eq!(peer.sent(), "LIST\r\nRETR 1\r\nNOOP\r\n");
}

#[test]
fn without_the_tolerance_a_bare_lf_ends_nothing() {
    let mut peer = Peer::new(clear_text());
    assert_eq!(peer.reply(b"+OK ready\n"), [""; 0]);
}

#[test]
fn a_greeting_with_cr_makes_lf_content_again() {
    let mut peer = Peer::new(without_cr());
    assert_eq!(peer.reply(b"+OK ready\r\n"), ["greeting ready"]);
    peer.client.retr(number(1)).unwrap();
    assert_eq!(
        peer.reply(b"+OK\r\na\n.\n+OK\n\r\n.\r\n"),
        ["Ok  = Multiline", r"content a\n.\n+OK\n\r\n", "end 10"]
    );
    peer.client.noop().unwrap();
    assert_eq!(peer.reply(b"+OK a\nb\r\n"), [r"Ok a\nb"]);
}

#[test]
fn the_greeting_before_tls_says_nothing_about_lines_inside_it() {
    let mut config = without_cr();
    config.tls = TlsMode::StartTls;
    let mut peer = Peer::new(config);
    peer.reply(b"+OK ready\n");
    peer.client.stls().unwrap();
    peer.reply(b"+OK\n");
    peer.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), peer.now);
    peer.events();
    peer.client.retr(number(1)).unwrap();
    assert_eq!(
        peer.reply(b"+OK\r\na\n.\n+OK forged\r\n.\r\n"),
        ["Ok  = Multiline", r"content a\n.\n+OK forged\r\n", "end 16"]
    );
}

#[test]
fn the_greeting_inside_tls_says_how_the_connection_is_read() {
    let mut config = without_cr();
    config.tls = TlsMode::Implicit;
    let mut peer = Peer::new(config);
    peer.client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), peer.now);
    assert_eq!(peer.reply(b"+OK ready\n"), ["secured", "deviation bare LF@9", "greeting ready"]);
    peer.client.noop().unwrap();
    assert_eq!(peer.reply(b"+OK\n"), ["Ok "]);
}

// ---- Long lines

#[test]
fn a_long_status_line_is_read_and_reported() {
    let mut peer = Peer::greeted(clear_text());
    for (length, deviation) in [(507, false), (508, true)] {
        peer.client.noop().unwrap();
        let events = peer.reply(format!("+OK {}\r\n", "x".repeat(length - 1)).as_bytes());
        assert_eq!(events.first().unwrap() == "deviation long line@512", deviation, "{length}");
        assert!(events.last().unwrap().starts_with("Ok x"));
    }
}

// ---- Tokens

fn token(config: Config, mechanism: MechanismName) -> Peer {
    let mut peer = Peer::greeted(config);
    peer.client.set_capabilities(Capabilities::from_iter([Capability::Sasl(vec![mechanism])]));
    let credentials = Credentials::token("tim", "t0ken").unwrap();
    let exchange = peer.client.exchange(mechanism, &credentials).unwrap();
    peer.client.auth(exchange).unwrap();
    peer
}

#[test]
fn a_token_goes_in_two_steps_unless_the_host_wants_it_otherwise() {
    for mechanism in [MechanismName::XOAUTH2, MechanismName::OAUTHBEARER] {
        let mut peer = token(clear_text(), mechanism);
        assert_eq!(peer.sent(), format!("AUTH {mechanism}\r\n"));
        let mut config = clear_text();
        config.token_initial_response = InitialResponse::Auto;
        let mut peer = token(config, mechanism);
        assert!(peer.sent().starts_with(&format!("AUTH {mechanism} ")), "{mechanism}");
    }
}

#[test]
fn why_a_token_was_refused_is_reported() {
    // {"status":"400"}
    let challenge = b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n";
    for (mechanism, answer) in [(MechanismName::XOAUTH2, "\r\n"), (MechanismName::OAUTHBEARER, "AQ==\r\n")] {
        let mut peer = token(clear_text(), mechanism);
        peer.reply(b"+ \r\n");
        peer.sent();
        peer.reply(challenge);
        assert_eq!(peer.sent(), answer);
        assert_eq!(
            peer.reply(b"-ERR [AUTH] no\r\n"),
            [r#"Err [AUTH] no = Explained("{"status":"400"}")"#],
            "{mechanism}"
        );
        assert!(peer.client.noop().is_ok());
    }
}
