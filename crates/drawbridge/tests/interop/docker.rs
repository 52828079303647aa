//! Routes from a real Docker daemon: Debian's, in a folder of its own and without networks, so that its containers are in the host's and
//! nothing leaves 127.0.0.1. Running one takes root.
//!
//! What must stay true: nothing of it is left when the test ends, whichever way.

use crate::support::edge;
use crate::support::providers::{FOUND, LOST, soon_says};
use drawbridge_testkit::{Backend, Join, NodeClient, NodeWorld, PATIENCE, Served, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// What a container runs: it carries connections from an address to another one; or says whether somebody listens there.
const CARRIER: &str = r#"package main

import (
	"io"
	"net"
	"os"
)

func main() {
	if os.Args[1] == "well" {
		if _, err := net.Dial("tcp", os.Args[2]); err != nil {
			os.Exit(1)
		}
		return
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			defer client.Close()
			server, err := net.Dial("tcp", os.Args[2])
			if err != nil {
				return
			}
			defer server.Close()
			go io.Copy(server, client)
			io.Copy(client, server)
		}()
	}
}
"#;

/// The daemon, and all that it keeps.
struct Daemon {
    folder: TempDir,
    process: Option<Child>,
}

impl Daemon {
    fn start() -> Self {
        let mut daemon = Self { folder: TempDir::new().unwrap(), process: None };
        daemon.come();
        daemon
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn come(&mut self) {
        let flag = |name: &str, value: PathBuf| format!("--{name}={}", value.display());
        let log = fs::File::create(self.path("log")).unwrap();
        let process = Command::new("dockerd")
            .args([
                "--bridge=none",
                "--iptables=false",
                "--ip6tables=false",
                "--ip-forward=false",
                "--ip-masq=false",
            ])
            .args(["--storage-driver=vfs", "--live-restore", &format!("--host={}", self.endpoint())])
            .args([
                flag("data-root", self.path("data")),
                flag("exec-root", self.path("exec")),
                flag("pidfile", self.path("pid")),
            ])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.process = Some(process.unwrap_or_else(|error| {
            panic!("dockerd can't be run ({error}): `cargo xtask interop` installs it, as does `apt-get install docker.io`")
        }));
        let answers = eventually(PATIENCE * 2, || self.try_docker(&["version"]).ok());
        assert!(answers.is_some(), "no answer: {}", fs::read_to_string(self.path("log")).unwrap());
    }

    /// Ends the daemon, while its containers run on.
    fn leave(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let asked = kill_process(Pid::from_child(&process), Signal::TERM);
        let ended = eventually(PATIENCE, || process.try_wait().ok().flatten());
        if asked.is_err() || ended.is_none() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn endpoint(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    fn try_docker(&self, arguments: &[&str]) -> Result<String, String> {
        let docker = Command::new("docker").arg("--host").arg(self.endpoint()).args(arguments).output();
        let output = docker.map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn docker(&self, arguments: &[&str]) -> String {
        self.try_docker(arguments).unwrap_or_else(|error| panic!("docker {arguments:?}: {error}"))
    }

    /// Makes an image of the carrier, and one that looks after its health by whether somebody listens there.
    fn make_images(&self, health: SocketAddr) {
        fs::write(self.path("carrier.go"), CARRIER).unwrap();
        let mut go = Command::new("go");
        let built = go
            .current_dir(self.folder.path())
            .env("GOCACHE", self.path("cache"))
            .env("GO111MODULE", "off")
            .env("CGO_ENABLED", "0")
            .args(["build", "-o", "carrier", "carrier.go"]);
        assert!(built.status().unwrap().success(), "Go builds no carrier");
        let mut tar = Command::new("tar");
        let packed = tar.current_dir(self.folder.path()).args(["-cf", "carrier.tar", "carrier"]);
        assert!(packed.status().unwrap().success(), "tar packs no carrier");
        let tar = self.path("carrier.tar").display().to_string();
        let entry = "ENTRYPOINT [\"/carrier\"]";
        self.docker(&["import", "--change", entry, "--change", "EXPOSE 25565/tcp", &tar, "carrier"]);
        let check = format!(
            "HEALTHCHECK --interval=200ms --timeout=5s --retries=1 CMD [\"/carrier\", \"well\", \"{health}\"]"
        );
        self.docker(&["import", "--change", entry, "--change", &check, &tar, "checked"]);
    }

    /// Runs a container that carries whoever comes for `host` to the server, by a port that nobody else has.
    fn run(&self, image: &str, name: &str, labels: &[&str], server: SocketAddr) {
        let port = free_port();
        let port_label = format!("drawbridge.port={}", port.port());
        let mut arguments = vec!["run", "--detach", "--network=host", "--name", name, "--label", &port_label];
        labels.iter().for_each(|label| arguments.extend(["--label", label]));
        let (at, to) = (port.to_string(), server.to_string());
        arguments.extend([image, &at, &to]);
        self.docker(&arguments);
    }
}

/// A port of 127.0.0.1 that is free and that no connection is given while a container that had it is stopped: those have higher ones.
fn free_port() -> SocketAddr {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let port = (first..32_000).find(free).unwrap();
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.process.is_none() {
            self.come();
        }
        if std::thread::panicking() {
            eprintln!("containers: {}", self.try_docker(&["ps", "--all"]).unwrap_or_else(|error| error));
        }
        let containers = self.try_docker(&["ps", "--all", "--quiet"]).unwrap_or_default();
        for container in containers.lines() {
            let _ = self.try_docker(&["rm", "--force", container]);
        }
        self.leave();
        // What it has mounted would keep the folder there.
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let own = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for mount in own.filter(|mount| mount.starts_with(self.folder.path().to_str().unwrap_or("/nowhere")))
        {
            let _ = Command::new("umount").args(["--lazy", mount]).status();
        }
    }
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn containers_of_a_real_daemon_are_routes() {
    /// What servers of node-minecraft-protocol say.
    const OWN: &str = "A Minecraft server";
    const OFFLINE: &str = "The server is offline";
    let world = NodeWorld::start(vec![Served::version("1.21.4")], None);
    let server = world.addresses()[0];
    let health = Backend::nobody().unwrap();
    let mut daemon = Daemon::start();
    daemon.make_images(health);
    let harbour = "[[routes]]\nname = \"harbour\"\nhosts = [\"*\"]\nmode = \"transfer\"\ntargets = [\"a:1\"]\nstatus.description = \"harbour\"\n";
    let config = format!("[providers.docker]\nendpoint = \"{}\"\n{harbour}", daemon.endpoint());
    let edge = edge().config(config).start();
    let quick = "drawbridge.status.type=relay";
    let uncached = "drawbridge.status.cache=100ms";

    // From its labels to a player who is carried into it.
    daemon.run("carrier", "lobby", &["drawbridge.hosts=lobby.example.com", quick, uncached], server);
    soon_says(&edge, "lobby.example.com", OWN);
    let client = NodeClient::start();
    let visit =
        client.join(&Join::new("Alice", "1.21.4").host("lobby.example.com").plays(20), edge.address());
    let played = visit.event("played").map(|played| played.field("packets") == 20);
    assert_eq!(played, Some(true), "{visit:?}");

    // A label that is wrong is told of, and costs nobody else anything.
    daemon.run("carrier", "bad", &["drawbridge.hosts=bad.example.com", "drawbridge.relay.hots=keep"], server);
    edge.wait_for("the label", |line| line.field("at").is_some_and(|at| at.starts_with("docker:bad:")));
    soon_says(&edge, "bad.example.com", "harbour");
    soon_says(&edge, "lobby.example.com", OWN);

    daemon.docker(&["pause", "lobby"]);
    soon_says(&edge, "lobby.example.com", OFFLINE);
    daemon.docker(&["unpause", "lobby"]);
    soon_says(&edge, "lobby.example.com", OWN);
    daemon.docker(&["stop", "--time=1", "lobby"]);
    soon_says(&edge, "lobby.example.com", "harbour");
    daemon.docker(&["start", "lobby"]);
    soon_says(&edge, "lobby.example.com", OWN);
    daemon.docker(&["restart", "--time=1", "lobby"]);
    soon_says(&edge, "lobby.example.com", OWN);
    daemon.docker(&["rename", "lobby", "harbour-2"]);
    edge.wait_for("another name", |line| line.text().contains("configuration reloaded"));
    soon_says(&edge, "lobby.example.com", OWN);

    // Health: somebody listens there, or nobody.
    daemon.run("checked", "checked", &["drawbridge.hosts=checked.example.com", quick, uncached], server);
    soon_says(&edge, "checked.example.com", OFFLINE);
    let listener = TcpListener::bind(health).unwrap();
    soon_says(&edge, "checked.example.com", OWN);
    drop(listener);
    soon_says(&edge, "checked.example.com", OFFLINE);

    // Nobody is asked while the daemon is away, and its containers run on.
    daemon.leave();
    edge.wait_for_message(LOST);
    soon_says(&edge, "lobby.example.com", OWN);
    daemon.come();
    edge.wait_for_message(FOUND);
    soon_says(&edge, "lobby.example.com", OWN);
    daemon.run("carrier", "later", &["drawbridge.hosts=later.example.com", quick, uncached], server);
    soon_says(&edge, "later.example.com", OWN);
    daemon.docker(&["rm", "--force", "harbour-2", "later"]);
    soon_says(&edge, "lobby.example.com", "harbour");
    soon_says(&edge, "later.example.com", "harbour");
}

/// In no network there is no address to be had, which is told.
#[test]
#[ignore = "run by cargo xtask interop"]
fn a_container_in_no_network_is_told_of() {
    let daemon = Daemon::start();
    daemon.make_images(Backend::nobody().unwrap());
    let config = format!("[providers.docker]\nendpoint = \"{}\"\n", daemon.endpoint());
    daemon.docker(&[
        "run",
        "--detach",
        "--network=none",
        "--name=lonely",
        "--label=drawbridge.hosts=a.example.com",
        "carrier",
        "127.0.0.1:25565",
        "127.0.0.1:1",
    ]);
    let edge = edge().config(config).start();
    edge.wait_for("why", |line| line.text().contains("container lonely: it is in no network"));
}
