//! Adapters that speak HTTP: authentication by the session server, the status from a URL, and favicons.
//!
//! - [`Http`] is what they share across snapshots: connections, and how the session servers are doing.
//! - [`authentication`] asks a session server, [`status`] shows what is at a URL; [`Location`] and [`BaseUrl`] are the URLs that
//!   can be asked.
//!
//! What must stay true: every call is made under a deadline and every answer read within a bound; redirects are never
//! followed; a failure never lets anybody in. What runs in the background ends with the last snapshot that wants it.

#![forbid(unsafe_code)]

pub mod authentication;
mod client;
mod error;
mod favicon;
mod http;
mod location;
mod session_server;
pub mod status;
mod tls;

#[cfg(test)]
mod testing;

pub use error::HttpError;
pub use http::Http;
pub use location::{BaseUrl, Location, LocationError};
