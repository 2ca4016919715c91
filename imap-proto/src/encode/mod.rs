//! Writing values. RFC 9051 §4, §9.
//!
//! A string goes as an atom where it can, as a quoted string where that can hold it, and as a literal else.
//! Which literals the peer takes without being asked decides where a command has to pause: [`Literals`]
//! keeps those places.

mod append;
mod code;
mod command;
mod list;
mod message;
mod response;
mod search;
mod structure;

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes, BytesMut};

pub use self::append::Announcing;
pub use self::command::EncodeError;
pub(crate) use self::message::put_fetch_item;
use crate::types::Mailbox;

/// Which literals go without waiting for the peer's consent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7888 has these")]
pub enum LiteralPolicy {
    /// None: the peer has neither LITERAL+ nor LITERAL-.
    #[default]
    Synchronising,
    /// Those up to 4096 octets: LITERAL- (RFC 7888 §5).
    Small,
    /// All: LITERAL+, and whatever a server sends.
    All,
}

/// A message that is being written, with the places where it must wait.
#[derive(Debug)]
pub(crate) struct Literals<'a> {
    wire: &'a mut BytesMut,
    policy: LiteralPolicy,
    /// Whether the peer understands `{n+}`; a server writes `{n}` and never waits.
    marks: bool,
    /// Whether UTF-8 was agreed on: in mailbox names and quoted strings.
    utf8: bool,
    /// Offsets behind the announcement of a literal that needs consent.
    pauses: Vec<usize>,
}

impl<'a> Literals<'a> {
    /// For a command.
    pub(crate) const fn command(wire: &'a mut BytesMut, policy: LiteralPolicy, utf8: bool) -> Self {
        Self { wire, policy, marks: true, utf8, pauses: Vec::new() }
    }

    /// For a response, where a literal is announced by `{n}` and follows at once.
    pub(crate) const fn response(wire: &'a mut BytesMut, utf8: bool) -> Self {
        Self { wire, policy: LiteralPolicy::All, marks: false, utf8, pauses: Vec::new() }
    }

    /// Writes text that needs no care.
    pub(crate) fn put(&mut self, text: &str) {
        self.wire.put_slice(text.as_bytes());
    }

    pub(crate) fn put_number(&mut self, number: impl Into<u64>) {
        put_number(number.into(), self.wire);
    }

    /// Writes a space and a mailbox name.
    pub(crate) fn put_mailbox(&mut self, mailbox: &Mailbox) {
        self.wire.put_u8(b' ');
        self.put_name(mailbox);
    }

    /// Writes a mailbox name.
    pub(crate) fn put_name(&mut self, mailbox: &Mailbox) {
        put_astring(&mailbox.wire(self.utf8), self);
    }

    /// Writes elements, a space between them.
    pub(crate) fn put_each<T>(&mut self, elements: &[T], mut put: impl FnMut(&T, &mut Self)) {
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                self.wire.put_u8(b' ');
            }
            put(element, self);
        }
    }

    /// The same in parentheses.
    pub(crate) fn put_list<T>(&mut self, elements: &[T], put: impl FnMut(&T, &mut Self)) {
        self.wire.put_u8(b'(');
        self.put_each(elements, put);
        self.wire.put_u8(b')');
    }

    pub(crate) const fn wire(&mut self) -> &mut BytesMut {
        self.wire
    }

    /// The places where the writer must wait for the peer's consent, in order.
    pub(crate) fn pauses(self) -> Vec<usize> {
        self.pauses
    }

    /// Announces a literal of so many octets, which the caller writes next.
    pub(crate) fn announce(&mut self, length: u64, binary: bool) {
        let waits = match self.policy {
            LiteralPolicy::Synchronising => true,
            LiteralPolicy::Small => length > 4096,
            LiteralPolicy::All => false,
        };
        if binary {
            self.wire.put_u8(b'~');
        }
        self.wire.put_u8(b'{');
        put_number(length, self.wire);
        if self.marks && !waits {
            self.wire.put_u8(b'+');
        }
        self.wire.put_slice(b"}\r\n");
        if waits {
            self.pauses.push(self.wire.len());
        }
    }
}

/// Writes a decimal number.
pub(crate) fn put_number(number: u64, into: &mut BytesMut) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    into.put_slice(digits.get(at..).unwrap_or_default());
}

/// Whether an octet may stand in an atom: RFC 9051 §9 (`ATOM-CHAR`).
pub(crate) fn is_atom_octet(octet: u8) -> bool {
    ATOM_OCTETS.get(usize::from(octet)).copied().unwrap_or_default()
}

/// Which octets may stand in an atom.
const ATOM_OCTETS: [bool; 256] = {
    let mut octets = [false; 256];
    let mut octet = b' ';
    while octet < b'~' {
        octet += 1;
        #[expect(clippy::indexing_slicing, reason = "worked out when it is compiled")]
        {
            octets[octet as usize] = !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']');
        }
    }
    octets
};

/// Writes an astring: an atom (in which `]` is allowed too) if that can hold it.
pub(crate) fn put_astring(octets: &[u8], literals: &mut Literals<'_>) {
    let atom = !octets.is_empty() && octets.iter().all(|octet| is_atom_octet(*octet) || *octet == b']');
    // NIL as an atom is no string to some readers.
    if atom && !octets.eq_ignore_ascii_case(b"NIL") {
        literals.wire().put_slice(octets);
    } else {
        put_string(octets, literals);
    }
}

/// Octets that a quoted string holds at most; longer ones are literals.
const MOST_QUOTED: usize = 1024;

/// Writes a string: quoted if that can hold it, else a literal. It must have no NUL.
pub(crate) fn put_string(octets: &[u8], literals: &mut Literals<'_>) {
    // RFC 3501 §9: QUOTED-CHAR is 7-bit, and neither CR nor LF. Other controls are better off in a literal. All octets
    // are looked at without a branch for each.
    let look = |(plain, escaped): (bool, bool), octet: &u8| {
        (plain & matches!(octet, b' '..=b'~'), escaped | matches!(octet, b'"' | b'\\'))
    };
    let (plain, escaped) = octets.iter().fold((true, false), look);
    // RFC 6855 §3: UTF-8 too, where that was agreed on.
    let utf8 = || {
        let text = core::str::from_utf8(octets);
        literals.utf8 && text.is_ok_and(|text| !text.chars().any(char::is_control))
    };
    if octets.len() > MOST_QUOTED || !(plain || utf8()) {
        literals.announce(octets.len() as u64, false);
        literals.wire().put_slice(octets);
        return;
    }
    let wire = literals.wire();
    wire.put_u8(b'"');
    let mut rest = octets;
    while escaped && let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        let (before, behind) = rest.split_at_checked(at).unwrap_or_default();
        wire.put_slice(before);
        wire.put_u8(b'\\');
        let (special, behind) = behind.split_at_checked(1).unwrap_or_default();
        wire.put_slice(special);
        rest = behind;
    }
    wire.put_slice(rest);
    wire.put_u8(b'"');
}

/// Writes a string that may have NUL: then as a binary literal.
pub(crate) fn put_octets(octets: &[u8], literals: &mut Literals<'_>) {
    if memchr::memchr(0, octets).is_none() {
        return put_string(octets, literals);
    }
    literals.announce(octets.len() as u64, true);
    literals.wire().put_slice(octets);
}

/// Writes a string or NIL.
pub(crate) fn put_nstring(octets: Option<&[u8]>, literals: &mut Literals<'_>) {
    match octets {
        Some(octets) => put_string(octets, literals),
        None => literals.wire().put_slice(b"NIL"),
    }
}

/// Writes text in a quoted string, as it is.
pub(crate) fn put_quoted(text: &str, wire: &mut BytesMut) {
    wire.put_u8(b'"');
    wire.put_slice(text.as_bytes());
    wire.put_u8(b'"');
}

/// The pieces of a command that may go one after the other, each behind the peer's consent to the literal
/// at the end of the one before.
pub(crate) fn split_at_pauses(mut wire: BytesMut, pauses: &[usize]) -> Vec<Bytes> {
    let mut pieces = Vec::with_capacity(pauses.len() + 1);
    let mut start = 0;
    for pause in pauses {
        pieces.push(wire.split_to((pause - start).min(wire.len())).freeze());
        start = *pause;
    }
    pieces.push(wire.freeze());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn astring(octets: &[u8], policy: LiteralPolicy) -> (BytesMut, Vec<usize>) {
        let mut wire = BytesMut::new();
        let mut literals = Literals::command(&mut wire, policy, false);
        put_astring(octets, &mut literals);
        let pauses = literals.pauses();
        (wire, pauses)
    }

    #[test]
    fn a_string_takes_the_simplest_form_that_can_hold_it() {
        for (octets, wire) in [
            (&b"INBOX"[..], &b"INBOX"[..]),
            (b"a]b", b"a]b"),
            (b"", b"\"\""),
            (b"nil", b"\"nil\""),
            (b"a b", b"\"a b\""),
            (b"a\"b\\c", b"\"a\\\"b\\\\c\""),
            (b"a*", b"\"a*\""),
            (b"a\r\nb", b"{4+}\r\na\r\nb"),
            (b"\xc3\xa4", b"{2+}\r\n\xc3\xa4"),
            (b"\x07", b"{1+}\r\n\x07"),
        ] {
            assert_eq!(astring(octets, LiteralPolicy::All).0, wire, "{}", octets.escape_ascii());
        }
    }

    #[test]
    fn utf8_is_quoted_only_where_it_was_agreed_on() {
        for (octets, plain, agreed) in [
            ("ä".as_bytes(), &b"{2}\r\n\xc3\xa4"[..], "\"ä\"".as_bytes()),
            (b"\xff", b"{1}\r\n\xff", b"{1}\r\n\xff"),
            ("ä\n".as_bytes(), b"{3}\r\n\xc3\xa4\n", b"{3}\r\n\xc3\xa4\n"),
        ] {
            for (utf8, expected) in [(false, plain), (true, agreed)] {
                let mut wire = BytesMut::new();
                put_string(octets, &mut Literals::response(&mut wire, utf8));
                assert_eq!(wire, expected);
            }
        }
        let mut wire = BytesMut::new();
        put_octets(b"a\0", &mut Literals::response(&mut wire, true));
        assert_eq!(&*wire, b"~{2}\r\na\0");
    }

    #[test]
    fn a_literal_waits_where_the_peer_wants_to_be_asked() {
        let long = alloc::vec![0xff; 5000];
        assert_eq!(astring(&long, LiteralPolicy::All).1, []);
        assert_eq!(astring(&long, LiteralPolicy::Small).1, [8]);
        assert!(astring(b"\xff", LiteralPolicy::Small).1.is_empty());
        let (wire, pauses) = astring(b"\xff", LiteralPolicy::Synchronising);
        assert_eq!(split_at_pauses(wire, &pauses), [&b"{1}\r\n"[..], b"\xff"]);
    }

    #[test]
    fn numbers_are_decimal() {
        for (number, text) in [(0, "0"), (10, "10"), (u64::MAX, "18446744073709551615")] {
            let mut wire = BytesMut::new();
            put_number(number, &mut wire);
            assert_eq!(wire, text);
        }
    }
}
