//! Rows 63 to 82, 89, 91 to 93: DANE, and what a message wants of TLS.

use mailwright_mx::fetch::FetchFailure;
use mailwright_mx::{DaneMode, MessageTls};

use crate::table::{Input, Table, zone};

/// A domain and a host that DNSSEC vouches for.
const SIGNED: &str =
    "example.org secure\nexample.net secure\nexample.org MX 10 a.example.net\na.example.net A 192.0.2.1";
const UNSIGNED: &str =
    "example.org insecure\nexample.net secure\nexample.org MX 10 a.example.net\na.example.net A 192.0.2.1";

fn tlsa(name: &str) -> String {
    format!("_25._tcp.{name} TLSA 3 1 1 {}", "ab".repeat(32))
}

fn signed(records: &str) -> Input {
    zone(&format!("{SIGNED}\n{records}")).dane()
}

fn mandatory(input: Input) -> Input {
    input.with("DANE is mandatory", |config| config.dane = DaneMode::Mandatory)
}

const AUTHENTICATED: &str = "mx: 10 a.example.net 192.0.2.1 [dane: 3 1 1, a.example.net+example.org]";
const WITHOUT: &str = "mx: 10 a.example.net 192.0.2.1 [opportunistic: no-policy]";

pub(crate) fn rows(table: &mut Table) {
    routes(table);
    aliases(table);
    lookups(table);
    records(table);
    names(table);
    messages(table);
}

fn routes(table: &mut Table) {
    table.row(
        63,
        "MX records that nobody vouches for: no DANE, unless an option says so; mandatory DANE waits",
    );
    let unsigned = || zone(&format!("{UNSIGNED}\n{}", tlsa("a.example.net"))).dane();
    table.resolve(unsigned(), "mx: 10 a.example.net 192.0.2.1 [opportunistic: insecure-mx]");
    table.resolve(
        unsigned().with("DANE for insecure MX", |config| config.dane_for_insecure_mx = true),
        "mx: 10 a.example.net 192.0.2.1 [dane: 3 1 1, a.example.net, insecure route]",
    );
    table.resolve(
        mandatory(unsigned()),
        "4.7.5 dane-required; -a.example.net dane-required; !dane-required: a.example.net",
    );
    let alias = format!(
        "example.org insecure\nreal.example secure\nexample.net secure\nexample.org CNAME real.example\n\
         real.example MX 10 a.example.net\na.example.net A 192.0.2.1\n{}",
        tlsa("a.example.net")
    );
    table.resolve(zone(&alias).dane(), "mx: 10 a.example.net 192.0.2.1 [opportunistic: insecure-mx]");
    table.resolve(
        zone(&alias).dane().stepwise(),
        "mx: 10 a.example.net 192.0.2.1 [opportunistic: insecure-mx]",
    );

    table.row(64, "an MX lookup that fails validation is temporary");
    table.resolve(
        signed("example.org fail bogus MX"),
        "4.4.3 lookup-failed; !dnssec-invalid: example.org: bogus",
    );
    table.row(91, "what a resolver cannot tell is a failure too");
    table.resolve(
        signed("a.example.net fail bogus"),
        "4.4.4 no-host-now; -a.example.net lookup-failed: AAAA: bogus",
    );

    table.row(77, "no MX records, and DNSSEC vouches for that: DANE for the domain itself");
    let own = |security: &str| {
        zone(&format!("example.org {security}\nexample.org A 192.0.2.1\n{}", tlsa("example.org"))).dane()
    };
    table.resolve(own("secure"), "implicit-mx: 0 example.org 192.0.2.1 [dane: 3 1 1, example.org]");
    table.row(78, "no MX records, and nobody vouches for that: no DANE");
    let split = "example.org MX 10 a.example.net\nexample.org fail servfail TLSA";
    table.resolve(own("insecure"), "implicit-mx: 0 example.org 192.0.2.1 [opportunistic: insecure-mx]");
    table.row(80, "an AD bit that is not to be believed is none");
    let unchecked = format!("{split}\na.example.net A 192.0.2.1\n{}", tlsa("a.example.net"));
    table.resolve(zone(&unchecked).dane(), "mx: 10 a.example.net 192.0.2.1 [opportunistic: insecure-mx]");

    table.row(79, "another port has its own records");
    let other = signed(
        "_2525._tcp.a.example.net TLSA 3 1 1 abababababababababababababababababababababababababababababababab",
    );
    table.resolve(other.with("port 2525", |config| config.port = 2525), AUTHENTICATED);
    table.resolve(signed(&tlsa("a.example.net")).with("port 2525", |config| config.port = 2525), WITHOUT);

    table.row(93, "a host without TLSA records keeps its place before one that has them");
    table.resolve(
        signed(&format!("example.org MX 20 b.example.net\nb.example.net A 192.0.2.2\n{}", tlsa("b.example.net"))),
        "mx: 10 a.example.net 192.0.2.1 [opportunistic: no-policy], 20 b.example.net 192.0.2.2 [dane: 3 1 1, b.example.net+example.org]",
    );
}

fn aliases(table: &mut Table) {
    let host = "example.org secure\nexample.net secure\nexample.org MX 10 a.example.net";
    let alias = |security: &str, records: &str| {
        zone(&format!(
            "{host}\na.example.net CNAME b.example.com\nb.example.com CNAME c.example.com\nexample.com {security}\n\
             c.example.com A 192.0.2.1\n{records}"
        ))
        .dane()
    };
    let note = "host-is-alias: a.example.net for c.example.com";
    table.row(65, "a host that is no alias, and nobody vouches for its address: no TLSA lookup");
    let insecure = zone(&format!(
        "{host}\na.example.net insecure\na.example.net A 192.0.2.1\n_25._tcp.a.example.net fail servfail"
    ))
    .dane();
    table.resolve(insecure, "mx: 10 a.example.net 192.0.2.1 [opportunistic: insecure-host]");

    table.row(66, "a secure alias of an insecure name: TLSA records at the name of the alias only");
    let expected = |tls: &str| format!("mx: 10 a.example.net 192.0.2.1 [{tls}]; {note}");
    let original = expected("dane: 3 1 1, a.example.net+example.org");
    for at in ["a.example.net", "c.example.com"] {
        let input = || alias("insecure", &tlsa(at));
        let expected =
            if at == "a.example.net" { original.clone() } else { expected("opportunistic: no-policy") };
        table.resolve(input(), &expected);
        table.resolve(input().stepwise(), &expected);
    }
    table.resolve(
        alias("insecure", "a.example.net fail servfail CNAME"),
        &format!("4.4.4 no-host-now; -a.example.net lookup-failed: CNAME: servfail; !dnssec-invalid: a.example.net: CNAME: servfail; {note}"),
    );

    table.row(67, "secure aliases: TLSA records at the last name, then at the first, never between them");
    let last = expected("dane: 3 1 1, c.example.com+example.org");
    let both = format!("{}\n_25._tcp.a.example.net TLSA 3 1 1 {}", tlsa("c.example.com"), "cd".repeat(32));
    table.resolve(alias("secure", &both), &last);
    table.resolve(alias("secure", &both).stepwise(), &last);
    table.resolve(alias("secure", &tlsa("a.example.net")), &original);
    table.resolve(alias("secure", &tlsa("b.example.com")), &expected("opportunistic: no-policy"));

    table.row(
        92,
        "behind an insecure alias everything is insecure, whatever stands before it keeps its own status",
    );
    let chain = zone(&format!(
        "{host}\na.example.net CNAME b.example.com\nexample.com insecure\nb.example.com CNAME c.example.edu\n\
         example.edu secure\nc.example.edu A 192.0.2.1\n{}",
        tlsa("c.example.edu")
    ))
    .dane();
    let note = "host-is-alias: a.example.net for c.example.edu";
    table.resolve(chain, &format!("mx: 10 a.example.net 192.0.2.1 [opportunistic: no-policy]; {note}"));
}

fn lookups(table: &mut Table) {
    table.row(68, "a host whose address lookup fails is left out; temporary if none is left");
    table.resolve(
        signed("a.example.net fail bogus\nexample.org MX 20 b.example.net\nb.example.net A 192.0.2.2"),
        "mx: 20 b.example.net 192.0.2.2 [opportunistic: no-policy]; -a.example.net lookup-failed: AAAA: bogus",
    );
    table.resolve(
        signed("a.example.net fail timeout"),
        "4.4.4 no-host-now; -a.example.net lookup-failed: AAAA: timeout",
    );

    table.row(69, "no TLSA records: no DANE for the host; mandatory DANE waits");
    table.resolve(signed(""), WITHOUT);
    table.resolve(signed("_25._tcp.a.example.net TXT \"x\""), WITHOUT);
    table.resolve(
        mandatory(signed("")),
        "4.7.5 dane-required; -a.example.net dane-required; !dane-required: a.example.net",
    );

    table.row(
        70,
        "a TLSA lookup that fails: the host is left out, temporary if none is left, never without TLS",
    );
    for (failure, finding) in [
        ("servfail", "dnssec-invalid"),
        ("bogus", "dnssec-invalid"),
        ("timeout", "validation-failure"),
        ("refused", "validation-failure"),
        ("notimp", "validation-failure"),
        ("malformed", "validation-failure"),
        ("unproven", "validation-failure"),
        ("truncated", "validation-failure"),
    ] {
        let fails = format!("_25._tcp.a.example.net fail {failure}");
        let left_out = format!(
            "-a.example.net lookup-failed: TLSA: {failure}; !{finding}: a.example.net: TLSA: {failure}"
        );
        table.resolve(signed(&fails), &format!("4.4.4 no-host-now; {left_out}"));
        table.resolve(
            signed(&format!("{fails}\nexample.org MX 20 b.example.net\nb.example.net A 192.0.2.2")),
            &format!("mx: 20 b.example.net 192.0.2.2 [opportunistic: no-policy]; {left_out}"),
        );
    }
    table.resolve(
        signed("_25._tcp.a.example.net TLSA malformed"),
        "4.4.4 no-host-now; -a.example.net lookup-failed: TLSA: malformed; !validation-failure: a.example.net: TLSA: malformed",
    );

    table.row(71, "TLSA records that nobody vouches for are none");
    table.resolve(signed(&format!("_tcp.a.example.net insecure\n{}", tlsa("a.example.net"))), WITHOUT);

    table.row(72, "a TLSA record that is an alias is followed, as far as DNSSEC vouches for it");
    let alias = |security: &str| {
        signed(&format!(
            "_25._tcp.a.example.net CNAME tlsa.example.com\nexample.com {security}\ntlsa.example.com TLSA 3 1 1 {}",
            "ab".repeat(32)
        ))
    };
    table.resolve(alias("secure"), AUTHENTICATED);
    table.resolve(alias("secure").stepwise(), AUTHENTICATED);
    table.resolve(alias("insecure"), WITHOUT);
    table.resolve(alias("insecure").stepwise(), WITHOUT);
}

fn records(table: &mut Table) {
    let at = |records: &[String]| {
        let lines: Vec<String> =
            records.iter().map(|record| format!("_25._tcp.a.example.net TLSA {record}")).collect();
        signed(&lines.join("\n"))
    };
    let good = format!("3 1 1 {}", "ab".repeat(32));
    let unusable = |unusable: usize, usable: usize| {
        format!("unusable-tlsa: a.example.net: {unusable} unusable, {usable} usable")
    };
    let bad = [
        format!("0 1 1 {}", "ab".repeat(32)),
        format!("1 0 1 {}", "ab".repeat(32)),
        format!("4 1 1 {}", "ab".repeat(32)),
        format!("3 2 1 {}", "ab".repeat(32)),
        format!("3 1 3 {}", "ab".repeat(32)),
        format!("3 1 1 {}", "ab".repeat(31)),
        format!("3 1 2 {}", "ab".repeat(32)),
        "2 0 0 3003".into(),
        "3 1 0 ff".into(),
    ];
    table.row(73, "records of another kind, or of the wrong length, cannot be used");
    for record in &bad {
        table.resolve(at(&[good.clone(), record.clone()]), &format!("{AUTHENTICATED}; {}", unusable(1, 1)));
    }
    table.resolve(at(&[good.clone(), "malformed".into()]), &format!("{AUTHENTICATED}; {}", unusable(1, 1)));
    table.row(74, "secure TLSA records of which none can be used: TLS, with any certificate");
    for record in &bad {
        table.resolve(
            at(core::slice::from_ref(record)),
            &format!(
                "mx: 10 a.example.net 192.0.2.1 [required: unusable-tlsa]; !tlsa-invalid: a.example.net: no usable TLSA record; {}",
                unusable(1, 0)
            ),
        );
    }
    table.row(89, "of several digests for one usage and selector the strongest counts, beside full data");
    let strong = format!("3 1 2 {}", "cd".repeat(64));
    let anchor = format!("2 0 1 {}", "ef".repeat(32));
    table.resolve(
        at(&[good.clone(), strong.clone(), "3 1 0 3000".into(), anchor.clone()]),
        "mx: 10 a.example.net 192.0.2.1 [dane: 2 0 1+3 1 0+3 1 2, a.example.net+example.org]",
    );
    table.resolve(
        at(&[good.clone(), strong])
            .with("SHA2-256 before SHA2-512", |config| config.dane_digests = vec![1, 2]),
        AUTHENTICATED,
    );
    table.resolve(
        at(&[good, format!("3 1 2 {}", "cd".repeat(63))]),
        &format!("{AUTHENTICATED}; {}", unusable(1, 1)),
    );
}

fn names(table: &mut Table) {
    table.row(76, "DANE-TA: the names that a certificate may have");
    table.resolve(signed(&tlsa("a.example.net")), AUTHENTICATED);
    let alias = format!(
        "example.org secure\nreal.example secure\nexample.net secure\nexample.org CNAME real.example\n\
         real.example MX 10 a.example.net\na.example.net CNAME b.example.net\nb.example.net A 192.0.2.1\n{}",
        tlsa("b.example.net")
    );
    let note = "host-is-alias: a.example.net for b.example.net";
    table.resolve(
        zone(&alias).dane(),
        &format!(
            "mx: 10 a.example.net 192.0.2.1 [dane: 3 1 1, b.example.net+example.org+real.example]; {note}"
        ),
    );
    table.resolve(
        zone(&alias).dane().with("the unexpanded name too", |config| config.dane_unexpanded_name = true),
        &format!("mx: 10 a.example.net 192.0.2.1 [dane: 3 1 1, b.example.net+example.org+real.example+a.example.net]; {note}"),
    );
    let implicit = format!(
        "example.org secure\nreal.example secure\nexample.org CNAME real.example\nreal.example A 192.0.2.1\n{}",
        tlsa("real.example")
    );
    table.resolve(
        zone(&implicit).dane(),
        "implicit-mx: 0 real.example 192.0.2.1 [dane: 3 1 1, real.example+example.org]",
    );
    let original = implicit.replace("_25._tcp.real.example", "_25._tcp.example.org");
    table.resolve(zone(&original).dane(), "implicit-mx: 0 real.example 192.0.2.1 [dane: 3 1 1, example.org]");
    let relay =
        format!("smart.example secure\nsmart.example A 192.0.2.5\n_587{}", &tlsa("smart.example")[3..]);
    table.resolve(
        zone(&relay).dane().to("smart.example:587"),
        "relay: 0 smart.example 192.0.2.5 [dane: 3 1 1, smart.example]",
    );
}

fn messages(table: &mut Table) {
    let plain = "example.org MX 10 a.example.net\na.example.net A 192.0.2.1";
    let required = |input: Input| input.message(MessageTls::Required);
    table.row(81, "REQUIRETLS: hosts that are known for sure, with a certificate for their name");
    table.resolve(required(signed("")), "mx: 10 a.example.net 192.0.2.1 [pkix: requiretls, a.example.net]");
    table.resolve(required(signed(&tlsa("a.example.net"))), AUTHENTICATED);
    table.resolve(required(zone(plain).dane()), "5.7.10 550 no-secure-host");
    table.resolve(required(zone(plain)), "5.7.10 550 no-secure-host");
    let policy = "version: STSv1\nmode: testing\nmx: *.example.net\nmax_age: 86400";
    let record = "_mta-sts.example.org TXT \"v=STSv1; id=n2\"";
    table.resolve(
        required(zone(&format!("{plain}\n{record}")).sts().policy(policy)),
        "mx: 10 a.example.net 192.0.2.1 [pkix: sts, a.example.net]; sts fetched testing n2",
    );
    table.resolve(
        required(zone(&format!("{plain}\nexample.org MX 20 b.example.com\nb.example.com A 192.0.2.2\n{record}")).sts().policy(policy)),
        "mx: 10 a.example.net 192.0.2.1 [pkix: sts, a.example.net], 20 b.example.com 192.0.2.2 [pkix: requiretls, b.example.com] \
         (not-authentic); sts fetched testing n2; !validation-failure: b.example.com: not in the policy; not-in-sts-policy: b.example.com",
    );
    table.resolve(
        required(zone("example.org A 192.0.2.1")),
        "implicit-mx: 0 example.org 192.0.2.1 [pkix: requiretls, example.org]",
    );
    table.resolve(required(zone("").to("[192.0.2.1]")), "5.7.10 550 no-secure-host");
    table.resolve(
        required(
            zone(&format!("{plain}\nexample.org MX 20 b.example.com\nb.example.com fail servfail")).dane(),
        ),
        "4.4.4 no-host-now; -b.example.com lookup-failed: AAAA: servfail",
    );

    let not_required = |input: Input| input.message(MessageTls::NotRequired);
    let any = "mx: 10 a.example.net 192.0.2.1 [opportunistic: tls-not-required]";
    table.row(82, "`TLS-Required: No`: everything is tried, nothing has to work, nothing is reported");
    table.resolve(not_required(signed(&tlsa("a.example.net"))), any);
    table.resolve(not_required(signed("_25._tcp.a.example.net fail servfail")), any);
    table.resolve(not_required(mandatory(signed(""))), any);
    let enforce = "version: STSv1\nmode: enforce\nmx: b.example.net\nmax_age: 86400";
    table.resolve(
        not_required(zone(&format!("{plain}\n{record}")).sts().policy(enforce)),
        &format!("{any}; sts fetched enforce n2"),
    );
    table.resolve(
        not_required(
            zone(&format!("{plain}\n{record}")).sts().fetched(Err(FetchFailure::Timeout), "timeout"),
        ),
        &format!("{any}; sts none; sts-policy-fetch-error: timeout"),
    );
}
