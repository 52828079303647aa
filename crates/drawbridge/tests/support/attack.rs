//! What it takes to be hostile, and to see that it does no harm.

use super::{AT_ONCE, edge, lobby};
use drawbridge_protocol::ids::State;
use drawbridge_protocol::packet::login::{
    EncryptionRequest, EncryptionResponse, LoginAcknowledged, LoginSuccess,
};
use drawbridge_protocol::{ProtocolVersion, varint};
use drawbridge_testkit::{Account, Connection, Edge, Player, SessionServer};
use std::time::Duration;

pub(crate) const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

/// How much more memory than before an attack the edge may have after it, in bytes. Allocators keep what they had at their
/// peak, so this is no zero; but it is far less than the attacks below send or claim.
const FLAT: u64 = 3 * 1024 * 1024;

/// How often an attack is made.
const TIMES: usize = 40;

/// Attacks an edge, and checks that others are served at once and memory stays flat. The first few attacks aren't counted:
/// they fill what is allocated once.
pub(crate) fn survives(edge: &Edge, mut attack: impl FnMut(&Edge)) {
    for _ in 0..3 {
        attack(edge);
    }
    let before = edge.memory().rss;
    for _ in 0..TIMES {
        attack(edge);
    }
    edge.serves_others_within(AT_ONCE);
    let grown = edge.memory().rss.saturating_sub(before);
    assert!(grown <= FLAT, "grown by {grown} bytes");
}

/// An edge with quick deadlines, and a session server.
pub(crate) fn house() -> (Edge, SessionServer) {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(lobby(&session)).start();
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

/// The same bad bytes where the handshake, the status request and Login Start are expected.
pub(crate) fn is_closed_anywhere_after(edge: &Edge, bytes: &[u8]) {
    is_closed_after(edge, bytes);
    for intent in [1, 2, 3] {
        is_closed_after(edge, &[handshake(b"localhost", intent).as_slice(), bytes].concat());
    }
}

/// A connection in configuration.
pub(crate) fn logged_in(edge: &Edge, account: &Account) -> Connection {
    let mut connection = Player::with_account(account, 767).knock(edge.address()).unwrap();
    let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
    let encrypted = |plain: &[u8]| drawbridge_rsa::encrypt(&request.public_key, plain).unwrap();
    let hash = drawbridge_protocol::profile::server_hash(&request.server_id, &[1; 16], &request.public_key);
    account.join([127, 0, 0, 1].into(), &hash).unwrap();
    let response = EncryptionResponse {
        shared_secret: encrypted(&[1; 16]),
        verify_token: encrypted(&request.verify_token),
    };
    connection.send(&response).unwrap();
    connection.encrypt(&[1; 16]);
    connection.receive().unwrap().read::<LoginSuccess>().unwrap();
    connection.send(&LoginAcknowledged {}).unwrap();
    connection.enter(State::Configuration);
    connection
}
