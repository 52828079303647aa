//! Authentication `grpc`: a service decides who a player is.
//!
//! What must stay true: only an answer with a well-formed profile lets anybody in.

use crate::endpoint::Endpoint;
use crate::error::shown;
use crate::grpc::Grpc;
use crate::proto::authentication_response::Reason;
use crate::proto::{AuthenticationRequest, AuthenticationResponse, PlayerInfo, Profile as Told, path};
use crate::service::{Complaints, Method, Service};
use crate::target::client_info;
use async_trait::async_trait;
use drawbridge_adapter::profile;
use drawbridge_config::section;
use drawbridge_model::{
    AdapterError, Authentication, AuthenticationAdapter, AuthenticationError, Identity, Profile, Property,
};
use uuid::Uuid;

section! {
    /// A service decides.
    pub struct GrpcAuthenticationSection {
        /// The service.
        pub endpoint: Endpoint,
    }
}

/// A profile with signed textures has some 2,000 bytes; a client takes sixteen properties of 32,767 characters each, which
/// nobody has.
const METHOD: Method = Method { path: path::AUTHENTICATION, largest: 64 << 10 };
/// The longest key of a message, in bytes.
const KEY: usize = 64;

/// Asks a service who a player is.
#[derive(Debug)]
pub struct GrpcAuthentication {
    service: Service,
    realm: String,
}

impl GrpcAuthentication {
    /// As the section says; what fails is for the guard before it.
    #[must_use]
    pub fn new(section: &GrpcAuthenticationSection, grpc: &Grpc) -> Self {
        let service = grpc.service(&section.endpoint);
        Self { realm: format!("grpc {}", section.endpoint.name()), service }
    }
}

#[async_trait]
impl AuthenticationAdapter for GrpcAuthentication {
    /// The service is given what the session server is asked with, so that the client has to have told it.
    fn wants_session(&self) -> bool {
        true
    }

    fn realm(&self) -> Option<&str> {
        Some(&self.realm)
    }

    async fn authenticate(&self, request: Authentication<'_>) -> Result<Identity, AuthenticationError> {
        let Authentication { client, claim, shared_secret, public_key } = request;
        let question = AuthenticationRequest {
            client: Some(client_info(client)),
            player: Some(PlayerInfo { name: claim.name.clone(), id: claim.id.to_string() }),
            shared_secret: shared_secret.to_vec(),
            encoded_public: public_key.to_vec(),
        };
        let answer: AuthenticationResponse = self.service.ask(METHOD, question, Some(client.trace)).await?;
        match answer.reason {
            Some(Reason::Profile(told)) => {
                let profile = read_profile(told).map_err(AdapterError::Answer)?;
                Ok(Identity::Verified(profile))
            }
            Some(Reason::Key(key)) => Err(message_key(key, self.service.complaints())
                .map_or(AuthenticationError::Denied, AuthenticationError::Refused)),
            None => Err(AdapterError::Answer("neither a profile nor a key".to_owned()).into()),
        }
    }
}

/// The key of a message, if it can be one; the player is refused either way.
pub(crate) fn message_key(key: String, complaints: &Complaints) -> Option<String> {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    if (1..=KEY).contains(&key.len()) && key.bytes().all(usual) {
        return Some(key);
    }
    if !key.is_empty()
        && let Some(service) = complaints.due()
    {
        tracing::warn!(
            service,
            key = shown(&key),
            "a service refuses with what can't be the key of a message"
        );
    }
    None
}

/// The profile that a service vouches for. It may be another than the claimed one: the service decides who somebody is.
fn read_profile(told: Told) -> Result<Profile, String> {
    let id = Uuid::try_parse(&told.id).ok().filter(|id| matches!(told.id.len(), 32 | 36) && !id.is_nil());
    let id = id.ok_or("a profile whose id isn't a UUID")?;
    let properties = told.properties.into_iter();
    let properties = properties.map(|property| Property {
        name: property.name,
        value: property.value,
        signature: property.signature,
    });
    let profile = Profile { id, name: told.name, properties: properties.collect() };
    profile::check(&profile).map_err(|error| format!("a profile that no client can read: {error}"))?;
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::quiet;
    use crate::proto::ProfileProperty;

    fn told(id: &str, name: &str, value: &str) -> Told {
        let property =
            ProfileProperty { name: "textures".to_owned(), value: value.to_owned(), signature: None };
        Told { id: id.to_owned(), name: name.to_owned(), properties: vec![property], profile_actions: vec![] }
    }

    #[test]
    fn a_profile_is_one_that_clients_can_read() {
        for id in ["069a79f4-44e9-4726-a5be-fca90e38aaf5", "069a79f444e94726a5befca90e38aaf5"] {
            let profile = read_profile(told(id, "Notch", "e30=")).unwrap();
            assert_eq!((profile.name.as_str(), profile.properties[0].value.as_str()), ("Notch", "e30="));
        }
        let id = "069a79f444e94726a5befca90e38aaf5";
        for wrong in [
            told("", "Notch", ""),
            told("{069a79f4-44e9-4726-a5be-fca90e38aaf5}", "Notch", ""),
            told("00000000-0000-0000-0000-000000000000", "Notch", ""),
            told(id, "", ""),
            told(id, "seventeen_letters", ""),
            told(id, "No\ntch", ""),
            told(id, "Notch", &"x".repeat(32_768)),
        ] {
            assert!(read_profile(wrong.clone()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_key_is_short_and_plain() {
        for key in ["disconnect_access", "my.plugin:banned-2"] {
            assert_eq!(message_key(key.to_owned(), &quiet()).as_deref(), Some(key));
        }
        for key in ["", "two words", "§c", "a\nb", &"x".repeat(KEY + 1)] {
            assert_eq!(message_key(key.to_owned(), &quiet()), None, "{key:?}");
        }
    }
}
