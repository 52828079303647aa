//! How a target that authenticates nobody is told who a player is.
//!
//! The forms are those of others, whose servers read them: BungeeCord hangs address, UUID and properties on the handshake's host; BungeeGuard
//! adds a token to the properties, so that nobody but a proxy that knows it can do so; Velocity answers a signed question of the target's
//! during the login.
//!
//! What must stay true: only what somebody vouched for is forwarded as such; a secret is never part of a message or a log line.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::login::{PlayerKey, write_properties};
use drawbridge_protocol::profile::Profile;
use drawbridge_protocol::wire::Encoder;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use std::fmt;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// The channel on which targets ask Velocity.
pub(crate) const VELOCITY: &str = "velocity:player_info";

/// The name of the property in which BungeeGuard expects its token.
const GUARD: &str = "bungeeguard-token";

/// What a target is told, and how.
#[derive(Clone)]
pub enum Forwarding {
    /// Nothing: the target takes the name and gives the player a UUID of its own.
    None,
    /// In the handshake's host. Whoever reaches the target can say they are anybody.
    BungeeCord,
    /// In the handshake's host, with this token.
    BungeeGuard(Zeroizing<Vec<u8>>),
    /// In the login, signed with this secret.
    Velocity(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::BungeeCord => "BungeeCord",
            Self::BungeeGuard(_) => "BungeeGuard(..)",
            Self::Velocity(_) => "Velocity(..)",
        })
    }
}

/// A player as a target is to see them.
#[derive(Debug, Clone, Copy)]
pub struct Traveller<'a> {
    /// Name, UUID and properties.
    pub profile: &'a Profile,
    /// Where they call from.
    pub address: IpAddr,
    /// What they sign chat with.
    pub key: Option<&'a PlayerKey>,
}

impl Forwarding {
    /// Whether the target comes to know the player's own profile: without it can't check what they sign.
    #[must_use]
    pub const fn tells_profile(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// The host that the target's handshake carries, for a client that typed `typed`, marks of Forge and all.
    pub(crate) fn host(&self, typed: &str, traveller: &Traveller<'_>) -> String {
        let token = match self {
            Self::None | Self::Velocity(_) => return typed.to_owned(),
            Self::BungeeCord => None,
            Self::BungeeGuard(token) => Some(token),
        };
        let (typed, marks) = typed.split_at(typed.find('\0').unwrap_or(typed.len()));
        // What RealIP says behind a host is the client's own word for where it calls from.
        let host = typed.split("///").next().unwrap_or(typed);
        let Profile { id, properties, .. } = traveller.profile;
        let mut properties: Vec<_> = properties
            .iter()
            .map(|property| match &property.signature {
                Some(signature) => {
                    json!({ "name": property.name, "value": property.value, "signature": signature })
                }
                None => json!({ "name": property.name, "value": property.value }),
            })
            .collect();
        // Forge's marks no longer fit into the host, so that they travel as BungeeCord and Velocity have them travel.
        match marks {
            "" => {}
            "\0FML\0" => properties.push(json!({ "name": "forgeClient", "value": "true", "signature": "" })),
            marks => {
                let value = marks.replace('\0', "\u{1}");
                properties.push(json!({ "name": "extraData", "value": value, "signature": "" }));
            }
        }
        if let Some(token) = token {
            let value = String::from_utf8_lossy(token);
            properties.push(json!({ "name": GUARD, "value": value, "signature": "" }));
        }
        let mut forwarded = format!("{host}\0{}\0{}", traveller.address, id.simple());
        if !properties.is_empty() {
            forwarded.push('\0');
            forwarded.push_str(&json!(properties).to_string());
        }
        forwarded
    }

    /// The answer to a target that asks as Velocity is asked; `None` where it isn't Velocity's way that was agreed on.
    pub(crate) fn answer(
        &self,
        question: &[u8],
        version: ProtocolVersion,
        traveller: &Traveller<'_>,
    ) -> Option<Vec<u8>> {
        let Self::Velocity(secret) = self else { return None };
        let form = form(question, version, traveller.key.is_some());
        let Profile { id, name, properties } = traveller.profile;
        let mut told = Vec::new();
        let mut out = Encoder::new(&mut told);
        out.varint(form);
        out.string(&traveller.address.to_string());
        out.uuid(*id);
        out.string(name);
        write_properties(properties, &mut out);
        if let Some(key) = traveller.key.filter(|_| form == WITH_KEY || form == WITH_LINKED_KEY) {
            key.encode(&mut out);
            if form == WITH_LINKED_KEY {
                out.option(Some(*id), Encoder::uuid);
            }
        }
        // Keys of any length are taken.
        let mut seal = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        seal.update(&told);
        let mut answer = seal.finalize().into_bytes().to_vec();
        answer.extend(told);
        Some(answer)
    }
}

/// Velocity's forms of an answer.
const PLAIN: i32 = 1;
const WITH_KEY: i32 = 2;
const WITH_LINKED_KEY: i32 = 3;
const WITHOUT_KEY: i32 = 4;

/// The form of the answer to a target that understands forms up to the one it names.
fn form(question: &[u8], version: ProtocolVersion, has_key: bool) -> i32 {
    let &[asked] = question else { return PLAIN };
    let asked = i32::from(asked);
    match version {
        ProtocolVersion::V1_19 if has_key && asked >= WITH_KEY => WITH_KEY,
        ProtocolVersion::V1_19_1 if has_key && asked >= WITH_LINKED_KEY => WITH_LINKED_KEY,
        version if version >= ProtocolVersion::V1_19_3 && asked >= WITHOUT_KEY => WITHOUT_KEY,
        _ => PLAIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_protocol::profile::Property;
    use std::net::Ipv4Addr;
    use uuid::Uuid;

    fn profile(properties: Vec<Property>) -> Profile {
        let id = Uuid::from_u128(0x069a_79f4_44e9_4726_a5be_fca9_0e38_aaf5);
        Profile { id, name: "Notch".to_owned(), properties }
    }

    fn textures() -> Property {
        Property { name: "textures".into(), value: "e30=".into(), signature: Some("c2ln".into()) }
    }

    fn host(forwarding: &Forwarding, typed: &str, properties: Vec<Property>) -> String {
        let profile = profile(properties);
        forwarding
            .host(typed, &Traveller { profile: &profile, address: Ipv4Addr::LOCALHOST.into(), key: None })
    }

    #[test]
    fn bungeecord_reads_address_uuid_and_properties_from_the_host() {
        let plain = "play.example.com\x00127.0.0.1\x00069a79f444e94726a5befca90e38aaf5";
        assert_eq!(host(&Forwarding::BungeeCord, "play.example.com", Vec::new()), plain);
        let with = host(&Forwarding::BungeeCord, "play.example.com", vec![textures()]);
        let expected =
            format!("{plain}\0[{{\"name\":\"textures\",\"value\":\"e30=\",\"signature\":\"c2ln\"}}]");
        assert_eq!(with, expected);
    }

    #[test]
    fn marks_of_forge_become_properties() {
        let forge = host(&Forwarding::BungeeCord, "play.example.com\0FML\0", Vec::new());
        assert!(
            forge.ends_with("\0[{\"name\":\"forgeClient\",\"value\":\"true\",\"signature\":\"\"}]"),
            "{forge}"
        );
        let newer = host(&Forwarding::BungeeCord, "play.example.com\0FML2\0", Vec::new());
        assert!(newer.contains("\"value\":\"\\u0001FML2\\u0001\""), "{newer}");
        assert!(newer.starts_with("play.example.com\x00127.0.0.1\0"), "{newer}");
        let kept = host(&Forwarding::None, "play.example.com\0FML2\0", vec![textures()]);
        assert_eq!(kept, "play.example.com\0FML2\0");
    }

    #[test]
    fn what_a_client_says_as_realip_is_not_forwarded() {
        for (typed, marks) in [
            ("play.example.com///203.0.113.9:1///1700000000", ""),
            ("play.example.com///203.0.113.9:1///1700000000///c2ln\0FML\0", "forgeClient"),
        ] {
            let forwarded = host(&Forwarding::BungeeCord, typed, Vec::new());
            assert!(forwarded.starts_with("play.example.com\x00127.0.0.1\0"), "{forwarded}");
            assert!(!forwarded.contains("203.0.113.9") && forwarded.contains(marks), "{forwarded}");
        }
    }

    /// What a client writes behind its host as a proxy would is none of a proxy's.
    #[test]
    fn clients_forward_nobody() {
        let typed = "play.example.com\x00203.0.113.7\x0000000000000000000000000000000007\0\
            [{\"name\":\"bungeeguard-token\",\"value\":\"guessed\"}]";
        let guard = Forwarding::BungeeGuard(Zeroizing::new(b"token".to_vec()));
        for (forwarding, tokens) in [(Forwarding::BungeeCord, &[] as &[&str]), (guard, &["token"])] {
            let forwarded = host(&forwarding, typed, vec![textures()]);
            let parts: Vec<_> = forwarded.split('\0').collect();
            let [host, address, id, properties] = parts[..] else { panic!("{forwarded:?}") };
            assert_eq!(
                (host, address, id),
                ("play.example.com", "127.0.0.1", "069a79f444e94726a5befca90e38aaf5")
            );
            let properties: Vec<serde_json::Value> = serde_json::from_str(properties).unwrap();
            let guards = properties.iter().filter(|property| property["name"] == GUARD);
            let values: Vec<_> = guards.map(|property| property["value"].as_str().unwrap()).collect();
            assert_eq!(values, tokens);
        }
    }

    #[test]
    fn bungeeguards_token_stands_among_the_properties() {
        let guarded =
            host(&Forwarding::BungeeGuard(Zeroizing::new(b"token".to_vec())), "a", vec![textures()]);
        let properties: serde_json::Value =
            serde_json::from_str(guarded.rsplit('\0').next().unwrap()).unwrap();
        assert_eq!(properties[1], json!({ "name": "bungeeguard-token", "value": "token", "signature": "" }));
    }

    #[test]
    fn the_form_of_velocitys_answer_is_what_both_know() {
        let form = |asked: &[u8], version, key| form(asked, ProtocolVersion(version), key);
        assert_eq!((form(&[], 775, false), form(&[4, 0], 775, false), form(&[1], 775, false)), (1, 1, 1));
        assert_eq!((form(&[4], 393, false), form(&[4], 758, false)), (1, 1));
        assert_eq!((form(&[4], 761, false), form(&[3], 761, false), form(&[4], 775, true)), (4, 1, 4));
        assert_eq!((form(&[4], 759, true), form(&[2], 759, true), form(&[4], 759, false)), (2, 2, 1));
        assert_eq!((form(&[4], 760, true), form(&[2], 760, true), form(&[4], 760, false)), (3, 1, 1));
    }

    /// The seal is compared with one from Python's hmac module.
    #[test]
    fn velocitys_answer_is_sealed() {
        let profile = profile(Vec::new());
        let traveller = Traveller { profile: &profile, address: Ipv4Addr::LOCALHOST.into(), key: None };
        let version = ProtocolVersion::V1_21;
        let velocity = Forwarding::Velocity(Zeroizing::new(b"secret".to_vec()));
        let answer = velocity.answer(&[1], version, &traveller).unwrap();
        let told =
            b"\x01\x09127.0.0.1\x06\x9a\x79\xf4\x44\xe9\x47\x26\xa5\xbe\xfc\xa9\x0e\x38\xaa\xf5\x05Notch\0";
        assert_eq!(&answer[32..], told);
        let seal: String = answer[..32].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(seal, "0db3697041bcf9d105be093c6e4dc70c41d56964ee95c06033ba33330b7804bf");
        assert_eq!(Forwarding::BungeeCord.answer(&[1], version, &traveller), None);
    }
}
