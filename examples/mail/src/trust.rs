//! Whom to trust: the public roots, and those of `--ca`.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::failure::Failure;

/// The public roots, and those in `authority`, a file of PEM certificates.
pub(crate) fn roots(authority: Option<&Path>) -> Result<Arc<RootCertStore>, Failure> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = authority {
        let wrong =
            |error: &dyn core::fmt::Display| Failure::failed(format_args!("{}: {error}", path.display()));
        let before = roots.len();
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
        if roots.len() == before {
            return Err(wrong(&"no certificate in PEM"));
        }
    }
    Ok(roots.into())
}

/// A TLS configuration that trusts them.
pub(crate) fn configuration(authority: Option<&Path>) -> Result<Arc<ClientConfig>, Failure> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Failure::failed)?
        .with_root_certificates(roots(authority)?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
