//! Where Passage tells errors, and sends traces and metrics.

use super::super::draft::Draft;
use super::super::source::Entry;
use serde_json::json;

/// Reads what is told to others.
pub(super) fn read(root: &Entry<'_>, draft: &mut Draft) {
    read_sentry(root, draft);
    read_otel(root, draft);
}

fn read_sentry(root: &Entry<'_>, draft: &mut Draft) {
    let Some(sentry) = root.get("sentry") else { return };
    let environment =
        sentry.get("environment").and_then(|entry| draft.text(&entry)).filter(|text| !text.is_empty());
    draft.main.table("telemetry").offer(
        "sentry",
        json!({ "dsn": { "env": "SENTRY_DSN" }, "environment": environment.unwrap_or("production") }),
        "TODO for you: the DSN comes from the environment or a file. Set SENTRY_DSN, and take the # away.",
    );
    for entry in ["address", "environment"].iter().filter_map(|key| sentry.get(key)) {
        draft.change(&entry, "telemetry.sentry, as a comment: the DSN comes from the environment or a file");
    }
}

fn read_otel(root: &Entry<'_>, draft: &mut Draft) {
    let Some(otel) = root.get("otel") else { return };
    let base = |signal: &str, path: &str| {
        let entry = otel.get(&format!("{signal}.address"))?;
        let address = entry.value.as_str().filter(|text| reqwest::Url::parse(text).is_ok())?;
        Some((address.strip_suffix(path).unwrap_or(address).trim_end_matches('/').to_owned(), entry))
    };
    let [traces, metrics] = [base("traces", "/v1/traces"), base("metrics", "/v1/metrics")];
    if let Some((endpoint, _)) = traces.as_ref().or(metrics.as_ref()) {
        let endpoint = endpoint.clone();
        let is_same = |signal: &Option<(String, Entry<'_>)>| {
            signal.as_ref().is_some_and(|(other, _)| *other == endpoint)
        };
        let otlp = json!({ "endpoint": endpoint, "protocol": "http", "traces": is_same(&traces), "metrics": is_same(&metrics) });
        let telemetry = draft.main.table("telemetry");
        if ["traces", "metrics"].iter().any(|signal| otel.get(&format!("{signal}.token")).is_some()) {
            let mut with_token = otlp.clone();
            with_token["headers"] = json!({ "Authorization": { "env": "OTLP_AUTHORIZATION" } });
            telemetry.offer(
                "otlp",
                with_token,
                "TODO for you: the token comes from the environment or a file. Set OTLP_AUTHORIZATION to \"Basic \" and the token, and \
                 take this line instead of the next.",
            );
        }
        telemetry.set("otlp", otlp);
        for (_, entry) in [&traces, &metrics].into_iter().flatten().filter(|(other, _)| *other == endpoint) {
            draft.keep(entry, "telemetry.otlp.endpoint");
        }
        for (_, entry) in [&traces, &metrics].into_iter().flatten().filter(|(other, _)| *other != endpoint) {
            draft.leave(entry, "there is one collector for everything: telemetry.otlp");
        }
    }
    for entry in ["traces.token", "metrics.token"].iter().filter_map(|key| otel.get(key)) {
        draft.change(
            &entry,
            "telemetry.otlp.headers, as a comment: the token comes from the environment or a file",
        );
    }
    draft.leave_all(&otel, &["logs"], "the log goes to standard error");
    draft.leave_all(&otel, &["environment"], "what is sent names the edge alone");
}
