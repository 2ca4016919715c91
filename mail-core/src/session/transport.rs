//! [`Transport`]: a session with its layers, itself a [`Session`].
//!
//! TLS and DEFLATE are values here, not streams: octets of the wire go in, octets of the wire come out,
//! so STARTTLS and COMPRESS are tested without a socket. This file decides when a layer comes and goes, what
//! stands before and behind it, and how a failure ends; `layer` has the layers themselves.

use bytes::{Buf as _, BytesMut};

#[cfg(not(feature = "rustls"))]
use super::absent::TlsConfig;
use super::layer::{Decoded, Layers};
#[cfg(feature = "rustls")]
use super::tls::TlsConfig;
use super::{LayerError, Session, Transmit, Upgraded, Wants};
use crate::value::Instant;

/// A session with the layers below it.
///
/// Which layers there are is decided by the session, with [`Wants::upgrade`]: one that wants TLS before
/// anything else gets implicit TLS, one that wants it after an agreement gets STARTTLS, one that never does
/// goes without, and reads and writes the driver's buffers itself. What the session wrote before the layer
/// goes out first, without it; every octet that stands behind the agreement in the input belongs to the
/// layer. Plaintext there fails the handshake; it never reaches the session.
///
/// # When a layer fails
/// TLS sends its alert, the session is told [`Upgraded::Failed`] once, and then [`Wants::close`] holds.
/// What the session still writes is sent only if the damage is in the DEFLATE stream of the peer: after a
/// TLS failure nobody could read it.
///
/// # The end
/// The peer's close_notify is the end of its input, as is the end of the stream without one: all these
/// protocols say in their own words when something is complete. When the session wants to close and all it
/// wrote is on its way, close_notify follows.
///
/// # Memory
/// Octets are decoded only while the session takes input, one record of 16 KiB at a time, so besides what
/// the session leaves of an unfinished line no more than 20 KiB wait for it, or twice that with DEFLATE over
/// TLS. They are encoded only while less than [`Transport::WINDOW`] waits for the wire. Without anything
/// waiting it holds no buffer but [`Transmit::RETAINED`].
#[derive(Debug)]
pub struct Transport<P> {
    session: P,
    layers: Layers,
    config: Option<TlsConfig>,
    /// Whether the peer has said that no more comes.
    at_end: bool,
    /// Whether the session was told so.
    end_is_told: bool,
    /// Whether octets are left in the driver's buffer that a layer has not come to.
    unread: bool,
    /// Why a layer failed, if one did: nothing is decoded any more.
    failure: Option<LayerError>,
}

impl<P: Session> Transport<P> {
    /// Encoded octets that may wait for the wire before the transport encodes no more of the session's
    /// output. As much of that, encoded, may come on top.
    pub const WINDOW: usize = 32 * 1024;

    /// A session without TLS. One that asks for it is told [`LayerError::NotConfigured`].
    #[must_use]
    pub fn plain(session: P) -> Self {
        Self {
            session,
            layers: Layers::default(),
            config: None,
            at_end: false,
            end_is_told: false,
            unread: false,
            failure: None,
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

    /// Begins the layer that the session waits for, if it does.
    fn upgrade(&mut self, now: Instant) {
        // A session has few layers to ask for, and a wrong wish is a failure, which ends the loop.
        while let Some(layer) = self.session.wants().upgrade {
            if self.failure.is_some() || self.layers.are_changing() {
                return;
            }
            // What was said before goes out without the layer.
            self.encode(usize::MAX);
            match self.layers.install(layer, self.config.as_ref()) {
                Ok(Some(upgraded)) => self.session.handle_upgrade(upgraded, now),
                Ok(None) => return,
                Err(error) => self.fail(error, now),
            }
        }
    }

    fn fail(&mut self, error: LayerError, now: Instant) {
        self.failure = Some(error.clone());
        self.layers.incoming.clear();
        self.session.handle_upgrade(Upgraded::Failed(error), now);
    }

    /// Shows the session what is decoded, or decodes a step. `true` if there may be more to do.
    fn step(&mut self, input: &mut BytesMut, now: Instant) -> bool {
        // The session comes first: what it reads may be the end of the layer that decodes the rest.
        if !self.layers.are_changing() {
            let before = self.layers.incoming.len();
            self.session.handle_input(&mut self.layers.incoming, now);
            if self.session.wants().upgrade.is_some() || self.layers.incoming.len() != before {
                return true;
            }
        }
        let mut moved = false;
        if self.session.wants().input || self.layers.are_changing() {
            match self.layers.decode(input) {
                Ok(Decoded::Nothing) => {}
                Ok(Decoded::Octets) => moved = true,
                Ok(Decoded::Layer(upgraded)) => {
                    self.session.handle_upgrade(upgraded, now);
                    moved = true;
                }
                Err(error) => {
                    self.fail(error, now);
                    return false;
                }
            }
        }
        if self.layers.is_handshaking() && self.layers.peer_has_closed() {
            self.fail(LayerError::Tls("the peer closed in the handshake".into()), now);
            return false;
        }
        moved
    }

    /// Tells the session of the end, once, when it has come to all that stands before it.
    fn tell_end(&mut self, now: Instant) {
        if !self.at_end || self.end_is_told || self.failure.is_some() {
            return;
        }
        let caught_up = !self.unread && !self.layers.hold_input();
        if caught_up || self.layers.are_changing() || self.session.wants().input {
            self.end_is_told = true;
            self.session.handle_eof(now);
        }
    }

    /// Encodes what the session has written, while less than `window` waits for the wire.
    fn encode(&mut self, window: usize) {
        let heard = matches!(self.failure, None | Some(LayerError::Deflate));
        let ready = !self.layers.is_handshaking();
        while ready && self.layers.outgoing.len() < window {
            let transmit = self.session.transmit();
            let octets = transmit.chunk();
            let octets = octets.get(..Self::WINDOW).unwrap_or(octets);
            if octets.is_empty() {
                break;
            }
            if heard {
                self.layers.encode(octets);
            }
            let count = octets.len();
            transmit.advance(count);
        }
        let all_said = !ready || self.session.transmit().is_empty();
        if self.session.wants().close && all_said {
            self.layers.close();
        }
        self.layers.flush();
    }
}

impl<P: Session> Session for Transport<P> {
    type Event = P::Event;

    fn handle_input(&mut self, input: &mut BytesMut, now: Instant) {
        loop {
            self.upgrade(now);
            if self.failure.is_some() {
                input.clear();
                break;
            }
            if self.layers.exist() {
                let more = self.step(input, now);
                let stays = self.session.wants().upgrade.is_none() || self.layers.are_changing();
                if !more && stays && self.failure.is_none() {
                    break;
                }
            } else {
                self.session.handle_input(input, now);
                if self.session.wants().upgrade.is_none() {
                    break;
                }
            }
        }
        self.layers.release();
        // Without layers the session itself has seen what it left.
        self.unread = self.layers.exist() && !input.is_empty();
        self.at_end |= self.layers.peer_has_closed();
        self.tell_end(now);
    }

    fn handle_eof(&mut self, now: Instant) {
        self.at_end = true;
        if self.layers.is_handshaking() && self.failure.is_none() {
            self.fail(LayerError::Tls("the stream ended in the handshake".into()), now);
        }
        self.tell_end(now);
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
        if !self.layers.exist() && self.layers.outgoing.is_empty() && self.failure.is_none() {
            return self.session.transmit();
        }
        self.encode(Self::WINDOW);
        &mut self.layers.outgoing
    }

    fn wants(&self) -> Wants {
        let mut wants = self.session.wants();
        // The transport sees to upgrades itself, and reads for them.
        let upgrades = wants.upgrade.take().is_some();
        wants.input = (wants.input || upgrades) && !self.at_end && self.failure.is_none();
        wants.close |= self.failure.is_some();
        wants
    }
}
