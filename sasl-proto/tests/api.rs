//! What hosts rely on at compile time: exchanges go to other tasks, values are small.

use mailwright_sasl::{
    Answer, Ask, Client, ClientPolicy, Credentials, MechanismName, Nonce, Offers, Seed, Server, ServerPolicy,
    ServerStep,
};

const fn goes_anywhere<T: Send + Sync + Unpin + 'static>() {}
const fn is_an_error<T: core::error::Error + Send + Sync + 'static>() {}

const _: () = {
    goes_anywhere::<Server>();
    goes_anywhere::<Client>();
    goes_anywhere::<Offers>();
    goes_anywhere::<ServerPolicy>();
    goes_anywhere::<ClientPolicy>();
    goes_anywhere::<Credentials>();
    goes_anywhere::<ServerStep>();
    goes_anywhere::<Ask>();
    goes_anywhere::<Answer>();
    goes_anywhere::<Seed>();
    goes_anywhere::<Nonce>();
    is_an_error::<mailwright_sasl::Reason>();
    is_an_error::<mailwright_sasl::BeginError>();
    is_an_error::<mailwright_sasl::StateError>();
    is_an_error::<mailwright_sasl::ClientError>();
    is_an_error::<mailwright_sasl::ChooseError>();
    is_an_error::<mailwright_sasl::CredentialsError>();
    is_an_error::<mailwright_sasl::PrepareError>();
    is_an_error::<mailwright_sasl::NameError>();
    is_an_error::<mailwright_sasl::base64::Base64Error>();
};

#[test]
fn values_are_small() {
    assert_eq!(size_of::<MechanismName>(), 21);
    assert!(size_of::<Server>() <= 64, "{}", size_of::<Server>());
    assert!(size_of::<Client>() <= 104, "{}", size_of::<Client>());
}
