//! Each packet that has a type in node-minecraft-protocol's words, and at random.

use crate::node::hex;
use crate::random::Random;
use crate::seen::seen;
use crate::typed::Typed;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::configuration::{self, AddResourcePack, PackResult, StoreCookie, Transfer};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::{
    self, CookieRequest, CookieResponse, LoginStart, PlayerKey, TokenProof,
};
use drawbridge_protocol::packet::play::{self, InConfiguration, InPlay};
use drawbridge_protocol::packet::status;
use drawbridge_protocol::profile::{Profile, Property};
use drawbridge_protocol::text::Component;
use serde_json::{Value, json};
use uuid::Uuid;

/// For packets whose fields are texts, numbers and bytes: their names there, and what makes them.
macro_rules! fields {
    ($($packet:ty { $($name:literal: $field:ident = |$random:ident| $make:expr),* })*) => {$(
        impl Typed for $packet {
            fn values(&self, _: ProtocolVersion) -> Value {
                json!({ $($name: self.$field.in_words()),* })
            }

            #[allow(unused_variables, reason = "a packet may have no fields")]
            fn random(random: &mut Random, _: ProtocolVersion) -> Self {
                Self { $($field: { let $random = &mut *random; $make }),* }
            }
        }
    )*};
}

/// A field in node-minecraft-protocol's words.
trait InWords {
    fn in_words(&self) -> Value;
}

impl InWords for String {
    fn in_words(&self) -> Value {
        json!(self)
    }
}

impl InWords for i32 {
    fn in_words(&self) -> Value {
        json!(self)
    }
}

impl InWords for u16 {
    fn in_words(&self) -> Value {
        json!(self)
    }
}

impl InWords for i64 {
    fn in_words(&self) -> Value {
        json!(self.to_string())
    }
}

impl InWords for Vec<u8> {
    fn in_words(&self) -> Value {
        json!(hex(self))
    }
}

impl InWords for Uuid {
    fn in_words(&self) -> Value {
        json!(self.to_string())
    }
}

impl InWords for PackResult {
    fn in_words(&self) -> Value {
        json!(*self as i32)
    }
}

impl<T: InWords> InWords for Option<T> {
    fn in_words(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::in_words)
    }
}

fields! {
    status::StatusRequest {}
    status::PingRequest { "time": payload = |random| random.any() }
    status::PongResponse { "time": payload = |random| random.any() }
    status::StatusResponse { "response": document = |random| random.text(40) }
    login::LoginAcknowledged {}
    login::SetCompression { "threshold": threshold = |random| random.int() }
    login::LoginPluginRequest {
        "messageId": message = |random| random.int(),
        "channel": channel = |random| random.text(40),
        "data": data = |random| random.bytes(40)
    }
    login::LoginPluginResponse {
        "messageId": message = |random| random.int(),
        "data": data = |random| random.maybe(|random| random.bytes(40))
    }
    CookieRequest { "cookie": key = |random| random.text(40) }
    CookieResponse {
        "key": key = |random| random.text(40),
        "value": payload = |random| random.maybe(|random| random.bytes(40))
    }
    configuration::KeepAlive { "keepAliveId": id = |random| random.any() }
    configuration::KeepAliveResponse { "keepAliveId": id = |random| random.any() }
    configuration::FinishConfiguration {}
    StoreCookie { "key": key = |random| random.text(40), "value": payload = |random| random.bytes(40) }
    Transfer { "host": host = |random| random.text(40), "port": port = |random| random.any() }
    configuration::ResourcePackResponse {
        "uuid": id = |random| random.uuid(),
        "result": result = |random| pack_result(random)
    }
    play::StartConfiguration {}
    play::ConfigurationAcknowledged {}
    play::BundleDelimiter {}
    play::Ping { "id": id = |random| random.any() }
    play::Pong { "id": id = |random| random.any() }
    play::RemoveResourcePack { "uuid": id = |random| random.maybe(Random::uuid) }
}

pub(crate) fn pack_result(random: &mut Random) -> PackResult {
    PackResult::ALL[random.below(PackResult::ALL.len())]
}

macro_rules! keep_alives {
    ($($packet:ty),*) => {$(
        impl Typed for $packet {
            fn values(&self, version: ProtocolVersion) -> Value {
                if version < ProtocolVersion::V1_12_2 {
                    return json!({ "keepAliveId": self.id });
                }
                json!({ "keepAliveId": self.id.to_string() })
            }

            fn random(random: &mut Random, version: ProtocolVersion) -> Self {
                let id: i64 = random.any();
                Self { id: if version < ProtocolVersion::V1_12_2 { i64::from(id as i32) } else { id } }
            }
        }
    )*};
}
keep_alives!(play::KeepAlive, play::KeepAliveResponse);

impl<P: Typed> Typed for InPlay<P> {
    const DROPPED: &[&str] = P::DROPPED;
    const HAS_TEXT: bool = P::HAS_TEXT;

    fn values(&self, version: ProtocolVersion) -> Value {
        self.0.values(version)
    }

    fn random(random: &mut Random, version: ProtocolVersion) -> Self {
        Self(P::random(random, version))
    }
}

impl<P: Typed> Typed for InConfiguration<P> {
    fn values(&self, version: ProtocolVersion) -> Value {
        self.0.values(version)
    }

    fn random(random: &mut Random, version: ProtocolVersion) -> Self {
        Self(P::random(random, version))
    }
}

impl Typed for Handshake {
    fn values(&self, _: ProtocolVersion) -> Value {
        json!({
            "protocolVersion": self.version.number(),
            "serverHost": self.host,
            "serverPort": self.port,
            "nextState": self.intent.number(),
        })
    }

    fn random(random: &mut Random, _: ProtocolVersion) -> Self {
        let intents = [Intent::Status, Intent::Login, Intent::Transfer];
        Self {
            version: ProtocolVersion(random.int()),
            host: random.text(40),
            port: random.any(),
            intent: intents[random.below(3)],
        }
    }
}

impl Typed for LoginStart {
    fn values(&self, _: ProtocolVersion) -> Value {
        let key = self.key.as_ref().map(|key| {
            let (public_key, signature) = (hex(&key.public_key), hex(&key.signature));
            json!({ "timestamp": key.expires.to_string(), "publicKey": public_key, "signature": signature })
        });
        json!({ "username": self.name, "signature": key, "playerUUID": self.uuid.in_words() })
    }

    fn random(random: &mut Random, version: ProtocolVersion) -> Self {
        let key = |random: &mut Random| PlayerKey {
            expires: random.any(),
            public_key: random.bytes(40),
            signature: random.bytes(40),
        };
        let name = random.text(16);
        let uuid = match version {
            version if version.has_configuration() => Some(random.uuid()),
            version if version.has_uuid_in_login() => random.maybe(Random::uuid),
            _ => None,
        };
        let key = if version.has_key_in_login() { random.maybe(key) } else { None };
        Self { name, uuid, key }
    }
}

impl Typed for login::EncryptionRequest {
    fn values(&self, version: ProtocolVersion) -> Value {
        json!({
            "serverId": self.server_id,
            "publicKey": hex(&self.public_key),
            "verifyToken": hex(&self.verify_token),
            "shouldAuthenticate": version.has_transfer().then_some(self.should_authenticate),
        })
    }

    fn random(random: &mut Random, version: ProtocolVersion) -> Self {
        Self {
            server_id: random.text(20),
            public_key: random.bytes(40),
            verify_token: random.bytes(40),
            should_authenticate: !version.has_transfer() || random.any(),
        }
    }
}

impl Typed for login::EncryptionResponse {
    fn values(&self, version: ProtocolVersion) -> Value {
        let secret = hex(&self.shared_secret);
        let proof = match &self.token {
            TokenProof::Encrypted(token) => json!({ "verifyToken": hex(token) }),
            TokenProof::Signed { salt, signature } => {
                json!({ "salt": salt.to_string(), "messageSignature": hex(signature) })
            }
        };
        if version.has_key_in_login() {
            let is_token = matches!(self.token, TokenProof::Encrypted(_));
            return json!({ "sharedSecret": secret, "hasVerifyToken": is_token, "crypto": proof });
        }
        json!({ "sharedSecret": secret, "verifyToken": proof["verifyToken"] })
    }

    fn random(random: &mut Random, version: ProtocolVersion) -> Self {
        let token = if version.has_key_in_login() && random.any() {
            TokenProof::Signed { salt: random.any(), signature: random.bytes(40) }
        } else {
            TokenProof::Encrypted(random.bytes(40))
        };
        Self { shared_secret: random.bytes(40), token }
    }
}

impl Typed for login::LoginSuccess {
    const DROPPED: &[&str] = &["strictErrorHandling"];

    fn values(&self, version: ProtocolVersion) -> Value {
        let property = |property: &Property| json!({ "name": property.name, "value": property.value, "signature": property.signature });
        let Profile { id, name, properties } = &self.profile;
        let properties: Option<Vec<_>> =
            version.has_properties_in_login().then(|| properties.iter().map(property).collect());
        let strict = version.has_strict_error_handling().then_some(true);
        json!({ "uuid": id.in_words(), "username": name, "properties": properties, "strictErrorHandling": strict })
    }

    fn random(random: &mut Random, version: ProtocolVersion) -> Self {
        let property = |random: &mut Random| Property {
            name: random.text(40),
            value: random.text(40),
            signature: random.maybe(|random| random.text(40)),
        };
        let most = if version.has_properties_in_login() { 4 } else { 0 };
        let (id, name) = (random.uuid(), random.text(16));
        let profile = Profile { id, name, properties: random.some(most, property) };
        Self { profile, session_id: Uuid::nil() }
    }
}

impl Typed for configuration::ClientInformation {
    const DROPPED: &[&str] = &[
        "viewDistance",
        "chatFlags",
        "chatColors",
        "skinParts",
        "mainHand",
        "enableTextFiltering",
        "enableServerListing",
        "particleStatus",
    ];

    fn values(&self, _: ProtocolVersion) -> Value {
        json!({ "locale": self.locale })
    }

    fn random(random: &mut Random, _: ProtocolVersion) -> Self {
        Self { locale: random.text(16) }
    }
}

impl Typed for login::LoginDisconnect {
    fn values(&self, _: ProtocolVersion) -> Value {
        json!({ "reason": seen(&Component::from_json_lenient(&self.reason).expect("a text in JSON")) })
    }

    fn random(random: &mut Random, version: ProtocolVersion) -> Self {
        let mut reason = String::new();
        random.component().to_json(version, &mut reason);
        Self { reason }
    }
}

macro_rules! kicks {
    ($($packet:ty),*) => {$(
        impl Typed for $packet {
            const HAS_TEXT: bool = true;

            fn values(&self, _: ProtocolVersion) -> Value {
                json!({ "reason": seen(&self.reason) })
            }

            fn random(random: &mut Random, _: ProtocolVersion) -> Self {
                Self { reason: random.component() }
            }
        }
    )*};
}
kicks!(configuration::Disconnect, play::KickDisconnect);

impl Typed for AddResourcePack {
    const HAS_TEXT: bool = true;

    fn values(&self, _: ProtocolVersion) -> Value {
        json!({
            "uuid": self.id.in_words(),
            "url": self.url,
            "hash": self.hash,
            "forced": self.forced,
            "promptMessage": self.prompt.as_ref().map(seen),
        })
    }

    fn random(random: &mut Random, _: ProtocolVersion) -> Self {
        Self {
            id: random.uuid(),
            url: random.text(40),
            hash: random.text(40),
            forced: random.any(),
            prompt: random.maybe(Random::component),
        }
    }
}
