//! NBT as it goes over the network since 764: the root has a type and no name (Minecraft wiki, "NBT format"). What
//! texts need to be written and read, and no more; older NBT, whose root has a name, can be stepped over.
//!
//! What must stay true: the reader takes any bytes without panicking, nests at most [`MAX_DEPTH`] deep, keeps memory in
//! proportion to its budget, never to a claim, and what the writer wrote it reads back as the same.

mod mutf8;
mod read;
mod sink;

pub(crate) use sink::NbtSink;

pub use read::{NbtError, read, skip, skip_named};

/// How many lists and compounds may stand inside each other; vanilla's bound.
pub const MAX_DEPTH: usize = 512;

/// The longest string, in bytes of modified UTF-8.
pub const MAX_STRING: usize = 65_535;

/// A piece of NBT.
#[derive(Debug, Clone, PartialEq)]
pub enum Tag {
    /// Also a boolean.
    Byte(i8),
    /// Two bytes.
    Short(i16),
    /// Four bytes.
    Int(i32),
    /// Eight bytes.
    Long(i64),
    /// Single precision.
    Float(f32),
    /// Double precision.
    Double(f64),
    /// Bytes, whatever their sign.
    ByteArray(Vec<u8>),
    /// Cut to [`MAX_STRING`] bytes when written.
    String(String),
    /// Of one type on the wire; if not, all that aren't compounds are written as `{"": value}`, as vanilla does.
    List(Vec<Tag>),
    /// In the order of the wire. Of two fields with one name the later counts.
    Compound(Vec<(String, Tag)>),
    /// Four bytes each.
    IntArray(Vec<i32>),
    /// Eight bytes each.
    LongArray(Vec<i64>),
}

/// The types as they are numbered on the wire.
mod kind {
    pub(super) const END: u8 = 0;
    pub(super) const BYTE: u8 = 1;
    pub(super) const SHORT: u8 = 2;
    pub(super) const INT: u8 = 3;
    pub(super) const LONG: u8 = 4;
    pub(super) const FLOAT: u8 = 5;
    pub(super) const DOUBLE: u8 = 6;
    pub(super) const BYTE_ARRAY: u8 = 7;
    pub(super) const STRING: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const COMPOUND: u8 = 10;
    pub(super) const INT_ARRAY: u8 = 11;
    pub(super) const LONG_ARRAY: u8 = 12;
}

impl Tag {
    /// Appends the tag as a root: its type, no name, and its content.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.kind());
        self.write_content(out);
    }

    /// A compound's field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tag> {
        let Self::Compound(fields) = self else { return None };
        fields.iter().rev().find(|(field, _)| field == name).map(|(_, tag)| tag)
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Byte(_) => kind::BYTE,
            Self::Short(_) => kind::SHORT,
            Self::Int(_) => kind::INT,
            Self::Long(_) => kind::LONG,
            Self::Float(_) => kind::FLOAT,
            Self::Double(_) => kind::DOUBLE,
            Self::ByteArray(_) => kind::BYTE_ARRAY,
            Self::String(_) => kind::STRING,
            Self::List(_) => kind::LIST,
            Self::Compound(_) => kind::COMPOUND,
            Self::IntArray(_) => kind::INT_ARRAY,
            Self::LongArray(_) => kind::LONG_ARRAY,
        }
    }

    fn write_content(&self, out: &mut Vec<u8>) {
        match self {
            Self::Byte(value) => out.extend(value.to_be_bytes()),
            Self::Short(value) => out.extend(value.to_be_bytes()),
            Self::Int(value) => out.extend(value.to_be_bytes()),
            Self::Long(value) => out.extend(value.to_be_bytes()),
            Self::Float(value) => out.extend(value.to_be_bytes()),
            Self::Double(value) => out.extend(value.to_be_bytes()),
            Self::ByteArray(values) => {
                write_length(values.len(), out);
                out.extend_from_slice(values);
            }
            Self::String(text) => mutf8::write(text, out),
            Self::List(items) => write_list(items, out),
            Self::Compound(fields) => {
                for (name, tag) in fields {
                    out.push(tag.kind());
                    mutf8::write(name, out);
                    tag.write_content(out);
                }
                out.push(kind::END);
            }
            Self::IntArray(values) => {
                write_length(values.len(), out);
                out.extend(values.iter().flat_map(|value| value.to_be_bytes()));
            }
            Self::LongArray(values) => {
                write_length(values.len(), out);
                out.extend(values.iter().flat_map(|value| value.to_be_bytes()));
            }
        }
    }
}

/// Nothing that is written is longer than 2³¹ − 1; what were would not fit into a frame.
fn write_length(length: usize, out: &mut Vec<u8>) {
    out.extend(i32::try_from(length).unwrap_or(i32::MAX).to_be_bytes());
}

fn write_list(items: &[Tag], out: &mut Vec<u8>) {
    let first = items.first().map_or(kind::END, Tag::kind);
    let mixed = items.iter().any(|item| item.kind() != first);
    out.push(if mixed { kind::COMPOUND } else { first });
    write_length(items.len(), out);
    for item in items {
        if mixed && item.kind() != kind::COMPOUND {
            out.push(item.kind());
            mutf8::write("", out);
            item.write_content(out);
            out.push(kind::END);
        } else {
            item.write_content(out);
        }
    }
}

#[cfg(test)]
mod tests;
