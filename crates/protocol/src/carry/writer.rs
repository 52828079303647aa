//! The half of a connection that frames go to.

use super::reader::{Body, Frame};
use super::spare;
use crate::cipher::Encryptor;
use crate::compression;
use crate::frame::{FrameError, MAX_FRAME};
use crate::packet::Packet;
use crate::stream::StreamError;
use crate::varint;
use crate::version::ProtocolVersion;
use crate::wire::Encoder;

/// How many bytes that are sent are kept beside those that aren't, where these aren't more: a receiver that always leaves some unread would have all be kept.
const MOST_SENT: usize = 64 * 1024;

/// Frames on their way to become bytes, gathered until they are sent.
#[derive(Debug, Default)]
pub struct FrameWriter {
    cipher: Option<Encryptor>,
    /// From how many bytes on packets are compressed, where they are.
    threshold: Option<usize>,
    out: Vec<u8>,
    /// How many of these bytes are enciphered.
    sealed: usize,
    /// How many of these are sent.
    sent: usize,
}

impl FrameWriter {
    /// In plain sight and uncompressed at first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that is written from here on is encrypted.
    #[must_use]
    pub fn enciphering(self, cipher: Option<Encryptor>) -> Self {
        Self { cipher, ..self }
    }

    /// Packets of so many bytes and more are compressed from here on; none where there is no threshold.
    pub const fn set_compression(&mut self, threshold: Option<usize>) {
        self.threshold = threshold;
    }

    /// Appends a frame that another connection brought.
    ///
    /// # Errors
    /// When it has to be inflated and isn't what it says, or becomes longer than frames can be. Nothing is appended then.
    pub fn forward(&mut self, frame: &Frame<'_>) -> Result<(), StreamError> {
        let as_it_came = match (frame.body, self.threshold) {
            (Body::Bare(_), threshold) => threshold.is_none(),
            (Body::Plain(_), threshold) => threshold.is_some(),
            (Body::Deflated { length, .. }, threshold) => threshold.is_some_and(|least| length >= least),
        };
        if as_it_came {
            self.append(frame.bytes);
            return Ok(());
        }
        match frame.body {
            Body::Bare(packet) => self.body(packet),
            Body::Plain(packet) => self.plain(packet),
            Body::Deflated { length, stream } => {
                let mut packet = spare::take();
                let inflated = compression::inflate(stream, length, &mut packet).map_err(StreamError::from);
                let written = inflated.and_then(|()| self.plain(&packet));
                spare::give_back(packet);
                written
            }
        }
    }

    /// Appends a packet of one's own.
    ///
    /// # Errors
    /// When the version doesn't have it, or it is too long.
    pub fn packet<P: Packet>(&mut self, version: ProtocolVersion, packet: &P) -> Result<(), StreamError> {
        let id = P::id(version).ok_or(StreamError::Absent { version, kind: P::KIND })?;
        let mut body = spare::take();
        varint::write(id, &mut body);
        packet.encode(version, &mut Encoder::new(&mut body));
        let written = self.body(&body);
        spare::give_back(body);
        written
    }

    /// Appends a packet, given as its id and fields.
    ///
    /// # Errors
    /// When it is too long.
    pub fn body(&mut self, packet: &[u8]) -> Result<(), StreamError> {
        match self.threshold {
            Some(threshold) if packet.len() >= threshold => self.deflate(packet),
            _ => self.plain(packet),
        }
    }

    /// The bytes that aren't sent yet, ready for the socket.
    pub fn unsent(&mut self) -> &[u8] {
        if let Some(cipher) = &mut self.cipher {
            cipher.encrypt(&mut self.out[self.sealed..]);
        }
        self.sealed = self.out.len();
        &self.out[self.sent..]
    }

    /// How many bytes aren't sent yet.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Whether all is sent.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// So many bytes more have been sent.
    pub fn sent(&mut self, count: usize) {
        self.sent = self.out.len().min(self.sent.saturating_add(count));
        if self.sent == self.out.len() {
            spare::give_back(std::mem::take(&mut self.out));
            (self.sealed, self.sent) = (0, 0);
        } else if self.sent >= MOST_SENT && self.sent >= self.out.len() / 2 {
            self.out.drain(..self.sent);
            (self.sealed, self.sent) = (self.sealed.saturating_sub(self.sent), 0);
            spare::fit(&mut self.out);
        }
    }

    /// How many bytes it takes to hold what isn't sent.
    #[cfg(test)]
    pub(super) const fn room(&self) -> usize {
        self.out.capacity()
    }

    /// Throws away what isn't sent: the receiver is gone.
    pub fn discard(&mut self) {
        self.sent(usize::MAX);
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.out.capacity() == 0 {
            self.out = spare::take();
        }
        self.out.extend_from_slice(bytes);
    }

    /// Uncompressed, in the form that the receiver reads.
    fn plain(&mut self, packet: &[u8]) -> Result<(), StreamError> {
        let zero = usize::from(self.threshold.is_some());
        self.head(packet.len() + zero)?;
        if zero > 0 {
            self.out.push(0);
        }
        self.append(packet);
        Ok(())
    }

    fn deflate(&mut self, packet: &[u8]) -> Result<(), StreamError> {
        let mut body = spare::take();
        let written = compression::deflate(packet, &mut body).map_err(StreamError::from);
        let written = written.and_then(|()| self.head(body.len()));
        if written.is_ok() {
            self.append(&body);
        }
        spare::give_back(body);
        written
    }

    /// A frame of so many bytes begins.
    fn head(&mut self, length: usize) -> Result<(), StreamError> {
        if length > MAX_FRAME {
            return Err(FrameError::TooLong { length, bound: MAX_FRAME }.into());
        }
        self.append(&[]);
        varint::write(length as i32, &mut self.out);
        Ok(())
    }
}
