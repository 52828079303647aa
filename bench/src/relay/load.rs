//! What is sent through a relay: bulk, or many small packets.

use super::GREETING;
use super::bare::greet;
use crate::edge::HOST;
use anyhow::{Context as _, Result, ensure};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::LoginStart;
use drawbridge_protocol::stream::Outbound;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a relay may take over anything.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of a small packet, and how often each connection has one.
pub(crate) const PACKET: usize = 200;
const EVERY: Duration = Duration::from_millis(20);

/// Both ends of relayed connections.
pub(crate) struct Ends {
    clients: Vec<TcpStream>,
    targets: Vec<TcpStream>,
}

impl Ends {
    /// So many connections through the relay at `relay`, which leads to `target`.
    pub(crate) fn open(relay: SocketAddr, target: &TcpListener, count: usize) -> Result<Self> {
        let (mut clients, mut targets) = (Vec::new(), Vec::new());
        let join = join()?;
        for _ in 0..count {
            let mut client = connect(relay)?;
            client.write_all(&join)?;
            let (stream, _) = target.accept()?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            greet(&stream)?;
            let mut greeting = [0; GREETING.len()];
            client.read_exact(&mut greeting).context("no greeting comes through")?;
            ensure!(greeting == *GREETING, "another greeting");
            clients.push(client);
            targets.push(stream);
        }
        Ok(Self { clients, targets })
    }

    /// Sends `bytes` to each client in pieces of this size, and waits until all are there.
    pub(crate) fn bulk(&self, piece: usize, bytes: usize) -> Result<()> {
        let piece = vec![7; piece];
        thread::scope(|scope| {
            let mut work = Vec::new();
            for (mut client, mut target) in self.clients.iter().zip(&self.targets) {
                let piece = &piece;
                work.push(scope.spawn(move || -> Result<()> {
                    let mut left = bytes;
                    while left > 0 {
                        let len = piece.len().min(left);
                        target.write_all(&piece[..len])?;
                        left -= len;
                    }
                    Ok(())
                }));
                work.push(scope.spawn(move || -> Result<()> {
                    let (mut left, mut buffer) = (bytes, vec![0; 256 * 1024]);
                    while left > 0 {
                        let read = client.read(&mut buffer)?;
                        ensure!(read > 0, "the relay hung up");
                        left = left.checked_sub(read).context("more came than was sent")?;
                    }
                    Ok(())
                }));
            }
            work.into_iter().try_for_each(|work| work.join().expect("no panic"))
        })
    }

    /// Sends each client a packet every 20 ms, spread evenly, `rounds` times; how long each was under way, in seconds.
    pub(crate) fn packets(&self, rounds: usize) -> Result<Vec<f64>> {
        let total = rounds * self.clients.len();
        let start = Instant::now();
        thread::scope(|scope| {
            let sender = scope.spawn(move || -> Result<()> {
                let step = EVERY / u32::try_from(self.targets.len())?;
                let mut packet = [7; PACKET];
                for number in 0..total {
                    let due = step * u32::try_from(number)?;
                    if let Some(early) = due.checked_sub(start.elapsed()) {
                        thread::park_timeout(early);
                    }
                    packet[..16].copy_from_slice(&start.elapsed().as_nanos().to_le_bytes());
                    let mut target = &self.targets[number % self.targets.len()];
                    target.write_all(&packet)?;
                }
                Ok(())
            });
            let latencies = self.receive(total, start)?;
            sender.join().expect("no panic")?;
            Ok(latencies)
        })
    }

    fn receive(&self, total: usize, start: Instant) -> Result<Vec<f64>> {
        let poller = epoll::create(CreateFlags::CLOEXEC)?;
        for (index, client) in self.clients.iter().enumerate() {
            epoll::add(&poller, client, EventData::new_u64(index as u64), EventFlags::IN)?;
        }
        let (mut latencies, mut events) = (Vec::with_capacity(total), Vec::with_capacity(256));
        let mut packet = [0; PACKET];
        while latencies.len() < total {
            events.clear();
            epoll::wait(&poller, rustix::buffer::spare_capacity(&mut events), None)?;
            for event in &events {
                let mut client = &self.clients[usize::try_from(event.data.u64())?];
                // One each time: the poller tells of the next one again.
                client.read_exact(&mut packet)?;
                let sent = u128::from_le_bytes(packet[..16].try_into()?);
                let took = start.elapsed().as_nanos().saturating_sub(sent);
                latencies.push(took as f64 / 1e9);
            }
        }
        Ok(latencies)
    }
}

/// Connects to a relay, which may not listen yet.
fn connect(relay: SocketAddr) -> Result<TcpStream> {
    let deadline = Instant::now() + PATIENCE;
    let stream = loop {
        match TcpStream::connect(relay) {
            Ok(stream) => break stream,
            Err(error) if Instant::now() > deadline => return Err(error).context("a relay doesn't listen"),
            Err(_) => thread::park_timeout(Duration::from_millis(20)),
        }
    };
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// What a client says first.
fn join() -> Result<Vec<u8>> {
    let version = ProtocolVersion::newest();
    let (mut bytes, mut outbound) = (Vec::new(), Outbound::new());
    let handshake = Handshake { version, host: HOST.to_owned(), port: 25565, intent: Intent::Login };
    outbound.write(version, &handshake, &mut bytes)?;
    outbound.write(
        version,
        &LoginStart { name: "Bench".to_owned(), uuid: Some(Uuid::nil()), key: None },
        &mut bytes,
    )?;
    Ok(bytes)
}
