//! [`ClientPolicy`]: limits and choices of a client.

use crate::name::MechanismName;

/// How a client runs its exchanges and which mechanisms it takes. Plain data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientPolicy {
    /// Most decoded octets of one challenge. Default 4096.
    pub message_limit: usize,
    /// Most challenges of one exchange. Default 8: LOGIN needs 2, SCRAM 3.
    pub max_challenges: u32,
    /// Whether mechanisms that send the password in clear text may be used without TLS. Default `false`.
    pub clear_text_without_tls: bool,
    /// Nothing weaker than this one is taken, in the order of [`choose`](crate::choose()). Default `None`.
    pub min_mechanism: Option<MechanismName>,
    /// Fewest iterations of SCRAM's key derivation. Default 4096 (RFC 7677 §4): fewer make it cheap to search the
    /// password of who listens, or of a server that is not the one it says.
    pub min_iterations: u32,
    /// Most iterations. Default 1 000 000, which is about a tenth of a second: a bound to what a server may cost.
    pub max_iterations: u32,
    /// A derivation of more iterations is handed out as [`ClientStep::Derive`](crate::ClientStep::Derive). Default 32 768, about 4 ms.
    /// With 0 all are, for hosts that keep the keys ([`DerivedKeys`](crate::DerivedKeys)).
    pub inline_iterations: u32,
    /// Whether a SCRAM name that SASLprep prohibits is sent as it is. Default `false`.
    pub raw_names: bool,
    /// Whether a SCRAM password that SASLprep prohibits is used as it is, as deployed servers do. Default `true`.
    pub raw_passwords: bool,
}

impl Default for ClientPolicy {
    fn default() -> Self {
        Self {
            message_limit: 4096,
            max_challenges: 8,
            clear_text_without_tls: false,
            min_mechanism: None,
            min_iterations: 4096,
            max_iterations: 1_000_000,
            inline_iterations: 32_768,
            raw_names: false,
            raw_passwords: true,
        }
    }
}
