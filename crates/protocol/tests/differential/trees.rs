//! Trees of commands: a server's with the edge's commands in it, and the names that are found in it.

use crate::node::{Written, hex};
use crate::random::Random;
use crate::trial::Trial;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::play::{Argument, Command, RootCommands, extend_commands, root_commands};
use drawbridge_protocol::wire::DecodeError;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The tree with some commands of the edge's is a tree for node-minecraft-protocol, in which all else is as it was; one whose root isn't the first node, or
/// has children that can't be, is left alone.
pub(crate) fn extended(packet: &Written, trial: &mut Trial) -> Result<(), DecodeError> {
    let mut random = trial.random(&hex(&packet.body));
    let named = random.some(4, |random| (random.text(20), random.maybe(argument)));
    let commands: Vec<_> = named
        .iter()
        .map(|(name, argument)| Command {
            name,
            argument: argument.as_ref().map(|(name, greedy)| Argument { name, greedy: *greedy }),
        })
        .collect();
    let found = extend_commands(packet.version, packet.fields(), &commands);
    let nodes = packet.values["nodes"].as_array().unwrap();
    let is_tree =
        nodes.first().is_some_and(|root| is_root(root, nodes.len())) && packet.values["rootIndex"] == 0;
    trial.expect(packet, found.is_some() == is_tree, || format!("is extended: {}", found.is_some()));
    if let Some(body) = found {
        let which = (packet.version, State::Play, Direction::Clientbound, Kind::DeclareCommands);
        trial.ask(which, body, with_commands(&packet.values, &commands), &[]);
    }
    Ok(())
}

fn argument(random: &mut Random) -> (String, bool) {
    (random.text(20), random.any())
}

/// Whether a node can be the root of a tree: it leads to no more nodes than there are.
fn is_root(node: &Value, count: usize) -> bool {
    let flags = &node["flags"];
    flags["command_node_type"] == 0 && flags["has_redirect_node"] == 0 && children(node).len() <= count
}

fn children(node: &Value) -> &[Value] {
    node["children"].as_array().unwrap()
}

/// The tree with the commands, in node-minecraft-protocol's words.
fn with_commands(tree: &Value, commands: &[Command<'_>]) -> Value {
    let mut tree = tree.clone();
    let nodes = tree["nodes"].as_array_mut().unwrap();
    // The bits of flags have had other names, too.
    let bits: Vec<String> = nodes[0]["flags"].as_object().unwrap().keys().cloned().collect();
    let flags = |set: &[&str], kind: u8| {
        let mut flags: Value =
            bits.iter().map(|bit| (bit.clone(), json!(u8::from(set.contains(&&**bit))))).collect();
        flags["command_node_type"] = json!(kind);
        flags
    };
    for Command { name, argument } in commands {
        let index = nodes.len();
        nodes[0]["children"].as_array_mut().unwrap().push(json!(index));
        let children: Vec<_> = argument.iter().map(|_| index + 1).collect();
        let literal = flags(&["has_command"], 1);
        nodes.push(json!({ "flags": literal, "children": children, "extraNodeData": { "name": name } }));
        if let Some(Argument { name, greedy }) = argument {
            let data = json!({
                "name": name,
                "parser": "brigadier:string",
                "properties": if *greedy { "GREEDY_PHRASE" } else { "SINGLE_WORD" },
                "suggestionType": "minecraft:ask_server",
            });
            let flags = flags(&["has_command", "has_custom_suggestions"], 2);
            nodes.push(json!({ "flags": flags, "children": [], "extraNodeData": data }));
        }
    }
    tree
}

/// The names of the root's commands are found as far as nothing but commands stands before them.
pub(crate) fn names(packet: &Written, trial: &mut Trial) -> Result<(), DecodeError> {
    let nodes = packet.values["nodes"].as_array().unwrap();
    let found = root_commands(packet.fields());
    let expected = named(nodes);
    let is_same = found.as_ref().ok() == expected.as_ref();
    trial.expect(packet, is_same, || format!("has the commands {found:?}, and not {expected:?}"));
    Ok(())
}

/// `None` where it is no tree as far as it is looked at.
fn named(nodes: &[Value]) -> Option<RootCommands<'_>> {
    let root = nodes.first().filter(|root| is_root(root, nodes.len()))?;
    let wanted: Option<BTreeSet<usize>> = children(root)
        .iter()
        .map(|child| usize::try_from(child.as_i64()?).ok().filter(|&child| child < nodes.len()))
        .collect();
    let wanted = wanted?;
    let mut names = Vec::new();
    for (index, node) in nodes.iter().enumerate().skip(1) {
        if names.len() == wanted.len() || node["flags"]["command_node_type"] != 1 {
            break;
        }
        if children(node).len() > nodes.len() {
            return None;
        }
        if wanted.contains(&index) {
            names.push(node["extraNodeData"]["name"].as_str().unwrap());
        }
    }
    Some(RootCommands { complete: names.len() == wanted.len(), names })
}
