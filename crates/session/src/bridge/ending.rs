//! The end of a session: what the client is told last, and that it surely reads it.

use super::Session;
use crate::packets;
use drawbridge_protocol::ids::State;
use drawbridge_protocol::packet::configuration::{StoreCookie, Transfer};
use drawbridge_protocol::packet::play::InPlay;
use drawbridge_protocol::text::Component;
use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

/// How long a client may take to read its last packet.
const LAST_WORD: Duration = Duration::from_secs(2);

/// The same of one that is handed over: it has done nothing wrong, and would be lost with the packet.
const FAREWELL: Duration = Duration::from_secs(10);

impl Session {
    /// Has the client go elsewhere, with these cookies: key and payload. What follows is [`Session::close`], without words.
    pub fn hand_over(&mut self, transfer: Transfer, cookies: Vec<(String, Vec<u8>)>) {
        let (version, client) = (self.version, &mut self.client.writer);
        self.is_handed_over = true;
        self.standing.close_bundle(version, client);
        let in_play = self.standing.hears == State::Play;
        // Who is handed over has a version that has all of these.
        for (key, payload) in cookies {
            let cookie = StoreCookie { key, payload };
            let _ = if in_play {
                client.packet(version, &InPlay(cookie))
            } else {
                client.packet(version, &cookie)
            };
        }
        let _ = if in_play {
            client.packet(version, &InPlay(transfer))
        } else {
            client.packet(version, &transfer)
        };
    }

    /// Ends the session: the client reads `reason`, where there is one, and both connections are closed.
    pub async fn close(mut self, reason: Option<&Component>) {
        self.backend = None;
        if let Some(reason) = reason {
            self.standing.close_bundle(self.version, &mut self.client.writer);
            packets::disconnect(self.version, self.standing.hears, reason, &mut self.client.writer);
        }
        let patience = if self.is_handed_over { FAREWELL } else { LAST_WORD };
        let deadline = Instant::now() + patience;
        self.client.socket.set_deadline(deadline);
        self.events.clear();
        let written = poll_fn(|context| {
            let flushed = self.flush_client(context);
            // Who is gone reads nothing any more, and nothing else is told of here.
            let is_over = !self.events.is_empty() || Instant::now() >= deadline;
            if is_over { Poll::Ready(()) } else { flushed }
        });
        written.await;
        self.client.socket.close_within(patience).await;
    }
}
