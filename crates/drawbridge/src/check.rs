//! `drawbridge check`: every mistake in the configuration, as a compiler would show it.

use crate::print;
use crate::settings::Source;
use drawbridge_config::{Diagnostics, Error, Style};
use drawbridge_routing::Services;
use drawbridge_telemetry::{has_colours, in_full};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Reads the configuration and says what is wrong with it: success when it holds.
pub(crate) fn run(config: Option<PathBuf>, json: bool) -> ExitCode {
    let source = Source::new(config);
    let loaded = source.load(&Services::default());
    let result = loaded.and_then(|configured| configured.open_bans().map(|_| configured));
    if json {
        return as_json(&result.map(|configured| configured.warnings));
    }
    match result {
        Ok(configured) => {
            eprint!("{}", configured.warnings.render(style()));
            let name = match configured.fingerprint {
                None => "the built-in configuration".into(),
                Some(_) if source.main().exists() => source.main().to_string_lossy(),
                Some(_) => "the configuration".into(),
            };
            let mut text = format!("{name} holds: {}\n", counted(configured.routes));
            let providers: Vec<_> = configured.settings.providers.names().collect();
            if !providers.is_empty() {
                text += &format!(
                    "not asked: {}, of which routes come only while the edge runs\n",
                    providers.join(", ")
                );
            }
            print(text.as_bytes())
        }
        Err(error) => {
            show(&error);
            ExitCode::FAILURE
        }
    }
}

fn counted(routes: usize) -> String {
    match routes {
        0 => "no route of its own, so the built-in one for all hosts".to_owned(),
        1 => "1 route".to_owned(),
        _ => format!("{routes} routes"),
    }
}

/// Writes what is wrong to standard error.
pub(crate) fn show(error: &Error) {
    match error {
        Error::Invalid(diagnostics) => eprint!("{}", diagnostics.render(style())),
        error => eprintln!("error: {}", in_full(error)),
    }
}

fn style() -> Style {
    if has_colours() { Style::Colour } else { Style::Plain }
}

/// Each of them for machines.
pub(crate) fn diagnostics(of: &Diagnostics) -> Vec<Value> {
    match of.to_json()["diagnostics"].take() {
        Value::Array(each) => each,
        _ => Vec::new(),
    }
}

/// An error that stands nowhere, for machines.
pub(crate) fn undiagnosed(error: &Error) -> Value {
    json!({ "severity": "error", "message": in_full(error) })
}

fn as_json(result: &Result<Diagnostics, Error>) -> ExitCode {
    let (document, code) = match result {
        Ok(warnings) => (warnings.to_json(), ExitCode::SUCCESS),
        Err(Error::Invalid(diagnostics)) => (diagnostics.to_json(), ExitCode::FAILURE),
        Err(error) => {
            let diagnostics = [undiagnosed(error)];
            (json!({ "errors": 1, "warnings": 0, "diagnostics": diagnostics }), ExitCode::FAILURE)
        }
    };
    match print(format!("{document:#}\n").as_bytes()) {
        ExitCode::SUCCESS => code,
        failure => failure,
    }
}
