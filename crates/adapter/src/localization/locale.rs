//! Locales as clients and operators write them.

use drawbridge_config::{Json, Reader, Schemas, Setting, Value, json};
use std::fmt;

/// The longest locale, in bytes; clients may send as many characters (Minecraft wiki, Client Information).
const LONGEST: usize = 16;

/// A locale such as `de_de`: in lower case, with underscores. Small enough to be made without allocating, since players
/// say theirs at every join.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locale {
    bytes: [u8; LONGEST],
    length: u8,
}

impl Locale {
    /// American English, whose built-in texts have the last word.
    pub const EN_US: Self = Self { bytes: *b"en_us\0\0\0\0\0\0\0\0\0\0\0", length: 5 };

    /// Reads a locale in any case, with `_` or `-`. `None` for what can't be one, such as what no player's client sends.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut bytes = [0; LONGEST];
        let mut part = 0;
        for (slot, byte) in bytes.iter_mut().zip(text.bytes()) {
            *slot = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                    part += 1;
                    byte.to_ascii_lowercase()
                }
                b'_' | b'-' if part > 0 => {
                    part = 0;
                    b'_'
                }
                _ => return None,
            };
        }
        let length = u8::try_from(text.len()).ok()?;
        (part > 0).then_some(Self { bytes, length })
    }

    /// The locale's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in.
        std::str::from_utf8(&self.bytes[..self.length.into()]).unwrap_or_default()
    }

    /// The part before the first underscore: `de` of `de_at`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.as_str().split('_').next().unwrap_or_default()
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl Setting for Locale {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        const WHAT: &str = "a locale such as \"en_us\"";
        let text = reader.text(value, WHAT)?;
        match Self::parse(text) {
            Some(locale) => Some(locale),
            None => reader.unfit(value, WHAT, "expected a language, an underscore and a country"),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$", "maxLength": LONGEST })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_hyphens_make_no_difference() {
        let locale = Locale::parse("de-AT").unwrap();
        assert_eq!((locale.as_str(), locale.language()), ("de_at", "de"));
        assert_eq!(Locale::parse("DE_at"), Some(locale));
        assert_eq!(Locale::parse("en_US"), Some(Locale::EN_US));
        assert_eq!(Locale::parse("tok").unwrap().language(), "tok");
    }

    #[test]
    fn what_is_none_is_none() {
        for text in ["", "_", "de_", "_de", "de__at", "de at", "dé_fr", "seventeen_letters", "de\0", "../de"]
        {
            assert_eq!(Locale::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_reading_twice_changes_nothing(text in "[a-zA-Z_-]{0,18}|\\PC{0,18}") {
            if let Some(locale) = Locale::parse(&text) {
                prop_assert_eq!(Locale::parse(locale.as_str()), Some(locale));
            }
        }
    }
}
