//! Admission: who may connect at all. It costs no parsing but that of a load balancer's header.

use crate::ended::Ended;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use drawbridge_model::Refusal;
use drawbridge_net::proxy_protocol::{self, Parsed};
use drawbridge_net::{Denied, Pass, Socket};
use drawbridge_protocol::stream::Inbound;
use drawbridge_telemetry::metrics::{self, Limit};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// A socket that was accepted, under its first deadline.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: Socket,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) arrived: Instant,
}

/// A client that may speak.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) socket: Socket,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) arrived: Instant,
    /// Where it calls from.
    pub(crate) address: SocketAddr,
    /// What came behind a load balancer's header.
    pub(crate) inbound: Inbound,
    pub(crate) pass: Pass,
}

/// Reads what has come into `inbound`.
///
/// # Errors
/// When the client has left or the deadline has passed.
pub(crate) async fn read_more(socket: &mut Socket, inbound: &mut Inbound) -> Result<(), Ended> {
    match socket.read_with::<512>(|bytes| inbound.feed(bytes)).await? {
        0 => Err(Ended::Left),
        _ => Ok(()),
    }
}

fn refusal(denied: Denied) -> Ended {
    let (limit, refusal) = match denied {
        Denied::Full => (Limit::Connections, Refusal::Full),
        Denied::Address => (Limit::PerAddress, Refusal::AddressFull),
    };
    metrics::limited(limit);
    refusal.into()
}

impl Accepted {
    /// Takes the snapshot that the connection keeps, and starts the clock of its greeting.
    pub(crate) fn new(mut socket: Socket, shared: &Shared) -> Self {
        let snapshot = shared.snapshot.load_full();
        let arrived = socket.now();
        socket.set_deadline(arrived + snapshot.limits.handshake_timeout);
        Self { socket, snapshot, arrived }
    }

    /// Lets the client in, by the address that counts, which is written to `client` as soon as it is known.
    pub(crate) async fn admit(mut self, shared: &Shared, client: &mut SocketAddr) -> Result<Admitted, Ended> {
        // Who only holds the connection of a trusted proxy open counts as well.
        let entered = shared.gate.enter().map_err(refusal)?;
        let peer = self.socket.peer();
        let mut inbound = Inbound::new(self.snapshot.limits.max_packet());
        let trusted = self.snapshot.proxies.contains(peer.ip());
        let address =
            if trusted { self.named_by_proxy(&mut inbound, shared).await?.unwrap_or(peer) } else { peer };
        *client = address;
        let Self { socket, snapshot, arrived } = self;
        if !snapshot.access.permits(address.ip()) {
            return Err(Refusal::Access.into());
        }
        if shared.bans.address(address.ip()).is_some() {
            return Err(Refusal::Banned.into());
        }
        let pass = entered.admit(address.ip()).map_err(refusal)?;
        Ok(Admitted { socket, snapshot, arrived, address, inbound, pass })
    }

    /// Who the load balancer says that it speaks for; `None`: for itself.
    async fn named_by_proxy(
        &mut self,
        inbound: &mut Inbound,
        shared: &Shared,
    ) -> Result<Option<SocketAddr>, Ended> {
        loop {
            read_more(&mut self.socket, inbound).await?;
            match proxy_protocol::parse(inbound.rest()) {
                Ok(Parsed::NeedMore) => {}
                Ok(Parsed::Header { source, consumed }) => {
                    inbound.skip(consumed);
                    return Ok(source);
                }
                Err(error) => {
                    // Nobody else can bring this about, and it keeps everybody behind the proxy out.
                    if shared.bad_headers.permits(self.socket.now()) {
                        let peer = self.socket.peer();
                        tracing::warn!(%peer, %error, "a trusted proxy sent no valid header");
                    }
                    return Err(Refusal::ProxyHeader.into());
                }
            }
        }
    }
}
