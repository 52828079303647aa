//! `§` codes (Minecraft wiki, "Formatting codes"), with BungeeCord's `§x§r§r§g§g§b§b` for any colour when reading.

use super::read::{TextError, check_length};
use super::{Color, Component, Decoration, MAX_MARKUP, NamedColor, Style};

/// What stands before a code.
pub(super) const SIGN: char = '§';

/// The codes of the decorations, in the order of [`Decoration::ALL`].
const DECORATIONS: [char; 5] = ['l', 'o', 'n', 'm', 'k'];

impl Component {
    /// Reads a text with `§` codes. A colour ends all decorations, as in the game; a code that there isn't vanishes.
    ///
    /// # Errors
    /// When the text is too long.
    pub fn from_legacy(text: &str) -> Result<Self, TextError> {
        check_length(text, MAX_MARKUP)?;
        let mut runs = Vec::new();
        let mut style = Style::default();
        let mut pieces = text.split(SIGN);
        let mut push = |text: &str, style: &Style| {
            if !text.is_empty() {
                runs.push(Component { style: style.clone(), ..Component::text(text) });
            }
        };
        push(pieces.next().unwrap_or_default(), &style);
        while let Some(piece) = pieces.next() {
            let mut characters = piece.chars();
            let Some(code) = characters.next() else { continue };
            let mut behind = characters.as_str();
            let code = code.to_ascii_lowercase();
            if let Some(named) = NamedColor::from_code(code) {
                style = colored(Color::Named(named));
            } else if let Some(index) = DECORATIONS.iter().position(|&decoration| decoration == code) {
                style.decorations[index] = Some(true);
            } else if code == 'r' {
                style = Style::default();
            } else if let Some((color, tail)) = hex(code, behind, pieces.clone()) {
                style = colored(color);
                behind = tail;
                pieces.nth(5);
            }
            push(behind, &style);
        }
        Ok(match runs.len() {
            1 => runs.remove(0),
            _ => Component { extra: runs, ..Component::default() },
        })
    }

    /// The text with `§` codes, for the kicks and pings of clients before 1.7: colours become the nearest of the sixteen,
    /// events are lost, a translation shows as its key.
    #[must_use]
    pub fn to_legacy(&self) -> String {
        let mut out = String::new();
        let mut now = Look::default();
        self.walk(&Style::default(), &mut |text, style| {
            if !text.is_empty() {
                let wanted = Look::of(style);
                now.change(wanted, &mut out);
                now = wanted;
                out.push_str(text);
            }
        });
        out
    }
}

const fn colored(color: Color) -> Style {
    Style { color: Some(color), decorations: [None; 5], insertion: None, click: None, hover: None }
}

/// The colour of `§x` and six further codes of a digit each, and the text behind the last.
fn hex<'a>(code: char, behind: &str, mut digits: impl Iterator<Item = &'a str>) -> Option<(Color, &'a str)> {
    if code != 'x' || !behind.is_empty() {
        return None;
    }
    let mut value = String::from("#");
    let mut tail = "";
    for index in 0..6 {
        let mut characters = digits.next()?.chars();
        value.push(characters.next()?);
        tail = characters.as_str();
        if index < 5 && !tail.is_empty() {
            return None;
        }
    }
    Some((Color::parse(&value)?, tail))
}

/// Appends a text without the `§` codes in it.
pub(super) fn push_without_codes(text: &str, out: &mut String) {
    let mut pieces = text.split(SIGN);
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let mut characters = piece.chars();
        characters.next();
        out.push_str(characters.as_str());
    }
}

/// What `§` codes can say.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Look {
    color: Option<NamedColor>,
    decorations: [bool; 5],
}

impl Look {
    fn of(style: &Style) -> Self {
        Self {
            color: style.color.map(Color::nearest),
            decorations: style.decorations.map(|decoration| decoration == Some(true)),
        }
    }

    /// Appends the fewest codes that lead from this look to another. A decoration ends only by a colour or a reset.
    fn change(self, wanted: Self, out: &mut String) {
        let mut on = self.decorations;
        let ends = (0..on.len()).any(|index| on[index] && !wanted.decorations[index]);
        if ends || self.color != wanted.color {
            out.push(SIGN);
            out.push(wanted.color.map_or('r', NamedColor::code));
            on = [false; 5];
        }
        for decoration in Decoration::ALL {
            let index = decoration as usize;
            if wanted.decorations[index] && !on[index] {
                out.push(SIGN);
                out.push(DECORATIONS[index]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn runs(text: &str) -> Vec<(String, Style)> {
        let mut runs = Vec::new();
        let component = Component::from_legacy(text).unwrap();
        component.walk(&Style::default(), &mut |text, style| {
            if !text.is_empty() {
                runs.push((text.to_owned(), style.clone()));
            }
        });
        runs
    }

    fn style(color: Option<Color>, decorations: &[Decoration]) -> Style {
        let mut style = Style { color, ..Style::default() };
        decorations.iter().for_each(|&decoration| style.decorate(decoration, true));
        style
    }

    #[test]
    fn codes_style_what_follows_and_colors_end_decorations() {
        let red = Some(Color::Named(NamedColor::Red));
        let expected = [
            ("a", style(None, &[])),
            ("b", style(red, &[])),
            ("c", style(red, &[Decoration::Bold])),
            ("d", style(red, &[Decoration::Bold, Decoration::Obfuscated])),
            ("e", style(Some(Color::Named(NamedColor::Gold)), &[])),
            ("f", style(None, &[])),
        ];
        let expected = expected.map(|(text, style)| (text.to_owned(), style));
        assert_eq!(runs("a§cb§lc§Kd§6e§rf"), expected);
    }

    #[test]
    fn six_digits_are_a_color() {
        let color = Some(Color::Rgb([0x12, 0xab, 0xff]));
        assert_eq!(runs("§x§1§2§a§B§f§fHi§r!")[0], ("Hi".to_owned(), style(color, &[])));
        assert_eq!(runs("§x§1§2Hi"), [("Hi".to_owned(), style(Some(NamedColor::DarkGreen.into()), &[]))]);
        assert_eq!(runs("§x§1§2§a§B§f")[..], []);
    }

    #[test]
    fn unknown_and_lone_codes_vanish() {
        assert_eq!(runs("§za§"), [("a".to_owned(), style(None, &[]))]);
        assert_eq!(Component::from_legacy("§").unwrap(), Component::default());
        assert_eq!(Component::from_legacy("§cHi").unwrap(), Component::text("Hi").colored(NamedColor::Red));
    }

    #[test]
    fn codes_are_written_sparingly() {
        let mut bold = Component::text("b");
        bold.style.decorate(Decoration::Bold, true);
        let text = Component::text("a")
            .colored(NamedColor::Red)
            .with(bold)
            .with(Component::text("c").colored(Color::Rgb([0xfe, 0xfe, 0x50])))
            .with(Component::text("").colored(NamedColor::Blue));
        let text = Component::text("").with(text).with(Component::text("d"));
        assert_eq!(text.to_legacy(), "§ca§lb§ec§rd");
        assert_eq!(text.to_plain(), "abcd");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in "([ab§0-9a-fk-orx]|§[0-9a-fk-or]){0,40}") {
            let component = Component::from_legacy(&text).unwrap();
            let written = component.to_legacy();
            let again = Component::from_legacy(&written).unwrap();
            prop_assert_eq!(again.to_legacy(), written);
            prop_assert_eq!(again.to_plain(), component.to_plain());
        }

        #[test]
        fn no_text_panics(text in "[§xa-f0-9éü ]{0,40}") {
            prop_assert!(!Component::from_legacy(&text).unwrap().to_plain().contains(SIGN));
        }
    }
}
