//! Reaching a target: its addresses, a connection to one of them, and a first sign that somebody is there.
//!
//! A target has several addresses where its host is a name. They are tried in the order of RFC 8305, IPv6 and IPv4 in turn: the next one
//! when the one before fails, or is slow. Worked example: `[2001:db8::1]` doesn't answer, `192.0.2.1` does. The first is tried at 0 ms,
//! the second beside it at 250 ms, and is there at 251 ms: the first is given up.
//!
//! What must stay true: every attempt has a deadline, and whoever isn't wanted any more is let go of.

use drawbridge_model::TargetAddress;
use drawbridge_net::{Dialer, Socket, names};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout_at};

/// How long an address may take before the next one is tried beside it (RFC 8305, section 5).
const SLOW: Duration = Duration::from_millis(250);
/// The most addresses of a target that are tried.
const ADDRESSES: usize = 8;

type Attempt = Pin<Box<dyn Future<Output = io::Result<Socket>>>>;

/// Connects to one of the target's addresses.
///
/// # Errors
/// Those of the last address, or of looking them up.
pub(crate) async fn connect(
    dialer: &Dialer,
    target: &TargetAddress,
    deadline: Instant,
) -> io::Result<Socket> {
    if let Some(ip) = target.ip() {
        return dialer.connect(SocketAddr::new(ip, target.port), deadline).await;
    }
    let looked_up = timeout_at(deadline.into(), names::look_up(&target.host, target.port)).await;
    let addresses = looked_up.map_err(|_| io::Error::other("its name isn't resolved in time"))??;
    race(dialer, in_turn(addresses), deadline).await
}

/// IPv6 and IPv4 in turn, each in the resolver's order.
fn in_turn(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let (v6, v4): (VecDeque<_>, VecDeque<_>) = addresses.into_iter().partition(SocketAddr::is_ipv6);
    let mut families = [v6, v4];
    let mut ordered = VecDeque::new();
    while families.iter().any(|family| !family.is_empty()) && ordered.len() < ADDRESSES {
        ordered.extend(families.iter_mut().filter_map(VecDeque::pop_front));
    }
    ordered
}

async fn race(dialer: &Dialer, mut addresses: VecDeque<SocketAddr>, deadline: Instant) -> io::Result<Socket> {
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = addresses.pop_front() {
            let dialer = dialer.clone();
            attempts.push(Box::pin(async move { dialer.connect(address, deadline).await }));
        } else if attempts.is_empty() {
            return Err(last);
        }
        let more = !addresses.is_empty();
        tokio::select! {
            biased;
            outcome = first_of(&mut attempts) => match outcome {
                Ok(socket) => return Ok(socket),
                Err(error) => last = error,
            },
            () = sleep(SLOW), if more => {}
        }
    }
}

/// The first attempt that is decided, which then is none any more.
async fn first_of(attempts: &mut Vec<Attempt>) -> io::Result<Socket> {
    poll_fn(|context| {
        for index in 0..attempts.len() {
            if let Poll::Ready(outcome) = attempts[index].as_mut().poll(context) {
                drop(attempts.swap_remove(index));
                return Poll::Ready(outcome);
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let addresses =
            |list: &[&str]| list.iter().map(|it| it.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let found = addresses(&["192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1", "192.0.2.3:1"]);
        let ordered = addresses(&["[2001:db8::1]:1", "192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"]);
        assert_eq!(in_turn(found), ordered);
    }
}
