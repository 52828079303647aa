//! `packet-ids`: writes the protocol crate's `ids/generated.rs` from the tables of the npm package `minecraft-data`.
//!
//! What must stay true: the same package gives the same file, and a release without a table, a table with a gap or two
//! tables for one protocol number stop the generator rather than be smoothed over.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use crate::command::{self, workspace};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// Releases that the package has no data of, and the protocol number whose packets they share.
const SAME_AS: [(i32, i32); 2] = [(4, 5), (485, 480)];

/// The oldest protocol number with frames as they are since 1.7.
const OLDEST: i32 = 4;

/// Numbers from here on are snapshots'.
const SNAPSHOT: i32 = 0x4000_0000;

/// Not a packet of the protocol: its "id" is the first byte of a ping by clients before 1.7.
const LEGACY_PING: &str = "legacy_server_list_ping";

/// The states and directions in the package's words, and the constant that holds their steps.
const SECTIONS: [(&str, &str, &str); 9] = [
    ("handshaking", "toServer", "HANDSHAKING_SERVERBOUND"),
    ("status", "toClient", "STATUS_CLIENTBOUND"),
    ("status", "toServer", "STATUS_SERVERBOUND"),
    ("login", "toClient", "LOGIN_CLIENTBOUND"),
    ("login", "toServer", "LOGIN_SERVERBOUND"),
    ("configuration", "toClient", "CONFIGURATION_CLIENTBOUND"),
    ("configuration", "toServer", "CONFIGURATION_SERVERBOUND"),
    ("play", "toClient", "PLAY_CLIENTBOUND"),
    ("play", "toServer", "PLAY_SERVERBOUND"),
];

/// Packet names by id, without gaps.
type Table = Vec<String>;

/// The tables of one release in the order of [`SECTIONS`]; empty where the state doesn't exist.
type Release = Vec<Table>;

/// Where the npm package has its data, below the folder of the packages.
pub(crate) const DATA: &str = "node_modules/minecraft-data/minecraft-data/data";

/// Writes the file, or with `check` only fails when it would change. `data` is the folder `minecraft-data/data` in the
/// installed package.
///
/// # Errors
/// When the package can't be read or isn't what this expects, the file can't be written, or `check` finds a difference.
pub(crate) fn run(data: &Path, check: bool) -> Result<()> {
    let file = workspace().join("crates/protocol/src/ids/generated.rs");
    command::write_or_check(&file, &generate(data)?, check, "packet-ids")
}

fn generate(data: &Path) -> Result<String> {
    let releases = releases(data)?;
    let package = data.join("../../package.json");
    let version = text(&read_json(&package)?, "version")?.to_owned();
    render(&releases, &version)
}

/// Every release's tables by its protocol number.
fn releases(data: &Path) -> Result<BTreeMap<i32, Release>> {
    let mut found: BTreeMap<i32, (PathBuf, Release)> = BTreeMap::new();
    let paths = read_json(&data.join("dataPaths.json"))?;
    for (name, paths) in paths["pc"].as_object().context("dataPaths.json has no \"pc\"")? {
        let Some(folder) = paths["protocol"].as_str() else { continue };
        let info = read_json(&data.join(text(paths, "version")?).join("version.json"))?;
        let number = number(&info, "version")?;
        if !(OLDEST..SNAPSHOT).contains(&number) || name == "0.30c" {
            continue;
        }
        let folder = data.join(folder);
        if found.get(&number).is_some_and(|(other, _)| *other == folder) {
            continue;
        }
        let release = release(&read_json(&folder.join("protocol.json"))?)
            .with_context(|| format!("in {}", folder.display()))?;
        if let Some((other, tables)) = found.get(&number) {
            ensure!(*tables == release, "{name} and {} differ, both {number}", other.display());
        }
        found.insert(number, (folder, release));
    }
    let newest = *found.keys().next_back().context("no protocol at all")?;
    let mut releases = BTreeMap::new();
    for number in release_numbers(data)?.range(OLDEST..=newest) {
        let source = SAME_AS.iter().find(|(same, _)| same == number).map_or(*number, |(_, source)| *source);
        ensure!(source == *number || !found.contains_key(number), "{number} has data of its own now");
        let (_, release) = found.get(&source).with_context(|| format!("no data for protocol {number}"))?;
        releases.insert(*number, release.clone());
    }
    for (same, _) in SAME_AS {
        ensure!(releases.contains_key(&same), "{same} is no release's number");
    }
    Ok(releases)
}

/// The protocol numbers of releases (`1.21.4`, not `1.21.4-pre1` or `24w45a`) with the frames of today.
fn release_numbers(data: &Path) -> Result<BTreeSet<i32>> {
    let list = read_json(&data.join("pc/common/protocolVersions.json"))?;
    let mut numbers = BTreeSet::new();
    for entry in list.as_array().context("protocolVersions.json is no array")? {
        let name = text(entry, "minecraftVersion")?;
        let release =
            name.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        if release && entry["usesNetty"] == true {
            numbers.insert(number(entry, "version")?);
        }
    }
    Ok(numbers)
}

fn release(protocol: &Value) -> Result<Release> {
    let mut release = Vec::new();
    for (state, direction, _) in SECTIONS {
        let types = &protocol[state][direction]["types"];
        release.push(table(types).with_context(|| format!("{state}, {direction}"))?);
    }
    Ok(release)
}

/// Reads the names from the mapper of the container `packet`: `["container", [{ name: "name", type: ["mapper", …] }, …]]`.
fn table(types: &Value) -> Result<Table> {
    let Some(fields) = types["packet"][1].as_array() else { return Ok(Vec::new()) };
    let name = fields.iter().find(|field| field["name"] == "name").context("a packet without a name")?;
    let mappings = name["type"][1]["mappings"].as_object().context("no mappings")?;
    let mut table = BTreeMap::new();
    for (id, name) in mappings {
        let id = id.strip_prefix("0x").with_context(|| format!("id {id:?} is not hexadecimal"))?;
        let name = name.as_str().context("a packet's name is no string")?;
        if name != LEGACY_PING {
            let twice = table.insert(usize::from_str_radix(id, 16)?, name.to_owned());
            ensure!(twice.is_none(), "id {id} stands twice");
        }
    }
    ensure!(table.keys().copied().eq(0..table.len()), "ids have gaps");
    let distinct: BTreeSet<&String> = table.values().collect();
    ensure!(distinct.len() == table.len(), "a packet has two ids");
    Ok(table.into_values().collect())
}

fn render(releases: &BTreeMap<i32, Release>, version: &str) -> Result<String> {
    let mut out = format!(
        "//! Generated from minecraft-data {version} (MIT licence, https://github.com/PrismarineJS/minecraft-data) by\n\
         //! `cargo xtask packet-ids`. Changes are made there.\n\n\
         use Kind::*;\n\n\
         use super::table::{{Edit, Step}};\n\n"
    );
    let names: BTreeSet<&str> = releases.values().flatten().flatten().map(String::as_str).collect();
    ensure!(names.len() < 255, "{} packet names do not fit into a byte", names.len());
    out.push_str("kinds! {\n");
    for name in names {
        writeln!(out, "    {} {name:?},", variant(name))?;
    }
    out.push_str("}\n\n/// The protocol numbers that the steps below speak for.\n");
    let numbers: Vec<String> = releases.keys().map(i32::to_string).collect();
    writeln!(out, "pub(super) const KNOWN: [i32; {}] = [", numbers.len())?;
    for line in numbers.chunks(16) {
        writeln!(out, "    {},", line.join(", "))?;
    }
    out.push_str(
        "];\n\nconst fn edit(at: usize, removed: &'static [Kind], inserted: &'static [Kind]) -> Edit {\n",
    );
    out.push_str("    Edit { at, removed, inserted }\n}\n");
    for (index, (_, _, constant)) in SECTIONS.into_iter().enumerate() {
        render_section(
            &mut out,
            constant,
            releases.iter().map(|(number, release)| (*number, &release[index])),
        )?;
    }
    Ok(out)
}

fn render_section<'a>(
    out: &mut String,
    constant: &str,
    tables: impl Iterator<Item = (i32, &'a Table)>,
) -> Result<()> {
    let mut steps = Vec::new();
    let mut before: &[String] = &[];
    for (number, table) in tables {
        if table != before {
            steps.push((number, edits(before, table)));
            before = table;
        } else if steps.is_empty() && !table.is_empty() {
            bail!("the first table of {constant} is lost");
        }
    }
    writeln!(out, "\npub(super) const {constant}: [Step; {}] = [", steps.len())?;
    for (number, edits) in steps {
        writeln!(out, "    Step {{ since: {number}, edits: &[")?;
        for (at, removed, inserted) in edits {
            let head = format!("        edit({at:#04x}, &[{}], &[", variants(&removed));
            let line = format!("{head}{}]),", variants(&inserted));
            if line.len() <= 120 {
                writeln!(out, "{line}")?;
                continue;
            }
            writeln!(out, "{head}")?;
            for line in inserted.chunks(4) {
                writeln!(out, "            {},", variants(line))?;
            }
            writeln!(out, "        ]),")?;
        }
        writeln!(out, "    ] }},")?;
    }
    out.push_str("];\n");
    Ok(())
}

/// A place in the old table, what stands there, and what takes its place.
type Edit = (usize, Vec<String>, Vec<String>);

/// The fewest changes from one table to the next, by their longest common subsequence.
fn edits(old: &[String], new: &[String]) -> Vec<Edit> {
    // common[i][j]: how many names old[i..] and new[j..] share, in order.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let mut edits: Vec<Edit> = Vec::new();
    let (mut i, mut j) = (0, 0);
    let mut open = false;
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j, open) = (i + 1, j + 1, false);
            continue;
        }
        if !open {
            edits.push((i, Vec::new(), Vec::new()));
            open = true;
        }
        let Some((_, removed, inserted)) = edits.last_mut() else { break };
        if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            removed.push(old[i].clone());
            i += 1;
        } else {
            inserted.push(new[j].clone());
            j += 1;
        }
    }
    edits
}

/// `keep_alive` → `KeepAlive`.
fn variant(name: &str) -> String {
    name.split('_').map(|part| part[..1].to_uppercase() + &part[1..]).collect()
}

fn variants(names: &[String]) -> String {
    let variants: Vec<String> = names.iter().map(|name| variant(name)).collect();
    variants.join(", ")
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("in {}", path.display()))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("no text under {key:?}"))
}

fn number(value: &Value, key: &str) -> Result<i32> {
    let number = value[key].as_i64().with_context(|| format!("no number under {key:?}"))?;
    i32::try_from(number).with_context(|| format!("{number} under {key:?} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Table {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn edits_say_only_what_changed() {
        let edits = edits(&names("a b c d"), &names("a x c d y"));
        assert_eq!(edits, [(1, names("b"), names("x")), (4, names(""), names("y"))]);
    }

    #[test]
    fn a_table_is_read_from_its_mapper() {
        let types = |mappings: &str| -> Value {
            let packet = format!(
                r#"{{ "packet": ["container", [{{ "name": "name", "type": ["mapper", {{ "type": "varint", "mappings": {mappings} }}] }}]] }}"#
            );
            serde_json::from_str(&packet).unwrap()
        };
        assert_eq!(
            table(&types(r#"{ "0x01": "b", "0x00": "a", "0xfe": "legacy_server_list_ping" }"#)).unwrap(),
            names("a b")
        );
        assert!(table(&types(r#"{ "0x00": "a", "0x02": "b" }"#)).is_err(), "a gap");
        assert!(table(&types(r#"{ "0x00": "a", "0x01": "a" }"#)).is_err(), "two ids");
        assert!(table(&types(r#"{ "zero": "a" }"#)).is_err());
        assert_eq!(table(&Value::Null).unwrap(), names(""));
    }

    #[test]
    fn names_become_variants() {
        assert_eq!(variant("keep_alive"), "KeepAlive");
        assert_eq!(variant("tags"), "Tags");
    }
}
