//! `Serve`: the same host over blocking streams and over tokio.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![cfg(feature = "std")]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;

use mailwright_core::io;
use mailwright_sasl::{Answer, Ask, MechanismName, Offers};
use mailwright_smtp::server::{
    Authenticate, Closed, Config, Handler, Mail, Protocol, Recipient, Serve, Server, Verdict,
};
use mailwright_smtp::types::Reply;

/// Refuses `nobody`, knows `alice`, and has a verdict for each recipient in LMTP.
#[derive(Default)]
struct Host {
    mails: Vec<Mail>,
    each: bool,
    misfit: bool,
}

impl Handler for &mut Host {
    fn authenticate(&mut self, question: &Authenticate) -> Answer {
        match &question.ask {
            Ask::Password { authcid, password, .. }
                if authcid == "alice" && password.expose() == b"tanstaaf" =>
            {
                question.ask.accept()
            }
            _ => Answer::No,
        }
    }

    fn recipient(&mut self, recipient: &Recipient) -> Reply {
        match recipient.path.to_string().as_str() {
            "<nobody@example.org>" => Reply::NO_SUCH_USER,
            "<odd@example.org>" => Reply::START_CONTENT,
            _ => Reply::RECIPIENT_OK,
        }
    }

    fn mail(&mut self, mail: Mail) -> Verdict {
        let count = mail.recipients.len();
        self.mails.push(mail);
        if self.misfit {
            return Verdict::Each(Vec::new());
        }
        let accepted = Reply::MESSAGE_ACCEPTED.with_text("queued as 1").unwrap();
        if self.each { vec![accepted; count].into() } else { accepted.into() }
    }
}

/// What a client says, and all that the server said to it.
fn talk(mut stream: UnixStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

fn served(config: Config, host: &mut Host, text: &str) -> (Closed, String) {
    let (client, stream) = UnixStream::pair().unwrap();
    thread::scope(|scope| {
        let talking = scope.spawn(move || talk(client, text));
        let mut connection = io::blocking::Connection::new(stream, Server::new(config, [1; 32]));
        let closed = connection.run(Serve::new(host)).unwrap();
        drop(connection);
        (closed, talking.join().unwrap())
    })
}

fn served_by_tokio(config: Config, host: &mut Host, text: &str) -> (Closed, String) {
    let (client, stream) = UnixStream::pair().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    thread::scope(|scope| {
        let talking = scope.spawn(move || talk(client, text));
        let closed = runtime.block_on(async {
            stream.set_nonblocking(true).unwrap();
            let stream = tokio::net::UnixStream::from_std(stream).unwrap();
            let mut connection = io::tokio::Connection::new(stream, Server::new(config, [1; 32]));
            connection.run(Serve::new(host)).await.unwrap()
        });
        (closed, talking.join().unwrap())
    })
}

fn config() -> Config {
    let mut config = Config::new("mx.example.org").unwrap();
    config.announce_limits = false;
    config
}

const DIALOGUE: &str = "EHLO a\r\nMAIL FROM:<alice@example.com> BODY=8BITMIME\r\nRCPT TO:<bob@example.org>\r\n\
    RCPT TO:<nobody@example.org>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<carol@example.org>\r\n\
    BDAT 3\r\nabcRSET\r\nMAIL FROM:<>\r\nRCPT TO:<carol@example.org>\r\nRCPT TO:<odd@example.org>\r\nBDAT 3 LAST\r\nx\r\nQUIT\r\n";

#[test]
fn a_host_serves_blocking_and_tokio_alike() {
    for serve in [served, served_by_tokio] {
        let mut host = Host::default();
        let (closed, said) = serve(config(), &mut host, DIALOGUE);
        assert_eq!(closed, Closed::Quit);
        let last: Vec<&str> = said.lines().rev().take(4).collect();
        let expected = [
            "221 2.0.0 Closing connection",
            "250 2.0.0 queued as 1",
            "451 4.3.0 Temporary failure, try again later",
            "250 2.1.5 Recipient OK",
        ];
        assert_eq!(last, expected, "{said}");
        assert!(said.contains("550 5.1.1 No such user here\r\n354 "), "{said}");
        let [first, second] = host.mails.as_slice() else { panic!("{:?}", host.mails) };
        assert_eq!(first.sender.to_string(), "<alice@example.com>");
        assert!(first.parameters.is_eight_bit());
        assert_eq!(first.recipients.len(), 1);
        assert_eq!(first.content, b"Subject: x\r\n\r\n.dot\r\n");
        assert_eq!(first.report.octets, 20);
        assert_eq!((second.content.as_slice(), second.recipients.len()), (&b"x\r\n"[..], 1));
    }
}

#[test]
fn in_lmtp_each_recipient_has_its_verdict_and_a_verdict_that_does_not_fit_is_for_later() {
    let text = "LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@b>\r\nDATA\r\n.\r\nQUIT\r\n";
    let mut lmtp = config();
    lmtp.protocol = Protocol::Lmtp;
    let mut host = Host { each: true, ..Host::default() };
    let (_, said) = served(lmtp.clone(), &mut host, text);
    assert_eq!(said.matches("250 2.0.0 queued as 1\r\n").count(), 2, "{said}");
    let mut host = Host { misfit: true, ..Host::default() };
    let (_, said) = served(lmtp, &mut host, text);
    assert_eq!(said.matches("451 4.3.0").count(), 2, "{said}");
}

#[test]
fn a_host_judges_passwords() {
    let mut config = config();
    config.protocol = Protocol::Submission;
    config.offers = Offers::new([MechanismName::PLAIN]);
    config.allow_plaintext_authentication = true;
    let mut host = Host::default();
    let text = "EHLO a\r\nAUTH PLAIN AGFsaWNlAHdyb25n\r\nAUTH PLAIN AGFsaWNlAHRhbnN0YWFm\r\nMAIL FROM:<>\r\nQUIT\r\n";
    let (_, said) = served(config, &mut host, text);
    assert!(said.contains("535 5.7.8") && said.contains("235 2.7.0") && said.contains("250 2.1.0"), "{said}");
}

#[test]
fn a_closure_is_a_host_and_a_client_that_leaves_ends_it() {
    let (client, stream) = UnixStream::pair().unwrap();
    drop(client);
    let mut connection = io::blocking::Connection::new(stream, Server::new(config(), [1; 32]));
    let closed = connection.run(Serve::new(|_: Mail| Reply::MESSAGE_ACCEPTED));
    assert!(matches!(closed, Ok(Closed::Disconnected) | Err(io::RunError::Io(_))), "{closed:?}");
}
