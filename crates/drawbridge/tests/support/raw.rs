//! A client that says bytes, for targets that speak no protocol.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_testkit::{Edge, PATIENCE};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A client that says what it is told.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    /// Connects and says nothing.
    pub(crate) fn connect(edge: &Edge) -> Self {
        Self::connect_to(edge.address())
    }

    fn connect_to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Says that it joins.
    pub(crate) fn joins(edge: &Edge, version: i32) -> Self {
        Self::joins_at(edge, version, "localhost")
    }

    /// Says that it joins at this host.
    pub(crate) fn joins_at(edge: &Edge, version: i32, host: &str) -> Self {
        Self::joins_by(edge.address(), version, host)
    }

    /// The same where the edge is reached by another address.
    pub(crate) fn joins_by(address: SocketAddr, version: i32, host: &str) -> Self {
        let mut client = Self::connect_to(address);
        client.0.write_all(&handshake(version, host, Intent::Login)).unwrap();
        client.0.write_all(&login_start(version, "Alice")).unwrap();
        client
    }

    /// Hears just this.
    pub(crate) fn hears(&mut self, bytes: &[u8]) {
        let mut heard = vec![0; bytes.len()];
        self.0.read_exact(&mut heard).unwrap();
        assert_eq!(heard, bytes);
    }

    /// Listens for so long, and says nothing to what it hears.
    pub(crate) fn listens_for(&mut self, time: Duration) {
        let since = Instant::now();
        while let Some(left) = time.checked_sub(since.elapsed()).filter(|left| !left.is_zero()) {
            self.0.set_read_timeout(Some(left)).unwrap();
            assert!(!matches!(self.0.read(&mut [0; 4096]), Ok(0)), "closed");
        }
    }

    /// Whether the other side closes, with no further word.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0; 1]) {
            Ok(read) => read == 0,
            Err(error) => matches!(error.kind(), ErrorKind::ConnectionReset),
        }
    }

    /// The text that it is turned away with, in login's own packet.
    pub(crate) fn kicked(&mut self) -> String {
        let (mut inbound, mut buffer) = (Inbound::new(1 << 20), [0; 4096]);
        loop {
            if let Some(packet) = inbound.next_packet().unwrap() {
                assert_eq!(packet.id, 0, "Login Disconnect");
                return String::from_utf8_lossy(packet.fields).into_owned();
            }
            let read = self.0.read(&mut buffer).unwrap();
            assert!(read > 0, "closed without a word");
            inbound.feed(&buffer[..read]);
        }
    }
}

/// A handshake, as it goes over the wire.
pub(crate) fn handshake(version: i32, host: &str, intent: Intent) -> Vec<u8> {
    let version = ProtocolVersion(version);
    let mut bytes = Vec::new();
    let handshake = Handshake { version, host: host.to_owned(), port: 25565, intent };
    Outbound::new().write(version, &handshake, &mut bytes).unwrap();
    bytes
}

/// Login Start with the fields that the version has.
pub(crate) fn login_start(version: i32, name: &str) -> Vec<u8> {
    let mut fields = vec![0, u8::try_from(name.len()).unwrap()];
    fields.extend(name.as_bytes());
    match version {
        759 => fields.push(0),
        760 => fields.extend([0, 0]),
        761..=763 => fields.push(0),
        764.. => fields.extend([7; 16]),
        _ => {}
    }
    fields.insert(0, u8::try_from(fields.len()).unwrap());
    fields
}

/// What a client of 1.6 or older reads that says this: the text of its kick, `FF`, a length in UTF-16 units, and UTF-16BE.
pub(crate) fn legacy_answer(edge: &Edge, request: &[u8]) -> String {
    let (mut client, mut bytes) = (Raw::connect(edge), Vec::new());
    client.0.write_all(request).unwrap();
    client.0.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.first(), Some(&0xff), "{bytes:x?}");
    let units: Vec<u16> =
        bytes[3..].chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    assert_eq!(usize::from(u16::from_be_bytes([bytes[1], bytes[2]])), units.len());
    String::from_utf16(&units).unwrap()
}
