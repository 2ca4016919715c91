//! An SMTP or LMTP server on the session of the library, which keeps what it accepts.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use mailwright_core::io::blocking::Connection;
use mailwright_core::session::Transport;
use mailwright_sasl::{Answer, Ask, ScramKeys};
use mailwright_smtp::server::{Config, Event, Server};
use mailwright_smtp::types::{Parameters, Reply};
use rustls::ServerConfig;

/// What a server saw in one connection.
#[derive(Debug, Default)]
pub struct Seen {
    pub mechanism: Option<String>,
    pub secure: bool,
    /// Senders, accepted or not.
    pub senders: Vec<String>,
    /// The parameters of MAIL and RCPT, in order.
    pub parameters: Vec<String>,
    /// Recipients that were accepted.
    pub accepted: Vec<String>,
    pub messages: Vec<Vec<u8>>,
    pub recipients: usize,
}

/// A configuration that a test begins with.
pub fn config() -> Config {
    Config::new("mx.example.org").unwrap()
}

/// Serves one connection. Recipients `nobody` and `later` are refused; `alice` has the password `tanstaaf`.
pub fn serve(config: Config, tls: Option<Arc<ServerConfig>>) -> (u16, JoinHandle<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let server = Server::new(config, [7; 32]);
        let transport = match tls {
            Some(tls) => Transport::tls_ready(server, tls),
            None => Transport::plain(server),
        };
        session(Connection::over(stream, transport))
    });
    (port, thread)
}

fn session(mut connection: Connection<std::net::TcpStream, Server>) -> Seen {
    let mut seen = Seen::default();
    let mut content = Vec::new();
    let mut replies = Vec::new();
    // A client that breaks off is part of some tests.
    while let Ok(Some(event)) = connection.next_event() {
        match event {
            Event::Secured(_) => seen.secure = true,
            Event::Authenticate(question) => {
                seen.mechanism = Some(question.mechanism.to_string());
                let good = matches!(
                    &question.ask,
                    Ask::Password { authcid, password, .. }
                        if authcid == "alice@example.org" && password.expose() == b"tanstaaf"
                );
                let answer = match &question.ask {
                    Ask::ScramKeys { authcid, hash } if authcid == "alice@example.org" => {
                        Answer::Keys(ScramKeys::derive(*hash, "tanstaaf", *b"0123456789abcdef", 4096).ok())
                    }
                    // The variable of the password is the one of the token.
                    ask @ Ask::Token { token, .. } if token.expose() == b"tanstaaf" => ask.accept(),
                    ask if good => ask.accept(),
                    _ => Answer::No,
                };
                connection.answer(question.token, answer).unwrap();
            }
            Event::Sender(sender) => {
                seen.senders.push(sender.path.to_string());
                seen.parameters.push(text(&sender.parameters));
                replies.clear();
            }
            Event::Recipient(recipient) => {
                let path = recipient.path.to_string();
                seen.parameters.push(text(&recipient.parameters));
                let reply = if path.starts_with("<nobody@") {
                    Reply::NO_SUCH_USER
                } else if path.starts_with("<later@") {
                    Reply::MAILBOX_BUSY
                } else {
                    // In LMTP the mailbox of `full` takes no message in the end.
                    replies.push(if path.starts_with("<full@") { Reply::MAILBOX_FULL } else { Reply::OK });
                    seen.recipients += 1;
                    seen.accepted.push(path);
                    Reply::RECIPIENT_OK
                };
                connection.answer(recipient.token, reply).unwrap();
            }
            Event::Content(octets) => content.extend_from_slice(&octets),
            Event::Aborted(_) => content.clear(),
            Event::Message(message) => {
                seen.messages.push(core::mem::take(&mut content));
                let lmtp = replies.iter().any(|reply| *reply != Reply::OK);
                if lmtp {
                    connection.answer(message.token, replies.clone()).unwrap();
                } else {
                    let queued = Reply::OK.with_text("queued as 4Qx7").unwrap();
                    connection.answer(message.token, queued).unwrap();
                }
            }
            _ => {}
        }
    }
    seen
}

fn text(parameters: &Parameters) -> String {
    let texts = parameters.iter().map(|parameter| match parameter.value {
        Some(value) => format!("{}={value}", parameter.keyword),
        None => parameter.keyword.to_owned(),
    });
    texts.collect::<Vec<_>>().join(" ")
}
