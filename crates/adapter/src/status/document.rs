//! The status in a JSON document: the one that servers themselves send (Minecraft wiki, "Java Edition protocol/Server List Ping"),
//! or a foreign one whose parts are pointed at.
//!
//! What must stay true: whatever the document holds, it is a status that clients take, or an error that names the field.

use super::favicon::{Favicon, FaviconError};
use super::pointer::Pointer;
use drawbridge_config::{Json, section};
use drawbridge_model::status::{Players, Sample, ShownProtocol, TooLong};
use drawbridge_model::{Status, StatusDocument};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::text::{Component, TextError};
use serde_json::Map;
use thiserror::Error;
use uuid::Uuid;

section! {
    /// Where the parts of the status are in the answer, as JSON pointers. What is left out is where servers have it.
    #[defaults]
    #[derive(PartialEq, Eq, Hash)]
    pub struct FieldsSection {
        /// How many play; else `/players/online`.
        pub online: Option<Pointer>,
        /// How many may; else `/players/max`.
        pub max: Option<Pointer>,
        /// Who plays: a list of names, or of tables with `name` and `id`; else `/players/sample`.
        pub sample: Option<Pointer>,
        /// The two lines, as a component or a text; else `/description`.
        pub description: Option<Pointer>,
        /// The version text; else `/version/name`.
        pub version_name: Option<Pointer>,
        /// The protocol number that clients are shown, `0`: their own; else `/version/protocol`.
        pub protocol: Option<Pointer>,
        /// A `data:` URI of a 64×64 PNG; else `/favicon`.
        pub favicon: Option<Pointer>,
        /// Whether unsigned chat is refused; else `/enforcesSecureChat`.
        pub enforces_secure_chat: Option<Pointer>,
    }
}

/// Why an answer is no status.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// It isn't JSON.
    #[error("it is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A part is of another kind.
    #[error("{field} at {at}: expected {expected}, found {found}")]
    Kind {
        /// Which part.
        field: &'static str,
        /// The pointer to it.
        at: String,
        /// What it should be.
        expected: &'static str,
        /// The beginning of what it is.
        found: String,
    },
    /// A part isn't there.
    #[error("{field}: there is nothing at {at}")]
    Missing {
        /// Which part.
        field: &'static str,
        /// The pointer to it.
        at: String,
    },
    /// A text isn't one.
    #[error("{field} at {at}: {error}")]
    Text {
        /// Which part.
        field: &'static str,
        /// The pointer to it.
        at: String,
        /// What is wrong with it.
        error: TextError,
    },
    /// Nothing of a status is there.
    #[error("it has none of a status's parts")]
    Nothing,
    /// No client would take it.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// A status, and why its favicon isn't in it.
#[derive(Debug)]
pub struct Reading {
    /// The status.
    pub document: StatusDocument,
    /// Why its favicon isn't in it, where it had one.
    pub no_favicon: Option<FaviconError>,
}

/// A part of the status, found in the answer.
struct Part<'d> {
    field: &'static str,
    at: String,
    value: &'d Json,
}

/// The answer, and where its parts are.
struct Parts<'d> {
    document: &'d Json,
    fields: &'d FieldsSection,
}

impl FieldsSection {
    /// Reads the status in `body`.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn read(&self, body: &[u8]) -> Result<Reading, DocumentError> {
        let document: Json = serde_json::from_slice(body)?;
        let status = Parts { document: &document, fields: self }.status()?;
        reading(status)
    }
}

/// Reads a server's own status, `change`d before anything else is done with it; what else it holds is kept.
///
/// # Errors
/// When it isn't one.
pub fn read_own(body: &[u8], change: impl FnOnce(&mut Status)) -> Result<Reading, DocumentError> {
    /// What is read.
    const KNOWN: [&str; 5] = ["version", "players", "description", "favicon", "enforcesSecureChat"];
    let document: Json = serde_json::from_slice(body)?;
    let mut status = Parts { document: &document, fields: &FieldsSection::default() }.status()?;
    let others = document.as_object().into_iter().flatten();
    let others = others.filter(|(key, _)| !KNOWN.contains(&key.as_str()));
    status.others = others.map(|(key, value)| (key.clone(), value.clone())).collect();
    change(&mut status);
    reading(status)
}

/// Makes the document, without a favicon that clients wouldn't take.
fn reading(mut status: Status) -> Result<Reading, DocumentError> {
    let mut no_favicon = None;
    if let Some(uri) = status.favicon.take() {
        // Servers of old broke the lines of their Base64.
        match Favicon::of_uri(&uri.replace(['\n', '\r'], "")) {
            Ok(Favicon::Picture(uri)) => status.favicon = Some(uri),
            Ok(Favicon::Url(_)) => {}
            Err(error) => no_favicon = Some(error),
        }
    }
    let (document, left_out) = StatusDocument::fitting_in_parts(status)?;
    Ok(Reading { document, no_favicon: no_favicon.or(left_out.map(FaviconError::from)) })
}

impl<'d> Parts<'d> {
    fn status(&self) -> Result<Status, DocumentError> {
        let FieldsSection { description, version_name, protocol, favicon, enforces_secure_chat, .. } =
            self.fields;
        let players = self.players()?;
        let description = self.part("description", description.as_ref(), "/description");
        let version_name = self.part("version_name", version_name.as_ref(), "/version/name");
        let protocol = self.part("protocol", protocol.as_ref(), "/version/protocol");
        if players.is_none() && description.is_none() && version_name.is_none() {
            return Err(DocumentError::Nothing);
        }
        let favicon = self.part("favicon", favicon.as_ref(), "/favicon");
        let chat = self.part("enforces_secure_chat", enforces_secure_chat.as_ref(), "/enforcesSecureChat");
        Ok(Status {
            version_name: version_name.map(Part::text).transpose()?.unwrap_or_default().to_owned(),
            protocol: protocol.map(Part::protocol).transpose()?.unwrap_or(EACH_ITS_OWN),
            players,
            description: match description {
                Some(description) => description.component()?,
                None => Component::text(""),
            },
            favicon: favicon.map(Part::text).transpose()?.map(str::to_owned),
            enforces_secure_chat: chat.map(Part::truth).transpose()?.unwrap_or(false),
            others: Map::new(),
        })
    }

    /// The numbers of players. Who points at one wants it to be there; most for themselves say no `max`, then as many may
    /// play as do.
    fn players(&self) -> Result<Option<Players>, DocumentError> {
        let FieldsSection { online, max, sample, .. } = self.fields;
        let (usual_online, usual_max) = ("/players/online", "/players/max");
        let sample = self.part("sample", sample.as_ref(), "/players/sample");
        let sample = sample.map(Part::sample).transpose()?.unwrap_or_default();
        let most = self.part("max", max.as_ref(), usual_max);
        if let (Some(at), None) = (max, &most) {
            return Err(DocumentError::Missing { field: "max", at: at.to_string() });
        }
        let Some(playing) = self.part("online", online.as_ref(), usual_online) else {
            if online.is_none() && most.is_none() {
                return Ok(None);
            }
            let at = online.as_ref().map_or_else(|| usual_online.to_owned(), Pointer::to_string);
            return Err(DocumentError::Missing { field: "online", at });
        };
        let online = playing.count()?;
        let max = most.map(Part::count).transpose()?.unwrap_or(online);
        Ok(Some(Players { online, max, sample }))
    }

    /// A part, where there is one; `null` is none.
    fn part(&self, field: &'static str, pointer: Option<&Pointer>, usual: &str) -> Option<Part<'d>> {
        let value = match pointer {
            Some(pointer) => pointer.of(self.document),
            None => self.document.pointer(usual),
        };
        let value = value.filter(|value| !value.is_null())?;
        let at = pointer.map_or_else(|| usual.to_owned(), Pointer::to_string);
        Some(Part { field, at, value })
    }
}

/// Every client is shown its own number.
const EACH_ITS_OWN: ShownProtocol =
    ShownProtocol { min: 0, max: 0, preferred: ProtocolVersion::newest().number() };

impl<'d> Part<'d> {
    fn count(self) -> Result<u32, DocumentError> {
        let number = self.value.as_u64().and_then(|number| i32::try_from(number).ok());
        number.map(i32::unsigned_abs).ok_or_else(|| self.not("a whole number from 0 to 2147483647"))
    }

    fn protocol(self) -> Result<ShownProtocol, DocumentError> {
        let number = self.value.as_i64().and_then(|number| i32::try_from(number).ok());
        Ok(match number.ok_or_else(|| self.not("a whole number of 32 bits"))? {
            0 => EACH_ITS_OWN,
            number => ShownProtocol { min: number, max: number, preferred: number },
        })
    }

    fn text(self) -> Result<&'d str, DocumentError> {
        self.value.as_str().ok_or_else(|| self.not("a text"))
    }

    fn truth(self) -> Result<bool, DocumentError> {
        self.value.as_bool().ok_or_else(|| self.not("true or false"))
    }

    /// A text is what it is with `§` codes: another's text has no tags.
    fn component(self) -> Result<Component, DocumentError> {
        let component = match self.value {
            Json::String(text) => Component::from_legacy(text),
            Json::Object(_) | Json::Array(_) => Component::from_json_lenient(&self.value.to_string()),
            _ => return Err(self.not("a text component")),
        };
        component.map_err(|error| DocumentError::Text { field: self.field, at: self.at, error })
    }

    fn sample(self) -> Result<Vec<Sample>, DocumentError> {
        let sample = |entry: &Json| match entry {
            Json::String(name) => Some(Sample { name: name.clone(), id: Uuid::nil() }),
            Json::Object(entry) => {
                let name = entry.get("name")?.as_str()?.to_owned();
                let id = match entry.get("id") {
                    Some(id) => id.as_str()?.parse().ok()?,
                    None => Uuid::nil(),
                };
                Some(Sample { name, id })
            }
            _ => None,
        };
        let samples = self.value.as_array().and_then(|entries| entries.iter().map(sample).collect());
        samples.ok_or_else(|| self.not("a list of names, or of tables with name and id (a UUID)"))
    }

    fn not(&self, expected: &'static str) -> DocumentError {
        /// As much of what came as a line of the log has room for.
        const SHOWN: usize = 80;
        let mut found: String = self.value.to_string().chars().take(SHOWN + 1).collect();
        if found.chars().count() > SHOWN {
            found = found.chars().take(SHOWN).chain(['…']).collect();
        }
        DocumentError::Kind { field: self.field, at: self.at.clone(), expected, found }
    }
}

#[cfg(test)]
mod tests;
