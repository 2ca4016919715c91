//! [`Correspondent`]: an address with the name of whom it belongs to.

use core::str::FromStr;

use mail_builder::headers::address::{Address, EmailAddress};
use mailwright_core::value::{AddressError, Mailbox};

/// An author or recipient: `a@b`, `<a@b>`, `Name <a@b>` or `"Name" <a@b>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Correspondent {
    name: Option<String>,
    pub(crate) mailbox: Mailbox,
}

/// Why text is no [`Correspondent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidCorrespondent {
    Control,
    Name,
    Address(AddressError),
}

impl core::fmt::Display for InvalidCorrespondent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Control => f.write_str("an address and its name have no control characters"),
            Self::Name => f.write_str("a name with one of ()<>[]:;@\\,\" in it stands in double quotes"),
            Self::Address(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for InvalidCorrespondent {}

impl FromStr for Correspondent {
    type Err = InvalidCorrespondent;

    fn from_str(text: &str) -> Result<Self, InvalidCorrespondent> {
        // A line end could begin a field, or a command, of its own.
        if text.chars().any(char::is_control) {
            return Err(InvalidCorrespondent::Control);
        }
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>') {
            None => (None, text),
            Some(rest) => {
                let (name, behind) = name(rest)?;
                let address = behind.trim_start().strip_prefix('<').ok_or(InvalidCorrespondent::Name)?;
                (name, address)
            }
        };
        let mailbox = address.parse().map_err(InvalidCorrespondent::Address)?;
        Ok(Self { name, mailbox })
    }
}

/// The name before an address, and what is behind it. RFC 5322 §3.2.5: a phrase; beyond its grammar, dots and
/// characters beyond ASCII need no quotes.
fn name(text: &str) -> Result<(Option<String>, &str), InvalidCorrespondent> {
    let (name, behind) = if let Some(quoted) = text.strip_prefix('"') {
        let mut name = String::new();
        let mut characters = quoted.chars();
        loop {
            match characters.next() {
                Some('"') => break (name, characters.as_str()),
                Some('\\') => name.push(characters.next().ok_or(InvalidCorrespondent::Name)?),
                Some(character) => name.push(character),
                None => return Err(InvalidCorrespondent::Name),
            }
        }
    } else {
        let (name, behind) = text.split_at(text.find('<').unwrap_or(text.len()));
        if name.contains(['(', ')', '>', '[', ']', ':', ';', '@', '\\', ',', '"']) {
            return Err(InvalidCorrespondent::Name);
        }
        (name.to_owned(), behind)
    };
    let name = name.trim();
    Ok(((!name.is_empty()).then(|| name.to_owned()), behind))
}

impl<'a> From<&'a Correspondent> for Address<'a> {
    fn from(correspondent: &'a Correspondent) -> Self {
        Self::Address(EmailAddress {
            name: correspondent.name.as_deref().map(Into::into),
            email: correspondent.mailbox.to_string().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, String) {
        let correspondent: Correspondent = text.parse().unwrap();
        (correspondent.name, correspondent.mailbox.to_string())
    }

    #[test]
    fn an_address_stands_alone_or_behind_a_name() {
        let alice = || "alice@example.org".to_owned();
        assert_eq!(read("alice@example.org"), (None, alice()));
        assert_eq!(read(" <alice@example.org> "), (None, alice()));
        assert_eq!(read("\"\" <alice@example.org>"), (None, alice()));
        for (text, name) in [
            ("Alice Miller <alice@example.org>", "Alice Miller"),
            ("J. O'Hara<alice@example.org>", "J. O'Hara"),
            ("Jürgen Müller <alice@example.org>", "Jürgen Müller"),
            (r#""Miller, \"Al\" <x@y>" <alice@example.org>"#, "Miller, \"Al\" <x@y>"),
        ] {
            assert_eq!(read(text), (Some(name.to_owned()), alice()), "{text}");
        }
        assert_eq!(
            read(r#"A <"a<b> c"@example.org>"#),
            (Some("A".to_owned()), r#""a<b> c"@example.org"#.to_owned())
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "<>",
            "Alice",
            "alice@example.org, bob@example.org",
            "alice@example.org, Bob <bob@example.org>",
            "Alice (the first) <alice@example.org>",
            "\"Alice <alice@example.org>",
            "\"Alice\" Miller <alice@example.org>",
            "Alice <alice@example.org> <bob@example.org>",
            "Alice <alice@example.org>\r\nBcc: <bob@example.org>",
            "Alice\r\nBcc: x <alice@example.org>",
            "Al\0ice <alice@example.org>",
            "\"Al\nice\" <alice@example.org>",
            "alice@example.org\n",
            "Al\u{85}ice <alice@example.org>",
        ] {
            assert!(text.parse::<Correspondent>().is_err(), "{text:?}");
        }
    }
}
