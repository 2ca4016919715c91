//! Each row of the reactions that this crate promises, with an input and what comes of it: `CONFORMANCE.md` is written from
//! here, and a test holds it to be current (`UPDATE_CONFORMANCE=1` writes it).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads and writes the page")]

#[path = "../support/certificates.rs"]
mod certificates;
mod dane;
mod discovery;
mod mx;
mod sts;
mod table;
mod verify;

use std::path::Path;

use mailwright_core::testing::{Case, Page};
use table::{Row, Table};

fn all() -> Vec<Case<Row>> {
    let mut table = Table::default();
    mx::rows(&mut table);
    sts::rows(&mut table);
    dane::rows(&mut table);
    verify::rows(&mut table);
    discovery::rows(&mut table);
    let mut cases = table.cases.into_vec();
    cases.sort_by_key(|case| case.row);
    cases
}

fn check(rows: impl FnOnce(&mut Table)) {
    let mut table = Table::default();
    rows(&mut table);
    let wrong = table.cases.wrong(|_| true);
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn rows_of_the_mx_stage() {
    check(mx::rows);
}

#[test]
fn rows_of_mta_sts() {
    check(sts::rows);
}

#[test]
fn rows_of_dane() {
    check(dane::rows);
}

#[test]
fn rows_of_certificates() {
    check(verify::rows);
}

#[test]
fn rows_of_discovery() {
    check(discovery::rows);
}

#[test]
fn every_row_is_there() {
    let rows: std::collections::BTreeSet<u32> = all().iter().map(|case| case.row.0).collect();
    assert!(rows.into_iter().eq(1..=98));
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
         Written by the test `conformance`, which checks it. A row is a situation with what must come of it; an input is a\n\
         destination, the records that there are (`NAME [TTL] TYPE DATA`, `NAME secure` for what DNSSEC vouches for, `NAME fail\n\
         WHY` for lookups that fail), and options. An outcome is the kind of plan with its hosts, addresses and what TLS has to\n\
         be like, or the status and reason of a failure; then `sts` with where the policy came from, `-` a host that is left\n\
         out, `!` a finding for a report, and diagnostics.\n",
    );
    page.rows(2, &all());
    page
}
