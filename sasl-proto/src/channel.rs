//! [`Channel`]: what an exchange may know of the connection below it. RFC 5056 channel bindings by
//! RFC 9266 (`tls-exporter`) and RFC 5929 §4 (`tls-server-end-point`); never `tls-unique`, which TLS 1.3
//! does not have.

use alloc::boxed::Box;
use core::fmt;

use bytes::Bytes;
use mailwright_core::session::TlsInfo;
use zeroize::Zeroizing;

use crate::certificate;
use crate::server::ServerPolicy;

/// RFC 9266 §2.
const EXPORTER: &str = "tls-exporter";
/// RFC 5929 §4.
const END_POINT: &str = "tls-server-end-point";

/// What an exchange may know of the connection below it: whether others can listen, and what to bind to.
///
/// One value for as long as the TLS connection lasts, since a binding by `tls-exporter` serves one exchange
/// only. A new one after STARTTLS.
///
/// Leave the bindings out ([`Self::new`]) where they prove nothing: TLS 1.2 that was resumed without
/// extended master secret (RFC 7677 §4).
#[derive(Default)]
pub struct Channel {
    confidential: bool,
    external: bool,
    /// Whether there ever was something to bind to.
    can_bind: bool,
    /// In a box of its own, so that a session without TLS carries next to nothing.
    bindings: Option<Box<Bindings>>,
}

/// What there is to bind to.
#[derive(Clone, Default)]
pub(crate) struct Bindings {
    exporter: Option<Zeroizing<[u8; 32]>>,
    end_point: Option<Bytes>,
}

impl Channel {
    /// A connection with nothing to bind to. `confidential`: nobody can listen (TLS, or the host does without),
    /// so secrets may travel in clear text.
    #[must_use]
    pub fn new(confidential: bool) -> Self {
        Self { confidential, ..Self::default() }
    }

    /// A TLS connection, as its server sees it. Binds by `tls-exporter`, and by `tls-server-end-point` if the
    /// policy has the certificate.
    #[must_use]
    pub fn server(info: &TlsInfo, policy: &ServerPolicy) -> Self {
        let channel = Self { external: !info.peer_certificates.is_empty(), ..Self::new(true) };
        let channel = channel.with_exporter(info.exporter);
        match &policy.certificate {
            Some(certificate) => channel.with_server_certificate(certificate),
            None => channel,
        }
    }

    /// A TLS connection, as its client sees it.
    #[must_use]
    pub fn client(info: &TlsInfo) -> Self {
        let channel = Self::new(true).with_exporter(info.exporter);
        match info.peer_certificates.first() {
            Some(certificate) => channel.with_server_certificate(certificate),
            None => channel,
        }
    }

    /// Binds by `tls-exporter`, too: 32 octets of keying material for the label `EXPORTER-Channel-Binding`
    /// with an empty context, of TLS 1.3.
    #[must_use]
    pub fn with_exporter(mut self, exporter: Option<[u8; 32]>) -> Self {
        if let Some(exporter) = exporter {
            self.can_bind = true;
            self.bindings.get_or_insert_default().exporter = Some(Zeroizing::new(exporter));
        }
        self
    }

    /// Binds by `tls-server-end-point`, too: `certificate` is the server's own in DER, as it was sent. No
    /// change if its signature algorithm has no single hash function.
    #[must_use]
    pub fn with_server_certificate(mut self, certificate: &[u8]) -> Self {
        // RFC 5929 §4.1: the hash of the server's certificate.
        if let Some(hash) = certificate::end_point(certificate) {
            self.can_bind = true;
            self.bindings.get_or_insert_default().end_point = Some(hash);
        }
        self
    }

    /// The layer below has proved who the client is, so EXTERNAL may be used: a server's TLS connection with a
    /// client certificate has it already.
    #[must_use]
    pub const fn with_external(mut self) -> Self {
        self.external = true;
        self
    }

    /// Whether secrets may travel in clear text.
    #[must_use]
    pub const fn is_confidential(&self) -> bool {
        self.confidential
    }

    /// Whether the layer below has proved who the client is.
    #[must_use]
    pub const fn has_external(&self) -> bool {
        self.external
    }

    /// Whether there is, or was, something to bind to.
    #[must_use]
    pub const fn can_bind(&self) -> bool {
        self.can_bind
    }

    /// Whether there is something to bind to that no exchange has used up.
    #[must_use]
    pub fn has_binding(&self) -> bool {
        self.bindings.as_ref().is_some_and(|bindings| bindings.best().is_some())
    }

    /// The bindings for one exchange.
    pub(crate) fn take_bindings(&mut self) -> Bindings {
        // RFC 9266 §4.1: no more than one exchange over a connection with this binding.
        let bindings = self.bindings.as_mut();
        bindings.map_or_else(Bindings::default, |bindings| Bindings {
            exporter: bindings.exporter.take(),
            end_point: bindings.end_point.clone(),
        })
    }
}

impl Bindings {
    /// What is bound to, by the name of its type.
    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        match name {
            EXPORTER => self.exporter.as_ref().map(|octets| octets.as_slice()),
            END_POINT => self.end_point.as_deref(),
            _ => None,
        }
    }

    /// The type that a client takes: the exporter if there is one.
    pub(crate) fn best(&self) -> Option<&'static str> {
        [EXPORTER, END_POINT].into_iter().find(|name| self.get(name).is_some())
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("confidential", &self.confidential)
            .field("external", &self.external)
            .field("binding", &self.bindings.as_ref().and_then(|bindings| bindings.best()))
            .finish_non_exhaustive()
    }
}
