//! MX: packets, and what is asked again.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::mta_sts::MtaSts;
use mailrs_smtp_client::MxCache;
use mailwright_bench_cases::mx as cases;
use tokio::runtime::{Builder, Runtime};

use crate::Contest;

/// How often in one run, as our own cases.
const TIMES: usize = 100;

fn name(text: &str) -> Name {
    let Ok(mut name) = Name::from_ascii(text) else { unreachable!("a good name") };
    name.set_fqdn(true);
    name
}

fn decode() -> Contest {
    Contest::of(cases::decode()).against_reader("hickory-proto", cases::response, |response| {
        for _ in 0..TIMES {
            let Ok(message) = Message::from_vec(black_box(response)) else { unreachable!("a good response") };
            black_box(message);
        }
    })
}

fn encode() -> Contest {
    Contest::of(cases::encode()).against_reader(
        "hickory-proto",
        || name("three.example"),
        |name| {
            for _ in 0..TIMES {
                let mut message = Message::new(0x1234, MessageType::Query, OpCode::Query);
                message.metadata.recursion_desired = true;
                message.add_query(Query::query(name.clone(), RecordType::MX));
                assert!(black_box(message.to_vec()).is_ok());
            }
        },
    )
}

/// A DNS server on loopback, which answers from the table of the cases for as long as the program runs.
fn server() -> SocketAddr {
    let Ok(socket) = std::net::UdpSocket::bind("127.0.0.1:0") else { unreachable!("loopback") };
    let Ok(address) = socket.local_addr() else { unreachable!("it is bound") };
    let zone = cases::zone();
    thread::spawn(move || {
        let mut packet = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut packet) {
            if let Some(response) = zone.respond(&packet[..length], 1232) {
                let _ = socket.send_to(&response, peer);
            }
        }
    });
    address
}

fn resolver() -> (Runtime, TokioResolver) {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { unreachable!("a runtime") };
    let address = server();
    let resolver = runtime.block_on(async {
        let mut connection = ConnectionConfig::udp();
        connection.port = address.port();
        let servers = vec![NameServerConfig::new(address.ip(), true, vec![connection])];
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        let Ok(resolver) = builder.build() else { unreachable!("a good configuration") };
        resolver
    });
    (runtime, resolver)
}

/// What was found out once is asked again. A plan holds addresses too; the others look up the MX records alone.
fn again() -> Contest {
    Contest::of(cases::hit("example.org", "a plan", 150.0))
        .against_reader(
            "hickory-resolver",
            || {
                let (runtime, resolver) = resolver();
                let name = name("example.org");
                assert!(runtime.block_on(resolver.mx_lookup(name.clone())).is_ok());
                (runtime, resolver, name)
            },
            |(runtime, resolver, name)| {
                runtime.block_on(async {
                    for _ in 0..TIMES {
                        assert!(black_box(resolver.mx_lookup(name.clone()).await).is_ok());
                    }
                });
            },
        )
        .against_reader(
            "mailrs-smtp-client",
            || {
                let (runtime, resolver) = resolver();
                (runtime, Arc::new(resolver), MxCache::new(Duration::from_secs(3600)))
            },
            |(runtime, resolver, cache)| {
                runtime.block_on(async {
                    for _ in 0..TIMES {
                        let Ok(hosts) = cache.resolve(resolver, "example.org").await else {
                            unreachable!("a good domain")
                        };
                        assert_eq!(black_box(hosts).len(), 2);
                    }
                });
            },
        )
}

/// A domain that does not exist is asked for again. Where the library validates it remembers no absence: see `versus-dns`.
fn absence() -> Contest {
    Contest::of(cases::hit("gone.example", "an absence", 200.0)).against_reader(
        "hickory-resolver",
        || {
            let (runtime, resolver) = resolver();
            let name = name("gone.example");
            assert!(runtime.block_on(resolver.mx_lookup(name.clone())).is_err());
            (runtime, resolver, name)
        },
        |(runtime, resolver, name)| {
            runtime.block_on(async {
                for _ in 0..TIMES {
                    assert!(black_box(resolver.mx_lookup(name.clone()).await).is_err());
                }
            });
        },
    )
}

fn policies() -> [Contest; 2] {
    let policy = Contest::of(cases::policy()).against_reader(
        "mailrs-mta-sts",
        || (),
        |()| {
            for _ in 0..TIMES {
                assert!(black_box(mailrs_mta_sts::Policy::parse(black_box(cases::POLICY))).is_ok());
            }
        },
    );
    let record = Contest::of(cases::record()).against_reader(
        "mailrs-mta-sts",
        || (),
        |()| {
            for _ in 0..TIMES {
                assert!(black_box(mailrs_mta_sts::StsRecord::parse(black_box(cases::RECORD))).is_ok());
            }
        },
    );
    let record = record.against_reader(
        "mail-auth",
        || (),
        |()| {
            for _ in 0..TIMES {
                assert!(black_box(MtaSts::parse(black_box(cases::RECORD.as_bytes()))).is_ok());
            }
        },
    );
    [policy, record]
}

pub(crate) fn contests() -> Vec<Contest> {
    let mut contests = vec![decode(), encode(), again(), absence()];
    contests.extend(policies());
    contests
}
