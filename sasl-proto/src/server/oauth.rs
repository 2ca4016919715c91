//! OAUTHBEARER (RFC 7628) and XOAUTH2, which no RFC describes, server side: one message with a token, and
//! one more round if it is not good.

use alloc::borrow::Cow;
use alloc::string::{String, ToString as _};

use bytes::Bytes;
use mailwright_core::value::Secret;

use super::authorization::Authorization;
use super::{Answer, Ask, Reason, ServerMechanism, ServerPolicy, ServerStep};
use crate::FIELD_LIMIT;
use crate::scram::message::decode_name;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    OAuthBearer,
    XOAuth2,
}

pub(super) struct OAuth {
    form: Form,
    server_name: Option<String>,
    server_port: Option<u16>,
    error: Cow<'static, str>,
    state: State,
}

enum State {
    Token,
    Asked(Authorization),
    /// The error is told; the client answers and is rejected.
    Failed,
}

/// What a well-formed message says.
struct Message<'a> {
    authzid: Option<String>,
    /// Empty if there is none, or credentials of another kind.
    token: &'a str,
    host: Option<&'a str>,
    port: Option<&'a str>,
}

impl OAuth {
    pub(super) fn new(form: Form, policy: &ServerPolicy) -> Self {
        Self {
            form,
            server_name: policy.server_name.clone(),
            server_port: policy.server_port,
            error: policy.oauth_error.clone(),
            state: State::Token,
        }
    }

    fn token(&mut self, message: &[u8]) -> ServerStep {
        let message = match self.form {
            Form::OAuthBearer => oauthbearer(message),
            Form::XOAuth2 => xoauth2(message),
        };
        let Some(Message { authzid, token, host, port }) = message else {
            return ServerStep::Reject(Reason::Malformed);
        };
        // RFC 7628 §3.1: host and port say to which server the client sent the token.
        let elsewhere = matches!((host, &self.server_name), (Some(host), Some(own)) if !host.eq_ignore_ascii_case(own))
            || matches!((port, self.server_port), (Some(port), Some(own)) if port.parse() != Ok(own));
        if token.is_empty() || elsewhere {
            return self.fail();
        }
        self.state = State::Asked(Authorization::new(None, authzid.clone()));
        ServerStep::Ask(Ask::Token { authzid, token: Secret::from(token) })
    }

    /// RFC 7628 §3.2.2: a failure is told in a challenge, which the client has to answer.
    fn fail(&mut self) -> ServerStep {
        self.state = State::Failed;
        ServerStep::Challenge(Bytes::copy_from_slice(self.error.as_bytes()))
    }
}

impl ServerMechanism for OAuth {
    fn start(&mut self, initial: Option<&[u8]>) -> ServerStep {
        match initial {
            Some(message) => self.respond(message),
            None => ServerStep::Challenge(Bytes::new()),
        }
    }

    fn respond(&mut self, response: &[u8]) -> ServerStep {
        match self.state {
            State::Token => self.token(response),
            State::Asked(_) => ServerStep::Reject(Reason::Malformed),
            // RFC 7628 §3.2.3: the client's dummy response; whatever it is, this is the end.
            State::Failed => ServerStep::Reject(Reason::BadCredentials),
        }
    }

    fn answer(&mut self, answer: Answer) -> ServerStep {
        let State::Asked(authorization) = &mut self.state else {
            return ServerStep::Reject(Reason::Malformed);
        };
        match authorization.conclude(answer) {
            ServerStep::Reject(Reason::BadCredentials) => self.fail(),
            step => step,
        }
    }
}

/// `n,a=user,^Ahost=…^Aport=…^Aauth=Bearer token^A^A`.
fn oauthbearer(message: &[u8]) -> Option<Message<'_>> {
    let text = core::str::from_utf8(message).ok()?;
    // RFC 7628 §3.1: gs2-header kvsep *kvpair kvsep. Channel binding is not for this mechanism, so "p=" is
    // refused; a lone separator is the answer to an error, and there was none.
    let (header, pairs) = text.split_once('\u{1}')?;
    let authzid = match header.strip_prefix("n,").or_else(|| header.strip_prefix("y,"))?.strip_suffix(',')? {
        "" => None,
        authzid => Some(decode_name(authzid.strip_prefix("a=")?).filter(|name| is_name(name))?),
    };
    let pairs = pairs.strip_suffix('\u{1}')?;
    let (mut auth, mut host, mut port) = (None, None, None);
    // RFC 7628 §3.1: kvpair = key "=" value kvsep, so the last one has its separator before the final one.
    for pair in pairs.strip_suffix('\u{1}')?.split('\u{1}') {
        let (key, value) = pair.split_once('=')?;
        let letters = !key.is_empty() && key.bytes().all(|octet| octet.is_ascii_alphabetic());
        if !letters || !value.bytes().all(|octet| matches!(octet, b'\t' | b'\r' | b'\n' | b' '..=b'~')) {
            return None;
        }
        let slot = match key {
            "auth" => &mut auth,
            "host" => &mut host,
            "port" => &mut port,
            // RFC 7628 §3.1: unknown keys are ignored.
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    Some(Message { authzid, token: bearer(auth?), host, port })
}

/// `user=NAME^Aauth=Bearer TOKEN^A^A`.
fn xoauth2(message: &[u8]) -> Option<Message<'_>> {
    let text = core::str::from_utf8(message).ok()?;
    let (user, auth) = text.strip_prefix("user=")?.strip_suffix("\u{1}\u{1}")?.split_once("\u{1}auth=")?;
    let well_formed = is_name(user) && auth.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    well_formed.then(|| Message {
        authzid: Some(user.to_string()),
        token: bearer(auth),
        host: None,
        port: None,
    })
}

/// The token of `Bearer TOKEN`; empty if it is something else.
fn bearer(auth: &str) -> &str {
    match auth.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => {
            let token = token.trim_start_matches(' ');
            if token.bytes().all(|octet| octet.is_ascii_graphic()) { token } else { "" }
        }
        _ => "",
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= FIELD_LIMIT && !name.bytes().any(|octet| octet.is_ascii_control())
}
