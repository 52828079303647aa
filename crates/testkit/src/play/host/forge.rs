//! Forge's handshake of 1.7 to 1.12, between the login and the Join Game.

use super::visit::{End, Visit};
use crate::play::fault::Fault;
use crate::play::line::in_fields;
use crate::play::mods::{ACKNOWLEDGED, CHANNEL, CLIENT_HELLO, COMPLETE, SERVER_HELLO};
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::play::CustomPayload;

impl Visit {
    /// Asks the client for its mods and hears it to the end. Whatever else it says then belongs to another server.
    pub(super) async fn shake_hands(&mut self) -> Result<(), End> {
        self.state = State::Play;
        for (said, answer) in [(SERVER_HELLO, CLIENT_HELLO), (ACKNOWLEDGED, COMPLETE)] {
            self.say_mods(said)?;
            self.hear_mods(answer).await?;
        }
        Ok(())
    }

    fn say_mods(&mut self, data: &[u8]) -> Result<(), Fault> {
        let mut body = Vec::new();
        let payload = CustomPayload { channel: CHANNEL, data };
        if payload.write(self.line.version, self.state, Direction::Clientbound, &mut body) {
            self.line.say(&body)?;
        }
        Ok(())
    }

    async fn hear_mods(&mut self, expected: &[u8]) -> Result<(), End> {
        let (kind, heard) = self.next().await?;
        let (version, state) = (self.line.version, self.state);
        if kind != Kind::CustomPayload {
            return Err(Fault::Misplaced { state, kind }.into());
        }
        let payload = CustomPayload::read(version, heard.fields()).map_err(in_fields(state, kind))?;
        if payload != (CustomPayload { channel: CHANNEL, data: expected }) {
            return Err(Fault::Misplaced { state, kind }.into());
        }
        Ok(())
    }
}
