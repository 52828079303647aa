//! Reads `data/worlds.bin`, which `cargo xtask limbo-data` writes: zlib, and in it
//!
//! ```text
//! count, segments: each a length and bytes, shared by all versions
//! count, versions: each its protocol number and four lists of bodies:
//!                  configuration, join from the login, join from a server, and what both are followed by
//! a list:          count, bodies; a body: count, pieces
//! a piece:         0 the entity id, 1 the world's name, 2 compress what follows (1.7), 3 + n segment number n
//! ```
//!
//! where every number is a VarInt.

use std::io::{Read as _, Write as _};

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::wire::{DecodeError, Decoder};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use thiserror::Error;

use crate::World;
use crate::body::{Hole, Template};

static PACKED: &[u8] = include_bytes!("../data/worlds.bin");

/// More than the file unpacks to, and more than any count in it.
const BOUND: usize = 8 << 20;

/// What can be wrong with the file, when it and this module are of different making.
#[derive(Debug, Error)]
pub(crate) enum UnpackError {
    #[error("it can't be decompressed")]
    Compression(#[from] std::io::Error),
    #[error(transparent)]
    Format(#[from] DecodeError),
    #[error("segment {0} doesn't exist")]
    Segment(usize),
    #[error("a packet of configuration has a hole")]
    Hole,
}

/// The world of one version, or `None` where the file has none.
pub(crate) fn world(version: ProtocolVersion) -> Option<World> {
    // The file is part of the program, and a test unpacks every version.
    unpack(PACKED, version).expect("worlds.bin is what xtask has written")
}

/// The versions that the file has worlds of.
pub(crate) fn versions() -> Box<[ProtocolVersion]> {
    list(PACKED).expect("worlds.bin is what xtask has written")
}

fn list(packed: &[u8]) -> Result<Box<[ProtocolVersion]>, UnpackError> {
    let bytes = inflate(packed)?;
    let mut decoder = Decoder::new(&bytes);
    for _ in 0..decoder.length("segments", BOUND)? {
        decoder.byte_array("a segment", BOUND)?;
    }
    (0..decoder.length("versions", BOUND)?)
        .map(|_| {
            let version = ProtocolVersion(decoder.varint("a version")?);
            (0..4).try_for_each(|_| skip_list(&mut decoder))?;
            Ok(version)
        })
        .collect()
}

fn inflate(packed: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let mut bytes = Vec::new();
    ZlibDecoder::new(packed).take(BOUND as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unpack(packed: &[u8], version: ProtocolVersion) -> Result<Option<World>, UnpackError> {
    let bytes = inflate(packed)?;
    let mut decoder = Decoder::new(&bytes);
    let segments = (0..decoder.length("segments", BOUND)?)
        .map(|_| decoder.byte_array("a segment", BOUND))
        .collect::<Result<Vec<_>, _>>()?;
    let mut found = None;
    for _ in 0..decoder.length("versions", BOUND)? {
        if decoder.varint("a version")? == version.number() {
            found = Some(read_world(&mut decoder, &segments)?);
        } else {
            (0..4).try_for_each(|_| skip_list(&mut decoder))?;
        }
    }
    decoder.finish()?;
    Ok(found)
}

fn read_world(decoder: &mut Decoder<'_>, segments: &[&[u8]]) -> Result<World, UnpackError> {
    let mut list = || {
        (0..decoder.length("bodies", BOUND)?)
            .map(|_| read_body(decoder, segments))
            .collect::<Result<Box<[_]>, _>>()
    };
    let world = World { configuration: list()?, from_login: list()?, from_server: list()?, rest: list()? };
    if world.configuration.iter().any(Template::has_holes) {
        return Err(UnpackError::Hole);
    }
    Ok(world)
}

fn skip_list(decoder: &mut Decoder<'_>) -> Result<(), UnpackError> {
    for _ in 0..decoder.length("bodies", BOUND)? {
        for _ in 0..decoder.length("pieces", BOUND)? {
            decoder.varint("a piece")?;
        }
    }
    Ok(())
}

fn read_body(decoder: &mut Decoder<'_>, segments: &[&[u8]]) -> Result<Template, UnpackError> {
    let mut bytes = Vec::new();
    let mut holes = Vec::new();
    let mut compressed = false;
    for _ in 0..decoder.length("pieces", BOUND)? {
        match decoder.length("a piece", BOUND)? {
            0 => holes.push((bytes.len(), Hole::EntityId)),
            1 => holes.push((bytes.len(), Hole::WorldName)),
            2 => compressed = true,
            code => {
                let segment = segments.get(code - 3).ok_or(UnpackError::Segment(code - 3))?;
                if std::mem::take(&mut compressed) {
                    append_compressed(segment, &mut bytes)?;
                } else {
                    bytes.extend_from_slice(segment);
                }
            }
        }
    }
    Ok(Template::new(bytes, holes))
}

/// Chunks of 1.7 are compressed by themselves, with a length of four bytes in front.
fn append_compressed(segment: &[u8], bytes: &mut Vec<u8>) -> Result<(), UnpackError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(segment)?;
    let deflated = encoder.finish()?;
    bytes.extend_from_slice(&i32::try_from(deflated.len()).unwrap_or(i32::MAX).to_be_bytes());
    bytes.extend_from_slice(&deflated);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_other_making_is_an_error() {
        let pack = |bytes: &[u8]| {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let unpack = |bytes: &[u8]| unpack(&pack(bytes), ProtocolVersion(7)).map(|world| world.is_some());
        // No segments; version 7 with four empty lists.
        assert!(unpack(&[0, 1, 7, 0, 0, 0, 0]).unwrap());
        assert!(!unpack(&[0, 1, 8, 0, 0, 0, 0]).unwrap());
        assert!(matches!(unpack(&[0, 1, 7, 0, 0, 0]), Err(UnpackError::Format(_))));
        assert!(matches!(unpack(&[0, 0, 9]), Err(UnpackError::Format(DecodeError::Trailing { count: 1 }))));
        // A body of configuration with a name, and one in play with a segment that isn't there.
        assert!(matches!(unpack(&[0, 1, 7, 1, 1, 1, 0, 0, 0]), Err(UnpackError::Hole)));
        assert!(matches!(unpack(&[0, 1, 7, 0, 1, 1, 5, 0, 0]), Err(UnpackError::Segment(2))));
        assert!(matches!(super::unpack(&[1, 2, 3], ProtocolVersion(7)), Err(UnpackError::Compression(_))));
    }
}
