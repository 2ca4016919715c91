//! What hosts rely on at compile time: exchanges go to other tasks, values are small.

use mailwright_sasl::{
    Answer, Ask, Channel, Client, ClientPolicy, ClientStep, Credentials, DecoyKey, DeriveJob, DerivedKeys,
    MechanismName, Nonce, Offers, ScramKeys, Seed, Server, ServerPolicy, ServerStep,
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
    goes_anywhere::<Channel>();
    goes_anywhere::<ClientStep>();
    goes_anywhere::<DecoyKey>();
    goes_anywhere::<DeriveJob>();
    goes_anywhere::<DerivedKeys>();
    goes_anywhere::<ScramKeys>();
    is_an_error::<mailwright_sasl::ScramKeysError>();
    is_an_error::<mailwright_sasl::ServerError>();
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
    assert!(size_of::<Client>() <= 120, "{}", size_of::<Client>());
}
