//! Authentication `mojang`: the session server says whether the player has told it that they join here (Minecraft wiki,
//! "Java Edition protocol/Encryption").
//!
//! What must stay true: only an answer with a well-formed profile of the claimed name lets anybody in; what the client says
//! goes into the query encoded.

use crate::http::Http;
use crate::location::BaseUrl;
use crate::session_server::SessionServer;
use async_trait::async_trait;
use drawbridge_adapter::profile;
use drawbridge_config::{Fields, section};
use drawbridge_model::{
    AdapterError, Authentication, AuthenticationAdapter, AuthenticationError, Identity, Profile, Property,
};
use drawbridge_protocol::profile::server_hash;
use drawbridge_telemetry::metrics::{self, Asking};
use hyper::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

section! {
    /// A session server decides.
    #[defaults]
    #[check(MojangSection::check)]
    pub struct MojangSection {
        /// The session server, without the path of its calls.
        pub url: BaseUrl = BaseUrl::mojang(),
        /// How long it may take to answer, waiting for other calls included.
        pub timeout: Duration = Duration::from_secs(5),
        /// Whether the client's address must be the one that it joins from; as `prevent-proxy-connections` of a server.
        pub check_address: bool = false,
    }
}

impl MojangSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.timeout.is_zero() {
            fields.error("timeout", "nobody answers in no time");
        }
    }
}

/// Asks a session server.
#[derive(Debug)]
pub struct Mojang {
    server: Arc<SessionServer>,
    realm: String,
    timeout: Duration,
    check_address: bool,
}

impl Mojang {
    /// As the section says. The server is asked when the first player comes, not before.
    #[must_use]
    pub fn new(section: &MojangSection, http: &Http) -> Self {
        let &MojangSection { ref url, timeout, check_address } = section;
        // Who was asked with the address is vouched for more strictly, so that one realm doesn't stand for the other.
        let realm = format!("{url}{}", if check_address { " with address" } else { "" });
        Self { server: http.session_server(url), realm, timeout, check_address }
    }

    fn query(&self, request: &Authentication<'_>) -> String {
        let hash = server_hash("", request.shared_secret, request.public_key);
        let mut query = form_urlencoded::Serializer::new(String::with_capacity(128));
        query.append_pair("username", &request.claim.name).append_pair("serverId", &hash);
        if self.check_address {
            query.append_pair("ip", &request.client.address.ip().to_string());
        }
        query.finish()
    }
}

#[async_trait]
impl AuthenticationAdapter for Mojang {
    fn wants_session(&self) -> bool {
        true
    }

    fn realm(&self) -> Option<&str> {
        Some(&self.realm)
    }

    async fn authenticate(&self, request: Authentication<'_>) -> Result<Identity, AuthenticationError> {
        let measured = Asking::begin("authentication", "mojang");
        let identity = self.ask(&request).await;
        measured.end(identity.as_ref().map_or_else(metrics::Answer::from, |_| metrics::Answer::Ok));
        identity
    }
}

impl Mojang {
    async fn ask(&self, request: &Authentication<'_>) -> Result<Identity, AuthenticationError> {
        let trace = &request.client.trace;
        let answer = self.server.has_joined(&self.query(request), trace, self.timeout).await?;
        match answer.status {
            StatusCode::OK => {
                let profile = read_profile(&answer.body, &request.claim.name);
                Ok(Identity::Verified(profile.map_err(AdapterError::Answer)?))
            }
            // Mojang's says the one, others the other of who hasn't joined.
            StatusCode::NO_CONTENT | StatusCode::FORBIDDEN => Err(AuthenticationError::Denied),
            status => Err(AdapterError::Answer(format!("it answers {status}")).into()),
        }
    }
}

/// What a session server says of who joined. It says more (`profileActions`), which isn't for the edge.
#[derive(Debug, Deserialize)]
struct Joined {
    id: String,
    name: String,
    #[serde(default)]
    properties: Vec<JoinedProperty>,
}

#[derive(Debug, Deserialize)]
struct JoinedProperty {
    name: String,
    value: String,
    signature: Option<String>,
}

/// The profile in an answer, if it is one and of the player who claims it.
fn read_profile(body: &[u8], claimed: &str) -> Result<Profile, String> {
    let joined: Joined = serde_json::from_slice(body).map_err(|error| format!("no profile: {error}"))?;
    let id = Uuid::try_parse(&joined.id).ok().filter(|id| joined.id.len() == 32 && !id.is_nil());
    let id = id.ok_or("a profile whose id isn't a UUID of 32 hexadecimal digits")?;
    if !joined.name.eq_ignore_ascii_case(claimed) {
        return Err("a profile of another name".to_owned());
    }
    let property = |JoinedProperty { name, value, signature }| Property { name, value, signature };
    let profile =
        Profile { id, name: joined.name, properties: joined.properties.into_iter().map(property).collect() };
    profile::check(&profile).map_err(|error| format!("a profile that no client can read: {error}"))?;
    Ok(profile)
}

#[cfg(test)]
mod tests;
