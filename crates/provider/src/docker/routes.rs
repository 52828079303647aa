//! Containers as documents of routes.
//!
//! What must stay true: the same containers give the same documents, in whatever order they come.

use super::container::{Container, STYLE, State};
use crate::draft::{Draft, Trouble};
use crate::labels::{HOSTS, Labels};
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
    // No daemon lists two of one name; where one did, there would be two documents of one.
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

/// Why there is nowhere for players to go. Who they are isn't told: many that fall ill one after the other would say something new each time.
fn nobody(group: &[&Container]) -> Trouble {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for trouble in group.iter().filter_map(|container| container.state().trouble()) {
        *counts.entry(trouble).or_default() += 1;
    }
    let why: Vec<String> = counts
        .into_iter()
        .map(|(trouble, count)| match count {
            1 if group.len() == 1 => format!("it is {trouble}"),
            1 => format!("1 is {trouble}"),
            count => format!("{count} are {trouble}"),
        })
        .collect();
    Trouble {
        label: HOSTS,
        fatal: false,
        message: format!("no player can be sent to it: {}", why.join(", ")),
        help: "that changes by itself: until then the server list shows it as offline".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_nobody_can_be_sent_there_is_told_by_number() {
        let container = |number: usize, state: serde_json::Value| -> Container {
            let labels = serde_json::json!({ "drawbridge.hosts": "a.example.com", "drawbridge.name": "a" });
            let inspected = serde_json::json!({ "Name": format!("/c{number}"), "State": state, "Config": { "Labels": labels } });
            serde_json::from_value(inspected).unwrap()
        };
        let health =
            |status: &str| serde_json::json!({ "Status": "running", "Health": { "Status": status } });
        let told = |containers: &[Container]| {
            let documents = documents(containers, None);
            let [document] = documents.as_slice() else { panic!("{documents:?}") };
            let [remark] = document.remarks.as_slice() else { panic!("{document:?}") };
            remark.message.clone()
        };
        let mut containers: Vec<_> = (0..20).map(|number| container(number, health("starting"))).collect();
        assert!(told(&containers).ends_with("no player can be sent to it: 20 are starting"));
        containers.push(container(20, health("unhealthy")));
        containers.push(container(21, serde_json::json!({ "Status": "paused" })));
        let words = "no player can be sent to it: 1 is paused, 20 are starting, 1 is unhealthy";
        assert!(told(&containers).ends_with(words), "{}", told(&containers));
        let words = "container c20: no player can be sent to it: it is unhealthy";
        assert_eq!(told(&containers[20..21]), words);
    }
}
