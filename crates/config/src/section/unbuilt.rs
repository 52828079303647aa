//! The macro for sections that a build doesn't carry.

/// Defines a section of a feature that isn't there: nothing can be one, and whoever writes one is told what can't be done without it, and
/// what helps.
#[macro_export]
macro_rules! unbuilt {
    ($feature:literal, $name:ident, $missing:literal, $help:literal) => {
        #[doc = concat!("Needs the feature `", $feature, "`.")]
        #[derive(Debug, Clone)]
        pub enum $name {}

        impl $crate::Setting for $name {
            const OPTIONAL: bool = true;

            fn read(
                value: &$crate::Value,
                reader: &mut $crate::Reader<'_>,
            ) -> Option<Self> {
                <Self as $crate::Setting>::absent(value.origin(), reader)
            }

            fn schema(_: &mut $crate::Schemas) -> $crate::Json {
                $crate::json!({ "type": "object", "not": {} })
            }

            fn absent(
                origin: &$crate::Origin,
                reader: &mut $crate::Reader<'_>,
            ) -> Option<Self> {
                let mistake = $crate::Diagnostic::error(origin, concat!("this build can't ", $missing));
                reader.report(mistake.help(concat!(
                    "it was built without the feature \"", $feature, "\"; ", $help
                )));
                None
            }
        }
    };
}
