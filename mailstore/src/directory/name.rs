//! The one form in which names are compared and stored.

use alloc::format;
use alloc::string::{String, ToString as _};

use mailwright_core::value::{Domain, Mailbox};

/// A domain: lower case, A-labels where the feature `idna` knows them.
pub(crate) fn domain_key(domain: &Domain) -> String {
    #[cfg(feature = "idna")]
    if let Ok(normalised) = domain.normalise() {
        return normalised.to_string().to_ascii_lowercase();
    }
    domain.to_string().to_ascii_lowercase()
}

/// A local part: case does not matter in local domains (a decision; RFC 5321 §2.4 leaves it to the receiving host).
pub(crate) fn local_key(local_part: &str) -> String {
    local_part.to_lowercase()
}

/// An address in a local domain.
pub(crate) fn address_key(mailbox: &Mailbox) -> String {
    join(mailbox.local_part().as_str(), mailbox.domain())
}

/// The address of `local_part` in `domain`.
pub(crate) fn join(local_part: &str, domain: &Domain) -> String {
    // A domain holds no `@`, so the last one always separates.
    format!("{}@{}", local_key(local_part), domain_key(domain))
}

/// The catch-all of a domain.
pub(crate) fn catch_all_key(domain: &Domain) -> String {
    format!("@{}", domain_key(domain))
}

/// A log-in name; one that is an address is compared as an address.
pub(crate) fn login_key(name: &str) -> String {
    match name.parse::<Mailbox>() {
        Ok(mailbox) => address_key(&mailbox),
        Err(_) => name.to_lowercase(),
    }
}

/// User and detail of a local part; the detail keeps its case.
pub(crate) fn split_detail(local_part: &str, delimiter: Option<char>) -> Option<(&str, &str)> {
    local_part.split_once(delimiter?).filter(|(user, _)| !user.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> String {
        address_key(&address.parse().unwrap())
    }

    #[test]
    fn case_and_quotes_do_not_matter() {
        assert_eq!(key("Alice@EXAMPLE.org"), "alice@example.org");
        assert_eq!(key("\"alice\"@example.org"), "alice@example.org");
        assert_eq!(login_key("Alice@EXAMPLE.org"), "alice@example.org");
        assert_eq!(login_key("Alice"), "alice");
    }

    #[test]
    fn a_quoted_at_sign_does_not_move_the_domain() {
        assert_eq!(key("\"bob@example.org\"@example.net"), "bob@example.org@example.net");
        assert_ne!(key("\"bob@example.org\"@example.net"), key("bob@example.org"));
    }

    #[cfg(feature = "idna")]
    #[test]
    fn labels_of_one_domain_are_one() {
        assert_eq!(key("a@B\u{fc}cher.example"), key("a@xn--bcher-kva.example"));
    }

    #[test]
    fn a_detail_needs_a_user() {
        assert_eq!(split_detail("alice+Lists+x", Some('+')), Some(("alice", "Lists+x")));
        assert_eq!(split_detail("alice+", Some('+')), Some(("alice", "")));
        assert_eq!(split_detail("+x", Some('+')), None);
        assert_eq!(split_detail("alice-x", Some('+')), None);
        assert_eq!(split_detail("alice+x", None), None);
    }
}
