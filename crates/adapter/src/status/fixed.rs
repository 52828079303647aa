//! Status `fixed`: what the configuration says, serialised once.

use super::favicon::{Favicon, FaviconLoader, FaviconSlot, Loading};
use crate::setting::{Id, Text};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use drawbridge_config::{Fields, Json, Located, Reader, Schemas, Setting, Value, json, section};
use drawbridge_model::status::{Players, Sample, ShownProtocol};
use drawbridge_model::{AdapterError, Client, Status, StatusAdapter, StatusDocument};
use drawbridge_protocol::ProtocolVersion;
use std::sync::Arc;
use uuid::Uuid;

section! {
    /// A status from the configuration.
    #[defaults]
    #[check(FixedStatusSection::check)]
    pub struct FixedStatusSection {
        /// The version text, shown to clients whose protocol number is another.
        pub name: String = "Drawbridge".to_owned(),
        /// Which protocol number clients are shown.
        pub protocol: ProtocolSection,
        /// The two lines.
        pub description: Text = Text::plain("A Minecraft server"),
        /// A 64×64 PNG: a file, a `data:` URI, or a URL.
        pub favicon: Option<Located<Favicon>>,
        /// The numbers beside the name.
        pub players: PlayersSection,
        /// Whether clients are told that unsigned chat is refused.
        pub enforces_secure_chat: bool = false,
    }
}

section! {
    /// Which protocol number clients are shown: their own inside the range.
    #[defaults]
    #[check(ProtocolSection::check)]
    pub struct ProtocolSection {
        /// The oldest that is echoed; `0`: any.
        pub min: i32 = 0,
        /// The newest that is echoed; `0`: any.
        pub max: i32 = 0,
        /// What clients outside the range are shown.
        pub preferred: i32 = ProtocolVersion::newest().number(),
    }
}

section! {
    /// The numbers beside the server's name.
    #[defaults]
    #[check(PlayersSection::check)]
    pub struct PlayersSection {
        /// How many play.
        pub online: u32 = 0,
        /// How many may.
        pub max: u32 = 100,
        /// What is shown when the pointer is over the numbers.
        pub sample: Vec<SampleSetting> = Vec::new(),
    }
}

section! {
    /// A player by name and UUID.
    pub struct NamedSample {
        /// The name.
        pub name: String,
        /// The UUID; zero when left out.
        pub id: Option<Id>,
    }
}

/// A player, or a line of text.
#[derive(Debug, Clone)]
pub struct SampleSetting(Sample);

impl Setting for SampleSetting {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let (name, id) = match value.as_str() {
            Some(line) => (line.to_owned(), None),
            None if value.as_table().is_some() => {
                let sample = NamedSample::read(value, reader)?;
                (sample.name, sample.id)
            }
            None => return reader.expected(value, "a line of text, or a table with name and id"),
        };
        Some(Self(Sample { name, id: id.map_or(Uuid::nil(), |id| id.0) }))
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "anyOf": [{ "type": "string" }, NamedSample::schema(schemas)] })
    }
}

impl ProtocolSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        for (key, number) in [("min", self.min), ("max", self.max), ("preferred", self.preferred)] {
            if number < 0 {
                fields.error(key, "a protocol number is never negative");
            }
        }
        if self.max != 0 && self.min > self.max {
            fields.error("min", format!("the range is empty: min {} is above max {}", self.min, self.max));
        }
    }
}

impl PlayersSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        for (key, number) in [("online", self.online), ("max", self.max)] {
            if i32::try_from(number).is_err() {
                fields.error(key, format!("clients count to {} only", i32::MAX));
            }
        }
    }
}

impl FixedStatusSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if let Err(error) = StatusDocument::fitting(self.status()) {
            let key = if fields.has("favicon") { "favicon" } else { "description" };
            fields.error(key, error.to_string());
        }
    }

    /// The status without what a URL has yet to give.
    fn status(&self) -> Status {
        let ProtocolSection { min, max, preferred } = self.protocol;
        let PlayersSection { online, max: most, ref sample } = self.players;
        let favicon = match self.favicon.as_deref() {
            Some(Favicon::Picture(uri)) => Some(uri.clone()),
            Some(Favicon::Url(_)) | None => None,
        };
        Status {
            version_name: self.name.clone(),
            protocol: ShownProtocol { min, max, preferred },
            players: Some(Players {
                online,
                max: most,
                sample: sample.iter().map(|sample| sample.0.clone()).collect(),
            }),
            description: (*self.description).clone(),
            favicon,
            enforces_secure_chat: self.enforces_secure_chat,
            others: serde_json::Map::new(),
        }
    }
}

/// Shows everybody the same.
#[derive(Debug)]
pub struct Fixed {
    document: Arc<ArcSwap<StatusDocument>>,
    /// Ends with the adapter.
    _loading: Option<Loading>,
}

impl Fixed {
    /// As the section says. A favicon's URL is given to `loader`; until it is there, or without a loader, the status has
    /// none.
    #[must_use]
    pub fn new(section: &FixedStatusSection, loader: Option<&dyn FaviconLoader>) -> Self {
        let document = Arc::new(ArcSwap::from_pointee(StatusDocument::new(section.status())));
        let loading = match (section.favicon.as_deref(), loader) {
            (Some(Favicon::Url(url)), Some(loader)) => {
                Some(loader.load(url, FaviconSlot(Arc::clone(&document))))
            }
            _ => None,
        };
        Self { document, _loading: loading }
    }

    /// What it shows now.
    #[must_use]
    pub fn document(&self) -> Arc<StatusDocument> {
        self.document.load_full()
    }
}

#[async_trait]
impl StatusAdapter for Fixed {
    async fn status(&self, _: &Client) -> Result<Option<Arc<StatusDocument>>, AdapterError> {
        Ok(Some(self.document()))
    }
}

#[cfg(test)]
mod tests;
