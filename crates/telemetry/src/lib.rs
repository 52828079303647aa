//! What the edge says of itself: logs.
//!
//! What must stay true: nothing here waits for whoever reads the log; when they are too slow lines are lost, not players.

#![forbid(unsafe_code)]

mod lines;

use drawbridge_config::{Diagnostic, Fields, keywords, section, suggestion};
use lines::Writing;
use std::io::{self, IsTerminal as _};
use thiserror::Error;
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Layer, Registry, fmt, reload};

keywords! {
    /// What lines of the log look like.
    pub enum LogFormat {
        /// For people.
        "pretty" => Pretty,
        /// One JSON object a line.
        "json" => Json,
    }
}

section! {
    /// Logs, on standard error.
    #[defaults]
    #[check(check_filter)]
    pub struct Telemetry {
        /// What is logged: `error`, `warn`, `info`, `debug` or `trace`, or such a level for each part:
        /// `info,drawbridge_edge=debug`. `debug` shows every ping and every refusal.
        pub log: String = String::from("info"),
        /// What lines look like.
        pub format: LogFormat = LogFormat::Pretty,
    }
}

/// What a part of a filter can ask for.
const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "off"];

fn check_filter(telemetry: &Telemetry, fields: &mut Fields<'_, '_, '_>) {
    // The library takes a word that is no level for a part of the program, of which everything would be logged, and nothing else.
    for part in telemetry.log.split(',') {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level).trim();
        if !LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
            let mistake =
                Diagnostic::error(fields.origin("log"), format!("{level:?} is no level of the log"));
            fields.report(mistake.help(suggestion(level, LEVELS, "levels")));
            return;
        }
    }
    if let Err(error) = telemetry.filter() {
        fields.error("log", format!("not a log filter: {error}"));
    }
}

/// Why logging can't begin.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter can't be read.
    #[error("not a log filter")]
    Filter(#[from] ParseError),
    /// The system gives no thread to write with.
    #[error("no thread can be made that writes the log")]
    Thread(#[from] io::Error),
    /// The process logs already.
    #[error("the process has a log already")]
    Twice(#[from] TryInitError),
}

impl Telemetry {
    fn filter(&self) -> Result<EnvFilter, ParseError> {
        // What watches the files says that the log was written to, which is written to the log.
        EnvFilter::builder().parse(format!("notify=info,{}", self.log))
    }

    /// Begins to log.
    ///
    /// # Errors
    /// When the filter can't be read, no thread can be made, or the process logs already.
    pub fn start(&self) -> Result<Log, TelemetryError> {
        let told = |count| tracing::warn!(count, "the log is read too slowly: lines were lost");
        let (writer, writing) = lines::write_to(io::stderr(), told)?;
        let (filter, handle) = reload::Layer::new(self.filter()?);
        let lines: Box<dyn Layer<Registry> + Send + Sync> = match self.format {
            LogFormat::Pretty => {
                let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
                Box::new(fmt::layer().with_writer(writer).with_ansi(colours).with_target(false))
            }
            // Without the module's path, whose key is `target` and which the target of a hand-over has to have.
            LogFormat::Json => {
                Box::new(fmt::layer().json().flatten_event(true).with_target(false).with_writer(writer))
            }
        };
        tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()?;
        Ok(Log { filter: handle, format: self.format, _writing: writing })
    }
}

/// The running log. Dropping it writes what is left.
#[derive(Debug)]
pub struct Log {
    filter: reload::Handle<EnvFilter, Registry>,
    format: LogFormat,
    _writing: Writing,
}

impl Log {
    /// Logs by other settings from now on; the format stays until the next start.
    pub fn replace(&self, settings: &Telemetry) {
        // The filter was checked when it was read.
        if let Ok(filter) = settings.filter()
            && let Err(error) = self.filter.reload(filter)
        {
            tracing::warn!(%error, "the log filter couldn't be replaced");
        }
        if settings.format != self.format {
            tracing::warn!("telemetry.format is read at start: restart the edge to change it");
        }
    }
}
