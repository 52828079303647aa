//! A name server on 127.0.0.1, by hand (RFC 1035, RFC 2782): it knows a few records, and can fail in many ways.

mod message;

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use message::Query;

/// The most bytes of an answer over UDP.
const UDP: usize = 1_232;

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Another name.
    Cname(String),
    /// A host and port. `.` as host: there is no service.
    Srv {
        /// The lower, the earlier.
        priority: u16,
        /// The heavier, the likelier.
        weight: u16,
        /// The port.
        port: u16,
        /// The host.
        host: String,
    },
}

impl Record {
    /// An SRV record.
    #[must_use]
    pub fn srv(priority: u16, weight: u16, port: u16, host: &str) -> Self {
        Self::Srv { priority, weight, port, host: host.to_owned() }
    }
}

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Well,
    /// SERVFAIL.
    Failing,
    /// REFUSED.
    Refusing,
    /// Not at all.
    Silent,
    /// With bytes that are no message.
    Garbage,
    /// With a message that promises more records than are there.
    Broken,
}

/// A name server.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

#[derive(Debug)]
struct Zone {
    mood: Mood,
    /// Names whose questions are answered in another mood.
    moods: Vec<(String, Mood)>,
    records: Vec<(String, u32, Record)>,
    asked: Vec<Asked>,
}

/// A question that came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    name: String,
    kind: u16,
    over_tcp: bool,
}

impl NameServer {
    /// Listens on a free port of 127.0.0.1, over UDP and TCP. It knows nothing yet.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn start() -> io::Result<Self> {
        Self::start_at(Ipv4Addr::LOCALHOST.into())
    }

    /// The same at another address of this machine, such as `::1`.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn start_at(ip: IpAddr) -> io::Result<Self> {
        let (udp, tcp) = listen(ip)?;
        let address = udp.local_addr()?;
        let zone = Zone { mood: Mood::Well, moods: Vec::new(), records: Vec::new(), asked: Vec::new() };
        let zone = Arc::new(Mutex::new(zone));
        let known = Arc::clone(&zone);
        std::thread::spawn(move || serve_udp(&udp, &known));
        let known = Arc::clone(&zone);
        std::thread::spawn(move || {
            for stream in tcp.incoming().flatten() {
                let known = Arc::clone(&known);
                std::thread::spawn(move || serve_tcp(stream, &known));
            }
        });
        Ok(Self { address, zone })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on `name` leads to these alone, good for `ttl` seconds; without any it doesn't exist.
    pub fn set(&self, name: &str, ttl: u32, records: impl IntoIterator<Item = Record>) {
        let mut zone = self.zone();
        zone.records.retain(|(known, ..)| known != name);
        zone.records.extend(records.into_iter().map(|record| (name.to_owned(), ttl, record)));
    }

    /// From now on it answers so.
    pub fn mood(&self, mood: Mood) {
        self.zone().mood = mood;
    }

    /// From now on it answers so when asked for `name`.
    pub fn mood_about(&self, name: &str, mood: Mood) {
        let mut zone = self.zone();
        zone.moods.retain(|(known, _)| known != name);
        zone.moods.push((name.to_owned(), mood));
    }

    /// How often it has been asked for `name`.
    #[must_use]
    pub fn asked(&self, name: &str) -> usize {
        self.zone().asked.iter().filter(|asked| asked.name == name).count()
    }

    /// How often it has been asked over TCP.
    #[must_use]
    pub fn asked_over_tcp(&self) -> usize {
        self.zone().asked.iter().filter(|asked| asked.over_tcp).count()
    }

    fn zone(&self) -> MutexGuard<'_, Zone> {
        self.zone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Zone {
    /// What is answered to a message; `None`: nothing.
    fn answer(&mut self, message: &[u8], over_tcp: bool) -> Option<Vec<u8>> {
        let query = Query::read(message)?;
        let (name, kind) = (query.name.clone(), query.kind);
        let mood = self.moods.iter().find(|(known, _)| *known == name).map_or(self.mood, |(_, mood)| *mood);
        self.asked.push(Asked { name, kind, over_tcp });
        match mood {
            Mood::Well => {
                let answer = query.answer(&self.records);
                Some(if over_tcp || answer.len() <= UDP { answer } else { query.truncated() })
            }
            Mood::Failing => Some(query.code(message::SERVFAIL)),
            Mood::Refusing => Some(query.code(message::REFUSED)),
            Mood::Silent => None,
            Mood::Garbage => Some(message[..2].iter().copied().chain(*b"\xff\xff what is this?").collect()),
            Mood::Broken => Some(query.broken()),
        }
    }
}

/// One port for both.
fn listen(ip: IpAddr) -> io::Result<(UdpSocket, TcpListener)> {
    const ATTEMPTS: usize = 100;
    let mut last = io::Error::other("no free port");
    for _ in 0..ATTEMPTS {
        let tcp = TcpListener::bind((ip, 0))?;
        match UdpSocket::bind(tcp.local_addr()?) {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn answer(zone: &Mutex<Zone>, message: &[u8], over_tcp: bool) -> Option<Vec<u8>> {
    zone.lock().unwrap_or_else(PoisonError::into_inner).answer(message, over_tcp)
}

fn serve_udp(socket: &UdpSocket, zone: &Mutex<Zone>) {
    let mut buffer = [0; 4096];
    while let Ok((count, peer)) = socket.recv_from(&mut buffer) {
        if let Some(answer) = answer(zone, &buffer[..count], false) {
            let _ = socket.send_to(&answer, peer);
        }
    }
}

fn serve_tcp(mut stream: TcpStream, zone: &Mutex<Zone>) {
    let mut served = || -> io::Result<()> {
        loop {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            let mut message = vec![0; u16::from_be_bytes(length).into()];
            stream.read_exact(&mut message)?;
            if let Some(answer) = answer(zone, &message, true) {
                let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
                stream.write_all(&[&length.to_be_bytes()[..], &answer].concat())?;
            }
        }
    };
    // Whoever hangs up is done with.
    let _ = served();
}
