//! `--discover ADDRESS`: the server of an address, by SRV records or the files that its domain has for that (RFC 6186, RFC
//! 8314). What is found takes the place of `--server`.

use core::net::{IpAddr, SocketAddr};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::SystemTime;

use mailwright_core::value::{Domain, Mailbox};
use mailwright_mx::discovery::{self, Account, Discovery, DiscoveryConfig, Service};
use mailwright_mx::dns::{Outcome, Question, RecordType, Records};
use mailwright_mx::drive::https::{Https, HttpsConfig};
use mailwright_mx::drive::stub::{Stub, StubConfig};
use mailwright_mx::drive::{Driver, discover, system};
use mailwright_mx::{DomainName, UnixMillis};
use rustls::crypto::ring;

use crate::arguments::{Command, Purpose, ServerArguments};
use crate::failure::Failure;
use crate::server_url::{Protocol, Security, ServerUrl};
use crate::trust;

/// Aliases in a row that are followed to the addresses of a server.
const ALIASES: usize = 10;

/// Finds the server that the command is for, if it is to be found.
pub(crate) fn fill(command: &mut Command) -> Result<(), Failure> {
    let (arguments, purpose) = command.server();
    let Some(address) = arguments.discover.clone() else { return Ok(()) };
    let Domain::Name(domain) = address.domain() else {
        return Err(Failure::usage("the servers of an address literal cannot be found"));
    };
    let domain: DomainName = domain.as_str().parse().map_err(Failure::usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (service, addresses) = runtime.block_on(find(arguments, purpose, &address, domain))?;
    tracing::info!(host = %service.host, port = service.port, "found");
    if service.needs_confirmation {
        confirm(&service)?;
    }
    arguments.server = url(&service);
    // The first one is in the URL.
    arguments.logins = service.logins.iter().skip(1).rev().cloned().collect();
    arguments.addresses = addresses;
    Ok(())
}

/// Takes the next name to log in with, if there is one.
// RFC 6186 §4: the full address, and if that is refused the local part.
pub(crate) fn next_login(command: &mut Command) -> bool {
    let (arguments, _) = command.server();
    match arguments.logins.pop() {
        Some(login) => {
            tracing::info!("refused: another name");
            arguments.server.user = Some(login);
            true
        }
        None => false,
    }
}

/// The first server for the purpose that has an address.
async fn find(
    arguments: &ServerArguments,
    purpose: Purpose,
    address: &Mailbox,
    domain: DomainName,
) -> Result<(Service, Vec<SocketAddr>), Failure> {
    let mut stub = StubConfig::default();
    stub.servers = arguments.resolver.map_or_else(system::resolvers, |server| Ok(vec![server]))?;
    let roots = trust::roots(arguments.ca.as_deref())?;
    let https = HttpsConfig::new(roots, Arc::new(ring::default_provider()));
    let driver = Https::new(Stub::new(stub), https);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = UnixMillis::default() + since;
    let seed = getrandom::u64().map_err(|error| Failure::failed(format_args!("no entropy: {error}")))?;
    let local = address.local_part().to_string();
    let search = Discovery::new(&local, domain.clone(), DiscoveryConfig::default(), seed, now);
    let account = discover(&driver, search, now)
        .await
        .map_err(|error| Failure::failed(format_args!("{domain}: {error}; name the server with --server")))?;
    for service in fitting(account, purpose) {
        let addresses = addresses(&driver, &service).await;
        if !addresses.is_empty() {
            return Ok((service, addresses));
        }
    }
    Err(Failure::failed(format_args!(
        "{domain}: no server that can be used was found; name it with --server"
    )))
}

/// The servers for a purpose, the best first.
fn fitting(account: Account, purpose: Purpose) -> Vec<Service> {
    match purpose {
        Purpose::Send => account.outgoing,
        Purpose::Read => account.incoming,
        Purpose::Imap => {
            account.incoming.into_iter().filter(|one| one.protocol == discovery::Protocol::Imap).collect()
        }
    }
}

/// The addresses of a server, by the same DNS server.
async fn addresses(driver: &impl Driver, service: &Service) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for record_type in [RecordType::Aaaa, RecordType::A] {
        let mut name = service.host.clone();
        for _ in 0..ALIASES {
            let question = Question::new(name.clone(), record_type);
            let answer = driver.ask(&question, core::time::Duration::from_secs(10)).await;
            match (answer.outcome, answer.canonical) {
                (Outcome::Alias, Some(next)) => {
                    name = next;
                    continue;
                }
                (Outcome::Records(Records::Aaaa(all)), _) => found.extend(all.into_iter().map(IpAddr::V6)),
                (Outcome::Records(Records::A(all)), _) => found.extend(all.into_iter().map(IpAddr::V4)),
                _ => {}
            }
            break;
        }
    }
    found.into_iter().map(|address| SocketAddr::new(address, service.port)).collect()
}

/// RFC 8314 §5.1: a person agrees to a server elsewhere that nobody vouches for.
fn confirm(service: &Service) -> Result<(), Failure> {
    let host = &service.host;
    if !io::stdin().is_terminal() {
        return Err(Failure::failed(format_args!(
            "{host} is outside the domain of the address, and nothing proves that it is meant; if it is, name it with --server"
        )));
    }
    write!(io::stderr(), "{host} is outside the domain of the address. Send the password there? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::failed("not confirmed")),
    }
}

fn url(service: &Service) -> ServerUrl {
    ServerUrl {
        protocol: match service.protocol {
            discovery::Protocol::Pop3 => Protocol::Pop3,
            discovery::Protocol::Submission => Protocol::Smtp,
            _ => Protocol::Imap,
        },
        security: match service.security {
            discovery::Security::Implicit => Security::Implicit,
            discovery::Security::StartTls => Security::StartTls,
            discovery::Security::Plain => Security::Plain,
        },
        user: service.logins.first().cloned(),
        host: service.host.to_string(),
        port: service.port,
    }
}
