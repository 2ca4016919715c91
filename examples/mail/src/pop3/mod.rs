//! Reading by POP3 (RFC 1939): what the commands share.

pub(crate) mod delete;
pub(crate) mod fetch;
pub(crate) mod list;
mod login;
pub(crate) mod show;

use core::time::Duration;

use mailwright_core::io::RunError;
use mailwright_core::io::blocking::Connection;
use mailwright_pop3::client::tasks::{Listings, QuitReport};
use mailwright_pop3::client::{Client, Config, List, Quit, QuitOutcome};
use mailwright_pop3::{TlsMode, types::MessageNumber};

use crate::arguments::FolderArguments;
use crate::connect::{self, Patient};
use crate::failure::Failure;
use crate::server_url::{Protocol, Security};
use crate::{output, password};

/// A maildrop that is open.
#[derive(Debug)]
pub(crate) struct Maildrop {
    connection: Connection<Patient, Client>,
}

impl Maildrop {
    /// Connects and logs in.
    pub(crate) fn open(arguments: &FolderArguments) -> Result<Self, Failure> {
        let server = &arguments.server;
        if server.server.protocol != Protocol::Pop3 {
            return Err(Failure::usage("mail is read by imap, imaps, imap+plain, pop3, pop3s or pop3+plain"));
        }
        if !arguments.folder.eq_ignore_ascii_case("INBOX") {
            return Err(Failure::usage("a maildrop has no folder but INBOX"));
        }
        if server.server.user.is_none() {
            return Err(Failure::usage("a maildrop has a user: SCHEME://USER@HOST"));
        }
        let credentials = password::credentials(server)?;
        let mut config = Config::default();
        config.tls = match server.server.security {
            Security::StartTls => TlsMode::StartTls,
            Security::Implicit => TlsMode::Implicit,
            Security::Plain => TlsMode::Off,
        };
        // Messages are copied and shown as they are, whatever their header has.
        config.utf8 = true;
        // Whoever writes `+plain` wants just that.
        config.sasl.clear_text_without_tls = server.server.security == Security::Plain;
        // The socket knows how long nothing may move; the deadlines of the session go on top.
        let least = |timeout: &mut Duration| *timeout = (*timeout).max(server.patience());
        least(&mut config.timeouts.greeting);
        least(&mut config.timeouts.reply);
        least(&mut config.timeouts.content);
        least(&mut config.timeouts.quit);
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(Failure::failed)?;
        let socket = connect::socket(server)?;
        let mut connection = connect::connection(server, socket, Client::new(config, seed))?;
        if let Some(credentials) = credentials {
            let result = login::log_in(&mut connection, credentials, server.auth);
            result.map_err(|reason| connection.stream().explain_login(reason))?;
        }
        tracing::info!(secure = connection.session().is_secure(), "logged in");
        Ok(Self { connection })
    }

    /// Number, size and id of every message. What cannot be read of the listing is said, and left out.
    pub(crate) fn list(&mut self) -> Result<Listings, Failure> {
        let listings = self.connection.run(List::new()).map_err(|error| self.explain(&error))?;
        for error in &listings.errors {
            output::complaint(&error.to_string());
        }
        for deviation in &listings.deviations {
            tracing::warn!(%deviation, "tolerated");
        }
        Ok(listings)
    }

    /// Deletes messages, and ends. The numbers that are gone for good come back; what is not was said.
    pub(crate) fn quit(mut self, to_delete: &[MessageNumber]) -> Result<Vec<MessageNumber>, Failure> {
        let quit = Quit::deleting(to_delete.iter().copied());
        let QuitReport { outcome, refused, .. } =
            self.connection.run(quit).map_err(|error| self.explain(&error))?;
        if outcome != QuitOutcome::Unknown {
            connect::finish(self.connection);
        }
        if to_delete.is_empty() {
            return Ok(Vec::new());
        }
        for (number, reply) in &refused {
            output::complaint(&format!("message {number} was not deleted: {}", reply.text));
        }
        match outcome {
            QuitOutcome::Committed => {
                let kept = |number| refused.iter().any(|&(refused, _)| refused == number);
                Ok(to_delete.iter().copied().filter(|&number| !kept(number)).collect())
            }
            QuitOutcome::Failed => Err(Failure::failed("the server could not delete all messages")),
            QuitOutcome::Unknown => Err(Failure::failed(
                "the connection ended before the server said whether messages are deleted",
            )),
        }
    }

    /// Why something failed on this connection.
    pub(crate) fn explain<E: core::fmt::Display>(&self, error: &RunError<E>) -> Failure {
        self.connection.stream().explain(error)
    }
}
