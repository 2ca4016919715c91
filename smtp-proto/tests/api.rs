//! What hosts rely on at compile time: sessions go to other tasks, values are small, tokens are single.

use mailwright_smtp::client::{self, Client, Deliver, Delivery, Login, Quit};
use mailwright_smtp::parse::{CommandLine, ReplyReader};
use mailwright_smtp::server::{
    self, AuthenticateToken, DataToken, HelloToken, MessageToken, RecipientToken, SenderToken, Server,
    VerifyToken,
};
use mailwright_smtp::types::{Capabilities, Command, EnhancedCode, Parameters, Reply, ReplyCode};

const fn goes_anywhere<T: Send + Sync + Unpin + 'static>() {}
const fn is_an_error<T: core::error::Error + Send + Sync + 'static>() {}

const _: () = {
    goes_anywhere::<Server>();
    goes_anywhere::<Client>();
    goes_anywhere::<server::Event>();
    goes_anywhere::<client::Event>();
    goes_anywhere::<server::Config>();
    goes_anywhere::<client::Config>();
    goes_anywhere::<HelloToken>();
    goes_anywhere::<AuthenticateToken>();
    goes_anywhere::<SenderToken>();
    goes_anywhere::<RecipientToken>();
    goes_anywhere::<DataToken>();
    goes_anywhere::<MessageToken>();
    goes_anywhere::<VerifyToken>();
    goes_anywhere::<Login>();
    goes_anywhere::<Deliver>();
    goes_anywhere::<Delivery>();
    goes_anywhere::<Quit>();
    goes_anywhere::<server::Serve<fn(server::Mail) -> Reply>>();
    goes_anywhere::<Command>();
    goes_anywhere::<Parameters>();
    goes_anywhere::<Capabilities>();
    goes_anywhere::<CommandLine<'static>>();
    goes_anywhere::<ReplyReader>();
    is_an_error::<server::Closed>();
    is_an_error::<client::Closed>();
    is_an_error::<client::SendError>();
    is_an_error::<client::AuthenticateError>();
    is_an_error::<client::LoginError>();
    is_an_error::<client::DeliverError>();
    is_an_error::<client::InvalidName>();
    is_an_error::<mailwright_smtp::parse::CommandError>();
    is_an_error::<mailwright_smtp::parse::ReplyParseError>();
    is_an_error::<mailwright_smtp::content::ContentError>();
    is_an_error::<mailwright_smtp::trace::TraceError>();
    is_an_error::<mailwright_smtp::types::InvalidArgument>();
    is_an_error::<mailwright_smtp::types::ReplyError>();
};

#[cfg(feature = "codec")]
const _: () = {
    goes_anywhere::<mailwright_smtp::codec::ClientCodec>();
    goes_anywhere::<mailwright_smtp::codec::ServerCodec>();
    is_an_error::<mailwright_smtp::codec::CodecError>();
};

#[test]
fn values_are_small() {
    let sizes = [
        ("ReplyCode", size_of::<ReplyCode>(), 2),
        ("EnhancedCode", size_of::<EnhancedCode>(), 6),
        ("Reply", size_of::<Reply>(), 56),
        ("RecipientToken", size_of::<RecipientToken>(), 16),
        ("CommandId", size_of::<client::CommandId>(), 8),
        ("Command", size_of::<Command>(), 184),
        ("Parameters", size_of::<Parameters>(), 64),
        ("server::Event", size_of::<server::Event>(), 208),
        ("client::Event", size_of::<client::Event>(), 112),
        ("Server", size_of::<Server>(), 624),
        ("Client", size_of::<Client>(), 512),
    ];
    for (name, size, most) in sizes {
        assert!(size <= most, "{name} has {size} octets, not {most} at most");
    }
}
