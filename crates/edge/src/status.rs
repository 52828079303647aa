//! The server list's answer: a status, a ping, or both, each once.

use crate::admission::read_more;
use crate::ended::Ended;
use crate::greeting::{Greeted, Purpose};
use crate::journey::{Facts, Journey};
use crate::report::Line;
use crate::snapshot::{Snapshot, UnknownHostAction};
use drawbridge_model::{AdapterError, Client, Refusal, Status, StatusDocument};
use drawbridge_net::Socket;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::legacy::{self, LegacyPing, LegacyStatus};
use drawbridge_protocol::packet::status::{PingRequest, PongResponse, StatusRequest};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_routing::Route;
use drawbridge_telemetry::span;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{timeout, timeout_at};

/// A legacy protocol number that no client has, so that the list shows the version's name, as vanilla servers do.
const NOBODYS_PROTOCOL: i32 = 127;
/// How long a client may take to close after the last answer.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Answers what a client of the server list asks, in this order: a status, then a ping; or a ping alone.
pub(crate) async fn answer(
    greeted: Greeted,
    route: Option<&Route>,
    maintained: bool,
    journey: &mut Journey,
) -> Result<(), Ended> {
    let Greeted { mut socket, snapshot, inbound, client, purpose, arrived, pass: _pass } = greeted;
    let deadline = arrived + snapshot.limits.handshake_timeout;
    let route_name = route.map(|route| &*route.name);
    let document = timeout_at(deadline.into(), document(&snapshot, (route, maintained), &client, journey))
        .await
        .unwrap_or(Err(Refusal::TimedOut.into()));
    let answered = match (document, purpose) {
        (Ok(document), Purpose::LegacyPing(ping)) => {
            Line { client: &client, route: route_name, player: None, arrived, now: socket.now(), journey }
                .pinged();
            socket.set_deadline(socket.now() + LAST_WORD);
            write(&mut socket, &legacy_answer(&ping, document.status())).await?;
            socket.close().await;
            return Ok(());
        }
        (Ok(document), _) => {
            socket.set_deadline(deadline);
            converse(&mut socket, Answers { document, version: client.version, asked: false }, inbound).await
        }
        (Err(ended), _) => Err(ended),
    };
    if let Err(ended) = answered {
        journey.end(
            (&ended).into(),
            socket.now(),
            Some(&client),
            &Facts { route: route_name, ..Facts::default() },
        );
        return Err(ended);
    }
    Line { client: &client, route: route_name, player: None, arrived, now: socket.now(), journey }.pinged();
    finish(socket).await
}

/// Answers until there is nothing more to be asked.
async fn converse(socket: &mut Socket, mut answers: Answers, mut inbound: Inbound) -> Result<(), Ended> {
    let mut out = Vec::new();
    loop {
        out.clear();
        let asked = answers.to(&mut inbound, &mut out)?;
        if let Asked::Ping(pong) = asked {
            let after = answers.document.pong_after();
            if !after.is_zero() {
                write(socket, &out).await?;
                out.clear();
                // Boxed, so that all others are no larger for it.
                Box::pin(wait(socket, after)).await?;
            }
            Outbound::new().write(answers.version, &pong, &mut out).map_err(|_| Refusal::Internal)?;
            return write(socket, &out).await;
        }
        write(socket, &out).await?;
        read_more(socket, &mut inbound).await?;
    }
}

/// Waits so long, but no longer than the client may take in all, nor for one that leaves.
async fn wait(socket: &mut Socket, long: Duration) -> Result<(), Ended> {
    match timeout(long, socket.read(&mut [0; 1])).await {
        Err(_) => Ok(()),
        Ok(Ok(0)) => Err(Ended::Left),
        Ok(Ok(_)) => Err(Ended::MALFORMED),
        Ok(Err(error)) => Err(error.into()),
    }
}

fn legacy_answer(ping: &LegacyPing, status: &Status) -> Vec<u8> {
    let (online, max) = status.players.as_ref().map_or((0, 0), |players| (players.online, players.max));
    let shown = LegacyStatus {
        protocol: NOBODYS_PROTOCOL,
        version: &status.version_name,
        description: &status.description,
        online,
        max,
    };
    legacy::ping_answer(ping, &shown)
}

/// The client closes by itself after its ping. Waiting for that spares it an RST and this side the time-wait state.
async fn finish(mut socket: Socket) -> Result<(), Ended> {
    socket.set_deadline(socket.now() + LAST_WORD);
    match socket.read(&mut [0; 16]).await {
        Ok(0) => Ok(()),
        Ok(_) => {
            socket.close().await;
            Err(Ended::MALFORMED)
        }
        Err(_) => Ok(()),
    }
}

async fn write(socket: &mut Socket, bytes: &[u8]) -> Result<(), Ended> {
    if bytes.is_empty() { Ok(()) } else { Ok(socket.write_all(bytes).await?) }
}

/// The route's status, or what is shown for a host without one.
async fn document(
    snapshot: &Snapshot,
    (route, maintained): (Option<&Route>, bool),
    client: &Client,
    journey: &Journey,
) -> Result<Arc<StatusDocument>, Ended> {
    match (route, snapshot.unknown_host) {
        (Some(route), _) if maintained => Ok(route.maintenance.document()),
        (Some(route), _) => match ask(route, client, journey).await {
            Ok(Some(document)) => Ok(document),
            Ok(None) => Err(Refusal::NoStatus.into()),
            Err(error) => {
                if let Some(times) = route.without_status.due() {
                    tracing::warn!(route = route.name, %error, times, "no status to show");
                }
                Err(Refusal::NoStatus.into())
            }
        },
        (None, UnknownHostAction::DefaultStatus) => Ok(Arc::clone(&snapshot.routes.default_status)),
        (None, UnknownHostAction::Drop) => Err(Ended::Refused(Refusal::NoRoute)),
    }
}

/// Asks the route's adapter.
async fn ask(
    route: &Route,
    client: &Client,
    journey: &Journey,
) -> Result<Option<Arc<StatusDocument>>, AdapterError> {
    if !span::is_traced(&client.trace) {
        return route.status.status(client).await;
    }
    let client = journey.client(client);
    span::asked("status", None, &client, async |client| route.status.status(client).await).await
}

/// What a client has asked for so far.
enum Asked {
    /// At most the status.
    Status,
    /// A ping, which is to be answered so.
    Ping(PongResponse),
}

/// Answers requests in the order in which they are allowed.
struct Answers {
    document: Arc<StatusDocument>,
    version: ProtocolVersion,
    /// Whether the status has been asked for.
    asked: bool,
}

impl Answers {
    /// Answers all requests that have come but for a ping, which is the last one there can be.
    fn to(&mut self, inbound: &mut Inbound, out: &mut Vec<u8>) -> Result<Asked, Ended> {
        let version = self.version;
        while let Some(packet) = inbound.next_packet().map_err(|_| Ended::MALFORMED)? {
            match packet.kind(version, State::Status, Direction::Serverbound) {
                Some(Kind::PingStart) if !self.asked => {
                    let StatusRequest {} = packet.read(version).map_err(|_| Ended::MALFORMED)?;
                    self.asked = true;
                    self.document.write_packet(version, out);
                }
                Some(Kind::Ping) => {
                    let PingRequest { payload } = packet.read(version).map_err(|_| Ended::MALFORMED)?;
                    let pong = PongResponse { payload };
                    return if inbound.has_rest() { Err(Ended::MALFORMED) } else { Ok(Asked::Ping(pong)) };
                }
                _ => return Err(Ended::MALFORMED),
            }
        }
        Ok(Asked::Status)
    }
}
