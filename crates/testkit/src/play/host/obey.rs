//! What a host does on the test's order, in the state that the connection is in.

use super::Order;
use super::login::refuse;
use super::visit::{End, Visit};
use crate::play::fault::Fault;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::Packet as _;
use drawbridge_protocol::packet::configuration::{Disconnect, StoreCookie, Transfer};
use drawbridge_protocol::packet::login::CookieRequest;
use drawbridge_protocol::packet::play::{KickDisconnect, StartConfiguration};
use drawbridge_protocol::text::Component;

impl Visit {
    /// Does as it is told, as far as the state and the version have it.
    pub(super) fn obey(&mut self, order: Order) -> Result<(), End> {
        match order {
            Order::Cut => return Err(End::Cut),
            Order::Kick(text) => {
                self.close_bundle()?;
                self.kick(&text)?;
                return Err(End::Said);
            }
            _ if self.state == State::Login || !self.line.version.has_configuration() => {}
            Order::Again => self.begin_anew()?,
            _ if !self.line.version.has_transfer() => {}
            Order::Transfer { host, port } => {
                self.close_bundle()?;
                let packet = Transfer { host, port };
                self.line.say_kind(self.state, Kind::Transfer, |version, out| packet.encode(version, out))?;
                return Err(End::Said);
            }
            Order::StoreCookie { key, payload } => {
                let packet = StoreCookie { key, payload };
                self.line
                    .say_kind(self.state, Kind::StoreCookie, |version, out| packet.encode(version, out))?;
            }
            Order::AskCookie(key) => {
                self.asked.cookies.push_back(key.clone());
                let packet = CookieRequest { key };
                self.line
                    .say_kind(self.state, Kind::CookieRequest, |version, out| packet.encode(version, out))?;
            }
        }
        Ok(())
    }

    /// Disconnects in words.
    pub(super) fn kick(&mut self, text: &str) -> Result<(), Fault> {
        let reason = Component::text(text);
        match self.state {
            State::Configuration => self.line.say_packet(&Disconnect { reason }),
            State::Play => self.line.say_packet(&KickDisconnect { reason }),
            _ => refuse(&mut self.line, text),
        }
    }

    fn begin_anew(&mut self) -> Result<(), Fault> {
        if self.state != State::Play || self.asked.configuration {
            return Ok(());
        }
        self.close_bundle()?;
        self.asked.configuration = true;
        self.line.say_packet(&StartConfiguration {})
    }
}
