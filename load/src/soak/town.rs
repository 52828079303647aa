//! The edge and all that stands behind it.

use crate::players::Targets;
use crate::scene::led;
use drawbridge_testkit::{Edge, Host, SessionServer, Traffic};
use std::path::Path;

/// Hosts of the routes, by what becomes of who types them.
pub(super) const OFFLINE: &str = "offline.test";
pub(super) const ONLINE: &str = "online.test";
pub(super) const LIMBO: &str = "limbo.test";

/// What each player in a session is told, a second: packets of 20 to 300 bytes, and chunks of 5 to 60 KB.
const TRAFFIC: Traffic = Traffic { small: 20, chunks: 1 };
/// Both sides compress from so many bytes on.
const THRESHOLD: usize = 256;

/// An edge, two servers to switch between, a target of relays, and a session server.
pub(super) struct Town {
    pub(super) edge: Edge,
    pub(super) hub: Host,
    pub(super) island: Host,
    pub(super) session: SessionServer,
    _targets: Targets,
}

impl Town {
    pub(super) fn start(program: &Path) -> Self {
        let session = SessionServer::start().expect("a free port");
        let targets = Targets::start().expect("free ports");
        let host =
            |number| Host::builder(number).compress(THRESHOLD).pushes(TRAFFIC).start().expect("a free port");
        let (hub, island) = (host(1), host(2));
        let config = [limits(), carried(&hub, &island, &session), led(targets.relay, &session)].concat();
        let edge = Edge::of(program)
            .file("cookie.key", "0123456789abcdef0123456789abcdef\n")
            .file("routes/changing.toml", changing(0))
            .config(config)
            .start();
        Self { edge, hub, island, session, _targets: targets }
    }

    /// What the servers took for a fault.
    pub(super) fn faults(&self) -> Vec<String> {
        let faults = self.hub.faults().into_iter().chain(self.island.faults());
        let said = self.edge.log().into_iter().filter(|line| {
            // What isn't JSON is a panic's, or a library's that the edge knows nothing of.
            line.level().is_none_or(|level| level == "ERROR")
        });
        let faults = faults.map(|(player, fault)| format!("a server: {player}: {fault}"));
        faults.chain(said.map(|line| format!("the log: {line}"))).collect()
    }
}

/// Limits as they are by default, but for those that would turn away players who all come from one address; and a log without
/// a line for each who comes, since all of it is kept.
fn limits() -> String {
    r#"
metrics.bind = "127.0.0.1:0"

[telemetry]
format = "json"
log = "info,drawbridge_edge=warn"

[limits]
per_address = 10000
status = { burst = 30, per = "10s" }
login = { burst = 10000, per = "1s" }
transfer = { burst = 10000, per = "1s" }

[cookies]
secrets = [{ file = "cookie.key" }]
"#
    .to_owned()
}

/// Routes of sessions.
fn carried(hub: &Host, island: &Host, session: &SessionServer) -> String {
    let (url, hub, island) = (session.url(), hub.address(), island.address());
    let targets = format!(
        "discovery.targets = [{{ identifier = \"hub\", address = \"{hub}\" }}, {{ identifier = \"island\", address = \"{island}\" }}]"
    );
    format!(
        r#"
[[routes]]
name = "offline"
hosts = ["{OFFLINE}"]
mode = "offline"
{targets}

[[routes]]
name = "online"
hosts = ["{ONLINE}"]
mode = "client_only"
{targets}
[routes.authentication]
url = "{url}"

[[routes]]
name = "limbo"
hosts = ["{LIMBO}"]
mode = "offline"
[routes.session]
limbo = "always"
"#
    )
}

/// A file of routes that is written again and again.
pub(super) fn changing(turn: u32) -> String {
    format!(
        "[[routes]]\nname = \"changing\"\nhosts = [\"changing.test\"]\nmode = \"transfer\"\ntargets = [\"hub.example.com:25570\"]\n\
         [routes.status]\ntype = \"fixed\"\ndescription = \"turn {turn}\"\n"
    )
}
