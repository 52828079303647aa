//! The steps of a join, as a vanilla client takes them.

use super::{Deviation, Outcome, Player, Visit};
use crate::connection::{Connection, Received, Trouble};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::configuration::{
    AddResourcePack, ClientInformation, Disconnect, KeepAlive, KeepAliveResponse, ResourcePackResponse,
    StoreCookie, Transfer,
};
use drawbridge_protocol::packet::login::{
    CookieRequest, EncryptionRequest, EncryptionResponse, LoginAcknowledged, LoginDisconnect, SetCompression,
    TokenProof,
};
use drawbridge_protocol::profile::server_hash;
use drawbridge_protocol::wire::{Decoder, Encoder};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Instant;
use uuid::Uuid;

/// How long the server may take to close after its last packet.
const GOODBYE: std::time::Duration = std::time::Duration::from_secs(5);

/// A join under way.
struct Script<'a> {
    player: &'a Player,
    connection: Connection,
    visit: Visit,
}

/// Joins, and tells how it went.
pub(super) fn join(player: &Player, to: SocketAddr) -> Visit {
    let start = Instant::now();
    let visit = Visit {
        outcome: Outcome::Left,
        heard: Vec::new(),
        jar: player.jar.clone(),
        took: std::time::Duration::ZERO,
        local: None,
    };
    let mut visit = match knock(player, to) {
        Ok(connection) => Script { player, connection, visit }.run(),
        Err(trouble) => Visit { outcome: Outcome::Ended(trouble), ..visit },
    };
    visit.took = start.elapsed();
    visit
}

/// Handshake and Login Start.
pub(super) fn knock(player: &Player, to: SocketAddr) -> Result<Connection, Trouble> {
    let mut connection = Connection::open_from(player.from, to, player.version)?.patience(player.patience);
    connection.raw(&player.preamble)?;
    connection.greet(&player.host, to.port(), player.intent)?;
    connection.send_id(0, |out| login_start(player, out))?;
    Ok(connection)
}

/// Login Start has the id 0 in every version.
fn login_start(player: &Player, out: &mut Encoder<'_>) {
    let version = player.version.number();
    out.string(&player.name);
    if matches!(version, 759..=760) {
        out.bool(false); // no key to sign chat with
    }
    if version >= 764 {
        out.uuid(player.id);
    } else if version >= 760 {
        out.option(Some(player.id), Encoder::uuid);
    }
}

impl Script<'_> {
    fn run(mut self) -> Visit {
        self.visit.local = self.connection.local().ok();
        let outcome = self.first_words().and_then(|()| self.until_outcome());
        self.visit.outcome = outcome.unwrap_or_else(Outcome::Ended);
        self.visit
    }

    fn first_words(&mut self) -> Result<(), Trouble> {
        for deviation in &self.player.deviations {
            match deviation {
                Deviation::EarlyCookies(jar) => {
                    for (key, payload) in jar {
                        self.answer_cookie(key, Some(payload))?;
                    }
                }
                Deviation::EarlyAcknowledgement => self.connection.send(&LoginAcknowledged {})?,
                _ => {}
            }
        }
        Ok(())
    }

    fn until_outcome(&mut self) -> Result<Outcome, Trouble> {
        loop {
            let packet = self.connection.receive()?;
            self.visit.heard.push(packet.clone());
            let Some(kind) = packet.kind() else {
                return Err(Trouble::Rule(format!(
                    "unknown packet id {:#x} in {:?}",
                    packet.id, packet.state
                )));
            };
            if self.deviates(&Deviation::LeavesAt(kind)) {
                return Ok(Outcome::Left);
            }
            if self.deviates(&Deviation::SilentFrom(kind)) {
                return self.wait_for_the_end();
            }
            let outcome = match packet.state {
                State::Login => self.login(kind, &packet)?,
                _ => self.configuration(kind, &packet)?,
            };
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
        }
    }

    /// Goes on listening without a word, until a Disconnect or the close.
    fn wait_for_the_end(&mut self) -> Result<Outcome, Trouble> {
        loop {
            let packet = self.connection.receive()?;
            self.visit.heard.push(packet.clone());
            if packet.kind() == Some(Kind::Disconnect) {
                return self.kicked(&packet);
            }
        }
    }

    fn login(&mut self, kind: Kind, packet: &Received) -> Result<Option<Outcome>, Trouble> {
        match kind {
            Kind::Disconnect => return self.kicked(packet).map(Some),
            Kind::EncryptionBegin => self.key_exchange(&packet.read()?)?,
            Kind::Compress => {
                let SetCompression { threshold } = packet.read()?;
                if let Ok(threshold) = usize::try_from(threshold) {
                    self.connection.compress(threshold);
                }
            }
            Kind::CookieRequest => {
                let CookieRequest { key } = packet.read()?;
                let payload = self.visit.jar.get(&key).cloned();
                for _ in 0..=usize::from(self.deviates(&Deviation::CookiesTwice)) {
                    self.answer_cookie(&key, payload.as_deref())?;
                }
            }
            Kind::LoginPluginRequest => {
                let id = Decoder::new(&packet.fields).varint("message id")?;
                self.connection.send_kind(Kind::LoginPluginResponse, |out| {
                    out.varint(id);
                    out.bool(false);
                })?;
            }
            Kind::Success if packet.version.has_configuration() => self.configure()?,
            Kind::Success => return Ok(Some(Outcome::Playing)),
            _ => return Err(Trouble::Rule(format!("{} in login", kind.name()))),
        }
        Ok(None)
    }

    /// Encryption Request to Encryption Response, with the session server between them.
    fn key_exchange(&mut self, request: &EncryptionRequest) -> Result<(), Trouble> {
        let secret = *Uuid::new_v4().as_bytes();
        if request.should_authenticate && !self.deviates(&Deviation::NoSession) {
            let hash = server_hash(&request.server_id, &secret, &request.public_key);
            if let Some(account) = &self.player.account {
                account.join(self.player.from, &hash)?;
            }
        }
        let mut sent = secret.to_vec();
        let mut token = request.verify_token.clone();
        for deviation in &self.player.deviations {
            match deviation {
                Deviation::SecretOf(length) => sent.resize(*length, 0x11),
                Deviation::WrongToken => token.reverse(),
                _ => {}
            }
        }
        let mut response = EncryptionResponse {
            shared_secret: encrypted(&request.public_key, &sent)?,
            token: TokenProof::Encrypted(encrypted(&request.public_key, &token)?),
        };
        for deviation in &self.player.deviations {
            match deviation {
                Deviation::GarbledSecret(length) => response.shared_secret = vec![0x5a; *length],
                Deviation::GarbledToken(length) => {
                    response.token = TokenProof::Encrypted(vec![0x5a; *length]);
                }
                _ => {}
            }
        }
        if self.deviates(&Deviation::NoEncryption) {
            return self.answer_cookie("test:instead", None);
        }
        self.connection.send(&response)?;
        self.connection.encrypt(&secret);
        Ok(())
    }

    /// Login Acknowledged, and what a vanilla client says first in configuration.
    fn configure(&mut self) -> Result<(), Trouble> {
        self.connection.send(&LoginAcknowledged {})?;
        self.connection.enter(State::Configuration);
        self.connection.send_kind(Kind::CustomPayload, |out| {
            out.string("minecraft:brand");
            out.string("vanilla");
        })?;
        if self.deviates(&Deviation::NoInformation) {
            return Ok(());
        }
        self.connection.send(&ClientInformation { locale: self.player.locale.clone() })
    }

    fn configuration(&mut self, kind: Kind, packet: &Received) -> Result<Option<Outcome>, Trouble> {
        match kind {
            Kind::Disconnect => return self.kicked(packet).map(Some),
            Kind::Transfer => {
                let Transfer { host, port } = packet.read()?;
                return Ok(Some(Outcome::Transfer { host, port, close: self.goodbye() }));
            }
            Kind::FinishConfiguration => {
                self.connection.send_kind(Kind::FinishConfiguration, |_| {})?;
                return Ok(Some(Outcome::Playing));
            }
            Kind::CookieRequest => {
                let key = Decoder::new(&packet.fields).string("key", 32_767)?.to_owned();
                let payload = self.visit.jar.get(&key).cloned();
                self.answer_cookie(&key, payload.as_deref())?;
            }
            Kind::StoreCookie => {
                let StoreCookie { key, payload } = packet.read()?;
                self.visit.jar.insert(key, payload);
            }
            Kind::KeepAlive => {
                let KeepAlive { id } = packet.read()?;
                let id = id.wrapping_add(self.deviates(&Deviation::WrongKeepAlive).into());
                self.connection.send(&KeepAliveResponse { id })?;
            }
            Kind::Ping => {
                self.connection.send_kind(Kind::Pong, |out| out.bytes(&packet.fields))?;
            }
            Kind::SelectKnownPacks => {
                self.connection.send_kind(Kind::SelectKnownPacks, |out| out.varint(0))?;
            }
            Kind::AddResourcePack => {
                let AddResourcePack { id, .. } = packet.read()?;
                for &result in self.player.packs.results() {
                    self.connection.send(&ResourcePackResponse { id, result })?;
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn answer_cookie(&mut self, key: &str, payload: Option<&[u8]>) -> Result<(), Trouble> {
        self.connection.send_kind(Kind::CookieResponse, |out| {
            out.string(key);
            out.option(payload, Encoder::byte_array);
        })
    }

    fn kicked(&mut self, packet: &Received) -> Result<Outcome, Trouble> {
        let text = if packet.state == State::Login {
            let LoginDisconnect { reason } = packet.read()?;
            let component: Value = serde_json::from_str(&reason)
                .map_err(|error| Trouble::Rule(format!("a kick that isn't JSON ({error}): {reason}")))?;
            plain(&component)
        } else if packet.version < ProtocolVersion::V1_20_3 {
            let json = Decoder::new(&packet.fields).string("reason", 262_144)?.to_owned();
            plain(&serde_json::from_str(&json).unwrap_or(Value::String(json)))
        } else {
            packet.read::<Disconnect>()?.reason.to_plain()
        };
        Ok(Outcome::Disconnect { text, state: packet.state, close: self.goodbye() })
    }

    /// Waits for the close behind a last packet, with nothing more before it.
    fn goodbye(&mut self) -> Option<Trouble> {
        match self.connection.within(GOODBYE).receive() {
            Err(Trouble::Closed) => None,
            Err(trouble) => Some(trouble),
            Ok(packet) => Some(Trouble::Rule(format!("{:?} after the last packet", packet.kind()))),
        }
    }

    fn deviates(&self, deviation: &Deviation) -> bool {
        self.player.deviations.contains(deviation)
    }
}

fn encrypted(public_key: &[u8], plain: &[u8]) -> Result<Vec<u8>, Trouble> {
    drawbridge_rsa::encrypt(public_key, plain)
        .map_err(|error| Trouble::Rule(format!("the server's public key: {error}")))
}

/// The text of a JSON component without its markup.
fn plain(component: &Value) -> String {
    match component {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(plain).collect(),
        Value::Object(fields) => {
            let own = fields.get("text").or_else(|| fields.get("translate")).map(plain).unwrap_or_default();
            own + &fields.get("extra").map(plain).unwrap_or_default()
        }
        other => other.to_string(),
    }
}
