//! Which form of text a version wants.

use crate::version::ProtocolVersion;

/// The forms that JSON and NBT texts have had. A text, and so a status, need be written once per form, not per version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextFormat {
    /// Before 735: only the sixteen named colours; `clickEvent`, and `hoverEvent` with a `value`.
    Named,
    /// 735–769: any colour; `hoverEvent` with `contents`.
    Hex,
    /// Since 770: `click_event` with a field for each action, and `hover_event` with a `value`.
    SnakeCase,
}

impl TextFormat {
    /// All of them, oldest first; `format as usize` is the index.
    pub const ALL: [Self; 3] = [Self::Named, Self::Hex, Self::SnakeCase];

    /// The one that a version wants. Unknown numbers count as the releases around them, snapshots as the newest.
    #[must_use]
    pub const fn of(version: ProtocolVersion) -> Self {
        if version.has_snake_case_events() {
            Self::SnakeCase
        } else if version.has_hex_colors() {
            Self::Hex
        } else {
            Self::Named
        }
    }
}

impl From<ProtocolVersion> for TextFormat {
    fn from(version: ProtocolVersion) -> Self {
        Self::of(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_begin_with_their_versions() {
        let forms = [-1, 47, 578, 735, 769, 770, 777, 0x4000_0001];
        let forms = forms.map(|number| TextFormat::of(ProtocolVersion(number)) as usize);
        assert_eq!(forms, [0, 0, 0, 1, 1, 2, 2, 2]);
        assert!(TextFormat::ALL.iter().enumerate().all(|(index, &form)| form as usize == index));
    }
}
