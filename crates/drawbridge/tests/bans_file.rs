//! The file of bans: what the commands do with it, whatever happens to them or to the disk.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A folder with a configuration, and commands on it.
struct House(TempDir);

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("drawbridge.toml"), "[bans]\nfile = \"state.db\"\n").unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state.db")
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("drawbridge.toml")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drawbridge"));
        command.args(arguments).arg("--config").arg(self.config());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// What a command that fails says.
    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }

    /// Whom a listing names, in its order.
    fn named(&self, arguments: &[&str], list: &str) -> Vec<String> {
        let listed: Value = serde_json::from_str(&self.done(arguments)).unwrap();
        let of = |ban: &Value| ban["of"].as_str().unwrap().to_owned();
        listed[list].as_array().unwrap().iter().map(of).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_ban_and_its_end_stay_in_the_history() {
    let house = House::new();
    assert_eq!(house.done(&["bans"]), "");
    assert!(house.refused(&["unban", "Notch"]).contains("nobody is banned"));
    assert!(!house.file().exists());
    house.done(&["ban", "Notch", "10.1.2.3/8", "--reason", "Griefing", "--by", "jeb"]);
    assert!(
        house
            .done(&["ban", "notch", "--until", "2999-01-01T12:00+01:00"])
            .contains(" again until 2999-01-01 11:00 UTC")
    );
    house.done(&["ban", "069a79f444e94726a5befca90e38aaf5", "::ffff:203.0.113.7"]);
    house.done(&["unban", "NOTCH", "--by", "dinnerbone"]);
    let id = "069a79f4-44e9-4726-a5be-fca90e38aaf5";
    let mut banned = house.named(&["bans", "--json"], "bans");
    // Two of the same millisecond have no order.
    banned.sort();
    assert_eq!(banned, [id, "10.0.0.0/8", "203.0.113.7"]);
    let history = ["bans", "--history", "--json"];
    assert_eq!(
        house.named(&history, "history"),
        ["notch", "10.0.0.0/8", "notch", id, "203.0.113.7", "notch"]
    );
    let listed: Value = serde_json::from_str(&house.done(&history)).unwrap();
    let events = listed["history"].as_array().unwrap();
    let first = &events[0];
    assert_eq!((first["action"].as_str(), first["by"].as_str()), (Some("ban"), Some("jeb")));
    assert_eq!((first["kind"].as_str(), first["reason"].as_str()), (Some("name"), Some("Griefing")));
    assert!(first["until"].is_null() && first["at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(events[2]["until"], "2999-01-01T11:00:00Z");
    assert_eq!((events[5]["action"].as_str(), events[5]["by"].as_str()), (Some("unban"), Some("dinnerbone")));
    let shown = house.done(&["bans"]);
    assert!(
        shown.contains("10.0.0.0/8")
            && shown.contains("for ever, by jeb, 20")
            && shown.contains(": Griefing"),
        "{shown}"
    );
    assert_eq!(house.done(&["bans", "--history"]).lines().count(), 6);
}

#[test]
fn a_mistake_bans_nobody() {
    let house = House::new();
    for (arguments, why) in [
        (&["ban", "Notch", "10.0.0.0/33"][..], "is neither an address nor a network"),
        (&["ban", "Notch", "seventeen_letters"], "is nobody's name"),
        (&["ban", "Notch", "--for", "tomorrow"], "--for"),
        (&["ban", "Notch", "--for", "0s"], "no time at all"),
        (&["ban", "Notch", "--until", "2020-01-01"], "over already"),
        (&["ban", "Notch", "--until", "2999-01-01", "--for", "1d"], "cannot be used with"),
        (&["ban", "Notch", "--reason", "a\u{1b}[2J"], "control characters"),
        (&["ban", "Notch", "--by", "a\nb"], "control characters"),
        (&["ban"], "WHOM"),
    ] {
        let told = house.refused(arguments);
        assert!(told.contains(why), "{arguments:?}: {told}");
        assert_eq!(house.done(&["bans"]), "", "{arguments:?}");
    }
    house.done(&["ban", "10.0.0.0/8"]);
    let told = house.refused(&["unban", "10.1.2.3"]);
    assert!(told.contains("with all of 10.0.0.0/8"), "{told}");
    assert!(house.refused(&["unban", "Notch"]).contains("notch isn't banned"));
}

#[test]
fn what_is_wrong_elsewhere_in_the_configuration_keeps_nobody_from_banning() {
    let house = House::new();
    std::fs::write(house.config(), "thraeds = 1\n[bans]\nfile = \"state.db\"\n").unwrap();
    house.done(&["ban", "Notch"]);
    assert!(house.file().exists());
    std::fs::write(house.config(), "[bans]\nfiel = \"other.db\"\n").unwrap();
    let told = house.refused(&["ban", "Jeb"]);
    assert!(told.contains("drawbridge.toml:2:") && told.contains("did you mean \"file\"?"), "{told}");
    std::fs::write(house.config(), "[bans]\nfile = \"nowhere/state.db\"\n").unwrap();
    let told = house.refused(&["ban", "Jeb"]);
    assert!(told.contains("nowhere/state.db can't be opened: ") && told.contains("help: "), "{told}");
}

#[test]
fn only_its_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    house.done(&["ban", "Notch"]);
    assert_eq!(house.file().metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

/// Kills whoever bans at some moment, and finds all of whom it said that they are banned.
#[test]
fn whoever_is_said_to_be_banned_is_after_a_kill_at_any_moment() {
    let house = House::new();
    let mut said = Vec::new();
    for round in 0..30_u32 {
        let mut process =
            house.command(&["ban", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = process.stdin.take().unwrap();
        // Ends when the process does.
        let feeding = std::thread::spawn(move || {
            (0..100_000).try_for_each(|number| writeln!(input, "p{round}_{number}")).is_err()
        });
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        // Before there is a file, while it is made, amid the bans.
        let moment = Duration::from_micros(rand::random_range(0..150_000));
        let pid = Pid::from_child(&process);
        let killing = std::thread::spawn(move || {
            std::thread::park_timeout(moment);
            kill_process(pid, Signal::KILL).unwrap();
        });
        said.extend(lines.by_ref().map(|line| line.split(' ').nth(1).unwrap().to_owned()));
        killing.join().unwrap();
        process.wait().unwrap();
        assert!(feeding.join().unwrap(), "it read all before it was killed");
    }
    assert!(said.len() > 30, "{} bans only", said.len());
    let banned: std::collections::HashSet<_> = house.named(&["bans", "--json"], "bans").into_iter().collect();
    let lost: Vec<_> = said.iter().filter(|name| !banned.contains(*name)).collect();
    assert!(lost.is_empty(), "of {} said, {} are lost: {lost:?}", said.len(), lost.len());
    // At each kill one may have been written and not said yet.
    assert!(banned.len() <= said.len() + 30, "{} banned, {} said", banned.len(), said.len());
    assert_eq!(house.named(&["bans", "--history", "--json"], "history").len(), banned.len());
    house.done(&["ban", "Notch"]);
}

/// A command for which no file may grow beyond so many blocks of 512 bytes.
fn in_blocks(house: &House, blocks: u64, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks} && exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_drawbridge")).args(arguments).arg("--config").arg(house.config());
    command
}

#[test]
fn where_nothing_more_can_be_written_it_is_said_and_changes_nothing() {
    let house = House::new();
    house.done(&["ban", "first"]);
    let many: String = (0..400).map(|number| format!("name_{number}\n")).collect();
    std::fs::write(house.0.path().join("many"), many).unwrap();
    let input = File::open(house.0.path().join("many")).unwrap();
    let output = in_blocks(&house, 64, &["ban", "-"]).stdin(input).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("state.db can't be "), "{}", text(&output.stderr));
    let said: Vec<_> =
        text(&output.stdout).lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    assert!(!said.is_empty() && said.len() < 400, "{} bans", said.len());
    let banned = house.named(&["bans", "--json"], "bans");
    assert_eq!(banned.len(), said.len() + 1, "whom it wasn't said of isn't banned");
    assert!(said.iter().all(|name| banned.contains(name)));
    house.done(&["ban", "last"]);
    // Not even the file can be made.
    let other = House::new();
    let output = in_blocks(&other, 0, &["ban", "Notch"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("state.db can't be "), "{}", text(&output.stderr));
    assert_eq!(other.done(&["bans"]), "");
    other.done(&["ban", "Notch"]);
}

/// Two who ban at once both do.
#[test]
fn commands_at_once_dont_lose_each_others_bans() {
    let house = House::new();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let house = &house;
            scope.spawn(move || house.done(&["ban", &format!("a{number}"), &format!("b{number}")]));
        }
    });
    assert_eq!(house.named(&["bans", "--json"], "bans").len(), 16);
    assert!(!Path::new(&house.file()).with_extension("db-wal").exists(), "the last to close it tidies up");
}
