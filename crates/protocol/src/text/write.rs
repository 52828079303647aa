//! Writing a component for a version, as JSON or NBT: the same fields, through one [`Sink`] or the other.

use super::json::JsonSink;
use super::{ClickAction, ClickEvent, Color, Component, Content, Decoration, Style, TextFormat};
use crate::nbt::NbtSink;

/// Takes the fields of a text in either encoding.
pub(crate) trait Sink {
    /// Opens the outermost object.
    fn root(&mut self);
    fn text(&mut self, key: &str, value: &str);
    fn flag(&mut self, key: &str, value: bool);
    fn number(&mut self, key: &str, value: i32);
    /// Opens an object; [`Sink::close`] ends it.
    fn object(&mut self, key: &str);
    /// Opens a list of objects; [`Sink::close_list`] ends it.
    fn list(&mut self, key: &str, length: usize);
    /// Opens the list's next object; [`Sink::close`] ends it.
    fn item(&mut self);
    fn close(&mut self);
    fn close_list(&mut self);
}

impl Component {
    /// Appends the text as JSON: for login and status in all versions, and for everything before 765. Give it the
    /// version, or the [`TextFormat`] where one text serves several versions.
    pub fn to_json(&self, format: impl Into<TextFormat>, out: &mut String) {
        let mut sink = JsonSink::new(out);
        sink.root();
        write(self, format.into(), &mut sink);
        sink.close();
    }

    /// Appends the text as NBT of the network, for configuration and play since 765. A string of more than 65,535 bytes
    /// is cut between two characters.
    pub fn to_nbt(&self, format: impl Into<TextFormat>, out: &mut Vec<u8>) {
        let mut sink = NbtSink::new(out);
        sink.root();
        write(self, format.into(), &mut sink);
        sink.close();
    }
}

fn write(component: &Component, format: TextFormat, sink: &mut dyn Sink) {
    match &component.content {
        Content::Text(text) => sink.text("text", text),
        Content::Translate { key, with } => {
            sink.text("translate", key);
            write_list("with", with, format, sink);
        }
    }
    write_style(&component.style, format, sink);
    write_list("extra", &component.extra, format, sink);
}

fn write_list(key: &str, components: &[Component], format: TextFormat, sink: &mut dyn Sink) {
    if components.is_empty() {
        return;
    }
    sink.list(key, components.len());
    for component in components {
        sink.item();
        write(component, format, sink);
        sink.close();
    }
    sink.close_list();
}

fn write_style(style: &Style, format: TextFormat, sink: &mut dyn Sink) {
    if let Some(color) = style.color {
        let color = if format == TextFormat::Named { Color::Named(color.nearest()) } else { color };
        match color {
            Color::Named(named) => sink.text("color", named.name()),
            Color::Rgb(_) => sink.text("color", &color.to_string()),
        }
    }
    for decoration in Decoration::ALL {
        if let Some(on) = style.decoration(decoration) {
            sink.flag(decoration.name(), on);
        }
    }
    if let Some(insertion) = &style.insertion {
        sink.text("insertion", insertion);
    }
    if let Some(click) = &style.click {
        write_click(click, format, sink);
    }
    if let Some(hover) = &style.hover {
        let (key, value) = match format {
            TextFormat::Named => ("hoverEvent", "value"),
            TextFormat::Hex => ("hoverEvent", "contents"),
            TextFormat::SnakeCase => ("hover_event", "value"),
        };
        sink.object(key);
        sink.text("action", "show_text");
        sink.object(value);
        write(hover, format, sink);
        sink.close();
        sink.close();
    }
}

/// Since 770 a client checks the values while it decodes, and a wrong one costs it the connection rather than the
/// click: such a click is left out.
fn write_click(click: &ClickEvent, format: TextFormat, sink: &mut dyn Sink) {
    let ClickEvent { action, value } = click;
    if format != TextFormat::SnakeCase {
        sink.object("clickEvent");
        sink.text("action", action.name());
        sink.text("value", value);
        sink.close();
        return;
    }
    let key = match action {
        ClickAction::OpenUrl if is_web_url(value) => "url",
        ClickAction::RunCommand | ClickAction::SuggestCommand if is_chat(value) => "command",
        ClickAction::ChangePage => "page",
        ClickAction::CopyToClipboard => "value",
        _ => return,
    };
    let page = value.parse().ok().filter(|page| *page > 0);
    if *action == ClickAction::ChangePage && page.is_none() {
        return;
    }
    sink.object("click_event");
    sink.text("action", action.name());
    match page {
        Some(page) if *action == ClickAction::ChangePage => sink.number(key, page),
        _ => sink.text(key, value),
    }
    sink.close();
}

/// Whether Java's `URI` surely takes it, with a scheme that the client allows.
fn is_web_url(url: &str) -> bool {
    let scheme = ["http://", "https://"]
        .into_iter()
        .find(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let Some(rest) = scheme.and_then(|scheme| url.get(scheme.len()..)) else { return false };
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?&=+,;@!$'()*".contains(&byte);
    let mut parts = rest.split('%');
    let starts_with_host = rest.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let escapes = parts.next().is_some()
        && parts.all(|part| part.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2);
    let fragments = rest.bytes().filter(|&byte| byte == b'#').count();
    starts_with_host
        && escapes
        && fragments <= 1
        && rest.bytes().all(|byte| legal(byte) || byte == b'%' || byte == b'#')
}

/// Whether the client would let a player send it.
fn is_chat(text: &str) -> bool {
    text.chars().all(|character| character >= ' ' && character != '\u{7f}' && character != '§')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_that_the_client_takes_pass() {
        for url in [
            "https://example.com",
            "HTTP://example.com:8080/a?b=c&d=%20#e",
            "https://127.0.0.1/ü".trim_end_matches('ü'),
        ] {
            assert!(is_web_url(url), "{url}");
        }
        for url in [
            "",
            "http://",
            "https:///",
            "example.com",
            "ftp://example.com",
            "javascript:alert(1)",
            "https://a b",
            "https://a/%2",
            "https://a/%zz",
            "https://a/#b#c",
            "https://a/{b}",
            "https://ä.example",
            "http:/é",
        ] {
            assert!(!is_web_url(url), "{url}");
        }
    }
}
