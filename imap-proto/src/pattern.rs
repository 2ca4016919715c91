//! [`ListPattern`]: which mailboxes LIST and LSUB mean. RFC 9051 §6.3.9, RFC 3501 §6.3.8.

use alloc::string::String;
use alloc::vec::Vec;

use mailwright_core::value::MailboxName;

use crate::mailbox_name;
use crate::types::ListCommand;

/// Reference and pattern together: `*` stands for anything, `%` for anything within one level.
///
/// ```
/// use mailwright_imap::ListPattern;
///
/// let pattern = ListPattern::new("", "Archive/%");
/// assert!(pattern.matches("Archive/2024") && !pattern.matches("Archive/2024/May"));
/// assert!(ListPattern::new("Archive/", "*").matches("Archive/2024/May"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPattern(Vec<Element>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Character(char),
    /// `%`
    WithinLevel,
    /// `*`
    Anything,
}

impl ListPattern {
    /// The pattern that the two make together. What no name can match, because it is too long, matches
    /// nothing.
    #[must_use]
    pub fn new(reference: &str, pattern: &str) -> Self {
        let mut elements: Vec<Element> = Vec::new();
        let characters = reference.chars().map(Element::Character);
        let pattern = pattern.chars().map(|character| match character {
            '%' => Element::WithinLevel,
            '*' => Element::Anything,
            character => Element::Character(character),
        });
        let mut literal = 0;
        for element in characters.chain(pattern) {
            match (elements.last_mut(), element) {
                // Side by side one wildcard does what several would.
                (Some(Element::Anything), Element::Anything | Element::WithinLevel)
                | (Some(Element::WithinLevel), Element::WithinLevel) => {}
                (Some(last @ Element::WithinLevel), Element::Anything) => *last = Element::Anything,
                (_, element) => {
                    literal += usize::from(matches!(element, Element::Character(_)));
                    elements.push(element);
                }
            }
            if literal > MailboxName::MAX_OCTETS {
                // No name has so many characters.
                break;
            }
        }
        Self(elements)
    }

    /// The pattern of a command in the basic form; `None` if it is not modified UTF-7, so that no name matches.
    #[must_use]
    pub fn of(list: &ListCommand) -> Option<Self> {
        Self::each_of(list).next()
    }

    /// The patterns of a command. Those that are not modified UTF-7 match no name and are left out.
    pub fn each_of(list: &ListCommand) -> impl Iterator<Item = Self> + '_ {
        let reference = mailbox_name::decode(list.reference.as_bytes()).ok();
        list.patterns.iter().filter_map(move |pattern| {
            let pattern = mailbox_name::decode(pattern.as_bytes()).ok()?;
            Some(Self::new(reference.as_deref()?, &pattern))
        })
    }

    /// Whether a name matches. INBOX does in any case, as a name and as a first level.
    ///
    /// Takes time in proportion to the product of both lengths, whatever they hold.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let inbox = name
            .split('/')
            .next()
            .map_or(0, |first| if first.eq_ignore_ascii_case(MailboxName::INBOX) { first.len() } else { 0 });
        // Which prefixes of the pattern match what was read of the name so far.
        let mut reached: Vec<bool> = core::iter::once(true).chain(self.0.iter().map(|_| false)).collect();
        self.skip_wildcards(&mut reached);
        for (at, character) in name.char_indices() {
            let mut next: Vec<bool> = reached.iter().map(|_| false).collect();
            for (index, element) in self.0.iter().enumerate() {
                if !reached.get(index).copied().unwrap_or(false) {
                    continue;
                }
                let (stays, goes) = match element {
                    Element::Anything => (true, false),
                    Element::WithinLevel => (character != '/', false),
                    Element::Character(wanted) if at < inbox => {
                        (false, wanted.eq_ignore_ascii_case(&character))
                    }
                    Element::Character(wanted) => (false, *wanted == character),
                };
                if stays && let Some(state) = next.get_mut(index) {
                    *state = true;
                }
                if goes && let Some(state) = next.get_mut(index + 1) {
                    *state = true;
                }
            }
            self.skip_wildcards(&mut next);
            reached = next;
        }
        reached.last().copied().unwrap_or(false)
    }

    /// A wildcard may stand for nothing.
    fn skip_wildcards(&self, reached: &mut [bool]) {
        for (index, element) in self.0.iter().enumerate() {
            let wildcard = !matches!(element, Element::Character(_));
            if wildcard
                && reached.get(index).copied().unwrap_or(false)
                && let Some(state) = reached.get_mut(index + 1)
            {
                *state = true;
            }
        }
    }

    /// The text of the pattern, for messages.
    #[must_use]
    pub fn text(&self) -> String {
        let character = |element: &Element| match element {
            Element::Character(character) => *character,
            Element::WithinLevel => '%',
            Element::Anything => '*',
        };
        self.0.iter().map(character).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_anything_or_a_level() {
        for (pattern, yes, no) in [
            ("*", &["a", "a/b", "INBOX"][..], &[][..]),
            ("%", &["a", "INBOX"], &["a/b"]),
            ("a*b", &["ab", "axb", "a/x/b"], &["a", "abc"]),
            ("a/%/c", &["a/b/c", "a//c"], &["a/c", "a/b/b/c"]),
            ("%/%", &["a/b"], &["a", "a/b/c"]),
            ("*%", &["a/b"], &[]),
            ("inbox", &["INBOX"], &["INBOX/a"]),
            ("iNbOx/*", &["INBOX/a"], &["INBOX"]),
            ("Archive", &["Archive"], &["archive"]),
            ("", &[""], &["a"]),
        ] {
            let pattern = ListPattern::new("", pattern);
            yes.iter().for_each(|name| assert!(pattern.matches(name), "{pattern:?} {name}"));
            no.iter().for_each(|name| assert!(!pattern.matches(name), "{pattern:?} {name}"));
        }
        assert_eq!(ListPattern::new("a/", "%*%").text(), "a/*");
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_its_length() {
        let pattern = ListPattern::new("", &"*a".repeat(100_000));
        assert!(pattern.text().len() <= 2 * MailboxName::MAX_OCTETS + 2);
        assert!(!pattern.matches(&"a".repeat(999)));
    }
}
