//! With programs that aren't ours and come with the system: `mcstatus`, HAProxy, dnsmasq, grpcio, rotel, Prometheus and others. Run by
//! `cargo xtask interop`, which installs them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

#[path = "interop/bans.rs"]
mod bans;
#[path = "interop/control.rs"]
mod control;
#[path = "interop/dnsmasq.rs"]
mod dnsmasq;
#[path = "interop/docker.rs"]
mod docker;
#[path = "interop/grpc.rs"]
mod grpc;
#[path = "interop/pod.rs"]
mod pod;
mod support;
#[path = "interop/telemetry.rs"]
mod telemetry;
#[path = "interop/tickets.rs"]
mod tickets;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Backend, Edge, Join, NodeClient, Player, SessionServer, eventually, ping};
use serde_json::Value;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{HUB, edge, lobby, open_lobby};

const STATUS: &str = "[routes.status]\nname = \"Harbour\"\ndescription = \"<green>Ahoy</green> there\"\n\
    players = { online = 3, max = 20, sample = [{ name = \"Notch\", id = \"b50ad385-829d-3141-a216-7e7d7539ba7f\" }] }\n";

/// What `mcstatus` makes of an address, as JSON.
fn mcstatus(script: &str, address: SocketAddr) -> Value {
    let python = drawbridge_testkit::workspace().join("tests/python/.venv/bin/python");
    assert!(python.exists(), "{} is missing: `cargo xtask interop` makes it", python.display());
    let output = Command::new(python).args(["-c", script, &address.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn mcstatus_reads_the_status() {
    let edge = edge().config(format!("{}{STATUS}", open_lobby())).start();
    let script = r#"
import json, sys
from mcstatus import JavaServer
server = JavaServer.lookup(sys.argv[1])
status = server.status(version=770)
print(json.dumps({
    "description": status.motd.to_plain(),
    "markup": status.motd.to_minecraft(),
    "version": status.version.name,
    "protocol": status.version.protocol,
    "online": status.players.online,
    "max": status.players.max,
    "sample": [[player.name, player.uuid] for player in status.players.sample],
    "latency": status.latency,
    "ping": server.ping(),
}))
"#;
    let seen = mcstatus(script, edge.address());
    assert_eq!(seen["description"], "Ahoy there");
    assert!(seen["markup"].as_str().unwrap().contains("§a"), "{seen}");
    assert_eq!(seen["version"], "Harbour");
    assert_eq!(seen["protocol"], 770, "every client is shown its own number");
    assert_eq!((&seen["online"], &seen["max"]), (&3.into(), &20.into()));
    assert_eq!(seen["sample"][0][1], "b50ad385-829d-3141-a216-7e7d7539ba7f");
    assert!(seen["latency"].as_f64().unwrap() < 1000.0 && seen["ping"].as_f64().unwrap() < 1000.0, "{seen}");
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn mcstatus_reads_the_legacy_status() {
    let edge = edge().config(format!("{}{STATUS}", open_lobby())).start();
    let script = r#"
import json, sys
from mcstatus import LegacyServer
status = LegacyServer.lookup(sys.argv[1]).status()
print(json.dumps({
    "description": status.motd.to_plain(),
    "version": status.version.name,
    "online": status.players.online,
    "max": status.players.max,
}))
"#;
    let seen = mcstatus(script, edge.address());
    assert_eq!(seen["description"], "Ahoy there");
    assert_eq!(seen["version"], "Harbour");
    assert_eq!((&seen["online"], &seen["max"]), (&3.into(), &20.into()));
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn mcstatus_finds_the_route_however_the_host_is_written() {
    let route = open_lobby().replace("hosts = [\"*\"]", "hosts = [\"play.example.com\"]");
    let edge = edge().config(format!("{route}{STATUS}")).start();
    // Whatever the name, it leads to 127.0.0.1.
    let script = r#"
import json, socket, sys
from mcstatus import JavaServer
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: resolve("127.0.0.1", *rest, **more)
port = int(sys.argv[1].split(":")[1])
hosts = ["play.example.com", "PLAY.example.Com", "play.example.com.", "play.example.com\0FML3\0", "example.com"]
print(json.dumps([JavaServer(host, port).status().version.name for host in hosts]))
"#;
    let seen = mcstatus(script, edge.address());
    let [found @ .., other] = seen.as_array().unwrap().as_slice() else { panic!("{seen}") };
    assert!(found.len() == 4 && found.iter().all(|name| name == "Harbour"), "{seen}");
    assert_ne!(other, "Harbour");
}

/// HAProxy in front of an edge, on a port of its own.
struct HaProxy {
    process: Child,
    address: SocketAddr,
}

impl HaProxy {
    /// `send` is `send-proxy`, `send-proxy-v2` or nothing.
    fn start(edge: &Edge, send: &str) -> Self {
        let address = Backend::nobody().unwrap();
        let config = format!(
            "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n\
             listen minecraft\n  bind {address}\n  server edge {} source 127.0.0.2 {send}\n",
            edge.address()
        );
        let file = edge.folder().join(format!("haproxy-{}.cfg", address.port()));
        std::fs::write(&file, config).unwrap();
        let process = Command::new("haproxy").arg("-f").arg(&file).stderr(Stdio::inherit()).spawn();
        let process = process.unwrap_or_else(|error| {
            panic!("HAProxy can't be run ({error}): `cargo xtask interop` installs it, as does `apt-get install haproxy`")
        });
        let haproxy = Self { process, address };
        let listens = || std::net::TcpStream::connect(address).ok();
        eventually(Duration::from_secs(10), listens).expect("HAProxy doesn't listen");
        haproxy
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const TRUSTED: &str = "[proxy_protocol]\ntrusted = [\"127.0.0.2\"]\n";

#[test]
#[ignore = "run by cargo xtask interop"]
fn behind_haproxy_the_edge_sees_the_clients_address() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{TRUSTED}{}check_address = true\n", lobby(&session))).start();
    let node = NodeClient::start();
    for (send, release) in [("send-proxy", "1.21.4"), ("send-proxy-v2", "26.1")] {
        let haproxy = HaProxy::start(&edge, send);
        ping(haproxy.address, ProtocolVersion::V1_21_4, "localhost").unwrap();
        let bob = session.account(&format!("Bob_{release}").replace('.', "_"));
        let visit = Player::with_account(&bob, 767).from([127, 0, 0, 77]).join(haproxy.address);
        assert_eq!(visit.transferred(), HUB, "{send}");
        let line = edge.wait_for("the hand-over", |line| {
            line.message() == Some("handed over") && line.field("player").as_deref() == Some(bob.name())
        });
        assert_eq!(line.field("client"), visit.local.map(|local| local.to_string()), "{send}");
        let asked = session.last_asked().unwrap();
        assert_eq!(asked.parameter("ip"), Some("127.0.0.77"), "{send}");

        let alice = session.account(&format!("Alice_{release}").replace('.', "_"));
        let visit = node.join(&Join::with_account(&alice, release), haproxy.address);
        assert_eq!(visit.transferred(), (HUB.0, HUB.1.into()), "{send}");
    }
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn an_untrusted_haproxy_is_refused() {
    let edge = edge().config(open_lobby()).start();
    for send in ["send-proxy", "send-proxy-v2"] {
        let haproxy = HaProxy::start(&edge, send);
        assert!(ping(haproxy.address, ProtocolVersion::V1_21_4, "localhost").is_err(), "{send}");
        assert!(Player::new("Alice", 767).join(haproxy.address).dropped(), "{send}");
    }
    edge.wait_for_refusal("proxy_header");
    let plain = HaProxy::start(&edge, "");
    ping(plain.address, ProtocolVersion::V1_21_4, "localhost").unwrap();
}
