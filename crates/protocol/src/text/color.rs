//! Colours: the sixteen with names that every version knows, and all others since 735.

use std::fmt;

/// The colour of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Color {
    /// One of the sixteen.
    Named(NamedColor),
    /// Red, green and blue. Before 735 the nearest of the sixteen is shown.
    Rgb([u8; 3]),
}

/// The sixteen colours of the `§` codes, in the order of their codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are their names")]
pub enum NamedColor {
    Black,
    DarkBlue,
    DarkGreen,
    DarkAqua,
    DarkRed,
    DarkPurple,
    Gold,
    Gray,
    DarkGray,
    Blue,
    Green,
    Aqua,
    Red,
    LightPurple,
    Yellow,
    White,
}

impl NamedColor {
    /// All of them, by their codes `0` to `f`.
    pub const ALL: [Self; 16] = [
        Self::Black,
        Self::DarkBlue,
        Self::DarkGreen,
        Self::DarkAqua,
        Self::DarkRed,
        Self::DarkPurple,
        Self::Gold,
        Self::Gray,
        Self::DarkGray,
        Self::Blue,
        Self::Green,
        Self::Aqua,
        Self::Red,
        Self::LightPurple,
        Self::Yellow,
        Self::White,
    ];

    /// The name in JSON, NBT and MiniMessage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::DarkBlue => "dark_blue",
            Self::DarkGreen => "dark_green",
            Self::DarkAqua => "dark_aqua",
            Self::DarkRed => "dark_red",
            Self::DarkPurple => "dark_purple",
            Self::Gold => "gold",
            Self::Gray => "gray",
            Self::DarkGray => "dark_gray",
            Self::Blue => "blue",
            Self::Green => "green",
            Self::Aqua => "aqua",
            Self::Red => "red",
            Self::LightPurple => "light_purple",
            Self::Yellow => "yellow",
            Self::White => "white",
        }
    }

    /// The character behind `§` that stands for it.
    #[must_use]
    pub const fn code(self) -> char {
        b"0123456789abcdef"[self as usize] as char
    }

    /// Red, green and blue: two thirds for each that the code's low bits name, one third more with the fourth; gold is the exception.
    #[must_use]
    pub const fn rgb(self) -> [u8; 3] {
        let code = self as u8;
        let light = if code & 8 == 0 { 0x00 } else { 0x55 };
        match self {
            Self::Gold => [0xff, 0xaa, 0x00],
            _ => [light + 0xaa * (code >> 2 & 1), light + 0xaa * (code >> 1 & 1), light + 0xaa * (code & 1)],
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|color| color.name() == name)
    }

    pub(super) fn from_code(code: char) -> Option<Self> {
        let index = code.to_digit(16)?;
        Self::ALL.get(usize::try_from(index).ok()?).copied()
    }
}

impl Color {
    /// A colour by its name, or as `#rrggbb`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some(digits) = text.strip_prefix('#') else {
            return NamedColor::from_name(text).map(Self::Named);
        };
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self::Rgb([red, green, blue]))
    }

    /// Red, green and blue.
    #[must_use]
    pub const fn rgb(self) -> [u8; 3] {
        match self {
            Self::Named(named) => named.rgb(),
            Self::Rgb(rgb) => rgb,
        }
    }

    /// The one of the sixteen that is most like it.
    #[must_use]
    pub fn nearest(self) -> NamedColor {
        let rgb = match self {
            Self::Named(named) => return named,
            Self::Rgb(rgb) => rgb,
        };
        let distance = |named: &NamedColor| -> u32 {
            let parts = named.rgb().into_iter().zip(rgb);
            parts.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
        };
        NamedColor::ALL.into_iter().min_by_key(distance).unwrap_or(NamedColor::White)
    }
}

impl From<NamedColor> for Color {
    fn from(named: NamedColor) -> Self {
        Self::Named(named)
    }
}

/// The name, or `#rrggbb`.
impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(named) => f.write_str(named.name()),
            Self::Rgb([red, green, blue]) => write!(f, "#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the Minecraft wiki's "Formatting codes".
    #[test]
    fn named_colors_have_their_codes_and_values() {
        for (code, name, rgb) in [
            ('0', "black", [0x00, 0x00, 0x00]),
            ('1', "dark_blue", [0x00, 0x00, 0xaa]),
            ('6', "gold", [0xff, 0xaa, 0x00]),
            ('7', "gray", [0xaa, 0xaa, 0xaa]),
            ('8', "dark_gray", [0x55, 0x55, 0x55]),
            ('9', "blue", [0x55, 0x55, 0xff]),
            ('c', "red", [0xff, 0x55, 0x55]),
            ('e', "yellow", [0xff, 0xff, 0x55]),
            ('f', "white", [0xff, 0xff, 0xff]),
        ] {
            let color = NamedColor::from_code(code).unwrap();
            assert_eq!((color.code(), color.name(), color.rgb()), (code, name, rgb));
            assert_eq!(Color::parse(name), Some(Color::Named(color)));
        }
        assert_eq!(NamedColor::from_code('C'), Some(NamedColor::Red));
        assert_eq!(NamedColor::from_code('g'), None);
    }

    #[test]
    fn hex_is_read_and_shown() {
        assert_eq!(Color::parse("#FF8000"), Some(Color::Rgb([255, 128, 0])));
        assert_eq!(Color::Rgb([255, 128, 0]).to_string(), "#ff8000");
        for wrong in ["#ff80", "#ff80000", "#+f8000", "#ff800g", "ff8000", "#é8000", "", "#"] {
            assert_eq!(Color::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn old_clients_get_the_nearest() {
        assert_eq!(Color::Rgb([0xfe, 0x50, 0x50]).nearest(), NamedColor::Red);
        assert_eq!(Color::Rgb([0xff, 0xa5, 0x00]).nearest(), NamedColor::Gold);
        assert_eq!(Color::Rgb([0x01, 0x01, 0x01]).nearest(), NamedColor::Black);
        for named in NamedColor::ALL {
            assert_eq!(Color::Rgb(named.rgb()).nearest(), named);
        }
    }
}
