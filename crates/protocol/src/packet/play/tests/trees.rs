//! Trees of commands: those that another implementation writes, with commands and without, and those that nobody should.

use super::super::vectors::{self, Vector};
use super::super::{Argument, Command, NO_COMMANDS, RootCommands, extend_commands, root_commands};
use crate::ids::{Direction, Kind, State};
use crate::packet::RawPacket;
use crate::varint;
use crate::version::ProtocolVersion;
use crate::wire::DecodeError;
use serde_json::Value;

const SERVERS: [&str; 3] = ["msg", "tell", "seed"];

pub(super) fn commands(vector: &Vector) {
    let expected = RootCommands { names: SERVERS.to_vec(), complete: true };
    vector.is_read(|_| true, |_, fields| root_commands(fields).map(|read| read == expected));
}

pub(super) fn commands_extended(vector: &Vector) {
    let added: Vec<_> = vector.values["added"].as_array().unwrap().iter().map(command).collect();
    let vectors = vectors::all();
    let servers = vectors.iter().find(|other| other.case == "commands").unwrap();
    vector.is_said(|version, out| {
        let Some(body) = servers.body(version) else { return false };
        let fields = RawPacket::parse(&body).unwrap().fields;
        out.extend(extend_commands(version, fields, &added).unwrap());
        true
    });
    // The edge's own stand behind arguments, and aren't found any more.
    let expected = RootCommands { names: SERVERS.to_vec(), complete: false };
    vector.is_read(|_| true, |_, fields| root_commands(fields).map(|read| read == expected));
}

fn command(value: &Value) -> Command<'_> {
    let argument =
        value["argument"].as_str().map(|name| Argument { name, greedy: value["greedy"].as_bool().unwrap() });
    Command { name: value["name"].as_str().unwrap(), argument }
}

/// A root with the given children, literals without children of their own, and what ends the packet.
fn tree(children: &[u8], names: &[&str], root: u8) -> Vec<u8> {
    let mut fields = vec![names.len() as u8 + 1, 0, children.len() as u8];
    fields.extend_from_slice(children);
    for name in names {
        fields.extend([1, 0, name.len() as u8]);
        fields.extend_from_slice(name.as_bytes());
    }
    fields.push(root);
    fields
}

const OURS: [Command<'static>; 1] = [Command { name: "hub", argument: None }];

/// There are no vectors of 776 and 777; a string's number is the same there.
#[test]
fn commands_without_a_server_are_a_tree_too() {
    for version in [404, 766, 776, 777].map(ProtocolVersion) {
        let packet = extend_commands(version, NO_COMMANDS, &OURS).unwrap();
        let packet = RawPacket::parse(&packet).unwrap();
        let kind = packet.kind(version, State::Play, Direction::Clientbound);
        assert_eq!(kind, Some(Kind::DeclareCommands));
        assert_eq!(packet.fields, b"\x02\x00\x01\x01\x05\x00\x03hub\x00");
    }
    assert_eq!(extend_commands(ProtocolVersion::V1_12_2, NO_COMMANDS, &OURS), None);
}

#[test]
fn trees_whose_root_is_not_first_are_left_alone() {
    let extended = |fields: &[u8]| extend_commands(ProtocolVersion::V1_20_5, fields, &OURS);
    assert!(extended(&tree(&[1], &["a"], 0)).is_some());
    assert_eq!(extended(&tree(&[1], &["a"], 1)), None);
    let literal_first = [2, 1, 0, 1, b'a', 0, 1, 0, 1];
    assert_eq!(extended(&literal_first), None);
    assert!(root_commands(&literal_first).is_err());
    for broken in [&[][..], &[0, 0, 0, 0], &[1, 0, 5, 0], &[1, 0, 0], &[9, 0, 0, 0]] {
        assert_eq!(extended(broken), None, "{broken:?}");
    }
}

#[test]
fn commands_are_found_only_among_the_roots_children() {
    let names = |fields: &[u8]| {
        let RootCommands { names, complete } = root_commands(fields).unwrap();
        (names.join(" "), complete)
    };
    assert_eq!(names(&tree(&[3, 1], &["a", "b", "c"], 0)), ("a c".to_owned(), true));
    assert_eq!(names(&tree(&[1, 1], &["a", "b"], 0)), ("a".to_owned(), true));
    assert_eq!(names(NO_COMMANDS), (String::new(), true));
}

#[test]
fn trees_that_cannot_be_are_refused_before_they_are_gathered() {
    let refused = |fields: &[u8]| root_commands(fields).unwrap_err();
    // A node that there isn't.
    let nowhere = tree(&[1, 7], &["a", "b"], 0);
    assert_eq!(refused(&nowhere), DecodeError::Value { field: "child", value: 7 });
    // More children than nodes: the root's first, and then a command's.
    let mut many = vec![2, 0];
    varint::write(1_000_000, &mut many);
    many.resize(1_000_100, 1);
    let error = DecodeError::Length { field: "children", length: 1_000_000, bound: 2 };
    assert_eq!(refused(&many), error);
    assert_eq!(extend_commands(ProtocolVersion::V1_20_5, &many, &OURS), None);
    let mut many = vec![2, 0, 1, 1, 1];
    varint::write(1_000_000, &mut many);
    many.resize(1_000_100, 1);
    assert_eq!(refused(&many), error);
    // More nodes than the bytes could hold.
    let mut nodes = Vec::new();
    varint::write(1_000_000, &mut nodes);
    nodes.resize(1_000_000, 0);
    assert!(matches!(refused(&nodes), DecodeError::Length { field: "nodes", bound, .. } if bound < 400_000));
}
