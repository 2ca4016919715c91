//! Runs `transcripts/*.txt` against the server, and with the sides changed against the client. What the
//! lines of a file mean, the README beside them says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads the transcripts")]

use std::sync::Arc;

use mailwright_core::testing::{Actor, Host, Line, Note, Side, Transcript};
use mailwright_core::value::Misuse;
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::{self, Client};
use mailwright_pop3::sasl::{Answer, Ask, Credentials, MechanismName, Offers, base64};
use mailwright_pop3::server::{self, Commit, Opening, Server};
use mailwright_pop3::types::{Command, Password, ReplyText, UserName};

const IDS: [&str; 2] = ["whqtswO00WBw418f9t5JxYwZ", "QhdPYR:00WBw1Ph7x7"];

/// A message of so many octets, with a dot at its end.
fn message(number: usize, octets: usize) -> Vec<u8> {
    let head = format!("Subject: message {number}\r\n\r\n");
    let digits: String = "123456789.".chars().cycle().take(octets - head.len() - 5).collect();
    format!("{head}{digits}\r\n.\r\n").into_bytes()
}

fn messages() -> [Vec<u8>; 2] {
    [message(1, 120), message(2, 200)]
}

fn server<'a>(options: impl Iterator<Item = &'a str>) -> Server {
    let mut config = server::Config::default();
    for option in options {
        match option.split_once(' ').unwrap_or((option, "")) {
            ("clear-text", _) => config.clear_text_without_tls = true,
            ("starttls", _) => config.tls = TlsMode::StartTls,
            ("no-user", _) => config.user_pass = false,
            ("implementation", text) => {
                config.implementation = Some(ReplyText::new(text.to_string()).unwrap())
            }
            ("mechanisms", names) => {
                config.offers = Offers::new(names.split(' ').map(|name| name.parse().unwrap()))
            }
            ("server-only", _) => {}
            option => panic!("unknown option {option:?}"),
        }
    }
    Server::new(config, [9; 32])
}

/// The host of the server.
struct Store;

impl Host<Server> for Store {
    fn handle(&mut self, server: &mut Server, event: server::Event) -> Note {
        let note = Note::debug(&event);
        match event {
            server::Event::Authenticate { token, ask } => {
                let Ask::Password { authcid, password, .. } = &ask else { panic!() };
                let good = matches!(
                    (authcid.as_str(), password.expose()),
                    ("mrose", b"tanstaaf") | ("test", b"test")
                );
                server.answer(token, if good { ask.accept() } else { Answer::No }).unwrap();
            }
            server::Event::Open { token, .. } => {
                let list: Vec<_> = messages()
                    .iter()
                    .zip(IDS)
                    .map(|(message, id)| (message.len() as u64, id.parse().unwrap()))
                    .collect();
                server.answer(token, Opening::Opened(Arc::new(list))).unwrap();
            }
            server::Event::Retrieve { token, number, .. } => {
                let message = &messages()[number.index()];
                if let Ok(server::Intake::Taken(taken)) = server.content(&token, message) {
                    assert_eq!(taken, message.len());
                    server.finish(token).unwrap();
                }
            }
            server::Event::Commit { token, .. } => server.answer(token, Commit::All).unwrap(),
            server::Event::Closed(reason) => return Note::Closed(format!("{reason:?}")),
            _ => {}
        }
        note
    }
}

impl Actor<Server> for Store {}

/// The host of the client: gives the commands that the transcript names.
struct Reader;

impl Host<Client> for Reader {
    fn handle(&mut self, _: &mut Client, event: client::Event) -> Note {
        assert!(!matches!(event, client::Event::Deviation(_)), "{event:?}");
        assert!(!matches!(event, client::Event::Listed { entry: Err(_), .. }), "{event:?}");
        match event {
            client::Event::Closed(reason) => {
                assert!(matches!(reason, client::Closed::Quit(_)), "{reason:?}");
                Note::Closed(format!("{reason:?}"))
            }
            event => Note::debug(&event),
        }
    }
}

impl Actor<Client> for Reader {
    fn say(&mut self, client: &mut Client, line: &[u8], next: &[Line]) -> Result<(), String> {
        let next = next.iter().find_map(|line| match line {
            Line::Octets(Side::Client, octets) => Some(octets.trim_ascii_end()),
            _ => None,
        });
        say(client, line.trim_ascii_end(), next).map_err(|misuse| misuse.to_string())
    }
}

/// Lets a client say `line`, by the method that is for it.
fn say(client: &mut Client, line: &[u8], next: Option<&[u8]>) -> Result<(), Misuse> {
    let command = match Command::parse(line) {
        Ok(parsed) => parsed.command,
        // A response of an exchange, which the client gives by itself.
        Err(_) => return Ok(()),
    };
    let result = match command {
        Command::Stat => client.stat(),
        Command::List(number) => client.list(number),
        Command::Retr(number) => client.retr(number),
        Command::Dele(number) => client.dele(number),
        Command::Noop => client.noop(),
        Command::Rset => client.rset(),
        Command::Quit => client.quit(),
        Command::Top { number, lines } => client.top(number, lines),
        Command::Uidl(number) => client.uidl(number),
        Command::User(name) => {
            client.user(&UserName::new(core::str::from_utf8(name.as_bytes()).unwrap()).unwrap())
        }
        Command::Pass(password) => client.pass(&Password::new(password.expose()).unwrap()),
        Command::Capa => client.capa(),
        Command::Stls => client.stls(),
        Command::Auth { mechanism, initial } => {
            let name = MechanismName::parse(mechanism.as_bytes()).unwrap();
            let credentials = match initial.map(|initial| initial.expose()).or(next) {
                Some(text) if name == MechanismName::PLAIN => {
                    let message = base64::decode(text).unwrap();
                    let parts: Vec<_> = message.expose().split(|&octet| octet == 0).collect();
                    let text = |part: usize| core::str::from_utf8(parts[part]).unwrap();
                    let credentials = Credentials::password(text(1), text(2)).unwrap();
                    if text(0).is_empty() { credentials } else { credentials.acting_as(text(0)).unwrap() }
                }
                _ => Credentials::password("mrose", "tanstaaf").unwrap(),
            };
            let exchange = client.exchange(name, &credentials).unwrap();
            client.auth(exchange)
        }
        command => panic!("{command:?}"),
    };
    result.map(drop)
}

#[test]
fn the_transcripts_hold_for_both_sides() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        count += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let transcript = Transcript::parse(&text).unwrap();
        if let Err(mismatch) = transcript.run(Side::Server, server(transcript.options()), Store) {
            panic!("{} with the server: {mismatch}", path.display());
        }
        if transcript.options().any(|option| option == "server-only") {
            continue;
        }
        let mut config = client::Config::default();
        config.sasl.clear_text_without_tls = true;
        if let Err(mismatch) = transcript.run(Side::Client, Client::new(config, [9; 32]), Reader) {
            panic!("{} with the client: {mismatch}", path.display());
        }
    }
    assert!(count >= 10, "{count}");
}
