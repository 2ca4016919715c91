//! [`MailboxName`]: the name of a mailbox as Unicode text.
//!
//! RFC 3501 §5.1 (INBOX, hierarchy), RFC 6855 §3 (forbidden characters). Names are normalised to NFC, so
//! that two spellings of one text are one name. How a name travels (modified UTF-7 or UTF-8) is the
//! protocol's business; how it is stored is the store's, and never a file path.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::Excerpt;

/// The name of a mailbox: components separated by `/`, in NFC, `INBOX` in capitals.
///
/// ```
/// use mailwright_core::value::MailboxName;
///
/// let name = MailboxName::new("inbox/Caf\u{65}\u{301}").unwrap();
/// assert_eq!(name.as_str(), "INBOX/Caf\u{e9}");
/// assert!(name.parent().unwrap().is_inbox());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(Box<str>);

impl MailboxName {
    /// The hierarchy separator.
    pub const SEPARATOR: char = '/';
    /// The most octets of a name in UTF-8.
    pub const MAX_OCTETS: usize = 1000;
    /// The most components.
    pub const MAX_DEPTH: usize = 100;
    /// The mailbox that every account has.
    pub const INBOX: &'static str = "INBOX";

    /// Checks and normalises `text`.
    ///
    /// # Errors
    /// See [`MailboxNameError`].
    pub fn new(text: &str) -> Result<Self, MailboxNameError> {
        if is_plain(text) {
            return Ok(Self::with_inbox(text.into()));
        }
        Self::of_any_text(text)
    }

    fn of_any_text(text: &str) -> Result<Self, MailboxNameError> {
        // NFC shortens a text to a third at the most: more than that cannot become an acceptable name,
        // and normalising it would only cost time.
        if text.len() > 3 * Self::MAX_OCTETS {
            return Err(MailboxNameError::TooLong { octets: text.len() });
        }
        if let Some((offset, character)) = text.char_indices().find(|(_, character)| is_forbidden(*character))
        {
            return Err(MailboxNameError::Forbidden { offset, character });
        }
        let name: String = if is_nfc(text) { text.to_owned() } else { text.nfc().collect() };
        if name.len() > Self::MAX_OCTETS {
            return Err(MailboxNameError::TooLong { octets: name.len() });
        }
        let mut depth = 0;
        for component in name.split(Self::SEPARATOR) {
            depth += 1;
            if matches!(component, "" | "." | "..") {
                return Err(MailboxNameError::Component { excerpt: Excerpt::new(name.as_bytes()) });
            }
        }
        if depth > Self::MAX_DEPTH {
            return Err(MailboxNameError::TooDeep { components: depth });
        }
        Ok(Self::with_inbox(name.into()))
    }

    /// The name, with INBOX in capitals.
    fn with_inbox(mut name: Box<str>) -> Self {
        // RFC 3501 §5.1: INBOX is case-insensitive; as a first component too, so that no second
        // hierarchy beside it can look like it.
        let ends = name.as_bytes().get(Self::INBOX.len()).is_none_or(|octet| *octet == b'/');
        if let Some(first) = name.get_mut(..Self::INBOX.len())
            && ends
            && first.eq_ignore_ascii_case(Self::INBOX)
        {
            first.make_ascii_uppercase();
        }
        Self(name)
    }

    /// The name `INBOX`.
    #[must_use]
    pub fn inbox() -> Self {
        Self(Self::INBOX.into())
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is INBOX itself; its children are not.
    #[must_use]
    pub fn is_inbox(&self) -> bool {
        &*self.0 == Self::INBOX
    }

    /// The components, topmost first; at least one.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.0.split(Self::SEPARATOR)
    }

    /// The last component.
    #[must_use]
    pub fn last_component(&self) -> &str {
        self.0.rsplit(Self::SEPARATOR).next().unwrap_or_default()
    }

    /// The name one level up, `None` at the top.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once(Self::SEPARATOR).map(|(parent, _)| Self(parent.into()))
    }

    /// Whether this name lies below `ancestor`, at any depth. No name lies below itself.
    #[must_use]
    pub fn is_below(&self, ancestor: &Self) -> bool {
        self.0.strip_prefix(&*ancestor.0).is_some_and(|rest| rest.starts_with(Self::SEPARATOR))
    }

    /// The name `component` one level below this one.
    ///
    /// # Errors
    /// As [`Self::new`] for the joined name.
    pub fn child(&self, component: &str) -> Result<Self, MailboxNameError> {
        let mut name = String::with_capacity(self.0.len() + 1 + component.len());
        name.push_str(&self.0);
        name.push(Self::SEPARATOR);
        name.push_str(component);
        Self::new(&name)
    }
}

/// Whether a name is printable ASCII that breaks no rule, as most are: told in one pass.
fn is_plain(text: &str) -> bool {
    let (mut depth, mut length, mut dots) = (1, 0_usize, 0_usize);
    for octet in text.bytes() {
        match octet {
            b'/' if length == dots && length < 3 => return false,
            b'/' => (depth, length, dots) = (depth + 1, 0, 0),
            b' '..=b'~' => {
                length += 1;
                dots += usize::from(octet == b'.');
            }
            _ => return false,
        }
    }
    let ends = length > 2 || length != dots;
    ends && depth <= MailboxName::MAX_DEPTH && text.len() <= MailboxName::MAX_OCTETS
}

/// RFC 6855 §3: control characters U+0000–001F and U+0080–009F, DELETE, LINE SEPARATOR, PARAGRAPH SEPARATOR.
const fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MailboxName {
    type Err = MailboxNameError;

    fn from_str(text: &str) -> Result<Self, MailboxNameError> {
        Self::new(text)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for MailboxName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for MailboxName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

/// Why text is no name of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MailboxNameError {
    /// An empty component (also a separator at either end, and the empty name), or `.` or `..` as one.
    #[error("{excerpt} has an empty component or one that is \".\" or \"..\"")]
    Component {
        /// The name.
        excerpt: Excerpt,
    },
    /// A control character or a line separator.
    #[error("the character {character:?} at offset {offset} is not allowed in a mailbox name")]
    Forbidden {
        /// Octets before the character.
        offset: usize,
        /// The character.
        character: char,
    },
    /// More than [`MailboxName::MAX_OCTETS`].
    #[error("a mailbox name of {octets} octets: at most 1000 are allowed")]
    TooLong {
        /// Its length in UTF-8.
        octets: usize,
    },
    /// More than [`MailboxName::MAX_DEPTH`].
    #[error("a mailbox name of {components} components: at most 100 are allowed")]
    TooDeep {
        /// How many there are.
        components: usize,
    },
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> MailboxName {
        MailboxName::new(text).unwrap()
    }

    #[test]
    fn inbox_is_folded_as_a_whole_and_as_first_component_only() {
        assert_eq!(name("iNbOx").as_str(), "INBOX");
        assert!(name("inbox").is_inbox());
        assert_eq!(name("inbox/Inbox").as_str(), "INBOX/Inbox");
        assert!(!name("inbox/a").is_inbox());
        assert_eq!(name("a/inbox").as_str(), "a/inbox");
        assert_eq!(name("inboxes").as_str(), "inboxes");
    }

    #[test]
    fn two_normal_forms_of_one_text_are_one_name() {
        assert_eq!(name("Entw\u{fc}rfe"), name("Entwu\u{308}rfe"));
        assert_eq!(name("\u{212b}").as_str(), "\u{c5}");
    }

    #[test]
    fn empty_and_dot_components_are_refused() {
        for text in ["", "/", "a/", "/a", "a//b", ".", "..", "../../x", "a/./b", "a/.."] {
            assert!(matches!(MailboxName::new(text), Err(MailboxNameError::Component { .. })), "{text:?}");
        }
        for text in ["...", ".a", "a.b", "a./b", "~", "#news", "a\\b", "a&b", "*", "%"] {
            assert!(MailboxName::new(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn controls_and_line_separators_are_refused_with_their_offset() {
        for character in ['\0', '\r', '\n', '\t', '\x1f', '\x7f', '\u{80}', '\u{9f}', '\u{2028}', '\u{2029}']
        {
            assert_eq!(
                MailboxName::new(&format!("\u{e4}{character}b")),
                Err(MailboxNameError::Forbidden { offset: 2, character })
            );
        }
        assert!(MailboxName::new("a\u{a0}b").is_ok());
    }

    #[test]
    fn length_and_depth_are_limited() {
        assert!(MailboxName::new(&"a".repeat(1000)).is_ok());
        assert_eq!(MailboxName::new(&"a".repeat(1001)), Err(MailboxNameError::TooLong { octets: 1001 }));
        assert_eq!(
            MailboxName::new(&"a".repeat(1 << 20)),
            Err(MailboxNameError::TooLong { octets: 1 << 20 })
        );
        // The limit counts what is kept: 1002 octets of combining pairs are 668 of composed ones.
        assert_eq!(name(&"e\u{301}".repeat(334)).as_str().len(), 668);
        assert!(MailboxName::new(&vec!["a"; 100].join("/")).is_ok());
        assert_eq!(
            MailboxName::new(&vec!["a"; 101].join("/")),
            Err(MailboxNameError::TooDeep { components: 101 })
        );
    }

    #[test]
    fn a_hierarchy_is_walked_by_components() {
        let deep = name("INBOX/a/b");
        assert_eq!(deep.components().collect::<Vec<_>>(), ["INBOX", "a", "b"]);
        assert_eq!(deep.last_component(), "b");
        assert_eq!(deep.parent().unwrap(), name("INBOX/a"));
        assert_eq!(name("a").parent(), None);
        assert!(deep.is_below(&MailboxName::inbox()));
        assert!(!name("INBOXES").is_below(&MailboxName::inbox()));
        assert!(!deep.is_below(&deep));
        assert_eq!(name("a").child("b").unwrap(), name("a/b"));
        assert!(name("a").child("..").is_err());
    }

    proptest! {
        #[test]
        fn a_plain_name_is_one_by_all_the_rules(text in "[./aInbox ~-]{0,9}|inbox(/[.a]{0,3}){0,2}|(a/){0,120}a|[a/]{990,1010}") {
            let any = MailboxName::of_any_text(&text);
            prop_assert_eq!(is_plain(&text), any.is_ok());
            prop_assert_eq!(MailboxName::new(&text), any);
        }
    }

    proptest! {
        #[test]
        fn a_name_is_a_fixed_point_and_obeys_every_rule(text in "[iInNbBoOxX/.\\PC\u{300}-\u{304}]{0,40}") {
            if let Ok(name) = MailboxName::new(&text) {
                prop_assert_eq!(&MailboxName::new(name.as_str()).unwrap(), &name);
                prop_assert!(is_nfc(name.as_str()));
                prop_assert!(name.components().all(|part| !matches!(part, "" | "." | "..")));
                prop_assert!(name.as_str().len() <= MailboxName::MAX_OCTETS);
            }
        }
    }
}
