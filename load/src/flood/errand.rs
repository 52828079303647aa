//! What strangers come for, step by step.

use crate::wire::{Miss, Wire, greeting, joining, plain};
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::configuration::{ClientInformation, Transfer};
use drawbridge_protocol::packet::handshake::Intent;
use drawbridge_protocol::packet::login::{
    EncryptionRequest, EncryptionResponse, LoginAcknowledged, LoginSuccess, TokenProof,
};
use drawbridge_protocol::packet::status::{PingRequest, PongResponse, StatusRequest, StatusResponse};
use drawbridge_protocol::wire::Encoder;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use uuid::Uuid;

/// How long a stranger waits for its errand to be done: longer than the edge waits for a handshake.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// What a ping holds.
const PAYLOAD: i64 = 0x0123_4567_89ab_cdef;
/// A ping of 1.4 and 1.5.
const LEGACY: &[u8] = &[0xfe, 0x01];
/// The key of the protocol has 1024 bits, and so has what is encrypted to it.
const BLOCK: usize = 128;

/// So many bytes of a handshake: its length, its id, and the version.
const HALF: usize = 4;
/// A frame that says that it has 2 MiB.
const OVERSIZED: &[u8] = &[0x80, 0x80, 0x80, 0x01];
/// What is no handshake: a length without end, a negative one, another packet, an intent that there isn't.
const GARBAGE: [&[u8]; 4] = [
    &[0xff; 64],
    &[0xff, 0xff, 0xff, 0xff, 0x0f, 0x00],
    &[0x05, 0x55, 0x01, 0x02, 0x03, 0x04],
    &[0x08, 0x00, 0xff, 0x05, 0x01, b'x', 0x63, 0xdd, 0x09],
];

/// What a stranger comes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// The status, and the answer to a ping.
    Ping,
    /// The same as a client of 1.5.
    LegacyPing,
    /// To be handed over: a login, encrypted, from the handshake to Transfer.
    Login,
    /// To have the edge decrypt noise: a login that answers the Encryption Request with it.
    BadLogin,
    /// To be closed on: bytes that are no handshake.
    Garbage,
    /// To be closed on: a frame longer than any.
    Oversized,
    /// To take up a place: half a handshake, until the edge closes.
    HalfOpen,
}

/// An errand with all the bytes that it takes.
pub(super) struct Ready {
    errand: Errand,
    first: Vec<u8>,
}

impl Errand {
    /// How it is called in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ping => "pings",
            Self::LegacyPing => "pings of 1.5",
            Self::Login => "logins",
            Self::BadLogin => "bad logins",
            Self::Garbage => "garbage",
            Self::Oversized => "frames too long",
            Self::HalfOpen => "half-open connections",
        }
    }

    pub(super) fn ready(self, host: &str) -> Ready {
        Ready { errand: self, first: self.first(host) }
    }

    /// What a stranger says first; a login's differs by its name.
    pub(crate) fn first(self, host: &str) -> Vec<u8> {
        match self {
            Self::Ping => [greeting(host, Intent::Status), plain(&StatusRequest {})].concat(),
            Self::LegacyPing => LEGACY.to_vec(),
            Self::Login | Self::BadLogin => joining(host, "Stranger"),
            Self::Garbage => GARBAGE[0].to_vec(),
            Self::Oversized => OVERSIZED.to_vec(),
            Self::HalfOpen => greeting(host, Intent::Login)[..HALF].to_vec(),
        }
    }

    /// What it says next, where that doesn't depend on what it hears.
    pub(crate) fn second(self) -> Option<Vec<u8>> {
        match self {
            Self::Ping => Some(plain(&PingRequest { payload: PAYLOAD })),
            Self::BadLogin => Some(plain(&noise())),
            _ => None,
        }
    }
}

/// Blocks that decrypt to nothing sensible.
fn noise() -> EncryptionResponse {
    let block = vec![0x5a; BLOCK];
    EncryptionResponse { shared_secret: block.clone(), token: TokenProof::Encrypted(block) }
}

impl Ready {
    /// Does it, as the `number`th stranger.
    pub(super) async fn run(&self, from: IpAddr, to: SocketAddr, number: u64) -> Result<(), Miss> {
        let wire = Wire::open(from, to).await?;
        match self.errand {
            Errand::Ping => ping(wire, &self.first).await,
            Errand::LegacyPing => legacy_ping(wire, &self.first).await,
            Errand::Login => login(wire, &self.first).await,
            Errand::BadLogin => bad_login(wire, &self.first).await,
            Errand::Garbage => is_closed_on(wire, GARBAGE[number as usize % GARBAGE.len()]).await,
            Errand::Oversized | Errand::HalfOpen => is_closed_on(wire, &self.first).await,
        }
    }
}

/// That is what it came for, at whatever moment.
async fn is_closed_on(mut wire: Wire, bytes: &[u8]) -> Result<(), Miss> {
    match wire.raw(bytes).await {
        Ok(()) => wire.closed().await,
        Err(Miss::Closed) => Ok(()),
        Err(miss) => Err(miss),
    }
}

async fn legacy_ping(mut wire: Wire, first: &[u8]) -> Result<(), Miss> {
    wire.raw(first).await?;
    let mut kick = [0];
    wire.exactly(&mut kick).await?;
    wire.closed().await?;
    if kick == [0xff] { Ok(()) } else { Err(Miss::Failed(format!("{kick:x?} for a kick"))) }
}

async fn bad_login(mut wire: Wire, first: &[u8]) -> Result<(), Miss> {
    wire.raw(first).await?;
    wire.hear_packet::<EncryptionRequest>().await?;
    wire.say(&noise()).await?;
    wire.closed().await
}

async fn ping(mut wire: Wire, first: &[u8]) -> Result<(), Miss> {
    wire.raw(first).await?;
    wire.hear_packet::<StatusResponse>().await?;
    wire.say(&PingRequest { payload: PAYLOAD }).await?;
    let pong: PongResponse = wire.hear_packet().await?;
    if pong.payload == PAYLOAD { Ok(()) } else { Err(Miss::Failed("another's pong".to_owned())) }
}

async fn login(mut wire: Wire, first: &[u8]) -> Result<(), Miss> {
    wire.raw(first).await?;
    let request: EncryptionRequest = wire.hear_packet().await?;
    let secret = *Uuid::new_v4().as_bytes();
    let encrypted = |plain: &[u8]| {
        drawbridge_rsa::encrypt(&request.public_key, plain).map_err(|error| Miss::Failed(error.to_string()))
    };
    let shared_secret = encrypted(&secret)?;
    let token = TokenProof::Encrypted(encrypted(&request.verify_token)?);
    wire.say(&EncryptionResponse { shared_secret, token }).await?;
    wire.encrypt(&secret);
    wire.hear_packet::<LoginSuccess>().await?;
    wire.say(&LoginAcknowledged {}).await?;
    let brand = |out: &mut Encoder<'_>| {
        out.string("minecraft:brand");
        out.string("vanilla");
    };
    wire.say_kind(State::Configuration, Kind::CustomPayload, brand).await?;
    wire.say(&ClientInformation { locale: "en_us".to_owned() }).await?;
    wire.pass_until::<Transfer>().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::VERSION;

    #[test]
    fn the_bytes_are_what_they_are_called() {
        assert_eq!(VERSION.0, 775);
        assert!(Errand::Ping.first("localhost").ends_with(&[1, 0]), "a status request");
        assert_eq!(Errand::Ping.second().map(|ping| ping.len()), Some(10));
        assert!(Errand::BadLogin.second().is_some_and(|noise| noise.len() > 2 * BLOCK));
    }
}
