//! One connection: a session, its transport, and the loop that hands its events to the store's driver.

use core::net::SocketAddr;
use std::io;
use std::sync::Arc;

use mailwright_core::io::tokio::Connection;
use mailwright_core::session::Transport;
use mailwright_imap as imap;
use mailwright_pop3 as pop3;
use mailwright_sasl::{MechanismName, Offers, ServerPolicy};
use mailwright_smtp as smtp;
use mailwright_store::engine::{Blobs, Engine};
use mailwright_store::{Store, serve};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::certificates::ServerTls;
use crate::listen::stopped;
use crate::options::{Options, Relay};
use crate::service::Service;
use crate::{Failure, Threads, entropy, now, welcome};

/// What every session of the program shares.
pub(crate) struct Sessions<E> {
    receiving: serve::smtp::Service<E, Threads>,
    mailboxes: serve::imap::Service<E, Threads>,
    maildrops: serve::pop3::Service<E, Threads>,
    mail_exchanger: Arc<smtp::server::Config>,
    submission: Arc<smtp::server::Config>,
    submissions: Arc<smtp::server::Config>,
    lmtp: Arc<smtp::server::Config>,
    imap: Arc<imap::server::Config>,
    imaps: Arc<imap::server::Config>,
    pop3: Arc<pop3::server::Config>,
    pop3s: Arc<pop3::server::Config>,
    tls: ServerTls,
}

/// How clients may log in, by TLS only unless the operator allows more (RFC 8314 §3).
fn offers() -> Offers {
    Offers::new([
        MechanismName::SCRAM_SHA_256_PLUS,
        MechanismName::SCRAM_SHA_256,
        MechanismName::SCRAM_SHA_1_PLUS,
        MechanismName::SCRAM_SHA_1,
        MechanismName::PLAIN,
        MechanismName::LOGIN,
    ])
    .confidential()
}

impl<E: Engine + Blobs> Sessions<E> {
    pub(crate) fn new(store: Store<E>, options: &Options, tls: ServerTls) -> Result<Self, Failure> {
        use smtp::server::{Protocol, TlsMode};
        let receiving =
            serve::smtp::Service::new(store.clone(), Threads).with_relaying(options.relay != Relay::Off);
        let sasl = |policy: &mut ServerPolicy| {
            // Python's smtplib and curl send the name at once.
            policy.login_initial_response = true;
            policy.certificate = Some(tls.certificate.clone());
        };
        let config = |protocol, tls| {
            let mut config = smtp::server::Config::new(&welcome::host_name(options))?;
            config.protocol = protocol;
            config.tls = tls;
            config.limits.message = options.max_size;
            // Reports go through the queue, which works only then.
            config.dsn = options.relay != Relay::Off && protocol != Protocol::Lmtp;
            config.requiretls = config.dsn;
            config.set_greeting_text(if protocol == Protocol::Lmtp { "LMTP" } else { "ESMTP" })?;
            if protocol == Protocol::Submission {
                config.offers = offers();
                sasl(&mut config.sasl);
                config.allow_plaintext_authentication = options.allow_plaintext_auth;
            }
            receiving.configure(&mut config);
            Ok::<_, Failure>(Arc::new(config))
        };
        let mailboxes = serve::imap::Service::new(store.clone(), Threads);
        let mailbox = |tls| {
            let mut config = imap::server::Config::default();
            config.greeting = format!("{} IMAP server ready", welcome::host_name(options));
            config.tls = tls;
            config.clear_text_without_tls = options.allow_plaintext_auth;
            config.offers = offers();
            sasl(&mut config.sasl);
            config.limits.append = options.max_size;
            mailboxes.configure(&mut config);
            Arc::new(config)
        };
        let maildrops = serve::pop3::Service::new(store, Threads);
        let maildrop = |tls| {
            let mut config = pop3::server::Config::default();
            config.tls = tls;
            config.clear_text_without_tls = options.allow_plaintext_auth;
            config.offers = offers();
            sasl(&mut config.sasl);
            maildrops.configure(&mut config);
            Arc::new(config)
        };
        Ok(Self {
            mail_exchanger: config(Protocol::Smtp, TlsMode::StartTls)?,
            submission: config(Protocol::Submission, TlsMode::StartTls)?,
            submissions: config(Protocol::Submission, TlsMode::Implicit)?,
            lmtp: config(Protocol::Lmtp, TlsMode::Off)?,
            imap: mailbox(imap::server::TlsMode::StartTls),
            imaps: mailbox(imap::server::TlsMode::Implicit),
            pop3: maildrop(pop3::TlsMode::StartTls),
            pop3s: maildrop(pop3::TlsMode::Implicit),
            maildrops,
            receiving,
            mailboxes,
            tls,
        })
    }

    /// Serves one connection to its end.
    pub(crate) async fn serve(
        &self,
        service: Service,
        stream: TcpStream,
        peer: SocketAddr,
        stopping: watch::Receiver<bool>,
    ) {
        tracing::info!(%service, %peer, "connected");
        // Replies are short and wait for each other.
        let _ = stream.set_nodelay(true);
        let outcome = match service {
            Service::Smtp => self.receive(&self.mail_exchanger, stream, peer, stopping).await,
            Service::Submission => self.receive(&self.submission, stream, peer, stopping).await,
            Service::Submissions => self.receive(&self.submissions, stream, peer, stopping).await,
            Service::Lmtp => self.receive(&self.lmtp, stream, peer, stopping).await,
            Service::Imap => self.mailboxes(&self.imap, stream, peer, stopping).await,
            Service::Imaps => self.mailboxes(&self.imaps, stream, peer, stopping).await,
            Service::Pop3 => self.maildrop(&self.pop3, stream, peer, stopping).await,
            Service::Pop3s => self.maildrop(&self.pop3s, stream, peer, stopping).await,
        };
        match outcome {
            Ok(()) => tracing::info!(%service, %peer, "disconnected"),
            Err(error) => tracing::info!(%service, %peer, %error, "connection failed"),
        }
    }

    /// SMTP, submission or LMTP.
    async fn receive(
        &self,
        config: &Arc<smtp::server::Config>,
        stream: TcpStream,
        peer: SocketAddr,
        mut stopping: watch::Receiver<bool>,
    ) -> io::Result<()> {
        use smtp::server::Event;
        let seed = entropy().map_err(io::Error::other)?;
        let session = smtp::server::Server::new(Arc::clone(config), seed);
        let transport = Transport::tls_ready(session, Arc::clone(&self.tls.config));
        let mut connection = Connection::over(stream, transport);
        let mut handler = self.receiving.handler(Some(peer.ip()));
        let mut stops = false;
        loop {
            let event = tokio::select! {
                event = connection.next_event() => event?,
                () = stopped(&mut stopping), if !stops => {
                    stops = true;
                    connection.shutdown();
                    continue;
                }
            };
            let Some(event) = event else { return Ok(()) };
            match &event {
                Event::Authenticated(identity) => {
                    tracing::info!(%peer, account = ?identity.authorization, "authenticated");
                }
                Event::Rejected(rejected) => tracing::debug!(%peer, reply = %rejected.reply, "rejected"),
                Event::Deviation(deviation) => tracing::debug!(%peer, ?deviation, "tolerated"),
                Event::Aborted(aborted) => tracing::info!(%peer, reason = ?aborted.reason, "no message"),
                Event::Message(message) => tracing::info!(%peer, sender = %message.sender, "message"),
                Event::Closed(reason) => tracing::info!(%peer, %reason, "closed"),
                _ => {}
            }
            handler.handle(&mut connection, event, now()).await;
        }
    }

    /// IMAP.
    async fn mailboxes(
        &self,
        config: &Arc<imap::server::Config>,
        stream: TcpStream,
        peer: SocketAddr,
        mut stopping: watch::Receiver<bool>,
    ) -> io::Result<()> {
        use imap::server::Event;
        let seed = entropy().map_err(io::Error::other)?;
        let session = imap::server::Server::new(Arc::clone(config), seed);
        let transport = Transport::tls_ready(session, Arc::clone(&self.tls.config));
        let mut connection = Connection::over(stream, transport);
        let mut handler = self.mailboxes.handler();
        let mut stops = false;
        loop {
            let idle = connection.is_idle();
            let event = tokio::select! {
                event = connection.next_event() => event?,
                // Only who waits for changes is told of them at once.
                () = handler.changed(), if idle => {
                    handler.refresh(&mut connection).await;
                    continue;
                }
                () = stopped(&mut stopping), if !stops => {
                    stops = true;
                    connection.shutdown();
                    continue;
                }
            };
            let Some(event) = event else { return Ok(()) };
            match &event {
                Event::Authenticated(identity) => {
                    tracing::info!(%peer, account = ?identity.authorization, "authenticated");
                }
                Event::LoginFailed { failures } => tracing::info!(%peer, failures, "log-in failed"),
                Event::Rejected(error) => tracing::debug!(%peer, error = %error.kind, "rejected"),
                Event::Deviation(deviation) => tracing::debug!(%peer, ?deviation, "tolerated"),
                Event::Closed(reason) => tracing::info!(%peer, %reason, "closed"),
                _ => {}
            }
            handler.handle(&mut connection, event, now()).await;
        }
    }

    /// POP3.
    async fn maildrop(
        &self,
        config: &Arc<pop3::server::Config>,
        stream: TcpStream,
        peer: SocketAddr,
        mut stopping: watch::Receiver<bool>,
    ) -> io::Result<()> {
        use pop3::server::Event;
        let seed = entropy().map_err(io::Error::other)?;
        let session = pop3::server::Server::new(Arc::clone(config), seed);
        let transport = Transport::tls_ready(session, Arc::clone(&self.tls.config));
        let mut connection = Connection::over(stream, transport);
        let mut handler = self.maildrops.handler();
        let mut stops = false;
        loop {
            let event = tokio::select! {
                event = connection.next_event() => event?,
                () = stopped(&mut stopping), if !stops => {
                    stops = true;
                    // Nothing is removed: the client said no QUIT.
                    connection.session_mut().abort();
                    continue;
                }
            };
            let Some(event) = event else { return Ok(()) };
            match &event {
                Event::Open { identity, .. } => {
                    tracing::info!(%peer, account = ?identity.authorization, "authenticated");
                }
                Event::LoginFailed { failures } => tracing::info!(%peer, failures, "log-in failed"),
                Event::Rejected(error) => tracing::debug!(%peer, %error, "rejected"),
                Event::Deviation(deviation) => tracing::debug!(%peer, ?deviation, "tolerated"),
                Event::Closed(reason) => tracing::info!(%peer, %reason, "closed"),
                _ => {}
            }
            handler.handle(&mut connection, event, now()).await;
        }
    }
}
