//! `mail`: a mail client for the command line. It sends by SMTP and LMTP and reads by POP3.
//!
//! A tour of the blocking client API: `connect` puts a session on a socket, `send` runs the tasks `Login`,
//! `Deliver` and `Quit` of SMTP, `pop3` the tasks `Login`, `List`, `Fetch` and `Quit` of POP3. Exit codes:
//! 0 success, 1 failure, 2 wrong usage.

mod arguments;
mod connect;
mod failure;
mod message;
mod output;
mod password;
mod pop3;
mod progress;
mod send;
mod server_url;
mod trust;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use self::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let result = match &arguments.command {
        Command::Send(send) => send::run(send),
        Command::List(list) => pop3::list::run(list),
        Command::Show(show) => pop3::show::run(show),
        Command::Fetch(fetch) => pop3::fetch::run(fetch),
        Command::Delete(delete) => pop3::delete::run(delete),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}
