//! The README's feature table is that of the manifest.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

/// The rows of the README's table of features: name, and whether it is on by default.
fn documented() -> Vec<(String, bool)> {
    let readme = include_str!("../README.md");
    let table = readme.split("| feature | default |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(str::trim);
        let name = cells.next().unwrap().trim_matches('`').to_owned();
        (name, cells.next() == Some("yes"))
    })
    .collect()
}

/// The features of the manifest but `default`.
fn declared() -> Vec<(String, bool)> {
    let manifest = include_str!("../Cargo.toml");
    let section = manifest.split("[features]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let lines = section.lines().filter_map(|line| line.split_once(" = ")).collect::<Vec<_>>();
    let default = lines.iter().find(|(name, _)| *name == "default").unwrap().1;
    lines
        .iter()
        .filter(|(name, _)| *name != "default")
        .map(|(name, _)| ((*name).to_owned(), default.contains(&format!("\"{name}\""))))
        .collect()
}

#[test]
fn the_table_of_features_is_complete() {
    assert!(declared().len() > 5);
    assert_eq!(documented(), declared());
}
