//! The few packets that a session writes without a struct of their own.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::FrameWriter;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::play::KickDisconnect;
use drawbridge_protocol::packet::{Packet as _, configuration};
use drawbridge_protocol::text::Component;
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::Decoder;

/// A packet towards the backend whose fields are known. Where the version has no such packet nothing is written.
pub(crate) fn to_backend(
    version: ProtocolVersion,
    state: State,
    kind: Kind,
    fields: &[u8],
    out: &mut FrameWriter,
) {
    if let Some(id) = ids::id(version, state, Direction::Serverbound, kind) {
        let mut body = Vec::with_capacity(fields.len() + 2);
        varint::write(id, &mut body);
        body.extend_from_slice(fields);
        self::body(&body, out);
    }
}

/// What `say` appends to a body, if it says that there is such a packet.
pub(crate) fn say(out: &mut FrameWriter, say: impl FnOnce(&mut Vec<u8>) -> bool) {
    let mut body = Vec::new();
    if say(&mut body) {
        self::body(&body, out);
    }
}

/// Disconnect, in configuration or in play.
pub(crate) fn disconnect(version: ProtocolVersion, state: State, reason: &Component, out: &mut FrameWriter) {
    let reason = reason.clone();
    // Both are there in each version that has the state.
    let _ = match state {
        State::Play => out.packet(version, &KickDisconnect { reason }),
        _ => out.packet(version, &configuration::Disconnect { reason }),
    };
}

/// The words of a Disconnect in configuration or in play; what can't be read says nothing.
pub(crate) fn read_disconnect(version: ProtocolVersion, state: State, fields: &[u8]) -> Component {
    let fields = &mut Decoder::new(fields);
    let reason = match state {
        State::Play => KickDisconnect::decode(version, fields).map(|kick| kick.reason),
        _ => configuration::Disconnect::decode(version, fields).map(|kick| kick.reason),
    };
    reason.unwrap_or_else(|_| Component::text(""))
}

/// Keep Alive, in configuration or in play.
pub(crate) fn keep_alive(version: ProtocolVersion, state: State, id: i64, out: &mut FrameWriter) {
    use drawbridge_protocol::packet::play::KeepAlive;
    let _ = match state {
        State::Play => out.packet(version, &KeepAlive { id }),
        _ => out.packet(version, &configuration::KeepAlive { id }),
    };
}

/// The channel on which a side says what it is.
pub(crate) const fn brand_channel(version: ProtocolVersion) -> &'static str {
    if version.0 >= ProtocolVersion::V1_13.0 { "minecraft:brand" } else { "MC|Brand" }
}

/// A packet, id and fields.
pub(crate) fn body(body: &[u8], out: &mut FrameWriter) {
    // None of these is as long as a frame may not be.
    let _ = out.body(body);
}
