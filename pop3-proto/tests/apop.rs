//! APOP, both sides (RFC 1939 §7).

#![cfg(feature = "legacy-md5")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Session as _, TlsInfo, Upgraded};
use mailwright_core::value::{Instant, Misuse};
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::{self, Apop, ApopError, Client};
use mailwright_pop3::sasl::{Ask, Credentials};
use mailwright_pop3::server::{Config, Event, Server, Utf8};
use mailwright_pop3::types::{Capabilities, Capability, Password, UserName};
use md5::{Digest as _, Md5};
use support::{Host, clear_text};

fn apop() -> Config {
    let mut config = Config::default();
    config.apop = true;
    config
}

fn timestamp(greeting: &str) -> String {
    let start = greeting.find('<').unwrap();
    greeting[start..=greeting.find('>').unwrap()].to_string()
}

fn digest(timestamp: &str, password: &str) -> String {
    let hash = Md5::new().chain_update(timestamp).chain_update(password).finalize();
    hash.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What a server says to APOP with a digest made of the timestamp, and what its host heard.
fn login(config: Config, name: &str, digest: impl Fn(&str) -> String) -> (String, Vec<String>) {
    let mut host = Host::new(config);
    let timestamp = timestamp(&host.take_output());
    let said = host.send(format!("APOP {name} {}\r\n", digest(&timestamp)).as_bytes());
    (said, host.events.clone())
}

// ---- Server

#[test]
fn the_right_digest_opens_the_maildrop() {
    let (said, events) = login(apop(), "mrose", |timestamp| digest(timestamp, "tanstaaf"));
    assert_eq!(said, "+OK 2 messages (50 octets)\r\n");
    assert_eq!(events, ["authenticate mrose", "open mrose"]);
}

#[test]
fn a_wrong_digest_and_an_unknown_user_give_the_same_octets() {
    let wrong = login(apop(), "mrose", |timestamp| digest(timestamp, "wrong")).0;
    assert_eq!(wrong, "-ERR [AUTH] authentication failed\r\n");
    for password in ["", "tanstaaf"] {
        assert_eq!(wrong, login(apop(), "nobody", |timestamp| digest(timestamp, password)).0);
    }
}

#[test]
fn any_other_form_of_digest_is_malformed_and_nobody_is_asked() {
    let right = |timestamp: &str| digest(timestamp, "tanstaaf");
    let malformed: [&dyn Fn(&str) -> String; 5] = [
        &|timestamp| right(timestamp).to_uppercase(),
        &|timestamp| right(timestamp)[1..].to_string(),
        &|timestamp| right(timestamp) + "0",
        &|_| "x".repeat(32),
        &|timestamp| timestamp.to_string(),
    ];
    for digest in malformed {
        let (said, events) = login(apop(), "mrose", digest);
        assert_eq!(said, "-ERR malformed authentication message\r\n");
        assert_eq!(events, ["login failed 1"]);
    }
}

#[test]
fn a_timestamp_is_a_msg_id_that_no_other_session_has() {
    let mut config = apop();
    config.sasl.server_name = Some("mail.example.org".to_string());
    let greeting = |seed: u8| {
        let mut server = Server::new(config.clone(), [seed; 32]);
        String::from_utf8(server.transmit().take().to_vec()).unwrap()
    };
    let one = greeting(1);
    assert!(one.starts_with("+OK POP3 server ready <") && one.ends_with("@mail.example.org>\r\n"), "{one}");
    assert_eq!(timestamp(&one).find('@'), Some(33), "128 bits in hexadecimal");
    assert_ne!(one, greeting(2));
    // What cannot stand in a msg-id does not.
    for name in ["a b", "a..b", "\u{e4}", "a>b", "", &"x".repeat(71)] {
        config.sasl.server_name = Some(name.to_string());
        let mut server = Server::new(config.clone(), [1; 32]);
        let greeting = String::from_utf8(server.transmit().take().to_vec()).unwrap();
        assert!(greeting.ends_with("@localhost>\r\n"), "{greeting}");
    }
    config.sasl.server_name = Some("x".repeat(70));
    config.greeting = mailwright_pop3::types::ReplyText::new("y".repeat(400)).unwrap();
    let greeting = Server::new(config, [1; 32]).transmit().take();
    assert!(greeting.len() <= 512, "{}", greeting.len());
}

#[test]
fn apop_is_an_unknown_command_unless_switched_on_and_belongs_to_its_state() {
    let line = format!("APOP mrose {}\r\n", "0".repeat(32));
    let mut host = Host::new(clear_text());
    assert_eq!(host.take_output(), "+OK POP3 server ready\r\n");
    assert_eq!(host.send(line.as_bytes()), "-ERR unknown command\r\n");
    let mut config = clear_text();
    config.apop = true;
    let mut host = Host::logged_in(config);
    assert_eq!(host.send(line.as_bytes()), "-ERR not possible in the TRANSACTION state\r\n");
}

#[test]
fn three_failures_close_whatever_they_came_by() {
    let mut config = clear_text();
    config.apop = true;
    let mut host = Host::new(config);
    let line = format!("APOP mrose {}\r\n", "0".repeat(32));
    host.send(line.as_bytes());
    host.send(b"USER mrose\r\nPASS x\r\n");
    host.send(b"APOP mrose short\r\n");
    assert_eq!(host.events.last().unwrap(), "closed TooManyFailures");
}

#[test]
fn the_name_of_apop_is_ascii_unless_utf8_user_is_announced() {
    let config = |utf8| {
        let mut config = apop();
        config.utf8 = utf8;
        config
    };
    let digest = |timestamp: &str| digest(timestamp, "x");
    assert_eq!(login(config(Utf8::Messages), "\u{e9}", digest).1, ["login failed 1"]);
    let (_, events) = login(config(Utf8::MessagesAndNames), "I\u{ad}X\u{e9}", digest);
    assert_eq!(events[0], "authenticate IX\u{e9}");
}

#[test]
fn the_question_tells_nothing_but_the_name() {
    let mut host = Host::new(apop());
    host.undecided = true;
    host.send(format!("APOP mrose {}\r\n", "0".repeat(32)).as_bytes());
    let Some(Event::Authenticate { ask: Ask::CramSecret { authcid }, .. }) = host.open_questions.pop() else {
        panic!()
    };
    assert_eq!(authcid, "mrose");
}

// ---- Client

fn client(apop: Apop, tls: TlsMode, greeting: &str) -> Client {
    let mut config = client::Config::default();
    config.apop = apop;
    config.tls = tls;
    let mut client = Client::new(config, [1; 32]);
    if tls == TlsMode::Implicit {
        client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), Instant::ORIGIN);
    }
    client.handle_input(&mut BytesMut::from(greeting), Instant::ORIGIN);
    while client.poll_event().is_some() {}
    client
}

fn say(client: &mut Client) -> Result<String, ApopError> {
    client.apop(&UserName::new("mrose").unwrap(), &Password::new("tanstaaf").unwrap())?;
    Ok(String::from_utf8(client.transmit().chunk().to_vec()).unwrap())
}

const GREETING: &str = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n";

#[test]
fn the_client_says_what_rfc_1939_shows() {
    let mut client = client(Apop::Always, TlsMode::Off, GREETING);
    assert!(client.offers_apop());
    assert_eq!(say(&mut client).unwrap(), "APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n");
    // Nothing follows it, as nothing follows a password.
    assert_eq!(client.noop(), Err(Misuse::Busy));
}

#[test]
fn the_client_uses_apop_only_where_it_is_allowed() {
    let mut plain = client(Apop::WithTls, TlsMode::Off, GREETING);
    assert_eq!(say(&mut plain), Err(ApopError::NotAllowed));
    let mut never = client(Apop::Never, TlsMode::Implicit, GREETING);
    assert_eq!(say(&mut never), Err(ApopError::NotAllowed));
    let mut before_tls = client(Apop::Always, TlsMode::StartTls, GREETING);
    assert_eq!(say(&mut before_tls), Err(ApopError::NotAllowed));
    let mut inside = client(Apop::WithTls, TlsMode::Implicit, GREETING);
    assert!(say(&mut inside).is_ok());
    for client in [&mut plain, &mut never, &mut before_tls] {
        assert!(client.transmit().is_empty());
    }
}

#[test]
fn the_client_takes_no_timestamp_that_is_no_msg_id() {
    for greeting in [
        "+OK ready\r\n",
        "+OK <1896.697170952>\r\n",
        "+OK <a b@c>\r\n",
        "+OK <\x01@c>\r\n",
        "+OK <\u{e4}@c>\r\n",
        "+OK <@c>\r\n",
        "+OK <a..b@c>\r\n",
    ] {
        let mut client = client(Apop::Always, TlsMode::Off, greeting);
        assert!(!client.offers_apop());
        assert_eq!(say(&mut client), Err(ApopError::NoTimestamp), "{greeting}");
    }
}

#[test]
fn names_that_would_make_two_arguments_or_are_not_ascii_are_refused() {
    let mut client = client(Apop::Always, TlsMode::Off, GREETING);
    let password = Password::new("x").unwrap();
    let mut refused = |name: &str| client.apop(&UserName::with_spaces(name).unwrap(), &password).unwrap_err();
    assert_eq!(refused("a b"), ApopError::Name);
    assert_eq!(refused("\u{e9}"), ApopError::Misuse(Misuse::NotAnnounced));
    assert_eq!(refused(&"x".repeat(216)), ApopError::Misuse(Misuse::TooLarge));
    client.set_capabilities(Capabilities::from_iter([Capability::Utf8 { user: true }]));
    // A no-break space becomes one.
    let name = UserName::new("a\u{a0}b").unwrap();
    assert_eq!(client.apop(&name, &password).unwrap_err(), ApopError::Name);
    let password = Password::new("\u{ad}\u{aa}").unwrap();
    client.apop(&UserName::new("I\u{ad}X").unwrap(), &password).unwrap();
    let expected = digest("<1896.697170952@dbc.mtview.ca.us>", "a");
    assert_eq!(client.transmit().chunk(), format!("APOP IX {expected}\r\n").as_bytes());
}

#[test]
fn a_login_falls_neither_to_apop_nor_from_it() {
    use mailwright_core::session::{Progress, Task};
    use mailwright_pop3::client::Login;
    let credentials = || Credentials::password("mrose", "tanstaaf").unwrap();
    let run = |mut login: Login, greeting: &str| {
        let mut client = client(Apop::Always, TlsMode::Off, greeting);
        Task::start(&mut login, &mut client).unwrap();
        let _ = client.transmit().take();
        client.handle_input(&mut BytesMut::from("-ERR\r\n"), Instant::ORIGIN);
        let mut end = None;
        while let Some(event) = client.poll_event() {
            if let Progress::Done(Err(error)) = login.handle(&mut client, event) {
                end = Some(error.to_string());
            }
        }
        (end, String::from_utf8(client.transmit().take().to_vec()).unwrap())
    };
    // The password would travel in clear text: APOP would do, and is not asked for.
    let (end, sent) = run(Login::new(credentials()), GREETING);
    assert_eq!((end.as_deref(), sent.as_str()), (Some("credentials would travel in plaintext"), ""));
    let (end, sent) = run(Login::by_apop(credentials()), GREETING);
    assert_eq!((end, sent.as_str()), (None, "APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n"));
    let (end, sent) = run(Login::by_apop(credentials()), "+OK ready\r\n");
    assert_eq!(end.as_deref(), Some("the server's greeting has no timestamp for APOP"));
    assert_eq!(sent, "");
}
