//! Each rule that the client promises, with inputs and what comes of them: `CONFORMANCE.md` is written from here, and a
//! test holds it to be current (`UPDATE_CONFORMANCE=1` writes it).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads and writes the page")]

mod attacks;
mod commands;
mod framing;
mod items;
#[path = "../peer/mod.rs"]
mod peer;
mod quirks;
mod rules;
mod states;
mod table;

use std::path::Path;

use mailwright_core::testing::{Cases, Page};
use table::Table;

/// A part of the page: a title, and its rows.
type Part = (&'static str, fn(&mut Table));

const PARTS: [Part; 7] = [
    ("Framing and errors", framing::rows),
    ("Quirks: responses", quirks::rows),
    ("Quirks: items and values", items::rows),
    ("States, capabilities, log-in", states::rows),
    ("Commands and literals", commands::rows),
    ("Attacks", attacks::rows),
    ("Rules easily missed, and deadlines", rules::rows),
];

fn cases(rows: fn(&mut Table)) -> Cases {
    let mut table = Table::default();
    rows(&mut table);
    table.cases
}

fn check(rows: fn(&mut Table)) {
    let wrong = cases(rows).wrong(|_| true);
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn rows_of_framing_and_errors() {
    check(framing::rows);
}

#[test]
fn rows_of_quirks_of_responses() {
    check(quirks::rows);
}

#[test]
fn rows_of_quirks_of_items() {
    check(items::rows);
}

#[test]
fn rows_of_states() {
    check(states::rows);
}

#[test]
fn rows_of_commands() {
    check(commands::rows);
}

#[test]
fn rows_of_attacks() {
    check(attacks::rows);
}

#[test]
fn rows_of_rules_and_deadlines() {
    check(rules::rows);
}

#[test]
fn the_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("CONFORMANCE.md");
    let page = page();
    if std::env::var("UPDATE_CONFORMANCE").is_ok() {
        std::fs::write(&path, page.as_str()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page.as_str(),
        "CONFORMANCE.md is not current: run this test with UPDATE_CONFORMANCE=1"
    );
}

fn page() -> Page {
    let mut page = Page::new(
        "# What comes of what: the client\n\n\
         Written by the test `conformance`, which checks it. A row is a rule; an input is what the server sends, behind\n\
         options in brackets and what went before in parentheses, or a call of the host behind `call:`. INBOX is selected\n\
         unless something else is said; between `…` stands an item of FETCH that has others round it. `⏎` is CR LF; `$1`,\n\
         `$2` … are the tags of the client. The outcome is what the host is told, and behind `C:` what is written; it is the\n\
         same with the input in one piece and octet by octet. `~` is a departure that was tolerated, with its offset in the\n\
         response; `!` is what cannot be read, and why. Behind `[strict]` nothing is tolerated.\n",
    );
    for (title, rows) in PARTS {
        page.part(title);
        page.rows(3, cases(rows).as_slice());
    }
    page
}
