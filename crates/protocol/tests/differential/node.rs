//! node-minecraft-protocol as a process: the packets that it writes, and what it reads.

use crate::trial::{Known, Trial};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, State};
use drawbridge_protocol::packet::RawPacket;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A packet of node-minecraft-protocol's, and the values that it wrote into it, if the packet is known.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) version: ProtocolVersion,
    pub(crate) state: State,
    pub(crate) direction: Direction,
    pub(crate) name: String,
    /// Id and fields.
    pub(crate) body: Vec<u8>,
    pub(crate) values: Value,
}

impl Written {
    fn parse(line: &Value) -> Self {
        let text = |key: &str| line[key].as_str().expect("a text");
        Self {
            version: ProtocolVersion(line["protocol"].as_i64().unwrap().try_into().unwrap()),
            state: STATES.into_iter().find(|(_, name)| *name == text("state")).unwrap().0,
            direction: if text("to") == "client" { Direction::Clientbound } else { Direction::Serverbound },
            name: text("name").to_owned(),
            body: bytes(text("bytes")),
            values: line["values"].clone(),
        }
    }

    pub(crate) fn raw(&self) -> RawPacket<'_> {
        RawPacket::parse(&self.body).expect("a packet begins with its id")
    }

    pub(crate) fn id(&self) -> i32 {
        self.raw().id
    }

    pub(crate) fn fields(&self) -> &[u8] {
        self.raw().fields
    }

    /// A value that is a text.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.values[key].as_str().unwrap_or_else(|| panic!("no text {key} in {}", self.values))
    }

    /// A value that is a number.
    pub(crate) fn number(&self, key: &str) -> i32 {
        let number =
            self.values[key].as_i64().unwrap_or_else(|| panic!("no number {key} in {}", self.values));
        number.try_into().unwrap()
    }
}

/// The states, as the scripts name them.
const STATES: [(State, &str); 5] = [
    (State::Handshaking, "handshaking"),
    (State::Status, "status"),
    (State::Login, "login"),
    (State::Configuration, "configuration"),
    (State::Play, "play"),
];

pub(crate) fn name_of(state: State) -> &'static str {
    STATES.into_iter().find(|(other, _)| *other == state).unwrap().1
}

pub(crate) fn receiver(direction: Direction) -> &'static str {
    match direction {
        Direction::Clientbound => "client",
        Direction::Serverbound => "server",
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().as_chunks::<2>().0;
    digits.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The running script.
pub(crate) struct Node {
    process: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Node {
    /// Starts it.
    ///
    /// # Panics
    /// When Node or the packages are missing; the text says how to get them.
    pub(crate) fn start() -> Self {
        // The folder that cargo runs this in, for it may have been built in another checkout.
        let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("run by cargo"));
        let folder = package.join("../../tests/node");
        assert!(
            folder.join("node_modules/minecraft-protocol").is_dir(),
            "the npm packages of tests/node are missing: `cargo xtask test` installs them, as does `npm ci` in that folder"
        );
        let mut command = Command::new("node");
        command.arg("random.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| {
            panic!("Node can't be run ({error}): install Node.js 20 or newer, https://nodejs.org")
        });
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { input: process.stdin.take(), process, lines }
    }

    fn line(&mut self) -> Value {
        let line = self.lines.next().expect("the script has ended; its standard error says why").unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Has it write so many of each packet that is known, and one of every other.
    pub(crate) fn write(&mut self, seed: &str, rounds: usize, known: &[Known]) -> Vec<Written> {
        let known: Vec<_> = known.iter().map(Known::name).collect();
        let order = json!({ "seed": seed, "rounds": rounds, "known": known });
        writeln!(self.input.as_ref().unwrap(), "{order}").unwrap();
        let mut written = Vec::new();
        loop {
            let line = self.line();
            if let Some(end) = line.get("end") {
                assert_eq!(end["left"], json!([]), "packets that can't be made");
                assert_eq!(end["count"], written.len());
                return written;
            }
            written.push(Written::parse(&line));
        }
    }

    /// Has it read all that is asked, and tells what it finds.
    pub(crate) fn read(mut self, trial: &mut Trial) {
        let questions = trial.questions();
        let mut input = self.input.take().unwrap();
        std::thread::scope(|scope| {
            let asked = &questions;
            scope.spawn(move || {
                asked.iter().for_each(|question| writeln!(input, "{}", question.line()).unwrap());
            });
            for question in &questions {
                let answer = self.line();
                if let Some(difference) = question.difference(&answer) {
                    trial.fault_of(question, &difference);
                }
            }
        });
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Nothing is lost with it, and it may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
