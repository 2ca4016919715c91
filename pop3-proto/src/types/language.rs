//! Languages of LANG: [`LanguageTag`] names one, [`LanguageRange`] says which would do (RFC 6856 §3.2).

use alloc::boxed::Box;
use core::fmt;

use super::{ValueError, check};

/// The name of a language, such as `en` or `de-CH`: parts of 1 to 8 letters and digits, joined by hyphens, the first
/// of letters only. Compared without case; it keeps the case that it was made with.
#[derive(Clone, Debug)]
pub struct LanguageTag(Box<str>);

impl LanguageTag {
    /// The most octets of a tag: far more than any registered one has.
    pub const MAX: usize = 64;

    /// A tag.
    ///
    /// # Errors
    /// If it is empty, too long, or has not that form.
    pub fn new(tag: &str) -> Result<Self, ValueError> {
        Self::check(tag)?;
        Ok(Self(tag.into()))
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn check(tag: &str) -> Result<(), ValueError> {
        if tag.is_empty() {
            return Err(ValueError::Empty);
        }
        check(tag.as_bytes(), Self::MAX, |octet| octet.is_ascii_alphanumeric() || octet == b'-')?;
        let mut offset = 0;
        for (index, part) in tag.split('-').enumerate() {
            let wrong = if index == 0 { part.bytes().position(|octet| octet.is_ascii_digit()) } else { None };
            let wrong = wrong.or((part.len() > 8).then_some(8)).or(part.is_empty().then_some(0));
            if let Some(within) = wrong {
                // Behind an empty last part there is no octet: its hyphen is to blame.
                let offset = (offset + within).min(tag.len() - 1);
                let octet = tag.as_bytes().get(offset).copied().unwrap_or_default();
                return Err(ValueError::Octet { octet, offset });
            }
            offset += part.len() + 1;
        }
        Ok(())
    }
}

impl PartialEq for LanguageTag {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for LanguageTag {}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::str::FromStr for LanguageTag {
    type Err = ValueError;

    fn from_str(tag: &str) -> Result<Self, ValueError> {
        Self::new(tag)
    }
}

/// Which languages would do: `*`, the one that the server prefers, or those that a tag covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanguageRange<'a>(&'a str);

impl<'a> LanguageRange<'a> {
    /// `*`: the language that the administrator of the server prefers.
    pub const ANY: Self = Self("*");

    /// A range: `*`, or of the form of a [`LanguageTag`].
    ///
    /// # Errors
    /// If it is neither.
    pub fn new(range: &'a str) -> Result<Self, ValueError> {
        if range != "*" {
            LanguageTag::check(range)?;
        }
        Ok(Self(range))
    }

    /// The range as it goes on the wire.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// Which of `tags` it means, by its place. `*` is the first; else the one that is the same but for case, else
    /// the first that begins with the range, else what is left when parts of the range are taken off at its end,
    /// one by one: `de-AT` finds
    /// `de-AT`, then `de-AT-1996`, then `de`, then `de-CH`.
    pub fn choose<'t>(&self, tags: impl Iterator<Item = &'t LanguageTag> + Clone) -> Option<usize> {
        if *self == Self::ANY {
            return tags.clone().next().map(|_| 0);
        }
        let mut range = self.0;
        loop {
            let same = |tag: &LanguageTag| tag.0.eq_ignore_ascii_case(range);
            let within = |tag: &LanguageTag| {
                let begins = tag.0.get(..range.len()).is_some_and(|start| start.eq_ignore_ascii_case(range));
                begins && tag.0.as_bytes().get(range.len()) == Some(&b'-')
            };
            if let Some(place) = tags.clone().position(same).or_else(|| tags.clone().position(within)) {
                return Some(place);
            }
            range = range.rsplit_once('-')?.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn tag(tag: &str) -> LanguageTag {
        tag.parse().unwrap()
    }

    #[test]
    fn a_tag_is_parts_of_letters_and_digits() {
        for good in ["en", "en-boont", "de-CH-1996", "i-default", "x-12345678"] {
            assert_eq!(tag(good).as_str(), good);
        }
        assert_eq!(tag("de-ch"), tag("DE-CH"));
        let wrong = |tag: &str| LanguageTag::new(tag).unwrap_err();
        assert_eq!(wrong(""), ValueError::Empty);
        for (text, offset) in [
            ("*", 0),
            ("-en", 0),
            ("en-", 2),
            ("en--us", 3),
            ("e\u{e4}", 1),
            ("en us", 2),
            ("en\r\nX", 2),
            ("1en", 0),
            ("e1n", 1),
            ("abcdefghi", 8),
            ("en-abcdefghi", 11),
        ] {
            let error = wrong(text);
            assert!(
                matches!(error, ValueError::Octet { offset: at, .. } if at == offset),
                "{text:?} {error}"
            );
        }
        assert!(matches!(wrong(&"a-".repeat(40)), ValueError::TooLong { .. }));
    }

    #[test]
    fn a_range_finds_itself_then_what_it_covers_then_what_covers_it() {
        let tags: Vec<_> = ["en", "de-CH", "de", "es-419", "en-boont"].map(tag).into();
        let choose = |range: &str| LanguageRange::new(range).unwrap().choose(tags.iter());
        assert_eq!(choose("*"), Some(0));
        assert_eq!(choose("DE"), Some(2));
        assert_eq!(choose("es"), Some(3));
        assert_eq!(choose("e"), None);
        assert_eq!(choose("de-AT-1996"), Some(2));
        assert_eq!(choose("en-BOONT"), Some(4));
        assert_eq!(choose("uga"), None);
        assert_eq!(LanguageRange::ANY.choose([].iter()), None);
    }
}
