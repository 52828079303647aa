//! References for the status ping: servers that read frames, answer and close, and have neither deadlines nor limits, routes,
//! logs or anything else. Each runs as a process of its own, by a hidden subcommand.
//!
//! Both answer the status with the bytes of a file: the edge's own answer.

pub(crate) mod epoll;
pub(crate) mod tokio;

use drawbridge_protocol::frame;
use std::net::TcpListener;

/// Longer than any frame of a ping.
const BOUND: usize = 512;

/// Listens where [`crate::process::Server`] looks for it, and says so.
fn listen() -> anyhow::Result<TcpListener> {
    crate::process::die_with_parent()?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn announce(listener: &TcpListener) -> anyhow::Result<()> {
    eprintln!("listening {}", listener.local_addr()?);
    Ok(())
}

/// What to send for the bytes that came.
#[derive(Debug, PartialEq, Eq)]
enum Answer<'a> {
    /// Nothing yet: a frame isn't whole.
    Wait,
    /// The status.
    Status,
    /// The pong: the ping's own bytes.
    Pong(&'a [u8]),
    /// Not a ping.
    Refuse,
}

/// Looks at all that a client has sent since the last answer. `greeted`: it has had its status.
fn answer(received: &[u8], greeted: bool) -> Answer<'_> {
    let (first, rest) = match split(received) {
        Ok(Some(frames)) => frames,
        Ok(None) => return Answer::Wait,
        Err(()) => return Answer::Refuse,
    };
    if greeted {
        // Ping: id 1 and eight bytes, which a pong has too.
        return if first.len() == 9 && first[0] == 1 { Answer::Pong(received) } else { Answer::Refuse };
    }
    // Handshake: id 0, and intent 1 in the last byte.
    if first.first() != Some(&0) || first.last() != Some(&1) {
        return Answer::Refuse;
    }
    match split(rest) {
        Ok(Some((&[0], _))) => Answer::Status,
        Ok(None) => Answer::Wait,
        Ok(Some(_)) | Err(()) => Answer::Refuse,
    }
}

/// A packet's bytes, and what stands behind it.
type Split<'a> = (&'a [u8], &'a [u8]);

/// The first frame's body, and what follows the frame.
fn split(bytes: &[u8]) -> Result<Option<Split<'_>>, ()> {
    let body = frame::split(bytes, BOUND).map_err(drop)?;
    Ok(body.map(|body| (&bytes[body.clone()], &bytes[body.end..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREETING: &[u8] = &[6, 0, 5, 0, 0x63, 0xdd, 1, 1, 0];
    const PING: &[u8] = &[9, 1, 1, 2, 3, 4, 5, 6, 7, 8];

    #[test]
    fn a_ping_is_answered_however_it_is_cut() {
        for end in 0..GREETING.len() {
            assert_eq!(answer(&GREETING[..end], false), Answer::Wait, "{end}");
        }
        assert_eq!(answer(GREETING, false), Answer::Status);
        assert_eq!(answer(&PING[..9], true), Answer::Wait);
        assert_eq!(answer(PING, true), Answer::Pong(PING));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(answer(b"GET / HTTP/1.1\r\n", false), Answer::Wait, "71 bytes are announced");
        assert_eq!(answer(&[0], false), Answer::Refuse);
        assert_eq!(answer(&[2, 0, 2, 1, 0], false), Answer::Refuse, "a login");
        assert_eq!(answer(&[1, 0], true), Answer::Refuse);
    }
}
