//! Layers whose features are switched off: types without values. With them [`Layers`](super::layer::Layers)
//! is the same code under every set of features.

use bytes::BytesMut;

use super::LayerError;
#[cfg(not(feature = "rustls"))]
use super::{TlsInfo, Transmit};

/// There is no configuration without the feature `rustls`.
#[cfg(not(feature = "rustls"))]
#[derive(Debug)]
pub(super) enum TlsConfig {}

/// There is no TLS without the feature `rustls`.
#[cfg(not(feature = "rustls"))]
#[derive(Debug)]
pub(super) enum Tls {}

#[cfg(not(feature = "rustls"))]
impl Tls {
    pub(super) const fn new(config: &TlsConfig) -> Result<Self, LayerError> {
        match *config {}
    }

    pub(super) const fn is_established(&self) -> bool {
        match *self {}
    }

    pub(super) const fn peer_has_closed(&self) -> bool {
        match *self {}
    }

    pub(super) const fn establish(&mut self) -> Option<TlsInfo> {
        match *self {}
    }

    pub(super) const fn decrypt(&mut self, _: &mut BytesMut, _: &mut BytesMut) -> Result<bool, LayerError> {
        match *self {}
    }

    pub(super) const fn encrypt(&mut self, _: &[u8], _: &mut Transmit) {
        match *self {}
    }

    pub(super) const fn flush(&mut self, _: &mut Transmit) {
        match *self {}
    }

    pub(super) const fn close(&mut self) {
        match *self {}
    }
}

/// There is no DEFLATE without the feature `deflate`.
#[cfg(not(feature = "deflate"))]
#[derive(Debug)]
pub(super) enum Deflate {}

#[cfg(not(feature = "deflate"))]
impl Deflate {
    pub(super) const fn new() -> Option<Self> {
        None
    }

    pub(super) const fn inflate(&mut self, _: &mut BytesMut, _: &mut BytesMut) -> Result<bool, LayerError> {
        match *self {}
    }

    pub(super) const fn end(&mut self, _: &mut BytesMut) -> Result<bool, LayerError> {
        match *self {}
    }

    pub(super) const fn deflate(&mut self, _: &[u8]) -> alloc::vec::Vec<u8> {
        match *self {}
    }
}
