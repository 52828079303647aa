//! Tables of the configuration on their way to text: keys in the order in which they were set, and remarks above them.
//!
//! What must stay true: whatever a value is made of, what is written is TOML, and each remark stays a comment.

use serde_json::Value as Json;
use std::fmt::Write as _;

/// The longest line of a remark, in characters.
const WIDTH: usize = 118;

/// A table: its keys, and the tables below it.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Table {
    remarks: Vec<String>,
    lines: Vec<Line>,
    below: Vec<(&'static str, Below)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Line {
    Key(&'static str, Json),
    Remark(String),
    /// A key that the operator has to decide on.
    Off(&'static str, Json),
}

#[derive(Debug, Clone, PartialEq)]
enum Below {
    One(Table),
    Many(Vec<Table>),
}

impl Table {
    /// Sets a key, or sets it anew where it stands.
    pub(super) fn set(&mut self, key: &'static str, value: impl Into<Json>) {
        let value = value.into();
        for line in &mut self.lines {
            if let Line::Key(other, old) = line
                && *other == key
            {
                *old = value;
                return;
            }
        }
        self.lines.push(Line::Key(key, value));
    }

    /// Whether a key is set.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Whether a key is set, or written as a comment.
    pub(super) fn names(&self, key: &str) -> bool {
        self.lines
            .iter()
            .any(|line| matches!(line, Line::Key(other, _) | Line::Off(other, _) if *other == key))
    }

    /// What a key is set to.
    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        self.lines.iter().find_map(|line| match line {
            Line::Key(other, value) if *other == key => Some(value),
            _ => None,
        })
    }

    /// Says something above the table.
    pub(super) fn remark(&mut self, text: impl Into<String>) {
        self.remarks.push(text.into());
    }

    /// Says something above the next key.
    pub(super) fn remark_here(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Remark(text.into()));
    }

    /// Writes a key as a comment, for the operator to decide.
    pub(super) fn offer(&mut self, key: &'static str, value: impl Into<Json>, why: impl Into<String>) {
        self.remark_here(why);
        self.off(key, value);
    }

    /// Writes another key as a comment, which the same is said of.
    pub(super) fn off(&mut self, key: &'static str, value: impl Into<Json>) {
        self.lines.push(Line::Off(key, value.into()));
    }

    /// The table below of this name, made if there is none.
    pub(super) fn table(&mut self, key: &'static str) -> &mut Self {
        let place = self.place(key, || Below::One(Self::default()));
        match &mut self.below[place].1 {
            Below::One(table) => table,
            // A name stands for one kind of thing.
            Below::Many(_) => unreachable!("{key} is a list of tables"),
        }
    }

    /// Adds a table to the list of this name.
    pub(super) fn add(&mut self, key: &'static str, table: Self) {
        let place = self.place(key, || Below::Many(Vec::new()));
        if let Below::Many(tables) = &mut self.below[place].1 {
            tables.push(table);
        }
    }

    fn place(&mut self, key: &'static str, new: impl FnOnce() -> Below) -> usize {
        self.below.iter().position(|(other, _)| *other == key).unwrap_or_else(|| {
            self.below.push((key, new()));
            self.below.len() - 1
        })
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.remarks.is_empty() && self.lines.is_empty() && self.below.is_empty()
    }

    /// The text of the main file's table.
    pub(super) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write("", false, &mut out);
        out
    }

    /// The text of one of `[[path]]`.
    pub(super) fn to_element(&self, path: &str) -> String {
        let mut out = String::new();
        self.write(path, true, &mut out);
        out
    }

    fn write(&self, path: &str, is_element: bool, out: &mut String) {
        if !path.is_empty() && (is_element || !self.lines.is_empty() || !self.remarks.is_empty()) {
            out.push('\n');
            self.remarks.iter().for_each(|text| write_remark(text, out));
            let _ = if is_element { writeln!(out, "[[{path}]]") } else { writeln!(out, "[{path}]") };
        }
        for line in &self.lines {
            let _ = match line {
                Line::Key(key, value) => writeln!(out, "{key} = {}", written(value)),
                Line::Off(key, value) => writeln!(out, "# {key} = {}", written(value)),
                Line::Remark(text) => {
                    write_remark(text, out);
                    Ok(())
                }
            };
        }
        for (key, below) in &self.below {
            let path = if path.is_empty() { (*key).to_owned() } else { format!("{path}.{key}") };
            match below {
                Below::One(table) => table.write(&path, false, out),
                Below::Many(tables) => tables.iter().for_each(|table| table.write(&path, true, out)),
            }
        }
    }
}

/// Writes a comment, broken between words. Control characters can't end it, since there are none left in it.
pub(super) fn write_remark(text: &str, out: &mut String) {
    let mut width = usize::MAX;
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()) {
        let length = word.chars().count();
        if length == 0 {
            continue;
        }
        if width.saturating_add(1 + length) > WIDTH {
            out.push_str(if width == usize::MAX { "# " } else { "\n# " });
            width = length;
        } else {
            out.push(' ');
            width += 1 + length;
        }
        out.push_str(word);
    }
    out.push('\n');
}

/// A value as TOML in one line. There are no nulls in TOML: they are left out of tables and lists.
pub(super) fn written(value: &Json) -> String {
    match value {
        Json::Null => "\"\"".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(value) => value.to_string(),
        Json::String(text) => quoted(text),
        Json::Array(items) => {
            let items: Vec<_> = items.iter().filter(|item| !item.is_null()).map(written).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Json::Object(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| format!("{} = {}", key_text(key), written(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A text as a basic string of one line, so that a comment may be made of it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        let _ = match character {
            '"' => write!(out, "\\\""),
            '\\' => write!(out, "\\\\"),
            '\n' => write!(out, "\\n"),
            '\t' => write!(out, "\\t"),
            '\r' => write!(out, "\\r"),
            control if control.is_control() => write!(out, "\\u{:04X}", u32::from(control)),
            other => write!(out, "{other}"),
        };
    }
    out.push('"');
    out
}

/// A key, quoted where it has to be.
pub(super) fn key_text(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(is_bare) { key.to_owned() } else { quoted(key) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn tables_and_lists_stand_below_their_table() {
        let mut root = Table::default();
        root.set("bind", json!(["[::]:25565"]));
        root.table("limits").set("login", json!({ "burst": 5, "per": "10s" }));
        root.table("cookies").offer("secrets", json!([{ "file": "cookie.key" }]), "decide");
        let mut route = Table::default();
        route.remark("look at it");
        route.set("name", "a");
        route.table("relay").set("host", "keep");
        root.add("routes", route);
        let text = root.to_text();
        let expected = "bind = [\"[::]:25565\"]\n\n[limits]\nlogin = { burst = 5, per = \"10s\" }\n\n[cookies]\n# decide\n\
                        # secrets = [{ file = \"cookie.key\" }]\n\n# look at it\n[[routes]]\nname = \"a\"\n\n[routes.relay]\nhost = \"keep\"\n";
        assert_eq!(text, expected);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(key in "\\PC{0,8}", text in "(\\PC|[\\n\\t\\r\u{1}\u{7f}\"\\\\#]){0,40}", number in any::<i64>()) {
            let value = json!({ &key: [text, number, true] });
            let read: toml::Table = toml::from_str(&format!("a = {}", written(&value))).unwrap();
            prop_assert_eq!(json!(read["a"]), value);
        }

        #[test]
        fn a_remark_is_nothing_but_a_comment(text in "(\\PC|[\\n\\r\u{85}\u{2028}\u{7f}]| ){0,300}") {
            let mut out = String::new();
            write_remark(&text, &mut out);
            let read = toml::from_str::<toml::Table>(&out);
            prop_assert!(read.is_ok_and(|table| table.is_empty()), "{:?}", out);
        }
    }
}
