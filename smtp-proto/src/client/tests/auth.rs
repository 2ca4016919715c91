//! AUTH: the frame of the exchange.

use mailwright_sasl::{
    ChooseError, ClientError, ClientMechanism, ClientPolicy, ClientStep, Credentials, Nonce, Seed,
};

use super::*;

fn credentials() -> Credentials {
    Credentials::password("tim", "tanstaaftanstaaf").unwrap()
}

fn nonce() -> Nonce {
    Seed::new([1; 32]).nonce()
}

fn clear_text() -> Config {
    let mut config = config();
    config.sasl.clear_text_without_tls = true;
    config
}

fn authenticate(peer: &mut Peer) -> Result<CommandId, AuthenticateError> {
    peer.client.authenticate(&credentials(), nonce())
}

#[test]
fn plain_goes_into_the_command() {
    let mut peer = Peer::ready(clear_text(), &["AUTH LOGIN PLAIN"]);
    authenticate(&mut peer).unwrap();
    // RFC 4954 §4.1 has this line.
    assert_eq!(peer.said(), "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n");
    assert_eq!(peer.server("235 2.7.0 ok\r\n"), ["Authenticated 235 2.7.0 ok"]);
    assert!(peer.client.is_authenticated());
    assert_eq!(authenticate(&mut peer), Err(Misuse::WrongState.into()));
}

#[test]
fn login_answers_two_challenges() {
    let mut peer = Peer::ready(clear_text(), &["AUTH LOGIN"]);
    authenticate(&mut peer).unwrap();
    assert_eq!(peer.said(), "AUTH LOGIN\r\n");
    assert!(peer.server("334 VXNlcm5hbWU6\r\n").is_empty());
    assert_eq!(peer.said(), "dGlt\r\n");
    peer.server("334 UGFzc3dvcmQ6\r\n");
    assert_eq!(peer.said(), "dGFuc3RhYWZ0YW5zdGFhZg==\r\n");
    assert_eq!(peer.server("235 ok\r\n"), ["Authenticated 235 ok"]);
}

#[test]
fn an_initial_response_too_long_for_the_command_waits_for_an_empty_challenge() {
    let long = Credentials::password("tim", "x".repeat(400).as_str()).unwrap();
    let mut peer = Peer::ready(clear_text(), &["AUTH PLAIN"]);
    peer.client.authenticate(&long, nonce()).unwrap();
    assert_eq!(peer.said(), "AUTH PLAIN\r\n");
    peer.server("334 \r\n");
    let response = peer.said();
    assert!(response.starts_with("AHRpbQB4eHh4") && response.len() > 512);
    assert_eq!(peer.server("235 ok\r\n"), ["Authenticated 235 ok"]);
}

#[test]
fn c2_the_password_never_travels_in_plaintext_unless_that_is_allowed() {
    let mut peer = Peer::ready(config(), &["AUTH PLAIN LOGIN"]);
    assert_eq!(authenticate(&mut peer), Err(ChooseError::ClearText.into()));
    assert_eq!(peer.said(), "");
}

#[test]
fn c5_what_is_not_announced_is_not_tried() {
    let mut peer = Peer::ready(clear_text(), &["AUTH GSSAPI"]);
    assert_eq!(authenticate(&mut peer), Err(ChooseError::NoneFits.into()));
    let mut peer = Peer::ready(clear_text(), &[]);
    assert_eq!(authenticate(&mut peer), Err(ChooseError::NoneFits.into()));
}

#[test]
fn c5_after_535_no_weaker_mechanism_is_tried() {
    let mut peer = Peer::ready(clear_text(), &["AUTH PLAIN LOGIN"]);
    authenticate(&mut peer).unwrap();
    let events = peer.server("535 5.7.8 no\r\n");
    assert_eq!(events, ["NotAuthenticated authentication by PLAIN refused: 535 5.7.8 no"]);
    let _ = peer.said();
    assert_eq!(authenticate(&mut peer), Err(ChooseError::Rejected.into()));
    assert_eq!(peer.said(), "");
}

#[test]
fn c5_a_temporary_failure_may_be_tried_again() {
    let mut peer = Peer::ready(clear_text(), &["AUTH PLAIN"]);
    authenticate(&mut peer).unwrap();
    assert!(peer.server("454 4.7.0 later\r\n")[0].contains("refused: 454"));
    assert!(authenticate(&mut peer).is_ok());
}

#[test]
fn c5_a_challenge_that_cannot_be_decoded_is_cancelled() {
    for challenge in ["334 !!!", "334 VXNlcm5hbWU", "334 VXNl cm5h", "334-VXNlcm5hbWU6\r\n334 x"] {
        let mut peer = Peer::ready(clear_text(), &["AUTH LOGIN"]);
        authenticate(&mut peer).unwrap();
        let _ = peer.said();
        assert!(peer.server(alloc::format!("{challenge}\r\n")).is_empty());
        assert_eq!(peer.said(), "*\r\n");
        assert!(peer.server("501 5.7.0 cancelled\r\n")[0].contains("cancelled at the challenge"));
        assert!(!peer.client.is_authenticated() && peer.client.is_ready());
    }
}

#[test]
fn c5_success_or_another_challenge_behind_a_cancellation_is_a_protocol_error() {
    for reply in ["235 ok\r\n", "334 VXNlcm5hbWU6\r\n"] {
        let mut peer = Peer::ready(clear_text(), &["AUTH LOGIN"]);
        authenticate(&mut peer).unwrap();
        peer.server("334 !\r\n");
        assert!(matches!(peer.server_closes(reply), Closed::Unexpected(Awaited::Authentication, _)));
    }
}

#[test]
fn c5_other_3yz_replies_to_auth_are_protocol_errors() {
    let mut peer = Peer::ready(clear_text(), &["AUTH PLAIN"]);
    authenticate(&mut peer).unwrap();
    assert!(matches!(peer.server_closes("354 go\r\n"), Closed::Unexpected(..)));
}

#[test]
fn auth_is_refused_in_a_transaction() {
    let mut peer = Peer::ready(clear_text(), &["AUTH PLAIN"]);
    peer.mail(MailOptions::default());
    assert_eq!(authenticate(&mut peer), Err(Misuse::WrongState.into()));
}

/// Answers every challenge with nothing, and wants proof.
struct Endless;

impl ClientMechanism for Endless {
    fn initial(&mut self) -> Option<mailwright_core::value::Secret> {
        None
    }

    fn challenge(&mut self, _: &[u8]) -> Result<ClientStep, ClientError> {
        Ok(ClientStep::AwaitOutcome)
    }

    fn outcome(&mut self, accepted: bool) -> Result<(), ClientError> {
        if accepted { Err(ClientError::UnexpectedChallenge) } else { Ok(()) }
    }
}

fn endless(max_challenges: u32) -> mailwright_sasl::Client {
    let mut policy = ClientPolicy::default();
    policy.max_challenges = max_challenges;
    mailwright_sasl::Client::custom(
        MechanismName::parse(b"X-ENDLESS").unwrap(),
        false,
        Box::new(Endless),
        &policy,
    )
}

#[test]
fn c5_challenges_are_counted() {
    let mut peer = Peer::ready(config(), &["AUTH X-ENDLESS"]);
    peer.client.authenticate_by(endless(1000)).unwrap();
    let _ = peer.said();
    for _ in 0..16 {
        peer.server("334 \r\n");
        assert_eq!(peer.said(), "\r\n");
    }
    peer.server("334 \r\n");
    assert_eq!(peer.said(), "*\r\n");
}

#[test]
fn c5_success_without_proof_closes() {
    let mut peer = Peer::ready(config(), &["AUTH X-ENDLESS"]);
    peer.client.authenticate_by(endless(10)).unwrap();
    assert_eq!(peer.server_closes("235 trust me\r\n"), Closed::NoProof);
}

#[test]
fn c5_a_mechanism_of_the_host_is_checked_alike() {
    let mut peer = Peer::ready(config(), &["AUTH PLAIN"]);
    assert_eq!(peer.client.authenticate_by(endless(1)), Err(Misuse::NotAnnounced.into()));
    let plain =
        mailwright_sasl::Client::new(MechanismName::PLAIN, &credentials(), &ClientPolicy::default(), nonce());
    assert_eq!(peer.client.authenticate_by(plain.unwrap()), Err(Misuse::Plaintext.into()));
}

#[test]
fn debug_shows_no_secret() {
    let mut peer = Peer::ready(clear_text(), &["AUTH LOGIN"]);
    authenticate(&mut peer).unwrap();
    let _ = peer.said();
    let shown = alloc::format!("{:?}", peer.client);
    assert!(!shown.contains("tanstaaf") && shown.contains("LOGIN"), "{shown}");
}
