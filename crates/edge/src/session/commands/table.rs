//! The edge's commands in the game and the words of `/drawbridge`, in the one table that all go by: who may use which, how it is typed, what can
//! stand behind it, and what it means.

use super::completion::Kind;
use super::{Command, Others};
use crate::rights::{Right, Rights};
use drawbridge_model::Operation;

/// The command whose words are what an operator can do.
pub(super) const DRAWBRIDGE: &str = "drawbridge";

/// A command, or a word of `/drawbridge`.
#[derive(Debug)]
pub(super) struct Entry {
    name: &'static str,
    /// Whoever has it may use the command.
    right: Right,
    /// How it is typed.
    usage: &'static str,
    /// What can stand behind it, one place after the other.
    behind: &'static [Kind],
    /// What it means with these words behind it; `None`: they don't say enough, or too much.
    read: fn(&[&str]) -> Option<Command>,
}

impl Entry {
    const fn new(
        name: &'static str,
        right: Right,
        usage: &'static str,
        behind: &'static [Kind],
        read: fn(&[&str]) -> Option<Command>,
    ) -> Self {
        Self { name, right, usage, behind, read }
    }
}

/// The commands beside `/drawbridge`.
const COMMANDS: &[Entry] = &[
    Entry::new("server", Right::Server, "/server [server]", &[Kind::Server], server),
    Entry::new(
        "send",
        Right::Send,
        "/send <player|all|current|+server> <server>",
        &[Kind::Players, Kind::Server],
        send,
    ),
    Entry::new("find", Right::Find, "/find <player>", &[Kind::Player], find_player),
    Entry::new("glist", Right::List, "/glist [all|server]", &[Kind::Place], list),
];

/// The words of `/drawbridge`.
const WORDS: &[Entry] = &[
    Entry::new("version", Right::Version, "/drawbridge version", &[], |rest| alone(rest, Command::Version)),
    Entry::new("status", Right::Status, "/drawbridge status", &[], |rest| operate(rest, Operation::Status)),
    Entry::new("routes", Right::Routes, "/drawbridge routes", &[], |rest| operate(rest, Operation::Routes)),
    Entry::new("targets", Right::Targets, "/drawbridge targets [route]", &[Kind::Route], targets),
    Entry::new("players", Right::Players, "/drawbridge players [route]", &[Kind::Route], players),
    Entry::new("kick", Right::Kick, "/drawbridge kick <player> [reason]", &[Kind::Player], kick),
    Entry::new(
        "maintenance",
        Right::Maintenance,
        "/drawbridge maintenance <route> <on|off|configured>",
        &[Kind::Route, Kind::Switch],
        maintenance,
    ),
    Entry::new("reload", Right::Reload, "/drawbridge reload", &[], |rest| operate(rest, Operation::Reload)),
    Entry::new("drain", Right::Drain, "/drawbridge drain", &[], |rest| operate(rest, Operation::Drain)),
];

/// The names of all commands.
pub(in super::super) const NAMES: &[&str] = &{
    let mut names = [DRAWBRIDGE; COMMANDS.len() + 1];
    let mut at = 0;
    while at < COMMANDS.len() {
        names[at] = COMMANDS[at].name;
        at += 1;
    }
    names
};

/// The names of the commands that somebody with these rights may use.
pub(in super::super) fn permitted(rights: Rights) -> Vec<&'static str> {
    let commands = COMMANDS.iter().filter(|entry| rights.has(entry.right)).map(|entry| entry.name);
    commands.chain(rights.has_any_word().then_some(DRAWBRIDGE)).collect()
}

/// The names of the words of `/drawbridge` that somebody with these rights may use.
pub(super) fn permitted_words(rights: Rights) -> impl Iterator<Item = &'static str> {
    WORDS.iter().filter(move |entry| rights.has(entry.right)).map(|entry| entry.name)
}

/// What a line begins with.
#[derive(Debug)]
pub(super) enum Found<'l> {
    /// `/drawbridge`, and nothing behind it.
    Drawbridge,
    /// Something of the table, with these words behind it.
    Entry(&'static Entry, &'l [&'l str]),
}

/// Finds what a line begins with, for somebody with these rights; without, what of it is unknown to them.
pub(super) fn find<'l>(line: &'l [&'l str], rights: Rights) -> Result<Found<'l>, String> {
    let one = |entries: &'static [Entry], name: &str| {
        entries.iter().find(|entry| entry.name == name && rights.has(entry.right))
    };
    match line {
        [] => Err(String::new()),
        [DRAWBRIDGE, ..] if !rights.has_any_word() => Err(DRAWBRIDGE.to_owned()),
        [DRAWBRIDGE] => Ok(Found::Drawbridge),
        [DRAWBRIDGE, word, rest @ ..] => {
            let entry = one(WORDS, word).ok_or_else(|| format!("{DRAWBRIDGE} {word}"))?;
            Ok(Found::Entry(entry, rest))
        }
        [name, rest @ ..] => {
            let entry = one(COMMANDS, name).ok_or_else(|| (*name).to_owned())?;
            Ok(Found::Entry(entry, rest))
        }
    }
}

impl Found<'_> {
    /// What it means.
    pub(super) fn read(&self) -> Command {
        match self {
            Self::Drawbridge => Command::Version,
            Self::Entry(entry, rest) => (entry.read)(rest).unwrap_or(Command::Incomplete(entry.usage)),
        }
    }

    /// What can stand next.
    pub(super) fn next(&self) -> Kind {
        match self {
            Self::Drawbridge => Kind::Word,
            Self::Entry(entry, rest) => entry.behind.get(rest.len()).copied().unwrap_or(Kind::Nothing),
        }
    }
}

fn server(rest: &[&str]) -> Option<Command> {
    // Names of places have no blanks: what follows is for nobody.
    Some(rest.first().map_or(Command::Servers, |to| Command::Go((*to).to_owned())))
}

fn send(rest: &[&str]) -> Option<Command> {
    let [whom, to] = rest else { return None };
    Some(Command::Send { whom: Others::read(whom), to: (*to).to_owned() })
}

fn find_player(rest: &[&str]) -> Option<Command> {
    let [name] = rest else { return None };
    Some(Command::Find((*name).to_owned()))
}

fn list(rest: &[&str]) -> Option<Command> {
    Some(match rest {
        [] => Command::Count,
        ["all"] => Command::List(None),
        [place, ..] => Command::List(Some((*place).to_owned())),
    })
}

fn targets(rest: &[&str]) -> Option<Command> {
    Some(Command::Operate(Operation::Targets(route(rest)?)))
}

fn players(rest: &[&str]) -> Option<Command> {
    Some(Command::Operate(Operation::Players(route(rest)?)))
}

fn kick(rest: &[&str]) -> Option<Command> {
    let [whom, reason @ ..] = rest else { return None };
    let (whom, reason) = ((*whom).to_owned(), reason.join(" "));
    Some(Command::Operate(Operation::Kick { whom, reason }))
}

fn maintenance(rest: &[&str]) -> Option<Command> {
    let [route, to] = rest else { return None };
    let (route, to) = ((*route).to_owned(), to.parse().ok()?);
    Some(Command::Operate(Operation::Maintenance { route, to }))
}

/// A command behind which nothing stands.
fn alone(rest: &[&str], command: Command) -> Option<Command> {
    rest.is_empty().then_some(command)
}

fn operate(rest: &[&str], operation: Operation) -> Option<Command> {
    alone(rest, Command::Operate(operation))
}

/// One route, or all.
fn route(rest: &[&str]) -> Option<Option<String>> {
    match rest {
        [] => Some(None),
        [route] => Some(Some((*route).to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So that configuration, commands and manual call them alike.
    #[test]
    fn commands_are_called_as_their_rights_and_their_usages_are() {
        for entry in COMMANDS {
            assert_eq!(entry.name, entry.right.as_str());
            assert_eq!(entry.usage.split(' ').next(), Some(&*format!("/{}", entry.name)));
        }
        for entry in WORDS {
            assert_eq!(format!("{DRAWBRIDGE}.{}", entry.name), entry.right.as_str());
            assert!(entry.usage.starts_with(&format!("/{DRAWBRIDGE} {}", entry.name)), "{}", entry.usage);
        }
    }
}
