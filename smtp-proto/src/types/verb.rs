//! [`Verb`]: the commands as data. One table says how each is written and treated; it drives the server and the
//! client's grouping.
//!
//! RFC 5321 §4.1.1; RFC 2920 §3.1 (last in group), RFC 3207 §4 and RFC 4954 §6 (gates), RFC 2033 (LHLO).

use core::fmt;

/// A command that this crate knows by name. What it does with each is in [`Verb::entry`] and in the
/// machines:
///
/// | Command | Before EHLO | Behind it | In a transaction | Ends a group | Before TLS | Before AUTH | Of an extension |
/// |---|---|---|---|---|---|---|---|
/// | EHLO | possible | possible | possible | yes | yes | yes |  |
/// | HELO | possible | possible | possible | yes |  | yes |  |
/// | LHLO | possible | possible | possible | yes | yes | yes |  |
/// | MAIL | 503 | possible | 503 |  |  |  |  |
/// | RCPT | 503 | 503 | possible |  |  |  |  |
/// | DATA | 503 | 503 | possible | yes |  |  |  |
/// | BDAT | 503 | 503 | possible |  |  |  | yes |
/// | RSET | possible | possible | possible |  |  | yes |  |
/// | NOOP | possible | possible | possible | yes | yes | yes |  |
/// | VRFY | possible | possible | possible | yes |  |  |  |
/// | EXPN | possible | possible | possible | yes |  |  |  |
/// | HELP | possible | possible | possible | yes |  |  |  |
/// | STARTTLS | 503 | possible | 503 | yes | yes | yes | yes |
/// | AUTH | 503 | possible | 503 | yes |  | yes | yes |
/// | ETRN | 503 | possible | 503 |  |  |  | yes |
/// | ATRN | 503 | possible | 503 | yes |  |  | yes |
/// | XCLIENT | 503 | possible | 503 | yes |  |  | yes |
/// | XFORWARD | 503 | possible | 503 |  |  |  | yes |
/// | BURL | 502 | 502 | 502 |  |  |  | yes |
/// | TURN | 502 | 502 | 502 | yes |  |  |  |
/// | SEND | 502 | 502 | 502 |  |  |  |  |
/// | SOML | 502 | 502 | 502 |  |  |  |  |
/// | SAML | 502 | 502 | 502 |  |  |  |  |
/// | QUIT | possible | possible | possible | yes | yes | yes |  |
///
/// What is possible and not offered is 502; "before TLS" and "before AUTH" are for servers that require them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// EHLO (RFC 5321 §4.1.1.1).
    Ehlo,
    /// HELO (RFC 5321 §4.1.1.1).
    Helo,
    /// LHLO (RFC 2033 §4.1).
    Lhlo,
    /// MAIL (RFC 5321 §4.1.1.2).
    Mail,
    /// RCPT (RFC 5321 §4.1.1.3).
    Rcpt,
    /// DATA (RFC 5321 §4.1.1.4).
    Data,
    /// BDAT (RFC 3030 §2).
    Bdat,
    /// RSET (RFC 5321 §4.1.1.5).
    Rset,
    /// NOOP (RFC 5321 §4.1.1.9).
    Noop,
    /// VRFY (RFC 5321 §4.1.1.6).
    Vrfy,
    /// EXPN (RFC 5321 §4.1.1.7).
    Expn,
    /// HELP (RFC 5321 §4.1.1.8).
    Help,
    /// STARTTLS (RFC 3207 §4).
    StartTls,
    /// AUTH (RFC 4954 §4).
    Auth,
    /// ETRN (RFC 1985).
    Etrn,
    /// ATRN (RFC 2645).
    Atrn,
    /// XCLIENT, of no RFC.
    XClient,
    /// XFORWARD, of no RFC.
    XForward,
    /// BURL (RFC 4468).
    Burl,
    /// TURN (RFC 5321 App. F.1).
    Turn,
    /// SEND (RFC 5321 App. F.6).
    Send,
    /// SOML (RFC 5321 App. F.6).
    Soml,
    /// SAML (RFC 5321 App. F.6).
    Saml,
    /// QUIT (RFC 5321 §4.1.1.10).
    Quit,
}

/// How a command is treated, whatever its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerbEntry {
    /// Which command.
    pub verb: Verb,
    /// How it is written; matched in any ASCII case.
    pub name: &'static str,
    /// Before EHLO, HELO or LHLO.
    pub before_hello: Place,
    /// Behind it, without a transaction.
    pub ready: Place,
    /// In a transaction: RFC 5321 §4.1.4.
    pub in_transaction: Place,
    /// RFC 2920 §3.1: no command may stand behind it before its reply. AUTH with an initial response that
    /// completes it is the one exception.
    pub last_in_group: bool,
    /// RFC 3207 §4: possible before TLS where TLS is required.
    pub before_tls: bool,
    /// RFC 4954 §6: possible before AUTH where authentication is required.
    pub before_authentication: bool,
    /// Brings no message closer; a session may have only so many.
    pub idle: bool,
    /// Of an extension: not after HELO (RFC 5321 §3.2).
    pub extension: bool,
}

/// What the state of a session makes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a table has these cells")]
pub enum Place {
    /// Possible; where it belongs to an extension, only if that is offered: 502 else.
    Possible,
    /// 503.
    BadSequence,
    /// 502: recognised, and never carried out.
    NotImplemented,
}

impl VerbEntry {
    const fn last(mut self) -> Self {
        self.last_in_group = true;
        self
    }

    const fn before_tls(mut self) -> Self {
        self.before_tls = true;
        self
    }

    const fn before_authentication(mut self) -> Self {
        self.before_authentication = true;
        self
    }

    const fn idle(mut self) -> Self {
        self.idle = true;
        self
    }

    const fn extension(mut self) -> Self {
        self.extension = true;
        self
    }
}

/// A row: the name, and what is said before EHLO, behind it, and in a transaction: `+` possible, `!` 503, `-` 502.
const fn row(verb: Verb, name: &'static str, places: [u8; 3]) -> VerbEntry {
    const fn place(mark: u8) -> Place {
        match mark {
            b'+' => Place::Possible,
            b'!' => Place::BadSequence,
            _ => Place::NotImplemented,
        }
    }
    let [before_hello, ready, in_transaction] = places;
    VerbEntry {
        verb,
        name,
        before_hello: place(before_hello),
        ready: place(ready),
        in_transaction: place(in_transaction),
        last_in_group: false,
        before_tls: false,
        before_authentication: false,
        idle: false,
        extension: false,
    }
}

const QUIT: VerbEntry = row(Verb::Quit, "QUIT", *b"+++").last().before_tls().before_authentication();

/// The table, in the order of [`Verb`].
static TABLE: [VerbEntry; 24] = [
    row(Verb::Ehlo, "EHLO", *b"+++").last().before_tls().before_authentication().idle(),
    row(Verb::Helo, "HELO", *b"+++").last().before_authentication().idle(),
    row(Verb::Lhlo, "LHLO", *b"+++").last().before_tls().before_authentication().idle(),
    row(Verb::Mail, "MAIL", *b"!+!"),
    row(Verb::Rcpt, "RCPT", *b"!!+"),
    row(Verb::Data, "DATA", *b"!!+").last(),
    row(Verb::Bdat, "BDAT", *b"!!+").extension(),
    row(Verb::Rset, "RSET", *b"+++").before_authentication().idle(),
    row(Verb::Noop, "NOOP", *b"+++").last().before_tls().before_authentication().idle(),
    row(Verb::Vrfy, "VRFY", *b"+++").last().idle(),
    row(Verb::Expn, "EXPN", *b"+++").last().idle(),
    row(Verb::Help, "HELP", *b"+++").last().idle(),
    row(Verb::StartTls, "STARTTLS", *b"!+!").last().before_tls().before_authentication().idle().extension(),
    row(Verb::Auth, "AUTH", *b"!+!").last().before_authentication().idle().extension(),
    row(Verb::Etrn, "ETRN", *b"!+!").idle().extension(),
    row(Verb::Atrn, "ATRN", *b"!+!").last().idle().extension(),
    row(Verb::XClient, "XCLIENT", *b"!+!").last().idle().extension(),
    row(Verb::XForward, "XFORWARD", *b"!+!").idle().extension(),
    row(Verb::Burl, "BURL", *b"---").extension(),
    row(Verb::Turn, "TURN", *b"---").last(),
    row(Verb::Send, "SEND", *b"---"),
    row(Verb::Soml, "SOML", *b"---"),
    row(Verb::Saml, "SAML", *b"---"),
    QUIT,
];

/// The names in capitals as numbers, in the order of the table: one comparison for each.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
static KEYS: [u64; TABLE.len()] = {
    let mut keys = [0; TABLE.len()];
    let mut index = 0;
    while index < TABLE.len() {
        keys[index] = key(TABLE[index].name.as_bytes());
        index += 1;
    }
    keys
};

/// A name of eight octets at most, in capitals, as a number.
const fn key(mut name: &[u8]) -> u64 {
    let mut key = 0;
    while let [first, rest @ ..] = name {
        key = key << 8 | first.to_ascii_uppercase() as u64;
        name = rest;
    }
    key
}

impl Verb {
    /// All commands with their treatment.
    #[must_use]
    pub fn table() -> &'static [VerbEntry] {
        &TABLE
    }

    /// How the command is treated.
    #[must_use]
    pub fn entry(self) -> &'static VerbEntry {
        static LAST: VerbEntry = QUIT;
        // The table is in the order of the variants, which a test checks.
        TABLE.get(self as usize).unwrap_or(&LAST)
    }

    /// How it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.entry().name
    }

    /// Letters of the longest name.
    pub(crate) const LONGEST: usize = 8;

    /// The command of this name.
    #[must_use]
    pub fn find(name: &[u8]) -> Option<Self> {
        if name.len() > Self::LONGEST {
            return None;
        }
        // RFC 5321 §2.4: verbs are recognised in any case.
        let key = key(name);
        let entry = TABLE.get(KEYS.iter().position(|of_entry| *of_entry == key)?)?;
        // A name may begin with NUL.
        (entry.name.len() == name.len()).then_some(entry.verb)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (index, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.verb as usize, index);
            assert_eq!(entry.verb.entry(), entry);
            assert_eq!(Verb::find(entry.name.to_ascii_lowercase().as_bytes()), Some(entry.verb));
        }
        for name in [
            &b"MAIL "[..],
            b"",
            b"\0MAIL",
            b"MAIL\0",
            b"\0\0\0\0MAIL",
            b"MAILMAIL",
            b"XSTARTTLS",
            b"\xcd\xc1\xc9\xcc",
        ] {
            assert_eq!(Verb::find(name), None, "{}", name.escape_ascii());
        }
        assert!(TABLE.iter().all(|entry| entry.name.len() <= Verb::LONGEST));
    }

    #[test]
    fn the_documentation_tells_what_the_table_does() {
        let place = |place| match place {
            Place::Possible => "possible",
            Place::BadSequence => "503",
            Place::NotImplemented => "502",
        };
        let mark = |flag| if flag { "yes" } else { "" };
        let rows: Vec<String> = TABLE
            .iter()
            .map(|it| {
                let places = [it.before_hello, it.ready, it.in_transaction].map(place).join(" | ");
                let flags = [it.last_in_group, it.before_tls, it.before_authentication, it.extension];
                format!("/// | {} | {places} | {} |\n", it.name, flags.map(mark).join(" | "))
            })
            .collect();
        assert!(include_str!("verb.rs").contains(&rows.concat()), "{}", rows.concat());
    }

    #[test]
    fn only_the_named_commands_pass_the_gates() {
        let passing = |gate: fn(&VerbEntry) -> bool| {
            TABLE.iter().filter(|entry| gate(entry)).map(|entry| entry.name).collect::<Vec<_>>()
        };
        assert_eq!(passing(|entry| entry.before_tls), ["EHLO", "LHLO", "NOOP", "STARTTLS", "QUIT"]);
        assert_eq!(
            passing(|entry| entry.before_authentication),
            ["EHLO", "HELO", "LHLO", "RSET", "NOOP", "STARTTLS", "AUTH", "QUIT"]
        );
    }
}
