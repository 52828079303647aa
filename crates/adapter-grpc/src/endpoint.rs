//! A service as it is configured: where it is, and how it is asked.

mod metadata;
mod tls;
mod uri;

pub use metadata::Metadata;
pub(crate) use tls::Tls;
pub use tls::{Certificates, TlsSection};
pub use uri::PeerUri;

use drawbridge_adapter::guard::MARGIN;
use drawbridge_config::{Fields, Json, Located, Reader, Schemas, Setting, Value, json, section};
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

section! {
    /// Where a service is and how it is asked.
    #[check(EndpointSection::check)]
    pub struct EndpointSection {
        /// Where it is; calls are spread over those that are up.
        pub uris: Vec<Located<PeerUri>>,
        /// How long a call may take, connecting included.
        pub timeout: Duration = Duration::from_secs(2),
        /// How long a peer may be silent while calls are under way (a watch of its health is one) before it is asked for a sign
        /// of life. Servers close connections on which they are asked oftener than every five minutes, unless they were set
        /// up otherwise.
        pub keep_alive: Duration = KEEP_ALIVE,
        /// How `https` is spoken; without it, with the system's certificates.
        pub tls: TlsSection,
        /// What is sent along with each call.
        pub metadata: Metadata = Metadata::default(),
    }
}

/// The shortest time that servers bear by default (gRPC's guide to keepalive).
const KEEP_ALIVE: Duration = Duration::from_secs(300);

impl EndpointSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.uris.is_empty() {
            fields.error("uris", "nobody can be asked without a URI");
        }
        let mut seen = HashSet::new();
        if let Some(twice) = self.uris.iter().find(|uri| !seen.insert(&***uri)) {
            fields.error("uris", format!("{} is given twice", **twice));
        }
        if self.timeout.is_zero() {
            fields.error("timeout", "nobody answers in no time");
        }
        if self.keep_alive.is_zero() {
            fields.error("keep_alive", "a connection is silent for some time at least");
        }
        if fields.has("tls") && self.uris.iter().any(|uri| !uri.https) {
            fields.error("tls", "an http:// URI isn't encrypted: write https://");
        }
    }
}

/// A URI alone, or a table with more about it.
#[derive(Debug, Clone)]
pub struct Endpoint(EndpointSection);

impl Deref for Endpoint {
    type Target = EndpointSection;

    fn deref(&self) -> &EndpointSection {
        &self.0
    }
}

impl Setting for Endpoint {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        if value.as_table().is_some() {
            return EndpointSection::read(value, reader).map(Self);
        }
        if value.as_str().is_none() {
            return reader.expected(value, "a URI such as \"http://127.0.0.1:50051\", or a table with uris");
        }
        Some(Self(EndpointSection {
            uris: vec![Located::read(value, reader)?],
            timeout: Duration::from_secs(2),
            keep_alive: KEEP_ALIVE,
            tls: TlsSection::default(),
            metadata: Metadata::default(),
        }))
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "anyOf": [PeerUri::schema(schemas), EndpointSection::schema(schemas)] })
    }

    fn write(&self) -> Option<Json> {
        self.0.write()
    }
}

impl EndpointSection {
    /// How long whoever asks is to wait for an answer: a little longer than a call takes at most, since the call's own end tells
    /// more of what went wrong.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.timeout.saturating_add(MARGIN)
    }

    /// Its URIs, in one text.
    pub(crate) fn name(&self) -> String {
        self.uris.iter().map(|uri| uri.to_string()).collect::<Vec<_>>().join(" ")
    }

    /// What its connections depend on.
    pub(crate) fn connections(&self) -> Connections {
        Connections {
            uris: self.uris.iter().map(|uri| PeerUri::clone(uri)).collect(),
            keep_alive: self.keep_alive,
            tls: self.tls.clone(),
        }
    }
}

/// What tells connections apart: adapters whose endpoints agree in it share them, whatever they send along.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pub(crate) uris: Arc<[PeerUri]>,
    pub(crate) keep_alive: Duration,
    pub(crate) tls: TlsSection,
}

impl PartialEq for Connections {
    fn eq(&self, other: &Self) -> bool {
        self.uris == other.uris && self.keep_alive == other.keep_alive && self.tls.is_same(&other.tls)
    }
}

impl Eq for Connections {}

impl Hash for Connections {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uris.hash(state);
    }
}

#[cfg(test)]
mod tests;
