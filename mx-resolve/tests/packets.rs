//! The drivers that speak packets, against servers on loopback that behave, and that do not.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "writes a trust anchor")]

mod support;

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use mailwright_mx::dns::{Answer, Failure, Outcome, Question, RecordType, Records, Security};
use mailwright_mx::drive::Driver;
use mailwright_mx::drive::hickory::{Hickory, HickoryConfig};
use mailwright_mx::drive::stub::{Stub, StubConfig};
use mailwright_mx::drive::testing::Zone;
use mailwright_mx::{Config, Destination, Resolver};
use support::{NOW, describe};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

/// What a server sends for a query, over UDP if the flag is off: any number of packets.
type Respond = dyn Fn(&[u8], bool) -> Vec<Vec<u8>> + Send + Sync;

/// A server on one port of UDP and TCP, for as long as the runtime lives.
async fn server(respond: impl Fn(&[u8], bool) -> Vec<Vec<u8>> + Send + Sync + 'static) -> SocketAddr {
    let respond: Arc<Respond> = Arc::new(respond);
    let (udp, tcp) = loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // The port may be in use for UDP.
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            break (udp, tcp);
        }
    };
    let address = tcp.local_addr().unwrap();
    let over_udp = Arc::clone(&respond);
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        loop {
            let (length, peer) = udp.recv_from(&mut buffer).await.unwrap();
            for packet in over_udp(&buffer[..length], false) {
                udp.send_to(&packet, peer).await.unwrap();
            }
        }
    });
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = tcp.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut query = vec![0; usize::from(length)];
            stream.read_exact(&mut query).await.unwrap();
            for packet in respond(&query, true) {
                stream.write_u16(u16::try_from(packet.len()).unwrap()).await.unwrap();
                stream.write_all(&packet).await.unwrap();
            }
        }
    });
    address
}

/// A server that answers from a zone.
async fn zone_server(zone: &str) -> SocketAddr {
    let zone = Zone::parse(zone).unwrap();
    server(move |query, tcp| zone.respond(query, if tcp { 65_535 } else { 512 }).into_iter().collect()).await
}

fn stub(address: SocketAddr) -> Stub {
    let mut config = StubConfig::default();
    config.servers = vec![address];
    config.mix_case = true;
    Stub::new(config)
}

fn hickory(address: SocketAddr) -> Hickory {
    let mut config = HickoryConfig::default();
    config.servers = vec![address];
    config.mix_case = true;
    Hickory::new(&config).unwrap()
}

fn question(name: &str, record_type: RecordType) -> Question {
    Question::new(name.parse().unwrap(), record_type)
}

async fn ask(driver: &impl Driver) -> Answer {
    driver.ask(&question("example.org", RecordType::Mx), Duration::from_secs(20)).await
}

const GOOD: &str = "example.org MX 10 mx.example.org\nmx.example.org A 192.0.2.1";

/// The good response to a query.
fn good(query: &[u8]) -> Vec<u8> {
    Zone::parse(GOOD).unwrap().respond(query, 512).unwrap()
}

fn is_good(answer: &Answer) -> bool {
    matches!(&answer.outcome, Outcome::Records(Records::Mx(records)) if records.len() == 1)
}

#[tokio::test]
async fn both_drivers_tell_what_the_table_tells() {
    let zones = [
        ("example.org", GOOD),
        ("example.org", "example.org MX 0 ."),
        ("example.net", GOOD),
        ("example.org", "example.org A 192.0.2.1"),
        ("www.example.org", "www.example.org CNAME example.org\nexample.org A 192.0.2.1"),
        ("www.example.org", "www.example.org CNAME example.net"),
        (
            "example.org",
            "example.org MX 10 mx.example.org\nmx.example.org CNAME a.example.net\na.example.net AAAA 2001:db8::1",
        ),
        ("example.org", "example.org fail servfail"),
        ("example.org", "example.org fail refused"),
        ("example.org", "example.org fail truncated"),
        ("example.org", "example.org soa none\nexample.org A 192.0.2.1"),
        (
            "example.org",
            "example.org MX 10 mx.example.org\nmx.example.org fail servfail AAAA\nmx.example.org A 192.0.2.1",
        ),
        ("example.org", r"example.org MX 10 mx\000.example.org"),
        ("example.org", "example.org MX 10 192.0.2.1\nexample.org MX 20 localhost"),
        ("example.org", "example.org MX malformed"),
    ];
    for (name, zone) in zones {
        let destination = Destination::parse(name).unwrap();
        let table = Zone::parse(zone).unwrap().resolve(&destination, &Arc::default(), 1, NOW);
        let address = zone_server(zone).await;
        let found = Resolver::new(stub(address), Config::default(), 1).resolve(&destination, NOW).await;
        assert_eq!(describe(&found), describe(&table), "stub: {name} in {zone}");
        let found = Resolver::new(hickory(address), Config::default(), 1).resolve(&destination, NOW).await;
        assert_eq!(describe(&found), describe(&table), "hickory: {name} in {zone}");
    }
}

#[tokio::test]
async fn what_is_truncated_is_asked_again_over_tcp() {
    let zone: String = (0..100).map(|host| format!("example.org MX 10 mx{host}.example.org\n")).collect();
    let address = zone_server(&zone).await;
    for answer in [ask(&stub(address)).await, ask(&hickory(address)).await] {
        let Outcome::Records(Records::Mx(records)) = answer.outcome else { panic!("{answer:?}") };
        assert_eq!(records.len(), 100);
    }
}

#[tokio::test]
async fn a_response_code_is_a_failure_of_its_own() {
    for (word, failure) in [
        ("servfail", Failure::ServFail),
        ("refused", Failure::Refused),
        ("notimp", Failure::NotImp),
        ("formerr", Failure::FormErr),
        ("unproven", Failure::Unproven),
        ("truncated", Failure::Truncated),
    ] {
        let address = zone_server(&format!("example.org fail {word}")).await;
        assert_eq!(ask(&stub(address)).await.outcome, Outcome::Failure(failure), "{word}");
    }
}

#[tokio::test]
async fn packets_of_others_are_passed_over() {
    type Change = fn(Vec<u8>) -> Vec<u8>;
    let changes: [Change; 6] = [
        |mut packet| {
            packet[0] ^= 1; // another id
            packet
        },
        |mut packet| {
            packet[2] &= 0x7f; // a query
            packet
        },
        |mut packet| {
            packet[13] ^= 1; // another name
            packet
        },
        |mut packet| {
            packet[13] ^= 0x20; // another case
            packet
        },
        |mut packet| {
            packet[5] = 0; // no question
            packet
        },
        |packet| packet[..8].to_vec(),
    ];
    for change in changes {
        let address = server(move |query, _| vec![change(good(query)), good(query)]).await;
        assert!(is_good(&ask(&stub(address)).await));
        // Without the good one there is no answer, so time ends it.
        let address = server(move |query, _| vec![change(good(query))]).await;
        let mut config = StubConfig::default();
        config.servers = vec![address];
        config.mix_case = true;
        config.timeout = Duration::from_millis(20);
        config.tries = 1;
        let answer = ask(&Stub::new(config)).await;
        assert_eq!(answer.outcome, Outcome::Failure(Failure::Timeout));
    }
}

#[tokio::test]
async fn silence_ends_with_a_timeout_after_all_tries() {
    let (count, mut counted) = tokio::sync::mpsc::unbounded_channel();
    let address = server(move |_, _| {
        count.send(()).unwrap();
        Vec::new()
    })
    .await;
    let mut config = StubConfig::default();
    config.servers = vec![address];
    config.timeout = Duration::from_millis(20);
    let answer = ask(&Stub::new(config.clone())).await;
    assert_eq!(answer.outcome, Outcome::Failure(Failure::Timeout));
    for _ in 0..3 {
        counted.recv().await.unwrap();
    }
    config.timeout = Duration::from_secs(1000);
    let question = question("example.org", RecordType::Mx);
    let answer = Stub::new(config).ask(&question, Duration::from_millis(20)).await;
    assert_eq!(answer.outcome, Outcome::Failure(Failure::Timeout), "the time of the question counts");
}

#[tokio::test]
async fn a_server_in_better_health_is_asked_next() {
    let mut config = StubConfig::default();
    config.servers = vec![zone_server("example.org fail servfail").await, zone_server(GOOD).await];
    assert!(is_good(&ask(&Stub::new(config)).await));
}

#[tokio::test]
async fn nobody_there_is_a_failure() {
    let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(ask(&stub(gone)).await.outcome, Outcome::Failure(Failure::Unreachable));
    assert_eq!(ask(&Stub::new(StubConfig::default())).await.outcome, Outcome::Failure(Failure::Unreachable));
}

#[tokio::test]
async fn short_data_is_left_out_and_counted_or_a_failure() {
    let address = zone_server("example.org MX malformed\nexample.org MX 10 mx.example.org").await;
    let answer = ask(&stub(address)).await;
    assert!(is_good(&answer) && answer.malformed == 1, "{answer:?}");
    let address = zone_server("example.org MX malformed").await;
    assert_eq!(ask(&stub(address)).await.outcome, Outcome::Failure(Failure::Malformed));
    let address = server(|query, _| {
        let mut packet = good(query);
        packet.truncate(packet.len() - 1);
        vec![packet]
    })
    .await;
    assert_eq!(ask(&stub(address)).await.outcome, Outcome::Failure(Failure::Malformed));
}

#[tokio::test]
async fn the_ad_bit_of_a_resolver_on_loopback_is_believed() {
    let answer = ask(&stub(zone_server(&format!("{GOOD}\nexample.org secure")).await)).await;
    assert_eq!(answer.security, Security::Secure);
    let answer = ask(&stub(zone_server(GOOD).await)).await;
    assert_eq!(answer.security, Security::Insecure);
    let answer = ask(&hickory(zone_server(&format!("{GOOD}\nexample.org secure")).await)).await;
    assert_eq!(answer.security, Security::Unchecked, "nothing is validated there");
}

#[tokio::test]
async fn with_a_trust_anchor_hickory_believes_no_answer_without_signatures() {
    // A key of the root that has signed nothing.
    let key = "A".repeat(86) + "==";
    let folder = std::env::temp_dir().join(format!("mailwright-mx-anchor-{}", std::process::id()));
    std::fs::write(&folder, format!(". 3600 IN DNSKEY 257 3 13 {key}\n")).unwrap();
    let mut config = HickoryConfig::default();
    config.servers = vec![zone_server(GOOD).await];
    config.trust_anchor = Some(folder.clone());
    let driver = Hickory::new(&config).unwrap();
    let answer = ask(&driver).await;
    assert!(matches!(answer.outcome, Outcome::Failure(_)), "{answer:?}");
    std::fs::remove_file(&folder).unwrap();
    assert!(Hickory::new(&config).is_err(), "the file is gone");
}

#[tokio::test]
async fn the_probe_sees_whether_the_resolver_validates() {
    for (more, expected) in [(0x20, true), (0x00, false), (0x22, false)] {
        let address = server(move |query, _| {
            assert_eq!(&query[12..17], [0, 0, 2, 0, 1], "NS of the root");
            let mut response = query.to_vec();
            (response[2], response[3]) = (0x81, 0x80 | more);
            vec![vec![0; 3], response]
        })
        .await;
        assert_eq!(stub(address).probe().await, expected, "{more:x}");
    }
    assert!(!Stub::new(StubConfig::default()).probe().await, "nobody to ask");
}

#[tokio::test]
async fn an_extended_error_tells_bogus_from_other_failures() {
    for (code, failure) in
        [(6_u8, Failure::Bogus), (9, Failure::Bogus), (22, Failure::ServFail), (0, Failure::ServFail)]
    {
        let address = server(move |query, _| {
            let mut response = query.to_vec();
            (response[2], response[3]) = (0x81, 0x82);
            // The OPT record is the last, without options so far.
            let length = response.len();
            response[length - 1] = 6 + 5;
            response.extend([0, 10, 0, 1, 7, 0, 15, 0, 2, 0, code]);
            vec![response]
        })
        .await;
        assert_eq!(ask(&stub(address)).await.outcome, Outcome::Failure(failure), "{code}");
    }
}
