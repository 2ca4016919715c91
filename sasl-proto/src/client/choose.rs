//! [`choose`]: which of the announced mechanisms a client takes, without ever being talked down.

use super::{ClientPolicy, Credentials};
use crate::channel::Channel;
use crate::name::MechanismName;
use crate::scram::ScramHash;

/// Mechanisms for a password, strongest first.
const PASSWORD: &[MechanismName] = &[
    #[cfg(feature = "scram-sha-512")]
    MechanismName::SCRAM_SHA_512_PLUS,
    #[cfg(feature = "scram-sha-512")]
    MechanismName::SCRAM_SHA_512,
    MechanismName::SCRAM_SHA_256_PLUS,
    MechanismName::SCRAM_SHA_256,
    MechanismName::SCRAM_SHA_1_PLUS,
    MechanismName::SCRAM_SHA_1,
    MechanismName::PLAIN,
    MechanismName::LOGIN,
];
/// Mechanisms for a token.
const TOKEN: &[MechanismName] = &[MechanismName::OAUTHBEARER, MechanismName::XOAUTH2];

/// Whether a mechanism shows its secret to who listens.
pub(super) fn is_clear_text(name: MechanismName) -> bool {
    TOKEN.contains(&name) || matches!(name, MechanismName::PLAIN | MechanismName::LOGIN)
}

/// What the choice depends on beside the announcement.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Situation<'a> {
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The mechanism under which the server has rejected these credentials before, if it has.
    pub rejected: Option<MechanismName>,
    /// What is known of the connection, for mechanisms that bind to it.
    pub channel: Option<&'a Channel>,
}

impl<'a> Situation<'a> {
    /// A first attempt, with nothing to bind to.
    #[must_use]
    pub const fn new(tls: bool) -> Self {
        Self { tls, rejected: None, channel: None }
    }

    /// A first attempt on a connection with these facts.
    #[must_use]
    pub const fn on(channel: &'a Channel) -> Self {
        Self { tls: channel.is_confidential(), rejected: None, channel: Some(channel) }
    }

    /// An attempt after the server has rejected the credentials under `mechanism`.
    #[must_use]
    pub const fn after_rejection(mut self, mechanism: MechanismName) -> Self {
        self.rejected = Some(mechanism);
        self
    }
}

/// Takes the strongest of the `announced` mechanisms that fits. For a password: SCRAM, the larger hash first and
/// with channel binding before without, then PLAIN, then LOGIN. For a token: OAUTHBEARER, then XOAUTH2. EXTERNAL
/// and ANONYMOUS only for the credentials of that name, CRAM-MD5 never.
///
/// After a rejection no weaker one is tried with the same secret: a server that wants to see the
/// password in clear text could else just reject everything better.
///
/// ```
/// use mailwright_sasl::{ChooseError, ClientPolicy, Credentials, MechanismName, Situation, choose};
///
/// let announced = [MechanismName::LOGIN, MechanismName::PLAIN];
/// let credentials = Credentials::password("tim", "tanstaaftanstaaf")?;
/// let policy = ClientPolicy::default();
/// let take = |situation| choose(&announced, &credentials, &policy, situation);
/// assert_eq!(take(Situation::new(true)), Ok(MechanismName::PLAIN));
/// assert_eq!(take(Situation::new(false)), Err(ChooseError::ClearText));
/// let again = Situation::new(true).after_rejection(MechanismName::PLAIN);
/// assert_eq!(take(again), Err(ChooseError::Rejected));
/// # Ok::<(), mailwright_sasl::CredentialsError>(())
/// ```
///
/// # Errors
/// If none fits; the error says what stood in the way last.
pub fn choose(
    announced: &[MechanismName],
    credentials: &Credentials,
    policy: &ClientPolicy,
    situation: Situation<'_>,
) -> Result<MechanismName, ChooseError> {
    let (order, may_act_for_another): (&[MechanismName], _) = match credentials {
        Credentials::Password { authzid, .. } => (PASSWORD, authzid.is_some()),
        Credentials::Token { .. } => (TOKEN, false),
        Credentials::External { .. } => (&[MechanismName::EXTERNAL], false),
        Credentials::Anonymous { .. } => (&[MechanismName::ANONYMOUS], false),
    };
    let strength = |name: MechanismName| order.iter().position(|&other| other == name);
    let (can_bind, has_binding) =
        situation.channel.map_or((false, false), |channel| (channel.can_bind(), channel.has_binding()));
    let mut obstacle = ChooseError::NoneFits;
    for &name in order {
        // LOGIN has no place for an authorization identity, which is never left out.
        let fits = name != MechanismName::LOGIN || !may_act_for_another;
        let binds = matches!(ScramHash::of(name), Some((_, true)));
        if !fits || !announced.contains(&name) || binds && !can_bind {
            continue;
        }
        // A pin that is not in the order admits nothing.
        if policy
            .min_mechanism
            .is_some_and(|least| strength(least).is_none_or(|least| strength(name) > Some(least)))
        {
            obstacle = ChooseError::BelowMinimum;
            continue;
        }
        if situation
            .rejected
            .is_some_and(|rejected| strength(rejected).is_none_or(|it| strength(name) >= Some(it)))
        {
            obstacle = ChooseError::Rejected;
            continue;
        }
        // RFC 9266 §4.1: a second exchange that binds needs a new connection, and one that does not bind would be
        // weaker.
        if binds && !has_binding {
            return Err(ChooseError::BindingUsed);
        }
        if is_clear_text(name) && !situation.tls && !policy.clear_text_without_tls {
            obstacle = ChooseError::ClearText;
            continue;
        }
        return Ok(name);
    }
    Err(obstacle)
}

/// Why no mechanism was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ChooseError {
    /// The server announces none that the credentials fit.
    #[error("the server announces no mechanism that fits the credentials")]
    NoneFits,
    /// Only mechanisms below the pinned one.
    #[error("the server announces only mechanisms that are weaker than the policy allows")]
    BelowMinimum,
    /// The server has rejected the credentials; weaker mechanisms are not tried.
    #[error("the server has rejected these credentials; no weaker mechanism is tried with them")]
    Rejected,
    /// Only mechanisms that send the password in clear text, and the connection is not encrypted.
    #[error("the password would travel in clear text: use TLS, or allow it in the policy")]
    ClearText,
    /// The strongest mechanism binds to the connection, and an exchange over it has done so already.
    #[error("the channel binding of this connection is used up: open a new one")]
    BindingUsed,
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [MechanismName; 2] = [MechanismName::LOGIN, MechanismName::PLAIN];

    fn take(
        announced: &[MechanismName],
        policy: &ClientPolicy,
        situation: Situation<'_>,
    ) -> Result<&'static str, ChooseError> {
        let credentials = Credentials::password("tim", "tanstaaf").unwrap();
        choose(announced, &credentials, policy, situation)
            .map(|name| if name == MechanismName::PLAIN { "PLAIN" } else { "LOGIN" })
    }

    #[test]
    fn the_order_is_ours_not_the_servers() {
        assert_eq!(take(&BOTH, &ClientPolicy::default(), Situation::new(true)), Ok("PLAIN"));
        assert_eq!(
            take(&[MechanismName::LOGIN], &ClientPolicy::default(), Situation::new(true)),
            Ok("LOGIN")
        );
        assert_eq!(take(&[], &ClientPolicy::default(), Situation::new(true)), Err(ChooseError::NoneFits));
    }

    #[test]
    fn clear_text_needs_tls_or_permission() {
        let mut policy = ClientPolicy::default();
        assert_eq!(take(&BOTH, &policy, Situation::new(false)), Err(ChooseError::ClearText));
        policy.clear_text_without_tls = true;
        assert_eq!(take(&BOTH, &policy, Situation::new(false)), Ok("PLAIN"));
    }

    #[test]
    fn nothing_below_the_pin_is_taken() {
        let mut policy =
            ClientPolicy { min_mechanism: Some(MechanismName::PLAIN), ..ClientPolicy::default() };
        assert_eq!(
            take(&[MechanismName::LOGIN], &policy, Situation::new(true)),
            Err(ChooseError::BelowMinimum)
        );
        assert_eq!(take(&BOTH, &policy, Situation::new(true)), Ok("PLAIN"));
        policy.min_mechanism = Some(MechanismName::parse(b"X-STRONGER").unwrap());
        assert_eq!(take(&BOTH, &policy, Situation::new(true)), Err(ChooseError::BelowMinimum));
    }

    #[test]
    fn a_rejection_is_never_followed_by_the_same_or_a_weaker_mechanism() {
        let policy = ClientPolicy::default();
        let tls = Situation::new(true);
        for rejected in [MechanismName::PLAIN, MechanismName::parse(b"X-OTHER").unwrap()] {
            assert_eq!(take(&BOTH, &policy, tls.after_rejection(rejected)), Err(ChooseError::Rejected));
        }
        assert_eq!(take(&BOTH, &policy, tls.after_rejection(MechanismName::LOGIN)), Ok("PLAIN"));
    }

    #[test]
    fn an_authorization_identity_is_never_left_out() {
        let credentials = Credentials::password("tim", "tanstaaf").unwrap().acting_as("kurt").unwrap();
        let chosen =
            choose(&[MechanismName::LOGIN], &credentials, &ClientPolicy::default(), Situation::new(true));
        assert_eq!(chosen, Err(ChooseError::NoneFits));
    }
}
