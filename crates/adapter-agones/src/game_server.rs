//! What is read of a GameServer, and the target that it makes. Everything else that the API says is left out.
//!
//! What must stay true: whatever somebody writes into an annotation, what is kept of a game server is bounded.

use drawbridge_model::{Target, TargetAddress};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most bytes of a key, of a name, and of a label's value: what Kubernetes takes.
const LONGEST_KEY: usize = 317;
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;
/// The most bytes of an annotation's value that is kept; `kubectl apply` leaves whole documents there.
const LONGEST_VALUE: usize = 1_024;
/// The most bytes of all annotations of one game server that are kept.
const ALL_VALUES: usize = 16 << 10;
/// The most labels, annotations, ports, counters, and lists of each that are kept.
const MOST: usize = 128;

/// A game server as the API tells it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GameServer {
    pub(crate) metadata: Metadata,
    pub(crate) status: Status,
}

/// What it is called.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    #[serde(deserialize_with = "or_nothing")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_nothing")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// Set while it goes.
    pub(crate) deletion_timestamp: Option<String>,
}

/// Where it is, and how it is doing. An allocation's answer has the same fields.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Status {
    pub(crate) state: String,
    pub(crate) address: String,
    pub(crate) node_name: String,
    #[serde(deserialize_with = "or_nothing")]
    pub(crate) ports: Vec<Port>,
    #[serde(deserialize_with = "or_nothing")]
    pub(crate) counters: BTreeMap<String, Counter>,
    #[serde(deserialize_with = "or_nothing")]
    pub(crate) lists: BTreeMap<String, List>,
}

/// A port that players can reach.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) port: i32,
}

/// A number with a bound.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Counter {
    count: i64,
    capacity: i64,
}

/// How many values there are, and how many there may be.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(from = "Values")]
pub(crate) struct List(Counter);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Values {
    capacity: i64,
    #[serde(deserialize_with = "or_nothing")]
    values: Vec<serde::de::IgnoredAny>,
}

impl From<Values> for List {
    fn from(values: Values) -> Self {
        let count = i64::try_from(values.values.len()).unwrap_or(i64::MAX);
        Self(Counter { count, capacity: values.capacity })
    }
}

/// Why players can't be sent to a game server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoTarget {
    #[error("it has no port {0:?}")]
    Port(String),
    #[error("it has no port")]
    Ports,
    #[error("its address {0:?} is none")]
    Address(String),
    #[error("its name has {0} bytes")]
    Name(usize),
}

impl GameServer {
    /// Without what is too much to keep.
    pub(crate) fn bounded(mut self) -> Self {
        let Metadata { labels, annotations, .. } = &mut self.metadata;
        labels.retain(|_, value| value.len() <= LONGEST_LABEL);
        bound(labels);
        let mut left = ALL_VALUES;
        annotations.retain(|key, value| {
            let size = key.len() + value.len();
            let kept = value.len() <= LONGEST_VALUE && size <= left;
            left -= if kept { size } else { 0 };
            kept
        });
        bound(annotations);
        bound(&mut self.status.counters);
        bound(&mut self.status.lists);
        self.status.ports.retain(|port| port.name.len() <= LONGEST_NAME);
        self.status.ports.truncate(MOST);
        for name in [&mut self.status.state, &mut self.status.node_name] {
            name.truncate(name.floor_char_boundary(LONGEST_NAME));
        }
        self
    }

    /// The target that it makes for players who go to the port of this name, or to the first; `meta` is what [`GameServer::meta`] says.
    pub(crate) fn target(
        &self,
        port: Option<&str>,
        meta: &Arc<BTreeMap<String, String>>,
    ) -> Result<Target, NoTarget> {
        let name = self.metadata.name.len();
        if name > LONGEST_NAME {
            return Err(NoTarget::Name(name));
        }
        let address = self.status.address_of(port)?;
        Ok(Target {
            identifier: self.metadata.name.clone(),
            address,
            priority: 0,
            meta: Arc::clone(meta),
            lease: None,
        })
    }

    /// What there is to know about it.
    pub(crate) fn meta(&self) -> BTreeMap<String, String> {
        let Status { state, node_name, ports, counters, lists, .. } = &self.status;
        let mut meta = BTreeMap::from([("state".to_owned(), state.clone())]);
        if !node_name.is_empty() {
            meta.insert("node".to_owned(), node_name.clone());
        }
        for (kind, values) in [("label", &self.metadata.labels), ("annotation", &self.metadata.annotations)] {
            meta.extend(values.iter().map(|(key, value)| (format!("{kind}.{key}"), value.clone())));
        }
        meta.extend(ports.iter().map(|port| (format!("port.{}", port.name), port.port.to_string())));
        let counters = counters.iter().map(|(name, counter)| ("counter", name, *counter));
        let lists = lists.iter().map(|(name, list)| ("list", name, list.0));
        for (kind, name, Counter { count, capacity }) in counters.chain(lists) {
            let available = capacity.saturating_sub(count);
            for (what, number) in [("count", count), ("capacity", capacity), ("available", available)] {
                meta.insert(format!("{kind}.{name}.{what}"), number.to_string());
            }
        }
        meta
    }
}

impl Status {
    fn address_of(&self, port: Option<&str>) -> Result<TargetAddress, NoTarget> {
        let found = match port {
            Some(name) => self
                .ports
                .iter()
                .find(|port| port.name == name)
                .ok_or_else(|| NoTarget::Port(name.to_owned()))?,
            None => self.ports.first().ok_or(NoTarget::Ports)?,
        };
        let (host, port) = (&self.address, found.port);
        let written = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        written.parse().map_err(|_| NoTarget::Address(drawbridge_kubernetes::shown(&written)))
    }
}

/// The API says `null` where there is nothing.
fn or_nothing<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

fn bound<V>(map: &mut BTreeMap<String, V>) {
    map.retain(|key, _| key.len() <= LONGEST_KEY);
    while map.len() > MOST {
        map.pop_last();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn server(status: &serde_json::Value) -> GameServer {
        let read = json!({
            "apiVersion": "agones.dev/v1",
            "metadata": {
                "name": "hub-1", "uid": "u", "resourceVersion": "7", "labels": { "agones.dev/fleet": "hub" },
                "annotations": { "mode": "duel", "kubectl": "x".repeat(2_000) }, "managedFields": [{}],
            },
            "spec": { "container": "server" },
            "status": status,
        });
        serde_json::from_value::<GameServer>(read).unwrap().bounded()
    }

    #[test]
    fn what_it_is_becomes_metadata() {
        let server = server(&json!({
            "state": "Ready", "address": "10.0.0.7", "nodeName": "node-a",
            "ports": [{ "name": "game", "port": 7001 }, { "name": "query", "port": 7002 }],
            "counters": { "players": { "count": 3, "capacity": 10 } },
            "lists": { "parties": { "capacity": 5, "values": ["a", "b"] } },
        }));
        let target = server.target(None, &Arc::new(server.meta())).unwrap();
        assert_eq!(
            (target.identifier.as_str(), target.address.to_string().as_str()),
            ("hub-1", "10.0.0.7:7001")
        );
        let expected = [
            ("annotation.mode", "duel"),
            ("counter.players.available", "7"),
            ("counter.players.capacity", "10"),
            ("counter.players.count", "3"),
            ("label.agones.dev/fleet", "hub"),
            ("list.parties.available", "3"),
            ("list.parties.capacity", "5"),
            ("list.parties.count", "2"),
            ("node", "node-a"),
            ("port.game", "7001"),
            ("port.query", "7002"),
            ("state", "Ready"),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(target.meta.as_ref().clone().into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn players_go_to_the_port_that_is_named() {
        let at = |address: &str, port| {
            let ports = json!([{ "name": "game", "port": 7001 }, { "name": "query", "port": 7002 }]);
            server(&json!({ "address": address, "ports": ports }))
                .target(port, &Arc::default())
                .map(|it| it.address.to_string())
        };
        assert_eq!(at("2001:db8::7", Some("query")).unwrap(), "[2001:db8::7]:7002");
        assert_eq!(at("node.example.com", None).unwrap(), "node.example.com:7001");
        assert_eq!(at("10.0.0.7", Some("rcon")), Err(NoTarget::Port("rcon".into())));
        assert_eq!(at("a b", None), Err(NoTarget::Address("a b:7001".into())));
        assert_eq!(at("", None), Err(NoTarget::Address(":7001".into())));
        let without = json!({ "address": "10.0.0.7", "ports": null, "counters": null, "lists": { "a": { "values": null } } });
        assert_eq!(server(&without).target(None, &Arc::default()), Err(NoTarget::Ports));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut server = server(&json!({}));
        server.metadata.annotations = (0..500).map(|at| (format!("a{at}"), "x".repeat(200))).collect();
        server.metadata.labels = (0..500).map(|at| (format!("l{at}"), String::new())).collect();
        let Metadata { labels, annotations, .. } = server.bounded().metadata;
        assert_eq!(labels.len(), MOST);
        assert!(annotations.len() <= ALL_VALUES / 200, "{}", annotations.len());

        let long = "x".repeat(1 << 20);
        let ports = json!([{ "name": long, "port": 1 }, { "name": "game", "port": 7001 }]);
        let counters = json!({ &long: { "count": 1, "capacity": 1 } });
        let status = json!({
            "state": long, "nodeName": long, "address": "10.0.0.7", "ports": ports, "counters": counters, "lists": counters,
        });
        let mut server = self::server(&status);
        server.metadata.labels = BTreeMap::from([("l".into(), long.clone()), (long.clone(), "x".into())]);
        let mut server = server.bounded();
        let meta = server.meta();
        let size: usize = meta.iter().map(|(key, value)| key.len() + value.len()).sum();
        assert!(size < 1_024, "{size}");
        let port =
            |server: &GameServer| server.target(None, &Arc::default()).map(|target| target.address.port);
        assert_eq!(port(&server), Ok(7001));
        server.metadata.name = long;
        assert_eq!(port(&server), Err(NoTarget::Name(1 << 20)));
    }
}
