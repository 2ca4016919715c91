//! SCRAM with both sides of this crate against each other, and the attacks of RFC 5802 §6 and §9: each has to
//! fail at the side that can see it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use mailwright_core::value::Secret;
use mailwright_sasl::{
    Answer, Ask, BeginError, Channel, ChooseError, Client, ClientError, ClientPolicy, ClientStep,
    Credentials, DecoyKey, DerivedKeys, Identity, MechanismName, Offers, Reason, ScramHash, ScramKeys, Seed,
    Server, ServerPolicy, ServerStep, Situation, choose,
};
use proptest::prelude::*;

const SALT: [u8; 16] = *b"0123456789abcdef";

/// Few iterations, where they are not what is tested.
fn quick() -> ClientPolicy {
    let mut policy = ClientPolicy::default();
    policy.min_iterations = 1;
    policy
}

fn offers() -> Offers {
    Offers::new([
        MechanismName::SCRAM_SHA_256_PLUS,
        MechanismName::SCRAM_SHA_256,
        MechanismName::SCRAM_SHA_1_PLUS,
        MechanismName::SCRAM_SHA_1,
    ])
}

fn keys(hash: ScramHash, password: &str) -> ScramKeys {
    ScramKeys::derive(hash, password, SALT, 4).unwrap()
}

fn exporter(octet: u8) -> Channel {
    Channel::new(true).with_exporter(Some([octet; 32]))
}

fn server_on(name: MechanismName, channel: &mut Channel) -> Server {
    let nonce = Seed::new([2; 32]).nonce();
    offers().begin(name.as_str().as_bytes(), channel, &ServerPolicy::default(), nonce).unwrap()
}

fn client_on(
    name: MechanismName,
    password: &str,
    channel: &mut Channel,
    announced: &[MechanismName],
) -> Client {
    let credentials = Credentials::password("tim", password).unwrap();
    Client::bound(name, &credentials, &quick(), Seed::new([1; 32]).nonce(), channel, announced).unwrap()
}

/// What came of an exchange: at the server, and what the client makes of success.
#[derive(Debug, PartialEq)]
struct End {
    server: Result<Identity, Reason>,
    client: Result<(), ClientError>,
    /// The questions that the host got.
    asked: Vec<String>,
}

/// Lets both talk; `tamper` may change each message, numbered from 0.
fn run(
    client: &mut Client,
    server: &mut Server,
    known: Option<&ScramKeys>,
    mut tamper: impl FnMut(usize, &mut Vec<u8>),
) -> End {
    let mut asked = Vec::new();
    let mut number = 0;
    let mut on_the_way = |octets: &[u8]| {
        let mut octets = octets.to_vec();
        tamper(number, &mut octets);
        number += 1;
        octets
    };
    let initial = client.start(true).unwrap().unwrap();
    let mut step = server.start(Some(&on_the_way(initial.expose()))).unwrap();
    let outcome = loop {
        step = match step {
            ServerStep::Challenge(challenge) => match client.challenge_inline(&on_the_way(&challenge)) {
                Ok(ClientStep::Respond(response)) => server.respond(&on_the_way(response.expose())).unwrap(),
                Ok(ClientStep::AwaitOutcome) => server.respond(b"").unwrap(),
                Ok(step) => panic!("{step:?}"),
                Err(error) => return End { server: Err(Reason::Malformed), client: Err(error), asked },
            },
            ServerStep::Ask(ask) => {
                asked.push(match &ask {
                    Ask::ScramKeys { authcid, hash } => format!("keys {authcid} {hash}"),
                    Ask::Authorize { authcid, authzid } => format!("authorize {authcid} {authzid}"),
                    other => panic!("{other:?}"),
                });
                let answer = match &ask {
                    Ask::ScramKeys { .. } => Answer::Keys(known.cloned()),
                    _ => ask.accept(),
                };
                server.answer(answer).unwrap()
            }
            ServerStep::Accept(identity) => break Ok(identity),
            ServerStep::Reject(reason) => break Err(reason),
            step => panic!("{step:?}"),
        };
    };
    End { client: client.outcome(outcome.is_ok()), server: outcome, asked }
}

fn good(identity: Identity) -> End {
    End { server: Ok(identity), client: Ok(()), asked: vec![format!("keys tim {}", ScramHash::Sha256)] }
}

#[test]
fn the_right_password_is_accepted_with_and_without_binding() {
    let known = keys(ScramHash::Sha256, "pencil");
    let mut plain = Channel::new(false);
    let mut client = client_on(MechanismName::SCRAM_SHA_256, "pencil", &mut plain, &[]);
    let mut server = server_on(MechanismName::SCRAM_SHA_256, &mut plain);
    assert_eq!(run(&mut client, &mut server, Some(&known), |_, _| {}), good(Identity::new("tim")));
    let mut client = client_on(MechanismName::SCRAM_SHA_256_PLUS, "pencil", &mut exporter(7), &[]);
    let mut server = server_on(MechanismName::SCRAM_SHA_256_PLUS, &mut exporter(7));
    assert_eq!(run(&mut client, &mut server, Some(&known), |_, _| {}), good(Identity::new("tim")));
}

#[test]
fn an_unknown_user_costs_and_shows_what_a_wrong_password_does() {
    let known = keys(ScramHash::Sha256, "pencil");
    let exchange = |known: Option<&ScramKeys>| {
        let mut plain = Channel::new(false);
        let mut client = client_on(MechanismName::SCRAM_SHA_256, "wrong", &mut plain, &[]);
        let mut policy = ServerPolicy::default();
        policy.decoy_key = Some(DecoyKey::new([7; 32]));
        policy.scram_iterations = 4;
        let nonce = Seed::new([2; 32]).nonce();
        let mut server = offers().begin(b"SCRAM-SHA-256", &mut plain, &policy, nonce).unwrap();
        let mut lengths = Vec::new();
        let end = run(&mut client, &mut server, known, |_, octets| lengths.push(octets.len()));
        (end, lengths)
    };
    let (wrong, unknown) = (exchange(Some(&known)), exchange(None));
    assert_eq!(wrong.0.server, Err(Reason::BadCredentials));
    assert_eq!(wrong, unknown);
}

#[test]
fn a_decoy_shows_the_same_salt_each_time() {
    let first_message = |seed: u8, decoy_key: Option<DecoyKey>| {
        let mut policy = ServerPolicy::default();
        policy.decoy_key = decoy_key;
        let nonce = Seed::new([seed; 32]).nonce();
        let mut server = offers().begin(b"SCRAM-SHA-256", &mut Channel::new(false), &policy, nonce).unwrap();
        server.start(Some(b"n,,n=nobody,r=12345678")).unwrap();
        let ServerStep::Challenge(octets) = server.answer(Answer::Keys(None)).unwrap() else { panic!() };
        String::from_utf8(octets.to_vec()).unwrap().split_once(",s=").unwrap().1.to_owned()
    };
    let key = Some(DecoyKey::new([7; 32]));
    assert_eq!(first_message(1, key.clone()), first_message(2, key.clone()));
    assert!(first_message(1, key).ends_with(",i=4096"));
    // Without a key that lasts, each exchange has its own.
    assert_ne!(first_message(1, None), first_message(2, None));
}

#[test]
fn whoever_sits_between_two_channels_is_found_out_by_the_server() {
    let known = keys(ScramHash::Sha256, "pencil");
    let mut client = client_on(MechanismName::SCRAM_SHA_256_PLUS, "pencil", &mut exporter(7), &[]);
    let mut server = server_on(MechanismName::SCRAM_SHA_256_PLUS, &mut exporter(8));
    assert_eq!(run(&mut client, &mut server, Some(&known), |_, _| {}).server, Err(Reason::ChannelBinding));
}

#[test]
fn a_binding_taken_out_of_the_announcement_is_found_out_by_the_server() {
    let known = keys(ScramHash::Sha256, "pencil");
    // The client could bind and was shown no -PLUS; the server had announced it.
    let mut client =
        client_on(MechanismName::SCRAM_SHA_256, "pencil", &mut exporter(7), &[MechanismName::SCRAM_SHA_256]);
    let mut server = server_on(MechanismName::SCRAM_SHA_256, &mut exporter(7));
    assert_eq!(run(&mut client, &mut server, Some(&known), |_, _| {}).server, Err(Reason::ChannelBinding));
    // The same with a server that cannot bind is no attack.
    let mut client =
        client_on(MechanismName::SCRAM_SHA_256, "pencil", &mut exporter(7), &[MechanismName::SCRAM_SHA_256]);
    let mut server = server_on(MechanismName::SCRAM_SHA_256, &mut Channel::new(true));
    assert_eq!(run(&mut client, &mut server, Some(&known), |_, _| {}), good(Identity::new("tim")));
    // Changing the flag on the way breaks the proof, which covers it.
    let mut client =
        client_on(MechanismName::SCRAM_SHA_256, "pencil", &mut exporter(7), &[MechanismName::SCRAM_SHA_256]);
    let mut server = server_on(MechanismName::SCRAM_SHA_256, &mut exporter(7));
    let end = run(&mut client, &mut server, Some(&known), |number, octets| {
        if number == 0 {
            octets[0] = b'n';
        }
    });
    assert_eq!(end.server, Err(Reason::ChannelBinding));
}

#[test]
fn flags_that_do_not_fit_the_name_are_refused() {
    for (name, first, accepted) in [
        (MechanismName::SCRAM_SHA_256, "n,,", true),
        (MechanismName::SCRAM_SHA_256, "y,,", false),
        (MechanismName::SCRAM_SHA_256, "p=tls-exporter,,", false),
        (MechanismName::SCRAM_SHA_256_PLUS, "p=tls-exporter,,", true),
        (MechanismName::SCRAM_SHA_256_PLUS, "n,,", false),
        (MechanismName::SCRAM_SHA_256_PLUS, "y,,", false),
        // Types that the host has not supplied, or that are not to be had.
        (MechanismName::SCRAM_SHA_256_PLUS, "p=tls-server-end-point,,", false),
        (MechanismName::SCRAM_SHA_256_PLUS, "p=tls-unique,,", false),
        (MechanismName::SCRAM_SHA_256_PLUS, "p=TLS-EXPORTER,,", false),
    ] {
        let mut server = server_on(name, &mut exporter(7));
        let step = server.start(Some(format!("{first}n=tim,r=12345678").as_bytes())).unwrap();
        assert_eq!(matches!(step, ServerStep::Ask(_)), accepted, "{name} {first} {step:?}");
        assert!(accepted || matches!(step, ServerStep::Reject(Reason::ChannelBinding)));
    }
}

#[test]
fn the_binding_by_exporter_serves_one_exchange() {
    let mut channel = exporter(7);
    assert_eq!(offers().permitted(&channel).count(), 4);
    drop(server_on(MechanismName::SCRAM_SHA_256_PLUS, &mut channel));
    assert_eq!(offers().permitted(&channel).count(), 2);
    let nonce = Seed::new([2; 32]).nonce();
    let again = offers().begin(b"SCRAM-SHA-256-PLUS", &mut channel, &ServerPolicy::default(), nonce);
    assert_eq!(again.map(|_| ()).unwrap_err(), BeginError::NoBinding);
    // Who says that it could bind has still been lied to.
    let mut server = server_on(MechanismName::SCRAM_SHA_256, &mut channel);
    let step = server.start(Some(b"y,,n=tim,r=12345678")).unwrap();
    assert!(matches!(step, ServerStep::Reject(Reason::ChannelBinding)));

    let announced: Vec<_> = offers().permitted(&exporter(7)).collect();
    let credentials = Credentials::password("tim", "pencil").unwrap();
    let mut channel = exporter(7);
    let take = |channel: &Channel| choose(&announced, &credentials, &quick(), Situation::on(channel));
    assert_eq!(take(&channel), Ok(MechanismName::SCRAM_SHA_256_PLUS));
    drop(client_on(MechanismName::SCRAM_SHA_256_PLUS, "pencil", &mut channel, &announced));
    assert_eq!(take(&channel), Err(ChooseError::BindingUsed));
    let nonce = Seed::new([1; 32]).nonce();
    let again = Client::bound(
        MechanismName::SCRAM_SHA_256_PLUS,
        &credentials,
        &quick(),
        nonce,
        &mut channel,
        &announced,
    );
    assert_eq!(again.unwrap_err(), ClientError::Unsupported);
}

#[test]
fn the_end_point_serves_where_there_is_no_exporter() {
    // A certificate as far as it is looked at: signed by ECDSA with SHA-256.
    let certificate: &[u8] = &[
        0x30, 0x10, 0x30, 0x02, 0, 0, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
    ];
    let channel = || Channel::new(true).with_server_certificate(certificate);
    let known = keys(ScramHash::Sha256, "pencil");
    let (mut one, mut other) = (channel(), channel());
    for _ in 0..2 {
        let mut client = client_on(MechanismName::SCRAM_SHA_256_PLUS, "pencil", &mut one, &[]);
        assert!(client.initial_response().unwrap().starts_with(b"p=tls-server-end-point,,"));
        let mut server = server_on(MechanismName::SCRAM_SHA_256_PLUS, &mut other);
        assert_eq!(run(&mut client, &mut server, Some(&known), |_, _| {}), good(Identity::new("tim")));
    }
    let both = client_on(
        MechanismName::SCRAM_SHA_256_PLUS,
        "pencil",
        &mut channel().with_exporter(Some([1; 32])),
        &[],
    );
    assert!(both.initial_response().unwrap().starts_with(b"p=tls-exporter,,"));
}

#[test]
fn an_authorization_identity_is_asked_about_behind_the_proof() {
    let known = keys(ScramHash::Sha256, "pencil");
    let credentials = Credentials::password("tim", "pencil").unwrap().acting_as("k,u=rt").unwrap();
    let nonce = Seed::new([1; 32]).nonce();
    let mut client = Client::new(MechanismName::SCRAM_SHA_256, &credentials, &quick(), nonce).unwrap();
    let mut server = server_on(MechanismName::SCRAM_SHA_256, &mut Channel::new(false));
    let end = run(&mut client, &mut server, Some(&known), |_, _| {});
    assert_eq!(end.server, Ok(Identity::new("tim").acting_as("k,u=rt")));
    assert_eq!(end.asked, ["keys tim SCRAM-SHA-256", "authorize tim k,u=rt"]);

    // Whoever may not act for another gets no signature either.
    let mut server = server_on(MechanismName::SCRAM_SHA_256, &mut Channel::new(false));
    let nonce = Seed::new([1; 32]).nonce();
    let mut client = Client::new(MechanismName::SCRAM_SHA_256, &credentials, &quick(), nonce).unwrap();
    let initial = client.start(true).unwrap().unwrap();
    server.start(Some(initial.expose())).unwrap();
    let ServerStep::Challenge(challenge) = server.answer(Answer::Keys(Some(known))).unwrap() else {
        panic!()
    };
    let ClientStep::Respond(last) = client.challenge(&challenge).unwrap() else { panic!() };
    assert!(matches!(server.respond(last.expose()).unwrap(), ServerStep::Ask(Ask::Authorize { .. })));
    assert!(matches!(server.answer(Answer::No).unwrap(), ServerStep::Reject(Reason::BadCredentials)));
    assert_eq!(client.outcome(false), Ok(()));
}

#[test]
fn a_temporary_failure_of_the_host_ends_the_exchange_as_one() {
    let mut server = server_on(MechanismName::SCRAM_SHA_256, &mut Channel::new(false));
    server.start(Some(b"n,,n=tim,r=12345678")).unwrap();
    let step = server.answer(Answer::TempFail).unwrap();
    assert!(matches!(step, ServerStep::Reject(Reason::TempFail)));
}

#[test]
fn names_are_prepared_and_prohibited_ones_rejected_without_a_question() {
    let begin = |name: &str, raw_names| {
        let mut policy = ServerPolicy::default();
        policy.raw_names = raw_names;
        let nonce = Seed::new([2; 32]).nonce();
        let mut server = offers().begin(b"SCRAM-SHA-256", &mut Channel::new(false), &policy, nonce).unwrap();
        match server.start(Some(format!("n,,n={name},r=12345678").as_bytes())).unwrap() {
            ServerStep::Ask(ask) => Ok(ask.authcid().to_owned()),
            ServerStep::Reject(reason) => Err(reason),
            step => panic!("{step:?}"),
        }
    };
    assert_eq!(begin("I\u{ad}X", false).as_deref(), Ok("IX"));
    assert_eq!(begin("a\tb", false), Err(Reason::BadCredentials));
    assert_eq!(begin("a\tb", true).as_deref(), Ok("a\tb"));
    assert_eq!(begin("\u{ad}", true), Err(Reason::BadCredentials));

    let client = |name: &str, raw_names| {
        let mut policy = quick();
        policy.raw_names = raw_names;
        let credentials = Credentials::password(name, "pencil").unwrap();
        let nonce = Seed::new([1; 32]).nonce();
        Client::new(MechanismName::SCRAM_SHA_256, &credentials, &policy, nonce)
            .map(|client| String::from_utf8(client.initial_response().unwrap().to_vec()).unwrap())
    };
    assert!(client("I\u{ad}X", false).unwrap().starts_with("n,,n=IX,r="));
    assert!(matches!(client("a\tb", false), Err(ClientError::Preparation(_))));
    assert!(client("a\tb", true).unwrap().starts_with("n,,n=a\tb,r="));
}

#[test]
fn a_long_derivation_is_handed_out_and_kept_keys_do() {
    let known = keys(ScramHash::Sha256, "pencil");
    let mut policy = quick();
    policy.inline_iterations = 0;
    let credentials = Credentials::password("tim", "pencil").unwrap();
    let exchange = |kept: Option<DerivedKeys>| {
        let nonce = Seed::new([1; 32]).nonce();
        let mut client = Client::new(MechanismName::SCRAM_SHA_256, &credentials, &policy, nonce).unwrap();
        let mut server = server_on(MechanismName::SCRAM_SHA_256, &mut Channel::new(false));
        let initial = client.start(true).unwrap().unwrap();
        server.start(Some(initial.expose())).unwrap();
        let ServerStep::Challenge(first) = server.answer(Answer::Keys(Some(known.clone()))).unwrap() else {
            panic!()
        };
        let ClientStep::Derive(job) = client.challenge(&first).unwrap() else { panic!() };
        assert_eq!(job.iterations(), 4);
        assert_eq!(client.challenge(b"").unwrap_err(), ClientError::State);
        assert_eq!(client.outcome(true).unwrap_err(), ClientError::State);
        let derived = kept.filter(|kept| kept.fit(&job)).unwrap_or_else(|| job.run());
        let ClientStep::Respond(last) = client.derived(derived.clone()).unwrap() else { panic!() };
        let ServerStep::Challenge(signature) = server.respond(last.expose()).unwrap() else { panic!() };
        assert!(matches!(client.challenge(&signature), Ok(ClientStep::AwaitOutcome)));
        assert_eq!(client.outcome(true), Ok(()));
        derived
    };
    let kept = exchange(None);
    exchange(Some(kept));
}

#[test]
fn keys_of_another_salt_end_the_exchange() {
    let mut policy = quick();
    policy.inline_iterations = 0;
    let credentials = Credentials::password("tim", "pencil").unwrap();
    let begin = |salt: &str| {
        let nonce = Seed::new([1; 32]).nonce();
        let mut client = Client::new(MechanismName::SCRAM_SHA_256, &credentials, &policy, nonce).unwrap();
        let initial = client.start(true).unwrap().unwrap();
        let nonce = core::str::from_utf8(initial.expose()).unwrap().split_once(",r=").unwrap().1.to_owned();
        let first = format!("r={nonce}12345678,s={salt},i=4");
        let ClientStep::Derive(job) = client.challenge(first.as_bytes()).unwrap() else { panic!() };
        (client, job)
    };
    let (mut one, job) = begin("W22ZaJ0SNY7soEsUEjb6gQ==");
    let (_, other) = begin("QSXCR+Q6sek8bf92");
    let other = other.run();
    assert!(!other.fit(&job));
    assert_eq!(one.derived(other).unwrap_err(), ClientError::State);
    assert_eq!(one.derived(job.run()).unwrap_err(), ClientError::State);
}

#[test]
fn a_step_too_many_is_an_error_on_both_sides() {
    let known = keys(ScramHash::Sha256, "pencil");
    let mut client = client_on(MechanismName::SCRAM_SHA_256, "pencil", &mut Channel::new(false), &[]);
    let mut server = server_on(MechanismName::SCRAM_SHA_256, &mut Channel::new(false));
    assert!(run(&mut client, &mut server, Some(&known), |_, _| {}).server.is_ok());
    assert!(server.respond(b"").is_err() && server.answer(Answer::Keys(Some(known))).is_err());
    assert_eq!(client.challenge(b"").unwrap_err(), ClientError::State);
    assert_eq!(client.outcome(true).unwrap_err(), ClientError::State);
}

#[test]
fn values_of_an_exchange_show_nothing_secret() {
    let (mut one, mut other) = (exporter(119), exporter(119));
    let mut client = client_on(MechanismName::SCRAM_SHA_256_PLUS, "pencil", &mut one, &[]);
    let server = server_on(MechanismName::SCRAM_SHA_256_PLUS, &mut other);
    let step = client.start(true);
    let shown = format!("{client:?} {server:?} {step:?} {:?} {:?}", exporter(119), Secret::from("pencil"));
    assert!(!shown.contains("pencil") && !shown.contains("119"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever name, password, identity and binding: the right password gets in, as who it is, and no other.
    #[test]
    fn client_and_server_agree(
        name in "\\PC{1,12}", password in "\\PC{1,12}", authzid in proptest::option::of("[^\\pC]{1,12}"),
        sha_1: bool, bound: bool, wrong: bool,
    ) {
        let hash = if sha_1 { ScramHash::Sha1 } else { ScramHash::Sha256 };
        let mechanism = if bound { hash.mechanism_plus() } else { hash.mechanism() };
        let mut credentials = Credentials::password(&name, password.as_str()).unwrap();
        if let Some(authzid) = &authzid {
            credentials = credentials.acting_as(authzid).unwrap();
        }
        let nonce = Seed::new([1; 32]).nonce();
        let client = Client::bound(mechanism, &credentials, &quick(), nonce, &mut exporter(7), &[mechanism]);
        let stored = if wrong { format!("{password}x") } else { password };
        let (Ok(mut client), Ok(known)) = (client, ScramKeys::derive(hash, &stored, SALT, 4)) else {
            return Ok(());
        };
        // Without -PLUS the flag is "y", since no -PLUS is announced; the server then must not have one.
        let mut channel = if bound { exporter(7) } else { Channel::new(true) };
        let end = run(&mut client, &mut server_on(mechanism, &mut channel), Some(&known), |_, _| {});
        if wrong {
            prop_assert_eq!(end.server, Err(Reason::BadCredentials));
        } else {
            let identity = end.server.unwrap();
            let expected = authzid.unwrap_or_else(|| identity.authentication.clone());
            prop_assert_eq!(&identity.authorization, &expected);
            prop_assert_eq!(end.client, Ok(()));
        }
    }

    /// Whatever octet of whichever message is changed on the way, in either direction: no success on both sides.
    #[test]
    fn no_change_on_the_way_succeeds(which in 0usize..4, at: prop::sample::Index, change in 1u8..) {
        let known = keys(ScramHash::Sha256, "pencil");
        let mut client = client_on(MechanismName::SCRAM_SHA_256_PLUS, "pencil", &mut exporter(7), &[]);
        let mut server = server_on(MechanismName::SCRAM_SHA_256_PLUS, &mut exporter(7));
        let mut changed = false;
        let end = run(&mut client, &mut server, Some(&known), |number, octets| {
            if number == which {
                let at = at.index(octets.len());
                octets[at] ^= change;
                changed = true;
            }
        });
        prop_assert!(changed);
        prop_assert!(end.server.is_err() || end.client.is_err(), "{:?}", end);
    }

    /// No octets, in whatever order of calls, panic or get in.
    #[test]
    fn nobody_gets_in_without_the_password(
        calls in proptest::collection::vec((0u8..6, "[npyacrsivem=,.+/0-9A-Za-z]{0,60}"), 0..10), plus: bool,
    ) {
        let name = if plus { MechanismName::SCRAM_SHA_256_PLUS } else { MechanismName::SCRAM_SHA_256 };
        let mut server = server_on(name, &mut exporter(7));
        let mut client = client_on(name, "pencil", &mut exporter(7), &[]);
        for (call, text) in calls {
            let step = match call {
                0 => server.start(Some(format!("n,,n=tim,r={text}12345678").as_bytes())),
                1 => server.start(Some(text.as_bytes())),
                2 => server.answer(Answer::Keys(Some(keys(ScramHash::Sha256, "pencil")))),
                3 => server.answer(Answer::Yes(Identity::new("root"))),
                _ => server.respond(text.as_bytes()),
            };
            prop_assert!(!matches!(step, Ok(ServerStep::Accept(_))));
            let _ = match call {
                0 => client.start(text.len() % 2 == 0).map(|_| ()),
                _ => client.challenge_inline(text.as_bytes()).map(|_| ()),
            };
        }
        prop_assert!(client.outcome(true).is_err());
    }
}
