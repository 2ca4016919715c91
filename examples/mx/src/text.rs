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
                if let Some(reason) = host.unreachable {
                    write!(text, " never dialled: {}", reason.as_str())?;
                }
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
    if let Some(sts) = &report.sts {
        write!(text, "policy: {}", sts.state.as_str())?;
        if let Some(cached) = &sts.policy {
            write!(text, ", mode {}, id {}", cached.policy.mode.as_str(), cached.id)?;
        }
        writeln!(text)?;
    }
    for host in &report.skipped {
        writeln!(text, "skipped {}: {}", host.name, host.reason)?;
    }
    for finding in &report.findings {
        writeln!(text, "finding: {}, {finding}", finding.policy.as_str())?;
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
        Tls::Pkix(pkix) => {
            let testing = if pkix.testing { ", in testing" } else { "" };
            format!("TLS {}: {}{testing}, for {}", tls.level(), pkix.reason.as_str(), list(&pkix.names))
        }
        Tls::Dane(dane) => {
            format!("TLS {}: {}, for {}", tls.level(), list(&dane.tlsa), list(&dane.names))
        }
        _ => format!("TLS {}", tls.level()),
    }
}

fn list(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
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
