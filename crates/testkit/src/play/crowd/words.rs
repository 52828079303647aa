//! What a client says by itself, in its version's form.

use crate::play::fault::Fault;
use crate::play::line::Line;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::play::CustomPayload;
use drawbridge_protocol::wire::Encoder;

/// The bits of the messages that a client has seen since the last acknowledgement: none, as nobody signs here.
const NONE_SEEN: [u8; 3] = [0; 3];

/// Types a text, or a command with its `/`.
pub(super) fn types(line: &mut Line, text: &str) -> Result<(), Fault> {
    let version = line.version;
    let command = text.strip_prefix('/');
    let kind = match command {
        _ if version < ProtocolVersion::V1_19 => Kind::Chat,
        Some(_) => Kind::ChatCommand,
        None => Kind::ChatMessage,
    };
    line.say_kind(State::Play, kind, |version, out| {
        if kind == Kind::Chat {
            return out.string(text);
        }
        out.string(command.unwrap_or(text));
        if command.is_some() && version >= ProtocolVersion::V1_20_5 {
            return;
        }
        unsigned(version, command.is_some(), out);
    })
}

/// What stands behind a text of 759 and later that nobody signs.
fn unsigned(version: ProtocolVersion, is_command: bool, out: &mut Encoder<'_>) {
    out.i64(0); // time
    out.i64(0); // salt
    if version >= ProtocolVersion::V1_19_3 {
        // Of a command the count of signatures, of a message whether there is one.
        out.u8(0);
        out.varint(0); // messages seen
        out.bytes(&NONE_SEEN);
        if !is_command && version >= ProtocolVersion::V1_21_5 {
            out.u8(0); // checksum
        }
        return;
    }
    // Of a command the count of signatures, of a message the length of one.
    out.varint(0);
    out.bool(false); // signed preview
    if version >= ProtocolVersion::V1_19_1 {
        out.varint(0); // previous messages
        out.bool(false); // last message
    }
}

/// The client's brand.
pub(super) fn brand(line: &mut Line, state: State) -> Result<(), Fault> {
    let channel = if line.version >= ProtocolVersion::V1_13 { "minecraft:brand" } else { "MC|Brand" };
    let mut body = Vec::new();
    let payload = CustomPayload { channel, data: b"\x07vanilla" };
    if payload.write(line.version, state, Direction::Serverbound, &mut body) {
        line.say(&body)?;
    }
    Ok(())
}

/// Client Information, with vanilla's defaults.
pub(super) fn information(line: &mut Line, state: State) -> Result<(), Fault> {
    line.say_kind(state, Kind::Settings, |version, out| {
        out.string("en_us");
        out.u8(12); // view distance
        out.u8(0); // chat mode
        out.bool(true); // chat colours
        out.u8(0x7f); // skin parts
        if version >= ProtocolVersion::V1_9 {
            out.varint(1); // main hand
        }
        if version >= ProtocolVersion::V1_17 {
            out.bool(false); // text filtering
        }
        if version >= ProtocolVersion::V1_18 {
            out.bool(true); // server listings
        }
        if version.has_particle_status() {
            out.varint(0);
        }
    })
}
