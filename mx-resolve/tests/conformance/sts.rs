//! Rows 40 to 62, 90: MTA-STS.

use mailwright_mx::fetch::{FetchFailure, Response};
use mailwright_mx::sts::{MxPattern, StsNews, StsPolicy};

use crate::table::{Input, NOW, Table, zone};

const HOSTS: &str = "example.org MX 10 a.example.net\nexample.org MX 20 b.example.com\n\
                     a.example.net A 192.0.2.1\nb.example.com A 192.0.2.2";
const RECORD: &str = "_mta-sts.example.org TXT \"v=STSv1; id=n2\"";
const ENFORCE: &str = "version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 86400";
const TESTING: &str = "version: STSv1\nmode: testing\nmx: *.example.net\nmax_age: 86400";
const NONE: &str = "version: STSv1\nmode: none\nmax_age: 86400";

const WITHOUT: &str = "mx: 10 a.example.net 192.0.2.1 [opportunistic: no-policy], 20 b.example.com 192.0.2.2 [opportunistic: no-policy]";
const ENFORCED: &str = "mx: 10 a.example.net 192.0.2.1 [pkix: sts, a.example.net], 20 b.example.com 192.0.2.2 [opportunistic: no-policy] (not-in-sts-policy)";
const MISMATCH: &str = "!validation-failure: b.example.com: not in the policy";

/// The usual hosts, with these records beside them.
fn hosts(records: &str) -> Input {
    zone(&format!("{HOSTS}\n{records}")).sts()
}

fn text(status: u16, media_type: Option<&str>, body: &[u8]) -> Result<Response, FetchFailure> {
    Ok(Response::new(status, media_type.map(Into::into), body.to_vec()))
}

pub(crate) fn rows(table: &mut Table) {
    discovery(table);
    cached(table);
    fetching(table);
    policies(table);
    application(table);
}

fn discovery(table: &mut Table) {
    let fetched = format!("{ENFORCED}; sts fetched enforce n2; {MISMATCH}; not-in-sts-policy: b.example.com");
    let none = format!("{WITHOUT}; sts none");
    table.row(40, "no record, nothing cached: no policy");
    table.resolve(hosts("").policy(ENFORCE), &none);
    table.resolve(hosts("_mta-sts.example.org A 192.0.2.7").policy(ENFORCE), &none);

    table.row(41, "one record of several counts, if exactly one is of MTA-STS, and it is good");
    for good in ["v=STSv1; id=n2", "v=STSv1 ; id=n2;", "v=STSv1; x=y; id=n2"] {
        table.resolve(hosts(&format!("_mta-sts.example.org TXT \"{good}\"")).policy(ENFORCE), &fetched);
    }
    let two = |one: &str, other: &str| {
        hosts(&format!("_mta-sts.example.org TXT \"{one}\"\n_mta-sts.example.org TXT \"{other}\""))
            .policy(ENFORCE)
    };
    table.resolve(two("v=spf1 -all", "v=STSv1; id=n2"), &fetched);
    table.resolve(two("v=STSv1 ; id=x", "v=STSv1; id=n2"), &fetched);
    table.resolve(two("v=STSv1; id=n1", "v=STSv1; id=n2"), &none);
    table.resolve(two("v=STSv1; id=n2", "v=STSv1; id=n2"), &none);
    for bad in [
        "v=STSv1",
        "v=STSv1;",
        "v=STSv1; id=",
        "v=STSv1; id=a-b",
        "V=STSv1; id=n2",
        "v=STSv2; id=n2",
        "v=STSv1; ID=n2",
    ] {
        table.resolve(hosts(&format!("_mta-sts.example.org TXT \"{bad}\"")).policy(ENFORCE), &none);
    }

    table.row(42, "strings of a record are joined without spaces, records never");
    table.resolve(hosts("_mta-sts.example.org TXT \"v=STS\" \"v1; id=n\" \"2\"").policy(ENFORCE), &fetched);
    table.resolve(two("v=STSv1; ", "id=n2"), &none);

    table.row(
        43,
        "the record could not be looked up, nothing cached: no policy, and a finding; or wait, by an option",
    );
    let failed = "_mta-sts.example.org fail servfail";
    let lacking = format!("{none}; !sts-policy-fetch-error: servfail; sts-lookup-failed: servfail");
    table.resolve(hosts(failed).policy(ENFORCE), &lacking);
    table.resolve(
        hosts(failed).policy(ENFORCE).with("wait", |config| config.sts_defer = true),
        "4.4.3 sts-unknown; sts none; !sts-policy-fetch-error: servfail; sts-lookup-failed: servfail",
    );

    table.row(90, "an alias at `_mta-sts` is followed");
    let alias = "_mta-sts.example.org CNAME sts.example.net\nsts.example.net TXT \"v=STSv1; id=n2\"";
    table.resolve(hosts(alias).policy(ENFORCE), &fetched);
    table.resolve(hosts(alias).policy(ENFORCE).stepwise(), &fetched);
}

fn cached(table: &mut Table) {
    let applied = format!("{ENFORCED}; sts cached enforce o1; {MISMATCH}; ");
    let note = "not-in-sts-policy: b.example.com";
    table.row(44, "whatever is missing or fails, a cached policy that has not expired is applied");
    for records in [
        "",
        "_mta-sts.example.org TXT \"v=STSv1; id=n1\"\n_mta-sts.example.org TXT \"v=STSv1; id=n2\"",
        "_mta-sts.example.org TXT \"v=STSv1;\"",
    ] {
        table.resolve(hosts(records).cached("o1", ENFORCE), &format!("{applied}{note}"));
    }
    for failure in ["servfail", "timeout", "bogus", "refused", "unproven"] {
        let input = hosts(&format!("_mta-sts.example.org fail {failure}")).cached("o1", ENFORCE);
        table.resolve(input, &format!("{applied}sts-lookup-failed: {failure}; {note}"));
    }
    table.resolve(
        hosts("_mta-sts.example.org TXT \"v=STSv1; id=o1\"").policy(NONE).cached("o1", ENFORCE),
        &format!("{applied}{note}"),
    );
    let fails = |result, shown: &str, finding: &str, diagnostic: &str| {
        let outcome =
            format!("{ENFORCED}; sts cached enforce o1; !{finding}; {MISMATCH}; {diagnostic}; {note}");
        (hosts(RECORD).cached("o1", ENFORCE).fetched(result, shown), outcome)
    };
    for (input, expected) in [
        fails(
            Err(FetchFailure::Timeout),
            "timeout",
            "sts-policy-fetch-error: timeout",
            "sts-policy-fetch-error: timeout",
        ),
        fails(
            Err(FetchFailure::Certificate),
            "wrong certificate",
            "sts-webpki-invalid: certificate",
            "sts-policy-fetch-error: certificate",
        ),
        fails(
            text(404, None, b""),
            "404",
            "sts-policy-fetch-error: status 404",
            "sts-policy-fetch-error: status 404",
        ),
        fails(
            text(200, Some("text/plain"), b"x"),
            "no policy",
            "sts-policy-invalid: line 1 is no field",
            "sts-policy-invalid: line 1 is no field",
        ),
    ] {
        table.resolve(input, &expected);
    }
    let short = ENFORCE.replace("86400", "60");
    table.resolve(hosts("").cached("o1", &short), &format!("{WITHOUT}; sts none"));
    let tiny = ENFORCE.replace("86400", "61");
    let left = hosts("").cached("o1", &tiny).plan().expires();
    table.case("the cached policy lives one more second", "the plan expires in 1000 ms", expires(left));

    table.row(45, "the same id is not fetched again for five minutes after a failure");
    let input = hosts(RECORD).failed("n2").policy(ENFORCE);
    table.resolve(input, &format!("{WITHOUT}; sts none; sts-policy-fetch-postponed"));
    let fetched = format!("{ENFORCED}; sts fetched enforce n2; {MISMATCH}; {note}");
    table.resolve(hosts(RECORD).failed("n1").policy(ENFORCE), &fetched);
    let input = hosts(RECORD).fetched(Err(FetchFailure::Connection), "no connection");
    let retry = match input.news() {
        Some(StsNews::Failed(failed)) => {
            format!(
                "id {} not again before {} s",
                failed.id,
                failed.retry.saturating_duration_since(NOW).as_secs()
            )
        }
        other => format!("{other:?}"),
    };
    table.case(input.shown(), "id n2 not again before 300 s", retry);
    table.resolve(
        input,
        &format!("{WITHOUT}; sts none; !sts-policy-fetch-error: no connection; sts-policy-fetch-error: no connection"),
    );
}

fn expires(at: mailwright_mx::UnixMillis) -> String {
    format!("the plan expires in {} ms", at.saturating_duration_since(NOW).as_millis())
}

fn fetching(table: &mut Table) {
    let failed = |finding: &str, diagnostic: &str| format!("{WITHOUT}; sts none; !{finding}; {diagnostic}");
    let same = |word: &str| {
        failed(&format!("sts-policy-fetch-error: {word}"), &format!("sts-policy-fetch-error: {word}"))
    };
    let plain = Some("text/plain");
    table.row(46, "only status 200 counts, and no redirect is followed");
    for status in [100_u16, 201, 204, 301, 302, 304, 307, 404, 500] {
        let input = hosts(RECORD)
            .fetched(text(status, plain, ENFORCE.as_bytes()), &format!("status {status}, a policy"));
        table.resolve(input, &same(&format!("status {status}")));
    }
    table.row(47, "more than 64 KiB, or more than 60 s, is a failure");
    let padded = |length: usize| {
        let mut body = format!("{ENFORCE}\nx: ").into_bytes();
        body.resize(length, b'y');
        text(200, plain, &body)
    };
    table.resolve(hosts(RECORD).fetched(padded(65_537), "65537 octets"), &same("too large"));
    let fetched = format!("{ENFORCED}; sts fetched enforce n2; {MISMATCH}; not-in-sts-policy: b.example.com");
    table.resolve(hosts(RECORD).fetched(padded(65_536), "65536 octets"), &fetched);
    table.resolve(hosts(RECORD).fetched(Err(FetchFailure::Timeout), "60 s without an end"), &same("timeout"));
    table.row(48, "the media type is text/plain, its parameters do not matter");
    for good in ["text/plain; charset=utf-8", "Text/PLAIN", "text/plain ;x"] {
        let input = hosts(RECORD).fetched(text(200, Some(good), ENFORCE.as_bytes()), good);
        table.resolve(input, &fetched);
    }
    for bad in [None, Some("text/html"), Some("text/plainer"), Some("")] {
        let input = hosts(RECORD).fetched(text(200, bad, ENFORCE.as_bytes()), &format!("{bad:?}"));
        table.resolve(input, &same("media type"));
    }
    table.row(49, "a certificate that is not valid for the policy host has a finding of its own");
    table.resolve(
        hosts(RECORD).fetched(Err(FetchFailure::Certificate), "wrong certificate"),
        &failed("sts-webpki-invalid: certificate", "sts-policy-fetch-error: certificate"),
    );
}

fn policies(table: &mut Table) {
    let fetched = format!("{ENFORCED}; sts fetched enforce n2; {MISMATCH}; not-in-sts-policy: b.example.com");
    let invalid =
        |why: &str| format!("{WITHOUT}; sts none; !sts-policy-invalid: {why}; sts-policy-invalid: {why}");
    table.row(50, "of a field that stands there twice the first counts, but for mx");
    table.resolve(hosts(RECORD).policy(&format!("{ENFORCE}\nmode: none\nversion: x\nmax_age: x")), &fetched);
    table.resolve(hosts("_mta-sts.example.org TXT \"v=STSv1; id=n2; id=n3\"").policy(ENFORCE), &fetched);
    let both = hosts(RECORD).policy(&format!("{ENFORCE}\nmx: b.example.com"));
    table.resolve(both, "mx: 10 a.example.net 192.0.2.1 [pkix: sts, a.example.net], 20 b.example.com 192.0.2.2 [pkix: sts, b.example.com]; sts fetched enforce n2");

    table.row(51, "what a policy lacks, or has in another form, makes it none");
    for (from, to, why) in [
        ("STSv1", "STSv2", "no version, or an unknown one"),
        ("version: STSv1\n", "", "no version, or an unknown one"),
        ("version", "Version", "no version, or an unknown one"),
        ("enforce", "Enforce", "no mode, or an unknown one"),
        ("mode: enforce\n", "", "no mode, or an unknown one"),
        ("max_age: 86400", "x: y", "no max_age, or no number"),
        ("mx: *.example.net\n", "", "no mx"),
        ("*.example.net", "*.*.example.net", "the mx in line 3 is no name in A-labels"),
        ("*.example.net", "bücher.example", "the mx in line 3 is no name in A-labels"),
        ("*.example.net", "example.net.", "the mx in line 3 is no name in A-labels"),
        ("mode: enforce", "mode enforce", "line 2 is no field"),
    ] {
        table.resolve(hosts(RECORD).policy(&ENFORCE.replace(from, to)), &invalid(why));
    }
    for good in [
        ENFORCE.replace('\n', "\r\n"),
        ENFORCE.replace('\n', " \t\n"),
        ENFORCE.replace(": ", ":"),
        format!("more: x y\n{ENFORCE}\n"),
    ] {
        table.resolve(hosts(RECORD).policy(&good), &fetched);
    }

    table.row(52, "a max_age above a year is cut, one of more than ten digits is none");
    let age = |digits: &str| {
        StsPolicy::parse(ENFORCE.replace("86400", digits).as_bytes())
            .map_or_else(|error| error.to_string(), |policy| policy.max_age.as_secs().to_string())
    };
    for (digits, expected) in [
        ("31557600", "31557600"),
        ("31557601", "31557600"),
        ("9999999999", "31557600"),
        ("10000000000", "no max_age, or no number"),
        ("-1", "no max_age, or no number"),
        ("0", "0"),
    ] {
        table.case(format!("max_age: {digits}"), expected, age(digits));
    }
    let expiry = hosts(RECORD).policy(&ENFORCE.replace("86400", "0")).plan().expires();
    table.case("max_age: 0, fetched now", "the plan expires in 0 ms", expires(expiry));

    table.row(53, "a wildcard is exactly one label");
    for (host, expected) in [
        ("mail.example.net", "true"),
        ("_m.example.net", "true"),
        ("example.net", "false"),
        ("a.b.example.net", "false"),
        ("mailexample.net", "false"),
    ] {
        let pattern = MxPattern::parse("*.example.net").unwrap();
        table.case(
            format!("*.example.net, {host}"),
            expected,
            pattern.matches(&host.parse().unwrap()).to_string(),
        );
    }
}

fn application(table: &mut Table) {
    let note = "not-in-sts-policy: b.example.com";
    table.row(54, "enforce, some match: the others keep their place, are never dialled, and are reported");
    let input = hosts(RECORD).policy(ENFORCE);
    let plan = input.plan();
    let dialled: Vec<String> = plan.attempt(1).dials().map(|dial| dial.address.to_string()).collect();
    table.case(format!("{}: dialled", input.shown()), "192.0.2.1", dialled.join(" "));
    table.resolve(input, &format!("{ENFORCED}; sts fetched enforce n2; {MISMATCH}; {note}"));
    let own = format!("{HOSTS}\nexample.org MX 15 c.example.com\nc.example.com A 192.0.2.9\n{RECORD}");
    table.resolve(
        zone(&own).sts().policy(ENFORCE),
        "mx: 10 a.example.net 192.0.2.1 [pkix: sts, a.example.net]; sts fetched enforce n2; \
         -c.example.com not-better-than-self; -b.example.com not-better-than-self",
    );

    table.row(55, "enforce, none matches: temporary, after the record was looked up");
    let none = ENFORCE.replace("*.example.net", "mail.example.com");
    let lacking = "4.7.5 sts-policy; sts fetched enforce n2; !validation-failure: a.example.net: not in the policy; \
                   !validation-failure: b.example.com: not in the policy; not-in-sts-policy: a.example.net; \
                   not-in-sts-policy: b.example.com";
    table.resolve(hosts(RECORD).policy(&none), lacking);
    table.resolve(hosts("").cached("o1", &none), &lacking.replace("fetched enforce n2", "cached enforce o1"));
    // With the new policy in place of the cached one, mail goes out.
    table.resolve(
        hosts(RECORD).policy(ENFORCE).cached("o1", &none),
        &format!("{ENFORCED}; sts fetched enforce n2; {MISMATCH}; {note}"),
    );

    table.row(56, "enforce: TLS with a certificate for the name of the MX host, which is the SNI");
    let plan = hosts(RECORD).policy(ENFORCE).plan();
    let mailwright_mx::Tls::Pkix(pkix) = &plan.hosts()[0].tls else { panic!() };
    table.case(
        "the first host of row 54",
        "sni a.example.net, testing false",
        format!("sni {}, testing {}", pkix.sni, pkix.testing),
    );

    table.row(57, "testing: mail goes out and is reported; none: as without a policy");
    table.resolve(
        hosts(RECORD).policy(TESTING),
        &format!(
            "mx: 10 a.example.net 192.0.2.1 [pkix: sts, a.example.net, testing], 20 b.example.com 192.0.2.2 \
             [opportunistic: not-in-testing-policy]; sts fetched testing n2; {MISMATCH}; {note}"
        ),
    );
    table.resolve(hosts(RECORD).policy(NONE), &format!("{WITHOUT}; sts fetched none n2"));
    table.resolve(
        hosts(RECORD).cached("o1", NONE).fetched(Err(FetchFailure::Timeout), "timeout"),
        &format!("{WITHOUT}; sts cached none o1; sts-policy-fetch-error: timeout"),
    );

    table.row(58, "a subdomain has no part in the policy of its parent");
    let below = format!("mail.{HOSTS}\nmail.example.org MX 20 b.example.com\n{RECORD}");
    table.resolve(zone(&below).sts().policy(ENFORCE).to("mail.example.org"), &format!("{WITHOUT}; sts none"));

    table.row(59, "a smart host has the policy of its own domain");
    let relay = format!("smart.example.org A 192.0.2.5\nexample.org A 192.0.2.6\n{RECORD}");
    table.resolve(
        zone(&relay).sts().policy(ENFORCE).to("smart.example.org:587"),
        "relay: 0 smart.example.org 192.0.2.5 [opportunistic: no-policy]; sts none",
    );
    table.resolve(
        zone(&relay).sts().policy(&ENFORCE.replace("*.example.net", "example.org")).to("example.org:587"),
        "relay: 0 example.org 192.0.2.6 [pkix: sts, example.org]; sts fetched enforce n2",
    );

    table.row(60, "a domain that is an alias has the policy of its own name");
    let alias = "example.org CNAME real.example\nreal.example MX 10 a.example.net\na.example.net A 192.0.2.1";
    table.resolve(
        zone(&format!("{alias}\n{RECORD}")).sts().policy(ENFORCE),
        "mx: 10 a.example.net 192.0.2.1 [pkix: sts, a.example.net]; sts fetched enforce n2",
    );
    table.resolve(
        zone(&format!("{alias}\n_mta-sts.real.example TXT \"v=STSv1; id=x\"")).sts().policy(ENFORCE),
        "mx: 10 a.example.net 192.0.2.1 [opportunistic: no-policy]; sts none",
    );

    table.row(61, "a domain that is its own host is matched by its own name");
    let own = |pattern: &str| {
        zone(&format!("example.org A 192.0.2.1\n{RECORD}"))
            .sts()
            .policy(&ENFORCE.replace("*.example.net", pattern))
    };
    table.resolve(
        own("example.org"),
        "implicit-mx: 0 example.org 192.0.2.1 [pkix: sts, example.org]; sts fetched enforce n2",
    );
    table.resolve(
        own("*.example.org"),
        "4.7.5 sts-policy; sts fetched enforce n2; !validation-failure: example.org: not in the policy; not-in-sts-policy: example.org",
    );

    table.row(62, "with both, DANE decides whom to believe");
    let both = format!(
        "example.org secure\nexample.net secure\nexample.org MX 10 a.example.net\na.example.net A 192.0.2.1\n\
         _25._tcp.a.example.net TLSA 3 1 1 {}\n{RECORD}",
        "ab".repeat(32)
    );
    table.resolve(
        zone(&both).sts().dane().policy(ENFORCE),
        "mx: 10 a.example.net 192.0.2.1 [dane: 3 1 1, a.example.net+example.org, sts beside it]; sts fetched enforce n2",
    );
    table.resolve(
        zone(&format!("{both}\n_25._tcp.a.example.net fail servfail")).sts().dane().policy(ENFORCE),
        "4.4.4 no-host-now; sts fetched enforce n2; -a.example.net lookup-failed: TLSA: servfail; \
         !dnssec-invalid: a.example.net: TLSA: servfail",
    );
}
