//! Who a message claims to be from: the addresses of its From fields. RFC 5322 §3.4, §3.6.2, §4.4; RFC 6854.
//!
//! Read to decide whether an account may send the message, so what cannot be read is an error, never an
//! empty list. Linear in the input; comments nest by a counter.

use alloc::vec::Vec;

use mailwright_core::value::Mailbox;

/// Why the addresses of a From field are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginatorError {
    /// It is no list of addresses.
    #[error("the From field is not a list of addresses")]
    Syntax,
    /// It names nobody.
    #[error("the From field has no address")]
    Empty,
}

/// The addresses in `value`, the value of a From field without its name, folded or not.
///
/// Display names, comments, groups and obsolete source routes are passed over.
///
/// # Errors
/// If it is no list of addresses, or an empty one.
pub fn originators(value: &[u8]) -> Result<Vec<Mailbox>, OriginatorError> {
    let mut found = Vec::new();
    let mut reader = Reader { value, at: 0 };
    let mut group = false;
    // The words of the present address without white space, and whether two of them were apart.
    let mut words: Vec<u8> = Vec::new();
    let mut phrase = false;
    let mut complete = false;
    loop {
        let gap = reader.skip_white_space()?;
        let octet = reader.peek();
        if complete && !matches!(octet, None | Some(b',' | b';')) {
            return Err(OriginatorError::Syntax);
        }
        match octet {
            None | Some(b',' | b';') => {
                reader.at += 1;
                if !complete && !words.is_empty() {
                    if phrase {
                        return Err(OriginatorError::Syntax);
                    }
                    found.push(mailbox(&words)?);
                }
                words.clear();
                (phrase, complete) = (false, false);
                match octet {
                    Some(b';') if group => group = false,
                    Some(b';') => return Err(OriginatorError::Syntax),
                    Some(_) => {}
                    None if group => return Err(OriginatorError::Syntax),
                    None => break,
                }
            }
            Some(b':') if !group && !words.is_empty() => {
                // RFC 6854: a group may stand in From; what came was its name.
                reader.at += 1;
                group = true;
                words.clear();
                phrase = false;
            }
            Some(b'<') => {
                reader.at += 1;
                found.push(reader.angle_address()?);
                complete = true;
            }
            Some(_) => {
                phrase |= gap
                    && !words.is_empty()
                    && !matches!(words.last(), Some(b'.' | b'@'))
                    && !reader.at_separator();
                reader.word(&mut words)?;
            }
        }
    }
    if found.is_empty() { Err(OriginatorError::Empty) } else { Ok(found) }
}

fn mailbox(address: &[u8]) -> Result<Mailbox, OriginatorError> {
    let text = core::str::from_utf8(address).map_err(|_| OriginatorError::Syntax)?;
    text.parse().map_err(|_| OriginatorError::Syntax)
}

struct Reader<'a> {
    value: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    /// Whether an `@` or a dot comes, round which white space may stand (RFC 5322 §4.4).
    fn at_separator(&self) -> bool {
        matches!(self.peek(), Some(b'@' | b'.'))
    }

    /// Passes over white space, line ends and comments; whether there were any.
    fn skip_white_space(&mut self) -> Result<bool, OriginatorError> {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(octet) = self.peek() {
            match octet {
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b'\\' if depth > 0 => self.at += 1,
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if depth > 0 => {}
                _ => break,
            }
            self.at += 1;
        }
        if depth > 0 { Err(OriginatorError::Syntax) } else { Ok(self.at > start) }
    }

    /// An atom, a quoted string, a domain literal, or a separator, appended to `words` as it stands.
    fn word(&mut self, words: &mut Vec<u8>) -> Result<(), OriginatorError> {
        let start = self.at;
        let close = match self.peek() {
            Some(b'"') => Some(b'"'),
            Some(b'[') => Some(b']'),
            _ => None,
        };
        self.at += 1;
        if let Some(close) = close {
            loop {
                match self.peek() {
                    None => return Err(OriginatorError::Syntax),
                    Some(b'\\') => self.at += 1,
                    Some(octet) if octet == close => break,
                    Some(_) => {}
                }
                self.at += 1;
            }
            self.at += 1;
        } else {
            let ends = b" \t\r\n()<>[]:;@\\,.\"";
            let first = self.value.get(start).copied().unwrap_or_default();
            if matches!(first, b'>' | b']' | b'\\' | b')' | b':') {
                return Err(OriginatorError::Syntax);
            }
            if !matches!(first, b'@' | b'.') {
                while self.peek().is_some_and(|octet| !ends.contains(&octet)) {
                    self.at += 1;
                }
            }
        }
        words.extend_from_slice(self.value.get(start..self.at).unwrap_or_default());
        Ok(())
    }

    /// What stands between the brackets; the first is read already.
    fn angle_address(&mut self) -> Result<Mailbox, OriginatorError> {
        let mut address: Vec<u8> = Vec::new();
        loop {
            self.skip_white_space()?;
            match self.peek() {
                Some(b'>') => {
                    self.at += 1;
                    return mailbox(&address);
                }
                // RFC 5322 §4.4: an obsolete route before the address means nothing.
                Some(b':') if address.first() == Some(&b'@') => {
                    self.at += 1;
                    address.clear();
                }
                Some(b',') if address.first() == Some(&b'@') => {
                    self.at += 1;
                    address.clear();
                    self.skip_white_space()?;
                    if self.peek() != Some(b'@') {
                        return Err(OriginatorError::Syntax);
                    }
                }
                Some(_) => self.word(&mut address)?,
                None => return Err(OriginatorError::Syntax),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    fn read(value: &str) -> Result<Vec<String>, OriginatorError> {
        Ok(originators(value.as_bytes())?.iter().map(Mailbox::to_string).collect())
    }

    #[test]
    fn addresses_are_found_in_every_form() {
        for (value, addresses) in [
            (" alice@example.org\r\n", &["alice@example.org"][..]),
            ("Alice <alice@example.org>", &["alice@example.org"]),
            ("\"Bob <bob@example.com>\" <alice@example.org>", &["alice@example.org"]),
            ("Alice (bob@example.com) <alice@example.org> (tail)", &["alice@example.org"]),
            ("a@x.test, B <b@x.test>,\r\n\tc@x.test", &["a@x.test", "b@x.test", "c@x.test"]),
            (",, a@x.test ,", &["a@x.test"]),
            ("Team: a@x.test, B <b@x.test>;", &["a@x.test", "b@x.test"]),
            ("<@relay.test,@other.test:a@x.test>", &["a@x.test"]),
            ("alice . smith @ example . org", &["alice.smith@example.org"]),
            ("\"a b\"@x.test", &["\"a b\"@x.test"]),
            ("a@[192.0.2.1]", &["a@[192.0.2.1]"]),
            ("=?utf-8?q?J=C3=BCrgen?= <j@x.test>", &["j@x.test"]),
            ("J. R. Hacker <j@x.test>", &["j@x.test"]),
            ("a(comment)@(another)x.test", &["a@x.test"]),
        ] {
            assert_eq!(
                read(value).as_deref(),
                Ok(addresses.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice()),
                "{value}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for value in [
            "Alice alice@example.org",
            "<alice@example.org",
            "alice@example.org>",
            "<alice@example.org> <bob@example.org>",
            "<alice@example.org> bob@example.org",
            "(unfinished a@x.test",
            "\"unfinished a@x.test",
            "Team: a@x.test",
            "a@x.test;",
            "alice",
            "alice@",
            "a@x.test b@x.test",
            "<>",
            "<@relay.test,a@x.test>",
            "a\\b@x.test",
            "<a@x.test,b@x.test>",
        ] {
            assert_eq!(read(value), Err(OriginatorError::Syntax), "{value}");
        }
        assert_eq!(originators(b"\xff@x.test"), Err(OriginatorError::Syntax));
    }

    #[test]
    fn nobody_is_an_error_of_its_own() {
        for value in ["", " \r\n", "undisclosed: ;", ",,"] {
            assert_eq!(read(value), Err(OriginatorError::Empty), "{value}");
        }
    }

    #[test]
    fn comments_nest_without_a_stack() {
        let mut value = "(".repeat(100_000);
        value.push_str(&")".repeat(100_000));
        value.push_str("a@x.test");
        assert_eq!(read(&value).unwrap(), ["a@x.test"]);
    }
}
