//! The crates beside others that do the same: the same input, read to the same end, in one program.
//!
//! A [`Contest`] is one question, and who answers it; the first is always Mailwright. Those who cannot read the input, or
//! do not offer such a thing, are not in it.

#![forbid(unsafe_code)]

mod imap;
mod mime;
mod mx;
mod pop3;
mod sasl;
mod smtp;

use mailwright_bench_cases::{Case, Work};

/// One question.
pub struct Contest {
    /// What is done.
    pub name: String,
    /// What one run works through, for all of them.
    pub work: Work,
    /// Who does it: cases whose names are those of packages and their versions.
    pub contestants: Vec<Case>,
}

impl Contest {
    /// A contest with our own case in it.
    fn of(mut case: Case) -> Self {
        let name = core::mem::replace(&mut case.name, "Mailwright".to_owned());
        Self { name, work: case.work, contestants: vec![case] }
    }

    /// With another package, which takes what `prepare` makes of what `open` made once.
    fn against<S: 'static, I: 'static>(
        mut self,
        package: &str,
        open: impl Fn() -> S + 'static,
        prepare: impl Fn(&S) -> I + Copy + 'static,
        run: impl Fn(&mut I) + Copy + 'static,
    ) -> Self {
        self.contestants.push(Case::fresh(named(package), self.work, open, prepare, run));
        self
    }

    /// With another package, which only looks at its input.
    fn against_reader<S: 'static>(
        mut self,
        package: &str,
        open: impl Fn() -> S + 'static,
        run: impl Fn(&mut S) + Copy + 'static,
    ) -> Self {
        self.contestants.push(Case::steady(named(package), self.work, open, run));
        self
    }
}

/// A package with its version, as the lock file has it; of several the newest.
fn named(package: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let line = format!("name = \"{package}\"\nversion = \"");
    let version = lock.rsplit(&line).next().and_then(|rest| rest.split('"').next());
    format!("{package} {}", version.unwrap_or_default())
}

/// The contests whose names contain one of these words; all if there are none.
#[must_use]
pub fn matching(words: &[String]) -> Vec<Contest> {
    let mut contests = smtp::contests();
    contests.extend(pop3::contests());
    contests.extend(imap::contests());
    contests.extend(sasl::contests());
    contests.extend(mx::contests());
    contests.extend(mime::contests());
    contests
        .retain(|contest| words.is_empty() || words.iter().any(|word| contest.name.contains(word.as_str())));
    contests
}
