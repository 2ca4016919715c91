//! Rows 49, 56, 75, 76, 94: certificates.

use mailwright_mx::DomainName;
use mailwright_mx::dns::Tlsa;
use mailwright_mx::plan::{Dane, Tls};
use mailwright_mx::verify::pki_types::CertificateDer;
use mailwright_mx::verify::{VerifyError, verify_dane, verify_pkix};

use crate::certificates::{Party, algorithms, authority, host, now, party, record};
use crate::table::{Table, zone};

/// What a plan asks of a.example.net for example.org with this record: the names are both of them.
fn dane(records: &[Tlsa]) -> Dane {
    let lines: Vec<String> =
        records.iter().map(|record| format!("_25._tcp.a.example.net TLSA {record}\n")).collect();
    let plan = zone(&format!(
        "example.org secure\nexample.net secure\nexample.org MX 10 a.example.net\na.example.net A 192.0.2.1\n{}",
        lines.concat()
    ))
    .dane()
    .plan();
    match &plan.hosts()[0].tls {
        Tls::Dane(dane) => (**dane).clone(),
        other => panic!("{other:?}"),
    }
}

fn word(result: Result<(), VerifyError>) -> String {
    result.map_or_else(|error| error.result_type().as_str().into(), |()| "good".into())
}

fn by_dane(records: &[Tlsa], chain: &[&Party]) -> String {
    let chain: Vec<CertificateDer<'_>> = chain.iter().map(|one| one.der.clone()).collect();
    word(verify_dane(&dane(records), &chain, algorithms(), now()).map(drop))
}

fn by_pkix(name: &str, root: &Party, chain: &[&Party]) -> String {
    let chain: Vec<CertificateDer<'_>> = chain.iter().map(|one| one.der.clone()).collect();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root.der.clone()).unwrap();
    let names: [DomainName; 1] = [name.parse().unwrap()];
    word(verify_pkix(&names, &chain, &roots.roots, algorithms(), now()))
}

pub(crate) fn rows(table: &mut Table) {
    let root = authority("root", None, None);
    let other = authority("other", None, None);
    let good = host(&root, &["a.example.net"]);
    let misnamed = host(&root, &["other.example"]);
    let over = party(Some(&root), |params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("a.example.net".try_into().unwrap())];
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    end_entity(table, &root, [&good, &misnamed, &over]);
    anchor(table, (&root, &other), [&good, &misnamed, &over]);
    names(table, &root);
    pkix(table, (&root, &other), [&good, &misnamed, &over]);
}

fn end_entity(table: &mut Table, root: &Party, [good, misnamed, over]: [&Party; 3]) {
    table.row(75, "DANE-EE: the key or the certificate, and neither names nor lifetimes");
    for (selector, matching) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
        let kind = format!("3 {selector} {matching}");
        let records = [record(3, selector, matching, good)];
        table.case(format!("{kind} of the certificate"), "good", by_dane(&records, &[good]));
        table.case(
            format!("{kind} of another certificate"),
            "tlsa-invalid",
            by_dane(&records, &[misnamed, root]),
        );
    }
    table.case("3 1 1, another name", "good", by_dane(&[record(3, 1, 1, misnamed)], &[misnamed]));
    table.case("3 1 1, expired", "good", by_dane(&[record(3, 1, 1, over)], &[over]));
    table.case("3 1 1 of its authority", "tlsa-invalid", by_dane(&[record(3, 1, 1, root)], &[good, root]));
}

fn anchor(table: &mut Table, (root, other): (&Party, &Party), [good, misnamed, over]: [&Party; 3]) {
    table.row(76, "DANE-TA: a chain to the anchor, and one of the names");
    for (selector, matching) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
        let kind = format!("2 {selector} {matching}");
        let records = [record(2, selector, matching, root)];
        table.case(format!("{kind} of the authority"), "good", by_dane(&records, &[good, root]));
        table.case(
            format!("{kind} of the authority, another name"),
            "certificate-host-mismatch",
            by_dane(&records, &[misnamed, root]),
        );
        table.case(
            format!("{kind} of the authority, expired"),
            "certificate-expired",
            by_dane(&records, &[over, root]),
        );
        let absent = if matching == 0 { "good" } else { "tlsa-invalid" };
        table.case(
            format!("{kind} of the authority, which is not in the chain"),
            absent,
            by_dane(&records, &[good]),
        );
    }
    for name in ["example.org", "*.example.net", "*.example.org"] {
        let expected = if name == "*.example.org" { "certificate-host-mismatch" } else { "good" };
        table.case(
            format!("2 0 1 of the authority, certificate for {name}"),
            expected,
            by_dane(&[record(2, 0, 1, root)], &[&host(root, &[name]), root]),
        );
    }
    table.case(
        "2 1 1 of another authority in the chain",
        "certificate-not-trusted",
        by_dane(&[record(2, 1, 1, other)], &[good, root, other]),
    );
    table.case(
        "2 1 1 of the certificate itself",
        "tlsa-invalid",
        by_dane(&[record(2, 1, 1, good)], &[good, root]),
    );
    table.case(
        "2 1 1 of another authority beside 2 1 1 of the right one",
        "good",
        by_dane(&[record(2, 1, 1, other), record(2, 1, 1, root)], &[good, root]),
    );
    let middle = authority("middle", Some(root), None);
    let below = host(&middle, &["a.example.net"]);
    for (kind, of) in [("the root", root), ("the authority between", &middle)] {
        table.case(
            format!("2 0 1 of {kind}, three certificates"),
            "good",
            by_dane(&[record(2, 0, 1, of)], &[&below, &middle, root]),
        );
    }
    table.case(
        "2 0 1 of the authority between, without the root",
        "good",
        by_dane(&[record(2, 0, 1, &middle)], &[&below, &middle]),
    );
    let short = authority("short", None, Some(0));
    let middle = authority("below short", Some(&short), None);
    let below = host(&middle, &["a.example.net"]);
    table.case(
        "2 0 1 of an authority that may sign hosts only, and signed another",
        "certificate-not-trusted",
        by_dane(&[record(2, 0, 1, &short)], &[&below, &middle, &short]),
    );
    let host_as_authority = host(root, &["b.example.net"]);
    let below = host(&host_as_authority, &["a.example.net"]);
    table.case(
        "2 0 1 of a host that signed another",
        "validation-failure",
        by_dane(&[record(2, 0, 1, &host_as_authority)], &[&below, &host_as_authority, root]),
    );
}

fn names(table: &mut Table, root: &Party) {
    let common = |name: &str, dns: &[&str]| {
        party(Some(root), |params| {
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params.subject_alt_names =
                dns.iter().map(|name| rcgen::SanType::DnsName((*name).try_into().unwrap())).collect();
        })
    };
    let records = [record(2, 0, 1, root)];
    table.row(
        94,
        "where there is a DNS-ID the common name does not count; a wildcard is the whole first label",
    );
    table.case(
        "DANE-TA, common name a.example.net, no DNS-ID",
        "good",
        by_dane(&records, &[&common("a.example.net", &[]), root]),
    );
    table.case(
        "DANE-TA, common name *.example.net, no DNS-ID",
        "good",
        by_dane(&records, &[&common("*.example.net", &[]), root]),
    );
    table.case(
        "DANE-TA, common name a.example.net, DNS-ID b.example.net",
        "certificate-host-mismatch",
        by_dane(&records, &[&common("a.example.net", &["b.example.net"]), root]),
    );
    table.case(
        "PKIX, common name a.example.net, no DNS-ID",
        "certificate-host-mismatch",
        by_pkix("a.example.net", root, &[&common("a.example.net", &[]), root]),
    );
    for (presented, expected) in [
        ("*.example.net", "good"),
        ("A.Example.NET", "good"),
        ("*.net", "certificate-host-mismatch"),
        ("*.a.example.net", "certificate-host-mismatch"),
        ("a*.example.net", "certificate-host-mismatch"),
        ("example.net", "certificate-host-mismatch"),
    ] {
        table.case(
            format!("DANE-TA, DNS-ID {presented}"),
            expected,
            by_dane(&records, &[&host(root, &[presented]), root]),
        );
        table.case(
            format!("PKIX, DNS-ID {presented}"),
            expected,
            by_pkix("a.example.net", root, &[&host(root, &[presented])]),
        );
    }
}

fn pkix(table: &mut Table, (root, other): (&Party, &Party), [good, misnamed, over]: [&Party; 3]) {
    for (row, required) in [
        (49, "a certificate that is not valid for the policy host has a finding of its own"),
        (56, "enforce: TLS with a certificate for the name of the MX host, which is the SNI"),
    ] {
        table.row(row, required);
        let check = |root, chain: &[&Party]| by_pkix("a.example.net", root, chain);
        table.case("certificate of a trusted root", "good", check(root, &[good]));
        table.case("certificate of another root", "certificate-not-trusted", check(other, &[good, root]));
        table.case("another name", "certificate-host-mismatch", check(root, &[misnamed]));
        table.case("expired", "certificate-expired", check(root, &[over]));
        let own = party(None, |params| {
            params.subject_alt_names = vec![rcgen::SanType::DnsName("a.example.net".try_into().unwrap())];
        });
        table.case("signed by itself", "certificate-not-trusted", check(root, &[&own]));
    }
}
