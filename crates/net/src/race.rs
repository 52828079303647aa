//! Connecting to a host that has several addresses (Happy Eyeballs, RFC 8305).
//!
//! Addresses are tried with IPv6 and IPv4 in turn: the next one when the one before fails, or is slow. Worked example: `[2001:db8::1]` doesn't
//! answer, `192.0.2.1` does. The first is tried at 0 ms, the second beside it at 250 ms, and is there at 251 ms: the first is given up.
//!
//! What must stay true: whoever isn't wanted any more is let go of. How long each may take is for whoever asks.

use crate::names;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// How long an address may take before the next one is tried beside it (RFC 8305, section 5).
const SLOW: Duration = Duration::from_millis(250);
/// The most addresses of a host that are tried.
const ADDRESSES: usize = 8;

/// Connects to a host on the runtime, without a deadline.
///
/// # Errors
/// Those of the last address, or of looking them up.
pub async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    first(names::look_up(host, port).await?, TcpStream::connect).await
}

/// The first that is there of attempts at these addresses.
///
/// # Errors
/// That of the last attempt; [`io::ErrorKind::AddrNotAvailable`] where there is no address.
pub async fn first<T, A>(addresses: Vec<SocketAddr>, attempt: impl Fn(SocketAddr) -> A) -> io::Result<T>
where
    A: Future<Output = io::Result<T>>,
{
    let mut addresses = in_turn(addresses);
    let mut attempts = Vec::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = addresses.pop_front() {
            attempts.push(Box::pin(attempt(address)));
        } else if attempts.is_empty() {
            return Err(last);
        }
        let more = !addresses.is_empty();
        tokio::select! {
            biased;
            outcome = first_decided(&mut attempts) => match outcome {
                Ok(connected) => return Ok(connected),
                Err(error) => last = error,
            },
            () = sleep(SLOW), if more => {}
        }
    }
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

/// The first attempt that is decided, which then is none any more.
async fn first_decided<T, A>(attempts: &mut Vec<Pin<Box<A>>>) -> io::Result<T>
where
    A: Future<Output = io::Result<T>>,
{
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
    use std::cell::Cell;
    use tokio::time::Instant;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|it| it.parse().unwrap()).collect()
    }

    /// The last number of the address tells what becomes of it: 1 hangs, 2 is refused, 3 is there after 10 ms.
    async fn become_of(address: SocketAddr) -> io::Result<SocketAddr> {
        match address.port() {
            1 => std::future::pending().await,
            2 => Err(io::ErrorKind::ConnectionRefused.into()),
            _ => {
                sleep(Duration::from_millis(10)).await;
                Ok(address)
            }
        }
    }

    #[test]
    fn families_take_turns() {
        let found = addresses(&["192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1", "192.0.2.3:1"]);
        let ordered = addresses(&["[2001:db8::1]:1", "192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"]);
        assert_eq!(in_turn(found), ordered);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_is_tried_beside_one_that_hangs() {
        let start = Instant::now();
        let there =
            first(addresses(&["192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:3"]), become_of).await.unwrap();
        assert_eq!(there.port(), 3);
        assert_eq!(start.elapsed(), 2 * SLOW + Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_is_tried_at_once_after_one_that_fails() {
        let start = Instant::now();
        let there =
            first(addresses(&["192.0.2.1:2", "192.0.2.2:2", "192.0.2.3:3"]), become_of).await.unwrap();
        assert_eq!(there.port(), 3);
        assert_eq!(start.elapsed(), Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_slow_may_still_be_the_first() {
        let tried = Cell::new(0);
        let slow = |address: SocketAddr| {
            tried.set(tried.get() + 1);
            async move {
                sleep(if address.port() == 1 { 2 * SLOW } else { 100 * SLOW }).await;
                Ok::<_, io::Error>(address)
            }
        };
        let there = first(addresses(&["192.0.2.1:1", "192.0.2.2:2"]), slow).await.unwrap();
        assert_eq!((there.port(), tried.get()), (1, 2));
    }

    #[tokio::test]
    async fn those_that_all_fail_say_why() {
        let error = first(addresses(&["192.0.2.1:2", "192.0.2.2:2"]), become_of).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = first(Vec::new(), become_of).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
