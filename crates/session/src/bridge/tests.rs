//! What a backend can have the edge remember.

use super::commands::Commands;
use super::down::Down;
use super::standing::Standing;
use super::{Event, Fault, Options};
use crate::backend::Asked;
use crate::ledger::Ledger;
use drawbridge_net::PlayLimits;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::Encoder;
use std::time::{Duration, Instant};
use uuid::Uuid;

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

/// A backend in configuration, and a client beside it that has acknowledged nothing.
struct Backend {
    version: ProtocolVersion,
    /// Whether the edge has authenticated the player.
    authenticated: bool,
    standing: Standing,
    asked: Asked,
    packs: Vec<Uuid>,
    speaks: State,
    hears: State,
    client: FrameWriter,
    backend: FrameWriter,
}

impl Backend {
    fn new() -> Self {
        Self::of(VERSION)
    }

    fn of(version: ProtocolVersion) -> Self {
        Self {
            version,
            authenticated: false,
            standing: Standing::welcomed(version, Commands::new(&[]), Instant::now()),
            asked: Asked::default(),
            packs: Vec::new(),
            speaks: State::Configuration,
            hears: State::Configuration,
            client: FrameWriter::new(),
            backend: FrameWriter::new(),
        }
    }

    fn says(&mut self, kind: Kind, fields: impl FnOnce(&mut Encoder<'_>)) -> Result<Option<Event>, Fault> {
        let mut body = Vec::new();
        varint::write(ids::id(self.version, self.speaks, Direction::Clientbound, kind).unwrap(), &mut body);
        fields(&mut Encoder::new(&mut body));
        let mut frame = Vec::new();
        Encoder::new(&mut frame).byte_array(&body);
        let mut reader = FrameReader::new(MAX_FRAME);
        let mut frames = reader.frames(&mut frame);
        let frame = frames.next_frame().unwrap().unwrap();
        let options = Options {
            stalled: Duration::MAX,
            reserved: vec!["edge:own".to_owned()],
            commands: &[],
            authenticated: self.authenticated,
            shakes_hands: false,
            follows_transfers: false,
            limits: PlayLimits::default(),
        };
        let mut down = Down {
            version: self.version,
            ledger: &Ledger::of(self.version),
            options: &options,
            standing: &mut self.standing,
            client: &mut self.client,
            backend: &mut self.backend,
            asked: &mut self.asked,
            packs: &mut self.packs,
            speaks: &mut self.speaks,
            hears: self.hears,
            scratch: &mut Vec::new(),
            now: Instant::now(),
        };
        down.take(&frame)
    }
}

#[test]
fn questions_for_cookies_are_few_and_short() {
    let mut backend = Backend::new();
    for number in 0..100 {
        let key = format!("shop:{number:0>30000}");
        backend.says(Kind::CookieRequest, |out| out.string(&key)).unwrap();
    }
    assert_eq!(backend.asked.cookies.len(), 0);
    for number in 0..10_000 {
        backend.says(Kind::CookieRequest, |out| out.string(&format!("shop:{number}"))).unwrap();
    }
    assert_eq!(backend.asked.cookies.len(), 64);
    assert!(backend.backend.is_empty());
    backend.says(Kind::CookieRequest, |out| out.string("edge:own")).unwrap();
    assert!(!backend.backend.is_empty() && backend.asked.cookies.len() == 64);
}

/// Up to the client's acknowledgement it takes nothing but what belongs to the state before.
#[test]
fn a_backend_is_refused_the_edges_own_cookies_in_the_state_that_it_asks_in() {
    let mut backend = Backend::new();
    backend.says(Kind::FinishConfiguration, |_| ()).unwrap();
    for _ in 0..100 {
        backend.says(Kind::CookieRequest, |out| out.string("edge:own")).unwrap();
    }
    assert!(backend.backend.is_empty());
    backend.asked.refuse(VERSION, State::Configuration, &mut backend.backend);
    assert!(backend.backend.is_empty());
    backend.asked.refuse(VERSION, State::Play, &mut backend.backend);
    let said = backend.backend.unsent();
    let id = ids::id(VERSION, State::Play, Direction::Serverbound, Kind::CookieResponse).unwrap();
    assert_eq!(said[..3], [11, u8::try_from(id).unwrap(), 8]);
    assert_eq!(said.len(), 64 * 12);
}

#[test]
fn the_latest_packs_are_those_whose_answers_are_waited_for() {
    let mut backend = Backend::new();
    let pack = |number: u128| Uuid::from_u128(number);
    for number in (0..1_000).chain([999, 998]) {
        backend.says(Kind::AddResourcePack, |out| out.uuid(pack(number))).unwrap();
    }
    let expected: Vec<_> = (1_000 - 64..1_000).map(|number| Some(pack(number))).collect();
    assert_eq!(backend.asked.packs, expected);
    assert_eq!(backend.packs.len(), 64);
}

#[test]
fn a_client_is_not_brought_further_than_it_follows() {
    let mut backend = Backend::new();
    // The end of the login stands there too.
    for _ in 1..64 {
        let kind = match backend.speaks {
            State::Play => Kind::StartConfiguration,
            _ => Kind::FinishConfiguration,
        };
        backend.says(kind, |_| ()).unwrap();
    }
    let fault = backend.says(Kind::StartConfiguration, |_| ()).unwrap_err();
    assert!(matches!(fault, Fault::Misplaced(_)), "{fault}");
    assert_eq!(backend.standing.transitions.len(), 64);
}

/// Since 26.2 a Join Game says whether somebody was asked who the player is, which the edge knows better than its targets.
#[test]
fn clients_are_told_whether_the_edge_authenticated_them() {
    for (version, authenticated, told) in [
        (ProtocolVersion::V26_2, true, 1),
        (ProtocolVersion::V26_2, false, 0),
        (ProtocolVersion::V26_1, true, 0),
    ] {
        let mut backend = Backend { speaks: State::Play, authenticated, ..Backend::of(version) };
        backend.says(Kind::Login, |out| out.bytes(&[0, 0, 0, 7, 1, 2, 3, 0, 1])).unwrap();
        let said = backend.client.unsent();
        assert_eq!(said[said.len() - 2..], [told, 1], "{version}");
    }
}
