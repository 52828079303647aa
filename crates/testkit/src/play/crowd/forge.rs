//! Forge's handshake of 1.7 to 1.12.

use super::journey::Stint;
use crate::play::fault::Fault;
use crate::play::mods::{ACKNOWLEDGED, CHANNEL, CLIENT_HELLO, COMPLETE, RESET, SERVER_HELLO};
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::play::CustomPayload;

impl Stint<'_> {
    /// What the server says of mods, or a proxy in its place. A client that is through with it takes no other word than to begin again, and one
    /// that isn't doesn't take that.
    pub(super) fn hear_mods(&mut self, data: &[u8]) -> Result<(), Fault> {
        match (data, self.is_modded) {
            (SERVER_HELLO, Some(false)) => self.say_mods(CLIENT_HELLO),
            (ACKNOWLEDGED, Some(false)) => {
                self.is_modded = Some(true);
                self.say_mods(COMPLETE)
            }
            (RESET, Some(true)) => {
                self.is_modded = Some(false);
                Ok(())
            }
            _ => Err(Fault::Misplaced { state: self.state, kind: Kind::CustomPayload }),
        }
    }

    fn say_mods(&mut self, data: &[u8]) -> Result<(), Fault> {
        let mut body = Vec::new();
        let payload = CustomPayload { channel: CHANNEL, data };
        if payload.write(self.line.version, State::Play, Direction::Serverbound, &mut body) {
            self.line.say(&body)?;
        }
        Ok(())
    }
}
