//! What it takes to be hostile, and to see that it does no harm.

use super::{AT_ONCE, edge, lobby};
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::Packet;
use drawbridge_protocol::packet::login::{
    EncryptionRequest, EncryptionResponse, LoginAcknowledged, LoginSuccess, TokenProof,
};
use drawbridge_protocol::wire::Encoder;
use drawbridge_protocol::{ProtocolVersion, varint};
use drawbridge_testkit::{Account, Connection, Edge, EdgeBuilder, Player, SessionServer};
use std::fmt::Display;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

pub(crate) const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

/// How often an attack is made before memory is looked at, and again.
pub(crate) const TIMES: usize = 512;

/// How much each attack may leave behind, in bytes: half of the smallest leak that is to be found, 1 KiB.
const LEFT_BEHIND: u64 = 512;

/// How many times memory may be found to have grown. An allocator that takes another arena grows once; a leak grows always.
const CHANCES: usize = 4;

/// How long the others wait between their pings, so that the attack and not they are what the edge is busy with.
const BETWEEN_PINGS: Duration = Duration::from_millis(20);

/// Attacks an edge in all these ways in turn, [`TIMES`] and as often again, and checks that others are served at once
/// throughout and that memory stays flat.
pub(crate) fn survives<T>(edge: &Edge, ways: &[T], mut attack: impl FnMut(&T)) {
    let mut ways = ways.iter().cycle();
    survives_waves(edge, TIMES, || ways.by_ref().take(TIMES).for_each(&mut attack));
}

/// The same of attacks that are made at once: `wave` makes so many of them.
pub(crate) fn survives_waves(edge: &Edge, size: usize, wave: impl FnMut()) {
    serves_others_during(edge, || stays_flat(edge, size, wave));
    edge.serves_others_within(AT_ONCE);
}

/// Checks that others are served at once while something goes on.
pub(crate) fn serves_others_during<T>(edge: &Edge, attack: impl FnOnce() -> T) -> T {
    let (over, is_over) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                edge.serves_others_within(AT_ONCE);
                if is_over.recv_timeout(BETWEEN_PINGS) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        // Goes when the attack is over, or has failed.
        let _over = over;
        attack()
    })
}

/// Checks that memory doesn't grow with the number of attacks, of which `wave` makes `size`. The first wave isn't counted:
/// it fills what is allocated once, and the gaps in the heap that would hide a leak.
pub(crate) fn stays_flat(edge: &Edge, size: usize, mut wave: impl FnMut()) {
    wave();
    let bound = size as u64 * LEFT_BEHIND;
    let mut grown = Vec::new();
    while grown.len() < CHANCES {
        let before = edge.memory().rss;
        wave();
        grown.push(edge.memory().rss.saturating_sub(before));
        if grown.last().is_some_and(|&grown| grown <= bound) {
            return;
        }
    }
    panic!("each {size} attacks left {grown:?} bytes behind, more than {bound}");
}

/// An edge to attack. It has one thread of each kind: what holds that up holds up everybody, while others' pings would find
/// another one that is free.
pub(crate) fn target(config: impl Display) -> EdgeBuilder {
    edge().config(format!("threads = 1\n{config}"))
}

/// An edge to attack, with a session server.
pub(crate) fn house() -> (Edge, SessionServer) {
    let session = SessionServer::start().unwrap();
    let edge = target(lobby(&session)).start();
    (edge, session)
}

/// Sends bytes and checks that the edge closes on its own, long before any deadline.
pub(crate) fn is_closed_after(edge: &Edge, bytes: &[u8]) {
    let mut connection = Connection::open(edge.address(), VERSION).unwrap().patience(Duration::from_secs(3));
    // The edge may close before it has read all.
    let _ = connection.raw(bytes);
    connection
        .closed()
        .unwrap_or_else(|trouble| panic!("{trouble} after {:x?}", &bytes[..bytes.len().min(40)]));
}

/// Checks that the edge closes on its own, and serves others, after each of these.
pub(crate) fn survives_bytes(edge: &Edge, all: &[Vec<u8>]) {
    survives(edge, all, |bytes| is_closed_after(edge, bytes));
}

/// A handshake of the intent, as a frame.
pub(crate) fn handshake(host: &[u8], intent: u8) -> Vec<u8> {
    let mut body = vec![0];
    varint::write(767, &mut body);
    varint::write(i32::try_from(host.len()).unwrap(), &mut body);
    body.extend_from_slice(host);
    body.extend_from_slice(&[0x63, 0xdd, intent]);
    frame(&body)
}

/// Login Start of the name, as a frame.
pub(crate) fn login_start(name: &[u8]) -> Vec<u8> {
    let mut body = vec![0];
    varint::write(i32::try_from(name.len()).unwrap(), &mut body);
    body.extend_from_slice(name);
    body.extend_from_slice(&[7; 16]);
    frame(&body)
}

pub(crate) fn frame(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint::write(i32::try_from(body.len()).unwrap(), &mut bytes);
    bytes.extend_from_slice(body);
    bytes
}

/// A packet's body: its id and its fields.
pub(crate) fn body<P: Packet>(packet: &P) -> Vec<u8> {
    let mut body = Vec::new();
    varint::write(P::id(VERSION).unwrap(), &mut body);
    packet.encode(VERSION, &mut Encoder::new(&mut body));
    body
}

/// The body of a plugin message in configuration, so many bytes in all.
pub(crate) fn plugin_message(length: usize) -> Vec<u8> {
    let id = ids::id(VERSION, State::Configuration, Direction::Serverbound, Kind::CustomPayload).unwrap();
    let mut body = Vec::new();
    varint::write(id, &mut body);
    Encoder::new(&mut body).string("minecraft:brand");
    body.resize(length, b'x');
    body
}

/// The same bad bytes where the handshake, the status request and Login Start are expected.
pub(crate) fn anywhere(bytes: &[u8]) -> [Vec<u8>; 4] {
    let after = |intent| [&handshake(b"localhost", intent), bytes].concat();
    [bytes.to_vec(), after(1), after(2), after(3)]
}

/// The answer to an Encryption Request: this secret, and this token in the place of the one that was sent.
pub(crate) fn answer(request: &EncryptionRequest, secret: &[u8], token: &[u8]) -> EncryptionResponse {
    let encrypted = |plain: &[u8]| drawbridge_rsa::encrypt(&request.public_key, plain).unwrap();
    EncryptionResponse { shared_secret: encrypted(secret), token: TokenProof::Encrypted(encrypted(token)) }
}

/// A connection in configuration.
pub(crate) fn logged_in(edge: &Edge, account: &Account) -> Connection {
    let mut connection = Player::with_account(account, 767).knock(edge.address()).unwrap();
    let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
    let hash = drawbridge_protocol::profile::server_hash(&request.server_id, &[1; 16], &request.public_key);
    account.join([127, 0, 0, 1].into(), &hash).unwrap();
    connection.send(&answer(&request, &[1; 16], &request.verify_token)).unwrap();
    connection.encrypt(&[1; 16]);
    connection.receive().unwrap().read::<LoginSuccess>().unwrap();
    connection.send(&LoginAcknowledged {}).unwrap();
    connection.enter(State::Configuration);
    connection
}
