//! What the tests of the running edge have in common.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

pub(crate) mod attack;
pub(crate) mod cluster;
pub(crate) mod ctl;
pub(crate) mod grpc;
pub(crate) mod liar;
pub(crate) mod providers;
pub(crate) mod raw;
pub(crate) mod scrape;
pub(crate) mod stranger;
pub(crate) mod world;

use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::wire::Encoder;
use drawbridge_protocol::{ProtocolVersion, varint};
use drawbridge_testkit::{Connection, Edge, EdgeBuilder, Outcome, Player, SessionServer, Trouble};
use serde_json::Value;
use std::time::Duration;

/// How soon the edge has to answer others, whatever somebody does to it.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(100);

/// Where players of [`lobby`] go.
pub(crate) const HUB: (&str, u16) = ("hub.example.com", 25570);

/// The cookies' keys.
pub(crate) const AUTHENTICATION: &str = "drawbridge:authentication";
pub(crate) const SESSION: &str = "drawbridge:session";

/// A key for cookies.
pub(crate) const COOKIES: &str = "[cookies]\nsecrets = [{ file = \"cookie.key\" }]\n";

/// The binary, with a `cookie.key` beside its configuration.
pub(crate) fn edge() -> EdgeBuilder {
    Edge::of(env!("CARGO_BIN_EXE_drawbridge")).file("cookie.key", "0123456789abcdef0123456789abcdef\n")
}

/// A default route that hands everybody over to [`HUB`] whom `session` vouches for.
pub(crate) fn lobby(session: &SessionServer) -> String {
    route("lobby", &format!("[routes.authentication]\nurl = \"{}\"\n", session.url()))
}

/// A default route that hands everybody over to [`HUB`].
pub(crate) fn open_lobby() -> String {
    route("lobby", "[routes.authentication]\ntype = \"disabled\"\n")
}

/// A default route to [`HUB`], with more about it.
pub(crate) fn route(name: &str, more: &str) -> String {
    format!(
        "[[routes]]\nname = \"{name}\"\nhosts = [\"*\"]\nmode = \"transfer\"\ntargets = [\"{}:{}\"]\n{more}\n",
        HUB.0, HUB.1
    )
}

/// Whether the edge has closed instead of an answer. That nothing comes at all is neither.
#[track_caller]
pub(crate) fn turned_away<T>(outcome: Result<T, Trouble>) -> bool {
    match outcome {
        Ok(_) => false,
        Err(Trouble::Closed | Trouble::Reset) => true,
        Err(trouble) => panic!("expected an answer or a close: {trouble}"),
    }
}

/// Whether the edge closes without having sent anything.
#[track_caller]
pub(crate) fn closes_without_a_word(connection: &mut Connection) -> bool {
    match connection.rest() {
        Ok(came) => came.is_empty(),
        outcome => turned_away(outcome),
    }
}

/// The body of a packet of this kind: its id in a version, state and direction, and its fields.
pub(crate) fn body(
    (version, state, direction): (ProtocolVersion, State, Direction),
    kind: Kind,
    fields: impl FnOnce(&mut Encoder<'_>),
) -> Vec<u8> {
    let id = ids::id(version, state, direction, kind);
    let mut body = Vec::new();
    varint::write(id.unwrap_or_else(|| panic!("no {} in {state:?}", kind.name())), &mut body);
    fields(&mut Encoder::new(&mut body));
    body
}

/// Where a player is sent, host and port; or what they are told.
pub(crate) fn sent(edge: &Edge) -> String {
    let visit = Player::new("Alice", 767).join(edge.address());
    match &visit.outcome {
        Outcome::Transfer { host, port, .. } => format!("{host}:{port}"),
        _ => visit.kicked().to_owned(),
    }
}

/// The plain text of a status document's description.
pub(crate) fn description(document: &Value) -> String {
    match &document["description"] {
        Value::String(text) => text.clone(),
        component => {
            let extra = component["extra"].as_array().map(Vec::as_slice).unwrap_or_default();
            let parts = extra.iter().map(|part| part.as_str().or(part["text"].as_str()).unwrap_or_default());
            component["text"].as_str().unwrap_or_default().to_owned() + &parts.collect::<String>()
        }
    }
}
