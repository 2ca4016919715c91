//! What RFC 2449 and RFC 6856 add, at the server: EXPIRE, LOGIN-DELAY, UTF8, LANG; and AUTH without argument.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use bytes::BytesMut;
use mailwright_core::session::Session as _;
use mailwright_pop3::TlsMode;
use mailwright_pop3::sasl::{Ask, MechanismName, Offers};
use mailwright_pop3::server::{Config, Event, Expire, Language, PerUser, Phrase, Utf8};
use support::{Answers, Host, clear_text};

/// Lines of CAPA that begin so.
fn capabilities(host: &mut Host, beginning: &str) -> Vec<String> {
    host.take_output();
    let said = host.send(b"CAPA\r\n");
    said.lines().filter(|line| line.starts_with(beginning)).map(str::to_string).collect()
}

fn log_in(host: &mut Host) {
    host.send(b"USER mrose\r\nPASS tanstaaf\r\n");
}

// ---- EXPIRE and LOGIN-DELAY

#[test]
fn retention_and_delay_are_not_announced_unless_configured() {
    let mut host = Host::new(clear_text());
    assert!(capabilities(&mut host, "EXPIRE").is_empty());
    assert!(capabilities(&mut host, "LOGIN-DELAY").is_empty());
}

#[test]
fn retention_and_delay_that_are_the_same_for_all_stay_as_they_are() {
    for (expire, line) in
        [(Expire::Days(0), "EXPIRE 0"), (Expire::Days(60), "EXPIRE 60"), (Expire::Never, "EXPIRE NEVER")]
    {
        let mut config = clear_text();
        config.expire = Some(PerUser::same(expire));
        config.login_delay = Some(PerUser::same(900));
        let mut answers = Answers::default();
        answers.own = Some((Expire::Days(1), 1));
        let mut host = Host::with(config, answers);
        for _ in 0..2 {
            assert_eq!(capabilities(&mut host, "EXPIRE"), [line]);
            assert_eq!(capabilities(&mut host, "LOGIN-DELAY"), ["LOGIN-DELAY 900"]);
            log_in(&mut host);
        }
    }
}

#[test]
fn where_users_differ_the_safe_value_comes_before_the_login_and_the_own_one_behind_it() {
    let mut config = clear_text();
    config.expire = Some(PerUser::differing(Expire::Days(5)));
    config.login_delay = Some(PerUser::differing(900));
    for (own, expire, delay) in [
        (Some((Expire::Days(30), 60)), "EXPIRE 30", "LOGIN-DELAY 60"),
        (Some((Expire::Never, 0)), "EXPIRE NEVER", "LOGIN-DELAY 0"),
        (None, "EXPIRE 5", "LOGIN-DELAY 900"),
    ] {
        let mut answers = Answers::default();
        answers.own = own;
        let mut host = Host::with(config.clone(), answers);
        assert_eq!(capabilities(&mut host, "EXPIRE"), ["EXPIRE 5 USER"]);
        assert_eq!(capabilities(&mut host, "LOGIN-DELAY"), ["LOGIN-DELAY 900 USER"]);
        log_in(&mut host);
        assert_eq!(capabilities(&mut host, "EXPIRE"), [expire]);
        assert_eq!(capabilities(&mut host, "LOGIN-DELAY"), [delay]);
    }
}

// ---- AUTH without argument

#[test]
fn auth_without_argument_is_an_error_unless_switched_on() {
    let mut host = Host::new(clear_text());
    host.take_output();
    assert_eq!(host.send(b"AUTH\r\n"), "-ERR missing argument\r\n");
    let mut config = clear_text();
    config.bare_auth = true;
    let mut host = Host::new(config);
    host.take_output();
    assert_eq!(host.send(b"AUTH\r\n"), "+OK mechanism list follows\r\nPLAIN\r\nLOGIN\r\n.\r\n");
    log_in(&mut host);
    assert_eq!(host.send(b"AUTH\r\n"), "-ERR not possible in the TRANSACTION state\r\n");
}

#[test]
fn auth_without_argument_lists_only_what_may_be_used() {
    let mut config = Config::default();
    config.bare_auth = true;
    config.offers = Offers::new([MechanismName::SCRAM_SHA_256, MechanismName::PLAIN]);
    let mut host = Host::new(config);
    host.take_output();
    assert_eq!(host.send(b"AUTH\r\n"), "+OK mechanism list follows\r\nSCRAM-SHA-256\r\n.\r\n");
}

// ---- UTF8

fn utf8(utf8: Utf8) -> Config {
    let mut config = clear_text();
    config.utf8 = utf8;
    config
}

#[test]
fn utf8_belongs_to_the_authorization_state_and_has_no_argument() {
    let mut host = Host::new(clear_text());
    host.take_output();
    assert_eq!(host.send(b"UTF8\r\n"), "-ERR no UTF8 here\r\n");
    assert!(capabilities(&mut host, "UTF8").is_empty());

    let mut host = Host::new(utf8(Utf8::Messages));
    assert_eq!(capabilities(&mut host, "UTF8"), ["UTF8"]);
    assert_eq!(host.send(b"UTF8 USER\r\n"), "-ERR unexpected argument\r\n");
    assert_eq!(host.send(b"UTF8\r\nutf8\r\n"), "+OK UTF8 enabled\r\n+OK UTF8 enabled\r\n");
    log_in(&mut host);
    assert_eq!(host.send(b"UTF8\r\n"), "-ERR not possible in the TRANSACTION state\r\n");
    assert_eq!(capabilities(&mut host, "UTF8"), ["UTF8"]);
}

#[test]
fn the_host_is_told_whether_the_client_has_said_utf8() {
    for (lines, word) in [(&b""[..], "open mrose"), (b"UTF8\r\n", "open mrose utf8")] {
        let mut host = Host::new(utf8(Utf8::Messages));
        host.send(lines);
        log_in(&mut host);
        assert_eq!(host.events.last().unwrap(), word);
    }
}

#[test]
fn a_message_that_needs_utf8_never_goes_out_without() {
    let mut answers = Answers::default();
    answers.needs_utf8 = vec![2];
    let mut host = Host::with(utf8(Utf8::Messages), answers);
    log_in(&mut host);
    host.take_output();
    host.events.clear();
    let refused = "-ERR [UTF8] the message needs UTF8\r\n";
    for line in ["LIST 2", "RETR 2", "TOP 2 0"] {
        assert_eq!(host.send(format!("{line}\r\n").as_bytes()), refused, "{line}");
    }
    assert!(host.events.is_empty(), "the host is not asked: {:?}", host.events);
    // It is there all the same, and counts.
    assert_eq!(host.send(b"UIDL 2\r\n"), "+OK 2 uid-2\r\n");
    assert_eq!(host.send(b"STAT\r\n"), "+OK 2 50\r\n");
    assert!(host.send(b"LIST\r\n").ends_with("\r\n1 28\r\n2 22\r\n.\r\n"));
    assert!(host.send(b"RETR 1\r\n").starts_with("+OK"));
    // A deleted one is gone rather than withheld.
    assert_eq!(host.send(b"DELE 2\r\n"), "+OK message 2 deleted\r\n");
    assert_eq!(host.send(b"RETR 2\r\n"), "-ERR no such message\r\n");
    assert_eq!(host.send(b"LIST 2\r\n"), "-ERR no such message\r\n");
}

#[test]
fn with_utf8_every_message_goes_out_as_it_is() {
    let message = "Subject: gr\u{fc}n\r\n\r\nx\r\n";
    let mut answers = Answers::with(vec![message.as_bytes().to_vec()]);
    answers.needs_utf8 = vec![1];
    let mut host = Host::with(utf8(Utf8::Messages), answers);
    host.send(b"UTF8\r\n");
    log_in(&mut host);
    let octets = message.len();
    assert_eq!(host.send(b"LIST 1\r\n").lines().last(), Some(format!("+OK 1 {octets}").as_str()));
    assert_eq!(host.send(b"RETR 1\r\n"), format!("+OK {octets} octets\r\n{message}.\r\n"));
}

#[test]
fn stls_is_refused_and_not_announced_behind_utf8() {
    let mut config = utf8(Utf8::Messages);
    config.tls = TlsMode::StartTls;
    let mut host = Host::new(config);
    assert_eq!(capabilities(&mut host, "STLS"), ["STLS"]);
    host.send(b"UTF8\r\n");
    assert!(capabilities(&mut host, "STLS").is_empty());
    assert_eq!(host.send(b"STLS\r\n"), "-ERR not behind UTF8\r\n");
}

fn asked(config: Config, lines: &[u8]) -> (String, Option<Ask>) {
    let mut host = Host::new(config);
    host.undecided = true;
    host.take_output();
    let said = host.send(lines);
    let ask = match host.open_questions.pop() {
        Some(Event::Authenticate { ask, .. }) => Some(ask),
        _ => None,
    };
    (said, ask)
}

#[test]
fn names_and_passwords_in_utf8_are_prepared_where_they_are_announced() {
    let mut host = Host::new(utf8(Utf8::MessagesAndNames));
    assert_eq!(capabilities(&mut host, "UTF8"), ["UTF8 USER"]);
    // A soft hyphen is nothing, a feminine ordinal indicator is an a, an ideographic space is a space.
    let lines = "USER I\u{ad}X\u{e9}\r\nPASS \u{aa}\u{3000}\u{20ac} \r\n";
    let (_, ask) = asked(utf8(Utf8::MessagesAndNames), lines.as_bytes());
    let Some(Ask::Password { authcid, password, .. }) = ask else { panic!() };
    assert_eq!(authcid, "IX\u{e9}");
    assert_eq!(password.expose(), "a \u{20ac} ".as_bytes());
    // Without UTF8 itself, and in ASCII nothing changes.
    let (_, ask) = asked(utf8(Utf8::MessagesAndNames), b"USER mrose\r\nPASS  x \r\n");
    let Some(Ask::Password { password, .. }) = ask else { panic!() };
    assert_eq!(password.expose(), b" x ");
}

#[test]
fn what_is_no_utf8_or_is_prohibited_is_refused_without_a_question() {
    for (config, lines) in [
        (utf8(Utf8::MessagesAndNames), &b"USER \xff\r\n"[..]),
        (utf8(Utf8::MessagesAndNames), b"USER \xc3\r\n"),
        (utf8(Utf8::MessagesAndNames), b"USER \xed\xa0\x80\r\n"),
        (utf8(Utf8::MessagesAndNames), b"USER \xc0\xaf\r\n"),
        (utf8(Utf8::MessagesAndNames), "USER a\u{ad}\u{85}\r\n".as_bytes()),
        (utf8(Utf8::MessagesAndNames), "USER \u{ad}\r\n".as_bytes()),
        (utf8(Utf8::MessagesAndNames), "USER \u{627}1\r\n".as_bytes()),
        (utf8(Utf8::Messages), "UTF8\r\nUSER \u{e9}\r\n".as_bytes()),
        (utf8(Utf8::Off), "USER \u{e9}\r\n".as_bytes()),
    ] {
        let (said, ask) = asked(config, lines);
        assert!(said.ends_with("-ERR a character that names cannot have\r\n"), "{said}");
        assert!(ask.is_none());
    }
    let (said, ask) = asked(utf8(Utf8::MessagesAndNames), b"USER mrose\r\nPASS \xff\r\n");
    assert!(said.ends_with("-ERR a character that passwords cannot have\r\n"), "{said}");
    assert!(ask.is_none());
}

// ---- LANG

fn languages() -> Config {
    let language = |tag: &str, name: &str| Language::new(tag.parse().unwrap(), name).unwrap();
    let spanish = language("es", "Espa\u{f1}ol").translated(|phrase| match phrase {
        Phrase::LanguageChosen => Some("Idioma cambiado".into()),
        Phrase::NoSuchMessage => Some("No existe ese mensaje".into()),
        Phrase::Deleted { number } => Some(format!("Mensaje {number} borrado \u{2713}").into()),
        Phrase::Goodbye => Some("[AUTH] hasta luego".into()),
        _ => None,
    });
    let mut config = clear_text();
    config.languages = vec![language("en", "English"), spanish, language("en-boont", "")];
    config
}

#[test]
fn lang_lists_chooses_and_refuses_in_both_states() {
    let mut host = Host::new(languages());
    assert_eq!(capabilities(&mut host, "LANG"), ["LANG"]);
    for _ in 0..2 {
        assert_eq!(
            host.send(b"LANG\r\n"),
            "+OK language list follows\r\nen English\r\nes Espa\u{f1}ol\r\nen-boont\r\n.\r\n"
        );
        assert_eq!(host.send(b"LANG uga\r\n"), "-ERR no such language\r\n");
        assert_eq!(host.send(b"LANG ES\r\n"), "+OK es Idioma cambiado\r\n");
        assert_eq!(host.send(b"LANG *\r\n"), "+OK en language chosen\r\n");
        assert_eq!(host.send(b"LANG en-BOONT\r\n"), "+OK en-boont language chosen\r\n");
        log_in(&mut host);
        assert_eq!(capabilities(&mut host, "LANG"), ["LANG"]);
    }
    let mut host = Host::new(clear_text());
    assert!(capabilities(&mut host, "LANG").is_empty());
    for line in ["LANG", "LANG *", "LANG en"] {
        assert_eq!(host.send(format!("{line}\r\n").as_bytes()), "-ERR no such language\r\n");
    }
    assert!(!host.closed(), "none of them counts as an error");
}

#[test]
fn a_language_stays_until_another_is_chosen_and_codes_stay_codes() {
    let mut host = Host::new(languages());
    host.send(b"LANG es\r\n");
    log_in(&mut host);
    host.take_output();
    assert_eq!(host.send(b"RETR 9\r\n"), "-ERR No existe ese mensaje\r\n");
    assert_eq!(host.send(b"LANG uga\r\n"), "-ERR no such language\r\n");
    assert_eq!(host.send(b"DELE 1\r\n"), "+OK Mensaje 1 borrado \u{2713}\r\n");
    assert_eq!(host.send(b"STAT\r\n"), "+OK 1 22\r\n");
    host.unavailable = Some(mailwright_pop3::server::Unavailable::Vanished);
    assert_eq!(host.send(b"RETR 2\r\n"), "-ERR [SYS/PERM] the message is gone\r\n", "in English if unsaid");
    host.send(b"RSET\r\n");
    assert_eq!(host.send(b"QUIT\r\n"), "+OK goodbye\r\n", "a text that would be a code is none");
}

#[test]
fn the_language_of_the_plain_phase_is_gone_behind_tls() {
    let mut config = languages();
    config.tls = TlsMode::StartTls;
    let mut host = Host::new(config);
    host.send(b"LANG es\r\nSTLS\r\n");
    host.secure();
    log_in(&mut host);
    host.take_output();
    assert_eq!(host.send(b"RETR 9\r\n"), "-ERR no such message\r\n");
}

#[test]
fn a_list_of_many_languages_is_written_as_it_is_read() {
    let mut config = clear_text();
    let name = "\u{e4}".repeat(200);
    config.languages =
        (0..500).map(|tag| Language::new(format!("x-{tag}").parse().unwrap(), &name).unwrap()).collect();
    let mut host = Host::new(config);
    host.take_output();
    let mut input = BytesMut::from("LANG\r\nCAPA\r\n");
    host.end.session.handle_input(&mut input, host.end.now);
    assert!(host.end.session.transmit().len() <= 16 * 1024);
    assert!(!host.end.session.wants().input);
    assert_eq!(&input[..], b"CAPA\r\n");
    host.end.input = input;
    host.run();
    let said = host.take_output();
    assert_eq!(said.lines().filter(|line| line.starts_with("x-")).count(), 500);
    assert!(said.ends_with(".\r\n"));
}

#[test]
fn no_line_of_any_language_has_more_than_512_octets() {
    let long = "\u{e4}".repeat(200);
    let text = long.clone();
    let mut config = clear_text();
    let tag = format!("x-{}", ["abcdefgh"; 6].join("-"));
    let language = Language::new(tag.parse().unwrap(), &long).unwrap();
    config.languages = vec![language.translated(move |_| Some(text.clone().into()))];
    let mut host = Host::new(config);
    let mut said = host.send(b"LANG *\r\nLANG\r\nXYZZY\r\nAUTH PLAIN =\r\nUSER mrose\r\nPASS x\r\nCAPA\r\n");
    log_in(&mut host);
    said += &host.send(b"RETR 9\r\nLIST\r\nQUIT\r\n");
    assert!(said.split_inclusive("\r\n").all(|line| line.len() <= 512), "{said}");
}
