//! What somebody wrote beside a server: labels of a container, annotations of a service. Each is a key of a route by its dotted path, or one
//! of those that only providers know.
//!
//! A label's text is read as its key wants it: a text as it stands; a list as TOML where it begins with a bracket, else in parts between
//! commas or on lines; anything else as a value of TOML.
//!
//! What must stay true: what is here has been looked at: so many, so long, and of paths that are nothing but bare keys of TOML.

use crate::shape;
use drawbridge_config::{nearest, quoted, suggestion};
use std::collections::BTreeMap;
use toml::Value;

/// The most labels of ours that are read, the longest path, and the most bytes of all their texts: a favicon has to fit.
const MOST: (usize, usize, usize) = (128, 256, 256 << 10);
/// About how many bytes a text takes that is kept in a map, beside its own.
pub(crate) const OVERHEAD: usize = 64;
/// The most keys between dots.
const DEPTH: usize = 8;

/// The key that marks what routes are made of.
pub(crate) const HOSTS: &str = "hosts";
/// The key for the port that players go to.
pub(crate) const PORT: &str = "port";
/// The key for the network of which the address is taken.
pub(crate) const NETWORK: &str = "network";

/// How labels are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// What is before the path: `drawbridge.`
    pub(crate) prefix: &'static str,
    /// What they are called.
    pub(crate) noun: &'static str,
    /// What wears them: `container`.
    pub(crate) wearer: &'static str,
    /// The keys that aren't for routes.
    pub(crate) own: &'static [&'static str],
}

/// Labels by their paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Labels {
    texts: BTreeMap<String, String>,
    /// Labels that can't be keys, and why.
    unfit: Vec<(String, &'static str)>,
}

impl Labels {
    /// Those of ours among `all`; `None` where nothing marks a route.
    pub(crate) fn of<'a>(style: Style, all: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let mut labels = Self { texts: BTreeMap::new(), unfit: Vec::new() };
        let mut room = MOST.2;
        let ours = all.filter_map(|(key, text)| Some((key.strip_prefix(style.prefix)?, text)));
        for (path, text) in ours {
            // What marks a route counts however many there are.
            let full =
                path != HOSTS && (labels.texts.len() + labels.unfit.len() >= MOST.0 || text.len() > room);
            if full {
                // One is enough to say so, and those who write more are many.
                if !labels.unfit.iter().any(|(_, why)| *why == TOO_MUCH) {
                    labels.unfit.push((shown(path), TOO_MUCH));
                }
            } else if let Some(why) = unfit(path, style) {
                labels.unfit.push((shown(path), why));
            } else {
                room = room.saturating_sub(text.len());
                labels.texts.insert(path.to_owned(), text.to_owned());
            }
        }
        labels.unfit.sort();
        labels.texts.contains_key(HOSTS).then_some(labels)
    }

    /// The text of a label.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// All that can be keys, in the order of their paths.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// All that can't, and why.
    pub(crate) fn unfit(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.unfit.iter().map(|(path, why)| (path.as_str(), *why))
    }

    /// About how many bytes they take.
    pub(crate) fn bytes(&self) -> usize {
        let texts = self.texts.iter().map(|(path, text)| path.len() + text.len() + 2 * OVERHEAD);
        let unfit = self.unfit.iter().map(|(path, _)| path.len() + OVERHEAD);
        texts.chain(unfit).sum()
    }

    /// The label in which this one would be a key, though it has a value itself.
    pub(crate) fn above(&self, path: &str) -> Option<&str> {
        let dots = path.match_indices('.').map(|(dot, _)| &path[..dot]);
        dots.into_iter().find_map(|above| self.texts.get_key_value(above)).map(|(above, _)| above.as_str())
    }
}

const TOO_MUCH: &str = "there are too many of them, or they are too long";

/// Why a path is no key that a label may set.
fn unfit(path: &str, style: Style) -> Option<&'static str> {
    let bare = |key: &str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    let keys: Vec<&str> = path.split('.').collect();
    if path.len() > MOST.1 || keys.len() > DEPTH || !keys.iter().all(|key| bare(key)) {
        return Some("this is no path of keys between dots");
    }
    let first = keys.first().copied().unwrap_or_default();
    match first {
        "targets" | "discovery" => Some("the target is what bears it"),
        "authentication" => Some(VOUCHES),
        "transfer" if keys.get(1) == Some(&"ticket") => Some(VOUCHES),
        "session" if keys.get(1) == Some(&"trust_claims") => Some(VOUCHES),
        "session" if keys.get(1) == Some(&"forwarding") => Some(FORWARDS),
        _ if keys.len() > 1 && style.own.contains(&first) => Some("there are no keys in it"),
        _ if keys.iter().any(|key| names_secret(key)) => Some(SECRET),
        _ => None,
    }
}

/// What is wrong with a path that routes know no key of, and what may be meant, which is nothing that labels can't say.
pub(crate) fn unknown(path: &str, style: Style) -> Option<(String, String)> {
    if shape::of(path).known {
        return None;
    }
    let keys: Vec<&str> = path.split('.').collect();
    let is_known = |at: &usize| shape::of(&keys.get(..=*at).unwrap_or_default().join(".")).known;
    let at = (0..keys.len()).find(|at| !is_known(at))?;
    let (table, key) = (keys.get(..at)?, keys.get(at)?);
    let written = |key: &str| [table, &[key]].concat().join(".");
    let own = if at == 0 { style.own } else { &[] };
    let all: Vec<&str> = shape::keys(table).into_iter().chain(own.iter().copied()).collect();
    let takes: Vec<&str> = all.iter().copied().filter(|key| unfit(&written(key), style).is_none()).collect();
    let meant = nearest(key, all.iter().copied());
    let refused = meant.and_then(|key| Some((written(key), unfit(&written(key), style)?)));
    let help = match refused {
        Some((meant, why)) => format!("{}{meant} isn't for {}s: {why}", style.prefix, style.noun),
        None => suggestion(key, &takes, "keys here"),
    };
    Some((format!("unknown key {}", quoted(key)), help))
}

/// Why files and variables of the edge can't be named.
pub(crate) const SECRET: &str = "only files of the configuration name files or variables of the edge";

/// Why nobody can be made somebody else: a ticket that is signed for whom anybody vouches is good at every target of that name, and groups
/// that count by claimed names may be told to stop the edge.
const VOUCHES: &str = "only files of the configuration say who vouches for players, and to whom";

/// Why nobody has targets told who players are, or takes players for who they claim to be: the target may be somebody else's, who lets in
/// whomever the edge brings.
const FORWARDS: &str =
    "only files of the configuration have targets told who a player is: the route belongs there";
const CLAIMS: &str =
    "only files of the configuration take players for who they claim to be: the route belongs there";

/// Why nobody can have game servers allocated or looked at: the edge's rights may reach into other namespaces than theirs.
const CLUSTER: &str = "only files of the configuration have the edge act at a cluster";

/// Whether a key of a table names what only the edge's operator should: whoever writes labels need not be them. A kubeconfig may name
/// programs that are run.
fn names_secret(key: &str) -> bool {
    matches!(key, "file" | "env" | "tls" | "kubeconfig")
}

/// The value that a label's text stands for.
///
/// # Errors
/// With the reason why it is none.
pub(crate) fn value(path: &str, text: &str) -> Result<Value, String> {
    let shape = shape::of(path);
    let value = if shape.list && !shape.text {
        list(text)?
    } else if shape.other && !shape.text {
        // What is no value at all is a text, and whoever reads the key says what they want instead.
        match text.trim().parse() {
            // So that what can't be a label isn't hidden in one.
            Ok(Value::Table(_)) => return Err("a table has a label for each of its keys".to_owned()),
            read => read.unwrap_or_else(|_: toml::de::Error| Value::String(text.to_owned())),
        }
    } else {
        Value::String(text.to_owned())
    };
    if has_secret(&value) || names_picture(path, &value) {
        Err(SECRET.to_owned())
    } else if acts_at_cluster(&value) {
        Err(CLUSTER.to_owned())
    } else if path == "mode" && value.as_str() == Some("offline") {
        Err(CLAIMS.to_owned())
    } else {
        Ok(value)
    }
}

/// Whether it is a favicon that would be read from a file of the edge.
fn names_picture(path: &str, value: &Value) -> bool {
    let is_elsewhere =
        |text: &str| ["data:", "http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    path.rsplit('.').next() == Some("favicon") && !value.as_str().is_some_and(is_elsewhere)
}

fn list(text: &str) -> Result<Value, String> {
    let text = text.trim();
    if text.starts_with('[') {
        return text
            .parse()
            .map_err(|error: toml::de::Error| format!("not a list of TOML: {}", error.message()));
    }
    let parts = text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty());
    Ok(Value::Array(parts.map(|part| Value::String(part.to_owned())).collect()))
}

fn has_secret(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_secret),
        Value::Table(table) => table.iter().any(|(key, value)| names_secret(key) || has_secret(value)),
        _ => false,
    }
}

/// Whether it is a list of actions with one of those that act at a cluster.
fn acts_at_cluster(value: &Value) -> bool {
    let kinds = value.as_array().into_iter().flatten().filter_map(|action| action.get("type")?.as_str());
    kinds.into_iter().any(|kind| kind.starts_with("agones"))
}

/// What somebody wrote, as a line of a log or a comment may hold it.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    short.escape_debug().to_string()
}
