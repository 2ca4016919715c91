//! A POP3 server on the session of the library, with one maildrop.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use mailwright_pop3::io::blocking::Connection;
use mailwright_pop3::sasl::{Answer, Ask};
use mailwright_pop3::server::{Commit, Config, Event, Intake, Opening, Server, Severity};
use mailwright_pop3::session::Transport;
use mailwright_pop3::types::UniqueId;
use rustls::ServerConfig;

/// Ids and contents.
pub type Maildrop = Arc<Mutex<Vec<(UniqueId, Vec<u8>)>>>;

/// A maildrop of these messages, with the ids `id-1`, `id-2`, …
pub fn maildrop(contents: &[&[u8]]) -> Maildrop {
    let message =
        |(at, content): (usize, &&[u8])| (format!("id-{}", at + 1).parse().unwrap(), content.to_vec());
    Arc::new(Mutex::new(contents.iter().enumerate().map(message).collect()))
}

/// A configuration that a test begins with: passwords are welcome in clear text.
pub fn config() -> Config {
    let mut config = Config::default();
    config.clear_text_without_tls = true;
    config
}

/// How a server treats what it is asked to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleting {
    Works,
    Fails,
}

/// Serves as many connections as `connections` says, one after the other, for `alice@example.org` and `bob`, who has
/// no other name, with the password `tanstaaf`. Gives back by which mechanism she came, `USER` if by none.
pub fn serve(
    config: Config,
    tls: Option<Arc<ServerConfig>>,
    maildrop: &Maildrop,
    deleting: Deleting,
    connections: usize,
) -> (u16, JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let maildrop = maildrop.clone();
    let config = Arc::new(config);
    let thread = thread::spawn(move || {
        let mut secure = false;
        for _ in 0..connections {
            let (stream, _) = listener.accept().unwrap();
            let server = Server::new(config.clone(), [7; 32]);
            let transport = match &tls {
                Some(tls) => Transport::tls_ready(server, tls.clone()),
                None => Transport::plain(server),
            };
            secure |= session(Connection::over(stream, transport), &maildrop, deleting);
        }
        secure
    });
    (port, thread)
}

/// Whether TLS was in force.
fn session(mut connection: Connection<TcpStream, Server>, maildrop: &Maildrop, deleting: Deleting) -> bool {
    let mut secure = false;
    let mut sending = None;
    // A client that breaks off is part of some tests.
    while let Ok(Some(event)) = connection.next_event() {
        match event {
            Event::Secured(_) => secure = true,
            Event::Authenticate { token, ask } => {
                let good = matches!(
                    &ask,
                    Ask::Password { authcid, password, .. }
                        if ["alice@example.org", "bob"].contains(&authcid.as_str())
                            && password.expose() == b"tanstaaf"
                );
                connection.answer(token, if good { ask.accept() } else { Answer::No }).unwrap();
            }
            Event::Open { token, .. } => {
                let snapshot: Vec<_> = maildrop
                    .lock()
                    .unwrap()
                    .iter()
                    .map(|(id, content)| (content.len() as u64, *id))
                    .collect();
                connection.answer(token, Opening::Opened(Arc::new(snapshot))).unwrap();
            }
            Event::Retrieve { token, number, .. } => {
                let content = maildrop.lock().unwrap().get(number.index()).unwrap().1.clone();
                sending = Some((token, content, 0));
            }
            Event::Commit { token, deleted } => {
                if deleting == Deleting::Fails {
                    connection.answer(token, Commit::None(Severity::Temporary)).unwrap();
                    continue;
                }
                let mut number = 0;
                maildrop.lock().unwrap().retain(|_| {
                    number += 1;
                    !deleted.contains(mailwright_pop3::types::MessageNumber::new(number).unwrap())
                });
                connection.answer(token, Commit::All).unwrap();
            }
            _ => {}
        }
        // As much as there is room for; the rest when there is more.
        if let Some((token, content, at)) = sending.take() {
            match connection.content(&token, &content[at..]).unwrap() {
                Intake::Enough => {}
                Intake::Taken(taken) if at + taken == content.len() => connection.finish(token).unwrap(),
                Intake::Taken(taken) => sending = Some((token, content, at + taken)),
            }
        }
    }
    secure
}
