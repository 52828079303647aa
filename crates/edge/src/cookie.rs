//! The cookies that a client carries from edge to edge across Transfers.
//!
//! The *authentication cookie* proves who a player is; it travels encrypted only and spares the session server. Its bytes,
//! in the types of the wire protocol:
//!
//! | field | type |
//! |---|---|
//! | format | byte, 1 |
//! | when the player last proved who they are | long, seconds since 1970 |
//! | UUID, name, properties | as in Login Success |
//! | seal | 32 bytes, HMAC-SHA256 |
//!
//! The seal covers those bytes and, without their being in the cookie, what they are bound to: the namespace, the realm that
//! vouched (see [`AuthenticationAdapter::realm`](drawbridge_model::AuthenticationAdapter::realm)) and the player's address.
//!
//! The *session cookie* is a hint, unsigned: JSON with the trace context and until when the authentication cookie is good.
//!
//! The *return cookie* ([`way_back`]) brings a player whose edge stops back to where they were.
//!
//! What must stay true: every server that a player is handed over to can read and replace all of them, so nothing is believed but a whole seal,
//! and the time inside never gets younger by being handed on.

#[cfg(test)]
mod forged;
mod way_back;

use drawbridge_config::{Fields, Secret, section};
use drawbridge_model::{Profile, Property, TraceContext};
use drawbridge_protocol::packet::MAX_COOKIE;
use drawbridge_protocol::wire::{DecodeError, Decoder, Encoder};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use thiserror::Error;

section! {
    /// What a returning player carries, so that the session server isn't asked again. Without secrets there are no cookies.
    #[defaults]
    #[check(Cookies::check)]
    pub struct Cookies {
        /// The first signs, all verify; at least 32 bytes each. Edges that share them honour each other's cookies.
        pub secrets: Vec<Secret<SHORTEST_SECRET>> = Vec::new(),
        /// How long a cookie is good, counted from when the player last proved who they are.
        pub max_age: Duration = Duration::from_secs(6 * 60 * 60),
        /// Whether a cookie is good only from the address it was given to.
        pub bind_address: bool = true,
        /// The cookies' keys are `<namespace>:authentication`, `<namespace>:session` and `<namespace>:return`.
        pub namespace: String = String::from("drawbridge"),
    }
}

impl Cookies {
    /// The keys of this namespace, whether there are secrets or not.
    #[must_use]
    pub fn keys(&self) -> CookieKeys {
        let key = |path| format!("{}:{path}", self.namespace);
        CookieKeys { authentication: key("authentication"), session: key("session"), way_back: key("return") }
    }

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
        if self.namespace.is_empty() || !self.namespace.bytes().all(fits) {
            fields.error("namespace", "clients take only a-z, 0-9, _, . and - in a namespace");
        }
        if self.max_age.is_zero() {
            fields.error("max_age", "a cookie that is never good: leave the secrets out instead");
        }
    }
}

/// Under which keys clients keep the cookies of a namespace.
#[derive(Debug, Clone, Default)]
pub struct CookieKeys {
    /// The authentication cookie's.
    pub authentication: String,
    /// The session cookie's.
    pub session: String,
    /// That of the cookie by which a player whose edge stops comes back to where they were.
    pub way_back: String,
}

impl CookieKeys {
    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &String> {
        [&self.authentication, &self.session, &self.way_back].into_iter()
    }
}

/// The only format there is.
const FORMAT: u8 = 1;
/// What is sealed.
const AUTHENTICATION: &str = "drawbridge authentication cookie";
/// Length of the seal in bytes.
const SEAL: usize = 32;
/// How far the clocks of two edges may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// The shortest secret, in bytes: what HMAC-SHA256 can make use of.
pub const SHORTEST_SECRET: usize = 32;

/// Why an authentication cookie isn't believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CookieError {
    /// It isn't sealed by any of the secrets, or for another namespace, realm or address.
    #[error("no valid seal")]
    Seal,
    /// Sealed, but not in a format that this edge knows.
    #[error("an unknown format")]
    Format,
    /// Older than `cookies.max_age`, or from the future.
    #[error("expired")]
    Expired,
    /// It is another player's.
    #[error("another player's")]
    Player,
}

/// What a cookie is good for, beside the player it names.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// Who vouched for the player.
    pub realm: &'a str,
    /// The player's address, cut to what counts as one.
    pub address: IpAddr,
}

/// A profile, and when its player proved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Who the player is.
    pub profile: Profile,
    /// When an authentication adapter vouched for it.
    pub proved: SystemTime,
}

/// Seals and opens cookies.
#[derive(Debug)]
pub struct Jar {
    secrets: Vec<Secret<SHORTEST_SECRET>>,
    max_age: Duration,
    bind_address: bool,
    namespace: String,
    keys: CookieKeys,
}

impl Jar {
    /// `None` where there are no secrets.
    #[must_use]
    pub fn new(settings: &Cookies) -> Option<Self> {
        (!settings.secrets.is_empty()).then(|| Self {
            secrets: settings.secrets.clone(),
            max_age: settings.max_age,
            bind_address: settings.bind_address,
            namespace: settings.namespace.clone(),
            keys: settings.keys(),
        })
    }

    /// The authentication cookie's key.
    #[must_use]
    pub fn authentication_key(&self) -> String {
        self.keys.authentication.clone()
    }

    /// The session cookie's key.
    #[must_use]
    pub fn session_key(&self) -> String {
        self.keys.session.clone()
    }

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

    /// A cookie of these bytes. `None` when they are too many.
    fn sealed(&self, mut cookie: Vec<u8>, kind: &str, binding: Binding<'_>) -> Option<Vec<u8>> {
        let seal = self.mac(self.secrets.first()?, &cookie, kind, binding).finalize().into_bytes();
        cookie.extend_from_slice(&seal);
        (cookie.len() <= MAX_COOKIE).then_some(cookie)
    }

    /// The bytes that a cookie of this kind seals.
    fn opened<'c>(
        &self,
        cookie: &'c [u8],
        kind: &str,
        binding: Binding<'_>,
    ) -> Result<&'c [u8], CookieError> {
        let (body, seal) = cookie
            .len()
            .checked_sub(SEAL)
            .and_then(|end| cookie.split_at_checked(end))
            .ok_or(CookieError::Seal)?;
        // All secrets are tried, so that the time tells nothing about which one fits; the comparison is constant-time.
        let fits = self.secrets.iter().fold(false, |fits, secret| {
            fits | self.mac(secret, body, kind, binding).verify_slice(seal).is_ok()
        });
        if fits { Ok(body) } else { Err(CookieError::Seal) }
    }

    fn mac(
        &self,
        secret: &Secret<SHORTEST_SECRET>,
        body: &[u8],
        kind: &str,
        binding: Binding<'_>,
    ) -> Hmac<Sha256> {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).expect("any length is a key");
        let mut bound = Vec::with_capacity(128);
        let mut fields = Encoder::new(&mut bound);
        fields.string(kind);
        fields.string(&self.namespace);
        fields.string(binding.realm);
        fields.option(self.bind_address.then_some(binding.address), |fields, address| match address {
            IpAddr::V4(address) => fields.byte_array(&address.octets()),
            IpAddr::V6(address) => fields.byte_array(&address.octets()),
        });
        mac.update(&bound);
        mac.update(body);
        mac
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

fn time(fields: &mut Decoder<'_>) -> Result<SystemTime, DecodeError> {
    let stated = fields.i64("time")?;
    u64::try_from(stated)
        .ok()
        .and_then(|stated| UNIX_EPOCH.checked_add(Duration::from_secs(stated)))
        .ok_or(DecodeError::Value { field: "time", value: stated })
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// What the session cookie hints at. Anybody may have written it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The trace that the player's way belongs to.
    pub trace: Option<TraceContext>,
    /// Until when the authentication cookie is said to be good.
    pub good_until: Option<SystemTime>,
}

impl Hint {
    /// Writes the cookie.
    #[must_use]
    pub fn to_cookie(self) -> Vec<u8> {
        json!({
            "traceparent": self.trace.map(|trace| trace.to_string()),
            "good_until": self.good_until.map(seconds),
        })
        .to_string()
        .into_bytes()
    }

    /// Reads the cookie; whatever isn't as it should be is no hint.
    #[must_use]
    pub fn from_cookie(cookie: &[u8]) -> Self {
        let document: Value = serde_json::from_slice(cookie).unwrap_or_default();
        Self {
            trace: document["traceparent"].as_str().and_then(TraceContext::parse),
            good_until: document["good_until"]
                .as_u64()
                .and_then(|stated| UNIX_EPOCH.checked_add(Duration::from_secs(stated))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;
    use uuid::Uuid;

    const BINDING: Binding<'_> =
        Binding { realm: "a realm", address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST) };

    /// A jar whose secret is `byte` 32 times.
    fn jar(byte: u8) -> Jar {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cookie.key");
        fs::write(&file, [byte; SHORTEST_SECRET]).unwrap();
        let text = format!("secrets = [{{ file = {file:?} }}]");
        Jar::new(&drawbridge_config::read_text("drawbridge.toml", &text).unwrap()).unwrap()
    }

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
