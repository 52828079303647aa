//! The login of a player at a target that says anything, and how it is told who the player is.
//!
//! What must hold: nothing that a player or a property says makes a forwarded host read otherwise, by the rules of those who read it; a target that was
//! to ask as Velocity is asked gets the player only if it has; memory is bounded by what a login may say.

use crate::session::Woken;
use crate::{Input, input, memory};
use drawbridge_net::Loose;
use drawbridge_protocol::carry::FrameReader;
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::Packet;
use drawbridge_protocol::packet::handshake::Handshake;
use drawbridge_protocol::packet::login::{
    CookieRequest, CookieResponse, LoginPluginRequest, LoginPluginResponse, LoginSuccess, PlayerKey,
    SetCompression,
};
use drawbridge_protocol::profile::{Profile, Property};
use drawbridge_protocol::stream::Outbound;
use drawbridge_protocol::{ProtocolVersion, varint};
use drawbridge_session::forwarding::Traveller;
use drawbridge_session::{Forwarding, Introduction, LoggingIn, Question, Step};
use flate2::read::ZlibDecoder;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use uuid::Uuid;
use zeroize::Zeroizing;

const CHANNEL: &str = "velocity:player_info";

thread_local! {
    static LOOSE: Rc<Loose> = Rc::new(Loose::new().expect("a poller"));
}

/// See the module.
pub fn check(data: &[u8]) {
    let loose = LOOSE.with(Rc::clone);
    // Twice what all packets of a login may have, and the longest of them.
    memory::within(160 * 1024 * 1024, || {
        let mut input = Input::new(data);
        let version = input.version();
        let choice = input.byte();
        let secret = Zeroizing::new(b"secret".to_vec());
        let forwarding = match choice & 3 {
            0 => Forwarding::None,
            1 => Forwarding::BungeeCord,
            2 => Forwarding::BungeeGuard(secret),
            _ => Forwarding::Velocity(secret),
        };
        let host = text(&mut input);
        let (name, value) = (text(&mut input), text(&mut input));
        let signature = (choice & 4 == 4).then(|| value.clone());
        let profile = Profile {
            id: Uuid::from_u128(0x069a_79f4_44e9_4726_a5be_fca9_0e38_aaf5),
            name: "Notch".to_owned(),
            properties: if choice & 8 == 8 { vec![Property { name, value, signature }] } else { Vec::new() },
        };
        let key = PlayerKey { expires: 1, public_key: vec![1; 20], signature: vec![2; 30] };
        let key = (choice & 16 == 16).then_some(&key);
        let traveller = Traveller { profile: &profile, address: Ipv4Addr::LOCALHOST.into(), key };
        let introduction =
            Introduction { version, host: &host, port: 25565, traveller, forwarding: &forwarding };
        meet(&loose, introduction, input.rest());
    });
}

fn text(input: &mut Input<'_>) -> String {
    String::from_utf8_lossy(input.piece()).into_owned()
}

/// Polls as long as something comes of it.
pub(crate) fn poll<T>(loose: &Loose, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    for _ in 0..10_000 {
        loose.turn(Duration::ZERO);
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(outcome);
        }
        if !woken.take() {
            return None;
        }
    }
    panic!("a login doesn't come to rest");
}

fn meet(loose: &Loose, introduction: Introduction<'_>, said: &[u8]) {
    let (version, forwarding) = (introduction.version, introduction.forwarding);
    let (socket, mut far) = loose.pair().expect("a pair of sockets");
    let Ok(mut login) = LoggingIn::begin(socket, introduction) else { return };
    // All that fits into the socket's buffer; nothing more comes then.
    let _ = far.write_all(said);
    let mut welcomed = false;
    while let Some(Ok(step)) = poll(loose, login.next()) {
        let answered = match step {
            Step::Asks(Question::Plugin(asked)) => {
                login.answer_plugin(&LoginPluginResponse { message: asked.message, data: None })
            }
            Step::Asks(Question::Cookie(asked)) => {
                login.answer_cookie(&CookieResponse { key: asked.key, payload: None })
            }
            Step::Welcomed(_) => {
                welcomed = true;
                break;
            }
        };
        assert!(answered.is_ok(), "{version} has no answer to what it asks");
    }
    let mut told = Vec::new();
    let _ = far.read_to_end(&mut told);
    introduced(&introduction, &mut told);
    if welcomed {
        assert!(!matches!(forwarding, Forwarding::Velocity(_)) || asks(version, said), "nobody asked");
        let mut backend = login.welcomed();
        let _ = poll(loose, backend.arrive(version));
    }
}

/// Whether a target asks who the player is before it lets them in, by a reader of the fuzzer's own.
fn asks(version: ProtocolVersion, said: &[u8]) -> bool {
    let (mut rest, mut compresses) = (said, false);
    while let Some((length, body)) = number(rest) {
        let Some((frame, behind)) = body.split_at_checked(length) else { return false };
        rest = behind;
        let packet = if compresses { inflated(frame) } else { Some(frame.to_vec()) };
        let Some(packet) = packet else { return false };
        let Ok(Some((id, taken))) = varint::read(&packet) else { return false };
        let fields = &packet[taken..];
        match ids::kind(version, State::Login, Direction::Clientbound, id) {
            Some(Kind::Compress) => compresses = number(fields).is_some(),
            Some(Kind::LoginPluginRequest)
                if fields.windows(CHANNEL.len()).any(|bytes| bytes == CHANNEL.as_bytes()) =>
            {
                return true;
            }
            Some(Kind::Success) => return false,
            _ => {}
        }
    }
    false
}

/// A number that isn't negative, and what stands behind it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, taken) = varint::read(bytes).ok().flatten()?;
    Some((usize::try_from(number).ok()?, &bytes[taken..]))
}

/// The packet in a frame that may be compressed.
fn inflated(frame: &[u8]) -> Option<Vec<u8>> {
    let (length, stream) = number(frame)?;
    if length == 0 {
        return Some(stream.to_vec());
    }
    let mut packet = Vec::new();
    ZlibDecoder::new(stream).take(length as u64).read_to_end(&mut packet).ok()?;
    Some(packet)
}

/// The handshake is one, and its host reads as what it is to say.
fn introduced(introduction: &Introduction<'_>, told: &mut [u8]) {
    let Introduction { version, host, forwarding, .. } = *introduction;
    let mut reader = FrameReader::new(MAX_FRAME);
    let mut frames = reader.frames(told);
    let Some(frame) = frames.next_frame().expect("a frame") else { return };
    let mut scratch = Vec::new();
    let packet = frame.packet(&mut scratch).expect("a packet");
    // Hosts over the bound of the reader are no client's.
    let Ok(handshake) = packet.read::<Handshake>(version) else { return };
    let parts: Vec<_> = handshake.host.split('\0').collect();
    if matches!(forwarding, Forwarding::None | Forwarding::Velocity(_)) {
        assert_eq!(handshake.host, host);
        return;
    }
    assert!(matches!(parts.len(), 3 | 4), "{parts:?}");
    let place = host.split('\0').next().unwrap_or_default();
    // RealIP's words about an address are not handed on beside ours.
    let place = place.split("///").next().unwrap_or_default();
    assert_eq!(parts[..3], [place, "127.0.0.1", "069a79f444e94726a5befca90e38aaf5"]);
    if let Some(properties) = parts.get(3) {
        let properties: Vec<serde_json::Value> =
            serde_json::from_str(properties).expect("properties in JSON");
        let profile = introduction.traveller.profile;
        for (property, read) in profile.properties.iter().zip(&properties) {
            assert_eq!(
                (read["name"].as_str(), read["value"].as_str()),
                (Some(&*property.name), Some(&*property.value))
            );
        }
        let guarded = properties
            .last()
            .is_some_and(|last| last["name"] == "bungeeguard-token" && last["value"] == "secret");
        assert!(guarded || !matches!(forwarding, Forwarding::BungeeGuard(_)));
    }
}

/// Logins as targets have them.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let profile = Profile { id: Uuid::from_u128(7), name: "Notch".to_owned(), properties: Vec::new() };
    let success = LoginSuccess { profile, session_id: Uuid::nil() };
    let mut seeds = Vec::new();
    for version in [4, 47, 340, 393, 759, 760, 763, 764, 766, 775].map(ProtocolVersion) {
        for choice in 0..32u8 {
            let mut outbound = Outbound::new();
            let mut seed = vec![input::choice_of(version), choice];
            for text in ["a\0FML2\0", "textures", "e30="] {
                varint::write(i32::try_from(text.len()).unwrap_or(0), &mut seed);
                seed.extend_from_slice(text.as_bytes());
            }
            if choice & 4 == 4 {
                add(&mut outbound, version, &SetCompression { threshold: 64 }, &mut seed);
                if version.has_compression() {
                    outbound.compress(64, 4);
                }
            }
            let form = choice & 3;
            add(
                &mut outbound,
                version,
                &LoginPluginRequest { message: 1, channel: CHANNEL.into(), data: vec![form + 1] },
                &mut seed,
            );
            add(&mut outbound, version, &CookieRequest { key: "a:b".to_owned() }, &mut seed);
            add(&mut outbound, version, &success, &mut seed);
            seeds.push(seed);
        }
    }
    seeds
}

fn add<P: Packet>(outbound: &mut Outbound, version: ProtocolVersion, packet: &P, seed: &mut Vec<u8>) {
    // Where the version has no such packet there is none.
    let _ = outbound.write(version, packet, seed);
}
