//! The words of `/drawbridge`, each with its right: what an operator can do, for players who may.

use super::Command;
use crate::rights::{Right, Rights};
use drawbridge_model::Operation;

/// A word.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) name: &'static str,
    pub(super) right: Right,
    usage: &'static str,
}

impl Word {
    const fn new(name: &'static str, right: Right, usage: &'static str) -> Self {
        Self { name, right, usage }
    }
}

/// All of them.
pub(super) const WORDS: &[Word] = &[
    Word::new("version", Right::Version, "/drawbridge version"),
    Word::new("status", Right::Status, "/drawbridge status"),
    Word::new("routes", Right::Routes, "/drawbridge routes"),
    Word::new("targets", Right::Targets, "/drawbridge targets [route]"),
    Word::new("players", Right::Players, "/drawbridge players [route]"),
    Word::new("kick", Right::Kick, "/drawbridge kick <player> [reason]"),
    Word::new("maintenance", Right::Maintenance, "/drawbridge maintenance <route> <on|off|configured>"),
    Word::new("reload", Right::Reload, "/drawbridge reload"),
    Word::new("drain", Right::Drain, "/drawbridge drain"),
];

/// What a route's maintenance can be put to.
pub(super) const SWITCHES: [&str; 3] = ["on", "off", "configured"];

impl Word {
    /// The word of this name, for who may use it.
    pub(super) fn permitted(name: &str, rights: Rights) -> Option<&'static Self> {
        WORDS.iter().find(|word| word.name == name && rights.has(word.right))
    }

    /// What it means with these words behind it.
    pub(super) fn read(&self, rest: &[&str]) -> Command {
        let operation = match (self.right, rest) {
            (Right::Version, []) => return Command::Version,
            (Right::Status, []) => Operation::Status,
            (Right::Routes, []) => Operation::Routes,
            (Right::Targets, []) => Operation::Targets(None),
            (Right::Targets, [route]) => Operation::Targets(Some((*route).to_owned())),
            (Right::Players, []) => Operation::Players(None),
            (Right::Players, [route]) => Operation::Players(Some((*route).to_owned())),
            (Right::Kick, [whom, reason @ ..]) => {
                Operation::Kick { whom: (*whom).to_owned(), reason: reason.join(" ") }
            }
            (Right::Maintenance, [route, to]) => {
                let to = match *to {
                    "on" => Some(true),
                    "off" => Some(false),
                    "configured" => None,
                    _ => return Command::Incomplete(self.usage),
                };
                Operation::Maintenance { route: (*route).to_owned(), to }
            }
            (Right::Reload, []) => Operation::Reload,
            (Right::Drain, []) => Operation::Drain,
            _ => return Command::Incomplete(self.usage),
        };
        Command::Operate(operation)
    }
}
