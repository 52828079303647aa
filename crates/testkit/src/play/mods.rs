//! What Forge of 1.7 to 1.12 says of mods, as far as a test needs it: the first byte says which message it is.

/// Where it is said.
pub(super) const CHANNEL: &str = "FML|HS";
/// The server's first word: its version of the handshake, and no dimension of its own.
pub(super) const SERVER_HELLO: &[u8] = &[0, 2, 0, 0, 0, 0];
/// The client's.
pub(super) const CLIENT_HELLO: &[u8] = &[1, 2];
/// The server's acknowledgement.
pub(super) const ACKNOWLEDGED: &[u8] = &[0xff, 2];
/// The client's last.
pub(super) const COMPLETE: &[u8] = &[0xff, 5];
/// Has the client begin again.
pub(super) const RESET: &[u8] = &[0xfe, 0];

/// Whether a host in a handshake says that the client has mods.
pub(super) fn has_mods(host: &str) -> bool {
    host.ends_with("\0FML\0")
}
