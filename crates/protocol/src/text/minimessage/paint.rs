//! Gradients and rainbows: a colour for each letter.
//!
//! Letters are Unicode code points, as in Adventure; a placeholder such as `{player}` counts as one, so that it stays
//! whole. A component with a colour of its own keeps it, but its letters count.

use super::tag::parse_color;
use crate::text::{Color, Component, Content, NamedColor, placeholder};

/// How the letters inside a tag are coloured.
#[derive(Debug, PartialEq)]
pub(super) enum Paint {
    /// From colour to colour in equal steps. `phase` is from 0 to 1 and shifts by as much of the whole.
    Gradient { colors: Vec<[u8; 3]>, phase: f64 },
    /// Once around the colour wheel, forwards or backwards. `phase` is in turns.
    Rainbow { backwards: bool, phase: f64 },
}

impl Paint {
    /// `<gradient>` is from white to black; else at least two colours, and a phase from -1 to 1 may follow. A negative one
    /// turns the colours round.
    pub(super) fn gradient(arguments: &[&str]) -> Option<Self> {
        let (phase, colors) = match arguments.split_last().map(|(last, rest)| (last.parse::<f64>(), rest)) {
            Some((Ok(phase), rest)) => (phase, rest),
            _ => (0.0, arguments),
        };
        let mut colors: Vec<[u8; 3]> = colors
            .iter()
            .map(|color| parse_color(&color.to_ascii_lowercase()).map(Color::rgb))
            .collect::<Option<_>>()?;
        if colors.is_empty() {
            colors = vec![NamedColor::White.rgb(), NamedColor::Black.rgb()];
        }
        if colors.len() < 2 || !(-1.0..=1.0).contains(&phase) {
            return None;
        }
        if phase < 0.0 {
            colors.reverse();
            return Some(Self::Gradient { colors, phase: phase + 1.0 });
        }
        Some(Self::Gradient { colors, phase })
    }

    /// `<rainbow>`, `<rainbow:!>`, `<rainbow:2>` or `<rainbow:!2>`: backwards, and a phase in tenths of a turn.
    pub(super) fn rainbow(arguments: &[&str]) -> Option<Self> {
        let argument = match arguments {
            [] => "",
            [argument] => argument,
            _ => return None,
        };
        let phase = argument.strip_prefix('!').unwrap_or(argument);
        let tenths: i32 = if phase.is_empty() { 0 } else { phase.parse().ok()? };
        Some(Self::Rainbow { backwards: argument.starts_with('!'), phase: f64::from(tenths) / 10.0 })
    }

    /// Colours a component, of which the content is empty, and all that is in it.
    pub(super) fn apply(&self, component: &mut Component) {
        let count = count(component);
        let mut index = 0;
        self.paint(component, count, &mut index);
    }

    fn paint(&self, component: &mut Component, count: usize, index: &mut usize) {
        if component.style.color.is_some() {
            *index += self::count(component);
            return;
        }
        let Content::Text(text) = &mut component.content else {
            component.style.color = Some(self.color(*index, count));
            *index += 1;
            // What stands behind a translation would inherit its colour, so it is painted too.
            component.extra.iter_mut().for_each(|extra| self.paint(extra, count, index));
            return;
        };
        let mut letters: Vec<Component> = Vec::new();
        for letter in letters_of(text) {
            let color = self.color(*index, count);
            *index += 1;
            match letters.last_mut() {
                Some(Component { content: Content::Text(before), style, .. })
                    if style.color == Some(color) =>
                {
                    before.push_str(letter);
                }
                _ => letters.push(Component::text(letter).colored(color)),
            }
        }
        text.clear();
        component.extra.iter_mut().for_each(|extra| self.paint(extra, count, index));
        component.extra.splice(..0, letters);
    }

    /// The colour of a letter by its place among `count`.
    ///
    /// A gradient of the three colours 0, 1 and 2 over five letters stands at 0, ½, 1, 1½ and 2: letter 1 is the middle of
    /// the first two. With phase ½ it starts at 1, and begins anew behind the last.
    fn color(&self, index: usize, count: usize) -> Color {
        Color::Rgb(match self {
            Self::Gradient { colors, phase } => {
                let steps = (colors.len() - 1) as f64;
                let step = if count <= 1 { 0.0 } else { steps / (count - 1) as f64 };
                let position = index as f64 * step + phase * steps;
                let low = colors[position.floor() as usize % colors.len()];
                let high = colors[position.ceil() as usize % colors.len()];
                let share = position.fract();
                std::array::from_fn(|part| {
                    let (low, high) = (f64::from(low[part]), f64::from(high[part]));
                    (low + share * (high - low)).round() as u8
                })
            }
            Self::Rainbow { backwards, phase } => {
                let index = if *backwards { count - 1 - index } else { index };
                hue((index as f64 / count as f64 + phase).rem_euclid(1.0))
            }
        })
    }
}

/// The pure colour at a place of the colour wheel, in turns: 0 is red, ⅓ green, ⅔ blue.
fn hue(turns: f64) -> [u8; 3] {
    let sixths = turns * 6.0;
    let rising = (sixths.fract() * 255.0) as u8;
    let falling = ((1.0 - sixths.fract()) * 255.0) as u8;
    match sixths as u8 {
        0 | 6.. => [255, rising, 0],
        1 => [falling, 255, 0],
        2 => [0, 255, rising],
        3 => [0, falling, 255],
        4 => [rising, 0, 255],
        5 => [255, 0, falling],
    }
}

/// How many letters a component has, with all that is in it.
fn count(component: &Component) -> usize {
    let own = match &component.content {
        Content::Text(text) => letters_of(text).count(),
        Content::Translate { .. } => 1,
    };
    own + component.extra.iter().map(count).sum::<usize>()
}

/// Code points, and placeholders as one.
fn letters_of(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let length =
            placeholder::length_at_start(rest).or_else(|| rest.chars().next().map(char::len_utf8))?;
        let (letter, tail) = rest.split_at(length);
        rest = tail;
        Some(letter)
    })
}
