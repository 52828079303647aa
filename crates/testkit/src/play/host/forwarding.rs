//! Velocity's modern forwarding, checked by the rules that its authors published, and not by the code that is under test.

use crate::play::fault::Fault;
use crate::play::line::{Heard, Line, in_fields};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::login::LoginPluginResponse;
use drawbridge_protocol::wire::{DecodeError, Decoder};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::net::IpAddr;
use uuid::Uuid;

/// The channel that a server asks on.
const CHANNEL: &str = "velocity:player_info";
/// The number of the question; any does.
pub(super) const MESSAGE: i32 = 0x5eed;
/// The newest form that the server asks for.
const NEWEST: u8 = 4;
/// Bytes of the signature in front.
const SIGNATURE: usize = 32;

/// Who the player is by the word of whoever forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forwarded {
    pub(super) address: IpAddr,
    pub(super) id: Uuid,
    pub(super) name: String,
    /// Their names.
    pub(super) properties: Vec<String>,
}

/// Asks who the player is.
pub(super) fn ask(line: &mut Line) -> Result<(), Fault> {
    line.say_kind(State::Login, Kind::LoginPluginRequest, |_, out| {
        out.varint(MESSAGE);
        out.string(CHANNEL);
        out.u8(NEWEST);
    })
}

/// The answer.
pub(super) fn hear(version: ProtocolVersion, heard: &Heard, secret: &[u8]) -> Result<Forwarded, Fault> {
    let answer: LoginPluginResponse = heard.read(version)?;
    if answer.message != MESSAGE {
        return Err(Fault::Unasked(Kind::LoginPluginResponse));
    }
    verified(version, &answer.data.ok_or(Fault::Forwarding("not understood"))?, secret)
}

fn verified(version: ProtocolVersion, data: &[u8], secret: &[u8]) -> Result<Forwarded, Fault> {
    let signed = data.split_at_checked(SIGNATURE).ok_or(Fault::Forwarding("too short for a signature"))?;
    let (signature, said) = signed;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| Fault::Forwarding("no secret"))?;
    mac.update(said);
    mac.verify_slice(signature).map_err(|_| Fault::Forwarding("signed with another secret"))?;
    let mut fields = Decoder::new(said);
    // Those without a key of the player's: the players of the kit have none.
    let form = if version >= ProtocolVersion::V1_19_3 { 4 } else { 1 };
    let said_form = fields.varint("form").map_err(wrong)?;
    if said_form != form {
        return Err(Fault::Forwarding("another form than the version's"));
    }
    let forwarded = read(&mut fields).map_err(wrong)?;
    fields.finish().map_err(wrong)?;
    forwarded.ok_or(Fault::Forwarding("an address that is none"))
}

fn wrong(error: DecodeError) -> Fault {
    in_fields(State::Login, Kind::LoginPluginResponse)(error)
}

fn read(fields: &mut Decoder<'_>) -> Result<Option<Forwarded>, DecodeError> {
    let address = fields.string("address", 255)?.parse().ok();
    let id = fields.uuid("uuid")?;
    let name = fields.string("name", 16)?.to_owned();
    let mut properties = Vec::new();
    for _ in 0..fields.length("properties", 16)? {
        properties.push(fields.string("property", 64)?.to_owned());
        fields.string("value", 32_767)?;
        fields.option("signature", |fields| fields.string("signature", 1_024))?;
    }
    Ok(address.map(|address| Forwarded { address, id, name, properties }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_protocol::wire::Encoder;

    fn signed(form: i32, secret: &[u8]) -> Vec<u8> {
        let mut said = Vec::new();
        let mut out = Encoder::new(&mut said);
        out.varint(form);
        out.string("203.0.113.9");
        out.uuid(Uuid::from_u128(7));
        out.string("Alice");
        out.length(1);
        out.string("textures");
        out.string("value");
        out.option(Some("signature"), Encoder::string);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(&said);
        [mac.finalize().into_bytes().as_slice(), &said].concat()
    }

    #[test]
    fn who_forwards_is_believed_with_the_secret_and_in_the_versions_form() {
        let read = |version, form, secret: &[u8]| {
            verified(ProtocolVersion(version), &signed(form, secret), b"right")
        };
        for (version, form) in [(393, 1), (760, 1), (761, 4), (775, 4)] {
            let forwarded = read(version, form, b"right").unwrap();
            assert_eq!((&*forwarded.name, forwarded.id), ("Alice", Uuid::from_u128(7)));
            assert_eq!(forwarded.address.to_string(), "203.0.113.9");
            assert_eq!(forwarded.properties, ["textures"]);
            assert!(matches!(read(version, form, b"wrong"), Err(Fault::Forwarding(_))));
            assert!(matches!(read(version, 5 - form, b"right"), Err(Fault::Forwarding(_))));
        }
        let mut changed = signed(4, b"right");
        *changed.last_mut().unwrap() ^= 1;
        assert!(matches!(verified(ProtocolVersion(775), &changed, b"right"), Err(Fault::Forwarding(_))));
        assert!(matches!(verified(ProtocolVersion(775), &[0; 31], b"right"), Err(Fault::Forwarding(_))));
    }
}
