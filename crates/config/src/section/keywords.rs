//! Settings that are one word of several.

use crate::words::{quoted, suggestion};
use crate::{Diagnostic, Reader, Value};

/// Defines a setting that is one word of several: an enum that is `Debug`, `Clone`, `Copy`, `PartialEq`, `Eq` and `Hash`,
/// with `as_str` and `Display` for the word. `#[derive(…)]` adds to these.
///
/// ```
/// drawbridge_config::keywords! {
///     /// How a player reaches the target.
///     pub enum Mode {
///         /// Handed over by Transfer packet.
///         "transfer" => Transfer,
///         "passthrough" => Passthrough,
///     }
/// }
///
/// assert_eq!(Mode::Transfer.as_str(), "transfer");
/// ```
#[macro_export]
macro_rules! keywords {
    (
        $(#[doc = $doc:expr])*
        $(#[derive($($derive:path),* $(,)?)])?
        $visibility:vis enum $name:ident {
            $($(#[doc = $word_doc:expr])* $word:literal => $variant:ident),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash $($(, $derive)*)?)]
        $visibility enum $name {
            $(
                #[doc = concat!("`", $word, "`")]
                $(#[doc = $word_doc])*
                $variant
            ),*
        }

        #[allow(dead_code, reason = "not every word is shown again")]
        impl $name {
            /// The word for it in the configuration.
            #[must_use]
            $visibility const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),*
                }
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::Setting for $name {
            fn read(value: &$crate::Value, reader: &mut $crate::Reader<'_>) -> ::core::option::Option<Self> {
                $crate::keyword(value, &[$(($word, Self::$variant)),*], reader)
            }

            fn schema(schemas: &mut $crate::Schemas) -> $crate::Json {
                schemas.define::<Self>(|_| {
                    $crate::words_schema(&[$($doc),*], &[$(($word, &[$($word_doc),*])),*])
                })
            }

            fn write(&self) -> ::core::option::Option<$crate::Json> {
                ::core::option::Option::Some(self.as_str().into())
            }
        }
    };
}

/// Finds the word in a list with what each stands for.
pub fn keyword<T: Copy>(value: &Value, words: &[(&'static str, T)], reader: &mut Reader<'_>) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let text = reader.text(value, "one of several words")?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, found)| *found);
    if found.is_none() {
        let mistake =
            Diagnostic::error(value.origin(), format!("{} is not one of the words here", quoted(text)));
        reader.report(mistake.help(suggestion(text, &names, "words here")));
    }
    found
}
