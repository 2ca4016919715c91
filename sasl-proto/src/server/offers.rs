//! [`Offers`]: which mechanisms a server has, in which order they are announced, and how an exchange
//! begins.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::{Login, Plain, Server, ServerMechanism, ServerPolicy};
use crate::name::MechanismName;
use crate::seed::Nonce;

/// Makes the server side of a host's own mechanism for one exchange.
type Make = dyn Fn(&ServerPolicy, Nonce) -> Box<dyn ServerMechanism> + Send + Sync;

/// The mechanisms of a server, in the order of their announcement. None by default.
///
/// ```
/// use mailwright_sasl::{MechanismName, Offers};
///
/// let offers = Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]);
/// assert_eq!(offers.permitted(true).count(), 2);
/// assert_eq!(offers.permitted(false).count(), 0); // both send the password in clear text
/// ```
#[derive(Clone, Debug, Default)]
pub struct Offers(Vec<Offer>);

/// One mechanism of a server.
#[derive(Clone)]
pub struct Offer {
    name: MechanismName,
    clear_text: bool,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Plain,
    Login,
    Custom(Arc<Make>),
}

impl Offer {
    /// A mechanism of this crate, or `None` if it has none of that name.
    #[must_use]
    pub fn built_in(name: MechanismName) -> Option<Self> {
        let kind = match name {
            MechanismName::PLAIN => Kind::Plain,
            MechanismName::LOGIN => Kind::Login,
            _ => return None,
        };
        Some(Self { name, clear_text: true, kind })
    }

    /// A mechanism of the host. `clear_text`: whether it shows the secret to who listens, so that it
    /// needs TLS. `make` is called for each exchange.
    #[must_use]
    pub fn custom(
        name: MechanismName,
        clear_text: bool,
        make: impl Fn(&ServerPolicy, Nonce) -> Box<dyn ServerMechanism> + Send + Sync + 'static,
    ) -> Self {
        Self { name, clear_text, kind: Kind::Custom(Arc::new(make)) }
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

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names to announce now. `clear_text_allowed`: the connection is encrypted, or the host does
    /// without.
    pub fn permitted(&self, clear_text_allowed: bool) -> impl Iterator<Item = MechanismName> + '_ {
        self.0.iter().filter(move |offer| clear_text_allowed || !offer.clear_text).map(Offer::name)
    }

    /// Begins an exchange under the name that a client asked for, in any case.
    ///
    /// # Errors
    /// If there is no such mechanism, or it must not be used on this connection.
    pub fn begin(
        &self,
        name: &[u8],
        clear_text_allowed: bool,
        policy: &ServerPolicy,
        nonce: Nonce,
    ) -> Result<Server, BeginError> {
        let name = MechanismName::parse(name).map_err(|_| BeginError::Unknown)?;
        let offer = self.0.iter().find(|offer| offer.name == name).ok_or(BeginError::Unknown)?;
        if offer.clear_text && !clear_text_allowed {
            return Err(BeginError::ClearText);
        }
        let (mechanism, limit): (Box<dyn ServerMechanism>, _) = match &offer.kind {
            Kind::Plain => (Box::new(Plain::default()), policy.clear_text_message_limit),
            Kind::Login => {
                (Box::new(Login::new(policy.login_initial_response)), policy.clear_text_message_limit)
            }
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
    #[error("mechanism refused without TLS: it would send the password in clear text")]
    ClearText,
}
