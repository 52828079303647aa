//! Action `grpc`: a service chooses among the targets, selects one of them, or finds more.

use crate::authentication::message_key;
use crate::discovery::{GrpcDiscovery, RequestForm};
use crate::endpoint::Endpoint;
use crate::error::shown;
use crate::grpc::Grpc;
use crate::proto::apply_response::Reason;
use crate::proto::{ApplyRequest, ApplyResponse, SelectRequest, SelectResponse, path};
use crate::service::{Method, Service};
use crate::target::{LARGEST, addresses, client_info, player_info, protocol, read, tell};
use async_trait::async_trait;
use drawbridge_adapter::action::{Append, OnActionError};
use drawbridge_config::{Fields, keywords, section};
use drawbridge_model::{ActionAdapter, ActionError, AdapterError, Client, Identity, Lease, Target};
use std::collections::HashMap;
use std::sync::Arc;

keywords! {
    /// Which service is asked.
    pub enum ActionService {
        /// `DiscoveryAction`: answers with the targets as they shall be, or refuses.
        "action" => Action,
        /// `Strategy`: selects one target.
        "strategy" => Strategy,
        /// `Discovery`: finds targets, which are added behind those that are there.
        "discovery" => Discovery,
    }
}

section! {
    /// A service that chooses.
    #[check(GrpcActionSection::check)]
    pub struct GrpcActionSection {
        /// The service.
        pub endpoint: Endpoint,
        /// Which of the services it offers is asked.
        pub service: ActionService = ActionService::Action,
        /// The form of a discovery's request.
        pub request: RequestForm = RequestForm::Flat,
        /// What becomes of players while it gives no answer.
        pub on_error: OnActionError = OnActionError::Refuse,
    }
}

impl GrpcActionSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if fields.has("request") && self.service != ActionService::Discovery {
            fields.error("request", "only a discovery's request has two forms");
        }
    }
}

const ACTION: Method = Method { path: path::ACTION, largest: LARGEST };
const STRATEGY: Method = Method { path: path::STRATEGY, largest: 64 << 10 };

/// Asks a service which targets it shall be.
#[derive(Debug)]
pub struct GrpcAction(Asks);

#[derive(Debug)]
enum Asks {
    Action(Service),
    Strategy(Service),
    Discovery(Append),
}

impl GrpcAction {
    /// As the section says; what fails is for the guard before it.
    #[must_use]
    pub fn new(section: &GrpcActionSection, grpc: &Grpc) -> Self {
        Self(match section.service {
            ActionService::Action => Asks::Action(grpc.service(&section.endpoint)),
            ActionService::Strategy => Asks::Strategy(grpc.service(&section.endpoint)),
            ActionService::Discovery => {
                let discovery = GrpcDiscovery::asking(&section.endpoint, section.request, grpc);
                Asks::Discovery(Append(Arc::new(discovery)))
            }
        })
    }
}

async fn choose(
    service: &Service,
    client: &Client,
    identity: &Identity,
    targets: Vec<Target>,
) -> Result<Vec<Target>, ActionError> {
    let question = ApplyRequest {
        client: Some(client_info(client)),
        player: Some(player_info(identity)),
        targets: targets.iter().map(tell).collect(),
    };
    let answer: ApplyResponse = service.ask(ACTION, question, Some(client.trace)).await?;
    match answer.reason {
        Some(Reason::Targets(chosen)) => {
            Ok(with_leases(read(chosen.targets, service.complaints())?, targets))
        }
        Some(Reason::Key(key)) => Err(ActionError::Refused(message_key(key, service.complaints()))),
        None => Err(AdapterError::Answer("neither targets nor a key".to_owned()).into()),
    }
}

async fn select(
    service: &Service,
    client: &Client,
    identity: &Identity,
    mut targets: Vec<Target>,
) -> Result<Vec<Target>, ActionError> {
    if targets.is_empty() {
        // Nothing can be selected.
        return Ok(targets);
    }
    let (client_address, server_address) = addresses(client);
    let player = player_info(identity);
    let question = SelectRequest {
        client_address: Some(client_address),
        server_address: Some(server_address),
        protocol: protocol(client),
        username: player.name,
        user_id: player.id,
        targets: targets.iter().map(tell).collect(),
    };
    let answer: SelectResponse = service.ask(STRATEGY, question, Some(client.trace)).await?;
    let identifier = answer.target.ok_or(ActionError::Refused(None))?.identifier;
    targets.retain(|target| target.identifier == identifier);
    if targets.is_empty() {
        let error = format!("it selects {:?}, which wasn't offered", shown(&identifier));
        return Err(AdapterError::Answer(error).into());
    }
    Ok(targets)
}

/// The chosen targets; what was set aside for the player stays so where the target is still there.
fn with_leases(mut chosen: Vec<Target>, offered: Vec<Target>) -> Vec<Target> {
    let mut leases: HashMap<String, Lease> =
        offered.into_iter().filter_map(|target| Some((target.identifier, target.lease?))).collect();
    for target in &mut chosen {
        target.lease = leases.remove(&target.identifier);
    }
    chosen
}

#[async_trait]
impl ActionAdapter for GrpcAction {
    async fn apply(
        &self,
        client: &Client,
        identity: &Identity,
        targets: Vec<Target>,
    ) -> Result<Vec<Target>, ActionError> {
        match &self.0 {
            Asks::Action(service) => choose(service, client, identity, targets).await,
            Asks::Strategy(service) => select(service, client, identity, targets).await,
            Asks::Discovery(discovery) => discovery.apply(client, identity, targets).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{quiet, told};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn what_was_set_aside_stays_so_for_targets_that_are_kept_alone() {
        let given_back = Arc::new(AtomicUsize::new(0));
        let leased = |identifier: &str| {
            let given_back = Arc::clone(&given_back);
            let lease = Lease::new(move || {
                given_back.fetch_add(1, Ordering::SeqCst);
            });
            let target = read(vec![told(identifier, "a", 1)], &quiet()).unwrap().remove(0);
            Target { lease: Some(lease), ..target }
        };
        let chosen = read(vec![told("new", "b", 1), told("kept", "a", 1)], &quiet()).unwrap();
        let chosen = with_leases(chosen, vec![leased("kept"), leased("dropped")]);
        assert_eq!(given_back.load(Ordering::SeqCst), 1);
        assert_eq!(chosen.iter().map(|target| target.lease.is_some()).collect::<Vec<_>>(), [false, true]);
    }
}
