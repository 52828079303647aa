//! `drawbridge ctl` as a process, and players who are carried.

use drawbridge_testkit::{Connection, Edge, Manner, Player, Target};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Output};

/// What targets say first: a frame of a packet that no protocol has.
const HELLO: &[u8] = b"\x05hello";

/// Runs a command on an edge's configuration.
pub(crate) fn command(edge: &Edge, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drawbridge"));
    command.args(arguments).arg("--config").arg(edge.folder().join("drawbridge.toml")).output().unwrap()
}

/// What a command prints that has to succeed.
#[track_caller]
pub(crate) fn done(edge: &Edge, arguments: &[&str]) -> String {
    let output = command(edge, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The exit code of a command that has to fail, and what it says.
#[track_caller]
pub(crate) fn fails(edge: &Edge, arguments: &[&str]) -> (i32, String) {
    let output = command(edge, arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// What `drawbridge ctl … --json` prints.
#[track_caller]
pub(crate) fn told(edge: &Edge, arguments: &[&str]) -> Value {
    let arguments = [&["ctl"], arguments, &["--json"]].concat();
    serde_json::from_slice(&command(edge, &arguments).stdout).unwrap()
}

/// Where the edge's socket is.
pub(crate) fn socket(edge: &Edge) -> PathBuf {
    edge.folder().join("drawbridge.sock")
}

/// Asks over the socket itself.
pub(crate) fn asked(stream: &mut UnixStream, line: &[u8]) -> Value {
    stream.write_all(line).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{answer:?}: {error}"))
}

/// A target that players can be carried to.
pub(crate) fn world() -> Target {
    Target::start(Manner::Echoes(HELLO.to_vec())).unwrap()
}

/// A route that carries its players there.
pub(crate) fn carried(name: &str, host: &str, target: SocketAddr, more: &str) -> String {
    format!(
        "[[routes]]\nname = \"{name}\"\nhosts = [\"{host}\"]\nmode = \"passthrough\"\ntargets = [\"{target}\"]\n{more}\n"
    )
}

/// A player who has come to the world.
pub(crate) fn comes(edge: &Edge, player: &Player) -> Connection {
    let mut connection = player.knock(edge.address()).unwrap();
    assert_eq!(connection.receive().unwrap().id, i32::from(b'h'), "the target's first word");
    connection
}

/// Whether a player is still carried: the target echoes.
pub(crate) fn is_carried(connection: &mut Connection) -> bool {
    connection.raw(b"\x02xy").is_ok() && connection.receive().is_ok_and(|echo| echo.id == i32::from(b'x'))
}
