//! Variables of an environment, one a line, or a command line: what mc-router is set up by where it has no file.
//!
//! Both become a table of texts, under the names as they are written but for the hyphens before them.

use serde_json::{Map, Value as Json, json};

/// Options of mc-router that have no value of their own.
const SWITCHES: [&str; 13] = [
    "auto-scale-down",
    "auto-scale-up",
    "debug",
    "in-docker",
    "in-docker-swarm",
    "in-kube-cluster",
    "receive-proxy-protocol",
    "record-logins",
    "routes-config-watch",
    "simplify-srv",
    "trace",
    "use-proxy-protocol",
    "webhook-require-user",
];

/// The table of a text.
pub(super) fn parse(text: &str) -> Json {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines.all(|line| variable(line).is_some()) {
        let mut table = Map::new();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        lines.filter_map(variable).for_each(|(name, value)| add(&mut table, name, value));
        return Json::Object(table);
    }
    options(split(text))
}

/// `NAME=value` or `export NAME="value"`.
pub(super) fn variable(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("export ").unwrap_or(line).trim();
    let (name, value) = line.split_once('=')?;
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    is_name.then(|| (name, value.trim().trim_matches(['"', '\''])))
}

/// The options of a command line: `--name value`, `-name=value`, or switches. Words beside them are kept under `words`.
pub(super) fn options(words: impl IntoIterator<Item = String>) -> Json {
    let mut table = Map::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let name = word.trim_start_matches('-');
        if name.len() == word.len() {
            if !word.ends_with("mc-router") {
                add(&mut table, "words", &word);
            }
        } else if let Some((name, value)) = name.split_once('=') {
            add(&mut table, name, value);
        } else if SWITCHES.contains(&name) {
            add(&mut table, name, "true");
        } else {
            let value = words.next_if(|next| !next.starts_with('-')).unwrap_or_default();
            add(&mut table, name, &value);
        }
    }
    Json::Object(table)
}

/// What is given more than once is joined as lines.
fn add(table: &mut Map<String, Json>, name: &str, value: &str) {
    match table.get_mut(name) {
        Some(Json::String(before)) => {
            before.push('\n');
            before.push_str(value);
        }
        _ => {
            table.insert(name.to_owned(), json!(value));
        }
    }
}

/// The words of a command line, with quotes and backslashes as shells have them.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None) => match characters.next() {
                Some('\n') | None => {}
                Some(next) => word.get_or_insert_default().push(next),
            },
            (end, Some(open)) if end == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (space, None) if space.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_and_a_command_line_are_told_apart() {
        assert_eq!(
            parse(
                "# a router\nMAPPING=a.example.com=10.0.0.1,b.example.com=10.0.0.2\n\nexport PORT=\"25570\"\n"
            ),
            json!({ "MAPPING": "a.example.com=10.0.0.1,b.example.com=10.0.0.2", "PORT": "25570" })
        );
        assert_eq!(
            parse(
                "mc-router --mapping=a.example.com=10.0.0.1 \\\n  -mapping 'b.example.com=10.0.0.2' -debug --port 25570 extra -api-binding"
            ),
            json!({
                "mapping": "a.example.com=10.0.0.1\nb.example.com=10.0.0.2",
                "debug": "true",
                "port": "25570",
                "words": "extra",
                "api-binding": "",
            })
        );
        assert_eq!(parse(""), json!({}));
        assert_eq!(parse("'unended \\"), json!({ "words": "unended \\" }));
    }
}
