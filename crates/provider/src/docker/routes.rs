//! Containers as documents of routes.
//!
//! What must stay true: the same containers give the same documents, in whatever order they come.

use super::container::{Container, STYLE, State};
use crate::draft::{Draft, Trouble};
use crate::labels::{self, HOSTS, Labels};
use drawbridge_model::RouteDocument;
use std::collections::BTreeMap;

/// One document for each route, in the order in which the first of their containers came. Containers whose labels are the same, with a name for the route among them, are targets of one route.
pub(crate) fn documents<'a>(
    containers: impl IntoIterator<Item = &'a Container>,
    network: Option<&str>,
) -> Vec<RouteDocument> {
    let there = containers.into_iter().filter(|container| container.is_there());
    let mut containers: Vec<(usize, &Container)> = there.enumerate().collect();
    containers.sort_by(|(_, one), (_, other)| one.name().cmp(other.name()));
    // One that can't be looked at may still be known by a name that another has by now.
    containers.dedup_by(|(_, one), (_, other)| one.name() == other.name());
    let mut groups: BTreeMap<_, Group<'_>> = BTreeMap::new();
    for (came, container) in containers {
        let Some(labels) = container.labels() else { continue };
        let own = if labels.get("name").is_some() { None } else { Some(container.name()) };
        let group = groups.entry((own, labels)).or_insert(Group { came, labels, containers: Vec::new() });
        group.came = came.min(group.came);
        group.containers.push(container);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| group.came);
    groups.iter().filter_map(|group| document(group.labels, &group.containers, network)).collect()
}

/// The containers of a route.
struct Group<'a> {
    /// How many containers had come before the first of them.
    came: usize,
    labels: &'a Labels,
    /// By their names.
    containers: Vec<&'a Container>,
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
    if draft.targets.is_empty() && draft.troubles.is_empty() {
        draft.troubles.push(nobody(group));
    }
    Some(draft.write())
}

/// Why there is nowhere for players to go.
fn nobody(group: &[&Container]) -> Trouble {
    let why = |container: &&Container| {
        Some(format!("{} {}", labels::shown(container.name()), container.state().trouble()?))
    };
    // Who has hundreds of them learns no more from all.
    let why: Vec<String> = group.iter().filter_map(why).take(8).collect();
    Trouble {
        label: HOSTS,
        fatal: false,
        message: format!("no player can be sent to it: {}", why.join(", ")),
        help: "that changes by itself: until then the server list shows it as offline".to_owned(),
    }
}
