//! What stands behind a half-typed word: the client's request and the answer.

use super::say;
use crate::ids::Kind;
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};

/// The most characters that are typed at once.
const TYPED: usize = 32_767;

/// A request for what could stand next (`tab_complete`, from the client).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletionRequest<'a> {
    /// Names the request, since 393. Before, the answer belongs to the one request that is open.
    pub id: Option<i32>,
    /// What stands left of the cursor, with its `/`.
    pub text: &'a str,
    /// Whether it counts as a command even without a `/`, as in a command block (107–340).
    pub assumes_command: bool,
    /// The block that the player looks at (47–340), packed as positions are.
    pub block: Option<i64>,
}

/// Since 393 requests are named, and commands are told by the tree of [`super::extend_commands`].
fn has_ids(version: ProtocolVersion) -> bool {
    version >= ProtocolVersion::V1_13
}

impl<'a> CompletionRequest<'a> {
    /// Reads it from its fields.
    ///
    /// # Errors
    /// When they aren't what the version prescribes.
    pub fn read(version: ProtocolVersion, fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Decoder::new(fields);
        let id = if has_ids(version) { Some(fields.varint("id")?) } else { None };
        let text = fields.string("text", TYPED)?;
        let mut request = Self { id, text, assumes_command: false, block: None };
        if !has_ids(version) && version >= ProtocolVersion::V1_8 {
            request.assumes_command =
                version >= ProtocolVersion::V1_9 && fields.bool("command is assumed")?;
            request.block = fields.option("block", |fields| fields.i64("block"))?;
        }
        fields.finish()?;
        Ok(request)
    }
}

/// The answer (`tab_complete`, to the client).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion<'a> {
    /// The request's; since 393.
    pub id: i32,
    /// Where what is replaced begins, in UTF-16 units of the request's text; since 393. Before, the last word is replaced, and
    /// the first with its `/`.
    pub start: i32,
    /// How many of these units are replaced; since 393.
    pub length: i32,
    /// What could stand there.
    pub matches: &'a [&'a str],
}

impl Completion<'_> {
    /// Appends the packet, and says whether the version has it.
    #[must_use]
    pub fn write(&self, version: ProtocolVersion, out: &mut Vec<u8>) -> bool {
        let Some(mut out) = say(version, Kind::TabComplete, out) else { return false };
        if has_ids(version) {
            out.varint(self.id);
            out.varint(self.start);
            out.varint(self.length);
        }
        out.length(self.matches.len());
        write_matches(version, self.matches, &mut out);
        true
    }
}

/// Appends another server's answer with more matches behind its own, and says whether the version has it.
///
/// # Errors
/// When `fields`, the server's answer, isn't one as far as it is read: up to the number of matches.
pub fn extend_completion(
    version: ProtocolVersion,
    fields: &[u8],
    more: &[&str],
    out: &mut Vec<u8>,
) -> Result<bool, DecodeError> {
    let mut rest = Decoder::new(fields);
    if has_ids(version) {
        for field in ["id", "start", "length"] {
            rest.varint(field)?;
        }
    }
    let head = &fields[..fields.len() - rest.rest().len()];
    let bound = rest.rest().len();
    let count = rest.length("matches", bound)?;
    let Some(mut out) = say(version, Kind::TabComplete, out) else { return Ok(false) };
    out.bytes(head);
    out.length(count + more.len());
    out.bytes(rest.rest());
    write_matches(version, more, &mut out);
    Ok(true)
}

fn write_matches(version: ProtocolVersion, matches: &[&str], out: &mut Encoder<'_>) {
    for text in matches {
        out.string(text);
        if has_ids(version) {
            out.bool(false); // without a tooltip
        }
    }
}
