//! The facade for players who may operate the edge by commands in the game: their orders become requests, and answers become notices.
//!
//! What must stay true: nothing is done here but by the facade; the edge, which holds this, doesn't hold itself by it.

use crate::answer::{Answer, Connection, Failure, Reloaded, RouteState, Status, TargetHealth, lasting};
use crate::control::{Control, Desk};
use crate::error::ControlError;
use crate::request::Request;
use async_trait::async_trait;
use drawbridge_model::{Notice, Operation, Operator, Said};
use drawbridge_telemetry::metrics;
use serde_json::Value;
use std::sync::{Arc, Weak};

/// The facade, for as long as there is one.
#[derive(Debug)]
struct InGame(Weak<Desk>);

impl Control {
    /// For players who may. It is gone with the last clone of this.
    #[must_use]
    pub fn in_game(&self) -> Arc<dyn Operator> {
        Arc::new(InGame(Arc::downgrade(&self.0)))
    }
}

#[async_trait]
impl Operator for InGame {
    async fn carry_out(&self, operation: Operation, by: &str) -> Vec<Said> {
        let request = Request::from(operation);
        let (kind, asked) = (request.kind(), request.clone());
        tracing::info!(request = kind, by, "asked in the game");
        let answer = match self.0.upgrade() {
            Some(desk) => Control(desk).answer(request).await,
            None => Answer::Failed(Failure::from(&ControlError::Stopping)),
        };
        metrics::controlled(kind, answer.is_done());
        told(&asked, answer)
    }
}

impl From<Operation> for Request {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Status => Self::Status {},
            Operation::Routes => Self::Routes {},
            Operation::Targets(route) => Self::Targets { route },
            Operation::Players(route) => Self::Connections { route },
            Operation::Kick { whom, reason } => Self::Kick { whom, reason },
            Operation::Maintenance { route, to } => Self::Maintenance { route, switch: to },
            Operation::Reload => Self::Reload {},
            Operation::Drain => Self::Drain { now: false },
        }
    }
}

/// What is told of an answer.
fn told(asked: &Request, answer: Answer) -> Vec<Said> {
    match answer {
        Answer::Status(status) => vec![of_status(&status)],
        Answer::Routes { routes } => Said::list(routes.iter().map(of_route)),
        Answer::Targets { targets, unknown } => {
            let failed = |route: &str, message: &str| failed(format!("{route}: {message}"));
            let silent = unknown.iter().map(|silent| failed(&silent.route, &silent.message));
            Said::list(targets.iter().map(of_target).chain(silent))
        }
        Answer::Connections { connections } => Said::list(connections.iter().filter_map(of_player)),
        Answer::Kicked { kicked } => vec![of_kicked(asked, &kicked)],
        Answer::Maintenance(maintained) => {
            let notice = if maintained.maintenance { Notice::Maintained } else { Notice::NotMaintained };
            vec![Said::new(notice, vec![("route", maintained.route)])]
        }
        Answer::Reloaded(reloaded) => of_reload(&reloaded),
        Answer::Draining { .. } => vec![Said::new(Notice::Draining, Vec::new())],
        Answer::Failed(failure) => vec![failed(failure.message)],
        // What nobody asks for in the game.
        Answer::Switching { .. } | Answer::Banned(_) | Answer::Unbanned { .. } | Answer::Bans { .. } => {
            Vec::new()
        }
    }
}

fn failed(reason: String) -> Said {
    Said::new(Notice::Failed, vec![("reason", reason)])
}

fn of_status(status: &Status) -> Said {
    let parameters = vec![
        ("readiness", status.readiness.clone()),
        ("players", status.carried.to_string()),
        ("logins", status.logins.to_string()),
        ("routes", status.routes.to_string()),
        ("uptime", lasting(status.uptime_seconds)),
    ];
    Said::new(Notice::Status, parameters)
}

fn of_route(route: &RouteState) -> Said {
    let notice = if route.maintenance { Notice::RouteMaintained } else { Notice::Route };
    let players = route.players.to_string();
    let parameters = vec![("route", route.name.clone()), ("mode", route.mode.clone()), ("players", players)];
    Said::new(notice, parameters)
}

fn of_target(target: &TargetHealth) -> Said {
    let parameters = vec![
        ("target", target.identifier.clone()),
        ("route", target.route.clone()),
        ("address", target.address.clone()),
        ("health", target.health.clone()),
        ("players", target.players.to_string()),
    ];
    Said::new(Notice::Target, parameters)
}

/// Of somebody who is anywhere.
fn of_player(connection: &Connection) -> Option<Said> {
    let server = connection.target.as_ref()?.identifier.clone();
    let version = connection.releases.clone().unwrap_or_else(|| connection.protocol.to_string());
    let parameters = vec![
        ("player", named(connection)),
        ("route", connection.route.clone()),
        ("version", version),
        ("server", server),
    ];
    Some(Said::new(Notice::Player, parameters))
}

fn named(connection: &Connection) -> String {
    connection.name.clone().unwrap_or_else(|| format!("#{}", connection.connection))
}

fn of_kicked(asked: &Request, kicked: &[Connection]) -> Said {
    if kicked.is_empty() {
        let whom = if let Request::Kick { whom, .. } = asked { whom.clone() } else { String::new() };
        return Said::new(Notice::Nobody, vec![("player", whom)]);
    }
    Said::new(Notice::Kicked, vec![("players", Said::names(kicked.iter().map(named)))])
}

fn of_reload(reloaded: &Reloaded) -> Vec<Said> {
    if !reloaded.taken_over {
        let first = reloaded.diagnostics.iter().find(|diagnostic| diagnostic["severity"] == "error");
        return vec![Said::new(Notice::NotReloaded, vec![("reason", first.map(place).unwrap_or_default())])];
    }
    let mut told = vec![Said::new(Notice::Reloaded, vec![("routes", reloaded.routes.to_string())])];
    let left: Vec<_> = reloaded.left_as_they_were.iter().chain(&reloaded.read_at_start).cloned().collect();
    if !left.is_empty() {
        told.push(Said::new(Notice::NotTakenOver, vec![("what", left.join(", "))]));
    }
    told
}

/// What is wrong, and where.
fn place(diagnostic: &Value) -> String {
    let text = |key: &str| diagnostic[key].as_str().unwrap_or_default();
    match (text("file"), diagnostic["line"].as_u64()) {
        ("", _) | (_, None) => text("message").to_owned(),
        (file, Some(line)) => format!("{file}:{line}: {}", text("message")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn notices(said: &[Said]) -> Vec<Notice> {
        said.iter().map(|said| said.notice).collect()
    }

    #[test]
    fn what_isnt_taken_over_is_said_and_why() {
        let diagnostics = vec![
            json!({ "severity": "warning", "message": "unwise", "file": "a.toml", "line": 1 }),
            json!({ "severity": "error", "message": "unknown key", "file": "a.toml", "line": 7 }),
        ];
        let none = Reloaded { diagnostics, ..Reloaded::default() };
        let reason = vec![("reason", "a.toml:7: unknown key".to_owned())];
        assert_eq!(of_reload(&none), [Said::new(Notice::NotReloaded, reason)]);
        let whole = Reloaded { taken_over: true, routes: 2, ..Reloaded::default() };
        assert_eq!(notices(&of_reload(&whole)), [Notice::Reloaded]);
        let part = Reloaded { read_at_start: vec!["bind".to_owned()], ..whole };
        assert_eq!(notices(&of_reload(&part)), [Notice::Reloaded, Notice::NotTakenOver]);
    }

    #[test]
    fn long_lists_end_with_how_many_more_there_are() {
        let route = |number| RouteState {
            name: format!("route {number}"),
            hosts: Vec::new(),
            mode: "offline".to_owned(),
            players: 0,
            max_players: None,
            maintenance: number == 1,
            switched: false,
        };
        let told =
            |count| told(&Request::Routes {}, Answer::Routes { routes: (0..count).map(route).collect() });
        assert_eq!(notices(&told(2)), [Notice::Route, Notice::RouteMaintained]);
        assert!(notices(&told(100)).ends_with(&[Notice::Route, Notice::More]));
    }
}
