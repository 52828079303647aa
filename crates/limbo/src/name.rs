//! What a world is called.

use std::fmt;

use thiserror::Error;

/// The longest name, in bytes, without the namespace.
const LONGEST: usize = 64;

/// The name of a limbo as clients see it since 1.16: `drawbridge:hub`. Clients keep apart by it what belongs to a world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorldName(Box<str>);

/// A name that clients would refuse.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing, or too much.
    #[error("a world's name has 1 to {LONGEST} characters, {0:?} has {n}", n = .0.len())]
    Length(String),
    /// A character that isn't one of an identifier's.
    #[error("a world's name is made of a-z, 0-9, _, -, . and /, {0:?} has {1:?}")]
    Character(String, char),
}

impl WorldName {
    /// A name without a namespace, such as `hub`.
    ///
    /// # Errors
    /// When it is empty, longer than 64 characters, or has others than `a-z`, `0-9`, `_`, `-`, `.` and `/`.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() || name.len() > LONGEST {
            return Err(NameError::Length(name.to_owned()));
        }
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-' | '.' | '/');
        match name.chars().find(|&c| !allowed(c)) {
            Some(other) => Err(NameError::Character(name.to_owned(), other)),
            None => Ok(Self(format!("drawbridge:{name}").into())),
        }
    }

    /// With the namespace.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many bytes it takes as a string of the protocol: never more than 127, so that its length takes one.
    pub(crate) fn size(&self) -> usize {
        1 + self.0.len()
    }
}

impl Default for WorldName {
    /// `drawbridge:limbo`
    fn default() -> Self {
        Self("drawbridge:limbo".into())
    }
}

impl fmt::Display for WorldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gets_its_namespace() {
        assert_eq!(WorldName::new("hub").unwrap().to_string(), "drawbridge:hub");
        assert_eq!(WorldName::new("a/b-c_d.0").unwrap().as_str(), "drawbridge:a/b-c_d.0");
        assert!(WorldName::new(&"x".repeat(LONGEST)).unwrap().size() < 128);
    }

    #[test]
    fn what_clients_refuse_is_no_name() {
        assert_eq!(WorldName::new(""), Err(NameError::Length(String::new())));
        assert!(matches!(WorldName::new(&"x".repeat(LONGEST + 1)), Err(NameError::Length(_))));
        assert_eq!(WorldName::new("Hub"), Err(NameError::Character("Hub".into(), 'H')));
        assert_eq!(WorldName::new("a:b"), Err(NameError::Character("a:b".into(), ':')));
        assert_eq!(WorldName::new("größe"), Err(NameError::Character("größe".into(), 'ö')));
    }
}
