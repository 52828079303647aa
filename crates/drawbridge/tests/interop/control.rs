//! The control socket and other users of the machine. To be one takes root.

use crate::support::{ctl, open_lobby};
use drawbridge_testkit::Edge;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// Nobody, who has no files.
const NOBODY: &str = "65534";

/// Runs `drawbridge ctl status` as nobody.
fn as_nobody(binary: &Path, socket: &Path) -> Output {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(binary);
    command.args(["ctl", "status", "--socket"]).arg(socket).current_dir("/").output().unwrap()
}

/// The binary where everybody may run it.
fn for_all(folder: &Path) -> std::path::PathBuf {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let binary = folder.join("drawbridge");
    fs::copy(env!("CARGO_BIN_EXE_drawbridge"), &binary).unwrap();
    binary
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn another_user_isnt_answered_whatever_the_files_mode_is() {
    let folder = tempfile::tempdir().unwrap();
    let binary = for_all(folder.path());
    let socket = folder.path().join("edge.sock");
    let config = format!("[control]\nsocket = '{}'\n{}", socket.display(), open_lobby());
    let edge = Edge::of(env!("CARGO_BIN_EXE_drawbridge")).config(config).start();
    let said = |output: Output| String::from_utf8(output.stderr).unwrap();
    let output = as_nobody(&binary, &socket);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(output).contains("may not be used: the edge is another user's"));
    // As if somebody had opened it for all.
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap();
    let output = as_nobody(&binary, &socket);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(said(output), "error: only the edge's own user and root are answered\n");
    assert_eq!(ctl::told(&edge, &["status"])["answer"], "status", "root is");
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn root_and_its_own_user_are_answered_by_an_edge_of_another_user() {
    let folder = tempfile::tempdir().unwrap();
    let binary = for_all(folder.path());
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    std::os::unix::fs::chown(&state, Some(65_534), Some(65_534)).unwrap();
    let script = folder.path().join("edge.sh");
    let exec =
        format!("exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups {} \"$@\"", binary.display());
    // The configuration's folder is the test's own until its edge has to read it.
    fs::write(&script, format!("#!/bin/sh\nchmod 0755 . && chmod 0644 drawbridge.toml && {exec}\n")).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let socket = state.join("edge.sock");
    let config = format!(
        "[bans]\nfile = '{}'\n[control]\nsocket = '{}'\n{}",
        state.join("bans.db").display(),
        socket.display(),
        open_lobby()
    );
    let edge = Edge::of(&script).config(config).start();
    assert_eq!(ctl::told(&edge, &["status"])["answer"], "status");
    assert!(as_nobody(&binary, &socket).status.success());
    assert_eq!(ctl::done(&edge, &["ban", "Alice"]), "banned alice for ever\n");
    let owner = std::os::unix::fs::MetadataExt::uid(&state.join("bans.db").metadata().unwrap());
    assert_eq!(owner, 65_534, "the edge made the file itself");
}
