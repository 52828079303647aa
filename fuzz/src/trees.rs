//! Trees of commands with the edge's own put in.
//!
//! What must hold: a tree that a client can read, by a reader of the fuzzer's own that knows some kinds of arguments, stays one; each node of the server's is
//! where it was, as it was, but for the root, which has the edge's commands besides; the names that are found are the server's commands, and
//! where they are said to be all, they are; memory stays within what the bytes are.

use crate::{Input, input, memory, vectors};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::Kind;
use drawbridge_protocol::packet::RawPacket;
use drawbridge_protocol::packet::play::{Argument, Command, extend_commands, root_commands};
use drawbridge_protocol::wire::{DecodeError, Decoder};

const ARGUMENT: Argument<'_> = Argument { name: "arguments", greedy: true };
const OWN: [Command<'_>; 2] =
    [Command { name: "server", argument: Some(ARGUMENT) }, Command { name: "hub", argument: None }];

/// A node as a client reads it.
#[derive(Debug, Clone, PartialEq)]
struct Node<'a> {
    flags: u8,
    children: Vec<usize>,
    redirect: Option<usize>,
    name: Option<&'a str>,
    parser: &'a [u8],
    suggestions: Option<&'a str>,
}

/// See the module.
pub fn check(data: &[u8]) {
    memory::within(memory::of(data), || extend(data));
}

fn extend(data: &[u8]) {
    let mut input = Input::new(data);
    let (version, choice) = (input.version(), input.below(4));
    let fields = input.rest();
    let own = [&OWN[..], &OWN[..1], &OWN[1..], &[]][choice];
    let names = root_commands(fields);
    let Some(extended) = extend_commands(version, fields, own) else {
        assert!(tree(version, fields).is_err() || version < ProtocolVersion::V1_13, "a tree isn't extended");
        return;
    };
    let names = names.unwrap_or(play_names());
    let Ok(before) = tree(version, fields) else { return };
    let after = RawPacket::parse(&extended).expect("it has an id").fields;
    let after = tree(version, after).expect("it is a tree still");
    assert_eq!(after[1..before.len()], before[1..], "the server's nodes");
    let (root, more) = after[0].children.split_at(before[0].children.len());
    assert_eq!(root, before[0].children, "the server's commands");
    let named: Vec<_> = more.iter().map(|&child| after[child].name.unwrap_or_default()).collect();
    assert_eq!(named, own.iter().map(|command| command.name).collect::<Vec<_>>());
    found(&before, &names.names, names.complete);
}

/// Where nothing was found.
const fn play_names() -> drawbridge_protocol::packet::play::RootCommands<'static> {
    drawbridge_protocol::packet::play::RootCommands { names: Vec::new(), complete: false }
}

fn found(tree: &[Node<'_>], names: &[&str], complete: bool) {
    let mut children = tree[0].children.clone();
    children.sort_unstable();
    children.dedup();
    let mut all: Vec<_> = children
        .iter()
        .filter(|&&child| tree[child].flags & 3 == 1)
        .filter_map(|&child| tree[child].name)
        .collect();
    if complete {
        assert_eq!(names, all, "all of them");
    }
    for name in names {
        let at = all.iter().position(|other| other == name).expect("a command of the server's");
        all.remove(at);
    }
}

/// Reads a tree whole.
fn tree(version: ProtocolVersion, fields: &[u8]) -> Result<Vec<Node<'_>>, DecodeError> {
    let mut fields = Decoder::new(fields);
    let count = fields.length("nodes", fields.rest().len())?;
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(node(version, count, &mut fields)?);
    }
    // In more bytes than it needs it can't be told from the nodes before it by who doesn't know every kind of argument: whose server writes it so
    // has no commands.
    let is_short = fields.rest().len() == 1;
    let root = fields.varint("root")?;
    fields.finish()?;
    match nodes.first() {
        Some(first) if root == 0 && is_short && first.flags & 0x0b == 0 && only_root(&nodes) => Ok(nodes),
        _ => Err(DecodeError::Value { field: "root", value: root.into() }),
    }
}

/// A second one would have no name, and no server writes any: whose server does has no commands.
fn only_root(nodes: &[Node<'_>]) -> bool {
    nodes.iter().skip(1).all(|node| node.flags & 3 != 0)
}

fn node<'a>(
    version: ProtocolVersion,
    count: usize,
    fields: &mut Decoder<'a>,
) -> Result<Node<'a>, DecodeError> {
    let index = |fields: &mut Decoder<'a>| fields.length("index", count.saturating_sub(1));
    let flags = fields.u8("flags")?;
    let mut children = Vec::new();
    // None twice.
    for _ in 0..fields.length("children", count.min(fields.rest().len()))? {
        children.push(index(fields)?);
    }
    let redirect = if flags & 8 == 0 { None } else { Some(index(fields)?) };
    let kind = flags & 3;
    let name = if kind == 1 || kind == 2 { Some(fields.string("name", 32_767)?) } else { None };
    let parser = if kind == 2 { parser(version, fields)? } else { &[] };
    let suggestions =
        if kind == 2 && flags & 0x10 != 0 { Some(fields.string("suggestions", 32_767)?) } else { None };
    match kind {
        3 => Err(DecodeError::Value { field: "flags", value: flags.into() }),
        _ => Ok(Node { flags, children, redirect, name, parser, suggestions }),
    }
}

/// Of the kinds of arguments, booleans and strings.
fn parser<'a>(version: ProtocolVersion, fields: &mut Decoder<'a>) -> Result<&'a [u8], DecodeError> {
    let before = fields.rest();
    let has_mode = if version >= ProtocolVersion::V1_19 {
        match fields.varint("parser")? {
            0 => false,
            5 => true,
            value => return Err(DecodeError::Value { field: "parser", value: value.into() }),
        }
    } else {
        match fields.string("parser", 32_767)? {
            "brigadier:bool" => false,
            "brigadier:string" => true,
            _ => return Err(DecodeError::Value { field: "parser", value: 0 }),
        }
    };
    if has_mode {
        fields.length("mode", 2)?;
    }
    Ok(&before[..before.len() - fields.rest().len()])
}

/// Trees that grew by the edge's commands, and the vectors.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for version in [393, 758, 759, 765, 775].map(ProtocolVersion) {
        let choice = input::choice_of(version);
        let mut fields = drawbridge_protocol::packet::play::NO_COMMANDS.to_vec();
        for round in 0..3 {
            seeds.push([&[choice, round], &fields[..]].concat());
            let Some(body) = extend_commands(version, &fields, &OWN) else { break };
            fields = RawPacket::parse(&body).expect("it has an id").fields.to_vec();
        }
    }
    let vectors = vectors::all().into_iter().filter(|vector| vector.kind == Kind::DeclareCommands);
    seeds.extend(vectors.map(|vector| [&[input::choice_of(vector.version), 0], &vector.fields[..]].concat()));
    seeds
}
