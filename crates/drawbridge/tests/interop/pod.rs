//! As in a pod: the cluster's address in the environment, a service account's files where kube looks for them, and HTTPS by HAProxy
//! with a certificate of the cluster's own authority.
//!
//! What must stay true: the files are in a mount namespace that only the edge sees. Making one takes root.

use crate::support::cluster::{FLEET, comes_to_lead_to, join, leaves, open_route, port_of};
use crate::support::edge;
use drawbridge_testkit::{Backend, Certificates, Edge, EdgeBuilder, KubernetesApi, Turn, eventually};
use serde_json::{Value, json};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The namespace of the pod.
const NAMESPACE: &str = "games";

/// A cluster as its pods see it.
struct Cluster {
    api: KubernetesApi,
    certificates: Certificates,
    folder: TempDir,
    tls: Child,
    address: SocketAddr,
}

impl Cluster {
    fn start() -> Self {
        let (api, certificates, folder) =
            (KubernetesApi::start().unwrap(), Certificates::new(), TempDir::new().unwrap());
        let pem =
            ["server.pem", "server.key"].map(|file| fs::read_to_string(certificates.file(file)).unwrap());
        fs::write(folder.path().join("both.pem"), pem.concat()).unwrap();
        let address = Backend::nobody().unwrap();
        let server = kubeconfig(&api)["clusters"][0]["cluster"]["server"].as_str().unwrap().to_owned();
        let config = format!(
            "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
             listen api\n  bind {address} ssl crt {}\n  server api {}\n",
            folder.path().join("both.pem").display(),
            server.trim_start_matches("http://")
        );
        fs::write(folder.path().join("haproxy.cfg"), config).unwrap();
        let file = folder.path().join("haproxy.cfg");
        let tls = Command::new("haproxy").arg("-f").arg(file).stderr(Stdio::inherit()).spawn();
        let tls = tls.unwrap_or_else(|error| {
            panic!("HAProxy can't be run ({error}): `cargo xtask interop` installs it, as does `apt-get install haproxy`")
        });
        let cluster = Self { api, certificates, folder, tls, address };
        let listens = eventually(Duration::from_secs(10), || TcpStream::connect(address).ok());
        assert!(listens.is_some(), "HAProxy doesn't listen");
        cluster
    }

    /// An edge that finds there what a pod of the namespace finds, with certificates of this authority.
    fn pod(&self, authority: &str) -> EdgeBuilder {
        let token = PathBuf::from(kubeconfig(&self.api)["users"][0]["user"]["tokenFile"].as_str().unwrap());
        let account = "/var/run/secrets/kubernetes.io/serviceaccount";
        // The token is a link, so that a renewed one is seen.
        let script = format!(
            "#!/bin/sh\nexec unshare --mount sh -ec '\nmount -t tmpfs tmpfs /var/run\nmkdir -p {account}\n\
             cp {} {account}/ca.crt\nln -s {} {account}/token\nprintf %s {NAMESPACE} > {account}/namespace\n\
             exec {} \"$@\"' sh \"$@\"\n",
            self.certificates.file(authority).display(),
            token.display(),
            env!("CARGO_BIN_EXE_drawbridge"),
        );
        let binary = self.folder.path().join(format!("edge-{authority}.sh"));
        fs::write(&binary, script).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        let home = self.folder.path().to_str().unwrap();
        let edge = Edge::of(&binary).env("HOME", home).env("KUBECONFIG", "");
        let edge = edge.env("KUBERNETES_SERVICE_HOST", &self.address.ip().to_string());
        edge.env("KUBERNETES_SERVICE_PORT", &self.address.port().to_string())
    }

    fn add(&self, name: &str, port: u16, namespace: &str) {
        self.api.add_with(name, FLEET, port, |server| server["metadata"]["namespace"] = json!(namespace));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.tls.kill();
        let _ = self.tls.wait();
    }
}

fn kubeconfig(api: &KubernetesApi) -> Value {
    serde_json::from_slice(&fs::read(api.kubeconfig()).unwrap()).unwrap()
}

fn route(kind: &str, more: &str) -> String {
    open_route(&format!("[routes.discovery]\ntype = \"{kind}\"\n{more}\n"))
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn a_pod_is_who_its_service_account_says() {
    let cluster = Cluster::start();
    cluster.add("default-1", 7001, "default");
    (2..6).for_each(|at| cluster.add(&format!("games-{at}"), 7000 + at, NAMESPACE));
    let config = route("agones", "orphans = 'delete'\nscheduling = 'Distributed'");
    let edge = cluster.pod("ca.pem").config(&config).env("HTTPS_PROXY", "http://127.0.0.1:9").start();
    assert_eq!(port_of(&join(&edge, "Alice")), 7002, "in the pod's own namespace, by HTTPS, and by no proxy");
    // The kubelet renews the token.
    cluster.api.renew_token();
    assert_eq!(port_of(&join(&edge, "Bob")), 7003);
    let statuses: Vec<_> = cluster.api.allocations().iter().map(|call| call.status.unwrap()).collect();
    assert_eq!(statuses, [201, 401, 201]);
    cluster.api.turns([Turn::DoneAndHeld]);
    leaves(&edge, "Carol");
    edge.wait_for_message("an orphan's game server was dealt with");
    assert!(cluster.api.server("games-4").is_none() && cluster.api.server("default-1").is_some());
    let elsewhere = cluster.pod("ca.pem").config(format!("{config}namespace = 'default'\n")).start();
    assert_eq!(port_of(&join(&elsewhere, "Dave")), 7001, "what is written comes first");
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn a_pod_watches_its_own_namespace() {
    let cluster = Cluster::start();
    cluster.add("a", 7001, "default");
    cluster.add("b", 7002, NAMESPACE);
    let edge = cluster.pod("ca.pem").config(route("agones_watch", "")).start();
    assert_eq!(port_of(&join(&edge, "Alice")), 7002);
    cluster.add("aa", 7003, NAMESPACE);
    comes_to_lead_to(&edge, 7003);
}

/// Who isn't signed by the cluster's authority is told nothing, not even the token.
#[test]
#[ignore = "run by cargo xtask interop"]
fn a_pod_tells_its_token_to_its_cluster_alone() {
    let cluster = Cluster::start();
    cluster.add("a", 7002, NAMESPACE);
    let edge = cluster.pod("stranger.pem").config(route("agones", "timeout = '1s'")).start();
    assert!(join(&edge, "Alice").kicked().contains(" failed"));
    let line = edge.wait_for_message("discovery failed");
    assert!(line.text().contains("certificate"), "{line}");
    assert!(cluster.api.calls().is_empty());
}

/// Outside of a pod, there is nobody to be.
#[test]
#[ignore = "run by cargo xtask interop"]
fn without_a_service_account_it_is_said_what_was_looked_for() {
    let cluster = Cluster::start();
    let edge = edge().config(route("agones", "")).env("HOME", "/nowhere").env("KUBECONFIG", "");
    let edge = edge.env("KUBERNETES_SERVICE_HOST", "127.0.0.1");
    let edge = edge.env("KUBERNETES_SERVICE_PORT", &cluster.address.port().to_string()).start();
    assert!(join(&edge, "Alice").kicked().contains(" failed"));
    let line = edge.wait_for_message("discovery failed");
    assert!(line.text().contains("by a kubeconfig: ") && line.text().contains("as a pod: "), "{line}");
}
