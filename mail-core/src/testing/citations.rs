//! [`Citations`]: a table of RFCs held against the source that cites them.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

/// RFC and section.
type Citation = (String, String);

/// The citations of a crate's source, to be held against its table of RFCs.
///
/// ```
/// use mailwright_core::testing::Citations;
///
/// let mut citations = Citations::new("| 5321 | §4.1.1.4 | DATA | done |\n| 5321 | §3.3 | order | host's |\n");
/// citations.read("// RFC 5321 §4.1.1.4: the end of content.");
/// assert!(citations.missing_rows().is_empty() && citations.uncited_rows().is_empty());
/// citations.read("// RFC 2920 §3.1");
/// assert_eq!(citations.missing_rows(), [("2920".into(), "3.1".into())]);
/// ```
#[derive(Clone, Debug)]
pub struct Citations {
    /// Citation and status of each row.
    rows: Vec<(Citation, String)>,
    cited: BTreeSet<Citation>,
}

impl Citations {
    /// Against `table`: a Markdown table whose columns are the number of the RFC, its sections (`§1, §2.3`), what
    /// they are about, and the status, which begins with `done` where the source must cite them.
    #[must_use]
    pub fn new(table: &str) -> Self {
        let mut rows = Vec::new();
        for line in table.lines().filter(|line| line.starts_with("| ")) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [rfc, sections, _, status, ..] = cells.as_slice() else { continue };
            if rfc.is_empty() || !rfc.bytes().all(|octet| octet.is_ascii_digit()) {
                continue;
            }
            for section in sections.split(", ") {
                let section = section.trim_start_matches('§').to_string();
                rows.push(((rfc.to_string(), section), status.to_string()));
            }
        }
        Self { rows, cited: BTreeSet::new() }
    }

    /// Reads a source file: a section belongs to the RFC that was named last.
    pub fn read(&mut self, source: &str) {
        let mut rfc = String::new();
        let separator = |character: char| character.is_whitespace() || "(),:;`".contains(character);
        for word in source.split(separator) {
            if let Some(section) = word.strip_prefix('§') {
                let section = section.trim_end_matches(|character: char| !character.is_ascii_digit());
                if !rfc.is_empty() && !section.is_empty() {
                    self.cited.insert((rfc.clone(), section.to_string()));
                }
            } else if word.len() == 4 && word.bytes().all(|octet| octet.is_ascii_digit()) {
                rfc = word.to_string();
            }
        }
    }

    /// How many rows the table has, with each section as one.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// What the source cites and the table does not have: RFC and section.
    #[must_use]
    pub fn missing_rows(&self) -> Vec<(String, String)> {
        let has = |citation: &Citation| self.rows.iter().any(|(row, _)| row == citation);
        self.cited.iter().filter(|citation| !has(citation)).cloned().collect()
    }

    /// What the table says is done and the source does not cite: RFC and section.
    #[must_use]
    pub fn uncited_rows(&self) -> Vec<(String, String)> {
        let uncited = |row: &&(Citation, String)| row.1.starts_with("done") && !self.cited.contains(&row.0);
        self.rows.iter().filter(uncited).map(|(citation, _)| citation.clone()).collect()
    }
}
