//! How long what backends say may be.

use super::bounds::{bounded, most};
use super::*;
use crate::bridge::commands::Commands;
use drawbridge_net::PlayLimits;
use drawbridge_protocol::carry::FrameReader;
use drawbridge_protocol::ids;
use drawbridge_protocol::stream::StreamError;
use drawbridge_protocol::wire::Encoder;
use std::time::Duration;

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

/// A frame that says of its packet that it is so long when inflated. It isn't whole, which shows when it is inflated.
fn claims(kind: Kind, length: usize, read: impl FnOnce(&Frame<'_>)) {
    let id = ids::id(VERSION, State::Play, Direction::Clientbound, kind).unwrap();
    let mut body = Vec::new();
    varint::write(i32::try_from(length).unwrap(), &mut body);
    // A stored block of 100 bytes.
    body.extend([0x78, 0x01, 0x01, 100, 0, 155, 255, u8::try_from(id).unwrap()]);
    body.extend([0; 40]);
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes).byte_array(&body);
    let mut reader = FrameReader::new(1024);
    reader.set_compression(true);
    let mut frames = reader.frames(&mut bytes);
    let frame = frames.next_frame().unwrap().unwrap();
    assert_eq!((frame.id(), frame.length()), (id, length));
    assert!(frame.packet(&mut Vec::new()).is_err());
    read(&frame);
}

/// By what its sender says, since that bounds what it is inflated to.
#[test]
fn packets_are_no_longer_than_their_form() {
    for (kind, longest) in [
        (Kind::KeepAlive, 21),
        (Kind::BundleDelimiter, 21),
        (Kind::RemoveResourcePack, 37),
        (Kind::CookieRequest, 131_086),
        (Kind::KickDisconnect, 2_097_157),
    ] {
        claims(kind, longest, |frame| assert!(bounded(kind, frame).is_ok(), "{kind:?}"));
        claims(kind, longest + 1, |frame| {
            let refused = bounded(kind, frame);
            let StreamError::Oversized { kind: named, length, bound } = refused.unwrap_err() else {
                panic!("another fault")
            };
            assert_eq!((named, length, bound), (kind, longest + 1, longest));
        });
    }
}

/// What a backend says goes to a client who may use a command of the edge's.
fn takes(frame: &Frame<'_>) -> Result<FrameWriter, Fault> {
    let options = Options {
        stalled: Duration::MAX,
        reserved: Vec::new(),
        commands: &["server"],
        authenticated: false,
        shakes_hands: false,
        follows_transfers: false,
        limits: PlayLimits::default(),
    };
    let now = Instant::now();
    let mut commands = Commands::new(options.commands);
    commands.permit(options.commands);
    let (mut client, mut backend) = (FrameWriter::new(), FrameWriter::new());
    client.set_compression(Some(256));
    let down = &mut Down {
        version: VERSION,
        ledger: &Ledger::of(VERSION),
        options: &options,
        standing: &mut Standing::welcomed(VERSION, commands, now),
        client: &mut client,
        backend: &mut backend,
        asked: &mut Asked::default(),
        packs: &mut Vec::new(),
        speaks: &mut State::Play,
        hears: State::Play,
        scratch: &mut Vec::new(),
        now,
    };
    down.take(frame)?;
    Ok(client)
}

/// It passes as it came, whatever is in it.
#[test]
fn trees_that_are_too_long_are_not_looked_through() {
    claims(Kind::DeclareCommands, MERGED + 1, |frame| assert!(!takes(frame).unwrap().is_empty()));
    claims(Kind::DeclareCommands, MERGED, |frame| assert!(takes(frame).is_err()));
    claims(Kind::KeepAlive, MERGED, |frame| {
        let refused = takes(frame).unwrap_err().to_string();
        assert_eq!(refused, "a keep_alive of 1048576 bytes, where 21 are allowed");
    });
}

/// Those of the longest fields that vanilla takes.
#[test]
fn packets_of_the_longest_fields_are_taken() {
    let key = "\u{ffff}".repeat(KEY);
    let mut body = vec![0; varint::MAX_BYTES];
    let mut out = Encoder::new(&mut body);
    out.string(&key);
    assert!(body.len() <= most(Kind::CookieRequest));
    let mut out = Encoder::new(&mut body);
    out.byte_array(&[0; 5 * 1024]);
    assert!(body.len() <= most(Kind::StoreCookie));
    assert!(varint::MAX_BYTES + size_of::<i64>() <= most(Kind::KeepAlive));
    assert!(varint::MAX_BYTES + 1 + size_of::<Uuid>() <= most(Kind::RemoveResourcePack));
}
