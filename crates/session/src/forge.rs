//! Forge of 1.7 to 1.12: client and server tell each other of their mods when the login is over and before the Join Game, on a channel of
//! plugin messages. A client that is through with it begins again only when it is told to.
//!
//! The messages are those of Forge's `FMLHandshakeMessage`: the first byte says which.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::FrameWriter;
use drawbridge_protocol::ids::{Direction, State};
use drawbridge_protocol::packet::play::CustomPayload;

use crate::packets;

/// Where both sides tell of their mods.
const HANDSHAKE: &str = "FML|HS";
/// Begin again.
const RESET: &[u8] = &[0xfe, 0];
/// The client's last word: it acknowledges (-1) that its phase is `COMPLETE` (5).
const COMPLETE: &[u8] = &[0xff, 5];

/// Whether a client of this version that typed this host, marks and all, shakes hands so.
#[must_use]
pub fn shakes_hands(version: ProtocolVersion, host: &str) -> bool {
    version < ProtocolVersion::V1_13 && host.split('\0').nth(1) == Some("FML")
}

/// Whether a plugin message of this channel belongs to the time before the Join Game.
pub(crate) fn comes_first(channel: &str) -> bool {
    channel.starts_with("FML") || matches!(channel, "REGISTER" | "UNREGISTER")
}

/// Whether it is of the handshake itself.
pub(crate) fn is_handshake(payload: &CustomPayload<'_>) -> bool {
    payload.channel == HANDSHAKE
}

/// Whether the client is through with it.
pub(crate) fn is_complete(payload: &CustomPayload<'_>) -> bool {
    is_handshake(payload) && payload.data.starts_with(COMPLETE)
}

/// Has the client begin again.
pub(crate) fn reset(version: ProtocolVersion, client: &mut FrameWriter) {
    let reset = CustomPayload { channel: HANDSHAKE, data: RESET };
    packets::say(client, |out| reset.write(version, State::Play, Direction::Clientbound, out));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_other_versions_are_none() {
        let marked = [("play.example.com\0FML\0", 47, true), ("a\0FML\0", 5, true), ("a\0FML\0", 340, true)];
        let others =
            [("a\0FML\0", 393, false), ("a\0FML2\0", 340, false), ("a", 340, false), ("FML", 340, false)];
        for (host, version, expected) in marked.into_iter().chain(others) {
            assert_eq!(shakes_hands(ProtocolVersion(version), host), expected, "{host:?} {version}");
        }
    }
}
