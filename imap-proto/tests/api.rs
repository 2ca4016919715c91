//! What hosts rely on at compile time: sessions go to other tasks, values are small, tokens are single.

use mailwright_imap::client::{self, Client};
use mailwright_imap::parse::{CommandError, CommandInput, ParsedCommand};
use mailwright_imap::server::{self, Server};
use mailwright_imap::types::{Command, NumberRange, Response, Tag};
use mailwright_imap::view::View;
use mailwright_imap::wire::{Frame, Framer};

const fn goes_anywhere<T: Send + Sync + Unpin + 'static>() {}
const fn is_an_error<T: core::error::Error + Send + Sync + 'static>() {}

const _: () = {
    goes_anywhere::<Server>();
    goes_anywhere::<server::Event>();
    goes_anywhere::<server::Config>();
    goes_anywhere::<server::Opened>();
    goes_anywhere::<server::AuthenticateToken>();
    goes_anywhere::<server::SelectToken>();
    goes_anywhere::<server::RefreshToken>();
    goes_anywhere::<server::ChangeToken>();
    goes_anywhere::<server::ListToken>();
    goes_anywhere::<server::StatusToken>();
    goes_anywhere::<server::AppendToken>();
    goes_anywhere::<server::AppendedToken>();
    goes_anywhere::<server::ExpungeToken>();
    goes_anywhere::<server::SearchToken>();
    goes_anywhere::<server::StoreToken>();
    goes_anywhere::<server::CopyToken>();
    goes_anywhere::<server::FetchToken>();
    goes_anywhere::<Client>();
    goes_anywhere::<client::Event>();
    goes_anywhere::<client::Config>();
    goes_anywhere::<client::tasks::Login>();
    goes_anywhere::<client::tasks::Append>();
    goes_anywhere::<client::tasks::Fetch>();
    goes_anywhere::<Framer>();
    goes_anywhere::<Frame>();
    goes_anywhere::<CommandInput>();
    goes_anywhere::<ParsedCommand>();
    goes_anywhere::<Command>();
    goes_anywhere::<Response>();
    goes_anywhere::<View>();
    is_an_error::<CommandError>();
    is_an_error::<client::Closed>();
    is_an_error::<client::SendError>();
    is_an_error::<client::ContentError>();
    is_an_error::<client::tasks::TaskError>();
    is_an_error::<client::tasks::LoginError>();
    is_an_error::<client::tasks::AppendError>();
    is_an_error::<server::Closed>();
    is_an_error::<mailwright_imap::EncodeError>();
    is_an_error::<mailwright_imap::types::SearchError>();
    is_an_error::<mailwright_imap::types::NumberSetError>();
};

#[test]
fn values_are_small() {
    assert!(size_of::<server::Event>() <= 200, "{}", size_of::<server::Event>());
    assert!(size_of::<client::Event>() <= 288, "{}", size_of::<client::Event>());
    assert!(size_of::<Client>() <= 1024, "{}", size_of::<Client>());
    assert!(size_of::<server::FetchToken>() <= 16);
    assert!(size_of::<Tag>() <= 32, "{}", size_of::<Tag>());
    assert!(size_of::<NumberRange>() <= 16, "{}", size_of::<NumberRange>());
    assert!(size_of::<Server>() <= 1024, "{}", size_of::<Server>());
    assert!(size_of::<Command>() <= 176, "{}", size_of::<Command>());
}
