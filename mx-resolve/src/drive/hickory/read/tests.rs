//! Responses as the library hands them over, with its proofs: what stands, what falls, what is asked for by itself.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::{format, vec};

use hickory_resolver::proto::dnssec::Algorithm;
use hickory_resolver::proto::dnssec::rdata::{NSEC, NSEC3, RRSIG, SigInput};
use hickory_resolver::proto::op::{Message as Packet, OpCode, ResponseCode as Code};
use hickory_resolver::proto::rr::rdata::{A, CNAME, NULL, SOA};
use hickory_resolver::proto::rr::{Name, RData, SerialNumber};
use hickory_resolver::proto::serialize::binary::BinEncodable as _;

use super::*;
use proptest::prelude::*;

use crate::dns::{Answer, Outcome};

fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

fn plain(owner: &str, data: RData, proof: Proof) -> rr::Record {
    let mut record = rr::Record::from_rdata(name(owner), 300, data);
    record.proof = proof;
    record
}

/// The records with the signature that the library has found good, which speaks of an owner with so many labels.
fn signed(owner: &str, data: RData, labels: u8) -> Vec<rr::Record> {
    let record = plain(owner, data, Proof::Secure);
    let input = SigInput {
        type_covered: record.record_type(),
        algorithm: Algorithm::ECDSAP256SHA256,
        num_labels: labels,
        original_ttl: 300,
        sig_expiration: SerialNumber::new(2),
        sig_inception: SerialNumber::new(1),
        key_tag: 1,
        signer_name: name("example"),
    };
    let signature = RRSIG::from_sig(input, vec![0]);
    let signature = plain(owner, RData::DNSSEC(DNSSECRData::RRSIG(signature)), Proof::Secure);
    Vec::from([record, signature])
}

fn address() -> RData {
    RData::A(A::new(192, 0, 2, 1))
}

fn alias(target: &str) -> RData {
    RData::CNAME(CNAME(name(target)))
}

fn dname(target: &str) -> RData {
    let target = name(target).to_bytes().unwrap();
    RData::Unknown { code: rr::RecordType::DNAME, rdata: NULL::with(target) }
}

fn nsec(owner: &str, next: &str, types: &[rr::RecordType], proof: Proof) -> rr::Record {
    let data = NSEC::new(name(next), types.iter().copied());
    plain(owner, RData::DNSSEC(DNSSECRData::NSEC(data)), proof)
}

fn soa() -> rr::Record {
    plain(
        "example",
        RData::SOA(SOA::new(name("ns.example"), name("x.example"), 1, 2, 3, 4, 60)),
        Proof::Secure,
    )
}

fn response(code: Code, answers: Vec<rr::Record>, authorities: Vec<rr::Record>) -> DnsResponse {
    let mut packet = Packet::response(1, OpCode::Query);
    packet.metadata.response_code = code;
    packet.add_answers(answers);
    packet.add_authorities(authorities);
    DnsResponse::from_message(packet).unwrap()
}

/// What a response means for A records: the outcome, its security, and the name to ask for next.
fn read(asked: &str, response: &DnsResponse, verdict: Verdict) -> String {
    let question = Question::new(asked.parse().unwrap(), RecordType::A);
    match reading(&question, response, Some(verdict)) {
        Err(failure) => failure.to_string(),
        Ok(Reading { message, next }) => {
            let answer = Answer::read(&question, &message, 10);
            let outcome = match answer.outcome {
                Outcome::Records(_) => "records".to_owned(),
                Outcome::Failure(failure) => failure.to_string(),
                other => format!("{other:?}"),
            };
            match next {
                Some(next) => format!("{outcome}, {next} is next"),
                None => format!("{outcome} {:?}", answer.security),
            }
        }
    }
}

#[test]
fn records_stand_by_their_own_signatures_whatever_else_is_proven() {
    let good = response(Code::NoError, signed("a.example", address(), 2), vec![]);
    for verdict in [Verdict::Proven, Verdict::Insecure, Verdict::Bogus] {
        assert_eq!(read("a.example", &good, verdict), "records Secure");
    }
    for (proof, expected) in
        [(Proof::Insecure, "records Insecure"), (Proof::Bogus, "bogus"), (Proof::Indeterminate, "bogus")]
    {
        let other = response(Code::NoError, vec![plain("a.example", address(), proof)], vec![]);
        assert_eq!(read("a.example", &other, Verdict::Proven), expected);
    }
    let unsigned = response(Code::NoError, vec![plain("a.example", address(), Proof::Secure)], vec![]);
    assert_eq!(read("a.example", &unsigned, Verdict::Proven), "bogus", "nobody knows what was signed");
}

#[test]
fn links_of_a_chain_stand_each_by_itself() {
    let chain = |target: Vec<rr::Record>| {
        response(Code::NoError, [signed("a.example", alias("b.example"), 2), target].concat(), vec![])
    };
    let good = chain(signed("b.example", address(), 2));
    assert_eq!(read("a.example", &good, Verdict::Bogus), "records Secure");
    let insecure = chain(vec![plain("b.example", address(), Proof::Insecure)]);
    assert_eq!(read("a.example", &insecure, Verdict::Bogus), "records Insecure");
    let bogus = chain(vec![plain("b.example", address(), Proof::Bogus)]);
    assert_eq!(read("a.example", &bogus, Verdict::Proven), "bogus");
    let missing = chain(vec![]);
    assert_eq!(read("a.example", &missing, Verdict::Bogus), "Alias, b.example is next");
    let forged = response(Code::NoError, vec![plain("a.example", alias("b.example"), Proof::Bogus)], vec![]);
    assert_eq!(read("a.example", &forged, Verdict::Proven), "bogus");
}

#[test]
fn an_absence_behind_an_alias_is_asked_for_by_itself() {
    let proofs = vec![soa(), nsec("a.example", "z.example", &[], Proof::Secure)];
    let gone = response(Code::NXDomain, signed("a.example", alias("b.example"), 2), proofs);
    for verdict in [Verdict::Proven, Verdict::Bogus] {
        assert_eq!(read("a.example", &gone, verdict), "Alias, b.example is next");
    }
}

#[test]
fn an_absence_is_as_secure_as_its_proof() {
    let gone = |proofs| response(Code::NXDomain, vec![], proofs);
    let proven = gone(vec![soa(), nsec("a.example", "z.example", &[], Proof::Secure)]);
    assert_eq!(read("b.example", &proven, Verdict::Proven), "NxDomain Secure");
    assert_eq!(read("b.example", &proven, Verdict::Insecure), "NxDomain Insecure");
    assert_eq!(read("b.example", &proven, Verdict::Bogus), "bogus");
    assert_eq!(read("b.example", &gone(vec![soa()]), Verdict::Proven), "NxDomain Insecure");
    let hashed = |opt_out| {
        let data = NSEC3::new(Default::default(), opt_out, 0, vec![], vec![1; 20], []);
        plain("0.example", RData::DNSSEC(DNSSECRData::NSEC3(data)), Proof::Secure)
    };
    assert_eq!(
        read("b.example", &gone(vec![soa(), hashed(false), hashed(false)]), Verdict::Proven),
        "NxDomain Secure"
    );
    // RFC 5155 §9.2: an unsigned delegation may be there.
    assert_eq!(read("b.example", &gone(vec![soa(), hashed(true)]), Verdict::Proven), "NxDomain Insecure");
    let there = response(Code::NoError, vec![], vec![soa(), hashed(true)]);
    assert_eq!(read("b.example", &there, Verdict::Proven), "NoData Secure", "the record of the name itself");
}

#[test]
fn a_wildcard_stands_where_the_name_is_proven_not_to_be_there() {
    let wildcard =
        |asked: &str, proof: rr::Record| response(Code::NoError, signed(asked, address(), 2), vec![proof]);
    let own = nsec("*.w.example", "x.example", &[], Proof::Secure);
    assert_eq!(read("a.w.example", &wildcard("a.w.example", own.clone()), Verdict::Bogus), "records Secure");
    assert_eq!(read("a.b.w.example", &wildcard("a.b.w.example", own), Verdict::Bogus), "records Secure");
    for (why, owner, next, types, proof) in [
        ("it ends before the name", "*.w.example", "a.w.example", &[][..], Proof::Secure),
        ("it begins behind the name", "b.w.example", "x.example", &[], Proof::Secure),
        ("a nearer wildcard could be there", "0.a.w.example", "x.a.w.example", &[], Proof::Secure),
        ("it is from above a delegation", "w.example", "x.example", &[rr::RecordType::NS], Proof::Secure),
        ("nobody vouches for it", "*.w.example", "x.example", &[], Proof::Bogus),
    ] {
        let found = wildcard("b.a.w.example", nsec(owner, next, types, proof));
        assert_eq!(read("b.a.w.example", &found, Verdict::Bogus), "bogus", "{why}");
    }
}

#[test]
fn the_verdict_on_a_wildcard_is_about_the_name_that_was_asked_for() {
    let hashed = || response(Code::NoError, signed("a.w.example", address(), 2), vec![]);
    assert_eq!(read("a.w.example", &hashed(), Verdict::Proven), "records Secure");
    assert_eq!(read("a.w.example", &hashed(), Verdict::Insecure), "records Insecure");
    assert_eq!(read("a.w.example", &hashed(), Verdict::Bogus), "bogus");
    let answers =
        [signed("a.example", alias("a.w.example"), 2), signed("a.w.example", address(), 2)].concat();
    let behind = response(Code::NoError, answers, vec![]);
    for verdict in [Verdict::Proven, Verdict::Insecure, Verdict::Bogus] {
        assert_eq!(read("a.example", &behind, verdict), "Alias, a.w.example is next");
    }
}

#[test]
fn an_alias_that_comes_of_a_dname_record_is_signed_with_it() {
    let redirected = |asked: &str, target: &str, redirection: Vec<rr::Record>| {
        let alias = plain(asked, alias(target), Proof::Bogus);
        response(Code::NoError, [redirection, vec![alias], signed(target, address(), 3)].concat(), vec![])
    };
    let good = signed("d.example", dname("e.example"), 2);
    let found = redirected("A.d.example", "a.e.example", good.clone());
    assert_eq!(read("a.d.example", &found, Verdict::Proven), "records Secure");
    for (why, asked, target, redirection) in [
        ("it says another name", "a.d.example", "b.e.example", good.clone()),
        ("the name is not below it", "d.example", "e.example", good.clone()),
        ("it is elsewhere", "a.f.example", "a.e.example", good),
        ("it comes of a wildcard", "a.d.example", "a.e.example", signed("d.example", dname("e.example"), 1)),
        (
            "nobody vouches for it",
            "a.d.example",
            "a.e.example",
            vec![plain("d.example", dname("e.example"), Proof::Bogus)],
        ),
    ] {
        let found = redirected(asked, target, redirection);
        assert_eq!(read(asked, &found, Verdict::Proven), "bogus", "{why}");
    }
}

#[test]
fn other_codes_are_failures_though_there_are_answers() {
    let odd = response(Code::Unknown(3000), signed("a.example", alias("b.example"), 2), vec![]);
    assert_eq!(read("a.example", &odd, Verdict::Proven), "rcode-3000 Unchecked");
}

/// A record about one of a few names, with any proof.
fn any_record() -> impl Strategy<Value = Vec<rr::Record>> {
    let names =
        || prop::sample::select(vec!["a.example", "b.example", "c.b.example", "*.example", "example"]);
    let proof =
        prop::sample::select(vec![Proof::Secure, Proof::Insecure, Proof::Bogus, Proof::Indeterminate]);
    (names(), names(), proof, 0..4_u8, 0..6_u8).prop_map(|(owner, other, proof, labels, kind)| {
        let data = match kind {
            0 | 1 => address(),
            2 => alias(other),
            3 => dname(other),
            4 => return vec![nsec(owner, other, &[], proof)],
            _ => return vec![plain(owner, address(), proof)],
        };
        let mut records = signed(owner, data, labels);
        records.iter_mut().for_each(|record| record.proof = proof);
        records
    })
}

proptest! {
    #[test]
    fn nothing_is_secure_without_signatures_and_nothing_panics(
        answers in prop::collection::vec(any_record(), 0..6),
        authorities in prop::collection::vec(any_record(), 0..3),
        verdict in prop::sample::select(vec![Verdict::Proven, Verdict::Insecure, Verdict::Bogus]),
        code in prop::sample::select(vec![Code::NoError, Code::NXDomain]),
    ) {
        let question = Question::new("a.example".parse().unwrap(), RecordType::A);
        let response = response(code, answers.concat(), authorities.concat());
        let Ok(Reading { message, .. }) = reading(&question, &response, Some(verdict)) else { return Ok(()) };
        let answer = Answer::read(&question, &message, 10);
        let vouched = |records: &[rr::Record]| records.iter().any(|record| record.proof == Proof::Secure);
        match answer.outcome {
            _ if answer.security != Security::Secure => {}
            Outcome::Records(_) => {
                prop_assert!(vouched(&response.answers));
                let own = response.answers.iter().filter(|found| {
                    found.record_type() == rr::RecordType::A
                        && target(&found.name).name() == answer.canonical.as_ref()
                });
                prop_assert!(own.into_iter().all(|found| found.proof == Proof::Secure));
            }
            Outcome::NoData | Outcome::NxDomain => prop_assert!(vouched(&response.authorities)),
            Outcome::Alias | Outcome::Failure(_) => {}
        }
        for alias in answer.aliases.iter().filter(|alias| alias.security == Security::Secure) {
            prop_assert!(vouched(&response.answers), "{alias:?}");
        }
    }

    #[test]
    fn no_packet_makes_it_panic(octets in prop::collection::vec(any::<u8>(), 0..200), at in 0..300_usize) {
        // The header and the end of a good packet around anything.
        let good = response(Code::NoError, signed("a.example", dname("b.example"), 2), vec![soa()]);
        let mut packet = good.into_buffer();
        let at = at.min(packet.len());
        packet.splice(at..at, octets);
        if let Ok(response) = DnsResponse::from_buffer(packet) {
            let question = Question::new("a.example".parse().unwrap(), RecordType::A);
            for verdict in [None, Some(Verdict::Proven), Some(Verdict::Insecure), Some(Verdict::Bogus)] {
                let _ = reading(&question, &response, verdict);
            }
        }
    }
}
