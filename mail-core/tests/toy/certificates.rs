//! A certificate authority, a server and a client, made for each test.

#![allow(unreachable_pub, reason = "each test file uses a part")]

use std::sync::Arc;

use mailwright_core::session::TlsConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

pub const NAME: &str = "mail.example";

pub struct Certificates {
    authority: rcgen::CertifiedIssuer<'static, rcgen::KeyPair>,
}

impl Certificates {
    pub fn new() -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        Self { authority: rcgen::CertifiedIssuer::self_signed(params, key).unwrap() }
    }

    pub fn issue(&self, name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        (certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into())
    }

    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.as_ref().der().clone()).unwrap();
        roots
    }

    pub fn server(&self) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue(NAME);
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Arc::new(config)
    }

    /// A server that asks the client for a certificate.
    pub fn asking_server(&self) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue(NAME);
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider.clone())
            .build()
            .unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Arc::new(config)
    }

    pub fn client(&self) -> TlsConfig {
        self.client_with(rustls::ALL_VERSIONS, NAME)
    }

    pub fn client_with(&self, versions: &[&'static SupportedProtocolVersion], name: &str) -> TlsConfig {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.roots())
            .with_no_client_auth();
        (Arc::new(config), name.to_owned().try_into().unwrap()).into()
    }

    pub fn client_with_certificate(&self) -> (TlsConfig, CertificateDer<'static>) {
        let (certificate, key) = self.issue("client.example");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots())
            .with_client_auth_cert(vec![certificate.clone()], key)
            .unwrap();
        ((Arc::new(config), NAME.try_into().unwrap()).into(), certificate)
    }
}
