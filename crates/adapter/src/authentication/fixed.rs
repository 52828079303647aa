//! Authentication `fixed`: everybody is the same player, or nobody gets in.

use crate::profile;
use crate::setting::Id;
use async_trait::async_trait;
use drawbridge_config::{Fields, section};
use drawbridge_model::{
    Authentication, AuthenticationAdapter, AuthenticationError, Identity, Profile, Property,
};

section! {
    /// The same answer for everybody.
    #[defaults]
    pub struct FixedAuthenticationSection {
        /// Who everybody is; without it nobody gets in.
        pub profile: Option<ProfileSection>,
    }
}

section! {
    /// Who a player is.
    #[check(ProfileSection::check)]
    pub struct ProfileSection {
        /// The UUID.
        pub id: Id,
        /// The name: 1 to 16 characters.
        pub name: String,
        /// Properties such as `textures`, at most 16.
        pub properties: Vec<PropertySection> = Vec::new(),
    }
}

section! {
    /// A property of a profile.
    pub struct PropertySection {
        /// Its name, such as `textures`.
        pub name: String,
        /// Its value; Base64 for `textures`.
        pub value: String,
        /// The session server's signature in Base64.
        pub signature: Option<String>,
    }
}

impl ProfileSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if let Err(error) = profile::check(&self.profile()) {
            let key = if error == profile::ProfileError::Name { "name" } else { "properties" };
            fields.error(key, error.to_string());
        }
    }

    fn profile(&self) -> Profile {
        let properties = self.properties.iter().cloned();
        let properties =
            properties.map(|PropertySection { name, value, signature }| Property { name, value, signature });
        Profile { id: self.id.0, name: self.name.clone(), properties: properties.collect() }
    }
}

/// Gives everybody one profile, or refuses everybody.
#[derive(Debug, Clone)]
pub struct Fixed {
    profile: Option<Profile>,
}

impl Fixed {
    /// As the section says.
    #[must_use]
    pub fn new(section: &FixedAuthenticationSection) -> Self {
        Self { profile: section.profile.as_ref().map(ProfileSection::profile) }
    }
}

#[async_trait]
impl AuthenticationAdapter for Fixed {
    fn wants_session(&self) -> bool {
        false
    }

    /// Asking costs nothing, so that nothing needs to be a substitute for it.
    fn realm(&self) -> Option<&str> {
        None
    }

    async fn authenticate(&self, _: Authentication<'_>) -> Result<Identity, AuthenticationError> {
        self.profile.clone().map(Identity::Verified).ok_or(AuthenticationError::Denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::ask;
    use drawbridge_config::read_text;

    #[tokio::test]
    async fn everybody_is_the_profile() {
        let section: FixedAuthenticationSection = read_text(
            "fixed.toml",
            "[profile]\nid = '069a79f4-44e9-4726-a5be-fca90e38aaf5'\nname = 'Notch'\n\
             properties = [{ name = 'textures', value = 'e30=' }]",
        )
        .unwrap();
        let Ok(Identity::Verified(profile)) = ask(&Fixed::new(&section), "Somebody").await else {
            panic!("not verified")
        };
        assert_eq!(profile.name, "Notch");
        assert_eq!(profile.properties[0].value, "e30=");
        assert!(!Fixed::new(&section).wants_session());
    }

    #[tokio::test]
    async fn without_a_profile_nobody_gets_in() {
        let fixed = Fixed::new(&FixedAuthenticationSection::default());
        assert_eq!(ask(&fixed, "Notch").await, Err(AuthenticationError::Denied));
    }

    #[test]
    fn a_profile_that_no_client_could_read_is_a_mistake() {
        let text = "[profile]\nid = '069a79f444e94726a5befca90e38aaf5'\nname = 'far too long for a name'";
        let error = format!("{:?}", read_text::<FixedAuthenticationSection>("fixed.toml", text).unwrap_err());
        assert!(error.contains("1 to 16 visible characters"), "{error}");
    }
}
