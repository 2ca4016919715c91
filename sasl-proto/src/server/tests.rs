//! The exchange of PLAIN and LOGIN, input classes, and the rules that hold for every mechanism.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::{Channel, FIELD_LIMIT, Seed};

fn begin(name: &str) -> Server {
    begin_with(name, &ServerPolicy::default())
}

fn begin_with(name: &str, policy: &ServerPolicy) -> Server {
    let offers = Offers::new([MechanismName::PLAIN, MechanismName::LOGIN]);
    offers.begin(name.as_bytes(), &mut Channel::new(true), policy, Seed::new([1; 32]).nonce()).unwrap()
}

/// What a step says, in a form to compare.
fn shown(step: ServerStep) -> String {
    match step {
        ServerStep::Challenge(octets) => format!("challenge {}", octets.escape_ascii()),
        ServerStep::Ask(Ask::Password { authcid, authzid, password }) => {
            format!("password {authcid} {authzid:?} {}", password.expose().escape_ascii())
        }
        ServerStep::Ask(Ask::Authorize { authcid, authzid }) => format!("authorize {authcid} {authzid}"),
        ServerStep::Ask(ask) => format!("{ask:?}"),
        ServerStep::Accept(identity) => {
            format!("accept {} as {}", identity.authentication, identity.authorization)
        }
        ServerStep::Reject(reason) => format!("reject {reason:?}"),
    }
}

fn start(server: &mut Server, initial: Option<&[u8]>) -> String {
    shown(server.start(initial).unwrap())
}

fn plain(message: &[u8]) -> String {
    start(&mut begin("PLAIN"), Some(message))
}

#[test]
fn plain_goes_as_in_rfc_4616_section_4() {
    let mut server = begin("PLAIN");
    assert_eq!(start(&mut server, None), "challenge ");
    assert_eq!(
        shown(server.respond(b"\0tim\0tanstaaftanstaaf").unwrap()),
        "password tim None tanstaaftanstaaf"
    );
    assert_eq!(shown(server.answer(Answer::Yes(Identity::new("tim"))).unwrap()), "accept tim as tim");

    let mut server = begin("plain");
    assert_eq!(
        start(&mut server, Some(b"Ursel\0Kurt\0xipj3plmq")),
        "password Kurt Some(\"Ursel\") xipj3plmq"
    );
    assert_eq!(shown(server.answer(Answer::Yes(Identity::new("Kurt"))).unwrap()), "authorize Kurt Ursel");
    assert_eq!(shown(server.answer(Answer::No).unwrap()), "reject BadCredentials");
}

#[test]
fn a_permitted_authorization_identity_is_the_one_that_acts() {
    let mut server = begin("PLAIN");
    let ServerStep::Ask(ask) = server.start(Some(b"ursel\0kurt\0x")).unwrap() else { panic!() };
    let ServerStep::Ask(ask) = server.answer(ask.accept()).unwrap() else { panic!() };
    assert_eq!(ask.authcid(), "kurt");
    assert_eq!(shown(server.answer(ask.accept()).unwrap()), "accept kurt as ursel");
}

#[test]
fn an_authorization_identity_that_is_the_same_asks_nothing_more() {
    let mut server = begin("PLAIN");
    assert_eq!(start(&mut server, Some(b"tim\0tim\0x")), "password tim Some(\"tim\") x");
    assert_eq!(shown(server.answer(Answer::Yes(Identity::new("tim"))).unwrap()), "accept tim as tim");
}

#[test]
fn plain_refuses_each_malformed_message() {
    let long = [&b"\0"[..], &[b'a'; FIELD_LIMIT + 1], b"\0x"].concat();
    for message in [
        &b""[..],
        b"tim",
        b"tim\0x",
        b"\0tim\0x\0",
        b"\0tim\0x\0y",
        b"\0\0x",
        b"\0tim\0",
        b"\0\0",
        b"\0tim\0\xff",
        b"\0t\xc3\0x",
        b"a\tb\0tim\0x",
        b"\0t\x7fm\0x",
        b"\0tim\0x\n",
        &long,
    ] {
        assert_eq!(plain(message), "reject Malformed", "{}", message.escape_ascii());
    }
}

#[test]
fn plain_takes_fields_up_to_the_limit() {
    let field = "a".repeat(FIELD_LIMIT);
    let message = format!("{field}\0{field}\0{field}");
    // Three fields and two NULs are two octets more than the default message limit.
    assert_eq!(plain(message.as_bytes()), "reject TooLong");
    assert_eq!(plain(format!("\0{field}\0{field}").as_bytes()), format!("password {field} None {field}"));
}

#[test]
fn plain_prepares_name_and_password_and_refuses_what_cannot_be() {
    assert_eq!(plain("\0I\u{ad}X\0\u{aa}".as_bytes()), "password IX None a");
    assert_eq!(plain("\0tim\0\u{200e}".as_bytes()), "reject BadCredentials");
    assert_eq!(plain("\0\u{ad}\0x".as_bytes()), "reject BadCredentials");
}

#[test]
fn login_asks_for_the_name_then_for_the_password() {
    let mut server = begin("LOGIN");
    assert_eq!(start(&mut server, None), "challenge Username:");
    assert_eq!(shown(server.respond(b"tim").unwrap()), "challenge Password:");
    assert_eq!(shown(server.respond(b" x ").unwrap()), "password tim None  x ");
    assert_eq!(shown(server.answer(Answer::Yes(Identity::new("tim"))).unwrap()), "accept tim as tim");
}

#[test]
fn login_takes_a_name_as_initial_response_only_by_switch() {
    assert_eq!(start(&mut begin("LOGIN"), Some(b"tim")), "reject UnexpectedInitialResponse");
    assert_eq!(start(&mut begin("LOGIN"), Some(b"")), "reject UnexpectedInitialResponse");
    let policy = ServerPolicy { login_initial_response: true, ..ServerPolicy::default() };
    assert_eq!(start(&mut begin_with("LOGIN", &policy), Some(b"tim")), "challenge Password:");
    assert_eq!(start(&mut begin_with("LOGIN", &policy), Some(b"")), "reject Malformed");
}

#[test]
fn login_refuses_bad_fields_in_both_places() {
    for field in [&b""[..], b"a\0b", b"a\rb", b"a\nb", b"\xff", &[b'a'; FIELD_LIMIT + 1]] {
        let mut server = begin("LOGIN");
        start(&mut server, None);
        assert_eq!(shown(server.respond(field).unwrap()), "reject Malformed");
        let mut server = begin("LOGIN");
        start(&mut server, None);
        server.respond(b"tim").unwrap();
        assert_eq!(shown(server.respond(field).unwrap()), "reject Malformed");
    }
}

#[test]
fn a_temporary_failure_is_told_from_bad_credentials_in_both_questions() {
    let mut server = begin("PLAIN");
    start(&mut server, Some(b"u\0k\0x"));
    assert_eq!(shown(server.answer(Answer::TempFail).unwrap()), "reject TempFail");
    let mut server = begin("PLAIN");
    start(&mut server, Some(b"u\0k\0x"));
    server.answer(Answer::Yes(Identity::new("k"))).unwrap();
    assert_eq!(shown(server.answer(Answer::TempFail).unwrap()), "reject TempFail");
}

#[test]
fn a_call_out_of_turn_is_an_error_and_changes_nothing() {
    let mut server = begin("PLAIN");
    assert_eq!(server.respond(b"x").unwrap_err(), StateError);
    assert_eq!(server.answer(Answer::No).unwrap_err(), StateError);
    start(&mut server, None);
    assert_eq!(server.start(None).unwrap_err(), StateError);
    assert_eq!(server.start(Some(&[0; 20_000])).unwrap_err(), StateError);
    assert_eq!(server.answer(Answer::Yes(Identity::new("root"))).unwrap_err(), StateError);
    assert_eq!(shown(server.respond(b"\0tim\0x").unwrap()), "password tim None x");
    assert_eq!(server.respond(&[0; 20_000]).unwrap_err(), StateError);
    assert_eq!(shown(server.answer(Answer::No).unwrap()), "reject BadCredentials");
    assert_eq!(server.answer(Answer::Yes(Identity::new("root"))).unwrap_err(), StateError);
    assert_eq!(server.respond(b"\0tim\0x").unwrap_err(), StateError);
}

#[test]
fn nothing_follows_a_cancelled_exchange() {
    let mut server = begin("LOGIN");
    start(&mut server, None);
    server.cancel();
    assert_eq!(server.respond(b"tim").unwrap_err(), StateError);
}

#[test]
fn messages_and_challenges_are_limited() {
    assert_eq!(plain(&[b'a'; 12_289]), "reject TooLong");
    let policy = ServerPolicy { max_challenges: 1, ..ServerPolicy::default() };
    let mut server = begin_with("LOGIN", &policy);
    start(&mut server, None);
    assert_eq!(shown(server.respond(b"tim").unwrap()), "reject TooManyChallenges");
    assert_eq!(server.respond(b"x").unwrap_err(), StateError);
}

#[test]
fn debug_shows_no_secret() {
    let mut server = begin("PLAIN");
    let step = server.start(Some(b"\0tim\0tanstaaf")).unwrap();
    assert!(!format!("{step:?} {server:?}").contains("tanstaaf"));
}

/// A mechanism of a host: asks who comes, believes it.
struct Believe;

impl ServerMechanism for Believe {
    fn start(&mut self, _: Option<&[u8]>) -> ServerStep {
        ServerStep::Challenge(Bytes::from_static(b"who"))
    }

    fn respond(&mut self, response: &[u8]) -> ServerStep {
        ServerStep::Accept(Identity::new(String::from_utf8_lossy(response)))
    }

    fn answer(&mut self, _: Answer) -> ServerStep {
        ServerStep::Reject(Reason::TempFail)
    }
}

#[test]
fn a_host_can_bring_its_own_mechanism() {
    let name = MechanismName::parse(b"X-BELIEVE").unwrap();
    let offers = Offers::default().with(Offer::custom(name, false, |_, _| Box::new(Believe)));
    assert_eq!(offers.permitted(&Channel::new(false)).collect::<Vec<_>>(), [name]);
    let mut server = offers
        .begin(b"x-believe", &mut Channel::new(false), &ServerPolicy::default(), Seed::new([1; 32]).nonce())
        .unwrap();
    assert_eq!(start(&mut server, None), "challenge who");
    assert_eq!(shown(server.respond(b"me").unwrap()), "accept me as me");
    assert_eq!(server.respond(b"me").unwrap_err(), StateError);
}

#[test]
fn a_host_can_keep_all_mechanisms_from_open_lines() {
    let scram = || Offers::new([MechanismName::SCRAM_SHA_256]);
    let begin = |offers: Offers, confidential| {
        let nonce = Seed::new([1; 32]).nonce();
        let policy = ServerPolicy::default();
        offers.begin(b"SCRAM-SHA-256", &mut Channel::new(confidential), &policy, nonce).map(|_| ())
    };
    assert_eq!(begin(scram(), false), Ok(()));
    assert_eq!(begin(scram().confidential(), false), Err(BeginError::ClearText));
    assert_eq!(begin(scram().confidential(), true), Ok(()));
    assert_eq!(scram().confidential().permitted(&Channel::new(false)).count(), 0);
}

#[test]
fn unknown_and_clear_text_mechanisms_do_not_begin() {
    let offers = Offers::new([MechanismName::PLAIN]);
    let begin = |name: &[u8], allowed| {
        offers
            .begin(name, &mut Channel::new(allowed), &ServerPolicy::default(), Seed::new([1; 32]).nonce())
            .map(|_| ())
            .unwrap_err()
    };
    assert_eq!(begin(b"PLAIN", false), BeginError::ClearText);
    assert_eq!(begin(b"LOGIN", true), BeginError::Unknown);
    assert_eq!(begin(b"", true), BeginError::Unknown);
    assert_eq!(begin(b"PLAIN\r\n", true), BeginError::Unknown);
}
