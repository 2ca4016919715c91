//! OAUTHBEARER, XOAUTH2, EXTERNAL and ANONYMOUS: the dialogues of the RFCs, and each class of input on the side
//! that gets it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use mailwright_core::value::Secret;
use mailwright_sasl::{
    Answer, Ask, BeginError, Channel, ChooseError, Client, ClientError, ClientPolicy, ClientStep,
    Credentials, CredentialsError, Identity, MechanismName, Offers, Reason, Seed, Server, ServerPolicy,
    ServerStep, Situation, choose,
};

const ALL: [MechanismName; 4] =
    [MechanismName::OAUTHBEARER, MechanismName::XOAUTH2, MechanismName::EXTERNAL, MechanismName::ANONYMOUS];

fn server(name: MechanismName, policy: &ServerPolicy) -> Server {
    let mut channel = Channel::new(true).with_external();
    let nonce = Seed::new([2; 32]).nonce();
    Offers::new(ALL).begin(name.as_str().as_bytes(), &mut channel, policy, nonce).unwrap()
}

/// What the server makes of a first message.
fn first_with(name: MechanismName, message: &[u8], policy: &ServerPolicy) -> String {
    let mut server = server(name, policy);
    match server.start(Some(message)).unwrap() {
        ServerStep::Ask(Ask::Token { authzid, token }) => {
            format!("{} {}", authzid.unwrap_or_default(), token.expose().escape_ascii())
        }
        ServerStep::Ask(Ask::External { authzid: name } | Ask::Anonymous { trace: name }) => {
            name.unwrap_or_else(|| "nobody".into())
        }
        ServerStep::Challenge(octets) => {
            // An error message, behind which there is failure only, whatever the client says.
            assert!(matches!(server.respond(b"\x01").unwrap(), ServerStep::Reject(Reason::BadCredentials)));
            octets.escape_ascii().to_string()
        }
        ServerStep::Reject(reason) => format!("{reason:?}"),
        step => panic!("{step:?}"),
    }
}

fn first(name: MechanismName, message: &[u8]) -> String {
    first_with(name, message, &ServerPolicy::default())
}

fn client(name: MechanismName, credentials: &Credentials) -> Result<Client, ClientError> {
    Client::new(name, credentials, &ClientPolicy::default(), Seed::new([1; 32]).nonce())
}

fn message(name: MechanismName, credentials: &Credentials) -> String {
    client(name, credentials).unwrap().initial_response().unwrap().escape_ascii().to_string()
}

const ERROR: &str = r#"{\"status\":\"invalid_token\"}"#;
const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";

fn token() -> Credentials {
    Credentials::token("user@example.com", TOKEN).unwrap()
}

#[test]
fn oauthbearer_goes_as_in_rfc_7628_section_4_1() {
    let credentials = token().for_server("server.example.com", 143).unwrap();
    let mut client = client(MechanismName::OAUTHBEARER, &credentials).unwrap();
    let initial = client.start(true).unwrap().unwrap();
    let expected = format!(
        "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer {TOKEN}\x01\x01"
    );
    assert_eq!(initial.expose(), expected.as_bytes());

    let mut policy = ServerPolicy::default();
    policy.server_name = Some("SERVER.example.com".into());
    policy.server_port = Some(143);
    let mut server = server(MechanismName::OAUTHBEARER, &policy);
    let ServerStep::Ask(ask) = server.start(Some(initial.expose())).unwrap() else { panic!() };
    assert!(matches!(&ask, Ask::Token { authzid: Some(name), token }
        if name == "user@example.com" && token.expose() == TOKEN.as_bytes()));
    let step = server.answer(ask.accept()).unwrap();
    assert!(matches!(step, ServerStep::Accept(identity) if identity == Identity::new("user@example.com")));
    assert_eq!(client.outcome(true), Ok(()));
}

#[test]
fn a_bad_token_is_told_in_a_challenge_as_in_rfc_7628_section_4_3() {
    let json = r#"{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-config"}"#;
    let mut policy = ServerPolicy::default();
    policy.oauth_error = json.into();
    for (name, acknowledgement) in [(MechanismName::OAUTHBEARER, &b"\x01"[..]), (MechanismName::XOAUTH2, b"")]
    {
        let mut client = client(name, &token()).unwrap();
        let mut server = server(name, &policy);
        let initial = client.start(true).unwrap().unwrap();
        server.start(Some(initial.expose())).unwrap();
        let ServerStep::Challenge(challenge) = server.answer(Answer::No).unwrap() else { panic!() };
        assert_eq!(challenge, json.as_bytes());
        let ClientStep::Respond(response) = client.challenge(&challenge).unwrap() else { panic!() };
        assert_eq!(response.expose(), acknowledgement);
        assert!(matches!(
            server.respond(response.expose()).unwrap(),
            ServerStep::Reject(Reason::BadCredentials)
        ));
        assert_eq!(client.outcome(false), Ok(()));
        // Kept beyond the end.
        assert_eq!(client.failure(), Some(json.as_bytes()));
    }
    // A client that asks for the scope with no credentials at all.
    assert_eq!(first(MechanismName::OAUTHBEARER, b"n,a=user@example.com,\x01auth=\x01\x01"), ERROR);
}

#[test]
fn behind_an_error_message_there_is_no_success_and_no_second_one() {
    for name in [MechanismName::OAUTHBEARER, MechanismName::XOAUTH2] {
        let mut one = client(name, &token()).unwrap();
        one.start(true).unwrap();
        one.challenge(b"{}").unwrap();
        assert_eq!(one.outcome(true), Err(ClientError::UnexpectedChallenge));
        let mut two = client(name, &token()).unwrap();
        two.start(true).unwrap();
        two.challenge(b"{}").unwrap();
        assert_eq!(two.challenge(b"{}").unwrap_err(), ClientError::UnexpectedChallenge);
        let mut long = client(name, &token()).unwrap();
        long.start(true).unwrap();
        assert_eq!(long.challenge(&[b' '; 4097]).unwrap_err(), ClientError::TooLong);
    }
}

#[test]
fn oauthbearer_takes_what_its_grammar_has() {
    for (message, read) in [
        (&b"n,,\x01auth=Bearer t\x01\x01"[..], " t"),
        (b"y,,\x01auth=bearer t\x01\x01", " t"),
        (b"n,a=k=2Cr=3Dt,\x01auth=BEARER  t\x01\x01", "k,r=t t"),
        (b"n,,\x01host=h\x01port=1\x01auth=Bearer t\x01qs=\x01user=x\x01\x01", " t"),
        // Credentials of another kind, or none.
        (b"n,,\x01auth=OAuth realm=\"x\"\x01\x01", ERROR),
        (b"n,,\x01auth=Bearer\x01\x01", ERROR),
        (b"n,,\x01auth=Bearer \x01\x01", ERROR),
        (b"n,,\x01auth=Bearer a b\x01\x01", ERROR),
    ] {
        assert_eq!(first(MechanismName::OAUTHBEARER, message), read, "{}", message.escape_ascii());
    }
}

#[test]
fn oauthbearer_refuses_what_its_grammar_has_not() {
    for message in [
        &b""[..],
        // An acknowledgement of nothing.
        b"\x01",
        b"\x01\x01",
        b"n,,",
        b"n,,\x01",
        b"n,,\x01\x01",
        b"n,,auth=Bearer t\x01\x01",
        b"n,,\x01auth=Bearer t\x01",
        b"n,,\x01auth=Bearer t",
        b"n,,\x01auth=Bearer t\x01\x01\x01",
        b"n,,\x01\x01auth=Bearer t\x01\x01",
        b"n,,\x01host=h\x01\x01auth=Bearer t\x01\x01",
        b"n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01",
        b"n,,\x01host=h\x01host=i\x01auth=Bearer t\x01\x01",
        b"n,,\x01host=h\x01\x01",
        b"n,,\x01=x\x01auth=Bearer t\x01\x01",
        b"n,,\x01ho-st=x\x01auth=Bearer t\x01\x01",
        b"n,,\x01auth\x01\x01",
        b"n,,\x01auth=Bearer \x00\x01\x01",
        b"n,,\x01auth=Bearer \xc3\xa9\x01\x01",
        b"n,,\x01auth=Bearer \xff\x01\x01",
        b"p=tls-exporter,,\x01auth=Bearer t\x01\x01",
        b"n\x01auth=Bearer t\x01\x01",
        b"n,\x01auth=Bearer t\x01\x01",
        b"n,a=,\x01auth=Bearer t\x01\x01",
        b"n,a=k=rt,\x01auth=Bearer t\x01\x01",
        b"n,a=k\x7f,\x01auth=Bearer t\x01\x01",
        b"n,kurt,\x01auth=Bearer t\x01\x01",
    ] {
        assert_eq!(first(MechanismName::OAUTHBEARER, message), "Malformed", "{}", message.escape_ascii());
    }
    let long = [b"n,,\x01auth=Bearer ", &[b't'; 12_288][..], b"\x01\x01"].concat();
    assert_eq!(first(MechanismName::OAUTHBEARER, &long), "TooLong");
}

#[test]
fn a_token_that_was_sent_to_another_server_is_told_so_and_asked_about_by_nobody() {
    let mut policy = ServerPolicy::default();
    policy.server_name = Some("mail.example.com".into());
    policy.server_port = Some(993);
    for (message, read) in [
        (&b"n,,\x01host=mail.example.com\x01port=993\x01auth=Bearer t\x01\x01"[..], " t"),
        (b"n,,\x01auth=Bearer t\x01\x01", " t"),
        (b"n,,\x01host=mail.example.org\x01port=993\x01auth=Bearer t\x01\x01", ERROR),
        (b"n,,\x01host=mail.example.com\x01port=143\x01auth=Bearer t\x01\x01", ERROR),
        (b"n,,\x01host=\x01auth=Bearer t\x01\x01", ERROR),
        (b"n,,\x01port=993x\x01auth=Bearer t\x01\x01", ERROR),
    ] {
        assert_eq!(first_with(MechanismName::OAUTHBEARER, message, &policy), read);
    }
}

#[test]
fn xoauth2_is_one_form_and_no_other() {
    assert_eq!(
        message(MechanismName::XOAUTH2, &token()),
        format!("user=user@example.com\\x01auth=Bearer {TOKEN}\\x01\\x01")
    );
    assert_eq!(first(MechanismName::XOAUTH2, b"user=tim\x01auth=Bearer t\x01\x01"), "tim t");
    assert_eq!(first(MechanismName::XOAUTH2, b"user=tim\x01auth=Basic t\x01\x01"), ERROR);
    for message in [
        &b""[..],
        b"\x01",
        b"user=tim",
        b"user=tim\x01auth=Bearer t\x01",
        b"user=tim\x01auth=Bearer t",
        b"user=tim\x01auth=Bearer t\x01\x01\x01",
        b"user=\x01auth=Bearer t\x01\x01",
        b"user=t\rm\x01auth=Bearer t\x01\x01",
        b"user=t\x00m\x01auth=Bearer t\x01\x01",
        b"user=tim\x01auth=Bearer \n\x01\x01",
        b"user=tim\x01x=y\x01auth=Bearer t\x01\x01",
        b"user=t\xff\x01auth=Bearer t\x01\x01",
        b"auth=Bearer t\x01\x01",
    ] {
        assert_eq!(first(MechanismName::XOAUTH2, message), "Malformed", "{}", message.escape_ascii());
    }
}

#[test]
fn a_token_of_somebody_else_needs_leave_to_act_for_the_user() {
    for name in [MechanismName::OAUTHBEARER, MechanismName::XOAUTH2] {
        let mut server = server(name, &ServerPolicy::default());
        let initial = client(name, &token()).unwrap().start(true).unwrap().unwrap();
        server.start(Some(initial.expose())).unwrap();
        let ServerStep::Ask(ask) = server.answer(Answer::Yes(Identity::new("admin"))).unwrap() else {
            panic!()
        };
        assert!(matches!(&ask, Ask::Authorize { authcid, authzid }
            if authcid == "admin" && authzid == "user@example.com"));
        let step = server.answer(ask.accept()).unwrap();
        assert!(
            matches!(step, ServerStep::Accept(it) if it == Identity::new("admin").acting_as("user@example.com"))
        );
        // And without leave it is a bad token.
        let mut server = self::server(name, &ServerPolicy::default());
        server.start(Some(initial.expose())).unwrap();
        server.answer(Answer::Yes(Identity::new("admin"))).unwrap();
        assert!(matches!(server.answer(Answer::No).unwrap(), ServerStep::Challenge(_)));
    }
}

#[test]
fn tokens_and_users_that_would_split_a_message_are_refused_by_the_constructor() {
    for octet in ['\0', '\u{1}', '\r', '\n', '\t', '\u{7f}'] {
        let text = format!("a{octet}b");
        assert_eq!(Credentials::token(&text, "t").unwrap_err(), CredentialsError::Control { offset: 1 });
        assert!(Credentials::token("tim", text.as_str()).is_err());
        assert!(token().for_server(&text, 1).is_err());
        assert!(token().acting_as(&text).is_err());
    }
    assert_eq!(Credentials::token("tim", "a b").unwrap_err(), CredentialsError::Token { offset: 1 });
    assert_eq!(Credentials::token("tim", "").unwrap_err(), CredentialsError::Empty);
    assert_eq!(Credentials::token("", "t").unwrap_err(), CredentialsError::Empty);
    assert_eq!(Credentials::token("tim", &b"\xff"[..]).unwrap_err(), CredentialsError::Utf8);
}

#[test]
fn external_is_the_name_that_the_layer_below_proved() {
    let mut server = server(MechanismName::EXTERNAL, &ServerPolicy::default());
    assert!(matches!(server.start(None).unwrap(), ServerStep::Challenge(octets) if octets.is_empty()));
    assert!(matches!(server.respond(b"").unwrap(), ServerStep::Ask(Ask::External { authzid: None })));
    let step = server.answer(Answer::Yes(Identity::new("tim"))).unwrap();
    assert!(matches!(step, ServerStep::Accept(identity) if identity == Identity::new("tim")));
}

#[test]
fn external_asks_whether_who_it_is_may_act_for_another() {
    // The example of RFC 4422, appendix A.2.
    let credentials = Credentials::external().acting_as("fred@example.com").unwrap();
    let initial = client(MechanismName::EXTERNAL, &credentials).unwrap().start(true).unwrap().unwrap();
    assert_eq!(initial.expose(), b"fred@example.com");
    let mut server = server(MechanismName::EXTERNAL, &ServerPolicy::default());
    server.start(Some(initial.expose())).unwrap();
    let step = server.answer(Answer::Yes(Identity::new("tim"))).unwrap();
    assert!(matches!(step, ServerStep::Ask(Ask::Authorize { authcid, authzid })
        if authcid == "tim" && authzid == "fred@example.com"));
    assert!(matches!(server.answer(Answer::No).unwrap(), ServerStep::Reject(Reason::BadCredentials)));
}

#[test]
fn external_refuses_what_is_no_identity_and_is_not_to_be_had_without_one() {
    assert_eq!(message(MechanismName::EXTERNAL, &Credentials::external()), "");
    for message in [&b"\0"[..], b"a\0b", b"\xff", b"a\rb", b"a\nb", &[b'a'; 4097]] {
        assert!(matches!(&*first(MechanismName::EXTERNAL, message), "Malformed" | "TooLong"));
    }
    let offers = Offers::new(ALL);
    assert!(!offers.permitted(&Channel::new(true)).any(|name| name == MechanismName::EXTERNAL));
    let nonce = Seed::new([2; 32]).nonce();
    let begun = offers.begin(b"EXTERNAL", &mut Channel::new(true), &ServerPolicy::default(), nonce);
    assert_eq!(begun.map(|_| ()).unwrap_err(), BeginError::NoExternal);
}

#[test]
fn anonymous_goes_as_in_rfc_4505_section_4() {
    let credentials = Credentials::anonymous("sirhc").unwrap();
    let mut client = client(MechanismName::ANONYMOUS, &credentials).unwrap();
    let mut server = server(MechanismName::ANONYMOUS, &ServerPolicy::default());
    assert!(client.start(false).unwrap().is_none());
    let ServerStep::Challenge(challenge) = server.start(None).unwrap() else { panic!() };
    let ClientStep::Respond(trace) = client.challenge(&challenge).unwrap() else { panic!() };
    assert_eq!(trace.expose(), b"sirhc");
    let step = server.respond(trace.expose()).unwrap();
    assert!(matches!(step, ServerStep::Ask(Ask::Anonymous { trace: Some(trace) }) if trace == "sirhc"));
    let step = server.answer(Answer::Yes(Identity::new("guest"))).unwrap();
    assert!(matches!(step, ServerStep::Accept(identity) if identity == Identity::new("guest")));
    assert_eq!(client.outcome(true), Ok(()));
}

#[test]
fn a_trace_is_an_address_or_a_short_text_on_both_sides() {
    let (most, more) = ("\u{e9}".repeat(255), "a".repeat(256));
    for (trace, good) in [
        ("", true),
        ("sirhc", true),
        ("a b", true),
        ("sirhc@example.com", true),
        ("\u{3000}\u{2ff0}", true),
        (&*most, true),
        (&*more, false),
        ("sirhc@", false),
        ("@", false),
        ("a b@example.com", false),
        ("a@b@example.com", false),
        ("a\tb", false),
        ("a\rb", false),
        ("a\0b", false),
        ("\u{7f}", false),
        ("\u{85}", false),
        ("\u{e000}", false),
        ("\u{200e}", false),
        ("\u{627}1", false),
    ] {
        let read = first(MechanismName::ANONYMOUS, trace.as_bytes());
        assert_eq!(
            read,
            if !good {
                "Malformed"
            } else if trace.is_empty() {
                "nobody"
            } else {
                trace
            }
        );
        assert_eq!(Credentials::anonymous(trace).is_ok(), good, "{trace}");
    }
    assert_eq!(first(MechanismName::ANONYMOUS, b"\xff"), "Malformed");
}

#[test]
fn credentials_fit_only_their_own_mechanisms() {
    let kinds = [
        (
            Credentials::password("tim", "x").unwrap(),
            &[
                MechanismName::PLAIN,
                MechanismName::LOGIN,
                MechanismName::SCRAM_SHA_256,
                MechanismName::SCRAM_SHA_1,
            ][..],
        ),
        (token(), &[MechanismName::OAUTHBEARER, MechanismName::XOAUTH2]),
        (Credentials::external(), &[MechanismName::EXTERNAL]),
        (Credentials::anonymous("").unwrap(), &[MechanismName::ANONYMOUS]),
    ];
    let names: Vec<_> = kinds.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    for (credentials, fitting) in &kinds {
        for &name in &names {
            let made = client(name, credentials);
            assert_eq!(made.is_ok(), fitting.contains(&name), "{name} {credentials:?}");
            let chosen = choose(&[name], credentials, &ClientPolicy::default(), Situation::new(true));
            assert_eq!(chosen.is_ok(), fitting.contains(&name), "{name} {credentials:?}");
        }
    }
}

#[test]
fn the_strongest_mechanism_that_fits_is_taken() {
    let password = Credentials::password("tim", "x").unwrap();
    let order = [
        MechanismName::SCRAM_SHA_256_PLUS,
        MechanismName::SCRAM_SHA_256,
        MechanismName::SCRAM_SHA_1_PLUS,
        MechanismName::SCRAM_SHA_1,
        MechanismName::PLAIN,
        MechanismName::LOGIN,
    ];
    let channel = Channel::new(true).with_exporter(Some([1; 32]));
    let policy = ClientPolicy::default();
    for (at, &best) in order.iter().enumerate() {
        let announced: Vec<_> = order[at..].iter().rev().copied().collect();
        assert_eq!(choose(&announced, &password, &policy, Situation::on(&channel)), Ok(best));
        // Nothing weaker behind a rejection, and nothing below a pin.
        let again = Situation::on(&channel).after_rejection(best);
        assert_eq!(choose(&announced, &password, &policy, again), Err(ChooseError::Rejected));
        let mut pinned = ClientPolicy::default();
        pinned.min_mechanism = at.checked_sub(1).map(|at| order[at]);
        if at > 0 {
            let chosen = choose(&announced, &password, &pinned, Situation::on(&channel));
            assert_eq!(chosen, Err(ChooseError::BelowMinimum), "{best}");
        }
    }
    // Without something to bind to; and SCRAM needs no TLS.
    assert_eq!(choose(&order, &password, &policy, Situation::new(false)), Ok(MechanismName::SCRAM_SHA_256));
    let both = [MechanismName::XOAUTH2, MechanismName::OAUTHBEARER];
    assert_eq!(choose(&both, &token(), &policy, Situation::new(true)), Ok(MechanismName::OAUTHBEARER));
    assert_eq!(choose(&both, &token(), &policy, Situation::new(false)), Err(ChooseError::ClearText));
    // CRAM-MD5 only by name.
    let chosen = choose(&[MechanismName::CRAM_MD5], &password, &policy, Situation::new(true));
    assert_eq!(chosen, Err(ChooseError::NoneFits));
}

#[test]
fn tokens_are_not_offered_where_others_can_listen() {
    let names: Vec<_> = Offers::new(ALL).permitted(&Channel::new(false)).collect();
    assert_eq!(names, [MechanismName::ANONYMOUS]);
    assert!(client(MechanismName::OAUTHBEARER, &token()).unwrap().is_clear_text());
}

#[cfg(feature = "legacy-md5")]
#[test]
fn cram_md5_answers_as_in_rfc_2195() {
    let credentials = Credentials::password("tim", "tanstaaftanstaaf").unwrap();
    let mut client = client(MechanismName::CRAM_MD5, &credentials).unwrap();
    assert!(client.start(true).unwrap().is_none());
    let step = client.challenge(b"<1896.697170952@postoffice.reston.mci.net>").unwrap();
    let ClientStep::Respond(response) = step else { panic!() };
    assert_eq!(response.expose(), b"tim b913a602c7eda7a495b4e6e7334d3890");
    assert_eq!(client.challenge(b"<2@x>").unwrap_err(), ClientError::UnexpectedChallenge);

    let offers = Offers::new([MechanismName::CRAM_MD5]);
    let mut policy = ServerPolicy::default();
    policy.server_name = Some("mail.example.com".into());
    let challenge = |seed| {
        let nonce = Seed::new([seed; 32]).nonce();
        let mut server = offers.begin(b"CRAM-MD5", &mut Channel::new(false), &policy, nonce).unwrap();
        let ServerStep::Challenge(octets) = server.start(None).unwrap() else { panic!() };
        String::from_utf8(octets.to_vec()).unwrap()
    };
    assert!(challenge(1).starts_with('<') && challenge(1).ends_with("@mail.example.com>"));
    assert_ne!(challenge(1), challenge(2));
}

#[test]
fn secrets_of_no_kind_are_shown() {
    let made = client(MechanismName::OAUTHBEARER, &token()).unwrap();
    let shown = format!("{:?} {made:?} {:?}", token(), Secret::from(TOKEN));
    assert!(!shown.contains(TOKEN), "{shown}");
}
