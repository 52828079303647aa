//! A cluster with Agones: `testkit`'s, or the real one whose kubeconfig `DRAWBRIDGE_TEST_KUBECONFIG` or `KUBECONFIG` names. There, a fleet
//! of the name [`FLEET`] with four ready game servers at least is expected in the namespace `DRAWBRIDGE_TEST_NAMESPACE`, or `default`; the
//! tests allocate of them.

use super::edge;
use super::scrape::METRICS;
use drawbridge_protocol::ids::Kind;
use drawbridge_testkit::{
    Deviation, Edge, KubernetesApi, Line, Outcome, PATIENCE, Player, Visit, eventually,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The fleet that tests ask of.
pub(crate) const FLEET: &str = "drawbridge-test";

/// Names the allocation in a game server's labels.
pub(crate) const ALLOCATION: &str = "drawbridge.dev/allocation";

/// A default route with this about its placement.
pub(crate) fn open_route(placement: &str) -> String {
    format!(
        "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\nauthentication.type = \"disabled\"\n{placement}\n"
    )
}

/// Where an adapter that finds targets stands in a route.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Post {
    Discovery,
    Action,
}

/// The same is true in both.
pub(crate) const POSTS: [Post; 2] = [Post::Discovery, Post::Action];

impl Post {
    /// The adapter of this type with the kubeconfig, and more about it.
    pub(crate) fn section(self, kind: &str, kubeconfig: &Path, more: &str) -> String {
        let head = match self {
            Self::Discovery => "[routes.discovery]",
            Self::Action => "[[routes.actions]]\nname = \"arena\"",
        };
        format!("{head}\ntype = \"{kind}\"\nkubeconfig = \"{}\"\n{more}\n", kubeconfig.display())
    }

    /// An edge whose route allocates.
    pub(crate) fn allocating(self, api: &KubernetesApi, more: &str) -> Edge {
        self.start("agones", api, more)
    }

    /// An edge whose route watches.
    pub(crate) fn watching(self, api: &KubernetesApi, more: &str) -> Edge {
        self.start("agones_watch", api, more)
    }

    fn start(self, kind: &str, api: &KubernetesApi, more: &str) -> Edge {
        let route = open_route(&self.section(kind, &api.kubeconfig(), more));
        edge().config(format!("{METRICS}{route}")).start()
    }

    /// Waits until the adapter has failed, and gives what was logged.
    #[track_caller]
    pub(crate) fn fails(self, edge: &Edge) -> Line {
        let message = match self {
            Self::Discovery => "discovery failed",
            Self::Action => "an action failed",
        };
        let line = edge.wait_for_message(message);
        let name = line.field("action");
        assert_eq!(name.as_deref(), matches!(self, Self::Action).then_some("arena"));
        line
    }
}

pub(crate) fn join(edge: &Edge, name: &str) -> Visit {
    Player::new(name, 767).join(edge.address())
}

/// The port that the player was sent to.
#[track_caller]
pub(crate) fn port_of(visit: &Visit) -> u16 {
    visit.transferred().1
}

/// A player who hangs up soon instead of waiting.
pub(crate) fn hurried(name: &str) -> Player {
    Player::new(name, 767).patience(Duration::from_millis(700)).but(Deviation::SilentFrom(Kind::Transfer))
}

#[track_caller]
pub(crate) fn leaves(edge: &Edge, name: &str) {
    let visit = hurried(name).join(edge.address());
    assert!(matches!(visit.outcome, Outcome::Ended(_)), "{:?}", visit.outcome);
}

/// Joins until the port of the target is this one.
#[track_caller]
pub(crate) fn comes_to_lead_to(edge: &Edge, port: u16) {
    let mut last = None;
    let led = eventually(PATIENCE, || {
        let visit = join(edge, "Alice");
        let outcome = format!("{:?}", visit.outcome);
        let led = matches!(visit.outcome, Outcome::Transfer { .. }).then(|| port_of(&visit));
        last = Some(outcome);
        (led == Some(port)).then_some(())
    });
    assert!(led.is_some(), "nobody is led to {port}, but: {last:?}");
}

pub(crate) fn state(server: &Value) -> &str {
    server["status"]["state"].as_str().unwrap_or_default()
}

/// Where game servers are.
pub(crate) enum Cluster {
    StandIn(KubernetesApi),
    Real { kubeconfig: PathBuf, namespace: String },
}

impl Cluster {
    /// The real one, if there is one; else the stand-in, with a fleet of two.
    pub(crate) fn find() -> Self {
        let named = ["DRAWBRIDGE_TEST_KUBECONFIG", "KUBECONFIG"].iter().find_map(std::env::var_os);
        if let Some(kubeconfig) = named {
            let namespace =
                std::env::var("DRAWBRIDGE_TEST_NAMESPACE").unwrap_or_else(|_| "default".to_owned());
            return Self::Real { kubeconfig: kubeconfig.into(), namespace };
        }
        let api = KubernetesApi::start().unwrap();
        api.add("hub-1", FLEET, 7001);
        api.add("hub-2", FLEET, 7002);
        api.add("other-1", "other", 7003);
        Self::StandIn(api)
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        match self {
            Self::StandIn(api) => api.kubeconfig(),
            Self::Real { kubeconfig, .. } => kubeconfig.clone(),
        }
    }

    pub(crate) fn namespace(&self) -> &str {
        match self {
            Self::StandIn(_) => "default",
            Self::Real { namespace, .. } => namespace,
        }
    }

    /// The fleet's game servers as they are now.
    pub(crate) fn servers(&self) -> Vec<Value> {
        match self {
            Self::StandIn(api) => {
                let all = api.servers();
                all.into_iter()
                    .filter(|server| server["metadata"]["labels"]["agones.dev/fleet"] == FLEET)
                    .collect()
            }
            Self::Real { kubeconfig, namespace } => asked(kubeconfig, namespace),
        }
    }
}

fn asked(kubeconfig: &Path, namespace: &str) -> Vec<Value> {
    let output = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(["--namespace", namespace, "get", "gameservers", "--output", "json"])
        .args(["--selector", &format!("agones.dev/fleet={FLEET}")])
        .output()
        .unwrap_or_else(|error| {
            panic!("kubectl can't be run ({error}): https://kubernetes.io/docs/tasks/tools/")
        });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    list["items"].as_array().cloned().unwrap_or_default()
}
