//! Runs `transcripts/*.txt` against the server, and with the sides changed against the client. What the
//! lines of a file mean, the README beside them says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads the transcripts")]

mod peers;

use bytes::Bytes;
use mailwright_core::testing::{Actor, Line, Side, Transcript};
use mailwright_sasl::{MechanismName, Offers, Seed};
use mailwright_smtp::client::{self, Client, MailOptions, RecipientOptions};
use mailwright_smtp::parse::CommandOptions;
use mailwright_smtp::server::{Config, Protocol, Server, TlsMode};
use mailwright_smtp::types::{Body, Command};
use peers::{Answers, Commander};

impl Actor<Server> for Answers {}

impl Actor<Client> for Commander {
    /// Lets the client say a line, by the method that is for it.
    fn say(&mut self, client: &mut Client, line: &[u8], _: &[Line]) -> Result<(), String> {
        if client.content_room() > 0 {
            return match line {
                b".\r\n" => client.end_content().map(drop),
                // The client adds the dot of transparency itself.
                line => client.content(line.strip_prefix(b".").unwrap_or(line)).map(drop),
            }
            .map_err(|error| error.to_string());
        }
        let mut options = CommandOptions::default();
        options.auth = true;
        options.dsn = true;
        let line = Bytes::copy_from_slice(line.trim_ascii_end());
        let parsed = Command::parse(&line, &options).map_err(|error| error.to_string())?;
        match parsed.command {
            Command::Mail { path, parameters, .. } => {
                let mut options = MailOptions::default();
                options.size = parameters.size();
                options.eight_bit = parameters.body() == Some(Body::EightBitMime);
                options.ret = parameters.ret();
                options.envelope_id = parameters.envelope_id().cloned();
                client.mail(&path, options)
            }
            Command::Rcpt { path, parameters, .. } => {
                let mut options = RecipientOptions::default();
                options.notify = parameters.notify();
                options.original_recipient = parameters.original_recipient().cloned();
                client.rcpt_with(&path, &options)
            }
            Command::Data => client.data(),
            Command::Rset => client.reset(),
            Command::Noop => client.noop(),
            Command::Auth { .. } => {
                let authenticated = client.authenticate(&peers::credentials(), Seed::new([1; 32]).nonce());
                return authenticated.map(drop).map_err(|error| error.to_string());
            }
            Command::Quit => client.quit(),
            command => return Err(format!("no method for {command:?}")),
        }
        .map(drop)
        .map_err(|misuse| misuse.to_string())
    }
}

/// A server as the options say; what is asked by default.
fn server<'a>(options: impl Iterator<Item = &'a str>) -> Server {
    let mut config = Config::new("mx.example.org").unwrap();
    for option in options {
        match option.split_once(' ').unwrap_or((option, "")) {
            ("lmtp", _) => config.protocol = Protocol::Lmtp,
            ("submission", _) => config.protocol = Protocol::Submission,
            ("starttls", _) => config.tls = TlsMode::StartTls,
            ("dsn", _) => config.dsn = true,
            ("no-pipelining", _) => config.pipelining = false,
            ("size", octets) => config.limits.message = octets.parse().unwrap(),
            ("mechanisms", names) => {
                config.offers =
                    Offers::new(names.split(' ').map(|name| name.parse::<MechanismName>().unwrap()));
                config.allow_plaintext_authentication = true;
            }
            ("server-only", _) => {}
            option => panic!("unknown option {option:?}"),
        }
    }
    Server::new(config, [9; 32])
}

fn client(transcript: &Transcript) -> Client {
    let has = |option: &str| transcript.options().any(|found| found == option);
    let mut config = client::Config::new("client.example").unwrap();
    if has("lmtp") {
        config.protocol = client::Protocol::Lmtp;
    }
    config.tls = if has("starttls") { client::TlsMode::Required } else { client::TlsMode::None };
    config.sasl.clear_text_without_tls = true;
    Client::new(config)
}

#[test]
fn the_transcripts_hold_for_both_sides() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let (mut count, mut both) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        count += 1;
        let transcript = Transcript::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        if let Err(mismatch) = transcript.run(Side::Server, server(transcript.options()), Answers::default())
        {
            panic!("{} with the server: {mismatch}", path.display());
        }
        if transcript.options().any(|option| option == "server-only") {
            continue;
        }
        both += 1;
        if let Err(mismatch) = transcript.run(Side::Client, client(&transcript), Commander::default()) {
            panic!("{} with the client: {mismatch}", path.display());
        }
    }
    assert!(count >= 14 && both >= 9, "{count}, {both}");
}
