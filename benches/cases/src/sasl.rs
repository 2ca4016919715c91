//! SASL: whole exchanges, and the derivation of keys.

use std::hint::black_box;

use mailwright_sasl::{
    Answer, Ask, Channel, Client, ClientPolicy, ClientStep, Credentials, DerivedKeys, Identity,
    MechanismName, Offers, ScramHash, ScramKeys, Seed, Server, ServerPolicy, ServerStep,
};

use crate::{Case, Work};

/// The password.
pub const PASSWORD: &str = "pencil";
/// The salt.
pub const SALT: [u8; 16] = *b"sixteen octets..";

fn channel() -> Channel {
    Channel::new(true)
}

fn begin(name: &'static str) -> Server {
    let offers = Offers::new([MechanismName::PLAIN, MechanismName::SCRAM_SHA_256]);
    let begun =
        offers.begin(name.as_bytes(), &mut channel(), &ServerPolicy::default(), Seed::new([2; 32]).nonce());
    let Ok(server) = begun else { unreachable!("{name} is offered") };
    server
}

/// The keys of a client that has talked to the server before.
pub struct Known(DerivedKeys);

impl Known {
    /// Derives them.
    #[must_use]
    pub fn new() -> Self {
        let mut client = open();
        let first = said(&mut client);
        let mut server = begin("SCRAM-SHA-256");
        let keys = keys(4096);
        let Ok(step) = server.start(Some(&first)) else { unreachable!("a good message") };
        let ServerStep::Challenge(challenge) = answered(&mut server, step, &keys) else {
            unreachable!("a challenge")
        };
        let Ok(ClientStep::Derive(job)) = client.challenge(&challenge) else {
            unreachable!("a good challenge")
        };
        Self(job.run())
    }

    /// A client that need not derive them.
    #[must_use]
    pub fn client(&self) -> Knowing {
        Knowing(open(), self.0.clone())
    }
}

impl Default for Known {
    fn default() -> Self {
        Self::new()
    }
}

/// A client that knows its keys.
pub struct Knowing(Client, DerivedKeys);

impl Knowing {
    /// Its first message.
    #[must_use]
    pub fn first(&mut self) -> Vec<u8> {
        said(&mut self.0)
    }

    /// Its proof.
    #[must_use]
    pub fn last(&mut self, challenge: &[u8]) -> Vec<u8> {
        let Ok(ClientStep::Derive(job)) = self.0.challenge(challenge) else {
            unreachable!("a good challenge")
        };
        assert!(self.1.fit(&job));
        let Ok(ClientStep::Respond(last)) = self.0.derived(self.1.clone()) else {
            unreachable!("the keys fit")
        };
        last.expose().to_vec()
    }
}

fn open() -> Client {
    let Ok(credentials) = Credentials::password("tim", PASSWORD) else { unreachable!("good credentials") };
    let mut policy = ClientPolicy::default();
    policy.inline_iterations = 0;
    let name = MechanismName::SCRAM_SHA_256;
    let Ok(client) = Client::new(name, &credentials, &policy, Seed::new([1; 32]).nonce()) else {
        unreachable!("SCRAM is there")
    };
    client
}

fn said(client: &mut Client) -> Vec<u8> {
    let Ok(Some(first)) = client.start(true) else { unreachable!("SCRAM begins") };
    first.expose().to_vec()
}

/// Keys of the password.
#[must_use]
pub fn keys(iterations: u32) -> ScramKeys {
    let Ok(keys) = ScramKeys::derive(ScramHash::Sha256, PASSWORD, SALT, iterations) else {
        unreachable!("a good password")
    };
    keys
}

/// What a server says to a message, after the host has answered.
fn answered(server: &mut Server, step: ServerStep, keys: &ScramKeys) -> ServerStep {
    let ServerStep::Ask(ask) = step else { return step };
    let answer = match &ask {
        Ask::ScramKeys { .. } => Answer::Keys(Some(keys.clone())),
        Ask::Password { password, .. } if password.expose() == PASSWORD.as_bytes() => ask.accept(),
        _ => Answer::No,
    };
    let Ok(step) = server.answer(answer) else { unreachable!("the question is open") };
    step
}

fn accepted(step: ServerStep) -> Identity {
    let ServerStep::Accept(identity) = step else { unreachable!("{step:?}") };
    identity
}

/// PLAIN with an initial response, whose password the host knows.
fn plain() -> Case {
    Case::fresh(
        "sasl server: PLAIN",
        Work::Items(1),
        || keys(4),
        |keys| (begin("PLAIN"), keys.clone()),
        |(server, keys)| {
            let Ok(step) = server.start(Some(b"\0tim\0pencil")) else { unreachable!("a good message") };
            black_box(accepted(answered(server, step, keys)));
        },
    )
}

/// What a server does in an exchange of SCRAM-SHA-256.
fn serve(server: &mut Server, keys: &ScramKeys, first: &[u8], last: impl FnOnce(&[u8]) -> Vec<u8>) {
    let Ok(step) = server.start(Some(first)) else { unreachable!("a good message") };
    let ServerStep::Challenge(challenge) = answered(server, step, keys) else { unreachable!("a challenge") };
    let Ok(step) = server.respond(&last(&challenge)) else { unreachable!("a good proof") };
    let ServerStep::Challenge(signature) = step else { unreachable!("{step:?}") };
    black_box(signature);
    let Ok(step) = server.respond(b"") else { unreachable!("the end") };
    black_box(accepted(answered(server, step, keys)));
}

/// A server reads the first message of SCRAM-SHA-256, says its own, and verifies the proof.
fn scram_server() -> Case {
    Case::fresh(
        "sasl server: SCRAM-SHA-256",
        Work::Items(1),
        || (keys(4096), Known::new()),
        |(keys, known)| {
            // The nonces are always the same, so a rehearsal tells what the client will say.
            let mut client = known.client();
            let (first, mut said) = (client.first(), Vec::new());
            serve(&mut begin("SCRAM-SHA-256"), keys, &first, |challenge| {
                said = client.last(challenge);
                said.clone()
            });
            (begin("SCRAM-SHA-256"), keys.clone(), first, said)
        },
        |(server, keys, first, last)| serve(server, keys, first, |_| core::mem::take(last)),
    )
    .target(|target| target.nanoseconds = Some(5000.0))
}

/// The same with a client that knows its keys: what others can be held against, whose nonces are not known before.
#[must_use]
pub fn scram_both() -> Case {
    Case::steady(
        "sasl both: SCRAM-SHA-256, keys known",
        Work::Items(1),
        || (keys(4096), Known::new()),
        |(keys, known)| {
            let mut client = known.client();
            let first = client.first();
            serve(&mut begin("SCRAM-SHA-256"), keys, &first, |challenge| client.last(challenge));
        },
    )
}

/// Derives keys of a password.
#[must_use]
pub fn derive(iterations: u32) -> Case {
    Case::steady(
        format!("sasl keys: SCRAM-SHA-256, {iterations} iterations"),
        Work::Items(1),
        || (),
        move |()| drop(black_box(keys(iterations))),
    )
}

/// All of them.
#[must_use]
pub fn cases() -> Vec<Case> {
    vec![plain(), scram_server(), scram_both(), derive(4096), derive(100_000).long()]
}
