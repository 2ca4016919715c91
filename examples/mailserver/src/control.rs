//! The control socket: how the subcommands speak to the server that holds the directory.
//!
//! `DATA/control` is a Unix socket for the owner of the directory. A client writes one [`Request`] as a line of
//! JSON and reads lines of JSON: any number of `{"line": …}`, then `{"done": null}` or `{"failed": …}`.

use core::time::Duration;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use mailwright_store::engine::{Blobs, Engine};
use mailwright_store::{Store, StoreConfig};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use crate::admin::{self, Request};
use crate::data::{Data, Held};
use crate::{Failure, entropy, open_local};

/// The longest request.
const LONGEST: u64 = 64 * 1024;

/// How long a client may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Line(String),
    Done,
    Failed(String),
}

/// A socket file that is removed in the end.
pub(crate) struct Control {
    path: PathBuf,
    listener: UnixListener,
}

impl Control {
    /// Opens the socket; the lock on the directory says that nobody else has one there.
    pub(crate) fn open(data: &Data) -> Result<Self, Failure> {
        let path = data.path("control");
        let named = |error: io::Error| format!("{}: {error}", path.display());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(named(error).into()),
            _ => {}
        }
        let listener = short(&path, |path| UnixListener::bind(path)).map_err(named)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(named)?;
        Ok(Self { path, listener })
    }

    /// Answers for ever, one client after another.
    pub(crate) async fn serve<E: Engine + Blobs>(&self, store: &Store<E>) {
        let owner = fs::metadata(&self.path).map(|file| std::os::unix::fs::MetadataExt::uid(&file));
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            // Whoever got in while the socket was being made is turned away.
            let peer = stream.peer_cred().map(|peer| peer.uid());
            if !matches!((&peer, &owner), (Ok(peer), Ok(owner)) if peer == owner || *peer == 0) {
                continue;
            }
            if let Err(error) = answer(stream, store).await {
                tracing::debug!(%error, "control connection failed");
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

async fn answer<E: Engine + Blobs>(mut stream: UnixStream, store: &Store<E>) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut line = String::new();
    let mut read = tokio::io::BufReader::new(read.take(LONGEST));
    tokio::time::timeout(PATIENCE, read.read_line(&mut line)).await??;
    let mut answers = Vec::new();
    let outcome = match serde_json::from_str::<Request>(&line) {
        Ok(request) => admin::run(store, request, &mut |line| answers.push(Answer::Line(line))).await,
        // It does not quote what was asked, which may hold a password.
        Err(_) => Err("not a request: the server may be of another version".into()),
    };
    answers.push(match outcome {
        Ok(()) => Answer::Done,
        Err(error) => Answer::Failed(error.to_string()),
    });
    let mut text = Vec::new();
    for answer in answers {
        serde_json::to_writer(&mut text, &answer)?;
        text.push(b'\n');
    }
    tokio::time::timeout(PATIENCE, write.write_all(&text)).await?
}

/// Has `request` done by the server that holds the directory, or does it if none does.
pub(crate) fn run(data: &Path, request: Request) -> ExitCode {
    let done = match Data::try_open(data) {
        Ok(Held::Here(data)) => do_here(&data, request),
        Ok(Held::ByAnother) => ask(data, &request),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mailserver: {error}");
            ExitCode::FAILURE
        }
    }
}

fn ask(data: &Path, request: &Request) -> Result<(), Failure> {
    let path = data.join("control");
    let stream = short(&path, |path| std::os::unix::net::UnixStream::connect(path));
    let mut stream = stream.map_err(|error| format!("{}: {error}", path.display()))?;
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    stream.write_all(&text)?;
    let mut out = io::stdout().lock();
    for line in BufReader::new(stream).lines() {
        match serde_json::from_str(&line?)? {
            Answer::Line(line) => writeln!(out, "{line}")?,
            Answer::Done => return Ok(out.flush()?),
            Answer::Failed(error) => return Err(error.into()),
        }
    }
    Err("the server ended before it answered".into())
}

fn do_here(data: &Data, request: Request) -> Result<(), Failure> {
    let mut lines = Vec::new();
    let done = tokio::runtime::Runtime::new()?.block_on(async {
        let engine = open_local(data)?;
        let store = Store::open(engine.clone(), StoreConfig::default(), entropy()?).await?;
        let done = admin::run(&store, request, &mut |line| lines.push(line)).await;
        engine.engine().close()?;
        done
    });
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    done
}

/// Uses a path to a socket, which may have 107 octets at most: a longer one goes by its directory's descriptor.
fn short<T>(path: &Path, then: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    use std::os::fd::AsRawFd as _;
    if path.as_os_str().len() <= 100 {
        return then(path);
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return then(path) };
    let directory = fs::File::open(directory)?;
    then(&Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name))
}
