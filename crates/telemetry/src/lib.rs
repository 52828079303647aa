//! What the edge says of itself: logs, metrics, traces, health.
//!
//! What must stay true: nothing here waits for whoever reads it; when they are too slow lines and spans are lost, not players.

#![forbid(unsafe_code)]

#[cfg(feature = "sentry")]
mod errors;
mod exports;
pub mod health;
mod lines;
mod listener;
pub mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
mod plain;
mod seldom;
pub mod span;
#[cfg(not(all(feature = "otlp", feature = "sentry")))]
mod unbuilt;
mod words;

#[cfg(feature = "sentry")]
pub use errors::SentrySection;
pub use exports::{ExportError, Exports};
pub use listener::MetricsSection;
#[cfg(feature = "otlp")]
pub use otlp::{OtlpError, OtlpProtocol, OtlpSection};
#[cfg(not(feature = "otlp"))]
pub use unbuilt::OtlpSection;
#[cfg(not(feature = "sentry"))]
pub use unbuilt::SentrySection;

use drawbridge_config::{Diagnostic, Fields, keywords, section, suggestion};
use lines::Writing;
use plain::Plain;
pub use seldom::Seldom;
use std::io;
use thiserror::Error;
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Layer, Registry, fmt, reload};
pub use words::{has_colours, in_full};

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
    /// Logs, on standard error, and what is sent elsewhere.
    #[defaults]
    #[check(check_filter)]
    pub struct Telemetry {
        /// What is logged: `error`, `warn`, `info`, `debug` or `trace`, or such a level for each part:
        /// `info,drawbridge_edge=debug`. `debug` shows every ping and every refusal.
        pub log: String = String::from("info"),
        /// What lines look like. Read at start.
        pub format: LogFormat = LogFormat::Pretty,
        /// A collector that is sent traces and metrics.
        pub otlp: Option<OtlpSection>,
        /// A Sentry that is told errors.
        pub sentry: Option<SentrySection>,
    }
}

/// What is logged of libraries where the filter doesn't name them. What watches the files says that the log was written to, which is
/// written to the log; what sends traces and metrics says of each failure what the edge itself says once in a while, and what carries them
/// tells of every frame; what checks certificates calls each that doesn't fit an error, of which whoever asked tells with the peer's name.
const QUIET: &str = "notify=info,opentelemetry=off,opentelemetry_sdk=off,opentelemetry-otlp=off,h2=info,hyper_util=info,\
    reqwest=info,rustls_platform_verifier=off,tonic=info,tower=info,sentry=info";

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
        EnvFilter::builder().parse(format!("{QUIET},{}", self.log))
    }

    /// What is read at start, but for secrets, which are shown nowhere.
    fn at_start(&self) -> String {
        format!("{:?} {:?} {:?}", self.format, self.otlp, self.sentry)
    }

    /// Begins to log.
    ///
    /// # Errors
    /// When the filter can't be read, no thread can be made, or the process logs already.
    pub fn start(&self) -> Result<Log, TelemetryError> {
        let told = |count| {
            metrics::log_lines_lost(count);
            tracing::warn!(count, "the log is read too slowly: lines were lost");
        };
        let (writer, writing) = lines::write_to(io::stderr(), told)?;
        let (filter, handle) = reload::Layer::new(self.filter()?);
        let lines: Box<dyn Layer<Registry> + Send + Sync> = match self.format {
            LogFormat::Pretty => {
                let lines = fmt::layer().fmt_fields(Plain).with_writer(writer);
                Box::new(lines.with_ansi(has_colours()).with_target(false))
            }
            // Without the module's path, whose key is `target` and which the target of a hand-over has to have.
            LogFormat::Json => {
                Box::new(fmt::layer().json().flatten_event(true).with_target(false).with_writer(writer))
            }
        };
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
        #[cfg(feature = "sentry")]
        let telling = match &self.sentry {
            Some(sentry) => {
                let telling = sentry.start();
                subscriber.with(errors::layer()).try_init()?;
                Some(telling)
            }
            None => {
                subscriber.try_init()?;
                None
            }
        };
        #[cfg(not(feature = "sentry"))]
        subscriber.try_init()?;
        Ok(Log {
            filter: handle,
            settings: self.clone(),
            #[cfg(feature = "sentry")]
            _telling: telling,
            _writing: writing,
        })
    }
}

/// The running log. Dropping it writes what is left.
#[derive(Debug)]
pub struct Log {
    filter: reload::Handle<EnvFilter, Registry>,
    /// What it was started with.
    settings: Telemetry,
    #[cfg(feature = "sentry")]
    _telling: Option<errors::Telling>,
    _writing: Writing,
}

impl Log {
    /// Logs by other settings from now on; all but the filter stays until the next start.
    pub fn replace(&self, settings: &Telemetry) {
        // The filter was checked when it was read.
        if let Ok(filter) = settings.filter()
            && let Err(error) = self.filter.reload(filter)
        {
            tracing::warn!(%error, "the log filter couldn't be replaced");
        }
        if settings.at_start() != self.settings.at_start() {
            tracing::warn!(
                "telemetry.format, otlp and sentry are read at start: restart the edge to change them"
            );
        }
    }
}
