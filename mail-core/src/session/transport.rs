//! [`Transport`]: a session with its layers, itself a [`Session`].
//!
//! TLS and DEFLATE are values here, not streams: octets of the wire go in, octets of the wire come out,
//! so STARTTLS and COMPRESS are tested without a socket.
//!
//! ```text
//!  wire ──▶ TLS ──▶ between ──▶ inflate ──▶ incoming ──▶ session
//!  wire ◀── outgoing ◀── TLS ◀── deflate ◀───────────── transmit
//! ```
//! A layer that is not there passes its octets on. Without any, both buffers are unused and the session
//! reads the caller's buffer itself.

use bytes::{Buf as _, BytesMut};

#[cfg(any(feature = "rustls", feature = "deflate"))]
use super::Layer;
#[cfg(feature = "deflate")]
use super::deflate::Deflate;
#[cfg(feature = "rustls")]
use super::tls::{Tls, TlsConfig};
use super::{LayerError, Session, Transmit, Upgraded, Wants};
use crate::value::Instant;

/// A session with the layers below it.
///
/// Which layers there are is decided by the session, with [`Wants::upgrade`]: one that wants TLS before
/// anything else gets implicit TLS, one that wants it after an agreement gets STARTTLS. What the session
/// wrote before goes out first, in the clear; every octet that stands behind the agreement in the input
/// belongs to the layer. Plaintext there fails the handshake; it never reaches the session.
///
/// Memory is bounded: octets are decoded only while the session takes input and less than
/// [`Transport::WINDOW`] wait for it, and encoded only while less than that waits for the wire.
#[derive(Debug)]
pub struct Transport<P> {
    session: P,
    #[cfg(feature = "rustls")]
    config: Option<TlsConfig>,
    #[cfg(feature = "rustls")]
    tls: Option<Tls>,
    #[cfg(feature = "deflate")]
    deflate: Option<Deflate>,
    /// Decrypted, still compressed octets.
    #[cfg(feature = "deflate")]
    between: BytesMut,
    /// Decoded octets that the session has not taken.
    incoming: BytesMut,
    /// Encoded octets for the wire.
    outgoing: Transmit,
    /// Whether a layer is or was in place, so that output goes through `outgoing`.
    layered: bool,
    /// Whether the peer has said that no more comes.
    eof: bool,
    /// Whether the session was told so.
    eof_told: bool,
    /// Whether a layer failed: nothing is decoded any more.
    failed: bool,
}

impl<P: Session> Transport<P> {
    /// Decoded octets that may wait for the session, and encoded ones for the wire, before the transport
    /// stops making more. One TLS record (16 KiB) may come on top.
    pub const WINDOW: usize = 32 * 1024;

    /// A session without TLS. One that asks for it is told [`LayerError::NotConfigured`].
    #[must_use]
    pub fn plain(session: P) -> Self {
        Self {
            session,
            #[cfg(feature = "rustls")]
            config: None,
            #[cfg(feature = "rustls")]
            tls: None,
            #[cfg(feature = "deflate")]
            deflate: None,
            #[cfg(feature = "deflate")]
            between: BytesMut::new(),
            incoming: BytesMut::new(),
            outgoing: Transmit::new(),
            layered: false,
            eof: false,
            eof_told: false,
            failed: false,
        }
    }

    /// A session that gets TLS when it asks for it: from the first octet, or after STARTTLS.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls_ready(session: P, config: impl Into<TlsConfig>) -> Self {
        let mut transport = Self::plain(session);
        transport.config = Some(config.into());
        transport
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> &P {
        &self.session
    }

    /// The session, for commands and answers.
    pub const fn session_mut(&mut self) -> &mut P {
        &mut self.session
    }

    /// The session without its layers; what waited in them is lost.
    #[must_use]
    pub fn into_session(self) -> P {
        self.session
    }

    /// Puts the layer in place that the session waits for, if it does.
    fn upgrade(&mut self, now: Instant) {
        // Bounded: a session has few layers to ask for, and a failure ends it.
        while let Some(layer) = self.session.wants().upgrade {
            if self.failed || self.is_handshaking() {
                return;
            }
            // What was said before the agreement goes out without the layer.
            if self.layered {
                self.encode_all();
            } else {
                self.outgoing.put(&core::mem::take(self.session.transmit().buffer()));
                self.layered = true;
            }
            match layer {
                #[cfg(feature = "rustls")]
                Layer::Tls if self.tls.is_none() => match self.config.as_ref().map(Tls::new) {
                    Some(Ok(tls)) => {
                        self.tls = Some(tls);
                        return;
                    }
                    Some(Err(error)) => self.fail(error, now),
                    None => self.fail(LayerError::NotConfigured, now),
                },
                #[cfg(feature = "deflate")]
                Layer::Deflate if self.deflate.is_none() => {
                    self.deflate = Some(Deflate::new());
                    self.session.handle_upgrade(Upgraded::Deflate, now);
                }
                #[cfg(feature = "deflate")]
                Layer::DeflateEnd if self.deflate.is_some() => {
                    self.deflate = None;
                    // What was not inflated yet is plain now.
                    self.incoming.unsplit(core::mem::take(&mut self.between));
                    self.session.handle_upgrade(Upgraded::DeflateEnd, now);
                }
                _ => self.fail(LayerError::NotConfigured, now),
            }
        }
    }

    fn fail(&mut self, error: LayerError, now: Instant) {
        self.failed = true;
        self.incoming.clear();
        self.session.handle_upgrade(Upgraded::Failed(error), now);
    }

    #[cfg_attr(
        not(feature = "rustls"),
        expect(clippy::unused_self, reason = "there is no handshake without TLS")
    )]
    fn is_handshaking(&self) -> bool {
        #[cfg(feature = "rustls")]
        return self.tls.as_ref().is_some_and(Tls::is_handshaking);
        #[cfg(not(feature = "rustls"))]
        false
    }

    /// Whether any layer decodes input.
    fn decodes(&self) -> bool {
        #[cfg(feature = "rustls")]
        if self.tls.is_some() {
            return true;
        }
        #[cfg(feature = "deflate")]
        if self.deflate.is_some() {
            return true;
        }
        // Octets that a layer decoded before it went come first.
        !self.incoming.is_empty()
    }

    /// Decodes one step: from `input` towards `incoming`. `true` if anything moved.
    #[cfg_attr(
        not(any(feature = "rustls", feature = "deflate")),
        expect(unused_mut, unused_variables, reason = "nothing to decode without layers")
    )]
    fn decode(&mut self, input: &mut BytesMut, now: Instant) -> bool {
        let mut moved = false;
        #[cfg(feature = "rustls")]
        if let Some(tls) = &mut self.tls {
            #[cfg(feature = "deflate")]
            let target = if self.deflate.is_some() { &mut self.between } else { &mut self.incoming };
            #[cfg(not(feature = "deflate"))]
            let target = &mut self.incoming;
            let was_handshaking = tls.is_handshaking();
            if target.len() < Self::WINDOW {
                match tls.decrypt(input, target) {
                    Ok(progress) => moved |= progress,
                    Err(error) => {
                        self.fail(error, now);
                        return false;
                    }
                }
            }
            if was_handshaking && !tls.is_handshaking() {
                let info = tls.info();
                self.session.handle_upgrade(Upgraded::Tls(info), now);
                moved = true;
            }
        }
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &mut self.deflate {
            #[cfg(feature = "rustls")]
            let source = if self.tls.is_some() { &mut self.between } else { input };
            #[cfg(not(feature = "rustls"))]
            let source = input;
            match deflate.inflate(source, &mut self.incoming, Self::WINDOW) {
                Ok(progress) => moved |= progress,
                Err(error) => {
                    self.fail(error, now);
                    return false;
                }
            }
        }
        moved
    }

    /// Whether the peer ended the TLS connection in order.
    #[cfg_attr(
        not(feature = "rustls"),
        expect(clippy::unused_self, reason = "only TLS ends before the stream")
    )]
    fn peer_has_closed(&self) -> bool {
        #[cfg(feature = "rustls")]
        return self.tls.as_ref().is_some_and(Tls::peer_has_closed);
        #[cfg(not(feature = "rustls"))]
        false
    }

    /// Tells the session of the end, once, when it has come to all that stands before it.
    fn tell_eof(&mut self, now: Instant) {
        let caught_up = self.incoming.is_empty() || self.session.wants().input;
        if self.eof && !self.eof_told && caught_up {
            self.eof_told = true;
            self.session.handle_eof(now);
        }
    }

    /// Encodes what the session has written, as far as the window allows.
    fn encode(&mut self) {
        while self.outgoing.len() < Self::WINDOW {
            let transmit = self.session.transmit();
            let take = transmit.remaining().min(Self::WINDOW);
            let Some(octets) = transmit.chunk().get(..take).filter(|octets| !octets.is_empty()) else {
                break;
            };
            #[cfg(feature = "deflate")]
            let compressed = self.deflate.as_mut().map(|deflate| deflate.deflate(octets));
            #[cfg(feature = "deflate")]
            let octets = compressed.as_deref().unwrap_or(octets);
            #[cfg(feature = "rustls")]
            match &mut self.tls {
                Some(tls) => tls.encrypt(octets, &mut self.outgoing),
                None => self.outgoing.put(octets),
            }
            #[cfg(not(feature = "rustls"))]
            self.outgoing.put(octets);
            self.session.transmit().advance(take);
        }
        #[cfg(feature = "rustls")]
        if let Some(tls) = &mut self.tls {
            if self.session.wants().close && self.session.transmit().is_empty() {
                tls.close();
            }
            tls.flush(&mut self.outgoing);
        }
    }

    /// Encodes everything, for the moment before a layer changes: a session writes little before it asks for one.
    fn encode_all(&mut self) {
        let mut done = BytesMut::new();
        while !self.session.transmit().is_empty() {
            self.encode();
            done.unsplit(core::mem::take(self.outgoing.buffer()));
        }
        done.unsplit(core::mem::take(self.outgoing.buffer()));
        self.outgoing.put(&done);
    }
}

impl<P: Session> Session for Transport<P> {
    type Event = P::Event;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        self.upgrade(now);
        while !self.failed {
            if !self.decodes() {
                self.session.handle_input(input, now);
                if self.session.wants().upgrade.is_none() {
                    return;
                }
                self.upgrade(now);
                continue;
            }
            let mut moved = false;
            if self.session.wants().input || self.is_handshaking() {
                moved = self.decode(input, now);
            }
            let before = self.incoming.len();
            if !self.failed && !self.is_handshaking() {
                self.session.handle_input(&mut self.incoming, now);
            }
            moved |= self.incoming.len() != before;
            if self.session.wants().upgrade.is_some() && !self.is_handshaking() {
                self.upgrade(now);
                moved = true;
            }
            if !moved {
                break;
            }
        }
        if self.incoming.is_empty() && self.incoming.capacity() > Transmit::RETAINED {
            // An idle session holds no buffer.
            self.incoming = BytesMut::new();
        }
        if self.failed {
            input.clear();
        } else {
            self.eof |= self.peer_has_closed();
            self.tell_eof(now);
        }
    }

    fn handle_eof(&mut self, now: Instant) {
        self.eof = true;
        #[cfg(feature = "rustls")]
        if self.is_handshaking() && !self.failed {
            self.fail(LayerError::Tls("the stream ended in the handshake".into()), now);
            return;
        }
        self.tell_eof(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.session.handle_timeout(now);
        self.upgrade(now);
    }

    /// News about layers is the transport's own: this is for a driver that has its layers elsewhere.
    fn handle_upgrade(&mut self, upgraded: Upgraded, now: Instant) {
        self.session.handle_upgrade(upgraded, now);
    }

    fn poll_event(&mut self) -> Option<P::Event> {
        self.session.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.session.poll_timeout()
    }

    fn transmit(&mut self) -> &mut Transmit {
        if !self.layered {
            return self.session.transmit();
        }
        self.encode();
        &mut self.outgoing
    }

    fn wants(&self) -> Wants {
        let mut wants = self.session.wants();
        // The transport sees to upgrades itself, and reads for a handshake.
        let upgrading = wants.upgrade.take().is_some();
        if !self.failed && (upgrading || self.is_handshaking()) && !wants.close {
            wants.input = true;
        }
        if self.incoming.len() >= Self::WINDOW {
            wants.input = false;
        }
        wants
    }
}
