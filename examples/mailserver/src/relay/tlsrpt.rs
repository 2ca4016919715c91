//! What a report about TLS would tell (RFC 8460 §4.4), as a line of JSON in the log for each session and each finding. The
//! names are those of such a report; adding up and sending is for another program.

use std::sync::Arc;

use mailwright_mx::plan::StsReport;
use mailwright_mx::tlsrpt::{Finding, PolicyType, ResultType};
use mailwright_mx::{Plan, RouteError, Tls};
use serde_json::{Map, Value, json};

use super::session::Host;

/// What was found on the way to a plan.
pub(super) fn findings(domain: &str, found: &Result<Arc<Plan>, RouteError>) {
    let report = match found {
        Ok(plan) => plan.report(),
        Err(error) => error.report(),
    };
    for Finding { policy, result, host, detail, .. } in &report.findings {
        let mut line = policy_of(*policy, domain, report.sts.as_ref());
        line.insert("result-type".into(), json!(result.as_str()));
        if let Some(host) = host {
            line.insert("receiving-mx-hostname".into(), json!(host.as_str()));
        }
        if !detail.is_empty() {
            line.insert("failure-reason-code".into(), json!(detail));
        }
        log(line);
    }
}

/// What a session was like, if there is a policy about it.
pub(super) fn session(host: &Host<'_>, result: Result<(), (ResultType, String)>) {
    let policy = match host.tls {
        Tls::Dane(_) | Tls::Required(_) => PolicyType::Tlsa,
        Tls::Pkix(_) => PolicyType::Sts,
        _ => return,
    };
    let domain = host.plan.destination().name().map(ToString::to_string).unwrap_or_default();
    let mut line = policy_of(policy, &domain, host.plan.report().sts.as_ref());
    if let Tls::Dane(dane) = host.tls {
        line.insert("policy-string".into(), dane.tlsa.iter().map(ToString::to_string).collect());
    }
    line.insert("receiving-mx-hostname".into(), json!(host.name));
    line.insert("receiving-ip".into(), json!(host.address.ip().to_string()));
    match result {
        Ok(()) => {
            line.insert("successful-session-count".into(), json!(1));
        }
        Err((result, reason)) => {
            line.insert("failed-session-count".into(), json!(1));
            line.insert("result-type".into(), json!(result.as_str()));
            line.insert("failure-reason-code".into(), json!(reason));
        }
    }
    log(line);
}

fn policy_of(policy: PolicyType, domain: &str, sts: Option<&StsReport>) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("policy-type".into(), json!(policy.as_str()));
    line.insert("policy-domain".into(), json!(domain));
    if let Some(cached) = sts.and_then(|sts| sts.policy.as_ref()).filter(|_| policy == PolicyType::Sts) {
        let text = cached.policy.to_string();
        line.insert("policy-string".into(), text.lines().collect());
    }
    line
}

fn log(line: Map<String, Value>) {
    tracing::info!(target: "tlsrpt", "{}", serde_json::Value::Object(line));
}
