//! How a network's routes carry their players: who authenticates, and how servers are told who a player is.
//!
//! What must stay true: a secret is never read and never written; it is named where its file is, or left to the operator.

use super::draft::Draft;
use super::route::Route;
use super::source::Entry;
use super::text::Table;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What is said of how long two sides may be silent.
pub(super) const SILENCE: &str = "it is 30 s: a player or target that takes nothing for so long is let go of";

/// What is said of a secret that stays in its file.
pub(super) const SECRET_FILE: &str =
    "routes.session.secret, read from the file where it is: the edge's user has to be able to read it";

/// What is said of a secret whose file isn't there.
pub(super) const NO_FILE: &str =
    "routes.session.secret, as a comment: there is no such file with a secret in it";

/// What is said of a way to forward of which nothing is known.
pub(super) const UNKNOWN_KIND: &str = "is no way to forward that is known here; \"none\" is written";

/// What is said of a way to forward whose secret isn't there.
pub(super) const NOT_YET: &str = "routes.session.forwarding, as a comment until its secret is there";

/// What is said of a secret that nobody wants.
pub(super) const NO_SECRET: &str = "the way to forward that is set doesn't need it";

/// What is said of how hard packets are compressed.
pub(super) const LEVEL: &str = "how hard packets are compressed can't be chosen";

/// What is said of the keys that clients sign their chat with.
pub(super) const CHAT_KEYS: &str = "the edge asks nobody for signed chat: enforce-secure-profile in the server.properties of the targets does";

/// What is said of bounds on what players send.
pub(super) const BOUNDS: &str = "bounds on what players send aren't imported";

/// What is said of who may do what.
pub(super) const RIGHTS: &str = "rights and commands aren't imported: everybody has /server";

/// What is said of the channel by which plugins of servers speak to a proxy.
pub(super) const CHANNEL: &str = "plugin messages to the proxy aren't understood: they pass on to the client";

/// What is said of a player who joins a second time.
pub(super) const TWICE: &str =
    "the edge takes whoever joins twice: a target throws out the one who was there before";

/// The ways to forward that need a secret.
pub(super) const SEALED: [&str; 2] = ["bungeeguard", "velocity"];

/// What the edge puts behind the address of a session server.
const QUESTION: &str = "/session/minecraft/hasJoined";

/// The session server that is asked by default.
const USUAL: &str = "https://sessionserver.mojang.com";

/// How the routes of a network carry their players.
#[derive(Debug, Clone)]
pub(super) struct Carrying {
    authenticates: bool,
    /// Whether the session server checks the player's address.
    checks_address: bool,
    /// Which one is asked, where it isn't Mojang's.
    session_server: Option<String>,
    forwarding: Forwarding,
}

/// How a server is told who a player is.
#[derive(Debug, Clone)]
pub(super) struct Forwarding {
    /// As `routes.session.forwarding` has it.
    kind: &'static str,
    /// The file with the secret, where it is one that can be named.
    file: Option<String>,
}

impl Default for Forwarding {
    fn default() -> Self {
        Self { kind: "none", file: None }
    }
}

impl Forwarding {
    /// In the handshake, without a secret.
    pub(super) const BUNGEECORD: Self = Self { kind: "bungeecord", file: None };

    /// What stands at `entry`, or `usual`.
    pub(super) fn read(entry: Option<&Entry<'_>>, usual: &'static str, draft: &mut Draft) -> Self {
        let kind = entry.and_then(|entry| Some(kind(draft.text(entry)?).unwrap_or("none")));
        Self { kind: kind.unwrap_or(usual), file: None }
    }

    /// Notes what became of the kind that stands at `entry`, once it is known where its secret is.
    pub(super) fn note(&self, entry: &Entry<'_>, draft: &mut Draft) {
        match entry.value.as_str().map(kind) {
            None => {}
            Some(None) => draft.leave(entry, UNKNOWN_KIND),
            Some(Some(_)) if self.is_sealed() && self.file.is_none() => draft.change(entry, NOT_YET),
            Some(Some(_)) => draft.keep(entry, "routes.session.forwarding"),
        }
    }

    /// Notes what becomes of a secret of these kinds that stands in the document itself: somebody has to write it into a file.
    pub(super) fn inline_secret(&self, entry: &Entry<'_>, kinds: &[&str], draft: &mut Draft) {
        if kinds.contains(&self.kind) {
            draft.change(entry, "routes.session.secret, as a comment: write it into a file of its own");
        } else {
            draft.leave(entry, NO_SECRET);
        }
    }

    /// Takes the secret from the file that stands at `entry` or has the `usual` name, where there is one.
    pub(super) fn secret_file(&mut self, entry: Option<&Entry<'_>>, usual: &str, draft: &mut Draft) {
        let name = entry.map_or(Some(usual), |entry| draft.text(entry));
        let Some(name) = name.filter(|name| !name.trim().is_empty()) else { return };
        if !self.is_sealed() {
            return entry.iter().for_each(|entry| draft.leave(entry, NO_SECRET));
        }
        self.find_secret(name, draft);
        let Some(entry) = entry else { return };
        if self.file.is_some() {
            draft.keep(entry, SECRET_FILE);
        } else {
            draft.change(entry, NO_FILE);
        }
    }

    /// Takes the secret from a file of this name, where there is one.
    pub(super) fn find_secret(&mut self, name: &str, draft: &Draft) {
        if self.is_sealed() {
            self.file = whole_path(&draft.folder, name);
        }
    }

    /// Whether targets want a secret.
    fn is_sealed(&self) -> bool {
        SEALED.contains(&self.kind)
    }

    /// Writes it into a route's table. Without its secret it isn't one that the edge would take.
    pub(super) fn write(&self, session: &mut Table) {
        match (&self.file, self.is_sealed()) {
            (Some(file), true) => {
                session.set("forwarding", self.kind);
                session.set("secret", json!({ "file": file }));
            }
            (None, true) => {
                session.offer(
                    "forwarding",
                    self.kind,
                    "TODO for you: write the secret that the targets know into a file beside this one, which nobody but the edge can \
                     read, and take both # away. Until then targets that want it let nobody in.",
                );
                session.off("secret", json!({ "file": "forwarding.secret" }));
            }
            (_, false) => session.set("forwarding", self.kind),
        }
    }
}

/// The way to forward of this name, as one of the programs has it.
pub(super) fn kind(name: &str) -> Option<&'static str> {
    Some(match name.trim().to_ascii_lowercase().as_str() {
        "none" => "none",
        "legacy" | "bungeecord" | "bungee_cord" => "bungeecord",
        "bungeeguard" | "bungee_guard" => "bungeeguard",
        "modern" | "velocity" => "velocity",
        _ => return None,
    })
}

/// The whole path of a file that has something in it.
fn whole_path(folder: &Path, name: &str) -> Option<String> {
    let path = std::path::absolute(folder.join(PathBuf::from(name))).ok()?;
    let metadata = path.metadata().ok()?;
    (metadata.is_file() && metadata.len() > 0).then(|| path.to_str().map(str::to_owned)).flatten()
}

impl Carrying {
    /// As `online` says whether the proxy authenticates, which it does where nothing is said.
    pub(super) fn read(online: Option<&Entry<'_>>, forwarding: Forwarding, draft: &mut Draft) -> Self {
        let authenticates = online.and_then(|entry| draft.flag(entry)).unwrap_or(true);
        let carrying = Self { authenticates, checks_address: false, session_server: None, forwarding };
        if let Some(entry) = online.filter(|entry| entry.value.is_boolean()) {
            draft.keep(entry, &format!("routes.mode = {:?}", carrying.mode()));
        }
        carrying
    }

    /// Has the session server check the player's address, where `entry` says so.
    pub(super) fn check_address(&mut self, entry: &Entry<'_>, draft: &mut Draft) {
        let Some(on) = draft.flag(entry) else { return };
        if on && !self.authenticates {
            return draft.leave(entry, "has no effect where nobody authenticates");
        }
        self.checks_address = on;
        draft.keep(entry, "routes.authentication.check_address");
    }

    /// Asks another session server, whose whole address stands at `entry`.
    pub(super) fn session_server(&mut self, entry: &Entry<'_>, draft: &mut Draft) {
        let Some(text) = draft.text(entry) else { return };
        if !self.authenticates {
            return draft.leave(entry, "has no effect where nobody authenticates");
        }
        let server = text.trim().strip_suffix(QUESTION).filter(|server| is_web(server));
        match server {
            Some(USUAL) => draft.keep(entry, "routes.authentication.url, as by default"),
            Some(server) => {
                self.session_server = Some(server.to_owned());
                draft.keep(entry, "routes.authentication.url");
            }
            None => draft.leave(
                entry,
                &format!("routes.authentication.url needs an address behind which {QUESTION:?} is asked"),
            ),
        }
    }

    const fn mode(&self) -> &'static str {
        if self.authenticates { "client_only" } else { "offline" }
    }

    /// A route without hosts and targets.
    pub(super) fn route(&self, name: &str) -> Route {
        Route::new(name, self.mode())
    }

    /// Writes how its players are carried.
    pub(super) fn write(&self, route: &mut Route) {
        if self.checks_address || self.session_server.is_some() {
            let authentication = route.table("authentication");
            authentication.set("type", "mojang");
            if let Some(url) = &self.session_server {
                authentication.set("url", url.as_str());
            }
            if self.checks_address {
                authentication.set("check_address", true);
            }
        }
        self.forwarding.write(route.table("session"));
    }
}

/// Whether this is an address of the web without more than a path.
fn is_web(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte));
    let is_known = text.starts_with("http://") || text.starts_with("https://");
    let url = reqwest::Url::parse(text);
    is_plain && is_known && url.is_ok_and(|url| url.has_host() && url.port() != Some(0))
}

/// Sets from how many bytes on packets are compressed.
pub(super) fn read_compression(entry: &Entry<'_>, draft: &mut Draft) {
    /// The longest packet there is.
    const MOST: i64 = (1 << 21) - 1;
    let Some(threshold) = draft.whole(entry) else { return };
    if threshold > MOST {
        return draft.leave(entry, "is more than any packet has");
    }
    let threshold = threshold.max(-1);
    draft.sessions(|route| route.table("session").set("compression", threshold));
    draft.keep(entry, "routes.session.compression");
}

/// Notes whether players fall back whose server is lost.
pub(super) fn note_failover(entry: &Entry<'_>, draft: &mut Draft) {
    match draft.flag(entry) {
        Some(true) => draft.keep(entry, "routes.session.fallback"),
        Some(false) => {
            draft.change(
                entry,
                "who loses their target goes to routes.session.fallback, as who is thrown out does",
            );
        }
        None => {}
    }
}
