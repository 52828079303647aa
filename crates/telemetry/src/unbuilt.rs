//! The sections of what this build doesn't carry: nothing can be one.

use drawbridge_config::{Diagnostic, Json, Reader, Schemas, Setting, Value, json};

/// A section that needs a feature this build was made without.
macro_rules! unbuilt {
    ($name:ident, $feature:literal) => {
        #[doc = concat!("A section for which the feature `", $feature, "` is missing.")]
        #[derive(Debug, Clone)]
        pub enum $name {}

        impl Setting for $name {
            fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
                let mistake = Diagnostic::error(value.origin(), "this build can't do that");
                reader.report(mistake.help(concat!("it was built without the feature \"", $feature, "\"")));
                None
            }

            fn schema(_: &mut Schemas) -> Json {
                json!({ "type": "object", "not": {} })
            }
        }
    };
}

#[cfg(not(feature = "otlp"))]
unbuilt!(OtlpSection, "otlp");
#[cfg(not(feature = "sentry"))]
unbuilt!(SentrySection, "sentry");
