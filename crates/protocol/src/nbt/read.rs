//! The reader: strict, and bounded in depth and memory.

use super::{MAX_DEPTH, Tag, kind, mutf8};

/// Why bytes are no NBT, or too much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NbtError {
    /// The bytes end inside a tag.
    #[error("NBT that ends too early")]
    Truncated,
    /// A type that there isn't, or "end" where a tag is needed.
    #[error("NBT of unknown type {0}")]
    Kind(u8),
    /// A length below zero, or of a list of nothing.
    #[error("NBT with an impossible length, {0}")]
    Length(i32),
    /// A string that is not modified UTF-8.
    #[error("NBT with a string that is not modified UTF-8")]
    Text,
    /// More than [`MAX_DEPTH`] lists and compounds inside each other.
    #[error("NBT nested more than {MAX_DEPTH} deep")]
    Depth,
    /// More memory than allowed.
    #[error("NBT larger than allowed")]
    Budget,
}

/// Reads a root tag from the front of `bytes` and says how many bytes it took. `budget` bounds the memory that the tag
/// takes, in bytes (a tag is some 32 bytes and what it holds).
///
/// # Errors
/// As [`NbtError`] lists them. Bytes behind the tag are none.
pub fn read(bytes: &[u8], budget: usize) -> Result<(Tag, usize), NbtError> {
    let mut reader = Reader { rest: bytes, budget };
    let kind = reader.byte()?;
    let tag = reader.tag(kind, 0)?;
    Ok((tag, bytes.len() - reader.rest.len()))
}

/// How many bytes a root tag takes at the front of `bytes`, without keeping any of it. Strings aren't looked into.
///
/// # Errors
/// As [`NbtError`] lists them.
pub fn skip(bytes: &[u8]) -> Result<usize, NbtError> {
    let mut reader = Reader { rest: bytes, budget: 0 };
    let kind = reader.byte()?;
    reader.skip(kind, 0)?;
    Ok(bytes.len() - reader.rest.len())
}

/// As [`skip`], of a root tag that has a name, as in the packets before 764.
///
/// # Errors
/// As [`NbtError`] lists them.
pub fn skip_named(bytes: &[u8]) -> Result<usize, NbtError> {
    let mut reader = Reader { rest: bytes, budget: 0 };
    let kind = reader.byte()?;
    reader.string_bytes()?;
    reader.skip(kind, 0)?;
    Ok(bytes.len() - reader.rest.len())
}

struct Reader<'a> {
    rest: &'a [u8],
    budget: usize,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], NbtError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(NbtError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NbtError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(NbtError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, NbtError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    fn length(&mut self) -> Result<usize, NbtError> {
        let length = i32::from_be_bytes(self.array()?);
        usize::try_from(length).map_err(|_| NbtError::Length(length))
    }

    /// The bytes of `count` elements of `size` bytes.
    fn elements(&mut self, size: usize) -> Result<&'a [u8], NbtError> {
        let size = self.length()?.checked_mul(size).ok_or(NbtError::Truncated)?;
        self.bytes(size)
    }

    fn string_bytes(&mut self) -> Result<&'a [u8], NbtError> {
        let length = u16::from_be_bytes(self.array()?);
        self.bytes(length.into())
    }

    /// The type and length of a list.
    fn list_head(&mut self) -> Result<(u8, usize), NbtError> {
        let kind = self.byte()?;
        let length = self.length()?;
        if kind == kind::END && length > 0 {
            return Err(NbtError::Length(i32::try_from(length).unwrap_or(i32::MAX)));
        }
        Ok((kind, length))
    }

    fn spend(&mut self, bytes: usize) -> Result<(), NbtError> {
        self.budget = self.budget.checked_sub(bytes).ok_or(NbtError::Budget)?;
        Ok(())
    }

    fn string(&mut self) -> Result<String, NbtError> {
        let bytes = self.string_bytes()?;
        self.spend(bytes.len())?;
        mutf8::read(bytes).ok_or(NbtError::Text)
    }

    fn tag(&mut self, kind: u8, depth: usize) -> Result<Tag, NbtError> {
        self.spend(size_of::<Tag>())?;
        Ok(match kind {
            kind::BYTE => Tag::Byte(i8::from_be_bytes(self.array()?)),
            kind::SHORT => Tag::Short(i16::from_be_bytes(self.array()?)),
            kind::INT => Tag::Int(i32::from_be_bytes(self.array()?)),
            kind::LONG => Tag::Long(i64::from_be_bytes(self.array()?)),
            kind::FLOAT => Tag::Float(f32::from_be_bytes(self.array()?)),
            kind::DOUBLE => Tag::Double(f64::from_be_bytes(self.array()?)),
            kind::BYTE_ARRAY => {
                let bytes = self.elements(1)?;
                self.spend(bytes.len())?;
                Tag::ByteArray(bytes.to_vec())
            }
            kind::STRING => Tag::String(self.string()?),
            kind::LIST => Tag::List(self.list(deeper(depth)?)?),
            kind::COMPOUND => Tag::Compound(self.compound(deeper(depth)?)?),
            kind::INT_ARRAY => {
                let bytes = self.elements(4)?;
                self.spend(bytes.len())?;
                Tag::IntArray(bytes.as_chunks().0.iter().map(|&bytes| i32::from_be_bytes(bytes)).collect())
            }
            kind::LONG_ARRAY => {
                let bytes = self.elements(8)?;
                self.spend(bytes.len())?;
                Tag::LongArray(bytes.as_chunks().0.iter().map(|&bytes| i64::from_be_bytes(bytes)).collect())
            }
            _ => return Err(NbtError::Kind(kind)),
        })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Tag>, NbtError> {
        let (kind, length) = self.list_head()?;
        // Nothing is allocated for the stated length: elements are paid for as they come.
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(self.tag(kind, depth)?);
        }
        Ok(items)
    }

    fn compound(&mut self, depth: usize) -> Result<Vec<(String, Tag)>, NbtError> {
        let mut fields = Vec::new();
        loop {
            let kind = self.byte()?;
            if kind == kind::END {
                return Ok(fields);
            }
            self.spend(size_of::<String>())?;
            let name = self.string()?;
            fields.push((name, self.tag(kind, depth)?));
        }
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Result<(), NbtError> {
        if let Some(size) = fixed_size(kind) {
            return self.bytes(size).map(drop);
        }
        match kind {
            kind::BYTE_ARRAY => self.elements(1).map(drop),
            kind::INT_ARRAY => self.elements(4).map(drop),
            kind::LONG_ARRAY => self.elements(8).map(drop),
            kind::STRING => self.string_bytes().map(drop),
            kind::LIST => self.skip_list(deeper(depth)?),
            kind::COMPOUND => self.skip_compound(deeper(depth)?),
            _ => Err(NbtError::Kind(kind)),
        }
    }

    fn skip_list(&mut self, depth: usize) -> Result<(), NbtError> {
        let (kind, length) = self.list_head()?;
        if let Some(size) = fixed_size(kind) {
            return self.bytes(length.checked_mul(size).ok_or(NbtError::Truncated)?).map(drop);
        }
        // Each element takes a byte at least, so this ends with the bytes.
        (0..length).try_for_each(|_| self.skip(kind, depth))
    }

    fn skip_compound(&mut self, depth: usize) -> Result<(), NbtError> {
        loop {
            match self.byte()? {
                kind::END => return Ok(()),
                kind => {
                    self.string_bytes()?;
                    self.skip(kind, depth)?;
                }
            }
        }
    }
}

fn deeper(depth: usize) -> Result<usize, NbtError> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(NbtError::Depth) }
}

/// The size of numbers, in bytes.
const fn fixed_size(kind: u8) -> Option<usize> {
    match kind {
        kind::BYTE => Some(1),
        kind::SHORT => Some(2),
        kind::INT | kind::FLOAT => Some(4),
        kind::LONG | kind::DOUBLE => Some(8),
        _ => None,
    }
}
