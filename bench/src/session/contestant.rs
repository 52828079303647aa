//! Who takes part: each is given the bytes of one connection as they are read, and has those of the other ready to be written.

use super::End;
use anyhow::Result;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::cipher::{Decryptor, Encryptor};
use drawbridge_protocol::compression::MAX_UNCOMPRESSED;
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{Kind, Table};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_protocol::varint;
use std::hint::black_box;

pub(super) const SECRET: [u8; 16] = *b"sixteen bytes 16";

/// Bytes that are read at once.
pub(super) const BUFFER: usize = 64 * 1024;

/// The level that whoever rebuilds frames compresses with: the edge's own, where it has to. Vanilla's is 6.
const LEVEL: u32 = 4;

/// What carries bytes.
pub(super) trait Contestant {
    /// Makes the connections anew.
    fn begin(&mut self);

    /// Carries all of these.
    fn pass(&mut self, reads: &[Vec<u8>]) -> Result<()>;
}

/// What the edge does: it looks at frames, and hands them on.
pub(super) struct Carrying {
    from: End,
    to: End,
    table: &'static Table,
    buffer: Vec<u8>,
    reader: FrameReader,
    writer: FrameWriter,
}

impl Carrying {
    pub(super) fn new(from: End, to: End, table: &'static Table) -> Self {
        let (reader, writer) = (reader(from), writer(to));
        Self { from, to, table, buffer: vec![0; BUFFER], reader, writer }
    }

    /// Everything that it writes.
    pub(super) fn written(&mut self, reads: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
        self.begin();
        let mut all = Vec::new();
        self.carry(reads, |bytes| all.push(bytes.to_vec()))?;
        Ok(all)
    }

    fn carry(&mut self, reads: &[Vec<u8>], mut send: impl FnMut(&[u8])) -> Result<()> {
        for read in reads {
            let bytes = &mut self.buffer[..read.len()];
            bytes.copy_from_slice(read);
            let mut frames = self.reader.frames(bytes);
            while let Some(frame) = frames.next_frame()? {
                // The choice that a session makes of every frame.
                match self.table.kind(frame.id()) {
                    Some(Kind::Disconnect | Kind::StartConfiguration) => black_box(()),
                    _ => self.writer.forward(&frame)?,
                }
            }
            drop(frames);
            let unsent = self.writer.unsent();
            let length = unsent.len();
            send(black_box(unsent));
            self.writer.sent(length);
        }
        Ok(())
    }
}

impl Contestant for Carrying {
    fn begin(&mut self) {
        (self.reader, self.writer) = (reader(self.from), writer(self.to));
    }

    fn pass(&mut self, reads: &[Vec<u8>]) -> Result<()> {
        self.carry(reads, |_| {})
    }
}

fn reader(end: End) -> FrameReader {
    let mut reader = FrameReader::new(MAX_FRAME).deciphering(end.encrypted.then(|| Decryptor::new(&SECRET)));
    reader.set_compression(end.threshold.is_some());
    reader
}

fn writer(end: End) -> FrameWriter {
    let mut writer = FrameWriter::new().enciphering(end.encrypted.then(|| Encryptor::new(&SECRET)));
    writer.set_compression(end.threshold);
    writer
}

/// A bridge that inflates each packet, reads its id, and makes a frame of it again.
pub(super) struct Rebuilding {
    from: End,
    to: End,
    inbound: Inbound,
    outbound: Outbound,
    packet: Vec<u8>,
    out: Vec<u8>,
}

impl Rebuilding {
    pub(super) fn new(from: End, to: End) -> Self {
        let (inbound, outbound) = (inbound(from), outbound(to));
        Self { from, to, inbound, outbound, packet: Vec::new(), out: Vec::new() }
    }

    /// Everything that it writes.
    pub(super) fn written(&mut self, reads: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
        self.begin();
        let mut all = Vec::new();
        self.rebuild(reads, |bytes| all.push(bytes.to_vec()))?;
        Ok(all)
    }

    fn rebuild(&mut self, reads: &[Vec<u8>], mut send: impl FnMut(&[u8])) -> Result<()> {
        for read in reads {
            self.inbound.feed(read);
            self.out.clear();
            while let Some(packet) = self.inbound.next_packet()? {
                self.packet.clear();
                varint::write(black_box(packet.id), &mut self.packet);
                self.packet.extend_from_slice(packet.fields);
                self.outbound.write_body(&self.packet, &mut self.out)?;
            }
            send(black_box(&self.out));
        }
        Ok(())
    }
}

impl Contestant for Rebuilding {
    fn begin(&mut self) {
        (self.inbound, self.outbound) = (inbound(self.from), outbound(self.to));
    }

    fn pass(&mut self, reads: &[Vec<u8>]) -> Result<()> {
        self.rebuild(reads, |_| {})
    }
}

pub(super) fn inbound(end: End) -> Inbound {
    let mut inbound = Inbound::new(MAX_UNCOMPRESSED);
    if end.encrypted {
        inbound.decrypt(&SECRET);
    }
    if let Some(threshold) = end.threshold {
        inbound.decompress(threshold);
    }
    inbound
}

fn outbound(end: End) -> Outbound {
    let mut outbound = Outbound::new();
    if end.encrypted {
        outbound.encrypt(&SECRET);
    }
    if let Some(threshold) = end.threshold {
        outbound.compress(threshold, LEVEL);
    }
    outbound
}

/// The ciphers of both ends and nothing else, over the bytes that are read and those that are written.
pub(super) struct Ciphering {
    decryptor: Option<Decryptor>,
    encryptor: Option<Encryptor>,
    from: End,
    to: End,
    written: Vec<Vec<u8>>,
    buffer: Vec<u8>,
}

impl Ciphering {
    pub(super) fn new(from: End, to: End, written: Vec<Vec<u8>>) -> Self {
        let buffer = vec![0; BUFFER.max(written.iter().map(Vec::len).max().unwrap_or_default())];
        Self { decryptor: None, encryptor: None, from, to, written, buffer }
    }
}

impl Contestant for Ciphering {
    fn begin(&mut self) {
        self.decryptor = self.from.encrypted.then(|| Decryptor::new(&SECRET));
        self.encryptor = self.to.encrypted.then(|| Encryptor::new(&SECRET));
    }

    fn pass(&mut self, reads: &[Vec<u8>]) -> Result<()> {
        for (read, written) in reads.iter().zip(&self.written) {
            if let Some(decryptor) = &mut self.decryptor {
                let bytes = &mut self.buffer[..read.len()];
                bytes.copy_from_slice(read);
                decryptor.decrypt(black_box(bytes));
            }
            if let Some(encryptor) = &mut self.encryptor {
                let bytes = &mut self.buffer[..written.len()];
                bytes.copy_from_slice(written);
                encryptor.encrypt(black_box(bytes));
            }
        }
        Ok(())
    }
}

/// Copies what is read to where it is written from.
#[derive(Default)]
pub(super) struct Copying {
    buffer: Vec<u8>,
    out: Vec<u8>,
}

impl Contestant for Copying {
    fn begin(&mut self) {
        self.buffer.resize(BUFFER, 0);
    }

    fn pass(&mut self, reads: &[Vec<u8>]) -> Result<()> {
        for read in reads {
            let bytes = &mut self.buffer[..read.len()];
            bytes.copy_from_slice(read);
            self.out.clear();
            self.out.extend_from_slice(black_box(bytes));
            black_box(&self.out);
        }
        Ok(())
    }
}
