//! Adapters that speak HTTP: authentication by the session server, and favicons from a URL.
//!
//! - [`Http`] is what they share across snapshots: connections, and how the session servers are doing.
//! - [`authentication`] asks a session server; [`Location`] and [`BaseUrl`] are the URLs that can be asked.
//!
//! What must stay true: every call is made under a deadline and every answer read within a bound; redirects are never
//! followed; a failure never lets anybody in; nothing is loaded or opened before somebody asks.

#![forbid(unsafe_code)]

pub mod authentication;
mod client;
mod error;
mod favicon;
mod http;
mod location;
mod session_server;
mod tls;

#[cfg(test)]
mod testing;

pub use error::HttpError;
pub use http::Http;
pub use location::{BaseUrl, Location, LocationError};
