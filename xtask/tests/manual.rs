//! The manual hangs together: every page has its place in the book, and every link leads somewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The folder of the workspace: the one that cargo runs this in, for it may have been built in another checkout.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("run by cargo");
    Path::new(&package).parent().unwrap().to_owned()
}

/// The Markdown files below a folder, by their paths in it.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(pages(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The lines of a page that aren't code, with code in lines taken out.
fn prose(text: &str) -> Vec<String> {
    let mut code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            lines.push(line.split('`').step_by(2).collect::<Vec<_>>().join("`"));
        }
    }
    lines
}

/// Where the links and pictures of a page lead.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text).join("\n");
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.map(str::to_owned).collect()
}

/// The anchors that renderers give a page's headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut code = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if !code && heading.len() < line.len() && heading.starts_with(' ') {
            let kept = |letter: char| match letter {
                ' ' => Some('-'),
                letter if letter.is_alphanumeric() || letter == '-' || letter == '_' => Some(letter),
                _ => None,
            };
            found.insert(heading.trim().to_lowercase().chars().filter_map(kept).collect());
        }
    }
    found
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => assert!(plain.pop(), "{} leads out", path.display()),
            part => plain.push(part),
        }
    }
    plain
}

/// What is wrong with the links of a page, `inside` which folder they have to stay.
fn broken(page: &Path, inside: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let mut broken = Vec::new();
    for link in links(&text).iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = plain(&page.parent().unwrap().join(file));
        let target = if file.is_empty() { page.to_owned() } else { target };
        let found = target.is_file()
            && target.starts_with(inside)
            && (anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor));
        if !found {
            broken.push(format!("{}: {link}", page.display()));
        }
    }
    broken
}

#[test]
fn every_link_leads_somewhere() {
    let (root, docs) = (root(), root().join("docs"));
    let manual = pages(&docs);
    let beside = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(|page| root.join(page));
    let mut wrong: Vec<_> = manual.iter().flat_map(|page| broken(page, &docs)).collect();
    wrong.extend(beside.iter().flat_map(|page| broken(page, &root)));
    assert!(wrong.is_empty(), "links that lead nowhere, or out of the book:\n{}", wrong.join("\n"));
    assert!(manual.iter().any(|page| !links(&fs::read_to_string(page).unwrap()).is_empty()));
}

#[test]
fn the_book_has_every_page_once() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let mut named = BTreeMap::new();
    for link in links(&summary) {
        *named.entry(docs.join(link)).or_insert(0) += 1;
    }
    let named_twice: Vec<_> = named.iter().filter(|(_, times)| **times > 1).collect();
    assert!(named_twice.is_empty(), "{named_twice:?}");
    let pages: BTreeSet<_> = pages(&docs).into_iter().filter(|page| !page.ends_with("SUMMARY.md")).collect();
    let forgotten: Vec<_> = pages.iter().filter(|page| !named.contains_key(*page)).collect();
    assert!(forgotten.is_empty(), "docs/SUMMARY.md doesn't name {forgotten:?}");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let folder = std::env::temp_dir().join(format!("drawbridge-manual-{}", std::process::id()));
    fs::create_dir_all(folder.join("sub")).unwrap();
    let page = folder.join("sub/a.md");
    fs::write(folder.join("b.md"), "# One `two`, three!\n").unwrap();
    let text = "[a](../b.md) [b](../b.md#one-two-three) [c](#here) `[code](x.md)` [d](https://example.com)\n## Here\n\
        ```\n# not-here\n[x](y.md)\n```\n[1](c.md) [2](../b.md#four) [3](#not-here)\n";
    fs::write(&page, text).unwrap();
    let found = broken(&page, &folder);
    let out = broken(&page, &folder.join("sub"));
    fs::remove_dir_all(&folder).unwrap();
    let wrong: Vec<_> = found.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(wrong, ["c.md", "../b.md#four", "#not-here"]);
    assert_eq!(out.len(), 5, "b.md is outside: {out:?}");
}
