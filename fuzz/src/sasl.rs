//! SASL exchanges of both sides: no message panics, none of another order is believed, and bounds are kept.

use bytes::BytesMut;
use mailwright_sasl::{
    Answer, Client, ClientPolicy, Credentials, MechanismName, Offers, Seed, ServerPolicy, ServerStep, base64,
};

use crate::choice;

/// A server of a mechanism with messages and answers in any order; base64.
pub fn sasl_server(data: &[u8]) {
    let (first, data) = choice(data);
    let name: &[u8] = if first & 1 == 0 { b"PLAIN" } else { b"LOGIN" };
    let offers = Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]);
    let policy = ServerPolicy::default();
    let Ok(mut server) = offers.begin(name, true, &policy, Seed::new([1; 32]).nonce()) else {
        panic!("the mechanism is not there");
    };
    let mut messages = data.split(|&octet| octet == b'\n');
    let initial = if first & 2 == 0 { messages.next() } else { None };
    let mut step = server.start(initial).ok();
    let (mut steps, mut over, mut yes) = (0, false, 0);
    for message in messages {
        let ask = match &step {
            Some(ServerStep::Ask(ask)) => Some(ask.clone()),
            Some(ServerStep::Accept(_)) => {
                assert!(yes > 0, "nobody said yes");
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
                yes += 1;
                server.answer(ask.accept())
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
}

/// A client of a mechanism with challenges and outcomes in any order.
pub fn sasl_client(data: &[u8]) {
    let (first, data) = choice(data);
    let name = if first & 1 == 0 { MechanismName::PLAIN } else { MechanismName::LOGIN };
    let Ok(credentials) = Credentials::password("tim", "tanstaaf") else { panic!("good credentials") };
    let policy = ClientPolicy::default();
    let nonce = Seed::new([1; 32]).nonce();
    let Ok(mut client) = Client::new(name, &credentials, &policy, nonce) else { panic!("good credentials") };
    if first & 4 == 0 {
        let _ = client.start(first & 2 == 0);
    }
    let mut answered = 0;
    for message in data.split(|&octet| octet == b'\n') {
        match message.first() {
            Some(b'+') => drop(client.outcome(true)),
            Some(b'-') => drop(client.outcome(false)),
            Some(b'*') => client.cancel(),
            _ => answered += u32::from(client.challenge(message).is_ok()),
        }
        assert!(answered <= policy.max_challenges, "more challenges than allowed");
    }
    if let Ok(text) = core::str::from_utf8(data) {
        let _ = Credentials::password(text, text);
    }
}
