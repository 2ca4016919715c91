//! Rows 83 to 88, 96 to 98: account discovery, and the record of TLSRPT.

use std::collections::BTreeMap;

use bytes::Bytes;
use mailwright_mx::discovery::{Account, Discovery, DiscoveryConfig, DiscoveryError, Service, order};
use mailwright_mx::dns::Srv;
use mailwright_mx::drive::testing::Zone;
use mailwright_mx::fetch::{Page, Response};
use mailwright_mx::tlsrpt::TlsrptRecord;
use mailwright_mx::{Request, Target};

use crate::table::{NOW, Table};

fn discover(zone: &str, pages: &[(&str, &str, &str)], config: DiscoveryConfig) -> String {
    let mut zone = Zone::parse(zone).unwrap();
    for (host, path, body) in pages {
        let page = Page::new(host.parse().unwrap(), *path);
        zone = zone.with_page(page, Ok(Response::new(200, None, body.as_bytes().to_vec())));
    }
    let discovery = Discovery::new("alice", "example.org".parse().unwrap(), config, 7, NOW);
    describe(&zone.discover(discovery, NOW))
}

fn describe(result: &Result<Account, DiscoveryError>) -> String {
    let one = |service: &Service| {
        let ask = if service.needs_confirmation { " (to be confirmed)" } else { "" };
        format!("{:?} {:?} {}:{}{ask}", service.protocol, service.security, service.host, service.port)
    };
    match result {
        Ok(account) => {
            let services: Vec<String> = account.incoming.iter().chain(&account.outgoing).map(one).collect();
            format!("{}: {}", account.source.as_str(), services.join(", "))
        }
        Err(error) => error.to_string(),
    }
}

const CONFIG: &str = "<clientConfig><emailProvider><incomingServer type='imap'><hostname>imap.example.org</hostname>\
    <port>993</port><socketType>SSL</socketType></incomingServer><incomingServer type='pop3'>\
    <hostname>pop.example.org</hostname><port>110</port><socketType>plain</socketType></incomingServer>\
    </emailProvider></clientConfig>";

pub(crate) fn rows(table: &mut Table) {
    records(table);
    weights(table);
    files(table);
    table.row(98, "the record of TLSRPT: one of several counts, if exactly one is of TLSRPT");
    for (records, expected) in [
        (&["v=TLSRPTv1; rua=mailto:a@b"][..], "mailto:a@b"),
        (&["x", "v=TLSRPTv1;rua=mailto:a@b,https://c/d"], "mailto:a@b https://c/d"),
        (&["v=TLSRPTv1; rua=mailto:a@b", "v=TLSRPTv1; rua=mailto:c@d"], "none"),
        (&["v=TLSRPTv1 ; rua=mailto:a@b", "x"], "none"),
        (&["v=TLSRPTv1; x=y"], "none"),
        (&[], "none"),
    ] {
        let all: Vec<Bytes> = records.iter().map(|record| Bytes::from(record.as_bytes().to_vec())).collect();
        let got = TlsrptRecord::select(&all).map_or_else(|| "none".into(), |record| record.rua.join(" "));
        table.case(format!("{records:?}"), expected, got);
    }
}

fn srv(table: &mut Table, zone: &str, expected: &str) {
    let shown = zone.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    table.case(shown, expected, discover(zone, &[], DiscoveryConfig::default()));
}

fn records(table: &mut Table) {
    table.row(83, "a target of `.` alone: the service is not offered");
    srv(
        table,
        "_imap._tcp.example.org SRV 0 0 0 .\n_imaps._tcp.example.org SRV 0 1 993 imap.example.org",
        "srv: Imap Implicit imap.example.org:993",
    );
    srv(
        table,
        "_imap._tcp.example.org SRV 0 0 0 .\n_pop3._tcp.example.org SRV 0 0 0 .\n_submission._tcp.example.org SRV 0 0 0 .",
        "the domain says that it has no such servers",
    );
    let config = DiscoveryConfig::default();
    let page = [("autoconfig.example.org", "/mail/config-v1.1.xml?emailaddress=alice%40example.org", CONFIG)];
    let got = discover("_imap._tcp.example.org SRV 0 0 0 .", &page, config);
    table.case(
        "_imap._tcp.example.org SRV 0 0 0 .; a file with an IMAP server",
        "nothing tells the servers of the domain",
        got,
    );

    table.row(85, "TLS from the start before STARTTLS, whatever the priorities; of IMAP and POP3 the lower priority value");
    srv(
        table,
        "_imap._tcp.example.org SRV 0 1 143 imap.example.org\n_imaps._tcp.example.org SRV 10 1 993 imap.example.org\n\
         _submission._tcp.example.org SRV 0 1 587 smtp.example.org\n_submissions._tcp.example.org SRV 9 1 465 smtp.example.org",
        "srv: Imap Implicit imap.example.org:993, Imap StartTls imap.example.org:143, \
         Submission Implicit smtp.example.org:465, Submission StartTls smtp.example.org:587",
    );
    for (imap, pop3, expected) in [
        (10, 0, "srv: Pop3 Implicit pop.example.org:995, Imap Implicit imap.example.org:993"),
        (0, 10, "srv: Imap Implicit imap.example.org:993, Pop3 Implicit pop.example.org:995"),
        (5, 5, "srv: Imap Implicit imap.example.org:993, Pop3 Implicit pop.example.org:995"),
    ] {
        srv(
            table,
            &format!(
                "_imaps._tcp.example.org SRV {imap} 1 993 imap.example.org\n_pop3s._tcp.example.org SRV {pop3} 1 995 pop.example.org"
            ),
            expected,
        );
    }
    let page = [("example.org", "/.well-known/autoconfig/mail/config-v1.1.xml", CONFIG)];
    let mut plain = DiscoveryConfig::default();
    plain.allow_plain = true;
    table.case(
        "a file with IMAP over TLS and POP3 without",
        "well-known-autoconfig: Imap Implicit imap.example.org:993",
        discover("", &page, DiscoveryConfig::default()),
    );
    table.case(
        "the same, plaintext asked for",
        "well-known-autoconfig: Imap Implicit imap.example.org:993, Pop3 Plain pop.example.org:110",
        discover("", &page, plain),
    );

    table.row(86, "a target outside the domain, and nobody vouches for the record: a person has to agree");
    let outside = "_imaps._tcp.example.org SRV 0 1 993 imap.example.net";
    srv(table, outside, "srv: Imap Implicit imap.example.net:993 (to be confirmed)");
    srv(table, &format!("example.org secure\n{outside}"), "srv: Imap Implicit imap.example.net:993");
    srv(table, "_imaps._tcp.example.org SRV 0 1 993 example.org", "srv: Imap Implicit example.org:993");
    srv(
        table,
        "_imaps._tcp.example.org SRV 0 1 993 imap.badexample.org",
        "srv: Imap Implicit imap.badexample.org:993 (to be confirmed)",
    );

    let account = |zone: &str| {
        let discovery =
            Discovery::new("alice", "example.org".parse().unwrap(), DiscoveryConfig::default(), 7, NOW);
        Zone::parse(zone).unwrap().discover(discovery, NOW).unwrap().incoming.remove(0)
    };
    table.row(96, "what is found is stored; only what DNSSEC vouches for may be looked up again");
    table.case(outside, "secure: false", format!("secure: {}", account(outside).secure));
    let signed = format!("example.org secure\n{outside}");
    table.case(signed.replace('\n', "; "), "secure: true", format!("secure: {}", account(&signed).secure));
    table.row(97, "names to log in with: the address, then what stands before the @");
    table.case("alice@example.org", "alice@example.org alice", account(outside).logins.join(" "));
}

fn weights(table: &mut Table) {
    table.row(84, "equal priority: by chance, as the weights say");
    let record =
        |weight, port| Srv { priority: 0, weight, port, target: Target::Name("a.example".parse().unwrap()) };
    let shares = |records: &[Srv]| {
        let mut firsts = BTreeMap::new();
        for seed in 0..10_000 {
            *firsts.entry(order(records, seed)[0].port).or_insert(0_u32) += 1;
        }
        let share = |(port, count): (&u16, &u32)| format!("{port}: {} %", (count + 50) / 100);
        firsts.iter().map(share).collect::<Vec<_>>().join(", ")
    };
    table.case(
        "weights 0 (port 1), 9 (port 2): first of 10000 orders",
        "1: 10 %, 2: 90 %",
        shares(&[record(0, 1), record(9, 2)]),
    );
    table.case(
        "weights 30 (port 1), 70 (port 2)",
        "1: 30 %, 2: 70 %",
        shares(&[record(30, 1), record(70, 2)]),
    );
    let seeds: Vec<String> = [0, 1, 2, 3]
        .map(|seed| {
            order(&[record(0, 1), record(5, 2), record(5, 3)], seed)
                .iter()
                .map(|one| one.port.to_string())
                .collect()
        })
        .to_vec();
    table.case(
        "weights 0, 5, 5: the orders of seeds 0 to 3, the same in each version",
        "321 321 321 231",
        seeds.join(" "),
    );
}

fn files(table: &mut Table) {
    let mut config = DiscoveryConfig::default();
    config.ispdb = true;
    let mut discovery = Discovery::new("al ice", "example.org".parse().unwrap(), config.clone(), 7, NOW);
    let zone = Zone::parse("").unwrap();
    let mut asked = Vec::new();
    while let Some(request) = discovery.poll_request() {
        match request {
            Request::Dns(request) => {
                discovery.handle_answer(request.id, zone.answer(&request.question), NOW).unwrap()
            }
            Request::Fetch(request) => {
                asked.push(format!("https://{}{}", request.page.host, request.page.path));
                discovery.handle_response(request.id, zone.page(&request.page), NOW).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    table.row(87, "nothing is asked over plain HTTP");
    let plain = asked.iter().filter(|url| !url.starts_with("https://")).count();
    table.case("requests of a discovery that are not https", "0", plain.to_string());
    table.row(88, "SRV, then each file in its order, and the data base by an option; the first that tells of servers ends it");
    table.case(
        "no SRV records; the files that are asked for",
        "https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=al%20ice%40example.org \
         https://example.org/.well-known/autoconfig/mail/config-v1.1.xml \
         https://autodiscover.example.org/autodiscover/autodiscover.xml \
         https://example.org/autodiscover/autodiscover.xml \
         https://autoconfig.thunderbird.net/v1.1/example.org",
        asked.join(" "),
    );
    let first = ("autoconfig.example.org", "/mail/config-v1.1.xml?emailaddress=alice%40example.org", CONFIG);
    let second = ("example.org", "/.well-known/autoconfig/mail/config-v1.1.xml", CONFIG);
    let found = |zone: &str, pages: &[_]| discover(zone, pages, DiscoveryConfig::default());
    table.case(
        "SRV records and files",
        "srv: Imap Implicit i.example.org:1",
        found("_imaps._tcp.example.org SRV 0 0 1 i.example.org", &[first]),
    );
    table.case("two files", "autoconfig: Imap Implicit imap.example.org:993", found("", &[first, second]));
    let broken = (first.0, first.1, "<html>not found</html>");
    table.case(
        "the first file tells of nothing",
        "well-known-autoconfig: Imap Implicit imap.example.org:993",
        found("", &[broken, second]),
    );
    table.case("nothing", "nothing tells the servers of the domain", found("", &[]));
    table.case(
        "nothing, and an SRV lookup failed",
        "the servers of the domain cannot be found out: servfail",
        found("_imaps._tcp.example.org fail servfail", &[]),
    );
}
