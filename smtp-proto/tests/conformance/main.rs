//! Each rule that server and client promise, with inputs and what comes of them: `CONFORMANCE.md` is written from
//! here, and a test holds it to be current (`UPDATE_CONFORMANCE=1` writes it). Each row has a test of its own.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads and writes the page")]

mod addresses;
mod client;
mod content;
mod framing;
mod rest;
mod server;
mod states;
#[path = "../support/mod.rs"]
mod support;
mod table;

use std::path::Path;
use std::sync::LazyLock;

use mailwright_core::testing::{Case, Cases, Page};
use table::Table;

/// A part of the page: a title, and its rows.
type Part = (&'static str, fn(&mut Table));

const PARTS: [Part; 8] = [
    ("Framing", framing::rows),
    ("Addresses and parameters", addresses::rows),
    ("Content: what a server reads", content::decoding),
    ("Content: what a client writes", content::encoding),
    ("Server: commands and states", states::rows),
    ("Server: rules", server::rows),
    ("Client: rules", client::rows),
    ("Rules easily missed", rest::rows),
];

/// The cases of each part, made once.
static CASES: LazyLock<Vec<Cases>> = LazyLock::new(|| {
    let cases = |rows: fn(&mut Table)| {
        let mut table = Table::default();
        rows(&mut table);
        table.cases
    };
    PARTS.iter().map(|(_, rows)| cases(*rows)).collect()
});

/// A test for each row, by its part; and one that there are no others.
macro_rules! rows {
    ($($name:ident $row:literal),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                check($row);
            }
        )+

        /// The rows that have a test.
        const TESTED: &[&str] = &[$($row),+];
    };
}

rows! {
    r2_1_1 "2.1.1", r2_1_2 "2.1.2", r2_1_3 "2.1.3", r2_1_4 "2.1.4", r2_1_6 "2.1.6",
    a1 "A1", a2 "A2", a3 "A3", a4 "A4", a5 "A5", a6 "A6", a7 "A7", a8 "A8", a9 "A9", a10 "A10", a11 "A11",
        a12 "A12", a13 "A13", a14 "A14", parameters "2.2",
    e1 "E1", e2 "E2", e3 "E3", e4 "E4", e5 "E5", e6 "E6", e7 "E7", e8 "E8", e9 "E9", end "2.3",
    b1 "B1", b2 "B2", b3 "B3", b4 "B4", b5 "B5", b6 "B6", injection "2.4",
    t1 "T1", t2 "T2", t3 "T3", t4 "T4", t5 "T5", t6 "T6", t7 "T7", t8 "T8", t9 "T9", t10 "T10", t11 "T11",
        t12 "T12", t13 "T13", t14 "T14", t15 "T15", gates "2.5",
    s1 "S-1", s2 "S-2", s3 "S-3", s4 "S-4", s5 "S-5", s6 "S-6", s7 "S-7", s8 "S-8", s9 "S-9", s10 "S-10",
        s11 "S-11", s12 "S-12", s13 "S-13", s14 "S-14", s15 "S-15", s16 "S-16", s17 "S-17", s18 "S-18",
    c1 "C-1", c2 "C-2", c3 "C-3", c4 "C-4", c5 "C-5", c6 "C-6", c7 "C-7", c8 "C-8", c9 "C-9", c10 "C-10",
    r1 "R-1", r2 "R-2", r3 "R-3", r4 "R-4", r5 "R-5", r6 "R-6", r7 "R-7", r8 "R-8", r9 "R-9", r10 "R-10",
        r11 "R-11", r12 "R-12", r13 "R-13", r14 "R-14",
}

fn check(row: &str) {
    let is_row = |found: &str| found == row;
    assert!(all().any(|case| is_row(case.row)), "row {row} has no case");
    let wrong: String = CASES.iter().map(|cases| cases.wrong(is_row)).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

fn all() -> impl Iterator<Item = &'static Case<&'static str>> {
    CASES.iter().flat_map(Cases::as_slice)
}

#[test]
fn every_row_has_its_test() {
    for case in all() {
        assert!(TESTED.contains(&case.row), "{}", case.row);
    }
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
         Written by the test `conformance`, which checks it. A row is a rule; an input is what the peer sends, behind\n\
         options in brackets and what went before in parentheses. `⏎` is CR LF. For a server the outcome is the codes of\n\
         its replies, and why it closes, with its input in one piece and octet by octet; in the matrix of content, behind\n\
         what its host gets, and for every cut in two. Behind `host:` it is what the host is told and asked. For a client\n\
         it is its events, and what it writes. The server accepts recipients but those whose local part begins with `no`\n\
         (550) or `later` (450).\n",
    );
    for ((title, _), cases) in PARTS.iter().zip(CASES.iter()) {
        page.part(title);
        page.rows(3, cases.as_slice());
    }
    page
}
