//! What is shown and said of a route that is being worked on.

use crate::section::MaintenanceSection;
use drawbridge_config::JsonMap;
use drawbridge_model::status::ShownProtocol;
use drawbridge_model::{Status, StatusDocument};
use drawbridge_protocol::text::Component;
use std::sync::{Arc, OnceLock};

/// Maintenance of a route, under way or not.
#[derive(Debug)]
pub struct Maintenance {
    /// Whether the configuration says that it is under way.
    pub configured: bool,
    /// What players read who want to join; `None`: the usual text.
    pub message: Option<Component>,
    description: Component,
    favicon: Option<String>,
    /// Made when it is first shown: hardly any route ever is under maintenance.
    document: OnceLock<Arc<StatusDocument>>,
}

impl Maintenance {
    /// As the section says; with the picture that the route's own status has.
    pub(crate) fn new(section: Option<&MaintenanceSection>, favicon: Option<&str>) -> Self {
        let unwritten = MaintenanceSection::default();
        let texts = section.unwrap_or(&unwritten);
        Self {
            configured: section.is_some_and(|section| section.enabled),
            message: texts.message.as_deref().cloned(),
            description: (*texts.description).clone(),
            favicon: favicon.map(str::to_owned),
            document: OnceLock::new(),
        }
    }

    /// What the server list shows the while.
    #[must_use]
    pub fn document(&self) -> Arc<StatusDocument> {
        let document = self.document.get_or_init(|| {
            let whole = StatusDocument::fitting(status(&self.description, self.favicon.clone()));
            // The words count for more than the picture, and were looked at when they were read.
            Arc::new(whole.unwrap_or_else(|_| StatusDocument::new(status(&self.description, None))))
        });
        Arc::clone(document)
    }
}

/// The protocol number is nobody's, so that the list shows the version text.
pub(crate) fn status(description: &Component, favicon: Option<String>) -> Status {
    Status {
        version_name: "maintenance".to_owned(),
        protocol: ShownProtocol { min: 1, max: 1, preferred: -1 },
        players: None,
        description: description.clone(),
        favicon,
        enforces_secure_chat: false,
        others: JsonMap::new(),
    }
}
