//! What the server list shows.

use super::address::Address;
use super::fault::Fault;
use super::peer::{Deadline, Peer};
use super::report::Passed;
use super::words;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::State;
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::status::{PingRequest, PongResponse, StatusRequest, StatusResponse};
use serde_json::{Value, json};

/// Asks for the status. The handshake names what was typed: that is what vanilla clients do here, even where an SRV
/// record led elsewhere. Gives the server's own protocol number too.
pub(super) async fn ask(
    peer: &mut Peer,
    typed: &Address,
    asked: Option<ProtocolVersion>,
    deadline: Deadline,
) -> Result<(Passed, Option<ProtocolVersion>), Fault> {
    let (host, port) = (typed.host.clone(), typed.port);
    peer.say(&Handshake { version: peer.version(), host, port, intent: Intent::Status });
    peer.enter(State::Status);
    peer.say(&StatusRequest {});
    peer.flush(deadline).await?;
    let received = peer.hear(deadline).await?;
    let response: StatusResponse = received.read().map_err(|fault| peer.recognise(fault))?;
    let document: Value =
        serde_json::from_str(&response.document).map_err(|error| Fault::Document(error.to_string()))?;
    if !document.is_object() {
        return Err(Fault::Document("not a JSON object".into()));
    }
    Ok(read(&document, asked))
}

/// Sends a ping and waits for its echo.
pub(super) async fn ping(peer: &mut Peer, deadline: Deadline) -> Result<Passed, Fault> {
    let payload = rand::random();
    peer.say(&PingRequest { payload });
    peer.flush(deadline).await?;
    let pong: PongResponse = peer.hear(deadline).await?.read()?;
    if pong.payload == payload { Ok(Passed::default()) } else { Err(Fault::Pong) }
}

/// Makes sense of a status document (Minecraft wiki, "Java Edition protocol/Server List Ping"). What is missing or of
/// another type than it should be is a warning at most: clients are as lenient.
fn read(document: &Value, asked: Option<ProtocolVersion>) -> (Passed, Option<ProtocolVersion>) {
    let mut passed = Passed::default();
    let mut details = Vec::new();
    let version = read_version(document, asked, &mut passed, &mut details);
    read_players(document, &mut passed, &mut details);
    let description = document.get("description").map(|text| words::of_json(&text.to_string()));
    match &description {
        Some(text) => details.push(format!("\"{text}\"")),
        None => details.push("no description".into()),
    }
    passed.facts.insert("description".into(), description.into());
    let favicon = document.get("favicon").and_then(Value::as_str).map(Favicon::read);
    match &favicon {
        None => details.push("no favicon".into()),
        Some(Some(favicon)) => {
            details.push(format!("favicon {}×{}, {} bytes", favicon.width, favicon.height, favicon.bytes));
        }
        Some(None) => details.push("a favicon that clients can't read".into()),
    }
    passed.facts.insert("favicon".into(), favicon.as_ref().map(Option::as_ref).map(Favicon::facts).into());
    let warning = favicon.as_ref().map(Option::as_ref).and_then(Favicon::warning);
    passed.warnings.extend(warning.map(str::to_owned));
    passed.detail = details.join(", ");
    (passed, version)
}

fn read_version(
    document: &Value,
    asked: Option<ProtocolVersion>,
    passed: &mut Passed,
    details: &mut Vec<String>,
) -> Option<ProtocolVersion> {
    let name = document.pointer("/version/name").and_then(Value::as_str);
    let number = document.pointer("/version/protocol").and_then(Value::as_i64);
    let version = number.and_then(|number| i32::try_from(number).ok()).map(ProtocolVersion);
    passed.facts.insert("version".into(), json!({ "name": name, "protocol": number }));
    let spoken = match version {
        None => "no protocol number".into(),
        Some(version) => match version.name() {
            Some(release) => format!("protocol {} = {release}", version.number()),
            None => format!("protocol {}", version.number()),
        },
    };
    details.push(format!("{} ({spoken})", name.map_or("no version".into(), |name| format!("\"{name}\""))));
    if let (Some(version), Some(asked)) = (version, asked)
        && version != asked
    {
        let warning =
            format!("clients of {asked} see this server as one of another version and can't join it.");
        passed.warnings.push(warning);
    }
    if version.is_none() {
        passed.warnings.push("clients show \"Old\" where the status has no version.protocol.".into());
    }
    version
}

fn read_players(document: &Value, passed: &mut Passed, details: &mut Vec<String>) {
    let count = |pointer| document.pointer(pointer).and_then(Value::as_i64);
    let (online, max) = (count("/players/online"), count("/players/max"));
    match (online, max) {
        (Some(online), Some(max)) => details.push(format!("{online} of {max} players")),
        _ => details.push("no player count".into()),
    }
    passed.facts.insert("players".into(), json!({ "online": online, "max": max }));
}

/// The icon in the server list.
struct Favicon {
    bytes: usize,
    width: u32,
    height: u32,
}

impl Favicon {
    const PREFIX: &str = "data:image/png;base64,";

    /// Reads the head of a PNG (its specification's section 11.2.1, IHDR) in a data URI.
    fn read(uri: &str) -> Option<Self> {
        // Old servers break the Base64 into lines, which clients take.
        let encoded = uri.strip_prefix(Self::PREFIX)?.replace(['\n', '\r'], "");
        let png = BASE64_STANDARD.decode(encoded).ok()?;
        let head = png.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
        let (width, head) = head.split_first_chunk()?;
        let (height, _) = head.split_first_chunk()?;
        let (width, height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
        Some(Self { bytes: png.len(), width, height })
    }

    fn facts(favicon: Option<&Self>) -> Value {
        favicon.map_or(json!({ "readable": false }), |favicon| {
            json!({
                "readable": true,
                "bytes": favicon.bytes,
                "width": favicon.width,
                "height": favicon.height,
            })
        })
    }

    fn warning(favicon: Option<&Self>) -> Option<&'static str> {
        match favicon {
            None => Some("the favicon isn't a PNG in a data URI: clients show none."),
            Some(Self { width: 64, height: 64, .. }) => None,
            Some(_) => Some("clients show only favicons of 64×64 pixels."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn favicon(width: u32, height: u32) -> String {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend(width.to_be_bytes());
        png.extend(height.to_be_bytes());
        format!("{}{}", Favicon::PREFIX, BASE64_STANDARD.encode(png))
    }

    #[test]
    fn a_whole_document_is_told_whole() {
        let document = json!({
            "version": { "name": "Paper 1.21.4", "protocol": 769 },
            "players": { "online": 3, "max": 100, "sample": [] },
            "description": { "text": "Hello ", "extra": [{ "text": "there", "color": "red" }] },
            "favicon": favicon(64, 64),
        });
        let (passed, version) = read(&document, None);
        assert_eq!(version, Some(ProtocolVersion(769)));
        assert_eq!(
            passed.detail,
            "\"Paper 1.21.4\" (protocol 769 = 1.21.4), 3 of 100 players, \"Hello there\", favicon 64×64, 24 bytes"
        );
        assert!(passed.warnings.is_empty());
        let (passed, _) = read(&document, Some(ProtocolVersion(777)));
        assert_eq!(passed.warnings.len(), 1);
    }

    #[test]
    fn an_empty_document_is_no_fault() {
        let (passed, version) = read(&json!({}), None);
        assert_eq!(version, None);
        assert_eq!(
            passed.detail,
            "no version (no protocol number), no player count, no description, no favicon"
        );
        assert_eq!(passed.facts["favicon"], Value::Null);
    }

    #[test]
    fn values_of_any_type_are_survived() {
        for odd in [json!(null), json!([1, [2]]), json!(1e300), json!("x"), json!({ "text": { "a": 1 } })] {
            let document = json!({
                "version": { "name": odd, "protocol": odd }, "players": odd, "description": odd, "favicon": odd,
            });
            let _ = read(&document, Some(ProtocolVersion(777)));
        }
        let (passed, version) = read(&json!({ "version": { "protocol": i64::MAX } }), None);
        assert_eq!(version, None);
        assert_eq!(passed.facts["version"]["protocol"], i64::MAX);
    }

    #[test]
    fn favicons_that_clients_refuse_are_warned_of() {
        for uri in [favicon(32, 32), "icon.png".into(), "data:image/png;base64,!".into()] {
            let (passed, _) = read(&json!({ "version": { "protocol": 769 }, "favicon": uri }), None);
            assert_eq!(passed.warnings.len(), 1, "{uri}");
        }
    }
}
