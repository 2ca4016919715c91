//! Published exchanges, seen from the client.

use alloc::vec::Vec;

use super::*;
use crate::scram::vectors::{VECTORS, Vector, channel};

fn client(vector: &Vector) -> Scram {
    let binding = if vector.plus {
        Binding::Required(channel().take_bindings())
    } else {
        Binding::Unused { possible: false }
    };
    let credentials = Credentials::password("user", "pencil").unwrap();
    Scram::new(vector.hash, &binding, &credentials, &ClientPolicy::default(), vector.client_nonce).unwrap()
}

fn response(step: ClientStep) -> String {
    match step {
        ClientStep::Respond(octets) => String::from_utf8(octets.expose().to_vec()).unwrap(),
        step => panic!("{step:?}"),
    }
}

#[test]
fn published_exchanges_are_spoken_octet_for_octet() {
    for vector in VECTORS {
        let mut client = client(vector);
        assert_eq!(client.initial().unwrap().expose(), vector.client_first.as_bytes());
        let step = client.challenge(vector.server_first.as_bytes()).unwrap();
        assert_eq!(response(step), vector.client_final);
        let step = client.challenge(vector.server_final.as_bytes()).unwrap();
        assert!(matches!(step, ClientStep::AwaitOutcome));
        assert_eq!(client.outcome(true), Ok(()));
    }
}

#[test]
fn success_is_believed_from_nobody_who_has_not_signed() {
    for vector in VECTORS {
        let mut at_once = client(vector);
        at_once.initial();
        assert_eq!(at_once.outcome(true), Err(ClientError::NoServerProof));
        let mut unsigned = client(vector);
        unsigned.challenge(vector.server_first.as_bytes()).unwrap();
        assert_eq!(unsigned.outcome(true), Err(ClientError::NoServerProof));
        let mut refused = client(vector);
        refused.challenge(vector.server_first.as_bytes()).unwrap();
        assert_eq!(refused.outcome(false), Ok(()));
    }
}

/// Whatever octet of the server's last message is another: no success.
#[test]
fn no_mutation_of_the_signature_is_believed() {
    let [_, vector, ..] = VECTORS else { panic!() };
    let mut bare = client(vector);
    let keys = bare.challenge(vector.server_first.as_bytes());
    assert!(keys.is_ok());
    let State::ServerFinal(signature) = bare.state else { panic!() };
    for at in 0..vector.server_final.len() {
        for bit in 0..8 {
            let mut message = Vec::from(vector.server_final);
            message[at] ^= 1 << bit;
            let mut client = client(vector);
            client.state = State::ServerFinal(signature.clone());
            assert!(client.challenge(&message).is_err(), "{}", message.escape_ascii());
            assert_eq!(client.outcome(true), Err(ClientError::NoServerProof));
        }
    }
}

#[test]
fn what_the_server_says_about_its_failure_is_told() {
    let [vector, ..] = VECTORS else { panic!() };
    for (message, error) in [
        ("e=unknown-user", ClientError::Server(ServerError::UnknownUser)),
        ("e=channel-bindings-dont-match,x=1", ClientError::Server(ServerError::ChannelBindingsDontMatch)),
        ("e=never-heard", ClientError::Server(ServerError::Other)),
        ("e=", ClientError::Malformed),
        ("x=1", ClientError::Malformed),
        ("", ClientError::Malformed),
        ("v=rmF9pqV8S7suAoZWja4dJRkFsKQ", ClientError::Malformed),
        ("v=rmF9pqV8S7suAoZWja4dJRkFsA==", ClientError::WrongSignature),
        ("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=,v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", ClientError::Malformed),
    ] {
        let mut client = client(vector);
        client.challenge(vector.server_first.as_bytes()).unwrap();
        assert_eq!(client.challenge(message.as_bytes()).unwrap_err(), error, "{message}");
        assert_eq!(client.outcome(true), Err(ClientError::NoServerProof));
    }
}

#[test]
fn a_first_message_that_is_not_well_formed_ends_the_exchange() {
    let [vector, ..] = VECTORS else { panic!() };
    let (nonce, salt) = (vector.client_nonce, "s=QSXCR+Q6sek8bf92");
    for message in [
        String::new(),
        format!("r={nonce},{salt},i=4096"),
        format!("r={nonce}1234567,{salt},i=4096"),
        format!("r=x{nonce}12345678,{salt},i=4096"),
        format!("r=another-nonce-of-the-server,{salt},i=4096"),
        format!("r={nonce}1234 678,{salt},i=4096"),
        format!("r={nonce}1234567\u{e9},{salt},i=4096"),
        format!("{salt},r={nonce}12345678,i=4096"),
        format!("r={nonce}12345678,i=4096,{salt}"),
        format!("m=x,r={nonce}12345678,{salt},i=4096"),
        format!("r={nonce}12345678,{salt},i=4096,m=x"),
        format!("r={nonce}12345678,{salt},i=4096,i=4096"),
        format!("r={nonce}12345678,{salt},i=4096,"),
        format!("r={nonce}12345678,{salt},i=4096,x="),
        format!("r={nonce}12345678,{salt},i=4096,x=1,x=2"),
        format!("r={nonce}12345678,s=QSXCR+Q6sek8bf9,i=4096"),
        format!("r={nonce}12345678,s=QSXCR+Q=,i=4096"),
        format!("r={nonce}12345678,s=,i=4096"),
        format!("r={nonce}12345678,{salt},i=04096"),
        format!("r={nonce}12345678,{salt},i=+4096"),
        format!("r={nonce}12345678,{salt},i=4096 "),
        format!("r={nonce}12345678,{salt},i=0"),
        format!("r={nonce}12345678,{salt},i=4294967296"),
        format!("r={nonce}12345678,{salt}"),
    ] {
        let error = client(vector).challenge(message.as_bytes()).unwrap_err();
        assert_eq!(error, ClientError::Malformed, "{message}");
    }
    for (count, error) in [("1", 1), ("4095", 4095), ("1000001", 1_000_001), ("4294967295", u32::MAX)] {
        let message = format!("r={nonce}12345678,{salt},i={count}");
        assert_eq!(client(vector).challenge(message.as_bytes()).unwrap_err(), ClientError::Iterations(error));
    }
    let extended = format!("r={nonce}12345678,{salt},i=4096,x=1,y=a=b");
    assert!(client(vector).challenge(extended.as_bytes()).is_ok());
}
