//! The macros that make settings: [`section!`](crate::section), [`tagged!`](crate::tagged), [`keywords!`](crate::keywords) and
//! [`unbuilt!`](crate::unbuilt), and what their expansions call.

mod keywords;
mod tagged;
mod unbuilt;

pub use keywords::keyword;
pub use tagged::{chosen, tagged};

use crate::Json;

/// The key that a field stands for: its name, without the `r#` of a reserved word.
#[must_use]
pub const fn key(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// Defines a section of the configuration once: the struct, how it is read, its defaults and its schema.
///
/// A field with `= expression` has a default; a field of type `Option`, or of a section marked `#[defaults]`, may be left
/// out; every other key is required. Doc comments become the descriptions in the schema. `r#type` is the key `type`.
///
/// Between the doc comment and the struct may stand, in this order:
/// - `#[defaults]`: no key is required. The struct implements [`Default`], and the section itself may be left out.
/// - `#[check(path)]`: a function `fn(&Self, &mut Fields<'_, '_, '_>)` that is called when all keys are read, and reports
///   what is wrong between them by [`Fields::error`](crate::Fields::error).
/// - `#[derive(…)]`: more than `Debug` and `Clone`, which are there.
///
/// ```
/// use std::time::Duration;
///
/// drawbridge_config::section! {
///     /// Bounds on what peers may use.
///     #[defaults]
///     pub struct Limits {
///         /// Open sockets; `0`: what the descriptor limit allows.
///         pub connections: u32 = 0,
///         /// How long a client may take to say its greeting.
///         pub handshake_timeout: Duration = Duration::from_secs(5),
///         /// Who pays for it.
///         pub sponsor: Option<String>,
///     }
/// }
///
/// let limits: Limits = drawbridge_config::read_text("limits.toml", "connections = 10").unwrap();
/// assert_eq!((limits.connections, limits.handshake_timeout), (10, Duration::from_secs(5)));
/// ```
///
/// A section marked `#[defaults]` with a required key doesn't compile:
///
/// ```compile_fail
/// drawbridge_config::section! {
///     /// Bounds.
///     #[defaults]
///     pub struct Limits {
///         /// Required, as it has no default.
///         pub connections: u32,
///     }
/// }
/// ```
#[macro_export]
macro_rules! section {
    (
        $(#[doc = $doc:expr])*
        #[defaults]
        $(#[check($check:path)])?
        $(#[derive($($derive:path),* $(,)?)])?
        $visibility:vis struct $name:ident {
            $($(#[doc = $field_doc:expr])* $field_visibility:vis $field:ident: $type:ty $(= $default:expr)?),* $(,)?
        }
    ) => {
        $crate::section! {
            @define true
            $(#[doc = $doc])*
            $(#[check($check)])?
            $(#[derive($($derive),*)])?
            $visibility struct $name {
                $($(#[doc = $field_doc])* $field_visibility $field: $type $(= $default)?),*
            }
        }

        impl ::core::default::Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::section!(@default $type $(= $default)?)),* }
            }
        }

        impl $crate::Omittable for $name {
            fn omitted() -> Self {
                Self::default()
            }
        }
    };
    (
        @define $optional:literal
        $(#[doc = $doc:expr])*
        $(#[check($check:path)])?
        $(#[derive($($derive:path),* $(,)?)])?
        $visibility:vis struct $name:ident {
            $($(#[doc = $field_doc:expr])* $field_visibility:vis $field:ident: $type:ty $(= $default:expr)?),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone $($(, $derive)*)?)]
        $visibility struct $name {
            $($(#[doc = $field_doc])* $field_visibility $field: $type),*
        }

        impl $crate::Setting for $name {
            const OPTIONAL: bool = $optional;

            #[allow(unused_mut, reason = "a section may have no keys")]
            fn read(value: &$crate::Value, reader: &mut $crate::Reader<'_>) -> ::core::option::Option<Self> {
                const KEYS: &[&str] = &[$($crate::key(stringify!($field))),*];
                let mut fields = $crate::Fields::of(value, KEYS, reader)?;
                $(let $field = $crate::section!(@read fields, $field, $type $(= $default)?);)*
                let section = (|| ::core::option::Option::Some(Self { $($field: $field?),* }))();
                fields.finish(section, $crate::section!(@check $($check)?))
            }

            #[allow(unused_mut, unused_variables, reason = "a section may have no keys")]
            fn schema(schemas: &mut $crate::Schemas) -> $crate::Json {
                schemas.define::<Self>(|schemas| {
                    let mut object = $crate::ObjectSchema::new(&[$($doc),*]);
                    $($crate::section!(
                        @property object, schemas, $field, &[$($field_doc),*], $type $(= $default)?
                    );)*
                    object.build()
                })
            }

            fn write(&self) -> ::core::option::Option<$crate::Json> {
                let keys = [$(($crate::key(stringify!($field)), $crate::Setting::write(&self.$field))),*];
                ::core::option::Option::Some($crate::written(keys))
            }

            fn absent(
                origin: &$crate::Origin,
                reader: &mut $crate::Reader<'_>,
            ) -> ::core::option::Option<Self> {
                <Self as $crate::Setting>::read(&$crate::Value::empty(origin.clone()), reader)
            }

            #[allow(unused_variables, reason = "a section may have no keys")]
            fn defaulted(self, origin: &$crate::Origin, reader: &$crate::Reader<'_>) -> Self {
                Self { $($field: $crate::Setting::defaulted(self.$field, origin, reader)),* }
            }
        }
    };
    (@default $type:ty = $default:expr) => { $default };
    (@default $type:ty) => { <$type as $crate::Omittable>::omitted() };
    (@read $fields:ident, $field:ident, $type:ty = $default:expr) => {
        $fields.take_or::<$type>($crate::key(stringify!($field)), || $default)
    };
    (@read $fields:ident, $field:ident, $type:ty) => {
        $fields.take::<$type>($crate::key(stringify!($field)))
    };
    (@property $object:ident, $schemas:ident, $field:ident, $docs:expr, $type:ty = $default:expr) => {
        $object.property_or::<$type>($schemas, $crate::key(stringify!($field)), $docs, &$default)
    };
    (@property $object:ident, $schemas:ident, $field:ident, $docs:expr, $type:ty) => {
        $object.property::<$type>($schemas, $crate::key(stringify!($field)), $docs)
    };
    (@check) => { |_, _| {} };
    (@check $check:path) => { $check };
    ($($section:tt)*) => { $crate::section! { @define false $($section)* } };
}

/// The keys of a section as a table, without those that can't be shown.
#[must_use]
pub fn written<const COUNT: usize>(keys: [(&str, Option<Json>); COUNT]) -> Json {
    let shown = keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Json::Object(shown.collect())
}

/// Whether two texts are the same, where `==` isn't to be had: in constants.
#[must_use]
pub const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_are_keys() {
        assert_eq!((key("r#type"), key("name"), key("r")), ("type", "name", "r"));
    }

    #[test]
    fn texts_are_compared_in_constants() {
        const SAME: [bool; 4] =
            [same("fixed", "fixed"), same("", ""), same("fixed", "fixe"), same("fixe", "fixed")];
        assert_eq!(SAME, [true, true, false, false]);
    }
}
