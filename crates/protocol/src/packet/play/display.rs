//! What the edge shows a player: messages, titles, boss bars, the head and foot of the player list.

use super::{say, write_text};
use crate::ids::Kind;
use crate::text::Component;
use crate::version::ProtocolVersion;
use uuid::Uuid;

/// Where a message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Among the chat, as a message of the server.
    Chat,
    /// Over the hotbar, for some seconds; since 47.
    ActionBar,
}

/// Appends a message to the player (`chat` to 758, `system_chat` since 759; over the hotbar also `title` and `action_bar`),
/// and says whether the version has it.
///
/// Before 315 what stands over the hotbar shows `§` codes alone, and no translations.
#[must_use]
pub fn message(version: ProtocolVersion, text: &Component, surface: Surface, out: &mut Vec<u8>) -> bool {
    if version >= ProtocolVersion::V1_19 {
        return system_chat(version, text, surface, out);
    }
    match surface {
        Surface::Chat => chat(version, text, 1, out),
        Surface::ActionBar if version < ProtocolVersion::V1_8 => false,
        Surface::ActionBar if version < ProtocolVersion::V1_11 => {
            chat(version, &Component::text(text.to_legacy()), 2, out)
        }
        Surface::ActionBar if version < ProtocolVersion::V1_17 => {
            with_text(version, Kind::Title, Some(2), text, out)
        }
        Surface::ActionBar => with_text(version, Kind::ActionBar, None, text, out),
    }
}

/// The position is 1 for messages of the system, which are shown also where a player hides the chat, and 2 over the hotbar.
fn chat(version: ProtocolVersion, text: &Component, position: u8, out: &mut Vec<u8>) -> bool {
    let Some(mut out) = say(version, Kind::Chat, out) else { return false };
    write_text(text, version, &mut out);
    if version >= ProtocolVersion::V1_8 {
        out.u8(position);
    }
    if version >= ProtocolVersion::V1_16 {
        out.uuid(Uuid::nil());
    }
    true
}

fn system_chat(version: ProtocolVersion, text: &Component, surface: Surface, out: &mut Vec<u8>) -> bool {
    let Some(mut out) = say(version, Kind::SystemChat, out) else { return false };
    write_text(text, version, &mut out);
    match (version, surface) {
        // Entries of vanilla's registry of chat types: `system` and `game_info`.
        (ProtocolVersion::V1_19, Surface::Chat) => out.varint(1),
        (ProtocolVersion::V1_19, Surface::ActionBar) => out.varint(2),
        (_, surface) => out.bool(surface == Surface::ActionBar),
    }
    true
}

/// A packet that is a text, behind the number of an action where it has one.
fn with_text(
    version: ProtocolVersion,
    kind: Kind,
    action: Option<i32>,
    text: &Component,
    out: &mut Vec<u8>,
) -> bool {
    let Some(mut out) = say(version, kind, out) else { return false };
    if let Some(action) = action {
        out.varint(action);
    }
    write_text(text, version, &mut out);
    true
}

/// What can be said about a title. A client shows it once it gets the text; the rest is best said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TitlePart<'a> {
    /// The large line; shows the title.
    Text(&'a Component),
    /// The line below, shown from the next large one on.
    Subtitle(&'a Component),
    /// How long, in ticks of 50 ms.
    Times {
        /// Until it is wholly there.
        fade_in: i32,
        /// While it is.
        stay: i32,
        /// Until it is gone.
        fade_out: i32,
    },
    /// It goes at once.
    Hide,
    /// It goes, and times and subtitle are forgotten.
    Reset,
}

/// Appends a part of a title (`title` to 754, a packet for each part since), and says whether the version has it: 47 is
/// the first.
#[must_use]
pub fn title(version: ProtocolVersion, part: TitlePart<'_>, out: &mut Vec<u8>) -> bool {
    // The action that shows a message over the hotbar moved those behind it.
    let moved = i32::from(version >= ProtocolVersion::V1_11);
    let (kind, action) = match part {
        TitlePart::Text(_) => (Kind::SetTitleText, 0),
        TitlePart::Subtitle(_) => (Kind::SetTitleSubtitle, 1),
        TitlePart::Times { .. } => (Kind::SetTitleTime, 2 + moved),
        TitlePart::Hide => (Kind::ClearTitles, 3 + moved),
        TitlePart::Reset => (Kind::ClearTitles, 4 + moved),
    };
    let (kind, action) =
        if version < ProtocolVersion::V1_17 { (Kind::Title, Some(action)) } else { (kind, None) };
    let Some(mut out) = say(version, kind, out) else { return false };
    if let Some(action) = action {
        out.varint(action);
    }
    match part {
        TitlePart::Text(text) | TitlePart::Subtitle(text) => write_text(text, version, &mut out),
        TitlePart::Times { fade_in, stay, fade_out } => {
            out.i32(fade_in);
            out.i32(stay);
            out.i32(fade_out);
        }
        TitlePart::Hide | TitlePart::Reset if action.is_some() => {}
        TitlePart::Hide => out.bool(false),
        TitlePart::Reset => out.bool(true),
    }
    true
}

/// The colour of a boss bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are colours")]
pub enum BarColor {
    Pink,
    Blue,
    Red,
    Green,
    Yellow,
    Purple,
    White,
}

/// How a boss bar is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarDivision {
    /// Not at all.
    None,
    /// By 6 notches.
    Six,
    /// By 10.
    Ten,
    /// By 12.
    Twelve,
    /// By 20.
    Twenty,
}

/// A bar at the top of the screen (`boss_bar`), since 107.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BossBar<'a> {
    /// Names it; one that is there is replaced.
    pub id: Uuid,
    /// What stands over it.
    pub title: &'a Component,
    /// How full it is, from 0 to 1.
    pub health: f32,
    /// Its colour.
    pub color: BarColor,
    /// Its notches.
    pub division: BarDivision,
}

impl BossBar<'_> {
    /// Appends the packet that adds it, and says whether the version has it.
    #[must_use]
    pub fn add(&self, version: ProtocolVersion, out: &mut Vec<u8>) -> bool {
        let Some(mut out) = say(version, Kind::BossBar, out) else { return false };
        out.uuid(self.id);
        out.varint(0);
        write_text(self.title, version, &mut out);
        out.bytes(&self.health.to_be_bytes());
        out.varint(self.color as i32);
        out.varint(self.division as i32);
        out.u8(0); // neither darkens the sky, nor plays music, nor makes fog
        true
    }
}

/// Appends the packet that removes a boss bar (`boss_bar`), and says whether the version has it.
#[must_use]
pub fn remove_boss_bar(version: ProtocolVersion, id: Uuid, out: &mut Vec<u8>) -> bool {
    let Some(mut out) = say(version, Kind::BossBar, out) else { return false };
    out.uuid(id);
    out.varint(1);
    true
}

/// Appends what stands over and under the list of players (`playerlist_header`), and says whether the version has it: 47 is
/// the first. Empty texts take it away.
#[must_use]
pub fn list_header(
    version: ProtocolVersion,
    header: &Component,
    footer: &Component,
    out: &mut Vec<u8>,
) -> bool {
    let Some(mut out) = say(version, Kind::PlayerlistHeader, out) else { return false };
    write_text(header, version, &mut out);
    write_text(footer, version, &mut out);
    true
}
