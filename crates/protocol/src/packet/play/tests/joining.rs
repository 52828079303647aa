//! Join Game and what follows from it: the other packets of the same world are those that another implementation writes.

use super::super::vectors::{self, Vector};
use super::super::{Dimension, JoinGame, set_online_mode};
use crate::version::ProtocolVersion;
use crate::wire::DecodeError;

/// The Join Game of the same number.
fn original(vector: &Vector) -> Vector {
    let same = |other: &Vector| other.case == "join" && other.number("number") == vector.number("number");
    vectors::all().into_iter().find(same).unwrap()
}

/// The fields of a Join Game in a version.
fn fields(join: &Vector, version: ProtocolVersion) -> Vec<u8> {
    join.releases().find(|(other, _)| *other == version).unwrap().1.unwrap().1.to_vec()
}

/// That `write` makes the vector of the Join Game of its number.
fn follows(vector: &Vector, write: impl Fn(&JoinGame<'_>, &mut Vec<u8>) -> bool) {
    let join = original(vector);
    vector.is_said(|version, out| write(&JoinGame::read(version, &fields(&join, version)).unwrap(), out));
}

pub(super) fn join(vector: &Vector) {
    let entity = vector.number("entity");
    vector.is_read(|_| entity, |version, fields| JoinGame::read(version, fields).map(|join| join.entity));
    follows(vector, |join, out| join.write_join(Dimension::Real, out));
}

pub(super) fn join_elsewhere(vector: &Vector) {
    follows(vector, |join, out| join.write_join(Dimension::Other, out));
}

pub(super) fn respawn(vector: &Vector) {
    follows(vector, |join, out| join.write_respawn(Dimension::Real, out));
}

pub(super) fn respawn_elsewhere(vector: &Vector) {
    follows(vector, |join, out| join.write_respawn(Dimension::Other, out));
}

/// Trailing bytes would end up in the middle of what a client is told.
#[test]
fn a_join_of_more_than_its_fields_is_refused() {
    for join in vectors::all().iter().filter(|vector| vector.case == "join") {
        for number in [735, 754, 758, 762, 763] {
            let version = ProtocolVersion(number);
            let mut fields = fields(join, version);
            fields.push(0);
            assert_eq!(JoinGame::read(version, &fields).err(), Some(DecodeError::Trailing { count: 1 }));
        }
    }
}

/// The packet of 775 with a boolean before the last, as the published changes have it: there are no vectors of 776.
#[test]
fn the_online_mode_is_the_edges() {
    let joins = vectors::all();
    let join = joins.iter().find(|vector| vector.case == "join").unwrap();
    let old = fields(join, ProtocolVersion::V26_1);
    let mut new = old.clone();
    new.insert(old.len() - 1, 0);
    let backends = new.clone();
    for version in [ProtocolVersion::V26_2, ProtocolVersion::V26_3] {
        set_online_mode(version, &mut new, true).unwrap();
        assert_eq!(new[..], [&old[..old.len() - 1], &[1, old[old.len() - 1]]].concat());
        set_online_mode(version, &mut new, false).unwrap();
        assert_eq!(new, backends);
    }
    let mut same = old.clone();
    set_online_mode(ProtocolVersion::V26_1, &mut same, false).unwrap();
    assert_eq!(same, old);
    let refused = |fields: &mut [u8]| set_online_mode(ProtocolVersion::V26_2, fields, true).is_err();
    assert!(refused(&mut [1]) && refused(&mut [2, 1]) && refused(&mut [0, 2]));
}
