//! The cookies that a client carries from edge to edge across Transfers.
//!
//! - The *authentication cookie* ([`Proof`]) proves who a player is.
//! - The *session cookie* ([`Hint`]) is a hint, unsigned: the trace, and until when the other one is good.
//! - The *return cookie* ([`way_back`]) brings a player whose edge stops back to where they were.
//!
//! The seal covers a cookie's bytes and, without their being in it, what they are bound to: the namespace, the realm that
//! vouched (see [`AuthenticationAdapter::realm`](drawbridge_model::AuthenticationAdapter::realm)) and the player's address.
//!
//! What must stay true: every server that a player is handed over to can read and replace all of them, so nothing is believed but a whole seal,
//! and the time inside never gets younger by being handed on.

mod authentication;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod forged;
mod hint;
mod way_back;

pub use authentication::Proof;
pub use hint::Hint;

use drawbridge_config::{Fields, Secret, section};
use drawbridge_protocol::packet::MAX_COOKIE;
use drawbridge_protocol::wire::{DecodeError, Decoder, Encoder};
use hmac::{Hmac, KeyInit as _, Mac as _};
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
