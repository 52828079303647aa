//! The authentication cookie: who a player is. It travels encrypted only and spares the session server. Its bytes, in the types of the wire
//! protocol:
//!
//! | field | type |
//! |---|---|
//! | format | byte, 1 |
//! | when the player last proved who they are | long, seconds since 1970 |
//! | UUID, name, properties | as in Login Success |
//! | seal | 32 bytes, HMAC-SHA256 |

use super::{Binding, CLOCK_SKEW, CookieError, FORMAT, Jar, seconds, time};
use drawbridge_model::{Profile, Property};
use drawbridge_protocol::packet::MAX_COOKIE;
use drawbridge_protocol::wire::{DecodeError, Decoder, Encoder};
use std::time::SystemTime;

/// What is sealed.
const AUTHENTICATION: &str = "drawbridge authentication cookie";

/// A profile, and when its player proved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Who the player is.
    pub profile: Profile,
    /// When an authentication adapter vouched for it.
    pub proved: SystemTime,
}

impl Jar {
    /// Until when a proof is good.
    #[must_use]
    pub fn good_until(&self, proof: &Proof) -> SystemTime {
        proof.proved.checked_add(self.max_age).unwrap_or(proof.proved)
    }

    /// Seals a proof. `None` when the profile is too large for a cookie.
    #[must_use]
    pub fn seal(&self, proof: &Proof, binding: Binding<'_>) -> Option<Vec<u8>> {
        let mut cookie = Vec::with_capacity(512);
        let mut fields = Encoder::new(&mut cookie);
        fields.u8(FORMAT);
        fields.i64(seconds(proof.proved));
        fields.uuid(proof.profile.id);
        fields.string(&proof.profile.name);
        fields.length(proof.profile.properties.len());
        for property in &proof.profile.properties {
            fields.string(&property.name);
            fields.string(&property.value);
            fields.option(property.signature.as_deref(), Encoder::string);
        }
        self.sealed(cookie, AUTHENTICATION, binding)
    }

    /// Opens a cookie that the player who claims `name` sent at `now`.
    ///
    /// # Errors
    /// When it proves nothing, for the reasons in [`CookieError`].
    pub fn open(
        &self,
        cookie: &[u8],
        name: &str,
        binding: Binding<'_>,
        now: SystemTime,
    ) -> Result<Proof, CookieError> {
        let body = self.opened(cookie, AUTHENTICATION, binding)?;
        let proof = read(body).map_err(|_| CookieError::Format)?;
        let too_old = now > self.good_until(&proof);
        if too_old || proof.proved > now + CLOCK_SKEW {
            return Err(CookieError::Expired);
        }
        if !proof.profile.name.eq_ignore_ascii_case(name) {
            return Err(CookieError::Player);
        }
        Ok(proof)
    }
}

fn read(body: &[u8]) -> Result<Proof, DecodeError> {
    let mut fields = Decoder::new(body);
    match fields.u8("format")? {
        FORMAT => {}
        value => return Err(DecodeError::Value { field: "format", value: value.into() }),
    }
    let proved = time(&mut fields)?;
    let id = fields.uuid("uuid")?;
    let name = fields.string("name", MAX_COOKIE)?.to_owned();
    let count = fields.length("properties", MAX_COOKIE)?;
    let mut properties = Vec::new();
    for _ in 0..count {
        properties.push(Property {
            name: fields.string("property name", MAX_COOKIE)?.to_owned(),
            value: fields.string("property value", MAX_COOKIE)?.to_owned(),
            signature: fields.option("signature", |fields| {
                Ok(fields.string("property signature", MAX_COOKIE)?.to_owned())
            })?,
        });
    }
    fields.finish()?;
    Ok(Proof { profile: Profile { id, name, properties }, proved })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::jar;
    use super::super::{Cookies, Hint};
    use super::*;
    use proptest::prelude::*;
    use std::net::IpAddr;
    use std::time::{Duration, UNIX_EPOCH};
    use uuid::Uuid;

    const BINDING: Binding<'_> =
        Binding { realm: "a realm", address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST) };

    fn proof(proved: SystemTime) -> Proof {
        let textures =
            Property { name: "textures".into(), value: "dmFsdWU=".into(), signature: Some("c2ln".into()) };
        let profile = Profile { id: Uuid::from_u128(7), name: "Alice".into(), properties: vec![textures] };
        Proof { profile, proved }
    }

    fn seconds_after_epoch(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_cookie_is_good_for_its_age_and_no_longer() {
        let jar = jar(b'k');
        let proof = proof(seconds_after_epoch(1_000_000));
        let cookie = jar.seal(&proof, BINDING).unwrap();
        let open = |now| jar.open(&cookie, "alice", BINDING, seconds_after_epoch(now));
        let age = Cookies::default().max_age.as_secs();
        assert_eq!(open(1_000_000 + age), Ok(proof.clone()));
        assert_eq!(open(1_000_001 + age), Err(CookieError::Expired));
        assert_eq!(open(1_000_000 - CLOCK_SKEW.as_secs()), Ok(proof.clone()), "clocks may differ a little");
        assert_eq!(open(999_999 - CLOCK_SKEW.as_secs()), Err(CookieError::Expired), "from the future");
    }

    #[test]
    fn a_profile_that_is_too_large_gets_no_cookie() {
        let mut proof = proof(UNIX_EPOCH);
        proof.profile.properties[0].value = "x".repeat(MAX_COOKIE);
        assert_eq!(jar(b'k').seal(&proof, BINDING), None);
    }

    #[test]
    fn it_is_bound_to_player_realm_address_and_secret() {
        let now = seconds_after_epoch(1_000_000);
        let cookie = jar(b'k').seal(&proof(now), BINDING).unwrap();
        let elsewhere = Binding { address: IpAddr::from([127, 0, 0, 2]), ..BINDING };
        let other_realm = Binding { realm: "another", ..BINDING };
        assert_eq!(jar(b'k').open(&cookie, "Mallory", BINDING, now), Err(CookieError::Player));
        assert_eq!(jar(b'k').open(&cookie, "Alice", elsewhere, now), Err(CookieError::Seal));
        assert_eq!(jar(b'k').open(&cookie, "Alice", other_realm, now), Err(CookieError::Seal));
        assert_eq!(jar(b'o').open(&cookie, "Alice", BINDING, now), Err(CookieError::Seal));
    }

    proptest! {
        #[test]
        fn no_change_of_a_byte_is_believed(at: prop::sample::Index, change in 1u8..) {
            let now = seconds_after_epoch(1_000_000);
            let jar = jar(b'k');
            let mut cookie = jar.seal(&proof(now), BINDING).unwrap();
            let at = at.index(cookie.len());
            cookie[at] ^= change;
            prop_assert_eq!(jar.open(&cookie, "Alice", BINDING, now), Err(CookieError::Seal));
        }

        #[test]
        fn no_bytes_make_it_panic(cookie in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = jar(b'k').open(&cookie, "Alice", BINDING, UNIX_EPOCH);
            let _ = Hint::from_cookie(&cookie);
            let _ = read(&cookie);
        }
    }
}
