//! What metrics and traces see of a connection: when it entered which phase, and how it ended.
//!
//! What must stay true: a connection ends once, whatever becomes of its task; nobody who asked for neither metrics nor traces pays for
//! the time of day.

use crate::ended::Ended;
use drawbridge_model::{Client, Refusal, Severity};
use drawbridge_telemetry::metrics::{self, Outcome, Phase};
use drawbridge_telemetry::span::{self, Role, Span, Value};
use std::time::{Duration, Instant, SystemTime};

/// A phase that was not entered.
const NEVER: u32 = u32::MAX;

/// A connection on its way.
#[derive(Debug)]
pub(crate) struct Journey {
    arrived: Instant,
    phase: Phase,
    /// When each phase began, in microseconds after the arrival.
    entered: [u32; Phase::ALL.len()],
    watched: bool,
    ended: bool,
    /// The span of the edge that handed the player over to this one; zero: none is known.
    parent: u64,
}

/// What is known of a connection at its end, beside the client.
#[derive(Debug, Default)]
pub(crate) struct Facts<'a> {
    pub(crate) route: Option<&'a str>,
    pub(crate) player: Option<&'a str>,
    pub(crate) target: Option<&'a str>,
    pub(crate) by: Option<&'a str>,
}

impl Journey {
    /// A connection was accepted.
    pub(crate) fn begin(arrived: Instant) -> Self {
        metrics::connection_accepted();
        let mut entered = [NEVER; Phase::ALL.len()];
        entered[Phase::Admission as usize] = 0;
        let watched = metrics::is_on() || span::is_on();
        Self { arrived, phase: Phase::Admission, entered, watched, ended: false, parent: 0 }
    }

    /// The phase is over as it should be, and this one begins `now`. On a reactor that is the time of its turn, which is free where the
    /// system's clock costs a ping more than all that is counted of it.
    pub(crate) fn enter(&mut self, phase: Phase, now: Instant) {
        if !self.watched || self.ended {
            return;
        }
        let now = now.saturating_duration_since(self.arrived);
        metrics::phase_ended(self.phase, Outcome::Ok, now.saturating_sub(self.at(self.phase)));
        self.phase = phase;
        self.entered[phase as usize] = u32::try_from(now.as_micros()).unwrap_or(NEVER - 1);
    }

    /// Another edge handed the player over, whose span this is.
    pub(crate) fn follows(&mut self, parent: u64) {
        self.parent = parent;
    }

    /// The client as adapters are to see it, for whom its trace goes on in the present phase.
    pub(crate) fn client(&self, client: &Client) -> Client {
        let mut client = client.clone();
        if span::is_traced(&client.trace) {
            client.trace = span::part(&client.trace, self.phase as u8);
        }
        client
    }

    /// The connection came to its end, of which nothing more is known than why.
    pub(crate) fn break_off(&mut self, outcome: Outcome) {
        if self.watched && !self.ended {
            self.end(outcome, Instant::now(), None, &Facts::default());
        }
    }

    /// The connection came to its end.
    pub(crate) fn end(&mut self, outcome: Outcome, now: Instant, client: Option<&Client>, facts: &Facts<'_>) {
        if !self.watched || std::mem::replace(&mut self.ended, true) {
            return;
        }
        let now = now.saturating_duration_since(self.arrived);
        metrics::phase_ended(self.phase, outcome, now.saturating_sub(self.at(self.phase)));
        metrics::connection_ended(self.phase, outcome);
        if let Some(client) = client.filter(|client| span::is_traced(&client.trace)) {
            self.write_down(outcome, client, facts, now);
        }
    }

    fn write_down(&self, outcome: Outcome, client: &Client, facts: &Facts<'_>, end: Duration) {
        let arrived = span::wall_clock(self.arrived);
        let at = |after| arrived.checked_add(after).unwrap_or(arrived);
        let error = self.error(outcome, facts);
        let entered = Phase::ALL.into_iter().filter(|phase| self.entered[*phase as usize] != NEVER);
        let mut following = entered.clone().skip(1).map(|phase| self.at(phase)).chain([end]);
        for phase in entered {
            let last = phase == self.phase;
            let label = if last { outcome.label() } else { Outcome::Ok.label() };
            let part = Span {
                context: span::part(&client.trace, phase as u8),
                parent: client.trace.span_id,
                remote: false,
                name: phase.label(),
                role: Role::Internal,
                start: at(self.at(phase)),
                end: at(following.next().unwrap_or(end)),
                attributes: vec![("drawbridge.outcome", label.into())],
                error: error.clone().filter(|_| last),
            };
            part.finish();
        }
        Span { error, ..self.root(outcome, client, facts, (arrived, at(end))) }.finish();
    }

    /// What an operator or somebody outside has to mend, if anything.
    fn error(&self, outcome: Outcome, facts: &Facts<'_>) -> Option<String> {
        let Outcome::Refused(refusal) = outcome else { return None };
        let fault = matches!(refusal.severity(), Severity::Error | Severity::Warning);
        let by = facts.by.map(|by| format!(" by {by}")).unwrap_or_default();
        fault.then(|| format!("{}{by}", refusal.label()))
    }

    fn root(
        &self,
        outcome: Outcome,
        client: &Client,
        facts: &Facts<'_>,
        (start, end): (SystemTime, SystemTime),
    ) -> Span {
        let refusal = if let Outcome::Refused(refusal) = outcome { Some(refusal.label()) } else { None };
        let mut attributes = vec![
            ("server.address", Value::from(&*client.host)),
            ("server.port", i64::from(client.port).into()),
            ("drawbridge.version", i64::from(client.version.0).into()),
            ("drawbridge.outcome", outcome.label().into()),
        ];
        let known = [
            ("drawbridge.refusal", refusal),
            ("drawbridge.route", facts.route),
            ("drawbridge.player", facts.player),
            ("drawbridge.target", facts.target),
        ];
        attributes.extend(known.into_iter().filter_map(|(key, text)| Some((key, text?.into()))));
        let login = self.entered[Phase::Status as usize] == NEVER;
        Span {
            context: client.trace,
            parent: self.parent,
            remote: self.parent != 0,
            name: if login { "login" } else { "ping" },
            role: Role::Server,
            start,
            end,
            attributes,
            error: None,
        }
    }

    /// When a phase began, after the arrival.
    fn at(&self, phase: Phase) -> Duration {
        Duration::from_micros(self.entered[phase as usize].into())
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        let outcome =
            if std::thread::panicking() { Outcome::Refused(Refusal::Internal) } else { Outcome::Left };
        self.break_off(outcome);
        metrics::connection_closed();
    }
}

impl From<&Ended> for Outcome {
    fn from(ended: &Ended) -> Self {
        match ended {
            Ended::Left => Self::Left,
            Ended::Refused(refusal) => Self::Refused(*refusal),
            Ended::RefusedBy(refused) => Self::Refused(refused.refusal),
        }
    }
}
