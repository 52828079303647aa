//! What the server list shows in place of a status that can't be had.

use crate::setting::Text;
use drawbridge_config::{keywords, section};
use drawbridge_model::status::ShownProtocol;
use drawbridge_model::{Status, StatusDocument};

keywords! {
    /// What the list shows when a status adapter fails.
    pub enum OnStatusError {
        /// The last status there was; without one, the text of the state.
        "stale" => Stale,
        /// The text of the state.
        "states" => States,
    }
}

section! {
    /// Texts for what isn't there to be shown.
    #[defaults]
    pub struct StatesSection {
        /// While the status adapter gives no answer.
        pub unreachable: StateSection,
    }
}

section! {
    /// What is shown in one state.
    #[defaults]
    pub struct StateSection {
        /// The version text, shown in red where the numbers of players are.
        pub name: String = "unreachable".to_owned(),
        /// The two lines.
        pub description: Text = Text::plain("The server's status can't be had right now"),
    }
}

impl StateSection {
    /// With these words.
    pub(crate) fn plain(name: &str, description: &str) -> Self {
        Self { name: name.to_owned(), description: Text::plain(description) }
    }

    /// The document of the state. Its protocol number is nobody's, so that the list shows the version text.
    #[must_use]
    pub fn document(&self) -> StatusDocument {
        StatusDocument::new(Status {
            version_name: self.name.clone(),
            protocol: ShownProtocol { min: 1, max: 1, preferred: -1 },
            players: None,
            description: (*self.description).clone(),
            favicon: None,
            enforces_secure_chat: false,
            others: serde_json::Map::new(),
        })
    }
}
