//! The targets of players: one speaks the protocol, one doesn't; both say back what they hear.

use crate::wire::{Miss, VERSION, Wire};
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::configuration::FinishConfiguration;
use drawbridge_protocol::packet::handshake::Handshake;
use drawbridge_protocol::packet::login::{LoginAcknowledged, LoginStart, LoginSuccess};
use drawbridge_protocol::profile::{Profile, offline_uuid};
use drawbridge_protocol::varint;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use uuid::Uuid;

/// So many may call at the same moment.
const BACKLOG: u32 = 4_096;

/// Both targets, on one thread, until this is dropped.
#[derive(Debug)]
pub struct Targets {
    /// Says back all bytes that it hears.
    pub relay: SocketAddr,
    /// Lets every player in, and says back all plugin messages that it hears.
    pub session: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Targets {
    /// Listens on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (relay, session) = runtime.block_on(async { Ok::<_, io::Error>((listen()?, listen()?)) })?;
        let (at_relay, at_session) = (relay.local_addr()?, session.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::Builder::new().name("targets".to_owned()).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    _ = stopped => {}
                    () = serve(relay, session) => {}
                }
            });
        })?;
        Ok(Self { relay: at_relay, session: at_session, _stop: stop })
    }
}

fn listen() -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    socket.listen(BACKLOG)
}

async fn serve(relay: TcpListener, session: TcpListener) {
    let mut visits = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = relay.accept() => {
                visits.spawn(async move {
                    // It ends when the player goes.
                    let _ = say_back(stream).await;
                });
            }
            Ok((stream, _)) = session.accept() => {
                visits.spawn(async move {
                    let _ = host(stream).await;
                });
            }
            Some(_) = visits.join_next() => {}
        }
    }
}

async fn say_back(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..read]).await?;
    }
}

/// Lets a player in, and says back their plugin messages.
async fn host(stream: TcpStream) -> Result<Infallible, Miss> {
    let mut wire = Wire::of(stream)?;
    wire.hear_packet::<Handshake>().await?;
    let LoginStart { name, .. } = wire.hear_packet().await?;
    let profile = Profile { id: offline_uuid(&name), name, properties: Vec::new() };
    wire.say(&LoginSuccess { profile, session_id: Uuid::nil() }).await?;
    wire.hear_packet::<LoginAcknowledged>().await?;
    wire.say(&FinishConfiguration {}).await?;
    let finished = ids::id(VERSION, State::Configuration, Direction::Serverbound, Kind::FinishConfiguration);
    while wire.hear(|packet| packet.id).await.map(Some)? != finished {}
    let of = |direction| ids::id(VERSION, State::Play, direction, Kind::CustomPayload);
    let heard = of(Direction::Serverbound);
    let said = of(Direction::Clientbound).ok_or_else(|| Miss::Failed("no plugin messages".to_owned()))?;
    loop {
        let body = wire.hear(|packet| {
            (Some(packet.id) == heard).then(|| {
                let mut body = Vec::with_capacity(packet.fields.len() + 5);
                varint::write(said, &mut body);
                body.extend_from_slice(packet.fields);
                body
            })
        });
        if let Some(body) = body.await? {
            wire.say_body(&body).await?;
        }
    }
}
