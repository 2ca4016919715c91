//! Addresses: what is read is written so that it is read as the same again.

use core::fmt::Debug;

use mailwright_core::value::{AddressOptions, Domain, ForwardPath, Mailbox, ParsedPath, Path, ReversePath};

use crate::choice;

fn options(choice: u8) -> AddressOptions {
    let mut options = AddressOptions::default();
    options.underscore_in_domain = choice & 1 == 1;
    options
}

/// Mailboxes, domains and paths.
pub fn address(data: &[u8]) {
    let (first, data) = choice(data);
    let options = options(first);
    if let Ok(mailbox) = Mailbox::parse(data, &options) {
        let text = mailbox.to_string();
        same(&mailbox, Mailbox::parse(text.as_bytes(), &options), &text);
        assert!(mailbox.detach() == mailbox);
        if let Ok(normal) = mailbox.normalise() {
            same(&normal, normal.normalise(), &text);
        }
    }
    if let Ok(domain) = Domain::parse(data, &options) {
        let text = domain.to_string();
        same(&domain, Domain::parse(text.as_bytes(), &options), &text);
        if let Ok(normal) = domain.normalise() {
            same(&normal, normal.normalise(), &text);
        }
    }
    if let Ok(parsed) = ParsedPath::read(data, &options) {
        assert!(parsed.length <= data.len());
        let _ = format!("{parsed:?}");
        if let Path::Mailbox(mailbox) = &parsed.path {
            let text = mailbox.to_string();
            same(mailbox, Mailbox::parse(text.as_bytes(), &options), &text);
        }
    }
    if let Ok(text) = core::str::from_utf8(data) {
        if let Ok(path) = text.parse::<ForwardPath>() {
            let text = path.to_string();
            same(&path, text.parse(), &text);
        }
        if let Ok(path) = text.parse::<ReversePath>() {
            let text = path.to_string();
            same(&path, text.parse(), &text);
        }
    }
}

fn same<T: PartialEq + Debug, E: Debug>(expected: &T, found: Result<T, E>, text: &str) {
    match found {
        Ok(found) => assert_eq!(*expected, found, "{text:?}"),
        Err(error) => panic!("{expected:?}, written as {text:?}, cannot be read: {error:?}"),
    }
}
