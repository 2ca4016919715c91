//! Mail for other domains: the queue at work, with routes by MX or a smart host, and deliveries by SMTP.
//!
//! [`Runner`] says what is to be done and remembers what came of it; here are the sockets.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use mailwright_core::io::tokio::Connection;
use mailwright_core::io::{RunError, Step};
use mailwright_core::session::Transport;
use mailwright_core::value::{ForwardPath, UnixTime};
use mailwright_mx::drive::stub::{Stub, StubConfig};
use mailwright_mx::plan::Dial;
use mailwright_mx::{Destination, Plan, Resolver, RouteError, UnixMillis};
use mailwright_smtp::client::{
    Client, Closed, Config, Deliver, Login, LoginError, Quit, RecipientOptions, TlsMode, WantContent,
};
use mailwright_smtp::dsn::MtaName;
use mailwright_smtp::types::EnhancedCode;
use mailwright_store::Store;
use mailwright_store::engine::{Blobs, Engine};
use mailwright_store::queue::{
    AttemptId, Attempted, Job, QueueEvent, RouteQuestion, Routing, Runner, RunnerConfig, Work,
};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use crate::listen::stopped;
use crate::options::{Options, Relay};
use crate::{Failure, certificates, entropy, now, welcome};

/// How long a host may take to accept a connection (mx.md advises so for servers that try others next).
const CONNECT: Duration = Duration::from_secs(30);
/// Sessions that one delivery opens at most: hosts behind the second are left for the next attempt.
const SESSIONS: usize = 2;
/// Octets of a message that are read at a time.
const READ: u64 = 64 * 1024;
/// How long deliveries may go on when the server stops.
const PATIENCE: Duration = Duration::from_secs(4);

/// How other hosts are found and spoken to.
pub(crate) struct Ways {
    resolver: Resolver<Stub>,
    /// Where everything goes, if not to the MX hosts of its domain.
    smart_host: Option<Destination>,
    /// The name in EHLO.
    name: String,
    /// For TLS that protects from who only listens: a certificate proves nothing, so any will do.
    tls: Arc<ClientConfig>,
}

impl Ways {
    /// The ways of the options; `None` if mail for other domains is refused.
    pub(crate) fn new(options: &Options) -> Result<Option<Self>, Failure> {
        let smart_host = match &options.relay {
            Relay::Off => return Ok(None),
            Relay::Mx => None,
            Relay::Host(host) => Some(host.clone()),
        };
        let name = welcome::host_name(options);
        let mut stub = StubConfig::default();
        stub.servers = match options.resolver {
            Some(server) => vec![server],
            None => mailwright_mx::drive::system::resolvers()?,
        };
        let mut config = mailwright_mx::Config::default();
        config.port = options.relay_port;
        config.self_names.extend(name.parse());
        config.addresses.allow_loopback = options.relay_allow_loopback;
        let seed = entropy()?.first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets));
        let resolver = Resolver::new(Stub::new(stub), config, seed);
        Ok(Some(Self { resolver, smart_host, name, tls: certificates::any_certificate()? }))
    }

    async fn route(&self, question: &RouteQuestion) -> Routing<Arc<Plan>> {
        if question.require_tls {
            let reason = "this server cannot keep REQUIRETLS".into();
            return Routing::Permanent { status: status((5, 7, 30)), reason };
        }
        let destination = match &self.smart_host {
            Some(host) => Ok(host.clone()),
            None => Destination::parse(&question.destination).map_err(RouteError::from),
        };
        let found = match destination {
            Ok(destination) => self.resolver.resolve(&destination, millis()).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(plan) => Routing::Found(plan),
            Err(RouteError::Permanent(error)) => {
                Routing::Permanent { status: status(error.status.parts()), reason: error.to_string() }
            }
            Err(RouteError::Temporary(error)) => Routing::Temporary {
                not_before: i64::try_from(error.not_before.as_millis().div_ceil(1000))
                    .ok()
                    .map(UnixTime::from_seconds),
                status: status(error.status.parts()),
                reason: error.to_string(),
            },
        }
    }

    /// Tries the hosts of the route one after the other until one of them answers for the message.
    async fn deliver<E: Engine + Blobs>(&self, job: &Job<E, Arc<Plan>>) -> Attempted {
        let mut last = Attempted::Unreachable { remote: None, reason: "there is no host to try".into() };
        let mut sessions = 0;
        for dial in job.route.attempt(self.resolver.seed()).dials() {
            let host = Host::of(&dial);
            match self.session(&host).await {
                Ok(connection) => {
                    sessions += 1;
                    let attempted = hand_over(connection, &host, job).await;
                    if !matches!(attempted, Attempted::Unreachable { .. }) {
                        return attempted;
                    }
                    last = attempted;
                }
                Err(reason) => {
                    tracing::info!(message = %job.message, %host, %reason, "host does not serve");
                    last = Attempted::Unreachable { remote: host.remote.clone(), reason };
                }
            }
            if sessions == SESSIONS {
                break;
            }
        }
        last
    }

    /// A session that takes mail, with TLS if the host can.
    async fn session(&self, host: &Host) -> Result<Connection<TcpStream, Client>, String> {
        match self.greet(host, TlsMode::Opportunistic).await {
            // RFC 7435 §3: a host whose TLS does not work is as good as one without.
            Err(LoginFailure::Tls(reason)) => {
                tracing::info!(%host, %reason, "TLS failed, going on without");
                self.greet(host, TlsMode::None).await.map_err(|failure| failure.to_string())
            }
            result => result.map_err(|failure| failure.to_string()),
        }
    }

    async fn greet(&self, host: &Host, tls: TlsMode) -> Result<Connection<TcpStream, Client>, LoginFailure> {
        let failed = |error: &dyn fmt::Display| LoginFailure::Other(error.to_string());
        let stream = tokio::time::timeout(CONNECT, TcpStream::connect(host.address)).await;
        let stream = stream.map_err(|_| failed(&"no connection in time"))?.map_err(|error| failed(&error))?;
        // Commands are small and wait for their replies.
        let _ = stream.set_nodelay(true);
        let mut config = Config::new(&self.name).map_err(|error| failed(&error))?;
        config.tls = tls;
        let transport =
            Transport::tls_ready(Client::new(config), (Arc::clone(&self.tls), host.server_name()));
        let mut connection = Connection::over(stream, transport);
        match connection.run(Login::new()).await {
            Ok(_) => Ok(connection),
            Err(RunError::Task(LoginError::Closed(Closed::Layer(error)))) => {
                Err(LoginFailure::Tls(error.to_string()))
            }
            Err(error) => Err(failed(&error)),
        }
    }
}

/// Why a host was left.
enum LoginFailure {
    Tls(String),
    Other(String),
}

impl fmt::Display for LoginFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(reason) => write!(f, "TLS: {reason}"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

/// A host to try.
struct Host {
    name: Option<String>,
    address: SocketAddr,
    remote: Option<MtaName>,
}

impl Host {
    fn of(dial: &Dial<'_>) -> Self {
        let name = dial.host.name.as_ref().map(ToString::to_string);
        let literal = match dial.address {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        let domain = name.as_deref().unwrap_or(&literal).parse();
        let remote = domain.ok().and_then(|domain| MtaName::dns(&domain).ok());
        Self { name, address: SocketAddr::new(dial.address, dial.host.port), remote }
    }

    fn server_name(&self) -> ServerName<'static> {
        let name = self.name.clone().and_then(|name| ServerName::try_from(name).ok());
        name.unwrap_or_else(|| ServerName::from(self.address.ip()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({})", self.address),
            None => self.address.fmt(f),
        }
    }
}

/// Gives the message to the host of a session.
async fn hand_over<E: Engine + Blobs>(
    mut connection: Connection<TcpStream, Client>,
    host: &Host,
    job: &Job<E, Arc<Plan>>,
) -> Attempted {
    let dsn = connection.session().capabilities().dsn();
    let recipients = job.recipients.iter().map(|recipient| ForwardPath::from(recipient.address.clone()));
    let requests = job.recipients.iter().map(|recipient| {
        let mut options = RecipientOptions::default();
        options.notify = recipient.notify;
        options.original_recipient.clone_from(&recipient.original);
        options
    });
    let envelope = &job.envelope;
    let mut deliver = Deliver::streamed(envelope.sender.clone(), recipients)
        .size(job.content.size())
        .requests(envelope.ret, envelope.envelope_id.clone(), requests);
    if envelope.smtp_utf8 {
        deliver = deliver.smtp_utf8();
    }
    if envelope.eight_bit && !connection.session().capabilities().eight_bit_mime() {
        let error = mailwright_smtp::client::DeliverError::EightBit;
        return Attempted::by_client_error(host.remote.clone(), &error);
    }
    let mut running = connection.begin(deliver);
    let attempted = loop {
        match running.step().await {
            Ok(Step::Item(WantContent { offset, .. })) => {
                let Ok(piece) = job.content.read(offset..offset.saturating_add(READ)).await else {
                    // The connection is dropped inside the content, and so is the message.
                    return Attempted::Untried;
                };
                match running.task() {
                    Some(task) if piece.is_empty() => task.finish(),
                    Some(task) => task.push(piece),
                    None => {}
                }
            }
            Ok(Step::Done(delivery)) => break Attempted::by_client(host.remote.clone(), dsn, &delivery),
            Err(RunError::Task(error)) => break Attempted::by_client_error(host.remote.clone(), &error),
            Err(error) => {
                return Attempted::Unreachable { remote: host.remote.clone(), reason: error.to_string() };
            }
        }
    };
    drop(running);
    // Whatever happens now changes nothing.
    let _ = tokio::time::timeout(PATIENCE, async {
        if connection.run(Quit::new()).await.is_ok() {
            while let Ok(Some(_)) = connection.next_event().await {}
        }
    })
    .await;
    attempted
}

/// What a task found out.
enum Answer {
    Routed(AttemptId, Routing<Arc<Plan>>),
    Attempted(AttemptId, Attempted),
}

/// Works on the queue until the server stops, and for a short while goes on with what has begun.
pub(crate) async fn run<E: Engine + Blobs>(
    mut runner: Runner<E, Arc<Plan>>,
    ways: Ways,
    mut stopping: watch::Receiver<bool>,
) {
    let ways = Arc::new(ways);
    let mut tasks = Tasks { open: JoinSet::new(), of: HashMap::new() };
    loop {
        let until = work(&mut runner, &ways, &mut tasks).await;
        tokio::select! {
            Some(answer) = tasks.next() => tell(&mut runner, answer),
            () = runner.woken() => {}
            () = reached(until) => {}
            () = stopped(&mut stopping) => break,
        }
    }
    let end = async {
        while let Some(answer) = tasks.next().await {
            tell(&mut runner, answer);
            // No delivery begins any more: what is asked for is still in the queue.
            while !matches!(runner.poll(now()).await, Work::Wait(_)) {}
        }
    };
    if tokio::time::timeout(PATIENCE, end).await.is_err() {
        tracing::warn!("some deliveries were broken off and will be tried again");
    }
}

/// Does what is to be done now; gives the time when there is more.
async fn work<E: Engine + Blobs>(
    runner: &mut Runner<E, Arc<Plan>>,
    ways: &Arc<Ways>,
    tasks: &mut Tasks,
) -> Option<UnixTime> {
    loop {
        let ways = Arc::clone(ways);
        match runner.poll(now()).await {
            Work::Route(question) => tasks.spawn(question.attempt, async move {
                Answer::Routed(question.attempt, ways.route(&question).await)
            }),
            Work::Deliver(job) => tasks
                .spawn(job.attempt, async move { Answer::Attempted(job.attempt, ways.deliver(&job).await) }),
            Work::Event(event) => log(&event),
            Work::Wait(until) => return until,
            _ => {}
        }
    }
}

fn tell<E: Engine + Blobs>(runner: &mut Runner<E, Arc<Plan>>, answer: Answer) {
    match answer {
        Answer::Routed(attempt, routing) => runner.routed(attempt, routing, now()),
        Answer::Attempted(attempt, attempted) => runner.finished(attempt, attempted, now()),
    }
}

/// Routes and deliveries under way.
struct Tasks {
    open: JoinSet<Answer>,
    of: HashMap<Id, AttemptId>,
}

impl Tasks {
    fn spawn(&mut self, attempt: AttemptId, task: impl Future<Output = Answer> + Send + 'static) {
        let id = self.open.spawn(task).id();
        self.of.insert(id, attempt);
    }

    async fn next(&mut self) -> Option<Answer> {
        let ended = self.open.join_next_with_id().await?;
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let attempt = self.of.remove(&id);
        match ended {
            Ok((_, answer)) => Some(answer),
            // A task that broke down has decided nothing.
            Err(_) => attempt.map(|attempt| Answer::Attempted(attempt, Attempted::Untried)),
        }
    }
}

/// Waits until a time; for ever if there is none.
async fn reached(until: Option<UnixTime>) {
    let Some(until) = until else { return core::future::pending().await };
    let seconds = until.as_seconds().saturating_sub(now().as_seconds());
    tokio::time::sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))).await;
}

fn log(event: &QueueEvent) {
    match event {
        QueueEvent::Delivered { id, .. } => tracing::info!(%id, "delivered"),
        QueueEvent::Deferred { id, failure } => {
            tracing::info!(%id, status = %failure.status, ?failure, "deferred")
        }
        QueueEvent::Failed { id, failure } => tracing::warn!(%id, ?failure, "failed"),
        QueueEvent::Reported { message, action, to } => tracing::info!(%message, ?action, %to, "reported"),
        QueueEvent::Lost { id, recipient, failure } => {
            tracing::error!(%id, %recipient, ?failure, "lost: nobody can be told");
        }
        QueueEvent::Deleted { id, why } => tracing::info!(%id, %why, "deleted"),
        QueueEvent::NotWritten(error) => tracing::error!(%error, "the queue could not be written"),
        QueueEvent::NotRead { message, error } => {
            tracing::error!(%message, %error, "a message could not be read")
        }
        _ => {}
    }
}

/// The code of a status that a resolver gave; both have the same classes and ranges.
fn status((class, subject, detail): (u8, u16, u16)) -> EnhancedCode {
    const TRANSIENT: EnhancedCode = match EnhancedCode::new(4, 0, 0) {
        Ok(code) => code,
        Err(_) => unreachable!(),
    };
    EnhancedCode::new(class, subject, detail).unwrap_or(TRANSIENT)
}

fn millis() -> UnixMillis {
    UnixMillis::from_seconds(u64::try_from(now().as_seconds()).unwrap_or(0))
}

/// The queue of a store, ready to work.
pub(crate) async fn runner<E: Engine + Blobs>(
    store: &Store<E>,
    options: &Options,
) -> Result<Runner<E, Arc<Plan>>, Failure> {
    let mut config = RunnerConfig::new(welcome::host_name(options).parse()?)?;
    if let Some(schedule) = &options.retry {
        config.machine.schedule = schedule.clone();
    }
    Ok(Runner::start(store, config, now()).await?)
}
