//! What a response means for a question: owners, lifetimes, absence, security.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use mailwright_mx::dns::{
    Answer, Failure, Message, Mx, Outcome, Question, Record, RecordData, RecordType, Records, ResponseCode,
    Security, StartOfAuthority,
};
use mailwright_mx::{DomainName, Target};

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn mx(owner: &str, ttl: u32, host: &str) -> Record {
    Record::new(name(owner), ttl, RecordData::Mx(Mx { preference: 10, exchange: Target::Name(name(host)) }))
}

fn alias(owner: &str, ttl: u32, target: &str) -> Record {
    Record::new(name(owner), ttl, RecordData::Cname(Target::Name(name(target))))
}

fn with_security(mut record: Record, security: Security) -> Record {
    record.security = security;
    record
}

fn message(code: ResponseCode, answers: Vec<Record>, authority: Option<(u32, u32)>) -> Message {
    let mut message = Message::new(code);
    message.answers = answers;
    message.authority = authority.map(|(ttl, minimum)| StartOfAuthority::new(ttl, minimum));
    message
}

fn read(code: ResponseCode, answers: Vec<Record>, authority: Option<(u32, u32)>) -> Answer {
    let question = Question::new(name("example.org"), RecordType::Mx);
    Answer::read(&question, &message(code, answers, authority), 10)
}

fn failure(answer: &Answer) -> Failure {
    let Outcome::Failure(failure) = answer.outcome else { panic!("{answer:?}") };
    failure
}

#[test]
fn row_35_an_absence_lives_as_long_as_the_shorter_of_the_two_numbers() {
    for (soa, expected) in [((300, 60), 60), ((60, 300), 60), ((0, 60), 0), ((u32::MAX, 60), 0)] {
        let answer = read(ResponseCode::NoError, vec![], Some(soa));
        assert_eq!((&answer.outcome, answer.ttl), (&Outcome::NoData, expected), "{soa:?}");
    }
    let answer = read(ResponseCode::NxDomain, vec![alias("example.org", 30, "a.example")], Some((300, 60)));
    assert_eq!((answer.outcome, answer.ttl), (Outcome::NxDomain, 30), "the alias is shorter still");
}

#[test]
fn row_39_records_of_other_owners_and_types_are_ignored() {
    let others = vec![
        mx("example.net", 1, "evil.example"),
        Record::new(name("example.org"), 1, RecordData::Txt("x".into())),
        Record::new(name("mx.example.org"), 1, RecordData::A([192, 0, 2, 1].into())),
    ];
    let mut all = others.clone();
    all.push(mx("example.org", 300, "mx.example.org"));
    let answer = read(ResponseCode::NoError, all, None);
    let Outcome::Records(Records::Mx(records)) = answer.outcome else { panic!() };
    assert_eq!((records.len(), records[0].exchange.to_string().as_str()), (1, "mx.example.org"));
    assert_eq!(answer.ttl, 300, "nor do their lifetimes count");
    assert_eq!(failure(&read(ResponseCode::NoError, others.clone(), None)), Failure::Unproven);
    assert_eq!(read(ResponseCode::NoError, others, Some((60, 60))).outcome, Outcome::NoData);
}

#[test]
fn the_shortest_lifetime_of_chain_and_records_counts() {
    let records = vec![
        alias("example.org", 200, "a.example"),
        mx("a.example", 100, "mx1.example.org"),
        mx("a.example", 50, "mx2.example.org"),
    ];
    let answer = read(ResponseCode::NoError, records, None);
    assert_eq!((answer.ttl, answer.canonical.unwrap().as_str()), (50, "a.example"));
    assert_eq!(read(ResponseCode::NoError, vec![mx("example.org", 1 << 31, "mx.example.org")], None).ttl, 0);
}

#[test]
fn a_chain_is_read_in_any_order_of_records() {
    let mut records = vec![
        alias("example.org", 300, "a.example"),
        alias("a.example", 300, "b.example"),
        mx("b.example", 300, "mx.example.org"),
    ];
    let forwards = read(ResponseCode::NoError, records.clone(), None);
    records.reverse();
    let backwards = read(ResponseCode::NoError, records, None);
    assert_eq!(forwards, backwards);
    assert_eq!(forwards.aliases.len(), 2);
}

#[test]
fn a_chain_that_stops_asks_to_go_on() {
    let answer = read(ResponseCode::NoError, vec![alias("example.org", 300, "a.example")], None);
    assert_eq!((answer.outcome, answer.canonical.unwrap().as_str()), (Outcome::Alias, "a.example"));
    let answer = read(ResponseCode::NxDomain, vec![alias("example.org", 300, "a.example")], None);
    assert_eq!(failure(&answer), Failure::Unproven);
}

#[test]
fn a_name_that_has_records_and_does_not_exist_is_malformed() {
    let answer = read(ResponseCode::NxDomain, vec![mx("example.org", 300, "mx.example.org")], Some((60, 60)));
    assert_eq!(failure(&answer), Failure::Malformed);
}

#[test]
fn an_alias_of_no_name_is_malformed() {
    for target in [Target::Root, Target::from_labels([&b"a b"[..]])] {
        let record = Record::new(name("example.org"), 300, RecordData::Cname(target));
        assert_eq!(failure(&read(ResponseCode::NoError, vec![record], None)), Failure::Malformed);
    }
}

#[test]
fn unreadable_records_count_only_beside_readable_ones() {
    let bad = Record::new(name("example.org"), 300, RecordData::Malformed(RecordType::Mx));
    let answer =
        read(ResponseCode::NoError, vec![bad.clone(), mx("example.org", 300, "mx.example.org")], None);
    assert_eq!((answer.malformed, matches!(answer.outcome, Outcome::Records(_))), (1, true));
    assert_eq!(failure(&read(ResponseCode::NoError, vec![bad], Some((60, 60)))), Failure::Malformed);
}

#[test]
fn behind_an_insecure_alias_nothing_is_secure() {
    for (link, data, expected) in [
        (Security::Secure, Security::Secure, Security::Secure),
        (Security::Insecure, Security::Secure, Security::Insecure),
        (Security::Secure, Security::Insecure, Security::Insecure),
        (Security::Unchecked, Security::Secure, Security::Unchecked),
    ] {
        let records = vec![
            with_security(alias("example.org", 300, "a.example"), link),
            with_security(mx("a.example", 300, "mx.example.org"), data),
        ];
        let answer = read(ResponseCode::NoError, records, None);
        assert_eq!((answer.security, answer.aliases[0].security), (expected, link));
    }
}

#[test]
fn other_response_codes_are_failures_of_their_own() {
    let answer = read(ResponseCode::Other(9), vec![mx("example.org", 300, "mx.example.org")], None);
    assert_eq!(failure(&answer), Failure::Code(9));
}
