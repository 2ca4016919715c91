//! [`Layers`]: TLS and DEFLATE between the wire and a session, in their order and with the buffers between
//! them. When a layer comes or goes, the [`Transport`](super::Transport) decides.
//!
//! ```text
//!  wire ──▶ TLS ──▶ between ──▶ inflate ──▶ incoming ──▶ session
//!  wire ◀── outgoing ◀── TLS ◀── deflate ◀───────────── transmit
//! ```
//! A layer that is not there passes its octets on.

use core::mem;

use bytes::BytesMut;

#[cfg(not(feature = "deflate"))]
use super::absent::Deflate;
#[cfg(not(feature = "rustls"))]
use super::absent::{Tls, TlsConfig};
#[cfg(feature = "deflate")]
use super::deflate::Deflate;
#[cfg(feature = "rustls")]
use super::tls::{Tls, TlsConfig};
use super::{Layer, LayerError, Transmit, Upgraded};

/// The layers that are in place, and what waits between them.
#[derive(Debug, Default)]
pub(super) struct Layers {
    tls: Option<Tls>,
    deflate: Option<Deflate>,
    /// Whether DEFLATE is to go: nothing is deflated any more, and the peer's stream is read to its end.
    ending: bool,
    /// Decrypted, still compressed octets.
    between: BytesMut,
    /// Decoded octets that the session has not taken.
    pub(super) incoming: BytesMut,
    /// Encoded octets for the wire.
    pub(super) outgoing: Transmit,
}

/// What a step of decoding brought.
pub(super) enum Decoded {
    /// There was nothing to do.
    Nothing,
    /// Octets moved.
    Octets,
    /// A layer is in place, or gone.
    Layer(Upgraded),
}

impl Layers {
    /// Whether octets of the wire are not those of the session.
    pub(super) const fn exist(&self) -> bool {
        self.tls.is_some() || self.deflate.is_some()
    }

    /// Whether a layer is coming or going: the session reads nothing meanwhile.
    pub(super) fn are_changing(&self) -> bool {
        self.ending || self.is_handshaking()
    }

    /// Whether the TLS handshake is not finished.
    pub(super) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| !tls.is_established())
    }

    /// Whether the peer ended the TLS connection in order.
    pub(super) fn peer_has_closed(&self) -> bool {
        self.tls.as_ref().is_some_and(Tls::peer_has_closed)
    }

    /// Whether decoded octets wait for the session or for a layer.
    pub(super) fn hold_input(&self) -> bool {
        !self.between.is_empty() || !self.incoming.is_empty()
    }

    /// Begins to put `layer` in place. `None`: [`Self::decode`] will tell when it is.
    pub(super) fn install(
        &mut self,
        layer: Layer,
        config: Option<&TlsConfig>,
    ) -> Result<Option<Upgraded>, LayerError> {
        match layer {
            // RFC 4978 §3: TLS lies below DEFLATE; here it comes first or never. Without a layer there is
            // nothing in `incoming`: what stands behind the agreement is in the driver's buffer still.
            Layer::Tls if !self.exist() => {
                self.tls = Some(Tls::new(config.ok_or(LayerError::NotConfigured)?)?);
                Ok(None)
            }
            Layer::Deflate if self.deflate.is_none() => {
                self.deflate = Some(Deflate::new().ok_or(LayerError::NotConfigured)?);
                // What was decrypted and not read stands behind the agreement.
                self.between = mem::take(&mut self.incoming);
                Ok(Some(Upgraded::Deflate))
            }
            // RFC 8437 §3: each side ends its layer behind the line end. The peer's next octets are not
            // deflated, so what it did deflate behind that line is an error.
            Layer::DeflateEnd if self.deflate.is_some() && self.incoming.is_empty() => {
                self.ending = true;
                Ok(None)
            }
            Layer::DeflateEnd if self.deflate.is_some() => Err(LayerError::Deflate),
            Layer::Tls | Layer::Deflate | Layer::DeflateEnd => Err(LayerError::NotConfigured),
        }
    }

    /// Decodes one step of `input` towards `incoming`: about one record of 16 KiB.
    pub(super) fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, LayerError> {
        let mut moved = false;
        if let Some(tls) = &mut self.tls {
            let compressed = self.deflate.is_some();
            if !compressed || self.between.is_empty() {
                let plain = if compressed { &mut self.between } else { &mut self.incoming };
                moved |= tls.decrypt(input, plain)?;
                if let Some(info) = tls.establish() {
                    return Ok(Decoded::Layer(Upgraded::Tls(info)));
                }
            }
        }
        if let Some(deflate) = &mut self.deflate {
            let source = if self.tls.is_some() { &mut self.between } else { input };
            if !self.ending {
                moved |= deflate.inflate(source, &mut self.incoming)?;
            } else if deflate.end(source)? {
                self.deflate = None;
                self.ending = false;
                // What stands behind the end is plain.
                self.incoming = mem::take(&mut self.between);
                return Ok(Decoded::Layer(Upgraded::DeflateEnd));
            }
        }
        Ok(if moved { Decoded::Octets } else { Decoded::Nothing })
    }

    /// Encodes `octets` of the session for the wire.
    pub(super) fn encode(&mut self, octets: &[u8]) {
        let deflated = match &mut self.deflate {
            Some(deflate) if !self.ending => Some(deflate.deflate(octets)),
            _ => None,
        };
        let octets = deflated.as_deref().unwrap_or(octets);
        match &mut self.tls {
            Some(tls) => tls.encrypt(octets, &mut self.outgoing),
            None => self.outgoing.put(octets),
        }
    }

    /// Moves what TLS says of its own accord towards the wire.
    pub(super) fn flush(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.flush(&mut self.outgoing);
        }
    }

    /// Says that nothing more comes, if there is a layer that can.
    pub(super) fn close(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.close();
        }
    }

    /// Gives back the memory that an idle session does not need.
    pub(super) fn release(&mut self) {
        for buffer in [&mut self.between, &mut self.incoming] {
            if buffer.is_empty() && buffer.capacity() > 0 {
                *buffer = BytesMut::new();
            }
        }
    }
}
