//! What players type, and what it means for those with rights and for those without.

use super::completion::Kind;
use super::*;
use crate::rights::{CommandsSection, Permissions, PermissionsFile};
use drawbridge_config::read_text;
use drawbridge_model::MaintenanceOrder;

fn rights(allowed: &str) -> Rights {
    let section: CommandsSection = read_text("a.toml", &format!("default = [{allowed}]")).unwrap();
    Permissions::new(&section, &PermissionsFile::default()).of(None)
}

#[test]
fn lines_are_read_as_they_are_meant() {
    let send = |whom, to: &str| Command::Send { whom, to: to.to_owned() };
    let operate = Command::Operate;
    let kick = |reason: &str| Operation::Kick { whom: "Bob".to_owned(), reason: reason.to_owned() };
    let maintain = |to| Operation::Maintenance { route: "a".to_owned(), to };
    for (line, meant) in [
        ("server", Command::Servers),
        ("server  a", Command::Go("a".to_owned())),
        ("send Bob a", send(Others::Named("Bob".to_owned()), "a")),
        ("send all a", send(Others::All, "a")),
        ("send current a", send(Others::Current, "a")),
        ("send +b a", send(Others::At("b".to_owned()), "a")),
        ("send Bob", Command::Incomplete("/send <player|all|current|+server> <server>")),
        ("send", Command::Incomplete("/send <player|all|current|+server> <server>")),
        ("find Bob", Command::Find("Bob".to_owned())),
        ("find", Command::Incomplete("/find <player>")),
        ("glist", Command::Count),
        ("glist all", Command::List(None)),
        ("glist a", Command::List(Some("a".to_owned()))),
        ("drawbridge", Command::Version),
        ("drawbridge version", Command::Version),
        ("drawbridge status", operate(Operation::Status)),
        ("drawbridge routes", operate(Operation::Routes)),
        ("drawbridge targets", operate(Operation::Targets(None))),
        ("drawbridge targets a", operate(Operation::Targets(Some("a".to_owned())))),
        ("drawbridge players", operate(Operation::Players(None))),
        ("drawbridge players a", operate(Operation::Players(Some("a".to_owned())))),
        ("drawbridge kick Bob", operate(kick(""))),
        ("drawbridge kick Bob too loud", operate(kick("too loud"))),
        ("drawbridge maintenance a on", operate(maintain(MaintenanceOrder::On))),
        ("drawbridge maintenance a off", operate(maintain(MaintenanceOrder::Off))),
        ("drawbridge maintenance a configured", operate(maintain(MaintenanceOrder::Configured))),
        ("drawbridge reload", operate(Operation::Reload)),
        ("drawbridge drain", operate(Operation::Drain)),
        ("drawbridge dance", Command::Unknown("drawbridge dance".to_owned())),
        ("dance", Command::Unknown("dance".to_owned())),
        ("", Command::Unknown(String::new())),
    ] {
        assert_eq!(Command::read(line, rights("\"*\"")), meant, "{line}");
    }
    for line in ["drawbridge kick", "drawbridge maintenance a perhaps", "drawbridge reload now"] {
        let meant = Command::read(line, rights("\"*\""));
        assert!(matches!(meant, Command::Incomplete(_)), "{line}: {meant:?}");
    }
}

#[test]
fn what_somebody_may_not_use_isnt_there_for_them() {
    assert_eq!(permitted(rights("")), [""; 0]);
    assert_eq!(permitted(rights("\"find\", \"drawbridge.reload\"")), ["find", "drawbridge"]);
    assert_eq!(permitted(rights("\"*\"")), NAMES);
    let few = rights("\"drawbridge.reload\"");
    for (line, is_known) in [
        ("drawbridge", true),
        ("drawbridge reload", true),
        ("drawbridge drain", false),
        ("drawbridge version", false),
        ("glist", false),
        ("server", false),
    ] {
        let meant = Command::read(line, few);
        assert_eq!(!matches!(meant, Command::Unknown(_)), is_known, "{line}: {meant:?}");
    }
}

#[test]
fn each_place_in_a_command_has_something_that_can_stand_there() {
    for (words, kind) in [
        (&["server"][..], Kind::Server),
        (&["server", "a"], Kind::Nothing),
        (&["send"], Kind::Players),
        (&["send", "all"], Kind::Server),
        (&["find"], Kind::Player),
        (&["glist"], Kind::Place),
        (&["drawbridge"], Kind::Word),
        (&["drawbridge", "reload"], Kind::Nothing),
        (&["drawbridge", "kick"], Kind::Player),
        (&["drawbridge", "targets"], Kind::Route),
        (&["drawbridge", "maintenance"], Kind::Route),
        (&["drawbridge", "maintenance", "a"], Kind::Switch),
        (&["drawbridge", "maintenance", "a", "on"], Kind::Nothing),
        (&[], Kind::Nothing),
    ] {
        let next = table::find(words, rights("\"*\"")).map(|found| found.next());
        assert_eq!(next.unwrap_or(Kind::Nothing), kind, "{words:?}");
    }
}
