//! What is answered. Scripts read it, so that names stay as they are.

use crate::request;
use drawbridge_edge::{Player, Whereabouts, Who};
use drawbridge_model::Ban;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::SystemTime;

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// How the edge is.
    Status(Status),
    /// What came of a reload.
    Reloaded(Reloaded),
    /// The edge stops.
    Draining {
        /// Whether it did so before.
        already: bool,
    },
    /// Who is there.
    Connections {
        /// In the order in which they came.
        connections: Vec<Connection>,
    },
    /// Whose connections were ended.
    Kicked {
        /// In the order in which they came.
        kicked: Vec<Connection>,
    },
    /// Who is on their way elsewhere.
    Switching {
        /// In the order in which they came.
        switching: Vec<Connection>,
    },
    /// The routes.
    Routes {
        /// In the order in which they were written.
        routes: Vec<RouteState>,
    },
    /// Targets.
    Targets {
        /// By route, in the order in which these were written.
        targets: Vec<TargetHealth>,
        /// Routes whose discovery doesn't say.
        unknown: Vec<Unknown>,
    },
    /// How a route's maintenance is now.
    Maintenance(Maintained),
    /// Somebody is banned, on disk and in the edge.
    Banned(Banned),
    /// A ban is lifted, on disk and in the edge.
    Unbanned {
        /// Whom it was of.
        of: String,
    },
    /// Who is banned.
    Bans {
        /// The bans that hold.
        bans: Vec<Kept>,
    },
    /// It wasn't done.
    Failed(Failure),
}

impl Answer {
    /// Whether it was done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        !matches!(self, Self::Failed(_) | Self::Reloaded(Reloaded { taken_over: false, .. }))
    }

    /// The answer as a line.
    ///
    /// # Errors
    /// None, for what this enum can hold.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        request::line(self)
    }
}

/// Why something wasn't done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The word for it.
    pub error: String,
    /// What is wrong.
    pub message: String,
    /// How to put it right, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// How an edge is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub program: String,
    /// The process.
    pub pid: u32,
    /// `ready`, `no route` or `draining`, as `/readyz` says.
    pub readiness: String,
    /// When it started, in RFC 3339.
    pub started: String,
    /// How long ago that was.
    pub uptime_seconds: u64,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// Open connections of clients: players' and pings'.
    pub connections: u32,
    /// Logins under way.
    pub logins: usize,
    /// Players who are carried.
    pub carried: usize,
    /// How many routes there are.
    pub routes: usize,
    /// The file of bans.
    pub bans_file: String,
}

/// What came of a reload.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Whether anything was taken over.
    pub taken_over: bool,
    /// How many routes are written, where it was.
    pub routes: usize,
    /// Files of the routes' folder that go on as they last held, since they are mistaken.
    pub left_as_they_were: Vec<String>,
    /// Keys that have changed and are read at start only.
    pub read_at_start: Vec<String>,
    /// What is wrong or unwise, each as in `drawbridge check --json`.
    pub diagnostics: Vec<Value>,
    /// The same as a compiler would show it.
    pub rendered: String,
}

/// Somebody on the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The number of the connection, which no other of the process has.
    pub connection: u64,
    /// Where it comes from.
    pub address: String,
    /// The name, once it is known.
    pub name: Option<String>,
    /// The UUID, once it is known.
    pub id: Option<String>,
    /// Whether somebody vouches for both.
    pub verified: bool,
    /// The host that was typed.
    pub host: String,
    /// The number of the protocol.
    pub protocol: i32,
    /// The releases that speak it, where they are known.
    pub releases: Option<String>,
    /// The route.
    pub route: String,
    /// `login`; or how the player is carried: `relayed`, or in a `session`.
    pub stage: String,
    /// Where the player is.
    pub target: Option<Place>,
    /// Since when, in RFC 3339.
    pub since: String,
    /// How long ago that was.
    pub seconds: u64,
}

/// Where a player is who is carried: a target, or a limbo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The target's name, or that of the limbo's route.
    pub identifier: String,
    /// Where the target is; `limbo` of a limbo.
    pub address: String,
    /// Whether it is a limbo.
    pub limbo: bool,
}

impl From<&Player> for Connection {
    fn from(player: &Player) -> Self {
        let Player { connection, address, host, version, route, since, who, stage, at } = player;
        let (name, id, verified) = match who {
            Some(Who { name, id, verified }) => (Some(name.clone()), Some(id.to_string()), *verified),
            None => (None, None, false),
        };
        let place = |at: &Whereabouts| Place {
            identifier: at.identifier().to_owned(),
            address: at.to_string(),
            limbo: at.address().is_none(),
        };
        Self {
            connection: *connection,
            address: address.to_string(),
            name,
            id,
            verified,
            host: host.clone(),
            protocol: version.0,
            releases: version.name().map(str::to_owned),
            route: route.clone(),
            stage: stage.label().to_owned(),
            target: at.as_ref().map(place),
            since: rfc3339(*since),
            seconds: since.elapsed().unwrap_or_default().as_secs(),
        }
    }
}

/// A route at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteState {
    /// Its name.
    pub name: String,
    /// Its hosts, as written.
    pub hosts: Vec<String>,
    /// How its players reach the target.
    pub mode: String,
    /// Players who are carried.
    pub players: u32,
    /// The most of them at once.
    pub max_players: Option<u32>,
    /// Whether it is under maintenance.
    pub maintenance: bool,
    /// Whether that is so because an operator has said it, rather than the configuration.
    pub switched: bool,
}

/// A target of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHealth {
    /// The route.
    pub route: String,
    /// Its name.
    pub identifier: String,
    /// Where it is.
    pub address: String,
    /// Players of the route who are carried there.
    pub players: u32,
    /// `unknown`: nothing is known against it, and it isn't checked; `up`; `failing`: it failed a player of late; `down`: checks find it so.
    pub health: String,
}

/// A route whose targets aren't known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// The route.
    pub route: String,
    /// Why.
    pub message: String,
}

/// How a route's maintenance is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintained {
    /// The route.
    pub route: String,
    /// Whether it is under way.
    pub maintenance: bool,
    /// Whether that is so because an operator has said it, rather than the configuration.
    pub switched: bool,
    /// Players who are carried, and stay.
    pub players: u32,
}

/// Somebody was banned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banned {
    /// Whom.
    pub of: String,
    /// The end in RFC 3339; none: for ever.
    pub until: Option<String>,
    /// Whether another ban was replaced.
    pub again: bool,
    /// Whose connections were ended.
    pub disconnected: usize,
}

/// A ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// `network`, `name` or `uuid`.
    pub kind: String,
    /// Whom it keeps out.
    pub of: String,
    /// What the player reads.
    pub reason: String,
    /// Who banned.
    pub by: String,
    /// Since when, in RFC 3339.
    pub since: String,
    /// The end in RFC 3339; none: for ever.
    pub until: Option<String>,
}

impl From<&Ban> for Kept {
    fn from(ban: &Ban) -> Self {
        Self {
            kind: ban.of.kind().to_owned(),
            of: ban.of.to_string(),
            reason: ban.reason.to_string(),
            by: ban.source.to_string(),
            since: exactly(ban.since),
            until: ban.until.map(exactly),
        }
    }
}

/// A moment as machines read it, as exactly as it is known.
#[must_use]
pub fn exactly(time: SystemTime) -> String {
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX).to_string()
}

/// A moment as machines read it, to the second.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    // Beyond the year 9999 is as good as never.
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How long something has lasted, in its two largest units: `3d 4h`, `12m 5s`.
#[must_use]
pub fn lasting(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, ..) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_units() {
        for (seconds, text) in [(59, "59s"), (60, "1m 0s"), (3_661, "1h 1m"), (90_000, "1d 1h"), (0, "0s")] {
            assert_eq!(lasting(seconds), text);
        }
    }
}
