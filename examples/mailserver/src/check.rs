//! `mailserver check`: what the engine finds wrong with a store.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use mailwright_store::engine::Local;
use mailwright_store::engine::local::{CheckDepth, LocalConfig};

use crate::data::Data;
use crate::{Failure, entropy, halves};

/// Prints the findings. Exit code 0 without any, 1 with, 2 if it could not run.
pub(crate) fn run(data: &Path, depth: CheckDepth) -> ExitCode {
    match check(data, depth) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("mailserver: {error}");
            ExitCode::from(2)
        }
    }
}

fn check(path: &Path, depth: CheckDepth) -> Result<usize, Failure> {
    let store = path.join("store");
    if !store.is_dir() {
        return Err(format!("{} holds no store", path.display()).into());
    }
    let _data = Data::open(path)?;
    let [first, ..] = halves(entropy()?);
    let engine = Local::open(store, LocalConfig::default(), first)?;
    let findings = engine.check(depth)?;
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    Ok(findings.len())
}
