//! Figures in a table, each beside its target.

use core::fmt::Write as _;

use crate::{Case, Work};

/// What was found about a case, for one run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Instructions.
    pub instructions: Option<u64>,
    /// Calls of the allocator.
    pub allocations: u64,
    /// The most octets above those that were held before.
    pub peak: u64,
    /// Octets that were held behind it, above those before.
    pub held: i64,
}

/// A figure, and whether it is within its target.
fn figure(number: f64, digits: usize, target: Option<f64>) -> (String, bool) {
    let text = grouped(number, digits);
    match target {
        None => (text, true),
        Some(target) if number <= target => (format!("{text} ≤ {}", grouped(target, 0)), true),
        Some(target) => (format!("**{text}** > {}", grouped(target, 0)), false),
    }
}

/// A number with spaces between thousands.
#[must_use]
pub fn grouped(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && grouped != "-" {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped + rest
}

/// The digits that a number below so much needs.
#[must_use]
pub fn digits(number: f64) -> usize {
    match number {
        number if number == 0.0 || number >= 100.0 => 0,
        number if number >= 10.0 => 1,
        number if number >= 1.0 => 2,
        _ => 3,
    }
}

/// A line of Markdown for a case, and the targets that it has missed.
#[must_use]
pub fn line(case: &Case, figures: &Figures) -> (String, Vec<&'static str>) {
    let (unit, amount, items) = match case.work {
        Work::Items(1) => ("one".to_owned(), 1.0, 1.0),
        Work::Items(items) => (format!("1 of {}", grouped(items as f64, 0)), items as f64, items as f64),
        Work::Octets(octets) => ("octet; run".to_owned(), octets as f64, 1.0),
    };
    let mut missed = Vec::new();
    let mut line = format!("| {} | {unit} |", case.name);
    let mut cell = |name: &'static str, number: Option<f64>, target: Option<f64>| {
        let Some(number) = number else { return line.push_str(" - |") };
        let (text, within) = figure(number, digits(number), target);
        // Writing to a string never fails.
        let _ = write!(line, " {text} |");
        if !within {
            missed.push(name);
        }
    };
    let targets = &case.targets;
    let instructions = figures.instructions.map(|instructions| instructions as f64 / amount);
    cell("instructions", instructions, targets.instructions);
    cell("allocations", Some(figures.allocations as f64 / items), targets.allocations);
    cell("peak", Some(figures.peak as f64), targets.peak.map(|peak| peak as f64));
    let held = (figures.held as f64 / items).max(0.0);
    cell("held", Some(held).filter(|_| targets.held.is_some()), targets.held);
    (line, missed)
}
