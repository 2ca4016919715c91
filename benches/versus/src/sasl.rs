//! SASL: the server's side of SCRAM-SHA-256, and keys of a password.

use std::hint::black_box;
use std::sync::Arc;

use hmac::Hmac;
use mailwright_bench_cases::sasl as cases;
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::mechname::Mechname;
use rsasl::prelude::{SASLConfig, SASLServer, SessionError};
use rsasl::property::AuthId;
use rsasl::validate::{Validate, Validation, ValidationError};
use scram::server::{AuthenticationProvider, AuthenticationStatus, PasswordInfo};
use scram::{ScramClient, ScramServer};
use sha2::Sha256;

use crate::Contest;

/// What rsasl asks.
struct Host(mailwright_sasl::ScramKeys);

/// Whom rsasl lets in.
struct Identity;

impl Validation for Identity {
    type Value = String;
}

impl SessionCallback for Host {
    fn callback(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if context.get_ref::<AuthId>() == Some("tim") {
            let keys = &self.0;
            request.satisfy::<ScramStoredPassword<'_>>(&ScramStoredPassword::new(
                keys.iterations(),
                keys.salt(),
                keys.stored_key(),
                keys.server_key(),
            ))?;
        }
        Ok(())
    }

    fn validate(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        validate.with::<Identity, _>(|| Ok(context.get_ref::<AuthId>().unwrap_or_default().to_owned()))?;
        Ok(())
    }
}

/// What scram asks: it stores what PBKDF2 gives.
struct Provider([u8; 32]);

impl AuthenticationProvider for Provider {
    fn get_password_for(&self, name: &str) -> Option<PasswordInfo> {
        (name == "tim").then(|| PasswordInfo::new(self.0.to_vec(), 4096, cases::SALT.to_vec()))
    }
}

fn salted() -> [u8; 32] {
    let mut salted = [0; 32];
    let result = pbkdf2::pbkdf2::<Hmac<Sha256>>(cases::PASSWORD.as_bytes(), &cases::SALT, 4096, &mut salted);
    assert!(result.is_ok());
    salted
}

/// A proof needs the server's nonce, which these two draw anew each time: so both sides run, and the client's side is the
/// same one (that of Mailwright), with keys that are known already.
fn server() -> Contest {
    Contest::of(cases::scram_both())
        .against_reader(
            "rsasl",
            || {
                let Ok(config) = SASLConfig::builder().with_defaults().with_callback(Host(cases::keys(4096)))
                else {
                    unreachable!("a good configuration")
                };
                (config, cases::Known::new())
            },
            |(config, known)| {
                let server = SASLServer::<Identity>::new(Arc::clone(config));
                let Ok(name) = Mechname::parse(b"SCRAM-SHA-256") else { unreachable!("a good name") };
                let Ok(mut session) = server.start_suggested(name) else { unreachable!("SCRAM is there") };
                let mut client = known.client();
                let mut challenge = Vec::new();
                assert!(session.step(Some(&client.first()), &mut challenge).is_ok());
                let last = client.last(&challenge);
                let mut signature = Vec::new();
                let done = session.step(Some(&last), &mut signature);
                assert!(done.is_ok_and(
                    |state| state.is_finished() || session.step(Some(b""), &mut Vec::new()).is_ok()
                ));
                assert!(black_box(session.validation()).is_some());
            },
        )
        .against_reader(
            "scram",
            || (ScramServer::new(Provider(salted())), cases::Known::new()),
            |(server, known)| {
                let mut client = known.client();
                let first = String::from_utf8(client.first()).unwrap_or_default();
                let Ok(begun) = server.handle_client_first(&first) else { unreachable!("a good message") };
                let (waiting, challenge) = begun.server_first();
                let last = String::from_utf8(client.last(challenge.as_bytes())).unwrap_or_default();
                let Ok(done) = waiting.handle_client_final(&last) else { unreachable!("a good proof") };
                assert_eq!(black_box(done.server_final()).0, AuthenticationStatus::Authenticated);
            },
        )
}

fn derive() -> Contest {
    Contest::of(cases::derive(4096))
        .against_reader(
            "pbkdf2",
            || (),
            |()| {
                black_box(salted());
            },
        )
        .against_reader(
            "scram",
            || (),
            |()| {
                // It has no function for it alone: a client that is challenged derives the key.
                let client = ScramClient::new("tim", cases::PASSWORD, None);
                let (waiting, first) = client.client_first();
                let nonce = first.rsplit("r=").next().unwrap_or_default();
                let challenge = format!("r={nonce}x,s=c2l4dGVlbiBvY3RldHMuLg==,i=4096");
                assert!(black_box(waiting.handle_server_first(&challenge)).is_ok());
            },
        )
}

pub(crate) fn contests() -> Vec<Contest> {
    vec![server(), derive()]
}
