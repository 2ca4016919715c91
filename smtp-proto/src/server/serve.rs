//! [`Serve`]: a server whose host is a closure or a few methods, for tests and for small programs. It stands above the
//! session and does no I/O either; a connection runs it.

use alloc::vec::Vec;
use core::convert::Infallible;

use mailwright_core::session::{Progress, Task};
use mailwright_core::value::{ForwardPath, ReversePath};
use mailwright_core::wire::ContentReport;
use mailwright_sasl::Answer;

use super::{
    Authenticate, Closed, Data, Event, Expand, Hello, Help, QueueRun, Recipient, Sender, Server, Verdict,
    Verify,
};
use crate::types::{Parameters, Reply, ReplyCode};

/// A message with its envelope, complete in memory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mail {
    /// The sender of MAIL.
    pub sender: ReversePath,
    /// What stood behind it.
    pub parameters: Parameters,
    /// The recipients that were accepted, in their order.
    pub recipients: Vec<MailRecipient>,
    /// The content, decoded: at most [`Limits::message`](super::Limits::message) octets.
    pub content: Vec<u8>,
    /// What was seen in it.
    pub report: ContentReport,
}

/// A recipient of a [`Mail`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MailRecipient {
    /// Who.
    pub path: ForwardPath,
    /// What stood behind it.
    pub parameters: Parameters,
}

/// What a host says to the questions of a session. Only [`Self::mail`] must be written; the others say what a session
/// says by default. A closure that takes a [`Mail`] is one.
///
/// A question comes here only if the configuration [asks](super::Questions) it: by default recipients and messages,
/// and authentication where mechanisms are offered. An answer that does not fit, such as 354 to RCPT, is said as 451.
pub trait Handler {
    /// EHLO, HELO or LHLO.
    fn hello(&mut self, hello: &Hello) -> Reply {
        let _ = hello;
        Reply::OK
    }

    /// Credentials. The default refuses them.
    fn authenticate(&mut self, question: &Authenticate) -> Answer {
        let _ = question;
        Answer::No
    }

    /// MAIL.
    fn sender(&mut self, sender: &Sender) -> Reply {
        let _ = sender;
        Reply::SENDER_OK
    }

    /// RCPT. The default accepts everybody, which is for tests: an open relay.
    fn recipient(&mut self, recipient: &Recipient) -> Reply {
        let _ = recipient;
        Reply::RECIPIENT_OK
    }

    /// DATA, or the first BDAT.
    fn data(&mut self, data: &Data) -> Reply {
        let _ = data;
        Reply::START_CONTENT
    }

    /// A complete message. In LMTP the answer may be a reply for each recipient.
    fn mail(&mut self, mail: Mail) -> Verdict;

    /// VRFY.
    fn verify(&mut self, verify: &Verify) -> Reply {
        let _ = verify;
        Reply::CANNOT_VERIFY
    }

    /// EXPN.
    fn expand(&mut self, expand: &Expand) -> Reply {
        let _ = expand;
        Reply::NOT_IMPLEMENTED
    }

    /// HELP.
    fn help(&mut self, help: &Help) -> Reply {
        let _ = help;
        super::replies::HELP
    }

    /// ETRN or ATRN.
    fn queue_run(&mut self, run: &QueueRun) -> Reply {
        let _ = run;
        Reply::NOT_IMPLEMENTED
    }
}

impl<F: FnMut(Mail) -> V, V: Into<Verdict>> Handler for F {
    fn mail(&mut self, mail: Mail) -> Verdict {
        self(mail).into()
    }
}

/// Answers a session by a [`Handler`], and collects each message for it. Run by a connection, it ends when the session
/// and its stream have ended, with the reason.
///
/// A server for a test is ten lines, here with the client that speaks to it; over tokio it is the same with `.await`:
///
/// ```
/// # #[cfg(feature = "std")] {
/// use std::net::{TcpListener, TcpStream};
/// use mailwright_smtp::io::blocking::Connection;
/// use mailwright_smtp::server::{Config, Mail, Serve, Server};
/// use mailwright_smtp::types::Reply;
///
/// fn serve(stream: TcpStream) -> Result<Vec<Mail>, Box<dyn std::error::Error>> {
///     let mut mails = Vec::new();
///     let server = Server::new(Config::new("mx.example.org")?, [1; 32]);
///     Connection::new(stream, server).run(Serve::new(|mail: Mail| {
///         mails.push(mail);
///         Reply::MESSAGE_ACCEPTED
///     }))?;
///     Ok(mails)
/// }
/// #
/// # use mailwright_smtp::client::{self, Client, Deliver, Login, Quit};
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let stream = TcpStream::connect(listener.local_addr()?)?;
/// let serving = std::thread::spawn(move || serve(listener.accept().unwrap().0).unwrap());
/// let mut config = client::Config::new("client.example.org")?;
/// config.tls = client::TlsMode::None;
/// let mut connection = Connection::new(stream, Client::new(config));
/// connection.run(Login::new())?;
/// let recipients = ["<bob@example.org>".parse()?];
/// let message = &b"Subject: hi\r\n\r\nHello.\r\n"[..];
/// connection.run(Deliver::new("<alice@example.org>".parse()?, recipients, message))?;
/// connection.run(Quit::new())?;
/// drop(connection);
/// let mails = serving.join().unwrap();
/// assert_eq!(mails[0].recipients[0].path.to_string(), "<bob@example.org>");
/// assert_eq!(mails[0].content, message);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Serve<H> {
    handler: H,
    mail: Option<Mail>,
    closed: Option<Closed>,
}

impl<H: Handler> Serve<H> {
    /// With this host.
    pub const fn new(handler: H) -> Self {
        Self { handler, mail: None, closed: None }
    }

    /// The host.
    pub const fn handler(&self) -> &H {
        &self.handler
    }

    /// Answers one event of `session`: for a loop of one's own.
    pub fn answer(&mut self, session: &mut Server, event: Event) {
        // A question that was not asked has its answer; a session that ended says so by its last event.
        match event {
            Event::Hello(it) => {
                let reply = self.handler.hello(&it);
                let _ = session.answer(it.token, fitting(reply));
            }
            Event::Authenticate(it) => {
                let answer = self.handler.authenticate(&it);
                let _ = session.answer(it.token, answer);
            }
            Event::Sender(it) => {
                let reply = self.handler.sender(&it);
                self.mail = Some(Mail {
                    sender: it.path.detach(),
                    parameters: it.parameters.detach(),
                    recipients: Vec::new(),
                    content: Vec::new(),
                    report: ContentReport::default(),
                });
                let _ = session.answer(it.token, fitting(reply));
            }
            Event::Recipient(it) => {
                let reply = fitting(self.handler.recipient(&it));
                let asked = session.config().ask.recipient;
                if let (Some(mail), true) = (&mut self.mail, reply.is_positive() || !asked) {
                    let (path, parameters) = (it.path.detach(), it.parameters.detach());
                    mail.recipients.push(MailRecipient { path, parameters });
                }
                let _ = session.answer(it.token, reply);
            }
            Event::Data(it) => {
                let reply = self.handler.data(&it);
                let fits =
                    reply.code() == ReplyCode::START_CONTENT || reply.is_transient() || reply.is_permanent();
                let _ = session.answer(it.token, if fits { reply } else { Reply::TRY_LATER });
            }
            Event::Content(octets) => {
                if let Some(mail) = &mut self.mail {
                    mail.content.extend_from_slice(&octets);
                }
            }
            Event::Message(it) => {
                let verdict = match self.mail.take() {
                    Some(mail) => self.handler.mail(Mail { report: it.report, ..mail }),
                    None => Reply::TRY_LATER.into(),
                };
                if let Err(refused) = session.answer(it.token, verdict) {
                    let _ = session.answer(refused.token, Reply::TRY_LATER);
                }
            }
            Event::Verify(it) => {
                let reply = self.handler.verify(&it);
                let _ = session.answer(it.token, fitting(reply));
            }
            Event::Expand(it) => {
                let reply = self.handler.expand(&it);
                let _ = session.answer(it.token, fitting(reply));
            }
            Event::Help(it) => {
                let reply = self.handler.help(&it);
                let _ = session.answer(it.token, fitting(reply));
            }
            Event::QueueRun(it) => {
                let reply = self.handler.queue_run(&it);
                if let Err(refused) = session.answer(it.token, fitting(reply)) {
                    let _ = session.answer(refused.token, Reply::NOT_IMPLEMENTED);
                }
            }
            Event::Aborted(_) | Event::Reset | Event::Secured(_) => self.mail = None,
            Event::Closed(reason) => {
                self.mail = None;
                self.closed = Some(reason);
            }
            Event::Authenticated(_) | Event::Rejected(_) | Event::Deviation(_) => {}
        }
    }
}

/// A reply that may answer a command.
fn fitting(reply: Reply) -> Reply {
    if reply.is_intermediate() { Reply::TRY_LATER } else { reply }
}

impl<H: Handler> Task<Server> for Serve<H> {
    type Item = Infallible;
    type Output = Closed;
    type Error = Infallible;

    fn start(&mut self, _: &mut Server) -> Result<(), Infallible> {
        Ok(())
    }

    fn handle(&mut self, session: &mut Server, event: Event) -> Progress<Self, Server> {
        self.answer(session, event);
        Progress::Continue
    }

    /// The last words have left.
    fn finished(&mut self, _: &mut Server) -> Option<Result<Closed, Infallible>> {
        Some(Ok(self.closed.take().unwrap_or(Closed::Disconnected)))
    }
}
