//! [`Numbers`]: which messages, as a set of their UIDs or numbers (RFC 3501 §9, `sequence-set`).

use core::str::FromStr;

use mailwright_core::value::{Uid, UidSet};

/// A set of UIDs or message numbers, in which `*` stands for the highest that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbers(String);

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // `*` is a whole element or end of a range, never a digit of one.
        let alone = |part: &str| part == "*" || !part.contains('*');
        if !text.split([',', ':']).all(alone) {
            return Err("* stands alone or at an end of a range".to_owned());
        }
        let set: Result<UidSet, _> = text.replace('*', "1").parse();
        set.map_err(|error| error.to_string())?;
        Ok(Self(text.to_owned()))
    }
}

impl Numbers {
    /// Every one.
    pub(crate) fn all() -> Self {
        Self("1:*".to_owned())
    }

    /// The set as it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Those of `all` that are meant, in their order.
    pub(crate) fn of<T>(&self, all: Vec<T>, number: impl Fn(&T) -> u32) -> Vec<T> {
        let Some(highest) = all.iter().map(&number).max() else { return all };
        let set: UidSet = self.0.replace('*', &highest.to_string()).parse().unwrap_or_default();
        let meant = |one: &T| Uid::new(number(one)).is_some_and(|number| set.contains(number));
        all.into_iter().filter(meant).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &str, last: u32) -> Vec<u32> {
        let all = (1..=last).collect();
        let numbers: Numbers = set.parse().unwrap();
        numbers.of(all, |&number| number)
    }

    #[test]
    fn a_set_means_those_of_its_numbers_that_there_are() {
        assert_eq!(of("1,3:5", 4), [1, 3, 4]);
        assert!(of("9", 4).is_empty());
        assert_eq!(of("1:4294967295", 2), [1, 2]);
    }

    #[test]
    fn a_star_is_the_highest_number() {
        assert_eq!(of("*", 3), [3]);
        assert_eq!(of("2:*", 3), [2, 3]);
        // RFC 3501 §9: the ends of a range have no order.
        assert_eq!(of("5:*", 3), [3]);
        assert!(of("1:*", 0).is_empty());
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in ["", "0", "1,", "a", "1*", "1:2:3", "-1", "4294967296"] {
            assert!(text.parse::<Numbers>().is_err(), "{text}");
        }
    }
}
