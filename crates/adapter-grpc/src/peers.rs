//! Those that offer a service: which of them is asked.
//!
//! Whoever is up is asked in turn, first those with the fewest calls under way. Nobody is connected to before the first call;
//! from then on, lost connections are made again.

use crate::endpoint::{Connections, Tls};
use crate::error::GrpcError;
use crate::line::Line;
use crate::peer::Peer;
use drawbridge_adapter::background::{Background, Running};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::watch;

/// What can be had from a peer.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// Nothing yet.
    Connecting,
    /// Answers.
    Up(Line),
    /// A connection, but it says that it doesn't serve.
    NotServing,
    /// Nothing for now, and why.
    Down(String),
}

/// The states of all peers, in the order of their URIs.
pub(crate) type States = Arc<watch::Sender<Vec<State>>>;

/// All peers of an endpoint.
#[derive(Debug)]
pub(crate) struct Peers {
    names: Vec<String>,
    states: States,
    /// Whether anybody has asked yet.
    wanted: watch::Sender<bool>,
    turn: AtomicUsize,
    _running: Vec<Running>,
}

impl Peers {
    /// Nobody is connected to yet; what they do by themselves, they do in `background`.
    pub(crate) fn new(connections: &Connections, background: &Background) -> Self {
        let Connections { uris, keep_alive, tls } = connections;
        let states = Arc::new(watch::Sender::new(vec![State::Connecting; uris.len()]));
        let wanted = watch::Sender::new(false);
        let tls = Arc::new(Tls::new(tls.clone()));
        let running = uris.iter().enumerate().map(|(index, uri)| {
            let (uri, tls, states) = (uri.clone(), Arc::clone(&tls), Arc::clone(&states));
            let peer = Peer { uri, tls, keep_alive: *keep_alive, index, states };
            background.run(peer.run(wanted.subscribe()))
        });
        let running = running.collect();
        let names = uris.iter().map(ToString::to_string).collect();
        Self { names, states, wanted, turn: AtomicUsize::new(0), _running: running }
    }

    /// A connection to be used for a call; waits while nobody is known to be down or up.
    pub(crate) async fn line(&self) -> Result<Line, GrpcError> {
        self.wanted.send_if_modified(|wanted| !std::mem::replace(wanted, true));
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut states = self.states.subscribe();
        loop {
            if let Some(choice) = self.choose(&states.borrow_and_update(), turn) {
                return choice;
            }
            if states.changed().await.is_err() {
                return Err(GrpcError::Unconnected("no connection".to_owned()));
            }
        }
    }

    /// The connection with the fewest calls under way, in turn where several have as few. `None`: it isn't known yet.
    fn choose(&self, states: &[State], turn: usize) -> Option<Result<Line, GrpcError>> {
        let in_turn = (0..states.len()).map(|step| &states[(turn + step) % states.len()]);
        let open = in_turn.filter_map(|state| match state {
            State::Up(line) if line.is_open() => Some(line),
            _ => None,
        });
        if let Some(line) = open.min_by_key(|line| line.under_way()) {
            return Some(Ok(line.clone()));
        }
        let mut excuse = None;
        for (state, name) in states.iter().zip(&self.names) {
            excuse = Some(match state {
                // One that isn't open any more is about to be replaced.
                State::Connecting | State::Up(_) => return None,
                State::NotServing => GrpcError::NotServing(name.clone()),
                State::Down(reason) => GrpcError::Unconnected(format!("{name}: {reason}")),
            });
        }
        excuse.map(Err)
    }
}
