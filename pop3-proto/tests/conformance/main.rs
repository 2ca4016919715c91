//! Each rule that server and client promise, with inputs and what comes of them: `CONFORMANCE.md` is written from
//! here, and a test holds it to be current (`UPDATE_CONFORMANCE=1` writes it).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads and writes the page")]

mod attacks;
mod client;
mod framing;
mod login;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod table;

use std::path::Path;

use mailwright_core::testing::{Cases, Page};
use table::Table;

/// A part of the page: a title, and its rows.
type Part = (&'static str, fn(&mut Table));

const PARTS: [Part; 5] = [
    ("Framing and numbers", framing::rows),
    ("Server", server::rows),
    ("Server: the way in", login::rows),
    ("Client", client::rows),
    ("Attacks, against both sides", attacks::rows),
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
fn rows_of_framing_and_numbers() {
    check(framing::rows);
}

#[test]
fn rows_of_the_server() {
    check(server::rows);
}

#[test]
fn rows_of_the_login() {
    check(login::rows);
}

#[test]
fn rows_of_the_client() {
    check(client::rows);
}

#[test]
fn rows_of_attacks() {
    check(attacks::rows);
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
        "# What comes of what\n\n\
         Written by the test `conformance`, which checks it. A row is a rule; an input is what the peer sends, behind options\n\
         in brackets and what went before in parentheses. `⏎` is CR LF. For a server the outcome is what it says, and why it\n\
         closes, or, behind `host:`, what its host is told and asked; for a client its events, and what it writes.\n",
    );
    for (title, rows) in PARTS {
        page.part(title);
        page.rows(3, cases(rows).as_slice());
    }
    page
}
