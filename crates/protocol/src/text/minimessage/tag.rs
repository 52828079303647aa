//! What tags mean.

use std::borrow::Cow;

use super::paint::Paint;
use super::token::unquote;
use super::{MAX_NESTED, TextError, parse};
use crate::text::{ClickAction, ClickEvent, Color, Component, Decoration, Style};

/// A tag's name in lower case, and what stands behind it.
#[derive(Debug, PartialEq)]
pub(super) struct Tag<'a> {
    pub(super) name: String,
    /// As written, quotes included.
    pub(super) arguments: Vec<&'a str>,
    pub(super) closes_itself: bool,
}

impl Tag<'_> {
    /// Whether a closing tag with this name and arguments closes `open`: `</color>` does `<color:red>`.
    pub(super) fn closes(&self, open: &Self) -> bool {
        self.name == open.name && open.arguments.starts_with(&self.arguments)
    }
}

/// What a tag does.
pub(super) enum Effect {
    /// Styles what is inside.
    Style(Style),
    /// Colours each letter inside.
    Paint(Paint),
    /// Stands for a line break.
    Newline,
    /// Stands for a component.
    Insert(Component),
    /// Closes everything.
    Reset,
}

/// What a tag does, or `None` where it is no tag but text. An error is that of a text in the tag.
pub(super) fn effect(tag: &Tag<'_>, nested: usize) -> Result<Option<Effect>, TextError> {
    let arguments: Vec<String> = tag.arguments.iter().map(|argument| unquote(argument)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let inner = |text: &str| if nested < MAX_NESTED { parse(text, nested + 1).map(Some) } else { Ok(None) };
    Ok(match (tag.name.as_str(), arguments.as_slice()) {
        ("reset", []) => Some(Effect::Reset),
        ("newline" | "br", []) => Some(Effect::Newline),
        ("color" | "colour" | "c", [color]) => parse_color(&color.to_ascii_lowercase()).map(colored),
        ("gradient", arguments) => Paint::gradient(arguments).map(Effect::Paint),
        ("rainbow", arguments) => Paint::rainbow(arguments).map(Effect::Paint),
        ("click", [action, value]) => ClickAction::from_name(action).map(|action| {
            let click = ClickEvent { action, value: (*value).to_owned() };
            Effect::Style(Style { click: Some(click), ..Style::default() })
        }),
        ("hover", ["show_text", text]) => inner(text)?
            .map(|hover| Effect::Style(Style { hover: Some(Box::new(hover)), ..Style::default() })),
        ("insertion" | "insert", [text]) => {
            Some(Effect::Style(Style { insertion: Some((*text).to_owned()), ..Style::default() }))
        }
        ("lang" | "tr" | "translate", [key, arguments @ ..]) => {
            let with: Option<Vec<Component>> =
                arguments.iter().map(|text| inner(text)).collect::<Result<_, _>>()?;
            with.map(|with| Effect::Insert(Component::translate(*key, with)))
        }
        (name, arguments) => decorated(name, arguments)
            .or_else(|| parse_color(name).filter(|_| arguments.is_empty()).map(colored)),
    })
}

/// A colour by its name, with the other spelling of gray, or as `#rrggbb`.
pub(super) fn parse_color(name: &str) -> Option<Color> {
    let name: Cow<'_, str> = match name {
        "grey" => "gray".into(),
        "dark_grey" => "dark_gray".into(),
        _ => name.into(),
    };
    Color::parse(&name)
}

fn colored(color: Color) -> Effect {
    Effect::Style(Style { color: Some(color), ..Style::default() })
}

/// `<bold>`, `<b>`, `<!bold>` and `<bold:false>`.
fn decorated(name: &str, arguments: &[&str]) -> Option<Effect> {
    let (name, on) = match (name.strip_prefix('!'), arguments) {
        (Some(name), []) => (name, false),
        (None, [] | ["true"]) => (name, true),
        (None, ["false"]) => (name, false),
        _ => return None,
    };
    let decoration = match name {
        "b" => Decoration::Bold,
        "i" | "em" => Decoration::Italic,
        "u" => Decoration::Underlined,
        "st" => Decoration::Strikethrough,
        "obf" => Decoration::Obfuscated,
        _ => Decoration::ALL.into_iter().find(|decoration| decoration.name() == name)?,
    };
    let mut style = Style::default();
    style.decorate(decoration, on);
    Some(Effect::Style(style))
}
