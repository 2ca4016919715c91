//! Runs `transcripts/*.txt` against the server, and with the sides changed against the client. What the
//! lines of a file mean, the README beside them says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads the transcripts")]

use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use mailwright_core::session::{Session, TlsInfo, Upgraded};
use mailwright_core::value::Instant;
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::{self, Client};
use mailwright_pop3::sasl::{Answer, Ask, Credentials, MechanismName, Offers, base64};
use mailwright_pop3::server::{self, Commit, Opening, Server};
use mailwright_pop3::types::{Command, Password, ReplyText, UserName};

const NOW: Instant = Instant::ORIGIN;
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

fn server(options: &[&str]) -> Server {
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
            option => panic!("unknown option {option:?}"),
        }
    }
    Server::new(config, [9; 32])
}

fn decide(server: &mut Server, event: server::Event) {
    match event {
        server::Event::Authenticate { token, ask } => {
            let Ask::Password { authcid, password, .. } = &ask else { panic!() };
            let good =
                matches!((authcid.as_str(), password.expose()), ("mrose", b"tanstaaf") | ("test", b"test"));
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
        _ => {}
    }
}

fn output(session: &mut impl Session) -> Vec<u8> {
    let octets = session.transmit().chunk().to_vec();
    session.transmit().advance(octets.len());
    octets
}

fn against_server(lines: &[&str], options: &[&str]) {
    let mut server = server(options);
    let mut said = output(&mut server);
    for line in lines {
        if let Some(expected) = line.strip_prefix("S: ") {
            let wire = format!("{expected}\r\n");
            assert!(said.starts_with(wire.as_bytes()), "expected {expected:?}, got {}", said.escape_ascii());
            said.drain(..wire.len());
            continue;
        }
        assert!(said.is_empty(), "before {line:?} came {}", said.escape_ascii());
        match *line {
            "! tls" => server.handle_upgrade(Upgraded::Tls(TlsInfo::default()), NOW),
            "! closed" => assert!(server.wants().close),
            line => {
                let mut input = BytesMut::from(format!("{}\r\n", line.strip_prefix("C: ").unwrap()).as_str());
                server.handle_input(&mut input, NOW);
            }
        }
        while let Some(event) = server.poll_event() {
            decide(&mut server, event);
            server.handle_timeout(NOW);
        }
        said.extend(output(&mut server));
    }
    assert!(said.is_empty(), "at the end came {}", said.escape_ascii());
}

/// Lets a client say `line`, by the method that is for it.
fn say(client: &mut Client, line: &str, next: Option<&str>) {
    let command = match Command::parse(line.as_bytes()) {
        Ok(parsed) => parsed.command,
        // A response of an exchange, which the client gives by itself.
        Err(_) => return,
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
            let credentials = match initial.map(|initial| initial.expose()).or(next.map(str::as_bytes)) {
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
    result.unwrap();
}

fn against_client(lines: &[&str]) {
    let mut config = client::Config::default();
    config.sasl.clear_text_without_tls = true;
    let mut client = Client::new(config, [9; 32]);
    let mut closed = false;
    for (at, line) in lines.iter().enumerate() {
        match *line {
            "! tls" => client.handle_upgrade(Upgraded::Tls(TlsInfo::default()), NOW),
            "! closed" => assert!(client.wants().close),
            line => {
                if let Some(line) = line.strip_prefix("S: ") {
                    client.handle_input(&mut BytesMut::from(format!("{line}\r\n").as_str()), NOW);
                } else {
                    let line = line.strip_prefix("C: ").unwrap();
                    let next = lines[at + 1..].iter().find_map(|line| line.strip_prefix("C: "));
                    say(&mut client, line, next);
                    assert_eq!(output(&mut client), format!("{line}\r\n").as_bytes());
                }
            }
        }
        while let Some(event) = client.poll_event() {
            assert!(!matches!(event, client::Event::Deviation(_)), "{event:?}");
            assert!(!matches!(event, client::Event::Listed { entry: Err(_), .. }), "{event:?}");
            if let client::Event::Closed(reason) = event {
                assert!(matches!(reason, client::Closed::Quit(_)), "{reason:?} at {line:?}");
                closed = true;
            }
        }
    }
    assert!(closed);
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
        println!("{}", path.display());
        count += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let (options, lines): (Vec<_>, Vec<_>) =
            lines.partition(|line| line.starts_with("! option") || *line == "! bad client");
        let server_options: Vec<_> =
            options.iter().filter_map(|line| line.strip_prefix("! option ")).collect();
        against_server(&lines, &server_options);
        if !options.contains(&"! bad client") {
            against_client(&lines);
        }
    }
    assert!(count >= 9, "{count}");
}
