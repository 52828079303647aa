//! Reaching a target: its addresses, and a connection to one of them.
//!
//! What must stay true: every attempt has a deadline.

use drawbridge_model::TargetAddress;
use drawbridge_net::{Dialer, Socket, names, race};
use std::io;
use std::time::Instant;
use tokio::time::timeout_at;

/// Connects to one of the target's addresses.
///
/// # Errors
/// Those of the last address, or of looking them up.
pub(crate) async fn connect(
    dialer: &Dialer,
    target: &TargetAddress,
    deadline: Instant,
) -> io::Result<Socket> {
    let looked_up = timeout_at(deadline.into(), names::look_up(&target.host, target.port)).await;
    let late = || io::Error::new(io::ErrorKind::TimedOut, "its name isn't resolved in time");
    let addresses = looked_up.map_err(|_| late())??;
    race::first(addresses, |address| dialer.connect(address, deadline)).await
}
