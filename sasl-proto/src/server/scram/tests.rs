//! Published exchanges, seen from the server.

use alloc::vec::Vec;

use super::*;
use crate::scram::vectors::{VECTORS, Vector, channel};

fn server(vector: &Vector) -> Scram {
    let binding = if vector.plus {
        Binding::Required(channel().take_bindings())
    } else {
        Binding::Unused { announced: false }
    };
    let nonce = crate::Seed::new([1; 32]).nonce();
    Scram::new(vector.hash, binding, &ServerPolicy::default(), &nonce).with_nonce(vector.server_nonce)
}

/// The keys that the server of a vector has for its user.
fn keys(vector: &Vector) -> ScramKeys {
    let salt = vector.server_first.split(",s=").nth(1).unwrap().split(',').next().unwrap();
    let salt: Vec<u8> = base64::decode(salt.as_bytes()).unwrap().expose().to_vec();
    ScramKeys::derive(vector.hash, "pencil", salt, 4096).unwrap()
}

fn challenge(step: ServerStep) -> String {
    match step {
        ServerStep::Challenge(octets) => String::from_utf8(octets.to_vec()).unwrap(),
        step => panic!("{step:?}"),
    }
}

#[test]
fn published_exchanges_are_accepted_and_answered_octet_for_octet() {
    for vector in VECTORS {
        let mut server = server(vector);
        let ask = server.start(Some(vector.client_first.as_bytes()));
        assert!(
            matches!(&ask, ServerStep::Ask(Ask::ScramKeys { authcid, hash }) if authcid == "user" && *hash == vector.hash)
        );
        assert_eq!(challenge(server.answer(Answer::Keys(Some(keys(vector))))), vector.server_first);
        assert_eq!(challenge(server.respond(vector.client_final.as_bytes())), vector.server_final);
        let step = server.respond(b"");
        assert!(
            matches!(&step, ServerStep::Accept(identity) if *identity == Identity::new("user")),
            "{step:?}"
        );
    }
}

#[test]
fn keys_of_another_hash_function_are_none() {
    let [one, other, ..] = VECTORS else { panic!() };
    let mut server = server(other);
    server.start(Some(other.client_first.as_bytes()));
    server.answer(Answer::Keys(Some(keys(one))));
    assert!(matches!(server.respond(other.client_final.as_bytes()), ServerStep::Reject(_)));
}

/// Whatever octet of whichever message of the client is another: no success.
#[test]
fn no_mutation_of_the_clients_messages_succeeds() {
    for vector in VECTORS {
        let keys = keys(vector);
        for (which, original) in [vector.client_first, vector.client_final].into_iter().enumerate() {
            for at in 0..original.len() {
                for bit in 0..8 {
                    let mut message = Vec::from(original);
                    message[at] ^= 1 << bit;
                    let first = if which == 0 { &message[..] } else { vector.client_first.as_bytes() };
                    let last = if which == 1 { &message[..] } else { vector.client_final.as_bytes() };
                    let mut server = server(vector);
                    let mut step = server.start(Some(first));
                    if matches!(step, ServerStep::Ask(_)) {
                        step = server.answer(Answer::Keys(Some(keys.clone())));
                    }
                    if matches!(step, ServerStep::Challenge(_)) {
                        step = server.respond(last);
                    }
                    assert!(matches!(step, ServerStep::Reject(_)), "{} {step:?}", message.escape_ascii());
                }
            }
        }
    }
}

#[test]
fn whoever_says_more_behind_the_signature_is_rejected() {
    let [vector, ..] = VECTORS else { panic!() };
    let mut server = server(vector);
    server.start(Some(vector.client_first.as_bytes()));
    server.answer(Answer::Keys(Some(keys(vector))));
    server.respond(vector.client_final.as_bytes());
    assert!(matches!(server.respond(b"x"), ServerStep::Reject(Reason::Malformed)));
    assert!(matches!(server.respond(b""), ServerStep::Reject(Reason::Malformed)));
}
