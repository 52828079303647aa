//! Every version's packets, read with what the crate `protocol` knows of them. That clients made by other hands read all of
//! them whole, and stand, is seen by `tests/node/limbo`.

use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::nbt;
use drawbridge_protocol::wire::Decoder;

use super::*;

/// Without data: nothing is known of these but a few packets' ids.
const WITHOUT: [ProtocolVersion; 2] = [ProtocolVersion::V26_2, ProtocolVersion::V26_3];

fn versions() -> impl Iterator<Item = ProtocolVersion> {
    RELEASES.iter().map(|release| release.version).filter(|version| !WITHOUT.contains(version))
}

fn arrival(version: ProtocolVersion, coming_from: Origin) -> Vec<Vec<u8>> {
    let (world, name) = (World::of(version).unwrap(), WorldName::new("hub").unwrap());
    let arrival = Arrival { entity_id: 0x0102_0304, world: &name, coming_from };
    let bodies = world.arrival(arrival).map(|body| {
        let mut out = vec![0xff];
        body.write(&mut out);
        assert_eq!(out.len(), 1 + body.size(), "{version:?}");
        out.split_off(1)
    });
    bodies.collect()
}

fn kinds<'a>(
    version: ProtocolVersion,
    state: State,
    bodies: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Kind> {
    let kind = |body| {
        let id = Decoder::new(body).varint("id").unwrap();
        ids::kind(version, state, Direction::Clientbound, id).unwrap()
    };
    bodies.into_iter().map(kind).collect()
}

fn play(version: ProtocolVersion, bodies: &[Vec<u8>]) -> Vec<Kind> {
    kinds(version, State::Play, bodies.iter().map(Vec::as_slice))
}

#[test]
fn every_release_has_a_world_but_those_without_data() {
    for version in versions() {
        assert!(World::of(version).is_some() && World::exists(version), "{version:?}");
    }
    for version in WITHOUT {
        assert!(World::of(version).is_none() && !World::exists(version), "{version:?}");
    }
    for unknown in [i32::MIN, -1, 0, 6, 776, 778, 0x4000_0001, i32::MAX] {
        let unknown = ProtocolVersion(unknown);
        assert!(World::of(unknown).is_none() && !World::exists(unknown), "{unknown:?}");
    }
}

#[test]
fn a_world_is_unpacked_once() {
    let world = || World::of(ProtocolVersion::V1_21).unwrap();
    assert!(std::ptr::eq(world(), world()));
}

#[test]
fn an_arrival_begins_with_join_game_and_has_all_that_a_client_waits_for() {
    for version in versions() {
        let kinds = play(version, &arrival(version, Origin::Login));
        assert_eq!(kinds[0], Kind::Login, "{version:?}");
        let at = |kind| kinds.iter().position(|other| *other == kind);
        let count = |kind| kinds.iter().filter(|other| **other == kind).count();
        for needed in
            [Kind::Abilities, Kind::SpawnPosition, Kind::UpdateTime, Kind::UpdateHealth, Kind::Position]
        {
            assert_eq!(count(needed), 1, "{needed:?} of {version:?}");
        }
        let around = if version < ProtocolVersion::V1_9 { 1 } else { 9 };
        assert_eq!(count(Kind::MapChunk), around, "{version:?}");
        assert_eq!(at(Kind::UpdateViewPosition).is_some(), version >= ProtocolVersion::V1_14, "{version:?}");
        assert_eq!(count(Kind::ChunkBatchStart), usize::from(version >= ProtocolVersion::V1_20_2));
        assert_eq!(count(Kind::ChunkBatchFinished), usize::from(version >= ProtocolVersion::V1_20_2));
        assert_eq!(count(Kind::GameStateChange), usize::from(version >= ProtocolVersion::V1_20_3));
        assert_eq!(count(Kind::Respawn), 0);
        assert!(at(Kind::UpdateViewPosition) < at(Kind::MapChunk), "{version:?}");
    }
}

#[test]
fn who_comes_from_a_server_respawns_up_to_1_20_1() {
    for version in versions() {
        let [login, server] = [Origin::Login, Origin::Server].map(|origin| arrival(version, origin));
        if version.has_configuration() {
            assert_eq!(login, server, "{version:?}");
            continue;
        }
        assert_eq!(play(version, &server)[..2], [Kind::Login, Kind::Respawn], "{version:?}");
        assert_eq!(login[1..], server[2..], "{version:?}");
        // Up to 1.15.2 the client is sent through another dimension; later ones have a new world at each Join Game.
        assert_eq!(login[0] == server[0], version >= ProtocolVersion::V1_16, "{version:?}");
    }
}

#[test]
fn entity_and_world_are_the_arrivals_own() {
    for version in versions() {
        let bodies = arrival(version, Origin::Server);
        let login = &bodies[0];
        let mut decoder = Decoder::new(login);
        decoder.varint("id").unwrap();
        assert_eq!(decoder.bytes("entity", 4).unwrap(), [1, 2, 3, 4], "{version:?}");
        let named = |body: &[u8]| body.windows(15).filter(|bytes| *bytes == b"\x0edrawbridge:hub").count();
        // The list of worlds, and the world.
        let expected = if version < ProtocolVersion::V1_16 { 0 } else { 2 };
        assert_eq!(named(login), expected, "{version:?}");
        let respawn = usize::from(version >= ProtocolVersion::V1_16 && !version.has_configuration());
        let spawn = usize::from(version >= ProtocolVersion::V1_21_9);
        let all: usize = bodies.iter().map(|body| named(body)).sum();
        assert_eq!(all, expected + respawn + spawn, "{version:?}");
    }
}

#[test]
fn nothing_but_the_name_tells_worlds_apart() {
    for version in versions() {
        let world = World::of(version).unwrap();
        let write = |name: &str| {
            let name = WorldName::new(name).unwrap();
            let mut out = Vec::new();
            let arrival = Arrival { entity_id: 1, world: &name, coming_from: Origin::Login };
            world.arrival(arrival).for_each(|body| body.write(&mut out));
            out
        };
        let renamed = write("hub").windows(3).filter(|bytes| bytes == b"hub").count();
        let (hub, end) = (write("hub"), write("end"));
        let differ = hub.iter().zip(&end).filter(|(a, b)| a != b).count();
        assert_eq!((hub.len(), differ), (end.len(), 3 * renamed), "{version:?}");
    }
}

#[test]
fn configuration_is_registries_that_are_whole() {
    for version in versions() {
        let world = World::of(version).unwrap();
        let bodies: Vec<&[u8]> = world.configuration().collect();
        let kinds = kinds(version, State::Configuration, bodies.iter().copied());
        if !version.has_configuration() {
            assert!(kinds.is_empty(), "{version:?}");
            continue;
        }
        assert_eq!(kinds[0], Kind::FeatureFlags, "{version:?}");
        let mut ids = Vec::new();
        for (kind, body) in kinds.iter().zip(&bodies).skip(1) {
            match kind {
                Kind::RegistryData => ids.push(registry(version, body)),
                Kind::Tags => assert_eq!(version, ProtocolVersion::V26_1),
                other => panic!("{other:?} in configuration of {version:?}"),
            }
        }
        if version >= ProtocolVersion::V1_20_5 {
            for needed in ["dimension_type", "worldgen/biome", "damage_type", "chat_type", "wolf_variant"] {
                assert!(ids.contains(&format!("minecraft:{needed}")), "{needed} of {version:?}");
            }
        } else {
            assert_eq!(ids.len(), 1, "{version:?}");
        }
    }
}

/// Reads a Registry Data to its last byte, and gives its name since 1.20.5.
fn registry(version: ProtocolVersion, body: &[u8]) -> String {
    let mut decoder = Decoder::new(body);
    decoder.varint("id").unwrap();
    let tag = |decoder: &mut Decoder<'_>| {
        let (tag, size) = nbt::read(decoder.rest(), 1 << 20).unwrap();
        decoder.bytes("tag", size).unwrap();
        tag
    };
    if version < ProtocolVersion::V1_20_5 {
        let codec = tag(&mut decoder);
        assert!(codec.get("minecraft:dimension_type").is_some(), "{version:?}");
        assert!(codec.get("minecraft:worldgen/biome").is_some(), "{version:?}");
        decoder.finish().unwrap();
        return String::new();
    }
    let name = decoder.string("registry", 100).unwrap().to_owned();
    for _ in 0..decoder.length("entries", 1000).unwrap() {
        decoder.string("entry", 100).unwrap();
        assert!(decoder.bool("has data").unwrap(), "{name} of {version:?}");
        tag(&mut decoder);
    }
    decoder.finish().unwrap();
    name
}

#[test]
fn being_held_costs_little() {
    for version in versions() {
        let world = World::of(version).unwrap();
        let configuration: usize = world.configuration().map(<[u8]>::len).sum();
        let bodies = arrival(version, Origin::Server);
        let all: usize = configuration + bodies.iter().map(Vec::len).sum::<usize>();
        // 1.15 to 1.16.1 have four bytes for each of 9,216 biomes.
        assert!(all < 64 << 10, "{all} bytes bring a player of {version:?} in");
        assert!(bodies.iter().all(|body| body.len() < 24 << 10), "{version:?}");
    }
    assert!(size_of::<Body<'_>>() <= 64);
}
