//! What an import is making: the main file, the routes, and the notes on every key that was looked at.
//!
//! What must stay true: a value is written only where Drawbridge would take it; one that it wouldn't is noted, with what was
//! expected. No two routes take the same host.

use super::address::{is_network, socket_address, target_address};
use super::report::{Fate, Report};
use super::route::{Route, Target};
use super::source::Entry;
use super::text::Table;
use super::time::{self, Unit};
use drawbridge_adapter::status::favicon::Favicon;
use drawbridge_protocol::text::Component;
use drawbridge_routing::HostPattern;
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The largest number that is taken of anything: what clients count to.
const MOST: u64 = i32::MAX as u64;

/// What a status and a state say, by the names of their keys.
const WORDS: [&str; 2] = ["description", "name"];

/// What an import is making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// `drawbridge.toml`.
    pub main: Table,
    /// The routes, by the file in the routes' folder that they stand in.
    pub routes: Vec<(String, Route)>,
    /// What became of each key.
    pub report: Report,
    /// Where files are looked for that the other program's own names.
    pub folder: PathBuf,
    /// The hosts that routes have, and the routes' names.
    hosts: HashMap<String, String>,
    names: HashMap<String, usize>,
}

impl Draft {
    /// Notes that Drawbridge does the same, under the name `to`.
    pub(super) fn keep(&mut self, entry: &Entry<'_>, to: &str) {
        self.report.note(entry, Fate::Kept, to);
    }

    /// Notes that Drawbridge does something else, and what.
    pub(super) fn change(&mut self, entry: &Entry<'_>, what: &str) {
        self.report.note(entry, Fate::Changed, what);
    }

    /// Notes that Drawbridge does nothing of the kind, and why.
    pub(super) fn leave(&mut self, entry: &Entry<'_>, why: &str) {
        self.report.note(entry, Fate::Left, why);
    }

    /// Notes the same of whatever stands at several keys of a table and has no note yet.
    pub(super) fn leave_all(&mut self, table: &Entry<'_>, keys: &[&str], why: &str) {
        for entry in keys.iter().filter_map(|key| table.get(key)) {
            self.leave_rest(&entry, why);
        }
    }

    /// Notes the same of whatever stands at `entry` and has no note yet.
    pub(super) fn leave_rest(&mut self, entry: &Entry<'_>, why: &str) {
        for leaf in entry.leaves() {
            if !self.report.knows(&leaf) {
                self.leave(&leaf, why);
            }
        }
    }

    /// Notes of a route that no host leads to that it isn't written.
    pub(super) fn leave_route(&mut self, entry: &Entry<'_>) {
        self.leave_rest(entry, "its route isn't written, since no host is left for it");
    }

    fn unfit(&mut self, entry: &Entry<'_>, expected: &str) {
        let why = format!("can't be read: expected {expected}, found {}", entry.kind());
        self.leave(entry, &why);
    }

    /// A text, or nothing with a note.
    pub(super) fn text<'a>(&mut self, entry: &Entry<'a>) -> Option<&'a str> {
        let text = entry.value.as_str();
        if text.is_none() {
            self.unfit(entry, "a text");
        }
        text
    }

    /// Texts, or one; others are noted.
    pub(super) fn texts<'a>(&mut self, entry: &Entry<'a>) -> Vec<&'a str> {
        entry.items().iter().filter_map(|item| self.text(item)).collect()
    }

    /// True or false, or nothing with a note.
    pub(super) fn flag(&mut self, entry: &Entry<'_>) -> Option<bool> {
        let flag = entry.value.as_bool();
        if flag.is_none() {
            self.unfit(entry, "true or false");
        }
        flag
    }

    /// A whole number, or nothing with a note.
    pub(super) fn whole(&mut self, entry: &Entry<'_>) -> Option<i64> {
        let whole = entry.value.as_i64();
        if whole.is_none() {
            self.unfit(entry, "a whole number");
        }
        whole
    }

    /// A whole number of something, or nothing with a note.
    pub(super) fn count(&mut self, entry: &Entry<'_>) -> Option<u64> {
        let count = self.whole(entry)?;
        let fit = u64::try_from(count).ok().filter(|&count| count <= MOST);
        if fit.is_none() {
            self.leave(entry, &format!("needs a number from 0 to {MOST}"));
        }
        fit
    }

    /// A duration as Drawbridge writes it, or nothing with a note. Numbers are in `unit`.
    pub(super) fn duration(&mut self, entry: &Entry<'_>, unit: Unit) -> Option<String> {
        let milliseconds = match entry.value {
            Json::Number(number) => number.as_f64().and_then(|number| unit.milliseconds(number)),
            Json::String(text) => time::parse(text),
            _ => None,
        };
        if milliseconds.is_none() {
            self.leave(entry, "can't be read as a duration");
        }
        milliseconds.map(time::written)
    }

    /// A duration that isn't nothing, or nothing with a note.
    pub(super) fn wait(&mut self, entry: &Entry<'_>, unit: Unit) -> Option<String> {
        let duration = self.duration(entry, unit)?;
        if duration == "0s" {
            self.leave(entry, "a wait of nothing has no meaning here");
            return None;
        }
        Some(duration)
    }

    /// Sets `bind` to what stands here, besides what is there already.
    pub(super) fn bind(&mut self, entry: &Entry<'_>) {
        let Some(text) = self.text(entry) else { return };
        match socket_address(text) {
            Some(address) => {
                self.add_bind(address);
                self.keep(entry, "bind");
            }
            None => self.leave(entry, "can't be read as an IP address and a port, such as \"0.0.0.0:25565\""),
        }
    }

    /// Adds an address to `bind`.
    pub(super) fn add_bind(&mut self, address: SocketAddr) {
        let mut all = self.main.get("bind").and_then(Json::as_array).cloned().unwrap_or_default();
        let address = json!(address.to_string());
        if !all.contains(&address) {
            all.push(address);
        }
        self.main.set("bind", all);
    }

    /// Does as a program does that expects a PROXY header of everybody, where `on` says that it does.
    pub(super) fn trust_everybody(&mut self, entry: &Entry<'_>, on: bool) {
        if !on {
            return self.keep(entry, "nobody may send a PROXY header, as by default");
        }
        let table = self.main.table("proxy_protocol");
        if !table.has("trusted") {
            table.remark_here(
                "TODO for you: everybody must send a PROXY header and is believed, as before. Name the networks of your load \
                 balancers instead, so that nobody else can make up an address.",
            );
            table.set("trusted", json!(["0.0.0.0/0", "::/0"]));
        }
        self.change(
            entry,
            "proxy_protocol.trusted, for all networks: name those of your load balancers instead",
        );
    }

    /// The networks among texts; others are noted.
    pub(super) fn networks(&mut self, entry: &Entry<'_>) -> Vec<String> {
        let texts = self.texts(entry);
        self.networks_of(entry, texts)
    }

    /// The networks among texts that stand at `entry`; others are noted.
    pub(super) fn networks_of<'a>(
        &mut self,
        entry: &Entry<'_>,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Vec<String> {
        let mut networks = Vec::new();
        for text in texts {
            if is_network(text) {
                networks.push(text.to_owned());
            } else {
                self.leave(entry, &format!("{text:?} is no network such as \"10.0.0.0/8\""));
            }
        }
        networks
    }

    /// A target's address as Drawbridge writes it, or nothing with a note.
    pub(super) fn address(&mut self, entry: &Entry<'_>, text: &str) -> Option<String> {
        let address = target_address(text);
        if address.is_none() {
            self.leave(entry, &format!("{text:?} can't be a target's address"));
        }
        address
    }

    fn favicon_url(&mut self, entry: &Entry<'_>, url: &str, status: &mut Table) {
        if status.get("type") == Some(&json!("relay")) {
            status.offer(
                "favicon",
                "icon.png",
                format!("TODO for you: fetch {url} as icon.png, and take the # away."),
            );
            self.change(
                entry,
                "status.favicon, as a comment: where the rest is the target's, it can't be a URL",
            );
        } else {
            status.set("favicon", url);
            self.keep(entry, "status.favicon");
        }
    }

    /// Sets the host that a route's targets read, or notes that it can't be one.
    pub(super) fn relayed_host(&mut self, entry: &Entry<'_>, host: &str, route: &mut Route) {
        // These two words stand for other hosts.
        if matches!(host, "keep" | "target") || target_address(&format!("{host}:1")).is_none() {
            return self.leave(entry, &format!("{host:?} is no host name"));
        }
        route.host(host);
        self.keep(entry, "routes.relay.host");
    }

    /// A host that no route has yet, for the route of this name; or nothing with a note.
    pub(super) fn host(&mut self, entry: &Entry<'_>, host: &str, route: &str) -> Option<String> {
        let host = if host.starts_with('~') {
            host.to_owned()
        } else {
            host.trim().trim_end_matches('.').to_ascii_lowercase()
        };
        if let Err(error) = host.parse::<HostPattern>() {
            self.leave(entry, &format!("{host:?} can't be a host: {error}"));
            return None;
        }
        if let Some(other) = self.hosts.get(&host) {
            let why = format!("the route {other:?} has the host {host:?} already");
            self.leave(entry, &why);
            return None;
        }
        self.hosts.insert(host.clone(), route.to_owned());
        Some(host)
    }

    /// A host that nobody types, for a route that no host leads to.
    pub(super) fn own_host(&mut self, route: &str) -> Option<String> {
        let sound = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
        let label: String = route.to_ascii_lowercase().chars().map(sound).collect();
        let host = format!("{}.invalid", label.trim_matches('-'));
        if host.parse::<HostPattern>().is_err() || self.hosts.contains_key(&host) {
            return None;
        }
        self.hosts.insert(host.clone(), route.to_owned());
        Some(host)
    }

    /// The hosts named at `entry` that no route has yet, for the route of this name; others are noted.
    pub(super) fn hosts(&mut self, entry: &Entry<'_>, route: &str) -> Vec<String> {
        let written = self.texts(entry);
        let hosts: Vec<_> = written.into_iter().filter_map(|host| self.host(entry, host, route)).collect();
        if !hosts.is_empty() {
            self.keep(entry, "routes.hosts");
        }
        hosts
    }

    /// The targets whose addresses stand at `entry`; others are noted.
    pub(super) fn targets(&mut self, entry: &Entry<'_>) -> Vec<Target> {
        let written = self.texts(entry);
        let addresses: Vec<_> = written.into_iter().filter_map(|text| self.address(entry, text)).collect();
        if !addresses.is_empty() {
            self.keep(entry, "routes.targets");
        }
        addresses.into_iter().map(|address| Target { identifier: None, address, weight: None }).collect()
    }

    /// Whether a route has this very host.
    pub(super) fn has_host(&self, host: &str) -> bool {
        self.hosts.contains_key(host)
    }

    /// Whether no route has this name.
    pub(super) fn is_free(&self, name: &str) -> bool {
        !self.names.contains_key(name.trim())
    }

    /// A name for a route that no other has.
    pub(super) fn name(&mut self, wanted: &str) -> String {
        let wanted = if wanted.trim().is_empty() { "route" } else { wanted.trim() };
        let mut name = wanted.to_owned();
        while let Some(number) = self.names.get_mut(&name) {
            *number += 1;
            name = format!("{name}-{number}");
        }
        self.names.insert(name.clone(), 1);
        name
    }

    /// Adds a route to a file of the routes' folder.
    pub(super) fn push(&mut self, file: &str, route: Route) {
        self.routes.push((file.to_owned(), route));
    }

    /// Does something with every route that carries connections.
    pub(super) fn carried(&mut self, change: impl FnMut(&mut Route)) {
        self.routes.iter_mut().map(|(_, route)| route).filter(|route| route.carries()).for_each(change);
    }

    /// Does something with every route that carries connections by sessions.
    pub(super) fn sessions(&mut self, change: impl FnMut(&mut Route)) {
        self.routes.iter_mut().map(|(_, route)| route).filter(|route| route.is_session()).for_each(change);
    }

    /// Sets how long targets may take to accept a connection, where their routes don't say so themselves.
    pub(super) fn connect(&mut self, entry: &Entry<'_>, unit: Unit) {
        let Some(duration) = self.wait(entry, unit) else { return };
        let mut tables = BTreeSet::new();
        self.carried(|route| {
            route.connect(&duration);
            tables.insert(format!("routes.{}.connect", route.carrying()));
        });
        if tables.is_empty() {
            return self.leave(entry, "no route is written that could have it");
        }
        let tables: Vec<_> = tables.into_iter().collect();
        self.keep(entry, &tables.join(" and "));
    }

    /// A text for players as Drawbridge reads it, or nothing with a note.
    pub(super) fn component(&mut self, entry: &Entry<'_>, text: &str) -> Option<String> {
        // Some programs write a text without style as a JSON string.
        let text =
            serde_json::from_str::<String>(text).unwrap_or_else(|_| text.trim_end_matches('\n').to_owned());
        if let Err(error) = Component::parse_config(&text) {
            self.leave(entry, &format!("can't be read as a text for players: {error}"));
            return None;
        }
        Some(text)
    }

    /// The text for players at a table's key, or nothing, with a note where there is another thing.
    pub(super) fn words<'a>(&mut self, table: &Entry<'a>, key: &str) -> Option<(Entry<'a>, String)> {
        let entry = table.get(key)?;
        let text = self.text(&entry)?;
        let text = self.component(&entry, text)?;
        Some((entry, text))
    }

    /// Sets a status' description and name to what stands at these keys.
    pub(super) fn status_words(&mut self, shown: &Entry<'_>, keys: [&str; 2], status: &mut Table) {
        for (key, to) in keys.into_iter().zip(WORDS) {
            if let Some((entry, text)) = self.words(shown, key) {
                status.set(to, text);
                self.keep(&entry, &format!("routes.status.{to}"));
            }
        }
    }

    /// Sets the description and name of states, in which targets don't answer, to what stands at these keys.
    pub(super) fn state_words(
        &mut self,
        shown: &Entry<'_>,
        keys: [&str; 2],
        states: &[&'static str],
        route: &mut Route,
    ) {
        for (key, to) in keys.into_iter().zip(WORDS) {
            if let Some((entry, text)) = self.words(shown, key) {
                route.table("status").set("type", "relay");
                states.iter().for_each(|state| route.state(state, to, &text));
                self.keep(
                    &entry,
                    &format!("routes.status.states.{}.{to}", if let [one] = states { one } else { "*" }),
                );
            }
        }
    }

    /// Has targets get a PROXY header where a table's key says so.
    pub(super) fn proxy_header(&mut self, table: &Entry<'_>, key: &str, route: &mut Route) {
        if let Some(entry) = table.get(key)
            && let Some(on) = self.flag(&entry)
        {
            if on {
                route.proxy_protocol("v2");
            }
            self.keep(&entry, &format!("routes.{}.proxy_protocol", route.carrying()));
        }
    }

    /// Sets the favicon of a status: a picture is taken, a file has to be brought along by the operator.
    pub(super) fn favicon(&mut self, entry: &Entry<'_>, status: &mut Table) {
        const PREFIX: &str = "data:image/png;base64,";
        let Some(text) = self.text(entry).map(str::trim).filter(|text| !text.is_empty()) else { return };
        let bare = format!("{PREFIX}{text}");
        let uri = [text, bare.as_str()].into_iter().find(|uri| Favicon::of_uri(uri).is_ok());
        if let Some(uri) = uri {
            status.set("favicon", uri);
            self.keep(entry, "status.favicon");
        } else if text.starts_with("http://") || text.starts_with("https://") {
            self.favicon_url(entry, text, status);
        } else if text.starts_with("data:") || text.len() > 256 {
            self.leave(entry, "is no PNG of 64×64 pixels in Base64");
        } else {
            let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
            status.offer(
                "favicon",
                name,
                format!("TODO for you: copy {name} beside this file, and take the # away."),
            );
            self.change(entry, "status.favicon, as a comment: the picture has to be copied beside the file");
        }
    }
}
