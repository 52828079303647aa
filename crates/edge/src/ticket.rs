//! Admission tickets: by a third cookie, signed with Ed25519, a server that is reached by Transfer knows that its player came
//! through the edge. Its port is open to everybody, and of the other cookies only an edge can tell whether they are true.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the format, 1 |
//! | 64 | Ed25519 signature (RFC 8032) of `drawbridge ticket 1`, a line feed, and the rest |
//! | the rest | JSON: `key`, `id`, `player` (`id`, `name`, `verified`), `address`, `target` (`identifier`, `address`), `issued`, `expires` |
//!
//! What must stay true: a ticket names one player, one address and one target, and is good for seconds; a claim is never called
//! verified.

use drawbridge_config::{Diagnostic, Fields, Json, Reader, Schemas, Secret, Setting, Value, section};
use drawbridge_model::{Identity, Target, TargetAddress};
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

section! {
    /// Tickets by which a target knows that its player came through the edge, for routes with `transfer.ticket`.
    #[defaults]
    #[check(Tickets::check)]
    pub struct Tickets {
        /// The Ed25519 key that signs, as `openssl genpkey -algorithm ed25519` makes it.
        pub key: Option<TicketKey>,
        /// How long a ticket is good.
        pub lifetime: Duration = Duration::from_secs(60),
    }
}

impl Tickets {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.lifetime < Duration::from_secs(1) {
            fields.error("lifetime", "a player needs a second at least to reach the target");
        }
    }
}

/// A key that signs tickets.
#[derive(Clone)]
pub struct TicketKey {
    key: SigningKey,
    /// Names the public key: the first 8 bytes of its SHA-256, in hexadecimal digits.
    id: String,
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketKey({})", self.id)
    }
}

impl Setting for TicketKey {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let secret = Secret::<1>::read(value, reader)?;
        let key = secret.expose_text().and_then(|text| SigningKey::from_pkcs8_pem(text.trim()).ok());
        let Some(key) = key else {
            let mistake = Diagnostic::error(value.origin(), "expected an Ed25519 key in PEM (PKCS #8)");
            reader.report(mistake.help("make one: openssl genpkey -algorithm ed25519 -out ticket.key"));
            return None;
        };
        Some(Self::new(key))
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Secret::<1>::schema(schemas)
    }
}

impl TicketKey {
    fn new(key: SigningKey) -> Self {
        let digest = Sha256::digest(key.verifying_key().as_bytes());
        let id = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { key, id }
    }
}

/// The only format there is.
const FORMAT: u8 = 1;
/// What is signed begins with it, so that no signature of this key for something else is one of a ticket.
const CONTEXT: &[u8] = b"drawbridge ticket 1\n";

/// Writes tickets.
#[derive(Debug)]
pub struct TicketOffice {
    key: TicketKey,
    lifetime: Duration,
    cookie: String,
}

/// Whom a ticket is for, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    /// The player.
    pub identity: &'a Identity,
    /// The player's address, as the edge sees it.
    pub address: IpAddr,
    /// Where the player is sent.
    pub target: &'a Target,
    /// The address that the client is sent to.
    pub sent_to: &'a TargetAddress,
}

impl TicketOffice {
    /// `None` without a key. The cookie's key is `<namespace>:ticket`.
    #[must_use]
    pub fn new(settings: &Tickets, namespace: &str) -> Option<Self> {
        let key = settings.key.clone()?;
        Some(Self { key, lifetime: settings.lifetime, cookie: format!("{namespace}:ticket") })
    }

    /// The cookie's key.
    #[must_use]
    pub fn cookie_key(&self) -> String {
        self.cookie.clone()
    }

    /// A ticket, good from `now` on.
    #[must_use]
    pub fn ticket(&self, passage: Passage<'_>, now: SystemTime) -> Vec<u8> {
        self.sealed(&self.text(passage, now, Uuid::new_v4()))
    }

    fn text(&self, passage: Passage<'_>, now: SystemTime, id: Uuid) -> String {
        let Passage { identity, address, target, sent_to } = passage;
        let player = identity.told();
        let issued = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        json!({
            "key": self.key.id,
            "id": id.to_string(),
            "player": { "id": player.id.to_string(), "name": player.name, "verified": identity.verified().is_some() },
            "address": address,
            "target": { "identifier": target.identifier, "address": sent_to.to_string() },
            "issued": issued,
            "expires": issued.saturating_add(self.lifetime.as_secs()),
        })
        .to_string()
    }

    fn sealed(&self, text: &str) -> Vec<u8> {
        let signature = self.key.key.sign(&[CONTEXT, text.as_bytes()].concat());
        [&[FORMAT][..], &signature.to_bytes(), text.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_model::{Claim, Profile};

    /// The secret key of RFC 8032, section 7.1, test 1.
    const SECRET: [u8; 32] = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
        0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];

    fn office() -> TicketOffice {
        let key = Some(TicketKey::new(SigningKey::from_bytes(&SECRET)));
        TicketOffice::new(&Tickets { key, lifetime: Duration::from_secs(60) }, "drawbridge").unwrap()
    }

    fn passage<'a>(identity: &'a Identity, target: &'a Target) -> Passage<'a> {
        Passage { identity, address: [203, 0, 113, 7].into(), target, sent_to: &target.address }
    }

    fn hub() -> Target {
        Target {
            identifier: "hub-1".into(),
            address: "hub.example.com:25570".parse().unwrap(),
            priority: 0,
            meta: std::sync::Arc::default(),
            lease: None,
        }
    }

    fn notch() -> Identity {
        let id = "069a79f4-44e9-4726-a5be-fca90e38aaf5".parse().unwrap();
        Identity::Verified(Profile { id, name: "Notch".into(), properties: Vec::new() })
    }

    /// The vector of docs/tickets.md, whose signature OpenSSL made.
    #[test]
    fn the_manuals_vector_holds() {
        let manual = include_str!("../../../docs/tickets.md");
        let line = |name: &str| {
            let line = manual.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_else(|| panic!("docs/tickets.md has no line {name}"))
        };
        let time = UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let id = Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
        let text = office().text(passage(&notch(), &hub()), time, id);
        assert_eq!(text, line("json"));
        let hex: String = office().sealed(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, line("ticket"));
        let public = SigningKey::from_bytes(&SECRET).verifying_key();
        let public: String = public.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(public, line("public key"));
    }

    #[test]
    fn a_claim_is_not_called_verified() {
        let claim = Identity::Claimed(Claim { name: "Notch".into(), id: Uuid::from_u128(7) });
        let text = office().text(passage(&claim, &hub()), UNIX_EPOCH, Uuid::nil());
        let ticket: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(ticket["player"]["verified"], false);
        assert_eq!(ticket["player"]["id"], "b50ad385-829d-3141-a216-7e7d7539ba7f", "the offline UUID");
    }
}
