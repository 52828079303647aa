//! What a Service is like, as far as routes go, and where its players go
//! (<https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/>).

use crate::draft::{Draft, Trouble};
use crate::labels::{self, Labels, PORT, Style};
use drawbridge_model::RouteDocument;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The port of Minecraft.
const USUAL_PORT: u16 = 25565;
/// The names of ports that are taken for Minecraft's, the first before the second.
const USUAL_NAMES: [&str; 2] = ["minecraft", "mc-router"];

pub(crate) const STYLE: Style =
    Style { prefix: "drawbridge.dev/", noun: "annotation", wearer: "service", own: &[PORT] };

/// A Service as the API describes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Service {
    pub(super) metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    name: String,
    namespace: String,
    pub(super) resource_version: String,
    /// In RFC 3339, in UTC and whole seconds, so that its order is that of time.
    creation_timestamp: Option<String>,
    annotations: Annotations,
}

/// Those of ours. The others are dropped at once, for a list may hold megabytes of them.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Option<BTreeMap<String, String>>")]
struct Annotations(Option<Labels>);

impl From<Option<BTreeMap<String, String>>> for Annotations {
    fn from(all: Option<BTreeMap<String, String>>) -> Self {
        let all = all.iter().flatten();
        Self(Labels::of(STYLE, all.map(|(key, text)| (key.as_str(), text.as_str()))))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    r#type: String,
    #[serde(rename = "clusterIP")]
    cluster_ip: String,
    external_name: String,
    ports: Option<Vec<Port>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Port {
    name: String,
    protocol: String,
    port: u16,
    target_port: Option<TargetPort>,
}

/// The port of pods: a number, or the name that they give it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum TargetPort {
    Number(u16),
    Named(serde::de::IgnoredAny),
}

/// What marks a Service with no address of its own.
const HEADLESS: &str = "None";

impl Service {
    /// Its namespace and name, which no other has.
    pub(super) fn key(&self) -> (String, String) {
        (self.metadata.namespace.clone(), self.metadata.name.clone())
    }

    /// When it was made, in an order that is that of time.
    pub(super) fn made(&self) -> &str {
        self.metadata.creation_timestamp.as_deref().unwrap_or_default()
    }

    /// The document of its route; `None` where nothing marks it.
    pub(super) fn document(&self) -> Option<RouteDocument> {
        let labels = self.metadata.annotations.0.as_ref()?;
        let (namespace, name) = self.key();
        let bearer = format!("{namespace}/{name}");
        let (targets, troubles) = match self.target(labels) {
            Ok(address) => (vec![(bearer.clone(), address)], Vec::new()),
            Err(trouble) => (Vec::new(), vec![trouble]),
        };
        let draft = Draft {
            name: format!("kubernetes:{bearer}"),
            style: STYLE,
            labels,
            bearer: &bearer,
            targets,
            troubles,
        };
        Some(draft.write())
    }

    /// Where its players go.
    fn target(&self, labels: &Labels) -> Result<String, Trouble> {
        let port = self.port(labels)?;
        let host = match (self.spec.r#type.as_str(), self.spec.cluster_ip.as_str()) {
            ("ExternalName", _) => self.spec.external_name.clone(),
            (_, HEADLESS) => format!("{}.{}.svc", self.metadata.name, self.metadata.namespace),
            (_, address) if address.contains(':') => format!("[{address}]"),
            (_, address) => address.to_owned(),
        };
        if host.is_empty() {
            let message = "it has no address in the cluster".to_owned();
            let help = "a type ClusterIP gives it one, and a type ExternalName a host name".to_owned();
            return Err(Trouble { label: PORT, fatal: true, message, help });
        }
        Ok(format!("{host}:{port}"))
    }

    fn port(&self, labels: &Labels) -> Result<u16, Trouble> {
        let trouble = |message: String| {
            let help = "drawbridge.dev/port says which port players go to: \"25565\"".to_owned();
            Trouble { label: PORT, fatal: true, message, help }
        };
        if let Some(text) = labels.get(PORT) {
            let port = text.trim().parse().ok().filter(|port| *port != 0);
            return port.ok_or_else(|| trouble(format!("{:?} is no port", labels::shown(text))));
        }
        let ports = self.spec.ports.as_deref().unwrap_or_default();
        let ports: Vec<&Port> = ports
            .iter()
            .filter(|port| matches!(port.protocol.as_str(), "" | "TCP") && port.port != 0)
            .collect();
        let named = USUAL_NAMES.iter().find_map(|name| ports.iter().find(|port| port.name == *name));
        let usual = || ports.iter().find(|port| port.port == USUAL_PORT);
        match (named.or_else(usual), ports.as_slice()) {
            (Some(port), _) | (None, [port]) => self.reached(port).ok_or_else(|| {
                trouble(
                    "it has no address of its own, and names its pods' port instead of giving its number"
                        .to_owned(),
                )
            }),
            // A name elsewhere needs no ports.
            (None, []) if self.spec.r#type == "ExternalName" => Ok(USUAL_PORT),
            (None, []) => Err(trouble("it has no TCP port".to_owned())),
            (None, many) => Err(trouble(format!(
                "it has {} TCP ports, and none is {USUAL_PORT} or named \"minecraft\"",
                many.len()
            ))),
        }
    }

    /// The number by which a port is reached: a name without an address leads to pods, and their ports.
    fn reached(&self, port: &Port) -> Option<u16> {
        match &port.target_port {
            Some(TargetPort::Number(pods)) if self.spec.cluster_ip == HEADLESS && *pods != 0 => Some(*pods),
            Some(TargetPort::Named(_)) if self.spec.cluster_ip == HEADLESS => None,
            _ => Some(port.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn document(annotations: &Value, spec: &Value) -> Option<RouteDocument> {
        let service = json!({
            "metadata": { "name": "lobby", "namespace": "games", "resourceVersion": "7", "annotations": annotations, "uid": "u" },
            "spec": spec,
        });
        serde_json::from_value::<Service>(service).unwrap().document()
    }

    /// The address that players of a marked service go to, or what is wrong.
    fn address(annotation: Option<&str>, spec: &Value) -> Result<String, String> {
        let mut annotations = json!({ "drawbridge.dev/hosts": "play.example.com" });
        if let Some(port) = annotation {
            annotations["drawbridge.dev/port"] = port.into();
        }
        let document = document(&annotations, spec).unwrap();
        match document.remarks.as_slice() {
            [] => {
                let line = document.text.lines().find(|line| line.starts_with("discovery.targets")).unwrap();
                Ok(line.split('"').nth(1).unwrap().to_owned())
            }
            [remark] => Err(format!("{}; {}", remark.message, remark.help)),
            more => panic!("{more:?}"),
        }
    }

    #[test]
    fn annotations_are_keys_of_a_route() {
        let annotations = json!({
            "drawbridge.dev/hosts": "a.example.com\nb.example.com\n",
            "drawbridge.dev/relay.proxy_protocol": "v2",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
        });
        let spec = json!({ "type": "ClusterIP", "clusterIP": "10.96.0.7", "ports": [{ "port": 25565, "targetPort": "game" }] });
        let document = document(&annotations, &spec).unwrap();
        assert_eq!(document.name, "kubernetes:games/lobby");
        assert_eq!(
            document.text,
            r#"# Made from the annotations of service games/lobby.
[[routes]]
hosts = ["a.example.com", "b.example.com"] # drawbridge.dev/hosts
relay.proxy_protocol = "v2" # drawbridge.dev/relay.proxy_protocol
name = "games/lobby" # the service's own
mode = "passthrough" # no annotation drawbridge.dev/mode
discovery.type = "fixed"
discovery.targets = [{ address = "10.96.0.7:25565", identifier = "games/lobby" }]
"#
        );
        assert!(document.remarks.is_empty());
    }

    #[test]
    fn what_nothing_marks_is_no_route() {
        assert!(document(&json!(null), &json!({})).is_none());
        assert!(
            document(
                &json!({ "drawbridge.dev/port": "1", "mc-router.itzg.me/externalServerName": "a" }),
                &json!({})
            )
            .is_none()
        );
    }

    #[test]
    fn players_go_to_the_address_that_the_cluster_gives() {
        let of = |kind: &str, address: &str| {
            address_of(
                &json!({ "type": kind, "clusterIP": address, "ports": [{ "port": 1, "targetPort": 2 }] }),
            )
        };
        fn address_of(spec: &Value) -> Result<String, String> {
            address(None, spec)
        }
        assert_eq!(of("ClusterIP", "10.96.0.7"), Ok("10.96.0.7:1".to_owned()));
        assert_eq!(of("LoadBalancer", "fd00::7"), Ok("[fd00::7]:1".to_owned()));
        assert_eq!(
            of("ClusterIP", "None"),
            Ok("lobby.games.svc:2".to_owned()),
            "names lead to pods, and their ports"
        );
        assert!(of("ClusterIP", "").unwrap_err().contains("no address in the cluster"));
        let external = json!({ "type": "ExternalName", "externalName": "mc.example.com" });
        assert_eq!(address_of(&external), Ok("mc.example.com:25565".to_owned()));
        let named = json!({ "clusterIP": "None", "ports": [{ "port": 1, "targetPort": "game" }] });
        assert!(address_of(&named).unwrap_err().contains("names its pods' port"));
    }

    #[test]
    fn the_port_is_the_annotation_s_or_the_one_of_minecraft() {
        let of = |annotation: Option<&str>, ports: Value| {
            address(annotation, &json!({ "clusterIP": "10.0.0.1", "ports": ports }))
        };
        let is = |port: u16| Ok(format!("10.0.0.1:{port}"));
        let many = json!([
            { "name": "web", "port": 80 }, { "name": "usual", "port": 25565 }, { "name": "mc-router", "port": 3 },
            { "name": "minecraft", "port": 4 }, { "name": "bedrock", "port": 19132, "protocol": "UDP" },
        ]);
        assert_eq!(of(Some("1234"), many.clone()), is(1234));
        assert_eq!(of(None, many.clone()), is(4));
        assert_eq!(of(None, json!([many[0], many[1], many[2]])), is(3));
        assert_eq!(of(None, json!([many[0], many[1]])), is(25565));
        assert_eq!(of(None, json!([many[0], many[4]])), is(80));
        for (annotation, ports, words) in [
            (Some("0"), many, "is no port"),
            (Some("minecraft"), json!([]), "is no port"),
            (None, json!([]), "it has no TCP port"),
            (None, json!(null), "it has no TCP port"),
            (None, json!([{ "port": 1 }, { "port": 2 }]), "it has 2 TCP ports"),
        ] {
            let error = of(annotation, ports).unwrap_err();
            assert!(error.contains(words) && error.contains("drawbridge.dev/port"), "{error}");
        }
    }
}
