//! SASL exchanges of both sides: no message panics, none of another order is believed, and bounds are kept.

use bytes::BytesMut;
use mailwright_sasl::{
    Answer, Ask, Channel, Client, ClientPolicy, ClientStep, Credentials, Identity, MechanismName, Offers,
    ScramHash, ScramKeys, Seed, ServerPolicy, ServerStep, base64,
};

use crate::choice;

/// All mechanisms; four bits of the first octet choose.
const MECHANISMS: [MechanismName; 13] = [
    MechanismName::PLAIN,
    MechanismName::LOGIN,
    MechanismName::SCRAM_SHA_1,
    MechanismName::SCRAM_SHA_1_PLUS,
    MechanismName::SCRAM_SHA_256,
    MechanismName::SCRAM_SHA_256_PLUS,
    MechanismName::SCRAM_SHA_512,
    MechanismName::SCRAM_SHA_512_PLUS,
    MechanismName::OAUTHBEARER,
    MechanismName::XOAUTH2,
    MechanismName::EXTERNAL,
    MechanismName::ANONYMOUS,
    MechanismName::CRAM_MD5,
];

fn mechanism(first: u8) -> MechanismName {
    MECHANISMS[usize::from(first >> 3) % MECHANISMS.len()]
}

/// A channel with everything that a mechanism may want.
fn channel() -> Channel {
    Channel::new(true).with_external().with_exporter(Some([7; 32]))
}

/// The answer of a host that says yes to everything; the password of everybody is `tanstaaf`.
fn yes(ask: &Ask) -> Answer {
    match ask {
        Ask::ScramKeys { hash, .. } => Answer::Keys(keys(*hash)),
        Ask::CramSecret { .. } => Answer::Secret(Some("tanstaaf".into())),
        Ask::Token { authzid: None, .. } | Ask::External { authzid: None } | Ask::Anonymous { .. } => {
            Answer::Yes(Identity::new("somebody"))
        }
        ask => ask.accept(),
    }
}

fn keys(hash: ScramHash) -> Option<ScramKeys> {
    ScramKeys::derive(hash, "tanstaaf", *b"0123456789abcdef", 2).ok()
}

/// A server of a mechanism with messages and answers in any order; base64; keys as text.
pub fn sasl_server(data: &[u8]) {
    let (first, data) = choice(data);
    let name = mechanism(first);
    let offers = Offers::new(MECHANISMS);
    let policy = ServerPolicy::default();
    let nonce = Seed::new([1; 32]).nonce();
    let Ok(mut server) = offers.begin(name.as_str().as_bytes(), &mut channel(), &policy, nonce) else {
        panic!("the mechanism is not there");
    };
    // Whoever does not know the password proves nothing in these, whatever the host says.
    let proves = name.as_str().starts_with("SCRAM") || name == MechanismName::CRAM_MD5;
    let mut messages = data.split(|&octet| octet == b'\n');
    let initial = if first & 2 == 0 { messages.next() } else { None };
    let mut step = server.start(initial).ok();
    let (mut steps, mut over, mut yeses) = (0, false, 0);
    for message in messages {
        let ask = match &step {
            Some(ServerStep::Ask(ask)) => Some(ask.clone()),
            Some(ServerStep::Accept(_)) => {
                assert!(yeses > 0 && !proves, "nobody said yes, or that was not enough");
                over = true;
                None
            }
            Some(ServerStep::Reject(_)) => {
                over = true;
                None
            }
            _ => None,
        };
        let next = match (ask, message.first()) {
            (Some(ask), Some(octet)) if octet % 4 != 0 => {
                yeses += 1;
                server.answer(yes(&ask))
            }
            (Some(_), Some(_)) => server.answer(Answer::No),
            (_, Some(b'!')) => server.answer(Answer::TempFail),
            (_, Some(b'*')) => {
                server.cancel();
                over = true;
                server.respond(b"")
            }
            _ => server.respond(message),
        };
        assert!(!over || next.is_err(), "the exchange goes on behind its end");
        if let Ok(next) = next {
            step = Some(next);
            steps += 1;
            assert!(steps <= 2 * policy.max_challenges + 4, "the exchange never ends");
        }
    }
    if let Ok(octets) = base64::decode(data) {
        let mut text = BytesMut::new();
        base64::encode(octets.expose(), &mut text);
        assert_eq!(text.len(), base64::encoded_len(octets.expose().len()));
        assert_eq!(text, data, "another text for the same octets");
    }
    let mut text = BytesMut::new();
    base64::encode(data, &mut text);
    assert!(base64::decode(&text).is_ok_and(|octets| octets.expose() == data));
    let _ = MechanismName::parse(data);
    if let Ok(text) = core::str::from_utf8(data) {
        if let Ok(keys) = text.parse::<ScramKeys>() {
            assert!(
                keys.postgresql().to_string() == text || keys.dovecot().to_string() == text,
                "another text"
            );
        }
    }
}

/// A client of a mechanism with challenges and outcomes in any order.
pub fn sasl_client(data: &[u8]) {
    let (first, data) = choice(data);
    let name = mechanism(first);
    let credentials = match name {
        MechanismName::OAUTHBEARER | MechanismName::XOAUTH2 => Credentials::token("tim", "token"),
        MechanismName::EXTERNAL => Ok(Credentials::external()),
        MechanismName::ANONYMOUS => Credentials::anonymous("tim"),
        _ => Credentials::password("tim", "tanstaaf"),
    };
    let Ok(credentials) = credentials else { panic!("good credentials") };
    let mut policy = ClientPolicy::default();
    policy.min_iterations = 1;
    policy.max_iterations = 100;
    policy.inline_iterations = 50;
    let nonce = Seed::new([1; 32]).nonce();
    let Ok(mut client) = Client::bound(name, &credentials, &policy, nonce, &mut channel(), &MECHANISMS)
    else {
        panic!("good credentials");
    };
    let scram = name.as_str().starts_with("SCRAM");
    if first & 4 == 0 {
        let _ = client.start(first & 2 == 0);
    }
    let mut answered = 0;
    for message in data.split(|&octet| octet == b'\n') {
        match message.first() {
            Some(b'+') => {
                let outcome = client.outcome(true);
                assert!(!scram || outcome.is_err(), "believes who has proved nothing");
            }
            Some(b'-') => drop(client.outcome(false)),
            Some(b'*') => client.cancel(),
            _ => match client.challenge(message) {
                Ok(ClientStep::Derive(job)) => {
                    let _ = client.derived(job.run());
                    answered += 1;
                }
                Ok(_) => answered += 1,
                Err(_) => {}
            },
        }
        assert!(answered <= policy.max_challenges, "more challenges than allowed");
    }
    if let Ok(text) = core::str::from_utf8(data) {
        let _ = Credentials::password(text, text);
        let _ = Credentials::token(text, text);
        let _ = Credentials::anonymous(text);
    }
}
