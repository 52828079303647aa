//! MiniMessage, the markup of the Adventure library (docs.papermc.io, "MiniMessage format"), in its lenient mode: what is
//! no tag shows as it is written, and tags needn't be closed.
//!
//! Known are colours, `<#rrggbb>`, `<color>`, decorations, `<reset>`, `<gradient>`, `<rainbow>`, `<newline>`, `<click>`, `<hover>`,
//! `<insertion>` and `<lang>`, with Adventure's other names for them.

mod paint;
mod tag;
mod token;

use paint::Paint;
use tag::Effect;
use token::Token;

use super::read::{TextError, check_length};
use super::{Component, Content, MAX_DEPTH, MAX_MARKUP, Style};

/// How deep texts may stand in tags of texts, as in a hover of a hover; a tag that is deeper is none.
const MAX_NESTED: usize = 4;

impl Component {
    /// Reads MiniMessage.
    ///
    /// # Errors
    /// When the text is too long, or too many tags are open at once.
    pub fn from_minimessage(text: &str) -> Result<Self, TextError> {
        check_length(text, MAX_MARKUP)?;
        let text = parse(text, 0)?;
        // Tags that are open count, and texts in tags do; how deep both come to be together is known now.
        if nests_deeper(&text, MAX_DEPTH) { Err(TextError::TooDeep) } else { Ok(text) }
    }
}

/// Whether there are more than `most` components inside each other.
fn nests_deeper(component: &Component, most: usize) -> bool {
    let Some(inside) = most.checked_sub(1) else { return true };
    let with = match &component.content {
        Content::Translate { with, .. } => with.as_slice(),
        Content::Text(_) => &[],
    };
    let mut parts = component.extra.iter().chain(with).chain(component.style.hover.as_deref());
    parts.any(|part| nests_deeper(part, inside))
}

/// `nested` counts the texts around.
fn parse(text: &str, nested: usize) -> Result<Component, TextError> {
    let mut tree = Tree { root: Component::default(), open: Vec::new() };
    for token in token::tokens(text) {
        match token {
            Token::Text(raw) => tree.push_text(&token::unescape(raw)),
            Token::Open { raw, tag } => match tag::effect(&tag, nested)? {
                Some(Effect::Reset) => tree.close_to(0),
                Some(Effect::Newline) => tree.push_text("\n"),
                Some(Effect::Insert(component)) => tree.push(component),
                Some(Effect::Style(_) | Effect::Paint(_)) if tag.closes_itself => {}
                Some(Effect::Style(style)) => tree.open(tag, style, None)?,
                Some(Effect::Paint(paint)) => tree.open(tag, Style::default(), Some(paint))?,
                None => tree.push_text(raw),
            },
            Token::Close { raw, tag } => match tree.open.iter().rposition(|open| tag.closes(&open.tag)) {
                Some(index) => tree.close_to(index),
                None => tree.push_text(raw),
            },
        }
    }
    tree.close_to(0);
    Ok(simplified(tree.root))
}

/// A component under construction: what is complete, and the tags that are open, outermost first.
struct Tree<'a> {
    root: Component,
    open: Vec<Open<'a>>,
}

struct Open<'a> {
    tag: tag::Tag<'a>,
    component: Component,
    paint: Option<Paint>,
}

impl<'a> Tree<'a> {
    fn innermost(&mut self) -> &mut Component {
        self.open.last_mut().map_or(&mut self.root, |open| &mut open.component)
    }

    fn push(&mut self, component: Component) {
        self.innermost().extra.push(component);
    }

    fn push_text(&mut self, text: &str) {
        match self.innermost().extra.last_mut() {
            Some(Component { content: Content::Text(before), style, extra })
                if style.is_empty() && extra.is_empty() =>
            {
                before.push_str(text);
            }
            _ => self.push(Component::text(text)),
        }
    }

    fn open(&mut self, tag: tag::Tag<'a>, style: Style, paint: Option<Paint>) -> Result<(), TextError> {
        if self.open.len() + 2 >= MAX_DEPTH {
            return Err(TextError::TooDeep);
        }
        self.open.push(Open { tag, component: Component { style, ..Component::default() }, paint });
        Ok(())
    }

    /// Closes tags until only `count` are open.
    fn close_to(&mut self, count: usize) {
        while self.open.len() > count {
            let Some(Open { mut component, paint, .. }) = self.open.pop() else { return };
            if let Some(paint) = paint {
                paint.apply(&mut component);
            }
            if !component.extra.is_empty() {
                self.push(simplified(component));
            }
        }
    }
}

/// The same without needless levels: a text that stands first is the component's own.
fn simplified(mut component: Component) -> Component {
    let first = component.extra.first();
    if component.style.is_empty() && component.extra.len() == 1 {
        return component.extra.remove(0);
    }
    if first.is_some_and(|first| first.style.is_empty() && first.extra.is_empty()) {
        component.content = component.extra.remove(0).content;
    }
    component
}

#[cfg(test)]
mod tests;
