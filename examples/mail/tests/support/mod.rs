//! What the tests share: the program, directories, certificates, and servers on loopback.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

pub mod imap;
pub mod mime;
pub mod pop3;
pub mod raw;
pub mod smtp;
pub mod tap;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;

/// What a run of the program came to.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `mail` with nothing on standard input.
pub fn mail(arguments: &[&str]) -> Run {
    mail_with(arguments, b"")
}

/// Runs `mail`.
pub fn mail_with(arguments: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mail"))
        .args(arguments)
        .env("MAIL_TEST_PASSWORD", "tanstaaf")
        .env("RUST_LOG", "trace")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(input);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    let run = Run { code: status.code(), stdout: text(stdout), stderr: text(stderr) };
    assert!(!run.stdout.contains("tanstaaf") && !run.stderr.contains("tanstaaf"), "{run:?}");
    run
}

/// An empty directory of this test.
pub fn directory(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mail-{}-{test}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// A file in `directory`.
pub fn file(directory: &Path, name: &str, octets: &[u8]) -> String {
    let path = directory.join(name);
    fs::write(&path, octets).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A certificate authority in PEM, and a server at 127.0.0.1 with a certificate of it.
pub fn tls() -> (String, Arc<ServerConfig>) {
    tls_for("127.0.0.1")
}

/// The same for a server with this name.
pub fn tls_for(name: &str) -> (String, Arc<ServerConfig>) {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap().der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    (authority.as_ref().pem(), Arc::new(config))
}
