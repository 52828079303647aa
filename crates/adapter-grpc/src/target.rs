//! Players, clients and targets as services are told of them, and targets as services tell of them.

use crate::error::shown;
use crate::proto::{Address, ClientInfo, MetaEntry, PlayerInfo, Target as Told};
use crate::service::Complaints;
use drawbridge_model::{AdapterError, Client, Identity, Target, TargetAddress};
use std::collections::HashSet;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// The most targets that an answer may have.
const TARGETS: usize = 4_096;
/// The longest identifier, in bytes.
const IDENTIFIER: usize = 255;
/// The most entries of a target's metadata.
const META: usize = 128;
/// The most bytes of an answer with targets: 256 for each.
pub(crate) const LARGEST: usize = TARGETS * 256;

/// Where the client calls from, and what it typed.
pub(crate) fn addresses(client: &Client) -> (Address, Address) {
    let from = Address { hostname: client.address.ip().to_string(), port: client.address.port().into() };
    (from, Address { hostname: client.host.clone(), port: client.port.into() })
}

/// The protocol number; clients that don't say theirs have none, which is 0.
pub(crate) fn protocol(client: &Client) -> u64 {
    u64::try_from(client.version.number()).unwrap_or_default()
}

pub(crate) fn client_info(client: &Client) -> ClientInfo {
    let (client_address, server_address) = addresses(client);
    ClientInfo {
        client_address: Some(client_address),
        server_address: Some(server_address),
        protocol_version: protocol(client),
    }
}

pub(crate) fn player_info(identity: &Identity) -> PlayerInfo {
    let (name, id) = match identity {
        Identity::Verified(profile) => (&profile.name, profile.id),
        Identity::Claimed(claim) => (&claim.name, claim.id),
    };
    PlayerInfo { name: name.clone(), id: id.to_string() }
}

/// A target, to be told of.
pub(crate) fn tell(target: &Target) -> Told {
    let address = &target.address;
    let entry = |(key, value): (&String, &String)| MetaEntry { key: key.clone(), value: value.clone() };
    Told {
        identifier: target.identifier.clone(),
        address: Some(Address { hostname: address.host.clone(), port: address.port.into() }),
        meta: target.meta.iter().map(entry).collect(),
        priority: target.priority,
    }
}

/// The targets of an answer, in its order. Those that nobody can be sent to are left out, and so are those that come again.
pub(crate) fn read(told: Vec<Told>, complaints: &Complaints) -> Result<Vec<Target>, AdapterError> {
    if told.len() > TARGETS {
        return Err(AdapterError::Answer(format!("{} targets, of which {TARGETS} are taken", told.len())));
    }
    let (count, mut seen) = (told.len(), HashSet::new());
    let mut mistake = None;
    let targets: Vec<Target> = told
        .into_iter()
        .filter_map(|told| target(told).map_err(|error| mistake = mistake.take().or(Some(error))).ok())
        .filter(|target| seen.insert(target.identifier.clone()))
        .collect();
    if targets.len() < count
        && let Some(service) = complaints.due()
    {
        let first = mistake.unwrap_or_else(|| "an identifier came twice".to_owned());
        tracing::warn!(service, left_out = count - targets.len(), first, "targets were left out");
    }
    Ok(targets)
}

fn target(told: Told) -> Result<Target, String> {
    let Told { identifier, address, meta, priority } = told;
    let address = address.ok_or_else(|| format!("{:?} has no address", shown(&identifier)))?;
    let written = match address.hostname.parse::<Ipv6Addr>() {
        Ok(ip) => format!("[{ip}]:{}", address.port),
        Err(_) => format!("{}:{}", address.hostname, address.port),
    };
    let address: TargetAddress = written.parse().map_err(|error| {
        format!("{:?} has the address {:?}: {error}", shown(&identifier), shown(&written))
    })?;
    if meta.len() > META {
        return Err(format!(
            "{:?} has {} entries of metadata, of which {META} are taken",
            shown(&identifier),
            meta.len()
        ));
    }
    if identifier.len() > IDENTIFIER {
        return Err(format!("an identifier has {} bytes, of which {IDENTIFIER} are taken", identifier.len()));
    }
    if identifier.contains(char::is_control) {
        return Err(format!("{:?} has control characters", shown(&identifier)));
    }
    let identifier = if identifier.is_empty() { address.to_string() } else { identifier };
    let meta = Arc::new(meta.into_iter().map(|MetaEntry { key, value }| (key, value)).collect());
    Ok(Target { identifier, address, priority, meta, lease: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{quiet, told};

    fn identifiers(told: Vec<Told>) -> Vec<String> {
        read(told, &quiet()).unwrap().into_iter().map(|target| target.identifier).collect()
    }

    #[test]
    fn what_is_told_is_read_again() {
        let targets = vec![
            told("hub", "hub.example.com", 25565),
            told("v4", "10.0.0.1", 1),
            told("v6", "2001:db8::1", 65535),
        ];
        let read = read(targets.clone(), &quiet()).unwrap();
        assert_eq!(read[2].address.to_string(), "[2001:db8::1]:65535");
        assert_eq!((read[0].priority, &*read[0].meta["region"]), (7, "eu"));
        assert_eq!(read.iter().map(tell).collect::<Vec<_>>(), targets);
        assert_eq!(identifiers(vec![told("", "[::1]", 5)]), ["[::1]:5"]);
    }

    #[test]
    fn targets_that_nobody_can_be_sent_to_are_left_out() {
        let no_address = Told { address: None, ..told("none", "", 1) };
        let long = told(&"x".repeat(IDENTIFIER + 1), "a", 1);
        let lines = told("hub\n2026-01-01T00:00:00Z  INFO banned\u{1b}[2J", "a", 1);
        for wrong in [
            told("zero", "a", 0),
            told("large", "a", 65_536),
            told("none", "", 1),
            told("space", "a b", 1),
            told("port", "a:1", 1),
            told("long", &"a".repeat(300), 1),
            no_address,
            long,
            lines,
            told("first", "elsewhere", 1),
        ] {
            let all = vec![told("first", "a", 1), wrong.clone(), told("last", "b", 2)];
            assert_eq!(identifiers(all), ["first", "last"], "{wrong:?}");
        }
    }

    #[test]
    fn the_number_of_targets_has_a_bound() {
        let many = |count: usize| (0..count).map(|index| told(&index.to_string(), "a", 1)).collect();
        assert_eq!(identifiers(many(TARGETS)).len(), TARGETS);
        assert!(matches!(read(many(TARGETS + 1), &quiet()), Err(AdapterError::Answer(_))));
    }
}
