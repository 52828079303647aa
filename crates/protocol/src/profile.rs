//! Who a player is on the wire: profiles, offline UUIDs and the hash that the session server is asked with.

use md5::Digest as _;
use uuid::Uuid;

/// The most characters of a name. This bound and those below are vanilla's (Minecraft wiki, "Java Edition protocol/Packets", Login
/// Success).
pub const NAME: usize = 16;
/// The most properties of a profile.
pub const PROPERTIES: usize = 16;
/// The most characters of a property's name.
pub const PROPERTY_NAME: usize = 64;
/// The most characters of a property's value.
pub const PROPERTY_VALUE: usize = 32_767;
/// The most characters of a property's signature.
pub const PROPERTY_SIGNATURE: usize = 1_024;

/// A property of a profile, such as `textures`, signed by the session server where it comes from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its name; unique in a profile.
    pub name: String,
    /// Its value; Base64 for `textures`.
    pub value: String,
    /// The session server's signature in Base64.
    pub signature: Option<String>,
}

/// A player's name, UUID and properties, vouched for by an authentication adapter or by a valid cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The player's UUID.
    pub id: Uuid,
    /// The player's name, in the spelling of whoever vouches.
    pub name: String,
    /// In the order in which they came.
    pub properties: Vec<Property>,
}

/// The UUID that a vanilla server in offline mode gives to a name: version-3 MD5 of `OfflinePlayer:<name>` with no namespace
/// (Java's `UUID.nameUUIDFromBytes`).
///
/// ```
/// # use drawbridge_protocol::profile::offline_uuid;
/// assert_eq!(offline_uuid("Notch").to_string(), "b50ad385-829d-3141-a216-7e7d7539ba7f");
/// ```
#[must_use]
pub fn offline_uuid(name: &str) -> Uuid {
    let digest = md5::Md5::new().chain_update("OfflinePlayer:").chain_update(name).finalize();
    uuid::Builder::from_md5_bytes(digest.into()).into_uuid()
}

/// The hash that client and server both tell the session server: SHA-1 over the server id, the shared secret and the
/// public key (DER), as a signed hexadecimal number (Minecraft wiki, "Java Edition protocol/Encryption").
///
/// ```
/// # use drawbridge_protocol::profile::server_hash;
/// assert_eq!(server_hash("Notch", &[], &[]), "4ed1f46bbe04bc756bcb17c0c7ce3e4632f06a48");
/// assert_eq!(server_hash("jeb_", &[], &[]), "-7c9d5b0044c130109a5d7b5fb5c317c02b4e28c1");
/// ```
#[must_use]
pub fn server_hash(server_id: &str, shared_secret: &[u8], public_key: &[u8]) -> String {
    let mut digest: [u8; 20] = sha1::Sha1::new()
        .chain_update(server_id)
        .chain_update(shared_secret)
        .chain_update(public_key)
        .finalize()
        .into();
    let negative = digest[0] & 0x80 != 0;
    if negative {
        let mut carry = true;
        for byte in digest.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(carry.into());
        }
    }
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let digits = digits.trim_start_matches('0');
    format!("{}{}", if negative { "-" } else { "" }, if digits.is_empty() { "0" } else { digits })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The third sample of the wiki's page, which has a leading zero.
    #[test]
    fn leading_zeros_fall_away() {
        assert_eq!(server_hash("simon", &[], &[]), "88e16a1019277b15d58faf0541e11910eb756f6");
    }
}
