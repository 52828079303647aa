//! The line that a connection leaves in the log at its end.

use drawbridge_model::{Client, Refused, Severity, Target};
use std::time::Instant;

/// What is known of a connection at its end.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) client: &'a Client,
    pub(crate) route: Option<&'a str>,
    /// The name that was claimed, once it was.
    pub(crate) player: Option<&'a str>,
    pub(crate) arrived: Instant,
}

/// The one form of all lines.
macro_rules! line {
    ($level:ident, $line:expr, $text:literal $(, $field:ident = $value:expr)*) => {
        tracing::$level!(
            client = %$line.client.address,
            host = ?$line.client.host,
            version = $line.client.version.0,
            route = $line.route,
            player = $line.player,
            trace = %$line.client.trace,
            milliseconds = u64::try_from($line.arrived.elapsed().as_millis()).unwrap_or(u64::MAX),
            $($field = $value,)*
            $text
        )
    };
}

impl Line<'_> {
    /// The player was handed over.
    pub(crate) fn handed_over(&self, target: &Target) {
        line!(info, self, "handed over", target = target.identifier, address = target.address.to_string());
    }

    /// The server list was answered.
    pub(crate) fn pinged(&self) {
        line!(debug, self, "pinged");
    }

    /// The client has gone before anything was decided.
    pub(crate) fn left(&self) {
        line!(info, self, "left");
    }

    /// The client was turned away.
    pub(crate) fn refused(&self, refused: &Refused) {
        let (reason, by) = (refused.refusal.label(), refused.by.as_deref());
        match refused.refusal.severity() {
            Severity::Error => line!(error, self, "refused", reason = reason, by = by),
            Severity::Warning => line!(warn, self, "refused", reason = reason, by = by),
            Severity::Info => line!(info, self, "refused", reason = reason, by = by),
            Severity::Debug => line!(debug, self, "refused", reason = reason, by = by),
        }
    }
}
