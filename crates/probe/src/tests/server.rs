//! A Minecraft server that plays a part, one script for each connection.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::status::{PingRequest, PongResponse, StatusRequest, StatusResponse};
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::Encoder;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a script waits for the probe before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) type Script = Box<dyn FnOnce(&mut Client) + Send>;

/// A script from a closure.
pub(super) fn script(play: impl FnOnce(&mut Client) + Send + 'static) -> Script {
    Box::new(play)
}

/// A server that takes as many connections as it has scripts, then no more.
pub(super) struct Server {
    pub address: SocketAddr,
    thread: JoinHandle<()>,
}

impl Server {
    pub(super) fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            for play in scripts {
                let (stream, _) = listener.accept().unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut client = Client::new(stream);
                play(&mut client);
                client.close();
            }
        });
        Self { address, thread }
    }

    /// Ends it; panics when a script did.
    pub(super) fn stop(self) {
        self.thread.join().unwrap();
    }
}

/// The probe, as its server sees it.
pub(super) struct Client {
    stream: TcpStream,
    inbound: Inbound,
    outbound: Outbound,
    pub version: ProtocolVersion,
    pub state: State,
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            inbound: Inbound::new(1 << 20),
            outbound: Outbound::new(),
            version: ProtocolVersion::newest(),
            state: State::Handshaking,
        }
    }

    /// Reads the handshake.
    pub(super) fn greeting(&mut self) -> Handshake {
        let handshake: Handshake = self.hear();
        self.version = handshake.version;
        self.state = if handshake.intent == Intent::Status { State::Status } else { State::Login };
        handshake
    }

    /// Plays the whole server list.
    pub(super) fn show(&mut self, status: &Value) -> Handshake {
        let handshake = self.greeting();
        let _: StatusRequest = self.hear();
        self.say(&StatusResponse { document: status.to_string() });
        let PingRequest { payload } = self.hear();
        self.say(&PongResponse { payload });
        handshake
    }

    /// The next packet, which is a `P`.
    pub(super) fn hear<P: Packet>(&mut self) -> P {
        let (id, fields) = self.hear_raw();
        RawPacket { id, fields: &fields }.read(self.version).unwrap()
    }

    /// The fields of the next packet, which is of `kind`.
    pub(super) fn hear_fields(&mut self, kind: Kind) -> Vec<u8> {
        let (id, fields) = self.hear_raw();
        assert_eq!(ids::kind(self.version, self.state, Direction::Serverbound, id), Some(kind));
        fields
    }

    fn hear_raw(&mut self) -> (i32, Vec<u8>) {
        let mut chunk = [0; 4096];
        loop {
            if let Some(packet) = self.inbound.next_packet().unwrap() {
                return (packet.id, packet.fields.to_vec());
            }
            let count = self.stream.read(&mut chunk).unwrap();
            assert!(count > 0, "the probe left");
            self.inbound.feed(&chunk[..count]);
        }
    }

    pub(super) fn say<P: Packet>(&mut self, packet: &P) {
        let mut fields = Vec::new();
        packet.encode(self.version, &mut Encoder::new(&mut fields));
        self.say_fields(P::KIND, &fields);
    }

    /// Says a packet of the present state.
    pub(super) fn say_fields(&mut self, kind: Kind, fields: &[u8]) {
        let mut plain = Vec::new();
        varint::write(ids::id(self.version, self.state, Direction::Clientbound, kind).unwrap(), &mut plain);
        plain.extend_from_slice(fields);
        let mut bytes = Vec::new();
        self.outbound.write_body(&plain, &mut bytes).unwrap();
        self.stream.write_all(&bytes).unwrap();
    }

    /// Says bytes as they are. False when the probe doesn't take them any more.
    pub(super) fn say_bytes(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    pub(super) fn compress(&mut self, threshold: usize) {
        self.inbound.decompress(threshold);
        self.outbound.compress(threshold, 1);
    }

    pub(super) fn encrypt(&mut self, secret: &[u8; 16]) {
        self.inbound.decrypt(secret);
        self.outbound.encrypt(secret);
    }

    /// Waits until the probe leaves, whatever it says before.
    pub(super) fn await_end(&mut self) {
        let mut chunk = [0; 4096];
        while matches!(self.stream.read(&mut chunk), Ok(1..)) {}
    }

    /// So that the probe reads all that was said.
    fn close(&mut self) {
        if self.stream.shutdown(Shutdown::Write).is_ok() {
            self.await_end();
        }
    }
}
