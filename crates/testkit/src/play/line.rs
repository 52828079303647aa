//! A socket that packets go in and out of, on a runtime.
//!
//! What must stay true: while nothing flows a line holds no buffers, and never a state of zlib's, of which each thread has one.

use super::fault::Fault;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::cipher::{Decryptor, Encryptor};
use drawbridge_protocol::compression::{Compressor, Decompressor, MAX_UNCOMPRESSED};
use drawbridge_protocol::frame::{self, MAX_FRAME};
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::stream::StreamError;
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::{DecodeError, Encoder};
use std::cell::RefCell;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How much is read at once, in bytes.
const READ: usize = 64 * 1024;
/// zlib's fastest level: what is measured is the other side.
const LEVEL: u32 = 1;
/// How long the other side may take to close after the last packet.
const GOODBYE: Duration = Duration::from_secs(2);

thread_local! {
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
    static INFLATE: RefCell<Decompressor> = RefCell::new(Decompressor::new());
    /// Compresses everything: who asks has compared with the threshold of the line.
    static DEFLATE: RefCell<Compressor> = RefCell::new(Compressor::new(0, LEVEL));
    static BODY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A packet that came.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) id: i32,
    body: Vec<u8>,
    /// Where the fields begin in the body.
    fields: usize,
}

impl Heard {
    pub(super) fn fields(&self) -> &[u8] {
        &self.body[self.fields..]
    }

    /// Reads it whole.
    pub(super) fn read<P: Packet>(&self, version: ProtocolVersion) -> Result<P, Fault> {
        let packet = RawPacket { id: self.id, fields: self.fields() };
        packet.read(version).map_err(|error| Fault::Fields { state: P::STATE, kind: P::KIND, error })
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Line {
    stream: TcpStream,
    pub(super) version: ProtocolVersion,
    /// Which packets this end says.
    says: Direction,
    inbound: Vec<u8>,
    /// Where the next frame starts in it.
    start: usize,
    outbound: Vec<u8>,
    /// How much of it is sent.
    sent: usize,
    threshold: Option<usize>,
    ciphers: Option<Box<(Encryptor, Decryptor)>>,
}

impl Line {
    pub(super) fn new(stream: TcpStream, version: ProtocolVersion, says: Direction) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            version,
            says,
            inbound: Vec::new(),
            start: 0,
            outbound: Vec::new(),
            sent: 0,
            threshold: None,
            ciphers: None,
        })
    }

    /// Compresses and inflates from here on.
    pub(super) const fn compress(&mut self, threshold: usize) {
        self.threshold = Some(threshold);
    }

    /// Encrypts and decrypts from here on; nothing may have come that isn't used up.
    pub(super) fn encrypt(&mut self, secret: &[u8; 16]) {
        self.ciphers = Some(Box::new((Encryptor::new(secret), Decryptor::new(secret))));
    }

    /// Bytes that wait to be sent.
    pub(super) const fn waiting(&self) -> usize {
        self.outbound.len() - self.sent
    }

    /// Says a packet, id and fields, as soon as the other side takes it.
    pub(super) fn say(&mut self, body: &[u8]) -> Result<(), Fault> {
        let before = self.outbound.len();
        match self.threshold {
            None => Encoder::new(&mut self.outbound).byte_array(body),
            Some(threshold) => BODY.with_borrow_mut(|framed| {
                framed.clear();
                if body.len() < threshold {
                    varint::write(0, framed);
                    framed.extend_from_slice(body);
                } else {
                    DEFLATE.with_borrow_mut(|deflate| deflate.compress(body, framed))?;
                }
                Encoder::new(&mut self.outbound).byte_array(framed);
                Ok::<_, StreamError>(())
            })?,
        }
        if let Some(ciphers) = &mut self.ciphers {
            ciphers.0.encrypt(&mut self.outbound[before..]);
        }
        Ok(())
    }

    /// Says a packet that has a type.
    pub(super) fn say_packet<P: Packet>(&mut self, packet: &P) -> Result<(), Fault> {
        self.say_kind(P::STATE, P::KIND, |version, out| packet.encode(version, out))
    }

    /// Says a packet by its kind.
    pub(super) fn say_kind(
        &mut self,
        state: State,
        kind: Kind,
        fields: impl FnOnce(ProtocolVersion, &mut Encoder<'_>),
    ) -> Result<(), Fault> {
        let version = self.version;
        // The handshake and Login Start are known of versions that nothing else is known of.
        let id = match kind {
            Kind::SetProtocol => Some(0),
            kind => ids::id(version, state, self.says, kind),
        };
        let id = id.ok_or(StreamError::Absent { version, kind })?;
        let mut body = Vec::with_capacity(64);
        varint::write(id, &mut body);
        fields(version, &mut Encoder::new(&mut body));
        self.say(&body)
    }

    /// Waits until bytes have come or gone; false: the other side has said its last. Whoever stops waiting has lost nothing.
    pub(super) async fn turn(&mut self) -> io::Result<bool> {
        let interest =
            if self.waiting() == 0 { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
        let ready = self.stream.ready(interest).await?;
        if ready.is_writable() {
            self.write_some()?;
        }
        if ready.is_readable() { self.read_some() } else { Ok(true) }
    }

    fn write_some(&mut self) -> io::Result<()> {
        while self.waiting() > 0 {
            match self.stream.try_write(&self.outbound[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.sent = 0;
        self.outbound.clear();
        // What small packets need is kept while they flow.
        if self.outbound.capacity() > 1024 {
            self.outbound = Vec::new();
        }
        Ok(())
    }

    fn read_some(&mut self) -> io::Result<bool> {
        READ_BUFFER.with_borrow_mut(|buffer| match self.stream.try_read(buffer) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.inbound.drain(..std::mem::take(&mut self.start));
                let bytes = &mut buffer[..count];
                if let Some(ciphers) = &mut self.ciphers {
                    ciphers.1.decrypt(bytes);
                }
                self.inbound.extend_from_slice(bytes);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        })
    }

    /// The next packet that has come whole.
    pub(super) fn next(&mut self) -> Result<Option<Heard>, Fault> {
        let Some(frame) = frame::split(&self.inbound[self.start..], MAX_FRAME).map_err(StreamError::from)?
        else {
            return Ok(None);
        };
        let frame = self.start + frame.start..self.start + frame.end;
        self.start = frame.end;
        let framed = &self.inbound[frame];
        let mut body = Vec::new();
        match self.threshold {
            None => body.extend_from_slice(framed),
            Some(threshold) => INFLATE
                .with_borrow_mut(|inflate| inflate.decompress(framed, threshold, MAX_UNCOMPRESSED, &mut body))
                .map_err(StreamError::from)?,
        }
        if self.start == self.inbound.len() {
            self.inbound = Vec::new();
            self.start = 0;
        }
        let packet = RawPacket::parse(&body).map_err(StreamError::from)?;
        let (id, fields) = (packet.id, body.len() - packet.fields.len());
        Ok(Some(Heard { id, body, fields }))
    }

    /// Sends what waits, says that this was all, and waits for the other side's close, so that the last words are read.
    pub(super) async fn close(mut self) {
        let rest = self.outbound.split_off(self.sent);
        let closing = async {
            self.stream.write_all(&rest).await?;
            self.stream.shutdown().await?;
            while self.read_some()? {
                self.inbound.clear();
                self.start = 0;
                self.stream.readable().await?;
            }
            Ok::<_, io::Error>(())
        };
        // Whoever hangs up first has heard what it wanted.
        let _ = timeout(GOODBYE, closing).await;
    }
}

/// What is wrong with a packet's fields.
pub(super) fn in_fields(state: State, kind: Kind) -> impl FnOnce(DecodeError) -> Fault {
    move |error| Fault::Fields { state, kind, error }
}
