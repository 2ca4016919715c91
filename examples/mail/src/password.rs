//! Where the password or token comes from: a variable, a file or a prompt, never the command line.

use std::io::IsTerminal as _;

use mailwright_core::value::Secret;
use mailwright_sasl::Credentials;

use crate::arguments::ServerArguments;
use crate::failure::Failure;

/// The credentials for the user of the URL, if it has one.
pub(crate) fn credentials(arguments: &ServerArguments) -> Result<Option<Credentials>, Failure> {
    let Some(user) = &arguments.server.user else {
        let given = arguments.password_env.is_some()
            || arguments.password_file.is_some()
            || arguments.token_env.is_some()
            || arguments.auth.is_some();
        if given {
            return Err(Failure::usage("a password or mechanism is given, but no user: SCHEME://USER@HOST"));
        }
        return Ok(None);
    };
    if let Some(name) = &arguments.token_env {
        let token = Credentials::token(user, variable(name)?).map_err(Failure::usage)?;
        let server = &arguments.server;
        return token.for_server(&server.host, server.port).map(Some).map_err(Failure::usage);
    }
    let password = password(arguments)?;
    Credentials::password(user, password).map(Some).map_err(Failure::usage)
}

/// The value of an environment variable.
fn variable(name: &str) -> Result<Secret, Failure> {
    let value = std::env::var_os(name)
        .ok_or_else(|| Failure::usage(format_args!("the environment has no {name}")))?;
    Ok(Secret::new(value.into_encoded_bytes()))
}

fn password(arguments: &ServerArguments) -> Result<Secret, Failure> {
    if let Some(name) = &arguments.password_env {
        return variable(name);
    }
    if let Some(path) = &arguments.password_file {
        let mut octets = std::fs::read(path)
            .map_err(|error| Failure::failed(format_args!("{}: {error}", path.display())))?;
        // Editors end a file with a line end, which is not part of the password.
        for end in [b'\n', b'\r'] {
            if octets.last() == Some(&end) {
                octets.pop();
            }
        }
        return Ok(Secret::new(octets));
    }
    if !std::io::stderr().is_terminal() {
        return Err(Failure::usage(
            "no terminal to ask for the password: use --password-file or --password-env",
        ));
    }
    let password = rpassword::prompt_password("Password: ")
        .map_err(|error| Failure::failed(format_args!("no password: {error}")))?;
    Ok(Secret::from(password))
}
