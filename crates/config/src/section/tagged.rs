//! Tables that are read in one of several ways, chosen by a key such as `type`.

use crate::words::{quoted, suggestion};
use crate::{Data, Diagnostic, Json, Reader, Value};

/// Defines a table whose keys depend on one of them, usually `type`: an enum with one variant for each kind. The keys of
/// the chosen variant stand beside the choosing key; those of other kinds are unknown.
///
/// With `default "kind"` behind the variants, that kind is read when the choosing key is left out; the whole table may be
/// left out when nothing of that kind is required. `#[derive(…)]` adds to `Debug` and `Clone`.
///
/// ```
/// drawbridge_config::section! {
///     /// Answers from the configuration.
///     #[defaults]
///     pub struct FixedStatus {
///         /// Version text.
///         pub name: String = "Drawbridge".into(),
///     }
/// }
///
/// drawbridge_config::tagged! {
///     /// Where the status comes from.
///     pub enum StatusSection by "type" {
///         "fixed" => Fixed(FixedStatus),
///         /// Nobody answers.
///         "silent" => Silent,
///     } default "fixed"
/// }
///
/// let status: StatusSection = drawbridge_config::read_text("status.toml", "name = 'Hub'").unwrap();
/// assert_eq!(status.kind(), "fixed");
/// assert!(matches!(status, StatusSection::Fixed(fixed) if fixed.name == "Hub"));
/// ```
#[macro_export]
macro_rules! tagged {
    (
        $(#[doc = $doc:expr])*
        $(#[derive($($derive:path),* $(,)?)])?
        $visibility:vis enum $name:ident by $by:literal {
            $($(#[doc = $kind_doc:expr])* $kind:literal => $variant:ident $(($payload:ty))?),* $(,)?
        } $(default $default:literal)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone $($(, $derive)*)?)]
        $visibility enum $name {
            $(
                #[doc = concat!("`", $by, " = \"", $kind, "\"`")]
                $(#[doc = $kind_doc])*
                $variant $(($payload))?
            ),*
        }

        impl $name {
            #[doc = concat!("What `", $by, "` says.")]
            #[must_use]
            #[allow(dead_code, reason = "not everybody asks")]
            $visibility const fn kind(&self) -> &'static str {
                match self {
                    $($crate::tagged!(@any $variant $(($payload))?) => $kind,)*
                }
            }
        }

        impl $crate::Setting for $name {
            const OPTIONAL: bool = $crate::tagged!(
                @optional [$($default)?] $($kind => [$($payload)?])*
            );

            fn read(value: &$crate::Value, reader: &mut $crate::Reader<'_>) -> ::core::option::Option<Self> {
                let (kind, value) = $crate::chosen(
                    value,
                    $by,
                    &[$($kind),*],
                    $crate::tagged!(@given $($default)?),
                    reader,
                )?;
                match kind {
                    $($kind => $crate::tagged!(@read &value, reader, $variant $(($payload))?),)*
                    _ => ::core::option::Option::None,
                }
            }

            fn schema(schemas: &mut $crate::Schemas) -> $crate::Json {
                schemas.define::<Self>(|schemas| {
                    let mut kinds = $crate::KindsSchema::new($by, $crate::tagged!(@given $($default)?));
                    $(
                        let payload = $crate::tagged!(@schema schemas, [$($kind_doc),*] $($payload)?);
                        kinds.kind(schemas, $kind, payload);
                    )*
                    kinds.build(&[$($doc),*])
                })
            }

            fn write(&self) -> ::core::option::Option<$crate::Json> {
                match self {
                    $($crate::tagged!(@pattern payload, $variant $(($payload))?) =>
                        $crate::tagged($by, $kind, $crate::tagged!(@written payload $(, $payload)?)),)*
                }
            }

            fn absent(
                origin: &$crate::Origin,
                reader: &mut $crate::Reader<'_>,
            ) -> ::core::option::Option<Self> {
                <Self as $crate::Setting>::read(&$crate::Value::empty(origin.clone()), reader)
            }
        }
    };
    (@given) => { ::core::option::Option::None };
    (@given $default:literal) => { ::core::option::Option::Some($default) };
    (@optional [] $($rest:tt)*) => { false };
    (@optional [$default:literal] $($kind:literal => [$($payload:ty)?])*) => {
        $(($crate::same($default, $kind) && $crate::tagged!(@payload $($payload)?)))||*
    };
    (@payload) => { true };
    (@payload $payload:ty) => { <$payload as $crate::Setting>::OPTIONAL };
    (@read $value:expr, $reader:ident, $variant:ident) => {
        $crate::Fields::of($value, &[], $reader)?.finish(::core::option::Option::Some(Self::$variant), |_, _| {})
    };
    (@read $value:expr, $reader:ident, $variant:ident($payload:ty)) => {
        <$payload as $crate::Setting>::read($value, $reader).map(Self::$variant)
    };
    (@schema $schemas:ident, [$($doc:expr),*]) => { $crate::ObjectSchema::new(&[$($doc),*]).build() };
    (@schema $schemas:ident, [$($doc:expr),*] $payload:ty) => { <$payload as $crate::Setting>::schema($schemas) };
    (@any $variant:ident) => { Self::$variant };
    (@any $variant:ident($payload:ty)) => { Self::$variant(_) };
    (@pattern $binding:ident, $variant:ident) => { Self::$variant };
    (@pattern $binding:ident, $variant:ident($payload:ty)) => { Self::$variant($binding) };
    (@written $binding:ident) => { ::core::option::Option::Some($crate::written([])) };
    (@written $binding:ident, $payload:ty) => { $crate::Setting::write($binding) };
}

/// Chooses the kind of a table by its key `by`: the kind, and the table without that key.
#[must_use]
pub fn chosen(
    value: &Value,
    by: &'static str,
    kinds: &[&'static str],
    default: Option<&'static str>,
    reader: &mut Reader<'_>,
) -> Option<(&'static str, Value)> {
    let Data::Table(table) = value.data() else {
        return reader.expected(value, "a table");
    };
    let kind = match table.get(by) {
        Some(choice) => {
            let text = reader.text(choice, &format!("a {by} as text"))?;
            let kind = kinds.iter().find(|kind| **kind == text);
            let Some(kind) = kind else {
                let mistake = Diagnostic::error(choice.origin(), format!("unknown {by} {}", quoted(text)));
                reader.report(mistake.help(suggestion(text, kinds, &format!("kinds of {by}"))));
                return None;
            };
            *kind
        }
        None => match default {
            Some(default) => default,
            None => {
                let mistake = Diagnostic::error(value.origin(), format!("missing key \"{by}\""));
                reader.report(mistake.help(suggestion("", kinds, &format!("kinds of {by}"))));
                return None;
            }
        },
    };
    let mut rest = table.clone();
    rest.entries.remove(by);
    rest.kind = Some((by, kind));
    Some((kind, Value::new(Data::Table(rest), value.origin().clone())))
}

/// The table of a kind as it would be written.
#[must_use]
pub fn tagged(by: &str, kind: &str, payload: Option<Json>) -> Option<Json> {
    let Some(Json::Object(mut table)) = payload else { return None };
    table.shift_insert(0, by.to_owned(), kind.into());
    Some(Json::Object(table))
}
