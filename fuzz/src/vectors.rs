//! The packets that node-minecraft-protocol wrote, for seeds.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::version::RELEASES;
use serde_json::Value;
use std::sync::OnceLock;

/// One of them, in the first release that has it in this form.
pub(crate) struct Vector {
    pub(crate) version: ProtocolVersion,
    pub(crate) state: State,
    pub(crate) direction: Direction,
    pub(crate) kind: Kind,
    pub(crate) fields: Vec<u8>,
}

/// All forms of all of them.
pub(crate) fn all() -> Vec<Vector> {
    let file = include_str!("../../crates/protocol/src/packet/play/vectors/packets.jsonl");
    file.lines().flat_map(forms).collect()
}

fn forms(line: &str) -> Vec<Vector> {
    let line: Value = serde_json::from_str(line).expect("a line of JSON");
    let runs = line["runs"].as_array().cloned().unwrap_or_default();
    let form = |run: &Value| {
        let since = run[0].as_i64()?;
        let name = run[1].as_str()?;
        let version = RELEASES.iter().find(|release| i64::from(release.version.0) >= since)?.version;
        Some(Vector {
            version,
            state: if line["state"] == "play" { State::Play } else { State::Configuration },
            direction: if line["to"] == "client" { Direction::Clientbound } else { Direction::Serverbound },
            kind: Kind::ALL.iter().copied().find(|kind| kind.name() == name)?,
            fields: bytes(run[2].as_str()?),
        })
    };
    runs.iter().filter_map(form).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
    (0..hex.len()).step_by(2).map(pair).collect()
}

/// As [`all`], made once.
pub(crate) fn shared() -> &'static [Vector] {
    static VECTORS: OnceLock<Vec<Vector>> = OnceLock::new();
    VECTORS.get_or_init(all)
}

/// The fields of a packet in a version, of which others may have written several.
pub(crate) fn pick(
    version: ProtocolVersion,
    state: State,
    direction: Direction,
    kind: Kind,
    number: u8,
) -> Option<&'static [u8]> {
    let fits = |vector: &&Vector| {
        vector.version <= version && (vector.state, vector.direction, vector.kind) == (state, direction, kind)
    };
    // The forms of a case stand oldest first, so that the latest that there was stands last.
    let fitting: Vec<_> = shared().iter().filter(fits).collect();
    let newest = fitting.iter().map(|vector| vector.version).max()?;
    let newest: Vec<_> = fitting.iter().filter(|vector| vector.version == newest).collect();
    Some(&newest[usize::from(number) % newest.len()].fields)
}
