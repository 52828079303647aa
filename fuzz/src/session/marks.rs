//! Messages to plugins that tell who has said them and when, so that it shows where they come to.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, State};
use drawbridge_protocol::packet::play::CustomPayload;

/// Names the channels of marks.
const CHANNEL: &str = "mark:";

/// A mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// A backend's: which one it is. A client's: how often it had followed to where it was brought.
    pub(super) of: u32,
    /// How many the same has said before.
    pub(super) count: u32,
}

impl Mark {
    /// The packet; `None` where a version has none in the state.
    pub(super) fn body(self, version: ProtocolVersion, state: State, to: Direction) -> Option<Vec<u8>> {
        let channel = format!("{CHANNEL}{}.{}", self.of, self.count);
        let mut body = Vec::new();
        let said = CustomPayload { channel: &channel, data: b"data" }.write(version, state, to, &mut body);
        said.then_some(body)
    }

    /// Reads one from the fields of a message; `None`: it is another.
    pub(super) fn read(version: ProtocolVersion, fields: &[u8]) -> Option<Self> {
        let payload = CustomPayload::read(version, fields).ok()?;
        let (of, count) = payload.channel.strip_prefix(CHANNEL)?.split_once('.')?;
        Some(Self { of: of.parse().ok()?, count: count.parse().ok()? })
    }
}
