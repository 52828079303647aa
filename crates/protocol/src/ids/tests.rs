//! The tables against ids that come from elsewhere: vanilla's own reports and the published changes, typed by hand.

use super::{Direction, Kind, State, generated, id, kind, overlay, table};
use crate::version::{ProtocolVersion, RELEASES};

const STATES: [State; 5] =
    [State::Handshaking, State::Status, State::Login, State::Configuration, State::Play];
const DIRECTIONS: [Direction; 2] = [Direction::Serverbound, Direction::Clientbound];

/// The first and the last version in which a packet has an id, and the id.
type Span = (i32, i32, i32);

/// All that a login and its configuration consist of.
#[rustfmt::skip]
const LOGIN_AND_CONFIGURATION: &[(State, Direction, Kind, &[Span])] = {
    use Direction::{Clientbound as C, Serverbound as S};
    use State::{Configuration, Login};
    &[
        (Login, C, Kind::Disconnect, &[(4, 777, 0x00)]),
        (Login, C, Kind::EncryptionBegin, &[(4, 777, 0x01)]),
        (Login, C, Kind::Success, &[(4, 777, 0x02)]),
        (Login, C, Kind::Compress, &[(47, 777, 0x03)]),
        (Login, C, Kind::LoginPluginRequest, &[(393, 777, 0x04)]),
        (Login, C, Kind::CookieRequest, &[(766, 777, 0x05)]),
        (Login, S, Kind::LoginStart, &[(4, 777, 0x00)]),
        (Login, S, Kind::EncryptionBegin, &[(4, 777, 0x01)]),
        (Login, S, Kind::LoginPluginResponse, &[(393, 777, 0x02)]),
        (Login, S, Kind::LoginAcknowledged, &[(764, 777, 0x03)]),
        (Login, S, Kind::CookieResponse, &[(766, 777, 0x04)]),
        (Configuration, C, Kind::CookieRequest, &[(766, 777, 0x00)]),
        (Configuration, C, Kind::CustomPayload, &[(764, 765, 0x00), (766, 777, 0x01)]),
        (Configuration, C, Kind::Disconnect, &[(764, 765, 0x01), (766, 777, 0x02)]),
        (Configuration, C, Kind::FinishConfiguration, &[(764, 765, 0x02), (766, 777, 0x03)]),
        (Configuration, C, Kind::KeepAlive, &[(764, 765, 0x03), (766, 777, 0x04)]),
        (Configuration, C, Kind::Ping, &[(764, 765, 0x04), (766, 777, 0x05)]),
        (Configuration, C, Kind::RegistryData, &[(764, 765, 0x05), (766, 777, 0x07)]),
        (Configuration, C, Kind::AddResourcePack, &[(765, 765, 0x07), (766, 776, 0x09)]),
        (Configuration, C, Kind::StoreCookie, &[(766, 776, 0x0a), (777, 777, 0x0b)]),
        (Configuration, C, Kind::Transfer, &[(766, 776, 0x0b), (777, 777, 0x0c)]),
        (Configuration, C, Kind::SelectKnownPacks, &[(766, 776, 0x0e), (777, 777, 0x0f)]),
        (Configuration, S, Kind::Settings, &[(764, 777, 0x00)]),
        (Configuration, S, Kind::CookieResponse, &[(766, 777, 0x01)]),
        (Configuration, S, Kind::CustomPayload, &[(764, 765, 0x01), (766, 777, 0x02)]),
        (Configuration, S, Kind::FinishConfiguration, &[(764, 765, 0x02), (766, 777, 0x03)]),
        (Configuration, S, Kind::KeepAlive, &[(764, 765, 0x03), (766, 777, 0x04)]),
        (Configuration, S, Kind::Pong, &[(764, 765, 0x04), (766, 777, 0x05)]),
        (Configuration, S, Kind::ResourcePackReceive, &[(764, 765, 0x05), (766, 777, 0x06)]),
        (Configuration, S, Kind::SelectKnownPacks, &[(766, 777, 0x07)]),
    ]
};

/// Ids in play, clientbound: those of the packets that end or redirect a player's stay.
#[rustfmt::skip]
const PLAY: &[(i32, Kind, i32)] = &[
    (5, Kind::KickDisconnect, 64), (47, Kind::KickDisconnect, 64), (47, Kind::SetCompression, 70),
    (110, Kind::KickDisconnect, 26), (340, Kind::Login, 35), (340, Kind::Respawn, 53),
    (774, Kind::KickDisconnect, 32), (774, Kind::StartConfiguration, 116), (774, Kind::StoreCookie, 118),
    (774, Kind::SystemChat, 119), (774, Kind::Transfer, 127), (775, Kind::StartConfiguration, 118),
    (775, Kind::Transfer, 129), (776, Kind::Transfer, 129), (776, Kind::Login, 49),
    (777, Kind::Transfer, 132), (777, Kind::StartConfiguration, 120), (777, Kind::Respawn, 84),
];

#[test]
fn login_and_configuration_are_as_published() {
    for &(state, direction, kind, spans) in LOGIN_AND_CONFIGURATION {
        for release in RELEASES {
            let number = release.version.number();
            let expected = spans.iter().find(|(first, last, _)| (*first..=*last).contains(&number));
            let expected = expected.map(|&(_, _, id)| id);
            assert_eq!(id(release.version, state, direction, kind), expected, "{kind:?} in {number}");
        }
    }
}

#[test]
fn play_is_as_published() {
    for &(number, kind, expected) in PLAY {
        let found = id(ProtocolVersion(number), State::Play, Direction::Clientbound, kind);
        assert_eq!(found, Some(expected), "{kind:?} in {number}");
    }
}

#[test]
fn every_release_has_tables_and_none_is_in_two_places() {
    let known: Vec<i32> = RELEASES.iter().map(|release| release.version.number()).collect();
    let overlaid = overlay::VERSIONS.map(ProtocolVersion::number);
    assert_eq!(known, [&generated::KNOWN[..], &overlaid].concat());
    for release in RELEASES {
        for direction in DIRECTIONS {
            for state in [State::Login, State::Play] {
                assert!(
                    table(release.version, state, direction).is_some_and(|table| table.iter().count() > 1)
                );
            }
            let configuration = table(release.version, State::Configuration, direction);
            assert_eq!(configuration.is_some(), release.version.has_configuration());
        }
    }
}

/// What follows from neighbours: packets keep the order of the last release that has tables.
#[test]
fn what_is_kept_by_hand_is_in_order() {
    for (state, direction) in
        STATES.into_iter().flat_map(|state| DIRECTIONS.map(|direction| (state, direction)))
    {
        for version in overlay::VERSIONS {
            let mut ids: Vec<_> = Kind::ALL
                .iter()
                .filter_map(|&kind| Some((id(ProtocolVersion::V26_1, state, direction, kind)?, kind)))
                .filter_map(|(before, kind)| Some((before, id(version, state, direction, kind)?)))
                .collect();
            ids.sort_unstable();
            let moved: Vec<_> = ids.iter().map(|(before, now)| now - before).collect();
            assert!(moved.is_sorted(), "{state:?} {direction:?} of {version}: {ids:?}");
        }
    }
}

#[test]
fn ids_and_kinds_lead_back_to_each_other() {
    for release in RELEASES {
        for (state, direction) in
            STATES.into_iter().flat_map(|state| DIRECTIONS.map(|direction| (state, direction)))
        {
            let version = release.version;
            let there = Kind::ALL.iter().filter(|&&name| {
                let id = id(version, state, direction, name);
                id.is_none_or(|id| kind(version, state, direction, id) == Some(name)) && id.is_some()
            });
            let back = (-1..400).filter(|&id| kind(version, state, direction, id).is_some());
            assert_eq!(there.count(), back.count());
            assert_eq!(kind(version, state, direction, i32::MIN), None);
            assert_eq!(kind(version, state, direction, i32::MAX), None);
        }
    }
}

#[test]
fn the_status_and_a_kick_reach_unknown_versions() {
    use Direction::{Clientbound, Serverbound};
    for number in [-1, 0, 3, 6, 778, 0x4000_0001, i32::MAX, i32::MIN] {
        let version = ProtocolVersion(number);
        assert_eq!(id(version, State::Handshaking, Serverbound, Kind::SetProtocol), Some(0));
        assert_eq!(kind(version, State::Status, Serverbound, 0), Some(Kind::PingStart));
        assert_eq!(kind(version, State::Status, Serverbound, 1), Some(Kind::Ping));
        assert_eq!(id(version, State::Status, Clientbound, Kind::ServerInfo), Some(0));
        assert_eq!(id(version, State::Login, Clientbound, Kind::Disconnect), Some(0));
        assert_eq!(kind(version, State::Login, Serverbound, 0), Some(Kind::LoginStart));
        assert_eq!(kind(version, State::Login, Serverbound, 1), None);
        assert_eq!(id(version, State::Configuration, Clientbound, Kind::Transfer), None);
        assert!(table(version, State::Play, Clientbound).is_none());
    }
    assert!(table(ProtocolVersion(777), State::Handshaking, Clientbound).is_none());
}

#[test]
fn names_are_those_of_the_source() {
    assert_eq!(Kind::KeepAlive.name(), "keep_alive");
    assert!(Kind::ALL.windows(2).all(|pair| pair[0].name() < pair[1].name()));
}
