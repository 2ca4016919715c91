//! [`Cases`]: what must come of what, rule by rule, and what came; [`Page`]: the same for people, in Markdown.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

/// An input, what must come of it, and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Case<R> {
    /// Which rule it shows.
    pub row: R,
    /// What the rule asks for.
    pub required: &'static str,
    /// The input, in words for the page.
    pub input: String,
    /// What must come of it.
    pub expected: String,
    /// What came.
    pub got: String,
}

/// Cases of rules, in the order in which they were added. `R` names a rule.
///
/// ```
/// use mailwright_core::testing::{Cases, Page};
///
/// let mut cases = Cases::default();
/// cases.row("1", "Letters become capitals");
/// cases.case("a", "A", "a".to_uppercase());
/// cases.case("", "", "".to_uppercase());
/// assert_eq!(cases.wrong(|_| true), "");
///
/// let mut page = Page::new("# Letters\n");
/// page.rows(2, cases.as_slice());
/// let table = "| input | required | got |\n|---|---|---|\n| `a` | `A` | `A` |\n| nothing | nothing | nothing |\n";
/// assert_eq!(page.as_str(), format!("# Letters\n\n## 1 Letters become capitals\n\n{table}"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cases<R = &'static str> {
    cases: Vec<Case<R>>,
    row: R,
    required: &'static str,
}

impl<R: Copy + PartialEq + fmt::Display> Cases<R> {
    /// The cases that follow are of this row.
    pub fn row(&mut self, row: R, required: &'static str) {
        (self.row, self.required) = (row, required);
    }

    /// Adds a case.
    pub fn case(&mut self, input: impl Into<String>, expected: &str, got: impl Into<String>) {
        self.cases.push(Case {
            row: self.row,
            required: self.required,
            input: input.into(),
            expected: expected.into(),
            got: got.into(),
        });
    }

    /// The cases so far.
    #[must_use]
    pub fn as_slice(&self) -> &[Case<R>] {
        &self.cases
    }

    /// The cases, to be put in another order.
    #[must_use]
    pub fn into_vec(self) -> Vec<Case<R>> {
        self.cases
    }

    /// What is wrong with the cases of some rows: nothing, if all came as it must.
    #[must_use]
    pub fn wrong(&self, rows: impl Fn(R) -> bool) -> String {
        let wrong = self.cases.iter().filter(|case| rows(case.row) && case.got != case.expected);
        let shown = wrong.map(|case| {
            format!("row {} {}\n got {}\nwant {}", case.row, case.input, case.got, case.expected)
        });
        shown.collect::<Vec<_>>().join("\n")
    }
}

/// A page of cases in Markdown.
#[derive(Clone, Debug)]
pub struct Page(String);

impl Page {
    /// A page that begins with `introduction`: a title and some lines.
    #[must_use]
    pub fn new(introduction: &str) -> Self {
        Self(introduction.to_string())
    }

    /// A part with a title.
    pub fn part(&mut self, title: &str) {
        self.put(format_args!("\n## {title}\n"));
    }

    /// Cases, a heading of this `level` above each row.
    pub fn rows<R: PartialEq + fmt::Display>(&mut self, level: usize, cases: &[Case<R>]) {
        let mut last = None;
        for case in cases {
            if last != Some(&case.row) {
                last = Some(&case.row);
                let (hashes, row, required) = ("#".repeat(level), &case.row, case.required);
                self.put(format_args!("\n{hashes} {row} {required}\n\n"));
                self.put(format_args!("| input | required | got |\n|---|---|---|\n"));
            }
            let (input, expected, got) = (cell(&case.input), cell(&case.expected), cell(&case.got));
            self.put(format_args!("| {input} | {expected} | {got} |\n"));
        }
    }

    /// The page.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = self.0.write_fmt(text);
    }
}

fn cell(text: &str) -> String {
    let text = text.replace('|', "\\|");
    match text.as_str() {
        "" => "nothing".to_string(),
        text if text.contains('`') => format!("`` {text} ``"),
        text => format!("`{text}`"),
    }
}
