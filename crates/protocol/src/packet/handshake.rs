//! The first packet of every connection. It is the same in all versions, and so are its ids.

use super::Packet;
use crate::ids::{Direction, Kind, State};
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};

/// What the client wants of the connection (`next state` on the wire).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    /// 1: the server list.
    Status,
    /// 2: a join.
    Login,
    /// 3: a join by way of a Transfer packet (since 766).
    Transfer,
}

impl Intent {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Status => 1,
            Self::Login => 2,
            Self::Transfer => 3,
        }
    }
}

/// Handshake (`set_protocol`): who calls, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// The client's protocol version; -1 from clients that only ask for the status.
    pub version: ProtocolVersion,
    /// The host as it was sent, with whatever Forge or a proxy wrote behind it.
    pub host: String,
    /// The port that the client connected to, as it thinks.
    pub port: u16,
    /// What for.
    pub intent: Intent,
}

/// The most characters of a host: vanilla sends 255, proxies that forward profiles in it send more.
const HOST: usize = 2_048;

impl Packet for Handshake {
    const STATE: State = State::Handshaking;
    const DIRECTION: Direction = Direction::Serverbound;
    const KIND: Kind = Kind::SetProtocol;

    fn encode(&self, _: ProtocolVersion, out: &mut Encoder<'_>) {
        out.varint(self.version.0);
        out.string(&self.host);
        out.u16(self.port);
        out.varint(self.intent.number());
    }

    fn decode(_: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: ProtocolVersion(fields.varint("protocol version")?),
            host: fields.string("host", HOST)?.to_owned(),
            port: fields.u16("port")?,
            intent: match fields.varint("intent")? {
                1 => Intent::Status,
                2 => Intent::Login,
                3 => Intent::Transfer,
                value => return Err(DecodeError::Value { field: "intent", value: value.into() }),
            },
        })
    }

    /// Zero in every version there is or may come: it is what tells versions apart.
    fn id(_: ProtocolVersion) -> Option<i32> {
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::RawPacket;

    #[test]
    fn intent_three_stays_three() {
        let handshake = Handshake {
            version: ProtocolVersion(766),
            host: "play.example.com".into(),
            port: 25565,
            intent: Intent::Transfer,
        };
        let mut out = vec![0];
        handshake.encode(handshake.version, &mut Encoder::new(&mut out));
        assert_eq!(out.last(), Some(&3));
        assert_eq!(RawPacket::parse(&out).unwrap().read(ProtocolVersion(0)), Ok(handshake));
    }

    #[test]
    fn unknown_intents_are_refused() {
        for intent in [0, 4, 127] {
            let fields = [5, 1, b'a', 0, 80, intent];
            assert_eq!(
                Handshake::decode(ProtocolVersion(5), &mut Decoder::new(&fields)),
                Err(DecodeError::Value { field: "intent", value: intent.into() })
            );
        }
    }
}
