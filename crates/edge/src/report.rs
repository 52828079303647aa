//! The line that a connection leaves in the log at its end, when metrics and traces are told as well.

use crate::journey::{Facts, Journey};
use crate::passenger::Way;
use crate::places::Whereabouts;
use drawbridge_model::{Client, Refused, Severity, Target};
use drawbridge_net::relay::Traffic;
use drawbridge_telemetry::metrics::{self, CarriedEnd, Outcome};
use std::time::{Duration, Instant};

/// What is known of a connection at its end.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) client: &'a Client,
    pub(crate) route: Option<&'a str>,
    /// The name that was claimed, once it was.
    pub(crate) player: Option<&'a str>,
    pub(crate) arrived: Instant,
    /// When it came to its end.
    pub(crate) now: Instant,
    pub(crate) journey: &'a mut Journey,
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

impl<'a> Line<'a> {
    const fn facts(&self) -> Facts<'a> {
        Facts { route: self.route, player: self.player, target: None, by: None }
    }

    /// The player was handed over.
    pub(crate) fn handed_over(self, target: &Target) {
        metrics::transferred(self.route.unwrap_or_default(), &target.identifier);
        let facts = Facts { target: Some(&target.identifier), ..self.facts() };
        self.journey.end(Outcome::Ok, self.now, Some(self.client), &facts);
        line!(info, self, "handed over", target = target.identifier, address = target.address.to_string());
    }

    /// The player's connection is carried to the target from here on.
    pub(crate) fn carried(self, at: &Whereabouts, way: Way) {
        let (target, address) = (at.identifier(), at.to_string());
        let facts = Facts { target: Some(target), ..self.facts() };
        self.journey.end(Outcome::Ok, self.now, Some(self.client), &facts);
        match way {
            Way::Relay => line!(info, self, "relayed", target = target, address = address),
            Way::Session => line!(info, self, "session began", target = target, address = address),
        }
    }

    /// The server list was answered.
    pub(crate) fn pinged(self) {
        let facts = self.facts();
        self.journey.end(Outcome::Ok, self.now, Some(self.client), &facts);
        line!(debug, self, "pinged");
    }

    /// The client has gone before anything was decided.
    pub(crate) fn left(self) {
        let facts = self.facts();
        self.journey.end(Outcome::Left, self.now, Some(self.client), &facts);
        line!(info, self, "left");
    }

    /// The client was turned away, which is told as loudly as is usual for the reason, or `quietly`.
    pub(crate) fn refused(self, refused: &Refused, quietly: bool) {
        let facts = Facts { by: refused.by.as_deref(), ..self.facts() };
        self.journey.end(Outcome::Refused(refused.refusal), self.now, Some(self.client), &facts);
        let (reason, by) = (refused.refusal.label(), refused.by.as_deref());
        let severity = if quietly { Severity::Debug } else { refused.refusal.severity() };
        match severity {
            Severity::Error => line!(error, self, "refused", reason = reason, by = by),
            Severity::Warning => line!(warn, self, "refused", reason = reason, by = by),
            Severity::Info => line!(info, self, "refused", reason = reason, by = by),
            Severity::Debug => line!(debug, self, "refused", reason = reason, by = by),
        }
    }
}

/// What is known of a player at the end of being carried.
#[derive(Debug)]
pub(crate) struct Carried<'a> {
    pub(crate) client: &'a Client,
    pub(crate) route: &'a str,
    pub(crate) player: &'a str,
    pub(crate) target: &'a str,
    pub(crate) traffic: Traffic,
    pub(crate) took: Duration,
    /// Why it has ended.
    pub(crate) end: CarriedEnd,
}

/// The one form of both lines.
macro_rules! ended {
    ($carried:ident, $text:literal) => {
        tracing::info!(
            client = %$carried.client.address,
            route = $carried.route,
            player = $carried.player,
            target = $carried.target,
            trace = %$carried.client.trace,
            seconds = $carried.took.as_secs(),
            to_target = $carried.traffic.up,
            to_client = $carried.traffic.down,
            end = $carried.end.label(),
            $text
        )
    };
}

impl Carried<'_> {
    /// Leaves the line.
    pub(crate) fn log(self, way: Way) {
        match way {
            Way::Relay => ended!(self, "relay ended"),
            Way::Session => ended!(self, "session ended"),
        }
    }
}
