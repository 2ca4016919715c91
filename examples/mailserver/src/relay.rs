//! Mail for other domains: the queue at work, with routes by MX or a smart host, and deliveries by SMTP.
//!
//! [`Runner`] says what is to be done and remembers what came of it; `session` has the sockets and what TLS has to be like,
//! `tlsrpt` what is told of it, and here is who does what when.

mod session;
mod tlsrpt;

use core::time::Duration;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use mailwright_core::io::tokio::Connection;
use mailwright_core::io::{RunError, Step};
use mailwright_core::value::{ForwardPath, UnixTime};
use mailwright_mx::drive::https::{Https, HttpsConfig};
use mailwright_mx::drive::stub::{Stub, StubConfig};
use mailwright_mx::{DaneMode, Destination, MessageTls, Plan, Resolver, RouteError, UnixMillis};
use mailwright_smtp::client::{Client, Deliver, MailOptions, Quit, RecipientOptions, WantContent};
use mailwright_smtp::types::EnhancedCode;
use mailwright_store::Store;
use mailwright_store::engine::{Blobs, Engine};
use mailwright_store::queue::{
    AttemptId, Attempted, Job, QueueEvent, RouteQuestion, Routing, Runner, RunnerConfig, Work,
};
use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, ring};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use self::session::{Host, SessionFailure};
use crate::data::Data;
use crate::listen::stopped;
use crate::options::{Options, Relay};
use crate::{Failure, certificates, data, entropy, now, welcome};

/// Sessions that one delivery opens at most: hosts behind the second are left for the next attempt.
const SESSIONS: usize = 2;
/// Octets of a message that are read at a time.
const READ: u64 = 64 * 1024;
/// How long deliveries may go on when the server stops.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often policies are looked through for some that are old.
const REFRESH: Duration = Duration::from_secs(300);
/// The file with the policies of domains.
const POLICIES: &str = "mta-sts";

/// How other hosts are found and spoken to.
pub(crate) struct Ways {
    resolver: Resolver<Https<Stub>>,
    /// Where everything goes, if not to the MX hosts of its domain.
    smart_host: Option<Destination>,
    /// The name in EHLO.
    name: String,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    /// Where policies are kept across restarts.
    policies: PathBuf,
}

impl Ways {
    /// The ways of the options; `None` if mail for other domains is refused.
    pub(crate) async fn new(options: &Options, data: &Data) -> Result<Option<Self>, Failure> {
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
        config.sts = options.sts;
        if options.dane {
            config.dane = DaneMode::Opportunistic;
        }
        let seed = entropy()?.first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets));
        let stub = Stub::new(stub);
        if options.dane && smart_host.is_none() {
            let probe = stub.clone();
            tokio::spawn(async move {
                if !probe.probe().await {
                    tracing::warn!(
                        "no resolver is seen to validate (loopback, AD bit): there will be no DANE"
                    );
                }
            });
        }
        let (roots, provider) =
            (certificates::roots(options.relay_ca.as_deref())?, Arc::new(ring::default_provider()));
        let mut https = HttpsConfig::new(Arc::clone(&roots), Arc::clone(&provider));
        https.addresses = config.addresses.clone();
        https.overrides.clone_from(&options.sts_url_override);
        let resolver = Resolver::new(Https::new(stub, https), config, seed);
        let policies = data.path(POLICIES);
        match std::fs::read_to_string(&policies) {
            Ok(text) => match resolver.restore_policies(&text) {
                Ok(count) => tracing::debug!(count, "policies of other domains"),
                // It is only a cache, though without it policies can be hidden until they are fetched again.
                Err(error) => tracing::error!(%error, file = %policies.display(), "policies were lost"),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", policies.display()).into()),
        }
        Ok(Some(Self { resolver, smart_host, name, roots, provider, policies }))
    }

    /// Writes down the policies if there are new ones.
    async fn keep_policies(&self) {
        let Some(text) = self.resolver.changed_policies() else { return };
        let path = self.policies.clone();
        let written = tokio::task::spawn_blocking(move || data::write(&path, &text, false)).await;
        if let Ok(Err(error)) = written {
            tracing::error!(%error, "policies of other domains could not be written");
        }
    }

    /// Fetches policies again that are old.
    async fn refresh_policies(&self) {
        while let Some((domain, refreshed)) = self.resolver.refresh_policy(millis()).await {
            for diagnostic in refreshed.diagnostics {
                tracing::warn!(%domain, %diagnostic, "the policy could not be refreshed");
            }
        }
        self.keep_policies().await;
    }

    async fn route(&self, question: &RouteQuestion) -> Routing<Arc<Plan>> {
        let destination = match &self.smart_host {
            Some(host) => Ok(host.clone()),
            None => Destination::parse(&question.destination).map_err(RouteError::from),
        };
        let found = match destination {
            Ok(destination) => {
                let message = match (question.require_tls, question.tls_not_required) {
                    (true, _) => MessageTls::Required,
                    (false, true) => MessageTls::NotRequired,
                    (false, false) => MessageTls::AsPublished,
                };
                self.resolver.resolve_for(&destination, message, millis()).await
            }
            Err(error) => Err(error),
        };
        self.keep_policies().await;
        tlsrpt::findings(&question.destination, &found);
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
        // RFC 8689 §4.2.1, §5: all hosts are tried, and then the message goes back, unless it is a report.
        let require_tls = job.envelope.require_tls && job.envelope.sender.mailbox().is_some();
        let mut lacking = None;
        for dial in job.route.attempt(self.resolver.seed()).dials() {
            let host = Host::of(&dial, &job.route);
            match self.session(&host).await {
                Ok(connection) if require_tls && !connection.session().capabilities().require_tls() => {
                    tracing::info!(message = %job.message, %host, "host does not know REQUIRETLS");
                    lacking = Some(((5, 7, 30), format!("{host} does not know REQUIRETLS")));
                    quit(connection).await;
                }
                Ok(connection) => {
                    sessions += 1;
                    let attempted = hand_over(connection, &host, job).await;
                    if !matches!(attempted, Attempted::Unreachable { .. }) {
                        return attempted;
                    }
                    last = attempted;
                }
                Err(failure) => {
                    tracing::info!(message = %job.message, %host, %failure, "host does not serve");
                    if require_tls && matches!(failure, SessionFailure::Tls(..)) {
                        lacking = lacking.or(Some(((5, 7, 10), format!("{host}: {failure}"))));
                    } else if !matches!(last, Attempted::TlsFailed { .. }) {
                        // That TLS is not as it has to be says more than that another host is down.
                        last = failure.attempted(&host);
                    }
                }
            }
            if sessions == SESSIONS {
                break;
            }
        }
        match lacking {
            Some((code, reason)) if sessions == 0 => Attempted::Impossible { status: status(code), reason },
            _ => last,
        }
    }
}

/// Gives the message to the host of a session.
async fn hand_over<E: Engine + Blobs>(
    mut connection: Connection<TcpStream, Client>,
    host: &Host<'_>,
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
    let mut options = MailOptions::default();
    options.require_tls = envelope.require_tls;
    let mut deliver = Deliver::streamed(envelope.sender.clone(), recipients)
        .options(options)
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
    quit(connection).await;
    attempted
}

/// Ends a session in order. Whatever happens now changes nothing.
async fn quit(mut connection: Connection<TcpStream, Client>) {
    let _ = tokio::time::timeout(PATIENCE, async {
        if connection.run(Quit::new()).await.is_ok() {
            while let Ok(Some(_)) = connection.next_event().await {}
        }
    })
    .await;
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
    let upkeep = Arc::clone(&ways);
    let upkeep = tokio::spawn(async move {
        let mut times = tokio::time::interval(REFRESH);
        loop {
            times.tick().await;
            upkeep.refresh_policies().await;
        }
    });
    loop {
        let until = work(&mut runner, &ways, &mut tasks).await;
        tokio::select! {
            Some(answer) = tasks.next() => tell(&mut runner, answer),
            () = runner.woken() => {}
            () = reached(until) => {}
            () = stopped(&mut stopping) => break,
        }
    }
    upkeep.abort();
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
