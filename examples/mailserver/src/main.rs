//! A small mail server on the public API of the crates: SMTP, submission, LMTP, IMAP and POP3 over one store.
//!
//! `options` has the command line and the configuration file, `service` what a service is, `directory` who
//! exists, `admin` what the subcommands change, `control` the socket they use, `certificates` the keys for TLS, `listen` the sockets, `session` one connection, `welcome` what
//! a newcomer is told.

mod admin;
mod certificates;
mod check;
mod control;
mod data;
mod directory;
mod listen;
mod options;
mod relay;
mod service;
mod session;
mod welcome;

use core::error::Error;
use core::time::Duration;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use mailwright_core::value::UnixTime;
use mailwright_store::engine::local::LocalConfig;
use mailwright_store::engine::{Blobs, Engine, Job, Local, Memory, Offload};
use mailwright_store::serve::Compute;
use mailwright_store::{Store, StoreConfig};
use tokio::signal::unix::{SignalKind, signal};

use self::options::{Command, Options, StoreKind};
use self::session::Sessions;

/// What may go wrong here has no caller but a person who reads it.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(Command::Serve(options)) => *options,
        Ok(Command::Check { data, depth }) => return check::run(&data, depth),
        Ok(Command::Administer { data, request }) => return control::run(&data, request),
        Err(error) => {
            eprintln!("mailserver: {error}");
            return ExitCode::from(2);
        }
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::from);
    match runtime.and_then(|runtime| runtime.block_on(run(options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mailserver: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Failure> {
    let data = data::Data::open(&options.data)?;
    match options.store {
        StoreKind::Memory => serve(Memory::new(), &options, &data).await,
        StoreKind::Local => {
            let engine = open_local(&data)?;
            serve(engine.clone(), &options, &data).await?;
            engine.engine().close()?;
            Ok(())
        }
    }
}

/// The store in the directory.
fn open_local(data: &data::Data) -> Result<Offload<Local>, Failure> {
    let [first, ..] = halves(entropy()?);
    let engine = Local::open(data.path("store"), LocalConfig::default(), first)?;
    if let Some(damage) = engine.damage() {
        return Err(format!("{damage}: the store can only be read, so nothing is done with it").into());
    }
    // Syncs and reads block, so they run on the runtime's threads for that.
    Ok(Offload::new(engine, |job: Job| drop(tokio::task::spawn_blocking(job))))
}

/// Serves a store until a signal comes.
async fn serve<E: Engine + Blobs>(engine: E, options: &Options, data: &data::Data) -> Result<(), Failure> {
    let mut config = StoreConfig::default();
    config.mail.message_octets = options.max_size;
    let store = Store::open(engine, config, entropy()?).await?;
    directory::fill(&store, options).await?;
    let tls = certificates::server_tls(data, options)?;
    let sessions = Arc::new(Sessions::new(store.clone(), options, tls)?);

    // Before anything is told, so that who reads "ready" may send a signal.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut listeners = Vec::new();
    for listen in &options.listen {
        listeners.push(listen::Listener::bind(listen).await?);
    }
    let (control, administered) = (control::Control::open(data)?, store.clone());
    let control = tokio::spawn(async move { control.serve(&administered).await });
    announce(&listeners)?;
    welcome::print(options, data, &listeners);

    let mut server = listen::Serving::start(listeners, &sessions);
    let relaying = match relay::Ways::new(options, data).await? {
        Some(ways) => {
            Some(tokio::spawn(relay::run(relay::runner(&store, options).await?, ways, server.stopping())))
        }
        None => None,
    };
    let mut upkeep = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = upkeep.tick() => maintain(&store).await,
        }
    }
    tracing::info!("shutting down");
    control.abort();
    server.stop(Duration::from_secs(5)).await;
    let _ = control.await;
    if let Some(relaying) = relaying {
        let _ = relaying.await;
    }
    Ok(())
}

/// Frees what no mailbox shows any more.
async fn maintain<E: Engine + Blobs>(store: &Store<E>) {
    const AT_ONCE: usize = 256;
    loop {
        match store.maintain(now(), AT_ONCE).await {
            Ok(AT_ONCE) => {}
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, "upkeep of the store failed");
                return;
            }
        }
    }
}

/// Tells where the services are: the only thing on standard output.
fn announce(listeners: &[listen::Listener]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for listener in listeners {
        writeln!(out, "listening {} {}", listener.service, listener.address)?;
    }
    writeln!(out, "ready")?;
    out.flush()?;
    Ok(())
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// 32 octets that nobody can guess.
fn entropy() -> Result<[u8; 32], Failure> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(|error| format!("no entropy: {error}"))?;
    Ok(octets)
}

/// The two halves of what nobody can guess.
fn halves(octets: [u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    for (half, octets) in halves.iter_mut().zip(octets.chunks_exact(16)) {
        half.copy_from_slice(octets);
    }
    halves
}

/// Password hashes run on the runtime's threads for blocking work.
#[derive(Clone, Copy)]
struct Threads;

impl Compute for Threads {
    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        tokio::task::spawn_blocking(work).await.ok()
    }
}
