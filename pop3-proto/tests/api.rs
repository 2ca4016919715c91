//! What hosts rely on at compile time: sessions go to other tasks, values are small, tokens are single.

use mailwright_pop3::client::{self, Client, Fetch, List, Login, Quit};
use mailwright_pop3::server::{self, AuthenticateToken, CommitToken, OpenToken, RetrieveToken, Server};
use mailwright_pop3::types::{Capabilities, MessageNumber, Reply, UniqueId};

const fn goes_anywhere<T: Send + Sync + Unpin + 'static>() {}
const fn is_an_error<T: core::error::Error + Send + Sync + 'static>() {}

const _: () = {
    goes_anywhere::<Server>();
    goes_anywhere::<Client>();
    goes_anywhere::<server::Event>();
    goes_anywhere::<client::Event>();
    goes_anywhere::<server::Config>();
    goes_anywhere::<client::Config>();
    goes_anywhere::<AuthenticateToken>();
    goes_anywhere::<OpenToken>();
    goes_anywhere::<RetrieveToken>();
    goes_anywhere::<CommitToken>();
    goes_anywhere::<Login>();
    goes_anywhere::<List>();
    goes_anywhere::<Fetch>();
    goes_anywhere::<Quit>();
    goes_anywhere::<Capabilities>();
    is_an_error::<server::Closed>();
    is_an_error::<client::Closed>();
    is_an_error::<client::tasks::TaskError>();
    is_an_error::<client::tasks::LoginError>();
    is_an_error::<mailwright_pop3::parse::CommandError>();
    is_an_error::<mailwright_pop3::parse::EntryError>();
    is_an_error::<mailwright_pop3::types::ValueError>();
};

#[test]
fn values_are_small() {
    assert_eq!(size_of::<Option<MessageNumber>>(), 4);
    assert_eq!(size_of::<UniqueId>(), 71);
    assert!(size_of::<Reply>() <= 80, "{}", size_of::<Reply>());
    assert!(size_of::<server::Event>() <= 120, "{}", size_of::<server::Event>());
    assert!(size_of::<client::Event>() <= 200, "{}", size_of::<client::Event>());
    assert!(size_of::<RetrieveToken>() <= 16);
}
