//! The outcome for people.

use core::fmt::Write as _;
use std::sync::Arc;

use mailwright_mx::{Plan, RouteError, TemporaryReason, Tls};

use super::Outcome;

/// A line for the outcome, and one for each host and each thing that was odd.
pub(crate) fn lines(outcome: &Outcome) -> String {
    let mut text = outcome.destination.escape_debug().to_string();
    // Writing to a string does not fail.
    let _ = write(&mut text, outcome);
    text
}

fn write(text: &mut String, outcome: &Outcome) -> core::fmt::Result {
    let report = match &outcome.result {
        Ok(plan) => {
            let life = plan.expires().saturating_duration_since(outcome.now).as_secs();
            writeln!(text, ": {}, holds for {life} s", plan.kind().as_str())?;
            let attempt = plan.attempt(outcome.seed);
            for host in attempt.hosts() {
                write!(text, "{:>6} ", host.preference)?;
                if let Some(name) = &host.name {
                    write!(text, "{name} ")?;
                }
                write!(text, "port {} ({})", host.port, tls(&host.tls))?;
                for dial in attempt.dials().filter(|dial| core::ptr::eq(dial.host, host)) {
                    write!(text, " {}", dial.address)?;
                }
                writeln!(text)?;
            }
            plan.report()
        }
        Err(error @ RouteError::Permanent(permanent)) => {
            writeln!(text, ": permanent failure {} {error}", permanent.reply)?;
            error.report()
        }
        Err(error @ RouteError::Temporary(_)) => {
            writeln!(text, ": temporary failure {error}")?;
            error.report()
        }
    };
    for host in &report.skipped {
        writeln!(text, "skipped {}: {}", host.name, host.reason)?;
    }
    for diagnostic in &report.diagnostics {
        writeln!(text, "note: {diagnostic}")?;
    }
    Ok(())
}

fn tls(tls: &Tls) -> String {
    match tls {
        Tls::Opportunistic(reason) => format!("TLS {}: {}", tls.level(), reason.as_str()),
        Tls::Required(reason) => format!("TLS {}: {}", tls.level(), reason.as_str()),
        _ => format!("TLS {}", tls.level()),
    }
}

/// What was odd, and what a temporary failure is about.
pub(crate) fn details(result: &Result<Arc<Plan>, RouteError>) -> Vec<String> {
    let (reason, report) = match result {
        Ok(plan) => (None, plan.report()),
        Err(error @ RouteError::Temporary(temporary)) => {
            let telling = matches!(
                temporary.reason,
                TemporaryReason::Lookup { .. }
                    | TemporaryReason::NoHostNow { .. }
                    | TemporaryReason::Relay(_)
            );
            (telling.then(|| temporary.reason.to_string()), error.report())
        }
        Err(error) => (None, error.report()),
    };
    reason.into_iter().chain(report.diagnostics.iter().map(ToString::to_string)).collect()
}
