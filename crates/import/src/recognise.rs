//! Which program's configuration lies at a path, and which files belong to it.

use super::source::{Document, Entry, Syntax};
use super::{ImportError, Program, infrarust, mc_router};
use std::fs;
use std::path::{Path, PathBuf};

/// Names under which programs look for their main file, the likelier first.
const MAIN: [&str; 17] = [
    "infrarust.toml",
    "velocity.toml",
    "config.yml",
    "config.yaml",
    "config.toml",
    "config.json",
    "config/config.yml",
    "config/config.yaml",
    "config/config.toml",
    "config/config.json",
    "gate.yml",
    "gate.yaml",
    "config-lite.yml",
    "passage.yaml",
    "routes.json",
    "docker-compose.yml",
    "compose.yml",
];

/// The most files of a folder that are read.
const MOST_FILES: usize = 20_000;

/// A configuration: whose it is, and its files.
#[derive(Debug)]
pub struct Found {
    /// Whose it is.
    pub program: Program,
    /// Its files, the main one first.
    pub documents: Vec<Document>,
}

/// Finds the configuration at a path, a file's or a folder's.
///
/// # Errors
/// When nothing can be read there, or nobody can tell whose it is.
pub(super) fn find(path: &Path, from: Option<Program>) -> Result<Found, ImportError> {
    let metadata =
        fs::metadata(path).map_err(|source| ImportError::Unreadable { path: path.to_owned(), source })?;
    if metadata.is_dir() { in_folder(path, from) } else { of_file(path, file_name(path), from) }
}

/// The configuration whose main file this is.
fn of_file(path: &Path, name: String, from: Option<Program>) -> Result<Found, ImportError> {
    let document = Document::open(path, name)?;
    let Some(program) = from.or_else(|| of_document(&document)) else {
        return Err(ImportError::Unknown { path: path.to_owned() });
    };
    let mut documents = vec![document];
    let more = companions(program, &documents[0]);
    for (path, name) in more {
        documents.push(Document::open(&path, name)?);
    }
    Ok(Found { program, documents })
}

fn in_folder(path: &Path, from: Option<Program>) -> Result<Found, ImportError> {
    let mut found: Vec<Found> = Vec::new();
    for name in MAIN {
        let file = path.join(name);
        if !file.is_file() {
            continue;
        }
        let document = Document::open(&file, name.to_owned())?;
        let Some(program) = of_document(&document) else { continue };
        if from.is_none_or(|from| from.is_read_as(program)) {
            found.push(of_file(&file, name.to_owned(), from)?);
        }
    }
    if found.is_empty() {
        return all_of_folder(path, from);
    }
    let one = found.swap_remove(0);
    match found.iter().find(|other| !other.program.is_read_as(one.program)) {
        Some(other) => {
            Err(ImportError::Several { path: path.to_owned(), first: one.program, second: other.program })
        }
        None => Ok(one),
    }
}

/// A folder of files with a route each, as Infrared's first version and Infrarust's servers are.
fn all_of_folder(path: &Path, from: Option<Program>) -> Result<Found, ImportError> {
    let mut documents = Vec::new();
    let mut program = None;
    for (file, name) in files(path, "") {
        let document = Document::open(&file, name)?;
        let Some(other) =
            of_document(&document).filter(|other| from.is_none_or(|from| from.is_read_as(*other)))
        else {
            continue;
        };
        if let Some(first) = program.filter(|first: &Program| !first.is_read_as(other)) {
            return Err(ImportError::Several { path: path.to_owned(), first, second: other });
        }
        program = Some(other);
        documents.push(document);
    }
    match program {
        Some(program) => Ok(Found { program, documents }),
        None => Err(ImportError::Nothing { path: path.to_owned() }),
    }
}

/// The files that belong to a main file, with the names that the report gives them.
fn companions(program: Program, main: &Document) -> Vec<(PathBuf, String)> {
    let root = main.root();
    match program {
        Program::Infrarust if !infrarust::is_server(&root) => {
            let folder = root.get("servers_dir").and_then(|entry| entry.value.as_str()).unwrap_or("servers");
            let folder = folder.trim_start_matches("./").trim_end_matches('/');
            let servers = files(&main.folder.join(folder), folder);
            servers.into_iter().filter(|(path, _)| Syntax::of(path) == Syntax::Toml).collect()
        }
        Program::Infrared if root.get("domainName").is_none() && root.get("domains").is_none() => {
            files(&main.folder.join("proxies"), "proxies")
        }
        Program::McRouter => mc_router::routes_files(main)
            .into_iter()
            .map(|name| (main.folder.join(&name), name))
            .filter(|(path, _)| Syntax::of(path) == Syntax::Json && path.is_file())
            .collect(),
        _ => Vec::new(),
    }
}

/// The files of a folder that hold a configuration by their names, in the order of these; none where there is no folder.
fn files(folder: &Path, shown: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_FILES);
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| Syntax::of(path) != Syntax::Words && path.is_file())
        .filter(|path| !file_name(path).starts_with('.'))
        .collect();
    paths.sort();
    let named = |path: PathBuf| {
        let name = file_name(&path);
        let name = if shown.is_empty() { name } else { format!("{shown}/{name}") };
        (path, name)
    };
    paths.into_iter().map(named).collect()
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    // It is shown, and a terminal would obey.
    name.replace(char::is_control, "?")
}

/// Whose configuration a document is, by the keys that it has.
fn of_document(document: &Document) -> Option<Program> {
    let root = document.root();
    let has = |key: &str| root.get(key).is_some();
    let any = |keys: &[&str]| keys.iter().any(|key| has(key));
    let is_yaml = document.syntax == Syntax::Yaml;
    if has("config")
        && any(&["config.bind", "config.lite", "config.servers", "config.try", "config.onlineMode"])
    {
        let is_lite =
            root.get("config.lite.enabled").is_some_and(|entry| entry.value.as_bool() == Some(true));
        return Some(if is_lite { Program::GateLite } else { Program::Gate });
    }
    if is_yaml && has("listeners") && has("servers") {
        return Some(Program::Bungeecord);
    }
    let of_velocity =
        ["config-version", "player-info-forwarding-mode", "forced-hosts", "servers.try", "show-max-players"];
    if document.syntax == Syntax::Toml && any(&of_velocity) {
        return Some(Program::Velocity);
    }
    if is_router(document, &root) {
        return Some(Program::McRouter);
    }
    if is_passage(&root) {
        return Some(Program::Passage);
    }
    if any(&["domainName", "proxyTo"]) {
        return Some(Program::Infrared);
    }
    if document.syntax == Syntax::Toml {
        let of_main = [
            "servers_dir",
            "unknown_domain_behavior",
            "receive_proxy_protocol",
            "default_motd",
            "worker_threads",
            "status_cache",
        ];
        let is_main = document.name.ends_with("infrarust.toml") || any(&of_main);
        return (is_main || infrarust::is_server(&root)).then_some(Program::Infrarust);
    }
    let of_infrared = ["keepAliveTimeout", "proxyProtocol", "filters", "domains", "addresses"];
    let is_infrared = any(&of_infrared) || (has("bind") && document.folder.join("proxies").is_dir());
    (is_yaml && is_infrared).then_some(Program::Infrared)
}

fn is_router(document: &Document, root: &Entry<'_>) -> bool {
    match document.syntax {
        Syntax::Json => {
            root.get("mappings").is_some_and(|entry| entry.value.is_object())
                || root.get("default-server").is_some()
        }
        Syntax::Yaml => root
            .get("services")
            .iter()
            .flat_map(Entry::fields)
            .any(|(_, service)| mc_router::is_router(&service)),
        Syntax::Words => {
            ["mapping", "MAPPING", "routes-config", "ROUTES_CONFIG"].iter().any(|key| root.get(key).is_some())
        }
        Syntax::Toml => false,
    }
}

fn is_passage(root: &Entry<'_>) -> bool {
    let of_route = ["hostname", "discovery", "authentication", "localization"];
    let routes = root.get("routes").map(|routes| routes.items()).unwrap_or_default();
    let has_route = routes.iter().any(|route| of_route.iter().any(|key| route.get(key).is_some()));
    let of_main = [
        "auth_cookie_expiry",
        "auth_secret",
        "max_packet_length",
        "rate_limiter",
        "system_observer_interval",
    ];
    has_route || of_main.iter().any(|key| root.get(key).is_some())
}
