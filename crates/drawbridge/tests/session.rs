//! How sessions begin, and what they put up with: targets that hang, authenticate, ask nothing or turn players away; clients that don't
//! keep to the protocol.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::login::{EncryptionRequest, LoginDisconnect, LoginSuccess, SetCompression};
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::profile::{Profile, offline_uuid};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_testkit::{Backend, Edge, Manner, Target, Tarpit, sees};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use support::edge;
use support::raw::Raw;
use uuid::Uuid;

/// 1.18.2: without a configuration, so that a login ends in play.
const OLD: ProtocolVersion = ProtocolVersion::V1_18_2;

fn frame(packet: &impl Packet) -> Vec<u8> {
    let mut bytes = Vec::new();
    Outbound::new().write(OLD, packet, &mut bytes).unwrap();
    bytes
}

fn success() -> LoginSuccess {
    let profile = Profile { id: offline_uuid("Alice"), name: "Alice".into(), properties: Vec::new() };
    LoginSuccess { profile, session_id: Uuid::nil() }
}

/// A target that lets everybody in, and says what it hears after that.
fn welcoming() -> Target {
    Target::start(Manner::Echoes(frame(&success()))).unwrap()
}

fn carrying(targets: &[SocketAddr], session: &str, more: &str) -> Edge {
    let targets: Vec<_> = targets.iter().map(|target| format!("\"{target}\"")).collect();
    let route = format!(
        "[[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"offline\"\ntargets = [{}]\nsession = {{ {session} }}\n",
        targets.join(", ")
    );
    edge().file("forwarding.secret", "secret").config(format!("{more}\n{route}")).start()
}

/// A client in a session, whose packets aren't compressed.
struct InSession {
    client: Raw,
    inbound: Inbound,
}

impl InSession {
    fn begin(edge: &Edge) -> Self {
        let mut session = Self { client: Raw::joins(edge, OLD.0), inbound: Inbound::new(1 << 21) };
        session.hears::<LoginSuccess>();
        session
    }

    /// The next packet, or none where the connection ends.
    fn next(&mut self) -> Option<(i32, Vec<u8>)> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(packet) = self.inbound.next_packet().unwrap() {
                return Some((packet.id, packet.fields.to_vec()));
            }
            match self.client.0.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.inbound.feed(&buffer[..read]),
            }
        }
    }

    fn hears<P: Packet>(&mut self) -> P {
        let (id, fields) = self.next().expect("a packet");
        RawPacket { id, fields: &fields }.read(OLD).unwrap()
    }

    fn says(&mut self, bytes: &[u8]) {
        // Who is refused hears the rest no more.
        let _ = self.client.0.write_all(bytes);
    }

    /// Whether what it says comes back.
    fn is_carried(&mut self) -> bool {
        let id = ids::id(OLD, State::Play, Direction::Serverbound, Kind::ArmAnimation).unwrap();
        let id = u8::try_from(id).unwrap();
        self.says(&[2, id, 0]);
        self.next().is_some_and(|(heard, fields)| (heard, &*fields) == (id.into(), &[0][..]))
    }
}

#[test]
fn targets_that_do_not_answer_are_passed_over_and_tried_last_for_a_while() {
    sees!("routes[].session.connect", "routes[].session.answer");
    let (nobody, pit) = (Backend::nobody().unwrap(), Tarpit::start().unwrap());
    let (silent, alive) = (Target::start(Manner::Silent).unwrap(), welcoming());
    let targets = [nobody, pit.address().unwrap(), silent.address(), alive.address()];
    let session = "connect = \"700ms\", answer = \"600ms\", compression = -1";
    let edge = carrying(&targets, session, "");
    let start = Instant::now();
    let mut first = InSession::begin(&edge);
    let took = start.elapsed();
    assert!((Duration::from_millis(1_300)..Duration::from_secs(4)).contains(&took), "{took:?}");
    assert!(first.is_carried());
    edge.wait_for_messages("a target can't be reached", 3);
    let start = Instant::now();
    assert!(InSession::begin(&edge).is_carried());
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!((silent.heard().len(), alive.heard().len()), (1, 2));
}

#[test]
fn targets_may_be_told_who_the_client_is() {
    sees!("routes[].session.proxy_protocol");
    let target = welcoming();
    let edge = carrying(&[target.address()], "proxy_protocol = \"v2\", compression = -1", "");
    let _session = InSession::begin(&edge);
    assert_eq!(&target.wait_for(28)[..16], b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c");
}

#[test]
fn clients_are_told_the_threshold_of_the_route() {
    let target = welcoming();
    let edge = carrying(&[target.address()], "compression = 700", "");
    let mut client = Raw::joins(&edge, OLD.0);
    client.hears(&frame(&SetCompression { threshold: 700 }));
}

#[test]
fn targets_that_do_not_fit_are_named_with_what_is_wrong() {
    let request = EncryptionRequest {
        server_id: String::new(),
        public_key: vec![1; 16],
        verify_token: vec![1; 4],
        should_authenticate: true,
    };
    let online = Target::start(Manner::Echoes(frame(&request))).unwrap();
    let unasked = welcoming();
    for (target, session, wrong) in [
        (&online, "limbo = \"never\"", "it authenticates players itself"),
        (
            &unasked,
            "limbo = \"never\", forwarding = \"velocity\", secret = { file = \"forwarding.secret\" }",
            "it doesn't ask for Velocity's forwarding",
        ),
    ] {
        let edge = carrying(&[target.address()], session, "");
        assert!(Raw::joins(&edge, OLD.0).kicked().contains("can't be reached right now"));
        let line = edge.wait_for_message("a target can't be reached");
        assert!(line.field("error").is_some_and(|error| error.contains(wrong)), "{line}");
    }
}

#[test]
fn whom_a_target_turns_away_reads_its_words() {
    let kick = LoginDisconnect { reason: "{\"text\":\"members only\"}".into() };
    let strict = Target::start(Manner::Breaks(frame(&kick))).unwrap();
    let edge = carrying(&[strict.address()], "", "");
    assert!(Raw::joins(&edge, OLD.0).kicked().contains("members only"));
    edge.wait_for_refusal("target_refused");
    // Another that would take them is tried first.
    let open = welcoming();
    let edge = carrying(&[strict.address(), open.address()], "compression = -1", "");
    assert!(InSession::begin(&edge).is_carried());
}

/// What a client may not say, one for each kind of fault.
fn faults() -> Vec<(&'static str, Vec<u8>)> {
    let finish = ids::id(
        ProtocolVersion::V1_21,
        State::Configuration,
        Direction::Serverbound,
        Kind::FinishConfiguration,
    );
    assert_eq!(finish, Some(3));
    vec![
        ("an empty frame", vec![0]),
        ("a length of more than 21 bits", vec![0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("an id that the version doesn't have", vec![2, 0x7f, 0]),
        ("a negative id", vec![5, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("an id that is cut off", vec![1, 0x80]),
        ("a keep-alive that is cut off", {
            let id = ids::id(OLD, State::Play, Direction::Serverbound, Kind::KeepAlive).unwrap();
            vec![3, u8::try_from(id).unwrap(), 0, 0]
        }),
        ("chat that isn't UTF-8", {
            let id = ids::id(OLD, State::Play, Direction::Serverbound, Kind::Chat).unwrap();
            vec![4, u8::try_from(id).unwrap(), 2, 0xc3, 0x28]
        }),
    ]
}

#[test]
fn who_does_not_keep_to_the_protocol_is_refused_and_others_notice_nothing() {
    let target = welcoming();
    let edge = carrying(
        &[target.address()],
        "compression = -1",
        "[limits]\nlogin = { burst = 100, per = \"1s\" }\n",
    );
    let mut other = InSession::begin(&edge);
    assert!(other.is_carried());
    for (at, (fault, bytes)) in faults().into_iter().enumerate() {
        let mut session = InSession::begin(&edge);
        assert!(session.is_carried(), "{fault}");
        session.says(&bytes);
        assert!(session.next().is_none(), "{fault}");
        edge.wait_for_messages("the client doesn't keep to the protocol", at + 1);
        assert!(other.is_carried(), "{fault}");
    }
}
