//! The outcome as one JSON object. Fields without a value are left out.

use core::fmt::Write as _;

use mailwright_mx::plan::{Attempt, Report};
use mailwright_mx::tlsrpt::{Finding, PolicyType};
use mailwright_mx::{Host, Plan, RouteError, Tls, UnixMillis};
use serde_json::{Map, Value, json};

use super::Outcome;
use super::text::details;

/// The object, on one line without any control character.
pub(crate) fn object(outcome: &Outcome) -> String {
    let mut object = Map::new();
    let mut field = |name: &str, value: Value| {
        let empty = value.as_array().is_some_and(Vec::is_empty);
        if !value.is_null() && !empty {
            object.insert(name.into(), value);
        }
    };
    field("domain", json!(outcome.destination));
    let report = match &outcome.result {
        Ok(plan) => {
            field("result", json!("plan"));
            field("kind", json!(plan.kind().as_str()));
            field("expanded", json!(plan.expanded().map(ToString::to_string)));
            field("expires", seconds(plan.expires(), outcome.now));
            field("hosts", hosts(plan, outcome.seed));
            plan.report()
        }
        Err(error) => {
            field("status", json!(error.status().to_string()));
            match error {
                RouteError::Permanent(permanent) => {
                    field("result", json!("permanent"));
                    field("reply", json!(permanent.reply));
                    field("reason", json!(permanent.reason.as_str()));
                    if permanent.expires < UnixMillis::from_millis(u64::MAX) {
                        field("expires", seconds(permanent.expires, outcome.now));
                    }
                }
                RouteError::Temporary(temporary) => {
                    field("result", json!("temporary"));
                    field("reason", json!(temporary.reason.as_str()));
                }
            }
            error.report()
        }
    };
    field("skipped", skipped(report));
    field("sts", sts(report));
    field("findings", report.findings.iter().map(finding).collect());
    field("diagnostics", json!(details(&outcome.result)));
    field("queries", json!(report.queries));
    line(&Value::Object(object))
}

fn seconds(until: UnixMillis, now: UnixMillis) -> Value {
    json!(until.saturating_duration_since(now).as_secs())
}

fn hosts(plan: &Plan, seed: u64) -> Value {
    let attempt = plan.attempt(seed);
    attempt.hosts().map(|host| one(host, &attempt)).collect()
}

fn one(host: &Host, attempt: &Attempt<'_>) -> Value {
    let dials = attempt.dials().filter(|dial| core::ptr::eq(dial.host, host));
    let mut addresses: Vec<String> = dials.map(|dial| dial.address.to_string()).collect();
    if !host.is_reachable() {
        addresses = host.addresses.iter().map(ToString::to_string).collect();
    }
    let mut object = Map::new();
    if let Some(name) = &host.name {
        object.insert("name".into(), json!(name.as_str()));
    }
    object.insert("preference".into(), json!(host.preference));
    object.insert("port".into(), json!(host.port));
    if !addresses.is_empty() {
        object.insert("addresses".into(), json!(addresses));
    }
    object.insert("reachable".into(), json!(host.is_reachable()));
    if let Some(reason) = host.unreachable {
        object.insert("reason".into(), json!(reason.as_str()));
    }
    object.insert("tls".into(), tls(&host.tls));
    Value::Object(object)
}

fn tls(tls: &Tls) -> Value {
    let mut object = Map::new();
    object.insert("level".into(), json!(tls.level()));
    match tls {
        Tls::Opportunistic(reason) => {
            object.insert("reason".into(), json!(reason.as_str()));
        }
        Tls::Required(reason) => {
            object.insert("reason".into(), json!(reason.as_str()));
        }
        Tls::Pkix(pkix) => {
            object.insert("testing".into(), json!(pkix.testing));
            object.insert("reason".into(), json!(pkix.reason.as_str()));
            object.insert("names".into(), pkix.names.iter().map(ToString::to_string).collect());
        }
        Tls::Dane(dane) => {
            object.insert("names".into(), dane.names.iter().map(ToString::to_string).collect());
            object.insert("tlsa".into(), dane.tlsa.iter().map(ToString::to_string).collect());
        }
        _ => {}
    }
    Value::Object(object)
}

/// The policy that counts, and what was wrong with it.
fn sts(report: &Report) -> Value {
    let Some(sts) = &report.sts else { return Value::Null };
    let mut object = Map::new();
    object.insert("state".into(), json!(sts.state.as_str()));
    if let Some(cached) = &sts.policy {
        object.insert("mode".into(), json!(cached.policy.mode.as_str()));
        object.insert("id".into(), json!(&*cached.id));
    }
    let findings = report.findings.iter().filter(|finding| finding.policy == PolicyType::Sts);
    let mut findings: Vec<&str> = findings.map(|finding| finding.result.as_str()).collect();
    findings.dedup();
    if !findings.is_empty() {
        object.insert("findings".into(), json!(findings));
    }
    Value::Object(object)
}

/// What a report would tell.
fn finding(finding: &Finding) -> Value {
    let mut object = Map::new();
    object.insert("policy".into(), json!(finding.policy.as_str()));
    object.insert("result".into(), json!(finding.result.as_str()));
    if let Some(host) = &finding.host {
        object.insert("host".into(), json!(host.as_str()));
    }
    if !finding.detail.is_empty() {
        object.insert("detail".into(), json!(finding.detail));
    }
    Value::Object(object)
}

fn skipped(report: &Report) -> Value {
    let one = |host: &mailwright_mx::plan::Skipped| json!({ "name": host.name.to_string(), "reason": host.reason.to_string() });
    report.skipped.iter().map(one).collect()
}

fn line(value: &Value) -> String {
    // JSON escapes only the controls below U+0020; the others can stand in strings alone, where this is the same text.
    let mut text = String::new();
    for character in value.to_string().chars() {
        if character.is_control() {
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}
