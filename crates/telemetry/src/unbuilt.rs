//! The sections of what this build doesn't carry: nothing can be one.

#[cfg(not(feature = "otlp"))]
drawbridge_config::unbuilt!("otlp", OtlpSection, "send to a collector", "leave telemetry.otlp out");
#[cfg(not(feature = "sentry"))]
drawbridge_config::unbuilt!("sentry", SentrySection, "tell Sentry", "leave telemetry.sentry out");
