//! What a client before 1.7 can be told: a kick, which also is the answer to a ping.

use super::LegacyPing;
use crate::text::Component;

/// The first byte of a kick (packet FF, "Disconnect/Kick").
const KICK: u8 = 0xff;

/// The longest text of a kick in UTF-16 units; a client that gets more shows an error of its own.
const MAX_KICK: usize = 256;

/// What a legacy ping asks for.
#[derive(Debug, Clone)]
pub struct LegacyStatus<'a> {
    /// A protocol number of the numbering before 1.7. A client with another one shows `version` in red; 127 is
    /// nobody's, and what vanilla says.
    pub protocol: i32,
    /// The version in words.
    pub version: &'a str,
    /// The description. Shown in one line.
    pub description: &'a Component,
    /// How many players are online.
    pub online: u32,
    /// For how many there is room.
    pub max: u32,
}

/// A kick with a text, in which `§` codes are understood. What is beyond 256 UTF-16 units is cut.
#[must_use]
pub fn kick(text: &str) -> Vec<u8> {
    let text = cut(text, MAX_KICK);
    let units = text.encode_utf16().count() as u16;
    let mut out = Vec::with_capacity(3 + 2 * usize::from(units));
    out.push(KICK);
    out.extend(units.to_be_bytes());
    out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    out
}

/// The answer to a ping: `§1`, protocol, version, description, players online and the most there may be, each ending where
/// a NUL stands; for the oldest, description, players online and the most, between `§`. A description that is too long is cut.
#[must_use]
pub fn ping_answer(ping: &LegacyPing, status: &LegacyStatus<'_>) -> Vec<u8> {
    let LegacyStatus { protocol, version, description, online, max } = status;
    let (before, description, after) = match ping {
        // The sign separates the fields, so there can be none in the description.
        LegacyPing::Beta => {
            (String::new(), description.to_plain().replace('§', ""), format!("§{online}§{max}"))
        }
        LegacyPing::V1_4 | LegacyPing::V1_6 { .. } => {
            let version = one_line(cut(version, MAX_KICK / 4));
            (format!("§1\0{protocol}\0{version}\0"), description.to_legacy(), format!("\0{online}\0{max}"))
        }
    };
    let taken = before.encode_utf16().count() + after.encode_utf16().count();
    let description = one_line(&description);
    let description = cut(&description, MAX_KICK.saturating_sub(taken));
    // A sign without its code would take the NUL behind it for one.
    let description = description.strip_suffix('§').unwrap_or(description);
    kick(&format!("{before}{description}{after}"))
}

/// Without control characters, of which NUL separates the fields; a line break becomes a space.
fn one_line(text: &str) -> String {
    let characters = text.chars().filter_map(|character| match character {
        '\n' => Some(' '),
        character => (!character.is_control()).then_some(character),
    });
    characters.collect()
}

/// The start of a text that has at most `units` UTF-16 units, cut between two characters.
fn cut(text: &str, units: usize) -> &str {
    let mut left = units;
    let end = text.char_indices().find_map(|(at, character)| match left.checked_sub(character.len_utf16()) {
        Some(rest) => {
            left = rest;
            None
        }
        None => Some(at),
    });
    end.map_or(text, |end| &text[..end])
}
