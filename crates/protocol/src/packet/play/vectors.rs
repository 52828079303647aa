//! The packets that node-minecraft-protocol wrote (`cargo xtask play-vectors`), by case and version, for the tests.
//!
//! There are none of 26.2 and 26.3: what stands here of these is compared with nothing.

use super::super::{Packet, RawPacket};
use crate::ids::{self, Direction, Kind, State};
use crate::version::{ProtocolVersion, RELEASES};
use serde_json::Value;
use std::fmt::Debug;
use uuid::Uuid;

/// A packet with the same values in all versions that have it.
pub(super) struct Vector {
    pub(super) case: String,
    pub(super) state: State,
    pub(super) direction: Direction,
    pub(super) values: Value,
    /// From which protocol number on it is which packet with which fields, oldest first.
    runs: Vec<Run>,
}

/// Since when which packet with which fields.
type Run = (i32, Option<(Kind, Vec<u8>)>);

/// All of them, as in the file.
pub(super) fn all() -> Vec<Vector> {
    include_str!("vectors/packets.jsonl").lines().map(Vector::parse).collect()
}

pub(super) fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().as_chunks::<2>().0;
    digits.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

impl Vector {
    fn parse(line: &str) -> Self {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let run = |run: &Value| {
            let packet = run.get(1).map(|name| {
                let name = text(name);
                let kind = Kind::ALL.iter().copied().find(|kind| kind.name() == name).unwrap();
                (kind, bytes(&text(&run[2])))
            });
            (run[0].as_i64().unwrap() as i32, packet)
        };
        Self {
            case: text(&line["case"]),
            state: if line["state"] == "play" { State::Play } else { State::Configuration },
            direction: if line["to"] == "client" { Direction::Clientbound } else { Direction::Serverbound },
            runs: line["runs"].as_array().unwrap().iter().map(run).collect(),
            values: line["values"].take(),
        }
    }

    /// A value that is a text.
    pub(super) fn text(&self, key: &str) -> &str {
        self.values[key].as_str().unwrap()
    }

    /// A value that is a UUID.
    pub(super) fn uuid(&self, key: &str) -> Uuid {
        Uuid::parse_str(self.text(key)).unwrap()
    }

    /// A value that is a number.
    pub(super) fn number(&self, key: &str) -> i32 {
        self.values[key].as_i64().unwrap().try_into().unwrap()
    }

    /// A value that is a boolean.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.values[key].as_bool().unwrap()
    }

    /// Each release up to the newest that there are vectors of, and what the packet is there. A release without a table of its
    /// own is like the one before it, the first like the second.
    pub(super) fn releases(&self) -> impl Iterator<Item = (ProtocolVersion, Option<(Kind, &[u8])>)> {
        RELEASES.iter().filter(|release| release.version <= ProtocolVersion::V26_1).map(|release| {
            let version = release.version;
            let run = self.runs.iter().rfind(|(since, _)| *since <= version.number().max(5)).unwrap();
            (version, run.1.as_ref().map(|(kind, fields)| (*kind, fields.as_slice())))
        })
    }

    /// Each form that the fields have had, with the number of the first version that has it.
    pub(super) fn forms(self) -> impl Iterator<Item = (i32, Vec<u8>)> {
        self.runs.into_iter().filter_map(|(since, packet)| Some((since, packet?.1)))
    }

    /// The packet in a version, id and fields.
    pub(super) fn body(&self, version: ProtocolVersion) -> Option<Vec<u8>> {
        let (kind, fields) = self.releases().find(|(other, _)| *other == version)?.1?;
        let mut body = Vec::new();
        crate::varint::write(ids::id(version, self.state, self.direction, kind).unwrap(), &mut body);
        body.extend_from_slice(fields);
        Some(body)
    }

    /// That `say` appends exactly what was written by others, and nothing where nothing was.
    pub(super) fn is_said(&self, say: impl Fn(ProtocolVersion, &mut Vec<u8>) -> bool) {
        for (version, _) in self.releases() {
            let mut out = vec![0xaa];
            let said = say(version, &mut out);
            let said = if said { Some(out.split_off(1)) } else { None };
            assert_eq!(out, [0xaa]);
            assert_eq!(said, self.body(version), "{} in {} {}", self.case, version.0, self.values);
        }
    }

    /// That `read` finds `expected` in what was written by others, in each version that has it.
    pub(super) fn is_read<T: PartialEq + Debug, E: Debug>(
        &self,
        expected: impl Fn(ProtocolVersion) -> T,
        read: impl Fn(ProtocolVersion, &[u8]) -> Result<T, E>,
    ) {
        for (version, packet) in self.releases() {
            let Some((_, fields)) = packet else { continue };
            let found = read(version, fields).map_err(|error| format!("{error:?}"));
            assert_eq!(found, Ok(expected(version)), "{} in {} {}", self.case, version.0, self.values);
        }
    }

    /// Both of a packet that has a type.
    pub(super) fn is<P: Packet + PartialEq + Debug>(&self, packet: &P) {
        assert_eq!((self.state, self.direction), (P::STATE, P::DIRECTION));
        self.is_said(|version, out| {
            let Some(id) = P::id(version) else { return false };
            crate::varint::write(id, out);
            packet.encode(version, &mut crate::wire::Encoder::new(out));
            true
        });
        for (version, _) in self.releases() {
            let Some(body) = self.body(version) else { continue };
            let found = RawPacket::parse(&body).unwrap().read::<P>(version);
            assert_eq!(found.as_ref(), Ok(packet), "{} in {}", self.case, version.0);
        }
    }
}
