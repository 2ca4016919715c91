//! A host that commands a client.

use mailwright_core::testing::Note;
use mailwright_pop3::client::{self, Client};
use mailwright_pop3::sasl::{Credentials, MechanismName};
use mailwright_pop3::types::{Capabilities, Capability, LanguageRange, MessageNumber, Password, UserName};

/// Gives commands: as many as the client takes, when the server greets and when a reply is complete.
pub(crate) struct Commander {
    pub(crate) commands: Vec<u8>,
    /// Only when the server greets.
    pub(crate) at_once: bool,
}

impl Commander {
    fn command(&mut self, client: &mut Client) {
        while let Some(&command) = self.commands.first() {
            if issue(client, command).is_err() {
                return;
            }
            self.commands.remove(0);
        }
    }
}

impl mailwright_core::testing::Host<Client> for Commander {
    fn handle(&mut self, client: &mut Client, event: client::Event) -> Note {
        let note = Note::debug(&event);
        match event {
            client::Event::Content { chunk, .. } => return Note::Content(chunk),
            // What came too early is cut by chance.
            client::Event::Closed(client::Closed::Unexpected(_)) => return Note::Closed("unexpected".into()),
            client::Event::Closed(reason) => return Note::Closed(format!("{reason:?}")),
            client::Event::Greeting(_) => {
                client.set_capabilities(Capabilities::from_iter([Capability::Pipelining]));
                self.command(client);
            }
            client::Event::Reply { .. } | client::Event::End { .. } if !self.at_once => self.command(client),
            _ => {}
        }
        note
    }

    fn meddle(&mut self, client: &mut Client, choice: u8) {
        if choice == 255 {
            client.abort();
        } else {
            let _ = issue(client, choice % COMMANDS);
        }
    }
}

/// How many commands there are.
pub(crate) const COMMANDS: u8 = 21;

/// A client that may send its password in clear text, and its host.
pub(crate) fn client(commands: &[u8]) -> impl Fn() -> (Client, Commander) {
    client_with(commands, false)
}

/// The same; `tolerant` of everything.
pub(crate) fn client_with(commands: &[u8], tolerant: bool) -> impl Fn() -> (Client, Commander) {
    move || {
        let mut config = client::Config::default();
        config.sasl.clear_text_without_tls = true;
        #[cfg(feature = "legacy-md5")]
        {
            config.apop = client::Apop::Always;
        }
        config.tolerance.any_case_status = tolerant;
        config.tolerance.ok_as_challenge = tolerant;
        config.tolerance.lenient_codes = tolerant;
        config.tolerance.keep_lone_dots = tolerant;
        config.tolerance.lenient_ids = tolerant;
        config.tolerance.bare_line_feeds = tolerant;
        (Client::new(config, [1; 32]), Commander { commands: commands.to_vec(), at_once: false })
    }
}

fn issue(client: &mut Client, command: u8) -> Result<(), mailwright_core::value::Misuse> {
    let one = Some(MessageNumber::FIRST);
    let issued = match command {
        0 => client.capa(),
        1 => client.user(&UserName::new("tim").unwrap()),
        2 => client.pass(&Password::new("x").unwrap()),
        3 => client.stat(),
        4 => client.list(None),
        5 => client.list(one),
        6 => client.uidl(None),
        7 => client.uidl(one),
        8 => client.retr(MessageNumber::FIRST),
        9 => client.top(MessageNumber::FIRST, 1),
        10 => client.dele(MessageNumber::FIRST),
        11 => client.noop(),
        12 => client.rset(),
        13 => client.quit(),
        14 => {
            let credentials = Credentials::password("tim", "x").unwrap();
            let exchange = client.exchange(MechanismName::LOGIN, &credentials).unwrap();
            client.auth(exchange)
        }
        15 => client.stls(),
        16 => client.utf8(),
        17 => client.lang(None),
        18 => client.lang(Some(LanguageRange::ANY)),
        #[cfg(feature = "legacy-md5")]
        19 => {
            let name = UserName::new("tim").unwrap();
            return match client.apop(&name, &Password::new("x").unwrap()) {
                Ok(_) => Ok(()),
                Err(client::ApopError::Misuse(misuse)) => Err(misuse),
                // Without a timestamp it is passed over.
                Err(_) => Ok(()),
            };
        }
        20 => {
            let credentials = Credentials::token("tim", "x").unwrap();
            let exchange = client.exchange(MechanismName::XOAUTH2, &credentials).unwrap();
            client.auth(exchange)
        }
        _ => client.uidl(one),
    };
    issued.map(drop)
}
