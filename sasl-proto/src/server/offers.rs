//! [`Offers`]: which mechanisms a server has, in which order they are announced, and how an exchange
//! begins.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::anonymous::Anonymous;
use super::external::External;
use super::login::Login;
use super::oauth::{Form, OAuth};
use super::plain::Plain;
use super::scram::{Binding, Scram};
use super::{Server, ServerMechanism, ServerPolicy};
use crate::channel::Channel;
use crate::name::MechanismName;
use crate::scram::ScramHash;
use crate::seed::Nonce;

/// Makes the server side of a host's own mechanism for one exchange.
type Make = dyn Fn(&ServerPolicy, Nonce) -> Box<dyn ServerMechanism> + Send + Sync;

/// The mechanisms of a server, in the order of their announcement. None by default.
///
/// ```
/// use mailwright_sasl::{Channel, MechanismName, Offers};
///
/// let offers = Offers::new([
///     MechanismName::SCRAM_SHA_256_PLUS,
///     MechanismName::SCRAM_SHA_256,
///     MechanismName::PLAIN,
/// ]);
/// let count = |channel| offers.permitted(&channel).count();
/// assert_eq!(count(Channel::new(false)), 1); // PLAIN sends the password in clear text
/// assert_eq!(count(Channel::new(true)), 2);
/// assert_eq!(count(Channel::new(true).with_exporter(Some([7; 32]))), 3); // -PLUS has something to bind to
/// ```
#[derive(Clone, Debug, Default)]
pub struct Offers(Vec<Offer>);

/// One mechanism of a server.
#[derive(Clone)]
pub struct Offer {
    name: MechanismName,
    clear_text: bool,
    /// Whether it is to be had only where nobody can listen, clear text or not.
    confidential: bool,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Plain,
    Login,
    Scram(ScramHash, bool),
    OAuth(Form),
    External,
    Anonymous,
    #[cfg(feature = "legacy-md5")]
    CramMd5,
    Custom(Arc<Make>),
}

impl Offer {
    /// A mechanism of this crate, or `None` if it has none of that name.
    #[must_use]
    pub fn built_in(name: MechanismName) -> Option<Self> {
        let (kind, clear_text) = match name {
            MechanismName::PLAIN => (Kind::Plain, true),
            MechanismName::LOGIN => (Kind::Login, true),
            // RFC 7628 §5: a bearer token is as good as a password to who overhears it.
            MechanismName::OAUTHBEARER => (Kind::OAuth(Form::OAuthBearer), true),
            MechanismName::XOAUTH2 => (Kind::OAuth(Form::XOAuth2), true),
            MechanismName::EXTERNAL => (Kind::External, false),
            MechanismName::ANONYMOUS => (Kind::Anonymous, false),
            #[cfg(feature = "legacy-md5")]
            MechanismName::CRAM_MD5 => (Kind::CramMd5, false),
            name => {
                let (hash, plus) = ScramHash::of(name)?;
                (Kind::Scram(hash, plus), false)
            }
        };
        Some(Self { name, clear_text, confidential: false, kind })
    }

    /// A mechanism of the host. `clear_text`: whether it shows the secret to who listens, so that it
    /// needs TLS. `make` is called for each exchange.
    #[must_use]
    pub fn custom(
        name: MechanismName,
        clear_text: bool,
        make: impl Fn(&ServerPolicy, Nonce) -> Box<dyn ServerMechanism> + Send + Sync + 'static,
    ) -> Self {
        Self { name, clear_text, confidential: false, kind: Kind::Custom(Arc::new(make)) }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> MechanismName {
        self.name
    }

    /// Whether it shows the secret to who listens.
    #[must_use]
    pub const fn is_clear_text(&self) -> bool {
        self.clear_text
    }

    /// Whether it binds to the channel.
    const fn binds(&self) -> bool {
        matches!(self.kind, Kind::Scram(_, true))
    }

    /// Why it is not to be had on `channel`, if it is not.
    fn obstacle(&self, channel: &Channel) -> Option<BeginError> {
        if (self.clear_text || self.confidential) && !channel.is_confidential() {
            return Some(BeginError::ClearText);
        }
        if self.binds() && !channel.has_binding() {
            return Some(BeginError::NoBinding);
        }
        // RFC 4422 §A.1: nothing to be had without credentials of the layer below.
        if matches!(self.kind, Kind::External) && !channel.has_external() {
            return Some(BeginError::NoExternal);
        }
        None
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name, f)
    }
}

impl Offers {
    /// Mechanisms of this crate, by name. Names that it does not have are left out.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = MechanismName>) -> Self {
        names.into_iter().filter_map(Offer::built_in).fold(Self::default(), Self::with)
    }

    /// Adds one at the end; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, offer: Offer) -> Self {
        self.0.retain(|other| other.name != offer.name);
        self.0.push(offer);
        self
    }

    /// The same, all of them only where nobody can listen. A mechanism may hide the password: what follows a
    /// login over an open line is still to be read, and changed, by everybody (RFC 8314).
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.0.iter_mut().for_each(|offer| offer.confidential = true);
        self
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names to announce on `channel`: those of clear text only if nobody can listen, those that bind only if
    /// there is something to bind to, EXTERNAL only if the layer below knows the client.
    pub fn permitted<'a>(&'a self, channel: &'a Channel) -> impl Iterator<Item = MechanismName> + 'a {
        self.0.iter().filter(|offer| offer.obstacle(channel).is_none()).map(Offer::name)
    }

    /// Begins an exchange under the name that a client asked for, in any case. Uses the binding of `channel` up if
    /// the mechanism binds.
    ///
    /// # Errors
    /// If there is no such mechanism, or it must not be used on this connection.
    pub fn begin(
        &self,
        name: &[u8],
        channel: &mut Channel,
        policy: &ServerPolicy,
        nonce: Nonce,
    ) -> Result<Server, BeginError> {
        let name = MechanismName::parse(name).map_err(|_| BeginError::Unknown)?;
        let offer = self.0.iter().find(|offer| offer.name == name).ok_or(BeginError::Unknown)?;
        if let Some(obstacle) = offer.obstacle(channel) {
            return Err(obstacle);
        }
        let long = policy.clear_text_message_limit;
        let (mechanism, limit): (Box<dyn ServerMechanism>, _) = match &offer.kind {
            Kind::Plain => (Box::new(Plain::default()), long),
            Kind::Login => (Box::new(Login::new(policy.login_initial_response)), long),
            &Kind::Scram(hash, plus) => {
                let binding = if plus {
                    Binding::Required(channel.take_bindings())
                } else {
                    // RFC 5802 §6: whether the client was told that the server binds.
                    Binding::Unused { announced: channel.can_bind() && self.0.iter().any(Offer::binds) }
                };
                (Box::new(Scram::new(hash, binding, policy, &nonce)), policy.message_limit)
            }
            &Kind::OAuth(form) => (Box::new(OAuth::new(form, policy)), long),
            Kind::External => (Box::new(External::default()), policy.message_limit),
            Kind::Anonymous => (Box::new(Anonymous), policy.message_limit),
            #[cfg(feature = "legacy-md5")]
            Kind::CramMd5 => (Box::new(super::cram_md5::CramMd5::new(policy, &nonce)), policy.message_limit),
            Kind::Custom(make) => (make(policy, nonce), policy.message_limit),
        };
        Ok(Server::new(name, mechanism, limit, policy))
    }
}

/// Why no exchange begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BeginError {
    /// The server has no such mechanism.
    #[error("unrecognized authentication mechanism")]
    Unknown,
    /// It has, but not without encryption.
    #[error("mechanism refused without TLS")]
    ClearText,
    /// It has, but there is nothing to bind to: no TLS, no binding by its host, or one that an exchange has used
    /// up.
    #[error("no channel binding on this connection, or no more")]
    NoBinding,
    /// EXTERNAL, and the layer below has not proved who the client is.
    #[error("nothing but the client's word says who it is")]
    NoExternal,
}
