//! What the server list shows.
//!
//! What must stay true: a document is serialised when it is made, once for each form that texts have; a ping only copies it
//! and writes the protocol number.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::status::MAX_STATUS;
use drawbridge_protocol::text::{Component, TextFormat};
use drawbridge_protocol::varint;
use serde_json::{Map, Value, json};
use std::time::Duration;
use thiserror::Error;
use uuid::Uuid;

/// Which protocol number a client is shown: its own, if that is in the range, so that its list shows no red version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownProtocol {
    /// The oldest that is echoed; 0: any.
    pub min: i32,
    /// The newest that is echoed; 0: any.
    pub max: i32,
    /// What the others are shown.
    pub preferred: i32,
}

impl ShownProtocol {
    /// The number for a client of this version. Numbers below 0 mean that the client doesn't say, and are never echoed.
    #[must_use]
    pub const fn number(self, client: ProtocolVersion) -> i32 {
        let inside = client.0 >= self.min && (self.max == 0 || client.0 <= self.max) && client.0 >= 0;
        if inside { client.0 } else { self.preferred }
    }
}

/// A player in the list's tooltip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// A name, or any line of text.
    pub name: String,
    /// Zero for a line of text.
    pub id: Uuid,
}

/// The numbers beside the server's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Players {
    /// How many play.
    pub online: u32,
    /// How many may.
    pub max: u32,
    /// Some of them.
    pub sample: Vec<Sample>,
}

/// What the server list is to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Shown to clients whose protocol number is another.
    pub version_name: String,
    /// Which number that is.
    pub protocol: ShownProtocol,
    /// Absent: the list shows `???`.
    pub players: Option<Players>,
    /// The two lines.
    pub description: Component,
    /// A data URI of a 64×64 PNG.
    pub favicon: Option<String>,
    /// Whether unsigned chat is refused.
    pub enforces_secure_chat: bool,
    /// What else a server says in its own, such as mods in `forgeData`.
    pub others: Map<String, Value>,
}

/// A status, serialised.
#[derive(Debug)]
pub struct StatusDocument {
    status: Status,
    /// In the order of [`TextFormat::ALL`].
    forms: [Form; TextFormat::ALL.len()],
    pong_after: Duration,
}

/// A status that no client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the status has {0} bytes in all, and clients take {MAX_STATUS}")]
pub struct TooLong(pub usize);

/// The document before and after the protocol number.
#[derive(Debug)]
struct Form {
    head: String,
    tail: String,
}

impl StatusDocument {
    /// Serialises `status` in every form.
    #[must_use]
    pub fn new(status: Status) -> Self {
        let forms = TextFormat::ALL.map(|format| Form::of(&status, format));
        Self { status, forms, pong_after: Duration::ZERO }
    }

    /// The same of one that clients take.
    ///
    /// # Errors
    /// When it is too long for them.
    pub fn fitting(status: Status) -> Result<Self, TooLong> {
        let document = Self::new(status);
        if document.size() > MAX_STATUS { Err(TooLong(document.size())) } else { Ok(document) }
    }

    /// The same without the favicon, if it is that which makes it too long; what was too long is given then.
    ///
    /// # Errors
    /// When it is too long without it.
    pub fn fitting_in_parts(status: Status) -> Result<(Self, Option<TooLong>), TooLong> {
        let document = Self::new(status);
        let size = document.size();
        if size <= MAX_STATUS {
            return Ok((document, None));
        }
        match document.status.favicon {
            Some(_) => Self::fitting(Status { favicon: None, ..document.status })
                .map(|plain| (plain, Some(TooLong(size)))),
            None => Err(TooLong(size)),
        }
    }

    /// Has pings that follow it answered so much later.
    #[must_use]
    pub fn with_pong_after(self, pong_after: Duration) -> Self {
        Self { pong_after, ..self }
    }

    /// How much later than at once a ping that follows is answered.
    #[must_use]
    pub const fn pong_after(&self) -> Duration {
        self.pong_after
    }

    /// What it was made from.
    #[must_use]
    pub const fn status(&self) -> &Status {
        &self.status
    }

    /// The longest of its forms, in bytes of JSON; a client takes at most 32,767 characters.
    #[must_use]
    pub fn size(&self) -> usize {
        self.forms.iter().map(|form| form.head.len() + form.tail.len() + 11).max().unwrap_or(0)
    }

    /// Appends the whole Status Response packet for a client of this version, framed.
    pub fn write_packet(&self, client: ProtocolVersion, out: &mut Vec<u8>) {
        let form = &self.forms[TextFormat::of(client) as usize];
        let number = self.status.protocol.number(client).to_string();
        let length = form.head.len() + number.len() + form.tail.len();
        // A document is made from configuration or an adapter's bounded answer, far below 2³¹ bytes.
        let length = i32::try_from(length).unwrap_or(i32::MAX);
        varint::write(length.saturating_add(1 + varint::size(length) as i32), out);
        out.push(STATUS_RESPONSE);
        varint::write(length, out);
        for part in [&form.head, &number, &form.tail] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

/// The packet's id, the same in every version.
const STATUS_RESPONSE: u8 = 0;

impl Form {
    fn of(status: &Status, format: TextFormat) -> Self {
        let head = format!(r#"{{"version":{{"name":{},"protocol":"#, json!(status.version_name));
        let mut tail = String::from("}");
        if let Some(players) = &status.players {
            tail.push_str(r#","players":"#);
            tail.push_str(&players_json(players).to_string());
        }
        tail.push_str(r#","description":"#);
        status.description.to_json(format, &mut tail);
        if let Some(favicon) = &status.favicon {
            tail.push_str(r#","favicon":"#);
            tail.push_str(&json!(favicon).to_string());
        }
        tail.push_str(r#","enforcesSecureChat":"#);
        tail.push_str(if status.enforces_secure_chat { "true" } else { "false" });
        for (key, value) in &status.others {
            tail.push_str(&format!(",{}:{value}", json!(key)));
        }
        tail.push('}');
        Self { head, tail }
    }
}

fn players_json(players: &Players) -> serde_json::Value {
    let sample: Vec<_> = players
        .sample
        .iter()
        .map(|sample| json!({ "name": sample.name, "id": sample.id.to_string() }))
        .collect();
    json!({ "max": players.max, "online": players.online, "sample": sample })
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_protocol::frame;
    use drawbridge_protocol::packet::{RawPacket, status::StatusResponse};

    fn status() -> Status {
        Status {
            version_name: "Draw\"bridge".into(),
            protocol: ShownProtocol { min: 0, max: 0, preferred: 777 },
            players: Some(Players {
                online: 1,
                max: 20,
                sample: vec![Sample { name: "§aline".into(), id: Uuid::nil() }],
            }),
            description: Component::text("A \\ server"),
            favicon: None,
            enforces_secure_chat: false,
            others: Map::new(),
        }
    }

    fn shown_to(document: &StatusDocument, version: i32) -> serde_json::Value {
        let mut out = Vec::new();
        document.write_packet(ProtocolVersion(version), &mut out);
        let body = frame::split(&out, frame::MAX_FRAME).unwrap().unwrap();
        assert_eq!(body.end, out.len());
        let packet = RawPacket::parse(&out[body]).unwrap();
        let response: StatusResponse = packet.read(ProtocolVersion(767)).unwrap();
        serde_json::from_str(&response.document).unwrap()
    }

    #[test]
    fn the_packet_holds_the_document() {
        let shown = shown_to(&StatusDocument::new(status()), 775);
        assert_eq!(shown["version"], json!({ "name": "Draw\"bridge", "protocol": 775 }));
        assert_eq!(shown["players"]["sample"][0]["name"], "§aline");
        assert_eq!(shown["enforcesSecureChat"], false);
    }

    #[test]
    fn what_is_too_long_goes_without_its_favicon_or_not_at_all() {
        let of = |description: usize, favicon: usize| Status {
            description: Component::text("x".repeat(description)),
            favicon: Some("y".repeat(favicon)),
            ..status()
        };
        assert!(matches!(StatusDocument::fitting_in_parts(of(20_000, 10_000)), Ok((_, None))));
        let (plain, left_out) = StatusDocument::fitting_in_parts(of(20_000, 20_000)).unwrap();
        assert!(left_out.is_some_and(|whole| whole.0 > 40_000) && plain.status().favicon.is_none());
        assert!(plain.size() <= MAX_STATUS);
        let plain = StatusDocument::fitting_in_parts(of(40_000, 10)).unwrap_err();
        assert!(plain.0 > 40_000 && plain.to_string().ends_with("and clients take 32767"), "{plain}");
    }

    #[test]
    fn numbers_outside_the_range_are_shown_the_preferred_one() {
        let protocol = ShownProtocol { min: 766, max: 775, preferred: 770 };
        for (client, expected) in [(765, 770), (766, 766), (775, 775), (776, 770), (-1, 770), (i32::MIN, 770)]
        {
            assert_eq!(protocol.number(ProtocolVersion(client)), expected);
        }
        let any = ShownProtocol { min: 0, max: 0, preferred: 777 };
        assert_eq!(any.number(ProtocolVersion(-1)), 777);
        assert_eq!(shown_to(&StatusDocument::new(status()), i32::MAX)["version"]["protocol"], i32::MAX);
    }
}
