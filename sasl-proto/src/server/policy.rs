//! [`ServerPolicy`]: limits and choices of a server.

use alloc::borrow::Cow;
use alloc::string::String;

use bytes::Bytes;

use crate::scram::DecoyKey;

/// How a server runs its exchanges. Plain data; the defaults suit a public server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerPolicy {
    /// Most decoded octets of one response. Default 4096: no mechanism here needs more.
    pub message_limit: usize,
    /// The same for PLAIN, LOGIN and the tokens of OAuth. Default 12 288: room for three fields of
    /// [`FIELD_LIMIT`](crate::FIELD_LIMIT).
    pub clear_text_message_limit: usize,
    /// Most challenges of one exchange. Default 8: LOGIN needs 2, SCRAM 3.
    pub max_challenges: u32,
    /// Whether LOGIN takes a name as initial response. Default `false`: the server speaks first in LOGIN,
    /// so RFC 4422 §3 has no place for one; a few clients send it all the same.
    pub login_initial_response: bool,
    /// Whether a SCRAM name that SASLprep prohibits is taken as it is. Default `false`: it is rejected.
    pub raw_names: bool,
    /// From which the SCRAM salts of unknown users are made. Default `None`: each exchange makes up its own,
    /// so who asks twice for one name can tell that nobody has it. Set it to octets that you keep, or answer
    /// [`Ask::ScramKeys`](crate::Ask::ScramKeys) for unknown users with keys of your own.
    pub decoy_key: Option<DecoyKey>,
    /// Iterations shown for unknown users: as many as known ones have. Default 4096.
    pub scram_iterations: u32,
    /// Octets of the salt shown for unknown users: as many as known ones have. Default 16.
    pub scram_salt_length: usize,
    /// The certificate that this server's TLS sends, in DER, for channels that bind by `tls-server-end-point`
    /// ([`Channel::server`](crate::Channel::server)). Default `None`: they bind by `tls-exporter` only, which needs
    /// TLS 1.3.
    pub certificate: Option<Bytes>,
    /// The name under which clients know this server. OAUTHBEARER refuses tokens that were sent to another,
    /// CRAM-MD5 puts it into its challenge. Default `None`: not compared.
    pub server_name: Option<String>,
    /// The port of this server. OAUTHBEARER refuses tokens that were sent to another. Default `None`: not compared.
    pub server_port: Option<u16>,
    /// What OAUTHBEARER and XOAUTH2 answer to a token that is not good: RFC 7628 §3.2.2, one JSON object in
    /// which `scope` and `openid-configuration` may say where to get a better one.
    /// Default `{"status":"invalid_token"}`.
    pub oauth_error: Cow<'static, str>,
}

impl Default for ServerPolicy {
    fn default() -> Self {
        Self {
            message_limit: 4096,
            clear_text_message_limit: 12_288,
            max_challenges: 8,
            login_initial_response: false,
            raw_names: false,
            decoy_key: None,
            scram_iterations: 4096,
            scram_salt_length: 16,
            certificate: None,
            server_name: None,
            server_port: None,
            oauth_error: Cow::Borrowed(r#"{"status":"invalid_token"}"#),
        }
    }
}
