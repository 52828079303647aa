//! Discovery `grpc`: a service finds the targets.

use crate::endpoint::Endpoint;
use crate::grpc::Grpc;
use crate::proto::{NestedTargetRequest, TargetRequest, TargetsResponse, path};
use crate::service::{Method, Service};
use crate::target::{LARGEST, addresses, client_info, player_info, protocol, read};
use async_trait::async_trait;
use drawbridge_adapter::discovery::OnDiscoveryError;
use drawbridge_config::{keywords, section};
use drawbridge_model::{AdapterError, Client, DiscoveryAdapter, Identity, Target};

keywords! {
    /// The form of the request; services are made for one of the two.
    pub enum RequestForm {
        /// Addresses, version and player, side by side.
        "flat" => Flat,
        /// Addresses and version within `client`; nothing about the player.
        "nested" => Nested,
    }
}

section! {
    /// Targets that a service finds.
    pub struct GrpcDiscoverySection {
        /// The service.
        pub endpoint: Endpoint,
        /// The form of the request that it was made for.
        pub request: RequestForm = RequestForm::Flat,
        /// What becomes of players while it gives no answer.
        pub on_error: OnDiscoveryError = OnDiscoveryError::Refuse,
    }
}

const METHOD: Method = Method { path: path::DISCOVERY, largest: LARGEST };

/// Asks a service for targets.
#[derive(Debug)]
pub struct GrpcDiscovery {
    service: Service,
    request: RequestForm,
}

impl GrpcDiscovery {
    /// As the section says; what fails is for the guard before it.
    #[must_use]
    pub fn new(section: &GrpcDiscoverySection, grpc: &Grpc) -> Self {
        Self::asking(&section.endpoint, section.request, grpc)
    }

    /// Asks the service at `endpoint` with this form of the request.
    #[must_use]
    pub fn asking(endpoint: &Endpoint, request: RequestForm, grpc: &Grpc) -> Self {
        Self { service: grpc.service(endpoint), request }
    }
}

#[async_trait]
impl DiscoveryAdapter for GrpcDiscovery {
    async fn targets(&self, client: &Client, identity: &Identity) -> Result<Vec<Target>, AdapterError> {
        let trace = Some(client.trace);
        let answer: TargetsResponse = match self.request {
            RequestForm::Flat => self.service.ask(METHOD, flat(client, identity), trace).await?,
            RequestForm::Nested => {
                let question = NestedTargetRequest { client: Some(client_info(client)) };
                self.service.ask(METHOD, question, trace).await?
            }
        };
        read(answer.targets, self.service.complaints())
    }
}

fn flat(client: &Client, identity: &Identity) -> TargetRequest {
    let (client_address, server_address) = addresses(client);
    let player = player_info(identity);
    TargetRequest {
        client_address: Some(client_address),
        server_address: Some(server_address),
        protocol: protocol(client),
        username: player.name,
        user_id: player.id,
    }
}
