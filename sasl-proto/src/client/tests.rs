//! The exchanges of PLAIN and LOGIN, seen from the client, and against the server of this crate.

use alloc::format;
use alloc::string::{String, ToString as _};

use proptest::prelude::*;

use super::*;
use crate::{Answer, Ask, Offers, Seed, ServerPolicy, ServerStep, Strings, prepare};

fn client(name: MechanismName) -> Client {
    let credentials = Credentials::password("tim", "tanstaaftanstaaf").unwrap();
    Client::new(name, &credentials, &ClientPolicy::default(), Seed::new([1; 32]).nonce()).unwrap()
}

fn answer(client: &mut Client, challenge: &[u8]) -> Result<String, ClientError> {
    client.challenge(challenge).map(|step| match step {
        ClientStep::Respond(secret) => secret.expose().escape_ascii().to_string(),
        ClientStep::AwaitOutcome => "nothing".to_string(),
        ClientStep::Derive(job) => format!("{job:?}"),
    })
}

#[test]
fn plain_goes_into_the_command_or_answers_an_empty_challenge() {
    let mut inline = client(MechanismName::PLAIN);
    assert_eq!(inline.initial_response(), Some(&b"\0tim\0tanstaaftanstaaf"[..]));
    assert_eq!(inline.start(true).unwrap().unwrap().expose(), b"\0tim\0tanstaaftanstaaf");
    assert_eq!(inline.outcome(true), Ok(()));

    let mut later = client(MechanismName::PLAIN);
    assert!(later.start(false).unwrap().is_none());
    assert_eq!(answer(&mut later, b"").unwrap(), r"\x00tim\x00tanstaaftanstaaf");
    assert_eq!(later.outcome(false), Ok(()));
}

#[test]
fn plain_answers_no_other_challenge() {
    let mut later = client(MechanismName::PLAIN);
    later.start(false).unwrap();
    assert_eq!(answer(&mut later, b"x"), Err(ClientError::UnexpectedChallenge));
    assert_eq!(answer(&mut later, b""), Err(ClientError::State));
    let mut inline = client(MechanismName::PLAIN);
    inline.start(true).unwrap();
    assert_eq!(answer(&mut inline, b""), Err(ClientError::UnexpectedChallenge));
}

#[test]
fn login_ignores_what_the_prompts_say() {
    let mut login = client(MechanismName::LOGIN);
    assert!(login.initial_response().is_none());
    assert!(login.start(true).unwrap().is_none());
    assert_eq!(answer(&mut login, b"Password:").unwrap(), "tim");
    assert_eq!(answer(&mut login, b"").unwrap(), "tanstaaftanstaaf");
    assert_eq!(answer(&mut login, b"again"), Err(ClientError::UnexpectedChallenge));
}

#[test]
fn success_before_login_sent_its_password_is_none() {
    let mut login = client(MechanismName::LOGIN);
    login.start(true).unwrap();
    assert_eq!(answer(&mut login, b"Username:").unwrap(), "tim");
    assert_eq!(login.outcome(true), Err(ClientError::UnexpectedChallenge));
}

#[test]
fn calls_out_of_turn_are_errors_and_change_nothing() {
    let mut plain = client(MechanismName::PLAIN);
    assert_eq!(answer(&mut plain, b""), Err(ClientError::State));
    assert_eq!(plain.outcome(true), Err(ClientError::State));
    plain.start(true).unwrap();
    assert_eq!(plain.start(true).unwrap_err(), ClientError::State);
    assert_eq!(plain.outcome(true), Ok(()));
    assert_eq!(plain.outcome(true), Err(ClientError::State));
}

#[test]
fn challenges_are_limited_in_size_and_number() {
    let credentials = Credentials::password("tim", "x").unwrap();
    let mut policy = ClientPolicy { message_limit: 10, max_challenges: 1, ..ClientPolicy::default() };
    let login = |policy: &ClientPolicy| {
        let mut login =
            Client::new(MechanismName::LOGIN, &credentials, policy, Seed::new([1; 32]).nonce()).unwrap();
        login.start(true).unwrap();
        login
    };
    assert_eq!(answer(&mut login(&policy), &[b'a'; 11]), Err(ClientError::TooLong));
    let mut once = login(&policy);
    assert_eq!(answer(&mut once, &[b'a'; 10]).unwrap(), "tim");
    assert_eq!(answer(&mut once, b""), Err(ClientError::TooManyChallenges));
    policy.max_challenges = 0;
    assert_eq!(answer(&mut login(&policy), b""), Err(ClientError::TooManyChallenges));
}

#[test]
fn login_cannot_act_for_another() {
    let credentials = Credentials::password("tim", "x").unwrap().acting_as("kurt").unwrap();
    let made =
        Client::new(MechanismName::LOGIN, &credentials, &ClientPolicy::default(), Seed::new([1; 32]).nonce());
    assert_eq!(made.unwrap_err(), ClientError::Unsupported);
}

#[test]
fn debug_shows_no_secret() {
    let mut plain = client(MechanismName::PLAIN);
    let before = format!("{plain:?}");
    let message = plain.start(true).unwrap();
    assert!(!format!("{before} {plain:?} {message:?}").contains("tanstaaf"));
}

proptest! {
    /// Whatever name and password: client and server of this crate agree on them, or both refuse.
    #[test]
    fn client_and_server_agree(name in "\\PC{1,12}", password in "\\PC{1,12}", login: bool, inline: bool) {
        let mechanism = if login { MechanismName::LOGIN } else { MechanismName::PLAIN };
        let credentials = Credentials::password(&name, password.as_str()).unwrap();
        let mut client =
            Client::new(mechanism, &credentials, &ClientPolicy::default(), Seed::new([1; 32]).nonce()).unwrap();
        let offers = Offers::new([mechanism]);
        let mut server = offers
            .begin(mechanism.as_str().as_bytes(), &mut Channel::new(true), &ServerPolicy::default(), Seed::new([2; 32]).nonce())
            .unwrap();
        let initial = client.start(inline).unwrap();
        let mut step = server.start(initial.as_ref().map(Secret::expose)).unwrap();
        while let ServerStep::Challenge(challenge) = &step {
            let ClientStep::Respond(response) = client.challenge(challenge).unwrap() else { panic!() };
            step = server.respond(response.expose()).unwrap();
        }
        let prepared = |text| prepare(text, Strings::Query).map(|text| text.to_string());
        match (step, prepared(&name), prepared(&password)) {
            (ServerStep::Ask(ask), Ok(name), Ok(password)) => {
                let Ask::Password { authcid, authzid: None, password: sent } = &ask else { panic!() };
                prop_assert_eq!(authcid, &name);
                prop_assert_eq!(sent.expose(), password.as_bytes());
                prop_assert!(matches!(server.answer(ask.accept()), Ok(ServerStep::Accept(_))));
                prop_assert!(client.outcome(true).is_ok());
            }
            (ServerStep::Reject(_), name, password) => prop_assert!(name.is_err() || password.is_err()),
            (step, ..) => prop_assert!(false, "{step:?}"),
        }
    }

    #[test]
    fn no_octets_and_no_order_of_calls_panic_or_succeed_alone(
        calls in proptest::collection::vec((0u8..5, proptest::collection::vec(any::<u8>(), 0..40)), 0..12),
        login: bool,
    ) {
        let mechanism = if login { "LOGIN" } else { "PLAIN" };
        let offers = Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]);
        let nonce = Seed::new([2; 32]).nonce();
        let mut server = offers.begin(mechanism.as_bytes(), &mut Channel::new(true), &ServerPolicy::default(), nonce).unwrap();
        for (call, octets) in calls {
            let step = match call {
                0 => server.start(None),
                1 => server.start(Some(&octets)),
                2 | 3 => server.respond(&octets),
                _ => server.answer(Answer::No),
            };
            prop_assert!(!matches!(step, Ok(ServerStep::Accept(_))));
        }
    }
}
