//! Routes from a real Docker daemon: Debian's, in a folder of its own and without networks, so that its containers are in the host's and
//! nothing leaves 127.0.0.1. Running one takes root.
//!
//! What must stay true: nothing of it is left when the test ends, whichever way.

use crate::support::providers::{FOUND, LOST, said, soon_says};
use crate::support::{ctl, edge};
use drawbridge_testkit::{Backend, Edge, Join, NodeClient, NodeWorld, PATIENCE, Served, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// What a container runs: it carries connections from an address to another one, and ends when somebody comes to a third; or says whether
/// somebody listens there.
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
	end, err := net.Listen("tcp", os.Args[3])
	if err != nil {
		panic(err)
	}
	go func() {
		end.Accept()
		os.Exit(0)
	}()
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
			go func() {
				io.Copy(server, client)
				server.(*net.TCPConn).CloseWrite()
			}()
			io.Copy(client, server)
		}()
	}
}
"#;

/// The daemon, and all that it keeps.
struct Daemon {
    folder: TempDir,
    /// What it is told beside what all are.
    more: &'static [&'static str],
    process: Option<Child>,
}

/// Containers run on while the daemon is away.
const RUN_ON: &[&str] = &["--live-restore"];

impl Daemon {
    fn start(more: &'static [&'static str]) -> Self {
        let mut daemon = Self { folder: TempDir::new().unwrap(), more, process: None };
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
            .args(["--storage-driver=vfs", &format!("--host={}", self.endpoint())])
            .args(self.more)
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

    /// Ends the daemon.
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

    /// Runs a container that carries whoever comes for its hosts to the server, and gives the address at which it can be made to end.
    fn run(&self, image: &str, name: &str, options: &[&str], server: SocketAddr) -> SocketAddr {
        let [at, end] = free_ports();
        let port_label = format!("--label=drawbridge.port={}", at.port());
        let mut arguments = vec!["run", "--detach", "--network=host", "--name", name, &port_label];
        arguments.extend(options);
        let (at, to, ends) = (at.to_string(), server.to_string(), end.to_string());
        arguments.extend([image, &at, &to, &ends]);
        self.docker(&arguments);
        end
    }
}

/// Ports of 127.0.0.1 that are free and that no connection is given while a container that had them is stopped: those have higher ones.
fn free_ports() -> [SocketAddr; 2] {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let mut ports = (first..32_000).filter(free);
    [0; 2].map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, ports.next().unwrap())))
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

/// What servers of node-minecraft-protocol say.
const OWN: &str = "A Minecraft server";
/// The route of those that have no container.
const HARBOUR: &str = "[[routes]]\nname = \"harbour\"\nhosts = [\"*\"]\nmode = \"transfer\"\ntargets = [\"a:1\"]\nstatus.description = \"harbour\"\n";

/// Whether the route of this host has this name soon.
fn is_named(edge: &Edge, host: &str, name: &str) -> bool {
    let named = eventually(PATIENCE, || {
        let routes = ctl::told(edge, &["routes"]);
        let mut routes = routes["routes"].as_array()?.iter();
        routes.any(|route| route["hosts"][0] == host && route["name"] == name).then_some(())
    });
    named.is_some()
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn containers_of_a_real_daemon_are_routes() {
    const OFFLINE: &str = "The server is offline";
    let world = NodeWorld::start(vec![Served::version("1.21.4")], None);
    let server = world.addresses()[0];
    let health = Backend::nobody().unwrap();
    let mut daemon = Daemon::start(RUN_ON);
    daemon.make_images(health);
    let config = format!("[providers.docker]\nendpoint = \"{}\"\n{HARBOUR}", daemon.endpoint());
    let edge = edge().config(config).start();
    let quick = "--label=drawbridge.status.type=relay";
    let uncached = "--label=drawbridge.status.cache=100ms";

    // From its labels to a player who is carried into it.
    let lobby = &["--label=drawbridge.hosts=lobby.example.com", quick, uncached];
    let end = daemon.run("carrier", "lobby", lobby, server);
    soon_says(&edge, "lobby.example.com", OWN);
    let client = NodeClient::start();
    let visit =
        client.join(&Join::new("Alice", "1.21.4").host("lobby.example.com").plays(20), edge.address());
    let played = visit.event("played").map(|played| played.field("packets") == 20);
    assert_eq!(played, Some(true), "{visit:?}");

    // A label that is wrong is told of, and costs nobody else anything.
    daemon.run(
        "carrier",
        "bad",
        &["--label=drawbridge.hosts=bad.example.com", "--label=drawbridge.relay.hots=keep"],
        server,
    );
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

    // Its process ends by itself, or is killed without the daemon's doing.
    TcpStream::connect(end).unwrap();
    soon_says(&edge, "lobby.example.com", "harbour");
    daemon.docker(&["start", "lobby"]);
    soon_says(&edge, "lobby.example.com", OWN);
    let process = daemon.docker(&["inspect", "--format={{.State.Pid}}", "lobby"]);
    kill_process(Pid::from_raw(process.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    soon_says(&edge, "lobby.example.com", "harbour");
    daemon.docker(&["start", "lobby"]);
    soon_says(&edge, "lobby.example.com", OWN);

    assert!(is_named(&edge, "lobby.example.com", "lobby"));
    daemon.docker(&["rename", "lobby", "harbour-2"]);
    assert!(is_named(&edge, "lobby.example.com", "harbour-2"), "{:?}", ctl::told(&edge, &["routes"]));
    soon_says(&edge, "lobby.example.com", OWN);

    // Health: somebody listens there, or nobody.
    daemon.run(
        "checked",
        "checked",
        &["--label=drawbridge.hosts=checked.example.com", quick, uncached],
        server,
    );
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
    daemon.run("carrier", "later", &["--label=drawbridge.hosts=later.example.com", quick, uncached], server);
    soon_says(&edge, "later.example.com", OWN);
    daemon.docker(&["rm", "--force", "harbour-2", "later"]);
    soon_says(&edge, "lobby.example.com", "harbour");
    soon_says(&edge, "later.example.com", "harbour");
}

/// Without `--live-restore` containers stop with their daemon, and some start with it. Files of routes have nothing to do with that.
#[test]
#[ignore = "run by cargo xtask interop"]
fn a_daemon_that_takes_its_containers_along_brings_their_routes_back() {
    let world = NodeWorld::start(vec![Served::version("1.21.4")], None);
    let server = world.addresses()[0];
    let mut daemon = Daemon::start(&[]);
    daemon.make_images(Backend::nobody().unwrap());
    let file = format!(
        "[[routes]]\nname = \"file\"\nhosts = [\"file.example.com\"]\nmode = \"passthrough\"\ntargets = [\"{server}\"]\n"
    );
    let config = format!("[providers.docker]\nendpoint = \"{}\"\n{HARBOUR}", daemon.endpoint());
    let edge = edge().config(config).file("routes/file.toml", file).start();
    let quick = "--label=drawbridge.status.type=relay";
    let uncached = "--label=drawbridge.status.cache=100ms";
    let lobby = "--label=drawbridge.hosts=lobby.example.com";
    daemon.run("carrier", "lobby", &[lobby, quick, uncached, "--restart=always"], server);
    let mortal = "--label=drawbridge.hosts=mortal.example.com";
    daemon.run("carrier", "mortal", &[mortal, quick, uncached], server);
    soon_says(&edge, "lobby.example.com", OWN);
    soon_says(&edge, "mortal.example.com", OWN);
    soon_says(&edge, "file.example.com", OWN);

    let over = AtomicBool::new(false);
    let answered = std::thread::scope(|scope| {
        let pings = scope.spawn(|| {
            let mut answered = Vec::new();
            // Whatever fails meanwhile, this ends.
            let over = eventually(PATIENCE * 8, || {
                answered.push(said(&edge, "file.example.com"));
                over.load(Ordering::SeqCst).then_some(())
            });
            over.map(|()| answered)
        });
        daemon.leave();
        edge.wait_for_message(LOST);
        let stopped = eventually(PATIENCE, || (said(&edge, "lobby.example.com") != OWN).then_some(()));
        assert!(stopped.is_some(), "the container runs on");
        daemon.come();
        edge.wait_for_message(FOUND);
        soon_says(&edge, "lobby.example.com", OWN);
        soon_says(&edge, "mortal.example.com", "harbour");
        over.store(true, Ordering::SeqCst);
        pings.join().unwrap().unwrap()
    });
    assert!(answered.len() > 50 && answered.iter().all(|text| text == OWN), "{answered:?}");
}

/// In no network there is no address to be had, which is told.
#[test]
#[ignore = "run by cargo xtask interop"]
fn a_container_in_no_network_is_told_of() {
    let daemon = Daemon::start(RUN_ON);
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
        "127.0.0.1:2",
    ]);
    let edge = edge().config(config).start();
    edge.wait_for("why", |line| line.text().contains("container lonely: it is in no network"));
}
