//! Runs `transcripts/*.txt` against the server, and with the sides changed against the client. What the
//! lines of a file mean, the README beside them says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads the transcripts")]

use std::sync::Arc;

use mailwright_core::testing::{Actor, Host, Line, Note, Side, Transcript};
use mailwright_core::value::Misuse;
use mailwright_pop3::TlsMode;
use mailwright_pop3::client::{self, Client};
use mailwright_pop3::sasl::{Answer, Ask, Credentials, MechanismName, Offers, ScramKeys, base64};
use mailwright_pop3::server::{
    self, Commit, Expire, Language, Maildrop, Opening, PerUser, Phrase, Server, Utf8,
};
use mailwright_pop3::types::{Command, MessageNumber, Password, ReplyText, UniqueId, UserName};

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
            ("apop", _) => apop(&mut config),
            ("bare-auth", _) => config.bare_auth = true,
            ("utf8", _) => config.utf8 = Utf8::Messages,
            ("utf8-user", _) => config.utf8 = Utf8::MessagesAndNames,
            ("language", language) => config.languages.push(self::language(language)),
            ("expire", days) => config.expire = Some(PerUser::differing(Expire::Days(days.parse().unwrap()))),
            ("login-delay", seconds) => {
                config.login_delay = Some(PerUser::differing(seconds.parse().unwrap()))
            }
            ("server-only" | "client-only" | "eight-bit", _) => {}
            option => panic!("unknown option {option:?}"),
        }
    }
    Server::new(config, [9; 32])
}

#[cfg(feature = "legacy-md5")]
fn apop(config: &mut server::Config) {
    config.apop = true;
}

#[cfg(not(feature = "legacy-md5"))]
fn apop(_: &mut server::Config) {}

/// A language by its tag and name, and a few words of it.
fn language(text: &str) -> Language {
    let (tag, name) = text.split_once(' ').unwrap_or((text, ""));
    let words = match tag {
        "es" => "Idioma cambiado",
        "sv" => "Kommandot \"LANG\" lyckades",
        _ => return Language::new(tag.parse().unwrap(), name).unwrap(),
    };
    let say = move |phrase| (phrase == Phrase::LanguageChosen).then(|| words.into());
    Language::new(tag.parse().unwrap(), name).unwrap().translated(say)
}

/// The host of the server.
struct Store {
    /// Whether the second message has UTF-8 in its header.
    eight_bit: bool,
}

/// The maildrop; its user has values of its own.
struct Messages {
    eight_bit: bool,
}

impl Maildrop for Messages {
    fn len(&self) -> u32 {
        2
    }

    fn size(&self, number: MessageNumber) -> u64 {
        messages()[number.index()].len() as u64
    }

    fn id(&self, number: MessageNumber) -> UniqueId {
        IDS[number.index()].parse().unwrap()
    }

    fn needs_utf8(&self, number: MessageNumber) -> bool {
        self.eight_bit && number.get() == 2
    }

    fn expire(&self) -> Option<Expire> {
        Some(Expire::Never)
    }

    fn login_delay(&self) -> Option<u32> {
        Some(60)
    }
}

impl Host<Server> for Store {
    fn handle(&mut self, server: &mut Server, event: server::Event) -> Note {
        let note = Note::debug(&event);
        match event {
            server::Event::Authenticate { token, ask } => {
                let answer = match &ask {
                    Ask::Password { authcid, password, .. } => {
                        let good = matches!(
                            (authcid.as_str(), password.expose()),
                            ("mrose" | "ros\u{e9}", b"tanstaaf") | ("test", b"test")
                        );
                        if good { ask.accept() } else { Answer::No }
                    }
                    Ask::ScramKeys { hash, .. } => {
                        let salt = *b"0123456789abcdef";
                        Answer::Keys(ScramKeys::derive(*hash, "tanstaaf", salt, 4096).ok())
                    }
                    #[cfg(feature = "legacy-md5")]
                    Ask::CramSecret { .. } => Answer::Secret(Some("tanstaaf".into())),
                    ask => panic!("{ask:?}"),
                };
                server.answer(token, answer).unwrap();
            }
            server::Event::Open { token, .. } => {
                let messages = Messages { eight_bit: self.eight_bit };
                server.answer(token, Opening::Opened(Arc::new(messages))).unwrap();
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
        #[cfg(feature = "legacy-md5")]
        Command::Apop { name, .. } => {
            let name = UserName::new(core::str::from_utf8(name.as_bytes()).unwrap()).unwrap();
            return match client.apop(&name, &Password::new("tanstaaf").unwrap()) {
                Ok(_) => Ok(()),
                Err(client::ApopError::Misuse(misuse)) => Err(misuse),
                Err(error) => panic!("{error}"),
            };
        }
        Command::Utf8 => client.utf8(),
        Command::Lang(range) => client.lang(range),
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
        let has = |name: &str| transcript.options().any(|option| option == name);
        if has("apop") && !cfg!(feature = "legacy-md5") {
            continue;
        }
        let store = Store { eight_bit: has("eight-bit") };
        if !has("client-only") {
            if let Err(mismatch) = transcript.run(Side::Server, server(transcript.options()), store) {
                panic!("{} with the server: {mismatch}", path.display());
            }
        }
        if has("server-only") {
            continue;
        }
        let mut config = client::Config::default();
        config.sasl.clear_text_without_tls = true;
        #[cfg(feature = "legacy-md5")]
        {
            config.apop = client::Apop::Always;
        }
        if let Err(mismatch) = transcript.run(Side::Client, Client::new(config, [9; 32]), Reader) {
            panic!("{} with the client: {mismatch}", path.display());
        }
    }
    assert!(count >= 20, "{count}");
}
