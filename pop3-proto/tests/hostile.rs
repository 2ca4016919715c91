//! Numbers and lines that are not what they seem.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use mailwright_pop3::parse::Entry;
use proptest::prelude::*;
use support::{Host, clear_text};

proptest! {
    #[test]
    fn each_line_has_its_reply(numbers in proptest::collection::vec(0u64..5, 1..40)) {
        let mut host = Host::logged_in(clear_text());
        let lines: String = numbers.iter().map(|number| format!("LIST {number}\r\n")).collect();
        prop_assert_eq!(host.send(lines.as_bytes()).lines().count(), numbers.len());
    }
}

#[test]
fn a_listing_entry_is_never_a_message_that_was_not_named() {
    let mut numbers = Vec::new();
    for line in ["0 1", "4294967296 1", "4294967297 1", "18446744073709551617 1", "-1 1"] {
        if let Ok(Entry::Size { number, .. }) =
            mailwright_pop3::parse::listing_size(line.as_bytes(), &mut |_| {})
        {
            numbers.push(number);
        }
    }
    assert!(numbers.is_empty());
}
