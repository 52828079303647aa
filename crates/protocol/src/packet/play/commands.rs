//! The tree of commands (`declare_commands`), since 393: the edge's commands beside those of a server.
//!
//! What kinds of arguments there are changes from version to version, and one that isn't known can't be stepped over. So a
//! server's tree isn't taken apart: nodes are appended behind its own, where they change no index, and the root, which
//! vanilla writes first, gets more children.

use super::{NAME, say};
use crate::ids::Kind;
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};

/// The fields of a tree without commands, to be extended where there is no server.
pub const NO_COMMANDS: &[u8] = &[1, 0, 0, 0];

/// The bits of a node's flags.
mod flag {
    pub(super) const KIND: u8 = 0x03;
    pub(super) const ROOT: u8 = 0;
    pub(super) const LITERAL: u8 = 1;
    pub(super) const ARGUMENT: u8 = 2;
    pub(super) const RUNS: u8 = 0x04;
    pub(super) const REDIRECTS: u8 = 0x08;
    pub(super) const SUGGESTS: u8 = 0x10;
}

/// The fewest bytes of a node but the root: flags, the number of its children, and the length of its name.
const SMALLEST: usize = 3;

/// A command of the edge's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command<'a> {
    /// Without the `/`. It runs without an argument, too.
    pub name: &'a str,
    /// What may follow it.
    pub argument: Option<Argument<'a>>,
}

/// A text behind a command. While it is typed, the client asks for completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument<'a> {
    /// Shown where nothing is typed yet.
    pub name: &'a str,
    /// Whether it is all that follows, rather than one word.
    pub greedy: bool,
}

/// Makes the packet, id and fields, in which the commands stand behind those of `fields`, a server's tree. One that has the name
/// of a server's own is merged with it by the client, and would take its place: see [`root_commands`].
///
/// `None` where the root isn't the first node or `fields` is no tree, and where the version has none: then the server's packet is passed on
/// as it is.
#[must_use]
pub fn extend_commands(version: ProtocolVersion, fields: &[u8], commands: &[Command<'_>]) -> Option<Vec<u8>> {
    let root = Root::read(fields).ok()?;
    // The number of the root ends the packet.
    let (0, nodes) = root.rest.split_last()? else { return None };
    let added: usize = commands.iter().map(|command| 1 + usize::from(command.argument.is_some())).sum();
    let mut packet = Vec::with_capacity(fields.len() + 32 * added);
    let mut out = say(version, Kind::DeclareCommands, &mut packet)?;
    out.length(root.nodes + added);
    out.u8(root.flags);
    out.length(root.children + commands.len());
    out.bytes(root.child_bytes);
    let mut index = root.nodes;
    for command in commands {
        out.length(index);
        index += 1 + usize::from(command.argument.is_some());
    }
    out.bytes(nodes);
    let mut index = root.nodes;
    for command in commands {
        index += 1;
        write_literal(command, index, &mut out);
        if let Some(argument) = command.argument {
            index += 1;
            write_argument(version, argument, &mut out);
        }
    }
    out.varint(0);
    Some(packet)
}

/// A command and, where it has an argument, the index of that.
fn write_literal(command: &Command<'_>, next: usize, out: &mut Encoder<'_>) {
    out.u8(flag::LITERAL | flag::RUNS);
    match command.argument {
        Some(_) => {
            out.length(1);
            out.length(next);
        }
        None => out.length(0),
    }
    out.string(command.name);
}

fn write_argument(version: ProtocolVersion, argument: Argument<'_>, out: &mut Encoder<'_>) {
    out.u8(flag::ARGUMENT | flag::RUNS | flag::SUGGESTS);
    out.length(0);
    out.string(argument.name);
    if version >= ProtocolVersion::V1_19 {
        // The one of the kinds of argument whose number has never changed.
        out.varint(5);
    } else {
        out.string("brigadier:string");
    }
    out.varint(if argument.greedy { 2 } else { 0 });
    out.string("minecraft:ask_server");
}

/// The names of a server's commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootCommands<'a> {
    /// In the order of the tree.
    pub names: Vec<&'a str>,
    /// Whether these are all. Those that stand behind the first argument of any command aren't found; vanilla writes all
    /// commands before any argument.
    pub complete: bool,
}

/// Which commands a server's tree has, as far as they can be found without knowing any kind of argument.
///
/// # Errors
/// When the root isn't the first node, or `fields` is no tree as far as it is read.
pub fn root_commands(fields: &[u8]) -> Result<RootCommands<'_>, DecodeError> {
    let root = Root::read(fields)?;
    let (is_command, count) = root.commands()?;
    let mut names = Vec::new();
    let mut nodes = Decoder::new(root.rest);
    for is_command in is_command.into_iter().skip(1) {
        if names.len() == count {
            break;
        }
        let flags = nodes.u8("flags")?;
        if flags & flag::KIND != flag::LITERAL {
            break;
        }
        skip_children(&mut nodes, root.nodes)?;
        if flags & flag::REDIRECTS != 0 {
            nodes.varint("redirect")?;
        }
        let name = nodes.string("command", NAME)?;
        if is_command {
            names.push(name);
        }
    }
    Ok(RootCommands { complete: names.len() == count, names })
}

/// The first node of a tree, and what stands around it.
struct Root<'a> {
    /// How many nodes there are, with the root.
    nodes: usize,
    flags: u8,
    children: usize,
    child_bytes: &'a [u8],
    /// The other nodes and the number of the root.
    rest: &'a [u8],
}

impl<'a> Root<'a> {
    fn read(fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Decoder::new(fields);
        let bound = 1 + fields.rest().len() / SMALLEST;
        let nodes = fields.length("nodes", bound)?;
        let flags = fields.u8("flags")?;
        if nodes == 0 || flags & (flag::KIND | flag::REDIRECTS) != flag::ROOT {
            return Err(DecodeError::Value { field: "flags", value: flags.into() });
        }
        let (children, child_bytes) = skip_children(&mut fields, nodes)?;
        Ok(Self { nodes, flags, children, child_bytes, rest: fields.rest() })
    }

    /// Which of the nodes are its children, and how many these are.
    fn commands(&self) -> Result<(Vec<bool>, usize), DecodeError> {
        let mut is_command = vec![false; self.nodes];
        let mut count = 0;
        let mut children = Decoder::new(self.child_bytes);
        while !children.rest().is_empty() {
            let index = children.varint("child")?;
            let node = usize::try_from(index).ok().and_then(|index| is_command.get_mut(index));
            let node = node.ok_or(DecodeError::Value { field: "child", value: index.into() })?;
            count += usize::from(!std::mem::replace(node, true));
        }
        Ok((is_command, count))
    }
}

/// How many children a node of so many has, and their indices as bytes.
fn skip_children<'a>(fields: &mut Decoder<'a>, nodes: usize) -> Result<(usize, &'a [u8]), DecodeError> {
    let bound = nodes.min(fields.rest().len());
    let count = fields.length("children", bound)?;
    let before = fields.rest();
    for _ in 0..count {
        fields.varint("child")?;
    }
    Ok((count, &before[..before.len() - fields.rest().len()]))
}
