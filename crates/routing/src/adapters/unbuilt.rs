//! The sections of adapters that a build doesn't carry: nothing can be one, and whoever writes one is told why.

/// A section of a feature that isn't there: what can't be done without it, and what helps.
#[allow(unused_macros, reason = "a build with everything lacks nothing")]
macro_rules! unbuilt {
    ($feature:literal, $name:ident, $missing:literal, $help:literal) => {
        #[doc = concat!("Needs the feature `", $feature, "`.")]
        #[derive(Debug, Clone)]
        pub enum $name {}

        impl drawbridge_config::Setting for $name {
            const OPTIONAL: bool = true;

            fn read(
                value: &drawbridge_config::Value,
                reader: &mut drawbridge_config::Reader<'_>,
            ) -> Option<Self> {
                <Self as drawbridge_config::Setting>::absent(value.origin(), reader)
            }

            fn schema(_: &mut drawbridge_config::Schemas) -> drawbridge_config::Json {
                drawbridge_config::json!({ "type": "object", "not": {} })
            }

            fn absent(
                origin: &drawbridge_config::Origin,
                reader: &mut drawbridge_config::Reader<'_>,
            ) -> Option<Self> {
                let mistake = drawbridge_config::Diagnostic::error(origin, concat!("this build can't ", $missing));
                reader.report(mistake.help(concat!(
                    "it was built without the feature \"", $feature, "\"; ", $help
                )));
                None
            }
        }
    };
}

#[allow(unused_imports, reason = "a build with everything lacks nothing")]
pub(super) use unbuilt;
