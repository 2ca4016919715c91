//! Keys for TLS: those of the command line, or a certificate of a private CA that is made on first start.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};

use crate::data::Data;
use crate::options::Options;
use crate::{Failure, now, welcome};

const CA: &str = "ca.pem";
const CA_KEY: &str = "ca-key.pem";

/// What servers need for TLS.
#[derive(Clone, Debug)]
pub(crate) struct ServerTls {
    pub(crate) config: Arc<ServerConfig>,
    /// The server's own certificate, for clients that bind SCRAM to it.
    pub(crate) certificate: Bytes,
}

pub(crate) fn server_tls(data: &Data, options: &Options) -> Result<ServerTls, Failure> {
    let (chain, key) = match &options.tls {
        Some((chain, key)) => read(chain, key)?,
        None => generate(data, options)?,
    };
    let certificate =
        chain.first().map(|certificate| Bytes::copy_from_slice(certificate)).unwrap_or_default();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(ServerTls { config: Arc::new(config), certificate })
}

/// Whom to trust about other servers: the public roots, and those in a file of PEM certificates.
pub(crate) fn roots(more: Option<&Path>) -> Result<Arc<RootCertStore>, Failure> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = more {
        let wrong = |error: &dyn core::fmt::Display| format!("{}: {error}", path.display());
        let before = roots.len();
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
        if roots.len() == before {
            return Err(wrong(&"no certificate in it").into());
        }
    }
    Ok(roots.into())
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read(chain: &Path, key: &Path) -> Result<Identity, Failure> {
    let named = |path: &Path, error: &dyn core::fmt::Display| format!("{}: {error}", path.display());
    let certificates = CertificateDer::pem_file_iter(chain).map_err(|error| named(chain, &error))?;
    let certificates: Vec<_> =
        certificates.collect::<Result<_, _>>().map_err(|error| named(chain, &error))?;
    if certificates.is_empty() {
        return Err(named(chain, &"no certificate in it").into());
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| named(key, &error))?;
    Ok((certificates, key))
}

/// A fresh certificate of the private CA. The CA stays, so that who trusts it once need not do so again.
fn generate(data: &Data, options: &Options) -> Result<Identity, Failure> {
    let ca_key = match fs::read_to_string(data.path(CA_KEY)) {
        Ok(pem) if data.path(CA).exists() => KeyPair::from_pem(&pem)?,
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {
            let key = KeyPair::generate()?;
            data.write(CA_KEY, &key.serialize_pem(), true)?;
            data.write(CA, &authority()?.self_signed(&key)?.pem(), false)?;
            key
        }
    };
    let issuer = Issuer::new(authority()?, ca_key);
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.push(welcome::host_name(options));
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    // Until the end of next year: a new one is made at each start.
    let year = i32::try_from(now().as_seconds() / 31_556_952).unwrap_or(0) + 1970;
    params.not_before = rcgen::date_time_ymd(year - 1, 1, 1);
    params.not_after = rcgen::date_time_ymd(year + 2, 1, 1);
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    let der = PrivateKeyDer::try_from(key.serialize_der())?;
    Ok((vec![certificate.der().clone()], der))
}

/// What the CA says about itself; its key makes it unique.
fn authority() -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "mailserver private CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}
