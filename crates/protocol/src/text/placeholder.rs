//! Placeholders such as `{name}`: plain text put into a finished component.

use super::{Component, Content};

impl Component {
    /// Puts values in the places of `{name}`, given as pairs of name and value, in this component's texts, what stands
    /// behind it and what hovers. Places without a value stay as they are.
    ///
    /// A value is plain text whatever is in it: markup was read before, `§` and control characters are left out, and a
    /// placeholder in a value isn't one. Clicks keep their values, since a URL or a command is no place for a
    /// player's words.
    pub fn replace(&mut self, values: &[(&str, &str)]) {
        match &mut self.content {
            Content::Text(text) => {
                if text.contains('{') {
                    *text = replaced(text, values);
                }
            }
            Content::Translate { with, .. } => with.iter_mut().for_each(|with| with.replace(values)),
        }
        if let Some(hover) = &mut self.style.hover {
            hover.replace(values);
        }
        self.extra.iter_mut().for_each(|extra| extra.replace(values));
    }
}

fn replaced(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, place)) = rest.split_once('{') {
        out.push_str(before);
        let found = values.iter().find_map(|(name, value)| {
            let behind = place.strip_prefix(name)?.strip_prefix('}')?;
            Some((value, behind))
        });
        rest = match found {
            Some((value, behind)) => {
                out.extend(value.chars().filter(|&character| is_plain(character)));
                behind
            }
            None => {
                out.push('{');
                place
            }
        };
    }
    out.push_str(rest);
    out
}

/// Whether a character shows as itself: no `§`, no control, nothing that turns the direction of the text around it.
const fn is_plain(character: char) -> bool {
    !matches!(character, '§' | '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How long the placeholder at the start of a text is, in bytes, if there is one: `{`, a name, `}`.
pub(super) fn length_at_start(text: &str) -> Option<usize> {
    let name = text.strip_prefix('{')?;
    let end = name.find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))?;
    (end > 0 && name[end..].starts_with('}')).then_some(end + 2)
}
