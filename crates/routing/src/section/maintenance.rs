//! `[routes.maintenance]`: a route that is being worked on.

use drawbridge_adapter::setting::Text;
use drawbridge_config::{Fields, section};
use drawbridge_model::StatusDocument;

section! {
    /// A route that is being worked on: nobody new gets in, and targets are left alone.
    #[defaults]
    #[check(MaintenanceSection::check)]
    pub struct MaintenanceSection {
        /// Whether it is. `drawbridge ctl maintenance` says otherwise while the edge runs.
        pub enabled: bool = true,
        /// The two lines that the server list shows, whatever the route's status is.
        pub description: Text = Text::plain("This server is being worked on"),
        /// What players read who want to join, in place of `disconnect_maintenance`.
        pub message: Option<Text>,
    }
}

impl MaintenanceSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if let Err(error) = StatusDocument::fitting(crate::maintenance::status(&self.description, None)) {
            fields.error("description", error.to_string());
        }
    }
}
