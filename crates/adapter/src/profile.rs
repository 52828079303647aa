//! What a profile may hold, so that the Login Success that carries it can be read by every client.

use drawbridge_model::{Profile, Property};
use drawbridge_protocol::profile::{NAME, PROPERTIES, PROPERTY_NAME, PROPERTY_SIGNATURE, PROPERTY_VALUE};
use thiserror::Error;

/// Why a profile can't be given to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// The name is empty, too long, or has characters that don't show.
    #[error("a name has 1 to {NAME} visible characters")]
    Name,
    /// Too many properties.
    #[error("a profile has at most {PROPERTIES} properties")]
    Properties,
    /// A property's name is empty or too long.
    #[error("a property's name has 1 to {PROPERTY_NAME} characters")]
    PropertyName,
    /// A property's value is too long.
    #[error("a property's value has at most {PROPERTY_VALUE} characters")]
    PropertyValue,
    /// A property's signature is too long.
    #[error("a property's signature has at most {PROPERTY_SIGNATURE} characters")]
    PropertySignature,
}

/// Whether clients can read the profile (Minecraft wiki, "Java Edition protocol/Packets", Login Success).
///
/// # Errors
/// When they can't.
pub fn check(profile: &Profile) -> Result<(), ProfileError> {
    check_name(&profile.name)?;
    if profile.properties.len() > PROPERTIES {
        return Err(ProfileError::Properties);
    }
    profile.properties.iter().try_for_each(check_property)
}

/// Whether a name can be a player's.
///
/// # Errors
/// When it is empty, too long, or has characters that don't show.
pub fn check_name(name: &str) -> Result<(), ProfileError> {
    let visible = !name.chars().any(|character| character.is_control() || character.is_whitespace());
    if visible && !name.is_empty() && fits(name, NAME) { Ok(()) } else { Err(ProfileError::Name) }
}

fn check_property(property: &Property) -> Result<(), ProfileError> {
    if property.name.is_empty() || !fits(&property.name, PROPERTY_NAME) {
        return Err(ProfileError::PropertyName);
    }
    if !fits(&property.value, PROPERTY_VALUE) {
        return Err(ProfileError::PropertyValue);
    }
    match &property.signature {
        Some(signature) if !fits(signature, PROPERTY_SIGNATURE) => Err(ProfileError::PropertySignature),
        _ => Ok(()),
    }
}

/// Clients count UTF-16 units.
fn fits(text: &str, most: usize) -> bool {
    text.len() <= most || text.encode_utf16().take(most + 1).count() <= most
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn profile(name: &str, properties: Vec<Property>) -> Profile {
        Profile { id: Uuid::nil(), name: name.to_owned(), properties }
    }

    fn property(name: usize, value: usize, signature: Option<usize>) -> Property {
        let text = |length| "x".repeat(length);
        Property { name: text(name), value: text(value), signature: signature.map(text) }
    }

    #[test]
    fn bounds_are_inclusive() {
        let largest = property(PROPERTY_NAME, PROPERTY_VALUE, Some(PROPERTY_SIGNATURE));
        assert_eq!(check(&profile("sixteen_letters_", vec![largest.clone(); PROPERTIES])), Ok(()));
        assert_eq!(check(&profile("a", vec![largest; PROPERTIES + 1])), Err(ProfileError::Properties));
        for (wrong, error) in [
            (property(0, 1, None), ProfileError::PropertyName),
            (property(PROPERTY_NAME + 1, 1, None), ProfileError::PropertyName),
            (property(1, PROPERTY_VALUE + 1, None), ProfileError::PropertyValue),
            (property(1, 1, Some(PROPERTY_SIGNATURE + 1)), ProfileError::PropertySignature),
        ] {
            assert_eq!(check(&profile("a", vec![wrong])), Err(error));
        }
    }

    #[test]
    fn names_are_visible_and_short() {
        for name in ["", "seventeen_letters", "a b", "a\n", "a\u{0}", "\u{a0}"] {
            assert_eq!(check_name(name), Err(ProfileError::Name), "{name:?}");
        }
        // Sixteen characters of two bytes each.
        assert_eq!(check_name(&"ü".repeat(16)), Ok(()));
        // Eight characters of two UTF-16 units each.
        assert_eq!(check_name(&"𝄞".repeat(8)), Ok(()));
        assert_eq!(check_name(&"𝄞".repeat(9)), Err(ProfileError::Name));
    }
}
