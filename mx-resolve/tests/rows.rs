//! The reactions of the MX stage, row by row: a zone, a destination, and what must come of it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use support::{Case, config, plan};

/// What is expected: for a plan its kind and hosts, for a failure its status and reason.
fn check(row: u32, cases: &[(&str, &str, &str)]) {
    for (zone, destination, expected) in cases {
        let found = Case::new(zone).destination(destination).outcome();
        assert_eq!(found, *expected, "row {row}: {destination} in\n{zone}");
    }
}

#[test]
fn row_1_mx_records_are_sorted_by_preference_and_equals_are_shuffled() {
    let zone = "example.org MX 20 c.example.net\nexample.org MX 10 a.example.net\nexample.org MX 10 b.example.net\n\
                a.example.net A 192.0.2.1\nb.example.net A 192.0.2.2\nc.example.net A 192.0.2.3";
    check(
        1,
        &[(
            zone,
            "example.org",
            "mx: 10 a.example.net 192.0.2.1, 10 b.example.net 192.0.2.2, 20 c.example.net 192.0.2.3",
        )],
    );
    let plan = plan(zone, "example.org");
    let first = |seed| plan.attempt(seed).dials().next().unwrap().address.to_string();
    let firsts: std::collections::BTreeSet<String> = (0..20).map(first).collect();
    assert_eq!(firsts.into_iter().collect::<Vec<_>>(), ["192.0.2.1", "192.0.2.2"]);
    assert!((0..20).all(|seed| plan.attempt(seed).dials().last().unwrap().host.preference == 20));
}

#[test]
fn row_2_a_domain_without_mx_records_is_its_own_host() {
    check(
        2,
        &[
            ("example.org A 192.0.2.1", "example.org", "implicit-mx: 0 example.org 192.0.2.1"),
            ("example.org AAAA 2001:db8::1", "example.org", "implicit-mx: 0 example.org 2001:db8::1"),
            (
                "www.example.org CNAME example.org\nexample.org A 192.0.2.1",
                "www.example.org",
                "implicit-mx: 0 example.org 192.0.2.1",
            ),
        ],
    );
}

#[test]
fn row_3_a_domain_that_does_not_exist_is_permanent_after_one_question() {
    check(3, &[("example.org A 192.0.2.1", "example.net", "5.1.2 550 no-such-domain")]);
    let error = Case::new("").destination("example.net").error();
    assert_eq!(error.report().queries, 1);
}

#[test]
fn row_4_a_failed_lookup_is_temporary_and_never_an_implicit_mx() {
    for failure in ["servfail", "timeout", "refused", "notimp", "formerr", "malformed"] {
        let zone = format!("example.org A 192.0.2.1\nexample.org fail {failure} MX");
        check(4, &[(&zone, "example.org", "4.4.3 lookup-failed")]);
        let error = Case::new(&zone).error();
        assert_eq!(error.report().queries, 1, "no address query");
        assert!(error.to_string().ends_with(failure), "{error}");
    }
    check(4, &[("example.org A 192.0.2.1\nexample.org MX malformed", "example.org", "4.4.3 lookup-failed")]);
}

#[test]
fn row_5_an_absence_without_proof_is_temporary() {
    check(
        5,
        &[
            ("example.org A 192.0.2.1\nexample.org soa none", "example.org", "4.4.3 lookup-failed"),
            ("org soa none", "example.org", "4.4.3 lookup-failed"),
        ],
    );
}

#[test]
fn row_6_a_null_mx_is_permanent_after_one_question() {
    check(
        6,
        &[
            ("example.org MX 0 .\nexample.org A 192.0.2.1", "example.org", "5.1.10 556 null-mx"),
            (
                "example.org MX 10 .\nexample.org A 192.0.2.1",
                "example.org",
                "5.1.10 556 null-mx; null-mx-preference: 10",
            ),
        ],
    );
    assert_eq!(Case::new("example.org MX 0 .").error().report().queries, 1);
}

#[test]
fn row_7_the_root_among_hosts_is_left_out() {
    let zone = "example.org MX 0 .\nexample.org MX 10 mx.example.org\nmx.example.org A 192.0.2.1";
    check(7, &[(zone, "example.org", "mx: 10 mx.example.org 192.0.2.1; null-mx-among-hosts")]);
}

#[test]
fn row_8_mx_hosts_without_addresses_are_permanent_and_no_implicit_mx() {
    let zone = "example.org MX 10 a.example.net\nexample.org MX 20 b.example.net\nexample.org A 192.0.2.1\n\
                b.example.net TXT \"x\"";
    check(
        8,
        &[(
            zone,
            "example.org",
            "5.4.4 550 no-usable-host; -a.example.net no-address; -b.example.net no-address",
        )],
    );
    let mut config = config();
    config.defer_without_host = true;
    assert!(Case::new(zone).config(config).outcome().starts_with("4.4.4 no-usable-host"));
}

#[test]
fn row_9_a_host_that_failed_for_now_outweighs_those_that_do_not_exist() {
    let zone =
        "example.org MX 10 a.example.net\nexample.org MX 20 b.example.net\nb.example.net fail servfail";
    check(
        9,
        &[(
            zone,
            "example.org",
            "4.4.4 no-host-now; -a.example.net no-address; -b.example.net lookup-failed: AAAA: servfail",
        )],
    );
}

#[test]
fn row_10_hosts_that_resolve_are_used_and_the_others_listed() {
    let zone = "example.org MX 10 a.example.net\nexample.org MX 20 b.example.net\na.example.net fail timeout\n\
                b.example.net A 192.0.2.2";
    check(
        10,
        &[(
            zone,
            "example.org",
            "mx: 20 b.example.net 192.0.2.2; -a.example.net lookup-failed: AAAA: timeout",
        )],
    );
}

#[test]
fn row_11_an_implicit_mx_without_addresses_is_permanent() {
    check(11, &[("example.org TXT \"x\"", "example.org", "5.1.2 550 no-address; -example.org no-address")]);
}

#[test]
fn row_12_one_family_of_addresses_is_enough_for_a_while() {
    for (there, failed, address) in [("A", "AAAA", "192.0.2.1"), ("AAAA", "A", "2001:db8::1")] {
        let zone = format!(
            "example.org MX 10 a.example.net\na.example.net {there} {address}\na.example.net fail servfail {failed}"
        );
        let expected =
            format!("mx: 10 a.example.net {address}; partial-addresses: a.example.net {failed}: servfail");
        check(12, &[(&zone, "example.org", &expected)]);
        let plan = plan(&zone, "example.org");
        assert!(plan.hosts()[0].partial);
        assert_eq!(plan.expires().as_millis() - support::NOW.as_millis(), 60_000);
    }
}

#[test]
fn row_13_no_address_and_a_failure_is_temporary() {
    for (absent, failed) in [("A", "AAAA"), ("AAAA", "A")] {
        let zone = format!(
            "example.org MX 10 a.example.net\na.example.net TXT \"x\"\na.example.net fail servfail {failed}"
        );
        let expected = format!("4.4.4 no-host-now; -a.example.net lookup-failed: {failed}: servfail");
        check(13, &[(&zone, "example.org", &expected)]);
        let implicit = format!("example.org TXT \"x\"\nexample.org fail servfail {failed}");
        let error = Case::new(&implicit).error();
        assert_eq!(error.to_string(), format!("4.4.3 example.org {failed}: servfail"), "{absent}");
    }
}

#[test]
fn row_14_an_alias_is_followed_as_if_its_target_had_been_asked_for() {
    let zone =
        "alias.example CNAME example.org\nexample.org MX 10 mx.example.org\nmx.example.org A 192.0.2.1";
    check(14, &[(zone, "alias.example", "mx: 10 mx.example.org 192.0.2.1")]);
    for first_only in [false, true] {
        let plan = Case::new(zone).destination("alias.example").first_alias_only(first_only).plan();
        assert_eq!(plan.destination().to_string(), "alias.example");
        assert_eq!(plan.expanded().unwrap().as_str(), "example.org");
    }
}

#[test]
fn row_15_loops_and_long_chains_are_temporary() {
    let long = |links: usize| {
        let mut zone: String =
            (0..links).map(|link| format!("a{link}.example CNAME a{}.example\n", link + 1)).collect();
        zone.push_str(&format!("a{links}.example MX 10 mx.example.org\nmx.example.org A 192.0.2.1"));
        zone
    };
    for first_only in [false, true] {
        let outcome =
            |zone: &str, name: &str| Case::new(zone).destination(name).first_alias_only(first_only).outcome();
        assert_eq!(
            outcome("a.example CNAME b.example\nb.example CNAME a.example", "a.example"),
            "4.4.3 lookup-failed"
        );
        assert_eq!(outcome("a.example CNAME a.example", "a.example"), "4.4.3 lookup-failed");
        assert_eq!(outcome(&long(10), "a0.example"), "mx: 10 mx.example.org 192.0.2.1");
        assert_eq!(outcome(&long(11), "a0.example"), "4.4.3 lookup-failed");
    }
}

#[test]
fn row_16_an_alias_of_nothing_is_permanent() {
    check(16, &[("a.example CNAME b.example", "a.example", "5.1.2 550 no-such-domain")]);
    assert_eq!(
        Case::new("a.example CNAME b.example").destination("a.example").first_alias_only(true).outcome(),
        "5.1.2 550 no-such-domain"
    );
}

#[test]
fn row_17_a_host_that_is_an_alias_is_followed() {
    let zone = "example.org MX 10 mx.example.org\nmx.example.org CNAME host.example.net\nhost.example.net A 192.0.2.1";
    check(
        17,
        &[(
            zone,
            "example.org",
            "mx: 10 mx.example.org 192.0.2.1; host-is-alias: mx.example.org for host.example.net",
        )],
    );
    assert_eq!(plan(zone, "example.org").hosts()[0].canonical.as_ref().unwrap().as_str(), "host.example.net");
}

#[test]
fn row_18_an_address_as_host_name_is_skipped() {
    for name in ["192.0.2.1", "127.1", "2001:db8::1"] {
        let zone = format!("example.org MX 10 {name}\n{name} A 192.0.2.1");
        let reason = if name.contains(':') { "malformed-name" } else { "address-as-name" };
        check(18, &[(&zone, "example.org", &format!("5.4.4 550 no-usable-host; -{name} {reason}"))]);
        assert_eq!(Case::new(&zone).error().report().queries, 1);
    }
}

#[test]
fn row_19_special_names_are_skipped_without_a_question() {
    for (name, reason) in [
        ("localhost", "special-use: localhost"),
        ("mx.localhost", "special-use: localhost"),
        ("mx.invalid", "special-use: invalid"),
        ("mx.onion", "special-use: onion"),
        ("mx", "single-label"),
    ] {
        let zone = format!("example.org MX 10 {name}\n{name} A 192.0.2.1");
        check(19, &[(&zone, "example.org", &format!("5.4.4 550 no-usable-host; -{name} {reason}"))]);
        assert_eq!(Case::new(&zone).error().report().queries, 1);
    }
    for name in ["localhost", "example.invalid", "example.onion"] {
        let error = Case::new(&format!("{name} MX 10 mx.example.org")).destination(name).error();
        assert_eq!((error.status().to_string().as_str(), error.report().queries), ("5.1.2", 0));
    }
}

#[test]
fn row_20_addresses_that_point_inwards_are_dropped() {
    for (record, address, reason) in [
        ("A", "127.0.0.1", "loopback"),
        ("A", "0.0.0.0", "unspecified"),
        ("A", "224.0.0.1", "multicast"),
        ("A", "169.254.1.1", "link-local"),
        ("AAAA", "::1", "loopback"),
        ("AAAA", "::ffff:127.0.0.1", "loopback"),
        ("AAAA", "fe80::1", "link-local"),
    ] {
        let zone = format!("example.org MX 10 a.example.net\na.example.net {record} {address}");
        let note = format!("refused-address: a.example.net {address}: {reason}");
        let expected = format!("5.4.4 550 no-usable-host; -a.example.net refused-address: {reason}; {note}");
        check(20, &[(&zone, "example.org", &expected)]);
        let beside = format!("{zone}\na.example.net A 192.0.2.1");
        check(20, &[(&beside, "example.org", &format!("mx: 10 a.example.net 192.0.2.1; {note}"))]);
    }
    check(20, &[("", "[127.0.0.1]", "5.4.4 550 no-usable-host")]);
    let private = "example.org MX 10 a.example.net\na.example.net A 10.0.0.1";
    check(20, &[(private, "example.org", "mx: 10 a.example.net 10.0.0.1")]);
    let mut strict = config();
    strict.addresses.refuse_private = true;
    assert!(Case::new(private).config(strict).outcome().starts_with("5.4.4 550 no-usable-host"));
    let mut lax = config();
    lax.addresses.allow_loopback = true;
    let zone = "example.org MX 10 a.example.net\na.example.net A 127.0.0.1";
    assert_eq!(Case::new(zone).config(lax).outcome(), "mx: 10 a.example.net 127.0.0.1");
}

#[test]
fn row_21_malformed_host_names_are_skipped() {
    let long_label = "a".repeat(64);
    let long_name = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(63)].join(".");
    for (written, shown) in [
        (r"mx\000.example.org", r"mx\000.example.org"),
        (r"mx\013\010.example.org", r"mx\013\010.example.org"),
        (r"mx\032x.example.org", r"mx\032x.example.org"),
        (r"mx\127.example.org", r"mx\127.example.org"),
        (r"mx\255.example.org", r"mx\255.example.org"),
        (r#"mx\034.example.org"#, r#"mx\".example.org"#),
        (r"mx\.example.org", r"mx\.example.org"),
        (&long_label, &long_label),
        (&long_name, &long_name),
    ] {
        let zone = format!("example.org MX 10 {written}");
        check(21, &[(&zone, "example.org", &format!("5.4.4 550 no-usable-host; -{shown} malformed-name"))]);
    }
}

#[test]
fn row_22_an_underscore_in_a_host_name_is_accepted() {
    let zone = "example.org MX 10 my_host.example.org\nmy_host.example.org A 192.0.2.1";
    check(22, &[(zone, "example.org", "mx: 10 my_host.example.org 192.0.2.1")]);
}

#[test]
fn row_23_of_a_host_that_is_there_twice_the_better_preference_counts() {
    let zone = "example.org MX 20 a.example.net\nexample.org MX 10 A.example.net\na.example.net A 192.0.2.1";
    check(23, &[(zone, "example.org", "mx: 10 a.example.net 192.0.2.1; duplicate-host: a.example.net")]);
}

#[test]
fn row_24_an_address_of_several_hosts_is_dialled_once() {
    let zone = "example.org MX 10 a.example.net\nexample.org MX 20 b.example.net\na.example.net A 192.0.2.1\n\
                b.example.net A 192.0.2.1\nb.example.net A 192.0.2.2";
    let plan = plan(zone, "example.org");
    let dials: Vec<String> = plan
        .attempt(3)
        .dials()
        .map(|dial| format!("{} {}", dial.host.name.as_ref().unwrap(), dial.address))
        .collect();
    assert_eq!(dials, ["a.example.net 192.0.2.1", "b.example.net 192.0.2.2"]);
}

#[test]
fn row_25_this_host_and_everything_not_better_is_dropped() {
    let zone = "example.org MX 10 a.example.net\nexample.org MX 20 self.example.com\nexample.org MX 20 b.example.net\n\
                example.org MX 30 c.example.net\na.example.net A 192.0.2.1\nself.example.com A 192.0.2.9\n\
                b.example.net A 192.0.2.2\nc.example.net A 192.0.2.3";
    let expected = "mx: 10 a.example.net 192.0.2.1; -b.example.net not-better-than-self; \
                    -self.example.com not-better-than-self; -c.example.net not-better-than-self";
    let mut by_name = config();
    by_name.self_names = vec!["self.example.com".parse().unwrap()];
    let mut by_address = config();
    by_address.self_addresses = vec!["::ffff:192.0.2.9".parse().unwrap()];
    let mut by_alias = config();
    by_alias.self_names = vec!["real.example.com".parse().unwrap()];
    assert_eq!(Case::new(zone).config(by_name).outcome(), expected);
    assert_eq!(Case::new(zone).config(by_address).outcome(), expected);
    let alias = format!(
        "{}\nreal.example.com A 192.0.2.9",
        zone.replace("self.example.com A 192.0.2.9", "self.example.com CNAME real.example.com")
    );
    let found = Case::new(&alias).config(by_alias).outcome();
    assert!(found.starts_with(expected), "{found}");
}

#[test]
fn row_26_nothing_better_than_this_host_is_a_loop() {
    let mut config = config();
    config.self_names = vec!["self.example.com".parse().unwrap()];
    config.self_addresses = vec!["192.0.2.9".parse().unwrap()];
    for (zone, destination) in [
        (
            "example.org MX 10 self.example.com\nexample.org MX 10 a.example.net\na.example.net A 192.0.2.1",
            "example.org",
        ),
        ("example.org MX 10 a.example.net\na.example.net A 192.0.2.9", "example.org"),
        ("example.org A 192.0.2.9", "example.org"),
        ("self.example.com A 192.0.2.1", "self.example.com"),
        ("", "[192.0.2.9]"),
    ] {
        let found = Case::new(zone).destination(destination).config(config.clone()).outcome();
        assert!(found.starts_with("5.4.6 554 self-is-best"), "{found}");
    }
}

#[test]
fn row_27_better_hosts_that_fail_for_now_are_waited_for() {
    let mut config = config();
    config.self_addresses = vec!["192.0.2.9".parse().unwrap()];
    let zone = "example.org MX 10 a.example.net\nexample.org MX 20 b.example.net\nexample.org MX 30 c.example.net\n\
                a.example.net fail servfail\nb.example.net A 192.0.2.9\nc.example.net A 192.0.2.3";
    assert_eq!(
        Case::new(zone).config(config).outcome(),
        "4.4.4 no-host-now; -a.example.net lookup-failed: AAAA: servfail; -b.example.net not-better-than-self; \
         -c.example.net not-better-than-self"
    );
}

#[test]
fn row_28_hosts_addresses_and_questions_have_caps() {
    let mut zone = String::new();
    for host in 0..300 {
        zone.push_str(&format!(
            "example.org MX 10 h{host}.example.net\nh{host}.example.net A 192.0.2.{}\n",
            host % 250 + 1
        ));
    }
    for address in 1..200 {
        zone.push_str(&format!("h0.example.net A 198.51.100.{address}\n"));
    }
    let plan = plan(&zone, "example.org");
    assert_eq!(plan.hosts().len(), 20);
    assert_eq!(plan.report().queries, 41);
    assert_eq!(plan.attempt(5).dials().count(), 5);
    assert!(
        plan.report().diagnostics.iter().any(|found| found.to_string() == "too-many-hosts: 280 left out")
    );
    let mut small = config();
    small.limits.dials = 0;
    let plan = Case::new(&zone).config(small).plan();
    assert_eq!(plan.attempt(5).dials().count(), 2, "two at least");
}

#[test]
fn row_29_both_families_have_their_share_of_the_cap() {
    let mut zone = String::from("example.org MX 10 a.example.net\nexample.org MX 20 b.example.net\n");
    for address in 1..9 {
        zone.push_str(&format!(
            "a.example.net AAAA 2001:db8::{address}\nb.example.net A 192.0.2.{address}\n"
        ));
    }
    let plan = plan(&zone, "example.org");
    let families: Vec<bool> = plan.attempt(1).dials().map(|dial| dial.address.is_ipv6()).collect();
    assert_eq!(families, [true, true, true, false, false], "better hosts first");
}

#[test]
fn row_30_a_literal_is_its_own_host() {
    check(
        30,
        &[
            ("", "[192.0.2.1]", "literal: 0 192.0.2.1"),
            ("", "[IPv6:2001:db8::1]", "literal: 0 2001:db8::1"),
            ("", "[192.0.2.300]", "5.1.3 553 malformed-literal"),
            ("", "[2001:db8::1]", "5.1.3 553 malformed-literal"),
            ("", "[192.0.2.1", "5.1.3 553 malformed-literal"),
            ("", "[x:y]", "5.1.3 553 malformed-literal"),
        ],
    );
    assert_eq!(plan("", "[192.0.2.1]").report().queries, 0);
}

#[test]
fn row_31_an_address_without_brackets_is_no_domain() {
    for text in ["192.0.2.1", "2001:db8::1", "127.1"] {
        check(31, &[("", text, "5.1.2 550 address-without-brackets")]);
    }
}

#[cfg(feature = "idna")]
#[test]
fn row_32_u_labels_are_looked_up_as_a_labels() {
    let zone = "xn--bcher-kva.example MX 10 mx.example.org\nmx.example.org A 192.0.2.1";
    check(32, &[(zone, "BÜCHER.example", "mx: 10 mx.example.org 192.0.2.1")]);
}

#[test]
fn row_33_what_is_no_name_is_permanent() {
    for text in ["a..b", "", "a b.example", "-a.example"] {
        check(33, &[("", text, "5.1.2 550 invalid-domain")]);
    }
    #[cfg(feature = "idna")]
    for text in ["xn--a.example", "\u{200d}.example", "a\u{2260}b..example"] {
        check(33, &[("", text, "5.1.2 550 invalid-domain")]);
    }
}

#[test]
fn row_37_a_wildcard_is_a_record_like_others() {
    let zone = "*.example.org MX 10 mx.example.net\nmx.example.net A 192.0.2.1";
    check(37, &[(zone, "any.thing.example.org", "mx: 10 mx.example.net 192.0.2.1")]);
}

#[test]
fn row_38_what_is_truncated_over_tcp_too_is_temporary() {
    check(38, &[("example.org fail truncated", "example.org", "4.4.3 lookup-failed")]);
}
