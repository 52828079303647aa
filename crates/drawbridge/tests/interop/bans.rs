//! Bans on a disk that is full: a small file system in memory, which only the edge and the commands beside it see. Making one takes root.

use crate::support::{HUB, open_lobby};
use drawbridge_testkit::{Edge, Outcome, Player, eventually};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::time::Duration;

/// Runs `drawbridge` where the edge runs.
fn beside(edge: &Edge, arguments: &[&str]) -> Output {
    let mut command = Command::new("nsenter");
    command.args(["--mount", "--target", &edge.pid().as_raw_nonzero().to_string()]);
    command.arg(env!("CARGO_BIN_EXE_drawbridge")).args(arguments).arg("--config");
    command.arg(edge.folder().join("drawbridge.toml")).output().unwrap()
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn a_full_disk_is_told_and_keeps_nobody_out_who_isnt_banned() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("edge.sh");
    let script = format!(
        "#!/bin/sh\nexec unshare --mount sh -ec '\nmkdir disk\nmount -t tmpfs -o size=160k tmpfs disk\nexec {} \"$@\"' sh \"$@\"\n",
        env!("CARGO_BIN_EXE_drawbridge")
    );
    fs::write(&binary, script).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let edge = Edge::of(&binary).config(format!("[bans]\nfile = \"disk/bans.db\"\n{}", open_lobby())).start();
    let mut banned = 0;
    let told = loop {
        let output = beside(&edge, &["ban", &format!("player_{banned}")]);
        if !output.status.success() {
            break String::from_utf8(output.stderr).unwrap();
        }
        banned += 1;
        assert!(banned < 5_000, "the disk isn't full by now");
    };
    assert!(told.contains("disk/bans.db can't be written: the disk is full"), "{told}");
    assert!(told.contains("help: make room on the disk"), "{told}");
    assert!(banned > 0);
    let listed = String::from_utf8(beside(&edge, &["bans"]).stdout).unwrap();
    assert_eq!(listed.lines().count(), banned, "what was said, and nothing else");
    let outcome = |number: usize| Player::new(&format!("player_{number}"), 767).join(edge.address()).outcome;
    let last = || matches!(outcome(banned - 1), Outcome::Disconnect { .. }).then_some(());
    assert!(eventually(Duration::from_secs(5), last).is_some(), "the last of whom it was said");
    assert!(matches!(outcome(0), Outcome::Disconnect { .. }));
    assert!(matches!(outcome(banned), Outcome::Transfer { .. }), "who couldn't be banned isn't");
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
}
