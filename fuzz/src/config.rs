//! Configuration as the machinery reads it, with settings of every type: documents, the environment, and what is said of mistakes.
//!
//! What must hold: what isn't read has at least one mistake, and each is shown with its place in a text, in colours and as JSON; memory is bounded.

use crate::house::config::settings::Settings;
use crate::memory;
use drawbridge_config::{Document, Error, Root, Style};

/// See the module.
pub fn check(data: &[u8]) {
    memory::within(memory::of_documents(data), || read(data));
}

fn read(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (first, second) = text.split_once('\u{1}').unwrap_or((&text, ""));
    let value = second.lines().next().unwrap_or_default();
    let mut root = Root::new(Some(Document::parse("a.toml", first)), &["routes"]);
    root.environment("DRAWBRIDGE", [("DRAWBRIDGE__LIMITS__CONNECTIONS", value), ("DRAWBRIDGE__BIND", value)]);
    root.append(vec![Document::parse("b.toml", second)]);
    if let Err(Error::Invalid(diagnostics)) = root.read::<Settings>() {
        assert!(diagnostics.errors() > 0, "an error without a mistake");
        for style in [Style::Plain, Style::Colour] {
            assert!(!diagnostics.render(style).is_empty());
        }
        let told = diagnostics.to_json();
        let told = told["diagnostics"].as_array().expect("a list");
        assert!(told.iter().any(|mistake| mistake["severity"] == "error"));
        assert!(
            told.iter().all(|mistake| mistake["message"].as_str().is_some_and(|words| !words.is_empty()))
        );
    }
}

/// Each block of TOML in the manual's first pages, and documents with mistakes.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let pages = [
        include_str!("../../docs/configuration.md"),
        include_str!("../../docs/sessions.md"),
        include_str!("../../README.md"),
    ];
    let blocks = pages
        .iter()
        .flat_map(|page| page.split("```toml\n").skip(1).filter_map(|block| block.split("```").next()));
    let mut seeds: Vec<_> = blocks.map(|block| block.as_bytes().to_vec()).collect();
    let documents = [
        "bind = ['127.0.0.1:1']\nthreads = 2\n[limits]\nconnections = 5\n[[routes]]\nname = 'a'\nhosts = ['a']\u{1}[[routes]]\nname = 'b'",
        "bind = 5\n[limts]\nconnections = '8KiB'\ntime = '5s'\u{1}17",
        "[access]\nallow = ['10.0.0.0/8']\n[cookies]\nsecrets = [{ env = 'X' }, { file = 'k' }, 'short']",
    ];
    seeds.extend(documents.iter().map(|document| document.as_bytes().to_vec()));
    seeds
}
