//! `mail send`: one message to its recipients, by SMTP (RFC 5321), submission or LMTP (RFC 2033), and
//! which reports its sender wants (RFC 3461).

use core::time::Duration;
use std::io;
use std::path::Path;

use mailwright_core::io::blocking::Connection;
use mailwright_core::io::{RunError, Step};
use mailwright_core::value::{ForwardPath, ReversePath};
use mailwright_sasl::{Credentials, MechanismName, Seed};
use mailwright_smtp::client::{
    Client, Config, Deliver, DeliverError, Delivery, Event, Login, LoginError, MailOptions, Outcome,
    Protocol, Quit, RecipientOptions, Row, TlsMode,
};
use mailwright_smtp::content::BarePolicy;
use mailwright_smtp::types::{OriginalRecipient, Reply, Return};
use serde_json::json;

use crate::arguments::{Mechanism, Requests, Send, ServerArguments};
use crate::connect::{self, Patient};
use crate::failure::{Failure, LoginFailure};
use crate::message::Message;
use crate::server_url::{self, Security};
use crate::{output, password, progress};

type Session = Connection<Patient, Client>;

pub(crate) fn run(arguments: &Send) -> Result<(), Failure> {
    usable(&arguments.server)?;
    let mut message = Message::open(&arguments.message)?;
    let order = Order {
        server: &arguments.server,
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        requests: &arguments.requests,
        name: &arguments.message,
    };
    order.send(&mut message)
}

/// Refuses a server, and a way to log in, by which no message is sent.
pub(crate) fn usable(server: &ServerArguments) -> Result<(), Failure> {
    if matches!(server.server.protocol, server_url::Protocol::Imap | server_url::Protocol::Pop3) {
        return Err(Failure::usage("a message is sent by smtp, smtps, smtp+plain or lmtp+plain"));
    }
    if server.auth == Some(Mechanism::User) {
        return Err(Failure::usage("USER is a way to log in of POP3; SMTP has those of SASL"));
    }
    Ok(())
}

/// From whom to whom a message goes, by which server.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) server: &'a ServerArguments,
    pub(crate) from: ReversePath,
    pub(crate) to: Vec<ForwardPath>,
    pub(crate) requests: &'a Requests,
    /// What the message is called if it cannot be read.
    pub(crate) name: &'a Path,
}

impl Order<'_> {
    /// Sends the message and prints what became of it at each recipient.
    pub(crate) fn send(&self, message: &mut Message) -> Result<(), Failure> {
        let credentials = password::credentials(self.server)?;
        let mut session = open(self.server, message.bare_lf)?;
        log_in(self.server, &mut session, credentials)?;
        self.check(&session, message)?;
        let rows = match self.deliver(&mut session, message)? {
            Ok(delivery) => {
                if let Some(closed) = &delivery.closed {
                    output::complain(&session.stream().explain(closed));
                }
                delivery.rows
            }
            // A reason that is the same for all of them.
            Err(error) => {
                output::complaint(&error.to_string());
                let unsent = |recipient: &ForwardPath| {
                    line(self.server.json, recipient, None, "failed", &error.to_string())
                };
                self.to.iter().try_for_each(unsent)?;
                Vec::new()
            }
        };
        let complete = !rows.is_empty() && rows.iter().all(|row| row.outcome.is_accepted());
        rows.iter().try_for_each(|row| row_line(self.server.json, row))?;
        if session.run(Quit::new()).is_ok() {
            connect::finish(session);
        }
        if complete { Ok(()) } else { Err(Failure::Partial) }
    }

    /// Refuses what can be known to fail only halfway.
    fn check(&self, session: &Session, message: &Message) -> Result<(), Failure> {
        let most = session.session().max_recipients();
        if message.whole.is_none() && self.to.len() > most {
            return Err(Failure::failed(format_args!(
                "the server takes {most} recipients at once, and what is no file can be sent only once: \
                 give a file, or fewer recipients"
            )));
        }
        let eight_bit = message.whole.is_some_and(|whole| whole.eight_bit);
        if eight_bit && !session.session().capabilities().eight_bit_mime() {
            return Err(Failure::failed(DeliverError::EightBit));
        }
        Ok(())
    }

    /// Sends the message. The outer error is our own: nothing is known to be delivered then.
    fn deliver(
        &self,
        session: &mut Session,
        message: &mut Message,
    ) -> Result<Result<Delivery, DeliverError>, Failure> {
        let mut options = MailOptions::default();
        options.require_tls = self.requests.require_tls;
        let mut deliver = Deliver::streamed(self.from.clone(), self.to.iter().cloned()).options(options);
        if let Some(whole) = message.whole {
            deliver = deliver.size(whole.size);
        }
        if message.utf8_header {
            deliver = deliver.smtp_utf8();
        }
        if self.requests.any() {
            // RFC 3461 §5.2.2: a server without DSN gets the message without them.
            if !session.session().capabilities().dsn() {
                output::complaint(
                    "the server does not announce DSN: it is not told which reports are asked for",
                );
            }
            let requests = self.requests;
            let ret = requests.returned.map(Return::from);
            let recipients = self.to.iter().map(|recipient| recipient_options(requests, recipient));
            deliver = deliver.requests(ret, requests.envelope_id.clone(), recipients);
        }
        let bar = progress::bar(message.whole.map(|whole| whole.size));
        let mut running = session.begin(deliver);
        let mut begun = false;
        let result = loop {
            match running.step() {
                Ok(Step::Item(want)) => {
                    if want.offset == 0 && begun {
                        message.restart()?;
                    }
                    begun = true;
                    bar.set_position(want.offset);
                    // If reading fails, the connection is dropped inside the content, and so is the message.
                    let piece = message
                        .next_piece()
                        .map_err(|error| Failure::failed(format_args!("{}: {error}", self.name.display())))?;
                    match running.task() {
                        Some(task) if piece.is_empty() => task.finish(),
                        Some(task) => task.push(piece),
                        None => {}
                    }
                }
                Ok(Step::Done(delivery)) => break Ok(delivery),
                Err(RunError::Task(error)) => break Err(error),
                Err(error) => return Err(session.stream().explain(error)),
            }
        };
        bar.finish_and_clear();
        Ok(result)
    }
}

/// A session on a new connection, before the greeting.
fn open(server: &ServerArguments, bare_lf: bool) -> Result<Session, Failure> {
    let socket = connect::socket(server)?;
    // RFC 5321 §4.1.4: who has no domain name says its address.
    let address = socket.socket().local_addr()?.ip().to_canonical();
    let name = if address.is_ipv4() { format!("[{address}]") } else { format!("[IPv6:{address}]") };
    let mut config = Config::new(&name).map_err(Failure::failed)?;
    config.tls = match server.server.security {
        Security::StartTls => TlsMode::Required,
        Security::Implicit => TlsMode::Implicit,
        Security::Plain => TlsMode::None,
    };
    if server.server.protocol == server_url::Protocol::Lmtp {
        config.protocol = Protocol::Lmtp;
    }
    // Whoever writes `+plain` wants just that.
    config.sasl.clear_text_without_tls = server.server.security == Security::Plain;
    if bare_lf {
        config.bare_line_ends = BarePolicy::Normalise;
    }
    // The socket knows how long nothing may move; the deadlines of the session go on top.
    let least = |timeout: &mut Duration| *timeout = (*timeout).max(server.patience());
    let timeouts = &mut config.timeouts;
    least(&mut timeouts.greeting);
    least(&mut timeouts.command);
    least(&mut timeouts.start_tls);
    least(&mut timeouts.authentication);
    least(&mut timeouts.data);
    least(&mut timeouts.block);
    least(&mut timeouts.final_reply);
    least(&mut timeouts.quit);
    // Whoever sits before a terminal does not wait long for a server that forgets to close.
    timeouts.close = Duration::from_secs(1);
    connect::connection(server, socket, Client::new(config))
}

/// From the greeting to a session that takes mail.
fn log_in(
    server: &ServerArguments,
    session: &mut Session,
    credentials: Option<Credentials>,
) -> Result<(), Failure> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(Failure::failed)?;
    let mut seed = Seed::new(octets);
    let result = match (credentials, server.auth) {
        (None, _) => session.run(Login::new()).map(drop).map_err(|error| LoginFailure::new(false, error)),
        (Some(credentials), None) => session.run(Login::with(credentials, seed)).map(drop).map_err(|error| {
            LoginFailure::new(matches!(error, RunError::Task(LoginError::Refused(_))), error)
        }),
        (Some(credentials), Some(mechanism)) => {
            let opened = session.run(Login::new()).map_err(|error| LoginFailure::new(false, error));
            opened.and_then(|_| authenticate(session, mechanism, &credentials, &mut seed))
        }
    };
    result.map_err(|reason| session.stream().explain_login(reason))?;
    if let Some(tls) = session.session().tls() {
        tracing::info!(version = tls.version, cipher_suite = tls.cipher_suite, "TLS");
    }
    tracing::info!(authenticated = session.session().is_authenticated(), "ready");
    Ok(())
}

/// Logs in by this mechanism and no other.
fn authenticate(
    session: &mut Session,
    mechanism: Mechanism,
    credentials: &Credentials,
    seed: &mut Seed,
) -> Result<(), LoginFailure> {
    // The command line has refused USER, which SMTP does not have.
    let name = mechanism.name().unwrap_or(MechanismName::PLAIN);
    let session_mut = session.session_mut();
    let exchange =
        session_mut.exchange(name, credentials, seed.nonce()).map_err(|error| error.to_string())?;
    session_mut.authenticate_by(exchange).map_err(|error| format!("{name}: {error}"))?;
    loop {
        match session.next_event() {
            Ok(Some(Event::Authenticated { .. })) => return Ok(()),
            Ok(Some(Event::NotAuthenticated { reason, .. })) => return Err(LoginFailure::new(true, reason)),
            Ok(Some(Event::Closed(closed))) => return Err(closed.to_string().into()),
            Ok(Some(_)) => {}
            Ok(None) => return Err("the connection is closed".to_owned().into()),
            Err(error) => return Err(error.to_string().into()),
        }
    }
}

/// What the sender asks for at this recipient.
fn recipient_options(requests: &Requests, recipient: &ForwardPath) -> RecipientOptions {
    let mut options = RecipientOptions::default();
    options.notify = requests.notify;
    // RFC 3461 §4.2: at submission it is the address of RCPT; a report names it, whatever the address becomes on
    // the way. One that is too long once encoded is left out.
    options.original_recipient =
        requests.notify.and_then(|_| OriginalRecipient::new(address(recipient).as_ref()).ok());
    options
}

/// The address without its angle brackets.
fn address(recipient: &ForwardPath) -> String {
    let path = recipient.to_string();
    path.strip_prefix('<').and_then(|path| path.strip_suffix('>')).map_or(path.clone(), str::to_owned)
}

fn row_line(json: bool, row: &Row) -> io::Result<()> {
    let (result, why) = match &row.outcome {
        Outcome::Accepted(_) => ("accepted", String::new()),
        Outcome::Transient { .. } => ("transient", String::new()),
        Outcome::Permanent { .. } => ("permanent", String::new()),
        Outcome::NotTried(misuse) => ("failed", misuse.to_string()),
        Outcome::Postponed => ("postponed", "the server takes no more in this session".to_owned()),
        Outcome::Unanswered => ("unanswered", "the session ended before the answer".to_owned()),
        _ => ("failed", String::new()),
    };
    line(json, &row.recipient, row.outcome.reply(), result, &why)
}

/// What became of one recipient: the server's reply, or why there is none.
fn line(
    json: bool,
    recipient: &ForwardPath,
    reply: Option<&Reply>,
    result: &str,
    why: &str,
) -> io::Result<()> {
    let address = address(recipient);
    let lines: Vec<&[u8]> = reply.map_or_else(|| vec![why.as_bytes()], |reply| reply.lines().collect());
    let enhanced = reply.and_then(Reply::enhanced).map(|enhanced| enhanced.to_string());
    let code = reply.map(|reply| reply.code().get());
    if json {
        let text: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
        return output::json(&json!({
            "address": address, "result": result, "code": code, "enhanced": enhanced, "text": text,
        }));
    }
    let text: Vec<_> = lines.iter().map(|line| output::escaped(line)).collect();
    let code = code.map_or_else(|| "-".to_owned(), |code| code.to_string());
    let enhanced = enhanced.as_deref().unwrap_or("-");
    output::line(&format!("{} {code} {enhanced} {}", output::escaped(address.as_bytes()), text.join(" / ")))
}
