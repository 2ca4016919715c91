//! [`Verb`]: the commands as data. One table says how each is written and treated; it drives the server,
//! and a client's grouping can read it too.
//!
//! RFC 5321 §4.1.1; RFC 2920 §3.1 (last in group), RFC 3207 §4 and RFC 4954 §6 (gates), RFC 2033 (LHLO).

use core::fmt;

/// A command that this crate knows by name. What it does with each is in [`Verb::entry`] and in the
/// machines.
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
    /// RFC 2920 §3.1: no command may stand behind it before its reply. AUTH with an initial response that
    /// completes it is the one exception.
    pub last_in_group: bool,
    /// RFC 3207 §4: possible before TLS where TLS is required.
    pub before_tls: bool,
    /// RFC 4954 §6: possible before AUTH where authentication is required.
    pub before_authentication: bool,
    /// Brings no message closer; a session may have only so many.
    pub idle: bool,
}

const LAST: u8 = 1;
const BEFORE_TLS: u8 = 2;
const BEFORE_AUTH: u8 = 4;
const IDLE: u8 = 8;

const fn row(verb: Verb, name: &'static str, flags: u8) -> VerbEntry {
    VerbEntry {
        verb,
        name,
        last_in_group: flags & LAST != 0,
        before_tls: flags & BEFORE_TLS != 0,
        before_authentication: flags & BEFORE_AUTH != 0,
        idle: flags & IDLE != 0,
    }
}

/// The table, in the order of [`Verb`].
static TABLE: [VerbEntry; 24] = [
    row(Verb::Ehlo, "EHLO", LAST | BEFORE_TLS | BEFORE_AUTH | IDLE),
    row(Verb::Helo, "HELO", LAST | BEFORE_AUTH | IDLE),
    row(Verb::Lhlo, "LHLO", LAST | BEFORE_TLS | BEFORE_AUTH | IDLE),
    row(Verb::Mail, "MAIL", 0),
    row(Verb::Rcpt, "RCPT", 0),
    row(Verb::Data, "DATA", LAST),
    row(Verb::Bdat, "BDAT", 0),
    row(Verb::Rset, "RSET", BEFORE_AUTH | IDLE),
    row(Verb::Noop, "NOOP", LAST | BEFORE_TLS | BEFORE_AUTH | IDLE),
    row(Verb::Vrfy, "VRFY", LAST | IDLE),
    row(Verb::Expn, "EXPN", LAST | IDLE),
    row(Verb::Help, "HELP", LAST | IDLE),
    row(Verb::StartTls, "STARTTLS", LAST | BEFORE_TLS | BEFORE_AUTH | IDLE),
    row(Verb::Auth, "AUTH", LAST | BEFORE_AUTH | IDLE),
    row(Verb::Etrn, "ETRN", IDLE),
    row(Verb::Atrn, "ATRN", LAST | IDLE),
    row(Verb::XClient, "XCLIENT", LAST | IDLE),
    row(Verb::XForward, "XFORWARD", IDLE),
    row(Verb::Burl, "BURL", 0),
    row(Verb::Turn, "TURN", LAST),
    row(Verb::Send, "SEND", 0),
    row(Verb::Soml, "SOML", 0),
    row(Verb::Saml, "SAML", 0),
    row(Verb::Quit, "QUIT", LAST | BEFORE_TLS | BEFORE_AUTH),
];

impl Verb {
    /// All commands with their treatment.
    #[must_use]
    pub fn table() -> &'static [VerbEntry] {
        &TABLE
    }

    /// How the command is treated.
    #[must_use]
    pub fn entry(self) -> &'static VerbEntry {
        static QUIT: VerbEntry = row(Verb::Quit, "QUIT", LAST | BEFORE_TLS | BEFORE_AUTH);
        // The table is in the order of the variants, which a test checks.
        TABLE.get(self as usize).unwrap_or(&QUIT)
    }

    /// How it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.entry().name
    }

    /// The command of this name.
    #[must_use]
    pub fn find(name: &[u8]) -> Option<Self> {
        // RFC 5321 §2.4: verbs are recognised in any case.
        TABLE.iter().find(|entry| name.eq_ignore_ascii_case(entry.name.as_bytes())).map(|entry| entry.verb)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (index, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.verb as usize, index);
            assert_eq!(entry.verb.entry(), entry);
            assert_eq!(Verb::find(entry.name.to_ascii_lowercase().as_bytes()), Some(entry.verb));
        }
        assert_eq!(Verb::find(b"MAIL "), None);
        assert_eq!(Verb::find(b""), None);
    }

    #[test]
    fn only_the_named_commands_pass_the_gates() {
        let passing = |gate: fn(&VerbEntry) -> bool| {
            TABLE.iter().filter(|entry| gate(entry)).map(|entry| entry.name).collect::<alloc::vec::Vec<_>>()
        };
        assert_eq!(passing(|entry| entry.before_tls), ["EHLO", "LHLO", "NOOP", "STARTTLS", "QUIT"]);
        assert_eq!(
            passing(|entry| entry.before_authentication),
            ["EHLO", "HELO", "LHLO", "RSET", "NOOP", "STARTTLS", "AUTH", "QUIT"]
        );
    }
}
