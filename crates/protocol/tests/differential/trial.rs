//! What was found: faults, questions for node-minecraft-protocol, and what readers refused.

use crate::node::{self, Written};
use crate::random::Random;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::wire::DecodeError;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The bounds of vanilla's that the tables don't have: a field and the most UTF-16 units or elements of it.
const BOUNDS: &[(&str, usize)] = &[
    ("name", 16),
    ("server id", 20),
    ("property name", 64),
    ("hash", 40),
    ("locale", 16),
    ("signatures", 8),
];

/// Fields of which not every number that the tables allow stands for something.
const MEANINGS: &[&str] = &["intent", "port", "result"];

/// How many faults are told, and how many characters of each.
const SHOWN: usize = 30;
const LONGEST: usize = 2_000;

/// A packet that the edge has a type or a reader for.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub(crate) state: State,
    pub(crate) direction: Direction,
    pub(crate) kind: Kind,
    /// The first version that it is read in.
    pub(crate) since: ProtocolVersion,
    /// Reads it, and compares what it finds.
    pub(crate) check: fn(&Written, &mut Trial) -> Result<(), DecodeError>,
}

impl Known {
    /// As the script takes it.
    pub(crate) fn name(&self) -> String {
        format!("{} {} {}", node::name_of(self.state), node::receiver(self.direction), self.kind.name())
    }

    pub(crate) fn is(&self, packet: &Written) -> bool {
        self.since <= packet.version
            && (self.state, self.direction) == (packet.state, packet.direction)
            && self.kind.name() == packet.name
    }
}

/// Bytes that node-minecraft-protocol has to read, and what it has to find.
pub(crate) struct Question {
    version: ProtocolVersion,
    state: State,
    direction: Direction,
    kind: Kind,
    body: Vec<u8>,
    values: Value,
    /// The fields that hold anything.
    open: &'static [&'static str],
}

impl Question {
    pub(crate) fn line(&self) -> Value {
        json!({
            "protocol": self.version.number(),
            "state": node::name_of(self.state),
            "to": node::receiver(self.direction),
            "bytes": node::hex(&self.body),
        })
    }

    /// What is wrong with an answer.
    pub(crate) fn difference(&self, answer: &Value) -> Option<String> {
        let right = answer["name"] == self.kind.name()
            && same(&without(&answer["values"], self.open), &without(&self.values, self.open));
        (!right).then(|| format!("is read as {answer}, and was {} {}", self.kind.name(), self.values))
    }
}

/// Values without some fields, and without those that are nothing.
pub(crate) fn without(values: &Value, open: &[&str]) -> Value {
    match values {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(key, value)| !value.is_null() && !open.contains(&key.as_str()));
            kept.map(|(key, value)| (key.clone(), without(value, &[]))).collect()
        }
        Value::Array(elements) => elements.iter().map(|element| without(element, &[])).collect(),
        value => value.clone(),
    }
}

/// Whether values are the same; JavaScript has one kind of numbers.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        (one, other) => one == other,
    }
}

/// What was found so far.
pub(crate) struct Trial {
    seed: String,
    faults: Vec<String>,
    questions: Vec<Question>,
    read: BTreeSet<String>,
    checked: usize,
    refused: usize,
}

impl Trial {
    pub(crate) fn new(seed: &str) -> Self {
        Self {
            seed: seed.to_owned(),
            faults: Vec::new(),
            questions: Vec::new(),
            read: BTreeSet::new(),
            checked: 0,
            refused: 0,
        }
    }

    /// What is drawn for a packet: the same for the same words and seed.
    pub(crate) fn random(&self, words: &str) -> Random {
        Random::new(&format!("{} {words}", self.seed))
    }

    pub(crate) fn fault(&mut self, packet: &Written, what: &str) {
        let Written { version, state, direction, name, body, values } = packet;
        let body = node::hex(body);
        self.faults
            .push(format!("{} {state:?} {direction:?} {name} {body} {values}: {what}", version.number()));
    }

    pub(crate) fn fault_of(&mut self, question: &Question, what: &str) {
        self.faults.push(format!("{}: {what}", question.line()));
    }

    /// That something of a packet is as it should be.
    pub(crate) fn expect(&mut self, packet: &Written, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fault(packet, &what());
        }
    }

    pub(crate) fn check(&mut self, known: &Known, packet: &Written) {
        self.checked += 1;
        match (known.check)(packet, self) {
            Ok(()) => {
                self.read.insert(known.name());
            }
            Err(error) if is_bound(&error, packet) => self.refused += 1,
            Err(error) => self.fault(packet, &format!("is refused: {error}")),
        }
    }

    /// Asks node-minecraft-protocol what is in a packet; what `values` has as null isn't there.
    pub(crate) fn ask(
        &mut self,
        (version, state, direction, kind): (ProtocolVersion, State, Direction, Kind),
        body: Vec<u8>,
        values: Value,
        open: &'static [&'static str],
    ) {
        let id = ids::id(version, state, direction, kind);
        assert!(id.is_some(), "{} has no {kind:?} in {state:?}, and it was said", version.number());
        self.questions.push(Question { version, state, direction, kind, body, values, open });
    }

    pub(crate) fn questions(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.questions)
    }

    /// That each reader has read something, at least in one release.
    pub(crate) fn every_reader_has_read(&mut self, known: &[Known]) {
        for known in known.iter().filter(|known| !self.read.contains(&known.name())) {
            self.faults.push(format!("{} was never read", known.name()));
        }
        println!(
            "seed {:?}: {} packets checked, {} of them refused for a bound, {} to be read by node-minecraft-protocol",
            self.seed,
            self.checked,
            self.refused,
            self.questions.len()
        );
    }

    /// Tells the faults.
    pub(crate) fn end(self) {
        let shorten = |fault: &String| fault.chars().take(LONGEST).collect();
        let shown = self.faults.iter().take(SHOWN).map(shorten).collect::<Vec<String>>().join("\n");
        assert!(
            self.faults.is_empty(),
            "{} faults with the seed {:?}:\n{shown}",
            self.faults.len(),
            self.seed
        );
    }
}

/// Whether what was refused is over a bound that is known, and really is.
fn is_bound(error: &DecodeError, packet: &Written) -> bool {
    match *error {
        // A text is refused by its bytes where these are too many for so many units.
        DecodeError::Length { field, bound, .. } => BOUNDS.iter().any(|&(name, most)| {
            name == field && [most, 3 * most].contains(&bound) && longest(&packet.values) > most
        }),
        DecodeError::Value { field, .. } => MEANINGS.contains(&field),
        _ => false,
    }
}

/// The length of the longest text or list, in UTF-16 units or elements.
fn longest(values: &Value) -> usize {
    match values {
        Value::String(text) => text.encode_utf16().count(),
        Value::Array(elements) => elements.iter().map(longest).max().unwrap_or(0).max(elements.len()),
        Value::Object(fields) => fields.values().map(longest).max().unwrap_or(0),
        _ => 0,
    }
}
