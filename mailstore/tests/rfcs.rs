//! `RFCS.md` against the source: what the source cites has a row, and what is done is cited.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads the source")]

use std::collections::BTreeSet;
use std::path::Path;

/// RFC and section.
type Citation = (String, String);

/// Every citation in `text`: a section belongs to the RFC that was named last.
fn citations(text: &str) -> BTreeSet<Citation> {
    let mut found = BTreeSet::new();
    let mut rfc = String::new();
    for word in text.split(|character: char| character.is_whitespace() || "(),:;`".contains(character)) {
        if let Some(section) = word.strip_prefix('§') {
            let section = section.trim_end_matches(|character: char| !character.is_ascii_digit());
            if !rfc.is_empty() && !section.is_empty() {
                found.insert((rfc.clone(), section.to_string()));
            }
        } else if word.len() == 4 && word.bytes().all(|octet| octet.is_ascii_digit()) {
            rfc = word.to_string();
        }
    }
    found
}

fn read_sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// The rows: citation and status.
fn rows() -> Vec<(Citation, String)> {
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("RFCS.md")).unwrap();
    let mut rows = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        if cells[0].bytes().all(|octet| octet.is_ascii_digit()) {
            for section in cells[1].split(", ").map(|section| section.trim_start_matches('§')) {
                rows.push(((cells[0].to_string(), section.to_string()), cells[3].to_string()));
            }
        }
    }
    assert!(rows.len() > 3);
    rows
}

fn sources() -> BTreeSet<Citation> {
    let mut text = String::new();
    read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    citations(&text)
}

#[test]
fn what_the_source_cites_has_a_row() {
    let rows: BTreeSet<_> = rows().into_iter().map(|(citation, _)| citation).collect();
    let missing: Vec<_> = sources().difference(&rows).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_is_done_is_cited() {
    let sources = sources();
    let uncited: Vec<_> = rows()
        .into_iter()
        .filter(|(citation, status)| status.starts_with("done") && !sources.contains(citation))
        .collect();
    assert!(uncited.is_empty(), "{uncited:?}");
}
