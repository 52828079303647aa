//! The machinery as the crates above use it: sections, documents, environment, secrets, diagnostics, schema.
#![allow(clippy::unwrap_used, reason = "in the helpers of tests as in the tests")]

mod environment;
mod mistakes;
mod never_panics;
mod schema;
mod secrets;
mod settings;
mod values;
