//! Texts as NBT, without a tree in between.

use super::{kind, mutf8, write_length};
use crate::text::Sink;

/// Appends NBT to a buffer.
pub(crate) struct NbtSink<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> NbtSink<'a> {
    pub(crate) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    fn head(&mut self, kind: u8, key: &str) {
        self.out.push(kind);
        mutf8::write(key, self.out);
    }
}

impl Sink for NbtSink<'_> {
    fn root(&mut self) {
        self.out.push(kind::COMPOUND);
    }

    fn text(&mut self, key: &str, value: &str) {
        self.head(kind::STRING, key);
        mutf8::write(value, self.out);
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.head(kind::BYTE, key);
        self.out.push(value.into());
    }

    fn number(&mut self, key: &str, value: i32) {
        self.head(kind::INT, key);
        self.out.extend(value.to_be_bytes());
    }

    fn object(&mut self, key: &str) {
        self.head(kind::COMPOUND, key);
    }

    fn list(&mut self, key: &str, length: usize) {
        self.head(kind::LIST, key);
        self.out.push(kind::COMPOUND);
        write_length(length, self.out);
    }

    /// A compound in a list has neither type nor name.
    fn item(&mut self) {}

    fn close(&mut self) {
        self.out.push(kind::END);
    }

    /// A list ends by its length.
    fn close_list(&mut self) {}
}
