//! What is seen of a text, as `tests/node/random/text.mjs` tells it.

use drawbridge_protocol::text::{Color, Component, Content, Decoration, Style};
use serde_json::{Map, Value, json};

/// The pieces of a text in order, each with how it looks and what it does.
pub(crate) fn seen(component: &Component) -> Value {
    let mut pieces = Vec::new();
    walk(component, &Style::default(), &mut pieces);
    pieces.into_iter().map(|(text, look)| json!([text, look])).collect()
}

fn walk(component: &Component, around: &Style, pieces: &mut Vec<(Value, Value)>) {
    let own = component.style.clone();
    let mut style = Style {
        color: own.color.or(around.color),
        insertion: own.insertion.or_else(|| around.insertion.clone()),
        click: own.click.or_else(|| around.click.clone()),
        ..Style::default()
    };
    for decoration in Decoration::ALL {
        if let Some(on) = component.style.decoration(decoration).or(around.decoration(decoration)) {
            style.decorate(decoration, on);
        }
    }
    match &component.content {
        Content::Text(text) if text.is_empty() => {}
        Content::Text(text) => match pieces.last_mut() {
            Some((Value::String(last), seen)) if *seen == look(&style) => last.push_str(text),
            _ => pieces.push((json!(text), look(&style))),
        },
        Content::Translate { key, with } => {
            let with: Vec<_> = with.iter().map(seen).collect();
            pieces.push((json!({ "translate": key, "with": with }), look(&style)));
        }
    }
    for extra in &component.extra {
        walk(extra, &style, pieces);
    }
}

fn look(style: &Style) -> Value {
    let mut look = Map::new();
    match style.color {
        Some(Color::Named(named)) => drop(look.insert("color".to_owned(), json!(named.name()))),
        Some(color) => drop(look.insert("color".to_owned(), json!(color.to_string()))),
        None => {}
    }
    for decoration in Decoration::ALL {
        if style.decoration(decoration) == Some(true) {
            look.insert(decoration.name().to_owned(), json!(true));
        }
    }
    if let Some(insertion) = &style.insertion {
        look.insert("insertion".to_owned(), json!(insertion));
    }
    if let Some(click) = &style.click {
        look.insert("click".to_owned(), json!([click.action.name(), click.value]));
    }
    Value::Object(look)
}
