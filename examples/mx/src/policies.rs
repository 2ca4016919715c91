//! Policies of MTA-STS: whom to trust about them, and the file that keeps them.

use core::fmt;
use core::net::SocketAddr;
use std::io;
use std::path::Path;
use std::sync::Arc;

use mailwright_mx::drive::Driver;
use mailwright_mx::{DomainName, Resolver};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

type Failure = Box<dyn core::error::Error>;

fn named(file: &Path, error: &dyn fmt::Display) -> Failure {
    format!("{}: {error}", file.display()).into()
}

/// `HOST=ADDR:PORT`.
pub(crate) fn place(text: &str) -> Result<(DomainName, SocketAddr), String> {
    let (host, address) = text.split_once('=').ok_or("expected HOST=ADDR:PORT")?;
    let host = host.parse().map_err(|error| format!("{host}: {error}"))?;
    Ok((host, address.parse().map_err(|error| format!("{address}: {error}"))?))
}

/// The public roots, and those in `more`.
pub(crate) fn roots(more: Option<&Path>) -> Result<Arc<RootCertStore>, Failure> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = more {
        let before = roots.len();
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| named(file, &error))? {
            let certificate = certificate.map_err(|error| named(file, &error))?;
            roots.add(certificate).map_err(|error| named(file, &error))?;
        }
        if roots.len() == before {
            return Err(named(file, &"no certificate in it"));
        }
    }
    Ok(roots.into())
}

/// Takes in what an earlier run has kept.
pub(crate) fn restore<D: Driver>(resolver: &Resolver<D>, file: &Path) -> Result<(), Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => {
            resolver.restore_policies(&text).map_err(|error| named(file, &error))?;
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(named(file, &error)),
    }
}

/// Keeps policies for the next run, if there are new ones: the file is written whole or not at all.
pub(crate) fn keep<D: Driver>(resolver: &Resolver<D>, file: &Path) -> Result<(), Failure> {
    let Some(text) = resolver.changed_policies() else { return Ok(()) };
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(".new");
    let written = std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, file));
    written.map_err(|error| named(file, &error))
}
