//! `mail`: a mail client for the command line. It writes messages, sends by SMTP and LMTP and reads by IMAP and
//! POP3.
//!
//! A tour of the blocking client API: `discover` finds the server of an address, `connect` puts a session on a socket, `send` runs the tasks `Login`,
//! `Deliver` and `Quit` of SMTP on a message from a file or from `compose`, `imap` most tasks of IMAP, `pop3` the tasks `Login`, `List`, `Fetch` and
//! `Quit` of POP3. Exit codes: 0 success, 1 failure, 2 wrong usage.

mod arguments;
mod compose;
mod connect;
mod discover;
mod failure;
mod file_copy;
mod header;
mod imap;
mod maildir;
mod message;
mod numbers;
mod output;
mod password;
mod pop3;
mod progress;
mod send;
mod server_url;
mod state;
mod trust;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use self::arguments::{Arguments, Command};
use self::failure::Failure;
use self::server_url::Protocol;

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match discover::fill(&mut arguments.command).and_then(|()| run_as_anyone(&mut arguments.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}

/// Runs the command, with each name that was found until one is not refused.
fn run_as_anyone(command: &mut Command) -> Result<(), Failure> {
    loop {
        match run(command) {
            Err(Failure::Refused(_)) if discover::next_login(command) => {}
            result => return result,
        }
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    // What both protocols can do, the URL decides between them.
    match command {
        Command::Send(send) => send::run(send),
        Command::Compose(compose) => compose::run(compose),
        Command::List(list) if list.server.speaks(Protocol::Imap) => imap::list::run(list),
        Command::List(list) => pop3::list::run(list),
        Command::Show(show) if show.server.speaks(Protocol::Imap) => imap::show::run(show),
        Command::Show(show) => pop3::show::run(show),
        Command::Fetch(fetch) if fetch.server.speaks(Protocol::Imap) => imap::fetch::run(fetch),
        Command::Fetch(fetch) => pop3::fetch::run(fetch),
        Command::Delete(delete) if delete.server.speaks(Protocol::Imap) => imap::remove::delete(delete),
        Command::Delete(delete) => pop3::delete::run(delete),
        Command::Folders(folders) => imap::folders::list(folders),
        Command::Create(create) => imap::folders::create(create),
        Command::Remove(remove) => imap::folders::remove(remove),
        Command::Rename(rename) => imap::folders::rename(rename),
        Command::Move(transfer) => imap::transfer::r#move(transfer),
        Command::Copy(transfer) => imap::transfer::copy(transfer),
        Command::Flag(flag) => imap::flag::run(flag),
        Command::Search(search) => imap::search::run(search),
        Command::Append(append) => imap::append::run(append),
        Command::Watch(watch) => imap::watch::run(watch),
        Command::Sync(sync) => imap::sync::run(sync),
    }
}
