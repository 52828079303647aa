//! Containers as documents of routes.
//!
//! What must stay true: the same containers give the same documents, in whatever order the daemon lists them.

use super::container::{Container, STYLE, State};
use crate::draft::Draft;
use crate::labels::Labels;
use drawbridge_model::RouteDocument;
use std::collections::BTreeMap;

/// One document for each route. Containers whose labels are the same, with a name for the route among them, are targets of one route.
pub(crate) fn documents<'a>(
    containers: impl IntoIterator<Item = &'a Container>,
    network: Option<&str>,
) -> Vec<RouteDocument> {
    let mut containers: Vec<&Container> =
        containers.into_iter().filter(|container| container.is_there()).collect();
    containers.sort_by(|one, other| one.name().cmp(other.name()));
    // One that can't be looked at may still be known by a name that another has by now.
    containers.dedup_by(|one, other| one.name() == other.name());
    let mut groups: BTreeMap<(Option<&str>, &Labels), Vec<&Container>> = BTreeMap::new();
    for container in containers {
        let Some(labels) = container.labels() else { continue };
        let own = if labels.get("name").is_some() { None } else { Some(container.name()) };
        groups.entry((own, labels)).or_default().push(container);
    }
    groups.into_iter().filter_map(|((_, labels), group)| document(labels, &group, network)).collect()
}

/// The document that the first of the containers gives its name.
fn document(labels: &Labels, group: &[&Container], network: Option<&str>) -> Option<RouteDocument> {
    let first = group.first()?.name();
    let mut draft = Draft {
        name: format!("docker:{first}"),
        style: STYLE,
        labels,
        bearer: first,
        targets: Vec::new(),
        troubles: Vec::new(),
    };
    for container in group.iter().filter(|container| container.state() == State::Ready) {
        match container.target(labels, network) {
            Ok((address, doubt)) => {
                draft.targets.push((container.name().to_owned(), address.to_string()));
                draft.troubles.extend(doubt);
            }
            Err(trouble) => draft.troubles.push(trouble),
        }
    }
    Some(draft.write())
}
