//! The sections of adapters that a build doesn't carry: nothing can be one, and whoever writes one is told why.

use drawbridge_config::{Diagnostic, Json, Origin, Reader, Schemas, Setting, Value, json};

/// A section of a feature that isn't there: what can't be done without it, and what helps.
macro_rules! unbuilt {
    ($feature:literal, $name:ident, $missing:literal, $help:literal) => {
        #[doc = concat!("Needs the feature `", $feature, "`.")]
        #[derive(Debug, Clone)]
        pub enum $name {}

        impl Setting for $name {
            const OPTIONAL: bool = true;

            fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
                Self::absent(value.origin(), reader)
            }

            fn schema(_: &mut Schemas) -> Json {
                json!({ "type": "object", "not": {} })
            }

            fn absent(origin: &Origin, reader: &mut Reader<'_>) -> Option<Self> {
                let mistake = Diagnostic::error(origin, concat!("this build can't ", $missing));
                reader.report(mistake.help(concat!(
                    "it was built without the feature \"", $feature, "\"; ", $help
                )));
                None
            }
        }
    };
}

#[cfg(not(feature = "http"))]
unbuilt!(
    "http",
    NeedsSessionServer,
    "ask a session server",
    "authentication may be \"fixed\" or \"disabled\""
);

#[cfg(not(feature = "http"))]
unbuilt!("http", NeedsHttp, "ask for a status", "status may be \"fixed\"");

#[cfg(not(feature = "dns"))]
unbuilt!("dns", NeedsDns, "ask DNS", "discovery may be \"fixed\"");
