//! Where load is put on: an edge with a route for each way in which players are carried, and whoever stands behind it.

use crate::players::Targets;
use anyhow::Result;
use drawbridge_testkit::{Edge, Mode, SessionServer};
use std::net::SocketAddr;
use std::path::Path;

/// Hosts of the routes: players are handed over, relayed, and carried in sessions.
pub const TRANSFER: &str = "transfer.test";
/// See [`TRANSFER`].
pub const RELAY: &str = "relay.test";
/// See [`TRANSFER`].
pub const SESSIONS: &str = "sessions.test";

/// Whoever logs in as [`Errand::Login`](crate::flood::Errand::Login) does is who they say.
const PROFILE: &str =
    r#"{"id":"069a79f444e94726a5befca90e38aaf5","name":"Stranger","properties":[],"profileActions":[]}"#;

/// An edge whose limits are wide enough that one machine may load it, and who stands behind it.
#[derive(Debug)]
pub struct Scene {
    /// The edge.
    pub edge: Edge,
    _session: SessionServer,
    _targets: Targets,
}

impl Scene {
    /// Starts all of it.
    ///
    /// # Errors
    /// When a server can't listen.
    pub fn start(program: &Path) -> Result<Self> {
        let session = SessionServer::start()?;
        session.mode(Mode::Says(PROFILE.as_bytes().to_vec()));
        let targets = Targets::start()?;
        let (relay, sessions) = (targets.relay, targets.session);
        let led = led(relay, &session);
        let config = format!(
            r#"
metrics.bind = "127.0.0.1:0"

[telemetry]
format = "json"
log = "info,drawbridge_edge=warn"

[limits]
per_address = 1000000
handshake_timeout = "1h"
login_timeout = "1h"
status = {{ burst = 1000000, per = "1s" }}
login = {{ burst = 1000000, per = "1s" }}
transfer = {{ burst = 1000000, per = "1s" }}

{led}
[[routes]]
name = "sessions"
hosts = ["{SESSIONS}"]
mode = "offline"
targets = ["{sessions}"]
[routes.session]
compression = -1
"#
        );
        let edge = Edge::of(program).config(config).start();
        Ok(Self { edge, _session: session, _targets: targets })
    }
}

/// Routes of hand-overs and of relays to this target.
pub(crate) fn led(relay: SocketAddr, session: &SessionServer) -> String {
    let url = session.url();
    format!(
        r#"
[[routes]]
name = "transfer"
hosts = ["{TRANSFER}"]
mode = "transfer"
targets = ["hub.example.com:25570"]
[routes.authentication]
url = "{url}"

[[routes]]
name = "relay"
hosts = ["{RELAY}"]
mode = "passthrough"
targets = ["{relay}"]
"#
    )
}
