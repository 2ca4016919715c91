//! The program as a process: started on free ports, asked where it listens, ended by a signal.

#![allow(dead_code, reason = "each test uses its part")]

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

pub(crate) const SERVICES: [&str; 8] =
    ["smtp", "submission", "submissions", "lmtp", "imap", "imaps", "pop3", "pop3s"];

/// A directory that is removed in the end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailserver"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_LOG");
    command
}

/// Runs to the end.
pub(crate) fn output(arguments: &[&str]) -> Output {
    command().args(arguments).output().unwrap()
}

/// A server that said "ready".
pub(crate) struct Running {
    child: Child,
    log: Option<std::thread::JoinHandle<String>>,
    /// What standard output held.
    pub(crate) announced: Vec<String>,
    ports: HashMap<String, u16>,
}

impl Running {
    /// Every service on a free port, and `arguments`.
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = command();
        command.arg("--data").arg(data).args(arguments);
        if !arguments.contains(&"--listen") {
            for service in SERVICES {
                command.arg("--listen").arg(format!("{service}=127.0.0.1:0"));
            }
        }
        let mut child = command.spawn().unwrap();
        let log = read_all(child.stderr.take().unwrap());
        let (mut announced, mut ports) = (Vec::new(), HashMap::new());
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            announced.push(line.clone());
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["listening", service, address] => {
                    let port = address.rsplit(':').next().unwrap().parse().unwrap();
                    ports.insert((*service).to_owned(), port);
                }
                ["ready"] => break,
                _ => panic!("{line}"),
            }
        }
        Self { child, log: Some(log), announced, ports }
    }

    pub(crate) fn connect(&self, service: &str) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.ports[service])).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    pub(crate) fn port(&self, service: &str) -> u16 {
        self.ports[service]
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg("-s").arg(name).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end and gives the exit status and the log.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        (status.code(), self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_all(mut log: ChildStderr) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    })
}

/// A conversation by lines in plain text.
pub(crate) struct Lines(BufReader<TcpStream>);

impl Lines {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(BufReader::new(stream))
    }

    /// The next line without its end; `None` at the end of the stream.
    pub(crate) fn read(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line).unwrap() {
            0 => None,
            _ => Some(line.trim_end_matches("\r\n").to_owned()),
        }
    }

    pub(crate) fn write(&mut self, lines: &str) {
        self.write_octets(lines.as_bytes());
    }

    pub(crate) fn write_octets(&mut self, octets: &[u8]) {
        self.0.get_mut().write_all(octets).unwrap();
    }

    /// Writes a command and gives the last line of the reply.
    pub(crate) fn say(&mut self, command: &str) -> String {
        self.write(&format!("{command}\r\n"));
        loop {
            let line = self.read().unwrap();
            if line.get(3..4) != Some("-") {
                return line;
            }
        }
    }
}
