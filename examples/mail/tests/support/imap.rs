//! An IMAP server on the session of the library, over a store in memory with one account.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use mailwright_core::io::tokio::Connection;
use mailwright_core::value::{Domain, Mailbox, Secret, UnixTime};
use mailwright_imap::server::{Config, Event, Server};
use mailwright_imap::session::Transport;
use mailwright_store::directory::{DirectoryConfig, NewAccount, PasswordCost};
use mailwright_store::engine::{Memory, block_on};
use mailwright_store::serve::Inline;
use mailwright_store::serve::imap::Service;
use mailwright_store::{Store, StoreConfig};
use rustls::ServerConfig;

const NOW: UnixTime = UnixTime::from_seconds(1_600_000_000);

/// A store with `alice@example.org`, whose password is `tanstaaf`.
pub fn store() -> Store<Memory> {
    let mut config = StoreConfig::default();
    config.directory = DirectoryConfig::default();
    config.directory.password = PasswordCost::for_tests();
    let store = block_on(Store::open(Memory::new(), config, [7; 32])).unwrap();
    let domain: Domain = "example.org".parse().unwrap();
    block_on(store.directory().add_domain(&domain)).unwrap();
    let address: Mailbox = "alice@example.org".parse().unwrap();
    let id = block_on(store.create_account(NewAccount::new(address), NOW)).unwrap();
    let job = store.directory().password_job(&Secret::from("tanstaaf")).unwrap();
    block_on(store.directory().set_credentials(id, job.run().unwrap())).unwrap();
    store
}

/// A configuration that a test begins with: passwords are welcome in clear text.
pub fn config() -> Config {
    let mut config = Config::default();
    config.clear_text_without_tls = true;
    config
}

/// Serves until the test is over.
pub fn serve(store: &Store<Memory>, config: Config, tls: Option<Arc<ServerConfig>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let service = Arc::new(Service::new(store.clone(), Inline));
    let mut config = config;
    service.configure(&mut config);
    let config = Arc::new(config);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // Not joined: it ends with the process.
    thread::spawn(move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let server = Server::new(config.clone(), [7; 32]);
                let transport = match &tls {
                    Some(tls) => Transport::tls_ready(server, tls.clone()),
                    None => Transport::plain(server),
                };
                tokio::spawn(session(Connection::over(stream, transport), service.clone()));
            }
        });
    });
    port
}

async fn session(
    mut connection: Connection<tokio::net::TcpStream, Server>,
    service: Arc<Service<Memory, Inline>>,
) {
    let mut handler = service.handler();
    loop {
        let idle = connection.is_idle();
        let event: Event = tokio::select! {
            event = connection.next_event() => match event {
                Ok(Some(event)) => event,
                _ => return,
            },
            () = handler.changed(), if idle => {
                handler.refresh(&mut connection).await;
                continue;
            }
        };
        handler.handle(&mut connection, event, NOW).await;
    }
}
