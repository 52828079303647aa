//! What a list or a change tells of a Service.
//!
//! What must stay true: nothing is held of a Service but this, from the moment it is read: a list may have megabytes of others.

use super::seat::Key;
use super::service::Service;
use crate::desk::bytes;
use drawbridge_model::RouteDocument;
use serde::Deserialize;

/// A Service, as far as it is a route.
#[derive(Debug, Deserialize)]
#[serde(from = "Service")]
pub(super) struct Found {
    pub(super) key: Key,
    pub(super) version: String,
    /// When it was made, so that the order of these texts is that of time.
    pub(super) made: String,
    pub(super) route: Route,
}

/// What a Service is as a route.
#[derive(Debug)]
pub(super) enum Route {
    /// None: nothing marks it.
    None,
    /// One for which there was no room, by its name.
    LeftOut(String),
    Document(RouteDocument),
}

impl From<Service> for Found {
    fn from(service: Service) -> Self {
        let route = service.document().map_or(Route::None, Route::Document);
        let (key, made) = (service.key(), service.made().to_owned());
        Self { key, version: service.metadata.resource_version, made, route }
    }
}

impl Found {
    /// How many bytes are held of it as a route.
    pub(super) fn bytes(&self) -> usize {
        match &self.route {
            Route::Document(document) => bytes(document),
            Route::None | Route::LeftOut(_) => 0,
        }
    }

    /// There is no room for it.
    pub(super) fn leave_out(&mut self) {
        if let Route::Document(document) = &mut self.route {
            self.route = Route::LeftOut(std::mem::take(&mut document.name));
        }
    }
}
