//! Rows 1 to 39: MX records, hosts, addresses.

use core::time::Duration;

use mailwright_mx::dns::{
    Answer, Message, Mx, Question, Record, RecordData, RecordType, ResponseCode, StartOfAuthority,
};
use mailwright_mx::{Cache, Destination, DomainName, Limits, MessageTls, RouteError, Target};

use crate::table::{NOW, Table, zone};

const ONE: &str = "example.org MX 10 a.example.net\na.example.net A 192.0.2.1";
const TWO: &str = "example.org MX 10 a.example.net\nexample.org MX 20 b.example.net";

pub(crate) fn rows(table: &mut Table) {
    records(table);
    failures(table);
    aliases(table);
    hosts(table);
    own(table);
    limits(table);
    destinations(table);
    lifetimes(table);
}

fn records(table: &mut Table) {
    table.row(1, "sort by preference, equals in random order");
    table.resolve(
        zone("example.org MX 20 b.example.net\nexample.org MX 10 a.example.net\na.example.net A 192.0.2.1\nb.example.net A 192.0.2.2"),
        "mx: 10 a.example.net 192.0.2.1, 20 b.example.net 192.0.2.2",
    );
    let equal = zone(
        "example.org MX 10 a.example.net\nexample.org MX 10 b.example.net\na.example.net A 192.0.2.1\nb.example.net A 192.0.2.2",
    );
    let plan = equal.plan();
    let first = |seed| plan.attempt(seed).dials().next().unwrap().address.to_string();
    let firsts: std::collections::BTreeSet<String> = (0..20).map(first).collect();
    table.case(
        format!("{}: first addresses of 20 attempts", equal.shown()),
        "192.0.2.1 192.0.2.2",
        firsts.into_iter().collect::<Vec<_>>().join(" "),
    );
    table.row(2, "no MX records: the domain is its own host");
    table.resolve(zone("example.org A 192.0.2.1"), "implicit-mx: 0 example.org 192.0.2.1");
    table.row(3, "the domain does not exist: permanent, no address lookup");
    table.resolve(zone("").to("example.com"), "5.1.2 550 no-such-domain");
    let asked = zone("").to("example.com").error().report().queries;
    table.case("how many questions that takes", "1", asked.to_string());
    table.row(6, "a null MX: permanent, no address lookup");
    table.resolve(zone("example.org MX 0 .\nexample.org A 192.0.2.1"), "5.1.10 556 null-mx");
    table.resolve(zone("example.org MX 10 ."), "5.1.10 556 null-mx; null-mx-preference: 10");
    table.row(7, "`.` among hosts is left out");
    table.resolve(
        zone(&format!("{ONE}\nexample.org MX 0 .")),
        "mx: 10 a.example.net 192.0.2.1; null-mx-among-hosts",
    );
    table.row(95, "a sender whose domain has a null MX may be refused: that it has one is known");
    table.resolve(zone("example.org MX 0 ."), "5.1.10 556 null-mx");
}

fn failures(table: &mut Table) {
    table.row(4, "a failed lookup: temporary, never an implicit MX");
    for failure in ["servfail", "timeout", "refused", "notimp", "formerr", "malformed"] {
        table.resolve(
            zone(&format!("example.org A 192.0.2.1\nexample.org fail {failure} MX")),
            "4.4.3 lookup-failed",
        );
    }
    table.resolve(zone("example.org A 192.0.2.1\nexample.org MX malformed"), "4.4.3 lookup-failed");
    table.row(5, "an absence without an SOA record: temporary");
    table.resolve(zone("example.org A 192.0.2.1\nexample.org soa none"), "4.4.3 lookup-failed");
    table.row(8, "MX hosts without addresses: permanent, or temporary by an option; no implicit MX");
    let lost = || zone("example.org MX 10 a.example.net\nexample.org A 192.0.2.1");
    table.resolve(lost(), "5.4.4 550 no-usable-host; -a.example.net no-address");
    table.resolve(
        lost().with("wait", |config| config.defer_without_host = true),
        "4.4.4 no-usable-host; -a.example.net no-address",
    );
    table.row(9, "no host can be used, and one lookup failed: temporary");
    table.resolve(
        zone(&format!("{TWO}\nb.example.net fail servfail")),
        "4.4.4 no-host-now; -a.example.net no-address; -b.example.net lookup-failed: AAAA: servfail",
    );
    table.row(10, "hosts that resolve are used, the others listed");
    table.resolve(
        zone(&format!("{TWO}\na.example.net fail timeout\nb.example.net A 192.0.2.2")),
        "mx: 20 b.example.net 192.0.2.2; -a.example.net lookup-failed: AAAA: timeout",
    );
    table.row(11, "neither MX records nor addresses: permanent");
    table.resolve(zone("example.org TXT \"x\""), "5.1.2 550 no-address; -example.org no-address");
    table.row(12, "one family of addresses is enough, for a while");
    let partial = zone(&format!("{ONE}\na.example.net fail servfail AAAA"));
    let life = partial.plan().expires().saturating_duration_since(NOW).as_secs();
    table.resolve(partial, "mx: 10 a.example.net 192.0.2.1; partial-addresses: a.example.net AAAA: servfail");
    table.case("seconds that such a plan holds", "60", life.to_string());
    table.row(13, "no address in one family, failure in the other: temporary");
    table.resolve(
        zone("example.org MX 10 a.example.net\na.example.net TXT \"x\"\na.example.net fail servfail AAAA"),
        "4.4.4 no-host-now; -a.example.net lookup-failed: AAAA: servfail",
    );
    table.row(38, "truncated over TCP too: temporary");
    table.resolve(zone("example.org fail truncated"), "4.4.3 lookup-failed");
}

fn aliases(table: &mut Table) {
    table.row(14, "an alias is followed as if its target had been asked for");
    let alias = || zone(&format!("alias.example CNAME example.org\n{ONE}")).to("alias.example");
    table.resolve(alias(), "mx: 10 a.example.net 192.0.2.1");
    table.resolve(alias().stepwise(), "mx: 10 a.example.net 192.0.2.1");
    let plan = alias().plan();
    let names = format!("{} {}", plan.destination(), plan.expanded().unwrap());
    table.case("both names are kept", "alias.example example.org", names);
    table.row(15, "loops and long chains: temporary");
    table.resolve(
        zone("a.example CNAME b.example\nb.example CNAME a.example").to("a.example"),
        "4.4.3 lookup-failed",
    );
    let chain = |links: usize| {
        let links: String =
            (0..links).map(|link| format!("a{link}.example CNAME a{}.example\n", link + 1)).collect();
        links + ONE
    };
    for (links, expected) in [(10, "5.1.2 550 no-such-domain"), (11, "4.4.3 lookup-failed")] {
        let got = zone(&chain(links)).to("a0.example").outcome();
        table.case(format!("a chain of {links} aliases, of no name"), expected, got);
    }
    table.row(16, "an alias of a name that does not exist: permanent");
    table.resolve(zone("a.example CNAME b.example").to("a.example"), "5.1.2 550 no-such-domain");
    table.row(17, "a host that is an alias is followed");
    table.resolve(
        zone("example.org MX 10 a.example.net\na.example.net CNAME b.example.net\nb.example.net A 192.0.2.1"),
        "mx: 10 a.example.net 192.0.2.1; host-is-alias: a.example.net for b.example.net",
    );
}

fn hosts(table: &mut Table) {
    let only = |name: &str| zone(&format!("example.org MX 10 {name}\n{name} A 192.0.2.1"));
    table.row(18, "an address as the name of a host: left out");
    for name in ["192.0.2.1", "127.1"] {
        table.resolve(only(name), &format!("5.4.4 550 no-usable-host; -{name} address-as-name"));
    }
    table.row(19, "names of special use, and of one label: left out without a question");
    for (name, reason) in [
        ("localhost", "special-use: localhost"),
        ("mx.localhost", "special-use: localhost"),
        ("mx.invalid", "special-use: invalid"),
        ("mx.onion", "special-use: onion"),
        ("mx", "single-label"),
    ] {
        table.resolve(only(name), &format!("5.4.4 550 no-usable-host; -{name} {reason}"));
    }
    table.row(20, "addresses that point inwards are dropped");
    for (record, address, reason) in [
        ("A", "127.0.0.1", "loopback"),
        ("A", "0.0.0.0", "unspecified"),
        ("A", "224.0.0.1", "multicast"),
        ("A", "169.254.1.1", "link-local"),
        ("AAAA", "::ffff:127.0.0.1", "loopback"),
        ("AAAA", "fe80::1", "link-local"),
    ] {
        table.resolve(
            zone(&format!("example.org MX 10 a.example.net\na.example.net {record} {address}")),
            &format!("5.4.4 550 no-usable-host; -a.example.net refused-address: {reason}; refused-address: a.example.net {address}: {reason}"),
        );
    }
    table.resolve(
        zone("example.org MX 10 a.example.net\na.example.net A 10.0.0.1")
            .with("no private addresses", |config| config.addresses.refuse_private = true),
        "5.4.4 550 no-usable-host; -a.example.net refused-address: private; refused-address: a.example.net 10.0.0.1: private",
    );
    table.row(21, "malformed names of hosts: left out");
    for name in [r"a\000.example.net", r"a\013\010.example.net", r"a\.example.net"] {
        table.resolve(only(name), &format!("5.4.4 550 no-usable-host; -{name} malformed-name"));
    }
    table.row(22, "an underscore is accepted");
    table.resolve(only("my_host.example.net"), "mx: 10 my_host.example.net 192.0.2.1");
    table.row(23, "a host that is there twice has the better preference");
    table.resolve(
        zone(&format!("{ONE}\nexample.org MX 5 A.example.net")),
        "mx: 5 a.example.net 192.0.2.1; duplicate-host: a.example.net",
    );
    table.row(24, "an address of several hosts is dialled once");
    let shared = zone(&format!(
        "{TWO}\na.example.net A 192.0.2.1\nb.example.net A 192.0.2.1\nb.example.net A 192.0.2.2"
    ));
    let dials: Vec<String> = shared.plan().attempt(3).dials().map(|dial| dial.address.to_string()).collect();
    table.case(format!("{}: dialled", shared.shown()), "192.0.2.1 192.0.2.2", dials.join(" "));
    let differ = zone(&format!(
        "example.org secure\nexample.net secure\n{ONE}\nexample.org MX 20 b.example.com\nb.example.com A 192.0.2.1\n\
         _25._tcp.a.example.net TLSA 3 1 1 {}",
        "ab".repeat(32)
    ))
    .dane();
    let plan = differ.plan();
    let dials: Vec<&str> = plan.attempt(3).dials().map(|dial| dial.host.tls.level()).collect();
    table.case(format!("{}: dialled with", differ.shown()), "dane opportunistic", dials.join(" "));
    table.row(37, "a wildcard is a record like others");
    table.resolve(
        zone("*.example.org MX 10 a.example.net\na.example.net A 192.0.2.1").to("x.y.example.org"),
        "mx: 10 a.example.net 192.0.2.1",
    );
}

fn own(table: &mut Table) {
    table.row(
        25,
        "this host in the list: only better hosts are left (this host is self.example.com, 192.0.2.9)",
    );
    for own in ["self.example.com A 192.0.2.8", "self.example.com A 192.0.2.9"] {
        table.resolve(
            zone(&format!("{ONE}\nexample.org MX 20 self.example.com\nexample.org MX 30 c.example.net\n{own}\nc.example.net A 192.0.2.3")),
            "mx: 10 a.example.net 192.0.2.1; -self.example.com not-better-than-self; -c.example.net not-better-than-self",
        );
    }
    table.row(26, "this host is the best: permanent");
    table.resolve(
        zone("example.org MX 10 a.example.net\na.example.net A 192.0.2.9"),
        "5.4.6 554 self-is-best; -a.example.net not-better-than-self",
    );
    table.row(27, "better hosts fail for now: temporary, the others stay out");
    table.resolve(
        zone(&format!("{TWO}\na.example.net fail servfail\nb.example.net A 192.0.2.9")),
        "4.4.4 no-host-now; -a.example.net lookup-failed: AAAA: servfail; -b.example.net not-better-than-self",
    );
}

fn limits(table: &mut Table) {
    let many: String = (0..300)
        .map(|host| {
            format!(
                "example.org MX 10 h{host}.example.net\nh{host}.example.net A 192.0.3.{}\n",
                host % 250 + 1
            )
        })
        .collect();
    let plan = zone(&many).plan();
    table.row(28, "hosts, addresses and questions have limits; two addresses are tried at least");
    let got = format!(
        "{} hosts, {} questions, {} dials",
        plan.hosts().len(),
        plan.report().queries,
        plan.attempt(5).dials().count()
    );
    table.case("300 hosts of one preference", "20 hosts, 41 questions, 5 dials", got);
    let small = zone(&many).with("no dials", |config| config.limits.dials = 0).plan();
    table.case("300 hosts, a limit of no dials", "2", small.attempt(5).dials().count().to_string());
    table.row(29, "both families of addresses have their share");
    let mut zone_of_families =
        String::from("example.org MX 10 a.example.net\nexample.org MX 20 b.example.net\n");
    for address in 1..9 {
        zone_of_families +=
            &format!("a.example.net AAAA 2001:db8::{address}\nb.example.net A 192.0.2.{address}\n");
    }
    let plan = zone(&zone_of_families).with("not this host", |config| config.self_addresses.clear()).plan();
    let families: Vec<&str> =
        plan.attempt(1).dials().map(|dial| if dial.address.is_ipv6() { "6" } else { "4" }).collect();
    table.case("eight IPv6 addresses at 10, eight IPv4 at 20", "6 6 6 4 4", families.join(" "));
}

fn destinations(table: &mut Table) {
    table.row(30, "an address literal is its own host");
    table.resolve(zone("").to("[192.0.2.1]"), "literal: 0 192.0.2.1 [opportunistic: address]");
    table.resolve(
        zone("").sts().dane().to("[IPv6:2001:db8::1]"),
        "literal: 0 2001:db8::1 [opportunistic: address]",
    );
    for bad in ["[192.0.2.300]", "[2001:db8::1]", "[x:y]"] {
        table.resolve(zone("").to(bad), "5.1.3 553 malformed-literal");
    }
    table.row(31, "an address without brackets is no domain");
    table.resolve(zone("").to("192.0.2.1"), "5.1.2 550 address-without-brackets");
    table.row(32, "U-labels are looked up as A-labels");
    table.resolve(
        zone("xn--bcher-kva.example MX 10 a.example.net\na.example.net A 192.0.2.1").to("BÜCHER.example"),
        "mx: 10 a.example.net 192.0.2.1",
    );
    table.row(33, "what is no name: permanent");
    for bad in ["a..b", "xn--a.example", "a b.example"] {
        table.resolve(zone("").to(bad), "5.1.2 550 invalid-domain");
    }
}

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn lifetimes(table: &mut Table) {
    table.row(34, "a lifetime of 0: used, not remembered");
    let soon = zone("example.org 0 MX 10 a.example.net\na.example.net A 192.0.2.1");
    let mut cache = Cache::new(&Limits::default());
    let destination: Destination = "example.org".parse().unwrap();
    let plain = MessageTls::default();
    let found = cache.insert(&destination, plain, Ok(soon.plan()), NOW).is_ok();
    let got = format!("used {found}, remembered {}", cache.get(&destination, plain, NOW).is_some());
    table.case(soon.shown(), "used true, remembered false", got);
    table.row(
        35,
        "an absence lives as long as the SOA record, and as its last field says, three hours at most",
    );
    for (ttl, minimum, expected) in [(300, 60, 60), (60, 300, 60), (0, 60, 0)] {
        let mut message = Message::new(ResponseCode::NoError);
        message.authority = Some(StartOfAuthority::new(ttl, minimum));
        let answer = Answer::read(&Question::new(name("example.org"), RecordType::Mx), &message, 10);
        table.case(
            format!("SOA record of {ttl} s, last field {minimum}"),
            &format!("{expected} s"),
            format!("{} s", answer.ttl),
        );
    }
    let long = zone("org soa 99999 99999").to("example.org").error();
    let RouteError::Permanent(error) = cache.insert(&destination, plain, Err(long), NOW).unwrap_err() else {
        panic!()
    };
    let life = error.expires.saturating_duration_since(NOW).as_secs();
    table.case("SOA record of 99999 s, last field 99999", "10800 s", format!("{life} s"));
    table.row(36, "failures are remembered, from a second to five minutes");
    let mut cache = Cache::new(&Limits::default());
    let (mut now, mut waits) = (NOW, Vec::new());
    for _ in 0..10 {
        let error = zone("example.org fail servfail").error();
        let RouteError::Temporary(error) = cache.insert(&destination, plain, Err(error), now).unwrap_err()
        else {
            panic!()
        };
        waits.push(error.not_before.saturating_duration_since(now).as_secs().to_string());
        now = error.not_before + Duration::ZERO;
    }
    table.case(
        "ten failures in a row, seconds between them",
        "1 2 4 8 16 32 64 128 256 300",
        waits.join(" "),
    );
    table.row(39, "records of other names and types are ignored");
    let mut message = Message::new(ResponseCode::NoError);
    let mx = |owner: &str, host: &str| {
        let data = RecordData::Mx(Mx { preference: 10, exchange: Target::Name(name(host)) });
        Record::new(name(owner), 300, data)
    };
    message.answers = vec![mx("example.net", "evil.example"), mx("example.org", "a.example.net")];
    let answer = Answer::read(&Question::new(name("example.org"), RecordType::Mx), &message, 10);
    let hosts = match answer.outcome {
        mailwright_mx::dns::Outcome::Records(mailwright_mx::dns::Records::Mx(all)) => {
            all.iter().map(|mx| mx.exchange.to_string()).collect::<Vec<_>>().join(" ")
        }
        other => format!("{other:?}"),
    };
    table.case(
        "an answer with example.net MX evil.example, example.org MX a.example.net",
        "a.example.net",
        hosts,
    );
}
