//! [`PeerVerifier`]: the checks inside a handshake of rustls. One is made for each connection, and says afterwards what it
//! found.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::{Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::chain::{VerifyError, verify_dane, verify_pkix};
use crate::dns::Tlsa;
use crate::plan::Tls;

/// Who vouches for the peer of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authenticated {
    /// Nobody: nothing was asked for.
    Unauthenticated,
    /// A trusted root.
    Pkix,
    /// A TLSA record.
    Dane(Tlsa),
}

/// Checks the certificate of a host as its [`Tls`] says.
///
/// ```no_run
/// # fn of(host: &mailwright_mx::Host, roots: std::sync::Arc<rustls::RootCertStore>, provider: std::sync::Arc<rustls::crypto::CryptoProvider>) -> Result<(), rustls::Error> {
/// use mailwright_mx::verify::PeerVerifier;
///
/// let verifier = PeerVerifier::new(host.tls.clone(), roots, provider);
/// let config = verifier.client_config()?; // for a connection to `host.server_name()`
/// // … after the handshake, whether it worked or not:
/// if let Some(Err(error)) = verifier.outcome() {
///     println!("{}", error.result_type().as_str());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PeerVerifier {
    tls: Tls,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    outcome: Mutex<Option<Result<Authenticated, VerifyError>>>,
}

impl PeerVerifier {
    /// For one connection to a host. `roots` are trusted where the plan asks for a certificate of the public PKI.
    #[must_use]
    pub fn new(tls: Tls, roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Arc<Self> {
        Arc::new(Self { tls, roots, provider, outcome: Mutex::new(None) })
    }

    /// A configuration with this verifier; TLS 1.2 at least (RFC 8461 §7.1).
    ///
    /// # Errors
    /// If the provider lacks cipher suites for the versions of TLS.
    pub fn client_config(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Self>::clone(self))
            .with_no_client_auth();
        Ok(config)
    }

    /// What the check found; nothing if no certificate came. A failure may have been let pass: see
    /// [`Tls::lets_pass`].
    #[must_use]
    pub fn outcome(&self) -> Option<Result<Authenticated, VerifyError>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn check(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Authenticated, VerifyError> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        match &self.tls {
            Tls::Opportunistic(_) | Tls::Required(_) => Ok(Authenticated::Unauthenticated),
            Tls::Pkix(pkix) => verify_pkix(&pkix.names, chain, &self.roots.roots, algorithms, now)
                .map(|()| Authenticated::Pkix),
            Tls::Dane(dane) => {
                verify_dane(dane, chain, algorithms, now).map(|record| Authenticated::Dane(record.clone()))
            }
        }
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain: Vec<CertificateDer<'_>> = core::iter::once(end_entity)
            .chain(intermediates)
            .map(|one| CertificateDer::from(&one[..]))
            .collect();
        let outcome = self.check(&chain, now);
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.clone());
        match outcome {
            Err(error) if !self.tls.lets_pass() => Err(Error::InvalidCertificate(match error {
                VerifyError::Malformed => CertificateError::BadEncoding,
                VerifyError::NotTrusted => CertificateError::UnknownIssuer,
                VerifyError::Expired => CertificateError::Expired,
                VerifyError::NotYetValid => CertificateError::NotValidYet,
                VerifyError::Name => CertificateError::NotValidForName,
                VerifyError::NoTlsa | VerifyError::Invalid => {
                    CertificateError::Other(OtherError(Arc::new(error)))
                }
            })),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
