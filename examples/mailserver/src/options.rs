//! The command line, and the configuration file with the same names. Options win over the file.

use core::net::SocketAddr;
use core::str::FromStr;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use mailwright_core::value::{Domain, Mailbox, Secret};
use mailwright_mx::{Destination, DomainName};
use mailwright_store::engine::local::CheckDepth;
use mailwright_store::queue::Schedule;
use serde::Deserialize;

use crate::admin::{Password, QueueRequest, Request, UserRequest};
use crate::service::Listen;

/// What the server does, complete and checked.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) data: PathBuf,
    pub(crate) domains: Vec<Domain>,
    pub(crate) users: Vec<User>,
    pub(crate) aliases: Vec<Alias>,
    pub(crate) listen: Vec<Listen>,
    /// Certificate and key, if not generated.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) allow_plaintext_auth: bool,
    pub(crate) max_size: u64,
    pub(crate) store: StoreKind,
    pub(crate) relay: Relay,
    /// The DNS server; the system's if not given.
    pub(crate) resolver: Option<SocketAddr>,
    /// When deliveries are tried again, if not as usual.
    pub(crate) retry: Option<Schedule>,
    /// The port of MX hosts.
    pub(crate) relay_port: u16,
    pub(crate) relay_allow_loopback: bool,
    /// Whether TLSA records and policies of MTA-STS count for outbound mail.
    pub(crate) dane: bool,
    pub(crate) sts: bool,
    /// More roots to trust about other servers.
    pub(crate) relay_ca: Option<PathBuf>,
    /// Where to fetch the policies of some hosts.
    pub(crate) sts_url_override: Vec<(DomainName, SocketAddr)>,
    /// Nobody named users or other domains: the demonstration with its accounts.
    pub(crate) demo: bool,
}

/// What the command line wants.
#[derive(Debug)]
pub(crate) enum Command {
    /// The server.
    Serve(Box<Options>),
    /// A check of a store that nobody has open.
    Check { data: PathBuf, depth: CheckDepth },
    /// Something that is done to a store, by the server if one runs.
    Administer { data: PathBuf, request: Request },
}

/// `ADDRESS:PASSWORD`.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) address: Mailbox,
    pub(crate) password: Secret,
}

/// `FROM=TO[,TO…]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) from: AliasFrom,
    pub(crate) targets: Vec<Mailbox>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AliasFrom {
    Address(Mailbox),
    CatchAll(Domain),
}

/// A mail server: SMTP, submission, LMTP, IMAP and POP3 over one store.
///
/// Without options it starts a demonstration on loopback: domain example.org, accounts alice@example.org and
/// bob@example.org with the password "demo". Standard output tells where the services listen, then "ready".
#[derive(Parser, Deserialize, Default, Debug)]
#[command(name = "mailserver", version, args_conflicts_with_subcommands = true)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Given {
    #[command(subcommand)]
    #[serde(skip)]
    subcommand: Option<Subcommand>,
    /// TOML file with the same names as the options; options win over the file.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Directory for certificates and whatever the store keeps; made if missing [default: mailserver-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A local domain (repeat) [default: example.org].
    #[arg(long, value_name = "NAME")]
    #[serde(deserialize_with = "one_or_many")]
    domain: Vec<String>,
    /// Creates the account or sets its password (repeat). Its domain becomes local.
    #[arg(long, value_name = "ADDRESS:PASSWORD", hide_default_value = true)]
    #[serde(deserialize_with = "one_or_many")]
    user: Vec<Hidden>,
    /// Mail for FROM goes to TO instead; @DOMAIN as FROM takes everybody else in the domain (repeat).
    #[arg(long, value_name = "FROM=TO[,TO…]")]
    #[serde(deserialize_with = "one_or_many")]
    alias: Vec<String>,
    /// Opens this service (repeat); when given, only the named ones are opened. Services: smtp (default port
    /// 2525), submission (2587), submissions (2465), lmtp (2424), imap (2143), imaps (2993), pop3 (2110), pop3s
    /// (2995). Port 0: any.
    #[arg(long, value_name = "SERVICE=ADDR:PORT")]
    #[serde(deserialize_with = "one_or_many")]
    listen: Vec<String>,
    /// PEM file with the certificate chain; otherwise one is made, whose CA is DATA/ca.pem.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the private key.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Offers passwords without TLS: for tests on loopback only.
    #[arg(long)]
    allow_plaintext_auth: bool,
    /// Mail for other domains: refused, or for accounts delivered to the MX hosts of the domains or to a smart
    /// host [default: off].
    #[arg(long, value_name = "off|mx|HOST:PORT")]
    relay: Option<String>,
    /// DNS server for MX [default: the system's].
    #[arg(long, value_name = "ADDR:PORT")]
    resolver: Option<SocketAddr>,
    /// When deliveries are tried again: waits, the last one for ever if it has a star, as in 7m30s,15m,1h,4h*.
    #[arg(long, value_name = "SCHEDULE")]
    retry: Option<String>,
    /// Port of MX hosts: for tests [default: 25].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    relay_port: Option<u16>,
    /// Takes loopback addresses as MX hosts: for tests.
    #[arg(long)]
    relay_allow_loopback: bool,
    /// Outbound mail keeps to the TLSA records of hosts, as far as the resolver vouches for them [default: on].
    #[arg(long, value_enum)]
    dane: Option<Switch>,
    /// Outbound mail keeps to the policies of domains (MTA-STS) [default: on].
    #[arg(long, value_enum)]
    sts: Option<Switch>,
    /// PEM file with roots to trust about other servers beside the public ones.
    #[arg(long, value_name = "FILE")]
    relay_ca: Option<PathBuf>,
    /// Where to fetch the policy of a policy host (repeat): for tests.
    #[arg(long, value_name = "HOST=ADDR:PORT")]
    #[serde(deserialize_with = "one_or_many")]
    sts_url_override: Vec<String>,
    /// Octets of a message at most [default: 36700160].
    #[arg(long, value_name = "BYTES")]
    max_size: Option<u64>,
    /// Storage engine: "local" keeps mail in DATA; with "memory" nothing survives the end of the process
    /// [default: local].
    #[arg(long, value_enum)]
    store: Option<StoreKind>,
}

#[derive(clap::Subcommand, Debug)]
enum Subcommand {
    /// Checks a store: one finding a line. Exit code 0 without findings, 1 with, 2 if it could not run.
    Check {
        /// The directory of the server, which must not be running.
        #[arg(long, value_name = "DIR", default_value = "mailserver-data")]
        data: PathBuf,
        /// Reads every octet.
        #[arg(long)]
        full: bool,
    },
    /// Mail that waits to go elsewhere.
    Queue {
        /// The directory of the server.
        #[arg(long, value_name = "DIR", default_value = "mailserver-data", global = true)]
        data: PathBuf,
        #[command(subcommand)]
        command: QueueCommand,
    },
    /// Accounts: of the server that runs in the directory, or of the store there.
    User {
        /// The directory of the server.
        #[arg(long, value_name = "DIR", default_value = "mailserver-data", global = true)]
        data: PathBuf,
        #[command(subcommand)]
        command: UserCommand,
    },
}

/// `mailserver user …`
#[derive(clap::Subcommand, Debug)]
enum UserCommand {
    /// Makes an account; its domain becomes local.
    Add {
        /// The password may be left out: then it is asked for, or read from standard input.
        #[arg(value_name = "ADDRESS[:PASSWORD]")]
        user: Hidden,
    },
    /// Sets the password of an account.
    Passwd {
        /// As for add.
        #[arg(value_name = "ADDRESS[:PASSWORD]")]
        user: Hidden,
    },
    /// Removes an account with all its mail.
    Del { address: String },
    /// Lists the accounts, one a line.
    List,
}

/// `mailserver queue …`
#[derive(clap::Subcommand, Debug)]
enum QueueCommand {
    /// Lists the messages: name, sender, octets, when it came, when the next attempt is due, recipients.
    List,
    /// Tells all that is known of a message, then of each recipient.
    Show { message: String },
    /// Tries now: a message, or everything.
    Retry {
        #[arg(required_unless_present = "all")]
        message: Option<String>,
        /// Only the recipient with this number.
        #[arg(long, value_name = "N")]
        recipient: Option<u32>,
        /// Every message.
        #[arg(long, conflicts_with_all = ["message", "recipient"])]
        all: bool,
    },
    /// Removes a message. Its sender is not told, unless asked for.
    Delete {
        message: String,
        /// Only the recipient with this number.
        #[arg(long, value_name = "N")]
        recipient: Option<u32>,
        /// Why: for the log, and for the sender.
        #[arg(long, default_value = "removed by the administrator")]
        why: String,
        /// Tells the sender that the message failed.
        #[arg(long)]
        report: bool,
    },
}

impl QueueCommand {
    fn request(self) -> QueueRequest {
        match self {
            Self::List => QueueRequest::List,
            Self::Show { message } => QueueRequest::Show { message },
            Self::Retry { message, recipient, .. } => QueueRequest::Retry { message, recipient },
            Self::Delete { message, recipient, why, report } => {
                QueueRequest::Delete { message, recipient, why, report }
            }
        }
    }
}

impl UserCommand {
    fn request(self) -> Result<UserRequest, String> {
        Ok(match self {
            Self::Add { user } => {
                let (address, password) = user.with_password()?;
                UserRequest::Add { address, password }
            }
            Self::Passwd { user } => {
                let (address, password) = user.with_password()?;
                UserRequest::Passwd { address, password }
            }
            Self::Del { address } => UserRequest::Del { address },
            Self::List => UserRequest::List,
        })
    }
}

impl Hidden {
    /// `ADDRESS:PASSWORD`, or an address whose password is asked for.
    fn with_password(self) -> Result<(String, Password), String> {
        if self.0.parse::<Mailbox>().is_ok() {
            let password = ask_password(&self.0).map_err(|error| format!("no password: {error}"))?;
            if password.is_empty() {
                return Err("the password is empty".into());
            }
            return Ok((self.0, Password::new(password)));
        }
        let (address, password) = split_user(&self.0)?;
        Ok((address.to_owned(), Password::new(password.to_owned())))
    }
}

/// Asks a person, or reads the first line of standard input.
fn ask_password(address: &str) -> std::io::Result<String> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("Password for {address}: "));
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The two parts of `ADDRESS:PASSWORD`.
fn split_user(text: &str) -> Result<(&str, &str), String> {
    // The domain has no colon, but for an address literal, which is no local domain; a quoted local part may
    // have one.
    let at = text.find('@').and_then(|at| Some(at + text.get(at..)?.find(':')?));
    let (address, password) =
        at.and_then(|at| text.split_at_checked(at)).ok_or("expected ADDRESS:PASSWORD")?;
    let password = password.get(1..).unwrap_or_default();
    if password.is_empty() {
        return Err(format!("{address}: the password is empty"));
    }
    Ok((address, password))
}

/// What becomes of mail for other domains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Relay {
    /// It is refused.
    Off,
    /// It goes to the MX hosts of the domain.
    Mx,
    /// It goes to a smart host.
    Host(Destination),
}

impl FromStr for Relay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "mx" => Ok(Self::Mx),
            host => Destination::relay(host, 25)
                .map(Self::Host)
                .map_err(|error| format!("--relay {host:?}: {error}")),
        }
    }
}

/// Where mail is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreKind {
    Memory,
    Local,
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Switch {
    On,
    Off,
}

/// A text with a password in it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct Hidden(String);

impl FromStr for Hidden {
    type Err = core::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl core::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("…")
    }
}

/// A list may be written as one value.
fn one_or_many<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany<T> {
        One(T),
        Many(Vec<T>),
    }
    Ok(match OneOrMany::deserialize(from)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

impl Options {
    /// What command line and file say. Ends the process for `--help` and for wrong options.
    pub(crate) fn read() -> Result<Command, String> {
        let mut given = Given::parse();
        match given.subcommand.take() {
            Some(Subcommand::Check { data, full }) => {
                let depth = if full { CheckDepth::Full } else { CheckDepth::Quick };
                return Ok(Command::Check { data, depth });
            }
            Some(Subcommand::User { data, command }) => {
                return Ok(Command::Administer { data, request: Request::User(command.request()?) });
            }
            Some(Subcommand::Queue { data, command }) => {
                return Ok(Command::Administer { data, request: Request::Queue(command.request()) });
            }
            None => {}
        }
        if let Some(path) = given.config.take() {
            given.fill_from(read_file(&path)?);
        }
        Ok(Command::Serve(Box::new(given.complete()?)))
    }
}

fn read_file(path: &Path) -> Result<Given, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // The message of the parser quotes the line, which may hold a password.
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(0, |span| text.get(..span.start).unwrap_or("").lines().count().max(1));
        format!("{}, line {line}: {}", path.display(), error.message())
    })
}

impl Given {
    fn fill_from(&mut self, file: Self) {
        fn list<T>(own: &mut Vec<T>, other: Vec<T>) {
            if own.is_empty() {
                *own = other;
            }
        }
        list(&mut self.domain, file.domain);
        list(&mut self.user, file.user);
        list(&mut self.alias, file.alias);
        list(&mut self.listen, file.listen);
        self.data = self.data.take().or(file.data);
        if self.tls_cert.is_none() {
            (self.tls_cert, self.tls_key) = (file.tls_cert, file.tls_key);
        }
        self.allow_plaintext_auth |= file.allow_plaintext_auth;
        self.relay = self.relay.take().or(file.relay);
        self.resolver = self.resolver.or(file.resolver);
        self.retry = self.retry.take().or(file.retry);
        self.relay_port = self.relay_port.or(file.relay_port);
        self.relay_allow_loopback |= file.relay_allow_loopback;
        self.dane = self.dane.or(file.dane);
        self.sts = self.sts.or(file.sts);
        self.relay_ca = self.relay_ca.take().or(file.relay_ca);
        list(&mut self.sts_url_override, file.sts_url_override);
        self.max_size = self.max_size.or(file.max_size);
        self.store = self.store.or(file.store);
    }

    fn complete(self) -> Result<Options, String> {
        let relay = self.relay.as_deref().unwrap_or("off").parse()?;
        let retry = self.retry.map(|text| text.parse().map_err(|error| format!("--retry {text:?}: {error}")));
        let retry = retry.transpose()?;
        let places = self.sts_url_override.iter().map(|text| place(text));
        let sts_url_override = places.collect::<Result<_, String>>()?;
        let mut domains = Vec::new();
        for name in &self.domain {
            let domain: Domain = name.parse().map_err(|error| format!("--domain {name:?}: {error}"))?;
            if !matches!(domain, Domain::Name(_)) {
                return Err(format!("--domain {name:?}: an address literal is no domain"));
            }
            domains.push(domain);
        }
        let users = self.user.iter().map(|user| user.0.parse()).collect::<Result<Vec<User>, String>>()?;
        for user in &users {
            if !domains.contains(user.address.domain()) {
                domains.push(user.address.domain().clone());
            }
        }
        let example: Domain = "example.org".parse().map_err(|error| format!("{error}"))?;
        if domains.is_empty() {
            domains.push(example.clone());
        }
        let demo = users.is_empty() && domains.contains(&example);
        let aliases = self.alias.iter().map(|alias| alias.parse()).collect::<Result<Vec<Alias>, String>>()?;
        let listen = self
            .listen
            .iter()
            .map(|text| text.parse().map_err(|error| format!("--listen {text:?}: {error}")));
        let mut listen = listen.collect::<Result<Vec<Listen>, String>>()?;
        if listen.is_empty() {
            listen = Listen::defaults();
        }
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err("--tls-cert and --tls-key belong together".into()),
        };
        let max_size = self.max_size.unwrap_or(35 << 20);
        if max_size == 0 {
            return Err("--max-size must be above 0".into());
        }
        Ok(Options {
            data: self.data.unwrap_or_else(|| PathBuf::from("mailserver-data")),
            domains,
            users,
            aliases,
            listen,
            tls,
            allow_plaintext_auth: self.allow_plaintext_auth,
            max_size,
            store: self.store.unwrap_or(StoreKind::Local),
            relay,
            resolver: self.resolver,
            retry,
            relay_port: self.relay_port.unwrap_or(25),
            relay_allow_loopback: self.relay_allow_loopback,
            dane: self.dane != Some(Switch::Off),
            sts: self.sts != Some(Switch::Off),
            relay_ca: self.relay_ca,
            sts_url_override,
            demo,
        })
    }
}

/// `HOST=ADDR:PORT`.
fn place(text: &str) -> Result<(DomainName, SocketAddr), String> {
    let wrong = |what: &dyn core::fmt::Display| format!("--sts-url-override {text:?}: {what}");
    let (host, address) = text.split_once('=').ok_or_else(|| wrong(&"expected HOST=ADDR:PORT"))?;
    let host = host.parse().map_err(|error| wrong(&error))?;
    Ok((host, address.parse().map_err(|error| wrong(&error))?))
}

impl FromStr for User {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, password) = split_user(text).map_err(|error| format!("--user: {error}"))?;
        let address: Mailbox = address.parse().map_err(|error| format!("--user {address:?}: {error}"))?;
        Ok(Self { address, password: Secret::from(password) })
    }
}

impl FromStr for Alias {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &dyn core::fmt::Display| format!("--alias {text:?}: {what}");
        let (from, targets) = text.split_once('=').ok_or_else(|| wrong(&"expected FROM=TO[,TO…]"))?;
        let from = match from.strip_prefix('@') {
            Some(domain) => AliasFrom::CatchAll(domain.parse().map_err(|error| wrong(&error))?),
            None => AliasFrom::Address(from.parse().map_err(|error| wrong(&error))?),
        };
        let targets = targets.split(',').map(|target| target.trim().parse().map_err(|error| wrong(&error)));
        Ok(Self { from, targets: targets.collect::<Result<_, String>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, String> {
        let arguments = ["mailserver"].iter().chain(arguments);
        Given::try_parse_from(arguments).map_err(|error| error.to_string())?.complete()
    }

    #[test]
    fn alone_it_is_the_demonstration() {
        let options = read(&[]).unwrap();
        assert!(options.demo);
        assert_eq!(options.domains, ["example.org".parse().unwrap()]);
        assert_eq!(options.listen, Listen::defaults());
        assert_eq!(options.max_size, 36_700_160);
    }

    #[test]
    fn named_users_replace_the_demonstration_and_bring_their_domains() {
        let options = read(&["--user", "carol@x.test:a:b@c", "--domain", "y.test"]).unwrap();
        assert!(!options.demo);
        assert_eq!(options.domains, ["y.test".parse().unwrap(), "x.test".parse().unwrap()]);
        let [user] = options.users.as_slice() else { panic!("one user") };
        assert_eq!(user.address.to_string(), "carol@x.test");
        assert_eq!(user.password.expose(), b"a:b@c");
        assert!(!read(&["--domain", "y.test"]).unwrap().demo);
    }

    #[test]
    fn wrong_values_are_refused_without_showing_passwords() {
        for wrong in [
            &["--user", "carol"][..],
            &["--user", "carol@x.test:"],
            &["--user", "carol@:geheim"],
            &["--domain", "-x"],
            &["--domain", "[192.0.2.1]"],
            &["--alias", "a@x.test"],
            &["--alias", "a@x.test=|program"],
            &["--listen", "imap"],
            &["--relay", "no host"],
            &["--relay", ""],
            &["--retry", "soon"],
            &["--relay-port", "0"],
            &["--resolver", "localhost"],
            &["--max-size", "0"],
            &["--sts", "maybe"],
            &["--sts-url-override", "mta-sts.x.test"],
            &["--sts-url-override", "mta-sts.x.test=localhost:1"],
            &["--tls-cert", "x"],
            &["--unknown"],
        ] {
            let error = read(wrong).unwrap_err();
            assert!(!error.contains("geheim"), "{error}");
        }
    }

    #[test]
    fn options_win_over_the_file() {
        let file = "domain = 'a.test'\nuser = ['u@a.test:p']\nmax-size = 5\nlisten = ['smtp=127.0.0.1:1']\n";
        let mut given =
            Given::try_parse_from(["mailserver", "--max-size", "7", "--listen", "pop3=127.0.0.1:0"]).unwrap();
        given.fill_from(toml::from_str(file).unwrap());
        let options = given.complete().unwrap();
        assert_eq!(options.max_size, 7);
        assert_eq!(options.listen, ["pop3=127.0.0.1:0".parse().unwrap()]);
        assert_eq!(options.domains, ["a.test".parse().unwrap()]);
        assert!(toml::from_str::<Given>("colour = 'red'").is_err());
    }

    #[test]
    fn mail_for_other_domains_is_refused_or_goes_by_mx_or_to_a_host() {
        assert_eq!(read(&[]).unwrap().relay, Relay::Off);
        assert_eq!(read(&["--relay", "off"]).unwrap().relay, Relay::Off);
        assert_eq!(read(&["--relay", "mx", "--retry", "1s,2s,4s*"]).unwrap().relay, Relay::Mx);
        let host = Destination::relay("mail.x.test:2525", 25).unwrap();
        assert_eq!(read(&["--relay", "mail.x.test:2525"]).unwrap().relay, Relay::Host(host));
    }

    #[test]
    fn outbound_mail_keeps_to_policies_unless_told_otherwise() {
        let options = read(&[]).unwrap();
        assert!(options.dane && options.sts);
        let place = "mta-sts.x.test=127.0.0.1:443";
        let options = read(&["--dane", "off", "--sts", "off", "--sts-url-override", place]).unwrap();
        assert!(!options.dane && !options.sts && options.sts_url_override.len() == 1);
    }

    #[test]
    fn an_alias_has_targets_and_may_catch_all() {
        let alias: Alias = "@x.test=a@x.test,b@x.test".parse().unwrap();
        assert_eq!(alias.from, AliasFrom::CatchAll("x.test".parse().unwrap()));
        assert_eq!(alias.targets.len(), 2);
    }
}
