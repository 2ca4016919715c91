//! `RFCS.md` against the source: what the source cites has a row, and what is done is cited.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "reads the source")]

use std::path::Path;

use mailwright_core::testing::Citations;

fn read(folder: &Path, citations: &mut Citations) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, citations);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            citations.read(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_table_and_the_source_tell_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut citations = Citations::new(&std::fs::read_to_string(folder.join("RFCS.md")).unwrap());
    assert!(citations.rows() > 3);
    read(&folder.join("src"), &mut citations);
    assert_eq!(citations.missing_rows(), [], "cited, and no row");
    assert_eq!(citations.uncited_rows(), [], "done, and not cited");
}
