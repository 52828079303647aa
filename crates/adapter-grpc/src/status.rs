//! Status `grpc`: a service says what the server list shows. It is asked once for many, by
//! [`Cached`](drawbridge_adapter::status::Cached).

use crate::endpoint::Endpoint;
use crate::error::shown;
use crate::grpc::Grpc;
use crate::proto::{PlayerEntry, Players as ToldPlayers, StatusData, StatusRequest, StatusResponse, path};
use crate::service::{Complaints, Method, Service};
use crate::target::{addresses, protocol};
use async_trait::async_trait;
use drawbridge_adapter::status::{Favicon, FaviconError, OnStatusError, StatesSection, shown_to_class};
use drawbridge_config::section;
use drawbridge_model::status::{Players, Sample};
use drawbridge_model::{AdapterError, Client, Status, StatusAdapter, StatusDocument};
use drawbridge_protocol::text::Component;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

section! {
    /// A status that a service knows.
    pub struct GrpcStatusSection {
        /// The service.
        pub endpoint: Endpoint,
        /// How long an answer is shown to all who typed the same host with the same version; `"0s"`: every ping asks.
        pub cache: Duration = Duration::from_secs(1),
        /// How long a ping waits for the first answer.
        pub patience: Duration = Duration::from_secs(1),
        /// What is shown while the service gives no answer.
        pub on_error: OnStatusError = OnStatusError::Stale,
        /// Texts for what isn't there to be shown.
        pub states: StatesSection,
    }
}

/// A document with its favicon has 32,767 characters at most.
const METHOD: Method = Method { path: path::STATUS, largest: 64 << 10 };

/// Asks a service for a status.
#[derive(Debug)]
pub struct GrpcStatus {
    service: Service,
}

impl GrpcStatus {
    /// As the section says; what fails is for the guard before it.
    #[must_use]
    pub fn new(section: &GrpcStatusSection, grpc: &Grpc) -> Self {
        Self { service: grpc.service(&section.endpoint) }
    }
}

#[async_trait]
impl StatusAdapter for GrpcStatus {
    async fn status(&self, client: &Client) -> Result<Option<Arc<StatusDocument>>, AdapterError> {
        let (client_address, server_address) = addresses(client);
        let question = StatusRequest {
            client_address: Some(client_address),
            server_address: Some(server_address),
            protocol: protocol(client),
        };
        let answer: StatusResponse = self.service.ask(METHOD, question, Some(client.trace)).await?;
        let Some(told) = answer.status else { return Ok(None) };
        let document = document(told, client, self.service.complaints()).map_err(AdapterError::Answer)?;
        Ok(Some(Arc::new(document)))
    }
}

fn document(told: StatusData, client: &Client, complaints: &Complaints) -> Result<StatusDocument, String> {
    let version = told.version.unwrap_or_default();
    let description = told.description.as_deref().map(Component::from_json).transpose();
    let unfit = |error: &FaviconError| {
        if let Some(service) = complaints.due() {
            tracing::warn!(service, %error, "a status has an unfit favicon");
        }
    };
    let favicon = told.favicon.as_deref().and_then(|favicon| picture(favicon).inspect_err(unfit).ok());
    let status = Status {
        version_name: version.name,
        // The service is told the client's number, and says itself which is shown.
        protocol: shown_to_class(version.protocol, client.version),
        players: told.players.map(players),
        description: description.map_err(|error| format!("the description: {error}"))?.unwrap_or_default(),
        favicon,
        enforces_secure_chat: told.enforces_secure_chat.unwrap_or_default(),
        others: drawbridge_config::JsonMap::new(),
    };
    let (document, left_out) = StatusDocument::fitting_in_parts(status).map_err(|error| error.to_string())?;
    if let Some(whole) = left_out {
        unfit(&whole.into());
    }
    Ok(document)
}

fn players(told: ToldPlayers) -> Players {
    // Clients count no further.
    let counted = |number: u32| number.min(i32::MAX.unsigned_abs());
    let sample = |PlayerEntry { name, id }| Sample { name, id: Uuid::try_parse(&id).unwrap_or_default() };
    Players {
        online: counted(told.online),
        max: counted(told.max),
        sample: told.samples.into_iter().map(sample).collect(),
    }
}

/// A favicon as it is shown: of a PNG's bytes, or the `data:` URI of one.
fn picture(bytes: &[u8]) -> Result<String, FaviconError> {
    let favicon = match std::str::from_utf8(bytes) {
        Ok(uri) if uri.starts_with("data:") => Favicon::of_uri(uri)?,
        _ => Favicon::of_png(bytes)?,
    };
    match favicon {
        Favicon::Picture(uri) => Ok(uri),
        Favicon::Url(url) => Err(FaviconError::Damaged(shown(&url))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::quiet;
    use crate::proto::ProtocolVersion;
    use drawbridge_protocol::packet::status::MAX_STATUS;

    fn png(side: u32, noise: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.add_text_chunk("noise".into(), "x".repeat(noise)).unwrap();
        encoder.write_header().unwrap().write_image_data(&vec![0; (side * side) as usize]).unwrap();
        bytes
    }

    fn client(version: i32) -> Client {
        Client {
            address: ([127, 0, 0, 1], 1).into(),
            version: drawbridge_protocol::ProtocolVersion(version),
            host: "play.example.com".to_owned(),
            port: 25565,
            trace: drawbridge_model::TraceContext { trace_id: 1, span_id: 1, flags: 1 },
        }
    }

    fn told() -> StatusData {
        StatusData {
            version: Some(ProtocolVersion { name: "Hub".into(), protocol: 770 }),
            players: Some(ToldPlayers {
                online: u32::MAX,
                max: 20,
                samples: vec![PlayerEntry { name: "Notch".into(), id: "nobody".into() }],
            }),
            description: Some(r#"{"text":"Ahoy","color":"gold"}"#.into()),
            favicon: None,
            enforces_secure_chat: Some(true),
        }
    }

    #[test]
    fn what_is_told_is_shown() {
        let document = document(told(), &client(770), &quiet()).unwrap();
        let status = document.status();
        assert_eq!(status.description.to_plain(), "Ahoy");
        assert_eq!(status.players.as_ref().unwrap().online, i32::MAX.unsigned_abs());
        assert!(status.players.as_ref().unwrap().sample[0].id.is_nil() && status.enforces_secure_chat);
        for version in [-1, 0, 47, 770, 777] {
            assert_eq!(status.protocol.number(drawbridge_protocol::ProtocolVersion(version)), 770);
        }
    }

    #[test]
    fn versions_that_share_an_answer_are_all_shown_their_own_number_or_none_is() {
        let shown = |asked: i32, told_number: i32, other: i32| {
            let version = ProtocolVersion { name: "Hub".into(), protocol: told_number };
            let told = StatusData { version: Some(version), ..told() };
            let document = document(told, &client(asked), &quiet()).unwrap();
            document.status().protocol.number(drawbridge_protocol::ProtocolVersion(other))
        };
        // No release has these numbers.
        assert_eq!(shown(9_001, 9_001, 9_002), 9_002);
        assert_eq!(shown(9_001, 770, 9_002), 770);
        // Who asks with a known version doesn't share the answer with others.
        assert_eq!(shown(770, 770, 9_002), 770);
    }

    #[test]
    fn a_favicon_is_a_png_or_its_uri_and_left_out_where_it_is_neither() {
        let favicon = |favicon: Vec<u8>| {
            let document =
                document(StatusData { favicon: Some(favicon), ..told() }, &client(770), &quiet()).unwrap();
            document.status().favicon.clone()
        };
        let uri = favicon(png(64, 0)).unwrap();
        assert!(uri.starts_with("data:image/png;base64,"));
        assert_eq!(favicon(uri.clone().into_bytes()), Some(uri));
        for wrong in
            [vec![], b"data:image/gif;base64,".to_vec(), png(32, 0), vec![0xff; 100], png(64, 40_000)]
        {
            assert_eq!(favicon(wrong), None);
        }
    }

    #[test]
    fn a_status_that_clients_could_not_take_is_none() {
        let long = format!("{:?}", "x".repeat(MAX_STATUS));
        for description in [long, "no JSON".to_owned(), "{".to_owned()] {
            assert!(
                document(StatusData { description: Some(description), ..told() }, &client(770), &quiet())
                    .is_err()
            );
        }
        // With the favicon it is too long, without it fits.
        let (description, favicon) = (Some(format!("{:?}", "x".repeat(20_000))), Some(png(64, 16_000)));
        let document =
            document(StatusData { description, favicon, ..told() }, &client(770), &quiet()).unwrap();
        assert_eq!(document.status().favicon, None);
    }
}
